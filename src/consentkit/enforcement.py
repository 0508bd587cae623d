"""The keystone: what came in and what goes out, held to the policy.

It has never heard of messages or servers: header lists in, header lists out.

`Enforcement` is one policy made ready: its tokens, its decisions, and three bounded memories (of
Cookie headers, of decisions, of the variants of cookies the app set). A browser sends the same
Cookie header with every request, so the work done for it is remembered as a `Reading`; only the
time is checked again. `filter_headers` is the one function through which every header list
leaves, by whichever door.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from consentkit.memory import Memory
from consentkit.rules.consent import Answer, Consent, TokenFormat, latest
from consentkit.rules.decision import (
    READ,
    STORE,
    Decision,
    Occasion,
    Reason,
    decide,
    duration_of,
)
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import LONGEST, Basis, DeclaredCookie, Policy
from consentkit.rules.visitor import Standing
from consentkit.wire.cookies import (
    Attributes,
    SameSite,
    add_attributes,
    drop_attributes,
    has_plain_lifetime,
    is_printable_name,
    keep_pairs,
    parse_attributes,
    parse_cookie,
    print_removal,
    print_set_cookie,
    set_cookie_name,
    set_cookie_tail,
    split_set_cookie,
)
from consentkit.wire.headers import FOR_SHARED_CACHES, cache_directives, make_private, without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from consentkit.rules.signals import Signal
    from consentkit.wire.headers import HeaderList

__all__ = [
    "Enforcement",
    "Event",
    "EventLog",
    "Filtered",
    "Reading",
    "Rulings",
    "TokenNames",
    "Variant",
    "filter_headers",
]

V = TypeVar("V")

_SET_COOKIE: Final = len(b"set-cookie")
_LIFETIME: Final = frozenset({b"max-age", b"expires"})
_SAME_SITE: Final = frozenset({b"samesite"})
_SAYS_CACHING: Final = FOR_SHARED_CACHES | {b"cache-control"}
_LETS_CACHE: Final = _SAYS_CACHING | {b"expires"}
_CACHING: Final = frozenset(map(len, _LETS_CACHE))  # header names are told apart by length first
_STRICTNESS: Final[dict[SameSite | None, int]] = {"none": 0, None: 1, "lax": 2, "strict": 3}
_SAME_SITE_TEXT: Final[dict[SameSite, bytes]] = {
    "none": b"SameSite=None",
    "lax": b"SameSite=Lax",
    "strict": b"SameSite=Strict",
}

MOST_OCTETS: Final = 3072
"""Octets of removals in one response, so that a proxy's buffer of 4 KB holds its headers; what
still arrives is expired in the next, which begins where this one ended (TR-07)."""

MOST_TOLD: Final = 64
"""Names of one request that are told as hidden, or expired at once."""


class TokenNames(NamedTuple):
    """The names of the two tokens as they stand in cookies."""

    consent: bytes
    seen: bytes


class Variant(NamedTuple):
    """What besides the name makes a browser take two cookies for different ones."""

    path: bytes | None
    domain: bytes | None
    partitioned: bool


class Event(NamedTuple):
    """One thing enforcement did (in report mode: would have done) to one cookie.

    `act` is ``blocked``, ``trimmed``, ``hidden``, ``expired``, ``undeclared`` (seen and let be) or
    ``differs`` (set otherwise than declared); `name` the cookie's, never its value.
    """

    act: str
    name: str
    why: str
    decision: Decision | None = None


class Ruling(NamedTuple):
    """The declaration that covers a name, and what was decided."""

    declared: DeclaredCookie | None
    decision: Decision


class Passage(NamedTuple):
    """What becomes of a Set-Cookie: its attributes as they may go out, or None; and why.

    `tail` is what follows the first ``;``. `variant` is that of a declared cookie, to be
    observed the first time; its path is None where the cookie names none.
    """

    tail: bytes | None
    event: Event | None = None
    variant: Variant | None = None


def text_of(name: bytes) -> str:
    """A cookie's name as text: UTF-8 where it is, every other byte kept apart."""
    return name.decode("utf-8", "surrogateescape")


