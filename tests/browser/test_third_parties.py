"""No request leaves before the answer: every way in which HTML fetches, in a real browser.

Third parties are this machine under names of their own, and the log of their server is the judge.
The same pages without consentkit are the control: there every way of fetching does ask them.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.browser.visitors import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from tests.browser.conftest import NewVisitor, Serve
    from tests.browser.servers import Server
    from tests.browser.visitors import Visitor

KEY = "k" * 32
TAGS, NOBODY = "tags.example", "nobody.example"
POLICY = """
site: {name: A site, controller: Its owner, hosts: [static.example]}
mode: explicit
settings-link: manual
purposes:
  media: {title: Media, description: Media of others.}
services:
  tags:
    purpose: media
    provider: Tags Ltd
    hosts: [tags.example]
    inline: [from-the-map]
    shows: video
"""
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
KINDS = {
    "js": ("text/javascript", b"export {}"),
    "css": ("text/css", b"p {}"),
    "svg": ("image/svg+xml", SVG),
    "html": ("text/html", b"<title>Elsewhere</title>"),
    "json": ("application/json", b"{}"),
    "vtt": ("text/vtt", b"WEBVTT\n"),
    "mp4": ("video/mp4", b""),
}


async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    """A third party that has everything, in the kind that the name ends with."""
    kind, body = KINDS[scope["path"].rpartition(".")[2]]
    headers = {"access-control-allow-origin": "*", "cache-control": "no-store"}
    await Response(body, media_type=kind, headers=headers)(scope, receive, send)


# How HTML fetches. Each address has a name of its own, so that the log says which of them asked.

HEAD = """
<link rel="preload" as="style" href="//T/preload.css">
<link rel="preload" as="script" href="//T/preload.js">
<link rel="preload" as="image" imagesrcset="//T/imagesrcset.svg 1x" href="//T/imagesrcset-0.svg">
<link rel="modulepreload" href="//T/modulepreload.js">
<link rel="prefetch" href="//T/prefetch.html">
<LINK REL="STYLESHEET" HREF="HTTP://T/stylesheet.css">
<link rel="alternate stylesheet" title="other" href="//T/alternate.css">
<link rel="icon" href="//T/icon.svg"><link rel="manifest" href="//T/manifest.json">
<script src="//T/script.js" type="module"></script>
<script src="//T/async.js" async></script>
<script src="//T/defer.js" defer></script>
<script src=//T/classic.js></script>
<script type="importmap">{"imports": {"from-the-map": "http:\\/\\/T/imported.js"}}</script>
<script type="module">import "from-the-map"</script>
"""
BODY = """
<iframe src="//T/iframe.html" width="320" height="180"></iframe>
<iframe srcdoc="<img src='//T/srcdoc.svg'>" width="320" height="180"></iframe>
<img src="//T/img.svg" alt>
<img srcset="//T/srcset.svg 1x" alt>
<IMG SRC="
\\\\T\\backslash.svg" ALT>
<img src="&#47;&#x2f;T/references.svg" alt>
<picture><source srcset="//T/source-srcset.svg"><img alt></picture>
<object data="//T/object.html" type="text/html"></object>
<embed src="//T/embed.html" type="text/html">
<video src="//T/video.mp4" poster="//T/poster.svg" preload="auto"></video>
<video preload="auto"><source src="//T/source.mp4" type="video/mp4"></video>
<audio src="//T/audio.mp4" preload="auto"></audio>
<video crossorigin preload="auto"><track default kind="subtitles" src="//T/track.vtt"></video>
<input type="image" src="//T/input.svg" alt="A button">
<svg width="9" height="9"><image href="//T/svg-image.svg" width="9" height="9"/></svg>
<svg width="9" height="9"><image xlink:href="//T/svg-xlink.svg" width="9" height="9"/></svg>
<svg width="9" height="9"><use href="//T/use.svg#a"/></svg>
<table background="//T/table.svg"><tr><td background="//T/td.svg">A cell</td></tr></table>
<noscript><img src="//T/noscript.svg" alt></noscript>
"""
PAGE = (
    f"<!doctype html><html lang=en><head><title>A page</title>{HEAD}</head>"
    f'<body background="//T/body.svg"><h1>A page</h1>{BODY}</body></html>'
)
FRAMES = (
    "<!doctype html><html><head><title>Frames</title></head>"
    '<frameset cols="50%,*"><frame src="//T/frame.html"><frame src="/one"></frameset></html>'
)
BASE = (
    "<!doctype html><title>A base</title><base href='//T/'><body><img src='relative.svg' alt>"
    "<script src='relative.js'></script></body>"
)
# What this browser asks for always, with scripts on, and for links. Alternate style sheets, icons,
# manifests and `<use>` it asks for when it likes, or not at all; they wait like the others.
SCRIPTS = {"script.js", "async.js", "defer.js", "classic.js", "imported.js", "modulepreload.js"}
LINKS = {"preload.css", "preload.js", "imagesrcset.svg", "prefetch.html", "stylesheet.css"}
MEDIA = {"video.mp4", "poster.svg", "source.mp4", "audio.mp4", "track.vtt"}
IMAGES = {
    *("img.svg", "srcset.svg", "backslash.svg", "references.svg", "source-srcset.svg"),
    *("input.svg", "svg-image.svg", "svg-xlink.svg", "table.svg", "td.svg", "body.svg"),
}
FRAMED = {"iframe.html", "srcdoc.svg", "object.html", "embed.html"}
LINK_HEADER = {"header.css"}
ALWAYS = {"stylesheet.css", *MEDIA, *IMAGES, *FRAMED}


class Pages:
    """A site; in its pages T stands for the third party, OWN for the site's own address."""

    def __init__(self, third: str, pages: dict[str, str], headers: dict[str, str]) -> None:
        self._third, self._pages, self._headers = third, pages, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        page = self._pages.get(request.url.path)
        if page is None:
            await Response(SVG, media_type="image/svg+xml")(scope, receive, send)
            return
        own = f"static.staffordshire.localhost:{request.url.port}"
        text = re.sub(r"(?<=[/\\;])T(?=[/\\])", lambda _: self._third, page).replace("OWN", own)
        headers = {
            name: value.replace("//T/", f"//{self._third}/")
            for name, value in self._headers.items()
        }
        await HTMLResponse(text, headers=headers)(scope, receive, send)


