"""The Staffordshire site, walked through as its cookie page describes it."""

from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

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


async def test_the_style_sheet_is_the_sites_own(browser: Browser) -> None:
    """And it asks for nothing in its turn."""
    css = await browser.fetch("/static/site.css")
    assert css.status == 200
    assert "url(" not in css.text
    assert "@import" not in css.text


# What belongs to others


class Fetches(HTMLParser):
    """What a browser would fetch for a page: `of_others` by host, `own` by path."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.own: set[str] = set()
        self.of_others: set[str] = set()
        self._templates = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._templates += tag == "template"
        values = dict(attrs)
        url = values.get("href" if tag == "link" else "src")
        if url and not self._templates and tag in ("link", "script", "iframe"):
            host = urlsplit(url).hostname
            self.of_others.update([host] if host else [])
            self.own.update([] if host else [url])

    def handle_endtag(self, tag: str) -> None:
        # An end tag too many is that of a template that was opened.
        self._templates = max(0, self._templates - (tag == "template"))


SOCIAL = {
    f"{name}.example" for name in ("twitter", "plus-one", "facebook", "linkedin", "instagram")
}
FILM = {"video.example"}
EVERYWHERE = {"analytics.example"}


async def on_the_news(browser: Browser) -> set[str]:
    """The hosts that the page of news fetches from."""
    return Fetches((await browser.follow("/news")).text).of_others


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_loads_nothing_from_elsewhere_before_an_answer(
    browser: Browser, page: str
) -> None:
    """A fetch from another host is access to the visitor's device too (R-53, R-54)."""
    before = Fetches((await browser.visit(page)).text)
    assert "/static/site.css" in before.own
    assert before.of_others == set()
    await accept(browser)
    after = Fetches((await browser.visit(page)).text)
    assert after.of_others == EVERYWHERE | (FILM | SOCIAL if page == "/news" else set())


async def test_the_second_page_loads_all_of_it(browser: Browser) -> None:
    """The page: "By continuing to browse this site, you are agreeing"."""
    await browser.visit("/")
    assert await on_the_news(browser) == EVERYWHERE | FILM | SOCIAL


async def test_a_refusal_keeps_all_of_it_away(browser: Browser) -> None:
    """Going on means nothing after a no, and neither does having gone on before it (R-15)."""
    await browser.visit("/")
    assert await on_the_news(browser)
    await refuse(browser)
    for _ in range(3):
        assert await on_the_news(browser) == set()


async def test_global_privacy_control_keeps_all_of_it_away(clock: Clock) -> None:
    """The browser says no on every page, and its visitor can still load a film (R-37)."""
    browser = Browser(create_app(clock=clock), clock=clock, headers={"sec-gpc": "1"})
    await browser.visit("/")
    assert await on_the_news(browser) == set()
    await browser.submit("/consent", choice="allow", service="youtube", next="/news")
    assert await on_the_news(browser) == FILM


@pytest.mark.parametrize(
    ("answer", "loads"),
    [
        (("service", "youtube"), FILM),
        (("service", "facebook"), {"facebook.example"}),
        (("purpose", "external"), FILM),
        (("purpose", "social"), SOCIAL),
    ],
    ids=["load the film", "load Facebook", "always films", "always social"],
)
@pytest.mark.parametrize("answered", [do_nothing, refuse])
async def test_a_placeholders_buttons_load_what_they_say(
    browser: Browser, answered: Answer, answer: tuple[str, str], loads: set[str]
) -> None:
    """One service, or one purpose; what else is on the page goes on waiting (R-12)."""
    await browser.visit("/news")
    await answered(browser)
    await browser.submit("/consent", [answer], choice="allow", next="/news")
    assert Fetches((await browser.visit("/news")).text).of_others == loads


async def test_the_film_waits_behind_a_placeholder_of_its_size(browser: Browser) -> None:
    """The page: "to show videos we use Vimeo and YouTube"; who, what for, and two buttons."""

    async def film() -> str:
        page = (await browser.visit("/news")).text
        return page.partition('<article id="bicycles">')[2].partition("</article>")[0]

    tag = await film()
    assert 'title="Film: how to mark a bicycle" width="640" height="360"' in tag
    assert 'data-consentkit-src="http://video.example/embed/bicycles"' in tag
    for words in ("Video from YouTube", "Google", "External web services", "Load this video"):
        assert words in tag
    await browser.submit("/consent", choice="allow", service="youtube", next="/news")
    assert (
        '<iframe title="Film: how to mark a bicycle" width="640" height="360" src=' in await film()
    )


@pytest.mark.parametrize("network", ["twitter", "plus-one", "linkedin", "instagram"])
async def test_a_social_button_is_a_link_until_its_script_may_load(
    browser: Browser, network: str
) -> None:
    """The page: "There are buttons for: Twitter, Google +1 …": a link tells nobody by itself."""
    page = (await browser.visit("/news")).text
    link = f'<a class="social" href="http://{network}.example/share?page=https%3A//'
    assert link in page
    assert f'data-consentkit-src="http://{network}.example/button.js"' in page
    await accept(browser)
    page = (await browser.visit("/news")).text
    assert link in page
    assert f'<script src="http://{network}.example/button.js" defer></script>' in page


async def test_facebooks_button_waits_in_its_template(browser: Browser) -> None:
    """The page: "there are scripts from domains outside": the template holds the script too."""
    page = (await browser.visit("/news")).text
    placeholder, _, rest = page.partition('<template data-consentkit-service="facebook">')
    assert "Load Facebook" in placeholder.rpartition("<iframe class=")[2]
    inside = rest.partition("</template>")[0]
    assert "http://facebook.example/share" in inside
    assert "http://facebook.example/like.js" in inside
    await accept(browser)
    page = (await browser.visit("/news")).text
    assert "Load Facebook" not in page
    assert '<template data-consentkit-service="facebook"></template>' in page


@pytest.mark.parametrize(
    ("service", "provider", "hosts"),
    [
        ("YouTube", "Google", "video.example"),
        ("Twitter", "Twitter", "twitter.example"),
        ("Google +1", "Google", "plus-one.example"),
        ("Facebook", "Facebook", "facebook.example"),
        ("LinkedIn", "LinkedIn", "linkedin.example"),
        ("Instagram", "Instagram", "instagram.example"),
    ],
)
async def test_the_settings_name_every_third_party(
    browser: Browser, service: str, provider: str, hosts: str
) -> None:
    """R-06: the page's own list of buttons, and the service that shows its films."""
    declared = {str(one.title): one for one in load_policy(POLICY).services.values()}
    assert declared[service].provider == provider
    assert hosts in declared[service].hosts
    assert service in (await browser.visit("/consent")).text


async def test_the_third_parties_can_stand_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no DNS for .example: the demo names its own machine."""
    monkeypatch.setenv("THIRD_PARTIES", "http://{}.localhost:8004")
    browser = Browser(create_app())
    await browser.visit("/")
    page = (await browser.follow("/news")).text
    assert '<script src="http://analytics.localhost:8004/ga.js" defer>' in page
    assert ' src="http://video.localhost:8004/embed/bicycles"' in page
    assert len(Fetches(page).of_others) == 7
