/**
 * Matomo's consent interface: what waits is said before the first page view is counted.
 *
 * It has never heard of a policy: `data-settings` says what waits, all tracking or its cookies
 * alone, and for which purposes.
 */
{
  const { dataset } = /** @type {any} */ (document.currentScript)
  /** @type {{waits: "tracking" | "cookies", needs: string[]}} */
  const { waits, needs } = JSON.parse(dataset.settings)
  const what = waits == "cookies" ? "CookieConsent" : "Consent"
  let isGiven = false

  const tell = purposes => {
    const was = isGiven
    isGiven = !!needs[0] && needs.every(name => purposes.includes(name))
    if (isGiven && !was) _paq.push([`set${what}Given`])
    if (was && !isGiven) _paq.push([`forget${what}Given`])
  }

  self._paq ??= []
  _paq.push([`require${what}`])
  tell(JSON.parse(dataset.purposes))
  document.addEventListener("consentkit:change", (/** @type {any} */ event) => tell(event.detail.purposes))
}
