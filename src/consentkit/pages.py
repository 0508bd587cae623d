"""Pages on their way out: which may be changed, and what is put into them.

It has never heard of messages: it is given header lists and chunks of bytes.

The notice is the first child of ``<body>``: the place is found by scanning the head alone, so the
cost does not grow with the page, and a page that streams goes on streaming. What cannot be
changed safely stays as it is, byte for byte (RFC 9110 §7.7; LAW R-86, R-87).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
from consentkit.wire.headers import (
    accepted_languages,
    cache_directives,
    is_partial_page_request,
    merge_vary,
)
from consentkit.wire.html import NOWHERE, BodyStart, Filling, page_language

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consentkit.notice.banner import Hole
    from consentkit.rules.visitor import Standing
    from consentkit.wire.headers import Fields, HeaderList

__all__ = ["PageEdit", "Pages", "may_be_changed", "page_headers"]

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


def may_be_changed(status: int, headers: Fields, request: Fields) -> bool:
    """True for a whole page in HTML that is shown in a tab and may be transformed."""
    return (
        headers.get(b"content-type", b"").partition(b";")[0].strip().lower() == b"text/html"
        and status not in _NO_BODY
        and headers.get(b"content-encoding", b"identity").lower() == b"identity"
        and not headers.get(b"content-disposition", b"").lower().startswith(b"attachment")
        and b"no-transform" not in cache_directives(headers.get(b"cache-control", b""))
        and request.get(b"sec-fetch-dest", b"document") == b"document"
        and not is_partial_page_request(request)
    )


def page_headers(headers: HeaderList, vary: Sequence[bytes], grown: int | None) -> HeaderList:
    """The headers of a page that depends on the visitor.

    `grown` is by how many bytes it grew; None where it stays as it is. A changed page loses its
    validators and digests, and its Content-Length is set right.
    """
    kept: HeaderList = []
    varies = b""
    for name, value in headers:
        lower = bytes(name).lower()
        if lower == b"vary":
            varies = merge_vary(varies, *(part.strip() for part in bytes(value).split(b",")))
        elif grown is None or lower not in _SPOILT:
            kept.append((name, value))
        elif lower == b"content-length" and grown >= 0 and bytes(value).isdigit():
            kept.append((b"content-length", b"%d" % (int(value) + grown)))
    return [*kept, (b"vary", merge_vary(varies, *vary))]


class Pages:
    """What one policy puts into pages, rendered once for each language, state and prefix."""

    MEMORY: Final = 256

    def __init__(self, policy: Policy, tokens: Sequence[str], path: str) -> None:
        """`tokens` are the names of our own two cookies, `path` where the endpoints are."""
        self._policy = policy
        self._tokens = tokens
        self._path = path
        self._notices: dict[tuple[object, ...], Hole] = {}
        self.is_asking = bool(policy.optional_purposes)
        self.remembers_notice = any(
            policy.basis_of(name) is Basis.IMPLIED for name in policy.optional_purposes
        )
        self.varies_by = tuple(self._varies_by())

    def _varies_by(self) -> Sequence[bytes]:
        policy = self._policy
        signals = {s for name in policy.optional_purposes for s in policy.purposes[name].honours}
        headers = {"gpc": b"Sec-GPC", "dnt": b"DNT"}
        languages = [b"Accept-Language"] if len(policy.languages) > 1 else []
        return [b"Cookie", *(headers[signal] for signal in sorted(signals)), *languages]

    def edit(
        self, standing: Standing, request: Fields, address: bytes, root_path: str
    ) -> PageEdit | None:
        """How a page is changed for a visitor, or None where no page depends on the visitor.

        `address` is the page's own path and query, percent-encoded, to come back to; `root_path`
        stands before the endpoints' own.
        """
        state = self._state_for(standing)
        wanted = accepted_languages(request.get(b"accept-language", b""))
        back = address if len(address) <= _NEXT_LIMIT else b"/"
        prefix = root_path + self._path

        def notice(of_page: str | None) -> bytes:
            language = self._language(of_page, wanted)
            return self._notice(language, state, standing, prefix).fill(back)

        def fill(what: str, of_page: str | None) -> bytes:
            language = self._language(of_page, wanted)
            return self._part(what, language, standing, prefix, back)

        filled = self._is_filled(address, root_path)
        if state is State.NOTHING and not filled and not self.is_asking:
            return None
        return PageEdit(
            None if state is State.NOTHING else notice,
            fill if filled else None,
            asks=state in (State.ASK, State.CHANGED),
        )

    def _state_for(self, standing: Standing) -> State:
        return state_of(
            self._policy, standing.open_purposes, standing.consent.given, standing.honoured
        )

    def _language(self, of_page: str | None, wanted: Sequence[str]) -> str:
        return choose_language(self._policy.languages, (of_page, *wanted) if of_page else wanted)

    def _is_filled(self, address: bytes, root_path: str) -> bool:
        listed = self._policy.placeholders
        path = address.partition(b"?")[0].decode("latin-1").removeprefix(root_path)
        return bool(listed) and (path in listed or "*" in listed)

    def _notice(self, language: str, state: State, standing: Standing, prefix: str) -> Hole:
        only_asked = permission_only(
            self._policy, standing.open_purposes, standing.purposes, standing.consent.given
        )
        key = (language, state, standing.open_purposes, only_asked, standing.honoured, prefix)
        found = self._notices.get(key)
        if found is None:
            if len(self._notices) >= self.MEMORY:
                self._notices.clear()
            found = self._notices[key] = banner_markup(
                self._policy,
                language,
                state,
                standing.open_purposes,
                path=prefix,
                stylesheet=self._stylesheet(prefix),
                only_asked=only_asked,
                honoured=standing.honoured,
            )
        return found

    def _part(
        self, what: str, language: str, standing: Standing, prefix: str, back: bytes
    ) -> bytes:
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


class PageEdit:
    """One page on its way out, chunk by chunk.

    `notice` gives the markup to put first, for a page in a language (None: it does not say);
    `fill` what stands in a placeholder. Either may be missing.
    """

    def __init__(
        self,
        notice: Callable[[str | None], bytes] | None,
        fill: Callable[[str, str | None], bytes] | None,
        *,
        asks: bool,
    ) -> None:
        """`asks` is True if the notice asks something of the visitor."""
        self._asks = asks
        self._notice = notice
        self._language: str | None = None
        self._start = BodyStart() if notice else None
        self._filling = None
        if fill is not None:
            self._filling = Filling(ATTRIBUTE, lambda what: fill(what, self._language))
        self._inserted = 0
        self._found_no_place = False

    @property
    def holds_back(self) -> bool:
        """True while the place of the notice is not found."""
        return self._start is not None

    @property
    def was_asked(self) -> bool:
        """True if the notice stands in the page and asks something."""
        return self._asks and self._inserted > 0

    @property
    def is_unchanged(self) -> bool:
        """True if there is no place for the notice, and so no visitor gets another page."""
        return self._found_no_place and self._filling is None

    @property
    def is_done(self) -> bool:
        """True if what follows goes out as it is."""
        return self._filling is None

    @property
    def grown(self) -> int | None:
        """By how many bytes the page grows: None for not at all, -1 for nobody knows yet."""
        if self._filling is not None or self.holds_back:
            return -1
        return self._inserted or None

    def feed(self, chunk: bytes, *, last: bool) -> bytes | None:
        """The bytes that may go out, or None while the beginning is still held back."""
        if self._start is not None:
            found = self._start.feed(chunk, last=last)
            if found is None:
                return None
            chunk = self._opened(self._start.held, found)
            self._start = None
        return chunk if self._filling is None else self._filling.feed(chunk, last=last)

    def _opened(self, held: bytes, at: int) -> bytes:
        if at == NOWHERE or self._notice is None:
            self._found_no_place = True
            return held
        self._language = page_language(held[:at])
        markup = self._notice(self._language)
        self._inserted = len(markup)
        return b"".join((held[:at], markup, held[at:]))

    def given_up(self) -> bytes:
        """What is still held back, for a page whose app failed half-way."""
        start, self._start = self._start, None
        self._found_no_place = True
        return start.held if start is not None else b""
