"""One visitor's answers, and the two tokens that carry them.

It has never heard of cookies: a token is a text that is signed and read back.

*Explicit answers* (granted, refused) and *automatic state* (the notice was shown, consent is
implied) are two tokens, so a slow page that was answered late can never overwrite a refusal. Both
are signed with HMAC-SHA256 (itsdangerous). A refusal holds no identifier and its time is cut to
the day, so the tokens of two visitors who refuse on one day are equal (LAW R-20).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final

from itsdangerous import BadData, URLSafeSerializer
from pydantic import BaseModel, ConfigDict, Field

from consentkit.rules.policy import DAY
from consentkit.rules.signals import NO_SIGNALS, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "CLOCK_SKEW",
    "NOBODY_YET",
    "Answer",
    "Consent",
    "Given",
    "Seen",
    "TokenFormat",
    "key_of_service",
    "latest",
]

CLOCK_SKEW: Final = 300
"""A token may come this many seconds from the future."""


_SERVICE: Final = "@"
"""What the key of a single service's grant begins with; no purpose's name does."""


def key_of_service(name: str) -> str:
    """The key in `Consent.given` of a grant for one service alone."""
    return f"{_SERVICE}{name}"


def is_of_service(key: str) -> bool:
    """True for a key in `Consent.given` that is a single service's, and no purpose's."""
    return key.startswith(_SERVICE)


class Answer(StrEnum):
    """What a visitor said to one purpose, in effect."""

    UNDECIDED = "undecided"
    IMPLIED = "implied"
    GRANTED = "granted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Given:
    """One explicit answer.

    `revision` is the policy's when it was given, `time` POSIX seconds (for a refusal the start of
    the day, UTC), `despite` the signals that were on and known when a grant was given.
    """

    granted: bool
    revision: int
    time: int
    despite: frozenset[Signal] = NO_SIGNALS


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened by itself: revisions of the notice that were shown, and are implied.

    `held` means that the next page is not a page the visitor went to (a redirect after a form),
    so it implies nothing. `time` is the start of a day, UTC, in POSIX seconds.
    """

    shown: int
    implied: int
    time: int
    held: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    """All of a visitor's answers. Each act returns a new value.

    `given` has each purpose's answer by its name, and grants of single services by
    `key_of_service`. `readable` is False where a token came that does not verify: somebody had
    answered, and what they said is lost.
    """

    given: Mapping[str, Given] = field(default_factory=lambda: MappingProxyType({}))
    seen: Seen | None = None
    readable: bool = True

    def grant(
        self, purposes: Iterable[str], revision: int, now: float, signals: frozenset[Signal]
    ) -> Consent:
        """The answers after a grant of `purposes` at `now` (POSIX seconds)."""
        given = Given(granted=True, revision=revision, time=int(now), despite=signals)
        return self._with(purposes, given)

    def refuse(self, purposes: Iterable[str], revision: int, now: float) -> Consent:
        """The answers after a refusal or withdrawal: the same from now on."""
        given = Given(granted=False, revision=revision, time=start_of_day(now))
        return self._with(purposes, given)

    def without(self, keys: Iterable[str]) -> Consent:
        """The answers as if these had never been given."""
        gone = {*keys}
        kept = {key: answer for key, answer in self.given.items() if key not in gone}
        return self if len(kept) == len(self.given) else replace(self, given=MappingProxyType(kept))

    def _with(self, purposes: Iterable[str], answer: Given) -> Consent:
        given = {**self.given, **dict.fromkeys(purposes, answer)}
        return Consent(MappingProxyType(given), self.seen)

    def show(self, revision: int, now: float, *, has_lapsed: bool = False) -> Consent:
        """The notice of this revision was put into a page; the next page may count.

        What is implied stays as old as it is, and is gone where it `has_lapsed`: being shown the
        notice is no act of the visitor, so it neither revives nor prolongs anything.
        """
        seen = self.seen
        if seen is None or has_lapsed or not seen.implied:
            return replace(self, seen=Seen(revision, 0, start_of_day(now)))
        return replace(self, seen=Seen(revision, seen.implied, seen.time))

    def hold(self) -> Consent:
        """The next page is a redirect after a form, so it is not one the visitor went to."""
        return replace(self, seen=replace(self.seen, held=True)) if self.seen else self

    def imply(self, now: float) -> Consent:
        """The visitor went on to another page after the notice was shown."""
        if self.seen is None:
            return self
        return replace(self, seen=Seen(self.seen.shown, self.seen.shown, start_of_day(now)))


def latest(answers: Iterable[Mapping[str, Given]]) -> Mapping[str, Given] | None:
    """The answers of several tokens as one: to each purpose the latest; None if there is none.

    Two tokens arrive where a site shares its token with another domain than before, or where a
    sub-domain tosses an old one in, and browsers send the older cookie first. A refusal knows its
    day alone, so on one day it outweighs a grant.
    """
    tokens = [*answers]
    if len(tokens) < 2:
        return tokens[0] if tokens else None
    newest: dict[str, Given] = {}
    for key, given in (each for token in tokens for each in token.items()):
        known = newest.get(key)
        if known is None or _weight(given) > _weight(known):
            newest[key] = given
    return MappingProxyType(
        {
            key: given
            for key, given in newest.items()
            if not (is_of_service(key) and any(_takes_away(each, key, given) for each in tokens))
        }
    )


