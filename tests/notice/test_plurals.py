"""Which form a word takes beside a number: CLDR's rules, as others have written them down."""

from functools import cache

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.plurals import Plural, plural_of
from consentkit.notice.text import LANGUAGES

MOST = 10_000


@cache
def forms(language: str) -> list[str]:
    """Our form for each number."""
    return [str(plural_of(language, number)) for number in range(MOST + 1)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_takes_the_form_that_cldr_says(language: str) -> None:
    """Unicode TS #35, part 3, §5; nothing in a notice is counted in more."""
    # Our Portuguese is that of Portugal, which counts otherwise than that of Brazil.
    tag = {"pt": "pt-PT"}.get(language, language)
    rule = Locale.parse(tag, sep="-").plural_form
    assert forms(language) == [rule(number) for number in range(MOST + 1)]


def test_the_rules_differ_from_language_to_language() -> None:
    """The control: one rule for all would pass for some of them only."""
    same = {language for language in LANGUAGES if forms(language) == forms("en")}
    assert {"en", "de", "pt"} <= same
    assert same.isdisjoint({"ar", "cs", "cy", "fr", "ga", "ja", "lt", "pl", "sl", "uk"})


@given(st.sampled_from(LANGUAGES), st.integers(0, MOST), st.sampled_from(["-XX", "-xx-1994", ""]))
def test_a_region_changes_no_form(language: str, number: int, region: str) -> None:
    """The rule is the language's, however its tag is written."""
    bare = language.partition("-")[0]
    assert plural_of(f"{bare.upper()}{region}", number) is plural_of(language, number)


@given(st.from_regex(r"[a-z]{2,3}", fullmatch=True), st.integers(0, MOST))
def test_a_language_nobody_knows_has_a_form_for_every_number(language: str, number: int) -> None:
    """It has English words, or the site's own: one, and another."""
    form = plural_of(language, number)
    assert form in Plural
    if language not in {tag.partition("-")[0] for tag in LANGUAGES}:
        assert form is (Plural.ONE if number == 1 else Plural.OTHER)
