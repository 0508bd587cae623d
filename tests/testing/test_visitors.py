"""Visitors in every state: the tokens that the middleware would have signed."""

import time
from functools import partial
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import Scope

from consentkit import Answer, Consent, ConsentMiddleware, UnknownPurposeError, UnknownServiceError
from consentkit.errors import NoSuchVisitorError
from consentkit.testing import (
    STATES,
    Browser,
    ConsentState,
    SignedVisitor,
    as_visitor,
    assert_blocked,
    assert_sets,
)
from consentkit.testing.visitors import state_of
from tests.hosts.conftest import need
from tests.testing.sites import KEY, YAML, bare, policy, site

pytestmark = pytest.mark.anyio

IMPLIED = YAML.replace("mode: explicit", "mode: implied")
FIRST = YAML.replace("revision: 2", "revision: 1").replace("since: 2", "since: 1")

# What a state comes to


@pytest.mark.parametrize(
    ("answers", "measurement", "maps"),
    [
        ("undecided", Answer.UNDECIDED, Answer.UNDECIDED),
        ("refused", Answer.REFUSED, Answer.REFUSED),
        ("granted", Answer.GRANTED, Answer.GRANTED),
        ("implied", Answer.IMPLIED, Answer.IMPLIED),
        ("lapsed", Answer.UNDECIDED, Answer.UNDECIDED),
        ("older-revision", Answer.UNDECIDED, Answer.GRANTED),
        ("unreadable", Answer.REFUSED, Answer.REFUSED),
        ({"measurement": "granted"}, Answer.GRANTED, Answer.UNDECIDED),
        ({"measurement": "refused", "maps": "granted"}, Answer.REFUSED, Answer.GRANTED),
        ({"measurement": "undecided"}, Answer.UNDECIDED, Answer.UNDECIDED),
        (Consent().grant(["maps"], 2, time.time(), frozenset()), Answer.UNDECIDED, Answer.GRANTED),
    ],
    ids=str,
)
async def test_a_state_is_what_the_site_makes_of_its_token(
    answers: Any, measurement: Answer, maps: Answer
) -> None:
    """Under implied consent every state comes to something else; the site's own reading says it."""
    app = site(policy(IMPLIED))
    visitor = as_visitor(app, answers)
    assert (visitor.answer("measurement"), visitor.answer("maps")) == (measurement, maps)
    assert visitor.allows("maps") is (maps in (Answer.GRANTED, Answer.IMPLIED))
    browser = Browser(app)
    visitor.put_into(browser)
    status = (await browser.fetch("/consent/status")).json()
    assert status["answers"]["measurement"] == measurement
    assert status["answers"]["maps"] == maps


def test_every_state_is_one_of_the_list() -> None:
    """The list is what the marker runs through; each makes a visitor."""
    visitors = {state: as_visitor(site(), state) for state in STATES}
    assert [state for state, visitor in visitors.items() if not visitor.set_cookies] == [
        "undecided"
    ]
    assert len({visitor.set_cookies for visitor in visitors.values()}) == len(STATES)


def test_a_signal_is_heard_and_a_grant_in_its_face_stands() -> None:
    """R-37: a grant from before the signal was known does not outweigh it."""
    app = site()
    assert as_visitor(app, "granted").allows("maps")
    assert not as_visitor(app, "granted", signals="gpc").allows("maps")
    assert as_visitor(app, "granted", signals=["gpc"], despite=True).allows("maps")
    assert as_visitor(app, signals="gpc").answer("maps") is Answer.REFUSED
    assert as_visitor(app, signals="dnt").answer("maps") is Answer.UNDECIDED


