"""The site of Missouri's Secretary of State: what its privacy policy says of cookies is kept.

"The Office of the Secretary of State uses session cookies only. We do not use any persistent
cookies." The control of each rule is the same site without the middleware.
"""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from consentkit import Event, load_policy
from consentkit.rules.policy import Basis, Kind
from consentkit.rules.policy_file import read_policy
from consentkit.testing import (
    Browser,
    assert_blocked,
    assert_only_declared,
    assert_removed,
    assert_sets,
)
from examples.missouri_secretary_of_state.app import create_app, create_site

pytestmark = pytest.mark.anyio

POLICY_FILE = (
    Path(__file__).parents[2] / "examples" / "missouri_secretary_of_state" / "consent.yaml"
)
POLICY = load_policy(POLICY_FILE)
SEARCHES = """\
  searches: {title: Searches, description: They come back with your next visit.}
"""
LAST_SEARCH = """\
  last-search:
    {kind: persistent, purpose: searches, duration: 1 year, description: Your last search.}
"""
PAGES = ("/", "/filings/", "/forms/", "/forms/?q=report", "/account/", "/privacy-policy")
FORM = (("business", "Ozark & Sons"), ("address", "1 High Street, Jefferson City 65101"))
DAY = 86_400


@pytest.fixture
def browser() -> Browser:
    return Browser(create_app())


@pytest.fixture
def control() -> Browser:
    """The same site, held to nothing."""
    return Browser(create_site())


def lasting(browser: Browser) -> set[str]:
    """The cookies that would be there still if the browser were closed now."""
    return {cookie.name for cookie in browser.jar if cookie.expires is not None}


async def walk(browser: Browser) -> None:
    """Everything that a visitor can do on the site."""
    for path in PAGES:
        await browser.follow(path)
    await browser.submit("/account/", user_id="mo-1821")
    await browser.submit("/filings/", FORM)
    await browser.follow("/filings/review")


# Session cookies only


def test_the_policy_has_strictly_necessary_session_cookies_and_no_others() -> None:
    """The document: "uses session cookies only"; each says why it may be there unasked (R-30)."""
    assert POLICY.optional_purposes == ()
    assert not POLICY.services
    for cookie in POLICY.cookies.values():
        assert cookie.kind is Kind.SESSION, cookie.name
        assert cookie.justification is not None, cookie.name
        assert {POLICY.basis_of(name) for name in cookie.purpose} == {Basis.STRICTLY_NECESSARY}


async def test_nothing_outlives_the_browser(browser: Browser, control: Browser) -> None:
    """The document: "We do not use any persistent cookies", whichever app inside sets them."""
    await walk(browser)
    assert lasting(browser) == set()
    assert set(browser.cookies) == {"filing", "account"}
    await walk(control)
    assert lasting(control) == {"filing", "last-search"}


async def test_the_filing_forms_cookie_ends_with_the_session(
    browser: Browser, control: Browser
) -> None:
    """Starlette keeps a session for 14 days unless told otherwise, and nobody told it."""
    asked = assert_sets(await control.submit("/filings/", FORM), "filing")
    assert asked.attributes.max_age == 14 * DAY
    answer = await browser.submit("/filings/", FORM)
    stored = assert_sets(answer, "filing")
    assert (stored.attributes.max_age, stored.attributes.expires) == (None, None)
    [event] = answer.events
    assert (event.act, event.name, event.why) == ("trimmed", "filing", f"-Max-Age={14 * DAY}")


async def test_the_filing_form_works_with_a_session_cookie(browser: Browser) -> None:
    """What is trimmed is how long it lives, and nothing that the form needs."""
    answer = await browser.submit("/filings/", FORM)
    assert (answer.status, answer.header("location")) == (303, "/filings/review")
    assert "Ozark &amp; Sons" in (await browser.follow("/filings/review")).text
    assert 'value="Ozark &amp; Sons"' in (await browser.follow("/filings/")).text
    sent = await browser.submit("/filings/send")
    assert "Ozark &amp; Sons" in sent.text
    assert_removed(sent, "filing")
    assert not browser.cookies


