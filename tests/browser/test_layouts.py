"""Every layout on every host page: equal answers, nothing hidden, nothing shifted, one look.

Each pair is loaded once, walked through with the Tab key, and then measured in three widths; the
tests read what was found. What stands around the notice is in tests/browser/host_pages.py.
"""

import asyncio
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.host_pages import HOST_PAGES, STOPS, HostSite
from tests.browser.packages import packages_folder
from tests.browser.servers import Server
from tests.browser.visitors import Visitor

LAYOUTS = ("top", "sticky", "bottom", "corner")
STAYING = ("sticky", "bottom", "corner")
BARE = "bare"  # the page without us
WINDOWS = {320: 640, 768: 1024, 1440: 900}  # heights by widths
OUR_STOPS = 4  # a link, two answers, a link

POLICY = """
site: {{name: Harrow Hill Library, controller: Harrow Hill Town Council}}
mode: explicit
banner: {{layout: {layout}}}
purposes:
  necessary:
    title: Necessary
    description: It keeps you logged in.
    basis: strictly-necessary
    justification: authentication
  counting: {{title: Counting visits, description: It counts visitors and pages.}}
  films: {{title: Videos from third parties, description: Pages show films from other sites.}}
  maps: {{title: Maps, description: Pages show maps from other sites.}}
cookies:
  session: {{kind: session, purpose: necessary, description: Remembers your log-in.}}
  _ga: {{kind: analytics, purpose: counting, duration: 1 day, description: Counts.}}
services:
  films: {{purpose: films, provider: Films Limited, hosts: [films.example]}}
"""

# What a person has before them, measured once for all rules. Colours are read off a canvas, since
# a computed colour may be written in any colour space; as one text, since Playwright's own way with
# so many values takes ten times as long.
MEASURE = """() => {
    const ink = Object.assign(document.createElement("canvas"), {width: 1, height: 1})
        .getContext("2d", {willReadFrequently: true});
    const rgba = colour => {
        ink.clearRect(0, 0, 1, 1);
        ink.fillStyle = colour;
        ink.fillRect(0, 0, 1, 1);
        return [...ink.getImageData(0, 0, 1, 1).data];
    };
    const box = one => {
        const {left, top, right, bottom, width, height} = one.getBoundingClientRect();
        return {left, top, right, bottom, width, height};
    };
    const styles = one => {
        const all = Object.fromEntries([...one.computedStyleMap()]
            .filter(([name]) => !name.startsWith("--"))
            .map(([name, value]) => [name, value.join(", ")]));
        for (const pseudo of ["::before", "::after"])
            all[pseudo] = getComputedStyle(one, pseudo).content;
        return all;
    };
    const page = document.documentElement, banner = document.getElementById("consentkit");
    const isCovered = one => {
        const at = box(one);
        const top = document.elementFromPoint((at.left + at.right) / 2, (at.top + at.bottom) / 2);
        return !one.contains(top);
    };
    // What a person can scroll: a page that hides its overflow is moved by the Tab key only.
    const flow = getComputedStyle(page).overflowY === "visible" ? document.body : page;
    const scrollers = [...document.querySelectorAll("body *")].filter(
        one => ["auto", "scroll"].includes(getComputedStyle(one).overflowY)
            && !(banner && banner.contains(one)));
    if (!["hidden", "clip"].includes(getComputedStyle(flow).overflowY)) scrollers.push(page);
    page.scrollTop = document.body.scrollTop = 0;
    for (const one of scrollers) one.scrollTop = one.scrollHeight;
    const last = [...document.querySelectorAll("footer a")].at(-1);
    const end = {isCovered: isCovered(last), last: box(last), banner: banner && box(banner)};
    for (const one of scrollers) one.scrollTop = 0;
    const found = {
        end,
        sideways: page.scrollWidth - page.clientWidth,
        main: box(document.querySelector("main")),
    };
    if (!banner) return JSON.stringify(found);
    const isShown = one => one.getClientRects().length > 0;
    const ours = [banner, ...banner.querySelectorAll("*")].filter(isShown);
    const ground = one => {
        const colour = rgba(getComputedStyle(one).backgroundColor);
        return colour[3] || one === banner ? colour : ground(one.parentElement);
    };
    const hasWords = one => [...one.childNodes].some(
        node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    return JSON.stringify({
        ...found,
        banner: {position: getComputedStyle(banner).position, ...box(banner)},
        answers: Object.fromEntries([...banner.querySelectorAll("button[value$=-all]")].map(
            one => [one.value, {box: box(one), style: styles(one), isCovered: isCovered(one)}])),
        links: [...banner.querySelectorAll("a, button")].map(one => box(one).height),
        styles: ours.map(one => ({name: one.localName, ...styles(one)})),
        words: ours.filter(hasWords).map(one => {
            const {fontSize, color, opacity, visibility} = getComputedStyle(one);
            const lines = [...one.getClientRects()];
            return {
                text: one.textContent.trim(), size: parseFloat(fontSize), opacity, visibility,
                colour: rgba(color), ground: ground(one), width: box(one).width,
                sticksOut: lines.some(
                    line => line.left < -0.5 || line.right > page.clientWidth + 0.5),
            };
        }),
    });
}"""

