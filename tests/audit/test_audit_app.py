import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from consentkit import ConsentMiddleware, Policy, load_policy
from consentkit.audit.findings import FindingKind, Severity
from consentkit.audit.seen import State
from consentkit.errors import NoSuchVisitorError
from consentkit.rules.policy_file import policy_from
from consentkit.testing import audit_app, audit_app_async

pytestmark = pytest.mark.anyio

PLAIN: dict[str, Any] = {
    "site": {"name": "Shop", "controller": "Example Limited"},
    "mode": "explicit",
    "purposes": {"counting": {"title": "Counting", "description": "Counts visits."}},
    "cookies": {
        "visits": {
            "kind": "analytics",
            "purpose": "counting",
            "duration": "13 months",
            "description": "Counts.",
            "attributes": {"secure": True},
        }
    },
}
POLICY = policy_from(PLAIN)
MONTHS_13 = 34_128_000


def sets(cookie: str, path: str = "/") -> Route:
    async def answer(_request: Request) -> Response:
        page = HTMLResponse("<!doctype html><title>Page</title><a href=/news>News</a>")
        page.headers.append("set-cookie", f"{cookie}; Path=/; Secure")
        return page

    return Route(path, answer)


VISITS = sets(f"visits=1; Max-Age={MONTHS_13}")


def site(*routes: Route, policy: Policy = POLICY, **options: Any) -> Starlette:
    app = Starlette(routes=[*routes], lifespan=options.pop("lifespan", None))
    app.add_middleware(ConsentMiddleware, policy=policy, secret_key="x" * 40, **options)
    return app


def failure(app: Any, *args: Any, **how: Any) -> str:
    with pytest.raises(AssertionError) as failed:
        audit_app(app, *args, **how)
    return str(failed.value)


def test_a_site_that_keeps_to_its_policy_passes() -> None:
    """One line holds declared and observed together: every page, in every state."""
    report = audit_app(site(VISITS, sets("visits=2; Max-Age=60", "/news")))
    assert report.findings == ()
    seen = {(visit.page, visit.state) for visit in report.scan.visits}
    assert seen == {(page, state) for page in ("/", "/news") for state in State}
    granted = [v for v in report.scan.visits if v.state is State.GRANTED]
    assert all(visit.cookies for visit in granted)
    assert [act.clicks for act in report.scan.acts] == [1, 1, 1]


def test_a_cookie_in_no_declaration_fails() -> None:
    """R-26, R-75: what is set and not declared; the middleware holds it back only if it may."""
    told = failure(site(sets("strange=1; Max-Age=60"), report_only=True, banner=True))
    assert told.startswith("audit_app: 2 pages in 5 states; what differs:\n")
    assert "cookie 'strange' (R-26, R-75)" in told
    assert "seen: untouched, refused, granted, withdrawn, gpc, on /" in told


def test_a_cookie_before_the_answer_fails() -> None:
    """R-01: nothing optional before the visitor says yes. Enforcement is the control."""
    app = site(VISITS, report_only=True, banner=True)
    report = audit_app(app, fail_on=None)
    assert {finding.kind for finding in report.findings} == {
        FindingKind.BEFORE_ANSWER,
        FindingKind.AFTER_REFUSAL,
        FindingKind.STILL_SENT,
        FindingKind.AGAINST_SIGNAL,
    }
    assert audit_app(site(VISITS)).findings == ()


def test_the_line_of_the_policy_is_named(tmp_path: Path) -> None:
    """A failure says which line of the YAML decides it."""
    file = tmp_path / "consent.yaml"
    file.write_text(
        "site: {name: Shop, controller: Example Limited}\nmode: explicit\npurposes:\n"
        "  counting: {title: Counting, description: Counts visits.}\ncookies:\n"
        "  visits:\n    kind: analytics\n    purpose: counting\n    duration: 1 day\n"
        "    description: Counts.\n",
        "utf-8",
    )
    app = site(VISITS, policy=load_policy(file), report_only=True, banner=True)
    assert f"{file}:6: error: " in failure(app)


