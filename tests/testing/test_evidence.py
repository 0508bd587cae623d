"""What any client gives is read as one kind of value."""

import http.cookiejar
import time
import urllib.request
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest

from consentkit.rules.policy import Where
from consentkit.testing import (
    Browser,
    Response,
    assert_blocked,
    assert_only_declared,
    assert_removed,
    assert_sets,
    consent_client,
)
from consentkit.testing.evidence import Evidence, evidence_of
from tests.hosts.conftest import need
from tests.testing.sites import page, policy, site

pytestmark = pytest.mark.anyio

SOON = time.time() + 3600
LINES = ("p=1; Path=/a; Secure; HttpOnly; SameSite=Lax", "q=; Max-Age=0")


def names(thing: Any) -> list[str]:
    return [f"{each.name}{'-' if each.is_removal else ''}" for each in evidence_of(thing).cookies]


# Responses


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_response_of_httpx(library: Any) -> None:
    """With an address and without, its body read and not."""
    headers = [(b"set-cookie", line.encode()) for line in LINES] + [(b"link", b"</a>; rel=x")]
    asked = library.Request("GET", "https://a.example/b")
    response = library.Response(200, headers=headers, request=asked, html=page())
    found = evidence_of(response)
    assert names(response) == ["p", "q-"]
    assert (found.url, found.links) == ("https://a.example/b", (b"</a>; rel=x",))
    assert (found.page, found.content_type) == (page().encode(), "text/html; charset=utf-8")
    assert (found.events, found.policy, found.standing) == (None, None, None)
    loose = evidence_of(library.Response(200, stream=library.ByteStream(b"")))
    assert (loose.url, loose.page) == ("", None)


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_a_response_of_an_async_client(library: Any) -> None:
    """The very same, under asyncio and trio."""
    transport = library.ASGITransport(app=site())
    async with library.AsyncClient(transport=transport, base_url="https://testserver") as client:
        response = await client.get("/")
        assert assert_sets(response, "sid").attributes.http_only
        assert_blocked(response, "visits")
        assert_sets(client, "sid")
        assert_sets(client.cookies, "sid")
        assert_sets(client.cookies.jar, "sid")
        assert_only_declared(client, policy())


async def test_a_response_of_a_browser_without_a_screen() -> None:
    """Ours, and its jar."""
    browser = Browser(site())
    response = await browser.visit("/")
    found = evidence_of(response)
    assert (found.url, found.is_enforced) == ("https://testserver/", True)
    assert found.standing is not None
    assert found.policy is found.standing.policy
    browser.store("d=1; Domain=testserver; Max-Age=60; SameSite=None; Secure; Partitioned")
    browser.store("bare")
    assert sorted(names(browser)) == ["", "d", "sid"]
    cookie = assert_sets(browser, "d").attributes
    assert (cookie.domain, cookie.same_site, cookie.partitioned) == (b"testserver", "none", True)
    assert 0 < (cookie.lifetime(time.time()) or 0) <= 60
    assert evidence_of(Response(200, (), b"")).standing is None


def test_a_response_of_consent_client() -> None:
    """It knows what was decided; without a middleware it knows whose policy was meant."""
    found = evidence_of(consent_client(site(), "granted").get("/"))
    assert found.events is not None
    assert found.standing is not None
    assert (found.is_enforced, found.policy) == (True, found.standing.policy)
    assert not evidence_of(consent_client(site(report_only=True)).get("/")).is_enforced
    excluded = evidence_of(consent_client(site(exclude=["/plain"])).get("/plain"))
    assert (excluded.events, excluded.standing) == (None, None)
    assert excluded.policy is not None


