"""A policy in words, purpose by purpose: what both layers of the notice print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.chapters import (
    chapters_of,
    kept_for,
    third_parties_of,
    token_cookies,
    way_of,
)
from consentkit.notice.text import LANGUAGES, Way, messages_for
from consentkit.rules.decision import duration_of
from consentkit.rules.policy import DAY, DeclaredCookie, Kind
from tests.notice import PURPOSES, TOKENS, changed, policy_of


@pytest.mark.parametrize(
    ("mode", "takes_effect", "way"),
    [
        ("explicit", "next-page", Way.CONSENT),
        ("explicit", "at-once", Way.CONSENT),
        ("implied", "next-page", Way.IMPLIED),
        ("implied", "at-once", Way.AT_ONCE),
        ("opt-out", "next-page", Way.OPT_OUT),
    ],
)
def test_the_way_is_the_basis_and_for_implied_consent_the_moment(
    mode: str, takes_effect: str, way: Way
) -> None:
    """What is said of a purpose depends on both."""
    policy = policy_of(mode, **{"takes-effect": takes_effect})
    assert way_of(policy, "polls") is way
    assert way_of(policy, "necessary") is Way.STRICTLY_NECESSARY


@given(st.sampled_from(Kind), st.none() | st.integers(0, 500 * DAY))
def test_what_is_told_of_a_duration_is_what_is_enforced(kind: Kind, duration: int | None) -> None:
    """R-24: nothing outlives 400 days; the table says what the middleware keeps to."""
    cookie = DeclaredCookie(kind=kind, purpose=("a",), description="", duration=duration)
    assert kept_for(cookie) == duration_of(cookie, float("inf"))


def test_our_tokens_stand_under_the_first_strictly_necessary_purpose() -> None:
    """R-30, R-74: they are declared like any other cookie, for 400 days."""
    chapter = chapters_of(policy_of("implied"), "en", TOKENS)[0]
    assert [entry.name for entry in chapter.entries] == ["clientvars", *TOKENS]
    assert {entry.duration for entry in chapter.entries[1:]} == {"400 days"}
    assert chapter.entries[1].basis == "Strictly necessary: your answer"
    assert chapter.entries[0].basis == "Strictly necessary: log-in"


def test_our_tokens_stand_alone_where_nothing_else_is_necessary() -> None:
    """A site without strictly necessary purposes still stores the answer."""
    policy = policy_of("implied")
    purposes = {name: policy.purposes[name] for name in PURPOSES}
    bare = policy.model_copy(update={"purposes": purposes, "cookies": {}})
    first, *others = chapters_of(bare, "de", TOKENS)
    assert (first.purpose, first.title) == ("", "Unbedingt erforderlich")
    assert [entry.name for entry in first.entries] == [*TOKENS]
    assert [chapter.purpose for chapter in others] == [*PURPOSES]
    assert "" not in {chapter.purpose for chapter in chapters_of(bare, "de")}


def test_a_token_that_the_policy_declares_itself_is_left_to_it() -> None:
    """Nothing stands in the table twice."""
    own = {"__Host-consent": {"kind": "persistent", "purpose": "necessary", "description": "Ours."}}
    policy = policy_of("implied", cookies=own)
    assert [one.name for one in token_cookies(policy, TOKENS)] == [TOKENS[1]]


def test_a_cookie_with_several_purposes_stands_under_each() -> None:
    """R-28: it serves them all, and each is answered to."""
    both = {"x": {"kind": "session", "purpose": ["polls", "analytics"], "description": "Two."}}
    chapters = chapters_of(policy_of(cookies=both), "en")
    assert [chapter.purpose for chapter in chapters if chapter.entries] == ["polls", "analytics"]


def test_an_entry_says_who_sets_a_cookie_and_who_else_gets_the_data() -> None:
    """R-73: provider, party, recipients, country of transfer."""
    common = {"kind": "session", "purpose": "embeds", "description": "."}
    cookies = {
        "own": common,
        "told": common | {"recipients": {"en": "Printers", "de": "Druckerei"}, "transfer": "India"},
        "served": common | {"service": "counter", "party": "third"},
        "elsewhere": common | {"party": "third", "domain": "ads.example"},
        "nowhere": common | {"party": "third"},
        "unlisted": common | {"service": "chat"},
    }
    told = {one.name: one for one in chapters_of(policy_of(cookies=cookies), "en")[3].entries}
    assert {
        name: (one.provider, one.party, one.recipients, one.transfer) for name, one in told.items()
    } == {
        "own": ("Moorland Council", "First party", "Nobody", ""),
        "told": ("Moorland Council", "First party", "Printers", "India"),
        "served": ("Counter Ltd", "Third party", "Counter Ltd", "USA"),
        "elsewhere": ("ads.example", "Third party", "ads.example", ""),
        "nowhere": ("A third party", "Third party", "A third party", ""),
        "unlisted": ("chat", "First party", "chat", ""),
    }


def test_a_purpose_of_votes_alone_is_off_until_the_visitor_votes() -> None:
    """The vote answers for its cookie, in every mode."""
    for mode in ("explicit", "implied", "opt-out"):
        chapters = {one.purpose: one for one in chapters_of(policy_of(mode), "en")}
        assert chapters["polls"].status == "Off until you vote"
        assert chapters["polls"].entries[0].basis == "Your vote asks for it"
        assert (
            chapters["embeds"].status
            == messages_for("en").statuses[way_of(policy_of(mode), "embeds")]
        )
    necessary = changed(policy_of(), polls={"basis": "strictly-necessary"})
    assert chapters_of(necessary, "en")[1].status == "Always on"
    assert chapters_of(necessary, "en")[1].entries[0].basis == "Strictly necessary"


def test_a_service_is_told_with_the_cookies_it_sets() -> None:
    """The rest of a purpose's cookies are the site's own."""
    cookies = policy_of().model_dump(mode="json", by_alias=True)["cookies"]
    cookies["mine"] = {"kind": "session", "purpose": "analytics", "description": "."}
    chapter = chapters_of(policy_of(cookies=cookies), "en")[2]
    assert [(one.title, [entry.name for entry in one.entries]) for one in chapter.services] == [
        ("Counter", ["_ga"])
    ]
    assert [entry.name for entry in chapter.own_entries] == ["mine"]
    assert chapters_of(policy_of(), "en")[3].services[0].title == "films"


def test_third_parties_are_counted_once_and_by_purpose() -> None:
    """R-06: their number, or a link to them; a hidden number misleads (VG Hannover)."""
    common = {"kind": "session", "purpose": "polls", "description": "."}
    cookies = {
        "own": common,
        "served": common | {"service": "counter"},
        "told": common | {"recipients": "Printers"},
        "nowhere": common | {"party": "third"},
    }
    policy = policy_of(cookies=cookies)
    assert third_parties_of(policy, ["polls"], "en") == ("Counter Ltd", "Printers", "nowhere")
    assert third_parties_of(policy, ["analytics", "embeds"], "en") == ("Counter Ltd", "Films Inc")
    assert third_parties_of(policy, ["necessary"], "en") == ()


def test_a_chapter_is_told_in_the_sites_own_words_and_digits() -> None:
    """`texts` reach every layer; another language has its own, and its own digits."""
    policy = policy_of(languages=["en", "fa"], texts={"en": {"kinds.session": "Short-lived"}})
    assert chapters_of(policy, "en")[0].entries[0].kind == "Short-lived"
    assert chapters_of(policy_of(), "en")[0].entries[0].kind == "Session"
    persian = {one.name: one for chapter in chapters_of(policy, "fa") for one in chapter.entries}
    words = messages_for("fa")
    assert persian["clientvars"].kind == words.kinds[Kind.SESSION]
    assert persian["_ga"].duration.startswith(words.digits[1] + words.digits[3])


@pytest.mark.parametrize("language", LANGUAGES)
def test_countries_are_named_and_joined_in_the_language(language: str) -> None:
    """R-73: where the data goes; a code that nobody knows stays one."""
    words = messages_for(language)
    services = {"counter": {"purpose": "analytics", "provider": "C", "transfer": ["US", "IE"]}}
    service = chapters_of(policy_of(services=services), language)[2].services[0]
    assert service.transfer == f"{words.countries['US']}{words.comma}{words.countries['IE']}"
    assert service.key == "counter"


def test_items_of_web_storage_are_counted_by_themselves() -> None:
    """R-29: the rules are the same, and it is no cookie."""
    stored = {"seen": {"where": "local", "purpose": "analytics", "description": "."}}
    chapter = chapters_of(policy_of(storage=stored), "en")[2]
    assert (chapter.cookie_count, chapter.stored_count) == (1, 1)
    assert [one.is_cookie for one in chapter.entries] == [True, False]
