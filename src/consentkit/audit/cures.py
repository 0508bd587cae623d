"""The YAML that would cure a finding: parts of a policy, ready to be put under their keys.

It has never heard of pages or states: a policy and what was seen of a name in, text out.

A purpose is suggested here and never decided: nothing is called strictly necessary, and what
nobody knows goes under the optional purpose ``unsorted``, for a person to sort. An entry that the
reader of policies would refuse is not written; `Unfit` says why not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.errors import PolicyError
from consentkit.events import span_in_words
from consentkit.rules import catalogue
from consentkit.rules.hosts import HostIndex
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import LONGEST, Kind
from consentkit.rules.policy_file import read_policy
from consentkit.rules.yaml_print import print_yaml
from consentkit.shell.drafts import (
    TITLES,
    basis_of_new,
    comment,
    families,
    purposes_by_suggestion,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consentkit.audit.labels import Label
    from consentkit.rules.policy import Policy

__all__ = ["Drafts", "Life", "Unfit", "families_of"]

_SIGNS: Final = frozenset("{}*")
_UNSORTED: Final = "unsorted"
_NOBODY_KNOWS: Final = "Nobody has said yet what this is for."
_HALF: Final = re.compile("[\ud800-\udfff]")

MOST_FAMILIES: Final = 300
"""Patterns that are made, the largest families first: each is held against all others."""

Data = dict[str, object]


class Unfit(Exception):  # noqa: N818  # it is no error of anybody's: it says that there is no draft
    """No policy can declare this name, and why."""


class Life(NamedTuple):
    """How long a cookie lives: `longest` in seconds, None where it was never given a lifetime."""

    longest: int | None
    third_party: bool = False


class Drafts:
    """Writes parts of one policy: what it has already is used, and not written again."""

    def __init__(self, policy: Policy) -> None:
        """Nothing is written before it is asked for."""
        self._policy = policy
        self._same = dict(purposes_by_suggestion(policy))
        self._basis = basis_of_new(policy)

    # what nothing declares

    def cookie(self, key: str, life: Life, label: Label, *, is_pattern: bool = False) -> str:
        """An entry for a cookie that nothing declares; raises Unfit where none can be."""
        _refuse_signs(key, is_pattern=is_pattern)
        purpose, added = self._purpose_of(label.purpose)
        known = label.known
        entry: Data = {"kind": _kind_of(life, label).value, "purpose": purpose}
        if known is not None and known.service in self._policy.services:
            entry["service"] = known.service
        if life.longest is not None:
            entry["duration"] = span_in_words(self._at_most(life.longest))
        entry["description"] = _described(known)
        if life.third_party:
            entry["party"] = "third"
        if attributes := _promised(key):
            entry["attributes"] = attributes
        return self._written({**added, "cookies": {key: entry}}, label)

    def item(self, key: str, where: str, label: Label, *, is_pattern: bool = False) -> str:
        """An entry for a key of storage that nothing declares; raises Unfit where none can be."""
        _refuse_signs(key, is_pattern=is_pattern)
        purpose, added = self._purpose_of(label.purpose)
        entry: Data = {"where": where, "purpose": purpose, "description": _described(label.known)}
        return self._written({**added, "storage": {key: entry}}, label)

    def service(self, known: catalogue.KnownService, hosts: Sequence[str]) -> str:
        """An entry for a service of the catalogue, or the hosts that a declared one lacks."""
        declared = self._policy.services.get(known.key)
        listed = [*(declared.hosts if declared else known.hosts)]
        index = HostIndex(dict.fromkeys(listed, True))
        missing = sorted({host for host in hosts if not index.find(host)})
        entry: Data = {}
        added: Data = {}
        if declared is None:
            entry["purpose"], added = self._purpose_of(known.purpose)
        if missing:
            # With hosts of its own it is taken for another's, and the reader adds no provider.
            entry |= {"provider": known.provider} if declared is None else {}
            entry["hosts"] = [*listed, *missing]
        why = f"The catalogue knows it: {known.title}, from {known.provider}."
        return self._checked({**added, "services": {known.key: entry}}, [why])

    def host(self, host: str) -> str:
        """An entry for a host that nobody knows; raises Unfit where none can be."""
        _refuse_signs(host)
        purpose, added = self._purpose_of(None)
        entry = {"purpose": purpose, "provider": host, "hosts": [host]}
        why = (
            "Nobody knows it: say what it is for and who is behind it. The site's own hosts stand "
            "under 'hosts' of 'site'."
        )
        return self._checked({**added, "services": {host: entry}}, [why])

    # what is declared otherwise

    def longer(self, key: str, seconds: int) -> str:
        """The duration that a cookie has; empty where the policy may not declare so long a one."""
        if seconds > self._policy.longest:
            return ""
        return print_yaml({"cookies": {key: {"duration": span_in_words(seconds)}}})

    def lasting(self, key: str, seconds: int) -> str:
        """The kind and the duration of a cookie that was declared for the session."""
        life = {"kind": Kind.PERSISTENT.value, "duration": span_in_words(self._at_most(seconds))}
        return print_yaml({"cookies": {key: life}})

    def attributes(self, key: str, wanted: Iterable[str]) -> str:
        """The attributes that a cookie is to be raised to, besides those that it has."""
        declared = self._policy.cookies[key].attributes
        switches = {
            name: True
            for name, is_on in (
                ("secure", declared.secure),
                ("http-only", declared.http_only),
                ("partitioned", declared.partitioned),
            )
            if is_on or name in {*wanted}
        }
        same_site = {"same-site": declared.same_site} if declared.same_site else {}
        return print_yaml({"cookies": {key: {"attributes": {**switches, **same_site}}}})

    def changed(self, section: str, key: str, **said: str) -> str:
        """An entry with another word for one of its keys."""
        return print_yaml({section: {key: said}})

    def asked(self, section: str, key: str, suggestion: str) -> str:
        """A purpose that the visitor answers to, for what is called strictly necessary."""
        purpose, added = self._purpose_of(suggestion)
        item = getattr(self._policy, section)[key]
        told = "Take its 'justification' away: only what is strictly necessary has one."
        head = comment(told) if getattr(item, "justification", None) else []
        return "\n".join([*head, print_yaml({**added, section: {key: {"purpose": purpose}}})])

    # the purpose

    def _purpose_of(self, suggestion: str | None) -> tuple[str, Data]:
        """A purpose that is optional, and the section that declares it where it is new."""
        purpose = self._optional(suggestion)
        if purpose in self._policy.purposes:
            return purpose, {}
        title, description = TITLES[purpose.split("-too")[0]]
        basis: Data = {"basis": self._basis.value} if self._basis else {}
        return purpose, {
            "purposes": {purpose: {**basis, "title": title, "description": description}}
        }

    def _optional(self, suggestion: str | None) -> str:
        named = suggestion or _UNSORTED
        if named in self._same:
            return self._same[named]
        wanted = named if named in TITLES and named != "necessary" else _UNSORTED
        taken = self._policy.purposes.keys() - {*self._policy.optional_purposes}
        if wanted in taken:
            wanted = _UNSORTED
        while wanted in taken:
            wanted += "-too"
        return wanted

    def _at_most(self, seconds: int) -> int:
        return max(1, min(seconds, self._policy.longest, LONGEST))

    # the text

    def _written(self, data: Data, label: Label) -> str:
        guess = "sort it" if label.purpose in (None, "necessary") else "correct it"
        return self._checked(data, [f"A guess: {guess}. {label.why}"])

    def _checked(self, data: Data, told: Sequence[str]) -> str:
        """The text of `data`, once the reader of policies has taken it."""
        text = print_yaml(data)
        fault = self._fault_of(data)
        if fault:
            raise Unfit(fault)
        return "\n".join([line for each in told for line in comment(each)] + [text])

    def _fault_of(self, data: Data) -> str:
        own = self._policy
        sections: dict[str, Data] = {
            "purposes": {name: dict(_SAID) for name in own.optional_purposes},
            "services": {name: {"purpose": "x", "provider": "x"} for name in own.services},
        }
        sections["purposes"].setdefault("x", dict(_SAID))
        for section, entries in data.items():
            mine = sections.setdefault(section, {})
            for name, entry in entries.items():  # type: ignore[attr-defined]  # sections have entries
                mine[name] = {**mine.get(name, {}), **entry}  # type: ignore[dict-item]  # as above
        ground: Data = {
            "site": {"name": "x", "controller": "x"},
            "mode": "explicit",
            "token": {"name": own.token.name},
            "languages": [*own.languages],
        }
        try:
            read_policy(print_yaml({**ground, **sections}))
        except PolicyError as error:
            return error.faults[0].what
        return ""


_SAID: Final[Mapping[str, object]] = {"title": "x", "description": "x"}


def _refuse_signs(name: str, *, is_pattern: bool = False) -> None:
    """Refuse a stranger's name that a policy would read as something else."""
    if not is_pattern and set(name) & _SIGNS:
        raise Unfit("with a brace or a star in it, it would be read as a pattern")
    if _HALF.search(name):
        raise Unfit("it is not UTF-8, and a policy file is")


