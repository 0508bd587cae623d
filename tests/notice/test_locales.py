"""The words as they are shipped: every locale against English, against CLDR and against the law."""

# ruff: noqa: RUF001 - the words of a language are in its letters, and some look like English ones

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import cache
from typing import NamedTuple

import pytest
import yaml
from babel import Locale
from babel.dates import format_date, get_month_names

from consentkit.notice.plurals import plural_of
from consentkit.notice.text import (
    LANGUAGES,
    Messages,
    Unit,
    Way,
    date_text,
    messages_for,
    placeholders_of,
)
from consentkit.rules.misleading_words import misleading_words_in
from consentkit.rules.policy import COUNTRIES
from consentkit.rules.texts import ANSWERS, TEXTS
from tests.notice import LOCALES, locale

TRANSLATED = LANGUAGES[1:]
ABOUT_THE_FILE = {"language", "reviewed"}


class Says(NamedTuple):
    """How a language says what has to be said, each a part of a word, and what it quotes with."""

    page: str
    withdraw: str
    quotes: str


SAYS = {
    "en": Says("page", "withdraw", "“”"),
    "ar": Says("صفحة", "سحب", "«»"),
    "bg": Says("страниц", "оттегл", "„“"),
    "cs": Says("stránk", "odvol", "„“"),
    "cy": Says("dudalen|tudalen", "n ôl", "“”"),
    "da": Says("side", "tilbage", "»«"),
    "de": Says("seite", "widerruf", "„“"),
    "el": Says("σελίδ", "ανακαλ|ανάκλησ", "«»"),
    "es": Says("página", "retirar", "«»"),
    "et": Says("lehe|lehele", "tagasi", "„“"),
    "fa": Says("صفحهٔ", "پس (?:ب?گیرید|گرفتن)", "«»"),
    "fi": Says("sivu", "peruut", "””"),
    "fr": Says("page", "retirer", "«»"),
    "ga": Says("leathanach", "siar", "“”"),
    "he": Says("דף", "משוך|משיכ", "״״"),
    "hi": Says("पेज", "वापस", "“”"),
    "hr": Says("stranic", "povu", "„”"),
    "hu": Says("oldal", "visszavon", "„”"),
    "is": Says("síðu", "afturkall", "„“"),
    "it": Says("pagin", "revoc", "«»"),
    "ja": Says("ページ", "撤回", "「」"),
    "ko": Says("페이지", "철회", "‘’"),
    "lt": Says("puslap", "atšauk", "„“"),
    "lv": Says("lap[aiu]", "atsauk", "„”"),
    "mt": Says("paġna", "irtira", "“”"),
    "nb": Says("side", "trekk.*tilbake", "«»"),
    "nl": Says("pagina", "intrekken", "‘’"),
    "pl": Says("stron", "wycof", "„”"),
    "pt": Says("página", "retir[aá]", "«»"),
    "ro": Says("pagin", "retra", "„”"),
    "sk": Says("stránk", "odvol", "„“"),
    "sl": Says("stran", "prekli", "»«"),
    "sv": Says("sida", "återkall", "””"),
    "tr": Says("sayfa", "geri al", "“”"),
    "uk": Says("сторінк", "відклик", "«»"),
    "vi": Says("trang", "rút lại", "“”"),
    "zh-Hans": Says("页面", "撤回", "“”"),
    "zh-Hant": Says("頁面", "撤回", "「」"),
}
APOSTROPHES = {"cy", "el", "en", "fr", "ga", "it", "mt", "nl", "uk"}


@cache
def texts(language: str) -> dict[str, str]:
    """What a visitor may read, by key: no word about the file, no digits."""
    own = locale(language)
    return {key: text for key, text in own.items() if key not in {*ABOUT_THE_FILE, "digits"}}


def wordy(text: str) -> bool:
    """True for what has letters of its own."""
    return any(letter.isalpha() for letter in re.sub(r"\{\w*\}", "", text))


# whole


