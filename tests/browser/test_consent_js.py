"""The script in a page: answers without a reload, and what waits is given back, in order.

Third parties are this machine under names of their own; what was asked of them stands in the log of
their server, so that nothing is taken from the script's own word. Every test that finds no request
finds one after the grant (R-53).
"""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from consentkit import ConsentMiddleware, Policy
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Server, Site
from tests.browser.visitors import QUESTION, Visitor, wait_until, wait_until_true
from tests.conftest import CHROMIUM_FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Page

KEY = "k" * 32
COUNTER, FILMS, NOBODY = "counter.example", "films.example", "nobody.example"
POLICY = """
site: {name: A site, controller: A site}
mode: explicit
purposes:
  necessary: {title: Necessary, description: d, basis: strictly-necessary, justification: security}
  analytics: {title: Analytics, description: It counts.}
  media: {title: Films, description: Films of others.}
cookies:
  _ga: {kind: analytics, purpose: analytics, duration: 1 day, description: d}
storage:
  seen-{id}: {where: local, purpose: analytics, duration: 1 day, description: d}
  seen-help: {where: local, purpose: necessary, duration: 1 day, description: d}
  tab*: {where: session, purpose: analytics, description: d}
  visits: {where: indexed-db, purpose: analytics, duration: 1 day, description: d}
services:
  counter:
    purpose: analytics
    provider: Counter Ltd
    hosts: [counter.example]
    inline: [counted(]
  films: {purpose: media, provider: Films Inc, hosts: [films.example], shows: video}
"""
SHARED = read_policy(POLICY + "pages: shared")
PIXEL = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><g id="a"/></svg>'
RECORDED = """
(window.ran ??= []).push("NAME" + (document.currentScript?.getAttribute("src") ? "!" : "?"));
"""


async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    """A third party: scripts that say that they ran, and whatever else is asked for."""
    request = Request(scope, receive)
    name, _, kind = request.url.path.strip("/").rpartition(".")
    anyone = {"access-control-allow-origin": "*", "cache-control": "no-store"}
    if delay := request.query_params.get("delay"):
        await anyio.sleep(float(delay))
    if kind == "js":
        text = RECORDED.replace("NAME", name) + request.query_params.get("then", "")
        await Response(text, media_type="text/javascript", headers=anyone)(scope, receive, send)
    elif kind == "svg":
        await Response(PIXEL, media_type="image/svg+xml", headers=anyone)(scope, receive, send)
    elif kind == "html":
        await HTMLResponse(f"<p>{name}</p>", headers=anyone)(scope, receive, send)
    elif kind == "css":
        await Response("p {}", media_type="text/css", headers=anyone)(scope, receive, send)
    else:
        await Response(status_code=404, headers=anyone)(scope, receive, send)


class Party:
    """The server that plays every third party."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def at(self, host: str, path: str) -> str:
        return f"http://{host}:{self.server.port}/{path}"

    @property
    def asked(self) -> list[str]:
        """What was asked for, as ``host/path``."""
        return [asked.headers["host"].partition(":")[0] + asked.path for asked in self.server.log]


@pytest.fixture(scope="module")
def third_party(serve_module: Serve) -> Party:
    return Party(serve_module(elsewhere))


@pytest.fixture
def party(third_party: Party) -> Party:
    third_party.server.log.clear()
    return third_party


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read_policy(POLICY)


Arrive = Callable[..., Visitor]


@pytest.fixture
def arrive(serve: Serve, new_visitor: NewVisitor, policy: Policy) -> Arrive:
    """``arrive(body)``: somebody's first visit to a site that has this in every page."""

    def arrive(body: str, *, path: str = "/", policy: Policy = policy, **of_pages: Any) -> Visitor:
        app = Site(body=body, **of_pages)
        visitor = new_visitor(serve(ConsentMiddleware(app, policy=policy, secret_key=KEY)))
        visitor.type_address(path)
        return visitor

    return arrive


def press(visitor: Visitor, choice: str, within: str = "") -> None:
    """Press a button of the notice, and wait until it has its answer."""
    with visitor.page.expect_response(lambda response: "/consent/notice" in response.url):
        visitor.page.click(f"{within} button[name=choice][value={choice}]")
    visitor.page.wait_for_selector(QUESTION, state="detached")


def ran(visitor: Visitor, *, until: str = "") -> list[str]:
    """The scripts that ran, in order, once `until` has."""
    if until:
        has_run = "name => !!window.ran?.some(one => one.startsWith(name))"
        wait_until_true(visitor.page, has_run, until)
    return visitor.page.evaluate("window.ran ?? []")


def allowed(visitor: Visitor) -> set[str]:
    return {*visitor.page.evaluate("names => names.filter(consentkit.allows)", NAMES)}


# Answers

