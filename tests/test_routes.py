"""Every endpoint, and every status it answers with."""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from consentkit import ConsentMiddleware, Policy
from consentkit.notice.assets import ASSETS, SHEETS, asset, assets_of, stylesheet
from consentkit.routes import LARGEST_BODY, best_coding, safe_next
from consentkit.testing import Browser, Response, assert_removed

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000.0
FORM = "application/x-www-form-urlencoded"
PRIVATE = "no-store"
HOST = "https://testserver"


def policy(**changes: Any) -> Policy:
    words = {"title": "A", "description": "B"}
    kind = {"kind": "session", "description": "C"}
    whole: dict[str, Any] = {
        "site": {
            "name": "A site",
            "controller": "Its owner",
            "contact": "a@site.example",
            "updated": "2026-06-01",
        },
        "mode": "explicit",
        "languages": ["en", "de"],
        "purposes": {
            "necessary": {**words, "basis": "strictly-necessary", "justification": "security"},
            "analytics": words,
            "films": words,
            "maps": words,
        },
        "cookies": {
            "_ga": {**kind, "purpose": "analytics"},
            "reel": {**kind, "purpose": "films"},
        },
        "services": {
            "player": {"purpose": ["films", "analytics"], "provider": "Films Inc"},
            "atlas": {"purpose": "maps", "provider": "Atlas Ltd"},
        },
    }
    return Policy.model_validate({**whole, **changes})


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """Sets a cookie for two purposes on every page, and says what it saw."""
    headers = [(b"content-type", b"text/plain")]
    headers += [(b"set-cookie", b"_ga=1"), (b"set-cookie", b"reel=1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    seen = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    await send({"type": "http.response.body", "body": b"the app saw: " + seen})


def browser(some: Policy | None = None, **options: Any) -> Browser:
    made: dict[str, Any] = {"secret_key": "s" * 32, "clock": lambda: NOW, **options}
    return Browser(ConsentMiddleware(site, policy=some or policy(), **made), clock=lambda: NOW)


async def status(visitor: Browser) -> dict[str, Any]:
    return (await visitor.fetch("/consent/status")).json()


async def answers(visitor: Browser) -> dict[str, str]:
    found: dict[str, str] = (await status(visitor))["answers"]
    return {name: answer for name, answer in found.items() if name != "necessary"}


def everything(answer: str) -> dict[str, str]:
    return dict.fromkeys(("analytics", "films", "maps"), answer)


async def post(visitor: Browser, body: bytes, **headers: str) -> Response:
    """A POST of raw bytes by the site's own page; JSON is wanted with `accept=`."""
    told = {"content-type": FORM, "sec-fetch-site": "same-origin", "accept": "text/html"}
    return await visitor.request("POST", "/consent", headers={**told, **headers}, body=body)


# What the choices do


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ([("choice", "accept-all")], everything("granted")),
        ([("choice", "reject-all")], everything("refused")),
        (
            [("choice", "accept-all"), ("purpose", "maps")],
            {**everything("undecided"), "maps": "granted"},
        ),
        (
            [("choice", "reject-all"), ("purpose", "maps"), ("purpose", "films")],
            {**everything("refused"), "analytics": "undecided"},
        ),
        # From the preferences, whose switches say what is on: every purpose is meant.
        (
            [("choice", "accept-all"), ("purpose", "maps"), ("whole", "1")],
            everything("granted"),
        ),
        (
            [("choice", "reject-all"), ("purpose", "maps"), ("whole", "1")],
            everything("refused"),
        ),
        ([("choice", "save")], everything("refused")),
        (
            [("choice", "save"), ("purpose", "maps"), ("purpose", "films")],
            {**everything("granted"), "analytics": "refused"},
        ),
        ([("choice", "save"), ("purpose", "necessary")], everything("refused")),
        ([("choice", "allow")], everything("undecided")),
        (
            [("choice", "allow"), ("purpose", "maps")],
            {**everything("undecided"), "maps": "granted"},
        ),
        ([("choice", "withdraw")], everything("refused")),
        (
            [("choice", "withdraw"), ("purpose", "films")],
            {**everything("undecided"), "films": "refused"},
        ),
    ],
    ids=str,
)
async def test_each_choice_does_what_it_says(
    form: list[tuple[str, str]], expected: dict[str, str]
) -> None:
    """DESIGN 5: the table of choices, from a visitor who has not answered (DC-19)."""
    visitor = browser()
    response = await visitor.submit("/consent", form)
    assert response.status == 303
    assert await answers(visitor) == expected
    carries = [raw for raw in response.set_cookies if raw.startswith(b"__Host-consent=")]
    assert len(carries) == (expected != everything("undecided"))


