"""Report mode changes nothing and tells everything; a soft launch asks, and enforces nothing."""

from __future__ import annotations

import logging

import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consentkit import ConsentMiddleware, Event, Policy, visitor_from
from consentkit.shell.drafts import draft_from_log
from consentkit.testing import Browser, assert_blocked, assert_removed, assert_sets
from tests.apps import (
    COOKIES,
    DECLARED,
    NAVIGATION,
    NOW,
    OTHERS,
    PAGE,
    PAGES,
    SOCKETS,
    consent,
    policy,
    run,
    says,
    scope_of,
    site,
)

pytestmark = pytest.mark.anyio

VISITORS: dict[str, dict[str, str]] = {
    "nobody known": {},
    "a navigation": NAVIGATION,
    "with cookies": {**NAVIGATION, "cookie": "visits=1; sid=2; stray=3; __Host-consent=forged"},
    "with GPC": {**NAVIGATION, "sec-gpc": "1", "cookie": "visits=1"},
    "conditional": {**NAVIGATION, "if-none-match": '"1"', "accept-encoding": "gzip", "dnt": "1"},
    "a script": {"sec-fetch-dest": "empty", "accept": "*/*", "cookie": "visits=1"},
    "loaded ahead": {**NAVIGATION, "sec-purpose": "prefetch"},
}


@pytest.mark.parametrize("visitor", VISITORS)
@pytest.mark.parametrize("path", [*PAGES, *OTHERS, "/consent", "/consent/status", *SOCKETS])
async def test_report_mode_changes_not_one_byte(path: str, visitor: str) -> None:
    """DESIGN §5: every message equals the bare app's, whoever asks, and for our own paths too."""
    kind = "websocket" if path in SOCKETS else "http"
    headers = VISITORS[visitor]
    bare = await run(site(), scope_of(path, headers, type=kind))
    held = await run(consent(site(), report_only=True), scope_of(path, headers, type=kind))
    assert held.messages == bare.messages
    assert held.scope["headers"] == bare.scope["headers"]
    assert held.error is None
    if path not in ("/consent", "/consent/status"):
        enforced = await run(consent(site()), scope_of(path, headers, type=kind))
        assert enforced.messages != bare.messages  # the control: there was something to do


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/page", "/json", "/consent"])
async def test_report_mode_changes_no_other_method(path: str, method: str) -> None:
    """DESIGN §5: a POST to what would be our endpoint is the app's own as well."""
    headers = {"origin": "https://testserver", "host": "testserver", "cookie": "visits=1"}
    bare = await run(site(), scope_of(path, headers, method), b"choice=accept-all")
    held = await run(
        consent(site(), report_only=True), scope_of(path, headers, method), b"choice=accept-all"
    )
    assert held.messages == bare.messages


async def test_report_mode_hands_over_the_very_headers() -> None:
    """The app's own objects leave, not copies that look alike."""
    headers = [(b"set-cookie", b"visits=1"), (b"content-type", b"text/html")]
    app = says(PAGE, headers=headers)
    outcome = await run(consent(app, report_only=True), scope_of("/", NAVIGATION))
    assert outcome.start["headers"] is headers


def acts_of(events: list[Event]) -> set[tuple[str, str]]:
    """What was done to which cookie."""
    return {(event.act, event.name) for event in events}


TRIES = [
    b"visits=1",
    b"stray=1",
    b"sid=1; Max-Age=60",
    b"part-a=1; Path=/elsewhere",
]
EXPECTED = {
    ("blocked", "visits"),
    ("blocked", "stray"),
    ("trimmed", "sid"),
    ("differs", "part-a"),
    ("hidden", "visits"),
    ("expired", "visits"),
}


async def test_the_log_says_what_enforcement_would_have_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """ACCEPTANCE §9.9: each act has its line, and the same acts are done in enforce mode."""
    caplog.set_level(logging.DEBUG, "consentkit")
    headers = [(b"content-type", b"application/json"), *((b"set-cookie", c) for c in TRIES)]
    scope = {**NAVIGATION, "cookie": "visits=1"}
    told: dict[bool, set[tuple[str, str]]] = {}
    for report_only in (True, False):
        events: list[Event] = []
        caplog.clear()
        app = consent(
            says(b"{}", headers=headers), report_only=report_only, on_decision=events.append
        )
        outcome = await run(app, scope_of("/a", scope))
        told[report_only] = acts_of(events)
        lines = [r for r in caplog.records if r.name == "consentkit.enforcement"]
        machine = {(r.__dict__["consentkit_act"], r.__dict__["consentkit_cookie"]) for r in lines}
        assert machine == told[report_only]
        assert {r.__dict__["consentkit_report_only"] for r in lines} == {report_only}
        for line in lines:
            is_act = line.__dict__["consentkit_act"] not in ("differs", "undeclared")
            assert ("would be" in line.getMessage()) is (report_only and is_act)
        assert [c in outcome.set_cookies for c in TRIES] == [
            report_only, report_only, report_only, True
        ]  # fmt: skip
    assert told[False] == EXPECTED
    assert told[True] == EXPECTED


