"""What a failing assertion says: what came, why, which line of the policy decides it, what to do.

It has never heard of assertions: it is told what differs, and puts it into words. No value of a
cookie stands in them, and no query of an address.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from consentkit.rules.decision import STORE, Decision, Reason, decide
from consentkit.rules.policy_file import file_of, inspect_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from consentkit.rules.policy import Policy
    from consentkit.rules.policy_file import Inspection
    from consentkit.rules.visitor import Standing
    from consentkit.testing.evidence import Evidence

__all__ = [
    "answers_in_words",
    "decision_of",
    "failure",
    "how_to_be_blocked",
    "how_to_be_set",
    "lines_at",
    "lines_of",
    "was_tried",
    "what_came",
    "why",
]

LONGEST_LINE: Final = 72
"""Signs of a policy file's line that are shown."""
MOST_NAMES: Final = 20
_INDENT: Final = "\n  "


def failure(
    claim: str, *, came: str = "", why: str = "", lines: Iterable[str] = (), do: str = ""
) -> AssertionError:
    """The error of a claim that does not hold; what is empty is left out."""
    decides = f"{_INDENT}            ".join(lines)
    parts = {"came": came, "why": why, "decided by": decides, "do": do}
    told = [f"{label}: {text}" for label, text in parts.items() if text]
    return AssertionError(_INDENT.join([claim, *told]))


# What came


def what_came(evidence: Evidence, name: str = "") -> str:
    """The cookies that a response sets or a jar holds, and what enforcement did to cookies.

    What was done to `name` comes first.
    """
    names = [f"{each.name}{' (removal)' if each.is_removal else ''}" for each in evidence.cookies]
    if evidence.is_jar:
        return f"the jar holds {_some(names) or 'nothing'}."
    told = f"Set-Cookie: {_some(names) or 'none'}."
    if evidence.events is None:
        return f"{told} Enforcement: not seen by this client."
    events = [event for event in evidence.events if event.what == "cookie"]
    events.sort(key=lambda event: event.name != name)
    done = _some([f"{event.name} {event.act} ({event.why})" for event in events])
    if not evidence.is_enforced:
        return f"{told} Enforcement: report only; it would have been: {done or 'nothing'}."
    return f"{told} Enforcement: {done or 'did nothing'}."


def _some(told: Sequence[str]) -> str:
    rest = f" and {len(told) - MOST_NAMES} more" if len(told) > MOST_NAMES else ""
    return f"{', '.join(told[:MOST_NAMES])}{rest}"


def was_tried(evidence: Evidence, name: str) -> bool | None:
    """True if the app tried to set a cookie and was held back; None where nobody can know."""
    if evidence.events is None:
        return None
    return any(event.act == "blocked" and event.name == name for event in evidence.events)


# Why


def decision_of(evidence: Evidence, policy: Policy | None, name: str) -> Decision | None:
    """What enforcement decided of a cookie, else what `decide` says; None where none can say."""
    for event in evidence.events or ():
        if event.name == name and event.act == "blocked" and event.decision is not None:
            return event.decision
    standing = evidence.standing
    if standing is not None:
        declared = standing.policy.declaration_of(name)
        return decide(standing.policy, declared, standing.answers, STORE)
    if policy is not None and policy.declaration_of(name) is None:
        return decide(policy, None, ())
    return None


def why(decision: Decision | None, standing: Standing | None) -> str:
    """A decision, and the answers and signals that it was made under."""
    told = [f"{decision}."] if decision is not None else []
    return " ".join([*told, *filter(None, [answers_in_words(standing)])]) if told else ""


def answers_in_words(standing: Standing | None) -> str:
    """``The visitor: analytics refused, maps granted; signals: gpc.``; empty where unknown."""
    if standing is None:
        return ""
    answers = ", ".join(f"{name} {answer}" for name, answer in standing.purposes.items())
    signals = f"; signals: {', '.join(sorted(standing.signals))}" if standing.signals else ""
    return f"The visitor: {answers or 'is asked nothing'}{signals}."


# Which line


@lru_cache(maxsize=8)
def _inspected(file: str, _changed: int) -> Inspection:
    return inspect_policy(file)


