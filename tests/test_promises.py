"""The machine that looks for a broken promise: on real sites, and on sites where one is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from consentkit import ConsentMiddleware, Policy
from consentkit.rules.consent import Answer, Consent
from consentkit.rules.decision import Decision, Occasion
from consentkit.rules.policy import DeclaredCookie, Question
from consentkit.rules.policy_file import policy_from
from consentkit.rules.signals import Signal
from consentkit.testing.promises import PROMISES, machine_for

DAY = 86_400
WORDS = {"title": "A", "description": "B"}
OPTIONAL = ("asked", "told", "left")
COOKIES = {
    "sid": b"sid=1; Path=/; Max-Age=60; HttpOnly",
    "lang": b"lang=en; Path=/; Max-Age=99999999",
    "visits": b"visits=1; Path=/; Max-Age=99999999",
    "secret": b"secret=1; Path=/; Max-Age=60; HttpOnly",
    "hint": b"hint=1; Path=/; Max-Age=60",
    "banner": b"banner=1; Path=/",
    "both": b"both=1; Path=/; Max-Age=60",
    "Vote-7": b"Vote-7=1; Path=/",
    "stray": b"stray=1; Path=/; Max-Age=60",
    "old": b"old=; Path=/; Max-Age=0",
}
DECLARED: dict[str, Any] = {
    "sid": {"kind": "session", "purpose": "necessary"},
    "lang": {"kind": "persistent", "purpose": "necessary", "duration": 30 * DAY},
    "visits": {"kind": "analytics", "purpose": "asked", "duration": 30 * DAY, "renew": False},
    "secret": {"kind": "persistent", "purpose": "asked", "duration": DAY},
    "hint": {"kind": "persistent", "purpose": "told", "duration": DAY},
    "banner": {"kind": "session", "purpose": "left"},
    "both": {"kind": "persistent", "purpose": ["asked", "left"], "duration": DAY},
    "Vote-{id}": {"kind": "poll-timeout", "purpose": "asked", "duration": DAY},
}


def policy(**changes: Any) -> Policy:
    """Each kind, and each basis that a visitor answers to."""
    whole: dict[str, Any] = {
        "site": {"name": "A site", "controller": "Its owner"},
        "mode": "explicit",
        "purposes": {
            "necessary": {**WORDS, "basis": "strictly-necessary", "justification": "security"},
            "asked": {**WORDS, "basis": "consent"},
            "told": {**WORDS, "basis": "implied", "honours": ["gpc", "dnt"]},
            "left": {**WORDS, "basis": "opt-out"},
        },
        "cookies": {name: {**each, "description": "C"} for name, each in DECLARED.items()},
        "services": {"film": {"purpose": "asked", "provider": "P", "hosts": ["film.example"]}},
        "undeclared": "hide",
        "child-directed": ["/kids"],
    }
    return policy_from({**whole, **changes})


PAGE = (
    "<!doctype html><title>A</title><body><p>Hello</p><img src=/own.png>"
    "<iframe src=https://film.example/1></iframe><img src=//stranger.example/2>"
)


class SetsEverything:
    """Sets every cookie at every door, as raw ASGI code may."""

    def __init__(self, app: ASGIApp, cookies: Iterable[bytes] = tuple(COOKIES.values())) -> None:
        self.app, self.cookies = app, tuple(cookies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def adding(message: Message) -> None:
            if message["type"].endswith((".start", ".accept")):
                ours = [(b"Set-Cookie", cookie) for cookie in self.cookies]
                message = {**message, "headers": [*message.get("headers", ()), *ours]}
            await send(message)

        await self.app(scope, receive, adding)


async def page(request: Request) -> Response:
    return HTMLResponse(PAGE)


async def data(request: Request) -> Response:
    return JSONResponse({})


async def away(request: Request) -> Response:
    return RedirectResponse("/", 303)


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


PAGES = ("/", "/kids", "/data", "/away", "/nowhere")
site = SetsEverything(
    Starlette(
        routes=[
            Route("/", page, methods=["GET", "POST"]),
            Route("/kids", page),
            Route("/data", data),
            Route("/away", away),
            WebSocketRoute("/echo", echo),
        ]
    )
)
machine = partial(machine_for, pages=PAGES, forms=["/"], sockets=["/echo"])
SHORT = settings(
    max_examples=50,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    report_multiple_bugs=False,
    database=None,
    suppress_health_check=list(HealthCheck),
)
FIRST_FOUND = settings(SHORT, max_examples=2000, phases=[Phase.generate])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"undeclared": "report", "mode": "implied", "takes-effect": "at-once"},
        {"preset": "us-ca", "mode": "opt-out", "ask-again-after": 365 * DAY},
    ],
    ids=str,
)
def test_every_promise_is_kept_on_a_site_that_tries_everything(changes: dict[str, Any]) -> None:
    """DESIGN 1: whatever one visitor goes through, at every door."""
    run_state_machine_as_test(machine(site, policy(**changes)), settings=SHORT)


# Sites where one promise is broken

Middleware = Callable[..., ASGIApp]


def held_to(change: Callable[[Policy], Policy]) -> Middleware:
    """A middleware that has understood the policy in its own way."""

    def middleware(app: ASGIApp, *, policy: Policy, **options: Any) -> ASGIApp:
        return ConsentMiddleware(app, policy=change(policy), **options)

    return middleware


def declared_otherwise(section: str, name: str, **changes: Any) -> Middleware:
    """A middleware for which one entry of the policy says something else."""

    def change(policy: Policy) -> Policy:
        data = policy.model_dump(by_alias=True)
        data[section][name] |= changes
        return Policy.model_validate(data)

    return held_to(change)


def otherwise(**changes: Any) -> Middleware:
    """A middleware for which some keys of the policy say something else."""
    return held_to(
        lambda policy: Policy.model_validate({**policy.model_dump(by_alias=True), **changes})
    )


Headers = list[tuple[bytes, bytes]]


def editing(change: Callable[[Scope, Message, Headers], Headers]) -> Middleware:
    """The middleware, and outside of it a layer that changes the headers that leave."""

    def middleware(app: ASGIApp, **options: Any) -> ASGIApp:
        guarded = ConsentMiddleware(app, **options)

        async def layer(scope: Scope, receive: Receive, send: Send) -> None:
            async def changed(message: Message) -> None:
                if message["type"].endswith((".start", ".accept")):
                    headers = change(scope, message, list(message.get("headers", ())))
                    message = {**message, "headers": headers}
                await send(message)

            await guarded(scope, receive, changed)

        return layer

    return middleware


def dropping(start: bytes) -> Middleware:
    """A layer that loses the Set-Cookie headers which begin so."""
    return editing(
        lambda _scope, _message, headers: [
            each for each in headers if not (each[0] == b"set-cookie" and each[1].startswith(start))
        ]
    )


def adding(raw: bytes, when: Callable[[Scope, Message], bool]) -> Middleware:
    """A layer that sets a cookie at some door."""
    return editing(
        lambda scope, message, headers: [
            *headers,
            *([(b"set-cookie", raw)] if when(scope, message) else ()),
        ]
    )


def nobody_has_answered(scope: Scope, _message: Message) -> bool:
    cookies = [value for name, value in scope["headers"] if name == b"cookie"]
    signals = [name for name, _ in scope["headers"] if name in (b"sec-gpc", b"dnt")]
    is_own = scope["path"] in ("/kids", "/consent")
    return not signals and not is_own and b"__Host-consent=" not in b"".join(cookies)


def showing_all(app: ASGIApp, **options: Any) -> ASGIApp:
    """A middleware that hands the app the Cookie header as it came."""

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "headers": scope["as it came"]}, receive, send)

    guarded = ConsentMiddleware(inside, **options)

    async def outside(scope: Scope, receive: Receive, send: Send) -> None:
        await guarded({**scope, "as it came": [*scope["headers"]]}, receive, send)

    return outside


def enforcing(app: ASGIApp, *, report_only: bool, **options: Any) -> ASGIApp:
    """A middleware that has no report mode."""
    return ConsentMiddleware(app, **options)


PLANTED: dict[str, Middleware] = {
    "asked first": adding(b"visits=1; Path=/; Max-Age=60", nobody_has_answered),
    "implied": otherwise(**{"takes-effect": "at-once"}),
    "children": otherwise(**{"child-directed": []}),
    "undeclared": otherwise(undeclared="report"),
    "kind": declared_otherwise("cookies", "sid", kind="persistent", duration=DAY),
    "renewal": declared_otherwise("cookies", "visits", renew=True),
    "third party": declared_otherwise("services", "film", purpose="necessary"),
    "reading": showing_all,
    "withdrawal": dropping(b"secret=; "),
    "granted": dropping(b"visits="),
    "own act": adding(
        b"__Host-consent=1; Path=/; Secure", lambda scope, _message: scope["method"] == "GET"
    ),
    "report": enforcing,
}


def found_in(middleware: Middleware) -> str:
    """What the machine says of a site behind this middleware."""
    broken = machine(site, policy(), middleware=middleware)
    with pytest.raises(AssertionError) as error:
        run_state_machine_as_test(broken, settings=FIRST_FOUND)
    return str(error.value)


@pytest.mark.parametrize("promise", PLANTED)
def test_a_broken_promise_is_found(promise: str) -> None:
    """The control of each: a layer that breaks this one, and the machine says so."""
    assert found_in(PLANTED[promise]).startswith(f"{promise}: {PROMISES[promise]}; ")


DOORS = {
    "json": ("/data", "http.response.start"),
    "redirect": ("/away", "http.response.start"),
    "error": ("/nowhere", "http.response.start"),
    "websocket": ("/echo", "websocket.accept"),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_leak_is_found_at_every_door(door: str) -> None:
    """DESIGN 1.1: a page, and also what is none."""
    leak = adding(
        b"stray=1; Path=/",
        lambda scope, message: (scope.get("path"), message["type"]) == DOORS[door],
    )
    assert f"{DOORS[door][0]} set 'stray'" in found_in(leak)


# Rules in which one line is wrong


def a_refusal_lapses(right: Any) -> Any:
    def wrong(policy: Policy, question: Question, consent: Consent, now: float) -> Answer:
        given = consent.given.get(question.purpose)
        if given and now > given.time + policy.ask_again_after:
            return Answer.UNDECIDED
        return right(policy, question, consent, now)

    return wrong


def an_old_revision_counts(right: Any) -> Any:
    def wrong(policy: Policy, question: Question, consent: Consent, now: float) -> Answer:
        return right(policy, question._replace(since=1), consent, now)

    return wrong


def what_is_broken_was_never_there(right: Any) -> Any:
    def wrong(policy: Policy, question: Question, consent: Consent, now: float) -> Answer:
        return right(policy, question, replace(consent, readable=True), now)

    return wrong


def a_page_view_is_a_vote(right: Any) -> Any:
    def wrong(declared: DeclaredCookie, questions: Any, occasion: Occasion) -> Decision:
        return right(declared, questions, replace(occasion, vote=True))

    return wrong


def nothing_lapses(_right: Any) -> Any:
    return lambda _policy, _time, _now: False


def no_signal_is_heard(_right: Any) -> Any:
    return lambda _headers: frozenset()


Life = tuple[tuple[str, dict[str, Any]], ...]
GRANT: tuple[str, dict[str, Any]] = ("grant_everything", {})
REFUSE: tuple[str, dict[str, Any]] = ("refuse_everything", {})
HALF_A_YEAR: tuple[str, dict[str, Any]] = ("time_passes", {"days": 200})
WRONG: dict[str, tuple[str, Callable[[Any], Any], Life]] = {
    "refusal": ("rules.decision._own_answer", a_refusal_lapses, (REFUSE, HALF_A_YEAR)),
    "lapse": ("rules.decision._has_lapsed", nothing_lapses, (GRANT, HALF_A_YEAR)),
    "revision": (
        "rules.decision._own_answer",
        an_old_revision_counts,
        (GRANT, ("raise_the_revision", {})),
    ),
    "broken token": (
        "rules.decision._own_answer",
        what_is_broken_was_never_there,
        (GRANT, ("break_the_token", {})),
    ),
    "poll": ("rules.decision._decide_poll", a_page_view_is_a_vote, (GRANT,)),
    "signal": (
        "exchange._signals",
        no_signal_is_heard,
        (GRANT, ("switch_signals", {"signals": frozenset({Signal.GPC})})),
    ),
}


def live(life: Life) -> None:
    """One life, step by step, and a page at its end."""
    one = machine(site, policy())()
    try:
        one.arrive(signals=frozenset())
        for step, given in life:
            getattr(one, step)(**given)
        one.visit(path="/")
    finally:
        one.teardown()


@pytest.mark.parametrize("promise", WRONG)
def test_a_wrong_rule_is_found(promise: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the others: the machine knows the rules by itself, and never asks for them."""
    place, wrong, life = WRONG[promise]
    live(life)
    module, _, name = f"consentkit.{place}".rpartition(".")
    monkeypatch.setattr(f"{module}.{name}", wrong(getattr(import_module(module), name)))
    with pytest.raises(AssertionError, match=f"^{promise}: {PROMISES[promise]}; / set "):
        live(life)


def test_every_promise_has_its_control() -> None:
    """A promise that cannot be seen broken is none."""
    assert PROMISES.keys() == PLANTED.keys() | WRONG.keys()


def test_a_host_that_nobody_declared_is_a_third_party() -> None:
    """R-26, R-53: a page that fetches from a stranger breaks a promise, also before any answer."""
    one = machine(site, policy())()
    with pytest.raises(AssertionError, match=r"^third party: .* from stranger\.example: nobody"):
        one._judge_page("/", b"<img src=//stranger.example/2>")
    one._judge_page("/", b"<img src=/2>")
    one.teardown()


def test_a_cookie_of_another_path_than_declared_is_let_be() -> None:
    """It may be somebody else's of that name: what was declared is what is promised."""
    one = machine(site, policy())()
    one.arrive(signals=frozenset())
    one.browser.store("secret=1; Path=/deep; Secure")
    one.refuse_everything()
    one.look_in_report_mode(path="/")
    assert one.browser.cookies["secret"] == "1"
    one.teardown()
