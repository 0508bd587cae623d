from time import thread_time
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from consentkit.audit import frontier
from consentkit.audit.frontier import (
    LONGEST_ADDRESS,
    LONGEST_CRAWL_DELAY,
    MOST_LEFT_OUT,
    Frontier,
    Limits,
    Page,
    Robots,
    address,
    is_public_suffix,
    is_this_machine,
    origin_of,
    page_name,
    same_site,
    sitemap_of,
)

SITE = "https://shop.example"


# Addresses

hrefs = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="abc./%2eE?#&=:@[]\\\t\n \u00fc\u3002-_~", max_size=40),
    st.from_regex(r"(https?:)?//[a-zA-Z0-9.%-]{1,12}(:[0-9]{0,5})?/[^\s]{0,20}", fullmatch=True),
)


@example("//..", f"{SITE}/")
@given(hrefs, st.sampled_from([f"{SITE}/a/b?c", "http://[::1]:8000/", "http://localhost"]))
def test_an_address_has_one_spelling(href: str, base: str) -> None:
    """Whatever stands in a page: no error, and what comes out is what would come out again."""
    url = address(href, base)
    assume(url is not None)
    assert url is not None
    assert address(url) == url
    parts = urlsplit(url)
    assert parts.scheme in {"http", "https"}
    assert parts.netloc
    assert parts.path.startswith("/")
    assert not parts.fragment
    assert not {".", ".."} & {*parts.path.split("/")}
    assert url.isascii()
    assert not set(' \t\n"<>') & {*url}


@pytest.mark.parametrize(
    ("href", "whole"),
    [
        ("", "https://shop.example/a/b?c"),
        ("#top", "https://shop.example/a/b?c"),
        ("?d=%7e%2F", "https://shop.example/a/b?d=~%2F"),
        ("../x/./y/..", "https://shop.example/x/"),
        ("/%2e%2E/x", "https://shop.example/x"),
        ("/x/%2e", "https://shop.example/x/"),
        ("/x/%2e%2e", "https://shop.example/"),
        ("//SHOP.example:443/x", "https://shop.example/x"),
        ("http://shop.example:443/", "http://shop.example:443/"),
        ("https://user:word@shop.example/", "https://shop.example/"),
        ("//b\u00fccher.example", "https://xn--bcher-kva.example/"),
        ("/100%", "https://shop.example/100%25"),
        ("/a b", "https://shop.example/a%20b"),
        ("mailto:a@shop.example", None),
        ("javascript:void(0)", None),
        ("tel:1", None),
        ("data:text/html,x", None),
        ("https://[::1", None),
        ("https://shop.example:port/", None),
        ("https://exa<mple/", None),
        ("/" + "x" * LONGEST_ADDRESS, None),
    ],
)
def test_a_link_becomes_a_whole_address(href: str, whole: str | None) -> None:
    """As the URL Standard has it, without what tells no page from another."""
    assert address(href, f"{SITE}/a/b?c") == whole


def test_a_page_is_named_by_its_path_and_query() -> None:
    assert (origin_of(f"{SITE}/a?b"), page_name(f"{SITE}/a?b")) == (SITE, "/a?b")
    assert page_name(f"{SITE}/a") == "/a"


# Sites


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("shop.com", "www.shop.com", True),
        ("img.shop.com", "www.shop.com", True),
        ("shop.com", "shop.org", False),
        ("a.co.uk", "b.co.uk", False),
        ("www.a.co.uk", "a.co.uk", True),
        ("a.github.io", "b.github.io", False),
        ("com", "shop.com", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("1.0.0.1", "127.0.0.1", False),
        ("[::1]", "::1", False),
        ("localhost", "localhost", True),
        ("localhost", "127.0.0.1", False),
        ("shop.localhost", "www.shop.localhost", True),
        ("shop.localhost", "ads.localhost", False),
        ("shop.localhost", "localhost", False),
        ("shop.test", "www.shop.test", True),
        ("shop.example", "tracker.example", False),
        ("testserver", "testserver.com", False),
    ],
)
def test_hosts_of_one_registrable_domain_are_one_site(
    one: str, other: str, *, is_same: bool
) -> None:
    """HTML 7.1.1: the registrable domain makes the site; what a stranger may own is another."""
    assert same_site(one, other) is is_same
    assert same_site(other, one) is is_same


