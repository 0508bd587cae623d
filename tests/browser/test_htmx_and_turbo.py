"""Pages that htmx or Turbo change in place: the notice stays, and what comes with them waits.

The libraries are the real ones, as npm has them.
"""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from consentkit import ConsentMiddleware, Policy
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.packages import Packed, packages_folder, read_packed
from tests.browser.test_consent_js import (
    COUNTER,
    FILMS,
    POLICY,
    Party,
    elsewhere,
    press,
    ran,
    ready,
    wait_until_asked,
)
from tests.browser.visitors import QUESTION, Visitor

LIBRARIES = {
    "htmx 2": Packed("htmx.org", "2.0.11", "dist/htmx.min.js"),
    "htmx 4": Packed("htmx.org", "4.0.1", "dist/htmx.min.js"),
    "Turbo": Packed("@hotwired/turbo", "8.0.23", "dist/turbo.es2017-umd.js"),
}


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The text of each library."""
    folder = packages_folder(tmp_path_factory)
    return {name: read_packed(folder, which) for name, which in LIBRARIES.items()}


class Shop:
    """A site whose pages fetch each other by a library. `bodies` has what stands in each page."""

    def __init__(self, library: str, **bodies: str) -> None:
        self.library = library
        self.bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = Request(scope, receive).url.path.strip("/")
        if name == "library.js":
            answer: Response = Response(self.library, media_type="text/javascript")
        elif name.startswith("part"):
            answer = HTMLResponse(self.bodies[name])
        else:
            answer = HTMLResponse(
                '<!doctype html><html lang="en"><head><title>A page</title>'
                '<script src="/library.js" defer></script></head>'
                f"<body{self.bodies.get('attributes', '')}>{self.bodies.get(name, '')}</body>"
            )
        await answer(scope, receive, send)


@pytest.fixture(scope="module")
def third_party(serve_module: Serve) -> Party:
    return Party(serve_module(elsewhere))


@pytest.fixture
def party(third_party: Party) -> Party:
    third_party.server.log.clear()
    return third_party


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read_policy(POLICY)


@pytest.fixture
def visit(serve: Serve, new_visitor: NewVisitor, policy: Policy, libraries: dict[str, str]) -> Any:
    def visit(library: str, **bodies: str) -> Visitor:
        shop = Shop(libraries[library], **bodies)
        visitor = new_visitor(serve(ConsentMiddleware(shop, policy=policy, secret_key="k" * 32)))
        visitor.type_address("/one")
        ready(visitor)
        visitor.page.evaluate("window.isTheSamePage = true")
        return visitor

    return visit


def go(visitor: Visitor, selector: str, to: str) -> None:
    """Click what changes the page in place, and wait until it has."""
    visitor.page.click(selector)
    visitor.page.wait_for_selector(f"#{to}")
    visitor.page.wait_for_timeout(150)
    assert visitor.page.evaluate("window.isTheSamePage"), "the control: it is the library's doing"


def see_it_first(visitor: Visitor) -> None:
    """Until the notice stands first in the body: the script puts it there with the next frame."""
    visitor.page.wait_for_function(
        "document.querySelector('body > :not(link)')?.id === 'consentkit'"
    )


HTMX = pytest.mark.parametrize("library", ["htmx 2", "htmx 4"])
BOTH = pytest.mark.parametrize(
    ("library", "attributes"),
    [
        ("htmx 2", ' hx-boost="true"'),
        ("htmx 4", ' hx-boost:inherited="true"'),
        ("Turbo", ""),
    ],
)


@HTMX
def test_what_a_part_brings_waits_and_is_given_back(visit: Any, party: Party, library: str) -> None:
    """A fragment has no notice of its own; its tags are held to the same answers."""
    part = f'<b id="new">new</b><img src="{party.at(FILMS, "a.svg")}">'
    button = '<button id="get" hx-get="/part" hx-target="#here">get</button><p id="here"></p>'
    visitor = visit(library, one=button, part=part)
    go(visitor, "#get", "new")
    assert party.asked == []
    press(visitor, "accept-all")
    wait_until_asked(party, f"{FILMS}/a.svg")
    assert party.asked == [f"{FILMS}/a.svg"]


@BOTH
def test_the_notice_stays_when_the_page_is_another(
    visit: Any, party: Party, library: str, attributes: str
) -> None:
    """R-15: it is first in the body of every page, and its buttons work in each."""
    visitor = visit(
        library,
        attributes=attributes,
        one='<a id="on" href="/two">on</a>',
        two=f'<a id="back" href="/three">on</a><script src="{party.at(COUNTER, "a.js")}"></script>',
        three='<p id="three">three</p>',
    )
    go(visitor, "#on", "back")
    visitor.page.wait_for_url("**/two")
    see_it_first(visitor)
    assert visitor.is_asked
    assert party.asked == []
    press(visitor, "accept-all")
    assert ran(visitor, until="a") == ["a!"]
    go(visitor, "#back", "three")
    see_it_first(visitor)
    assert not visitor.is_asked
    assert visitor.page.evaluate("window.isTheSamePage")


@BOTH
def test_the_way_back_does_not_ask_again(
    visit: Any, party: Party, library: str, attributes: str
) -> None:
    """A snapshot of a page is older than the answer."""
    visitor = visit(
        library,
        attributes=attributes,
        one=f'<a id="on" href="/two">on</a><img src="{party.at(FILMS, "a.svg")}">',
        two='<p id="two">two</p>',
    )
    go(visitor, "#on", "two")
    press(visitor, "accept-all")
    visitor.page.evaluate("history.back()")
    visitor.page.wait_for_selector("#on")
    wait_until_asked(party, f"{FILMS}/a.svg")
    visitor.page.wait_for_selector(QUESTION, state="detached")
    see_it_first(visitor)
    assert not visitor.is_asked


@BOTH
def test_the_library_does_not_send_the_answer_itself(
    visit: Any, library: str, attributes: str
) -> None:
    """One press is one answer, also where a library takes over all forms."""
    visitor = visit(library, attributes=attributes, one="<p>one</p>")
    press(visitor, "reject-all")
    visitor.page.wait_for_timeout(200)
    posts = [one for one in visitor.server.log if one.method == "POST"]
    assert len(posts) == 1
    assert visitor.page.url.endswith("/one")
    assert visitor.complaints == []


@BOTH
def test_the_library_does_not_follow_the_link_to_the_preferences(
    visit: Any, library: str, attributes: str
) -> None:
    """It opens the dialog, also where a library takes over all links."""
    visitor = visit(library, attributes=attributes, one="<p>one</p>")
    visitor.open_preferences()
    visitor.page.wait_for_timeout(200)
    assert visitor.page.url.endswith("/one")
    # Turbo fetches a link's page when the pointer rests on it, and shows it when it is clicked.
    asked = visitor.server.asked_for("/consent")
    assert [one for one in asked if one.headers.get("x-sec-purpose") != "prefetch"] == []
    visitor.page.keyboard.press("Escape")
    visitor.page.wait_for_selector("dialog", state="detached")
    assert visitor.page.evaluate("window.isTheSamePage")


@BOTH
def test_a_dialog_goes_with_its_page(visit: Any, library: str, attributes: str) -> None:
    """The way back, or a script, may change the page behind it; the next one has its own."""
    visitor = visit(
        library,
        attributes=attributes,
        one='<a id="on" href="/two">on</a>',
        two='<p id="two">two</p>',
    )
    visitor.open_preferences()
    visitor.page.evaluate("document.querySelector('#on').click()")
    visitor.page.wait_for_selector("#two")
    visitor.page.wait_for_selector("dialog", state="detached")
    see_it_first(visitor)
    visitor.open_preferences()
    visitor.page.check("dialog [value=media]")
    with visitor.page.expect_response(lambda response: "/consent/notice" in response.url):
        visitor.page.click("dialog [value=save]")
    visitor.page.wait_for_selector(QUESTION, state="detached")
    assert visitor.page.evaluate("consentkit.allows('media')")
    assert visitor.page.evaluate("window.isTheSamePage"), "the control: it is the library's doing"
    visitor.page.evaluate("history.back()")
    visitor.page.wait_for_selector("#on")
    visitor.page.wait_for_timeout(200)
    assert visitor.page.locator("dialog").count() == 0, "nor is it in a snapshot of the page"


@HTMX
def test_a_part_that_changes_leaves_the_dialog_open(visit: Any, library: str) -> None:
    """What a page fetches now and then is no reason to take away what somebody fills in."""
    here = '<p id="here" hx-get="/part" hx-trigger="now from:body"></p>'
    visitor = visit(library, one=here, part="<b id=new>new</b>")
    visitor.open_preferences()
    visitor.page.check("dialog [value=media]")
    visitor.page.evaluate("document.body.dispatchEvent(new Event('now'))")
    visitor.page.wait_for_selector("#new", state="attached")
    visitor.page.wait_for_timeout(150)
    assert visitor.page.is_checked("dialog:modal [value=media]")
