"""A stream of HTML, cut into tokens.

It has never heard of what is looked for in a page: bytes go in, tokens come out.

The reading follows the tokenizer of the HTML standard (13.2.5), and knows where SVG and MathML
begin and end, since there a name means something else. All of it works on bytes: every byte with a
meaning is ASCII, so that any encoding that extends ASCII is read alike.

A page is read once. What is matched as a whole is matched from a known position with possessive
repeats; what is cut short by the end of a chunk is taken up again where the reading stopped, never
from its beginning.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_LESS_THAN, _AMPERSAND, _SLASH, _NUL = b"<&/\0"


def names_of(text: str) -> frozenset[bytes]:
    """The words of `text`, as names in a page's bytes."""
    return frozenset(text.encode().split())


# --- What the standard says of each element -------------------------------------------------------

VOID: Final = names_of(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source "
    "track wbr"
)
RAW_TEXT: Final = names_of("title textarea style xmp iframe noembed noframes script plaintext")
RAW_WITH_SCRIPTING: Final = RAW_TEXT | {b"noscript"}
# "Any other start tag" in foreign content (13.2.6.5): these leave it.
LEAVES_FOREIGN: Final = names_of(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li "
    "listing menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
FOREIGN: Final = names_of("svg math")
# HTML integration points and MathML text integration points: inside, tags are HTML again.
INTEGRATION: Final = {
    b"svg": names_of("foreignobject desc title"),
    b"math": names_of("mi mo mn ms mtext"),
}

# --- Patterns -------------------------------------------------------------------------------------

SPACE = rb"[\t\n\f\r ]"
NAME_ENDS = rb"(?=[\t\n\f\r />])"
_ATTRIBUTE_NAME = rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
# First the way attributes are mostly written, then every other. Without the look-ahead at the end
# an unclosed quote would be read as a name: a="b
_ATTRIBUTE = (
    rb' %(skip)b[a-z:-]++="[^"]*+"|[\t\n\f\r /]*+%(skip)b' + _ATTRIBUTE_NAME
    + rb"(?:" + SPACE + rb"*+=" + SPACE + rb"*+"
    + rb"""(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r >"'][^\t\n\f\r >]*+|(?=>))|(?!""" + SPACE + rb"*+=))"
)  # fmt: skip
_END_OF_TAG = rb"[\t\n\f\r /]*+>"
REST_OF_TAG = rb"(?:" + _ATTRIBUTE + rb")*+" + _END_OF_TAG
_MOST_ATTRIBUTES: Final = 500
REST_OF_ANY_TAG = (
    rb"(?:" + _ATTRIBUTE % {b"skip": b""} + rb"){0,%d}+" % _MOST_ATTRIBUTES + _END_OF_TAG
)
# These stand after "<".
COMMENT = rb"!--(?:-?>|[^-]*+(?:-(?:(?!-)|-++(?!!?>))[^-]*+)*+--++!?>)"
BOGUS_COMMENT = rb"(?:!(?!--)|\?)[^>]*+>"
CDATA = rb"!\[CDATA\[[^]]*+(?:\](?!\]>)[^]]*+)*+\]\]>"


def any_of(names: Iterable[bytes]) -> bytes:
    """Return the pattern of any of `names`, in either case; told apart by their first letter."""
    rests: dict[bytes, list[bytes]] = {}
    for name in sorted(names):
        rests.setdefault(name[:1], []).append(name[1:])
    return b"|".join(
        rb"[%b%b](?i:%b)" % (initial, initial.upper(), b"|".join(rest))
        for initial, rest in rests.items()
    )


def raw_text_element(name: bytes, not_in_content: bytes = b"") -> bytes:
    """Return the pattern of a whole raw text element without `not_in_content` in its content."""
    stop = rb"/(?i:%b)[\t\n\f\r />]%b" % (name, not_in_content)
    return rb"(?i:%b)%b[^<]*+(?:<(?!%b)[^<]*+)*+</(?i:%b)%b%b" % (
        name, NAME_ENDS + REST_OF_ANY_TAG, stop, name, NAME_ENDS, REST_OF_ANY_TAG
    )  # fmt: skip


_BLANK: Final = re.compile(SPACE + rb"*+")
_TEXT: Final = re.compile(rb"[^<&\0]*+")
# A number with leading zeros is not read on to see which: the rest may come in a later chunk.
_BLANK_REFERENCE: Final = re.compile(
    rb"&(?:#(?:0|(?:9|1[023]|32)(?![0-9]);?|[xX](?:0|(?:9|[aAcCdD]|20)(?![0-9a-fA-F]);?))"
    rb"|Tab;|NewLine;)"
)
_OPEN_REFERENCE: Final = re.compile(
    rb"&(?:#(?:[0-9]{0,2}+|[xX][0-9a-fA-F]{0,2}+)|[a-zA-Z]{0,7}+)\Z"
)
_TAG: Final = re.compile(rb"</?+([a-zA-Z][^\t\n\f\r />]*+)" + REST_OF_ANY_TAG)
_TAG_NAME: Final = re.compile(rb"</?+([a-zA-Z][^\t\n\f\r />]*+)")
_ONE_ATTRIBUTE: Final = re.compile(
    rb"[\t\n\f\r /]*+(" + _ATTRIBUTE_NAME + rb")(?:" + SPACE + rb"*+=" + SPACE + rb"*+"
    rb"""(?:"([^"]*+)"|'([^']*+)'|([^\t\n\f\r >"'][^\t\n\f\r >]*+)|))?+"""
)
# Attributes of which the byte after them is known, so that nothing that follows changes them.
_SETTLED_ATTRIBUTES: Final = re.compile(
    rb"(?:[\t\n\f\r /]*+" + _ATTRIBUTE_NAME + rb"(?:" + SPACE + rb"*+=" + SPACE + rb"*+"
    + rb"""(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r >"'][^\t\n\f\r >]*+(?=[\t\n\f\r >]))"""
    + rb"|(?=[\t\n\f\r /])(?!" + SPACE + rb"*+(?:=|\Z))))*+"
)  # fmt: skip
_COMMENT_END: Final = re.compile(rb"--!?+>")
# What a comment that the page's end cuts short ends with, and what then makes it whole.
_COMMENT_CLOSINGS: Final = ((b"--!", b">"), (b"--", b">"), (b"-", b"->"), (b"", b"-->"))
_GREATER_THAN: Final = re.compile(rb">")
_CDATA: Final = b"<![CDATA["
# Of what begins like this, the next chunk says what it is.
_CUT_SHORT: Final = {b"</", b"<!-", b"<!--", b"<!---"} | {_CDATA[:n] for n in range(1, len(_CDATA))}
_CDATA_END: Final = re.compile(rb"]]>")
_RAW_TEXT_END: Final = {
    name: re.compile(rb"</(?i:" + name + rb")" + NAME_ENDS) for name in RAW_WITH_SCRIPTING
}


class _Part(enum.IntEnum):
    """Where in a tag the reading is."""

    TAG_NAME = enum.auto()
    BETWEEN = enum.auto()
    NAME = enum.auto()
    AFTER_NAME = enum.auto()
    VALUE = enum.auto()
    DOUBLE_QUOTED = enum.auto()
    SINGLE_QUOTED = enum.auto()
    UNQUOTED = enum.auto()
    END = enum.auto()


# 13.2.5.8 to .40. Part: what it runs over; then, by the byte that follows, the next part and how
# many bytes to step over; the same for any other byte.
_PARTS: Final = {
    part: (re.compile(run), {ord(byte): turn for byte, turn in turns.items()}, otherwise)
    for part, run, turns, otherwise in (
        (_Part.TAG_NAME, rb"[^\t\n\f\r />]*+", {}, (_Part.BETWEEN, 0)),
        (_Part.BETWEEN, rb"[\t\n\f\r /]*+", {">": (_Part.END, 1)}, (_Part.NAME, 1)),
        (
            _Part.NAME,
            rb"[^\t\n\f\r />=]*+",
            {"=": (_Part.VALUE, 1), "/": (_Part.BETWEEN, 0), ">": (_Part.BETWEEN, 0)},
            (_Part.AFTER_NAME, 0),
        ),
        (_Part.AFTER_NAME, SPACE + rb"*+", {"=": (_Part.VALUE, 1)}, (_Part.BETWEEN, 0)),
        (
            _Part.VALUE,
            SPACE + rb"*+",
            {
                '"': (_Part.DOUBLE_QUOTED, 1),
                "'": (_Part.SINGLE_QUOTED, 1),
                ">": (_Part.BETWEEN, 0),
            },
            (_Part.UNQUOTED, 0),
        ),
        (_Part.DOUBLE_QUOTED, rb'[^"]*+', {}, (_Part.BETWEEN, 1)),
        (_Part.SINGLE_QUOTED, rb"[^']*+", {}, (_Part.BETWEEN, 1)),
        (_Part.UNQUOTED, rb"[^\t\n\f\r >]*+", {}, (_Part.BETWEEN, 0)),
    )
}


_QUOTES: Final = {_Part.DOUBLE_QUOTED: b'"', _Part.SINGLE_QUOTED: b"'"}


class _Script(enum.IntEnum):
    """How deep a script is in the old comment-in-a-script (13.2.5.15 to .31)."""

    PLAIN = enum.auto()
    ESCAPED = enum.auto()
    DOUBLE_ESCAPED = enum.auto()


_SCRIPT_MARKS: Final = {
    _Script.PLAIN: re.compile(rb"<(?:!--|/(?i:script)" + NAME_ENDS + rb")"),
    _Script.ESCAPED: re.compile(rb"-->|</?+(?i:script)" + NAME_ENDS),
    _Script.DOUBLE_ESCAPED: re.compile(rb"-->|</(?i:script)" + NAME_ENDS),
}
# A mark that is not here is the end tag.
_SCRIPT_TURNS: Final = {
    (_Script.PLAIN, b"<!--"): _Script.ESCAPED,
    (_Script.ESCAPED, b"-->"): _Script.PLAIN,
    (_Script.ESCAPED, b"<script"): _Script.DOUBLE_ESCAPED,
    (_Script.DOUBLE_ESCAPED, b"-->"): _Script.PLAIN,
    (_Script.DOUBLE_ESCAPED, b"</script"): _Script.ESCAPED,
}


def attribute_of(tag: bytes, name: bytes) -> bytes | None:
    """Return the value of the first attribute called `name` (lower-case) of a whole start tag."""
    for found in _attributes(tag):
        if found[1].lower() == name:
            return found[2] or found[3] or found[4] or b""
    return None


def _closes_itself(tag: bytes) -> bool:
    """Tell whether "/>" ends the tag; <svg a=b/> does not: the slash is the value's."""
    at = _end_of_name(tag)
    for found in _attributes(tag):
        at = found.end()
    return tag.endswith(b"/>", at)


def _attributes(tag: bytes) -> Iterator[re.Match[bytes]]:
    at = _end_of_name(tag)
    # Not `finditer`: it would begin anew at each byte of the space that no attribute follows.
    while found := _ONE_ATTRIBUTE.match(tag, at):
        yield found
        at = found.end()


def _end_of_name(tag: bytes) -> int:
    found = _TAG_NAME.match(tag)
    return found.end() if found else len(tag)


class Kind(enum.Enum):
    """What a token is."""

    TEXT = enum.auto()
    START_TAG = enum.auto()
    END_TAG = enum.auto()
    BLANK = enum.auto()  # NUL, or what may be a reference to white space: &#32;
    NOTHING = enum.auto()  # comments, doctypes, CDATA sections
    CRAMMED = enum.auto()  # the beginning of a tag with hundreds of attributes; the rest follows


class Lexer:
    """Cuts a page into tokens, stops at any byte, and goes on from there with the next chunk.

    `raw_text` are the elements whose content is no markup. White space before a token is skipped.
    """

    __slots__ = ("_how_often", "_names", "_part", "_script_state", "_step", "at", "data",
                 "foreign", "name", "raw_text", "start", "stop", "turns")  # fmt: skip

    def __init__(self, data: bytes | bytearray, at: int, raw_text: frozenset[bytes]) -> None:
        self.data = data
        self.at = at  # read up to here
        self.stop = len(data)  # do not read beyond
        self.raw_text = raw_text
        self.start = at  # of the latest token
        self.name = b""  # of the latest tag, lower-case
        self.turns = 0  # of the latest script, into or out of an old comment
        self.foreign: list[bytes] = []  # open svg and math elements, and integration points
        self._how_often: dict[bytes, int] = {}  # each stands in `foreign`, for a page nested deep
        self._part = _Part.END
        self._names = 0  # how many attributes the open tag has so far
        self._script_state = _Script.PLAIN
        self._step: Callable[[Lexer], Kind | None] = Lexer._between

    @property
    def is_between_tokens(self) -> bool:
        """True where no token is open."""
        return self._step is Lexer._between

    @property
    def is_at_end(self) -> bool:
        """True where nothing is open and nothing is unread."""
        return self.is_between_tokens and self.at == self.stop

    @property
    def is_in_foreign(self) -> bool:
        """True where names have SVG's or MathML's meaning, not HTML's."""
        return bool(self.foreign) and self.foreign[-1] in FOREIGN

    @property
    def settled(self) -> int:
        """Up to here no tag is open."""
        is_in_tag = self._step is Lexer._tag or self._step is Lexer._tag_after_content
        return self.start if is_in_tag else self.at

    @property
    def ending(self) -> tuple[int, bytes] | None:
        """Where markup can stand if the data end here, and what closes an open token before it.

        A tag cut short is dropped by a parser: markup can stand before it. None: what is open
        cannot be closed without a change to it; or a reference that may be white space is open.
        """
        if self._step is Lexer._between:
            return None if self._may_be_blank() else (self.at, b"")
        if self._step is Lexer._tag:
            return self.start, b""
        closing = self._closing()
        return (self.stop, closing) if closing else None

    def next(self) -> Kind | None:
        """Read one token: `data[start:at]`. None: it is not whole yet."""
        return self._step(self)

    def forget(self, count: int) -> None:
        """Go on as if the first `count` bytes had never been there."""
        self.start -= count
        self.at -= count

    def tag(self) -> bytes:
        """The bytes of the latest token."""
        return bytes(self.data[self.start : self.at])

    def _between(self) -> Kind | None:
        self.start = self.at = run_end(_BLANK, self.data, self.at, self.stop)
        if self.at == self.stop:
            return None
        first = self.data[self.at]
        if first == _LESS_THAN:
            return self._markup()
        if first == _NUL:
            self.at += 1
            return Kind.BLANK
        return self._reference() if first == _AMPERSAND else self._text()

    def _text(self) -> Kind:
        self.at = run_end(_TEXT, self.data, self.at + 1, self.stop)
        return Kind.TEXT

    def _reference(self) -> Kind | None:
        if _OPEN_REFERENCE.match(self.data, self.at, self.stop):
            return None
        if found := _BLANK_REFERENCE.match(self.data, self.at, self.stop):
            self.at = found.end()
            return Kind.BLANK
        return self._text()

    def _markup(self) -> Kind | None:
        opening = bytes(self.data[self.at : min(self.at + len(_CDATA), self.stop)])
        if opening in _CUT_SHORT:
            return None
        if _TAG_NAME.match(opening):
            return self._tag_from_start()
        if opening.startswith(b"<!--"):
            return self._comment_from_start(opening)
        if opening == _CDATA and self.is_in_foreign:
            return self._go(Lexer._cdata, self.at + len(opening))
        if opening[1] in b"!?/":
            return self._go(Lexer._bogus_comment, self.at + 2)
        return self._text()

    def _may_be_blank(self) -> bool:
        """Tell whether what is left is no text: <! and &#32 may be a comment and white space."""
        rest = bytes(self.data[self.at : self.stop])
        return rest.startswith(b"<!") or _BLANK_REFERENCE.match(rest) is not None

    def _closing(self) -> bytes:
        if self._step is Lexer._tag_after_content:
            return _QUOTES.get(self._part, b"") + b">"
        if self._step is Lexer._comment:
            content = bytes(self.data[max(self.start + 4, self.stop - 3) : self.stop])
            return next(closing for tail, closing in _COMMENT_CLOSINGS if content.endswith(tail))
        is_script = self._step is Lexer._script and self._script_state is not _Script.DOUBLE_ESCAPED
        return b"</%b>" % self.name if is_script or self._step is Lexer._raw_text else b""

    def _go(self, step: Callable[[Lexer], Kind | None], at: int) -> Kind | None:
        self.at = at
        self._step = step
        return step(self)

    def _until(self, mark: re.Pattern[bytes], overlap: int) -> bool:
        found = mark.search(self.data, self.at, self.stop)
        self.at = found.end() if found else max(self.at, self.stop - overlap)
        return found is not None

    def _comment_from_start(self, opening: bytes) -> Kind | None:
        if opening.startswith((b"<!-->", b"<!--->")):
            self.at += opening.index(b">") + 1
            return Kind.NOTHING
        return self._go(Lexer._comment, self.at + 4)

    def _comment(self) -> Kind | None:
        return self._done(Kind.NOTHING) if self._until(_COMMENT_END, 3) else None

    def _bogus_comment(self) -> Kind | None:
        return self._done(Kind.NOTHING) if self._until(_GREATER_THAN, 0) else None

    def _cdata(self) -> Kind | None:
        return self._done(Kind.NOTHING) if self._until(_CDATA_END, 2) else None

    def _done(self, kind: Kind) -> Kind:
        self._step = Lexer._between
        return kind

    def _tag_from_start(self) -> Kind | None:
        if found := _TAG.match(self.data, self.at, self.stop):
            self.at = found.end()
            return self._tag_done(found[1])
        self._part = _Part.TAG_NAME
        self._names = 0
        return self._go(Lexer._tag, self.at + 1 + (self.data[self.at + 1] == _SLASH))

    def _tag(self) -> Kind | None:
        while self._part is not _Part.END:
            run, turns, otherwise = _PARTS[self._part]
            self.at = run_end(run, self.data, self.at, self.stop)
            if self.at == self.stop:
                return None
            self._part, step = turns.get(self.data[self.at], otherwise)
            self.at += step
            if self._part is _Part.BETWEEN and self._names > _MOST_ATTRIBUTES:
                self.at = run_end(_SETTLED_ATTRIBUTES, self.data, self.at, self.stop)
            elif self._part is _Part.NAME:
                self._names += 1
                if self._names > _MOST_ATTRIBUTES:
                    return Kind.CRAMMED
        found = _TAG_NAME.match(self.data, self.start, self.at)
        return self._tag_done(found[1] if found else b"")

    def _tag_done(self, name: bytes) -> Kind:
        self.name = name.lower()
        self._step = Lexer._between
        if self.data[self.start + 1] == _SLASH:
            self._close()
            return Kind.END_TAG
        self._open()
        return Kind.START_TAG

    def _open(self) -> None:
        if self.is_in_foreign:
            self._open_in_foreign()
        elif self.name in FOREIGN and not _closes_itself(self.tag()):
            self._enter()
        elif self.name in self.raw_text:
            self._script_state = _Script.PLAIN
            self.turns = 0
            self._step = _CONTENT.get(self.name, Lexer._raw_text)

    def _open_in_foreign(self) -> None:
        if self.name in LEAVES_FOREIGN or self._is_html_font():
            self._leave_foreign()
        elif self._changes_namespace() and not _closes_itself(self.tag()):
            self._enter()

    def _enter(self) -> None:
        self.foreign.append(self.name)
        self._how_often[self.name] = self._how_often.get(self.name, 0) + 1

    def _leave(self) -> bytes:
        name = self.foreign.pop()
        self._how_often[name] -= 1
        return name

    def _is_html_font(self) -> bool:
        names = (b"color", b"face", b"size")
        return self.name == b"font" and any(
            found[1].lower() in names for found in _attributes(self.tag())
        )

    def _changes_namespace(self) -> bool:
        if self.name == b"annotation-xml":
            encoding = attribute_of(self.tag(), b"encoding") or b""
            return encoding.lower() in {b"text/html", b"application/xhtml+xml"}
        return self.name in FOREIGN or self.name in INTEGRATION[self.foreign[-1]]

    def _leave_foreign(self) -> None:
        while self.is_in_foreign:
            self._leave()

    def _close(self) -> None:
        if self.is_in_foreign and self.name in {b"p", b"br"}:
            self._leave_foreign()
        elif self._how_often.get(self.name):
            while self._leave() != self.name:
                pass

    def _raw_text(self) -> Kind | None:
        found = _RAW_TEXT_END[self.name].search(self.data, self.at, self.stop)
        if found is None:
            self.at = max(self.at, self.stop - len(self.name) - 2)
            return None
        return self._end_tag(found)

    def _script(self) -> Kind | None:
        while found := _SCRIPT_MARKS[self._script_state].search(self.data, self.at, self.stop):
            turn = _SCRIPT_TURNS.get((self._script_state, found[0].lower()))
            if turn is None:
                return self._end_tag(found)
            self._script_state = turn
            self.turns += 1
            # The dashes of "<!--" may be those of "-->": <!-->.
            self.at = found.end() - 2 * (found[0] == b"<!--")
        self.at = max(self.at, self.stop - len(b"</script"))
        return None

    def _plaintext(self) -> None:
        self.at = self.stop

    def _end_tag(self, found: re.Match[bytes]) -> Kind | None:
        self.start = found.start()
        self._part = _Part.BETWEEN
        self._names = 0
        return self._go(Lexer._tag_after_content, found.end())

    def _tag_after_content(self) -> Kind | None:
        return self._tag()


_CONTENT: Final[dict[bytes, Callable[[Lexer], Kind | None]]] = {
    b"script": Lexer._script,  # noqa: SLF001 - the class's own table
    b"plaintext": Lexer._plaintext,  # noqa: SLF001
}


def run_end(pattern: re.Pattern[bytes], data: bytes | bytearray, at: int, stop: int) -> int:
    """Return where a pattern that always matches ends."""
    found = pattern.match(data, at, stop)
    return found.end() if found else at
