"""Everybody can read the notice and answer it: WCAG 2.2 AA, measured in a browser (R-95 to R-100).

Each state of the notice, each page of ours and each thing of ours in a site's page is opened once
from left to right and once from right to left. There axe looks at it, light and dark, on a
telephone and on a desk; and what axe does not see is measured: zoom, text spacing, sizes, edges,
forced colours, motion, print. The tests read what was found. Then come the keyboard, and what
Chromium tells assistive technology.

Embeds of every size are in tests/browser/test_embeds.py, other people's style sheets in
tests/browser/test_layouts.py. docs/explanation/accessibility.md says what all this shows, and what
it does not.
"""

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from consentkit import ConsentMiddleware
from consentkit.notice.text import messages_for
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import Serve
from tests.browser.servers import Server
from tests.browser.visitors import AGENT, PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# The sites, each under a name of its own, and so with a jar of its own

POLICY = """
site:
  name: Harrow Hill Library
  controller: Harrow Hill Town Council
  contact: privacy@harrow-hill.example
  updated: 2026-11-01
mode: {mode}
languages: [en, ar]
{more}
purposes:
  necessary:
    title: {{en: Strictly necessary, ar: ضرورية للغاية}}
    description: {{en: It keeps you logged in., ar: تبقيك مسجل الدخول.}}
    basis: strictly-necessary
    justification: authentication
"""
OPTIONAL = """
  counting:
    title: {en: Counting visits, ar: إحصاء الزيارات}
    description: {en: It counts visitors and pages., ar: إحصاء الزوار والصفحات.}
    honours: [gpc]
  films:
    title: {en: Films from third parties, ar: أفلام من أطراف ثالثة}
    description: {en: Pages show films from other sites., ar: تعرض الصفحات أفلامًا من مواقع أخرى.}
    since: SINCE
  maps:
    title: {en: Maps, ar: خرائط}
    description: {en: Pages show the way., ar: تبين الصفحات الطريق.}
"""
ITEMS = """
cookies:
  session: {kind: session, purpose: necessary, description: {en: Your log-in., ar: تسجيل الدخول.}}
"""
OPTIONAL_ITEMS = """
  _ga:
    kind: analytics
    purpose: counting
    service: counter
    duration: 13 months
    description: {en: Tells visitors apart., ar: تميز الزوار.}
    more: /privacy
  a-name-that-is-longer-than-many-a-screen-is-wide-{id}:
    kind: persistent
    purpose: films
    duration: 5 days
    description: {en: Remembers where you stopped., ar: تتذكر أين توقفت.}
storage:
  zoom: {where: local, purpose: maps, description: {en: The scale., ar: المقياس.}}
services:
  counter:
    purpose: counting
    title: Counter
    provider: Counter Limited
    hosts: [counter.example]
    privacy: https://counter.example/privacy
    opt-out: https://counter.example/opt-out
    transfer: [US]
  films:
    purpose: films
    title: Filmhouse
    provider: Films Limited
    hosts: [films.example]
    shows: video
  maps: {purpose: [maps, films], provider: Maps Foundation, hosts: [maps.example], shows: map}
"""


def policy_text(mode: str, more: str = "", *, since: int = 1, is_optional: bool = True) -> str:
    """A policy; where nothing is optional nobody is asked."""
    text = POLICY.format(mode=mode, more=more)
    optional = OPTIONAL.replace("SINCE", str(since))
    return text + (optional + ITEMS + OPTIONAL_ITEMS if is_optional else ITEMS)


LAYOUTS = ("top", "sticky", "bottom", "corner")
MORE = "placeholders: ['*']\nchild-directed: [/en/kids, /ar/kids]\nbanner: {{layout: {}}}"
POLICIES = {
    **{layout: policy_text("explicit", MORE.format(layout)) for layout in LAYOUTS},
    "implied": policy_text("implied"),
    "at-once": policy_text("implied", "takes-effect: at-once"),
    "opt-out": policy_text("opt-out"),
    "nothing": policy_text("explicit", "settings-link: always", is_optional=False),
    "changed": policy_text("explicit", "revision: 2", since=2),
}
BEFORE_THE_CHANGE = policy_text("explicit")