def test_without_the_list_only_a_name_and_what_is_below_it_are_one_site(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two names that share an ending may belong to two owners: then they are told apart."""
    monkeypatch.setattr(frontier, "_suffixes", lambda: None)
    same_site.cache_clear()
    try:
        assert same_site("www.shop.com", "shop.com")
        assert not same_site("www.shop.com", "img.shop.com")
        assert not is_public_suffix("co.uk")
    finally:
        same_site.cache_clear()


def test_the_list_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`audit_app` needs no extra for it: its own host is one name."""
    monkeypatch.setitem(__import__("sys").modules, "publicsuffixlist", None)
    assert frontier._suffixes.__wrapped__() is None


@pytest.mark.parametrize(
    ("host", "is_suffix"),
    [
        ("com", True),
        ("co.uk", True),
        ("github.io", True),
        ("localhost", True),
        ("shop.com", False),
        ("127.0.0.1", False),
    ],
)
def test_nobody_owns_a_public_suffix(host: str, *, is_suffix: bool) -> None:
    """No cookie is set for one (RFC 6265bis 5.7, step 8)."""
    assert is_public_suffix(host) is is_suffix


def test_this_machine_is_known_by_its_names() -> None:
    assert all(map(is_this_machine, ["localhost", "a.localhost", "127.0.0.1", "::1", "[::1]"]))
    assert not any(map(is_this_machine, ["localhost.com", "12.0.0.1", "shop.example"]))


# What a site says of itself


def test_robots_txt_is_kept_to() -> None:
    """RFC 9309: the group that names us counts alone; else the one for everybody."""
    robots = Robots(
        "User-agent: *\nDisallow: /private\nCrawl-delay: 2\nSitemap: https://shop.example/s.xml\n"
    )
    assert not robots.allows(f"{SITE}/private/x")
    assert robots.allows(f"{SITE}/public")
    assert robots.delay == 2
    assert robots.sitemaps == (f"{SITE}/s.xml",)
    named = Robots("User-agent: *\nDisallow: /\n\nUser-agent: consentkit\nDisallow: /basket*\n")
    assert named.allows(f"{SITE}/news")
    assert not named.allows(f"{SITE}/basket/1")
    assert named.delay == 0


def test_a_site_without_robots_txt_asks_for_nothing() -> None:
    robots = Robots()
    assert (robots.allows(f"{SITE}/x"), robots.delay, robots.sitemaps) == (True, 0.0, ())


def test_a_crawl_delay_has_a_bound() -> None:
    """A day between two pages would be a scan without end."""
    assert Robots("User-agent: *\nCrawl-delay: 86400").delay == LONGEST_CRAWL_DELAY


@given(st.text(max_size=400))
def test_any_robots_txt_and_sitemap_is_read(text: str) -> None:
    robots = Robots(text)
    assert robots.allows(f"{SITE}/") in {True, False}
    assert 0 <= robots.delay <= LONGEST_CRAWL_DELAY
    assert len(sitemap_of(text, 5).addresses) <= 5


def test_a_sitemap_lists_pages_and_an_index_lists_sitemaps() -> None:
    """sitemaps.org 0.9: XML, an index of sitemaps, or a text of one address a line."""
    pages = (
        "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
        "<url><loc>https://shop.example/a?b&amp;c</loc><image:loc>https://x.example/i</image:loc>"
        "</url><url><LOC >\n <![CDATA[ https://shop.example/d ]]>\n</LOC></url></urlset>"
    )
    assert sitemap_of(pages, 9).addresses == (f"{SITE}/a?b&c", f"{SITE}/d")
    assert sitemap_of(pages, 1).addresses == (f"{SITE}/a?b&c",)
    assert not sitemap_of(pages, 9).is_index
    index = f"<sitemapindex><sitemap><loc>{SITE}/1.xml</loc></sitemap></sitemapindex>"
    assert sitemap_of(index, 9) == (True, (f"{SITE}/1.xml",))
    assert sitemap_of(f"{SITE}/a\n\n {SITE}/b \n", 9) == (False, (f"{SITE}/a", f"{SITE}/b"))


def test_no_entity_of_a_sitemap_is_expanded() -> None:
    """A billion laughs are a few hundred bytes: what is not expanded cannot grow."""
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE u [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
        "<urlset><url><loc>https://shop.example/&b;</loc></url></urlset>"
    )
    assert sitemap_of(bomb, 9).addresses == (f"{SITE}/&b;",)


# The frontier


def begun(limits: Limits | None = None, robots: Robots | None = None) -> Frontier:
    first = Frontier(f"{SITE}/", limits or Limits(), robots)
    first.restore([f"{SITE}/"], 0)
    return first


def test_pages_come_in_the_order_they_were_found_and_none_twice() -> None:
    found = begun()
    assert found.take([f"{SITE}/a", f"{SITE}/b#x", f"{SITE}/A/../a", f"{SITE}/"], 1) == [
        f"{SITE}/a",
        f"{SITE}/b",
    ]
    assert [found.next() for _ in range(4)] == [
        Page(f"{SITE}/", 0),
        Page(f"{SITE}/a", 1),
        Page(f"{SITE}/b", 1),
        None,
    ]
    assert found.take([f"{SITE}/b"], 2) == []
    assert found.accepted == 3


def test_pages_of_another_origin_are_none_of_the_scan() -> None:
    """They are visited when they are scanned themselves; that is nothing to be told."""
    found = begun()
    others = ["https://www.shop.example/", "http://shop.example/", "https://x.example/", "tel:1"]
    assert found.take(others, 1) == []
    assert found.told == {}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/logout", "sign out"),
        ("/account/sign-out?next=/", "sign out"),
        ("/?action=logoff", "sign out"),
        ("/de/abmelden", "sign out"),
        ("/basket/remove/3", "change something"),
        ("/press/photo.JPG", "a file"),
        ("/a/b/a/b/a/b/a/b", "repeats itself"),
        ("/private/x", "robots.txt"),
    ],
)
def test_what_is_not_to_be_visited_is_told(path: str, why: str) -> None:
    """A scan signs nobody out, downloads no films and keeps to robots.txt."""
    found = begun(robots=Robots("User-agent: *\nDisallow: /private"))
    assert found.take([f"{SITE}{path}"], 1) == []
    assert why in found.told[path]