# Looks at whatever has the focus each time before the Tab key moves it, so at what a person sees.
# Where a page's own header covers a link, that is the page's doing: only our cover counts.
WATCH = """() => {
    window.stops = [];
    const banner = document.getElementById("consentkit");
    const topmost = (line, share) => document.elementFromPoint(
        line.left + line.width * share, line.top + line.height * share);
    window.look = () => {
        const one = document.activeElement, isOurs = banner.contains(one);
        if (one === document.body) return;
        const tops = [...one.getClientRects()].flatMap(
            line => [0.05, 0.3, 0.5, 0.7, 0.95].map(share => topmost(line, share)));
        window.stops.push({
            name: `${one.localName} ${one.textContent.trim().slice(0, 20)}`, isOurs,
            isSeen: tops.some(top => top && (isOurs ? one.contains(top) : !banner.contains(top))),
            at: one.getBoundingClientRect().toJSON(),
            cover: banner.getBoundingClientRect().toJSON(),
        });
    };
    addEventListener("keydown", pressed => { if (pressed.key === "Tab") window.look() }, true);
}"""
WALKED = "() => { window.look(); return window.stops }"

# All that moved without a person's doing, from before the first words were painted.
SHIFTS = """() => new Promise((done, fail) => {
    let sum = 0;
    new PerformanceObserver(list => {
        for (const shift of list.getEntries()) if (!shift.hadRecentInput) sum += shift.value;
    }).observe({type: "layout-shift", buffered: true});
    new PerformanceObserver(list => {
        if (list.getEntriesByName("first-contentful-paint").length)
            requestAnimationFrame(() => setTimeout(() => done(sum), 50));
    }).observe({type: "paint", buffered: true});
    setTimeout(() => fail(new Error("nothing was painted")), 10_000);
})"""

