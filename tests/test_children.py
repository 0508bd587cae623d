"""Pages for children: nothing optional is on there, whoever answered what (LAW R-11).

The same site stands twice: below ``/kids``, and beside it as the control. Which spellings of a path
are that page is tested in tests/rules/test_paths.py.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from consentkit import Event, Policy, visitor_from
from consentkit.testing import Browser, assert_blocked, assert_removed, assert_sets
from tests.apps import (
    ALLOWED,
    COOKIES,
    DECLARED,
    NAVIGATION,
    NOW,
    OTHERS,
    PAGE,
    PAGES,
    SOCKETS,
    Outcome,
    SetsCookies,
    connect,
    consent,
    get,
    policy,
    run,
    says,
    scope_of,
    site,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """What is said here depends on no event loop; trio has the tests of the exchange."""
    return "asyncio"


LINE: Final = "These pages are for children"
GPC: Final = {"sec-gpc": "1"}
VOTE: Final = b"poll-1=1; Path=/; Max-Age=60"
WORDS: Final = {"title": "T", "description": "D"}
RULES: Final[dict[str, Any]] = {
    "child-directed": ["/kids"],
    "purposes": {
        **DECLARED["purposes"],
        "films": WORDS,
        "polls": {**WORDS, "basis": "implied"},
    },
    "cookies": {
        **DECLARED["cookies"],
        "poll-{id}": {"kind": "poll-timeout", "purpose": "polls", "description": "You voted."},
    },
    "services": {
        "player": {"purpose": "films", "provider": "Films", "hosts": ["films.test"]},
        "counter": {"purpose": "measurement", "provider": "Counts", "hosts": ["counts.test"]},
    },
}
EMBEDS: Final = (
    b"<!doctype html><html lang=en><head><title>A page</title>"
    b"<script src=//counts.test/a.js></script></head>"
    b'<body><iframe src="//films.test/1"></iframe></body></html>'
)


def rules(**changes: Any) -> Policy:
    """A policy with an optional cookie, an optional poll and two services, and pages for kids."""
    return policy(**{**RULES, **changes})


def grounds(**changes: Any) -> ASGIApp:
    """The site twice: for children below ``/kids``, and for everybody."""
    cookies = (*COOKIES, VOTE)
    there, here = site(cookies=cookies), site(cookies=cookies)
    return consent(Starlette(routes=[Mount("/kids", there), Mount("", here)]), rules(**changes))


async def answered(
    app: ASGIApp, *forms: dict[str, str], headers: dict[str, str] | None = None
) -> dict[str, str]:
    """The headers of somebody who gave these answers, and has the cookies of the site."""
    browser = Browser(app, headers=headers, clock=lambda: NOW)
    for form in forms:
        await browser.submit("/consent", form.items())
    for name in ("sid", "visits", "poll-1", "stray"):
        browser.store(f"{name}=1; Path=/")
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return {**NAVIGATION, **(headers or {}), "cookie": cookies}


YES: Final = {"choice": "accept-all"}
NO: Final = {"choice": "reject-all"}
ALONE: Final = {"choice": "allow", "service": "player"}
AT_ONCE: Final = {"mode": "implied", "takes-effect": "at-once"}
OPT_OUT: Final = {"mode": "opt-out"}
VISITORS: Final[dict[str, tuple[dict[str, Any], tuple[dict[str, str], ...], dict[str, str]]]] = {
    "granted": ({}, (YES,), {}),
    "granted in the face of a signal": ({}, (YES,), GPC),
    "granted one service": ({}, (ALONE, {"choice": "allow", "purpose": "measurement"}), {}),
    "implied at once": (AT_ONCE, (), {}),
    "nothing said, and it is on": (OPT_OUT, (), {}),
    "opted out of nothing": (OPT_OUT, (YES,), {}),
}
"""What the policy says otherwise, what is answered, and the headers: where something is on."""


async def visitor(name: str, **changes: Any) -> tuple[ASGIApp, dict[str, str]]:
    """A site, and the headers of one of the visitors."""
    more, forms, headers = VISITORS[name]
    app = grounds(**{**more, **changes})
    return app, await answered(app, *forms, headers=headers)


# What leaves


@pytest.mark.parametrize("name", VISITORS)
@pytest.mark.parametrize("path", [*PAGES, *OTHERS])
async def test_nothing_optional_leaves_by_any_door(name: str, path: str) -> None:
    """R-11: page, JSON, redirect, error, static mount, sub-app, stream: whatever was answered."""
    app, headers = await visitor(name)
    held = await get(app, f"/kids{path}", headers)
    assert held.set_cookies == ALLOWED
    control = await get(app, path, headers)
    assert COOKIES[1] in control.set_cookies
    assert held.start["status"] == control.start["status"]


@pytest.mark.parametrize("name", VISITORS)
@pytest.mark.parametrize("path", SOCKETS)
async def test_nothing_optional_leaves_by_a_websocket(name: str, path: str) -> None:
    """R-11: the handshake and its refusal are doors as well."""
    app, headers = await visitor(name)
    assert (await connect(app, f"/kids{path}", headers)).set_cookies == ALLOWED
    assert COOKIES[1] in (await connect(app, path, headers)).set_cookies


async def test_a_vote_stores_nothing_optional_there() -> None:
    """R-11 before R-27: the vote asks for its cookie, and the purpose is an optional one."""
    app = grounds()
    own = {**await answered(app, YES), "origin": "https://testserver"}
    posted = scope_of("/kids/page", own, "POST"), scope_of("/page", own, "POST")
    held, control = [(await run(app, scope)).set_cookies for scope in posted]
    assert held == ALLOWED
    assert VOTE in control


# What comes in


@pytest.mark.parametrize("name", VISITORS)
async def test_the_app_sees_nothing_optional_there(name: str) -> None:
    """R-11, R-17: what was granted elsewhere is hidden, http and websocket alike."""
    app, headers = await visitor(name)
    for path in ("/json", "/echo"):
        ask = connect if path == "/echo" else get
        held = _seen(await ask(app, f"/kids{path}", headers))
        assert b"visits=" not in held
        assert b"poll-1=" not in held
        assert b"sid=1" in held
        assert b"stray=1" in held  # undeclared: block lets it be read, there as everywhere
        assert b"visits=" in _seen(await ask(app, path, headers))


def _seen(outcome: Outcome) -> bytes:
    """What an app says it saw, http or websocket."""
    said = "".join(message.get("text") or "" for message in outcome.messages)
    return outcome.body + said.encode()


@pytest.mark.parametrize("name", VISITORS)
async def test_what_is_hidden_there_stays_the_visitors(name: str) -> None:
    """R-11 is about these pages: what a visitor granted for the others is not taken away."""
    app, headers = await visitor(name)
    held = await get(app, "/kids/json", headers)
    assert not [value for value in held.set_cookies if b"visits" in value or b"poll" in value]
    assert b"visits=1" in (await get(app, "/json", headers)).body


async def test_what_was_refused_is_expired_there_too() -> None:
    """R-17: what is allowed nowhere goes, wherever it turns up; the control: above."""
    app = grounds()
    held = await get(app, "/kids/page", await answered(app, NO))
    assert any(value.startswith(b"visits=;") for value in held.set_cookies)


# What an app may do


async def _asks(request: Request) -> Response:
    """Tells what the visitor allows, and records what the query says."""
    who = visitor_from(request)
    for act in ("grant", "withdraw", "allow_service"):
        if name := request.query_params.get(act):
            getattr(who, act)(name)
    allowed = [name for name in ("necessary", "measurement", "polls") if who.allows(name)]
    answer = JSONResponse([*allowed, *["player"] * who.allows_service("player")])
    answer.set_cookie("visits", "1")
    return answer


def asking(**changes: Any) -> ASGIApp:
    """An app that asks, and records."""
    routes = [Route("/kids/ask", _asks), Route("/ask", _asks), Route("/kids/form", _asks)]
    return consent(Starlette(routes=routes), rules(**changes))


async def test_the_app_is_told_that_nothing_optional_is_allowed() -> None:
    """R-11: whatever is stored or sent elsewhere than in cookies is behind `visitor.allows`."""
    browser = Browser(asking(), clock=lambda: NOW)
    await browser.submit("/consent", choice="accept-all")
    assert (await browser.fetch("/kids/ask")).json() == ["necessary"]
    assert (await browser.fetch("/ask")).json() == ["necessary", "measurement", "polls", "player"]


async def test_an_answer_is_kept_and_has_no_effect_there() -> None:
    """R-11: no grant can allow anything there, not one given there either."""
    browser = Browser(asking(), clock=lambda: NOW)
    granted = await browser.fetch("/kids/ask?grant=measurement&allow_service=player")
    assert granted.json() == ["necessary"]
    assert_blocked(granted, "visits")
    assert_sets(granted, "__Host-consent")
    elsewhere = await browser.fetch("/ask")
    assert elsewhere.json() == ["necessary", "measurement", "player"]
    assert_sets(elsewhere, "visits")
    again = await browser.fetch("/kids/ask?grant=measurement&allow_service=player")
    assert_blocked(again, "visits")
    assert again.set_cookies == ()  # it stands: no new token
    other = await browser.fetch("/kids/ask?grant=polls")
    assert [value.partition(b"=")[0] for value in other.set_cookies] == [b"__Host-consent"]
    assert "visits" in browser.cookies


async def test_a_withdrawal_there_takes_away_what_is_elsewhere() -> None:
    """R-16: withdrawing works from every page, and only what is withdrawn goes."""
    browser = Browser(asking(), clock=lambda: NOW)
    await browser.submit("/consent", choice="accept-all")
    browser.store("visits=1; Path=/")
    kept = await browser.fetch("/kids/ask?withdraw=polls")
    assert "visits" in browser.cookies
    assert_sets(kept, "__Host-consent")
    assert_removed(await browser.fetch("/kids/ask?withdraw=measurement"), "visits")
    assert "visits" not in browser.cookies
    await browser.submit("/consent", choice="accept-all")
    unseen = await browser.fetch("/kids/ask?withdraw=measurement")  # one of a path that is not here
    assert_removed(unseen, "visits")


# What loads, and what the notice says


def _line(body: bytes) -> str:
    found = re.search(rb'<section class="consentkit.*?</section>', body, re.DOTALL)
    return unescape(found[0].decode()) if found else ""


def embedding(**changes: Any) -> ASGIApp:
    """Every path is a page with a script and a frame of services."""
    links = [(b"content-type", b"text/html"), (b"link", b"<//counts.test/b.js>; rel=preload")]
    return consent(says(EMBEDS, headers=links), rules(**changes))


@pytest.mark.parametrize("name", VISITORS)
async def test_no_service_loads_there(name: str) -> None:
    """R-11: tags wait, and links that fetch are taken out, whatever was answered."""
    more, forms, headers = VISITORS[name]
    app = embedding(**more)
    told = await answered(app, *forms, headers=headers)
    held, control = await get(app, "/kids/page", told), await get(app, "/page", told)
    assert b" src=//counts.test" not in held.body
    assert b' src="//films.test' not in held.body
    assert held.all(b"link") == ()
    assert b" src=//counts.test" in control.body
    assert control.all(b"link")


async def test_a_placeholder_there_asks_nothing() -> None:
    """R-11: a child is not asked; the control: elsewhere the frame's place has a button."""
    app = embedding()
    held = (await get(app, "/kids/page", NAVIGATION)).body
    assert b"srcdoc" in held
    assert b"&lt;button" not in held
    assert b"&lt;button" in (await get(app, "/page", NAVIGATION)).body


