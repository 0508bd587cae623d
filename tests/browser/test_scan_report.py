"""The report of a scan in a browser: read by everybody, filtered without a script, and harmless.

What it says is in tests/audit/test_page.py; here are axe, the keyboard, narrow windows and paper.
"""

from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from consentkit.audit.page import report_page
from consentkit.audit.seen import State
from tests.audit.reports import EMPTY, FINDINGS, GOOD, REPORT, policy
from tests.audit.test_page import HOSTILE, PIXEL, hostile, pictured

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = "axe_playwright_python"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async tags => {
    const found = await axe.run(document, {runOnly: {type: "tag", values: tags}});
    const told = rules => rules.flatMap(({id, nodes}) => nodes.map(one => `${id}: ${one.target}`));
    return [...told(found.violations), ...told(found.incomplete.filter(
        ({id}) => id !== "color-contrast"))];
}"""
# What lies in a box that scrolls, or on a drawing, axe leaves open: the contrast of every pair of
# colours is computed in tests/audit/test_page.py.
WIDE_THINGS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"

Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with reports: one with findings and pictures, one without, an empty, a hostile."""
    folder = tmp_path_factory.mktemp("reports")
    (folder / "1.png").write_bytes(PIXEL)
    for name, report in {
        "found": pictured("1.png", "1.png", "1.png", "1.png", "1.png"),
        "good": GOOD,
        "empty": EMPTY,
        "hostile": hostile(HOSTILE),
        "long": hostile("x" * 4096),
    }.items():
        page = report_page(report, policy(), folder)
        (folder / f"{name}.html").write_text(page, "utf-8")
    return folder


@pytest.fixture(scope="module")
def windows(browser: "Browser") -> Iterator[dict[str, "Page"]]:
    """Windows by the script that runs in them first; without one, JavaScript is off."""
    pages: dict[str, Page] = {}
    yield pages
    for page in pages.values():
        page.context.close()


@pytest.fixture
def open_report(browser: "Browser", reports: Path, windows: dict[str, "Page"]) -> Open:
    """Opens a report by its name, anew: without JavaScript, unless a script is to run first."""

    def opened(name: str, width: int = 1440, *, script: str = "", **media: Any) -> "Page":
        if script not in windows:
            context = browser.new_context(java_script_enabled=bool(script))
            context.add_init_script(script or "0")
            windows[script] = context.new_page()
        page = windows[script]
        page.set_viewport_size({"width": width, "height": 800})
        as_it_is: dict[str, Any] = {"media": "screen", "color_scheme": "light"}
        page.emulate_media(**(as_it_is | {"forced_colors": "none"} | media))
        page.goto((reports / f"{name}.html").as_uri())
        return page

    return opened


