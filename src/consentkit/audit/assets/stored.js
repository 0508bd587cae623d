/**
 * What a document's origin keeps in the browser. Where a document may keep nothing, nothing. It
 * runs in a world of its own, and asks by number, since a key may be called `length` or `getItem`.
 */
async () => {
  const most = 2000
  const pairs = where => {
    try {
      const store = window[where]
      const keys = Array.from({ length: Math.min(store.length, most) }, (_, nth) => store.key(nth))
      return keys.map(key => [key.slice(0, 200), `${store.getItem(key)}`.slice(0, 4096)])
    } catch {
      return []
    }
  }
  const databases = await window.indexedDB?.databases?.().catch(() => [])
  return {
    host: origin == "null" ? "" : new URL(origin).hostname,
    local: pairs("localStorage"),
    session: pairs("sessionStorage"),
    databases: (databases ?? []).slice(0, most).map(({ name }) => name.slice(0, 200)),
  }
}
