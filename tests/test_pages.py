"""Pages: which may be changed, how they are changed, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.memory import Memory
from consentkit.pages import (
    MOST_PREFIXES,
    KnownStart,
    Pages,
    is_page,
    is_shown_in_a_tab,
    page_headers,
)
from consentkit.rules.consent import NOBODY_YET, Consent, Given
from consentkit.rules.policy import Policy
from consentkit.rules.signals import Signal
from consentkit.rules.visitor import Standing
from consentkit.wire.body_start import NOWHERE, BodyStart
from tests.apps import DECLARED, NAVIGATION, NOW, PAGE, consent, get, policy, says

REQUEST = {b"sec-fetch-dest": b"document"}
HTML = {b"content-type": b"text/html; charset=utf-8"}
TOKENS = ("__Host-consent", "__Host-consent-seen")


def may_be_changed(status: int, answer: dict[bytes, bytes], request: dict[bytes, bytes]) -> bool:
    """Whether both the answer and the request let a page be changed."""
    return is_page(status, [*answer.items()]) and is_shown_in_a_tab(request)


def pages(**changes: Any) -> Pages:
    """The pages of a policy."""
    return Pages(policy(**changes), TOKENS, "/consent")


def standing(rules: Policy, consent: Consent = NOBODY_YET, *signals: Signal) -> Standing:
    """A visitor's standing."""
    return Standing(rules, consent, frozenset(signals), NOW)


# which pages


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 410, 500, 503])
def test_pages_of_every_ordinary_status_may_be_changed(status: int) -> None:
    """R-01: an error page is a page as well."""
    assert may_be_changed(status, HTML, REQUEST)


@pytest.mark.parametrize("status", [204, 205, 206, 304])
def test_what_has_no_whole_body_is_left_alone(status: int) -> None:
    """R-87: there is nothing to put a notice into."""
    assert not may_be_changed(status, HTML, REQUEST)


@pytest.mark.parametrize(
    ("answer", "may"),
    [
        ({b"content-type": b"Text/HTML"}, True),
        ({b"content-type": b" text/html ; charset=x"}, True),
        ({b"content-type": b"text/html-fragment"}, False),
        ({b"content-type": b"application/xhtml+xml"}, False),
        ({b"content-type": b"application/json"}, False),
        ({}, False),
        ({**HTML, b"content-encoding": b"Identity"}, True),
        ({**HTML, b"content-encoding": b"br"}, False),
        ({**HTML, b"content-disposition": b"inline"}, True),
        ({**HTML, b"content-disposition": b"Attachment; filename=a"}, False),
        ({**HTML, b"cache-control": b"public, max-age=60"}, True),
        ({**HTML, b"cache-control": b"public, No-Transform"}, False),
    ],
)
def test_the_answer_says_whether_it_may_be_changed(answer: dict[bytes, bytes], may: bool) -> None:  # noqa: FBT001
    """RFC 9110 §7.7, RFC 9111 §5.2.2.6, RFC 6266: whole HTML, plain, shown, transformable."""
    assert may_be_changed(200, answer, REQUEST) is may


@pytest.mark.parametrize(
    ("request_", "may"),
    [
        ({}, True),
        ({b"sec-fetch-dest": b"iframe"}, False),
        ({b"sec-fetch-dest": b"empty"}, False),
        ({**REQUEST, b"hx-request": b"true"}, False),
        ({**REQUEST, b"hx-request": b"true", b"hx-boosted": b"true"}, True),
        ({**REQUEST, b"turbo-frame": b"x"}, False),
        ({**REQUEST, b"x-requested-with": b"XMLHttpRequest"}, False),
    ],
)
def test_the_request_says_whether_a_page_is_shown_in_a_tab(
    request_: dict[bytes, bytes],
    may: bool,  # noqa: FBT001
) -> None:
    """DESIGN §5: no banner in frames, none in fragments."""
    assert may_be_changed(200, HTML, request_) is may


# their headers

VARY = b"Cookie, Sec-GPC"


def test_a_page_that_grew_says_its_new_length() -> None:
    """R-86: Content-Length is right; validators and digests are gone."""
    headers = [(b"content-length", b"10"), (b"ETag", b'"1"'), (b"x-own", b"1")]
    assert page_headers(headers, VARY, 5) == [
        (b"content-length", b"15"),
        (b"x-own", b"1"),
        (b"vary", VARY),
        (b"cache-control", b"private, no-cache"),
    ]


