"""A Chromium of the system's: where it is, how it is started, and how it is ended.

It has never heard of a visit, nor of what is done in its pages. It is driven by Playwright
(``consentkit[browser]``), and none is downloaded.

It is started with an ordinary profile, which lets third-party cookies in. It says which browser it
is, but neither that it has no screen nor that it is driven: many sites show robots other pages, and
some notices hide from them.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from consentkit.errors import ScanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Browser, BrowserContext, Playwright

__all__ = ["BrowserOptions", "Running", "find_chromium", "has_sandbox", "launch", "write_file"]

CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "msedge")
_ADDRESS_BAR: Final = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
"""What the address bar of a window opens: two pages of Chromium's own, which cost more processor
time for each window than the page that is looked at."""
_AS_PLAYWRIGHT: Final = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "msForceBrowserSignIn",
    "msEdgeUpdateLaunchServicesPreferredVersion",
)
"""What Playwright turns off. Chromium takes the last list alone, so ours says theirs again."""
FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Some notices hide from whoever says that it is driven, and would be called missing.
    "--disable-blink-features=AutomationControlled",
    # One process for a page and its frames, so that one session hears all of them.
    "--disable-site-isolation-trials",
    f"--disable-features={','.join((*_AS_PLAYWRIGHT, *_ADDRESS_BAR))}",
)
# As in a profile that nobody changed; a private window, which contexts are, would block them.
_PREFERENCES: Final = {"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": False}}
ENDING: Final = 5.0
"""Seconds that a page has to go away."""
_GET_CHROMIUM: Final = (
    "Install one (Debian: apt-get install chromium) or name it with CONSENTKIT_CHROMIUM=..., "
    "or scan with --headers."
)
_GET_PLAYWRIGHT: Final = "Install it (pip install 'consentkit[browser]'), or scan with --headers."
_CHECK: Final = (
    "Start it by hand to see what it says, or name another with CONSENTKIT_CHROMIUM=...; "
    "where there is no room for its sandbox, as in some containers, set CONSENTKIT_NO_SANDBOX=1."
)


def find_chromium() -> str | None:
    """The path of the browser to drive: `$CONSENTKIT_CHROMIUM`, else the first on the PATH."""
    names = (os.environ.get("CONSENTKIT_CHROMIUM", ""), *CHROMIUM_NAMES)
    return next((path for name in names if name and (path := shutil.which(name))), None)


def has_sandbox() -> bool:
    """Whether strangers' pages run in Chromium's sandbox.

    It has none for root, and none where `$CONSENTKIT_NO_SANDBOX` says so.
    """
    is_root = getattr(os, "geteuid", lambda: None)() == 0
    return not is_root and not os.environ.get("CONSENTKIT_NO_SANDBOX")


@dataclass(frozen=True, slots=True)
class BrowserOptions:
    """How a browser looks at pages; times are seconds.

    A page is done when it has loaded and nothing was heard of it for `quiet`, or after `patience`;
    one that has not begun to answer after `reply`, and a visit that takes longer than `limit`, is
    given up. `host_rules` is Chromium's ``--host-resolver-rules``. `screenshots` is a folder,
    `autoconsent` that of npm's package. `is_own` tells of a host whether it is of the site; by
    default it is its registrable domain.
    """

    quiet: float = 1.0
    patience: float = 8.0
    reply: float = 20.0
    limit: float = 30.0
    executable: str | None = None
    host_rules: str = ""
    language: str = "en-GB"
    screenshots: Path | None = None
    autoconsent: Path | None = None
    is_own: Callable[[str], bool] | None = None
    asks_axe: bool = True


@dataclass(slots=True)
class Running:
    """A browser that runs, and what has to be ended with it; `agent` is what it calls itself."""

    window: BrowserContext
    agent: str
    playwright: Playwright
    profile: tempfile.TemporaryDirectory[str]
    has_ended: bool = False

    @property
    def browser(self) -> Browser:
        """The browser of the window, which Playwright 1.55 and later tell."""
        return cast("Browser", self.window.browser)

    @property
    def is_there(self) -> bool:
        """Whether pages can be looked at with it."""
        return not self.has_ended and self.browser.is_connected()

    async def end(self) -> None:
        """End it, also where it hangs: without its driver it does not live on."""
        if self.has_ended:
            return
        self.has_ended = True
        with suppress(Exception):
            async with asyncio.timeout(ENDING):
                await self.window.close()
        await self.playwright.stop()
        await asyncio.to_thread(self.profile.cleanup)


async def launch(options: BrowserOptions) -> Running:
    """Start one in a profile of its own, which is removed with it.

    Raises ScanError where Playwright or a Chromium is missing, or the browser does not start.
    """
    executable = options.executable or find_chromium()
    if executable is None:
        raise ScanError("the browser", "no Chromium was found", _GET_CHROMIUM)
    try:
        from playwright.async_api import Error, async_playwright  # noqa: PLC0415 - an extra
    except ImportError:
        raise ScanError("the browser", "Playwright is not installed", _GET_PLAYWRIGHT) from None
    profile = tempfile.TemporaryDirectory(prefix="consentkit-", ignore_cleanup_errors=True)
    await asyncio.to_thread(
        write_file, Path(profile.name, "Default", "Preferences"), json.dumps(_PREFERENCES).encode()
    )
    playwright = await async_playwright().start()
    rules = [f"--host-resolver-rules={options.host_rules}"] if options.host_rules else []
    try:
        window = await playwright.chromium.launch_persistent_context(
            profile.name,
            executable_path=executable,
            args=[*FLAGS, *rules],
            chromium_sandbox=has_sandbox(),
        )
        session = await cast("Browser", window.browser).new_browser_cdp_session()
        agent = str((await session.send("Browser.getVersion"))["userAgent"])
    except Error as error:
        await playwright.stop()
        profile.cleanup()
        said = str(error).partition("\n")[0][:200]
        raise ScanError(executable, f"the browser did not start: {said}", _CHECK) from error
    return Running(window, agent.replace("Headless", ""), playwright, profile)


def write_file(path: Path, octets: bytes) -> None:
    """Write a file, and make the folders that it stands in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
