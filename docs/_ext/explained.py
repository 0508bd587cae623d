"""``{explained} name``: a table of all that the code has, each with a sentence from the page.

It has never heard of the sentences: it sees that there is one for each thing and none for another,
and warns otherwise, so that the build fails.

The argument is a dotted name: of an enum (its values), a class (the options of its constructor,
with their defaults) or a module (its errors, with what they inherit from). A line of the content
is ``key: sentence``; an indented line goes on.
"""

import enum
import importlib
import inspect
from types import ModuleType

from decision_table import literal, table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)


def found(name: str) -> object:
    """What a dotted name stands for: a module, or an attribute of one."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return getattr(importlib.import_module(module), attribute)


def things(of: object) -> dict[str, str]:
    """Each thing to be explained, and what else the code says of it."""
    if isinstance(of, ModuleType):
        return errors(of)
    if isinstance(of, enum.EnumMeta):
        return {str(member.value): "" for member in of}
    return options(of)


def errors(module: ModuleType) -> dict[str, str]:
    classes = {name: getattr(module, name) for name in module.__all__}
    return {
        name: ", ".join(base.__name__ for base in each.__bases__)
        for name, each in classes.items()
        if isinstance(each, type) and issubclass(each, Exception)
    }


def options(of: object) -> dict[str, str]:
    parameters = inspect.signature(of).parameters.values()
    return {each.name: default(each) for each in parameters if each.kind is each.KEYWORD_ONLY}


def default(parameter: inspect.Parameter) -> str:
    value = parameter.default
    if value is parameter.empty:
        return "required"
    named = inspect.isbuiltin(value)
    return f"{value.__module__}.{value.__name__}" if named else repr(value)


class Explained(SphinxDirective):
    """A table with the columns of `:head:`, two or three, separated by commas."""

    has_content = True
    required_arguments = 1
    option_spec = {"head": str}  # noqa: RUF012 - docutils reads it from the class

    def run(self) -> list[nodes.Node]:
        said = self.sentences()
        there = things(found(self.arguments[0]))
        self.compare(there, said)
        head = [part.strip() for part in self.options["head"].split(",")]
        rows = [self.row(key, more, said.get(key, "")) for key, more in there.items()]
        return [table(head, [[*cells[: len(head) - 1], cells[-1]] for cells in rows])]

    def sentences(self) -> dict[str, str]:
        """The content: each key with its sentence."""
        said: dict[str, str] = {}
        key = ""
        for line in self.content:
            if line[:1].isspace():
                said[key] += f" {line.strip()}"
            elif line.strip():
                key, _, sentence = line.partition(": ")
                said[key] = sentence.strip()
        return said

    def compare(self, there: dict[str, str], said: dict[str, str]) -> None:
        for key in there.keys() ^ said.keys():
            fault = "not explained" if key in there else "explained, and not in the code"
            logger.warning(
                "%s: %r is %s", self.arguments[0], key, fault, location=self.get_location()
            )

    def row(self, key: str, more: str, sentence: str) -> list[nodes.Node | str]:
        inline, _ = self.state.inline_text(sentence, self.lineno)
        value = "required" if more == "required" else literal(more)
        return [literal(key), value, nodes.inline("", "", *inline)]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("explained", Explained)
    return {"parallel_read_safe": True}
