"""Cookie and Set-Cookie: bytes in, values out, and back, as browsers read them.

It has never heard of consent, of a request, or of a clock: time is an argument.

The rules are those of RFC 6265bis (draft-ietf-httpbis-rfc6265bis-22) for browsers, so a header is
read here as the browser will read it, or did write it:

* §5.6: cut at the first ``;``, then at the first ``=``, then strip spaces and tabs. Quotes protect
  nothing and are part of the value. Without ``=`` the cookie is nameless.
* §5.6.1-5.6.7: attributes. The last *valid* Max-Age or Expires counts, and the last Domain, Path or
  SameSite, valid or not.
* §5.7: what is dropped whole, and the rules for names such as ``__Host-``. ``__Http-`` and
  ``__Host-Http-`` come from draft-ietf-httpbis-layered-cookies-02.
* §5.1.1: dates.

Two things are wider than the draft, because not every browser agrees: a Domain that is not ASCII is
handed on, and nothing is capped at 400 days.

Every function takes any bytes, of any length, in time linear in that length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_PAIR: Final = 4096
"""Octets of name and value together; a longer cookie is dropped by browsers (§5.6)."""

MAX_ATTRIBUTE: Final = 1024
"""Octets of one attribute value; an attribute with a longer one is ignored (§5.6)."""

MAX_PAIRS: Final = 1024
"""Pieces between semicolons of a Cookie header that are looked at; the rest is not handed on."""

SameSite = Literal["strict", "lax", "none"]

_WSP = b" \t"
_CONTROLS = bytes([*range(0x09), *range(0x0A, 0x20), 0x7F])  # §5.6 step 1: HTAB is let through
_UNPRINTABLE = _CONTROLS + b"\t;"  # Chromium drops a cookie for an inner HTAB, so none is written
_UNPRINTABLE_IN_NAME = _UNPRINTABLE + b" =,"
_FOREVER = 10**15 - 1  # seconds; a longer Max-Age is this one (some 31 million years)


@dataclass(frozen=True, slots=True)
class Attributes:
    """What stands after the first ``;`` of a Set-Cookie, as a browser understands it.

    ``max_age`` is in seconds and may be zero or less; ``expires`` is POSIX seconds. ``domain`` is
    in lower case without its leading dot, None where it is absent or empty (a host-only cookie).
    ``path`` is None where the browser takes the default path. ``same_site`` is None where it is
    absent or unknown: the draft's "Default", which is not the same as ``"lax"`` (§5.6.7).
    """

    max_age: int | None = None
    expires: float | None = None
    domain: bytes | None = None
    path: bytes | None = None
    secure: bool = False
    http_only: bool = False
    partitioned: bool = False
    same_site: SameSite | None = None

    def lifetime(self, now: float) -> float | None:
        """Return the seconds from `now` (POSIX) that the cookie lives; None: until session's end.

        Max-Age wins over Expires, whichever comes first in the header (§5.7 step 6).

        >>> Attributes(max_age=60, expires=0.0).lifetime(now=1000.0)
        60.0
        """
        if self.max_age is not None:
            return float(self.max_age)
        return None if self.expires is None else self.expires - now

    def is_removal(self, now: float) -> bool:
        """Tell whether the browser stores nothing, and forgets what it had (§5.7).

        >>> Attributes(max_age=0).is_removal(now=1000.0), Attributes().is_removal(now=1000.0)
        (True, False)
        """
        lifetime = self.lifetime(now)
        return lifetime is not None and lifetime <= 0


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One Set-Cookie header: octets of name and value as sent, quotes and escapes included."""

    name: bytes
    value: bytes
    attributes: Attributes


# --- Set-Cookie, read ---------------------------------------------------------------------------


def set_cookie_name(raw: bytes) -> bytes:
    """Return the name under which a Set-Cookie value is stored; ``b""`` if nameless (§5.6).

    >>> set_cookie_name(b" sid = 1; Path=/"), set_cookie_name(b"flag; a=b")
    (b'sid', b'')
    """
    name, equals, _ = raw.split(b";", 1)[0].partition(b"=")
    return name.strip(_WSP) if equals else b""


