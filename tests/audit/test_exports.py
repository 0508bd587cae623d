"""What machines are told: JSON that comes back, SARIF and JUnit that no name breaks."""

import json
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentkit.audit.baseline import Baseline, KnownFinding
from consentkit.audit.exports import json_text, junit, report_from_json, report_json, sarif
from consentkit.audit.findings import FINDINGS, FindingKind, Report, Severity, report_on
from consentkit.audit.kinds import Finding
from consentkit.audit.seen import SeenCookie, State
from consentkit.errors import ScanError
from consentkit.testing.policies import policies
from tests.audit.sites import obeying, scan_of
from tests.audit.test_findings import policy, setting, visit

K = FindingKind
HOSTILE = (
    "a\x1b]0;title\x07",
    "]]>",
    "</failure>&amp;\"'",
    "\u202eevil\u2066",
    "x" * 4096,
    "half\ud800",
    "line\nbreak\r\u2028\x85",
    "\ufeff\ufffe\uffff\x00\x0b",
    "\U000e0041 tag",
    "ü 🍪",
    "100% %zz %41",
)
NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=20))
SCAN = scan_of(*(visit(state) for state in State))

findings = st.builds(
    Finding,
    st.sampled_from([*FindingKind]),
    st.sampled_from(["cookie", "storage", "host", "service", "banner", "site"]),
    NAMES,
    NAMES,
    NAMES,
    NAMES,
    st.lists(st.sampled_from([*State]), unique=True).map(tuple),
    st.lists(NAMES.map("/{}".format), max_size=3).map(tuple),
    st.integers(0, 99),
    NAMES,
    st.one_of(st.none(), st.integers(1, 99)),
    st.one_of(st.none(), st.sampled_from([*Severity])),
)
several = st.lists(findings, max_size=3).map(tuple)
reports = st.builds(
    Report,
    st.just(SCAN),
    several,
    st.one_of(st.none(), st.just("consent.yaml"), NAMES),
    several,
    st.lists(findings.map(lambda finding: finding.key), max_size=2).map(tuple),
    st.lists(NAMES, max_size=2).map(tuple),
)


def told(**changes: Any) -> Report:
    """A report with one finding of each severity."""
    scan = scan_of(setting("lb"), setting("sid", secure=False), visit(State.GRANTED, "/b?c=d"))
    whole = report_on(policy(), scan, policy_file="consent.yaml", place_of=lambda *_: 7)
    return replace(whole, **changes)


# JSON


@pytest.mark.counted
@given(reports)
@settings(max_examples=50, deadline=None)
def test_a_report_comes_back_as_it_went(report: Report) -> None:
    """read∘write = identity, through text and through bytes, whatever a site is called."""
    text = json_text(report_json(report))
    assert report_from_json(json.loads(text)) == report
    assert text.encode("utf-8").decode("utf-8") == text


@given(policies())
@settings(max_examples=10, deadline=None)
def test_the_scan_is_in_the_report(some: Any) -> None:
    """`init --from-scan` reads it there."""
    scan = obeying(some)
    assert report_from_json(json.loads(json_text(report_json(Report(scan))))).scan == scan


def test_the_json_says_what_people_are_told() -> None:
    """The form of the plan: a summary, and each finding with its severity and its rules."""
    plain = report_json(told(gone=("undeclared:cookie:x",), known=(told().findings[0],)))
    assert (plain["format"], plain["policy"]) == (1, "consent.yaml")
    assert re.fullmatch(r"\d+\.\d+.*", plain["consentkit"])
    errors = [each for each in told().findings if each.severity is Severity.ERROR]
    assert plain["summary"]["error"] == len(errors)
    assert (plain["summary"]["known"], plain["summary"]["gone"]) == (1, 1)
    first = plain["findings"][0]
    assert first["severity"] == "error"
    assert first["law"] == ["R-26", "R-75"]
    assert first["title"] == FINDINGS[K.UNDECLARED].title


@given(NAMES)
def test_nothing_unseen_stands_in_the_text(name: str) -> None:
    """A report that is read in a terminal must not drive it, nor show one text as another."""
    text = json_text({"name": name, name: [name]})
    assert not re.search(
        "[^\n -\U0010ffff]|[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", text
    )
    assert not re.search("[\ud800-\udfff\ufeff\ufffe\uffff\U000e0000-\U000effff]", text)
    assert json.loads(text) == {"name": name, name: [name]}


@pytest.mark.parametrize(
    ("plain", "what"),
    [
        (None, "it is no report of a scan"),
        ([], "it is no report of a scan"),
        ({"format": 1}, "it is no report of a scan"),
        ({"scan": {}}, "its 'format' is None"),
        ({"scan": {}, "format": 9}, "its 'format' is 9, and this version reads 1"),
        ({"scan": {}, "format": 1}, "Field required"),
        ({"scan": 7, "format": 1}, "Input should be"),
    ],
)
def test_what_is_no_report_is_refused(plain: object, what: str) -> None:
    """Where, what, and what to do."""
    with pytest.raises(ScanError, match=r"^r\.json: ") as caught:
        report_from_json(plain, "r.json")
    assert what in str(caught.value)
    assert "--json" in str(caught.value)


