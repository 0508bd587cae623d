"""What browsers report under a policy: the host and the directive are kept, and nothing else.

What enforcement itself did is logged by the same `EventLog`; tests/test_enforcement.py has that.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consentkit.events import MOST_REPORTED, Event, EventLog, reported
from consentkit.routes import LARGEST_BODY
from consentkit.testing import Browser
from tests.apps import NOW, consent, policy, says

if TYPE_CHECKING:
    from consentkit.testing import Response

SECRET = "hush-hush-7261"
PAGE = f"https://www.example.org/{SECRET}?{SECRET}"
# As Chromium 156 sends it, but for the port.
CHROMIUM: dict[str, Any] = {
    "document-uri": PAGE,
    "referrer": PAGE,
    "violated-directive": "img-src",
    "effective-directive": "img-src",
    "original-policy": f"default-src 'self'; report-uri /consent/reports?{SECRET}",
    "disposition": "report",
    "blocked-uri": f"http://tags.example:8000/{SECRET}.png?{SECRET}",
    "line-number": 1,
    "source-file": PAGE,
    "status-code": 200,
    "script-sample": SECRET,
}
IN_A_LIST: dict[str, Any] = {
    "type": "csp-violation",
    "age": 10,
    "url": PAGE,
    "user_agent": SECRET,
    "body": {
        "documentURL": PAGE,
        "blockedURL": f"https://tags.example/{SECRET}",
        "effectiveDirective": "script-src-elem",
        "sample": SECRET,
    },
}


def one(**changes: Any) -> bytes:
    """A report as Chromium sends it, with some of its keys changed."""
    return json.dumps({"csp-report": {**CHROMIUM, **changes}}).encode()


def names(body: bytes) -> list[tuple[str, str]]:
    return [(event.name, event.why) for event in reported(body)]


def test_a_report_comes_to_a_host_and_a_directive() -> None:
    """R-93: no path, no query, no page and nobody's address."""
    [event] = reported(one())
    assert event == Event("reported", "tags.example", "img-src", what="source")
    assert SECRET not in repr(event)


def test_a_list_of_reports_is_read_as_well() -> None:
    """`report-to` sends it; what is no violation of a policy is left out, and so is a long rest."""
    other = {"type": "deprecation", "body": {"id": "x"}}
    listed = [other, IN_A_LIST, 7, {"type": "csp-violation"}, None]
    assert names(json.dumps(listed).encode()) == [("tags.example", "script-src-elem")]
    assert len(reported(json.dumps([IN_A_LIST] * 50).encode())) == MOST_REPORTED
    assert reported(b"[]") == []


@pytest.mark.parametrize(
    ("blocked", "name"),
    [
        ("inline", "inline"),
        ("eval", "eval"),
        ("wasm-eval", "wasm-eval"),
        ("data", "data"),
        ("blob", "blob"),
        (f"data:text/plain,{SECRET}", "data"),
        (f"chrome-extension://{SECRET}/x", "chrome-extension"),
        ("trusted-types-sink", "trusted-types-sink"),
        ("https://TAGS.example.", "tags.example"),
        (f"wss://{SECRET}:{SECRET}@tags.example/", "tags.example"),
        (f"https://tags.example/?a&amp;{SECRET}", "tags.example"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://[2001:db8::1]:8443/", "[2001:db8::1]"),
        ("", "other"),
        (f"/{SECRET}", "other"),
        (None, "other"),
        ([SECRET], "other"),
        ("\udcff", "other"),
    ],
)
def test_what_was_blocked_is_a_host_or_a_word(blocked: Any, name: str) -> None:
    """CSP3 §5.4: browsers write a word where there is no address; for a `data:` frame nothing."""
    assert names(one(**{"blocked-uri": blocked})) == [(name, "img-src")]


@pytest.mark.parametrize(
    ("keys", "directive"),
    [
        ({}, "img-src"),
        ({"effective-directive": None}, "style-src"),
        ({"effective-directive": ""}, "style-src"),
        ({"effective-directive": "img-src\nERROR root: x"}, None),
        ({"effective-directive": SECRET.upper()}, None),
        ({"effective-directive": "x" * 40}, None),
        ({"effective-directive": {"a": 1}}, None),
        ({"effective-directive": None, "violated-directive": None}, None),
    ],
)
def test_without_a_directive_there_is_nothing_to_say(
    keys: dict[str, Any], directive: str | None
) -> None:
    """Older browsers tell it as it is written, with its sources; a stranger may tell anything."""
    told = names(one(**{"violated-directive": "style-src 'self' https://x.example", **keys}))
    assert told == ([("tags.example", directive)] if directive else [])


MALFORMED = [
    b"",
    b"{",
    b"null",
    b"7",
    b'"text"',
    b"{}",
    b'{"csp-report": []}',
    b'{"csp-report": null}',
    b"\xff\xfe",
    b"[" * 16_000,
    b"9" * 5000,
    b"a=b",
]


@pytest.mark.parametrize("body", MALFORMED)
def test_what_is_no_report_is_refused(body: bytes) -> None:
    """And the message has nothing of it."""
    with pytest.raises(ValueError, match=r"\Ano (JSON|report)\Z"):
        reported(body)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
bodies = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["blocked-uri", "blockedURL", "effective-directive"], anything | st.text()
    ),
)


