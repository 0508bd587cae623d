"""A policy file -> Policy, or PolicyError with every fault, its place and its cure.

It has never heard of visitors or HTTP: it reads text and says what is wrong with it.

Three steps. The YAML events are composed into `_Node`, plain values that remember their lines
(libyaml's C parser; YAML 1.1, of which only text, whole numbers, true, false and nothing are
read, so ``no`` is Norwegian and ``2015-06-01`` is text until a date is wanted). pydantic checks
the shape, and its findings are put into our words by `_WORDING`. `faults.problems_in` checks the
sense; entries that have no shape are left out of it, so one slip is one fault.

A file has at most 1 MiB and 50 levels; aliases may repeat 20,000 nodes, merge keys are refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from consentkit.errors import Fault, PolicyError, did_you_mean
from consentkit.rules.faults import Loc, Problem, listed, problems_in, subject_of
from consentkit.rules.policy import (
    IN_A_FILE,
    Banner,
    CookieAttributes,
    DeclaredCookie,
    Policy,
    Purpose,
    Service,
    Site,
    TokenOptions,
)

__all__ = ["check_policy", "load_policy", "policy_from", "read_policy"]

LARGEST: Final = 1 << 20
"""Bytes of the largest file that is read."""
DEEPEST: Final = 50
MOST_REPEATED: Final = 20_000

_Place = tuple[int, int]
_Data: TypeAlias = Any
"""Plain data of any shape: that is what is to be found out."""
_Event: TypeAlias = Any
"""An event of PyYAML, whose types leave out what its kinds hold."""


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """The policy in a YAML file.

    Raises PolicyError with every fault, also where the file is missing or cannot be read.
    """
    file = os.fspath(path)
    try:
        with Path(file).open("rb") as stream:
            source = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise PolicyError([_fault(file, (0, 0), *_unreadable(error))]) from error
    return read_policy(source, file)


def read_policy(source: bytes | str, file: str = "<policy>") -> Policy:
    """The policy in the text of a YAML file (bytes are UTF-8); `file` is its name in faults.

    Raises PolicyError with every fault.
    """
    document = _Composer(_text_of(source, file), file).compose()
    node = document.node
    holes = _holes_in(node) if document.faults else frozenset()
    policy, problems = _judge(node.data, holes, in_file=True)
    faults = [*document.faults, *(_placed(each, node, file) for each in problems)]
    if faults:
        raise PolicyError(faults)
    return policy


def policy_from(data: Mapping[str, object], file: str = "<policy>") -> Policy:
    """The policy in plain data: what a file holds, built in Python.

    Keys may have underscores, durations may be whole seconds. Raises PolicyError with every
    fault; a fault's place is the path of its keys.
    """
    policy, problems = _judge(dict(data), frozenset(), in_file=False)
    _raise_pathed(problems, file)
    return policy


def check_policy(policy: Policy) -> None:
    """Raise PolicyError if a policy that was built in Python cannot hold."""
    _raise_pathed(problems_in(policy), "<policy>")


def _raise_pathed(problems: Sequence[Problem], file: str) -> None:
    if problems:
        raise PolicyError(
            _fault(file, (0, 0), ": ".join((*path, each.what)), each.cure)
            for each in problems
            for path in [[".".join(each.loc)] if each.loc else []]
        )


def _fault(file: str, place: _Place, what: str, cure: str) -> Fault:
    return Fault(file, *place, f"{what}.", cure)


# Bytes to text

_UNREADABLE: Final[Mapping[type[Exception], tuple[str, str]]] = {
    FileNotFoundError: ("there is no such file", "Check the path; it counts from where you start."),
    IsADirectoryError: ("this is a directory", "Name the policy file in it."),
    PermissionError: ("this file may not be read", "Let the user who runs the site read it."),
}
_NOT_UTF_8: Final = "Save it as UTF-8."
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff")
_NEVER_IN_YAML: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


def _unreadable(error: Exception) -> tuple[str, str]:
    known = _UNREADABLE.get(type(error))
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return known or (f"this file cannot be read: {reason}", "Check the path.")


def _text_of(source: bytes | str, file: str) -> str:
    if len(source) > LARGEST:
        what = f"the file is larger than {LARGEST >> 20} MiB"
        _stop(file, (0, 0), what, "A policy is a few hundred lines: is it the right file?")
    text = source if isinstance(source, str) else _decoded(source, file)
    text = text.removeprefix("\ufeff")
    stray = _NEVER_IN_YAML.search(text)
    if stray:
        what = f"the character {stray[0]!a} cannot stand in a YAML file"
        _stop(file, _place_in(text, stray.start()), what, "Delete it; your editor may not show it.")
    return text


def _decoded(source: bytes, file: str) -> str:
    if source.startswith(_WIDE):
        _stop(file, (0, 0), "the file is UTF-16", _NOT_UTF_8)
    if b"\0" in source:
        _stop(file, (0, 0), "the file is binary", "Is it the right file?")
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        before = source[: error.start].decode()
        what = f"the byte 0x{source[error.start]:02x} is not UTF-8"
        _stop(file, _place_in(before, len(before)), what, _NOT_UTF_8)


def _place_in(text: str, at: int) -> _Place:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _stop(file: str, place: _Place, what: str, cure: str) -> NoReturn:
    raise PolicyError([_fault(file, place, what, cure)])


# Text to nodes


@dataclass(slots=True)
class _Node:
    """A value of the file: its plain data, its place, and what it holds by key.

    Each of `items` is the place of the key and the node of the value; a scalar has none. `size`
    counts it and all it holds, aliases spelled out. `has_holes` says that something in it was
    left out, so that nothing may be said of what it lacks.
    """

    line: int
    column: int
    data: _Data
    size: int = 1
    has_holes: bool = False
    items: dict[str, tuple[_Place, _Node]] | None = None

    def add(self, key: str, place: _Place, child: _Node) -> None:
        """Hold `child` too."""
        self.items = {} if self.items is None else self.items
        self.items[key] = place, child
        self.size += child.size


@dataclass(frozen=True, slots=True)
class _Document:
    node: _Node
    faults: list[Fault]


_PLAIN: Final[Mapping[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_WHOLE_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NO_TAGS: Final = (None, "!")
_TEXT_TAGS: Final = (None, "!", "tag:yaml.org,2002:str")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

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
        self._anchors: dict[str, _Node] = {}
        self._repeated = 0
        self._faults: list[Fault] = []

    def compose(self) -> _Document:
        """The one document of the file, a mapping. Raises PolicyError where there is none."""
        try:
            node = self._document()
        except yaml.MarkedYAMLError as error:
            raise PolicyError([*self._faults, self._syntax_fault(error)]) from error
        if node.data is None:
            self._stop(node, "the file is empty", "A policy needs 'site', 'mode' and 'purposes'.")
        if not isinstance(node.data, dict):
            self._stop(
                node,
                f"the policy is {_shown(node.data)}, and must be keys with values",
                "Begin with 'site:', 'mode:' and 'purposes:'.",
            )
        return _Document(node, self._faults)

    def _document(self) -> _Node:
        self._next()  # the stream begins
        if isinstance(self._next(), yaml.StreamEndEvent):
            return _Node(1, 1, None)
        node = self._node(self._next(), 0)
        self._next()  # the document ends
        more = self._next()
        if not isinstance(more, yaml.StreamEndEvent):
            what = "a second document begins"
            self._note(_place_of(more), what, "Keep one policy in one file: take the '---' away.")
        return node

    def _node(self, event: _Event, depth: int) -> _Node:
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        elif depth >= DEEPEST:
            cure = "A policy needs five levels: is it the right file?"
            self._stop(event, f"more than {DEEPEST} levels stand inside one another", cure)
        else:
            node = self._collection(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: _Event) -> _Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            what = f"the alias '*{event.anchor}' names nothing that stands whole before it"
            self._stop(event, what, "A text that begins with '*' needs quotes.")
        self._repeated += node.size
        if self._repeated > MOST_REPEATED:
            what = f"the aliases repeat more than {MOST_REPEATED} values"
            self._stop(event, what, "Write the values out.")
        return node

    def _scalar(self, event: _Event) -> _Node:
        if event.tag:
            self._check_tag(event, _TEXT_TAGS)
        mark, text = event.start_mark, event.value
        data: str | int | bool | None = text
        if event.implicit[0] and not event.tag:
            if text in _PLAIN:
                data = _PLAIN[text]
            elif _WHOLE_NUMBER.fullmatch(text):
                data = int(text)
        return _Node(mark.line + 1, mark.column + 1, data)

    def _collection(self, event: _Event, depth: int) -> _Node:
        self._check_tag(event, _NO_TAGS)
        if isinstance(event, yaml.MappingStartEvent):
            node = _Node(*_place_of(event), {})
            while not isinstance(key := self._next(), yaml.MappingEndEvent):
                self._pair(node, key, depth + 1)
        else:
            node = _Node(*_place_of(event), [])
            while not isinstance(item := self._next(), yaml.SequenceEndEvent):
                self._item(node, item, depth + 1)
        return node

    def _item(self, node: _Node, event: _Event, depth: int) -> None:
        child = self._node(event, depth)
        node.add(str(len(node.data)), (child.line, child.column), child)
        node.data.append(child.data)

    def _pair(self, node: _Node, key: _Event, depth: int) -> None:
        name = self._key(key, depth)
        child = self._node(self._next(), depth)
        if name is None:
            node.has_holes = True
        elif name in node.data:
            (line, column), _ = (node.items or {})[name]
            what = f"the key {_shown(name)} stands in line {line}, column {column} already"
            self._note(_place_of(key), what, "Take one of the two away.")
        else:
            node.add(name, _place_of(key), child)
            node.data[name] = child.data

    def _key(self, event: _Event, depth: int) -> str | None:
        """A key as it is written: ``no`` and ``1`` are text. None for one that cannot be."""
        if not isinstance(event, yaml.ScalarEvent):
            self._node(event, depth)
            what = "a key must be text"
            cure = "If it is a name or a template with '{', '[' or '*', put it in quotes."
            self._note(_place_of(event), what, cure)
            return None
        self._check_tag(event, _TEXT_TAGS)
        if event.value == "<<" and event.implicit[0]:
            cure = "Write the keys out, so that everybody sees what is declared."
            self._note(_place_of(event), "the merge key '<<' is not read", cure)
            return None
        return str(event.value)

    def _check_tag(self, event: _Event, known: tuple[str | None, ...]) -> None:
        if event.tag not in known:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            cure = "Take it away: a policy has texts, whole numbers, true and false."
            self._note(_place_of(event), f"the tag '{tag}' is not read", cure)

    def _note(self, place: _Place, what: str, cure: str) -> None:
        self._faults.append(_fault(self._file, place, what, cure))

    def _stop(self, where: _Node | _Event, what: str, cure: str) -> NoReturn:
        place = (where.line, where.column) if isinstance(where, _Node) else _place_of(where)
        raise PolicyError([*self._faults, _fault(self._file, place, what, cure)])

    def _syntax_fault(self, error: yaml.MarkedYAMLError) -> Fault:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        said = ", ".join(filter(None, (error.context, error.problem)))
        cure = next((cure for sign, cure in _SYNTAX_CURES if sign in said), "")
        return _fault(self._file, place, f"this is not YAML: {said}", cure)


def _place_of(event: _Event) -> _Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _placed(problem: Problem, root: _Node, file: str) -> Fault:
    """The fault of a problem, at the innermost of its keys that stands in the file."""
    node, place = root, (root.line, root.column)
    for part in problem.loc:
        if not node.items or part not in node.items:
            break
        key_place, node = node.items[part]
        place = key_place if problem.at_key else (node.line, node.column)
    return _fault(file, place, problem.what, problem.cure)


def _holes_in(root: _Node) -> frozenset[Loc]:
    """The parts of which something was left out, so that the rest of them cannot be judged."""
    holes: set[Loc] = set()
    for key, node in _held(root):
        if node.has_holes or (key not in _ENTRIES and _is_holed(node)):
            holes.add((key,))
        elif key in _ENTRIES:
            holes |= {(key, name) for name, entry in _held(node) if _is_holed(entry)}
    return frozenset(holes)


def _is_holed(node: _Node) -> bool:
    return node.has_holes or any(_is_holed(child) for _, child in _held(node))


def _held(node: _Node) -> list[tuple[str, _Node]]:
    return [(key, child) for key, (_, child) in (node.items or {}).items()]


# Data to Policy

_ENTRIES: Final = ("purposes", "cookies", "services")
_STAND_INS: Final[Mapping[str, object]] = {
    "site": {"name": "-", "controller": "-"},
    "mode": "explicit",
    "purposes": {},
}
"""What takes the place of something required, while the rest is checked."""


def _judge(
    data: dict[str, Any], unread: frozenset[Loc], *, in_file: bool
) -> tuple[Policy, list[Problem]]:
    """A policy and what is wrong with it; only where that is nothing, it is the one in `data`.

    `unread` are parts that are known to be faulty: they, and what is found to be so here, are
    left out while the rest is checked.
    """
    rest = _without(data, unread)
    problems: list[Problem] = []
    while True:
        try:
            policy = _validated(rest, in_file=in_file)
        except ValidationError as error:
            details = error.errors(include_url=False)
            problems += _in_our_words(details, rest)
            unread |= {_part_of(detail["loc"]) for detail in details}
            rest = _without(data, unread)
        else:
            return policy, problems + problems_in(policy, unread)


def _validated(data: dict[str, Any], *, in_file: bool) -> Policy:
    if in_file:
        return Policy.model_validate(data, by_alias=True, by_name=False, context=IN_A_FILE)
    return Policy.model_validate(data)


def _part_of(loc: tuple[int | str, ...]) -> Loc:
    """What is left out for an error at `loc`: an entry, or a key of the policy."""
    head, *rest = map(str, loc)
    return (head, rest[0]) if head in _ENTRIES and rest else (_dashed(head),)


def _without(data: dict[str, Any], unread: frozenset[Loc]) -> dict[str, Any]:
    keys = {loc[0] for loc in unread if len(loc) == 1}
    rest = {key: value for key, value in data.items() if _dashed(str(key)) not in keys}
    for section in {loc[0] for loc in unread if len(loc) > 1} & rest.keys():
        rest[section] = {
            name: entry
            for name, entry in rest[section].items()
            if (section, str(name)) not in unread
        }
    return rest | {key: value for key, value in _STAND_INS.items() if key in keys}


def _dashed(key: str) -> str:
    return key.replace("_", "-")


# pydantic's findings, in our words

_MODELS: Final[Mapping[Loc, type[BaseModel]]] = {
    (): Policy,
    ("site",): Site,
    ("purposes", "*"): Purpose,
    ("cookies", "*"): DeclaredCookie,
    ("cookies", "*", "attributes"): CookieAttributes,
    ("services", "*"): Service,
    ("banner",): Banner,
    ("token",): TokenOptions,
}
_WORDS_BRANCH: Final = "dict[str,str]"
"""What pydantic calls the second half of `Text` in its places."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """One finding of pydantic: its kind, its place in the data, the value, and what it says."""

    type: str
    loc: Loc
    value: Any
    context: Mapping[str, Any]
    message: str

    @property
    def where(self) -> str:
        """The entry and the key in it, as in ``cookie '_ga': 'attributes.same-site'``."""
        inner = self.loc[2:] if self.loc[:1] and self.loc[0] in _ENTRIES else self.loc[1:]
        keys = ".".join(part for part in inner if not part.isdigit())
        return subject_of(self.loc) + (f": '{keys}'" if keys else "")

    @property
    def keys(self) -> list[str]:
        """The keys that are known where this one stands."""
        fields = _model_at(self.loc[:-1]).model_fields.values()
        return [str(info.alias) for info in fields if not info.exclude]


def _in_our_words(details: Iterable[ErrorDetails], data: Mapping[str, Any]) -> Iterator[Problem]:
    findings = [_finding(detail, data) for detail in details if not _is_first_half(detail)]
    misspelt = {_meant(finding) for finding in findings if finding.type == "extra_forbidden"}
    for finding in findings:
        if finding.type != "missing" or finding.loc not in misspelt:
            yield from _WORDING.get(finding.type, _wrong_value)(finding)


def _is_first_half(detail: ErrorDetails) -> bool:
    # A union is told of once for each half; `Text` is told of where its second half failed.
    *parents, last = detail["loc"]
    is_text_type = detail["type"] == "string_type" and last == "str"
    return is_text_type and parents[-1] != _WORDS_BRANCH


def _finding(detail: ErrorDetails, data: Mapping[str, Any]) -> _Finding:
    loc, kind = detail["loc"], detail["type"]
    path = _followed(loc, data)
    if kind == "missing":
        path = (*path, str(loc[-1]))
    elif loc[-1] == _WORDS_BRANCH:
        kind = "words_type"
    elif loc[-1] == "[key]":
        kind = "invalid_key"
    return _Finding(kind, path, detail["input"], detail.get("ctx", {}), detail["msg"])


def _followed(loc: tuple[int | str, ...], data: _Data) -> Loc:
    """The part of pydantic's `loc` that is really there: without union tags and ``[key]``."""
    path = []
    for part in loc:
        in_list = isinstance(data, Sequence) and isinstance(part, int)
        if in_list or (isinstance(data, Mapping) and part in data):
            data = data[part]
            path.append(str(part))
    return tuple(path)


