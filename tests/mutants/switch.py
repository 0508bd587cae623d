"""Which mutant of a function is called: a module's file with all its mutants asks at each call.

mutmut writes each function, its mutants beside it, and a decorator that chooses one of them. This
stands in for its decorator, which looks into the environment at each call.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

MutantDict = dict[str, Callable[..., Any]]
DECORATOR = (
    "from mutmut.mutation.trampoline import wrap_in_trampoline as _mutmut_mutated, MutantDict"
)
"""The line with which the file brings in mutmut's own decorator."""
INSTEAD = "from tests.mutants.switch import choosing as _mutmut_mutated, MutantDict"


class Switch:
    """The mutant that is on, by its whole name, and the functions that were called since asked.

    The functions have the names of their mutants, without the number.
    """

    on = os.environ.get("MUTANT", "")
    called: ClassVar[set[str] | None] = set()


def choosing(
    mutants: MutantDict,
    is_classmethod: bool = False,  # noqa: FBT001, FBT002 - so mutmut calls it
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function so that the mutant that is on is called in its place."""

    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        module = function.__module__

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            original = mutants["_mutmut_orig"]
            if Switch.called is not None:
                Switch.called.add(f"{module}.{original.__name__.removesuffix('__mutmut_orig')}")
            there, _, name = Switch.on.rpartition(".")
            chosen = mutants.get(name, original) if there == module else original
            if is_classmethod:
                return getattr(args[0], chosen.__name__)(*args[1:], **kwargs)
            return chosen(*args, **kwargs)

        return call

    return decorated
