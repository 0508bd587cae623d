"""What other systems' own tests demand of a cookie consent, row by row.

The ids stand at the beginning of each docstring: AC, AP and CH are ASP.NET Core's CookiePolicy, DC
is django-cookie-consent, FZ the FAZ Cookie Manager, NU Nucleos, SP spatie, OR orestbida, OJ
Orejime, TR traps seen in the wild. A row that is answered otherwise or elsewhere stands in
`WRITTEN_REASONS`; ``docs/decisions/acceptance-rows.md`` says more.
"""

import ast
import json
import logging
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.responses import Response as Answered
from starlette.routing import Route

from consentkit import (
    ConsentMiddleware,
    LateAnswerWarning,
    Policy,
    PolicyError,
    Visitor,
    visitor_from,
    visitor_from_scope,
)
from consentkit.enforcement import MOST_OCTETS
from consentkit.errors import UncoveredLayerWarning
from consentkit.rules.policy_file import policy_from
from consentkit.testing import (
    Browser,
    Response,
    assert_blocked,
    assert_removed,
    assert_sets,
)
from consentkit.wire.cookies import set_cookie_name

pytestmark = pytest.mark.anyio

DAY = 86_400
YEAR = 365 * DAY
SECRET = "thirty-two bytes or more of secret"
TOKEN = "__Host-consent"

ROWS: Final = {
    "AC": range(1, 23),
    "AP": range(1, 15),
    "CH": range(1, 9),
    "DC": range(1, 25),
    "FZ": range(1, 20),
    "NU": range(1, 2),
    "SP": range(1, 4),
    "OR": range(1, 6),
    "OJ": range(1, 4),
    "TR": range(1, 15),
}

WRITTEN_REASONS: Final = {
    "AC-04": "no callable for each cookie: what a route needs is declared; `exclude` is the rest",
    "AC-06": "as AC-04: what is strictly necessary is not vetoed at run time",
    "AC-18": "a removal is never blocked, by nobody",
    "AC-21": "the token is signed and holds answers; its value cannot be configured",
    "AP-10": "no callable renames cookies; two of one name in a response break RFC 6265bis 4.1.1",
    "AP-11": "as AP-10: removals are not renamed, so nothing collapses",
    "CH-03": "consentkit cuts no cookie into chunks; it only covers those an app makes",
    "CH-05": "as CH-03: it puts none together, so a missing chunk is the app's to find",
    "CH-06": "as CH-05",
    "CH-08": "an app's pending chunks are the app's own; what is refused is blocked, then expired",
    "DC-01": "belongs to `consentkit check`, which the issue on the command line brings",
    "DC-09": "no purpose is kept after a refusal: withdrawal must stop reading too (R-17)",
    "DC-21": "belongs to the issue on records",
    "DC-23": "belongs to the issue on records: `records purge`",
    "DC-24": "needs a browser: tests/browser",
    "FZ-05": "an answer is given to a purpose; answers for one service belong to the embeds' issue",
    "FZ-06": "a performance test: benchmarks/in_process.py",
    "FZ-08": "the catalogue has no 'uncategorised': what nobody declared is undeclared",
    "FZ-09": "belongs to the issue on the catalogue: it declares, and never overrules",
    "FZ-17": "belongs to the issue on the catalogue: what may be declared strictly necessary",
    "FZ-19": "the markup is tested in tests/notice; Escape and focus need a browser: tests/browser",
    "SP-01": "the banner is the first child of body: tests/wire/test_html.py",
    "SP-03": "as SP-01; streams are not skipped: tests/test_pages.py",
    "OR-02": "the notice is hidden from nobody (TR-11)",
    "OR-05": "`consentkit:change` belongs to the issue on consent.js",
    "OJ-01": "focus, overlay and Escape need a browser: tests/browser",
    "OJ-02": "contextual notices belong to the embeds' issue",
    "OJ-03": "focus needs a browser: tests/browser; forced modes are cookie walls (R-05)",
}


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


Handler = Callable[[Request, Visitor], Any]


def cookie(purpose: str = "analytics", kind: str = "persistent", **more: Any) -> dict[str, Any]:
    lasting = {"duration": YEAR} if kind == "persistent" else {}
    return {"kind": kind, "purpose": purpose, "description": "C", **lasting, **more}


def policy(cookies: dict[str, Any] | None = None, **changes: Any) -> Policy:
    """One purpose that asks and covers cookie `Test`, one that is strictly necessary."""
    words = {"title": "A", "description": "B"}
    whole: dict[str, Any] = {
        "site": {"name": "A site", "controller": "Its owner", "contact": "a@site.example"},
        "mode": "explicit",
        "purposes": {
            "necessary": {**words, "basis": "strictly-necessary", "justification": "security"},
            "analytics": words,
        },
        "cookies": {"Test": cookie(), "sid": cookie("necessary", "session"), **(cookies or {})},
    }
    return Policy.model_validate({**whole, **changes})


def policy_of(purposes: dict[str, Any], cookies: dict[str, Any] | None = None) -> Policy:
    """The same site with these purposes and cookies alone."""
    whole = policy().model_dump(exclude_unset=True)
    return Policy.model_validate({**whole, "purposes": purposes, "cookies": cookies or {}})


def site(
    handle: Handler, some: Policy | None = None, *, clock: Clock | None = None, **options: Any
) -> Browser:
    """A Starlette app of one page under the middleware, and a browser that visits it."""

    async def page(request: Request) -> Answered:
        response = HTMLResponse("<!doctype html><title>T</title><body><p>Hello</body>")
        returned = handle(request, response)  # type: ignore[arg-type]
        return returned if isinstance(returned, Answered) else response

    clock = clock or Clock()
    app = Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST"])])
    made: dict[str, Any] = {"policy": some or policy(), "secret_key": SECRET, "clock": clock}
    return Browser(ConsentMiddleware(app, **{**made, **options}), clock=clock)


