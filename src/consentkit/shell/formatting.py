"""`consentkit fmt`: a policy file in its canonical form, every comment kept.

It has never heard of what a policy means: it moves lines, and asks the reader whether the file
still says the same.

LF line ends, no blanks at the end of a line, two spaces for each level, one empty line at most and
one around the top-level sections, keys in the order of the models. A comment stays above or behind
the line it was written to; what stands deeper than the next key closes the keys before it. What is
in brackets or quotes, and every block of text, is moved as a whole. Where an order would put an
alias before its anchor, that part keeps the order it has; where a file cannot be laid out without
saying something else, all of it stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml
from pydantic import BaseModel

from consentkit.errors import PolicyError
from consentkit.rules.policy import Policy
from consentkit.rules.wording import MODELS
from consentkit.rules.yaml_text import compose, text_of

__all__ = ["formatted"]

_Event: TypeAlias = Any
"""An event of PyYAML, whose types leave out what its kinds hold."""
_Path = tuple[str, ...]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_END: Final = re.compile("\r\n?")
_RARE_LINE_END: Final = re.compile("[\x85\u2028\u2029]")
_SECOND: Final = "a second document"
_INDENT: Final = 2


def formatted(text: str, file: str) -> str:
    r"""The canonical form of the policy file in `text`; `file` is its name in faults.

    Raises PolicyError for what is not one document of YAML. A file whose sense is at fault is
    formatted too.

    >>> print(formatted("mode:  explicit # for now\r\nsite:\r\n   name: A\r\n", "-"), end="")
    site:
      name: A
    <BLANKLINE>
    mode:  explicit # for now
    """
    faults = compose(text, file).faults
    if any(fault.what.startswith(_SECOND) for fault in faults):
        raise PolicyError(faults)
    text = _LINE_END.sub("\n", text_of(text, file))
    meant = _meaning(text)
    before = None
    while text != before:  # an anchor that was moved may free the order of others
        before, text = text, _laid_out(text, meant)
    return text


def _laid_out(text: str, meant: object) -> str:
    # YAML 1.1 counts NEL, LS and PS as line ends and editors do not: such a file stays as it is.
    if _RARE_LINE_END.search(text):
        return text
    layout = _Layout(text)
    free = _most({*layout.unordered()}, layout, meant)
    result = layout.printed(free)
    return result if _still_says(meant, result) else text


def _most(paths: set[_Path], layout: _Layout, meant: object) -> frozenset[_Path]:
    """As many of `paths` as may be put in order while the file says the same."""
    free: frozenset[_Path] = frozenset()
    waiting = [sorted(paths)] if paths else []
    while waiting:
        some = waiting.pop()
        if _still_says(meant, layout.printed(free | {*some})):
            free |= {*some}
        elif len(some) > 1:
            half = len(some) // 2
            waiting += [some[half:], some[:half]]
    return free


# What a file says


def _still_says(meant: object, text: str) -> bool:
    try:
        return _meaning(text) == meant
    except (KeyError, yaml.YAMLError):  # an alias now stands before its anchor, or no YAML is left
        return False


def _meaning(text: str) -> object:
    """What is to stay the same, of all that a YAML text holds; an order only where it counts."""
    return _Meanings(text).document()


class _Meanings:
    """Reads the events of YAML into plain values; an alias becomes what it names."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[_Event] = iter(yaml.parse(text, Loader=_LOADER))
        self._anchors: dict[str, object] = {}

    def document(self) -> object:
        """What the one document says. Raises KeyError for an alias that names nothing."""
        next(self._events)  # the stream begins
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        value = self._value(next(self._events), ())
        return value, [type(event) for event in self._events]

    def _value(self, event: _Event, path: _Path) -> object:
        if isinstance(event, yaml.AliasEvent):
            return self._anchors[str(event.anchor)]
        if isinstance(event, yaml.ScalarEvent):
            value: object = (event.tag, event.implicit, event.value)
        elif isinstance(event, yaml.MappingStartEvent):
            value = (event.tag, self._pairs(path))
        else:
            value = (event.tag, self._items(path))
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _pairs(self, path: _Path) -> list[tuple[object, object]]:
        pairs: list[tuple[object, object]] = []
        names: list[str] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            names.append(getattr(event, "value", ""))
            key = self._value(event, ())
            pairs.append((key, self._value(next(self._events), (*path, names[-1]))))
        if _order_at(path) is None:
            return pairs
        # By name; two of one name stay in the order they have, since the reader takes the first.
        named = sorted(zip(names, pairs, strict=True), key=lambda each: each[0])
        return [pair for _, pair in named]

    def _items(self, path: _Path) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, "")))
        return items


def _keys(model: type[BaseModel]) -> list[str]:
    return [str(info.alias) for info in model.model_fields.values() if not info.exclude]


def _with_file_keys(keys: list[str]) -> list[str]:
    at = keys.index("cookies")
    return ["extends", *keys[:at], "uses", *keys[at:]]


