"""The figures as a table: medians, ratios, and who is better at what.

Has never heard of a browser: it is given measurements and gives back lines of Markdown.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks.notice.notices import BARE, FIRST, NOTICES
from benchmarks.notice.visits import SPEEDS, Measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.notice.notices import Notice
    from benchmarks.notice.visits import Speed

BEGIN: Final = "<!-- figures: written by `python -m benchmarks.notice --page` -->"
END: Final = "<!-- end of the figures -->"

Round = dict[str, dict[str, Measured]]
"""One measurement of everything: by the name of the speed, then of the notice."""


class Run(NamedTuple):
    """All that was measured, and on what. `blocked` has who works when its scripts do not come."""

    about: dict[str, str]
    rounds: Sequence[Round]
    blocked: dict[str, bool]

    def values(self, notice: Notice, speed: Speed, measure: Measure) -> list[float]:
        """What was measured in each round, beyond the page itself where the measure says so."""
        rows = [one[speed.name] for one in self.rounds]
        whole = [float(getattr(row[notice.name], measure.field)) for row in rows]
        if not measure.is_beyond:
            return whole
        bare = [float(getattr(row[BARE.name], measure.field)) for row in rows]
        return [value - page for value, page in zip(whole, bare, strict=True)]

    def median(self, notice: Notice, speed: Speed, measure: Measure) -> float:
        """The median of all rounds."""
        return statistics.median(self.values(notice, speed, measure))


class Measure(NamedTuple):
    """A column. `is_beyond`: what the page costs without a notice is taken off."""

    title: str
    field: str
    unit: str = ""
    is_beyond: bool = False
    depends: bool = False
    """True: the speed of the browser changes it."""
    form: str = "{:,.0f}"
    least: float = 0.0
    """Less than this is no difference."""

    @property
    def heading(self) -> str:
        """The title with its unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    def said(self, value: float) -> str:
        """The value in words, without a sign before nothing."""
        return self.form.format(value + 0.0).replace("-0.0", "0.0")


WIRE: Final = Measure("bytes", "wire", is_beyond=True)
REQUESTS: Final = Measure("requests", "requests", is_beyond=True)
SCRIPT: Final = Measure(
    "script", "script", "ms", is_beyond=True, depends=True, form="{:.1f}", least=0.5
)
VISIBLE: Final = Measure("visible after", "visible", "ms", depends=True, least=17.0)
PAGE: Final = Measure("page after", "page", "ms", depends=True, least=17.0)
SHIFT: Final = Measure("CLS", "shift", form="{:.3f}", least=0.0005)
ELEMENTS: Final = Measure("elements", "elements", is_beyond=True)

MEASURES: Final = (WIRE, REQUESTS, SCRIPT, VISIBLE, PAGE, SHIFT, ELEMENTS)
COLUMNS: Final = (
    *("notice", WIRE.heading, REQUESTS.heading, SCRIPT.heading, VISIBLE.heading),
    *("in the first frame", PAGE.heading, SHIFT.heading, ELEMENTS.heading, "without its script"),
)
RATIOS: Final = (WIRE, SCRIPT, VISIBLE, PAGE)


def lines(run: Run) -> Iterator[str]:
    """Everything, as Markdown."""
    yield f"{'; '.join(f'{name}: {value}' for name, value in run.about.items())}."
    yield ""
    yield from table(run)
    yield ""
    yield from ratios(run)
    yield ""
    yield from better(run)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


# The table


def table(run: Run) -> Iterator[str]:
    """Medians; where the speed matters, at full speed / held back."""
    yield _row(COLUMNS)
    yield f"|{'---|' * len(COLUMNS)}"
    for notice in NOTICES:
        yield _row([notice.name, *_cells(run, notice)])


def _cells(run: Run, notice: Notice) -> Iterator[str]:
    def cell(measure: Measure) -> str:
        return _bare(run, measure) if notice == BARE else _value(run, notice, measure)

    for measure in (WIRE, REQUESTS, SCRIPT):
        yield cell(measure)
    yield "-" if notice == BARE else cell(VISIBLE)
    yield "-" if notice == BARE else _first(run, notice)
    for measure in (PAGE, SHIFT, ELEMENTS):
        yield cell(measure)
    yield "-" if notice == BARE else ("works" if run.blocked[notice.name] else "no notice")