def sets(*values: str) -> Handler:
    """A page that sets these cookies."""

    def handle(request: Request, response: Any) -> None:
        for value in values:
            response.raw_headers.append((b"set-cookie", value.encode()))

    return handle


def names(response: Response) -> list[str]:
    return [set_cookie_name(raw).decode() for raw in response.set_cookies]


def values(response: Response, name: str) -> list[bytes]:
    return [raw for raw in response.set_cookies if set_cookie_name(raw).decode() == name]


async def granted(browser: Browser) -> Browser:
    await browser.submit("/consent", choice="accept-all")
    return browser


async def refused(browser: Browser) -> Browser:
    await browser.submit("/consent", choice="reject-all")
    return browser


def test_every_row_is_a_test_or_has_a_written_reason() -> None:
    """The table above and the ids in the docstrings of this module, together, are all rows."""
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    tested: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_":
            head = (ast.get_docstring(node) or "").partition(":")[0]
            tested |= set(re.findall(r"\b(?:AC|AP|CH|DC|FZ|NU|SP|OR|OJ|TR)-\d\d\b", head))
    rows = {f"{source}-{number:02}" for source, numbers in ROWS.items() for number in numbers}
    assert rows - tested - set(WRITTEN_REASONS) == set()
    assert tested & set(WRITTEN_REASONS) == set()
    assert (tested | set(WRITTEN_REASONS)) - rows == set()
    assert all(WRITTEN_REASONS.values())


# ASP.NET Core: CookieConsentTests


async def test_a_site_that_asks_nothing_needs_no_banner_and_no_answer() -> None:
    """AC-01: a policy whose every purpose is strictly necessary; its cookies go out as they are."""
    necessary = policy().model_dump()["purposes"]["necessary"]
    quiet = policy_of({"necessary": necessary}, {"Test": cookie("necessary")})
    seen: list[bool] = []

    def handle(request: Request, response: Any) -> None:
        seen.append(visitor_from(request).is_decided)
        response.set_cookie("Test", "1")

    browser = site(handle, quiet)
    page = await browser.visit("/")
    assert page.set_cookies == (b"Test=1; Path=/; SameSite=lax",)
    assert page.text == "<!doctype html><title>T</title><body><p>Hello</body>"
    assert seen == [True]


async def test_without_a_token_nothing_optional_is_set() -> None:
    """AC-02, AC-03, R-01: and the app can ask whether an answer is needed."""
    seen: list[tuple[bool, bool]] = []

    def handle(request: Request, response: Any) -> None:
        visitor = visitor_from(request)
        seen.append((visitor.is_decided, visitor.allows("analytics")))
        response.set_cookie("Test", "1")

    browser = site(handle)
    assert_blocked(await browser.visit("/"), "Test")
    await granted(browser)
    assert_sets(await browser.visit("/"), "Test")
    assert seen == [(False, False), (True, True)]


async def test_a_strictly_necessary_cookie_needs_no_answer() -> None:
    """AC-05: sent to everybody, as the app wrote it."""
    browser = site(sets("sid=1", "Test=1"))
    for _ in range(2):
        page = await browser.visit("/")
        assert page.set_cookies == (b"sid=1",)
        await refused(browser)


async def test_a_good_token_is_enough() -> None:
    """AC-07, TR-03: the answer is read from the request, so a returning visitor keeps it."""
    browser = await granted(site(sets("Test=1")))
    for _ in range(2):
        assert names(await browser.visit("/")) == ["Test"]


@pytest.mark.parametrize("token", ["IAmATeapot", "", "a.b.c", "x" * 4000, "{", "%00"])
async def test_a_token_that_is_garbage_is_no_error_and_no_grant(token: str) -> None:
    """AC-08: forged, foreign, truncated: undecided, and the notice asks."""
    browser = site(sets("Test=1"))
    browser.store(f"{TOKEN}={token}; Path=/; Secure")
    page = await browser.visit("/")
    assert page.status == 200
    assert_blocked(page, "Test")
    assert 'value="accept-all"' in page.text


async def test_a_truncated_token_is_no_grant() -> None:
    """AC-08: one that was good, cut short; a control with the whole of it."""
    browser = await granted(site(sets("Test=1")))
    whole = browser.cookies[TOKEN]
    for token, goes_out in ((whole[:-1], False), (whole[1:], False), (whole, True)):
        other = site(sets("Test=1"))
        other.store(f"{TOKEN}={token}; Path=/; Secure")
        assert ("Test" in names(await other.visit("/"))) is goes_out


def grants_then_sets(request: Request, response: Any) -> None:
    visitor = visitor_from(request)
    visitor.grant("analytics")
    assert visitor.allows("analytics")
    response.set_cookie("Test", "1")


async def test_a_grant_in_the_request_takes_effect_in_its_response() -> None:
    """AC-09: exactly two cookies, the token first, for over 364 days."""
    page = await site(grants_then_sets).visit("/")
    assert names(page) == [TOKEN, "Test"]
    token = assert_sets(page, TOKEN).attributes
    assert token.max_age is not None
    assert token.max_age > 364 * DAY
    assert values(page, "Test") == [b"Test=1; Path=/; SameSite=lax"]


async def test_the_token_obeys_the_policy_it_stands_for() -> None:
    """AC-10: SameSite as the policy says; the name, path and prefix are not the app's to change."""
    strict = policy(token={"same_site": "strict", "name": "choice"})
    page = await site(grants_then_sets, strict).visit("/")
    assert assert_sets(page, "__Host-choice").attributes.same_site == "strict"


