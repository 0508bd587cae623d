"""A page streams by, and what it would fetch from elsewhere waits where it stands.

It has never heard of why something has to wait: it asks `judge`.

Nothing of the page is taken away or moved. Attribute names are made longer (`src` becomes
`data-consentkit-src`), so that a parser builds the author's tree, and nothing is fetched for it.

A stream cannot know all that a parser knows. Where two readings of a page are possible, what could
be fetched by either of them waits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from html import unescape
from math import inf
from typing import Final, NamedTuple

from consentkit.wire.dull import stride_pattern
from consentkit.wire.fetching import (
    BACKGROUNDS,
    FETCHES,
    Attribute,
    Fetch,
    attributes_of,
    fetch_of,
    fetches_of,
    first_of,
    hosts_in_json,
    script_kind,
)
from consentkit.wire.html import (
    NAME_ENDS,
    RAW_TEXT,
    RAW_WITH_SCRIPTING,
    REST_OF_ANY_TAG,
    VOID,
    Kind,
    run_end,
)
from consentkit.wire.tree import Reader
from consentkit.wire.urls import host_of, may_name_a_host, text_of, unread_host, url_text

__all__ = ["Gate", "Tag", "Waits"]

_PREFIX: Final = b"data-consentkit-"
_PURPOSE: Final = _PREFIX + b"purpose"
_SERVICE: Final = _PREFIX + b"service"
_NOT_RUN: Final = b' type="text/plain"'
_TAG_CAP: Final = 1 << 20
_REMEMBERED: Final = 1024  # bytes of a tag
_LOOK_AHEAD: Final = 1 << 16
_LONGEST_NAME: Final = 64
_MOST_STEPS: Final = 10_000  # about a tenth of a second
_DEEPEST_PAGE: Final = 2
_SOME_HOST: Final = unread_host("")
_HOLDS_NO_MARKUP: Final = VOID | RAW_TEXT
_LOOKED_INTO: Final = frozenset(FETCHES) | BACKGROUNDS | {b"template"}
_ENDS: Final = {
    name: re.compile(rb"</(?i:" + name + rb")(?=[\t\n\f\r />])") for name in RAW_WITH_SCRIPTING
}
_SCRIPT_TAG: Final = re.compile(rb"</?+(?i:script)(?=[\t\n\f\r />])")


class Tag(NamedTuple):
    """A start tag that would fetch from elsewhere."""

    name: bytes
    """Lower-case."""
    hosts: tuple[str, ...]
    """Each host that is not the page's own, once, in order; as `urls.host_of` writes them."""
    urls: tuple[str, ...]
    """An address for each of the hosts, as the page has it, references resolved."""
    source: bytes
    """The whole start tag."""


class Waits(NamedTuple):
    """What is put into a tag that has to wait."""

    mark: bytes
    """The value of `data-consentkit-service`: ASCII without quotes and ampersands."""
    srcdoc: bytes = b""
    """What an iframe shows instead: ASCII, escaped for an attribute in double quotes."""


