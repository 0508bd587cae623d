"""Cookies on the wire: RFC 6265bis (draft 22) sentence by sentence, properties, and the corpus."""

from __future__ import annotations

import calendar
import json
import pathlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http import cookiejar
from itertools import count
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from consentkit.testing.strategies import set_cookies
from consentkit.wire.cookies import (
    MAX_ATTRIBUTE,
    MAX_PAIR,
    MAX_PAIRS,
    Attributes,
    SetCookie,
    add_attributes,
    default_path,
    drop_attributes,
    first_values,
    has_plain_lifetime,
    is_printable_name,
    keep_pairs,
    parent_domains,
    parse_attributes,
    parse_cookie,
    parse_cookie_date,
    parse_set_cookie,
    paths_above,
    print_removal,
    print_set_cookie,
    set_cookie_name,
    set_cookie_tail,
    split_set_cookie,
)

from .fuzz_cookies import SEEDS, check_invariants, run_mutator

NOW = 1_795_300_000.0  # November 2026, when the corpus was recorded


def everything(_name: bytes) -> bool:
    return True


def nothing(_name: bytes) -> bool:
    return False


def parsed(raw: bytes) -> SetCookie:
    cookie = parse_set_cookie(raw)
    assert cookie is not None
    return cookie


# --- strategies ---------------------------------------------------------------------------------

wild = set_cookies()
plain = st.binary(max_size=30).map(lambda text: text.translate(None, bytes(range(32)) + b"\x7f;"))
values = plain.map(bytes.strip)
paths = values.map(lambda text: b"/" + text)
names = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters=";=,"), min_size=1)
printable_names = names.map(str.encode).filter(is_printable_name)
domains = st.from_regex(rb"\A\.?[a-z0-9][a-zA-Z0-9.-]{0,20}\Z")
some_attributes = st.fixed_dictionaries(
    {},
    optional={
        "path": paths,
        "domain": st.none() | domains,
        "max_age": st.none() | st.integers(-(10**15) + 1, 10**15 - 1),
        "secure": st.booleans(),
        "http_only": st.booleans(),
        "same_site": st.sampled_from([None, "strict", "lax", "none"]),
        "partitioned": st.booleans(),
    },
)


# --- §5.6: the pair -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "name", "value"),
    [
        (b"a=b", b"a", b"b"),
        (b"a=b; c=d", b"a", b"b"),
        (b' a\t=\t"b; c" ', b"a", b'"b'),
        (b"a=b=c", b"a", b"b=c"),
        (b"a=", b"a", b""),
        (b"a b = c d ", b"a b", b"c d"),
        (b"a=\xff", b"a", b"\xff"),
        (b"a=%3B", b"a", b"%3B"),
        (b"a", b"", b"a"),
        (b" a ; b=c", b"", b"a"),
        (b"=a", b"", b"a"),
        (b"==a", b"", b"=a"),
    ],
)
def test_a_pair_ends_at_the_first_semicolon_and_its_name_at_the_first_equals_sign(
    raw: bytes, name: bytes, value: bytes
) -> None:
    """§5.6: cut at ";", cut at "=", strip white space; without "=" all of it is the value."""
    assert parsed(raw) == SetCookie(name, value, parse_attributes(set_cookie_tail(raw)))
    assert set_cookie_name(raw) == name


@pytest.mark.parametrize("raw", [b"", b";", b"=", b" = ;", b"\t", b"\t=\t; Secure"])
def test_a_cookie_with_neither_name_nor_value_is_dropped(raw: bytes) -> None:
    """§5.7: if the name is empty and the value is empty, ignore the cookie entirely."""
    assert parse_set_cookie(raw) is None
    assert parse_set_cookie(b"a" + raw) is not None


@pytest.mark.parametrize(
    "place", [b"a%cb=c", b"a=b%cc", b"a=b; Pa%cth=/", b"a=b; Path=/%c", b"a=b%c"]
)
@pytest.mark.parametrize("control", [*range(0x09), *range(0x0A, 0x20), 0x7F])
def test_a_control_character_anywhere_drops_the_whole_cookie(place: bytes, control: int) -> None:
    """§5.6 step 1: on %x00-08, %x0A-1F or %x7F, ignore the set-cookie-string entirely."""
    assert parse_set_cookie(place % control) is None


@pytest.mark.parametrize("octet", [b"\t", b" ", b"\x80", b"\x9f", b"\xff", b"~", b"!"])
def test_a_tab_and_octets_above_ascii_are_no_control_characters(octet: bytes) -> None:
    """§5.6 step 1 leaves HTAB (%x09) out, and everything from %x80 on."""
    assert parsed(b"a=b" + octet + b"c").value == b"b" + octet + b"c"


@pytest.mark.parametrize(("name", "value"), [(1, 4095), (4095, 1), (4096, 0), (0, 4096)])
def test_name_and_value_may_be_4096_octets_together_and_not_one_more(name: int, value: int) -> None:
    """§5.6 step 5: if name and value sum to more than 4096 octets, ignore it entirely."""
    raw = b"n" * name + b"= " + b"v" * value
    assert parsed(raw + b" ; Secure").attributes.secure
    assert parse_set_cookie(raw + b"v; Secure") is None


# --- §5.7: name prefixes ------------------------------------------------------------------------

PREFIXED = {
    b"__Secure-": b"; Secure",
    b"__Host-": b"; Secure; Path=/",
    b"__Http-": b"; Secure; HttpOnly",
    b"__Host-Http-": b"; Secure; Path=/; HttpOnly",
}


