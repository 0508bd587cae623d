"""Attacks on the auditor and on the testing room: by the site, by a neighbour, by a careless test.

Each test is one attack, and what it would win is written where it fails. Nothing is mocked but the
network: a site is a function that answers.
"""

import gzip
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from time import process_time
from typing import Any
from xml.etree import ElementTree as ET

import anyio
import pytest
import yaml
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope
from starlette.types import Send as ASGISend

import consentkit
from consentkit import ConsentMiddleware
from consentkit.audit.baseline import Baseline, print_baseline, read_baseline
from consentkit.audit.console import show_report
from consentkit.audit.drafts import draft_from_scan, facts_of, scan_in
from consentkit.audit.exports import json_text, junit, report_json, sarif
from consentkit.audit.findings import Finding, FindingKind, Report, Severity, report_on
from consentkit.audit.frontier import Limits, Robots
from consentkit.audit.headers import HeadersWitness, shown_in
from consentkit.audit.jar import Jar
from consentkit.audit.journal import Head, Journal
from consentkit.audit.markup import read_page
from consentkit.audit.network import Answer, Send, inflated
from consentkit.audit.page import report_page
from consentkit.audit.scan import Options, scan
from consentkit.audit.seen import (
    LARGEST,
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
    scan_from_json,
    scan_to_json,
)
from consentkit.audit.traffic import Traffic
from consentkit.errors import ScanError
from consentkit.rules.policy import Basis, Policy, Where
from consentkit.rules.policy_file import policy_from, read_policy
from consentkit.shell.terminal import Screen
from consentkit.testing import (
    Response,
    assert_banner,
    assert_blocked,
    assert_declaration_matches,
    assert_no_third_party,
    assert_removed,
    assert_sets,
    audit_app,
    audits,
    consent_client,
)
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
OK = {"kind": "session", "purpose": "stats", "description": "x"}
PLAIN: dict[str, Any] = {
    "site": {"name": "x", "controller": "x"},
    "mode": "explicit",
    "languages": ["en"],
    "purposes": {
        "necessary": {"basis": "strictly-necessary", "title": "x", "description": "x"},
        "stats": {"title": "x", "description": "x"},
    },
    "cookies": {"ok": OK},
}
POLICY = policy_from(PLAIN)


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
        name = b"ok" if method == "GET" else b"answer"
        return Answer(
            200, (HTML, (b"set-cookie", name + b"=1; Path=/")), NOTICE % (b"/consent", b"/")
        )

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


# --- The second reading: what the mends of the first did not hold ---------------------------------


EVIL_HOST = "evil.test"
FETCHING = {
    "an escaped name": r"<style>p{background:u\72l(//evil.test/a)}</style>",
    "an escaped rule": r'<style>@\69mport "//evil.test/a"</style>',
    "an escaped address": r"<style>p{background:url(\2f\2f evil.test/a)}</style>",
    "image-set": '<style>p{background:image-set("//evil.test/a" 1x)}</style>',
    "an older image-set": "<p style=\"background:-webkit-image-set('//evil.test/a' 1x)\">",
    "src()": '<style>@font-face{src:src("//evil.test/a")}</style>',
    "a paint of SVG": '<svg><rect fill="url(//evil.test/a#b)"/></svg>',
    "a filter of SVG": "<svg><rect filter='URL(//evil.test/a#b)'/></svg>",
    "a page in a frame": "<iframe srcdoc=\"<style>@import '//evil.test/a'</style>\"></iframe>",
    "a shadow": "<template shadowrootmode=open><style>@import '//evil.test/a'</style></template>",
    "a title in a picture": "<svg><title>x</svg><style>@import '//evil.test/a'</style>",
    "an address without end": f"<style>@import '//evil.test/{'a' * 3000}'</style>",
}


