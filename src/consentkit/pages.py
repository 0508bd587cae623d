"""Pages on their way out: what one policy makes of them, for one visitor.

It has never heard of messages: it is given chunks of bytes, and gives chunks of bytes.

The notice is the first child of ``<body>``: the place is found by scanning the head alone, so the
cost does not grow with the page, and a page that streams goes on streaming. Tags that fetch from
elsewhere wait by insertion too. What cannot be changed safely stays as it is, byte for byte
(RFC 9110 §7.7; LAW R-86, R-87).
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.gating import Loading, PageJudge, Place, host_without_port
from consentkit.memory import Memory
from consentkit.notice.assets import SHEETS, asset, assets_of, scripts_of
from consentkit.notice.banner import (
    Links,
    Shown,
    State,
    banner_markup,
    settings_link,
    shown_to,
)
from consentkit.notice.declaration import declaration_table
from consentkit.notice.preferences import Frame, preferences_markup
from consentkit.notice.scripts import head_scripts, state_json
from consentkit.notice.templates import digest_of_templates
from consentkit.notice.text import choose_language
from consentkit.rules.consent import NOBODY_YET, Consent
from consentkit.rules.policy import Basis, Csp, PagesMode, Policy
from consentkit.rules.signals import NO_SIGNALS
from consentkit.rules.visitor import Standing
from consentkit.wire.body_start import NOWHERE, BodyStart, head_start, page_language
from consentkit.wire.csp import has_meta_policy, own_source
from consentkit.wire.gate import Gate
from consentkit.wire.headers import accepted_languages
from consentkit.wire.representation import asks_to_show_in_a_frame, asks_to_show_in_a_tab

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consentkit.events import Event
    from consentkit.notice.scripts import Hole
    from consentkit.wire.headers import Fields

__all__ = ["KnownStart", "PageEdit", "Pages", "View"]

logger = logging.getLogger("consentkit.pages")

ATTRIBUTE: Final = b"data-consentkit"
_NEXT_LIMIT: Final = 2000
_LONGEST_KEY: Final = 4000

LONGEST_KNOWN: Final = 256 << 10
"""Bytes of the longest page that is remembered."""
MOST_PREFIXES: Final = 8
"""Languages and prefixes under which one notice is found without looking further."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What pages are to one visitor, and to all who stand where they stand.

    `shown` is what the notice shows; `loading` is what may load, `at_most` what a script may let
    load later without another page. `told` is what the page tells its script, the allowed
    `purposes` among it. `key` is another one wherever the page would be.
    """

    shown: Shown
    purposes: frozenset[str]
    loading: Loading
    at_most: Loading
    told: str
    key: bytes
    notices: dict[tuple[str, str], tuple[Hole, Hole]] = field(default_factory=dict)
    variants: dict[tuple[str, str, bool, bool], bytes] = field(default_factory=dict)


class Visit(NamedTuple):
    """Whose page it is: the visitor's standing and view, and where on the site it stands.

    `back` is the page to come back to, `prefix` where the endpoints are; `nonce` is the one that
    the page's own scripts carry.
    """

    standing: Standing
    view: View
    request: Fields
    back: bytes
    prefix: str
    nonce: bytes


class KnownPage(NamedTuple):
    """A whole page as the app sent it, and what the gate made of it.

    `parts` stand before the head's scripts, between them and the notice, and after it; of a page
    `without_place` there is one. The scripts and the notice are put in anew each time.
    """

    body: bytes
    parts: tuple[bytes, ...]
    language: str
    prefix: str
    events: tuple[Event, ...]
    depends: bool

    @property
    def size(self) -> int:
        """Bytes it takes."""
        return len(self.body) + sum(map(len, self.parts)) + 1024


class KnownStart:
    """Finds where a page's body begins, at once if the page begins as it did the last time.

    A scan that ends at a ``<body>`` tag depends on nothing that follows it, so a page that has
    the same bytes up to there has its place there.
    """

    __slots__ = ("_address", "_heads", "_scan")

    LARGEST: Final = 16 << 10

    def __init__(self, heads: Memory[bytes, bytes], address: bytes) -> None:
        """`heads` remembers the beginning of each page by its address."""
        self._heads, self._address = heads, address
        self._scan: BodyStart | None = None

    def feed(self, chunk: bytes, *, last: bool) -> tuple[bytes, int] | None:
        """What was held back and the place in it (or NOWHERE), None if more is needed."""
        if self._scan is None:
            head = self._heads.get(self._address)
            if head is not None and chunk.startswith(head):
                return chunk, len(head)
            self._scan = BodyStart(may_close=True)
        found = self._scan.feed(chunk, last=last)
        if found is None:
            return None
        held = self._scan.held
        self._remember(held[:found] if found > 0 else b"")
        return held, found

    def _remember(self, head: bytes) -> None:
        if 0 < len(head) <= self.LARGEST and BodyStart().feed(head, last=False) == len(head):
            self._heads.put(self._address, head, len(head) + len(self._address))

    @property
    def closing(self) -> bytes:
        """What has to stand before the notice, where the author left something open."""
        return self._scan.closing if self._scan is not None else b""

    @property
    def held(self) -> bytes:
        """What is held back."""
        return self._scan.held if self._scan is not None else b""


class Pages:
    """What one policy makes of pages, worked out once for each standing, language and prefix."""

    def __init__(
        self, policy: Policy, tokens: Sequence[str], path: str, *, enforces: bool, shows: bool
    ) -> None:
        """`tokens` are the names of our own two cookies, `path` where the endpoints are.

        Where it `enforces`, tags wait; where it `shows`, the notice goes into pages.
        """
        self._policy = policy
        self._tokens = tokens
        self._path = path
        self.enforces = enforces
        self._views: Memory[Standing, View] = Memory(512, 1)
        self._notices: Memory[tuple[object, ...], tuple[Hole, Hole]] = Memory(256, 1 << 20)
        made_of = hashlib.blake2b(policy.model_dump_json().encode(), digest_size=16)
        made_of.update(digest_of_templates(policy))
        made_of.update("".join(each.name for each in assets_of(policy)).encode())
        self._made_of = made_of.digest()
        self._heads: Memory[bytes, bytes] = Memory(256, 1 << 20)
        self._known: Memory[object, KnownPage] = Memory(256, 8 << 20)
        self.is_asking = bool(policy.optional_purposes)
        self.shows = shows and (self.is_asking or policy.settings_link == "always")
        self.is_shared = policy.pages is PagesMode.SHARED
        self.fills = shows and bool(policy.placeholders)
        self._has_noted = False
        self._is_policed = enforces and policy.csp is Csp.ENFORCE and not self.is_shared
        self.has_head_scripts = bool(scripts_of(policy))
        self.remembers_notice = not self.is_shared and any(
            policy.basis_of(name) is Basis.IMPLIED for name in policy.optional_purposes
        )
        self.vary = b", ".join(self._varies_by())
        self._markers = tuple(marker.encode() for marker in policy.services_with_markers)

    def _varies_by(self) -> Sequence[bytes]:
        policy = self._policy
        if self.is_shared:
            return []
        languages = [b"Accept-Language"] if len(policy.languages) > 1 else []
        signals = {s for name in policy.optional_purposes for s in policy.purposes[name].honours}
        headers = {"gpc": b"Sec-GPC", "dnt": b"DNT"}
        asked = [b"Cookie"] if policy.optional_purposes else []
        return [*asked, *(headers[signal] for signal in sorted(signals)), *languages]

    def view(self, standing: Standing) -> View:
        """What pages are to a visitor, worked out once for each standing."""
        if self.is_shared:
            return self._view_of_children if standing.for_children else self._view_of_all
        found = self._views.get(standing)
        if found is None:
            loading = Loading(standing)
            found = self._viewed(
                shown_to(standing, is_enforced=self.enforces), standing, loading, loading
            )
            self._views.put(standing, found, 0)
        return found

    @cached_property
    def _view_of_all(self) -> View:
        """The one view of pages that all visitors share.

        Nothing optional loads before a script has asked what this visitor's answers are.
        """
        policy, asked = self._policy, self._policy.optional_purposes
        nobody = Standing(policy, Consent().refuse(asked, policy.revision, 0), NO_SIGNALS, 0)
        everybody = Consent().grant(asked, policy.revision, 0, NO_SIGNALS)
        at_most = Loading(Standing(policy, everybody, NO_SIGNALS, 0))
        return self._viewed(Shown(State.ASK, asked), nobody, Loading(nobody), at_most)

    @cached_property
    def _view_of_children(self) -> View:
        """The one view of pages for children that all visitors share."""
        nobody = Standing(self._policy, NOBODY_YET, NO_SIGNALS, 0, for_children=True)
        loading = Loading(nobody)
        return self._viewed(shown_to(nobody), nobody, loading, loading)

    def _viewed(self, shown: Shown, standing: Standing, loading: Loading, at_most: Loading) -> View:
        policy = self._policy
        # Where nothing is enforced, nothing waits and nothing is cleared.
        purposes = loading.purposes if self.enforces else frozenset(policy.purposes)
        services = loading.services if self.enforces else frozenset(policy.services)
        asked = standing.open_purposes
        clears = standing.elsewhere is standing
        told = state_json(policy, purposes, services, asked, clears=clears)
        may_load = (sorted(loading.purposes), sorted(loading.services))
        sets = sorted(shown.only_asked), sorted(shown.honoured), sorted(shown.singles)
        plain = (
            *(shown.state, shown.asked, shown.known, shown.allowed),
            *(shown.has_answered, shown.has_granted, shown.is_enforced),
        )
        winning = sorted(loading.winning(policy.purposes))
        parts = (*plain, *sets, winning, told, may_load, self._path)
        digest = hashlib.blake2b(repr(parts).encode(), digest_size=8, key=self._made_of)
        key = digest.hexdigest().encode()
        return View(shown, purposes, loading, at_most, told, key)

    def variant(self, view: View, request: Fields, root_path: str) -> bytes:
        """What tells the page that a visitor gets from all others made of the same one (R-89)."""
        shown_in = asks_to_show_in_a_tab(request), asks_to_show_in_a_frame(request)
        place = (self.language(b"", request), root_path, *shown_in)
        found = view.variants.get(place)
        if found is None:
            digest = hashlib.blake2b(repr(place).encode(), digest_size=8, key=view.key)
            found = digest.hexdigest().encode()
            if len(view.variants) < MOST_PREFIXES:
                view.variants[place] = found
        return found

    def _wanted(self, request: Fields) -> bytes:
        """The languages a browser wants, where they count."""
        if len(self._policy.languages) == 1 or self.is_shared:
            return b""
        return request.get(b"accept-language", b"")

    def edit(  # noqa: PLR0913 - whose page, and which
        self,
        standing: Standing,
        request: Fields,
        address: bytes,
        root_path: str,
        *,
        in_a_tab: bool,
        nonce: bytes = b"",
        length: int | None = None,
        has_parts: bool = False,
    ) -> PageEdit:
        """How a page is changed for a visitor.

        `address` is the page's own path and query, percent-encoded, to come back to; `root_path`
        stands before the endpoints' own. A page `in_a_tab` gets the notice; `length` is how many
        bytes its headers say it has. Where it `has_parts`, its template has put them in already.
        """
        view = self.view(standing)
        # A part that a script puts into a page is no page to come back to.
        is_a_page = in_a_tab or asks_to_show_in_a_frame(request)
        back = address if is_a_page and len(address) <= _NEXT_LIMIT else b"/"
        if self.is_shared:  # one visitor's query is nobody else's business
            back = back.partition(b"?")[0]
        visit = Visit(standing, view, request, back, root_path + self._path, nonce)
        is_filled = in_a_tab and self._is_filled(address, root_path)
        host = request.get(b"host", b"")
        key: object = None
        if not is_filled and not has_parts and len(host) + len(address) <= _LONGEST_KEY:
            key = (self.variant(view, request, root_path), host, address)
        return PageEdit(
            self,
            visit,
            KnownStart(self._heads, address) if in_a_tab and self.shows else None,
            in_a_tab=in_a_tab,
            length=length,
            key=key,
            is_filled=is_filled,
            has_parts=has_parts,
        )

    def note_meta_policy(self, head: bytes) -> None:
        """Say once that a page has a Content-Security-Policy that nobody tightens."""
        if self._is_policed and not self._has_noted and has_meta_policy(head):
            self._has_noted = True
            logger.warning(
                "a page has a Content-Security-Policy in a <meta> element. It counts beside the "
                "header's, and consentkit's own style sheet, script and form have to pass it too: "
                "better send it as a header."
            )

    def known(self, key: object, body: bytes) -> KnownPage | None:
        """The page of this key, if it has these bytes."""
        found = self._known.get(key)
        return found if found is not None and found.body == body else None

    def remember(self, key: object, page: KnownPage) -> None:
        """Remember a page that came whole and is not too long."""
        if len(page.body) <= LONGEST_KNOWN:
            self._known.put(key, page, page.size)

    def language(self, of_page: bytes, request: Fields) -> str:
        """The language of the notice: the page's own before those the browser wants."""
        if len(self._policy.languages) == 1:
            return self._policy.languages[0]
        tag = page_language(of_page)
        tags = accepted_languages(self._wanted(request))
        return choose_language(self._policy.languages, (tag, *tags) if tag else tags)

    def _is_filled(self, address: bytes, root_path: str) -> bool:
        if not self.fills:
            return False
        listed = self._policy.placeholders
        path = address.partition(b"?")[0].decode("latin-1").removeprefix(root_path)
        return path in listed or "*" in listed

    def notice(self, view: View, language: str, prefix: str) -> tuple[Hole, Hole]:
        """What stands first in the head and first in the body, rendered once for all alike.

        Within a view it is found by language and prefix alone.
        """
        found = view.notices.get((language, prefix))
        if found is None:
            found = self._notice(view, language, prefix)
            if len(view.notices) < MOST_PREFIXES:
                view.notices[language, prefix] = found
        return found

    def _notice(self, view: View, language: str, prefix: str) -> tuple[Hole, Hole]:
        key = (view.key, language, prefix)
        found = self._notices.get(key)
        if found is None:
            found = self._head(view, prefix), self._body(view, language, prefix)
            self._notices.put(key, found, len(found[0].before) + len(found[1].before) + 4096)
        return found

    def _head(self, view: View, prefix: str) -> Hole:
        urls = {name: self._url(name, prefix) for name in scripts_of(self._policy)}
        return head_scripts(self._policy, view.purposes, urls)

    def _body(self, view: View, language: str, prefix: str) -> Hole:
        return banner_markup(
            self._policy,
            language,
            view.shown,
            Links(
                prefix,
                self._url("consent.css", prefix),
                self._url("consent.js", prefix),
                prefix.removesuffix(self._path),
            ),
            told=view.told,
            # Nobody's answer counts on a page for children, so there is nothing to ask first.
            is_shared=self.is_shared and view.shown.state is not State.CHILDREN,
            is_policed=self._is_policed,
        )

    def part(self, what: str, language: str, standing: Standing, prefix: str, back: bytes) -> bytes:
        """What stands inside an element that asks for `what`; nothing for a word nobody knows."""
        sheets = [self._url(name, prefix) for name in SHEETS]
        if what == "cookies":
            policy, tokens = self._policy, self._tokens
            return declaration_table(policy, language, stylesheets=sheets, tokens=tokens)
        # Switches would stand for what is off here, and could be on elsewhere.
        is_link = what == "preferences" and standing.for_children
        if what == "settings-link" or is_link:
            return settings_link(self._policy, language, path=prefix)
        if what == "preferences":
            return preferences_markup(
                language,
                standing,
                Frame.PART,
                path=prefix,
                stylesheets=sheets,
                next_path=back.decode("latin-1"),
                tokens=self._tokens,
                is_enforced=self.enforces,
            )
        return b""

    def gate(
        self, judge: PageJudge, request: Fields, fill: Callable[[str], bytes], *, is_filled: bool
    ) -> Gate:
        """What has the tags of one page judged, and its placeholders filled in."""
        host = host_without_port(request.get(b"host", b""))
        return Gate(
            judge.judge,
            is_own=lambda found: self._policy.is_first_party(found, host),
            markers=self._markers,
            judge_marker=judge.judge_marker,
            attribute=ATTRIBUTE if is_filled else None,
            fill=fill,
            template=judge.template,
        )

    @staticmethod
    def _url(name: str, prefix: str) -> str:
        return f"{prefix}/assets/{asset(name).name}"