class Rulings:
    """Every decision under one set of answers, each made once and remembered."""

    MEMORY: Final = 2048
    LONGEST_REMEMBERED: Final = 512
    LONGEST_NAME: Final = 128

    def __init__(self, policy: Policy, answers: tuple[Answer, ...], tokens: TokenNames) -> None:
        """Nothing is decided before it is asked for."""
        self.policy = policy
        self.answers = answers
        self._tokens = tokens
        self._read: dict[bytes, bool] = dict.fromkeys(tokens, True)
        self.passages: dict[tuple[bytes, bytes], Passage] = {}
        """What became of a Set-Cookie of this name and tail before, on no special occasion."""

    def may_read(self, name: bytes) -> bool:
        """True if the app may see this cookie of the request."""
        try:
            return self._read[name]
        except KeyError:
            allowed = self.reading(name).decision.allowed
            if len(name) <= self.LONGEST_NAME:
                if len(self._read) >= self.MEMORY:
                    self._read = dict.fromkeys(self._tokens, True)
                self._read[name] = allowed
            return allowed

    def reading(self, name: bytes) -> Ruling:
        """What is decided about reading a cookie."""
        declared = self.policy.declaration_of(text_of(name))
        return Ruling(declared, decide(self.policy, declared, self.answers, READ))

    def storing(self, name: bytes, occasion: Occasion) -> Ruling:
        """What is decided about storing a cookie; nobody but consentkit sets its tokens."""
        if name in self._tokens:
            return Ruling(None, Decision(False, Reason.UNDECLARED))  # noqa: FBT003
        declared = self.policy.declaration_of(text_of(name))
        return Ruling(declared, decide(self.policy, declared, self.answers, occasion))

    def passage(
        self, name: bytes, tail: bytes, occasion: Occasion, arrived: frozenset[bytes], now: float
    ) -> Passage:
        """What becomes of a Set-Cookie with this name and tail.

        It is remembered where it depends on neither the time nor the occasion.
        """
        attributes = parse_attributes(tail)
        if attributes.is_removal(now) and has_plain_lifetime(tail):
            return Passage(tail)
        declared, decision = self.storing(name, occasion)
        if declared is not None and not declared.renew and name in arrived:
            occasion = replace(occasion, arrived=True)
            declared, decision = self.storing(name, occasion)
        passage = _passage(name, tail, Ruling(declared, decision), attributes, now)
        lasting = attributes.expires is None and (declared is None or declared.renew)
        if lasting and occasion is STORE and len(name) + len(tail) <= self.LONGEST_REMEMBERED:
            self._remember(name, tail, passage)
        return passage

    def _remember(self, name: bytes, tail: bytes, passage: Passage) -> None:
        if len(self.passages) >= self.MEMORY:
            self.passages.clear()
        whole = passage.variant is None or passage.variant.path is not None
        self.passages[name, tail] = passage._replace(variant=None) if whole else passage


def _passage(
    name: bytes, tail: bytes, ruling: Ruling, attributes: Attributes, now: float
) -> Passage:
    declared, decision = ruling
    if not decision.allowed:
        return Passage(None, Event("blocked", text_of(name), decision.reason.value, decision))
    if declared is None:
        return Passage(tail, Event("undeclared", text_of(name), decision.reason.value, decision))
    variant = Variant(attributes.path, attributes.domain, attributes.partitioned)
    trimmed = set_cookie_tail(_trim(b";" + tail, declared, attributes, now))
    event = None
    if trimmed != tail:
        why = _what_was_trimmed(tail, trimmed)
        event = Event("trimmed", text_of(name), why, decision)
    return Passage(trimmed, event, variant)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the Cookie headers and signals of a request come to.

    `lines` are the Cookie headers as the app may see them, None where nothing is taken away.
    `stale` are the names that arrived although they are declared and not allowed: to be expired.
    `awaits` is True if a deliberate page view would turn undecided into implied. `before` is the
    consent their tokens carry. `owes` is True if a response may have to carry a token or a removal
    whatever the app sends; it holds until `valid_until` (POSIX seconds).
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
            caches = caches or (len(name) in _CACHING and bytes(name).lower() in _LETS_CACHE)
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


def _trim(raw: bytes, declared: DeclaredCookie, attributes: Attributes, now: float) -> bytes:
    asked = attributes.lifetime(now)
    allowed = duration_of(declared, asked)
    is_plain = has_plain_lifetime(set_cookie_tail(raw))
    if allowed is None:
        if asked is not None or not is_plain:
            raw = drop_attributes(raw, _LIFETIME)
    elif asked is None or allowed < asked or not is_plain:
        raw = add_attributes(drop_attributes(raw, _LIFETIME), b"Max-Age=%d" % allowed)
    return _raise(raw, declared, attributes)


