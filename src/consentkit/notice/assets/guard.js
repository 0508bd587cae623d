/**
 * Stops other scripts from storing cookies that are not declared, or not allowed.
 *
 * Stands first in the head, so that it comes before the scripts it is about. What it misses, a
 * frame's or a worker's, the server expires with the next request. It has never heard of a policy:
 * `data-settings` has a pattern for each cookie, the most exact first, with the purposes it needs.
 */
{
  const { dataset } = /** @type {any} */ (document.currentScript)
  /** @type {{cookies: [string, string[]][], others: boolean}} */
  const settings = JSON.parse(dataset.settings)
  /** @type {string[]} */
  let allowed = JSON.parse(dataset.purposes)

  const may = name => {
    const [, needed] = settings.cookies.find(([pattern]) => new RegExp(pattern).test(name)) ?? []
    const fits = needed ? needed.every(purpose => allowed.includes(purpose)) : settings.others
    if (!fits) console.debug(`consentkit: the cookie ${name} is not allowed, so it is not stored.`)
    return fits
  }

  /**
   * A removal stores nothing, so it always passes (RFC 6265bis §5.7: the last attribute counts, and
   * Max-Age before Expires).
   */
  const isRemoval = text => {
    const [, age] = /.*;\s*max-age\s*=\s*(-?\d+)/is.exec(text) ?? []
    const [, until] = /.*;\s*expires\s*=([^;]*)/is.exec(text) ?? []
    return age ? +age <= 0 : Date.parse(until) <= Date.now()
  }

  /** @type {any} */
  const own = Object.getOwnPropertyDescriptor(Document.prototype, "cookie")
  Object.defineProperty(Document.prototype, "cookie", {
    ...own,
    set(value) {
      const text = String(value)
      const [, name = ""] = /^([^;=]*)=/.exec(text) ?? []
      if (isRemoval(text) || may(name.trim())) own.set.call(this, text)
    },
  })

  /** @type {any} */
  const store = self.CookieStore?.prototype
  const set = store?.set
  if (set) {
    store.set = async function (...all) {
      const [one] = all
      if (one.expires <= Date.now() || may(String(one.name ?? one))) await set.apply(this, all)
    }
  }

  document.addEventListener("consentkit:change", (/** @type {any} */ event) => {
    allowed = event.detail.purposes
  })
}
