"""``{fault-table}``: the faults of `examples.town_library`, and what the auditor finds of each.

It has never heard of a scan: it copies the table that the tests hold the auditor to.
"""

import sys
from pathlib import Path

from decision_table import literal, table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the examples are in no package

from examples.town_library.faults import FAULTS, Fault


def found(fault: Fault) -> nodes.inline:
    """The findings, one after the other; those that need a browser are marked."""
    cell = nodes.inline()
    for key in sorted(fault.found):
        kind, _, name = key.split(":", 2)
        if cell.children:
            cell += nodes.Text(", ")
        cell += [literal(kind), nodes.Text(": "), literal(name)]
        if key not in fault.found_by_headers:
            cell += nodes.Text(" (browser)")
    return cell


class FaultTable(SphinxDirective):
    """No arguments, no content."""

    def run(self) -> list[nodes.Node]:
        rows: list[list[nodes.Node | str]] = [
            [literal(name), fault.says, found(fault)] for name, fault in FAULTS.items()
        ]
        return [table(["fault", "what happens", "what is found"], rows)]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("fault-table", FaultTable)
    return {"parallel_read_safe": True}
