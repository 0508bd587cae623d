"""One class, unchanged, around five frameworks: what holds around each of them.

Every promise stands beside what the same site does without the middleware.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.types import ASGIApp
from websockets.sync.client import connect as connect_socket

from consentkit import ConsentMiddleware
from consentkit.testing import Browser, Response
from tests.apps import CSS, KEY, PAGE, policy
from tests.hosts.conftest import need
from tests.hosts.sites import CHUNK, FRAMEWORKS, NAMES, make
from tests.hosts.walks import NOTICE, Server, answer, forgiving, names, parted

pytestmark = [
    pytest.mark.anyio,
    # Django says so of its own static files, which it reads with plain iterators.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators"),
]

OPTIONS: dict[str, Any] = {"policy": policy(), "secret_key": KEY}


def wrapped(app: Any) -> ASGIApp:
    return ConsentMiddleware(app, **OPTIONS)


def added(app: Any) -> ASGIApp:
    app.add_middleware(ConsentMiddleware, **OPTIONS)
    made: ASGIApp = app
    return made


def put_inside(app: Any) -> ASGIApp:
    app.asgi_app = ConsentMiddleware(app.asgi_app, **OPTIONS)
    made: ASGIApp = app
    return made


WAYS: dict[str, tuple[str, Callable[[Any], ASGIApp]]] = {
    **{f"{framework}, wrapped": (framework, wrapped) for framework in FRAMEWORKS},
    "starlette, add_middleware": ("starlette", added),
    "fastapi, add_middleware": ("fastapi", added),
    "quart, asgi_app": ("quart", put_inside),
}


class Pair(NamedTuple):
    """The same site with the middleware and without."""

    held: ASGIApp
    bare: ASGIApp


def pair_of(way: str, *, debug: bool = False) -> Pair:
    framework, put = WAYS[way]
    need(framework)
    return Pair(
        forgiving(put(make(framework, debug=debug))), forgiving(make(framework, debug=debug))
    )


@pytest.fixture(params=WAYS)
def pair(request: pytest.FixtureRequest) -> Pair:
    return pair_of(request.param)


@pytest.fixture(params=[way for way in WAYS if "add_middleware" not in way])
def debugged(request: pytest.FixtureRequest) -> Pair:
    """Ways in which the framework's own error pages stand inside, with its debug mode on."""
    return pair_of(request.param, debug=True)


async def visits(pair: Pair, path: str) -> tuple[Response, Response]:
    """The same page for a new visitor, held and bare, of one second: headers tell the time."""
    after = await Browser(pair.bare).visit(path)
    while True:
        before, held = after, await Browser(pair.held).visit(path)
        after = await Browser(pair.bare).visit(path)
        if after.headers == before.headers:
            return held, after


def fields(response: Response, *without: bytes) -> list[tuple[bytes, bytes]]:
    """The headers but for some, names in lower case."""
    return [(n.lower(), v) for n, v in response.headers if n.lower() not in without]


@pytest.mark.parametrize("path", ["/page", "/stream", "/file"])
async def test_a_page_has_the_notice_once_and_is_the_same_otherwise(pair: Pair, path: str) -> None:
    """R-01: the visitor is asked on every page, and the page is still the author's."""
    held, bare = await visits(pair, path)
    page, notice = parted(held.body)
    assert notice
    assert page == bare.body == PAGE
    assert held.status == bare.status == 200


async def test_below_a_mount_the_form_posts_where_it_is_answered(pair: Pair) -> None:
    """Where a framework mounts a folder or an app, the endpoints stay where they are."""
    browser = Browser(pair.held)
    page, notice = parted((await browser.visit("/static/file.html")).body)
    assert page == PAGE
    action, form = answer(notice, "accept-all")
    posted = await browser.submit(action, form.items())
    assert (posted.status, posted.header("location")) == (303, "/static/file.html#consentkit")


