r"""The report of a scan as one HTML file, which needs no script and asks nothing of any host.

It has never heard of terminals. A report goes in, a page comes out: its style is inside, held by
the hash in its own Content-Security-Policy, its pictures are ``data:`` addresses, and its table of
findings is filtered by radio buttons and ``:has()``. Where a browser knows no ``:has()``, or is
told to apply no style, everything is shown.

What comes from the site is hostile until shown otherwise: every expression of the template is cut,
made harmless (``\u202e`` for what turns the writing round) and escaped, and there is no other way
out. Lists are as long as people read, and say how much they leave out.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from consentkit.audit.console import counts_in_words, took
from consentkit.audit.kinds import FINDINGS, FindingKind, Severity
from consentkit.audit.overview import STATES, overview_of
from consentkit.audit.seen import State, Witness
from consentkit.shell.explanations import duration_in_words
from consentkit.shell.reports import counted
from consentkit.shell.terminal import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from consentkit.audit.findings import Report
    from consentkit.audit.overview import Event, Overview, StateRow
    from consentkit.audit.seen import Banner, Look, Scan, SeenCookie
    from consentkit.rules.policy import Policy

__all__ = ["report_page"]

LONGEST: Final = 400
"""Characters of any one text that are shown."""
MOST_ROWS: Final = 250
MOST_PAGES: Final = 500
MOST_FINDINGS: Final = 300
MOST_EVENTS: Final = 60
LARGEST_PICTURE: Final = 600_000
LARGEST_GALLERY: Final = 4_000_000
"""Bytes of a screenshot, and of all of them, before they are written as base64."""


def report_page(report: Report, policy: Policy | None = None, folder: Path | None = None) -> str:
    """The page. `folder` has the files that `Visit.screenshot` names; without it none is shown."""
    seen = overview_of(report.scan, policy)
    style = f"{_asset('report.css')}{_filter_rules()}"
    digest = b64encode(sha256(style.encode()).digest()).decode("ascii")
    values = {
        **_head(report, seen, policy),
        **_of_findings(report),
        **_of_visits(report.scan, seen),
        **_of_banner(seen),
        **_gallery(seen, folder),
        "unjudged": tuple(dict.fromkeys((*report.unjudged, _ALWAYS))),
        "style": Markup(style),  # noqa: S704 - it is a file of ours
        "style_hash": Markup(digest),  # noqa: S704 - it is base64
    }
    values["parts"] = tuple(_parts(values))
    return _environment().get_template("report.html").render(values) + "\n"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("consentkit.audit", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_way_out,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "rules": FINDINGS,
        "meanings": STATES,
        "life": duration_in_words,
        "flags": _flags,
        "most": MOST_ROWS,
        "most_pages": MOST_PAGES,
        "newline": Markup("\n"),
    }
    return made


_LAST_TWO: Final = (
    chr(plane + end) for plane in range(0, 0x110000, 0x10000) for end in (0xFFFE, 0xFFFF)
)
_NO_CHARACTER: Final = re.compile(f"[\ufdd0-\ufdef{''.join(_LAST_TWO)}]")
"""What HTML allows in no document (Infra, noncharacters)."""


def _way_out(value: object) -> object:
    """What an expression of the template gives, before it is escaped."""
    if isinstance(value, Markup):
        return value
    text = str(value)
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return harmless(_NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", short))


@cache
def _asset(name: str) -> str:
    return files("consentkit.audit").joinpath("assets", name).read_text("utf-8")


@cache
def _filter_rules() -> str:
    """The rules that leave away what the pressed radio buttons do not ask for."""
    groups = {"severity": ("=", Severity), "kind": ("=", FindingKind), "state": ("~=", State)}
    rules = []
    for group, (how, members) in groups.items():
        name = "states" if group == "state" else group
        for each in members:
            pressed = f"#findings:has(#{group}-{each}:checked)"
            rules.append(f'{pressed} .one:not([data-{name}{how}"{each}"]) {{ display: none }}\n')
    return "".join(rules)


# What it comes to

_WITNESSES: Final = {
    Witness.BROWSER: "seen with a browser",
    Witness.HEADERS: "seen by headers alone",
}


def _head(report: Report, seen: Overview, policy: Policy | None) -> dict[str, object]:
    scan, counts = report.scan, report.counts
    worst = next((each.value for each in Severity if counts[each]), "")
    reached = sum(row.is_reached for row in seen.states)
    facts = {
        "Pages": len(seen.pages),
        "States": reached,
        "Cookies": len(seen.cookies),
        "Third parties": len(seen.hosts),
        **{f"{each.value}s".capitalize(): counts[each] for each in Severity},
    }
    return {
        "scan": scan,
        "seen": seen,
        "when": _moment(scan.started),
        "witness": _WITNESSES[scan.witness],
        "with_browser": scan.witness is Witness.BROWSER,
        "lasted": took(scan),
        "policy_file": report.policy_file,
        "with_policy": policy is not None,
        "policy_words": _policy_words(report, policy),
        "verdict": _verdict(report, seen, reached),
        "worst": worst,
        "facts": tuple(facts.items()),
        "loud": {"Errors": "error", "Warnings": "warning"},
        "made_by": scan.made_by or "consentkit",
    }


def _moment(text: str) -> str:
    """A moment as people write it, ``22 November 2026, 03:00 UTC``; what is none, as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _policy_words(report: Report, policy: Policy | None) -> str:
    words = [report.policy_file] if report.policy_file else []
    if policy is not None:
        words.append(f"revision {policy.revision}")
    return ", ".join(words)


