"""The door for the app: how it is built, where it stands, and what it does when it fails."""

from __future__ import annotations

import gc
import gzip
import logging
import warnings
import weakref
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from consentkit import (
    ConsentMiddleware,
    Event,
    LateAnswerWarning,
    NoVisitorError,
    OptionError,
    Policy,
    PolicyError,
    UncoveredLayerWarning,
    Visitor,
    visitor_from,
    visitor_from_scope,
)
from consentkit.middleware import MOST_POLICIES
from consentkit.rules.policy import DeclaredCookie
from consentkit.testing import Browser
from tests.apps import (
    ALLOWED,
    COOKIES,
    DECLARED,
    KEY,
    NAVIGATION,
    NOW,
    PAGE,
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

OPTIONS: dict[str, Any] = {"policy": policy(), "secret_key": KEY}


# options


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("secret_key", "short", "it has 5 bytes, 32 are needed"),
        ("secret_key", b"k" * 31, "it has 31 bytes"),
        ("old_secret_keys", ["short"], "it has 5 bytes"),
        ("path", "consent", "'consent' is no path"),
        ("path", "/consent/", "is no path"),
        ("path", "/", "is no path"),
        ("path", "/consent?x", "is no path"),
        ("path", "/zustimmung-ü", "is no path"),
        ("exclude", "/static", r"Write a list: exclude=\['/static'\]"),
        ("exclude", ["static"], "does not begin with '/'"),
        ("trusted_origins", "https://a.example", "Write a list: trusted_origins="),
        ("trusted_origins", ["a.example"], "is no origin"),
        ("trusted_origins", ["ftp://a.example"], "is no origin"),
        ("trusted_origins", ["https://"], "is no origin"),
        ("trusted_origins", ["https://a.example/"], "is no origin"),
    ],
)
def test_an_option_that_cannot_work_stops_the_start(option: str, value: object, told: str) -> None:
    """AC-22, DESIGN §9: where, what, what to do; and never at request time."""
    with pytest.raises(OptionError, match=told) as raised:
        ConsentMiddleware(site(), **{**OPTIONS, option: value})
    assert raised.value.option == option
    assert str(raised.value).startswith(f"ConsentMiddleware({option}=…): ")


def test_options_that_work_are_taken() -> None:
    """The control: the same options, well written."""
    ConsentMiddleware(
        site(),
        **{**OPTIONS, "secret_key": b"k" * 32, "old_secret_keys": ["ü" * 16]},
        path="/cookies/consent",
        exclude=["/static", "/health/"],
        trusted_origins=["https://a.example", "http://b.example:8000"],
    )


def test_a_bad_policy_built_in_python_stops_the_start() -> None:
    """AC-22, R-30: a strictly necessary purpose without a justification cannot hold."""
    bad = Policy.model_validate(
        {**DECLARED, "purposes": {"necessary": DECLARED["purposes"]["necessary"]}}
    )
    with pytest.raises(PolicyError, match="measurement"):
        ConsentMiddleware(site(), policy=bad, secret_key=KEY)


# where it stands


async def crash(request: Request) -> Response:
    """A route that fails before it has answered."""
    raise RuntimeError("down")


def apology(request: Request, error: Exception) -> Response:
    """An error page that stores a cookie, as ServerErrorMiddleware's handler may."""
    response = PlainTextResponse("sorry", 500)
    response.set_cookie("visits", "1")
    return response


async def test_an_error_page_of_an_outer_layer_leaks_unless_the_whole_app_is_wrapped() -> None:
    """DESIGN §5: add_middleware leaves ServerErrorMiddleware outside; wrapping covers it."""
    routes = [Route("/", crash)]
    added = Starlette(routes=routes, exception_handlers={500: apology})
    added.add_middleware(ConsentMiddleware, **OPTIONS)
    with pytest.warns(UncoveredLayerWarning, match="ServerErrorMiddleware"):
        leaked = await get(added, "/")
    assert [c.partition(b"=")[0] for c in leaked.set_cookies] == [b"visits"]
    whole = consent(Starlette(routes=routes, exception_handlers={500: apology}))
    covered = await get(whole, "/")
    assert covered.body == leaked.body == b"sorry"
    assert covered.set_cookies == ()
    assert isinstance(covered.error, RuntimeError)


