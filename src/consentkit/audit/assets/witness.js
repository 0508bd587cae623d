/**
 * Runs first in every document: notes each cookie that a script stores, and each thing that a
 * Content-Security-Policy blocks. It changes nothing of what a page can do, and takes what it needs
 * before anything of the page runs, since a page may replace nearly all of it, `origin` too.
 *
 * TELL is the name of a function of the browser's, which takes a text to the witness. It is taken
 * out of the page before anything of the page runs.
 */
{
  const tell = window.TELL
  delete window.TELL
  const { Date, Error, String, location, origin } = window
  const { stringify } = JSON
  const { now } = Date
  const { apply } = Reflect
  const { exec } = RegExp.prototype
  const { indexOf, slice, trim } = String.prototype
  const { toUTCString } = Date.prototype
  const longest = 8192
  const most = 2000

  /** The address of the script that called, else of the document. */
  const caller = () => {
    try {
      const found = apply(exec, /(https?:\/\/[^\s)]+?):\d+(:\d+)?\)?$/m, [new Error().stack ?? ""])
      return found ? found[1] : location.href
    } catch {
      return location.href
    }
  }
  const cut = text => apply(slice, text, [0, longest])
  /** Says what was stored: the text of a Set-Cookie, by whom, and whether it can be read again. */
  const note = (text, by, isStored) => {
    // Without a prototype it has no `toJSON` of the page's.
    tell(stringify({
      __proto__: null,
      what: "cookie",
      text: cut(text),
      by: cut(by),
      isStored,
      at: now(),
      origin,
      path: cut(location.pathname),
    }))
  }

  const jar = Object.getOwnPropertyDescriptor(Document.prototype, "cookie")
  const read = jar.get
  const write = jar.set
  Object.defineProperty(Document.prototype, "cookie", {
    ...jar,
    set(given) {
      const by = caller()
      const text = `${given}`
      apply(write, this, [text])
      const end = apply(indexOf, text, [";"])
      const pair = apply(trim, end < 0 ? text : apply(slice, text, [0, end]), [])
      note(text, by, apply(indexOf, `; ${apply(read, this, [])}; `, [`; ${pair}; `]) >= 0)
    },
  })

  const store = window.CookieStore?.prototype
  const set = store?.set
  if (set) {
    store.set = async function (...given) {
      const by = caller()
      await apply(set, this, given)
      const one = given.length > 1 ? { name: given[0], value: given[1] } : given[0]
      const domain = one.domain ? `; Domain=${one.domain}` : ""
      const until = one.expires && apply(toUTCString, new Date(+one.expires), [])
      const expires = until ? `; Expires=${until}` : ""
      const partitioned = one.partitioned ? "; Partitioned" : ""
      const sameSite = one.sameSite ?? "strict"
      const rest = `${domain}${expires}; SameSite=${sameSite}; Secure${partitioned}`
      note(`${one.name}=${one.value}; Path=${one.path ?? "/"}${rest}`, by, true)
    }
  }

  let violations = 0
  window.addEventListener("securitypolicyviolation", event => {
    // Any script may dispatch one that it made up.
    if (!event.isTrusted || event.disposition != "enforce" || violations++ > most) return
    const directive = cut(`${event.effectiveDirective}`)
    tell(stringify({ __proto__: null, what: "violation", directive, source: cut(`${event.blockedURI}`) }))
  }, true)
}
