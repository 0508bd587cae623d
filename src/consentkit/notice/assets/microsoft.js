/**
 * Microsoft's consent interfaces: Clarity (consentv2) and Universal Event Tracking.
 *
 * It has never heard of a policy: `data-settings` has, for each of the two that the site uses, the
 * purposes that each signal needs. Clarity spells its signals with a capital S.
 */
{
  const { dataset } = /** @type {any} */ (document.currentScript)
  /** @type {{clarity?: Record<string, string[]>, uet?: Record<string, string[]>}} */
  const { clarity: ofClarity, uet: ofUet } = JSON.parse(dataset.settings)

  const answer = (signals, purposes) =>
    Object.fromEntries(
      Object.entries(signals).map(([signal, needed]) => [
        signal,
        needed[0] && needed.every(name => purposes.includes(name)) ? "granted" : "denied",
      ]),
    )

  const tell = purposes => {
    if (ofClarity) clarity("consentv2", answer(ofClarity, purposes))
    if (ofUet) uetq.push("consent", "update", answer(ofUet, purposes))
  }

  if (ofClarity) {
    self.clarity ??= function () {
      ;(clarity.q ??= []).push(arguments)
    }
  }
  if (ofUet) {
    self.uetq ??= []
    uetq.push("consent", "default", answer(ofUet, []))
  }
  const purposes = JSON.parse(dataset.purposes)
  if (ofClarity) clarity("consentv2", answer(ofClarity, purposes))
  if (ofUet && Object.values(answer(ofUet, purposes)).includes("granted")) {
    uetq.push("consent", "update", answer(ofUet, purposes))
  }
  document.addEventListener("consentkit:change", (/** @type {any} */ event) => tell(event.detail.purposes))
}
