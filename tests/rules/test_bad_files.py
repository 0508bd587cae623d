"""Every file in tests/policies/bad has what its author reads beside it, word for word.

Those in tests/policies/against are compared with the policy that was there before, `.old.yaml`.

Where a wording changes, write the expectations anew, from the project's folder::

    PYTHONPATH=src python -m tests.rules.test_bad_files --write

and read the difference as a stranger would: where, what, what to do. The same texts are printed on
the page of the docs that shows every fault.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from consentkit.errors import PolicyError
from consentkit.notice.text import LANGUAGES
from consentkit.rules.policy_file import Inspection, inspect_policy, inspect_text, load_policy
from consentkit.rules.yaml_text import LARGEST
from consentkit.shell.reports import checked

ROOT = Path(__file__).parents[2]
BAD = ROOT / "tests" / "policies" / "bad"
AGAINST = ROOT / "tests" / "policies" / "against"
OLD = ".old.yaml"
LEAST_FILES = 85


def files(folder: Path) -> list[Path]:
    """The faulty files; what stands in folders inside is extended by them."""
    return sorted(path for path in folder.glob("*.yaml") if not path.name.endswith(OLD))


def inspected(file: Path) -> Inspection:
    """The inspection of a file from its own folder, so that it has its bare name in faults."""
    here = Path.cwd()
    os.chdir(file.parent)
    try:
        return inspect_policy(file.name, spoken=LANGUAGES)
    finally:
        os.chdir(here)


def told_of(file: Path) -> str:
    """What the author of a file reads: its faults and warnings, in the order of the file."""
    before = file.with_suffix(OLD)
    result = checked(inspected(file), load_policy(before) if before.exists() else None)
    found = sorted((*result.faults, *result.warnings))
    return "".join(f"{fault}\n" for fault in found)


def misjudged(folder: Path) -> list[str]:
    """The names of the bad files that give another text than the one beside them, or have none."""
    return [
        file.stem
        for file in files(folder)
        if not (beside := file.with_suffix(".txt")).exists()
        or beside.read_text("utf-8") != told_of(file)
    ]


def write(folder: Path) -> list[str]:
    """Write what is misjudged anew; the names of it."""
    names = misjudged(folder)
    for name in names:
        (folder / f"{name}.txt").write_text(told_of(folder / f"{name}.yaml"), "utf-8")
    return names


def every_file(*folders: Path) -> pytest.MarkDecorator:
    paths = [path for folder in folders or (BAD,) for path in files(folder)]
    return pytest.mark.parametrize("file", paths, ids=lambda file: file.stem)


@every_file(BAD, AGAINST)
def test_a_bad_file_gives_exactly_its_message(file: Path) -> None:
    """Wording is part of what is promised: who changes it sees each place where it is read."""
    assert told_of(file) == file.with_suffix(".txt").read_text("utf-8")


def test_there_are_many_and_each_has_its_message() -> None:
    """A message without a file is one that nobody can meet any more."""
    assert len(files(BAD)) >= LEAST_FILES
    for folder in (BAD, AGAINST):
        there = {path.name for path in folder.iterdir() if path.is_file()}
        names = [file.stem for file in files(folder)]
        expected = {f"{name}{suffix}" for name in names for suffix in (".yaml", ".txt")}
        assert there - {f"{name}{OLD}" for name in names} == expected


@every_file(AGAINST)
def test_what_is_compared_holds_by_itself(file: Path) -> None:
    """Otherwise the message would be of the file, and not of what changed in it."""
    assert load_policy(file) != load_policy(file.with_suffix(OLD))


@every_file()
def test_what_is_told_is_what_stops_a_start(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The faults are what PolicyError says; a file that has warnings alone is a policy."""
    monkeypatch.chdir(BAD)
    inspection = inspected(file)
    assert inspection.faults or inspection.warnings
    if not inspection.faults:
        assert load_policy(file.name) == inspection.policy
        return
    assert inspection.policy is None
    with pytest.raises(PolicyError) as caught:
        load_policy(file.name)
    assert str(caught.value) == "\n".join(map(str, inspection.faults))


@every_file()
def test_every_message_says_where_what_and_what_to_do(file: Path) -> None:
    """A place that is in the file, unless it is the whole file; a sentence; and a cure, always."""
    inspection = inspected(file)
    for fault in (*inspection.faults, *inspection.warnings):
        assert fault.what.endswith(".")
        assert fault.cure.endswith((".", "?", ":"))
        if fault.line:
            text = (BAD / fault.file).read_text("utf-8", "replace")
            (line,) = text.removeprefix("\ufeff").splitlines()[fault.line - 1 :][:1] or [""]
            assert 1 <= fault.column <= len(line) + 1


@every_file()
def test_a_text_is_inspected_as_a_file_is(file: Path) -> None:
    """An editor has no file yet; what names another file needs a folder, and says so."""
    source = file.read_bytes()
    from_text = inspect_text(source, file.name, spoken=LANGUAGES)
    if b"extends:" in source:
        assert any("'extends'" in fault.what for fault in from_text.faults)
    elif b"templates: notices" in source:
        assert any("'templates'" in fault.what for fault in from_text.warnings)
    else:
        from_file = inspected(file)
        assert (from_text.faults, from_text.warnings) == (from_file.faults, from_file.warnings)


# What cannot stand in a folder


def test_a_file_that_is_no_policy_is_told_of(tmp_path: Path) -> None:
    """Too large, a folder, or not there: each with its own cure."""
    large = tmp_path / "large.yaml"
    large.write_bytes(b"# a long story\n" * (10 * LARGEST // 15))
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    assert told_of(large) == (
        "large.yaml: the file is larger than 1 MiB.\n"
        "    A few hundred lines are usual: is it the right file?\n"
    )
    assert told_of(folder) == (
        "folder.yaml: this is a directory.\n    Name the policy file in it.\n"
    )
    assert told_of(tmp_path / "nowhere.yaml") == (
        "nowhere.yaml: there is no such file.\n"
        "    Check the path; it counts from where you start.\n"
    )


def test_a_file_that_may_not_be_read_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the system's refusal is played where a test runs as root."""
    file = tmp_path / "secret.yaml"
    file.write_text("mode: explicit\n")
    file.chmod(0)
    if os.access(file, os.R_OK):

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    assert told_of(file) == (
        "secret.yaml: this file may not be read.\n    Let the user who runs the site read it.\n"
    )


# The probe is alive


def test_a_wrong_expectation_is_found_and_written_anew(tmp_path: Path) -> None:
    """The control: another word, and a missing file, are seen; what was right stays untouched."""
    folder = tmp_path / "bad"
    shutil.copytree(BAD, folder)
    assert misjudged(folder) == []
    (folder / "tabs.txt").write_text("tabs.yaml:4:1: all is well.\n")
    (folder / "empty.txt").unlink()
    assert misjudged(folder) == ["empty", "tabs"]
    assert write(folder) == ["empty", "tabs"]
    assert write(folder) == misjudged(folder) == []


def test_the_expectations_can_be_written_by_hand() -> None:
    """The command in this module's docstring runs, and has nothing to do."""
    assert misjudged(BAD) == misjudged(AGAINST) == []
    command = [sys.executable, "-m", "tests.rules.test_bad_files", "--write"]
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, check=True, capture_output=True
    )
    assert (ran.stdout, ran.stderr) == (b"", b"")


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    for name in (*write(BAD), *write(AGAINST)):
        sys.stdout.write(f"{name}.txt\n")