def test_a_service_can_be_granted_alone() -> None:
    """As behind a placeholder: one thing loads, and no purpose was answered."""
    visitor = as_visitor(site(), services=["atlas"])
    assert visitor.may_load("a.tiles.example")
    assert not as_visitor(site()).may_load("a.tiles.example")
    assert not visitor.allows("maps")
    assert not visitor.may_load("count.example")
    assert not as_visitor(site(), "granted").may_load("stranger.example")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"secret_key": "z" * 40}, "signed with the secret_key.*cannot be read by the app's own"),
        ({"secure": False}, "signed with the secret_key.*Leave policy="),
        ({"policy": policy(FIRST)}, "the policy that was passed is not the app's own.*pass the"),
    ],
)
@pytest.mark.parametrize("state", ["granted", "undecided"])
def test_a_visitor_whom_the_app_cannot_read_is_none(
    given: dict[str, Any], said: str, state: Any
) -> None:
    """A test of 'granted' that runs undecided passes for nothing. What the app has is the control.

    One of several keys is as good as the first: keys are changed one after the other.
    """
    same: dict[str, Any] = {"policy": policy(), "secret_key": KEY}
    app = site(secret_key="y" * 40, old_secret_keys=[KEY])
    assert as_visitor(app, "granted", **same).allows("maps")
    with pytest.raises(NoSuchVisitorError, match=said):
        as_visitor(app, state, **{**same, **given})


def test_a_visitor_says_what_may_be_stored() -> None:
    """The very `decide` that enforces; report mode allows every purpose."""
    visitor = as_visitor(site(), {"measurement": "granted"})
    assert visitor.may_store("visits") is True
    assert visitor.may_store("stray") is visitor.may_store("partner") is False
    assert visitor.policy.revision == 2
    watched = as_visitor(site(report_only=True))
    assert watched.allows("maps")
    assert not watched.is_enforced


def test_the_clock_is_the_sites() -> None:
    """A site whose clock stands still in its tests gets tokens of that moment."""
    now = 1_700_000_000.0
    visitor = as_visitor(site(clock=lambda: now), "granted")
    given = visitor.standing.consent.given["maps"]
    assert (given.time, visitor.standing.now) == (now, now)


@pytest.mark.parametrize(
    ("answers", "signals", "said"),
    [
        ("granted!", (), "'granted!' is no state of a visitor.*Did you mean 'granted'?"),
        ("granted", "gcp", "'gcp' is no signal. There are: gpc, dnt"),
        ({"measurement": "yes"}, (), "'yes' is no answer that a visitor gives to 'measurement'"),
        ({"necessary": "granted"}, (), "'necessary' is strictly necessary.*measurement, maps"),
    ],
)
def test_what_nobody_can_have_answered_is_told(answers: Any, signals: Any, said: str) -> None:
    """A slip in a test must not make it a test of somebody else."""
    with pytest.raises(NoSuchVisitorError, match=said):
        as_visitor(site(), answers, signals=signals)


def test_nobody_answered_before_the_first_revision() -> None:
    """A token has no revision 0."""
    with pytest.raises(NoSuchVisitorError, match="at revision 1, so nobody can have answered"):
        as_visitor(site(policy(FIRST)), "older-revision")


def test_names_of_the_policy_are_known() -> None:
    """The errors are those that the app itself would get."""
    with pytest.raises(UnknownPurposeError):
        as_visitor(site(), {"map": "granted"})
    with pytest.raises(UnknownServiceError):
        as_visitor(site(), services=["atlantis"])


def test_a_state_reads_as_the_name_of_a_test() -> None:
    """One that a test runner can print, and `-k` can find."""
    consent = Consent().grant(["maps"], 1, 1, frozenset()).refuse(["measurement"], 1, 1)
    states: list[tuple[Any, Any, str]] = [
        ("granted", (), "granted"),
        ("undecided", ("gpc", "dnt"), "undecided+dnt+gpc"),
        (
            {"maps": "granted", "measurement": "refused"},
            "gpc",
            "maps=granted,measurement=refused+gpc",
        ),
        ({}, (), "undecided"),
        (consent, (), "maps=granted,measurement=refused"),
    ]
    assert [str(state_of(a, s)) for a, s, _ in states] == [name for _, _, name in states]
    state = state_of("granted", "gpc")
    assert state_of(state) is state
    assert str(state_of(state, ())) == "granted"


# Where the policy is found


def _of_starlette() -> Any:
    return Starlette(middleware=[Middleware(ConsentMiddleware, policy=policy(), secret_key=KEY)])


def _of_litestar() -> Any:
    need("litestar")
    from litestar import Litestar
    from litestar.middleware import DefineMiddleware

    options: Any = {"policy": policy(), "secret_key": KEY}
    return Litestar([], middleware=[DefineMiddleware(ConsentMiddleware, **options)])