@pytest.mark.parametrize("choice", ["accept-all", "reject-all", None])
@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
async def test_there_is_one_quiet_line(mode: str, choice: str | None) -> None:
    """R-11: nothing is asked there, and the line says why; the script asks for the same."""
    app = embedding(mode=mode, languages=["en", "de"])
    forms = [{"choice": choice}] if choice else []
    line = _line((await get(app, "/kids/page", await answered(app, *forms))).body)
    assert LINE in line
    assert "<form" not in line
    assert ' data-query="lang=en&children"' in line
    assert '"purposes":["necessary"],"services":[],"clear":{},"open":[]' in line
    assert "Sec-GPC" not in line
    control = _line((await get(app, "/page", await answered(app, *forms))).body)
    assert "<form" in control or choice == "reject-all"
    assert ' data-query="lang=en"' in control


async def test_the_script_gets_the_line_again() -> None:
    """R-11: an answer given in another tab changes nothing in a page for children."""
    browser = Browser(embedding(), clock=lambda: NOW)
    for _ in range(2):
        line = (await browser.fetch("/consent/notice?lang=en&children")).text
        assert LINE in line
        assert '"services":[]' in unescape(line)
        await browser.submit("/consent", choice="accept-all")
    assert '"player"' in unescape((await browser.fetch("/consent/notice?lang=en")).text)


