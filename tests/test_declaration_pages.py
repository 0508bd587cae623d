"""The declaration and the receipt over HTTP: who gets which page, and what caches may keep."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

import html5lib
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consentkit import ConsentMiddleware, OptionError, Policy
from consentkit.observed import MOST_NAMES, Observations
from consentkit.rules.policy_file import policy_from
from consentkit.testing import Browser, Response
from tests.apps import DECLARED, NOW, PAGE, SetsCookies, consent, policy, run, says, scope_of, site

pytestmark = pytest.mark.anyio

COOKIES = "/consent/cookies"
RECEIPT = "/consent/receipt"
HEADING = "Seen, but not declared"
ANSWERED_ON = "14 November 2023"  # what tests.apps.NOW says
STAFF = {"x-staff": "1"}

WITH_SERVICES = {
    "services": {
        "films": {"purpose": "measurement", "provider": "Films Ltd", "hosts": ["films.example"]}
    }
}


def is_staff(scope: Scope) -> bool:
    return (b"x-staff", b"1") in scope["headers"]


def browser(app: ASGIApp) -> Browser:
    return Browser(app, clock=lambda: NOW)


def words(response: Response) -> str:
    tree = html5lib.parse(response.body, namespaceHTMLElements=False)
    return " ".join("".join(tree.itertext()).split())


def rows(response: Response) -> list[str]:
    """The names in the table."""
    tree = html5lib.parse(response.body, namespaceHTMLElements=False)
    return [
        "".join(row[0].find("code").itertext())
        for row in tree.iter("tr")
        if row[0].get("scope") == "row"
    ]


def sightings(response: Response) -> dict[str, str]:
    """What the part for staff lists."""
    tree = html5lib.parse(response.body, namespaceHTMLElements=False)
    part = tree.find(".//section[@aria-labelledby='consentkit-observed']")
    if part is None:
        return {}
    return {"".join(item[0].itertext()): "".join(item[1].itertext()) for item in part.iter("li")}


def draft(response: Response) -> str:
    tree = html5lib.parse(response.body, namespaceHTMLElements=False)
    block = tree.find(".//pre")
    assert block is not None
    return "".join(block.itertext())


# The search


async def test_the_declaration_is_one_page_for_everybody() -> None:
    """R-74: answered or not, the same bytes, which a cache may keep."""
    visitor = browser(consent(site()))
    before = await visitor.visit(COOKIES)
    await visitor.submit("/consent", choice="accept-all")
    after = await visitor.visit(COOKIES)
    assert before.body == after.body
    for page in (before, after):
        assert page.header("cache-control") == "public, max-age=300"
        assert page.header("vary") == "Accept-Language"
        assert page.header("x-robots-tag") is None
        assert page.set_cookies == ()


async def test_a_search_is_answered_by_the_server_and_is_no_page_of_its_own() -> None:
    """Without a script; the same page under many addresses is none for an index of pages."""
    visitor = browser(consent(site()))
    found = await visitor.visit(f"{COOKIES}?q=visits+analytics")
    assert rows(found) == ["visits"]
    assert len(rows(await visitor.visit(COOKIES))) > 1
    assert found.header("x-robots-tag") == "noindex"
    assert found.header("cache-control") == "public, max-age=300"
    empty = await visitor.visit(f"{COOKIES}?q=")
    assert empty.body == (await visitor.visit(COOKIES)).body
    assert empty.header("x-robots-tag") == "noindex"


async def test_a_search_keeps_the_language_of_the_page_it_comes_from() -> None:
    """`lang` in the address counts for more than the browser's wish, also after a search."""
    texts = {"title": {"en": "Counting", "de": "Zählen"}, "description": {"en": "C", "de": "Z"}}
    purposes = {**DECLARED["purposes"], "measurement": texts}
    words_of = {
        name: {**item, "description": {"en": "E", "de": "D"}}
        for name, item in DECLARED["cookies"].items()
    }
    necessary = {
        **purposes["necessary"],
        "title": {"en": "Needed", "de": "Nötig"},
        "description": {"en": "E", "de": "D"},
    }
    rules = policy(
        languages=["en", "de"], purposes={**purposes, "necessary": necessary}, cookies=words_of
    )
    visitor = browser(consent(site(), rules))
    page = await visitor.visit(f"{COOKIES}?lang=de&q=z%C3%A4hlen", **{"accept-language": "en"})
    assert rows(page) == ["visits"]
    assert b'<input type="hidden" name="lang" value="de">' in page.body
    hostile = await visitor.visit(f"{COOKIES}?lang=%22%3E%3Cscript%3E&q=z")
    assert b'name="lang" value="en"' in hostile.body


