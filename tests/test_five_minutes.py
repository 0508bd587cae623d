"""A stranger's walk: the page docs/tutorial/five-minutes.md, followed to the letter.

The wheel is built from this project, and installed as the page says into an environment of its
own; the commands run in one real shell, the site under a real uvicorn.
"""

import contextlib
import http.cookiejar
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_docs import ROOT, blocks, commands, fits

PAGE = ROOT / "docs" / "tutorial" / "five-minutes.md"
VISIT = re.compile(r"^<!-- visit: (?P<url>\S+) shows: (?P<words>.*) -->$")
WORDS_IN_A_MINUTE = 200
"""How fast somebody reads who also types."""


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def steps(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """What the page asks for, in its order: files, commands with what they print, and visits."""
    todo = {block.line: block for block in blocks(PAGE.name, text)}
    for number, line in enumerate(text.splitlines(), start=1):
        visit = VISIT.match(line)
        if visit:
            yield "visit", visit["url"], [visit["words"]]
        if number in todo:
            block = todo[number]
            if block.language == "console":
                yield from (("run", command, lines) for command, lines in commands(block.code))
            elif block.language == "diff":
                yield "cut", "app.py", [line[1:] for line in block.code.splitlines()]
            else:
                name, _, body = block.code.removeprefix("# ").partition("\n")
                file, _, is_added = name.partition(", ")
                yield "add" if is_added else "write", file, [body]


class Walker:
    """Somebody with one shell and one browser."""

    def __init__(self, folder: Path, wheel: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.shell = subprocess.Popen(
            ["bash", "--norc", "-m"],
            cwd=folder,
            env=environment(wheel),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.browser = self.new_browser()

    @staticmethod
    def new_browser() -> urllib.request.OpenerDirector:
        jar = http.cookiejar.CookieJar()
        return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def run(self, command: str, expected: list[str]) -> None:
        stdin, stdout = self.shell.stdin, self.shell.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f'{command}\necho "== $?"\n')
        stdin.flush()
        said: list[str] = []
        while not (line := stdout.readline()).startswith("== "):
            assert line, said
            said.append(line.rstrip())
        assert line == "== 0\n", (command, said)
        assert not any(expected) or fits(said, expected), (command, said)

    def write(self, file: str, body: str) -> None:
        (self.folder / file).write_text(body)

    def add(self, file: str, body: str) -> None:
        with (self.folder / file).open("a") as stream:
            stream.write(f"\n{body}")

    def cut(self, file: str, *lines: str) -> None:
        path = self.folder / file
        for line in lines:
            assert path.read_text().count(f"{line}\n") == 1
            path.write_text(path.read_text().replace(f"{line}\n", ""))

    def visit(self, url: str, words: str) -> None:
        """Load a page three times, in a browser that has no cookies yet."""
        self.browser = self.new_browser()
        for _ in range(3):
            page = self.load(url)
        assert words in page

    def load(self, url: str) -> str:
        for _ in range(600):
            with contextlib.suppress(urllib.error.URLError):
                return str(self.browser.open(url).read().decode())
            time.sleep(0.1)
        raise AssertionError(f"nobody answers at {url}")

    def follow(self, text: str) -> None:
        for act, what, details in steps(text.replace("8000", str(self.port))):
            getattr(self, act)(what, *([details] if act == "run" else details))

    def leave(self) -> None:
        with self.shell:
            self.shell.communicate("kill $(jobs -p) 2>/dev/null\nexit\n", 30)


def environment(wheel: Path) -> dict[str, str]:
    """Where pip finds this project's wheel, and takes the versions that the project pins."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("COV", "PYTHON"))
    }
    return {
        **kept,
        "PIP_FIND_LINKS": str(wheel.parent),
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_QUIET": "1",
        "PIP_NO_COMPILE": "1",  # Python makes bytecode of what is imported, and of nothing else
        "COLUMNS": "100",
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("consentkit-*.whl")
    return built


def test_a_stranger_walks_from_pip_install_to_an_enforcing_site(
    wheel: Path, tmp_path: Path
) -> None:
    """Every command, file and visit of the page, one after the other, with what it promises."""
    walker = Walker(tmp_path, wheel, free_port())
    try:
        walker.follow(PAGE.read_text("utf-8"))
        stored = (tmp_path / ".venv").is_dir()
    finally:
        walker.leave()
    assert stored


def test_the_page_is_read_in_three_minutes() -> None:
    """Five minutes with the installation: prose, code and all, at a reader's pace."""
    words = len(PAGE.read_text("utf-8").split())
    assert words <= 3 * WORDS_IN_A_MINUTE
