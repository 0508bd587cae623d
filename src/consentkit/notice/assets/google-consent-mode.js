/**
 * Google Consent Mode, version 2: the default before any tag of Google's, and an update per answer.
 *
 * It has never heard of a policy: `data-settings` has the default, all seven signals of it, and the
 * purposes that each signal needs.
 */
{
  const { dataset } = /** @type {any} */ (document.currentScript)
  /**
   * @type {{default: object, signals: Record<string, string[]>, redacts: boolean, passes: boolean}}
   */
  const settings = JSON.parse(dataset.settings)
  const signals = Object.entries(settings.signals)

  self.dataLayer ??= []
  // Google's scripts know a command by its being an `arguments` object.
  self.gtag ??= function () {
    dataLayer.push(arguments)
  }

  const answer = purposes => {
    const isGranted = ([, needed]) => needed[0] && needed.every(name => purposes.includes(name))
    return Object.fromEntries(
      signals.map(signal => [signal[0], isGranted(signal) ? "granted" : "denied"]),
    )
  }

  const settle = told => {
    const hasAds = told.ad_storage == "granted"
    if (settings.redacts) gtag("set", "ads_data_redaction", !hasAds)
    // It decorates links, so it is never on without consent to advertising.
    if (settings.passes) gtag("set", "url_passthrough", hasAds)
  }

  const update = purposes => {
    const told = answer(purposes)
    gtag("consent", "update", told)
    settle(told)
  }

  gtag("consent", "default", settings.default)
  settle(settings.default)
  const purposes = JSON.parse(dataset.purposes)
  const told = answer(purposes)
  if (signals.some(([name]) => told[name] != settings.default[name])) update(purposes)
  document.addEventListener("consentkit:change", (/** @type {any} */ event) => update(event.detail.purposes))
}
