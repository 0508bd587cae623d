"""Only what is new fails; what is known stays known, and what is gone is told."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentkit.audit.baseline import Baseline, KnownFinding, print_baseline, read_baseline
from consentkit.audit.findings import FindingKind, Report, Severity, report_on
from consentkit.audit.kinds import Finding, Subject
from consentkit.audit.seen import State, Visit, Witness
from consentkit.errors import ScanError
from tests.audit.sites import scan_of
from tests.audit.test_findings import policy, setting, visit

TODAY = date(2026, 11, 22)
LATER = date(2026, 12, 24)
K = FindingKind
EVERY_STATE = tuple(visit(state) for state in State)
SUBJECTS: tuple[Subject, ...] = ("cookie", "storage", "host", "service", "banner", "site")

entries = st.builds(
    KnownFinding,
    st.sampled_from([*FindingKind]),
    st.sampled_from(SUBJECTS),
    st.text(st.characters(), max_size=30),
    st.sampled_from(["", "2026-11-22"]),
    st.text(st.characters(), max_size=30),
)
baselines = st.lists(entries, max_size=5).map(
    lambda listed: Baseline({each.key: each for each in listed})
)


def known(kind: FindingKind, subject: Subject = "cookie", name: str = "x") -> Baseline:
    entry = KnownFinding(kind, subject, name)
    return Baseline({entry.key: entry})


def report(*names: str, visits: tuple[Visit, ...] = EVERY_STATE) -> Report:
    """A report with an undeclared cookie for each name."""
    whole = report_on(policy(), scan_of(*visits, *map(setting, names)))
    return replace(whole, findings=tuple(f for f in whole.findings if f.kind is K.UNDECLARED))


# What it does


def test_only_what_is_new_fails() -> None:
    """Todd Snyder's forty days: a banner that vanished is new, whatever else is known."""
    first = report("old")
    baseline = Baseline().renewed(first, TODAY)
    assert first.fails()
    tonight = baseline.apply(report("old", "new"))
    assert [finding.name for finding in tonight.findings] == ["new"]
    assert [finding.name for finding in tonight.known] == ["old"]
    assert tonight.fails()
    assert not baseline.apply(report("old")).fails(Severity.NOTE)
    assert Baseline().apply(first) == first


def test_what_is_gone_is_told() -> None:
    """So that people take it out, and it fails if it comes back."""
    baseline = Baseline().renewed(report("a", "b"), TODAY)
    assert baseline.apply(report("b")).gone == ("undeclared:cookie:a",)
    assert baseline.apply(report("a", "b")).gone == ()


def test_a_baseline_that_is_applied_twice_is_applied_once() -> None:
    """What is known already is known again."""
    baseline = Baseline().renewed(report("old"), TODAY)
    once = baseline.apply(report("old", "new"))
    assert baseline.apply(once) == once


def test_writing_it_anew_keeps_the_day_and_the_reason() -> None:
    """A person wrote why; no machine takes that away while the finding stands."""
    why = "the balancer's, ticket 17"
    entry = KnownFinding(K.UNDECLARED, "cookie", "old", "2026-11-01", why)
    gone = KnownFinding(K.UNDECLARED, "cookie", "gone", "2026-11-01")
    old = Baseline({entry.key: entry, gone.key: gone})
    renewed = old.renewed(old.apply(report("old", "new")), LATER)
    assert renewed.entries == {
        entry.key: entry,
        "undeclared:cookie:new": KnownFinding(K.UNDECLARED, "cookie", "new", "2026-12-24"),
    }


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (K.BEFORE_ANSWER, State.UNTOUCHED),
        (K.THIRD_PARTY_EARLY, State.UNTOUCHED),
        (K.NO_BANNER, State.UNTOUCHED),
        (K.AFTER_REFUSAL, State.REFUSED),
        (K.STILL_SENT, State.WITHDRAWN),
        (K.AGAINST_SIGNAL, State.SIGNAL),
        (K.UNDECLARED, State.GRANTED),
        (K.NEVER_SEEN, State.GRANTED),
        (K.LIVES_LONGER, State.UNTOUCHED),
    ],
)
def test_gone_is_only_what_the_scan_could_have_found(kind: FindingKind, state: State) -> None:
    """A night on which a button was not found says nothing of what comes after it."""
    baseline = known(kind)
    others = tuple(each for each in EVERY_STATE if each.state is not state)
    broken = (*others, visit(state, error="timeout"))
    for visits, gone in ((EVERY_STATE, True), (others, False), (broken, False)):
        seen = Report(scan_of(*visits))
        assert bool(baseline.apply(seen).gone) is gone
        assert (baseline.renewed(seen, TODAY) == baseline) is not gone


@pytest.mark.parametrize(
    ("kind", "subject", "is_gone"),
    [
        (K.UNDECLARED, "cookie", True),
        (K.UNDECLARED, "storage", False),
        (K.UNDECLARED, "host", False),
        (K.THIRD_PARTY_EARLY, "service", False),
        (K.NO_BANNER, "banner", False),
        (K.NEVER_SEEN, "cookie", False),
        (K.REFUSING_HARDER, "banner", False),
        (K.TABLE_DIFFERS, "cookie", False),
    ],
)
def test_headers_alone_say_little_of_what_is_gone(
    kind: FindingKind,
    subject: Subject,
    is_gone: bool,  # noqa: FBT001  # a word for a switch
) -> None:
    """What they cannot see is not gone; a table that was not found is not mended."""
    by_headers = Report(scan_of(*EVERY_STATE, witness=Witness.HEADERS))
    assert bool(known(kind, subject).apply(by_headers).gone) is is_gone
    by_browser = Report(scan_of(*EVERY_STATE, shown=()))
    assert known(kind, subject).apply(by_browser).gone != ()


