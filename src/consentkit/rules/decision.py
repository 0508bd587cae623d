"""What follows from policy and consent: may this be stored, may it be read.

It has never heard of HTTP. Everything that decides anything (the middleware, the assertions, the
auditor, the shell) asks `decide`, and `DECISIONS` is the table it looks in.

A decision is about one declared cookie on one *occasion*. A purpose's answer *in effect* comes
from the visitor's explicit answers, the automatic state, the signals and the time; a lapse or a
new revision decides when a visitor is asked, and never widens what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from consentkit.rules.consent import Answer, Consent, Given, key_of_service
from consentkit.rules.policy import (
    DAY,
    LONGEST,
    Basis,
    Kind,
    Policy,
    Question,
    TakesEffect,
    Undeclared,
)

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from consentkit.rules.policy import DeclaredCookie
    from consentkit.rules.signals import Signal

__all__ = [
    "DECISIONS",
    "READ",
    "STORE",
    "Act",
    "Decision",
    "Occasion",
    "Reason",
    "answer_to",
    "answers_to",
    "decide",
    "decide_service",
    "duration_of",
    "is_open",
    "next_lapse",
    "single_services",
]

DECISIONS: Final[Mapping[Basis, Mapping[Answer, bool]]] = MappingProxyType(
    {
        basis: MappingProxyType(dict(zip(Answer, allowed, strict=True)))
        for basis, allowed in {
            #                          undecided implied granted refused
            Basis.STRICTLY_NECESSARY: (True, True, True, True),
            Basis.CONSENT: (False, False, True, False),
            Basis.IMPLIED: (False, True, True, False),
            Basis.OPT_OUT: (True, True, True, False),
        }.items()
    }
)
"""Allowed or blocked, for each basis and each answer in effect."""


class Act(StrEnum):
    """Storage and access: what the rules govern (ePrivacy Directive 5(3))."""

    STORE = "store"
    READ = "read"


class Reason(StrEnum):
    """Why a decision came out as it did."""

    STRICTLY_NECESSARY = "strictly necessary"
    NOTHING_REFUSED = "every purpose of it is allowed"
    SINGLE = "granted by itself"
    UNDECIDED = "not answered yet"
    IMPLIED = "implied only"
    REFUSED = "refused"
    UNDECLARED = "not declared"
    VOTE = "the vote itself asks for it"
    NO_VOTE = "set without a vote"
    NOT_RENEWED = "already there, and never extended"
    SPECULATIVE = "the page was fetched before anybody went to it"


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or blocked, why, and for which purpose."""

    allowed: bool
    reason: Reason
    purpose: str | None = None

    def __str__(self) -> str:
        """A few words for people."""
        verb = "allowed" if self.allowed else "blocked"
        about = f" (purpose '{self.purpose}')" if self.purpose else ""
        return f"{verb}: {self.reason}{about}"


@dataclass(frozen=True, slots=True)
class Occasion:
    """The circumstances of one act.

    `vote`: it answers an unsafe request from the site's own page. `speculative`: the browser
    fetched ahead, nobody is looking yet (R-90). `arrived`: the request carried this name already.
    """

    act: Act = Act.STORE
    vote: bool = False
    speculative: bool = False
    arrived: bool = False


STORE: Final = Occasion()
READ: Final = Occasion(Act.READ)

_BLOCKED_BECAUSE: Final = MappingProxyType(
    {
        Answer.UNDECIDED: Reason.UNDECIDED,
        Answer.IMPLIED: Reason.IMPLIED,
        Answer.REFUSED: Reason.REFUSED,
    }
)
_UNDECLARED: Final = MappingProxyType(
    {
        (level, act): Decision(allowed, Reason.UNDECLARED)
        for level, store, read in (
            (Undeclared.REPORT, True, True),
            (Undeclared.BLOCK, False, True),
            (Undeclared.HIDE, False, False),
        )
        for act, allowed in ((Act.STORE, store), (Act.READ, read))
    }
)


