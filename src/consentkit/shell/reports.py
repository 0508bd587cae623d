"""What the commands report of a policy file: for people on a `Screen`, for machines as plain data.

It has never heard of options or exit codes: the inspection of a file goes in, a report comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from consentkit.errors import Fault, TemplateError
from consentkit.rules import catalogue
from consentkit.rules.changes import Asks, problems_against
from consentkit.rules.consent import Answer
from consentkit.rules.names import NameIndex
from consentkit.rules.problems import Problem, listed
from consentkit.shell.explanations import (
    Explanation,
    decision_table,
    duration_in_words,
    experience_of,
)
from consentkit.shell.terminal import Piece, Screen, Tone, Toned, fault_json

if TYPE_CHECKING:
    from consentkit.rules.changes import Change
    from consentkit.rules.policy import Policy
    from consentkit.rules.policy_file import Inspection
    from consentkit.shell.explanations import Fact, PlaceOf

__all__ = [
    "Checked",
    "changes_json",
    "check_json",
    "checked",
    "counted",
    "show_changes",
    "show_checked",
    "show_explanation",
    "show_faults",
    "show_summary",
]


def counted(number: int, word: str) -> str:
    """A number and its noun: ``no faults``, ``1 fault``, ``2 faults``."""
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


# check


@dataclass(frozen=True, slots=True)
class Checked:
    """All that `check` has to say of one file, sorted by place."""

    inspection: Inspection
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    notes: tuple[str, ...] = ()

    @property
    def policy(self) -> Policy | None:
        """The policy, if it holds, also against the one that it was compared with."""
        return None if self.faults else self.inspection.policy


def checked(
    inspection: Inspection, old: Policy | None = None, frameworks: Iterable[str] = ()
) -> Checked:
    """Judge a file that was inspected, and what changed in it since the policy `old`.

    `frameworks` are those in use, by their keys in the catalogue: of one whose cookies are not
    declared, a note tells.
    """
    policy = inspection.policy
    if policy is None:
        return Checked(inspection, inspection.faults, inspection.warnings)
    found = [*problems_against(old, policy)] if old is not None else []
    found += _of_templates(policy)
    placed = [_placed(problem, inspection) for problem in found]
    return Checked(
        inspection,
        tuple(sorted([*inspection.faults, *(each for each in placed if not each.is_warning)])),
        tuple(sorted([*inspection.warnings, *(each for each in placed if each.is_warning)])),
        tuple(_undeclared_frameworks(policy, frameworks)),
    )


def _of_templates(policy: Policy) -> Iterator[Problem]:
    """The fault of a template of the site's own, as the site would meet it when it starts."""
    own = policy.templates or policy.texts or policy.banner.accept or policy.banner.reject
    if not own:
        return
    from consentkit.notice.own_templates import check_templates, check_words  # noqa: PLC0415 - they take Jinja

    try:
        check_words(policy)
    except TemplateError as error:
        yield Problem(("texts",) if policy.texts else ("banner",), error.what, error.cure)
    try:
        check_templates(policy)
    except TemplateError as error:
        what = f"template '{error.template}': {error.what}"
        yield Problem(("templates",), what, error.cure)


def _placed(problem: Problem, inspection: Inspection) -> Fault:
    """The fault of a problem, at the innermost of its keys that a file says."""
    above = (problem.loc[:length] for length in range(len(problem.loc), 0, -1))
    place = next((place for loc in above if (place := inspection.place_of(*loc))), None)
    file, line, column = place or (inspection.file, 0, 0)
    return Fault(file, line, column, f"{problem.what}.", problem.cure, problem.is_warning)


def _undeclared_frameworks(policy: Policy, frameworks: Iterable[str]) -> Iterable[str]:
    declared = NameIndex(policy.cookies, [])
    for key in frameworks:
        framework = catalogue.frameworks()[key]
        missing = [name for name in framework.cookies if declared.find(name) is None]
        if missing:
            names = listed(f"'{name}'" for name in missing)
            yield (
                f"{framework.title} is installed, and its {names} not declared. If this site "
                f"uses it, write 'uses: [{key}]'."
            )