@pytest.mark.parametrize(
    "query",
    [
        "%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "%00%01%0d%0aSet-Cookie:%20a=1",
        "%ff%fe",
        "a" * 6000,
        "+" * 3000,
        "%F0%9F%8D%AA",
        "%E2%80%AE%E2%81%A6",
    ],
)
async def test_no_query_breaks_the_page(query: str) -> None:
    """What is searched for is anybody's words, reflected as text in a page that runs nothing."""
    page = await browser(consent(site())).visit(f"{COOKIES}?q={query}")
    tree = html5lib.parse(page.body, namespaceHTMLElements=False)
    assert page.status == 200
    assert tree.find(".//script") is None
    assert len(page.body) < 20_000
    assert page.all(b"set-cookie") == ()
    assert "default-src 'none'" in (page.header("content-security-policy") or "")


SITE = consent(site())


@given(st.text(max_size=40))
async def test_any_query_is_answered(query: str) -> None:
    """Whatever a form sends."""
    text = quote(query.encode("utf-8", "surrogatepass"))
    scope = scope_of(COOKIES, {"accept": "text/html"}, query_string=f"q={text}".encode())
    outcome = await run(SITE, scope)
    assert outcome.error is None
    assert outcome.start["status"] == 200
    outcome.body.decode("ascii")


# The receipt


async def test_a_visitor_gets_their_own_receipt_and_nobody_keeps_it() -> None:
    """R-51: from the token alone, as a page and for machines."""
    visitor, other = browser(consent(site())), browser(consent(site()))
    await visitor.submit("/consent", choice="accept-all")
    page = await visitor.visit(RECEIPT)
    assert page.status == 200
    assert ANSWERED_ON in words(page)
    assert "Yes: you allowed it." in words(page)
    assert page.header("cache-control") == "no-store"
    assert page.set_cookies == ()
    told = (await visitor.fetch(RECEIPT, accept="application/json")).json()
    assert told == (await visitor.visit(f"{RECEIPT}.json")).json()
    assert [(one["name"], one["answer"]) for one in told["purposes"]] == [
        ("measurement", "granted")
    ]
    assert (await visitor.visit(f"{RECEIPT}.json")).header("cache-control") == "no-store"
    nothing = await other.visit(RECEIPT)
    assert "there is no receipt" in words(nothing)
    assert ANSWERED_ON not in words(nothing)


async def test_withdrawing_on_the_receipt_leads_back_to_it() -> None:
    """R-13: one press, and the receipt says what is so now."""
    app = consent(site(), policy(**WITH_SERVICES))
    visitor = browser(app)
    await visitor.submit("/consent", choice="accept-all")
    await visitor.submit("/consent", choice="allow", service="films")
    page = await visitor.visit(RECEIPT)
    assert f'<input type="hidden" name="next" value="{RECEIPT}">' in page.text
    answer = await visitor.submit("/consent", choice="withdraw", next=RECEIPT)
    assert (answer.header("location") or "").partition("#")[0] == RECEIPT
    assert "No: you refused it." in words(await visitor.visit(RECEIPT))


