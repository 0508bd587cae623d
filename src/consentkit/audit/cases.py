"""What was seen, gathered into one case for each thing that differs.

It has never heard of sentences or of YAML: a policy and visits go in; cases come out, each with the
states and pages it was seen in and what is needed to tell of it.

Whatever `decide` allows opens no case of something stored, sent or loaded too early, and whatever
it blocks opens one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from consentkit.audit.asking import tolerated
from consentkit.audit.judging import Judge, host_of, is_judged
from consentkit.audit.kinds import FindingKind
from consentkit.audit.seen import By, State, Witness
from consentkit.rules import catalogue
from consentkit.rules.decision import Reason, duration_of
from consentkit.rules.hosts import is_at_or_below, plain_host
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import LONGEST, Basis, DeclaredCookie, Kind, Service
from consentkit.rules.trackers import tracker_of_host, tracker_of_name, tracker_of_service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from consentkit.audit.judging import Ruling
    from consentkit.audit.kinds import Subject
    from consentkit.audit.seen import Scan, SeenCookie, SeenItem, SeenRequest, SentCookie, Visit
    from consentkit.rules.policy import Item, Policy

__all__ = ["Case", "Cases", "open_cases"]


@dataclass(slots=True)
class Case:
    """One thing that differs, while the scan is gone through.

    `section` and `key` say where the policy declares it, both empty where it does not. `names` are
    those it was seen under, `told` what is to be said of it, in the order it was seen; `longest` is
    the most it asked to live, in seconds, `seen` what shows best what it is.
    """

    kind: FindingKind
    subject: Subject
    name: str
    section: str = ""
    key: str = ""
    states: set[State] = field(default_factory=set)
    pages: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    told: dict[str, None] = field(default_factory=dict)
    initiators: dict[str, None] = field(default_factory=dict)
    ways: set[By] = field(default_factory=set)
    longest: int | None = None
    is_third_party: bool = True
    seen: SeenCookie | SeenItem | SeenRequest | None = None

    def note(self, visit: Visit, name: str) -> None:
        """It was seen under this name on a page."""
        self.states.add(visit.state)
        self.pages[visit.page] = None
        self.names[name] = None

    def note_cookie(self, visit: Visit, seen: SeenCookie) -> None:
        """A page stored it as a cookie."""
        self.note(visit, seen.name)
        self.ways.add(seen.by)
        self.is_third_party = self.is_third_party and seen.third_party
        if seen.initiator:
            self.initiators[seen.initiator] = None
        if self.seen is None or (seen.seconds or 0) > (self.longest or 0):
            self.seen = seen
        if seen.seconds is not None:
            self.longest = max(seen.seconds, self.longest or 0)

    def join(self, other: Case) -> None:
        """It is the same thing as another, under another name of its family."""
        for mine, others in (
            (self.pages, other.pages),
            (self.names, other.names),
            (self.told, other.told),
            (self.initiators, other.initiators),
        ):
            mine.update(others)
        self.states |= other.states
        self.ways |= other.ways
        self.is_third_party = self.is_third_party and other.is_third_party
        if self.seen is None or (other.longest or 0) > (self.longest or 0):
            self.seen = other.seen
        if other.longest is not None:
            self.longest = max(other.longest, self.longest or 0)


class Cases:
    """All cases of a scan, by what makes them one."""

    def __init__(self) -> None:
        """There are none yet."""
        self._cases: dict[tuple[FindingKind, Subject, str], Case] = {}

    def __iter__(self) -> Iterator[Case]:
        """Each case, in the order they were opened."""
        return iter(self._cases.values())

    def of(
        self, kind: FindingKind, subject: Subject, name: str, section: str = "", key: str = ""
    ) -> Case:
        """The case of this thing, opened if there is none."""
        found = self._cases.get((kind, subject, name))
        if found is None:
            found = Case(kind, subject, name, section, key)
            self._cases[kind, subject, name] = found
        return found

    def merge(self, kind: FindingKind, subject: Subject, keys: dict[str, str]) -> None:
        """Make one case of each family: `keys` has the family's name for each name."""
        for name, key in keys.items():
            if key != name and (kind, subject, name) in self._cases:
                self.of(kind, subject, key).join(self._cases.pop((kind, subject, name)))

    def names_of(self, kind: FindingKind, subject: Subject) -> list[str]:
        """The names of all cases of one kind and subject."""
        return [case.name for case in self if (case.kind, case.subject) == (kind, subject)]


