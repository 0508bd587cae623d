"""A visit to the Staffordshire site, with JavaScript and without, as its cookie page describes it.

What counts is the browser's jar, and the log of the server that plays the third parties' parts.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from consentkit import Policy
from consentkit.rules.policy_file import read_policy
from examples.staffordshire_police import app as staffordshire
from examples.staffordshire_police.app import create_app
from examples.third_parties import ThirdParties
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import SITE, Server
from tests.browser.visitors import Visitor, wait_until

DAY = 86_400
PAGES = ("/", "/news", "/polls", "/polls/17", "/log-in", "/cookie-policy")
ANALYTICS_COOKIES = {"_ga", "_ga_TEST"}
ANALYTICS = {"analytics/ga.js", "analytics/collect"}
FILM = {"video/embed/bicycles"}
LIKE = {"facebook/like.js"}
SOCIAL = LIKE | {f"{one}/button.js" for one in ("twitter", "plus-one", "linkedin", "instagram")}


class Stage(NamedTuple):
    """Both servers and the visitor; `has_script` is whether their browser runs JavaScript."""

    site: Server
    others: Server
    visitor: Visitor
    has_script: bool

    @property
    def counted(self) -> set[str]:
        """The analytics cookies that a page stores in this browser."""
        return ANALYTICS_COOKIES if self.has_script else {"_ga"}

    @property
    def theirs(self) -> set[str]:
        """The cookies that third parties store in this browser, once they may."""
        return {"viewer", "liker"} if self.has_script else {"viewer"}

    @property
    def kept(self) -> set[str]:
        """The cookies of the site itself, but for the tokens of the answers."""
        of_site = {one["name"] for one in self.visitor.jar if one["domain"] == SITE}
        return of_site & self.visitor.stored

    @property
    def kept_by_others(self) -> set[str]:
        """The cookies of third parties, under their own names."""
        return {one["name"] for one in self.visitor.jar if one["domain"] != SITE}

    @property
    def asked(self) -> set[str]:
        """What third parties were asked for, as ``video/embed/bicycles``."""
        named = ((one.headers["host"].partition(".")[0], one.path) for one in self.others.log)
        return {f"{name}{path}" for name, path in named}

    def comes_from(self, *, scripts: set[str], rest: set[str] = frozenset()) -> set[str]:  # type: ignore[assignment]
        """What this browser asks for of `scripts` and of the `rest`."""
        return rest | scripts if self.has_script else rest

    def waits_until(self, is_so: Callable[[], bool]) -> None:
        """Give the page's scripts time, but not for ever."""
        wait_until(is_so, self.visitor.page, otherwise=lambda: (self.asked, self.visitor.jar))

    def settle(self) -> None:
        """Longer than a page takes to ask for what it may."""
        self.visitor.page.wait_for_timeout(400 if self.has_script else 100)

    def answer(self, choice: str) -> None:
        """Press a button of the notice: with JavaScript the page stays, without it comes anew."""
        if not self.has_script:
            self.visitor.answer(choice)
            return
        with self.visitor.answering():
            self.visitor.page.click(f"button[name=choice][value={choice}]")


@pytest.fixture(params=[True, False], ids=["JavaScript", "no JavaScript"])
def has_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def policy() -> Policy | None:
    """Another policy than the example's own."""
    return None


@pytest.fixture
def stage(
    serve: Serve, new_visitor: NewVisitor, *, has_script: bool, policy: Policy | None
) -> Stage:
    others = serve(ThirdParties())
    site = serve(create_app(third_parties=others.origin("{}.localhost"), policy=policy))
    visitor = new_visitor(site, java_script_enabled=has_script)
    return Stage(site, others, visitor, has_script)


def go_on(stage: Stage, label: str) -> None:
    """Click a link of the site's navigation."""
    with stage.visitor.page.expect_navigation():
        stage.visitor.page.click(f'nav a:text-is("{label}")')


def imply(stage: Stage) -> None:
    """The first visit, and a second page."""
    stage.visitor.type_address("/")
    go_on(stage, "News")
    # The script is deferred: it has run before the page is loaded; what it stores may take a while.
    stage.waits_until(lambda: stage.kept == stage.counted)