def _model_at(loc: Loc) -> type[BaseModel]:
    return _MODELS[(loc[0], "*", *loc[2:]) if loc and loc[0] in _ENTRIES else loc]


def _meant(finding: _Finding) -> Loc:
    """The place of the key that was meant by one that is unknown."""
    near = re.search("'(.*)'", did_you_mean(_dashed(finding.loc[-1]), finding.keys))
    return (*finding.loc[:-1], near[1]) if near else ()


def _missing(finding: _Finding) -> Iterator[Problem]:
    *parents, key = finding.loc
    holder = tuple(parents)
    fields = _model_at(holder).model_fields.values()
    about = next(info.description for info in fields if info.alias == key)
    cure = f"Add it: {about.splitlines()[0]}" if about else "Add it."
    yield Problem(holder, f"{subject_of(holder)} has no '{key}'", cure, at_key=True)


def _unknown_key(finding: _Finding) -> Iterator[Problem]:
    *parents, key = finding.loc
    known = finding.keys
    what = f"{subject_of(tuple(parents))} has no key {_shown(key)}"
    cure = f"Its keys: {', '.join(known)}.{did_you_mean(_dashed(key), known)}"
    yield Problem(finding.loc, what, cure, at_key=True)


def _key_not_text(finding: _Finding) -> Iterator[Problem]:
    *parents, key = finding.loc
    what = f"{subject_of(tuple(parents))} has the key {key}, which is not text"
    yield Problem(finding.loc, what, "Write it as a string.", at_key=True)


