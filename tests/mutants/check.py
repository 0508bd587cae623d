"""Mutates the rules, and says of which mutants no test says a word.

``python -m tests.mutants.check --sample 120 --minutes 3`` takes a sample, another one each day;
without `--sample` it takes them all, which needs hours. `scripts/mutate` calls it.

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
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.mutants.forks import NOT_HERE
from tests.mutants.making import Change, change_of, changed, mutants_of

ROOT = Path(__file__).parents[2]
LISTED = ROOT / "docs" / "reference" / "mutants.md"
LEAST_KILLED = 0.95


class Part(NamedTuple):
    """Modules of ``src/consentkit`` that are mutated together, and files of ``tests``, for them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = {
    "decision": Part(
        (
            *("rules/consent", "rules/decision", "rules/hosts", "rules/names", "rules/paths"),
            *("rules/policy", "rules/signals", "rules/visitor", "wire/cookies"),
        ),
        (
            *("rules/test_consent", "rules/test_decision", "rules/test_hosts", "rules/test_names"),
            *("rules/test_paths", "rules/test_policy", "rules/test_signals", "rules/test_visitor"),
            "wire/test_cookies",
        ),
    ),
    "file": Part(
        (
            *("rules/faults", "rules/notice_faults", "rules/policy_file", "rules/policy_schema"),
            *("rules/problems", "rules/shapes", "rules/wording"),
            *("rules/yaml_print", "rules/yaml_text"),
        ),
        (
            *("rules/test_bad_files", "rules/test_faults", "rules/test_notice_faults"),
            *("rules/test_policy_file", "rules/test_policy_schema"),
            *("rules/test_yaml_print", "rules/test_yaml_text"),
        ),
    ),
    "advice": Part(
        (
            *("rules/catalogue", "rules/changes", "rules/integrations", "rules/lints"),
            *("rules/misleading_words", "rules/texts", "rules/trackers"),
        ),
        (
            *("rules/test_catalogue", "rules/test_changes", "rules/test_integrations"),
            *("rules/test_lints", "rules/test_misleading_words", "rules/test_texts"),
            *("rules/test_trackers", "rules/test_bad_files"),
        ),
    ),
}
"""A sample is taken of one of them; together they are all of `rules`, and the cookies."""

LEFT_OUT = (
    # It looks at the line that called, and in between stands the switch.
    "visitor.py::test_the_warning_points_at_the_line_that_answered",
    # They take as long as all the others, since they count what much of it costs.
    "policy_file.py::test_faults_cost_about_what_they_weigh",
    "policy_file.py::test_data_that_has_no_end_is_a_fault",
    # They call a script, which has the Python of a checkout.
    "catalogue.py::test_the_script_lists_what_is_to_be_read_again",
    "catalogue.py::test_the_script_is_content_with_what_was_read_since",
    "catalogue.py::test_the_script_asks_for_a_year",
)
OPTIONS = (
    *("-p", "no:cacheprovider", "-p", "tests.mutants.plugin", "--hypothesis-profile=mutants"),
    *(f"--deselect=tests/rules/test_{test}" for test in LEFT_OUT),
)
ENDLESS = 24
"""How tests end that do not come to an end; 0: they notice nothing; all else: they do."""
LONGEST = 600.0
"""Seconds that the tests of one mutant may take."""

ENTRY = re.compile(
    r"^### `(?P<function>[\w.]+)`\n+```diff\n(?P<diff>.*?)^```$", re.MULTILINE | re.DOTALL
)


def whole() -> Part:
    """All parts as one."""
    modules = sorted(module for part in PARTS.values() for module in part.modules)
    tests = sorted({test for part in PARTS.values() for test in part.tests})
    return Part(tuple(modules), tuple(tests))


# --- Running them ---------------------------------------------------------------------------------


def lay_out(folder: Path, part: Part) -> dict[str, str]:
    """Lay out a copy of the project with all mutants in it; their names, and the files they are in.

    Each file is given as its text.
    """
    without = shutil.ignore_patterns("__pycache__", "_build")
    for name in ("src", "tests", "examples", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=without)
    shutil.copy(ROOT / "pyproject.toml", folder)
    codes: dict[str, str] = {}
    for module in part.modules:
        file = folder / "src" / "consentkit" / f"{module}.py"
        made = mutants_of(file, f"consentkit.{module.replace('/', '.')}")
        file.write_text(made.code, "utf-8")
        codes |= dict.fromkeys(made.names, made.code)
    return codes


def environment(**more: str) -> dict[str, str]:
    """What a Python that runs mutants is told."""
    return {**os.environ, "PYTHONPATH": f"src{os.pathsep}.", **more}


def command(*more: str) -> list[str]:
    """How pytest is called where mutants are laid out."""
    return [sys.executable, "-m", "pytest", "-q", "--tb=no", "--rootdir=.", *OPTIONS, *more]


