"""What a response says of itself is true, whatever the app sends and whoever asks (R-86 to R-89).

Every kind of response is asked for by several visitors and several kinds of client, with and
without conditions, and beside each stands what the app says without the middleware. What is a
page, and where in it the notice goes, is tested in tests/test_pages.py and tests/wire.
"""

from __future__ import annotations

import atexit
import gzip
import http.client
import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consentkit.testing import Browser
from tests.apps import (
    CSS,
    NAVIGATION,
    Outcome,
    consent,
    events,
    get,
    policy,
    run,
    says,
    scope_of,
    streams,
)
from tests.browser.servers import Server

pytestmark = pytest.mark.anyio

PAGE: Final = (
    b"<!doctype html><html lang=xx><head><title>A page</title></head><body><p>Hello"
    + b" again" * 200  # enough to be worth compressing
    + b"</p></body></html>"
)


@pytest.fixture
def anyio_backend() -> str:
    """What is said here depends on no event loop; trio has the tests of the exchange."""
    return "asyncio"


NOTICE: Final = b'id="consentkit"'
DECLARED: Final = policy(languages=["en", "de"])
IMPLIED: Final = policy(mode="implied", languages=["en", "de"])
HOLED: Final = policy(placeholders=["/holes"])
ASKS_NOTHING: Final = policy(
    purposes={
        "necessary": {
            "title": "Needed",
            "description": "Keeps you logged in.",
            "basis": "strictly-necessary",
            "justification": "authentication",
        }
    },
    cookies={},
)


# A site that knows of conditions, ranges, encodings and digests


@cache
def folder() -> Path:
    made = tempfile.TemporaryDirectory(prefix="consentkit-")
    atexit.register(made.cleanup)
    static = Path(made.name)
    for name in ("index.html", "file.html", "404.html"):
        (static / name).write_bytes(PAGE)
    (static / "site.css").write_text(CSS * 100, "utf-8")
    return static


def tagged(tag: str) -> Any:
    """A page with an ETag that is asked about as RFC 9110 §13 has it."""

    async def endpoint(request: Request) -> Response:
        asked = request.headers.get("if-none-match", "")
        if tag.removeprefix("W/") in asked or asked == "*":
            return Response(status_code=304, headers={"etag": tag})
        if tag not in request.headers.get("if-match", tag):
            return Response(status_code=412)
        return HTMLResponse(PAGE, headers={"etag": tag})

    return endpoint