def set_cookie_tail(raw: bytes) -> bytes:
    """Return what follows the first ``;`` of a Set-Cookie value: its attributes, unparsed (§5.6).

    >>> set_cookie_tail(b"sid=1; Path=/")
    b' Path=/'
    """
    return raw.partition(b";")[2]


def split_set_cookie(raw: bytes) -> tuple[bytes, bytes]:
    """Return both, the name and the unparsed attributes, in one step.

    >>> split_set_cookie(b"sid=1; Path=/")
    (b'sid', b' Path=/')
    """
    pair, _, tail = raw.partition(b";")
    name, equals, _ = pair.partition(b"=")
    return name.strip(_WSP) if equals else b"", tail


def parse_set_cookie(raw: bytes) -> SetCookie | None:
    """Read one Set-Cookie value; None where it must be dropped whole (§5.6, §5.7).

    That is: a control character other than HTAB anywhere, name and value over `MAX_PAIR` octets,
    neither name nor value, or a broken promise of a name prefix such as ``__Host-``.
    None is no licence to let the header pass: an older browser may know fewer of these rules.

    >>> parse_set_cookie(b"sid=1; Secure").attributes.secure
    True
    >>> parse_set_cookie(b"__Host-sid=1; Secure") is None
    True
    """
    if len(raw) != len(raw.translate(None, _CONTROLS)):
        return None
    pair, _, tail = raw.partition(b";")
    name, value = _name_and_value(pair)
    if not 0 < len(name) + len(value) <= MAX_PAIR:
        return None
    attributes = parse_attributes(tail)
    if not _keeps_prefix_rules(name, value, attributes):
        return None
    return SetCookie(name, value, attributes)


def _name_and_value(pair: bytes) -> tuple[bytes, bytes]:
    name, equals, value = pair.partition(b"=")
    if not equals:
        return b"", pair.strip(_WSP)
    return name.strip(_WSP), value.strip(_WSP)


_PREFIX_RULES: tuple[tuple[bytes, Callable[[Attributes], bool]], ...] = (
    (b"__secure-", lambda given: given.secure),
    (b"__host-", lambda given: given.secure and given.path == b"/" and given.domain is None),
    (b"__http-", lambda given: given.secure and given.http_only),
    (b"__host-http-", lambda given: given.http_only),  # on top of the row for __host-
)
_PREFIXES = tuple(prefix for prefix, _ in _PREFIX_RULES)


def _keeps_prefix_rules(name: bytes, value: bytes, attributes: Attributes) -> bool:
    """Tell whether every prefix of the name, whatever its case, keeps its promise (§5.7).

    A nameless cookie comes back as its bare value, so one that would look prefixed is refused.
    """
    lowered = (name or value)[:16].lower()
    if not lowered.startswith(_PREFIXES):
        return True
    if not name:
        return False
    return all(rule(attributes) for prefix, rule in _PREFIX_RULES if lowered.startswith(prefix))


# --- attributes ---------------------------------------------------------------------------------


def parse_attributes(tail: bytes) -> Attributes:
    """Read the attributes of a Set-Cookie: `tail` is what follows its first ``;`` (§5.6.1-5.6.7).

    An attribute whose value is over `MAX_ATTRIBUTE` octets is ignored, and so is a Max-Age or an
    Expires that is not valid. The same short tails come again and again and are remembered.

    >>> parse_attributes(b" Max-Age=60; SameSite=LAX; Max-Age=soon")
    Attributes(max_age=60, expires=None, domain=None, path=None, secure=False, http_only=False, \
partitioned=False, same_site='lax')
    """
    if len(tail) > _MAX_REMEMBERED:
        return _read_attributes(tail)
    return _remembered_attributes(tail)