def test_the_first_visit_stores_nothing_optional(stage: Stage) -> None:
    """R-05: nobody has agreed yet, so nothing is stored and nobody is told of the visit."""
    stage.visitor.type_address("/")
    assert stage.visitor.is_asked
    assert {one["name"] for one in stage.visitor.jar} == {"__Host-staffordshire-consent-seen"}
    assert not stage.asked
    assert all(url.startswith(stage.site.origin()) for url in stage.visitor.requested)


def test_the_second_page_implies_consent(stage: Stage) -> None:
    """The document: "By continuing to browse this site, you are agreeing"."""
    imply(stage)
    assert not stage.visitor.is_asked
    assert stage.visitor.cookie("_ga")["domain"] == "www.staffordshire.localhost"
    lives = (stage.visitor.cookie("_ga")["expires"] - time.time()) / DAY
    assert 394 < lives <= 395, "thirteen months, not the two years that the site asks for"
    assert ("analytics/ga.js" in stage.asked) is stage.has_script


def test_a_vote_and_nothing_else_stores_a_polls_cookie_for_a_day(stage: Stage) -> None:
    """The document: "If you do the cookie will expire after one day"."""
    visitor = stage.visitor
    imply(stage)
    go_on(stage, "Polls")
    visitor.click('main a:has-text("patrol on foot")')
    assert stage.kept == stage.counted, "looking at a poll is no vote"
    visitor.page.check('input[value="In villages"]')
    visitor.click('button:text-is("Vote")')
    assert "You have voted." in visitor.page.inner_text("main")
    assert stage.kept == stage.counted | {"PollTimeout-17"}
    lives = visitor.cookie("PollTimeout-17")["expires"] - time.time()
    assert DAY - 60 < lives <= DAY
    visitor.type_address("/polls/18")
    assert visitor.page.locator('button:text-is("Vote")').count() == 1
    assert stage.kept == stage.counted | {"PollTimeout-17"}


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
    visitor.open_preferences()
    stage.visitor.answer("reject-all")
    assert not stage.kept
    stage.others.log.clear()
    for label in ("Home", "News", "Polls", "Log in"):
        go_on(stage, label)
        assert not stage.kept
    assert not stage.asked


def test_the_banners_reject_button_is_enough(stage: Stage) -> None:
    """R-02: one click, on the page one is on, and back to it."""
    visitor = stage.visitor
    visitor.type_address("/news?page=2")
    stage.answer("reject-all")
    assert visitor.address == "/news?page=2"
    assert not visitor.is_asked
    for label in ("Home", "News"):
        go_on(stage, label)
    assert not visitor.stored
    assert not stage.asked


def test_an_acceptance_counts_at_once(stage: Stage) -> None:
    """The control of the refusals: the same buttons, the other answer."""
    stage.visitor.type_address("/news")
    stage.answer("accept-all")
    # With JavaScript the server sets no cookie of its own: there is no other page.
    stage.waits_until(lambda: stage.kept == stage.counted)
    assert ("analytics/ga.js" in stage.asked) is stage.has_script


def test_the_log_in_goes_on_working_after_a_refusal(stage: Stage) -> None:
    """The document: "strictly necessary to the working of the web site"."""
    visitor = stage.visitor
    visitor.type_address("/")
    stage.answer("reject-all")
    go_on(stage, "Log in")
    visitor.page.fill("#name", "Ada")
    visitor.click('main button:text-is("Log in")')
    assert "You are logged in as Ada" in visitor.page.inner_text("main")
    assert visitor.stored == {"clientvars"}
    assert visitor.cookie("clientvars")["expires"] == -1, "a session cookie, as declared"
    visitor.open_preferences()
    visitor.answer("reject-all")
    visitor.type_address("/")
    assert "You are logged in as Ada" in visitor.page.inner_text("main")
    visitor.click('button:text-is("Log out")')
    assert not visitor.stored


@pytest.mark.parametrize(
    ("choice", "switched_on"),
    [("accept-all", {"polls", "analytics", "external", "social"}), ("reject-all", set())],
)
def test_the_preferences_preselect_the_present_answers(
    stage: Stage, choice: str, switched_on: set[str]
) -> None:
    """R-15: who comes back sees what they said, and can change a part of it."""
    visitor = stage.visitor
    visitor.type_address("/news")
    stage.answer(choice)
    visitor.open_preferences()
    switches = visitor.page.locator("input[name=purpose]")
    checked = visitor.page.locator("input[name=purpose]:checked")
    assert {one.get_attribute("value") for one in checked.all()} == switched_on
    assert switches.count() == 4
    visitor.page.locator("[value=analytics]").set_checked("analytics" not in switched_on)
    visitor.answer("save")
    assert visitor.address == "/news"
    assert bool(stage.kept) is ("analytics" not in switched_on)


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
    stage.answer("accept-all")
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
    visitor.type_address("/news")
    stage.answer("accept-all")
    stage.settle()
    assert not visitor.complaints


