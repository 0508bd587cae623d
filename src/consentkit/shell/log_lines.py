"""What the lines of a log say of cookies that nobody declared.

It has never heard of policies or of YAML: lines in, names with what was seen of them out.

A line is one of ours with whatever stands before it (a time, a logger's name, journald's or
gunicorn's own words), or a JSON object: with the keys that we put under ``extra=``, or with the
sentence as one of its texts. Every other line is passed over. Lines are looked at one by one, and
names, paths and lifetimes are kept up to a bound, so a log may be of any size.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeGuard

__all__ = ["LONGEST_NAME", "MOST_PATHS", "Log", "Seen", "read_log"]

LONGEST_LINE: Final = 16_384
"""Characters of a line that are looked at; a line of ours has fewer than 6,000."""
MOST_NAMES: Final = 500
MOST_PATHS: Final = 3
LONGEST_NAME: Final = 255
"""Characters of a name in a log: one that has as many may have lost its end."""

_LITERAL: Final = r"'(?:[^'\\]|\\.){0,3000}+'|\"(?:[^\"\\]|\\.){0,3000}+\""
_LINE: Final = re.compile(
    rf"cookie (?P<name>{_LITERAL}|\(a cookie without a name\)) (?:would be )?(?:blocked|hidden|"
    r"undeclared): not declared(?P<asked>; asked (?:for the session|to live (?P<count>[0-9]{1,15}) "
    r"(?P<unit>second|minute|hour|day)s?)(?P<http>, HttpOnly)?)?"
    rf"; path (?P<path>{_LITERAL})(?: \(and (?P<more>[0-9]{{1,9}}) more like it\))?"
)
_SECONDS: Final = MappingProxyType({"second": 1, "minute": 60, "hour": 3600, "day": 86_400})
_OURS: Final = ("cookie ", "consentkit_cookie")


class Sighting(NamedTuple):
    """One line of the log: `asked` is there if `seconds` and `http_only` are known."""

    name: str
    path: str
    times: int
    asked: bool
    seconds: int | None
    http_only: bool


@dataclass(slots=True)
class Seen:
    """What the log says of one name, or of several that are alike.

    `seconds` are the lifetimes it asked for, None among them for the session. `how` it was seen is
    in words, where no log tells of it but a running site.
    """

    times: int = 0
    paths: dict[str, None] = field(default_factory=dict)
    seconds: set[int | None] = field(default_factory=set)
    http_only: bool = False
    how: dict[str, None] = field(default_factory=dict)

    def add(self, sighting: Sighting) -> None:
        """Take one more line into account."""
        self.times += sighting.times
        if len(self.paths) <= MOST_PATHS:
            self.paths[sighting.path] = None
        if sighting.asked and (len(self.seconds) < 1024 or sighting.seconds is None):
            self.seconds.add(sighting.seconds)
        self.http_only = self.http_only or sighting.http_only

    def join(self, other: Seen) -> None:
        """Take another name's lines into account."""
        self.times += other.times
        self.paths = dict(list({**self.paths, **other.paths}.items())[: MOST_PATHS + 1])
        self.seconds |= other.seconds
        self.how |= other.how
        self.http_only = self.http_only or other.http_only

    @property
    def longest(self) -> int | None:
        """The longest lifetime asked for, in seconds; None: for the session, or nobody knows."""
        return max((each for each in self.seconds if each), default=None)


@dataclass(slots=True)
class Log:
    """What a log holds: its undeclared names, and how much of it was read."""

    lines: int = 0
    ours: int = 0
    left_out: int = 0
    names: dict[str, Seen] = field(default_factory=dict)


def read_log(lines: Iterable[str]) -> Log:
    """What `lines` say of undeclared cookies, by name.

    >>> log = read_log(["12:00 [7] cookie 'a' would be blocked: not declared; path '/' more"])
    >>> log.lines, log.ours, log.names["a"].times
    (1, 1, 1)
    """
    log = Log()
    for line in lines:
        log.lines += 1
        if any(each in line for each in _OURS):
            sighting = _sighting_in(line[:LONGEST_LINE])
            if sighting is not None:
                log.ours += 1
                _note(log, sighting)
    return log


def _note(log: Log, sighting: Sighting) -> None:
    if sighting.name not in log.names and len(log.names) >= MOST_NAMES:
        log.left_out += 1
        return
    log.names.setdefault(sighting.name, Seen()).add(sighting)


def _sighting_in(line: str) -> Sighting | None:
    """What a line says of an undeclared cookie: as JSON where it is, else as a sentence."""
    data = _json_in(line)
    if data is None:
        return _from_sentence(line)
    parts = list(_parts_of(data))
    texts = (text for part in parts for text in part.values() if isinstance(text, str))
    said = next(filter(None, map(_from_sentence, texts)), None) or _from_sentence(line)
    keys = next((part for part in parts if "consentkit_cookie" in part), {})
    return _from_keys(keys, said) or said


def _json_in(line: str) -> dict[str, Any] | None:
    at = line.find("{")
    if at < 0:
        return None
    try:
        data, _ = json.JSONDecoder().raw_decode(line, at)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _parts_of(data: dict[str, Any], depth: int = 3) -> Iterator[dict[str, Any]]:
    """An object and those in it: formatters put the extras at the top, or under a key of theirs."""
    yield data
    if depth:
        for value in data.values():
            if isinstance(value, dict):
                yield from _parts_of(value, depth - 1)


def _from_sentence(text: str) -> Sighting | None:
    found = _LINE.search(text)
    if found is None:
        return None
    name, path = _unquoted(found["name"]), _unquoted(found["path"])
    if name is None or path is None:
        return None
    seconds = int(found["count"]) * _SECONDS[found["unit"]] if found["count"] else None
    times = 1 + int(found["more"] or 0)
    return Sighting(name, path, times, bool(found["asked"]), seconds, bool(found["http"]))


def _unquoted(literal: str) -> str | None:
    if literal.startswith("("):
        return ""
    try:
        value = ast.literal_eval(literal)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def _from_keys(keys: Mapping[str, Any], said: Sighting | None) -> Sighting | None:
    """What the machine keys say; the sentence beside them knows what an older log leaves out."""
    name, seconds = keys.get("consentkit_cookie"), keys.get("consentkit_asked_seconds")
    if not isinstance(name, str) or keys.get("consentkit_why") != "not declared":
        return None
    path, more = keys.get("consentkit_path"), keys.get("consentkit_more")
    asked = said is not None and said.asked, said.seconds if said else None
    if "consentkit_asked_seconds" in keys:
        asked = True, seconds if _is_count(seconds) else None
    return Sighting(
        name[:LONGEST_NAME],
        path if isinstance(path, str) else said.path if said else "",
        1 + more if _is_count(more) else said.times if said else 1,
        *asked,
        keys.get("consentkit_http_only") is True or (said is not None and said.http_only),
    )


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15