@given(bodies)
@example({"blocked-uri": "https://a\r\nb/", "effective-directive": "img-src"})
@example({"blocked-uri": "https://\x1b[31m/", "effective-directive": "img-src"})
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_reported_a_line_is_a_line(
    caplog: pytest.LogCaptureFixture, body: dict[str, Any]
) -> None:
    """Log injection: nothing but printable ASCII, and short."""
    caplog.clear()
    told = reported(json.dumps({"csp-report": body}).encode())
    told += reported(json.dumps([{"type": "csp-violation", "body": body}]).encode())
    EventLog(None, report_only=True, logger=EventLog.REPORTS).write(told, None, NOW)
    for line in caplog.messages:
        assert line.isascii()
        assert line.isprintable()
        assert len(line) < 600


def test_a_listener_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """`on_decision` is the site's own code; the line is written, and the fault is told."""

    def fail(event: Event) -> None:
        raise RuntimeError("a fault for the test")

    EventLog(fail, report_only=True).write([Event("hidden", "_ga", "refused")], "/", NOW)
    assert caplog.messages == [
        "on_decision failed; enforcement goes on without it",
        "cookie '_ga' would be hidden: refused; path '/'",
    ]


# The endpoint

SERVICE = {"purpose": "measurement", "provider": "Tags AG", "hosts": ["tags.example"]}
SAME = {"sec-fetch-site": "same-origin", "sec-fetch-dest": "report", "sec-fetch-mode": "no-cors"}


def browser(csp: str = "report", **options: Any) -> Browser:
    rules = policy(csp=csp, services={"tags": SERVICE})
    return Browser(consent(says(b"the app"), rules, **options), clock=lambda: NOW)


async def tell(visitor: Browser, body: bytes, **headers: str) -> Response:
    told = {"content-type": "application/csp-report", **SAME, **headers}
    return await visitor.request("POST", "/consent/reports", headers=told, body=body)


@pytest.mark.anyio
async def test_a_report_is_taken_and_logged_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """R-93: a line for each host and directive; no cookie is set, and none is needed."""
    heard: list[Event] = []
    visitor = browser(on_decision=heard.append)
    answers = [await tell(visitor, one()) for _ in range(3)]
    answers.append(
        await tell(
            visitor,
            json.dumps([IN_A_LIST]).encode(),
            **{"content-type": "application/reports+json"},
        )
    )
    assert {(answer.status, answer.body, answer.set_cookies) for answer in answers} == {
        (204, b"", ())
    }
    assert caplog.record_tuples == [
        ("consentkit.reports", logging.WARNING, "source 'tags.example' reported: img-src"),
        ("consentkit.reports", logging.WARNING, "source 'tags.example' reported: script-src-elem"),
    ]
    record = vars(caplog.records[0])
    assert (record["consentkit_act"], record["consentkit_source"]) == ("reported", "tags.example")
    assert (record["consentkit_why"], record["consentkit_path"]) == ("img-src", "")
    assert SECRET not in repr([vars(record) for record in caplog.records])
    assert heard == []  # nobody decided anything


@pytest.mark.anyio
@pytest.mark.parametrize(
    "told",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "null"},
    ],
)
async def test_reports_of_other_sites_are_ignored(
    caplog: pytest.LogCaptureFixture, told: dict[str, str]
) -> None:
    """Nobody else's page fills the log. A sandboxed frame has no origin: it is not heard."""
    answer = await tell(browser(), one(), **told)
    assert (answer.status, caplog.messages) == (204, [])
    await tell(browser(), one())
    assert len(caplog.messages) == 1  # the control


@pytest.mark.anyio
@pytest.mark.parametrize("body", [*MALFORMED, SECRET.encode()])
async def test_a_malformed_report_is_400_and_leaves_no_trace(
    caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    """Not in the log, and not in the answer."""
    caplog.set_level(logging.DEBUG, "consentkit")
    answer = await tell(browser(), body, accept="application/json")
    assert (answer.status, answer.json()) == (400, {"error": "report"})
    assert caplog.messages == []


@pytest.mark.anyio
async def test_a_report_has_a_largest_size() -> None:
    """16 KiB, as an answer has."""
    fits = one(**{"script-sample": ""})
    fits += b" " * (LARGEST_BODY - len(fits))
    assert (await tell(browser(), fits)).status == 204
    assert (await tell(browser(), fits + b" ")).status == 413


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_reports_are_posted(method: str) -> None:
    """RFC 9110 §15.5.6."""
    answer = await browser().request(method, "/consent/reports")
    assert (answer.status, answer.header("allow")) == (405, "POST")


@pytest.mark.anyio
@pytest.mark.parametrize("csp", ["off", "enforce"])
async def test_where_nothing_reports_the_path_is_the_apps(csp: str) -> None:
    """Only `csp: report` sends an address for reports."""
    assert (await tell(browser(csp), one())).body == b"the app"
