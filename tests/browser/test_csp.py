"""The browser keeps watch too: with the gate taken out, the policy of a page alone stops requests.

In the first half no tag is held back, so that whatever is not asked for was stopped by the browser
(LAW R-55). In the second half consentkit is whole, under policies as strict as sites have them
(R-92), and what the browser complains of is listened to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from consentkit import ConsentMiddleware
from consentkit.pages import Pages
from consentkit.rules.policy_file import read_policy
from tests.browser.test_third_parties import (
    TAGS,
    Party,
    elsewhere,
    see_it_asked,
    settle,
    wait_until_asked,
)
from tests.browser.visitors import wait_until, wait_until_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from tests.browser.conftest import NewVisitor, Serve
    from tests.browser.visitors import Visitor

KEY = "k" * 32
NONCE = "q1w2e3"
POLICY = """
site: {name: A site, controller: Its owner}
mode: explicit
purposes:
  media: {title: Media, description: Media of others.}
services:
  tags: {purpose: media, provider: Tags Ltd, hosts: [tags.example], shows: video}
"""
ENFORCE, REPORT = POLICY + "csp: enforce\n", POLICY + "csp: report\n"
OWN_SCRIPT = """
fetch("//T/fetched.json").catch(() => 0);
new Image().src = "//T/added.svg";
document.head.append(Object.assign(document.createElement("script"), {src: "//T/added.js"}));
document.documentElement.dataset.ran = "yes";
"""
HEAD = f"""
<link rel="stylesheet" href="//T/sheet.css"><link rel="preload" as="style" href="//T/ahead.css">
<script src="//T/tag.js" nonce="{NONCE}"></script><script src="/own.js" nonce="{NONCE}"></script>
"""
BODY = """
<h1>A page</h1><img src="//T/pixel.svg" alt><iframe src="//T/frame.html"></iframe>
<object data="//T/object.html" type="text/html"></object><video src="//T/film.mp4"></video>
"""
PAGE = f"<!doctype html><html lang=en><title>A page</title>{HEAD}<body>{BODY}</body></html>"
BY_CSS = "@import '//T/imported.css'; h1 { background: url(//T/background.svg) }"
TAGGED = {"tag.js"}
QUIET = {"sheet.css", "pixel.svg", "frame.html", "object.html", "film.mp4"}
ADDED = {"fetched.json", "added.svg"}
BY_SCRIPT = {"added.js"}


class Site:
    """A site whose page fetches from T by tags, by its own script and by its own style sheet."""

    def __init__(self, third: str, page: str, *policies: str) -> None:
        self._third, self._page, self._policies = third, page, policies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = Request(scope, receive).url.path
        if path == "/own.js":
            response = Response(self._with_third(OWN_SCRIPT), media_type="text/javascript")
        elif path == "/own.css":
            response = Response(self._with_third(BY_CSS), media_type="text/css")
        else:
            response = HTMLResponse(self._with_third(self._page))
            for policy in self._policies:
                response.headers.append(
                    "content-security-policy", policy.replace("T/", self._third)
                )
        await response(scope, receive, send)

    def _with_third(self, text: str) -> str:
        return text.replace("//T/", f"//{self._third}/")


class Open:
    """A gate through which everything passes."""

    held = b""
    base = None

    def feed(self, chunk: bytes, *, last: bool) -> bytes:
        return chunk


@pytest.fixture
def no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tag is held back."""
    monkeypatch.setattr(Pages, "gate", lambda *_, **__: Open())


@pytest.fixture(scope="module")
def third_party(serve_module: Serve) -> Party:
    return Party(serve_module(elsewhere))


@pytest.fixture
def party(third_party: Party) -> Party:
    third_party.server.log.clear()
    return third_party


@pytest.fixture
def arrive(serve: Serve, new_visitor: NewVisitor, party: Party) -> Callable[..., Visitor]:
    """``arrive(policy, *headers)``: somebody's first visit to the page."""

    def arrive(policy: str, *policies: str, page: str = PAGE, **how: Any) -> Visitor:
        site = Site(party.at(TAGS), page, *policies)
        app = ConsentMiddleware(site, policy=read_policy(policy), secret_key=KEY)
        visitor = new_visitor(serve(app), **how)
        visitor.type_address("/")
        return visitor

    return arrive


