"""Small sites that an auditor's browser visits: one page for each thing that it can see.

Have never heard of who looks. All stand on one server: ``www.town.localhost`` is the site, every
other host under ``.localhost`` is somebody else. Chromium takes all of them for trustworthy, so
they may set Secure and Partitioned cookies.
"""

import asyncio
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import policy_from
from tests.browser.packages import Packed, read_packed

SITE = "www.town.localhost"
ADS = "ads.localhost"
DAY = 86_400

OWN_SCRIPT = "document.cookie = `visits=1; Path=/; Max-Age=${24 * 3600}`"
"""A script that stores a cookie for a day."""
BEACON = "navigator.sendBeacon(`//ads.localhost:${{location.port}}/count`, 'x')"
FRAME = """<!doctype html><script>
localStorage.setItem("framed", "1")
document.cookie = "seen-in-frame=1; SameSite=None; Secure; Partitioned; Max-Age=60"
</script>"""
STORAGE = """<script>
localStorage.setItem("_uid", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d")
sessionStorage.setItem("step", "2")
indexedDB.open("events", 1).onupgradeneeded = event => event.target.result.createObjectStore("all")
</script>"""
BUSY = """<script>addEventListener("load", () => {{
setTimeout(() => {{ const end = Date.now() + 900; while (Date.now() < end); }}, 150)
setTimeout(() => {{
localStorage.setItem("due", "1")
setTimeout(() => {{ document.cookie = "due=1" }}, 200)
}}, 200)
}})</script>"""
DIALOGS = """<script>
addEventListener("beforeunload", event => event.preventDefault())
setTimeout(() => {{ alert("Hello"); confirm("Really?"); prompt("Who?"); open("/clean") }}, 0)
Notification.requestPermission()
navigator.geolocation.getCurrentPosition(() => {{}})
document.cookie = "after=1"
</script>"""
REPLACES = """<img name="title" alt=""><a href="/pixel">In</a><script>
var origin = "https://evil.test"
localStorage.setItem("length", "1")
localStorage.setItem("getItem", "1")
localStorage.kept = "1"
sessionStorage.gone = "1"
delete sessionStorage.gone
Object.entries = Array.prototype.filter = Array.prototype.map = () => [1]
Object.prototype.toJSON = () => {{ throw new Error(document.cookie) }}
RegExp.prototype.exec = String.prototype.split = String.prototype.includes = () => null
document.cookie = "brief=1"
document.cookie = "brief=; Max-Age=0"
dispatchEvent(new SecurityPolicyViolationEvent("securitypolicyviolation", {{
effectiveDirective: "img-src", blockedURI: "https://made-up.test", disposition: "enforce" }}))
</script>"""
LINKS = (
    "<a href='/pixel#top'>In</a> <a href='//{ads}/'>Out</a> <a href='/clean' download>File</a>"
    "<a href='mailto:desk@town.example'>Mail</a> <a href='http://['>Broken</a>"
)

# The markup of pages; {ads} is the host and port of somebody else.
PAGES = {
    "/clean": "<h1>Clean</h1>" + LINKS,
    "/script": '<script src="/own.js"></script>',
    "/script-elsewhere": '<script src="//{ads}/tag.js?id=4711"></script>',
    "/cookie-store": "<script>cookieStore.set({{ name: 'kept', value: 'x',"
    " expires: Date.now() + 3600_000, sameSite: 'lax' }})</script>",
    "/gone": "<script>document.cookie = 'brief=1'; document.cookie = 'brief=; Max-Age=0'</script>",
    "/not-taken": "<script>document.cookie = 'not=1; Domain=other.localhost'</script>",
    "/pixel": '<img src="//{ads}/px.gif?id=4711">',
    "/storage": STORAGE,
    "/replaces": REPLACES,
    "/beacon": f"<script>{BEACON}</script>",
    "/leaving": f"<script>addEventListener('pagehide', () => {BEACON})</script>",
    "/frame": '<iframe src="//{ads}/framed"></iframe>',
    "/worker": "<script>new Worker('/worker.js')</script>",
    "/socket": "<script>new WebSocket('ws://{ads}/live')</script>",
    "/lazy": '<p style="height: 9000px"></p><img loading="lazy" src="//{ads}/px.gif">',
    "/late": "<script>setTimeout(() => {{ document.cookie = 'late=1' }}, 100)</script>",
    "/busy": BUSY,
    "/guarded": '<script src="/own.js"></script><img src="//{ads}/px.gif">',
    "/dialogs": DIALOGS,
    "/spins": "<script>document.cookie = 'before=1'; for (;;) {{}}</script>",
    "/signal": "<script>document.cookie = `gpc-${{navigator.globalPrivacyControl}}=1`</script>",
}
HEADERS = {"/guarded": {"content-security-policy": "img-src 'self'"}}
COOKIES = {
    "/headers": (
        "sid=4f2a; HttpOnly; Secure; SameSite=Lax",
        f"theme=dark; Max-Age={DAY}; Path=/headers; Domain=town.localhost",
        "ever=1; Max-Age=99999999",
        "removed=; Max-Age=0",
        "blocked=1; Domain=other.localhost",
    ),
    "/px.gif": ("uid=77777777-aaaa; SameSite=None; Secure; Max-Age=600",),
    "/framed": ("chips=1; SameSite=None; Secure; Partitioned",),
    "/redirects": ("hop=1; Path=/",),
}


