"""What a page may embed: a server of this machine that plays the third parties' parts.

It has never heard of consentkit: like the real ones, it stores what it can and writes down who came.

Under every host name it has all of them, so that each stands under a name of its own. A page takes

- ``/ga.js``, which stores `_ga` and `_ga_TEST` for two years where the page does not have them yet,
  and sends a beacon to ``/collect``;
- ``/embed/bicycles``, a film for an iframe, which stores `viewer` for half a year;
- ``/button.js``, which turns the page's links to its host into buttons, and stores `network` for a
  year; a button that is pressed tells ``/pressed``. ``/share`` is where such a link leads.

The last two are cookies of the third party's host. ``/`` shows, and ``/log`` tells as JSON, what was
asked for.
"""

import secrets
from collections import deque
from collections.abc import Callable
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

__all__ = ["ThirdParties"]

DAY: Final = 86_400
ANALYTICS: Final = """\
(() => {
  const origin = new URL(document.currentScript.src).origin;
  const years = 2 * 365 * 24 * 60 * 60;
  for (const [name, version] of [["_ga", "GA1.1"], ["_ga_TEST", "GS1.1"]]) {
    if (document.cookie.split("; ").some((pair) => pair.startsWith(`${name}=`))) continue;
    const [id, now] = [Math.random() * 2 ** 31, Date.now() / 1000].map(Math.floor);
    document.cookie = `${name}=${version}.${id}.${now}; Path=/; Max-Age=${years}`;
  }
  navigator.sendBeacon(`${origin}/collect?page=${encodeURIComponent(location.pathname)}`);
})();
"""
BUTTONS: Final = """\
(() => {
  const origin = new URL(document.currentScript.src).origin;
  for (const link of document.querySelectorAll(`a[href^="${origin}/share"]`)) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = link.className;
    button.textContent = link.textContent;
    button.setAttribute("aria-pressed", "false");
    button.onclick = () => {
      const page = encodeURIComponent(location.pathname);
      fetch(`${origin}/pressed?page=${page}`, {method: "POST", mode: "no-cors", credentials: "include"});
      button.setAttribute("aria-pressed", "true");
    };
    link.replaceWith(button);
  }
})();
"""
# A poster and a player that need no script: a hidden box is ticked, and the picture moves.
FILM: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>How to mark a bicycle</title>
<link rel="icon" href="data:,">
<style>
* { box-sizing: border-box }
body { margin: 0; block-size: 100vh; overflow: hidden; color: #fff; font: 600 clamp(.75rem, 2.6vw, 1rem)/1.3 system-ui, sans-serif }
label { position: relative; display: block; block-size: 100%; overflow: hidden; cursor: pointer; background: linear-gradient(#1b3a6b, #c8743f 62%, #2b3a2c 62%, #16201a) }
input { position: absolute; opacity: 0 }
svg { position: absolute; inset: auto 0 12%; inline-size: 100%; block-size: 66%; fill: none; stroke: #fff; stroke-width: 3; stroke-linecap: round; stroke-linejoin: round }
.sun { position: absolute; inset: 30% 18% auto auto; inline-size: 14vmin; aspect-ratio: 1; border-radius: 50%; background: #ffd9a0 }
.road { position: absolute; inset: auto 0 14%; block-size: .25em; background: repeating-linear-gradient(90deg, #fff9 0 2em, #0000 0 4em) }
.title { position: absolute; inset: 0 0 auto; padding: .75em 1em 2em; background: linear-gradient(#000b, #0000) }
.play { position: absolute; inset: 50% auto auto 50%; translate: -50% -50%; inline-size: clamp(3rem, 13vw, 5rem); aspect-ratio: 1.4; border-radius: 22%/30%; background: #c4201d }
.play::before { content: ""; position: absolute; inset: 0; margin: auto; inline-size: 30%; aspect-ratio: .9; translate: 8%; clip-path: polygon(0 0, 100% 50%, 0 100%); background: #fff }
.bar { position: absolute; inset: auto 0 0; block-size: .3125rem; background: #fff6 }
.bar::before { content: ""; display: block; inline-size: 0; block-size: 100%; background: #c4201d }
:focus-visible ~ .play { outline: .1875rem solid #fff; outline-offset: .1875rem }
:checked ~ .play, :checked ~ .title { opacity: 0 }
.road, .bar::before, g { animation: 1.2s linear infinite paused }
.road { animation-name: road }
g { animation-name: wheel; transform-box: fill-box; transform-origin: center }
.bar::before { animation: watched 30s linear both paused }
:checked ~ .road, :checked ~ svg g, :checked ~ .bar::before { animation-play-state: running }
@keyframes road { to { background-position-x: -4em } }
@keyframes wheel { to { rotate: 1turn } }
@keyframes watched { to { inline-size: 100% } }
@media (prefers-reduced-motion: reduce) { .road, g { animation: none } }
</style>
<label>
<input type="checkbox" aria-label="Play: How to mark a bicycle, 30 seconds">
<i class="sun"></i><i class="road"></i>
<svg viewBox="0 0 200 90" aria-hidden="true">
<g><circle cx="62" cy="62" r="24"/><path d="M62 38v48M38 62h48" stroke-width="1"/></g>
<g><circle cx="140" cy="62" r="24"/><path d="M140 38v48M116 62h48" stroke-width="1"/></g>
<path d="M62 62 84 28h42L98 62H62m36 0L80 20m-9 0h18m51 42-18-48h12"/>
</svg>
<span class="title">How to mark a bicycle</span>
<i class="play"></i><i class="bar"></i>
</label>
</html>
"""
PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">{more}
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
body {{ max-inline-size: 42rem; margin: 0 auto; padding: clamp(1.5rem, 5vw, 4rem) 1rem; font: 1.0625rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere }}
h1 {{ line-height: 1.2; text-wrap: balance }}
li {{ margin-block: .25rem; font: .9375em/1.55 ui-monospace, monospace }}
</style>
<h1>{title}</h1>
{body}
</html>
"""


class ThirdParties:
    """All of them as one ASGI app. `log` holds its last thousand requests, newest last.

    A request is written down as ``GET video.example/embed/bicycles``, without port and query.
    """

    def __init__(self, on_request: Callable[[str, str], None] = lambda _host, _what: None) -> None:
        """Nobody has come yet. `on_request` is told of each: the host, and the method and path."""
        self.log: deque[str] = deque(maxlen=1000)
        self._on_request = on_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and write it down."""
        request = Request(scope, receive)
        if request.url.path not in ("/", "/log", "/favicon.ico"):
            self._note(request)
        await self._answer(request)(scope, receive, send)

    def _note(self, request: Request) -> None:
        host, path = request.url.hostname or "", request.url.path
        self.log.append(f"{request.method} {host}{path}")
        self._on_request(host, f"{request.method} {path}")

    def _answer(self, request: Request) -> Response:
        match request.url.path:
            case "/ga.js":
                return script(ANALYTICS)
            case "/embed/bicycles":
                return with_number(HTMLResponse(FILM), request, "viewer", 182)
            case "/button.js":
                return with_number(script(BUTTONS), request, "network", 365)
            case "/share":
                return HTMLResponse(share_page(request))
            case "/collect" | "/pressed":
                return Response(status_code=204)
            case "/log":
                return JSONResponse([*self.log])
            case "/":
                return HTMLResponse(log_page(self.log))
            case _:
                return Response(status_code=404)


def script(source: str) -> Response:
    """A script, to be fetched anew by every page: what a browser kept would be in no log."""
    return Response(source, media_type="text/javascript", headers={"cache-control": "no-store"})


def with_number(response: Response, request: Request, name: str, days: int) -> Response:
    """A response that gives the browser a number, inside other sites' pages too if it lets it."""
    number = request.cookies.get(name) or str(secrets.randbelow(2**31))
    response.set_cookie(name, number, max_age=days * DAY, secure=True, samesite="none")
    return response


def share_page(request: Request) -> str:
    """Where a social button leads as long as it is a link."""
    title = f"You are at {escape(request.url.hostname or '')} now"
    body = "<p>You came by a link, and could share the page here. Nobody told us before you pressed it.</p>"
    return PAGE.format(title=title, body=body, more="")


def log_page(log: deque[str]) -> str:
    """What was asked for, newest first; the page looks again every few seconds."""
    asked = "".join(f"<li>{escape(one)}" for one in reversed(log))
    return PAGE.format(
        title="What the third parties were asked for",
        body=f"<ol reversed>{asked}</ol>" if asked else "<p>Nothing yet.</p>",
        more='\n<meta http-equiv="refresh" content="3">',
    )
