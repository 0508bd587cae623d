from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from consentkit.rules.policy import (
    DAY,
    LONGEST,
    PRESETS,
    Basis,
    Mode,
    Policy,
    Preset,
    Question,
    parse_duration,
)


def policy(**changes: Any) -> Policy:
    """A small policy: one strictly necessary purpose, one that asks, a cookie for each and both."""
    words = {"title": "A", "description": "B"}
    session = {"kind": "session", "description": "C"}
    whole = {
        "site": {"name": "A site", "controller": "Its owner"},
        "mode": "explicit",
        "purposes": {
            "necessary": {**words, "basis": "strictly-necessary"},
            "polls": words,
            "analytics": words,
        },
        "cookies": {
            "sid": {**session, "purpose": "necessary"},
            "both": {**session, "purpose": ["necessary", "polls", "analytics"]},
        },
    }
    return Policy.model_validate({**whole, **changes})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30 seconds", 30),
        ("1 second", 1),
        ("30 minutes", 1800),
        ("2 hours", 7200),
        ("1 day", DAY),
        (" 2 weeks ", 14 * DAY),
        ("6 months", 182 * DAY),
        ("13 months", 395 * DAY),
        ("1 year", 365 * DAY),
        ("400days", LONGEST),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    """Twelve months are a year, so 13 months are the 395 days regulators count (R-24)."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "30", "1.5 days", "-1 day", "1 fortnight", "a day", "1 day!", "1234567 days", 30, None],
)
def test_what_is_no_duration_is_refused_with_examples(text: object) -> None:
    """A bare number has no unit, so nobody can tell what it means."""
    with pytest.raises(ValueError, match="write a number and a unit: 30 minutes"):
        parse_duration(text)


@given(
    st.integers(0, 999_999), st.sampled_from(["second", "minute", "hour", "day", "week", "year"])
)
def test_durations_grow_with_their_number(count: int, unit: str) -> None:
    """Every unit but the month is a fixed number of seconds."""
    assert parse_duration(f"{count} {unit}s") == count * parse_duration(f"1 {unit}")


def test_in_python_a_duration_may_be_seconds() -> None:
    """A whole number is seconds there; true is not a number."""
    assert policy(ask_again_after=60).ask_again_after == 60
    with pytest.raises(ValidationError):
        policy(ask_again_after=True)


@pytest.mark.parametrize(
    ("mode", "basis"),
    [(Mode.EXPLICIT, Basis.CONSENT), (Mode.IMPLIED, Basis.IMPLIED), (Mode.OPT_OUT, Basis.OPT_OUT)],
)
def test_a_purpose_without_basis_takes_it_from_the_mode(mode: Mode, basis: Basis) -> None:
    """And one that names its own keeps it."""
    some = policy(mode=mode)
    assert some.basis_of("polls") is basis
    assert some.basis_of("necessary") is Basis.STRICTLY_NECESSARY
    assert some.optional_purposes == ("polls", "analytics")


def test_each_optional_purpose_is_one_question() -> None:
    """A policy at its first revision asks each purpose once, in the file's order."""
    some = policy()
    assert some.questions == (Question("polls", 1), Question("analytics", 1))
    assert some.questions_of(some.cookies["sid"]) == ()
    assert some.questions_of(some.cookies["both"]) == (0, 1)


def test_what_was_added_later_is_a_question_of_its_own() -> None:
    """A grant covers what stood in the policy when it was given, and nothing after (R-08)."""
    late = {"kind": "session", "description": "C", "purpose": "polls", "since": 2}
    some = policy(revision=2, cookies={"old": {**late, "since": 1}, "late": late})
    assert some.questions == (Question("polls", 1), Question("polls", 2), Question("analytics", 1))
    assert some.questions_of(some.cookies["old"]) == (0,)
    assert some.questions_of(some.cookies["late"]) == (1,)