@pytest.mark.parametrize(
    ("choice", "fields", "kept"),
    [("allow", {"purpose": "maps"}, "granted"), ("withdraw", {"purpose": "maps"}, "granted")],
)
async def test_what_is_not_named_stays_as_it_was(
    choice: str, fields: dict[str, str], kept: str
) -> None:
    """R-04: a placeholder's button touches nothing but its own purpose."""
    visitor = browser()
    await visitor.submit("/consent", choice="accept-all", purpose="films")
    await visitor.submit("/consent", [("choice", choice), *fields.items()])
    found = await answers(visitor)
    assert found["films"] == kept
    assert found["analytics"] == "undecided"
    assert found["maps"] == ("granted" if choice == "allow" else "refused")


async def test_a_placeholders_button_lets_one_service_load_and_nothing_else() -> None:
    """R-04, R-53: the answer is for what stands behind the button; "always" is the purpose's."""
    visitor = browser()
    assert (await status(visitor))["services"] == {"player": False, "atlas": False}
    one = await visitor.submit("/consent", choice="allow", service="player")
    assert [raw.partition(b"=")[0] for raw in one.set_cookies] == [b"__Host-consent"]
    assert (await status(visitor))["services"] == {"player": True, "atlas": False}
    assert await answers(visitor) == everything("undecided")
    assert (await status(visitor))["open"] == ["analytics", "films", "maps"]
    both = [("choice", "allow"), ("service", "player"), ("purpose", "maps")]
    await visitor.submit("/consent", both)
    assert (await status(visitor))["services"] == {"player": True, "atlas": True}
    assert await answers(visitor) == {**everything("undecided"), "maps": "granted"}


@pytest.mark.parametrize(
    ("form", "loads"),
    [
        ([("choice", "reject-all")], False),
        ([("choice", "withdraw")], False),
        ([("choice", "save"), ("purpose", "maps")], False),
        ([("choice", "withdraw"), ("purpose", "analytics")], False),
        ([("choice", "withdraw"), ("purpose", "maps")], True),
        ([("choice", "save"), ("purpose", "films"), ("purpose", "analytics")], True),
    ],
    ids=str,
)
async def test_a_later_no_takes_the_service_back(form: list[tuple[str, str]], loads: bool) -> None:  # noqa: FBT001
    """GDPR 7(3): whichever button says no to one of its purposes."""
    visitor = browser()
    await visitor.submit("/consent", choice="allow", service="player")
    await visitor.submit("/consent", form)
    assert (await status(visitor))["services"]["player"] is loads


async def test_a_single_service_is_granted_alone() -> None:
    """R-53, *load this one*: the service may load, and no purpose is answered."""
    visitor = browser()
    assert (await status(visitor))["services"] == {"player": False, "atlas": False}
    await visitor.submit("/consent", choice="allow", service="player")
    assert (await status(visitor))["services"] == {"player": True, "atlas": False}
    assert await answers(visitor) == everything("undecided")


@pytest.mark.parametrize(
    ("before", "form", "loads", "granted"),
    [
        # a switch of its own, whatever its purposes' are
        ([], [("service", "player")], {"player"}, ""),
        ([("service", "player")], [("service", "player")], {"player"}, ""),
        ([("service", "player")], [], set(), ""),
        ([("service", "player")], [("service", "atlas")], {"atlas"}, ""),
        ([("purpose", "maps")], [("service", "atlas")], {"atlas"}, ""),
        (
            [("service", "player")],
            [("purpose", "films"), ("service", "player")],
            {"player"},
            "films",
        ),
        # what its purposes let load needs no grant of its own
        ([], [("purpose", "maps"), ("service", "atlas")], {"atlas"}, "maps"),
        ([("service", "atlas")], [("purpose", "maps"), ("service", "atlas")], {"atlas"}, "maps"),
    ],
    ids=str,
)
async def test_what_is_saved_is_what_was_switched_on(
    before: list[tuple[str, str]], form: list[tuple[str, str]], loads: set[str], granted: str
) -> None:
    """R-04: the preferences save each purpose and each service alone as its switch stands."""
    visitor = browser()
    for fields in (before, form):
        await visitor.submit("/consent", [("choice", "save"), *fields])
    services = (await status(visitor))["services"]
    assert {name for name in services if services[name]} == loads
    expected = everything("refused") | ({granted: "granted"} if granted else {})
    assert await answers(visitor) == expected
    await visitor.submit("/consent", choice="withdraw")
    assert not any((await status(visitor))["services"].values())


