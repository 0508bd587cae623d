/**
 * Runs first in every document: notes each cookie that a script stores, and each thing that a
 * Content-Security-Policy blocks. It changes nothing of what a page can do.
 *
 * TELL is the name of a function of the browser's, which takes a text to the witness. It is taken
 * out of the page before anything of the page runs.
 */
{
  const tell = window.TELL
  delete window.TELL
  const { stringify } = JSON
  const { now } = Date

  /** The address of the script that called, else of the document. */
  const caller = () => {
    const [, script] = /(https?:\/\/[^\s)]+?):\d+(:\d+)?\)?$/m.exec(new Error().stack ?? "") ?? []
    return script ?? document.URL
  }
  /** Says what was stored: the text of a Set-Cookie, by whom, and whether it can be read again. */
  const note = (text, by, isStored) => {
    tell(stringify({ what: "cookie", text, by, isStored, at: now(), origin, path: location.pathname }))
  }

  const jar = Object.getOwnPropertyDescriptor(Document.prototype, "cookie")
  Object.defineProperty(Document.prototype, "cookie", {
    ...jar,
    set(text) {
      const by = caller()
      jar.set.call(this, text)
      const pair = `${text}`.split(";")[0].trim()
      note(`${text}`, by, jar.get.call(this).split("; ").includes(pair))
    },
  })

  const store = window.CookieStore?.prototype
  const set = store?.set
  if (set) {
    store.set = async function (...given) {
      const by = caller()
      await set.apply(this, given)
      const one = given.length > 1 ? { name: given[0], value: given[1] } : given[0]
      const parts = [
        `${one.name}=${one.value}`,
        `Path=${one.path ?? "/"}`,
        one.domain && `Domain=${one.domain}`,
        one.expires && `Expires=${new Date(Number(one.expires)).toUTCString()}`,
        `SameSite=${one.sameSite ?? "strict"}`,
        "Secure",
        one.partitioned && "Partitioned",
      ]
      note(parts.filter(part => part).join("; "), by, true)
    }
  }

  window.addEventListener("securitypolicyviolation", event => {
    if (event.disposition != "enforce") return
    const { effectiveDirective: directive, blockedURI: source } = event
    tell(stringify({ what: "violation", directive, source }))
  }, true)
}
