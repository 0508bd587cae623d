"""What a scan comes to: each thing that was seen once, with the states and pages it was seen in.

It has never heard of terminals nor of HTML: a scan goes in, rows come out, which reports show. What
a row says of a declaration comes from the policy; without one, the catalogue's word is given.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.audit.seen import State
from consentkit.rules import catalogue
from consentkit.rules.names import NameIndex
from consentkit.shell.explanations import token_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from consentkit.audit.seen import Banner, Scan, SeenCookie, SeenItem, SeenRequest, Visit
    from consentkit.rules.policy import DeclaredCookie, Policy, StoredItem, Where

__all__ = [
    "STATES",
    "CookieRow",
    "Declared",
    "Event",
    "HostRow",
    "ItemRow",
    "Overview",
    "StateRow",
    "overview_of",
]

STATES: Final[Mapping[State, str]] = {
    State.UNTOUCHED: "nobody has answered yet",
    State.REFUSED: "everything optional was refused",
    State.GRANTED: "everything was granted",
    State.WITHDRAWN: "granted, and taken back again",
    State.SIGNAL: "the browser sends Global Privacy Control",
}
"""What happened before a page was looked at, by state."""


class Declared(NamedTuple):
    """What is known of a name: the declaration that covers it, or what the catalogue has.

    `name` is as the policy has it, empty where nothing declares it; `words` are for people.
    """

    words: str
    name: str = ""
    kind: str = ""


Pages = dict[State, set[str]]
"""The pages on which something was seen, by state."""


def _nowhere() -> Pages:
    return defaultdict(set)


@dataclass(slots=True)
class CookieRow:
    """A cookie: as it was when it had the longest life, and what all that was seen of it."""

    cookie: SeenCookie
    declared: Declared
    pages: Pages = field(default_factory=_nowhere)
    by: set[str] = field(default_factory=set)
    initiators: set[str] = field(default_factory=set)


@dataclass(slots=True)
class ItemRow:
    """A key of web storage, or a database."""

    item: SeenItem
    declared: Declared
    pages: Pages = field(default_factory=_nowhere)


@dataclass(slots=True)
class HostRow:
    """A host of others that was asked for something; `first` is the earliest moment, in ms."""

    host: str
    declared: Declared
    first: int
    pages: Pages = field(default_factory=_nowhere)
    whats: set[str] = field(default_factory=set)


class Event(NamedTuple):
    """Something that happened while a page was loading, `moment` ms after it was asked for.

    `what` is ``cookie``, ``third-party cookie`` or ``request``; `name` a cookie's, or a host's.
    """

    moment: int
    what: str
    name: str
    by: str


@dataclass(slots=True)
class StateRow:
    """A state: how it was come to, and how much was seen in it.

    `clicks` is None where it took no act, and where it could not be reached; `how` then says why.
    `first` is the visit to the page on which most happened in all states, or else the first there
    was, and `events` are those of it. `pictured` is the first with a screenshot.
    """

    state: State
    clicks: int | None = None
    how: str = ""
    visits: int = 0
    failed: int = 0
    banners: int = 0
    cookies: int = 0
    hosts: int = 0
    first: Visit | None = None
    pictured: Visit | None = None
    events: tuple[Event, ...] = ()

    @property
    def is_reached(self) -> bool:
        """True if a page was seen in it."""
        return self.visits > 0


@dataclass(frozen=True, slots=True)
class Overview:
    """All that was seen, each thing once: what is seen in most states first."""

    pages: tuple[str, ...]
    failed: tuple[Visit, ...]
    states: tuple[StateRow, ...]
    cookies: tuple[CookieRow, ...]
    items: tuple[ItemRow, ...]
    hosts: tuple[HostRow, ...]
    banner: Banner | None
    violations: Mapping[tuple[str, str], int]


def overview_of(scan: Scan, policy: Policy | None = None) -> Overview:
    """What a scan comes to; `policy` is what declarations are looked up in."""
    rows = _Rows(policy)
    for visit in scan.visits:
        if not visit.error:
            rows.take(visit)
    banners = [visit.banner for visit in scan.visits if visit.banner]
    whole = (banner for banner in banners if banner.accept and banner.refuse)
    return Overview(
        tuple(dict.fromkeys(visit.page for visit in scan.visits if not visit.error)),
        tuple(visit for visit in scan.visits if visit.error),
        tuple(_states(scan)),
        tuple(sorted(rows.cookies.values(), key=lambda row: (_rank(row.pages), row.cookie.name))),
        tuple(sorted(rows.items.values(), key=lambda row: (_rank(row.pages), row.item.key))),
        tuple(sorted(rows.hosts.values(), key=lambda row: (_rank(row.pages), row.host))),
        next(whole, banners[0] if banners else None),
        rows.violations,
    )


def _rank(pages: Pages) -> tuple[int, int]:
    """The most states first, then the most pages."""
    return -len(pages), -sum(map(len, pages.values()))


class _Rows:
    """What was seen so far, by what makes it the same thing."""

    def __init__(self, policy: Policy | None) -> None:
        self._declarations = _Declarations(policy)
        self.cookies: dict[tuple[str, str], CookieRow] = {}
        self.items: dict[tuple[Where, str, str], ItemRow] = {}
        self.hosts: dict[str, HostRow] = {}
        self.violations: dict[tuple[str, str], int] = defaultdict(int)

    def take(self, visit: Visit) -> None:
        for cookie in visit.cookies:
            self._take_cookie(cookie, visit)
        for item in visit.items:
            row = self._item(item)
            row.pages[visit.state].add(visit.page)
        for request in visit.requests:
            self._take_request(request, visit)
        for violation in set(visit.violations):
            self.violations[violation.directive, violation.source] += 1

    def _take_cookie(self, cookie: SeenCookie, visit: Visit) -> None:
        declared = self._declarations.of_cookie(cookie.name)
        key = declared.name or cookie.name, cookie.domain
        row = self.cookies.setdefault(key, CookieRow(cookie, declared))
        if (cookie.seconds or 0) > (row.cookie.seconds or 0):
            row.cookie = cookie
        row.pages[visit.state].add(visit.page)
        row.by.add(cookie.by)
        row.initiators.update(filter(None, [cookie.initiator]))

    def _item(self, item: SeenItem) -> ItemRow:
        declared = self._declarations.of_item(item.key)
        key = item.where, declared.name or item.key, item.host
        return self.items.setdefault(key, ItemRow(item, declared))

    def _take_request(self, request: SeenRequest, visit: Visit) -> None:
        row = self.hosts.get(request.host)
        if row is None:
            declared = self._declarations.of_host(request.host)
            row = self.hosts[request.host] = HostRow(request.host, declared, request.moment)
        row.first = min(row.first, request.moment)
        row.pages[visit.state].add(visit.page)
        row.whats.add(request.what)


# What declares it

_PREFIXES: Final = ("__Host-", "__Secure-")
_NOT_DECLARED: Final = Declared("not declared")
_NOTHING: Final = Declared("")


class _Declarations:
    """What declares a name: the policy, consentkit itself, or where there is no policy nothing.

    Without a policy the catalogue says what it knows of the name.
    """

    def __init__(self, policy: Policy | None) -> None:
        self._policy = policy
        self._tokens = frozenset(map(_bare, token_names(policy))) if policy else frozenset()
        self._items = NameIndex(policy.storage if policy else {})

    def of_cookie(self, name: str) -> Declared:
        if self._policy is None:
            return _known(catalogue.known_cookie(name))
        found = self._policy.declaration_of(name)
        if found is not None:
            return _of_item(found, found.kind.value)
        if _bare(name) in self._tokens:
            return Declared("consentkit's own token", name, "persistent")
        return _NOT_DECLARED

    def of_item(self, key: str) -> Declared:
        if self._policy is None:
            return _known(catalogue.known_storage(key))
        found = self._items.find(key)
        return _of_item(found) if found is not None else _NOT_DECLARED

    def of_host(self, host: str) -> Declared:
        if self._policy is None:
            known = catalogue.service_of_host(host)
            return Declared(f"known: {known.title}") if known else _NOTHING
        name = self._policy.service_of_host(host)
        if name is None:
            return _NOT_DECLARED
        purposes = ", ".join(self._policy.services[name].purpose)
        return Declared(f"{name} ({purposes})", name)


def _bare(name: str) -> str:
    """A cookie's name without the prefix that asks a browser for attributes."""
    return next((name[len(each) :] for each in _PREFIXES if name.startswith(each)), name)


