"""A policy in the visitor's words, purpose by purpose: what both layers of the notice print.

It has never heard of HTTP, nor of any visitor's answer.

A chapter is one purpose: what it is for, when it is on, what is stored for it, and the services
that stand under it. Our own tokens are told with what is strictly necessary.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.notice.text import Way, duration_text, said, words_for
from consentkit.rules.policy import (
    DAY,
    LONGEST,
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consentkit.rules.policy import Text, Transfer

__all__ = [
    "Chapter",
    "Entry",
    "ServiceEntry",
    "chapters_of",
    "kept_for",
    "name_in_words",
    "provider_of",
    "recipients_of",
    "third_parties_of",
    "token_cookies",
    "transfer_of",
    "way_of",
]

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


_PLACEHOLDER: Final = str.maketrans("{}", "<>")


def name_in_words(name: str) -> str:
    """The name of a declared item as it is shown.

    >>> name_in_words("PollTimeout-{pollid}")
    'PollTimeout-<pollid>'
    """
    return name.translate(_PLACEHOLDER)


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
            description={tag: getattr(words_for(policy, tag), key) for tag in policy.languages},
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
    """One service in words, and the cookies it sets; `key` is its name in the policy."""

    key: str
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
        self._messages = words_for(policy, language)
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
            key,
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
            name_in_words(cookie.name),
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
            name_in_words(item.name),
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
            return self._messages.comma.join(names.get(code, code) for code in transfer)
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