def _not_among(finding: _Finding) -> Iterator[Problem]:
    known = re.findall("'([^']*)'", finding.context["expected"])
    word = _dashed(finding.value) if isinstance(finding.value, str) else ""
    what = f"{finding.where} is {_shown(finding.value)}, which it cannot be"
    cure = f"It can be {listed(known, 'or')}.{did_you_mean(word, known)}"
    yield Problem(finding.loc, what, cure)


def _refused_value(finding: _Finding) -> Iterator[Problem]:
    if finding.loc == ("cookies",):
        yield from _named_twice(finding.value)
    else:
        said = str(finding.context["error"])
        what = f"{finding.where} is {_shown(finding.value)}, which is no duration"
        yield Problem(finding.loc, what, f"{said[:1].upper()}{said[1:]}.")


def _named_twice(cookies: Mapping[str, Any]) -> Iterator[Problem]:
    for key, cookie in cookies.items():
        name = cookie.get("name", key) if isinstance(cookie, Mapping) else cookie.name
        if name not in ("", key):
            what = f"cookie '{key}' is also named {_shown(name)}"
            cure = "A cookie's name is its key: take 'name' away."
            yield Problem(("cookies", key, "name"), what, cure, at_key=True)


_NUMBER: Final = ("must be a whole number", "Write digits alone.")
_SWITCH: Final = ("must be true or false", "Write true or false.")
_LIST: Final = ("must be a list", "Write it in brackets: [{value}].")
_KEYS: Final = ("must be keys with values", "Write its keys below it, each with a colon, indented.")
_DAY: Final = ("must be a day", "Write it as 2015-06-01.")
_TEXT: Final = ("must be text", "Put it in quotes, if it is what you mean.")
_EXPECTED: Final[Mapping[str, tuple[str, str]]] = {
    "string_type": _TEXT,
    "words_type": ("must be text, or one text for each language", _TEXT[1]),
    "string_pattern_mismatch": (
        "cannot be a token's name",
        "Use letters, digits, '-' and '_', at most 64.",
    ),
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_parsing_size": _NUMBER,
    "int_from_float": _NUMBER,
    "greater_than_equal": ("is too small", "Write 1 or more; a duration is never negative."),
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "tuple_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _KEYS,
    "model_type": _KEYS,
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
}
"""What a value should have been, and the cure, for pydantic's error types."""


def _wrong_value(finding: _Finding) -> Iterator[Problem]:
    if finding.value is None:
        cure = "Write one, or take the line away."
        yield Problem(finding.loc, f"{finding.where} has no value", cure, at_key=True)
        return
    known = _EXPECTED.get(finding.type)
    must, cure = known or (f"cannot be: {finding.message}", "Correct it.")
    what = f"{finding.where} {must}, and is {_shown(finding.value)}"
    value = finding.value if isinstance(finding.value, str | int) else "one, two"
    yield Problem(finding.loc, what, cure.format(value=value))


_WORDING: Final[Mapping[str, Callable[[_Finding], Iterator[Problem]]]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "invalid_key": _key_not_text,
    "enum": _not_among,
    "literal_error": _not_among,
    "value_error": _refused_value,
}


def _shown(value: object) -> str:
    """A value in a few words, as it would stand in the file."""
    if isinstance(value, Mapping):
        return "a set of keys"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    if isinstance(value, str | int):
        text = repr(value)
        return text if len(text) <= 62 else f"{text[:60]}…"
    return "a list" if isinstance(value, list | tuple) else f"of type {type(value).__name__}"