def test_a_service_may_be_the_change() -> None:
    """Services stand under purposes as cookies do."""
    some = policy(revision=2, services={"map": {"purpose": "polls", "provider": "P", "since": 2}})
    assert Question("polls", 2) in some.questions
    assert not some.has_unmarked_changes


def test_a_purpose_younger_than_its_cookie_asks_once() -> None:
    """A purpose that changed asks for everything in it as it stands now."""
    words = {"title": "A", "description": "B", "since": 3}
    cookie = {"kind": "session", "description": "C", "purpose": "polls", "since": 2}
    some = policy(revision=3, purposes={"polls": words}, cookies={"c": cookie})
    assert some.questions == (Question("polls", 3),)
    assert some.questions_of(some.cookies["c"]) == (0,)


def test_a_revision_that_marks_no_change_asks_everything_again() -> None:
    """Whoever raises the revision means something by it."""
    some = policy(revision=4)
    assert some.has_unmarked_changes
    assert some.questions == (Question("polls", 4), Question("analytics", 4))


def test_a_declaration_is_found_by_name_pattern_and_chunk() -> None:
    """What is undeclared has no declaration."""
    cookie = {"kind": "session", "description": "C", "purpose": "polls"}
    some = policy(cookies={"a-{id}": cookie, "s": {**cookie, "chunked": True}})
    found = {name: some.declaration_of(name) for name in ("a-1", "s", "s.1", "x")}
    names = {name: declared and declared.name for name, declared in found.items()}
    assert names == {"a-1": "a-{id}", "s": "s", "s.1": "s", "x": None}


def test_a_cookie_has_one_name() -> None:
    """Its key; a second one that differs would be believed by somebody."""
    cookie = {"kind": "session", "description": "C", "purpose": "polls"}
    assert policy(cookies={"a": {**cookie, "name": "a"}}).cookies["a"].name == "a"
    with pytest.raises(ValidationError, match="an item's name is its key"):
        policy(cookies={"a": {**cookie, "name": "b"}})


def test_a_policy_never_changes() -> None:
    """It is shared by every request."""
    some = policy(site={"name": "A", "controller": "B", "updated": "2015-06-01"})
    assert some.site.updated == date(2015, 6, 1)
    with pytest.raises(ValidationError):
        some.revision = 7  # type: ignore[misc]


@given(st.lists(st.sampled_from(Preset)))
def test_a_cookie_lives_no_longer_than_the_strictest_preset_allows(presets: list[Preset]) -> None:
    """Browsers keep nothing longer than 400 days, whatever a policy names (R-24)."""
    longest = policy(preset=presets).longest
    assert longest <= LONGEST
    assert all(longest <= PRESETS[preset].longest for preset in presets)
    assert longest in {LONGEST, *(PRESETS[preset].longest for preset in presets)}
    assert policy(preset="eu").longest == 395 * DAY
    assert policy().longest == LONGEST


@given(st.sets(st.sampled_from(Preset), max_size=3).map(tuple))
def test_the_longest_rest_of_the_presets_is_kept(presets: tuple[Preset, ...]) -> None:
    """R-19: nobody is asked again before each of the rules lets them; half a year without any."""
    rests = [PRESETS[preset].ask_again for preset in presets]
    assert policy(preset=presets).ask_again_after == max(rests, default=182 * DAY)


def test_a_policy_is_written_as_a_file() -> None:
    """What is printed is this very policy; that reading undoes it, test_yaml_print.py shows."""
    assert "name: A site\n" in policy().to_yaml()


def test_every_key_says_what_it_is() -> None:
    """The schema and the documentation of the keys are made of these sentences."""
    for model in (Policy, *(type(held) for held in (policy().banner, policy().token))):
        assert [name for name, info in model.model_fields.items() if not info.description] == []


# Hosts and scripts


