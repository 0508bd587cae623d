"""The notice as a browser shows it: first, equal, within a narrow window, and without a script.

What the markup says is tested in tests/notice; here it is what comes of it (R-12, R-13, R-92).
"""

from typing import Any

import pytest

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Server, Site
from tests.browser.visitors import Visitor

CSP = "default-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'"
BODY = """
<p><a id="site-link" href="/next">The first link of the site</a></p>
<h1>A page</h1>
<p id="text">Words of the site.</p>
"""
LONG = "".join(f'<p><a href="/{number}">A link of the site</a></p>' for number in range(30))
MODES = ("explicit", "implied", "opt-out")
OUR_PAGES = ("/consent", "/consent/cookies")


def site_of(mode: str, **headers: str) -> ConsentMiddleware:
    policy = read_policy(f"""
site: {{name: A site, controller: The controller of the site, contact: someone@example.org}}
mode: {mode}
purposes:
  necessary:
    title: Necessary
    description: It works.
    basis: strictly-necessary
    justification: authentication
  analytics: {{title: How the site is used, description: It counts visitors and pages.}}
  embeds: {{title: Videos and maps, description: Pages may show things from other sites.}}
cookies:
  session: {{kind: session, purpose: necessary, description: Remembers your log-in.}}
  _ga: {{kind: analytics, purpose: analytics, service: counter, duration: 1 day, description: d}}
  a-name-that-is-longer-than-many-a-screen-is-wide-{{id}}:
    kind: persistent
    purpose: embeds
    duration: 13 months
    description: Remembers what you watched.
services:
  counter: {{purpose: analytics, provider: Counter Limited, hosts: [counter.example]}}
""")
    cookies = ("session=1; Path=/", "_ga=1; Path=/")
    app = Site(*cookies, body=BODY, bodies={"/long": LONG}, headers=headers)
    return ConsentMiddleware(app, policy=policy, secret_key="k" * 32)


@pytest.fixture(scope="module")
def servers(serve_module: Serve) -> dict[str, Server]:
    """A site for each mode; all of them allow nothing but their own files."""
    return {mode: serve_module(site_of(mode, **{"content-security-policy": CSP})) for mode in MODES}


@pytest.fixture(params=["explicit", "implied"], ids=["in the flow", "at the bottom"])
def visitor(
    request: pytest.FixtureRequest, servers: dict[str, Server], new_visitor: NewVisitor
) -> Visitor:
    """Somebody on their first visit."""
    visitor = new_visitor(servers[request.param])
    visitor.type_address("/")
    assert visitor.is_asked
    return visitor


def test_the_notice_is_the_first_child_of_the_body(visitor: Visitor) -> None:
    """DESIGN §6: first for the screen reader."""
    first = "document.querySelector('body > :not(link)').id"
    assert visitor.page.evaluate(first) == "consentkit"


def test_the_notice_is_first_in_tab_order(visitor: Visitor) -> None:
    """OJ-01: reached by the first press of the key, and passed by the next ones."""
    reached = []
    for _ in range(12):
        visitor.page.keyboard.press("Tab")
        reached.append(
            visitor.page.evaluate(
                """() => {
                    const at = document.activeElement;
                    return at.closest("#consentkit") ? at.value || "link" : at.id;
                }"""
            )
        )
        if reached[-1] == "site-link":
            break
    assert reached == ["link", "reject-all", "accept-all", "link", "site-link"]


# Whether a person sees something of what has the focus, or all of it is covered.
IS_SEEN = """() => {
    const at = document.activeElement;
    return [...at.getClientRects()].some(line => {
        const top = document.elementFromPoint(line.x + line.width / 2, line.y + line.height / 2);
        return top === at || at.contains(top);
    });
}"""


@pytest.mark.parametrize(
    "window", [{}, {"viewport": {"width": 320, "height": 640}}], ids=["1280 px", "320 px"]
)
def test_what_has_the_focus_is_seen(
    servers: dict[str, Server], new_visitor: NewVisitor, window: dict[str, Any]
) -> None:
    """OJ-03, WCAG 2.4.11: a notice that stays in sight does not hide the link one has come to."""
    visitor = new_visitor(servers["implied"], **window)
    visitor.type_address("/long")
    assert visitor.notice.evaluate("notice => getComputedStyle(notice).position") == "fixed"
    for _ in range(4 + 30):
        visitor.page.keyboard.press("Tab")
        assert visitor.page.evaluate("document.activeElement.localName") in ("a", "button")
        assert visitor.page.evaluate(IS_SEEN)
    visitor.page.evaluate("""() => {
        const lid = document.createElement("div");
        Object.assign(lid.style, {position: "fixed", inset: 0, zIndex: 99999});
        document.body.append(lid);
    }""")
    assert not visitor.page.evaluate(IS_SEEN), "the control: what is covered is found"


def look_of(visitor: Visitor, choice: str) -> tuple[dict[str, str], tuple[float, float]]:
    """Every computed property of a button, and its width and height."""
    button = visitor.notice.locator(f"button[value={choice}]")
    style = button.evaluate(
        """button => {
            const style = getComputedStyle(button);
            return Object.fromEntries([...style].map(name => [name, style.getPropertyValue(name)]));
        }"""
    )
    box = button.bounding_box()
    assert box is not None
    return style, (box["width"], box["height"])


