"""Every block of the README and the docs runs, or says why it does not.

Blocks of one page share a namespace and a folder, in the order in which they are read.
"""

import asyncio
import contextlib
import doctest
import inspect
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,}) *(?P<language>[^`]*)$")
EXITS = re.compile(r"^<!-- exits: (?P<code>\d+) -->$")
NOT_RUN = re.compile(r"^<!-- not run:(?P<reason>.*)-->$")
FILE_NAME = re.compile(r"^# (?P<name>[\w.-]+\.[a-z]+)(?P<added>, added)?$")
SERVES = re.compile(r"^uvicorn (?P<app>\w+:\w+) --port 8000 &$")
SCRIPT = re.compile(r"(?:^|\s)\./(?P<path>[\w./-]+)")

# Languages that are shown and not run; a `{directive}` is Sphinx's to check.
SHOWN = ("css", "diff", "html", "http", "js", "text")


@dataclass(frozen=True)
class Block:
    """A fenced block: where its fence stands, its language, its lines, and why it is not run.

    `exits` is the code that the last of its commands ends with.
    """

    page: str
    line: int
    language: str
    code: str
    not_run: str | None = None
    exits: int = 0

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a page of Markdown, in order."""
    lines = enumerate(text.splitlines(), start=1)
    above = ""
    for number, line in lines:
        if opening := FENCE.match(line):
            code = "".join(f"{inner}\n" for inner in inside(opening["fence"], lines))
            reason, exits = NOT_RUN.match(above), EXITS.match(above)
            skipped = reason["reason"].strip() if reason else None
            status = int(exits["code"]) if exits else 0
            yield Block(page, number, opening["language"].strip(), code, skipped, status)
        above = line.strip() or above


def inside(fence: str, lines: Iterable[tuple[int, str]]) -> Iterator[str]:
    """The lines up to the closing fence, which is as long as the opening one, or longer."""
    for _, line in lines:
        closing = line.strip()
        if closing.startswith(fence) and not closing.strip(fence[0]):
            return
        yield line


class Page:
    """One page being read: a namespace and a folder that its blocks share."""

    def __init__(self, module: ModuleType, folder: Path) -> None:
        self.module = module
        self.folder = folder
        self.site: subprocess.Popen[bytes] | None = None
        self.port = 8000

    def run(self, block: Block) -> None:
        """Run one block; a block in a language nobody knows is a fault of the page."""
        if runner := RUNNERS.get(block.language):
            runner(self, block)
        elif block.language not in SHOWN and not block.language.startswith("{"):
            pytest.fail(
                f"{block.place}: a block in {block.language or 'no language'!r} is neither run nor "
                f"shown. Languages: {', '.join((*RUNNERS, *SHOWN))}."
            )

    def run_python(self, block: Block) -> None:
        """Execute the block, then call the tests that it defines.

        A block that names a file in its first line is written there too; ``# app.py, added`` goes
        on with it. ``# test_….py`` is only written: the `$ pytest` that follows runs it.
        """
        named = FILE_NAME.match(block.code.partition("\n")[0])
        if named:
            with (self.folder / named["name"]).open("a" if named["added"] else "w") as file:
                file.write(block.code)
            if named["name"].startswith("test_"):
                return
        source = "\n" * block.line + block.code
        code = compile(source, block.page, "exec", dont_inherit=True)
        before = dict(vars(self.module))
        exec(code, vars(self.module))  # noqa: S102 - to run the docs is what this file is for
        for name, value in list(vars(self.module).items()):
            if name.startswith("test_") and before.get(name) is not value:
                call(value)

    def run_session(self, block: Block) -> None:
        """Replay an interactive session and compare what it prints."""
        test = doctest.DocTestParser().get_doctest(
            block.code, vars(self.module), block.page, block.page, block.line
        )
        said: list[str] = []
        outcome = doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
        vars(self.module).update(test.globs)
        if outcome.failed:
            pytest.fail("".join(said))

    def load_yaml(self, block: Block) -> None:
        """Write the block under the name in its first line; load it where it is a policy."""
        named = FILE_NAME.match(block.code.partition("\n")[0])
        path = self.folder / (named["name"] if named else f"block-{block.line}.yaml")
        path.write_text(block.code, "utf-8")
        content = yaml.safe_load(block.code)
        if isinstance(content, dict) and "purposes" in content:
            load_policy(path)

    def run_commands(self, block: Block) -> None:
        """Run each `$ consentkit …`, `$ pytest …`, `$ mkdir …`; compare what it prints if shown.

        A line of ``…`` alone stands for any lines. `$ uvicorn app:app --port 8000 &` serves what
        the page has written, at a free port that takes the place of 8000 from there on, until
        `$ kill %1`. Other commands must be scripts of this project.
        """
        self.find_scripts(block)
        *earlier, last = commands(block.code)
        for command, expected in earlier:
            self.run_command(block, command, expected, 0)
        self.run_command(block, *last, block.exits)

    def run_command(self, block: Block, command: str, expected: list[str], exits: int) -> None:
        if serves := SERVES.match(command):
            self.serve(block, serves["app"])
        elif command == "kill %1":
            self.stop()
        if "consentkit " not in command and not command.startswith(("mkdir ", "pytest ")):
            return
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command.replace('8000', str(self.port))}"],
            cwd=self.folder,
            env=shell_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        output = (done.stdout + done.stderr).replace(str(self.port), "8000")
        said = [line.rstrip() for line in output.splitlines()]
        if done.returncode != exits or (expected and not fits(said, expected)):
            pytest.fail(
                f"{block.place}: `{command}` ended with {done.returncode} and said:\n"
                + "\n".join(said)
            )

    def serve(self, block: Block, app: str) -> None:
        """Serve an app of the page's folder, and wait until it listens."""
        self.port = free_port()
        self.site = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", app, "--port", str(self.port), "--log-level=error"],
            cwd=self.folder,
            env=shell_environment(),
        )
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.1)
            if self.site.poll() is not None:
                break
        pytest.fail(f"{block.place}: {app} does not serve")

    def stop(self) -> None:
        """End the site that is served, if one is."""
        if self.site is not None:
            self.site.terminate()
            self.site.wait(30)
            self.site = None

    def find_scripts(self, block: Block) -> None:
        """Each script of this project that a reader is told to run must be there."""
        for named in SCRIPT.finditer(block.code):
            if not os.access(ROOT / named["path"], os.X_OK):
                pytest.fail(f"{block.place}: ./{named['path']} is no script of this project")

    def load_json(self, block: Block) -> None:
        json.loads(block.code)

    def load_toml(self, block: Block) -> None:
        tomllib.loads(block.code)


RUNNERS: dict[str, Callable[[Page, Block], None]] = {
    "python": Page.run_python,
    "pycon": Page.run_session,
    "yaml": Page.load_yaml,
    "console": Page.run_commands,
    "sh": Page.find_scripts,
    "json": Page.load_json,
    "toml": Page.load_toml,
}


def commands(code: str) -> list[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines that it is shown to print."""
    found: list[tuple[str, list[str]]] = []
    for line in code.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (found[-1][0][:-1] + line.strip(), [])
        elif found:
            found[-1][1].append(line.rstrip())
    return found or [("", [])]


def fits(said: list[str], expected: list[str]) -> bool:
    """True if the lines are those expected: a `…` stands for any lines, or for any part of one."""
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == "…" else f"{re.escape(line).replace('…', '.*')}\n"
        for line in "\n".join(expected).strip("\n").split("\n")
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in trimmed(said))) is not None


def free_port() -> int:
    """A port of four digits, so that what is wrapped is wrapped as with 8000."""
    ports = [*range(8001, 10_000)]
    begin = os.getpid() % len(ports)  # another process may be about to take the first that is free
    for port in ports[begin:] + ports[:begin]:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    pytest.fail("no port between 8001 and 9999 is free")


def trimmed(lines: list[str]) -> list[str]:
    return "\n".join(lines).strip("\n").split("\n")


@cache
def shell_environment() -> dict[str, str]:
    """An environment in which `consentkit` and `pytest` know this project, without colours."""
    folder = Path(tempfile.mkdtemp(prefix="consentkit-docs-"))
    command = folder / "consentkit"
    start = "from consentkit.cli import main; main()"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{start}" "$@"\n')
    command.chmod(0o755)
    tests = folder / "pytest"
    by_name = (
        "" if entry_points(group="pytest11", name="consentkit") else "-p consentkit.pytest_plugin"
    )
    apart = f"-p no:cacheprovider -p no:playwright {by_name}"
    tests.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pytest {apart} "$@"\n')
    tests.chmod(0o755)
    path = os.pathsep.join((str(folder), os.environ.get("PATH", "")))
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COV_")}
    return {
        **kept,
        "PATH": path,
        "PYTHONPATH": str(ROOT / "src"),
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }


def call(test: Callable[[], object]) -> None:
    result = test()
    if inspect.iscoroutine(result):
        asyncio.run(result)


def load_policy(path: Path) -> None:
    from consentkit import load_policy

    load_policy(path)


def read_page(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Run the blocks of a page in `folder`, as a reader would type them one after the other."""
    module = ModuleType("page_under_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", shell_environment()["PATH"])
    page = Page(module, folder)
    try:
        for block in blocks(name, text):
            if block.not_run is None:
                page.run(block)
    finally:
        page.stop()


def pages() -> dict[str, str]:
    """The pages that a reader sees, by their path in the project."""
    paths = [ROOT / "README.md", *DOCS.rglob("*.md")]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for path in sorted(paths)
        if path.is_file() and DOCS / "_build" not in path.parents
    }


PAGES = pages()
WALKED = "docs/tutorial/five-minutes.md"
SKIPPED = [
    block
    for name, text in PAGES.items()
    for block in blocks(name, text)
    if block.not_run is not None
]


@pytest.mark.parametrize("name", PAGES)
def test_every_block_of_a_page_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a reader copies works."""
    if name == WALKED:
        pytest.skip(f"{name} is walked, with a real pip and a real server, by test_five_minutes.py")
    read_page(PAGES[name], tmp_path, monkeypatch, name)


@pytest.mark.parametrize("block", SKIPPED, ids=lambda block: block.place)
def test_a_block_that_is_not_run_says_why(block: Block) -> None:
    """`<!-- not run: reason -->`: each one stands among the skipped tests, with its reason."""
    assert block.not_run, f"{block.place}: not run, and no reason given"
    pytest.skip(f"{block.place} is not run: {block.not_run}")


# --- Controls: this file sees what it is meant to see.

FAILING = {
    "python that raises": "```python\n1 / 0\n```",
    "a test that the page defines": "```python\ndef test_it():\n    raise ValueError\n```",
    "an async test": "```python\nasync def test_it():\n    raise ValueError\n```",
    "the second block": "```python\nx = 1\n```\n\n```python\ny\n```",
    "a session that prints otherwise": "```pycon\n>>> 1 + 1\n3\n```",
    "yaml": "```yaml\na: [\n```",
    "json": "```json\n{'a': 1}\n```",
    "toml": "```toml\na =\n```",
    "a script that is not there": "```console\n$ ./scripts/fly --now\n```",
    "a site's tests that fail": (
        "```python\n# test_it.py\ndef test_it():\n    assert 0\n```\n```console\n$ pytest -q\n```"
    ),
    "a command that fails": "```console\n$ consentkit check gone.yaml\n```",
    "a command that says something else": "```console\n$ consentkit --help\nnothing\n```",
    "a command that should have failed": (
        "<!-- exits: 1 -->\n```console\n$ consentkit --help\n```"
    ),
    "a site that does not start": (
        "```python\n# app.py\nthere = 1\n```\n```console\n$ uvicorn app:app --port 8000 &\n```"
    ),
    "a site that was ended": (
        "```python\n# app.py\nfrom starlette.applications import Starlette\n\n"
        "app = Starlette()\n```\n"
        "```console\n$ uvicorn app:app --port 8000 &\n$ kill %1\n"
        "$ consentkit --help > /dev/null; echo > /dev/tcp/localhost/8000\n```"
    ),
    "an unknown language": "```pyhton\n1 / 0\n```",
    "no language": "```\n1 / 0\n```",
    "a tilde fence": "~~~python\n1 / 0\n~~~",
    "a reason for another block": "<!-- not run: no -->\n\nText.\n\n```python\n1 / 0\n```",
}

PASSING = {
    "blocks share a namespace": "```python\nx = 1\n```\n\n```python\nassert x == 1\n```",
    "a session sees what was set": "```python\nx = 2\n```\n\n```pycon\n>>> x + 1\n3\n```",
    "a file is written": (
        "```yaml\n# a.yaml\nsite: 1\n```\n"
        "```python\nfrom pathlib import Path\nassert Path('a.yaml').read_text()\n```"
    ),
    "what is shown": "```html\n<b>\n```\n\n```{toctree}\nnowhere\n```",
    "a script that is there": "```sh\n./scripts/test\n```",
    "a site that is served": (
        "```python\n# app.py\nfrom starlette.applications import Starlette\n```\n"
        "```python\n# app.py, added\napp = Starlette()\n```\n"
        "```console\n$ uvicorn app:app --port 8000 &\n"
        "$ consentkit --help > /dev/null; echo > /dev/tcp/localhost/8000; echo 8000\n8000\n"
        "$ kill %1\n```"
    ),
    "a fence in a fence": "````text\n```python\n1 / 0\n```\n````",
    "a command that says what is shown": (
        "```console\n$ consentkit --help | head -n 1\n"
        "Usage: consentkit [OPTIONS] COMMAND [ARGS]...\n```"
    ),
    "some lines of what a command says": (
        "```console\n$ consentkit --help\nUsage: consentkit [OPTIONS] COMMAND [ARGS]...\n…\n```"
    ),
    "a command that fails as it is said to": (
        "<!-- exits: 1 -->\n```console\n$ consentkit check gone.yaml\n```"
    ),
    "a block that is not run": "<!-- not run: divides -->\n```python\n1 / 0\n```",
    "json and toml": "```json\n[1]\n```\n```toml\na = 1\n```",
    "a site's tests": (
        "```python\n# test_it.py\ndef test_it(consent_client):\n    assert consent_client\n```\n"
        "```console\n$ pytest -q\n```"
    ),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_failing_block_fails(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is green because its blocks ran, and not because nothing looked."""
    with pytest.raises((Exception, pytest.fail.Exception)):
        read_page(FAILING[case], tmp_path, monkeypatch, "page.md")


@pytest.mark.parametrize("case", PASSING)
def test_a_good_block_passes(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the controls."""
    read_page(PASSING[case], tmp_path, monkeypatch, "page.md")


def test_a_traceback_names_the_page_and_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever breaks a page is led to the line, as in any other file."""
    text = "# A page\n\nText.\n\n```python\nx = 1\n1 / 0\n```\n"
    with pytest.raises(ZeroDivisionError) as caught:
        read_page(text, tmp_path, monkeypatch, "page.md")
    last = caught.traceback[-1]
    assert (Path(last.path).name, last.lineno + 1) == ("page.md", 7)


def test_a_block_without_a_reason_is_seen() -> None:
    """An empty reason is no reason."""
    (block,) = blocks("page.md", "<!-- not run: -->\n\n```python\n1 / 0\n```\n")
    assert block.not_run == ""


def test_a_bad_policy_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A YAML block with `purposes` is a policy, and the reader's policy file must load."""
    from consentkit import PolicyError

    text = "```yaml\npurposes: {analytics: {basis: hope}}\n```"
    with pytest.raises(PolicyError):
        read_page(text, tmp_path, monkeypatch, "page.md")
