"""What the page says after an answer that came with another page, and where the keyboard goes on.

Without a script an answer leads back to the page's address with `#consentkit`: the line's own words
show at that target alone (`:target`), so no state is kept anywhere. The script does the same where
it loads the page anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Site
from tests.browser.test_consent_js import (
    FILMS,
    KEY,
    POLICY,
    Party,
    another_tab,
    elsewhere,
    ready,
)
from tests.browser.visitors import Visitor, wait_until_true

if TYPE_CHECKING:
    from playwright.sync_api import Page

BODY = '<p><a id="next" href="/next">next</a></p>' + "<p>Words of the site.</p>" * 60
NO_SCRIPT = {"java_script_enabled": False}
WITHDRAWN = "Saved: all optional cookies are off."
GRANTED = "Saved: all optional cookies are on."


@pytest.fixture
def arrive(serve: Serve, new_visitor: NewVisitor) -> Any:
    """``arrive(more_policy, **options)``: somebody's first visit."""

    def arrive(more: str = "", *, body: str = BODY, **options: Any) -> Visitor:
        policy = read_policy(POLICY + more)
        server = serve(ConsentMiddleware(Site(body=body), policy=policy, secret_key=KEY))
        visitor = new_visitor(server, **options)
        visitor.type_address("/page?a=b")
        if visitor.is_scripted:
            ready(visitor)
        return visitor

    return arrive


@contextmanager
def anew(page: "Page") -> Iterator[None]:
    """What is done loads the page anew; this waits for it."""
    with page.expect_event("load"):
        yield
    wait_until_true(page, "!!window.consentkit?.allows")


def said(visitor: Visitor) -> list[str]:
    """What can be seen of *saved*, in the notice."""
    words = visitor.notice.locator("p", has_text="Saved")
    return [one.inner_text() for one in words.all() if one.is_visible()]


@pytest.mark.parametrize(
    ("choice", "words"),
    [("reject-all", WITHDRAWN), ("accept-all", GRANTED), ("save", WITHDRAWN)],
)
def test_without_a_script_the_page_says_what_was_saved(
    arrive: Any, choice: str, words: str
) -> None:
    """R-99: who answers sees that it was heard; the next page says nothing of it."""
    visitor = arrive(**NO_SCRIPT)
    assert said(visitor) == []
    if choice == "save":
        visitor.open_preferences()
    visitor.answer(choice)
    assert visitor.page.url == visitor.server.origin() + "/page?a=b#consentkit"
    assert said(visitor) == [words]
    visitor.click("#next")
    assert said(visitor) == []


def test_after_a_withdrawal_by_script_the_new_page_says_it(arrive: Any) -> None:
    """R-18, R-99: the page is loaded anew, and with it would go what was announced."""
    visitor = arrive()
    visitor.answer("accept-all")
    ready(visitor)
    steps = visitor.page.evaluate("history.length")
    with anew(visitor.page):
        visitor.page.click("#consentkit [value=withdraw]")
    assert said(visitor) == [WITHDRAWN]
    assert visitor.address == "/page?a=b"
    assert visitor.page.evaluate("history.length") == steps, "the way back is as long as it was"
    visitor.click("#next")
    assert said(visitor) == []


def test_where_a_policy_is_enforced_the_new_page_says_it(arrive: Any) -> None:
    """`csp: enforce`: every answer loads the page anew."""
    visitor = arrive("csp: enforce\n")
    with anew(visitor.page):
        visitor.page.click("#consentkit [value=accept-all]")
    assert said(visitor) == [GRANTED]


