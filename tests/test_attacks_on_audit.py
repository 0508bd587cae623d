"""Attacks on the auditor and on the testing room: by the site, by a neighbour, by a careless test.

Each test is one attack, and what it would win is written where it fails. Nothing is mocked but the
network: a site is a function that answers.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import Receive, Scope
from starlette.types import Send as ASGISend

import consentkit
from consentkit import ConsentMiddleware
from consentkit.audit.baseline import Baseline, print_baseline, read_baseline
from consentkit.audit.console import show_report
from consentkit.audit.drafts import draft_from_scan, facts_of
from consentkit.audit.exports import json_text, junit, report_json, sarif
from consentkit.audit.findings import FindingKind, Report, report_on
from consentkit.audit.frontier import Limits
from consentkit.audit.headers import Answer, HeadersWitness, Jar, Send, inflated
from consentkit.audit.page import report_page
from consentkit.audit.scan import Options, scan
from consentkit.audit.seen import (
    Act,
    Banner,
    Look,
    Scan,
    SeenCookie,
    SeenItem,
    SeenRequest,
    Shape,
    ShownCookie,
    State,
    Violation,
    Visit,
    Witness,
    scan_to_json,
)
from consentkit.audit.traffic import Traffic
from consentkit.rules.policy import Basis, Policy, Where
from consentkit.rules.policy_file import policy_from, read_policy
from consentkit.shell.terminal import Screen
from consentkit.testing import assert_blocked, audit_app, consent_client
from tests.audit.chromium import lending
from tests.browser.servers import Server

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """One loop: what is attacked here does not know which it runs in."""
    return "asyncio"


SITE = "https://shop.example"
HTML = (b"content-type", b"text/html")
NOTICE = (
    b'<section id="consentkit"><form action="%s"><input type=hidden name=next value="%s">'
    b"<button name=choice value=accept-all>Yes<button name=choice value=reject-all>No</form>"
    b"</section>"
)
POLICY = policy_from(
    {
        "site": {"name": "x", "controller": "x"},
        "mode": "explicit",
        "languages": ["en"],
        "purposes": {
            "necessary": {"basis": "strictly-necessary", "title": "x", "description": "x"},
            "stats": {"title": "x", "description": "x"},
        },
        "cookies": {"ok": {"kind": "session", "purpose": "stats", "description": "x"}},
    }
)


# --- The site chooses the names -------------------------------------------------------------------

EVIL = (
    "</style><script>alert(1)</script>",
    "]]>",
    "red\x1b[31m\x1b]0;title\x07",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\ud800",
    "nul\x00",
    "a\n    basis: strictly-necessary",
    "purposes:\n  necessary:\n    basis: strictly-necessary",
    "# x",
    "x\u2028y: z",
    "x\x85y: z",
    "'\"`\\",
    "{purpose: necessary}",
    "!!python/object/apply:os.system ['true']",
    "&a *a",
    "<<",
    "---",
    "null",
    "2026-11-22",
    "a{b}*",
    "\ufffe\uffff\ufeff\U000e0041",
    "x" * 20_000,
)
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def hostile() -> Scan:
    """A scan in which everything that a site may choose is chosen by somebody who means harm."""
    visits = tuple(
        Visit(
            f"/{evil}",
            State.UNTOUCHED,
            200,
            cookies=(SeenCookie(evil, evil, evil, seconds=99, initiator=evil),),
            items=(SeenItem(Where.LOCAL, evil, evil),),
            requests=(SeenRequest(evil, evil, "script", evil),),
            violations=(Violation(evil, evil),),
            banner=Banner("unknown", look(evil), look(evil), evil, (evil,)),
            title=evil,
            language=evil[:35],
        )
        for evil in EVIL
    )
    failed = tuple(Visit(f"/{n}", State.GRANTED, error=evil) for n, evil in enumerate(EVIL))
    return Scan(
        SITE,
        Witness.BROWSER,
        "2026-11-22T00:00:00Z",
        visits=(*visits, *failed),
        acts=tuple(Act(State.REFUSED, None, evil) for evil in EVIL),
        shown=tuple(ShownCookie(evil, evil) for evil in EVIL),
        left_out=dict.fromkeys(EVIL, "".join(EVIL[:-1])),
    )


def look(evil: str) -> Look:
    return Look(evil, 9, 9, 9.0, evil, evil, f"rgb(1, 2, 3){evil}")


def reports() -> Iterator[Report]:
    yield report_on(POLICY, hostile())
    yield report_on(None, hostile())


def on_terminal(report: Report) -> str:
    stream = StringIO()
    show_report(Screen(stream), report, POLICY)
    return stream.getvalue()


@pytest.mark.parametrize(
    "printed",
    [
        on_terminal,
        lambda report: report_page(report, POLICY),
        lambda report: json_text(report_json(report)),
        lambda report: json_text(sarif(report)),
        junit,
        lambda report: print_baseline(Baseline().renewed(report, date(2026, 11, 22))),
        lambda report: "".join(finding.draft for finding in report.findings),
    ],
    ids=["terminal", "html", "json", "sarif", "junit", "baseline", "drafts"],
)
def test_no_sign_that_an_eye_cannot_see_reaches_an_output(printed: Callable[[Report], str]) -> None:
    """It would move a cursor, turn the writing round, end a file early, or be no UTF-8."""
    for report in reports():
        text = printed(report)
        assert UNSEEN.findall(text) == []
        text.encode()


def test_no_name_becomes_markup_in_the_html_report() -> None:
    """It would run where the report is read, with the report's own origin."""
    for report in reports():
        page = report_page(report, POLICY).lower()
        assert "<script" not in page
        assert page.count("</style") == 1
        assert "alert(1)" in page  # the control: it stands there, escaped


