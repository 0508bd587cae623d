"""What a policy comes to, in words: its decision table, its visit, and the why of one name.

It has never heard of a terminal: a policy goes in, plain values and sentences come out.

Nothing is judged here. Each state that a visitor can be in is made as a real `Consent`, its answers
come from `Standing` and what is allowed from `decide`, as they do when the site runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.rules import catalogue
from consentkit.rules.consent import NOBODY_YET, Answer, Consent, Seen, start_of_day
from consentkit.rules.decision import (
    DECISIONS,
    READ,
    STORE,
    Decision,
    Occasion,
    Reason,
    decide,
    duration_of,
)
from consentkit.rules.names import NameIndex, NamePattern, without_chunk_suffix
from consentkit.rules.policy import (
    DAY,
    Basis,
    DeclaredCookie,
    Kind,
    Policy,
    StoredItem,
    TakesEffect,
    Undeclared,
    Where,
)
from consentkit.rules.problems import Loc, listed, some_of
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rules.visitor import Standing

if TYPE_CHECKING:
    from consentkit.rules.catalogue import KnownCookie
    from consentkit.rules.yaml_text import Place

__all__ = [
    "Experience",
    "Explanation",
    "Fact",
    "PlaceOf",
    "PurposeRow",
    "StateRow",
    "decision_table",
    "duration_in_words",
    "experience_of",
    "explain",
    "token_names",
]

PlaceOf = Callable[..., "Place | None"]
"""Where the key at a path stands in the files that were read; None if no file says it."""

_MONTHS: Final = {count * 365 // 12: count for count in range(3, 48) if count % 12}
_UNITS: Final = (("year", 365 * DAY), ("day", DAY), ("hour", 3600), ("minute", 60))


def duration_in_words(seconds: float | None) -> str:
    """A duration as a policy file has it, ``13 months``; None is the session.

    >>> duration_in_words(395 * 86_400)
    '13 months'
    """
    if seconds is None:
        return "the session"
    whole = int(seconds)
    if not whole % DAY and whole // DAY in _MONTHS:
        return f"{_MONTHS[whole // DAY]} months"
    unit, size = next((pair for pair in _UNITS if whole and not whole % pair[1]), ("second", 1))
    count = whole // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


# The decision table


class PurposeRow(NamedTuple):
    """What is allowed for one purpose: its basis, and a decision for each answer in effect."""

    purpose: str
    basis: Basis
    answers: Mapping[Answer, bool]


def decision_table(policy: Policy) -> tuple[PurposeRow, ...]:
    """The rows of `DECISIONS` that this policy uses, purpose by purpose, as the file has them."""
    return tuple(
        PurposeRow(name, policy.basis_of(name), DECISIONS[policy.basis_of(name)])
        for name in policy.purposes
    )


# What a visitor of this site will experience


class Experience(NamedTuple):
    """One sentence or two about the visit, and what they are about."""

    about: str
    text: str


_NO_REGULATOR: Final = "Regulators in the EU and the UK do not take that for consent."

_VISITS: Final = MappingProxyType(
    {
        Basis.CONSENT: Experience(
            "Consent",
            "The banner asks, and until the visitor says yes, nothing is stored or read for this. "
            "Going on without an answer is no yes.",
        ),
        Basis.IMPLIED: Experience(
            "Implied consent",
            "The first page stores nothing for this. A visitor who was shown the banner and goes "
            f"on to another page is taken to agree, and can refuse at any time. {_NO_REGULATOR}",
        ),
        Basis.OPT_OUT: Experience(
            "Opt-out",
            "Stored from the first page on, until the visitor says no; the notice says so, and "
            "offers it.",
        ),
    }
)
_AT_ONCE: Final = Experience(
    "Implied consent, at once",
    "Stored with the very first page, before the visitor could read of it; a refusal deletes it. "
    f"{_NO_REGULATOR}",
)
_UNDECLARED: Final = MappingProxyType(
    {
        Undeclared.REPORT: "They pass, and the log names them.",
        Undeclared.BLOCK: "The server sets none; the app goes on reading those that arrive.",
        Undeclared.HIDE: "The server sets none, and the app sees none of those that arrive.",
    }
)


def experience_of(policy: Policy) -> tuple[Experience, ...]:
    """What a visitor of a site with this policy will experience, basis by basis."""
    return tuple(_experience(policy))


def _experience(policy: Policy) -> Iterator[Experience]:
    necessary = [name for name in policy.purposes if name not in policy.optional_purposes]
    if not policy.optional_purposes:
        line = " A quiet line on each page links to it." if policy.settings_link == "always" else ""
        yield Experience(
            "You need no banner",
            "Nothing here needs an answer, so nobody is asked anything; visitors find what is "
            f"stored, and why, in the table of declared cookies.{line}",
        )
    elif necessary:
        text = "Stored without asking; the table of declared cookies tells of it."
        yield Experience(f"Strictly necessary ({listed(necessary)})", text)
    for basis, (about, text) in _visits(policy).items():
        names = [name for name in policy.optional_purposes if policy.basis_of(name) is basis]
        if names:
            yield Experience(f"{about} ({listed(names)})", text)
    yield from _signals(policy)
    yield from _polls(policy)
    if policy.optional_purposes and policy.child_directed:
        yield Experience(
            f"Pages for children ({some_of(policy.child_directed)})",
            "Nothing optional is stored, read or loaded there, whatever was answered elsewhere, "
            "and nobody is asked.",
        )
    if policy.optional_purposes:
        again = duration_in_words(policy.ask_again_after)
        yield Experience("Asked again", f"After {again}, and about what a new revision changes.")
    yield Experience("Undeclared cookies", _UNDECLARED[policy.undeclared])


def _visits(policy: Policy) -> Mapping[Basis, Experience]:
    at_once = policy.takes_effect is TakesEffect.AT_ONCE
    return {**_VISITS, Basis.IMPLIED: _AT_ONCE} if at_once else _VISITS


_SIGNAL_NAMES: Final = MappingProxyType(
    {Signal.GPC: "Global Privacy Control", Signal.DNT: "Do Not Track"}
)


def _signals(policy: Policy) -> Iterator[Experience]:
    for signal, title in _SIGNAL_NAMES.items():
        optional = policy.optional_purposes
        heard = [name for name in optional if signal in policy.purposes[name].honours]
        deaf = [name for name in optional if name not in heard]
        if heard:
            over = " It outweighs every grant." if policy.signals_win else ""
            text = f"A browser that sends it is not asked: that counts as a refusal.{over}"
            yield Experience(f"{title} ({listed(heard)})", text)
        if deaf and signal is Signal.GPC:
            yield Experience(f"{title} ({listed(deaf)})", "It is not honoured here.")


def _polls(policy: Policy) -> Iterator[Experience]:
    for name, cookie in policy.cookies.items():
        if cookie.kind is Kind.POLL_TIMEOUT:
            lasts = duration_in_words(duration_of(cookie, None))
            yield Experience(
                f"Votes ({name})",
                f"Stored in the answer to a vote, for {lasts}, unless the visitor has refused "
                f"{listed(cookie.purpose, 'or')}. No page view stores it.",
            )


# The states a visitor can be in

NOW: Final = 2_000_000_000.0
"""The moment of every explanation, in POSIX seconds: what is explained does not depend on it."""


class _State(NamedTuple):
    key: str
    title: str
    consent: Consent
    signals: frozenset[Signal] = NO_SIGNALS
    for_children: bool = False

    def answers(self, policy: Policy) -> tuple[Answer, ...]:
        """The answers in effect, as on a page of the site."""
        here = Standing(policy, self.consent, self.signals, NOW, for_children=self.for_children)
        return here.answers


def _states(policy: Policy, purposes: Collection[str], since: int) -> Iterator[_State]:
    """Every state that can make a difference to what stands under `purposes` `since` a revision."""
    asked, revision = policy.optional_purposes, policy.revision
    granted = NOBODY_YET.grant(asked, revision, NOW, NO_SIGNALS)
    went_on = Consent(seen=Seen(revision, revision, start_of_day(NOW)))
    long_ago = NOBODY_YET.grant(asked, revision, NOW - policy.ask_again_after, NO_SIGNALS)
    span = duration_in_words(policy.ask_again_after)
    yield _State("undecided", "has not answered", NOBODY_YET)
    yield _State("implied", "saw the notice and went on", went_on)
    yield _State("granted", "said yes", granted)
    yield _State("refused", "said no", NOBODY_YET.refuse(asked, revision, NOW))
    for signal in _heard(policy, purposes):
        on, name = frozenset({signal}), signal.value.upper()
        knowing = NOBODY_YET.grant(asked, revision, NOW, on)
        yield _State(signal.value, f"sends {name}, has not answered", NOBODY_YET, on)
        yield _State(f"{signal.value}-since", f"said yes, sends {name} since", granted, on)
        yield _State(f"{signal.value}-despite", f"said yes while sending {name}", knowing, on)
    yield _State("lapsed", f"said yes {span} ago", long_ago)
    if since > 1:
        before = NOBODY_YET.grant(asked, since - 1, NOW, NO_SIGNALS)
        yield _State("before", f"said yes before revision {since}", before)
    if policy.child_directed:
        yield _State("children", "said yes, on a page for children", granted, for_children=True)
    yield _State("unreadable", "has a token nobody can read", Consent(readable=False))


def _heard(policy: Policy, purposes: Collection[str]) -> list[Signal]:
    honours = {Signal.GPC}.union(*(policy.purposes[name].honours for name in purposes))
    return [signal for signal in Signal if signal in honours]


# One name


class Fact(NamedTuple):
    """One thing the policy says of an item, and the key that says it; None: nobody wrote it."""

    label: str
    text: str
    loc: Loc | None = None


class StateRow(NamedTuple):
    """What is decided in one state: the answers in effect, and a decision for each occasion."""

    key: str
    title: str
    answers: Mapping[str, Answer]
    decisions: Mapping[str, Decision]

    @property
    def because(self) -> str:
        """Why something is blocked, else why all is allowed; each reason once."""
        decided = self.decisions.values()
        blocked = [decision for decision in decided if not decision.allowed]
        return "; ".join(dict.fromkeys(map(_reason, blocked or decided)))


def _reason(decision: Decision) -> str:
    names = decision.purpose and decision.reason in (
        Reason.UNDECIDED,
        Reason.IMPLIED,
        Reason.REFUSED,
    )
    return f"{decision.reason} ({decision.purpose})" if names else str(decision.reason)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one name is allowed or blocked, in every state.

    `section` is where it is declared (``cookies``, ``storage``), ``tokens`` for our own cookies
    and ``undeclared`` for what no declaration covers. `loc` is the key that decides, None for a
    token. `columns` are the occasions of `rows` by key, with a head for people. `lifetimes` are
    pairs of seconds: what an app asks for and what it gets, None for the session.
    """

    name: str
    section: str
    declared_as: str | None
    headline: str
    loc: Loc | None
    notes: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[StateRow, ...] = ()
    lifetimes: tuple[tuple[int | None, int | None], ...] = ()
    enforced: tuple[str, ...] = ()
    withdrawal: tuple[str, ...] = ()

    @property
    def always(self) -> StateRow | None:
        """The one row that says it all, where no answer makes a difference."""
        decided = {tuple(row.decisions.values()) for row in self.rows}
        return self.rows[0] if len(decided) == 1 else None

    def for_machines(self, place_of: PlaceOf) -> dict[str, object]:
        """Plain values, with the place of each fact where a file says it."""
        return {
            "name": self.name,
            "section": self.section,
            "declaredAs": self.declared_as,
            "place": _place(self.loc, place_of),
            "summary": self.headline,
            "notes": [*self.notes],
            "facts": [
                {"label": fact.label, "text": fact.text, "place": _place(fact.loc, place_of)}
                for fact in self.facts
            ],
            "states": [
                {
                    "state": row.key,
                    "visitor": row.title,
                    "answers": {purpose: str(answer) for purpose, answer in row.answers.items()},
                    "decisions": {
                        occasion: {
                            "allowed": decision.allowed,
                            "reason": str(decision.reason),
                            "purpose": decision.purpose,
                        }
                        for occasion, decision in row.decisions.items()
                    },
                }
                for row in self.rows
            ],
            "lifetimes": [{"asked": asked, "given": given} for asked, given in self.lifetimes],
            "enforced": [*self.enforced],
            "withdrawal": [*self.withdrawal],
        }