def hosted(hosts: tuple[str, ...] = (), **changes: Any) -> Policy:
    """A site at example.org, with a map of somebody else's and statistics on a sub-domain."""
    words = {"title": "A", "description": "B"}
    services = {
        "map": {
            "purpose": "a",
            "provider": "P",
            "hosts": ["*.maps.test", "tiles.test"],
            "inline": ["map(", "map(", "tile("],
        },
        "statistics": {
            "purpose": "a",
            "provider": "P",
            "hosts": ["counts.example.org", "tiles.test"],
            "inline": ["map("],
        },
    }
    whole = {
        "site": {"name": "A site", "controller": "Its owner", "hosts": hosts},
        "mode": "explicit",
        "purposes": {"a": words},
        "services": services,
    }
    return Policy.model_validate({**whole, **changes})


def test_a_host_belongs_to_the_service_that_declares_it() -> None:
    """The first that names it, where two do; nobody, where none does."""
    some = hosted()
    assert some.service_of_host("a.maps.test") == "map"
    assert some.service_of_host("tiles.test") == "map"
    assert some.service_of_host("counts.example.org") == "statistics"
    assert some.service_of_host("maps.test") is None


@pytest.mark.parametrize(
    ("host", "page", "is_own"),
    [
        ("example.org", "example.org", True),
        ("WWW.example.org.", "example.org", True),
        ("static.example.org", "www.example.org", True),
        ("example.org", "www.example.org", True),
        ("example.org", "shop.example.org", False),
        ("badexample.org", "example.org", False),
        ("other.test", "example.org", False),
        # What a service declares is the service's, but for the page's own host.
        ("counts.example.org", "example.org", False),
        ("counts.example.org", "counts.example.org", True),
        ("a.counts.example.org", "example.org", True),
        # www. is taken off where a domain is left.
        ("evil.com", "www.com", False),
        ("localhost", "localhost", True),
        ("[::1]", "[::1]", True),
    ],
)
def test_own_is_the_pages_host_and_what_is_below(host: str, page: str, is_own: bool) -> None:  # noqa: FBT001
    """A site's own pictures wait for nobody, and a neighbour's do."""
    assert hosted().is_first_party(host, page) is is_own


def test_own_is_what_the_policy_says_is_own() -> None:
    """Hosts elsewhere, by name or by pattern, and all that shares the token."""
    some = hosted(("images.test", "*.cdn.test"), token={"domain": "Example.org"})
    for host in ("images.test", "a.cdn.test", "example.org", "www.example.org"):
        assert some.is_first_party(host, "shop.example.org")
        assert not hosted().is_first_party(host, "shop.example.org")
    assert not some.is_first_party("cdn.test", "shop.example.org")
    assert not some.is_first_party("counts.example.org", "shop.example.org")


@pytest.mark.parametrize(
    ("marked", "path", "is_for_children"),
    [
        ("/kids", "/kids", True),
        ("/kids", "/kids/", True),
        ("/kids", "/kids/games", True),
        ("/kids", "/kids-and-parents", False),
        ("/kids", "/", False),
        ("/kids", "/for/kids", False),
        ("/kids/", "/kids", True),
        ("/kids/", "/kids/games", True),
        ("/", "/", True),
        ("/", "/anything", True),
        ("/", "", True),
    ],
)
def test_a_page_for_children_is_at_or_below_a_path(
    marked: str, path: str, *, is_for_children: bool
) -> None:
    """A path that ends in a slash is that of the page without it too: servers lead there (R-11)."""
    assert policy(**{"child-directed": ["/toys", marked]}).is_for_children(path) is is_for_children
    assert not policy().is_for_children(path)


def test_a_text_in_a_script_tells_whose_it_is() -> None:
    """Of one purpose several services may have it; then all of them must be allowed."""
    assert hosted().services_with_markers == {"map(": ("map", "statistics"), "tile(": ("map",)}


def test_nothing_of_a_page_is_touched_unless_the_policy_says_so() -> None:
    """The new keys are off where nothing is said."""
    some = hosted()
    assert (some.csp, some.pages, some.guard) == ("off", "private", False)
    assert some.services["map"].shows is None