def test_junit_stays_xml_and_baselines_stay_themselves() -> None:
    """`]]>`, a NUL or U+FFFE would make a build server refuse the file, and pass."""
    for report in reports():
        cases = [*ET.fromstring(junit(report)).iter("testcase")]  # noqa: S314 - it is our own
        assert len(cases) >= len(report.findings) > 0
        baseline = Baseline().renewed(report, date(2026, 11, 22))
        assert read_baseline(print_baseline(baseline)).apply(report).findings == ()


def test_no_name_smuggles_a_key_into_a_draft() -> None:
    """A cookie that is called like YAML would make itself strictly necessary."""
    scanned = hostile()
    draft = draft_from_scan(scanned, facts_of(scanned))
    policy = read_policy(draft.text)
    assert "<<" in policy.cookies  # the control: such names are declared as they are
    assert all(
        policy.basis_of(name) is not Basis.STRICTLY_NECESSARY
        for section in (policy.cookies, policy.storage, policy.services)
        for item in section.values()
        for name in item.purpose
    )
    assert {*yaml.safe_load(draft.text)} <= {
        "site", "mode", "languages", "purposes", "services", "cookies", "storage", "undeclared",
    }  # fmt: skip
    assert UNSEEN.findall(draft.text) == []


def test_every_draft_of_a_finding_is_one_entry_of_one_section() -> None:
    """It is pasted into consent.yaml: what else is in it is pasted, too."""
    report = report_on(POLICY, hostile())
    drafts = [finding.draft for finding in report.findings if finding.draft]
    assert len(drafts) > 10
    for draft in drafts:
        parts = yaml.safe_load(draft)
        assert {*parts} <= {"purposes", "services", "cookies", "storage"}
        assert "strictly-necessary" not in json.dumps(
            {**parts, **{section: [*parts[section].values()] for section in parts}}
        )


# --- The site plants secrets ----------------------------------------------------------------------

SECRET = "s3cr3t-5f0e2b7a9c"