def _place(loc: Loc | None, place_of: PlaceOf) -> dict[str, object] | None:
    place = place_of(*loc) if loc else None
    if place is None:
        return None
    return {"file": place.file, "line": place.line, "column": place.column}


def explain(policy: Policy, name: str) -> tuple[Explanation, ...]:
    """Why `name` is allowed or blocked: one explanation, two if a cookie and an item share it."""
    if name.removeprefix("__Host-").removeprefix("__Secure-") in _token_names(policy):
        return (_token(name),)
    cookie = policy.cookies.get(name) or policy.declaration_of(name)
    item = policy.storage.get(name) or NameIndex(policy.storage).find(name)
    found: list[Explanation] = []
    if cookie is not None:
        found.append(_Teller(policy, name, cookie).explanation())
    if item is not None:
        found.append(_stored(policy, name, item))
    return tuple(found) or (_undeclared(policy, name),)


def _token_names(policy: Policy) -> tuple[str, str]:
    return policy.token.name, f"{policy.token.name}-seen"


def token_names(policy: Policy) -> tuple[str, ...]:
    """The names of the two tokens on a site served over https, that of the answers first."""
    prefix = "__Secure-" if policy.token.domain else "__Host-"
    return tuple(f"{prefix}{name}" for name in _token_names(policy))