class Gate:
    """Streams a page, and holds what it would fetch from elsewhere.

    `judge` is asked for each start tag that would fetch from a host for which `is_own` is false.
    None: it may stand. Of several hosts in one tag, each attribute's are then asked for alone.

    `markers` are sought in inline scripts that run, in their first 64 KB; `judge_marker` gives a
    mark for those that have to wait. `attribute` and `fill` put markup into elements that carry an
    attribute: `fill` gets its value and returns ASCII markup, or b"" for a value it does not know.
    `template` is asked for each `<template data-consentkit-purpose=… data-consentkit-service=…>`:
    None opens it where it stands, and bytes are markup put before it while it stays closed.

    Only a tag that is not whole yet is held back, up to 1 MiB; a tag beyond that passes as it is.
    Inline scripts that are looked into and `<noscript>` are held back up to 64 KB.

        >>> gate = Gate(lambda tag: Waits(b"m"), is_own=lambda host: host == "shop.example")
        >>> gate.feed(b'<img src="/a.png"><img src="//maps.example">', last=True).decode()
        '<img src="/a.png"><img data-consentkit-service="m" data-consentkit-src="//maps.example">'
    """

    def __init__(  # noqa: PLR0913 - each is another question about the page
        self,
        judge: Callable[[Tag], Waits | None],
        *,
        is_own: Callable[[str], bool],
        markers: Sequence[bytes] = (),
        judge_marker: Callable[[bytes], bytes | None] | None = None,
        attribute: bytes | None = None,
        fill: Callable[[str], bytes] | None = None,
        template: Callable[[str | None, str | None], bytes | None] | None = None,
    ) -> None:
        self._judge, self._is_own = judge, is_own
        self._markers, self._judge_marker = markers, judge_marker
        self._attribute, self._fill, self._template = attribute, fill, template
        self._data = bytearray()
        self._reader = Reader(self._data, 0)
        self._loose: _Loose | None = None
        self._edits: list[tuple[int, int, bytes]] = []  # from where, up to where, what instead
        self._sent = 0  # of `_data`
        self._is_last = False
        self._is_waiting = False  # for what follows the latest start tag
        self._is_passing = False  # the open tag was too long
        self._gone = 0  # bytes that were in `_data` before
        self._looked: dict[re.Pattern[bytes], int] = {}  # in the page, up to here, in vain
        self._unsure_until = 0  # the end of a <noscript>
        self._closed: int | None = None  # how many templates are open in one that stays closed
        self._base: str | None = None
        self._has_base = False
        self._is_early = True  # a <base> would change nothing that stands before it
        self._depth = 0  # of documents in attributes
        self._steps = 0  # tags read one by one
        self._choose_stride()

    @property
    def held(self) -> bytes:
        """What is held back, as it came."""
        return bytes(self._data[self._sent :]) if self._loose is None else self._loose.held

    def feed(self, chunk: bytes, *, last: bool) -> bytes:
        """Return what may go out now. `last` says that no chunk follows."""
        if self._loose is not None:
            return self._loose.feed(chunk, last=last)
        if last and not self._data and self._has_nothing_in(chunk):
            return chunk
        self._data += chunk
        self._reader.stop = len(self._data)
        self._is_last = last
        self._read()
        if self._reader.is_lost:
            return self._get_loose(last=last)
        return self._out(last=last)

    def _has_nothing_in(self, chunk: bytes) -> bool:
        """Tell by a quick look whether the whole rest of a page is of no interest."""
        if self._base is not None or may_name_a_host(chunk):
            return False
        names = {_sought(name) for name in (self._attribute, _PREFIX.rstrip(b"-")) if name}
        if any(name.search(chunk) for name in names):
            return False
        return not any(marker in chunk for marker in self._markers)

    def _out(self, *, last: bool) -> bytes:
        reader = self._reader
        upto = reader.start if self._is_waiting else reader.settled
        if last:
            return self._sent_up_to(reader.stop)
        is_too_long = reader.stop - upto > _TAG_CAP and not self._is_waiting
        return self._let_pass() if is_too_long or self._is_passing else self._sent_up_to(upto)

    def _sent_up_to(self, upto: int) -> bytes:
        data, at = self._data, self._sent
        parts: list[bytes | bytearray] = []
        for start, end, markup in self._edits:
            parts += (data[at:start], markup)
            at = end
        parts.append(data[at:upto])
        self._edits.clear()
        del data[:upto]
        self._reader.forget(upto)
        self._gone += upto
        self._unsure_until = max(0, self._unsure_until - upto)
        self._sent = 0
        return b"".join(parts)

    def _let_pass(self) -> bytes:
        """Send a tag that is too long, and keep no more of it than says which it is."""
        reader = self._reader
        start = bytes(self._data[reader.start : reader.start + _LONGEST_NAME])
        stub = start[: run_end(_NAME, start, 0, len(start))] + b" "
        out = self._sent_up_to(reader.at)
        self._is_early = False
        self._data[:0] = stub
        reader.start, reader.at, reader.stop = 0, len(stub), len(self._data)
        self._sent = len(stub)
        self._is_passing = True
        return out

    def _read(self) -> None:
        reader = self._reader
        while self._is_waiting or self._next():
            self._is_waiting = not self._start_tag()
            if self._is_waiting or reader.is_lost:
                return

    def _next(self) -> bool:
        """Go to the next start tag that matters. False: more of the page is needed."""
        reader = self._reader
        while True:
            if reader.is_between_tokens and reader.is_plain:
                self._stride_on()
            elif reader.is_between_tokens:
                reader.at = run_end(_NO_TOKEN, self._data, reader.at, reader.stop)
            kind = reader.next()
            if kind in {Kind.START_TAG, Kind.END_TAG} and not reader.is_plain:
                self._steps += 1
                reader.is_lost |= self._steps > _MOST_STEPS
            if kind is None or kind is Kind.START_TAG or reader.is_lost:
                return kind is Kind.START_TAG
            self._is_passing = False
            self._leave_closed()

    def _leave_closed(self) -> None:
        if self._closed is not None and len(self._reader.templates) < self._closed:
            self._closed = None

    def _choose_stride(self) -> None:
        self._stride = stride_pattern(
            self._attribute,
            has_markers=bool(self._markers),
            has_base=self._is_early or self._base is not None,
        )

    def _stride_on(self) -> None:
        """Step over all that does not matter, and over what fetches if it is written plainly."""
        reader = self._reader
        has_more = True
        while has_more and (found := self._stride.match(self._data, reader.at, reader.stop)):
            reader.at = found.end()
            has_more = found.lastindex is not None
            if has_more and self._closed is None:
                self._take(found)

    def _take(self, found: re.Match[bytes]) -> None:
        # Of a script, group 3 is the start tag and group 4 the content.
        which = found.lastindex or 0
        group = min(which, 3)
        self._reader.start = found.start(group)
        plan = self._plan(found[group])
        self._mind_relative(plan)
        if which == 4 and plan.is_inline:
            self._judge_inline(plan, found[4])
        elif plan.fetches:
            self._gate_plan(plan)

    def _start_tag(self) -> bool:
        """Deal with the latest start tag. False: more of the page is needed for that."""
        reader = self._reader
        if reader.is_ambiguous and not self._is_settled():
            return False
        if self._is_passing:
            self._is_passing = False
            return True
        self._leave_closed()
        tag = reader.tag()
        is_of_interest = reader.name in _LOOKED_INTO and not self._is_inert(tag)
        if is_of_interest and not self._look_into(self._plan(tag)):
            return False
        if self._attribute is not None and self._attribute in tag.lower():
            self._fill_in(tag)
        return True

    def _is_inert(self, tag: bytes) -> bool:
        """Tell whether the latest tag stands in a closed template, and in no doubtful place."""
        if self._closed is None:
            return False
        reader = self._reader
        is_live = reader.name == b"template" and _is_shadow_root(self._plan(tag).attributes)
        if is_live or reader.doubt or reader.is_framed:
            self._closed = None
        return self._closed is not None

    def _look_into(self, plan: Plan) -> bool:
        self._mind_relative(plan)
        if plan.name == b"template":
            self._open_or_close(plan.attributes)
        elif plan.name == b"base" and self._is_sure():
            self._note_base(plan)
        elif plan.is_inline:
            return self._look_into_script(plan)
        elif plan.fetches:
            self._gate_plan(plan)
        return True

    # --- What fetches -----------------------------------------------------------------------------

    def _plan(self, tag: bytes) -> Plan:
        return _planned_as(tag, self._base, self._depth)

    def _gate_plan(self, plan: Plan) -> None:
        if any(map(self._is_own, plan.asked.hosts)):
            self._gate(plan, self._foreign(plan.fetches))
            return
        waits = self._judge(plan.asked)
        if waits is not None:
            self._hold_some(plan, plan.fetches, waits)

    def _foreign(self, fetches: Iterable[Fetch]) -> list[Fetch]:
        """What is fetched from hosts that are not the page's own."""
        return [only for one in fetches if (only := self._only_foreign(one)).hosts]

    def _only_foreign(self, fetch: Fetch) -> Fetch:
        if len(fetch.hosts) == 1:
            return Fetch(fetch.name, (), ()) if self._is_own(fetch.hosts[0]) else fetch
        pairs = zip(fetch.hosts, fetch.urls, strict=True)
        return Fetch.of(fetch.name, [(h, u) for h, u in pairs if not self._is_own(h)])

    def _gate(self, plan: Plan, fetches: list[Fetch]) -> None:
        if fetches:
            self._is_held(plan, fetches)

    def _is_held(self, plan: Plan, fetches: list[Fetch]) -> bool:
        waits = self._judge(_tag_of(plan.name, fetches, plan.tag))
        if waits is not None:
            self._hold_some(plan, fetches, waits)
        return waits is not None

    def _hold_some(self, plan: Plan, fetches: Sequence[Fetch], waits: Waits) -> None:
        """Let those attributes wait whose hosts have to; an iframe's wait together."""
        names = plan.names
        if len(fetches) < len(names) or len(plan.asked.hosts) > 1:
            if len(fetches) > 1 and plan.name != b"iframe":
                fetches = [one for one in fetches if self._waits_alone(plan, one)]
            names = frozenset(one.name for one in fetches)
        self._hold(plan, names, waits)

    def _waits_alone(self, plan: Plan, fetch: Fetch) -> bool:
        return self._judge(_tag_of(plan.name, [fetch], plan.tag)) is not None

    def _hold(self, plan: Plan, names: frozenset[bytes], waits: Waits) -> None:
        """Put into the latest tag what makes it wait."""
        start, tag = self._reader.start, plan.tag
        held = _held if len(tag) <= _REMEMBERED else _held_anew
        self._edit(start, start + len(tag), held(tag, plan.name, names, waits))

    def _edit(self, start: int, end: int, markup: bytes) -> None:
        self._edits.append((start, end, markup))

    @property
    def base(self) -> str | None:
        """The other host that a <base> makes the page's relative addresses be fetched from."""
        return self._base

    def _is_sure(self) -> bool:
        reader = self._reader
        is_in_tree = reader.is_html and not (reader.doubt or reader.templates)
        return is_in_tree and reader.at > self._unsure_until

    def _note_base(self, plan: Plan) -> None:
        """The first <base> with an address counts (4.2.3); the page's own host changes nothing.

        One that comes late may change what stands before it, so it waits like what fetches.
        """
        if self._has_base or first_of(plan.attributes, b"href") is None:
            return
        foreign = self._foreign(plan.fetches)
        if foreign and not self._is_early and self._is_held(plan, foreign):
            return
        self._has_base = True
        self._is_early = False
        self._base = foreign[0].hosts[0] if foreign else None
        self._choose_stride()

    def _mind_relative(self, plan: Plan) -> None:
        """Note that the body begins, or that an address has passed that a <base> would change."""
        if not self._is_early or plan.name == b"base":
            return
        fetches = _planned_as(plan.tag, _SOME_HOST, self._depth).fetches
        if plan.name == b"body" or any(_SOME_HOST in one.hosts for one in fetches):
            self._is_early = False
            self._choose_stride()

    # --- Inline scripts ---------------------------------------------------------------------------

    def _look_into_script(self, plan: Plan) -> bool:
        """Judge a script by what it says. False: it is not all there yet."""
        if plan.fetches and not (self._reader.is_html and not self._reader.doubt):
            self._gate_plan(plan)  # an SVG script's href
            return True
        if not (plan.is_list or (self._markers and plan.is_run)):
            return True
        is_raw_text = self._reader.is_html and not self._reader.is_ambiguous
        end = self._end_of(_ENDS[b"script"] if is_raw_text else _SCRIPT_TAG)
        if end is not None:
            self._judge_inline(plan, bytes(self._data[self._reader.at : end]))
        return end is not None

    def _judge_inline(self, plan: Plan, content: bytes) -> None:
        content = content[:_LOOK_AHEAD]
        if plan.is_list:
            self._gate(plan, self._foreign([Fetch.of(b"type", hosts_in_json(content))]))
        elif plan.is_run and self._judge_marker is not None:
            found = [marker for marker in self._markers if marker in content]
            marks = [mark for one in found if (mark := self._judge_marker(one)) is not None]
            if marks:
                self._hold(plan, frozenset(), Waits(b" ".join(dict.fromkeys(marks))))

    def _end_of(self, end: re.Pattern[bytes]) -> int | None:
        """Find where the content of the latest element ends, or stop at 64 KB; None: feed more."""
        reader, gone = self._reader, self._gone
        stop = min(reader.stop, reader.at + _LOOK_AHEAD)
        found = end.search(self._data, max(reader.at, self._looked.get(end, 0) - gone), stop)
        if found is not None:
            self._looked[end] = found.start() + gone
            return found.start()
        self._looked[end] = max(reader.at, stop - _LONGEST_NAME) + gone
        return stop if self._is_last or stop == reader.at + _LOOK_AHEAD else None

    # --- Two readings -----------------------------------------------------------------------------

    def _is_settled(self) -> bool:
        """See whether raw text and markup end alike, as they do in most <noscript> elements.

        Then it is read as markup. If they do not, the reader is lost from here on. False: more of
        the page is needed to see it.
        """
        reader = self._reader
        if reader.is_lost:
            return True
        end = self._end_of(_ENDS[reader.name])
        if end is None:
            return False
        is_whole = end < reader.stop or self._is_last
        content = bytes(self._data[reader.at : end])
        if end == reader.stop and self._is_last:
            return True  # nothing follows that could be hidden
        is_whole = is_whole and end - reader.at < _LOOK_AHEAD
        if is_whole and _leaves_no_trace(content):
            self._unsure_until = max(self._unsure_until, end)
        else:
            reader.is_lost = True
        return True

    def _get_loose(self, *, last: bool) -> bytes:
        reader = self._reader
        out = self._sent_up_to(reader.at)
        self._loose = _Loose(self._waits_loosely)
        return out + self._loose.feed(bytes(self._data), last=last)

    def _waits_loosely(self, tag: bytes, name: bytes, value: _Value) -> bool:
        """Judge one attribute whose tag is not sure."""
        fetch = self._only_foreign(_fetched(name, value.text, self._base, self._depth))
        if value.is_cut and not fetch.hosts:
            fetch = Fetch(name, (_SOME_HOST,), ("",))
        if not fetch.hosts:
            return False
        return self._judge(Tag(tag, fetch.hosts, fetch.urls, b"")) is not None

    # --- Templates and elements to be filled ------------------------------------------------------

    def _open_or_close(self, attributes: list[Attribute]) -> None:
        """Ask for an author's own template; one inside another is left to whoever opens that."""
        reader = self._reader
        purpose, service = (first_of(attributes, name) for name in (_PURPOSE, _SERVICE))
        if self._template is None or not reader.is_html or len(reader.templates) > 1:
            return
        if reader.doubt or reader.is_framed or _is_shadow_root(attributes):
            return
        if purpose is None and service is None:
            return
        markup = self._template(_text(purpose), _text(service))
        if markup is None:
            self._edit(reader.at, reader.at, b"</template>")
            reader.close_template()
            return
        self._closed = len(reader.templates)
        if markup:
            self._edit(reader.start, reader.start, markup)

    def _fill_in(self, tag: bytes) -> None:
        reader = self._reader
        if self._fill is None or not reader.is_html or reader.name in _HOLDS_NO_MARKUP:
            return
        value = first_of(attributes_of(tag)[1], self._attribute or b"")
        if value is not None and (markup := self._fill(_text(value) or "")):
            self._edit(reader.at, reader.at, markup)