def _kind_of(life: Life, label: Label) -> Kind:
    if life.longest is None:
        return Kind.SESSION
    is_counted = label.known is not None and label.known.kind == "analytics"
    return Kind.ANALYTICS if is_counted else Kind.PERSISTENT


def _described(known: catalogue.KnownCookie | None) -> str:
    return known.description["en"] if known is not None else _NOBODY_KNOWS


def _promised(key: str) -> Data:
    """What the beginning of a name promises (RFC 6265bis §4.1.3)."""
    beginning = key.lower()
    if beginning.startswith(("__http-", "__host-http-")):
        return {"secure": True, "http-only": True}
    return {"secure": True} if beginning.startswith(("__secure-", "__host-")) else {}


# Names that are alike


def families_of(
    names: Iterable[str], section: str, declared: Iterable[str], own: Iterable[str] = ()
) -> dict[str, str]:
    """By what name each undeclared one is declared: the catalogue's, a pattern, or its own.

    `declared` are the policy's names, `own` those of our cookies: no pattern may meet them.
    """
    find = catalogue.known_cookie if section == "cookies" else catalogue.known_storage
    known = {name: find(name) for name in names}
    told: dict[str, list[str]] = {}
    for name, fact in known.items():
        if fact is not None:
            told.setdefault(fact.name, []).append(name)
    alone = families(sorted(name for name, fact in known.items() if fact is None))
    largest = sorted(alone.items(), key=lambda family: -len(family[1]))
    told |= dict(largest[:MOST_FAMILIES])
    taken = [NamePattern.parse(each) for each in declared]
    keys = {name: name for name in known}
    for key, alike in told.items():
        pattern = NamePattern.parse(key)
        if pattern.is_exact or _fits(pattern, taken, own):
            taken.append(pattern)
            keys |= dict.fromkeys(alike, key)
    return keys


def _fits(pattern: NamePattern, taken: Sequence[NamePattern], own: Iterable[str]) -> bool:
    """True if a pattern takes nothing away from what is declared, and rivals nothing."""
    return not any(map(pattern.covers, own)) and not any(
        pattern.covers(old.text) if old.is_exact else pattern.overlaps(old) for old in taken
    )
