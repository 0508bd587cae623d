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
from html import unescape
from typing import Final, NamedTuple

from consentkit.wire.dull import dull_pattern
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
from consentkit.wire.html import RAW_TEXT, RAW_WITH_SCRIPTING, VOID, Kind, run_end
from consentkit.wire.tree import Doubt, Reader

__all__ = ["Gate", "Tag", "Waits"]

_PREFIX: Final = b"data-consentkit-"
_PURPOSE: Final = _PREFIX + b"purpose"
_SERVICE: Final = _PREFIX + b"service"
_NOT_RUN: Final = b' type="text/plain"'
_TAG_CAP: Final = 1 << 20
_LOOK_AHEAD: Final = 1 << 16
_LONGEST_NAME: Final = 64
_DEEPEST_PAGE: Final = 2
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

        >>> gate = Gate(lambda tag: Waits(b"maps"), is_own=lambda host: host == "shop.example")
        >>> gate.feed(b'<img src="/a.png"><img src="//maps.example">', last=True).decode()
        '<img src="/a.png"><img data-consentkit-service="maps" data-consentkit-src="//maps.example">'
    """

    def __init__(
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
        self.has_changed = False
        """Something was put into the page."""
        self.has_seen_foreign = False
        """Something was met that `judge`, `judge_marker`, `fill` or `template` had to decide."""
        self._judge, self._is_own = judge, is_own
        self._markers, self._judge_marker = markers, judge_marker
        self._attribute, self._fill, self._template = attribute, fill, template
        self._data = bytearray()
        self._reader = Reader(self._data, 0)
        self._loose: _Loose | None = None
        self._insertions: list[tuple[int, bytes]] = []
        self._sent = 0  # of `_data`
        self._is_last = False
        self._is_waiting = False  # for what follows the latest start tag
        self._is_passing = False  # the open tag was too long
        self._looked = 0  # up to here for the end of an element
        self._unsure_until = 0  # the end of a <noscript>
        self._closed: int | None = None  # how many templates are open in one that stays closed
        self._base: str | None = None
        self._has_base = False
        self._depth = 0
        self._dull = dull_pattern(attribute, has_markers=bool(markers))

    def feed(self, chunk: bytes, *, last: bool) -> bytes:
        """Return what may go out now. `last` says that no chunk follows."""
        if self._loose is not None:
            return self._loose.feed(chunk, last=last)
        self._data += chunk
        self._reader.stop = len(self._data)
        self._is_last = last
        self._read()
        if self._reader.is_lost:
            return self._get_loose(last=last)
        return self._out(last=last)

    def _out(self, *, last: bool) -> bytes:
        reader = self._reader
        upto = reader.start if self._is_waiting else reader.settled
        if last:
            return self._sent_up_to(reader.stop)
        if reader.stop - upto > _TAG_CAP and not self._is_waiting:
            return self._let_pass()
        if self._is_passing:
            return self._let_pass()
        return self._sent_up_to(upto)

    def _sent_up_to(self, upto: int) -> bytes:
        data, at = self._data, self._sent
        parts: list[bytes | bytearray] = []
        for place, markup in self._insertions:
            parts += (data[at:place], markup)
            at = place
        parts.append(data[at:upto])
        self._insertions.clear()
        del data[:upto]
        self._reader.forget(upto)
        self._looked = max(0, self._looked - upto)
        self._unsure_until = max(0, self._unsure_until - upto)
        self._sent = 0
        return b"".join(parts)

    def _let_pass(self) -> bytes:
        """Send a tag that is too long, and keep no more of it than says which it is."""
        reader = self._reader
        start = bytes(self._data[reader.start : reader.start + _LONGEST_NAME])
        stub = start[: run_end(_NAME, start, 0, len(start))]
        out = self._sent_up_to(reader.at)
        self._data[:0] = stub
        reader.start, reader.at, reader.stop = 0, len(stub), len(self._data)
        self._sent = len(stub)
        self._is_passing = True
        return out

    def _read(self) -> None:
        reader = self._reader
        while True:
            if not self._is_waiting:
                if reader.is_between_tokens and reader.is_plain:
                    reader.at = run_end(self._dull, self._data, reader.at, reader.stop)
                kind = reader.next()
                if kind is None:
                    return
                if kind is not Kind.START_TAG:
                    self._is_passing = False
                    continue
            self._is_waiting = not self._start_tag()
            if self._is_waiting or reader.is_lost:
                return

    def _start_tag(self) -> bool:
        """Deal with the latest start tag. False: more of the page is needed for that."""
        reader = self._reader
        if reader.is_ambiguous and not self._is_settled():
            return False
        if self._is_passing:
            self._is_passing = False
            return True
        if self._closed is not None and len(reader.templates) < self._closed:
            self._closed = None
        tag = reader.tag()
        is_inert = self._closed is not None and reader.doubt is not Doubt.ANY
        if not is_inert and reader.name in _LOOKED_INTO and not self._look_into(tag):
            return False
        if self._attribute is not None and self._attribute in tag.lower():
            self._fill_in(tag)
        return True

    def _look_into(self, tag: bytes) -> bool:
        name = self._reader.name
        at, attributes = attributes_of(tag)
        if name == b"template":
            self._open_or_close(attributes)
            return True
        if name == b"base" and self._is_sure():
            self._note_base(attributes)
            return True
        if name == b"script" and first_of(attributes, b"src") is None:
            return self._look_into_script(tag, at, attributes)
        self._gate(tag, at, attributes, self._foreign(name, attributes))
        return True

    # --- What fetches -----------------------------------------------------------------------------

    def _foreign(self, name: bytes, attributes: list[Attribute]) -> list[Fetch]:
        """What is fetched from hosts that are not the page's own."""
        fetches = fetches_of(name, attributes, self._base, self._hosts_of_page)
        return [only for one in fetches if (only := self._only_foreign(one)).hosts]

    def _only_foreign(self, fetch: Fetch) -> Fetch:
        pairs = zip(fetch.hosts, fetch.urls, strict=True)
        return Fetch.of(fetch.name, [(h, u) for h, u in pairs if not self._is_own(h)])

    def _hosts_of_page(self, page: bytes) -> list[tuple[str, str]]:
        """Read a document inside an attribute. One inside that is read too, and then no more."""
        pairs: list[tuple[str, str]] = []
        if self._depth < _DEEPEST_PAGE:
            note = _noting(pairs)
            inner = Gate(note, is_own=self._is_own)
            inner._depth = self._depth + 1
            inner._base, inner._has_base = self._base, False
            inner.feed(page, last=True)
        return pairs

    def _gate(
        self, tag: bytes, at: int, attributes: list[Attribute], fetches: list[Fetch]
    ) -> None:
        if not fetches:
            return
        self.has_seen_foreign = True
        name = self._reader.name
        waits = self._judge(_tag_of(name, fetches, tag))
        if waits is None:
            return
        names = {one.name for one in fetches}
        if len(fetches) > 1 and name != b"iframe":
            names = {
                one.name
                for one in fetches
                if self._judge(_tag_of(name, [one], tag)) is not None
            }
        self._hold(at, attributes, names, waits)

    def _hold(
        self, at: int, attributes: list[Attribute], names: Iterable[bytes], waits: Waits
    ) -> None:
        """Put into the latest tag what makes it wait."""
        name, start = self._reader.name, self._reader.start
        names = set(names)
        first = b' %b="%b"' % (_SERVICE, waits.mark)
        if name == b"script":
            first = _NOT_RUN + first
            names.add(b"type")
        elif waits.srcdoc and _has_room(name, names, attributes):
            first += b' srcdoc="%b"' % waits.srcdoc
        self._insert(start + at, first)
        for one in attributes:
            if one.name in names:
                self._insert(start + one.at, _PREFIX)

    def _insert(self, at: int, markup: bytes) -> None:
        self._insertions.append((at, markup))
        self.has_changed = True

    def _is_sure(self) -> bool:
        reader = self._reader
        return (
            reader.is_html
            and not (reader.doubt or reader.templates)
            and reader.at > self._unsure_until
        )

    def _note_base(self, attributes: list[Attribute]) -> None:
        """The first <base> with an address counts (4.2.3); that of the page itself is left out."""
        if self._has_base or first_of(attributes, b"href") is None:
            return
        self._has_base = True
        self._base = None
        for fetch in self._foreign(b"base", attributes):
            self._base = fetch.hosts[0]
            self._dull = dull_pattern(
                self._attribute, has_markers=bool(self._markers), has_base=True
            )

    # --- Inline scripts ---------------------------------------------------------------------------

    def _look_into_script(self, tag: bytes, at: int, attributes: list[Attribute]) -> bool:
        """Judge a script by what it says. False: it is not all there yet."""
        kind = script_kind(attributes)
        if kind in {"", "module"}:
            foreign = self._foreign(b"script", attributes)  # an SVG script's href
            if foreign or not self._markers:
                self._gate(tag, at, attributes, foreign)
                return True
        elif kind not in {"importmap", "speculationrules"}:
            return True
        end = self._end_of(_ENDS[b"script"] if self._reader.is_html else _SCRIPT_TAG)
        if end is None:
            return False
        content = bytes(self._data[self._reader.at : end])
        if kind in {"", "module"}:
            self._judge_markers(content, at, attributes)
        else:
            fetch = self._only_foreign(Fetch.of(b"type", hosts_in_json(content)))
            self._gate(tag, at, attributes, [fetch] if fetch.hosts else [])
        return True

    def _judge_markers(self, content: bytes, at: int, attributes: list[Attribute]) -> None:
        found = [marker for marker in self._markers if marker in content]
        if not found or self._judge_marker is None:
            return
        self.has_seen_foreign = True
        marks = [mark for marker in found if (mark := self._judge_marker(marker)) is not None]
        if marks:
            self._hold(at, attributes, (), Waits(b" ".join(dict.fromkeys(marks))))

    def _end_of(self, end: re.Pattern[bytes]) -> int | None:
        """Find where the content of the latest element ends, or stop at 64 KB; None: feed more."""
        reader = self._reader
        limit = reader.at + _LOOK_AHEAD
        found = end.search(self._data, max(reader.at, self._looked), min(reader.stop, limit))
        if found is None and reader.stop < limit and not self._is_last:
            self._looked = max(reader.at, reader.stop - _LONGEST_NAME)
            return None
        self._looked = 0
        return found.start() if found else min(reader.stop, limit)

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
        reader.is_lost = not is_whole or end - reader.at >= _LOOK_AHEAD
        if not reader.is_lost:
            reader.is_lost = not _leaves_no_trace(content, self._dull)
        if not reader.is_lost:
            self._unsure_until = max(self._unsure_until, end)
        return True

    def _get_loose(self, *, last: bool) -> bytes:
        reader = self._reader
        out = self._sent_up_to(reader.at)
        self._loose = _Loose(self._waits_loosely)
        return out + self._loose.feed(bytes(self._data), last=last)

    def _waits_loosely(self, tag: bytes, name: bytes, value: bytes) -> bool:
        """Judge one attribute whose tag is not sure."""
        fetch = fetch_of(Attribute(name, 0, value), self._base, self._hosts_of_page)
        fetch = self._only_foreign(fetch)
        if not fetch.hosts:
            return False
        self.has_seen_foreign = True
        waits = self._judge(Tag(tag, fetch.hosts, fetch.urls, b"")) is not None
        self.has_changed |= waits
        return waits

    # --- Templates and elements to be filled ------------------------------------------------------

    def _open_or_close(self, attributes: list[Attribute]) -> None:
        """Ask for an author's own template; one inside another is left to whoever opens that."""
        reader = self._reader
        purpose, service = (first_of(attributes, name) for name in (_PURPOSE, _SERVICE))
        if self._template is None or not reader.is_html or len(reader.templates) > 1:
            return
        if reader.doubt or (purpose is None and service is None):
            return
        self.has_seen_foreign = True
        markup = self._template(_text(purpose), _text(service))
        if markup is None:
            self._insert(reader.at, b"</template>")
            reader.close_template()
            return
        self._closed = len(reader.templates)
        if markup:
            self._insert(reader.start, markup)

    def _fill_in(self, tag: bytes) -> None:
        reader = self._reader
        if self._fill is None or not reader.is_html or reader.name in _HOLDS_NO_MARKUP:
            return
        value = first_of(attributes_of(tag)[1], self._attribute or b"")
        if value is not None and (markup := self._fill(_text(value) or "")):
            self.has_seen_foreign = True
            self._insert(reader.at, markup)


