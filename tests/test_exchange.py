"""One request and its response on their way through: pages that are held, changed, left alone."""

from __future__ import annotations

import logging
import re
from itertools import pairwise
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consentkit import Event, Policy
from consentkit.testing import Browser, assert_blocked, assert_removed, assert_sets
from tests.apps import (
    DECLARED,
    NAVIGATION,
    NOW,
    OTHERS,
    PAGE,
    PAGES,
    Outcome,
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

HTML = [(b"content-type", b"text/html; charset=utf-8")]
DAY = 86_400


async def shown(app: ASGIApp, headers: Any = NAVIGATION, **more: Any) -> Outcome:
    """A page as a visitor sees it who types its address."""
    return await get(consent(app), "/", headers, **more)


def took_out(changed: bytes, markup: bytes) -> bytes:
    """The page without the notice: what the author wrote."""
    return changed.replace(markup, b"", 1)


async def notice() -> bytes:
    """The markup that is put in at the address "/"."""
    page = (await shown(says(b"<body>", headers=HTML))).body
    return page.removeprefix(b"<body>")


# streams


@given(st.lists(st.integers(0, len(PAGE)), max_size=6))
async def test_a_page_cut_anywhere_is_the_same_page(cuts: list[int]) -> None:
    """DESIGN §6: a page that streams goes on streaming, and every cut gives the same bytes."""
    places = [0, *sorted(cuts), len(PAGE)]
    chunks = [PAGE[a:b] for a, b in pairwise(places)]
    whole = await shown(says(PAGE, headers=HTML))
    assert (await shown(says(*chunks, headers=HTML))).body == whole.body
    assert took_out(whole.body, await notice()) == PAGE
    assert whole.body != PAGE


async def test_a_page_cut_at_every_byte_is_the_same_page() -> None:
    """DESIGN §6: placeholders and notice together, one byte a time."""
    page = PAGE.replace(b"<p>", b'<div data-consentkit="cookies">x</div><p>')
    app = consent(says(*(page[at : at + 1] for at in range(len(page))), headers=HTML), filled())
    once = consent(says(page, headers=HTML), filled())
    bodies = [(await get(each, "/", NAVIGATION)).body for each in (app, once)]
    assert bodies[0] == bodies[1]
    assert b"<table" in bodies[0]


def filled() -> Policy:
    """The policy with placeholders filled in on one path."""
    return policy(placeholders=["/"])


async def test_what_follows_the_head_streams_on() -> None:
    """DESIGN §8: the first byte does not wait for the last; an app may never finish."""
    outcome = Outcome(scope_of("/", NAVIGATION))

    async def forever(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HTML})
        await send({"type": "http.response.body", "body": b"<title>x</title>", "more_body": True})
        held.append(len(outcome.messages))
        await send({"type": "http.response.body", "body": b"<body><p>one", "more_body": True})
        held.append(len(outcome.messages))
        await send({"type": "http.response.body", "body": b" two", "more_body": True})
        held.append(len(outcome.messages))
        await anyio.sleep_forever()

    async def send(message: Message) -> None:
        outcome.messages.append(message)

    held: list[int] = []
    with anyio.move_on_after(0.05) as moved:
        await consent(forever)(outcome.scope, None, send)  # type: ignore[arg-type]
    assert moved.cancelled_caught
    assert held == [0, 2, 3]
    assert outcome.body.endswith(b"<p>one two")


async def test_what_is_held_goes_out_when_the_app_is_cut_off() -> None:
    """A client that went away cancels the app; what it had sent is still passed on."""
    outcome = Outcome(scope_of("/", NAVIGATION))

    async def forever(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HTML})
        await send({"type": "http.response.body", "body": b"<title>x", "more_body": True})
        await anyio.sleep_forever()

    async def send(message: Message) -> None:
        outcome.messages.append(message)

    with anyio.move_on_after(0.05):
        await consent(forever)(outcome.scope, None, send)  # type: ignore[arg-type]
    assert outcome.body == b"<title>x"
    assert outcome.start["status"] == 200


