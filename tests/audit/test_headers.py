from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope
from starlette.types import Send as ASGISend

from consentkit import ConsentMiddleware
from consentkit.audit import headers
from consentkit.audit.headers import MOST_REDIRECTS, HeadersWitness, shown_in
from consentkit.audit.jar import Jar
from consentkit.audit.network import Answer, http_client
from consentkit.audit.seen import Banner, SentCookie, Shape, ShownCookie, State
from consentkit.rules.policy_file import policy_from
from tests.browser.servers import Server

pytestmark = pytest.mark.anyio

SITE = "https://shop.example"
POLICY = policy_from(
    {
        "site": {"name": "Shop", "controller": "Example Limited"},
        "mode": "explicit",
        "purposes": {"counting": {"title": "Counting", "description": "Counts visits."}},
        "cookies": {
            "visits": {
                "kind": "analytics",
                "purpose": "counting",
                "duration": "13 months",
                "description": "Counts.",
            }
        },
    }
)
FOREVER = "Path=/; Max-Age=86400; SameSite=Lax"


async def page(request: Request) -> Response:
    answer = HTMLResponse("<!doctype html><title>Page</title><a href=/other>on</a>")
    answer.headers.append("set-cookie", f"visits=1; {FOREVER}")
    answer.headers.append("set-cookie", "gone=; Path=/; Max-Age=0")
    return answer


async def moved(_request: Request) -> Response:
    answer = RedirectResponse("/page", 302)
    answer.headers.append("set-cookie", "way=eyJ; Path=/way; HttpOnly")
    return answer


def shop(**options: Any) -> Starlette:
    app = Starlette(
        routes=[
            Route("/", page),
            Route("/page", page),
            Route("/moved", moved),
            Route("/away", lambda _: RedirectResponse("https://other.example/x?id=1", 302)),
            Route("/round", lambda _: RedirectResponse("/round", 302)),
            Route("/nowhere", lambda _: Response(status_code=302)),
            Route("/data", lambda _: JSONResponse({"a": '<a href="/x">'})),
        ]
    )
    app.add_middleware(ConsentMiddleware, policy=POLICY, secret_key="x" * 40, **options)
    return app


class InProcess:
    """A `Send` into an app, which notes every request."""

    def __init__(self, app: object) -> None:
        self.app = app
        self.came: list[tuple[str, str, Mapping[str, str], bytes]] = []

    async def __call__(
        self, method: str, url: str, given: Mapping[str, str], body: bytes
    ) -> Answer:
        from consentkit.testing.audits import send_into

        self.came.append((method, url, given, body))
        return await send_into(self.app)(method, url, given, body)  # type: ignore[arg-type] # an app


async def looking(
    app: object, states: tuple[State, ...] = tuple(State), **how: object
) -> tuple[HeadersWitness, InProcess]:
    send = InProcess(app)
    witness = HeadersWitness(send, **how)  # type: ignore[arg-type] # each test's own
    await witness.prepare(SITE, f"{SITE}/", states)
    return witness, send


async def test_each_state_is_come_to_by_our_own_notice() -> None:
    """The form that stands in the page is posted as the visitor's browser would (R-12, R-16)."""
    send = InProcess(shop(banner=True))
    witness = HeadersWitness(send)
    acts = await witness.prepare(SITE, f"{SITE}/", tuple(State))
    assert [(act.state, act.clicks, act.how) for act in acts] == [
        (State.REFUSED, 1, "'Reject all'"),
        (State.GRANTED, 1, "'Accept all'"),
        (State.WITHDRAWN, 1, "'Withdraw all'"),
    ]
    posts = [each for each in send.came if each[0] == "POST"]
    assert [parse_qs(body.decode())["choice"] for *_, body in posts] == [
        ["reject-all"],
        ["accept-all"],
        ["withdraw"],
    ]
    _, url, given, body = posts[0]
    assert url == f"{SITE}/consent"
    assert (given["origin"], given["sec-fetch-site"], given["sec-fetch-mode"]) == (
        SITE,
        "same-origin",
        "navigate",
    )
    assert parse_qs(body.decode())["next"] == ["/"]
    assert witness.endpoint == f"{SITE}/consent"


