"""How many presses an answer takes, and that nothing else is one (R-02, R-03, R-12, R-13).

Each act of a test is one press of a button, a link or a switch. What it did is read from the jar:
the site sets the same cookies with every page.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Site
from tests.browser.visitors import Visitor

LAYOUTS = ("top", "sticky", "bottom", "corner")
POLICY = """
site: {name: A site, controller: A site}
purposes:
  necessary: {title: Necessary, description: d, basis: strictly-necessary, justification: security}
  analytics: {title: Analytics, description: It counts.}
  media: {title: Films, description: Films of others.}
cookies:
  login: {kind: session, purpose: necessary, description: d}
  _ga: {kind: analytics, purpose: analytics, duration: 1 day, description: d}
  seen: {kind: persistent, purpose: media, duration: 1 day, description: d}
services:
  films: {purpose: media, provider: Films Inc, hosts: [films.example], shows: video}
"""
COOKIES = ("login=1; Path=/", "_ga=1; Path=/", "seen=1; Path=/")
NOTHING, EVERYTHING = {"login"}, {"login", "_ga", "seen"}
BODY = '<p><a id="next" href="/next">next</a></p>' + "<p>Words of the site.</p>" * 90

Arrive = Callable[..., Visitor]


@pytest.fixture
def arrive(serve: Serve, new_visitor: NewVisitor) -> Arrive:
    """``arrive(policy)``: somebody who was asked, and has not answered."""

    def arrive(more: str = "mode: explicit\n", *, scripted: bool = True, **options: Any) -> Visitor:
        site = Site(*COOKIES, body=BODY)
        server = serve(
            ConsentMiddleware(site, policy=read_policy(POLICY + more), secret_key="k" * 32)
        )
        visitor = new_visitor(server, java_script_enabled=scripted, **options)
        visitor.type_address("/page")
        assert visitor.is_asked
        return visitor

    return arrive


def presses(*acts: Callable[[], Any]) -> int:
    """How many presses these acts are: one each."""
    for act in acts:
        act()
    return len(acts)


def switch(visitor: Visitor, purpose: str) -> None:
    visitor.page.click(f"{visitor.front}[name=purpose][value={purpose}]")


SCRIPTED = pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
KINDS = pytest.mark.parametrize(
    "kind",
    [
        *(f"mode: explicit\nbanner: {{layout: {layout}}}\n" for layout in LAYOUTS),
        "mode: implied\n",
        "mode: opt-out\n",
    ],
    ids=[*LAYOUTS, "implied", "opt-out"],
)


@KINDS
@SCRIPTED
def test_saying_no_takes_one_press_like_saying_yes(
    arrive: Arrive, kind: str, *, scripted: bool
) -> None:
    """R-13: to refuse, to accept, and to withdraw all that was accepted, from any page."""
    visitor = arrive(kind, scripted=scripted)
    refusing = presses(partial(visitor.answer, "reject-all"))
    visitor.click("#next")
    assert visitor.stored == NOTHING
    assert not visitor.is_asked
    visitor.forget()
    visitor.type_address("/page")
    accepting = presses(partial(visitor.answer, "accept-all"))
    visitor.click("#next")
    assert visitor.stored == EVERYTHING, "the control: it was a grant"
    withdrawing = presses(partial(visitor.answer, "withdraw"))
    assert visitor.stored == NOTHING
    visitor.click("#next")
    assert visitor.stored == NOTHING
    assert refusing == withdrawing == accepting == 1


@KINDS
@SCRIPTED
def test_one_purpose_is_withdrawn_by_as_many_presses_as_it_is_granted(
    arrive: Arrive, kind: str, *, scripted: bool
) -> None:
    """R-04, R-13: the link, the switch, *save*."""
    visitor = arrive(kind, scripted=scripted)
    visitor.answer("reject-all")
    steps = (
        visitor.open_preferences,
        partial(switch, visitor, "analytics"),
        partial(visitor.answer, "save"),
    )
    granting = presses(*steps)
    visitor.click("#next")
    assert visitor.stored == {"login", "_ga"}, "one purpose grants no other"
    withdrawing = presses(*steps)
    visitor.click("#next")
    assert visitor.stored == NOTHING
    assert withdrawing <= granting == 3


@SCRIPTED
def test_a_single_service_is_taken_back_by_one_press(arrive: Arrive, *, scripted: bool) -> None:
    """R-13: nothing else is on, and still there is something to withdraw."""
    visitor = arrive(scripted=scripted)
    visitor.open_preferences()
    visitor.page.click(f"{visitor.front}li:has([name=service]) summary")
    visitor.page.check(f"{visitor.front}[name=service]")
    visitor.answer("save")
    withdraw = visitor.notice.locator("[value=withdraw]")
    assert withdraw.count() == 1
    visitor.answer("withdraw")
    assert withdraw.count() == 0
    visitor.open_preferences()
    assert visitor.page.locator(f"{visitor.front}:checked").count() == 0


@SCRIPTED
def test_nothing_is_ticked_before_there_is_an_answer(arrive: Arrive, *, scripted: bool) -> None:
    """R-03, Planet49: on no layer; the control: what is granted is ticked."""
    visitor = arrive(scripted=scripted)
    ticked = visitor.page.locator(":checked:not(option)")
    assert visitor.page.locator("#consentkit input:not([type=hidden])").count() == 0
    visitor.open_preferences()
    assert visitor.page.locator(f"{visitor.front}[type=checkbox]").count() == 3
    assert ticked.count() == 0
    visitor.type_address("/consent")
    assert ticked.count() == 0
    visitor.page.check("[value=media]")
    visitor.answer("save")
    visitor.open_preferences()
    assert [one.get_attribute("value") for one in ticked.all()] == ["media"]


# What is no answer


def by_escape(visitor: Visitor) -> None:
    visitor.page.keyboard.press("Escape")


def by_scrolling(visitor: Visitor) -> None:
    visitor.page.mouse.wheel(0, 4000)
    visitor.page.keyboard.press("End")


def by_loading_it_again(visitor: Visitor) -> None:
    visitor.page.reload()


def by_waiting(visitor: Visitor) -> None:
    """A day, as the page's clock has it."""
    visitor.page.clock.install()
    visitor.page.clock.fast_forward("24:00:00")


