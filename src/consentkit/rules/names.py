"""Which declared name covers this name? Exact names, ``{placeholder}`` patterns, chunk suffixes.

It has never heard of what is declared: it finds one thing by one name.

A pattern has ``{placeholder}`` (one character or more) or a trailing ``*`` (any run, also none).
An exact name beats a pattern, a longer literal beats a shorter one. Matching runs piece by piece
from the left with `str.find`, so it is linear in the name for any pattern; there is no regular
expression to backtrack. A look-up costs the same for thirty names and for three thousand.
`NameIndex` asks which entry covers a name, `OverlapIndex` which patterns a pattern meets.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

__all__ = ["NameIndex", "NamePattern", "OverlapIndex", "without_chunk_suffix"]

T = TypeVar("T")

_SIGNS: Final = re.compile(r"[{}*]")
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}|(\*)")
_CHUNK_SUFFIX: Final = re.compile(r"(?:C|-|\.)[0-9]{1,2}\Z")


def without_chunk_suffix(name: str) -> str | None:
    """The name a chunk belongs to: ``sessionC1``, ``session-0``, ``session.0``; else None."""
    found = _CHUNK_SUFFIX.search(name)
    return name[: found.start()] if found and found.start() else None


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A declared name, cut at its placeholders.

    `pieces` are the literals before, between and after the gaps; `gaps` says how many characters
    each gap takes at least. An exact name has one piece and no gap.
    """

    text: str
    pieces: tuple[str, ...]
    gaps: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> NamePattern:
        """Read a declared name. Raises ValueError with the reason for one that cannot be."""
        if text and not _SIGNS.search(text):
            return cls(text, (text,), ())
        pieces: list[str] = []
        gaps: list[int] = []
        end = 0
        for found in _PLACEHOLDER.finditer(text):
            pieces.append(text[end : found.start()])
            gaps.append(0 if found[2] else 1)
            end = found.end()
        pieces.append(text[end:])
        pattern = cls(text, tuple(pieces), tuple(gaps))
        pattern._refuse_what_cannot_be()
        return pattern

    def _refuse_what_cannot_be(self) -> None:
        if not "".join(self.pieces):
            what = "the empty name" if not self.gaps else "it would cover every name there is"
            raise ValueError(what)
        if 0 in self.gaps[:-1] or (self.gaps and self.gaps[-1] == 0 and self.pieces[-1]):
            raise ValueError("'*' may only stand at the end")
        if "" in self.pieces[1:-1]:
            raise ValueError("two placeholders need a literal between them")
        if set("{}*") & set("".join(self.pieces)):
            raise ValueError("a placeholder is written {name}, with letters, digits, '_' and '-'")

    @property
    def is_exact(self) -> bool:
        """True for a name without placeholder."""
        return not self.gaps

    @property
    def weight(self) -> int:
        """How many characters are literal; the heavier of two patterns wins."""
        return sum(map(len, self.pieces))

    def covers(self, name: str) -> bool:
        """True if this pattern stands for `name`."""
        first, *rest = self.pieces
        if not rest:
            return name == first
        if not name.startswith(first):
            return False
        *between, last = rest
        at = len(first)
        for gap, piece in zip(self.gaps, between, strict=False):
            found = name.find(piece, at + gap)
            if found < 0:
                return False
            at = found + len(piece)
        return name.endswith(last) and len(name) - len(last) >= at + self.gaps[-1]

    def overlaps(self, other: NamePattern) -> bool:
        """True if one name exists that both cover.

        A gap takes a run of any length, so what stands between the gaps can always be fitted in,
        one pattern's pieces after the other's: only the beginnings and the ends can disagree.
        """
        if self.is_exact:
            return other.covers(self.text)
        if other.is_exact:
            return self.covers(other.text)
        first, last = self.pieces[0], self.pieces[-1]
        start, end = other.pieces[0], other.pieces[-1]
        return (first.startswith(start) or start.startswith(first)) and (
            last.endswith(end) or end.endswith(last)
        )