# --- What is remembered of a tag: a site's pages have the same ones -------------------------------


class Plan(NamedTuple):
    """A start tag, read once."""

    tag: bytes
    name: bytes
    attributes: list[Attribute]
    fetches: tuple[Fetch, ...]  # from the page's own hosts too
    names: frozenset[bytes]  # of the attributes that do
    asked: Tag  # about all of them
    is_inline: bool  # a script without an address
    is_run: bool  # a script that is JavaScript
    is_list: bool  # a script that is a list of addresses


def _planned_anew(tag: bytes, base: str | None, depth: int) -> Plan:
    def hosts_of_page(page: bytes) -> list[tuple[str, str]]:
        return _hosts_of_page(page, base, depth)

    at, attributes = attributes_of(tag)
    name = tag[1:at].lower()
    is_script = name == b"script"
    kind = script_kind(attributes) if is_script else ""
    fetches = tuple(fetches_of(name, attributes, base, hosts_of_page))
    return Plan(
        tag,
        name,
        attributes,
        fetches,
        frozenset(one.name for one in fetches),
        _tag_of(name, fetches, tag),
        is_inline=is_script and first_of(attributes, b"src") is None,
        is_run=is_script and kind in {"", "module"},
        is_list=kind in {"importmap", "speculationrules"},
    )