class Party:
    """The server that plays every third party."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def at(self, host: str) -> str:
        return f"{host}:{self.server.port}"

    @property
    def asked(self) -> set[str]:
        """The names that were asked for."""
        return {asked.path.strip("/") for asked in self.server.log}


@pytest.fixture(scope="module")
def third_party(serve_module: Serve) -> Party:
    return Party(serve_module(elsewhere))


@pytest.fixture
def party(third_party: Party) -> Party:
    third_party.server.log.clear()
    return third_party


Arrive = "Callable[..., Visitor]"


@pytest.fixture
def arrive(serve: Serve, new_visitor: NewVisitor, party: Party) -> Callable[..., Visitor]:
    """``arrive(page)``: somebody's first visit to it; `policy` None leaves consentkit out."""

    def arrive(
        page: str,
        policy: str | None = POLICY,
        *,
        host: str = TAGS,
        headers: dict[str, str] | None = None,
        **how: Any,
    ) -> Visitor:
        pages = {"/": page, "/one": "<title>One</title>"}
        app: ASGIApp = Pages(party.at(host), pages, headers or {})
        if policy is not None:
            app = ConsentMiddleware(app, policy=read_policy(policy), secret_key=KEY)
        visitor = new_visitor(serve(app), **how)
        visitor.type_address("/")
        return visitor

    return arrive


def settle(visitor: Visitor) -> None:
    """Wait longer than anything that was asked for in the controls took."""
    visitor.page.wait_for_timeout(700)


def wait_until_asked(party: Party, wanted: set[str]) -> None:
    """Wait until all these were asked for, or say which were not."""
    wait_until(lambda: wanted <= party.asked, otherwise=lambda: wanted - party.asked)


def see_it_asked(visitor: Visitor, party: Party, wanted: set[str]) -> None:
    """The control: a page without consentkit asks for all these. Its log ends with it."""
    wait_until_asked(party, wanted)
    settle(visitor)
    visitor.leave()
    party.server.log.clear()


def accept(visitor: Visitor) -> None:
    """Press the button; an author's own `srcdoc` is among what waits, so the page comes anew."""
    visitor.page.wait_for_function("window.consentkit")
    visitor.page.click("button[name=choice][value=accept-all]")


def test_every_way_of_fetching_waits_for_the_answer(
    arrive: Callable[..., Visitor], party: Party
) -> None:
    """R-20, R-53, R-54: with JavaScript; after the grant all of it comes, without another page."""
    wanted = ALWAYS | SCRIPTS | LINKS
    see_it_asked(arrive(PAGE, None), party, wanted)
    visitor = arrive(PAGE)
    settle(visitor)
    assert party.asked == set()
    accept(visitor)
    wait_until_asked(party, wanted)
    assert all(asked.method == "GET" for asked in party.server.log)


def test_every_way_of_fetching_waits_without_javascript(
    arrive: Callable[..., Visitor], party: Party
) -> None:
    """R-102: what `<noscript>` holds too; after the grant the next page has it all."""
    wanted = ALWAYS | {"noscript.svg"}
    see_it_asked(arrive(PAGE, None, java_script_enabled=False), party, wanted)
    visitor = arrive(PAGE, java_script_enabled=False)
    settle(visitor)
    assert party.asked == set()
    visitor.answer("accept-all")
    wait_until_asked(party, wanted)


@pytest.mark.parametrize("choice", ["reject-all"])
def test_after_a_no_nothing_is_asked_either(
    arrive: Callable[..., Visitor], party: Party, choice: str
) -> None:
    """R-13: refusing is as effective as not answering, on the page itself and on the next."""
    visitor = arrive(PAGE, java_script_enabled=False)
    visitor.answer(choice)
    settle(visitor)
    assert party.asked == set()


