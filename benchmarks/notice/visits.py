"""What a visitor's browser does with a page and its notice, at full speed and held back.

Has never heard of what stands on which side of a table. Each measurement is two visits by somebody
who was never here, with nothing in any cache: one is weighed, and nothing of ours runs in its page;
in the other a few lines look at every frame, and what they cost is in no figure but their own.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.browser.visitors import AGENT
from tests.conftest import CHROMIUM_FLAGS, NO_CHROMIUM, find_chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserType, CDPSession, Page

    from benchmarks.notice.notices import Choices, Notice

PATIENCE: Final = 30_000
CALM: Final = 500
"""Milliseconds in which nothing more happens after the network has been idle for as long."""
_WIDTH: Final = 1280
_HEIGHT: Final = 720

FLAGS: Final = (
    *CHROMIUM_FLAGS,
    # A peer does not show itself to a browser that says it is driven.
    "--disable-blink-features=AutomationControlled",
)


class Speed(NamedTuple):
    """How much slower than this machine the browser is: the processor's factor, and a network."""

    name: str
    processor: int = 1
    latency: int = 0
    """Milliseconds before a response begins."""
    megabits: int = 0
    """Per second, down and up; 0 is as fast as it goes."""


SPEEDS: Final = (
    Speed("full speed"),
    Speed("held back", processor=4, latency=40, megabits=10),
)


class Measured(NamedTuple):
    """One measurement of a page. Times are milliseconds, those of a moment since navigation began.

    `wire` is octets of all responses with their headers, `requests` how many came, `elements` how
    many stand in the document. `script` is the processor's time for compiling and running it, which
    other programs of the machine do not lengthen. `page` is when any content is painted first,
    `shift` the sum of all layout shifts. The rest is None where there is no notice: `visible` is
    when the notice is painted, `is_first` whether it is in the very first frame that is.
    """

    wire: int
    requests: int
    elements: int
    script: float
    page: float
    shift: float
    visible: float | None
    is_first: bool | None


class NotVisibleError(Exception):
    """A notice that should be there is not."""


