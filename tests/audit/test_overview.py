"""What a scan comes to: each thing once, and what declares it."""

from dataclasses import replace

import pytest

from consentkit.audit.overview import STATES, CookieRow, overview_of
from consentkit.audit.seen import Banner, SeenCookie, SeenItem, SeenRequest, State, Visit
from consentkit.rules.policy import Where
from tests.audit.reports import ACCEPT, EMPTY, PAGES, SCAN, policy


def rows() -> dict[str, CookieRow]:
    return {row.cookie.name: row for row in overview_of(SCAN, policy()).cookies}


def test_every_state_is_told_what_it_means() -> None:
    """A report without the words of a state could not be read."""
    assert [*STATES] == [*State]


def test_a_cookie_is_one_row_with_the_pages_of_each_state() -> None:
    """Thirty visits set '_ga' on each page; a person wants to know of one cookie."""
    row = rows()["_ga"]
    assert {state: len(pages) for state, pages in row.pages.items()} == {
        State.UNTOUCHED: 6,
        State.GRANTED: 6,
        State.WITHDRAWN: 6,
        State.SIGNAL: 6,
    }
    assert row.by == {"script"}
    assert row.initiators == {"tag.counter.example/gtag.js"}


def test_names_under_one_declaration_are_one_row() -> None:
    """A name with an id in it is another one on every visit, and the policy has it once."""
    visits = tuple(
        Visit(f"/{number}", State.UNTOUCHED, 200, (SeenCookie(f"_ga_{number}", "library.example"),))
        for number in range(9)
    )
    (row,) = overview_of(replace(SCAN, visits=visits), policy()).cookies
    assert row.declared == ("_ga_* (counting)", "_ga_*", "analytics")
    assert len(row.pages[State.UNTOUCHED]) == 9
    assert len(overview_of(replace(SCAN, visits=visits)).cookies) == 9


def test_the_longest_life_is_shown() -> None:
    """What outlives its declaration once has outlived it."""
    lives = (None, 60, 3600, 0)
    visits = tuple(
        Visit(f"/{life}", State.GRANTED, 200, (SeenCookie("x", "library.example", seconds=life),))
        for life in lives
    )
    (row,) = overview_of(replace(SCAN, visits=visits), policy()).cookies
    assert row.cookie.seconds == 3600


def test_what_is_in_most_states_stands_first() -> None:
    """It concerns the most visitors."""
    names = [row.cookie.name for row in overview_of(SCAN, policy()).cookies]
    assert names == ["session", "_ga", "_ga_7XK2L9", "VISITOR_INFO1", "__Host-consent"]


def test_a_declaration_is_named_with_its_purposes() -> None:
    """With a policy it is the policy that is asked, and consentkit's own tokens need no line."""
    found = {name: row.declared.words for name, row in rows().items()}
    assert found == {
        "session": "session (necessary)",
        "_ga": "_ga (counting)",
        "_ga_7XK2L9": "_ga_* (counting)",
        "VISITOR_INFO1": "not declared",
        "__Host-consent": "consentkit's own token",
    }


def test_what_is_stored_and_asked_for_is_named_too() -> None:
    """Storage and hosts have declarations as cookies have."""
    seen = overview_of(SCAN, policy())
    assert [row.declared.words for row in seen.items] == ["volume (films)"]
    assert {row.host: row.declared.words for row in seen.hosts} == {
        "fonts.type.example": "not declared",
        "tag.counter.example": "not declared",
        "player.filmhouse.example": "films (films)",
    }
    stray = SeenItem(Where.SESSION, "stray", "library.example")
    visits = (Visit("/", State.UNTOUCHED, 200, items=(stray,)),)
    (row,) = overview_of(replace(SCAN, visits=visits), policy()).items
    assert row.declared.words == "not declared"


