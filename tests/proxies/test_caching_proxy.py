"""A real caching proxy stands between the site and ten kinds of visitors.

Each path is asked for with a query of the test's own, so that no test finds another's copies.
"""

import gzip
import random
from collections.abc import Iterator
from itertools import product

import pytest

from tests.proxies.conftest import Place
from tests.proxies.servers import Answer
from tests.proxies.visitors import (
    ASSETS,
    BARE,
    CHANGED,
    CONFIRMS,
    ETAG,
    PAGE,
    PAGES,
    SCRIPT,
    WITH_VALIDATORS,
)

ROUNDS = 3
NOTICE = b'id="consentkit"'
ANSWERED = ("refused", "granted", "in part")


def arrivals(place: Place, rounds: int = ROUNDS) -> Iterator[str]:
    """The visitors in an order that is mixed, and the same in every run."""
    names = sorted(place.visitors) * rounds
    random.Random(4).shuffle(names)  # noqa: S311 - nothing secret is drawn
    yield from names


def tag(answer: Answer) -> str:
    etag = answer.header("etag")
    assert etag is not None, answer.headers
    return etag


# Pages that are each visitor's own


def test_ten_kinds_of_visitors_come_and_are_told_different_things(place: Place) -> None:
    """The control of all that follows: there is something that must not be mixed up."""
    assert len(place.visitors) == 10
    seen = {place.directly("/page", headers).body for headers in place.visitors.values()}
    assert len(seen) >= 4
    assert all(body != PAGE for body in seen)


def test_the_cache_keeps_what_the_site_lets_it_keep(place: Place) -> None:
    """The control: a page that consentkit leaves alone comes from the cache for everybody."""
    place.ask(f"{BARE}?control", place.visitors["undecided"])
    for name in arrivals(place):
        answer = place.ask(f"{BARE}?control", place.visitors[name])
        assert answer.is_from_the_cache
        assert answer.body == PAGE


@pytest.mark.parametrize("path", PAGES)
def test_no_visitor_gets_anothers_page(place: Place, path: str) -> None:
    """What comes through the cache is what the app itself says to this visitor (R-88)."""
    for name in arrivals(place):
        headers = place.visitors[name]
        direct, answer = place.directly(path, headers), place.ask(path, headers)
        assert (answer.status, answer.body) == (direct.status, direct.body), name
        assert answer.all("set-cookie") == direct.all("set-cookie"), name
        assert not answer.is_from_the_cache, name


@pytest.mark.parametrize("path", PAGES)
def test_a_copy_that_a_script_fetched_is_shown_to_nobody(place: Place, path: str) -> None:
    """It has no notice, for it goes into a page that has one."""
    address = f"{path}?script"
    fetched = place.ask(address, SCRIPT)
    assert NOTICE not in fetched.body
    for name in arrivals(place, rounds=1):
        headers = place.visitors[name]
        assert place.ask(address, headers).body == place.directly(address, headers).body
    assert place.ask(address, SCRIPT).body == fetched.body


# Assets and data


@pytest.mark.parametrize("path", ASSETS)
def test_assets_and_data_stay_shared(place: Place, path: str) -> None:
    """They do not depend on who asks, so one copy serves all, and it carries nobody's cookies."""
    first = place.ask(f"{path}?assets", place.visitors["undecided"])
    assert not first.is_from_the_cache
    asset = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}
    for name in arrivals(place):
        answer = place.ask(f"{path}?assets", {**place.visitors[name], **asset})
        assert answer.is_from_the_cache, name
        assert answer.body == first.body
        assert answer.all("set-cookie") == []
        assert answer.header("vary") is None


def test_a_cookie_on_a_shared_asset_reaches_nobody_but_whom_it_was_set_for(place: Place) -> None:
    """Set-Cookie does not keep a response out of caches; it has to be said (RFC 9111 §7.3)."""
    path = "/counted.gif?cookies"
    granted = place.ask(path, place.visitors["granted"])
    assert len(granted.all("set-cookie")) == 1
    assert "private" in (granted.header("cache-control") or "")
    for name in arrivals(place):
        answer = place.ask(path, place.visitors[name])
        assert answer.all("set-cookie") == [] or name == "granted"
        assert not (answer.is_from_the_cache and answer.all("set-cookie"))


@pytest.mark.parametrize("path", ASSETS)
def test_an_asset_is_confirmed_by_its_own_etag(place: Place, path: str) -> None:
    """What consentkit does not change keeps its validators, for the cache and for browsers."""
    address = f"{path}?confirmed"
    etag = tag(place.ask(address, place.visitors["granted"]))
    assert tag(place.directly(address, place.visitors["refused"])) == etag
    again = {**place.visitors["refused"], "Sec-Fetch-Dest": "image", "If-None-Match": etag}
    assert place.ask(address, again).status == 304
    if path != "/data.json":  # which never confirms anything
        assert place.directly(address, again).status == 304


