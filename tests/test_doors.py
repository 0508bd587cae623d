"""Every door by which a cookie leaves an ASGI app, and the two by which one comes in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from consentkit.testing import Browser, assert_blocked, assert_only_declared, assert_sets
from tests.apps import (
    ALLOWED,
    COOKIES,
    NAVIGATION,
    OTHERS,
    PAGES,
    SOCKETS,
    SetsCookies,
    connect,
    consent,
    get,
    policy,
    run,
    says,
    scope_of,
    site,
)

pytestmark = pytest.mark.anyio


async def granted(app: Any) -> dict[str, str]:
    """A Cookie header of somebody who said yes."""
    browser = Browser(app)
    await browser.submit("/consent", choice="accept-all")
    return {"cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}


# what leaves


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
async def test_no_response_stores_what_was_not_allowed(path: str) -> None:
    """R-01, U-01: page, JSON, redirect, error, static file, sub-app, stream, SSE: every one."""
    bare = await get(site(), path)
    assert bare.set_cookies == COOKIES  # the control: the app does try
    held = await get(consent(site()), path)
    assert held.set_cookies == ALLOWED
    assert held.start["status"] == bare.start["status"]


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
async def test_what_was_granted_leaves_byte_for_byte(path: str) -> None:
    """AC-07: with a good token every declared cookie passes as it was written."""
    app = consent(site())
    outcome = await get(app, path, await granted(app))
    assert outcome.set_cookies == (COOKIES[0], COOKIES[1], COOKIES[3])


@pytest.mark.parametrize("path", SOCKETS)
async def test_no_websocket_handshake_stores_what_was_not_allowed(path: str) -> None:
    """U-01: websocket.accept and websocket.http.response.start are doors as well."""
    assert (await connect(site(), path)).set_cookies == COOKIES
    app = consent(site())
    assert (await connect(app, path)).set_cookies == ALLOWED
    yes = await granted(app)
    assert (await connect(app, path, yes)).set_cookies == (COOKIES[0], COOKIES[1], COOKIES[3])


async def test_a_websocket_may_be_accepted_without_headers() -> None:
    """ASGI: ``headers`` of websocket.accept is optional, and nothing is made of its absence."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})

    outcome = await connect(consent(app), "/ws", {"cookie": "visits=1"})
    assert outcome.error is None
    assert [message["type"] for message in outcome.messages] == [
        "websocket.accept",
        "websocket.close",
    ]
    assert outcome.set_cookies == ()


async def test_a_page_that_denies_a_websocket_is_left_as_it_is() -> None:
    """ASGI's websocket denial: it is shown by no browser, so it is no place for a notice."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/html"), (b"set-cookie", b"visits=1")]
        await send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b"<body>No."})

    outcome = await connect(consent(app), "/ws")
    start, body = outcome.messages
    assert start["headers"] == [(b"content-type", b"text/html")]
    assert body["body"] == b"<body>No."


async def test_a_response_may_start_without_headers() -> None:
    """ASGI: ``headers`` of http.response.start is optional."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 204}
        await send(start)
        await send({"type": "http.response.body"})

    outcome = await get(consent(app), "/")
    assert outcome.error is None
    assert outcome.set_cookies == ()
    assert outcome.start["status"] == 204