async def test_a_second_grant_sends_no_needless_token() -> None:
    """AC-11: granted already, so only the cookie goes out."""
    browser = await granted(site(grants_then_sets))
    assert names(await browser.visit("/")) == ["Test"]


async def late(act: str) -> tuple[Response, list[bool]]:
    """A raw app that begins its response, then answers in the visitor's place."""
    allowed: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        visitor = visitor_from_scope(scope)
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        getattr(visitor, act)("analytics")
        allowed.append(visitor.allows("analytics"))
        await send({"type": "http.response.body", "body": b"whole"})

    browser = Browser(ConsentMiddleware(app, policy=policy(), secret_key=SECRET))
    if act == "withdraw":
        await granted(browser)
    with pytest.warns(LateAnswerWarning, match="after the response had begun"):
        return await browser.visit("/"), allowed


async def test_a_grant_after_the_response_began_holds_for_the_request_and_warns() -> None:
    """AC-12, TR-12: nothing more is sent, the body is intact, and it is said loudly."""
    response, allowed = await late("grant")
    assert (response.body, response.set_cookies, allowed) == (b"whole", (), [True])


async def test_a_withdrawal_after_the_response_began_holds_for_the_request_and_warns() -> None:
    """AC-16, TR-12: no exception, no header; the visitor's next answer will be sent."""
    response, allowed = await late("withdraw")
    assert (response.body, response.set_cookies, allowed) == (b"whole", (), [False])


async def test_withdrawing_before_any_grant_is_a_refusal() -> None:
    """AC-13: still no grant, no `Test`; but the refusal is remembered (R-19)."""

    def handle(request: Request, response: Any) -> None:
        visitor_from(request).withdraw()
        response.set_cookie("Test", "1")

    page = await site(handle).visit("/")
    assert_sets(page, TOKEN)
    assert not any(b"Test=1" in raw for raw in page.set_cookies)


async def test_the_response_that_withdraws_removes_what_was_granted() -> None:
    """AC-14, R-16: Value1 and Value2 are both dropped, and `Test` is expired in this response."""

    def handle(request: Request, response: Any) -> None:
        response.set_cookie("Test", "Value1")
        visitor_from(request).withdraw("analytics")
        response.set_cookie("Test", "Value2")

    browser = await granted(site(handle))
    browser.store("Test=before; Path=/")
    page = await browser.visit("/")
    assert_removed(page, "Test")
    assert_blocked(page, "Test")
    assert b"Value" not in b"".join(page.set_cookies)
    assert "Test" not in browser.cookies
    assert_sets(page, TOKEN)  # the refusal is remembered as long as a grant


async def test_a_removal_repeats_what_the_cookie_was_set_with() -> None:
    """AC-15, TR-06: a Secure, Partitioned cookie on another path is gone, in a browser's jar."""
    declared = {"Test": cookie(attributes={"secure": True, "partitioned": True}, path="/shop")}
    where = "Test=1; Path=/shop; Secure; Partitioned; SameSite=None; HttpOnly"
    browser = await granted(site(sets(where), policy(declared)))
    await browser.visit("/shop")
    assert "Test" in browser.cookies
    answer = await refused(browser)
    assert "Test" not in answer.cookies


async def test_a_removal_is_never_blocked() -> None:
    """AC-17, FZ-04: without any answer, of any name, byte for byte."""
    removals = ("Test=; Max-Age=0; Path=/", "stranger=; expires=Thu, 01 Jan 1970 00:00:00 GMT")
    page = await site(sets(*removals, "stranger=1")).visit("/")
    assert page.set_cookies == tuple(each.encode() for each in removals)


async def test_a_scripts_answer_equals_a_forms() -> None:
    """AC-19, AC-20: the browser posts, since the token is HttpOnly; the cookie is the same."""
    by_form, by_script = site(sets(), clock=Clock()), site(sets(), clock=Clock())
    form = await by_form.submit("/consent", choice="accept-all")
    headers = {"sec-fetch-site": "same-origin", "accept": "application/json"}
    script = await by_script.request("POST", "/consent", headers=headers, body=b"choice=accept-all")
    assert form.set_cookies == script.set_cookies
    assert assert_sets(form, TOKEN).attributes.http_only


@pytest.mark.parametrize("name", ["", None, "a b", "a=b", "a;b", "x" * 65])
def test_a_token_name_that_cannot_be_stops_the_start(name: object) -> None:
    """AC-22: `PolicyError` at start-up, never at request time."""
    data = json.loads(policy().model_dump_json(exclude_unset=True, by_alias=True))
    with pytest.raises(PolicyError, match="token"):
        policy_from({**data, "token": {"name": name}})
    assert policy_from({**data, "token": {"name": "choice"}}).token.name == "choice"


# ASP.NET Core: CookiePolicyTests, CookieChunkingTests

LETTERS = {
    "A": b"A=A",
    "B": b"B=B",
    "D": b"D=D; Secure; HttpOnly",
    "L": b"L=L; SameSite=Lax",
    "N": b"N=N; SameSite=None; Secure",
    "E": b"E=E; SameSite=Strict",
}


async def hardened(attributes: dict[str, Any]) -> dict[str, bytes]:
    """The attributes each cookie goes out with, where its declaration asks for these."""
    cookies = {name: cookie("necessary", attributes=attributes) for name in LETTERS}
    page = await site(sets(*map(bytes.decode, LETTERS.values())), policy(cookies)).visit("/")
    return {raw[:1].decode(): raw.partition(b";")[2].strip() for raw in page.set_cookies}