@pytest.mark.parametrize("change_case", [bytes, bytes.lower, bytes.upper, bytes.swapcase])
@pytest.mark.parametrize(("prefix", "promised"), PREFIXED.items())
def test_a_prefix_needs_every_attribute_it_promises_whatever_its_case(
    prefix: bytes, promised: bytes, change_case: Callable[[bytes], bytes]
) -> None:
    """§5.7, R-80: __Secure-, __Host-, __Http- and __Host-Http- match case-insensitively."""
    pair = change_case(prefix) + b"x=1"
    assert parse_set_cookie(pair + promised) is not None
    for attribute in promised.split(b";")[1:]:
        assert parse_set_cookie(pair + promised.replace(b";" + attribute, b"")) is None


@pytest.mark.parametrize("broken", [b"; Domain=example.org", b"; Path=/x", b"; Path=", b"; Path=x"])
@pytest.mark.parametrize("prefix", [b"__Host-", b"__Host-Http-"])
def test_a_host_cookie_has_no_domain_and_the_path_of_the_whole_host(
    prefix: bytes, broken: bytes
) -> None:
    """§5.7: __Host- needs a host-only cookie whose Path attribute is there and is "/"."""
    raw = prefix + b"x=1; Secure; HttpOnly; Path=/"
    assert parse_set_cookie(raw + b"; Domain=") is not None
    assert parse_set_cookie(raw + broken) is None


@pytest.mark.parametrize("prefix", [*PREFIXED, b"__host-", b"__HTTP-"])
def test_a_nameless_cookie_cannot_pass_for_a_prefixed_one(prefix: bytes) -> None:
    """§5.7: a nameless cookie whose value begins with a prefix is ignored entirely."""
    for raw in (prefix + b"x", b"=" + prefix + b"x=1", b" = " + prefix):
        assert parse_set_cookie(raw + PREFIXED[b"__Host-Http-"]) is None
    assert parsed(b"x" + prefix).value == b"x" + prefix
    assert parsed(b"x=" + prefix).value == prefix


# --- §5.6.1-5.6.7: attributes -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (b"", Attributes()),
        (b" ;; ; =; x; x=y;", Attributes()),
        (b"MAX-AGE = 5 ", Attributes(max_age=5)),
        (b"Max-Age=-5", Attributes(max_age=-5)),
        (b"Max-Age=0", Attributes(max_age=0)),
        (b"Max-Age=-0", Attributes(max_age=0)),
        (b"Max-Age=" + b"0" * 900 + b"7", Attributes(max_age=7)),
        (b"expires=Thu, 01 Jan 1970 00:00:01 GMT", Attributes(expires=1.0)),
        (b"DOMAIN=.Example.ORG", Attributes(domain=b"example.org")),
        (b"Domain=..example.org", Attributes(domain=b".example.org")),
        (b"path = /x y ", Attributes(path=b"/x y")),
        (b'Path="/"', Attributes()),
        (b"Path", Attributes()),
        (
            b"secure=no;HttpOnly= ;PARTITIONED",
            Attributes(secure=True, http_only=True, partitioned=True),
        ),
        (b'"Secure"; Secure qux; se cure', Attributes()),
        (b"SameSite=STRICT", Attributes(same_site="strict")),
        (b"SameSite=Lax", Attributes(same_site="lax")),
        (b"samesite=none", Attributes(same_site="none")),
        (b"SameSite", Attributes()),
        (b"SameSite=Laxish", Attributes()),
    ],
)
def test_an_attribute_is_known_by_its_name_in_any_case(tail: bytes, expected: Attributes) -> None:
    """§5.6.1-5.6.7: match the name case-insensitively; names that are not known are ignored."""
    assert parse_attributes(tail) == expected


@pytest.mark.parametrize(
    "invalid",
    [
        b"",
        b"+5",
        b"5.0",
        b"5x",
        b"--5",
        b"-",
        b"5 5",
        b"5,399",
        b'"5"',
        b"\xd9\xa3",
        b"0x5",
        b"5_0",
    ],
)
def test_an_invalid_max_age_is_ignored_and_the_last_valid_one_counts(invalid: bytes) -> None:
    """§5.6.2: not a digit, or "-" and a digit, first, or a non-digit after it: ignore (R-23)."""
    assert parse_attributes(b"Max-Age=" + invalid).lifetime(NOW) is None
    assert parse_attributes(b"Max-Age=3; Max-Age=7; Max-Age=" + invalid).max_age == 7


@pytest.mark.parametrize("sign", [1, -1])
def test_a_max_age_of_any_number_of_digits_is_a_very_long_time(sign: int) -> None:
    """§5.6.2 sets no bound; Python refuses to convert very long numbers, so they are clamped."""
    minus = b"-" if sign < 0 else b""
    for digits in (b"1" + b"0" * 15, b"9" * 1000):
        assert parse_attributes(b"Max-Age=" + minus + digits).max_age == sign * (10**15 - 1)
    assert parse_attributes(b"Max-Age=" + minus + b"1" + b"0" * 14).max_age == sign * 10**14


def test_an_invalid_expires_is_ignored_and_the_last_valid_one_counts() -> None:
    """§5.6.1: if the date cannot be parsed, ignore the cookie-av; §5.7: the last one counts."""
    dates = b"Expires=1 Jan 1970 00:00:01; Expires=1 Jan 1970 00:00:02; Expires=soon; Expires="
    assert parse_attributes(dates).expires == 2.0


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (b"Domain=a.example", b"Domain=", "domain"),
        (b"Domain=a.example", b"Domain=.", "domain"),
        (b"Path=/a", b"Path=", "path"),
        (b"Path=/a", b"Path=a", "path"),
        (b"SameSite=Lax", b"SameSite=x", "same_site"),
    ],
)
def test_the_last_domain_path_and_same_site_count_even_when_they_say_nothing(
    first: bytes, last: bytes, field: str
) -> None:
    """§5.6.3, §5.6.4, §5.6.7 append the default, and §5.7 takes the last one appended."""
    assert getattr(parse_attributes(first + b";" + last), field) is None
    assert getattr(parse_attributes(last + b";" + first), field) is not None