def _raise(raw: bytes, declared: DeclaredCookie, attributes: Attributes) -> bytes:
    wanted = declared.attributes
    missing = [
        text
        for text, want, there in (
            (b"Secure", wanted.secure, attributes.secure),
            (b"HttpOnly", wanted.http_only, attributes.http_only),
            (b"Partitioned", wanted.partitioned, attributes.partitioned),
        )
        if want and not there
    ]
    same_site = wanted.same_site
    if same_site and _STRICTNESS[same_site] > _STRICTNESS[attributes.same_site]:
        raw = drop_attributes(raw, _SAME_SITE)
        missing.append(_SAME_SITE_TEXT[same_site])
    elif same_site == "none" and attributes.same_site is None:
        missing.append(_SAME_SITE_TEXT[same_site])
    return add_attributes(raw, *missing) if missing else raw


def _what_was_trimmed(before: bytes, after: bytes) -> str:
    def names(tail: bytes) -> set[str]:
        return {_told(part.strip()) for part in tail.split(b";") if part.strip()}

    gone, come = names(before) - names(after), names(after) - names(before)
    changes = [f"-{name}" for name in sorted(gone)] + [f"+{name}" for name in sorted(come)]
    return ", ".join(changes)


def _told(attribute: bytes) -> str:
    # A date is another one each second, and would make each line a new one.
    name = attribute.partition(b"=")[0]
    shown = name if name.lower().strip() == b"expires" else attribute
    return ascii(shown.decode("latin-1"))[1:-1]