Found = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What was found of one layout on one page: by width, while walking, and while loading."""

    at: dict[int, Found]
    stops: list[Found]
    shifts: float


Look = Callable[[str, str], Seen]
Clean = Callable[[dict[str, str]], dict[str, str]]


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ASGIApp]:
    """A site for each layout, and one that does not have us."""
    site = HostSite(packages_folder(tmp_path_factory))
    ours = {
        layout: ConsentMiddleware(
            site, policy=read_policy(POLICY.format(layout=layout)), secret_key="k" * 32
        )
        for layout in LAYOUTS
    }
    return {BARE: site, **ours}


@pytest.fixture(scope="module")
def servers(serve_module: Serve, apps: dict[str, ASGIApp]) -> dict[str, Server]:
    return {name: serve_module(app) for name, app in apps.items()}


@pytest.fixture(scope="module")
def known() -> dict[tuple[str, str], Seen]:
    """What was found already: each pair is looked at once."""
    return {}


@pytest.fixture
def look(
    servers: dict[str, Server], new_visitor: NewVisitor, known: dict[tuple[str, str], Seen]
) -> Look:
    """Go and see how a layout stands on a page."""

    def look(layout: str, host: str) -> Seen:
        if (layout, host) not in known:
            visitor = new_visitor(servers[layout], reduced_motion="reduce")
            known[layout, host] = visit(visitor, layout, host)
        return known[layout, host]

    return look


def visit(visitor: Visitor, layout: str, host: str, spoil: str = "") -> Seen:
    """One load, in one of the widths; then the keys, then all widths.

    `spoil` is a script that breaks the page once it is there.
    """
    # Each page and each layout meets each width: the places differ from row to row.
    place = [*HOST_PAGES].index(host)
    walk = [*WINDOWS][(place + (BARE, *LAYOUTS).index(layout)) % len(WINDOWS)]
    resize(visitor, walk)
    # A name of its own: nothing comes from a cache, as on the visit on which people are asked.
    origin = visitor.server.origin(f"{layout}-{place}{'-x' * bool(spoil)}.localhost")
    visitor.page.goto(f"{origin}/{quote(host)}")
    visitor.page.evaluate(spoil or "0")
    shifts = visitor.page.evaluate(SHIFTS)
    stops = [] if layout == BARE else walk_through(visitor)
    return Seen(measure(visitor, first=walk), stops, shifts)


def measure(visitor: Visitor, *, first: int = 320) -> dict[int, Found]:
    """What is found in each width; the window has the first already."""
    found = {}
    for width in sorted(WINDOWS, key=lambda width: width != first):
        resize(visitor, width)
        found[width] = json.loads(visitor.page.evaluate(MEASURE))
    return found


def resize(visitor: Visitor, width: int) -> None:
    visitor.page.set_viewport_size({"width": width, "height": WINDOWS[width]})


def walk_through(visitor: Visitor) -> list[Found]:
    """Every stop of the Tab key, held down, forward to the last and back to the first."""
    keys, last = visitor.page.keyboard, STOPS + OUR_STOPS - 1
    visitor.page.evaluate(WATCH)
    for _ in range(last + 1):
        keys.down("Tab")
    keys.down("Shift")
    for _ in range(last):
        keys.down("Tab")
    keys.up("Tab")
    keys.up("Shift")
    return visitor.page.evaluate(WALKED)


def everywhere(
    layouts: tuple[str, ...] = LAYOUTS, limits: dict[tuple[str, str], str] | None = None
) -> pytest.MarkDecorator:
    """Each of the layouts on each page; `limits` are pairs where the rule does not hold, and why.

    A limit that is none any more fails, so that the list stays true.
    """
    pairs = [(layout, host) for layout in layouts for host in HOST_PAGES]
    excused = {pair: [pytest.mark.xfail(reason=why)] for pair, why in (limits or {}).items()}
    return pytest.mark.parametrize(
        ("layout", "host"), [pytest.param(*pair, marks=excused.get(pair, [])) for pair in pairs]
    )


@everywhere()
def test_refusing_looks_like_accepting(look: Look, layout: str, host: str) -> None:
    """R-12: every property is equal, 44 px high, in one row or one column, on whatever site."""
    for width, found in look(layout, host).at.items():
        reject, accept = found["answers"]["reject-all"], found["answers"]["accept-all"]
        assert reject["style"] == accept["style"], width
        assert len(reject["style"]) > 300, "the control: these are real styles"
        for side in ("width", "height"):
            assert reject["box"][side] == pytest.approx(accept["box"][side], abs=0.1), width
        assert reject["box"]["height"] >= 44, width
        is_row = reject["box"]["top"] == accept["box"]["top"]
        assert is_row or reject["box"]["left"] == accept["box"]["left"], width


@everywhere()
def test_nothing_scrolls_sideways_on_our_account(look: Look, layout: str, host: str) -> None:
    """R-98: a page is as wide with us as without, and none of our words leaves the window."""
    bare = look(BARE, host)
    for width, found in look(layout, host).at.items():
        assert found["sideways"] <= bare.at[width]["sideways"], width
        assert [one["text"] for one in found["words"] if one["sticksOut"]] == [], width


# A page may be as high as the window by its own rule, so that its words overflow it.
NOTHING_TO_LENGTHEN = "html and body have a height, so our padding does not add to what scrolls"
LIMITED_BY_HEIGHT = {
    ("bottom", "flex column"): NOTHING_TO_LENGTHEN,
    ("corner", "flex column"): NOTHING_TO_LENGTHEN,
}
PUSHED_OUT = "the page does not scroll, so what a bar in the flow pushes out stays out"


@everywhere(
    limits=LIMITED_BY_HEIGHT
    | {("sticky", "fixed header"): "two bars want one place, and a fixed link is not scrolled to"}
)
def test_what_has_the_focus_is_never_hidden(look: Look, layout: str, host: str) -> None:
    """R-96, WCAG 2.4.11: there and back, some of each link, field and button stays in sight."""
    stops = look(layout, host).stops
    assert len(stops) == 2 * (STOPS + OUR_STOPS) - 1, "the control: the walk reached every stop"
    assert sum(stop["isOurs"] for stop in stops) == 2 * OUR_STOPS
    assert [stop for stop in stops if not stop["isSeen"]] == []


@everywhere()
def test_nothing_moves_while_the_page_comes(look: Look, layout: str, host: str) -> None:
    """The notice is a part of the page from its first byte: cumulative layout shift is 0."""
    assert look(BARE, host).shifts == 0, "the page itself is still"
    assert look(layout, host).shifts == 0


@everywhere()
def test_the_words_can_be_read(look: Look, layout: str, host: str) -> None:
    """R-98: 14 px or more, a contrast of 4.5:1, in a column as wide as a telephone."""
    for width, found in look(layout, host).at.items():
        assert len(found["words"]) > 8, "the control: there are words"
        for one in found["words"]:
            assert one["size"] >= 14, (width, one)
            assert contrast(one["colour"], one["ground"]) >= 4.5, (width, one)
            assert (one["opacity"], one["visibility"]) == ("1", "visible"), (width, one)
        assert found["banner"]["width"] >= min(0.9 * width, 224), width


@everywhere()
def test_a_site_does_not_change_our_look(look: Look, layout: str, host: str) -> None:
    """Isolation without shadow DOM: computed styles are those on a page without CSS.

    Colours follow the scheme of the site, so on a dark page all but these are compared.
    """
    plain = look(layout, "no CSS")
    clean: Clean = without_colours if host == "dark only" else dict
    for width, found in look(layout, host).at.items():
        ours, expected = (map(clean, one["styles"]) for one in (found, plain.at[width]))
        for one, other in zip(ours, expected, strict=True):
            differing = {name for name in other if one[name] != other[name]}
            assert {name: (one[name], other[name]) for name in differing} == {}, width


@everywhere()
def test_the_colours_follow_the_site(look: Look, layout: str, host: str) -> None:
    """A dark page gets a dark notice, and a light page a light one."""
    for found in look(layout, host).at.values():
        is_dark = luminance(found["words"][0]["ground"]) < 0.1
        assert is_dark == (host == "dark only")


@everywhere()
def test_the_page_keeps_its_place(look: Look, layout: str, host: str) -> None:
    """The words of the site are as wide as before, or as wide as a telephone."""
    bare = look(BARE, host)
    for width, found in look(layout, host).at.items():
        usual = bare.at[width]["main"]["width"]
        assert found["main"]["width"] >= min(0.9 * usual, 240), width


@everywhere(("top", "sticky"))
def test_a_bar_in_the_flow_stands_first(look: Look, layout: str, host: str) -> None:
    """R-95: also for the eye it comes before the rest, at most under a header that is fixed."""
    for width, found in look(layout, host).at.items():
        assert found["banner"]["top"] <= 128, width
        assert found["banner"]["position"] == "sticky"


@everywhere(STAYING)
def test_the_answers_are_in_sight(look: Look, layout: str, host: str) -> None:
    """Where the notice stays, its words scroll and its buttons do not."""
    for width, found in look(layout, host).at.items():
        for choice, answer in found["answers"].items():
            assert not answer["isCovered"], (width, choice)


@everywhere(STAYING, {("sticky", "flex column"): "it sticks within a body of the window's height"})
def test_what_stays_is_there_at_the_end(look: Look, layout: str, host: str) -> None:
    """Silence counts only for somebody who can see what it means: it does not scroll away."""
    for width, found in look(layout, host).at.items():
        banner = found["end"]["banner"]
        assert banner["top"] >= 0, width
        assert banner["bottom"] <= WINDOWS[width], width


@everywhere(
    limits=LIMITED_BY_HEIGHT
    | {("top", "app shell"): PUSHED_OUT, ("sticky", "app shell"): PUSHED_OUT}
)
def test_the_last_line_of_the_page_can_be_reached(look: Look, layout: str, host: str) -> None:
    """With the mouse too: scrolled to its end, a page shows its last link beside the notice."""
    bare = look(BARE, host)
    for width, found in look(layout, host).at.items():
        assert not bare.at[width]["end"]["isCovered"], "the control: it can be without us"
        assert not found["end"]["isCovered"], width


@pytest.mark.parametrize("host", HOST_PAGES)
def test_the_quiet_line_fits_in(
    look: Look, servers: dict[str, Server], new_visitor: NewVisitor, host: str
) -> None:
    """R-15: what stands on every page after an answer takes a line, and can be read and hit."""
    visitor = new_visitor(servers["top"])
    visitor.type_address("/" + quote(host))
    visitor.answer("reject-all")
    bare = look(BARE, host)
    for width, found in measure(visitor).items():
        assert found["answers"] == {}
        assert found["sideways"] <= bare.at[width]["sideways"], width
        assert found["words"], "the control: it says something"
        for one in found["words"]:
            assert one["size"] >= 14, (width, one)
            assert contrast(one["colour"], one["ground"]) >= 4.5, (width, one)
            assert not one["sticksOut"], (width, one)
        assert min(found["links"]) >= 24, width
        assert found["banner"]["top"] <= 128, width
        usual = bare.at[width]["main"]["width"]
        assert found["main"]["width"] >= min(0.9 * usual, 240), width


class Slowly:
    """An app whose pages come in two pieces: up to the heading of the notice, then the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.cuts = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_pieces(message: Message) -> None:
            first, heading, rest = message.get("body", b"").partition(b"</h2>")
            if heading:
                await send({**message, "body": first, "more_body": True})
                await asyncio.sleep(0.2)
                self.cuts += 1
                message["body"] = heading + rest
            await send(message)

        await self._app(scope, receive, send_in_pieces)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_moves_while_the_notice_itself_comes(
    serve: Serve, new_visitor: NewVisitor, apps: dict[str, ASGIApp], layout: str
) -> None:
    """A slow line may cut a page anywhere: half a notice must not stand where it will not stay."""
    slowly = Slowly(apps[layout])
    visitor = new_visitor(serve(slowly))
    visitor.type_address("/no CSS")
    assert visitor.page.evaluate(SHIFTS) == 0
    assert slowly.cuts == 1, "the control: the page came in two pieces"


