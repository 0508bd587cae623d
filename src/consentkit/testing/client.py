"""A client for a site's own tests: Starlette's, as a visitor with a browser would use it.

It has never heard of what is to be expected of a site: it asks, and gives back what came.

httpx2 is used where it is installed, else httpx; one of them must be.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urljoin

from consentkit.testing.browser import AGENT, of_a_person, of_a_script
from consentkit.testing.visitors import Answers, ConsentState, SignedVisitor, as_visitor
from consentkit.wire.headers import SAFE_METHODS

with warnings.catch_warnings():
    # Starlette says which of the two it would rather have; a site may have its reasons.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

if TYPE_CHECKING:
    from starlette.testclient import WebSocketTestSession
    from starlette.types import ASGIApp, Receive, Scope, Send

    from consentkit.rules.policy import Policy

__all__ = ["CAME_BY", "ConsentClient", "consent_client"]

CAME_BY: Final = "consentkit"
"""Where a response's `extensions` have the `Passage` by which it came."""


class Passage:
    """What the app made of one request: its scope, and who asked."""

    def __init__(self, scope: Scope, visitor: SignedVisitor) -> None:
        self.scope = scope
        self.visitor = visitor


class _Watched:
    """An app whose latest scope is kept: what enforcement did stands in it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.scope: Scope = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        await self.app(scope, receive, send)


class ConsentClient(TestClient):
    """Starlette's `TestClient` for one visitor: ``get``, ``post``, ``websocket_connect`` and a jar.

    What it sends is what a browser would send. A GET is a page that a person opens, the first one
    by typing its address, later ones by clicking a link; a POST is a form of the site; whatever
    carries `json` or has another method is a script's, and so is `fetch`. Headers that are given
    win. `visitor` is who asks; `cookies` is the jar. Used as a context manager, it runs the app's
    lifespan.
    """

    __test__ = False

    def __init__(self, app: ASGIApp, visitor: SignedVisitor, *, url: str, **options: Any) -> None:  # noqa: ANN401 - Starlette's own options
        """`url` is where the site is; `options` are those of `TestClient`."""
        self._watched = _Watched(app)
        headers = {"user-agent": AGENT, **(options.pop("headers", None) or {})}
        super().__init__(self._watched, base_url=url, headers=headers, **options)
        self.visitor = visitor
        self.event_hooks = {"response": [self._note]}
        self._has_come = False
        visitor.put_into(self)

    def _note(self, response: Any) -> None:  # noqa: ANN401 - httpx's, or httpx2's
        response.extensions[CAME_BY] = Passage(self._watched.scope, self.visitor)

    def request(self, method: str, url: Any, **options: Any) -> Any:  # noqa: ANN401 - as in Starlette, whose types are of whichever library it found
        """As in `TestClient`, with the headers of a browser where none are given."""
        is_form = method.upper() == "POST" and options.get("json") is None
        if method.upper() in SAFE_METHODS or is_form:
            is_typed = not (is_form or self._has_come)
            self._has_come = True
            return self._ask(
                of_a_person("none" if is_typed else "same-origin"), method, url, options
            )
        return self.fetch(url, method, **options)

    def fetch(self, url: Any, method: str = "GET", **options: Any) -> Any:  # noqa: ANN401 - as above
        """Send a request as a script of the site does; `options` are those of `request`."""
        return self._ask(of_a_script(), method, url, options)

    def _ask(self, as_one: dict[str, str], method: str, url: Any, options: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
        given = dict(options.pop("headers", None) or ())
        headers = {**as_one, **{str(name).lower(): value for name, value in given.items()}}
        if method.upper() not in SAFE_METHODS:
            headers.setdefault("origin", str(self.base_url).rstrip("/"))
        return super().request(method, url, headers=headers, **options)

    def websocket_connect(self, url: str, *args: Any, **options: Any) -> WebSocketTestSession:  # noqa: ANN401 - as above
        """As in `TestClient`, to the site itself: over TLS where its pages are."""
        whole = urljoin(str(self.base_url), url).replace("http", "ws", 1)
        return super().websocket_connect(whole, *args, **options)


def consent_client(  # noqa: PLR0913 - who asks, and what they ask
    app: ASGIApp,
    answers: Answers | ConsentState = "undecided",
    *,
    signals: Collection[str] | str | None = None,
    services: Collection[str] = (),
    despite: bool = False,
    policy: Policy | Callable[[Scope], Policy] | None = None,
    secret_key: str | bytes | None = None,
    secure: bool = True,
    url: str | None = None,
    headers: Mapping[str, str] | None = None,
    follow_redirects: bool = True,
    raise_server_exceptions: bool = True,
    backend: Literal["asyncio", "trio"] = "asyncio",
) -> ConsentClient:
    """A client of `app` for a visitor in a chosen state, who sends what a browser would.

    `answers` to `secure` are those of `as_visitor`. `url` is where the site is, by default
    ``https://testserver``, or ``http://testserver`` where the middleware says ``secure=False``; the
    rest are options of Starlette's `TestClient`.

    Raises NoSuchVisitorError, also where no ConsentMiddleware is found; then pass `policy` and
    `secret_key`.
    """
    visitor = as_visitor(
        app,
        answers,
        signals=signals,
        services=services,
        despite=despite,
        policy=policy,
        secret_key=secret_key,
        secure=secure,
        url=url or "https://testserver",
    )
    return ConsentClient(
        app,
        visitor,
        url=url or f"http{'s' if visitor.is_secure else ''}://testserver",
        headers=headers,
        follow_redirects=follow_redirects,
        raise_server_exceptions=raise_server_exceptions,
        backend=backend,
    )
