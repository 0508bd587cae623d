"""Measures the auditor on a site of this machine, and prints a table.

The scan runs in a process of its own, so that its memory is its own; the site runs in another. Of
a browser all processes count, for processor time and for memory; that needs Linux.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio

from benchmarks.audit.site import POLICY, app
from benchmarks.served import _free_port, _wait_for
from consentkit.audit.browser import BrowserWitness
from consentkit.audit.chromium import BrowserOptions, find_chromium
from consentkit.audit.frontier import Limits
from consentkit.audit.headers import HeadersWitness
from consentkit.audit.network import http_client
from consentkit.audit.scan import Looks, Options, scan
from consentkit.audit.seen import Scan, Witness
from consentkit.rules.policy_file import policy_from

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES: Final = 200
PAGES_DRAWN: Final = 20
ROUTES: Final = 100
ROUNDS: Final = 3
MEBIBYTE: Final = 1024  # ru_maxrss and /proc count kibibytes
ADOPTS_ORPHANS: Final = 36
"""PR_SET_CHILD_SUBREAPER: processes that lost their parent are then this one's, and so is the time
that they took. Chromium leaves some behind."""
LOOKS_EACH: Final = 0.5


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


async def looked(url: str, pages: int, journal: Path, witness: Witness) -> Scan:
    """Scan with two workers, as the command does."""
    async with http_client() as send:

        async def look() -> Looks:
            if witness is Witness.BROWSER:
                return BrowserWitness(BrowserOptions())
            return HeadersWitness(send)

        options = Options(limits=Limits(pages=pages))
        return await scan(url, look, options, send=send, journal=journal)


def scanned(url: str, pages: int, witness: Witness) -> dict[str, float]:
    """What one scan took, in this process, which does nothing else."""
    before, memory = _peak(), [0.0]
    if witness is Witness.BROWSER:
        ctypes.CDLL(None).prctl(ADOPTS_ORPHANS, 1)
        threading.Thread(target=_watch, args=(memory,), daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        begun, worked = time.perf_counter(), time.process_time()
        found = anyio.run(looked, url, pages, Path(folder) / "scan.journal", witness)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - worked
    with suppress(ChildProcessError):
        while os.waitpid(-1, 0):
            pass
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "visits": len(found.visits),
        "seconds": seconds,
        "cpu": cpu + children.ru_utime + children.ru_stime,
        "before": before,
        "peak": max(memory[0], _peak()),
    }


def _watch(most: list[float]) -> None:
    """Note the most memory that this process and all below it have together, in MiB."""
    while True:
        most[0] = max(most[0], sum(map(_memory, _family(os.getpid()))))
        time.sleep(LOOKS_EACH)


def _family(process: int) -> Iterator[int]:
    yield process
    with suppress(OSError):  # it has ended
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _memory(process: int) -> float:
    """A process's part of memory (PSS) in MiB: what several share is counted once."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / MEBIBYTE
    return 0.0


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE


def measured(url: str, pages: int, witness: Witness) -> dict[str, float]:
    """`scanned`, in a process of its own."""
    command = (
        *(sys.executable, "-m", "benchmarks.audit", "--scan", url),
        *("--pages", str(pages), "--witness", witness),
    )
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
    looks = [(Witness.HEADERS, PAGES // 4), (Witness.HEADERS, PAGES)]
    if find_chromium() is not None:
        looks.append((Witness.BROWSER, PAGES_DRAWN))
    with served() as url:
        for witness, pages in looks:
            one = measured(url, pages, witness)
            memory = f"{one['before']:.0f} | {one['peak']:.0f}"
            yield _row(f"scan ({witness}), {pages} pages, two workers", one, memory)
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
    parser.add_argument("--witness", choices=[*Witness], default="headers", help="who looks")
    asked = parser.parse_args()
    if asked.scan:
        print(json.dumps(scanned(asked.scan, asked.pages, Witness(asked.witness))))
        return
    for line in lines():
        print(line, flush=True)


if __name__ == "__main__":
    main()
