"""Pages as an attacker sees them: what loads that should wait, and who answers for the visitor.

Each test is an attack that worked once, with a control beside it that shows that the probe is
alive. What stands in a page's bytes was tried in a real Chromium first: every one of these
addresses was asked for.
"""

from __future__ import annotations

import logging
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import HTMLResponse

from consentkit.testing import Browser
from consentkit.wire.gate import Gate, Waits
from consentkit.wire.urls import host_of
from tests.apps import DECLARED, NAVIGATION, NOW, consent, get, policy, says
from tests.browser.servers import PARENT, Server
from tests.browser.visitors import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser as Chromium
    from playwright.sync_api import Page
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from consentkit import Policy

TAGS, NOBODY = "tags.example", "nobody.example"
HTML: Any = [(b"content-type", b"text/html; charset=utf-8")]
CACHED = (b"cache-control", b"public, max-age=600")
CSP = b"content-security-policy"


def rules(**changes: Any) -> Policy:
    """The policy of a site with one third party."""
    whole = {
        "purposes": {
            "necessary": DECLARED["purposes"]["necessary"],
            "media": {"title": "Films", "description": "Films of others."},
        },
        "services": {
            "tags": {
                "purpose": "media",
                "provider": "Tags AG",
                "hosts": [TAGS, f"*.{TAGS}"],
                "inline": ["tagged("],
                "shows": "video",
            }
        },
        "cookies": {},
    }
    return policy(**{**whole, **changes})


