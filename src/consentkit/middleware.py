"""The door for the app: `ConsentMiddleware`, a thin ASGI shell around the keystone.

It decides nothing itself. For each request it makes an `Exchange`, which reads the visitor, hands
the app a thinned Cookie header, and lets every header list that leaves pass through enforcement:
``http.response.start``, ``websocket.accept`` and ``websocket.http.response.start``.

`ConsentMiddleware` is built once and never changes.
"""

from __future__ import annotations

import re
import time
import warnings
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import HTTPConnection

from consentkit.errors import NoVisitorError, OptionError, UncoveredLayerWarning
from consentkit.events import EventLog
from consentkit.exchange import begin
from consentkit.ready import Options, Ready
from consentkit.refuge import KEY
from consentkit.routes import route_path
from consentkit.rules.policy import Policy
from consentkit.rules.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from consentkit.events import Event

__all__ = ["ConsentMiddleware", "consent_context", "visitor_from", "visitor_from_scope"]

SHORTEST_SECRET: Final = 32
"""Bytes of a secret; fewer are refused."""
MOST_POLICIES: Final = 256
"""Policies of one callable that are kept ready; give back the same object for the same site."""
_PORTS: Final = {"http": ":80", "https": ":443"}  # what a browser leaves out of an Origin
_DOORS: Final = frozenset({"http", "websocket"})
_FRAMEWORKS: Final = frozenset({"starlette", "fastapi"})
_MAY_STORE: Final = frozenset({"authentication", "base", "sessions", "wsgi"})
"""Modules of the frameworks' middlewares that store cookies or run the site's own code."""


_UPWARDS: Final = re.compile(r"(?:[/\\]|%2f|%5c)(?:\.|%2e){2}(?:[/\\]|%2f|%5c|\Z)", re.IGNORECASE)
"""A way out of the folder, in whatever spelling: whoever serves it goes where we cannot see."""


