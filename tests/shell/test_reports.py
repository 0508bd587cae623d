import io
from pathlib import Path
from typing import Any

import pytest

from consentkit import Policy
from consentkit.rules.changes import changes_between
from consentkit.rules.policy_file import inspect_policy, inspect_text, read_policy
from consentkit.shell.explanations import explain
from consentkit.shell.reports import (
    Checked,
    changes_json,
    check_json,
    checked,
    counted,
    show_changes,
    show_checked,
    show_explanation,
    show_summary,
)
from consentkit.shell.terminal import Screen
from tests.shell.policies import LIBRARY, NECESSARY

UNMARKED = LIBRARY.replace("duration: 2 hours", "duration: 3 days")
MARKED = UNMARKED.replace("revision: 3", "revision: 4").replace(
    "duration: 3 days", "duration: 3 days, since: 4"
)


def screen() -> tuple[Screen, io.StringIO]:
    stream = io.StringIO()
    return Screen(stream), stream


def check(text: str, old: Policy | None = None, frameworks: tuple[str, ...] = ()) -> Checked:
    return checked(inspect_text(text, "consent.yaml"), old, frameworks)


def shown(report: Checked) -> str:
    there, stream = screen()
    show_checked(there, report)
    return stream.getvalue()


@pytest.mark.parametrize(("number", "words"), [(0, "no faults"), (1, "1 fault"), (2, "2 faults")])
def test_a_number_and_its_noun(number: int, words: str) -> None:
    """Nobody wants to read of 1 faults."""
    assert counted(number, "fault") == words


def test_a_policy_that_holds_is_told_to_the_end() -> None:
    """Its table, its visit, its count."""
    text = shown(check(LIBRARY))
    assert "analytics  consent             blocked    blocked  allowed  blocked" in text
    assert "Consent (polls and analytics). The banner asks" in text
    assert text.endswith("consent.yaml: no faults, no warnings.\n")


def test_a_policy_with_faults_has_no_visit() -> None:
    """What does not hold allows nothing, and a table of it would be a guess."""
    text = shown(check(LIBRARY.replace("purpose: analytics\n", "purpose: analitics\n")))
    assert "What is allowed" not in text
    assert "^^^^^^^^^" in text
    assert text.endswith("consent.yaml: 1 fault, no warnings.\n")


def test_warnings_are_shown_and_counted() -> None:
    """They stop nothing; the visit is told all the same."""
    report = check(LIBRARY.replace("mode: explicit", "mode: implied"))
    assert report.warnings
    assert "warning: " in shown(report)
    assert "What is allowed" in shown(report)


def test_what_changed_unmarked_is_a_fault_in_its_place() -> None:
    """Held against the policy as it was: visitors would not be asked about the longer life."""
    old = read_policy(LIBRARY)
    report = check(UNMARKED, old)
    assert report.policy is None
    (fault, *_) = report.faults
    lines = UNMARKED.splitlines()
    assert "_gat*" in lines[fault.line - 1] or "revision" in lines[fault.line - 1]
    assert check(UNMARKED).faults == ()
    assert check(MARKED, old).faults == ()


def test_a_doubt_about_what_changed_is_a_warning() -> None:
    """New words may mean something new; no program can tell."""
    report = check(
        LIBRARY.replace("Remembers that you voted.", "Keeps your vote."), read_policy(LIBRARY)
    )
    assert report.faults == ()
    assert report.warnings


def test_a_problem_that_no_file_says_stands_at_the_whole_file() -> None:
    """What is missing has no line."""
    old = read_policy(LIBRARY)
    report = check(
        UNMARKED.replace("revision: 3\n", "")
        .replace("since: 3", "since: 1")
        .replace(", since: 2", ""),
        old,
    )
    assert [fault.line for fault in report.faults if "revision" in fault.what][:1] == [0]


def test_a_framework_whose_cookies_are_not_declared_gets_a_note() -> None:
    """Informational: it is installed, and nobody can know that it is used."""
    (note,) = check(LIBRARY, frameworks=("django",)).notes
    assert note.startswith("Django is installed")
    assert "write 'uses: [django]'" in note
    declared = LIBRARY + "uses: [django]\n"
    assert check(declared, frameworks=("django",)).notes == ()
    report = check(LIBRARY, frameworks=("django",))
    assert "note: Django is installed" in shown(report)
    assert shown(report).endswith("no faults, no warnings.\n")


def test_several_files_have_a_summary() -> None:
    """The last line of a long run says whether it was good."""
    there, stream = screen()
    show_summary(there, [check(LIBRARY), check("mode: x\n")])
    assert stream.getvalue().startswith("\n2 files: ")
    assert "no warnings" in stream.getvalue()


def test_a_check_for_machines() -> None:
    """Every key is there, whether the policy holds or not."""
    good, bad = check(LIBRARY), check("mode: x\n")
    document: dict[str, Any] = check_json([good, bad], is_good=False)
    first, second = document["files"]
    assert first.keys() == second.keys()
    assert (document["ok"], document["faults"]) == (False, len(bad.faults))
    assert second["purposes"] == []


