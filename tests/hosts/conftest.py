"""Frameworks and applications that are in the group `hosts`; without it their tests are skipped."""

from importlib.util import find_spec

import pytest

from tests.conftest import IN_CI

collect_ignore_glob = ["*_site.py", "*_sites.py"]  # imported by the tests that have the packages


@pytest.fixture
def anyio_backend() -> str:
    """Django, Quart and NiceGUI run on asyncio alone; trio has the rest of the suite."""
    return "asyncio"


def need(*packages: str) -> None:
    """Skip the test if a package is missing; in CI nothing is."""
    missing = [package for package in packages if find_spec(package) is None]
    reason = f"needs {', '.join(missing)}: install the dependency group 'hosts'"
    if missing and IN_CI:
        pytest.fail(reason)
    if missing:
        pytest.skip(reason)