def _token(name: str) -> Explanation:
    return Explanation(
        name,
        "tokens",
        name,
        "consentkit's own token. It remembers what the visitor answered, or was shown.",
        None,
        enforced=(
            "It is strictly necessary, and declared in the table without a word of yours.",
            "No app can set it: a Set-Cookie of this name is left out.",
        ),
        withdrawal=("Withdrawing writes it anew, since it remembers the refusal.",),
    )


_KINDS: Final = MappingProxyType(
    {
        Kind.SESSION: "Max-Age and Expires are taken off: it ends with the browser's session.",
        Kind.PERSISTENT: "It lives for what the app asks, and never longer than {longest}.",
        Kind.ANALYTICS: "It lives for what the app asks, and never longer than {longest}.",
        Kind.POLL_TIMEOUT: "It lives for what the app asks, and never longer than {longest}; where "
        "the app asks nothing, it ends after that too.",
    }
)
_ATTRIBUTES: Final = (
    ("secure", "Secure"),
    ("http_only", "HttpOnly"),
    ("partitioned", "Partitioned"),
)
_LONG: Final = 10 * 365 * DAY


class _Teller:
    """Tells of one name that a declared cookie covers."""

    def __init__(self, policy: Policy, name: str, cookie: DeclaredCookie) -> None:
        self._policy, self._name, self._cookie = policy, name, cookie
        places = policy.questions_of(cookie)
        self._since = max((policy.questions[place].since for place in places), default=1)
        self._asked = {policy.questions[place].purpose: place for place in places}

    def explanation(self) -> Explanation:
        """All that can be said of it."""
        cookie = self._cookie
        return Explanation(
            self._name,
            "cookies",
            cookie.name,
            self._headline(),
            ("cookies", cookie.name),
            tuple(self._notes()),
            tuple(self.facts()),
            self._columns(),
            tuple(self.rows(self._occasions())),
            tuple((asked, _whole(duration_of(cookie, asked))) for asked in (None, 3600, _LONG)),
            tuple(self._enforced()),
            tuple(self._withdrawal()),
        )

    def _headline(self) -> str:
        declared = self._cookie.name
        if declared == self._name:
            return "declared by this very name."
        if NamePattern.parse(declared).is_exact:
            return f"a chunk of '{declared}', which is declared with 'chunked: true'."
        return f"covered by the pattern '{declared}'."

    def _notes(self) -> Iterator[str]:
        for other in self._policy.cookies:
            pattern = NamePattern.parse(other)
            if other != self._cookie.name and pattern.covers(self._name):
                exact = NamePattern.parse(self._cookie.name).is_exact
                why = "an exact name comes first" if exact else "its literal is shorter"
                yield f"The pattern '{other}' fits too, and gives way: {why}."

    def facts(self) -> Iterator[Fact]:
        """What the policy says of it, and where."""
        cookie, policy, key = self._cookie, self._policy, ("cookies", self._cookie.name)
        yield Fact("kind", cookie.kind.value, (*key, "kind"))
        yield from _purpose_facts(policy, cookie, key)
        if cookie.duration is not None:
            told = duration_in_words(cookie.duration)
            yield Fact("duration", told, (*key, "duration"))
        if not cookie.renew:
            yield Fact("renew", "false: never extended", (*key, "renew"))

    def _occasions(self) -> Mapping[str, Occasion]:
        occasions = {"store": STORE}
        if self._cookie.kind is Kind.POLL_TIMEOUT:
            occasions["vote"] = Occasion(vote=True)
        if not self._cookie.renew:
            occasions["again"] = Occasion(arrived=True)
        return {**occasions, "read": READ}

    def _columns(self) -> Mapping[str, str]:
        heads = {"store": "store", "vote": "by a vote", "again": "renew", "read": "read"}
        return {key: heads[key] for key in self._occasions()}

    def rows(self, occasions: Mapping[str, Occasion]) -> Iterator[StateRow]:
        """What is decided in each state, on each occasion."""
        policy, cookie = self._policy, self._cookie
        for state in _states(policy, cookie.purpose, self._since):
            answers = state.answers(policy)
            yield StateRow(
                state.key,
                state.title,
                {purpose: answers[place] for purpose, place in self._asked.items()},
                {
                    key: decide(policy, cookie, answers, occasion)
                    for key, occasion in occasions.items()
                },
            )

    def _enforced(self) -> Iterator[str]:
        cookie = self._cookie
        longest = duration_in_words(duration_of(cookie, inf))
        yield _KINDS[cookie.kind].format(longest=longest)
        wanted = [name for key, name in _ATTRIBUTES if getattr(cookie.attributes, key)]
        if cookie.attributes.same_site:
            wanted.append(f"SameSite={cookie.attributes.same_site.capitalize()}")
        if wanted:
            yield f"{listed(wanted)} {'are' if len(wanted) > 1 else 'is'} put on where missing."
        if not cookie.renew:
            yield "A visit that brings it is never sent it again, so nothing extends it."
        if self._asked and cookie.kind is not Kind.POLL_TIMEOUT:
            yield "A page that a browser fetches ahead, before anybody went to it, stores none."

    def _withdrawal(self) -> Iterator[str]:
        cookie = self._cookie
        if not self._asked:
            yield "Nobody is asked about it, so there is nothing to withdraw."
            return
        if cookie.party == "third":
            yield "It belongs to another party's host: this server can neither see nor expire it."
            return
        whose = (
            f"the domain {cookie.domain}" if cookie.domain else "this host and each domain above"
        )
        if cookie.name.lower().startswith("__host-"):
            whose = "this host"
        apart = ", Partitioned" if cookie.attributes.partitioned else ""
        yield (
            f"A refusal of {listed(self._asked, 'or')} expires it in the same response: path "
            f"{cookie.path}, {whose}{apart}, and each variant the app was seen to set."
        )
        yield "Where it arrives later all the same, it is hidden from the app and expired again."


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)