# What has not changed


@pytest.mark.parametrize("path", WITH_VALIDATORS)
def test_a_validator_of_one_state_is_never_confirmed_in_another(place: Place, path: str) -> None:
    """A browser would show the page of before the answer (R-89)."""
    pages = {name: place.directly(path, headers) for name, headers in place.visitors.items()}
    for (one, held), (other, current) in product(pages.items(), pages.items()):
        asked = {**place.visitors[other], "If-None-Match": tag(held)}
        for answer in (place.directly(path, asked), place.ask(path, asked)):
            if answer.status == 304:
                assert held.body == current.body, (one, other)
            else:
                assert (answer.status, answer.body) == (200, current.body), (one, other)


@pytest.mark.parametrize("path", CONFIRMS)
def test_a_page_is_confirmed_to_the_visitor_who_has_it(place: Place, path: str) -> None:
    """The control: nothing is sent twice to somebody for whom nothing has changed."""
    for name, headers in place.visitors.items():
        etag = tag(place.directly(path, headers))
        for condition in (etag, f'"x", W/{etag.removeprefix("W/")}'):
            answer = place.directly(path, {**headers, "If-None-Match": condition})
            assert (answer.status, answer.body) == (304, b""), (name, condition)
            assert tag(answer) == etag, name
            assert answer.header("vary") == place.directly(path, headers).header("vary")


@pytest.mark.parametrize("path", CONFIRMS)
def test_what_a_script_fetched_and_what_a_tab_shows_do_not_confirm_each_other(
    place: Place, path: str
) -> None:
    """One has a notice and the other has none, so each has its own validator."""
    for name, headers in place.visitors.items():
        if name == "bot":
            continue
        script = {**headers, **{name: SCRIPT[name] for name in SCRIPT if "Fetch" in name}}
        shown, fetched = place.directly(path, headers), place.directly(path, script)
        assert shown.body != fetched.body, name
        asked = place.directly(path, {**script, "If-None-Match": tag(shown)})
        assert (asked.status, asked.body) == (200, fetched.body), name
        asked = place.directly(path, {**headers, "If-None-Match": tag(fetched)})
        assert (asked.status, asked.body) == (200, shown.body), name
        again = place.directly(path, {**script, "If-None-Match": tag(fetched)})
        assert (again.status, tag(again)) == (304, tag(fetched)), name  # the control


@pytest.mark.parametrize(
    "condition", [{"If-None-Match": ETAG}, {"If-Modified-Since": CHANGED}, {"If-None-Match": "*"}]
)
def test_a_page_from_before_the_site_asked_is_not_confirmed(
    place: Place, condition: dict[str, str]
) -> None:
    """A browser may still hold the bare page: it has neither a notice nor anything that waits."""
    control = place.directly(BARE, condition)
    assert control.status == 304
    for name, headers in place.visitors.items():
        if name == "bot":
            continue  # it asks for no page to show
        for answer in (
            place.directly("/page", {**headers, **condition}),
            place.ask("/page", {**headers, **condition}),
        ):
            assert answer.status == 200, name
            assert NOTICE in answer.body, name


@pytest.mark.parametrize("path", ["/file", "/"])
def test_a_page_that_was_changed_is_not_sent_in_parts(place: Place, path: str) -> None:
    """A part of the app's page and a part of ours make no page (R-86, R-87)."""
    for name in ("undecided", "refused", "granted"):
        headers = place.visitors[name]
        whole = place.directly(path, headers)
        assert whole.header("accept-ranges") is None
        for condition in ({}, {"If-Range": whole.header("etag") or CHANGED}):
            part = place.directly(path, {**headers, "Range": "bytes=10-60", **condition})
            assert (part.status, part.body) == (200, whole.body), name
    asked = {"Range": "bytes=1-3", "Sec-Fetch-Dest": "image"}
    assert place.directly("/logo.png", asked).body == b"PNG"  # the control


@pytest.mark.parametrize("path", ["/page", "/sets", "/file", "/"])
def test_head_says_what_get_would(place: Place, path: str) -> None:
    """Except for the length, where nobody knows it before the page is there (RFC 9110 §9.3.2)."""
    apart = {"date", "content-length", "age", "server"}
    for name, headers in place.visitors.items():
        page, head = (place.directly(path, headers, method) for method in ("GET", "HEAD"))
        assert head.body == b""
        said = [[pair for pair in a.headers if pair[0] not in apart] for a in (page, head)]
        assert said[0] == said[1], name