@pytest.mark.parametrize("value", [b"Domain=1", b"Path=/", b"Secure=1", b"Max-Age=1"])
def test_an_attribute_value_over_1024_octets_is_ignored(value: bytes) -> None:
    """§5.6: if the attribute-value, stripped, is longer than 1024 octets, ignore the cookie-av."""
    longest = value + b"1" * (MAX_ATTRIBUTE - 1)
    assert parse_attributes(longest + b" \t ") != Attributes()
    assert parse_attributes(longest + b"1") == Attributes()


def test_a_long_tail_is_read_like_a_short_one() -> None:
    """Only tails up to 512 octets are remembered; the longer ones are read each time."""
    tail = b" Path=/x; Max-Age=5"
    for padding in (0, 490, 493, 494, 2000):
        assert parse_attributes(tail + b";" * padding) == Attributes(path=b"/x", max_age=5)


# --- §5.7: how long it lives --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tail", "lifetime"),
    [
        (b"", None),
        (b"Max-Age=x; Expires=x", None),
        (b"Max-Age=60", 60.0),
        (b"Expires=01 Jan 1970 00:02:00", 20.0),
        (b"Max-Age=60; Expires=01 Jan 1970 00:00:00", 60.0),
        (b"Expires=01 Jan 1970 00:02:00; Max-Age=0", 0.0),
        (b"Expires=01 Jan 1970 00:01:40", 0.0),
        (b"Expires=01 Jan 1970 00:00:00; Max-Age=x", -100.0),
        (b"Max-Age=-1", -1.0),
    ],
)
def test_max_age_wins_over_expires_and_neither_means_a_session(
    tail: bytes, lifetime: float | None
) -> None:
    """§5.7: use Max-Age if there is one, else Expires, else keep it until the session ends."""
    given = parse_attributes(tail)
    assert given.lifetime(now=100.0) == lifetime
    assert given.is_removal(now=100.0) == (lifetime is not None and lifetime <= 0)


@given(wild | st.binary(), st.floats(-1e12, 1e12))
def test_a_removal_is_a_cookie_that_lives_no_second(tail: bytes, now: float) -> None:
    """§5.7: a cookie whose expiry-time is in the past is evicted."""
    lifetime = parse_attributes(tail).lifetime(now)
    assert parse_attributes(tail).is_removal(now) == (lifetime is not None and lifetime <= 0)


# --- §5.1.1: dates ------------------------------------------------------------------------------

moments = st.datetimes(datetime(1601, 1, 1), datetime(9999, 12, 31, 23, 59, 59)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
RFC_7231 = "%a, %d %b %Y %H:%M:%S GMT"
FORMS = (
    RFC_7231,
    "%a, %d-%b-%Y %H:%M:%S GMT",
    "%a %b %d %Y %H:%M:%S GMT+0200",
    "%H:%M:%S;%d/%b!%Y",
)


@given(moments, st.sampled_from(FORMS))
def test_every_valid_date_is_read_in_every_common_form(moment: datetime, form: str) -> None:
    """§5.1.1: tokens are found by their looks, wherever they stand, and zones are ignored."""
    text = moment.strftime(form).encode()
    assert parse_cookie_date(text) == calendar.timegm(moment.timetuple())


@given(moments.filter(lambda moment: moment.year >= 1970))
def test_dates_agree_with_the_standard_library(moment: datetime) -> None:
    """An oracle of other origin: email.utils prints the date, http.cookiejar reads it."""
    text = format_datetime(moment, usegmt=True)
    assert parse_cookie_date(text.encode()) == cookiejar.http2time(text)  # type: ignore[attr-defined]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2069, 12, 31)))  # noqa: DTZ001
def test_two_digits_are_a_year_from_1970_to_2069(moment: datetime) -> None:
    """§5.1.1: 70 to 99 are 1970 to 1999, 0 to 69 are 2000 to 2069."""
    text = moment.strftime("%d-%b-%y %H:%M:%S").encode()
    assert parse_cookie_date(text) == calendar.timegm(moment.timetuple())


@pytest.mark.parametrize(
    "text",
    [
        b"01 Jan 1970 00:01:00",
        b"1 january 70 0:1:0",
        b"1JANX JANx 1970th 0:01:0x",
        b"00:01:00 01 1970 Jan",
        b"01\tJan\x2f1970\x3b00:01:00\x7e",
        b"01 Jan 1970 00:01:00 02 Feb 1980 11:11:11",
        b"Jan Feb 1 1970 0:1:0",
        b"x123456 1 Jan 1970 123:00:00 0:1:0",
        b"1 Jan 12345 1970 0:1:0",
        b"\x001 1 Jan 1970 0:1:0",
    ],
)
def test_a_date_is_what_its_tokens_look_like(text: bytes) -> None:
    """§5.1.1: first time, first day, first month, first year; what fits nothing is skipped."""
    assert parse_cookie_date(text) == 60.0


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"01 Jan 1970",
        b"Jan 1970 00:01:00",
        b"01 1970 00:01:00",
        b"01 Jan 00:01:00",
        b"00 Jan 1970 00:01:00",
        b"32 Jan 1970 00:01:00",
        b"31 Feb 1970 00:01:00",
        b"29 Feb 1900 00:01:00",
        b"01 Jan 1600 00:01:00",
        b"01 Jan 100 00:01:00",
        b"01 Jan 1970 24:00:00",
        b"01 Jan 1970 00:60:00",
        b"01 Jan 1970 00:00:60",
        b"01 Jan 1970 00:00",
        b"01 Jan 1970 000:00:00",
        b"01 Jan 1970 00:00:000",
        b"001 Jan 1970x 00:00:00",
        b"01 Jan 19701 00:00:00",
        b"01 Jan 7 00:00:00",
        b"01 Ja 1970 00:00:00",
        b"70 01 Jan 00:01:00",
        b"01\x0aJan 1970 00:00:00",
        b"01 \x85Jan 1970 00:00:00",
    ],
)
def test_a_date_with_a_part_missing_or_out_of_bounds_is_none(text: bytes) -> None:
    """§5.1.1: fail if a part is not found, out of its bounds, before 1601, or no such day."""
    assert parse_cookie_date(text) is None


