"""The auditor, run on a site with one fault at a time: it finds each, and nothing else.

The table is the example's own (`examples.town_library.faults.FAULTS`). Everything is real: the site
behind uvicorn, the third parties behind another, pages asked for over a socket.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.types import ASGIApp

from consentkit import Policy, load_policy
from consentkit.audit.browser import BrowserWitness
from consentkit.audit.findings import FindingKind, compare
from consentkit.audit.headers import HeadersWitness
from consentkit.audit.network import HostRules, http_client
from consentkit.audit.scan import Looks, Options, scan
from consentkit.audit.seen import Scan, State
from consentkit.testing import audit_app
from examples.missouri_secretary_of_state.app import create_app as missouri
from examples.staffordshire_police.app import create_app as staffordshire
from examples.third_parties import ThirdParties
from examples.town_library.app import create_app
from examples.town_library.faults import FAULTS, policy_file
from tests.audit.chromium import lending, scan_by_browser
from tests.browser.servers import Server

pytestmark = pytest.mark.anyio

HOST = "library.localhost"
RULES = HostRules("MAP *.localhost 127.0.0.1")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Playwright runs on asyncio alone; trio has the tests of the scan itself."""
    return "asyncio"


@pytest.fixture(scope="module")
def third_parties() -> Iterator[str]:
    """Where the third parties are, with ``{}`` for the name of each."""
    with Server(ThirdParties()) as server:
        yield f"http://{{}}.localhost:{server.port}"


@contextmanager
def library(*faults: str, third_parties: str) -> Iterator[str]:
    """The address of the library's first page, with these faults."""
    app = create_app(*faults, third_parties=third_parties, secure=False)
    with serving(app, HOST) as url:
        yield url


@contextmanager
def serving(app: ASGIApp, host: str) -> Iterator[str]:
    """The address of an app's first page."""
    server = Server(app)
    with server:
        yield f"{server.origin(host)}/"


def found(policy: Policy, seen: Scan) -> set[str]:
    """The findings' keys; third parties are told by the names that the table has for them."""
    assert not any(visit.error for visit in seen.visits)
    return {finding.key.replace(".localhost", ".example") for finding in compare(policy, seen)}


# By headers: every page, in every state


async def scan_by_headers(url: str, options: Options | None = None) -> Scan:
    async with http_client(rules=RULES) as send:

        async def look() -> Looks:
            return HeadersWitness(send)

        return await scan(url, look, options, send=send)


@pytest.mark.parametrize("fault", FAULTS)
async def test_headers_alone_find_what_they_can_and_nothing_else(
    fault: str, third_parties: str
) -> None:
    """One fault is on, and the report has what the table says, whole; what scripts do is unseen."""
    with library(fault, third_parties=third_parties) as url:
        seen = await scan_by_headers(url)
    assert found(load_policy(policy_file(fault)), seen) == FAULTS[fault].found_by_headers


# By a browser: the pages and the states in which the fault is

EVERYTHING = ("/", "/books", "/log-in")
"""Pages on which all that the policy declares is seen, where everything is granted."""
WHERE: dict[str, tuple[tuple[State, ...], tuple[str, ...]]] = {
    "after-refusal": ((State.REFUSED, State.WITHDRAWN), ("/",)),
    "after-refusal-by-script": ((State.REFUSED, State.WITHDRAWN), ("/",)),
    "after-refusal-loaded": ((State.REFUSED, State.WITHDRAWN), ("/",)),
    "still-sent": ((State.WITHDRAWN,), ("/",)),
    "against-signal": ((State.SIGNAL,), ("/",)),
    "against-signal-loaded": ((State.SIGNAL,), ("/",)),
    "lives-longer": ((State.GRANTED,), EVERYTHING),
    "lives-longer-by-script": ((State.GRANTED,), EVERYTHING),
    "session-that-stays": ((State.UNTOUCHED,), ("/log-in",)),
    "poll-on-view": ((State.GRANTED,), (*EVERYTHING, "/poll")),
    "no-http-only": ((State.UNTOUCHED,), ("/log-in",)),
    "no-same-site": ((State.UNTOUCHED,), ("/log-in",)),
    "no-secure": ((State.UNTOUCHED,), ("/log-in",)),
    "never-seen": ((State.GRANTED,), EVERYTHING),
    "no-banner-on-a-page": ((State.UNTOUCHED,), ("/", "/hours")),
    "no-reject": ((State.UNTOUCHED, State.REFUSED, State.GRANTED), EVERYTHING),
    "no-withdrawal": ((State.GRANTED, State.WITHDRAWN), EVERYTHING),
    "table-differs": ((State.REFUSED,), ("/",)),
}
"""Where a fault shows; where it is not said, on the first page before any answer."""