@pytest.mark.parametrize(
    ("page", "wanted"),
    [(FRAMES, {"frame.html"}), (BASE, {"relative.svg", "relative.js"})],
    ids=["frameset", "base"],
)
def test_frames_and_other_bases_wait(
    arrive: Callable[..., Visitor], party: Party, page: str, wanted: set[str]
) -> None:
    """A page that has no place for the notice is gated too; the preferences take the answer."""
    see_it_asked(arrive(page, None), party, wanted)
    visitor = arrive(page)
    settle(visitor)
    assert party.asked & wanted == set()
    visitor.type_address("/consent")
    visitor.page.check("input[name=purpose]")
    visitor.answer("save")
    visitor.type_address("/")
    wait_until_asked(party, wanted)


def test_a_link_header_asks_nobody_before_the_answer(
    arrive: Callable[..., Visitor], party: Party
) -> None:
    """R-54: the browser would ask before it has read the page."""
    plain = "<!doctype html><title>A page</title><body><p>Words.</p></body>"
    headers = {"link": '<http://T/header.css>; rel="preload"; as="style"'}
    see_it_asked(arrive(plain, None, headers=headers), party, LINK_HEADER)
    visitor = arrive(plain, headers=headers, java_script_enabled=False)
    settle(visitor)
    assert party.asked == set()
    visitor.answer("accept-all")
    wait_until_asked(party, LINK_HEADER)


@pytest.mark.parametrize("rel", ["preconnect", "dns-prefetch", "prerender"])
def test_no_connection_is_opened_ahead(
    arrive: Callable[..., Visitor], party: Party, rel: str
) -> None:
    """R-54: it tells the third party's server, or that of names, who is here, without a request.

    This browser opens none while it is driven, so its reading of the link has to do.
    """
    page = f'<!doctype html><title>A page</title><link rel="{rel}" href="//T/"><body>'
    read = "document.querySelector('link').href"
    assert TAGS in arrive(page, None).page.evaluate(read)
    visitor = arrive(page)
    visitor.page.wait_for_function("window.consentkit")
    assert visitor.page.evaluate(read) == ""
    accept(visitor)
    visitor.page.wait_for_function(f"{read} !== ''")


SHIFTS = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value; })
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(sum), 300);
})"""


def test_nothing_shifts_where_an_iframe_waits(arrive: Callable[..., Visitor], party: Party) -> None:
    """DESIGN §6: a placeholder has the size that the author gave to the embed."""
    frames = "".join(
        f'<p><iframe src="//T/{width}.html" width="{width}" height="{height}"></iframe></p>'
        for width, height in ((560, 315), (300, 150), (120, 20))
    )
    page = f"<!doctype html><title>A page</title><body><h1>A page</h1>{frames}<p>Last words.</p>"
    bare = arrive(page, None)
    sizes = (
        "[...document.querySelectorAll('iframe')].map(one => [one.offsetWidth, one.offsetHeight])"
    )
    wanted = bare.page.evaluate(sizes)
    party.server.log.clear()
    visitor = arrive(page)
    assert visitor.page.evaluate(SHIFTS) == 0
    assert visitor.page.evaluate(sizes) == wanted
    assert party.asked == set()
    visitor.page.evaluate("document.querySelector('iframe').height = 700")
    visitor.wait_until(lambda: visitor.page.evaluate(SHIFTS) > 0)  # the control: it is measured


PIXEL = '<!doctype html><title>A page</title><body><img src="//T/pixel.svg" alt></body>'


def test_a_host_that_nobody_declared_is_never_asked(
    arrive: Callable[..., Visitor], party: Party
) -> None:
    """Default deny: no answer covers it."""
    visitor = arrive(PIXEL, host=NOBODY)
    accept(visitor)
    settle(visitor)
    visitor.type_address("/")
    settle(visitor)
    assert party.asked == set()


def test_where_undeclared_hosts_are_reported_they_load(
    arrive: Callable[..., Visitor], party: Party, caplog: pytest.LogCaptureFixture
) -> None:
    """`undeclared: report`: one warning for each host says what is to be declared."""
    arrive(PIXEL, POLICY + "undeclared: report", host=NOBODY)
    wait_until_asked(party, {"pixel.svg"})
    assert (
        "consentkit.enforcement",
        logging.WARNING,
        f"host '{NOBODY}' undeclared: not declared; path '/'",
    ) in caplog.record_tuples


def test_the_sites_own_hosts_always_load(arrive: Callable[..., Visitor], party: Party) -> None:
    """First party: the page's host, what stands beside it without `www`, and `site: {hosts: …}`."""
    page = (
        "<!doctype html><title>A page</title><body>"
        '<img src="//OWN/own.svg" alt><img src="//T/declared-own.svg" alt></body>'
    )
    visitor = arrive(page, host="static.example")
    wait_until_asked(party, {"declared-own.svg"})
    assert visitor.server.asked_for("/own.svg")