# One page for all


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/sets"])
def test_in_shared_mode_one_cached_page_serves_all(shared: Place, path: str) -> None:
    """The cache asks once; nothing in the page, and nothing in its headers, is about a visitor."""
    before = len(shared.server.asked_for(path))
    address = f"{path}?shared"
    first = shared.ask(address, shared.visitors["granted"])
    assert NOTICE in first.body
    for name in arrivals(shared):
        answer = shared.ask(address, shared.visitors[name])
        assert answer.is_from_the_cache, name
        assert answer.body == first.body, name
        assert answer.all("set-cookie") == [], name
        assert answer.header("cache-control") == first.header("cache-control")
        named = (answer.header("vary") or "").lower()
        for header in ("cookie", "sec-gpc", "dnt", "accept-language"):
            assert header not in named
    assert len(shared.server.asked_for(path)) == before + 1


@pytest.mark.parametrize("path", PAGES)
def test_in_shared_mode_the_app_says_the_same_to_everyone(shared: Place, path: str) -> None:
    """Whoever fills the cache fills it for all."""
    pages = {shared.directly(path, headers).body for headers in shared.visitors.values()}
    assert len(pages) == 1


def test_in_shared_mode_cookies_are_enforced_all_the_same(shared: Place) -> None:
    """A page that sets cookies is for one visitor, and no cache keeps it."""
    for name in arrivals(shared):
        answer = shared.ask("/sets?cookies", shared.visitors[name])
        assert not answer.is_from_the_cache
        cookies = [value.partition("=")[0] for value in answer.all("set-cookie")]
        assert cookies == (["sid", "visits"] if name == "granted" else ["sid"]), name


def test_in_shared_mode_each_visitor_is_told_what_is_his(shared: Place) -> None:
    """The notice comes from an endpoint that no cache keeps, for this visitor alone."""
    told = {}
    for name in arrivals(shared):
        headers = {**shared.visitors[name], "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"}
        path = "/consent/notice?next=/page&lang=en"
        direct, answer = shared.directly(path, headers), shared.ask(path, headers)
        assert (answer.status, answer.body) == (200, direct.body), name
        assert not answer.is_from_the_cache
        assert "no-store" in (answer.header("cache-control") or "")
        told[name] = answer.body
    assert len({told[name] for name in ANSWERED}) == len(ANSWERED)
    assert len({told["undecided"], told["refused"], told["gpc"]}) == 3
    assert told["forged"] == told["expired"] == told["undecided"] == told["bot"]


@pytest.mark.parametrize("path", CONFIRMS)
def test_in_shared_mode_a_page_is_confirmed_to_everybody(shared: Place, path: str) -> None:
    """It is the same page, so its validator is too, in the cache and past it."""
    address = f"{path}?confirmed"
    etag = tag(shared.ask(address, shared.visitors["granted"]))
    for name, headers in shared.visitors.items():
        if name == "bot":
            continue
        asked = {**headers, "If-None-Match": etag}
        assert shared.ask(address, asked).status == 304, name
        assert shared.directly(address, asked).status == 304, name
    plain = {**shared.visitors["undecided"], "If-None-Match": ETAG}
    assert shared.directly(address, plain).status == 200


def test_in_shared_mode_a_script_fetched_copy_is_shown_to_nobody(shared: Place) -> None:
    """A cache that has the bare page does not show it in a tab."""
    shared.ask("/page?fetched", SCRIPT)
    for name in arrivals(shared, rounds=1):
        assert NOTICE in shared.ask("/page?fetched", shared.visitors[name]).body, name


@pytest.mark.parametrize("path", ["/page", "/stream", "/"])
def test_in_shared_mode_a_page_may_be_compressed_on_its_way(compressed: Place, path: str) -> None:
    """The cache keeps one copy for each encoding, and both are the same page."""
    plain = compressed.ask(path, compressed.visitors["undecided"])
    assert plain.header("content-encoding") is None
    zipped = {"Accept-Encoding": "gzip"}
    first = compressed.ask(path, {**compressed.visitors["granted"], **zipped})
    assert first.header("content-encoding") == "gzip"
    assert gzip.decompress(first.body) == plain.body
    for name in arrivals(compressed):
        headers = compressed.visitors[name]
        for answer, expected in (
            (compressed.ask(path, headers), plain),
            (compressed.ask(path, {**headers, **zipped}), first),
        ):
            assert answer.is_from_the_cache, name
            assert answer.body == expected.body, name
