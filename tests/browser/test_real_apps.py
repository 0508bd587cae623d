"""Two applications of others in a real browser: their own scripts run, and the notice is answered.

NiceGUI draws its pages in the browser, over a websocket; Datasette's are whole when they come.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from tests.apps import consent, policy
from tests.browser.conftest import NewVisitor
from tests.browser.visitors import QUESTION, Visitor
from tests.hosts.conftest import need
from tests.hosts.walks import Server


@pytest.fixture
def nicegui() -> ASGIApp:
    need("nicegui")
    from tests.hosts import nicegui_site

    site: Any = nicegui_site.site
    return consent(site, policy(uses=["nicegui"]))


@pytest.fixture
def datasette(tmp_path: Path) -> Iterator[ASGIApp]:
    need("datasette")
    from tests.hosts.datasette_site import towns

    with towns(tmp_path) as made:
        yield consent(made.app(), policy(uses=["datasette"]))


def answer(visitor: Visitor, choice: str) -> None:
    """Press a button of the notice, and stay on the page."""
    visitor.notice.locator(f"button[name=choice][value={choice}]").click()
    visitor.page.wait_for_selector(QUESTION, state="detached")


def test_nicegui_counts_while_the_visitor_answers(
    nicegui: ASGIApp, running: ExitStack, new_visitor: NewVisitor
) -> None:
    """A click goes through the websocket and comes back; the answer is given in between."""
    visitor = new_visitor(running.enter_context(Server(nicegui)))
    sockets: list[str] = []
    visitor.page.on("websocket", lambda socket: sockets.append(socket.url))
    visitor.type_address("/")
    visitor.page.get_by_role("button", name="Add").click()
    visitor.page.wait_for_function("document.querySelector('#count').innerText == 'Counted 1'")
    assert visitor.is_asked
    assert visitor.notice.bounding_box()
    assert len(sockets) == 1
    answer(visitor, "reject-all")
    visitor.page.get_by_role("button", name="Add").click()
    visitor.page.wait_for_function("document.querySelector('#count').innerText == 'Counted 2'")
    assert len(sockets) == 1
    visitor.type_address("/")
    visitor.page.wait_for_function("document.querySelector('#count')?.innerText == 'Counted 2'")
    assert not visitor.is_asked
    assert visitor.stored == {"session"}
    assert visitor.complaints == []


# Datasette leaves its connections to the garbage collector, which complains from Python 3.13 on.
@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
def test_datasette_is_used_while_the_visitor_answers(
    datasette: ASGIApp, running: ExitStack, new_visitor: NewVisitor
) -> None:
    """Its own script opens the menu of a column, and the answer is there on the next page."""
    visitor = new_visitor(running.enter_context(Server(datasette)))
    visitor.type_address("/towns/towns")
    assert visitor.is_asked
    menu = visitor.page.locator("th[data-column=name] .dropdown-menu-icon")
    menu.click()
    visitor.page.get_by_text("Sort ascending").wait_for()
    answer(visitor, "accept-all")
    visitor.type_address("/towns/towns")
    assert not visitor.is_asked
    visitor.page.get_by_text("Stafford").wait_for()
    assert visitor.complaints == []
