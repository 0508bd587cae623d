"""One Chromium for all the scans of a module: to start it costs more than to look at a page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from consentkit.audit.browser import BrowserWitness
from consentkit.audit.chromium import BrowserOptions
from consentkit.audit.scan import Looks, Options, scan
from consentkit.audit.seen import Scan
from tests.conftest import IN_CI, NO_CHROMIUM, find_chromium

# Nothing leaves this machine: a page that fetches from elsewhere finds nobody there. The shell sees
# the same and is quicker; test_browser.py looks with the one that a scan finds for itself.
OPTIONS = BrowserOptions(
    executable=find_chromium(),
    quiet=0.25,
    patience=5.0,
    asks_axe=False,
    host_rules="MAP *.localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Borrowing(BrowserWitness):
    """Looks by a browser that another witness started, and leaves it running."""

    def __init__(self, lender: BrowserWitness) -> None:
        super().__init__(OPTIONS)
        self._browser = lender._browser  # type: ignore[method-assign] # the one Chromium

    async def close(self) -> None:
        pass


@asynccontextmanager
async def lending() -> AsyncIterator[BrowserWitness]:
    """Who starts the one Chromium, and ends it. Without one the test is skipped; in CI it fails."""
    if OPTIONS.executable is None:
        pytest.fail(NO_CHROMIUM) if IN_CI else pytest.skip(NO_CHROMIUM)
    lender = BrowserWitness(OPTIONS)
    try:
        yield lender
    finally:
        await lender.close()


async def scan_by_browser(
    lender: BrowserWitness,
    url: str,
    options: Options | None = None,
    pages: tuple[str, ...] = (),
) -> Scan:
    """Scan from a whole address on; `pages` are paths of the same site."""
    site = "/".join(url.split("/")[:3])

    async def look() -> Looks:
        return Borrowing(lender)

    return await scan(url, look, options, pages=[site + page for page in pages])