class NameIndex(Generic[T]):
    """Finds what covers a name, in a time that does not grow with the number of names.

    Patterns are filed under their literal beginning, so a look-up tries one dict entry for each
    length of beginning that occurs. What was found is remembered, up to `MEMORY` short names.
    """

    MEMORY: Final = 4096
    LONGEST_REMEMBERED: Final = 128

    def __init__(self, entries: Mapping[str, T], chunked: Collection[str] = ()) -> None:
        """File `entries` by declared name; the exact names in `chunked` also cover their chunks."""
        self._exact: dict[str, T] = {}
        self._by_beginning: dict[str, list[tuple[NamePattern, T]]] = {}
        for text, entry in entries.items():
            pattern = NamePattern.parse(text)
            if pattern.is_exact:
                self._exact[text] = entry
            else:
                self._by_beginning.setdefault(pattern.pieces[0], []).append((pattern, entry))
        self._chunked = frozenset(chunked) & self._exact.keys()
        self._lengths = sorted({len(beginning) for beginning in self._by_beginning})
        self._remembered: dict[str, T | None] = {}

    def find(self, name: str) -> T | None:
        """What covers `name`, or None."""
        try:
            return self._remembered[name]
        except KeyError:
            found = self._find(name)
            if len(name) <= self.LONGEST_REMEMBERED:
                if len(self._remembered) >= self.MEMORY:
                    self._remembered.clear()
                self._remembered[name] = found
            return found

    def _find(self, name: str) -> T | None:
        if name in self._exact:
            return self._exact[name]
        pattern = self._heaviest(name)
        whole = without_chunk_suffix(name) if self._chunked else None
        if whole is not None and whole in self._chunked:
            return self._exact[whole]
        return pattern

    def _heaviest(self, name: str) -> T | None:
        best, heaviest = None, -1
        for length in self._lengths:
            for pattern, entry in self._by_beginning.get(name[:length], ()):
                if pattern.weight > heaviest and pattern.covers(name):
                    best, heaviest = entry, pattern.weight
        return best


class OverlapIndex:
    """Finds the patterns that overlap one, without asking each of them.

    Two patterns that overlap begin alike as far as both go, and end alike. They are filed by their
    beginnings, and by their ends backwards for patterns that begin with a placeholder.
    """

    def __init__(self, patterns: Iterable[NamePattern]) -> None:
        """File `patterns`; one that is there twice is found twice."""
        filed = tuple(patterns)
        self._by_beginning = _Shelf(filed, _beginning)
        self._by_end = _Shelf(filed, _end_backwards)

    def overlapping(self, pattern: NamePattern) -> Iterator[NamePattern]:
        """The filed patterns that cover a name that `pattern` covers too, in no order."""
        shelf = self._by_beginning if pattern.pieces[0] else self._by_end
        return (each for each in shelf.alike(pattern) if each.overlaps(pattern))


class _Shelf:
    """Patterns in the order of a text of theirs."""

    def __init__(
        self, patterns: tuple[NamePattern, ...], text_of: Callable[[NamePattern], str]
    ) -> None:
        self._text_of = text_of
        self._patterns = sorted(patterns, key=text_of)
        self._texts = [text_of(pattern) for pattern in self._patterns]
        self._lengths = sorted({len(text) for text in self._texts})

    def alike(self, pattern: NamePattern) -> Iterator[NamePattern]:
        """The patterns whose text begins with this one's, or the other way about."""
        text = self._text_of(pattern)
        for length in self._lengths:
            if length < len(text):
                yield from self._from(text[:length], is_whole=True)
        yield from self._from(text, is_whole=False)

    def _from(self, text: str, *, is_whole: bool) -> Iterator[NamePattern]:
        for at in range(bisect_left(self._texts, text), len(self._texts)):
            found = self._texts[at]
            if found != text if is_whole else not found.startswith(text):
                return
            yield self._patterns[at]


def _beginning(pattern: NamePattern) -> str:
    return pattern.pieces[0]


def _end_backwards(pattern: NamePattern) -> str:
    return pattern.pieces[-1][::-1]