NAMES = ("necessary", "analytics", "media", "counter", "films", "x")
COUNTED = "<script>function counted(name) { (window.ran ??= []).push(name) }</script>"
"""What the site itself has; a call of it belongs to the counter's service, by its marker."""


def test_an_answer_needs_no_reload(arrive: Arrive, party: Party) -> None:
    """DESIGN §6: the same form is sent, and the notice becomes the line with the settings link."""
    visitor = arrive(f'<script src="{party.at(COUNTER, "a.js")}"></script>', path="/page?a=b")
    assert visitor.is_asked
    visitor.page.evaluate("window.isTheSamePage = true")
    press(visitor, "reject-all")
    assert visitor.page.evaluate("window.isTheSamePage")
    assert visitor.notice.locator("a").count() == 1
    assert visitor.cookie("__Host-consent")
    asked = [(one.method, one.path) for one in visitor.server.log if "assets" not in one.path]
    assert asked == [("GET", "/page"), ("POST", "/consent"), ("GET", "/consent/notice")]
    assert party.asked == []
    visitor.type_address("/page?a=b")
    assert not visitor.is_asked
    assert visitor.complaints == []


def test_a_grant_loads_what_waited(arrive: Arrive, party: Party) -> None:
    """R-53: not one request before the answer, each after it; undeclared hosts never."""
    visitor = arrive(f"""{COUNTED}
        <script src="{party.at(COUNTER, "a.js")}"></script>
        <script src="{party.at(NOBODY, "b.js")}"></script>
        <script>counted("in")</script>
    """)
    ready(visitor)
    assert allowed(visitor) == {"necessary"}
    assert (party.asked, ran(visitor)) == ([], [])
    press(visitor, "accept-all")
    assert ran(visitor, until="in") == ["a!", "in"]
    assert party.asked == [f"{COUNTER}/a.js"]
    assert allowed(visitor) == {*NAMES} - {"x"}
    assert visitor.page.locator("[data-consentkit-service]").count() == 1
    assert visitor.complaints == []


# By how much each thing of each layout shift moved, and grew.
JUMPS = """() => jumps.map(jump => jump.sources.map(({previousRect: old, currentRect: now}) =>
    [now.x - old.x, now.y - old.y, now.width - old.width, now.height - old.height]))"""


def boxes(visitor: Visitor) -> "list[FloatRect]":
    """Where the page's frame is, and where the notice is."""
    found = [visitor.page.locator(one).bounding_box() for one in ("iframe", "#consentkit")]
    return [box for box in found if box]


def test_the_page_does_not_jump(arrive: Arrive, party: Party) -> None:
    """DESIGN §6: no layout shift but for the notice, which leaves at the visitor's own act.

    It becomes a line, and then says that it was saved: what stands below follows it as one.
    """
    tag = f'<iframe width="300" height="200" src="{party.at(FILMS, "film.html")}"></iframe>'
    visitor = arrive(f"<h1>A page</h1>{tag}<p>Words.</p>")
    ready(visitor)
    visitor.page.evaluate("""() => {
        window.jumps = [];
        new PerformanceObserver(list => jumps.push(...list.getEntries()))
            .observe({type: "layout-shift", buffered: true});
    }""")
    visitor.page.wait_for_timeout(100)
    assert visitor.page.evaluate("jumps.length") == 0
    box, banner = boxes(visitor)
    press(visitor, "accept-all")
    wait_until_asked(party, f"{FILMS}/film.html")
    visitor.notice.get_by_text("Saved: all optional cookies are on.").wait_for()
    visitor.page.wait_for_timeout(500)
    after, line = boxes(visitor)
    assert (box["width"], box["height"]) == (after["width"], after["height"])
    # Not by `hadRecentInput`: on a busy machine the answer may be half a second away.
    jumps = visitor.page.evaluate(JUMPS)
    assert 1 <= len(jumps) <= 2, "the control: the notice did leave"
    for jump in jumps:
        _, down, *_ = jump[0]
        assert jump == [[0, down, 0, 0]] * len(jump)
    moved = sum(jump[0][1] for jump in jumps)
    assert moved == pytest.approx(after["y"] - box["y"])
    assert moved == pytest.approx(line["height"] - banner["height"])


def test_the_answer_is_announced_and_the_focus_stays_in_the_notice(arrive: Arrive) -> None:
    """R-99, WCAG 4.1.3: the element for the status is there before its words are."""
    visitor = arrive("<p>Words.</p>")
    ready(visitor)
    status = visitor.notice.locator("[role=status]")
    assert status.text_content() == ""
    visitor.page.evaluate("window.status0 = document.querySelector('[role=status]')")
    visitor.page.focus("button[value=reject-all]")
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_function("status0.isConnected && status0.textContent")
    assert status.text_content() == "Saved: all optional cookies are off."
    assert visitor.page.evaluate("document.activeElement.getAttribute('href')") == "/consent"


