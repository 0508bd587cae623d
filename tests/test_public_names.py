import subprocess
import sys
from pathlib import Path

import pytest

import consentkit


def modules_after(code: str) -> set[str]:
    """What is imported once `code` has run in a Python of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("name", consentkit.__all__)
def test_each_public_name_is_there(name: str) -> None:
    """What `__all__` promises can be imported, and is kept once it was asked for."""
    vars(consentkit).pop(name, None)
    value = getattr(consentkit, name)
    assert vars(consentkit)[name] is value


def test_importing_the_package_imports_nothing_else() -> None:
    """The shell starts at once; the control: the middleware does need Starlette."""
    heavy = {"starlette", "pydantic", "yaml", "jinja2"}
    assert not heavy & modules_after("import consentkit")
    assert heavy <= modules_after("from consentkit import ConsentMiddleware")


def test_a_type_checker_knows_the_names_and_no_others(tmp_path: Path) -> None:
    """A misspelt import is found before the program runs."""
    for name, fits in (("load_policy", True), ("load_polcy", False)):
        file = tmp_path / f"{name}.py"
        file.write_text(f"from consentkit import {name}\n")
        command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is fits, done.stdout


def test_a_name_that_is_not_there_is_an_ordinary_error() -> None:
    """As for any other module."""
    with pytest.raises(AttributeError, match="module 'consentkit' has no attribute 'banana'"):
        getattr(consentkit, "banana")  # noqa: B009  # as a name that a type checker cannot see
    assert {*consentkit.__all__} <= {*dir(consentkit)}
