"""What the parts of a policy are made of: frozen models, durations, words, names of purposes.

It has never heard of cookies or visitors: it says how a value may be written, and prints it back.

In YAML keys are written with dashes (``ask-again-after``), in Python with underscores. Durations
are whole seconds.
"""

from __future__ import annotations

import re
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

__all__ = [
    "DAY",
    "IN_A_FILE",
    "ONE_OR_SEVERAL",
    "TURNING",
    "UNPRINTABLE",
    "Duration",
    "Model",
    "Purposes",
    "Switch",
    "Text",
    "as_in_a_file",
    "parse_duration",
    "print_duration",
]

DAY: Final = 86_400

IN_A_FILE: Final = MappingProxyType({"in": "a file"})
"""The validation context of what was read from a file, where durations need a unit."""


class Model(BaseModel):
    """A part of a policy: frozen, with no key but its own."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


# Durations

_UNITS: Final = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": DAY,
    "week": 7 * DAY,
    "month": None,  # twelve of them are a year: 13 months are 395 days, as regulators count
    "year": 365 * DAY,
}
# Only seconds need more than six digits: a browser's 400 days are 34,560,000 of them.
_COUNT: Final = "[0-9]{1,6}|[0-9]{7,12}(?= *s)"
_DURATION: Final = re.compile(rf"({_COUNT}) *(second|minute|hour|day|week|month|year)s?")


def parse_duration(text: object) -> int:
    """Seconds of a duration such as ``30 minutes``, ``1 day`` or ``13 months``.

    Raises ValueError for anything else; a bare number has no unit, so it is refused too.
    """
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError("write a number and a unit: 30 minutes, 1 day, 2 weeks, 13 months, 1 year")
    return _seconds(int(found[1]), found[2])


def _seconds(count: int, unit: str) -> int:
    size = _UNITS[unit]
    return count * 365 // 12 * DAY if size is None else count * size


def print_duration(seconds: int) -> str:
    """The shortest duration that `parse_duration` reads as exactly so many seconds.

    >>> [print_duration(each) for each in (395 * DAY, 14 * DAY, 5400, 86_401)]
    ['13 months', '2 weeks', '90 minutes', '86401 seconds']
    """
    for unit in reversed(_UNITS):
        size = _UNITS[unit]
        count = -(-seconds * 12 // (365 * DAY)) if size is None else seconds // size
        if 0 < count < 1_000_000 and _seconds(count, unit) == seconds:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


def _duration(value: object, info: ValidationInfo) -> object:
    # In Python a whole number is seconds; in a file nobody can tell, so there it is refused.
    is_seconds = isinstance(value, int) and not isinstance(value, bool)
    return value if is_seconds and info.context is not IN_A_FILE else parse_duration(value)


Duration = Annotated[int, BeforeValidator(_duration), Field(ge=0)]
"""Seconds; in a file, a number and a unit."""


# Words and names


def _one_or_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


ONE_OR_SEVERAL: Final = BeforeValidator(_one_or_several)
"""For a list of which one alone may stand without brackets."""

Purposes = Annotated[tuple[str, ...], ONE_OR_SEVERAL]
"""Names of purposes; one alone needs no list."""

Switch = Annotated[bool, Field(strict=True)]
"""True or false, and no word for either."""

Text = str | dict[str, str]
"""Words for the visitor: one string, or one for each language tag."""

TURNING: Final = r"\u202a-\u202e\u2066-\u2069"
"""Characters that turn the direction of what follows, so that one text reads as another."""
UNPRINTABLE: Final = rf"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{TURNING}"
"""What no page can show, for the brackets of a regular expression; line breaks and tabs it can."""


# Back to plain data

_DURATIONS: Final = frozenset({"duration", "ask_again_after"})
_SAID: Final = frozenset({"inline", "shows"})
"""What is not as if it were absent where it says nothing: the catalogue would fill it in."""


def as_in_a_file(model: Model) -> dict[str, object]:
    """What differs from the defaults, with the keys of a file, in the order of the fields."""
    return {
        str(info.alias): _value_in_a_file(name, value, is_several=ONE_OR_SEVERAL in info.metadata)
        for name, info in type(model).model_fields.items()
        if not info.exclude and _is_said(model, name, value := getattr(model, name), info.default)
    }


def _is_said(model: Model, name: str, value: object, default: object) -> bool:
    return value != default or (name in _SAID and name in model.model_fields_set)


def _value_in_a_file(key: str, value: object, *, is_several: bool = False) -> object:
    if isinstance(value, Model):
        return as_in_a_file(value)
    if isinstance(value, dict):
        return {name: _value_in_a_file("", held) for name, held in value.items()}
    if isinstance(value, int) and key in _DURATIONS:
        return print_duration(value)
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple):
        return str(value[0]) if is_several and len(value) == 1 else [*map(str, value)]
    return str(value) if isinstance(value, StrEnum) else value
