"""What pydantic finds wrong with a policy's shape, in our words.

It has never heard of files: what it says stands at a path of keys, and others know the line.

`in_our_words` takes the errors of one validation and gives `Problem`s. `_WORDING` is its table,
`_EXPECTED` the one of values that should have been something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from consentkit.errors import did_you_mean
from consentkit.rules import catalogue
from consentkit.rules.integrations import (
    GoogleConsentMode,
    GoogleSignals,
    Integrations,
    Matomo,
    MicrosoftClarity,
    MicrosoftUet,
)
from consentkit.rules.policy import (
    Banner,
    CookieAttributes,
    DeclaredCookie,
    Policy,
    Purpose,
    Service,
    Site,
    StoredItem,
    TokenOptions,
)
from consentkit.rules.problems import Loc, Problem, listed, subject_of
from consentkit.rules.yaml_text import Data, shown

__all__ = ["ENTRIES", "FILE_KEYS", "MODELS", "dashed", "in_our_words"]

ENTRIES: Final = ("purposes", "cookies", "storage", "services")
"""The sections of a policy whose keys are names."""
FILE_KEYS: Final = ("extends", "uses")
"""Keys of the file alone: what they name is laid together before there is a policy."""

MODELS: Final[Mapping[Loc, type[BaseModel]]] = {
    (): Policy,
    ("site",): Site,
    ("purposes", "*"): Purpose,
    ("cookies", "*"): DeclaredCookie,
    ("cookies", "*", "attributes"): CookieAttributes,
    ("storage", "*"): StoredItem,
    ("services", "*"): Service,
    ("banner",): Banner,
    ("token",): TokenOptions,
    ("integrations",): Integrations,
    ("integrations", "google-consent-mode"): GoogleConsentMode,
    ("integrations", "google-consent-mode", "signals"): GoogleSignals,
    ("integrations", "microsoft-clarity"): MicrosoftClarity,
    ("integrations", "microsoft-uet"): MicrosoftUet,
    ("integrations", "matomo"): Matomo,
}
_WORDS_BRANCH: Final = "dict[str,str]"
_LIST_BRANCH: Final = "tuple[str, ...]"
"""What pydantic calls the second part of `Text`, and the third of `Transfer`, in its places."""

MOST_HINTS: Final = 100
"""Findings of one validation for which the word that was meant is looked for."""
LONGEST_KEY: Final = 60


@dataclass(frozen=True, slots=True)
class _Finding:
    """One finding of pydantic: its kind, its place in the data, the value, and what it says.

    `number` counts those before it.
    """

    type: str
    loc: Loc
    value: Any
    context: Mapping[str, Any]
    message: str
    number: int

    @property
    def where(self) -> str:
        """The entry and the key in it, as in ``cookie '_ga': 'attributes.same-site'``."""
        inner = self.loc[2:] if self.loc and self.loc[0] in ENTRIES else self.loc[1:]
        keys = ".".join(part[:LONGEST_KEY] for part in inner if not part.isdigit())
        return subject_of(self.loc) + (f": '{keys}'" if keys else "")

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that are known where this one stands."""
        return _keys_of(_model_at(self.loc[:-1]))

    def hint(self, word: str, known: Iterable[str]) -> str:
        """What was meant by `word`, where that is worth the search."""
        return did_you_mean(word, known) if self.number < MOST_HINTS else ""


@cache
def _keys_of(model: type[BaseModel]) -> tuple[str, ...]:
    known = [str(info.alias) for info in model.model_fields.values() if not info.exclude]
    return (*known, *FILE_KEYS) if model is Policy else tuple(known)