def has_plain_lifetime(tail: bytes) -> bool:
    """Tell whether every browser reads the lifetime in `tail` as `parse_attributes` does.

    Browsers part where Max-Age or Expires stands twice or is not valid: Chromium lets an invalid
    one undo a valid one before it, takes ``Max-Age=+60`` and a year of five digits. One valid
    Max-Age settles it, whatever Expires says (§5.7 step 6); a word without digits is a lifetime
    nowhere.

    >>> has_plain_lifetime(b"Max-Age=0; Expires=0"), has_plain_lifetime(b"Max-Age=0; Max-Age=x")
    (True, False)
    """
    given: dict[bytes, list[bytes]] = {b"max-age": [], b"expires": []}
    for attribute in tail.split(b";"):
        name, _, value = attribute.partition(b"=")
        given.get(name.strip(_WSP).lower(), []).append(value.strip(_WSP))
    values = given[b"max-age"]
    parse: Callable[[bytes], object] = _max_age
    if not values:
        values, parse = given[b"expires"], parse_cookie_date
    if not values:
        return True
    if len(values) > 1 or len(values[0]) > MAX_ATTRIBUTE:
        return False
    return parse(values[0]) is not None or not _DIGIT.search(values[0])


def _read_attributes(tail: bytes) -> Attributes:
    fields: dict[str, Any] = {}
    for attribute in tail.split(b";"):
        name, _, value = attribute.partition(b"=")
        row = _ATTRIBUTES.get(name.strip(_WSP).lower())
        if row is None or len(value := value.strip(_WSP)) > MAX_ATTRIBUTE:
            continue
        parsed = row.parse(value)
        if parsed is not None or row.none_counts:
            fields[row.field] = parsed
    return Attributes(**fields)


_MAX_REMEMBERED = 512  # octets of a tail; with the size below, a megabyte or so at most
_remembered_attributes = lru_cache(maxsize=1024)(_read_attributes)


def parse_cookie_date(text: bytes) -> float | None:
    """Read a date as browsers do (§5.1.1); return POSIX seconds, None if it is no date.

    Words and order hardly matter: the first token that can be a time, a day, a month, a year is
    taken for it. Two digits are a year from 1970 to 2069; nothing before 1601 is a date.

    >>> parse_cookie_date(b"Thu, 01-Jan-70 00:01:00 GMT")
    60.0
    """
    time = day = year = None
    month = 0
    for token in _DATE_TOKEN.findall(text):
        if not token[:1].isdigit():
            month = month or _MONTHS.get(token[:3].lower(), 0)
        elif time is None and (match := _TIME.match(token)):
            time = match
        elif day is None and (match := _DAY.match(token)):
            day = match
        elif year is None and (match := _YEAR.match(token)):
            year = match
    if not (time and day and month and year):
        return None
    return _posix_seconds(_full_year(int(year[1])), month, int(day[1]), time)


# Everything is a token that is no delimiter; the octets in between are the draft's, to the letter.
_DATE_TOKEN = re.compile(rb"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]++")
_TIME = re.compile(rb"([0-9]{1,2}+):([0-9]{1,2}+):([0-9]{1,2}+)(?![0-9])")
_DIGIT = re.compile(rb"[0-9]")
_DAY = re.compile(rb"([0-9]{1,2}+)(?![0-9])")
_YEAR = re.compile(rb"([0-9]{2,4}+)(?![0-9])")
_MONTHS = {
    month: number
    for number, month in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}


def _full_year(year: int) -> int:
    if year >= 100:
        return year
    return year + (1900 if year >= 70 else 2000)


