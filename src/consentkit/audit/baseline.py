"""The baseline: findings that people know of, so that only what is new fails.

It has never heard of terminals or of a clock: text and a report go in, text and a report come out.

A baseline is JSON, one entry for each finding, sorted: what makes it the same finding tomorrow (its
kind, and the subject and name it is of), since when it is known, and the reason that a person may
have written. Nothing in it says where it was seen, so that it changes only when the site does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from consentkit.audit.exports import json_text
from consentkit.audit.judging import is_judged
from consentkit.audit.kinds import FindingKind, Severity, Subject
from consentkit.audit.seen import State, Witness
from consentkit.errors import ScanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from consentkit.audit.findings import Report
    from consentkit.audit.kinds import Finding
    from consentkit.audit.seen import Scan

__all__ = ["FORMAT", "Baseline", "KnownFinding", "print_baseline", "read_baseline"]

FORMAT: Final = 1
"""The number of this form of a baseline."""


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """A finding that people know of: `since` is a day in ISO 8601, or empty.

    `severity` is there where it was less than its kind's: what has grown worse since is new.
    """

    kind: FindingKind
    subject: Subject
    name: str
    since: str = ""
    reason: str = ""
    severity: Severity | None = None

    @property
    def key(self) -> str:
        """As `Finding.key`."""
        return f"{self.kind}:{self.subject}:{self.name}"

    def covers(self, finding: Finding) -> bool:
        """True where this is what people knew of, and it is no worse than it was."""
        is_worse = self.severity is not None and finding.severity.rank < self.severity.rank
        return finding.key == self.key and not is_worse


@dataclass(frozen=True, slots=True)
class Baseline:
    """The findings that people know of, by key."""

    entries: Mapping[str, KnownFinding] = field(default_factory=dict)

    def apply(self, report: Report) -> Report:
        """The report with what is known set apart, and with what is known and is gone.

        Gone is only what this scan could have found: one that never granted anything says nothing
        of what is there after a withdrawal.
        """
        everything = (*report.findings, *report.known)
        keys = {finding.key for finding in everything}
        return replace(
            report,
            findings=tuple(each for each in everything if not self._has(each)),
            known=tuple(filter(self._has, everything)),
            gone=tuple(
                key
                for key, entry in sorted(self.entries.items())
                if key not in keys and _could_be_found(entry, report.scan)
            ),
        )

    def _has(self, finding: Finding) -> bool:
        entry = self.entries.get(finding.key)
        return entry is not None and entry.covers(finding)

    def renewed(self, report: Report, today: date) -> Baseline:
        """A baseline of all that was found: what is known keeps its day and its reason.

        What is gone is left out; what this scan could not have found stays.
        """
        found: Iterable[Finding] = (*report.findings, *report.known)
        new = [_known_from(finding, today) for finding in found]
        keys = {entry.key for entry in new}
        now = {entry.key: entry.severity for entry in new}
        kept = [
            replace(entry, severity=now[key]) if key in keys else entry
            for key, entry in self.entries.items()
            if key in keys or not _could_be_found(entry, report.scan)
        ]
        return Baseline({entry.key: entry for entry in (*new, *kept)})


def _known_from(finding: Finding, today: date) -> KnownFinding:
    since, lesser = today.isoformat(), finding.lesser
    return KnownFinding(finding.kind, finding.subject, finding.name, since, severity=lesser)


_NEEDS: Final[Mapping[FindingKind, State]] = {
    FindingKind.BEFORE_ANSWER: State.UNTOUCHED,
    FindingKind.THIRD_PARTY_EARLY: State.UNTOUCHED,
    FindingKind.NO_BANNER: State.UNTOUCHED,
    FindingKind.AFTER_REFUSAL: State.REFUSED,
    FindingKind.STILL_SENT: State.WITHDRAWN,
    FindingKind.AGAINST_SIGNAL: State.SIGNAL,
    FindingKind.UNDECLARED: State.GRANTED,
    FindingKind.NEVER_SEEN: State.GRANTED,
}
"""The state without which a finding of a kind can be there and not be found."""
_ONLY_BY_BROWSER: Final = frozenset({"storage", "host", "service"})


def _could_be_found(entry: KnownFinding, scan: Scan) -> bool:
    states = {visit.state for visit in scan.visits if is_judged(visit)}
    if entry.kind is FindingKind.TABLE_DIFFERS:
        return scan.shown is not None
    if scan.witness is Witness.HEADERS:
        unseen = entry.subject in _ONLY_BY_BROWSER or entry.kind is FindingKind.NO_BANNER
        if unseen or entry.kind in (FindingKind.NEVER_SEEN, FindingKind.REFUSING_HARDER):
            return False
    return _NEEDS.get(entry.kind, State.UNTOUCHED) in states


# The file


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Annotated[FindingKind, Field(strict=False)]
    subject: Subject
    name: str
    since: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""
    reason: str = ""
    severity: Annotated[Severity | None, Field(strict=False)] = None


def print_baseline(baseline: Baseline) -> str:
    """The text of a baseline's file: sorted, a line for each fact, ending with a line break."""
    entries = sorted(
        baseline.entries.values(), key=lambda each: (each.kind, each.subject, each.name)
    )
    plain = [
        {
            "kind": each.kind.value,
            "subject": each.subject,
            "name": each.name,
            "since": each.since,
            "reason": each.reason,
            **({"severity": each.severity.value} if each.severity else {}),
        }
        for each in entries
    ]
    return json_text({"format": FORMAT, "findings": plain})


def read_baseline(text: str | bytes, file: str = "baseline.json") -> Baseline:
    """The baseline in the text of a file; `file` is its name in errors.

    Raises ScanError, with where, what and what to do, for a text that is none.
    """
    plain = _loaded(text, file)
    if plain.get("format") != FORMAT:
        what = f"its 'format' is {plain.get('format')!a}, and this version reads {FORMAT}"
        raise ScanError(file, what, _WRITE_ANEW)
    listed = plain.get("findings")
    if not isinstance(listed, list):
        raise ScanError(file, "it has no list of 'findings'", _WRITE_ANEW)
    entries: dict[str, KnownFinding] = {}
    for number, each in enumerate(listed, start=1):
        entry = _entry(each, f"{file}: finding {number}")
        if entry.key in entries:
            what = "it stands there twice"
            raise ScanError(f"{file}: finding {number}", what, "Take one of the two out.")
        entries[entry.key] = entry
    return Baseline(entries)


_WRITE_ANEW: Final = "Write it anew with --write-baseline, or name another file with --baseline."


def _loaded(text: str | bytes, file: str) -> dict[str, Any]:
    try:
        plain = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ScanError(file, f"it is no JSON: {error}", _WRITE_ANEW) from error
    if not isinstance(plain, dict):
        raise ScanError(file, "it is no baseline: the outermost value is no object", _WRITE_ANEW)
    return plain


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; one with a key twice would say one thing to a reader and another to a program."""
    told = dict(pairs)
    if len(told) < len(pairs):
        raise ValueError("a key stands in one object twice")
    return told


def _entry(plain: object, where: str) -> KnownFinding:
    try:
        read = _Entry.model_validate(plain)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        what = f"'{at}': {first['msg']}" if at else first["msg"]
        raise ScanError(where, what, "Correct the entry, or take it out.") from error
    return KnownFinding(**dict(read))
