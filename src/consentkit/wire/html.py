"""A stream of HTML: where <body> begins, and elements that wait for markup.

It has never heard of consent: bytes go in, positions and bytes come out.

Markup is put in as the first child of body, because only the head has to be read for that, and
because nothing the author left open can swallow it there. The reading follows the HTML standard:
the tokenizer (13.2.5), and of the tree construction (13.2.6) the insertion modes up to "after
head". All of it works on bytes: every byte with a meaning is ASCII, so that any encoding that
extends ASCII is read alike.

A page is read once. What is matched as a whole is matched from a known position with possessive
repeats; what is cut short by the end of a chunk is taken up again where the reading stopped, never
from its beginning.
"""

from __future__ import annotations

import enum
import functools
import re
from html import unescape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOWHERE: Final = -1
"""The page has no place where markup could go in without a change to the author's tree."""

_TAG_CAP: Final = 65536
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_LESS_THAN, _AMPERSAND, _SLASH, _NUL = b"<&/\0"


def _names(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


# --- What the standard says of each element -------------------------------------------------------

_VOID: Final = _names(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source "
    "track wbr"
)
_RAW_TEXT: Final = _names("title textarea style xmp iframe noembed noframes script plaintext")
_RAW_WITH_SCRIPTING: Final = _RAW_TEXT | {b"noscript"}
_HOLDS_NO_MARKUP: Final = _VOID | _RAW_TEXT
# "in head" and "after head": these leave the parser in the head, or ignore the tag.
_STAYS_IN_HEAD: Final = _names(
    "base basefont bgsound link meta title noframes style script html head"
)
# "Act as described in the 'anything else' entry": these end tags begin a body.
_END_TAG_BEGINS_BODY: Final = _names("body html br")
# These start tags set the frameset-ok flag to "not ok" ("in body"); after <plaintext> there are no
# tags. <input> is left out because a hidden one does not.
_RULES_OUT_FRAMESET: Final = _names(
    "applet area body br button dd dt embed hr iframe image img keygen li listing marquee object "
    "plaintext pre select table template textarea wbr xmp"
)
# Inside a template in the head these change what a later tag means, or whether it is one.
_UNSAFE_IN_TEMPLATE: Final = _names("col colgroup frameset math noscript plaintext select svg")
# Inside <noscript>, these do more than stand between their own two tags.
_UNSAFE_IN_NOSCRIPT: Final = _UNSAFE_IN_TEMPLATE | _names("body head html template")

# "Any other start tag" in foreign content (13.2.6.5): these leave it.
_LEAVES_FOREIGN: Final = _names(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li "
    "listing menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
_FOREIGN: Final = _names("svg math")
# HTML integration points and MathML text integration points: inside, tags are HTML again.
_INTEGRATION: Final = {
    b"svg": _names("foreignobject desc title"),
    b"math": _names("mi mo mn ms mtext"),
}

# --- Patterns -------------------------------------------------------------------------------------

_S = rb"[\t\n\f\r ]"
_NAME_ENDS = rb"(?=[\t\n\f\r />])"
_ATTRIBUTE_NAME = rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
# First the way attributes are mostly written, then every other. Without the look-ahead at the end
# an unclosed quote would be read as a name: a="b
_ATTRIBUTE = (
    rb' %(skip)b[a-z:-]++="[^"]*+"|[\t\n\f\r /]*+%(skip)b' + _ATTRIBUTE_NAME
    + rb"(?:" + _S + rb"*+=" + _S + rb"*+"
    + rb"""(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r >"'][^\t\n\f\r >]*+|(?=>))|(?!""" + _S + rb"*+=))"
)  # fmt: skip
_REST_OF_TAG = rb"(?:" + _ATTRIBUTE + rb")*+[\t\n\f\r /]*+>"
_REST_OF_ANY_TAG = _REST_OF_TAG % {b"skip": b""}
# These stand after "<".
_COMMENT = rb"!--(?:-?>|[^-]*+(?:-(?!-!?>)[^-]*+)*+--!?>)"
_BOGUS_COMMENT = rb"(?:!(?!--)|\?)[^>]*+>"


def _element(name: bytes, not_in_content: bytes = b"") -> bytes:
    """Return the pattern of a whole raw text element without `not_in_content` in its content."""
    stop = rb"/(?i:%b)[\t\n\f\r />]%b" % (name, not_in_content)
    return rb"(?i:%b)%b[^<]*+(?:<(?!%b)[^<]*+)*+</(?i:%b)%b%b" % (
        name, _NAME_ENDS + _REST_OF_ANY_TAG, stop, name, _NAME_ENDS, _REST_OF_ANY_TAG
    )  # fmt: skip


_HEAD = (
    _S + rb"*+(?:<(?:(?i:meta|link|html|head|base)" + _NAME_ENDS + _REST_OF_ANY_TAG
    + rb"|" + _element(b"script", b"|!--")
    + rb"|" + _element(b"style")
    + rb"|" + _element(b"title")
    + rb"|" + _COMMENT + rb"|" + _BOGUS_COMMENT + rb")" + _S + rb"*+)*+"
)  # fmt: skip

_DULL_HEAD: Final = re.compile(_HEAD)
# One match for the ordinary page, and where it is not quite ordinary, for the part that is.
_ORDINARY: Final = re.compile(
    rb"(?:" + _BYTE_ORDER_MARK + rb")?+" + _HEAD
    + rb"(?:(?P<head></(?i:head)" + _S + rb"*+>)" + _HEAD + rb")?+"
    + rb"(?P<body><(?i:body)" + _NAME_ENDS + _REST_OF_ANY_TAG + rb")?+"
)  # fmt: skip
_HTML_TAG: Final = re.compile(
    rb"(?:" + _BYTE_ORDER_MARK + rb")?+" + _S + rb"*+(?:<(?:" + _COMMENT + rb"|" + _BOGUS_COMMENT
    + rb")" + _S + rb"*+)*+(<(?i:html)" + _NAME_ENDS + _REST_OF_ANY_TAG + rb")"
)  # fmt: skip

_BLANK: Final = re.compile(_S + rb"*+")
_TEXT: Final = re.compile(rb"[^<&\0]*+")
# A number with leading zeros is not read on to see which: the rest may come in a later chunk.
_BLANK_REFERENCE: Final = re.compile(
    rb"&(?:#(?:0|(?:9|1[023]|32)(?![0-9])|[xX](?:0|(?:9|[aAcCdD]|20)(?![0-9a-fA-F])))"
    rb"|Tab;|NewLine;)"
)
_OPEN_REFERENCE: Final = re.compile(
    rb"&(?:#(?:[0-9]{0,2}+|[xX][0-9a-fA-F]{0,2}+)|[a-zA-Z]{0,7}+)\Z"
)
_TAG: Final = re.compile(rb"</?+([a-zA-Z][^\t\n\f\r />]*+)" + _REST_OF_ANY_TAG)
_TAG_NAME: Final = re.compile(rb"</?+([a-zA-Z][^\t\n\f\r />]*+)")
_ONE_ATTRIBUTE: Final = re.compile(
    rb"[\t\n\f\r /]*+(" + _ATTRIBUTE_NAME + rb")(?:" + _S + rb"*+=" + _S + rb"*+"
    rb"""(?:"([^"]*+)"|'([^']*+)'|([^\t\n\f\r >"'][^\t\n\f\r >]*+)|))?+"""
)
_COMMENT_END: Final = re.compile(rb"--!?+>")
_GREATER_THAN: Final = re.compile(rb">")
_CDATA: Final = b"<![CDATA["
# Of what begins like this, the next chunk says what it is.
_CUT_SHORT: Final = {b"</", b"<!-", b"<!--", b"<!---"} | {_CDATA[:n] for n in range(1, len(_CDATA))}
_CDATA_END: Final = re.compile(rb"]]>")
_RAW_TEXT_END: Final = {
    name: re.compile(rb"</(?i:" + name + rb")" + _NAME_ENDS) for name in _RAW_WITH_SCRIPTING
}


class _Part(enum.Enum):
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
        (_Part.AFTER_NAME, _S + rb"*+", {"=": (_Part.VALUE, 1)}, (_Part.BETWEEN, 0)),
        (
            _Part.VALUE,
            _S + rb"*+",
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


class _Script(enum.Enum):
    """How deep a script is in the old comment-in-a-script (13.2.5.15 to .31)."""

    PLAIN = rb"<!--|</script" + _NAME_ENDS
    ESCAPED = rb"-->|</?+script" + _NAME_ENDS
    DOUBLE_ESCAPED = rb"-->|</script" + _NAME_ENDS


_SCRIPT_MARKS: Final = {state: re.compile(state.value, re.IGNORECASE) for state in _Script}
# A mark that is not here is the end tag.
_SCRIPT_TURNS: Final = {
    (_Script.PLAIN, b"<!--"): _Script.ESCAPED,
    (_Script.ESCAPED, b"-->"): _Script.PLAIN,
    (_Script.ESCAPED, b"<script"): _Script.DOUBLE_ESCAPED,
    (_Script.DOUBLE_ESCAPED, b"-->"): _Script.PLAIN,
    (_Script.DOUBLE_ESCAPED, b"</script"): _Script.ESCAPED,
}


def _attribute(tag: bytes, name: bytes) -> bytes | None:
    """Return the value of the first attribute called `name` (lower-case) of a whole start tag."""
    for found in _ONE_ATTRIBUTE.finditer(tag, _end_of_name(tag)):
        if found[1].lower() == name:
            return found[2] or found[3] or found[4] or b""
    return None


def _closes_itself(tag: bytes) -> bool:
    """Tell whether "/>" ends the tag; <svg a=b/> does not: the slash is the value's."""
    at = _end_of_name(tag)
    for found in _ONE_ATTRIBUTE.finditer(tag, at):
        at = found.end()
    return tag.endswith(b"/>", at)


def _end_of_name(tag: bytes) -> int:
    found = _TAG_NAME.match(tag)
    return found.end() if found else len(tag)


class _Kind(enum.Enum):
    TEXT = enum.auto()
    START_TAG = enum.auto()
    END_TAG = enum.auto()
    BLANK = enum.auto()  # NUL, or what may be a reference to white space: &#32;
    NOTHING = enum.auto()  # comments, doctypes, CDATA sections


class _Lexer:
    """Cuts a page into tokens, stops at any byte, and goes on from there with the next chunk.

    `raw_text` are the elements whose content is no markup. White space before a token is skipped.
    """

    __slots__ = ("_part", "_script_state", "_step", "at", "data", "foreign", "name", "raw_text",
                 "start", "stop")  # fmt: skip

    def __init__(self, data: bytes | bytearray, at: int, raw_text: frozenset[bytes]) -> None:
        self.data = data
        self.at = at  # read up to here
        self.stop = len(data)  # do not read beyond
        self.raw_text = raw_text
        self.start = at  # of the latest token
        self.name = b""  # of the latest tag, lower-case
        self.foreign: list[bytes] = []  # open svg and math elements, and integration points
        self._part = _Part.END
        self._script_state = _Script.PLAIN
        self._step: Callable[[_Lexer], _Kind | None] = _Lexer._between

    @property
    def is_between_tokens(self) -> bool:
        return self._step is _Lexer._between

    @property
    def is_at_end(self) -> bool:
        """True where nothing is open and nothing is unread."""
        return self.is_between_tokens and self.at == self.stop

    @property
    def is_in_foreign(self) -> bool:
        """True where names have SVG's or MathML's meaning, not HTML's."""
        return bool(self.foreign) and self.foreign[-1] in _FOREIGN

    @property
    def settled(self) -> int:
        """Up to here no tag is open."""
        return self.start if self._step is _Lexer._tag else self.at

    def next(self) -> _Kind | None:
        """Read one token: `data[start:at]`. None: it is not whole yet."""
        return self._step(self)

    def forget(self, count: int) -> None:
        """Go on as if the first `count` bytes had never been there."""
        self.start -= count
        self.at -= count

    def tag(self) -> bytes:
        return bytes(self.data[self.start : self.at])

    def _between(self) -> _Kind | None:
        self.start = self.at = _end(_BLANK, self.data, self.at, self.stop)
        if self.at == self.stop:
            return None
        first = self.data[self.at]
        if first == _LESS_THAN:
            return self._markup()
        if first == _NUL:
            self.at += 1
            return _Kind.BLANK
        return self._reference() if first == _AMPERSAND else self._text()

    def _text(self) -> _Kind:
        self.at = _end(_TEXT, self.data, self.at + 1, self.stop)
        return _Kind.TEXT

    def _reference(self) -> _Kind | None:
        if _OPEN_REFERENCE.match(self.data, self.at, self.stop):
            return None
        if found := _BLANK_REFERENCE.match(self.data, self.at, self.stop):
            self.at = found.end()
            return _Kind.BLANK
        return self._text()

    def _markup(self) -> _Kind | None:
        opening = bytes(self.data[self.at : min(self.at + len(_CDATA), self.stop)])
        if opening in _CUT_SHORT:
            return None
        if _TAG_NAME.match(opening):
            return self._tag_from_start()
        if opening.startswith(b"<!--"):
            return self._comment_from_start(opening)
        if opening == _CDATA and self.is_in_foreign:
            return self._go(_Lexer._cdata, self.at + len(opening))
        if opening[1] in b"!?/":
            return self._go(_Lexer._bogus_comment, self.at + 2)
        return self._text()

    def _go(self, step: Callable[[_Lexer], _Kind | None], at: int) -> _Kind | None:
        self.at = at
        self._step = step
        return step(self)

    def _until(self, mark: re.Pattern[bytes], overlap: int) -> bool:
        found = mark.search(self.data, self.at, self.stop)
        self.at = found.end() if found else max(self.at, self.stop - overlap)
        return found is not None

    def _comment_from_start(self, opening: bytes) -> _Kind | None:
        if opening.startswith((b"<!-->", b"<!--->")):
            self.at += opening.index(b">") + 1
            return _Kind.NOTHING
        return self._go(_Lexer._comment, self.at + 4)

    def _comment(self) -> _Kind | None:
        return self._done(_Kind.NOTHING) if self._until(_COMMENT_END, 3) else None

    def _bogus_comment(self) -> _Kind | None:
        return self._done(_Kind.NOTHING) if self._until(_GREATER_THAN, 0) else None

    def _cdata(self) -> _Kind | None:
        return self._done(_Kind.NOTHING) if self._until(_CDATA_END, 2) else None

    def _done(self, kind: _Kind) -> _Kind:
        self._step = _Lexer._between
        return kind

    def _tag_from_start(self) -> _Kind | None:
        if found := _TAG.match(self.data, self.at, self.stop):
            self.at = found.end()
            return self._tag_done(found[1])
        self._part = _Part.TAG_NAME
        return self._go(_Lexer._tag, self.at + 1 + (self.data[self.at + 1] == _SLASH))

    def _tag(self) -> _Kind | None:
        while self._part is not _Part.END:
            run, turns, otherwise = _PARTS[self._part]
            self.at = _end(run, self.data, self.at, self.stop)
            if self.at == self.stop:
                return None
            self._part, step = turns.get(self.data[self.at], otherwise)
            self.at += step
        found = _TAG_NAME.match(self.data, self.start, self.at)
        return self._tag_done(found[1] if found else b"")

    def _tag_done(self, name: bytes) -> _Kind:
        self.name = name.lower()
        self._step = _Lexer._between
        if self.data[self.start + 1] == _SLASH:
            self._close()
            return _Kind.END_TAG
        self._open()
        return _Kind.START_TAG

    def _open(self) -> None:
        if self.is_in_foreign:
            self._open_in_foreign()
        elif self.name in _FOREIGN and not _closes_itself(self.tag()):
            self.foreign.append(self.name)
        elif self.name in self.raw_text:
            self._script_state = _Script.PLAIN
            self._step = _CONTENT.get(self.name, _Lexer._raw_text)

    def _open_in_foreign(self) -> None:
        if self.name in _LEAVES_FOREIGN or self._is_html_font():
            self._leave_foreign()
        elif self._changes_namespace() and not _closes_itself(self.tag()):
            self.foreign.append(self.name)

    def _is_html_font(self) -> bool:
        tag = self.tag()
        return self.name == b"font" and any(
            _attribute(tag, name) is not None for name in (b"color", b"face", b"size")
        )

    def _changes_namespace(self) -> bool:
        if self.name == b"annotation-xml":
            encoding = _attribute(self.tag(), b"encoding") or b""
            return encoding.lower() in {b"text/html", b"application/xhtml+xml"}
        return self.name in _FOREIGN or self.name in _INTEGRATION[self.foreign[-1]]

    def _leave_foreign(self) -> None:
        while self.is_in_foreign:
            self.foreign.pop()

    def _close(self) -> None:
        if self.is_in_foreign and self.name in {b"p", b"br"}:
            self._leave_foreign()
        elif self.name in self.foreign:
            while self.foreign.pop() != self.name:
                pass

    def _raw_text(self) -> _Kind | None:
        found = _RAW_TEXT_END[self.name].search(self.data, self.at, self.stop)
        if found is None:
            self.at = max(self.at, self.stop - len(self.name) - 2)
            return None
        return self._end_tag(found)

    def _script(self) -> _Kind | None:
        while found := _SCRIPT_MARKS[self._script_state].search(self.data, self.at, self.stop):
            turn = _SCRIPT_TURNS.get((self._script_state, found[0].lower()))
            if turn is None:
                return self._end_tag(found)
            self._script_state = turn
            # The dashes of "<!--" may be those of "-->": <!-->.
            self.at = found.end() - 2 * (found[0] == b"<!--")
        self.at = max(self.at, self.stop - len(b"</script"))
        return None

    def _plaintext(self) -> None:
        self.at = self.stop

    def _end_tag(self, found: re.Match[bytes]) -> _Kind | None:
        self.start = found.start()
        self._part = _Part.BETWEEN
        return self._go(_Lexer._tag, found.end())


_CONTENT: Final[dict[bytes, Callable[[_Lexer], _Kind | None]]] = {
    b"script": _Lexer._script,  # noqa: SLF001 - the class's own table
    b"plaintext": _Lexer._plaintext,  # noqa: SLF001
}


def _end(pattern: re.Pattern[bytes], data: bytes | bytearray, at: int, stop: int) -> int:
    """Return where a pattern that always matches ends."""
    found = pattern.match(data, at, stop)
    return found.end() if found else at


class BodyStart:
    """Finds where a page's body begins, chunk by chunk, and holds back what came so far.

    Markup put in at the place found is a child of body and comes before all the author's content;
    the rest of the tree stays what it was, with scripting and without. A `<body>` tag's place is
    right after it. Where body is implied, the place is before the first token that makes a parser
    leave the head, or at the end of a page that has nothing but a head; it is reported once no
    `<frameset>` can replace the body any more.

    `limit` is in bytes: a page whose place is not sure by then is left alone.

        >>> start = BodyStart()
        >>> start.feed(b"<title>Home</title><bo", last=False)
        >>> start.feed(b"dy><p>Hello", last=True)
        25
        >>> start.held
        b'<title>Home</title><body><p>Hello'
    """

    __slots__ = ("_after_head", "_held", "_lexer", "_limit", "_noscript", "_place", "_templates")

    def __init__(self, limit: int = 65536) -> None:
        self._limit = limit
        self._held: bytes | bytearray = b""
        self._lexer: _Lexer | None = None
        self._after_head = False
        self._templates = 0  # how many are open
        self._noscript: int | None = None  # where the content of an open one begins
        self._place: int | None = None  # where body begins, if no frameset comes

    @property
    def held(self) -> bytes:
        """Everything fed so far: at most `limit` bytes and the latest chunk."""
        return self._held if isinstance(self._held, bytes) else bytes(self._held)

    def feed(self, chunk: bytes, *, last: bool) -> int | None:
        """Return the offset in `held` where markup becomes body's first child.

        None: not known yet, feed more. NOWHERE: send `held` untouched. Either number is final;
        do not feed on after it. `last` says that no chunk follows.
        """
        self._hold(chunk)
        if self._lexer is None:
            return self._first_look(last=last)
        self._lexer.data = self._held
        return self._read(self._lexer, last=last)

    def _first_look(self, *, last: bool) -> int | None:
        if len(self._held) < len(_BYTE_ORDER_MARK) and not last:
            return None
        if self._held.startswith(_UTF_16):
            return NOWHERE
        found = _ORDINARY.match(self._held, 0, self._limit)
        if found and found["body"]:
            return found.end()
        self._after_head = bool(found and found["head"])
        begin = found.end() if found else 0
        self._lexer = _Lexer(self._held, begin, _RAW_WITH_SCRIPTING)
        return self._read(self._lexer, last=last)

    def _hold(self, chunk: bytes) -> None:
        if not self._held:
            self._held = chunk
            return
        if isinstance(self._held, bytes):
            self._held = bytearray(self._held)
        self._held += chunk

    def _read(self, lexer: _Lexer, *, last: bool) -> int | None:
        lexer.stop = min(len(self._held), self._limit)
        while (kind := self._next(lexer)) is not None:
            place = self._judge(kind, lexer)
            if place is not None:
                return place
        if len(self._held) > self._limit:
            return NOWHERE
        return self._at_end(lexer) if last else None

    def _at_end(self, lexer: _Lexer) -> int:
        """Settle it: the end of a page begins its body if nothing else did, unless all is blank."""
        if self._noscript is not None or self._templates:
            return NOWHERE
        if self._place is not None:
            return self._place
        if not lexer.is_at_end or not self._held.strip():
            return NOWHERE
        return len(self._held)

    def _next(self, lexer: _Lexer) -> _Kind | None:
        if self._place is None and not self._templates and lexer.is_between_tokens:
            lexer.at = _end(_DULL_HEAD, lexer.data, lexer.at, lexer.stop)
        return lexer.next()

    def _judge(self, kind: _Kind, lexer: _Lexer) -> int | None:
        if self._noscript is not None:
            return self._leave_noscript(lexer)
        if self._templates:
            return self._in_template(kind, lexer)
        if kind is _Kind.BLANK:  # does it begin the body? Browsers and the standard do not agree
            return NOWHERE
        if self._place is None:
            return self._in_head(kind, lexer)
        return self._in_body(kind, lexer)

    def _in_head(self, kind: _Kind, lexer: _Lexer) -> int | None:
        """Follow "in head", "after head" and the modes before them (13.2.6.4.1 to .6)."""
        if kind is _Kind.START_TAG:
            return self._start_tag_in_head(lexer)
        if kind is _Kind.END_TAG:
            return self._end_tag_in_head(lexer)
        return self._begin_body(kind, lexer) if kind is _Kind.TEXT else None

    def _start_tag_in_head(self, lexer: _Lexer) -> int | None:
        if lexer.name == b"body":
            return lexer.at
        if lexer.name == b"template":
            self._templates = 1
        elif lexer.name == b"noscript" and not self._after_head:
            self._noscript = lexer.at
        elif lexer.name not in _STAYS_IN_HEAD:
            return self._begin_body(_Kind.START_TAG, lexer)
        return None

    def _end_tag_in_head(self, lexer: _Lexer) -> int | None:
        if lexer.name in _END_TAG_BEGINS_BODY:
            return self._begin_body(_Kind.END_TAG, lexer)
        self._after_head |= lexer.name == b"head"
        return None

    def _begin_body(self, kind: _Kind, lexer: _Lexer) -> int | None:
        self._place = lexer.start
        return self._in_body(kind, lexer)

    def _in_template(self, kind: _Kind, lexer: _Lexer) -> int | None:
        if lexer.name == b"template":
            self._templates += {_Kind.START_TAG: 1, _Kind.END_TAG: -1}.get(kind, 0)
        elif kind is _Kind.START_TAG and lexer.name in _UNSAFE_IN_TEMPLATE:
            return NOWHERE
        return None

    def _leave_noscript(self, lexer: _Lexer) -> int | None:
        """Without scripting its content is markup, which in the head may even begin the body."""
        content = bytes(self._held[self._noscript : lexer.start])
        self._noscript = None
        return None if _leaves_nothing_open(content) else NOWHERE

    def _in_body(self, kind: _Kind, lexer: _Lexer) -> int | None:
        """Wait until the frameset-ok flag is "not ok": up to then a <frameset> replaces body."""
        if kind is _Kind.START_TAG:
            return self._start_tag_in_body(lexer)
        return self._place if kind is _Kind.TEXT else None

    def _start_tag_in_body(self, lexer: _Lexer) -> int | None:
        if lexer.name == b"frameset":
            return NOWHERE
        if lexer.is_in_foreign:
            return None
        if lexer.name == b"noscript":
            self._noscript = lexer.at
        return self._place if lexer.name in _RULES_OUT_FRAMESET else None


def _leaves_nothing_open(markup: bytes) -> bool:
    """Tell whether `markup` closes whatever it opens, so that what follows is not inside it."""
    lexer = _Lexer(markup, 0, _RAW_TEXT)
    still_open: list[bytes] = []
    while (kind := lexer.next()) is not None:
        if kind is _Kind.START_TAG:
            if lexer.name in _UNSAFE_IN_NOSCRIPT:
                return False
            still_open += [lexer.name][lexer.name in _VOID :]
        elif kind is _Kind.END_TAG and (not still_open or still_open.pop() != lexer.name):
            return False
    return lexer.is_at_end and not still_open


def page_language(head: bytes) -> str | None:
    """Return the `lang` of a page's <html> tag, lower-cased: "de-at". None: it names none.

    `head` are the page's first bytes; a tag that they cut short does not count.

        >>> page_language(b'<!doctype html><html lang="pt-BR">')
        'pt-br'
    """
    found = _HTML_TAG.match(head)
    language = _attribute(found[1], b"lang") if found else None
    if not language or not language.isascii():
        return None
    return language.decode("ascii").strip().lower() or None


class Filling:
    """Streams a page, and puts markup inside the elements that carry an attribute.

    `attribute` is its lower-case name. `fill` gets the attribute's value and returns ASCII markup,
    or b"" for a value it does not know. The markup stands right after the start tag; what the
    author wrote between the tags stays, after it. Elements that can have no markup inside are left
    alone (void ones, <script>, <textarea> …), and so is all that only looks like a tag: in
    comments, scripts, CDATA sections, attribute values.

        >>> filling = Filling(b"data-slot", lambda value: b"<nav></nav>")
        >>> filling.feed(b'<div data-slot=menu></div>', last=True)
        b'<div data-slot=menu><nav></nav></div>'
    """

    __slots__ = ("_attribute", "_data", "_dull", "_fill", "_lexer")

    def __init__(self, attribute: bytes, fill: Callable[[str], bytes]) -> None:
        self._attribute = attribute
        self._fill = fill
        self._dull = _dull_without(attribute)
        self._data = bytearray()
        self._lexer: _Lexer | None = _Lexer(self._data, 0, _RAW_TEXT)

    def feed(self, chunk: bytes, *, last: bool) -> bytes:
        """Return what may go out now: all but a tag that is not whole yet.

        A tag of more than 64 KB ends it: from there on the page passes untouched.
        """
        if self._lexer is None or self._can_skip(chunk, last=last):
            return chunk
        self._data += chunk
        self._lexer.stop = len(self._data)
        return b"".join(self._read(self._lexer, last=last))

    def _can_skip(self, chunk: bytes, *, last: bool) -> bool:
        """Tell whether the rest of the page came whole and has no such attribute anywhere."""
        return last and not self._data and self._attribute not in chunk.lower()

    def _read(self, lexer: _Lexer, *, last: bool) -> Iterator[bytes]:
        sent = 0
        while (kind := self._next(lexer)) is not None:
            if markup := self._markup(kind, lexer):
                yield bytes(self._data[sent : lexer.at])
                yield markup
                sent = lexer.at
        if lexer.stop - lexer.settled > _TAG_CAP:
            self._lexer = None
        upto = lexer.stop if last or self._lexer is None else lexer.settled
        yield bytes(self._data[sent:upto])
        del self._data[:upto]
        lexer.forget(upto)

    def _next(self, lexer: _Lexer) -> _Kind | None:
        if lexer.is_between_tokens and not lexer.foreign:
            lexer.at = _end(self._dull, self._data, lexer.at, lexer.stop)
        return lexer.next()

    def _markup(self, kind: _Kind, lexer: _Lexer) -> bytes:
        if kind is not _Kind.START_TAG or lexer.is_in_foreign or lexer.name in _HOLDS_NO_MARKUP:
            return b""
        value = _attribute(lexer.tag(), self._attribute)
        return b"" if value is None else self._fill(unescape(value.decode("utf-8", "replace")))


@functools.cache
def _dull_without(attribute: bytes) -> re.Pattern[bytes]:
    """Return the pattern of what stands between two tags that may carry `attribute`."""
    skip = rb"(?!(?i:" + re.escape(attribute) + rb")[\t\n\f\r />=])"
    read_apart = b"|".join(sorted(_RAW_TEXT | _FOREIGN))
    initials = bytes(sorted({name[0] for name in _RAW_TEXT | _FOREIGN}))
    # Most names are told apart by their first letter.
    name = rb"(?:/|(?![%b])|(?!(?i:%b)%b))[a-zA-Z][^\t\n\f\r />]*+" % (
        initials + initials.upper(), read_apart, _NAME_ENDS
    )  # fmt: skip
    tag = name + _REST_OF_TAG % {b"skip": skip}
    return re.compile(
        rb"[^<]*+(?:<(?:" + tag + rb"|" + _COMMENT + rb"|" + _BOGUS_COMMENT + rb")[^<]*+)*+"
    )