def decide(
    policy: Policy,
    declared: DeclaredCookie | None,
    answers: tuple[Answer, ...],
    occasion: Occasion = STORE,
) -> Decision:
    """Whether a cookie may be stored or read.

    `declared` is what covers its name (`Policy.declaration_of`), None if nothing does; `answers`
    are the answers in effect to `policy.questions` (`answers_to`). A removal is not decided
    here: it stores nothing and always passes.
    """
    if declared is None:
        return _UNDECLARED[policy.undeclared, occasion.act]
    questions = _answered(policy, policy.questions_of(declared), answers)
    if declared.kind is Kind.POLL_TIMEOUT:
        return _decide_poll(declared, questions, occasion)
    if not questions:
        return _renewal(declared, occasion) or Decision(
            allowed=True, reason=Reason.STRICTLY_NECESSARY
        )
    return _first_blocked(policy, questions) or _decide_occasion(declared, occasion)


def decide_service(
    policy: Policy,
    service: str | None,
    answers: tuple[Answer, ...],
    allowed: Container[str] = frozenset(),
) -> Decision:
    """Whether a service may load.

    `service` is its name in the policy (`Policy.service_of_host`), None for a host that no service
    is declared to load from, which is held to `undeclared` like a cookie; `answers` are the answers
    in effect to `policy.questions` (`answers_to`). It may load if every purpose of it is allowed,
    or if it is among `allowed`: those that were granted by themselves (`single_services`).
    """
    if service is None:
        return _UNDECLARED[policy.undeclared, Act.STORE]
    questions = _answered(policy, policy.questions_of_service(service), answers)
    if not questions:
        return Decision(allowed=True, reason=Reason.STRICTLY_NECESSARY)
    blocked = _first_blocked(policy, questions)
    if blocked is None:
        return Decision(allowed=True, reason=Reason.NOTHING_REFUSED)
    if service in allowed:
        return Decision(allowed=True, reason=Reason.SINGLE, purpose=blocked.purpose)
    return blocked


_Answered: TypeAlias = list[tuple[Question, Answer]]


def _answered(policy: Policy, places: tuple[int, ...], answers: tuple[Answer, ...]) -> _Answered:
    return [(policy.questions[place], answers[place]) for place in places]


def _first_blocked(policy: Policy, questions: _Answered) -> Decision | None:
    for question, answer in questions:
        if not DECISIONS[policy.basis_of(question.purpose)][answer]:
            reason = _BLOCKED_BECAUSE[answer]
            return Decision(allowed=False, reason=reason, purpose=question.purpose)
    return None


def _decide_poll(declared: DeclaredCookie, questions: _Answered, occasion: Occasion) -> Decision:
    # The vote answers for this cookie, so neither storing nor reading waits for the banner.
    for question, answer in questions:
        if answer is Answer.REFUSED:
            return Decision(allowed=False, reason=Reason.REFUSED, purpose=question.purpose)
    if occasion.act is Act.STORE and not occasion.vote:
        return Decision(allowed=False, reason=Reason.NO_VOTE, purpose=declared.purpose[0])
    return Decision(allowed=True, reason=Reason.VOTE, purpose=declared.purpose[0])


def _decide_occasion(declared: DeclaredCookie, occasion: Occasion) -> Decision:
    if occasion.act is Act.STORE and occasion.speculative:
        return Decision(allowed=False, reason=Reason.SPECULATIVE, purpose=declared.purpose[0])
    return _renewal(declared, occasion) or Decision(allowed=True, reason=Reason.NOTHING_REFUSED)


def _renewal(declared: DeclaredCookie, occasion: Occasion) -> Decision | None:
    """Blocked where the cookie is there already and is never extended (R-25)."""
    if occasion.act is Act.STORE and occasion.arrived and not declared.renew:
        return Decision(allowed=False, reason=Reason.NOT_RENEWED, purpose=declared.purpose[0])
    return None


def duration_of(declared: DeclaredCookie, asked: float | None) -> float | None:
    """How long a cookie may live that asks for `asked` seconds; None stands for the session.

    A session cookie has no lifetime; the others the least of what is asked, declared, and 400
    days; a poll's cookie always ends, also where the app sets no lifetime (R-24, R-27).
    """
    if declared.kind is Kind.SESSION:
        return None
    if declared.kind is Kind.POLL_TIMEOUT:
        return min(asked if asked is not None else inf, declared.duration or DAY, LONGEST)
    if asked is None:
        return None
    return min(asked, LONGEST if declared.duration is None else declared.duration, LONGEST)


def answers_to(
    policy: Policy, consent: Consent, signals: frozenset[Signal], now: float
) -> tuple[Answer, ...]:
    """The answers in effect to `policy.questions`, in their order, at `now` (POSIX seconds)."""
    return tuple(
        answer_to(policy, question, consent, signals, now) for question in policy.questions
    )


