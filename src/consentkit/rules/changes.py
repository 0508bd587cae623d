"""Two policies -> what changed from one to the other, and who is asked about it.

It has never heard of files or of a single visitor: it compares two values.

A change *matters* where an answer to the old policy does not cover the new one (R-08): something
came, lives longer, goes to more people, or is asked for less. What matters must be marked, with
``since`` beside it and a raised ``revision``, and then visitors are asked about it again. What asks
for more or does less needs no mark. Whether new words mean something new, no program can tell: of
those that describe or that ask, its author is reminded. Where templates are kept is no change.

`_plan` finds the marks that are missing all at once, for one that is set can uncover another: a
revision that marked nothing asked about everything, and the first mark after it takes that back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from functools import cached_property
from math import inf
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from consentkit.rules.integrations import place_of_signal
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import (
    DAY,
    Basis,
    DeclaredCookie,
    Item,
    Kind,
    Policy,
    StoredItem,
    TakesEffect,
    Where,
)
from consentkit.rules.problems import Loc, Problem, listed, subject_of
from consentkit.rules.texts import asked_with

__all__ = ["Asks", "Change", "changes_between", "problems_against"]

_Value: TypeAlias = Any
"""What a key says, in a policy whose every field is compared."""


class Asks(StrEnum):
    """Whether visitors are asked about a change."""

    AGAIN = "again"
    """They will be."""
    UNMARKED = "unmarked"
    """They must be, and nothing in the new policy says so: it lacks a `since` and a `revision`."""
    NOTHING = "nothing"
    """Nobody needs to be."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was.

    `loc` is its place in the new policy (in the old one, if it is gone), `what` a sentence without
    a full stop, `purposes` those that visitors are, or must be, asked about.
    """

    loc: Loc
    what: str
    asks: Asks
    purposes: tuple[str, ...] = ()


def changes_between(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Everything that is not in `new` as it was in `old`; both are policies without fault.

    What was reworded asks nothing by itself. Empty for a policy and itself.
    """
    return tuple(_Comparison(old, new).changes())


def problems_against(old: Policy, new: Policy) -> list[Problem]:
    """What is missing in `new` for visitors to be asked about what changed since `old`.

    Each has its place in the new file and, as its cure, the numbers to write. Warnings are what
    was reworded and not marked, and a revision that was raised for nothing. Whoever follows every
    cure is told of nothing more.
    """
    comparison = _Comparison(old, new)
    return [*comparison.problems(), *comparison.doubts()]


# Since when


@dataclass(frozen=True)
class _Standing:
    """Since which revision each purpose and item of a policy stands as it does, by its place."""

    policy: Policy
    revision: int
    since: Mapping[Loc, int]

    @classmethod
    def of(cls, policy: Policy) -> _Standing:
        since: dict[Loc, int] = {
            ("purposes", name): purpose.since for name, purpose in policy.purposes.items()
        }
        since |= {(section, name): item.since for section, name, item in policy.items()}
        return cls(policy, policy.revision, since)

    @cached_property
    def marks_nothing(self) -> bool:
        """True if the revision was raised for everything: no mark has its number."""
        return self.revision not in self.since.values()

    def under(self, loc: Loc) -> tuple[str, ...]:
        """The optional purposes that what stands at `loc` hangs on."""
        if loc[0] == "purposes":
            names: tuple[str, ...] = (loc[1],)
        else:
            names = getattr(self.policy, loc[0])[loc[1]].purpose
        return tuple(name for name in names if name in self.policy.optional_purposes)

    def at(self, loc: Loc) -> int:
        """The lowest revision at which a grant covers it, as `Policy.questions` counts."""
        return min(
            (self.for_purpose(loc, name) for name in self.under(loc)),
            default=self.revision if self.marks_nothing else self.since[loc],
        )

    def for_purpose(self, loc: Loc, purpose: str) -> int:
        """The lowest revision at which a grant of one purpose covers it."""
        if self.marks_nothing:
            return self.revision
        return max(self.since[loc], self.since["purposes", purpose])

    def marked(self, marks: Mapping[Loc, int], revision: int = 0) -> _Standing:
        """The same with `since` written beside some of it, and perhaps a higher revision."""
        raised = max(self.revision, revision)
        return replace(self, revision=raised, since={**self.since, **marks})