def test_the_focus_is_not_taken_from_the_page(arrive: Arrive) -> None:
    """An answer that comes from elsewhere moves nothing under the visitor's hands."""
    visitor = arrive("<input id='mine'>")
    ready(visitor)
    visitor.page.focus("#mine")
    other = another_tab(visitor)
    other.click("button[value=reject-all]")
    visitor.page.wait_for_selector(QUESTION, state="detached")
    assert visitor.page.evaluate("document.activeElement.id") == "mine"
    other.close()


def test_the_preferences_in_a_page_are_answered_in_place(
    serve: Serve, new_visitor: NewVisitor, policy: Policy
) -> None:
    """`data-consentkit="preferences"`: its switches and its status say what is so."""
    placed = policy.model_copy(update={"placeholders": ("/settings",)})
    part = '<div data-consentkit="preferences"></div>'
    visitor = new_visitor(serve(ConsentMiddleware(Site(body=part), policy=placed, secret_key=KEY)))
    visitor.type_address("/settings")
    ready(visitor)
    visitor.page.evaluate("window.isTheSamePage = true")
    part_of = visitor.page.locator(".consentkit-part")
    press(visitor, "accept-all", within="#consentkit")
    assert part_of.locator("input[role=switch]:checked").count() == 2
    part_of.get_by_text("Saved: all optional cookies are on.").wait_for()
    assert visitor.page.evaluate("window.isTheSamePage")


def test_the_notice_is_put_back_but_not_for_ever(arrive: Arrive) -> None:
    """A page may lose it by mistake; a content blocker takes it out each time, and is let be."""
    visitor = arrive("<p>Words.</p>")
    ready(visitor)
    visitor.page.evaluate("document.querySelector('#consentkit').remove()")
    visitor.notice.wait_for()
    visitor.page.evaluate("""() => {
        window.taken = 0;
        new MutationObserver(() => {
            const notice = document.querySelector("#consentkit");
            if (notice) { notice.remove(); taken += 1 }
        }).observe(document.body, {childList: true});
        document.body.append("");
    }""")
    visitor.page.wait_for_function("taken > 20")
    for _ in range(30):
        taken = visitor.page.evaluate("taken")
        visitor.page.wait_for_timeout(500)
        if visitor.page.evaluate("taken") == taken:
            break
    assert visitor.page.evaluate("taken") == taken, "the two are at it still"
    assert visitor.notice.count() == 0
    assert visitor.complaints == []


@pytest.mark.parametrize("fault", ["no network", "an error"])
def test_whatever_goes_wrong_the_form_goes_its_ordinary_way(arrive: Arrive, fault: str) -> None:
    """The page works without the script, so it also works when the script cannot."""
    visitor = arrive("<p>Words.</p>", path="/page")
    ready(visitor)

    def spoil(route: Any) -> None:
        if route.request.resource_type != "xhr":
            route.continue_()
        elif fault == "no network":
            route.abort()
        else:
            route.fulfill(status=500, body="<p>broken</p>", content_type="text/html")

    visitor.page.route("**/consent**", spoil)
    visitor.click("button[value=reject-all]")
    visitor.page.unroute_all()
    assert visitor.page.url.endswith("/page#consentkit")
    assert not visitor.is_asked
    assert visitor.cookie("__Host-consent")


def test_where_the_page_may_fetch_nothing_the_form_goes_its_ordinary_way(arrive: Arrive) -> None:
    """A strict `connect-src` stops the script, and not the visitor."""
    visitor = arrive("<p>Words.</p>", headers={"content-security-policy": "connect-src 'none'"})
    ready(visitor)
    visitor.click("button[value=reject-all]")
    assert not visitor.is_asked
    assert visitor.cookie("__Host-consent")


def test_forms_of_the_site_are_its_own(arrive: Arrive) -> None:
    """A field may be called `action`, and a form may be for another address."""
    form = '<form action="/mine" method="post"><input name="action"><button id="b">go</button>'
    visitor = arrive(form)
    ready(visitor)
    visitor.click("#b")
    assert visitor.page.url.endswith("/done")


def test_scripts_are_told_of_each_answer_once(arrive: Arrive) -> None:
    """The event's detail says what is allowed now."""
    visitor = arrive("""<script>
        window.told = [];
        document.addEventListener("consentkit:change", event => told.push(event.detail));
    </script>""")
    ready(visitor)
    assert visitor.page.evaluate("told") == []
    press(visitor, "accept-all")
    [told] = visitor.page.evaluate("told")
    assert told["purposes"] == ["necessary", "analytics", "media"]
    assert told["services"] == ["counter", "films"]


# The order of scripts


