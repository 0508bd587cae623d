"""A server for each app, and a visitor with a jar of their own: both are gone after the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from starlette.types import ASGIApp

from tests.browser.servers import Server, serving
from tests.browser.visitors import Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Serve = Callable[[ASGIApp], Server]
NewVisitor = Callable[..., Visitor]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server for an app."""
    with ExitStack() as servers:
        yield lambda app: servers.enter_context(serving(app))


@pytest.fixture
def new_visitor(serve: Serve, browser: "Browser") -> Iterator[NewVisitor]:
    """Somebody who was never here: ``new_visitor(server, **options of a browser context)``."""
    # `serve` is asked for so that the browser lets go of its connections before a server ends.
    with ExitStack() as visitors:

        def come(server: Server, **options: Any) -> Visitor:
            visitor = Visitor(browser, server, **options)
            visitors.callback(visitor.leave)
            return visitor

        yield come