def _held_anew(tag: bytes, name: bytes, names: frozenset[bytes], waits: Waits) -> bytes:
    """Return a start tag with what makes it wait: the attributes `names` are renamed."""
    at, attributes = attributes_of(tag)
    first = b' %b="%b"' % (_SERVICE, waits.mark)
    if name == b"script":
        first = _NOT_RUN + first
        names |= {b"type"}
    elif name == b"iframe" and waits.srcdoc and _has_room(attributes, names):
        first += b' srcdoc="%b"' % waits.srcdoc
    parts = [tag[:at], first]
    for one in attributes:
        if one.name in names:
            parts += (tag[at : one.at], _PREFIX)
            at = one.at
    parts.append(tag[at:])
    return b"".join(parts)


def _has_room(attributes: list[Attribute], names: frozenset[bytes]) -> bool:
    """Tell whether an iframe shows no document of its author's; one that fetches nothing stays."""
    return b"srcdoc" in names or first_of(attributes, b"srcdoc") is None


@lru_cache(256)
def _fetched(name: bytes, value: bytes, base: str | None, depth: int) -> Fetch:
    def hosts_of_page(page: bytes) -> list[tuple[str, str]]:
        return _hosts_of_page(page, base, depth)

    return fetch_of(Attribute(name, 0, value), base, hosts_of_page)


