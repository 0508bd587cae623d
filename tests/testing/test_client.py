"""A client for suites: what it sends, what it keeps, and whom it is."""

import subprocess
import sys
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from consentkit.errors import NoSuchVisitorError
from consentkit.testing import (
    ConsentState,
    assert_blocked,
    assert_removed,
    assert_sets,
    consent_client,
)
from consentkit.testing.client import CAME_BY
from tests.hosts.conftest import need
from tests.testing.sites import KEY, bare, policy, site


def asked(response: Any, *names: str) -> tuple[str | None, ...]:
    """What the app saw of these headers."""
    headers = response.json()
    return tuple(headers.get(name) for name in names)


MADE = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user", "origin")


def test_what_is_asked_is_what_a_browser_would_ask() -> None:
    """A page is typed first and clicked to later; a form says where it is from; scripts differ."""
    client = consent_client(site())
    a_script = ("same-origin", "cors", "empty", None, "https://testserver")
    assert asked(client.get("/seen"), *MADE) == ("none", "navigate", "document", "?1", None)
    assert asked(client.get("/seen"), *MADE)[0] == "same-origin"
    a_form = ("same-origin", "navigate", "document", "?1", "https://testserver")
    assert asked(client.post("/seen", data={"a": "b"}), *MADE) == a_form
    assert asked(client.post("/seen", json={"a": "b"}), *MADE) == a_script
    assert asked(client.put("/seen"), *MADE) == a_script
    assert asked(client.patch("/seen"), *MADE) == a_script
    assert asked(client.delete("/seen"), *MADE) == a_script
    assert asked(client.fetch("/seen"), *MADE) == (*a_script[:4], None)
    assert asked(client.fetch("/seen", "POST"), *MADE) == a_script
    assert "Firefox" in str(asked(client.get("/seen"), "user-agent"))
    assert client.head("/plain").status_code == 200


def test_headers_that_are_given_win() -> None:
    """In any spelling, for one request or for all."""
    client = consent_client(site(), signals="gpc", headers={"Accept-Language": "cy"})
    response = client.get("/seen", headers={"Sec-Fetch-Site": "cross-site"})
    names = ("sec-fetch-site", "sec-fetch-mode", "sec-gpc", "accept-language")
    assert asked(response, *names) == ("cross-site", "navigate", "1", "cy")
    response = client.fetch("/seen", headers={"ACCEPT": "application/json"})
    assert asked(response, "accept") == ("application/json",)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_visit_from_the_first_page_to_the_withdrawal(backend: Any) -> None:
    """The jar keeps what a browser would; each answer holds from the next page on."""
    client = consent_client(site(), backend=backend)
    assert_blocked(client.get("/"), "visits")
    assert_sets(client, "sid")
    answer = client.post("/consent", data={"choice": "accept-all", "next": "/"})
    assert_sets(answer, "__Host-consent")
    assert_sets(client.get("/"), "visits")
    assert {"__Host-consent", "sid", "visits"} == {*client.cookies}
    assert_removed(client.post("/consent", data={"choice": "withdraw"}), "visits")
    assert_removed(client, "visits")
    assert_blocked(client.get("/"), "visits")


def test_a_client_is_its_visitor() -> None:
    """In the state that was asked for, by a word or as the marker has it."""
    client = consent_client(site(), {"maps": "granted"})
    assert client.visitor.allows("maps")
    assert client.get("/consent/status").json()["answers"]["maps"] == "granted"
    state = ConsentState("granted")
    assert consent_client(site(), state).visitor.state == state
    assert consent_client(bare(), "granted", policy=policy(), secret_key=KEY).visitor.allows("maps")
    with pytest.raises(NoSuchVisitorError, match="no ConsentMiddleware"):
        consent_client(bare())


