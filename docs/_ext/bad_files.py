"""``{bad-files} folder``: faulty policies with what is said of them, from the files of the tests.

It has never heard of what is wrong with them: it prints a file, and the text that stands beside it.

The argument is a folder of ``tests/policies``, the content the names of files in it, one a line. A
name that is not there, that stands twice, or that stands on no page is a warning, so that the build
fails.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

POLICIES = Path(__file__).resolve().parents[2] / "tests" / "policies"
OLD = ".old.yaml"
MOST_COLUMNS = 120


def shown(path: Path) -> tuple[str, str]:
    """The content of a file and its language; bytes that are no text as Python writes them."""
    source = path.read_bytes()
    if b"\0" in source:
        return cut(repr(source)[2:-1]), "text"
    text = source.decode("utf-8", "backslashreplace")
    if not text.strip():
        return "(nothing)", "text"
    lines = text.removeprefix("\ufeff").splitlines()
    if any(not line.replace("\t", "").isprintable() for line in lines):
        lines = [line.encode("unicode_escape").decode() for line in lines]
    return "\n".join(map(cut, lines)), "yaml"


def cut(line: str) -> str:
    return line if len(line) <= MOST_COLUMNS else f"{line[:MOST_COLUMNS]}…"


def faulty_lines(name: str, message: str) -> list[int]:
    """The lines of the file itself that its message names."""
    return sorted(
        {int(line) for line in re.findall(rf"^{name}\.yaml:(\d+):", message, re.MULTILINE)}
    )


def block(text: str, language: str, lines: list[int] | None = None) -> nodes.literal_block:
    node = nodes.literal_block(text, text, language=language, force=True)
    if lines:
        node["highlight_args"] = {"hl_lines": lines}
    return node


class BadFiles(SphinxDirective):
    """A heading for each name, its file, what it is compared with or extends, and what is said."""

    has_content = True
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        folder = self.arguments[0]
        names = [line.strip() for line in self.content if line.strip()]
        seen = vars(self.env).setdefault("bad_files", {}).setdefault(self.env.docname, [])
        seen += [(folder, name) for name in names]
        there = [name for name in names if (POLICIES / folder / f"{name}.yaml").exists()]
        for name in {*names} - {*there}:
            logger.warning("there is no file %r in %s", name, folder, location=self.get_location())
        return [node for name in there for node in self.shown(folder, name)]

    def shown(self, folder: str, name: str) -> Iterator[nodes.Node]:
        ids = [nodes.make_id(f"{folder}-{name}")]
        yield nodes.rubric("", "", nodes.literal("", f"{name}.yaml"), ids=ids)
        path = POLICIES / folder / f"{name}.yaml"
        before = path.with_suffix(OLD)
        if before.exists():
            yield from self.file(before, "Before:")
            yield nodes.paragraph("", "After:")
        message = path.with_suffix(".txt").read_text("utf-8")
        yield from self.file(path, "", faulty_lines(name, message))
        others = re.findall(r"^(bases/[\w.-]+):\d", message, re.MULTILINE)
        for other in dict.fromkeys(others):
            yield from self.file(path.parent / other, f"And {other}:")
        yield nodes.container("", block(message, "text"), classes=["told"])

    def file(self, path: Path, head: str, lines: list[int] | None = None) -> Iterator[nodes.Node]:
        self.env.note_dependency(str(path))
        self.env.note_dependency(str(path.with_suffix(".txt")))
        if head:
            yield nodes.paragraph("", head)
        text, language = shown(path)
        yield block(text, language, lines)


def forget(_: Sphinx, env: BuildEnvironment, page: str) -> None:
    """What a page showed, before it is read again."""
    vars(env).setdefault("bad_files", {}).pop(page, None)


def merge(_: Sphinx, env: BuildEnvironment, pages: set[str], other: BuildEnvironment) -> None:
    """What another process read."""
    theirs = vars(other).get("bad_files", {})
    vars(env).setdefault("bad_files", {}).update(
        {page: theirs[page] for page in pages & theirs.keys()}
    )


def compare(_: Sphinx, env: BuildEnvironment) -> None:
    """Each file stands on one page, once; a folder nobody shows is nobody's concern."""
    seen = Counter(each for page in vars(env).get("bad_files", {}).values() for each in page)
    for folder in sorted({folder for folder, _ in seen}):
        there = {path.stem for path in (POLICIES / folder).glob("*.txt")}
        missing = there - {name for each, name in seen if each == folder}
        for name in sorted(missing):
            logger.warning("no page shows %s/%s.yaml", folder, name)
    for (folder, name), count in seen.items():
        if count > 1:
            logger.warning("%s/%s.yaml is shown %d times", folder, name, count)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("bad-files", BadFiles)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-check-consistency", compare)
    return {"parallel_read_safe": True}