async def test_what_is_stored_and_sent_is_seen_in_each_state() -> None:
    """One page, in every state, each from a jar of its own."""
    witness, _ = await looking(shop())
    seen = {state: (await witness.visit(f"{SITE}/page?x=1", state))[0] for state in State}
    assert {state: [c.name for c in visit.cookies] for state, visit in seen.items()} == {
        State.UNTOUCHED: [],
        State.REFUSED: [],
        State.GRANTED: ["visits"],
        State.WITHDRAWN: [],
        State.SIGNAL: [],
    }
    token = SentCookie("__Host-consent", "shop.example")
    assert seen[State.UNTOUCHED].sent == seen[State.SIGNAL].sent == ()
    assert seen[State.GRANTED].sent == seen[State.WITHDRAWN].sent == (token,)
    visit = seen[State.UNTOUCHED]
    assert (visit.page, visit.status, visit.title, visit.error) == ("/page?x=1", 200, "Page", "")
    assert visit.banner is not None
    assert visit.banner == Banner(
        "consentkit", visit.banner.accept, visit.banner.refuse, "Choose for each purpose"
    )
    assert visit.banner.accept is not None
    assert visit.banner.accept.label == "Accept all"
    assert seen[State.REFUSED].banner is None
    (cookie,) = seen[State.GRANTED].cookies
    assert (cookie.seconds, cookie.same_site, cookie.secure, cookie.host_only) == (
        86400,
        "lax",
        False,
        True,
    )
    assert (cookie.domain, cookie.path, cookie.initiator, cookie.shape) == (
        "shop.example",
        "/",
        "shop.example/page",
        Shape.FLAG,
    )


async def test_navigations_are_a_persons_and_the_signal_is_sent() -> None:
    """Sites answer robots otherwise: what is audited is what visitors get (R-37 for the signal)."""
    witness, send = await looking(shop(), ())
    await witness.visit(f"{SITE}/page", State.SIGNAL)
    given = send.came[-1][2]
    assert (given["sec-fetch-site"], given["sec-fetch-mode"], given["sec-gpc"]) == (
        "none",
        "navigate",
        "1",
    )
    assert given["user-agent"].startswith("Mozilla/5.0")
    await witness.visit(f"{SITE}/page", State.UNTOUCHED)
    assert "sec-gpc" not in send.came[-1][2]


async def test_a_withdrawal_is_made_on_the_very_page() -> None:
    """What the page stored while it was allowed is what has to be gone afterwards (R-17)."""

    async def own(scope: Scope, receive: Receive, send: ASGISend) -> None:
        request = Request(scope, receive)
        answer = HTMLResponse("<!doctype html><section id=consentkit><form method=post action=/c>"
                              "<button name=choice value=accept-all>Yes</button>"
                              "<button name=choice value=withdraw>No</button></form>")  # fmt: skip
        if request.method == "POST" and b"accept" in await request.body():
            answer.headers.append("set-cookie", "ok=1; Path=/")
        elif request.method == "POST":
            answer.headers.append("set-cookie", "ok=; Path=/; Max-Age=0")
        elif "ok" in request.cookies:
            answer.headers.append("set-cookie", f"mark=1; {FOREVER}")
        await answer(scope, receive, send)

    witness, send = await looking(own)
    visit, _ = await witness.visit(f"{SITE}/page", State.WITHDRAWN)
    assert [each[0] for each in send.came[-3:]] == ["GET", "POST", "GET"]
    assert [cookie.name for cookie in visit.sent] == ["mark"]
    assert visit.cookies == ()


async def test_a_redirect_on_the_site_is_followed_and_its_cookies_are_seen() -> None:
    witness, _ = await looking(shop(report_only=True, banner=True), ())
    visit, links = await witness.visit(f"{SITE}/moved", State.UNTOUCHED)
    assert (visit.page, visit.status) == ("/moved", 200)
    assert [(c.name, c.http_only, c.initiator) for c in visit.cookies] == [
        ("way", True, "shop.example/moved"),
        ("visits", False, "shop.example/page"),
    ]
    assert f"{SITE}/other" in links


async def test_a_redirect_to_another_site_is_not_followed() -> None:
    witness, send = await looking(shop(), ())
    visit, links = await witness.visit(f"{SITE}/away", State.UNTOUCHED)
    assert (visit.status, visit.error, links, visit.is_page) == (302, "", (), False)
    assert all("other.example" not in url for _, url, *_ in send.came)