def test_a_page_that_stays_as_it_is_keeps_its_validators() -> None:
    """It depends on the visitor all the same."""
    headers = [(b"content-length", b"10"), (b"etag", b'"1"')]
    assert page_headers(headers, VARY, None)[:2] == headers


@pytest.mark.parametrize(("length", "grown"), [(b"10", -1), (b"ten", 5), (b"", 5)])
def test_a_length_nobody_knows_is_not_sent(length: bytes, grown: int) -> None:
    """RFC 9110 §8.6: a wrong Content-Length is worse than none."""
    names = [name for name, _ in page_headers([(b"content-length", length)], VARY, grown)]
    assert names == [b"vary", b"cache-control"]


@pytest.mark.parametrize(
    ("there", "then"),
    [
        ((), VARY),
        ((b"Accept-Encoding",), b"Accept-Encoding, Cookie, Sec-GPC"),
        ((b"cookie",), b"cookie, Sec-GPC"),
        ((b"Origin", b"Accept"), b"Origin, Accept, Cookie, Sec-GPC"),
        ((b"*",), b"*"),
    ],
)
def test_vary_is_one_header_with_every_name_once(there: Sequence[bytes], then: bytes) -> None:
    """RFC 9110 §12.5.5."""
    headers = page_headers([(b"Vary", value) for value in there], VARY, None)
    [vary] = [value for name, value in headers if name == b"vary"]
    names = [name.strip().lower() for name in vary.split(b",")]
    assert sorted(names) == sorted(name.strip().lower() for name in then.split(b","))
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("there", "then"),
    [
        ((), b"private, no-cache"),
        ((b"max-age=60",), b"max-age=60, private, no-cache"),
        ((b"public, s-maxage=60, max-age=5",), b"max-age=5, private, no-cache"),
        ((b"private",), b"private, no-cache"),
        ((b"no-store",), b"no-store"),
        ((b"max-age=5", b"No-Store"), b"max-age=5,No-Store"),
    ],
)
def test_a_page_is_private_and_asked_for_again(there: Sequence[bytes], then: bytes) -> None:
    """R-88: never publicly cacheable; what must not be stored stays so."""
    headers = page_headers([(b"cache-control", value) for value in there], VARY, None)
    assert [value for name, value in headers if name == b"cache-control"] == [then]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"x-a", b"etag", b"content-length", b"vary", b"cache-control"]),
            st.sampled_from([b"1", b"a, b", b"public", b"no-store"]),
        )
    ),
    st.one_of(st.none(), st.integers(-1, 10)),
)
def test_headers_of_a_page_are_changed_once(
    headers: list[tuple[bytes, bytes]], grown: int | None
) -> None:
    """Nesting middlewares changes nothing twice: Vary and Cache-Control come to rest."""
    once = page_headers(headers, VARY, grown)
    twice = page_headers(once, VARY, None)
    assert [(n, v) for n, v in twice if n != b"cache-control"] == [
        (n, v) for n, v in once if n != b"cache-control"
    ]
    assert [n for n, _ in once].count(b"vary") == [n for n, _ in once].count(b"cache-control") == 1


# what they depend on


def test_vary_names_what_the_policy_makes_pages_depend_on() -> None:
    """R-88: Cookie; Sec-GPC and DNT where honoured; Accept-Language where there is a choice."""
    purpose = DECLARED["purposes"]["measurement"]
    purposes = dict(DECLARED["purposes"])
    assert pages().vary == b"Cookie, Sec-GPC"
    assert pages(languages=["en", "de"]).vary == b"Cookie, Sec-GPC, Accept-Language"
    deaf = {**purposes, "measurement": {**purpose, "honours": []}}
    assert pages(purposes=deaf).vary == b"Cookie"
    both = {**purposes, "measurement": {**purpose, "honours": ["gpc", "dnt"]}}
    assert pages(purposes=both).vary == b"Cookie, DNT, Sec-GPC"
    nothing = {
        "purposes": {"necessary": purposes["necessary"]},
        "cookies": {"sid": DECLARED["cookies"]["sid"]},
    }
    assert pages(**nothing).vary == b""
    assert pages(**nothing, languages=["en", "de"]).vary == b"Accept-Language"


