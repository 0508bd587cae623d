"""What a style sheet in a page would fetch: its imports, its fonts and its pictures.

It has never heard of a page or of a host: the text of a `<style>` or of a style attribute goes in,
addresses come out as they stand there. It is read by pattern: escapes inside of an address are not
resolved, and whether a rule applies to anything is not asked. Any text is read in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

__all__ = ["Fetched", "fetched_by"]

Fetched = Literal["stylesheet", "font", "image"]

_TOKEN: Final = re.compile(
    r"""/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"""  # a comment
    r"""|@namespace[^;]*+"""  # a name, which is never fetched
    r"""|@import\s*+(?:url\(\s*+)?+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>[^\s"');]++))"""
    r"""|url\(\s*+(?:"(?P<in_double>[^"]*+)"|'(?P<in_single>[^']*+)'|(?P<in_bare>[^\s"')]++))"""
    r"""|(?P<font>@font-face)|(?P<end>\})"""
    r"""|"(?:[^"\\\n]++|\\.?+)*+(?:"|(?=\n)|\Z)"""  # a text, which may speak of url()
    r"""|'(?:[^'\\\n]++|\\.?+)*+(?:'|(?=\n)|\Z)""",
    re.DOTALL | re.IGNORECASE,
)
_IMPORTS: Final = frozenset({"double", "single", "bare"})


def fetched_by(css: str) -> Iterator[tuple[str, Fetched]]:
    """Each address in a style sheet that is fetched, and what as; fonts stand in `@font-face`.

    >>> [*fetched_by('@import "a.css"; @font-face {src: url(b)} p {background: url("c.png")}')]
    [('a.css', 'stylesheet'), ('b', 'font'), ('c.png', 'image')]
    """
    is_font = False
    for found in _TOKEN.finditer(css):
        which = found.lastgroup
        if which is None:
            continue
        if which in {"font", "end"}:
            is_font = which == "font"
        elif which in _IMPORTS:
            yield found[which], "stylesheet"
        else:
            yield found[which], "font" if is_font else "image"
