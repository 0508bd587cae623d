"""Milliseconds one request takes whose Cookie header was made to be slow, at 64 KB."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from benchmarks.in_process import scope_of, ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message

SIZE: Final = 64 << 10
ROUNDS: Final = 15

HEADERS: Final[dict[str, bytes]] = {
    "semicolons": b";" * SIZE,
    "short pairs": b"a=b;" * (SIZE // 4),
    "distinct pairs": b";".join(b"n%d=1" % n for n in range(SIZE // 8))[:SIZE],
    "one name": b"n" * SIZE,
    "white space": b" " * SIZE,
    "equals signs": b"=" * SIZE,
    "backslashes": b'a="' + b"\\" * SIZE + b'"',
    "tokens that do not verify": b"__Host-consent=x.y;" * (SIZE // 19),
}


async def _once(app: ASGIApp, header: bytes, number: int) -> float:
    raw = header + b"; n=%d" % number  # never twice the same, so nothing is remembered
    scope = scope_of("/json", [(b"host", b"www.example.org"), (b"cookie", raw)])
    start = time.perf_counter()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        return None

    await app(scope, receive, send)
    return (time.perf_counter() - start) * 1e3


def measure() -> dict[str, tuple[float, float]]:
    """The best of some rounds in milliseconds, bare and held, for each header."""
    apps = ways()
    return {
        name: (_best(apps["bare"], header), _best(apps["consentkit"], header))
        for name, header in HEADERS.items()
    }


def _best(app: ASGIApp, header: bytes) -> float:
    return min(asyncio.run(_once(app, header, number)) for number in range(ROUNDS))


def lines(table: dict[str, tuple[float, float]]) -> Iterator[str]:
    """The table as Markdown."""
    yield "| a Cookie header of 64 KB made of | bare, ms | added by consentkit, ms |"
    yield "|---|---|---|"
    for name, (bare, held) in table.items():
        yield f"| {name} | {bare:.2f} | {held - bare:.2f} |"