def test_scripts_run_in_the_order_of_the_page(arrive: Arrive, party: Party) -> None:
    """As browsers run them: the slow before the quick, deferred ones and modules at the end."""

    def at(name: str, delay: float = 0) -> str:
        return party.at(COUNTER, f"{name}.js?delay={delay}")

    visitor = arrive(f"""{COUNTED}
        <script defer src="{at("deferred", 0.1)}"></script>
        <script type="module" src="{at("module")}"></script>
        <script src="{at("slow", 0.3)}"></script>
        <script>counted("inline:" + document.currentScript.id)</script>
        <script nomodule src="{at("old")}"></script>
        <script src="{party.at(COUNTER, "missing")}"></script>
        <script src="{at("throws")}&then=throw%201"></script>
        <script type="text/javascript" src="{at("quick")}"></script>
        <script id="two">counted("inline:" + document.currentScript.id)</script>
        <script type="module">counted("inline module")</script>
        <script defer src="{at("last")}"></script>
    """)
    ready(visitor)
    assert (party.asked, ran(visitor)) == ([], [])
    press(visitor, "accept-all")
    assert ran(visitor, until="last") == [
        *("slow!", "inline:", "throws!", "quick!", "inline:two"),
        *("deferred!", "module?", "inline module", "last!"),
    ]
    assert f"{COUNTER}/old.js" not in party.asked


def test_an_async_script_keeps_nobody_waiting(arrive: Arrive, party: Party) -> None:
    """What its author did not order is not ordered."""
    visitor = arrive(f"""
        <script async src="{party.at(COUNTER, "slow.js?delay=0.5")}"></script>
        <script src="{party.at(COUNTER, "quick.js")}"></script>
    """)
    ready(visitor)
    press(visitor, "accept-all")
    assert ran(visitor, until="slow") == ["quick!", "slow!"]


def test_an_import_map_comes_before_the_modules(arrive: Arrive, party: Party) -> None:
    """Modules find what the map names."""
    where = '{"imports": {"them": "%s"}}' % party.at(COUNTER, "them.js")  # noqa: UP031
    visitor = arrive(f"""{COUNTED}
        <script type="importmap">{where}</script>
        <script type="module">import "them"; counted("module")</script>
    """)
    ready(visitor)
    press(visitor, "accept-all")
    assert ran(visitor, until="module") == ["them?", "module"]


def test_what_writes_into_a_page_that_is_there_does_not_replace_it(
    arrive: Arrive, party: Party
) -> None:
    """`document.write` in a script that runs late would empty the page."""
    writes = "<script>counted('a'); document.write('x')</script>"
    visitor = arrive(f"{COUNTED}<p id=p>Words.</p>{writes}")
    ready(visitor)
    press(visitor, "accept-all")
    assert ran(visitor, until="a") == ["a"]
    assert visitor.page.text_content("#p") == "Words."
    assert visitor.page.evaluate("document.write === Document.prototype.write")


NONCE = "bm9uY2U-bm9uY2U"
STRICT = (
    f"script-src 'nonce-{NONCE}'; require-trusted-types-for 'script'; trusted-types consentkit; "
    "object-src 'none'; base-uri 'none'"
)


def test_it_works_under_a_nonce_and_trusted_types(arrive: Arrive, party: Party) -> None:
    """R-92: nothing is made of text, and a waiting script keeps the nonce it has."""
    own = COUNTED.replace("<script", f'<script nonce="{NONCE}"')
    visitor = arrive(
        f"""{own}
        <script nonce="{NONCE}" src="{party.at(COUNTER, "a.js")}"></script>
        <script nonce="{NONCE}">counted("inline")</script>
        <template data-consentkit-purpose="analytics">
        <script nonce="{NONCE}" src="{party.at(COUNTER, "b.js")}"></script>
        <script nonce="{NONCE}">counted("in a template")</script>
        </template>
        <script src="{party.at(COUNTER, "without.js")}"></script>
        <img src="{party.at(COUNTER, "a.svg")}">
        """,
        headers={"content-security-policy": STRICT},
    )
    ready(visitor)
    assert (party.asked, visitor.complaints) == ([], [])
    press(visitor, "accept-all")
    expected = ["a!", "inline", "b!", "in a template"]
    assert ran(visitor, until="in a template") == expected
    wait_until_true(visitor.page, "!document.querySelector('[data-consentkit-service]')")
    assert f"{COUNTER}/without.js" not in party.asked
    visitor.wait_until(lambda: visitor.complaints)
    [complaint] = visitor.complaints
    assert "without.js" in complaint, "the control: the site's policy is in force"


def test_where_its_policy_is_not_among_the_trusted_types_only_scripts_go_on_waiting(
    arrive: Arrive, party: Party
) -> None:
    """`trusted-types` without `consentkit`: everything else is given back, and the console says."""
    visitor = arrive(
        f"""<script src="{party.at(COUNTER, "a.js")}"></script>
        <img src="{party.at(COUNTER, "a.svg")}">""",
        headers={"content-security-policy": "require-trusted-types-for 'script'; trusted-types x"},
    )
    ready(visitor)
    press(visitor, "accept-all")
    wait_until_asked(party, f"{COUNTER}/a.svg")
    visitor.wait_until(lambda: [one for one in visitor.complaints if "consentkit" in one])
    assert ran(visitor) == []
    visitor.type_address("/")
    assert ran(visitor, until="a") == ["a!"], "the next page has it as its author wrote it"


