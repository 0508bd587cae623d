"""Labels the names of lists that others made, and prints how often that is right."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.labels import figures, lists

if TYPE_CHECKING:
    from collections.abc import Iterator


def report(packages: Path, database: Path | None) -> Iterator[str]:
    """The figures for both lists from npm; `database` is a file to read in place of the package's.

    Raises:
        MissingListError: A list is not there.
    """
    source = database.read_bytes() if database else None
    names = lists.database(source or lists.from_package(packages, lists.OPEN_COOKIE_DATABASE))
    services = lists.tarteaucitron(lists.from_package(packages, lists.TARTEAUCITRON))
    for title, rows in {"Open Cookie Database": names, "tarteaucitron": services}.items():
        yield from figures.lines(
            f"{title}, with the catalogue", figures.measure(rows, figures.with_catalogue)
        )
    strangers = figures.unheard_of(names)
    for number, told in enumerate(("rules were written on", "rules are judged by")):
        rows = [row for row in strangers if figures.half(row) == number]
        title = f"Open Cookie Database, the half that {told}"
        yield from figures.lines(f"{title}: names alone", figures.measure(rows, figures.by_rules))
        yield from figures.lines(
            f"{title}: names, lives and hosts", figures.measure(rows, figures.by_all_rules)
        )
        yield from figures.lines(
            f"{title}: as if all had HttpOnly", figures.measure(rows, figures.as_if_hidden)
        )
    in_neither = {row.name for row in names}
    rows = [row for row in figures.unheard_of(services) if row.name not in in_neither]
    yield from figures.lines(
        "tarteaucitron, names that are nowhere else", figures.measure(rows, figures.by_rules)
    )


def main() -> None:
    """Run and print as the lines come."""
    parser = argparse.ArgumentParser(prog="benchmarks.labels", description=__doc__)
    parser.add_argument(
        "--packages", type=Path, default=lists.KEPT, help="a folder with packages of npm"
    )
    parser.add_argument("--database", type=Path, help="open-cookie-database.json, if elsewhere")
    parser.add_argument("--apps", type=Path, help="a CSV file of what applications set")
    options = parser.parse_args()
    try:
        for line in report(options.packages, options.database):
            print(line)
        if options.apps:
            rows = lists.real_apps(options.apps)
            measured = figures.measure(rows, figures.with_catalogue)
            print("\n".join(figures.lines("Real applications, with the catalogue", measured)))
            alone = figures.measure(rows, figures.by_rules)
            print("\n".join(figures.lines("Real applications, names and HttpOnly alone", alone)))
    except lists.MissingListError as error:
        parser.exit(1, f"{error}\n")


main()
