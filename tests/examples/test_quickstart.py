"""The quickstart, as the README prints it: nothing optional before a yes."""

from contextlib import chdir
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from consentkit.testing import Browser, assert_blocked, assert_removed, assert_sets

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parents[2] / "examples" / "quickstart"
THIRTEEN_MONTHS = 395 * 86_400


@pytest.fixture
def app() -> ASGIApp:
    with chdir(FOLDER):
        from examples.quickstart.app import app

    return app


@pytest.fixture
def browser(app: ASGIApp) -> Browser:
    return Browser(app, url="http://localhost")


async def test_nothing_optional_is_stored_before_a_yes(browser: Browser) -> None:
    """Regulation 6 PECR; Article 5(3): consent comes first."""
    for _ in range(2):
        page = await browser.visit("/")
        assert_blocked(page, "visits")
        assert "Visit 1<" in page.text
    assert browser.cookies == {}


async def test_a_yes_counts_from_the_next_visit_on(browser: Browser) -> None:
    """The same page after a grant: the control of the test above."""
    answer = await browser.submit("/consent", choice="accept-all", next="/")
    assert (answer.status, answer.header("location")) == (303, "/#consentkit")
    stored = assert_sets(await browser.follow("/"), "visits")
    assert stored.attributes.max_age == THIRTEEN_MONTHS
    assert "Visit 2<" in (await browser.follow("/")).text


async def test_a_route_asks_what_the_visitor_said(browser: Browser) -> None:
    """What a site does beyond cookies is its own to decide, by the same answers."""
    assert (await browser.fetch("/measured")).json() is False
    await browser.submit("/consent", choice="accept-all")
    assert (await browser.fetch("/measured")).json() is True


async def test_a_withdrawal_takes_the_cookie_away(browser: Browser) -> None:
    """Article 7(3) GDPR: as easy to withdraw as to give."""
    await browser.submit("/consent", choice="accept-all")
    await browser.follow("/")
    assert "visits" in browser.cookies
    assert_removed(await browser.submit("/consent", choice="withdraw"), "visits")
    assert "visits" not in browser.cookies


async def test_the_page_carries_the_notice(browser: Browser) -> None:
    """A visitor who is not told cannot answer."""
    page = await browser.visit("/")
    assert "<h2>May we use optional cookies?</h2>" in page.text
    assert page.text.index("consentkit-banner") < page.text.index("<h1>")


def test_it_fits_on_one_screen_of_the_readme() -> None:
    """The smallest site is read before it is run."""
    for name in ("app.py", "consent.yaml"):
        assert len((FOLDER / name).read_text("utf-8").splitlines()) <= 30
