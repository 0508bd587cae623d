"""Where a page's body begins: the one place where markup can go in and change nothing else.

It has never heard of what is put in.

Markup is put in as the first child of body, because only the head has to be read for that, and
because nothing the author left open can swallow it there. The reading follows the tree construction
of the HTML standard (13.2.6): the insertion modes up to "after head".

What says nothing new is passed over in one match, and what has to be looked at one by one is
counted, so that no page takes long.
"""

from __future__ import annotations

import functools
import re
from typing import Final, NamedTuple

from consentkit.wire.html import (
    BOGUS_COMMENT,
    BYTE_ORDER_MARK,
    CDATA,
    COMMENT,
    FOREIGN,
    INTEGRATION,
    LEAVES_FOREIGN,
    NAME_ENDS,
    RAW_TEXT,
    RAW_WITH_SCRIPTING,
    REST_OF_ANY_TAG,
    SPACE,
    VOID,
    Kind,
    Lexer,
    any_of,
    attribute_of,
    names_of,
    raw_text_element,
    run_end,
)

__all__ = ["NOWHERE", "BodyStart", "head_start", "page_language"]

NOWHERE: Final = -1
"""The page has no place where markup could go in without a change to the author's tree."""

_LIMIT: Final = 1 << 20
# No page takes longer than about 20 ns a byte: a head is left alone where the tags stand closer
# than this, or where too much of it has to be looked at.
_WINDOW: Final = 1 << 14
_MOST_IN_A_WINDOW: Final = 1 << 11
_MOST_AT_ONCE: Final = 4 * _WINDOW
_MOST_EFFORT: Final = 300

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")

# "in head" and "after head": these leave the parser in the head, or ignore the tag.
_STAYS_IN_HEAD: Final = names_of(
    "base basefont bgsound link meta title noframes style script html head"
)
# "Act as described in the 'anything else' entry": these end tags begin a body.
_END_TAG_BEGINS_BODY: Final = names_of("body html br")
_AMPERSAND: Final = ord("&")
# References to nobody knows yet what: &#032;
_BEGINS_WITH_ZERO: Final = frozenset({b"&#0", b"&#x0", b"&#X0"})
# These start tags set the frameset-ok flag to "not ok" ("in body"); after <plaintext> there are no
# tags. So does <input>, if it is not hidden.
_RULES_OUT_FRAMESET: Final = names_of(
    "applet area body br button dd dt embed hr iframe image img keygen li listing marquee object "
    "plaintext pre select table template textarea wbr xmp"
)
# Inside a template in the head these change what a later tag means, or whether it is one.
_UNSAFE_IN_TEMPLATE: Final = names_of("col colgroup math noscript plaintext select svg")
# Inside <noscript>, these do more than stand between their own two tags.
_UNSAFE_IN_NOSCRIPT: Final = _UNSAFE_IN_TEMPLATE | names_of("body frameset head html template")

# A script that does nothing, where the page ends in it: to end it does not make anything run.
_IDLE_SCRIPT: Final = re.compile(
    rb"<(?i:script)" + SPACE + rb"*+>" + SPACE + rb"*+(?:<!--[\t\f -~]*+)?+"
    + rb"(?:</(?i:script)[\t\n\f\r /][^>]*+)?+\Z"
)  # fmt: skip

# --- What is passed over in one match -------------------------------------------------------------

_HEAD = (
    SPACE + rb"*+(?:<(?:(?i:meta|link|html|head|base)" + NAME_ENDS + REST_OF_ANY_TAG
    + rb"|" + raw_text_element(b"script", b"|!--")
    + rb"|" + raw_text_element(b"style")
    + rb"|" + raw_text_element(b"title")
    + rb"|" + COMMENT + rb"|" + BOGUS_COMMENT + rb")" + SPACE + rb"*+)*+"
)  # fmt: skip

