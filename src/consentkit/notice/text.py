"""The words of the notice: pick a language, fall back, fill in.

It has never heard of HTTP, nor of any visitor's answer.

A locale is one YAML file, read into `Messages` when it is first asked for; a missing or unknown
key is an error. A text of the policy is one string or one for each language. `chapters_of` tells a
policy in the visitor's words, purpose by purpose; both layers of the notice print it.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from consentkit.rules.policy import (
    COUNTRIES,
    DAY,
    LONGEST,
    SHOWN,
    Basis,
    DeclaredCookie,
    Justification,
    Kind,
    Policy,
    Service,
    StoredItem,
    TakesEffect,
    Where,
)
from consentkit.rules.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from consentkit.rules.policy import Text, Transfer

__all__ = [
    "LANGUAGES",
    "Chapter",
    "EmbedWords",
    "Entry",
    "Messages",
    "Page",
    "ServiceEntry",
    "Unit",
    "Way",
    "Words",
    "chapters_of",
    "choose_language",
    "date_text",
    "direction",
    "duration_text",
    "is_right_to_left",
    "kept_for",
    "messages_for",
    "placeholders_of",
    "provider_of",
    "recipients_of",
    "render",
    "safe_href",
    "said",
    "third_parties_of",
    "token_cookies",
    "transfer_of",
    "way_of",
]

LANGUAGES: Final = ("en", "de")
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


class Count(_Words):
    """A duration in one unit: for one, and for ``{count}`` of them."""

    one: str
    many: str


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


class Messages(_Words):
    """Every string of a locale. ``{names}`` in them are filled in; no other markup is known."""

    language: str
    """The tag of the language these words are in."""
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
    signal_title: str
    signal_body: str
    signal_over: str
    signal_wins: str
    signals: Annotated[dict[Signal, str], _all_of(Signal)]
    both: str
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
    declaration_title: str
    declaration_body: str
    declaration_nothing: str
    declaration_caption: str
    declaration_checked: str
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
    durations: Annotated[dict[Unit, Count], _all_of(Unit)]
    date: str
    months: Annotated[tuple[str, ...], Field(min_length=12, max_length=12)]
    countries: Annotated[dict[str, str], _all_of(COUNTRIES)]
    """By ISO 3166-1 code."""


@cache
def messages_for(language: str) -> Messages:
    """The words in a language (a tag in any case), in the nearest shipped, or in English."""
    return _read_locale(choose_language(LANGUAGES, (language,)))


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


def date_text(day: date, messages: Messages) -> str:
    """A date as it is written: ``1 June 2026``."""
    return messages.date.format(day=day.day, month=messages.months[day.month - 1], year=day.year)


_UNITS: Final = ((Unit.DAY, DAY), (Unit.HOUR, 3600), (Unit.MINUTE, 60))
_MONTHS: Final = {count * 365 // 12: count for count in range(3, 48) if count % 12}
"""Months by their days, as `parse_duration` counts; one and two are told in days, being fewer."""


def duration_text(seconds: float | None, messages: Messages) -> str:
    """A duration in whole units: ``1 day``, ``13 months``; None is the session's end."""
    if seconds is None:
        return messages.until_closed
    count, unit = _in_units(int(seconds))
    form = messages.durations[unit]
    return (form.one if count == 1 else form.many).format(count=count)


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


