from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.markup import MOST_LINKS, PageRead, read_page
from consentkit.audit.seen import SeenRequest

SITE = "https://shop.example"


def read(markup: str, url: str = f"{SITE}/a/") -> PageRead:
    return read_page(markup.encode(), url, lambda host: host.endswith("shop.example"))


def test_links_are_found_where_a_person_could_follow_them() -> None:
    page = read(
        '<!doctype html><title>A &amp; B</title><title>no</title><!-- <a href="/comment"> -->'
        "<script>'<a href=\"/script\">'</script><template><a href=/template></template>"
        '<a HREF="b">x</a><area href=/c><iframe src=d></iframe><a href="/e" download>'
        '<a name=x><a href="mailto:x@shop.example"><textarea><a href=/text></textarea>'
        '<a href="https://other.example/">elsewhere</a><svg><a href="/f"></svg><a href=/open'
    )
    assert page.links == [
        f"{SITE}/a/b",
        f"{SITE}/c",
        f"{SITE}/a/d",
        "https://other.example/",
        f"{SITE}/f",
    ]
    assert page.title == "A & B"


def test_links_are_resolved_against_the_base() -> None:
    page = read('<a href=x></a><base href="/deep/"><a href=y></a><base href="https://[">')
    assert page.links == [f"{SITE}/a/x", f"{SITE}/deep/y"]


def test_links_of_a_page_have_a_bound() -> None:
    assert len(read("<a href=/x>" * (MOST_LINKS + 5)).links) == MOST_LINKS


def test_what_tags_fetch_from_elsewhere_is_seen() -> None:
    """Each host and path once, without its query; what waits for an answer is not fetched."""
    page = read(
        '<script src="https://cdn.example/x.js?id=secret"></script>'
        '<img src="//pixel.example/p.gif"><img src="//pixel.example/p.gif?again">'
        '<link rel="stylesheet" href="https://fonts.example/f.css"><link rel=icon href=//i.example>'
        '<link rel=preconnect href="https://p.example"><iframe src="https://film.example/e"></iframe>'
        '<video poster="https://v.example/v"></video><img src="https://img.shop.example/own.png">'
        '<script data-consentkit-src="https://waits.example/x.js" type="text/plain"></script>'
        '<object data="https://o.example/["></object><embed src="//a[@e.example/x">'
    )
    where = "shop.example/a/"
    assert page.requests == [
        SeenRequest("cdn.example", "/x.js", "script", where),
        SeenRequest("pixel.example", "/p.gif", "image", where),
        SeenRequest("fonts.example", "/f.css", "stylesheet", where),
        SeenRequest("i.example", "/", "image", where),
        SeenRequest("p.example", "/", "other", where),
        SeenRequest("film.example", "/e", "frame", where),
        SeenRequest("v.example", "/v", "media", where),
        SeenRequest("o.example", "/[", "other", where),
        SeenRequest("e.example", "/", "other", where),
    ]


@given(st.text(alphabet="<>/=\"' abcdefhiprstx!-", max_size=120) | st.text(max_size=60))
def test_any_page_is_read(markup: str) -> None:
    page = read(markup)
    assert all(link.startswith("http") for link in page.links)


@pytest.mark.parametrize(
    "piece", [b"<a ", b"<a x='", b"<p style=", b"<template>", b"<a b=1 ", b"<!-- "]
)
def test_a_page_of_tags_that_never_end_is_read_at_once(piece: bytes) -> None:
    """A tag that never ends is none, and so is all that stands behind it (HTML 13.2.5.8)."""
    begun = perf_counter()
    read_page(b"<title>x</title>" + piece * 20_000, f"{SITE}/", lambda _host: False)
    assert perf_counter() - begun < 2


def of_page(body: str) -> list[tuple[str, str, str]]:
    page = read_page(body.encode(), f"{SITE}/", lambda host: host == "shop.example")
    return [(request.host, request.path, request.what) for request in page.requests]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<style>@import "//a.example/css?x";</style>', [("a.example", "/css", "stylesheet")]),
        ("<style>@import url(//a.example/b);</style>", [("a.example", "/b", "stylesheet")]),
        ("<style>p{background:url('//a.example/b')}</style>", [("a.example", "/b", "image")]),
        ("<style>@font-face{src:url(//a.example/f)}q{mask:url(//b.example)}</style>",
         [("a.example", "/f", "font"), ("b.example", "/", "image")]),
        ("<p style='mask:url(&quot;https://a.example/b&quot;)'>", [("a.example", "/b", "image")]),
        ("<style>/* url(//a.example) */ p{content:'url(//b.example)'; mask:url(#c)}</style>", []),
        ("<style>@namespace url(//a.example); p{background:url(/own.png)}", []),
        ("<template><style>@import '//a.example/b'</style></template>", []),
        ("<base href=//c.example/><style>p{mask:url(d)}</style>", [("c.example", "/d", "image")]),
    ],
)  # fmt: skip
def test_what_a_style_in_the_page_fetches_is_told(
    body: str, expected: list[tuple[str, str, str]]
) -> None:
    """The judgement on web fonts (LG Muenchen I, 3 O 17493/20) was about just this."""
    assert [each for each in of_page(body) if each[2] != "other"] == expected


@pytest.mark.parametrize(
    ("body", "hosts"),
    [
        ("<template><img src=//a.example></template>", []),
        ("<template><template><!-- </template> --></template><img src=//a.example></template>", []),
        ("<template></template><img src=//b.example>", ["b.example"]),
        ("<template shadowrootmode=open><img src=//a.example></template>", ["a.example"]),
        ("<template><img src=//a.example>", []),
    ],
)  # fmt: skip
def test_what_stands_in_a_template_is_not_fetched(body: str, hosts: list[str]) -> None:
    """A template is no part of the page; a declarative shadow root is (HTML 13.2.6.4.4)."""
    assert [host for host, _, _ in of_page(body)] == hosts