@contextmanager
def started(chromium: BrowserType) -> Iterator[Browser]:
    """A Chromium of its own, as the tests start it."""
    path = find_chromium()
    if path is None:
        raise FileNotFoundError(NO_CHROMIUM)
    browser = chromium.launch(executable_path=path, args=list(FLAGS))
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def somebody(browser: Browser, speed: Speed) -> Iterator[tuple[Page, CDPSession]]:
    """A page of somebody who was never here, and a line to the browser's own tools."""
    context = browser.new_context(
        user_agent=AGENT, viewport={"width": _WIDTH, "height": _HEIGHT}, locale="en-GB"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    tools = context.new_cdp_session(page)
    tools.send("Network.enable")
    if speed.processor > 1:
        tools.send("Emulation.setCPUThrottlingRate", {"rate": speed.processor})
    if speed.megabits:
        rate = speed.megabits * 1_000_000 / 8
        network = {"latency": speed.latency, "downloadThroughput": rate, "uploadThroughput": rate}
        tools.send("Network.emulateNetworkConditions", {"offline": False, **network})
    try:
        yield page, tools
    finally:
        context.close()


def address(notice: Notice, port: int) -> str:
    """Where the page with this notice is."""
    return f"http://{notice.host}.localhost:{port}/"


def go(page: Page, tools: CDPSession, notice: Notice, port: int) -> None:
    """Open the page with this notice, and wait until it has come to rest."""
    if notice.is_blocked:
        tools.send("Network.setBlockedURLs", {"urls": [notice.scripts]})
    page.goto(address(notice, port), wait_until="networkidle")
    page.wait_for_timeout(CALM)


def measure(browser: Browser, notice: Notice, speed: Speed, port: int) -> Measured:
    """Visit twice: weigh, then watch."""
    with somebody(browser, speed) as (page, tools):
        weighed = weigh(page, tools, notice, port)
    with somebody(browser, speed) as (page, tools):
        watched = watch(page, tools, notice, port)
    return Measured(**weighed, **watched)


def weigh(page: Page, tools: CDPSession, notice: Notice, port: int) -> dict[str, Any]:
    """What came over the wire, what ran, and what stands in the page."""
    octets: list[int] = []
    addresses: dict[str, str] = {}

    def ask(event: Any) -> None:
        addresses[event["requestId"]] = event["request"]["url"]

    def come(event: Any) -> None:
        if addresses[event["requestId"]].startswith("http"):  # and not data:
            octets.append(int(event["encodedDataLength"]))

    tools.on("Network.requestWillBeSent", ask)
    tools.on("Network.loadingFinished", come)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    go(page, tools, notice, port)
    figures = {
        metric["name"]: metric["value"]
        for metric in tools.send("Performance.getMetrics")["metrics"]
    }
    return {
        "wire": sum(octets),
        "requests": len(octets),
        "elements": page.evaluate("document.querySelectorAll('*').length"),
        "script": 1000 * (figures["ScriptDuration"] + figures["V8CompileDuration"]),
    }


# Asks in each frame, before it is painted, whether every choice can be seen and pressed: it has a
# box that is inside the window, half opaque or more, and under the pointer. A message that is sent
# from there is answered when the frame has been painted. `paintTime` is the end of such a frame,
# while `startTime` would be when the screen showed it, in the midst of a later one.
LOOK: Final = """
const watched = { shift: 0, began: null, visible: null };
window.watched = watched;
const opacity = (element) =>
  element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
const canBePressed = (selector) => {
  const element = document.querySelector(selector);
  const box = element?.getBoundingClientRect();
  if (!box?.width || !box.height || box.left < 0 || box.top < 0) return false;
  if (box.right > innerWidth || box.bottom > innerHeight) return false;
  if (!element.checkVisibility({ visibilityProperty: true })) return false;
  if (opacity(element) < 0.5) return false;
  const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return element.contains(there);
};
window.canAllBePressed = (selectors) => selectors.every(canBePressed);
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) watched.shift += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
window.look = (selectors) => {
  const painted = new MessageChannel();
  painted.port1.onmessage = () => { watched.visible = performance.now(); };
  const frame = () => {
    const began = performance.now();
    if (!canAllBePressed(selectors)) return requestAnimationFrame(frame);
    watched.began = began;
    painted.port2.postMessage(null);
  };
  requestAnimationFrame(frame);
};
"""
_TELL: Final = """() => {
  const [first, page] = ['first-paint', 'first-contentful-paint'].map((name) => {
    const [entry] = performance.getEntriesByName(name);
    return entry.paintTime ?? entry.startTime;
  });
  return { ...watched, first, page };
}"""


def watch(page: Page, tools: CDPSession, notice: Notice, port: int) -> dict[str, Any]:
    """What was painted when. Raises `NotVisibleError` where a notice does not come to be seen."""
    choices = notice.choices
    start = f"look({json.dumps(choices)});" if choices else ""
    page.add_init_script(LOOK + start)
    go(page, tools, notice, port)
    if choices:
        _wait_until_visible(page, notice)
    told = page.evaluate(_TELL)
    return {
        "page": told["page"],
        "shift": told["shift"],
        "visible": told["visible"],
        "is_first": told["began"] <= told["first"] if choices else None,
    }


def _wait_until_visible(page: Page, notice: Notice) -> None:
    from playwright.sync_api import TimeoutError as PlaywrightTimeoutError  # noqa: PLC0415 - only who measures has it

    try:
        page.wait_for_function("watched.visible")
    except PlaywrightTimeoutError:
        raise NotVisibleError(
            f"{notice.name}: not all of {notice.choices} came to be seen"
        ) from None


IS_ANOTHER_PAGE: Final = "!window.isBeforeTheRefusal && document.readyState === 'complete'"


def can_refuse(page: Page, choices: Choices) -> bool:
    """Press the refusal of the notice in the page, if it is there; whether it is gone for good.

    Where no page comes of it, this waits a while for one.
    """
    from playwright.sync_api import TimeoutError as PlaywrightTimeoutError  # noqa: PLC0415 - only who measures has it

    if not page.evaluate("canAllBePressed", list(choices)):
        return False
    page.evaluate("window.isBeforeTheRefusal = true")
    page.click(choices.reject)
    with suppress(PlaywrightTimeoutError):
        page.wait_for_function(IS_ANOTHER_PAGE, timeout=10 * CALM)
    page.wait_for_timeout(CALM)
    page.reload(wait_until="networkidle")
    page.wait_for_timeout(CALM)
    return not page.evaluate("canAllBePressed", list(choices))


def works_blocked(browser: Browser, notice: Notice, port: int) -> bool:
    """Whether the notice is there and takes a refusal when its scripts do not come."""
    if notice.choices is None:
        return False
    with somebody(browser, SPEEDS[0]) as (page, tools):
        page.add_init_script(LOOK)
        go(page, tools, notice._replace(is_blocked=True), port)
        return can_refuse(page, notice.choices)