# What is no script

TAGS = {
    "img": '<img src="{at}" srcset="{at} 1x" width="9">',
    "picture": '<picture><source srcset="{at}"><img src="{at}"></picture>',
    "style sheet": '<link rel="stylesheet" href="{css}">',
    "iframe": '<iframe src="{html}"></iframe>',
    "iframe with a document of its own": '<iframe srcdoc="<img src={at}>"></iframe>',
    "object": '<object data="{html}"></object>',
    "embed": '<embed src="{html}">',
    "video": '<video src="{at}" poster="{at}"></video>',
    "source": '<video><source src="{at}"></video>',
    "svg image": '<svg><image href="{at}" width="9" height="9"/></svg>',
    "svg image, the old way": '<svg><image xlink:href="{at}" width="9" height="9"/></svg>',
    "button": '<input type="image" src="{at}">',
    "svg animation": '<svg><image width="9"><set attributeName="href" to="{at}"/></image></svg>',
    "svg animation with values": (
        '<svg><image width="9">'
        '<animate attributeName="href" dur="9s" values="{at};{at}" from="{at}" by="{at}"/>'
        "</image></svg>"
    ),
}


@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)
def test_every_kind_of_element_is_given_back(arrive: Arrive, party: Party, tag: str) -> None:
    """R-53: none fetches before the grant, each does after, as its author wrote it."""
    names = {"at": "a.svg", "css": "a.css", "html": "a.html"}
    at = {name: party.at(FILMS, path) for name, path in names.items()}
    visitor = arrive(f"<main>{tag.format(**at)}</main>")
    ready(visitor)
    visitor.page.wait_for_timeout(100)
    assert party.asked == []
    before = visitor.page.evaluate("history.length")
    press(visitor, "accept-all")
    visitor.page.wait_for_function("!document.querySelector('[data-consentkit-service]')")
    wait_until_asked(party, FILMS)
    assert {one.partition("/")[0] for one in party.asked} == {FILMS}
    assert visitor.page.evaluate("history.length") == before
    main = visitor.page.inner_html("main")
    assert "consentkit" not in main


SMUGGLED = """
<img id="handler" data-consentkit-service="counter" data-consentkit-onerror="ran('handler')"
 data-consentkit-src="data:,">
<a id="link" data-consentkit-service="counter"
 data-consentkit-href=" java&#10;script:ran('link')">link</a>
<iframe id="frame" data-consentkit-service="counter"
 data-consentkit-src="&#1;javascript:parent.ran('frame')"></iframe>
<iframe id="document" data-consentkit-service="counter"
 data-consentkit-srcdoc="<script>parent.ran('document')</script>"></iframe>
<svg width="99" height="99"><a id="animated"><text y="40">animated</text>
<set attributeName="href" data-consentkit-service="counter"
 data-consentkit-to="javascript:ran('to')"/>
<animate attributeName="href" dur="9s" data-consentkit-service="counter"
 data-consentkit-values="#;java&#10;script:ran('values')"/></a></svg>
<script id="type" type="application/json" data-consentkit-service="counter">ran("control")</script>
"""


def test_nothing_that_a_sanitizer_let_pass_becomes_a_script(arrive: Arrive) -> None:
    """Sanitizers pass `data-` attributes, and visitors' own words may stand in a page.

    The control is a script element, which no sanitizer passes.
    """
    head = "<script>window.all = []; window.ran = one => all.push(one)</script>"
    visitor = arrive(head + SMUGGLED)
    ready(visitor)
    press(visitor, "accept-all")
    visitor.page.wait_for_function("!document.querySelector('[data-consentkit-service]')")
    visitor.page.click("#link")
    visitor.page.click("#animated text")
    visitor.page.wait_for_timeout(300)
    assert visitor.page.evaluate("all") == ["control"]


def test_a_document_of_a_frame_comes_with_the_page(arrive: Arrive, party: Party) -> None:
    """From the server, by one reload at the answer that allows it; nothing runs twice for it."""
    inside = f"<img src={party.at(FILMS, 'a.svg')}>"
    visitor = arrive(f"""{COUNTED}
        <iframe id="own" srcdoc="{inside}"></iframe>
        <script src="{party.at(COUNTER, "a.js")}"></script>
    """)
    ready(visitor)
    visitor.page.evaluate("window.isTheSamePage = true")
    post(visitor, "choice=allow&purpose=analytics")
    assert ran(visitor, until="a") == ["a!"]
    assert visitor.page.evaluate("window.isTheSamePage"), "the control: the frame still waits"
    party.server.log.clear()
    post(visitor, "choice=allow&purpose=media")
    wait_until_asked(party, f"{FILMS}/a.svg")
    assert ran(visitor, until="a") == ["a!"]
    assert visitor.page.get_attribute("#own", "srcdoc") == inside
    assert sorted(party.asked) == [f"{COUNTER}/a.js", f"{FILMS}/a.svg"]
    loads = [one.path for one in visitor.server.log].count("/")
    visitor.page.wait_for_timeout(500)
    assert [one.path for one in visitor.server.log].count("/") == loads == 2


