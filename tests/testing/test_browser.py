"""A browser without a screen: what it sends, and what it keeps."""

from typing import Any

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send

from consentkit import ConsentMiddleware, Policy
from consentkit.testing import Browser, Response

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Site:
    """An app that keeps what it was asked, and answers with the cookies it is told to."""

    def __init__(self, *set_cookies: bytes, status: int = 200) -> None:
        self.set_cookies, self.status = set_cookies, status
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        first = await receive()
        self.bodies.append(first["body"])
        headers = [(b"Content-Type", b"text/plain"), (b"X-A", b"1"), (b"x-a", b"2")]
        headers += [(b"Set-Cookie", value) for value in self.set_cookies]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"a": ', "more_body": True})
        await send({"type": "http.response.body", "body": '1, "b": "é"}'.encode()})

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the last request."""
        return {name.decode(): value.decode() for name, value in self.scopes[-1]["headers"]}

    @property
    def cookie(self) -> str | None:
        return self.headers.get("cookie")


def policy(**changes: Any) -> Policy:
    words = {"title": "A", "description": "B"}
    whole: dict[str, Any] = {
        "site": {"name": "A", "controller": "B", "contact": "a@site.example"},
        "mode": "explicit",
        "purposes": {"analytics": words},
        "cookies": {"p": {"kind": "session", "purpose": "analytics", "description": "C"}},
    }
    return Policy.model_validate({**whole, **changes})


# What a browser sends


async def test_a_visit_a_click_and_a_form_carry_what_a_browser_sends() -> None:
    """W3C Fetch Metadata: where a request comes from, and that a person made it."""
    site = Site()
    browser = Browser(site, url="https://www.example.org:8443")
    navigation = {
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-user": "?1",
    }
    for act, fetch_site in ((browser.visit, "none"), (browser.follow, "same-origin")):
        await act("/a")
        assert navigation.items() <= site.headers.items()
        assert site.headers["sec-fetch-site"] == fetch_site
        assert site.headers["accept"].startswith("text/html")
        assert site.headers["host"] == "www.example.org:8443"
        assert "Firefox" in site.headers["user-agent"]
        assert "origin" not in site.headers
    await browser.submit("/form", [("purpose", "a"), ("purpose", "b")], choice="é&x")
    assert site.scopes[-1]["method"] == "POST"
    assert site.bodies[-1] == b"purpose=a&purpose=b&choice=%C3%A9%26x"
    assert site.headers["origin"] == "https://www.example.org:8443"
    assert site.headers["content-type"] == "application/x-www-form-urlencoded"
    assert site.headers["content-length"] == str(len(site.bodies[-1]))


async def test_a_script_says_that_it_is_one() -> None:
    """`fetch`: an Origin only where something may be changed."""
    site = Site()
    browser = Browser(site)
    await browser.fetch("/a", sec_gpc="1")
    assert site.headers["sec-fetch-dest"] == "empty"
    assert site.headers["sec-gpc"] == "1"
    assert "origin" not in site.headers
    await browser.fetch("/a", "PUT", accept="application/json")
    assert site.headers["origin"] == "https://testserver"
    assert site.headers["accept"] == "application/json"


async def test_a_bare_request_carries_what_it_is_told_and_nothing_else() -> None:
    """For the old browser, the robot and the attacker."""
    site = Site()
    browser = Browser(site, headers={"DNT": "1", "user-agent": "robot"})
    await browser.request("GET", "/a", headers={"X-B": "é"})
    assert site.headers == {"host": "testserver", "dnt": "1", "user-agent": "robot", "x-b": "é"}
    await browser.visit("/a", user_agent="other", accept_language="cy")
    assert (site.headers["user-agent"], site.headers["accept-language"]) == ("other", "cy")


async def test_the_path_is_decoded_and_the_query_kept() -> None:
    """ASGI's `path` is text, `raw_path` what stood in the request."""
    site = Site()
    await Browser(site).visit("/caf%C3%A9?a=b%20c&d")
    scope = site.scopes[-1]
    assert scope["path"] == "/café"
    assert scope["raw_path"] == b"/caf%C3%A9"
    assert scope["query_string"] == b"a=b%20c&d"