def test_a_page_that_everybody_shares_says_it_too(arrive: Any) -> None:
    """`pages: shared`: its notice comes from the server anew, and knows of nobody's answers."""
    visitor = arrive("pages: shared\n")
    visitor.page.click("#consentkit [value=accept-all]")
    visitor.notice.get_by_text(GRANTED).wait_for()
    with anew(visitor.page):
        visitor.page.click("#consentkit [value=withdraw]")
    visitor.notice.get_by_text(WITHDRAWN).wait_for()
    assert said(visitor) == [WITHDRAWN]
    visitor.click("#next")
    visitor.notice.locator("a").first.wait_for()
    visitor.page.wait_for_timeout(300)
    assert said(visitor) == []


def test_it_is_never_said_twice(arrive: Any) -> None:
    """An answer without a reload takes the place of what the address still asks for."""
    visitor = arrive()
    visitor.answer("accept-all")
    for _ in range(2):
        ready(visitor)
        with anew(visitor.page):
            visitor.page.click("#consentkit [value=withdraw]")
        assert said(visitor) == [WITHDRAWN]
        visitor.open_preferences()
        visitor.page.click("dialog [value=accept-all]")
        visitor.notice.get_by_text(GRANTED).wait_for()
        assert visitor.page.url.endswith("#consentkit"), "the control: the old words would show"
        assert said(visitor) == [GRANTED]


def test_what_another_tab_saved_is_not_said_here(arrive: Any) -> None:
    """It follows, and says nothing: nobody pressed anything in it."""
    visitor = arrive()
    visitor.answer("accept-all")
    ready(visitor)
    other = another_tab(visitor)
    with anew(visitor.page):
        other.click("#consentkit [value=withdraw]")
    assert said(visitor) == []
    assert visitor.page.url == visitor.server.origin() + "/page?a=b"
    other.wait_for_url("**#consentkit")
    other.close()


def test_a_page_that_keeps_its_own_place_in_the_address_keeps_it(arrive: Any) -> None:
    """Routers of single-page apps do: `#/basket` leads to where the visitor is."""
    visitor = arrive()
    visitor.answer("accept-all")
    visitor.type_address("/page?a=b#/basket")
    ready(visitor)
    with anew(visitor.page):
        visitor.page.click("#consentkit [value=withdraw]")
    assert visitor.page.url.endswith("/page?a=b#/basket")
    assert not visitor.page.evaluate("consentkit.allows('analytics')"), "the control"


def test_who_loads_one_film_is_not_taken_away_from_it(
    arrive: Any, serve: Serve, new_visitor: NewVisitor
) -> None:
    """Under `csp: enforce` the page comes anew, at the place where the film is."""
    party = Party(serve(elsewhere))
    film = f'<iframe id="film" src="{party.at(FILMS, "film.html")}"></iframe>'
    visitor = arrive("csp: enforce\n", body=BODY + film + BODY)
    frame = visitor.page.frame_locator("#film")
    with anew(visitor.page):
        frame.locator("button[name=service]").click()
    assert visitor.page.url == visitor.server.origin() + "/page?a=b"
    frame.locator("p", has_text="film").wait_for()
    wait_until_true(visitor.page, "scrollY > 0")


FOCUSED = "document.activeElement.closest('#consentkit') && document.activeElement.className"


@pytest.mark.parametrize("layout", ["top", "bottom"])
@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
def test_the_keyboard_goes_on_at_the_notice(arrive: Any, layout: str, *, scripted: bool) -> None:
    """WCAG 2.4.3: the next stop is the line's first link, where the banner's button was."""
    visitor = arrive(
        f"banner: {{layout: {layout}}}\n" + ("csp: enforce\n" if scripted else ""),
        java_script_enabled=scripted,
    )
    visitor.page.focus("button[value=reject-all]")
    if scripted:
        with anew(visitor.page):
            visitor.page.keyboard.press("Enter")
    else:
        with visitor.page.expect_navigation():
            visitor.page.keyboard.press("Enter")
    assert said(visitor) == [WITHDRAWN]
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate(FOCUSED) == "consentkit-more"
    assert visitor.notice.locator("a").first.evaluate("link => link == document.activeElement")
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate("document.activeElement.id") == "next", "the control"
