"""The library: held to its policy without faults, and each fault is what it says."""

import re
from asyncio import run
from collections.abc import Awaitable, Callable
from functools import cache
from typing import NamedTuple

import pytest
from starlette.types import Message, Scope

from consentkit import Policy, load_policy
from consentkit.rules.policy_file import inspect_policy
from consentkit.testing import (
    Browser,
    Response,
    assert_blocked,
    assert_only_declared,
    assert_removed,
    assert_sets,
)
from examples.town_library.app import create_app
from examples.town_library.faults import (
    FAULTS,
    GPC,
    GRANTED,
    REFUSED,
    STATE,
    UNTOUCHED,
    policy_file,
)

pytestmark = pytest.mark.anyio

PAGES = ("/", "/books", "/hours", "/log-in", "/poll", "/cookies")
TOKEN = re.compile(r'name="token" value="([^"]*)"')


@pytest.fixture
def browser() -> Browser:
    return Browser(create_app())


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(policy_file())


async def do_nothing(browser: Browser) -> None:
    pass


async def accept(browser: Browser) -> None:
    await browser.submit("/consent", choice="accept-all")


async def refuse(browser: Browser) -> None:
    await browser.submit("/consent", choice="reject-all")


# The site


@pytest.mark.parametrize("answered", [do_nothing, accept, refuse])
async def test_every_page_keeps_to_the_policy(
    browser: Browser, policy: Policy, answered: Callable[[Browser], Awaitable[None]]
) -> None:
    """What is not in the table is not stored, whatever the reader said."""
    await answered(browser)
    for path in PAGES:
        page = await browser.follow(path)
        assert page.status == 200
        assert_only_declared(page, policy)
        assert page.header(STATE) is None


async def test_visits_are_counted_after_a_yes(browser: Browser) -> None:
    """R-01: nothing optional before the answer, and nothing of it is left after a withdrawal."""
    assert_blocked(await browser.visit("/"), "visits")
    await accept(browser)
    assert_sets(await browser.follow("/"), "visits")
    await browser.follow("/books")
    assert browser.cookies["visits"] == "2"
    assert_removed(await browser.submit("/consent", choice="withdraw"), "visits")
    assert_blocked(await browser.follow("/"), "visits")


async def test_a_reader_can_log_in_and_out(browser: Browser) -> None:
    """What authenticates is strictly necessary, and works before any answer."""
    form = TOKEN.search((await browser.visit("/log-in")).text)
    assert form is not None
    for fields, status in (({"name": "Ada"}, 403), ({"name": " ", "token": form[1]}, 400)):
        assert (await browser.submit("/log-in", **fields)).status == status
    await browser.submit("/log-in", name="Ada", token=form[1])
    assert "Log out Ada" in (await browser.follow("/")).text
    await browser.submit("/log-out", token="another")
    assert "Log out Ada" in (await browser.follow("/")).text
    await browser.submit("/log-out", token=form[1])
    assert "Log out" not in (await browser.follow("/")).text


async def test_a_vote_is_remembered_where_the_reader_allows_it(browser: Browser) -> None:
    """A vote is what sets a poll's cookie; looking at the poll sets none."""
    await accept(browser)
    await browser.follow("/poll")
    assert "voted-sundays" not in browser.cookies
    assert_sets(await browser.submit("/poll", answer="yes"), "voted-sundays")
    assert "Votes so far: 1" in (await browser.follow("/poll")).text
    assert "Votes so far: 1" in (await browser.submit("/poll", answer="yes")).text


async def test_what_is_of_others_waits(browser: Browser) -> None:
    """R-53: the counter and the film are asked for nothing before the answer."""
    page = (await browser.visit("/")).text
    assert ' src="http://' not in page
    assert "Load this video" in page
    await accept(browser)
    page = (await browser.follow("/")).text
    assert '<script src="http://analytics.example/ga.js" defer>' in page
    assert 'src="http://video.example/embed/bicycles"' in page


# The faults


class Seen(NamedTuple):
    """What a page is to a reader, without what is new each time: its cookies, and its text."""

    cookies: tuple[str, ...]
    text: str