@pytest.mark.parametrize("octet", range(256))
def test_tokens_end_at_a_delimiter_and_nowhere_else(octet: int) -> None:
    """§5.1.1: delimiters are %x09, %x20-2F, %x3B-40, %x5B-60 and %x7B-7E."""
    delimiters = b"\t !\"#$%&'()*+,-./;<=>?@[\\]^_`{|}~"
    found = parse_cookie_date(b"1%cJan 70 0:1:0" % octet)
    assert found == (60.0 if octet in delimiters else None)


def test_1601_is_the_first_year_and_9999_the_last() -> None:
    """§5.1.1: abort if the year is less than 1601; a year has at most four digits."""
    assert parse_cookie_date(b"1 Jan 1601 0:0:0") == -11_644_473_600.0
    assert parse_cookie_date(b"31 Dec 9999 23:59:59") == 253_402_300_799.0
    assert parse_cookie_date(b"29 Feb 2000 0:0:0") == 951_782_400.0


# --- Set-Cookie, changed ------------------------------------------------------------------------

removable = st.sampled_from([b"max-age", b"expires", b"path", b"secure", b"", b"x"])


@given(wild, st.frozensets(removable))
def test_dropping_an_attribute_leaves_every_other_byte(raw: bytes, names: frozenset[bytes]) -> None:
    """The app's own spelling, order and spaces stay; a browser sees one attribute less."""
    pair, *given = raw.split(b";")
    left = [pair]
    left += [each for each in given if each.split(b"=")[0].lower().strip(b"\t ") not in names]
    dropped = drop_attributes(raw, names)
    assert dropped == b";".join(left)
    assert (dropped is raw) == (len(left) == len(given) + 1)


def test_only_space_and_tab_are_white_space() -> None:
    """§5.6: WSP is SP and HTAB, whatever Python strips besides."""
    raw = b"a=b; Path\x0b=/;\x0cPath=/; \t Path\t =/"
    assert drop_attributes(raw, frozenset({b"path"})) == b"a=b; Path\x0b=/;\x0cPath=/"
    assert parse_cookie(b"\x0ba\x0c=\x0bb\xa0") == [(b"\x0ba\x0c", b"\x0bb\xa0")]


def test_the_pair_is_no_attribute() -> None:
    """A cookie may be called "path"; only what follows the first ";" is an attribute."""
    raw = b"max-age=1; Max-Age=2;max-age;MAX-AGE = 3 ;x=max-age"
    assert drop_attributes(raw, frozenset({b"max-age"})) == b"max-age=1;x=max-age"


@pytest.mark.parametrize(
    ("raw", "changed"),
    [
        (b"a=b", b"a=b; Secure; Max-Age=5"),
        (b"a=b;", b"a=b; Secure; Max-Age=5"),
        (b"a=b; \t", b"a=b; Secure; Max-Age=5"),
        (b"a=b; Path=/ ", b"a=b; Path=/ ; Secure; Max-Age=5"),
        (b"a=b;;", b"a=b;; Secure; Max-Age=5"),
        (b"", b"; Secure; Max-Age=5"),
    ],
)
def test_attributes_are_added_at_the_end(raw: bytes, changed: bytes) -> None:
    """The last valid attribute of a name counts (§5.7), so what stands last wins."""
    assert add_attributes(raw, b"Secure", b"Max-Age=5") == changed
    assert add_attributes(raw) is raw


@given(wild)
def test_an_added_attribute_changes_nothing_else(raw: bytes) -> None:
    """A header whose attributes are raised is the same cookie in every other respect."""
    before = parse_attributes(set_cookie_tail(raw))
    after = parse_attributes(set_cookie_tail(add_attributes(raw, b"HttpOnly", b"SameSite=Lax")))
    assert after == replace(before, http_only=True, same_site="lax")
    assert set_cookie_name(add_attributes(raw, b"HttpOnly")) == set_cookie_name(raw)


# --- Cookie -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        (b"", []),
        (b"; ;\t;", []),
        (b"a=b", [(b"a", b"b")]),
        (b"a=1; a=2;a=1", [(b"a", b"1"), (b"a", b"2"), (b"a", b"1")]),
        (b"foo", [(b"", b"foo")]),
        (b"=foo=bar", [(b"", b"foo=bar")]),
        (b"=", [(b"", b"")]),
        (b' a = "x;y" ', [(b"a", b'"x'), (b"", b'y"')]),
        (
            b'u[x]={"a":1}; a:b=c d; path=/',
            [(b"u[x]", b'{"a":1}'), (b"a:b", b"c d"), (b"path", b"/")],
        ),
        (b"\xc3\xa9=\xff\x01", [(b"\xc3\xa9", b"\xff\x01")]),
        (b'a=\\"%41', [(b"a", b'\\"%41')]),
    ],
)
def test_a_cookie_header_is_read_as_browsers_write_it(
    raw: bytes, pairs: list[tuple[bytes, bytes]]
) -> None:
    """§5.8.3: name, "=" and value, joined by "; "; a nameless cookie is its bare value."""
    assert parse_cookie(raw) == pairs