def _has_room(name: bytes, held: set[bytes], attributes: list[Attribute]) -> bool:
    """Tell whether a tag is an iframe that shows no document of its author's."""
    own = first_of(attributes, b"srcdoc")
    return name == b"iframe" and (own is None or b"srcdoc" in held)


def _tag_of(name: bytes, fetches: list[Fetch], source: bytes) -> Tag:
    pairs = [pair for one in fetches for pair in zip(one.hosts, one.urls, strict=True)]
    _, hosts, urls = Fetch.of(name, pairs)
    return Tag(name, hosts, urls, source)


def _text(value: bytes | None) -> str | None:
    return None if value is None else unescape(value.decode("utf-8", "replace"))


def _noting(pairs: list[tuple[str, str]]) -> Callable[[Tag], None]:
    def note(tag: Tag) -> None:
        pairs.extend(zip(tag.hosts, tag.urls, strict=True))

    return note


_NAME: Final = re.compile(rb"</?+[^\t\n\f\r />]*+")


def _leaves_no_trace(content: bytes, dull: re.Pattern[bytes]) -> bool:
    """Tell whether markup that may be raw text ends as if it had not been there."""
    at = run_end(dull, content, 0, len(content))
    reader = Reader(content, at)
    while reader.next() is not None:
        if reader.is_ambiguous or reader.is_lost:
            return False
    return reader.leaves_no_trace


