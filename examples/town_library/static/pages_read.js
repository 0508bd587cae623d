// Counts the pages that are read in a month. It asks nobody: its tag waits in a template.
const before = document.cookie.match(/(?:^|; )pages_read=(\d+)/)
const secure = location.protocol === "https:" ? "; Secure" : ""
document.cookie = `pages_read=${(before ? Number(before[1]) : 0) + 1}; Path=/; Max-Age=${30 * 86400}; SameSite=Lax${secure}`
