"""``{commands}``: every command of the shell with its help text, its arguments and its options.

It has never heard of what they do: it copies what click would print, in the order of the list.
"""

import inspect
import re

import click
from decision_table import literal, table
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from consentkit import cli


def commands() -> dict[str, click.Command]:
    """The commands by name, as `consentkit --help` lists them."""
    names = cli.commands.list_commands(click.Context(cli.commands, info_name="consentkit"))
    return {name: cli.commands.commands[name] for name in names}


def prose(text: str) -> nodes.paragraph:
    """A paragraph in which options stand as they are typed."""
    parts = re.split(r"(--[\w-]+)", text)
    return nodes.paragraph(
        "", "", *(literal(part) if part.startswith("--") else nodes.Text(part) for part in parts)
    )


def paragraphs(help_text: str) -> list[nodes.Node]:
    """The help text: prose as paragraphs, and what is indented as it stands."""
    made: list[nodes.Node] = []
    for block in inspect.cleandoc(help_text).split("\n\n"):
        lines = block.split("\n")
        shown = [line.strip() for line in lines if line.startswith("  ")]
        made.append(prose(" ".join(line for line in lines if line[:2].strip())))
        if shown:
            made.append(nodes.literal_block("", "\n".join(shown), language="text"))
    return made


def options(command: click.Command) -> list[nodes.Node]:
    rows: list[list[nodes.Node | str]] = []
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            names = ", ".join((*parameter.opts, *parameter.secondary_opts))
            rows.append([literal(names), nodes.inline("", "", *prose(parameter.help or ""))])
    return [table(["option", "what it does"], rows)]


class Commands(SphinxDirective):
    """No arguments, no content."""

    def run(self) -> list[nodes.Node]:
        sections = []
        for name, command in commands().items():
            section = nodes.section(ids=[f"command-{name}"])
            section += nodes.title("", "", literal(f"consentkit {name}"))
            pieces = command.collect_usage_pieces(click.Context(command, info_name=name))
            section += nodes.literal_block(
                "", " ".join((f"consentkit {name}", *pieces)), language="text"
            )
            section += paragraphs(command.help or "")
            section += options(command)
            sections.append(section)
        return sections


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
