"""What stands in for an exchange where consentkit fails: the site goes on, with less.

It has never heard of what the fault was. A fault must never take the site down, and must never
allow what was not: only the strictly necessary cookies of exact name pass (DESIGN §9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consentkit.enforcement import is_strictly_necessary, only_strictly_necessary
from consentkit.rules.consent import Consent
from consentkit.rules.signals import NO_SIGNALS
from consentkit.rules.visitor import Standing, Visitor
from consentkit.wire.cookies import keep_pairs
from consentkit.wire.headers import without

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from starlette.types import Message, Scope, Send

    from consentkit.events import Event
    from consentkit.ready import Ready
    from consentkit.rules.policy import Policy
    from consentkit.wire.headers import HeaderList

__all__ = ["FAULT", "KEY", "STARTS", "TRAILERS", "Refuge", "safely_begun"]

KEY: Final = "consentkit"
"""Where what stands for a request is found in its scope."""

FAULT: Final = "a fault in consentkit: only strictly necessary cookies of exact name pass"
STARTS: Final = frozenset(
    {"http.response.start", "websocket.accept", "websocket.http.response.start"}
)
TRAILERS: Final = "http.response.trailers"


class Refuge:
    """Stands in for an `Exchange` where consentkit failed while reading the request.

    The app sees the strictly necessary cookies of exact name, and may set no others; nobody is
    known to have allowed anything, no page is changed. In report mode nothing is changed at all.
    """

    is_own = is_superseded = False
    events: tuple[Event, ...] = ()
    _visitor: Visitor | None = None

    def __init__(self, ready: Ready, scope: Scope, send: Send) -> None:
        """Thin the Cookie header of `scope` for the app."""
        self._ready = ready
        self._send = send
        self.policy = ready.policy
        self.tokens = ready.enforcement.tokens
        if ready.enforces:
            scope["headers"] = safely_thinned(scope["headers"], ready.policy)
        scope[KEY] = self

    @property
    def visitor(self) -> Visitor:
        """A visitor whose answers cannot be read."""
        options = self._ready.options
        standing = Standing(self.policy, Consent(readable=False), NO_SIGNALS, options.clock())
        if self._visitor is None:
            self._visitor = Visitor(standing, options.clock, report_only=options.report_only)
            self._visitor.is_late = True
        return self._visitor

    def part(self, _what: str, _language: str | None = None) -> bytes:
        """Nothing: what it would show cannot be known."""
        return b""

    def give_way(self, _scope: Scope) -> None:
        """Leave the exchange to a middleware further in; what was thinned stays thinned."""
        self.is_superseded = True

    def send(self, message: Message) -> Awaitable[None]:
        """Let one message out."""
        if message["type"] == TRAILERS and self._ready.enforces and not self.is_superseded:
            message = _without_cookies(message)
        is_start = message["type"] in STARTS and not self.is_superseded
        return self._send(safely_begun(self._ready, message) if is_start else message)

    def end(self) -> None:
        """Let go of the connection; nothing was held back."""
        del self._send


def safely_thinned(headers: Iterable[tuple[bytes, bytes]], policy: Policy) -> HeaderList:
    def may_pass(name: bytes) -> bool:
        return is_strictly_necessary(name, policy)

    thinned = [
        (name, keep_pairs(bytes(value), may_pass) if name == b"cookie" else value)
        for name, value in headers
    ]
    return [(name, value) for name, value in thinned if value or name != b"cookie"]


def safely_begun(ready: Ready, message: Message) -> Message:
    """The start of a response after a fault; in report mode as it was."""
    if not ready.enforces:
        return message
    headers = list(message.get("headers") or ())
    return {**message, "headers": only_strictly_necessary(headers, ready.policy)}


def _without_cookies(trailers: Message) -> Message:
    """Trailers without Set-Cookie, which has no place there (RFC 9110 §6.5.1)."""
    headers = without(trailers.get("headers") or (), {b"set-cookie"})
    return {**trailers, "headers": headers}
