"""One site that answers in every way a site answers, a policy for it, and a bare ASGI runner.

Whatever leaves `site()` tries to store the same four cookies: one strictly necessary, one that
waits for an answer, one that nobody declared, and a removal.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from consentkit import ConsentMiddleware, Policy
from consentkit.rules.policy_file import policy_from

KEY = "a secret for tests, thirty-two bytes or more"
NOW = 1_700_000_000.0
COOKIES = (
    b"sid=1; Path=/; HttpOnly",
    b"visits=1; Path=/; Max-Age=60",
    b"stray=1; Path=/",
    b"old=; Path=/; Max-Age=0",
)
ALLOWED = (COOKIES[0], COOKIES[3])
PAGE = (
    b"<!doctype html><html lang=en><head><title>A page</title></head>"
    b"<body><p>Hello</p></body></html>"
)
CSS = "p { color: black }"

DECLARED: dict[str, Any] = {
    "site": {"name": "Hello", "controller": "Example Limited", "contact": "privacy@example.org"},
    "mode": "explicit",
    "purposes": {
        "necessary": {
            "title": "Needed",
            "description": "Keeps you logged in.",
            "basis": "strictly-necessary",
            "justification": "authentication",
        },
        "measurement": {"title": "Counting", "description": "Counts visits."},
    },
    "cookies": {
        "sid": {"kind": "session", "purpose": "necessary", "description": "Your log-in."},
        "part-*": {"kind": "session", "purpose": "necessary", "description": "A part of it."},
        "visits": {
            "kind": "analytics",
            "purpose": "measurement",
            "duration": 86_400,
            "description": "The number of your visits.",
        },
    },
}


def policy(**changes: Any) -> Policy:
    """The policy of the site, with some of its keys changed."""
    return policy_from({**DECLARED, **changes})


def consent(app: ASGIApp, rules: Policy | None = None, **options: Any) -> ConsentMiddleware:
    """The middleware around an app, with the policy of the site and a clock that stands."""
    given = {"secret_key": KEY, "clock": lambda: NOW, **options}
    return ConsentMiddleware(app, policy=policy() if rules is None else rules, **given)


class SetsCookies:
    """Adds Set-Cookie headers to whatever start message leaves, as raw ASGI code may."""

    def __init__(self, app: ASGIApp, cookies: Iterable[bytes] = COOKIES) -> None:
        self.app = app
        self.cookies = tuple(cookies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def adding(message: Message) -> None:
            if message["type"] in STARTS:
                ours = [(b"set-cookie", cookie) for cookie in self.cookies]
                message = {**message, "headers": [*message.get("headers", ()), *ours]}
            await send(message)

        await self.app(scope, receive, adding)


STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


async def _page(request: Request) -> Response:
    return HTMLResponse(PAGE)


async def _json(request: Request) -> Response:
    return JSONResponse({"cookies": request.cookies, "header": request.headers.getlist("cookie")})


async def _redirect(request: Request) -> Response:
    return RedirectResponse("/page", 303)


async def _error(request: Request) -> Response:
    raise HTTPException(404, "nothing here")


async def _status(request: Request) -> Response:
    return Response(status_code=int(request.path_params["status"]), media_type="text/html")


def streams(page: bytes, size: int) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that sends a page in chunks of this size."""

    async def endpoint(request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            for at in range(0, len(page), size):
                yield page[at : at + size]

        return StreamingResponse(chunks(), media_type="text/html")

    return endpoint


async def events(request: Request) -> Response:
    """Two events, as a stream."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        yield b"data: 2\n\n"

    return StreamingResponse(chunks(), media_type="text/event-stream")


async def _attachment(request: Request) -> Response:
    return HTMLResponse(PAGE, headers={"content-disposition": "attachment; filename=a.html"})


async def _encoded(request: Request) -> Response:
    return Response(b"\x1f\x8b", media_type="text/html", headers={"content-encoding": "gzip"})


async def _untransformed(request: Request) -> Response:
    return HTMLResponse(PAGE, headers={"cache-control": "public, no-transform"})


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept(headers=[(b"x-own", b"1")])
    await websocket.send_json(
        {"cookies": websocket.cookies, "header": websocket.headers.getlist("cookie")}
    )
    await websocket.close()


async def _denied(websocket: WebSocket) -> None:
    await websocket.send_denial_response(PlainTextResponse("no", 403))


@cache
def _folder() -> Path:
    """A folder of static files, made once and gone when the process ends."""
    made = tempfile.TemporaryDirectory(prefix="consentkit-")
    atexit.register(made.cleanup)
    folder = Path(made.name)
    (folder / "site.css").write_text(CSS, "utf-8")
    (folder / "file.html").write_bytes(PAGE)
    return folder


async def _file(request: Request) -> Response:
    return FileResponse(_folder() / "file.html")


def site(*outside: Middleware, cookies: Iterable[bytes] = COOKIES) -> Starlette:
    """The site; `outside` are middlewares outside the one that sets the cookies."""
    inner = Starlette(routes=[Route("/inner", _page)])
    return Starlette(
        routes=[
            Route("/page", _page, methods=["GET", "POST"]),
            Route("/json", _json, methods=["GET", "POST"]),
            Route("/redirect", _redirect, methods=["GET", "POST"]),
            Route("/error", _error),
            Route("/status/{status:int}", _status),
            Route("/stream", streams(PAGE, 7)),
            Route("/events", events),
            Route("/file", _file),
            Route("/attachment", _attachment),
            Route("/encoded", _encoded),
            Route("/untransformed", _untransformed),
            Mount("/static", StaticFiles(directory=_folder())),
            Mount("/sub", inner),
            WebSocketRoute("/echo", _echo),
            WebSocketRoute("/denied", _denied),
        ],
        middleware=[*outside, Middleware(SetsCookies, cookies)],
    )


PAGES = ("/page", "/stream", "/file", "/sub/inner", "/static/file.html")
OTHERS = (
    "/json",
    "/redirect",
    "/error",
    "/status/200",
    "/status/204",
    "/status/206",
    "/status/304",
    "/events",
    "/attachment",
    "/encoded",
    "/untransformed",
    "/static/site.css",
    "/static/missing",
)
SOCKETS = ("/echo", "/denied")

NAVIGATION = {
    "host": "testserver",
    "accept": "text/html",
    "user-agent": "Mozilla/5.0",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "none",
    "sec-fetch-user": "?1",
}


@dataclass
class Outcome:
    """What an app sent, what it raised, and the scope as it stands afterwards."""

    scope: Scope
    messages: list[Message] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def start(self) -> Message:
        """The start of the response."""
        return next(message for message in self.messages if message["type"] in STARTS)

    @property
    def body(self) -> bytes:
        """The whole body."""
        bodies = ("http.response.body", "websocket.http.response.body")
        return b"".join(m.get("body", b"") for m in self.messages if m["type"] in bodies)

    def all(self, name: bytes) -> tuple[bytes, ...]:
        """Every value of a header; `name` in lower case."""
        there = self.start.get("headers") or ()
        return tuple(bytes(v) for n, v in there if bytes(n).lower() == name)

    @property
    def set_cookies(self) -> tuple[bytes, ...]:
        """Every Set-Cookie value."""
        return self.all(b"set-cookie")


Headers = Mapping[str, str] | Iterable[tuple[bytes, bytes]]


def scope_of(path: str, headers: Headers = (), method: str = "GET", **more: Any) -> Scope:
    """An ASGI scope: http, or websocket if `more` says so by its type."""
    raw = (
        [(name.encode(), value.encode()) for name, value in headers.items()]
        if isinstance(headers, Mapping)
        else list(headers)
    )
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "https",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": raw,
        "client": ("127.0.0.1", 5),
        "server": ("testserver", 443),
        "extensions": {},
        "state": {},
        **more,
    }
    if scope["type"] == "websocket":
        del scope["method"]
        scope["scheme"] = "wss"
        scope["extensions"] = {"websocket.http.response": {}}
    return scope


async def run(app: ASGIApp, scope: Scope, body: bytes = b"") -> Outcome:
    """Pass one connection through an app, and keep what it sends and what it raises."""
    outcome = Outcome(scope)
    incoming: list[Message] = (
        [{"type": "websocket.connect"}]
        if scope["type"] == "websocket"
        else [{"type": "http.request", "body": body, "more_body": False}]
    )

    async def receive() -> Message:
        gone = {"type": f"{scope['type']}.disconnect", "code": 1000}
        return incoming.pop() if incoming else gone

    async def send(message: Message) -> None:
        outcome.messages.append(message)

    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001 - what an app raises is a part of what it did
        outcome.error = error
    return outcome


async def get(app: ASGIApp, path: str, headers: Headers = (), **more: Any) -> Outcome:
    """One request with these headers and no others."""
    return await run(app, scope_of(path, headers, **more))


async def connect(app: ASGIApp, path: str, headers: Headers = ()) -> Outcome:
    """One websocket handshake."""
    return await run(app, scope_of(path, headers, type="websocket"))


def says(
    *chunks: bytes,
    headers: Any = ((b"content-type", b"text/html"),),
    status: int = 200,
    then: Callable[[], Awaitable[None]] | None = None,
) -> ASGIApp:
    """An app that sends these chunks with these headers, exactly so; `then` runs before the end."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if then is not None:
            await then()
        await send({"type": "http.response.body", "body": b""})

    return app