def press(visitor: Visitor, choice: str = "accept-all") -> None:
    """Answer, and see the page that comes after it: where a policy is enforced, by itself."""
    wait_until_true(visitor.page, "!!window.consentkit")
    is_enforced = visitor.page.locator("[data-reload]").count()
    with visitor.answering():
        visitor.page.click(f"button[name=choice][value={choice}]")
    if not is_enforced:
        visitor.type_address("/")


WIDE = "default-src * 'unsafe-inline' 'unsafe-eval' data: blob:"
OF_HOSTS = "default-src 'self' http://T/; img-src http: data:; connect-src *"
NONCED = f"script-src 'nonce-{NONCE}' http://T/; default-src *"


@pytest.mark.usefixtures("no_gate")
@pytest.mark.parametrize("policies", [(), (WIDE,), (OF_HOSTS,), (WIDE, OF_HOSTS)], ids=str)
def test_the_policy_alone_stops_every_request(
    arrive: Callable[..., Visitor], party: Party, policies: tuple[str, ...]
) -> None:
    """R-55: tags, and what a script or a style sheet of the site itself asks for."""
    wanted = TAGGED | QUIET | ADDED | BY_SCRIPT
    see_it_asked(arrive(POLICY, *policies), party, wanted)
    visitor = arrive(ENFORCE, *policies)
    settle(visitor)
    assert visitor.page.get_attribute("html", "data-ran") == "yes"
    assert party.asked == set()
    press(visitor, "reject-all")
    settle(visitor)
    assert party.asked == set()
    visitor.page.goto(visitor.server.origin() + "/consent")
    visitor.answer("accept-all")
    visitor.type_address("/")
    wait_until_asked(party, wanted)


@pytest.mark.usefixtures("no_gate")
def test_what_a_style_sheet_imports_is_stopped(
    arrive: Callable[..., Visitor], party: Party
) -> None:
    """No reader of HTML sees it; this is what the policy is for."""
    page = "<!doctype html><title>A page</title><link rel=stylesheet href=/own.css><h1>A page</h1>"
    wanted = {"imported.css", "background.svg"}
    see_it_asked(arrive(POLICY, page=page), party, wanted)
    visitor = arrive(ENFORCE, page=page)
    settle(visitor)
    assert party.asked == set()
    press(visitor)
    wait_until_asked(party, wanted)


STRICT = f"script-src 'nonce-{NONCE}' 'strict-dynamic'; object-src 'none'; default-src *"


@pytest.mark.usefixtures("no_gate")
@pytest.mark.parametrize("policy", [NONCED, STRICT], ids=["nonce", "strict-dynamic"])
def test_no_policy_stops_a_script_with_the_pages_nonce(
    arrive: Callable[..., Visitor], party: Party, policy: str
) -> None:
    """CSP3 §6.7.1.1: a nonce stands above hosts. Everything else is stopped; the gate is needed."""
    visitor = arrive(ENFORCE, policy)
    passed = TAGGED | (BY_SCRIPT if policy == STRICT else set())
    wait_until_asked(party, passed)
    settle(visitor)
    assert party.asked == passed


@pytest.mark.parametrize("policy", [NONCED, STRICT], ids=["nonce", "strict-dynamic"])
def test_the_gate_holds_what_no_policy_stops(
    arrive: Callable[..., Visitor], party: Party, policy: str
) -> None:
    """The control of the test above: both together leave only what a trusted script adds."""
    visitor = arrive(ENFORCE, policy)
    added = BY_SCRIPT if policy == STRICT else set()
    wait_until_asked(party, added)
    settle(visitor)
    assert party.asked == added


# Reports


@pytest.mark.usefixtures("no_gate")
def test_reports_arrive_and_say_who_would_not_be_asked(
    arrive: Callable[..., Visitor], party: Party, caplog: pytest.LogCaptureFixture
) -> None:
    """R-93: to the site itself; the host and the directive are logged, and nothing else."""
    visitor = arrive(REPORT)
    wait_until_asked(party, TAGGED | QUIET | ADDED | BY_SCRIPT)  # nothing is stopped
    directives = ("script-src-elem", "style-src-elem", "img-src", "connect-src", "frame-src")
    expected = {f"source '{TAGS}' reported: {directive}" for directive in directives}

    def said() -> set[str]:
        return {line for name, _, line in caplog.record_tuples if name == "consentkit.reports"}

    wait_until(lambda: expected <= said(), otherwise=lambda: expected - said())
    settle(visitor)
    reports = visitor.server.asked_for("/consent/reports")
    assert {report.method for report in reports} == {"POST"}
    assert {report.headers["sec-fetch-site"] for report in reports} == {"same-origin"}
    assert not any("/pixel" in line or ":80" in line for line in said())
    press(visitor)
    before = len(visitor.server.asked_for("/consent/reports"))
    settle(visitor)
    assert len(visitor.server.asked_for("/consent/reports")) == before


