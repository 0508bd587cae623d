"""One visitor during one request: what they answered, and what the app may do about it.

It has never heard of HTTP: it is given answers, and whoever carries them reads `consent` back.

A `Standing` is what a visitor's answers and signals come to; it never changes and is shared by
every request that brings the same. A `Visitor` stands on one and moves to another when the app
grants, refuses or withdraws.
"""

from __future__ import annotations

import warnings
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from consentkit.errors import LateAnswerWarning, UnknownPurposeError, UnknownServiceError
from consentkit.rules.consent import Answer, Consent, is_of_service, key_of_service
from consentkit.rules.decision import (
    DECISIONS,
    answers_to,
    decide_service,
    is_open,
    next_lapse,
    single_services,
)
from consentkit.rules.policy import Basis, Policy
from consentkit.rules.signals import NO_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from consentkit.rules.signals import Signal

__all__ = ["Standing", "Visitor"]


LONGEST_SERVICES: Final = 800
"""Characters that grants of single services may take in a token of 4 KB; the oldest go first."""
_OF_EACH: Final = 40
"""Characters that a grant takes besides its name: it has a time of its own."""


class Standing:
    """What answers and signals come to under a policy; holds until `valid_until`.

    On a page that is `for_children` every optional purpose counts as refused, and nothing is asked:
    no answer, signal or service's own grant changes that (LAW R-11).
    """

    def __init__(
        self,
        policy: Policy,
        consent: Consent,
        signals: frozenset[Signal],
        now: float,
        *,
        for_children: bool = False,
    ) -> None:
        """Work out the answers in effect at `now` (POSIX seconds)."""
        self.policy = policy
        self.consent = consent
        self.signals = signals
        self.now = now
        self.for_children = for_children
        self.answers = (
            (Answer.REFUSED,) * len(policy.questions)
            if for_children
            else answers_to(policy, consent, signals, now)
        )
        self.valid_until = next_lapse(policy, consent, now)

    def on_a_page(self, *, for_children: bool) -> Standing:
        """The same visitor on a page that is for children, or is not."""
        if for_children == self.for_children:
            return self
        return Standing(
            self.policy, self.consent, self.signals, self.now, for_children=for_children
        )

    @cached_property
    def elsewhere(self) -> Standing:
        """The same visitor where the site is not for children: what they keep is judged there.

        Where the whole site is, there is no such place.
        """
        if self.policy.is_for_children("/"):
            return self
        return self.on_a_page(for_children=False)

    @cached_property
    def open_purposes(self) -> tuple[str, ...]:
        """The purposes the visitor is to be asked about."""
        if self.for_children:
            return ()
        asked = dict.fromkeys(
            question.purpose
            for question in self.policy.questions
            if is_open(self.policy, question, self.consent, self.signals, self.now)
        )
        return tuple(asked)

    @cached_property
    def purposes(self) -> Mapping[str, Answer]:
        """The answer in effect to each optional purpose as such."""
        answers: dict[str, Answer] = {}
        for question, answer in zip(self.policy.questions, self.answers, strict=True):
            answers.setdefault(question.purpose, answer)
        return MappingProxyType(answers)

    @cached_property
    def single_services(self) -> frozenset[str]:
        """The services that were granted by themselves, whatever their purposes' answers are."""
        if self.for_children:
            return frozenset()
        return single_services(self.policy, self.consent, self.signals, self.now)

    @cached_property
    def services(self) -> frozenset[str]:
        """The services that may load now."""
        return frozenset(
            name
            for name in self.policy.services
            if decide_service(self.policy, name, self.answers, self.single_services).allowed
        )

    @cached_property
    def honoured(self) -> frozenset[Signal]:
        """The signals that answer for this visitor in some purpose."""
        if self.for_children:
            return NO_SIGNALS
        given = self.consent.given
        refused = [
            self.policy.purposes[purpose].honours
            for purpose, answer in self.purposes.items()
            if answer is Answer.REFUSED and (purpose not in given or given[purpose].granted)
        ]
        return self.signals & frozenset().union(*refused)

    def answer(self, purpose: str) -> Answer:
        """The answer in effect to a purpose as such; granted for one that is strictly necessary."""
        return self.purposes.get(purpose, Answer.GRANTED)


