"""What every test may ask for: both event loops, and a real Chromium.

Has never heard of a policy: what a test needs of consentkit, it makes itself.
"""

import gc
import os
import shutil
from collections.abc import Iterator
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IN_CI = os.environ.get("CI") == "true"

# A deadline measures the machine and not the rule. In CI the examples are the same in every run, so
# that a change is judged by what it changed, and half as many as on a developer's machine, where
# they are new each time. `--hypothesis-profile=deep` is for a night.
settings.register_profile("here", deadline=None)
settings.register_profile("deep", deadline=None, max_examples=1000, print_blob=True)
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=50,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if IN_CI else "here")

# `scripts/setup` looks in the same order.
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "msedge")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Every name is this machine, so nothing a page asks for leaves it.
    "--host-resolver-rules=MAP * 127.0.0.1",
)
NO_CHROMIUM = (
    "no Chromium found: install one (Debian: apt-get install chromium) "
    "or name it with CONSENTKIT_CHROMIUM=..."
)


def in_a_deep_run(most: int, *, else_only: int) -> int:
    """How many examples a test makes that has a generator of its own."""
    return most if settings.get_current_profile_name() == "deep" else else_only


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both event loops that Starlette runs on."""
    return str(request.param)


def find_chromium() -> str | None:
    """The path of the browser to drive, or None where the machine has none."""
    names = (os.environ.get("CONSENTKIT_CHROMIUM", ""), *CHROMIUM_NAMES)
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of a Chromium. Without one the test is skipped, and in CI it fails."""
    path = find_chromium()
    if path is None and IN_CI:
        pytest.fail(NO_CHROMIUM)
    if path is None:
        pytest.skip(NO_CHROMIUM)
    return path


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator["Browser"]:
    """A running Chromium; a test makes a new context in it for each visitor."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_path, args=list(CHROMIUM_FLAGS)
        )
        yield chromium
        chromium.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives the browser, and put it last: first what is async, then the rest.

    Once Playwright's sync API has started in a process, no event loop starts there any more.
    """
    for item in items:
        if "chromium_path" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    items.sort(key=_place)


def pytest_collection_finish() -> None:
    """Leave the tests to no garbage collector: to look through them all takes it half a second."""
    gc.collect()
    gc.freeze()


def _place(item: pytest.Item) -> int:
    if item.get_closest_marker("browser") is None:
        return 0
    return 1 if iscoroutinefunction(getattr(item, "function", None)) else 2
