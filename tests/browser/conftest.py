"""A server for each app, and visitors with a jar of their own."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from starlette.types import ASGIApp

from tests.browser.servers import Server
from tests.browser.visitors import Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Serve = Callable[[ASGIApp], Server]
NewVisitor = Callable[..., Visitor]
Idle = dict[str, list[Visitor]]


@pytest.fixture(scope="session")
def running() -> Iterator[ExitStack]:
    """Waits for every server at the very end: each takes a while to close its connections."""
    with ExitStack() as servers:
        yield servers


@pytest.fixture(scope="module")
def serve_module(running: ExitStack) -> Iterator[Serve]:
    """Starts a server for an app, for all the tests of a module."""
    yield from _serve(running)


@pytest.fixture
def serve(running: ExitStack) -> Iterator[Serve]:
    """Starts a server for an app."""
    yield from _serve(running)


def _serve(running: ExitStack) -> Iterator[Serve]:
    mine: list[Server] = []

    def serve(app: ASGIApp) -> Server:
        mine.append(running.enter_context(Server(app)))
        return mine[-1]

    yield serve
    for server in mine:
        server.end()


@pytest.fixture(scope="session")
def idle() -> Idle:
    """Browser contexts that nobody uses, by their options: a new one costs half a second."""
    return defaultdict(list)


@pytest.fixture
def new_visitor(idle: Idle, browser: "Browser") -> Iterator[NewVisitor]:
    """Somebody who was never here: ``new_visitor(server, **options of a browser context)``."""
    here: list[tuple[str, Visitor]] = []

    def come(server: Server, **options: Any) -> Visitor:
        key = repr(sorted(options.items()))
        visitor = idle[key].pop() if idle[key] else Visitor(browser, **options)
        visitor.come_to(server)
        here.append((key, visitor))
        return visitor

    yield come
    for key, visitor in here:
        visitor.leave()
        idle[key].append(visitor)