def _bare(run: Run, measure: Measure) -> str:
    # The page itself, whole: what the others add is added to this.
    value = _value(run, BARE, measure._replace(is_beyond=False))
    return f"({value})" if measure.is_beyond else value


def _value(run: Run, notice: Notice, measure: Measure) -> str:
    speeds = SPEEDS if measure.depends else SPEEDS[:1]
    medians = [measure.said(run.median(notice, speed, measure)) for speed in speeds]
    if measure == SHIFT:
        worst = max(max(run.values(notice, speed, measure)) for speed in SPEEDS)
        return measure.said(worst) if worst else "0"
    return " / ".join(f"+{value}" if measure.is_beyond else value for value in medians)


def _first(run: Run, notice: Notice) -> str:
    counts = (
        sum(bool(one[speed.name][notice.name].is_first) for one in run.rounds) for speed in SPEEDS
    )
    return " / ".join(f"{count} of {len(run.rounds)}" for count in counts)


# Ratios


def ratios(run: Run) -> Iterator[str]:
    """Times the first of ours, in the same round: median (lowest to highest)."""
    ways = [(measure, speed) for measure in RATIOS for speed in _speeds(measure)]
    titles = [
        f"{measure.title}, {speed.name}" if measure.depends else measure.title
        for measure, speed in ways
    ]
    yield _row([f"times {FIRST.name}", *titles])
    yield f"|{'---|' * (len(ways) + 1)}"
    for notice in NOTICES:
        if notice not in (BARE, FIRST):
            yield _row([notice.name, *(_ratio(run, notice, *way) for way in ways)])


def _speeds(measure: Measure) -> tuple[Speed, ...]:
    return SPEEDS if measure.depends else SPEEDS[:1]


def _ratio(run: Run, notice: Notice, measure: Measure, speed: Speed) -> str:
    pairs = zip(run.values(notice, speed, measure), run.values(FIRST, speed, measure), strict=True)
    # What the script of ours takes beyond the page can be nothing at all in a round.
    times = [one / ours for one, ours in pairs if ours > 0]
    if not times:
        return "-"
    low, middle, high = (SCRIPT.said(f(times)) for f in (min, statistics.median, max))
    return middle if low == high else f"{middle} ({low} to {high})"


# Who is better


def better(run: Run) -> Iterator[str]:
    """Every figure of another's that is better than that of the first of ours."""
    said = [
        f"- {notice.name}: {', '.join(found)}."
        for notice in NOTICES
        if notice.package and (found := list(_better(run, notice)))
    ]
    yield (
        f"Better than *{FIRST.name}* in this run:" if said else f"None is better than {FIRST.name}."
    )
    if said:
        yield ""
        yield from said


def _better(run: Run, notice: Notice) -> Iterator[str]:
    for measure in MEASURES:
        for speed in _speeds(measure):
            theirs, ours = (run.median(one, speed, measure) for one in (notice, FIRST))
            if ours - theirs > measure.least:
                where = f", {speed.name}" if measure.depends else ""
                unit = measure.unit and f" {measure.unit}"
                figures = f"{measure.said(theirs)}{unit} against {measure.said(ours)}"
                yield f"{measure.title}{where} ({figures})"


# Pages and JSON


def written_into(page: str, figures: Sequence[str]) -> str:
    """The page with these figures between its two marks. Raises ValueError without them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no lines {BEGIN!r} and {END!r} to write between")
    return "\n".join((f"{before}{BEGIN}", "", *figures, "", f"{END}{after}"))


def as_json(run: Run) -> dict[str, Any]:
    """The whole run, each measurement of each round, as JSON has it."""
    return {
        "about": run.about,
        "works-without-its-script": run.blocked,
        "rounds": [_plain(one) for one in run.rounds],
    }


def _plain(one: Round) -> dict[str, Any]:
    return {
        speed: {name: measured._asdict() for name, measured in row.items()}
        for speed, row in one.items()
    }
