"""The door for the app: `ConsentMiddleware`, a thin ASGI shell around the keystone.

It decides nothing itself. For each request it reads the visitor, hands the app a thinned Cookie
header, and lets every header list that leaves pass through enforcement: ``http.response.start``,
``websocket.accept`` and ``websocket.http.response.start``.

`ConsentMiddleware` is built once and never changes; an `Exchange` is made for each request and
lives as long as its response.
"""

from __future__ import annotations

import logging
import time
import warnings
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection

from consentkit.enforcement import (
    Enforcement,
    Event,
    EventLog,
    filter_headers,
    is_private,
    keep_out_of_shared_caches,
)
from consentkit.errors import NoVisitorError, OptionError, UncoveredLayerWarning
from consentkit.pages import Pages, may_be_changed, page_headers
from consentkit.routes import Endpoints, route_path
from consentkit.rules.decision import STORE, Occasion
from consentkit.rules.policy import Basis, Policy
from consentkit.rules.policy_file import check_policy
from consentkit.rules.signals import NO_SIGNALS, read_signals
from consentkit.rules.visitor import Visitor
from consentkit.wire.cookies import set_cookie_name
from consentkit.wire.headers import (
    SAFE_METHODS,
    first_values,
    is_deliberate_navigation,
    is_from_same_origin,
    is_speculative,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from consentkit.enforcement import Reading, TokenNames
    from consentkit.pages import PageEdit
    from consentkit.rules.consent import Consent
    from consentkit.rules.signals import Signal
    from consentkit.rules.visitor import Standing
    from consentkit.wire.headers import Fields, HeaderList

__all__ = ["ConsentMiddleware", "visitor_from", "visitor_from_scope"]

logger = logging.getLogger("consentkit.middleware")

KEY: Final = "consentkit"
"""Where a request's `Exchange` stands in its scope."""
SHORTEST_SECRET: Final = 32
"""Bytes of a secret; fewer are refused."""
_WATCHED: Final = frozenset(
    {b"cookie", b"sec-gpc", b"dnt", b"sec-purpose", b"purpose", b"sec-fetch-dest", b"accept"}
)
_CONDITIONS: Final = frozenset(
    {
        b"accept-encoding",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"range",
    }
)
_FILE_EXTENSIONS: Final = ("http.response.pathsend", "http.response.zerocopysend")
_STARTS: Final = frozenset(
    {"http.response.start", "websocket.accept", "websocket.http.response.start"}
)
_HARMLESS: Final = (
    CORSMiddleware,
    GZipMiddleware,
    HTTPSRedirectMiddleware,
    TrustedHostMiddleware,
)
_REDIRECTS: Final = range(300, 400)
_PATH_CHARACTERS: Final = "/-._~!$&'()*+,;=:@"


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
        - `clock`: gives POSIX seconds.
        """
        self.app = app
        self._options = _Options(
            tuple(_checked_secrets(secret_key, old_secret_keys)),
            secure,
            _checked_path(path),
            report_only,
            banner if banner is not None else not report_only,
            tuple(_checked_origins(trusted_origins)),
            clock,
            EventLog(on_decision, report_only=report_only),
        )
        self._exclude = tuple(_checked_prefixes(exclude))
        self._pick = policy if callable(policy) else None
        self._made_ready: dict[int, _Ready] = {}
        self._only = None if callable(policy) else _Ready(policy, self._options)
        self._has_looked_outside = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through; see the module's first lines."""
        if scope["type"] not in ("http", "websocket") or self._is_excluded(scope):
            await self.app(scope, receive, send)
            return
        ready = self._only or self._ready_for(scope)
        if KEY in scope and ready.stands_down_within(scope[KEY]):
            await self.app(scope, receive, send)
            return
        if not self._has_looked_outside:
            self._look_outside(scope)
        exchange = Exchange(ready, scope, send)
        app = ready.endpoints if exchange.is_own else self.app
        try:
            await app(scope, receive, exchange.send)
        finally:
            if exchange.holds_back:
                await exchange.give_up()

    def _is_excluded(self, scope: Scope) -> bool:
        if not self._exclude:
            return False
        path = route_path(scope)
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in self._exclude)

    def _ready_for(self, scope: Scope) -> _Ready:
        policy = self._pick(scope)  # type: ignore[misc] - set whenever there is no only policy
        ready = self._made_ready.get(id(policy))
        if ready is None:
            ready = self._made_ready[id(policy)] = _Ready(policy, self._options)
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
    return isinstance(layer, _HARMLESS)


