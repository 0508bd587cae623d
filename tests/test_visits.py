"""Whole visits over days and under signals: what many requests together must come to."""

import logging
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from consentkit import ConsentMiddleware, Event, Policy, visitor_from
from consentkit.rules.policy_file import policy_from
from consentkit.testing import (
    Browser,
    assert_blocked,
    assert_removed,
    assert_sets,
)

pytestmark = pytest.mark.anyio

DAY = 86_400
KEY = "a secret of thirty-two bytes or more"


class Clock:
    """A clock that stands until it is moved; in POSIX seconds."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def policy(mode: str = "implied", **changes: Any) -> Policy:
    words = {"title": "A", "description": "B"}
    counted = {"kind": "analytics", "duration": "1 year", "description": "C"}
    whole: dict[str, Any] = {
        "site": {"name": "S", "controller": "S"},
        "mode": mode,
        "purposes": {"a": dict(words), "b": {**words, "honours": []}},
        "cookies": {"_ga": {**counted, "purpose": "a"}, "_other": {**counted, "purpose": "b"}},
    }
    return policy_from({**whole, **changes})


async def page(_request: Request) -> Response:
    response = HTMLResponse("<!doctype html><title>x</title><body><p>Hello")
    response.set_cookie("_ga", "1")
    response.set_cookie("_other", "1")
    return response


async def seen(request: Request) -> Response:
    response = JSONResponse(sorted(request.cookies))
    response.set_cookie("_ga", "1")
    return response


def site(rules: Policy, clock: Clock, **options: Any) -> Browser:
    app = Starlette(routes=[Route("/", page), Route("/api", seen)])
    held = ConsentMiddleware(app, policy=rules, secret_key=KEY, clock=clock, **options)
    return Browser(held, clock=clock)


async def test_being_shown_the_notice_again_revives_no_lapsed_consent() -> None:
    """DESIGN §3: a lapse never widens what is allowed, and only a deliberate view implies."""
    clock = Clock()
    browser = site(policy(), clock)
    await browser.visit("/")
    assert_sets(await browser.follow("/"), "_ga")
    clock.now += 200 * DAY
    again = await browser.visit("/")
    assert_blocked(again, "_ga")
    assert "<form" in again.text
    assert_blocked(await browser.fetch("/api"), "_ga")
    assert_sets(await browser.follow("/"), "_ga")  # the control: going on implies again


async def test_the_notice_of_a_new_revision_prolongs_nothing() -> None:
    """The same for consent that still stands: what is implied grows no younger by being shown."""
    clock = Clock()
    browser = site(policy(), clock)
    await browser.visit("/")
    await browser.follow("/")
    clock.now += 100 * DAY
    purposes = {
        "a": {"title": "A", "description": "B"},
        "b": {"title": "A", "description": "B", "since": 2},
    }
    browser.app = site(policy(revision=2, purposes=purposes), clock).app
    shown = await browser.visit("/")
    assert_sets(shown, "_ga")
    assert_blocked(shown, "_other")
    clock.now += 90 * DAY
    assert_blocked(await browser.fetch("/api"), "_ga")


async def test_going_on_under_a_signal_implies_nothing_for_when_it_is_off() -> None:
    """DESIGN §3: a signal never grants; nobody was asked about what it answered for."""
    browser = site(policy(), Clock())
    await browser.visit("/", **{"sec-gpc": "1"})
    assert_blocked(await browser.follow("/", **{"sec-gpc": "1"}), "_ga")
    assert_blocked(await browser.fetch("/api"), "_ga")
    await browser.visit("/")
    assert_sets(await browser.follow("/"), "_ga")


async def test_a_signal_that_takes_back_an_earlier_grant_is_told() -> None:
    """R-39: the visitor reads that their browser's signal was honoured."""
    browser = site(policy("explicit"), Clock())
    await browser.submit("/consent", choice="accept-all")
    assert "Global Privacy Control" not in (await browser.visit("/")).text
    held = await browser.visit("/", **{"sec-gpc": "1"})
    assert_blocked(held, "_ga")
    assert "Global Privacy Control" in held.text


async def test_a_listener_that_fails_stops_no_enforcement(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """DESIGN §9: a counter of the site's own must not lose a visitor's refusal."""

    def fails(_event: Event) -> None:
        raise ZeroDivisionError

    browser = site(policy("explicit"), Clock(), on_decision=fails)
    browser.store("_ga=1; Path=/")
    with caplog.at_level(logging.ERROR):
        answer = await browser.submit("/consent", choice="reject-all")
    assert answer.status == 303
    assert_removed(answer, "_ga")
    assert "on_decision failed" in caplog.text
    assert "__Host-consent" in browser.cookies


async def test_what_is_answered_while_a_page_is_held_back_is_too_late() -> None:
    """AC-12: a token and the cookies beside it are of one answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/html"), (b"set-cookie", b"_ga=1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        with pytest.warns(UserWarning, match="after the response had begun"):
            visitor_from(Request(scope)).refuse("a")
        await send({"type": "http.response.body", "body": b"<body>Hello"})

    browser = Browser(ConsentMiddleware(app, policy=policy("opt-out"), secret_key=KEY))
    late = await browser.visit("/")
    assert_sets(late, "_ga")
    assert browser.cookies.keys() == {"_ga"}


async def test_a_strictly_necessary_cookie_may_be_never_extended_too() -> None:
    """R-25: `renew: false` holds for every basis."""
    words = {"title": "A", "description": "B", "basis": "strictly-necessary"}
    kept = {"kind": "persistent", "purpose": "n", "duration": "1 day", "description": "C"}
    cookies = {"_other": {**kept, "justification": "security", "renew": False}}
    browser = site(policy("explicit", purposes={"n": words}, cookies=cookies), Clock())
    assert_sets(await browser.visit("/"), "_other")
    assert_blocked(await browser.visit("/"), "_other")


async def test_a_page_behind_a_proxy_that_takes_the_prefix_off_is_come_back_to() -> None:
    """DESIGN §5: `next` is the path the browser knows."""
    inner = site(policy("explicit"), Clock()).app

    async def stripped(scope: Any, receive: Any, send: Any) -> None:
        await inner({**scope, "root_path": "/app"}, receive, send)

    text = (await Browser(stripped).visit("/")).text
    assert 'action="/app/consent"' in text
    assert 'name="next" value="/app/"' in text


async def test_a_token_of_a_clock_ahead_is_read_when_its_time_has_come() -> None:
    """DESIGN §8: what is remembered of a Cookie header is checked against the time again."""
    clock = Clock()
    browser = site(policy("explicit"), clock)
    clock.now += 400
    await browser.submit("/consent", choice="accept-all")
    clock.now -= 400
    assert_blocked(await browser.fetch("/api"), "_ga")
    clock.now += 1000
    assert_sets(await browser.fetch("/api"), "_ga")


async def test_an_inner_policy_gets_the_cookies_as_they_came() -> None:
    """DESIGN §5: a middleware with a policy of its own takes over, whatever the outer one hides."""
    clock = Clock()
    inner = site(policy("explicit", token={"name": "shop"}), clock, path="/shop-consent").app
    outer = ConsentMiddleware(
        inner, policy=policy("explicit", undeclared="hide"), secret_key=KEY, clock=clock
    )
    browser = Browser(outer, clock=clock)
    await browser.submit("/shop-consent", choice="accept-all")
    assert_sets(await browser.fetch("/api"), "_ga")
    assert (await browser.fetch("/api")).json() == ["__Host-shop", "_ga"]