@given(st.lists(st.tuples(printable_names, values)))
def test_what_a_browser_sends_is_read_back_in_order(pairs: list[tuple[bytes, bytes]]) -> None:
    """§5.8.3: the order sent is the order of path length, so the first of a name is the nearest."""
    raw = b"; ".join(name + b"=" + value for name, value in pairs)
    assert parse_cookie(raw) == pairs
    for name, value in pairs:
        assert first_values([raw], name) == [v for n, v in pairs if n == name]
        assert value in first_values([b"", raw], name)


def test_every_value_of_a_name_is_found_over_several_headers() -> None:
    """R-81: several Cookie lines are accepted; a name inside another name or a value is not it."""
    headers = [b"a=1; b=2", b"ba=3; ab=4; x=a", b"A=5", b"a=6"]
    assert first_values(headers, b"a") == [b"1", b"6"]
    assert first_values(iter(headers), b"c") == []


@given(wild, st.sets(st.sampled_from([b"", b"a", b"_", b"Secure", b"Path"])))
def test_keeping_pairs_never_lets_a_refused_name_through(raw: bytes, refused: set[bytes]) -> None:
    """Whoever reads the header again finds the kept pairs, in order, and no other."""
    kept = keep_pairs(raw, lambda name: name not in refused)
    assert parse_cookie(kept) == [pair for pair in parse_cookie(raw) if pair[0] not in refused]


@given(wild)
def test_a_header_of_which_all_is_kept_is_the_same_object(raw: bytes) -> None:
    """Nothing is copied, and nothing normalised, for a visitor who may be read in full."""
    assert keep_pairs(raw, everything) is raw


def test_kept_pairs_stay_byte_for_byte() -> None:
    """Values belong to the app: quotes, inner spaces and octets above ASCII are not touched."""
    raw = b' a = "1  2" ;b=2;; \xc3\xa9 ; c==\xff= ;'
    assert keep_pairs(raw, lambda name: name != b"b") == b'a = "1  2"; \xc3\xa9; c==\xff='
    assert keep_pairs(raw, nothing) == b""


def test_an_empty_piece_is_not_asked_about() -> None:
    """Between two semicolons there is no cookie; a nameless one is asked about as b""."""
    asked: list[bytes] = []
    raw = b"a=1;; ;\t; b=2;=;c"
    assert keep_pairs(raw, lambda name: not asked.append(name)) is raw  # type: ignore[func-returns-value]
    assert asked == [b"a", b"b", b"", b""]


def test_what_follows_the_first_1024_pairs_is_not_handed_on() -> None:
    """A bound on work: a browser has room for some 180 cookies on a host."""
    pairs = [b"n%d=v" % number for number in range(MAX_PAIRS + 1)]
    full, over = b"; ".join(pairs[:-1]), b"; ".join(pairs)
    assert keep_pairs(full, everything) is full
    assert keep_pairs(over, everything) == full
    assert parse_cookie(over) == parse_cookie(full)
    assert len(parse_cookie(full)) == MAX_PAIRS
    assert first_values([over], b"n0") == [b"v"]
    assert first_values([over], b"n%d" % MAX_PAIRS) == []


# --- Set-Cookie, printed ------------------------------------------------------------------------


@given(printable_names, values, some_attributes)
def test_what_is_printed_is_read_back(name: bytes, value: bytes, options: dict) -> None:
    """parse∘print is the identity, so a browser stores what was asked for."""
    try:
        printed = print_set_cookie(name, value, **options)
    except ValueError:
        assume(False)  # noqa: FBT003 - a prefix, or SameSite=None without Secure: tested below
    defaults = {"path": b"/", "secure": True, "http_only": True, "same_site": "lax"}
    expected = Attributes(**{**defaults, **options})
    domain = expected.domain and expected.domain.removeprefix(b".").lower()
    assert parsed(printed) == SetCookie(name, value, replace(expected, domain=domain))
    assert set_cookie_name(printed) == name


@given(
    st.binary(max_size=12), st.binary(max_size=12), st.binary(max_size=12), st.binary(max_size=12)
)
def test_whatever_is_printed_says_only_what_was_asked(
    name: bytes, value: bytes, path: bytes, domain: bytes
) -> None:
    """No octet of any part can end it and begin another (injection)."""
    try:
        printed = print_set_cookie(name, value, path=b"/" + path, domain=domain)
    except ValueError:
        return
    cookie = parsed(printed)
    assert (cookie.name, cookie.value, cookie.attributes.path) == (name, value, b"/" + path)
    assert cookie.attributes.domain == domain.removeprefix(b".").lower()
    assert printed.count(b";") == 5


@pytest.mark.parametrize("octet", [*range(0x21), *b";=,", 0x7F])
def test_a_name_that_would_end_early_is_not_printable(octet: int) -> None:
    """A name may come from a client's Cookie header, so it is checked before it is written."""
    assert not is_printable_name(b"a%cb" % octet)
    with pytest.raises(ValueError, match="the name is empty"):
        print_removal(b"a%cb" % octet)