# The file


@given(baselines)
def test_what_is_printed_is_read(baseline: Baseline) -> None:
    """parse∘print = identity, whatever the names and the reasons."""
    text = print_baseline(baseline)
    assert read_baseline(text).entries == baseline.entries
    assert read_baseline(text.encode()) == read_baseline(text)
    assert text.replace("\n", "").isprintable() or not text.isascii()
    assert text.encode()


@given(baselines)
def test_the_file_is_sorted_and_the_same_for_the_same(baseline: Baseline) -> None:
    """A diff shows what came and what went, and nothing else."""
    backwards = Baseline(dict(reversed([*baseline.entries.items()])))
    assert print_baseline(backwards) == print_baseline(baseline)
    kinds = [each["kind"] for each in json.loads(print_baseline(baseline))["findings"]]
    assert kinds == sorted(kinds)


def test_the_file_is_one_fact_a_line() -> None:
    """As a person reads and edits it."""
    entry = KnownFinding(K.UNDECLARED, "cookie", "a\u202eb", "2026-11-22", "für später")
    assert print_baseline(Baseline({entry.key: entry})) == (
        '{\n  "format": 1,\n  "findings": [\n    {\n      "kind": "undeclared",\n'
        '      "subject": "cookie",\n      "name": "a\\u202eb",\n      "since": "2026-11-22",\n'
        '      "reason": "für später"\n    }\n  ]\n}\n'
    )
    assert read_baseline(print_baseline(Baseline())) == Baseline({})


def test_a_person_may_leave_the_day_and_the_reason_out() -> None:
    """The key is enough."""
    text = '{"format": 1, "findings": [{"kind": "undeclared", "subject": "cookie", "name": "x"}]}'
    assert read_baseline(text).entries == known(K.UNDECLARED).entries


GOOD = {"kind": "undeclared", "subject": "cookie", "name": "x"}


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("", "b.json", "it is no JSON"),
        ("[" * 100_000, "b.json", "it is no JSON"),
        ("{'a': 1}", "b.json", "it is no JSON"),
        (b"\xff\xfe\xfa", "b.json", "it is no JSON"),
        ("[]", "b.json", "it is no baseline: the outermost value is no object"),
        ("{}", "b.json", "its 'format' is None, and this version reads 1"),
        ('{"format": 2}', "b.json", "its 'format' is 2"),
        ('{"format": "\\u001b[31m"}', "b.json", "its 'format' is"),
        ('{"format": 1}', "b.json", "it has no list of 'findings'"),
        ('{"format": 1, "findings": {}}', "b.json", "it has no list of 'findings'"),
    ],
)
def test_what_is_no_baseline_is_refused(text: str | bytes, where: str, what: str) -> None:
    """Where, what, and what to do: on one line, with nothing that a terminal would obey."""
    with pytest.raises(ScanError) as caught:
        read_baseline(text, where)
    assert str(caught.value).startswith(f"{where}: {what}")
    assert "--write-baseline" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (1, "Input should be"),
        ({}, "'kind': Field required"),
        (GOOD | {"kind": "nonsense"}, "'kind': Input should be"),
        (GOOD | {"subject": "page"}, "'subject': Input should be"),
        (GOOD | {"name": 7}, "'name': Input should be"),
        (GOOD | {"since": "yesterday"}, "'since': String should match"),
        (GOOD | {"page": "/"}, "'page': Extra inputs"),
    ],
)
def test_an_entry_that_is_none_is_told_by_its_number(entry: object, what: str) -> None:
    """A slip in a file that people edit is found at once."""
    text = json.dumps({"format": 1, "findings": [GOOD, entry]})
    with pytest.raises(ScanError, match=r"b\.json: finding 2: ") as caught:
        read_baseline(text, "b.json")
    assert what in str(caught.value)
    assert "Correct the entry" in str(caught.value)


def test_an_entry_that_is_there_twice_is_refused() -> None:
    """Of two reasons, nobody could tell which one counts."""
    with pytest.raises(ScanError, match="finding 2: it stands there twice"):
        read_baseline(json.dumps({"format": 1, "findings": [GOOD, GOOD | {"reason": "b"}]}))


@settings(max_examples=40, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_any_json_is_a_baseline_or_an_error(plain: Any) -> None:
    """No file of any content ends in a traceback."""
    for told in (plain, {"format": 1, "findings": plain}, {"format": 1, "findings": [plain]}):
        with suppress(ScanError):
            assert read_baseline(json.dumps(told)).entries == {}


def test_a_finding_and_its_entry_have_one_key() -> None:
    """What is written today is known tomorrow."""
    (finding,) = report("lb").findings
    (entry,) = Baseline().renewed(report("lb"), TODAY).entries.values()
    assert entry.key == finding.key == "undeclared:cookie:lb"
    assert Finding(K.NO_BANNER, "banner", "every page", "w", "c").key == (
        "no-banner:banner:every page"
    )
