"""Every error and warning of consentkit, on one page.

It has never heard of cookies, HTTP or YAML; it only carries what others found.

::

    ConsentKitError
    ├── PolicyError (ValueError)        the policy says something that cannot hold
    ├── OptionError (ValueError)        an option of the middleware cannot work
    ├── TemplateError (ValueError)      a template of the site's own cannot stand
    ├── UnknownPurposeError (LookupError)   the app named a purpose the policy does not have
    ├── UnknownServiceError (LookupError)   the app named a service the policy does not have
    ├── NoVisitorError (LookupError)    no ConsentMiddleware stands around this request
    ├── NoSuchVisitorError (ValueError) a test asked for a visitor whom this site cannot have
    └── ScanError (RuntimeError)        a site cannot be scanned as it was asked for

    ConsentKitWarning (UserWarning)     something works, but not as it looks
    ├── LateAnswerWarning               an answer changed after the response had begun
    └── UncoveredLayerWarning           a layer outside may set cookies nobody checks

Each message says *where — what — what to do*, and each error carries its evidence as attributes,
also after it was copied or pickled.
"""

from __future__ import annotations

import copyreg
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from heapq import nlargest
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ConsentKitError",
    "ConsentKitWarning",
    "Fault",
    "LateAnswerWarning",
    "NoSuchVisitorError",
    "NoVisitorError",
    "OptionError",
    "PolicyError",
    "ScanError",
    "TemplateError",
    "UncoveredLayerWarning",
    "UnknownPurposeError",
    "UnknownServiceError",
    "did_you_mean",
]


LONGEST_MEANT: Final = 80
"""Characters of a word that may be a slip for another."""
MOST_KNOWN: Final = 256
"""Known words among which a near one is looked for; among more, one in other letter cases."""
MOST_COMPARED: Final = 16
"""Known words that one is compared with, sign by sign: those that share most letters with it."""
MOST_TOLD: Final = 100
"""Faults that a PolicyError tells of in its text."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'analytics'?`` for a near miss, else the empty string.

    It takes no longer for many known words than for a few hundred.
    """
    every = tuple(known)
    if len(word) > LONGEST_MEANT or len(every) > MOST_KNOWN:
        near = _shelf(every)[0].get(word.casefold(), "")
    else:
        near = _nearest(word, every)
    return f" Did you mean '{near}'?" if near else ""


@lru_cache(maxsize=1024)
def _nearest(word: str, known: tuple[str, ...]) -> str:
    # One slip in a file is often one in each of its entries, and to compare takes longest.
    folded, letters = _shelf(known)
    if word.casefold() in folded:
        return folded[word.casefold()]
    own = set(word)

    def kinship(each: str) -> float:
        return len(own & letters[each]) / (len(own) + len(letters[each]))

    kin = nlargest(MOST_COMPARED, letters, kinship)
    return "".join(get_close_matches(word, kin, n=1))


@lru_cache(maxsize=64)
def _shelf(known: tuple[str, ...]) -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """The known words by what they are in small letters, and the letters of each."""
    folded = {each.casefold(): each for each in reversed(known)}
    letters = {each: frozenset(each) for each in known if 0 < len(each) <= 2 * LONGEST_MEANT}
    return folded, letters


def _visible(text: str) -> str:
    """`text` with each character spelled out that a log or a terminal would obey or hide."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong with a policy: where it stands, what it is, what to do.

    `line` and `column` count from 1; both are 0 for a policy that was built in Python. One that
    `is_warning` may hold all the same: it is shown, and stops nothing.

    Its text has two lines, whatever names it quotes: line breaks, control characters and overrides
    of direction are spelled out in it. The attributes have them as they are.
    """

    file: str
    line: int
    column: int
    what: str
    cure: str = ""
    is_warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        level = "warning: " if self.is_warning else ""
        cure = f"\n    {_visible(self.cure)}" if self.cure else ""
        return _visible(f"{place}: {level}{self.what}") + cure


class ConsentKitError(Exception):
    """What every error of this package is."""

    def __reduce__(self) -> tuple[Any, ...]:
        """It is copied as it stands: its class takes the evidence and not the finished message."""
        # What pickle calls to make an object without its constructor; typeshed leaves it out.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class PolicyError(ConsentKitError, ValueError):
    """A policy that cannot hold, with every fault found in one run, sorted by place.

    `faults` has all of them; the text tells of the first hundred.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        told = [*map(str, self.faults[:MOST_TOLD])]
        if len(self.faults) > MOST_TOLD:
            told.append(f"and {len(self.faults) - MOST_TOLD} more")
        super().__init__("\n".join(told))


class OptionError(ConsentKitError, ValueError):
    """An option of `ConsentMiddleware` that cannot work; raised when the site starts."""

    def __init__(self, option: str, what: str, cure: str) -> None:
        self.option, self.what, self.cure = option, what, cure
        super().__init__(f"ConsentMiddleware({option}=…): {what}. {cure}")


class TemplateError(ConsentKitError, ValueError):
    """A template of the site's own that cannot stand; raised when the site starts."""

    def __init__(self, template: str, what: str, cure: str) -> None:
        self.template, self.what, self.cure = template, what, cure
        super().__init__(f"template '{template}': {what}. {cure}")


class UnknownPurposeError(ConsentKitError, LookupError):
    """A purpose was named that the policy does not declare."""

    def __init__(self, purpose: str, declared: Iterable[str]) -> None:
        self.purpose, self.declared = purpose, tuple(declared)
        super().__init__(
            f"purpose '{_visible(purpose)}' is not declared. Declared purposes: "
            f"{', '.join(self.declared)}.{did_you_mean(purpose, self.declared)}"
        )


class UnknownServiceError(ConsentKitError, LookupError):
    """A service was named that the policy does not declare."""

    def __init__(self, service: str, declared: Iterable[str]) -> None:
        self.service, self.declared = service, tuple(declared)
        super().__init__(
            f"service '{_visible(service)}' is not declared. Declared services: "
            f"{', '.join(self.declared) or 'none'}.{did_you_mean(service, self.declared)}"
        )


class NoVisitorError(ConsentKitError, LookupError):
    """`visitor_from` was called where no `ConsentMiddleware` is around the app."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{_visible(path)}: this request did not pass through ConsentMiddleware, or its path "
            "is excluded. Add the middleware to the app, or take the path out of exclude=."
        )


class NoSuchVisitorError(ConsentKitError, ValueError):
    """`consentkit.testing` was asked for a visitor whom this site, or this client, cannot have."""

    def __init__(self, what: str, cure: str) -> None:
        self.what, self.cure = what, cure
        super().__init__(f"as_visitor: {_visible(what)}. {cure}")


class ScanError(ConsentKitError, RuntimeError):
    """A site cannot be scanned as it was asked for; `where` is its address, or a file."""

    def __init__(self, where: str, what: str, cure: str) -> None:
        self.where, self.what, self.cure = where, what, cure
        super().__init__(f"{_visible(where)}: {_visible(what)}. {_visible(cure)}")


class ConsentKitWarning(UserWarning):
    """What every warning of this package is."""


class LateAnswerWarning(ConsentKitWarning):
    """The app changed an answer after its response had begun: it cannot be remembered."""


class UncoveredLayerWarning(ConsentKitWarning):
    """A middleware stands outside ConsentMiddleware and could set cookies unseen."""