def test_a_response_of_django() -> None:
    """It keeps its cookies apart from its headers."""
    need("django")
    import tests.hosts.django_site  # noqa: F401, I001 - configures Django, and so comes first
    from django.http import HttpResponse
    from django.test import Client

    client = Client()
    response = client.get("/page")
    assert names(response) == ["sid", "visits", "stray", "old-"]
    assert evidence_of(response).url == "http://testserver/page"
    assert b"Hello" in (evidence_of(response).page or b"")
    assert assert_sets(response, "visits").attributes.max_age == 60
    assert_removed(response, "old")
    assert_sets(client, "sid")
    assert_sets(client.cookies, "sid")
    with pytest.raises(AssertionError, match="not declared: cookie 'stray'"):
        assert_only_declared(response, policy())
    made = evidence_of(HttpResponse(headers={"Link": "</a>; rel=x"}))
    assert (made.links, made.url) == ((b"</a>; rel=x",), "")
    assert evidence_of(client.get("/stream")).page is None


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # Django and Quart have no other
async def test_a_response_of_djangos_async_client() -> None:
    """The same, awaited."""
    need("django")
    import tests.hosts.django_site  # noqa: F401, I001 - configures Django, and so comes first
    from django.test import AsyncClient

    response = await AsyncClient().get("/page")
    assert assert_sets(response, "sid").attributes.http_only
    assert evidence_of(response).url == "http://testserver/page"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_response_of_quart() -> None:
    """Werkzeug's headers, and a body that is to be awaited."""
    need("quart")
    from tests.hosts import quart_site

    response = await quart_site.site(debug=False).test_client().get("/page")
    assert assert_sets(response, "sid").attributes.http_only
    assert evidence_of(response).page is None


def test_plain_lists_and_texts() -> None:
    """For a client that nobody here has heard of."""
    assert names([line.encode() for line in LINES]) == ["p", "q-"]
    assert names(()) == []
    for text in (page(), page().encode()):
        assert evidence_of(text).page == page().encode()
    found = Evidence()
    assert evidence_of(found) is found


# Jars


def test_a_jar_of_the_standard_library() -> None:
    """What `http.cookiejar` keeps of an attribute it does not know stays with the cookie."""
    jar = http.cookiejar.CookieJar()
    headers = [("Set-Cookie", LINES[0]), ("Set-Cookie", "s=1; Domain=.a.example; Max-Age=60")]

    class Answer:
        def info(self) -> Any:
            from email.message import Message

            message = Message()
            for name, value in headers:
                message[name] = value
            return message

    request = urllib.request.Request("https://www.a.example/a/b")
    jar.extract_cookies(Answer(), request)  # type: ignore[arg-type]  # all that the jar asks of one
    p, s = assert_sets(jar, "p").attributes, assert_sets(jar, "s").attributes
    assert (p.path, p.secure, p.http_only, p.same_site) == (b"/a", True, True, "lax")
    assert (p.domain, p.lifetime(time.time()), s.domain) == (None, None, b"a.example")
    assert 0 < (s.lifetime(time.time()) or 0) <= 60


def test_a_jar_may_hold_a_cookie_without_a_value() -> None:
    """It is stored under no name, as its bare text."""
    jar = http.cookiejar.CookieJar()
    none = dict.fromkeys(("port", "comment", "comment_url", "value", "expires"))
    flags = ("port_specified", "domain_specified", "domain_initial_dot", "secure", "discard")
    named = {"version": 0, "name": "bare", "domain": "a", "path": "/", "path_specified": True}
    facts: dict[str, Any] = {**named, **none, **dict.fromkeys(flags, False), "rest": {}}
    jar.set_cookie(http.cookiejar.Cookie(**facts))
    assert names(jar) == [""]


def test_a_jar_of_morsels() -> None:
    """`http.cookies`, which Django's clients have."""
    cookies = SimpleCookie("p=1; q=2")
    cookies["q"]["max-age"] = 0
    assert names(cookies) == ["p", "q-"]


# Playwright