_planned: Final = lru_cache(1024)(_planned_anew)


def _planned_as(tag: bytes, base: str | None, depth: int) -> Plan:
    return (_planned if len(tag) <= _REMEMBERED else _planned_anew)(tag, base, depth)


def _is_shadow_root(attributes: list[Attribute]) -> bool:
    """Tell whether a <template> may be one that a parser makes live content of."""
    return any(one.name in {b"shadowrootmode", b"shadowroot"} for one in attributes)


_held: Final = lru_cache(512)(_held_anew)


def _hosts_of_page(page: bytes, base: str | None, depth: int) -> list[tuple[str, str]]:
    """Read a document inside an attribute. One inside that is read too, and then no more."""
    if depth >= _DEEPEST_PAGE:
        return _hosts_anywhere(page, base)
    pairs: list[tuple[str, str]] = []
    _Inside(pairs, base, depth + 1).feed(page, last=True)
    return pairs


def _hosts_anywhere(page: bytes, base: str | None) -> list[tuple[str, str]]:
    """What a document may fetch that is not read: all that looks like an address, and more."""
    pairs = [] if base is None else [(base, "")]
    if may_name_a_host(page):
        for _ in range(_DEEPEST_REFERENCES):
            page = text_of(page).encode("utf-8", "replace")
        named = ((host_of(one), url_text(one)) for one in _LIKE_AN_ADDRESS.findall(page))
        pairs += [(host, url) for host, url in named if host is not None]
        pairs.append((_SOME_HOST, "about:srcdoc"))
    return pairs