@pytest.mark.parametrize(
    ("name", "printable"),
    [
        (b"", False),
        (b"a" * MAX_PAIR, True),
        (b"a" * (MAX_PAIR + 1), False),
        ("é".encode(), True),
        ("é".encode("latin-1"), False),
        (b"\xed\xa0\x80", False),
        (b"!#$%&'()*+-./:<>?@[]^_`{|}~\"\\", True),
    ],
)
def test_a_printable_name_is_utf_8_and_of_a_size_browsers_store(
    name: bytes,
    printable: bool,  # noqa: FBT001
) -> None:
    """Names are UTF-8 on the wire; what is not would come back changed, or not at all."""
    assert is_printable_name(name) is printable


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"value": b"a;b"}, "the value"),
        ({"value": b"a\r\nb"}, "the value"),
        ({"value": b"a\tb"}, "the value"),
        ({"value": b" a"}, "the value"),
        ({"value": b"v" * MAX_PAIR}, "over 4096 octets"),
        ({"path": b""}, "the path"),
        ({"path": b"x"}, "the path"),
        ({"path": b"/; Domain=x"}, "the path"),
        ({"path": b"/ "}, "the path"),
        ({"path": b"/" + b"x" * MAX_ATTRIBUTE}, "the path"),
        ({"domain": b""}, "the domain"),
        ({"domain": b"."}, "the domain"),
        ({"domain": b"..example.org"}, "the domain"),
        ({"domain": b"a b"}, "the domain"),
        ({"domain": b"a;b"}, "the domain"),
        ({"domain": b"\xc3\xa9.example"}, "the domain"),
        ({"domain": b"a" * (MAX_ATTRIBUTE + 1)}, "the domain"),
        ({"max_age": 10**15}, "Max-Age"),
        ({"max_age": -(10**15)}, "Max-Age"),
        ({"max_age": 10**5000}, "Max-Age"),
        ({"same_site": "Lax"}, "SameSite is unknown"),
        ({"same_site": "none", "secure": False}, "need Secure"),
        ({"partitioned": True, "secure": False}, "need Secure"),
        ({"name": b"__secure-x", "secure": False}, "prefix"),
        ({"name": b"__Host-x", "secure": False}, "prefix"),
        ({"name": b"__Host-x", "path": b"/x"}, "prefix"),
        ({"name": b"__HOST-x", "domain": b"example.org"}, "prefix"),
        ({"name": b"__Http-x", "http_only": False}, "prefix"),
        ({"name": b"__Host-Http-x", "http_only": False}, "prefix"),
    ],
)
def test_what_a_browser_would_change_or_drop_is_not_printed(options: dict, fault: str) -> None:
    """§4.1, R-80, R-82, R-84: better an error for the developer than a cookie that never comes."""
    sound: dict[str, Any] = {"name": b"sid", "value": b"secret"}
    assert print_set_cookie(**sound)
    with pytest.raises(ValueError, match=fault) as caught:
        print_set_cookie(**(sound | options))
    assert "secret" not in str(caught.value)


def test_the_canonical_form() -> None:
    """One order and one spelling, so a printed header can be compared."""
    full = print_set_cookie(
        b"a",
        b'"1, 2"',
        path=b"/x",
        domain=b".Example.org",
        max_age=-1,
        same_site="none",
        partitioned=True,
    )
    assert full == (
        b'a="1, 2"; Path=/x; Domain=example.org; Max-Age=-1; '
        b"Secure; HttpOnly; SameSite=None; Partitioned"
    )
    bare = print_set_cookie(b"a", b"", secure=False, http_only=False, same_site=None)
    assert bare == b"a=; Path=/"
    assert print_removal(b"a", domain=b"example.org", partitioned=True, same_site="strict") == (
        b"a=; Path=/; Domain=example.org; Max-Age=0; Secure; SameSite=Strict; Partitioned"
    )


@given(printable_names, some_attributes, st.floats(0, 1e12))
def test_a_printed_removal_removes(name: bytes, options: dict, now: float) -> None:
    """An empty value and Max-Age=0; whatever the time is."""
    options.pop("max_age", None)
    try:
        removal = parsed(print_removal(name, **options))
    except ValueError:
        assume(False)  # noqa: FBT003 - a prefix, or SameSite=None without Secure
    assert (removal.name, removal.value) == (name, b"")
    assert removal.attributes.is_removal(now)
    assert not replace(removal.attributes, max_age=None).is_removal(now)


def test_a_cookie_with_a_future_is_no_removal() -> None:
    """The control of the test above."""
    assert not parsed(print_set_cookie(b"a", b"1", max_age=1)).attributes.is_removal(NOW)
    assert not parsed(print_set_cookie(b"a", b"")).attributes.is_removal(NOW)


# --- hostile and random input -------------------------------------------------------------------

SIZE = 1 << 16


@pytest.mark.parametrize(
    ("raw", "cookies", "name"),
    [
        (b";" * SIZE, 0, b""),
        (b" ;" * SIZE, 0, b""),
        (b" " * SIZE, 0, b""),
        (b"a=b;" * SIZE, MAX_PAIRS, b"a"),
        (b"a" * SIZE, 1, b""),
        (b"a" * SIZE + b"=", 1, b"a" * SIZE),
        (b"=" * SIZE, 1, b""),
        (b'a="' + b"\\" * SIZE, 1, b"a"),
        (b"a" + b" \t" * SIZE + b"=", 1, b"a"),
        (b"a=b" + b";Secure" * SIZE, MAX_PAIRS, b"a"),
    ],
    ids=count(),
)
def test_a_huge_header_is_read_like_a_small_one(raw: bytes, cookies: int, name: bytes) -> None:
    """Each function passes over its input a fixed number of times, whatever stands in it."""
    assert len(parse_cookie(raw)) == cookies
    assert parse_cookie(keep_pairs(raw, nothing)) == []
    assert set_cookie_name(raw) == name
    assert parse_attributes(set_cookie_tail(raw)).secure == (b"Secure" in raw)
    assert drop_attributes(raw, frozenset({b"secure"})).count(b"Secure") == 0


@pytest.mark.parametrize("unit", [b"1", b" ", b"a ", b"1:", b"11:11:11 ", b"jan"])
def test_a_huge_date_is_no_date(unit: bytes) -> None:
    """Tokens are matched at their start and never again."""
    assert parse_cookie_date(unit * SIZE) is None
    assert parse_cookie_date(b"1 Jan 70 0:0:0 " + unit * SIZE) == 0.0


@given(wild | st.binary())
def test_the_invariants_hold_for_any_bytes(data: bytes) -> None:
    """What the fuzz target checks, on what Hypothesis thinks of."""
    check_invariants(data)