def whole(page: bytes, *more: tuple[bytes, bytes], headers: Any = HTML) -> ASGIApp:
    """An app that sends a page in one piece."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, *more]})
        await send({"type": "http.response.body", "body": page})

    return app


async def shown(page: bytes, some: Policy | None = None, headers: Any = HTML) -> bytes:
    """What somebody who has answered nothing gets of a page."""
    return (await get(consent(says(page, headers=headers), some or rules()), "/", NAVIGATION)).body


# What a stream of HTML does not see

LOST = b"<body><noscript><svg></noscript>"  # from here on, two readings are possible
UNSEEN: dict[str, tuple[bytes, bytes]] = {
    "declarative shadow root": (
        (
            b"<body><div><template shadowrootmode=open data-consentkit-purpose=media>"
            b"<img src=//tags.example/a></template></div>"
        ),
        b" src=//tags.example",
    ),
    "template in a frameset": (
        (
            b"<html><frameset><template data-consentkit-purpose=media>"
            b"<frame src=//tags.example/a></template></frameset>"
        ),
        b" src=//tags.example",
    ),
    "document in a document in a document": (
        (
            b"<body><iframe srcdoc=\"<iframe srcdoc='<iframe srcdoc=&quot;"
            b"<img src=//tags.example/a>&quot;>'>\"></iframe>"
        ),
        b" srcdoc=\"<iframe srcdoc='",
    ),
    "host of 1,100 soft hyphens": (
        '<body><img src="//tags.exam{}ple/a">'.format("\u00ad" * 1100).encode(),
        b' src="//tags.exam',
    ),
    "link that is a dictionary": (
        b'<link rel="compression-dictionary" href="https://tags.example/a"><body>',
        b' href="https://tags.example',
    ),
    "address that an animation sets": (
        b'<body><svg><image><set attributeName="href" to="//tags.example/a.svg"/></image></svg>',
        b' to="//tags.example',
    ),
    "spaces before an equals sign": (
        LOST + b'<img src%b="//tags.example/a">' % (b" " * 20),
        b"<img src",
    ),
    "spaces before an address": (
        LOST + b'<img src="%b//tags.example/a">' % (b" " * 5000),
        b"<img src",
    ),
    "link in another tag's attribute": (
        LOST + b'<link rel=stylesheet x=">" y="<a " href="//tags.example/a.css">',
        b' href="//tags.example',
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", UNSEEN)
async def test_whatever_a_browser_fetches_waits(name: str) -> None:
    """R-01, R-53: what could be fetched in either of two readings waits."""
    page, live = UNSEEN[name]
    for waiting in (b"<body>", LOST):  # the control
        plain = await shown(waiting + b"<img src=//tags.example/a>")
        assert b" data-consentkit-src=//tags.example" in plain
    assert live in page
    assert live not in await shown(page)


@pytest.mark.parametrize("where", [b"//x\x83|.tags.example/a", b"//\x83@testserver/a"])
def test_a_host_in_another_charset_is_some_host(where: bytes) -> None:
    """In Shift_JIS these are katakana: a letter of the host, and no bar and no user name.

    Taken for UTF-8 the first is no host at all, and the second the page's own.
    """
    assert host_of(b"//x.tags.example/a") == "x.tags.example"  # the control
    assert host_of(where) not in {None, "testserver"}


@pytest.mark.anyio
@pytest.mark.parametrize("filler", ["\ufe0f", "\u034f", "\u180b", "\U000e0100"])
async def test_a_character_that_hosts_ignore_hides_no_service(filler: str) -> None:
    """UTS 46 maps it away, so under `undeclared: report` too this is a declared host."""
    some = rules(undeclared="report")
    page = '<body><img src="//tags.exam{}ple/a">'
    assert b" data-consentkit-src=" in await shown(page.format("\u00ad").encode(), some)  # control
    assert b" data-consentkit-src=" in await shown(page.format(filler).encode(), some)


@pytest.mark.anyio
async def test_a_page_in_iso_2022_jp_stays_as_it_is() -> None:
    """DESIGN §6: it does not extend ASCII: in it, a quote and a bracket are halves of kanji."""
    page = (
        '<!doctype html><html><head><meta name="description" content="\u5516\u9b8e\u9670">'
        "<title>A page</title></head><body><p>Hello</p></body></html>"
    )
    utf_8 = await shown(page.encode())
    assert b'<body><link rel="stylesheet" href="/consent/assets/consent.' in utf_8  # the control
    coded = page.encode("iso-2022-jp")
    kind = [(b"content-type", b"text/html; charset=ISO-2022-JP")]
    assert await shown(coded, headers=kind) == coded


SPECULATION = (b"speculation-rules", b'"https://tags.example/rules.json", "/own.json"')


@pytest.mark.anyio
async def test_a_header_names_no_rules_of_a_third_partys() -> None:
    """R-54: a browser fetches what Speculation-Rules names, as it does what Link names."""
    link = (b"link", b"<https://tags.example/a>; rel=preload; as=style")
    found = await get(consent(whole(b"<body>", link, SPECULATION), rules()), "/", NAVIGATION)
    assert found.all(b"link") == ()  # the control
    assert not any(b"tags.example" in value for value in found.all(b"speculation-rules"))


UNREAD: dict[str, Any] = {
    "no-transform": [*HTML, (b"cache-control", b"no-transform")],
    "encoded": [*HTML, (b"content-encoding", b"gzip")],
    "XHTML": [(b"content-type", b"application/xhtml+xml")],
    "SVG": [(b"content-type", b"image/svg+xml")],
}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", UNREAD)
async def test_what_the_gate_does_not_read_the_policy_still_stops(kind: str) -> None:
    """DESIGN §6: CSP is the backstop, so it has to stand behind the documents nobody reads."""
    csp = (CSP, b"img-src tags.example")
    app = consent(whole(b"<body>", csp), rules(csp="enforce"))
    assert (await get(app, "/", NAVIGATION)).all(CSP) == (b"img-src 'none'",)  # the control
    unread = consent(whole(b"<body>", csp, headers=UNREAD[kind]), rules(csp="enforce"))
    assert (await get(unread, "/", NAVIGATION)).all(CSP) == (b"img-src 'none'",)


@pytest.mark.anyio
async def test_a_redirect_that_leads_nowhere_is_a_page() -> None:
    """A browser shows the body of a 300 or 302 that has no Location (RFC 9110 §15.4)."""
    page = b"<body><img src=//tags.example/a>"
    moved = [*HTML, (b"location", b"/there")]
    away = await get(consent(says(page, headers=moved, status=302), rules()), "/", NAVIGATION)
    assert away.body == page  # the control
    here = await get(consent(says(page, headers=HTML, status=300), rules()), "/", NAVIGATION)
    assert b" src=//tags.example" not in here.body


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [b" text/html", b"\ttext/html; charset=utf-8"])
async def test_a_blank_before_the_media_type_changes_nothing(kind: bytes) -> None:
    """RFC 9110 §5.5: it does not belong to the value, and browsers take it off."""
    page = b"<body><img src=//tags.example/a>"
    assert b" data-consentkit-src=" in await shown(page)  # the control
    assert b" data-consentkit-src=" in await shown(page, headers=[(b"content-type", kind)])


# Whose page it is


@pytest.mark.anyio
async def test_no_host_header_spoils_another_hosts_policy() -> None:
    """One request with ``Host: site/consent`` must not change what the visitors of `site` get."""
    csp = (CSP, b"script-src 'none'; img-src testserver")
    good = {**NAVIGATION, "host": "testserver"}
    fresh = (await get(consent(whole(b"<body>", csp), rules(csp="enforce")), "/", good)).all(CSP)
    assert b"img-src testserver" in fresh[0]  # the control
    spoilt = consent(whole(b"<body>", csp), rules(csp="enforce"))
    await get(spoilt, "/", {**NAVIGATION, "host": "testserver/consent"})
    assert (await get(spoilt, "/", good)).all(CSP) == fresh


@pytest.mark.anyio
async def test_a_shared_page_names_nobodys_query() -> None:
    """DESIGN §6: a CDN that leaves ``?gclid=…`` out of its key hands this page to everybody."""
    page = b'<body><iframe src="https://tags.example/a"></iframe>'
    app = consent(whole(page, CACHED), rules(pages="shared"))
    shared = await get(app, "/page", NAVIGATION, query_string=b"gclid=somebody")
    assert b"/page" in shared.body  # the control: the page to come back to stands in it
    assert b"somebody" not in shared.body


@pytest.mark.anyio
@pytest.mark.parametrize(
    "part", [{"sec-fetch-dest": "iframe"}, {"hx-request": "true"}, {"turbo-frame": "a"}]
)
async def test_no_part_takes_the_place_of_a_shared_page(part: dict[str, str]) -> None:
    """A CDN that knows no Vary but Accept-Encoding would keep a page without a notice for all."""
    app = consent(whole(b"<body>", CACHED), rules(pages="shared"))
    page = await get(app, "/", NAVIGATION)
    assert page.all(b"cache-control") == (CACHED[1],)  # the control
    other = await get(app, "/", {**NAVIGATION, **part})
    assert b'id="consentkit"' not in other.body
    assert b"private" in b",".join(other.all(b"cache-control"))


@pytest.mark.anyio
async def test_a_variant_says_what_was_answered_and_not_when() -> None:
    """R-20: an ETag comes back with each request, so it may not tell one granter from another."""
    tags: dict[str, set[str | None]] = {"accept-all": set(), "reject-all": set()}
    for choice, found in tags.items():
        for later in (0, 61, 86_461):
            clock: Callable[[], float] = lambda later=later: NOW + later  # type: ignore[misc]  # noqa: E731
            app = consent(whole(b"<body>", (b"etag", b'"a"')), rules(), clock=clock)
            visitor = Browser(app, clock=clock)
            await visitor.submit("/consent", choice=choice, next="/")
            found.add((await visitor.visit("/")).header("etag"))
    assert [len(each) for each in tags.values()] == [1, 1]
    assert tags["accept-all"] != tags["reject-all"]  # the control


@pytest.mark.anyio
async def test_in_report_mode_a_known_page_tells_of_its_own_visitor() -> None:
    """A page that came for a visitor who refused must not be told of one who granted."""
    heard: list[Any] = []
    app = whole(b"<body><img src=//tags.example/a>")
    app = consent(app, rules(), report_only=True, banner=True, on_decision=heard.append)
    for choice, told in (("reject-all", ["refused"]), ("accept-all", [])):
        visitor = Browser(app, clock=lambda: NOW)
        await visitor.submit("/consent", choice=choice, next="/")
        heard.clear()
        await visitor.visit("/")
        assert [event.why for event in heard] == told


# Bounded everything


@pytest.mark.parametrize("kind", [b"importmap", b"speculationrules"])
def test_a_list_without_an_end_is_read_once(kind: bytes) -> None:
    """64 KB of quotes took twelve seconds, in which nobody else was served."""
    took = []
    for quote in (b"\\'", b'\\"'):  # the control stands first
        page = b'<script type=%b>{"' % kind + quote * 4000 + b"</script>"
        began = time.thread_time()  # of which nobody else on this machine takes any
        Gate(lambda _: Waits(b"m"), is_own=lambda _: False).feed(page, last=True)
        took.append(time.thread_time() - began)
    assert took[1] < 20 * took[0] + 0.02


@pytest.mark.anyio
async def test_one_page_does_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """DESIGN §9: a page of visitors' own markup may name any number of hosts, again and again."""
    caplog.set_level(logging.INFO, "consentkit.enforcement")
    page = b"<body>" + b"".join(b"<img src=//a%d.example/>" % number for number in range(3000))
    found = await shown(page)
    assert found.count(b" data-consentkit-src=") == 3000  # the control: all of them wait
    assert 0 < len(caplog.messages) <= 1024