# --- Where nothing is sure ------------------------------------------------------------------------

_MARGIN: Final = 64  # more than the longest of _LIVE
_LOOK_BACK: Final = 1024
_LOOSE_CAP: Final = 4096
_UNQUOTED_CAP: Final = 512
_LIVE = (
    rb"(?P<name>(?i:src(?:set|doc)?+|(?:xlink:)?+href|imagesrcset|poster|data|background))"
    rb"[\t\n\f\r ]{0,16}+=[\t\n\f\r ]{0,16}+"
)
_BEFORE_NAMES = rb"\t\n\f\r /\"'"
_NOT_LIVE: Final = re.compile(
    rb"(?:[^%b]++|[%b](?!%b))*+" % (_BEFORE_NAMES, _BEFORE_NAMES, _LIVE.replace(b"P<name>", b":"))
)
_LIVE_NAME: Final = re.compile(rb"[%b]%b" % (_BEFORE_NAMES, _LIVE))
_TAG_NAME: Final = re.compile(rb"<([a-zA-Z]++)(?=[\t\n\f\r />])")
_LINKS: Final = frozenset({b"a", b"area"})
_LISTS: Final = frozenset({b"srcset", b"imagesrcset"})


class _Loose:
    """Reads a page of which nothing is sure any more: every attribute that may fetch is looked at.

    Wherever the attribute stands, in a comment or in another attribute, it may be live in one of
    the readings. Only the addresses of links are left alone. Nothing is marked, so that no quote
    stands where it would end something: what waits here waits until the page is loaded again.
    """

    def __init__(self, waits: Callable[[bytes, bytes, bytes], bool]) -> None:
        self._waits = waits
        self._data = bytearray()
        self._at = 0  # looked at up to here
        self._sent = 0

    def feed(self, chunk: bytes, *, last: bool) -> bytes:
        self._data += chunk
        data = self._data
        parts: list[bytes | bytearray] = []
        upto = len(data) if last else len(data) - _MARGIN
        while (at := run_end(_NOT_LIVE, data, self._at, len(data))) < upto:
            found = _LIVE_NAME.match(data, at)
            value = self._value(found, last=last) if found else b""
            if found is None or value is None:
                upto = at
                break
            if self._is_live(found["name"].lower(), at, value):
                parts += (data[self._sent : at + 1], _PREFIX)
                self._sent = at + 1
            self._at = found.end()
        self._at = max(self._at, upto)
        parts.append(data[self._sent : self._at])
        self._sent = self._at
        gone = max(0, self._at - _LOOK_BACK)
        del data[:gone]
        self._at = self._sent = self._at - gone
        return b"".join(parts)

    def _value(self, name: re.Match[bytes], *, last: bool) -> bytes | None:
        """Return the attribute's value as far as it is looked at; None: more is needed."""
        data, at = self._data, name.end()
        quote = bytes(data[at : at + 1])
        if quote in {b'"', b"'"}:
            at += 1
            limit = at + _LOOSE_CAP
            end = data.find(quote, at, limit)
        else:
            limit = at + _UNQUOTED_CAP
            found = _UNQUOTED_END.search(data, at, limit)
            end = found.start() if found else -1
        if end < 0 and len(data) < limit and not last:
            return None
        return bytes(data[at : end if end >= 0 else limit])

    def _is_live(self, name: bytes, at: int, value: bytes) -> bool:
        start = max(0, at - _LOOK_BACK)
        tag_at = self._data.rfind(b"<", start, at)
        found = _TAG_NAME.match(self._data, max(tag_at, 0)) if tag_at >= 0 else None
        tag = found[1].lower() if found else b""
        is_inside = self._data.rfind(b"<", start, max(tag_at, start)) > self._data.rfind(
            b">", start, max(tag_at, start)
        )
        if tag in _LINKS and name == b"href" and not is_inside:
            return False
        return self._waits(tag, name, value)


_UNQUOTED_END: Final = re.compile(rb"[\t\n\f\r >]")