LOREM = "Books, films, music, seeds and instruments are lent to everybody in the town. " * 4
CONTENT = {
    "parts": """
<h2>Our cookies</h2><div data-consentkit="cookies"></div>
<h2>Your choice</h2><div data-consentkit="preferences"></div>
<p data-consentkit="settings-link"></p>
""",
    "embeds": """
<p><iframe src="https://films.example/1" width="480" height="270" title="A film"></iframe></p>
<p><iframe src="https://nobody.example/1" width="300" height="200" title="A game"></iframe></p>
<template data-purpose="maps"><p>A map.</p></template>
""",
}
STYLE = (
    ":root { color: light-dark(#111, #eee); background: light-dark(#fff, #111) }"
    "a { color: light-dark(#00c, #9cf) } body { max-width: 60em } iframe { max-width: 100% }"
)
DIRECTIONS = {"en": "ltr", "ar": "rtl"}


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """The site without us: ``/en`` and ``/ar`` and what is below, light or dark."""
    _, tongue, *name = Request(scope).url.path.split("/")
    tongue = tongue if tongue in DIRECTIONS else "en"
    page = HTMLResponse(
        f'<!doctype html><html lang="{tongue}" dir="{DIRECTIONS[tongue]}"><head>'
        '<meta charset="utf-8"><title>Harrow Hill</title><link rel="icon" href="data:,">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>"
        f'<header><a id="site" href="/{tongue}">Harrow Hill Library</a></header>'
        f'<main><h1>A library</h1><p>{LOREM}</p><p><a href="/{tongue}/join">Join</a></p>'
        f"{CONTENT.get(''.join(name), '')}</main></body></html>"
    )
    page.set_cookie("nobody-knows-me", "1")
    await page(scope, receive, send)


