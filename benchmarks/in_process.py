"""Microseconds added to one request of a Starlette app, in process.

Every way is timed in turns (one batch each, round after round), so a slow moment of the machine
hits all alike; what is printed is the median of the batches, and what it adds to the bare app of
the same row. Absolute figures differ between machines; the ratios are what counts.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import statistics
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from benchmarks.policies import CONSENT, SECRET, declared_names, policy_of
from consentkit import ConsentMiddleware

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Scope

BATCH: Final = 200
ROUNDS: Final = 60

Headers = list[tuple[bytes, bytes]]


class Row(NamedTuple):
    """One line of the table: what the app answers, and what the browser sends."""

    name: str
    path: str
    headers: Callable[[], Headers]


class Cost(NamedTuple):
    """Microseconds of one request under each way, medians of all batches."""

    row: str
    by_way: dict[str, float]

    def added(self, way: str) -> float:
        """What a way adds to the bare app."""
        return self.by_way[way] - self.by_way["bare"]


_ACCEPT_PAGE: Final[Headers] = [
    (b"host", b"www.example.org"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"sec-fetch-site", b"same-origin"),
    (b"referer", b"https://www.example.org/news"),
]
_PAGE: Final[Headers] = [
    *_ACCEPT_PAGE,
    (b"accept", b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
    (b"sec-fetch-mode", b"navigate"),
    (b"sec-fetch-dest", b"document"),
]
_SCRIPT: Final[Headers] = [
    *_ACCEPT_PAGE,
    (b"accept", b"*/*"),
    (b"sec-fetch-mode", b"cors"),
    (b"sec-fetch-dest", b"empty"),
]


def _page(size: int) -> bytes:
    head = (
        b"<!doctype html><html lang=en><head><meta charset=utf-8><title>News</title>"
        + b'<link rel=stylesheet href="/site.css">' * 20
        + b"</head><body>"
    )
    line = b'<p>The station desk is open from nine to five. <a href="#n">Read notice</a>.</p>\n'
    return (head + line * (size // len(line)))[: size - 14] + b"</body></html>"


_PAGES: Final = {20: _page(20_000), 200: _page(200_000)}


def page_of(kilobytes: int) -> bytes:
    """A page of 20 or 200 KB with an ordinary head."""
    return _PAGES[kilobytes]


_WITH_COOKIES: Final = (
    "session=abc; Path=/; HttpOnly; Secure; SameSite=lax",
    "_ga=GA1.1.1.1; Path=/; Max-Age=3600",
)


async def _json(_request: Request) -> Response:
    return JSONResponse({"ok": True})


async def _cookies(_request: Request) -> Response:
    response = JSONResponse({"ok": True})
    for value in _WITH_COOKIES:
        response.raw_headers.append((b"set-cookie", value.encode()))
    return response


async def _small_page(_request: Request) -> Response:
    return HTMLResponse(_PAGES[20])


async def _large_page(_request: Request) -> Response:
    return HTMLResponse(_PAGES[200])


def bare() -> Starlette:
    """The app without any middleware of ours."""
    return Starlette(
        routes=[
            Route("/json", _json),
            Route("/cookies", _cookies),
            Route("/page20", _small_page),
            Route("/page200", _large_page),
        ]
    )


async def _dispatch(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    return await call_next(request)


def ways() -> dict[str, ASGIApp]:
    """Every way to be timed, by the name in the table."""
    built: dict[str, Any] = {"bare": bare()}
    for name, layer, options in (
        ("consentkit", ConsentMiddleware, {"policy": policy_of(30), "secret_key": SECRET}),
        (
            "consentkit, 3,000 cookies",
            ConsentMiddleware,
            {"policy": policy_of(3000), "secret_key": SECRET},
        ),
        (
            "SessionMiddleware",
            SessionMiddleware,
            {"secret_key": SECRET, "session_cookie": "session"},
        ),
        ("GZipMiddleware", GZipMiddleware, {}),
        ("BaseHTTPMiddleware", BaseHTTPMiddleware, {"dispatch": _dispatch}),
    ):
        app = bare()
        app.add_middleware(layer, **options)
        built[name] = app
    return built


def rows() -> list[Row]:
    """Every kind of request in the table."""
    six = "; ".join([*(f"{name}=v{n}" for n, name in enumerate(declared_names()[:5])), CONSENT])
    same = [*_SCRIPT, (b"cookie", six.encode())]
    page = [*_PAGE]
    numbers = itertools.count()

    def changing() -> Headers:
        return [*_SCRIPT, (b"cookie", b"%b; id=%d" % (six.encode(), next(numbers)))]

    return [
        Row("JSON, no cookies", "/json", lambda: _SCRIPT),
        Row("JSON, six cookies", "/json", lambda: same),
        Row("JSON, six cookies, two Set-Cookie", "/cookies", lambda: same),
        Row("JSON, six cookies that change every time", "/json", changing),
        Row("page of 20 KB with the banner", "/page20", lambda: page),
        Row("page of 200 KB with the banner", "/page200", lambda: page),
    ]


def scope_of(path: str, headers: Headers) -> Scope:
    """An http scope as a server makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(_message: Message) -> None:
    return None


async def _batch(app: ASGIApp, row: Row) -> float:
    # A scope is made for each request and dies with it, as under a server; every way pays for it.
    start = time.perf_counter()
    for _ in range(BATCH):
        await app(scope_of(row.path, list(row.headers())), _receive, _send)
    return (time.perf_counter() - start) / BATCH * 1e6


async def _measure(rounds: int) -> list[Cost]:
    apps = ways()
    table: list[Cost] = []
    for row in rows():
        for app in apps.values():
            await _batch(app, row)
        times: dict[str, list[float]] = {name: [] for name in apps}
        gc.collect()
        gc.disable()
        for _ in range(rounds):
            for name, app in apps.items():
                times[name].append(await _batch(app, row))
        gc.enable()
        table.append(Cost(row.name, {name: statistics.median(t) for name, t in times.items()}))
    return table


def measure(rounds: int = ROUNDS) -> list[Cost]:
    """The whole table."""
    return asyncio.run(_measure(rounds))


def lines(table: list[Cost]) -> Iterator[str]:
    """The table as Markdown: microseconds added to the bare app."""
    names = [name for name in table[0].by_way if name != "bare"]
    yield f"| added µs per request | bare | {' | '.join(f'+ {name}' for name in names)} |"
    yield f"|---|---|{'---|' * len(names)}"
    for cost in table:
        added = " | ".join(f"{cost.added(name):.1f}" for name in names)
        yield f"| {cost.row} | {cost.by_way['bare']:.1f} | {added} |"