async def test_the_searchs_cookie_is_blocked(browser: Browser, control: Browser) -> None:
    """It stands in no declaration, and would have lived for a year."""
    asked = assert_sets(await control.visit("/forms/?q=report"), "last-search")
    assert asked.attributes.max_age == 365 * DAY
    assert "You last looked for" in (await control.visit("/forms/")).text
    page = await browser.visit("/forms/?q=report")
    assert_blocked(page, "last-search")
    assert "Annual registration report" in page.text, "the search finds what there is"
    assert "You last looked for" not in (await browser.visit("/forms/")).text


async def test_what_keeps_to_the_policy_is_left_alone(browser: Browser, control: Browser) -> None:
    """The log-in's app sets a session cookie by itself: it leaves as it came."""
    answer = await browser.submit("/account/", user_id="mo-1821")
    [value] = answer.set_cookies
    assert answer.events == ()
    [by_itself] = (await control.submit("/account/", user_id="mo-1821")).set_cookies
    assert value.partition(b"; ")[2] == by_itself.partition(b"; ")[2]


async def test_every_event_is_told_to_whoever_listens() -> None:
    """The demo prints them; nothing else is done to this site's cookies."""
    told: list[Event] = []
    await walk(Browser(create_app(on_decision=told.append)))
    assert [(event.act, event.name) for event in told] == [
        ("blocked", "last-search"),
        ("trimmed", "filing"),
    ]


@pytest.mark.parametrize("page", [*PAGES, "/filings/review"])
async def test_every_page_keeps_to_the_policy(browser: Browser, page: str) -> None:
    """What is not in the table is not stored."""
    await browser.submit("/filings/", FORM)
    response = await browser.follow(page)
    assert response.status == 200
    assert "<h1>" in response.text
    assert_only_declared(response, POLICY)


# Nothing is asked


@pytest.mark.parametrize("page", [path for path in PAGES if path != "/privacy-policy"])
@pytest.mark.parametrize("headers", [{}, {"sec-gpc": "1", "dnt": "1"}], ids=["silent", "signals"])
async def test_a_page_leaves_byte_for_byte_as_the_site_wrote_it(
    page: str, headers: dict[str, str]
) -> None:
    """Nothing needs an answer: no banner, no settings line, no page that differs by visitor."""
    held = await Browser(create_app(), headers=headers).visit(page)
    by_itself = await Browser(create_site(), headers=headers).visit(page)
    assert held.body == by_itself.body
    assert held.all(b"vary") == by_itself.all(b"vary")
    assert held.all(b"cache-control") == by_itself.all(b"cache-control")


async def test_one_optional_purpose_and_everybody_is_asked() -> None:
    """The control of the silence: the same site, and one cookie that is not strictly necessary."""
    text = POLICY_FILE.read_text("utf-8").replace("\npurposes:\n", f"\npurposes:\n{SEARCHES}")
    with_searches = text.replace("\ncookies:\n", f"\ncookies:\n{LAST_SEARCH}")
    browser = Browser(create_app(policy=read_policy(with_searches)))
    page = await browser.visit("/forms/?q=report")
    assert 'id="consentkit"' in page.text
    assert_blocked(page, "last-search")
    await browser.submit("/consent", choice="accept-all")
    assert_sets(await browser.follow("/forms/?q=report"), "last-search")


@pytest.mark.parametrize("choice", ["accept-all", "reject-all", "save", "withdraw"])
async def test_an_answer_that_nobody_asked_for_stores_nothing(
    browser: Browser, choice: str
) -> None:
    """A token for an answer would be a persistent cookie, and there are none."""
    answer = await browser.submit("/consent", choice=choice)
    assert answer.status == 303
    assert answer.set_cookies == ()
    await walk(browser)
    assert lasting(browser) == set()


# What the visitor reads


async def test_the_table_stands_in_the_sites_own_privacy_policy(
    browser: Browser, control: Browser
) -> None:
    """R-74: what is strictly necessary is told too, though nobody is asked about it."""
    text = (await browser.visit("/privacy-policy")).text
    table = text.partition('<div data-consentkit="cookies">')[2].partition("</table>")[0]
    for words in ("filing", "what you typed in", "account", "log-in", "Until you close"):
        assert words in table
    assert "Persistent" not in table, "nor does consentkit store anything of its own"
    assert 'id="consentkit"' not in text
    assert "<table" not in (await control.visit("/privacy-policy")).text