def _of_a_partial() -> Any:
    need("litestar")
    from litestar import Litestar

    made = partial(ConsentMiddleware, policy=policy(), secret_key=KEY)
    return Litestar([], middleware=[made])


def _of_quart() -> Any:
    need("quart")
    from quart import Quart

    app = Quart("site")
    app.asgi_app = ConsentMiddleware(app.asgi_app, policy=policy(), secret_key=KEY)
    return app


class _Outer:
    def __init__(self, app: Any) -> None:
        self.app = app


class _Circle:
    def __init__(self) -> None:
        self.app = self
        self.middleware = ["not a middleware"]


@pytest.mark.parametrize(
    "make",
    [site, _of_starlette, _of_litestar, _of_a_partial, _of_quart, lambda: _Outer(_Outer(site()))],
    ids=["outermost", "starlette", "litestar", "partial", "quart", "inside"],
)
def test_the_middleware_is_found_wherever_a_site_has_it(make: Any) -> None:
    """Its policy and its key are said once, by the site itself."""
    visitor = as_visitor(make(), "granted")
    assert visitor.cookies.keys() == {"__Host-consent"}
    assert as_visitor(site(), visitor.standing.consent).allows("maps")


def test_a_middleware_that_runs_is_taken_before_one_that_is_going_to_be_made() -> None:
    """What is around the app decides, as it does for a visitor."""
    inner = _of_starlette()
    other = policy(YAML.replace("mode: explicit", "mode: explicit\ntoken: {name: outer}"))
    assert as_visitor(site(other, inner), "granted").token_names[0] == "__Host-outer"


@pytest.mark.parametrize(
    ("app", "named"),
    [(None, "None"), (_Circle(), "this _Circle"), (bare(), "this Starlette"), (bare, "function")],
)
def test_what_is_not_found_is_told_with_what_to_pass(app: Any, named: str) -> None:
    """A closure around the app hides it, and a test of nothing would pass."""
    with pytest.raises(NoSuchVisitorError, match=f"no ConsentMiddleware.*{named}.*secret_key="):
        as_visitor(app)


def test_policy_and_key_can_be_given() -> None:
    """For a site that runs elsewhere."""
    visitor = as_visitor(policy=policy(), secret_key=KEY, answers="refused", secure=False)
    assert visitor.cookies.keys() == {"consent"}
    assert as_visitor(site(secure=False), "refused").cookies == visitor.cookies
    for given, missing in (({"policy": policy()}, "secret_key="), ({"secret_key": KEY}, "policy=")):
        with pytest.raises(NoSuchVisitorError, match=f"Pass {missing} too"):
            as_visitor(**given)


def test_a_policy_may_depend_on_the_host() -> None:
    """Several sites in one process: the address says which."""
    policies = {
        "a.example": policy(),
        "b.example": policy(YAML.replace("mode: explicit", "mode: explicit\ntoken: {name: b}")),
    }

    def pick(scope: Scope) -> Any:
        return policies[dict(scope["headers"])[b"host"].decode()]

    app = ConsentMiddleware(bare(), policy=pick, secret_key=KEY)
    names = [as_visitor(app, url=f"https://{host}").token_names[0] for host in policies]
    assert names == ["__Host-consent", "__Host-b"]


# Into clients


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_httpx_client_is_the_visitor(library: Any) -> None:
    """The jar takes the site's next answer for the same cookie: no two tokens are ever sent."""
    visitor = as_visitor(site(), "granted", signals="gpc")
    with library.Client(base_url="https://testserver") as client:
        assert visitor.put_into(client) is None
        (cookie,) = client.cookies.jar
        assert (cookie.name, cookie.secure, cookie.path) == ("__Host-consent", True, "/")
        assert client.headers["sec-gpc"] == "1"
        assert dict(client.cookies) == visitor.cookies


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_an_async_client_asks_as_the_visitor(library: Any) -> None:
    """ASGITransport, under asyncio and trio; what the visitor answers next replaces the token."""
    app = site()
    transport = library.ASGITransport(app=app)
    async with library.AsyncClient(transport=transport, base_url="https://testserver") as client:
        as_visitor(app, "refused").put_into(client)
        assert (await client.get("/")).headers.get_list("set-cookie") == ["sid=1; Path=/; HttpOnly"]
        asked = {"origin": "https://testserver"}
        await client.post("/consent", data={"choice": "accept-all"}, headers=asked)
        stored = (await client.get("/")).headers.get_list("set-cookie")
        assert "visits=1; Path=/; Max-Age=60" in stored
        assert [cookie.name for cookie in client.cookies.jar].count("__Host-consent") == 1


