"""The benchmark of notices, without its clock: it compares like with like, and counts right.

A comparison that favours its own side is worse than none.
"""

import gzip
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import brotli
import pytest
from starlette.testclient import TestClient

from benchmarks.notice import figures, notices
from benchmarks.notice.figures import Run
from benchmarks.notice.notices import (
    BARE,
    FIRST,
    NOTICES,
    PACKAGES,
    MissingPackageError,
    Notice,
    fetch,
)
from benchmarks.notice.site import by_host, page, policy_of, site_of
from benchmarks.notice.visits import (
    LOOK,
    SPEEDS,
    Measured,
    go,
    somebody,
    started,
    watch,
    works_blocked,
)
from tests.browser.servers import Server
from tests.conftest import IN_CI

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DOCS_PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "notice-weight.md"
PEERS = [notice for notice in NOTICES if notice.package]
OURS = [notice for notice in NOTICES if notice.layout]
SHOWN = [notice for notice in NOTICES if notice.choices]
PARTS = re.compile(r"<[^>]+>|[^<\s]+")
PURPOSES = ("Statistics", "Videos", "Advertising")


def name_of(notice: Notice) -> str:
    return notice.name


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the peers, as `scripts/setup` fetched them or as npm has them."""
    folder = notices.KEPT if notices.KEPT.exists() else tmp_path_factory.mktemp("npm")
    try:
        fetch(folder)
    except (MissingPackageError, subprocess.CalledProcessError) as missing:
        (pytest.fail if IN_CI else pytest.skip)(str(missing))
    return folder


# --- Like with like.


@pytest.mark.parametrize("notice", PEERS, ids=name_of)
def test_a_peers_page_is_the_page_and_its_own_set_up(notice: Notice) -> None:
    """What is told as its weight is nothing else's."""
    changed = page(notice)
    assert changed != page(BARE)
    for part in (notice.head, notice.foot):
        changed = changed.replace(f"{part}\n", "", 1) if part else changed
    assert changed == page(BARE)


@pytest.mark.parametrize("notice", OURS, ids=name_of)
def test_our_page_is_the_page_with_a_notice_put_in(notice: Notice, tmp_path: Path) -> None:
    """Every tag and word of the page is there, in its order."""
    client = TestClient(site_of(notice, tmp_path))
    html = client.get("/", headers={"accept": "text/html"}).text
    parts = iter(PARTS.findall(html))
    assert [part for part in PARTS.findall(page(BARE)) if part not in parts] == []
    assert 'id="consentkit"' in html


@pytest.mark.parametrize("notice", PEERS, ids=name_of)
def test_everybody_asks_for_the_same_three_purposes(notice: Notice) -> None:
    """More purposes are more bytes."""
    assert notice.layout is None
    set_up = notice.config + notice.head
    assert [purpose for purpose in PURPOSES if purpose not in set_up] == []
    policy = policy_of("top")
    assert [policy.purposes[name].title for name in policy.optional_purposes] == list(PURPOSES)


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("identity", None)],
)
def test_a_body_comes_in_the_best_coding_the_browser_takes(
    accepts: str, coding: str | None, tmp_path: Path
) -> None:
    """And is what it was; a length that is not the body's would leave the browser waiting."""
    decode = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    client = TestClient(site_of(BARE, tmp_path))
    for path, part in (("/", page(BARE).encode()), ("/site.js", b"dataset")):
        with client.stream("GET", path, headers={"accept-encoding": accepts}) as answer:
            body = b"".join(answer.iter_raw())
        assert answer.headers.get("content-encoding") == coding
        assert int(answer.headers["content-length"]) == len(body)
        assert part in decode(body)


def test_our_files_come_as_consentkit_packed_them(tmp_path: Path) -> None:
    """What a site gets, and nothing this benchmark has made smaller."""
    client = TestClient(site_of(FIRST, tmp_path))
    html = client.get("/", headers={"accept": "text/html"}).text
    paths = set(re.findall(r'"(/consent/assets/[^"]+)"', html))
    assert {path.rpartition(".")[2] for path in paths} == {"css", "js"}
    for path in paths:
        with client.stream("GET", path, headers={"accept-encoding": "br"}) as answer:
            body = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "br"
        assert b"consentkit" in brotli.decompress(body)