async def test_an_app_that_sends_nothing_sends_nothing() -> None:
    """What an app does not say is not said for it."""

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    outcome = await shown(silent)
    assert (outcome.messages, outcome.error) == ([], None)


async def test_a_start_without_a_body_still_leaves() -> None:
    """An app that ends too early is the server's to complain about, not ours to swallow."""

    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HTML})

    outcome = await shown(early)
    assert [message["type"] for message in outcome.messages] == ["http.response.start"]
    assert outcome.start["headers"] == HTML


@pytest.mark.parametrize(
    ("chunks", "body"),
    [
        ((b"<title>Half",), b"<title>Half"),
        ((b"<html>", b"<head>", b"<title>"), b"<html><head><title>"),
        ((), b""),
    ],
)
async def test_an_app_that_fails_before_the_place_is_found(
    chunks: tuple[bytes, ...], body: bytes
) -> None:
    """AP-12: what was held goes out as it was, and the app's exception goes on unchanged."""
    failure = RuntimeError("half-way")

    async def fail() -> None:
        raise failure

    bare = await get(says(*chunks, headers=HTML, then=fail), "/", NAVIGATION)
    held = await shown(says(*chunks, headers=HTML, then=fail))
    assert held.error is bare.error is failure
    assert held.body == bare.body == body
    assert held.start["headers"] == HTML  # the page is not changed, so it does not vary
    assert held.messages[-1].get("more_body", False) is bool(chunks)


async def test_an_app_that_fails_after_the_place_is_found() -> None:
    """AP-12: what has left has left, and the exception goes on."""
    failure = RuntimeError("half-way")

    async def fail() -> None:
        raise failure

    held = await shown(says(PAGE, b"<p>more", headers=HTML, then=fail))
    assert held.error is failure
    assert took_out(held.body, await notice()) == PAGE + b"<p>more"


async def test_a_background_task_that_fails_leaves_the_page_whole() -> None:
    """Starlette runs background tasks after the last byte; their failure changes no byte."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await says(PAGE, headers=HTML)(scope, receive, send)
        raise RuntimeError("in the background")

    held = await shown(app)
    assert isinstance(held.error, RuntimeError)
    assert took_out(held.body, await notice()) == PAGE
    assert held.messages[-1].get("more_body", False) is False


@pytest.mark.parametrize("kind", ["http.response.pathsend", "http.response.zerocopysend"])
async def test_a_file_sent_while_a_page_is_held_follows_its_start(kind: str) -> None:
    """ASGI extensions: a file is not read by us, so the page goes out as it is."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HTML})
        await send({"type": kind, "path": "/page.html"})

    outcome = await shown(app)
    assert [message["type"] for message in outcome.messages] == ["http.response.start", kind]
    assert outcome.start["headers"] == HTML


async def test_a_file_sent_for_a_page_with_placeholders_follows_its_start() -> None:
    """The same where only placeholders were to be filled: what we never see is not filled."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HTML})
        await send({"type": "http.response.pathsend", "path": "/page.html"})

    rules = nothing_to_ask().model_copy(update={"placeholders": ("/",)})
    outcome = await get(consent(app, rules), "/", NAVIGATION)
    assert outcome.error is None
    kinds = [message["type"] for message in outcome.messages]
    assert kinds == ["http.response.start", "http.response.pathsend"]


async def test_files_are_not_offered_to_pages_and_are_to_everything_else() -> None:
    """DESIGN §6: pathsend is withdrawn from the extensions for page requests only."""
    offers = {"http.response.pathsend": {}, "tls": {"a": 1}, "http.response.zerocopysend": {}}
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["extensions"])
        await says(b"")(scope, receive, send)

    await shown(app, extensions=offers)
    await shown(app, {"sec-fetch-dest": "image"}, extensions=offers)
    await shown(app, extensions={})
    assert seen == [{"tls": {"a": 1}}, offers, {}]
    assert seen[1] is offers


@pytest.mark.parametrize("chunks", [(PAGE,), (PAGE[:20], PAGE[20:])])
async def test_other_messages_pass_between_chunks(chunks: tuple[bytes, ...]) -> None:
    """ASGI extensions: a debug or trailers message is none of ours, and keeps its place."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HTML})
        await send({"type": "http.response.debug", "info": {}})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})

    outcome = await shown(app)
    assert {"type": "http.response.debug", "info": {}} in outcome.messages
    assert took_out(outcome.body, await notice()) == PAGE