@pytest.mark.parametrize("name", ["found", "good", "empty", "hostile"])
def test_axe_finds_nothing(open_report: Open, name: str) -> None:
    """WCAG 2.2 AA and good practice: everything unfolded, light and dark, narrow and wide."""
    pytest.importorskip(AXE, reason="axe is not installed: pip install axe-playwright-python")
    axe = files(AXE).joinpath("axe.min.js").read_text("utf-8")
    page = open_report(name, script=axe)
    page.evaluate(OPEN_ALL)
    found = {}
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme, width in product(schemes, (320, 1440)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        found[scheme, width] = page.evaluate(RUN_AXE, TAGS)
    assert not any(found.values()), found


def test_axe_would_find_something(open_report: Open) -> None:
    """The control: what is broken on purpose is found."""
    pytest.importorskip(AXE, reason="axe is not installed: pip install axe-playwright-python")
    axe = files(AXE).joinpath("axe.min.js").read_text("utf-8")
    page = open_report("found", script=axe)
    page.evaluate("document.querySelector('.gallery img').removeAttribute('alt')")
    assert any("image-alt" in found for found in page.evaluate(RUN_AXE, TAGS))


# Without a script

ROWS = "tr.one"


def expected(severity: str, state: str, kind: str) -> list[str]:
    return [
        finding.name
        for finding in FINDINGS
        if severity in ("all", finding.severity)
        and (state == "all" or state in finding.states)
        and kind in ("all", finding.kind)
    ]


def shown(page: "Page") -> list[str]:
    return page.locator(f"{ROWS}:visible").locator("th code").all_inner_texts()


def articles(page: "Page") -> int:
    return page.locator("article.one:visible").count()


COMBINATIONS = [
    *product(["all", "error", "note"], ["all", *(State.UNTOUCHED, State.GRANTED)], ["all"]),
    ("all", "all", "undeclared"),
    ("warning", "gpc", "attributes"),
    ("error", "refused", "all"),
]


@pytest.mark.parametrize(("severity", "state", "kind"), COMBINATIONS)
def test_filters_show_what_they_say(
    open_report: Open, severity: str, state: str, kind: str
) -> None:
    """Three questions at once, answered by the style sheet: table and findings alike."""
    page = open_report("found")
    for group, value in {"severity": severity, "state": state, "kind": kind}.items():
        page.locator(f"#{group}-{value}").check()
    assert shown(page) == expected(severity, state, kind)
    assert articles(page) == len(expected(severity, state, kind))


def test_filters_are_worked_by_the_keyboard(open_report: Open) -> None:
    """Tab comes to a question once, the arrows answer it (WCAG 2.2, 2.1.1)."""
    page = open_report("found")
    page.locator("#severity-all").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator("#severity-warning").is_checked()
    assert shown(page) == ["session"]
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.locator("#state-untouched").is_checked()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#state-all").is_checked()
    page.keyboard.press("Tab")
    assert page.locator("#kind-all").evaluate("one => one.matches(':focus-visible')")
    outline = "one => getComputedStyle(one.nextElementSibling).outlineStyle"
    assert page.locator("#kind-all").evaluate(outline) == "solid"


def test_every_filter_has_a_name_and_a_size(open_report: Open) -> None:
    """Each can be hit and heard (WCAG 2.2, 2.5.8 and 4.1.2)."""
    page = open_report("found", 320)
    every = page.get_by_role("radio")
    assert every.count() == 18
    for at in range(every.count()):
        box = every.nth(at).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24
    group = page.get_by_role("group", name="State")
    assert group.get_by_role("radio", name="untouched").count() == 1


def test_without_styles_everything_is_shown(browser: "Browser", reports: Path) -> None:
    """A viewer that allows no style shows a long page, and filters that would do nothing there."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    html = (reports / "found.html").read_text("utf-8")
    bare = html.replace("<style>", "<style media='not all'>")
    page.set_content(bare)
    page.locator("#severity-note").check()
    assert len(shown(page)) == len(FINDINGS)
    context.close()


# One file


@pytest.mark.parametrize("name", ["found", "hostile"])
def test_nothing_is_asked_for_and_nothing_acts(open_report: Open, name: str) -> None:
    """Not one request, not one dialog, not one complaint of the browser's, with scripts allowed."""
    page = open_report(name, script="window.there = 1")
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("dialog", lambda dialog: seen.append(dialog.message))
    page.on("console", lambda message: seen.append(message.text))
    page.reload()
    page.wait_for_load_state("networkidle")
    (itself, *others) = [each for each in seen if not each.startswith("data:image/png")]
    assert itself == page.url
    assert others == []
    assert page.evaluate("there") == 1, "the control: a script would run"


def test_its_policy_stops_what_gets_in(open_report: Open) -> None:
    """The second wall: markup that were let through could neither load nor run."""
    page = open_report("found", script="window.there = 1")
    page.evaluate("""() => {
        const one = document.createElement("script");
        one.textContent = "window.there = 2";
        document.body.append(one);
    }""")
    assert page.evaluate("there") == 1


# Windows and paper


@pytest.mark.parametrize("name", ["found", "good", "empty", "hostile", "long"])
def test_nothing_is_wider_than_the_window(open_report: Open, name: str) -> None:
    """Reading needs no sideways scrolling; tables scroll in boxes of their own (WCAG 1.4.10)."""
    page = open_report(name)
    page.evaluate(OPEN_ALL)
    for width in (320, 768, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(WIDE_THINGS) == 0


def test_a_box_that_scrolls_is_reached_by_the_keyboard(open_report: Open) -> None:
    """What cannot be focused cannot be scrolled without a mouse (WCAG 2.1.1)."""
    page = open_report("found", 320)
    boxes = page.locator(".scroll, pre")
    assert boxes.count() > 10
    for at in range(boxes.count()):
        assert boxes.nth(at).get_attribute("tabindex") == "0"
        assert boxes.nth(at).get_attribute("aria-label")


def test_the_yaml_is_taken_whole_with_one_click(open_report: Open) -> None:
    """It is there to be copied."""
    page = open_report("found")
    page.locator("pre").first.click()
    chosen = page.evaluate("String(getSelection())")
    assert chosen.strip() == FINDINGS[2].draft.strip()


def test_on_paper_everything_is_unfolded_and_nothing_is_a_button(open_report: Open) -> None:
    """A printed report has no filters, and nothing is hidden behind a fold."""
    page = open_report("found")
    cell = page.locator("figure.timeline details td").first
    assert not cell.is_visible()
    assert page.locator(".filters").is_visible()
    page.emulate_media(media="print")
    assert cell.is_visible()
    assert not page.locator(".filters").is_visible()
    assert not page.locator("nav").is_visible()
    assert len(page.pdf()) > 10_000


def test_forced_colours_leave_marks_and_badges(open_report: Open) -> None:
    """Windows' contrast themes take colours away: borders and shapes still tell."""
    page = open_report("found", forced_colors="active")
    border = "one => getComputedStyle(one).borderTopStyle"
    assert page.locator(".badge.error").first.evaluate(border) == "solid"
    fill = "one => getComputedStyle(one).fill"
    marks = {page.locator(f".plot .{mark}").first.evaluate(fill) for mark in ("m-cookie", "grid")}
    assert len(marks) == 2


def test_a_report_is_the_same_from_right_to_left(open_report: Open) -> None:
    """A page that somebody shows in Arabic, in a frame or by a tool, does not fall apart."""
    page = open_report("found", 320)
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate(WIDE_THINGS) == 0
    assert REPORT.findings[0].what in page.locator("article").first.inner_text()