class Town:
    """All the sites, by the first part of the host's name.

    At ``changed`` answers are taken under an older policy than the pages are made with.
    """

    def __init__(self) -> None:
        self._apps: dict[str, ASGIApp] = {name: shell(text) for name, text in POLICIES.items()}
        self._apps["staff"] = shell(POLICIES["top"], staff=lambda _: True)
        self._before = shell(BEFORE_THE_CHANGE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = str(Request(scope).url.hostname).partition(".")[0]
        is_before = name == "changed" and scope["method"] == "POST"
        await (self._before if is_before else self._apps[name])(scope, receive, send)


def shell(text: str, **options: Any) -> ConsentMiddleware:
    return ConsentMiddleware(pages, policy=read_policy(text), secret_key="k" * 32, **options)


# The states, and how a person gets there


class State(NamedTuple):
    """What is looked at: a page of a site, after an answer, and after what is done there."""

    site: str
    path: str = "/{tongue}"
    answer: str = ""
    then: "Callable[[Page], object] | None" = None
    has_signal: bool = False


def refuse(page: "Page") -> None:
    page.click("#consentkit [value=reject-all]")
    page.wait_for_selector("#consentkit [role=status]:not(:empty)")


def open_dialog(page: "Page") -> None:
    page.click("#consentkit .consentkit-more")
    page.wait_for_selector("dialog[open]")


def post_nonsense(page: "Page") -> None:
    with page.expect_navigation():
        page.evaluate("""() => {
            document.body.innerHTML = `<form method="post" action="/consent?lang=${
                document.documentElement.lang}"><input name="choice" value="nonsense"></form>`;
            document.forms[0].submit();
        }""")


OURS = "/consent?lang={tongue}"
TABLE = "/consent/cookies?lang={tongue}"
RECEIPT = "/consent/receipt?lang={tongue}"
SOME, ALL, NONE = "choice=reject-all&purpose=counting", "choice=accept-all", "choice=reject-all"
ASKING = {
    **{f"asking, {layout}": State(layout) for layout in LAYOUTS},
    "implied": State("implied"),
    "at once": State("at-once"),
    "opt-out": State("opt-out"),
    "some are open": State("sticky", answer=SOME),
    "news": State("changed", answer=ALL),
}
STATES = ASKING | {
    "a signal": State("opt-out", has_signal=True),
    "settings": State("top", answer=NONE),
    "settings and withdrawal": State("opt-out", answer=ALL),
    "saved": State("top", "/{tongue}#consentkit", ALL),
    "saved by the script": State("corner", then=refuse),
    "children": State("top", "/{tongue}/kids", ALL),
    "nothing to choose": State("nothing"),
    "dialog": State("top", answer="choice=save&service=films", then=open_dialog),
    "preferences": State("top", OURS),
    "preferences, answered": State("implied", OURS, ALL),
    "preferences, a signal": State("opt-out", OURS, has_signal=True),
    "declaration": State("top", TABLE),
    "declaration, searched": State("top", TABLE + "&q=_ga"),
    "declaration, nothing found": State("top", TABLE + "&q=nothing"),
    "declaration, nothing to choose": State("nothing", TABLE),
    "declaration, for the staff": State("staff", TABLE, NONE),
    "receipt": State("top", RECEIPT, ALL),
    "receipt of nothing": State("top", RECEIPT),
    "a message": State("top", then=post_nonsense),
    "parts": State("top", "/{tongue}/parts", SOME),
    "parts and dialog": State("top", "/{tongue}/parts", SOME, open_dialog),
    "embeds": State("top", "/{tongue}/embeds", NONE),
}
ALONE = {"dialog", "parts and dialog", "a message"}  # what a notice stands behind, or is not in
OUR_PAGES = [name for name, state in STATES.items() if state.path.startswith("/consent")]
IN_A_PAGE = [name for name in STATES if name not in {*OUR_PAGES, *ALONE}]

ANSWER = """async answer => {
    const said = await fetch("/consent", {method: "POST", body: new URLSearchParams(answer)});
    if (!said.ok) throw new Error(said.status);
}"""
OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"
AXE = "axe_playwright_python"
MEASURES = Path(__file__).with_name("measures.js")


class Person:
    """Somebody at a browser that has axe and our own measures in every document."""

    def __init__(self, browser: "Browser", server: Server) -> None:
        self._server = server
        self._context = browser.new_context(user_agent=AGENT)
        self._context.set_default_timeout(PATIENCE)
        axe = files(AXE).joinpath("axe.min.js").read_text("utf-8")
        self._context.add_init_script(f"{axe}\n{MEASURES.read_text('utf-8')}")
        self.page: Page = self._context.new_page()
        self.protocol = self._context.new_cdp_session(self.page)

    def arrive(self, state: State, tongue: str) -> None:
        """Be new, and get to where a state can be seen, with every detail open."""
        self.reset()
        origin = self._server.origin(f"{state.site}.localhost")
        self._context.clear_cookies()
        self.page.set_extra_http_headers({"Sec-GPC": "1"} if state.has_signal else {})
        if state.answer:
            self.page.goto(f"{origin}/{tongue}")
            self.page.evaluate(ANSWER, state.answer)
            self.page.goto("about:blank")  # else a fragment alone would load nothing
        self.page.goto(origin + state.path.format(tongue=tongue))
        if state.then:
            state.then(self.page)

    def reset(self) -> None:
        """See things as most people do."""
        self.resize(1280, 800)
        self.set_text(16)
        self.page.emulate_media(
            media="screen",
            color_scheme="light",
            forced_colors="none",
            reduced_motion="no-preference",
        )

    def resize(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    def set_text(self, size: int) -> None:
        """The size of text that a person sets in their browser, in px."""
        sizes = {"standard": size, "fixed": size}
        self.protocol.send("Page.setFontSizes", {"fontSizes": sizes})

    def measure(self, what: str, *arguments: Any) -> Any:
        # As one text, since Playwright's own way with so many values takes ten times as long.
        call = f"async given => JSON.stringify(await measure.{what}(...given) ?? null)"
        return json.loads(self.page.evaluate(call, arguments))

    def tree(self) -> list[dict[str, Any]]:
        """What Chromium tells assistive technology, in its order, but for what it leaves out."""
        nodes = self.protocol.send("Accessibility.getFullAXTree")["nodes"]
        by_id = {node["nodeId"]: node for node in nodes}

        def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
            if not node["ignored"]:
                yield node
            for child in node.get("childIds", ()):
                if child in by_id:
                    yield from walk(by_id[child])

        return [told(node) for node in walk(nodes[0])]


def told(node: dict[str, Any]) -> dict[str, Any]:
    """A node of the tree in short: role, name, description, and what is true of it."""
    properties = {one["name"]: one["value"].get("value") for one in node.get("properties", ())}
    own = {key: node.get(key, {}).get("value", "") for key in ("role", "name", "description")}
    return properties | own


@pytest.fixture(scope="module")
def person(browser: "Browser", serve_module: Serve) -> Person:
    pytest.importorskip(AXE, reason="axe is not installed: pip install axe-playwright-python")
    return Person(browser, serve_module(Town()))


# What is found: each state is opened once in each direction, and measured for all the rules

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
# Every direction meets every theme and every width, and every theme meets every width.
LOOKS: dict[str, dict[Theme, tuple[int, int]]] = {
    "en": {"light": (320, 640), "dark": (1440, 900)},
    "ar": {"light": (1440, 900), "dark": (320, 640)},
}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Sight(NamedTuple):
    """How somebody sees a page: their window, the size of their text, their own spacing."""

    width: int
    height: int
    text: int = 16
    is_spaced: bool = False


# A window of 1280 by 800 px, zoomed, has fewer of them (WCAG 1.4.4, 1.4.10).
SIGHTS = {
    "zoomed to 200 %": Sight(640, 400),
    "zoomed to 400 %": Sight(320, 200),
    "on a telephone": Sight(320, 640),
    "text of 200 %": Sight(1280, 800, text=32),
    "text spacing": Sight(320, 640, is_spaced=True),
}

Found = dict[str, Any]
Look = Callable[[str], dict[str, Found]]


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, Found]]:
    """What was found already: each state is looked at once."""
    return {}