# HTTP truth


@pytest.mark.parametrize("path", PAGES)
async def test_head_answers_the_headers_of_get(path: str) -> None:
    """RFC 9110 §9.3.2, R-87: the same fields, but for the length nobody has counted."""
    app = consent(site())
    page = await get(app, path, NAVIGATION)
    head = await get(app, path, NAVIGATION, method="HEAD")
    assert head.start["status"] == page.start["status"]

    def fields(outcome: Outcome) -> list[tuple[bytes, bytes]]:
        return sorted(h for h in outcome.start["headers"] if h[0] != b"content-length")

    assert fields(head) == fields(page)
    assert head.all(b"vary") == page.all(b"vary")
    assert head.all(b"content-length") in ((), page.all(b"content-length"))


async def test_content_length_is_that_of_the_page_that_leaves() -> None:
    """R-86: a page that grew says so; one that streams says nothing, before and after."""
    bare = await get(site(), "/page", NAVIGATION)
    held = await get(consent(site()), "/page", NAVIGATION)
    assert bare.all(b"content-length") == (b"%d" % len(bare.body),)
    assert held.all(b"content-length") == (b"%d" % len(held.body),)
    assert len(held.body) > len(bare.body)
    assert (await get(consent(site()), "/stream", NAVIGATION)).all(b"content-length") == ()


VALIDATORS = [
    (b"etag", b'"1"'),
    (b"last-modified", b"Sat, 01 Nov 2025 00:00:00 GMT"),
    (b"content-md5", b"x"),
    (b"digest", b"x"),
    (b"content-digest", b"x"),
    (b"repr-digest", b"x"),
    (b"accept-ranges", b"bytes"),
]


async def test_validators_are_gone_from_changed_pages_and_no_others() -> None:
    """R-86, R-89: the ETag is that of this visitor's page; what was of the old one is gone."""
    changed = await shown(says(PAGE, headers=[*HTML, *VALIDATORS]))
    (etag,) = changed.all(b"etag")
    assert etag.startswith(b'"1-ck.')
    others = [name for name, _ in VALIDATORS if name != b"etag"]
    assert [changed.all(name) for name in others] == [()] * len(others)
    known = [*HTML, *(each for each in VALIDATORS if each[0] != b"content-length")]
    known.append((b"content-length", b"10"))
    nowhere = await shown(says(b"<frameset>", headers=known))
    assert without_etag(nowhere.start["headers"]) == without_etag(known)
    assert nowhere.body == b"<frameset>"