# What belongs to others


def test_nothing_is_asked_of_others_before_the_answer(stage: Stage) -> None:
    """R-53, R-54: film, buttons and analytics stand in the page, and the log stays empty."""
    visitor = stage.visitor
    visitor.type_address("/news")
    stage.settle()
    assert not stage.asked
    assert all(url.startswith(stage.site.origin()) for url in visitor.requested)
    stage.answer("accept-all")  # the control
    everything = stage.comes_from(rest=FILM, scripts=ANALYTICS | SOCIAL)
    stage.waits_until(lambda: stage.asked == everything)
    stage.waits_until(lambda: stage.kept_by_others == stage.theirs)


def test_going_on_loads_all_of_it(stage: Stage) -> None:
    """The document: "By continuing to browse this site, you are agreeing"."""
    stage.visitor.type_address("/")
    go_on(stage, "News")
    everything = stage.comes_from(rest=FILM, scripts=ANALYTICS | SOCIAL)
    stage.waits_until(lambda: stage.asked == everything)


def test_after_a_refusal_none_of_it_is_loaded(stage: Stage) -> None:
    """R-15, R-18: what ran is gone with the page; what others stored is theirs, and stays."""
    imply(stage)
    stage.waits_until(lambda: stage.kept_by_others == stage.theirs)
    stage.visitor.open_preferences()
    stage.visitor.answer("reject-all")
    stage.others.log.clear()
    stage.visitor.type_address("/news")
    stage.settle()
    assert not stage.asked
    assert stage.visitor.page.locator("button.social").count() == 0
    assert stage.kept_by_others == stage.theirs


def test_a_signal_keeps_all_of_it_away(stage: Stage) -> None:
    """R-37: with Global Privacy Control going on is no yes."""
    stage.visitor.turn_signal("1")
    stage.visitor.type_address("/")
    go_on(stage, "News")
    stage.settle()
    assert not stage.asked


def press_in_placeholder(stage: Stage, label: str) -> None:
    """Press a button in one of the page's frames."""
    page = stage.visitor.page
    [frame] = [one for one in page.frames if one.get_by_role("button", name=label).count()]
    if stage.has_script:
        with stage.visitor.answering():
            frame.get_by_role("button", name=label).click()
    else:
        with page.expect_navigation():
            frame.get_by_role("button", name=label).click()
    stage.settle()


OFFSETS = """() => [...document.querySelectorAll("main :is(h1, h2, article, article iframe)")]
    .map(one => [one.offsetTop, one.offsetWidth, one.offsetHeight])"""