@pytest.fixture
def look(person: Person, known: dict[str, dict[str, Found]]) -> Look:
    """Go and see a state; what is found stands under the language."""

    def look(state: str) -> dict[str, Found]:
        if state not in known:
            known[state] = {tongue: examine(person, STATES[state], tongue) for tongue in LOOKS}
        return known[state]

    return look


def examine(person: Person, state: State, tongue: str) -> Found:
    person.arrive(state, tongue)
    person.page.evaluate(OPEN_ALL)
    found: Found = {"axe": {}, "sizes": {}, "contrasts": {}, "lost": {}}
    for theme, (width, height) in LOOKS[tongue].items():
        person.page.emulate_media(color_scheme=theme)
        person.resize(width, height)
        found["axe"][theme, width] = person.measure("axeFinds", TAGS)
        found["sizes"][width] = person.measure("sizes")
        found["contrasts"][theme] = person.measure("contrasts")
        person.page.emulate_media(forced_colors="active")
        found["contrasts"][f"{theme}, forced"] = person.measure("contrasts")
        person.page.emulate_media(forced_colors="none")
    for sight, (width, height, text, is_spaced) in SIGHTS.items():
        person.resize(width, height)
        person.set_text(text)
        person.measure("setSpacing", is_spaced)
        found["lost"][sight] = person.measure("lost")
    person.reset()
    found["moves"] = person.measure("moves")
    person.page.emulate_media(reduced_motion="reduce")
    found["moves, reduced"] = person.measure("moves")
    found["plain links"] = person.measure("plainLinks")
    found["screen"] = person.measure("worded")
    person.page.emulate_media(media="print")
    found["paper"] = person.measure("worded")
    return found


EVERY_STATE = pytest.mark.parametrize("state", STATES)


@EVERY_STATE
def test_axe_finds_nothing(look: Look, state: str) -> None:
    """R-98: the rules of WCAG 2.2 A and AA that a program can judge, and axe's best practices.

    What axe leaves open is a fault, except what is worked out by hand: the contrast of words that
    something overlaps, and that each header of the table has its cells.
    """
    for tongue, found in look(state).items():
        for theme_and_width, finds in found["axe"].items():
            assert finds["looked"] > 10, "the control: axe was there"
            assert finds["faults"] == [], (tongue, theme_and_width)


def test_axe_finds_what_is_there_to_find(person: Person) -> None:
    """The control of the rule above: one fault of each kind, the ones worked out by hand too."""
    person.arrive(STATES["declaration"], "en")
    person.page.evaluate("""() => {
        document.documentElement.lang = "";
        document.querySelector("[type=search]").removeAttribute("id");
        document.querySelector(".consentkit-search button").textContent = "";
        document.querySelector("tbody td").remove();
        document.querySelector("caption").style.color = "#999";
        const covered = document.querySelector(".consentkit-search label");
        Object.assign(covered.style, {color: "#999", position: "relative", zIndex: -1});
    }""")
    faults = {fault.rpartition(": ")[0] for fault in person.measure("axeFinds", TAGS)["faults"]}
    assert faults == {
        "html-has-lang",
        "label",
        "button-name",
        "left open: th-has-data-cells",
        "color-contrast",
        "left open: color-contrast",
    }


@EVERY_STATE
def test_nothing_is_lost_when_it_gets_large(look: Look, state: str) -> None:
    """R-98, WCAG 1.4.4, 1.4.10, 1.4.12: nothing is cut, covered, or out of the window."""
    for tongue, found in look(state).items():
        for sight, lost in found["lost"].items():
            assert lost["looked"] > 0, "the control: there are words"
            assert lost["found"] == [], (tongue, sight)