def test_without_a_policy_the_catalogue_says_what_it_knows() -> None:
    """A site that has no policy yet learns whose its cookies are."""
    visit = Visit(
        "/",
        State.UNTOUCHED,
        200,
        cookies=(
            SeenCookie("_ga", "library.example"),
            SeenCookie("PHPSESSID", "library.example"),
            SeenCookie("nobody-knows", "library.example"),
        ),
        items=(
            SeenItem(Where.LOCAL, "_hjSessionUser_1", "library.example"),
            SeenItem(Where.LOCAL, "nobody-knows", "library.example"),
        ),
        requests=(
            SeenRequest("www.googletagmanager.com"),
            SeenRequest("nobody.example"),
        ),
    )
    seen = overview_of(replace(SCAN, visits=(visit,)))
    cookies = {row.cookie.name: row.declared.words for row in seen.cookies}
    assert cookies["_ga"].startswith("known: Google")
    assert cookies["PHPSESSID"].startswith("known: ")
    assert cookies["nobody-knows"] == ""
    assert [row.declared.words for row in seen.items if row.item.key == "nobody-knows"] == [""]
    hosts = {row.host: row.declared.words for row in seen.hosts}
    assert hosts["www.googletagmanager.com"].startswith("known: Google")
    assert hosts["nobody.example"] == ""


def test_a_host_has_its_earliest_moment_and_all_it_was_asked_for() -> None:
    """When a third party first heard of the visitor is what matters."""
    (row,) = [each for each in overview_of(SCAN).hosts if each.host == "tag.counter.example"]
    assert (row.first, row.whats) == (96, {"script", "beacon"})


def test_a_state_says_how_it_was_come_to_and_what_it_saw() -> None:
    """Clicks to refuse and to accept are what a reader compares."""
    states = {row.state: row for row in overview_of(SCAN).states}
    assert [*states] == [*State]
    assert (states[State.REFUSED].clicks, states[State.GRANTED].clicks) == (2, 1)
    untouched = states[State.UNTOUCHED]
    assert untouched.clicks is None
    assert (untouched.visits, untouched.banners, untouched.cookies, untouched.hosts) == (6, 6, 4, 3)
    assert untouched.is_reached


def test_events_of_the_busiest_page_are_in_the_order_in_which_they_happened() -> None:
    """The first seconds decide: what came before the answer could not have had one."""
    states = overview_of(SCAN).states
    assert {row.first.page for row in states if row.first} == {"/films/the-river?from=home"}
    moments = [event.moment for event in states[0].events]
    assert moments == sorted(moments)
    assert states[0].events[0] == (38, "cookie", "session", "")
    assert {event.what for event in states[0].events} == {"cookie", "third-party cookie", "request"}


def test_where_the_busiest_page_was_not_seen_another_is_shown() -> None:
    """It failed in this state; something was seen all the same."""
    visits = (
        Visit("/", State.UNTOUCHED, 200),
        Visit("/busy", State.GRANTED, 200, (SeenCookie("x", "a.example"),)),
        Visit("/busy", State.UNTOUCHED, error="no answer"),
    )
    states = {row.state: row for row in overview_of(replace(SCAN, visits=visits)).states}
    assert [states[state].first for state in (State.UNTOUCHED, State.GRANTED)] == [*visits[:2]]


def test_a_visit_that_showed_nothing_counts_for_nothing() -> None:
    """No answer is no evidence that nothing is stored."""
    seen = overview_of(EMPTY.scan)
    assert seen.pages == ()
    assert [visit.error for visit in seen.failed] == ["no answer in 30 s"]
    (untouched, *_) = seen.states
    assert (untouched.is_reached, untouched.failed, untouched.events) == (False, 1, ())
    assert overview_of(SCAN).pages == PAGES


def test_violations_are_counted_by_pages_and_states() -> None:
    """A page that is blocked a hundred times in one load is one page."""
    assert overview_of(SCAN).violations == {("img-src", "pixel.example"): 5}


@pytest.mark.parametrize("whole", [True, False])
def test_the_banner_with_both_buttons_is_the_one_that_is_shown(*, whole: bool) -> None:
    """Buttons are compared; a banner with one of them is shown where there is no other."""
    half = Banner("unknown", accept=ACCEPT)
    visits = (
        Visit("/", State.UNTOUCHED, 200, banner=half),
        *(SCAN.visits if whole else ()),
    )
    banner = overview_of(replace(SCAN, visits=visits)).banner
    assert banner is not None
    assert (banner.refuse is not None) is whole
    assert overview_of(EMPTY.scan).banner is None