async def test_no_value_and_no_foreign_query_is_kept_by_headers() -> None:
    """A report is sent around: a session's value or a token in it is a breach of its own."""
    page = (
        f'<title>Shop</title><img src="https://t.example/p.gif?u={SECRET}#{SECRET}">'
        f'<a href="https://t.example/?u={SECRET}">x</a>'
        f'<script src="//u:{SECRET}@t.example/t.js?{SECRET}"></script>'
    ).encode()

    async def send(*_: object) -> Answer:
        stored = (b"set-cookie", f"id={SECRET}; Path=/".encode())
        return Answer(200, (HTML, stored), page)

    found = await scan(f"{SITE}/", lambda: opened(send), Options(states=(State.UNTOUCHED,)))
    assert [one.name for one in found.visits[0].cookies] == ["id"]
    assert {one.host for one in found.visits[0].requests} == {"t.example"}
    assert SECRET not in json.dumps(scan_to_json(found))


async def opened(send: Send) -> HeadersWitness:
    return HeadersWitness(send)


def test_no_value_and_no_foreign_query_is_kept_by_a_browser() -> None:
    traffic = Traffic(lambda host: host == "shop.example", "main")
    request = {"url": f"https://t.example/p.gif?u={SECRET}#{SECRET}"}
    traffic.hear(
        "Network.requestWillBeSent",
        {
            "requestId": "1",
            "request": request,
            "type": "Image",
            "initiator": {"url": f"https://t.example/t.js?{SECRET}"},
        },
    )
    told = {
        "what": "cookie", "text": f"id={SECRET}", "by": f"{SITE}/a.js?{SECRET}", "isStored": True,
        "at": 0, "origin": SITE, "path": "/",
    }  # fmt: skip
    blocked = {"what": "violation", "directive": "img-src", "source": f"{SITE}/?{SECRET}"}
    for each in (told, blocked):
        payload = json.dumps(each)
        traffic.hear("Runtime.bindingCalled", {"name": "consentkitWitness", "payload": payload})
    seen = (traffic.requests(), traffic.cookies((), ()), traffic.violations())
    assert all(seen)
    assert SECRET not in repr(seen)


# --- The site leads away --------------------------------------------------------------------------

INSIDE = "http://169.254.169.254/latest/meta-data/"
AWAY = (INSIDE, "http://localhost:9/", "http://127.0.0.1/", "file:///etc/passwd", "javascript:1",
        "data:text/html,x", "//evil.test/", "https://shop.example.evil.test/")  # fmt: skip


class Net:
    """A network in which one site answers, and everything that is asked for is noted."""

    def __init__(self, page: bytes, *headers: tuple[bytes, bytes], status: int = 200) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self._answer = Answer(status, (HTML, *headers), page)

    async def send(self, method: str, url: str, _headers: object, body: bytes) -> Answer:
        self.asked.append((method, url, body))
        return self._answer

    @property
    def strange(self) -> list[str]:
        return [url for _, url, _ in self.asked if not url.startswith(f"{SITE}/")]


async def scanned(net: Net, *, send: bool = True) -> Scan:
    options = Options(workers=1, seconds=20)
    files = net.send if send else None
    return await scan(f"{SITE}/", lambda: opened(net.send), options, send=files)


@pytest.mark.parametrize("away", AWAY)
async def test_no_redirect_leads_a_scan_to_another_host(away: str) -> None:
    """From outside to what only this machine reaches: a cloud's keys, a router, a database."""
    net = Net(b"", (b"location", away.encode()), status=302)
    await scanned(net)
    assert net.asked
    assert net.strange == []


@pytest.mark.parametrize("away", AWAY)
async def test_no_link_frame_base_or_sitemap_leads_a_scan_to_another_host(away: str) -> None:
    page = (
        f'<base href="{away}"><a href="{away}">x</a><iframe src="{away}"></iframe><a href="x">y</a>'
        f"<urlset><url><loc>{away}</loc></url></urlset>\nSitemap: {away}\n"
    )
    net = Net(page.encode())
    await scanned(net)
    assert net.asked
    assert net.strange == []
    text = Net(page.encode(), (b"content-type", b"text/plain"))
    text._answer = replace(text._answer, headers=((b"content-type", b"text/plain"),))
    await scanned(text)
    assert text.strange == []