def test_what_is_lost_is_found(person: Person) -> None:
    """The control of the rule above."""
    person.arrive(STATES["asking, top"], "en")
    assert person.measure("lost")["found"] == []
    for fault, style in {
        "h2 “May we use optional cook” is too narrow": "width: 3em; white-space: nowrap",
        "h2 “May we use optional cook” is too low": "height: 1em; overflow: hidden",
        "h2 “May we use optional cook” lies over p “Cookies that make this s”": "height: 0",
        "h2 “May we use optional cook” sticks out of the window": "margin-inline-start: -50px",
        "the page scrolls sideways": "width: 2000px",
    }.items():
        person.page.evaluate(
            "style => document.querySelector('.consentkit h2').setAttribute('style', style)", style
        )
        assert fault in person.measure("lost")["found"]


@EVERY_STATE
def test_the_main_controls_are_large(look: Look, state: str) -> None:
    """R-98: buttons, switches with their row, details and links of their own are 44 px high.

    WCAG 2.5.8 asks for 24, and axe looks for those: links in a sentence are as high as its line.
    """
    for tongue, found in look(state).items():
        for width, controls in found["sizes"].items():
            assert controls or STATES[state].path == RECEIPT or state == "a message"
            small = [one for one in controls if one["height"] < 44 or one["width"] < 24]
            assert small == [], (tongue, width)


@EVERY_STATE
def test_words_and_controls_stand_out(look: Look, state: str) -> None:
    """R-98, WCAG 1.4.3, 1.4.11: words 4.5:1; edges of buttons and fields, knobs of switches 3:1.

    The colours are computed ones, light and dark, and with forced colours on either ground.
    """
    for tongue, found in look(state).items():
        assert len(found["contrasts"]) == 4
        for theme, seen in found["contrasts"].items():
            assert seen["words"], "the control: there are words"
            faint = [one for one in seen["words"] if one["ratio"] < one["least"]]
            edgeless = [one for one in seen["edges"] if one["ratio"] < 3 or not one["width"]]
            lost_in_ground = [one for one in seen["knobs"] if one["ratio"] < 3]
            assert faint + edgeless + lost_in_ground == [], (tongue, theme)


def test_a_faint_word_is_found(person: Person) -> None:
    """The control of the rule above: known colours, and their known contrast."""
    person.arrive(STATES["preferences"], "en")
    person.page.evaluate(OPEN_ALL)
    person.page.evaluate("""() => {
        const set = (name, style) => Object.assign(document.querySelector(name).style, style);
        set("h1", {color: "#777", background: "#fff", fontSize: "16px"});
        set(".consentkit-actions button", {borderColor: "#f5f7f9"});
    }""")
    seen = person.measure("contrasts")
    [heading] = [one for one in seen["words"] if one["name"].startswith("h1")]
    assert heading["ratio"] == pytest.approx(4.48, abs=0.01)
    assert heading["least"] == 4.5
    assert seen["edges"][-3]["ratio"] == pytest.approx(1)
    assert len(seen["knobs"]) == 6


@EVERY_STATE
def test_links_are_underlined(look: Look, state: str) -> None:
    """R-100, WCAG 1.4.1: not told from other words by colour alone."""
    for found in look(state).values():
        assert found["plain links"] == []


def test_a_link_without_a_line_is_found(person: Person) -> None:
    """The control of the rule above."""
    person.arrive(STATES["asking, top"], "en")
    person.page.evaluate("document.querySelector('#consentkit p a').style.textDecoration = 'none'")
    [plain] = person.measure("plainLinks")
    assert messages_for("en").see_every in plain


@EVERY_STATE
def test_nothing_moves_for_whoever_wants_no_motion(look: Look, state: str) -> None:
    """R-99: the knob of a switch slides, and for others not even that."""
    for found in look(state).values():
        assert found["moves, reduced"] == []
        assert {one.rpartition("::")[2] for one in found["moves"]} <= {"before"}
        assert bool(found["moves"]) == (
            "preferences" in state or "dialog" in state or state == "parts"
        )


@EVERY_STATE
def test_paper_has_what_is_told_and_not_what_is_asked(look: Look, state: str) -> None:
    """The notice is no part of a printed page; our own pages are, without their buttons."""
    is_page = state in OUR_PAGES or state == "a message" or "parts" in state or state == "dialog"
    for found in look(state).values():
        assert found["screen"], "the control: there are words on the screen"
        assert bool(found["paper"]) == is_page
        assert "button" not in found["paper"]


