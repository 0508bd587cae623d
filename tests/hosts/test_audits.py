"""The auditor, run on applications from PyPI that were not made for it, bare and behind uvicorn.

What they are known to store was observed and written down by people; the list is no part of the
project, and where it is absent its tests are skipped.
"""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.types import ASGIApp

from consentkit.audit.browser import BrowserWitness
from consentkit.audit.chromium import find_chromium
from consentkit.audit.drafts import draft_from_scan, facts_of
from consentkit.audit.findings import FindingKind, Severity, compare
from consentkit.audit.frontier import Limits
from consentkit.audit.headers import HeadersWitness
from consentkit.audit.labels import Nature, label_of
from consentkit.audit.network import http_client
from consentkit.audit.scan import Looks, Options, scan
from consentkit.audit.seen import Scan, SeenCookie, State
from consentkit.rules.policy_file import inspect_text
from tests.apps import policy
from tests.audit.chromium import OPTIONS, lending, scan_by_browser
from tests.conftest import IN_CI, NO_CHROMIUM
from tests.hosts.conftest import need
from tests.hosts.walks import Server

pytestmark = [
    pytest.mark.anyio,
    # Django says so of its own static files, which it reads with plain iterators.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators"),
    # Datasette leaves its connections to the garbage collector, which complains from 3.13 on.
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
]

OBSERVED = Path(__file__).parents[3] / "shared" / "testdata" / "real_app_cookies.csv"


def django(_folder: Path) -> AbstractContextManager[ASGIApp]:
    need("django")
    from tests.hosts import django_site

    django_site.make_tables()
    return nullcontext(django_site.site(debug=False))


@contextmanager
def admin_site(make: str) -> Iterator[ASGIApp]:
    need("sqladmin", "starlette_admin")
    from tests.hosts import admin_sites

    yield getattr(admin_sites, make)()
    while admin_sites.ENGINES:
        admin_sites.ENGINES.pop().dispose()


def sqladmin(_folder: Path) -> AbstractContextManager[ASGIApp]:
    return admin_site("sqladmin")


def starlette_admin(_folder: Path) -> AbstractContextManager[ASGIApp]:
    return admin_site("starlette_admin")


@contextmanager
def datasette(folder: Path) -> Iterator[ASGIApp]:
    need("datasette")
    from tests.hosts.datasette_site import towns

    with towns(folder) as made:
        yield made.app()


def nicegui(_folder: Path) -> AbstractContextManager[ASGIApp]:
    need("nicegui")
    from tests.hosts import nicegui_site

    return nullcontext(nicegui_site.site)


class Application(NamedTuple):
    """An application: how it is made, where a scan begins, and what else it is to look at.

    `uses` is what a policy calls it, and `told` what the list of what was observed calls it.
    `stores` are the cookies that whoever only looks gets of it, `hosts` those that its pages fetch
    from, and `by_script` what its scripts store besides.
    """

    make: Callable[[Path], AbstractContextManager[ASGIApp]]
    first: str
    pages: tuple[str, ...]
    uses: str
    told: str
    stores: frozenset[str] = frozenset()
    by_script: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()


APPLICATIONS = {
    "datasette": Application(
        datasette,
        "/",
        ("/-/messages",),
        "datasette",
        "datasette",
        frozenset({"ds_csrftoken"}),
    ),
    "django": Application(
        django,
        "/admin/login/",
        (),
        "django",
        "django admin",
        frozenset({"csrftoken"}),
        frozenset({"theme"}),
    ),
    "nicegui": Application(
        nicegui,
        "/",
        (),
        "nicegui",
        "nicegui storage.user",
        frozenset({"session"}),
        frozenset({"__nicegui_tab_closed", "__nicegui_tab_id"}),
    ),
    "sqladmin": Application(
        sqladmin, "/admin/login", (), "sqladmin", "sqladmin (starlette SessionMiddleware)"
    ),
    "starlette-admin": Application(
        starlette_admin,
        "/admin/",
        (),
        "starlette-admin",
        "starlette-admin",
        frozenset({"starlette_admin_csrftoken"}),
        frozenset({"timezone"}),
        frozenset({"rsms.me"}),
    ),
}


@pytest.fixture(params=APPLICATIONS)
def application(request: pytest.FixtureRequest) -> Application:
    return APPLICATIONS[request.param]


@pytest.fixture
def url(application: Application, tmp_path: Path) -> Iterator[str]:
    """Where the application's first page is, by itself: nothing of ours is around it."""
    with application.make(tmp_path) as app, Server(app) as server:
        yield f"http://{server.address}"


async def scan_by_headers(url: str, application: Application) -> Scan:
    async with http_client() as send:

        async def look() -> Looks:
            return HeadersWitness(send)

        pages = [url + page for page in application.pages]
        return await scan(url + application.first, look, Options(), send=send, pages=pages)


