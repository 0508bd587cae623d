"""Pages for children in a real browser: nothing optional is asked for, and nothing is taken away.

Third parties are this machine under names of their own; what was asked of them stands in the log of
their server. Beside every page for children stands an ordinary one as the control (LAW R-11).
"""

from collections.abc import Callable
from typing import Any

import pytest

from consentkit import ConsentMiddleware, Policy
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.packages import packages_folder, read_packed
from tests.browser.servers import Site
from tests.browser.test_consent_js import (
    COUNTER,
    FILMS,
    KEY,
    POLICY,
    Party,
    elsewhere,
    ran,
    wait_until_asked,
)
from tests.browser.test_htmx_and_turbo import LIBRARIES, Shop
from tests.browser.visitors import Visitor

KIDS = POLICY + "child-directed: [/kids]\n"
MODES = {"private": "", "shared": "pages: shared\n", "policed": "csp: enforce\n"}

Come = Callable[..., Visitor]


@pytest.fixture(scope="module")
def third_party(serve_module: Serve) -> Party:
    return Party(serve_module(elsewhere))


@pytest.fixture
def party(third_party: Party) -> Party:
    third_party.server.log.clear()
    return third_party


@pytest.fixture
def come(serve: Serve, new_visitor: NewVisitor, party: Party) -> Come:
    """``come()``: somebody to a site all of whose pages have a script and a film of others."""

    def come(mode: str = "private", app: Any = None, **options: Any) -> Visitor:
        body = (
            f'<script src="{party.at(COUNTER, "a.js")}"></script>'
            f'<iframe src="{party.at(FILMS, "film.html")}"></iframe>'
        )
        policy: Policy = read_policy(KIDS + MODES[mode])
        held = ConsentMiddleware(app or Site(body=body), policy=policy, secret_key=KEY)
        return new_visitor(serve(held), **options)

    return come


BOTH = ["counter.example/a.js", "films.example/film.html"]


def say_yes(visitor: Visitor, party: Party, wanted: list[str]) -> None:
    """Grant everything on the page of the preferences, which leads on to an ordinary page.

    When that has asked for what is `wanted`, nothing of it comes later than the log is cleared.
    """
    visitor.type_address("/consent")
    visitor.click("button[value=accept-all]")
    wait_until_asked(party, *wanted)
    visitor.leave()
    assert sorted(party.asked) == wanted
    party.server.log.clear()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("has_script", [True, False])
def test_nobody_is_asked_and_nothing_is_asked_for(
    come: Come,
    party: Party,
    mode: str,
    has_script: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    """R-11: not one request to a third party after a yes to everything; elsewhere, all of them."""
    visitor = come(mode, java_script_enabled=has_script)
    wanted = BOTH if has_script else BOTH[1:]
    is_given_back = has_script or mode != "shared"  # there, by a script alone
    say_yes(visitor, party, wanted if is_given_back else [])
    for path in ("/kids", "/kids/?a", "//kids", "/KIDS/b", "/%6bids"):
        visitor.type_address(path)
        visitor.page.wait_for_timeout(100)
        assert party.asked == []
        assert "for children" in visitor.notice.inner_text()
        assert not visitor.is_asked
        assert visitor.notice.is_visible()
    if not is_given_back:
        return
    visitor.type_address("/page")
    wait_until_asked(party, *wanted)
    visitor.page.wait_for_timeout(100)
    assert sorted(party.asked) == wanted


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_in_another_tab_changes_nothing(come: Come, party: Party, mode: str) -> None:
    """R-11: other tabs hear of every answer; in this one it says that nothing is on."""
    visitor = come(mode)
    visitor.type_address("/kids")
    other = visitor.page.context.new_page()
    other.goto(visitor.server.origin() + "/page")
    with visitor.page.expect_response(lambda response: "/consent/notice" in response.url) as told:
        other.click("#consentkit button[value=accept-all]")
    assert "children" in told.value.url
    wait_until_asked(party, *BOTH)  # the control: in the other all was loaded
    visitor.page.wait_for_timeout(300)
    assert "for children" in visitor.notice.inner_text()
    assert not visitor.page.evaluate("consentkit.allows('analytics')")
    assert ran(visitor) == []
    assert sorted(party.asked) == BOTH
    other.close()


def test_what_is_kept_for_other_pages_is_left_alone(come: Come) -> None:
    """R-11 is about these pages: web storage is the whole site's, and so are its cookies."""
    visitor = come()
    visitor.type_address("/kids")
    visitor.page.evaluate("localStorage['seen-1'] = document.cookie = '_ga=1'")
    visitor.type_address("/kids/again")
    visitor.page.wait_for_timeout(100)
    assert visitor.page.evaluate("localStorage['seen-1']") == "_ga=1"
    visitor.type_address("/page")  # the control: there it is judged, and nobody has said yes
    visitor.page.wait_for_function("localStorage['seen-1'] === undefined")


def test_the_preferences_open_and_what_is_saved_has_no_effect_there(
    come: Come, party: Party
) -> None:
    """R-11, R-15: the way to the preferences is there, and their answers are for elsewhere."""
    visitor = come()
    visitor.type_address("/kids")
    visitor.open_preferences()
    visitor.answer("accept-all")
    assert "for children" in visitor.notice.inner_text()
    assert party.asked == []
    visitor.open_preferences()
    assert visitor.page.locator("dialog [name=purpose]:checked").count() == 2
    visitor.page.keyboard.press("Escape")
    visitor.type_address("/page")
    wait_until_asked(party, *BOTH)
    assert sorted(party.asked) == BOTH


@pytest.mark.parametrize(
    ("library", "attributes"),
    [
        ("htmx 2", ' hx-boost="true"'),
        ("htmx 4", ' hx-boost:inherited="true"'),
        ("Turbo", ""),
    ],
)
def test_a_page_put_into_another_is_loaded_anew(
    come: Come,
    party: Party,
    tmp_path_factory: pytest.TempPathFactory,
    library: str,
    attributes: str,
) -> None:
    """R-11: what runs in the page before cannot be taken back, so that page has to go."""
    text = read_packed(packages_folder(tmp_path_factory), LIBRARIES[library])
    counter = f'<script src="{party.at(COUNTER, "a.js")}"></script>'
    bodies = {
        "one": f'<a id="to-kids" href="/kids">Kids</a><a id="to-two" href="/two">Two</a>{counter}',
        "two": '<p id="two">2</p><a id="to-kids" href="/kids">Kids</a>',
        "kids": f'<p id="kids">3</p><a id="to-two" href="/two">Two</a>{counter}',
    }
    visitor = come(app=Shop(text, attributes=attributes, **bodies))
    say_yes(visitor, party, [])  # the page that it leads to is empty
    visitor.type_address("/one")
    assert ran(visitor, until="a") == ["a!"]
    visitor.page.evaluate("window.isTheSamePage = true")
    visitor.page.click("#to-two")
    visitor.page.wait_for_selector("#two")
    visitor.page.wait_for_timeout(200)
    assert visitor.page.evaluate("window.isTheSamePage")  # the control: the library's doing
    party.server.log.clear()
    visitor.page.click("#to-kids")
    visitor.page.wait_for_selector("#kids")
    visitor.page.wait_for_function("!window.isTheSamePage && document.readyState == 'complete'")
    assert "for children" in visitor.notice.inner_text()
    assert ran(visitor) == []
    assert party.asked == []