def explained(name: str, text: str = LIBRARY) -> str:
    inspection = inspect_text(text, "consent.yaml")
    there, stream = screen()
    for each in explain(read_policy(text), name):
        show_explanation(there, each, inspection)
    return stream.getvalue()


def test_an_explanation_shows_the_line_that_declares() -> None:
    """The file and the line first: whoever asks why mostly wants to change it."""
    assert explained("_ga").startswith(
        "_ga: declared by this very name.\n"
        "consent.yaml:25:3\n"
        "   25 |   _ga:\n"
        "      |   ^^^\n"
        "\n"
        "key       value                              where\n"
    )
    assert "basis     consent, from the mode 'explicit'  consent.yaml:2" in explained("_ga")


def test_an_explanation_has_a_row_for_each_state() -> None:
    """Who is blocked, who is allowed, and because of what."""
    text = explained("_ga")
    assert "has not answered" in text
    assert "said yes before" in text
    assert "not answered yet (analytics)" in explained("_gat1")
    assert "Asked for 10 years, it is given 13 months; asked for the session, the" in text


def test_what_is_always_so_is_one_line() -> None:
    """Strictly necessary, or undeclared."""
    said = "Whatever a visitor answers: store allowed, read allowed (strictly necessary).\n"
    assert said in explained("sid")
    assert "Whatever a visitor answers: store blocked, read blocked (not declared)." in (
        explained("other")
    )
    assert "Asked for" not in explained("sid")


def test_a_default_is_said_to_be_one() -> None:
    """No line decides it, because nobody wrote it."""
    assert "No file says so: it is the default." in explained("other", NECESSARY)
    assert "No file says so" not in explained("other")
    assert "Did you mean 'cart'?" in explained("carts")


def test_a_token_has_neither_line_nor_states() -> None:
    """It is in no file."""
    text = explained("__Host-consent")
    assert "consent.yaml" not in text
    assert "Whatever" not in text


def told(old: str, new: str) -> str:
    there, stream = screen()
    show_changes(there, changes_between(read_policy(old), read_policy(new)))
    return stream.getvalue()


def test_changes_are_told_with_who_is_asked() -> None:
    """Asked again, not marked, or not asked: a word each, and a sentence at the end."""
    assert told(LIBRARY, LIBRARY) == "Nothing changed that is declared.\n"
    assert "asked again  " in told(LIBRARY, MARKED)
    assert "Visitors will be asked again about " in told(LIBRARY, MARKED)
    assert "not marked   " in told(LIBRARY, UNMARKED)
    assert "consentkit check --against" in told(LIBRARY, UNMARKED)
    shorter = LIBRARY.replace("duration: 2 hours", "duration: 1 hour")
    assert told(LIBRARY, shorter).endswith("Nobody needs to be asked again.\n")


def test_changes_for_machines() -> None:
    """Two booleans to branch on, and each change."""
    document = changes_json(changes_between(read_policy(LIBRARY), read_policy(UNMARKED)))
    assert document["lacksMarks"] is True
    assert document["asksAgain"] is False
    assert changes_json(()) == {"asksAgain": False, "lacksMarks": False, "changes": []}


def test_a_template_that_cannot_stand_is_a_fault_at_its_key(tmp_path: Path) -> None:
    """What would stop the site's start is found before: R-12 holds in a site's own markup too."""
    policy = tmp_path / "consent.yaml"
    for folder, own in (("good", "line.html"), ("bad", "banner.html")):
        (tmp_path / folder).mkdir()
        text = '{% extends "consentkit/line.html" %}' if folder == "good" else "Do as you like."
        (tmp_path / folder / own).write_text(text, "utf-8")
    policy.write_text(f"{LIBRARY}templates: good\n", "utf-8")
    assert not checked(inspect_policy(policy)).faults
    policy.write_text(f"{LIBRARY}templates: bad\n", "utf-8")
    [fault] = checked(inspect_policy(policy)).faults
    assert fault.line == LIBRARY.count("\n") + 1
    assert fault.what.startswith("template 'banner.html': nothing in it has the id")
    assert "extends" in fault.cure


def test_words_that_read_alike_are_a_fault_where_they_are_said() -> None:
    """Beside a label of ours: what the rules alone cannot know (R-12)."""
    good = f"{LIBRARY}texts: {{en: {{settings: Cookies here}}}}\n"
    assert not checked(inspect_text(good, "consent.yaml")).faults
    alike = f"{LIBRARY}texts: {{en: {{accept_all: Reject all}}}}\n"
    [fault] = checked(inspect_text(alike, "consent.yaml")).faults
    assert fault.line == LIBRARY.count("\n") + 1
    assert "both say 'Reject all'" in fault.what
    banner = f"{LIBRARY}banner: {{reject: Accept all}}\n"
    [fault] = checked(inspect_text(banner, "consent.yaml")).faults
    assert "both say 'Accept all'" in fault.what