def by_going_on(visitor: Visitor) -> None:
    visitor.click("#next")
    visitor.page.go_back()


def by_leaving(visitor: Visitor) -> None:
    """For another tab, and for good."""
    visitor.page.context.new_page().close()
    visitor.page.goto("about:blank")


def by_a_click_into_the_page(visitor: Visitor) -> None:
    visitor.page.click("p >> nth=1", force=True)
    visitor.page.click("#consentkit h2")


def by_enter_on_the_page(visitor: Visitor) -> None:
    visitor.page.keyboard.press("Enter")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "act",
    [
        by_escape,
        by_scrolling,
        by_loading_it_again,
        by_waiting,
        by_going_on,
        by_leaving,
        by_a_click_into_the_page,
        by_enter_on_the_page,
    ],
)
def test_what_is_no_press_of_a_button_grants_nothing(
    arrive: Arrive, act: Callable[[Visitor], None], layout: str
) -> None:
    """R-02, EDPB 05/2020 para 86: silence is silence, however it sounds."""
    # A clock that was set stays so: that browser is used for nothing else.
    apart = {"timezone_id": "Europe/Berlin"} if act is by_waiting else {}
    visitor = arrive(f"mode: explicit\nbanner: {{layout: {layout}}}\n", **apart)
    act(visitor)
    visitor.page.wait_for_timeout(100)
    assert {one["name"] for one in visitor.jar} == NOTHING
    assert not [asked for asked in visitor.server.log if asked.method == "POST"]
    visitor.type_address("/page")
    assert visitor.is_asked
    visitor.answer("accept-all")
    assert visitor.stored == EVERYTHING, "the control: a press of the button is heard"
