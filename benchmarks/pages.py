"""What pages cost: with a notice, with links, with tags that wait, streamed, and made to be slow.

A page that is the same as last time is put together from what is remembered; one that differs each
time is read. Both are measured, since either alone would mislead. Times are processor time of this
process, the best of several batches, in turns with the bare app; what counts is the column per KB
and the ratio to parsing the page with Lexbor, a parser in C, in the same run.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser

from benchmarks.in_process import page_of, scope_of
from benchmarks.policies import SECRET
from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import policy_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BATCH: Final = 50
ROUNDS: Final = 12
CHUNK: Final = 16 << 10
SIZE: Final = 256 << 10

_POLICY: Final = policy_from(
    {
        "site": {"name": "Bench", "controller": "Bench"},
        "mode": "explicit",
        "purposes": {
            "analytics": {"title": "Visits", "description": "Counts visits."},
            "embeds": {"title": "Videos", "description": "Shows videos."},
        },
        "services": {
            "counter": {"purpose": "analytics", "provider": "C", "hosts": ["counter.example"]},
            "player": {
                "purpose": "embeds",
                "provider": "P",
                "hosts": ["*.player.example"],
                "shows": "video",
            },
        },
    }
)
_HEADERS: Final = [
    (b"host", b"www.example.org"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"),
    (b"accept", b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"sec-fetch-site", b"none"),
    (b"sec-fetch-mode", b"navigate"),
    (b"sec-fetch-dest", b"document"),
]
_LINK: Final = b'<p>See <a href="https://site%d.example/page?x=1">their page</a> for more.</p>'
_PICTURE: Final = b'<p><img src="/static/%d.png" alt="A picture" width="10" height="20"></p>'
_THIRD_PARTY: Final = (
    b'<script async src="https://counter.example/count.js?id=G-1"></script>'
    b'<iframe width="560" height="315" src="https://www.player.example/embed/a" title="A"></iframe>'
    b'<img src="https://counter.example/collect?x=1" width="1" height="1" alt="">'
    b'<video src="https://cdn.player.example/x.mp4" poster="//cdn.player.example/p.jpg"></video>'
    b'<link rel="preconnect" href="https://www.player.example"><script>var a = 1;</script>'
)

PAGES: Final[dict[str, bytes]] = {
    "20 KB, nothing but text and own links": page_of(20),
    "20 KB, thirty links to elsewhere": b"%b%b"
    % (
        page_of(20),
        b"".join(_LINK % n for n in range(30)),
    ),
    "20 KB, thirty own pictures": b"%b%b"
    % (
        page_of(20),
        b"".join(_PICTURE % n for n in range(30)),
    ),
    "20 KB, twelve tags of third parties": page_of(20) + _THIRD_PARTY * 2,
    "200 KB, nothing but text and own links": page_of(200),
    "200 KB, 120 tags of third parties": page_of(200) + _THIRD_PARTY * 20,
}

HOSTILE: Final[dict[str, bytes]] = {
    "unclosed quotes": b'<body><img src="' + b"x" * SIZE,
    "unclosed comment": b"<body><!--" + b"-" * SIZE,
    "less-than signs": b"<body>" + b"<" * SIZE,
    "unclosed tags": b"<body>" + b"<a " * (SIZE // 3),
    "attributes without end": b"<body><a" + b" b=c" * (SIZE // 4),
    "quotes and equals signs": b"<body><a " + b"=\"'" * (SIZE // 3),
    "fetching tags": b"<body>" + b"<img src=//a.example>" * (SIZE // 21),
    "srcset without end": b"<body><img srcset='" + b"//a.example/1 1x," * (SIZE // 17) + b"'>",
    "open svg elements": b"<body>" + b"<svg><title>" * (SIZE // 12),
    "open templates": b"<body>" + b"<template>" * (SIZE // 10),
    "open noscripts": b"<body>" + b"<noscript><!--" * (SIZE // 14),
    "character references": b'<body><img src="' + b"&#x2f;" * (SIZE // 6) + b'">',
}


class Cost(NamedTuple):
    """Microseconds that one page costs: bare, added when it is known, added when it is read."""

    size: int
    bare: float
    known: float
    read: float
    parsed: float


def _whole(pages: Callable[[], bytes]) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        page = pages()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", b"%d" % len(page)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": page})

    return app


def _held(app: ASGIApp) -> ASGIApp:
    return ConsentMiddleware(app, policy=_POLICY, secret_key=SECRET)


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _nowhere(_message: Message) -> None:
    return None


def _best(app: ASGIApp, *, rounds: int = ROUNDS, batch: int = BATCH) -> float:
    async def run() -> float:
        start = time.process_time()
        for _ in range(batch):
            await app(scope_of("/page", list(_HEADERS)), _receive, _nowhere)
        return (time.process_time() - start) / batch * 1e6

    return min(asyncio.run(run()) for _ in range(rounds))


def _changing(page: bytes) -> Callable[[], bytes]:
    numbers = itertools.count()
    return lambda: b"%b<!-- %d -->" % (page, next(numbers))


def measure() -> dict[str, Cost]:
    """Every page, bare and held."""
    table: dict[str, Cost] = {}
    for name, page in PAGES.items():
        same, other = _whole(partial(bytes, page)), _whole(_changing(page))
        bare = _best(same)
        parsed = min(_parse(page) for _ in range(ROUNDS))
        known, read = _best(_held(same)), _best(_held(other))
        table[name] = Cost(len(page), bare, known - bare, read - _best(other), parsed)
    return table


def _parse(page: bytes) -> float:
    start = time.process_time()
    for _ in range(10):
        LexborHTMLParser(page)
    return (time.process_time() - start) / 10 * 1e6


def lines(table: dict[str, Cost]) -> Iterator[str]:
    """The table as Markdown."""
    yield "| page | added µs, same as last time | added µs, read | µs per KB, read | x Lexbor |"
    yield "|---|---|---|---|---|"
    for name, cost in table.items():
        per = cost.read / cost.size * 1000
        yield (
            f"| {name} | {cost.known:.0f} | {cost.read:.0f} | {per:.2f} "
            f"| {cost.read / cost.parsed:.2f} |"
        )


# streams


class Stream(NamedTuple):
    """Milliseconds of a page of 1 MB in 64 chunks: until its first byte, and in all."""

    first: float
    total: float


def _streaming(chunks: Sequence[bytes], delay: float) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for chunk in chunks:
            if delay:
                await asyncio.sleep(delay)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


async def _stream(app: ASGIApp) -> Stream:
    start = time.perf_counter()
    came: list[float] = []

    async def send(message: Message) -> None:
        if message.get("body"):
            came.append(time.perf_counter() - start)

    await app(scope_of("/page", list(_HEADERS)), _receive, send)
    return Stream(came[0] * 1e3, (time.perf_counter() - start) * 1e3)


def streams() -> Iterator[str]:
    """First byte and end of a page that comes in chunks, bare and held."""
    page = (page_of(200) * 6)[: 1 << 20]
    chunks = [page[at : at + CHUNK] for at in range(0, len(page), CHUNK)]
    yield "| 1 MB in 64 chunks | first byte, bare / held, ms | all of it, bare / held, ms |"
    yield "|---|---|---|"
    for name, delay in (("at once", 0.0), ("2 ms between chunks", 0.002)):
        app = _streaming(chunks, delay)
        bare, held = ([asyncio.run(_stream(each)) for _ in range(5)] for each in (app, _held(app)))
        yield (
            f"| {name} | {min(bare).first:.3f} / {min(held).first:.3f} "
            f"| {_least(bare):.2f} / {_least(held):.2f} |"
        )


def _least(runs: Sequence[Stream]) -> float:
    return min(run.total for run in runs)


def hostile() -> Iterator[str]:
    """Nanoseconds for each byte of pages that were made to be slow, whole and in small chunks."""
    yield "| a page of 256 KB of | ns per byte, whole | in chunks of 64 bytes |"
    yield "|---|---|---|"
    for name, page in HOSTILE.items():
        chunks = [page[at : at + 64] for at in range(0, len(page), 64)]
        whole, cut = _whole(_changing(page)), _streaming(chunks, 0)
        costs: list[Any] = [
            (_best(_held(app), rounds=3, batch=2) - _best(app, rounds=3, batch=2)) / len(page) * 1e3
            for app in (whole, cut)
        ]
        yield f"| {name} | {costs[0]:.1f} | {costs[1]:.1f} |"
