/**
 * The notice in a browser: answers without a reload, and what waits is given back in order.
 *
 * It has never heard of a policy: the server says what is allowed, in `data-state` of this script's
 * own element and in GET /notice. The page works without it: every form is an ordinary one.
 *
 * notice/assets.py strips it: a comment has its lines to itself, and no string goes over a line.
 */

/**
 * @typedef {object} State
 * @property {string[]} purposes what is allowed now
 * @property {string[]} services what may load now
 * @property {Record<string, string>} clear for each kind of storage, what may not stay in it
 */

/** @type {(selector: string, root?: ParentNode) => any[]} */
const each = (selector, root = document) => [...root.querySelectorAll(selector)]
/** @type {(page?: ParentNode) => any[]} The notice of a document, and its script element. */
const parts = page => each("#consentkit,#consentkit-script", page)
let [notice, script] = parts()
/** Its style sheet. */
const sheet = notice.previousElementSibling ?? ""
const { path } = script.dataset
/** @type {string} */
let told = script.dataset.state
/** @type {State} */
let standing = JSON.parse(told)
let isNative = false
let canRenew = false
let frame = 0
/** How often the notice is put back: whoever takes it out each time shall have it their way. */
let patience = 99
let giving = Promise.resolve()
/** @type {any} The preferences, while they stand in a dialog. */
let dialog
const others = new BroadcastChannel("consentkit")

/** @type {any} */
let trusted = { createScriptURL: String }
try {
  trusted = trustedTypes.createPolicy("consentkit", trusted)
} catch {}

/** The service that scripts of an opened template wait for: no markup can name it. */
const key = Math.random() + ""

/** @type {(names: string[] | null | undefined, known: string[]) => boolean | undefined} */
const within = (names, known) => names?.every(one => one == key || known.includes(one))

/**
 * Whether what waits may load: every name it carries is allowed, and a blank is no name.
 *
 * Only a template is opened by purposes alone: all else that waits has an attribute for services.
 * @param {HTMLElement} waiting
 */
const may = ({ dataset: { consentkitPurpose, consentkitService = consentkitPurpose && key } }) =>
  within(consentkitService?.match(/\S+/g), standing.services) &&
  within((consentkitPurpose ?? key).match(/\S+/g), standing.purposes)

/** The names of attributes that fetch. No handler of an event is among them, and no document. */
const fetching = /^(type|to|from|by|values|.*src(set)?|.*href|poster|data|background)$/

/**
 * The order of what waits: what is no script, scripts, and scripts that browsers put off.
 * @param {HTMLScriptElement} waiting
 */
const rank = waiting => {
  if (waiting.localName != "script") return 0
  // The property `async` is true of every script that was kept from running.
  const isPutOff = waiting.defer || waiting.dataset.consentkitType == "module"
  return isPutOff && !waiting.hasAttribute("async") ? 2 : 1
}

/**
 * Gives one element its attributes back, and waits for a script that others come after.
 * @param {any} waiting
 */
const giveBack = async waiting => {
  // Nothing here tells an author's document from one that a sanitizer let pass: the server can.
  if (canRenew && waiting.dataset.consentkitSrcdoc) {
    location.reload()
    // For ever, since this is a part of it: nothing is to run twice.
    await giving
  }
  const kind = waiting.dataset.consentkitType ?? ""
  const isAsync = waiting.hasAttribute("async")
  const hadFocus = waiting.contains(document.activeElement)
  const place = new Comment()
  // These are put in anew: a script runs, an animation begins, a frame adds nothing to the history.
  if (/^(script|iframe|object|embed|set)$/.test(waiting.localName)) waiting.replaceWith(place)
  if (waiting.localName == "script") {
    waiting.removeAttribute("type")
    waiting.async = isAsync
  }
  waiting.removeAttribute("srcdoc")
  for (const { name, value } of [...waiting.attributes]) {
    const own = name.split("data-consentkit-")[1]
    if (own) {
      waiting.removeAttribute(name)
      // What a sanitizer let pass, since it knows nothing of these names, is no way to run a script.
      if (fetching.test(own) && !/script:/i.test(value.replace(/\s/g, ""))) {
        // SVG 2 reads `href` where it read `xlink:href`.
        waiting.setAttribute(own.replace("xlink:", ""), trusted.createScriptURL(value))
      }
    }
  }
  const ended = new Promise(done => {
    waiting.addEventListener("load", done)
    waiting.addEventListener("error", done)
  })
  // What is written now would take the place of the whole page.
  document.write = document.writeln = () => {}
  place.replaceWith(waiting)
  // @ts-ignore: this brings back the document's own
  delete document.write, delete document.writeln
  if (hadFocus) waiting.focus()
  if (waiting.localName == "source") waiting.parentNode.load?.()
  // Only what a browser takes for a script, and fetches, ever tells that it has run.
  const runs = kind == "module" || (/^$|(java|ecma)script/.test(kind) && !waiting.noModule)
  if (runs && waiting.src && !isAsync && waiting.isConnected) await ended
}