def test_in_a_page_for_everybody_a_document_of_a_frame_reloads_nothing(
    arrive: Arrive, party: Party
) -> None:
    """It would come back as it is, again and again: the frame loads its address instead."""
    at = party.at(FILMS, "film.html")
    frame = f'<iframe id="own" src="{at}" srcdoc="<img src={party.at(FILMS, "a.svg")}>"></iframe>'
    visitor = arrive(frame, policy=SHARED)
    visitor.notice.locator("button").first.wait_for()
    assert party.asked == []
    press(visitor, "accept-all")
    wait_until_asked(party, f"{FILMS}/film.html")
    visitor.page.wait_for_timeout(500)
    assert visitor.page.get_attribute("#own", "srcdoc") is None
    assert [one.path for one in visitor.server.log].count("/") == 1


BLANK = """
<template data-consentkit-service=" "><b>a blank</b></template>
<template data-consentkit-purpose=""><b>nothing</b></template>
<template data-consentkit-purpose="media" data-consentkit-service=" "><b>half</b></template>
<template><b>the author's own</b></template>
<template data-consentkit-purpose="media" data-consentkit-service="films"><i>both</i></template>
"""


def test_a_template_that_names_nothing_stays_closed(arrive: Arrive) -> None:
    """As on the server, where a name that nobody declared allows nothing."""
    visitor = arrive(BLANK)
    ready(visitor)
    press(visitor, "accept-all")
    visitor.page.wait_for_selector("i", state="attached")
    assert visitor.page.locator("i").all_text_contents() == ["both"], "the control"
    assert visitor.page.locator("b").count() == 0
    visitor.type_address("/")
    assert visitor.page.locator("i").count() == 1
    assert visitor.page.locator("b").count() == 0


def test_a_placeholder_loads_its_own_and_nothing_else(arrive: Arrive, party: Party) -> None:
    """R-53: *load this one*, from the document inside the frame; the focus stays on the frame."""
    visitor = arrive(f"""
        <iframe id="film" src="{party.at(FILMS, "film.html")}"></iframe>
        <script src="{party.at(COUNTER, "a.js")}"></script>
    """)
    ready(visitor)
    visitor.page.evaluate("window.isTheSamePage = true")
    visitor.page.frame_locator("#film").locator("button[name=service]").click()
    visitor.page.frame_locator("#film").get_by_text("film", exact=True).wait_for()
    assert visitor.page.evaluate("window.isTheSamePage")
    assert visitor.page.evaluate("document.activeElement.id") == "film"
    assert allowed(visitor) == {"necessary", "films"}
    assert party.asked == [f"{FILMS}/film.html"]
    assert visitor.is_asked, "the purposes are still to be asked about"
    assert visitor.notice.locator("[role=status]").text_content() == ""


def test_a_template_is_opened_once_its_purposes_are_granted(arrive: Arrive, party: Party) -> None:
    """Orejime's way of gating one's own markup; every purpose that is named must be allowed."""
    visitor = arrive(f"""{COUNTED}
        <ul><template data-consentkit-purpose="analytics media"><li id="both">both</li></template>
        <template data-consentkit-purpose="analytics"><li id="one">one
          <script src="{party.at(COUNTER, "slow.js?delay=0.2")}"></script>
          <script>counted("after")</script>
          <script type="application/json">{{"a": 1}}</script>
          <template data-consentkit-service="counter"><b id="inner">inner</b></template>
        </li></template></ul>
    """)
    ready(visitor)
    assert visitor.page.locator("#both, #one").count() == 0
    post(visitor, "choice=allow&purpose=analytics")
    visitor.page.wait_for_selector("#inner")
    assert visitor.page.locator("#both").count() == 0
    assert ran(visitor, until="after") == ["slow!", "after"]
    assert visitor.page.evaluate(
        "[...document.querySelectorAll('li > :is(script, b)')].map(one => one.outerHTML)"
    )[-2:] == ['<script type="application/json">{"a": 1}</script>', '<b id="inner">inner</b>']
    post(visitor, "choice=allow&purpose=media")
    visitor.page.wait_for_selector("#both")