def _verdict(report: Report, seen: Overview, reached: int) -> str:
    where = f"on {counted(len(seen.pages), 'page')} in {counted(reached, 'state')}"
    if not seen.pages:
        return "Nothing could be judged: no page was seen."
    beside = f", beside {counted(len(report.known), 'finding')} in the baseline"
    if not report.findings:
        ending = beside if report.known else ""
        return f"Nothing that differs was found {where}{ending}."
    return f"{counts_in_words(report).capitalize()} {where}{beside if report.known else ''}."


def _parts(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    yield from (("findings", "Findings"), ("states", "States"), ("cookies", "Cookies and storage"))
    yield "hosts", "Third parties"
    if values["with_browser"]:
        yield "seconds", "The first seconds"
    if values["pictures"] or values["pictures_left"]:
        yield "screenshots", "Screenshots"
    yield from (("banner", "The banner"), ("pages", "Pages"), ("reading", "How to read this"))


_ALWAYS: Final = "A scan sees what a visitor without an account sees, from one place, on one day."


# Findings


def _of_findings(report: Report) -> dict[str, object]:
    shown = report.findings[:MOST_FINDINGS]
    kinds = Counter(each.kind for each in shown)
    severities = Counter(each.severity for each in shown)
    states = Counter(state for each in shown for state in each.states)
    return {
        "findings": shown,
        "findings_left": len(report.findings) - len(shown),
        "severities": [(each, severities[each]) for each in Severity if severities[each]],
        "kinds": [(each, kinds[each]) for each in FindingKind if kinds[each]],
        "finding_states": [(each, states[each]) for each in report.scan.states if states[each]],
        "known": report.known,
        "gone": report.gone,
    }


# What was seen


class _Page(NamedTuple):
    """A page, and what each state's visit came to: a status, or that it showed nothing."""

    path: str
    title: str
    status: dict[State, str]


class _Mark(NamedTuple):
    """An event on a timeline: `place` in per cent of its width, `y` in pixels."""

    what: str
    place: str
    y: int


class _Line(NamedTuple):
    """A timeline, and what it shows in words."""

    state: State
    words: str
    marks: tuple[_Mark, ...]
    events: tuple[Event, ...]
    left: int


_LANES: Final = {"cookie": 18, "third-party cookie": 43, "request": 68}


def _of_visits(scan: Scan, seen: Overview) -> dict[str, object]:
    pages: dict[str, _Page] = {}
    for visit in scan.visits:
        page = pages.setdefault(visit.page, _Page(visit.page, visit.title, {}))
        page.status[visit.state] = "failed" if visit.error else str(visit.status)
    lines = [row for row in seen.states if row.first]
    scale = _scale(max((event.moment for row in lines for event in row.events), default=0))
    ticks = [(25 * part, _seconds(scale * part / 4), _ANCHORS[part]) for part in range(5)]
    firsts = {row.first.page for row in lines if row.first}
    return {
        "pages": tuple(pages.values()),
        "timelines": [_line(row, scale) for row in lines],
        "ticks": ticks,
        "first_page": next(iter(firsts)) if len(firsts) == 1 else "its first page",
        "violations": Counter(seen.violations).most_common(),
    }


_ANCHORS: Final = ("start", "middle", "middle", "middle", "end")


def _scale(last: int) -> int:
    """The milliseconds that a timeline is long: a round number that has everything."""
    size = 1000
    while size < last:
        size = size * 2 if str(size)[0] in "15" else size * 5 // 2
    return size


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:g} s"


