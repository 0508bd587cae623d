"""Plain data -> YAML text as a person would write it; reading it gives the same data back.

It has never heard of policies: it prints keys, lists, texts, days, whole numbers, true, false and
nothing.

Block style, two spaces, keys in their order, short lists and small sets of switches in brackets,
long texts folded, an empty line around the top-level sections. A text stands in quotes where it
would be read as something else without them: by `yaml_text`, by a reader of YAML 1.1 (``no``,
``012``, ``1:30``) or by one of YAML 1.2 (``1e3``, ``0o7``). What an eye cannot see (control
characters, line separators, marks that turn the direction of writing) is written as an escape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import yaml

__all__ = ["is_section", "print_yaml"]

WIDTH: Final = 96
"""Columns that a line takes at most, if it can be folded or has brackets.

The key before a text is not counted: what takes one line below it stands behind it."""
LONGEST_KEY: Final = 900
"""Characters of a key that still stands on one line with its value (YAML 1.2 §7.4.2: 1024)."""
MOST_SWITCHES: Final = 4

_LISTS: Final = (list, tuple)
_INDENT: Final = "  "


def print_yaml(data: Mapping[str, object]) -> str:
    """`data` (texts, whole numbers of up to 18 digits, days, true, false, None, lists, keys).

    A day is read back as its text, which is what a policy file has; a tuple as a list.

    >>> print(print_yaml({"mode": "implied", "languages": ["en", "no"]}), end="")
    mode: implied
    languages: [en, "no"]
    """
    if not data:
        return "{}\n"
    lines: list[str] = []
    was_section = False
    for key, value in data.items():
        if lines and (was_section or is_section(value)):
            lines.append("")
        was_section = is_section(value)
        lines += _pair(str(key), value, 0)
    return "\n".join(lines) + "\n"


def is_section(value: object) -> bool:
    """True for the value of a top-level key that takes lines of its own, with a key on each."""
    return isinstance(value, Mapping) and bool(value)


# Collections


def _pair(key: str, value: object, depth: int) -> list[str]:
    """The lines of a key and its value."""
    indent = _INDENT * depth
    name = _scalar(key)
    if len(name) > LONGEST_KEY:
        return [f"{indent}? {name}", *_valued(f"{indent}:", value, depth)]
    return _valued(f"{indent}{name}:", value, depth)


def _valued(head: str, value: object, depth: int) -> list[str]:
    """The lines of a value behind `head`, which ends with a colon or is a list's dash."""
    if isinstance(value, str):
        return [f"{head} {first}" if n == 0 else first for n, first in _text(value, depth)]
    if not isinstance(value, Mapping | list | tuple):
        return [f"{head} {_plain(value)}"]
    flow = _flow(value, len(head) + 1, depth)
    return [f"{head} {flow}"] if flow else [head, *_block(value, depth + 1)]


