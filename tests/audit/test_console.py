"""The report on a terminal: what it says, in which order, on which screens; it does no harm."""

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.console import Progress, counts_in_words, show_report, took
from consentkit.audit.findings import Report
from consentkit.audit.kinds import FINDINGS, Finding, FindingKind
from consentkit.audit.seen import Act, State, Visit
from consentkit.shell.terminal import Screen, width_of
from tests.audit.reports import EMPTY, GOOD, REPORT, SCAN, policy
from tests.audit.reports import FINDINGS as FOUND

HOSTILE = "\x1b[2J\x9b31m\u202egnp.exe\u2066\r\n"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def stream_in(encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True, newline="\n")


def text_of(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def told(
    report: Report,
    *,
    width: int = 80,
    encoding: str = "utf-8",
    written: tuple[str, ...] = (),
    **on: bool,
) -> str:
    stream = stream_in(encoding)
    show_report(Screen(stream, width=width, **on), report, policy(), written=written)
    return text_of(stream)


# What it says


def test_every_finding_says_what_where_why_and_what_to_do() -> None:
    """A finding without its place, its rule and its cure is a riddle."""
    text = " ".join(told(REPORT, width=100).split())
    for finding in FOUND:
        assert finding.what in text
        assert finding.cure in text
        assert f"{', '.join(FINDINGS[finding.kind].law)} ({finding.kind.value})" in text
        for page in finding.pages[:3]:
            assert page in text


def test_a_finding_begins_with_its_line_in_the_policy() -> None:
    """As `check` does, so that editors lead there."""
    text = told(REPORT)
    assert "\nconsent.yaml:14: error: '_ga' is stored before anybody answers" in text
    assert "\nerror: tag.counter.example is asked for scripts" in text


def test_a_finding_is_never_without_a_name() -> None:
    """`The table does not have it` says nothing without what `it` is."""
    nameless = replace(FOUND[0], what="The table shown does not have it.")
    assert "error: _ga: The table shown does not have it." in told(
        replace(REPORT, findings=(nameless,))
    )
    assert "_ga: '_ga'" not in told(REPORT)
    assert "clicks: To refuse" not in told(REPORT)


def test_the_yaml_that_cures_stands_below_and_can_be_copied() -> None:
    """Its indentation is whole, with nothing between its lines."""
    text = told(REPORT)
    assert (
        "          services:\n"
        "            counter:\n"
        "              purpose: counting\n"
        "              provider: FILL IN\n"
        "              hosts: [tag.counter.example]\n"
    ) in text


def test_the_worst_comes_first_in_the_table_too() -> None:
    """What stands first is read."""
    text = told(REPORT)
    places = [text.index(f"\n{word} ") for word in ("error", "warning", "note")]
    assert places == sorted(places)
    assert "  before-answer    1    1          -        -        -          -\n" in text
    assert "  attributes       1    1          1        1        1          1\n" in text


@pytest.mark.parametrize(
    ("width", "there", "not_there"),
    [
        (60, "every state", "banner on"),
        (80, "  still-sent", "every state  "),
        (110, "Still there after a withdrawal", "  still-sent  "),
    ],
)
def test_a_table_says_as_much_as_the_screen_is_wide(width: int, there: str, not_there: str) -> None:
    """A table that breaks inside its words is no table."""
    text = told(REPORT, width=width)
    assert there in text
    assert not_there not in text


def test_what_was_visited_comes_before_what_was_found() -> None:
    """A count of findings means nothing without how much was looked at."""
    text = told(REPORT)
    assert text.startswith("https://library.example, with a browser, 2026-11-22, in 1 min 33 s\n")
    assert text.index("\nuntouched ") < text.index("Not judged") < text.index("What was found")
    assert "refused    6      2        1              0 of 6     2\n" in text


def test_what_could_not_be_judged_is_said_once() -> None:
    """Silence about it would read as praise."""
    report = replace(REPORT, unjudged=(*REPORT.unjudged, *REPORT.unjudged))
    text = told(report)
    assert text.count("The site shows no table of its cookies") == 1
    assert "  • robots.txt asks for it: /admin, /search?q=\n" in text


def test_a_state_that_was_not_reached_is_not_shown_as_empty() -> None:
    """No cookie in a state that nobody saw is no evidence."""
    visits = tuple(visit for visit in SCAN.visits if visit.state is not State.WITHDRAWN)
    scan = replace(SCAN, visits=visits, acts=(Act(State.WITHDRAWN, None, "no way back was found"),))
    text = told(replace(REPORT, scan=scan))
    assert "withdrawn  not reached  -        -              -          -\n" in text


def test_many_failures_are_counted_and_three_are_named() -> None:
    """A site that fell over half way gives one line, not a thousand."""
    failed = tuple(Visit(f"/{n}", State.GRANTED, error="no answer") for n in range(40))
    text = told(replace(REPORT, scan=replace(SCAN, visits=failed)))
    assert "  • no answer: /0 (granted), /1 (granted), /2 (granted) and 37 more\n" in text


def test_what_is_in_the_baseline_is_one_line() -> None:
    """It was read once already."""
    text = told(Report(SCAN, FOUND[:1], "consent.yaml", FOUND[1:], gone=("a", "b")))
    assert "\n6 findings more in the baseline, not shown.\n" in text
    assert "2 findings of the baseline are gone" in text
    assert "still sent" not in text
    assert "1 finding of the baseline is gone" in told(replace(REPORT, gone=("a",)))


def test_a_thousand_findings_are_not_all_told() -> None:
    """Nobody reads them in a terminal; the numbers are whole."""
    many = tuple(replace(FOUND[0], name=f"c{n}", what=f"c{n} is stored.") for n in range(1000))
    text = told(replace(REPORT, findings=many))
    assert text.count(" is stored.") == 50
    assert "And 950 findings more, which --html and --json tell of." in text
    assert "1000 errors" in text


def test_a_long_draft_is_cut() -> None:
    """A service with five hundred hosts does not push everything else away."""
    draft = "\n".join(f"- h{n}" for n in range(500))
    text = told(replace(REPORT, findings=(replace(FOUND[0], draft=draft),)))
    assert "- h39\n" in text
    assert "- h40\n" not in text
    assert "460 lines more" in text


# What to do next

JSON = ("report.json", "report.html")
DRAFTLESS = replace(REPORT, findings=FOUND[:2])


@pytest.mark.parametrize(
    ("report", "written", "last"),
    [
        (REPORT, (), "Next: put the YAML above into consent.yaml"),
        (DRAFTLESS, (), "Next: begin with the first finding, and scan again."),
        (GOOD, (), "Next: keep it so, and scan every night with --baseline."),
        (
            Report(SCAN, (), "consent.yaml", FOUND),
            (),
            "Next: nothing is new; what is in the baseline",
        ),
        (EMPTY, (), "Nothing was seen. Check the address"),
        (replace(REPORT, policy_file=None), (), "Next: scan again with --json report.json"),
        (
            replace(REPORT, policy_file=None),
            JSON,
            "Next: draft a policy from what was seen: consentkit init --from-scan report.json",
        ),
    ],
)
def test_the_end_says_what_to_do_next(report: Report, written: tuple[str, ...], last: str) -> None:
    """A report that leaves its reader there has done half its work."""
    end = told(report, width=100, written=written).splitlines()[-1]
    assert end.startswith(last)


def test_the_files_that_were_written_are_named() -> None:
    """Somebody wants to open them."""
    assert "Written: report.json, report.html.\n" in told(REPORT, written=JSON)
    assert "Written" not in told(REPORT)


def test_counts_stand_before_the_end() -> None:
    """A log that is cut still has them."""
    assert "https://library.example, 6 pages: 5 errors, 1 warning, 1 note.\n" in told(REPORT)
    assert counts_in_words(REPORT) == "5 errors, 1 warning, 1 note"
    assert counts_in_words(GOOD) == "nothing"


def test_how_long_it_took_is_told_where_it_is_known() -> None:
    """A scan that was broken off has no end, and other people's have what they have."""
    assert took(SCAN) == "1 min 33 s"
    assert took(replace(SCAN, ended="2026-11-22T03:00:09Z")) == "5 s"
    assert took(replace(SCAN, ended="")) == ""
    assert took(replace(SCAN, ended="2026-11-22T03:00:09")) == ""
    assert told(EMPTY).startswith("https://gone.example, by headers alone, 2026-11-22\n")


# Screens


@pytest.mark.parametrize("width", [60, 76, 80, 100, 120])
@pytest.mark.parametrize("framed", [True, False])
def test_no_line_is_wider_than_the_screen(*, width: int, framed: bool) -> None:
    """Drafts and a fault's first line off a terminal are never broken; these are short."""
    text = told(REPORT, width=width, is_framed=framed, is_watched=True)
    assert max(width_of(line) for line in ESCAPE.sub("", text).splitlines()) <= width


def test_colours_say_nothing_that_a_word_does_not() -> None:
    """NO_COLOR, a printer, a reader who sees no red: the same words."""
    coloured = told(REPORT, is_coloured=True)
    assert coloured != told(REPORT)
    assert ESCAPE.sub("", coloured) == told(REPORT)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_any_console_can_show_it(encoding: str) -> None:
    """Windows' old console has no Ω: it is spelled out, and nothing breaks."""
    found = (replace(FOUND[0], what="'Ω' is stored …"),)
    text = told(replace(REPORT, findings=found), encoding=encoding)
    assert ("'Ω' is stored" if encoding == "utf-8" else "'\\u03a9' is stored") in text


def hostile(text: str) -> Report:
    """A report with this text wherever a site can put one."""
    visit = Visit(text, State.UNTOUCHED, error=text)
    scan = replace(
        SCAN,
        visits=(*SCAN.visits, visit),
        left_out={text: text},
        acts=(Act(State.REFUSED, 1, text),),
    )
    finding = Finding(
        FindingKind.UNDECLARED,
        "cookie",
        text,
        text,
        text,
        text,
        (State.GRANTED,),
        (text,),
        1,
        text,
        3,
    )
    return Report(scan, (finding,), "consent.yaml", gone=(text,), unjudged=(text,))


@pytest.mark.parametrize("watched", [True, False])
def test_no_name_of_the_site_moves_the_cursor(*, watched: bool) -> None:
    """A cookie's name is the site's to choose, and a terminal obeys what it is sent."""
    text = told(hostile(HOSTILE), is_watched=watched)
    assert "\\x1b[2J\\x9b31m\\u202egnp.exe" in text
    assert not OBEYED.search(text)
    assert OBEYED.search(told(REPORT, is_coloured=True)), "the control: colours are escapes"


@given(st.text(max_size=20))
def test_any_name_can_be_told(text: str) -> None:
    """Whatever it is, there is a report, and it ends."""
    assert told(hostile(text)).splitlines()[-1]


def test_an_endless_name_is_cut() -> None:
    """Four kilobytes of a name are no help to anybody."""
    text = told(hostile("x" * 4096))
    assert "x" * 301 not in text.replace("\n", "").replace(" ", "")
    assert "x…" in text


# While it runs


def visits(number: int) -> Visit:
    return Visit(f"/{number}{HOSTILE}", State.GRANTED, 200)


def test_plain_progress_is_a_line_now_and_then() -> None:
    """A log gets a line every ten seconds, not one for every page."""
    stream, now = stream_in(), iter(range(0, 400, 4))
    with Progress(Screen(stream), clock=lambda: next(now)) as told_of:
        for number in range(9):
            told_of(visits(number), number + 1, 30)
    lines = text_of(stream).splitlines()
    assert len(lines) == 3
    assert lines[0] == "3 of 30 visits, granted: /2\\x1b[2J\\x9b31m\\u202egnp.exe\\u2066\\r\\n"


def test_a_terminal_has_a_bar() -> None:
    """It shows what is looked at, and leaves nothing behind when it is done."""
    stream = stream_in()
    with Progress(Screen(stream, width=60, is_framed=True, is_watched=True)) as told_of:
        for number in range(3):
            told_of(visits(number), number + 1, 3)
    text = text_of(stream)
    assert "3/3" in text
    assert "granted" in text
    assert "\\x1b[2J" in text
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    drawn = re.split("[\r\n]", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text))
    assert max(map(width_of, drawn)) <= 60