# What differs


class _Weight(Enum):
    """What a difference means for visitors."""

    MATTERS = 1  # an old answer does not cover it
    ASKS = 2  # they are asked, without a mark
    WORDS = 3  # only its author knows
    LITTLE = 4


@dataclass(frozen=True, slots=True)
class _Difference:
    """One difference: its place, what it is, and the places where a `since` would mark it."""

    loc: Loc
    what: str
    weight: _Weight
    of: tuple[Loc, ...]
    purposes: tuple[str, ...] = ()
    who: str = ""
    """Who is asked where no mark asks everybody; everybody if it is empty."""

    @property
    def matters(self) -> bool:
        """True if it must be marked."""
        return self.weight is _Weight.MATTERS


def _differences(old: Policy, new: Policy) -> Iterator[_Difference]:
    yield from _of_policy(old, new)
    for name in new.purposes:
        yield from _of_purpose(old, new, name)
    for section, name, item in new.items():
        yield from _of_item(old, new, (section, name), item)
    for loc in _Standing.of(old).since:
        if loc[1] not in getattr(new, loc[0]):
            yield _Difference(loc, f"{subject_of(loc)} is gone", _Weight.LITTLE, ())


# What differs: the policy as a whole

_SECTIONS: Final = frozenset({"purposes", "cookies", "storage", "services"})
_TOLD_APART: Final = _SECTIONS | {"revision", "texts", "templates"}


def _of_policy(old: Policy, new: Policy) -> Iterator[_Difference]:
    weighed = [
        *_at_once(old, new),
        *_lost_answers(old, new),
        *_sooner(old, new),
        *_controller(old, new),
        *_wider_signals(old, new),
        *_asked_in_words(old, new),
        *_own_texts(old, new),
    ]
    yield from weighed
    known = {each.loc for each in weighed}
    for loc, was, now in _settings(old, new):
        if was != now and loc not in known:
            yield _Difference(loc, _difference(loc, was, now), _Weight.LITTLE, ())


def _settings(
    old: BaseModel, new: BaseModel, above: Loc = ()
) -> Iterator[tuple[Loc, _Value, _Value]]:
    for name, info in type(new).model_fields.items():
        was, now = getattr(old, name), getattr(new, name)
        loc = (*above, str(info.alias))
        if isinstance(now, BaseModel) and isinstance(was, BaseModel):
            yield from _settings(was, now, loc)
        elif name not in _TOLD_APART:
            yield loc, was, now


def _at_once(old: Policy, new: Policy) -> Iterator[_Difference]:
    """Who was to see the notice first, and is now taken to agree before it."""
    implied = [
        name
        for name in new.optional_purposes
        if name in old.purposes and new.basis_of(name) is Basis.IMPLIED
    ]
    if implied and TakesEffect.AT_ONCE is new.takes_effect is not old.takes_effect:
        what = "implied consent counts from the first page, and counted from the second"
        of = tuple(("purposes", name) for name in implied)
        yield _Difference(("takes-effect",), what, _Weight.MATTERS, of, tuple(implied))


def _lost_answers(old: Policy, new: Policy) -> Iterator[_Difference]:
    """A token by another name, or with another prefix, is one that nobody has yet."""
    for key, was, now in (
        ("name", old.token.name, new.token.name),
        ("domain", old.token.domain is None, new.token.domain is None),
    ):
        if was != now:
            what = f"the token's '{key}' differs, so every answer until now is lost"
            yield _Difference(("token", key), what, _Weight.ASKS, (), new.optional_purposes)


