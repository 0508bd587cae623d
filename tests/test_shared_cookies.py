"""Cookie strings that others wrote, each sent through a real `ConsentMiddleware`."""

import json
import runpy
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from consentkit import ConsentMiddleware, Policy

TESTDATA = Path(__file__).resolve().parents[2] / "shared" / "testdata"  # beside the project root
CASES = TESTDATA / "set_cookie_strings.dev.json"

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not TESTDATA.is_dir(), reason=f"shared test data not found at {TESTDATA}"),
]

App = Callable[..., Awaitable[None]]


def wrapped(app: App, undeclared: str) -> ConsentMiddleware:
    """The app under a policy that declares one purpose and not one cookie."""
    policy = Policy.model_validate(
        {
            "site": {"name": "Home", "controller": "Its owner", "contact": "home@example.org"},
            "mode": "explicit",
            "purposes": {"analytics": {"title": "Visits", "description": "Counts them."}},
            "undeclared": undeclared,
        }
    )
    return ConsentMiddleware(app, policy=policy, secret_key="thirty-two bytes or more of secret")


def deny(app: App) -> ConsentMiddleware:
    """Nothing optional is allowed and no name is declared; undeclared cookies are hidden too."""
    return wrapped(app, "hide")


def allow(app: App) -> ConsentMiddleware:
    """Everything passes and is logged: `undeclared: report`, where enforcement stays on."""
    return wrapped(app, "report")


def drop_the_middleware(app: App) -> App:
    return app


def cases() -> list[dict[str, Any]]:
    return json.loads(CASES.read_text(encoding="utf-8"))


async def violations(refusing: object, allowing: object) -> tuple[dict[str, list[str]], int]:
    """What the checker finds, and how many strings it tried."""
    checker = runpy.run_path(str(TESTDATA / "check_cookies.py"))
    report = await checker["check"](cases(), refusing, allowing, b"__Host-consent")
    return dict(report.violations), report.counts["strings"]


@pytest.mark.uncounted
async def test_no_string_gets_past_and_none_is_spoilt() -> None:
    """R-26, R-79: what Chromium would store is dropped, or passes byte for byte.

    The request's cookies are hidden, or seen as they came; status and body stay.
    """
    found, tried = await violations(deny, allow)
    assert found == {}
    assert tried == len(cases()) > 300


@pytest.mark.uncounted
async def test_the_checker_would_have_noticed() -> None:
    """FZ-18, the control: an app without the middleware, and one whose every cookie is dropped."""
    found, _ = await violations(drop_the_middleware, deny)
    assert {"D1", "D2", "A1", "A2"} <= set(found)
    assert len(found["D1"]) > 200