AS_WRITTEN = {name: raw.partition(b";")[2].strip() for name, raw in LETTERS.items()}


async def test_secure_is_raised_and_never_lowered() -> None:
    """AP-01, AP-02, AP-03: whatever the request's scheme; without the declaration, only D and N."""
    raised = await hardened({"secure": True})
    assert all(b"Secure" in attributes for attributes in raised.values())
    assert await hardened({}) == AS_WRITTEN


async def test_http_only_is_raised_and_never_lowered() -> None:
    """AP-04, AP-05: A to D are HttpOnly, or D alone."""
    raised = await hardened({"http_only": True})
    assert all(b"HttpOnly" in attributes for attributes in raised.values())
    assert [name for name, flags in (await hardened({})).items() if b"HttpOnly" in flags] == ["D"]


@pytest.mark.parametrize(
    ("wanted", "unspecified", "lax", "none", "strict"),
    [
        ("strict", b"Strict", b"Strict", b"Strict", b"Strict"),
        ("lax", b"Lax", b"Lax", b"Lax", b"Strict"),
        ("none", b"None", b"Lax", b"None", b"Strict"),
        (None, None, b"Lax", b"None", b"Strict"),
    ],
)
async def test_same_site_has_a_minimum(
    wanted: str | None, unspecified: bytes | None, lax: bytes, none: bytes, strict: bytes
) -> None:
    """AP-06, AP-07, AP-08, AP-09: raised to the declared one, and None comes with Secure (R-82)."""
    found = await hardened({"same_site": wanted, "secure": wanted == "none"})
    same_site = {
        name: next((p[9:] for p in flags.split(b"; ") if p[:9] == b"SameSite="), None)
        for name, flags in found.items()
    }
    assert [same_site[name] for name in "ALNE"] == [unspecified, lax, none, strict]
    assert all(b"Secure" in found[name] for name in "AN" if same_site[name] == b"None")


async def test_an_app_that_raises_raises_unchanged() -> None:
    """AP-12: the exception reaches the server as it was, and the next response ends well."""
    fails = [True]

    def handle(request: Request, response: Any) -> None:
        if fails.pop() if fails else False:
            raise RuntimeError("the app's own")

    browser = site(handle)
    with pytest.raises(RuntimeError, match="the app's own"):
        await browser.visit("/")
    assert (await browser.visit("/")).status == 200


async def test_an_inner_middlewares_cookie_is_held_to_the_policy_too() -> None:
    """AP-13: a framework's own log-in cookie goes out HttpOnly and Secure as declared."""

    async def page(request: Request) -> Answered:
        request.session["user"] = "ada"
        return HTMLResponse("<p>in")

    hard = {
        "session": cookie("necessary", "session", attributes={"secure": True, "http_only": True})
    }
    app = Starlette(
        routes=[Route("/", page)],
        middleware=[Middleware(SessionMiddleware, secret_key="k" * 32, max_age=None)],
    )
    browser = Browser(ConsentMiddleware(app, policy=policy(hard), secret_key=SECRET))
    session = assert_sets(await browser.visit("/"), "session").attributes
    assert (session.secure, session.http_only, session.max_age) == (True, True, None)


CHUNKS = ("Big=chunks-2", "BigC1=a", "BigC2=b", "Big-0=x")


async def test_a_decision_never_splits_a_set_of_chunks() -> None:
    """AP-14, CH-01, CH-02: all get the same decision and the same attributes; none without it."""
    declared = {"Big": cookie(chunked=True, attributes={"secure": True})}
    browser = site(sets(*CHUNKS), policy(declared))
    assert (await browser.visit("/")).set_cookies == ()
    page = await (await granted(browser)).visit("/")
    assert page.set_cookies == tuple(f"{each}; Secure".encode() for each in CHUNKS)
    whole = await (await granted(site(sets(*CHUNKS), policy({"Big": cookie()})))).visit("/")
    assert names(whole) == ["Big"]  # not declared as chunked, so its name is its name


async def test_the_app_sees_all_chunks_or_none() -> None:
    """CH-04: put together by the app, from what the browser sent, unchanged."""
    seen: list[dict[str, str]] = []

    def handle(request: Request, response: Any) -> None:
        seen.append({name: v for name, v in request.cookies.items() if name[:3] == "Big"})

    browser = site(handle, policy({"Big": cookie(chunked=True)}))
    for each in CHUNKS:
        browser.store(each)
    await granted(browser)
    await browser.visit("/")
    await browser.submit("/consent", choice="withdraw")
    for each in CHUNKS:
        browser.store(each)
    await browser.visit("/")
    assert seen == [dict(each.split("=", 1) for each in CHUNKS), {}]


async def test_every_chunk_is_removed_with_its_domain_and_path() -> None:
    """CH-07: at once, in the response that refuses."""
    declared = {"Big": cookie(chunked=True, domain="example.org", path="/shop")}
    browser = Browser(
        site(sets(), policy(declared)).app, url="https://www.example.org", clock=Clock()
    )
    await granted(browser)
    for each in CHUNKS:
        browser.store(f"{each}; Domain=example.org; Path=/")
    page = await browser.submit("/consent", choice="reject-all")
    for name in ("Big", "BigC1", "BigC2", "Big-0"):
        (removal,) = values(page, name)
        assert b"; Path=/shop; Domain=example.org; Max-Age=0" in removal


# django-cookie-consent


def test_a_policy_is_compiled_once_and_a_changed_one_is_another() -> None:
    """DC-02: declarations are looked up in a table; a test simply makes its own policy."""
    one = policy()
    assert one.declaration_of("Test") is one.declaration_of("Test") is one.cookies["Test"]
    other = policy({"More": cookie()})
    assert one.declaration_of("More") is None
    assert other.declaration_of("More") is not None