# The keyboard

FOCUSED = """() => {
    const at = document.activeElement;
    return at === document.body ? "" : at.innerText || at.value || at.id;
}"""
STATUS = "async () => (await fetch('/consent/status')).json()"
EACH_LANGUAGE = pytest.mark.parametrize("tongue", DIRECTIONS)


def press(person: Person, *keys: str) -> None:
    for key in keys:
        person.page.keyboard.press(key)


def press_tab_until(person: Person, words: str) -> None:
    """Go on until something with these words has the focus."""
    for _ in range(40):
        press(person, "Tab")
        if person.page.evaluate(FOCUSED).startswith(words):
            return
    pytest.fail(f"the Tab key does not come to '{words}'")


def labels_of(state: str, tongue: str) -> tuple[str, str]:
    words = messages_for(tongue)
    if state == "opt-out":
        return words.opt_out, words.allow
    if state in {"some are open", "news"}:
        return words.reject, words.accept
    return words.reject_all, words.accept_all


@EACH_LANGUAGE
@pytest.mark.parametrize("state", ASKING)
def test_the_notice_comes_first_and_takes_no_focus(person: Person, state: str, tongue: str) -> None:
    """R-95: where every cookie stands, no, yes, each purpose; and then the page.

    Refusal stands before the grant, and a reader hears them in the order of the Tab key.
    """
    person.arrive(STATES[state], tongue)
    words = messages_for(tongue)
    assert person.page.evaluate(FOCUSED) == "", "nothing took the focus"
    assert person.page.evaluate("scrollY") == 0
    second = [words.do_not_sell] if state == "opt-out" else []  # a statute's own link
    stops = [words.see_every, *second, *labels_of(state, tongue), words.choose_each]
    stops.append("Harrow Hill Library")
    reached = []
    for _ in stops:
        press(person, "Tab")
        reached.append(person.page.evaluate(FOCUSED))
    assert reached == stops
    heard = [one["name"] for one in person.tree() if one["role"] in {"link", "button"}]
    assert heard[: len(stops)] == stops


@pytest.mark.parametrize(("key", "to", "is_allowed"), [("Enter", 2, False), ("Space", 3, True)])
def test_the_keyboard_alone_answers(person: Person, key: str, to: int, is_allowed: bool) -> None:  # noqa: FBT001 - a row of the table above
    """WCAG 2.1.1: the answers are ordinary buttons, and the focus stays in the notice."""
    person.arrive(STATES["asking, bottom"], "en")
    press(person, *["Tab"] * to, key)
    person.page.wait_for_selector("#consentkit [role=status]:not(:empty)")
    allowed = person.page.evaluate(STATUS)["allowed"]
    assert allowed == {
        "necessary": True,
        **dict.fromkeys(("counting", "films", "maps"), is_allowed),
    }
    assert person.page.evaluate(FOCUSED) == messages_for("en").settings


def test_the_preferences_are_set_with_the_keyboard_alone(person: Person) -> None:
    """WCAG 2.1.1: Space turns a switch, Enter opens a detail; Enter in a switch saves.

    It saves what is set and never accepts (R-02): *Save my choices* is the form's first button.
    """
    person.arrive(STATES["preferences"], "en")
    press_tab_until(person, "Services: 1 · Cookies: 1")
    press(person, "Enter")
    press_tab_until(person, "counter")
    press(person, "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab")
    assert person.page.evaluate(FOCUSED) == "counting"
    press(person, "Space")
    with person.page.expect_navigation():
        press(person, "Enter")
    assert person.page.evaluate(STATUS)["answers"] == {
        "necessary": "granted",
        "counting": "granted",
        "films": "refused",
        "maps": "refused",
    }


def test_the_table_is_searched_with_the_keyboard_alone(person: Person) -> None:
    """WCAG 2.1.1, and without a script."""
    person.arrive(STATES["declaration"], "en")
    press_tab_until(person, "consentkit-q")
    person.page.keyboard.type("zoom")
    with person.page.expect_navigation():
        press(person, "Enter")
    assert person.page.locator("tbody code").all_inner_texts() == ["zoom"]


