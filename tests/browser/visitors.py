"""A person at a real browser: goes, clicks, and looks into the jar.

Has never heard of consentkit, except for what stands in its markup, and for what its script does
last of all when there was an answer: it tells the other tabs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from tests.browser.servers import Server

# Chromium without a screen calls itself "HeadlessChrome", which is how crawlers look.
AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"
)
QUESTION = "#consentkit button[value=accept-all]"  # the quiet line has but one that withdraws
PATIENCE = 10_000  # milliseconds
IS_HEARD = """() => {
    window.heardAnswer = "no";
    addEventListener("beforeunload", () => { heardAnswer = "a page comes" });
    new BroadcastChannel("consentkit").onmessage = () => {
        if (heardAnswer === "no") heardAnswer = "yes";
    };
}"""
# True of the page that came instead of the one that was told so, too: it knows of no such name.
HAS_HEARD = """!["no", "a page comes"].includes(window.heardAnswer)
    && document.readyState === "complete\""""


def wait_until(
    is_so: Callable[[], object],
    page: Page | None = None,
    *,
    otherwise: Callable[[], object] = lambda: "",
) -> None:
    """Look until it is so; after twenty seconds fail, and tell what is there `otherwise`.

    What a page tells of (its console, its requests) comes in while one waits in that `page`.
    """
    deadline = time.monotonic() + 2 * PATIENCE / 1000
    while not is_so():
        assert time.monotonic() < deadline, ("it did not come true", otherwise())
        if page is None:
            time.sleep(0.02)
        else:
            page.wait_for_timeout(20)


def wait_until_true(page: Page, expression: str, argument: object = None) -> None:
    """As `page.wait_for_function`, also where the page's policy forbids `eval`.

    That looks again by `eval` in the page: it fails there if it was not true at the first look.
    """
    from playwright.sync_api import Error

    def is_so() -> bool:
        with suppress(Error):  # a page that goes while it is asked; another comes
            return bool(page.evaluate(expression, argument))
        return False

    wait_until(is_so, page, otherwise=lambda: expression)


class Visitor:
    """A browser context with one page.

    `complaints` is what the console said of errors and warnings, `requested` every address that
    the page asked for.
    """

    def __init__(self, browser: Browser, **options: Any) -> None:
        self._has_script = options.get("java_script_enabled", True)
        self._context = browser.new_context(**{"user_agent": AGENT} | options)
        self._context.set_default_timeout(PATIENCE)
        self.page: Page = self._context.new_page()
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requested.append(request.url))

    def come_to(self, server: Server) -> None:
        """Be somebody who was never here, and go nowhere yet."""
        self.server = server
        self._context.clear_cookies()
        self.turn_signal(None)
        self.complaints.clear()
        self.requested.clear()

    def _note(self, message: Any) -> None:
        # A site without an icon is no fault of a page.
        is_icon = message.location["url"].endswith("/favicon.ico")
        if message.type in ("error", "warning") and not is_icon:
            self.complaints.append(message.text)

    def leave(self) -> None:
        """Let go of the server."""
        self.page.goto("about:blank")

    def forget(self) -> None:
        """Empty the jar, and be new."""
        self._context.clear_cookies()

    # what a person does

    def type_address(self, path: str) -> None:
        """Go where nothing on the site leads: an address that is typed, or a bookmark."""
        self.page.goto(self.server.origin() + path)

    def click(self, selector: str) -> None:
        """Click what leads to another page, and wait for it."""
        with self.page.expect_navigation():
            self.page.click(selector)

    def open_preferences(self) -> None:
        """Follow the notice's link: to a dialog with a script, to a page without."""
        link = "#consentkit a.consentkit-more"
        if self.is_scripted:
            self.page.click(link)
            self.page.wait_for_selector("dialog[open]")
        else:
            self.click(link)

    def answer(self, choice: str) -> None:
        """Press a button of the notice or of the preferences, and see the page that follows.

        Without a script the form leads back to it; the script stays on it, so it is opened anew.
        """
        button = f"{self.front}button[name=choice][value={choice}]"
        if not self.is_scripted:
            self.click(button)
            return
        with self.answering():
            self.page.click(button)
        self.type_address(self.address)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """What is done inside is an answer by the script; this waits until its part is done.

        It tells other tabs when it has looked through the page's storage. Where it loads the page
        anew, this waits for the new one.
        """
        self.page.evaluate(IS_HEARD)
        with self.page.expect_response(lambda response: "/consent/notice?" in response.url):
            yield
        wait_until_true(self.page, HAS_HEARD)

    def wait_until(self, is_so: Callable[[], object]) -> None:
        """Look until it is so, and hear meanwhile what the page tells of."""
        wait_until(is_so, self.page, otherwise=lambda: (self.complaints, self.jar))

    # what they see

    @property
    def address(self) -> str:
        """Path and query of the page, without the fragment that an answer may lead to."""
        return self.page.url.removeprefix(self.server.origin()).partition("#")[0]

    @property
    def is_scripted(self) -> bool:
        """True where `consent.js` runs: its own pages have none."""
        return self._has_script and bool(self.page.locator("#consentkit-script").count())

    @property
    def front(self) -> str:
        """The beginning of a selector for what can be clicked: a dialog, if one is open."""
        return "dialog[open] " if self.page.locator("dialog[open]").count() else ""

    @property
    def notice(self) -> Locator:
        return self.page.locator("#consentkit")

    @property
    def is_asked(self) -> bool:
        return bool(self.page.locator(QUESTION).count())

    def turn_signal(self, value: str | None) -> None:
        """Set Global Privacy Control to a value, or off."""
        self._context.set_extra_http_headers({} if value is None else {"Sec-GPC": value})

    # what is stored

    @property
    def jar(self) -> list[Any]:
        """Every cookie of every site, as the browser has it."""
        return list(self._context.cookies())

    @property
    def stored(self) -> set[str]:
        """The names in the jar, but for consentkit's own two tokens."""
        return {cookie["name"] for cookie in self.jar if "consent" not in cookie["name"]}

    def cookie(self, name: str) -> Any:
        """The one cookie of that name."""
        [cookie] = [cookie for cookie in self.jar if cookie["name"] == name]
        return cookie
