"""How the auditor's Chromium is found and started, and what is said where that cannot be done."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from consentkit.audit import chromium
from consentkit.audit.browser import BrowserWitness
from consentkit.audit.chromium import FLAGS, BrowserOptions, find_chromium, has_sandbox
from consentkit.audit.seen import State
from consentkit.errors import ScanError
from tests.conftest import IN_CI, NO_CHROMIUM

pytestmark = pytest.mark.anyio

if find_chromium() is None and not IN_CI:
    pytest.skip(NO_CHROMIUM, allow_module_level=True)
pytest.importorskip("playwright.async_api", reason="consentkit[browser] is not installed")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Playwright is written for asyncio."""
    return "asyncio"


async def test_what_playwright_turns_off_is_off() -> None:
    """Chromium takes the last list of features alone: ours has to say again what theirs says."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), chromium_sandbox=has_sandbox()
        )
        session = await browser.new_browser_cdp_session()
        command = (await session.send("SystemInfo.getInfo"))["commandLine"]
        await browser.close()
    [theirs] = re.findall(r"--disable-features=(\S+)", command)
    [ours] = (flag for flag in FLAGS if flag.startswith("--disable-features="))
    assert {*theirs.split(",")} < {*ours.partition("=")[2].split(",")}


def test_strangers_pages_run_in_chromiums_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """One hole in what draws a page is else the account of the person who scans."""
    assert "--no-sandbox" not in FLAGS
    monkeypatch.delenv("CONSENTKIT_NO_SANDBOX", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    assert has_sandbox()
    monkeypatch.setenv("CONSENTKIT_NO_SANDBOX", "1")
    assert not has_sandbox()
    monkeypatch.delenv("CONSENTKIT_NO_SANDBOX")
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    assert not has_sandbox()


def test_the_named_chromium_goes_before_all_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`$CONSENTKIT_CHROMIUM` decides; a name that is not there is passed over."""
    mine = tmp_path / "mine"
    mine.write_text("")
    mine.chmod(0o755)
    monkeypatch.setenv("CONSENTKIT_CHROMIUM", str(mine))
    assert find_chromium() == str(mine)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CONSENTKIT_CHROMIUM", "nowhere")
    assert find_chromium() is None


async def test_without_a_chromium_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where — what — what to do."""
    monkeypatch.setattr(chromium, "find_chromium", lambda: None)
    with pytest.raises(ScanError, match=r"no Chromium was found\. Install one"):
        await BrowserWitness().visit("http://site.example/", State.UNTOUCHED)
    with pytest.raises(ScanError, match="no Chromium was found"):
        await BrowserWitness().prepare("http://site.example", "http://site.example/", [*State])


async def test_without_playwright_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(__import__("sys").modules, "playwright.async_api", None)
    with pytest.raises(ScanError, match=r"consentkit\[browser\]"):
        await BrowserWitness().visit("http://site.example/", State.UNTOUCHED)


async def test_what_is_no_browser_does_not_start(tmp_path: Path) -> None:
    """A path in $CONSENTKIT_CHROMIUM may be anything; a sandbox needs a kernel that has room."""
    with pytest.raises(ScanError, match=r"did not start.*CONSENTKIT_NO_SANDBOX=1"):
        await BrowserWitness(BrowserOptions(executable="/bin/false")).visit(
            "http://site.example/", State.UNTOUCHED
        )