@pytest.fixture(scope="module")
async def chromium(anyio_backend: str) -> AsyncIterator[BrowserWitness]:
    """Who starts the one Chromium of these tests, and ends it."""
    async with lending() as lender:
        yield lender


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_browser_finds_the_fault_and_nothing_else(
    fault: str, third_parties: str, chromium: BrowserWitness
) -> None:
    """One fault is on, and the report of the pages where it is has what the table says, whole."""
    states, pages = WHERE.get(fault, ((State.UNTOUCHED,), ("/",)))
    options = Options(states, workers=1, follow=False)
    with library(fault, third_parties=third_parties) as url:
        seen = await scan_by_browser(chromium, url, options, pages)
    assert found(load_policy(policy_file(fault)), seen) == FAULTS[fault].found


async def test_a_browser_finds_nothing_on_the_good_library(
    third_parties: str, chromium: BrowserWitness
) -> None:
    """The control: all that the policy declares was seen, in every state, on every page."""
    with library(third_parties=third_parties) as url:
        seen = await scan_by_browser(chromium, url)
    assert {visit.state for visit in seen.visits} == {*State}
    assert {visit.page for visit in seen.visits} >= {"/", "/books", "/hours", "/log-in", "/poll"}
    stored = {cookie.name for visit in seen.visits for cookie in visit.cookies}
    assert stored >= {"library_session", "visits", "pages_read", "_ga", "_ga_TEST", "viewer"}
    assert {item.key for visit in seen.visits for item in visit.items} == {"shelf"}
    assert found(load_policy(policy_file()), seen) == set()


# The good sites


def quickstart() -> ASGIApp:
    with chdir(EXAMPLES / "quickstart"):
        from examples.quickstart import app
    return app.app


class Good(NamedTuple):
    """A site of the examples without a fault: how it is made, and some of its pages."""

    make: Callable[[str], ASGIApp]
    policy: Path
    pages: tuple[str, ...]


EXAMPLES = Path(__file__).parents[2] / "examples"
GOOD = {
    "quickstart": Good(lambda _: quickstart(), EXAMPLES / "quickstart" / "consent.yaml", ("/",)),
    "missouri": Good(
        lambda _: missouri(secure=False),
        EXAMPLES / "missouri_secretary_of_state" / "consent.yaml",
        ("/", "/privacy-policy", "/filings/", "/forms/"),
    ),
    "staffordshire": Good(
        lambda others: staffordshire(third_parties=others, secure=False),
        EXAMPLES / "staffordshire_police" / "consent.yaml",
        ("/", "/news", "/polls/17"),
    ),
    "library": Good(
        lambda others: create_app(third_parties=others, secure=False),
        policy_file(),
        ("/", "/books", "/hours", "/log-in", "/poll", "/cookies"),
    ),
}


@pytest.fixture(params=GOOD)
def good(request: pytest.FixtureRequest) -> Good:
    return GOOD[request.param]


async def test_headers_alone_find_nothing_on_a_good_site(good: Good, third_parties: str) -> None:
    """Every page is followed in every state that can be come to, and nothing differs."""
    with serving(good.make(third_parties), HOST) as url:
        seen = await scan_by_headers(url)
    assert {visit.page for visit in seen.visits} >= {*good.pages}
    asks = any(visit.banner is not None for visit in seen.visits)
    reached = {*State} if asks else {State.UNTOUCHED, State.SIGNAL}
    assert {visit.state for visit in seen.visits} == reached
    assert found(load_policy(good.policy), seen) == set()


def test_audit_app_finds_nothing_on_a_good_site(good: Good, third_parties: str) -> None:
    """One line in a site's own suite: in process, in every state, not so much as a note."""
    report = audit_app(good.make(third_parties), fail_on="note")
    assert {visit.page for visit in report.scan.visits} >= {*good.pages}
    assert report.findings == ()


def test_audit_app_tells_of_a_fault() -> None:
    """The control: it fails, and says by what."""
    with pytest.raises(AssertionError, match="lb_pool"):
        audit_app(create_app("undeclared-cookie"))


@pytest.mark.parametrize("fault", FAULTS)
def test_audit_app_finds_what_headers_can_tell_and_nothing_else(fault: str) -> None:
    """In process it is the same auditor; the site believes that it is on https."""
    report = audit_app(create_app(fault), fail_on=None)
    assert {finding.key for finding in report.findings} == FAULTS[fault].found_by_headers


def test_every_kind_of_finding_has_a_fault() -> None:
    """A kind that no site was ever seen to have is a kind that nobody tried."""
    kinds = {key.partition(":")[0] for fault in FAULTS.values() for key in fault.found}
    assert kinds == {*FindingKind}


@pytest.mark.parametrize("name", ["quickstart", "missouri", "staffordshire"])
async def test_a_browser_finds_nothing_on_a_good_site(
    name: str, third_parties: str, chromium: BrowserWitness
) -> None:
    """What scripts, frames and buttons do is looked at as well; the library has its own test."""
    good, options = GOOD[name], Options(follow=False)
    with serving(good.make(third_parties), HOST) as url:
        seen = await scan_by_browser(chromium, url, options, good.pages)
    assert {visit.page for visit in seen.visits} == {*good.pages}
    assert found(load_policy(good.policy), seen) == set()
