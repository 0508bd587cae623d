"""The keystone: what came in and what goes out, held to the policy.

It has never heard of messages or servers: header lists in, header lists out.

`Enforcement` is one policy made ready: its tokens, its decisions, and three bounded memories (of
Cookie headers, of decisions, of the variants of cookies the app set). A browser sends the same
Cookie header with every request, so the work done for it is remembered as a `Reading`; only the
time is checked again. `filter_headers` is the one function through which every header list
leaves, by whichever door.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate, islice, takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from consentkit.events import Event
from consentkit.memory import Memory
from consentkit.rules.consent import CLOCK_SKEW, NOBODY_YET, Answer, Consent, TokenFormat, latest
from consentkit.rules.decision import STORE, Occasion
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import Basis, DeclaredCookie, Policy
from consentkit.rules.visitor import Standing
from consentkit.rulings import Rulings, TokenNames, Variant, text_of
from consentkit.wire.cookies import (
    default_path,
    is_printable_name,
    keep_pairs,
    parent_domains,
    parse_cookie,
    paths_above,
    print_removal,
    print_set_cookie,
    set_cookie_name,
    split_set_cookie,
)
from consentkit.wire.headers import is_set_cookie, kept_out_where_cacheable, says_caching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from consentkit.rules.signals import Signal
    from consentkit.wire.headers import HeaderList

__all__ = [
    "Enforcement",
    "Filtered",
    "Reading",
    "filter_headers",
    "is_strictly_necessary",
    "only_strictly_necessary",
]

V = TypeVar("V")

_SET_COOKIE: Final = len(b"set-cookie")

MOST_OCTETS: Final = 3072
"""Octets of removals in one response, so that a proxy's buffer of 4 KB holds its headers; what
still arrives is expired in the next, which begins where this one ended (TR-07)."""

MOST_TOLD: Final = 64
"""Names of one request that are told as hidden, or expired at once."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the Cookie headers and signals of a request come to.

    `lines` are the Cookie headers as the app may see them, None where nothing is taken away.
    `stale` are the names that arrived although they are declared and not allowed: to be expired.
    `awaits` is True if a deliberate page view would turn undecided into implied. `before` is the
    consent their tokens carry. `owes` is True if a response may have to carry a token or a removal
    whatever the app sends; it holds until `valid_until` (POSIX seconds). `undeclared` are names
    that arrived and nobody declared, where somebody is told of them.
    """

    standing: Standing
    rulings: Rulings
    lines: tuple[bytes, ...] | None
    arrived: frozenset[bytes]
    hidden: tuple[Event, ...]
    stale: tuple[bytes, ...]
    awaits: bool
    before: Consent
    owes: bool
    valid_until: float
    undeclared: tuple[str, ...] = ()


class Filtered(NamedTuple):
    """A header list after enforcement, what was done to it, and what is to be observed."""

    headers: HeaderList
    events: Sequence[Event]
    stored: Sequence[tuple[bytes, Variant]] = ()


def filter_headers(
    headers: HeaderList, rulings: Rulings, occasion: Occasion, arrived: frozenset[bytes], now: float
) -> Filtered:
    """Hold the Set-Cookie headers of a response to the policy.

    A removal passes; what is allowed passes byte for byte, or trimmed to what is declared; the
    rest is left out. `occasion` tells the circumstances, `arrived` the names the request
    brought, `now` is in POSIX seconds. Every other header passes in its place.
    """
    events: list[Event] = []
    stored: list[tuple[bytes, Variant]] = []
    kept: HeaderList | None = None  # made when the first header changes
    caches = carries = False
    remembered = rulings.passages if occasion is STORE else {}
    for place, header in enumerate(headers):
        name, value = header
        if len(name) != _SET_COOKIE or not (name == b"set-cookie" or is_set_cookie(name)):
            caches = caches or says_caching(name)
            if kept is not None:
                kept.append(header)
            continue
        raw = value if type(value) is bytes else bytes(value)
        cookie, tail = split_set_cookie(raw)
        passed, event, variant = remembered.get((cookie, tail)) or rulings.passage(
            cookie, tail, occasion, arrived, now
        )
        if event is not None:
            events.append(event)
        if variant is not None:
            stored.append((cookie, variant))
        if passed != tail and kept is None:
            kept = headers[:place]
        if passed is not None:
            carries = True
            if kept is not None:
                kept.append(header if passed == tail else _with_tail(raw, passed))
    kept = headers if kept is None else kept
    if caches and carries:
        kept = kept_out_where_cacheable(kept)
    return Filtered(kept, events, stored)


def _with_tail(raw: bytes, tail: bytes) -> tuple[bytes, bytes]:
    pair = raw.partition(b";")[0]
    return b"set-cookie", b"%b;%b" % (pair, tail) if tail else pair


class Enforcement:
    """One policy made ready for requests."""

    LONGEST_REMEMBERED: Final = 2048
    MOST_VARIANTS: Final = 8
    MOST_NAMES: Final = 1024

    def __init__(
        self,
        policy: Policy,
        secret_keys: Sequence[str | bytes],
        *,
        secure: bool,
        clock: Callable[[], float],
        tells_undeclared: bool = False,
    ) -> None:
        """Name the tokens; `secret_keys` oldest first, `clock` gives POSIX seconds."""
        self.policy = policy
        self._tells_undeclared = tells_undeclared
        self.secure = secure
        self.clock = clock
        self.tokens = _token_names(policy, secure=secure)
        self.format = TokenFormat(secret_keys, policy.token.name)
        self.honours = frozenset().union(
            *(policy.purposes[name].honours for name in policy.optional_purposes)
        )
        self._readings: Memory[object, Reading] = Memory(1024, 2 << 20)
        self._verified: Memory[tuple[object, bytes], Any] = Memory(1024, 1 << 20)
        self._rulings: Memory[tuple[Answer, ...], Rulings] = Memory(128, 1 << 20)
        self._observed: dict[bytes, set[Variant]] = {}
        self._turn = 0

    # what came in

    def read(
        self,
        lines: tuple[bytes, ...],
        signals: frozenset[Signal],
        *,
        for_children: bool = False,
    ) -> Reading:
        """What the Cookie header `lines` of a request and its signals come to, now.

        `for_children` is true for a page on which nothing optional may be (LAW R-11).
        """
        key: object = lines
        if signals or for_children:
            signals &= self.honours
            key = (lines, signals, for_children)
        found = self._readings.get(key)
        if found is not None and found.valid_until > self.clock():
            return found
        now = self.clock()
        consent = self._consent_of(lines, now)
        standing = Standing(self.policy, consent, signals, now, for_children=for_children)
        reading = self._read(standing, lines)
        if not self._all_verified(reading):
            # A token of a clock that is ahead of ours verifies a little later.
            until = min(reading.valid_until, now + CLOCK_SKEW)
            reading = replace(reading, valid_until=until)
        size = sum(map(len, lines))
        if size <= self.LONGEST_REMEMBERED:
            self._readings.put(key, reading, size + 1024 + 256 * len(reading.arrived))
        return reading

    def _all_verified(self, reading: Reading) -> bool:
        consent = reading.before
        return consent.readable and (
            consent.seen is not None or self.tokens.seen not in reading.arrived
        )

    def imply(self, reading: Reading, lines: tuple[bytes, ...], now: float) -> Reading:
        """The same request read as that of a visitor who has just gone on to another page."""
        consent = reading.before.imply(now)
        standing = Standing(self.policy, consent, reading.standing.signals, now)
        return replace(self._read(standing, lines), before=reading.before)

    def _read(self, standing: Standing, lines: tuple[bytes, ...]) -> Reading:
        rulings = self.rulings(standing)
        arrived = frozenset(name for line in lines for name, _ in parse_cookie(line))
        hidden = [name for name in sorted(arrived) if not rulings.may_read(name)]
        thinned = tuple(keep_pairs(line, rulings.may_read) for line in lines)
        same = all(new is old for new, old in zip(thinned, lines, strict=True))
        # What was granted for other pages is hidden from one for children, and stays theirs.
        may_keep = self.rulings(standing.elsewhere).may_read
        stale = tuple(
            name
            for name in hidden[:MOST_TOLD]
            if not may_keep(name) and self._is_ours_to_expire(name)
        )
        awaits = _awaits_going_on(standing.elsewhere)
        return Reading(
            standing,
            rulings,
            None if same else tuple(line for line in thinned if line),
            arrived,
            tuple(self._hidden(rulings, name) for name in hidden[:MOST_TOLD]),
            stale,
            awaits,
            standing.consent,
            awaits or bool(stale),
            standing.valid_until,
            self._undeclared(arrived) if self._tells_undeclared else (),
        )

    def _undeclared(self, arrived: frozenset[bytes]) -> tuple[str, ...]:
        names = (text_of(name) for name in sorted(arrived) if name not in self.tokens)
        strange = (name for name in names if self.policy.declaration_of(name) is None)
        return tuple(islice(strange, MOST_TOLD))

    def rulings(self, standing: Standing) -> Rulings:
        """The decisions under a visitor's answers, shared by all who answered the same."""
        found = self._rulings.get(standing.answers)
        if found is None:
            found = Rulings(self.policy, standing.answers, self.tokens)
            self._rulings.put(standing.answers, found, 0)
        return found

    def _hidden(self, rulings: Rulings, name: bytes) -> Event:
        decision = rulings.reading(name).decision
        return Event("hidden", text_of(name), decision.reason.value, decision)

    def _is_ours_to_expire(self, name: bytes) -> bool:
        declared = self.policy.declaration_of(text_of(name))
        return declared is not None and declared.party == "first"

    def _consent_of(self, lines: tuple[bytes, ...], now: float) -> Consent:
        pairs = [pair for line in lines for pair in parse_cookie(line)]
        explicit = tuple(value for name, value in pairs if name == self.tokens.consent)
        automatic = tuple(value for name, value in pairs if name == self.tokens.seen)
        if not explicit and not automatic:
            return NOBODY_YET
        given = latest(self._verified_of(explicit, self.format.read_given, now))
        seen = next(self._verified_of(automatic, self.format.read_seen, now), None)
        readable = given is not None or not explicit
        return Consent(given or {}, seen, readable)

    def _verified_of(
        self, values: tuple[bytes, ...], read: Callable[[str, float], V | None], now: float
    ) -> Iterator[V]:
        """What the values that verify say; the same name twice is tried four times."""
        for value in values[:4]:
            key = (read, value)
            found = self._verified.get(key) or read(value.decode("latin-1"), now)
            if found is not None:
                self._verified.put(key, found, len(value) + 512)
                yield found

    # what goes out

    def token_headers(self, before: Consent, after: Consent) -> list[bytes]:
        """The Set-Cookie values that carry what changed between two consents."""
        values: list[bytes] = []
        if after.given != before.given:
            values.append(self._token(self.tokens.consent, self.format.sign_given(after.given)))
        if after.seen != before.seen and after.seen is not None:
            values.append(self._token(self.tokens.seen, self.format.sign_seen(after.seen)))
        return values

    def _token(self, name: bytes, value: str) -> bytes:
        options = self.policy.token
        return print_set_cookie(
            name,
            value.encode("ascii"),
            domain=options.domain.encode("ascii") if options.domain else None,
            max_age=self.policy.longest,
            secure=self.secure,
            http_only=True,
            same_site=options.same_site,
        )

    def observe(self, stored: Iterable[tuple[bytes, Variant]], path: str) -> list[Event]:
        """Remember the variants of declared cookies that leave; an event for each that differs.

        `path` is the request's, percent-encoded as the browser knows it, for cookies that name
        none (RFC 6265bis §5.1.4).
        """
        events: list[Event] = []
        for name, variant in stored:
            known = self._observed.get(name)
            if known is None or variant not in known:
                events += self._observe(name, variant, path)
        return events

    def _observe(self, name: bytes, variant: Variant, path: str) -> list[Event]:
        declared = self.policy.declaration_of(text_of(name))
        if declared is None or declared.party != "first":
            return []
        if name not in self._observed and len(self._observed) >= self.MOST_NAMES:
            self._forget()
        variants = self._observed.setdefault(name, set())
        if len(variants) < self.MOST_VARIANTS:
            variants.add(variant)
        whole = variant if variant.path else variant._replace(path=default_path(path))
        return _differences(name, whole, declared)

    def _forget(self) -> None:
        # What rulings remember of a cookie was observed before, so they are forgotten together.
        self._observed.clear()
        self._rulings.clear()
        self._readings.clear()

    def withdrawn(self, before: Rulings, after: Rulings, arrived: frozenset[bytes]) -> list[bytes]:
        """Names that were allowed and are refused now, plus those that arrived and are not allowed.

        Exact names count whether they arrived or not: one set for another path does not arrive.
        """
        exact = (name.encode() for name in self.policy.cookies if NamePattern.parse(name).is_exact)
        candidates = dict.fromkeys((*sorted(arrived), *exact, *self._observed))
        return [
            name
            for name in candidates
            if not after.may_read(name)
            and self._is_ours_to_expire(name)
            and (name in arrived or before.may_read(name))
        ]

    def removals(
        self, names: Iterable[bytes], host: bytes, came_to: bytes | None = None
    ) -> Filtered:
        """Removals of every variant of `names`, as `(b"set-cookie", …)` headers, and the events.

        A browser deletes a cookie only if name, domain, path and partition match, so each is sent
        for its declared variant, those the app was seen to set, and, where no domain is declared,
        each parent domain of `host`: a browser ignores the ones that are not its own. Names that
        came with a request for the path `came_to` may be of each path above it, and Partitioned or
        not: a script that names no path stores for its page's folder, and no server hears of it.
        """
        sent = self._in_turn(tuple(self._removals_of(names, host, came_to)))
        expired = dict.fromkeys(name for name, _ in sent)
        return Filtered(
            [(b"set-cookie", value) for _, value in sent],
            [Event("expired", text_of(name), "declared and not allowed") for name in expired],
        )

    def _removals_of(
        self, names: Iterable[bytes], host: bytes, came_to: bytes | None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Each name with each of its removals, the likeliest of every name first."""
        by_name: list[tuple[bytes, list[bytes]]] = []
        for name in names:
            declared = self.policy.declaration_of(text_of(name))
            if declared is not None and is_printable_name(name):
                variants = self._variants(name, declared, host, came_to)
                values = filter(None, (self._removal(name, declared, each) for each in variants))
                by_name.append((name, [*dict.fromkeys(values)]))
        yield from ((name, value) for name, values in by_name for value in values[:1])
        yield from ((name, value) for name, values in by_name for value in values[1:])

    def _in_turn(self, removals: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
        """As many removals as a response may carry; the next response goes on after them."""
        if sum(len(value) for _, value in removals) <= MOST_OCTETS:
            return list(removals)
        start = self._turn % len(removals)
        ordered = [*removals[start:], *removals[:start]]
        octets = accumulate(len(value) for _, value in ordered)
        count = sum(1 for _ in takewhile(lambda total: total <= MOST_OCTETS, octets))
        self._turn = start + count
        return ordered[:count]

    def _variants(
        self, name: bytes, declared: DeclaredCookie, host: bytes, came_to: bytes | None
    ) -> list[Variant]:
        path = declared.path.encode()
        partitioned = declared.attributes.partitioned
        domains: list[bytes | None] = [declared.domain.encode() if declared.domain else None]
        if declared.domain is None and not name.lower().startswith(b"__host-"):
            domains += parent_domains(host)
        variants = [Variant(path, domain, partitioned) for domain in domains]
        # A path that is the page's, and not the app's own word, may be another visitor's secret.
        seen = (each for each in self._observed.get(name, ()) if each.path)
        variants += sorted(seen, key=repr)
        if came_to is not None:
            variants += [Variant(path, domain, not partitioned) for domain in domains]
            above = paths_above(came_to)
            variants += [Variant(each, domain, partitioned) for each in above for domain in domains]
        return [*dict.fromkeys(variants)]

    def _removal(self, name: bytes, declared: DeclaredCookie, variant: Variant) -> bytes | None:
        """The removal of one variant; None where no browser could read it as one."""
        prefixed = name.lower().startswith((b"__host-", b"__http-", b"__secure-"))
        anywhere = variant.partitioned or declared.attributes.same_site == "none"
        try:
            return print_removal(
                name,
                path=variant.path or b"/",
                domain=variant.domain,
                secure=self.secure or prefixed or anywhere,
                http_only=name.lower().startswith((b"__http-", b"__host-http-")),
                same_site="none" if anywhere else None,
                partitioned=variant.partitioned,
            )
        except ValueError:  # a Host or a path that a client made up
            return None


def _token_names(policy: Policy, *, secure: bool) -> TokenNames:
    prefix = "" if not secure else "__Secure-" if policy.token.domain else "__Host-"
    name = f"{prefix}{policy.token.name}"
    return TokenNames(name.encode("ascii"), f"{name}-seen".encode("ascii"))


def _awaits_going_on(standing: Standing) -> bool:
    """True if the notice was shown and an implied purpose is still undecided."""
    seen, policy = standing.consent.seen, standing.policy
    if seen is None or _is_a_signal_heard(standing):
        return False
    return any(
        policy.basis_of(purpose) is Basis.IMPLIED
        and purpose not in standing.consent.given
        and seen.shown >= _latest(policy, purpose)
        for purpose in standing.open_purposes
    )


def _is_a_signal_heard(standing: Standing) -> bool:
    """True if a signal answers for an implied purpose: going on is no yes to that one."""
    policy = standing.policy
    return any(
        policy.basis_of(purpose) is Basis.IMPLIED
        and standing.signals & policy.purposes[purpose].honours
        for purpose in policy.optional_purposes
    )


def _latest(policy: Policy, purpose: str) -> int:
    return max(question.since for question in policy.questions if question.purpose == purpose)


def _differences(name: bytes, variant: Variant, declared: DeclaredCookie) -> list[Event]:
    domain = declared.domain.encode() if declared.domain else None
    told = [
        f"its {what} is {_shown(there)}, declared is {_shown(wanted)}"
        for what, there, wanted in (
            ("path", variant.path, declared.path.encode()),
            ("domain", variant.domain, domain),
        )
        if there != wanted
    ]
    return [Event("differs", text_of(name), "; ".join(told))] if told else []


def _shown(value: bytes | None) -> str:
    return "the host alone" if value is None else ascii(value.decode("latin-1"))


def only_strictly_necessary(headers: HeaderList, policy: Policy) -> HeaderList:
    """What goes out when consentkit itself fails: cookies of exact, strictly necessary names."""
    return [
        (name, value)
        for name, value in headers
        if not is_set_cookie(name) or is_strictly_necessary(set_cookie_name(bytes(value)), policy)
    ]


def is_strictly_necessary(name: bytes, policy: Policy) -> bool:
    """True for the exact name of a cookie all of whose purposes are strictly necessary."""
    declared = policy.cookies.get(text_of(name))
    return declared is not None and all(
        policy.basis_of(purpose) is Basis.STRICTLY_NECESSARY for purpose in declared.purpose
    )