def test_a_peer_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And npm is not asked for what is there."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    first, *rest = PACKAGES
    for package in rest:
        (tmp_path / package.packed).touch()
    with pytest.raises(MissingPackageError, match=f"^{first.name}@{first.version} not in .* npm$"):
        fetch(tmp_path)
    (tmp_path / first.packed).touch()
    fetch(tmp_path)


# --- The figures.


def measured(**changes: Any) -> Measured:
    same = Measured(
        wire=1000, requests=3, elements=90, script=1.0, page=50.0, shift=0.0, visible=60.0,
        is_first=True,
    )  # fmt: skip
    return same._replace(**changes)


def run_of(*rounds: dict[str, Measured], blocked: bool = True) -> Run:
    """The same at every speed; who is not told of costs what the page costs."""
    usual = {notice.name: measured() for notice in NOTICES}
    return Run(
        {"Date": "today"},
        [{speed.name: usual | one for speed in SPEEDS} for one in rounds],
        {notice.name: blocked for notice in SHOWN},
    )


def cells_of(run: Run, notice: Notice, part: Iterator[str]) -> list[str]:
    [row] = [line for line in part if line.startswith(f"| {notice.name} |")]
    return row.strip("| ").split(" | ")[1:]


def test_what_the_page_costs_is_taken_off() -> None:
    """A row tells what a notice adds, and the median of it."""
    added = [{FIRST.name: measured(wire=1000 + more, elements=92)} for more in (500, 700, 9000)]
    run = run_of(*added)
    cells = cells_of(run, FIRST, figures.table(run))
    assert cells[:2] == ["+700", "+0"]
    assert cells[-2:] == ["+2", "works"]
    assert cells_of(run, BARE, figures.table(run))[:2] == ["(1,000)", "(3)"]


def test_the_worst_shift_is_told_and_not_the_median() -> None:
    """A page that jumps once in three visits jumps."""
    shifts = [{FIRST.name: measured(shift=shift)} for shift in (0.0, 0.25, 0.0)]
    run = run_of(*shifts)
    place = figures.COLUMNS.index("CLS") - 1
    assert cells_of(run, FIRST, figures.table(run))[place] == "0.250"
    assert cells_of(run, BARE, figures.table(run))[place] == "0"


def test_ratios_are_of_one_round() -> None:
    """A slow moment of the machine is the same for both."""
    peer = PEERS[0]
    rounds = [
        {FIRST.name: measured(visible=ours), peer.name: measured(visible=ours * times)}
        for ours, times in ((10.0, 2.0), (1000.0, 3.0), (100.0, 4.0))
    ]
    run = run_of(*rounds)
    assert "3.0 (2.0 to 4.0)" in cells_of(run, peer, figures.ratios(run))


class Case(NamedTuple):
    """A figure of ours and of a peer's, and whether the peer is told as better."""

    field: str
    ours: float
    theirs: float
    is_better: bool

    def __str__(self) -> str:
        return f"{self.field}-{self.ours}-{self.theirs}"


@pytest.mark.parametrize("peer", PEERS, ids=name_of)
@pytest.mark.parametrize(
    "case",
    [
        Case("wire", 1900, 1800, is_better=True),
        Case("elements", 95, 94, is_better=True),
        Case("visible", 90.0, 60.0, is_better=True),
        Case("visible", 65.0, 60.0, is_better=False),  # less than a frame
        Case("shift", 0.1, 0.0, is_better=True),
        Case("wire", 1800, 1900, is_better=False),
    ],
    ids=str,
)
def test_who_is_better_is_named(case: Case, peer: Notice) -> None:
    """The page says plainly where another is better: the list comes from the figures."""
    ahead = {notice.name: measured(**{case.field: case.ours}) for notice in NOTICES}
    run = run_of(ahead | {peer.name: measured(**{case.field: case.theirs})})
    said = list(figures.better(run))
    assert any(line.startswith(f"- {peer.name}: ") for line in said) is case.is_better
    assert (said == [f"None is better than {FIRST.name}."]) is not case.is_better