def test_a_policy_survives_the_round_trip() -> None:
    """DC-03: dumped and loaded, the same purposes and cookies by name."""
    some = policy({"Poll-{id}": cookie(kind="poll-timeout"), "Big": cookie(chunked=True)})
    again = Policy.model_validate_json(some.model_dump_json())
    assert again == some
    assert again.questions == some.questions


async def test_a_changed_declaration_is_a_new_revision_to_answer() -> None:
    """DC-04: `since` says what changed, `revision` that something did."""
    clock = Clock()
    browser = await granted(site(sets("Test=1"), clock=clock))
    changed = site(
        sets("Test=1"), policy(revision=2, cookies={"Test": cookie(since=2)}), clock=clock
    )
    same = site(sets("Test=1"), clock=clock)
    for other in (changed, same):
        other.store(f"{TOKEN}={browser.cookies[TOKEN]}; Path=/; Secure")
    assert names(await same.visit("/")) == ["Test"]
    assert_blocked(await changed.visit("/"), "Test")


@pytest.mark.parametrize(
    ("name", "can_be"),
    [
        ("a-b", True),
        ("a_1", True),
        ("A", True),
        ("space inside", False),
        ("a!b", False),
        ("$", False),
    ],
)
def test_a_purposes_name_is_plain(name: str, can_be: bool) -> None:  # noqa: FBT001
    """DC-05: letters, digits, `_` and `-`; anything else is a fault at start-up."""
    data = json.loads(policy().model_dump_json(exclude_unset=True, by_alias=True))
    words = {"title": "A", "description": "B"}
    changed = {**data, "purposes": {**data["purposes"], name: words}}
    if can_be:
        assert name in policy_from(changed).optional_purposes
    else:
        with pytest.raises(PolicyError, match="purpose"):
            policy_from(changed)


async def test_a_refused_purposes_cookie_is_removed_at_once() -> None:
    """DC-06, DC-22: undecided, none; granted, set; refused, an empty value of no age."""
    browser = site(sets("Test=1; HttpOnly; Path=/"))
    assert (await browser.visit("/")).set_cookies == ()
    await granted(browser)
    assert_sets(await browser.visit("/"), "Test")
    page = await browser.submit("/consent", choice="reject-all")
    gone = b"Test=; Path=/; Max-Age=0; Secure"
    assert gone in page.set_cookies
    assert browser.cookies.keys() == {TOKEN}


async def test_a_declared_cookie_that_comes_without_an_answer_is_hidden_and_expired() -> None:
    """DC-07, R-17: from that request on the app never sees it; a necessary one it sees."""
    seen: list[set[str]] = []
    browser = site(lambda request, response: seen.append(set(request.cookies)))
    browser.store("Test=old; Path=/")
    browser.store("sid=1; Path=/")
    page = await browser.visit("/")
    assert_removed(page, "Test")
    assert seen == [{"sid"}]
    assert set(browser.cookies) == {"sid"}


async def test_what_is_not_enforced_is_left_alone() -> None:
    """DC-08, DC-16, FZ-07: report mode and excluded paths change no byte."""
    for options, path in (({"report_only": True}, "/"), ({"exclude": ["/admin"]}, "/admin/x")):
        browser = site(sets("Test=1", "stranger=1"), **options)
        browser.store("Test=old; Path=/")
        page = await browser.visit(path)
        assert page.set_cookies == (b"Test=1", b"stranger=1")
        assert page.text == "<!doctype html><title>T</title><body><p>Hello</body>"
    assert (
        await site(sets("Test=1"), exclude=["/admin"]).visit("/administration")
    ).set_cookies == ()


async def test_a_policy_may_be_picked_for_each_request() -> None:
    """DC-16: by a callable of the scope: one host asks, another asks nothing."""
    strict, loose = policy(), policy({"Test": cookie("necessary")})
    browser = site(sets("Test=1"), policy=lambda scope: loose if scope["path"] == "/b" else strict)
    assert_blocked(await browser.visit("/a"), "Test")
    assert_sets(await browser.visit("/b"), "Test")


async def test_under_opt_out_an_undecided_visitor_keeps_their_cookies() -> None:
    """DC-10, OR-03: at once, until they refuse."""
    browser = site(sets("Test=1"), policy(mode="opt-out"))
    assert_sets(await browser.visit("/"), "Test")
    assert "Test" in browser.cookies
    assert "Test" not in (await refused(browser)).cookies


@pytest.mark.parametrize(
    ("token", "secure", "expected"),
    [
        ({}, True, "__Host-consent=…; Path=/; Max-Age=…; Secure; HttpOnly; SameSite=Lax"),
        (
            {"same_site": "strict"},
            True,
            "__Host-consent=…; Path=/; Max-Age=…; Secure; HttpOnly; SameSite=Strict",
        ),
        (
            {"domain": "testserver"},
            True,
            (
                "__Secure-consent=…; Path=/; Domain=testserver; Max-Age=…; Secure; HttpOnly; "
                "SameSite=Lax"
            ),
        ),
        ({"name": "c"}, False, "c=…; Path=/; Max-Age=…; HttpOnly; SameSite=Lax"),
    ],
)
async def test_each_option_of_the_token_stands_on_it(
    token: dict[str, str],
    secure: bool,  # noqa: FBT001
    expected: str,
) -> None:
    """DC-11, SP-02: exactly so; HttpOnly cannot be switched off, nor 400 days be changed."""
    browser = site(sets(), policy(token=token), secure=secure)
    answer = await browser.submit("/consent", choice="accept-all")
    (raw,) = answer.set_cookies
    shown = re.sub(r"(?<=consent=|Max-Age=)[^;]+|(?<=^c=)[^;]+", "…", raw.decode())
    assert shown == expected
    assert f"Max-Age={400 * DAY}".encode() in raw