def test_a_page_of_one_visitor_says_nothing_to_shared_caches() -> None:
    """RFC 9213: a targeted field would outweigh Cache-Control in the cache it names."""
    targeted = [(b"CDN-Cache-Control", b"max-age=60"), (b"surrogate-control", b"max-age=60")]
    assert [n for n, _ in page_headers(targeted, VARY, 5)] == [b"vary", b"cache-control"]
    assert [n for n, _ in page_headers(targeted, VARY, None)] == [b"vary", b"cache-control"]
    assert page_headers(targeted, b"", 5) == targeted


@pytest.mark.parametrize("vary", [b"", b"Accept-Language"])
def test_a_page_that_is_alike_for_everyone_stays_shared(vary: bytes) -> None:
    """R-88: `private` exactly where the answer depends on the visitor."""
    headers = [(b"cache-control", b"public, max-age=60"), (b"vary", b"Origin")]
    wanted = b"Origin, Accept-Language" if vary else b"Origin"
    assert page_headers(headers, vary, 5) == [
        (b"vary", wanted),
        (b"cache-control", b"public, max-age=60"),
    ]
    assert page_headers([], vary, 5) == ([(b"vary", vary)] if vary else [])


# languages


@pytest.mark.parametrize(
    ("page", "wanted", "language"),
    [
        (b"<html lang=de><body>", b"en", "de"),
        (b"<html lang=de-AT><body>", b"en", "de"),
        (b"<html lang=fr><body>", b"de", "de"),
        (b"<html><body>", b"de;q=0.5, en;q=0.4", "de"),
        (b"<html lang=fr><body>", b"fr", "en"),
        (b"<body>", b"", "en"),
    ],
)
def test_the_notice_speaks_the_language_of_the_page(
    page: bytes, wanted: bytes, language: str
) -> None:
    """R-07: in the language of the page, before those the browser wants."""
    assert pages(languages=["en", "de"]).language(page, wanted) == language


def test_a_site_of_one_language_looks_no_further() -> None:
    """There is nothing to choose."""
    assert pages(languages=["de"]).language(b"<html lang=en><body>", b"en") == "de"


@pytest.mark.anyio
async def test_a_page_is_asked_in_one_language_throughout() -> None:
    """R-07: the notice and the placeholders below it do not differ."""
    page = b'<html lang=de><body><p data-consentkit="settings-link"></p>'
    rules = policy(languages=["en", "de"], placeholders=["/"])
    app = consent(says(page), rules)
    outcome = await get(app, "/", {**NAVIGATION, "accept-language": "en"})
    assert b'lang="de"' in outcome.body
    assert b'lang="en"' not in outcome.body


# edits


def edit_of(rules: Policy, who: Standing, address: bytes = b"/", root: str = "") -> Any:
    """How a page is changed."""
    return Pages(rules, TOKENS, "/consent").edit(who, REQUEST, address, root)


def test_where_nothing_is_asked_no_page_depends_on_the_visitor() -> None:
    """DC-12, FZ-06: a policy of strictly necessary purposes costs no page anything."""
    rules = policy(
        purposes={"necessary": DECLARED["purposes"]["necessary"]},
        cookies={"sid": DECLARED["cookies"]["sid"]},
    )
    assert edit_of(rules, standing(rules)) is None
    filled = rules.model_copy(update={"placeholders": ("/",)})
    edit = edit_of(filled, standing(filled))
    assert not edit.holds_back
    assert edit.feed(b'<p data-consentkit="settings-link">', last=True).count(b"<a") == 1


def test_only_a_question_is_asked() -> None:
    """R-39: a settings link and the status of a signal are told, and ask nothing."""
    rules = policy()
    granted = Consent({"measurement": Given(granted=True, revision=1, time=int(NOW))})
    for who, asks in (
        (standing(rules), True),
        (standing(rules, granted), False),
        (standing(rules, NOBODY_YET, Signal.GPC), False),
    ):
        edit = edit_of(rules, who)
        assert not edit.was_asked  # not before it stands in the page
        assert edit.grown == -1
        body = edit.feed(b"<body>", last=False)
        assert edit.was_asked is asks
        assert edit.is_done
        assert edit.grown == len(body) - len(b"<body>") > 0