class HoldingBack:
    """An app whose last style sheet comes when it is let go; what comes before it is shown."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.let_go = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/late.css":
            await asyncio.to_thread(self.let_go.wait, 60)

        async def send_to_be_shown(message: Message) -> None:
            if body := message.get("body"):
                message["body"] = body.replace(b'rel="expect"', b'rel="author"')
            await send(message)

        await self._app(scope, receive, send_to_be_shown)


# Where each part of the notice stands, and whether the sheet that comes last is there.
PLACES = """() => [
    [...document.querySelectorAll("#consentkit, #consentkit *")].map(
        one => one.getBoundingClientRect().toJSON()),
    [...document.styleSheets].some(sheet => sheet.href?.endsWith("late.css")),
]"""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_of_the_notice_moves_when_a_sheet_comes_late(
    serve: Serve, new_visitor: NewVisitor, apps: dict[str, ASGIApp], layout: str
) -> None:
    """A site's worst style sheet, while the notice is before a person's eyes."""
    holding = HoldingBack(apps[layout])
    visitor = new_visitor(serve(holding))
    visitor.page.goto(visitor.server.origin() + "/hostile", wait_until="commit")
    visitor.page.wait_for_selector("#consentkit button:last-of-type")
    early, had_sheet = visitor.page.evaluate(PLACES)
    holding.let_go.set()
    visitor.page.wait_for_load_state()
    late, has_sheet = visitor.page.evaluate(PLACES)
    assert (had_sheet, has_sheet) == (False, True), "the control: it came in between"
    assert sum(box["height"] > 0 for box in early) > 10, "the control: these are parts of it"
    assert late == early


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_low_window_is_not_covered(
    servers: dict[str, Server], new_visitor: NewVisitor, layout: str
) -> None:
    """Below 480 px, on a telephone on its side or at 200 %, every layout scrolls with the page."""
    visitor = new_visitor(servers[layout], viewport={"width": 640, "height": 400})
    visitor.type_address("/no CSS")
    found = json.loads(visitor.page.evaluate(MEASURE))
    assert found["banner"]["top"] < 10, "the control: it is there"
    assert found["end"]["banner"]["bottom"] < 0


# One load on which everything is wrong at once.
SPOILED = """() => {
    const style = document.createElement("style");
    style.textContent = `
        html { scroll-padding: 0 !important; padding: 0 !important; color-scheme: dark }
        main { position: relative; left: 3000px; width: 200px !important }
        footer { pointer-events: none }
        #consentkit { position: absolute !important; z-index: 9; top: 300px }
        #consentkit p { color: #777 !important }
        #consentkit button + button { padding: 9px !important }
        #consentkit form { clip-path: inset(100%) }`;
    document.head.append(style);
    const late = document.createElement("p");
    late.style.height = "200px";
    document.querySelector("main").before(late);
}"""
RULES = [
    test_refusing_looks_like_accepting,
    test_nothing_scrolls_sideways_on_our_account,
    test_what_has_the_focus_is_never_hidden,
    test_nothing_moves_while_the_page_comes,
    test_the_words_can_be_read,
    test_a_site_does_not_change_our_look,
    test_the_colours_follow_the_site,
    test_the_page_keeps_its_place,
    test_a_bar_in_the_flow_stands_first,
    test_the_answers_are_in_sight,
    test_what_stays_is_there_at_the_end,
    test_the_last_line_of_the_page_can_be_reached,
]


@pytest.fixture
def look_at_the_spoiled(look: Look, servers: dict[str, Server], new_visitor: NewVisitor) -> Look:
    """One pair is spoiled, all the others are as they are."""
    spoiled = visit(new_visitor(servers["bottom"], reduced_motion="reduce"), *SPOILED_PAIR, SPOILED)

    def look_again(layout: str, host: str) -> Seen:
        return spoiled if (layout, host) == SPOILED_PAIR else look(layout, host)

    return look_again


SPOILED_PAIR = ("bottom", "Bootstrap 5")


def test_each_rule_finds_what_breaks_it(look_at_the_spoiled: Look) -> None:
    """The control of all of them: a page that is spoiled passes none."""
    passed = []
    for rule in RULES:
        try:
            rule(look_at_the_spoiled, *SPOILED_PAIR)
        except AssertionError:
            continue
        passed.append(rule.__name__)
    assert passed == []


def without_colours(style: dict[str, str]) -> dict[str, str]:
    """Computed properties without what a colour scheme changes."""
    return {
        name: re.sub(r"rgba?\([^)]*\)", "colour", value)
        for name, value in style.items()
        if name != "color-scheme"
    }


def contrast(one: list[int], other: list[int]) -> float:
    """The ratio of WCAG 2.2, from 1 to 21, of two opaque colours."""
    assert one[3] == other[3] == 255
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: list[int]) -> float:
    """Relative luminance, from 0 to 1."""
    linear = [
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in (part / 255 for part in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