@pytest.mark.parametrize("how", FETCHING)
def test_no_style_fetches_unseen(how: str) -> None:
    """A font of another host, written so that a pattern misses it; both doors read one reader."""
    page = FETCHING[how].encode()
    seen = read_page(page, f"{SITE}/", lambda host: host == "shop.example").requests
    assert {one.host for one in seen} == {EVIL_HOST}
    with pytest.raises(AssertionError, match="from evil"):
        assert_no_third_party(page, site=SITE)
    harmless = page.replace(b"//evil.test", b"").replace(b"\\2f\\2f evil.test", b"")
    assert_no_third_party(harmless, site=SITE)


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be"])
async def test_no_page_hides_in_another_charset(charset: str) -> None:
    """Of UTF-16 the bytes look like no markup at all, and every browser reads it."""
    markup = "<title>Shop</title><img src=//evil.test/a>"
    body, kind = markup.encode(charset), f"text/html; charset={charset}".encode()

    async def send(*_: object) -> Answer:
        return Answer(200, ((b"content-type", kind),), body)

    visit, _ = await HeadersWitness(send).visit(f"{SITE}/", State.UNTOUCHED)
    assert (visit.title, [one.host for one in visit.requests]) == ("Shop", [EVIL_HOST])
    with pytest.raises(AssertionError, match="from evil"):
        assert_no_third_party(response(body, content_type=kind))


def response(body: bytes = b"<p>x</p>", status: int = 200, **headers: bytes) -> Response:
    given = {b"content-type": b"text/html"} | {
        name.replace("_", "-").encode(): value for name, value in headers.items()
    }
    return Response(status, tuple(given.items()), body, url=f"{SITE}/")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (response(b""), "the page is empty"),
        (response(b"", 204), "the page is empty"),
        (response(refresh=b"0; url=https://evil.test/"), "the page leads to evil.test"),
        (
            response(b"<meta http-equiv=Refresh content='0;URL=\"//evil.test/\"'>"),
            "the page leads to evil.test",
        ),
        (
            response(gzip.compress(b"<img src=//evil.test/a>"), content_encoding=b"gzip"),
            "<img> from evil.test/a",
        ),
    ],
)
def test_what_is_no_page_of_the_site_proves_nothing(given: Response, said: str) -> None:
    """Nothing is fetched by a page that is empty, packed, or left at once."""
    with pytest.raises(AssertionError, match=re.escape(said)):
        assert_no_third_party(given)
    with pytest.raises(AssertionError, match="the page leads to evil"):
        assert_no_third_party("<meta http-equiv=refresh content=1;//evil.test>", site=SITE)
    assert_no_third_party(response(refresh=b"300"))
    assert_no_third_party(response(b"<meta http-equiv=refresh content='0; url=/next'>"))
    assert_no_third_party(response(gzip.compress(b"<p>x"), content_encoding=b"gzip"))


def test_a_body_that_cannot_be_unpacked_is_no_page() -> None:
    """Of what is packed in a way that is not known here nothing can be said."""
    with pytest.raises(TypeError, match="no page in this"):
        assert_no_third_party(response(b"\x8b\x00\x80x", content_encoding=b"br"))


def test_where_a_redirect_leads_on_another_site_is_no_page_of_the_site() -> None:
    """Starlette's client hands every host to the app: it was its own page that was judged."""

    def away(_request: Request) -> RedirectResponse:
        return RedirectResponse("https://elsewhere.test/")

    app = Starlette(routes=[Route("/away", away), Route("/", page_of)])
    with consent_client(ConsentMiddleware(app, policy=POLICY, secret_key="k" * 40)) as client:
        with pytest.raises(AssertionError, match=r"leads to elsewhere\.test"):
            assert_no_third_party(client.get("/away"))
        assert_no_third_party(client.get("/"))