def without_etag(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Every other header; a page's ETag always says under which policy it left."""
    return [header for header in headers if header[0] != b"etag"]


def revalidating(etag: bytes = b'"1"') -> ASGIApp:
    """A page that is confirmed by its ETag, as StaticFiles and FileResponse do it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        known = dict(scope["headers"]).get(b"if-none-match", b"")
        headers = [*HTML, (b"etag", etag)]
        if etag in known.split(b", ") or known == b"*":
            await send({"type": "http.response.start", "status": 304, "headers": headers[1:]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await says(PAGE, headers=headers)(scope, receive, send)

    return app


async def test_the_same_visitor_gets_a_304_and_no_other_does() -> None:
    """R-89, RFC 9110 §13: a variant confirms itself, before and after an answer."""
    browser = Browser(consent(revalidating()))
    first = await browser.visit("/")
    tag = first.header("etag") or ""
    again = await browser.visit("/", if_none_match=tag)
    assert (again.status, again.body) == (304, b"")
    assert again.header("etag") == tag
    assert again.header("vary") == first.header("vary")
    assert again.header("cache-control") == first.header("cache-control")
    for foreign in ('"1"', "*", '"1-ck.000000000000"', 'W/"1"'):
        assert (await browser.visit("/", if_none_match=foreign)).status == 200
    await browser.submit("/consent", choice="reject-all")
    after = await browser.visit("/", if_none_match=tag)
    assert after.status == 200
    assert after.header("etag") not in (tag, None)
    assert (await browser.visit("/", if_none_match=after.header("etag") or "")).status == 304


async def test_a_script_asks_about_the_variant_too() -> None:
    """R-89: whoever sends back the ETag of a page is understood, navigation or not."""
    browser = Browser(consent(revalidating()))
    tag = (await browser.fetch("/")).header("etag") or ""
    assert tag.startswith('"1-ck.')
    assert (await browser.fetch("/", if_none_match=tag)).status == 304
    assert (await browser.fetch("/", if_none_match='"1"')).status == 304  # of the app's own
    assert (await browser.fetch("/", if_none_match='"1-ck.000000000000"')).status == 200


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
async def test_a_lost_update_is_still_prevented(accept: str) -> None:
    """RFC 9110 §13.1.1: an unsafe request's If-Match reaches the app as the app's own ETag."""
    seen: list[dict[bytes, bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(dict(scope["headers"]))
        await says(b"")(scope, receive, send)

    condition = {
        "if-match": '"1-ck.000000000000", "2"',
        "if-range": '"1-ck.00"',
        "range": "bytes=1-",
    }
    headers = {"accept": accept, **condition}
    await get(consent(app), "/", headers, method="PUT")
    assert seen[0][b"if-match"] == b'"1", "2"'
    assert not seen[0].keys() & {b"if-range", b"range"}


CONDITIONAL = {"if-none-match": '"1"', "if-modified-since": "x", "range": "bytes=0-5"}


async def test_conditions_are_taken_off_navigations_only() -> None:
    """R-89: a page under another consent state is sent whole; an asset may be 304 and 206."""
    seen: list[set[bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append({name for name, _ in scope["headers"]})
        await says(b"")(scope, receive, send)

    conditions = {name.encode() for name in CONDITIONAL}
    for dest in ("document", "image"):
        headers = {**NAVIGATION, **CONDITIONAL, "accept-encoding": "gzip", "sec-fetch-dest": dest}
        await shown(app, headers)
    assert seen[0].isdisjoint({*conditions, b"accept-encoding"})
    assert seen[0] >= {b"host", b"user-agent"}
    assert seen[1] >= {*conditions, b"accept-encoding"}


async def test_where_nothing_is_asked_a_page_is_confirmed_for_everybody() -> None:
    """R-88, R-89: one variant for all, shared as before; a copy from before it is another."""
    app = consent(revalidating(), nothing_to_ask())
    one, other = Browser(app), Browser(app)
    tag = (await one.visit("/")).header("etag") or ""
    again = await other.visit("/", if_none_match=tag)
    assert again.status == 304
    assert again.header("vary") is again.header("cache-control") is None
    assert (await other.visit("/", if_none_match='"1"')).status == 200


def nothing_to_ask() -> Policy:
    """A policy whose every purpose is strictly necessary."""
    return policy(
        purposes={"necessary": DECLARED["purposes"]["necessary"]},
        cookies={"sid": DECLARED["cookies"]["sid"]},
    )


async def test_where_nothing_is_asked_pages_stay_as_they_are() -> None:
    """AC-01, DC-12: no notice, no Vary, the very same messages."""
    sent = await get(says(PAGE, headers=HTML), "/", NAVIGATION)
    kept = await get(consent(says(PAGE, headers=HTML), nothing_to_ask()), "/", NAVIGATION)
    assert kept.messages == sent.messages
    assert (await shown(says(PAGE, headers=HTML))).messages != sent.messages


async def test_the_very_message_passes_where_nothing_is_to_be_done() -> None:
    """R-88, DESIGN §8: JSON of an app that does not differ stays shared-cacheable, uncopied."""
    sent: list[Message] = [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json"), (b"cache-control", b"public")],
        },
        {"type": "http.response.body", "body": b"{}"},
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in sent:
            await send(message)

    for headers in ({}, NAVIGATION, {"cookie": "sid=1"}, {"sec-gpc": "1"}):
        outcome = await get(consent(app), "/", headers)
        assert all(a is b for a, b in zip(outcome.messages, sent, strict=True))


@pytest.mark.parametrize("path", PAGES)
async def test_pages_say_that_they_depend_on_the_visitor(path: str) -> None:
    """R-88: Vary and private on every page the notice may stand in."""
    held = await get(consent(site(cookies=())), path, NAVIGATION)
    assert held.all(b"vary") == (b"Cookie, Sec-GPC",)
    assert held.all(b"cache-control") == (b"private, no-cache",)
    assert held.body.count(b"<form") == 1


LEFT_ALONE = [path for path in OTHERS if path != "/status/200"]  # that one is an empty page


@pytest.mark.parametrize("path", LEFT_ALONE)
async def test_what_is_no_page_is_left_byte_identical(path: str) -> None:
    """R-87, R-88: 204, 206, 304, no-transform, attachments, encoded bodies, JSON, assets."""
    bare = await get(site(cookies=()), path, NAVIGATION)
    held = await get(consent(site(cookies=())), path, NAVIGATION)
    assert held.messages == bare.messages


FRAGMENTS = [
    {"hx-request": "true"},
    {"turbo-frame": "menu"},
    {"x-requested-with": "XMLHttpRequest"},
    {"sec-fetch-dest": "empty"},
    {"sec-fetch-dest": "iframe"},
    {"sec-fetch-dest": "object"},
]


@pytest.mark.parametrize("mark", FRAGMENTS)
async def test_fragments_and_frames_are_left_byte_identical(mark: dict[str, str]) -> None:
    """R-87, U-12: a piece of a page, or a page in a frame, is no place for a banner.

    Only Vary is added: a cache that keeps it must not show it in a tab, without its notice.
    """
    length = (b"content-length", b"%d" % len(PAGE))
    app = says(PAGE, headers=[*HTML, length])
    bare = await get(app, "/", {**NAVIGATION, **mark})
    held = await shown(app, {**NAVIGATION, **mark})
    start, *rest = held.messages
    *others, (name, vary) = start["headers"]
    assert {**start, "headers": others} == bare.messages[0]
    assert rest == bare.messages[1:]
    assert name == b"vary"
    assert set(vary.lower().split(b", ")) == {
        b"sec-fetch-dest",
        *(each.encode() for each in mark if not each.startswith("sec-")),
    }
    assert (await shown(says(PAGE, headers=HTML))).messages != bare.messages


@pytest.mark.parametrize("headers", [{}, {"hx-request": "true", "hx-boosted": "true"}])
async def test_whole_pages_of_older_browsers_and_boosted_links_are_changed(
    headers: dict[str, str],
) -> None:
    """The control: without Fetch Metadata, or when htmx swaps the whole body, it is a page."""
    held = await shown(says(PAGE, headers=HTML), headers)
    assert held.body.count(b"<form") == 1


async def test_an_encoded_page_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """DESIGN §6: left alone with a warning; the cure is to compress outside."""
    app = consent(site())
    for _ in range(2):
        outcome = await get(app, "/encoded", NAVIGATION)
        assert outcome.body == b"\x1f\x8b"
    told = [r for r in caplog.records if r.name == "consentkit.middleware"]
    assert [(r.levelno, r.getMessage()[:37]) for r in told] == [
        (logging.WARNING, "'/encoded' is answered encoded ('gzip")
    ]
    caplog.clear()
    await get(consent(site()), "/encoded", {"sec-fetch-dest": "empty"})
    assert not [r for r in caplog.records if r.name == "consentkit.middleware"]


async def test_a_websocket_refused_with_a_page_gets_no_notice() -> None:
    """No tab shows the body of a refused handshake."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.http.response.start", "status": 403, "headers": HTML})
        await send({"type": "websocket.http.response.body", "body": PAGE})

    outcome = await connect(consent(app), "/ws", NAVIGATION)
    assert outcome.body == PAGE
    assert outcome.start["headers"] == HTML


