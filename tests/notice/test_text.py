from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from consentkit.notice.text import (
    LANGUAGES,
    Messages,
    Way,
    chapters_of,
    choose_language,
    date_text,
    direction,
    duration_text,
    is_right_to_left,
    kept_for,
    messages_for,
    placeholders_of,
    safe_href,
    said,
    third_parties_of,
    token_cookies,
    way_of,
)
from consentkit.rules.decision import duration_of
from consentkit.rules.policy import COUNTRIES, DAY, DeclaredCookie, Kind, parse_duration
from tests.notice import PURPOSES, TOKENS, changed, policy_of

EN, DE = messages_for("en"), messages_for("de")
LOCALES = files("consentkit.notice").joinpath("locales")
NEVER_SAID = {
    "en": (
        "improve your experience",
        "optimal experience",
        "value your privacy",
        "by continuing",
        "by using this site",
        "accept and close",
        "essential",
        "partners",
        "necessary for you",
    ),
    "de": (
        "ihr erlebnis",
        "nutzererlebnis",
        "ihre privatsphäre ist uns",
        "durch die weitere nutzung",
        "mit der nutzung",
        "akzeptieren und schließen",
        "essenziell",
        "essentiell",
        "partner",
    ),
}


def strings_of(value: Any, key: str = "") -> dict[str, str]:
    """Every string of a locale by its dotted key."""
    if isinstance(value, str):
        return {key: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return {
        name: text
        for part, inner in items
        for name, text in strings_of(inner, f"{key}.{part}").items()
    }


def locale(language: str) -> dict[str, str]:
    return strings_of(messages_for(language).model_dump(mode="json"))


def test_every_shipped_locale_is_offered_and_no_other() -> None:
    """A language is offered when its words are there."""
    shipped = {one.name.removesuffix(".yaml") for one in LOCALES.iterdir()}
    assert shipped == {*LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_locale_has_the_keys_and_placeholders_of_the_english_one(language: str) -> None:
    """A missing word would show as a hole, a missing name as a lost fact."""
    own, english = locale(language), locale("en")
    assert own.keys() == english.keys()
    assert {key: placeholders_of(text) for key, text in own.items()} == {
        key: placeholders_of(text) for key, text in english.items()
    }


def test_no_english_is_left_in_the_german_words() -> None:
    """A notice is in one language (EDPB 03/2022: language discontinuity; LAW R-07)."""
    same = {key for key, text in locale("de").items() if text == locale("en")[key]}
    assert {key for key in same if not key.startswith(".countries")} == {
        ".number_of_cookies",  # Cookies are Cookies
        ".wheres.indexed-db",  # the name of a programming interface
        *{f".months.{place}" for place in (3, 7, 8, 10)},  # April, August, September, November
    }
    assert not re.search(r"\b(the|you|your|this|and|we|is)\b", " ".join(locale("de").values()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_that_mislead_are_never_said(language: str) -> None:
    """VG Hannover 10 A 5385/22; AEPD 2023: shipped text is linted (LAW R-07)."""
    text = " ".join(locale(language).values()).lower()
    assert [words for words in NEVER_SAID[language] if words in text] == []
    assert "withdraw" in text or "widerrufen" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_in_place_of_an_embed_name_who_it_comes_from(language: str) -> None:
    """R-53: a title without its service, or a link without its host, would name nobody."""
    words = messages_for(language)
    for shown in words.embeds.values():
        assert placeholders_of(shown.title) == {"service"}
        assert placeholders_of(shown.load) <= {"service"}
        assert placeholders_of(shown.always) == frozenset()
        assert placeholders_of(shown.instead) == {"host"}
    assert placeholders_of(words.embed_lead) == {"who"}
    assert placeholders_of(words.embed_who) == {"provider"}
    assert placeholders_of(words.embed_named) == {"service", "provider"}
    assert placeholders_of(words.embed_undeclared) == {"host"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_stands_twice_in_a_locale_file(language: str) -> None:
    """YAML lets the second win in silence."""
    root = yaml.compose(LOCALES.joinpath(f"{language}.yaml").read_text("utf-8"))
    open_nodes, seen = [root], 0
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len({*keys})
            seen += len(keys)
            open_nodes += [value for _, value in node.value]
    assert seen > len(Messages.model_fields)


@pytest.mark.parametrize(
    "damage",
    [
        {"label": None},
        {"labels": "Cookie notice"},
        {"kinds": {"session": "Session"}},
        {"notes": EN.notes | {Way.CONSENT: "never said"}},
        {"months": ["January"]},
    ],
)
def test_a_locale_that_is_not_whole_is_refused(damage: dict[str, Any]) -> None:
    """Each key is required, none is unknown; the control is the locale itself."""
    words = EN.model_dump()
    assert Messages.model_validate(words) == EN
    with pytest.raises(ValidationError):
        Messages.model_validate(words | damage)


@pytest.mark.parametrize(
    ("offered", "wanted", "chosen"),
    [
        (("en", "de"), ("de-at", "en"), "de"),
        (("en", "de"), ("fr", "de"), "de"),
        (("en", "de"), ("fr",), "en"),
        (("en", "de"), (), "en"),
        (("en", "de"), ("*",), "en"),
        (("en", "zh-Hans", "zh-Hant"), ("zh-hk",), "zh-Hant"),
        (("en", "zh-Hans", "zh-Hant"), ("zh-cn",), "zh-Hans"),
        (("en", "zh-Hans"), ("zh-tw",), "zh-Hans"),
        (("de", "en-GB"), ("en-us",), "en-GB"),
        (("en", "nb"), ("nn-no",), "nb"),
        (("en", "he"), ("iw-il",), "he"),
        (("pt", "pt-BR"), ("pt-br",), "pt-BR"),
    ],
)
def test_a_language_falls_back_towards_its_own(
    offered: Sequence[str], wanted: Sequence[str], chosen: str
) -> None:
    """RFC 4647 §3.4, and the scripts of Chinese."""
    assert choose_language(offered, wanted) == chosen


@given(
    st.lists(st.from_regex(r"[a-z]{2}(-[A-Z]{2})?", fullmatch=True), min_size=1),
    st.lists(st.text(alphabet="abcdez-*1", max_size=9)),
)
def test_what_is_chosen_is_always_offered(offered: Sequence[str], wanted: Sequence[str]) -> None:
    """Whatever a browser asks for, the page is in a language the site has."""
    assert choose_language(offered, wanted) in offered


def test_a_language_that_is_not_shipped_is_told_in_english() -> None:
    """And says so of itself, for the screen reader's voice."""
    assert messages_for("fr").language == "en"
    assert messages_for("DE-at").language == "de"


@pytest.mark.parametrize(
    ("tag", "way"), [("ar", "rtl"), ("he-IL", "rtl"), ("FA", "rtl"), ("en", "ltr"), ("de", "ltr")]
)
def test_right_to_left_is_known_by_the_language(tag: str, way: str) -> None:
    """HTML's `dir` follows the words."""
    assert direction(tag) == way
    assert is_right_to_left(tag) == (way == "rtl")


def test_a_text_of_the_policy_falls_back_to_one_that_is_there() -> None:
    """A purpose without a title could not be answered to."""
    assert said("plain", "de", ("en",)) == "plain"
    assert said({"en": "Polls", "de": "Umfragen"}, "de-ch", ("en",)) == "Umfragen"
    assert said({"en": "Polls"}, "fr", ("de", "en")) == "Polls"
    assert said({"fr": "Votes"}, "en", ("en",)) == "Votes"
    assert said({}, "en", ("en",)) == ""


@pytest.mark.parametrize(
    ("written", "english", "german"),
    [
        ("1 day", "1 day", "1 Tag"),
        ("13 months", "13 months", "13 Monate"),
        ("6 months", "6 months", "6 Monate"),
        ("30 days", "30 days", "30 Tage"),
        ("2 weeks", "14 days", "14 Tage"),
        ("12 months", "1 year", "1 Jahr"),
        ("2 years", "2 years", "2 Jahre"),
        ("30 minutes", "30 minutes", "30 Minuten"),
        ("90 minutes", "90 minutes", "90 Minuten"),
        ("24 hours", "1 day", "1 Tag"),
        ("1 hour", "1 hour", "1 Stunde"),
        ("90 seconds", "90 seconds", "90 Sekunden"),
        ("0 seconds", "0 seconds", "0 Sekunden"),
    ],
)
def test_a_duration_is_told_as_it_was_declared(written: str, english: str, german: str) -> None:
    """Planet49 C-673/17: the visitor is told how long (LAW R-73)."""
    assert duration_text(parse_duration(written), EN) == english
    assert duration_text(parse_duration(written), DE) == german


def test_a_session_ends_with_the_browser() -> None:
    """Null seconds are no duration but an end."""
    assert duration_text(None, EN) == "Until you close the browser"
    assert duration_text(None, DE) == "Bis Sie den Browser schließen"


@given(st.integers(0, 999_999) | st.integers(0, 800).map(lambda days: days * DAY))
def test_a_duration_told_is_the_duration_kept(seconds: int) -> None:
    """What is told can be read back, so nothing is rounded."""
    assert parse_duration(duration_text(seconds, EN)) == seconds


def test_a_date_is_written_as_the_language_writes_it() -> None:
    """Numbers alone would be read in two ways."""
    assert date_text(date(2026, 6, 1), EN) == "1 June 2026"
    assert date_text(date(2026, 3, 31), DE) == "31. März 2026"


@pytest.mark.parametrize(
    ("url", "href"),
    [
        ("https://site.example/a?b=1#c", "https://site.example/a?b=1#c"),
        ("HTTP://site.example/", "HTTP://site.example/"),
        ("mailto:me@site.example", "mailto:me@site.example"),
        ("me@site.example", "mailto:me@site.example"),
        ("/privacy", "/privacy"),
        ("privacy.html?at=10:30", "privacy.html?at=10:30"),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)", ""),
        ("java\tscript:alert(1)", ""),
        (" javascript:alert(1)", ""),
        ("\x01javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("vbscript:x", ""),
        ("/\\evil.example", ""),
        ("tel:101", ""),
        ("call 101", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_only_http_mailto_and_relative_links_are_links(url: str | None, href: str) -> None:
    """WHATWG URL §4.4 drops tabs and leading controls, so a blank anywhere makes it text."""
    assert safe_href(url) == href


@given(st.text(alphabet="javscript:/\\\t\n ht@.#?é", max_size=20))
def test_no_link_has_a_scheme_but_the_three(url: str) -> None:
    """Whatever a policy holds: no link runs a script."""
    found = re.match(r"[\x00-\x20]*([A-Za-z][A-Za-z0-9+.\-\t\n\r]*):", safe_href(url))
    assert found is None or found[1].lower() in {"http", "https", "mailto"}


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_country_has_a_name(language: str) -> None:
    """A code that a policy may name is never shown as a code."""
    names = messages_for(language).countries
    assert names.keys() == COUNTRIES
    assert len(set(names.values())) == len(names)
