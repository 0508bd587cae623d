"""Requests per second under uvicorn, bare and held to a policy, as a ratio of pairs.

Load comes from wrk over the loopback, for a few seconds at a time, bare and held in turns; each
pair gives a ratio, and the median of the ratios is the result. Without wrk there is no figure.
"""

from __future__ import annotations

import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from benchmarks.in_process import ways
from benchmarks.policies import CONSENT, declared_names

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS: Final = 3
PAIRS: Final = 5
CONNECTIONS: Final = 16
PATIENCE: Final = 10


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def bare() -> object:
    """The app alone; a factory for uvicorn."""
    return ways()["bare"]


def held() -> object:
    """The app held to a policy of thirty cookies; a factory for uvicorn."""
    return ways()["consentkit"]


@contextmanager
def served(name: str) -> Iterator[str]:
    """The address of one of the two apps, served by one uvicorn worker."""
    port = _free_port()
    command = (
        *(sys.executable, "-m", "uvicorn", f"benchmarks.served:{name}", "--factory"),
        *("--port", str(port), "--log-level", "warning", "--no-access-log"),
    )
    server = subprocess.Popen(command)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/json"
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing answers on port {port}")


def _requests_per_second(wrk: str, address: str, cookie: str) -> float:
    command = (wrk, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"Cookie: {cookie}", address)
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    if found is None:
        raise RuntimeError(f"wrk says nothing of requests per second:\n{told}")
    return float(found[1])


def measure(pairs: int = PAIRS) -> list[float] | None:
    """The ratio held / bare of each pair, or None where wrk is not installed."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return None
    cookie = "; ".join([*(f"{name}=v" for name in declared_names()[:5]), CONSENT])
    ratios: list[float] = []
    with served("bare") as first, served("held") as second:
        for address in (first, second):
            _requests_per_second(wrk, address, cookie)
        for _ in range(pairs):
            one = _requests_per_second(wrk, first, cookie)
            ratios.append(_requests_per_second(wrk, second, cookie) / one)
    return ratios


def lines(ratios: list[float] | None) -> Iterator[str]:
    """The result in one line."""
    if ratios is None:
        yield "Requests per second under uvicorn: not measured, wrk is not installed."
        return
    yield (
        f"Requests per second under uvicorn, JSON, six cookies: {statistics.median(ratios):.2f} x "
        f"bare (pairs: {', '.join(f'{ratio:.2f}' for ratio in ratios)})"
    )