def cookies(seen: Scan) -> list[SeenCookie]:
    return [cookie for visit in seen.visits for cookie in visit.cookies]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Django and NiceGUI run on asyncio alone, and so does Playwright."""
    return "asyncio"


@pytest.fixture(scope="module")
async def chromium(anyio_backend: str) -> AsyncIterator[BrowserWitness]:
    """Who starts the one Chromium of these tests, and ends it."""
    async with lending() as lender:
        yield lender


async def test_what_it_stores_is_seen_and_nothing_is_called_a_tracker(
    url: str, application: Application
) -> None:
    """Without a policy names alone speak, and what these applications store tracks nobody."""
    seen = await scan_by_headers(url, application)
    assert {visit.state for visit in seen.visits} == {State.UNTOUCHED, State.SIGNAL}
    assert not any(visit.error for visit in seen.visits)
    assert all(visit.banner is None for visit in seen.visits)
    assert {cookie.name for cookie in cookies(seen)} == application.stores
    assert [one for one in compare(None, seen) if one.severity is not Severity.NOTE] == []


async def test_a_draft_from_the_scan_covers_all_that_was_seen(
    url: str, application: Application
) -> None:
    """What nobody has sorted yet waits for an answer, so that it comes too early; no more."""
    seen = await scan_by_headers(url, application)
    drafted = inspect_text(draft_from_scan(seen, facts_of(seen)).text)
    assert drafted.policy is not None
    left = {finding.kind for finding in compare(drafted.policy, seen)}
    early = {FindingKind.BEFORE_ANSWER, FindingKind.THIRD_PARTY_EARLY}
    assert left <= {*early, FindingKind.AGAINST_SIGNAL}


async def test_with_one_word_in_the_policy_no_cookie_is_found(
    url: str, application: Application
) -> None:
    """`uses` declares what an application stores; the control is a policy without it.

    The hosts of others that its pages fetch from are nobody's but the site's to declare.
    """
    seen = await scan_by_headers(url, application)
    hosts = {f"undeclared:host:{name}" for name in application.hosts}
    used = {finding.key for finding in compare(policy(uses=[application.uses]), seen)}
    assert used == hosts
    bare = {finding.key for finding in compare(policy(), seen)}
    assert bare == hosts | {f"undeclared:cookie:{name}" for name in application.stores}


async def test_a_browser_sees_what_scripts_of_it_store(
    url: str, application: Application, chromium: BrowserWitness
) -> None:
    """As before, and what no header tells of: still nothing of it is taken for a tracker."""
    options = Options((State.UNTOUCHED,), Limits(pages=2), workers=1)
    seen = await scan_by_browser(chromium, url + application.first, options, application.pages)
    assert not any(visit.error for visit in seen.visits)
    items = {item.key for visit in seen.visits for item in visit.items}
    hosts = {request.host for visit in seen.visits for request in visit.requests}
    names = {cookie.name for cookie in cookies(seen)}
    assert names | items == application.stores | application.by_script
    assert hosts == application.hosts
    assert [one for one in compare(None, seen) if one.severity is not Severity.NOTE] == []


def rows() -> list[dict[str, str]]:
    if not OBSERVED.exists():
        return []
    with OBSERVED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


NOT_THERE = f"needs {OBSERVED.name}, which is no part of the project"
ROWS = [pytest.param(row, id=f"{row['app']}-{row['cookie_name']}") for row in rows()]


@pytest.mark.parametrize(
    "row", ROWS or [pytest.param({}, marks=pytest.mark.skip(reason=NOT_THERE), id="none")]
)
def test_a_cookie_that_an_application_needs_is_no_tracker(row: dict[str, str]) -> None:
    """To whoever reads a report a wrong name on a log-in is noise, and noise hides what counts."""
    label = label_of(row["cookie_name"], where="cookie", http_only=row["httponly"] == "1")
    assert label.nature is not Nature.TRACKING
    if row["category_truth"] != "necessary":
        assert label.nature is not Nature.NECESSARY


@pytest.mark.skipif(not ROWS, reason=NOT_THERE)
def test_what_was_observed_is_known_here(application: Application) -> None:
    """The two lists agree: whoever looks gets what was observed on a GET."""
    observed = {
        row["cookie_name"]
        for row in rows()
        if row["app"] == application.told and row["when_set"].startswith("GET")
    }
    assert observed == application.stores


# The report in the documentation

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "what-the-audit-finds.md"
BLOCKS = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
NEW_EACH_TIME = re.compile(
    r"(?<=127\.0\.0\.1:)\d+|(?<=%3A)\d+|\d{4}-\d\d-\d\d|\d+ s$", re.MULTILINE
)


def test_the_report_in_the_documentation_is_the_one_that_is_printed(tmp_path: Path) -> None:
    """A page that shows what a program says must show what it says today."""
    if find_chromium() is None:
        pytest.fail(NO_CHROMIUM) if IN_CI else pytest.skip(NO_CHROMIUM)
    blocks = dict(BLOCKS.findall(PAGE.read_text("utf-8")))
    (tmp_path / "consent.yaml").write_text(blocks["yaml"], "utf-8")
    arguments = shlex.split(blocks["console"].removeprefix("$ consentkit "))
    with starlette_admin(tmp_path) as app, Server(app) as server:
        there = [each.replace("127.0.0.1:8000", server.address) for each in arguments]
        start = "from consentkit.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", start, *there, "--host-rules", OPTIONS.host_rules],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    assert lines(done.stdout) == lines(blocks["text"])


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in NEW_EACH_TIME.sub("…", text).strip().split("\n")]