def answer_to(
    policy: Policy, question: Question, consent: Consent, signals: frozenset[Signal], now: float
) -> Answer:
    """One answer in effect.

    A signal beats undecided and implied, and a grant given before the signal was known; a grant
    given while it was on stands, unless a preset lets the signal win (R-37). It never grants.
    """
    own = _own_answer(policy, question, consent, now)
    heard = signals & policy.purposes[question.purpose].honours
    if not heard or own is Answer.REFUSED:
        return own
    given = consent.given.get(question.purpose)
    knowing = own is Answer.GRANTED and given is not None and heard <= given.despite
    return own if knowing and not policy.signals_win else Answer.REFUSED


def _own_answer(policy: Policy, question: Question, consent: Consent, now: float) -> Answer:
    given = consent.given.get(question.purpose)
    if given is not None:
        if not given.granted:
            return Answer.REFUSED
        stands = given.revision >= question.since and not _has_lapsed(policy, given.time, now)
        return Answer.GRANTED if stands else Answer.UNDECIDED
    basis = policy.basis_of(question.purpose)
    if not consent.readable and basis in (Basis.IMPLIED, Basis.OPT_OUT):
        return Answer.REFUSED
    if basis is Basis.IMPLIED and _is_implied(policy, question, consent, now):
        return Answer.IMPLIED
    return Answer.UNDECIDED


def _is_implied(policy: Policy, question: Question, consent: Consent, now: float) -> bool:
    at_once = policy.takes_effect is TakesEffect.AT_ONCE
    return at_once or _went_on(policy, question, consent, now)


def _went_on(policy: Policy, question: Question, consent: Consent, now: float) -> bool:
    seen = consent.seen
    return (
        seen is not None
        and seen.implied >= question.since
        and not _has_lapsed(policy, seen.time, now)
    )


def _has_lapsed(policy: Policy, time: float, now: float) -> bool:
    return time + policy.ask_again_after <= now


def single_services(
    policy: Policy, consent: Consent, signals: frozenset[Signal], now: float
) -> frozenset[str]:
    """The services that the visitor granted by themselves, and whose grant stands at `now`.

    Such a grant covers one service as it stood then, whatever the answers to its purposes were. A
    later refusal of one of them takes it away; it lapses, a new revision outdates it, and a
    signal outweighs it, as with a purpose's.
    """
    return frozenset(
        name for name in policy.services if _stands_alone(policy, name, consent, signals, now)
    )


def _stands_alone(
    policy: Policy, service: str, consent: Consent, signals: frozenset[Signal], now: float
) -> bool:
    given = consent.given.get(key_of_service(service))
    if given is None or not given.granted or _has_lapsed(policy, given.time, now):
        return False
    questions = [policy.questions[place] for place in policy.questions_of_service(service)]
    if not questions or any(given.revision < question.since for question in questions):
        return False
    purposes = [question.purpose for question in questions]
    if any(_is_refused_since(consent.given.get(purpose), given.time) for purpose in purposes):
        return False
    heard = signals & frozenset().union(*(policy.purposes[name].honours for name in purposes))
    return not heard or (heard <= given.despite and not policy.signals_win)


def _is_refused_since(answer: Given | None, time: int) -> bool:
    return answer is not None and not answer.granted and answer.time > time


def is_open(
    policy: Policy, question: Question, consent: Consent, signals: frozenset[Signal], now: float
) -> bool:
    """True if the visitor is to be asked this: never answered, lapsed, or changed since.

    A signal that is honoured answers in the visitor's place, so it leaves nothing to ask.
    """
    if signals & policy.purposes[question.purpose].honours:
        return False
    given = consent.given.get(question.purpose)
    if given is not None:
        return given.revision < question.since or _has_lapsed(policy, given.time, now)
    implied = policy.basis_of(question.purpose) is Basis.IMPLIED
    return not (consent.readable and implied and _went_on(policy, question, consent, now))


def next_lapse(policy: Policy, consent: Consent, now: float) -> float:
    """POSIX seconds until which the answers in effect cannot change by time alone."""
    times = [given.time for given in consent.given.values()]
    if consent.seen is not None:
        times.append(consent.seen.time)
    return min((end for time in times if (end := time + policy.ask_again_after) > now), default=inf)
