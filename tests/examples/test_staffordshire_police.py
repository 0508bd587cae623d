"""The Staffordshire site, walked through as its cookie page describes it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from consentkit import load_policy
from consentkit.rules.policy_file import read_policy
from consentkit.testing import (
    Browser,
    assert_blocked,
    assert_only_declared,
    assert_removed,
    assert_sets,
)
from examples.staffordshire_police.app import create_app

pytestmark = pytest.mark.anyio

POLICY = Path(__file__).parents[2] / "examples" / "staffordshire_police" / "consent.yaml"
DAY = 86_400
THIRTEEN_MONTHS = 395 * DAY
PAGES = ("/", "/news", "/polls", "/polls/17", "/log-in", "/cookie-policy")
Answer = Callable[[Browser], Awaitable[None]]
OPTIONAL = {"_ga", "PollTimeout-17"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def browser(clock: Clock) -> Browser:
    return Browser(create_app(clock=clock), clock=clock)


async def accept(browser: Browser) -> None:
    await browser.submit("/consent", choice="accept-all")


async def refuse(browser: Browser) -> None:
    await browser.submit("/consent", choice="reject-all")


async def do_nothing(browser: Browser) -> None:
    pass


LOADS = '<script src="http://analytics.example/ga.js" defer>'
WAITS = (
    '<script type="text/plain" data-consentkit-service="google-analytics" '
    'data-consentkit-src="http://analytics.example/ga.js" defer>'
)


# The first visit, and the second page


async def test_the_first_visit_stores_nothing_optional(browser: Browser) -> None:
    """Consent cannot be implied by a visitor who has not yet been told (R-05)."""
    page = await browser.visit("/")
    assert_blocked(page, "_ga")
    assert WAITS in page.text
    assert set(browser.cookies) == {"__Host-staffordshire-consent-seen"}


async def test_the_second_page_implies_consent(browser: Browser) -> None:
    """The page: "By continuing to another page of this site, you are agreeing"."""
    await browser.visit("/")
    page = await browser.follow("/news")
    stored = assert_sets(page, "_ga")
    assert stored.attributes.max_age == THIRTEEN_MONTHS
    assert LOADS in page.text


async def test_at_once_stores_with_the_first_page() -> None:
    """The page: "We assume you are happy": the other reading, for which the policy has a word."""
    text = POLICY.read_text("utf-8").replace("effect: next-page", "effect: at-once")
    browser = Browser(create_app(policy=read_policy(text)))
    page = await browser.visit("/")
    assert_sets(page, "_ga")
    assert LOADS in page.text
    await refuse(browser)
    assert "_ga" not in browser.cookies


async def test_global_privacy_control_is_a_no(clock: Clock) -> None:
    """Going on means nothing where the browser has said no already."""
    browser = Browser(create_app(clock=clock), clock=clock, headers={"sec-gpc": "1"})
    for page in PAGES:
        assert_blocked(await browser.follow(page), "_ga")
    assert OPTIONAL.isdisjoint(browser.cookies)


# The vote


async def test_a_vote_is_remembered_for_one_day(browser: Browser, clock: Clock) -> None:
    """The page: "If you do the cookie will expire after one day"."""
    await browser.visit("/polls/17")
    answer = await browser.submit("/polls/17/vote", answer="In villages")
    assert (answer.status, answer.header("location")) == (303, "/polls/17")
    stored = assert_sets(answer, "PollTimeout-17")
    assert stored.attributes.max_age == DAY
    assert "You have voted." in (await browser.follow("/polls/17")).text
    clock.now += DAY
    assert "PollTimeout-17" not in browser.cookies
    assert "You have voted." not in (await browser.follow("/polls/17")).text


async def test_a_second_vote_within_the_day_is_not_counted(browser: Browser, clock: Clock) -> None:
    """The cookie has one use: to tell who has voted."""
    for _ in range(2):
        answer = await browser.submit("/polls/17/vote", answer="In villages")
    assert answer.status == 409
    assert "You have voted in this poll already." in answer.text
    assert "Votes so far: 1" in answer.text
    clock.now += DAY
    assert (await browser.submit("/polls/17/vote", answer="In villages")).status == 303
    assert "Votes so far: 2" in (await browser.follow("/polls/17")).text


async def test_one_polls_vote_says_nothing_of_another(browser: Browser) -> None:
    """The page: "For each poll voted on there will be a cookie"."""
    await browser.submit("/polls/17/vote", answer="In villages")
    assert "You have voted" not in (await browser.follow("/polls/18")).text
    await browser.submit("/polls/18/vote", answer="In person")
    assert {"PollTimeout-17", "PollTimeout-18"} <= set(browser.cookies)


@pytest.mark.parametrize("answered", [do_nothing, accept], ids=["undecided", "accepted"])
async def test_only_a_vote_sets_a_polls_cookie(browser: Browser, answered: Answer) -> None:
    """The page: "If you do not want this cookie to be placed you should not vote on a poll"."""
    await answered(browser)
    for page in (*PAGES, "/polls/18"):
        await browser.follow(page)
    await browser.submit("/polls/17/vote", answer="In no such place")
    assert not any(name.startswith("PollTimeout") for name in browser.cookies)


async def test_a_vote_after_a_refusal_counts_and_leaves_no_cookie(browser: Browser) -> None:
    """The site works either way; it only does not remember."""
    await refuse(browser)
    answer = await browser.submit("/polls/17/vote", answer="In villages")
    assert_blocked(answer, "PollTimeout-17")
    await browser.submit("/polls/18/vote", answer="In person")
    assert OPTIONAL.isdisjoint(browser.cookies)


@pytest.mark.parametrize(
    ("poll", "answer", "status"), [(17, "", 400), (17, "Elsewhere", 400), (19, "In villages", 404)]
)
async def test_what_cannot_be_voted_is_told_so(
    browser: Browser, poll: int, answer: str, status: int
) -> None:
    """A wrong vote leaves nothing behind."""
    reply = await browser.submit(f"/polls/{poll}/vote", answer=answer)
    assert reply.status == status
    assert not any(name.startswith("PollTimeout") for name in browser.cookies)


# Refusing


async def test_a_refusal_takes_analytics_out_of_the_browser(browser: Browser) -> None:
    """The button that the page did not have: withdrawal in the same answer (R-15)."""
    await browser.visit("/")
    await browser.follow("/news")
    browser.store("_ga_TEST=GS1.1.1.1; Path=/; Max-Age=63072000")  # as the script does
    await browser.submit("/polls/17/vote", answer="In villages")
    assert {"_ga", "_ga_TEST", "PollTimeout-17"} <= set(browser.cookies)
    answer = await browser.submit("/consent", choice="reject-all", next="/news")
    for name in ("_ga", "_ga_TEST", "PollTimeout-17"):
        assert_removed(answer, name)
    assert {name for name in browser.cookies if "consent" not in name} == set()
    page = await browser.follow("/news")
    assert_blocked(page, "_ga")
    assert WAITS in page.text


async def test_the_log_in_works_after_refusing_everything(browser: Browser) -> None:
    """The page: "These we deem strictly necessary to the working of the web site"."""
    await refuse(browser)
    answer = await browser.submit("/log-in", name="Ada")
    stored = assert_sets(answer, "clientvars")
    assert (stored.attributes.max_age, stored.attributes.expires) == (None, None)
    assert "logged in as <strong>Ada</strong>" in (await browser.follow("/")).text
    await browser.submit("/log-out")
    assert "clientvars" not in browser.cookies
    assert "logged in" not in (await browser.follow("/")).text


async def test_a_log_in_needs_a_name(browser: Browser) -> None:
    """Nothing is stored for nobody."""
    answer = await browser.submit("/log-in", name=" ")
    assert answer.status == 400
    assert "Enter a name." in answer.text
    assert "clientvars" not in browser.cookies


async def test_the_site_can_be_mounted_under_a_prefix() -> None:
    """Its own paths begin with the prefix, and so do those of the endpoints."""
    site = Starlette(routes=[Mount("/police", app=create_app())])
    browser = Browser(site)
    page = await browser.visit("/police/polls/17")
    for path in ("static/site.css", "polls/17/vote", "consent", "cookie-policy"):
        assert f'="/police/{path}"' in page.text
    await browser.follow("/police/news")
    assert "_ga" in browser.cookies
    answer = await browser.submit("/police/polls/17/vote", answer="In villages")
    assert answer.header("location") == "/police/polls/17"
    await browser.submit("/police/consent", choice="reject-all")
    assert OPTIONAL.isdisjoint(browser.cookies)


# What the visitor reads


@pytest.mark.parametrize(
    "row",
    [
        "Session cookies",
        "clientvars",
        "Until you close the browser",
        "http://www.allaboutcookies.org/cookies/session-cookies-used-for.html",
        "Polls",
        "PollTimeout-&lt;pollid&gt;",
        "1 day",
        "Google Analytics",
        "_ga",
        "13 months",
        "http://www.google.com/intl/en/privacypolicy.html",
    ],
)
async def test_the_table_has_the_documents_own_rows(browser: Browser, row: str) -> None:
    """The page: "The following table describes the cookies we use on this site"."""
    page = await browser.visit("/cookie-policy")
    table = page.text.partition('<div data-consentkit="cookies">')[2].partition("</table>")[0]
    services = page.text.partition("</table>")[2].partition("What is not in the table")[0]
    assert row in table + services


async def test_the_banner_has_the_documents_words_and_a_way_to_say_no(browser: Browser) -> None:
    """R-02: refusing is as easy as accepting, in the same row."""
    page = await browser.visit("/")
    banner = page.text.partition('id="consentkit"')[2].partition("</section>")[0]
    assert "you are agreeing to our use of cookies for:" in banner
    assert 'href="/cookie-policy"' in banner
    assert banner.index('value="reject-all">Reject<') < banner.index('value="accept-all">Accept')


@pytest.mark.parametrize("page", [*PAGES, "/polls/18"])
@pytest.mark.parametrize("answered", [do_nothing, accept, refuse])
async def test_every_page_keeps_to_the_policy(
    browser: Browser, page: str, answered: Answer
) -> None:
    """What is not in the table is not stored, whatever the visitor said."""
    await answered(browser)
    await browser.submit("/log-in", name="Ada")
    response = await browser.follow(page)
    assert response.status == 200
    assert "<h1>" in response.text
    assert_only_declared(response, load_policy(POLICY))


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_loads_nothing_from_elsewhere_before_an_answer(
    browser: Browser, page: str
) -> None:
    """A fetch from another host is access to the visitor's device too."""
    text = (await browser.visit(page)).text
    fetching = text.replace(" href=", " src=")
    fetched = [part.partition('"')[0] for part in fetching.split(' src="')[1:]]
    loads = [url for url in fetched if url.endswith((".css", ".js"))]
    assert loads, "a page has a style sheet of its own"
    assert all(url.startswith("/") for url in loads)
    assert text.count("<script") == 2
    assert '<script id="consentkit-script"' in text
    assert WAITS in text


async def test_the_style_sheet_is_the_sites_own(browser: Browser) -> None:
    """And it asks for nothing in its turn."""
    css = await browser.fetch("/static/site.css")
    assert css.status == 200
    assert "url(" not in css.text
    assert "@import" not in css.text


async def test_the_analytics_origin_can_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is no DNS for .example: the demo names its own machine."""
    monkeypatch.setenv("ANALYTICS_ORIGIN", "http://localhost:8003")
    browser = Browser(create_app())
    await accept(browser)
    assert '<script src="http://localhost:8003/ga.js" defer>' in (await browser.visit("/")).text
