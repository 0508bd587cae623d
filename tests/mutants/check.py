"""Mutates the rules, and says of which mutants no test says a word.

``python -m tests.mutants.check --sample 120 --minutes 3`` takes a sample, another one each day;
without `--sample` it takes them all, which needs an hour. `scripts/mutate` calls it.

mutmut puts one small fault at a time into a function (``<`` for ``<=``, an argument lost, a word in
capitals) and runs the tests that go through it. Decorated functions and what stands outside of
functions it leaves alone: the tables are typed a second time in the tests. A mutant that lives is
listed in docs/reference/mutants.md, with the reason why that does no harm, or a test is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LISTED = ROOT / "docs" / "reference" / "mutants.md"
LEAST_KILLED = 0.95
MODULES = (
    *("rules/decision", "rules/consent", "rules/visitor", "rules/names", "rules/hosts"),
    *("rules/paths", "rules/signals", "wire/cookies"),
)
TESTS = (
    *("rules/test_decision", "rules/test_consent", "rules/test_visitor", "rules/test_names"),
    *("rules/test_hosts", "rules/test_paths", "rules/test_signals", "rules/test_policy"),
    "wire/test_cookies",
)
# It looks at the line that called, and in between stands mutmut.
LEFT_OUT = "tests/rules/test_visitor.py::test_the_warning_points_at_the_line_that_answered"
FIRST = "consentkit.rules.signals.*"
"""A few mutants, with which mutmut learns which test goes through which function."""
KILLED = (1, 3, 24, -24, 36, 152, 255)
"""How the tests of a mutant end that is noticed: they fail, or they do not come to an end."""
SURVIVED, NO_TESTS = 0, 33

ENTRY = re.compile(
    r"^### `(?P<function>[\w.]+)`\n+```diff\n(?P<diff>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Change(NamedTuple):
    """A function, and the lines of it that are gone and that came instead, without indentation."""

    function: str
    lines: tuple[str, ...]


def config() -> str:
    """What mutmut reads in pyproject.toml."""
    options = ["-p", "no:cacheprovider", "-p", "tests.mutants.plugin"]
    options += ["-W", "ignore:Module already imported"]
    options += ["--hypothesis-profile=mutants", f"--deselect={LEFT_OUT}"]
    rows = {
        "source_paths": ["src"],
        "only_mutate": [f"src/consentkit/{module}.py" for module in MODULES],
        "also_copy": ["examples"],
        "pytest_add_cli_args": options,
        "pytest_add_cli_args_test_selection": [f"tests/{test}.py" for test in TESTS],
        "use_git_change_detection": False,
    }
    return "\n[tool.mutmut]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in rows.items())


def lay_out(folder: Path) -> None:
    """A copy of the project in which mutmut may do as it likes."""
    for name in ("src", "tests", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text(text + config(), "utf-8")


def run(folder: Path, *names: str, seconds: float, workers: int) -> str:
    """Let mutmut try these mutants, as many as it gets through; what it said."""
    program = Path(sys.executable).parent / "mutmut"
    command = [str(program), "run", "--max-children", str(workers), *names]
    env = {**os.environ, "CI": "true", "PYTHONPATH": "."}
    with (folder / "said.txt").open("w+", encoding="utf-8", errors="replace") as said:
        running = subprocess.Popen(
            command, cwd=folder, env=env, stdout=said, stderr=said, start_new_session=True
        )
        try:
            running.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)  # what it found out is written down
            running.wait()
        said.seek(0)
        return said.read()


def verdicts(folder: Path) -> dict[str, int | None]:
    """Each mutant's name, and how its tests ended; None where they were not run."""
    found: dict[str, int | None] = {}
    for module in MODULES:
        file = folder / "mutants" / "src" / "consentkit" / f"{module}.py.meta"
        found |= json.loads(file.read_text("utf-8"))["exit_code_by_key"] if file.exists() else {}
    return found


def function_of(name: str) -> str:
    """The function that a mutant is of, as one writes it.

    >>> function_of("consentkit.rules.paths.xǁPathIndexǁcovers__mutmut_2")
    'consentkit.rules.paths.PathIndex.covers'
    >>> function_of("consentkit.rules.paths.x__plain__mutmut_7")
    'consentkit.rules.paths._plain'
    """
    module, _, mangled = name.rpartition("__mutmut_")[0].rpartition(".")
    plain = mangled.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in mangled else mangled[2:]
    return f"{module}.{plain}"


