"""YAML text -> plain data that remembers where each part of it stands.

It has never heard of policies: it reads keys, lists, texts, whole numbers, true, false, nothing.

The events of libyaml's C parser are composed into `Node`, plain values with their places. YAML 1.1,
of which only text, whole numbers, true, false and nothing are read, so ``no`` is Norwegian and
``2015-06-01`` is text until a date is wanted. What can be passed over is noted as a fault, so that
one reading finds them all; what cannot is a PolicyError at once.

A file has at most 1 MiB and 50 levels, aliases spelled out; they may repeat 20,000 nodes. Merge
keys are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias

import yaml

from consentkit.errors import Fault, PolicyError

__all__ = [
    "DEEPEST",
    "HALF_A_CHARACTER",
    "LARGEST",
    "Data",
    "Document",
    "Node",
    "Place",
    "compose",
    "merged",
    "node_of",
    "shown",
    "text_of",
]

LARGEST: Final = 1 << 20
"""Bytes of the largest file that is read."""
DEEPEST: Final = 50
"""Levels of keys and lists that may stand inside one another."""
MOST_REPEATED: Final = 20_000
HALF_A_CHARACTER: Final = re.compile("[\ud800-\udfff]")
"""A surrogate: an escape can bring it in, and no UTF-8 can carry it."""

Data: TypeAlias = Any
"""Plain data of any shape: that is what is to be found out."""
_Event: TypeAlias = Any
"""An event of PyYAML, whose types leave out what its kinds hold."""


class Place(NamedTuple):
    """Where something stands: the file's name, line and column from 1; 0 for the whole file."""

    file: str
    line: int = 0
    column: int = 0


@dataclass(slots=True)
class Node:
    """A value: its plain data, its place, and what it holds by key.

    Each of `items` is the place of the key and the node of the value; a scalar has none. `size`
    counts it and all it holds, aliases spelled out, and `levels` those of keys and lists: a scalar
    has none. `has_holes` says that something in it was left out, so that nothing may be said of
    what it lacks.
    """

    place: Place
    data: Data
    size: int = 1
    has_holes: bool = False
    items: dict[str, tuple[Place, Node]] | None = None
    levels: int = 0

    def add(self, key: str, place: Place, child: Node) -> None:
        """Hold `child` too."""
        self.items = {} if self.items is None else self.items
        self.items[key] = place, child
        self.size += child.size
        self.levels = max(self.levels, child.levels + 1)

    def get(self, key: str) -> Node | None:
        """What stands under `key`; None if nothing does."""
        return self.items[key][1] if self.items and key in self.items else None

    def children(self) -> list[tuple[str, Node]]:
        """What it holds, with its keys."""
        return [(key, child) for key, (_, child) in (self.items or {}).items()]


class Document(NamedTuple):
    """One file, read: its top node, the faults that reading passed over, and its text."""

    node: Node
    faults: list[Fault]
    text: str


def compose(source: bytes | str, file: str) -> Document:
    """Read the one document in `source` (bytes are UTF-8); `file` is its name in faults.

    Raises PolicyError where it cannot be read on.
    """
    text = text_of(source, file)
    composer = _Composer(text, file)
    return Document(composer.compose(), composer.faults, text)


def node_of(data: Data, place: Place) -> Node:
    """Plain data as a node, all of it at one place: what was not written in a file.

    Its keys are text, and it is no deeper than a file may be.
    """
    node = Node(place, data)
    if isinstance(data, Mapping):
        for key, value in data.items():
            node.add(str(key), place, node_of(value, place))
    elif isinstance(data, list | tuple):
        for index, value in enumerate(data):
            node.add(str(index), place, node_of(value, place))
    return node


Path: TypeAlias = tuple[str, ...]
StandsAlone: TypeAlias = Callable[[Path, Node], bool]


def merged(
    base: Node, over: Node, stands_alone: StandsAlone = lambda _path, _node: False, at: Path = ()
) -> Node:
    """`over` laid upon `base`: where both have keys they are merged, all else is `over`'s.

    So is a part of `over` that `stands_alone` by its path and its node. The base's keys come
    first, unless `over` has them all: then they keep its order.
    """
    if not isinstance(base.data, Mapping) or not isinstance(over.data, Mapping):
        return over
    below, above = base.items or {}, over.items or {}
    node = Node(over.place, {}, has_holes=base.has_holes or over.has_holes)
    for key in above if below.keys() <= above.keys() else dict.fromkeys((*below, *above)):
        place, child = above.get(key) or below[key]
        path = (*at, key)
        if key in above and key in below and not stands_alone(path, child):
            child = merged(below[key][1], child, stands_alone, path)
        node.add(key, place, child)
    node.data = {key: child.data for key, child in node.children()}
    return node