def open_cases(policy: Policy, scan: Scan) -> Cases:
    """Every case that the cookies, items and requests of a scan give rise to."""
    cases = Cases()
    walk = _Walk(Judge(policy, scan), cases, is_encrypted=scan.site.startswith("https:"))
    walk.go(scan.visits)
    for section, key, told in _trackers_called_necessary(policy):
        case = cases.of(FindingKind.TRACKER_NECESSARY, _SUBJECTS[section], key, section, key)
        case.told.setdefault(told)
    walk.compare_all_of_it()
    if scan.witness is Witness.BROWSER:
        walk.look_for_the_unseen(scan.visits)
    return cases


_SUBJECTS: Final[dict[str, Subject]] = {
    "cookies": "cookie",
    "storage": "storage",
    "services": "service",
}


class _Walk:
    """Goes through the visits, page by page."""

    def __init__(self, judge: Judge, cases: Cases, *, is_encrypted: bool) -> None:
        self.judge = judge
        self.cases = cases
        self.is_encrypted = is_encrypted
        self.met: dict[tuple[str, str], set[str]] = {}
        self.sent: set[tuple[str, str]] = set()

    def go(self, visits: Iterable[Visit]) -> None:
        for visit in filter(is_judged, visits):
            for cookie in visit.cookies:
                self._cookie(visit, cookie)
            for item in visit.items:
                self._item(visit, item)
            for request in visit.requests:
                self._request(visit, request)
            for name in {sent.name for sent in visit.sent}:
                # What was set while the answer was given is only sent on the pages that follow.
                if ruling := self.judge.reads(name, visit):
                    self.sent.add((ruling.section, ruling.name))
            if visit.state is State.WITHDRAWN:
                for sent in visit.sent:
                    self._sent(visit, sent)

    # cookies

    def _cookie(self, visit: Visit, seen: SeenCookie) -> None:
        if self.judge.is_own(seen.name) and self._is_by_the_site(seen):
            return
        ruling = self.judge.stores(seen.name, visit)
        if ruling is None:
            self.cases.of(FindingKind.UNDECLARED, "cookie", seen.name).note_cookie(visit, seen)
            return
        if not ruling.decision.allowed:
            case = self._blocked(visit, ruling, "cookie", "is set")
            case.note_cookie(visit, seen)
        declared = self.judge.policy.cookies[ruling.name]
        self._met(ruling, "session" if seen.seconds is None else "lasting")
        self._life(visit, seen, declared)
        self._party(visit, seen, declared)
        self._attributes(visit, seen, declared)
        self._tracker(visit, seen, declared)

    def _is_by_the_site(self, seen: SeenCookie) -> bool:
        """True for what a response of the site itself set: consentkit sets its own cookies so."""
        setter = host_in(seen.initiator)
        is_of_the_site = not setter or self.judge.is_of_the_site(setter)
        return seen.by is By.HEADER and not seen.third_party and is_of_the_site

    def _blocked(self, visit: Visit, ruling: Ruling, subject: Subject, told: str) -> Case:
        """The case of something that is there although the rules block it."""
        kind = self._kind_of(visit, ruling, subject)
        case = self.cases.of(kind, subject, ruling.name, ruling.section, ruling.name)
        purpose = ruling.decision.purpose
        about = f"purpose '{purpose}'" if purpose else "a vote"
        case.told[f"{told}|{about}"] = None
        if self.judge.is_for_children(visit):
            case.told["|children"] = None
        return case

    def _kind_of(self, visit: Visit, ruling: Ruling, subject: Subject) -> FindingKind:
        decision, state = ruling.decision, visit.state
        if decision.reason is Reason.NO_VOTE:
            return FindingKind.KIND_DIFFERS
        if state is State.WITHDRAWN:
            return FindingKind.STILL_SENT
        is_refused = decision.reason is Reason.REFUSED
        if state is State.SIGNAL and is_refused and not self.judge.is_for_children(visit):
            return FindingKind.AGAINST_SIGNAL
        if state is State.REFUSED or (state is State.GRANTED and is_refused):
            return FindingKind.AFTER_REFUSAL
        is_loaded = subject == "service"
        return FindingKind.THIRD_PARTY_EARLY if is_loaded else FindingKind.BEFORE_ANSWER

    def _sent(self, visit: Visit, sent: SentCookie) -> None:
        """A site can expire what is its own, and nothing of others."""
        if self.judge.is_own(sent.name) or not self.judge.is_of_the_site(host_in(sent.host)):
            return
        ruling = self.judge.reads(sent.name, visit)
        if ruling is None or ruling.decision.allowed:
            return
        if self.judge.policy.cookies[ruling.name].party == "first":
            self._blocked(visit, ruling, "cookie", "is still sent").note(visit, sent.name)

    def _met(self, ruling: Ruling, how: str) -> None:
        self.met.setdefault((ruling.section, ruling.name), set()).add(how)

    # how it is declared

    def _life(self, visit: Visit, seen: SeenCookie, declared: DeclaredCookie) -> None:
        asked = None if seen.seconds is None else min(seen.seconds, LONGEST)
        allowed = duration_of(declared, asked)
        if asked is None or (allowed is not None and asked <= tolerated(allowed)):
            return
        kind = FindingKind.KIND_DIFFERS if allowed is None else FindingKind.LIVES_LONGER
        case = self.cases.of(kind, "cookie", declared.name, "cookies", declared.name)
        if allowed is None:
            case.told["session|"] = None
        case.note_cookie(visit, seen)

    def _party(self, visit: Visit, seen: SeenCookie, declared: DeclaredCookie) -> None:
        if seen.third_party and declared.party == "first":
            case = self._of_kind(FindingKind.KIND_DIFFERS, declared)
            case.told[f"party|{seen.domain}"] = None
            case.note_cookie(visit, seen)

    def _attributes(self, visit: Visit, seen: SeenCookie, declared: DeclaredCookie) -> None:
        lacking = [*_lacking(seen, declared, is_encrypted=self.is_encrypted)]
        if lacking and not seen.third_party:
            case = self._of_kind(FindingKind.ATTRIBUTES, declared)
            case.told |= dict.fromkeys(lacking)
            case.note_cookie(visit, seen)

    def _of_kind(self, kind: FindingKind, declared: DeclaredCookie) -> Case:
        return self.cases.of(kind, "cookie", declared.name, "cookies", declared.name)

    def _tracker(self, visit: Visit, seen: SeenCookie, declared: DeclaredCookie) -> None:
        if not _is_necessary(self.judge.policy, declared):
            return
        known = catalogue.known_cookie(seen.name)
        told = ""
        if known is not None and not known.shared and known.purpose in _NEVER_NEEDED:
            told = f"the catalogue's '{known.name}'|{known.purpose}"
        setter = tracker_of_host(host_in(seen.domain if seen.third_party else seen.initiator))
        if setter is not None and setter.service.purpose != "tags":
            told = told or f"{setter.service.title}, which sets it,|{setter.service.purpose}"
        if told:
            case = self._of_kind(FindingKind.TRACKER_NECESSARY, declared)
            case.told[told] = None
            case.note_cookie(visit, seen)

    # storage and hosts

    def _item(self, visit: Visit, item: SeenItem) -> None:
        ruling = self.judge.holds(item.key, visit)
        if ruling is None:
            case = self.cases.of(FindingKind.UNDECLARED, "storage", item.key)
            case.seen = case.seen or item
            case.note(visit, item.key)
            return
        self._met(ruling, item.where.value)
        if not ruling.decision.allowed:
            self._blocked(visit, ruling, "storage", "is left behind").note(visit, item.key)

    def _request(self, visit: Visit, request: SeenRequest) -> None:
        host = host_in(request.host)
        ruling = self.judge.loads(host, visit)
        case = None
        if ruling is None:
            case = self._unknown_host(host)
        else:
            self._met(ruling, host)
            if not ruling.decision.allowed:
                case = self._blocked(visit, ruling, "service", "is loaded")
        cases = [case, self._needed_tracker(host, ruling)]
        for each in filter(None, cases):
            each.note(visit, host)
            each.seen = each.seen or request
            if request.initiator:
                each.initiators[request.initiator] = None

    def _unknown_host(self, host: str) -> Case | None:
        """The case of a host that no service is declared for: of a known service, they are one."""
        if self.judge.is_of_the_site(host):
            return None
        known = catalogue.service_of_host(host)
        if known is None:
            return self.cases.of(FindingKind.UNDECLARED, "host", host)
        is_there = known.key in self.judge.policy.services
        section, key = ("services", known.key) if is_there else ("", "")
        return self.cases.of(FindingKind.UNDECLARED, "service", known.key, section, key)

    def _needed_tracker(self, host: str, ruling: Ruling | None) -> Case | None:
        policy = self.judge.policy
        if ruling is None or not _is_necessary(policy, policy.services[ruling.name]):
            return None
        met = tracker_of_host(host)
        if met is None:
            return None
        case = self.cases.of(
            FindingKind.TRACKER_NECESSARY, "service", ruling.name, "services", ruling.name
        )
        case.told[f"{met.service.title}|{met.service.purpose}"] = None
        return case

    # what only all visits together can show

    def compare_all_of_it(self) -> None:
        """What differs wherever it was seen: a lasting cookie that never lasts, another place."""
        for (section, key), how in self.met.items():
            if section == "cookies":
                declared = self.judge.policy.cookies[key]
                lasts = declared.kind in _LASTING and declared.duration is not None
                if lasts and how == {"session"} and not self.judge.is_own(key):
                    case = self.cases.of(FindingKind.KIND_DIFFERS, "cookie", key, section, key)
                    case.told["shorter|"] = None
            elif section == "storage" and self.judge.policy.storage[key].where not in how:
                case = self.cases.of(FindingKind.KIND_DIFFERS, "storage", key, section, key)
                case.told |= {f"where|{place}": None for place in sorted(how)}

    def look_for_the_unseen(self, visits: Iterable[Visit]) -> None:
        """What a visitor granted, and no page used.

        What is strictly necessary waits for acts of its own (a login, a basket), and a poll's
        cookie for a vote: of these nothing follows.
        """
        granted = [each for each in visits if is_judged(each) and each.state is State.GRANTED]
        for section, key, item in self.judge.policy.items() if granted else ():
            is_seen = (section, key) in self.met or (section, key) in self.sent
            if is_seen or _is_necessary(self.judge.policy, item):
                continue
            pages = [visit for visit in granted if self._may_be_on(visit, key, item)]
            if pages:
                subject = _SUBJECTS[section]
                case = self.cases.of(FindingKind.NEVER_SEEN, subject, key, section, key)
                for visit in pages:
                    case.states.add(visit.state)
                    case.pages[visit.page] = None

    def _may_be_on(self, visit: Visit, key: str, item: Item) -> bool:
        """True if a page is one that a declared thing could be seen on."""
        if self.judge.is_for_children(visit):
            return False
        if isinstance(item, Service):
            # Of two services that share a host, the first is the one that is seen; and a witness
            # tells of requests to other sites alone.
            hosts = (host.replace("*", "x", 1) for host in item.hosts)
            served = (host for host in hosts if not _may_be_one_site(host, self.judge.host))
            return any(self.judge.policy.service_of_host(host) == key for host in served)
        if not isinstance(item, DeclaredCookie):
            return True
        path = item.path.rstrip("/")
        page = visit.page.partition("?")[0]
        domain = plain_host(item.domain.removeprefix(".")) if item.domain else self.judge.host
        return (
            item.kind is not Kind.POLL_TIMEOUT
            and (page == path or page.startswith(f"{path}/"))
            and is_at_or_below(self.judge.host, domain)
        )


