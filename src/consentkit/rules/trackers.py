"""Names and hosts of known analytics, advertising and tag managers, and what lets them through.

It has never heard of a policy or of what follows: it knows the catalogue, and how patterns meet.

A declared pattern need not look like the catalogue's to let a tracker through: `_ga_G{id}` is
narrower than `_ga_*`, `_g*` is wider, and `{site}_ga` is `_ga` with a site's own prefix. What can
cover one name with a tracker and need not (`_g{n}q` and `_ga_*`), and what differs in case alone,
is found too, and proves less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from consentkit.rules import catalogue
from consentkit.rules.hosts import plain_host
from consentkit.rules.names import NamePattern, OverlapIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "TRACKING",
    "TrackedHost",
    "TrackedName",
    "is_known_name",
    "overlapping",
    "tracker_of_host",
    "tracker_of_name",
    "tracker_of_service",
]

TRACKING: Final = frozenset({"analytics", "advertising", "tags"})
"""Purposes in the catalogue that nobody needs for the page they asked for (R-32)."""

Section = Literal["cookies", "storage"]


@dataclass(frozen=True, slots=True)
class TrackedName:
    """A known tracker that a declared name lets through.

    `is_sure` where the name is one of the tracker's own, or a pattern around it, and no other
    product uses it.
    """

    known: catalogue.KnownCookie
    is_sure: bool


class TrackedHost(NamedTuple):
    """A known tracker's service, and the host of it that a wildcard takes in besides, if so."""

    service: catalogue.KnownService
    within: str | None


# Names


def tracker_of_name(
    section: Section, pattern: NamePattern, *, chunked: bool = False
) -> TrackedName | None:
    """The known tracker that a declared name lets through; of several, a sure one."""
    if chunked and pattern.is_exact:
        forms = (pattern, *(NamePattern.parse(pattern.text + chunk) for chunk in _CHUNKS))
    else:
        forms = (pattern,)
    found = [met for form in forms if (met := _met_by(section, form))]
    return max(found, key=lambda met: met.is_sure, default=None)


_CHUNKS: Final = ("C1", "-0", ".0")
"""How parts of a long value are named; any number does."""


def is_known_name(section: Section, pattern: NamePattern) -> bool:
    """True if the catalogue knows something of a declared name, or of one that it covers."""
    return next(overlapping(section, pattern), None) is not None


def overlapping(section: Section, pattern: NamePattern) -> Iterator[catalogue.KnownCookie]:
    """Everything the catalogue knows that covers one name with `pattern`, trackers or not."""
    return _known(section).meeting(pattern)


def _met_by(section: Section, pattern: NamePattern) -> TrackedName | None:
    if pattern.is_exact:
        # One name has one meaning: what the catalogue finds for it, and no wider pattern there.
        find = catalogue.known_cookie if section == "cookies" else catalogue.known_storage
        known = find(pattern.text)
        if known:
            return TrackedName(known, not known.shared) if known.purpose in TRACKING else None
    return _best(pattern, _trackers(section)) or _in_another_case(section, pattern)


def _best(pattern: NamePattern, trackers: _Index) -> TrackedName | None:
    around = _open_in_front(pattern)
    best = None
    for known in trackers.meeting(around):
        is_told = _is_told_by(around, NamePattern.parse(known.name))
        if is_told and not known.shared:
            return TrackedName(known, is_sure=True)
        if is_told or pattern.pieces[0]:
            best = best or TrackedName(known, is_sure=False)
    return best


def _open_in_front(pattern: NamePattern) -> NamePattern:
    """The pattern, with nothing needed before its first literal: a prefix is a site's own."""
    is_open = not pattern.pieces[0]
    return replace(pattern, gaps=(0, *pattern.gaps[1:])) if is_open else pattern


def _is_told_by(pattern: NamePattern, tracker: NamePattern) -> bool:
    """True if a declared pattern is narrower than a tracker's, or covers its plain form."""
    narrower = bool(tracker.pieces[0]) and pattern.pieces[0].startswith(tracker.pieces[0])
    return narrower or pattern.covers("x".join(tracker.pieces))


def _in_another_case(section: Section, pattern: NamePattern) -> TrackedName | None:
    lowered = NamePattern.parse(pattern.text.lower())
    found = _best(lowered, _trackers(section, in_lower_case=True))
    return replace(found, is_sure=False) if found else None


class _Index:
    """Known names by the patterns that they meet."""

    def __init__(self, known: Iterable[catalogue.KnownCookie]) -> None:
        self._known = {each.name: each for each in known}
        self._patterns = OverlapIndex(map(NamePattern.parse, self._known))

    def meeting(self, pattern: NamePattern) -> Iterator[catalogue.KnownCookie]:
        return (self._known[each.text] for each in self._patterns.overlapping(pattern))


@cache
def _known(section: Section) -> _Index:
    return _Index(_in(section))


@cache
def _trackers(section: Section, *, in_lower_case: bool = False) -> _Index:
    trackers = (known for known in _in(section) if known.purpose in TRACKING)
    if in_lower_case:
        return _Index(replace(known, name=known.name.lower()) for known in trackers)
    return _Index(trackers)


def _in(section: Section) -> Iterator[catalogue.KnownCookie]:
    is_cookie = section == "cookies"
    return (known for known in catalogue.cookies() if (known.where == "cookie") is is_cookie)


# Services


def tracker_of_service(key: str | None) -> catalogue.KnownService | None:
    """The catalogue's service of this key, if it is one of trackers."""
    return _tracking(catalogue.services().get(key)) if key else None


def tracker_of_host(host: str) -> TrackedHost | None:
    """Whose tracker a declared host serves, also one of the many that a wildcard takes in.

    >>> tracker_of_host("*.licdn.com").within
    'snap.licdn.com'
    """
    bare = plain_host(host.removeprefix("*."))
    own = _tracking(catalogue.service_of_host(bare))
    if own:
        return TrackedHost(own, None)
    return _hosts_below().get(bare) if host.startswith("*.") else None


def _tracking(service: catalogue.KnownService | None) -> catalogue.KnownService | None:
    return service if service and service.purpose in TRACKING else None


@cache
def _hosts_below() -> Mapping[str, TrackedHost]:
    """For each domain a host of a tracker that stands below it."""
    below: dict[str, TrackedHost] = {}
    for service in filter(_tracking, catalogue.services().values()):
        for host in service.hosts:
            domain = host.removeprefix("*.").partition(".")[2]
            while "." in domain:
                below.setdefault(domain, TrackedHost(service, host))
                domain = domain.partition(".")[2]
    return below
