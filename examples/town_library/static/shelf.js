// Keeps the titles that stand on the page, for the next visit.
localStorage.setItem("shelf", JSON.stringify([...document.querySelectorAll("main li")].map(book => book.textContent)))