def in_our_words(details: Iterable[ErrorDetails], data: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems that pydantic's errors tell of; `data` is what was validated, its keys text."""
    told = (detail for detail in details if not _is_told_elsewhere(detail))
    findings = [_finding(detail, data, number) for number, detail in enumerate(told)]
    misspelt = {_meant(finding) for finding in findings if finding.type == "extra_forbidden"}
    for finding in findings:
        if finding.type != "missing" or finding.loc not in misspelt:
            yield from _WORDING.get(finding.type, _wrong_value)(finding)


def _is_told_elsewhere(detail: ErrorDetails) -> bool:
    # A union is told of once for each part; texts are told of where their last part failed, and
    # a list of countries where it has a wrong one.
    # A default that hangs on other keys is not told of where one of those is wrong.
    *parents, last = detail["loc"]
    if parents[:1] == ["texts"]:
        return False  # its keys are not ours, and may be named as what follows
    if last == _LIST_BRANCH or detail["type"] == "default_factory_not_called":
        return True
    if last == _WORDS_BRANCH:
        return parents[-1] == "transfer" and isinstance(detail["input"], list | tuple)
    return detail["type"] == "string_type" and last == "str" and parents[-1] != _WORDS_BRANCH


def _finding(detail: ErrorDetails, data: Mapping[str, Any], number: int) -> _Finding:
    loc, kind = detail["loc"], detail["type"]
    path = _followed(loc, data)
    if kind == "missing":
        path = (*path, str(loc[-1]))
    elif loc[-1] == _WORDS_BRANCH:
        kind = "words_type"
    return _Finding(kind, path, detail["input"], detail.get("ctx", {}), detail["msg"], number)


def _followed(loc: tuple[int | str, ...], data: Data) -> Loc:
    """The part of pydantic's `loc` that is really there: without union tags."""
    path = []
    for part in loc:
        in_list = isinstance(data, list | tuple) and isinstance(part, int)
        if in_list or (isinstance(data, Mapping) and part in data):
            data = data[part]
            path.append(str(part))
    return tuple(path)


def dashed(key: str) -> str:
    """A key as it is written in a file."""
    return key.replace("_", "-")


def _model_at(loc: Loc) -> type[BaseModel]:
    where = (loc[0], "*", *loc[2:]) if loc and loc[0] in ENTRIES else loc
    return MODELS[tuple(map(dashed, where))]


def _meant(finding: _Finding) -> Loc:
    """The place of the key that was meant by one that is unknown."""
    near = re.search("'(.*)'", finding.hint(dashed(finding.loc[-1]), finding.keys))
    return (*finding.loc[:-1], near[1]) if near else ()


def _missing(finding: _Finding) -> Iterator[Problem]:
    *parents, key = finding.loc
    holder = tuple(parents)
    fields = _model_at(holder).model_fields.values()
    about = next(str(info.description) for info in fields if info.alias == key)
    cure = f"Add it: {about.splitlines()[0]}"
    if key == "provider":
        cure += _who_provides(finding, holder[-1])
    yield Problem(holder, f"{_holder_in_words(holder)} has no '{key}'", cure, at_key=True)


def _who_provides(finding: _Finding, service: str) -> str:
    known = catalogue.services()
    if service in known:
        return " The catalogue's stands only beside its own 'hosts'."
    return finding.hint(service, known)


def _holder_in_words(loc: Loc) -> str:
    """What holds a key: ``cookie '_ga'``, or ``'attributes' of cookie '_ga'``."""
    inner = loc[2:] if loc and loc[0] in ENTRIES else loc[1:]
    return f"'{inner[-1]}' of {subject_of(loc)}" if inner else subject_of(loc)


def _unknown_key(finding: _Finding) -> Iterator[Problem]:
    *parents, key = finding.loc
    known = finding.keys
    what = f"{_holder_in_words(tuple(parents))} has no key {shown(key)}"
    cure = f"Its keys: {', '.join(known)}.{finding.hint(dashed(key), known)}"
    if dashed(key) == "security-storage" and "analytics_storage" in known:
        cure = "Take it away: it is always granted, since it keeps the visitor safe."
    yield Problem(finding.loc, what, cure, at_key=True)


def _not_among(finding: _Finding) -> Iterator[Problem]:
    known = re.findall("'([^']*)'", finding.context["expected"])
    word = dashed(finding.value) if isinstance(finding.value, str) else ""
    is_empty = finding.value is None
    said = "has no value" if is_empty else f"is {shown(finding.value)}, which it cannot be"
    what = f"{finding.where} {said}"
    cure = f"It can be {listed(known, 'or')}.{finding.hint(word, known)}"
    yield Problem(finding.loc, what, cure)


def _refused_value(finding: _Finding) -> Iterator[Problem]:
    if finding.loc in (("cookies",), ("storage",)):
        yield from _named_twice(finding.loc[0], finding.value)
    else:
        said = str(finding.context["error"])
        what = f"{finding.where} is {shown(finding.value)}, which is no duration"
        yield Problem(finding.loc, what, f"{said[:1].upper()}{said[1:]}.")


def _named_twice(section: str, items: Mapping[str, Any]) -> Iterator[Problem]:
    for key, item in items.items():
        name = item.get("name", key) if isinstance(item, Mapping) else item.name
        if name not in ("", key):
            what = f"{subject_of((section, key))} is also named {shown(name)}"
            cure = "Its name is its key: take 'name' away."
            yield Problem((section, key, "name"), what, cure, at_key=True)


_NUMBER: Final = ("must be a whole number", "Write digits alone.")
_SWITCH: Final = ("must be true or false", "Write true or false.")
_LIST: Final = ("must be a list", "Write it in brackets: [{value}].")
_KEYS: Final = ("must be keys with values", "Write its keys below it, each with a colon, indented.")
_DAY: Final = ("must be a day", "Write it as 2015-06-01.")
_TEXT: Final = ("must be text", "Put it in quotes, if it is what you mean.")
_EXPECTED: Final[Mapping[str, tuple[str, str]]] = {
    "string_type": _TEXT,
    "words_type": ("must be text, or one text for each language", _TEXT[1]),
    "string_pattern_mismatch": (
        "cannot be a token's name",
        "Use letters, digits, '-' and '_', at most 64.",
    ),
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_parsing_size": _NUMBER,
    "int_from_float": _NUMBER,
    "greater_than_equal": ("is too small", "Write {ge} or more."),
    "less_than_equal": ("is too large", "Write {le} or less."),
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "tuple_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _KEYS,
    "model_type": _KEYS,
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
}
"""What a value should have been, and the cure, for pydantic's error types."""


_DOTTED: Final = "Write its whole key in one, with dots, as in 'asks.consent.title: …'."
_BY_LANGUAGE: Final = {"dict_type": "Write them below their language, as in 'en: {{settings: …}}'."}


def _wrong_value(finding: _Finding) -> Iterator[Problem]:
    if finding.value is None:
        cure = "Write one, or take the line away."
        yield Problem(finding.loc, f"{finding.where} has no value", cure, at_key=True)
        return
    known = _EXPECTED.get(finding.type)
    must, cure = known or (f"cannot be: {finding.message}", "Correct it.")
    what = f"{finding.where} {must}, and is {shown(finding.value)}"
    if finding.loc[0] == "texts":
        is_nested = isinstance(finding.value, Mapping)
        cure = _DOTTED if is_nested else _BY_LANGUAGE.get(finding.type, cure)
    is_word = isinstance(finding.value, str) and len(finding.value) <= LONGEST_KEY
    value = finding.value if is_word else "one, two"
    limits = {limit: finding.context.get(limit) for limit in ("ge", "le")}
    yield Problem(finding.loc, what, cure.format(value=value, **limits))


_WORDING: Final[Mapping[str, Callable[[_Finding], Iterator[Problem]]]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "enum": _not_among,
    "literal_error": _not_among,
    "value_error": _refused_value,
}
