import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consentkit.wire.headers import (
    accepted_languages,
    cache_directives,
    first_values,
    is_deliberate_navigation,
    is_document_request,
    is_from_same_origin,
    is_partial_page_request,
    is_speculative,
    make_private,
    merge_vary,
    without,
)

CLICKED = {
    b"host": b"example.org",
    b"user-agent": b"Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
    b"accept": b"text/html,application/xhtml+xml,*/*;q=0.8",
    b"sec-fetch-mode": b"navigate",
    b"sec-fetch-dest": b"document",
    b"sec-fetch-site": b"same-origin",
    b"sec-fetch-user": b"?1",
}
OLD_BROWSER = {
    **{name: CLICKED[name] for name in (b"host", b"user-agent", b"accept")},
    b"referer": b"https://example.org/news",
}
names = st.sampled_from([b"Vary", b"vary", b"Set-Cookie", b"set-cookie", b"X-A"])
header_lists = st.lists(st.tuples(names, st.binary(max_size=5)))


@given(header_lists)
def test_fields_hold_the_first_value_of_each_name(headers: list[tuple[bytes, bytes]]) -> None:
    """Names are compared without regard to case (RFC 9110 section 5.1)."""
    fields = first_values(headers)
    assert set(fields) == {name.lower() for name, _ in headers}
    for name, value in fields.items():
        assert value == next(v for n, v in headers if n.lower() == name)


def test_fields_are_bytes_whatever_the_server_hands_over() -> None:
    """Some servers hand over memoryviews or bytearrays."""
    assert first_values([(bytearray(b"Accept"), memoryview(b"*/*"))]) == {  # type: ignore[list-item]
        b"accept": b"*/*"
    }


@given(header_lists)
def test_headers_are_left_out_by_name_and_the_rest_keep_their_order(
    headers: list[tuple[bytes, bytes]],
) -> None:
    """Whatever the case of the name."""
    assert without(headers, {b"vary"}) == [h for h in headers if h[0].lower() != b"vary"]


# Who asks


@pytest.mark.parametrize(
    ("fields", "is_document"),
    [
        ({b"sec-fetch-dest": b"document"}, True),
        ({b"sec-fetch-dest": b"iframe", b"accept": b"text/html"}, False),
        ({b"sec-fetch-dest": b"empty", b"accept": b"text/html"}, False),
        ({b"accept": b"Text/HTML,*/*"}, True),
        ({b"accept": b"*/*"}, False),
        ({}, False),
    ],
)
def test_fetch_metadata_says_what_a_page_is_asked_for(
    fields: dict[bytes, bytes],
    is_document: bool,  # noqa: FBT001
) -> None:
    """A browser without it is believed if it accepts HTML."""
    assert is_document_request(fields) is is_document


@pytest.mark.parametrize(
    ("fields", "is_partial"),
    [
        ({b"turbo-frame": b"poll"}, True),
        ({b"x-requested-with": b"XMLHttpRequest"}, True),
        ({b"x-requested-with": b"org.example.app"}, False),  # an Android web view shows pages
        ({b"hx-request": b"true"}, True),
        ({b"hx-request": b"true", b"hx-boosted": b"true"}, False),
        ({}, False),
    ],
)
def test_a_piece_of_a_page_is_told_from_a_page(
    fields: dict[bytes, bytes],
    is_partial: bool,  # noqa: FBT001
) -> None:
    """R-87: fragments are not transformed; a boosted link of htmx fetches the whole page."""
    assert is_partial_page_request(fields) is is_partial


@pytest.mark.parametrize(
    ("name", "value", "is_ahead"),
    [
        (b"sec-purpose", b"prefetch", True),
        (b"sec-purpose", b"prefetch;prerender", True),
        (b"sec-purpose", b"Prefetch;anonymous-client-ip", True),
        (b"purpose", b"prefetch", True),
        (b"sec-purpose", b"", False),
        (b"x-purpose", b"prefetch", False),
    ],
)
def test_a_page_fetched_ahead_is_told_from_one_somebody_went_to(
    name: bytes,
    value: bytes,
    is_ahead: bool,  # noqa: FBT001
) -> None:
    """R-90."""
    assert is_speculative({name: value}) is is_ahead


# Who may post

TRUSTED = frozenset({b"https://www.example.org"})
OWN, OTHER, SISTER = b"https://example.org", b"https://evil.example", b"https://www.example.org"