_ORDERS: Final[Mapping[_Path, Sequence[str]]] = {
    **{place: _keys(model) for place, model in MODELS.items()},
    (): _with_file_keys(_keys(Policy)),
}
"""The order of the keys wherever it says nothing; that of purposes and of cookies is the site's."""


def _order_at(path: _Path) -> Sequence[str] | None:
    return _ORDERS.get(path) or _ORDERS.get((*path[:1], "*", *path[2:]) if path[1:] else ())


# The lines of a file, as a tree of keys


@dataclass(slots=True)
class _Span:
    """A value's lines (from 0, both included), and what it holds where that has lines of its own.

    Of a mapping in block style these are the keys and values, of a list in block style the items.
    """

    first: int
    column: int
    last: int
    text: str = ""
    keys: list[tuple[_Span, _Span]] = field(default_factory=list)
    items: list[_Span] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Entry:
    """A key or a dash: comments above it, its own lines, and the entries under it."""

    name: str
    above: list[str]
    lines: list[str]
    block: _Block | None = None


@dataclass(slots=True, eq=False)
class _Block:
    """Entries in one column, and the comments that close them."""

    column: int
    is_mapping: bool
    entries: list[_Entry] = field(default_factory=list)
    below: list[str] = field(default_factory=list)


class _Layout:
    """A file's lines as a tree of entries that can be printed anew."""

    def __init__(self, text: str) -> None:
        """Read `text`, which is known to be YAML with LF line ends."""
        self._lines = text.split("\n")
        self._bound: set[int] = set()
        self._events: Iterator[_Event] = iter(yaml.parse(text, Loader=_LOADER))
        root = self._root()
        self._trim()
        self._head: list[str] = []
        self._top: _Block | None = None
        if root is not None and root.keys and self._is_block(root):
            self._cut(root)

    def _root(self) -> _Span | None:
        """The top value, if there is one."""
        next(self._events)  # the stream begins
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        return self._span(next(self._events))

    def _span(self, event: _Event) -> _Span:
        start, end = event.start_mark, event.end_mark
        span = _Span(start.line, start.column, end.line)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, span)
        elif isinstance(event, yaml.MappingStartEvent):
            self._mapping(span, in_block=not event.flow_style)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._list(span, in_block=not event.flow_style)
        return span

    def _scalar(self, event: _Event, span: _Span) -> None:
        span.text = event.value
        if event.style in ("|", ">"):
            span.last -= event.end_mark.column == 0
            self._text_block(span)
        elif event.style:
            self._bound.update(range(span.first, span.last))

    def _mapping(self, span: _Span, *, in_block: bool) -> None:
        while not _ends(event := next(self._events), yaml.MappingEndEvent):
            key = self._span(event)
            value = self._span(next(self._events))
            span.last = max(span.last, key.last, value.last)
            if in_block:
                span.keys.append((key, value))
        if not in_block:
            span.last = event.end_mark.line

    def _list(self, span: _Span, *, in_block: bool) -> None:
        while not _ends(event := next(self._events), yaml.SequenceEndEvent):
            item = self._span(event)
            span.last = max(span.last, item.last)
            if in_block:
                span.items.append(item)
        if not in_block:
            span.last = event.end_mark.line

    def _text_block(self, span: _Span) -> None:
        """Leave a block of text as it is, but for blanks that are not part of it."""
        lines, header = self._lines, self._lines[span.first][span.column :]
        content = range(span.first + 1, span.last + 1)
        indent = min((_indent(lines[at]) for at in content if lines[at].strip(" ")), default=0)
        for at in content:
            if not lines[at].strip(" ") and len(lines[at]) <= indent:
                lines[at] = ""
        if not _KEEPS_LINE_ENDS.match(header):
            while not lines[span.last]:
                span.last -= 1
        self._bound.update(range(span.first + 1, span.last + 1))

    def _trim(self) -> None:
        for at, line in enumerate(self._lines):
            if at not in self._bound:
                self._lines[at] = line.rstrip(" \t")

    def _cut(self, root: _Span) -> None:
        self._top, end = self._block(root, len(self._lines), -1)
        first = root.keys[0][0].first
        self._top.below += self._lines[end:]
        head = _head_of(self._lines[:first])
        self._head, self._top.entries[0].above = self._lines[:head], self._lines[head:first]

    def _is_block(self, span: _Span) -> bool:
        """True if each key or dash begins a line of its own."""
        keys = (self._lines[key.first][: key.column] for key, _ in span.keys)
        dashes = (self._lines[item.first][: item.column] for item in span.items)
        held = bool(span.keys or span.items)
        return held and not any(map(str.strip, keys)) and all(map(_DASH.fullmatch, dashes))

    def _block(self, span: _Span, until: int, outer: int) -> tuple[_Block, int]:
        """The entries of a value that ends before line `until`, and the first line after them.

        `outer` is the column of the entries around it.
        """
        column = span.column if span.keys else _indent(self._lines[span.items[0].first])
        block = _Block(column, is_mapping=bool(span.keys))
        pairs = span.keys or [(item, item) for item in span.items]
        ends = [*(key.first for key, _ in pairs[1:]), until]
        at = pairs[0][0].first
        for (key, value), end in zip(pairs, ends, strict=True):
            above = self._lines[at : key.first]
            entry, at = self._entry(key, value, end, column)
            entry.above = above
            block.entries.append(entry)
        closing = self._closing(at, until, column) if column > outer else at
        block.below = self._lines[at:closing]
        return block, closing

    def _entry(self, key: _Span, value: _Span, until: int, column: int) -> tuple[_Entry, int]:
        head = key.first + 1
        if not self._has_own_block(key, value):
            return _Entry(key.text, [], self._lines[key.first : value.last + 1]), value.last + 1
        block, end = self._block(value, until, column)
        first = (value.keys[0][0] if value.keys else value.items[0]).first
        block.entries[0].above = self._lines[head:first]
        return _Entry(key.text, [], self._lines[key.first : head], block), end

    def _has_own_block(self, key: _Span, value: _Span) -> bool:
        """True if all a value holds stands in lines below its key, with comments between."""
        if key is value or not self._is_block(value):
            return False
        first = (value.keys[0][0] if value.keys else value.items[0]).first
        between = self._lines[key.first + 1 : first]
        return first > key.first and all(map(_is_bare, between))

    def _closing(self, at: int, until: int, column: int) -> int:
        """Where the comments end that stand as deep as the entries before them."""
        end = at
        for number in range(at, until):
            line = self._lines[number]
            if line and _indent(line) < column:
                break
            end = number + 1 if line else end
        return end

    def unordered(self) -> Iterator[_Path]:
        """Where keys stand in another order than the models'."""
        return _unordered(self._top, ()) if self._top else iter(())

    def printed(self, free: frozenset[_Path]) -> str:
        """The file anew, with the keys at the paths in `free` put in order."""
        if self._top is None:
            text = "\n".join(self._lines).rstrip("\n")
            return f"{text}\n" if text else ""
        lines = [*_tidy(self._head), *_printed(self._top, (), free)]
        return "\n".join(lines) + "\n"