def test_the_last_word_on_a_cookie_counts() -> None:
    """What is set and expired again is not stored, and what is set after a removal is there."""
    removal = b"a=; Path=/; Max-Age=0"
    with pytest.raises(AssertionError):
        assert_sets([b"a=1; Path=/", removal], "a")
    with pytest.raises(AssertionError):
        assert_removed([removal, b"a=1; Path=/"], "a")
    assert_sets([removal, b"a=1; Path=/"], "a")
    assert_removed([b"a=1; Path=/", removal], "a")
    with pytest.raises(AssertionError):  # another path is another cookie
        assert_removed([b"a=1; Path=/shop", removal], "a")


def test_what_enforcement_never_saw_is_not_called_blocked() -> None:
    """An excluded path, or a layer that hands on a copy: that nothing came proves nothing."""
    inner = Starlette(routes=[Route("/", page_of), Route("/sets", page_of)])
    excluding = ConsentMiddleware(inner, policy=POLICY, secret_key="k" * 40, exclude=["/sets"])
    message = "no ConsentMiddleware was seen at work"
    with (
        consent_client(excluding, "refused") as client,
        pytest.raises(AssertionError, match=message),
    ):
        assert_blocked(client.get("/sets"), "never")
    with consent_client(site(), "refused") as client:
        assert_blocked(client.get("/sets"), "ok")


def test_no_hidden_or_dead_banner_is_a_banner() -> None:
    """Nobody sees it, or nobody can press it (R-12)."""
    notice = (
        "<section id=consentkit{}><form>{}<button name=choice value=accept-all{}>Yes</button>"
        "<button name=choice value=reject-all{}>No</button></form></section>"
    )
    assert_banner(notice.format("", "", "", ""))
    hiding = (
        "inert", "style=position:fixed;left:-9999px", "style=opacity:.01", "style=opacity:3%",
        "style=transform:scale(0)", 'style="height:0;overflow:hidden"', "style=top:-200vh",
        "style=clip-path:inset(100%)", "style=content-visibility:hidden",
        'style="clip:rect(0 0 0 0)"', 'style="clip:rect(1px,1px,1px,1px)"',
    )  # fmt: skip
    for each in hiding:
        with pytest.raises(AssertionError, match="the notice is there and hidden"):
            assert_banner(notice.format(f" {each}", "", "", ""))
    for dead in ("disabled", "type=button", "type=reset"):
        with pytest.raises(AssertionError, match="the notice is there and hidden"):
            assert_banner(notice.format("", "", f" {dead}", f" {dead}"))
    for around in ("<fieldset disabled>", "<details><summary>x</summary>"):
        with pytest.raises(AssertionError, match="the notice is there and hidden"):
            assert_banner(notice.format("", around, "", ""))
    for seen in (
        "style=opacity:.9",
        "style=left:-9px",
        "style=height:0",
        "style=transform:scale(.9)",
    ):
        assert_banner(notice.format(f" {seen}", "<details open>", "", ""))


class LogIn:
    """A layer outside of consentkit that takes every form, and answers it with a cookie or none."""

    def __init__(self, app: ConsentMiddleware, cookie: str = "") -> None:
        self.app, self.cookie = app, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: ASGISend) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        answer = RedirectResponse("/log-in", 303)
        if self.cookie:
            answer.headers["set-cookie"] = self.cookie
        await answer(scope, receive, send)


@pytest.mark.parametrize(
    ("cookie", "said"),
    [
        ("", "gave no cookie that a browser keeps"),
        ("a=1; Domain=elsewhere.test", "gave no cookie that a browser keeps"),
        ("flash=1", "no page was asked for with the answer that was given"),
    ],
)
def test_a_state_that_was_not_come_to_does_not_pass(cookie: str, said: str) -> None:
    """A log-in that takes the answers: a first visit five times, under other names."""
    audit_app(site())
    with pytest.raises(AssertionError, match=said):
        audit_app(LogIn(site(), cookie))


def test_a_token_that_no_browser_keeps_is_no_answer() -> None:
    """It is Secure, and the site is looked at by plain http."""
    with pytest.raises(AssertionError, match="gave no cookie that a browser keeps"):
        audit_app(site(), url="http://shop.test")


