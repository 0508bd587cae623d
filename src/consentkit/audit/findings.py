"""What differs between what a site declares, what it shows, and what was seen on it.

It has never heard of how one looks, nor of how one reports: a policy and a scan in, findings out.

One finding stands for each thing (a cookie under its declared name or its family, a key of storage,
a service or a host, a banner) and each way in which it differs, with all states and pages it was
seen in. Without a policy nothing can be undeclared or declared wrongly: there the labels say what
looks like a tracker, and only as a warning.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from consentkit.audit.asking import (
    harder_refusals,
    is_ours,
    pages_without_banner,
    rows_that_differ,
    rows_that_lack,
)
from consentkit.audit.cases import Cases, host_in, open_cases
from consentkit.audit.cures import families_of
from consentkit.audit.judging import is_judged, own_names
from consentkit.audit.kinds import FINDINGS, Finding, FindingKind, FindingRule, Severity
from consentkit.audit.labels import Confidence, label_of
from consentkit.audit.seen import State, Witness
from consentkit.audit.telling import Teller, looks_like
from consentkit.rules import catalogue
from consentkit.rules.trackers import TRACKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from consentkit.audit.asking import Said
    from consentkit.audit.cases import Case
    from consentkit.audit.kinds import Subject
    from consentkit.audit.seen import Scan, SeenCookie, SeenItem, SeenRequest, Visit
    from consentkit.audit.telling import Telling
    from consentkit.rules.policy import Policy

    PlaceOf = Callable[[str, str], int | None]

__all__ = [
    "FINDINGS",
    "MOST_PAGES",
    "Finding",
    "FindingKind",
    "FindingRule",
    "Report",
    "Severity",
    "compare",
    "report_on",
    "unjudged",
]

MOST_PAGES: Final = 10
"""Pages that a finding names, of however many there are."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of one scan.

    `findings` are the new ones, the worst first, and all there are where there is no baseline;
    `known` are those that the baseline has, and `gone` the keys in it that were not found any more.
    `unjudged` has a sentence for each thing that could not be judged, and why.
    """

    scan: Scan
    findings: tuple[Finding, ...] = ()
    policy_file: str | None = None
    known: tuple[Finding, ...] = ()
    gone: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[Severity, int]:
        """How many new findings there are of each severity, the worst first, also none."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in Severity}

    def fails(self, least: Severity | None = Severity.ERROR) -> bool:
        """True if a new finding is as bad as `least` or worse; never where that is None."""
        return least is not None and any(
            finding.severity.rank <= least.rank for finding in self.findings
        )


def report_on(
    policy: Policy | None,
    scan: Scan,
    *,
    policy_file: str | None = None,
    place_of: PlaceOf | None = None,
) -> Report:
    """The report of a scan, held against a policy or against none; `place_of` as in `compare`."""
    found = compare(policy, scan, place_of=place_of)
    return Report(scan, found, policy_file, unjudged=unjudged(policy, scan))


def compare(
    policy: Policy | None, scan: Scan, *, place_of: PlaceOf | None = None
) -> tuple[Finding, ...]:
    """Every difference, the worst first.

    `place_of` gives the line of the policy's file at which a section's entry stands, None where no
    file says it.
    """
    found = [*_of_refusing(scan)]
    if policy is None:
        found += _by_labels(scan)
        found += _of_table(rows_that_lack(scan) if scan.shown is not None else ())
    else:
        found += _by_policy(policy, scan, place_of or _nowhere)
        found += _of_banner(policy, scan)
        shown = scan.shown
        rows = () if shown is None else rows_that_differ(policy, shown, own_names(policy))
        found += _of_table(rows, place_of or _nowhere)
    return tuple(sorted(found, key=_badness))


_ORDER: Final = {kind: place for place, kind in enumerate(FINDINGS)}


def _badness(finding: Finding) -> tuple[int, int, str, str]:
    return finding.severity.rank, _ORDER[finding.kind], finding.subject, finding.name


def _nowhere(section: str, name: str) -> None:
    """No file says it."""


# By the policy


def _by_policy(policy: Policy, scan: Scan, place_of: PlaceOf) -> Iterator[Finding]:
    cases = open_cases(policy, scan)
    undeclared = FindingKind.UNDECLARED
    names = cases.names_of(undeclared, "cookie")
    own = own_names(policy)
    cases.merge(undeclared, "cookie", families_of(names, "cookies", policy.cookies, own))
    keys = cases.names_of(undeclared, "storage")
    cases.merge(undeclared, "storage", families_of(keys, "storage", policy.storage))
    teller = Teller(policy)
    for case in cases:
        line = place_of(case.section, case.key) if case.section else None
        yield _finding(case, teller.tell(case), line)


def _finding(case: Case, told: Telling, line: int | None = None) -> Finding:
    return Finding(
        case.kind,
        case.subject,
        case.name,
        told.what,
        told.cure,
        told.draft,
        tuple(state for state in State if state in case.states),
        tuple(islice(case.pages, MOST_PAGES)),
        len(case.pages),
        next(iter(case.initiators), ""),
        line,
        told.severity,
    )


# How it asks


def _of_banner(policy: Policy, scan: Scan) -> Iterator[Finding]:
    cure = (
        "See that consentkit stands around these pages and is not in report mode; what is left out "
        "by 'exclude' shows no banner, and must store and load nothing optional."
    )
    for said in pages_without_banner(policy, scan):
        yield _said(FindingKind.NO_BANNER, "banner", said, cure)