def _inspection_of(policy: Policy) -> Inspection | None:
    file = file_of(policy)
    if file is None or not Path(file).is_file():
        return None
    return _inspected(file, Path(file).stat().st_mtime_ns)


def lines_of(policy: Policy | None, name: str, decision: Decision | None) -> Iterator[str]:
    """The lines that decide about a cookie, as ``consent.yaml:9: purpose: analytics``.

    None for a policy that no file says, or that was changed since it was read from one.
    """
    if policy is None:
        return
    inspection = _inspection_of(policy)
    if inspection is None:
        return
    declared = policy.declaration_of(name)
    if declared is None:
        yield from _line(inspection, ("undeclared",), ("cookies",))
        return
    entry = ("cookies", declared.name)
    yield from _line(inspection, (*entry, "purpose"), entry)
    if decision is not None and decision.purpose is not None:
        yield from _line(inspection, ("purposes", decision.purpose, "basis"), ("mode",))


def lines_at(policy: Policy | None, *locs: tuple[str, ...]) -> Iterator[str]:
    """The line of the first of these keys that a policy's file has."""
    inspection = None if policy is None else _inspection_of(policy)
    if inspection is not None:
        yield from _line(inspection, *locs)


def _line(inspection: Inspection, *locs: tuple[str, ...]) -> Iterator[str]:
    place = next(filter(None, (inspection.place_of(*loc) for loc in locs)), None)
    if place is None:
        return
    source = inspection.sources.get(place.file, "").splitlines()
    text = source[place.line - 1].strip() if 0 < place.line <= len(source) else ""
    shown = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"
    yield f"{_short(place.file)}:{place.line}: {shown}"


def _short(file: str) -> str:
    """The path as it is from here, where it is below."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


# What to do

_GRANT_IT: Final = (
    "come as a visitor who granted it: consent_client(app, {{'{purpose}': 'granted'}})."
)
_HOW: Final = {
    Reason.UNDECIDED: _GRANT_IT,
    Reason.IMPLIED: _GRANT_IT,
    Reason.REFUSED: _GRANT_IT,
    Reason.UNDECLARED: "declare it under 'cookies:', or let the app stop setting it.",
    Reason.NO_VOTE: "post the vote: a poll's cookie is set in the answer to one, and nowhere else.",
    Reason.NOT_RENEWED: (
        "come without it: it says 'renew: false', and the request had brought it already."
    ),
    Reason.SPECULATIVE: "leave Sec-Purpose out: nobody was looking at this page yet.",
}


def how_to_be_set(decision: Decision | None, evidence: Evidence, name: str) -> str:
    """What makes a cookie be set that was to be, and is not."""
    if decision is None:
        return (
            "see that the app sets it here. Where it may have been blocked, ask through "
            "consent_client(app, …), or pass policy=: then this says why."
        )
    if was_tried(evidence, name) is False or decision.allowed:
        nothing = "nothing holds it back" if decision.allowed else "it did not try to"
        return f"see that the app sets it here: {nothing}."
    standing = evidence.standing
    if standing is not None and decision.reason is Reason.REFUSED and decision.purpose is not None:
        signals = standing.honoured & standing.policy.purposes[decision.purpose].honours
        if signals:
            return (
                f"come without the signal, which refuses '{decision.purpose}', or let the purpose "
                "not honour it."
            )
    return _HOW[decision.reason].format(purpose=decision.purpose)


def how_to_be_blocked(decision: Decision | None, evidence: Evidence) -> str:
    """What makes a cookie be blocked that was to be, and is set."""
    if decision is None:
        return (
            "ask the app that the server runs, ConsentMiddleware around it: through "
            "consent_client(app, …) this says what was decided."
        )
    if decision.allowed:
        return (
            "come as a visitor who has not allowed it, as consent_client(app, 'refused'), or "
            "declare it under a purpose that visitors are asked about."
        )
    if not evidence.is_enforced:
        return "take report_only=True out of ConsentMiddleware: it lets everything pass."
    return (
        "let the response pass through ConsentMiddleware: wrap the whole app, and see that the "
        "path is not among those it excludes."
    )
