"""What says of the tests whether they are good enough has to be good enough itself."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutants.check import LISTED, PARTS, ROOT, listed, sample, table, whole
from tests.mutants.forks import NOT_HERE
from tests.mutants.making import change_of, mutants_of
from tests.mutants.switch import Switch

SOURCE = """
def is_older(age, limit):
    return age > limit


def doubled(number):
    return number * 2


def unheard(number):
    return number + 1


def counted(most):
    count = 0
    while count < most:
        count += 1
    return count


class Box:
    @classmethod
    def of(cls, size):
        return cls(), size + 1


FOUR = doubled(2)
"""
TESTS = """
from aged import FOUR, Box, counted, doubled, is_older

def test_older():
    assert is_older(3, 1)

def test_younger():
    assert not is_older(1, 3)

def test_four():
    assert FOUR == 4

def test_box():
    assert Box.of(1)[1] == 2

def test_counted():
    assert counted(3) == 3
"""


@pytest.fixture
def laid_out(tmp_path: Path) -> Path:
    """A module with all its mutants, and its tests."""
    file = tmp_path / "aged.py"
    file.write_text(SOURCE, "utf-8")
    file.write_text(mutants_of(file, "aged").code, "utf-8")
    (tmp_path / "test_aged.py").write_text(TESTS, "utf-8")
    return tmp_path


def changed_in(folder: Path, name: str) -> tuple[str, ...]:
    return change_of(name, (folder / "aged.py").read_text("utf-8")).lines


def names_in(folder: Path) -> tuple[str, ...]:
    file = folder / "original.py"
    file.write_text(SOURCE, "utf-8")
    names = mutants_of(file, "aged").names
    file.unlink()
    return names


def ends_of(folder: Path, names: list[str], seconds: float = 600) -> dict[str, int]:
    """How the tests of these mutants end, in forks of a real pytest."""
    asked, verdicts = folder / "asked.json", folder / "verdicts.jsonl"
    question = {
        "names": names,
        "workers": 2,
        "until": time.time() + seconds,
        "verdicts": str(verdicts),
    }
    asked.write_text(json.dumps(question), "utf-8")
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tests.mutants.forks"),
            *("-p", "no:cacheprovider", f"--rootdir={folder}", "test_aged.py"),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "MUTANTS": str(asked)},
        check=True,
        capture_output=True,
    )
    return dict(json.loads(line) for line in verdicts.read_text("utf-8").splitlines())


def test_a_mutant_that_a_test_notices_fails_and_another_does_not(laid_out: Path) -> None:
    names = names_in(laid_out)
    ends = ends_of(laid_out, [*names, "aged.x_is_older__mutmut_orig"])
    assert ends.keys() == {*names, "aged.x_is_older__mutmut_orig"}
    assert ends["aged.x_is_older__mutmut_orig"] == 0  # the control: nothing is changed in it
    by_change = {changed_in(laid_out, name): ends[name] for name in names}
    no_test_tells = ("- return age > limit", "+ return age >= limit")
    assert by_change[no_test_tells] == 0
    assert by_change["- return cls(), size + 1", "+ return cls(), size - 1"] == 1
    assert by_change["- return cls(), size + 1", "+ return cls(), size + 2"] == 1
    assert by_change["- return number + 1", "+ return number - 1"] == NOT_HERE  # no test calls it
    # What ran as the module was imported is not run anew in a fork.
    assert by_change["- return number * 2", "+ return number / 2"] == NOT_HERE
    endless = by_change["- count += 1", "+ count -= 1"], by_change["- count += 1", "+ count = 1"]
    assert all(end < 0 for end in endless)  # the system ended them


def test_none_is_begun_when_the_time_is_up(laid_out: Path) -> None:
    names = [*names_in(laid_out)[:2]]
    assert ends_of(laid_out, names, seconds=-1) == {}
    assert ends_of(laid_out, names).keys() == {*names}  # the control


def loaded(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("aged", folder / "aged.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_mutant_that_is_on_is_called_and_no_other(
    laid_out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged = loaded(laid_out)
    monkeypatch.setattr(Switch, "called", None)
    for name in ("", "aged.x_unheard__mutmut_orig", "elsewhere.x_unheard__mutmut_1"):
        monkeypatch.setattr(Switch, "on", name)
        assert (aged.is_older(2, 2), aged.Box.of(1)[1], aged.unheard(1)) == (False, 2, 2)
    for name in names_in(laid_out):
        monkeypatch.setattr(Switch, "on", name)
        if changed_in(laid_out, name) == ("- return number + 1", "+ return number - 1"):
            assert (aged.is_older(2, 2), aged.Box.of(1)[1], aged.unheard(1)) == (False, 2, 0)
        if changed_in(laid_out, name) == ("- return age > limit", "+ return age >= limit"):
            assert (aged.is_older(2, 2), aged.Box.of(1)[1], aged.unheard(1)) == (True, 2, 2)


def test_every_module_of_the_rules_is_in_one_part() -> None:
    modules = [module for part in PARTS.values() for module in part.modules]
    assert sorted(modules) == list(whole().modules)
    assert len(set(modules)) == len(modules)
    rules = {f"rules/{file.stem}" for file in (ROOT / "src/consentkit/rules").glob("*.py")}
    assert {*modules} == {*rules, "wire/cookies"} - {"rules/__init__"}
    assert all((ROOT / "tests" / f"{test}.py").exists() for test in whole().tests)


def test_each_listed_survivor_has_a_reason_and_stands_once() -> None:
    text = LISTED.read_text("utf-8")
    entries = text.partition("## The list\n")[2].split("\n### ")[1:]
    assert len(listed(text)) == len(entries) > 10
    assert all(entry.rpartition("```")[2].strip() for entry in entries)


def test_the_page_lists_lines_that_are_there() -> None:
    """A reason for a line that nobody wrote any more would excuse another mutant some day."""
    missing = []
    for function, lines in listed(LISTED.read_text("utf-8")):
        file = ROOT / "src" / Path(*function.split(".")[:3]).with_suffix(".py")
        source = {line.strip() for line in file.read_text("utf-8").splitlines()}
        missing += [line for line in lines if line[0] == "-" and line[2:] not in source]
    assert missing == []


def test_a_seed_draws_the_same_and_another_draws_others() -> None:
    names = [str(number) for number in range(1000)]
    assert sample(names, 50, "a") == sample(reversed(names), 50, "a") != sample(names, 50, "b")
    assert len(set(sample(names, 50, "a"))) == 50
    assert sorted(sample(names, None, "a")) == sorted(names)


def test_the_table_counts_what_was_run() -> None:
    part = PARTS["advice"]
    codes = [f"consentkit.rules.texts.x_a__mutmut_{number}" for number in range(9)]
    found = dict(zip(codes, [0, 0, 1, 1, 1, -24], strict=False))
    rows = {
        row.split()[0]: row.split()[1:]
        for row in table(part, codes, found, frozenset(codes[:1])).split("\n")
    }
    assert rows["module"] == ["mutants", "run", "killed", "listed", "alive"]
    assert rows["rules/texts"] == rows["together"] == ["9", "6", "4", "1", "1"]
    assert rows["rules/lints"] == ["0"] * 5