def _of_refusing(scan: Scan) -> Iterator[Finding]:
    cure = (
        "Put both on the first layer, one press each, in buttons of the same size, font and "
        "contrast."
    )
    for said in harder_refusals(scan):
        yield _said(FindingKind.REFUSING_HARDER, "banner", said, cure)


def _of_table(rows: Iterable[Said], place_of: PlaceOf = _nowhere) -> Iterator[Finding]:
    cure = "Show the declaration of the policy that the site is held to, as of today."
    for said in rows:
        line = place_of("cookies", said.name)
        yield _said(FindingKind.TABLE_DIFFERS, "cookie", said, cure, line)


def _said(
    kind: FindingKind, subject: Subject, said: Said, cure: str, line: int | None = None
) -> Finding:
    pages = dict.fromkeys(visit.page for visit in said.visits)
    states = {visit.state for visit in said.visits}
    return Finding(
        kind,
        subject,
        said.name,
        said.what,
        cure,
        states=tuple(state for state in State if state in states),
        pages=tuple(islice(pages, MOST_PAGES)),
        count=len(pages),
        line=line,
    )


# By labels alone

_BY_STATE: Final = {
    State.UNTOUCHED: FindingKind.BEFORE_ANSWER,
    State.REFUSED: FindingKind.AFTER_REFUSAL,
    State.WITHDRAWN: FindingKind.STILL_SENT,
    State.SIGNAL: FindingKind.AGAINST_SIGNAL,
}
_SURE_ENOUGH: Final = frozenset({Confidence.KNOWN, Confidence.LIKELY})


_label = lru_cache(maxsize=4096)(label_of)


def _by_labels(scan: Scan) -> Iterator[Finding]:
    """What looks like a tracker in a state in which none may be; without a policy, a warning."""
    cases = Cases()
    purposes: dict[str, str] = {}
    for visit in scan.visits:
        kind = _BY_STATE.get(visit.state)
        if kind is not None and is_judged(visit):
            for cookie in visit.cookies:
                _label_cookie(cases, purposes, kind, visit, cookie)
            for item in visit.items:
                _label_item(cases, purposes, kind, visit, item)
            for request in visit.requests:
                _label_request(cases, purposes, kind, visit, request)
    for case in cases:
        yield _finding(case, looks_like(case, purposes[case.name]))


def _label_cookie(
    cases: Cases, purposes: dict[str, str], kind: FindingKind, visit: Visit, seen: SeenCookie
) -> None:
    label = _label(
        seen.name,
        seconds=seen.seconds,
        shape=seen.shape,
        host=seen.domain,
        third_party=seen.third_party,
        http_only=seen.http_only,
    )
    if label.is_tracking and label.confidence in _SURE_ENOUGH:
        name = label.known.name if label.known is not None else seen.name
        case = cases.of(kind, "cookie", name)
        case.told[label.why] = None
        case.note_cookie(visit, seen)
        purposes[name] = label.purpose or "tracking"


def _label_item(
    cases: Cases, purposes: dict[str, str], kind: FindingKind, visit: Visit, item: SeenItem
) -> None:
    label = _label(
        item.key,
        where=item.where.value,
        shape=item.shape,
        host=item.host,
        third_party=item.third_party,
    )
    if label.is_tracking and label.confidence in _SURE_ENOUGH:
        name = label.known.name if label.known is not None else item.key
        case = cases.of(kind, "storage", name)
        case.told[label.why] = None
        case.note(visit, item.key)
        purposes[name] = label.purpose or "tracking"


def _label_request(
    cases: Cases, purposes: dict[str, str], kind: FindingKind, visit: Visit, request: SeenRequest
) -> None:
    host = host_in(request.host)
    known = catalogue.service_of_host(host)
    if known is None or known.purpose not in TRACKING:
        return
    early = FindingKind.THIRD_PARTY_EARLY
    case = cases.of(early if visit.state is State.UNTOUCHED else kind, "service", known.key)
    case.told[f"Pages load from {known.title}."] = None
    case.note(visit, host)
    case.seen = request
    if request.initiator:
        case.initiators[request.initiator] = None
    purposes[known.key] = known.purpose


# What was not judged


def unjudged(policy: Policy | None, scan: Scan) -> tuple[str, ...]:
    """A sentence for each thing that a scan gives no answer to, and why."""
    return tuple(_unjudged(policy, scan))


def _unjudged(policy: Policy | None, scan: Scan) -> Iterator[str]:
    if policy is None:
        yield "No policy was given: only labels speak, and nothing is called undeclared."
    if scan.witness is Witness.HEADERS:
        yield (
            "Headers alone show no storage, no cookie that a script sets and no request that a "
            "script makes; what is declared and was never seen is not told."
        )
        if not is_ours(scan):
            yield "Headers alone show no banner of another's tool."
    unreached = {act.state: act.how for act in scan.acts if act.clicks is None}
    for state, how in unreached.items():
        yield f"State '{state}' was not reached{f': {how}' if how else ''}."
    looked_at = {visit.state for visit in scan.visits if is_judged(visit)}
    for state in scan.states:
        if state not in looked_at and state not in unreached:
            yield f"State '{state}' has no page that could be looked at."
    failed = len({visit.page for visit in scan.visits if not is_judged(visit)})
    if failed:
        yield f"{_pages(failed)} not to be seen in some state."
    if scan.left_out:
        yield f"{_pages(len(scan.left_out))} left out."
    if scan.shown is None:
        yield "No declaration that the site shows was found, so none was compared."


def _pages(count: int) -> str:
    return "1 page was" if count == 1 else f"{count} pages were"
