"""Measures the notice of consentkit beside four others in one browser, and prints a table."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import sys
import tempfile
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from benchmarks.notice.figures import Round, Run, as_json, lines, written_into
from benchmarks.notice.notices import KEPT, NOTICES, fetch
from benchmarks.notice.site import served
from benchmarks.notice.visits import SPEEDS, measure, started, works_blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

RUNS: Final = 5


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _round(browser: Browser, port: int, number: int) -> Round:
    # Each round begins with another notice, so that none always follows the same one.
    first = number % len(NOTICES)
    order = (*NOTICES[first:], *NOTICES[:first])
    return {
        speed.name: {notice.name: measure(browser, notice, speed, port) for notice in order}
        for speed in SPEEDS
    }


def _about(browser: Browser, runs: int, load: float) -> dict[str, str]:
    return {
        "Date": f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}",
        "runs": str(runs),
        "consentkit": version("consentkit"),
        "Chromium": browser.version,
        "CPython": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load before and after": f"{load:.1f} and {os.getloadavg()[0]:.1f}",
    }


def run(runs: int, folder: Path) -> Run:
    """Measure everything `runs` times; the peers' packages are in `folder`."""
    fetch(folder)
    load = os.getloadavg()[0]
    with served(folder) as port, sync_playwright() as driver, started(driver.chromium) as browser:
        _say("who works without its script")
        with_choices = [notice for notice in NOTICES if notice.choices]
        blocked = {each.name: works_blocked(browser, each, port) for each in with_choices}
        _round(browser, port, 0)  # so that everybody's files have been compressed once
        rounds: list[Round] = []
        for number in range(runs):
            _say(f"round {number + 1} of {runs}")
            rounds.append(_round(browser, port, number))
        return Run(_about(browser, runs, load), rounds, blocked)


@contextmanager
def _packages(given: Path | None) -> Iterator[Path]:
    if given or KEPT.exists():
        yield given or KEPT
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def main() -> None:
    """Measure, and print or write what came out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notice", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"rounds; {RUNS} if not given")
    parser.add_argument("--json", type=Path, help="a file for every measurement of every round")
    parser.add_argument("--page", type=Path, help="a page of the docs to write the figures into")
    parser.add_argument("--packages", type=Path, help="a folder with the peers' packages of npm")
    options = parser.parse_args()
    with _packages(options.packages) as folder:
        done = run(options.runs, folder)
    if options.json:
        options.json.write_text(json.dumps(as_json(done), indent=1) + "\n", "utf-8")
    if options.page:
        page = options.page.read_text("utf-8")
        options.page.write_text(written_into(page, list(lines(done))), "utf-8")
    print("\n".join(lines(done)))


if __name__ == "__main__":  # the server's process reads this file once more
    main()