async def test_an_answered_page_with_a_link_of_its_own_is_only_marked() -> None:
    """R-15: `settings-link: manual`: nothing is put in, but who has not answered is asked."""
    app = consent(says(PAGE, headers=[*HTML, VALIDATORS[0]]), policy(**{"settings-link": "manual"}))
    browser = Browser(app)
    assert "<form" in (await browser.visit("/")).text
    await browser.submit("/consent", choice="reject-all")
    page = await browser.follow("/")
    assert "<button" not in page.text
    assert page.text.count("<section") == page.text.count(" hidden>") == 1  # the script's own place
    assert page.header("vary") == "Cookie, Sec-GPC"
    assert (page.header("etag") or "").startswith('"1-ck.')


# placeholders


async def test_pages_without_placeholders_are_untouched_where_nobody_is_asked() -> None:
    """R-88: nothing in them depends on the visitor, so nothing says it does."""
    rules = nothing_to_ask().model_copy(update={"placeholders": ("/cookies",)})
    app = says(b'<body><div data-consentkit="cookies"></div>', headers=HTML)
    bare, held = await get(app, "/", NAVIGATION), await get(consent(app, rules), "/", NAVIGATION)
    assert held.messages == bare.messages
    listed = await get(consent(app, rules), "/cookies", NAVIGATION)
    assert listed.messages != bare.messages