_HUGE: Final = 10**60
"""Python refuses to write numbers out that are much larger."""


def shown(value: object) -> str:
    """A value in a few words, as it would stand in the file."""
    if isinstance(value, Mapping):
        return "a set of keys"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    if isinstance(value, int) and abs(value) >= _HUGE:
        return "a huge number"
    if isinstance(value, str | int):
        text = repr(value)
        return text if len(text) <= 62 else f"{text[:60]}…"
    return "a list" if isinstance(value, list | tuple) else f"of type {type(value).__name__}"


def _fault(place: Place, what: str, cure: str) -> Fault:
    return Fault(*place, f"{what}.", cure)


# Bytes to text

_NOT_UTF_8: Final = "Save it as UTF-8."
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
_NEVER_IN_YAML: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


def text_of(source: bytes | str, file: str) -> str:
    """The text of a file (bytes are UTF-8), without a byte-order mark.

    Raises PolicyError for what is too large, no text, or holds what YAML cannot.
    """
    if len(source) > LARGEST:
        what = f"the file is larger than {LARGEST >> 20} MiB"
        _stop(Place(file), what, "A few hundred lines are usual: is it the right file?")
    text = source if isinstance(source, str) else _decoded(source, file)
    text = text.removeprefix("\ufeff")
    stray = _NEVER_IN_YAML.search(text)
    if stray:
        what = f"the character {stray[0]!a} cannot stand in a YAML file"
        place = _place_in(text, stray.start(), file)
        _stop(place, what, "Delete it; your editor may not show it.")
    return text


def _decoded(source: bytes, file: str) -> str:
    if source.startswith(_WIDE):
        _stop(Place(file), "the file is UTF-16", _NOT_UTF_8)
    if b"\0" in source:
        _stop(Place(file), "the file is binary", "Is it the right file?")
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        before = source[: error.start].decode().removeprefix("\ufeff")
        what = f"the byte 0x{source[error.start]:02x} is not UTF-8"
        _stop(_place_in(before, len(before), file), what, _NOT_UTF_8)


