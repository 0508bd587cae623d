"""Every layout on every host page: equal answers, nothing hidden, nothing shifted, one look.

Each pair is loaded once, walked through with the Tab key, and then measured in three widths; the
tests read what was found. What stands around the notice is in tests/browser/host_pages.py.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

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
    page.scrollTop = 0;
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
        answers: Object.fromEntries(["reject-all", "accept-all"].map(choice => {
            const one = banner.querySelector(`button[value=${choice}]`);
            return [choice, {box: box(one), style: styles(one), isCovered: isCovered(one)}];
        })),
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
    setTimeout(() => fail(new Error("nothing was painted")), 5000);
})"""

Found = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """What was found of one layout on one page: by width, while walking, and while loading."""

    at: dict[int, Found]
    stops: list[Found]
    shifts: float


Look = Callable[[str, str], Seen]


@pytest.fixture(scope="module")
def servers(serve_module: Serve, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Server]:
    """A site for each layout, and one that does not have us."""
    site = HostSite(packages_folder(tmp_path_factory))
    apps = {
        layout: ConsentMiddleware(
            site, policy=read_policy(POLICY.format(layout=layout)), secret_key="k" * 32
        )
        for layout in LAYOUTS
    }
    return {name: serve_module(app) for name, app in {BARE: site, **apps}.items()}


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


def visit(visitor: Visitor, layout: str, host: str) -> Seen:
    """One load, in one of the widths; then the keys, then all widths."""
    # Each page and each layout meets each width: the places differ from row to row.
    place = [*HOST_PAGES].index(host)
    walk = [*WINDOWS][(place + (BARE, *LAYOUTS).index(layout)) % len(WINDOWS)]
    resize(visitor, walk)
    # A name of its own: nothing comes from a cache, as on the visit on which people are asked.
    origin = visitor.server.origin(f"{layout}-{place}.localhost")
    visitor.page.goto(f"{origin}/{quote(host)}")
    shifts = visitor.page.evaluate(SHIFTS)
    stops = [] if layout == BARE else walk_through(visitor)
    found = {}
    for width in sorted(WINDOWS, key=lambda width: width != walk):
        resize(visitor, width)
        found[width] = json.loads(visitor.page.evaluate(MEASURE))
    return Seen(found, stops, shifts)


def resize(visitor: Visitor, width: int) -> None:
    visitor.page.set_viewport_size({"width": width, "height": WINDOWS[width]})


def walk_through(visitor: Visitor) -> list[Found]:
    """Every stop of the Tab key, forward to the last and back to the first."""
    page, last = visitor.page, STOPS + OUR_STOPS - 1
    page.evaluate(WATCH)
    for _ in range(last + 1):
        page.keyboard.press("Tab")
    page.keyboard.down("Shift")
    for _ in range(last):
        page.keyboard.press("Tab")
    page.keyboard.up("Shift")
    return page.evaluate(WALKED)


EVERYWHERE = pytest.mark.parametrize("host", HOST_PAGES)
EACH_LAYOUT = pytest.mark.parametrize("layout", LAYOUTS)


@EACH_LAYOUT
@EVERYWHERE
def test_refusing_looks_like_accepting(look: Look, layout: str, host: str) -> None:
    """R-12: every property is equal, in one row, 44 px high, whatever the site's own style."""
    for width, found in look(layout, host).at.items():
        reject, accept = found["answers"]["reject-all"], found["answers"]["accept-all"]
        assert reject["style"] == accept["style"], width
        assert len(reject["style"]) > 300, "the control: these are real styles"
        for side in ("width", "height"):
            assert reject["box"][side] == pytest.approx(accept["box"][side], abs=0.1), width
        assert reject["box"]["height"] >= 44, width
        assert reject["box"]["top"] == accept["box"]["top"], width


@EACH_LAYOUT
@EVERYWHERE
def test_nothing_scrolls_sideways_on_our_account(look: Look, layout: str, host: str) -> None:
    """R-98: a page is as wide with us as without, and none of our words leaves the window."""
    bare = look(BARE, host)
    for width, found in look(layout, host).at.items():
        assert found["sideways"] <= bare.at[width]["sideways"], width
        assert [one["text"] for one in found["words"] if one["sticksOut"]] == [], width


