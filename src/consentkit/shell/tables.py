"""The table of declared cookies in the forms a page or a spreadsheet takes.

It has never heard of a visitor or a request: it prints what the notice tells everybody.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from consentkit.notice.chapters import Chapter, chapters_of
from consentkit.notice.text import Messages, words_for
from consentkit.shell.terminal import Screen, Tone, Toned

if TYPE_CHECKING:
    from consentkit.notice.chapters import Entry
    from consentkit.rules.policy import Policy

__all__ = ["as_csv", "as_markdown", "show_table"]


def _heads(words: Messages) -> list[str]:
    return [
        words.column_name,
        words.column_purpose,
        words.column_provider,
        words.column_duration,
        words.column_recipients,
        words.column_basis,
    ]


def _cells(entry: Entry, words: Messages) -> list[str]:
    recipients, first = entry.recipients, words.parties["first"]
    if entry.transfer:
        recipients += f" ({words.transfer.format(countries=entry.transfer)})"
    return [
        f"{entry.name} ({entry.kind})",
        " ".join(entry.description.split()),
        entry.provider if entry.party == first else f"{entry.provider} ({entry.party})",
        entry.duration,
        recipients,
        entry.basis,
    ]


def show_table(screen: Screen, policy: Policy, language: str, tokens: Sequence[str]) -> None:
    """The table on a screen, a part for each purpose."""
    words = words_for(policy, language)
    for number, chapter in enumerate(chapters_of(policy, language, tokens)):
        if number:
            screen.blank()
        title = chapter.title or words.strictly_necessary
        screen.say(Toned(title, Tone.STRONG), f" ({chapter.status})")
        screen.say(" ".join(chapter.description.split()))
        screen.blank()
        if chapter.entries:
            rows = [_cells(entry, words) for entry in chapter.entries]
            screen.table(_heads(words), rows)
        for service in chapter.services:
            links = [link for link in (service.privacy, service.opt_out) if link]
            screen.say(f"{service.title}: {', '.join([service.provider, *links])}")


def as_markdown(policy: Policy, language: str, tokens: Sequence[str]) -> str:
    """The table in Markdown, as GitHub reads it: a heading and a table for each purpose."""
    words = words_for(policy, language)
    parts = (_markdown(chapter, words) for chapter in chapters_of(policy, language, tokens))
    return "\n".join(line for part in parts for line in part)


def _markdown(chapter: Chapter, words: Messages) -> Iterator[str]:
    yield f"## {_in_markdown(chapter.title)}"
    yield ""
    yield f"{_in_markdown(chapter.description)} ({_in_markdown(chapter.status)})"
    yield ""
    if chapter.entries:
        yield _markdown_row(_heads(words))
        yield _markdown_row(["---"] * len(_heads(words)))
        for entry in chapter.entries:
            cells = [_in_markdown(cell) for cell in _cells(entry, words)]
            yield _markdown_row(cells)
        yield ""


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_MARKDOWN: Final = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>|#~&!"})


def _in_markdown(text: str) -> str:
    """Words as words: what Markdown or HTML would read as a mark is escaped."""
    return " ".join(text.split()).translate(_MARKDOWN)


_COLUMNS: Final = (
    *("name", "kind", "description", "provider", "party", "duration"),
    *("recipients", "transfer", "basis", "service", "more"),
)
"""Fields of an `Entry`; as heads of a CSV file they are the same in every language."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_csv(policy: Policy, language: str, tokens: Sequence[str]) -> str:
    """The table as comma-separated values (RFC 4180), with a line for each purpose of an item.

    A cell that a spreadsheet would read as a formula has an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["purpose", "title", *_COLUMNS])
    for chapter in chapters_of(policy, language, tokens):
        for entry in chapter.entries:
            cells = [getattr(entry, column) or "" for column in _COLUMNS]
            writer.writerow(map(_no_formula, [chapter.purpose, chapter.title, *cells]))
    return text.getvalue()


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