class ConsentMiddleware:
    """Holds an ASGI app to a policy: its cookies, and the notice in its pages.

    ``app.add_middleware(ConsentMiddleware, policy=…, secret_key=…)`` covers what the app itself
    sends; ``ConsentMiddleware(app, policy=…, secret_key=…)`` around the whole app covers every
    door, error pages of outer layers included.
    """

    def __init__(  # noqa: PLR0913 - each is one decision of the site
        self,
        app: ASGIApp,
        *,
        policy: Policy | Callable[[Scope], Policy],
        secret_key: str | bytes,
        old_secret_keys: Sequence[str | bytes] = (),
        secure: bool = True,
        path: str = "/consent",
        report_only: bool = False,
        banner: bool | None = None,
        trusted_origins: Collection[str] = (),
        exclude: Collection[str] = (),
        on_decision: Callable[[Event], None] | None = None,
        staff: Callable[[Scope], bool] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make the policy ready. Raises PolicyError and OptionError: a bad start is no start.

        - `policy`: a loaded policy, or a callable that picks one by the request's scope;
        - `secret_key`: 32 bytes or more, signs the tokens; `old_secret_keys` still verify;
        - `secure`: the site is served over https, also where a proxy ends it;
        - `path`: where the endpoints are;
        - `report_only`: change nothing, log what enforcement would have done;
        - `banner`: put the notice into pages; by default unless `report_only`. Together with
          `report_only` a soft launch: visitors are asked, nothing is blocked;
        - `trusted_origins`: other origins whose pages may post an answer;
        - `exclude`: path prefixes left wholly alone;
        - `on_decision`: called with each `Event`, for counters;
        - `staff`: says of a request's scope whether who sends it may see what was seen and is not
          declared;
        - `clock`: gives POSIX seconds.
        """
        self.app = app
        self._options = Options(
            tuple(_checked_secrets(secret_key, old_secret_keys)),
            secure,
            _checked_path(path),
            report_only,
            banner if banner is not None else not report_only,
            tuple(_checked_origins(trusted_origins)),
            clock,
            EventLog(on_decision, report_only=report_only),
            _checked_staff(staff),
        )
        self._exclude = tuple(_checked_prefixes(exclude))
        self._made_ready: dict[int, Ready] = {}
        self._only: Ready | None = None
        if isinstance(policy, Policy):
            self._only = Ready(policy, self._options, visitor_from_scope)
        else:
            self._pick = policy
        self._has_looked_outside = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through; see the module's first lines."""
        if scope["type"] not in _DOORS or (self._exclude and self._is_excluded(scope)):
            await self.app(scope, receive, send)
            return
        ready = self._only or self.ready_for(scope)
        if KEY in scope and ready.stands_down_within(scope[KEY], scope):
            await self.app(scope, receive, send)
            return
        if not self._has_looked_outside:
            self._look_outside(scope)
        exchange = begin(ready, scope, send)
        app = ready.endpoints if exchange.is_own else self.app
        try:
            await app(scope, receive, exchange.send)
        finally:
            unfinished = exchange.end()
            if unfinished is not None:
                await unfinished

    def _is_excluded(self, scope: Scope) -> bool:
        path = route_path(scope)
        is_below = any(path == prefix or path.startswith(f"{prefix}/") for prefix in self._exclude)
        return is_below and not _UPWARDS.search(path)

    def ready_for(self, scope: Scope) -> Ready:
        """The policy that holds for a request, made ready: by it tests sign tokens, and judge."""
        if self._only is not None:
            return self._only
        policy = self._pick(scope)
        ready = self._made_ready.get(id(policy))
        if ready is None:
            if len(self._made_ready) >= MOST_POLICIES:  # a callable that builds one each time
                self._made_ready.clear()
            ready = self._made_ready[id(policy)] = Ready(policy, self._options, visitor_from_scope)
        return ready

    def _look_outside(self, scope: Scope) -> None:
        """Warn of layers of a Starlette app that stand outside and could set cookies."""
        self._has_looked_outside = True
        uncovered: list[str] = []
        layer = getattr(scope.get("app"), "middleware_stack", None)
        while layer is not None and layer is not self:
            if not _is_harmless(layer):
                uncovered.append(type(layer).__name__)
            layer = getattr(layer, "app", None)
        if layer is self and uncovered:
            warnings.warn(
                f"Cookies set by {', '.join(uncovered)} pass by ConsentMiddleware, which stands "
                "inside. Add ConsentMiddleware last, or wrap the whole app: "
                "asgi = ConsentMiddleware(app, policy=…, secret_key=…).",
                UncoveredLayerWarning,
                stacklevel=2,
            )


def _is_harmless(layer: object) -> bool:
    if isinstance(layer, ServerErrorMiddleware):
        return layer.handler is None
    modules = type(layer).__module__.split(".")
    return modules[0] in _FRAMEWORKS and modules[-1] not in _MAY_STORE


def visitor_from_scope(scope: Scope) -> Visitor:
    """The visitor of an ASGI http or websocket scope. Raises NoVisitorError."""
    exchange = scope.get(KEY)
    if exchange is None:
        raise NoVisitorError(scope.get("path", ""))
    visitor: Visitor = exchange.visitor
    return visitor


def consent_context(request: HTTPConnection) -> dict[str, Callable[..., Markup]]:
    """Parts of the notice as functions for templates: a context processor of `Jinja2Templates`.

    ``consent_cookies()`` is the table of declared cookies, ``consent_preferences()`` the switches,
    ``consent_settings_link()`` the link to them. Each takes the language of the page (a tag);
    without one the visitor's browser decides. Raises NoVisitorError where no ConsentMiddleware
    stands around the app.
    """
    visitor_from(request)
    exchange = request.scope[KEY]

    def part(what: str, language: str | None = None) -> Markup:
        return Markup(exchange.part(what, language).decode("ascii"))  # noqa: S704 - rendered by us

    return {
        "consent_cookies": partial(part, "cookies"),
        "consent_preferences": partial(part, "preferences"),
        "consent_settings_link": partial(part, "settings-link"),
    }


def visitor_from(connection: HTTPConnection) -> Visitor:
    """The visitor of a request or websocket: what they answered, and how to record an answer.

    A FastAPI dependency as it is: ``Annotated[Visitor, Depends(visitor_from)]``. Raises
    NoVisitorError where no ConsentMiddleware stands around the app.
    """
    return visitor_from_scope(connection.scope)


def _checked_secrets(secret_key: str | bytes, old: Sequence[str | bytes]) -> Iterable[str | bytes]:
    for option, secret in (*(("old_secret_keys", key) for key in old), ("secret_key", secret_key)):
        size = len(secret.encode() if isinstance(secret, str) else secret)
        if size < SHORTEST_SECRET:
            cure = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
            raise OptionError(option, f"it has {size} bytes, {SHORTEST_SECRET} are needed", cure)
        yield secret


def _checked_path(path: str) -> str:
    if not path.startswith("/") or path.endswith("/") or not path.isascii() or "?" in path:
        raise OptionError(
            "path", f"{path!r} is no path for the endpoints", "Write it like '/consent'."
        )
    return path


def _checked_prefixes(prefixes: Collection[str]) -> Iterable[str]:
    if isinstance(prefixes, str):
        raise OptionError("exclude", "it is one text", f"Write a list: exclude=[{prefixes!r}].")
    for prefix in prefixes:
        if not prefix.startswith("/"):
            cure = "Write paths from the root, like '/static'."
            raise OptionError("exclude", f"{prefix!r} does not begin with '/'", cure)
        yield prefix.rstrip("/")


def _checked_staff(staff: Callable[[Scope], bool] | None) -> Callable[[Scope], bool] | None:
    call = getattr(staff, "__call__", None)  # noqa: B004 - not whether it is there: what it is
    if iscoroutinefunction(staff) or iscoroutinefunction(call):
        cure = "Write it with 'def', not with 'async def'."
        raise OptionError("staff", "it is a coroutine, which is neither True nor False", cure)
    return staff


def _checked_origins(origins: Collection[str]) -> Iterable[str]:
    if isinstance(origins, str):
        cure = f"Write a list: trusted_origins=[{origins!r}]."
        raise OptionError("trusted_origins", "it is one text", cure)
    for origin in origins:
        scheme, separator, host = origin.partition("://")
        is_host = bool(separator and host) and host.isascii() and "/" not in host
        if scheme not in _PORTS or not is_host:
            cure = "Write scheme and host in ASCII, like 'https://www.example.org'."
            raise OptionError("trusted_origins", f"{origin!r} is no origin", cure)
        yield origin.lower().removesuffix(_PORTS[scheme])
