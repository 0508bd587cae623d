"""One and the same site, made with five frameworks, each in the way its own handbook shows.

Has never heard of consent. Every page tries to store the same four cookies, by the framework's own
means; what the framework read of the Cookie header is answered at ``/seen``.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import AsyncIterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from starlette.types import ASGIApp

from tests.apps import CSS, PAGE

FRAMEWORKS: Final = ("starlette", "fastapi", "litestar", "quart", "django")
NAMES: Final = ("sid", "visits", "stray", "old")
"""What a page sets: a strictly necessary cookie, a waiting one, an undeclared one, a removal."""
CHUNK: Final = 7


class BrokenError(Exception):
    """What the page ``/boom`` raises."""


def make(framework: str, *, debug: bool = False) -> ASGIApp:
    """The site, made with a framework."""
    app: ASGIApp = import_module(f"tests.hosts.{framework}_site").site(debug=debug)
    return app


@cache
def folder() -> Path:
    """A folder with a page and a style sheet, gone when the process ends."""
    made = tempfile.TemporaryDirectory(prefix="consentkit-")
    atexit.register(made.cleanup)
    static = Path(made.name) / "static"
    static.mkdir()
    (static / "site.css").write_text(CSS, "utf-8")
    (static / "file.html").write_bytes(PAGE)
    return static


async def chunks() -> AsyncIterator[bytes]:
    """The page in small pieces."""
    for at in range(0, len(PAGE), CHUNK):
        yield PAGE[at : at + CHUNK]


async def ticks() -> AsyncIterator[bytes]:
    """Two server-sent events."""
    yield b"data: 1\n\n"
    yield b"data: 2\n\n"


def store(response: Any) -> Any:
    """Set the cookies; the responses of all five agree on these two methods."""
    response.set_cookie("sid", "1", httponly=True)
    response.set_cookie("visits", "1", max_age=60)
    response.set_cookie("stray", "1")
    response.delete_cookie("old")
    return response