async def test_a_service_of_a_granted_purpose_is_not_written_down() -> None:
    """R-08: a grant by itself would outlast the purpose's, if the purpose came to mean more."""
    one, other = browser(), browser()
    await one.submit("/consent", [("choice", "save"), ("purpose", "maps"), ("service", "atlas")])
    await other.submit("/consent", choice="save", purpose="maps")
    assert one.cookies == other.cookies


@pytest.mark.parametrize("choice", ["accept-all", "reject-all", "save", "withdraw"])
async def test_an_answer_given_twice_sends_one_token(choice: str) -> None:
    """AC-11: nothing changed, so nothing is sent."""
    visitor = browser()
    first = await visitor.submit("/consent", choice=choice)
    second = await visitor.submit("/consent", choice=choice)
    assert first.set_cookies != ()
    assert second.status == 303
    assert second.set_cookies == ()


async def test_the_first_choice_counts_where_a_form_has_two() -> None:
    """A form that contradicts itself is read from the top."""
    visitor = browser()
    await visitor.submit("/consent", [("choice", "reject-all"), ("choice", "accept-all")])
    assert await answers(visitor) == everything("refused")


# Where it leads

PATHS = ["/", "/news", "/a?b=c&d=%20", "/a;b", "/a@b", "/a:b//c", "/~x/[y]", "/..//evil.com"]
TRAPS = [
    "",
    "news",
    "//evil.com",
    "///evil.com",
    "/\\evil.com",
    "\\\\evil.com",
    "/\\/evil.com",
    "https://evil.com",
    "https:evil.com",
    "javascript:alert(1)",
    "/\tevil.com",
    "/\t/evil.com",
    "\t//evil.com",
    " //evil.com",
    "/ /evil.com",
    "/\n/evil.com",
    "/a\r\nset-cookie: a=b",
    "/a\x00",
    "/é",
    "/" + "x" * LARGEST_BODY,
]


def host_per_whatwg(target: str) -> str:
    """The host a browser goes to from HOST, by the URL standard's own steps for special schemes.

    Tabs and line breaks are dropped, C0 and space trimmed, a backslash is a slash, and two slashes
    at the beginning start a host.
    """
    plain = target.strip("".join(map(chr, range(0x21))))
    plain = plain.translate({9: None, 10: None, 13: None}).replace("\\", "/")
    if plain.startswith("//"):
        return plain.lstrip("/").partition("/")[0].rpartition("@")[2]
    head = plain.partition("/")[0].partition("?")[0].partition("#")[0]
    return f"scheme {head}" if ":" in head else "testserver"


@given(
    st.text(st.sampled_from("/\\@:.?#ehtvil \t\r\n\x00%é"), max_size=12)
    | st.text()
    | st.sampled_from(PATHS + TRAPS)
)
@example("/\t/evil.com")
@example("/" + "\\" * 3)
def test_the_way_back_never_leads_to_another_host(path: str) -> None:
    """DESIGN 9: no open redirect, neither as urllib reads it nor as a browser does."""
    back = safe_next(path)
    if back is not None:
        assert back == path.partition("#")[0]
        assert urlsplit(urljoin(HOST + "/consent", back)).netloc == "testserver"
        assert host_per_whatwg(back) == "testserver"
        assert urlsplit(urljoin(HOST, f"{back}#consentkit")).fragment == "consentkit"
        assert back.isascii()
        assert back.isprintable()
        assert not set(back) & set(" \\\t\r\n")


@pytest.mark.parametrize("path", PATHS)
def test_a_path_of_this_site_is_a_way_back(path: str) -> None:
    """The control of the property above."""
    assert safe_next(path) == path