@pytest.mark.parametrize("key", ["findings", "known", "gone", "unjudged", "policy"])
@pytest.mark.parametrize("value", [7, [7], {"a": 1}, [{"kind": "nonsense"}]])
def test_a_report_with_a_wrong_part_is_refused(key: str, value: object) -> None:
    """No content ends in a traceback, nor in half a report."""
    with pytest.raises(ScanError):
        report_from_json(report_json(Report(SCAN)) | {key: value})


# SARIF 2.1.0


def _is_sarif(log: dict[str, Any]) -> None:
    """What the schema asks of the parts that are written (SARIF 2.1.0, §3)."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule) <= {"id", "name", "shortDescription", "fullDescription", "help",
                             "helpUri", "defaultConfiguration", "properties"}  # fmt: skip
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
        assert rule["help"]["text"]
        assert rule["shortDescription"]["text"].endswith(".")
        tags = rule["properties"]["tags"]
        assert len({*tags}) == len(tags)
    for result in run["results"]:
        _is_a_result(result, rules)


def _is_a_result(result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    assert set(result) <= {"ruleId", "ruleIndex", "level", "kind", "message", "locations",
                           "relatedLocations", "partialFingerprints", "baselineState",
                           "properties"}  # fmt: skip
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] in ("none", "note", "warning", "error")
    # §3.27.10: where the kind is not "fail", the level is "none".
    assert (result.get("kind", "fail") == "fail") is (result["level"] != "none")
    assert result.get("baselineState", "new") in ("new", "unchanged", "updated", "absent")
    assert result["message"]["text"]
    assert re.fullmatch("[0-9a-f]{64}", result["partialFingerprints"]["consentkit/v1"])
    for place in (*result.get("locations", ()), *result.get("relatedLocations", ())):
        (physical,) = place.values()
        uri = physical["artifactLocation"]["uri"]
        assert re.fullmatch(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*", uri)
        assert not re.search("%(?![0-9A-Fa-f]{2})", uri)
        assert physical.get("region", {"startLine": 1})["startLine"] >= 1


@given(reports)
@settings(max_examples=50, deadline=None)
def test_any_report_makes_a_log_that_holds(report: Report) -> None:
    """SARIF 2.1.0: whatever the names, and nothing in a message that a terminal would obey."""
    log = sarif(report)
    _is_sarif(json.loads(json_text(log)))
    assert len(log["runs"][0]["results"]) == sum(
        map(len, (report.findings, report.known, report.gone))
    )
    for result in log["runs"][0]["results"]:
        assert result["message"]["text"].replace("\n", "").isprintable()


def test_a_result_stands_at_the_policys_line_or_at_the_page() -> None:
    """Code scanning shows a file and a line; a page is an address."""
    log = sarif(told())
    results = {each["ruleId"]: each for each in log["runs"][0]["results"]}
    declared = results["attributes"]
    (place,) = declared["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "consent.yaml"},
        "region": {"startLine": 7},
    }
    (page,) = declared["relatedLocations"]
    assert page["physicalLocation"]["artifactLocation"]["uri"] == "https://site.example/"
    undeclared = results["undeclared"]
    (place,) = undeclared["locations"]
    assert place["physicalLocation"] == {"artifactLocation": {"uri": "https://site.example/"}}
    assert "relatedLocations" not in undeclared
    assert "cookies:\n  lb:" in undeclared["message"]["text"]
    pages = [page["physicalLocation"]["artifactLocation"]["uri"]
             for page in results["never-seen"]["relatedLocations"]]  # fmt: skip
    assert pages == ["https://site.example/b?c=d"]
    nowhere = replace(told().findings[0], pages=())
    (result,) = sarif(told(findings=(nowhere,), known=()))["runs"][0]["results"]
    assert result["locations"] == undeclared["locations"]


@pytest.mark.parametrize(
    ("page", "uri"),
    [
        ("//evil.example/x", "https://site.example//evil.example/x"),
        ("/a%20b?c=%", "https://site.example/a%20b?c=%25"),
        ("/\u202e", "https://site.example/%E2%80%AE"),
        ("", "https://site.example/"),
    ],
)
def test_a_pages_address_is_one_of_the_site(page: str, uri: str) -> None:
    """Whatever a link on it said: no result may lead elsewhere."""
    finding = replace(told().findings[0], pages=(page,))
    (result,) = sarif(told(findings=(finding,)))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_folder_with_blanks_makes_an_address_all_the_same() -> None:
    """And Windows' own sign between folders is the others'."""
    log = sarif(told(policy_file="my site\\consent.yaml"))
    uris = {
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for each in log["runs"][0]["results"]
    }
    assert "my%20site/consent.yaml" in uris


def test_a_baseline_is_told_of_where_there_is_one() -> None:
    """§3.27.24: without a baseline no result has a state; with one, every result has."""
    report = told()
    states = [each.get("baselineState") for each in sarif(report)["runs"][0]["results"]]
    assert {*states} == {None}
    entries = [
        KnownFinding(K.UNDECLARED, "cookie", "lb"),
        KnownFinding(K.UNDECLARED, "cookie", "a:b"),
    ]
    applied = Baseline({each.key: each for each in entries}).apply(report)
    results = sarif(applied)["runs"][0]["results"]
    by_state = {each["baselineState"]: each for each in results}
    assert by_state.keys() == {"new", "unchanged", "absent"}
    assert by_state["absent"]["message"]["text"].startswith("cookie:a:b is in the baseline")
    fresh = sarif(report, has_baseline=True)["runs"][0]["results"]
    assert {each["baselineState"] for each in fresh} == {"new"}


def test_a_key_of_another_version_is_told_without_a_rule() -> None:
    """A report may be older or newer than this version's table."""
    (result,) = sarif(Report(SCAN, gone=("of-tomorrow:cookie:x",)))["runs"][0]["results"]
    assert (result["ruleId"], "ruleIndex" in result) == ("of-tomorrow", False)