def show_faults(screen: Screen, inspection: Inspection, faults: Iterable[Fault]) -> None:
    """Each fault with its line, sorted by place, an empty line behind each."""
    for fault in sorted(faults):
        screen.fault(fault, inspection.sources)
        screen.blank()


def show_checked(screen: Screen, report: Checked) -> None:
    """What `check` prints of one file."""
    show_faults(screen, report.inspection, (*report.faults, *report.warnings))
    if report.policy is not None:
        _show_policy(screen, report.policy)
    for note in report.notes:
        screen.say(Toned("note: ", Tone.NOTE), note, hang=" " * 6)
        screen.blank()
    screen.head(f"{report.inspection.file}: ", *_counts(report.faults, report.warnings))


def _counts(faults: Sequence[Fault], warnings: Sequence[Fault]) -> list[Piece]:
    found: list[Piece] = []
    for number, word, tone in (
        (len(faults), "fault", Tone.ERROR),
        (len(warnings), "warning", Tone.WARNING),
    ):
        found += [", "] if found else []
        found.append(Toned(counted(number, word), tone if number else None))
    return [*found, "."]


_ANSWERS: Final = MappingProxyType({answer: answer.value for answer in Answer})


def _show_policy(screen: Screen, policy: Policy) -> None:
    screen.head(Toned("What is allowed", Tone.STRONG), ", by the visitor's answer to each purpose")
    screen.blank()
    screen.table(
        ["purpose", "basis", *_ANSWERS.values()],
        [
            [row.purpose, row.basis.value, *(_decided(row.answers[answer]) for answer in Answer)]
            for row in decision_table(policy)
        ],
    )
    screen.blank()
    screen.head(Toned("What a visitor will experience", Tone.STRONG))
    screen.blank()
    for about, text in experience_of(policy):
        screen.say(Toned(f"{about}. ", Tone.STRONG), text, indent="  ", hang="    ")
    screen.blank()


def _decided(allowed: bool) -> Toned:  # noqa: FBT001 - the one thing that is said
    return Toned("allowed", Tone.ALLOWED) if allowed else Toned("blocked", Tone.BLOCKED)


def show_summary(screen: Screen, reports: Sequence[Checked]) -> None:
    """One line for several files."""
    faults = [fault for report in reports for fault in report.faults]
    warnings = [warning for report in reports for warning in report.warnings]
    screen.blank()
    screen.head(f"{counted(len(reports), 'file')}: ", *_counts(faults, warnings))


def check_json(reports: Sequence[Checked], *, is_good: bool) -> dict[str, object]:
    """What `check` found, for machines."""
    return {
        "ok": is_good,
        "faults": sum(len(report.faults) for report in reports),
        "warnings": sum(len(report.warnings) for report in reports),
        "files": [_checked_json(report) for report in reports],
    }


def _checked_json(report: Checked) -> dict[str, object]:
    policy = report.policy
    return {
        "file": report.inspection.file,
        "faults": [fault_json(fault) for fault in report.faults],
        "warnings": [fault_json(fault) for fault in report.warnings],
        "notes": [*report.notes],
        "purposes": [
            {
                "purpose": row.purpose,
                "basis": row.basis.value,
                "allowed": {answer.value: row.answers[answer] for answer in Answer},
            }
            for row in (decision_table(policy) if policy else ())
        ],
        "experience": [
            {"about": about, "text": text}
            for about, text in (experience_of(policy) if policy else ())
        ],
    }


# explain


def show_explanation(screen: Screen, explanation: Explanation, inspection: Inspection) -> None:
    """What `explain` prints of one name."""
    screen.say(Toned(explanation.name, Tone.STRONG), ": ", explanation.headline, hang="    ")
    place = inspection.place_of(*explanation.loc) if explanation.loc else None
    if place is not None:
        screen.head(f"{place.file}:{place.line}:{place.column}")
        source = inspection.sources.get(place.file)
        screen.excerpt(source, place.line, place.column, Tone.NOTE)
    elif explanation.loc == ("undeclared",):
        screen.say("No file says so: it is the default.", indent="  ")
    for note in explanation.notes:
        screen.say(note, indent="  ")
    _show_facts(screen, explanation.facts, inspection.place_of)
    _show_states(screen, explanation)
    _show_lines(screen, "Enforced", [*explanation.enforced, *_lifetimes(explanation)])
    _show_lines(screen, "Withdrawn", explanation.withdrawal)