@pytest.mark.parametrize("path", ["/consent", "/consent/cookies"])
async def test_the_pages_of_consentkit_are_there(browser: Browser, path: str) -> None:
    """Whoever looks for them finds every cookie, and who answers for it."""
    page = await browser.visit(path)
    assert page.status == 200
    for words in ("<main>", "filing", "account", "Missouri Secretary of State"):
        assert words in page.text
    assert 'method="post"' not in page.text, "there is nothing to choose"
    assert "Persistent" not in page.text, "there is no answer to remember"


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_loads_nothing_from_elsewhere(browser: Browser, page: str) -> None:
    """No script, and one style sheet: the site's own."""
    text = (await browser.visit(page)).text
    assert "<script" not in text
    assert 'href="/static/site.css"' in text
    assert "://" not in text
    css = await browser.fetch("/static/site.css")
    assert css.status == 200
    assert "url(" not in css.text
    assert "@import" not in css.text


# The apps inside


@pytest.mark.parametrize(
    ("posted", "missing"),
    [
        ((), ("name of the business", "mailing address")),
        ((FORM[0], ("address", " ")), ("mailing address",)),
        ((FORM[1],), ("name of the business",)),
    ],
    ids=["nothing", "no address", "no name"],
)
async def test_what_is_required_is_asked_for(
    browser: Browser, posted: tuple[tuple[str, str], ...], missing: tuple[str, ...]
) -> None:
    """The document: forms "clearly indicate information that is required"; nothing is stored."""
    assert (await browser.visit("/filings/")).text.count("(required)") == 2
    page = await browser.submit("/filings/", posted)
    assert page.status == 400
    assert page.text.count('aria-invalid="true"') == len(missing)
    assert all(f"Enter the {name}." in page.text for name in missing)
    assert not browser.cookies


async def test_a_form_that_was_not_begun_is_not_sent(browser: Browser) -> None:
    """Reloading the last page sends nothing twice."""
    for answer in (await browser.follow("/filings/review"), await browser.submit("/filings/send")):
        assert (answer.status, answer.header("location")) == (303, "/filings/")


async def test_a_long_answer_is_cut_off(browser: Browser) -> None:
    """A session is a cookie, and browsers keep none above 4096 bytes (RFC 6265bis §5.6)."""
    answer = await browser.submit("/filings/", business="x" * 9000, address="\U0001f984" * 9000)
    assert len(assert_sets(answer, "filing").value) < 4096


async def test_a_search_finds_by_a_word_of_the_title(browser: Browser) -> None:
    """In either case of its letters, and says so if there is none."""
    assert "2 found for “ARTICLES”" in (await browser.visit("/forms/?q=ARTICLES")).text
    assert "No title has this word" in (await browser.visit("/forms/?q=zebra")).text


async def test_a_log_in_lasts_until_the_log_out(browser: Browser) -> None:
    """The document: "User IDs and Passwords issued for access to this website"."""
    assert (await browser.submit("/account/")).status == 400
    await browser.submit("/account/", user_id="mo-1821")
    assert "logged in as <strong>mo-1821</strong>" in (await browser.follow("/account/")).text
    assert_removed(await browser.submit("/account/log-out"), "account")
    assert "logged in" not in (await browser.follow("/account/")).text


async def test_the_site_can_be_mounted_under_a_prefix() -> None:
    """Its own paths begin with the prefix, those of the apps inside too."""
    browser = Browser(Starlette(routes=[Mount("/missouri", app=create_app())]))
    page = await browser.visit("/missouri/filings/")
    for path in ("static/site.css", "forms/", "filings/", "privacy-policy"):
        assert f'="/missouri/{path}"' in page.text
    answer = await browser.submit("/missouri/filings/", FORM)
    assert answer.header("location") == "/missouri/filings/review"
    assert lasting(browser) == set()
    assert "<table" in (await browser.visit("/missouri/privacy-policy")).text