def test_every_shipped_locale_is_offered_and_no_other() -> None:
    """A language is offered when its words are there."""
    shipped = {one.name.removesuffix(".yaml") for one in LOCALES.iterdir()}
    assert shipped == {*LANGUAGES} == {*SAYS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_locale_says_whose_it_is_and_that_no_native_reader_was_there(language: str) -> None:
    """The docs list which are not reviewed yet; a promise that is not kept is worse than none."""
    own = locale(language)
    assert (own["language"], own["reviewed"]) == (language, "false")
    assert messages_for(language).reviewed is False


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_locale_has_the_keys_of_the_english_one_in_its_order(language: str) -> None:
    """A missing word would show as a hole; one order: two files read side by side."""

    def keys(tag: str) -> list[str]:
        return [key for key in locale(tag) if not key.startswith("durations.")]

    assert keys(language) == keys("en")
    assert len(keys(language)) > len(Messages.model_fields)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_duration_has_each_form_of_the_language_and_no_other(language: str) -> None:
    """CLDR's categories for whole numbers: one that is missing could not be told."""
    needed = {plural_of(language, number) for number in range(1001)}
    durations = messages_for(language).durations
    assert durations.keys() == {*Unit}
    assert [forms.keys() for forms in durations.values()] == [needed] * len(Unit)


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_filled_in_that_english_fills_in(language: str) -> None:
    """A missing name would be a lost fact; an unknown one an error on a page."""
    wrong = {
        key: text
        for key, text in locale(language).items()
        if key not in ABOUT_THE_FILE
        and not TEXTS[key].needed <= placeholders_of(text) <= TEXTS[key].allowed
    }
    assert wrong == {}


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


# one language

SAME: dict[str, str] = {
    "wheres.indexed-db": " ".join(TRANSLATED),  # the name of a programming interface
    "signals.gpc": "he ko",  # names, in quotation marks elsewhere
    "signals.dnt": "he ko",
    "contact": "nl ro",
    "number_of_cookies": "de",
    "kinds.session": "da fr sv",
    "kinds.persistent": "ro",
    "receipt.site": "fr pt ro tr",
    "durations.minute.one": "fr",
    "durations.minute.other": "fr",
    "months.4": "de mt",
    "months.8": "de",
    "months.9": "de",
    "months.11": "de",
}
"""Words that are the same in English, with the languages in which they are."""


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_the_english_one(language: str) -> None:
    """A notice is in one language (EDPB 03/2022: language discontinuity; LAW R-07)."""
    english = locale("en")
    same = {
        key
        for key, text in texts(language).items()
        if english.get(key) == text and wordy(text) and not key.startswith("countries.")
    }
    assert same == {key for key, tags in SAME.items() if language in tags.split()}


NAMES = re.compile(r"Global Privacy Control|Do Not Track|IndexedDB|JSON|\{\w+\}")
ENGLISH = re.compile(
    r"\b(?:the|you|your|this|these|their|which|would|could|has|not|with|from|here|because|until"
    r"|always|answers?|accept|reject|withdraw|allow|purposes?|third|necessary|saved?|load(?:ed)?)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_english_word_is_left_in_a_text(language: str) -> None:
    """Nor is a half of one: the words that no other language here has, and names left out."""
    left = {
        key: found
        for key, text in texts(language).items()
        if (found := ENGLISH.findall(NAMES.sub("", text)))
        and not key.startswith(("countries.", "date"))
    }
    assert left == {}
    control = {key for key, text in texts("en").items() if ENGLISH.search(NAMES.sub("", text))}
    assert len(control) > 100, "the words are English's commonest"


SCRIPTS = {
    **dict.fromkeys(("ar", "fa"), "ARABIC"),
    **dict.fromkeys(("bg", "uk"), "CYRILLIC"),
    "el": "GREEK",
    "he": "HEBREW",
    "hi": "DEVANAGARI",
    "ja": "HIRAGANA KATAKANA CJK",
    "ko": "HANGUL",
    **dict.fromkeys(("zh-Hans", "zh-Hant"), "CJK"),
}
COOKIES = re.compile(r"cookies?", re.IGNORECASE)
"""A loan word that some languages keep in its Latin letters."""
KEEPING_IT = ("el", "ja", "uk", "zh-Hans", "zh-Hant")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_locale_is_written_in_its_script(language: str) -> None:
    """A letter of another one that looks the same is read by no screen reader as it is meant."""
    own = SCRIPTS.get(language, "LATIN").split()
    loan = COOKIES if language in KEEPING_IT else NAMES
    words = [
        word
        for text in texts(language).values()
        for word in re.findall(r"[^\W\d_]+", loan.sub("", NAMES.sub("", text)))
    ]
    foreign = {
        word
        for word in words
        for letter in word
        # A modifier, such as the long vowel of Japanese, is of no script.
        if unicodedata.name(letter).split()[0].partition("-")[0] not in own
        and unicodedata.category(letter) != "Lm"
    }
    assert foreign == set()
    assert len(words) > 100


# as it is written

INVISIBLE = {"bg": "\u202f", "fa": "\u200c", "fr": "\u00a0", "uk": "\u202f"}
"""Before *г.* and *р.* (CLDR), inside Persian words, before French punctuation."""
WITH_BLANKS = {"both", "comma"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_blank_is_doubled_lost_or_hidden(language: str) -> None:
    """What stands at the end of a text would stand in the middle of a sentence."""
    wrong = {
        key: text
        for key, text in texts(language).items()
        if re.search(r"\s\s|[\t\n\r]", text)
        or (text != text.strip() and key not in WITH_BLANKS)
        or not text.strip()
        or unicodedata.normalize("NFC", text) != text
        or any(
            unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cn", "Zl", "Zp"}
            or (letter.isspace() and letter != " ")
            for letter in text
            if letter not in INVISIBLE.get(language, "")
        )
    }
    assert wrong == {}
    for mark in INVISIBLE.get(language, ""):
        assert any(mark in text for text in texts(language).values()), "no exception for nothing"


ENDS = {".": ".。।", "?": "?？؟;", ":": ":："}
A_SENTENCE_FOR_A_COLON = {
    *(("ko", f"asks.{way}.lead") for way in ("consent", "implied", "at-once", "opt-out")),
    ("ko", "sharing.lead"),  # a Korean sentence ends with its verb, and a list may follow it
}


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_text_ends_as_the_english_one_does(language: str) -> None:
    """A sentence is a sentence, a label a label, a question a question; nothing shouts."""
    english = locale("en")
    wrong = {
        key: text
        for key, text in texts(language).items()
        if not key.startswith("durations.")
        and key not in WITH_BLANKS | {"date"}
        and (language, key) not in A_SENTENCE_FOR_A_COLON
        and any((english[key][-1] == mark) != (text[-1] in own) for mark, own in ENDS.items())
    }
    assert wrong == {}
    assert not [text for text in texts(language).values() if re.search("[!！…‼]|\\.\\.\\.", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_quotation_marks_are_the_languages_own_and_closed(language: str) -> None:
    """One pair to a language; an apostrophe is no quotation mark, and none is a typewriter's."""
    opening, closing = tuple(SAYS[language].quotes)
    quoted = re.compile(f"{opening}\\s?[^{opening}{closing}]+\\s?{closing}")
    apostrophe = re.compile(r"(?<=\w)’|’(?=\w)" if language in APOSTROPHES else "(?!)")
    foreign = re.compile("[\"'`´“”„‟‘’‚‛«»‹›「」『』〝〟״]")
    wrong = {
        key: text
        for key, text in texts(language).items()
        if foreign.search(apostrophe.sub("", quoted.sub("", text)))
    }
    assert wrong == {}
    assert any(quoted.search(text) for text in texts(language).values())


BRACKETS = {"(": ")", "（": "）", "[": "]"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_brackets_are_closed(language: str) -> None:
    """Each that opens is closed in the same text."""
    for key, text in texts(language).items():
        for opens, closes in BRACKETS.items():
            assert text.count(opens) == text.count(closes), key


# no and yes

LONGEST_LABEL = 24
LABELS = ("reject_all", "accept_all", "reject", "accept", "opt_out", "allow", "save", "withdraw")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_no_and_a_yes_differ_and_are_about_equally_long(language: str) -> None:
    """R-12: the one that is easier to read would be pressed more often."""
    own = locale(language)
    for no, yes in ANSWERS:
        assert own[no].casefold() != own[yes].casefold()
        assert max(len(own[no]), len(own[yes])) <= 2.5 * min(len(own[no]), len(own[yes]))
    assert [label for label in LABELS if len(own[label]) > LONGEST_LABEL] == []


# what the law asks for


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_right_to_withdraw_is_told_in_every_question(language: str) -> None:
    """R-06: GDPR 7(3), in the verb that its translation has; and the button says the same."""
    own, said = locale(language), re.compile(SAYS[language].withdraw, re.IGNORECASE)
    closes = [f"asks.{way}.close" for way in ("consent", "implied", "at-once", "opt-out")]
    for key in (*closes, "sharing.close", "mixed_close", "withdraw", "receipt.body", "intro"):
        assert said.search(own[key]), key
    assert not said.search(own["asks.consent.title"]), "the control"


@pytest.mark.parametrize("language", LANGUAGES)
def test_implied_consent_names_the_act_that_counts(language: str) -> None:
    """R-09: only a page that is opened counts, so the words say so wherever it is told of."""
    own, said = locale(language), re.compile(SAYS[language].page, re.IGNORECASE)
    for key in ("asks.implied.title", "asks.implied.lead", "bases.implied", "statuses.implied"):
        assert said.search(own[key]), key
    for key in ("notes.implied", "receipt.implied"):
        assert said.search(own[key]), key
    assert not said.search(own["accept_all"]), "the control"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_misleads(language: str) -> None:
    """R-07: shipped words are held to what a site's own are held to; there is no exception."""
    found = {
        key: [each.words for each in misleading_words_in(text)]
        for key, text in texts(language).items()
    }
    assert {key: words for key, words in found.items() if words} == {}
    assert [*misleading_words_in("By continuing to use this site you accept.")], "the control"


NEVER_SAID = {
    "en": "experience|value your privacy|by continuing|by using|essential|partners|necessary for",
    "de": "erlebnis|erfahrung|privatsphäre|weitere nutzung|mit der nutzung|essen[zt]iell|partner",
    "fr": "expérience|vie privée|en poursuivant|en continuant|essentiel|partenaire",
    "es": "experiencia|su privacidad|al continuar|al seguir|esencial|socios",
    "it": "esperienza|tua privacy|proseguendo|continuando|essenzial|partner",
    "nl": "ervaring|uw privacy|door verder|door te gaan|essentie|partner",
    "pl": "doświadczen|kontynuując|dalsze korzystanie|partner",
    "sv": "upplevelse|din integritet|genom att fortsätta|nödvändiga för dig|partner",
}


@pytest.mark.parametrize("language", NEVER_SAID)
def test_the_words_of_a_cookie_wall_are_never_said(language: str) -> None:
    """VG Hannover 10 A 5385/22; AEPD 2023: praise, partners, *essential* for what is not."""
    never = re.compile(NEVER_SAID[language], re.IGNORECASE)
    assert {key: text for key, text in texts(language).items() if never.search(text)} == {}


NUMBER_OF = re.compile(
    r"number|\bnifer|antal|anzahl|zahl\b|αριθμ|número|\barvu?\b|määrä|nombre|\blíon|\bbroj|szám"
    r"|fjöldi|numero|skaič|skait|numru|antall|aantal|liczb|număr|počet|število|sayı|кільк|брой"
    r"|số lượng|数量|數量|عدد|تعداد|מספר|संख्या|수",
    re.IGNORECASE,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_third_parties_are_told_by_number_or_by_name(language: str) -> None:
    """One text for both (R-06, R-53): *number of* would be untrue of names."""
    assert not NUMBER_OF.search(locale(language)["third_parties"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_in_place_of_an_embed_name_who_it_comes_from(language: str) -> None:
    """R-53: a title without its service, or a link without its host, would name nobody."""
    words = messages_for(language)
    for shown in words.embeds.values():
        assert placeholders_of(shown.title) == {"service"}
        assert placeholders_of(shown.instead) == {"host"}
    assert placeholders_of(words.embed_lead) == {"who"}
    assert placeholders_of(words.embed_named) == {"service", "provider"}


# against CLDR


@cache
def cldr(language: str) -> Locale:
    """What Babel knows of a language; our Portuguese is that of Portugal."""
    return Locale.parse({"pt": "pt-PT"}.get(language, language), sep="-")


DATES = tuple(date(2026, month, day) for month in range(1, 13) for day in (1, 2, 11, 31 - 3))


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_are_written_as_cldr_writes_them(language: str) -> None:
    """CLDR's long date; its English one is American, and ours is that of the other side."""
    tag = {"en": "en-GB"}.get(language, language)
    place = Locale.parse(tag, sep="-") if language == "en" else cldr(language)
    written = [date_text(day, messages_for(language)) for day in DATES]
    expected = [format_date(day, "long", locale=place) for day in DATES]
    if language == "fa":  # Babel writes the digits of English
        expected = [one.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")) for one in expected]
    assert written == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_months_have_the_names_that_cldr_gives_them_in_a_date(language: str) -> None:
    """January to December; Simplified Chinese numbers them in a date, and names them elsewhere."""
    names = get_month_names("wide", locale=cldr(language))
    numbered = tuple(f"{month}月" for month in range(1, 13))
    expected = tuple(names[month] for month in range(1, 13))
    assert messages_for(language).months == (numbered if language == "zh-Hans" else expected)


BETTER_THAN_CLDR = {("mt", "BR"): "il-Brażil"}
"""Maltese writes the article small, and CLDR does so in every other name."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_countries_have_their_names_of_cldr(language: str) -> None:
    """A code that a policy may name is never shown as a code, and no two are told alike."""
    names = messages_for(language).countries
    known = cldr(language).territories
    expected = {code: BETTER_THAN_CLDR.get((language, code), known[code]) for code in COUNTRIES}
    assert names == expected
    assert len({*names.values()}) == len(names)


@pytest.mark.parametrize("language", LANGUAGES)
def test_digits_are_ten_and_those_of_the_language(language: str) -> None:
    """Persian is written with its own, also on the web; all others here with Western ones."""
    digits = messages_for(language).digits
    assert [unicodedata.digit(one) for one in digits] == [*range(10)]
    assert len({*digits}) == 10
    system = cldr(language).default_numbering_system
    assert (digits == "0123456789") == (system == "latn")
    assert system == {"fa": "arabext"}.get(language, "latn")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_way_has_its_words(language: str) -> None:
    """No purpose is told with the words of another way."""
    words = messages_for(language)
    leads = [words.asks[way].lead for way in Way if way in words.asks]
    assert len({*leads, words.sharing.lead}) == len(leads) + 1
    assert len({*words.statuses.values()}) == len(words.statuses)
    assert len({*words.bases.values()}) == len(words.bases)