@EACH_LAYOUT
@EVERYWHERE
def test_what_has_the_focus_is_never_hidden(look: Look, layout: str, host: str) -> None:
    """R-96, WCAG 2.4.11: there and back, some of each link, field and button stays in sight."""
    stops = look(layout, host).stops
    assert len(stops) == 2 * (STOPS + OUR_STOPS) - 1, "the control: the walk reached every stop"
    assert sum(stop["isOurs"] for stop in stops) == 2 * OUR_STOPS
    assert [stop for stop in stops if not stop["isSeen"]] == []


@EACH_LAYOUT
@EVERYWHERE
def test_nothing_moves_while_the_page_comes(look: Look, layout: str, host: str) -> None:
    """The notice is a part of the page from its first byte: cumulative layout shift is 0."""
    assert look(BARE, host).shifts == 0, "the page itself is still"
    assert look(layout, host).shifts == 0


@EACH_LAYOUT
@EVERYWHERE
def test_the_words_can_be_read(look: Look, layout: str, host: str) -> None:
    """R-98: 14 px or more, a contrast of 4.5:1, in a column as wide as a telephone."""
    for width, found in look(layout, host).at.items():
        assert len(found["words"]) > 8, "the control: there are words"
        for one in found["words"]:
            assert one["size"] >= 14, (width, one)
            assert contrast(one["colour"], one["ground"]) >= 4.5, (width, one)
            assert (one["opacity"], one["visibility"]) == ("1", "visible"), (width, one)
        assert found["banner"]["width"] >= min(0.9 * width, 320), width


@EACH_LAYOUT
@EVERYWHERE
def test_a_site_does_not_change_our_look(look: Look, layout: str, host: str) -> None:
    """Isolation without shadow DOM: computed styles are those on a page without CSS.

    Colours follow the scheme of the site, so on a dark page all but these are compared.
    """
    plain = look(layout, "no CSS")
    clean = without_colours if host == "dark only" else dict
    for width, found in look(layout, host).at.items():
        for ours, expected in zip(found["styles"], plain.at[width]["styles"], strict=True):
            ours, expected = clean(ours), clean(expected)
            differing = {name for name in expected if ours[name] != expected[name]}
            assert {name: (ours[name], expected[name]) for name in differing} == {}, width


@EACH_LAYOUT
@EVERYWHERE
def test_the_colours_follow_the_site(look: Look, layout: str, host: str) -> None:
    """A dark page gets a dark notice, and a light page a light one."""
    for found in look(layout, host).at.values():
        is_dark = luminance(found["words"][0]["ground"]) < 0.1
        assert is_dark == (host == "dark only")


@EACH_LAYOUT
@EVERYWHERE
def test_the_page_keeps_its_place(look: Look, layout: str, host: str) -> None:
    """The words of the site are as wide as before, or as wide as a telephone."""
    bare = look(BARE, host)
    for width, found in look(layout, host).at.items():
        usual = bare.at[width]["main"]["width"]
        assert found["main"]["width"] >= min(0.9 * usual, 240), width


@pytest.mark.parametrize("layout", ["top", "sticky"])
@EVERYWHERE
def test_a_bar_in_the_flow_stands_first(look: Look, layout: str, host: str) -> None:
    """R-95: also for the eye it comes before the rest, at most under a header that is fixed."""
    for width, found in look(layout, host).at.items():
        assert found["banner"]["top"] <= 128, width
        assert found["banner"]["position"] == "sticky"


@pytest.mark.parametrize("layout", STAYING)
@EVERYWHERE
def test_the_answers_are_in_sight(look: Look, layout: str, host: str) -> None:
    """Where the notice stays, its words scroll and its buttons do not."""
    for width, found in look(layout, host).at.items():
        for choice, answer in found["answers"].items():
            assert not answer["isCovered"], (width, choice)


@pytest.mark.parametrize("layout", STAYING)
@EVERYWHERE
def test_what_stays_is_there_at_the_end(look: Look, layout: str, host: str) -> None:
    """Silence counts only for somebody who can see what it means: it does not scroll away."""
    for width, found in look(layout, host).at.items():
        banner = found["end"]["banner"]
        assert banner["top"] >= 0, width
        assert banner["bottom"] <= WINDOWS[width], width


@EACH_LAYOUT
@EVERYWHERE
def test_the_last_line_of_the_page_can_be_reached(look: Look, layout: str, host: str) -> None:
    """With the mouse too: scrolled to its end, a page shows its last link beside the notice."""
    bare = look(BARE, host)
    for width, found in look(layout, host).at.items():
        assert not bare.at[width]["end"]["isCovered"], "the control: it can be without us"
        assert not found["end"]["isCovered"], width


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