_DEEPEST_REFERENCES: Final = 3
_LIKE_AN_ADDRESS: Final = re.compile(rb"""[/\\]{2}[^\t\n\f\r "'<>,]++""")


class _Inside(Gate):
    """Notes what a document inside an attribute fetches."""

    def __init__(self, pairs: list[tuple[str, str]], base: str | None, depth: int) -> None:
        def note(tag: Tag) -> None:
            pairs.extend(zip(tag.hosts, tag.urls, strict=True))

        super().__init__(note, is_own=lambda _: False)
        self._base, self._depth, self._is_early = base, depth, False
        self._choose_stride()


def _tag_of(name: bytes, fetches: Sequence[Fetch], source: bytes) -> Tag:
    pairs = [pair for one in fetches for pair in zip(one.hosts, one.urls, strict=True)]
    _, hosts, urls = Fetch.of(name, pairs)
    return Tag(name, hosts, urls, source)


def _text(value: bytes | None) -> str | None:
    return None if value is None else unescape(value.decode("utf-8", "replace"))


_NO_TOKEN: Final = re.compile(rb"(?:[^<]++|<(?=[^a-zA-Z/!?]))*+")
_NAME: Final = re.compile(rb"</?+[^\t\n\f\r />]*+")


@cache
def _sought(name: bytes) -> re.Pattern[bytes]:
    """Return a pattern for an attribute's name, from the first character that has no case."""
    start, hyphen, rest = name.partition(b"-")
    return re.compile(b"%b(?i:%b)" % (hyphen, re.escape(rest or start)))


