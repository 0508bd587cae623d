"""Pages on their way out: which may be changed, and what is put into them.

It has never heard of messages: it is given header lists and chunks of bytes.

The notice is the first child of ``<body>``: the place is found by scanning the head alone, so the
cost does not grow with the page, and a page that streams goes on streaming. What cannot be
changed safely stays as it is, byte for byte (RFC 9110 §7.7; LAW R-86, R-87).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from consentkit.memory import Memory
from consentkit.notice.banner import (
    State,
    banner_markup,
    permission_only,
    preferences_page,
    settings_link,
    state_of,
    stylesheet,
)
from consentkit.notice.declaration import declaration_table
from consentkit.notice.text import choose_language
from consentkit.rules.policy import Basis, Policy
from consentkit.wire.body_start import NOWHERE, BodyStart, page_language
from consentkit.wire.filling import Filling
from consentkit.wire.headers import (
    FOR_SHARED_CACHES,
    accepted_languages,
    cache_directives,
    is_partial_page_request,
    make_private,
    merge_vary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consentkit.notice.banner import Hole
    from consentkit.rules.signals import Signal
    from consentkit.rules.visitor import Standing
    from consentkit.wire.headers import Fields, HeaderList

__all__ = [
    "KnownStart",
    "PageEdit",
    "Pages",
    "Shown",
    "is_page",
    "is_shown_in_a_tab",
    "page_headers",
    "part_headers",
]

logger = logging.getLogger("consentkit.pages")

ATTRIBUTE: Final = b"data-consentkit"
_NO_BODY: Final = frozenset({204, 205, 206, 304})
_SPOILT: Final = frozenset(
    {
        b"accept-ranges",
        b"content-digest",
        b"content-length",
        b"content-md5",
        b"digest",
        b"etag",
        b"last-modified",
        b"repr-digest",
    }
)
_NEXT_LIMIT: Final = 2000
_ASKING: Final = (State.ASK, State.CHANGED)

MOST_PREFIXES: Final = 8
"""Languages and prefixes under which one notice is found without looking further."""


def is_page(status: int, headers: HeaderList) -> bool:
    """True for a response in HTML that may be transformed (RFC 9110 §7.7; LAW R-87)."""
    if status in _NO_BODY:
        return False
    permits = [
        permit(bytes(value))
        for name, value in headers
        if len(name) in _TELLING and (permit := _PERMITS.get(bytes(name).lower()))
    ]
    return bool(permits) and all(permits)


_PERMITS: Final[Mapping[bytes, Callable[[bytes], bool]]] = {
    b"cache-control": lambda value: b"no-transform" not in cache_directives(value),
    b"content-disposition": lambda value: not value.lower().startswith(b"attachment"),
    b"content-encoding": lambda value: value.lower() == b"identity",
    b"content-type": lambda value: value.partition(b";")[0].strip().lower() == b"text/html",
}
_TELLING: Final = frozenset(map(len, _PERMITS))  # header names are told apart by length first


def is_shown_in_a_tab(request: Fields) -> bool:
    """True if the page is asked for as one, and not as a frame or a part of another page."""
    dest = request.get(b"sec-fetch-dest", b"document")
    return dest == b"document" and not is_partial_page_request(request)


def part_headers(headers: HeaderList, request: Fields) -> HeaderList:
    """The headers of a page that is asked for as a frame, or as a part of another page.

    It stays as it is; a cache that keeps it must not show it in a tab, without its notice.
    """
    asked = (b"HX-Request", b"Turbo-Frame", b"X-Requested-With")
    told = [b"Sec-Fetch-Dest", *(name for name in asked if name.lower() in request)]
    return page_headers(headers, b", ".join(told), None)


def page_headers(headers: HeaderList, vary: bytes, grown: int | None) -> HeaderList:
    """The headers of a page that depends on its request (R-86, R-88).

    `vary` names what it depends on. `grown` is by how many bytes it grew, None where it stays as
    it is, -1 where nobody knows yet. A changed page loses its validators and digests and its
    Content-Length is set right; one that depends on Cookie is private and asked for again.
    """
    kept: HeaderList = []
    varies = caches = b""
    grows = -1 if grown is None else grown
    for_others = FOR_SHARED_CACHES if b"Cookie" in vary else frozenset()
    for header in headers:
        name = bytes(header[0]).lower()
        if name == b"vary":
            varies = merge_vary(varies, *_names(bytes(header[1])))
        elif name == b"cache-control":
            caches = caches + b"," + bytes(header[1])
        elif name not in for_others and (grown is None or name not in _SPOILT):
            kept.append(header)
        elif name == b"content-length" and grows >= 0 and bytes(header[1]).isdigit():
            kept.append((b"content-length", b"%d" % (int(header[1]) + grows)))
    if varies or vary:
        kept.append((b"vary", merge_vary(varies, *_names(vary)) if varies else vary))
    if b"Cookie" in vary:
        kept.append((b"cache-control", _cached(caches) if caches else b"private, no-cache"))
    elif caches:
        kept.append((b"cache-control", caches.lstrip(b",")))
    return kept


def _names(value: bytes) -> list[bytes]:
    return [name for part in value.split(b",") if (name := part.strip())]


def _cached(value: bytes) -> bytes:
    whole = value.lstrip(b",")
    return whole if b"no-store" in cache_directives(whole) else make_private(whole, b"no-cache")


class Pages:
    """What one policy puts into pages, rendered once for each standing, language and prefix."""

    def __init__(self, policy: Policy, tokens: Sequence[str], path: str) -> None:
        """`tokens` are the names of our own two cookies, `path` where the endpoints are."""
        self._policy = policy
        self._tokens = tokens
        self._path = path
        self._shown: Memory[Standing, Shown] = Memory(512, 1)
        self._notices: Memory[tuple[object, ...], Hole] = Memory(256, 1 << 20)
        self.heads: Memory[bytes, bytes] = Memory(256, 1 << 20)
        """The beginning of each page, by its address."""
        self.is_asking = bool(policy.optional_purposes)
        self.remembers_notice = any(
            policy.basis_of(name) is Basis.IMPLIED for name in policy.optional_purposes
        )
        self.vary = b", ".join(self._varies_by())

    def _varies_by(self) -> Sequence[bytes]:
        policy = self._policy
        signals = {s for name in policy.optional_purposes for s in policy.purposes[name].honours}
        headers = {"gpc": b"Sec-GPC", "dnt": b"DNT"}
        languages = [b"Accept-Language"] if len(policy.languages) > 1 else []
        asked = [b"Cookie"] if policy.optional_purposes else []
        return [*asked, *(headers[signal] for signal in sorted(signals)), *languages]

    def edit(
        self, standing: Standing, request: Fields, address: bytes, root_path: str
    ) -> PageEdit | None:
        """How a page is changed for a visitor, or None where no page depends on the visitor.

        `address` is the page's own path and query, percent-encoded, to come back to; `root_path`
        stands before the endpoints' own.
        """
        shown = self.shown_to(standing)
        is_filled = self._is_filled(address, root_path)
        if shown.state is State.NOTHING and not is_filled and not self.is_asking:
            return None
        prefix = root_path + self._path
        return PageEdit(self, standing, shown, request, address, prefix, is_filled=is_filled)

    def shown_to(self, standing: Standing) -> Shown:
        """What the notice is about for a visitor, worked out once for each standing."""
        found = self._shown.get(standing)
        if found is None:
            asked, given = standing.open_purposes, standing.consent.given
            found = Shown(
                state_of(self._policy, asked, given, standing.honoured),
                asked,
                permission_only(self._policy, asked, standing.purposes, given),
                standing.honoured,
            )
            self._shown.put(standing, found, 0)
        return found

    def language(self, of_page: bytes, wanted: bytes) -> str:
        """The language of the notice: the page's own before those the browser wants."""
        if len(self._policy.languages) == 1:
            return self._policy.languages[0]
        tag = page_language(of_page)
        tags = accepted_languages(wanted)
        return choose_language(self._policy.languages, (tag, *tags) if tag else tags)

    def _is_filled(self, address: bytes, root_path: str) -> bool:
        listed = self._policy.placeholders
        if not listed:
            return False
        path = address.partition(b"?")[0].decode("latin-1").removeprefix(root_path)
        return path in listed or "*" in listed

    def notice(self, shown: Shown, language: str, prefix: str) -> Hole:
        """The markup that stands first in the body, rendered once for all who are shown the same.

        Within a standing it is found by language and prefix alone.
        """
        found = shown.notices.get((language, prefix))
        if found is None:
            found = self._notice(shown, language, prefix)
            if len(shown.notices) < MOST_PREFIXES:
                shown.notices[language, prefix] = found
        return found

    def _notice(self, shown: Shown, language: str, prefix: str) -> Hole:
        key = (shown.state, shown.asked, shown.only_asked, shown.honoured, language, prefix)
        found = self._notices.get(key)
        if found is None:
            found = banner_markup(
                self._policy,
                language,
                shown.state,
                shown.asked,
                path=prefix,
                stylesheet=self._stylesheet(prefix),
                root=prefix.removesuffix(self._path),
                only_asked=shown.only_asked,
                honoured=shown.honoured,
            )
            self._notices.put(key, found, len(found.before))
        return found

    def part(self, what: str, language: str, standing: Standing, prefix: str, back: bytes) -> bytes:
        """What stands inside an element that asks for `what`; nothing for a word nobody knows."""
        if what == "cookies":
            sheet = self._stylesheet(prefix)
            return declaration_table(self._policy, language, stylesheet=sheet, tokens=self._tokens)
        if what == "settings-link":
            return settings_link(self._policy, language, path=prefix)
        if what == "preferences":
            return preferences_page(
                self._policy,
                language,
                standing.purposes,
                standing.open_purposes,
                standing.honoured,
                path=prefix,
                stylesheet=self._stylesheet(prefix),
                next_path=back.decode("latin-1"),
                tokens=self._tokens,
                is_part=True,
            )
        return b""

    @staticmethod
    def _stylesheet(prefix: str) -> str:
        return f"{prefix}/assets/{stylesheet().name}"


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What the notice is about: its state, the purposes asked about, and how."""

    state: State
    asked: tuple[str, ...]
    only_asked: frozenset[str]
    honoured: frozenset[Signal]
    notices: dict[tuple[str, str], Hole] = field(default_factory=dict)


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
            self._scan = BodyStart()
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
    def held(self) -> bytes:
        """What is held back."""
        return self._scan.held if self._scan is not None else b""


class PageEdit:
    """One page on its way out to one visitor, chunk by chunk.

    The notice goes in where the body begins, placeholders are filled wherever they stand; a page
    needs neither.
    """

    _filling: Filling | None = None
    _start: KnownStart | None = None
    _language: str | None = None
    _inserted = 0
    _found_no_place = False

    def __init__(  # noqa: PLR0913, PLR0917 - what a page is changed by
        self,
        pages: Pages,
        standing: Standing,
        shown: Shown,
        request: Fields,
        address: bytes,
        prefix: str,
        *,
        is_filled: bool,
    ) -> None:
        """Nothing is looked for before the first chunk comes."""
        self._pages, self._standing, self._shown = pages, standing, shown
        self._request, self._prefix = request, prefix
        self._back = address if len(address) <= _NEXT_LIMIT else b"/"
        if shown.state is not State.NOTHING:
            self._start = KnownStart(pages.heads, address)
        if is_filled:
            self._filling = Filling(ATTRIBUTE, self._fill)

    @property
    def holds_back(self) -> bool:
        """True while the place of the notice is not found."""
        return self._start is not None

    @property
    def was_asked(self) -> bool:
        """True if the notice stands in the page and asks something."""
        return self._inserted > 0 and self._shown.state in _ASKING

    @property
    def is_unchanged(self) -> bool:
        """True if there is no place for the notice, and so no visitor gets another page."""
        return self._found_no_place and self._filling is None

    @property
    def is_done(self) -> bool:
        """True if what follows goes out as it is."""
        return self._start is None and self._filling is None

    @property
    def grown(self) -> int | None:
        """By how many bytes the page grows: None for not at all, -1 for nobody knows yet."""
        if self._filling is not None or self._start is not None:
            return -1
        return self._inserted or None

    def feed(self, chunk: bytes, *, last: bool) -> bytes | None:
        """The bytes that may go out, or None while the beginning is still held back."""
        if self._start is not None:
            found = self._start.feed(chunk, last=last)
            if found is None:
                return None
            self._start = None
            chunk = self._opened(*found)
        return chunk if self._filling is None else self._filling.feed(chunk, last=last)

    def _opened(self, held: bytes, at: int) -> bytes:
        if at == NOWHERE:
            self._found_no_place = True
            return held
        head = held[:at]
        markup = self._notice(head)
        self._inserted = len(markup)
        return b"".join((head, markup, memoryview(held)[at:]))

    def _notice(self, head: bytes) -> bytes:
        """The notice, or nothing where making it fails: a page goes out in any case."""
        try:
            language = self._read_language(head)
            return self._pages.notice(self._shown, language, self._prefix).fill(self._back)
        except Exception:
            logger.exception("a fault in consentkit: a page goes out without its notice")
            return b""

    def _fill(self, what: str) -> bytes:
        """What stands in a placeholder, or nothing where making it fails."""
        try:
            language = self._read_language(b"")
            return self._pages.part(what, language, self._standing, self._prefix, self._back)
        except Exception:
            logger.exception("a fault in consentkit: a placeholder stays as it is")
            return b""

    def _read_language(self, head: bytes) -> str:
        if self._language is None:
            wanted = self._request.get(b"accept-language", b"")
            self._language = self._pages.language(head, wanted)
        return self._language

    def given_up(self) -> bytes:
        """What is still held back, for a page whose app failed half-way."""
        start, self._start = self._start, None
        filling, self._filling = self._filling, None
        self._found_no_place = True
        held = start.held if start is not None else b""
        return held + filling.feed(b"", last=True) if filling is not None else held