def visitor_from_scope(scope: Scope) -> Visitor:
    """The visitor of an ASGI http or websocket scope. Raises NoVisitorError."""
    exchange = scope.get(KEY)
    if exchange is None:
        raise NoVisitorError(scope.get("path", ""))
    visitor: Visitor = exchange.visitor
    return visitor


def visitor_from(connection: HTTPConnection) -> Visitor:
    """The visitor of a request or websocket: what they answered, and how to record an answer.

    A FastAPI dependency as it is: ``Annotated[Visitor, Depends(visitor_from)]``. Raises
    NoVisitorError where no ConsentMiddleware stands around the app.
    """
    return visitor_from_scope(connection.scope)


class _Options:
    __slots__ = (
        "banner", "clock", "log", "path", "report_only", "secrets", "secure", "trusted",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913
        self,
        secrets: tuple[str | bytes, ...],
        secure: bool,  # noqa: FBT001
        path: str,
        report_only: bool,  # noqa: FBT001
        banner: bool,  # noqa: FBT001
        trusted: tuple[str, ...],
        clock: Callable[[], float],
        log: EventLog,
    ) -> None:
        self.secrets, self.secure, self.path = secrets, secure, path
        self.report_only, self.banner, self.trusted = report_only, banner, trusted
        self.clock, self.log = clock, log


def _checked_secrets(
    secret_key: str | bytes, old: Sequence[str | bytes]
) -> Iterable[str | bytes]:
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


def _checked_origins(origins: Collection[str]) -> Iterable[str]:
    if isinstance(origins, str):
        cure = f"Write a list: trusted_origins=[{origins!r}]."
        raise OptionError("trusted_origins", "it is one text", cure)
    for origin in origins:
        scheme, separator, host = origin.partition("://")
        if scheme not in ("http", "https") or not separator or not host or "/" in host:
            cure = "Write scheme and host, like 'https://www.example.org'."
            raise OptionError("trusted_origins", f"{origin!r} is no origin", cure)
        yield origin


class _Ready:
    """One policy under one set of options, ready for requests."""

    def __init__(self, policy: Policy, options: _Options) -> None:
        check_policy(policy)
        self.policy = policy
        self.options = options
        self.enforcement = Enforcement(
            policy, options.secrets, secure=options.secure, clock=options.clock
        )
        tokens = tuple(name.decode("ascii") for name in self.enforcement.tokens)
        self.pages = Pages(policy, tokens, options.path)
        self.endpoints = Endpoints(
            policy, options.path, tokens, visitor_from_scope, options.trusted
        )
        self.own_paths = (
            self.endpoints.paths if options.banner or not options.report_only else frozenset()
        )
        self.trusted = frozenset(origin.lower().encode("ascii") for origin in options.trusted)
        self._noted: set[str] = set()

    def stands_down_within(self, outer: Exchange) -> bool:
        """True inside a middleware with the same tokens; one with others takes over from it."""
        if outer.tokens == self.enforcement.tokens:
            if outer.policy is not self.policy:
                self.note(
                    "two-policies",
                    "two policies with the same token name are nested, so the outer one rules "
                    "alone. Give the inner policy a name of its own (token: {name: …}).",
                )
            return True
        outer.is_superseded = True
        return False

    def note(self, kind: str, message: str, *values: object) -> None:
        """Log a warning about how the site is set up, once."""
        if kind not in self._noted:
            self._noted.add(kind)
            logger.warning(message, *values)

    def note_scheme(self, fields: Fields) -> None:
        """Say once if an answer comes from a page whose scheme does not fit `secure`."""
        scheme, _, host = fields.get(b"origin", b"").partition(b"://")
        is_local = host.partition(b":")[0] in (b"localhost", b"127.0.0.1", b"[")
        if self.options.secure and scheme == b"http" and not is_local:
            self.note(
                "scheme",
                "an answer was posted from an http page, and browsers keep no Secure cookie "
                "there. Serve the site over https, or pass secure=False in development.",
            )
        elif not self.options.secure and scheme == b"https":
            self.note(
                "scheme",
                "an answer was posted from an https page, but secure=False. Pass secure=True, so "
                "that the consent token is protected.",
            )