@pytest.mark.parametrize("seed", SEEDS, ids=count())
def test_the_invariants_hold_for_the_seeds(seed: bytes) -> None:
    """The seeds reach every rule, so they are checked unmutated too."""
    check_invariants(seed)


def test_the_mutator_feeds_the_invariants() -> None:
    """The fuzz target itself is alive."""
    assert run_mutator(seconds=0.2) > 0


# --- the shared corpus --------------------------------------------------------------------------

TESTDATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "testdata"
CORPUS = TESTDATA / "set_cookie_strings.dev.json"
CASES = json.loads(CORPUS.read_text(encoding="utf-8")) if CORPUS.is_file() else []
needs_corpus = pytest.mark.skipif(not CASES, reason=f"shared test data not found at {TESTDATA}")

# Unstored strings that we read as cookies all the same, and why. Rows of another kind are errors.
READ_THOUGH_NOT_STORED = {
    "removal": "it deletes, which is for the caller to see",
    "domain": "its Domain does not match the host, which is not known here",
}


def raw_of(case: dict) -> bytes:
    return case["set_cookie_latin1"].encode("latin-1")


def stored_by(cookie: SetCookie) -> dict[str, object]:
    """What the jar would say of it, in the jar's words."""
    given = cookie.attributes
    jar = {
        "name": cookie.name.decode(),
        "value": cookie.value.decode(),
        "path": (given.path or b"/").decode(),
        "secure": given.secure,
        "httpOnly": given.http_only,
        "session": given.max_age is None and given.expires is None,
        "sameSite": given.same_site and given.same_site.capitalize(),
        "domain": "." + given.domain.decode() if given.domain else "home.example.org",
    }
    return {key: value for key, value in jar.items() if value is not None}


@needs_corpus
def test_every_cookie_a_browser_stored_is_read_as_it_was_stored() -> None:
    """Name, value, path, domain, flags and session agree with what Chromium 156 put in its jar."""
    stored = [case for case in CASES if case["stored"]]
    assert len(stored) > 100
    for case in stored:
        (jar,) = case["jar"]
        assert set_cookie_name(raw_of(case)).decode() == jar["name"], case["id"]
        assert stored_by(parsed(raw_of(case))) == jar, case["id"]


@needs_corpus
def test_no_cookie_a_browser_can_store_is_overlooked() -> None:
    """A storable string parses, is no removal, and its fast name is its name."""
    storable = [case for case in CASES if case["storable"]]
    assert len(storable) > 150
    for case in storable:
        cookie = parsed(raw_of(case))
        assert cookie.name == set_cookie_name(raw_of(case)), case["id"]
        assert not cookie.attributes.is_removal(NOW), case["id"]


@needs_corpus
def test_what_is_not_storable_is_dropped_or_a_removal_or_for_another_host() -> None:
    """Three reasons and no fourth: so nothing is read as a cookie that no browser takes."""
    seen = set()
    for case in CASES:
        cookie = parse_set_cookie(raw_of(case))
        if case["storable"] or cookie is None:
            continue
        is_removal = cookie.attributes.is_removal(NOW)
        reason = "removal" if is_removal else "domain" if cookie.attributes.domain else "none"
        assert reason in READ_THOUGH_NOT_STORED, case["id"]
        seen.add(reason)
    assert seen == set(READ_THOUGH_NOT_STORED)


@needs_corpus
def test_every_deleting_string_of_the_corpus_is_a_removal() -> None:
    """Max-Age of zero or less, or a date that had passed when the corpus was recorded."""
    deleting = [case for case in CASES if "max-age=0" in case["set_cookie_latin1"].lower()]
    assert len(deleting) > 5
    for case in deleting:
        assert parsed(raw_of(case)).attributes.is_removal(NOW), case["id"]


@needs_corpus
def test_the_invariants_hold_for_the_corpus() -> None:
    """Real and adversarial strings, as Set-Cookie, Cookie and date."""
    for case in CASES:
        check_invariants(raw_of(case))


@needs_corpus
def test_a_jar_sent_back_is_read_back() -> None:
    """§5.8.3: what was stored comes back as name=value, or as the bare value if nameless."""
    for case in CASES:
        for jar in case["jar"]:
            name, value = jar["name"].encode(), jar["value"].encode()
            header = name + b"=" + value if name else value
            assert parse_cookie(header) == [(name, value)], case["id"]
            assert keep_pairs(b"own=1; " + header, b"own".__eq__) == b"own=1", case["id"]


# --- what mutants taught -------------------------------------------------------------------------


def test_space_and_tab_are_the_only_white_space() -> None:
    """§5.6: WSP is %x20 and %x09; whoever strips more takes two cookies for one."""
    assert set_cookie_name(b"\x0ba=1") == split_set_cookie(b"\x0ba=1")[0] == b"\x0ba"
    assert parse_attributes(b"\x0bSecure; Path=/\x0b; \tHttpOnly") == Attributes(
        path=b"/\x0b", http_only=True
    )
    assert parse_cookie(b"\x0ba=1\x0c; \x0b; b\r") == [
        (b"\x0ba", b"1\x0c"),
        (b"", b"\x0b"),
        (b"", b"b\r"),
    ]
    assert keep_pairs(b"\x0ba=1; a=2", b"\x0ba".__eq__) == b"\x0ba=1"
    assert keep_pairs(b"\x0b; a=1", nothing) == b""
    assert add_attributes(b"a=1;\x0b", b"Secure") == b"a=1;\x0b; Secure"
    assert has_plain_lifetime(b"\x0bMax-Age=0; Max-Age=1")
    assert not has_plain_lifetime(b" \tMax-Age=0; Max-Age=1")


