"""Where in the tree a stream of HTML stands, as far as a stream can know.

It has never heard of what is looked for in a page.

What a byte means depends on the tree at a few places: inside SVG and MathML `<style>` is an element
like any other, inside `<select>` and `<frameset>` it is ignored, and `<![CDATA[` is a comment or is
not. There the reading follows the tree construction of the HTML standard (13.2.6) exactly as long
as it can, and says when it is in doubt: since an end tag may have closed elements that are not kept
account of, or since parsers do not agree.
"""

from __future__ import annotations

import enum
import re
from typing import Final, NamedTuple

from consentkit.wire.html import (
    FOREIGN,
    INTEGRATION,
    LEAVES_FOREIGN,
    RAW_TEXT,
    RAW_WITH_SCRIPTING,
    REST_OF_ANY_TAG,
    VOID,
    Kind,
    Lexer,
    attribute_of,
    names_of,
    run_end,
)

__all__ = ["Doubt", "Reader"]

_STAYS_MATH: Final = names_of("mglyph malignmark")
_HTML_ENCODINGS: Final = names_of("text/html application/xhtml+xml")
# Inside an integration point these may close a table around it all (13.2.6.4.15).
_TABLE_PARTS: Final = names_of("caption col colgroup tbody td tfoot th thead tr")
_CLOSES_SELECT: Final = names_of("input keygen select textarea")
_READ_IN_SELECT: Final = names_of("script textarea")
_TO_THE_LAST_ATTRIBUTE: Final = re.compile(
    rb"<[^\t\n\f\r />]++" + REST_OF_ANY_TAG.removesuffix(rb"[\t\n\f\r /]*+>")
)
_CDATA: Final = b"<![CDATA["


class _Is(enum.Enum):
    """What an open element is."""

    HTML = enum.auto()
    SVG = enum.auto()
    MATH = enum.auto()
    POINT = enum.auto()  # an SVG or MathML element in which start tags are HTML
    MATH_POINT = enum.auto()


_HTML: Final = _Is.HTML


class _Open(NamedTuple):
    name: bytes
    what: _Is


class _Template(NamedTuple):
    """What to go back to when a <template> ends."""

    opened: int
    is_in_select: bool


class Doubt(enum.IntEnum):
    """How far the account of open elements can be wrong."""

    NONE = 0
    ONE = 1  # the open svg or math may be closed already
    ANY = 2