@pytest.mark.parametrize(
    ("site", "origin", "may"),
    [
        (b"same-origin", OWN, True),
        (b"same-origin", None, True),
        (b"same-origin", b"null", True),  # Referrer-Policy: no-referrer makes Origin null
        (b"none", None, True),
        (b"none", b"null", True),
        (b"same-site", SISTER, True),  # trusted
        (b"same-site", b"https://shop.example.org", False),
        (b"cross-site", SISTER, True),  # trusted
        (b"cross-site", OWN, False),
        (b"cross-site", OTHER, False),
        (b"cross-site", b"null", False),
        (b"cross-site", None, False),
        (b"Same-Origin", OWN, False),
        (b"", OWN, False),
        (None, OWN, True),
        (None, b"HTTPS://Example.org", True),
        (None, b"http://example.org", True),  # TLS ends at a proxy: the server sees http
        (None, b"https://example.org:8443", False),
        (None, SISTER, True),  # trusted
        (None, b"http://www.example.org", False),  # the trusted host, by another scheme
        (None, OTHER, False),
        (None, b"https://example.org.evil.example", False),
        (None, b"https://evil.example/https://example.org", False),
        (None, b"example.org", False),
        (None, b"null", False),
        (None, b"", False),
        (None, None, False),
    ],
)
def test_who_may_post_an_answer(site: bytes | None, origin: bytes | None, may: bool) -> None:  # noqa: FBT001
    """R-10: Fetch Metadata decides where it is there, else the host of Origin must be the Host."""
    fields = {b"host": b"example.org"}
    if site is not None:
        fields[b"sec-fetch-site"] = site
    if origin is not None:
        fields[b"origin"] = origin
    assert is_from_same_origin(fields, TRUSTED) is may


@pytest.mark.parametrize(
    ("host", "origin", "may"),
    [
        (b"example.org:8443", b"https://example.org:8443", True),
        (b"example.org:8443", b"https://example.org", False),
        (b"EXAMPLE.org", b"https://example.ORG", True),
        (b"[::1]:8000", b"http://[::1]:8000", True),
        (None, b"https://example.org", False),
    ],
)
def test_a_port_is_part_of_the_host(host: bytes | None, origin: bytes, may: bool) -> None:  # noqa: FBT001
    """Another port is another origin (RFC 6454 section 4)."""
    fields = {b"origin": origin} | ({b"host": host} if host is not None else {})
    assert is_from_same_origin(fields) is may


# Who went on


def test_a_click_from_page_to_page_is_deliberate() -> None:
    """R-09: GET, navigate, document, same-origin, by a person."""
    assert is_deliberate_navigation("GET", CLICKED)
    assert is_deliberate_navigation("GET", OLD_BROWSER)


@pytest.mark.parametrize(
    "change",
    [
        {b"sec-fetch-mode": b"cors"},
        {b"sec-fetch-dest": b"iframe"},
        {b"sec-fetch-site": b"cross-site"},
        {b"sec-fetch-site": b"same-site"},
        {b"sec-fetch-site": b"none"},
        {b"sec-fetch-user": b"?0"},
        {b"sec-purpose": b"prefetch"},
        {b"purpose": b"prefetch"},
        {b"cache-control": b"max-age=0"},
        {b"cache-control": b"No-Cache"},
        {b"user-agent": b""},
        {b"user-agent": b"Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {b"user-agent": b"curl/8.5.0"},
    ],
    ids=str,
)
def test_everything_else_is_not(change: dict[bytes, bytes]) -> None:
    """TR-04: prefetches, reloads, bots and scripts' requests imply nothing."""
    assert not is_deliberate_navigation("GET", {**CLICKED, **change})


@pytest.mark.parametrize("method", ["POST", "HEAD", "get"])
def test_only_get_goes_on(method: str) -> None:
    """R-09."""
    assert not is_deliberate_navigation(method, CLICKED)


@pytest.mark.parametrize(
    "change",
    [
        {b"referer": b""},
        {b"referer": b"example.org/news"},
        {b"referer": b"https:///news"},
        {b"referer": b"https://evil.example/example.org"},
        {b"referer": b"https://example.org.evil.example/"},
        {b"accept": b"*/*"},
        {b"cache-control": b"max-age=0"},
    ],
    ids=str,
)
def test_without_fetch_metadata_a_referer_of_this_host_has_to_do(
    change: dict[bytes, bytes],
) -> None:
    """DESIGN 3: a browser without `Sec-Fetch-*` must come from here and want HTML."""
    assert not is_deliberate_navigation("GET", {**OLD_BROWSER, **change})


def test_a_host_that_is_missing_refers_to_nothing() -> None:
    """Two absent hosts are not the same host."""
    fields = {name: value for name, value in OLD_BROWSER.items() if name != b"host"}
    assert not is_deliberate_navigation("GET", {**fields, b"referer": b"https:///"})


# Languages


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (b"de-CH, de;q=0.9, en;q=0.8", ("de-ch", "de", "en")),
        (b"en;q=0.5, cy", ("cy", "en")),
        (b"en, cy", ("en", "cy")),  # equally wanted: as they stand
        (b"en;q=0, cy;q=0.1", ("cy",)),
        (b"*, en", ("en",)),
        (b"en; q=0.7 ,fr ; q=0.9", ("fr", "en")),
        (b"en;q=1.5, cy;q=-1, de;q=nan, fr;q=inf, nl;q=x, it;level=1, sv", ("sv",)),
        (b"e<n, cy\xff, , -", ()),
        (b"", ()),
    ],
)
def test_languages_come_the_most_wanted_first(value: bytes, tags: tuple[str, ...]) -> None:
    """RFC 9110 section 12.5.4; whatever cannot be read is left out."""
    assert accepted_languages(value) == tags


