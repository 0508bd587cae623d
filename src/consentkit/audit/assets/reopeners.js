/** What on a page may open a notice again: `told`, and the `elements` in the same order. */
({ selectors }) => {
  const below = root =>
    [...root.querySelectorAll("*")].flatMap(one => one.shadowRoot ? [one, ...below(one.shadowRoot)] : [one])
  const isSeen = one => {
    const { width, height } = one.getBoundingClientRect()
    return width > 1 && height > 1 && one.checkVisibility({ visibilityProperty: true })
  }
  const labelOf = one => {
    const seen = (one.innerText || one.value || "").trim()
    const image = one.querySelector?.("img[alt]")?.alt
    return seen || one.getAttribute("aria-label") || one.title || image || ""
  }
  const all = below(document).filter(
    one => one.matches("button,[role=button],a,[onclick],[data-cc]") && isSeen(one)
  )
  const known = one => selectors.findIndex(selector => one.matches(selector))
  const elements = all.filter(one => labelOf(one).length < 80 || known(one) >= 0).slice(0, 2000)
  return {
    told: elements.map(one => ({
      label: labelOf(one).replace(/\s+/g, " "),
      known: known(one),
      leaves: one.localName == "a" && !/^(#|javascript:|$)/.test(one.getAttribute("href") ?? ""),
    })),
    elements,
  }
}