# What comes back


async def test_a_response_can_be_looked_at() -> None:
    """Raw pairs, and what is mostly wanted of them."""
    response = await Browser(Site(b"p=1", b"q=2", status=201)).visit("/")
    assert response.status == 201
    assert response.json() == {"a": 1, "b": "é"}
    assert response.text == '{"a": 1, "b": "é"}'
    assert response.all(b"x-a") == (b"1", b"2")
    assert (response.header("X-A"), response.header("x-b")) == ("1", None)
    assert response.set_cookies == (b"p=1", b"q=2")
    assert [message["type"] for message in response.messages] == [
        "http.response.start",
        "http.response.body",
        "http.response.body",
    ]


async def test_an_app_that_answers_nothing_is_told() -> None:
    """An app that forgets to answer hangs a real browser."""

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    with pytest.raises(AssertionError, match="/x: the app ended without starting a response"):
        await Browser(silent).visit("/x")


async def test_the_browser_stays_until_it_has_its_answer() -> None:
    """Django, for one, gives up where the visitor seems to have left before the page was made."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        with anyio.move_on_after(0.05):
            await receive()
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        assert await receive() == {"type": "http.disconnect"}

    assert (await Browser(app).visit("/")).status == 204


async def test_what_enforcement_did_stands_in_the_response() -> None:
    """Under the middleware; without it there is nothing to tell."""
    covered = ConsentMiddleware(Site(b"p=1"), policy=policy(), secret_key="k" * 32)
    assert [(e.act, e.name) for e in (await Browser(covered).visit("/")).events] == [
        ("blocked", "p")
    ]
    assert (await Browser(Site(b"p=1")).visit("/")).events == ()


# The jar (RFC 6265bis section 5)


async def sent_to(path: str, *stored: str, url: str = "https://www.example.org") -> str | None:
    """The Cookie header of a visit to `path`, with these in the jar."""
    site = Site()
    browser = Browser(site, url=url, clock=Clock())
    for each in stored:
        browser.store(each, "/shop/cart")
    await browser.visit(path)
    return site.cookie


@pytest.mark.parametrize(
    ("stored", "path", "goes"),
    [
        ("p=1; Path=/", "/shop", True),
        ("p=1; Path=/shop", "/shop", True),
        ("p=1; Path=/shop", "/shop/", True),
        ("p=1; Path=/shop", "/shop/x", True),
        ("p=1; Path=/shop/", "/shop/x", True),
        ("p=1; Path=/shop/", "/shop", False),
        ("p=1; Path=/shop", "/shopping", False),
        ("p=1; Path=/shop", "/", False),
        ("p=1", "/shop/x", True),
        ("p=1", "/shop", True),
        ("p=1", "/", False),
        ("p=1; Path=shop", "/shop", True),
    ],
)
async def test_a_cookie_goes_to_the_paths_it_belongs_to(
    stored: str,
    path: str,
    goes: bool,  # noqa: FBT001
) -> None:
    """RFC 6265bis section 5.1.4: without a path it belongs to the directory of its page."""
    assert await sent_to(path, stored) == ("p=1" if goes else None)


@pytest.mark.parametrize(
    ("stored", "url", "goes"),
    [
        ("p=1; Domain=example.org", "https://www.example.org", True),
        ("p=1; Domain=.Example.ORG", "https://www.example.org", True),
        ("p=1; Domain=www.example.org", "https://www.example.org:8443", True),
        ("p=1; Domain=shop.example.org", "https://www.example.org", False),
        ("p=1; Domain=ample.org", "https://www.example.org", False),
        ("p=1; Domain=evil.com", "https://www.example.org", False),
        ("p=1; Domain=0.0.1", "http://127.0.0.1", False),
        ("p=1; Domain=127.0.0.1", "http://127.0.0.1:8000", True),
        ("p=1; Secure", "http://www.example.org", False),
        ("p=1", "http://www.example.org", True),
        ("__Host-p=1; Secure; Path=/", "https://www.example.org", True),
        ("__Host-p=1; Secure; Path=/shop", "https://www.example.org", False),
        ("p=1; Max-Age=1", "https://www.example.org", True),
        ("p=1; Max-Age=0", "https://www.example.org", False),
        ("p=\x01", "https://www.example.org", False),
    ],
)
async def test_a_browser_stores_what_it_may(
    stored: str,
    url: str,
    goes: bool,  # noqa: FBT001
) -> None:
    """RFC 6265bis sections 5.1.3 and 5.7."""
    sent = await sent_to("/shop/x", stored, url=url)
    assert sent == (stored.partition(";")[0] if goes else None)


async def test_the_longest_path_goes_first_and_then_the_oldest() -> None:
    """RFC 6265bis section 5.8.3; a nameless cookie goes as its bare value."""
    stored = ["b=1; Path=/", "a=1; Path=/", "c=1; Path=/shop", "bare; Path=/", "b=2; Path=/"]
    assert await sent_to("/shop", *stored) == "c=1; b=2; a=1; bare"


async def test_a_cookie_is_another_one_by_name_path_domain_and_partition() -> None:
    """RFC 6265bis section 5.7, CHIPS: a removal reaches only what it matches (R-84)."""
    browser = Browser(Site(), url="https://www.example.org")
    variants = [
        "p=1; Path=/",
        "p=2; Path=/shop",
        "p=3; Path=/; Domain=example.org",
        "p=4; Path=/; Secure; Partitioned",
    ]
    for each in variants:
        browser.store(each)
    assert [each.value for each in browser.jar] == ["1", "2", "3", "4"]
    browser.store("p=; Path=/; Max-Age=0")
    browser.store("q=; Path=/; Max-Age=0")
    assert [each.value for each in browser.jar] == ["2", "3", "4"]
    browser.store("p=; Path=/; Max-Age=0; Secure; Partitioned")
    browser.store("p=; Path=/; Max-Age=0; Domain=example.org")
    assert [each.value for each in browser.jar] == ["2"]


async def test_a_cookie_is_forgotten_when_its_time_is_up() -> None:
    """By the browser's own clock."""
    clock, site = (
        Clock(),
        Site(b"p=1; Max-Age=60", b"s=1", b"e=1; Expires=Fri, 15 Jan 2027 08:00:10 GMT"),
    )
    browser = Browser(site, clock=clock)
    await browser.visit("/")
    assert browser.cookies == {"p": "1", "s": "1", "e": "1"}
    assert [each.expires for each in browser.jar] == [NOW + 60, None, 1_800_000_010.0]
    clock.now += 60
    assert browser.cookies == {"s": "1"}


