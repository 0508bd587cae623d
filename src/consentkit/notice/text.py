"""The words of the notice: pick a language, fall back, fill in.

It has never heard of HTTP, nor of any visitor's answer.

A locale is one YAML file, read into `Messages` when it is first asked for; a missing or unknown
key is an error. A site's own words (`texts` of its policy) stand in the place of ours, key by key.
Durations take the plural forms that a language has (CLDR's rules for whole numbers).
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, Final

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from consentkit.notice.plurals import Plural, plural_of
from consentkit.rules.policy import COUNTRIES, DAY, SHOWN, Justification, Kind, Where
from consentkit.rules.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from consentkit.rules.policy import Policy, Text

__all__ = [
    "LANGUAGES",
    "EmbedWords",
    "Messages",
    "Page",
    "Unit",
    "Way",
    "Words",
    "choose_language",
    "date_text",
    "direction",
    "duration_text",
    "is_right_to_left",
    "messages_for",
    "number_text",
    "placeholders_of",
    "safe_href",
    "said",
    "signal_names",
    "words_for",
]

LANGUAGES: Final = (
    *("en", "ar", "bg", "cs", "cy", "da", "de", "el", "es", "et", "fa", "fi", "fr", "ga", "he"),
    *("hi", "hr", "hu", "is", "it", "ja", "ko", "lt", "lv", "mt", "nb", "nl", "pl", "pt", "ro"),
    *("sk", "sl", "sv", "tr", "uk", "vi", "zh-Hans", "zh-Hant"),
)
"""Tags of the shipped locales; the first is the one to fall back on."""

_RIGHT_TO_LEFT: Final = frozenset(
    {"ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"}
)
_CLOSEST: Final = {
    "iw": "he",
    "nn": "nb",
    "no": "nb",
    "zh-cn": "zh-hans",
    "zh-hk": "zh-hant",
    "zh-mo": "zh-hant",
    "zh-my": "zh-hans",
    "zh-sg": "zh-hans",
    "zh-tw": "zh-hant",
}
"""Tags whose next best is not found by cutting off their end."""


class Way(StrEnum):
    """How a purpose comes to be allowed: its basis, and for implied consent the moment."""

    STRICTLY_NECESSARY = "strictly-necessary"
    CONSENT = "consent"
    IMPLIED = "implied"
    AT_ONCE = "at-once"
    OPT_OUT = "opt-out"


_ASKED: Final = (Way.CONSENT, Way.IMPLIED, Way.AT_ONCE, Way.OPT_OUT)
_SILENT: Final = (Way.IMPLIED, Way.AT_ONCE, Way.OPT_OUT)
"""The ways in which a purpose can be on that nobody granted."""


class Unit(StrEnum):
    """What a duration is told in."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Page(StrEnum):
    """A page that says why an answer was not taken."""

    CROSS_SITE = "cross-site"
    TOO_LARGE = "too-large"
    UNKNOWN = "unknown"


def _all_of(members: Iterable[StrEnum]) -> AfterValidator:
    """Of a mapping: its keys are these members, all of them."""

    def check(words: dict[Any, Any]) -> dict[Any, Any]:
        if unlike := sorted(words.keys() ^ {*members}):
            raise ValueError(f"no words for, or none asked for: {', '.join(unlike)}")
        return words

    return AfterValidator(check)


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Words):
    """What the banner says of the purposes that come to be allowed in one way."""

    title: str
    lead: str
    close: str


class Said(_Words):
    """A heading and what stands under it."""

    title: str
    body: str


class EmbedWords(_Words):
    """What stands in place of one kind of embed."""

    title: str
    load: str
    always: str
    instead: str


class ReceiptWords(_Words):
    """A visitor's answers as a page of their own."""

    title: str
    link: str
    body: str
    nothing: str
    site: str
    answered: str
    again: str
    shown: str
    responsible: str
    granted: str
    refused: str
    implied: str
    signal: str
    is_on: str
    is_off: str
    change: str
    machines: str