def answers(body: bytes, media_type: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def endpoint(request: Request) -> Response:
        return Response(body, media_type=media_type, headers=named)

    return endpoint


async def _page(request: Request) -> Response:
    return HTMLResponse(PAGE)


async def _file(request: Request) -> Response:
    return FileResponse(folder() / "file.html")


async def _json(request: Request) -> Response:
    return JSONResponse({"a": list(range(500))}, headers={"etag": '"json"'})


async def _empty(request: Request) -> Response:
    return Response(status_code=204)


async def _part(request: Request) -> Response:
    headers = {"content-range": f"bytes 0-9/{len(PAGE)}", "etag": '"part"'}
    return Response(PAGE[:10], 206, headers, "text/html")


async def _redirect(request: Request) -> Response:
    return RedirectResponse("/page", 302)


async def _linked(request: Request) -> Response:
    return Response(b'<!doctype html><a href="/page">here</a>', 302, {"location": "/"}, "text/html")


HOLES: Final = b"<!doctype html><body><div data-consentkit=preferences></div></body>"
SUMS: Final = {
    "content_digest": "sha-256=:1:",
    "repr_digest": "sha-256=:1:",
    "digest": "sha-256=1",
    "content_md5": "1",
    "accept_ranges": "bytes",
    "etag": '"sums"',
}


@cache
def site() -> Starlette:
    return Starlette(
        routes=[
            Route("/page", _page),
            Route("/stream", streams(PAGE, 100)),
            Route("/file", _file),
            Route("/strong", tagged('"strong"')),
            Route("/weak", tagged('W/"weak"')),
            Route("/sums", answers(PAGE, "text/html", **SUMS)),
            Route("/holes", answers(HOLES, "text/html")),
            Route("/public", answers(PAGE, "text/html", cache_control="public, max-age=9")),
            Route("/events", events),
            Route("/json", _json),
            Route("/data", answers(PAGE, "application/octet-stream", **SUMS)),
            Route("/empty", _empty),
            Route("/part", _part),
            Route("/redirect", _redirect),
            Route("/linked", _linked),
            Route("/kept", answers(PAGE, "text/html", cache_control="no-transform", **SUMS)),
            Route("/saved", answers(PAGE, "text/html", content_disposition="attachment", **SUMS)),
            Route("/packed", answers(gzip.compress(PAGE), "text/html", content_encoding="gzip")),
            Mount("/static", StaticFiles(directory=folder(), html=True)),
        ]
    )


CONDITIONAL = ("/static/", "/static/file.html", "/strong", "/weak")
PAGES = (*CONDITIONAL, "/file", "/page", "/stream", "/sums", "/public", "/static/gone")
OTHERS = (
    "/events",
    "/json",
    "/data",
    "/empty",
    "/redirect",
    "/static/site.css",
)
UNTOUCHED = ("/part", "/linked", "/kept", "/saved", "/packed")


# Who asks, and by what

CLIENTS: dict[str, dict[str, str]] = {
    "a browser": NAVIGATION,
    "an older browser": {"host": "testserver", "accept": "text/html", "user-agent": "Mozilla/5.0"},
    "a tool": {"host": "testserver", "accept": "*/*", "user-agent": "a tool"},
}
FETCH = {**NAVIGATION, "accept": "*/*", "sec-fetch-dest": "empty", "sec-fetch-mode": "cors"}
PARTS: dict[str, dict[str, str]] = {
    "a script": FETCH,
    "a frame": {**NAVIGATION, "sec-fetch-dest": "iframe"},
    "htmx": {**FETCH, "accept": "text/html", "hx-request": "true"},
}
STATES = ("new", "german", "refused", "granted", "granted, german", "signals")


async def visitor(app: ASGIApp, state: str) -> dict[str, str]:
    """The headers by which a visitor is told from others."""
    choice = {"refused": "reject-all", "granted": "accept-all"}.get(state.partition(",")[0])
    told = {"accept-language": "de"} if "german" in state else {}
    if state == "signals":
        told["sec-gpc"] = "1"
    if choice is None:
        return told
    browser = Browser(app)
    await browser.submit("/consent", choice=choice)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return {**told, "cookie": cookies}


async def visitors(app: ASGIApp) -> dict[str, dict[str, str]]:
    return {state: await visitor(app, state) for state in STATES}


def said(outcome: Outcome, *without: bytes) -> list[tuple[bytes, bytes]]:
    """The headers, names in lower case, sorted, but for some."""
    headers = ((bytes(n).lower(), bytes(v)) for n, v in outcome.start.get("headers") or ())
    return sorted(header for header in headers if header[0] not in without)


def one(outcome: Outcome, name: bytes) -> str | None:
    values = outcome.all(name)
    assert len(values) <= 1
    return values[0].decode() if values else None


def status(outcome: Outcome) -> int:
    code: int = outcome.start["status"]
    return code


ARRANGEMENTS: Final[Mapping[str, Callable[[ASGIApp, Any], ASGIApp]]] = {
    "alone": consent,
    "gzip inside": lambda app, rules: consent(GZipMiddleware(app), rules),
    "gzip outside": lambda app, rules: GZipMiddleware(consent(app, rules)),
}


@pytest.fixture(params=ARRANGEMENTS)
def arranged(request: pytest.FixtureRequest) -> ASGIApp:
    app: ASGIApp = ARRANGEMENTS[request.param](site(), DECLARED)
    return app


PACKING = {"accept-encoding": "gzip"}


# What a response says of its own body


@pytest.mark.parametrize("path", [*PAGES, *OTHERS, *UNTOUCHED])
async def test_the_length_is_the_bodys(arranged: ASGIApp, path: str) -> None:
    """R-86: whoever asks, with or without a coding, Content-Length counts the bytes that follow."""
    for client, who in itertools.product(CLIENTS.values(), (await visitors(arranged)).values()):
        for packing in ({}, PACKING):
            outcome = await get(arranged, path, {**client, **who, **packing})
            length = one(outcome, b"content-length")
            assert length in (None, str(len(outcome.body)))
            encoding = one(outcome, b"content-encoding")
            plain = gzip.decompress(outcome.body) if encoding == "gzip" else outcome.body
            assert (NOTICE in plain) <= (path in PAGES)


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_a_page(path: str) -> None:
    """The control of this file: each of these gets the notice, in each kind of client."""
    for client in CLIENTS.values():
        outcome = await get(consent(site(), DECLARED), path, client)
        assert outcome.body.count(NOTICE) == 1
        bare = await get(site(), path, client)
        assert bare.body == PAGE
        assert len(outcome.body) > len(bare.body)


@pytest.mark.parametrize("path", [*PAGES, *OTHERS, *UNTOUCHED])
async def test_head_says_what_get_says(path: str) -> None:
    """RFC 9110 §9.3.2: all that GET says, but for a length that is known only with the content."""
    app = consent(site(), DECLARED)
    for client, who in itertools.product(CLIENTS.values(), (await visitors(app)).values()):
        got = await get(app, path, {**client, **who})
        head = await get(app, path, {**client, **who}, method="HEAD")
        assert status(head) == status(got)
        assert said(head, b"content-length") == said(got, b"content-length")
        assert one(head, b"content-length") in (None, one(got, b"content-length"))


@pytest.mark.parametrize("path", PAGES)
async def test_head_promises_no_other_length_outside(path: str) -> None:
    """RFC 9110 §8.6: apps send a body to HEAD too, and a layer outside may count it."""
    app = GZipMiddleware(consent(site(), DECLARED))
    got = await get(app, path, {**NAVIGATION, **PACKING})
    head = await get(app, path, {**NAVIGATION, **PACKING}, method="HEAD")
    assert one(head, b"content-length") in (None, one(got, b"content-length"))


async def test_head_of_what_is_unchanged_keeps_its_length() -> None:
    """The control: where nothing is inserted the app's own length stands."""
    for path in ("/json", "/static/site.css", "/kept"):
        app = consent(site(), DECLARED)
        head = await get(app, path, NAVIGATION, method="HEAD")
        assert one(head, b"content-length") == one(await get(site(), path), b"content-length")
        assert one(head, b"content-length")


async def test_a_changed_page_makes_no_claim_of_the_original() -> None:
    """R-86, RFC 9530: sums are of other bytes, and ranges of it cannot be served."""
    bare = said(await get(site(), "/sums", NAVIGATION))
    held = await get(consent(site(), DECLARED), "/sums", NAVIGATION)
    names = {name.replace("_", "-").encode() for name in SUMS}
    assert names <= dict(bare).keys()  # the control
    assert names & dict(said(held)).keys() <= {b"etag"}
    assert one(held, b"etag") != '"sums"'


# Conditions


LATER: Final = {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}


def conditions(outcome: Outcome) -> Iterator[dict[str, str]]:
    """Every question by which a browser may ask whether what it has is still the same."""
    tag, date = one(outcome, b"etag"), one(outcome, b"last-modified")
    if tag is not None:
        opaque = tag.removeprefix("W/")
        for listed in (tag, opaque, f"W/{opaque}", f'"other", {tag}'):
            yield {"if-none-match": listed}
    if date is not None:
        yield {"if-modified-since": date}
        if tag is not None:
            yield {"if-none-match": tag, "if-modified-since": date}
    yield {"if-none-match": '"other"'}


@pytest.mark.parametrize("path", CONDITIONAL)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("rules", [DECLARED, IMPLIED], ids=["explicit", "implied"])
@pytest.mark.uncounted
async def test_nobody_is_told_that_another_visitors_page_is_still_theirs(
    path: str, method: str, rules: Any
) -> None:
    """R-89: a 304 means that the page the browser has is the page it would get now."""
    app = consent(site(), rules)
    people = await visitors(app)
    for client in CLIENTS.values():
        pages = {s: await get(app, path, {**client, **who}) for s, who in people.items()}
        by_date = [LATER] if "text/html" in client["accept"] else []  # see the test after this one
        for had, now in itertools.product(STATES, STATES):
            for question in (*conditions(pages[had]), *by_date):
                asked = {**client, **people[now], **question}
                outcome = await get(app, path, asked, method=method)
                if status(outcome) == 304:
                    assert pages[had].body == pages[now].body, (client, had, now, question)
                    assert outcome.body == b""
                else:
                    assert status(outcome) == 200


@pytest.mark.parametrize("path", CONDITIONAL)
async def test_the_app_itself_confirms_its_pages(path: str) -> None:
    """The control: without the middleware each of these is confirmed by its validator."""
    first = await get(site(), path, NAVIGATION)
    again = await get(site(), path, {**NAVIGATION, "if-none-match": str(one(first, b"etag"))})
    assert status(again) == 304


async def test_a_page_gives_no_date_to_ask_by() -> None:
    """R-89: the date of a file is not the date of the page, which is new with every answer.

    A client that neither says what it fetches for nor that it wants HTML keeps its conditions:
    scripts of older browsers look so, and their assets stay confirmed. It has no date of a page.
    """
    app = consent(site(), DECLARED)
    for path, client in itertools.product(("/static/", "/file"), CLIENTS.values()):
        bare, held = await get(site(), path, client), await get(app, path, client)
        assert one(bare, b"last-modified")  # the control
        assert one(held, b"last-modified") is None
    for client in (CLIENTS["a browser"], CLIENTS["an older browser"]):
        assert NOTICE in (await get(app, "/static/", {**client, **LATER})).body
    assert status(await get(app, "/static/site.css", {**CLIENTS["a tool"], **LATER})) == 304


@pytest.mark.parametrize("path", CONDITIONAL)
@pytest.mark.parametrize("client", ["a browser", "an older browser"])
async def test_a_visitor_whose_page_is_the_same_is_told_so(path: str, client: str) -> None:
    """R-86, R-89: a changed page has a validator of its own, and it is honoured."""
    app = consent(site(), DECLARED)
    for state in STATES:
        headers = {**CLIENTS[client], **await visitor(app, state)}
        tag = one(await get(app, path, headers), b"etag")
        assert tag is not None
        for method, listed in itertools.product(("GET", "HEAD"), (tag, f'"other", {tag}')):
            again = await get(app, path, {**headers, "if-none-match": listed}, method=method)
            assert (status(again), again.body) == (304, b""), state


@pytest.mark.parametrize("path", CONDITIONAL)
async def test_a_304_says_of_the_page_what_200_would(path: str) -> None:
    """RFC 9110 §15.4.5: ETag, Vary and Cache-Control go with it, for whoever keeps the page."""
    app = consent(site(), DECLARED)
    first = await get(app, path, NAVIGATION)
    again = await get(app, path, {**NAVIGATION, "if-none-match": str(one(first, b"etag"))})
    assert status(again) == 304
    for name in (b"etag", b"vary", b"cache-control"):
        assert one(again, name) == one(first, name)


@pytest.mark.parametrize("path", CONDITIONAL)
async def test_a_validator_tells_its_variant(path: str) -> None:
    """RFC 9110 §8.8.3: one ETag never stands for two bodies, whoever asks and for what."""
    app = consent(site(), DECLARED)
    people = await visitors(app)
    clients = (*CLIENTS.values(), *PARTS.values())
    bodies: dict[str, bytes] = {}
    for client, who in itertools.product(clients, people.values()):
        outcome = await get(app, path, {**client, **who})
        tag = one(outcome, b"etag")
        if tag is not None:
            assert bodies.setdefault(tag, outcome.body) == outcome.body
    assert len(set(bodies.values())) > 3  # the control: there are several pages to tell apart


@pytest.mark.parametrize("path", CONDITIONAL)
async def test_another_policy_is_another_page(path: str) -> None:
    """R-89: what the notice says is a part of the page; a new text is not the old one."""
    old = consent(site(), DECLARED)
    first = await get(old, path, NAVIGATION)
    tag = one(first, b"etag") or '"none"'
    asked = {**NAVIGATION, "if-none-match": tag}
    words = {"title": "Surveys", "description": "Asks questions."}
    new = policy(
        languages=["en", "de"],
        purposes={**DECLARED.model_dump(exclude_unset=True)["purposes"], "surveys": words},
    )
    outcome = await get(consent(site(), new), path, asked)
    assert status(outcome) == 200
    assert b"Surveys" in outcome.body
    removed = await get(site(), path, asked)  # the site takes the middleware off again
    assert (status(removed), removed.body) == (200, PAGE)


@pytest.mark.parametrize("path", CONDITIONAL)
@pytest.mark.parametrize("part", PARTS)
async def test_what_has_no_notice_does_not_confirm_a_page(path: str, part: str) -> None:
    """R-89: a script, a frame or htmx gets the author's page; the tab after it gets the notice.

    A cache may ask by the ETags of all that it keeps under an address (RFC 9111 §4.3.1).
    """
    app = consent(site(), DECLARED)
    fetched = await get(app, path, PARTS[part])
    assert fetched.body == PAGE
    for question in conditions(fetched):
        assert NOTICE in (await get(app, path, {**NAVIGATION, **question})).body
    for question in conditions(await get(app, path, NAVIGATION)):
        again = await get(app, path, {**PARTS[part], **question})
        assert (status(again), again.body) == (200, PAGE)


async def test_a_filled_place_is_a_part_of_the_page() -> None:
    """R-89: the preferences in a page show the answers, so an answer makes another page."""

    async def holes(scope: Scope, receive: Receive, send: Send) -> None:
        asked = dict(scope["headers"]).get(b"if-none-match", b"")
        headers = [(b"content-type", b"text/html"), (b"etag", b'"holes"')]
        code = 304 if b'"holes"' in asked else 200
        await says(HOLES, headers=headers, status=code)(scope, receive, send)

    app = consent(holes, HOLED)
    assert status(await get(holes, "/holes", {"if-none-match": '"holes"'})) == 304  # the control
    people = {state: await visitor(app, state) for state in ("new", "refused", "granted")}
    pages = {s: await get(app, "/holes", {**NAVIGATION, **who}) for s, who in people.items()}
    assert len({page.body for page in pages.values()}) == 3
    for had, now in itertools.permutations(people, 2):
        question = {"if-none-match": one(pages[had], b"etag") or '"holes"'}
        outcome = await get(app, "/holes", {**NAVIGATION, **people[now], **question})
        assert (status(outcome), outcome.body) == (200, pages[now].body)


@pytest.mark.parametrize("path", ["/static/file.html", "/file"])
async def test_no_part_of_a_page_continues_another(path: str) -> None:
    """RFC 9110 §13.1.5, §14.2: bytes of the app's file never follow those of a changed page."""
    app = consent(site(), DECLARED)
    bare = await get(site(), path, {**NAVIGATION, "range": "bytes=5-9"})
    assert (status(bare), bare.body) == (206, PAGE[5:10])  # the control
    shown = await get(app, path, NAVIGATION)
    tag = one(shown, b"etag") or '"none"'
    for client, limits in itertools.product(
        CLIENTS.values(), ({"if-range": tag}, {"if-range": tag.removeprefix("W/")})
    ):
        asked = {**client, "range": "bytes=5-9", **limits}
        outcome = await get(app, path, asked)
        assert (status(outcome), NOTICE in outcome.body) == (200, True)
    outcome = await get(app, path, {**NAVIGATION, "range": "bytes=5-9"})
    assert (status(outcome), NOTICE in outcome.body) == (200, True)


async def test_a_lost_update_is_still_guarded() -> None:
    """RFC 9110 §13.1.1: If-Match of an unsafe request is about the resource, and is the app's."""
    stored: list[bytes | None] = []

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        asked = dict(scope["headers"]).get(b"if-match")
        stored.append(asked)
        fits = asked in (None, b"*") or b'"now"' in (asked or b"")
        headers = [(b"content-type", b"text/html"), (b"etag", b'"now"')]
        await says(PAGE, headers=headers, status=200 if fits else 412)(scope, receive, send)

    app = consent(page, DECLARED)
    tag = one(await get(app, "/", NAVIGATION), b"etag")
    assert tag is not None
    for listed, code in ((tag, 200), ('"before"', 412), (f'"before", {tag}', 200), ("*", 200)):
        headers = {**NAVIGATION, "sec-fetch-site": "same-origin", "if-match": listed}
        for method in ("PUT", "POST"):
            assert status(await get(app, "/", headers, method=method)) == code
    assert {b'"before"', b"*"} <= set(stored)  # what is not ours reaches the app as it is


@pytest.mark.parametrize("path", ["/strong", "/weak"])
async def test_a_precondition_on_reading_is_about_what_was_read(path: str) -> None:
    """RFC 9110 §13.1.1: If-Match with the tag of this very page holds."""
    app = consent(site(), DECLARED)
    tag = one(await get(app, path, NAVIGATION), b"etag") or "*"
    outcome = await get(app, path, {**NAVIGATION, "if-match": tag})
    assert (status(outcome), NOTICE in outcome.body) == (200, True)


# For whom a response is


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_that_depends_on_the_visitor_says_so(path: str) -> None:
    """R-88: Vary names what it depends on; it is private, and asked for again each time."""
    app = consent(site(), DECLARED)
    for client, who in itertools.product(CLIENTS.values(), (await visitors(app)).values()):
        outcome = await get(app, path, {**client, **who})
        vary = {name.strip() for name in str(one(outcome, b"vary")).split(",")}
        assert {"Cookie", "Sec-GPC", "Accept-Language"} <= vary
        caching = {name.strip() for name in str(one(outcome, b"cache-control")).split(",")}
        assert {"private", "no-cache"} <= caching
        assert "public" not in caching


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
async def test_where_nothing_is_asked_nothing_depends_on_anybody(path: str) -> None:
    """R-88: not one response more: a policy without a question leaves every page shared.

    A page's ETag may be its variant under this policy; it is one for all.
    """
    app = consent(site(), ASKS_NOTHING)
    tags = set()
    for client, who in itertools.product(CLIENTS.values(), (await visitors(app)).values()):
        held, bare = await get(app, path, {**client, **who}), await get(site(), path, client)
        tags.add(one(held, b"etag"))
        assert said(held, b"etag") == said(bare, b"etag")
        assert held.body == bare.body
        assert one(bare, b"etag") is None or one(held, b"etag") is not None
    assert len(tags) == 1


@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
@pytest.mark.parametrize("languages", [["en"], ["en", "de"]])
async def test_a_quiet_line_leaves_every_page_cacheable(path: str, languages: list[str]) -> None:
    """`settings-link: always` where nothing is optional: R-88 asks for nothing, so nothing is lost.

    The line is the same for everybody who reads the same language.
    """
    line = ASKS_NOTHING.model_copy(update={"settings_link": "always", "languages": (*languages,)})
    app = consent(site(), line)
    bodies, tags = set(), set()
    for client, who in itertools.product(CLIENTS.values(), (await visitors(app)).values()):
        held, bare = await get(app, path, {**client, **who}), await get(site(), path, client)
        language = who.get("accept-language", "en") if len(languages) > 1 else "en"
        bodies.add((language, held.body))
        tags.add((language, one(held, b"etag")))
        assert held.all(b"cache-control") == bare.all(b"cache-control")
        is_lined = path in PAGES
        assert (NOTICE in held.body) is is_lined
        varies = is_lined and len(languages) > 1
        assert held.all(b"vary") == ((b"Accept-Language",) if varies else bare.all(b"vary"))
        assert held.set_cookies == bare.set_cookies
    spoken = len(languages) if path in PAGES else len({language for language, _ in bodies})
    assert len(bodies) == spoken
    assert len(tags) == spoken


@pytest.mark.parametrize("path", [*OTHERS, *UNTOUCHED])
async def test_what_is_no_page_is_the_same_for_everybody(path: str) -> None:
    """R-87, R-88, R-91: bytes, validators and caching are the app's own, and no Vary is added."""
    app = consent(site(), DECLARED)
    people = await visitors(app)
    for client, who in itertools.product((*CLIENTS.values(), FETCH), people.values()):
        for method in ("GET", "HEAD"):
            held = await get(app, path, {**client, **who}, method=method)
            bare = await get(site(), path, client, method=method)
            assert status(held) == status(bare)
            assert said(held) == said(bare)
            assert held.body == bare.body


@pytest.mark.parametrize("path", ["/static/site.css", "/json", "/data"])
async def test_an_asset_is_asked_about_as_before(path: str) -> None:
    """R-91: 304, 206 and 416 of what is no page come as the app made them."""
    app = consent(site(), DECLARED)
    first = await get(site(), path, FETCH)
    questions = [
        *conditions(first),
        {"range": "bytes=5-9"},
        {"range": "bytes=999999-"},
        {"range": "bytes=5-9", "if-range": str(one(first, b"etag"))},
        {"range": "bytes=5-9", "if-range": '"other"'},
        {"accept-encoding": "gzip"},
    ]
    codes = set()
    for question, (state, who) in itertools.product(questions, (await visitors(app)).items()):
        held = await get(app, path, {**FETCH, **who, **question})
        bare = await get(site(), path, {**FETCH, **question})
        assert (status(held), said(held), held.body) == (status(bare), said(bare), bare.body), state
        codes.add(status(bare))
    if path == "/static/site.css":
        assert codes == {200, 206, 304, 416}  # the control


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_of_a_page_is_the_authors_own(part: str) -> None:
    """R-87: a fragment is put into a page that has its notice; caches keep the two apart.

    What a stream will come to nobody knows when it begins, so it is private like a page.
    """
    for path in PAGES:
        bare = await get(site(), path, PARTS[part])
        held = await get(consent(site(), DECLARED), path, PARTS[part])
        assert held.body == bare.body
        assert "Sec-Fetch-Dest" in str(one(held, b"vary"))
        if path != "/stream":
            assert said(held, b"vary", b"etag") == said(bare, b"vary", b"etag")


@pytest.mark.parametrize("rules", [DECLARED, IMPLIED], ids=["explicit", "implied"])
async def test_the_body_of_a_redirect_shows_nothing(rules: Any) -> None:
    """R-10: browsers go on without showing it, so no notice was seen there, and none is noted."""
    app = consent(site(), rules)
    for path in ("/redirect", "/linked"):
        held, bare = await get(app, path, NAVIGATION), await get(site(), path, NAVIGATION)
        assert status(held) == 302
        assert held.body == bare.body
        assert held.set_cookies == ()
    shown = await get(app, "/page", NAVIGATION)
    assert bool(shown.set_cookies) is (rules is IMPLIED)  # the control


# Codings


async def test_a_layer_that_compresses_stands_outside() -> None:
    """DESIGN §6: the notice is in what is compressed, and both layers' Vary are there."""
    app = GZipMiddleware(consent(site(), DECLARED))
    for path in PAGES:
        outcome = await get(app, path, {**NAVIGATION, **PACKING})
        assert one(outcome, b"content-encoding") == "gzip"
        assert NOTICE in gzip.decompress(outcome.body)
        vary = {name.strip() for value in outcome.all(b"vary") for name in value.split(b",")}
        assert {b"Cookie", b"Accept-Encoding"} <= vary


async def test_a_layer_that_compresses_inside_is_asked_for_plain_pages() -> None:
    """R-87: a page is asked for plain; everything else is compressed as before."""
    inner = GZipMiddleware(site())
    app = consent(inner, DECLARED)
    for path in PAGES:
        assert one(await get(inner, path, {**NAVIGATION, **PACKING}), b"content-encoding") == "gzip"
        outcome = await get(app, path, {**NAVIGATION, **PACKING})
        assert one(outcome, b"content-encoding") is None
        assert NOTICE in outcome.body
    for path in ("/json", "/static/site.css"):
        held = await get(app, path, {**FETCH, **PACKING})
        bare = await get(inner, path, {**FETCH, **PACKING})
        assert one(held, b"content-encoding") == "gzip"
        assert (said(held), held.body) == (said(bare), bare.body)


async def test_a_page_that_comes_compressed_all_the_same_is_left_alone() -> None:
    """R-87: what is encoded is not opened; the validators are of what was sent."""
    inner = GZipMiddleware(site())
    app = consent(inner, DECLARED)
    tool = {**CLIENTS["a tool"], **PACKING}
    for path in (*CONDITIONAL, "/page"):
        held, bare = await get(app, path, tool), await get(inner, path, tool)
        assert (said(held), held.body) == (said(bare), bare.body)


# Other messages


def sends(*messages: Message) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(dict(message))

    return app


HTML: Final = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(PAGE))]
START: Final[Message] = {"type": "http.response.start", "status": 200, "headers": HTML}