def _show_facts(screen: Screen, facts: Sequence[Fact], place_of: PlaceOf) -> None:
    if not facts:
        return
    screen.blank()
    rows = [[fact.label, fact.text, _said_at(fact, place_of)] for fact in facts]
    screen.table(["key", "value", "where"], rows)


def _said_at(fact: Fact, place_of: PlaceOf) -> str:
    place = place_of(*fact.loc) if fact.loc else None
    if place is None:
        return "default"
    return f"{place.file}:{place.line}"


def _show_states(screen: Screen, explanation: Explanation) -> None:
    always = explanation.always
    if always is not None:
        screen.blank()
        said: list[Piece] = []
        for key, head in explanation.columns.items():
            said += [", " if said else "", f"{head} ", _decided(always.decisions[key].allowed)]
        title = Toned("Whatever a visitor answers: ", Tone.STRONG)
        screen.say(title, *said, f" ({always.because}).", hang="  ")
    elif explanation.rows:
        screen.blank()
        screen.table(
            ["a visitor who …", *explanation.columns.values(), "because"],
            [
                [
                    row.title,
                    *(_decided(row.decisions[key].allowed) for key in explanation.columns),
                    row.because,
                ]
                for row in explanation.rows
            ],
        )


def _lifetimes(explanation: Explanation) -> Iterable[str]:
    unasked, *_, (asked, given) = explanation.lifetimes or [(None, None)] * 2
    if given is not None:
        yield (
            f"Asked for {duration_in_words(asked)}, it is given {duration_in_words(given)}; "
            f"asked for the session, {duration_in_words(unasked[1])}."
        )


def _show_lines(screen: Screen, title: str, lines: Sequence[str]) -> None:
    if lines:
        screen.blank()
        screen.head(Toned(title, Tone.STRONG))
        for line in lines:
            screen.say(line, indent="  • ", hang="    ")


# diff

_ASKS: Final = MappingProxyType(
    {
        Asks.AGAIN: ("asked again", Tone.NOTE),
        Asks.UNMARKED: ("not marked", Tone.ERROR),
        Asks.NOTHING: ("not asked", None),
    }
)


def show_changes(screen: Screen, changes: Sequence[Change]) -> None:
    """What `diff` prints: each change, and whether visitors are asked about it."""
    if not changes:
        screen.say("Nothing changed that is declared.")
        return
    for change in changes:
        words, tone = _ASKS[change.asks]
        screen.say(Toned(f"{words:<13}", tone), f"{change.what}.", hang=" " * 13)
    screen.blank()
    screen.say(_summary_of(changes))


def _summary_of(changes: Sequence[Change]) -> str:
    def about(asks: Asks) -> list[str]:
        return [
            *dict.fromkeys(name for each in changes if each.asks is asks for name in each.purposes)
        ]

    again, unmarked = about(Asks.AGAIN), about(Asks.UNMARKED)
    parts = [f"Visitors will be asked again about {listed(again)}." if again else ""]
    if unmarked:
        parts.append(
            f"They must be asked about {listed(unmarked)}, and nothing in the new policy says so: "
            "'consentkit check --against' tells which 'since' and 'revision' to write."
        )
    return " ".join(filter(None, parts)) or "Nobody needs to be asked again."


def changes_json(changes: Sequence[Change]) -> dict[str, object]:
    """What `diff` found, for machines."""
    return {
        "asksAgain": any(change.asks is Asks.AGAIN for change in changes),
        "lacksMarks": any(change.asks is Asks.UNMARKED for change in changes),
        "changes": [
            {
                "key": [*change.loc],
                "what": change.what,
                "asks": change.asks.value,
                "purposes": [*change.purposes],
            }
            for change in changes
        ],
    }