def seen(response: Response) -> Seen:
    stored = (value.decode().partition("=") for value in response.set_cookies)
    cookies = (f"{name}{rest.partition(';')[2]}" for name, _, rest in stored)
    return Seen(tuple(sorted(cookies)), TOKEN.sub("", response.text))


async def walk(*faults: str) -> dict[str, list[Seen]]:
    """Every page, and the table's twin, as readers in each state get them."""
    answers = {UNTOUCHED: "", REFUSED: "reject-all", GRANTED: "accept-all", GPC: ""}
    pages = {}
    for state, choice in answers.items():
        headers = {"sec-gpc": "1"} if state == GPC else {}
        browser = Browser(create_app(*faults), headers=headers)
        if choice:
            await browser.submit("/consent", choice=choice)
        paths = (*PAGES, "/consent/declaration.json")
        responses = [await browser.follow(path) for path in paths]
        assert not any(response.header(STATE) for response in responses)
        if choice == "accept-all":
            responses.append(await browser.submit("/consent", choice="withdraw"))
        pages[state] = [seen(response) for response in responses]
    return pages


@cache
def good_pages() -> dict[str, list[Seen]]:
    """The walk through the site without faults."""
    return run(walk())


EVERYBODY = {UNTOUCHED, REFUSED, GRANTED, GPC}
WHO = {
    "before-answer": {UNTOUCHED},
    "before-answer-by-script": {UNTOUCHED},
    "third-party-early": {UNTOUCHED},
    "counter-early": {UNTOUCHED},
    "after-refusal": {REFUSED},
    "after-refusal-by-script": {REFUSED},
    "after-refusal-loaded": {REFUSED},
    "still-sent": {GRANTED},
    "against-signal": {GPC},
    "against-signal-loaded": {GPC},
    "lives-longer": {GRANTED},
    "lives-longer-by-script": {GRANTED},
    "poll-on-view": {GRANTED},
    "no-reject": {UNTOUCHED},
    "no-withdrawal": {GRANTED},
}
"""Who gets another site than without the fault; where it is not said, everybody does."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_there_for_those_it_says_and_nobody_else(name: str) -> None:
    """A switch that does nothing, or too much, would prove nothing of the auditor."""
    good, faulty = good_pages(), run(walk(name))
    differing = {state for state in good if good[state] != faulty[state]}
    assert differing == WHO.get(name, EVERYBODY)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_a_policy_that_loads(name: str) -> None:
    """The auditor reads the same file as the site."""
    assert inspect_policy(policy_file(name)).policy is not None
    assert FAULTS[name].says.endswith(".")
    assert FAULTS[name].found


async def test_faults_are_switched_on_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A factory is called without arguments."""
    monkeypatch.setenv("FAULTS", "undeclared-cookie,undeclared-image")
    monkeypatch.setenv("THIRD_PARTIES", "http://{}.test:8004")
    browser = Browser(create_app())
    assert_sets(await browser.visit("/"), "lb_pool")
    assert 'src="http://pixel.test:8004/pressed"' in (await browser.visit("/")).text


def test_an_unknown_fault_is_told() -> None:
    """A wrong name would be a site without a fault."""
    with pytest.raises(ValueError, match=r"^no such fault: flood; there are undeclared-cookie, "):
        create_app("flood")


def test_a_site_has_one_policy() -> None:
    """Two faults that each edit the policy do not go together."""
    with pytest.raises(ValueError, match=r"^a site has one policy; these are several: "):
        policy_file("never-seen", "tracker-necessary")


async def test_what_is_no_page_passes_the_edge() -> None:
    """An asset and a page's HEAD keep their length; a websocket is not the edge's."""
    good, faulty = Browser(create_app()), Browser(create_app("undeclared-cookie"))
    for path, method in (("/static/site.css", "GET"), ("/", "HEAD")):
        one, other = await good.fetch(path, method), await faulty.fetch(path, method)
        assert (one.status, one.body) == (other.status, other.body)
        assert one.header("content-length") == other.header("content-length")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    scope: Scope = {"type": "websocket", "path": "/none", "headers": [], "root_path": ""}
    await create_app("undeclared-cookie")(scope, receive, send)
    assert sent
    assert "set-cookie" not in str(sent)
