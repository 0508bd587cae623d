"""One request and its response, on their way through.

It has never heard of how it came to stand there; `middleware` knows that.

An `Exchange` reads the visitor and thins the Cookie header before the app runs; whatever start
message leaves passes through `Enforcement`, and a page's body through its `PageEdit`. A start is
held back only while the place of the notice is not found, so what is remembered about the notice
is true: it was really inserted.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import quote

from consentkit.enforcement import (
    filter_headers,
)
from consentkit.gating import LinkJudge, host_without_port
from consentkit.notice.text import choose_language
from consentkit.refuge import FAULT, KEY, STARTS, TRAILERS, Refuge, safely_begun
from consentkit.routes import prefix_of, route_path
from consentkit.rules.consent import Consent
from consentkit.rules.decision import STORE, Occasion
from consentkit.rules.signals import NO_SIGNALS, read_signals
from consentkit.rules.visitor import Standing, Visitor
from consentkit.wire.headers import (
    SAFE_METHODS,
    first_values,
    is_deliberate_navigation,
    is_from_same_origin,
    is_private,
    is_set_cookie,
    is_speculative,
    keep_out_of_shared_caches,
    without,
)
from consentkit.wire.representation import (
    asks_for_page,
    asks_to_show_in_a_tab,
    is_page,
    length_of,
    page_headers,
    ways_of_asking,
)
from consentkit.wire.validators import (
    links_without,
    plain_condition,
    plain_precondition,
    plain_range_condition,
    rules_without,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from starlette.types import Message, Scope, Send

    from consentkit.enforcement import Reading
    from consentkit.events import Event
    from consentkit.pages import PageEdit
    from consentkit.ready import Ready
    from consentkit.rules.policy import Policy
    from consentkit.rules.signals import Signal
    from consentkit.rulings import TokenNames
    from consentkit.wire.headers import Fields, HeaderList

__all__ = ["Exchange", "begin"]

logger = logging.getLogger("consentkit.middleware")


Lines: TypeAlias = "tuple[bytes, ...]"

_ASIDE: Final = frozenset({TRAILERS, "http.response.early_hint"})
_OF_A_TRAILER: Final = frozenset({b"set-cookie"})  # which has no place there (RFC 9110 §6.5.1)
_DIGESTS: Final = frozenset({b"content-digest", b"repr-digest"})
_FILES: Final = ("http.response.pathsend", "http.response.zerocopysend")
_TAGS: Final = frozenset({b"if-match", b"if-none-match", b"if-range"})
_CONDITIONS: Final = _TAGS | {
    b"accept-encoding",
    b"if-modified-since",
    b"if-unmodified-since",
    b"range",
}
# An unsafe method keeps its preconditions: they guard against lost updates (RFC 9110 §13.1).
_ENCODING: Final = frozenset({b"accept-encoding"})
_REDIRECTS: Final = range(300, 400)
_NAMES_OTHERS: Final = {b"link": links_without, b"speculation-rules": rules_without}
_TOLD_APART: Final = frozenset(map(len, (b"set-cookie", b"content-type", *_NAMES_OTHERS)))
_PATH_CHARACTERS: Final = "/-._~!$&'()*+,;=:@"


class _Told(NamedTuple):
    """What the headers of a start are looked at for."""

    stores: bool
    shows: bool
    links: bool


class Exchange:
    """One request and its response.

    What most exchanges never come to need stands on the class, and is set by those that do.
    """

    is_own = False
    """True for our own endpoints."""
    is_superseded = False
    """True if a middleware further in, with another policy, has taken over."""
    events: tuple[Event, ...] = ()
    """What enforcement did."""
    _visitor: Visitor | None = None
    _edit: PageEdit | None = None
    _start: Message | None = None
    _final: tuple[Standing, bool] | None = None
    _came_with: HeaderList | None = None
    _has_begun = _went_on = _is_speculative = _has_parts = False
    _asks_for_page = _is_navigation = _is_conditional = _is_page = _links_depend = _gave_up = False

    def __init__(self, ready: Ready, scope: Scope, send: Send) -> None:
        """Read the visitor, and prepare the scope for the app."""
        self._ready = ready
        self._scope = scope
        self._send = send
        self._root: str = scope.get("root_path", "")  # before a mount inside makes it longer
        path = route_path(scope) if self._root else scope["path"]
        if path in ready.own_paths:
            self.is_own = ready.answers(scope)
        fields = self._read(scope["headers"])
        signals = NO_SIGNALS
        if b"sec-gpc" in fields or b"dnt" in fields:
            signals = _signals(scope["headers"])
        if b"sec-purpose" in fields or b"purpose" in fields:
            self._is_speculative = is_speculative(fields)
        for_children = bool(ready.policy.child_directed) and self._is_for_children(path)
        self.reading: Reading = ready.enforcement.read(
            self._lines, signals, for_children=for_children
        )
        if ready.observed is not None:
            ready.observed.note_sent(self.reading.undeclared)
        is_safe = scope.get("method") in SAFE_METHODS
        if scope["type"] == "http" and asks_for_page(fields):
            self._asks_for_page = True
            self._is_navigation = fields.get(b"sec-fetch-dest", b"document") == b"document"
            if ready.changes_pages and not self.is_own:
                self._prepare_page(is_safe=is_safe)
        if ready.changes_pages and not self._is_conditional and not _TAGS.isdisjoint(fields):
            self._translate_tags()
        if self.reading.lines is not None:
            self._hide()
        scope[KEY] = self

    # what comes in

    def _is_for_children(self, path: str) -> bool:
        """True if the page is one, below ``root_path`` or as the browser knows it (LAW R-11)."""
        whole = self._scope["path"]
        return any(map(self.policy.is_for_children, {path, whole, self._root + path}))

    def _read(self, headers: Iterable[tuple[bytes, bytes]]) -> Fields:
        """The request's headers by name; the Cookie lines are kept apart, in order."""
        listed = headers if type(headers) is list else list(headers)
        try:
            fields = dict(listed)
        except TypeError:  # names that are bytes-like and cannot be looked up
            listed = [(bytes(name), bytes(value)) for name, value in listed]
            fields = dict(listed)
        if listed is not headers:
            self._scope["headers"] = listed
        if len(fields) == len(listed):
            cookie = fields.get(b"cookie")
            self._lines: Lines = () if cookie is None else (cookie,)
        else:
            fields = first_values(listed)
            self._lines = tuple(value for name, value in listed if name == b"cookie")
        self.fields: Fields = fields
        return fields

    def _prepare_page(self, *, is_safe: bool) -> None:
        """Ask the app for the whole page, plain, and see whether the visitor went on."""
        ready, scope = self._ready, self._scope
        if scope.get("extensions"):
            offered = scope["extensions"]
            scope["extensions"] = {name: offered[name] for name in offered if name not in _FILES}
        if self._is_navigation and self.reading.awaits and self._goes_on():
            now = ready.options.clock()
            self.reading = ready.enforcement.imply(self.reading, self._lines, now)
            self._went_on = True
        taken = _CONDITIONS if is_safe else _ENCODING
        if not taken.isdisjoint(self.fields):
            condition = self._asked_for_a_page() if is_safe else None
            kept = [header for header in scope["headers"] if header[0] not in taken]
            scope["headers"] = kept if condition is None else [*kept, condition]

    def _asked_for_a_page(self) -> tuple[bytes, bytes] | None:
        """The condition on a page as the app knows it (R-89).

        The browser may have the page of another answer, or one from before consentkit came; only
        what it has of this very page can be confirmed.
        """
        value = self.fields.get(b"if-none-match")
        known = value and plain_condition(value, self._variant(), is_ours_alone=True)
        if not known:
            return None
        self._is_conditional = True
        return b"if-none-match", known

    def _translate_tags(self) -> None:
        """Conditions on what need not be a page, in the app's own ETags."""
        taken: set[bytes] = set()
        kept: HeaderList = []
        for name, value in self._scope["headers"]:
            known: bytes | None = value
            if name == b"if-none-match":
                known = plain_condition(value, self._variant())
                self._is_conditional = known not in (None, value)
            elif name == b"if-match":
                known = plain_precondition(value)
            elif name == b"if-range":
                known = plain_range_condition(value)
            if known is None:  # and what it stood beside would be no question without it
                taken.add({b"if-none-match": b"if-modified-since"}.get(name, b"range"))
            else:
                kept.append((name, known))
        self._scope["headers"] = without(kept, taken) if taken else kept

    @property
    def _prefix(self) -> str:
        return prefix_of(self._root)

    @property
    def _address(self) -> bytes:
        """The request's own path and query, percent-encoded, as the browser knows them."""
        scope = self._scope
        path: bytes = scope.get("raw_path") or quote(scope["path"], safe=_PATH_CHARACTERS).encode()
        if self._root and not scope["path"].startswith(self._root):
            path = self._prefix.encode() + path  # a proxy took the prefix off
        query: bytes = scope.get("query_string", b"")
        return b"%b?%b" % (path, query) if query else path

    def _variant(self) -> bytes:
        """What tells this visitor's page from the others made of the same one."""
        pages = self._ready.pages
        return pages.variant(pages.view(self._standing), self.fields, self._prefix)

    def _goes_on(self) -> bool:
        standing = self.reading.standing
        seen = standing.consent.seen
        held = standing.for_children or (seen is not None and seen.held)
        return not held and is_deliberate_navigation(self._scope["method"], self.fields)

    def _hide(self) -> None:
        """Take from the request the cookies the app may not see."""
        self._log(self.reading.hidden)
        if self._ready.enforces:
            self._came_with = [
                header for header in self._scope["headers"] if header[0] == b"cookie"
            ]
            rest = [header for header in self._scope["headers"] if header[0] != b"cookie"]
            rest += [(b"cookie", line) for line in self.reading.lines or ()]
            self._scope["headers"] = rest

    def give_way(self, scope: Scope) -> None:
        """Leave the exchange to a middleware further in, with the cookies as they came."""
        self.is_superseded = True
        if self._came_with is not None:
            rest = [header for header in scope["headers"] if header[0] != b"cookie"]
            scope["headers"] = rest + self._came_with

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._ready.policy

    @property
    def tokens(self) -> TokenNames:
        """The names of the tokens in force."""
        return self._ready.enforcement.tokens

    @property
    def visitor(self) -> Visitor:
        """The visitor of this request."""
        if self._visitor is None:
            clock, enforces = self._ready.options.clock, self._ready.enforces
            self._visitor = Visitor(self.reading.standing, clock, report_only=not enforces)
            self._visitor.is_late = self._has_begun
        return self._visitor

    @property
    def _has_changed(self) -> bool:
        if self._final is not None:
            return self._final[1]
        return self._visitor is not None and self._visitor.has_changed

    @property
    def _standing(self) -> Standing:
        """Where the visitor stands; what they answer once the response has begun is too late."""
        if self._final is not None:
            return self._final[0]
        return self._visitor.standing if self._visitor is not None else self.reading.standing

    # what goes out

    def send(self, message: Message) -> Awaitable[None]:
        """Let one message out: a start through enforcement, a page's body through its edit."""
        if message["type"] in STARTS and not self.is_superseded:
            begun = self._begin(message)
            return _nothing() if begun is None else self._send(begun)
        if message["type"] in _ASIDE and self._ready.enforces and not self.is_superseded:
            message = self._aside(message)
        if self._edit is not None:
            return self._send_on(message, self._edit)
        if self._is_page and self._scope["method"] == "HEAD" and "body" in message:
            message = {**message, "body": b""}  # a layer outside would take it for the page
        return self._send(message)

    def _aside(self, message: Message) -> Message:
        """Trailers without cookies; early hints that name nobody who may not be asked (R-54)."""
        if message["type"] == TRAILERS:
            taken = _OF_A_TRAILER | _DIGESTS if self._is_page else _OF_A_TRAILER
            return {**message, "headers": without(message.get("headers") or (), taken)}
        left = [self._links_left(bytes(value)) for value in message.get("links") or ()]
        return {**message, "links": [value for value in left if value is not None]}

    async def give_up(self) -> None:
        """Send what is held back, as it is."""
        start, edit = self._start, self._edit
        self._start = self._edit = None
        self._gave_up = True
        rest = edit.given_up() if edit is not None else b""
        if start is not None and edit is not None:
            await self._send({**start, "headers": self._page_headers(start, edit)})
        if rest:
            await self._send({"type": "http.response.body", "body": rest, "more_body": True})

    def end(self) -> Awaitable[None] | None:
        """Let go of the connection; what to await first, where a page is not through."""
        if self._edit is not None:
            return self._give_up_and_end()
        del self._scope, self._send
        return None

    async def _give_up_and_end(self) -> None:
        await self.give_up()
        self.end()

    async def _send_on(self, message: Message, edit: PageEdit) -> None:
        if message["type"] != "http.response.body":
            if message["type"] in _FILES:
                await self.give_up()
            await self._send(message)
            return
        last = not message.get("more_body", False)
        body = edit.feed(bytes(message.get("body", b"")), last=last)
        self._log(edit.take_events())
        if edit.is_through:
            self._edit = None
        if not self._ready.changes_pages:
            await self._send(message)
            return
        if body is None:
            return
        start, self._start = self._start, None
        if start is not None:
            await self._send({**start, "headers": self._page_headers(start, edit)})
        await self._send({**message, "body": body})

    def _begin(self, message: Message) -> Message | None:
        """The start of a response as it may go out; None while a page's start is held back."""
        self._has_begun = True
        visitor = self._visitor
        if visitor is not None:
            visitor.is_late = True
        headers = message.get("headers") or []
        if type(headers) is not list:
            headers = list(headers)
            message = {**message, "headers": headers}
        stores = shows = links = False
        for name, value in headers:
            if name == b"content-type":
                shows = _is_html(value)
            elif name == b"set-cookie":
                stores = True
            elif len(name) in _TOLD_APART:  # another spelling of the two, or a link
                lower = bytes(name).lower()
                stores = stores or lower == b"set-cookie"
                shows = shows or (lower == b"content-type" and _is_html(value))
                links = links or lower in _NAMES_OTHERS
        owes = self.reading.owes or self._went_on or (visitor is not None and visitor.has_changed)
        if stores or shows or owes or links or self._is_conditional or self._asks_for_page:
            told = _Told(stores=stores, shows=shows, links=links)
            return self._guarded(message, headers, told)
        return message

    def _guarded(self, message: Message, headers: HeaderList, told: _Told) -> Message | None:
        self._final = self._standing, self._has_changed
        try:
            return self._held_to_policy(message, headers, told)
        except Exception:
            logger.exception(FAULT)
            self._edit = self._start = None
            return safely_begun(self._ready, {**message, "headers": headers})

    def _held_to_policy(self, message: Message, headers: HeaderList, told: _Told) -> Message | None:
        if told.stores:
            headers = self._enforced(headers)
        if told.links:
            headers = self._linked(headers)
        if told.stores or told.links:
            message = {**message, "headers": headers}
        if told.shows and not self.is_own and self._may_edit(message):
            return self._begin_page(message)
        pages = self._ready.pages
        if self._is_conditional and message.get("status") == HTTPStatus.NOT_MODIFIED:
            message, _ = self._policed(message)
            headers = page_headers(message["headers"], pages.vary, None, self._variant())
            message = {**message, "headers": headers}
        elif self._asks_for_page and self._ready.policing.is_on and _is_document(headers):
            message, _ = self._policed(message)  # nobody reads it, so the browser keeps watch
            message = {**message, "headers": page_headers(message["headers"], pages.vary, None)}
        if self.reading.owes or self._went_on or self._has_changed:
            return self._with_our_cookies(message, self._consent_after(message))
        return message

    def _linked(self, headers: HeaderList) -> HeaderList:
        """The headers without links that fetch from where nobody may be asked (R-54)."""
        left: HeaderList = []
        for name, value in headers:
            without_some = _NAMES_OTHERS.get(bytes(name).lower())
            kept = value if without_some is None else self._links_left(bytes(value), without_some)
            left += [] if kept is None else [(name, kept)]
        if not self._links_depend:
            return left if self._ready.enforces else headers
        vary = self._ready.pages.vary
        return page_headers(left, vary, None) if self._ready.enforces else headers

    def _links_left(
        self,
        value: bytes,
        without_some: Callable[[bytes, Callable[[str], bool]], bytes | None] = links_without,
    ) -> bytes | None:
        judge = LinkJudge(self._ready.pages.view(self._standing).loading)
        host = host_without_port(self.fields.get(b"host", b""))
        left = without_some(
            value, lambda found: self.policy.is_first_party(found, host) or judge.may_load(found)
        )
        self._log(judge.events)
        self._links_depend |= judge.depends
        return left

    def _enforced(self, headers: HeaderList) -> HeaderList:
        ready, reading = self._ready, self.reading
        rulings = reading.rulings
        if self._has_changed:
            rulings = ready.enforcement.rulings(self._standing)
        filtered = filter_headers(
            headers, rulings, self._occasion(), reading.arrived, ready.options.clock()
        )
        self._log(filtered.events)
        if filtered.stored:
            path = self._address.partition(b"?")[0].decode("latin-1")
            different = ready.enforcement.observe(filtered.stored, path)
            if different:
                self._log(different)
        return filtered.headers if ready.enforces else headers

    def _occasion(self) -> Occasion:
        vote = self._scope.get("method", "GET") not in SAFE_METHODS and is_from_same_origin(
            self.fields, self._ready.endpoints.trusted
        )
        if not vote and not self._is_speculative:
            return STORE
        return Occasion(vote=vote, speculative=self._is_speculative)

    # pages

    def _may_edit(self, message: Message) -> bool:
        if message["type"] != "http.response.start":
            return False
        headers: HeaderList = message["headers"]
        if is_page(message["status"], headers):
            return True
        encoding = first_values(headers).get(b"content-encoding") if self._is_navigation else None
        if encoding is not None and encoding.lower() != b"identity":
            self._ready.note(
                "encoded",
                "%s is answered encoded (%s), so no notice can be put into it. Let the layer that "
                "compresses stand outside ConsentMiddleware.",
                ascii(self._scope["path"]),
                ascii(encoding.decode("latin-1")),
            )
        return False

    def _begin_page(self, message: Message) -> Message | None:
        """Hold the start of a page back until the first bytes of its body may go out."""
        ready, scope = self._ready, self._scope
        if not ready.changes_pages:
            self._edit = self._made(message, None)
            return message
        message, nonce = self._policed(message)
        edit = self._made(message, nonce)
        self._is_page = True
        if scope["method"] == "HEAD":
            return {**message, "headers": self._page_headers(message, edit)}
        self._edit, self._start = edit, message
        return None

    def _policed(self, message: Message) -> tuple[Message, bytes | None]:
        """The start of a page under its Content-Security-Policy, and the nonce of its scripts."""
        ready = self._ready
        headers, nonce = ready.policing.police(
            message["headers"],
            ready.pages.view(self._standing).at_most,
            self.fields.get(b"host", b""),
            self._prefix,
            is_whole=message["status"] != HTTPStatus.NOT_MODIFIED,
        )
        return ({**message, "headers": headers} if ready.policing.is_on else message), nonce

    def _made(self, message: Message, nonce: bytes | None) -> PageEdit:
        return self._ready.pages.edit(
            self._standing,
            self.fields,
            self._address,
            self._prefix,
            in_a_tab=asks_to_show_in_a_tab(self.fields),
            nonce=nonce or b"",
            length=length_of(message["headers"]),
            has_parts=self._has_parts,
        )

    def part(self, what: str, language: str | None = None) -> bytes:
        """The markup of ``cookies``, ``preferences`` or ``settings-link``, for a template.

        `language` is a tag; without one the visitor's browser decides. Where nothing is shown, as
        in report mode, it is empty.
        """
        pages, options = self._ready.pages, self._ready.options
        if not options.banner:
            return b""
        self._has_parts = True
        offered = self.policy.languages
        chosen = choose_language(offered, (language,)) if language else ""
        return pages.part(
            what,
            chosen or pages.language(b"", self.fields),
            self._standing,
            self._prefix + options.path,
            self._address,
        )

    def _page_headers(self, message: Message, edit: PageEdit) -> HeaderList:
        """The headers of a page: our cookies, and that it depends on the visitor."""
        try:
            return self._full_page_headers(message, edit)
        except Exception:
            logger.exception(FAULT)
            headers = safely_begun(self._ready, message)["headers"]
            return page_headers(headers, self._ready.pages.vary, edit.grown)

    def _full_page_headers(self, message: Message, edit: PageEdit) -> HeaderList:
        pages = self._ready.pages
        consent = self._consent_after(message)
        if edit.was_asked and pages.remembers_notice and not self._is_speculative:
            consent = self._with_notice_shown(consent)
        headers: HeaderList = self._with_our_cookies(message, consent)["headers"]
        vary = [] if edit.in_a_tab or not pages.shows else ways_of_asking(self.fields)
        if edit.depends:
            vary.append(pages.vary)
        if pages.is_shared and not edit.in_a_tab:  # it must not stand in for the page of a tab
            headers = keep_out_of_shared_caches(headers)
        is_same = self._gave_up and edit.grown is None
        variant = b"" if is_same else self._variant()
        return page_headers(headers, b", ".join(filter(None, vary)), edit.grown, variant)

    def _with_notice_shown(self, consent: Consent) -> Consent:
        now, policy, seen = self._ready.options.clock(), self.policy, consent.seen
        has_lapsed = seen is not None and seen.time + policy.ask_again_after <= now
        if seen is None or seen.held or seen.shown < policy.revision or has_lapsed:
            return consent.show(policy.revision, now, has_lapsed=has_lapsed)
        return consent

    # our own cookies

    def _consent_after(self, message: Message) -> Consent:
        """The consent to carry out; a redirect after a form is no page the visitor went to."""
        consent = self._standing.consent
        is_redirect = message.get("status", 200) in _REDIRECTS
        if is_redirect and self.reading.awaits and self._scope["method"] not in SAFE_METHODS:
            return consent.hold()
        return consent

    def _with_our_cookies(self, message: Message, consent: Consent) -> Message:
        """The start with our tokens and removals before the app's own cookies."""
        ready, headers = self._ready, message.get("headers") or []
        before = self.reading.before
        if consent is before and not self.reading.stale:
            return message
        if not self._may_carry(headers):
            return message
        removals = self._removals()
        if not (ready.enforces or ready.options.banner):
            return message
        ours = [
            (b"set-cookie", value) for value in ready.enforcement.token_headers(before, consent)
        ]
        if ready.enforces:
            ours += removals
        if not ours:
            return message
        at = next((i for i, h in enumerate(headers) if is_set_cookie(h[0])), len(headers))
        whole = [*headers[:at], *ours, *headers[at:]]
        if message["type"] != "websocket.accept":
            whole = keep_out_of_shared_caches(whole)
        return {**message, "headers": whole}

    def _may_carry(self, headers: HeaderList) -> bool:
        """True if no shared cache could hand this response to somebody else."""
        return (
            self.is_own
            or self._has_changed
            or (self._is_navigation and not self._is_speculative)
            or self._scope.get("method", "GET") not in SAFE_METHODS
            or is_private(headers)
        )

    def _removals(self) -> HeaderList:
        enforcement, reading = self._ready.enforcement, self.reading
        names: Sequence[bytes] = reading.stale
        came_to: bytes | None = self._address.partition(b"?")[0]
        if self._has_changed:
            came_to = None
            before = enforcement.rulings(reading.standing.elsewhere)
            after = enforcement.rulings(self._standing.elsewhere)
            names = enforcement.withdrawn(before, after, reading.arrived)
        if not names:
            return []
        removed = enforcement.removals(names, self.fields.get(b"host", b""), came_to)
        self._log(removed.events)
        return removed.headers

    def _log(self, events: Sequence[Event]) -> None:
        if events:
            self.events += tuple(events)
            options = self._ready.options
            options.log.write(events, self._scope["path"], options.clock())
            if self._ready.observed is not None:
                self._ready.observed.note_events(events)


def begin(ready: Ready, scope: Scope, send: Send) -> Exchange | Refuge:
    """The exchange of one request, or what stands in for it where consentkit fails (DESIGN §9)."""
    try:
        return Exchange(ready, scope, send)
    except Exception:
        logger.exception(FAULT)
        return Refuge(ready, scope, send)


def _is_html(content_type: bytes) -> bool:
    return content_type[:4] != b"appl" and b"text/html" in bytes(content_type[:16]).lower()


def _is_document(headers: HeaderList) -> bool:
    """True for what a browser shows as a page of its own, HTML or not: XHTML, SVG, XML."""
    return any(
        bytes(name).lower() == b"content-type" and _is_markup(bytes(value).lower())
        for name, value in headers
    )


def _is_markup(content_type: bytes) -> bool:
    return b"html" in content_type or b"xml" in content_type.partition(b";")[0]


async def _nothing() -> None:
    """What there is to await for a message that is held back."""


def _signals(headers: HeaderList) -> frozenset[Signal]:
    return read_signals(
        [value for name, value in headers if name == b"sec-gpc"],
        [value for name, value in headers if name == b"dnt"],
    )
