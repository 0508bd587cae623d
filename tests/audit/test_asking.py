"""Is there a banner, is refusing as easy as accepting, does the table shown tell the truth."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit import Policy
from consentkit.audit.asking import (
    EVERY_PAGE,
    Said,
    harder_refusals,
    is_ours,
    pages_without_banner,
    rows_that_differ,
    rows_that_lack,
    tolerated,
)
from consentkit.audit.findings import FindingKind, compare
from consentkit.audit.judging import Judge, host_of
from consentkit.audit.seen import (
    Act,
    Banner,
    Look,
    Scan,
    SeenCookie,
    ShownCookie,
    State,
    Visit,
    Witness,
)
from consentkit.rules.policy import DAY
from tests.audit.sites import BUTTON, NOTICE, scan_of
from tests.audit.test_findings import policy, visit

NONE: tuple[Visit, ...] = ()


def bare(page: str, **how: Any) -> Visit:
    """A page that asks nothing of a first visitor."""
    return Visit(page, State.UNTOUCHED, **{"status": 200, **how})


def lacking(some: Policy, *visits: Visit, **how: Any) -> list[str]:
    """What the findings of missing banners are called."""
    return [said.name for said in pages_without_banner(some, scan_of(*visits, **how))]


# The banner


def test_a_banner_that_vanished_is_one_finding() -> None:
    """R-06: Todd Snyder's was gone for forty days; a page that never had one is another finding."""
    assert lacking(policy(), bare("/"), bare("/a")) == [EVERY_PAGE]
    assert lacking(policy(), visit(), visit(page="/a")) == []


def test_pages_without_a_banner_are_told_by_folder() -> None:
    """What somebody excluded stays one finding, however many pages it has."""
    pages = ("/shop/a", "/shop/b?x=1", "/", "/hours")
    assert lacking(policy(), visit(page="/x"), *map(bare, pages)) == ["/shop", "/", "/hours"]
    (said, *_) = pages_without_banner(policy(), scan_of(visit(page="/x"), *map(bare, pages)))
    assert said.what == "2 of 5 pages show no banner to a first visitor."
    assert [each.page for each in said.visits] == ["/shop/a", "/shop/b?x=1"]


@pytest.mark.parametrize(
    "how",
    [
        {"status": 404},
        {"status": 304},
        {"error": "timeout"},
        {"state": State.REFUSED},
        {"is_page": False},
    ],
    ids=str,
)
def test_pages_that_were_not_there_need_no_banner(how: dict[str, Any]) -> None:
    """An error page may be the server's; after an answer nobody is asked again."""
    other = replace(bare("/a"), **how)
    assert lacking(policy(), visit(), other) == []


def test_where_nothing_is_asked_no_banner_is_missing() -> None:
    """R-11, R-40: nothing optional, pages for children; an objection is still to be offered."""
    needed = {"need": {"title": "A", "description": "B", "basis": "strictly-necessary"}}
    nothing = policy(purposes=needed, cookies={}, storage={}, services={})
    assert lacking(nothing, bare("/")) == []
    assert lacking(policy(child_directed=["/kids"]), bare("/kids/a"), visit()) == []
    assert lacking(policy(mode="opt-out"), bare("/")) == [EVERY_PAGE]


def test_by_headers_only_our_own_banner_is_missed() -> None:
    """Others' banners come by script, so that their absence in the markup says nothing."""
    headers = {"witness": Witness.HEADERS}
    assert lacking(policy(), bare("/"), **headers) == []
    assert lacking(policy(), visit(), bare("/a"), **headers) == ["/a"]
    theirs = visit(banner=Banner("unknown"))
    assert lacking(policy(), theirs, bare("/a"), **headers) == []
    assert lacking(policy(), theirs, bare("/a")) == ["/a"]
    assert is_ours(scan_of(visit()))
    assert not is_ours(scan_of(theirs, bare("/")))


def test_a_banner_that_a_filter_takes_out_of_every_page_is_missed_by_headers_too() -> None:
    """The declaration is still there to say whose banner is to be expected."""
    seen = {"witness": Witness.HEADERS, "shown": ()}
    assert is_ours(scan_of(bare("/"), **seen))
    assert lacking(policy(), bare("/"), **seen) == [EVERY_PAGE]