async def test_placeholders_are_filled_on_the_listed_paths_only() -> None:
    """DESIGN §5: cookies, preferences, settings-link; an unknown word stays empty."""
    markup = b"".join(
        b'<div data-consentkit="%b">-</div>' % word
        for word in (b"cookies", b"preferences", b"settings-link", b"else")
    )
    app = consent(says(b"<body>" + markup, headers=HTML), policy(placeholders=["/cookies"]))
    listed = await get(app, "/cookies", NAVIGATION)
    assert listed.body.count(b"<table") >= 1
    assert b"visits" in listed.body
    assert b'<div data-consentkit="else">-</div>' in listed.body
    assert b'name="next" value="/cookies"' in listed.body
    assert b'<div data-consentkit="settings-link"><a' in listed.body
    other = await get(app, "/other", NAVIGATION)
    assert took_out(other.body, (await notice()).replace(b'value="/"', b'value="/other"')) == (
        b"<body>" + markup
    )
    star = consent(app.app, policy(placeholders=["*"]))
    assert b"<table" in (await get(star, "/anything", NAVIGATION)).body
    prefixed = await run(app, scope_of("/shop/cookies", NAVIGATION, root_path="/shop"))
    assert b"<table" in prefixed.body


async def test_placeholders_are_filled_where_nothing_is_asked() -> None:
    """R-74: the declaration lists strictly necessary cookies too, and needs no banner."""
    page = b'<body><div data-consentkit="cookies"></div>'
    asked: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(dict(scope))
        await says(page, headers=[*HTML, VALIDATORS[0]])(scope, receive, send)

    rules = nothing_to_ask().model_copy(update={"placeholders": ("/",)})
    offers: Scope = {"http.response.pathsend": {}}
    headers = {**NAVIGATION, **CONDITIONAL, "accept-encoding": "gzip"}
    outcome = await get(consent(app, rules), "/", headers, extensions=offers)
    assert b"<table" in outcome.body
    assert b"<form" not in outcome.body
    assert outcome.all(b"etag")[0].startswith(b'"1-ck.')
    assert outcome.all(b"vary") == outcome.all(b"cache-control") == ()  # alike for everyone
    assert not {n for n, _ in asked[0]["headers"]} & {b"accept-encoding", b"if-none-match"}
    assert asked[0]["extensions"] == {}


# the page to come back to