@pytest.mark.parametrize(
    ("purposes", "asks"),
    [(["necessary"], False), (["analytics"], True), (["necessary", "analytics"], True)],
)
async def test_there_is_something_to_ask_where_a_purpose_is_optional(
    purposes: list[str],
    asks: bool,  # noqa: FBT001
) -> None:
    """DC-12: only strictly necessary ones / only optional / both: no / yes / yes."""
    all_of_them = policy().model_dump()["purposes"]
    some = policy_of({name: all_of_them[name] for name in purposes})
    page = await site(sets(), some).visit("/")
    assert ('value="accept-all"' in page.text) is asks


async def test_answers_survive_the_cookie() -> None:
    """DC-13: what was answered is what is read next time; tests/rules has the property."""
    browser = await granted(site(sets()))
    state = (await browser.fetch("/consent/status")).json()
    assert state["answers"] == {"necessary": "granted", "analytics": "granted"}


async def test_a_cookie_added_later_waits_for_an_answer_of_its_own() -> None:
    """DC-14, DC-15, R-08, TR-09: asked again; the old one stays, the new one waits."""
    clock = Clock()
    browser = await granted(site(sets("Test=1", "New=1"), clock=clock))
    later = policy({"New": cookie(since=2)}, revision=2)
    same_visitor = site(sets("Test=1", "New=1"), later, clock=clock)
    same_visitor.store(f"{TOKEN}={browser.cookies[TOKEN]}; Path=/; Secure")
    page = await same_visitor.visit("/")
    assert names(page) == ["Test"]
    assert 'value="accept-all"' in page.text
    await granted(same_visitor)
    assert names(await same_visitor.visit("/")) == ["Test", "New"]


async def test_the_preferences_work_without_script() -> None:
    """DC-17: plain forms with submit buttons for granting, refusing and saving."""
    page = await site(sets()).visit("/consent")
    assert "<script" not in page.text
    assert 'method="post"' in page.text
    for choice in ("accept-all", "reject-all", "save"):
        assert f'name="choice" value="{choice}"' in page.text


@pytest.mark.parametrize("choice", ["accept-all", "reject-all"])
async def test_an_answer_leads_back_to_this_site_alone(choice: str) -> None:
    """DC-18: a path here / another host / nothing given."""
    found = [
        (await site(sets()).submit("/consent", [("choice", choice), *fields.items()])).header(
            "location"
        )
        for fields in ({"next": "/news"}, {"next": "https://evil.com"}, {"next": "//evil.com"}, {})
    ]
    assert found == ["/news#consentkit", *["/consent#consentkit"] * 3]


@pytest.mark.parametrize("choice", ["accept-all", "reject-all"])
async def test_several_purposes_are_answered_in_one_post(choice: str) -> None:
    """DC-19: those named, or all; a script gets 200 and no redirect."""
    words = {"title": "A", "description": "B"}
    some = policy_of({"a": words, "b": words, "c": words})
    answer = "granted" if choice == "accept-all" else "refused"
    script = {"sec-fetch-site": "same-origin", "accept": "application/json"}
    for body, answered in ((b"", "abc"), (b"&purpose=a&purpose=c", "ac")):
        whole = b"choice=" + choice.encode() + body
        response = await site(sets(), some).request("POST", "/consent", headers=script, body=whole)
        assert response.status == 200
        assert response.json()["answers"] == {
            name: answer if name in answered else "undecided" for name in "abc"
        }


@pytest.mark.parametrize("choice", ["accept-all", "reject-all"])
async def test_an_unknown_purpose_is_told_and_nothing_is_set(choice: str) -> None:
    """DC-20: 400 as a page or as JSON, where theirs answers 200; granting and refusing alike."""
    body = b"purpose=nobody&choice=" + choice.encode()
    for accept in ("text/html", "application/json"):
        headers = {"sec-fetch-site": "same-origin", "accept": accept}
        response = await site(sets()).request("POST", "/consent", headers=headers, body=body)
        assert (response.status, response.set_cookies) == (400, ())
        assert response.header("content-type") == (
            "application/json" if accept != "text/html" else "text/html; charset=utf-8"
        )


# FAZ


async def test_the_log_has_the_name_and_the_path_and_never_a_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """FZ-01: the path without its query, each at most 255 characters."""
    caplog.set_level(logging.INFO)
    browser = site(sets("Test=hush-1", "x" * 600 + "=hush-2"))
    await browser.visit("/" + "y" * 600 + "?token=hush-3")
    logged = [record for record in caplog.records if record.name.startswith("consentkit")]
    assert [record.getMessage()[:7] for record in logged] == ["cookie "] * 2
    for record in logged:
        assert "hush" not in repr(vars(record))
        assert "x" * 256 not in repr(vars(record))
        assert "y" * 256 not in record.getMessage()


async def test_a_framework_cookie_nobody_declared_is_blocked_and_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """FZ-02, R-26: differs from theirs; report mode comes first, and the log names it."""
    page = await site(sets("PHPSESSID=1", "sid=1")).visit("/")
    assert_blocked(page, "PHPSESSID")
    assert names(page) == ["sid"]
    assert "'PHPSESSID' blocked: not declared" in caplog.text
    caplog.clear()
    reported = await site(sets("PHPSESSID=1"), report_only=True).visit("/")
    assert names(reported) == ["PHPSESSID"]
    assert "'PHPSESSID' would be blocked: not declared" in caplog.text


