import gzip
import sys
import zlib
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope
from starlette.types import Send as ASGISend

from consentkit.audit.network import Answer, HostRules, Send, http_client, import_http, inflated
from tests.browser.servers import Server

pytestmark = pytest.mark.anyio

# Bodies


@given(st.binary(max_size=3000), st.integers(1, 4000))
def test_a_body_is_unpacked_up_to_a_limit(body: bytes, most: int) -> None:
    """A megabyte may unpack to a gigabyte: what is beyond the limit is never made."""
    for coding, packed in {
        "": body,
        "identity": body,
        "gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
    }.items():
        assert inflated(packed, coding, most) == (body[:most], len(body) > most), coding


def test_what_is_packed_unknown_or_broken_is_not_read() -> None:
    assert inflated(b"x", "br", 9) == (b"", False)
    assert inflated(b"no gzip at all", "gzip", 9) == (b"", False)


@pytest.mark.parametrize(
    ("kind", "body", "is_page"),
    [
        (b"", b"\n<!DOCTYPE html><title>x</title>", True),
        (b"", b"<HTML lang=de>", True),
        (b"", b"{}", False),
        (b"application/json", b"<html>", False),
        (b"TEXT/HTML; charset=x", b"", True),
    ],
)
def test_what_has_no_type_is_known_by_how_it_begins(
    kind: bytes, body: bytes, *, is_page: bool
) -> None:
    """As browsers do (MIME Sniffing 7.1): a site that forgets the type is a site all the same."""
    headers = ((b"content-type", kind),) if kind else ()
    assert Answer(200, headers, body).is_page is is_page


# Names that lead elsewhere


def test_host_rules_are_chromiums() -> None:
    rules = HostRules("MAP *.example 127.0.0.1:8001, map shop.test 127.0.0.2,EXCLUDE own.example")
    assert rules.place_of("a.example", 80) == ("127.0.0.1", 8001)
    assert rules.place_of("shop.test", 443) == ("127.0.0.2", 443)
    assert rules.place_of("own.example", 80) == ("own.example", 80)
    assert rules.place_of("other.test", 80) == ("other.test", 80)


@pytest.mark.parametrize("text", ["MAP x", "EXCLUDE", "TO x y", "MAP a b c"])
def test_a_rule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no rule"):
        HostRules(text)


# Over a network


class Wire:
    """A server that notes what came, and answers as it is told."""

    def __init__(self) -> None:
        self.came: list[dict[str, str]] = []
        self.answers: dict[str, Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: ASGISend) -> None:
        request = Request(scope, receive)
        self.came.append(dict(request.headers))
        await self.answers.get(request.url.path, HTMLResponse("<p>Hello"))(scope, receive, send)


@pytest.fixture(scope="module")
def wire() -> Iterator[tuple[Wire, str]]:
    app = Wire()
    with Server(app) as server:
        yield app, server.origin("127.0.0.1")


@pytest.fixture(params=["httpx2", "httpx"])
async def client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Send]:
    """A `Send` by each of the two libraries."""
    if request.param == "httpx":
        monkeypatch.setitem(sys.modules, "httpx2", None)
    assert import_http().__name__ == request.param
    rules = HostRules("MAP shop.test 127.0.0.1")
    async with http_client(rules=rules, most=50_000) as send:
        yield send


async def test_a_request_carries_what_it_was_given_and_no_cookie_of_another(
    client: Send, wire: tuple[Wire, str]
) -> None:
    """Libraries keep a jar of their own: what one state was given may not be sent in the next."""
    app, origin = wire
    app.answers["/sets"] = HTMLResponse("x", headers={"set-cookie": "a=1; Path=/"})
    answer = await client("GET", f"{origin}/sets", {"x-a": "1"}, b"")
    assert (answer.status, answer.all(b"set-cookie"), answer.body) == (200, [b"a=1; Path=/"], b"x")
    await client("GET", f"{origin}/", {"accept-encoding": "gzip"}, b"")
    assert "cookie" not in app.came[-1]
    assert app.came[-2]["x-a"] == "1"
    await client("GET", f"{origin}/", {"cookie": "b=1"}, b"")
    assert app.came[-1]["cookie"] == "b=1"


async def test_a_redirect_is_not_followed(client: Send, wire: tuple[Wire, str]) -> None:
    app, origin = wire
    app.answers["/moved"] = RedirectResponse("/there", 302)
    answer = await client("GET", f"{origin}/moved", {}, b"")
    assert (answer.status, answer.first(b"location")) == (302, "/there")
    assert not answer.is_page


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # httpx leaves its streams to trio to close
async def test_a_body_is_read_up_to_a_limit(client: Send, wire: tuple[Wire, str]) -> None:
    app, origin = wire
    app.answers["/long"] = HTMLResponse("x" * 60_000)
    app.answers["/packed"] = HTMLResponse(
        gzip.compress(b"y" * 60_000), headers={"content-encoding": "gzip"}
    )
    app.answers["/film"] = Response(b"z" * 9, media_type="video/mp4")
    for path, body in {"/long": b"x" * 50_000, "/packed": b"y" * 50_000, "/film": b""}.items():
        answer = await client("GET", origin + path, {}, b"")
        assert (answer.body, answer.is_cut) == (body, True), path


async def test_a_name_leads_where_the_rules_say(client: Send, wire: tuple[Wire, str]) -> None:
    """The server is told the name that was meant, as it would be by a browser."""
    app, origin = wire
    port = origin.rpartition(":")[2]
    assert (await client("GET", f"http://shop.test:{port}/x", {}, b"")).status == 200
    assert app.came[-1]["host"] == f"shop.test:{port}"


async def test_without_either_library_there_is_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ModuleNotFoundError):
        import_http()


async def test_a_body_that_drips_is_given_up() -> None:
    """A time for each read is none for all of them: robots.txt would be waited for till it ends."""

    async def drip(_scope: Scope, _receive: Receive, send: ASGISend) -> None:
        head = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for _ in range(30):
            await anyio.sleep(0.2)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    with Server(drip) as server:
        async with http_client(seconds=0.5) as client:
            with anyio.move_on_after(5) as limit, pytest.raises(TimeoutError):
                await client("GET", f"{server.origin('127.0.0.1')}/robots.txt", {}, b"")
    assert not limit.cancelled_caught