class PageEdit:
    """One page on its way out to one visitor, chunk by chunk.

    The notice goes in where the body begins; tags that fetch from elsewhere are judged, and
    placeholders filled, wherever they stand. The first chunk that may go out tells what the
    headers have to say: `grown` and `depends`.
    """

    _beginning = b""
    _was_shown = _has_place = _has_failed = False
    is_through = False
    """True once nothing follows that could be changed."""
    _taken = _given = 0
    _language: str | None = None
    _depends = False
    _events: tuple[Event, ...] = ()

    def __init__(  # noqa: PLR0913 - what a page is changed by
        self,
        pages: Pages,
        visit: Visit,
        start: KnownStart | None,
        *,
        in_a_tab: bool,
        length: int | None,
        key: object,
        is_filled: bool,
        has_parts: bool,
    ) -> None:
        """Nothing is looked for before the first chunk comes; `start` finds the notice's place.

        `key` is that under which the page is remembered, None for one that is not: if its
        placeholders are filled in, it depends on more.
        """
        self._pages, self._visit, self._start = pages, visit, start
        self.in_a_tab, self._length, self._key = in_a_tab, length, key
        self._is_filled, self._has_parts = is_filled, has_parts
        self._prefix = visit.prefix

    @cached_property
    def _judge(self) -> PageJudge:
        visit = self._visit
        is_asked = not visit.standing.for_children
        can_answer = is_asked and not asks_to_show_in_a_frame(visit.request)
        place = Place(visit.prefix, visit.back, self._read_language, can_answer)
        return PageJudge(visit.view.loading, place, enforces=self._pages.enforces)

    @cached_property
    def _gate(self) -> Gate:
        return self._pages.gate(
            self._judge, self._visit.request, self._fill, is_filled=self._is_filled
        )

    @property
    def was_asked(self) -> bool:
        """True if the notice stands in the page and asks something."""
        return self._was_shown and self._visit.view.shown.is_asking

    @property
    def depends(self) -> bool:
        """True if another visitor might get another page."""
        if self._has_place or self._is_filled or self._has_parts or self._depends:
            return True
        return not self.is_through and self._pages.is_asking

    @property
    def grown(self) -> int | None:
        """By how many bytes the page grows: None for not at all, -1 for nobody knows yet."""
        if not self.is_through:
            return -1
        return self._given - self._taken or None

    def feed(self, chunk: bytes, *, last: bool) -> bytes | None:
        """The bytes that may go out, or None while the beginning is still held back."""
        is_first = not self._taken
        self._taken += len(chunk)
        last = last or self._taken == self._length
        if is_first and last and (known := self._pages.known(self._key, chunk)) is not None:
            body = self._as_known(known)
        elif self._start is None:
            body = self._passed(chunk, last=last, is_whole=is_first and last)
        else:
            found = self._start.feed(chunk, last=last)
            if found is None:
                return None
            start, self._start = self._start, None
            body = self._opened(*found, start.closing, last=last, is_whole=is_first and last)
        self._given += len(body)
        self.is_through = last
        return body

    def _as_known(self, known: KnownPage) -> bytes:
        self._start = None
        self._language, self._prefix = known.language, known.prefix
        self._events, self._depends = known.events, known.depends
        return self._put_together(known.parts)

    def _passed(self, chunk: bytes, *, last: bool, is_whole: bool) -> bytes:
        """What goes out of a chunk without a place for the notice."""
        passed = self._gated(chunk, last=last)
        if is_whole:
            self._remember(chunk, (passed,))
        return passed

    def _opened(self, held: bytes, at: int, closing: bytes, *, last: bool, is_whole: bool) -> bytes:
        """What goes out of the beginning; the notice stands `at` a place in it, or nowhere."""
        self._beginning = held
        if at == NOWHERE:
            return self._passed(held, last=last, is_whole=is_whole)
        begin = head_start(held[:at]) if self._pages.has_head_scripts else NOWHERE
        begin = max(begin, 0)
        self._judge.is_in_head = True
        before = self._gated(held[:begin], last=False)
        ends = last and at == len(held)
        head = self._gated(held[begin:at], last=ends) + closing
        if ends:
            parts = (before, head, b"")
        else:
            self._judge.is_in_head = False
            self._mind_base()
            parts = (before, head, self._gated(held[at:], last=last))
        self._pages.note_meta_policy(held[:at])
        if is_whole:
            self._remember(held, parts)
        return self._put_together(parts)

    def _mind_base(self) -> None:
        """Where a <base> leads relative addresses elsewhere, write ours with the site's name."""
        host = self._visit.request.get(b"host", b"")
        if self._gate.base is not None and own_source(host, "") is not None:
            self._prefix = f"//{host.decode('ascii')}{self._visit.prefix}"
            self._judge.reach_us_by(self._prefix)

    def _remember(self, body: bytes, parts: tuple[bytes, ...]) -> None:
        if self._key is not None and not self._has_failed:
            parts = tuple(body if part == body else part for part in parts)
            language = self._read_language()
            prefix, events = self._prefix, self._events
            page = KnownPage(body, parts, language, prefix, events, self._depends)
            self._pages.remember(self._key, page)

    def _put_together(self, parts: tuple[bytes, ...]) -> bytes:
        """The parts, and between them the scripts of the head and the notice, if it has a place."""
        if len(parts) == 1:
            return parts[0]
        self._has_place = True
        first, notice = self._notice()
        before, head, rest = parts
        return b"".join((before, first, head, notice, rest))

    def _gated(self, chunk: bytes, *, last: bool) -> bytes:
        """What the gate makes of a chunk; from a fault on, the page as it is."""
        if self._has_failed:
            return chunk
        if not self._beginning:
            self._beginning = chunk
        try:
            passed = self._gate.feed(chunk, last=last)
        except Exception:
            logger.exception("a fault in consentkit: the rest of a page goes out as it is")
            self._has_failed = True
            return self._gate.held  # the chunk is in it
        judge = self._judge
        self._depends = judge.depends
        self._events += tuple(judge.events)
        judge.events.clear()
        if last:  # both know of this edit, so each would keep the others alive
            del self._gate, self._judge
        return passed

    def take_events(self) -> tuple[Event, ...]:
        """What was found to wait since the last time."""
        events, self._events = self._events, ()
        return events

    def _notice(self) -> tuple[bytes, bytes]:
        """The head's scripts and the notice; nothing where making them fails: a page goes out."""
        visit = self._visit
        try:
            first, notice = self._pages.notice(visit.view, self._read_language(), self._prefix)
            made = first.fill(b"", visit.nonce), notice.fill(visit.back, visit.nonce)
        except Exception:
            logger.exception("a fault in consentkit: a page goes out without its notice")
            return b"", b""
        self._was_shown = True
        return made

    def _fill(self, what: str) -> bytes:
        """What stands in a placeholder, or nothing where making it fails."""
        visit = self._visit
        try:
            back = visit.back
            return self._pages.part(what, self._read_language(), visit.standing, self._prefix, back)
        except Exception:
            logger.exception("a fault in consentkit: a placeholder stays as it is")
            return b""

    def _read_language(self) -> str:
        if self._language is None:
            self._language = self._pages.language(self._beginning, self._visit.request)
        return self._language

    def given_up(self) -> bytes:
        """What is still held back, for a page whose app failed half-way."""
        start, self._start = self._start, None
        held = start.held if start is not None else b""
        rest = self._gated(held, last=True)
        self._given += len(rest)
        self.is_through = True
        return rest