@lru_cache(256)
def _leaves_no_trace(content: bytes) -> bool:
    """Tell whether markup that may be raw text ends as if it had not been there."""
    dull = stride_pattern(None)
    reader = Reader(content, 0)
    while True:
        if reader.is_between_tokens and reader.is_plain:
            reader.at = run_end(dull, content, reader.at, reader.stop)
        if reader.next() is None:
            return reader.leaves_no_trace
        if reader.is_ambiguous or reader.is_lost:
            return False


# --- Where nothing is sure ------------------------------------------------------------------------

_MARGIN: Final = 64  # more than the longest of _LIVE without its blanks
_LOOK_BACK: Final = 1024
_LOOSE_CAP: Final = 4096
_UNQUOTED_CAP: Final = 512
_MOST_BLANKS: Final = 1 << 16
_BLANKS = rb"[\t\n\f\r ]*+"
_LIVE = (
    rb"(?P<name>(?i:src(?:set|doc)?+|(?:xlink:)?+href|imagesrcset|poster|data|background"
    rb"|to|from|by|values))" + _BLANKS + rb"(?:(?P<is>=)" + _BLANKS + rb"|\Z)"
)
_BEFORE_NAMES = rb"\t\n\f\r /\"'"
# Elements that fetch what is called like a link's address, or like nothing of the kind.
_UNLIKE: Final = b"|".join(
    sorted(name for name, wanted in FETCHES.items() if wanted & {b"href", b"xlink:href", b"to"})
)
_UNLIKE_TAG: Final = re.compile(rb"<(?i:" + _UNLIKE + rb")" + NAME_ENDS)
_WHOLE_TAG: Final = re.compile(rb"<[a-zA-Z]++" + REST_OF_ANY_TAG)
_NOT_LIVE: Final = re.compile(
    rb"(?:[^<%b]++|[%b](?!%b)|<(?!(?i:%b)%b))*+"
    % (
        _BEFORE_NAMES,
        _BEFORE_NAMES,
        _LIVE.replace(b"P<name>", b":").replace(b"P<is>", b":"),
        _UNLIKE,
        NAME_ENDS,
    )
)
_LIVE_NAME: Final = re.compile(rb"[%b]%b" % (_BEFORE_NAMES, _LIVE))
_TAG_NAME: Final = re.compile(rb"<([a-zA-Z]++)(?=[\t\n\f\r />])")
_LINKS: Final = frozenset({b"a", b"area"})
_OF_ANIMATIONS: Final = FETCHES[b"animate"]
_LISTS: Final = frozenset({b"srcset", b"imagesrcset", b"srcdoc"})
# What follows does not make another address of it.
_LOCAL: Final = re.compile(_BLANKS + rb"(?:data:|/[a-zA-Z0-9_.]|[?#.])")


class _Value(NamedTuple):
    """An attribute's value as far as it is looked at."""

    text: bytes
    is_cut: bool  # what was not looked at may make another address of it


