"""A visit to the Staffordshire site, with JavaScript and without, as its cookie page describes it.

What counts is the browser's jar, and the log of the server that plays the analytics' part.
"""

import time
from typing import NamedTuple

import pytest

from examples.staffordshire_police.app import create_app
from examples.third_parties import AnalyticsServer
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import ANALYTICS, Server
from tests.browser.visitors import Visitor

DAY = 86_400
PAGES = ("/", "/news", "/polls", "/polls/17", "/log-in", "/cookie-policy")
ANALYTICS_COOKIES = {"_ga", "_ga_TEST"}


class Stage(NamedTuple):
    """Both servers and the visitor; `has_script` is whether their browser runs JavaScript."""

    site: Server
    analytics: Server
    visitor: Visitor
    has_script: bool

    @property
    def counted(self) -> set[str]:
        """The analytics cookies that a page stores in this browser."""
        return ANALYTICS_COOKIES if self.has_script else {"_ga"}

    def went_to_analytics(self, path: str = "/ga.js") -> bool:
        return bool(self.analytics.asked_for(path))

    def settle(self) -> None:
        """Until the page's scripts have run, those of the analytics too."""
        self.visitor.page.wait_for_load_state("networkidle" if self.has_script else "load")


@pytest.fixture(params=[True, False], ids=["JavaScript", "no JavaScript"])
def stage(request: pytest.FixtureRequest, serve: Serve, new_visitor: NewVisitor) -> Stage:
    analytics = serve(AnalyticsServer())
    site = serve(create_app(third_party_origin=analytics.origin(ANALYTICS)))
    visitor = new_visitor(site, java_script_enabled=request.param)
    return Stage(site, analytics, visitor, request.param)


def go_on(stage: Stage, label: str) -> None:
    """Click a link of the site's navigation."""
    with stage.visitor.page.expect_navigation():
        stage.visitor.page.click(f'nav a:text-is("{label}")')


def imply(stage: Stage) -> None:
    """The first visit, and a second page."""
    stage.visitor.type_address("/")
    go_on(stage, "News")
    # The script is deferred: it has run, and stored its own, before the page is loaded.
    assert stage.visitor.stored == stage.counted


def test_the_first_visit_stores_nothing_optional(stage: Stage) -> None:
    """R-05: nobody has agreed yet, so nothing is stored and nobody is told of the visit."""
    stage.visitor.type_address("/")
    assert stage.visitor.is_asked
    assert {one["name"] for one in stage.visitor.jar} == {"__Host-staffordshire-consent-seen"}
    assert not stage.analytics.log
    assert all(url.startswith(stage.site.origin()) for url in stage.visitor.requested)


def test_the_second_page_implies_consent(stage: Stage) -> None:
    """The document: "By continuing to browse this site, you are agreeing"."""
    imply(stage)
    assert not stage.visitor.is_asked
    assert stage.visitor.cookie("_ga")["domain"] == "www.staffordshire.localhost"
    lives = (stage.visitor.cookie("_ga")["expires"] - time.time()) / DAY
    assert 394 < lives <= 395, "thirteen months, not the two years that the site asks for"
    assert stage.went_to_analytics() is stage.has_script


def test_a_vote_and_nothing_else_stores_a_polls_cookie_for_a_day(stage: Stage) -> None:
    """The document: "If you do the cookie will expire after one day"."""
    visitor = stage.visitor
    imply(stage)
    go_on(stage, "Polls")
    visitor.click('main a:has-text("patrol on foot")')
    assert visitor.stored == stage.counted, "looking at a poll is no vote"
    visitor.page.check('input[value="In villages"]')
    visitor.click('button:text-is("Vote")')
    assert "You have voted." in visitor.page.inner_text("main")
    assert visitor.stored == stage.counted | {"PollTimeout-17"}
    lives = visitor.cookie("PollTimeout-17")["expires"] - time.time()
    assert DAY - 60 < lives <= DAY
    visitor.type_address("/polls/18")
    assert visitor.page.locator('button:text-is("Vote")').count() == 1
    assert visitor.stored == stage.counted | {"PollTimeout-17"}


def test_a_vote_needs_no_answer_to_the_banner(stage: Stage) -> None:
    """The document: "you should not vote on a poll": the vote itself is what asks for it."""
    visitor = stage.visitor
    visitor.type_address("/polls/17")
    visitor.page.check('input[value="In villages"]')
    visitor.click('button:text-is("Vote")')
    assert visitor.stored == {"PollTimeout-17"}
    assert visitor.is_asked, "and it answers nothing else"


