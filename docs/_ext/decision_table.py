"""``{decision-table}``: prints `rules.decision.DECISIONS`, one row for each basis.

It has never heard of what the table means: it copies what the code has.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from consentkit.rules.consent import Answer
from consentkit.rules.decision import DECISIONS

VERBS = {True: "allowed", False: "blocked"}


def table(head: list[nodes.Node | str], rows: list[list[nodes.Node | str]]) -> nodes.table:
    """A table of cells, each a text or an inline node."""
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    group += nodes.thead("", row(head))
    group += nodes.tbody("", *map(row, rows))
    return nodes.table("", group)


def row(cells: list[nodes.Node | str]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", paragraph(cell)) for cell in cells))


def paragraph(cell: nodes.Node | str) -> nodes.paragraph:
    inline = nodes.Text(cell) if isinstance(cell, str) else cell
    return nodes.paragraph("", "", inline)


def literal(text: str) -> nodes.literal:
    return nodes.literal("", text)


class DecisionTable(SphinxDirective):
    """No arguments, no content."""

    def run(self) -> list[nodes.Node]:
        head = ["basis", *(literal(answer) for answer in Answer)]
        rows = [
            [literal(basis), *(VERBS[by_answer[answer]] for answer in Answer)]
            for basis, by_answer in DECISIONS.items()
        ]
        return [table(head, rows)]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("decision-table", DecisionTable)
    return {"parallel_read_safe": True}
