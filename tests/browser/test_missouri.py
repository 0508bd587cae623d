"""A visit to the site of Missouri's Secretary of State, with JavaScript and without.

What counts is the browser's jar: its privacy policy says that nothing in it outlives the browser.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.types import ASGIApp

from examples.missouri_secretary_of_state.app import create_app, create_site
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.visitors import AGENT, Visitor
from tests.conftest import CHROMIUM_FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

PAGES = ("/", "/filings/", "/forms/?q=report", "/account/", "/privacy-policy")
OURS = ("/consent", "/consent/cookies")
Comes = Callable[[ASGIApp], Visitor]
Opens = Callable[[], "BrowserContext"]

# What reads wider than the window: the same at 320 CSS pixels is WCAG 2.2, 1.4.10.
OVERFLOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(params=[True, False], ids=["JavaScript", "no JavaScript"])
def comes(request: pytest.FixtureRequest, serve: Serve, new_visitor: NewVisitor) -> Comes:
    """Serves an app, and lets somebody come to it."""

    def comes(app: ASGIApp) -> Visitor:
        return new_visitor(serve(app), java_script_enabled=request.param)

    return comes


@pytest.fixture
def visitor(comes: Comes) -> Visitor:
    """Somebody at the site, held to its policy."""
    return comes(create_app())


@pytest.fixture
def opens(browser: "Browser", chromium_path: str, tmp_path: Path) -> Opens:
    """Opens a browser that keeps on a drive what browsers keep there."""

    def opens() -> "BrowserContext":
        return browser.browser_type.launch_persistent_context(
            tmp_path, executable_path=chromium_path, args=list(CHROMIUM_FLAGS), user_agent=AGENT
        )

    return opens


def file_a_form(visitor: Visitor) -> None:
    """The first page of the filing form, and on to the second."""
    visitor.type_address("/")
    visitor.click('nav a:text-is("File")')
    visitor.page.fill("#business", "Ozark & Sons")
    visitor.page.fill("#address", "1 High Street, Jefferson City 65101")
    visitor.click('button:text-is("Continue")')
    assert "Ozark & Sons" in visitor.page.inner_text("main")


def look_for_a_form(visitor: Visitor) -> None:
    """A search, and another look at the page."""
    visitor.type_address("/forms/")
    visitor.page.fill("#q", "report")
    visitor.click('button:text-is("Search")')
    assert "Annual registration report" in visitor.page.inner_text("main")
    visitor.click('nav a:text-is("Forms")')


def test_the_filing_forms_cookie_has_no_expiry(visitor: Visitor) -> None:
    """The document: "uses session cookies only"; the form's app asks for 14 days."""
    file_a_form(visitor)
    assert visitor.cookie("filing")["expires"] == -1
    visitor.click('button:text-is("Send it")')
    assert "has arrived" in visitor.page.inner_text("main")
    assert visitor.jar == []


def test_the_searchs_cookie_is_not_stored(visitor: Visitor) -> None:
    """The document: "We do not use any persistent cookies"; the search wants one for a year."""
    look_for_a_form(visitor)
    assert visitor.jar == []
    assert "You last looked for" not in visitor.page.inner_text("main")


def test_without_the_middleware_both_are_stored(comes: Comes) -> None:
    """The control of both: the same site, the same walk."""
    visitor = comes(create_site())
    file_a_form(visitor)
    look_for_a_form(visitor)
    assert "You last looked for report" in visitor.page.inner_text("main")
    assert {cookie["name"] for cookie in visitor.jar if cookie["expires"] > 0} == {
        "filing",
        "last-search",
    }


def test_the_log_in_is_a_session_cookie_and_works(visitor: Visitor) -> None:
    """What keeps to the policy by itself goes on working."""
    visitor.type_address("/account/")
    visitor.page.fill("#user_id", "mo-1821")
    visitor.click('button:text-is("Log in")')
    assert "You are logged in as mo-1821" in visitor.page.inner_text("main")
    assert visitor.cookie("account")["expires"] == -1
    visitor.click('button:text-is("Log out")')
    assert visitor.jar == []


def test_no_page_asks_anything(visitor: Visitor) -> None:
    """Nothing needs an answer, so there is no banner, and no line about cookies either."""
    for path in PAGES:
        visitor.type_address(path)
        assert visitor.page.locator("h1").count() == 1, path
        assert visitor.notice.count() == 0, path
        assert visitor.page.locator('a[href$="/consent"]').count() == 0, path
    assert visitor.jar == []


def test_the_table_is_in_the_privacy_policy(visitor: Visitor) -> None:
    """R-74: it can be read without an answer, one click from every page."""
    visitor.type_address("/filings/")
    visitor.click('footer a:text-is("Privacy policy")')
    rows = visitor.page.locator("[data-consentkit=cookies] tbody tr:has(td)").all_inner_texts()
    for name, reason in (("filing", "what you typed in"), ("account", "log-in")):
        assert any(name in row and reason in row for row in rows), name


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_no_page_is_wider_than_its_window(visitor: Visitor, width: int) -> None:
    """WCAG 2.2, 1.4.10: nobody has to scroll sideways."""
    visitor.page.set_viewport_size({"width": width, "height": 800})
    for path in (*PAGES, *OURS):
        visitor.type_address(path)
        assert not visitor.page.evaluate(OVERFLOW), path


def test_the_skip_link_comes_first_and_leads_to_the_content(visitor: Visitor) -> None:
    """WCAG 2.2, 2.4.1: no notice stands before it here."""
    visitor.type_address("/")
    visitor.page.keyboard.press("Tab")
    assert visitor.page.locator(":focus").inner_text() == "Skip to main content"
    visitor.page.keyboard.press("Enter")
    assert visitor.page.url.endswith("/#main")


def test_nothing_goes_wrong_on_the_way(visitor: Visitor) -> None:
    """No error in the console, and nothing is asked of another host."""
    for path in (*PAGES, *OURS):
        visitor.type_address(path)
    assert not visitor.complaints
    assert all(url.startswith(visitor.server.origin()) for url in visitor.requested)


@pytest.mark.parametrize(
    ("create", "left"),
    [(create_app, set()), (create_site, {"filing", "last-search"})],
    ids=["held to its policy", "control"],
)
def test_nothing_is_left_when_the_browser_was_closed(
    serve: Serve, opens: Opens, create: Callable[[], ASGIApp], left: set[str]
) -> None:
    """The document: a session cookie "is destroyed as soon as you close your browser"."""
    origin = serve(create()).origin()
    with opens() as browser:
        page = browser.pages[0]
        page.goto(f"{origin}/forms/?q=report")
        page.goto(f"{origin}/filings/")
        page.fill("#business", "Ozark & Sons")
        page.fill("#address", "Jefferson City")
        page.click('button:text-is("Continue")')
        page.wait_for_url("**/filings/review")
        assert "filing" in {cookie["name"] for cookie in browser.cookies()}
    with opens() as browser:
        assert {cookie["name"] for cookie in browser.cookies()} == left