def _may_be_one_site(host: str, other: str) -> bool:
    """True where two hosts end alike, so that they may be of one site."""
    return plain_host(host).split(".")[-2:] == plain_host(other).split(".")[-2:]


_LASTING: Final = frozenset({Kind.PERSISTENT, Kind.ANALYTICS})
_NEVER_NEEDED: Final = frozenset({"analytics", "advertising", "tags"})


@lru_cache(maxsize=4096)
def host_in(place: str) -> str:
    """The host of ``host:port/path``, as it is compared."""
    return host_of(f"//{place.partition('/')[0]}") or place.partition("/")[0]


# Attributes

_STRICTNESS: Final = {"none": 0, None: 1, "lax": 2, "strict": 3}


def _lacking(seen: SeenCookie, declared: DeclaredCookie, *, is_encrypted: bool) -> Iterator[str]:
    """What a cookie lacks, and why it should have it: ``secure|its name begins with __Host-``."""
    wanted, name = declared.attributes, seen.name.lower()
    host_only = name.startswith(("__host-", "__host-http-"))
    is_http = name.startswith(("__http-", "__host-http-"))
    is_prefixed = host_only or is_http or name.startswith("__secure-")
    secure = {
        "the policy declares it": wanted.secure,
        "the beginning of its name promises it": is_prefixed,
        "SameSite=None needs it": seen.same_site == "none",
        "Partitioned needs it": seen.partitioned,
        "the page is encrypted": is_encrypted and seen.by is By.HEADER,
    }
    if not seen.secure:
        yield from (f"Secure|{why}" for why, holds in [*secure.items()] if holds)
    if not seen.http_only and (wanted.http_only or is_http):
        yield f"HttpOnly|{_why(wanted.http_only)}"
    if not seen.partitioned and wanted.partitioned:
        yield "Partitioned|the policy declares it"
    if wanted.same_site and _STRICTNESS[wanted.same_site] > _STRICTNESS[seen.same_site]:
        yield f"SameSite={wanted.same_site.capitalize()}|the policy declares it"
    if host_only and seen.path != "/":
        yield "Path=/|the beginning of its name promises it"
    if host_only and not seen.host_only:
        yield "no Domain|the beginning of its name promises it"