@pytest.mark.parametrize(
    "harmless",
    [
        Middleware(GZipMiddleware),
        Middleware(CORSMiddleware, allow_origins=["*"]),
        Middleware(TrustedHostMiddleware, allowed_hosts=["*"]),
    ],
    ids=str,
)
async def test_layers_that_store_nothing_may_stand_outside(harmless: Middleware) -> None:
    """A warning that is wrong teaches people to read none."""
    app = site(harmless, Middleware(ConsentMiddleware, **OPTIONS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = await get(app, "/json")
    assert outcome.set_cookies == ALLOWED


class OwnLayer:
    """A site's own middleware: nobody knows what it stores."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


async def add_nothing(request: Request, call_next: Any) -> Response:
    """A dispatch function for BaseHTTPMiddleware."""
    response: Response = await call_next(request)
    return response


@pytest.mark.parametrize(
    "layer",
    [
        Middleware(SessionMiddleware, secret_key="key"),
        Middleware(OwnLayer),
        Middleware(BaseHTTPMiddleware, dispatch=add_nothing),
    ],
    ids=str,
)
async def test_layers_that_may_store_something_outside_are_named_once(layer: Middleware) -> None:
    """DESIGN §5: what passes by cannot be enforced, so the site is told, with the cure."""
    app = site(layer, Middleware(ConsentMiddleware, **OPTIONS))
    with pytest.warns(UncoveredLayerWarning, match="wrap the whole app") as told:
        await get(app, "/json")
    assert getattr(layer.cls, "__name__", "?") in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (await get(app, "/json")).error is None


async def test_a_layer_that_compresses_stands_outside() -> None:
    """DESIGN §6: the notice is put into the plain page, and the whole is compressed after that."""
    app = site(Middleware(GZipMiddleware), Middleware(ConsentMiddleware, **OPTIONS))
    outcome = await get(app, "/page", {**NAVIGATION, "accept-encoding": "gzip"})
    assert outcome.all(b"content-encoding") == (b"gzip",)
    assert gzip.decompress(outcome.body).count(b"<form") == 1
    inside = site(Middleware(ConsentMiddleware, **OPTIONS), Middleware(GZipMiddleware))
    plain = await get(inside, "/page", {**NAVIGATION, "accept-encoding": "gzip"})
    assert plain.all(b"content-encoding") == ()  # identity is asked of the app for pages
    assert plain.body.count(b"<form") == 1


async def test_the_same_layers_inside_give_no_warning() -> None:
    """What stands inside is covered."""
    inside = Middleware(SessionMiddleware, secret_key="key")
    app = site(Middleware(ConsentMiddleware, **OPTIONS), inside)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (await get(app, "/json")).set_cookies == ALLOWED


async def test_a_fastapi_app_as_it_is_gives_no_warning() -> None:
    """FastAPI's own outer layers store nothing."""
    app = FastAPI()
    app.add_middleware(ConsentMiddleware, **OPTIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (await get(app, "/")).start["status"] == 404


async def test_lifespan_passes_as_it_is() -> None:
    """ASGI: only http and websocket scopes are connections."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    scope: Scope = {"type": "lifespan"}
    await consent(app)(scope, None, None)  # type: ignore[arg-type]
    assert scopes == [{"type": "lifespan"}]
    assert scopes[0] is scope


# exclude


@pytest.mark.parametrize(
    ("path", "is_excluded"),
    [
        ("/json", True),
        ("/json/more", True),
        ("/jsonx", False),
        ("/page", False),
        ("/static", True),
        ("/static/site.css", True),
        ("/static/site..css", True),
        ("/static/../page", False),
        ("/static/..", False),
        ("/static/.%2E/page", False),
        ("/static\\..\\page", False),
        ("/", False),
    ],
)
async def test_exclude_goes_by_whole_segments(path: str, is_excluded: bool) -> None:  # noqa: FBT001
    """DESIGN §5: prefixes left wholly alone, request and response; /json is not /jsonx.

    A way upwards leads wherever the server behind makes of it, so it leads to no exception.
    """
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(value for name, value in scope["headers"] if name == b"cookie")
        await says(PAGE, headers=[(b"set-cookie", b"visits=1")])(scope, receive, send)

    outcome = await get(consent(app, exclude=["/json", "/static/"]), path, {"cookie": "visits=1"})
    assert (outcome.set_cookies, seen) == (
        ((b"visits=1",), [b"visits=1"]) if is_excluded else ((), [])
    )


async def test_exclude_goes_by_the_path_below_the_mount() -> None:
    """Under a prefix the site's own paths are meant."""
    app = consent(site(), exclude=["/json"])
    scope = scope_of("/shop/json", root_path="/shop")
    assert (await run(app, scope)).set_cookies == COOKIES
    assert (await run(app, scope_of("/shop/page", root_path="/shop"))).set_cookies == ALLOWED


# mounts and root_path


async def test_endpoints_and_links_stand_under_the_prefix() -> None:
    """DESIGN §5: under a mount or behind root_path the prefix is honoured."""
    app = Starlette(routes=[Mount("/my shop", app=consent(site()))])
    browser = Browser(app)
    page = await browser.visit("/my%20shop/page")
    assert 'action="/my%20shop/consent"' in page.text
    assert 'href="/my%20shop/consent' in page.text
    answer = await browser.submit(
        "/my%20shop/consent", choice="accept-all", next="/my%20shop/page?x=1"
    )
    assert (answer.status, answer.header("location")) == (303, "/my%20shop/page?x=1#consentkit")
    assert (await browser.submit("/consent", choice="accept-all")).status == 404
    bare = await browser.submit("/my%20shop/consent", choice="reject-all")
    assert bare.header("location") == "/my%20shop/consent#consentkit"
    shown = await browser.visit("/my%20shop/consent")
    assert shown.status == 200
    assert 'action="/my%20shop/consent"' in shown.text


async def test_a_proxy_prefix_in_root_path_is_honoured() -> None:
    """ASGI: path holds root_path, or does not where the proxy has cut it off; both are met."""
    for path in ("/shop/consent/status", "/consent/status"):
        outcome = await run(consent(site()), scope_of(path, root_path="/shop"))
        assert outcome.start["status"] == 200
        assert b'"decided":false' in outcome.body
    strange = await run(consent(site()), scope_of("/shopping/consent/status", root_path="/shop"))
    assert strange.start["status"] == 404


# nested middlewares


async def test_an_inner_middleware_of_the_same_policy_stands_down() -> None:
    """DESIGN §5: enforced once, one banner, one visitor."""
    rules = policy()
    events: list[Event] = []
    inner = consent(site(), rules, on_decision=events.append)
    outcome = await get(consent(inner, rules), "/page", NAVIGATION)
    assert outcome.set_cookies == ALLOWED
    assert outcome.body.count(b"<section") == outcome.body.count(b"<form") == 1
    assert events == []
    await get(inner, "/page", NAVIGATION)
    assert [event.name for event in events] == ["visits", "stray"]  # the control


async def test_an_inner_middleware_with_tokens_of_its_own_takes_over() -> None:
    """DESIGN §5: a mounted site with another policy asks for itself."""
    other = policy(
        token={"name": "shop"},
        cookies={"stray": {"kind": "session", "purpose": "necessary", "description": "Kept."}},
    )
    app = consent(consent(site(), other, path="/shop-consent"))
    outcome = await get(app, "/page", NAVIGATION)
    assert outcome.set_cookies == (COOKIES[2], COOKIES[3])
    assert outcome.body.count(b"<form") == 1
    assert b'action="/shop-consent"' in outcome.body


async def test_two_policies_with_one_token_name_are_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Answers to one policy cannot be read by another, so the outer one rules alone."""
    app = consent(consent(site(), policy(undeclared="report")))
    for _ in range(2):
        assert (await get(app, "/json")).set_cookies == ALLOWED
    told = [r for r in caplog.records if "two policies" in r.getMessage()]
    assert [(r.name, r.levelno) for r in told] == [("consentkit.middleware", logging.WARNING)]


# what the options do


async def test_without_a_banner_cookies_are_held_all_the_same() -> None:
    """FZ-14: enforcement does not depend on the body; the endpoints answer."""
    app = consent(site(), banner=False)
    outcome = await get(app, "/page", NAVIGATION)
    assert (outcome.body, outcome.set_cookies) == (PAGE, ALLOWED)
    assert outcome.all(b"vary") == ()
    assert (await get(app, "/consent", NAVIGATION)).body.count(b"<form") == 1


async def test_tokens_of_an_old_key_still_hold() -> None:
    """DESIGN §5: old_secret_keys still verify, only secret_key signs."""
    browser = Browser(consent(site(), secret_key="o" * 32))
    await browser.submit("/consent", choice="accept-all")
    old = browser.cookies["__Host-consent"]
    browser.app = consent(site(), old_secret_keys=["o" * 32])
    assert (await browser.fetch("/consent/status")).json()["decided"] is True
    browser.app = consent(site())
    assert (await browser.fetch("/consent/status")).json()["decided"] is False
    browser.app = consent(site(), old_secret_keys=["o" * 32])
    await browser.submit("/consent", choice="reject-all")
    assert browser.cookies["__Host-consent"] != old
    browser.app = consent(site())
    assert (await browser.fetch("/consent/status")).json()["decided"] is True


async def test_without_https_the_token_has_no_prefix() -> None:
    """R-83: a plain name on http development only; fixed at start-up, not by the request."""
    for secure, name in ((True, "__Host-consent"), (False, "consent")):
        browser = Browser(consent(site(), secure=secure))
        await browser.submit("/consent", choice="accept-all")
        assert list(browser.cookies) == [name]


async def test_a_websocket_on_our_path_is_the_apps() -> None:
    """The endpoints are http; a handshake there is none of ours."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept", "subprotocol": "own"})

    outcome = await connect(consent(app), "/consent")
    assert outcome.start["subprotocol"] == "own"


# a policy for each host


async def test_the_policy_may_depend_on_the_scope() -> None:
    """DESIGN §5: one app, several hosts; each policy is made ready once."""
    strict = policy()
    loose = policy(undeclared="report", token={"name": "b"})
    asked: list[str] = []

    def pick(scope: Scope) -> Policy:
        host = dict(scope["headers"])[b"host"].decode()
        asked.append(host)
        return {"a.example": strict, "b.example": loose}[host]

    app = ConsentMiddleware(site(), policy=pick, secret_key=KEY)
    for _ in range(2):
        assert (await get(app, "/json", {"host": "a.example"})).set_cookies == ALLOWED
        on_b = await get(app, "/json", {"host": "b.example"})
        assert on_b.set_cookies == (COOKIES[0], COOKIES[2], COOKIES[3])
    assert asked == ["a.example", "b.example"] * 2
    assert len(app._made_ready) == 2
    browser = Browser(app, url="https://b.example")
    await browser.submit("/consent", choice="accept-all")
    assert list(browser.cookies) == ["__Host-b"]


async def test_a_policy_made_anew_for_each_request_fills_no_memory() -> None:
    """DESIGN §9, bounded everything: policies are told apart by identity, so few are kept."""
    rules = policy()
    app = ConsentMiddleware(says(b""), policy=lambda _: rules.model_copy(), secret_key=KEY)
    for _ in range(MOST_POLICIES + 3):
        assert (await get(app, "/")).error is None
        assert 0 < len(app._made_ready) <= MOST_POLICIES


# the visitor


async def test_a_starlette_route_finds_its_visitor() -> None:
    """DESIGN §5: visitor_from takes any HTTPConnection."""

    async def route(request: Request) -> Response:
        visitor = visitor_from(request)
        assert visitor is visitor_from_scope(request.scope)
        return JSONResponse([visitor.is_decided, visitor.allows("measurement")])

    app = consent(Starlette(routes=[Route("/", route)]))
    browser = Browser(app)
    assert (await browser.fetch("/")).json() == [False, False]
    await browser.submit("/consent", choice="accept-all")
    assert (await browser.fetch("/")).json() == [True, True]


def fastapi_app() -> FastAPI:
    """Routes that depend on the visitor, over http and over a websocket."""
    app = FastAPI()

    @app.get("/")
    def route(visitor: Annotated[Visitor, Depends(visitor_from)]) -> bool:
        return visitor.allows("measurement")

    @app.websocket("/ws")
    async def socket(ws: WebSocket, visitor: Annotated[Visitor, Depends(visitor_from)]) -> None:
        await ws.accept()
        await ws.send_json(visitor.allows("measurement"))
        await ws.close()

    return app


async def test_a_fastapi_dependency_finds_the_visitor_on_http_and_websocket() -> None:
    """DESIGN §5: Annotated[Visitor, Depends(visitor_from)], on both kinds of route."""
    app = consent(fastapi_app())
    browser = Browser(app)
    no = await connect(app, "/ws")
    assert [m.get("text") for m in no.messages] == [None, "false", None]
    assert (await browser.fetch("/")).json() is False
    await browser.submit("/consent", choice="accept-all")
    assert (await browser.fetch("/")).json() is True
    token = f"__Host-consent={browser.cookies['__Host-consent']}"
    yes = await connect(app, "/ws", {"cookie": token})
    assert [m.get("text") for m in yes.messages] == [None, "true", None]


@pytest.mark.parametrize("wrapped", [False, True])
async def test_without_the_middleware_there_is_no_visitor(wrapped: bool) -> None:  # noqa: FBT001
    """The message says which path, and what to do."""
    app = consent(fastapi_app(), exclude=["/ws"]) if wrapped else fastapi_app()
    outcome = await connect(app, "/ws")
    assert isinstance(outcome.error, NoVisitorError)
    assert outcome.error.path == "/ws"
    assert "take the path out of exclude=" in str(outcome.error)


def test_a_scope_without_a_visitor_says_so() -> None:
    """A raw scope, as other servers' code hands it over."""
    with pytest.raises(NoVisitorError, match="did not pass through ConsentMiddleware"):
        visitor_from_scope({"type": "http", "path": "/x"})


async def test_an_answer_inside_a_request_leaves_with_its_response() -> None:
    """AC-09: token first, then the app's own cookie, which the grant has just allowed."""

    async def route(request: Request) -> Response:
        visitor_from(request).grant("measurement")
        response = PlainTextResponse("ok")
        response.set_cookie("visits", "1")
        return response

    app = consent(Starlette(routes=[Route("/", route)]))
    outcome = await get(app, "/")
    names = [c.partition(b"=")[0] for c in outcome.set_cookies]
    assert names == [b"__Host-consent", b"visits"]
    assert outcome.all(b"cache-control") == (b"private",)
    token = outcome.set_cookies[0].partition(b";")[0].decode()
    again = await get(app, "/", {"cookie": token})
    assert [c.partition(b"=")[0] for c in again.set_cookies] == [b"visits"]  # AC-11


async def test_a_withdrawal_inside_a_request_expires_in_the_same_response() -> None:
    """AC-14, R-16, R-17: the token and one expiry leave; what the app set is dropped."""

    async def route(request: Request) -> Response:
        visitor_from(request).withdraw()
        response = PlainTextResponse("ok")
        response.set_cookie("visits", "2")
        return response

    app = consent(Starlette(routes=[Route("/", route)]))
    browser = Browser(app)
    await browser.submit("/consent", choice="accept-all")
    browser.store("visits=1; Path=/; HttpOnly")
    response = await browser.fetch("/")
    assert {c.partition(b"=")[0] for c in response.set_cookies} == {b"__Host-consent", b"visits"}
    assert all(b"Max-Age=0" in c for c in response.set_cookies if c.startswith(b"visits"))
    assert list(browser.cookies) == ["__Host-consent"]


# late answers


@pytest.mark.parametrize("act", ["grant", "withdraw"])
async def test_an_answer_after_the_first_byte_is_told_loudly(act: str) -> None:
    """AC-12, AC-16, TR-12: it holds for the rest of the request, nothing is sent, body intact."""
    allowed: list[bool] = []
    asked_before = act == "withdraw"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def then() -> None:
            visitor = visitor_from_scope(scope)
            with pytest.warns(LateAnswerWarning, match="after the response had begun"):
                getattr(visitor, act)("measurement")
            allowed.append(visitor.allows("measurement"))

        if asked_before:
            visitor_from_scope(scope)
        plain = [(b"content-type", b"text/plain"), (b"set-cookie", b"sid=1")]
        await says(b"one", b"two", headers=plain, then=then)(scope, receive, send)

    wrapped = consent(app)
    browser = Browser(wrapped)
    if asked_before:
        await browser.submit("/consent", choice="accept-all")
    headers = {"cookie": "; ".join(f"{n}={v}" for n, v in browser.cookies.items())}
    outcome = await get(wrapped, "/", headers)
    assert outcome.error is None
    assert allowed == [act == "grant"]
    assert outcome.set_cookies == (b"sid=1",)
    assert outcome.body == b"onetwo"


# faults inside


class Faulty(Policy):
    """A policy whose look-up fails for one name, as a fault of ours would."""

    def declaration_of(self, name: str) -> DeclaredCookie | None:
        """Raise for the one name."""
        if name == "bomb":
            raise RuntimeError("a fault inside")
        return super().declaration_of(name)


def faulty() -> Policy:
    """The policy of the site, with the fault."""
    return Faulty.model_validate(DECLARED)


FAULT = "only strictly necessary cookies of exact name"


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as a fault of ours, each with the error behind it."""
    return [
        str(record.exc_info[1])
        for record in caplog.records
        if FAULT in record.getMessage() and record.exc_info
    ]


NAMES = [b"sid=1; Path=/", b"visits=1", b"part-a=1", b"bomb=1", b"old=; Max-Age=0"]


async def test_a_fault_while_filtering_leaves_the_site_open_and_the_cookies_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """DESIGN §9: fail closed for consent, open for the site."""
    headers = [(b"content-type", b"text/html"), *((b"set-cookie", c) for c in NAMES)]
    app = consent(says(PAGE, headers=headers), faulty())
    outcome = await get(app, "/", NAVIGATION)
    assert outcome.error is None
    assert outcome.set_cookies == (NAMES[0],)
    assert outcome.body == PAGE
    assert faults(caplog) == ["a fault inside"]
    caplog.clear()
    sound = consent(says(PAGE, headers=headers))
    assert (await get(sound, "/", NAVIGATION)).set_cookies == (NAMES[0], NAMES[2], NAMES[4])
    assert faults(caplog) == []


async def looks(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that says what Cookie headers it saw, and tries to store what it must not."""
    seen = b"|".join(value for name, value in scope["headers"] if name == b"cookie")
    headers = [(b"content-type", b"text/html"), *((b"set-cookie", c) for c in NAMES)]
    await says(seen, headers=headers)(scope, receive, send)


async def test_a_fault_while_reading_leaves_the_site_open_and_the_cookies_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """DESIGN §9: the app sees and stores the strictly necessary cookies of exact name alone."""
    sent = [(b"cookie", b"bomb=1; sid=2; part-b=3"), (b"cookie", b"visits=4"), (b"x-more", b"5")]
    outcome = await get(consent(looks, faulty()), "/", sent)
    assert outcome.error is None
    assert outcome.body == b"sid=2"
    assert outcome.set_cookies == (NAMES[0],)
    assert (b"x-more", b"5") in outcome.scope["headers"]
    assert faults(caplog) == ["a fault inside"]
    caplog.clear()
    assert b"bomb=1; sid=2; part-b=3" in (await get(consent(looks), "/", sent)).body
    assert faults(caplog) == []


async def test_after_a_fault_nobody_has_allowed_anything() -> None:
    """DESIGN §9: a route that asks gets an answer, and it is no."""

    async def route(request: Request) -> Response:
        before = visitor_from(request).allows("measurement")
        with pytest.warns(LateAnswerWarning):
            visitor_from(request).grant("measurement")
        return JSONResponse([before, visitor_from(request).allows("measurement")])

    rules = Faulty.model_validate({**DECLARED, "mode": "opt-out"})
    app = consent(Starlette(routes=[Route("/", route)]), rules)
    outcome = await get(app, "/", {"cookie": "bomb=1"})
    assert outcome.error is None
    assert outcome.body == b"[false,true]"
    assert outcome.set_cookies == ()


async def test_after_a_fault_no_trailer_stores_anything() -> None:
    """DESIGN §9: every door is closed, this one as well."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await says(b"")(scope, receive, send)
        headers = [(b"set-cookie", b"visits=1"), (b"x-sum", b"1")]
        await send({"type": "http.response.trailers", "headers": headers})

    for report_only, left in ((False, 1), (True, 2)):
        held = consent(app, faulty(), report_only=report_only)
        outcome = await get(held, "/", {"cookie": "bomb=1"})
        assert len(outcome.messages[-1]["headers"]) == left


async def test_a_fault_in_report_mode_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """U-22: report mode changes not one byte, whatever happens inside."""
    for sent in ({}, {"cookie": "bomb=1; visits=2"}):
        bare = await get(looks, "/", sent)
        held = await get(consent(looks, faulty(), report_only=True), "/", sent)
        assert held.messages == bare.messages
        assert held.error is None
    assert faults(caplog) == ["a fault inside"] * 2


async def test_a_fault_inside_does_not_keep_an_inner_policy_from_its_work() -> None:
    """A middleware with tokens of its own takes over from one that failed as well."""
    inner = consent(looks, policy(token={"name": "inner"}))
    outcome = await get(consent(inner, faulty()), "/", {"cookie": "bomb=1; sid=2"})
    assert outcome.error is None
    assert outcome.set_cookies == (NAMES[0], NAMES[2], NAMES[4])


async def test_a_counter_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """DESIGN §9: on_decision is the site's own code, and no reason to enforce less."""

    def fails(event: Event) -> None:
        raise ValueError(event.act)

    for headers in ({}, {"cookie": "visits=1; sid=1"}):
        caplog.clear()
        outcome = await get(consent(looks, on_decision=fails), "/", headers)
        control = await get(consent(looks), "/", headers)
        assert outcome.messages == control.messages
        assert "on_decision failed" in caplog.text


async def test_a_fault_while_a_page_leaves_costs_no_page(caplog: pytest.LogCaptureFixture) -> None:
    """DESIGN §9: the headers of a page are made when its start leaves, which is with its body."""
    is_broken = False

    def clock() -> float:
        if is_broken:
            raise OverflowError("no time")
        return NOW

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal is_broken
        stored = [(b"set-cookie", NAMES[0]), (b"set-cookie", NAMES[2])]
        headers = [(b"content-type", b"text/html"), *stored]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        is_broken = True
        await send({"type": "http.response.body", "body": PAGE})
        is_broken = False

    outcome = await get(consent(app, policy(mode="implied"), clock=clock), "/", NAVIGATION)
    assert outcome.error is None
    assert outcome.set_cookies == (NAMES[0],)
    assert b"consentkit-banner" in outcome.body
    assert outcome.body.endswith(b"<p>Hello</p></body></html>")
    assert outcome.all(b"cache-control") == (b"private, no-cache",)
    assert faults(caplog) == ["no time"]


async def test_a_notice_that_fails_costs_no_page(caplog: pytest.LogCaptureFixture) -> None:
    """DESIGN §9: words that cannot be rendered leave the page as it was."""
    rules = policy(placeholders=["/"])
    page = says(b'<body><p data-consentkit="cookies"></p>')
    wrapped = consent(page, rules)
    assert wrapped._only is not None
    wrapped._only.pages._policy = rules.model_copy(update={"site": None, "cookies": None})
    outcome = await get(wrapped, "/", NAVIGATION)
    assert outcome.error is None
    assert outcome.body == b'<body><p data-consentkit="cookies"></p>'
    told = [r.getMessage() for r in caplog.records if r.name == "consentkit.pages"]
    assert told == [
        "a fault in consentkit: a placeholder stays as it is",
        "a fault in consentkit: a page goes out without its notice",
    ]
    sound = await get(consent(page, rules), "/", NAVIGATION)
    assert sound.body.count(b"consentkit") > 4


# nothing is left behind


@pytest.mark.parametrize("path", ["/page", "/json", "/consent"])
@pytest.mark.parametrize("cookie", ["", "visits=1", "bomb=1"])
async def test_no_exchange_outlives_its_request(
    path: str, cookie: str, caplog: pytest.LogCaptureFixture
) -> None:
    """DESIGN §8: no reference cycle, so nothing waits for the garbage collector."""
    caplog.set_level(logging.CRITICAL, "consentkit")  # pytest keeps records, and they the frames
    app = consent(site(), faulty())
    await get(app, path, NAVIGATION)
    gc.collect()
    gc.disable()
    try:
        there = await exchange_of(app, path, {**NAVIGATION, "cookie": cookie})
        assert there() is None
    finally:
        gc.enable()


async def exchange_of(
    app: ConsentMiddleware, path: str, headers: dict[str, str], *, held: bool = False
) -> weakref.ref[Any]:
    """Where the exchange of a request was; `held` has it hold its scope as it did on the way."""
    scope = scope_of(path, headers)
    await run(app, scope)
    if held:
        scope["consentkit"]._scope = scope
    return weakref.ref(scope["consentkit"])


async def test_an_exchange_that_held_its_scope_would_be_noticed() -> None:
    """The control of the test above: a cycle stays until the garbage collector comes."""
    gc.disable()
    try:
        there = await exchange_of(consent(site()), "/json", {}, held=True)
        assert there() is not None
    finally:
        gc.enable()
    gc.collect()
    assert there() is None
