"""Measures consentkit beside the bare app and its peers, and prints one table."""

from __future__ import annotations

import argparse

from benchmarks import in_process


def main() -> None:
    """Run what is asked for and print it as Markdown."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=in_process.ROUNDS, help="batches per way")
    options = parser.parse_args()
    print("\n".join(in_process.lines(in_process.measure(options.rounds))))


main()