def _posix_seconds(year: int, month: int, day: int, time: re.Match[bytes]) -> float | None:
    if year < 1601:
        return None
    hour, minute, second = map(int, time.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:  # 31 February, hour 24, second 60, day 0
        return None


def _max_age(value: bytes) -> int | None:
    digits = value.removeprefix(b"-")
    if not digits.isdigit():
        return None
    digits = digits.lstrip(b"0") or b"0"
    # Python refuses to convert very long runs of digits, so their number is looked at first.
    seconds = int(digits) if len(digits) <= len(str(_FOREVER)) else _FOREVER
    return -seconds if value.startswith(b"-") else seconds


def _domain(value: bytes) -> bytes | None:
    return value.removeprefix(b".").lower() or None


def _path(value: bytes) -> bytes | None:
    return value if value.startswith(b"/") else None


_SAME_SITE: dict[bytes, SameSite] = {b"strict": "strict", b"lax": "lax", b"none": "none"}


def _same_site(value: bytes) -> SameSite | None:
    return _SAME_SITE.get(value.lower())


def _flag(_value: bytes) -> bool:
    return True


class _Attribute(NamedTuple):
    """How one attribute is read: into which field, by what, and whether "nothing" is an answer."""

    field: str
    parse: Callable[[bytes], object]
    none_counts: bool = True


_ATTRIBUTES = {
    b"max-age": _Attribute("max_age", _max_age, none_counts=False),
    b"expires": _Attribute("expires", parse_cookie_date, none_counts=False),
    b"domain": _Attribute("domain", _domain),
    b"path": _Attribute("path", _path),
    b"secure": _Attribute("secure", _flag),
    b"httponly": _Attribute("http_only", _flag),
    b"partitioned": _Attribute("partitioned", _flag),
    b"samesite": _Attribute("same_site", _same_site),
}


# --- Set-Cookie, changed ------------------------------------------------------------------------


def drop_attributes(raw: bytes, names: frozenset[bytes]) -> bytes:
    """Return the Set-Cookie value `raw` without the attributes `names` (in lower case).

    Every other byte stays as it was; `raw` itself comes back where there is nothing to drop.

    >>> drop_attributes(b"a=1;Path=/ ; max-age = 60; Secure", frozenset({b"max-age", b"expires"}))
    b'a=1;Path=/ ; Secure'
    """
    pair, *given = raw.split(b";")
    kept = [av for av in given if av.partition(b"=")[0].strip(_WSP).lower() not in names]
    return raw if len(kept) == len(given) else b";".join([pair, *kept])


def add_attributes(raw: bytes, *attributes: bytes) -> bytes:
    """Return the Set-Cookie value `raw` with `attributes` at its end, where they win (§5.7).

    They are written as they are: the caller's own words, never a client's.

    >>> add_attributes(b"a=1; Path=/;", b"Secure", b"Max-Age=60")
    b'a=1; Path=/; Secure; Max-Age=60'
    """
    if not attributes:
        return raw
    added = b"; ".join(attributes)
    trimmed = raw.rstrip(_WSP)
    return trimmed + b" " + added if trimmed.endswith(b";") else raw + b"; " + added


# --- Cookie -------------------------------------------------------------------------------------


def parse_cookie(raw: bytes) -> list[tuple[bytes, bytes]]:
    """Return the (name, value) pairs of a Cookie value in the order sent, duplicates included.

    The inverse of §5.8.3: a browser sends a nameless cookie as its bare value, and the cookie with
    the longest path first. Nothing is unquoted. At most `MAX_PAIRS` pieces are looked at.

    >>> parse_cookie(b'sid="1"; flag; sid=2')
    [(b'sid', b'"1"'), (b'', b'flag'), (b'sid', b'2')]
    """
    pieces = raw.split(b";", MAX_PAIRS)[:MAX_PAIRS]
    return [_name_and_value(piece) for piece in pieces if piece.strip(_WSP)]


def first_values(headers: Iterable[bytes], name: bytes) -> list[bytes]:
    """Return every value of the cookie `name` over several Cookie values, in the order sent.

    >>> first_values([b"sid=1; a=b", b"sid=2"], b"sid")
    [b'1', b'2']
    """
    return [
        value
        for header in headers
        if name in header  # saves most of the parsing
        for found, value in parse_cookie(header)
        if found == name
    ]


def keep_pairs(raw: bytes, keep: Callable[[bytes], bool]) -> bytes:
    """Return the Cookie value `raw` with only the pairs whose name `keep` accepts.

    Pairs are kept byte for byte and joined by ``; ``; ``b""`` says that none is left. `raw` itself
    comes back where all are kept. `keep` is asked about ``b""`` for a nameless cookie and not
    at all for an empty piece. What follows the first `MAX_PAIRS` pieces is never kept.

    >>> keep_pairs(b"sid=1; _ga=2; sid=3", {b"sid"}.__contains__)
    b'sid=1; sid=3'
    """
    pieces = raw.split(b";", MAX_PAIRS)
    kept = [
        piece
        for piece in pieces[:MAX_PAIRS]
        for name, equals, _ in (piece.partition(b"="),)
        if (keep(name.strip(_WSP)) if equals else not name.strip(_WSP) or keep(b""))
    ]
    if len(kept) == len(pieces):
        return raw
    return b"; ".join(filter(None, (pair.strip(_WSP) for pair in kept)))


# --- Set-Cookie, printed ------------------------------------------------------------------------


def is_printable_name(name: bytes) -> bool:
    """Tell whether `name`, which a client may have made up, can stand in a Set-Cookie of ours.

    It is not empty, fits into `MAX_PAIR`, is UTF-8, and holds no control character, white space,
    ``;``, ``=`` or ``,``.

    >>> is_printable_name(b"sid"), is_printable_name(b"sid; Domain")
    (True, False)
    """
    return 0 < len(name) <= MAX_PAIR and _is_free_of(_UNPRINTABLE_IN_NAME, name) and _is_utf8(name)


def print_set_cookie(  # noqa: PLR0913 - a Set-Cookie has that many parts
    name: bytes,
    value: bytes,
    *,
    path: bytes = b"/",
    domain: bytes | None = None,
    max_age: int | None = None,
    secure: bool = True,
    http_only: bool = True,
    same_site: SameSite | None = "lax",
    partitioned: bool = False,
) -> bytes:
    """Return a Set-Cookie value that every browser reads back as what was asked for.

    `max_age` is in seconds, None for a session cookie; `domain` loses its leading dot. The value
    may hold spaces inside, commas and quotes, which browsers hand back as they are.

    Raises ValueError for whatever a browser would drop, ignore, change or take for an attribute:
    `name` not `is_printable_name`; a control character, ``;`` or outer space; a part too long;
    SameSite=None or Partitioned without Secure; the broken promise of a prefix such as ``__Host-``.

    >>> print_set_cookie(b"__Host-sid", b"1", max_age=60)
    b'__Host-sid=1; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax'
    """
    attributes = Attributes(
        max_age=max_age,
        domain=_without_dot(domain),
        path=path,
        secure=secure,
        http_only=http_only,
        partitioned=partitioned,
        same_site=same_site,
    )
    return _print(SetCookie(name, value, attributes))


def print_removal(  # noqa: PLR0913 - these say which cookie is meant
    name: bytes,
    *,
    path: bytes = b"/",
    domain: bytes | None = None,
    secure: bool = True,
    http_only: bool = False,
    same_site: SameSite | None = None,
    partitioned: bool = False,
) -> bytes:
    """Return a Set-Cookie value that makes the browser forget a cookie.

    Browsers forget it only if name, domain, path and Partitioned are those it was set with, and
    keep a Secure one that is expired without Secure. A name with a prefix needs what that prefix
    promises, HttpOnly for ``__Http-``. Max-Age says it alone: every browser of the last decade
    knows it, and forty octets less leave room for more variants. Raises ValueError as
    `print_set_cookie` does.

    >>> print_removal(b"sid", secure=False)
    b'sid=; Path=/; Max-Age=0'
    """
    attributes = Attributes(
        max_age=0,
        domain=_without_dot(domain),
        path=path,
        secure=secure,
        http_only=http_only,
        partitioned=partitioned,
        same_site=same_site,
    )
    return _print(SetCookie(name, b"", attributes))


def _print(cookie: SetCookie) -> bytes:
    for is_kept, fault in _PRINT_RULES:
        if not is_kept(cookie):
            raise ValueError(f"Set-Cookie {cookie.name[:60]!r}: {fault}")
    return b"; ".join([cookie.name + b"=" + cookie.value, *_printed(cookie.attributes)])


def _printed(given: Attributes) -> list[bytes]:
    parts = (
        given.path is not None and b"Path=" + given.path,
        given.domain is not None and b"Domain=" + given.domain,
        given.max_age is not None and b"Max-Age=%d" % given.max_age,
        given.secure and b"Secure",
        given.http_only and b"HttpOnly",
        given.same_site is not None and b"SameSite=" + _SAME_SITE_PRINTED[given.same_site],
        given.partitioned and b"Partitioned",
    )
    return [part for part in parts if part]


_SAME_SITE_PRINTED: dict[SameSite, bytes] = {"strict": b"Strict", "lax": b"Lax", "none": b"None"}
_DOMAIN = re.compile(rb"[A-Za-z0-9_\[][A-Za-z0-9_.:\[\]-]*+")  # [ and : for IPv6 addresses


def _without_dot(domain: bytes | None) -> bytes | None:
    return None if domain is None else domain.removeprefix(b".").lower()


def _is_free_of(unwanted: bytes, text: bytes) -> bool:
    return len(text) == len(text.translate(None, unwanted))


def _is_plain(text: bytes) -> bool:
    return _is_free_of(_UNPRINTABLE, text) and text == text.strip(_WSP)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_printable_path(path: bytes | None) -> bool:
    return path is not None and path[:1] == b"/" and _is_plain(path) and len(path) <= MAX_ATTRIBUTE


def _is_printable_domain(domain: bytes | None) -> bool:
    if domain is None:
        return True
    return _DOMAIN.fullmatch(domain) is not None and len(domain) <= MAX_ATTRIBUTE


def _needs_secure(given: Attributes) -> bool:
    return given.partitioned or given.same_site == "none"


_PRINT_RULES: tuple[tuple[Callable[[SetCookie], bool], str], ...] = (
    (
        lambda cookie: is_printable_name(cookie.name),
        (
            "the name is empty, too long, not UTF-8, or holds a control character, white space, "
            '";", "=" or "," - choose another'
        ),
    ),
    (
        lambda cookie: _is_plain(cookie.value),
        'the value holds a control character, a ";" or an outer space - encode it',
    ),
    (
        lambda cookie: len(cookie.name) + len(cookie.value) <= MAX_PAIR,
        f"name and value are over {MAX_PAIR} octets, so browsers drop them - shorten the value",
    ),
    (
        lambda cookie: _is_printable_path(cookie.attributes.path),
        (
            f'the path does not start with "/", is over {MAX_ATTRIBUTE} octets, or holds a control '
            'character, a ";" or a space at its end - percent-encode it'
        ),
    ),
    (
        lambda cookie: _is_printable_domain(cookie.attributes.domain),
        "the domain is no host name in ASCII - write it in its xn-- form",
    ),
    (
        lambda cookie: abs(cookie.attributes.max_age or 0) <= _FOREVER,
        f"Max-Age is beyond {_FOREVER} seconds - browsers keep no cookie over 400 days",
    ),
    (
        lambda cookie: cookie.attributes.same_site in {None, *_SAME_SITE_PRINTED},
        'SameSite is unknown - give "strict", "lax", "none" or None',
    ),
    (
        lambda cookie: cookie.attributes.secure or not _needs_secure(cookie.attributes),
        "SameSite=None and Partitioned need Secure - set it, or do without them",
    ),
    (
        lambda cookie: _keeps_prefix_rules(cookie.name, cookie.value, cookie.attributes),
        (
            "the prefix of the name promises more than the attributes keep (§4.1.3) - __Secure- "
            "needs Secure; __Host- Secure, Path=/ and no Domain; __Http- Secure and HttpOnly; "
            "__Host-Http- all of these"
        ),
    ),
)


# --- Whose cookie it is -------------------------------------------------------------------------


def default_path(path: str) -> bytes:
    """The path of a cookie that names none (RFC 6265bis §5.1.4)."""
    directory = path.rpartition("/")[0]
    return directory.encode("utf-8", "surrogateescape") if directory.startswith("/") else b"/"


def paths_above(path: bytes) -> list[bytes]:
    """The paths of cookies that come with a request for `path`, itself last (§5.1.4); few enough.

    >>> paths_above(b"/news/today")
    [b'/', b'/news', b'/news/today']
    """
    folders = [path[:at] or b"/" for at, octet in enumerate(path) if octet == ord("/")]
    return [*folders[:4], path]


def parent_domains(host: bytes) -> list[bytes]:
    """The host's name and those above it of two labels or more, at most eight; not an address."""
    name = host.rpartition(b":")[0] if host.rpartition(b":")[2].isdigit() else host
    try:
        ip_address(name.decode("ascii").strip("[]"))
    except ValueError:
        labels = name.lower().split(b".")
        return [b".".join(labels[start:]) for start in range(len(labels) - 1)][-8:]
    return []