def body(part: Any, *, more: bool | None = None) -> Message:
    """One message of a body; without `more` it says nothing of whether it is the last."""
    message: Message = {"type": "http.response.body"}
    if part is not None:
        message["body"] = part
    return message if more is None else {**message, "more_body": more}


AT: Final = PAGE.index(b"<p>")
BODIES: dict[str, list[Message]] = {
    "at once": [body(PAGE)],
    "at once, and said to be all": [body(PAGE, more=False)],
    "an empty end": [body(PAGE, more=True), body(b"")],
    "an end that is said": [body(PAGE, more=True), body(b"", more=False)],
    "an end without a body": [body(PAGE, more=True), body(None)],
    "an empty beginning": [body(b"", more=True), body(None, more=True), body(PAGE)],
    "cut where the body begins": [body(PAGE[:AT], more=True), body(PAGE[AT:])],
    "cut in a tag": [body(PAGE[: AT - 3], more=True), body(b"", more=True), body(PAGE[AT - 3 :])],
    "byte by byte": [*(body(PAGE[i : i + 1], more=True) for i in range(len(PAGE))), body(b"")],
    "bytearrays": [body(bytearray(PAGE[:AT]), more=True), body(bytearray(PAGE[AT:]))],
    "memoryviews": [body(memoryview(PAGE)[:AT], more=True), body(memoryview(PAGE)[AT:])],
}


