"""The report of a scan on a terminal, and how far it has come while it runs.

It has never heard of HTML, nor of exit codes: a report goes in, paragraphs and tables come out on a
`Screen`, which sees to it that they fit and do no harm.

What was visited comes first, and what could not be judged; then a table of what was found in which
state, then each finding, the worst first, and last what to do next.
"""

from __future__ import annotations

from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from consentkit.audit.kinds import FINDINGS, FindingKind, Severity
from consentkit.audit.overview import overview_of
from consentkit.audit.seen import State, Witness
from consentkit.shell.reports import counted
from consentkit.shell.terminal import Tone, Toned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rich.progress import Progress as Bars

    from consentkit.audit.findings import Report
    from consentkit.audit.kinds import Finding
    from consentkit.audit.overview import Overview, StateRow
    from consentkit.audit.seen import Scan, Visit
    from consentkit.rules.policy import Policy
    from consentkit.shell.terminal import Piece, Screen

__all__ = ["Progress", "counts_in_words", "show_report", "took"]

TONES: Final[Mapping[Severity, Tone]] = {
    Severity.ERROR: Tone.ERROR,
    Severity.WARNING: Tone.WARNING,
    Severity.NOTE: Tone.NOTE,
}
_WIDE: Final = 76
"""Columns from which a table has one for each state."""
_WIDER: Final = 100
"""Columns from which kinds of finding have their titles."""
_FEW: Final = 3
"""Pages, and failures, that are named; of the others the number is told."""
_MOST_SHOWN: Final = 50
"""Findings that are shown whole; more than these nobody reads in a terminal."""
_MOST_LINES: Final = 40
"""Lines of a draft that are shown."""
_LONGEST: Final = 300
"""Characters of a sentence or an address from the site that are shown."""


def show_report(
    screen: Screen, report: Report, policy: Policy | None = None, *, written: Sequence[str] = ()
) -> None:
    """Print a report; `policy` is what was compared with, `written` the files that were made."""
    seen = overview_of(report.scan, policy)
    _show_visited(screen, report, seen)
    if report.findings:
        _show_table(screen, report)
        for finding in report.findings[:_MOST_SHOWN]:
            _show_finding(screen, finding, report)
        more = len(report.findings) - _MOST_SHOWN
        if more > 0:
            screen.say(f"And {counted(more, 'finding')} more, which --html and --json tell of.")
            screen.blank()
    _show_end(screen, report, seen, written)


