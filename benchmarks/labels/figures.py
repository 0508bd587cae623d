"""Labels beside what lists say: who is called what, how many are left unknown, and what is wrong.

Has never heard of a file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.labels.lists import END, Row, Truth
from consentkit.audit.labels import Label, Nature, label_by_rules, label_of
from consentkit.rules import catalogue
from consentkit.rules.names import NameIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@dataclass(slots=True)
class Figures:
    """`called[truth, nature]` names; `dangerous` are the trackers that were called necessary."""

    called: Counter[tuple[Truth, Nature]] = field(default_factory=Counter)
    dangerous: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many names there were."""
        return self.called.total()

    @property
    def trackers(self) -> int:
        """How many of them track, as the list has it."""
        return sum(self.called[Truth.TRACKING, nature] for nature in Nature)

    @property
    def found(self) -> int:
        """How many of these are called so."""
        return self.called[Truth.TRACKING, Nature.TRACKING]

    @property
    def labelled(self) -> int:
        """How many got a label at all."""
        return sum(self.called[truth, nature] for truth in Truth for nature in _LABELS)

    @property
    def judged(self) -> int:
        """How many got a label, and are not ambiguous."""
        return sum(self.called[truth, nature] for truth in _CLEAR for nature in _LABELS)

    @property
    def right(self) -> int:
        """How many of these got the right one."""
        return self.found + self.called[Truth.NECESSARY, Nature.NECESSARY]


_LABELS = (Nature.NECESSARY, Nature.TRACKING)
_CLEAR = (Truth.NECESSARY, Truth.TRACKING)


def measure(rows: Iterable[Row], label: Callable[[Row], Label]) -> Figures:
    """What becomes of each row under a way to label."""
    figures = Figures()
    for row in rows:
        nature = label(row).nature
        figures.called[row.truth, nature] += 1
        if row.truth is Truth.TRACKING and nature is Nature.NECESSARY:
            figures.dangerous.append(row.name)
    return figures


def with_catalogue(row: Row) -> Label:
    """The label of a name that may be in the catalogue."""
    return label_of(row.name, http_only=row.http_only)


def by_rules(row: Row) -> Label:
    """The label of a name alone."""
    return label_by_rules(row.name, http_only=row.http_only)


def by_all_rules(row: Row) -> Label:
    """The label of a name with the life and the host that its list gives."""
    return label_by_rules(
        row.name,
        seconds=row.seconds,
        third_party=row.host is not None,
        http_only=row.http_only,
    )


def as_if_hidden(row: Row) -> Label:
    """The label of a name as if scripts could not read it: the worst that HttpOnly can do."""
    return label_by_rules(row.name, http_only=True)


def unheard_of(rows: Iterable[Row]) -> list[Row]:
    """The rows whose names neither the catalogue nor a framework's set has."""
    frameworks = [NameIndex(each.cookies) for each in catalogue.frameworks().values()]
    return [
        row
        for row in rows
        if catalogue.known_cookie(row.name) is None
        and catalogue.known_storage(row.name) is None
        and all(names.find(row.name) is None for names in frameworks)
    ]


def half(row: Row) -> int:
    """0 for the names that rules may be written for, 1 for those that they are judged by."""
    name = row.name.removesuffix(END).lower()
    return hashlib.sha256(name.encode()).digest()[0] % 2


def lines(title: str, figures: Figures) -> Iterator[str]:
    """A table of Markdown, and what it comes to."""
    yield f"### {title}"
    yield ""
    yield "| the list says | necessary | tracking | unknown |"
    yield "|---|---|---|---|"
    for truth in Truth:
        counts = [figures.called[truth, nature] for nature in Nature]
        if any(counts):
            yield f"| {truth} | {' | '.join(map(str, counts))} |"
    yield ""
    yield f"- names: {figures.rows}, labelled: {_share(figures.labelled, figures.rows)}"
    yield f"- right, of those labelled and not ambiguous: {_share(figures.right, figures.judged)}"
    yield f"- trackers found: {_share(figures.found, figures.trackers)}"
    named = f": {', '.join(figures.dangerous)}" if figures.dangerous else ""
    dangerous = _share(len(figures.dangerous), figures.trackers)
    yield f"- **trackers called necessary: {dangerous}**{named}"
    yield ""


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "none"
