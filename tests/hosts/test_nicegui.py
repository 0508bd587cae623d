"""NiceGUI: pages whose content comes through a websocket, from an app mounted inside another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.sync.client import connect as connect_socket

from consentkit import Policy
from tests.apps import consent, policy
from tests.hosts.conftest import need
from tests.hosts.walks import Server, answer, parted

DECLARED = policy(uses=["nicegui"])
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
BROWSER = {"accept": "text/html", "user-agent": "Mozilla/5.0"}


ASSET = re.compile(r'href="(/_nicegui/[^"]+\.ico)"')
TOLD = ("cache-control", "etag", "last-modified", "vary", "content-type")


class Control(NamedTuple):
    """What NiceGUI says without the middleware, and which cookies an unaware policy lets pass."""

    page: httpx.Response
    asset: httpx.Response
    unaware: set[str]


def serve(rules: Policy | None) -> Server:
    """NiceGUI's one app, behind a server of its own; never two at once."""
    from tests.hosts import nicegui_site

    site: Any = nicegui_site.site
    return Server(site if rules is None else consent(site, rules, secure=False))


@pytest.fixture(scope="module")
def control() -> Control:
    need("nicegui")
    with serve(None) as server, httpx.Client(base_url=f"http://{server.address}") as client:
        page = client.get("/", headers=BROWSER)
        asset = client.get(asset_of(page), headers=BROWSER)
    with serve(policy()) as server, httpx.Client(base_url=f"http://{server.address}") as client:
        client.get("/", headers=BROWSER)
        return Control(page, asset, set(client.cookies))


@pytest.fixture(scope="module")
def running(control: Control) -> Iterator[Server]:
    with serve(DECLARED) as server:
        yield server


@pytest.fixture
def visitor(running: Server) -> Iterator[httpx.Client]:
    """Somebody who was never here."""
    with httpx.Client(base_url=f"http://{running.address}", headers=BROWSER) as client:
        yield client


def asset_of(page: httpx.Response) -> str:
    """An asset that the page names."""
    found = ASSET.search(page.text)
    assert found is not None
    return found[1]


def test_the_page_is_its_own_but_for_the_notice(visitor: httpx.Client, control: Control) -> None:
    """It compresses its pages inside, so it is asked for plain ones, which can be changed."""
    page = visitor.get("/")
    assert control.page.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in page.headers
    once = re.compile(rb"[0-9a-f]{8}-[0-9a-f-]{27}")  # who is connected, new each time
    body, notice = parted(page.content)
    assert notice
    assert once.sub(b"", body) == once.sub(b"", control.page.content)
    assert "no-store" in page.headers["cache-control"]


def test_it_knows_who_is_there_before_any_answer(visitor: httpx.Client, control: Control) -> None:
    """R-06: the session by which it knows its visitors is declared by `uses`."""
    visitor.get("/")
    assert set(visitor.cookies) == {"session"}
    assert control.unaware == set()


def test_its_assets_keep_their_year(visitor: httpx.Client, control: Control) -> None:
    """R-91: scripts and styles are kept by browsers and shared caches for as long as before."""
    got = visitor.get(asset_of(visitor.get("/")))
    assert got.content == control.asset.content
    assert "max-age=31536000" in got.headers["cache-control"]
    for name in TOLD:
        assert got.headers.get(name) == control.asset.headers.get(name)


def test_its_socket_opens(running: Server) -> None:
    """Engine.IO's handshake and Socket.IO's, through the middleware."""
    with connect_socket(f"ws://{running.address}{SOCKET}") as socket:
        opened = str(socket.recv(timeout=20))
        assert opened[0] == "0"
        assert json.loads(opened[1:])["sid"]
        socket.send("40")
        assert str(socket.recv(timeout=20)).startswith("40{")


def test_the_notice_is_answered_from_a_page_below_a_mount(visitor: httpx.Client) -> None:
    """NiceGUI is mounted in another app, and its page posts where it is answered."""
    action, form = answer(parted(visitor.get("/").content).notice, "reject-all")
    posted = visitor.post(action, data=form, headers={"origin": str(visitor.base_url)})
    assert (posted.status_code, posted.headers["location"]) == (303, "/#consentkit")
    assert b"accept-all" not in parted(visitor.get("/").content).notice