def _sooner(old: Policy, new: Policy) -> Iterator[_Difference]:
    if new.ask_again_after < old.ask_again_after:
        what = f"answers hold {_days(new.ask_again_after)}, and not {_days(old.ask_again_after)}"
        who = "who answered before that is asked"
        purposes = new.optional_purposes
        yield _Difference(("ask-again-after",), what, _Weight.ASKS, (), purposes, who)


def _controller(old: Policy, new: Policy) -> Iterator[_Difference]:
    """Consent is given to somebody (GDPR 4(7)); whether that is the same one, a name cannot say."""
    if old.site.controller != new.site.controller:
        what = f"the controller is {new.site.controller!r}, and was {old.site.controller!r}"
        of = tuple(("purposes", name) for name in new.optional_purposes)
        loc = ("site", "controller")
        yield _Difference(loc, what, _Weight.WORDS, of, new.optional_purposes)


def _wider_signals(old: Policy, new: Policy) -> Iterator[_Difference]:
    """A signal that was denied, or hung on more: an old answer was no answer to it.

    Who was told nothing until now went by defaults of its own, so nothing is wider for it.
    """
    before, told = _signals(old), {key for key, _ in old.integrations.used()}
    for loc, now in _signals(new).items():
        was = before.get(loc)
        if now and loc[1] in told and not (was and {*was} <= {*now}):
            of = tuple(("purposes", name) for name in now)
            what = f"'{'.'.join(loc)}' hangs on {listed(map(repr, now))}"
            what += f", and hung on {listed(map(repr, was))}" if was else ", and was denied"
            yield _Difference(loc, what, _Weight.MATTERS, of, now)


def _signals(policy: Policy) -> dict[Loc, tuple[str, ...]]:
    return {
        ("integrations", *place_of_signal(key, signal)): purposes
        for key, integration in policy.integrations.used()
        for signal, purposes in integration.purposes_of.items()
    }


def _asked_in_words(old: Policy, new: Policy) -> Iterator[_Difference]:
    """The banner's own question (R-08); the labels of its buttons ask nothing by themselves."""
    for key in ("title", "body"):
        was, now = getattr(old.banner, key), getattr(new.banner, key)
        if was != now:
            weight = _Weight.WORDS if None in (was, now) else _words(was, now)
            yield _reworded(("banner", key), weight, new.optional_purposes)


def _own_texts(old: Policy, new: Policy) -> Iterator[_Difference]:
    """A text that asks may ask something else now (R-08); one in a new language is translated."""
    known = {*old.languages} & {*new.languages}
    for tag in dict.fromkeys((*new.texts, *old.texts)):
        was, now = old.texts.get(tag, {}), new.texts.get(tag, {})
        for key in dict.fromkeys((*now, *was)):
            if was.get(key) != now.get(key):
                bases = asked_with(key) if tag in known else ()
                asked = [name for name in new.optional_purposes if new.basis_of(name) in bases]
                weight = _Weight.WORDS if asked else _Weight.LITTLE
                yield _reworded(("texts", tag, key), weight, tuple(asked))


def _reworded(loc: Loc, weight: _Weight, purposes: tuple[str, ...]) -> _Difference:
    of = tuple(("purposes", name) for name in purposes)
    return _Difference(loc, f"'{'.'.join(loc)}' is worded differently", weight, of, purposes)


# What differs: a purpose

_ASKING_LESS: Final = (Basis.CONSENT, Basis.IMPLIED, Basis.OPT_OUT, Basis.STRICTLY_NECESSARY)