/** Opens what may be opened, and gives back, in order and one after the other, all that may load. */
const release = () => {
  giving = giving.then(async () => {
    const now = standing
    let template
    while ((template = each("template").find(may))) {
      // Its scripts would run all at once: they wait for their turn.
      for (const one of each("script:not([data-consentkit-service])", template.content)) {
        Object.assign(one.dataset, { consentkitService: key, consentkitType: one.type })
        one.type = "text/plain"
      }
      // What stood in its place.
      const place = template.previousElementSibling
      if (place?.matches(".consentkit-embed")) place.remove()
      template.replaceWith(template.content)
    }
    const waiting = each("[data-consentkit-service]").filter(may)
    for (const one of waiting.sort((one, other) => rank(one) - rank(other))) {
      if (standing == now) await giveBack(one).catch(reportError)
    }
  })
}

/** Takes from the browser's storage what is declared there and not allowed. */
const tidy = async () => {
  for (const [where, names] of Object.entries(standing.clear)) {
    const isOne = new RegExp(names)
    const storage = self[where]
    for (const { name } of (await storage.databases?.()) ?? []) {
      if (isOne.test(name)) storage.deleteDatabase(name)
    }
    for (const key in storage) if (isOne.test(key)) storage.removeItem?.(key)
  }
}

/**
 * A document from one of our own addresses, made by the browser's own parser: no text is made into
 * markup here. An answer is answered with the way to `next`, and the browser goes there.
 * @param {string} url
 * @param {URLSearchParams} [answer]
 * @returns {Promise<Document>}
 */
const fetched = (url, answer) =>
  new Promise(done => {
    const request = new XMLHttpRequest()
    request.open(answer ? "POST" : "GET", answer ? path : url)
    request.responseType = "document"
    request.onloadend = () => done(request.response)
    answer?.set("next", url)
    request.send(answer)
  })

/** Where the keyboard goes on when what had the focus is no more. */
const focusNotice = () => notice.querySelector(".consentkit-more")?.focus()

/**
 * Asks the server how things stand, shows it, and does what follows from it.
 * @param {URLSearchParams} [answer] what the visitor has just answered, here
 * @param {any} [isSaved] whether to say that it was saved
 */
const ask = async (answer, isSaved = answer) => {
  const url = path + "/notice?" + script.dataset.query + (isSaved ? "&saved" : "")
  const [fresh, news] = parts(await fetched(url, answer))
  const was = standing
  const isNews = answer || told != news.dataset.state
  told = script.dataset.state = news.dataset.state
  standing = JSON.parse(told)
  // A page that everybody shares would come back as it is.
  canRenew = isNews && !("shared" in script.dataset)
  // A script that runs cannot be taken back, and a page keeps the policy that it came with.
  const isOver =
    !within(was.purposes, standing.purposes) ||
    !within(was.services, standing.services) ||
    (isNews && script.dataset.reload)
  // For ever: nothing more is to load in a page that goes.
  if (isOver) giving = new Promise(String)
  if (answer) dialog?.close()
  const hadFocus = notice.contains(document.activeElement)
  notice.querySelector(".consentkit-inner").replaceWith(fresh.querySelector(".consentkit-inner"))
  notice.className = fresh.className
  notice.hidden = fresh.hidden
  if (hadFocus) focusNotice()
  // Later: what was hidden until now, or behind a dialog, has no status that a reader would watch.
  setTimeout(() => {
    for (const one of each(".consentkit" + (isSaved ? "" : ":not(#consentkit)") + " [role=status]")) {
      one.textContent = fresh.querySelector("[role=status]").textContent
    }
  }, 99)
  if (isNews) {
    for (const one of each(".consentkit [role=switch]")) {
      const own = one.closest("li")?.querySelector("[name=purpose]")
      // A service under a purpose that is on was not granted by itself.
      one.checked = standing[one.name + "s"].includes(one.value) && (one == own || !own?.checked)
    }
    document.dispatchEvent(new CustomEvent("consentkit:change", { detail: standing }))
  }
  await tidy().catch(String)
  if (isOver) {
    // The new page says what was saved; but what is loaded by itself is looked for where it stands.
    if (answer && answer.get("choice") != "allow") {
      const here = new URL(location.href)
      // A page may keep its own place there.
      here.hash ||= notice.id
      location.replace(here)
    }
    location.reload()
  } else release()
}