_KEEPS_LINE_ENDS: Final = re.compile(r"(?:[&!]\S*[ \t]+)*[|>][0-9]?\+")
_DASH: Final = re.compile(" *- *")
_NOTE_TO_EDITORS: Final = "yaml-language-server"


def _ends(event: _Event, kind: type[yaml.Event]) -> bool:
    return isinstance(event, kind)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_bare(line: str) -> bool:
    return line.lstrip()[:1] in ("", "#")


def _head_of(lines: Sequence[str]) -> int:
    """How many of the lines before the first key belong to the file and not to the key.

    What an empty line sets off, what is addressed to editors, and ``---``.
    """
    own = (not line or not _is_bare(line) or _NOTE_TO_EDITORS in line for line in lines)
    return max((at for at, is_own in enumerate(own, start=1) if is_own), default=0)


# The tree, printed


def _in_order(block: _Block, path: _Path) -> list[_Entry]:
    """The entries as the models have them; a key that is not known stays behind the one before."""
    order = _order_at(path) if block.is_mapping else None
    if order is None:
        return block.entries
    ranks: list[int] = []
    for entry in block.entries:
        before = ranks[-1] if ranks else -1
        ranks.append(order.index(entry.name) if entry.name in order else before)
    ranked = sorted(zip(ranks, block.entries, strict=True), key=lambda each: each[0])
    return [entry for _, entry in ranked]


def _unordered(block: _Block, path: _Path) -> Iterator[_Path]:
    if _in_order(block, path) != block.entries:
        yield path
    for entry in block.entries:
        if entry.block:
            yield from _unordered(entry.block, (*path, entry.name))


def _printed(block: _Block, path: _Path, free: frozenset[_Path]) -> Iterator[str]:
    indent, shift = " " * _INDENT * len(path), _INDENT * len(path) - block.column
    before: _Entry | None = None
    for entry in _in_order(block, path) if path in free else block.entries:
        above = _tidy(entry.above, keep_first=before is not None)
        if before and not path and (_is_section(before) or _is_section(entry)):
            above = ["", *_tidy(above)]
        yield from (indent + line.strip() if line else "" for line in above)
        yield from (_shifted(line, shift) for line in entry.lines)
        if entry.block:
            yield from _printed(entry.block, (*path, entry.name), free)
        before = entry
    below = _tidy(block.below, keep_first=True, keep_last=False)
    yield from (indent + line.strip() if line else "" for line in below)


def _is_section(entry: _Entry) -> bool:
    return entry.block is not None and entry.block.is_mapping


def _shifted(line: str, by: int) -> str:
    if not line or by >= 0:
        return " " * by + line if line else line
    return line[min(-by, _indent(line)) :]


def _tidy(lines: Iterable[str], *, keep_first: bool = False, keep_last: bool = True) -> list[str]:
    """Lines with one empty line at most in a row, and none at the ends that keep none."""
    tidy: list[str] = []
    for line in lines:
        if line or (tidy and tidy[-1]) or (keep_first and not tidy):
            tidy.append(line)
    while tidy and not tidy[-1] and not keep_last:
        tidy.pop()
    return tidy