async def test_under_a_root_path_the_receipt_stands_where_the_app_does() -> None:
    """Its form and links carry the prefix, or they would leave the app."""
    app = consent(site())
    visitor = browser(app)
    token = (await visitor.submit("/consent", choice="accept-all")).set_cookies[0]
    cookie = token.partition(b";")[0].decode()
    scope = scope_of(f"/app{RECEIPT}", {"cookie": cookie}, root_path="/app")
    page = (await run(app, scope)).body
    assert b'action="/app/consent"' in page
    assert b'value="/app/consent/receipt"' in page


async def test_where_nothing_is_optional_there_is_no_receipt() -> None:
    """There is nothing to answer, so the path is the app's own."""
    purposes = {"necessary": DECLARED["purposes"]["necessary"]}
    cookies = {"sid": DECLARED["cookies"]["sid"]}
    visitor = browser(consent(site(), policy(purposes=purposes, cookies=cookies)))
    assert (await visitor.visit(RECEIPT)).status == 404
    assert b"/consent/receipt" not in (await visitor.visit("/consent")).body
    assert b"/consent/receipt" in (await browser(consent(site())).visit("/consent")).body


async def test_a_receipt_tells_what_was_answered_also_where_children_read_it() -> None:
    """R-11: on their pages nothing optional is on, and what was answered elsewhere stays so."""
    visitor = browser(consent(site(), policy(child_directed=["/"])))
    await visitor.submit("/consent", choice="accept-all")
    assert "Yes: you allowed it." in words(await visitor.visit(RECEIPT))


async def test_two_visitors_who_answered_alike_read_the_same() -> None:
    """R-20: nothing in it tells one from the other."""
    app = consent(site())
    pages = []
    for _ in range(2):
        visitor = browser(app)
        await visitor.submit("/consent", choice="reject-all")
        pages.append((await visitor.visit(RECEIPT)).body)
    assert pages[0] == pages[1]


async def test_the_preferences_lead_to_the_receipt() -> None:
    """The visitor's copy is found where the answers are given."""
    visitor = browser(consent(site()))
    for path in ("/consent", "/consent/dialog"):
        assert f'href="{RECEIPT}"' in (await visitor.visit(path)).text


# What was seen and is not declared


def page_app(*cookies: bytes, body: bytes = PAGE) -> ASGIApp:
    return SetsCookies(says(body), cookies)


WITH_HOSTS = PAGE.replace(
    b"</body>", b"<img src=https://tags.example/i><script src=//films.example/f></script></body>"
)
SET = (b"stray=1; Max-Age=86400; HttpOnly", b"sid=1", b"visits=1; Max-Age=60", b"gone=; Max-Age=0")


@pytest.mark.parametrize("undeclared", ["block", "hide", "report"])
@pytest.mark.parametrize("report_only", [False, True])
async def test_staff_see_what_nobody_declared(report_only: bool, undeclared: str) -> None:  # noqa: FBT001
    """What is observed is never hidden from them, in either mode, whatever `undeclared` says.

    What is declared, removed or ours is not undeclared, so it is not among it.
    """
    app = consent(
        page_app(*SET, body=WITH_HOSTS),
        policy(undeclared=undeclared, **WITH_SERVICES),
        staff=is_staff,
        report_only=report_only,
        banner=True,
    )
    visitor = browser(app)
    visitor.store("theme=dark")
    await visitor.submit("/consent", choice="reject-all")
    await visitor.visit("/page")
    seen = sightings(await visitor.visit(COOKIES, **STAFF))
    assert seen == {
        "stray": "set by the app, asked to live 1 day, HttpOnly",
        "theme": "sent by a browser",
        "tags.example": "asked for by a page",
    }


async def test_nobody_else_sees_any_of_it() -> None:
    """Names may hold identifiers: for everybody else it is the very page of a site without."""
    without = consent(page_app(*SET, body=WITH_HOSTS))
    with_it = consent(page_app(*SET, body=WITH_HOSTS), staff=is_staff)
    answers = []
    for app in (without, with_it):
        visitor = browser(app)
        visitor.store("theme=dark")
        await visitor.visit("/page")
        answers.append(await visitor.visit(COOKIES))
    assert answers[0].body == answers[1].body
    assert answers[0].headers == answers[1].headers
    for path in ("/consent", "/consent/status", "/consent/declaration.json", RECEIPT, "/page"):
        assert b"theme" not in (await browser(with_it).visit(path, **STAFF)).body
    assert HEADING in words(await browser(with_it).visit(COOKIES, **STAFF))  # the control