def took(scan: Scan) -> str:
    """How long a scan took, ``1 min 33 s``; empty where its ends are not known."""
    try:
        lasted = datetime.fromisoformat(scan.ended) - datetime.fromisoformat(scan.started)
    except (ValueError, TypeError):
        return ""
    minutes, seconds = divmod(round(lasted.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def counts_in_words(report: Report) -> str:
    """``2 errors, 1 warning``: what there is of each severity; ``nothing`` where there is none."""
    parts = [counted(number, each.value) for each, number in report.counts.items() if number]
    return ", ".join(parts) or "nothing"


# What was visited

_BY: Final = {Witness.BROWSER: "with a browser", Witness.HEADERS: "by headers alone"}


def _show_visited(screen: Screen, report: Report, seen: Overview) -> None:
    scan = report.scan
    lasted = took(scan)
    screen.say(
        Toned(scan.site, Tone.STRONG),
        f", {_BY[scan.witness]}, {scan.started[:10]}",
        f", in {lasted}" if lasted else "",
    )
    screen.blank()
    wide = screen.width >= _WIDE
    others, banner = ("third parties", "banner on") if wide else ("hosts", "banner")
    screen.table(
        ["state", "pages", "cookies", others, banner, "clicks"],
        [_state_cells(row) for row in seen.states],
    )
    screen.blank()
    _show_list(screen, "Not judged", dict.fromkeys(report.unjudged))
    _show_list(screen, "Pages that were not seen", [*_failures(seen), *_left_out(scan)])


def _show_list(screen: Screen, title: str, sentences: Iterable[str]) -> None:
    if sentences:
        screen.head(Toned(title, Tone.STRONG))
        for sentence in sentences:
            screen.say(_short(sentence), indent="  • ", hang="    ")
        screen.blank()


def _state_cells(row: StateRow) -> list[Piece]:
    """The cells of a state; a stroke where nothing could be seen."""
    if not row.is_reached:
        return [row.state.value, Toned("not reached", Tone.WARNING), "-", "-", "-", "-"]
    return [
        row.state.value,
        str(row.visits),
        str(row.cookies),
        str(row.hosts),
        f"{row.banners} of {row.visits}",
        "-" if row.clicks is None else str(row.clicks),
    ]


def _failures(seen: Overview) -> Iterator[str]:
    """Why visits showed nothing, and which."""
    whys: dict[str, list[str]] = {}
    for visit in seen.failed:
        whys.setdefault(visit.error, []).append(f"{visit.page} ({visit.state})")
    for why, visits in whys.items():
        yield f"{why}: {_some(visits[:_FEW], visits)}"


def _left_out(scan: Scan) -> Iterator[str]:
    """Why pages were left out, and which."""
    whys: dict[str, list[str]] = {}
    for page, why in scan.left_out.items():
        whys.setdefault(why, []).append(page)
    for why, pages in whys.items():
        yield f"{why}: {_some(pages[:_FEW], pages)}"


def _some(named: Sequence[str], of: Sequence[object]) -> str:
    """Names, and how many more there are: ``/, /a, /b and 9 more``."""
    more = len(of) - len(named)
    return f"{', '.join(map(_short, named))}{f' and {more} more' if more else ''}"


def _short(text: str) -> str:
    """A text from the site in one line, cut where it is endless."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


# What was found


def _show_table(screen: Screen, report: Report) -> None:
    """Each severity with its kinds, the worst first; where it was seen, by state."""
    found: dict[Severity, dict[FindingKind, list[Finding]]] = {}
    for finding in report.findings:
        of_severity = found.setdefault(finding.severity, {})
        of_severity.setdefault(finding.kind, []).append(finding)
    rows: list[list[Piece]] = []
    for severity in sorted(found, key=lambda each: each.rank):
        everything = [each for several in found[severity].values() for each in several]
        head = Toned(severity.value, TONES[severity])
        rows.append([head, *_cells(screen, report, everything)])
        for kind in sorted(found[severity], key=[*FindingKind].index):
            name = FINDINGS[kind].title if screen.width >= _WIDER else kind.value
            rows.append([f"  {name}", *_cells(screen, report, found[severity][kind])])
    screen.head(Toned("What was found", Tone.STRONG))
    screen.blank()
    states = [state.value for state in report.scan.states]
    screen.table(["", "all", *(states if screen.width >= _WIDE else ["seen in"])], rows)
    screen.blank()


def _cells(screen: Screen, report: Report, found: Sequence[Finding]) -> list[Piece]:
    """How many there are, and in which states: a column for each, or their names in one."""
    states = report.scan.states
    if screen.width >= _WIDE:
        return [str(len(found)), *(_in_state(found, state) for state in states)]
    seen = [state for state in states if any(state in each.states for each in found)]
    return [str(len(found)), _named(seen, states) or "-"]


def _named(seen: Sequence[State], states: Sequence[State]) -> str:
    """States as a list; ``every state`` where there is no other."""
    whole = len(seen) == len(states) > 1
    return "every state" if whole else ", ".join(state.value for state in seen)


def _in_state(found: Iterable[Finding], state: State) -> str:
    return str(sum(state in finding.states for finding in found) or "-")


def _show_finding(screen: Screen, finding: Finding, report: Report) -> None:
    """What, where, why and the cure; the place in the policy first, as `check` has it."""
    tone = TONES[finding.severity]
    place = f"{report.policy_file}:{finding.line}: " if finding.line else ""
    level = Toned(f"{finding.severity.value}: ", tone)
    first = (Toned(place, Tone.STRONG), level, _short(_sentence(finding)))
    if screen.is_watched:
        screen.say(*first, hang="    ")
    else:
        screen.head(*first)
    for label, text in _facts(finding, report.scan.states):
        screen.say(f"{label:<6}", text, indent="    ", hang=" " * 10)
    lines = finding.draft.rstrip().splitlines()
    for line in lines[:_MOST_LINES]:
        screen.head(f"          {_short(line)}".rstrip())
    if len(lines) > _MOST_LINES:
        screen.say(f"… {counted(len(lines) - _MOST_LINES, 'line')} more", indent=" " * 10)
    screen.blank()


def _sentence(finding: Finding) -> str:
    """What differs, with the name of what it is about where the sentence has none."""
    is_named = finding.name in finding.what or finding.subject in ("banner", "site")
    return finding.what if is_named else f"{finding.name}: {finding.what}"


def _facts(finding: Finding, states: Sequence[State]) -> Iterator[tuple[str, str]]:
    where = [_named(finding.states, states)] if finding.states else []
    if finding.pages:
        # A finding names ten pages at most; `count` has all of them.
        of = range(max(finding.count, len(finding.pages)))
        where.append(f"{counted(len(of), 'page')}: {_some(finding.pages[:_FEW], of)}")
    if where:
        yield "seen", " on ".join(where)
    if finding.initiator:
        yield "by", _short(finding.initiator)
    yield "rule", f"{', '.join(FINDINGS[finding.kind].law)} ({finding.kind.value})"
    yield "do", _short(finding.cure)


# The end


def _show_end(screen: Screen, report: Report, seen: Overview, written: Sequence[str]) -> None:
    if report.known:
        screen.say(f"{counted(len(report.known), 'finding')} more in the baseline, not shown.")
    if report.gone:
        one = len(report.gone) == 1
        screen.say(
            f"{counted(len(report.gone), 'finding')} of the baseline {'is' if one else 'are'} gone:"
            " --write-baseline forgets what is gone."
        )
    counts: list[Piece] = []
    for severity, number in report.counts.items():
        counts += [", "] if counts else []
        counts.append(Toned(counted(number, severity), TONES[severity] if number else None))
    pages = f"{report.scan.site}, {counted(len(seen.pages), 'page')}"
    screen.say(f"{_short(pages)}: ", *counts, ".", hang="  ")
    if written:
        screen.say(f"Written: {', '.join(written)}.", hang="  ")
    screen.say(next_step(report, seen, written), hang="  ")


def next_step(report: Report, seen: Overview, written: Sequence[str] = ()) -> str:
    """What to do now, in one sentence or two."""
    file = report.policy_file
    if not seen.pages:
        step = "Nothing was seen. Check the address, and that the site answers, and scan again."
    elif file is None:
        scans = next((name for name in written if name.endswith(".json")), None)
        step = "Next: scan again with --json report.json; a policy can be drafted from it."
        if scans is not None:
            step = f"Next: draft a policy from what was seen: consentkit init --from-scan {scans}"
    elif any(finding.draft for finding in report.findings):
        step = f"Next: put the YAML above into {file}, run 'consentkit check', and scan again."
    elif report.findings:
        step = "Next: begin with the first finding, and scan again."
    elif report.known:
        step = "Next: nothing is new; what is in the baseline waits for you."
    else:
        step = "Next: keep it so, and scan every night with --baseline."
    return step


# While it runs


class Progress:
    """Tells how far a scan has come: a bar on a terminal where `rich` is, plain lines elsewhere.

    It is called after each visit, with how many are done and how many are known of so far. Plain
    lines come when `seconds` have gone since the last one.
    """

    def __init__(
        self, screen: Screen, *, seconds: float = 10, clock: Callable[[], float] = monotonic
    ) -> None:
        self._screen = screen
        self._seconds = seconds
        self._clock = clock
        self._told = clock()
        self._bars = _bars(screen) if screen.is_framed else None
        self._task = self._bars.add_task("", total=None, page="", state="") if self._bars else None

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    def __call__(self, visit: Visit, done: int, known: int) -> None:
        """A visit is over: `done` page-states of `known` so far; more may be found."""
        page = self._screen.shown(_short(visit.page))
        if self._bars is not None and self._task is not None:
            self._bars.update(
                self._task, completed=done, total=known, page=page, state=visit.state.value
            )
        elif (now := self._clock()) - self._told >= self._seconds:
            self._told = now
            self._screen.head(f"{done} of {known} visits, {visit.state.value}: {page}")


def _bars(screen: Screen) -> Bars:
    # As in Screen.rich_console: where there is a terminal to be drawn on.
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bars  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415

    state = Column(no_wrap=True, min_width=len(State.UNTOUCHED))
    page = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    return Bars(
        SpinnerColumn(),
        BarColumn(bar_width=max(8, screen.width // 5)),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[state]}", markup=False, table_column=state),
        TextColumn("{task.fields[page]}", markup=False, table_column=page),
        console=screen.rich_console(),
        transient=True,
        expand=True,
    )