@pytest.mark.parametrize("path", ["/page", "/stream", "/hop", "/second"])
async def test_only_what_may_be_stored_is(pair: Pair, path: str) -> None:
    """U-01: of what the framework's own methods set, what has a basis leaves, byte for byte."""
    held, bare = await visits(pair, path)
    assert names(bare.set_cookies) == list(NAMES)  # the control
    assert names(held.set_cookies) == ["sid", "old"]
    assert set(held.set_cookies) <= set(bare.set_cookies)


async def test_a_stream_goes_on_in_pieces(pair: Pair) -> None:
    """DESIGN §6: after the notice nothing is held back but a tag whose end has not come."""
    held, bare = await visits(pair, "/stream")
    sent, came = (
        [m["body"] for m in response.messages[1:] if m.get("body")] for response in (held, bare)
    )
    assert len(came) > 10
    assert NOTICE.search(sent[0])
    assert PAGE.endswith(b"".join(sent[1:]))
    assert len(sent) > 3
    assert max(map(len, sent[1:])) <= 2 * CHUNK


@pytest.mark.parametrize("path", ["/events", "/static/site.css", "/none.css"])
async def test_what_is_no_page_keeps_every_header(pair: Pair, path: str) -> None:
    """R-91: assets and events are shared by all visitors."""
    held, bare = await visits(pair, path)
    assert held.status == bare.status
    if b"html" in dict(fields(bare))[b"content-type"]:
        assert parted(held.body).page == bare.body  # an error page is a page as well
        return
    assert held.body == bare.body
    assert fields(held, b"date", b"expires") == fields(bare, b"date", b"expires")


async def test_an_asset_is_still_confirmed(pair: Pair) -> None:
    """R-89: conditions reach the framework, and what it makes of them comes back."""
    told = []
    for app in pair:
        browser = Browser(app)
        first = await browser.fetch("/static/site.css")
        assert first.text == CSS
        tag, date = first.header("etag"), first.header("last-modified")
        asked = {"if_none_match": tag} if tag else {"if_modified_since": str(date)}
        again = await browser.fetch("/static/site.css", **asked)
        told.append((again.status, again.body, fields(again, b"date", b"expires")))
    assert told[0] == told[1]


async def test_an_answer_is_given_with_the_pages_own_form(pair: Pair) -> None:
    """R-10, R-16: 303 back to the page; then no question, and what was granted passes."""
    browser = Browser(pair.held)
    page = await browser.visit("/page")
    assert "visits" not in browser.cookies
    action, form = answer(parted(page.body).notice, "accept-all")
    posted = await browser.submit(action, form.items())
    assert (posted.status, posted.header("location")) == (303, "/page#consentkit")
    again = await browser.follow("/page")
    assert b"accept-all" not in again.body
    assert parted(again.body).page == PAGE
    assert browser.cookies.keys() >= {"sid", "visits"}
    assert "stray" not in browser.cookies


async def test_the_framework_reads_only_what_it_may(pair: Pair) -> None:
    """R-17: reading is an act as well: the framework's own parser never sees the cookie."""
    seen = []
    for app in (pair.bare, pair.held):
        browser = Browser(app)
        browser.store("visits=1; Path=/")
        browser.store("sid=2; Path=/")
        seen.append((await browser.fetch("/seen")).json())
    assert seen == [{"visits": "1", "sid": "2"}, {"sid": "2"}]
    await browser.submit("/consent", choice="accept-all")
    browser.store("visits=1; Path=/")
    assert (await browser.fetch("/seen")).json()["visits"] == "1"


async def test_a_form_of_the_site_arrives(pair: Pair) -> None:
    """The body of a request is the app's alone."""
    response = await Browser(pair.held).submit("/form", text="a b & ü")
    assert response.json() == {"text": "a b & ü"}


async def test_a_chain_of_redirects_ends_at_the_page(pair: Pair) -> None:
    """Each hop is held to the policy, and goes where the app sent it."""
    browser = Browser(pair.held)
    path, hops = "/hop", []
    while (response := await browser.follow(path)).status in range(300, 400):
        hops.append(response.status)
        path = str(response.header("location"))
        assert names(response.set_cookies) == ["sid", "old"]
    assert (hops, path) == ([302, 303], "/page")
    assert parted(response.body).notice


