"""What a page may embed: a server of this machine that plays the third parties' parts.

It has never heard of consentkit: like the real ones, it stores what it can and notes who came.

It has all of them under every host name, so that each can stand under a name of its own:

- ``/ga.js`` stores `_ga` and `_ga_TEST` for two years where the page does not have them yet, and
  sends a beacon to ``/collect``;
- ``/embed/bicycles`` is a film for an iframe, and stores `viewer` for half a year;
- ``/button.js`` and ``/like.js`` make buttons of the page's links to ``/share`` of their host; a
  button that is pressed tells ``/pressed``. The second stores `liker` for a year.

The last two are third-party cookies: their host's, in a page of another. ``/`` shows, and ``/log``
tells as JSON, what was asked for.
"""

import secrets
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from jinja2 import Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

__all__ = ["ThirdParties"]

HERE: Final = Path(__file__).parent / "elsewhere"
PAGE: Final = Template((HERE / "page.html").read_text("utf-8"), autoescape=True, trim_blocks=True)
DAY: Final = 86_400


def script(name: str) -> Response:
    """A script that each page fetches anew: one that a browser has kept would be in no log."""
    source = (HERE / name).read_text("utf-8")
    return Response(source, media_type="text/javascript", headers={"cache-control": "no-store"})


def analytics(_request: Request) -> Response:
    return script("ga.js")


def button(_request: Request) -> Response:
    return script("button.js")


def like(request: Request) -> Response:
    return with_number(script("button.js"), request, "liker", 365)


def film(request: Request) -> Response:
    page = HTMLResponse((HERE / "film.html").read_text("utf-8"))
    return with_number(page, request, "viewer", 182)


def share(request: Request) -> Response:
    return HTMLResponse(PAGE.render(title=f"You are at {request.url.hostname} now"))


def nothing(_request: Request) -> Response:
    return Response(status_code=204)


def with_number(response: Response, request: Request, name: str, days: int) -> Response:
    """A response that gives the browser a number, and takes the one that it had."""
    number = request.cookies.get(name) or secrets.randbelow(2**31)
    # Partitioned: for this site and no other, which browsers store that refuse the rest.
    how = f"Path=/; Max-Age={days * DAY}; Secure; SameSite=None; Partitioned"
    response.headers.append("set-cookie", f"{name}={number}; {how}")
    return response


ANSWERS: Final[dict[str, Callable[[Request], Response]]] = {
    "/ga.js": analytics,
    "/collect": nothing,
    "/embed/bicycles": film,
    "/button.js": button,
    "/like.js": like,
    "/pressed": nothing,
    "/share": share,
}


class ThirdParties:
    """All of them as one ASGI app. `log` holds its last thousand requests, newest last.

    A request is written down as ``GET video.example/embed/bicycles``, without port and query.
    """

    def __init__(self, on_request: Callable[[str], None] = lambda _host: None) -> None:
        """Nobody has come yet. `on_request` is told the host that each request was meant for."""
        self.log: deque[str] = deque(maxlen=1000)
        self._on_request = on_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and write it down."""
        await self._answer(Request(scope, receive))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        match request.url.path:
            case "/":
                title = "What the third parties were asked for"
                return HTMLResponse(PAGE.render(title=title, log=self.log))
            case "/log":
                return JSONResponse([*self.log])
            case "/favicon.ico":  # which browsers ask for when they like
                return nothing(request)
        self._note(request)
        answer = ANSWERS.get(request.url.path)
        return answer(request) if answer else Response(status_code=404)

    def _note(self, request: Request) -> None:
        host = request.url.hostname or ""
        self.log.append(f"{request.method} {host}{request.url.path}")
        self._on_request(host)