def changed(diff: str) -> tuple[str, ...]:
    """The lines of a diff that are gone and that came, each with its sign, without indentation."""
    lines = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in "+++---"]
    return tuple(f"{line[0]} {line[1:].strip()}" for line in lines)


def listed(text: str) -> frozenset[Change]:
    """The survivors that a page tells of."""
    return frozenset(
        Change(entry["function"], changed(entry["diff"])) for entry in ENTRY.finditer(text)
    )


def survivors(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, Change]]:
    """What was changed in each of these mutants."""
    for name in names:
        command = [str(Path(sys.executable).parent / "mutmut"), "show", name]
        shown = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        yield name, Change(function_of(name), changed(shown.stdout))


def sample(names: Iterable[str], count: int | None, seed: str) -> list[str]:
    """So many of the names, the same for the same seed; all if `count` is None."""
    every = sorted(names)
    chance = random.Random(seed)  # noqa: S311 - nothing is secret here
    return every if count is None else chance.sample(every, min(count, len(every)))


def table(found: Mapping[str, int | None], known: frozenset[str]) -> str:
    """Figures per module, of the mutants that were run; `known` are survivors that are listed."""
    rows = [f"{'module':16}{'mutants':>9}{'run':>7}{'killed':>8}{'listed':>8}{'alive':>7}"]
    for module in (*MODULES, ""):
        of_it = {
            name: code
            for name, code in found.items()
            if f".{module.replace('/', '.')}." in name or not module
        }
        counts = Counter(
            "killed" if code in KILLED else "listed" if name in known else "alive"
            for name, code in of_it.items()
            if code is not None
        )
        numbers = (len(of_it), counts.total(), *(counts[k] for k in ("killed", "listed", "alive")))
        widths = (9, 7, 8, 8, 7)
        figures = "".join(
            f"{number:{width}}" for number, width in zip(numbers, widths, strict=True)
        )
        rows.append(f"{module or 'together':16}{figures}")
    return "\n".join(rows)


def main(arguments: list[str]) -> int:
    """Run it; 0 if enough mutants were killed, and every other one is listed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="so many mutants; all of them without it")
    parser.add_argument("--minutes", type=float, default=600, help="stop after so many")
    parser.add_argument("--seed", default=datetime.now(tz=UTC).date().isoformat())
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mutants-") as made:
        folder = Path(made)
        lay_out(folder)
        seconds = options.minutes * 60
        began = datetime.now(tz=UTC)
        said = run(folder, FIRST, seconds=seconds, workers=options.workers)
        every = verdicts(folder)
        if not any(code is not None for code in every.values()):
            sys.stdout.write(f"{said[-3000:]}\nmutants: none could be run\n")
            return 1
        chosen = sample(every, options.sample, options.seed)
        left = seconds - (datetime.now(tz=UTC) - began).total_seconds()
        run(folder, *chosen, seconds=max(left, 1), workers=options.workers)
        return told(folder, options.seed, is_whole=options.sample is None)


def told(folder: Path, seed: str, *, is_whole: bool) -> int:
    """Print what came of it; 1 where it is not good enough.

    A whole run fails for each survivor that is not listed. A sample is a part of them, drawn by
    chance: it fails where it contradicts that 95 % are killed or listed, by two standard errors.
    """
    found = verdicts(folder)
    lived = [name for name, code in found.items() if code in (SURVIVED, NO_TESTS)]
    known = listed(LISTED.read_text("utf-8"))
    changes = dict(survivors(folder, lived))
    told_of = frozenset(name for name, change in changes.items() if change in known)
    sys.stdout.write(f"seed {seed}\n{table(found, told_of)}\n")
    new = {name: change for name, change in changes.items() if name not in told_of}
    for change in new.values():
        sys.stdout.write("\n" + "\n".join((change.function, *change.lines)) + "\n")
    ran = [code for code in found.values() if code is not None]
    share = sum(code in KILLED for code in ran) / len(ran)
    sys.stdout.write(f"\nmutants: {len(ran)} run, {share:.1%} killed, {len(new)} to look at\n")
    if is_whole:
        return int(bool(new) or share < LEAST_KILLED)
    settled = share + len(told_of) / len(ran)
    return int(settled < LEAST_KILLED - 2 * (LEAST_KILLED * (1 - LEAST_KILLED) / len(ran)) ** 0.5)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