@pytest.mark.parametrize("where", ["/kids/page", "/KIDS/", "/%6bids?a=/news"])
async def test_a_script_of_such_a_page_is_told_what_holds_there(where: str) -> None:
    """R-11: by the Referer, for who asks without saying; the control: from elsewhere."""
    browser = Browser(embedding(), clock=lambda: NOW)
    await browser.submit("/consent", choice="accept-all")
    here = {"referer": f"https://testserver{where}"}
    held = (await browser.fetch("/consent/status", **here)).json()
    assert held["allowed"] == {"necessary": True} | dict.fromkeys(
        ("measurement", "films", "polls"), False
    )
    assert held["services"] == {"player": False, "counter": False}
    assert LINE in (await browser.fetch("/consent/notice", **here)).text
    said = (await browser.fetch("/consent/status?children")).json()
    assert said == held
    for referer in ("https://testserver/page?/kids", "https://other.test/kids", ""):
        told = (await browser.fetch("/consent/status", referer=referer)).json()
        assert told["allowed"]["measurement"]
    posted = await browser.request(
        "POST",
        "/consent",
        headers={**here, "origin": "https://testserver", "accept": "application/json"},
        body=b"choice=accept-all",
    )
    assert posted.json() == held


async def test_a_script_below_a_prefix_is_told_the_same() -> None:
    """R-11: the browser's address has what a mount or a proxy put before the site's own."""
    browser = Browser(Starlette(routes=[Mount("/my shop", embedding())]), clock=lambda: NOW)
    await browser.submit("/my%20shop/consent", choice="accept-all")
    for where, is_allowed in (("/my%20shop/kids", False), ("/my%20shop/page", True)):
        told = await browser.fetch(
            "/my%20shop/consent/status", referer=f"https://testserver{where}"
        )
        assert told.json()["allowed"]["measurement"] is is_allowed