def test_a_page_given_up_gives_back_what_was_held() -> None:
    """AP-12: byte for byte, and it is the same for every visitor then."""
    rules = policy()
    edit = edit_of(rules, standing(rules))
    assert edit.feed(b"<title>x", last=False) is None
    assert edit.feed(b"</title>", last=False) is None
    assert edit.given_up() == b"<title>x</title>"
    assert edit.is_unchanged
    assert edit.given_up() == b""


def test_a_page_given_up_before_its_first_chunk_held_nothing() -> None:
    """The start alone was held."""
    rules = policy()
    edit = edit_of(rules, standing(rules))
    assert edit.given_up() == b""
    assert edit.is_unchanged


@pytest.mark.parametrize(
    "page", [b"<frameset></frameset>", b"\xff\xfe<\0b\0", b"<title>" + b"x" * 70_000]
)
def test_a_page_without_a_place_stays_as_it_is(page: bytes) -> None:
    """SP-01: a document we cannot place it in is untouched."""
    rules = policy()
    edit = edit_of(rules, standing(rules))
    assert edit.feed(page, last=True) == page
    assert edit.is_unchanged
    assert edit.grown is None
    assert not edit.was_asked
    filled = edit_of(policy(placeholders=["/"]), standing(rules))
    assert filled.feed(page, last=True) == page
    assert not filled.is_unchanged  # what is in its placeholders may depend on the visitor


def test_a_notice_is_rendered_once_for_all_who_are_shown_the_same() -> None:
    """DESIGN §8: rendered once per policy, language and state."""
    rules = policy()
    made = Pages(rules, TOKENS, "/consent")
    one, other = made.shown_to(standing(rules)), made.shown_to(standing(rules))
    first = made.notice(one, "en", "/consent")
    assert one is not other
    assert made.notice(one, "en", "/consent") is made.notice(other, "en", "/consent") is first
    assert made.notice(one, "en", "/shop/consent") is not first


def test_what_is_kept_for_each_standing_is_bounded() -> None:
    """DESIGN §9, bounded everything: a root_path that changes every time fills no memory."""
    rules = policy()
    made = Pages(rules, TOKENS, "/consent")
    shown = made.shown_to(standing(rules))
    for number in range(3 * MOST_PREFIXES):
        assert made.notice(shown, "en", f"/{number}/consent").before
    assert len(shown.notices) == MOST_PREFIXES


# a page that begins as it did the last time

HEADS = st.sampled_from(
    [
        b"<body>",
        b"<!doctype html><html><head><title>A</title></head><body class=a>",
        b"<html><head><title>B</title><body>",
        b"<title>C</title><p>",
        b"<p>no head at all",
        b"",
        b"<!-- <body> --><body id=x>",
        b"<frameset>",
        b"\xff\xfe<",
        b"<head><template><body></template></head><BODY>",
        b"<script>'<body>'</script><body>",
        b"<title>" + b"x" * 20_000 + b"</title><body>",
    ]
)
TAILS = st.sampled_from(
    [b"", b"<p>one", b"<p>two</p>", b" ", b"<!-- -->", b"</body>", b"<frameset>"]
)


def placed(start: Any, chunks: Sequence[bytes]) -> tuple[bytes, int]:
    """What was held back when the place was found, and the place."""
    for at, chunk in enumerate(chunks):
        found = start.feed(chunk, last=at == len(chunks) - 1)
        if found is not None:
            held, place = found
            return b"".join((held, *chunks[at + 1 :])), place
    raise AssertionError("the last chunk always decides")


def scanned(page: bytes) -> tuple[bytes, int]:
    """The same by a fresh scan."""
    start = BodyStart()
    found = start.feed(page, last=True)
    assert found is not None
    return start.held, found


def cut(page: bytes, places: list[int]) -> list[bytes]:
    """The page in chunks."""
    ends = [0, *sorted(place % (len(page) + 1) for place in places), len(page)]
    return [page[a:b] for a, b in pairwise(ends)]


@given(st.lists(st.tuples(HEADS, TAILS, st.lists(st.integers(0, 30_000), max_size=3)), min_size=1))
def test_a_known_beginning_gives_the_place_of_a_fresh_scan(
    visits: list[tuple[bytes, bytes, list[int]]],
) -> None:
    """DESIGN §8: remembered or scanned, whole or in pieces, changed or the same: one place."""
    heads: Memory[bytes, bytes] = Memory(256, 1 << 20)
    for head, tail, places in visits:
        page = head + tail
        wanted = scanned(page)
        assert placed(KnownStart(heads, b"/"), cut(page, places)) == wanted
        assert placed(KnownStart(heads, b"/"), [page]) == wanted


