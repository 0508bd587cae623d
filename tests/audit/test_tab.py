"""What is taken from a page that a stranger wrote; no browser is needed to tell."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from consentkit.audit.chromium import BrowserOptions
from consentkit.audit.tab import Tab
from tests.audit.towns import SITE

pytestmark = pytest.mark.anyio

AWAY = (
    *("http://169.254.169.254/consent", f"https://{SITE}:81/consent", f"http://{SITE}/consent"),
    *("//evil.test/", f"https://{SITE}.evil.test/", f"https://me@{SITE}/", "http://[", "/\ud800"),
    *("file:///etc/state.json?", "javascript:1", "data:text/html,x", "", None, 1, {"x": 1}),
)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Playwright is written for asyncio."""
    return "asyncio"


@pytest.mark.parametrize("action", AWAY)
async def test_a_form_names_no_endpoint_elsewhere(action: object) -> None:
    """What is read there stands in the report: a file of this machine's, a cloud's keys."""
    assert await endpoint_at(f"https://{SITE}/news", action) == ""


async def test_a_form_names_its_sites_endpoint() -> None:
    """The control; on a page of another site, where a redirect led, even that is none."""
    for action in ("/consent", f"https://{SITE}/consent"):
        assert await endpoint_at(f"https://{SITE}/news", action) == f"https://{SITE}/consent"
    assert await endpoint_at("https://evil.test/news", "/consent") == ""
    assert await endpoint_at("file:///tmp/news", "/consent") == ""


async def endpoint_at(page: str, action: object) -> str:
    """What an action of the form on a page is taken for."""
    tab: Any = Tab(BrowserOptions(), lambda host: host in {SITE, ""})

    async def ask(_script: str) -> object:
        return action

    tab.page, tab._ask = SimpleNamespace(url=page), ask
    endpoint: str = await tab.endpoint()
    return endpoint