def _of_purpose(old: Policy, new: Policy, name: str) -> Iterator[_Difference]:
    loc, was, now = ("purposes", name), old.purposes.get(name), new.purposes[name]
    optional = (name,) if name in new.optional_purposes else ()
    if was is None:
        weight = _Weight.MATTERS if optional else _Weight.LITTLE
        yield _Difference(loc, f"{subject_of(loc)} is new", weight, (loc,), optional)
        return
    yield from _basis(old, new, name)
    for key, weight in (
        ("honours", _Weight.MATTERS if was.honours - now.honours else _Weight.LITTLE),
        ("title", _words(was.title, now.title)),
        ("description", _words(was.description, now.description)),
        ("justification", _Weight.LITTLE),
    ):
        before, after = getattr(was, key), getattr(now, key)
        if before != after:
            said = _difference((*loc, key), before, after)
            heavy = weight if optional else _Weight.LITTLE
            yield _Difference((*loc, key), said, heavy, (loc,), optional)


def _basis(old: Policy, new: Policy, name: str) -> Iterator[_Difference]:
    loc, was, now = ("purposes", name), old.basis_of(name), new.basis_of(name)
    if was is not now:
        what = _difference((*loc, "basis"), was.value, now.value)
        optional = (name,) if name in new.optional_purposes else ()
        weight = _weight_of_basis(was, now)
        who = "who has only gone on is asked"
        yield _Difference((*loc, "basis"), what, weight, (loc,), optional, who)


def _weight_of_basis(was: Basis, now: Basis) -> _Weight:
    is_asked_for_less = _ASKING_LESS.index(now) > _ASKING_LESS.index(was)
    if is_asked_for_less or was is Basis.STRICTLY_NECESSARY:
        return _Weight.MATTERS
    # Who has only gone on has implied consent, and not given it.
    return _Weight.ASKS if was is Basis.IMPLIED else _Weight.LITTLE


# What differs: a cookie, a stored item, a service


def _of_item(old: Policy, new: Policy, loc: Loc, now: Item) -> Iterator[_Difference]:
    was = _counterpart(old, loc)
    optional = tuple(name for name in now.purpose if name in new.optional_purposes)
    if was is None:
        weight = _Weight.MATTERS if optional else _Weight.LITTLE
        yield _Difference(loc, f"{subject_of(loc)} is new", weight, (loc,), optional)
        return
    was_asked = any(name in old.optional_purposes for name in was.purpose)
    for key, before, after in _differing(_facts(was), _facts(now)):
        is_question = optional or (key == "purpose" and was_asked)
        weight = _JUDGES.get(key, _little)(before, after) if is_question else _Weight.LITTLE
        said = _difference((*loc, key), before, after)
        yield _Difference((*loc, key), said, weight, (loc,), optional)


def _differing(
    was: Mapping[str, _Value], now: Mapping[str, _Value]
) -> Iterator[tuple[str, _Value, _Value]]:
    for key, after in now.items():
        before = was[key]
        # What goes with the session has no duration: its `kind` or `where` says what differs.
        goes = key == "duration" and None in (before, after)
        if before != after and not goes:
            yield key, before, after


def _facts(item: Item) -> dict[str, _Value]:
    """What an item says of itself, by key; how long it lives where it does not end by itself."""
    facts = {
        field.replace("_", "-"): getattr(item, field)
        for field in type(item).model_fields
        if field not in ("since", "name")
    }
    if isinstance(item, DeclaredCookie | StoredItem):
        facts["duration"] = _lifetime(item)
    return facts


def _lifetime(item: DeclaredCookie | StoredItem) -> float | None:
    """How many seconds an item may stay, None if it goes with the session: as `decide` has it."""
    if isinstance(item, StoredItem):
        if item.where is Where.SESSION:
            return None
        return inf if item.duration is None else item.duration
    if item.kind is Kind.SESSION:
        return None
    # Only a vote's may be left out.
    return DAY if item.duration is None else item.duration


def _counterpart(old: Policy, loc: Loc) -> Item | None:
    """What was declared in an item's place: for an exact cookie name also by a pattern."""
    section, name = loc
    if section == "cookies" and NamePattern.parse(name).is_exact:
        return old.declaration_of(name)
    found: Item | None = getattr(old, section).get(name)
    return found


