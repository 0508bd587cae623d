"""The words of a notice: which language they are in, whose they are, and how things are told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from consentkit.notice.text import (
    LANGUAGES,
    Messages,
    Way,
    choose_language,
    date_text,
    direction,
    duration_text,
    is_right_to_left,
    messages_for,
    number_text,
    safe_href,
    said,
    signal_names,
    words_for,
)
from consentkit.rules.policy import DAY, parse_duration
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rules.texts import DIGITS, TEXTS
from tests.notice import GPC, policy_of, strings_of

EN, DE = messages_for("en"), messages_for("de")


@pytest.mark.parametrize(
    "damage",
    [
        {"label": None},
        {"labels": "Cookie notice"},
        {"kinds": {"session": "Session"}},
        {"asks": {Way.CONSENT: EN.sharing}},
        {"digits": "012345678"},
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
    assert messages_for("tlh").language == "en"
    assert messages_for("zh").language == "zh-Hans"
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
    assert date_text(date(2026, 3, 31), messages_for("fa")) == "۳۱ مارس ۲۰۲۶"
    assert date_text(date(2026, 3, 31), messages_for("hu")) == "2026. március 31."


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


# the site's own words


def own_words(language: str, texts: dict[str, str]) -> Messages:
    return words_for(policy_of(languages=["en", language], texts={language: texts}), language)


def test_a_sites_own_words_take_the_place_of_ours_one_by_one() -> None:
    """The rest stays as it is shipped, and so do the words of every other policy."""
    own = own_words("de", {"settings": "Kekse", "asks.consent.title": "Dürfen wir?"})
    assert (own.settings, own.asks[Way.CONSENT].title) == ("Kekse", "Dürfen wir?")
    assert own.asks[Way.CONSENT].lead == DE.asks[Way.CONSENT].lead
    assert own.model_copy(update={"settings": DE.settings, "asks": DE.asks}) == DE
    assert words_for(policy_of(), "de") is DE
    other = policy_of(texts={"de": {"settings": "Kekse"}})
    assert words_for(other, "en") is EN, "one language's words are no other's"


def words_of(key: str) -> str:
    """A text of the site's own for a key, with everything that is filled in there."""
    if key == DIGITS:
        return "abcdefghij"
    return " ".join(["own", *(f"{{{name}}}" for name in sorted(TEXTS[key].needed))])


@pytest.mark.parametrize("language", ["de", "en-GB", "tlh"])
def test_every_text_may_be_the_sites_own(language: str) -> None:
    """Whether the language is shipped, or a kin of one, or nobody's."""
    texts = {key: words_of(key) for key in TEXTS}
    words = own_words(language, texts)
    told = strings_of(words.model_dump(mode="json", exclude={"language", "reviewed"}))
    assert told == texts
    assert words.language == language


def test_a_language_nobody_ships_has_the_sites_words_and_english_ones() -> None:
    """Its own tag and direction, since that is what most of its page is in."""
    words = own_words("ckb", {"settings": "ڕێکخستنەکان"})
    assert (words.settings, words.label) == ("ڕێکخستنەکان", EN.label)
    assert (words.language, direction(words.language)) == ("ckb", "rtl")
    assert duration_text(DAY, words) == "1 day"
    assert words_for(policy_of(languages=["ckb"]), "ckb") is EN, "no words of its own: English"


def test_a_kin_of_a_shipped_language_has_its_words_and_plural_forms() -> None:
    """`pl-PL` is Polish, and counts as Polish does."""
    words = own_words("pl-PL", {"settings": "Ciastka"})
    assert duration_text(5 * DAY, words) == duration_text(5 * DAY, messages_for("pl")) == "5 dni"
    assert words.language == "pl-PL"


# how things are told


@pytest.mark.parametrize("language", LANGUAGES)
@given(seconds=st.integers(0, 10**8) | st.integers(0, 1500).map(lambda days: days * DAY))
def test_every_duration_can_be_told_in_every_language(language: str, seconds: int) -> None:
    """A form that a locale lacks would be an error on the page of one visitor in a hundred."""
    words = messages_for(language)
    told = duration_text(seconds, words)
    in_a_word = {form for forms in words.durations.values() for form in forms.values()}
    assert "{" not in told
    assert told in in_a_word or any(digit in words.digits for digit in told)


def test_plurals_are_right_where_english_has_but_two() -> None:
    """`1 dzień`, `2 dni`; one, two, few, many."""
    for language, days in {
        "pl": ["1 dzień", "2 dni", "5 dni", "22 dni"],
        "uk": ["1 день", "2 дні", "5 днів", "22 дні"],
        "cs": ["1 den", "2 dny", "5 dní", "22 dní"],
        "sl": ["1 dan", "2 dneva", "5 dni", "22 dni"],
        "fr": ["1 jour", "2 jours", "5 jours", "22 jours"],
        "ja": ["1日", "2日", "5日", "22日"],
    }.items():
        told = [duration_text(count * DAY, messages_for(language)) for count in (1, 2, 5, 22)]
        assert told == days


@given(st.integers(0, 10**6))
def test_a_number_is_written_in_the_digits_of_the_language(number: int) -> None:
    """Python reads every decimal digit of Unicode, so what is told can be read back."""
    for language in LANGUAGES:
        assert int(number_text(number, messages_for(language))) == number
    assert number_text(1203, messages_for("fa")) == "۱۲۰۳"
    assert number_text(1203, EN) == "1203"


def test_signals_are_named_and_joined_as_the_language_does() -> None:
    """R-39: the visitor is told which of them are honoured."""
    assert signal_names(EN, NO_SIGNALS) == ""
    assert signal_names(EN, GPC) == "Global Privacy Control"
    assert signal_names(EN, frozenset(Signal)) == "Global Privacy Control and Do Not Track"
    assert " und " in signal_names(DE, frozenset(Signal))