@pytest.mark.parametrize(
    "path", ["/blogout", "/catalogue", "/designs/outdoor", "/deleted-scenes", "/news.html", "/v1.2"]
)
def test_a_word_that_only_holds_such_a_word_is_a_page(path: str) -> None:
    """The control of the rule above."""
    assert begun().take([f"{SITE}{path}"], 1)


def test_a_calendar_without_end_has_an_end() -> None:
    """The same path with ever new queries: a bound for each path, whatever the queries are."""
    found = begun(Limits(per_path=3))
    days = [f"{SITE}/calendar?day={day}" for day in range(100)]
    assert found.take(days, 1) == days[:3]
    assert found.take([f"{SITE}/other?day=1"], 1)
    assert "3 pages of this path" in found.told["/calendar?day=50"]


def test_a_scan_has_so_many_pages_and_so_many_links_of_depth() -> None:
    found = begun(Limits(pages=3, depth=1))
    assert len(found.take([f"{SITE}/{n}" for n in range(9)], 1)) == 2
    assert found.told["/5"] == "3 pages are enough"
    deep = begun(Limits(depth=1))
    assert deep.take([f"{SITE}/x"], 2) == []
    assert "more than 1 links away" in deep.told["/x"]


def test_what_is_kept_out_is_not_taken_in_and_told() -> None:
    """The pages of consentkit itself show what is declared, and are nothing that a site stores."""
    found = begun()
    found.keep_out(f"{SITE}/consent/")
    links = ["/consent", "/consent?x", "/consent/cookies", "/consenting", "/x"]
    assert found.take([SITE + link for link in links], 1) == [f"{SITE}/consenting", f"{SITE}/x"]
    why = "a page of consentkit's own, as the site says"
    assert found.told == dict.fromkeys(["/consent", "/consent?x", "/consent/cookies"], why)


@pytest.mark.parametrize("place", ["", "/", "/shop", "/shop/"])
def test_a_site_cannot_keep_itself_out(place: str) -> None:
    """With `data-path="/"` every page would be consentkit's own, and nothing would be looked at."""
    found = Frontier(f"{SITE}/shop/?x", Limits())
    found.keep_out(f"{SITE}{place}" if place else "")
    assert found.take([f"{SITE}/shop/a"], 1) == [f"{SITE}/shop/a"]


@pytest.mark.parametrize("piece", [" ", "<loc>", "<loc> ", "<![CDATA[", "<loc><![CDATA[ ", "</loc"])
def test_a_sitemap_that_never_ends_is_read_at_once(piece: str) -> None:
    """800 blanks took more than a second; a regular expression knows no limit of time."""
    begun_at = thread_time()  # of which nobody else on this machine takes any
    sitemap_of("<urlset><loc>" + piece * 20_000, 9)
    assert thread_time() - begun_at < 1


def test_memory_of_what_was_left_out_has_a_bound() -> None:
    """A trap of a million addresses is counted and not kept."""
    found = begun(Limits(pages=1))
    found.take([f"{SITE}/{n}" for n in range(MOST_LEFT_OUT + 500)], 1)
    assert len(found.left_out) == MOST_LEFT_OUT
    assert found.told["\u2026"] == "and 500 more"
    assert len(found._known) < 50 + MOST_LEFT_OUT + 2
    found.leave_out(f"{SITE}/1", "another reason")
    assert found.told["/1"] == "1 pages are enough"


def test_what_still_waits_can_be_left_out() -> None:
    found = begun()
    found.take([f"{SITE}/a"], 1)
    assert len(found) == 2
    found.leave_rest_out("no time")
    assert found.told == {"/": "no time", "/a": "no time"}
    assert len(found) == 0