@pytest.mark.parametrize("path", TRAPS)
def test_what_could_lead_elsewhere_is_none(path: str) -> None:
    """Each of these has fooled somebody's redirect."""
    assert safe_next(path) is None


@pytest.mark.parametrize(
    ("next_path", "location"),
    [
        ("/news?page=2", "/news?page=2#consentkit"),
        ("/news?page=2#comments", "/news?page=2#consentkit"),
        ("/#//evil.com", "/#consentkit"),
        ("#comments", "/consent#consentkit"),
        (None, "/consent#consentkit"),
        ("https://evil.com", "/consent#consentkit"),
        ("//evil.com", "/consent#consentkit"),
        ("//evil.com#/", "/consent#consentkit"),
    ],
)
async def test_an_answer_leads_back_to_the_page(next_path: str | None, location: str) -> None:
    """DC-18: there, or to the preferences; 303, so that the browser asks with GET.

    It opens at the notice, which says what was saved; a fragment of the site's own gives way.
    """
    fields = {"choice": "reject-all"} | ({"next": next_path} if next_path is not None else {})
    response = await browser().submit("/consent", fields.items())
    assert (response.status, response.header("location")) == (303, location)
    assert response.header("cache-control") == PRIVATE


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("https://testserver/news?a=b", "/news?a=b"),
        ("https://evil.com/news", "/"),
        ("https://testserver//evil.com", "/"),
        ("https://testserver", "/"),
        ("news", "/"),
        ("", "/"),
    ],
)
async def test_the_preferences_lead_back_where_the_visitor_came_from(
    referer: str, back: str
) -> None:
    """R-15: and nowhere else."""
    page = await browser().visit("/consent", referer=referer)
    assert f'name="next" value="{back}"' in page.text.replace("&#61;", "=").replace("&amp;", "&")


# Who may post