@pytest.mark.parametrize(
    ("more", "back"),
    [
        ({"path": "/a b", "raw_path": b"/a%20b"}, b"/a%20b"),
        ({"path": "/ü<", "raw_path": None}, b"/%C3%BC%3C"),
        ({"path": "/a", "raw_path": b"/a", "query_string": b"x=1&y=2"}, b"/a?x=1&amp;y=2"),
        ({"path": "/" + "a" * 3000, "raw_path": b"/" + b"a" * 3000}, b"/"),
    ],
)
async def test_the_notice_leads_back_to_the_page(more: dict[str, Any], back: bytes) -> None:
    """DC-18: an answer leads back to where it was given, however the address is written."""
    scope = {**scope_of("/", NAVIGATION), **more}
    outcome = await run(consent(says(PAGE, headers=HTML)), scope)
    assert b'name="next" value="%b"' % back in outcome.body


# occasions


POLL = {
    "PollTimeout-{id}": {
        "kind": "poll-timeout",
        "purpose": "measurement",
        "description": "You voted.",
        "duration": DAY,
    }
}


@pytest.mark.parametrize(
    ("method", "headers", "stored"),
    [
        ("POST", {"sec-fetch-site": "same-origin"}, True),
        ("POST", {"origin": "https://trusted.example"}, True),
        ("POST", {"sec-fetch-site": "cross-site"}, False),
        ("POST", {}, False),
        ("GET", {"sec-fetch-site": "same-origin"}, False),
    ],
)
async def test_only_the_vote_sets_the_cookie_of_a_vote(
    method: str,
    headers: dict[str, str],
    stored: bool,  # noqa: FBT001
) -> None:
    """R-27: in the answer to an unsafe request of the site's own page, and nowhere else."""
    app = consent(
        says(b"", headers=[(b"set-cookie", b"PollTimeout-7=done; Max-Age=60")]),
        policy(cookies=POLL),
        trusted_origins=["https://trusted.example"],
    )
    outcome = await get(app, "/vote", {"host": "testserver", **headers}, method=method)
    assert bool(outcome.set_cookies) is stored