_Judge = Callable[[_Value, _Value], _Weight]


def _little(was: object, now: object) -> _Weight:  # noqa: ARG001  # a judge is told of both
    return _Weight.LITTLE


def _if(judge: Callable[[_Value, _Value], bool]) -> _Judge:
    return lambda was, now: _Weight.MATTERS if judge(was, now) else _Weight.LITTLE


def _words(was: object, now: object) -> _Weight:
    """What was only translated is not reworded."""
    before, after = _by_language(was), _by_language(now)
    same = all(before[tag] == after[tag] for tag in before.keys() & after.keys())
    return _Weight.LITTLE if same else _Weight.WORDS


def _by_language(text: _Value) -> dict[str, str]:
    """Words by language, and under no language those that a policy without languages would have."""
    return {"": text} if isinstance(text, str) else {"": next(iter(text.values())), **text}


def _people(was: _Value, now: _Value) -> _Weight:
    """More people, or more countries, that the data goes to."""
    if now is None:
        return _Weight.LITTLE
    if isinstance(was, tuple) and isinstance(now, tuple):
        return _Weight.LITTLE if set(now) <= set(was) else _Weight.MATTERS
    is_text = isinstance(was, str | dict) and isinstance(now, str | dict)
    return _words(was, now) if is_text else _Weight.MATTERS


def _lives_on(was: Kind, now: Kind) -> bool:
    return now is not Kind.SESSION or was is Kind.POLL_TIMEOUT


def _reaches_further(was: str | None, now: str | None) -> bool:
    """A cookie's domain: the host alone, or all that is below one."""
    return now is not None and (was is None or not _is_below(now, was))


def _loads_elsewhere(was: Collection[str], now: Collection[str]) -> bool:
    stars = [host.removeprefix("*.") for host in was if host.startswith("*.")]
    below = (host for host in now if host not in was)
    return any(not any(_is_below(host, star) for star in stars) for host in below)


def _is_below(host: str, star: str) -> bool:
    return host.lower().endswith(f".{star.lower()}")


def _plain_words(text: str) -> list[str]:
    return text.casefold().split()


_JUDGES: Final[Mapping[str, _Judge]] = {
    "purpose": _if(lambda was, now: set(was) != set(now)),
    "description": _words,
    "title": lambda was, now: _Weight.LITTLE if None in (was, now) else _words(was, now),
    "kind": _if(_lives_on),
    "duration": _if(lambda was, now: now > was),
    "renew": _if(lambda was, now: now and not was),
    "where": _if(lambda was, now: was is Where.SESSION),  # noqa: ARG005  # a judge is told of both
    "service": _if(lambda was, now: now is not None),  # noqa: ARG005  # as above
    "provider": _if(lambda was, now: _plain_words(was) != _plain_words(now)),
    "hosts": _if(_loads_elsewhere),
    "domain": _if(_reaches_further),
    "party": _if(lambda was, now: now == "third"),  # noqa: ARG005  # as above
    "recipients": _people,
    "transfer": _people,
}
"""For a key that differs: whether what it says now goes further. The others ask nobody."""


# Differences, in words


def _difference(loc: Loc, was: _Value, now: _Value) -> str:
    subject = f"{subject_of(loc)}: " if loc[0] in _SECTIONS else ""
    key = loc[-1] if subject else ".".join(loc)
    spell = _days if key in ("duration", "ask-again-after") else _said
    before, after = spell(was), spell(now)
    if key in ("title", "description"):
        return f"{subject}'{key}' is worded differently"
    if before == after:
        return f"{subject}'{key}' is not what it was"
    return f"{subject}'{key}' is {after}, and was {before}"


def _said(value: _Value) -> str:
    """A value as a file would have it, if that is short."""
    if value is None or isinstance(value, BaseModel):
        return "there" if value else "absent"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, frozenset):
        return _said(tuple(sorted(value)))
    if isinstance(value, str) and len(value) <= 40:
        return repr(str(value))
    return "another text" if isinstance(value, str | dict) else str(value)