async def test_a_granted_cookie_of_a_year_passes() -> None:
    """FZ-03: HttpOnly, byte for byte, where its declaration allows a year."""
    raw = f"Test=1; Max-Age={YEAR}; Path=/; HttpOnly; Secure"
    browser = await granted(site(sets(raw), policy({"Test": cookie(duration=YEAR)})))
    assert (await browser.visit("/")).set_cookies == (raw.encode(),)


async def test_a_declared_name_is_a_name_and_no_pattern() -> None:
    """FZ-10, NU-01, TR-02: `PHP` lets no `XPHPX` pass; a `*` is anchored at the beginning."""
    some = policy(
        {"PHP": cookie("necessary"), "ADMIN_*": cookie("necessary"), "a.c": cookie("necessary")}
    )
    tried = ("PHP=1", "XPHPX=1", "PHPX=1", "ADMIN_x=1", "xADMIN_x=1", "php=1", "abc=1", "a.c=1")
    page = await site(sets(*tried), some).visit("/")
    assert names(page) == ["PHP", "ADMIN_x", "a.c"]


async def test_what_was_read_under_one_policy_says_nothing_under_another() -> None:
    """FZ-11: one Cookie header, two policies; neither remembers for the other."""
    strict, loose = policy(), policy({"Test": cookie("necessary")})
    seen: list[tuple[str, bool]] = []

    def handle(request: Request, response: Any) -> None:
        seen.append((request.url.path, "Test" in request.cookies))

    browser = site(handle, policy=lambda scope: loose if scope["path"] == "/b" else strict)
    browser.store("Test=1; Path=/")
    for path in ("/b", "/a", "/b"):
        await browser.fetch(path)
    assert seen == [("/b", True), ("/a", False), ("/b", True)]


async def test_blocking_and_removing_do_not_need_each_other() -> None:
    """FZ-12: set and blocked where none arrived; arrived and removed where none is set."""
    blocked = await site(sets("Test=1")).visit("/")
    assert_blocked(blocked, "Test")
    assert blocked.set_cookies == ()
    browser = site(sets())
    browser.store("Test=1; Path=/")
    assert_removed(await browser.visit("/"), "Test")


async def test_without_a_banner_the_preferences_still_answer() -> None:
    """FZ-13: `banner=False` hides the notice, not the way to answer.

    Enforcement does not depend on the page that was shown.
    """
    browser = site(sets("Test=1"), banner=False)
    page = await browser.visit("/")
    assert_blocked(page, "Test")
    assert "accept-all" not in page.text
    assert_sets(await (await granted(browser)).visit("/"), "Test")


async def test_enforcement_does_not_depend_on_the_body() -> None:
    """FZ-14: JSON, scripts' requests and bots alike; and no `no-store` on the site's pages."""
    browser = site(sets("Test=1"))
    for agent in ("Googlebot/2.1", "Mozilla/5.0"):
        for ask in (browser.visit, browser.fetch):
            page = await ask("/", user_agent=agent)
            assert_blocked(page, "Test")
            assert "no-store" not in (page.header("cache-control") or "")


async def test_only_what_the_site_declared_is_removed() -> None:
    """FZ-15: a name that a public list calls tracking is no reason to delete it."""
    browser = site(sets())
    for name in ("_fbp", "sessionid", "Te", "Test2", "Test"):
        browser.store(f"{name}=1; Path=/")
    await browser.visit("/")
    await refused(browser)
    assert set(browser.cookies) == {"_fbp", "sessionid", "Te", "Test2", TOKEN}


async def test_what_is_necessary_or_granted_survives_every_removal() -> None:
    """FZ-16: the refusing visitor keeps the log-in, the granting one keeps everything."""
    for answer, kept in ((refused, {"sid", TOKEN}), (granted, {"sid", "Test", TOKEN})):
        browser = site(sets())
        await answer(browser)
        browser.store("sid=1; Path=/")
        browser.store("Test=1; Path=/")
        await browser.visit("/")
        assert set(browser.cookies) == kept


async def test_a_probe_that_is_dead_proves_nothing() -> None:
    """FZ-18: an assertion that nothing was set fails where the app never tried."""
    with pytest.raises(AssertionError, match="proves nothing"):
        assert_blocked(await site(sets()).visit("/"), "Test")
    assert_blocked(await site(sets("Test=1")).visit("/"), "Test")


# Browser peers


async def test_the_notice_is_there_until_it_is_answered_and_again_when_it_must_be() -> None:
    """OR-01, SP-02: answered, no banner; a new revision, asked again; switched off, hidden."""
    clock = Clock()
    browser = site(sets(), clock=clock)
    assert 'value="accept-all"' in (await browser.visit("/")).text
    await refused(browser)
    assert 'value="accept-all"' not in (await browser.visit("/")).text
    raised = site(sets(), policy(revision=2), clock=clock)
    raised.store(f"{TOKEN}={browser.cookies[TOKEN]}; Path=/; Secure")
    assert 'value="accept-all"' in (await raised.visit("/")).text
    assert 'value="accept-all"' not in (await site(sets(), banner=False).visit("/")).text


async def test_a_removal_reaches_the_path_a_cookie_has_and_no_other() -> None:
    """OR-04: by exact name and by pattern; one of another path stands until it arrives (R-17)."""
    browser = site(sets(), policy({"_ga_*": cookie(path="/shop")}))
    browser.store("_ga_1=1; Path=/shop")
    browser.store("_ga_2=1; Path=/other")
    await browser.visit("/shop/x")
    assert {each.name for each in browser.jar} == {"_ga_2"}
    await browser.visit("/other/y")
    assert browser.jar == ()