class Visitor:
    """The visitor of this request.

    Read what they answered with `allows`, `answer`, `is_decided` and `consent`; record an answer
    with `grant`, `refuse`, `withdraw` and `allow_service`. What is recorded takes effect in this
    very response.
    """

    __slots__ = ("_clock", "_report_only", "has_changed", "is_late", "standing")

    def __init__(
        self, standing: Standing, clock: Callable[[], float], *, report_only: bool = False
    ) -> None:
        """Stand on `standing`; `clock` gives POSIX seconds when an answer is recorded."""
        self.standing = standing
        self.has_changed = False
        self.is_late = False
        self._clock = clock
        self._report_only = report_only

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.standing.policy

    @property
    def consent(self) -> Consent:
        """All answers of this visitor, as a frozen value."""
        return self.standing.consent

    @property
    def signals(self) -> frozenset[Signal]:
        """The signals their browser sent."""
        return self.standing.signals

    @property
    def is_decided(self) -> bool:
        """True if there is nothing (more) to ask this visitor."""
        return not self.standing.open_purposes

    @property
    def is_enforced(self) -> bool:
        """False in report mode: whatever was answered, everything is allowed."""
        return not self._report_only

    def answer(self, purpose: str) -> Answer:
        """The answer in effect to a purpose. Raises UnknownPurposeError."""
        self._known((purpose,))
        return self.standing.answer(purpose)

    def allows(self, purpose: str) -> bool:
        """True if the purpose is allowed now; always true in report mode.

        Raises UnknownPurposeError for a purpose the policy does not declare.
        """
        answer = self.answer(purpose)
        return self._report_only or DECISIONS[self.policy.basis_of(purpose)][answer]

    def allows_service(self, service: str) -> bool:
        """True if the service may load now; always true in report mode.

        Raises UnknownServiceError for a service the policy does not declare.
        """
        self._known_services((service,))
        return self._report_only or service in self.standing.services

    def grant(self, *purposes: str) -> None:
        """Record that the visitor grants `purposes`.

        Raises UnknownPurposeError. A purpose granted already stays as it is.
        """
        new = [name for name in self._optional(purposes) if not self._stands(name)]
        if new:
            revision = self.policy.revision
            consent = self._kept.grant(new, revision, self._clock(), self.signals)
            covered = [key for key, own in self._asked_by_service().items() if own <= {*new}]
            self._move(consent.without(covered))

    def allow_service(self, *services: str) -> None:
        """Record that the visitor grants these services alone; no purpose's answer changes.

        It holds until one of their purposes is refused or withdrawn. Raises UnknownServiceError.
        A service that may load already stays as it is.
        """
        self._known_services(services)
        new = [key_of_service(name) for name in services if name not in self._recorded.services]
        if new:
            revision = self.policy.revision
            consent = self._kept.grant(new, revision, self._clock(), self.signals)
            self._move(consent.without(_oldest_services(consent, new)))

    def refuse(self, *purposes: str) -> None:
        """Record that the visitor refuses `purposes`. Raises UnknownPurposeError."""
        self._move(self._refused(purposes))

    def withdraw(self, *purposes: str) -> None:
        """Record that the visitor withdraws `purposes`, or every optional one if none is named.

        Withdrawn means refused from now on. Raises UnknownPurposeError.
        """
        self._move(self._refused(purposes or self.policy.optional_purposes))

    def _refused(self, purposes: tuple[str, ...]) -> Consent:
        optional = self._optional(purposes)
        new = [name for name in optional if not self._is_refused_lately(name)]
        revision = self.policy.revision
        consent = self._kept.refuse(new, revision, self._clock()) if new else self.consent
        if not optional:
            return consent
        grants = self._asked_by_service()
        return consent.without(key for key, own in grants.items() if not own or own & {*optional})

    def _asked_by_service(self) -> dict[str, frozenset[str]]:
        """The keys of single services' grants, each with what was asked: its optional purposes.

        Nothing was asked about a service that the policy does not have any more.
        """
        services = self.policy.services
        optional = frozenset(self.policy.optional_purposes)
        purposes = {key_of_service(name): optional & {*services[name].purpose} for name in services}
        keys = filter(is_of_service, self.consent.given)
        return {key: purposes.get(key, frozenset()) for key in keys}

    @property
    def _recorded(self) -> Standing:
        """What the answers themselves come to: those on a page for children are kept as any."""
        return self.standing.on_a_page(for_children=False)

    @property
    def _kept(self) -> Consent:
        """The consent an answer is added to.

        What could not be read counts as refused, and an answer to one purpose must not free the
        others: they are written down as refused so long ago that they are asked again.
        """
        if self.consent.readable:
            return self.consent
        refused = [name for name, a in self._recorded.purposes.items() if a is Answer.REFUSED]
        return self.consent.refuse(refused, self.policy.revision, 0)

    def _known(self, purposes: tuple[str, ...]) -> None:
        for purpose in purposes:
            if purpose not in self.policy.purposes:
                raise UnknownPurposeError(purpose, self.policy.purposes)

    def _known_services(self, services: tuple[str, ...]) -> None:
        for service in services:
            if service not in self.policy.services:
                raise UnknownServiceError(service, self.policy.services)

    def _optional(self, purposes: tuple[str, ...]) -> list[str]:
        self._known(purposes)
        return [
            name for name in purposes if self.policy.basis_of(name) is not Basis.STRICTLY_NECESSARY
        ]

    def _stands(self, purpose: str) -> bool:
        answer = self._recorded.answer(purpose)
        granted = answer is Answer.GRANTED or self._is_outweighed(purpose)
        return granted and not self._would_be_asked(purpose)

    def _would_be_asked(self, purpose: str) -> bool:
        """True if it is open to whoever sends no signal: an answer that lapsed is given anew."""
        policy, now = self.policy, self.standing.now
        return any(
            is_open(policy, question, self.consent, NO_SIGNALS, now)
            for question in policy.questions
            if question.purpose == purpose
        )

    def _is_outweighed(self, purpose: str) -> bool:
        """True if it was granted in the face of the signal that wins over it (R-37)."""
        given = self.consent.given.get(purpose)
        return given is not None and given.granted and self.signals <= given.despite

    def _is_refused_lately(self, purpose: str) -> bool:
        given = self.consent.given.get(purpose)
        if given is None or given.granted:
            return False
        return not self._would_be_asked(purpose)

    def _move(self, consent: Consent) -> None:
        if consent is self.consent:
            return
        if self.is_late:
            warnings.warn(
                "The answer changed after the response had begun, so its token cannot be sent: "
                "it holds for the rest of this request and is forgotten. Change answers before "
                "the first byte of the response is sent.",
                LateAnswerWarning,
                stacklevel=3,
            )
        self.standing = Standing(
            self.policy,
            consent,
            self.signals,
            self._clock(),
            for_children=self.standing.for_children,
        )
        self.has_changed = True


def _oldest_services(consent: Consent, new: Container[str]) -> list[str]:
    """The keys of grants of services for which a token has no room any more."""
    keys = [key for key in consent.given if is_of_service(key)]
    keys.sort(key=lambda key: (key in new, consent.given[key].time))
    room = LONGEST_SERVICES
    while keys and (room := room - len(keys[-1]) - _OF_EACH) >= 0:
        keys.pop()
    return keys
