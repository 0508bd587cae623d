"""The page on other frameworks, whose blocks need packages that the rest of the suite has not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.hosts.conftest import need
from tests.test_docs import ROOT

PACKAGES = ("litestar", "quart", "django", "datasette", "sqladmin", "nicegui")
READ_IT = """
import asyncio, re, sys
from pathlib import Path

import pytest

from consentkit.testing import Browser
from tests.hosts import django_site, sites
from tests.test_docs import DOCS, read_page

text = (DOCS / "how-to" / "other-frameworks.md").read_text("utf-8")
with pytest.MonkeyPatch.context() as monkeypatch:
    monkeypatch.setenv("NICEGUI_STORAGE_PATH", str(sites.folder()))
    read_page(re.sub("<!-- not run: .*-->", "", text), sites.folder(), monkeypatch, "the page")
    made = vars(sys.modules["page_under_test"])
    page = asyncio.run(Browser(made["application"]).visit("/page"))
    assert 'id="consentkit"' in page.text
    wrapped = made["asgi_wrapper"](None)(django_site.site(debug=False))
    assert type(wrapped) is made["ConsentMiddleware"]
    print(len([name for name in made if name.startswith("test_")]), "tests ran")
"""


def test_every_block_of_the_page_runs() -> None:
    """What a reader copies works; in a process of its own, as Django and NiceGUI keep one app."""
    need(*PACKAGES)
    done = subprocess.run(
        [sys.executable, "-c", READ_IT],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "src", ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("4 tests ran\n")


@pytest.mark.anyio
async def test_litestars_own_list_stands_too_far_inside() -> None:
    """The page says so: behind the router there is no route for the endpoints."""
    need("litestar")
    from litestar import Litestar

    from consentkit.testing import Browser
    from tests.apps import consent
    from tests.hosts import litestar_site

    inside = Litestar([litestar_site.page], middleware=[consent], logging_config=None)
    assert (await Browser(inside).visit("/consent")).status == 404
    around = consent(Litestar([litestar_site.page], logging_config=None))
    assert (await Browser(around).visit("/consent")).status == 200