def run(
    folder: Path, part: Part, names: Sequence[str], *, until: float, workers: int
) -> dict[str, int]:
    """How the tests of these mutants end, of as many as there is time for; `until` is as of time.

    A fork does not import anything anew: see `run_again`. Raises RuntimeError, with what pytest
    said, where the tests fail without any mutant.
    """
    asked, verdicts = folder / "asked.json", folder / "verdicts.jsonl"
    question = {"names": names, "workers": workers, "until": until, "verdicts": str(verdicts)}
    asked.write_text(json.dumps(question), "utf-8")
    tests = [f"tests/{test}.py" for test in part.tests]
    said = subprocess.run(
        command("-p", "tests.mutants.forks", *tests),
        cwd=folder,
        env=environment(MUTANTS=str(asked)),
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if not verdicts.exists():
        raise RuntimeError(f"{said.stdout}{said.stderr}"[-3000:])
    return dict(json.loads(line) for line in verdicts.read_text("utf-8").splitlines())


def run_again(folder: Path, part: Part, names: Iterable[str], workers: int) -> dict[str, int]:
    """How the tests of these mutants' modules end, in a Python of their own for each mutant.

    What ran as the modules were imported was not mutated in a fork, nor known to any test.
    """
    names = [*names]
    with ThreadPoolExecutor(workers) as pool:
        return dict(zip(names, pool.map(partial(_end, folder, part), names), strict=True))


def _end(folder: Path, part: Part, name: str) -> int:
    _, room, module, _ = name.split(".")
    own = f"tests/{room}/test_{module}.py"
    tests = [own] if (folder / own).exists() else [f"tests/{test}.py" for test in part.tests]
    running = subprocess.Popen(
        command("-x", *tests),
        cwd=folder,
        env=environment(MUTANT=name),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return running.wait(LONGEST)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        return ENDLESS


# --- What came of it ------------------------------------------------------------------------------


def listed(text: str) -> frozenset[Change]:
    """The survivors that a page tells of."""
    return frozenset(
        Change(entry["function"], changed(entry["diff"])) for entry in ENTRY.finditer(text)
    )


def sample(names: Iterable[str], count: int | None, seed: str) -> list[str]:
    """So many of the names, the same for the same seed; all if `count` is None."""
    every = sorted(names)
    chance = random.Random(seed)  # noqa: S311 - nothing is secret here
    return every if count is None else chance.sample(every, min(count, len(every)))


def table(part: Part, codes: Iterable[str], found: Mapping[str, int], known: frozenset[str]) -> str:
    """Figures per module, of all mutants and those that were run; `known` are survivors listed."""
    rows = [f"{'module':22}{'mutants':>8}{'run':>7}{'killed':>8}{'listed':>8}{'alive':>7}"]
    for module in (*part.modules, ""):
        inside = f"consentkit.{module.replace('/', '.')}."[: None if module else 0]
        counts = Counter(
            "killed" if end else "listed" if name in known else "alive"
            for name, end in found.items()
            if name.startswith(inside)
        )
        made = sum(name.startswith(inside) for name in codes)
        killed, listed_, alive = (counts[key] for key in ("killed", "listed", "alive"))
        ran = f"{made:8}{counts.total():7}{killed:8}{listed_:8}{alive:7}"
        rows.append(f"{module or 'together':22}{ran}")
    return "\n".join(rows)


def is_enough(ran: int, killed: int, known: int, *, is_whole: bool) -> bool:
    """Whether the tests are good enough, of so many mutants of which these are killed or listed.

    A whole run needs 95 % killed, and every other one listed. A sample is a part of them, drawn by
    chance: it is enough unless it contradicts that 95 % are killed or listed, by two standard
    errors.

    >>> is_enough(100, 96, 4, is_whole=True), is_enough(100, 96, 3, is_whole=True)
    (True, False)
    >>> is_enough(100, 94, 6, is_whole=True), is_enough(100, 91, 0, is_whole=False)
    (False, True)
    >>> is_enough(100, 90, 0, is_whole=False), is_enough(0, 0, 0, is_whole=False)
    (False, False)
    """
    if not ran:
        return False
    if is_whole:
        return killed >= LEAST_KILLED * ran and killed + known == ran
    error = (LEAST_KILLED * (1 - LEAST_KILLED) / ran) ** 0.5
    return (killed + known) / ran >= LEAST_KILLED - 2 * error


def told(part: Part, codes: Mapping[str, str], found: Mapping[str, int], *, is_whole: bool) -> int:
    """Print what came of it; 1 where it is not good enough."""
    survivors = {name: change_of(name, codes[name]) for name, end in found.items() if not end}
    known = listed(LISTED.read_text("utf-8"))
    told_of = frozenset(name for name, change in survivors.items() if change in known)
    sys.stdout.write(f"{table(part, codes, found, told_of)}\n")
    new = [change for name, change in survivors.items() if name not in told_of]
    for change in new:
        sys.stdout.write("\n" + "\n".join((change.function, *change.lines)) + "\n")
    ran, killed = len(found), len(found) - len(survivors)
    share = killed / ran if ran else 0
    sys.stdout.write(f"\nmutants: {ran} run, {share:.1%} killed, {len(new)} to look at\n")
    return int(not is_enough(ran, killed, len(told_of), is_whole=is_whole))


def main(arguments: list[str]) -> int:
    """Run it; 0 if enough mutants were killed, and every other one is listed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, help="so many mutants of a part; all without it")
    parser.add_argument("--part", choices=PARTS, help="only this part; a sample's is drawn")
    parser.add_argument("--minutes", type=float, default=600, help="begin none after so many")
    parser.add_argument("--seed", default=datetime.now(tz=UTC).date().isoformat())
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    until = time.time() + options.minutes * 60
    drawn = options.part or (options.sample and sample(PARTS, 1, options.seed)[0])
    part = PARTS[drawn] if drawn else whole()
    sys.stdout.write(f"{drawn or 'all parts'}, seed {options.seed}\n")
    with tempfile.TemporaryDirectory(prefix="mutants-") as made:
        folder = Path(made)
        codes = lay_out(folder, part)
        chosen = sample(codes, options.sample, options.seed)
        try:
            found = run(folder, part, chosen, until=until, workers=options.workers)
        except RuntimeError as error:
            sys.stdout.write(f"{error}\nmutants: none was run, since the tests fail without one\n")
            return 1
        lived = [name for name, end in found.items() if end == NOT_HERE]
        found |= run_again(folder, part, lived, options.workers)
        return told(part, codes, found, is_whole=options.sample is None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
