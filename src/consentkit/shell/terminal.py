r"""How the shell prints: paragraphs, tables, and a fault with its line and a caret.

It has never heard of a policy: it is given words, and sees to it that they fit and do no harm.

Off a terminal everything is plain text for 80 columns; `rich` draws the frames of tables where it
is installed and somebody is looking. No character of a file can move the cursor, turn the writing
round or break the encoding: `Screen.shown` is the one way out, and what it cannot show it spells
as ``\x1b``. Colours say nothing that a word does not say too, and read on white and on black.
"""

from __future__ import annotations

import json
import os
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from importlib.util import find_spec
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TextIO
from unicodedata import category, east_asian_width

import click

from consentkit.errors import Fault

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "OBEYED_BY_BUILDS",
    "Colour",
    "Piece",
    "Screen",
    "Tone",
    "Toned",
    "fault_json",
    "harmless",
    "width_of",
]

Colour = Literal["auto", "always", "never"]
"""When to print in colours."""

PLAIN_WIDTH: Final = 80
WIDEST_TEXT: Final = 100
"""Columns of a paragraph: a longer line is hard to read, however wide the window is."""
_NARROWEST: Final = 40
_TAB: Final = "    "


class Tone(StrEnum):
    """What a piece of text is, which decides its colour."""

    STRONG = "strong"
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    ALLOWED = "allowed"
    BLOCKED = "blocked"


COLOURS: Final[Mapping[Tone, int | None]] = MappingProxyType(
    {
        Tone.STRONG: None,
        Tone.ERROR: 196,
        Tone.WARNING: 133,
        Tone.NOTE: 31,
        Tone.ALLOWED: 64,
        Tone.BLOCKED: 167,
    }
)
"""Numbers in the palette of 256, whose tones no theme moves; each has a contrast of 3.6 or more
to white and to the greys that dark themes use. None is the terminal's own colour."""
_BOLD: Final = frozenset({Tone.STRONG, Tone.ERROR, Tone.WARNING, Tone.NOTE})


class Toned(NamedTuple):
    """A piece of text and what it is."""

    text: str
    tone: Tone | None


Piece = str | Toned

OBEYED_BY_BUILDS: Final = r":(?=:[A-Za-z])|#(?=#(?i:vso|teamcity)?\[)"
"""Pattern of how a line begins that build servers obey (``::add-mask::``, ``##vso[``,
``##teamcity[``)."""
_OBEYED: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
    rf"|{OBEYED_BY_BUILDS}"
)
"""What a terminal would obey or hide: controls, overrides of direction, marks without width; and
what build servers would."""

_TYPEWRITTEN: Final = str.maketrans({"…": "...", "─": "-", "•": "*"})
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_QUOTED: Final = r""""(?:[^"\\]|\\.)*"?|'[^']*'?"""
_KEY: Final = re.compile(rf"(?:{_QUOTED}|(?:\{{[\w-]+\}}|[^\s,:\[\]{{}}]|:(?=\S))+)(?=:(?:\s|$))")
_VALUE: Final = re.compile(rf"{_QUOTED}|\S+(?:[ \t]+(?!#)\S+)*")
_VALUE_IN_BRACKETS: Final = re.compile(rf"{_QUOTED}|[^\s,\[\]{{}}]+(?:[ \t]+(?!#)[^\s,\[\]{{}}]+)*")


def _underlined(line: str, at: int, end: int) -> int:
    """Where the key or value that begins at `at` ends in this line of YAML, as far as `end`."""
    opened, closed = (sum(line.count(mark, 0, at) for mark in pair) for pair in ("[{", "]}"))
    value = _VALUE_IN_BRACKETS if opened > closed else _VALUE
    found = _KEY.match(line, at, end) or value.match(line, at, end)
    return found.end() if found else at