def test_rejecting_looks_like_accepting(visitor: Visitor) -> None:
    """R-12: neither is larger, brighter or nearer than the other: every property is equal."""
    style, size = look_of(visitor, "reject-all")
    assert (style, size) == look_of(visitor, "accept-all")
    assert len(style) > 300, "the control: these are real styles"
    assert style["background-color"] != "rgba(0, 0, 0, 0)", "the style sheet was loaded"
    assert size[1] >= 44


def test_everything_works_without_javascript(
    servers: dict[str, Server], new_visitor: NewVisitor
) -> None:
    """DC-17: plain forms, from the banner to the withdrawal of a single purpose."""
    visitor = new_visitor(servers["explicit"], java_script_enabled=False)
    visitor.type_address("/deep/page?of=1")
    visitor.open_preferences()
    visitor.page.check("[value=analytics]")
    visitor.answer("save")
    assert visitor.address == "/deep/page?of=1"
    assert visitor.stored == {"session", "_ga"}
    visitor.open_preferences()
    assert visitor.page.is_checked("[value=analytics]")
    assert not visitor.page.is_checked("[value=embeds]")
    visitor.page.uncheck("[value=analytics]")
    visitor.answer("save")
    assert visitor.stored == {"session"}
    visitor.open_preferences()
    visitor.click(f"main a[href='{OUR_PAGES[1]}']")
    assert "a-name-that-is-longer" in visitor.page.inner_text("table")


def test_a_strict_content_security_policy_is_kept(visitor: Visitor) -> None:
    """R-92: no inline style, no inline script, nothing from elsewhere; no word in the console."""
    for path in OUR_PAGES:
        visitor.type_address(path)
    visitor.type_address("/")
    visitor.answer("reject-all")
    assert not visitor.is_asked
    assert not visitor.complaints
    assert {url.split("/")[2] for url in visitor.requested if url.startswith("http")} == {
        visitor.server.origin().split("/")[2]
    }
    assert any("consent.css" in url or "/assets/consent." in url for url in visitor.requested)
    visitor.page.evaluate("document.body.setAttribute('style', 'color: red')")
    visitor.wait_until(lambda: visitor.complaints)  # the control: what breaks it is told of


SHIFTS = """() => new Promise(done => {
    let sum = 0;
    const observer = new PerformanceObserver(list => {
        for (const shift of list.getEntries()) sum += shift.value;
    });
    observer.observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(sum), 150);
})"""


def test_the_notice_shifts_nothing(visitor: Visitor) -> None:
    """The banner is a part of the page from its first byte: cumulative layout shift is 0."""
    assert visitor.page.evaluate(SHIFTS) == 0
    visitor.page.evaluate("""() => {
        const late = document.createElement("div");
        late.append(...Array.from({length: 12}, () => document.createElement("br")));
        document.querySelector("#text").before(late);
    }""")
    visitor.wait_until(lambda: visitor.page.evaluate(SHIFTS) > 0)  # the control: it is measured


# Narrow windows

# 320 px is a window of 1280 px at 400 % (WCAG 1.4.10); 640 px with twice the pixels is 200 %.
WINDOWS = [
    pytest.param({"viewport": {"width": 320, "height": 640}}, id="320 px"),
    pytest.param({"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}, id="200 %"),
]
FITS = """() => {
    document.querySelectorAll("details").forEach(one => { one.open = true });
    const page = document.documentElement, lost = [];
    for (const one of document.querySelectorAll(".consentkit, .consentkit *")) {
        const box = one.getBoundingClientRect(), style = getComputedStyle(one);
        if (box.width && (box.left < -0.5 || box.right > page.clientWidth + 0.5))
            lost.push(`${one.localName} sticks out`);
        if (style.overflowX === "hidden" && one.scrollWidth > one.clientWidth)
            lost.push(`${one.localName} is cut`);
        const isControl = one.matches("a, button, summary, input:not([type=hidden])");
        if (isControl && !(box.width && box.height))
            lost.push(`${one.localName} is not there`);
    }
    return {sideways: page.scrollWidth - page.clientWidth, lost};
}"""


@pytest.mark.parametrize("window", WINDOWS)
def test_nothing_is_lost_in_a_narrow_window(
    servers: dict[str, Server], new_visitor: NewVisitor, window: dict[str, Any]
) -> None:
    """WCAG 1.4.4, 1.4.10: no sideways scrolling, nothing cut off, with every detail open."""
    for mode in MODES:
        visitor = new_visitor(servers[mode], **window)
        for path in ("/", *OUR_PAGES):
            visitor.type_address(path)
            assert visitor.page.evaluate(FITS) == {"sideways": 0, "lost": []}, (mode, path)
    visitor.page.evaluate("document.querySelector('h1').style.width = '2000px'")
    assert visitor.page.evaluate(FITS)["sideways"] > 0, "the control: a wide thing is found"


@pytest.mark.parametrize("window", WINDOWS)
def test_the_buttons_stay_equal_in_a_narrow_window(
    servers: dict[str, Server], new_visitor: NewVisitor, window: dict[str, Any]
) -> None:
    """R-12 holds on a telephone."""
    visitor = new_visitor(servers["implied"], **window)
    visitor.type_address("/")
    assert look_of(visitor, "reject-all") == look_of(visitor, "accept-all")
    visitor.answer("reject-all")
    assert not visitor.is_asked