def test_a_client_without_tls_is_told_before_it_asks() -> None:
    """Starlette's `TestClient` asks over http by default, and no jar sends a Secure token there."""
    visitor = as_visitor(site(), "granted")
    with httpx2.Client(base_url="http://testserver") as client:
        with pytest.raises(NoSuchVisitorError, match="base_url='https://testserver'"):
            visitor.put_into(client)
        as_visitor(site()).put_into(client)  # nothing to send, nothing to tell
        as_visitor(site(secure=False), "granted").put_into(client)
        assert [*client.cookies] == ["consent"]
    with httpx2.Client() as client, pytest.raises(NoSuchVisitorError, match="no address of a site"):
        visitor.put_into(client)
    with httpx2.Client() as client:
        visitor.put_into(client, "https://testserver")
        assert len(client.cookies) == 1


def test_litestars_client_is_the_visitor() -> None:
    """It is httpx's own, on another address; the middleware stands around the whole app."""
    need("litestar")
    from litestar.testing import TestClient

    from tests.hosts import litestar_site

    app: Any = site(app=litestar_site.site(debug=False))
    with TestClient(app, base_url="https://testserver.local") as client:
        as_visitor(app, "granted").put_into(client)
        assert client.get("/consent/status").json()["answers"]["maps"] == "granted"
        assert_sets(client.get("/page"), "visits")
        assert_sets(client, "visits")
        assert_blocked(client.get("/page"), "stray")


def test_djangos_client_carries_the_tokens() -> None:
    """What it sends is read by the app itself, for no ASGI middleware is around it."""
    need("django")
    import tests.hosts.django_site  # noqa: F401, I001 - configures Django, and so comes first
    from django.test import Client

    client = Client()
    visitor = as_visitor(site(), "granted", signals="gpc")
    visitor.put_into(client)
    response = client.get("/seen")
    assert response.json() == visitor.cookies
    assert response.wsgi_request.headers["Sec-GPC"] == "1"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # Django has no other
async def test_djangos_async_client_carries_the_tokens() -> None:
    """Its headers go by other names."""
    need("django")
    import tests.hosts.django_site  # noqa: F401, I001 - configures Django, and so comes first
    from django.test import AsyncClient

    client = AsyncClient()
    visitor = as_visitor(site(), "granted", signals="gpc")
    visitor.put_into(client)
    response = await client.get("/seen")
    assert response.json() == visitor.cookies
    assert response.asgi_request.headers["Sec-GPC"] == "1"


def test_another_kind_of_client_is_told_what_to_do() -> None:
    """A jar is no client: nobody would send the signals."""
    with pytest.raises(NoSuchVisitorError, match="what a CookieJar takes is not known"):
        as_visitor(site()).put_into(CookieJar())


async def test_a_browser_without_a_screen_is_the_visitor() -> None:
    """Ours sends signals with whatever it asks."""
    app = site()
    browser = Browser(app)
    as_visitor(app, "granted", signals=("gpc", "dnt"), despite=True).put_into(browser)
    response = await browser.visit("/seen")
    assert (response.json()["sec-gpc"], response.json()["dnt"]) == ("1", "1")
    assert response.visitor is not None
    assert response.visitor.allows("maps")


# Playwright's values; tests/browser/test_testing_in_a_browser.py has a real one


class _Context:
    """Takes what a browser context takes, and keeps it."""

    def __init__(self) -> None:
        self.took: list[tuple[str, Any]] = []

    def add_cookies(self, cookies: Any) -> Any:
        self.took.append(("cookies", cookies))

    def set_extra_http_headers(self, headers: Any) -> Any:
        self.took.append(("headers", headers))

    def add_init_script(self, script: str) -> Any:
        self.took.append(("script", script))