# One match for the ordinary page, and where it is not quite ordinary, for the part that is.
_ORDINARY: Final = re.compile(
    rb"(?:" + BYTE_ORDER_MARK + rb")?+" + _HEAD
    + rb"(?:(?P<head></(?i:head)" + SPACE + rb"*+>)" + _HEAD + rb")?+"
    + rb"(?P<body><(?i:body)" + NAME_ENDS + REST_OF_ANY_TAG + rb")?+"
)  # fmt: skip
_HTML_TAG: Final = re.compile(
    rb"(?:" + BYTE_ORDER_MARK + rb")?+" + SPACE + rb"*+(?:<(?:" + COMMENT + rb"|" + BOGUS_COMMENT
    + rb")" + SPACE + rb"*+)*+(<(?i:html)" + NAME_ENDS + REST_OF_ANY_TAG + rb")"
)  # fmt: skip
_BLANK_OR_NUL: Final = rb"[\t\n\f\r \0]"
_SCRIPT: Final = raw_text_element(b"script", b"|!--")
_BOGUS_END_TAG: Final = rb"/(?![a-zA-Z])[^>]*+>"


def _tag_except(names: frozenset[bytes], slash: bytes = b"/?+") -> bytes:
    """Return the pattern, after "<", of a tag that has none of `names`."""
    name = rb"(?!(?:%b)%b)[a-zA-Z][^\t\n\f\r />]*+" % (any_of(names), NAME_ENDS)
    return slash + name + REST_OF_ANY_TAG


def _run_of(between: bytes, *tokens: bytes) -> re.Pattern[bytes]:
    either = b"|".join([*tokens, COMMENT, _BOGUS_END_TAG])
    return re.compile(rb"%b*+(?:<(?:%b)%b*+)*+" % (between, either, between))


class _Ground(NamedTuple):
    """What is passed over in one match, and the names of the tags that are looked at."""

    dull: re.Pattern[bytes]
    looked_at: frozenset[bytes]


@functools.cache
def _head() -> _Ground:
    looked_at = names_of("noscript template")
    stays = rb"(?i:meta|link|html|head|base|basefont|bgsound)" + NAME_ENDS + REST_OF_ANY_TAG
    raw = map(raw_text_element, (b"noframes", b"style", b"title"))
    ignored = _tag_except(looked_at | _END_TAG_BEGINS_BODY | {b"head"}, b"/")
    return _Ground(_run_of(SPACE, stays, *raw, _SCRIPT, ignored, BOGUS_COMMENT), looked_at)


def _html(between: bytes, looked_at: frozenset[bytes]) -> _Ground:
    names = RAW_TEXT - looked_at - {b"script"}
    raw = map(raw_text_element, sorted(names))
    start = _tag_except(looked_at | RAW_TEXT, b"")
    end = _tag_except(looked_at, b"/")
    return _Ground(_run_of(between, start, end, *raw, _SCRIPT, BOGUS_COMMENT), looked_at)


@functools.cache
def _template() -> _Ground:
    no_tag = rb"(?:[^<]++|<(?=[^a-zA-Z/!?]))"
    return _html(no_tag, _UNSAFE_IN_TEMPLATE | {b"template"})


@functools.cache
def _body() -> _Ground:
    looked_at = _RULES_OUT_FRAMESET | FOREIGN | names_of("frameset input noscript")
    return _html(_BLANK_OR_NUL, looked_at)


@functools.cache
def _foreign() -> _Ground:
    integration = frozenset[bytes]().union(*INTEGRATION.values())
    looked_at = LEAVES_FOREIGN | FOREIGN | integration | names_of("annotation-xml font frameset")
    bogus_comment = rb"(?:!(?!--|\[CDATA\[)|\?)[^>]*+>"
    return _Ground(_run_of(_BLANK_OR_NUL, _tag_except(looked_at), CDATA, bogus_comment), looked_at)


# "initial", "before html", "before head" (13.2.6.4.1 to .3): comments belong to the document or to
# <html>, other end tags are ignored. What follows is the head, or a token that implies one.
_BEFORE_HEAD: Final = re.compile(
    rb"(?:" + BYTE_ORDER_MARK + rb")?+" + SPACE + rb"*+(?:<(?:"
    + COMMENT + rb"|" + BOGUS_COMMENT + rb"|" + _BOGUS_END_TAG
    + rb"|(?i:html)" + NAME_ENDS + REST_OF_ANY_TAG
    + rb"|" + _tag_except(_END_TAG_BEGINS_BODY | {b"head"}, b"/")
    + rb")" + SPACE + rb"*+)*+(?:<(?i:head)" + NAME_ENDS + REST_OF_ANY_TAG
    + rb"|(?=</?+[a-zA-Z][^\t\n\f\r />]*+" + REST_OF_ANY_TAG + rb"|<[^a-zA-Z/!?]|[^<&\0]|\Z))"
)  # fmt: skip