COOKIES: list[dict[str, Any]] = [
    {"name": "p", "value": "1", "domain": "a.example", "path": "/a", "expires": -1, "secure": True},
    {
        "name": "q",
        "value": "2",
        "domain": ".a.example",
        "path": "/",
        "expires": SOON,
        "httpOnly": True,
        "sameSite": "None",
        "partitionKey": "https://b.example",
    },
]
STATE: dict[str, Any] = {
    "cookies": COOKIES,
    "origins": [
        {
            "origin": "https://a.example:8443",
            "localStorage": [{"name": "theme", "value": "dark"}],
            "indexedDB": [{"name": "db"}],
        },
        {"origin": "https://b.example"},
    ],
}


def test_what_a_browser_context_lists() -> None:
    """Cookies as `context.cookies()` has them, and all as `context.storage_state()` has it."""
    p, q = assert_sets(COOKIES, "p").attributes, assert_sets(COOKIES, "q").attributes
    assert (p.domain, p.path, p.secure, p.expires) == (None, b"/a", True, None)
    assert (q.domain, q.http_only, q.same_site, q.partitioned) == (b"a.example", True, "none", True)
    assert q.expires == int(SOON)
    found = evidence_of(STATE)
    assert found.is_jar
    assert found.items == (
        (Where.LOCAL, "theme", "a.example"),
        (Where.INDEXED_DB, "db", "a.example"),
    )


def test_what_a_browsers_response_lists() -> None:
    """`headers_array()`: Chromium may put lines of one name together."""
    headers = [
        {"name": "Set-Cookie", "value": "\n".join(LINES)},
        {"name": "content-type", "value": "text/html"},
        {"name": "link", "value": "</a>; rel=x"},
    ]
    found = evidence_of(headers)
    assert names(headers) == ["p", "q-"]
    assert (found.content_type, found.links, found.is_jar) == (
        "text/html",
        (b"</a>; rel=x",),
        False,
    )


class Sync:
    """A context, a page and a response, as Playwright's sync API has them."""

    url = "https://a.example/"
    cookies = staticmethod(lambda: COOKIES)

    @property
    def context(self) -> "Sync":
        return self

    def storage_state(self) -> Any:
        return STATE


class SyncPage(Sync):
    def content(self) -> str:
        return page()


class SyncResponse:
    url = "https://a.example/"

    def headers_array(self) -> Any:
        return [{"name": "set-cookie", "value": LINES[0]}]


def test_a_page_a_context_and_a_response_of_a_browser() -> None:
    """Those of Playwright's sync API are asked for what they have."""
    assert names(Sync()) == names(SyncPage()) == ["p", "q"]
    found = evidence_of(SyncPage())
    assert (found.page, found.url) == (page().encode(), "https://a.example/")
    assert isinstance(found.live, SyncPage)
    assert (names(SyncResponse()), evidence_of(SyncResponse()).url) == (["p"], "https://a.example/")


class Later:
    """Something that is to be awaited, and is no coroutine."""

    def __await__(self) -> Any:
        yield


class AsyncContext(Sync):
    async def storage_state(self) -> Any:
        return STATE


class AsyncPage(Sync):
    def content(self) -> Any:
        return Later()


class AsyncResponse(SyncResponse):
    async def headers_array(self) -> Any:
        return []


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (Later(), "write 'await' before it"),
        (AsyncContext(), r"hand over 'await context\.storage_state\(\)'"),
        (AsyncPage(), r"hand over 'await page\.content\(\)', and site=page\.url"),
        (AsyncResponse(), r"hand over 'await response\.headers_array\(\)'"),
        (7, "a int is no response, jar, client, browser context or page"),
        (Path(), "Path is no response"),
        ([1], "a list is no response"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_do(thing: Any, said: str) -> None:
    """A slip in the test, and not a failure of the site: TypeError."""
    with pytest.raises(TypeError, match=said):
        evidence_of(thing)


async def test_a_coroutine_is_told_and_closed() -> None:
    """The commonest slip with an async client leaves no warning behind."""

    async def get() -> None:
        pass

    with pytest.raises(TypeError, match="write 'await' before it"):
        assert_sets(get(), "p")