class _AsyncContext(_Context):
    async def add_cookies(self, cookies: Any) -> None:
        super().add_cookies(cookies)

    async def set_extra_http_headers(self, headers: Any) -> None:
        super().set_extra_http_headers(headers)

    async def add_init_script(self, script: str) -> None:
        super().add_init_script(script)


async def test_a_browser_context_gets_tokens_headers_and_script() -> None:
    """One that is awaited, and one that is not."""
    visitor = as_visitor(site(), "refused", signals="gpc")
    context, waiting = _Context(), _AsyncContext()
    assert visitor.put_into(context, "http://localhost:8000") is None
    awaited: Any = visitor.put_into(waiting, "http://localhost:8000")
    await awaited
    assert context.took == waiting.took
    assert [what for what, _ in context.took] == ["cookies", "headers", "script"]
    quiet = _Context()
    as_visitor(site(), "refused").put_into(quiet, "https://www.example.org")
    assert [what for what, _ in quiet.took] == ["cookies"]
    with pytest.raises(NoSuchVisitorError, match="browser context knows no site"):
        visitor.put_into(_Context())


def test_a_new_context_begins_as_the_visitor() -> None:
    """What `browser_context_args` of pytest-playwright returns."""
    visitor = as_visitor(site(), "refused", signals="gpc")
    options = visitor.for_new_context("https://www.example.org:8443/shop")
    (cookie,) = options["storage_state"]["cookies"]
    assert cookie.pop("value") == visitor.cookies["__Host-consent"]
    assert time.time() < cookie.pop("expires") < time.time() + 401 * 86_400
    assert cookie == {
        "name": "__Host-consent",
        "domain": "www.example.org",
        "path": "/",
        "httpOnly": True,
        "secure": True,
        "sameSite": "Lax",
    }
    assert options["extra_http_headers"] == {"Sec-GPC": "1"}
    assert "globalPrivacyControl" in visitor.script
    quiet = as_visitor(site(), "refused")
    assert (quiet.script, [*quiet.for_new_context("https://a.example")]) == ("", ["storage_state"])


def test_a_shared_token_is_its_domains() -> None:
    """The sub-domains of a policy's token domain share the answers."""
    shared = policy(YAML.replace("mode:", "token: {domain: example.org}\nmode:"))
    (cookie,) = as_visitor(site(shared), "refused").for_playwright("https://www.example.org")
    assert (cookie["name"], cookie["domain"]) == ("__Secure-consent", ".example.org")


def test_plain_http_is_for_this_machine_alone() -> None:
    """Browsers take it for trustworthy, and for no other."""
    visitor = as_visitor(site(), "refused")
    for url in (
        "http://localhost:1",
        "http://a.localhost",
        "http://127.0.0.1:8000",
        "http://[::1]",
    ):
        assert len(visitor.for_playwright(url)) == 1
    with pytest.raises(NoSuchVisitorError, match="plain http"):
        visitor.for_playwright("http://www.example.org")


def test_the_headers_of_a_navigation() -> None:
    """For a client that is given its headers one by one."""
    visitor = as_visitor(site(), signals="gpc")
    assert visitor.navigation["sec-fetch-mode"] == "navigate"
    assert visitor.navigation["Sec-GPC"] == "1"


def test_a_visitor_does_not_tell_its_tokens() -> None:
    """A failing test prints what it had; a token is nobody's to read."""
    visitor = as_visitor(site(), "granted")
    assert visitor.cookies["__Host-consent"] not in repr(visitor)
    assert isinstance(visitor, SignedVisitor)
    assert visitor.state == ConsentState("granted")


def test_the_file_of_a_policy_is_beside_it(tmp_path: Path) -> None:
    """It is no part of what a policy is: two that say the same are equal."""
    from consentkit.rules.policy_file import file_of
    from tests.testing.sites import write

    loaded = write(tmp_path)
    assert file_of(loaded) == str(tmp_path / "consent.yaml")
    assert file_of(policy()) is None
    assert loaded == policy()
    assert loaded.model_dump() == policy().model_dump()