def _takes_away(token: Mapping[str, Given], key: str, grant: Given) -> bool:
    """True if a token may be one in which a service's grant was taken away by a refusal.

    Which purposes a service has, a token does not say: any refusal since that day may be of them.
    """
    day = start_of_day(grant.time)
    return key not in token and any(
        not given.granted and given.time >= day for given in token.values()
    )


def _weight(given: Given) -> tuple[int, bool, int]:
    return start_of_day(given.time), not given.granted, given.time


NOBODY_YET: Final = Consent()
"""The consent of a visitor who has not answered."""


def start_of_day(now: float) -> int:
    """The start of the day, UTC, in POSIX seconds."""
    return int(now) // DAY * DAY


_Names = Annotated[list[str], Field(max_length=256)]


class _Group(BaseModel):
    """Answers given together, as they stand in a token. Keys are short: they travel a lot."""

    model_config = ConfigDict(extra="forbid", strict=True)

    r: Annotated[int, Field(ge=1)]
    t: Annotated[int, Field(ge=0)]
    g: _Names | None = None
    x: _Names | None = None
    s: list[str] | None = None


class _Explicit(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    a: Annotated[list[_Group], Field(max_length=256)]


class _Automatic(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    n: Annotated[int, Field(ge=1)]
    i: Annotated[int, Field(ge=0)]
    t: Annotated[int, Field(ge=0)]
    h: bool = False


class TokenFormat:
    """Signs and reads the two tokens of one site.

    `secret_keys` come oldest first: every one verifies, the last one signs. `name` keeps the
    tokens of two policies under one secret apart.
    """

    def __init__(self, secret_keys: Sequence[str | bytes], name: str) -> None:
        """Make the two signers; nothing is read or written yet."""
        self._explicit = _signer(secret_keys, f"consentkit.{name}")
        self._automatic = _signer(secret_keys, f"consentkit.{name}.seen")

    def sign_given(self, given: Mapping[str, Given]) -> str:
        """The token of the explicit answers; equal answers give equal tokens."""
        groups: dict[Given, list[str]] = {}
        for purpose, answer in sorted(given.items()):
            groups.setdefault(answer, []).append(purpose)
        ordered = sorted(groups.items(), key=lambda group: group[1])
        return _text(self._explicit.dumps({"a": [_group(*group) for group in ordered]}))

    def read_given(self, token: str, now: float) -> Mapping[str, Given] | None:
        """The explicit answers of a token, or None if it does not verify. Never raises."""
        try:
            groups = _Explicit.model_validate(self._explicit.loads(token)).a
        except (BadData, ValueError, RecursionError):  # pydantic's is a ValueError
            return None
        if any(group.t > now + CLOCK_SKEW for group in groups):
            return None
        return MappingProxyType(
            {purpose: answer for group in groups for purpose, answer in _answers_of(group)}
        )

    def sign_seen(self, seen: Seen) -> str:
        """The token of the automatic state."""
        state = {"n": seen.shown, "i": seen.implied, "t": seen.time}
        return _text(self._automatic.dumps({**state, "h": True} if seen.held else state))

    def read_seen(self, token: str, now: float) -> Seen | None:
        """The automatic state of a token, or None if it does not verify. Never raises."""
        try:
            state = _Automatic.model_validate(self._automatic.loads(token))
        except (BadData, ValueError, RecursionError):  # pydantic's is a ValueError
            return None
        if state.t > now + CLOCK_SKEW or state.i > state.n:
            return None
        return Seen(state.n, state.i, state.t, state.h)


def _signer(secret_keys: Sequence[str | bytes], salt: str) -> URLSafeSerializer:
    # The library's defaults are SHA-1 and a derivation older than HMAC: both are named here.
    return URLSafeSerializer(
        [key.encode() if isinstance(key, str) else key for key in secret_keys],
        salt=salt,
        serializer_kwargs={"separators": (",", ":"), "sort_keys": True},
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


def _text(token: str | bytes) -> str:
    return token if isinstance(token, str) else token.decode("ascii")


def _group(answer: Given, purposes: list[str]) -> dict[str, object]:
    group: dict[str, object] = {"r": answer.revision, "t": answer.time}
    group["g" if answer.granted else "x"] = purposes
    if answer.despite:
        group["s"] = sorted(answer.despite)
    return group


def _answers_of(group: _Group) -> Iterable[tuple[str, Given]]:
    despite = frozenset(signal for signal in Signal if signal in (group.s or ()))
    for purpose in group.g or ():
        yield purpose, Given(granted=True, revision=group.r, time=group.t, despite=despite)
    for purpose in group.x or ():
        yield purpose, Given(granted=False, revision=group.r, time=group.t)