async def test_storage_is_cleared_nowhere_but_where_nothing_is_ordinary() -> None:
    """What a visitor's browser keeps is the whole site's; where all of it is for children, not."""
    stored = {"seen": {"where": "local", "purpose": "measurement", "description": "d"}}
    for paths, clears in ((["/kids"], False), (["/"], True)):
        app = embedding(storage=stored, **{"child-directed": paths})
        headers = await answered(app, YES)
        assert ('"localStorage"' in _line((await get(app, "/kids", headers)).body)) is clears
        notice = (await get(app, "/consent/notice", headers, query_string=b"children")).body
        assert (b"&#34;localStorage&#34;" in notice) is clears


async def test_the_preferences_are_a_link_in_such_a_page() -> None:
    """Switches there would stand for what is off, and could be on elsewhere."""
    hole = says(b"<!doctype html><body><div data-consentkit=preferences></div>")
    app = consent(hole, rules(placeholders=["*"]))
    headers = await answered(app, YES)
    held = (await get(app, "/kids/page", headers)).body
    assert b'<a class="consentkit-link" href="/consent"' in held
    assert b"<form" not in held
    assert b'role="switch"' in (await get(app, "/page", headers)).body
    assert b'role="switch"' in (await get(app, "/consent", headers)).body


# Consent by going on


def implied() -> Browser:
    """A visitor of a site whose visitors consent by going on."""
    return Browser(grounds(mode="implied"), clock=lambda: NOW)


async def _measured(browser: Browser) -> str:
    answer: str = (await browser.fetch("/consent/status")).json()["answers"]["measurement"]
    return answer


async def test_going_on_to_such_a_page_implies_nothing() -> None:
    """R-09, R-11: it is no page on which anything could follow; the control: any other."""
    browser = implied()
    await browser.visit("/page")
    await browser.follow("/kids/page")
    assert await _measured(browser) == "undecided"
    await browser.follow("/page")
    assert await _measured(browser) == "implied"


async def test_a_notice_that_is_not_there_was_not_seen() -> None:
    """R-09: the line asks nothing, so whoever goes on from there says nothing."""
    browser = implied()
    for _ in range(3):
        await browser.follow("/kids/page")
    assert set(browser.cookies) == {"sid"}
    await browser.follow("/page")
    assert await _measured(browser) == "undecided"


