"""Datasette, a whole application that was written for no framework of the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from consentkit.testing import Browser, assert_only_declared
from tests.apps import consent, policy
from tests.hosts.conftest import need
from tests.hosts.walks import Server, answer, hidden_field, names, parted

pytestmark = [
    pytest.mark.anyio,
    # Datasette leaves its connections to the garbage collector, which complains from 3.13 on.
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
]

DECLARED = policy(uses=["datasette"])


@pytest.fixture
def datasette(tmp_path: Path) -> Iterator[Any]:
    need("datasette")
    from tests.hosts.datasette_site import towns

    with towns(tmp_path) as made:
        yield made


@pytest.fixture
def app(datasette: Any) -> ASGIApp:
    made: ASGIApp = datasette.app()
    return made


PAGES = ("/", "/towns", "/towns/towns", "/towns/towns/1", "/towns?sql=select+1")
OTHERS = (
    "/towns/towns.json",
    "/towns/towns.csv?_stream=1",
    "/-/static/app.css",
    "/-/versions.json",
)


@pytest.mark.parametrize("path", PAGES)
async def test_its_pages_are_asked_on_and_unchanged(app: ASGIApp, path: str) -> None:
    """Timings apart, a page is the application's own, with the notice first in its body."""
    held, bare = await Browser(consent(app)).visit(path), await Browser(app).visit(path)
    page, notice = parted(held.body)
    assert notice
    took = re.compile(rb"Queries took [\d.]+ms")
    assert took.sub(b"", page) == took.sub(b"", bare.body)
    assert held.header("link") == bare.header("link")


@pytest.mark.parametrize("path", OTHERS)
async def test_its_data_is_shared_as_before(app: ASGIApp, path: str) -> None:
    """R-91: JSON, a CSV that streams, and styles keep their bytes and headers."""
    held, bare = await Browser(consent(app)).fetch(path), await Browser(app).fetch(path)
    took = re.compile(rb'"query_ms": [\d.]+')
    assert held.status == bare.status == 200
    assert held.headers == bare.headers
    assert took.sub(b"", held.body) == took.sub(b"", bare.body)


async def test_a_missing_table_is_a_page_as_well(app: ASGIApp) -> None:
    """Its 404 is HTML."""
    response = await Browser(consent(app)).visit("/towns/villages")
    assert response.status == 404
    assert parted(response.body).notice


async def test_the_operator_signs_in_and_out(datasette: Any, app: ASGIApp) -> None:
    """R-06: `uses` declares ``ds_actor`` and ``ds_csrftoken``; they work before any answer."""
    browser = Browser(consent(app, DECLARED))
    await browser.visit("/")
    signed = await browser.visit(f"/-/auth-token?token={datasette._root_token}")
    assert (signed.status, names(signed.set_cookies)) == (302, ["ds_actor"])
    assert (await browser.fetch("/-/actor.json")).json() == {"actor": {"id": "root"}}
    page = await browser.follow("/-/logout")
    assert_only_declared(page, DECLARED)
    left = await browser.submit("/-/logout", csrftoken=hidden_field(page.text, "csrftoken"))
    assert left.status == 302
    assert (await browser.fetch("/-/actor.json")).json() == {"actor": None}


async def test_without_the_declaration_nobody_signs_in(datasette: Any, app: ASGIApp) -> None:
    """The control: it is `uses` that lets the cookies pass."""
    browser = Browser(consent(app))
    await browser.visit("/")
    signed = await browser.visit(f"/-/auth-token?token={datasette._root_token}")
    assert (signed.status, signed.set_cookies) == (302, ())
    assert (await browser.fetch("/-/actor.json")).json() == {"actor": None}


async def test_its_own_messages_reach_the_next_page(app: ASGIApp) -> None:
    """A form of the application's, its token against forgery, and the message it leaves."""
    browser = Browser(consent(app, DECLARED))
    token = hidden_field((await browser.visit("/-/messages")).text, "csrftoken")
    await browser.submit("/-/messages", message="Well done", message_type="INFO", csrftoken=token)
    assert "ds_messages" in browser.cookies
    assert "Well done" in (await browser.follow("/")).text
    assert "ds_messages" not in browser.cookies


def test_it_is_answered_over_a_real_server(app: ASGIApp) -> None:
    """From the question to the answer, over uvicorn."""
    with (
        Server(consent(app, secure=False)) as server,
        httpx.Client(
            base_url=f"http://{server.address}", headers={"accept": "text/html"}
        ) as client,
    ):
        action, form = answer(parted(client.get("/towns/towns").content).notice, "accept-all")
        posted = client.post(action, data=form, headers={"origin": str(client.base_url)})
        assert (posted.status_code, posted.headers["location"]) == (303, "/towns/towns#consentkit")
        page = client.get("/towns/towns").content
        assert b"Stafford" in page
        assert b"accept-all" not in parted(page).notice