def _purpose_facts(
    policy: Policy, item: DeclaredCookie | StoredItem, key: tuple[str, str]
) -> Iterator[Fact]:
    for name in item.purpose:
        yield Fact("purpose", name, (*key, "purpose"))
        yield from _basis_facts(policy, name)
    reason = item.justification
    if reason is not None:
        yield Fact("justification", reason.value, (*key, "justification"))
    if item.service is not None:
        provider = policy.services[item.service].provider
        yield Fact("service", f"{item.service} ({provider})", (*key, "service"))
    if item.since > 1:
        yield Fact("since", f"revision {item.since}", (*key, "since"))


def _basis_facts(policy: Policy, name: str) -> Iterator[Fact]:
    purpose, at = policy.purposes[name], ("purposes", name)
    if purpose.basis is not None:
        yield Fact("basis", purpose.basis.value, (*at, "basis"))
    else:
        text = f"{policy.basis_of(name).value}, from the mode '{policy.mode.value}'"
        yield Fact("basis", text, ("mode",))
    if policy.basis_of(name) is Basis.IMPLIED:
        yield Fact("takes-effect", policy.takes_effect.value, ("takes-effect",))
    if purpose.justification is not None:
        yield Fact("justification", purpose.justification.value, (*at, "justification"))
    if name in policy.optional_purposes:
        heard = sorted(signal.upper() for signal in purpose.honours)
        yield Fact("honours", listed(heard or ["no signal"]), (*at, "honours"))
    if purpose.since > 1:
        yield Fact("since", f"revision {purpose.since} (its purpose)", (*at, "since"))


