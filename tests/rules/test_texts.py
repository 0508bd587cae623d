from importlib.resources import files
from typing import Any

import pytest
import yaml

from consentkit.notice.plurals import Plural
from consentkit.notice.text import LANGUAGES, Messages, messages_for, placeholders_of, words_for
from consentkit.rules.faults import problems_in
from consentkit.rules.lints import lints_in
from consentkit.rules.policy import Basis, Policy
from consentkit.rules.texts import (
    ANSWERS,
    DIGITS,
    TEXTS,
    Blanks,
    asked_with,
    says_going_on,
    unwritten,
)

OF_THE_FILE = {"language", "reviewed"}
"""What a locale says of itself."""
SILENT = ("implied", "at-once")
"""The ways in which nobody says yes and something may be on."""
NEVER_IN_ENGLISH = {*Plural} - {Plural.ONE, Plural.OTHER}


def shipped(language: str) -> dict[str, str]:
    """The texts of a locale as its file has them, by their keys."""
    locales = files("consentkit.notice").joinpath("locales")
    text = locales.joinpath(f"{language}.yaml").read_text("utf-8")
    return dict(by_key(yaml.load(text, yaml.BaseLoader)))  # noqa: S506  # builds strings only


def by_key(held: Any, above: str = "") -> list[tuple[str, str]]:
    if isinstance(held, str):
        return [(above, held)]
    items = held.items() if isinstance(held, dict) else enumerate(held, start=1)
    return [pair for key, each in items for pair in by_key(each, f"{above}.{key}".lstrip("."))]


def policy(texts: dict[str, dict[str, str]]) -> Policy:
    purposes = {"polls": {"title": "Polls", "description": "One vote each."}}
    return Policy.model_validate(
        {
            "site": {"name": "A site", "controller": "Its owner"},
            "mode": "explicit",
            "languages": [*texts],
            "purposes": purposes,
            "texts": texts,
        }
    )


def some_words(blanks: Blanks) -> str:
    return " ".join(["Words", *(f"{{{name}}}" for name in sorted(blanks.needed))])


# The table is that of the notice


def test_a_site_may_say_every_text_and_no_other() -> None:
    """A text that no site could say, or one that nobody reads, would be a table of its own."""
    english = shipped("en").keys() - OF_THE_FILE
    plural = {key for key in TEXTS if key.rpartition(".")[2] in NEVER_IN_ENGLISH}
    assert TEXTS.keys() - plural == english
    assert {key.rpartition(".")[0] for key in plural} == {
        f"durations.{unit}" for unit in messages_for("en").durations
    }


def test_what_is_filled_in_is_what_the_notice_fills_in() -> None:
    """Another name would stop the page, and one too few lose a fact."""
    for key, words in shipped("en").items():
        if key not in OF_THE_FILE:
            blanks = TEXTS[key]
            assert blanks.needed <= placeholders_of(words) <= blanks.allowed, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_locale_could_be_a_sites_own_words(language: str) -> None:
    """The rules for a site's texts hold of ours, in each language (R-07 among them)."""
    words = shipped(language)
    own = {key: words[key] for key in words.keys() - OF_THE_FILE}
    policy_of_it = policy({language: own})
    assert problems_in(policy_of_it) == []
    found = [each for each in lints_in(policy_of_it) if each.loc[0] == "texts"]
    assert found == []
    # The control: with one word wrong, there is a problem.
    assert problems_in(policy({language: {**own, "settings": "{none}"}})) != []


@pytest.mark.parametrize("key", TEXTS)
def test_every_text_that_is_said_is_read(key: str) -> None:
    """Each key leads to one of the words that a page is made of, and to no other."""
    words = "9876543210" if key == DIGITS else some_words(TEXTS[key])
    own = words_for(policy({"en": {key: words}}), "en")
    before, after = (dict(by_key(as_in_a_file(each))) for each in (messages_for("en"), own))
    assert after[key] == words
    assert {each for each in after if before.get(each) != after[each]} == {key}


def as_in_a_file(words: Messages) -> Any:
    return words.model_dump(mode="json", exclude={*OF_THE_FILE})


# What else is known of them


def test_the_answers_are_labels_of_the_notice() -> None:
    """A no and a yes, side by side."""
    assert {key for pair in ANSWERS for key in pair} <= TEXTS.keys()


def test_a_language_needs_every_text_and_one_plural_form() -> None:
    """Which forms a language has is its own affair."""
    english = shipped("en")
    assert unwritten(english) == []
    assert unwritten({key: english[key] for key in english.keys() - {"durations.day.one"}}) == []
    assert unwritten({key: english[key] for key in english.keys() - {"durations.day.other"}}) == [
        "durations.day.other"
    ]


def test_the_question_is_about_the_purposes_it_asks_about() -> None:
    """A text for implied consent is no question to whom consent is asked of."""
    assert asked_with("asks.consent.title") == {Basis.CONSENT}
    assert asked_with("asks.at-once.close") == asked_with("asks.implied.lead") == {Basis.IMPLIED}
    assert asked_with("sharing.lead") == {Basis.OPT_OUT}
    assert asked_with("mixed_title") == {Basis.CONSENT, Basis.IMPLIED, Basis.OPT_OUT}
    assert asked_with("settings") == asked_with("receipt.title") == frozenset()
    assert {key.partition(".")[0] for key in TEXTS if asked_with(key)} == {
        *("asks", "sharing", "mixed_title", "mixed_close")
    }


def test_only_the_texts_of_implied_consent_are_about_going_on() -> None:
    """No other text may say that going on counts (R-07)."""
    assert {key for key in TEXTS if says_going_on(key)} == {
        *(f"asks.{way}.{part}" for way in SILENT for part in ("title", "lead", "close")),
        *(f"{text}.{way}" for text in ("notes", "bases", "statuses") for way in SILENT),
        "receipt.implied",
    }