@pytest.mark.anyio
async def test_long_headers_of_strangers_are_not_kept() -> None:
    """Some bytes for each state are kept; sixty kilobytes of Accept-Language for each are not."""
    app = consent(whole(b"<body>hi"), rules(languages=["en", "de"]))
    await get(app, "/", NAVIGATION)
    tracemalloc.start()
    for number in range(160):
        language = f"x-{number}," + "a" * 30_000
        cookie = f"a={number // 8}"
        await get(app, "/", {**NAVIGATION, "accept-language": language, "cookie": cookie})
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2_000_000


# In the browser


class Third:
    """The server that plays every third party."""

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        kind = b"image/svg+xml" if scope["path"].endswith("svg") else b"text/html"
        body = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
        headers = [(b"content-type", kind), (b"cache-control", b"no-store")]
        start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": body if b"svg" in kind else b"Hi"})


@pytest.fixture
def third() -> Iterator[Server]:
    with Server(Third()) as server:
        yield server


@pytest.fixture
def page(browser: Chromium) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


def site(body: str, some: Policy | None = None) -> Server:
    """A server of pages with this body, held to a policy on the real clock."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await HTMLResponse(f"<!doctype html><title>A page</title><body>{body}</body>")(
            scope, receive, send
        )

    return Server(consent(app, some or rules(), clock=time.time))


def asked(third: Server) -> set[str]:
    return {one.path for one in third.log}


def settled(page: Page) -> None:
    page.wait_for_function("window.consentkit")
    page.wait_for_timeout(500)


@pytest.mark.parametrize("name", ["srcdoc", "xlink:srcdoc"])
def test_no_attribute_of_a_visitors_becomes_a_document(page: Page, name: str) -> None:
    """Sanitizers let `data-` attributes pass; this one ran a script on the site's own origin."""
    frame = '<iframe data-consentkit-service="tags" data-consentkit-src="/x"'
    script = "<script>parent.ran = 1</script>"
    with site(f"{frame} data-consentkit-{name}='{script}'></iframe>") as server:
        page.goto(server.origin())
        settled(page)
        page.click("button[name=choice][value=accept-all]")
        page.wait_for_function("document.querySelector('iframe').src")  # the control
        page.wait_for_timeout(500)
        assert page.evaluate("window.ran ?? null") is None