class Messages(_Words):
    """Every string of a locale. ``{names}`` in them are filled in; no other markup is known."""

    language: str
    """The tag of the language these words are in."""
    reviewed: bool
    """True once a native reader was there."""
    label: str
    settings: str
    do_not_sell: str
    see_every: str
    choose_each: str
    reject_all: str
    accept_all: str
    reject: str
    accept: str
    opt_out: str
    allow: str
    save: str
    withdraw: str
    responsible: str
    third_parties: str
    asks: Annotated[dict[Way, Words], _all_of(_ASKED)]
    """By way; what is strictly necessary is not asked about."""
    sharing: Words
    """Instead of the words of opt-out, where third parties get the data."""
    mixed_title: str
    """Where the purposes come to be allowed in several ways; each has its own lead."""
    mixed_close: str
    """True of every way, and of a question about some purposes only."""
    changed_title: str
    changed_lead: str
    """Where other answers stay; it comes before the leads of the purposes."""
    news_title: str
    """Where something came or changed since the visitor answered."""
    new_purpose: str
    changed_purpose: str
    changed_items: str
    signal_title: str
    signal_body: str
    signal_over: str
    signal_wins: str
    signals: Annotated[dict[Signal, str], _all_of(Signal)]
    signal_stops: str
    """Where a signal outweighs whatever is answered."""
    both: str
    comma: str
    nothing_optional: str
    for_children: str
    back: str
    intro: str
    intro_asked: str
    intro_nothing: str
    now: str
    saved: str
    not_answered: str
    all_on: str
    all_off: str
    some_on: str
    always_on: str
    on: str
    off: str
    notes: Annotated[dict[Way, str], _all_of(_SILENT)]
    """Why a purpose is on that nobody granted."""
    strictly_necessary: str
    strictly_necessary_body: str
    number_of_cookies: str
    number_of_stored: str
    number_of_services: str
    in_one_table: str
    service_alone: str
    close: str
    close_note: str
    declaration_title: str
    declaration_body: str
    declaration_nothing: str
    declaration_caption: str
    declaration_checked: str
    revision: str
    choice_title: str
    choice_body: str
    choice_again: str
    choice_signals: str
    purposes_title: str
    table_title: str
    search: str
    search_label: str
    found: str
    found_nothing: str
    show_all: str
    observed_title: str
    observed_body: str
    column_name: str
    column_purpose: str
    column_provider: str
    column_duration: str
    column_recipients: str
    column_basis: str
    services_title: str
    contact: str
    more: str
    privacy: str
    provider_opt_out: str
    transfer: str
    nobody: str
    a_third_party: str
    token_given: str
    token_seen: str
    kinds: Annotated[dict[Kind, str], _all_of(Kind)]
    wheres: Annotated[dict[Where, str], _all_of(Where)]
    parties: dict[str, str]
    bases: Annotated[dict[Way, str], _all_of(Way)]
    basis_vote: str
    """A vote answers for the cookie that remembers it."""
    statuses: Annotated[dict[Way, str], _all_of(Way)]
    status_vote: str
    exempt: str
    justifications: Annotated[dict[Justification, str], _all_of(Justification)]
    receipt: ReceiptWords
    pages: Annotated[dict[Page, Said], _all_of(Page)]
    page_link: str
    embeds: Annotated[dict[str, EmbedWords], _all_of(SHOWN)]
    """By what a service shows."""
    embed_not_loaded: str
    embed_lead: str
    embed_who: str
    embed_named: str
    """Where the service has a name of its own."""
    embed_stays: str
    embed_purposes: str
    embed_load: str
    """Where there is room for a button and for nothing else."""
    embed_allow: str
    """Where a purpose is about more than what waits here."""
    embed_of_purpose: str
    """Where a purpose is all that is known."""
    embed_undeclared: str
    embed_settings: str
    embed_page: str
    until_closed: str
    until_tab_closed: str
    until_deleted: str
    durations: Annotated[dict[Unit, dict[Plural, str]], _all_of(Unit)]
    """Each unit in the forms that the language has."""
    digits: Annotated[str, Field(min_length=10, max_length=10)]
    date: str
    months: Annotated[tuple[str, ...], Field(min_length=12, max_length=12)]
    countries: Annotated[dict[str, str], _all_of(COUNTRIES)]
    """By ISO 3166-1 code."""


@cache
def messages_for(language: str) -> Messages:
    """The words in a language (a tag in any case), in the nearest shipped, or in English."""
    return _read_locale(choose_language(LANGUAGES, (language,)))


def words_for(policy: Policy, language: str) -> Messages:
    """The words in a language, with the site's own in the place of ours.

    A language that is not shipped has the site's own words, and English ones for the rest.
    """
    own = policy.texts.get(language)
    return _laid_over(language, tuple(own.items())) if own else messages_for(language)


@lru_cache(64)
def _laid_over(language: str, own: tuple[tuple[str, str], ...]) -> Messages:
    words = messages_for(language).model_dump(mode="json") | {"language": language}
    for key, text in own:
        *path, last = key.split(".")
        inner: Any = words
        for part in path:
            inner = inner[part]
        # A list's items are counted from 1.
        inner[int(last) - 1 if isinstance(inner, list) else last] = text
    return Messages.model_validate(words)