const check = () => ask().catch(String)

/**
 * Sends an answer. Whatever goes wrong, the form goes its ordinary way.
 * @param {any} event
 */
const submit = async event => {
  const { target, submitter } = event
  if (isNative || target.getAttribute("action") != path) return
  event.preventDefault()
  event.stopPropagation()
  try {
    await ask(new URLSearchParams(/** @type {any} */ (new FormData(target, submitter))))
    others.postMessage(0)
  } catch {
    isNative = true
    target.requestSubmit(submitter)
  }
}

/**
 * Shows the preferences in a dialog. Whatever goes wrong, the link leads to their page.
 * @param {any} event
 */
const show = async event => {
  const { target, button, altKey, ctrlKey, metaKey, shiftKey } = event
  const link = target.closest?.(".consentkit-link,#consentkit a,[target=_top]")
  if (link?.getAttribute("href") != path || button || altKey || ctrlKey || metaKey || shiftKey) return
  event.preventDefault()
  event.stopPropagation()
  try {
    const page = await fetched(path + "/dialog?" + script.dataset.query)
    // Two quick clicks open one.
    if (dialog?.isConnected) return
    dialog = page.querySelector("dialog.consentkit")
    const sheets = each("link", dialog).map(sheet => new Promise(done => (sheet.onload = sheet.onerror = done)))
    // Where no library takes it for a part of the page, and its style sheets come last.
    document.body.after(dialog)
    await Promise.all(sheets)
    // Not every browser has focused it, and this is where the focus returns to.
    link.focus()
    dialog.showModal()
    dialog.querySelector("h2")?.focus()
    dialog.onclose = () => {
      dialog.remove()
      link.focus()
      // The link may have gone with an old notice.
      if (document.activeElement == document.body) focusNotice()
    }
  } catch {
    location.assign(path)
  }
}

/** Keeps the notice in a page that other scripts change, and gives back what came with a change. */
const settle = () => {
  frame = 0
  const [fresh, news] = parts()
  if (!fresh) {
    if (patience-- > 0) document.body.prepend(sheet, notice)
  } else if (fresh != notice) {
    notice = fresh
    script = news
    // The page is another one.
    dialog?.close()
    if (script.dataset.state != told) check()
  }
  for (const { contentDocument } of each("iframe[srcdoc]")) {
    contentDocument?.addEventListener("submit", submit, true)
    contentDocument?.addEventListener("click", show, true)
  }
  // What that page says may be older than the answer, and ours is that of another page.
  if (script.dataset.state == told) release()
}

if (document.prerendering) {
  told = ""
  await new Promise(done => document.addEventListener("prerenderingchange", done))
}
window.consentkit = {
  allows: name => [...standing.purposes, ...standing.services].includes(name),
}
addEventListener("submit", submit, true)
addEventListener("click", show, true)
addEventListener("pageshow", event => event.persisted && check())
others.onmessage = check
addEventListener("load", settle, true)
new MutationObserver(() => {
  frame ||= requestAnimationFrame(settle)
}).observe(document, { childList: true, subtree: true })
if (!told || "shared" in script.dataset) ask(undefined, location.hash == "#consentkit").catch(String)
else tidy().catch(String)
settle()