# --- Where the body begins ------------------------------------------------------------------------


class BodyStart:
    """Finds where a page's body begins, chunk by chunk, and holds back what came so far.

    Markup put in at the place found is a child of body and comes before all the author's content;
    the rest of the tree stays what it was, with scripting and without. A `<body>` tag's place is
    right after it. Where body is implied, the place is before the first token that makes a parser
    leave the head, or at the end of a page that has nothing but a head; it is reported once no
    `<frameset>` can replace the body any more.

    `limit` is in bytes: a page whose place is not sure by then is left alone. So is one that is
    made to be read slowly: with hundreds of templates or SVG titles before its body's beginning.

    A page may end inside a <title>, <style>, <template> or comment of its head, and then there is a
    place only after what closes that. With `may_close` it is given; `closing` has to stand first.

        >>> start = BodyStart()
        >>> start.feed(b"<title>Home</title><bo", last=False)
        >>> start.feed(b"dy><p>Hello", last=True)
        25
        >>> start.held
        b'<title>Home</title><body><p>Hello'
    """

    closing = b""
    """What has to stand before the markup; known with its place."""

    _held: bytes | bytearray = b""
    _lexer: Lexer | None = None
    _ground: _Ground | None = None  # None: every token is looked at
    _effort = 0
    _windows = 0  # how many are read
    _after_head = False
    _templates = 0  # how many are open
    _noscript: int | None = None  # where the content of an open one begins
    _script: int | None = None  # where an open one's start tag begins
    _place: int | None = None  # where body begins, if no frameset comes

    def __init__(self, limit: int = _LIMIT, *, may_close: bool = False) -> None:
        self._limit = limit
        self._may_close = may_close

    @property
    def held(self) -> bytes:
        """Everything fed so far: at most `limit` bytes and the latest chunk."""
        return self._held if isinstance(self._held, bytes) else bytes(self._held)

    def feed(self, chunk: bytes, *, last: bool) -> int | None:
        """Return the offset in `held` where markup becomes body's first child.

        None: not known yet, feed more. NOWHERE: send `held` untouched. Either number is final;
        do not feed on after it. `last` says that no chunk follows.
        """
        if self._held:
            self._hold(chunk)
        else:
            self._held = chunk
        if self._lexer is None:
            return self._first_look(last=last)
        self._lexer.data = self._held
        return self._read(self._lexer, last=last)

    def _first_look(self, *, last: bool) -> int | None:
        if len(self._held) < len(BYTE_ORDER_MARK) and not last:
            return None
        if self._held.startswith(_UTF_16):
            return NOWHERE
        found = _ORDINARY.match(self._held, 0, min(self._limit, _MOST_AT_ONCE))
        end = found.end() if found else 0
        if end > _WINDOW and self._is_crammed_before(end):
            return NOWHERE
        if found and found["body"]:
            return end
        self._after_head = bool(found and found["head"])
        self._lexer = Lexer(self._held, end, RAW_WITH_SCRIPTING)
        return self._read(self._lexer, last=last)

    def _hold(self, chunk: bytes) -> None:
        if isinstance(self._held, bytes):
            self._held = bytearray(self._held)
        self._held += chunk

    def _read(self, lexer: Lexer, *, last: bool) -> int | None:
        while True:
            window_end = (self._windows + 1) * _WINDOW
            lexer.stop = min(len(self._held), self._limit, window_end)
            if (place := self._read_on(lexer)) is not None:
                return place
            if lexer.stop < window_end:
                break
            if self._is_crammed(self._windows):
                return NOWHERE
            self._windows += 1
        if len(self._held) > self._limit:
            return NOWHERE
        return self._at_end(lexer) if last else None

    def _is_crammed_before(self, end: int) -> bool:
        self._windows = (end - 1) // _WINDOW
        return any(map(self._is_crammed, range(self._windows)))

    def _is_crammed(self, window: int) -> bool:
        begin = window * _WINDOW
        return self._held.count(b"<", begin, begin + _WINDOW) > _MOST_IN_A_WINDOW

    def _read_on(self, lexer: Lexer) -> int | None:
        while (kind := self._next(lexer)) is not None:
            place = NOWHERE if kind is Kind.CRAMMED else self._judge(kind, lexer)
            if place is not None:
                return place
            self._effort += self._effort_of(kind, lexer)
            if self._effort > _MOST_EFFORT:
                return NOWHERE
        return None

    def _effort_of(self, kind: Kind, lexer: Lexer) -> int:
        """How much work a token was that, however the page is cut, is not passed over."""
        if self._ground is None:
            is_looked_at = True
        elif kind is Kind.BLANK:
            is_looked_at = lexer.data[lexer.start] == _AMPERSAND
        else:
            is_looked_at = _is_tag(kind) and lexer.name in self._ground.looked_at
        return is_looked_at * (1 + (lexer.at - lexer.start) // 64)

    def _at_end(self, lexer: Lexer) -> int:
        """Settle it: the end of a page begins its body if nothing else did, unless all is blank."""
        if self._noscript is not None:
            return NOWHERE
        if self._place is not None:
            return self._place
        ending = lexer.ending
        if ending is None or not self._held.strip() or self._would_run():
            return NOWHERE
        place, closing = ending
        if self._templates and place < len(self._held) and lexer.is_between_tokens:
            return NOWHERE  # that is text in the template
        closing += b"</template>" * self._templates
        if closing and not self._may_close:
            return NOWHERE
        self.closing = closing
        return place

    def _would_run(self) -> bool:
        """Tell whether the page ends in a script that would run if its end tag stood there.

        A browser runs none that the end of the page cuts short (13.2.6.4.8), and none in a
        template.
        """
        if self._script is None or self._templates:
            return False
        return _IDLE_SCRIPT.match(self._held, self._script) is None

    def _next(self, lexer: Lexer) -> Kind | None:
        if lexer.is_between_tokens:
            self._ground = self._ground_at(lexer)
            if self._ground is not None:
                lexer.at = run_end(self._ground.dull, lexer.data, lexer.at, lexer.stop)
        return lexer.next()

    def _ground_at(self, lexer: Lexer) -> _Ground | None:
        if self._templates:
            return _template()
        if self._place is None:
            return _head()
        if not lexer.foreign:
            return _body()
        return _foreign() if lexer.is_in_foreign else None

    def _judge(self, kind: Kind, lexer: Lexer) -> int | None:
        if self._noscript is not None:
            return self._leave_noscript(lexer)
        if lexer.name == b"script" and _is_tag(kind) and not lexer.foreign:
            self._note_script(kind, lexer)
        if self._templates:
            return self._in_template(kind, lexer)
        if self._place is None:
            return self._in_head(kind, lexer)
        return self._in_body(kind, lexer)

    def _note_script(self, kind: Kind, lexer: Lexer) -> None:
        self._script = lexer.start if kind is Kind.START_TAG else None
        if kind is Kind.END_TAG:
            self._effort += lexer.turns  # a script with any is not passed over

    def _in_head(self, kind: Kind, lexer: Lexer) -> int | None:
        """Follow "in head", "after head" and the modes before them (13.2.6.4.1 to .6)."""
        if kind is Kind.START_TAG:
            return self._start_tag_in_head(lexer)
        if kind is Kind.END_TAG:
            return self._end_tag_in_head(lexer)
        if kind is Kind.BLANK:  # does it begin the body? Browsers and the standard do not agree
            return NOWHERE
        return self._begin_body(kind, lexer) if kind is Kind.TEXT else None

    def _start_tag_in_head(self, lexer: Lexer) -> int | None:
        if lexer.name == b"body":
            return lexer.at
        if lexer.name == b"template":
            self._templates = 1
        elif lexer.name == b"noscript" and not self._after_head:
            self._noscript = lexer.at
        elif lexer.name not in _STAYS_IN_HEAD:
            return self._begin_body(Kind.START_TAG, lexer)
        return None

    def _end_tag_in_head(self, lexer: Lexer) -> int | None:
        if lexer.name in _END_TAG_BEGINS_BODY:
            return self._begin_body(Kind.END_TAG, lexer)
        if lexer.name == b"head":
            self._effort += self._after_head
            self._after_head = True
        return None

    def _begin_body(self, kind: Kind, lexer: Lexer) -> int | None:
        self._place = lexer.start
        return self._in_body(kind, lexer)

    def _in_template(self, kind: Kind, lexer: Lexer) -> int | None:
        if lexer.name == b"template":
            self._templates += {Kind.START_TAG: 1, Kind.END_TAG: -1}.get(kind, 0)
        elif kind is Kind.START_TAG and lexer.name in _UNSAFE_IN_TEMPLATE:
            return NOWHERE
        return None

    def _leave_noscript(self, lexer: Lexer) -> int | None:
        """Without scripting its content is markup, which in the head may even begin the body."""
        content = bytes(self._held[self._noscript : lexer.start])
        self._noscript = None
        self._effort += content.count(b"<")
        if self._effort > _MOST_EFFORT:
            return NOWHERE
        return None if _leaves_nothing_open(content) else NOWHERE

    def _in_body(self, kind: Kind, lexer: Lexer) -> int | None:
        """Wait until the frameset-ok flag is "not ok": up to then a <frameset> replaces body."""
        if kind is Kind.START_TAG:
            return self._start_tag_in_body(lexer)
        if kind is Kind.BLANK and lexer.tag() in _BEGINS_WITH_ZERO:
            return NOWHERE
        return self._place if kind is Kind.TEXT else None

    def _start_tag_in_body(self, lexer: Lexer) -> int | None:
        if lexer.name == b"frameset":
            return NOWHERE
        if lexer.is_in_foreign:
            return None
        if lexer.name == b"noscript":
            self._noscript = lexer.at
        return self._place if _rules_out_frameset(lexer) else None


def _is_tag(kind: Kind) -> bool:
    return kind is Kind.START_TAG or kind is Kind.END_TAG


def _rules_out_frameset(lexer: Lexer) -> bool:
    if lexer.name != b"input":
        return lexer.name in _RULES_OUT_FRAMESET
    return (attribute_of(lexer.tag(), b"type") or b"").lower() != b"hidden"


def _leaves_nothing_open(markup: bytes) -> bool:
    """Tell whether `markup` closes whatever it opens, so that what follows is not inside it."""
    lexer = Lexer(markup, 0, RAW_TEXT)
    still_open: list[bytes] = []
    while (kind := lexer.next()) is not None:
        if kind is Kind.CRAMMED:
            return False
        if kind is Kind.START_TAG:
            if lexer.name in _UNSAFE_IN_NOSCRIPT:
                return False
            still_open += [lexer.name][lexer.name in VOID :]
        elif kind is Kind.END_TAG and (not still_open or still_open.pop() != lexer.name):
            return False
    return lexer.is_at_end and not still_open


def page_language(head: bytes) -> str | None:
    """Return the `lang` of a page's <html> tag, lower-cased: "de-at". None: it names none.

    `head` are the page's first bytes; a tag that they cut short does not count.

        >>> page_language(b'<!doctype html><html lang="pt-BR">')
        'pt-br'
    """
    found = _HTML_TAG.match(head)
    language = attribute_of(found[1], b"lang") if found else None
    if not language or not language.isascii():
        return None
    return language.decode("ascii").strip().lower() or None


def head_start(held: bytes) -> int:
    """Return the offset where scripts can stand first in <head>, and nothing else changes.

    `held` is a page's beginning, at least up to where its body begins. The place is right after
    <head>; where that tag is left out, before the first token that makes a parser begin a head.
    NOWHERE: it cannot be known (UTF-16, NUL, a reference that may be white space, a tag that `held`
    cuts short).

        >>> head_start(b"<!doctype html><html><head><title>Home</title><body>")
        27
        >>> head_start(b"<!-- a --><title>Home</title><body>")
        10
    """
    if not held or held.startswith(_UTF_16):
        return NOWHERE
    found = _BEFORE_HEAD.match(held)
    return found.end() if found else NOWHERE