def one_shot(pairs: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Headers that can be read once."""
    yield from pairs


SHAPES: dict[str, Callable[[list[tuple[bytes, bytes]]], Any]] = {
    "a list": list,
    "a tuple": tuple,
    "a generator, read once": one_shot,
    "lists for pairs": lambda pairs: [[n, v] for n, v in pairs],
    "odd case": lambda pairs: [(n.title(), v) for n, v in pairs],
    "capitals": lambda pairs: [(n.upper(), v) for n, v in pairs],
    "bytearrays": lambda pairs: [(bytearray(n), bytearray(v)) for n, v in pairs],
    "memoryviews": lambda pairs: [(memoryview(n), memoryview(v)) for n, v in pairs],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("content_type", [b"text/html", b"application/json"])
async def test_headers_are_read_in_every_shape_a_server_takes(
    shape: str, content_type: bytes
) -> None:
    """ASGI asks for an iterable of pairs of byte strings in lower case; servers take more."""
    pairs = [(b"content-type", content_type), *((b"set-cookie", c) for c in COOKIES)]
    app = says(b"<p>Hello</p>", headers=SHAPES[shape](pairs))
    outcome = await get(consent(app), "/")
    assert outcome.error is None
    assert outcome.set_cookies == ALLOWED
    assert outcome.all(b"content-type") == (content_type,)
    yes = await granted(consent(says(b"")))
    app = says(b"<p>Hello</p>", headers=SHAPES[shape](pairs))
    again = await get(consent(app), "/", yes)
    assert again.set_cookies == (COOKIES[0], COOKIES[1], COOKIES[3])


@given(
    st.lists(
        st.sampled_from(
            [
                (b"set-cookie", b"visits=1"),
                (b"Set-Cookie", b"stray=1; Path=/"),
                (b"SET-COOKIE", b"sid=1"),
                (b"set-cookie", b"old=; Max-Age=0"),
                (b"x-sent-ookie", b"ten letters"),
                (b"set-cookix", b"visits=1"),
                (b"content-type", b"application/json"),
                (b"location", b"/"),
            ]
        )
    )
)
async def test_every_other_header_keeps_its_place(pairs: list[tuple[bytes, bytes]]) -> None:
    """RFC 6265 §3: Set-Cookie headers are filtered one by one, never folded or reordered."""
    outcome = await get(consent(says(b"{}", headers=list(pairs))), "/")
    blocked = {b"visits=1", b"stray=1; Path=/"}
    kept = [p for p in pairs if p[0].lower() != b"set-cookie" or p[1] not in blocked]
    assert outcome.start["headers"] == kept


async def test_the_name_of_our_token_is_nobody_elses_to_set() -> None:
    """R-10: an answer is given by a visitor's act, so the app cannot print one."""
    headers = [(b"set-cookie", b"__Host-consent=1; Secure; Path=/"), (b"set-cookie", b"sid=1")]
    outcome = await get(consent(says(b"", headers=headers)), "/")
    assert outcome.set_cookies == (b"sid=1",)


async def test_browser_and_assertions_agree_with_the_wire() -> None:
    """R-75: what the assertions say is what the headers say."""
    app = consent(site())
    browser = Browser(app)
    page = await browser.visit("/page")
    assert_blocked(page, "visits")
    assert_blocked(page, "stray")
    assert_sets(page, "sid")
    assert_only_declared(page, policy())


@pytest.mark.parametrize("undeclared", ["report", "block", "hide"])
async def test_undeclared_cookies_follow_the_level(undeclared: str) -> None:
    """R-26: report logs, block drops what is set, hide takes it out of the request too."""
    app = consent(site(), policy(undeclared=undeclared))
    outcome = await get(app, "/json", {"cookie": "stray=1; sid=2"})
    stored = COOKIES[2] in outcome.set_cookies
    seen = b"stray" in outcome.body
    assert (stored, seen) == {
        "report": (True, True),
        "block": (False, True),
        "hide": (False, False),
    }[undeclared]


# what comes in


async def seen_by(app: Any, *cookies: bytes, kind: str = "http") -> list[bytes]:
    """The Cookie headers an inner app sees."""
    seen: list[bytes] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(value for name, value in scope["headers"] if name == b"cookie")
        if kind == "http":
            await says(b"")(scope, receive, send)

    headers = [(b"host", b"testserver"), *((b"cookie", c) for c in cookies), (b"x-last", b"1")]
    await get(app(look), "/", headers, type=kind)
    return seen


CASES = [
    ((b"sid=1; visits=2",), [b"sid=1"]),
    ((b"visits=2",), []),
    ((b"visits=1; visits=2; sid=3; visits=4",), [b"sid=3"]),
    ((b"sid=1", b"visits=2", b"sid=3"), [b"sid=1", b"sid=3"]),
    ((b"sid=1", b"sid=1", b"visits=2; sid=2"), [b"sid=1", b"sid=1", b"sid=2"]),
    ((b'visits="a; b=c"; sid=1',), [b'b=c"; sid=1']),  # no quoting in RFC 6265bis §5.6
    ((b"stray=1; visits=1",), [b"stray=1"]),
    ((b"xvisits=1; visitsx=2; VISITS=3",), [b"xvisits=1; visitsx=2; VISITS=3"]),
]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(("sent", "left"), CASES)
async def test_the_app_never_sees_a_cookie_without_an_answer(
    kind: str, sent: tuple[bytes, ...], left: list[bytes]
) -> None:
    """R-17: reading is an act as well (Orange, SAN-2024-019); names are compared whole (TR-01)."""
    assert await seen_by(lambda app: app, *sent, kind=kind) == list(sent)
    assert await seen_by(consent, *sent, kind=kind) == left


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_the_app_sees_what_was_granted(kind: str) -> None:
    """The control: with the answer the same header passes byte for byte."""
    token = (await granted(consent(says(b""))))["cookie"].encode()
    line = b"sid=1;  visits=2 ;" + token
    assert await seen_by(consent, line, kind=kind) == [line]


async def test_a_clean_request_keeps_its_very_header_list() -> None:
    """DESIGN §8: where nothing is taken away nothing is copied."""
    lists: list[object] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        lists.append(scope["headers"])
        await says(b"")(scope, receive, send)

    headers = [(b"host", b"testserver"), (b"cookie", b"sid=1")]
    outcome = await get(consent(look), "/", headers)
    assert lists[0] is outcome.scope["headers"]
    assert lists[0] == headers


async def test_inner_middlewares_see_the_thinned_header() -> None:
    """DESIGN §1: before the app sees it, and before every middleware inside."""
    headers: list[list[bytes]] = []

    class Looks:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            headers.append([value for name, value in scope["headers"] if name == b"cookie"])
            await self.app(scope, receive, send)

    await get(consent(Looks(site())), "/json", {"cookie": "visits=1; sid=2"})
    assert headers == [[b"sid=2"]]
    outcome = await get(consent(Looks(site())), "/json", {"cookie": "visits=1; sid=2"})
    assert outcome.body == b'{"cookies":{"sid":"2"},"header":["sid=2"]}'


@pytest.mark.parametrize(
    "shape",
    [
        tuple,
        one_shot,
        lambda pairs: [[n, v] for n, v in pairs],
        lambda pairs: [[bytearray(n), bytearray(v)] for n, v in pairs],
    ],
)
async def test_a_request_is_read_in_every_shape(shape: Any) -> None:
    """ASGI: the headers of a scope are an iterable of pairs of byte strings."""
    seen: list[list[Any]] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append([(bytes(name), bytes(value)) for name, value in scope["headers"]])
        await says(b"")(scope, receive, send)

    pairs = [(b"host", b"testserver"), (b"cookie", b"visits=1; sid=2"), (b"cookie", b"visits=3")]
    scope = scope_of("/")
    scope["headers"] = shape(pairs)
    outcome = await run(consent(look), scope)
    assert outcome.error is None
    assert seen == [[(b"host", b"testserver"), (b"cookie", b"sid=2")]]


# what is expired


async def test_a_declared_cookie_that_arrives_without_an_answer_is_expired() -> None:
    """DC-07, R-17: hidden from the app, and taken from the browser by the next page."""
    headers = {**NAVIGATION, "cookie": "visits=1; stray=2; sid=3"}
    outcome = await get(consent(says(b"<p>Hello</p>")), "/", headers)
    removals = [c for c in outcome.set_cookies if b"Max-Age=0" in c]
    assert removals
    assert {c.partition(b"=")[0] for c in removals} == {b"visits"}


@pytest.mark.parametrize(
    ("path", "headers", "carries"),
    [
        ("/static/site.css", {}, False),
        ("/json", {"sec-fetch-dest": "empty"}, False),
        ("/json", NAVIGATION, True),
        ("/redirect", NAVIGATION, True),
    ],
)
async def test_removals_ride_only_on_what_nobody_else_gets(
    path: str,
    headers: dict[str, str],
    carries: bool,  # noqa: FBT001
) -> None:
    """R-88: Set-Cookie does not inhibit caching, so a shared asset never carries one of ours."""
    app = consent(site(cookies=()))
    outcome = await get(app, path, {**headers, "cookie": "visits=1"})
    assert bool(outcome.set_cookies) is carries
    assert any(b"private" in value for value in outcome.all(b"cache-control")) is carries


async def test_removals_also_ride_on_private_answers_and_posts() -> None:
    """R-16: wherever the answer belongs to this visitor alone."""
    private = [(b"cache-control", b"private, max-age=60"), (b"content-type", b"application/json")]
    outcome = await get(consent(says(b"{}", headers=private)), "/", {"cookie": "visits=1"})
    assert outcome.set_cookies
    assert outcome.all(b"cache-control") == (b"private, max-age=60",)
    plain = [(b"content-type", b"application/json")]
    app, headers = consent(says(b"{}", headers=plain)), {"cookie": "visits=1"}
    assert (await get(app, "/", headers, method="POST")).set_cookies
    assert (await get(app, "/", headers)).set_cookies == ()


async def test_a_websocket_handshake_carries_no_cache_control() -> None:
    """RFC 9111 §3: a 101 is not stored, so it is told nothing about caches."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["consentkit"].visitor.grant("measurement")
        await send({"type": "websocket.accept"})

    outcome = await connect(consent(app), "/ws")
    assert [c.partition(b"=")[0] for c in outcome.set_cookies] == [b"__Host-consent"]
    assert outcome.all(b"cache-control") == ()


async def test_the_shape_of_the_whole_message_stays() -> None:
    """Extension keys of a start message (trailers, say) are the server's, and pass."""
    start = {"type": "http.response.start", "status": 200, "trailers": True}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({**start, "headers": [(b"set-cookie", b"visits=1")]})
        await send({"type": "http.response.body", "body": b""})
        await send({"type": "http.response.trailers", "headers": []})

    outcome = await get(consent(app), "/")
    assert outcome.start == {**start, "headers": []}
    assert outcome.messages[-1] == {"type": "http.response.trailers", "headers": []}


@pytest.mark.parametrize("content_type", [b"text/html", b"application/json"])
async def test_trailers_store_nothing(content_type: bytes) -> None:
    """RFC 9110 §6.5.1: Set-Cookie has no place in trailers, so none leaves by that door."""
    trailers = [(b"x-sum", b"1"), (b"Set-Cookie", b"visits=1"), (b"set-cookie", b"sid=1")]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "trailers": True}
        await send({**start, "headers": [(b"content-type", content_type)]})
        await send({"type": "http.response.body", "body": b"<body>"})
        await send({"type": "http.response.trailers", "headers": trailers})
        await send({"type": "http.response.trailers"})

    held = await get(consent(app), "/")
    assert [m["headers"] for m in held.messages[2:]] == [[(b"x-sum", b"1")], []]
    bare = await get(consent(app, report_only=True), "/")
    assert bare.messages[2]["headers"] is trailers


async def test_raw_asgi_layers_inside_are_held_too() -> None:
    """A layer that works on messages, not responses, is as much inside as a route."""
    app = consent(SetsCookies(SetsCookies(says(b"")), [b"part-a=1", b"visits=3"]))
    outcome = await get(app, "/")
    assert outcome.set_cookies == (*ALLOWED, b"part-a=1")
