"""Is this path one of those, or below one? In whatever spelling: who is in doubt says yes.

It has never heard of requests, or of what holds for a path.

One page answers to many paths. A server or proxy undoes percent-encoding, maybe twice (RFC 3986
§2.1), merges slashes and takes dots away (§6.2.2.3), a router forgives a slash at the end, an app
cuts parameters off, and a file system may know no letter case, no dot at the end of a name, and
one form of a letter for several. All of these are undone here on both sides. What nobody can read
for sure is covered: a way upwards (``/..``), encoding upon encoding, and what is no path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import normalize
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PathIndex"]

MOST_ENCODINGS: Final = 3
"""How many times over a path may be encoded before nobody can read it."""
_SURE: Final = re.compile(r"(?:/[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)*/?")
_SEPARATOR: Final = re.compile(r"[/\\]+")


class PathIndex:
    """Knows whether a path is one of some, or below one of them.

    >>> index = PathIndex(["/kids"])
    >>> [index.covers(path) for path in ("/kids/1", "//Kids;v=1", "/%6bids/", "/kidsclub", "/")]
    [True, True, True, False, False]
    """

    def __init__(self, paths: Iterable[str]) -> None:
        """`paths` begin with a slash and are not encoded; ``/`` is above all others."""
        self._starts = tuple({_plain(path) or "/" for path in paths})

    def covers(self, path: str) -> bool:
        """True if a path is covered, or if nobody can say. Any text may be asked about."""
        plain = f"{path}/" if _SURE.fullmatch(path) else _plain(path)
        return plain is None or plain.startswith(self._starts)


def _plain(path: str) -> str | None:
    """A path in its plainest spelling, a slash at its end; None for one without."""
    text = _decoded(path)
    if text is None or text[:1] not in ("", "/", "\\"):
        return None
    names = [part.partition(";")[0] for part in _SEPARATOR.split(text)]
    kept = [name for each in names if (name := each.rstrip(". "))]
    if any(".." in name and not name.strip(". ") for name in names):
        return None
    return "/".join(("", *kept, ""))


def _decoded(path: str) -> str | None:
    """A path without percent-encoding, in small letters; None if it is encoded too often."""
    for _ in range(MOST_ENCODINGS + 1):
        text = unquote(path) if path.isascii() else unquote(normalize("NFKC", path))
        if text == path:
            return text.casefold()
        path = text
    return None