_WHERE: Final = MappingProxyType(
    {
        Where.LOCAL: "localStorage",
        Where.SESSION: "sessionStorage",
        Where.INDEXED_DB: "IndexedDB",
    }
)


_NOT_SEEN: Final = (
    "No header shows what a script stores, so the server declares this and cannot enforce it: let "
    "the script run only where its purpose is allowed."
)


def _stored(policy: Policy, name: str, item: StoredItem) -> Explanation:
    """An item of web storage, judged as a cookie of its purposes would be."""
    # A cookie's name has no blank, so this one is nobody else's.
    alike = DeclaredCookie(
        kind=Kind.PERSISTENT, purpose=item.purpose, description="", since=item.since
    )
    cookies = {**policy.cookies, f"stored {item.name}": alike}
    values = {key: getattr(policy, key) for key in Policy.model_fields}
    judged = Policy(**{**values, "cookies": cookies})
    teller = _Teller(judged, name, judged.cookies[f"stored {item.name}"])
    key = ("storage", item.name)
    facts = [Fact("where", _WHERE[item.where], (*key, "where"))]
    facts += _purpose_facts(policy, item, key)
    if item.duration is not None:
        facts.append(Fact("duration", duration_in_words(item.duration), (*key, "duration")))
    is_exact = item.name == name
    return Explanation(
        name,
        "storage",
        item.name,
        "declared by this very name." if is_exact else f"covered by the pattern '{item.name}'.",
        key,
        facts=tuple(facts),
        columns={"store": "store", "read": "read"},
        rows=tuple(teller.rows({"store": STORE, "read": READ})),
        enforced=(_NOT_SEEN,),
    )


