"""Elements that wait for markup: a page streams by, and they are filled in.

It has never heard of what is put in: bytes go in, bytes come out.
"""

from __future__ import annotations

import functools
import re
from html import unescape
from typing import TYPE_CHECKING, Final

from consentkit.wire.html import (
    BOGUS_COMMENT,
    COMMENT,
    FOREIGN,
    NAME_ENDS,
    RAW_TEXT,
    REST_OF_TAG,
    VOID,
    Kind,
    Lexer,
    attribute_of,
    run_end,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Filling"]

_TAG_CAP: Final = 65536
_HOLDS_NO_MARKUP: Final = VOID | RAW_TEXT


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
        self._lexer: Lexer | None = Lexer(self._data, 0, RAW_TEXT)

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

    def _read(self, lexer: Lexer, *, last: bool) -> Iterator[bytes]:
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

    def _next(self, lexer: Lexer) -> Kind | None:
        if lexer.is_between_tokens and not lexer.foreign:
            lexer.at = run_end(self._dull, self._data, lexer.at, lexer.stop)
        return lexer.next()

    def _markup(self, kind: Kind, lexer: Lexer) -> bytes:
        if kind is not Kind.START_TAG or lexer.is_in_foreign or lexer.name in _HOLDS_NO_MARKUP:
            return b""
        value = attribute_of(lexer.tag(), self._attribute)
        return b"" if value is None else self._fill(unescape(value.decode("utf-8", "replace")))


@functools.cache
def _dull_without(attribute: bytes) -> re.Pattern[bytes]:
    """Return the pattern of what stands between two tags that may carry `attribute`."""
    skip = rb"(?!(?i:" + re.escape(attribute) + rb")[\t\n\f\r />=])"
    read_apart = b"|".join(sorted(RAW_TEXT | FOREIGN))
    initials = bytes(sorted({name[0] for name in RAW_TEXT | FOREIGN}))
    # Most names are told apart by their first letter.
    name = rb"(?:/|(?![%b])|(?!(?i:%b)%b))[a-zA-Z][^\t\n\f\r />]*+" % (
        initials + initials.upper(), read_apart, NAME_ENDS
    )  # fmt: skip
    tag = name + REST_OF_TAG % {b"skip": skip}
    return re.compile(
        rb"[^<]*+(?:<(?:" + tag + rb"|" + COMMENT + rb"|" + BOGUS_COMMENT + rb")[^<]*+)*+"
    )