@pytest.mark.parametrize("mark", [{"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}])
async def test_a_page_loaded_ahead_stores_nothing_optional(mark: dict[str, str]) -> None:
    """R-90: nobody went there yet; what is strictly necessary passes."""
    app = consent(site())
    browser = Browser(app)
    await browser.submit("/consent", choice="accept-all")
    ahead = await browser.request("GET", "/page", headers={**NAVIGATION, **mark})
    assert_blocked(ahead, "visits")
    assert_sets(ahead, "sid")
    assert_sets(await browser.follow("/page"), "visits")


# taking it back


async def test_the_line_takes_everything_back_with_one_press() -> None:
    """R-13, R-16: as many presses as the yes took, on whatever page the visitor is."""
    browser = Browser(consent(site()), clock=lambda: NOW)
    form = re.compile(r'value="([^"]*)"><button type="submit" name="choice" value="(withdraw)"')
    assert form.findall((await browser.visit("/page?a=1")).text) == []
    await browser.submit("/consent", choice="accept-all", next="/page?a=1")
    page = await browser.follow("/page?a=1")
    assert "visits" in browser.cookies
    assert form.findall(page.text) == [("/page?a=1", "withdraw")]
    answer = await browser.submit("/consent", next="/page?a=1", choice="withdraw")
    assert answer.header("location") == "/page?a=1#consentkit"
    assert_removed(answer, "visits")
    assert form.findall((await browser.follow("/page?a=1")).text) == []


# implied consent


def implied(inner: ASGIApp | None = None, **options: Any) -> Any:
    """A site whose visitors consent by going on."""
    return consent(inner or site(), policy(mode="implied"), **options)


async def status(browser: Browser) -> str:
    """The answer in effect."""
    answer: str = (await browser.fetch("/consent/status")).json()["answers"]["measurement"]
    return answer


async def test_going_on_implies_consent_and_the_next_page_shows_no_question() -> None:
    """R-09: a notice that was shown, then a deliberate navigation on the site."""
    browser = Browser(implied(), clock=lambda: NOW)
    first = await browser.visit("/page")
    assert_blocked(first, "visits")
    assert await status(browser) == "undecided"
    second = await browser.follow("/page")
    assert_sets(second, "visits")
    assert_sets(second, "__Host-consent-seen")
    assert await status(browser) == "implied"
    assert 'value="accept-all"' in first.text
    assert 'value="accept-all"' not in second.text


async def test_no_notice_no_implied_consent() -> None:
    """R-09: only if it really was inserted; a page without a place shows nothing."""
    browser = Browser(implied(says(b"<frameset>", headers=HTML)), clock=lambda: NOW)
    for _ in range(3):
        await browser.follow("/page")
    assert browser.cookies == {}
    assert await status(browser) == "undecided"


@pytest.mark.parametrize("mark", [{"sec-purpose": "prefetch"}, {"sec-fetch-dest": "image"}])
async def test_what_nobody_looks_at_is_no_notice_shown(mark: dict[str, str]) -> None:
    """R-90: a page loaded ahead counts no view."""
    browser = Browser(implied(), clock=lambda: NOW)
    await browser.request("GET", "/page", headers={**NAVIGATION, **mark})
    assert "__Host-consent-seen" not in browser.cookies
    await browser.request("GET", "/page", headers=NAVIGATION)
    assert "__Host-consent-seen" in browser.cookies


async def test_the_redirect_after_a_form_is_no_page_the_visitor_went_to() -> None:
    """DESIGN §3: browsers send ?1 on the page after our own POST; it implies nothing."""
    browser = Browser(implied(), clock=lambda: NOW)
    await browser.visit("/page")
    redirect = await browser.submit("/redirect")
    assert redirect.status == 303
    await browser.follow("/page")
    assert await status(browser) == "undecided"
    await browser.follow("/page")
    assert await status(browser) == "implied"


async def test_the_notice_is_remembered_once_a_period() -> None:
    """The seen token is written when it says something new: not on every page."""
    times = [NOW]
    browser = Browser(implied(clock=lambda: times[-1]), clock=lambda: times[-1])
    assert_sets(await browser.visit("/page"), "__Host-consent-seen")
    again = await browser.visit("/page")
    assert not [c for c in again.set_cookies if b"consent-seen" in c]
    times.append(NOW + 200 * DAY)
    assert_sets(await browser.visit("/page"), "__Host-consent-seen")
    revised = policy(mode="implied", revision=2)
    browser.app = consent(site(), revised, clock=lambda: times[-1])
    assert_sets(await browser.visit("/page"), "__Host-consent-seen")


# the scheme that does not fit


@pytest.mark.parametrize(
    ("secure", "origin", "told"),
    [
        (True, "http://shop.example", "Serve the site over https"),
        (True, "http://localhost:8000", None),
        (True, "http://127.0.0.1", None),
        (True, "https://shop.example", None),
        (False, "https://shop.example", "Pass secure=True"),
        (False, "http://shop.example", None),
    ],
)
async def test_a_scheme_that_does_not_fit_is_told_once(
    secure: bool,  # noqa: FBT001
    origin: str,
    told: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """DESIGN §5: secure is fixed at start-up; a mismatch is logged once, with the cure."""
    app = consent(site(), secure=secure)
    headers = {"origin": origin, "sec-fetch-site": "same-origin"}
    for _ in range(2):
        scope = scope_of("/consent", headers, "POST")
        assert (await run(app, scope, b"choice=reject-all")).start["status"] == 303
    lines = [r.getMessage() for r in caplog.records if r.name == "consentkit.middleware"]
    assert len(lines) == (1 if told else 0)
    assert all(str(told) in line for line in lines)


# events


async def test_events_name_the_cookie_and_never_its_value() -> None:
    """FZ-01: a diagnostic keeps names, and the path without its query."""
    events: list[Event] = []
    headers = [(b"set-cookie", b"visits=secret-value"), (b"set-cookie", b"stray=secret-value")]
    app = consent(says(b"", headers=headers), on_decision=events.append)
    outcome = await get(app, "/", {"cookie": "visits=secret-value"})
    assert outcome.scope["consentkit"].events == tuple(events)
    assert {event.name for event in events} == {"visits", "stray"}
    assert "secret" not in repr(events)
