r"""A report for machines: JSON that is read back, SARIF 2.1.0, and JUnit's XML.

It has never heard of files: a report goes in, plain values or text come out.

A site's names are strangers' words. What an eye cannot see (control characters, marks that turn the
direction of writing, halves of characters) is spelled out as an escape wherever it would be obeyed
or would break the form: JSON has escapes of its own, XML and the messages of SARIF have ``\x1b``.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cache
from hashlib import sha256
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from pydantic import TypeAdapter, ValidationError

from consentkit.audit.findings import Report
from consentkit.audit.kinds import FINDINGS, Finding, FindingKind, Severity
from consentkit.audit.seen import scan_from_json, scan_to_json
from consentkit.errors import ScanError
from consentkit.shell.drafts import visible
from consentkit.shell.terminal import OBEYED_BY_BUILDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["FORMAT", "json_text", "junit", "report_from_json", "report_json", "sarif"]

FORMAT: Final = 1
"""The number of this form of a report."""

Plain = dict[str, Any]


# JSON


def json_text(plain: object) -> str:
    """`plain` as JSON over several lines, with an escape for each sign that an eye cannot see."""
    text = json.dumps(plain, ensure_ascii=False, indent=2, sort_keys=False)
    return _UNSEEN.sub(_as_escape, text) + "\n"


def _as_escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}" if found[0] in ":#" else json.dumps(found[0])[1:-1]


_UNSEEN: Final = re.compile(
    "[^\n\x20-\x7e\xa0-\xac\xae-\u061b\u061d-\u200a\u2010-\u2027\u202f-\u205f\u2070-\ud7ff"
    "\ue000-\ufefe\uff00-\ufff8\ufffc-\ufffd\U00010000-\U000dffff]"
    rf"|{OBEYED_BY_BUILDS}"
)
"""Control characters, tabs too, separators, marks that turn the direction, halves, and no signs;
and what build servers obey in a report that is printed."""


@cache
def _findings() -> TypeAdapter[tuple[Finding, ...]]:
    return TypeAdapter(tuple[Finding, ...])


def report_json(report: Report) -> Plain:
    """The report as plain values; `report_from_json` makes an equal report of them."""
    return {
        "format": FORMAT,
        "consentkit": metadata.version("consentkit"),
        "policy": report.policy_file,
        "summary": {
            **{severity.value: count for severity, count in report.counts.items()},
            "known": len(report.known),
            "gone": len(report.gone),
        },
        "findings": [*map(_plain, report.findings)],
        "known": [*map(_plain, report.known)],
        "gone": [*report.gone],
        "unjudged": [*report.unjudged],
        "scan": scan_to_json(report.scan),
    }


def _plain(finding: Finding) -> Plain:
    rule = FINDINGS[finding.kind]
    own: Plain = _findings().dump_python((finding,), mode="json")[0]
    return {**own, "severity": finding.severity.value, "title": rule.title, "law": [*rule.law]}


_ASK_ANEW: Final = "Write one with 'consentkit scan URL --json report.json'."


def report_from_json(plain: object, file: str = "report.json") -> Report:
    """The report that plain values tell of; `file` is its name in errors.

    Raises ScanError, with where, what and what to do, for values that are none.
    """
    if not isinstance(plain, dict) or "scan" not in plain:
        raise ScanError(file, "it is no report of a scan", _ASK_ANEW)
    if plain.get("format") != FORMAT:
        what = f"its 'format' is {plain.get('format')!a}, and this version reads {FORMAT}"
        raise ScanError(file, what, _ASK_ANEW)
    try:
        return Report(
            scan_from_json(plain["scan"]),
            _findings().validate_python(plain.get("findings", ())),
            _name_or_none().validate_python(plain.get("policy")),
            _findings().validate_python(plain.get("known", ())),
            *(_names().validate_python(plain.get(key, ())) for key in ("gone", "unjudged")),
        )
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise ScanError(file, f"'{at}': {first['msg']}", _ASK_ANEW) from error


@cache
def _names() -> TypeAdapter[tuple[str, ...]]:
    return TypeAdapter(tuple[str, ...])


@cache
def _name_or_none() -> TypeAdapter[str | None]:
    return TypeAdapter(str | None)


# SARIF 2.1.0

_LEVELS: Final[Mapping[Severity, str]] = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
}


def sarif(report: Report, *, has_baseline: bool | None = None) -> Plain:
    """The report as a SARIF 2.1.0 log: a run, a rule for each kind, a result for each finding.

    A result stands at the line of the policy that declares the thing, and at the pages it was seen
    on. With a baseline each result says whether it is new or known, and what is gone is told as
    absent; without (`has_baseline` False), none does. By default there is one if it has anything.
    """
    told = bool(report.known or report.gone) if has_baseline is None else has_baseline
    results = [_result(each, report, "new" if told else "") for each in report.findings]
    results += [_result(each, report, "unchanged") for each in report.known]
    results += [_absent(key) for key in report.gone]
    driver = {
        "name": "consentkit",
        "version": metadata.version("consentkit"),
        "rules": [_rule(kind) for kind in FINDINGS],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": results,
                "properties": {"site": visible(report.scan.site), "unjudged": [*report.unjudged]},
            }
        ],
    }


def _rule(kind: FindingKind) -> Plain:
    rule = FINDINGS[kind]
    law = ", ".join(rule.law)
    return {
        "id": kind.value,
        "name": "".join(part.capitalize() for part in kind.value.split("-")),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.means},
        "help": {
            "text": f"{rule.means} {rule.do} ({law})",
            "markdown": f"{rule.means}\n\n**What to do:** {rule.do}\n\nRules: {law}",
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["consent", *rule.law]},
    }


_PLACES: Final = {kind: place for place, kind in enumerate(FINDINGS)}


def _result(finding: Finding, report: Report, state: str) -> Plain:
    text = f"{finding.what} {finding.cure}"
    if finding.draft:
        text = f"{text}\n\n{finding.draft}"
    result: Plain = {
        "ruleId": finding.kind.value,
        "ruleIndex": _PLACES[finding.kind],
        "level": _LEVELS[finding.severity],
        "message": {"text": _unlinked(text)},
        "locations": [_where(finding, report)],
        "partialFingerprints": {"consentkit/v1": _fingerprint(finding.key)},
        "properties": {
            "subject": finding.subject,
            "name": _readable(finding.name),
            "states": [state.value for state in finding.states],
            "pages": finding.count,
        },
    }
    pages = [_page(report, page) for page in finding.pages]
    if finding.line is not None and report.policy_file and pages:
        result["relatedLocations"] = pages
    return {**result, "baselineState": state} if state else result


def _absent(key: str) -> Plain:
    kind, _, name = key.partition(":")
    places = {each.value: place for each, place in _PLACES.items()}
    return {
        "ruleId": kind,
        **({"ruleIndex": places[kind]} if kind in places else {}),
        "level": "none",
        "kind": "pass",
        "message": {"text": f"{_unlinked(name)} is in the baseline and is not found any more."},
        "partialFingerprints": {"consentkit/v1": _fingerprint(key)},
        "baselineState": "absent",
    }


def _unlinked(text: str) -> str:
    """A message in which no name is a link: ``[words](address)`` is one (SARIF 2.1.0, 3.11.6)."""
    return _readable(text).replace("](", "] (")


def _where(finding: Finding, report: Report) -> Plain:
    """The policy's line where something declares it, else the first page, else the site."""
    if finding.line is not None and report.policy_file:
        return {
            "physicalLocation": {
                "artifactLocation": {"uri": _as_uri(report.policy_file)},
                "region": {"startLine": finding.line},
            }
        }
    return _page(report, finding.pages[0] if finding.pages else "/")