def test_figures_are_written_between_their_marks() -> None:
    """The words around them stay; figures that were there go."""
    mark, end = figures.BEGIN, figures.END
    once = figures.written_into(f"before\n{mark}\n\n{end}\nafter\n", ["| a |", "|---|"])
    assert once == f"before\n{mark}\n\n| a |\n|---|\n\n{end}\nafter\n"
    assert figures.written_into(once, ["| a |", "|---|"]) == once
    for page_without in (f"{mark}\n", f"{end}\n"):
        with pytest.raises(ValueError, match="between"):
            figures.written_into(page_without, [])


def test_every_measurement_can_be_kept() -> None:
    """JSON has all rounds, so that anybody can count anew."""
    run = run_of({FIRST.name: measured(wire=1500)}, {FIRST.name: measured(wire=1700)})
    kept = json.loads(json.dumps(figures.as_json(run)))
    speed = SPEEDS[-1].name
    assert [one[speed][FIRST.name]["wire"] for one in kept["rounds"]] == [1500, 1700]
    assert kept["about"] == run.about


def test_the_docs_show_the_table_as_it_is_made_now() -> None:
    """A row or column that is new is in the docs, or the docs tell of another benchmark."""
    text = DOCS_PAGE.read_text("utf-8")
    shown = text.partition(figures.BEGIN)[2].partition(figures.END)[0].splitlines()
    now = run_of({})
    for part in (figures.table(now), figures.ratios(now)):
        heading, _, *rows = part
        assert heading in shown
        start = shown.index(heading) + 2
        names = [row.split(" | ")[0] for row in rows]
        assert [row.split(" | ")[0] for row in shown[start : start + len(rows)]] == names
    for package in PACKAGES:
        assert package.version in text


# --- The browser's eye.

HERE = "<style>body {margin: 0}</style><button style='%s'>Reject</button>%s"
UNSEEN = {
    "not displayed": ("display: none", ""),
    "hidden": ("visibility: hidden", ""),
    "nearly transparent": ("opacity: .3", ""),
    "below the window": ("position: fixed; top: 200vh", ""),
    "half outside the window": ("position: fixed; left: -2em; width: 4em", ""),
    "covered": ("", "<div style='position: fixed; inset: 0; background: #fff'></div>"),
}


@pytest.mark.parametrize("how", UNSEEN)
def test_what_cannot_be_pressed_is_not_visible(how: str, browser: "Browser") -> None:
    """A button that slides in, fades in or lies below another is not there yet."""
    with somebody(browser, SPEEDS[0]) as (tab, _):
        tab.add_init_script(LOOK)
        tab.goto("about:blank")
        tab.set_content(HERE % ("opacity: .9", ""))
        assert tab.evaluate("canAllBePressed(['button'])")
        tab.set_content(HERE % UNSEEN[how])
        assert not tab.evaluate("canAllBePressed(['button'])")


@pytest.fixture(scope="module")
def served(packages: Path) -> Iterator[Server]:
    """Every notice's site."""
    sites = {notice.host: site_of(notice, packages) for notice in NOTICES}
    with Server(by_host(sites)) as server:
        yield server


@pytest.fixture(scope="module")
def undriven(browser: "Browser") -> Iterator["Browser"]:
    """A browser that does not say it is driven."""
    with started(browser.browser_type) as chromium:
        yield chromium


@pytest.mark.parametrize("notice", SHOWN, ids=name_of)
def test_every_notice_that_is_measured_is_there(
    notice: Notice, undriven: "Browser", served: Server
) -> None:
    """All three choices, or its row would tell of something else."""
    with somebody(undriven, SPEEDS[0]) as (tab, tools):
        assert watch(tab, tools, notice, served.port)["visible"] > 0


def test_a_page_without_a_notice_has_none(undriven: "Browser", served: Server) -> None:
    """The control: nobody's choices are found where nobody is."""
    with somebody(undriven, SPEEDS[0]) as (tab, tools):
        tab.add_init_script(LOOK)
        go(tab, tools, BARE, served.port)
        assert not any(tab.evaluate("canAllBePressed", list(each.choices)) for each in SHOWN)  # type: ignore[arg-type] # SHOWN have choices


@pytest.mark.parametrize("notice", [FIRST, PEERS[0]], ids=name_of)
def test_who_works_without_a_script_is_tried(
    notice: Notice, undriven: "Browser", served: Server
) -> None:
    """Ours is a form; a peer's is made by the script that was kept out."""
    assert works_blocked(undriven, notice, served.port) is (notice in OURS)