def test_what_fails_is_chosen() -> None:
    """An attribute that is missing is a warning: it is reported, and fails where that is asked."""
    policy = policy_from({**PLAIN, "cookies": {"visits": {**PLAIN["cookies"]["visits"]}}})
    lax = site(Route("/", plain_cookie), policy=policy, report_only=True, banner=True)
    report = audit_app(lax, states=["granted"], fail_on="error")
    assert [each.severity for each in report.findings] == [Severity.WARNING]
    assert "lacks" in failure(lax, states=[State.GRANTED], fail_on="warning")
    assert "lacks" in failure(lax, states=[State.GRANTED], fail_on=Severity.NOTE)
    assert audit_app(lax, states=["granted"], fail_on=None).findings == report.findings


async def plain_cookie(_request: Request) -> Response:
    page = HTMLResponse("<!doctype html><p>Hello")
    page.headers.append("set-cookie", f"visits=1; Max-Age={MONTHS_13}; Path=/")
    return page


def test_only_the_named_paths_are_looked_at() -> None:
    app = site(VISITS, sets("a=1", "/a"), sets("b=1", "/b?"))
    report = audit_app(app, ["/a?x=1", "/"], fail_on=None, states=["untouched"])
    assert [visit.page for visit in report.scan.visits] == ["/a?x=1", "/"]


def test_a_path_that_is_not_there_proves_nothing() -> None:
    assert "/nwes: there is no such page. Correct the path." in failure(site(VISITS), ["/nwes"])
    assert "no paths were named" in failure(site(VISITS), [])
    assert "'https://other.example/' is no path on https://testserver" in failure(
        site(VISITS), ["https://other.example/"]
    )
    assert "'mailto:x' is no path" in failure(site(VISITS), ["mailto:x"])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/broken", "/broken, untouched: it answers with 500, which proves nothing. Correct the"),
        ("/secret", "/secret, untouched: it answers with 403, which proves nothing."),
        ("/away", "/away, untouched: it answers with 307 and leads to another site, which"),
    ],
)
def test_a_named_page_that_was_not_seen_proves_nothing(path: str, said: str) -> None:
    """Also beside one that was, or alone; a redirect within the site is followed: the control."""
    app = site(
        VISITS,
        Route("/broken", lambda _: HTMLResponse("no", 500)),
        Route("/secret", lambda _: HTMLResponse("no", 403)),
        Route("/away", lambda _: RedirectResponse("https://elsewhere.example/")),
        Route("/old", lambda _: RedirectResponse("/")),
    )
    for paths in (["/", path], [path]):
        told = failure(app, paths)
        assert said in told
        assert told.count(f"{path}, ") == 1
    assert audit_app(app, ["/", "/old"]).findings == ()


def test_a_site_that_leads_elsewhere_proves_nothing() -> None:
    """Nothing of it was seen, though nobody named a path."""
    app = site(Route("/", lambda _: RedirectResponse("https://elsewhere.example/", 302)))
    told = failure(app)
    assert "/: it answers with 302 and leads to another site, and so nothing was seen." in told


def test_an_audit_in_no_state_proves_nothing() -> None:
    assert failure(site(VISITS), ["/"], states=()) == (
        "audit_app: no states were named, so this proves nothing"
    )


def test_a_site_that_answers_with_errors_proves_nothing() -> None:
    app = site(VISITS)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["shop.example"])
    told = failure(app)
    assert "/: it answers with 400, and so nothing was seen." in told
    assert "state granted: it could not be come to: /consent answered the form with 400." in told
    assert audit_app(app, url="https://shop.example/").scan.site == "https://shop.example"


def test_a_page_that_raises_is_told_and_the_others_are_looked_at() -> None:
    async def broken(_request: Request) -> Response:
        raise LookupError("no such row")

    told = failure(site(VISITS, Route("/news", broken)))
    assert "/news, untouched: it could not be looked at: LookupError: no such row." in told
    assert told.count("/news") == 1


def test_a_first_page_that_raises_is_told() -> None:
    async def broken(_request: Request) -> Response:
        raise LookupError("no such row")

    told = failure(site(Route("/", broken)))
    assert "audit_app: https://testserver/: the notice could not be answered: LookupError" in told


def test_more_than_a_screenful_is_counted() -> None:
    """A site audited for the first time has many: the first twenty are told."""
    routes = [
        sets(f"strange{'ab'[n % 2]}{'cdefghijklmnopq'[n // 2]}=1", f"/{n}") for n in range(30)
    ]
    app = site(*routes, report_only=True, banner=True)
    told = failure(app, [f"/{n}" for n in range(30)], states=["untouched"])
    assert told.endswith("and 10 more")