def _why(is_declared: bool) -> str:  # noqa: FBT001  # a word for a switch
    return "the policy declares it" if is_declared else "the beginning of its name promises it"


# What is called strictly necessary


def _is_necessary(policy: Policy, item: Item) -> bool:
    return all(policy.basis_of(name) is Basis.STRICTLY_NECESSARY for name in item.purpose)


def _trackers_called_necessary(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Section and name of what is declared strictly necessary and known to be a tracker, and whose.

    The last is as in `Case.told`: who it is known to be, and for what.
    """
    for section, name, item in policy.items():
        told = _tracker_told(section, name, item) if _is_necessary(policy, item) else ""
        if told:
            yield section, name, told


def _tracker_told(section: str, name: str, item: Item) -> str:
    if isinstance(item, Service):
        met = (each for each in map(tracker_of_host, item.hosts) if each and not each.within)
        known = tracker_of_service(name) or next((each.service for each in met), None)
        return f"{known.title}|{known.purpose}" if known else ""
    chunked = isinstance(item, DeclaredCookie) and item.chunked
    where: Literal["cookies", "storage"] = "cookies" if section == "cookies" else "storage"
    tracked = tracker_of_name(where, NamePattern.parse(name), chunked=chunked)
    if tracked is None or not tracked.is_sure:
        return ""
    return f"the catalogue's '{tracked.known.name}'|{tracked.known.purpose}"