def test_an_element_without_a_service_is_never_given_back(page: Page, third: Server) -> None:
    """docs/reference/browser.md: empty means that nobody declared the host; a blank is as empty.

    Nor does a purpose of the author's own, on an element that is no template, allow a host.
    """
    at = f"http://{NOBODY}:{third.port}"
    waiting = f'<img src="http://{TAGS}:{third.port}/declared.svg">'
    with site(
        f'<img data-consentkit-service=" " data-consentkit-src="{at}/blank.svg">'
        f'<img data-consentkit-purpose="media" src="{at}/purpose.svg">{waiting}'
    ) as server:
        page.goto(server.origin())
        settled(page)
        assert asked(third) == set()
        page.click("button[name=choice][value=accept-all]")
        wait_until(lambda: asked(third))
        page.wait_for_timeout(500)
        assert asked(third) == {"/declared.svg"}


def test_another_site_gets_no_answer_by_a_click_on_its_own_page(page: Page, third: Server) -> None:
    """R-10: whoever frames a page, unseen, could have the visitor press a placeholder's button."""
    film = f'<iframe src="http://{TAGS}:{third.port}/film" width=600 height=400></iframe>'
    with site(film) as server:
        framed = (
            f'<iframe style="opacity:.01" width=640 height=440 src="{server.origin()}"></iframe>'
        )
        with site(framed, rules(undeclared="report")) as elsewhere:
            page.goto(server.origin())
            button = "button[name=service]"
            assert page.frames[-1].locator(button).count() == 1  # the control: in a tab it stands
            page.goto(elsewhere.origin("www.elsewhere.example"))
            inner = page.frames[-1]
            inner.wait_for_load_state()
            assert server.origin() in {frame.url.rstrip("/") for frame in page.frames}
            if inner.locator(button).count():
                inner.locator(button).first.click(force=True)
                page.wait_for_timeout(700)
            assert not [one for one in page.context.cookies() if PARENT in one["domain"]]


LATE_BASES = {
    "lazy": "<img loading=lazy src=a.svg>",
    "video": "<video src=a.svg></video>",
}


@pytest.mark.parametrize("kind", LATE_BASES)
def test_a_base_that_comes_late_leads_nobody_away(page: Page, third: Server, kind: str) -> None:
    """Relative addresses before a `<base>` may be resolved after it: when the image is in sight.

    A film's is where the parser gets to the base before the film looks for it, so that the control
    may take more than one visit.
    """
    base = f'<base href="http://{TAGS}:{third.port}/">'
    with site(LATE_BASES[kind] + base, rules(undeclared="report", services={})) as server:
        for _ in range(20):
            page.goto(server.origin())
            page.wait_for_timeout(700)
            if asked(third):
                break
        assert asked(third) == {"/a.svg"}  # the control
        third.log.clear()
    with site(LATE_BASES[kind] + base) as server:
        page.goto(server.origin())
        page.wait_for_timeout(700)
        assert asked(third) == set()
