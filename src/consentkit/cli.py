"""The door for the shell: the commands, their options, their help and their exit codes.

It has never heard of a rule: it reads what was asked for, and hands it to the shell's room.

``consentkit --help`` and what a shell completes import click and the standard library alone; each
command imports what it needs when it runs, so that the others need not wait for it. Every command
exits with 0 where nothing is wrong, with 1 where something is, and with 2 where it was asked for in
a way it does not know.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from functools import wraps
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, NoReturn, TypeVar

import click
from click.shell_completion import CompletionItem

from consentkit.shell.terminal import Colour, Screen, fault_json

if TYPE_CHECKING:
    from consentkit.errors import Fault
    from consentkit.rules.policy import Policy
    from consentkit.rules.policy_file import Inspection
    from consentkit.shell.drafts import SiteFacts

__all__ = ["commands", "main"]

DEFAULT_FILE: Final = "consent.yaml"
SCHEMA: Final = "consentkit.schema.json"
STDIN: Final = "<stdin>"
COMPLETE: Final = "_CONSENTKIT_COMPLETE"

_F = TypeVar("_F", bound=Callable[..., None])


class _Voice(NamedTuple):
    """How a command speaks: to whom, and whether in JSON."""

    screen: Screen
    in_json: bool
    color: Colour


_coloured = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours: on a terminal (auto), always, never. NO_COLOR is heeded.",
)


def _speaks(command: _F) -> Callable[..., None]:
    """Give a command ``--json`` and ``--color``, and a `_Voice` made of them."""

    @click.option("--json", "in_json", is_flag=True, help="Print one JSON document, nothing else.")
    @_coloured
    # click hands over what each command declares, whatever that is.
    @wraps(command)
    def spoken(*args: Any, in_json: bool, color: Colour, **options: Any) -> None:  # noqa: ANN401
        command(_Voice(Screen.on(sys.stdout, color), in_json, color), *args, **options)

    return spoken


def _languages() -> list[str]:
    """Tags of the locales that ship, read from their files' names."""
    folder = Path(__file__).parent / "notice" / "locales"
    return sorted(file.stem for file in folder.glob("*.yaml"))