class Exchange:
    """One request and its response, on their way through."""

    __slots__ = (
        "_before", "_edit", "_fields", "_has_begun", "_headers", "_is_navigation",
        "_is_speculative", "_lines", "_ready", "_scope", "_send", "_start", "_visitor",
        "_went_on", "events", "is_own", "is_superseded", "reading",
    )  # fmt: skip

    def __init__(self, ready: _Ready, scope: Scope, send: Send) -> None:
        """Read the visitor, and prepare the scope for the app."""
        self._ready = ready
        self._scope = scope
        self._send = send
        self._visitor: Visitor | None = None
        self._fields: Fields | None = None
        self._edit: PageEdit | None = None
        self._start: Message | None = None
        self._has_begun = self._went_on = False
        self._is_navigation = self._is_speculative = False
        self.events: tuple[Event, ...] = ()
        self.is_superseded = False
        self.is_own = scope["type"] == "http" and route_path(scope) in ready.own_paths
        self._read()
        scope[KEY] = self

    # what comes in

    def _read(self) -> None:
        headers = self._scope["headers"]
        if type(headers) is not list:
            headers = self._scope["headers"] = [(bytes(n), bytes(v)) for n, v in headers]
        self._headers: HeaderList = headers
        watched = [header for header in headers if header[0] in _WATCHED]
        lines = tuple([value for name, value in watched if name == b"cookie"])
        signals = NO_SIGNALS
        if len(watched) > len(lines):
            signals = self._read_facts(dict(watched))
        self._lines = lines
        self.reading: Reading = self._ready.enforcement.read(lines, signals)
        self._before = self.reading.standing.consent
        if self._is_navigation:
            self._prepare_navigation(signals)
        if self.reading.hidden:
            self._hide()

    def _read_facts(self, facts: dict[bytes, bytes]) -> frozenset[Signal]:
        dest = facts.get(b"sec-fetch-dest")
        if dest is None:
            self._is_navigation = b"text/html" in facts.get(b"accept", b"")
        else:
            self._is_navigation = dest == b"document"
        if b"sec-purpose" in facts or b"purpose" in facts:
            self._is_speculative = is_speculative(facts)
        if b"sec-gpc" not in facts and b"dnt" not in facts:
            return NO_SIGNALS
        return read_signals(
            [value for name, value in self._headers if name == b"sec-gpc"],
            [value for name, value in self._headers if name == b"dnt"],
        )

    def _prepare_navigation(self, signals: frozenset[Signal]) -> None:
        """Ask the app for the whole page, plain, and see whether the visitor went on."""
        ready, scope = self._ready, self._scope
        if ready.options.banner and ready.pages.is_asking and not self.is_own:
            scope["headers"] = without(self._headers, _CONDITIONS)
            extensions = scope.get("extensions")
            if extensions:
                scope["extensions"] = {
                    name: there
                    for name, there in extensions.items()
                    if name not in _FILE_EXTENSIONS
                }
        if self.reading.awaits and not self.is_own and ready.options.banner:
            consent = self._before
            held = consent.seen is not None and consent.seen.held
            if not held and is_deliberate_navigation(scope["method"], self.fields):
                now = ready.options.clock()
                self.reading = ready.enforcement.read_as(
                    consent.imply(now), self._lines, signals, now
                )
                self._went_on = True

    def _hide(self) -> None:
        """Take from the request the cookies the app may not see."""
        ready = self._ready
        self._log(self.reading.hidden)
        if not ready.options.report_only:
            rest = [header for header in self._scope["headers"] if header[0] != b"cookie"]
            rest += [(b"cookie", line) for line in self.reading.lines or ()]
            self._scope["headers"] = rest

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._ready.policy

    @property
    def tokens(self) -> TokenNames:
        """The names of the tokens in force."""
        return self._ready.enforcement.tokens

    @property
    def fields(self) -> Fields:
        """The request's headers as they came."""
        if self._fields is None:
            self._fields = first_values(self._headers)
        return self._fields

    @property
    def visitor(self) -> Visitor:
        """The visitor of this request."""
        if self._visitor is None:
            options = self._ready.options
            self._visitor = Visitor(
                self.reading.standing, options.clock, report_only=options.report_only
            )
            self._visitor.is_late = self._has_begun
        return self._visitor

    @property
    def _has_changed(self) -> bool:
        return self._visitor is not None and self._visitor.has_changed

    @property
    def _standing(self) -> Standing:
        return self._visitor.standing if self._visitor is not None else self.reading.standing

    # what goes out

    async def send(self, message: Message) -> None:
        """Let one message out: a start through enforcement, a page's body through its edit."""
        kind, edit = message["type"], self._edit
        if (kind == "http.response.body" and edit is None) or self.is_superseded:
            await self._send(message)
        elif kind == "http.response.body" and edit is not None:
            await self._send_page(message, edit)
        elif kind in _STARTS:
            begun = self._begin(message)
            if begun is not None:
                await self._send(begun)
        else:
            if self._start is not None and kind in _FILE_EXTENSIONS:
                await self.give_up()
            await self._send(message)

    @property
    def holds_back(self) -> bool:
        """True while the beginning of a page waits for the place of the notice."""
        return self._start is not None

    async def give_up(self) -> None:
        """Send what is held back, as it is."""
        start, edit = self._start, self._edit
        self._start = self._edit = None
        if start is None or edit is None:
            return
        rest = edit.given_up()
        await self._send({**start, "headers": self._page_headers(start, edit, shown=False)})
        if rest:
            await self._send({"type": "http.response.body", "body": rest, "more_body": True})

    async def _send_page(self, message: Message, edit: PageEdit) -> None:
        last = not message.get("more_body", False)
        body = edit.feed(bytes(message.get("body", b"")), last=last)
        if body is None:
            return
        start, self._start = self._start, None
        if start is not None:
            headers = self._page_headers(start, edit, shown=not edit.is_unchanged)
            await self._send({**start, "headers": headers})
        if edit.is_done:
            self._edit = None
        await self._send({**message, "body": body})

    def _begin(self, message: Message) -> Message | None:
        """The start of a response as it may go out; None while a page's start is held back."""
        self._has_begun = True
        headers = message.get("headers") or []
        if type(headers) is not list:
            headers = list(headers)
            message = {**message, "headers": headers}
        stores, shows = _what_is_in(headers)
        owes = self.reading.stale or self.reading.awaits or self._went_on or self._has_changed
        if self._visitor is not None:
            self._visitor.is_late = True
        if not (stores or shows or owes):
            return message
        try:
            return self._changed(message, headers, stores=stores, shows=shows)
        except Exception:
            logger.exception("a fault in consentkit: only strictly necessary cookies go out")
            self._edit = self._start = None
            return {**message, "headers": _strictly_necessary(headers, self.policy)}

    def _changed(
        self, message: Message, headers: HeaderList, *, stores: bool, shows: bool
    ) -> Message | None:
        if stores:
            headers = self._enforced(headers)
        message = {**message, "headers": headers}
        if shows and message["type"] == "http.response.start" and not self.is_own:
            edit = self._edit_of(message["status"], headers)
            if edit is not None:
                return self._begin_page(message, edit)
        return {**message, "headers": self._with_our_cookies(message, self._consent_after(message))}

    def _begin_page(self, message: Message, edit: PageEdit) -> Message | None:
        if self._scope["method"] == "HEAD":
            return {**message, "headers": self._page_headers(message, edit, shown=False)}
        self._edit = edit
        if edit.holds_back:
            self._start = message
            return None
        return {**message, "headers": self._page_headers(message, edit, shown=False)}

    def _edit_of(self, status: int, headers: HeaderList) -> PageEdit | None:
        ready = self._ready
        if not ready.options.banner:
            return None
        answer = first_values(headers)
        if b"content-encoding" in answer and self._is_navigation:
            ready.note(
                "encoded",
                "%s answers pages encoded (%s), so no notice can be put into them. Let the "
                "middleware that compresses stand outside ConsentMiddleware.",
                self._scope["path"],
                ascii(answer[b"content-encoding"].decode("latin-1")),
            )
        if not may_be_changed(status, answer, self.fields):
            return None
        root = self._scope.get("root_path", "")
        return ready.pages.edit(self._standing, self.fields, _address(self._scope), root)

    def _page_headers(self, message: Message, edit: PageEdit, *, shown: bool) -> HeaderList:
        """The headers of a page: ours and those that say it depends on the visitor."""
        consent = self._consent_after(message)
        pages = self._ready.pages
        if shown and edit.asks and pages.remembers_notice and not self._is_speculative:
            consent = self._with_notice_shown(consent)
        headers = self._with_our_cookies(message, consent)
        if not edit.is_unchanged:
            headers = page_headers(headers, pages.varies_by, edit.grown)
            headers = keep_out_of_shared_caches(headers, b"no-cache")
        return headers

    def _with_notice_shown(self, consent: Consent) -> Consent:
        now, policy = self._ready.options.clock(), self.policy
        seen = consent.seen
        known = seen is not None and seen.shown >= policy.revision and not seen.held
        lapsed = seen is not None and seen.time + policy.ask_again_after <= now
        return consent if known and not lapsed else consent.show(policy.revision, now)

    def _consent_after(self, message: Message) -> Consent:
        """The consent to carry out, with a redirect after a form marked as such."""
        consent = self._standing.consent
        is_redirect = message.get("status", 200) in _REDIRECTS
        if is_redirect and self.reading.awaits and self._scope["method"] not in SAFE_METHODS:
            return consent.hold()
        return consent

    def _enforced(self, headers: HeaderList) -> HeaderList:
        ready = self._ready
        enforcement = ready.enforcement
        rulings = self.reading.rulings
        if self._has_changed:
            rulings = enforcement.rulings(self._standing)
        filtered = filter_headers(
            headers, rulings, self._occasion(), self.reading.arrived, ready.options.clock()
        )
        self._log(filtered.events)
        self._log(enforcement.observe(filtered.headers, self._scope["path"]))
        if ready.options.report_only:
            return headers
        return _kept_from_shared_caches_if_it_stores(filtered.headers)

    def _occasion(self) -> Occasion:
        unsafe = self._scope.get("method", "GET") not in SAFE_METHODS
        vote = unsafe and is_from_same_origin(self.fields, self._ready.trusted)
        if not vote and not self._is_speculative:
            return STORE
        return Occasion(vote=vote, speculative=self._is_speculative)

    def _with_our_cookies(self, message: Message, consent: Consent) -> HeaderList:
        """The headers with our tokens and removals before the app's own cookies."""
        headers: HeaderList = message["headers"]
        options = self._ready.options
        if (options.report_only and not options.banner) or not self._may_carry(headers):
            return headers
        enforcement = self._ready.enforcement
        ours = [
            (b"set-cookie", value)
            for value in enforcement.token_headers(self._before, consent)
        ]
        if not options.report_only:
            ours += self._removals()
        if not ours:
            return headers
        at = next((i for i, h in enumerate(headers) if _is_set_cookie(h[0])), len(headers))
        whole = [*headers[:at], *ours, *headers[at:]]
        return whole if is_private(whole) else keep_out_of_shared_caches(whole)

    def _may_carry(self, headers: HeaderList) -> bool:
        """True if no shared cache could hand this response to somebody else."""
        scope = self._scope
        return (
            self.is_own
            or self._has_changed
            or (self._is_navigation and not self._is_speculative)
            or scope.get("method", "GET") not in SAFE_METHODS
            or is_private(headers)
        )

    def _removals(self) -> HeaderList:
        enforcement, reading = self._ready.enforcement, self.reading
        names: Sequence[bytes] = reading.stale
        if self._has_changed:
            after = enforcement.rulings(self._standing)
            names = enforcement.withdrawn(reading.rulings, after, reading.arrived)
        if not names:
            return []
        removed = enforcement.removals(names, self.fields.get(b"host", b""))
        self._log(removed.events)
        return removed.headers

    def _log(self, events: Sequence[Event]) -> None:
        if events:
            self.events += tuple(events)
            options = self._ready.options
            options.log.write(events, self._scope["path"], options.clock())