async def test_a_redirect_after_a_form_there_is_no_going_on() -> None:
    """R-09: the browser goes where it is sent, and it is sent from there to any page."""
    browser = implied()
    await browser.visit("/page")
    await browser.submit("/kids/redirect")
    await browser.follow("/page")
    assert await _measured(browser) == "undecided"
    await browser.follow("/page")
    assert await _measured(browser) == "implied"


# Caches


async def test_the_page_for_children_is_another_variant() -> None:
    """R-89: a copy of one is not confirmed as the other, were they the same address."""
    page = says(PAGE, headers=[(b"content-type", b"text/html"), (b"etag", b'"a"')])
    tags = set()
    for own in ("/kids", "/other"):
        app = consent(page, rules(**{"child-directed": [own], "settings-link": "manual"}))
        for forms in ((), (YES,), (NO,)):
            (tag,) = (await get(app, "/kids", await answered(app, *forms))).all(b"etag")
            tags.add((own, tag))
    # For children it is one for everybody; the others differ by what was answered.
    assert [own for own, _ in sorted(tags)] == ["/kids", "/other", "/other", "/other"]
    assert len({tag for _, tag in tags}) == 4


async def test_one_visitor_gets_both_in_turn() -> None:
    """What is remembered of a visitor, a page or an answer is remembered for its place."""
    app = embedding()
    headers = await answered(app, YES)
    for _ in range(3):
        assert LINE in _line((await get(app, "/kids/page", headers)).body)
        assert LINE not in _line((await get(app, "/page", headers)).body)
        under = {"root_path": "/kids"}
        assert LINE in _line((await get(app, "/page", headers, **under)).body)


async def test_a_shared_page_for_children_is_the_same_for_all_and_whole() -> None:
    """`pages: shared`: nobody's answer counts there, so nothing is hidden until a script asks."""
    app = embedding(pages="shared")
    bodies = set()
    for choice in ("", "accept-all", "reject-all"):
        browser = Browser(app, clock=lambda: NOW)
        if choice:
            await browser.submit("/consent", choice=choice)
        held = await browser.visit("/kids/page")
        bodies.add(held.body)
        assert held.all(b"vary") == held.all(b"cache-control") == held.set_cookies == ()
    (body,) = bodies
    line = _line(body)
    assert LINE in line
    assert " hidden" not in line.partition(">")[0]
    assert "data-shared" not in line
    assert ' data-query="lang=en&children"' in line
    assert b" src=//counts.test" not in body
    assert b"&lt;button" not in body
    control = _line((await get(app, "/page", NAVIGATION)).body)
    assert " hidden" in control.partition(">")[0]
    assert "data-shared" in control


# The whole site


async def test_the_whole_site_may_be_for_children() -> None:
    """R-11: with ``/`` nothing optional is anywhere; our own pages answer, and a yes is kept."""
    app = grounds(**{"child-directed": ["/"]})
    headers = await answered(app, YES)
    for path in ("/page", "/kids/page", "/error", "/"):
        held = await get(app, path, headers)
        assert b"visits=1" not in b"".join(held.set_cookies)
    line = _line((await get(app, "/page", headers)).body)
    assert LINE in line
    for path in ("/consent", "/consent/dialog", "/consent/cookies", "/consent/status"):
        own = await get(app, path, headers)
        assert own.start["status"] == 200
    status = (await get(app, "/consent/status", headers)).body
    assert b'"measurement":false' in status
    assert LINE.encode() in (await get(app, "/consent/notice", headers)).body


async def test_what_was_granted_before_a_whole_site_was_for_children_goes() -> None:
    """R-16: there is no other page for which it could be kept."""
    app = grounds(**{"child-directed": ["/"]})
    held = await get(app, "/page", await answered(app, YES))
    assert any(value.startswith(b"visits=;") for value in held.set_cookies)


# Other spellings of the path