SHIFTS = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value; })
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(sum), 300);
})"""


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_one_button_loads_the_film_alone_and_nothing_moves(stage: Stage, width: int) -> None:
    """R-12, R-53: one service, in the box that was there; the rest of the page goes on waiting."""
    visitor = stage.visitor
    visitor.page.set_viewport_size({"width": width, "height": 1400})
    visitor.type_address("/news")
    before = visitor.page.evaluate(OFFSETS)
    shifts = visitor.page.evaluate(SHIFTS) if stage.has_script else None
    press_in_placeholder(stage, "Load this video")
    stage.waits_until(lambda: stage.asked == FILM)
    assert visitor.address == "/news"
    film = visitor.page.frame_locator("iframe[title^=Film]")
    film.get_by_role("checkbox", name="Play: How to mark a bicycle").wait_for()
    assert visitor.page.evaluate(OFFSETS) == before
    if stage.has_script:  # what watches is a script itself
        assert visitor.page.evaluate(SHIFTS) == shifts
    assert stage.kept_by_others == {"viewer"}
    assert not stage.kept
    assert visitor.page.locator(".consentkit-social").count() == 1, "Facebook's goes on waiting"


def test_the_film_goes_on_loading_on_later_visits_and_no_more(stage: Stage) -> None:
    """The placeholder: "everything from YouTube on this site, until you withdraw it"."""
    visitor = stage.visitor
    visitor.type_address("/news")
    press_in_placeholder(stage, "Load this video")
    stage.waits_until(lambda: stage.asked == FILM)
    visitor.leave()
    stage.others.log.clear()
    visitor.type_address("/news")
    stage.waits_until(lambda: stage.asked >= FILM)
    stage.settle()
    assert stage.asked == FILM


def test_a_scripts_buttons_take_the_place_of_the_links(stage: Stage) -> None:
    """The document: "These enable users to share": a link does as well, without a script."""
    visitor = stage.visitor
    visitor.type_address("/news")
    shared = visitor.page.locator(".social")
    labels = ["Tweet", "Google +1", "Share on LinkedIn", "Instagram"]
    assert shared.all_inner_texts() == labels
    boxes = [one.bounding_box() for one in shared.all()]
    stage.answer("accept-all")
    buttons = visitor.page.locator("button.social")
    stage.waits_until(lambda: buttons.count() == (5 if stage.has_script else 0))
    assert shared.all_inner_texts() == [*labels, "Like"]
    after = [one.bounding_box() for one in shared.all()]
    assert [(one["width"], one["height"]) for one in after[:4] if one] == [
        (one["width"], one["height"]) for one in boxes if one
    ]
    if stage.has_script:
        visitor.page.get_by_role("button", name="Like").click()
        stage.waits_until(lambda: "facebook/pressed" in stage.asked)
        [pressed] = stage.others.asked_for("/pressed")
        assert "liker=" in pressed.headers["cookie"], "it knows the browser that pressed it"
        on = visitor.page.locator("[aria-pressed=true]")
        stage.waits_until(lambda: on.all_inner_texts() == ["Like"])


def test_facebooks_button_comes_out_of_its_template(stage: Stage) -> None:
    """Its placeholder goes, and there is what was in the template: a link, and a script for it."""
    visitor = stage.visitor
    visitor.type_address("/news")
    like = visitor.page.locator(".social", has_text="Like")
    assert like.count() == 0
    press_in_placeholder(stage, "Load Facebook")
    stage.waits_until(lambda: stage.asked == stage.comes_from(scripts=LIKE))
    element = "button" if stage.has_script else "a"
    visitor.page.locator(f"{element}.social:text('Like')").wait_for()
    assert like.count() == 1
    assert visitor.page.locator(".consentkit-social").count() == 0
    assert visitor.page.frame_locator("iframe[title^=Film]").get_by_role("checkbox").count() == 0


def test_a_link_to_a_network_tells_nobody_until_it_is_followed(stage: Stage) -> None:
    """What is a link by itself needs no answer (docs: social buttons without a third party)."""
    stage.visitor.type_address("/news")
    assert not stage.asked
    stage.visitor.click('.social:text-is("Tweet")')
    assert "You are at twitter.localhost now" in stage.visitor.page.inner_text("h1")
    assert stage.asked == {"twitter/share"}


OVERFLOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_no_page_is_wider_than_its_window(stage: Stage, width: int) -> None:
    """WCAG 2.2, 1.4.10: nobody has to scroll sideways, before an answer or after it."""
    visitor = stage.visitor
    visitor.page.set_viewport_size({"width": width, "height": 800})
    for is_answered in (False, True):
        for path in ("/consent", *PAGES):
            visitor.type_address(path)
            assert not visitor.page.evaluate(OVERFLOW), path
        assert (stage.asked >= FILM) is is_answered
        if not is_answered:
            stage.answer("accept-all")
            stage.others.log.clear()


class TestUnderAPolicyOfTheBrowser:
    """The example has nothing inline, so `csp: enforce` fits it."""

    @pytest.fixture
    def policy(self) -> Policy:
        text = (Path(staffordshire.__file__).parent / "consent.yaml").read_text("utf-8")
        return read_policy(text + "csp: enforce\n")

    def test_nothing_of_the_site_is_stopped(self, stage: Stage) -> None:
        """R-55, R-92: a browser that watches has nothing to complain of."""
        for path in PAGES:
            stage.visitor.type_address(path)
            stage.answer("reject-all") if path == "/" else stage.settle()
        assert not stage.visitor.complaints
        assert not stage.asked
