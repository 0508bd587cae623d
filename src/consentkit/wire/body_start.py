"""Where a page's body begins: the one place where markup can go in and change nothing else.

It has never heard of what is put in.

Markup is put in as the first child of body, because only the head has to be read for that, and
because nothing the author left open can swallow it there. The reading follows the tree construction
of the HTML standard (13.2.6): the insertion modes up to "after head".
"""

from __future__ import annotations

import re
from typing import Final

from consentkit.wire.html import (
    BOGUS_COMMENT,
    BYTE_ORDER_MARK,
    COMMENT,
    NAME_ENDS,
    RAW_TEXT,
    RAW_WITH_SCRIPTING,
    REST_OF_ANY_TAG,
    SPACE,
    VOID,
    Kind,
    Lexer,
    attribute_of,
    names_of,
    raw_text_element,
    run_end,
)

__all__ = ["NOWHERE", "BodyStart", "page_language"]

NOWHERE: Final = -1
"""The page has no place where markup could go in without a change to the author's tree."""

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")

# "in head" and "after head": these leave the parser in the head, or ignore the tag.
_STAYS_IN_HEAD: Final = names_of(
    "base basefont bgsound link meta title noframes style script html head"
)
# "Act as described in the 'anything else' entry": these end tags begin a body.
_END_TAG_BEGINS_BODY: Final = names_of("body html br")
# These start tags set the frameset-ok flag to "not ok" ("in body"); after <plaintext> there are no
# tags. <input> is left out because a hidden one does not.
_RULES_OUT_FRAMESET: Final = names_of(
    "applet area body br button dd dt embed hr iframe image img keygen li listing marquee object "
    "plaintext pre select table template textarea wbr xmp"
)
# Inside a template in the head these change what a later tag means, or whether it is one.
_UNSAFE_IN_TEMPLATE: Final = names_of("col colgroup frameset math noscript plaintext select svg")
# Inside <noscript>, these do more than stand between their own two tags.
_UNSAFE_IN_NOSCRIPT: Final = _UNSAFE_IN_TEMPLATE | names_of("body head html template")


_HEAD = (
    SPACE + rb"*+(?:<(?:(?i:meta|link|html|head|base)" + NAME_ENDS + REST_OF_ANY_TAG
    + rb"|" + raw_text_element(b"script", b"|!--")
    + rb"|" + raw_text_element(b"style")
    + rb"|" + raw_text_element(b"title")
    + rb"|" + COMMENT + rb"|" + BOGUS_COMMENT + rb")" + SPACE + rb"*+)*+"
)  # fmt: skip

_DULL_HEAD: Final = re.compile(_HEAD)
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
        self._lexer: Lexer | None = None
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
        if len(self._held) < len(BYTE_ORDER_MARK) and not last:
            return None
        if self._held.startswith(_UTF_16):
            return NOWHERE
        found = _ORDINARY.match(self._held, 0, self._limit)
        if found and found["body"]:
            return found.end()
        self._after_head = bool(found and found["head"])
        begin = found.end() if found else 0
        self._lexer = Lexer(self._held, begin, RAW_WITH_SCRIPTING)
        return self._read(self._lexer, last=last)

    def _hold(self, chunk: bytes) -> None:
        if not self._held:
            self._held = chunk
            return
        if isinstance(self._held, bytes):
            self._held = bytearray(self._held)
        self._held += chunk

    def _read(self, lexer: Lexer, *, last: bool) -> int | None:
        lexer.stop = min(len(self._held), self._limit)
        while (kind := self._next(lexer)) is not None:
            place = self._judge(kind, lexer)
            if place is not None:
                return place
        if len(self._held) > self._limit:
            return NOWHERE
        return self._at_end(lexer) if last else None

    def _at_end(self, lexer: Lexer) -> int:
        """Settle it: the end of a page begins its body if nothing else did, unless all is blank."""
        if self._noscript is not None or self._templates:
            return NOWHERE
        if self._place is not None:
            return self._place
        if not lexer.is_at_end or not self._held.strip():
            return NOWHERE
        return len(self._held)

    def _next(self, lexer: Lexer) -> Kind | None:
        if self._place is None and not self._templates and lexer.is_between_tokens:
            lexer.at = run_end(_DULL_HEAD, lexer.data, lexer.at, lexer.stop)
        return lexer.next()

    def _judge(self, kind: Kind, lexer: Lexer) -> int | None:
        if self._noscript is not None:
            return self._leave_noscript(lexer)
        if self._templates:
            return self._in_template(kind, lexer)
        if kind is Kind.BLANK:  # does it begin the body? Browsers and the standard do not agree
            return NOWHERE
        if self._place is None:
            return self._in_head(kind, lexer)
        return self._in_body(kind, lexer)

    def _in_head(self, kind: Kind, lexer: Lexer) -> int | None:
        """Follow "in head", "after head" and the modes before them (13.2.6.4.1 to .6)."""
        if kind is Kind.START_TAG:
            return self._start_tag_in_head(lexer)
        if kind is Kind.END_TAG:
            return self._end_tag_in_head(lexer)
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
        self._after_head |= lexer.name == b"head"
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
        return None if _leaves_nothing_open(content) else NOWHERE

    def _in_body(self, kind: Kind, lexer: Lexer) -> int | None:
        """Wait until the frameset-ok flag is "not ok": up to then a <frameset> replaces body."""
        if kind is Kind.START_TAG:
            return self._start_tag_in_body(lexer)
        return self._place if kind is Kind.TEXT else None

    def _start_tag_in_body(self, lexer: Lexer) -> int | None:
        if lexer.name == b"frameset":
            return NOWHERE
        if lexer.is_in_foreign:
            return None
        if lexer.name == b"noscript":
            self._noscript = lexer.at
        return self._place if lexer.name in _RULES_OUT_FRAMESET else None


def _leaves_nothing_open(markup: bytes) -> bool:
    """Tell whether `markup` closes whatever it opens, so that what follows is not inside it."""
    lexer = Lexer(markup, 0, RAW_TEXT)
    still_open: list[bytes] = []
    while (kind := lexer.next()) is not None:
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