def test_what_stood_before_a_template_goes_when_it_opens(arrive: Arrive, party: Party) -> None:
    """A placeholder is there for as long as something is not."""
    visitor = arrive("""<p id="before">before</p>
        <template data-consentkit-service="films"><b id="film">film</b></template>
    """)
    ready(visitor)
    assert visitor.page.locator("iframe.consentkit-embed").count() == 1
    press(visitor, "accept-all")
    visitor.page.wait_for_selector("#film")
    assert visitor.page.locator("iframe").count() == 0
    assert visitor.page.locator("#before").count() == 1


# Withdrawal

FILL = """async () => {
    for (const key of ["seen-1", "seen-", "seen-help", "other"]) localStorage.setItem(key, 1);
    for (const key of ["tab", "tab2", "own"]) sessionStorage.setItem(key, 1);
    for (const name of ["visits", "drafts"]) {
        await new Promise(done => {
            const request = indexedDB.open(name);
            request.onsuccess = () => done(request.result.close());
        });
    }
}"""
STORED = """async () => [
    ...Object.keys(localStorage).sort(), ...Object.keys(sessionStorage).sort(),
    ...(await indexedDB.databases()).map(({name}) => name).sort(),
]"""
KEPT = ["other", "seen-", "seen-help", "own", "drafts"]


def test_a_withdrawal_clears_storage_and_reloads(arrive: Arrive, party: Party) -> None:
    """R-18: what runs cannot be taken back, and what it stored is gone; the rest stays."""
    part = '<form method="post" action="/consent"><button id="no" name="choice" value="withdraw">No'
    tag = f'<script src="{party.at(COUNTER, "a.js")}"></script>{part}</button></form>'
    visitor = arrive(tag)
    ready(visitor)
    press(visitor, "accept-all")
    assert ran(visitor, until="a") == ["a!"]
    visitor.page.evaluate(FILL)
    with visitor.answering():
        visitor.page.click("#no")
    ready(visitor)
    assert visitor.page.evaluate(STORED) == sorted(KEPT[:3]) + KEPT[3:]
    assert ran(visitor) == []
    assert party.asked == [f"{COUNTER}/a.js"]
    assert visitor.notice.locator("[role=status]").text_content() == ""


def test_a_refusal_of_what_never_was_allowed_does_not_reload(arrive: Arrive) -> None:
    """Nothing ran, so there is nothing to unload; what lies about from before is cleared."""
    visitor = arrive("<p>Words.</p>")
    ready(visitor)
    visitor.page.evaluate(FILL)
    visitor.page.evaluate("window.isTheSamePage = true")
    press(visitor, "reject-all")
    visitor.page.wait_for_function(f"async () => (await ({STORED})()).length == {len(KEPT)}")
    assert visitor.page.evaluate("window.isTheSamePage")


def test_each_page_clears_what_is_not_allowed(arrive: Arrive) -> None:
    """R-17: what comes back is cleared again; the control: nothing is once it is granted."""
    visitor = arrive("<p>Words.</p>")
    ready(visitor)
    visitor.page.evaluate(FILL)
    visitor.type_address("/")
    visitor.page.wait_for_function(f"async () => (await ({STORED})()).length == {len(KEPT)}")
    press(visitor, "accept-all")
    visitor.page.evaluate(FILL)
    visitor.type_address("/")
    ready(visitor)
    visitor.page.wait_for_timeout(200)
    assert len(visitor.page.evaluate(STORED)) == len(KEPT) + 4


# Other tabs, other times


def test_other_tabs_follow(arrive: Arrive, party: Party) -> None:
    """An answer is the visitor's, not a tab's; a withdrawal reaches what runs elsewhere (R-18)."""
    visitor = arrive(f'<script src="{party.at(COUNTER, "a.js")}"></script>')
    ready(visitor)
    other = another_tab(visitor)
    press(visitor, "accept-all")
    other.wait_for_function("window.ran?.length == 1")
    other.wait_for_selector(QUESTION, state="detached")
    with other.expect_navigation():
        post(visitor, "choice=withdraw")
    assert other.evaluate("window.ran ?? []") == []
    other.close()


def test_a_page_from_the_back_forward_cache_asks_again(
    browser: "Browser", whole_chromium_path: str, serve: Serve, policy: Policy, party: Party
) -> None:
    """R-91: it was put away before the answer."""
    body = f'<a id="on" href="/on">on</a><script src="{party.at(COUNTER, "a.js")}"></script>'
    keeping = browser.browser_type.launch(
        executable_path=whole_chromium_path,
        args=list(CHROMIUM_FLAGS),
        ignore_default_args=["--disable-back-forward-cache"],
    )
    visitor = Visitor(keeping)
    visitor.come_to(serve(ConsentMiddleware(Site(body=body), policy=policy, secret_key=KEY)))
    visitor.type_address("/")
    ready(visitor)
    visitor.page.evaluate("addEventListener('pageshow', e => { window.cameBack = e.persisted })")
    visitor.click("#on")
    # Not by the notice: it would tell the page that was put away, and the browser would drop that.
    visitor.page.evaluate("""fetch("/consent", {
        method: "POST", redirect: "manual", body: new URLSearchParams({choice: "accept-all"}),
    })""")
    assert party.asked == []
    visitor.page.evaluate("history.back()")
    visitor.page.wait_for_function("window.cameBack !== undefined")
    assert visitor.page.evaluate("window.cameBack"), "the control: it was kept"
    assert ran(visitor, until="a") == ["a!"]
    assert not visitor.is_asked
    keeping.close()