async def test_a_redirect_without_end_or_without_an_aim_ends() -> None:
    witness, send = await looking(shop(), ())
    visit, _ = await witness.visit(f"{SITE}/round", State.UNTOUCHED)
    assert visit.error == f"it redirects more than {MOST_REDIRECTS} times"
    assert len(send.came) == MOST_REDIRECTS + 1
    visit, _ = await witness.visit(f"{SITE}/nowhere", State.UNTOUCHED)
    assert (visit.status, visit.error) == (302, "")


async def test_what_is_no_page_has_no_links() -> None:
    witness, _ = await looking(shop(), ())
    visit, links = await witness.visit(f"{SITE}/data", State.UNTOUCHED)
    assert (visit.status, visit.is_page, links) == (200, False, ())


async def test_another_tools_notice_cannot_be_pressed() -> None:
    """It is a script's: the states behind it are told as not reached, with the reason."""

    async def other(scope: Scope, receive: Receive, send: ASGISend) -> None:
        await HTMLResponse("<div id=cmp><button>Accept</button></div>")(scope, receive, send)

    witness = HeadersWitness(InProcess(other))
    acts = await witness.prepare(SITE, f"{SITE}/", tuple(State))
    assert [act.clicks for act in acts] == [None, None, None]
    assert {act.how for act in acts} == {
        "no notice of consentkit on the first page; only a browser can press others"
    }
    assert await witness.shown() is None


async def test_a_button_behind_the_settings_is_two_clicks() -> None:
    """R-12 and R-16: what takes longer is counted, for the finding to say."""

    def first(_request: Request) -> Response:
        return HTMLResponse(
            "<section id=consentkit><form method=post action=/consent><input type=hidden name=next"
            " value=/><input type=hidden name=x value=1><button name=choice value=accept-all>Yes"
            '</button><a class="consentkit-more" href=/consent>More</a></form></section>'
        )

    async def settings(request: Request) -> Response:
        if request.method == "POST":
            form = parse_qs((await request.body()).decode())
            status = 204 if form["choice"] != ["withdraw"] else 403
            return Response(status_code=status, headers={"set-cookie": "answer=1"})
        return HTMLResponse(
            "<form method=post action=/consent><button name=choice value=reject-all>No</button>"
        )

    app = Starlette(
        routes=[Route("/", first), Route("/consent", settings, methods=["GET", "POST"])]
    )
    send = InProcess(app)
    witness = HeadersWitness(send)
    acts = await witness.prepare(SITE, f"{SITE}/", (State.REFUSED, State.WITHDRAWN))
    assert [(act.clicks, act.how) for act in acts] == [
        (2, "'No', behind the link to the settings"),
        (2, "'No', behind the link to the settings"),
    ]
    posted = [parse_qs(body.decode()) for method, *_, body in send.came if method == "POST"]
    assert posted[1] == {"next": ["/"], "x": ["1"], "choice": ["accept-all"]}


async def test_without_a_button_nothing_is_posted_unless_it_was_said_where() -> None:
    """A page without a notice: `audit_app` knows the endpoint, a scan of a site does not."""
    bare = Starlette(routes=[Route("/", lambda _: HTMLResponse("<script id=consentkit-script>"))])
    witness = HeadersWitness(InProcess(bare))
    (act,) = await witness.prepare(SITE, f"{SITE}/", (State.GRANTED,))
    assert (act.clicks, act.how) == (
        None,
        "no button and no link to the settings on the first page",
    )
    app = Starlette(routes=[Route("/", lambda _: JSONResponse({}))])
    app.add_middleware(ConsentMiddleware, policy=POLICY, secret_key="x" * 40)
    witness = HeadersWitness(InProcess(app), endpoint=f"{SITE}/consent")
    acts = await witness.prepare(SITE, f"{SITE}/", tuple(State))
    assert [(act.clicks, act.how) for act in acts] == [(0, "posted without a button")] * 3


async def test_a_form_that_is_refused_is_told() -> None:
    """A state that was not come to is not visited as if it had been."""
    witness = HeadersWitness(InProcess(Starlette()), endpoint=f"{SITE}/consent")
    acts = await witness.prepare(SITE, f"{SITE}/", (State.REFUSED, State.WITHDRAWN))
    assert [(act.clicks, act.how) for act in acts] == [
        (None, "/consent answered the form with 404"),
        (None, "/consent answered the form with 404"),
    ]
    visit, _ = await witness.visit(f"{SITE}/", State.WITHDRAWN)
    assert visit.error == "/consent answered the form with 404"