@given(wild)
@example(b"a=b=c; d; e=f")
def test_both_at_once_are_each_alone(raw: bytes) -> None:
    """The split in one step is the two that stand in the tests of §5.6."""
    assert split_set_cookie(raw) == (set_cookie_name(raw), set_cookie_tail(raw))


def test_a_date_is_in_utc_wherever_the_server_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """§5.1.1: the time zone of a cookie date is UTC, whatever the machine's is."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert parse_cookie_date(b"1 Jan 1970 00:01:00") == 60.0
    time.tzset()


@pytest.mark.parametrize("digits", [b"123456789012345", b"999999999999999", b"1000000000000000"])
def test_an_age_is_read_to_its_last_digit(digits: bytes) -> None:
    """§5.6.2: as many digits as the longest age has are still read; more are the longest."""
    assert parse_attributes(b"Max-Age=" + digits).max_age == min(int(digits), 10**15 - 1)


def test_what_follows_the_last_pair_that_is_looked_at_is_never_kept() -> None:
    """A refused cookie among too many: neither it nor what hides behind it goes through."""
    raw = b"; ".join([b"x=1", b"bad=1", *[b"a=1"] * MAX_PAIRS, b"bad=2"])
    kept = keep_pairs(raw, b"bad".__ne__)
    assert kept.startswith(b"x=1; a=1")
    assert b"bad" not in kept
    assert len(parse_cookie(kept)) == MAX_PAIRS - 1


def test_a_removal_says_no_more_than_it_is_asked_to() -> None:
    """§5.7: Partitioned names another cookie, and __Http- is dropped without HttpOnly."""
    assert print_removal(b"a") == b"a=; Path=/; Max-Age=0; Secure"
    assert print_removal(b"__Http-a", http_only=True).endswith(b"; HttpOnly")
    with pytest.raises(ValueError, match="__Http- Secure and HttpOnly"):
        print_removal(b"__Http-a")


@pytest.mark.parametrize("more", [0, 1])
def test_path_and_domain_may_be_as_long_as_browsers_read_them(more: int) -> None:
    """§5.6: an attribute's value of 1024 octets counts, and one of 1025 is ignored."""
    parts: tuple[dict[str, Any], ...]
    parts = ({"path": b"/" + b"a" * (1023 + more)}, {"domain": b"a" * (1024 + more)})
    for part in parts:
        if more:
            with pytest.raises(ValueError, match="Set-Cookie"):
                print_removal(b"a", **part)
        else:
            assert print_removal(b"a", **part).count(b"a" * 1023) == 1


def test_a_fault_quotes_the_beginning_of_a_long_name() -> None:
    """It is told which cookie, and not with four thousand letters."""
    with pytest.raises(ValueError, match=f"Set-Cookie b'{'a' * 60}': "):
        print_removal(b"a" * 61 + b";")


@pytest.mark.parametrize(
    ("path", "above"),
    [
        (b"/", [b"/", b"/"]),
        (b"/a", [b"/", b"/a"]),
        (b"/a/b/c/d/e/f", [b"/", b"/a", b"/a/b", b"/a/b/c", b"/a/b/c/d/e/f"]),
    ],
)
def test_a_cookie_of_a_path_above_comes_along(path: bytes, above: list[bytes]) -> None:
    """§5.1.4: the path itself, and the first folders above it."""
    assert paths_above(path) == above


@pytest.mark.parametrize(
    ("tail", "is_plain"),
    [
        (b"", True),
        (b" Path=/; Secure", True),
        (b"Max-Age=60", True),
        (b"Max-Age=-1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        (b"Expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        (b"Max-Age=soon", True),
        (b"Max-Age=+60", False),
        (b"Max-Age=60; max-age =60", False),
        (b"Max-Age=" + b"0" * 1025, False),
        (b"Max-Age=" + b"0" * 1024, True),
        (b"Max-Age=60=1", False),
        (b"Max-Age=60\x0b", False),
        (b"Expires=Thu, 01 Jan 99999 00:00:00 GMT", False),
    ],
)
def test_a_lifetime_is_plain_if_no_browser_reads_another(tail: bytes, *, is_plain: bool) -> None:
    """RFC 6265bis 5.6: what is not valid is read in more than one way."""
    assert has_plain_lifetime(tail) is is_plain


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        (b"www.example.org", [b"www.example.org", b"example.org"]),
        (b"WWW.Example.org:8443", [b"www.example.org", b"example.org"]),
        (b"example.org", [b"example.org"]),
        (b"localhost", []),
        (b"localhost:8000", []),
        (b"127.0.0.1", []),
        (b"127.0.0.1:8000", []),
        (b"[::1]", []),
        (b"[::1]:8000", []),
        (b"[2001:db8::7]:443", []),
        (b"[::ffff:192.0.2.1]", []),
        (b"[::ffff:192.0.2.1]:443", []),
        (b"", []),
        (b":80", []),
    ],
)
def test_the_domains_a_cookie_of_this_host_can_have(host: bytes, domains: list[bytes]) -> None:
    """RFC 6265bis section 5.1.3: an address has no parent, and a single label none either."""
    assert parent_domains(host) == domains


@given(st.binary(max_size=60))
@example(b"a." * 100)
def test_a_host_of_any_bytes_has_a_few_domains(host: bytes) -> None:
    """A stranger's header: bounded, never an error."""
    assert len(parent_domains(host)) <= 8


@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("/", b"/"),
        ("/a", b"/"),
        ("/a/", b"/a"),
        ("/a/b", b"/a"),
        ("", b"/"),
        ("*", b"/"),
        ("/é/x", "/é".encode()),
        ("/\udcff/x", b"/\xff"),
    ],
)
def test_a_cookie_without_path_belongs_to_the_pages_directory(path: str, default: bytes) -> None:
    """RFC 6265bis section 5.1.4."""
    assert default_path(path) == default
