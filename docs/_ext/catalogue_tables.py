"""``{catalogue} frameworks`` and ``{catalogue} services``: the catalogue, as tables.

It has never heard of policies: it copies what `rules.catalogue` holds, one section an entry.
"""

from collections.abc import Callable, Iterable

from decision_table import literal, table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from consentkit.rules import catalogue

PAGE = "the page it was read from"
UNCHECKED = "after the maker's documentation, not checked against a page"


def link(text: str, url: str) -> nodes.reference:
    return nodes.reference("", text, refuri=url)


def lines(*parts: nodes.Node | str) -> nodes.paragraph:
    return nodes.paragraph(
        "", "", *(nodes.Text(each) if isinstance(each, str) else each for each in parts)
    )


def framework_sections() -> Iterable[tuple[str, str, list[nodes.Node]]]:
    for key, framework in catalogue.frameworks().items():
        rows = [
            [
                literal(name),
                str(declared["kind"]),
                str(declared.get("duration", "")),
                str(declared["justification"]),
                declared["description"]["en"],
            ]
            for name, declared in framework.cookies.items()
        ]
        head = ["cookie", "kind", "duration", "justification", "description"]
        source = lines(link(PAGE, framework.source), f", {framework.read}")
        yield key, framework.title, [source, table(head, rows)]


def service_sections() -> Iterable[tuple[str, str, list[nodes.Node]]]:
    stored: dict[str, list[catalogue.KnownCookie]] = {}
    for known in catalogue.cookies():
        stored.setdefault(known.service or "", []).append(known)
    for key, service in catalogue.services().items():
        facts = lines(
            f"{service.provider}; suggested purpose: {service.purpose}"
            + (f"; data goes to {', '.join(service.transfer)}" if service.transfer else ""),
        )
        hosts = lines("Hosts: ", *commas(service.hosts)) if service.hosts else lines("No hosts.")
        source = lines(
            link(PAGE, service.source), f", {service.read}" if service.checked else f", {UNCHECKED}"
        )
        yield key, service.title, [facts, hosts, source, *cookie_table(stored.pop(key, []))]
    yield "", "Of no service", cookie_table(stored.pop("", []))


def commas(words: Iterable[str]) -> list[nodes.Node]:
    parts: list[nodes.Node] = []
    for word in words:
        parts += [nodes.Text(", ")] if parts else []
        parts.append(literal(word))
    return parts


def cookie_table(known: list[catalogue.KnownCookie]) -> list[nodes.Node]:
    rows = [
        [
            literal(each.name),
            each.where if each.where != "cookie" else each.kind,
            each.duration or "",
            each.purpose,
            each.description["en"],
        ]
        for each in known
    ]
    head = ["name", "kind", "duration", "purpose", "description"]
    return [table(head, rows)] if rows else []


SECTIONS: dict[str, Callable[[], Iterable[tuple[str, str, list[nodes.Node]]]]] = {
    "frameworks": framework_sections,
    "services": service_sections,
}


class Catalogue(SphinxDirective):
    """``frameworks`` or ``services``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        sections = []
        for key, title, content in SECTIONS[self.arguments[0]]():
            section = nodes.section(ids=[f"{self.arguments[0]}-{key or 'none'}"])
            heading = [literal(key), nodes.Text(f" ({title})")] if key else [nodes.Text(title)]
            section += nodes.title("", "", *heading)
            section += content
            sections.append(section)
        return sections


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("catalogue", Catalogue)
    return {"parallel_read_safe": True}
