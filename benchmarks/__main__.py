"""Measures consentkit beside the bare app and its peers, and prints tables."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from benchmarks import hostile, in_process, pages, served, steps

if TYPE_CHECKING:
    from collections.abc import Iterator


def report(rounds: int, pairs: int) -> Iterator[str]:
    """Everything there is to measure, as Markdown."""
    yield from in_process.lines(in_process.measure(rounds))
    yield ""
    yield from pages.lines(pages.measure())
    yield ""
    yield from pages.streams()
    yield ""
    yield from pages.hostile()
    yield ""
    yield from hostile.lines(hostile.measure())
    yield ""
    yield from steps.lines()
    if pairs:
        yield ""
        yield from served.lines(served.measure(pairs))


def main() -> None:
    """Run and print as the lines come."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=in_process.ROUNDS, help="batches timed for each way"
    )
    parser.add_argument(
        "--pairs", type=int, default=served.PAIRS, help="pairs of wrk runs; 0 leaves uvicorn out"
    )
    options = parser.parse_args()
    for line in report(options.rounds, options.pairs):
        print(line, flush=True)


main()