TRICKS: Final = (
    ("/kids", ""), ("/kids/", ""), ("//kids", ""), ("/kids//a", ""), ("/KIDS/a", ""),
    ("/./kids", ""), ("/kids/../news", ""), ("/news/../kids", ""), ("/kids;v=1/a", ""),
    ("/news/..;/kids", ""), ("\\kids", ""), ("/%6bids", ""), ("/%252e%252e/kids", ""),
    ("kids", ""), ("https://testserver/kids", ""), ("/kids.", ""), ("*", ""),
    # below a prefix: a proxy may have taken it off, or left it, and a mount adds its own
    ("/shop/kids", "/shop"), ("/kids", "/shop"), ("/shop//kids", "/shop/"), ("/kids/a", "/kids"),
    ("/a", "/kids"), ("/a", "/kids/shop"), ("/shop/KIDS", "/shop"), ("/shopkids", "/shop/../kids"),
)  # fmt: skip
PLAIN: Final = (
    ("/kidsclub", ""), ("/news/kids", ""), ("/", ""), ("", ""), ("/kid", ""), ("/shop", "/shop"),
    ("/shop/kidsclub", "/shop"), ("/a", "/kidsclub"), ("/shop/news", "/shop/"),
)  # fmt: skip


@pytest.mark.parametrize(("path", "root"), TRICKS)
async def test_another_spelling_is_the_same_page(path: str, root: str) -> None:
    """R-11: whatever the app makes of a path, a page for children is not taken for another."""
    app = consent(site_of_everything(), rules())
    held = await get(app, path, await answered(app, YES), root_path=root)
    assert held.start["status"] == 200
    assert held.set_cookies == ALLOWED
    assert b"visits=1" not in held.body


@pytest.mark.parametrize(("path", "root"), PLAIN)
async def test_what_is_like_it_is_another_page(path: str, root: str) -> None:
    """The control: what was granted goes on there."""
    app = consent(site_of_everything(), rules())
    held = await get(app, path, await answered(app, YES), root_path=root)
    assert COOKIES[1] in held.set_cookies
    assert b"visits=1" in held.body


def site_of_everything() -> ASGIApp:
    """Whatever the path, it sets the cookies and says what it saw."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen = [value for name, value in scope["headers"] if name == b"cookie"]
        headers = [(b"set-cookie", cookie) for cookie in COOKIES]
        await says(b"".join(seen), headers=headers)(scope, receive, send)

    return app


@pytest.mark.parametrize(
    "path",
    ["/files/kids/page.html", "/files//kids/page.html", "/files/./kids/page.html",
     "/files/a/../kids/page.html", "/files/kids/../kids/page.html", "/files/b/..//kids/page.html"],
)  # fmt: skip
async def test_a_real_folder_of_files_serves_a_page_under_many_paths(
    path: str, tmp_path: Path
) -> None:
    """Starlette's static files take dots and slashes away: %2F..%2F in the address is enough."""
    folder = tmp_path / "kids"
    folder.mkdir()
    (folder / "page.html").write_bytes(PAGE)
    (tmp_path / "page.html").write_bytes(PAGE)
    app = consent(
        SetsCookies(Starlette(routes=[Mount("/files", StaticFiles(directory=tmp_path))])),
        rules(**{"child-directed": ["/files/kids"]}),
    )
    headers = await answered(app, YES)
    held = await get(app, path, headers)
    assert held.start["status"] == 200
    assert held.set_cookies == ALLOWED
    assert LINE in _line(held.body)
    control = await get(app, "/files/page.html", headers)
    assert COOKIES[1] in control.set_cookies


# Report mode, and no such pages


async def test_in_report_mode_all_is_as_it_was() -> None:
    """DESIGN §5: nothing is blocked, hidden or changed; the log says what would be."""
    told: list[Event] = []
    bare = Starlette(routes=[Mount("/kids", site()), Route("/ask", _asks)])
    app = consent(bare, rules(), report_only=True, on_decision=told.append)
    headers = {**NAVIGATION, "cookie": "visits=1"}
    for path in ("/kids/page", "/kids/json"):
        held, plain = await get(app, path, headers), await get(bare, path, headers)
        assert held.start == plain.start
        assert held.body == plain.body
    assert ("hidden", "visits", "refused") in [(e.act, e.name, e.why) for e in told]
    launched = consent(
        Starlette(routes=[Route("/kids/ask", _asks)]), rules(), report_only=True, banner=True
    )
    asked = await get(launched, "/kids/ask", headers)
    assert b"measurement" in asked.body
    assert b"visits=1; Path=/; SameSite=lax" in asked.set_cookies


async def test_without_such_pages_nothing_is_looked_at() -> None:
    """A site that names none has none, however strange a path is."""
    app = consent(site_of_everything(), rules(**{"child-directed": []}))
    for path in ("/kids", "/news/../kids", "kids"):
        assert COOKIES[1] in (await get(app, path, await answered(app, YES))).set_cookies
