"""What every test may ask for: both event loops, and a real Chromium.

Has never heard of a policy: what a test needs of consentkit, it makes itself.
"""

import gc
import os
import shutil
import sys
from collections.abc import Generator, Iterator
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

# The shell is Chromium without windows, and takes a third less of a processor. What a scan finds by
# itself, and is tested with, is a whole one; `scripts/setup` installs both.
WHOLE_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "msedge")
CHROMIUM_NAMES = ("chromium-headless-shell", *WHOLE_CHROMIUM_NAMES)
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


WHOLE_APPLICATIONS = ("examples", "hosts", "proxies")
"""Folders of tests that go through code which is not consentkit's."""


def in_a_deep_run(most: int, *, else_only: int) -> int:
    """How many examples a test makes that has a generator of its own."""
    return most if settings.get_current_profile_name() == "deep" else else_only


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both event loops that Starlette runs on."""
    return str(request.param)


def find_chromium(names: tuple[str, ...] = CHROMIUM_NAMES) -> str | None:
    """The path of the browser to drive, or None where the machine has none of the names."""
    names = (os.environ.get("CONSENTKIT_CHROMIUM", ""), *names)
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of a Chromium. Without one the test is skipped, and in CI it fails."""
    return _found(find_chromium())


@pytest.fixture(scope="session")
def whole_chromium_path(chromium_path: str) -> str:
    """The path of one that has windows: only that keeps a page for whoever goes back to it."""
    # It takes the other fixture, too, by which a test is known to drive a browser.
    return _found(find_chromium(WHOLE_CHROMIUM_NAMES))


def _found(path: str | None) -> str:
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let coverage look only where it counts: it makes Python more than twice as slow."""
    tracer = sys.gettrace()
    if tracer is None or is_counted(item):
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


def is_counted(item: pytest.Item) -> bool:
    """True if lines that this test reaches are covered by it.

    Not if it is a property, whose examples come by chance, or is marked to be as large; nor on
    trio, where the same lines run as on asyncio; nor where the lines are for the most part those
    of a whole application. In CI examples do not come by chance, so some properties are marked.
    """
    if item.get_closest_marker("counted"):
        return True
    parameters = (
        item.callspec.params
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        else {}
    )
    return not (
        getattr(getattr(item, "function", None), "is_hypothesis_test", False)
        or parameters.get("anyio_backend") == "trio"
        or item.get_closest_marker("uncounted")
        or item.path.parent.name in WHOLE_APPLICATIONS
    )


def pytest_collection_finish() -> None:
    """Leave the tests to no garbage collector: to look through them all takes it half a second."""
    gc.collect()
    gc.freeze()


def _place(item: pytest.Item) -> int:
    if item.get_closest_marker("browser") is None:
        return 0
    return 1 if iscoroutinefunction(getattr(item, "function", None)) else 2