async def test_what_is_stored_can_be_looked_at() -> None:
    """Host-only or not, and with every attribute."""
    browser = Browser(Site(b"p=1; HttpOnly", b"d=2; Domain=testserver; Path=/x"))
    await browser.visit("/a/b")
    host_only, shared = browser.jar
    assert (host_only.domain, host_only.path, host_only.is_host_only) == ("testserver", "/a", True)
    assert (shared.domain, shared.path, shared.is_host_only) == ("testserver", "/x", False)
    assert host_only.cookie.attributes.http_only


def test_messages_are_what_asgi_has() -> None:
    """For what a test wants to see and nobody thought of."""
    message: Message = {"type": "http.response.start", "status": 200}
    assert Response(200, (), b"", (), (message,)).messages == (message,)


async def test_a_response_says_whose_it_is() -> None:
    """What the visitor's answers came to, and the address; without the middleware nobody knows."""
    covered = ConsentMiddleware(Site(), policy=policy(), secret_key="k" * 32)
    browser = Browser(covered)
    await browser.submit("/consent", choice="accept-all")
    response = await browser.follow("/a?b")
    assert response.visitor is not None
    assert response.visitor.allows("analytics")
    assert response.url == "https://testserver/a?b"
    assert (await Browser(Site()).visit("/")).visitor is None
