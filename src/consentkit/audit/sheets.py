"""What a style sheet in a page would fetch: its imports, its fonts and its pictures.

It has never heard of a page or of a host: the text of a `<style>`, of a style attribute or of one
of SVG's that take the same values goes in, addresses come out, their escapes resolved (CSS Syntax
3, 4.3.7). Whether a rule applies to anything is not asked. Any text is read in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal

__all__ = ["PAINTED", "Fetched", "fetched_by"]

Fetched = Literal["stylesheet", "font", "image"]

PAINTED: Final = frozenset(
    b"fill stroke filter mask clip-path cursor marker marker-start marker-mid marker-end".split()
)
"""SVG's attributes that are read as CSS (SVG 2, 6.6)."""

_ESCAPE: Final = r"\\(?:[0-9a-fA-F]{1,6}+[ \t\n\f\r]?+|[^\n0-9a-fA-F])"
_TOKEN: Final = re.compile(
    r"""(?:[^"'/\\@();}\w-]++|[-\w]++(?![-\w\\(])|/(?!\*))*+"""  # nothing that could say anything
    r"""(?:/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"""  # a comment
    r"""|"(?P<double>(?:[^"\\\n]++|\\.?+)*+)(?:"|(?=\n)|\Z)"""
    r"""|'(?P<single>(?:[^'\\\n]++|\\.?+)*+)(?:'|(?=\n)|\Z)"""
    rf"""|(?P<word>@?+(?:[-\w]++|{_ESCAPE})++)(?P<call>\()?+"""
    r"""|(?P<sign>[();}])|.)""",
    re.DOTALL,
)
_BARE: Final = re.compile(rf"""\s*+((?:[^\s"'()\\]++|{_ESCAPE})++)""")
"""What stands in `url()` without quotes."""
_ESCAPED: Final = re.compile(r"\\(?:([0-9a-fA-F]{1,6}+)[ \t\n\f\r]?+|(.)|\Z)", re.DOTALL)
_MAY_FETCH: Final = re.compile(r"url|@import|image-set|src|\\", re.IGNORECASE)
_TAKES_TEXT: Final = frozenset({"url", "src", "image-set", "-webkit-image-set"})
_LONGEST_REMEMBERED: Final = 1 << 16


def fetched_by(css: str) -> tuple[tuple[str, Fetched], ...]:
    r"""Each address in a style sheet that is fetched, and what as; fonts stand in `@font-face`.

    >>> fetched_by('@import "a.css"; @font-face {src: url(b)} p {background: u\\72l("c.png")}')
    (('a.css', 'stylesheet'), ('b', 'font'), ('c.png', 'image'))
    """
    if _MAY_FETCH.search(css) is None:
        return ()
    return _remembered(css) if len(css) <= _LONGEST_REMEMBERED else tuple(_Sheet(css).read())


@lru_cache(maxsize=128)  # a site's pages have their styles in common
def _remembered(css: str) -> tuple[tuple[str, Fetched], ...]:
    return tuple(_Sheet(css).read())


class _Sheet:
    """One style sheet while it is read.

    `_calls` are the functions that are open, each by its name, and "" for a bare bracket; `_rule`
    is the at-rule that is begun, as long as it says what an address in it is.
    """

    def __init__(self, css: str) -> None:
        self._css = css
        self._at = 0
        self._calls: list[str] = []
        self._rule = ""

    def read(self) -> Iterator[tuple[str, Fetched]]:
        """Every address, in order."""
        while (found := _TOKEN.match(self._css, self._at)) is not None:
            self._at = found.end()
            address = self._text_in(found)
            if address is None and found["word"]:
                address = self._begin(_plain(found["word"]).lower(), is_call=bool(found["call"]))
            elif found["sign"]:
                self._end(found["sign"])
            if address and self._rule != "@namespace":
                yield address, self._kind()

    def _text_in(self, found: re.Match[str]) -> str | None:
        """The address that a quoted text is, where one is expected; None for another text."""
        text = found["double"] if found["double"] is not None else found["single"]
        is_one = self._calls[-1] in _TAKES_TEXT if self._calls else self._rule == "@import"
        return _plain(text) if text is not None and is_one else None

    def _begin(self, word: str, *, is_call: bool) -> str | None:
        """Take in a word; returns the address where it is an `url()` without quotes."""
        if word.startswith("@"):
            self._rule = word
        if not is_call:
            return None
        bare = _BARE.match(self._css, self._at) if word == "url" else None
        if bare is None:
            self._calls.append(word)
            return None
        self._calls.append("url")
        self._at = bare.end()
        return _plain(bare[1])

    def _end(self, sign: str) -> None:
        if sign == "(":
            self._calls.append("")
        elif sign == ")":
            del self._calls[-1:]
        elif sign == "}" or self._rule != "@font-face":
            self._rule = ""

    def _kind(self) -> Fetched:
        """What the address just read is fetched as; an import has one, and what follows is not."""
        if self._rule == "@import":
            self._rule = ""
            return "stylesheet"
        return "font" if self._rule == "@font-face" else "image"


def _plain(text: str) -> str:
    """A name, an address or a text without its escapes."""
    return _ESCAPED.sub(_resolved, text) if "\\" in text else text


def _resolved(found: re.Match[str]) -> str:
    if found[1] is None:
        return "" if found[2] in {None, "\n"} else found[2]
    number = int(found[1], 16)
    is_one = 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return chr(number) if is_one else "\N{REPLACEMENT CHARACTER}"