async def test_what_staff_see_is_kept_by_no_cache() -> None:
    """It is theirs alone, and what decides is most often a cookie."""
    page = await browser(consent(site(), staff=is_staff)).visit(COOKIES, **STAFF)
    assert page.header("cache-control") == "no-store"
    assert page.header("vary") == "Accept-Language, Cookie"


async def test_in_report_mode_the_page_is_there_for_staff_alone() -> None:
    """Report mode changes not one byte for anybody else: the path is the app's own."""
    app = consent(site(), report_only=True, staff=is_staff)
    visitor = browser(app)
    await visitor.visit("/page")
    assert (await visitor.visit(COOKIES)).status == 404
    page = await visitor.visit(COOKIES, **STAFF)
    assert "stray" in sightings(page)
    assert "Your choice" not in words(page)
    assert 'href="/consent"' not in page.text  # there are no preferences yet
    for path in ("/consent", "/consent/status", "/consent/notice", RECEIPT):
        assert (await visitor.visit(path, **STAFF)).status == 404
    tree = html5lib.parse(page.body, namespaceHTMLElements=False)
    sheets = [link.get("href", "") for link in tree.iter("link") if link.get("rel") == "stylesheet"]
    assert len(sheets) == 2
    for sheet in sheets:
        assert (await visitor.visit(sheet, **STAFF)).status == 200
        assert (await visitor.visit(sheet)).status == 404
    assert (await visitor.visit("/consent/declaration.json", **STAFF)).status == 200


@pytest.mark.parametrize("path", [COOKIES, "/page", "/consent/declaration.json"])
async def test_report_mode_with_staff_changes_not_one_byte_for_others(path: str) -> None:
    """DESIGN §5, also where somebody may look at what was seen."""
    app = consent(site(), report_only=True, staff=is_staff)
    bare = await run(site(), scope_of(path, {"cookie": "theme=1"}))
    held = await run(app, scope_of(path, {"cookie": "theme=1"}))
    assert held.messages == bare.messages


async def test_without_the_option_nothing_is_remembered() -> None:
    """What nobody may look at is not kept."""
    app = consent(site())
    await browser(app).visit("/page")
    assert app._only is not None
    assert app._only.observed is None
    assert app._only.enforcement.read((b"theme=1",), frozenset()).undeclared == ()


async def test_each_policy_has_what_was_seen_under_it() -> None:
    """Of several sites in one process, each sees its own."""
    one, other = policy(), policy()

    def pick(scope: Scope) -> Policy:
        return (
            one
            if scope["path"].startswith("/one") or (b"x-site", b"1") in scope["headers"]
            else other
        )

    app = ConsentMiddleware(
        page_app(b"stray=1"), policy=pick, secret_key="s" * 32, staff=is_staff, clock=lambda: NOW
    )
    visitor = browser(app)
    await visitor.visit("/one")
    assert "stray" in sightings(await visitor.visit(COOKIES, **STAFF, **{"x-site": "1"}))
    page = await visitor.visit(COOKIES, **STAFF)
    assert HEADING in words(page)
    assert sightings(page) == {}


# Who is staff


async def test_a_fault_in_staff_is_logged_and_means_no(caplog: pytest.LogCaptureFixture) -> None:
    """The site's own code decides who may look; where it fails nobody may."""

    def faulty(scope: Scope) -> bool:
        raise ZeroDivisionError("staff's own")

    with caplog.at_level(logging.ERROR):
        app = consent(site(), staff=faulty)
        await browser(app).visit("/page")
        page = await browser(app).visit(COOKIES)
    assert page.body == (await browser(consent(site())).visit(COOKIES)).body
    assert [one.message for one in caplog.records if "staff failed" in one.message]
    assert page.header("cache-control") == "public, max-age=300"


