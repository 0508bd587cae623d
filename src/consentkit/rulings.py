"""What becomes of one cookie under one set of answers: decided once, and remembered.

It has never heard of header lists: it is given a name and the attributes behind it.

A `Ruling` is what the rules say of a name; a `Passage` is what that makes of a Set-Cookie: left
out, let through byte for byte, or trimmed to what is declared. Visitors who answered the same
share their `Rulings`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.events import Asked, Event
from consentkit.rules.decision import READ, STORE, Decision, Occasion, Reason, decide, duration_of
from consentkit.wire.cookies import (
    Attributes,
    SameSite,
    add_attributes,
    drop_attributes,
    has_plain_lifetime,
    parse_attributes,
    set_cookie_tail,
)

if TYPE_CHECKING:
    from consentkit.rules.consent import Answer
    from consentkit.rules.policy import DeclaredCookie, Policy

__all__ = ["Passage", "Ruling", "Rulings", "TokenNames", "Variant", "text_of"]

_LIFETIME: Final = frozenset({b"max-age", b"expires"})
_SAME_SITE: Final = frozenset({b"samesite"})
_STRICTNESS: Final[dict[SameSite | None, int]] = {"none": 0, None: 1, "lax": 2, "strict": 3}
_SAME_SITE_TEXT: Final[dict[SameSite, bytes]] = {
    "none": b"SameSite=None",
    "lax": b"SameSite=Lax",
    "strict": b"SameSite=Strict",
}


class TokenNames(NamedTuple):
    """The names of the two tokens as they stand in cookies."""

    consent: bytes
    seen: bytes


class Variant(NamedTuple):
    """What besides the name makes a browser take two cookies for different ones."""

    path: bytes | None
    domain: bytes | None
    partitioned: bool


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
            return Ruling(None, Decision(allowed=False, reason=Reason.UNDECLARED))
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
    why = decision.reason.value
    if declared is None:
        act, passed = ("undeclared", tail) if decision.allowed else ("blocked", None)
        asked = _what_was_asked(attributes, now)
        return Passage(passed, Event(act, text_of(name), why, decision, asked))
    if not decision.allowed:
        return Passage(None, Event("blocked", text_of(name), why, decision))
    variant = Variant(attributes.path, attributes.domain, attributes.partitioned)
    trimmed = set_cookie_tail(_trim(b";" + tail, declared, attributes, now))
    event = None
    if trimmed != tail:
        why = _what_was_trimmed(tail, trimmed)
        event = Event("trimmed", text_of(name), why, decision)
    return Passage(trimmed, event, variant)


def _what_was_asked(attributes: Attributes, now: float) -> Asked:
    lifetime = attributes.lifetime(now)
    seconds = None if lifetime is None else max(round(lifetime), 0)
    return Asked(seconds, attributes.http_only)


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
