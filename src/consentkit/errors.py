"""Every error and warning of consentkit, on one page.

It has never heard of cookies, HTTP or YAML; it only carries what others found.

::

    ConsentKitError
    ├── PolicyError (ValueError)        the policy says something that cannot hold
    ├── OptionError (ValueError)        an option of the middleware cannot work
    ├── UnknownPurposeError (LookupError)   the app named a purpose the policy does not have
    └── NoVisitorError (LookupError)    no ConsentMiddleware stands around this request

    ConsentKitWarning (UserWarning)     something works, but not as it looks
    ├── LateAnswerWarning               an answer changed after the response had begun
    └── UncoveredLayerWarning           a layer outside may set cookies nobody checks

Each message says *where — what — what to do*, and each error carries its evidence as attributes.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ConsentKitError",
    "ConsentKitWarning",
    "Fault",
    "LateAnswerWarning",
    "NoVisitorError",
    "OptionError",
    "PolicyError",
    "UncoveredLayerWarning",
    "UnknownPurposeError",
    "did_you_mean",
]


LONGEST_MEANT: Final = 80
"""Characters of a word that may be a slip for another."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` Did you mean 'analytics'?`` for a near miss, else the empty string."""
    near = _nearest(word, tuple(known))
    return f" Did you mean '{near}'?" if near else ""


@lru_cache(maxsize=1024)
def _nearest(word: str, known: tuple[str, ...]) -> str:
    # One slip in a file is often one in each of its entries, and to compare takes longest.
    folded = {each.casefold(): each for each in reversed(known)}
    if len(word) > LONGEST_MEANT or word.casefold() in folded:
        return folded.get(word.casefold(), "")
    return "".join(get_close_matches(word, known, n=1))


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong with a policy: where it stands, what it is, what to do.

    `line` and `column` count from 1; both are 0 for a policy that was built in Python. One that
    `is_warning` may hold all the same: it is shown, and stops nothing.
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
        return f"{place}: {level}{self.what}" + (f"\n    {self.cure}" if self.cure else "")


class ConsentKitError(Exception):
    """What every error of this package is."""


class PolicyError(ConsentKitError, ValueError):
    """A policy that cannot hold, with every fault found in one run, sorted by place."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


class OptionError(ConsentKitError, ValueError):
    """An option of `ConsentMiddleware` that cannot work; raised when the site starts."""

    def __init__(self, option: str, what: str, cure: str) -> None:
        self.option, self.what, self.cure = option, what, cure
        super().__init__(f"ConsentMiddleware({option}=…): {what}. {cure}")


class UnknownPurposeError(ConsentKitError, LookupError):
    """A purpose was named that the policy does not declare."""

    def __init__(self, purpose: str, declared: Iterable[str]) -> None:
        self.purpose, self.declared = purpose, tuple(declared)
        super().__init__(
            f"purpose '{purpose}' is not declared. Declared purposes: "
            f"{', '.join(self.declared)}.{did_you_mean(purpose, self.declared)}"
        )


class NoVisitorError(ConsentKitError, LookupError):
    """`visitor_from` was called where no `ConsentMiddleware` is around the app."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path}: this request did not pass through ConsentMiddleware, or its path is "
            "excluded. Add the middleware to the app, or take the path out of exclude=."
        )


class ConsentKitWarning(UserWarning):
    """What every warning of this package is."""


class LateAnswerWarning(ConsentKitWarning):
    """The app changed an answer after its response had begun: it cannot be remembered."""


class UncoveredLayerWarning(ConsentKitWarning):
    """A middleware stands outside ConsentMiddleware and could set cookies unseen."""