# Refusing and accepting


def harder(banner: Banner | None = NOTICE, **how: Any) -> list[str]:
    return [said.name for said in harder_refusals(scan_of(visit(banner=banner), **how))]


@given(*[st.one_of(st.none(), st.integers(0, 9))] * 3)
def test_it_takes_no_more_clicks_to_refuse_or_withdraw_than_to_accept(
    accept: int | None, refuse: int | None, withdraw: int | None
) -> None:
    """R-13: what was not counted is not compared."""
    acts = (
        Act(State.GRANTED, accept),
        Act(State.REFUSED, refuse),
        Act(State.WITHDRAWN, withdraw),
    )
    expected = [
        f"clicks to {verb}"
        for verb, count in (("refuse", refuse), ("withdraw", withdraw))
        if accept is not None and count is not None and count > accept
    ]
    if accept is not None and refuse is None:
        expected.insert(0, "refusing does not work")
    assert harder(acts=acts) == expected


def test_refusing_that_does_not_work_is_told() -> None:
    """R-12: accepting takes one click, and refusing never ends. Where neither works, none does."""
    refused = Act(State.REFUSED, None, "/consent answered the form with 500")
    (said,) = harder_refusals(scan_of(acts=(Act(State.GRANTED, 1), refused)))
    assert said == Said(
        "refusing does not work",
        "Accepting works, and refusing does not: /consent answered the form with 500.",
    )
    assert not [*harder_refusals(scan_of(acts=(Act(State.GRANTED, None), refused)))]
    assert not [*harder_refusals(scan_of(acts=(Act(State.GRANTED, 1),)))]


def test_the_clicks_are_told() -> None:
    """R-13, in words."""
    acts = (Act(State.GRANTED, 1), Act(State.REFUSED, 3))
    (said,) = harder_refusals(scan_of(acts=acts))
    assert said == Said(
        "clicks to refuse", "It takes 3 clicks to refuse everything, and 1 click to accept."
    )


def buttons(**refuse: Any) -> Banner:
    return Banner("unknown", accept=BUTTON, refuse=replace(BUTTON, **refuse))


@pytest.mark.parametrize(
    ("refuse", "expected"),
    [
        ({}, []),
        ({"height": 40}, []),
        ({"height": 30}, ["size of the button to refuse"]),
        ({"width": 80}, ["size of the button to refuse"]),
        ({"label": "No", "width": 60}, []),
        ({"font_size": 13}, ["font of the button to refuse"]),
        ({"font_weight": "400"}, ["font of the button to refuse"]),
        ({"font_weight": "bold"}, []),
        ({"font_weight": "normal"}, ["font of the button to refuse"]),
        ({"font_weight": "heavy"}, ["font of the button to refuse"]),
        ({"color": "rgb(60, 90, 120)"}, ["contrast of the button to refuse"]),
        ({"background": "rgba(0, 0, 0, 0)"}, ["contrast of the button to refuse"]),
        ({"background": "rgb(0 0 0 / 0)"}, ["contrast of the button to refuse"]),
        ({"background": "rgba(29, 65, 97, 0.5)"}, []),
        ({"background": "oklch(0.7 0.1 200)"}, []),
        ({"color": "color(srgb 1 1 1)"}, []),
        ({"color": "rgb(0, 0, 0)", "background": "rgb(255, 255, 255)"}, []),
    ],
    ids=str,
)
def test_the_button_to_refuse_is_as_good_as_the_other(
    refuse: dict[str, Any], expected: list[str]
) -> None:
    """R-12: size, font and contrast; a shorter word makes a narrower button."""
    assert harder(buttons(**refuse)) == expected


def test_a_banner_that_can_only_be_accepted_is_found() -> None:
    """R-12: on the first layer; a banner with neither asks nothing there."""
    assert harder(Banner("unknown", accept=BUTTON)) == ["no button to refuse"]
    assert harder(Banner("unknown", refuse=BUTTON)) == []
    assert harder(Banner("unknown")) == []
    assert harder(None) == []
    link = replace(BUTTON, background="rgba(0, 0, 0, 0)")
    assert harder(Banner("unknown", accept=link, refuse=link)) == []


