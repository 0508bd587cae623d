"""Files out of npm's packages, to be served to a browser by a test's own server.

Has never heard of what is in them. `scripts/setup` keeps the packages beside the environment; what
is not there is fetched for the session, and where that cannot be the test is skipped.
"""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import IN_CI

KEPT = Path(__file__).parents[2] / ".venv" / "npm"
NO_NPM = "{package} {version} is not in .venv/npm and did not come from npm: run scripts/setup"


class Packed(NamedTuple):
    """One file of a package: `file` is its path inside."""

    package: str
    version: str
    file: str


def packages_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where packages are: what `scripts/setup` made, else a folder for this session."""
    return KEPT if KEPT.exists() else tmp_path_factory.mktemp("npm")


def read_packed(folder: Path, which: Packed) -> str:
    """The text of a file; its package is fetched into the folder if it is not there yet."""
    packed = folder / f"{which.package.lstrip('@').replace('/', '-')}-{which.version}.tgz"
    if not packed.exists() and not _fetch(folder, which):
        (pytest.fail if IN_CI else pytest.skip)(
            NO_NPM.format(package=which.package, version=which.version)
        )
    run = subprocess.run(
        ["tar", "-xzOf", packed, f"package/{which.file}"], check=True, capture_output=True
    )
    return run.stdout.decode()


def _fetch(folder: Path, which: Packed) -> bool:
    """Whether npm brought the package."""
    if shutil.which("npm") is None:
        return False
    run = subprocess.run(
        ["npm", "pack", "--silent", f"{which.package}@{which.version}"],
        cwd=folder,
        check=False,
        capture_output=True,
        timeout=120,
    )
    return run.returncode == 0
