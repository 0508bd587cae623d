"""The journal of a scan: a line for each visit, written before the next one begins.

It has never heard of how one looks. A file of JSON lines, each handed to the system as soon as it
is made: a process that is killed loses what it was looking at and nothing else, and a last line
that was cut short is as good as none. It holds what `seen` holds, so no value of a cookie.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from stat import S_ISREG
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

from pydantic import TypeAdapter

from consentkit.audit.seen import Visit
from consentkit.errors import ScanError

__all__ = ["Entry", "Head", "Journal"]

FORMAT: Final = 1
_KEY: Final = "consentkit scan journal"
_VISIT: Final = TypeAdapter(Visit)
_OWNERS: Final = 0o600
"""A journal has the pages that were seen behind a sign-in too."""
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
"""Its name can be foretold: through a neighbour's link of that name another file would be lost."""
_NO_WAITING: Final = getattr(os, "O_NONBLOCK", 0)
"""A pipe of that name would keep whoever opens it waiting for ever."""
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_SPOILT: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class Head(NamedTuple):
    """What is the same in all of a scan; all but `started` has to be the same to go on."""

    site: str
    first_page: str
    witness: str
    states: tuple[str, ...]
    started: str = ""


class Entry(NamedTuple):
    """A visit to a page (a whole address), the pages taken in from it, and those left out."""

    url: str
    visit: Visit
    found: Sequence[str] = ()
    left_out: Mapping[str, str] = _NOTHING


_HEAD: Final = TypeAdapter(Head)
_ENTRY: Final = TypeAdapter(Entry)


class Journal:
    """The entries of one scan, in a file, or without a path in memory."""

    def __init__(self, head: Head, path: Path | None, kept: Sequence[Entry] = ()) -> None:
        """`Journal.begin` and `Journal.resume` make one."""
        self.head, self.path = head, path
        self._kept = list(kept)
        self._file: int | None = None

    @classmethod
    def begin(cls, head: Head, path: Path | None) -> Self:
        """Begin a scan; a file of that name is written over. Raises ScanError where it cannot be.

        The directory of `path` is there.
        """
        journal = cls(head, path)
        if path is not None:
            journal._open(os.O_CREAT | os.O_TRUNC)
            journal._append({_KEY: FORMAT, **head._asdict()})
        return journal

    @classmethod
    def resume(cls, head: Head, path: Path) -> Self:
        """Go on with a scan; raises ScanError where the file is no journal, or another scan's.

        A link is no journal, and neither is one with a line that this does not write.
        """
        try:
            with os.fdopen(_opened(str(path), os.O_RDONLY | _NO_WAITING), "rb") as file:
                if not S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise ScanError(str(path), "it is no file", "Name the journal of a scan.")
                whole, _, _cut = file.read().rpartition(b"\n")
        except OSError as error:
            raise ScanError(
                str(path), f"it cannot be read: {error.strerror}", "Check the path."
            ) from error
        try:
            first, *rest = whole.split(b"\n")
            told = _head_in(first)
            for line in rest:
                _entry_in(line)
        except _SPOILT as error:
            what = "it is no journal of a scan that this version of consentkit can read"
            raise ScanError(str(path), what, "Begin a new scan, without --resume.") from error
        _check(path, told, head)
        journal = cls(told, path)
        os.ftruncate(journal._open(0), len(whole) + 1)  # a cut line would run into the next
        return journal

    def entries(self) -> Iterator[Entry]:
        """Every entry so far, oldest first."""
        if self.path is None:
            yield from self._kept
            return
        with os.fdopen(_opened(str(self.path), os.O_RDONLY), "rb") as lines:
            next(lines, None)
            for line in lines:
                yield _entry_in(line)

    def note(self, entry: Entry) -> None:
        """Keep an entry; it is out of this process's hands when this returns."""
        if self.path is None:
            self._kept.append(entry)
            return
        line: dict[str, Any] = {
            "url": entry.url,
            "visit": _VISIT.dump_python(entry.visit, mode="json", exclude_defaults=True),
        }
        if entry.found:
            line["found"] = list(entry.found)
        if entry.left_out:
            line["left_out"] = dict(entry.left_out)
        self._append(line)

    def close(self, *, is_done: bool) -> None:
        """Let go of the file; one of a scan that is done is deleted."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if is_done and self.path is not None:
            self.path.unlink(missing_ok=True)

    def _open(self, how: int) -> int:
        try:
            self._file = _opened(str(self.path), os.O_WRONLY | os.O_APPEND | _NO_WAITING | how)
        except OSError as error:
            what = f"the journal cannot be written: {error.strerror}"
            raise ScanError(str(self.path), what, "Name another file with --journal.") from error
        return self._file

    def _append(self, line: Mapping[str, Any]) -> None:
        # Pure ASCII: a page's title may be half of a sign, which no UTF-8 has.
        data = json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"
        if self._file is None:
            raise ScanError(str(self.path), "the journal is closed", "Open it again.")
        os.write(self._file, data)


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | _NO_LINK, _OWNERS)


def _head_in(line: bytes) -> Head:
    told = json.loads(line)
    if told.pop(_KEY) != FORMAT:
        raise ValueError(line)
    return _HEAD.validate_python(told)


def _entry_in(line: bytes) -> Entry:
    return _ENTRY.validate_python({"left_out": {}, **json.loads(line)})


def _check(path: Path, told: Head, asked: Head) -> None:
    """Refuse a journal of another scan, and say in what it differs."""
    for name in ("site", "first_page", "witness", "states"):
        was, now = getattr(told, name), getattr(asked, name)
        if was != now:
            was, now = (", ".join(each) if name == "states" else each for each in (was, now))
            what = f"it is another scan's ({name.replace('_', ' ')}: {was}; now: {now})"
            raise ScanError(str(path), what, "Ask for what it began with, or begin a new scan.")
