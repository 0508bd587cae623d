"""What one request is made of: each step alone, and the floor under all of them.

The floor is what plain Python pays for a middleware that decides nothing: one that passes two
messages on, and one that besides makes a dict of the request's headers and keeps it where the app
can find it. Times are the best of many batches in processor time, so that a busy machine tells
the least untruth; function calls are counted by the profiler.
"""

from __future__ import annotations

import cProfile
import pstats
import time
from typing import TYPE_CHECKING, Any, Final

from benchmarks.in_process import page_of, rows, scope_of
from benchmarks.policies import SECRET, policy_of
from consentkit import ConsentMiddleware
from consentkit.enforcement import filter_headers
from consentkit.exchange import Exchange
from consentkit.rules.decision import STORE
from consentkit.rules.signals import NO_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BATCH: Final = 1000
BATCHES: Final = 60

_TYPE: Final = (b"content-type", b"application/json")
_LENGTH: Final = (b"content-length", b"11")
_STORED: Final = [
    (b"set-cookie", b"session=abc; Path=/; HttpOnly; Secure; SameSite=lax"),
    (b"set-cookie", b"_ga=GA1.1.1.1; Path=/; Max-Age=3600"),
]
_HTML: Final = [(b"content-length", b"20000"), (b"content-type", b"text/html; charset=utf-8")]


def _says(headers: list[tuple[bytes, bytes]], body: bytes) -> ASGIApp:
    start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
    rest: Message = {"type": "http.response.body", "body": body}

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(start)
        await send(rest)

    return app


class _PassesOn:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def pass_on(message: Message) -> None:
            await send(message)

        await self.app(scope, receive, pass_on)


class _Keeps:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["kept"] = kept = _Kept(dict(scope["headers"]), send)
        await self.app(scope, receive, kept.send)


class _Kept:
    def __init__(self, fields: dict[bytes, bytes], send: Send) -> None:
        self.fields = fields
        self._send = send

    async def send(self, message: Message) -> None:
        await self._send(message)


async def _nowhere(_message: Message) -> None:
    return None


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _drive(app: ASGIApp, scope: Scope) -> None:
    # Nothing here ever waits, so one step of the coroutine is the whole request: no event loop.
    try:
        app(scope, _nothing, _nowhere).__await__().__next__()
    except StopIteration:
        return


def _batch(act: Callable[[], object]) -> float:
    start = time.process_time_ns()
    for _ in range(BATCH):
        act()
    return (time.process_time_ns() - start) / BATCH / 1000


def _microseconds(act: Callable[[], object]) -> float:
    return min(_batch(act) for _ in range(BATCHES))


def _added(act: Callable[[], object], bare: Callable[[], object]) -> float:
    # Both in turns: a machine that changes its speed between two measurements lies about both.
    pairs = [(_batch(act), _batch(bare)) for _ in range(BATCHES)]
    return min(first for first, _ in pairs) - min(second for _, second in pairs)


def _calls(act: Callable[[], object]) -> float:
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(BATCH):
        act()
    profile.disable()
    return pstats.Stats(profile).total_calls / BATCH  # type: ignore[attr-defined]


def measure() -> Iterator[tuple[str, float, float]]:
    """A step, its microseconds, and the function calls in it; whole requests are added to bare."""
    row, page = rows()[1], rows()[4]
    headers, asked = row.headers(), page.headers()
    policy = policy_of(30)

    def held(app: ASGIApp) -> ASGIApp:
        return ConsentMiddleware(app, policy=policy, secret_key=SECRET)

    def request(app: ASGIApp, path: str, sent: Any) -> Callable[[], object]:
        return lambda: _drive(app, scope_of(path, sent))

    json, cookies = _says([_LENGTH, _TYPE], b"{}"), _says([_LENGTH, _TYPE, *_STORED], b"{}")
    html = _says(_HTML, page_of(20))
    bare: Callable[[], object] = request(json, "/json", headers)
    whole = {
        "floor: two messages passed on": request(_PassesOn(json), "/json", headers),
        "floor: a dict of the headers, kept for the app": request(_Keeps(json), "/json", headers),
        "consentkit: JSON": request(held(json), "/json", headers),
        "consentkit: JSON, two Set-Cookie": request(held(cookies), "/json", headers),
        "consentkit: page of 20 KB with the banner": request(held(html), "/page20", asked),
    }
    base_calls = _calls(bare)
    for name, act in whole.items():
        act()
        yield name, _added(act, bare), _calls(act) - base_calls
    for name, act in _parts(held(json), headers, asked).items():
        act()
        yield name, _microseconds(act), _calls(act) - 1


def _parts(app: Any, headers: Any, asked: Any) -> dict[str, Callable[[], object]]:
    ready = app._only  # noqa: SLF001 - the steps are inside
    made = Exchange(ready, scope_of("/json", headers), _nowhere)
    shown = Exchange(ready, scope_of("/page20", asked), _nowhere)
    standing, lines = shown.reading.standing, made._lines  # noqa: SLF001
    start: Message = {"type": "http.response.start", "status": 200, "headers": [_LENGTH, _TYPE]}
    page: Message = {"type": "http.response.start", "status": 200, "headers": _HTML}

    def edited() -> Any:
        edit = ready.pages.edit(standing, shown.fields, b"/page20", "", in_a_tab=True)
        edit.feed(page_of(20), last=True)
        return edit

    done = edited()
    return {
        "- read the request, make the exchange": lambda: Exchange(
            ready, scope_of("/json", headers), _nowhere
        ),
        "-- of it, what the Cookie header comes to": lambda: ready.enforcement.read(
            lines, NO_SIGNALS
        ),
        "- look into a start without cookies": lambda: made._begin(start),  # noqa: SLF001
        "- hold two Set-Cookie to the policy": lambda: filter_headers(
            [_LENGTH, _TYPE, *_STORED], made.reading.rulings, STORE, made.reading.arrived, 0.0
        ),
        "- a page: read its request": lambda: Exchange(ready, scope_of("/page20", asked), _nowhere),
        "- a page: find the head, insert, copy": edited,
        "- a page: its headers": lambda: shown._page_headers(page, done),  # noqa: SLF001
    }


def lines() -> Iterator[str]:
    """The table as Markdown."""
    yield "| step | µs | function calls |"
    yield "|---|---|---|"
    for name, microseconds, calls in measure():
        yield f"| {name} | {microseconds:.1f} | {calls:.0f} |"
