/** What a document's origin keeps in the browser. Where a document may keep nothing, nothing. */
async () => {
  const pairs = where => {
    try {
      return Object.entries(window[where]).map(([key, value]) => [key, `${value}`.slice(0, 4096)])
    } catch {
      return []
    }
  }
  const databases = await window.indexedDB?.databases?.().catch(() => [])
  return {
    host: origin == "null" ? "" : new URL(origin).hostname,
    local: pairs("localStorage"),
    session: pairs("sessionStorage"),
    databases: (databases ?? []).map(({ name }) => name),
  }
}