def test_a_finding_has_one_fingerprint_whatever_page_it_was_seen_on() -> None:
    """Code scanning closes and opens alerts by it."""

    def prints(page: str) -> list[str]:
        report = report_on(policy(), scan_of(setting("lb", page=page)))
        results = sarif(report)["runs"][0]["results"]
        return [each["partialFingerprints"]["consentkit/v1"] for each in results]

    assert prints("/a") == prints("/b")
    assert len({*prints("/a")}) == len(prints("/a"))


# JUnit


@given(reports)
@settings(max_examples=50, deadline=None)
def test_any_report_makes_xml_that_is_read(report: Report) -> None:
    """XML 1.0 has no control characters, not even escaped: they are spelled out."""
    text = junit(report)
    root = ET.fromstring(text.encode("utf-8"))  # noqa: S314  # it is our own
    assert text.replace("\n", "").isprintable()
    suites = root.findall("testsuite")
    assert [suite.get("name", "").split(":")[0] for suite in suites] == [*FINDINGS]
    assert int(root.get("tests", "")) == len(root.findall("testsuite/testcase"))
    assert int(root.get("failures", "")) == len(root.findall("testsuite/testcase/failure"))
    assert int(root.get("skipped", "")) == len(report.known)
    for suite in suites:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))
    assert len(root.findall("testsuite/testcase/failure")) == sum(
        finding.severity is Severity.ERROR for finding in report.findings
    )


def test_a_failure_tells_all_that_is_known() -> None:
    """A dashboard shows the text of a failure and nothing else."""
    root = ET.fromstring(junit(told()))  # noqa: S314  # it is our own
    (failure,) = root.findall("testsuite/testcase/failure")
    text = failure.text or ""
    for part in ("No declaration covers", "Rules: R-26, R-75", "States: untouched", "Pages: /"):
        assert part in text
    assert "cookies:\n  lb:" in text
    assert failure.get("type") == "undeclared"
    warned = root.findall("testsuite/testcase[system-out]")
    assert {case.get("classname") for case in warned} == {"attributes", "never-seen"}
    passed = root.findall("testsuite/testcase[@name='nothing found']")
    assert len(passed) == len(FINDINGS) - 3


@pytest.mark.parametrize("least", [*Severity, None])
def test_what_fails_a_scan_fails_its_junit(least: Severity | None) -> None:
    """`--fail-on warning` ends with 1: a dashboard of the same scan is red then too."""
    report = told()
    assert {each.severity for each in report.findings} >= {Severity.ERROR, Severity.WARNING}
    root = ET.fromstring(junit(report, least))  # noqa: S314  # it is our own
    failures = len(root.findall("testsuite/testcase/failure"))
    worst = [each for each in report.findings if least and each.severity.rank <= least.rank]
    assert failures == int(root.get("failures", "")) == len(worst)
    assert bool(failures) == report.fails(least)


def test_what_is_known_is_skipped_and_pages_are_counted() -> None:
    """A baseline's findings are shown, and fail nothing."""
    cookie = SeenCookie("lb", "site.example", initiator="cdn.example/a")
    many = scan_of(*(visit(page=f"/{n}", cookies=(cookie,)) for n in range(12)))
    report = report_on(policy(), many)
    assert "Pages: /0, /1, /2, /3, /4, /5, /6, /7, /8, /9 and 2 more" in junit(report)
    assert "By: cdn.example/a" in junit(report)
    root = ET.fromstring(junit(replace(report, findings=(), known=report.findings)))  # noqa: S314  # ours
    (skipped,) = root.findall("testsuite/testcase/skipped")
    assert "in the baseline: No declaration covers" in (skipped.get("message") or "")