def test_a_dialog_keeps_the_focus_and_gives_it_back(person: Person) -> None:
    """R-97: the focus is inside from first to last, Escape grants nothing, and it returns."""
    person.arrive(STATES["asking, top"], "en")
    press(person, "Tab", "Tab", "Tab", "Tab", "Enter")
    person.page.wait_for_selector("dialog[open]")
    assert person.page.evaluate(FOCUSED) == messages_for("en").settings, "its heading"
    inside = (
        "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
    )
    stops = set()
    for _ in range(40):
        press(person, "Tab")
        assert person.page.evaluate(inside)
        stops.add(person.page.evaluate(FOCUSED))
    assert stops >= {"Close", "counting", "Save my choices", "Reject all", "Accept all"}
    press_tab_until(person, "counting")
    press(person, "Space", "Escape")
    person.page.wait_for_selector("dialog", state="detached")
    assert person.page.evaluate(FOCUSED) == messages_for("en").choose_each
    status = person.page.evaluate(STATUS)
    assert status["open"] == ["counting", "films", "maps"], "nothing was saved"
    press(person, "Enter")
    person.page.wait_for_selector("dialog[open]")
    press_tab_until(person, "counting")
    press(person, "Space", "Enter")
    person.page.wait_for_selector("dialog", state="detached")
    allowed = person.page.evaluate(STATUS)["allowed"]
    assert allowed["counting"], "the control: what is saved is saved"