class _Loose:
    """Reads a page of which nothing is sure any more: every attribute that may fetch is looked at.

    Wherever the attribute stands, in a comment or in another attribute, it may be live in one of
    the readings. The addresses of links are left alone, if no tag before them that would fetch them
    may still be open. Nothing is marked, so that no quote stands where it would end something: what
    waits here waits until the page is loaded again.
    """

    def __init__(self, waits: Callable[[bytes, bytes, _Value], bool]) -> None:
        self._waits = waits
        self._data = bytearray()
        self._at = 0  # looked at up to here
        self._sent = 0
        self._open_until: float = 0  # the end of the latest tag in _UNLIKE, if it is one

    @property
    def held(self) -> bytes:
        return bytes(self._data[self._sent :])

    def feed(self, chunk: bytes, *, last: bool) -> bytes:
        self._data += chunk
        data = self._data
        parts: list[bytes | bytearray] = []
        upto = len(data) if last else len(data) - _MARGIN
        while (at := run_end(_NOT_LIVE, data, self._at, len(data))) < upto:
            end = self._after_tag(at, last=last) if data.startswith(b"<", at) else None
            if end is None and (found := _LIVE_NAME.match(data, at)):
                end = self._after_name(found, parts, last=last)
            if end is None:
                upto = at
                break
            self._at = end
        self._at = max(self._at, upto)
        parts.append(data[self._sent : self._at])
        self._sent = self._at
        gone = max(0, self._at - _LOOK_BACK)
        del data[:gone]
        self._open_until -= gone
        self._at = self._sent = self._at - gone
        return b"".join(parts)

    def _after_tag(self, at: int, *, last: bool) -> int | None:
        """Note where a tag in _UNLIKE ends, and return where its name does; None: feed more."""
        data, limit = self._data, at + _LOOSE_CAP
        if at < self._open_until:
            self._open_until = inf  # one tag in another: neither need be one
            return at + 1
        found = _WHOLE_TAG.match(data, at, limit)
        if found is None and len(data) < limit and not last:
            return None
        self._open_until = found.end() if found else inf
        return at + 1

    def _after_name(
        self, name: re.Match[bytes], parts: list[bytes | bytearray], *, last: bool
    ) -> int | None:
        """Look at one attribute, and return where its value begins; None: feed more."""
        value, at = self._value(name, last=last), name.start()
        if value is None:
            return None
        if self._is_live(name["name"].lower(), at, value):
            parts += (self._data[self._sent : at + 1], _PREFIX)
            self._sent = at + 1
        return name.end()

    def _value(self, name: re.Match[bytes], *, last: bool) -> _Value | None:
        """Return an attribute's value; None: feed more.

        Blanks around it are not counted, as long as they are no more than 64 KB.
        """
        data, at, size = self._data, name.end(), len(self._data)
        is_over = last or size - name.start() > _MOST_BLANKS
        if at == size and not is_over:
            return None
        if name["is"] is None:
            return _Value(b"", not last)
        quote = bytes(data[at : at + 1])
        is_quoted = quote in _ENDS_OF
        start = run_end(_FILLING, data, at + 1, size) if is_quoted else at
        limit = start + (_LOOSE_CAP if is_quoted else _UNQUOTED_CAP)
        found = _ENDS_OF.get(quote, _UNQUOTED_END).search(data, start, limit)
        if found is None and size < limit and not is_over:
            return None
        text = bytes(data[start : found.start() if found else limit])
        is_whole = found is not None or (last and size <= limit)
        return _Value(text, not is_whole and not self._is_settled(name["name"].lower(), text))

    @staticmethod
    def _is_settled(name: bytes, start: bytes) -> bool:
        return name not in _LISTS and _LOCAL.match(start) is not None

    def _is_live(self, name: bytes, at: int, value: _Value) -> bool:
        is_apart = at >= self._open_until
        if name in _OF_ANIMATIONS and is_apart:
            return False
        tag_at = self._data.rfind(b"<", max(0, at - _LOOK_BACK), at)
        found = _TAG_NAME.match(self._data, tag_at) if tag_at >= 0 else None
        tag = found[1].lower() if found else b""
        if tag in _LINKS and name == b"href" and is_apart:
            return False
        return self._waits(tag, name, value)


_UNQUOTED_END: Final = re.compile(rb"[\t\n\f\r >]")
_FILLING: Final = re.compile(rb"[\0-\x20]*+")
_ENDS_OF: Final = {quote: re.compile(quote) for quote in (b'"', b"'")}