class Reader(Lexer):
    """A lexer that keeps account of the tree where the tree changes what a byte means."""

    __slots__ = (
        "_count",
        "_has_strays",
        "_is_in_select",
        "doubt",
        "is_ambiguous",
        "is_framed",
        "is_html",
        "is_lost",
        "opened",
        "templates",
    )

    def __init__(self, data: bytes | bytearray, at: int) -> None:
        super().__init__(data, at, RAW_TEXT)
        self.opened: list[_Open] = []  # from an <svg> or <math> on
        self._count: dict[bytes | _Is, int] = {}  # of what stands in `opened`
        self.templates: list[_Template] = []
        self.doubt = Doubt.NONE
        self.is_html = True  # the latest start tag is an HTML element's
        self.is_ambiguous = False  # what follows the latest start tag is raw text, or is markup
        self.is_lost = False  # what follows may be anything
        self.is_framed = False  # maybe: there parsers ignore most tags
        self._is_in_select = False
        self._has_strays = False

    @property
    def is_plain(self) -> bool:
        """True where a tag's name alone says what it means."""
        return not (self.opened or self.doubt or self._is_in_select or self.is_framed)

    @property
    def leaves_no_trace(self) -> bool:
        """True where all that was opened is closed, and nothing else was."""
        return self.is_at_end and self.is_plain and not (self._has_strays or self.templates)

    def _markup(self) -> Kind | None:
        if (self.opened or self.doubt) and self.data.startswith(_CDATA, self.at, self.stop):
            if self.doubt:
                self.is_lost = True
                return None
            if self.opened[-1].what is not _HTML:
                return self._go(Lexer._cdata, self.at + len(_CDATA))  # noqa: SLF001 - its own step
        return super()._markup()

    def _open(self) -> None:
        if self.doubt is Doubt.ANY:
            self.opened.clear()  # an account that is wrong is not kept
        self.is_html = not self.opened or self._reads_html(self.opened[-1])
        self.is_ambiguous = False
        if not self.is_html:
            self._open_in_foreign()
        if self.is_html:
            self._open_html()
        if self.doubt and self.name in RAW_WITH_SCRIPTING:
            self.is_ambiguous = True
        self.is_lost = self.is_ambiguous and self.name == b"plaintext"

    def _reads_html(self, current: _Open) -> bool:
        """The conditions under which "tree construction" (13.2.6) takes a start tag as HTML."""
        if current.what is _Is.MATH_POINT:
            return self.name not in _STAYS_MATH
        if current == (b"annotation-xml", _Is.MATH):
            return self.name == b"svg"
        return current.what in {_HTML, _Is.POINT}

    def _open_in_foreign(self) -> None:
        """Follow "any other start tag" in 13.2.6.5."""
        if self.name in LEAVES_FOREIGN or self._is_html_font():
            self._leave_foreign()
            self.is_html = True
        elif not self._closes_itself():
            if self.doubt and self.name in FOREIGN:
                self.doubt = Doubt.ANY  # in one reading a root, in the other inside one
            self._push(self._what_it_is(self.opened[-1]))

    def _what_it_is(self, around: _Open) -> _Is:
        is_svg = around.what is _Is.SVG or around.name in INTEGRATION[b"svg"]
        if is_svg:
            return _Is.POINT if self.name in INTEGRATION[b"svg"] else _Is.SVG
        if self.name in INTEGRATION[b"math"]:
            return _Is.MATH_POINT
        encoding = self.name == b"annotation-xml" and attribute_of(self.tag(), b"encoding")
        return _Is.POINT if encoding and encoding.lower() in _HTML_ENCODINGS else _Is.MATH

    def _closes_itself(self) -> bool:
        """Tell whether "/>" ends the tag; <svg a=b/> does not: the slash is the value's."""
        tag = self.tag()
        end = run_end(_TO_THE_LAST_ATTRIBUTE, tag, 0, len(tag))
        return tag.endswith(b"/>", end)

    def _leave_foreign(self) -> None:
        while self.opened and self.opened[-1].what in {_Is.SVG, _Is.MATH}:
            self._pop()
        self._settle()

    def _push(self, what: _Is) -> None:
        self.opened.append(_Open(self.name, what))
        for key in (self.name, what):
            self._count[key] = self._count.get(key, 0) + 1

    def _pop(self) -> bytes:
        name, what = self.opened.pop()
        self._count[name] -= 1
        self._count[what] -= 1
        return name

    def _settle(self) -> None:
        if not self.opened and self.doubt is Doubt.ONE:
            self.doubt = Doubt.NONE

    def _open_html(self) -> None:
        if self.name in FOREIGN:
            self._open_root()
        elif self.name in RAW_WITH_SCRIPTING:
            self._open_raw_text()
        elif self.name in _WATCHED:
            self._watch()
        if self.opened and self.name not in VOID and self.name not in FOREIGN:
            self._push(_HTML)

    def _open_root(self) -> None:
        if self._closes_itself():
            return
        if self.doubt or self.is_framed:
            self.doubt = Doubt.ANY
        elif self._is_in_select:
            self.doubt = Doubt.ONE  # ignored by the standard up to 2025
        self._push(_Is.SVG if self.name == b"svg" else _Is.MATH)

    def _open_raw_text(self) -> None:
        strange = self._is_in_select and self.name not in _READ_IN_SELECT
        strange = strange or (self.is_framed and self.name != b"noframes")
        if self.doubt or strange or self.name == b"noscript":
            self.is_ambiguous = True
        else:
            super()._open()
        self._is_in_select &= self.name not in _CLOSES_SELECT

    def _watch(self) -> None:
        if self.name == b"template":
            self.templates.append(_Template(len(self.opened), self._is_in_select))
        elif self.name in _TABLE_PARTS:
            if self.opened or (self.templates and self.name == b"col"):
                self.doubt = Doubt.ANY
        elif self.name == b"frameset":
            self.is_framed = True
        else:
            self._is_in_select = self.name == b"select" and not self._is_in_select

    def _close(self) -> None:
        if self.doubt is Doubt.ANY:
            self.opened.clear()
        if self.opened and self.opened[-1].what is not _HTML:
            self._close_in_foreign()
        elif self.opened:
            self._close_in_point()
        else:
            self._close_html()

    def _close_in_foreign(self) -> None:
        """Follow "any other end tag" in 13.2.6.5.

        `</p>` and `</br>` leave foreign content since 2020, and did not before.
        """
        if self._count.get(self.name) and self._is_found_below_html():
            while self._pop() != self.name:
                pass
            self._settle()
        else:
            self._close_around()

    def _is_found_below_html(self) -> bool:
        ends = (one for one in reversed(self.opened) if self.name == one.name or one.what is _HTML)
        return next(ends).what is not _HTML

    def _close_in_point(self) -> None:
        if self.opened[-1].name == self.name and self.name != b"template":
            self._pop()
        else:
            self._close_around()

    def _close_around(self) -> None:
        """Close what stands further up, if it does, and whatever is open inside it."""
        if self.name == b"template" and self.templates:
            self.close_template()
        elif len(self.opened) > self._count.get(_Is.SVG, 0) + self._count.get(_Is.MATH, 0):
            self.doubt = Doubt.ANY
        else:
            self.doubt = max(self.doubt, Doubt.ONE)

    def _close_html(self) -> None:
        if self.name == b"template":
            self._has_strays |= not self.templates
            self.close_template()
        elif self.name == b"select":
            self._has_strays |= not self._is_in_select
            self._is_in_select = False
        else:
            self._has_strays |= self.name in FOREIGN

    def close_template(self) -> None:
        """Go on as after `</template>`."""
        if self.templates:
            opened, self._is_in_select = self.templates.pop()
            while len(self.opened) > opened:
                self._pop()
            self._settle()


_WATCHED: Final = names_of("frameset template") | _TABLE_PARTS | _CLOSES_SELECT