@pytest.mark.parametrize("away", AWAY)
async def test_no_answer_is_posted_to_another_host(away: str) -> None:
    """A notice that looks like ours would have the auditor post wherever it likes."""
    net = Net(NOTICE % (away.encode(), away.encode()))
    await HeadersWitness(net.send).prepare(SITE, f"{SITE}/", tuple(State))
    assert [url for method, url, _ in net.asked if method == "POST" and url in net.strange] == []


async def test_where_an_answer_leads_is_not_followed() -> None:
    """`next` is the page's word: the redirect that it comes to is not asked for."""
    net = Net(NOTICE % (b"/consent", INSIDE.encode()), (b"location", INSIDE.encode()))
    await HeadersWitness(net.send).prepare(SITE, f"{SITE}/", (State.REFUSED,))
    assert any(method == "POST" for method, _, _ in net.asked)
    assert net.strange == []


# --- The site is without end ----------------------------------------------------------------------


async def test_a_redirect_without_end_ends() -> None:
    net = Net(b"", (b"location", b"/next"), status=302)
    found = await scanned(net, send=False)
    assert all("redirects more than" in visit.error for visit in found.visits)
    assert len(net.asked) < 100


async def test_a_site_that_links_on_for_ever_ends() -> None:
    """Ten thousand links on each page, and each of them new."""
    count = iter(range(10**9))

    async def send(*_: object) -> Answer:
        links = (f'<a href="/p{next(count)}">' for _ in range(10_000))
        return Answer(200, (HTML,), "".join(links).encode())

    options = Options(states=(State.UNTOUCHED,), limits=Limits(pages=3), workers=1)
    found = await scan(f"{SITE}/", lambda: opened(send), options)
    assert len(found.visits) == 3
    assert len(found.left_out) <= 1001


async def test_a_jar_that_is_flooded_stays_small() -> None:
    """Ten thousand cookies, in one answer."""
    jar = Jar()
    for n in range(10_000):
        jar.store(f"c{n}=1; Path=/".encode(), f"{SITE}/", 0.0)
    assert len(jar.sent_to(f"{SITE}/", 0.0)) == 1000


def test_a_bomb_is_unpacked_as_far_as_it_is_read() -> None:
    """A gigabyte of nothing packs into a megabyte; a sitemap may be packed twice."""
    bomb = gzip.compress(bytes(50_000_000))
    body, is_cut = inflated(bomb, "gzip", 1000)
    assert (len(body), is_cut) == (1000, True)


# --- The site looks like what it is not -----------------------------------------------------------


async def test_a_button_that_says_no_and_grants_is_found_out() -> None:
    """What counts is what is stored after the press, and not what the button says."""

    async def send(method: str, *_: object) -> Answer:
        stored = ((b"set-cookie", b"ok=1; Path=/"),) if method == "GET" else ()
        return Answer(200, (HTML, *stored), NOTICE % (b"/consent", b"/"))

    found = await scan(f"{SITE}/", lambda: opened(send), Options(workers=1))
    assert State.REFUSED in {visit.state for visit in found.visits}
    kinds = {finding.kind for finding in report_on(POLICY, found).findings}
    assert FindingKind.AFTER_REFUSAL in kinds


@pytest.mark.parametrize(
    "removal", ["ok=; Max-Age=0; Path=/", "ok=; Max-Age=0; Path=/shop; Secure; Partitioned"]
)
async def test_a_removal_that_misses_is_found_out(removal: str) -> None:
    """Another path or another partition is another cookie: it is still sent (R-16)."""

    async def send(method: str, _url: str, _headers: object, body: bytes) -> Answer:
        if method == "GET":
            return Answer(200, (HTML,), NOTICE % (b"/consent", b"/"))
        stored = "ok=1; Path=/; Secure" if b"accept" in body else removal
        return Answer(200, ((b"set-cookie", stored.encode()),))

    misses = "Partitioned" in removal
    found = await scan(f"{SITE}/", lambda: opened(send), Options(workers=1))
    stayed = [v.sent for v in found.visits if v.state is State.WITHDRAWN]
    assert [[one.name for one in each] for each in stayed] == [["ok"] if misses else []]
    told = {(one.kind, one.name) for one in report_on(POLICY, found).findings}
    assert ((FindingKind.STILL_SENT, "ok") in told) is misses