async def test_no_form_is_posted_to_another_site() -> None:
    """What a page says is a stranger's word: an answer goes to the site alone."""
    markup = (
        "<form action=https://evil.example/><button name=choice value=reject-all>No</button></form>"
    )
    app = Starlette(routes=[Route("/", lambda _: HTMLResponse(markup))])
    send = InProcess(app)
    (act,) = await HeadersWitness(send).prepare(SITE, f"{SITE}/", (State.REFUSED,))
    assert act.clicks is None
    assert [method for method, *_ in send.came] == ["GET"]


async def test_the_table_that_is_shown_is_read() -> None:
    """R-73: what visitors are told is compared with what was seen."""
    witness, _ = await looking(shop())
    shown = await witness.shown()
    assert shown is not None
    assert [(row.name, row.kind) for row in shown] == [
        ("visits", "analytics"),
        ("__Host-consent", "persistent"),
    ]
    await witness.close()


async def test_a_table_that_is_not_there_is_none() -> None:
    witness = HeadersWitness(InProcess(Starlette()), endpoint=f"{SITE}/consent")
    assert await witness.shown() is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"cookies": 7}', b'{"cookies": [7]}', b'{"cookies": [{}]}']
)
def test_a_table_that_is_none_is_none(body: bytes) -> None:
    assert shown_in(body) is None
    whole = b'{"cookies": [{"name": "a", "kind": "session", "duration": "x"}]}'
    assert shown_in(whole) == (ShownCookie("a", "session", None),)


async def test_hosts_of_the_site_are_the_policys_where_it_says_so() -> None:
    """`site.hosts` are the site, and a service below it is not."""
    html = '<img src="https://img.shop.example/a"><img src="https://cdn.example/b">'
    app = Starlette(routes=[Route("/", lambda _: HTMLResponse(html))])
    witness, _ = await looking(app, ())
    visit, _ = await witness.visit(f"{SITE}/", State.UNTOUCHED)
    assert [each.host for each in visit.requests] == ["cdn.example"]
    witness, _ = await looking(app, (), is_own=lambda host: host == "cdn.example")
    visit, _ = await witness.visit(f"{SITE}/", State.UNTOUCHED)
    assert [each.host for each in visit.requests] == ["img.shop.example"]


def test_no_value_is_kept_of_a_cookie() -> None:
    """A report may be sent around: it holds shapes and no values."""
    kept = Jar().store(b"sid=3f2b9c0d8e7a4f51a2b3c4d5e6f70819; Path=/", f"{SITE}/", 0.0)
    assert kept is not None
    assert "3f2b9c" not in repr(headers._seen(kept, f"{SITE}/"))


# What a page makes up

AWAY = ("http://169.254.169.254/x", "http://other.example/", f"{SITE}:22/", "file:///etc/passwd")


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize(
    "markup",
    [
        '<a class="consentkit-link" href="{}">Cookies</a>',
        '<script id="consentkit-script" data-path="{}"></script>',
        '<section id="consentkit"><form action="{}"><button name=choice value=accept-all>x</form>',
    ],
)
async def test_a_notice_leads_to_no_other_host(markup: str, away: str) -> None:
    """From outside to what only this machine reaches: a cloud's keys, a router, another port."""
    asked: list[str] = []

    async def send(_method: str, url: str, _headers: Mapping[str, str], _body: bytes) -> Answer:
        asked.append(url)
        return Answer(200, ((b"content-type", b"text/html"),), markup.format(away).encode())

    witness = HeadersWitness(send)
    await witness.prepare(SITE, f"{SITE}/", (State.REFUSED, State.GRANTED))
    await witness.shown()
    assert asked
    assert [url for url in asked if not url.startswith(f"{SITE}/")] == []


async def test_a_cookie_that_is_no_ascii_goes_back_as_it_came() -> None:
    """A page of such a cookie answered once, and every further one of that jar was not seen."""
    cookie = "name=gr\u00fcn".encode()

    async def app(_scope: Scope, _receive: Receive, send: ASGISend) -> None:
        head = [(b"content-type", b"text/html"), (b"set-cookie", cookie + b"; Path=/")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"x"})

    with Server(app) as server:
        async with http_client() as client:
            witness, jar, url = HeadersWitness(client), Jar(), f"{server.origin('127.0.0.1')}/"
            for _ in range(2):
                await witness.load(url, jar, State.UNTOUCHED)
    assert server.log[-1].headers["cookie"].encode("latin-1") == cookie