async def test_undeclared_cookies_that_pass_are_told_in_both_modes() -> None:
    """R-26: `undeclared: report` keeps the cookie and says so."""
    for report_only in (True, False):
        events: list[Event] = []
        app = consent(
            site(), policy(undeclared="report"), report_only=report_only, on_decision=events.append
        )
        outcome = await run(app, scope_of("/json"))
        assert COOKIES[2] in outcome.set_cookies
        assert ("undeclared", "stray") in acts_of(events)


async def test_what_report_mode_logs_can_be_declared_from_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once what the log tells is drafted and declared, the log tells of nothing undeclared."""
    tries = [*TRIES, b"basket=1; Max-Age=63072000; HttpOnly", b"theme-1=1", b"theme-2=1"]
    headers = [(b"content-type", b"application/json"), *((b"set-cookie", c) for c in tries)]
    rules = policy()
    for lines_of_undeclared in (4, 0):
        caplog.clear()
        app = consent(says(b"{}", headers=headers), rules, report_only=True)
        await run(app, scope_of("/a"))
        found = [line for line in caplog.messages if "not declared" in line]
        assert len(found) == lines_of_undeclared
        if found:
            draft = draft_from_log(caplog.messages, rules, frameworks=[])
            rules = declared_too(draft)
    assert rules.cookies["basket"].duration == 400 * 86_400
    assert rules.declaration_of("theme-17") == rules.cookies["theme-{id}"]


def declared_too(draft: str) -> Policy:
    """The policy of the site with what a draft declares under the keys of the same name."""
    more = yaml.safe_load(draft)
    return policy(**{key: {**DECLARED[key], **more[key]} for key in ("purposes", "cookies")})


async def test_in_report_mode_everything_is_allowed() -> None:
    """DESIGN §5: allows() is true, so code behind it does what it did before."""

    async def route(request: Request) -> Response:
        return JSONResponse(visitor_from(request).allows("measurement"))

    inner = Starlette(routes=[Route("/", route)])
    said = [
        (await run(consent(inner, report_only=mode), scope_of("/"))).body for mode in (True, False)
    ]
    assert said == [b"true", b"false"]


async def test_in_report_mode_an_answer_sends_nothing() -> None:
    """Not one byte: an app that grants by itself gets no token out either."""

    async def route(request: Request) -> Response:
        visitor_from(request).grant("measurement")
        return JSONResponse({})

    inner = Starlette(routes=[Route("/", route)])
    for mode, names in ((True, []), (False, [b"__Host-consent"])):
        outcome = await run(consent(inner, report_only=mode), scope_of("/"))
        assert [c.partition(b"=")[0] for c in outcome.set_cookies] == names


# soft launch


def soft() -> ConsentMiddleware:
    """A site that asks and enforces nothing yet."""
    return consent(site(), report_only=True, banner=True)


async def test_a_soft_launch_asks() -> None:
    """DESIGN §5: visitors see the notice, and report mode alone shows none."""
    asked = await Browser(soft()).visit("/page")
    assert "consentkit-banner" in asked.text
    quiet = await Browser(consent(site(), report_only=True)).visit("/page")
    assert quiet.body == PAGE


async def test_a_soft_launch_keeps_answers_and_enforces_nothing() -> None:
    """DESIGN §5: nothing blocked, nothing hidden, nothing expired; the token is written."""
    browser = Browser(soft(), clock=lambda: NOW)
    page = await browser.visit("/page")
    assert set(COOKIES) <= set(page.set_cookies)
    answer = await browser.submit("/consent", choice="reject-all", next="/page")
    assert (answer.status, answer.header("location")) == (303, "/page#consentkit")
    assert "__Host-consent" in browser.cookies
    assert "visits" in browser.cookies  # not expired
    seen = await browser.follow("/json")
    assert seen.json()["cookies"].keys() >= {"visits", "sid", "stray"}  # not hidden
    assert set(COOKIES) <= set(seen.set_cookies)  # not blocked
    again = await browser.follow("/page")
    assert "<form" not in again.text  # the answer is known
    assert (await browser.fetch("/consent/status")).json()["answers"]["measurement"] == "refused"


async def test_the_same_answers_count_once_enforcement_is_on() -> None:
    """The control of the soft launch: its tokens hold, and now they are held to."""
    browser = Browser(soft(), clock=lambda: NOW)
    await browser.visit("/page")
    await browser.submit("/consent", choice="reject-all")
    browser.app = consent(site())
    page = await browser.follow("/page")
    assert_blocked(page, "visits")
    assert_removed(page, "visits")
    assert_sets(page, "sid")
    assert "<form" not in page.text


async def test_a_soft_launch_of_implied_consent_remembers_its_notice() -> None:
    """R-09: what was shown in the soft launch was shown."""
    app = consent(site(), policy(mode="implied"), report_only=True, banner=True)
    browser = Browser(app, clock=lambda: NOW)
    await browser.visit("/page")
    assert "__Host-consent-seen" in browser.cookies
    await browser.follow("/page")
    status = (await browser.fetch("/consent/status")).json()
    assert status["answers"] == {"necessary": "granted", "measurement": "implied"}