def test_a_prefix_in_a_name_earns_a_tracker_nothing() -> None:
    """Declared strictly necessary under another spelling, it is a tracker all the same (R-32)."""
    seen = SeenCookie("__Host-x", "shop.example", secure=True, shape=Shape.IDENTIFIER)
    found = Scan(SITE, Witness.HEADERS, "", visits=(Visit("/", State.UNTOUCHED, 200, (seen,)),))
    assert [one.name for one in report_on(POLICY, found).findings] == ["__Host-x"]


# A page breaks what watches it: each of these stores a cookie, and hides it as well as it can.
HIDING = {
    "/frozen": "Object.defineProperty(Document.prototype, 'cookie', {get: () => '', set() {"
    "throw 1}}); cookieStore.set('hidden', '1')",
    "/blind": "JSON.stringify = () => {throw 1}; Error.stackTraceLimit = 0; Date.now = () => NaN;"
    "Function.prototype.toString = () => {throw 1}; document.cookie = 'hidden=1'",
    "/gone": "document.cookie = 'hidden=1'; document.cookie = 'hidden=; Max-Age=0'",
    "/asking": "document.cookie = 'hidden=1'; setInterval(() => alert(1), 1)",
    "/opening": "document.cookie = 'hidden=1'; for (let n = 0; n < 5; n++) open('/' + n)",
    "/framed": "const one = document.createElement('iframe'); document.documentElement.append(one);"
    "one.contentDocument.cookie = 'hidden=1; path=/'",
    "/lying": "Array.prototype.includes = () => false; String.prototype.split = () => [];"
    "String.prototype.trim = () => ''; document.cookie = 'hidden=1'",
}


@pytest.mark.browser
async def test_no_page_hides_a_cookie_from_the_browser() -> None:
    """The jar has the last word: a script that blinds the witness's own hides nothing in there."""

    async def app(scope: Scope, receive: Receive, send: ASGISend) -> None:
        script = HIDING.get(scope["path"], "")
        await HTMLResponse(f"<title>x</title><script>{script}</script>")(scope, receive, send)

    with Server(app) as server:
        async with lending() as witness:
            for path in HIDING:
                page = f"{server.origin('shop.localhost')}{path}"
                visit, _ = await witness.visit(page, State.UNTOUCHED)
                assert (path, [one.name for one in visit.cookies]) == (path, ["hidden"])


# --- The neighbour --------------------------------------------------------------------------------


def test_nothing_of_the_two_rooms_unpickles() -> None:
    """A journal, a baseline or a report that somebody else wrote would be a program."""
    room = Path(consentkit.__file__).parent
    sources = [*room.glob("audit/**/*.py"), *room.glob("testing/**/*.py")]
    assert len(sources) > 20
    for source in sources:
        assert not re.search(r"\b(?:pickle|marshal|shelve|dill)\b", source.read_text("utf-8"))


# --- The careless test ----------------------------------------------------------------------------


def page_of(request: Request) -> HTMLResponse:
    response = HTMLResponse("<html><body>x</body></html>")
    if request.url.path == "/sets":
        response.set_cookie("ok", "1")
    return response


def site(policy: Policy = POLICY) -> ConsentMiddleware:
    app = Starlette(routes=[Route("/", page_of), Route("/sets", page_of)])
    return ConsentMiddleware(app, policy=policy, secret_key="k" * 40)


def test_what_is_never_set_is_not_called_blocked() -> None:
    """A name that is misspelled would pass for ever."""
    with consent_client(site(), "refused") as client:
        assert_blocked(client.get("/sets"), "ok")
        with pytest.raises(AssertionError, match="proves nothing"):
            assert_blocked(client.get("/"), "ok")


@pytest.mark.parametrize("paths", [(), ["/nowhere"], ["/", "/nowhere"]])
def test_an_audit_that_looks_at_nothing_does_not_pass(paths: list[str]) -> None:
    with pytest.raises(AssertionError):
        audit_app(site(), paths)
    audit_app(site(), ["/"])