def width_of(text: str) -> int:
    """Columns that `text` takes on a terminal: wide characters two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def fault_json(fault: Fault) -> dict[str, object]:
    """A fault for machines; `line` and `column` are null where it has no place."""
    return {
        "file": fault.file,
        "line": fault.line or None,
        "column": fault.column or None,
        "level": "warning" if fault.is_warning else "error",
        "what": fault.what,
        "cure": fault.cure,
    }


def harmless(text: str) -> str:
    r"""`text` with every character spelled out that a screen would obey or hide.

    >>> print(harmless("a\x1b[2Jb\u202ec"))
    a\x1b[2Jb\u202ec
    """
    return _OBEYED.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}" if found[0] in ":#" else ascii(found[0])[1:-1]


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _columns_of(stream: TextIO) -> int:
    """Columns of a terminal: what ``COLUMNS`` says, else what it has, else 80."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(stream.fileno()).columns or PLAIN_WIDTH
    except OSError:
        return PLAIN_WIDTH


class Screen:
    """Where the shell writes: a terminal, a pipe, a file; None swallows everything."""

    def __init__(
        self,
        stream: TextIO | None,
        *,
        width: int = PLAIN_WIDTH,
        is_coloured: bool = False,
        is_framed: bool = False,
        is_watched: bool = False,
    ) -> None:
        """`is_framed` draws tables with `rich`; `is_watched` if somebody looks at a terminal."""
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "ascii"
        self.width = max(width, _NARROWEST)
        self.is_coloured = is_coloured
        self.is_framed = is_framed
        self.is_watched = is_watched

    @classmethod
    def on(cls, stream: TextIO | None, color: Colour) -> Screen:
        """The screen for a stream of this process, as wide as its terminal.

        `auto` colours a terminal unless ``NO_COLOR`` is set or ``TERM`` is ``dumb``.
        """
        watched = _is_terminal(stream)
        clever = watched and os.environ.get("TERM") != "dumb"
        wanted = clever and not os.environ.get("NO_COLOR")
        encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
        return cls(
            stream,
            width=_columns_of(stream) if watched and stream else PLAIN_WIDTH,
            is_coloured=wanted if color == "auto" else color == "always",
            is_framed=clever and encoding == "utf8" and find_spec("rich") is not None,
            is_watched=watched,
        )

    # what goes out

    def shown(self, text: str) -> str:
        """`text` without a character that the terminal would obey or the encoding lacks."""
        return self._encodable(harmless(text))

    def _encodable(self, text: str) -> str:
        if text.isascii():
            return text
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            plain = text.translate(_TYPEWRITTEN).encode(self._encoding, "backslashreplace")
            return plain.decode(self._encoding)
        return text

    def _toned(self, text: str, tone: Tone | None) -> str:
        if not (self.is_coloured and tone and text):
            return text
        return click.style(text, fg=COLOURS[tone], bold=tone in _BOLD or None)

    def _write(self, text: str) -> None:
        # click would take colours out where it sees no terminal; what is here is wanted.
        if self._stream is not None:
            click.echo(text, file=self._stream, nl=False, color=True)

    def write(self, text: str) -> None:
        """A text with line breaks of its own (YAML, CSV, a script): into a file or pipe as it is.

        Somebody who watches sees its control characters spelled out.
        """
        if self.is_watched:
            text = "".join(
                character if character in "\n\t" else _OBEYED.sub(_escaped, character)
                for character in text.replace("\r\n", "\n")
            )
        self._write(self._encodable(text))

    def json(self, document: object) -> None:
        """One JSON document, in ASCII, so that any encoding carries it."""
        self._write(json.dumps(document, indent=2) + "\n")

    def blank(self) -> None:
        """An empty line."""
        self._write("\n")

    def say(self, *pieces: Piece, indent: str = "", hang: str | None = None) -> None:
        """A paragraph, broken between words; lines after the first begin with `hang`."""
        indent, hang = self.shown(indent), self.shown(indent if hang is None else hang)
        spans = [Toned(self.shown(text), tone) for text, tone in map(_toned_piece, pieces)]
        text = "".join(span.text for span in spans)
        room = min(self.width, WIDEST_TEXT)
        lines = _broken(text, room - width_of(indent), room - width_of(hang))
        self._write(
            "".join(
                f"{hang if number else indent}{self._cut(spans, start, end)}\n"
                for number, (start, end) in enumerate(lines)
            )
        )

    def _cut(self, spans: Sequence[Toned], start: int, end: int) -> str:
        """The characters from `start` to `end` of all spans, each in its tone."""
        parts: list[str] = []
        at = 0
        for text, tone in spans:
            parts.append(self._toned(text[max(start - at, 0) : max(end - at, 0)], tone))
            at += len(text)
        return "".join(parts)

    def head(self, *pieces: Piece) -> None:
        """A line that is never broken, since tools read it: a heading, a fault's first line."""
        parts = (self._toned(self.shown(text), tone) for text, tone in map(_toned_piece, pieces))
        self._write("".join(parts) + "\n")

    # tables

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[Piece]]) -> None:
        """Rows under heads; cells are broken between words until the table fits."""
        if self.is_framed:
            self._framed_table(heads, rows)
        else:
            self._plain_table(heads, rows)

    def _plain_table(self, heads: Sequence[str], rows: Sequence[Sequence[Piece]]) -> None:
        shown = [
            [Toned(self.shown(text), tone) for text, tone in map(_toned_piece, row)]
            for row in ([Toned(head, Tone.STRONG) for head in heads], *rows)
        ]
        texts = [[cell.text for cell in row] for row in shown]
        widths = _column_widths(texts, self.width - 2 * (len(heads) - 1))
        rule = self.shown("─")
        lines = [self._row(row, widths) for row in shown]
        lines.insert(1, "  ".join(rule * width for width in widths) + "\n")
        self._write("".join(lines))

    def _row(self, row: Sequence[Toned], widths: Sequence[int]) -> str:
        cells = [
            [text[start:end] for start, end in _broken(text, width, width)]
            for (text, _), width in zip(row, widths, strict=True)
        ]
        lines = []
        for number in range(max(map(len, cells))):
            parts = []
            for cell, (_, tone), width in zip(cells, row, widths, strict=True):
                part = cell[number] if number < len(cell) else ""
                parts.append(self._toned(part, tone) + " " * (width - width_of(part)))
            lines.append("  ".join(parts).rstrip() + "\n")
        return "".join(lines)

    def rich_console(self) -> Console:
        """`rich`'s console for this stream, of the same width and colours; where `is_framed`."""
        # Imported where a terminal is there to be drawn on: it takes longer than all the rest.
        from rich.console import Console  # noqa: PLC0415

        return Console(
            file=self._stream,
            width=self.width,
            force_terminal=True,
            no_color=not self.is_coloured,
            color_system="256" if self.is_coloured else None,
        )

    def _framed_table(self, heads: Sequence[str], rows: Sequence[Sequence[Piece]]) -> None:
        # As in rich_console.
        from rich.box import ROUNDED  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(box=ROUNDED, header_style="bold", border_style="", show_lines=False)
        for head in heads:
            table.add_column(Text(self.shown(head)), overflow="fold")
        for row in rows:
            table.add_row(
                *(
                    Text(self.shown(text), style=_rich_style(tone))
                    for text, tone in map(_toned_piece, row)
                )
            )
        self.rich_console().print(table)

    # faults

    def fault(self, fault: Fault, sources: Mapping[str, str]) -> None:
        """A fault as a compiler shows it: its place, what it is, its line, the cure.

        `sources` are the texts of the files by name; where the line is not in them, it is left
        out.
        """
        level = Tone.WARNING if fault.is_warning else Tone.ERROR
        place = f"{fault.file}:{fault.line}:{fault.column}" if fault.line else fault.file
        first = (Toned(f"{place}: ", Tone.STRONG), Toned(f"{level}: ", level), fault.what)
        if self.is_watched:
            self.say(*first, hang=_TAB)
        else:
            self.head(*first)
        gutter = self.excerpt(sources.get(fault.file), fault.line, fault.column, level)
        if fault.cure:
            start = f"{gutter}= " if gutter else _TAB
            self.say(fault.cure, indent=start, hang=" " * len(start))

    def excerpt(self, source: str | None, line: int, column: int, tone: Tone) -> str:
        """Print a line of a file with its number, and a caret under `column`; both from 1.

        Returns the blanks of the gutter, to go on below it; empty if there is no such line.
        """
        lines = _LINE_BREAK.split(source) if source is not None and line else []
        if line > len(lines) or not lines:
            return ""
        number = f"{line:>5} "
        gutter = " " * len(number)
        text, blanks, caret = self._window(
            lines[line - 1], column - 1, self.width - len(number) - 2
        )
        self._write(f"{number}| {text}".rstrip() + "\n")
        self._write(f"{gutter}| {' ' * blanks}{self._toned('^' * caret, tone)}\n")
        return gutter

    def _window(self, line: str, at: int, room: int) -> tuple[str, int, int]:
        """As much of `line` around its character `at` as fits `room` columns; where the caret goes.

        Returns the text, the columns before the caret, and the columns it is long.
        """
        at, dots = min(at, len(line)), self.shown("…")
        begin, end = max(0, at - room), min(len(line), at + room)
        cells = [_TAB if each == "\t" else self.shown(each) for each in line[begin:end]]
        edges = [*accumulate(map(width_of, cells), initial=0)]
        first, last = 0, len(cells)
        if len(line) > len(cells) or edges[-1] > room:
            room -= 2 * len(dots)
            shift = max(0, min(edges[at - begin] - room // 2, edges[-1] - room))
            first = bisect_left(edges, shift)
            last = bisect_right(edges, edges[first] + room) - 1
        ahead = dots if begin + first else ""
        behind = dots if begin + last < len(line) else ""
        start = edges[at - begin]
        long = edges[_underlined(line, at, begin + last) - begin] - start
        return (
            ahead + "".join(cells[first:last]) + behind,
            len(ahead) + start - edges[first],
            max(1, long),
        )


def _toned_piece(piece: Piece) -> Toned:
    return piece if isinstance(piece, Toned) else Toned(piece, None)


def _rich_style(tone: Tone | None) -> str:
    if tone is None:
        return ""
    colour = COLOURS[tone]
    return " ".join(
        [*(["bold"] if tone in _BOLD else []), *([f"color({colour})"] if colour else [])]
    )


def _broken(text: str, first: int, rest: int) -> Iterator[tuple[int, int]]:
    """Where to break `text` so that no line is wider: its characters from … to …, blanks cut.

    A word that is wider than a line is broken inside.
    """
    start, room = 0, first
    while True:
        end, used, blank = start, 0, None
        while end < len(text) and used + _cells(text[end]) <= room:
            blank = end if text[end] == " " else blank
            used += _cells(text[end])
            end += 1
        if end == len(text):
            yield start, end
            return
        if text[end] == " ":
            blank = end
        # A wide character in a single column would never fit: it is let out over the edge.
        end = blank if blank is not None and blank > start else max(end, start + 1)
        yield start, end
        start, room = end + (text[end : end + 1] == " "), rest


def _column_widths(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Widths that fit into `room`: columns give way from the widest on, down to their words."""
    columns = [*zip(*rows, strict=True)]
    widths = [max(map(width_of, column), default=1) or 1 for column in columns]
    least = [
        min(width, max(_longest_word(column), 1))
        for width, column in zip(widths, columns, strict=True)
    ]
    for floors in (least, [1] * len(widths)):
        while sum(widths) > room:
            slack = [width - floor for width, floor in zip(widths, floors, strict=True)]
            if not any(slack):
                break
            widest = max(range(len(widths)), key=lambda place: (slack[place] > 0, widths[place]))
            widths[widest] -= 1
    return widths


def _longest_word(column: Iterable[str]) -> int:
    return max((width_of(word) for text in column for word in text.split(" ")), default=1)
