"""A page on its way out: which may be changed, and what its headers say then."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.wire.representation import (
    asks_for_page,
    asks_to_show_in_a_tab,
    is_page,
    page_headers,
)

REQUEST = {b"sec-fetch-dest": b"document"}
HTML = {b"content-type": b"text/html; charset=utf-8"}


def may_be_changed(status: int, answer: dict[bytes, bytes], request: dict[bytes, bytes]) -> bool:
    """Whether both the answer and the request let a page have a notice."""
    return is_page(status, [*answer.items()]) and asks_to_show_in_a_tab(request)


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
        ({b"sec-fetch-dest": b"empty", b"hx-request": b"1", b"hx-boosted": b"true"}, True),
        ({b"sec-fetch-dest": b"empty", b"x-turbo-request-id": b"1"}, True),
        ({b"sec-fetch-dest": b"empty", b"x-turbo-request-id": b"1", b"turbo-frame": b"x"}, False),
        ({**REQUEST, b"x-requested-with": b"XMLHttpRequest"}, False),
    ],
)
def test_the_request_says_whether_a_page_asks_to_show_in_a_tab(
    request_: dict[bytes, bytes],
    may: bool,  # noqa: FBT001
) -> None:
    """DESIGN §5: no banner in frames, none in fragments."""
    assert may_be_changed(200, HTML, request_) is may


@pytest.mark.parametrize(
    ("request_", "asks"),
    [
        ({b"sec-fetch-dest": b"document"}, True),
        ({b"sec-fetch-dest": b"iframe"}, True),
        ({b"sec-fetch-dest": b"object"}, True),
        ({b"sec-fetch-dest": b"image", b"accept": b"text/html"}, False),
        ({b"sec-fetch-dest": b"empty", b"accept": b"application/json"}, False),
        ({b"sec-fetch-dest": b"empty", b"accept": b"text/vnd.turbo-stream.html, text/html"}, True),
        ({b"sec-fetch-dest": b"empty", b"accept": b"*/*", b"hx-request": b"true"}, True),
        ({b"accept": b"text/html,*/*"}, True),
        ({b"accept": b"*/*"}, False),
        ({}, False),
    ],
)
def test_the_request_says_whether_a_page_is_asked_for(
    request_: dict[bytes, bytes],
    asks: bool,  # noqa: FBT001
) -> None:
    """R-87: identity is asked for where a page may come, and a script's JSON is left in peace."""
    assert asks_for_page(request_) is asks


@pytest.mark.parametrize(
    ("etag", "then"),
    [
        (b'"abc"', b'"abc-ck.k1"'),
        (b'W/"abc"', b'W/"abc-ck.k1"'),
        (b"abc", None),
    ],
)
@pytest.mark.parametrize("grown", [None, 5, -1])
def test_a_page_that_depends_on_its_visitor_has_an_etag_of_its_own(
    etag: bytes, then: bytes | None, grown: int | None
) -> None:
    """R-89: changed or not, it is another one than the next visitor's."""
    headers = dict(page_headers([(b"ETag", etag)], VARY, grown, b"k1"))
    assert headers.get(b"etag") == then


# their headers

VARY = b"Cookie, Sec-GPC"


def test_a_page_that_grew_says_its_new_length() -> None:
    """R-86: Content-Length is right; validators of the old page and digests are gone."""
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