def _line(row: StateRow, scale: int) -> _Line:
    marks = [
        _Mark(event.what, f"{100 * max(event.moment, 0) / scale:.2f}", _LANES[event.what])
        for event in row.events
    ]
    numbers = Counter(event.what for event in row.events)
    parts = [
        f"{counted(numbers[what], what)}{' to third parties' if what == 'request' else ''}"
        for what in _LANES
        if numbers[what]
    ]
    words = f"{', '.join(parts)}; the first after {row.events[0].moment} ms." if parts else ""
    return _Line(
        row.state,
        words or "Nothing was stored, and nothing was asked of others.",
        tuple(dict.fromkeys(marks)),
        row.events[:MOST_EVENTS],
        max(len(row.events) - MOST_EVENTS, 0),
    )


def _flags(cookie: SeenCookie) -> str:
    words = [
        *(["Secure"] if cookie.secure else []),
        *(["HttpOnly"] if cookie.http_only else []),
        *([f"SameSite={cookie.same_site.capitalize()}"] if cookie.same_site else []),
        *(["Partitioned"] if cookie.partitioned else []),
    ]
    return ", ".join(words) or "no attributes"


# The banner

_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{3,8}|rgba?\([0-9., %]{5,40}\)")


def _of_banner(seen: Overview) -> dict[str, object]:
    banner = seen.banner
    if banner is None:
        return {"banner_words": "", "looks": (), "samples": ()}
    pair = (banner.refuse, banner.accept)
    samples = [_sample(each) for each in pair]
    return {
        "banner_words": _banner_words(banner),
        "looks": tuple(_looks(*pair)),
        "samples": samples if any(samples) else (),
    }


def _banner_words(banner: Banner) -> str:
    unknown = banner.tool == "unknown"
    tool = "No known tool made it." if unknown else f"{banner.tool} made it."
    ways = f"Its way to the settings says “{banner.settings}”." if banner.settings else ""
    if banner.axe is None:
        axe = "axe-core was not there to ask."
    elif banner.axe:
        axe = f"It breaks rules of axe-core: {', '.join(banner.axe)}."
    else:
        axe = "axe-core finds nothing wrong with it."
    return " ".join(filter(None, (tool, ways, axe)))


def _looks(refuse: Look | None, accept: Look | None) -> Iterator[tuple[str, str, str]]:
    """What there is to compare of two buttons; a stroke for one that is not on the first layer."""

    def both(words: str, form: str) -> tuple[str, str, str]:
        refused, accepted = (
            form.format(look=look) if look else "not on the first layer"
            for look in (refuse, accept)
        )
        return words, refused, accepted

    yield both("Says", "{look.label}")
    yield both("Size", "{look.width} by {look.height} px")
    yield both("Type", "{look.font_size:g} px, weight {look.font_weight}")
    yield both("Colours", "{look.color} on {look.background}")


def _sample(look: Look | None) -> tuple[str, str] | None:
    """The colours of a button to draw it with; None if they are no colours."""
    if look and _COLOUR.fullmatch(look.color) and _COLOUR.fullmatch(look.background):
        return look.color, look.background
    return None


# Pictures


class _Picture(NamedTuple):
    state: State
    page: str
    alt: str
    source: Markup


_MAGIC: Final = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}


def _gallery(seen: Overview, folder: Path | None) -> dict[str, object]:
    """A screenshot for each state, as far as they are not too large."""
    shown: list[_Picture] = []
    left, room = 0, LARGEST_GALLERY
    for row in seen.states:
        visit = row.pictured
        if visit is None or visit.screenshot is None or folder is None:
            continue
        content = _picture(folder / Path(visit.screenshot).name)
        kind = next((_MAGIC[each] for each in _MAGIC if content.startswith(each)), None)
        if kind is None or len(content) > room:
            left += 1
            continue
        room -= len(content)
        source = f"data:{kind};base64,{b64encode(content).decode('ascii')}"
        alt = f"The top of {visit.page} in state {row.state.value}: {STATES[row.state]}."
        banner = "A banner is there." if visit.banner else "No banner was seen."
        picture = Markup(source)  # noqa: S704 - it is base64 and a type of ours
        shown.append(_Picture(row.state, visit.page, f"{alt} {banner}", picture))
    return {"pictures": tuple(shown), "pictures_left": left}


def _picture(path: Path) -> bytes:
    """A file's bytes; none if it is not there, or too large."""
    try:
        return path.read_bytes() if path.stat().st_size <= LARGEST_PICTURE else b""
    except OSError:
        return b""