class Town:
    """The site and everybody else. `asked` has the host, the path and Sec-GPC of each request."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path
        signal = request.headers.get("sec-gpc", "")
        self.asked.append((str(request.url.hostname), path, signal))
        response = await self._answer(request, path)
        for cookie in COOKIES.get(path, ()):
            response.headers.append("set-cookie", cookie)
        await response(scope, receive, send)

    async def _answer(self, request: Request, path: str) -> Response:  # noqa: C901, PLR0911 - a table
        match path:
            case "/own.js" | "/tag.js":
                return Response(OWN_SCRIPT, media_type="text/javascript")
            case "/worker.js":
                asks = f"fetch('http://{ADS}:{request.url.port}/px.gif', {{ mode: 'no-cors' }})"
                return Response(asks, media_type="text/javascript")
            case "/framed":
                return HTMLResponse(FRAME)
            case "/px.gif" | "/count" | "/favicon.ico" | "/empty":
                return Response(status_code=204)
            case "/redirects":
                return RedirectResponse("/clean")
            case "/circles":
                return RedirectResponse("/circles")
            case "/elsewhere":
                return RedirectResponse(f"//{ADS}:{request.url.port}/clean")
            case "/asks-who":
                return Response("Who?", 401, {"www-authenticate": 'Basic realm="x"'})
            case "/download":
                return Response(b"x", headers={"content-disposition": "attachment"})
            case "/silent":
                await asyncio.sleep(4)
                return Response("late")
        markup = PAGES.get(path, "<h1>A page</h1>").format(ads=f"{ADS}:{request.url.port}")
        return HTMLResponse(document(markup), headers=HEADERS.get(path))


def document(markup: str) -> str:
    """A page of the town's."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Town</title>'
        f"<body><h1>Town</h1>{markup}</body></html>"
    )


# --- A site with consentkit -----------------------------------------------------------------------

POLICY = policy_from(
    {
        "site": {"name": "Town", "controller": "Town Council", "contact": "desk@town.example"},
        "mode": "explicit",
        "purposes": {"analytics": {"title": "Counting visits", "description": "How many come."}},
        "cookies": {
            "visits": {
                "purpose": "analytics",
                "kind": "analytics",
                "duration": "1 day",
                "description": "Counts a visit.",
            }
        },
    }
)


async def counting(scope: Scope, receive: Receive, send: Send) -> None:
    """Sets a cookie with every page, as a site that asks nobody; the middleware blocks it."""
    response = HTMLResponse(document("<p>The desk is open.</p>"))
    response.set_cookie("visits", "1", max_age=DAY)
    await response(scope, receive, send)


def good_site() -> ConsentMiddleware:
    """The same site with consentkit around it."""
    return ConsentMiddleware(
        counting, policy=POLICY, secret_key="a secret of more than thirty-two bytes", secure=True
    )


# --- Sites with other tools -----------------------------------------------------------------------

COUNT = "document.cookie = 'counted=1; Path=/; Max-Age=3600'"


class Other(NamedTuple):
    """Another tool as npm has it: its files by their paths on the site, and what starts it."""

    files: dict[str, Packed]
    markup: str