def test_a_site_without_tls_is_asked_without() -> None:
    """`secure=False`: a token without its prefix, and pages over http."""
    client = consent_client(site(secure=False), "refused")
    assert str(client.base_url) == "http://testserver"
    assert [*client.cookies] == ["consent"]
    assert client.get("/consent/status").json()["answers"]["maps"] == "refused"
    elsewhere = consent_client(site(), "refused", url="https://www.example.org:8443")
    response = elsewhere.get("/seen")
    assert asked(response, "host") == ("www.example.org:8443",)
    assert "__Host-consent=" in str(asked(response, "cookie"))


def test_a_websocket_has_the_jar_too() -> None:
    """Over TLS where the pages are, so that Secure cookies are sent."""
    client = consent_client(site(), "granted")
    client.get("/")
    with client.websocket_connect("/echo") as socket:
        assert socket.receive_json() == [
            "wss://testserver/echo",
            ["__Host-consent", "sid", "visits"],
        ]
    client = consent_client(site(secure=False))
    with client.websocket_connect("/echo") as socket:
        assert socket.receive_json() == ["ws://testserver/echo", []]


def test_redirects_are_followed_and_told() -> None:
    """What was set on the way was set."""

    async def hop(request: Request) -> RedirectResponse:
        response = RedirectResponse("/plain", 303)
        response.set_cookie("sid", "1")
        response.set_cookie("visits", "1")
        return response

    app = bare()
    app.router.routes.append(Route("/hop", hop))
    followed = consent_client(site(app=app)).get("/hop")
    assert followed.url.path == "/plain"
    assert_sets(followed, "sid")
    assert_blocked(followed, "visits")
    stayed = consent_client(site(app=app), follow_redirects=False).get("/hop")
    assert stayed.status_code == 303


def test_the_lifespan_runs_where_it_is_entered() -> None:
    """As with Starlette's own client."""
    began: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        began.append("on")
        yield
        began.append("off")

    async def home(request: Request) -> JSONResponse:
        return JSONResponse(began)

    app = site(app=Starlette(routes=[Route("/", home)], lifespan=lifespan))
    with consent_client(app) as client:
        assert client.get("/").json() == ["on"]
    assert began == ["on", "off"]
    assert consent_client(app).get("/").json() == ["on", "off"]


def test_errors_of_the_app_are_raised_or_answered() -> None:
    """As with Starlette's own client."""

    async def boom(request: Request) -> JSONResponse:
        raise ZeroDivisionError

    app = site(app=Starlette(routes=[Route("/", boom)]))
    with pytest.raises(ZeroDivisionError):
        consent_client(app).get("/")
    assert consent_client(app, raise_server_exceptions=False).get("/").status_code == 500


def test_a_response_keeps_how_it_came() -> None:
    """Where the assertions look for what enforcement did."""
    response = consent_client(site()).get("/")
    passage = response.extensions[CAME_BY]
    assert passage.visitor.policy.revision == 2
    assert [event.name for event in passage.scope["consentkit"].events][:2] == ["visits", "stray"]


def test_django_is_asked_through_the_middleware() -> None:
    """Django's own client goes past it: what is around `asgi.py` is asked through this one."""
    need("django")
    from tests.hosts import django_site

    client = consent_client(site(app=django_site.site(debug=False)), "refused")
    response = client.get("/page")
    assert_sets(response, "sid")
    assert_blocked(response, "visits")


@pytest.mark.parametrize("missing", ["httpx2", "httpx"])
def test_either_library_will_do(missing: str) -> None:
    """httpx2 where it is installed, else httpx; no warning of Starlette's is the site's."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _WITHOUT.format(missing=missing)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == {"httpx2": "httpx", "httpx": "httpx2"}[missing]


_WITHOUT = """
import sys
sys.modules["{missing}"] = None
from consentkit.testing import assert_blocked, assert_sets, consent_client
from tests.testing.sites import site
client = consent_client(site(), "granted")
assert_sets(client.get("/"), "visits")
assert_blocked(client.get("/"), "stray")
print(type(client).__mro__[2].__module__.partition(".")[0])
"""
