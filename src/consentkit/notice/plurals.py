"""Which form a word takes beside a whole number, language by language.

It has never heard of a notice: it is given a tag and a number.

A table of CLDR's rules for cardinals, cut down to what whole numbers need (Unicode TS #35, part 3,
§5). A rule's forms are tried in their order; what none of them takes is `OTHER`. Rules that differ
for millions alone are left out: nothing here is told in millions.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

__all__ = ["Plural", "plural_of"]


class Plural(StrEnum):
    """A form of a word, by CLDR's names."""

    ZERO = "zero"
    ONE = "one"
    TWO = "two"
    FEW = "few"
    MANY = "many"
    OTHER = "other"


_Rule: TypeAlias = tuple[tuple[Plural, Callable[[int], bool]], ...]

_ONE: Final = (Plural.ONE, lambda n: n == 1)
_TWO: Final = (Plural.TWO, lambda n: n == 2)
_UP_TO_ONE: Final = (Plural.ONE, lambda n: n <= 1)
_ENDS_IN_ONE: Final = (Plural.ONE, lambda n: n % 10 == 1 and n % 100 != 11)
_SLAVIC_FEW: Final = (Plural.FEW, lambda n: 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14)
_REST_IS_MANY: Final = (Plural.MANY, lambda _: True)

_ENGLISH: Final[_Rule] = (_ONE,)
_FRENCH: Final[_Rule] = (_UP_TO_ONE,)
_NONE: Final[_Rule] = ()
_CZECH: Final[_Rule] = (_ONE, (Plural.FEW, lambda n: 2 <= n <= 4))

_RULES: Final = MappingProxyType[str, _Rule](
    {
        "ar": (
            (Plural.ZERO, lambda n: n == 0),
            _ONE,
            _TWO,
            (Plural.FEW, lambda n: 3 <= n % 100 <= 10),
            (Plural.MANY, lambda n: n % 100 >= 11),
        ),
        "cs": _CZECH,
        "cy": (
            (Plural.ZERO, lambda n: n == 0),
            _ONE,
            _TWO,
            (Plural.FEW, lambda n: n == 3),
            (Plural.MANY, lambda n: n == 6),
        ),
        "fa": _FRENCH,
        "fr": _FRENCH,
        "ga": (
            _ONE,
            _TWO,
            (Plural.FEW, lambda n: 3 <= n <= 6),
            (Plural.MANY, lambda n: 7 <= n <= 10),
        ),
        "he": (_ONE, _TWO),
        "hi": _FRENCH,
        "hr": (_ENDS_IN_ONE, _SLAVIC_FEW),
        "is": (_ENDS_IN_ONE,),
        "ja": _NONE,
        "ko": _NONE,
        "lt": (
            (Plural.ONE, lambda n: n % 10 == 1 and not 11 <= n % 100 <= 19),
            (Plural.FEW, lambda n: n % 10 >= 2 and not 11 <= n % 100 <= 19),
        ),
        "lv": (
            (Plural.ZERO, lambda n: n % 10 == 0 or 11 <= n % 100 <= 19),
            _ENDS_IN_ONE,
        ),
        "mt": (
            _ONE,
            _TWO,
            (Plural.FEW, lambda n: n == 0 or 3 <= n % 100 <= 10),
            (Plural.MANY, lambda n: 11 <= n % 100 <= 19),
        ),
        "pl": (_ONE, _SLAVIC_FEW, _REST_IS_MANY),
        "ro": (_ONE, (Plural.FEW, lambda n: n == 0 or 1 <= n % 100 <= 19)),
        "sk": _CZECH,
        "sl": (
            (Plural.ONE, lambda n: n % 100 == 1),
            (Plural.TWO, lambda n: n % 100 == 2),
            (Plural.FEW, lambda n: 3 <= n % 100 <= 4),
        ),
        "uk": (_ENDS_IN_ONE, _SLAVIC_FEW, _REST_IS_MANY),
        "vi": _NONE,
        "zh": _NONE,
    }
)
"""By bare language; all others have a form for one, and another."""


def plural_of(tag: str, number: int) -> Plural:
    """The form that a word takes beside a whole number, 0 or more, in a language.

    >>> [str(plural_of("pl", number)) for number in (1, 3, 5)]
    ['one', 'few', 'many']
    """
    rule = _RULES.get(tag.lower().partition("-")[0], _ENGLISH)
    return next((form for form, takes in rule if takes(number)), Plural.OTHER)