@pytest.mark.parametrize(
    ("headers", "may"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
        ({"sec-fetch-site": "same-site", "origin": "https://shop.testserver"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://partner.example"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"origin": "https://testserver"}, True),
        ({"origin": "http://testserver"}, True),
        ({"origin": "https://testserver:8443"}, False),
        ({"origin": "https://partner.example"}, True),
        ({"origin": "http://partner.example"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
    ids=str,
)
async def test_who_may_post_an_answer(headers: dict[str, str], may: bool) -> None:  # noqa: FBT001
    """R-10, DESIGN 5: no third party can forge a grant; 403, and nothing is set."""
    visitor = browser(trusted_origins=["https://Partner.example"])
    told = {"content-type": FORM, **headers}
    response = await visitor.request("POST", "/consent", headers=told, body=b"choice=accept-all")
    assert response.status == (303 if may else 403)
    assert bool(response.set_cookies) is may
    assert await answers(visitor) == everything("granted" if may else "undecided")


async def test_a_refused_post_is_explained() -> None:
    """DESIGN 5: as a page that explains, as a word for a script."""
    cross = {"sec-fetch-site": "cross-site"}
    page = await post(browser(), b"choice=accept-all", **cross)
    assert page.header("content-type") == "text/html; charset=utf-8"
    assert 'href="/consent"' in page.text
    word = await post(browser(), b"choice=accept-all", **cross, accept="application/json")
    assert (word.status, word.json()) == (403, {"error": "cross-site"})
    assert word.header("cache-control") == page.header("cache-control") == PRIVATE


# What is posted


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "unknown-choice"),
        (b"choice=", "unknown-choice"),
        (b"choice=accept", "unknown-choice"),
        (b"choice=ACCEPT-ALL", "unknown-choice"),
        (b"purpose=analytics", "unknown-choice"),
        (b"choice=accept-all&purpose=analitics", "unknown-purpose"),
        (b"choice=accept-all&purpose=analytics&purpose=", "unknown-purpose"),
        (b"choice=allow&service=nobody", "unknown-purpose"),
        (b"choice=reject-all&purpose=nobody", "unknown-purpose"),
        (b"choice=reject-all&x=%ff", "form"),
        (b"choice=reject-all&x=\xff", "form"),
        (b"choice=reject-all&" + b"&".join([b"a=b"] * 600), "form"),
        (b'{"choice": "accept-all"}', "unknown-choice"),
    ],
)
async def test_an_unknown_choice_purpose_or_service_changes_nothing(body: bytes, word: str) -> None:
    """DC-20: told as a page and as JSON; nothing is set."""
    for accept in ("text/html", "application/json"):
        visitor = browser()
        response = await post(visitor, body, accept=accept)
        assert response.status == 400
        assert response.set_cookies == ()
        if accept == "application/json":
            assert response.json() == {"error": word}
        else:
            assert "<h1" in response.text
        assert await answers(visitor) == everything("undecided")


async def run(visitor: Browser, chunks: Iterable[bytes], *, ends: bool = True) -> Message:
    """POST a body in these chunks, without a Content-Length; returns the start."""
    headers = [(b"host", b"testserver"), (b"sec-fetch-site", b"same-origin")]
    scope = {"type": "http", "method": "POST", "path": "/consent", "headers": headers}
    incoming: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    incoming.append({"type": "http.request"} if ends else {"type": "http.disconnect"})
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await visitor.app(scope, receive, send)
    return sent[0]


async def test_a_large_body_is_413_at_once() -> None:
    """DESIGN 5: over 16 KiB, with a Content-Length or without, in one piece or in many."""
    choice = b"choice=reject-all&x="
    fits = choice + b"x" * (LARGEST_BODY - len(choice))
    assert LARGEST_BODY == 16384
    assert (await post(browser(), fits)).status == 303
    too_large = await post(browser(), fits + b"x", accept="application/json")
    assert (too_large.status, too_large.json()) == (413, {"error": "too-large"})
    assert too_large.set_cookies == ()
    assert (await run(browser(), [fits]))["status"] == 303
    assert (await run(browser(), [fits, b"x"]))["status"] == 413
    letters = [bytes([letter]) for letter in fits]
    assert (await run(browser(), letters))["status"] == 303
    assert (await run(browser(), [*letters, b"x"]))["status"] == 413


async def test_what_comes_after_a_body_that_is_too_large_is_not_read() -> None:
    """Nobody can make the server read on and on."""

    def endless() -> Iterable[bytes]:
        yield from [b"x" * 1000] * 17
        raise AssertionError("read on")

    visitor, chunks = browser(), iter(endless())
    headers = [(b"host", b"testserver"), (b"sec-fetch-site", b"same-origin")]
    scope = {"type": "http", "method": "POST", "path": "/consent", "headers": headers}
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": next(chunks), "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    await visitor.app(scope, receive, send)
    assert sent[0]["status"] == 413


async def test_a_visitor_who_goes_away_has_not_answered() -> None:
    """Half a form is no form."""
    whole, half = [b"choice=accept-all"], [b"choice=accept-all"]
    assert (await run(browser(), whole))["status"] == 303
    gone = await run(browser(), half, ends=False)
    assert gone["status"] == 400
    assert b"set-cookie" not in dict(gone["headers"])


# State as JSON


async def test_a_script_gets_the_state_and_no_redirect() -> None:
    """DC-19, AC-19: the same answer and the same tokens as by the form."""
    by_script, by_form = browser(), browser()
    accept = {"accept": "application/json"}
    response = await post(by_script, b"choice=accept-all&purpose=maps", **accept)
    form = await by_form.submit("/consent", choice="accept-all", purpose="maps")
    assert response.status == 200
    assert response.set_cookies == form.set_cookies != ()
    assert response.json() == await status(by_script) == await status(by_form)
    assert response.header("cache-control") == PRIVATE


async def test_the_state_says_what_is_answered_allowed_and_open() -> None:
    """DESIGN 5: for pages served from a cache; never stored."""
    visitor = browser()
    await visitor.submit("/consent", choice="accept-all", purpose="maps")
    response = await visitor.fetch("/consent/status", sec_gpc="1")
    assert response.header("cache-control") == PRIVATE
    assert response.header("content-type") == "application/json"
    assert response.json() == {
        "revision": 1,
        "decided": True,
        "answers": {
            "necessary": "granted",
            "analytics": "refused",
            "films": "refused",
            "maps": "refused",
        },
        "allowed": {"necessary": True, "analytics": False, "films": False, "maps": False},
        "services": {"player": False, "atlas": False},
        "open": [],
        "signals": ["gpc"],
    }
    without = await status(visitor)
    assert without["answers"]["maps"] == "granted"
    assert without["open"] == ["analytics", "films"]
    assert (without["decided"], without["signals"]) == (False, [])


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("Application/JSON;q=0.9", True),
        ("text/html,application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
async def test_json_is_for_those_who_ask_for_it_and_not_for_html(
    accept: str,
    is_json: bool,  # noqa: FBT001
) -> None:
    """A browser that posts a form gets a page, whatever else it lists."""
    response = await post(browser(), b"choice=save", accept=accept)
    assert response.status == (200 if is_json else 303)


# Pages and files

READABLE = {
    "/consent": ("text/html; charset=utf-8", PRIVATE),
    "/consent/cookies": ("text/html; charset=utf-8", "public, max-age=300"),
    "/consent/declaration.json": ("application/json", "public, max-age=300"),
    "/consent/status": ("application/json", PRIVATE),
    "/.well-known/gpc.json": ("application/json", "public, max-age=300"),
    "/consent/notice": ("text/html; charset=utf-8", PRIVATE),
    "/consent/dialog": ("text/html; charset=utf-8", PRIVATE),
    **{
        f"/consent/assets/{each.name}": (each.content_type, "public, max-age=31536000, immutable")
        for each in assets_of(policy())
    },
}


@pytest.mark.parametrize(("path", "expected"), READABLE.items())
async def test_every_endpoint_answers_get_and_head_alike(
    path: str, expected: tuple[str, str]
) -> None:
    """RFC 9110 section 9.3.2: HEAD has the headers GET would have; no endpoint sets anything."""
    got, head = [await browser().request(method, path) for method in ("GET", "HEAD")]
    assert got.status == head.status == 200
    assert sorted(got.headers) == sorted(head.headers)
    assert (got.header("content-type"), got.header("cache-control")) == expected
    assert got.header("content-length") == str(len(got.body))
    assert got.set_cookies == ()
    assert b"the app saw" not in got.body


@pytest.mark.parametrize("path", READABLE)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
async def test_another_method_is_405_with_allow(path: str, method: str) -> None:
    """RFC 9110 section 15.5.6."""
    allowed = "GET, HEAD, POST" if path == "/consent" else "GET, HEAD"
    response = await browser().request(method, path, headers={"sec-fetch-site": "cross-site"})
    if path == "/consent" and method == "POST":
        assert response.status == 403
        return
    assert (response.status, response.header("allow")) == (405, allowed)


@pytest.mark.parametrize(
    "path",
    [
        "/consent/",
        "/consent/x",
        "/consent/assets/",
        "/consent/assets/x.css",
        "/Consent",
        "/consentx",
    ],
)
async def test_every_other_path_is_the_apps(path: str) -> None:
    """Nothing is taken from the site but what is listed."""
    assert b"the app saw" in (await browser().request("GET", path)).body


async def test_the_endpoints_stand_where_the_site_wants_them() -> None:
    """`path=`; the control: they do not stand elsewhere."""
    visitor = browser(path="/privacy/choice")
    assert (await visitor.visit("/privacy/choice")).text.count('action="/privacy/choice"')
    assert b"the app saw" in (await visitor.visit("/consent")).body
    answered = await visitor.submit("/privacy/choice", choice="reject-all")
    assert answered.header("location") == "/privacy/choice#consentkit"


@pytest.mark.parametrize("path", ["/consent", "/consent/cookies", "/consent/dialog"])
async def test_the_stylesheets_name_is_its_hash(path: str) -> None:
    """DESIGN 5: hashed names, so `immutable` is true, and our own pages name both."""
    page = await browser().visit(path)
    for css in map(asset, SHEETS):
        assert page.text.count(f'href="/consent/assets/{css.name}"') == 1
        assert (await browser().fetch(f"/consent/assets/{css.name}")).body == css.body
    assert len(SHEETS) == 2


async def test_a_page_that_explains_is_styled_as_the_others() -> None:
    """Whoever is refused is told in the site's own place."""
    answer = await browser().submit("/consent", choice="maybe")
    assert answer.status == 400
    assert all(f"/consent/assets/{asset(name).name}" in answer.text for name in SHEETS)


async def test_a_script_gets_the_preferences_as_a_dialog() -> None:
    """The same form as the page's, in an element that a script can show over any page."""
    visitor = browser()
    await visitor.submit("/consent", choice="save", purpose="maps", service="player")
    back = {"referer": "https://testserver/news?a"}
    dialog = await visitor.fetch("/consent/dialog?lang=de", **back)
    page = await visitor.fetch("/consent", **back)
    assert "<dialog" in dialog.text
    assert "<dialog" not in page.text
    assert '<html lang="de"' in dialog.text
    assert '<html lang="en"' in page.text
    assert "frame-ancestors" in (dialog.header("content-security-policy") or "")
    assert "<script" not in dialog.text
    for name in ("name", "value"):
        found = [
            re.findall(rf'<(?:input|button)[^>]* {name}="([^"]+)"', each.text)
            for each in (dialog, page)
        ]
        assert found[0] == found[1] != []
    assert 'name="next" value="/news?a"' in dialog.text
    switched = re.findall(r'value="(\w+)"[^>]* checked', dialog.text)
    assert switched == ["player", "maps"]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", ""),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("BR;q=1.0 , gzip", "br"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("gzip;q=0.5, br;q=0", "gzip"),
        ("gzip;q=0", ""),
        ("*", "br"),
        ("*;q=0.1, br;q=0", "gzip"),
        ("br;q=0, *;q=0", ""),
        ("identity, gzip;q=0.5", ""),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity;q=0, *;q=0", ""),
        ("gzip;q=many, br;level=9", ""),
        ("deflate", ""),
        (",;,", ""),
    ],
)
def test_the_best_coding_that_is_accepted(accepted: str, expected: str) -> None:
    """RFC 9110 section 12.5.3: weights count, 0 is a refusal, and plain is always possible."""
    assert best_coding(accepted.encode(), [b"br", b"gzip"]).decode() == expected


async def test_a_file_comes_as_its_reader_can_read_it() -> None:
    """One name, one content, in three codings; what is kept is kept for those who can read it."""
    css = stylesheet()
    bodies = {"": css.body, "gzip": css.gzip, "br": css.brotli}
    for coding, body in bodies.items():
        response = await browser().fetch(f"/consent/assets/{css.name}", accept_encoding=coding)
        assert response.body == body
        assert response.header("content-encoding") == (coding or None)
        assert response.header("vary") == "Accept-Encoding"
        assert response.header("x-content-type-options") == "nosniff"


async def test_only_the_files_a_policy_uses_are_there() -> None:
    """The control: those it uses are."""
    used = policy(guard=True, integrations={"matomo": {"purpose": "analytics"}})
    for name in ASSETS:
        response = await browser(used).fetch(f"/consent/assets/{asset(name).name}")
        is_used = name not in {"google-consent-mode.js", "microsoft.js"}
        assert (b"the app saw" not in response.body) is is_used


# The notice as a document


async def test_a_script_gets_the_notice_of_its_visitor() -> None:
    """The question before the answer, the line after it, with the state each time."""
    visitor = browser()
    asked = await visitor.fetch("/consent/notice?next=/page%3Fa&lang=de")
    assert 'name="next" value="/page?a"' in asked.text
    assert '<html lang="de"' in asked.text
    assert "&#34;open&#34;:[&#34;analytics&#34;" in asked.text
    assert asked.header("x-content-type-options") == "nosniff"
    assert "frame-ancestors" in (asked.header("content-security-policy") or "")
    await visitor.submit("/consent", choice="accept-all")
    line = await visitor.fetch("/consent/notice")
    assert 'value="accept-all"' not in line.text
    assert 'value="withdraw"' in line.text
    assert "&#34;services&#34;:[&#34;player&#34;,&#34;atlas&#34;]" in line.text
    assert "Your answer now: all optional cookies are on." in line.text
    saved = await visitor.fetch("/consent/notice?lang=xx&saved")
    assert "Saved: all optional cookies are on." in saved.text


async def test_an_answer_leads_to_the_notice_it_asks_for() -> None:
    """The script posts the form with the notice as `next`, and follows."""
    visitor = browser()
    response = await visitor.submit("/consent", choice="reject-all", next="/consent/notice?saved")
    assert response.header("location") == "/consent/notice?saved#consentkit"
    assert response.set_cookies
    assert "Saved: all optional" in (await visitor.fetch("/consent/notice?saved")).text


@pytest.mark.parametrize("trap", TRAPS[1:4])
async def test_the_notice_leads_nowhere_else(trap: str) -> None:
    """No open redirect by way of the form in it."""
    asked = await browser().fetch(f"/consent/notice?{urlencode({'next': trap})}")
    assert 'name="next" value="/"' in asked.text


async def test_in_report_mode_everything_is_allowed_and_nothing_cleared() -> None:
    """A soft launch asks, and blocks nothing; the control: enforced, the same is cleared."""
    stored = {"theme": {"where": "local", "purpose": "maps", "description": "d"}}
    launched = browser(policy(storage=stored), report_only=True, banner=True)
    told = (await launched.fetch("/consent/notice")).text
    assert "&#34;clear&#34;:{}" in told
    assert "&#34;services&#34;:[&#34;player&#34;,&#34;atlas&#34;]" in told
    enforced = (await browser(policy(storage=stored)).fetch("/consent/notice")).text
    assert "&#34;clear&#34;:{&#34;localStorage&#34;" in enforced


async def test_the_declaration_is_reachable_without_an_answer() -> None:
    """R-74, R-77: exempt items too, our tokens too; as a page and for machines."""
    page = await browser().visit("/consent/cookies", accept_language="de")
    assert page.header("vary") == "Accept-Language"
    assert 'lang="de"' in page.text
    assert 'lang="en"' in (await browser().visit("/consent/cookies")).text
    declared = (await browser().fetch("/consent/declaration.json")).json()
    for name in ("_ga", "reel", "__Host-consent"):
        assert name in page.text
        assert name in json.dumps(declared)
    assert "__Host-consent-seen" not in page.text, "no purpose is implied, so it is never set"


async def test_the_support_of_gpc_is_told_where_it_is_honoured() -> None:
    """R-41: `/.well-known/gpc.json`, with the policy's date; else the path is the app's."""
    told = await browser().fetch("/.well-known/gpc.json")
    assert told.json() == {"gpc": True, "lastUpdate": "2026-06-01"}
    undated = {"name": "A", "controller": "B", "contact": "a@site.example"}
    assert (await browser(policy(site=undated)).fetch("/.well-known/gpc.json")).json() == {
        "gpc": True
    }
    deaf = policy().model_dump()["purposes"]
    for purpose in deaf.values():
        purpose["honours"] = ["dnt"]
    elsewhere = await browser(policy(purposes=deaf)).fetch("/.well-known/gpc.json")
    assert b"the app saw" in elsewhere.body


async def test_under_a_root_path_the_prefix_is_honoured() -> None:
    """DESIGN 5: where a proxy or a mount puts the app below a path, also one with blanks."""
    visitor = browser()

    async def below(scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, "root_path": "/my shop", "path": "/my shop" + scope["path"]}
        await visitor.app(scope, receive, send)

    shop = Browser(below)
    page = await shop.visit("/consent")
    assert 'action="/my%20shop/consent"' in page.text
    assert f"/my%20shop/consent/assets/{stylesheet().name}" in page.text
    answered = await shop.submit("/consent", choice="reject-all")
    assert answered.header("location") == "/my%20shop/consent#consentkit"


async def test_a_root_path_that_is_no_prefix_is_left_alone() -> None:
    """Some servers set `root_path` and do not put it into `path`."""
    visitor = browser()

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        await visitor.app({**scope, "root_path": "/con"}, receive, send)

    assert (await Browser(told).visit("/consent")).status == 200


# Together with enforcement


async def test_refusing_one_purpose_leaves_anothers_cookies() -> None:
    """DC-06, R-16: what is refused goes in this very response, HttpOnly or not; the rest stays."""
    visitor = browser()
    await visitor.submit("/consent", choice="accept-all")
    await visitor.visit("/")
    assert {"_ga", "reel"} <= set(visitor.cookies)
    response = await visitor.submit("/consent", choice="withdraw", purpose="films")
    assert_removed(response, "reel")
    assert "reel" not in visitor.cookies
    assert "_ga" in visitor.cookies
    page = await visitor.visit("/")
    assert b"_ga=1" in page.body
    assert b"reel" not in page.body
