/** Where the page's links lead, as whole addresses; and down to its end and up again on the way. */
async most => {
  const end = document.documentElement?.scrollHeight ?? 0
  if (end > innerHeight) {
    window.scrollTo({ top: end, behavior: "instant" })
    // What is lazy looks where it stands when a picture is drawn; a page in the back draws none.
    await new Promise(done => {
      requestAnimationFrame(() => requestAnimationFrame(done))
      setTimeout(done, 300)
    })
    window.scrollTo({ top: 0, behavior: "instant" })
  }
  const links = [...document.querySelectorAll("a[href]:not([download]),area[href]")].slice(0, most)
  return [...new Set(links.map(link => {
    try {
      return new URL(link.getAttribute("href"), document.baseURI).href
    } catch {
      return ""
    }
  }))].filter(href => /^https?:/.test(href) && href.length < 4096)
}
