"""What the rules look at, and what they say: the ground of a policy, and a problem in it.

It has never heard of any rule: `faults` and `lints` have them, and both stand on this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from consentkit.errors import did_you_mean
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import Basis

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from consentkit.rules.policy import Item, Policy, Text

__all__ = [
    "Ground",
    "Loc",
    "Problem",
    "Rule",
    "ground_of",
    "listed",
    "meant_by",
    "quoted",
    "repeated",
    "said_twice",
    "some_of",
    "subject_of",
]

Loc = tuple[str, ...]
"""A path of keys from the top of the policy, as in ``("cookies", "_ga", "purpose")``."""

LONGEST_QUOTED: Final = 60
"""Characters of a name or a value that a sentence repeats."""
MOST_NAMED: Final = 12
"""Names that a cure lists, of however many there are."""
MOST_COMPARED: Final = 64
"""Of more names than these nobody is asked which was meant: to compare takes longest."""

_SINGULAR: Final = {
    "purposes": "purpose",
    "cookies": "cookie",
    "storage": "stored item",
    "services": "service",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the key it stands at, what it is, what to do.

    `at_key` points to the key itself and not to its value. One that `is_warning` may hold.
    """

    loc: Loc
    what: str
    cure: str
    at_key: bool = False
    is_warning: bool = False


_NECESSARY: Final = frozenset({Basis.STRICTLY_NECESSARY})


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rules look at: the policy, and its names cut at their placeholders.

    `texts` are all that a visitor reads. `patterns` are those of its cookies, `stored` those of
    its storage, `refused` says why a name is none. `unread` are parts that could not be read, so
    that they are not in `policy`.
    """

    policy: Policy
    unread: Collection[Loc]
    texts: tuple[tuple[Loc, Text], ...]
    patterns: dict[str, NamePattern] = field(default_factory=dict)
    stored: dict[str, NamePattern] = field(default_factory=dict)
    refused: dict[Loc, str] = field(default_factory=dict)
    bases: dict[tuple[str, ...], frozenset[Basis]] = field(default_factory=dict)
    declared: dict[str, list[str]] = field(default_factory=dict)

    def bases_of(self, item: Item) -> frozenset[Basis]:
        """The bases an item's purposes have; none at all if one of them is not there."""
        names, policy = item.purpose, self.policy
        if names not in self.bases:
            known = all(name in policy.purposes for name in names)
            self.bases[names] = frozenset(map(policy.basis_of, names) if known else ())
        return self.bases[names]

    def is_necessary(self, item: Item) -> bool:
        """True if every purpose of an item is strictly necessary (R-28)."""
        return self.bases_of(item) == _NECESSARY


Rule: TypeAlias = "Callable[[Ground], Iterator[Problem]]"
"""A check of a whole policy."""


def _texts_of(policy: Policy) -> Iterator[tuple[Loc, Text]]:
    """Every text a visitor reads, by its place."""
    for section in ("purposes", "cookies", "storage", "services"):
        for name, item in getattr(policy, section).items():
            for key in _TEXT_KEYS[section]:
                text = getattr(item, key)
                if isinstance(text, str | dict):
                    yield (section, name, key), text
    for key in ("title", "body", "accept", "reject"):
        text = getattr(policy.banner, key)
        if text is not None:
            yield ("banner", key), text
    for tag, own in policy.texts.items():
        for key, words in own.items():
            yield ("texts", tag, key), words


_TEXT_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "purposes": ("title", "description"),
    "cookies": ("description", "recipients", "transfer"),
    "storage": ("description", "recipients", "transfer"),
    "services": ("title", "provider", "transfer"),
}


def ground_of(policy: Policy, unread: Collection[Loc] = ()) -> Ground:
    """What the rules look at, with each name that can be one cut at its placeholders."""
    ground = Ground(policy, frozenset(unread), tuple(_texts_of(policy)))
    for section, patterns in (("cookies", ground.patterns), ("storage", ground.stored)):
        for name in getattr(policy, section):
            try:
                patterns[name] = NamePattern.parse(name)
            except ValueError as error:
                ground.refused[section, name] = str(error)
    return ground


def listed(words: Iterable[str], last: str = "and") -> str:
    """``a, b and c``."""
    *rest, end = words
    return f"{', '.join(rest)} {last} {end}" if rest else end


def some_of(names: Collection[str], most: int = MOST_NAMED) -> str:
    """``a, b and 7 more``: at most `most` names, as one may print them."""
    shown = [name if name.isprintable() else repr(name) for name in islice(names, most)]
    rest = [f"{len(names) - most} more"] if len(names) > most else []
    return f"{', '.join(shown)} and {rest[0]}" if rest else ", ".join(shown)


def quoted(value: str) -> str:
    """A name or a value as a sentence may hold it: in quotes, cut, with nothing invisible in it."""
    return repr(value if len(value) <= LONGEST_QUOTED else f"{value[:LONGEST_QUOTED]}…")


def repeated(values: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """What a list says again, once each: the place, the word there, and the word before.

    >>> [*repeated(["en", "de", "EN", "en"])]
    [(2, 'EN', 'en')]
    """
    first: dict[str, str] = {}
    told: set[str] = set()
    for place, value in enumerate(values):
        word = value.lower()
        if word in first and word not in told:
            told.add(word)
            yield place, value, first[word]
        first.setdefault(word, value)


def said_twice(key: str, values: Iterable[str]) -> Iterator[Problem]:
    """A problem for each word that the list under `key` says again."""
    for place, value, before in repeated(values):
        said = f"{quoted(str(value))} twice"
        if value != before:
            said = f"{quoted(before)} and {quoted(value)}, which are the same"
        yield Problem((key, str(place)), f"'{key}' names {said}", "Take one of them away.")


def subject_of(loc: Loc) -> str:
    """What a place belongs to, in words: ``cookie '_ga'``, ``'site'``, ``the policy``."""
    if not loc:
        return "the policy"
    if loc[0] in _SINGULAR and len(loc) > 1:
        return f"{_SINGULAR[loc[0]]} {quoted(loc[1])}"
    return f"'{loc[0]}'"


def meant_by(word: str, names: Collection[str]) -> str:
    """`did_you_mean`, as long as there are not too many names to compare."""
    return did_you_mean(word, names) if len(names) <= MOST_COMPARED else ""