def test_a_refusal_takes_analytics_out_of_the_jar(stage: Stage) -> None:
    """R-16: what both the server and the script stored is gone, and stays away."""
    visitor = stage.visitor
    imply(stage)
    visitor.click("#consentkit a")
    visitor.answer("reject-all")
    assert not visitor.stored
    stage.analytics.log.clear()
    for label in ("Home", "News", "Polls", "Log in"):
        go_on(stage, label)
        assert not visitor.stored
    assert not stage.analytics.log


def test_the_banners_reject_button_is_enough(stage: Stage) -> None:
    """R-02: one click, on the page one is on, and back to it."""
    visitor = stage.visitor
    visitor.type_address("/news?page=2")
    visitor.answer("reject-all")
    assert visitor.page.url == stage.site.origin() + "/news?page=2"
    assert not visitor.is_asked
    for label in ("Home", "News"):
        go_on(stage, label)
    assert not visitor.stored
    assert not stage.analytics.log


def test_an_acceptance_counts_at_once(stage: Stage) -> None:
    """The control of the refusals: the same buttons, the other answer."""
    stage.visitor.type_address("/news")
    stage.visitor.answer("accept-all")
    assert stage.visitor.stored == stage.counted
    assert stage.went_to_analytics() is stage.has_script


def test_the_log_in_goes_on_working_after_a_refusal(stage: Stage) -> None:
    """The document: "strictly necessary to the working of the web site"."""
    visitor = stage.visitor
    visitor.type_address("/")
    visitor.answer("reject-all")
    go_on(stage, "Log in")
    visitor.page.fill("#name", "Ada")
    visitor.click('main button:text-is("Log in")')
    assert "You are logged in as Ada" in visitor.page.inner_text("main")
    assert visitor.stored == {"clientvars"}
    assert visitor.cookie("clientvars")["expires"] == -1, "a session cookie, as declared"
    visitor.click("#consentkit a")
    visitor.answer("reject-all")
    visitor.type_address("/")
    assert "You are logged in as Ada" in visitor.page.inner_text("main")
    visitor.click('button:text-is("Log out")')
    assert not visitor.stored


@pytest.mark.parametrize(
    ("choice", "switched_on"), [("accept-all", {"polls", "analytics"}), ("reject-all", set())]
)
def test_the_preferences_preselect_the_present_answers(
    stage: Stage, choice: str, switched_on: set[str]
) -> None:
    """R-15: who comes back sees what they said, and can change a part of it."""
    visitor = stage.visitor
    visitor.type_address("/news")
    visitor.answer(choice)
    visitor.click("#consentkit a")
    switches = visitor.page.locator("input[name=purpose]")
    checked = visitor.page.locator("input[name=purpose]:checked")
    assert {one.get_attribute("value") for one in checked.all()} == switched_on
    assert switches.count() == 2
    visitor.page.locator("[value=analytics]").set_checked("analytics" not in switched_on)
    visitor.answer("save")
    assert visitor.page.url == stage.site.origin() + "/news"
    assert bool(visitor.stored) is ("analytics" not in switched_on)


def test_the_table_has_the_documents_rows(stage: Stage) -> None:
    """The document: "The following table describes the cookies we use on this site"."""
    stage.visitor.type_address("/")
    stage.visitor.click('footer a:text-is("Find out more")')
    rows = stage.visitor.page.locator("[data-consentkit=cookies] table tbody tr").all_inner_texts()
    for name, purpose in (
        ("clientvars", "Remembers your log-in for you."),
        ("PollTimeout-", "For each poll voted on there will be a cookie"),
        ("_ga", "to understand how the site is being used"),
    ):
        assert any(name in row and purpose in row for row in rows), name


def test_the_settings_link_is_on_every_page(stage: Stage) -> None:
    """R-15: withdrawing is never further away than the page one is on."""
    visitor = stage.visitor
    visitor.type_address("/")
    visitor.answer("accept-all")
    for path in PAGES:
        visitor.type_address(path)
        assert visitor.notice.locator('a[href="/consent"]').is_visible(), path
        assert not visitor.is_asked, path


def test_nothing_goes_wrong_on_the_way(stage: Stage) -> None:
    """No error in the console, on any page, before and after an answer."""
    visitor = stage.visitor
    for path in PAGES:
        visitor.type_address(path)
    visitor.type_address("/consent")
    visitor.type_address("/consent/cookies")
    visitor.type_address("/")
    visitor.answer("accept-all")
    stage.settle()
    assert not visitor.complaints