def _days(seconds: float) -> str:
    if seconds == inf:
        return "without end"
    days, rest = divmod(int(seconds), DAY)
    return f"{int(seconds)} seconds" if rest else f"{days} day{'s' * (days != 1)}"


# What follows


class _Comparison:
    """Two policies, their differences, and the marks that would make the new one whole."""

    def __init__(self, old: Policy, new: Policy) -> None:
        self._old, self._new = _Standing.of(old), _Standing.of(new)
        self._differences = [*_differences(old, new)]
        needed = dict.fromkeys(loc for each in self._differences if each.matters for loc in each.of)
        self._whole = self._plan(needed)
        self._missing = {
            loc: since for loc, since in self._whole.since.items() if since != self._new.since[loc]
        }
        self._taken_back = [loc for loc in self._missing if loc not in needed]

    def _plan(self, needed: Collection[Loc]) -> _Standing:
        """The new policy as it would stand with every mark that is missing."""
        whole = self._new.marked({}, self._old.revision)
        while True:
            bare = [loc for loc in needed if whole.at(loc) <= self._old.revision]
            if bare:
                # A mark on a purpose marks all that is under it.
                bare = [loc for loc in bare if loc[0] == "purposes"] or bare
                revision = max(whole.revision, self._old.revision + 1)
                whole = whole.marked(dict.fromkeys(bare, revision), revision)
            elif lower := _lowered(self._old, whole):
                whole = whole.marked(lower)
            else:
                return whole

    # What changed

    def changes(self) -> Iterator[Change]:
        """The revision, each difference, and each mark that was set or is missing."""
        yield from self._of_revision()
        for each in self._differences:
            what = f"{each.what}{self._sequel(each)}"
            yield Change(each.loc, what, self._asks(each), each.purposes)
        yield from self._of_marks()
        for loc in self._taken_back:
            what, purposes = self._said_of_lowered(loc), self._new.under(loc)
            yield Change((*loc, "since"), what, Asks.UNMARKED, purposes)

    def _sequel(self, difference: _Difference) -> str:
        asks = self._asks(difference)
        if asks is Asks.AGAIN:
            is_everybody = not difference.who or (difference.of and self._is_marked(difference))
            return f"; {_asked(difference.purposes) if is_everybody else difference.who}"
        return "; no 'since' marks it" if asks is Asks.UNMARKED else ""

    def _asks(self, difference: _Difference) -> Asks:
        is_question = bool(difference.purposes)
        if difference.weight is _Weight.LITTLE:
            return Asks.NOTHING
        if difference.weight is _Weight.ASKS or self._is_marked(difference):
            return Asks.AGAIN if is_question else Asks.NOTHING
        return Asks.UNMARKED if difference.matters else Asks.NOTHING

    def _is_marked(self, difference: _Difference) -> bool:
        return all(self._new.at(loc) > self._old.revision for loc in difference.of)

    def _of_revision(self) -> Iterator[Change]:
        was, now = self._old.revision, self._new.revision
        everything = self._new.policy.optional_purposes
        what = f"the revision is {now}, and was {was}"
        if now < was:
            yield Change(("revision",), what, Asks.UNMARKED, everything)
        elif self._asks_everything and everything:
            yield Change(("revision",), f"{what}; {_asked(everything)}", Asks.AGAIN, everything)
        elif now == was and self._new.marks_nothing and not self._old.marks_nothing:
            # What it had marked is gone, so now it means everything to who answered before it.
            what = f"nothing is marked with revision {now} any more; who answered before it"
            asks = Asks.AGAIN if everything else Asks.NOTHING
            yield Change(("revision",), f"{what} is asked about everything", asks, everything)
        elif now > was:
            yield Change(("revision",), what, Asks.NOTHING)

    @property
    def _asks_everything(self) -> bool:
        return self._new.revision > self._old.revision and self._new.marks_nothing

    def _of_marks(self) -> Iterator[Change]:
        """What is marked and stands as it did: its author knows why."""
        told = {
            loc
            for each in self._differences
            if self._asks(each) is not Asks.NOTHING
            for loc in each.of
        }
        for loc, since in self._new.since.items():
            purposes = self._new.under(loc)
            if since > self._old.revision and purposes and loc not in told:
                what = f"{subject_of(loc)} is marked as changed; {_asked(purposes)}"
                yield Change((*loc, "since"), what, Asks.AGAIN, purposes)

    # What is missing

    def problems(self) -> Iterator[Problem]:
        """What must be asked about, and will not be."""
        if self._new.revision < self._old.revision:
            yield Problem(
                ("revision",),
                f"the revision is {self._new.revision}, and was {self._old.revision}",
                f"Write 'revision: {self._whole.revision}': answers carry its number, so it only "
                "rises.",
            )
        for each in self._differences:
            missing = [loc for loc in each.of if loc in self._missing]
            if missing and self._asks(each) is Asks.UNMARKED:
                what = f"{each.what}{self._sequel(each)}"
                yield Problem(
                    each.loc,
                    what,
                    f"Write {self._marks(each, missing)}, so that visitors are asked.",
                    at_key=True,
                )
        for loc in self._taken_back:
            cure = f"Write 'since: {self._missing[loc]}' under it, or the older grants count again."
            yield Problem((*loc, "since"), self._said_of_lowered(loc), cure, at_key=True)

    def _said_of_lowered(self, loc: Loc) -> str:
        asked, now = self._missing[loc], self._new.since[loc]
        return (
            f"{subject_of(loc)} stands since revision {now}, and visitors were asked about it at "
            f"revision {asked}"
        )

    def _marks(self, difference: _Difference, missing: Collection[Loc]) -> str:
        own = all(difference.loc[: len(loc)] == loc for loc in missing)
        where = "it" if own else listed(map(subject_of, missing))
        revision = max(self._whole.revision, self._old.revision + 1)
        raised = f" and 'revision: {revision}'" if revision != self._new.revision else ""
        return f"'since: {revision}' under {where}{raised}"

    def doubts(self) -> Iterator[Problem]:
        """What only the author of the new policy can judge."""
        for each in self._differences:
            is_words = each.weight is _Weight.WORDS and each.purposes
            if is_words and not self._is_marked(each):
                cure = f"If it means something else now, write {self._marks(each, each.of)}."
                yield Problem(each.loc, each.what, cure, at_key=True, is_warning=True)
        weights = {each.weight for each in self._differences}
        if self._asks_everything and weights <= {_Weight.LITTLE}:
            yield Problem(
                ("revision",),
                f"the revision is {self._new.revision}, and nothing new is to be asked about: "
                "everybody is asked about everything again",
                f"Write 'revision: {self._old.revision}', unless a text means something else now.",
                is_warning=True,
            )


def _lowered(old: _Standing, whole: _Standing) -> dict[Loc, int]:
    """What older grants would cover again, and since when it stood; purposes come first."""
    found: dict[Loc, int] = {}
    for loc in whole.since:
        both = [] if loc not in old.since else [*set(whole.under(loc)) & set(old.under(loc))]
        stood = {name: old.for_purpose(loc, name) for name in both}
        if both and (whole.at(loc) <= old.revision) and whole.since[loc] < old.since[loc]:
            found[loc] = max(old.since[loc], *stood.values())
        elif any(whole.for_purpose(loc, name) < then for name, then in stood.items()):
            found[loc] = max(stood.values())
    return {loc: since for loc, since in found.items() if loc[0] == "purposes"} or found


def _asked(purposes: Collection[str]) -> str:
    return "everybody is asked about " + listed(f"'{name}'" for name in purposes)