# Traps


async def test_a_grant_to_one_name_frees_no_other_that_contains_it() -> None:
    """TR-01: purposes `seen` and `seen2`, answered apart, in both orders."""
    words = {"title": "A", "description": "B"}
    cookies = {"one": cookie("seen"), "two": cookie("seen2")}
    some = policy_of({"seen": words, "seen2": words}, cookies)
    for purpose, name in (("seen", "one"), ("seen2", "two")):
        browser = site(sets("one=1", "two=1"), some)
        await browser.submit("/consent", choice="accept-all", purpose=purpose)
        assert names(await browser.visit("/")) == [name]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"user_agent": "Googlebot/2.1"},
        {"sec_fetch_dest": "empty", "sec_fetch_mode": "cors"},
        {"sec_fetch_dest": "iframe"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "none"},
        {"cache_control": "max-age=0"},
        {"sec_fetch_user": "?0"},
    ],
    ids=str,
)
async def test_a_second_request_is_no_consent_unless_somebody_went_there(
    headers: dict[str, str],
) -> None:
    """TR-04, R-09: prefetch, bot, script, frame, link from elsewhere, reload: still undecided."""
    browser = site(sets("Test=1"), policy(mode="implied"))
    await browser.visit("/")
    assert "Test" not in names(await browser.follow("/news", **headers))
    assert "Test" in names(await browser.follow("/news"))


async def test_the_token_stays_far_below_what_browsers_drop() -> None:
    """TR-05: 4096 octets of name and value; here sixty purposes are answered one after the other.

    The policy's own check keeps their names short.
    """
    words = {"title": "A", "description": "B"}
    many = {f"purpose-{number}": words for number in range(60)}
    browser = site(sets(), policy_of(many))
    for purpose in many:
        await browser.submit("/consent", choice="accept-all", purpose=purpose)
    assert len(browser.cookies[TOKEN]) < 4000


async def test_many_removals_are_spread_over_responses() -> None:
    """TR-07: no more than a proxy's buffer holds; what still arrives is expired in the next."""
    browser = site(sets(), policy({"_ga_*": cookie()}))
    for number in range(100):
        browser.store(f"_ga_{number}=1; Path=/")
    octets = [sum(map(len, (await browser.visit("/")).set_cookies)) for _ in range(6)]
    assert 2000 < max(octets) <= MOST_OCTETS
    assert sum(size > 0 for size in octets) > 1
    assert octets[-1] == 0
    assert browser.cookies == {}


async def test_refusing_is_as_easy_as_granting_and_lasts_as_long() -> None:
    """TR-08, R-12, R-19: a button of the same kind in the same form, a token of the same life."""
    page = (await site(sets()).visit("/")).text
    buttons = re.findall(r'<button[^>]*value="(?:accept|reject)-all"[^>]*>', page)
    shape = {re.sub(r'value="[^"]*"', "", button) for button in buttons}
    assert (len(buttons), len(shape)) == (2, 1)
    lives = {
        assert_sets(await site(sets()).submit("/consent", choice=choice), TOKEN).attributes.max_age
        for choice in ("accept-all", "reject-all")
    }
    assert lives == {400 * DAY}


async def test_no_token_is_ever_left_to_a_shared_cache() -> None:
    """TR-10, R-88: neither with an answer nor with a page, even if the app called it public."""

    def handle(request: Request, response: Any) -> None:
        visitor_from(request).grant("analytics")
        response.headers["cache-control"] = "public, max-age=60, s-maxage=600"

    page = await site(handle).visit("/")
    assert_sets(page, TOKEN)
    cache = page.header("cache-control") or ""
    assert "private" in cache
    assert "public" not in cache
    assert "s-maxage" not in cache
    answer = await site(sets()).submit("/consent", choice="reject-all")
    assert answer.header("cache-control") == "no-store"


async def test_the_notice_is_shown_to_everybody_who_is_to_be_asked() -> None:
    """TR-11: no automated browser and no bot is told anything else."""
    plain, bot, driver = [
        (await site(sets()).visit("/", user_agent=agent)).body
        for agent in ("Mozilla/5.0", "Googlebot/2.1", "HeadlessChrome/150.0")
    ]
    assert plain == bot == driver
    assert b"accept-all" in plain


def test_nothing_is_sent_home() -> None:
    """TR-13: no module of the package opens a connection of its own."""
    package = Path(__file__).parents[1] / "src" / "consentkit"
    imported: set[str] = set()
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
    connecting = {"socket", "http.client", "urllib.request", "httpx", "requests", "smtplib"}
    assert imported & connecting == set()
    assert "starlette.responses" in imported


async def test_no_stale_permissions_are_sent() -> None:
    """TR-14, R-94: neither `interest-cohort` nor `browsing-topics`, nor any Permissions-Policy."""
    for path in ("/", "/consent", "/consent/cookies", "/consent/status"):
        page = await site(sets()).visit(path)
        assert page.header("permissions-policy") is None
        assert page.header("content-type") is not None


async def test_a_layer_outside_that_may_set_cookies_is_told() -> None:
    """TR-03: what stands outside is not seen, so it is said once; wrapped whole, there is none."""

    async def page(request: Request) -> Answered:
        return HTMLResponse("<p>in")

    layers = [
        Middleware(SessionMiddleware, secret_key="k" * 32),
        Middleware(ConsentMiddleware, policy=policy(), secret_key=SECRET),
    ]
    browser = Browser(Starlette(routes=[Route("/", page)], middleware=layers))
    with pytest.warns(UncoveredLayerWarning, match="SessionMiddleware"):
        await browser.visit("/")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await browser.visit("/")
