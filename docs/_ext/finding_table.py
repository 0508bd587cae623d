"""``{finding-table}``: prints `audit.kinds.FINDINGS`, a section for each kind of finding.

It has never heard of what a finding means: it copies what the code has.
"""

from decision_table import literal, paragraph, table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from consentkit.audit.kinds import FINDINGS, FindingKind, FindingRule


def overview() -> nodes.table:
    """Every kind on one line."""
    rows = [
        [literal(kind), rule.severity.value, ", ".join(rule.law), rule.title]
        for kind, rule in FINDINGS.items()
    ]
    return table(["kind", "severity", "rules", "what it is"], rows)


def section(kind: FindingKind, rule: FindingRule) -> nodes.section:
    """One kind, with an anchor of its own."""
    by_headers = rule.by_headers or "nothing"
    facts = [
        f"{rule.severity.value.capitalize()}; {', '.join(rule.law)}. {rule.means}",
        f"What to do: {rule.do}",
        f"By headers alone: {by_headers}.",
    ]
    found = nodes.section(ids=[kind.value])
    found += nodes.title("", "", literal(kind.value), nodes.Text(f": {rule.title.lower()}"))
    found += [paragraph(fact.replace("`", "")) for fact in facts]
    return found


class FindingTable(SphinxDirective):
    """No arguments, no content."""

    def run(self) -> list[nodes.Node]:
        return [overview(), *(section(kind, rule) for kind, rule in FINDINGS.items())]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("finding-table", FindingTable)
    return {"parallel_read_safe": True}
