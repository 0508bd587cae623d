/**
 * What in a document may be a notice that asks: what stands out, speaks of cookies, and has
 * something to press. It judges nothing: words are read by audit/banners.py.
 *
 * Returns `told`, plain values, and `elements`, in the same order: of each place its own, and what
 * can be pressed in it.
 */
({ about, tools, isFrame }) => {
  const speaks = new RegExp(about, "iu")
  const named = /cookie|consent|gdpr|rgpd|dsgvo|\bcmp\b|privacy/i
  const pressed = "button,[role=button],input[type=button],input[type=submit],a,summary"

  /** Every element, those in open shadow roots too. */
  const below = root =>
    [...root.querySelectorAll("*")].flatMap(one => one.shadowRoot ? [one, ...below(one.shadowRoot)] : [one])
  const isSeen = one => {
    const { width, height } = one.getBoundingClientRect()
    const seen = { opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true }
    return width > 1 && height > 1 && one.checkVisibility(seen)
  }
  const textOf = one => {
    const hosts = one.shadowRoot ? [one.shadowRoot] : []
    const own = (one.innerText ?? "").trim()
    return own || hosts.map(host => [...host.children].map(textOf).join(" ")).join(" ")
  }
  const labelOf = one => {
    const seen = (one.innerText || one.value || "").trim()
    return seen || one.getAttribute("aria-label") || one.title || one.textContent.trim() || ""
  }
  const background = one => {
    for (; one; one = one.parentElement ?? one.getRootNode().host) {
      const { backgroundColor: colour, backgroundImage: image } = getComputedStyle(one)
      if (image != "none") return image.slice(0, 80).replace(/url\([^)]*\)?/, "url()")
      if (!/^rgba\(.*, 0\)$|^transparent$/.test(colour)) return colour
    }
    return "rgb(255, 255, 255)"
  }
  const lookOf = one => {
    const { width, height } = one.getBoundingClientRect()
    const { fontSize, fontWeight, color } = getComputedStyle(one)
    return {
      width: Math.round(width),
      height: Math.round(height),
      fontSize: parseFloat(fontSize),
      fontWeight,
      color,
      background: background(one),
    }
  }
  const isOurs = one => one.matches("#consentkit,.consentkit-dialog,body.consentkit-page")
  const isIn = (one, selector) =>
    one.closest(selector) ?? (one.getRootNode().host && isIn(one.getRootNode().host, selector))
  const toolOf = one => tools.findIndex(selector => isIn(one, selector))
  const standsOut = one => {
    if (one.matches("dialog[open],[role=dialog],[role=alertdialog],[aria-modal=true]")) return true
    if (/^(fixed|sticky)$/.test(getComputedStyle(one).position)) return true
    return named.test(`${one.id} ${one.getAttribute("class")} ${one.getAttribute("aria-label")}`)
  }

  const all = below(document).filter(one => !/^(html|head|script|style|svg|path)$/i.test(one.localName))
  const places = all
    .filter(one => isFrame ? one == document.body : standsOut(one) || one.matches(tools.join()))
    .filter(one => one == document.body || isSeen(one))
    .map(place => ({ place, text: textOf(place).slice(0, 4000) }))
    .filter(({ place, text }) => isOurs(place) || toolOf(place) >= 0 || speaks.test(text))
    .slice(0, 60)
  const buttonsOf = place =>
    [...below(place), ...(place.shadowRoot ? below(place.shadowRoot) : [])]
      .filter(one => one.matches(pressed) && isSeen(one))
      .slice(0, 60)
  const switchesOf = place =>
    [...below(place), ...(place.shadowRoot ? below(place.shadowRoot) : [])].filter(one =>
      one.matches("input[type=checkbox]:checked:not(:disabled),[role=switch][aria-checked=true]")
    )
  const found = places.map(({ place, text }) => [place, text, buttonsOf(place), switchesOf(place)])
  return {
    told: found.map(([place, text, buttons, switches]) => ({
      text: text.length,
      tool: toolOf(place),
      isOurs: isOurs(place),
      isNotice: place.id == "consentkit",
      switches: switches.length,
      buttons: buttons.map(one => ({
        choice: one.name == "choice" ? one.value : "",
        label: labelOf(one).replace(/\s+/g, " ").slice(0, 80),
        isLink: one.localName == "a" && /^(https?:)?\/|^[^#:]+$/.test(one.getAttribute("href") ?? "#"),
        look: lookOf(one),
      })),
    })),
    elements: found.map(([place, , buttons, switches]) => ({ place, buttons, switches })),
  }
}