@pytest.mark.parametrize("answer", [None, 0, "", 1, "yes", {"name": "somebody"}, NotImplemented])
async def test_what_is_no_clear_yes_means_no(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a function gives back by mistake is truthy too easily; it is said once."""
    app = consent(site(), staff=lambda scope: answer)
    for _ in range(2):
        assert HEADING not in words(await browser(app).visit(COOKIES))
    assert sum("True or False" in one.message for one in caplog.records) == 1


class _Awaited:
    async def __call__(self, scope: Scope) -> bool:
        return True


async def _awaited(scope: Scope) -> bool:
    return True


@pytest.mark.parametrize("staff", [_awaited, _Awaited()])
async def test_a_coroutine_is_no_answer(staff: Any) -> None:
    """It would be taken for a yes by whoever forgets to await it: a bad start is no start."""
    with pytest.raises(OptionError, match="is a coroutine"):
        consent(site(), staff=staff)


async def test_staff_is_asked_about_the_request_as_the_app_would_see_it() -> None:
    """So a session's cookie tells who it is, and one that the app may not see tells nothing."""
    scopes: list[Scope] = []

    def staff(scope: Scope) -> bool:
        scopes.append(scope)
        return False

    visitor = browser(consent(site(), policy(undeclared="hide"), staff=staff))
    visitor.store("sid=1")
    visitor.store("theme=1")
    await visitor.visit(COOKIES)
    (scope,) = scopes
    assert scope["path"] == COOKIES
    assert (b"cookie", b"sid=1") in scope["headers"]


async def test_nobody_is_asked_who_is_staff_on_other_pages() -> None:
    """The function is the site's own, and may take its time."""
    asked: list[str] = []

    def staff(scope: Scope) -> bool:
        asked.append(scope["path"])
        return False

    visitor = browser(consent(site(), staff=staff))
    for path in ("/page", "/json", "/consent", RECEIPT, "/consent/status"):
        await visitor.visit(path)
    assert asked == []
    await visitor.visit(COOKIES)
    assert asked == [COOKIES]


# Attacks


HOSTILE = (
    "<script>alert(1)</script>",
    "</code></pre><img src=x onerror=alert(1)>",
    "a{{7*7}}",
    "\u202eevil",
    "naïve",
    "x" * 5000,
)


async def test_names_are_text_in_the_page_and_in_the_draft() -> None:
    """An app, a page and a browser choose names; none of them is markup, or a line of YAML."""
    app = consent(page_app(*(f"{name}=1".encode() for name in HOSTILE)), staff=is_staff)
    visitor = browser(app)
    cookies = (
        b"; ".join(f"{name}-b=1".encode() for name in HOSTILE[:5]) + b"; \xff\xfe=1; =nameless"
    )
    await run(app, scope_of("/page", [(b"cookie", cookies), (b"accept", b"text/html")]))
    page = await visitor.visit(COOKIES, **STAFF)
    tree = html5lib.parse(page.body, namespaceHTMLElements=False)
    assert tree.find(".//script") is None
    assert tree.find(".//img") is None
    seen = sightings(page)
    assert {"<script>alert(1)</script>", "a{{7*7}}", "\\u202eevil", "naïve-b"} <= {*seen}
    assert {"\\udcff\\udcfe", "(a cookie without a name)"} <= {*seen}
    assert max(map(len, seen)) <= 200
    assert "\u202e" not in page.text
    declared = yaml.safe_load(draft(page))
    assert "<script>alert(1)</script>" in declared["cookies"]
    whole = {
        **DECLARED,
        **{key: {**DECLARED[key], **declared[key]} for key in ("purposes", "cookies")},
    }
    assert policy_from(whole).declaration_of("<script>alert(1)</script>") is not None


async def test_a_name_is_not_logged_anew_for_being_shown(caplog: pytest.LogCaptureFixture) -> None:
    """What strangers send, and the app may read, stands in no log: names may hold identifiers."""
    caplog.set_level(logging.DEBUG)
    app = consent(site(cookies=()), staff=is_staff)
    visitor = browser(app)
    visitor.store("id-4711=1")
    await visitor.visit("/page")
    assert "id-4711" in sightings(await visitor.visit(COOKIES, **STAFF))
    assert [one for one in caplog.records if "4711" in one.getMessage()] == []


async def test_no_value_is_shown_or_remembered() -> None:
    """A cookie's value is the visitor's own."""
    app = consent(page_app(b"stray=secret-1"), staff=is_staff)
    visitor = browser(app)
    visitor.store("theme=secret-2")
    await visitor.visit("/page")
    page = await visitor.visit(COOKIES, **STAFF)
    assert {"stray", "theme"} <= {*sightings(page)}
    assert b"secret" not in page.body


async def test_a_flood_of_names_leaves_the_page_and_the_process_as_they_were() -> None:
    """Bounded, whatever is sent; and what the site itself does is seen all the same."""
    app = consent(page_app(b"stray=1"), staff=is_staff)
    for number in range(60):
        junk = b"; ".join(b"j%d-%d=1" % (number, each) for each in range(900))
        await run(app, scope_of("/page", [(b"cookie", junk), (b"accept", b"text/html")]))
    page = await browser(app).visit(COOKIES, **STAFF)
    seen = sightings(page)
    assert "stray" in seen
    assert len(seen) <= MOST_NAMES
    assert page.status == 200


async def test_a_host_that_a_page_invents_is_seen_within_the_same_bounds() -> None:
    """Pages hold what visitors wrote: a page of a thousand hosts fills the room of hosts."""
    many = b"".join(b"<img src=https://h%d.example/>" % number for number in range(1000))
    app = consent(page_app(b"stray=1", body=PAGE.replace(b"<p>", many + b"<p>")), staff=is_staff)
    visitor = browser(app)
    for _ in range(3):
        await visitor.visit("/page")
    seen = sightings(await visitor.visit(COOKIES, **STAFF))
    assert sum(how == "asked for by a page" for how in seen.values()) == 64
    assert "stray" in seen


async def test_what_was_seen_can_be_declared_from_the_page() -> None:
    """Copied into the policy, the draft covers all of it: nothing is seen any more."""
    app = page_app(b"stray=1; Max-Age=86400", b"_gid=1; Max-Age=86400", body=WITH_HOSTS)
    rules: dict[str, Any] = {**DECLARED, **WITH_SERVICES}
    for expected in ({"stray", "_gid", "theme", "tags.example"}, set()):
        asgi = consent(app, policy_from(rules), staff=is_staff)
        visitor = browser(asgi)
        visitor.store("theme=1")
        await visitor.visit("/page")
        page = await visitor.visit(COOKIES, **STAFF)
        assert {*sightings(page)} == expected
        if expected:
            declared = yaml.safe_load(draft(page))
            for key in ("purposes", "cookies", "services"):
                rules[key] = {**rules[key], **declared[key]}


async def test_websockets_are_seen_too() -> None:
    """A handshake carries cookies in both directions, as a page does."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await says(PAGE)(scope, receive, send)
            return
        message: Message = {"type": "websocket.accept", "headers": [(b"set-cookie", b"socket=1")]}
        await send(message)

    asgi = consent(app, staff=is_staff)
    await run(asgi, scope_of("/echo", {"cookie": "theme=1"}, type="websocket"))
    await run(asgi, scope_of(COOKIES, {"cookie": "theme=1"}, type="websocket"))
    seen = sightings(await browser(asgi).visit(COOKIES, **STAFF))
    assert seen == {
        "socket": "set by the app, asked for the session",
        "theme": "sent by a browser",
    }


def test_the_bounds_are_those_that_the_docs_name() -> None:
    """256 names of 200 characters: docs/reference/middleware.md."""
    seen = Observations(())
    seen.note_sent(["x" * 300])
    assert (MOST_NAMES, [len(one.name) for one in seen.listed()]) == (256, [200])
