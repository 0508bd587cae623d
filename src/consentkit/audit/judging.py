"""What may be stored, read and loaded in each state, asked of the very rules that enforce.

It has never heard of findings: a policy and something that was seen go in, a decision comes out.

Nothing is decided anew here: a state is turned into the answers that a visitor would have in effect
(`rules.visitor.Standing`), and `decide` and `decide_service` say what follows. One decision is made
once for each name, state and sort of page, and remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from consentkit.audit.seen import State
from consentkit.rules.consent import NOBODY_YET
from consentkit.rules.decision import READ, STORE, Decision, Occasion, decide, decide_service
from consentkit.rules.names import NameIndex
from consentkit.rules.policy import DeclaredCookie, Kind, Policy
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rules.visitor import Standing

if TYPE_CHECKING:
    from consentkit.audit.seen import Scan, Visit
    from consentkit.rules.consent import Consent

__all__ = ["Judge", "Ruling", "host_of", "is_judged", "own_names"]


class Ruling(NamedTuple):
    """A decision about one thing in one state, and what in the policy covers it.

    `name` is the declaration's own, which may be a pattern; a service's key.
    """

    section: str
    name: str
    decision: Decision


def host_of(origin: str) -> str:
    """The host of a whole address, without its port; empty where it has none.

    >>> host_of("http://[::1]:8000"), host_of("https://Shop.Example")
    ('::1', 'shop.example')
    """
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def own_names(policy: Policy) -> frozenset[str]:
    """What our own two cookies may be called, with and without the prefix that https gives them."""
    prefixes = ("", "__Host-", "__Secure-")
    return frozenset(
        f"{prefix}{policy.token.name}{end}" for prefix in prefixes for end in ("", "-seen")
    )


def is_judged(visit: Visit) -> bool:
    """True for a page that was there to be seen; of an error of the witness nothing follows."""
    return not visit.error


class Judge:
    """Says of everything that was seen on a site what its policy makes of it."""

    def __init__(self, policy: Policy, scan: Scan) -> None:
        """Nothing is decided before it is asked for."""
        self.policy = policy
        self.host = host_of(scan.site)
        self._own = own_names(policy)
        self._stored = NameIndex(policy.storage)
        self._as_cookies = _as_cookies(policy)
        self._standings: dict[tuple[State, bool], Standing] = {}
        self._rulings: dict[tuple[str, str, State, bool, Occasion], Ruling | None] = {}

    # whose a name is

    def is_own(self, name: str) -> bool:
        """True for a cookie in which consentkit keeps the answers: it is declared by nature."""
        return name in self._own

    def is_of_the_site(self, host: str) -> bool:
        """True for a host of the site itself, as the policy tells them apart."""
        return self.policy.is_first_party(host, self.host)

    # what is decided

    def stores(self, name: str, visit: Visit) -> Ruling | None:
        """What is decided about storing a cookie; None for one that nothing declares."""
        return self._ruled("cookies", name, visit, STORE)

    def reads(self, name: str, visit: Visit) -> Ruling | None:
        """What is decided about reading a cookie that a browser still sends."""
        return self._ruled("cookies", name, visit, READ)

    def holds(self, key: str, visit: Visit) -> Ruling | None:
        """What is decided about a key of storage: as about a cookie of its purposes."""
        return self._ruled("storage", key, visit, STORE)

    def loads(self, host: str, visit: Visit) -> Ruling | None:
        """What is decided about the service of a host; None where no service is declared."""
        return self._ruled("services", host, visit, STORE)

    def is_asked(self, visit: Visit) -> bool:
        """True if a visitor in this state is to be asked something on this page."""
        return bool(self.standing(visit).open_purposes)

    def standing(self, visit: Visit) -> Standing:
        """What the answers of a state come to on a page."""
        return self._standing(visit.state, for_children=self.is_for_children(visit))

    def is_for_children(self, visit: Visit) -> bool:
        """True for a page on which nothing optional may be (LAW R-11)."""
        return self.policy.is_for_children(visit.page.partition("?")[0])

    def _ruled(self, section: str, name: str, visit: Visit, occasion: Occasion) -> Ruling | None:
        key = (section, name, visit.state, self.is_for_children(visit), occasion)
        if key not in self._rulings:
            self._rulings[key] = self._rule(section, name, self.standing(visit), occasion)
        return self._rulings[key]

    def _rule(
        self, section: str, name: str, standing: Standing, occasion: Occasion
    ) -> Ruling | None:
        answers = standing.answers
        if section == "services":
            service = self.policy.service_of_host(name)
            if service is None:
                return None
            decision = decide_service(self.policy, service, answers, standing.single_services)
            return Ruling(section, service, decision)
        if section == "storage":
            item = self._stored.find(name)
            if item is None:
                return None
            alike = self._as_cookies.cookies[_as_a_cookie(item.name)]
            return Ruling(section, item.name, decide(self._as_cookies, alike, answers, occasion))
        cookie = self.policy.declaration_of(name)
        if cookie is None:
            return None
        return Ruling(section, cookie.name, decide(self.policy, cookie, answers, occasion))

    def _standing(self, state: State, *, for_children: bool) -> Standing:
        found = self._standings.get((state, for_children))
        if found is None:
            signals = frozenset({Signal.GPC}) if state is State.SIGNAL else NO_SIGNALS
            consent = _consent_in(self.policy, state)
            found = Standing(self.policy, consent, signals, _NOW, for_children=for_children)
            self._standings[state, for_children] = found
        return found


_NOW: Final = 0
"""A visitor of a scan answers and looks in the same moment, so one moment is as good as another."""


def _consent_in(policy: Policy, state: State) -> Consent:
    """The answers of a visitor in a state."""
    asked, revision = policy.optional_purposes, policy.revision
    if state in (State.UNTOUCHED, State.SIGNAL):
        return NOBODY_YET
    if state is State.GRANTED:
        return NOBODY_YET.grant(asked, revision, _NOW, NO_SIGNALS)
    return NOBODY_YET.refuse(asked, revision, _NOW)


def _as_cookies(policy: Policy) -> Policy:
    """The policy with a cookie beside each item of storage, so that the one table judges both."""
    if not policy.storage:
        return policy
    alike = {
        _as_a_cookie(name): DeclaredCookie(
            kind=Kind.PERSISTENT, purpose=item.purpose, description="", since=item.since
        )
        for name, item in policy.storage.items()
    }
    values = {key: getattr(policy, key) for key in Policy.model_fields}
    return Policy(**{**values, "cookies": {**policy.cookies, **alike}})


def _as_a_cookie(key: str) -> str:
    # A cookie's name has no blank, so this one is nobody else's.
    return f"stored {key}"