# consentkit itself, under strict policies

FRAMED = (
    "<!doctype html><html lang=en><title>A page</title><body><h1>A page</h1>"
    '<iframe src="//T/frame.html" width="400" height="240"></iframe></body></html>'
)
TYPES = "require-trusted-types-for 'script'; trusted-types its-own"
STRICTEST = {
    "nonce and trusted types": f"default-src http://T/; script-src 'nonce-{NONCE}'; {TYPES}",
    "self": "default-src 'self'; frame-src 'self' http://T/; base-uri 'none'; form-action 'self'",
    "none": f"default-src 'none'; frame-src http://T/; {TYPES}",
    "no frames": f"default-src 'self'; frame-src 'none'; script-src 'nonce-{NONCE}'",
    "sent by us": "",
}


@pytest.mark.parametrize("policy", STRICTEST.values(), ids=STRICTEST)
def test_consentkit_works_under_strict_policies(
    arrive: Callable[..., Visitor], party: Party, policy: str
) -> None:
    """R-92: the notice, its style and script, the placeholder in its box, and the answer."""
    visitor = arrive(ENFORCE, *filter(None, [policy]), page=FRAMED)
    wait_until_true(visitor.page, "!!window.consentkit")
    is_styled = "[...document.styleSheets].some(sheet => sheet.cssRules.length)"
    assert visitor.page.evaluate(is_styled)
    [frame] = visitor.page.main_frame.child_frames
    assert "Tags Ltd" in frame.inner_text("body")
    assert frame.evaluate(is_styled)
    assert visitor.complaints == []
    assert party.asked == set()
    with visitor.page.expect_response(lambda response: response.request.method == "POST"):
        frame.click("button")
    assert visitor.cookie("__Host-consent")
    settle(visitor)  # the page keeps the policy it came with, so it is loaded anew
    if "frame-src 'none'" in policy:
        assert party.asked == set()
        assert all("frame-src 'none'" in told for told in visitor.complaints)
        return
    wait_until_asked(party, {"frame.html"})
    # Between the answer and the page's loading anew nothing is tried that the old policy forbids.
    assert visitor.complaints == []


def test_nothing_loads_between_an_answer_and_the_page_that_comes_anew(
    arrive: Callable[..., Visitor], party: Party
) -> None:
    """The old page has the old policy: what it tried by now would be stopped, and told of."""
    visitor = arrive(ENFORCE, page=FRAMED)
    visitor.page.evaluate("() => { setInterval(() => document.body.append(''), 1) }")

    def dawdle(route: Any) -> None:
        visitor.page.wait_for_timeout(300)
        route.continue_()

    visitor.page.route(visitor.server.origin() + "/", dawdle)
    with visitor.page.expect_event("load"):
        visitor.page.click("button[name=choice][value=accept-all]")
    visitor.page.unroute_all()
    wait_until_asked(party, {"frame.html"})
    assert visitor.complaints == []


def test_the_policy_of_a_shared_page_lets_everybodys_answer_work(
    arrive: Callable[..., Visitor], party: Party
) -> None:
    """DESIGN §6: it names all who might be asked, and the gate holds them until they may be."""
    visitor = arrive(ENFORCE + "pages: shared\n", page=FRAMED)
    wait_until_true(
        visitor.page, "!!document.querySelector('#consentkit button')?.checkVisibility()"
    )
    settle(visitor)
    assert (party.asked, visitor.complaints) == (set(), [])
    visitor.page.click("button[name=choice][value=accept-all]")
    wait_until_asked(party, {"frame.html"})


def test_without_the_policy_tightened_a_site_lets_us_through_itself(
    arrive: Callable[..., Visitor], party: Party
) -> None:
    """`csp: off` changes no header: its nonce is used, its style-src stays."""
    policy = f"script-src 'nonce-{NONCE}'; style-src 'self'; {TYPES} consentkit"
    visitor = arrive(POLICY, policy, page=FRAMED)
    press(visitor)
    wait_until_asked(party, {"frame.html"})
    assert visitor.complaints == []