def test_a_site_that_fails_whoever_answered_does_not_pass() -> None:
    """A page that is a 500, or forbidden, in one state says nothing of that state."""

    def links(_request: Request) -> HTMLResponse:
        return HTMLResponse("<a href=/broken>x</a>")

    def fails(request: Request) -> HTMLResponse:
        answered = any("consent" in name for name in request.cookies)
        return HTMLResponse("no", 403 if answered and request.url.path == "/" else 200)

    def broken(_request: Request) -> HTMLResponse:
        return HTMLResponse("no", 500)

    whole = ConsentMiddleware(
        Starlette(routes=[Route("/", links), Route("/broken", broken)]),
        policy=POLICY,
        secret_key="k" * 40,
    )
    with pytest.raises(AssertionError, match="/broken, untouched: it answers with 500"):
        audit_app(whole)
    shy = ConsentMiddleware(
        Starlette(routes=[Route("/", fails)]), policy=POLICY, secret_key="k" * 40
    )
    with pytest.raises(AssertionError, match="/, refused: it answers with 403, and so nothing"):
        audit_app(shy)


def test_an_audit_reads_what_the_app_packs() -> None:
    """Behind GZipMiddleware every page was noise: no links, no tags, and all was well."""

    def long(_request: Request) -> HTMLResponse:
        return HTMLResponse(f"<html><body>{'x' * 2000}<a href=/sets>y</a></body></html>")

    app = Starlette(routes=[Route("/", long), Route("/sets", page_of)])
    inner = ConsentMiddleware(app, policy=POLICY, secret_key="k" * 40)
    report = audit_app(GZipMiddleware(inner), fail_on=None)
    assert {visit.page for visit in report.scan.visits} == {"/", "/sets"}