@given(st.binary(max_size=200))
@example(b"a," * 10_000)
@example(b"\xc3\xa9")
def test_any_bytes_are_read_as_a_few_plain_tags(value: bytes) -> None:
    """A header is a stranger's: bounded, and never an error."""
    tags = accepted_languages(value)
    assert len(tags) <= 32
    assert all(tag.isascii() and tag == tag.lower() for tag in tags)


# Caches


@pytest.mark.parametrize(
    ("value", "directives"),
    [
        (b"", {}),
        (b"Public, max-age=60", {b"public": b"", b"max-age": b"60"}),
        (b'private="set-cookie" ,, no-store ', {b"private": b"set-cookie", b"no-store": b""}),
    ],
)
def test_directives_are_read_without_regard_to_case(
    value: bytes, directives: dict[bytes, bytes]
) -> None:
    """RFC 9111 section 5.2."""
    assert cache_directives(value) == directives


@pytest.mark.parametrize(
    ("value", "private"),
    [
        (b"", b"private"),
        (b"public, max-age=60", b"max-age=60, private"),
        (b"S-MaxAge=9, max-age=60, immutable", b"max-age=60, immutable, private"),
        (b"private, max-age=60", b"private, max-age=60"),
    ],
)
def test_a_private_response_keeps_its_other_directives(value: bytes, private: bytes) -> None:
    """R-88: out of shared caches, and nothing else is changed."""
    assert make_private(value) == private
    assert make_private(make_private(value)) == private


@given(st.lists(st.sampled_from([b"public", b"max-age=1", b"s-maxage=2", b"no-cache", b"x"])))
def test_no_shared_cache_keeps_what_was_made_private(parts: list[bytes]) -> None:
    """R-88, for any directives; those asked for are there once."""
    made = make_private(b", ".join(parts), b"no-cache")
    there = cache_directives(made)
    assert b"private" in there
    assert b"no-cache" in there
    assert not {b"public", b"s-maxage"} & set(there)
    assert [p for p in made.split(b", ") if p not in (b"private", b"no-cache")] == [
        p for p in parts if p in (b"max-age=1", b"x")
    ]


@pytest.mark.parametrize(
    ("value", "names", "merged"),
    [
        (b"", (b"Cookie",), b"Cookie"),
        (b" ", (b"Cookie", b"Sec-GPC"), b"Cookie, Sec-GPC"),
        (b"Accept-Encoding", (b"Cookie",), b"Accept-Encoding, Cookie"),
        (b"cookie", (b"Cookie",), b"cookie"),
        (b"*", (b"Cookie",), b"*"),
        (b"Accept, *", (b"Cookie",), b"Accept, *"),
    ],
)
def test_vary_names_each_header_once(value: bytes, names: tuple[bytes, ...], merged: bytes) -> None:
    """RFC 9110 section 12.5.5: `*` says it all."""
    assert merge_vary(value, *names) == merged