def _page(report: Report, page: str) -> Plain:
    # Put together and not resolved: a page ``//other.example`` is still one of this site.
    uri = _as_uri(f"{report.scan.site}/{page.removeprefix('/')}")
    return {"physicalLocation": {"artifactLocation": {"uri": uri}}}


def _as_uri(path: str) -> str:
    """A path with every sign escaped that no URI has; what is escaped already stays."""
    quoted = quote(path.replace("\\", "/"), safe="/:?#[]@!$&'()*+,;=%~-._", errors="replace")
    return _NO_ESCAPE.sub("%25", quoted)


_NO_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")


def _fingerprint(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


# JUnit


def junit(report: Report, least: Severity | None = Severity.ERROR) -> str:
    """The report as JUnit's XML: a suite for each kind, a case for each finding in it.

    A kind of which nothing is found is a case that passes, so that a dashboard shows what was
    looked for; what is as bad as `least` or worse fails, nothing does where that is None. What is
    not so bad passes and says what it is, and what is in the baseline is skipped.
    """
    by_kind: dict[FindingKind, list[tuple[Finding, bool]]] = defaultdict(list)
    for findings, is_known in ((report.findings, False), (report.known, True)):
        for finding in findings:
            by_kind[finding.kind].append((finding, is_known))
    suites = [_suite(kind, by_kind[kind], least) for kind in FINDINGS]
    cases = sum(count for count, _, _, _ in suites)
    failures = sum(failed for _, failed, _, _ in suites)
    skipped = sum(known for _, _, known, _ in suites)
    head = (
        f"<testsuites name={_attribute(f'consentkit scan {report.scan.site}')} "
        f'tests="{cases}" failures="{failures}" errors="0" skipped="{skipped}">'
    )
    lines = [line for *_, text in suites for line in text]
    declared = '<?xml version="1.0" encoding="UTF-8"?>'
    return "\n".join([declared, head, *lines, "</testsuites>"]) + "\n"


def _suite(
    kind: FindingKind, findings: Iterable[tuple[Finding, bool]], least: Severity | None
) -> tuple[int, int, int, list[str]]:
    """How many cases a suite has, how many of them fail and are skipped, and its lines."""
    title = f"{kind.value}: {FINDINGS[kind].title}"
    listed = [*findings]
    failed = sum(not known and _fails(each, least) for each, known in listed)
    skipped = sum(known for _, known in listed)
    cases = [line for each, known in listed for line in _case(each, least, is_known=known)]
    if not listed:
        cases = [f'    <testcase classname="{kind.value}" name="nothing found" time="0"/>']
    count = max(1, len(listed))
    head = (
        f'  <testsuite name={_attribute(title)} tests="{count}" failures="{failed}" errors="0" '
        f'skipped="{skipped}" time="0">'
    )
    return count, failed, skipped, [head, *cases, "  </testsuite>"]


def _fails(finding: Finding, least: Severity | None) -> bool:
    return least is not None and finding.severity.rank <= least.rank


def _case(finding: Finding, least: Severity | None, *, is_known: bool) -> Iterator[str]:
    name = f"{finding.subject} {finding.name}".rstrip()
    yield f'    <testcase classname="{finding.kind.value}" name={_attribute(name)} time="0">'
    text = _text("\n".join([*_told(finding)]))
    if is_known:
        yield f"      <skipped message={_attribute(f'in the baseline: {finding.what}')}/>"
    elif _fails(finding, least):
        message = _attribute(finding.what)
        yield f'      <failure type="{finding.kind.value}" message={message}>{text}</failure>'
    else:
        yield f"      <system-out>{finding.severity.value}: {text}</system-out>"
    yield "    </testcase>"


def _told(finding: Finding) -> Iterator[str]:
    yield finding.what
    yield finding.cure
    yield f"Rules: {', '.join(FINDINGS[finding.kind].law)}"
    if finding.states:
        yield f"States: {', '.join(finding.states)}"
    if finding.pages:
        rest = finding.count - len(finding.pages)
        yield f"Pages: {', '.join(finding.pages)}{f' and {rest} more' if rest > 0 else ''}"
    if finding.initiator:
        yield f"By: {finding.initiator}"
    if finding.draft:
        yield f"\n{finding.draft.rstrip()}"


def _text(text: str) -> str:
    """Text between tags; ``[[ATTACHMENT|path]]`` in it would have build servers fetch a file."""
    return escape(_readable(text).replace("[[", "[ ["))


def _attribute(text: str) -> str:
    return quoteattr(" ".join(_readable(text).split()))


def _readable(text: str) -> str:
    """`text` with its line breaks, and an escape for every other sign that an eye cannot see."""
    return "\n".join(map(visible, text.split("\n")))