def test_a_stream_without_end_ends_an_audit_no_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Server-sent events behind a link: an hour for nothing."""
    monkeypatch.setattr(audits, "WITHIN", 1.0)

    async def events(_request: Request) -> StreamingResponse:
        async def told() -> AsyncIterator[bytes]:
            while True:
                await anyio.sleep(0.05)
                yield b"data: x\n\n"

        return StreamingResponse(told(), media_type="text/event-stream")

    def links(_request: Request) -> HTMLResponse:
        return HTMLResponse("<a href=/events>x</a>")

    app = Starlette(routes=[Route("/", links), Route("/events", events)])
    with pytest.raises(AssertionError, match="/events, untouched: it could not be looked at: Time"):
        audit_app(ConsentMiddleware(app, policy=POLICY, secret_key="k" * 40))


COMMANDS = (
    "##vso[task.setvariable variable=x]y",
    "##VSO[task.uploadfile]/etc/passwd",
    "##[add-mask]x",
    "##teamcity[buildStop comment='x']",
    "::add-mask::x",
    "::stop-commands::x",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_name_commands_a_build_server(command: str) -> None:
    """What a build prints is obeyed: a key of localStorage would set variables, or upload files."""
    items = (SeenItem(Where.LOCAL, command, "shop.example"),)
    seen = Scan(SITE, Witness.BROWSER, "", visits=(Visit("/", State.GRANTED, 200, items=items),))
    report = report_on(POLICY, seen)
    for text in (on_terminal(report), json_text(report_json(report)), json_text(sarif(report))):
        assert command[:6] not in text
    (item,) = scan_from_json(json.loads(json_text(report_json(report)))["scan"]).visits[0].items
    assert item.key == command


def test_no_name_is_a_link_or_a_file_of_the_build() -> None:
    """SARIF's viewers follow ``[words](address)``, JUnit's fetch ``[[ATTACHMENT|path]]``."""
    name = "[click](https://evil.test) [[ATTACHMENT|/etc/passwd]]"
    items = (SeenItem(Where.LOCAL, name, "shop.example"),)
    seen = Scan(SITE, Witness.BROWSER, "", visits=(Visit("/", State.GRANTED, 200, items=items),))
    report = report_on(POLICY, seen)
    (found,) = (each for each in sarif(report)["runs"][0]["results"] if "click" in str(each))
    assert "](" not in found["message"]["text"]
    texts = [*ET.fromstring(junit(report, None)).itertext()]  # noqa: S314 - it is our own
    assert any("click" in text for text in texts)
    assert not any("[[" in text for text in texts)


def test_a_site_that_makes_up_names_without_end_is_compared_soon() -> None:
    """Thousands of families of names, each held against each: a report that never comes."""
    cookies = tuple(SeenCookie(f"n{n // 2}_{n:016x}", "shop.example") for n in range(8000))
    seen = Scan(SITE, Witness.HEADERS, "", visits=(Visit("/", State.GRANTED, 200, cookies),))
    begun = process_time()
    assert len(report_on(POLICY, seen).findings) > 1000
    assert process_time() - begun < 20


def test_a_robots_txt_without_end_is_read_as_far_as_it_has_to_be() -> None:
    """RFC 9309 2.5: 500 KiB; each rule is held against each link of each page."""
    robots = Robots("User-agent: *\nDisallow: /a\n" + "Disallow: /*x*y*z\n" * 300_000)
    assert not robots.allows(f"{SITE}/a")
    begun = process_time()
    assert robots.allows(f"{SITE}/{'b' * 1000}")
    assert process_time() - begun < 1


@pytest.mark.parametrize("duration", [10**400, -5, True, "9" * 9, None, 1.5])
async def test_a_declaration_that_is_nonsense_breaks_no_report(duration: object) -> None:
    """It is read when the whole scan is done, and lost if that ends in an overflow."""
    told = {"cookies": [{"name": "ok", "kind": "persistent", "duration": duration}]}
    rows = shown_in(json.dumps(told).encode())
    assert rows is not None
    assert rows[0].seconds is None or 0 <= rows[0].seconds <= LARGEST
    lasting = policy_from(
        PLAIN | {"cookies": {"ok": OK | {"kind": "persistent", "duration": "30 days"}}}
    )
    seen = Scan(SITE, Witness.HEADERS, "", shown=rows)
    (found,) = report_on(lasting, seen).findings
    assert len(found.what) < 200


@pytest.mark.parametrize("path", ["cookies.0.seconds", "cookies.0.moment", "status"])
def test_a_number_beyond_all_measure_is_no_scan(path: str) -> None:
    """In a report or a journal that somebody else wrote: it would end in a traceback, late."""
    cookie: dict[str, Any] = {"name": "a", "domain": "b"}
    visit: dict[str, Any] = {"page": "/", "state": "gpc", "cookies": [cookie]}
    plain = {"site": SITE, "witness": "headers", "started": "", "visits": [visit]}
    scan_in(json.dumps(plain).encode(), "report.json")
    (cookie if "cookies" in path else visit)[path.rpartition(".")[2]] = 10**400
    with pytest.raises(ScanError, match="visits"):
        scan_in(json.dumps(plain).encode(), "report.json")


def test_a_finding_that_grew_worse_is_not_known() -> None:
    """A note in the baseline would cover an error of the same kind and name."""
    note = Finding(FindingKind.KIND_DIFFERS, "cookie", "x", "w", "c", lesser=Severity.NOTE)
    seen = Scan(SITE, Witness.HEADERS, "", visits=(Visit("/", State.UNTOUCHED, 200),))
    baseline = Baseline().renewed(Report(seen, (note,)), date(2026, 11, 22))
    baseline = read_baseline(print_baseline(baseline))
    assert baseline.apply(Report(seen, (note,))).findings == ()
    error = replace(note, lesser=None)
    worse = baseline.apply(Report(seen, (error,)))
    assert (worse.findings, worse.known, worse.gone) == ((error,), (), ())
    renewed = baseline.renewed(worse, date(2026, 11, 23))
    assert renewed.apply(Report(seen, (error,))).findings == ()
    assert renewed.apply(Report(seen, (note,))).findings == ()
    (entry,) = renewed.entries.values()
    assert entry.since == "2026-11-22"


def test_a_baseline_says_everything_once() -> None:
    """A reader of the review reads the first name, and the program the last."""
    entry = '{"kind": "undeclared", "subject": "cookie", "name": "harmless", "name": "_ga"}'
    text = f'{{"format": 1, "findings": [{entry}]}}'
    with pytest.raises(ScanError, match="a key stands in one object twice"):
        read_baseline(text)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_no_pipe_keeps_a_scan_waiting(tmp_path: Path) -> None:
    """A neighbour's pipe under the journal's name, which can be foretold."""
    pipe = tmp_path / "consentkit-scan-shop.example.journal"
    os.mkfifo(pipe)
    head = Head(SITE, f"{SITE}/", "headers", ("untouched",))
    with pytest.raises(ScanError, match="it is no file"):
        Journal.resume(head, pipe)
    with pytest.raises(ScanError, match="cannot be written"):
        Journal.begin(head, pipe)


def test_a_table_that_shows_a_name_twice_differs() -> None:
    """One row says 30 days, the other a year: whoever reads the second is told nothing wrong."""
    with consent_client(site()) as client:
        answer = client.get("/consent/declaration.json")
        assert_declaration_matches(answer)
        told = answer.json()
        row = next(row for row in told["cookies"] if row["name"] == "ok")
        twice = told | {"cookies": [row | {"kind": "persistent"}, *told["cookies"]]}
        body = json.dumps(twice).encode()
        with pytest.raises(AssertionError, match="'ok' is shown 2 times"):
            assert_declaration_matches(response(body, content_type=b"application/json"), POLICY)


# --- Good sites that were called bad --------------------------------------------------------------


async def test_a_clock_that_is_wrong_makes_no_cookie_live_longer() -> None:
    """Browsers take the difference out by Date: a day from there is a day from here."""
    set_cookie = b"a=1; Expires=Wed, 02 Jan 2030 00:00:00 GMT"
    date_there = (b"date", b"Tue, 01 Jan 2030 00:00:00 GMT")

    async def send(*_: object) -> Answer:
        return Answer(200, (HTML, date_there, (b"set-cookie", set_cookie)))

    visit, _ = await HeadersWitness(send).visit(f"{SITE}/", State.UNTOUCHED)
    assert [one.seconds for one in visit.cookies] == [86_400]


async def test_what_headers_fetch_and_where_pages_lead_is_followed() -> None:
    """A preload by a Link header, and a first page that is nothing but a refresh."""
    links = (
        b"link",
        b"<https://evil.test/f.woff2>; rel=preload, <https://shop.example/a>; rel=preload",
    )
    pages = {
        "/": Answer(200, (HTML, links), b"<meta http-equiv=refresh content='0;url=/home'>"),
        "/home": Answer(200, (HTML, (b"refresh", b"5, /last")), b""),
        "/last": Answer(200, (HTML,), b"<p style='mask:url(#a)'>"),
    }

    async def send(_method: str, url: str, *_: object) -> Answer:
        return pages[url.removeprefix(SITE)]

    options = Options(states=(State.UNTOUCHED,), workers=1)
    found = await scan(f"{SITE}/", lambda: opened(send), options)
    assert [visit.page for visit in found.visits] == ["/", "/home", "/last"]
    assert [one.host for visit in found.visits for one in visit.requests] == [EVIL_HOST]


def test_an_answer_without_content_needs_no_banner() -> None:
    """204 and 205 show nothing, whatever type they give."""
    asks = Visit("/", State.UNTOUCHED, 200, banner=Banner("consentkit"))
    for status in (200, 204, 205):
        empty = Visit("/empty", State.UNTOUCHED, status)
        found = report_on(POLICY, Scan(SITE, Witness.HEADERS, "", visits=(asks, empty)))
        assert [each.kind for each in found.findings] == (
            [FindingKind.NO_BANNER] if status == 200 else []
        )