_TEMPLATES: Final = Environment(
    loader=PackageLoader("consentkit.notice", "assets"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.filters["safe_href"] = safe_href


def render(template: str, language: str, /, **values: object) -> bytes:
    """A template of `assets`, filled in: ASCII bytes, everything from outside escaped.

    Templates see the `Messages` as `t` and the writing direction as `dir`.
    """
    messages = messages_for(language)
    values |= {"t": messages, "dir": direction(messages.language)}
    return _TEMPLATES.get_template(template).render(values).encode("ascii", "xmlcharrefreplace")


_WAYS: Final = {
    Basis.STRICTLY_NECESSARY: Way.STRICTLY_NECESSARY,
    Basis.CONSENT: Way.CONSENT,
    Basis.OPT_OUT: Way.OPT_OUT,
}


def way_of(policy: Policy, purpose: str) -> Way:
    """How a purpose comes to be allowed."""
    at_once = policy.takes_effect is TakesEffect.AT_ONCE
    return _WAYS.get(policy.basis_of(purpose)) or (Way.AT_ONCE if at_once else Way.IMPLIED)


def kept_for(cookie: DeclaredCookie) -> int | None:
    """The longest a declared cookie lives, in seconds; None for the session."""
    if cookie.kind is Kind.SESSION:
        return None
    if cookie.kind is Kind.POLL_TIMEOUT:
        return min(cookie.duration or DAY, LONGEST)
    return LONGEST if cookie.duration is None else min(cookie.duration, LONGEST)


def provider_of(policy: Policy, item: DeclaredCookie | StoredItem) -> str:
    """Who sets an item: the service's provider, the site, or the domain of a third party."""
    if item.service is not None:
        service = policy.services.get(item.service)
        return service.provider if service else item.service
    if isinstance(item, StoredItem) or item.party == "first":
        return policy.site.name
    return item.domain or ""


def recipients_of(policy: Policy, item: DeclaredCookie | StoredItem) -> Text | None:
    """Who else gets the data: as declared, else the provider if that is not the site."""
    third = isinstance(item, DeclaredCookie) and item.party == "third"
    own = item.service is None and not third
    return item.recipients or (None if own else provider_of(policy, item) or None)


def transfer_of(policy: Policy, item: DeclaredCookie | StoredItem) -> Transfer | None:
    """The countries the data goes to: as declared on the item, else on its service."""
    service = policy.services.get(item.service or "")
    return item.transfer or (service.transfer if service else None)


def third_parties_of(policy: Policy, purposes: Sequence[str], language: str) -> tuple[str, ...]:
    """Everybody else who gets data for any of `purposes`, each once (LAW R-06).

    A provider and a differently named recipient count as two: a number too high misleads nobody.
    """
    wanted = frozenset(purposes)
    services = [one.provider for one in policy.services.values() if wanted & {*one.purpose}]
    items: list[DeclaredCookie | StoredItem] = [*policy.cookies.values(), *policy.storage.values()]
    others = [
        said(recipients_of(policy, item) or "", language, policy.languages)
        or (item.name if isinstance(item, DeclaredCookie) and item.party == "third" else "")
        for item in items
        if wanted & {*item.purpose}
    ]
    return tuple(dict.fromkeys(name for name in (*services, *others) if name))


def token_cookies(policy: Policy, tokens: Sequence[str]) -> tuple[DeclaredCookie, ...]:
    """Our own tokens as declared cookies: strictly necessary (LAW R-24, R-30).

    `tokens` names the one of the answers, then that of the automatic state. They stand under the
    first strictly necessary purpose; one that the policy declares itself is left to it. Where
    nothing is optional there is no answer to keep, and where nothing is implied there is no state.
    """
    bases = {policy.basis_of(name) for name in policy.optional_purposes}
    if not bases:
        return ()
    necessary = [name for name in policy.purposes if _is_necessary(policy, name)]
    return tuple(
        DeclaredCookie(
            name=name,
            kind=Kind.PERSISTENT,
            purpose=tuple(necessary[:1]),
            duration=policy.longest,
            justification=Justification.CONSENT_RECORD,
            description={tag: getattr(messages_for(tag), key) for tag in LANGUAGES},
        )
        for name, key in zip(tokens, ("token_given", "token_seen"), strict=False)
        if name not in policy.cookies and (key == "token_given" or Basis.IMPLIED in bases)
    )


def _is_necessary(policy: Policy, purpose: str) -> bool:
    return policy.basis_of(purpose) is Basis.STRICTLY_NECESSARY


class Entry(NamedTuple):
    """One declared cookie or stored item in words; every column of the declaration (LAW R-73)."""

    name: str
    kind: str
    description: str
    more: str | None
    provider: str
    party: str
    duration: str
    recipients: str
    transfer: str
    basis: str
    service: str | None
    is_cookie: bool = True


class ServiceEntry(NamedTuple):
    """One service in words, and the cookies it sets."""

    title: str
    provider: str
    transfer: str
    privacy: str | None
    opt_out: str | None
    entries: tuple[Entry, ...]


class Chapter(NamedTuple):
    """One purpose in words. `purpose` is empty where our own tokens stand alone."""

    purpose: str
    title: str
    description: str
    status: str
    entries: tuple[Entry, ...]
    services: tuple[ServiceEntry, ...]

    @property
    def own_entries(self) -> tuple[Entry, ...]:
        """The cookies that stand under none of the services."""
        told = {entry for service in self.services for entry in service.entries}
        return tuple(entry for entry in self.entries if entry not in told)

    @property
    def cookie_count(self) -> int:
        """How many of the entries are cookies."""
        return sum(entry.is_cookie for entry in self.entries)

    @property
    def stored_count(self) -> int:
        """How many of the entries are items of web storage."""
        return len(self.entries) - self.cookie_count


def chapters_of(policy: Policy, language: str, tokens: Sequence[str] = ()) -> tuple[Chapter, ...]:
    """The whole policy in a language, purpose by purpose, in the order of the file.

    A cookie with several purposes stands under each. `tokens`: see `token_cookies`.
    """
    return tuple(_Teller(policy, language, token_cookies(policy, tokens)).chapters())


class _Teller:
    """Tells one policy in one language."""

    def __init__(self, policy: Policy, language: str, own: tuple[DeclaredCookie, ...]) -> None:
        self._policy = policy
        self._language = language
        self._messages = messages_for(language)
        self._own = own

    @cached_property
    def _cookies(self) -> tuple[DeclaredCookie, ...]:
        return (*self._policy.cookies.values(), *self._own)

    def chapters(self) -> Iterator[Chapter]:
        words = self._messages
        homeless = [cookie for cookie in self._own if not cookie.purpose]
        if homeless:
            entries = tuple(self._entry(cookie, Way.STRICTLY_NECESSARY) for cookie in homeless)
            title, body = words.strictly_necessary, words.strictly_necessary_body
            yield Chapter("", title, body, words.always_on, entries, ())
        for purpose in self._policy.purposes:
            yield self._chapter(purpose)

    def _chapter(self, name: str) -> Chapter:
        purpose = self._policy.purposes[name]
        way = way_of(self._policy, name)
        cookies = [cookie for cookie in self._cookies if name in cookie.purpose]
        stored = [item for item in self._policy.storage.values() if name in item.purpose]
        why = purpose.justification
        entries = (
            *(self._entry(cookie, way, cookie.justification or why) for cookie in cookies),
            *(self._stored(item, way, item.justification or why) for item in stored),
        )
        return Chapter(
            name,
            self._say(purpose.title),
            self._say(purpose.description),
            self._status(way, [] if stored else cookies),
            entries,
            tuple(self._services(name, entries)),
        )

    def _status(self, way: Way, cookies: list[DeclaredCookie]) -> str:
        only_votes = cookies and all(cookie.kind is Kind.POLL_TIMEOUT for cookie in cookies)
        if only_votes and way is not Way.STRICTLY_NECESSARY:
            return self._messages.status_vote
        return self._messages.statuses[way]

    def _services(self, purpose: str, entries: tuple[Entry, ...]) -> Iterator[ServiceEntry]:
        used = {entry.service for entry in entries}
        for key, service in self._policy.services.items():
            if key in used or purpose in service.purpose:
                own = tuple(entry for entry in entries if entry.service == key)
                yield self._service(key, service, own)

    def _service(self, key: str, service: Service, entries: tuple[Entry, ...]) -> ServiceEntry:
        return ServiceEntry(
            self._say(service.title) or key,
            service.provider,
            self._where_to(service.transfer),
            service.privacy,
            service.opt_out,
            entries,
        )

    def _entry(
        self, cookie: DeclaredCookie, way: Way, reason: Justification | None = None
    ) -> Entry:
        words, policy = self._messages, self._policy
        return Entry(
            cookie.name.translate(_PLACEHOLDER),
            words.kinds[cookie.kind],
            self._say(cookie.description),
            cookie.more,
            provider_of(policy, cookie) or words.a_third_party,
            words.parties[cookie.party],
            duration_text(kept_for(cookie), words),
            self._say(recipients_of(policy, cookie)) or self._nobody(cookie),
            self._where_to(transfer_of(policy, cookie)),
            self._basis(way, cookie.kind, reason or cookie.justification),
            cookie.service,
        )

    def _stored(self, item: StoredItem, way: Way, reason: Justification | None) -> Entry:
        words, policy = self._messages, self._policy
        return Entry(
            item.name.translate(_PLACEHOLDER),
            words.wheres[item.where],
            self._say(item.description),
            item.more,
            provider_of(policy, item),
            words.parties["first"],
            self._stored_for(item),
            self._say(recipients_of(policy, item)) or words.nobody,
            self._where_to(transfer_of(policy, item)),
            self._basis(way, None, reason),
            item.service,
            is_cookie=False,
        )

    def _stored_for(self, item: StoredItem) -> str:
        if item.where is Where.SESSION:
            return self._messages.until_tab_closed
        if item.duration is None:
            return self._messages.until_deleted
        return duration_text(item.duration, self._messages)

    def _where_to(self, transfer: Transfer | None) -> str:
        if isinstance(transfer, tuple):
            names = self._messages.countries
            return ", ".join(names.get(code, code) for code in transfer)
        return self._say(transfer)

    def _nobody(self, cookie: DeclaredCookie) -> str:
        first = cookie.party == "first"
        return self._messages.nobody if first else self._messages.a_third_party

    def _basis(self, way: Way, kind: Kind | None, reason: Justification | None) -> str:
        words = self._messages
        if way is not Way.STRICTLY_NECESSARY:
            return words.basis_vote if kind is Kind.POLL_TIMEOUT else words.bases[way]
        if reason is None:
            return words.bases[way]
        return words.exempt.format(reason=words.justifications[reason])

    def _say(self, text: Text | None) -> str:
        return said(text or "", self._language, self._policy.languages)


_PLACEHOLDER: Final = str.maketrans("{}", "<>")