ASKED_AHEAD = """
<script type="speculationrules">
{"prerender": [{"urls": ["/ahead"], "eagerness": "immediate"}]}
</script>
<script type="module">
const body = new URLSearchParams({choice: "accept-all"});
await fetch("/consent", {method: "POST", redirect: "manual", body});
await fetch("/came");
await new Promise(done => setTimeout(done, 400));
await fetch("/going");
location.href = "/ahead";
</script>
"""
AHEAD = """
<script>
fetch("/began");
document.addEventListener("prerenderingchange", () => {
    const request = new XMLHttpRequest();
    request.open("GET", "/activated", false);  // what is asked for later comes later
    request.send();
});
</script>
"""


def test_a_page_that_is_rendered_ahead_waits_until_it_is_looked_at(
    chromium_path: str, serve: Serve, party: Party, tmp_path: Path
) -> None:
    """R-90: it asks for nothing before, and then it asks how things stand, since they may be new.

    Under a driver no page is ever rendered ahead, so the browser runs alone, driven by the pages.
    """
    tag = f'<script src="{party.at(COUNTER, "a.js")}"></script>'
    app = Site(bodies={"/start": ASKED_AHEAD, "/ahead": AHEAD + tag})

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        # Whoever asks for this is answered when the page that is rendered ahead has begun.
        if scope["path"] == "/came":
            await anyio.to_thread.run_sync(wait_until, lambda: server.asked_for("/began"))
        await app(scope, receive, send)

    server = serve(ConsentMiddleware(waiting, policy=SHARED, secret_key=KEY))
    profile = f"--user-data-dir={tmp_path}"
    alone = subprocess.Popen(
        [chromium_path, "--headless", profile, *CHROMIUM_FLAGS, server.origin() + "/start"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: "/going" in paths(server))
        assert party.asked == []
        wait_until_asked(party, COUNTER)
    finally:
        alone.terminate()
        alone.wait(10)
    seen = paths(server)
    order = ["/ahead", "/began", "/going", "/activated", "/consent/notice"]
    begun = seen.index("/ahead")
    assert [one for one in seen[begun:] if one in order and one != "/consent/notice"] == order[:4]
    [ahead] = server.asked_for("/ahead")
    assert "prerender" in ahead.headers["sec-purpose"], "the control: it was rendered ahead"
    assert "/consent/notice" in seen[seen.index("/activated") :]
    assert "/consent/notice" not in seen[seen.index("/began") : seen.index("/activated")]


def test_a_page_that_all_visitors_share_asks_whose_it_is(arrive: Arrive, party: Party) -> None:
    """DESIGN §6, `pages: shared`: one page for everybody; each sees what is theirs."""
    tag = f'<script src="{party.at(COUNTER, "a.js")}"></script>'
    visitor = arrive(tag, policy=SHARED)
    visitor.notice.locator("button").first.wait_for()
    assert party.asked == []
    press(visitor, "accept-all")
    assert ran(visitor, until="a") == ["a!"]
    visitor.type_address("/")
    assert ran(visitor, until="a") == ["a!"]
    visitor.notice.locator("a").wait_for()
    assert not visitor.is_asked
    assert len(party.asked) == 2


# helpers


def ready(visitor: Visitor) -> None:
    """Wait until the script is there."""
    wait_until_true(visitor.page, "!!window.consentkit?.allows")


def post(visitor: Visitor, form: str) -> None:
    """Answer by a form of the site's own."""
    visitor.page.evaluate(
        """form => {
            const own = document.createElement("form");
            own.method = "post";
            own.setAttribute("action", "/consent");
            for (const [name, value] of new URLSearchParams(form)) {
                const field = document.createElement("input");
                own.append(Object.assign(field, {type: "hidden", name, value}));
            }
            document.body.append(own);
            own.requestSubmit();
        }""",
        form,
    )


def another_tab(visitor: Visitor) -> "Page":
    page = visitor.page.context.new_page()
    page.goto(visitor.page.url)
    page.wait_for_function("!!window.consentkit?.allows")
    return page


def wait_until_asked(party: Party, *wanted: str) -> None:
    """Until there came, for each of these, a request that begins so."""
    wait_until(
        lambda: all(any(one.startswith(what) for one in party.asked) for what in wanted),
        otherwise=lambda: party.asked,
    )


def paths(server: Server) -> list[str]:
    return [asked.path for asked in server.log]
