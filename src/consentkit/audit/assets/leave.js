/**
 * Tells a page that it is left, as a browser does: much is sent only then. It is told and not left,
 * since what a document sends on its way out belongs to no page any more, and is heard by nobody.
 */
() => {
  Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true })
  Object.defineProperty(document, "hidden", { value: true, configurable: true })
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))
  window.dispatchEvent(new PageTransitionEvent("pagehide"))
}