def test_a_button_is_told_once_for_all_pages() -> None:
    """One finding, with the pages it stands on; without a policy too."""
    small = buttons(font_size=9.0)
    visits = [visit(page=f"/{n}", banner=small) for n in range(3)]
    (finding,) = compare(None, scan_of(*visits, visit(State.REFUSED, banner=small)))
    assert finding.kind is FindingKind.REFUSING_HARDER
    assert finding.key == "refusing-harder:banner:font of the button to refuse"
    assert finding.pages == ("/0", "/1", "/2")
    assert finding.states == (State.UNTOUCHED,)


@given(st.text(), st.text(), st.text(), st.integers(-9, 9999), st.floats(-9, 999))
def test_any_look_of_a_page_can_be_compared(
    label: str, colour: str, weight: str, size: int, font: float
) -> None:
    """What a page says of its buttons is a stranger's word too."""
    strange = Look(label, size, size, font, weight, colour, colour)
    assert isinstance(harder(Banner("x", accept=strange, refuse=strange)), list)
    assert isinstance(harder(Banner("x", accept=BUTTON, refuse=strange)), list)


# The table


def rows(*shown: ShownCookie) -> dict[str, str]:
    """What the table's differences say, by name."""
    own = ("__Host-consent",)
    return {said.name: said.what for said in rows_that_differ(policy(), shown, own)}


TRUE = (
    ShownCookie("sid", "session"),
    ShownCookie("visits", "persistent", 30 * DAY),
    ShownCookie("part-{id}", "analytics", 30 * DAY + 60),
    ShownCookie("once", "session"),
    ShownCookie("vote-{poll}", "poll-timeout", DAY),
    ShownCookie("__Host-consent", "persistent", 400 * DAY),
    ShownCookie("volume", "local"),
)


def test_a_table_that_says_what_the_policy_says_differs_in_nothing() -> None:
    """R-73: our own cookies stand there, and items of storage may; words of others are none."""
    assert rows(*TRUE) == {}
    assert rows(*(ShownCookie(row.name) for row in TRUE)) == {}


def test_what_the_table_leaves_out_or_says_otherwise_is_found() -> None:
    """R-73, R-75: rows, kinds and durations."""
    assert rows(*TRUE[1:])["sid"].endswith("does not have it.")
    assert "calls it persistent" in rows(ShownCookie("sid", "persistent", DAY), *TRUE[1:])["sid"]
    for seconds, says in ((365 * DAY, "says 365 days"), (DAY, "1 day"), (None, "with the session")):
        told = rows(ShownCookie("visits", "persistent", seconds), TRUE[0], *TRUE[2:])
        assert says in told["visits"]
        assert "the policy 30 days" in told["visits"]
    assert rows(*TRUE, ShownCookie("old"))["old"].endswith("the policy does not declare it.")


def test_a_table_is_held_against_what_was_seen_where_there_is_no_policy() -> None:
    """R-73: names as others write them; what is no pattern covers nothing."""
    seen = Visit("/", State.GRANTED, cookies=(SeenCookie("_ga_X", "s"), SeenCookie("b", "s")))
    shown = (ShownCookie("_ga_*"), ShownCookie("{no pattern"), ShownCookie(""))
    scan = scan_of(seen, seen, shown=shown)
    assert [(said.name, len(said.visits)) for said in rows_that_lack(scan)] == [("b", 2)]
    assert [*rows_that_lack(scan_of(seen))] != []


@given(st.integers(0, 10**9))
def test_a_life_is_tolerated_upwards_only(seconds: int) -> None:
    """A minute or a percent more is the same; so much less would be another."""
    assert tolerated(seconds) >= seconds + 60


# What the judge knows of a site


def test_the_host_of_an_address_is_read_or_there_is_none() -> None:
    """Whatever a redirect led to."""
    assert host_of("https://Shop.Example:8443/a") == "shop.example"
    assert host_of("http://[::1") == ""
    assert host_of("nowhere") == ""


def test_the_judge_says_what_covers_a_name() -> None:
    """The same look-ups as enforcement's."""
    judge = Judge(policy(), Scan("https://site.example", Witness.BROWSER, ""))
    assert judge.is_own("__Host-consent")
    assert not judge.is_own("visits")
    assert judge.is_of_the_site("a.site.example")
    assert not judge.is_of_the_site("films.example")