def _block(value: Mapping[str, object] | Sequence[object], depth: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, held in value.items():
            yield from _pair(str(key), held, depth)
        return
    for item in value:
        if isinstance(item, Mapping | list | tuple) and not _flow(item, 2 * depth + 2, depth):
            # The first key or dash stands behind this one's dash, the others below it.
            first, *rest = _block(item, depth + 1)
            yield f"{_INDENT * depth}- {first.lstrip(' ')}"
            yield from rest
        else:
            yield from _valued(f"{_INDENT * depth}-", item, depth)


def _flow(value: Mapping[str, object] | Sequence[object], column: int, depth: int) -> str:
    """A short collection in brackets, or the empty string for one that takes lines of its own."""
    if isinstance(value, Mapping):
        if value and not _are_switches(value, depth):
            return ""
        pairs = (
            f"{_scalar(str(key), in_brackets=True)}: {_plain(held)}" for key, held in value.items()
        )
        flow = f"{{{', '.join(pairs)}}}"
    else:
        if any(isinstance(item, Mapping | list | tuple) for item in value):
            return ""
        flow = f"[{', '.join(map(_plain, value))}]"
    return flow if column + len(flow) <= WIDTH or not value else ""


def _are_switches(value: Mapping[str, object], depth: int) -> bool:
    """A few words, numbers and switches below an entry, such as ``{secure: true}``."""
    return (
        depth > 0
        and len(value) <= MOST_SWITCHES
        and all(_is_word(held) and _is_word(str(key)) for key, held in value.items())
    )


def _is_word(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= 24 and " " not in value
    return not isinstance(value, Mapping | list | tuple)


# Scalars

_tag_of: Final[Callable[..., str]] = yaml.resolver.Resolver().resolve
"""The tag that PyYAML gives to a plain text; it has all of YAML 1.1's but for ``y`` and ``n``."""
_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_READ_BY_OTHERS: Final = re.compile(
    r"[yYnN]|[-+]?0o[0-7]+|[-+]?[0-9][0-9_,.:]*|[-+]?[0-9_]*\.?[0-9_]*[eE][-+]?[0-9]+"
)
"""What PyYAML takes for text and another reader does not: YAML 1.1's ``y``, 1.2's numbers, Ruby's
``1,000``."""

_FIRST: Final = frozenset("-?:,[]{}#&*!|>'\"%@`~=<.")
"""Signs that a plain text does not begin with; some could be told apart by what follows."""
_UNSEEN: Final = re.compile(
    "[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
"""What is written as an escape: control characters, tabs and NEL (0x85), LS and PS, marks that
turn the direction, the byte-order mark, and what is no character."""
_SIGNS_IN_BRACKETS: Final = frozenset(",[]{}:?")
_BETWEEN_WORDS: Final = re.compile(r"(?<=[^ ]) (?=[^ ])")
_SHORT_ESCAPES: Final = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_ESCAPED: Final = re.compile(rf'{_UNSEEN.pattern}|[\n"\\]')


def _plain(value: object) -> str:
    """One value in brackets, or any that is no text."""
    if isinstance(value, str):
        return _scalar(value, in_brackets=True)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)  # a day's text is as ISO 8601 has it


def _scalar(text: str, *, in_brackets: bool = False) -> str:
    """A text on one line, in quotes where it needs them: in brackets it needs them more often."""
    if _UNSEEN.search(text) or "\n" in text:
        return _escaped(text)
    if _may_be_plain(text) and not (in_brackets and _SIGNS_IN_BRACKETS & set(text)):
        return text
    if '"' in text or "\\" in text:
        return "'{}'".format(text.replace("'", "''"))
    return f'"{text}"'


def _may_be_plain(text: str) -> bool:
    if not text or text[0] in _FIRST or text[0].isspace() or text[-1].isspace():
        return False
    if ": " in text or " #" in text or text[-1] == ":":
        return False
    tag = _tag_of(yaml.ScalarNode, text, (True, False))
    return tag == _TEXT_TAG and not _READ_BY_OTHERS.fullmatch(text)


def _escaped(text: str) -> str:
    return f'"{_ESCAPED.sub(lambda found: _escape(found[0]), text)}"'


def _escape(character: str) -> str:
    code = ord(character)
    return _SHORT_ESCAPES.get(character, f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _text(text: str, depth: int) -> Iterator[tuple[int, str]]:
    """A text as the value of a key, line by line: in one line, folded, or as it is broken."""
    column = len(_INDENT) * (depth + 1)
    lines = _literal(text) if "\n" in text else _folded(text, column)
    for number, line in enumerate(lines or [_scalar(text)]):
        yield number, " " * column + line if number and line else line


def _literal(text: str) -> list[str]:
    """A text of several lines as they are; none if a block cannot hold it faithfully."""
    lines = text.removesuffix("\n").split("\n")
    loses_blanks = any(line.endswith(" ") for line in lines) or not lines[-1]
    if _UNSEEN.search(text) or not lines[0] or lines[0][0].isspace() or loses_blanks:
        return []
    return ["|" if text.endswith("\n") else "|-", *lines]


def _folded(text: str, column: int) -> list[str]:
    """A text that is too long for a line from `column` on, cut between words; else none."""
    if _UNSEEN.search(text) or text.strip() != text:
        return []
    lines: list[str] = []
    for word in _BETWEEN_WORDS.split(text):
        if lines and column + len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [">-", *lines] if len(lines) > 1 else []