_CC = ("vanilla-cookieconsent", "3.1.0")
_KLARO = ("klaro", "0.7.22")
_TAC = ("tarteaucitronjs", "1.34.0")
_OREJIME = ("orejime", "3.2.1")
OTHERS = {
    "vanilla-cookieconsent": Other(
        {
            "/cc.css": Packed(*_CC, "dist/cookieconsent.css"),
            "/cc.js": Packed(*_CC, "dist/cookieconsent.umd.js"),
        },
        """<link rel="stylesheet" href="/cc.css"><script src="/cc.js"></script>
<button type="button" data-cc="show-preferencesModal">Cookie preferences</button><script>
CookieConsent.run({ categories: { necessary: { enabled: true, readOnly: true }, analytics: {} },
onConsent: () => { if (CookieConsent.acceptedCategory("analytics")) COUNT },
language: { default: "en", translations: { en: {
consentModal: { title: "We use cookies", description: "To count visits, if you let us.",
acceptAllBtn: "Accept all", acceptNecessaryBtn: "Reject all",
showPreferencesBtn: "Manage preferences" },
preferencesModal: { title: "Cookie preferences", acceptAllBtn: "Accept all",
acceptNecessaryBtn: "Reject all", savePreferencesBtn: "Save preferences",
closeIconLabel: "Close", sections: [{ title: "Analytics", linkedCategory: "analytics" }] } } } } })
</script>""",
    ),
    "klaro": Other(
        {"/klaro.js": Packed(*_KLARO, "dist/klaro.js")},
        """<a href="#" onclick="klaro.show(); return false">Cookie settings</a><script>
var klaroConfig = { version: 1, elementID: "klaro", acceptAll: true, lang: "en",
services: [{ name: "counter", title: "Counter", purposes: ["analytics"],
callback: isOn => { if (isOn) COUNT } }] }</script><script src="/klaro.js"></script>""",
    ),
    "tarteaucitron": Other(
        {
            "/tac/tarteaucitron.min.js": Packed(*_TAC, "tarteaucitron.min.js"),
            "/tac/css/tarteaucitron.min.css": Packed(*_TAC, "css/tarteaucitron.min.css"),
            "/tac/lang/tarteaucitron.en.min.js": Packed(*_TAC, "lang/tarteaucitron.en.min.js"),
            "/tac/tarteaucitron.services.min.js": Packed(*_TAC, "tarteaucitron.services.min.js"),
        },
        """<script src="/tac/tarteaucitron.min.js"></script><script>
tarteaucitron.init({ privacyUrl: "", orientation: "bottom", showIcon: true, iconPosition:
"BottomRight", DenyAllCta: true, AcceptAllCta: true, highPrivacy: true, useExternalCss: false,
mandatory: false })
tarteaucitron.services.counter = { key: "counter", type: "analytic", name: "Counter", uri: "",
needConsent: true, cookies: ["counted"], js: () => { COUNT } };
(tarteaucitron.job = tarteaucitron.job || []).push("counter")</script>""",
    ),
    "orejime": Other(
        {
            "/orejime.css": Packed(*_OREJIME, "dist/orejime-standard.css"),
            "/orejime.js": Packed(*_OREJIME, "dist/orejime-standard-en.js"),
        },
        """<link rel="stylesheet" href="/orejime.css"><script>
window.orejimeConfig = { privacyPolicyUrl: "/privacy", purposes: [{ id: "counter",
title: "Counter", cookies: ["counted"] }] }</script><script src="/orejime.js"></script>
<template data-purpose="counter"><script>COUNT</script></template>
<button type="button" onclick="orejime.prompt()">Cookie settings</button>""",
    ),
}


class ToolSite:
    """A page with another tool, which counts a visit once it is allowed to."""

    def __init__(self, folder: Path, tool: str) -> None:
        other = OTHERS[tool]
        self._files = {path: read_packed(folder, packed) for path, packed in other.files.items()}
        self._markup = other.markup.replace("COUNT", COUNT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in self._files:
            kind = "text/css" if path.endswith(".css") else "text/javascript"
            await Response(self._files[path], media_type=kind)(scope, receive, send)
        else:
            await HTMLResponse(document(self._markup))(scope, receive, send)


class MarkupSite:
    """A site whose pages are fixed markup, by their paths."""

    def __init__(self, **pages: str) -> None:
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        markup = self._pages.get(scope["path"].strip("/") or "home", "")
        await HTMLResponse(document(markup))(scope, receive, send)
