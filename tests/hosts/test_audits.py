"""The auditor, run on applications from PyPI that were not made for it, bare and behind uvicorn.

What they are known to store was observed and written down by people; the list is no part of the
project, and where it is absent its tests are skipped.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.types import ASGIApp

from consentkit.audit.findings import Severity, compare
from consentkit.audit.headers import HeadersWitness, http_client
from consentkit.audit.labels import Nature, label_of
from consentkit.audit.scan import Looks, Options, scan
from consentkit.audit.seen import Scan, SeenCookie, State
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

    `stores` are the cookies that whoever only looks gets of it; `told` is what the list of what was
    observed calls it.
    """

    make: Callable[[Path], AbstractContextManager[ASGIApp]]
    first: str
    pages: tuple[str, ...]
    stores: frozenset[str]
    told: str


APPLICATIONS = {
    "datasette": Application(
        datasette, "/", ("/-/messages",), frozenset({"ds_csrftoken"}), "datasette"
    ),
    "django": Application(
        django, "/admin/login/", (), frozenset({"csrftoken"}), "django admin"
    ),
    "nicegui": Application(nicegui, "/", (), frozenset({"session"}), "nicegui storage.user"),
    "sqladmin": Application(
        sqladmin, "/admin/login", (), frozenset(), "sqladmin (starlette SessionMiddleware)"
    ),
    "starlette-admin": Application(
        starlette_admin,
        "/admin/",
        (),
        frozenset({"starlette_admin_csrftoken"}),
        "starlette-admin",
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


def rows() -> list[dict[str, str]]:
    if not OBSERVED.exists():
        return []
    with OBSERVED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row['app']}-{row['cookie_name']}") for row in rows()]
)
def test_a_cookie_that_an_application_needs_is_no_tracker(row: dict[str, str]) -> None:
    """To whoever reads a report a wrong name on a log-in is noise, and noise hides what counts."""
    label = label_of(row["cookie_name"], where="cookie", http_only=row["httponly"] == "1")
    assert label.nature is not Nature.TRACKING
    if row["category_truth"] != "necessary":
        assert label.nature is not Nature.NECESSARY


def test_what_was_observed_is_known_here(application: Application) -> None:
    """The two lists agree: whoever looks gets what was observed on a GET."""
    if not rows():
        pytest.skip(f"needs {OBSERVED.name}, which is no part of the project")
    observed = {
        row["cookie_name"]
        for row in rows()
        if row["app"] == application.told and row["when_set"].startswith("GET")
    }
    assert observed == application.stores