def _complete_language(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    return [CompletionItem(tag) for tag in _languages() if tag.startswith(incomplete)]


def _complete_name(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names that the policy declares; they cannot be known without reading it."""
    file = context.params.get("policy_file") or DEFAULT_FILE
    policy = None if file == "-" else _inspected(file).policy
    names = [*policy.cookies, *policy.storage] if policy else []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


_file = click.Path(allow_dash=True)
_one_file = click.argument("file", type=_file, default=DEFAULT_FILE)
_many_files = click.argument("files", metavar="[FILE]...", type=_file, nargs=-1)


class _Taught(click.Command):
    """A command whose help keeps the lines of its docstring, since examples are code."""

    def format_help_text(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        for line in cleandoc(self.help or "").splitlines():
            formatter.write(f"  {line}".rstrip() + "\n")


class _House(_Taught, click.Group):
    command_class = _Taught


@click.group(
    cls=_House,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="'consentkit COMMAND --help' tells of each command, with examples.",
)
@click.version_option(package_name="consentkit", message="%(prog)s %(version)s")
def commands() -> None:
    """You declare it, the visitor decides, the server keeps to it.

    These commands work on a site's policy file: consent.yaml, unless you name
    another. None but scan needs the site to run, and none else uses the network.

      consentkit init               write a first policy
      consentkit check              what is wrong, what visitors experience
      consentkit explain session    why one cookie is allowed or blocked
      consentkit scan URL           what a site stores, sends and fetches

    Exit codes: 0 nothing is wrong, 1 something is, 2 the command line is not
    understood.
    """


# Reading


def _stdin() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise click.UsageError("'-' reads from stdin, and stdin is closed. Name a file.")
    return sys.stdin.buffer


def _shown_name(file: str) -> str:
    return STDIN if file == "-" else file


def _inspected(file: str) -> Inspection:
    from consentkit.rules.policy_file import inspect_policy, inspect_text

    if file == "-":
        return inspect_text(_stdin().read(), _shown_name(file), spoken=_languages())
    return inspect_policy(file, spoken=_languages())


def _policy_in(voice: _Voice, file: str) -> tuple[Policy, Inspection]:
    """The policy in a file that has to hold; where it does not, its faults are the answer."""
    inspection = _inspected(file)
    if inspection.policy is None:
        _stop_for(voice, inspection.faults, inspection)
    return inspection.policy, inspection


def _stop_for(voice: _Voice, faults: Iterable[Fault], inspection: Inspection) -> NoReturn:
    from consentkit.shell.reports import show_faults

    if voice.in_json:
        voice.screen.json({"ok": False, "faults": [fault_json(fault) for fault in faults]})
    else:
        show_faults(Screen.on(sys.stderr, voice.color), inspection, faults)
    raise click.exceptions.Exit(1)


def _end(*, is_good: bool) -> None:
    """Leave with 1 where something is wrong."""
    if not is_good:
        raise click.exceptions.Exit(1)


def _written(path: str, text: str) -> None:
    """Put a text into a file whole, or leave what is there: a full disk cuts no policy in half."""
    target = Path(path).resolve()
    beside = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(text.encode())
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        what = f"{path}: it cannot be written: {error.strerror}. Check the folder and its rights."
        raise click.ClickException(what) from error


def _schema_text() -> str:
    import json

    from consentkit.rules.policy_schema import policy_schema

    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"


# The commands


@commands.command()
@click.argument("file", type=click.Path(), default=DEFAULT_FILE)
@click.option("--name", help="The name visitors know the site by.")
@click.option("--controller", help="Who answers for what is stored.")
@click.option("--contact", help="Where a visitor may write: an e-mail address or a page.")
@click.option(
    "--mode", type=click.Choice(["explicit", "implied", "opt-out"]), default="explicit",
    show_default=True, help="What holds for a purpose before the visitor answers.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--from-scan", "report", metavar="REPORT", type=_file, help="Draft from a scan.")
@_speaks
def init(
    voice: _Voice,
    file: str,
    *,
    mode: str,
    force: bool,
    report: str | None,
    **facts: str | None,
) -> None:
    """Write a first policy, which blocks nothing yet.

    The file is full of comments that tell what to write where, and it passes
    'consentkit check'. The cookies of the framework that is installed are
    declared already. Nothing is asked: what no option gives is guessed from the
    project, for you to correct. Beside it comes consentkit.schema.json, from
    which your editor knows every key. FILE is consent.yaml; '-' prints it alone.

    With --from-scan REPORT (what 'consentkit scan --json REPORT' wrote) it
    declares what was seen: cookies, storage and services, with what is known of
    them. What nobody knows stands under an optional purpose, marked TODO.

    Examples:
      consentkit init
      consentkit init --name "City Library" --contact privacy@example.org
      consentkit init --from-scan report.json
      consentkit init - | less

    Exit codes: 0 written, 1 the file is there or cannot be written, or REPORT
    is none.
    """
    from consentkit.shell import drafts

    if file != "-" and Path(file).exists() and not force:
        raise click.ClickException(f"{file}: it is there already. Use --force to replace it.")
    document = _first_draft(mode, facts) if report is None else _draft_of(report, mode, facts)
    if file != "-":
        _written(file, str(document["policy"]))
        _written(str(Path(file).with_name(SCHEMA)), _schema_text())
    snippet = drafts.middleware_snippet(drafts.web_framework(), file)
    if voice.in_json:
        voice.screen.json({"file": file, **document, "snippet": snippet})
    elif file == "-":
        voice.screen.write(str(document["policy"]))
    else:
        voice.screen.say(f"{file} is written, and {SCHEMA} for your editor.")
        if report is not None:
            voice.screen.say(f"Entries that wait for you, marked TODO: {document['open']}.")
        voice.screen.say("Put the policy around your app:")
        voice.screen.blank()
        voice.screen.write(snippet.rstrip() + "\n")
        voice.screen.blank()
        command = "consentkit check" if file == DEFAULT_FILE else f"consentkit check {file}"
        voice.screen.say(f"Then correct {file}, and see what it comes to: {command}")


def _first_draft(mode: str, facts: Mapping[str, str | None]) -> dict[str, object]:
    """A first policy for the project in this folder, as `init` gives it out in JSON."""
    from consentkit.shell import drafts

    site = _site_of(drafts.site_facts(Path.cwd()), mode, facts)
    frameworks = drafts.frameworks_in_use()
    return {"frameworks": [*frameworks], "policy": drafts.first_policy(site, frameworks)}


def _draft_of(report: str, mode: str, facts: Mapping[str, str | None]) -> dict[str, object]:
    """A first policy from what a scan saw, as `init` gives it out in JSON."""
    from consentkit.audit import drafts
    from consentkit.errors import ScanError

    try:
        with nullcontext(_stdin()) if report == "-" else Path(report).open("rb") as source:
            scan = drafts.scan_in(source.read(drafts.MOST_BYTES + 1), _shown_name(report))
    except OSError as error:
        what = f"{report}: it cannot be read: {error.strerror}. Check the path."
        raise click.ClickException(what) from error
    except ScanError as error:
        raise click.ClickException(str(error)) from error
    site = _site_of(drafts.facts_of(scan), mode, facts)
    draft = drafts.draft_from_scan(scan, site, spoken=_languages())
    return {"frameworks": [*draft.frameworks], "policy": draft.text, "open": draft.open}


def _site_of(guessed: SiteFacts, mode: str, facts: Mapping[str, str | None]) -> SiteFacts:
    """What the options say of the site, and what is guessed where they say nothing."""
    from consentkit.rules.policy import Mode

    return replace(
        guessed,
        name=facts["name"] or guessed.name,
        controller=facts["controller"] or facts["name"] or guessed.controller,
        contact=facts["contact"] or guessed.contact,
        mode=Mode(mode),
    )


@commands.command()
@_many_files
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--against", "old_file", metavar="OLD", type=_file, help="The policy as it was.")
@click.option("--from-log", "log", metavar="LOG", type=_file, help="Draft from a report-mode log.")
@_speaks
def check(
    voice: _Voice, files: tuple[str, ...], old_file: str | None, log: str | None, *, strict: bool
) -> None:
    """Check policy files, and say what visitors will experience.

    Every fault and every warning is shown at once, with its line and its cure.
    Of a policy that holds, a table says what each answer allows, and a sentence
    for each basis what a visitor meets.

    With --against OLD (the file as it was before your change) it also finds
    what changed and nobody would be asked about: a missing 'since' or
    'revision'.

    With --from-log LOG it reads the log of a site in report mode, and prints,
    as YAML, a draft of what the site sets and FILE does not declare.

    Examples:
      consentkit check
      consentkit check --strict sites/*/consent.yaml
      git show HEAD:consent.yaml | consentkit check --against -
      consentkit check --from-log app.log > draft.yaml

    Exit codes: 0 every policy holds, 1 there are faults (or, with --strict,
    warnings).
    """
    if log is not None:
        _draft(voice, log, files)
        return
    if old_file is not None and len(files) > 1:
        raise click.UsageError("--against compares one FILE with OLD: name one.")
    if old_file == "-" and "-" in files:
        raise click.UsageError("stdin is read once: name a file for OLD or for FILE.")
    from consentkit.shell import drafts, reports

    old = _policy_in(voice, old_file)[0] if old_file is not None else None
    frameworks = drafts.frameworks_in_use()
    found = []
    for number, file in enumerate(files or (DEFAULT_FILE,)):
        found.append(reports.checked(_inspected(file), old, frameworks))
        if not voice.in_json:
            if number:
                voice.screen.blank()
            reports.show_checked(voice.screen, found[-1])
    is_good = not any(each.faults or (strict and each.warnings) for each in found)
    if voice.in_json:
        voice.screen.json(reports.check_json(found, is_good=is_good))
    elif len(found) > 1:
        reports.show_summary(voice.screen, found)
    elif not files and not Path(DEFAULT_FILE).exists():
        voice.screen.say("'consentkit init' writes a first one.")
    _end(is_good=is_good)


def _draft(voice: _Voice, log: str, files: tuple[str, ...]) -> None:
    from consentkit.shell.drafts import draft_from_log

    if len(files) > 1:
        raise click.UsageError("--from-log drafts for one FILE: name one.")
    file = files[0] if files else DEFAULT_FILE
    is_there = bool(files) or Path(file).exists()
    policy = _policy_in(voice, file)[0] if is_there else None
    text = draft_from_log(_lines_of(log), policy)
    if voice.in_json:
        voice.screen.json({"draft": text})
    else:
        voice.screen.write(text)


def _lines_of(log: str) -> Iterator[str]:
    """The lines of a log, whatever bytes it holds."""
    if log == "-":
        for line in _stdin():
            yield line.decode("utf-8", "backslashreplace")
        return
    try:
        with Path(log).open(encoding="utf-8", errors="backslashreplace") as lines:
            yield from lines
    except OSError as error:
        what = f"{log}: it cannot be read: {error.strerror}. Check the path."
        raise click.ClickException(what) from error


@commands.command()
@click.argument("name", shell_complete=_complete_name)
@click.option(
    "--policy", "policy_file", metavar="FILE", type=_file, default=DEFAULT_FILE, show_default=True,
    help="The policy to ask.",
)  # fmt: skip
@_speaks
def explain(voice: _Voice, name: str, policy_file: str) -> None:
    """Explain why a cookie is allowed or blocked, in every state.

    NAME is a cookie's name as the browser has it (_ga_X1Y2Z3), or the key of a
    stored item. Shown are the declaration that covers it, what is decided in
    every state that a visitor can be in, and why, what is enforced of its life,
    and what a withdrawal removes.

    Examples:
      consentkit explain _ga
      consentkit explain PollTimeout-17 --policy sites/police/consent.yaml

    Exit codes: 0 it is declared, 1 it is not, or the policy has faults.
    """
    policy, inspection = _policy_in(voice, policy_file)
    from consentkit.shell.explanations import explain as explained
    from consentkit.shell.reports import show_explanation

    found = explained(policy, name)
    is_declared = all(each.section != "undeclared" for each in found)
    if voice.in_json:
        told = [each.for_machines(inspection.place_of) for each in found]
        voice.screen.json({"name": name, "declared": is_declared, "explanations": told})
    else:
        for number, each in enumerate(found):
            if number:
                voice.screen.blank()
            show_explanation(voice.screen, each, inspection)
    _end(is_good=is_declared)


@commands.command()
@_one_file
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "html", "csv"]), default="text",
    show_default=True, help="For reading, for a README, for a page, for a spreadsheet.",
)  # fmt: skip
@click.option(
    "--language", metavar="TAG", shell_complete=_complete_language,
    help="The language of the table; by default the policy's first.",
)  # fmt: skip
@_speaks
def table(voice: _Voice, file: str, form: str, language: str | None) -> None:
    """Print the table of declared cookies.

    It is the table that visitors find on the site, with the two cookies in it
    that consentkit sets itself.

    Examples:
      consentkit table
      consentkit table --format markdown --language de > cookies.md
      consentkit table --format csv > cookies.csv

    Exit codes: 0 printed, 1 the policy has faults.
    """
    policy, _ = _policy_in(voice, file)
    from consentkit.notice.declaration import declaration_json, declaration_table
    from consentkit.notice.text import choose_language
    from consentkit.shell import tables
    from consentkit.shell.explanations import token_names

    known = dict.fromkeys((*policy.languages, *_languages()))
    if language and not choose_language(("", *known), (language,)):
        raise click.UsageError(
            f"there are no words in '{language}'. There are: {', '.join(known)}."
        )
    tag, tokens = language or policy.languages[0], token_names(policy)
    if voice.in_json:
        voice.screen.json(declaration_json(policy, tokens))
    elif form == "text":
        tables.show_table(voice.screen, policy, tag, tokens)
    elif form == "html":
        voice.screen.write(declaration_table(policy, tag, tokens=tokens).decode("ascii"))
    else:
        printed = tables.as_csv if form == "csv" else tables.as_markdown
        voice.screen.write(printed(policy, tag, tokens))


@commands.command()
@click.option("--output", metavar="FILE", type=click.Path(), help="Write it there.")
@_speaks
def schema(voice: _Voice, output: str | None) -> None:
    """Print the JSON Schema of a policy file, for your editor.

    An editor that knows it completes, explains and underlines every key. For
    the YAML extension of VS Code, write the schema beside the policy, and this
    as the policy's first line:

      # yaml-language-server: $schema=consentkit.schema.json

    Examples:
      consentkit schema --output consentkit.schema.json
      consentkit schema | jq .properties.cookies

    Exit codes: 0 printed or written, 1 it cannot be written.
    """
    if output is None:
        voice.screen.write(_schema_text())
        return
    _written(output, _schema_text())
    if voice.in_json:
        voice.screen.json({"file": output})
    else:
        voice.screen.say(f"{output} is written.")


@commands.command()
@_many_files
@click.option("--check", "only_check", is_flag=True, help="Change nothing; fail where it would.")
@click.option("--diff", "show_diff", is_flag=True, help="Change nothing; print what it would.")
@_speaks
def fmt(voice: _Voice, files: tuple[str, ...], *, only_check: bool, show_diff: bool) -> None:
    """Format policy files; every comment stays.

    One indentation and one style, and what the file says never changes. '-'
    reads from stdin and prints.

    Examples:
      consentkit fmt
      consentkit fmt --check sites/*/consent.yaml
      consentkit fmt --diff

    Exit codes: 0 formatted, or nothing to do; 1 --check found a file to format,
    or a file is no YAML, or cannot be read or written.
    """
    found = [_Formatting.of(file) for file in files or (DEFAULT_FILE,)]
    for each in found:
        if voice.in_json:
            continue
        if each.faults:
            _show_plain_faults(voice, each)
        elif show_diff:
            voice.screen.write(each.diff)
        elif each.file == "-" and not only_check:
            voice.screen.write(each.after)
        elif each.has_changed:
            voice.screen.head(f"{each.file}: {'would be formatted' if only_check else 'formatted'}")
    for each in found:
        if each.has_changed and each.file != "-" and not (only_check or show_diff):
            _written(each.file, each.after)
    is_good = not any(each.faults or (only_check and each.has_changed) for each in found)
    if voice.in_json:
        voice.screen.json({"ok": is_good, "files": [each.for_machines() for each in found]})
    _end(is_good=is_good)


class _Formatting(NamedTuple):
    """One file before and after, or the faults that keep it from being read."""

    file: str
    before: str
    after: str
    faults: tuple[Fault, ...] = ()

    @classmethod
    def of(cls, file: str) -> _Formatting:
        from consentkit.errors import PolicyError
        from consentkit.rules.policy_file import inspect_policy
        from consentkit.rules.yaml_text import compose
        from consentkit.shell.formatting import formatted

        name, before = _shown_name(file), ""
        try:
            source = _stdin().read() if file == "-" else Path(file).read_bytes()
            before = source.decode("utf-8", "replace")
            compose(source, name)  # says what is wrong with bytes that are no text
            return cls(file, before, formatted(before, name))
        except PolicyError as error:
            return cls(file, before, before, error.faults)
        except OSError:
            return cls(file, before, before, inspect_policy(file).faults)

    @property
    def has_changed(self) -> bool:
        return self.before != self.after

    @property
    def diff(self) -> str:
        from difflib import unified_diff

        before, after = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        return "".join(unified_diff(before, after, self.file, f"{self.file}, formatted"))

    def for_machines(self) -> dict[str, object]:
        return {
            "file": self.file,
            "changed": self.has_changed,
            "diff": self.diff,
            "faults": [fault_json(fault) for fault in self.faults],
        }


def _show_plain_faults(voice: _Voice, formatting: _Formatting) -> None:
    screen = Screen.on(sys.stderr, voice.color)
    for fault in formatting.faults:
        screen.fault(fault, {_shown_name(formatting.file): formatting.before})


@commands.command()
@click.argument("old", type=_file)
@click.argument("new", type=_file, default=DEFAULT_FILE)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if visitors are, or must be, asked.")
@_speaks
def diff(voice: _Voice, old: str, new: str, *, exit_code: bool) -> None:
    """Tell what changed, and what visitors are asked about again.

    Each change is one of three: visitors will be asked again; they must be, and
    nothing in NEW says so ('not marked'); or nobody needs to be asked.

    Examples:
      consentkit diff consent.before.yaml consent.yaml
      git show HEAD:consent.yaml | consentkit diff -

    Exit codes: 0 compared; 1 a policy has faults or, with --exit-code, visitors
    are or must be asked again.
    """
    before, after = _policy_in(voice, old)[0], _policy_in(voice, new)[0]
    from consentkit.rules.changes import Asks, changes_between
    from consentkit.shell.reports import changes_json, show_changes

    changes = changes_between(before, after)
    if voice.in_json:
        voice.screen.json(changes_json(changes))
    else:
        show_changes(voice.screen, changes)
    asks = any(change.asks is not Asks.NOTHING for change in changes)
    _end(is_good=not (exit_code and asks))


_STATES: Final = ("untouched", "refused", "granted", "withdrawn", "gpc")


def _states(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, ...]:
    """States by name, in the order in which they are looked at."""
    named = {word.strip() for word in value.split(",")} if value else set(_STATES)
    if strange := named.difference(_STATES):
        what = f"there is no state '{min(strange)}'. There are: {', '.join(_STATES)}."
        raise click.BadParameter(what)
    return tuple(state for state in _STATES if state in named)


def _scans(command: _F) -> _F:
    """Give `scan` its options: what is looked at, how, and what becomes of it."""
    at_least_one, seconds = click.IntRange(min=1), click.FloatRange(min=0)
    path, folder = click.Path(dir_okay=False), click.Path(file_okay=False)
    fails = click.Choice(["error", "warning", "note", "never"])
    options: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("--headers", "By headers and markup: run no scripts.", {"flag_value": "headers"}),
        ("--browser", "With Chromium, or not at all.", {"flag_value": "browser"}),
        ("--pages", "Pages at most.", {"type": at_least_one, "default": 200}),
        ("--depth", "Links from the first page.", {"type": click.IntRange(min=0), "default": 8}),
        ("--seconds", "Time for the whole scan.", {"type": seconds, "default": 3600}),
        ("--states", f"Of {', '.join(_STATES)}; all.", {"callback": _states, "metavar": "LIST"}),
        ("--workers", "Pages loaded at once.", {"type": click.IntRange(1, 16), "default": 2}),
        ("--delay", "Seconds between page loads: 0.25, or 0 on this machine.", {"type": seconds}),
        ("--out", "Every report, in a folder.", {"type": folder, "metavar": "FOLDER"}),
        ("--html", "A report to read and to send.", {"type": path, "metavar": "FILE"}),
        ("--json", "All that was seen; '-' prints it alone.", {"type": _file, "metavar": "FILE"}),
        ("--sarif", "A report for code scanning.", {"type": path, "metavar": "FILE"}),
        ("--junit", "A report for a build server.", {"type": path, "metavar": "FILE"}),
        ("--baseline", "Findings that are known.", {"type": path, "metavar": "FILE"}),
        ("--write-baseline", "Write what is found into the baseline.", {"is_flag": True}),
        ("--fail-on", "The least finding that fails.", {"type": fails, "default": "error"}),
        ("--journal", "Where visits are kept meanwhile.", {"type": path, "metavar": "FILE"}),
        ("--resume", "Go on with the scan that the journal is of.", {"is_flag": True}),
        ("--host-rules", "As in 'MAP *.test 127.0.0.1'.", {"metavar": "RULES", "default": ""}),
        ("--autoconsent", "Rules for other notices.", {"type": folder, "metavar": "FOLDER"}),
    )
    for name, told, how in reversed(options):
        names = (name, "witness") if "flag_value" in how else (name,)
        command = click.option(*names, help=told, show_default=bool(how.get("default")), **how)(
            command
        )
    return command


@commands.command()
@click.argument("url")
@click.option("--policy", "policy_file", metavar="FILE", type=_file, help="Compare with it.")
# click hands over what `_scans` declares, each with a type of its own.
@_scans
@_coloured
def scan(color: Colour, url: str, policy_file: str | None, **asked: Any) -> None:  # noqa: ANN401
    """Scan a site: what it stores, sends and fetches.

    Pages are found by links and sitemaps. Each is looked at as a first visitor
    sees it, after a refusal, after a grant, after a withdrawal, and with Global
    Privacy Control: with Chromium, or by headers where it or Playwright is not
    installed. With --policy, what differs from it is found; without, what looks
    like a tracker. The site is asked, as its visitors' browsers would.

    Examples:
      consentkit scan http://127.0.0.1:8000 --policy consent.yaml
      consentkit scan https://www.example.org --pages 20 --out report
      consentkit scan https://www.example.org --resume

    Exit codes: 0 nothing is found that --fail-on names, 1 something is, or the
    site cannot be scanned, or shows no page in one of the states.
    """
    if asked["write_baseline"] and asked["baseline"] is None:
        raise click.UsageError("--write-baseline writes the file that --baseline names: name one.")
    from consentkit.audit.order import Order, carry_out
    from consentkit.errors import ScanError

    order = Order(url, **asked)
    voice = _Voice(Screen.on(sys.stdout, color), order.json == "-", color)
    policy, inspection = _policy_in(voice, policy_file) if policy_file else (None, None)
    try:
        beside = Screen.on(sys.stderr, color)
        is_good = carry_out(order, voice.screen, beside, policy, inspection)
    except ScanError as error:
        raise click.ClickException(str(error)) from error
    _end(is_good=is_good)


@commands.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@_speaks
def completion(voice: _Voice, shell: str) -> None:
    """Print the script that makes your shell complete commands.

    It completes commands, options, files, languages, and the names of declared
    cookies.

    In ~/.bashrc:
      eval "$(consentkit completion bash)"

    In ~/.zshrc, after compinit:
      eval "$(consentkit completion zsh)"

    In ~/.config/fish/config.fish:
      consentkit completion fish | source

    Exit codes: 0 printed, 2 a shell that it does not know.
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    kind = {"bash": BashComplete, "fish": FishComplete, "zsh": ZshComplete}[shell]
    script = kind(commands, {}, "consentkit", COMPLETE).source()
    if voice.in_json:
        voice.screen.json({"shell": shell, "script": script})
    else:
        voice.screen.write(f"{script.rstrip()}\n")


# The process


def main() -> None:
    """Run the command line of this process, and exit with its code; no traceback for an end user.

    Ctrl-C exits with 130, as shells have it; a pipe that nobody reads any more ends it quietly.
    """
    sys.exit(_run())


def _run() -> int:
    try:
        code = commands.main(prog_name="consentkit", standalone_mode=False, complete_var=COMPLETE)
    except click.ClickException as error:
        if sys.stderr is not None:  # closed, there is nobody to tell
            error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except OSError as error:
        _give_up(f"consentkit: the output cannot be written: {error.strerror}.")
        return 1
    return code if isinstance(code, int) else 0


def _give_up(why: str) -> None:
    """Say why, if that can be said; what is in the buffers goes nowhere, or Python complains."""
    with suppress(OSError):
        click.echo(why, err=True)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, suppress(OSError):
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