# What no declaration covers

_LEVELS: Final = MappingProxyType(
    {
        Undeclared.REPORT: "it is stored and read, and the log names it",
        Undeclared.BLOCK: "its Set-Cookie is left out; one that arrives all the same is read",
        Undeclared.HIDE: "its Set-Cookie is left out, and the app does not see one that arrives",
    }
)


def _undeclared(policy: Policy, name: str) -> Explanation:
    decisions = {
        key: decide(policy, None, (), occasion)
        for key, occasion in (("store", STORE), ("read", READ))
    }
    level = policy.undeclared
    return Explanation(
        name,
        "undeclared",
        None,
        f"not declared. With 'undeclared: {level.value}' {_LEVELS[level]}.",
        ("undeclared",),
        tuple(_hints(policy, name)),
        columns={"store": "store", "read": "read"},
        rows=tuple(
            StateRow(state.key, state.title, {}, decisions) for state in _states(policy, (), 1)
        ),
        withdrawal=("Nothing: consentkit expires only what the site has declared.",),
    )


def _hints(policy: Policy, name: str) -> Iterator[str]:
    declared = [*policy.cookies, *policy.storage]
    whole = without_chunk_suffix(name)
    alike = [each for each in declared if each.lower() == name.lower()]
    if whole in policy.cookies:
        yield f"It looks like a chunk of '{whole}': give that one 'chunked: true'."
    elif alike:
        yield f"'{alike[0]}' is declared: names of cookies tell capitals from small letters."
    elif near := get_close_matches(name, declared, n=3):
        yield f"Did you mean {listed([repr(each) for each in near], 'or')}?"
    known = catalogue.known_cookie(name) or catalogue.known_storage(name)
    if known is not None:
        yield from _known(known)


def _known(known: KnownCookie) -> Iterator[str]:
    services = catalogue.services()
    service = services.get(known.service or "")
    whose = f" of {service.title} ({service.provider})" if service else ""
    lasts = f", {known.duration}" if known.duration else ""
    shared = " Others use this name too, so it proves nothing." if known.shared else ""
    yield (
        f"The catalogue knows '{known.name}'{whose}: {known.description['en']} It suggests "
        f"purpose {known.purpose}, kind {known.kind}{lasts}.{shared}"
    )
