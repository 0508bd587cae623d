"""A site with something of everything, and ten kinds of visitors who come to it."""

from collections.abc import AsyncIterator, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from consentkit import ConsentMiddleware, Policy
from consentkit.rules.policy_file import policy_from
from tests.apps import KEY, NOW
from tests.browser.servers import Server
from tests.proxies.servers import HOST, ask

SHARED = "public, max-age=300"
ETAG = '"page-1"'
CHANGED = formatdate(NOW - 86_400, usegmt=True)
DAY = 86_400

PAGE = (
    b"<!doctype html><html><head><title>A page</title>"
    b'<script src="https://www.googletagmanager.com/gtag/js?id=G-1"></script></head>'
    b'<body><p>Hello</p><iframe src="https://www.youtube.com/embed/1" width=400></iframe>'
    b"</body></html>"
)
COOKIES = ("sid=1; Path=/", "visits=1; Path=/; Max-Age=60", "stray=1; Path=/")

DECLARED: dict[str, Any] = {
    "site": {"name": "Hello", "controller": "Example Limited", "contact": "privacy@example.org"},
    "mode": "explicit",
    "revision": 2,
    "languages": ["en", "de"],
    "purposes": {
        "necessary": {
            "title": "Needed",
            "description": "Keeps you logged in.",
            "basis": "strictly-necessary",
            "justification": "authentication",
        },
        "measurement": {"title": "Counting", "description": "Counts visits."},
        "films": {"title": "Films", "description": "Shows films.", "honours": []},
    },
    "cookies": {
        "sid": {"kind": "session", "purpose": "necessary", "description": "Your log-in."},
        "visits": {
            "kind": "analytics",
            "purpose": "measurement",
            "duration": DAY,
            "description": "The number of your visits.",
        },
    },
    "services": {
        "google-analytics": {"purpose": "measurement"},
        "youtube": {"purpose": "films"},
    },
}

PAGES = ("/page", "/file", "/stream", "/sets", "/", "/other.html")
"""Pages that the app lets shared caches keep."""
CONFIRMS = ("/page", "/", "/other.html")
"""Those that are answered with a 304; a FileResponse has validators, and confirms nothing."""
WITH_VALIDATORS = (*CONFIRMS, "/file")
BARE = "/bare"
"""A page like the others, left alone by consentkit: the control."""
ASSETS = ("/style.css", "/logo.png", "/data.json")


def policy(**changes: Any) -> Policy:
    return policy_from({**DECLARED, **changes})


def around(app: ASGIApp, rules: Policy, now: float = NOW) -> ConsentMiddleware:
    return ConsentMiddleware(
        app, policy=rules, secret_key=KEY, secure=False, exclude=(BARE,), clock=lambda: now
    )


# --- The site.


class SharedFiles(StaticFiles):
    """Files that shared caches may keep."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = SHARED
        return response


async def _page(request: Request) -> Response:
    headers = {"cache-control": SHARED, "etag": ETAG, "last-modified": CHANGED}
    if _is_known(request.headers):
        return Response(status_code=304, headers=headers)
    return HTMLResponse(PAGE, headers=headers)


def _is_known(headers: Headers) -> bool:
    """True if the page is the one that is asked about (RFC 9110 §13.2.2)."""
    if "if-none-match" in headers:
        tags = headers["if-none-match"].split(",")
        return any(tag.strip().removeprefix("W/") in {ETAG, "*"} for tag in tags)
    return headers.get("if-modified-since") == CHANGED


async def _stream(request: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(PAGE), 50):
            yield PAGE[at : at + 50]

    return StreamingResponse(chunks(), media_type="text/html", headers={"cache-control": SHARED})


async def _sets(request: Request) -> Response:
    response = HTMLResponse(PAGE, headers={"cache-control": SHARED})
    for cookie in COOKIES:
        response.headers.append("set-cookie", cookie)
    return response


async def _counted(request: Request) -> Response:
    headers = {"cache-control": SHARED, "set-cookie": COOKIES[1]}
    return Response(b"GIF89a", media_type="image/gif", headers=headers)


async def _json(request: Request) -> Response:
    return JSONResponse({"news": []}, headers={"cache-control": SHARED, "etag": '"news-1"'})


def site(folder: Path) -> Starlette:
    """The bare site; its files are written into `folder`."""
    for name in ("index.html", "other.html", "file.html"):
        (folder / name).write_bytes(PAGE)
    (folder / "style.css").write_text("p { color: black }", "utf-8")
    (folder / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(900))

    async def file(request: Request) -> Response:
        return FileResponse(folder / "file.html", headers={"cache-control": SHARED})

    return Starlette(
        routes=[
            Route("/page", _page),
            Route(BARE, _page),
            Route("/file", file),
            Route("/stream", _stream),
            Route("/sets", _sets),
            Route("/counted.gif", _counted),
            Route("/data.json", _json),
            Mount("/", SharedFiles(directory=folder, html=True)),
        ]
    )


# --- Who comes.

NAVIGATES = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Language": "en",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-User": "?1",
}
SCRIPT = {**NAVIGATES, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
"""What a script sends that fetches a page: it gets it without a notice."""
BOT = {"User-Agent": "ExampleBot/1.0", "Accept": "*/*"}


def token(app: ASGIApp, *answers: tuple[str, str]) -> str:
    """The Cookie header of somebody who answered in the form of an app."""
    body = urlencode([*answers, ("next", "/")]).encode()
    headers = {
        **NAVIGATES,
        "Sec-Fetch-Site": "same-origin",
        "Origin": f"http://{HOST}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    with Server(app) as server:
        answer = ask(server.port, "/consent", headers, "POST", body)
    assert answer.status == 303, answer
    cookies = [value.partition(";")[0] for value in answer.all("set-cookie")]
    (found,) = [cookie for cookie in cookies if cookie.startswith("consent=")]
    return found


def visitors(app: ASGIApp, rules: Policy) -> dict[str, Mapping[str, str]]:
    """Ten kinds of visitors, each as the headers that a navigation of theirs carries."""
    now, older = around(app, rules), around(app, rules.model_copy(update={"revision": 1}))
    long_ago = around(app, rules, NOW - 500 * DAY)
    granted = token(now, ("choice", "accept-all"))
    cookies = {
        "refused": token(now, ("choice", "reject-all")),
        "granted": granted,
        "in part": token(now, ("choice", "save"), ("purpose", "films")),
        "older revision": token(older, ("choice", "accept-all")),
        "expired": token(long_ago, ("choice", "accept-all")),
        "forged": granted[:-1] + ("A" if granted[-1] != "A" else "B"),
    }
    return {
        "undecided": NAVIGATES,
        **{name: {**NAVIGATES, "Cookie": cookie} for name, cookie in cookies.items()},
        "gpc": {**NAVIGATES, "Sec-GPC": "1"},
        "another language": {**NAVIGATES, "Accept-Language": "de"},
        "bot": BOT,
    }