async def test_a_redirect_is_no_page(pair: Pair) -> None:
    """Nobody reads the body of a redirect, so no notice stands there and none was shown."""
    held, bare = await visits(pair, "/hop")
    assert held.body == bare.body


async def test_head_says_what_get_says(pair: Pair) -> None:
    """RFC 9110 §9.3.2: the same fields, but for what is known only once the content is there."""
    browser = Browser(pair.held)
    page = await browser.visit("/page")
    head = await browser.request("HEAD", "/page", headers={"accept": "text/html"})
    assert head.status == page.status
    counted = (b"content-length", b"date", b"set-cookie")
    assert sorted(fields(head, *counted)) == sorted(fields(page, *counted))
    lengths = dict(fields(head)).get(b"content-length")
    assert lengths in (None, dict(fields(page))[b"content-length"])


async def test_error_pages_are_pages(debugged: Pair) -> None:
    """A page of the framework's debug mode is HTML, and the notice stands first in its body."""
    held, bare = await visits(debugged, "/boom")
    assert held.status == bare.status == 500
    assert b"BrokenError" in bare.body
    assert b"BrokenError" in held.body
    assert parted(held.body).notice


async def test_a_missing_page_says_what_it_said(pair: Pair) -> None:
    """A 404 is text, JSON or HTML, as the framework likes; only HTML gets the notice."""
    held, bare = await visits(pair, "/none")
    assert held.status == bare.status == 404
    assert parted(held.body).page == bare.body
    is_html = b"text/html" in dict(fields(bare))[b"content-type"]
    assert bool(parted(held.body).notice) is is_html


@pytest.fixture(params=FRAMEWORKS)
def site(request: pytest.FixtureRequest) -> ASGIApp:
    need(request.param)
    return make(request.param)


def held_in_clear(app: ASGIApp) -> ASGIApp:
    """Around the site, for a visitor who comes by plain http."""
    return ConsentMiddleware(app, **OPTIONS, secure=False)


def test_the_whole_walk_over_a_real_server(site: ASGIApp) -> None:
    """The server sends what the middleware hands it: lengths, chunks, redirects and all."""
    headers = {"accept": "text/html", "user-agent": "Mozilla/5.0"}
    with (
        Server(held_in_clear(site)) as server,
        httpx.Client(base_url=f"http://{server.address}", headers=headers) as client,
    ):
        page = client.get("/hop", follow_redirects=True)
        assert [r.status_code for r in page.history] == [302, 303]
        assert parted(page.content).page == PAGE
        assert set(client.cookies) == {"sid"}
        assert parted(client.get("/stream").content).page == PAGE
        assert client.get("/static/site.css").text == CSS
        assert client.get("/events").text == "data: 1\n\ndata: 2\n\n"
        assert client.post("/form", data={"text": "a b"}).json() == {"text": "a b"}
        assert client.head("/file").status_code in (200, 405)
        action, form = answer(parted(page.content).notice, "accept-all")
        posted = client.post(action, data=form, headers={"origin": str(client.base_url)})
        assert (posted.status_code, posted.headers["location"]) == (303, "/page#consentkit")
        assert b"accept-all" not in client.get("/page").content
        assert {"sid", "visits"} <= set(client.cookies)


def talk(app: ASGIApp) -> tuple[list[str], dict[str, str], str]:
    """Open the socket of a site: what it stores, which cookies it saw, and what it echoes."""
    cookies = {"Cookie": "sid=2; visits=3"}
    with (
        Server(app) as server,
        connect_socket(f"ws://{server.address}/echo", additional_headers=cookies) as socket,
    ):
        assert socket.response is not None
        stored = socket.response.headers.get_all("set-cookie")
        seen = json.loads(socket.recv())
        socket.send("Hello")
        return stored, seen, str(socket.recv())


def test_a_websocket_over_a_real_server(site: ASGIApp) -> None:
    """The handshake is held to the policy, and what is said over the socket passes."""
    assert talk(site) == (["stray=1"], {"sid": "2", "visits": "3"}, "Hello")
    assert talk(held_in_clear(site)) == ([], {"sid": "2"}, "Hello")