def test_pages_are_named_three_and_counted() -> None:
    app = site(
        *(sets("odd=1; Max-Age=9", f"/{n}") for n in range(5)), report_only=True, banner=True
    )
    told = failure(app, [f"/{n}" for n in range(5)], states=["untouched"])
    assert "on /0, /1, /2 and 2 more" in told


# What is held against what


def bare(*cookies: str) -> Callable[..., Any]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        page = HTMLResponse("<!doctype html><p>Hello")
        for cookie in cookies:
            page.headers.append("set-cookie", cookie)
        await page(scope, receive, send)

    return app


def test_a_site_without_the_middleware_is_held_against_a_policy_that_is_named() -> None:
    """Before consentkit is there: what can be seen without an answer is seen."""
    report = audit_app(bare(), policy=POLICY)
    assert {visit.state for visit in report.scan.visits} == {State.UNTOUCHED, State.SIGNAL}
    assert [act.clicks for act in report.scan.acts] == [None, None, None]
    assert "visits" in failure(bare("visits=1; Path=/; Secure; Max-Age=60"), policy=POLICY)
    with pytest.raises(NoSuchVisitorError, match="no ConsentMiddleware was found"):
        audit_app(bare())


def test_a_policy_that_is_named_wins() -> None:
    other = policy_from({**PLAIN, "cookies": {}})
    told = failure(site(VISITS, report_only=True, banner=True), policy=other)
    assert "In no declaration: cookie 'visits'" in told


def test_where_the_site_is_follows_from_the_middleware() -> None:
    assert audit_app(site(VISITS)).scan.site == "https://testserver"
    plain = site(Route("/", lambda _: HTMLResponse("x")), secure=False)
    assert audit_app(plain).scan.site == "http://testserver"


def test_a_site_of_json_is_audited_too() -> None:
    """An API sets cookies as well; no notice belongs into it, and the answers are posted."""

    async def data(_request: Request) -> Response:
        answer = JSONResponse({"a": 1})
        answer.headers.append("set-cookie", f"visits=1; Max-Age={MONTHS_13}; Path=/; Secure")
        return answer

    report = audit_app(site(Route("/api", data)), ["/api"])
    assert report.findings == ()
    assert [act.how for act in report.scan.acts] == ["posted without a button"] * 3
    granted = [visit for visit in report.scan.visits if visit.state is State.GRANTED]
    assert [cookie.name for cookie in granted[0].cookies] == ["visits"]


# How the app is called


def test_the_lifespan_is_run() -> None:
    """What a site opens at its start is open, and is closed again."""
    told: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        told.append("start")
        yield
        told.append("end")

    async def home(_request: Request) -> Response:
        told.append("page")
        return HTMLResponse("x")

    audit_app(site(Route("/", home), lifespan=lifespan), states=["untouched"])
    assert told == ["start", "page", "end"]


def test_a_lifespan_that_fails_is_told() -> None:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        raise LookupError("no database")
        yield

    assert "the app's lifespan.startup.failed" in failure(site(VISITS, lifespan=lifespan))

    @asynccontextmanager
    async def ends_badly(_app: Starlette) -> AsyncIterator[None]:
        yield
        raise LookupError("cannot close")

    assert "the app's lifespan.shutdown.failed" in failure(site(VISITS, lifespan=ends_badly))


def test_an_app_that_knows_no_lifespan_is_called_without() -> None:
    """ASGI, lifespan 2.0: whoever raises has none. One that raises later has failed."""

    async def none(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError
        await bare()(scope, receive, send)

    audit_app(ConsentMiddleware(none, policy=POLICY, secret_key="x" * 40))

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            raise LookupError("at the end")
        await bare()(scope, receive, send)

    with pytest.raises(LookupError, match="at the end"):
        audit_app(ConsentMiddleware(late, policy=POLICY, secret_key="x" * 40))


def test_it_may_be_called_where_a_loop_is_running() -> None:
    """A suite of async tests calls sync helpers, too."""

    async def inside() -> int:
        return len(audit_app(site(VISITS), ["/"]).scan.visits)

    assert asyncio.run(inside()) == 5


async def test_it_may_be_awaited() -> None:
    """Under asyncio and trio, in the test's own loop."""
    report = await audit_app_async(site(VISITS), ["/"])
    assert len(report.scan.visits) == 5
    with pytest.raises(AssertionError, match="no such page"):
        await audit_app_async(site(VISITS), ["/none"])