class EventLog:
    """Writes what enforcement did, one line for each kind of event in a minute.

    A line is a sentence, with the same facts under ``extra=`` for machines: the cookie's name,
    never its value. `on_event` is told of every event, folded or not.
    """

    SECONDS: Final = 60
    MEMORY: Final = 1024
    LONGEST: Final = 255

    def __init__(self, on_event: Callable[[Event], None] | None, *, report_only: bool) -> None:
        """`report_only` makes every line a warning that says what would have happened."""
        self._logger = logging.getLogger("consentkit.enforcement")
        self._on_event = on_event
        self._report_only = report_only
        self._last: dict[tuple[str, str, str], tuple[float, int]] = {}

    def write(self, events: Iterable[Event], path: str, now: float) -> None:
        """Log `events` of a request for `path` (without its query) at `now` (POSIX seconds)."""
        for event in events:
            if self._on_event is not None:
                self._on_event(event)
            folded = self._folded(event, now)
            if folded is not None:
                self._line(event, path, folded)

    def _folded(self, event: Event, now: float) -> int | None:
        key = (event.act, event.name[: self.LONGEST], event.why)
        last, count = self._last.get(key, (-self.SECONDS, 0))
        if now - last < self.SECONDS:
            self._last[key] = (last, count + 1)
            return None
        if len(self._last) >= self.MEMORY:
            self._last.clear()
        self._last[key] = (now, 0)
        return count

    def _line(self, event: Event, path: str, folded: int) -> None:
        would = "would be " if self._report_only else ""
        undeclared = event.decision is not None and event.decision.reason is Reason.UNDECLARED
        name = ascii(event.name[: self.LONGEST]) if event.name else "(a cookie without a name)"
        self._logger.log(
            logging.WARNING if self._report_only or undeclared else logging.INFO,
            "cookie %s %s%s: %s; path %s%s",
            name,
            would,
            event.act,
            event.why,
            ascii(path[: self.LONGEST]),
            f" (and {folded} more like it)" if folded else "",
            extra={
                "consentkit_act": event.act,
                "consentkit_cookie": event.name[: self.LONGEST],
                "consentkit_why": event.why,
                "consentkit_report_only": self._report_only,
            },
        )


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
    ) -> None:
        """Name the tokens; `secret_keys` oldest first, `clock` gives POSIX seconds."""
        self.policy = policy
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

    def read(self, lines: tuple[bytes, ...], signals: frozenset[Signal]) -> Reading:
        """What the Cookie header `lines` of a request and its signals come to, now."""
        key: object = lines
        if signals:
            signals &= self.honours
            key = (lines, signals)
        found = self._readings.get(key)
        if found is not None and found.valid_until > self.clock():
            return found
        now = self.clock()
        reading = self._read(self._consent_of(lines, now), lines, signals, now)
        size = sum(map(len, lines))
        if size <= self.LONGEST_REMEMBERED:
            self._readings.put(key, reading, size + 1024 + 256 * len(reading.arrived))
        return reading

    def imply(self, reading: Reading, lines: tuple[bytes, ...], now: float) -> Reading:
        """The same request read as that of a visitor who has just gone on to another page."""
        consent = reading.before.imply(now)
        signals = reading.standing.signals
        return replace(self._read(consent, lines, signals, now), before=reading.before)

    def _read(
        self,
        consent: Consent,
        lines: tuple[bytes, ...],
        signals: frozenset[Signal],
        now: float,
    ) -> Reading:
        standing = Standing(self.policy, consent, signals, now)
        rulings = self.rulings(standing)
        arrived = frozenset(name for line in lines for name, _ in parse_cookie(line))
        hidden = [name for name in sorted(arrived) if not rulings.may_read(name)]
        thinned = tuple(keep_pairs(line, rulings.may_read) for line in lines)
        same = all(new is old for new, old in zip(thinned, lines, strict=True))
        stale = tuple(name for name in hidden[:MOST_TOLD] if self._is_ours_to_expire(name))
        awaits = _awaits_going_on(standing)
        return Reading(
            standing,
            rulings,
            None if same else tuple(line for line in thinned if line),
            arrived,
            tuple(self._hidden(rulings, name) for name in hidden[:MOST_TOLD]),
            stale,
            awaits,
            consent,
            awaits or bool(stale),
            standing.valid_until,
        )

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
            return Consent()
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
            max_age=LONGEST,
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
    return seen is not None and any(
        policy.basis_of(purpose) is Basis.IMPLIED
        and purpose not in standing.consent.given
        and seen.shown >= _latest(policy, purpose)
        for purpose in standing.open_purposes
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


def default_path(path: str) -> bytes:
    """The path of a cookie that names none (RFC 6265bis §5.1.4)."""
    directory = path.rpartition("/")[0]
    return directory.encode("utf-8", "surrogateescape") if directory.startswith("/") else b"/"


def paths_above(path: bytes) -> list[bytes]:
    """The paths of cookies that come with a request for `path`, itself last (§5.1.4); few enough.

    >>> paths_above(b"/news/today")
    [b'/', b'/news', b'/news/today']
    """
    folders = [path[:at] or b"/" for at, octet in enumerate(path) if octet == ord("/")]
    return [*folders[:4], path]


def parent_domains(host: bytes) -> list[bytes]:
    """The host's name and those above it of two labels or more, at most eight; not an address."""
    name = host.rpartition(b":")[0] if host.rpartition(b":")[2].isdigit() else host
    try:
        ip_address(name.decode("ascii").strip("[]"))
    except ValueError:
        labels = name.lower().split(b".")
        return [b".".join(labels[start:]) for start in range(len(labels) - 1)][-8:]
    return []


def is_set_cookie(name: bytes) -> bool:
    """True for the header name Set-Cookie, in any case, as bytes or bytes-like."""
    return len(name) == len(b"set-cookie") and bytes(name).lower() == b"set-cookie"


def keep_out_of_shared_caches(headers: HeaderList, *more: bytes) -> HeaderList:
    """The headers with a Cache-Control that is private, and has `more` directives (R-88)."""
    there = b", ".join(_cache_control(headers))
    if b"no-store" in cache_directives(there):
        kept = without(headers, FOR_SHARED_CACHES)
        return headers if len(kept) == len(headers) else kept
    kept = without(headers, _SAYS_CACHING)
    return [*kept, (b"cache-control", make_private(there, *more))]


def kept_out_where_cacheable(headers: HeaderList) -> HeaderList:
    """The same headers, private if they leave the response to shared caches (R-88)."""
    says = any(bytes(name).lower() in _LETS_CACHE for name, _ in headers)
    return keep_out_of_shared_caches(headers) if says and not is_private(headers) else headers


def is_private(headers: HeaderList) -> bool:
    """True if no shared cache keeps this response."""
    if any(bytes(name).lower() in FOR_SHARED_CACHES for name, _ in headers):
        return False
    there = cache_directives(b", ".join(_cache_control(headers)))
    return there.get(b"private") == b"" or b"no-store" in there


def _cache_control(headers: HeaderList) -> list[bytes]:
    return [bytes(value) for name, value in headers if bytes(name).lower() == b"cache-control"]


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