_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line, as the marks of YAML 1.1 count them (§5.4)."""


def _place_in(text: str, at: int, file: str) -> Place:
    ends = [found.end() for found in _LINE_BREAK.finditer(text, 0, at)]
    return Place(file, len(ends) + 1, at - (ends[-1] if ends else 0) + 1)


def _stop(place: Place, what: str, cure: str) -> NoReturn:
    raise PolicyError([_fault(place, what, cure)])


# Text to nodes

_PLAIN: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_WHOLE_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NO_TAGS: Final = (None, "!")
_TEXT_TAGS: Final = (None, "!", "tag:yaml.org,2002:str")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_LOOK_HERE: Final = (
    "Look at this line and the one before it: a bracket, a quote or an indent is amiss."
)
_SYNTAX_CURES: Final = (
    ("tab character", "Indent with spaces: YAML refuses tabs."),
    ("mapping values are not allowed", "A text with ': ' in it needs quotes."),
    ("could not find expected ':'", "A key ends with a colon: 'key: value'."),
    ("alias", "A value that begins with '*' needs quotes: it would be an alias."),
    ("anchor", "A value that begins with '&' needs quotes: it would be an anchor."),
    (
        "cannot start any token",
        "Indent with spaces, not tabs; a value that begins with '@', '`' or '%' needs quotes.",
    ),
    ("block mapping", "Look at the indentation: keys of one level stand in one column."),
    ("flow", "Look for a bracket, a brace or a comma that is missing, and quote names with '{'."),
    ("quoted scalar", "Look for a quote that is missing."),
)


class _Composer:
    """Makes nodes of YAML events; what can be passed over is noted, the rest stops it."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._next: Callable[[], _Event] = _LOADER(text).get_event
        self._anchors: dict[str, Node] = {}
        self._repeated = 0
        self.faults: list[Fault] = []

    def compose(self) -> Node:
        """The top node of the one document. Raises PolicyError where it cannot be read on."""
        try:
            return self._document()
        except yaml.MarkedYAMLError as error:
            raise PolicyError([*self.faults, self._syntax_fault(error)]) from error

    def _document(self) -> Node:
        self._next()  # the stream begins
        if isinstance(self._next(), yaml.StreamEndEvent):
            return Node(Place(self._file, 1, 1), None)
        node = self._node(self._next(), 0)
        self._next()  # the document ends
        more = self._next()
        if not isinstance(more, yaml.StreamEndEvent):
            what = "a second document begins"
            self._note(more, what, "Keep one in one file: take the '---' away.")
        return node

    def _node(self, event: _Event, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        elif depth >= DEEPEST:
            self._stop_at_depth(event)
        else:
            node = self._collection(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _stop_at_depth(self, event: _Event) -> NoReturn:
        cure = "Five levels are usual: is it the right file?"
        self._stop(event, f"more than {DEEPEST} levels stand inside one another", cure)

    def _alias(self, event: _Event, depth: int) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            what = f"the alias '*{event.anchor}' names nothing that stands whole before it"
            self._stop(event, what, "A text that begins with '*' needs quotes.")
        self._repeated += node.size
        if self._repeated > MOST_REPEATED:
            what = f"the aliases repeat more than {MOST_REPEATED} values"
            self._stop(event, what, "Write the values out.")
        if depth + node.levels > DEEPEST:
            self._stop_at_depth(event)
        return node

    def _scalar(self, event: _Event) -> Node:
        if event.tag:
            self._check_tag(event, _TEXT_TAGS)
        mark, text = event.start_mark, event.value
        data: str | int | bool | None = text
        if event.implicit[0] and not event.tag:
            if text in _PLAIN:
                data = _PLAIN[text]
            elif _WHOLE_NUMBER.fullmatch(text):
                data = int(text)
        return Node(Place(self._file, mark.line + 1, mark.column + 1), data)

    def _collection(self, event: _Event, depth: int) -> Node:
        self._check_tag(event, _NO_TAGS)
        if isinstance(event, yaml.MappingStartEvent):
            node = Node(self._place_of(event), {}, levels=1)
            while not isinstance(key := self._next(), yaml.MappingEndEvent):
                self._pair(node, key, depth + 1)
        else:
            node = Node(self._place_of(event), [], levels=1)
            while not isinstance(item := self._next(), yaml.SequenceEndEvent):
                self._item(node, item, depth + 1)
        return node

    def _item(self, node: Node, event: _Event, depth: int) -> None:
        child = self._node(event, depth)
        node.add(str(len(node.data)), child.place, child)
        node.data.append(child.data)

    def _pair(self, node: Node, key: _Event, depth: int) -> None:
        name = self._key(key, depth)
        child = self._node(self._next(), depth)
        if name is None:
            node.has_holes = True
        elif name in node.data:
            (_, line, column), _ = (node.items or {})[name]
            what = f"the key {shown(name)} stands in line {line}, column {column} already"
            self._note(key, what, "Take one of the two away.")
        else:
            node.add(name, self._place_of(key), child)
            node.data[name] = child.data

    def _key(self, event: _Event, depth: int) -> str | None:
        """A key as it is written: ``no`` and ``1`` are text. None for one that cannot be."""
        if not isinstance(event, yaml.ScalarEvent):
            self._node(event, depth)
            what = "a key must be text"
            cure = "If it is a name or a template with '{', '[' or '*', put it in quotes."
            self._note(event, what, cure)
            return None
        self._check_tag(event, _TEXT_TAGS)
        if event.value == "<<" and event.implicit[0]:
            cure = "Write the keys out, so that everybody sees them where they count."
            self._note(event, "the merge key '<<' is not read", cure)
            return None
        if HALF_A_CHARACTER.search(event.value):
            what = f"the key {shown(event.value)} has half of a character in it"
            self._note(event, what, "Write the character itself in place of the '\\u…'.")
            return None
        return str(event.value)

    def _check_tag(self, event: _Event, known: tuple[str | None, ...]) -> None:
        if event.tag not in known:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            cure = "Take it away: only texts, whole numbers, true and false are read."
            self._note(event, f"the tag '{tag}' is not read", cure)

    def _note(self, event: _Event, what: str, cure: str) -> None:
        self.faults.append(_fault(self._place_of(event), what, cure))

    def _stop(self, event: _Event, what: str, cure: str) -> NoReturn:
        raise PolicyError([*self.faults, _fault(self._place_of(event), what, cure)])

    def _place_of(self, event: _Event) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _syntax_fault(self, error: yaml.MarkedYAMLError) -> Fault:
        # What was never closed is looked for where it was opened, and not at the file's end.
        is_open = any(sign in str(error.context) for sign in ("quoted scalar", "flow "))
        marks = error.context_mark, error.problem_mark
        mark = next(filter(None, marks if is_open else reversed(marks)), None)
        place = Place(self._file, *((mark.line + 1, mark.column + 1) if mark else ()))
        said = ", ".join(filter(None, (error.context, error.problem)))
        cure = next((cure for sign, cure in _SYNTAX_CURES if sign in said), _LOOK_HERE)
        return _fault(place, f"this is not YAML: {said}", cure)