@given(
    st.binary(max_size=40).map(lambda b: b.replace(b"<", b"[")),
    st.binary(max_size=10),
    st.binary(max_size=10),
)
def test_pages_that_differ_around_the_body_tag_are_not_mixed_up(
    title: bytes, before: bytes, after: bytes
) -> None:
    """A beginning counts only byte for byte, up to the end of the body tag."""
    heads: Memory[bytes, bytes] = Memory(256, 1 << 20)
    pages_ = [
        b"<title>%b</title><body>" % title,
        b"<title>%b</title>%b<body>" % (title, before),
        b"<title>%b</title><body%b>" % (title, after),
        b"<title>%b</title><body>%b" % (title, after),
        b"<title>%b</title><bod" % title,
    ]
    for page in [*pages_, *reversed(pages_)]:
        assert placed(KnownStart(heads, b"/"), [page]) == scanned(page)


def test_a_known_beginning_is_not_scanned_again() -> None:
    """The control: the second time the place is known from the first chunk."""
    heads: Memory[bytes, bytes] = Memory(256, 1 << 20)
    start = KnownStart(heads, b"/")
    assert start.feed(PAGE, last=True) == scanned(PAGE)
    again = KnownStart(heads, b"/")
    assert again.held == b""
    assert again.feed(PAGE + b"more", last=False) == (PAGE + b"more", scanned(PAGE)[1])
    assert again._scan is None
    other = KnownStart(heads, b"/other")
    assert other.feed(PAGE, last=True) == scanned(PAGE)
    assert other._scan is not None


def test_only_beginnings_that_stand_alone_are_remembered() -> None:
    """An implied body's place depends on what follows, a long head costs memory: neither stays."""
    long_head = b"<title>%b</title><body>" % (b"x" * KnownStart.LARGEST)
    for page in (b"<title>x</title><p>", b"<frameset>", long_head):
        heads: Memory[bytes, bytes] = Memory(256, 1 << 20)
        KnownStart(heads, b"/").feed(page, last=True)
        assert heads.get(b"/") is None
    heads = Memory(256, 1 << 20)
    KnownStart(heads, b"/").feed(b"<title>x</title><body>y", last=True)
    assert heads.get(b"/") == b"<title>x</title><body>"
    assert scanned(b"<frameset>")[1] == NOWHERE


# the memory they share with enforcement


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 40))))
def test_a_memory_never_gives_what_was_not_put_under_the_key(
    puts: list[tuple[int, int]],
) -> None:
    """It may forget, and it never mixes up; it holds at most twice its entries."""
    memory: Memory[int, str] = Memory(4, 100)
    last: dict[int, str] = {}
    for key, size in puts:
        value = f"{key}:{size}"
        memory.put(key, value, size)
        last[key] = value
        assert memory.get(key) == value
        assert len(memory._young) + len(memory._old) <= 8
    for key, value in last.items():
        assert memory.get(key) in (value, None)
    assert memory.get(99) is None


def test_what_is_asked_for_stays() -> None:
    """A look-up moves an entry to the young generation, so it outlives the others."""
    memory: Memory[str, int] = Memory(2, 100)
    memory.put("kept", 1, 1)
    for other in range(20):
        memory.put(f"other {other}", other, 1)
        assert memory.get("kept") == 1
    assert memory.get("other 0") is None


def test_large_things_make_room_for_themselves() -> None:
    """The sizes are bounded as well as the count."""
    memory: Memory[str, int] = Memory(100, 10)
    for at, name in enumerate("abc"):
        memory.put(name, at, 9)
    assert memory.get("a") is None
    assert memory.get("c") == 2


def test_a_memory_can_be_cleared() -> None:
    """Both generations go."""
    memory: Memory[str, int] = Memory(1, 100)
    memory.put("a", 1, 1)
    memory.put("b", 2, 1)
    assert (memory.get("a"), memory.get("b")) == (1, 2)
    memory.clear()
    assert (memory.get("a"), memory.get("b")) == (None, None)