IS_OURS = "document.activeElement.matches('.consentkit:not(body), .consentkit *')"
IS_AT_THE_END = "document.activeElement === document.body"
WALKED = [
    *(f"asking, {layout}" for layout in LAYOUTS),
    *("settings and withdrawal", "dialog", "preferences, answered", "declaration", "receipt"),
    *("declaration, for the staff", "parts", "a message"),
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", WALKED)
def test_the_focus_is_seen(person: Person, state: str, theme: Theme) -> None:
    """R-96, WCAG 2.4.7, 2.4.11, 2.4.13: a whole ring of 3 px and 3:1, and nothing lies before it.

    Forward and back, on a telephone, where there is least room.
    """
    person.arrive(STATES[state], "en" if theme == "light" else "ar")
    person.page.evaluate(OPEN_ALL)
    person.page.emulate_media(color_scheme=theme)
    person.resize(320, 640)
    rings = []
    for key in ("Tab", "Shift+Tab"):
        for _ in range(30):
            press(person, key)
            if person.page.evaluate(IS_OURS):
                rings.append(person.measure("ring"))
            elif person.page.evaluate(IS_AT_THE_END):
                break
    assert len(rings) > 3, "the control: there are stops"
    for ring in rings:
        is_heading = ring["name"].startswith("h2")  # which takes the focus, and no key
        assert ring["isSeen"], ring
        assert is_heading or (ring["isSolid"] and ring["width"] >= 2), ring
        assert ring["ratio"] >= 3, ring
        assert not ring["cut"], ring


# What Chromium tells assistive technology


def outline(nodes: list[dict[str, Any]], *roles: str) -> list[tuple[str, str]]:
    """Role and name of the nodes that have one of these roles, in order."""
    return [(node["role"], node["name"]) for node in nodes if node["role"] in roles]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_banner_is_heard_in_its_order(person: Person, layout: str) -> None:
    """R-95: a region with a label, in it a heading, a list, a link, the answers; then the page."""
    person.arrive(STATES[f"asking, {layout}"], "en")
    nodes = person.tree()
    assert outline(nodes, "region", "heading", "StaticText", "banner", "main")[:15] == [
        ("region", "Cookie notice"),
        ("heading", "May we use optional cookies?"),
        ("StaticText", "May we use optional cookies?"),
        (
            "StaticText",
            "Cookies that make this site work are always on. We ask your permission for:",
        ),
        ("StaticText", "Counting visits"),
        ("StaticText", "Films from third parties"),
        ("StaticText", "Maps"),
        ("StaticText", "The site works either way, and you can withdraw at any time. "),
        ("StaticText", "See every cookie"),
        ("StaticText", "Responsible: Harrow Hill Town Council. Third parties: 3."),
        ("StaticText", "Reject all"),
        ("StaticText", "Accept all"),
        ("StaticText", "Choose for each purpose"),
        ("banner", ""),
        ("StaticText", "Harrow Hill Library"),
    ]
    assert len(outline(nodes, "list", "listitem")) == 4
    [heading] = [node for node in nodes if node["role"] == "heading"][:1]
    assert heading["level"] == 2


@pytest.mark.parametrize("state", IN_A_PAGE)
def test_whatever_stands_in_a_page_is_a_region_with_a_label(person: Person, state: str) -> None:
    """R-95: also the quiet line can be found, and passed over, and says its language."""
    for tongue, direction in DIRECTIONS.items():
        person.arrive(STATES[state], tongue)
        [region] = outline(person.tree(), "region")
        assert region == ("region", messages_for(tongue).label)
        notice = person.page.locator("#consentkit")
        assert notice.get_attribute("lang") == tongue
        assert notice.get_attribute("dir") == direction


def switch(person: Person, name: str) -> dict[str, Any]:
    [found] = [node for node in person.tree() if (node["role"], node["name"]) == ("switch", name)]
    return found


@pytest.mark.parametrize("state", ["preferences", "dialog", "parts"])
def test_a_switch_has_a_name_a_description_and_a_state(person: Person, state: str) -> None:
    """R-100: it is heard as a switch that is on or off, and what it is for."""
    person.arrive(STATES[state], "en")
    before = switch(person, "Maps")
    assert before["description"] == "Pages show the way."
    assert before["checked"] == "false"
    person.page.locator("[name=purpose][value=maps]").last.press("Space")
    assert switch(person, "Maps")["checked"] == "true"
    names = [one["name"] for one in person.tree() if one["role"] == "switch"]
    assert len(set(names)) == len(names), "no two are called the same"


@EACH_LANGUAGE
def test_the_state_of_a_switch_is_told_by_a_word(person: Person, tongue: str) -> None:
    """R-100, WCAG 1.4.1: by the word and by the knob's place, not by colour alone."""
    person.arrive(STATES["preferences"], tongue)
    words, one = messages_for(tongue), "[name=purpose][value=maps]"
    off = {switch["says"] for switch in person.measure("switches")}
    assert off == {words.off}
    person.page.emulate_media(reduced_motion="reduce")
    *_, before = person.measure("switches")
    person.page.check(one)
    [*_, after] = [switch for switch in person.measure("switches") if switch["isOn"]]
    assert after["says"] == words.on
    assert after["knob"] != before["knob"]


def test_a_dialog_is_named_and_alone(person: Person) -> None:
    """R-97: a modal dialog with a name; the page behind it is not there for a reader."""
    person.arrive(STATES["asking, top"], "en")
    assert outline(person.tree(), "main") == [("main", "")], "the control: it is there before"
    open_dialog(person.page)
    nodes = person.tree()
    [dialog] = [node for node in nodes if node["role"] == "dialog"]
    assert dialog["name"] == messages_for("en").settings
    assert dialog["modal"]
    assert outline(nodes, "main", "banner", "region") == []
    person.page.keyboard.press("Escape")
    person.page.wait_for_selector("dialog", state="detached")
    assert outline(person.tree(), "main") == [("main", "")]


@pytest.mark.parametrize("choice", ["reject-all", "accept-all"])
def test_what_was_saved_is_announced(person: Person, choice: str) -> None:
    """R-99, WCAG 4.1.3: a polite status is there, empty, before its words are."""
    person.arrive(STATES["asking, top"], "en")
    before = person.tree()
    [status] = [node for node in before if node["role"] == "status"]
    assert status["live"] == "polite"
    assert "Saved" not in str(before)
    person.page.click(f"#consentkit [value={choice}]")
    person.page.wait_for_selector("#consentkit [role=status]:not(:empty)")
    after = person.tree()
    at = next(at for at, node in enumerate(after) if node["role"] == "status")
    said = "on" if choice == "accept-all" else "off"
    assert after[at + 1]["name"] == f"Saved: all optional cookies are {said}."


@pytest.mark.parametrize("width", [320, 1440])
def test_the_table_is_heard_as_one_at_every_width(person: Person, width: int) -> None:
    """WCAG 1.3.1: as cards too it has rows and cells, and each cell its header or its label."""
    person.arrive(STATES["declaration"], "en")
    person.resize(width, 900)
    nodes = person.tree()
    assert outline(nodes, "table") == [("table", "Entries: 5")]
    headers = [name for _, name in outline(nodes, "columnheader")]
    cells = [name for _, name in outline(nodes, "cell")]
    assert len(outline(nodes, "rowheader")) == 5 + 4, "entries, and purposes"
    assert len(cells) == 5 * 5
    if width == 1440:
        assert len(headers) == 6
        assert "13 months" in cells
    else:
        assert headers == []
        assert "Kept for: 13 months" in cells