@pytest.mark.parametrize("shape", BODIES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_body_comes_in_every_shape(shape: str, method: str) -> None:
    """ASGI: `body` and `more_body` may be left out, and servers take what is bytes-like."""
    whole = await get(consent(sends(START, *BODIES["at once"]), DECLARED), "/", NAVIGATION)
    outcome = await get(
        consent(sends(START, *BODIES[shape]), DECLARED), "/", NAVIGATION, method=method
    )
    assert outcome.error is None
    assert [m["type"] for m in outcome.messages].count("http.response.start") == 1
    assert outcome.messages[0]["type"] == "http.response.start"
    assert [bool(m.get("more_body")) for m in outcome.messages[1:]].index(False) == len(
        outcome.messages[1:]
    ) - 1
    if method == "GET":
        assert outcome.body == whole.body
        assert one(outcome, b"content-length") in (None, str(len(whole.body)))


async def test_an_early_hint_goes_out_early() -> None:
    """RFC 8297: a 103 comes before the page, though the page's start is held back."""
    hint = {"type": "http.response.early_hint", "links": [b"</site.css>; rel=preload; as=style"]}
    outcome = await get(consent(sends(hint, START, body(PAGE)), DECLARED), "/", NAVIGATION)
    assert outcome.messages[0] == hint
    assert [m["type"] for m in outcome.messages[1:]] == ["http.response.start", body(b"")["type"]]
    assert NOTICE in outcome.body


async def test_trailers_follow_the_page() -> None:
    """ASGI's trailers: they stay behind the body; a sum in them would be of other bytes."""
    start = {**START, "trailers": True}
    trailers = {"type": "http.response.trailers", "headers": [(b"server-timing", b"db;dur=1")]}
    outcome = await get(consent(sends(start, body(PAGE), trailers), DECLARED), "/", NAVIGATION)
    assert outcome.start["trailers"] is True
    assert NOTICE in outcome.body
    assert outcome.messages[-1] == trailers


async def test_a_sum_in_the_trailers_of_a_changed_page_goes() -> None:
    """RFC 9530 §3: digests come as trailers too, and these are of the app's bytes."""
    start = {**START, "trailers": True}
    sums = [(b"content-digest", b"sha-256=:1:"), (b"repr-digest", b"sha-256=:1:"), (b"x-own", b"1")]
    trailers = {"type": "http.response.trailers", "headers": sums}
    outcome = await get(consent(sends(start, body(PAGE), trailers), DECLARED), "/", NAVIGATION)
    assert outcome.messages[-1]["headers"] == [(b"x-own", b"1")]
    other = {**start, "headers": [(b"content-type", b"text/css")]}
    kept = await get(consent(sends(other, body(PAGE), trailers), DECLARED), "/", NAVIGATION)
    assert kept.messages[-1]["headers"] == sums  # the control


PATHSEND: Final[Mapping[str, Any]] = {"http.response.pathsend": {}, "tls": {}}


async def offered(headers: Mapping[str, str], path: str) -> Outcome:
    """What is sent where the server takes files by their path."""
    scope = scope_of(path, headers, extensions=dict(PATHSEND))
    return await run(consent(site(), DECLARED), scope)


async def test_a_file_is_sent_by_the_server_unless_it_is_a_page() -> None:
    """ASGI's pathsend: it is withdrawn for pages, since nothing can be put into them."""
    asset = await offered(FETCH, "/static/site.css")
    assert [m["type"] for m in asset.messages] == ["http.response.start", "http.response.pathsend"]
    page = await offered(NAVIGATION, "/file")
    assert NOTICE in page.body
    assert page.scope["extensions"] == {"tls": {}}


async def test_a_page_that_the_server_sends_itself_is_described_as_it_is() -> None:
    """To a client that does not look like a browser the file goes out whole, with its headers."""
    page = await offered(CLIENTS["a tool"], "/file")
    bare = await run(site(), scope_of("/file", CLIENTS["a tool"], extensions=dict(PATHSEND)))
    assert [m["type"] for m in page.messages] == ["http.response.start", "http.response.pathsend"]
    for name in (b"content-length", b"etag", b"last-modified"):
        assert one(page, name) == one(bare, name)


# A real server, and one connection


def asked_in_a_row() -> Iterable[tuple[str, str, dict[str, str]]]:
    kept = {"If-None-Match": '"strong"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    parts = {"Range": "bytes=5-9"}
    every = (*PAGES, *OTHERS, *UNTOUCHED)
    return itertools.product(("GET", "HEAD"), every, ({}, kept, parts, {"Accept-Encoding": "gzip"}))


@pytest.mark.parametrize("arrangement", ARRANGEMENTS)
def test_a_connection_never_loses_its_place(arrangement: str) -> None:
    """RFC 9112 §6: with one wrong length the next response on the connection would be garbage."""
    with (
        Server(ARRANGEMENTS[arrangement](site(), DECLARED)) as server,
        closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection,
    ):
        for method, path, headers in asked_in_a_row():
            connection.request(method, path, headers={"Accept": "text/html", **headers})
            response = connection.getresponse()
            content = response.read()
            length = response.headers["Content-Length"]
            if method == "GET" and response.status != 304:
                assert length in (None, str(len(content)))
            else:
                assert content == b""
            coding = response.headers["Content-Encoding"]
            plain = gzip.decompress(content) if coding == "gzip" and content else content
            is_whole = method == "GET" and response.status in (200, 404)
            assert (NOTICE in plain) is (is_whole and path in PAGES)