def _what_is_in(headers: HeaderList) -> tuple[bool, bool]:
    """Whether a header list stores cookies, and whether it is of a page."""
    stores = shows = False
    for name, value in headers:
        size = len(name)
        if size == 10:  # the length of set-cookie; most names are told apart by that alone
            stores = stores or _is_set_cookie(name)
        elif size == 12 and bytes(name).lower() == b"content-type":
            shows = bytes(value[:9]).lower() == b"text/html"
    return stores, shows


def _is_set_cookie(name: bytes) -> bool:
    return bytes(name).lower() == b"set-cookie"


def _kept_from_shared_caches_if_it_stores(headers: HeaderList) -> HeaderList:
    stores = any(_is_set_cookie(name) for name, _ in headers)
    says = any(bytes(name).lower() == b"cache-control" for name, _ in headers)
    return keep_out_of_shared_caches(headers) if stores and says and not is_private(headers) else headers


def _address(scope: Scope) -> bytes:
    """The request's own path and query, percent-encoded."""
    path: bytes = scope.get("raw_path") or quote(scope["path"], safe=_PATH_CHARACTERS).encode()
    query: bytes = scope.get("query_string", b"")
    path = path.partition(b"?")[0]
    return b"%b?%b" % (path, query) if query else path


def _strictly_necessary(headers: HeaderList, policy: Policy) -> HeaderList:
    """What goes out when consentkit itself fails: removals, and exact strictly necessary names."""
    return [
        (name, value)
        for name, value in headers
        if not _is_set_cookie(name) or _is_strictly_necessary(bytes(value), policy)
    ]


def _is_strictly_necessary(raw: bytes, policy: Policy) -> bool:
    declared = policy.cookies.get(set_cookie_name(raw).decode("utf-8", "surrogateescape"))
    return declared is not None and all(
        policy.basis_of(purpose) is Basis.STRICTLY_NECESSARY for purpose in declared.purpose
    )