@cache
def _read_locale(language: str) -> Messages:
    # The loader that knows only strings: in a locale, `no:` and `on:` are words.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    text = files("consentkit.notice").joinpath("locales", f"{language}.yaml").read_bytes()
    return Messages.model_validate(yaml.load(text, loader))  # noqa: S506  # builds strings only


def placeholders_of(message: str) -> frozenset[str]:
    """The ``{names}`` that a message asks to be filled in."""
    return frozenset(name for _, name, _, _ in Formatter().parse(message) if name is not None)


def is_right_to_left(tag: str) -> bool:
    """True if a language is written from right to left."""
    return tag.lower().partition("-")[0] in _RIGHT_TO_LEFT


def direction(tag: str) -> str:
    """``rtl`` or ``ltr``, as HTML's `dir` says it."""
    return "rtl" if is_right_to_left(tag) else "ltr"


def choose_language(offered: Sequence[str], wanted: Sequence[str]) -> str:
    """The first wanted language that is offered, or the first offered.

    `wanted` is sorted by preference. Each of its tags is cut from its end until it fits
    (RFC 4647 §3.4: ``de-at``, ``de``), and a bare language fits a regional one that is offered.
    `offered` is not empty; the tag comes back as it is spelt there.
    """
    spelt = {tag.lower(): tag for tag in reversed(offered)}
    for tag in wanted:
        for shorter in _fallbacks(tag.lower()):
            if shorter in spelt:
                return spelt[shorter]
        for found in offered:
            if found.lower().partition("-")[0] == tag.lower().partition("-")[0]:
                return found
    return offered[0]


def _fallbacks(tag: str) -> Iterator[str]:
    while tag:
        yield tag
        tag = _CLOSEST.get(tag) or tag.rpartition("-")[0]


def said(text: Text, language: str, offered: Sequence[str]) -> str:
    """A text of the policy in a language, or in the first of the `offered` ones that has it."""
    if isinstance(text, str):
        return text
    return text[choose_language(tuple(text), (language, *offered))] if text else ""


def signal_names(messages: Messages, signals: Collection[Signal]) -> str:
    """The names of signals, joined as the language joins two."""
    return messages.both.join(messages.signals[one] for one in Signal if one in signals)


def date_text(day: date, messages: Messages) -> str:
    """A date as it is written: ``1 June 2026``."""
    return messages.date.format(
        day=number_text(day.day, messages),
        month=messages.months[day.month - 1],
        year=number_text(day.year, messages),
    )


def number_text(number: int, messages: Messages) -> str:
    """A whole number in the digits of the language."""
    return "".join(messages.digits[int(digit)] for digit in str(number))


_UNITS: Final = ((Unit.DAY, DAY), (Unit.HOUR, 3600), (Unit.MINUTE, 60))
_MONTHS: Final = {count * 365 // 12: count for count in range(3, 48) if count % 12}
"""Months by their days, as `parse_duration` counts; one and two are told in days, being fewer."""


def duration_text(seconds: float | None, messages: Messages) -> str:
    """A duration in whole units: ``1 day``, ``13 months``; None is the session's end."""
    if seconds is None:
        return messages.until_closed
    count, unit = _in_units(int(seconds))
    # No `other` to fall back on: where whole numbers never take it, a locale does not have it.
    form = messages.durations[unit][plural_of(messages.language, count)]
    return form.format(count=number_text(count, messages))


def _in_units(seconds: int) -> tuple[int, Unit]:
    days, rest = divmod(seconds, DAY)
    if not rest and days in _MONTHS:
        return _MONTHS[days], Unit.MONTH
    if days and not seconds % (365 * DAY):
        return days // 365, Unit.YEAR
    for unit, size in _UNITS:
        if seconds and not seconds % size:
            return seconds // size, unit
    return seconds, Unit.SECOND


_SAFE_HREF: Final = re.compile(
    r"(?:https?:|mailto:)[^\s\x00-\x20\x7f\\]+"  # these schemes,
    r"|(?![A-Za-z][A-Za-z0-9+.-]*:)[^\s\x00-\x20\x7f\\]+",  # or none at all
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"[^\s@:/?&#%<>]+@[^\s@:/?&#%<>]+")


def safe_href(url: str | None) -> str:
    """An `http`, `https`, `mailto` or relative link as it is; an e-mail address as `mailto`.

    Everything else (another scheme, blanks, backslashes, nothing) is the empty string: it is no
    link, and is printed as text.
    """
    if url is None:
        return ""
    if _ADDRESS.fullmatch(url):
        return f"mailto:{url}"
    return url if _SAFE_HREF.fullmatch(url) else ""