def _of_item(item: DeclaredCookie | StoredItem, kind: str = "") -> Declared:
    return Declared(f"{item.name} ({', '.join(item.purpose)})", item.name, kind)


def _known(known: catalogue.KnownCookie | None) -> Declared:
    if known is None:
        return _NOTHING
    service = catalogue.services()[known.service].title if known.service else known.purpose
    return Declared(f"known: {service}")


# The states


def _states(scan: Scan) -> Iterator[StateRow]:
    acts = {act.state: act for act in scan.acts}
    visits: dict[State, list[Visit]] = defaultdict(list)
    happened: Counter[str] = Counter()
    for visit in scan.visits:
        visits[visit.state].append(visit)
        happened[visit.page] += 0 if visit.error else len(visit.cookies) + len(visit.requests)
    busiest = max(happened, key=lambda page: happened[page], default="")
    for state in scan.states:
        row = StateRow(state)
        if state in acts:
            row.clicks, row.how = acts[state].clicks, acts[state].how
        _count(row, visits[state], busiest)
        yield row


def _count(row: StateRow, visits: Iterable[Visit], busiest: str) -> None:
    seen = [visit for visit in visits if not visit.error]
    row.failed = sum(1 for visit in visits if visit.error)
    row.visits = len(seen)
    row.banners = sum(1 for visit in seen if visit.banner)
    row.cookies = len({(each.name, each.domain) for visit in seen for each in visit.cookies})
    row.hosts = len({each.host for visit in seen for each in visit.requests})
    row.first = next((visit for visit in seen if visit.page == busiest), next(iter(seen), None))
    row.pictured = next((visit for visit in seen if visit.screenshot), None)
    row.events = tuple(sorted(_events(row.first))) if row.first else ()


def _events(visit: Visit) -> Iterator[Event]:
    for cookie in visit.cookies:
        what = "third-party cookie" if cookie.third_party else "cookie"
        yield Event(cookie.moment, what, cookie.name, cookie.initiator)
    for request in visit.requests:
        yield Event(request.moment, "request", request.host, request.what)
