"""Measures the auditor on a site of this machine, and prints a table.

The scan runs in a process of its own, so that its memory is its own; the site runs in another.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio

from benchmarks.audit.site import POLICY, app
from benchmarks.served import _free_port, _wait_for
from consentkit.audit.frontier import Limits
from consentkit.audit.headers import HeadersWitness, http_client
from consentkit.audit.scan import Looks, Options, scan
from consentkit.audit.seen import Scan
from consentkit.rules.policy_file import policy_from

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES: Final = 200
ROUTES: Final = 100
ROUNDS: Final = 3
MEBIBYTE: Final = 1024  # ru_maxrss counts kibibytes


@contextmanager
def served() -> Iterator[str]:
    """The address of the site, served by one uvicorn worker."""
    port = _free_port()
    command = (
        *(sys.executable, "-m", "uvicorn", "benchmarks.audit.site:app", "--factory"),
        *("--port", str(port), "--log-level", "warning", "--no-access-log"),
    )
    server = subprocess.Popen(command)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(10)


async def looked(url: str, pages: int, journal: Path) -> Scan:
    """Scan by headers with two workers, as the command does."""
    async with http_client() as send:

        async def look() -> Looks:
            return HeadersWitness(send)

        options = Options(limits=Limits(pages=pages))
        return await scan(url, look, options, send=send, journal=journal)


def scanned(url: str, pages: int) -> dict[str, float]:
    """What one scan took, in this process, which does nothing else."""
    before = _peak()
    with tempfile.TemporaryDirectory() as folder:
        begun, worked = time.perf_counter(), time.process_time()
        found = anyio.run(looked, url, pages, Path(folder) / "scan.journal")
        seconds, cpu = time.perf_counter() - begun, time.process_time() - worked
    return {
        "visits": len(found.visits),
        "seconds": seconds,
        "cpu": cpu,
        "before": before,
        "peak": _peak(),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE


def measured(url: str, pages: int) -> dict[str, float]:
    """`scanned`, in a process of its own."""
    command = (sys.executable, "-m", "benchmarks.audit", "--scan", url, "--pages", str(pages))
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures: dict[str, float] = json.loads(told)
    return figures


def audited() -> dict[str, float]:
    """What `audit_app` takes for a hundred routes, the best of three."""
    from consentkit.testing import audit_app  # noqa: PLC0415 - the scan's memory is without it

    site = app(ROUTES)
    paths = ["/", *(f"/page/{number}" for number in range(1, ROUTES))]
    took: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        begun, worked = time.perf_counter(), time.process_time()
        report = audit_app(site, paths, policy=policy_from(POLICY))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - worked
        took.append({"visits": len(report.scan.visits), "seconds": seconds, "cpu": cpu})
    return min(took, key=lambda one: one["seconds"])


def lines() -> Iterator[str]:
    """The table, as Markdown."""
    yield "| what | page-states | seconds | per second | CPU seconds | MiB before | MiB at most |"
    yield "|---|---|---|---|---|---|---|"
    with served() as url:
        for pages in (PAGES // 4, PAGES):
            one = measured(url, pages)
            memory = f"{one['before']:.0f} | {one['peak']:.0f}"
            yield _row(f"scan by headers, {pages} pages, two workers", one, memory)
    yield _row(f"`audit_app`, {ROUTES} routes", audited(), "|")


def _row(what: str, one: dict[str, float], memory: str) -> str:
    visits, seconds = one["visits"], one["seconds"]
    rate = visits / seconds
    return f"| {what} | {visits:.0f} | {seconds:.2f} | {rate:.0f} | {one['cpu']:.2f} | {memory} |"


def main() -> None:
    """Run and print as the lines come."""
    parser = argparse.ArgumentParser(prog="benchmarks.audit", description=__doc__)
    parser.add_argument("--scan", metavar="URL", help="scan once, and print the figures as JSON")
    parser.add_argument("--pages", type=int, default=PAGES, help="pages of that scan")
    asked = parser.parse_args()
    if asked.scan:
        print(json.dumps(scanned(asked.scan, asked.pages)))
        return
    for line in lines():
        print(line, flush=True)


if __name__ == "__main__":
    main()
