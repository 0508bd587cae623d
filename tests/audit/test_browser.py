"""What the auditor's browser sees, on small sites that do one thing each.

These drive a real Chromium by Playwright's async API, which leaves other event loops alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consentkit.audit import banners, chromium, tab
from consentkit.audit import browser as module
from consentkit.audit.browser import BrowserWitness
from consentkit.audit.chromium import BrowserOptions, find_chromium
from consentkit.audit.seen import (
    Act,
    By,
    SeenCookie,
    SeenItem,
    Shape,
    State,
    Violation,
    Visit,
    Witness,
)
from consentkit.rules.policy import Where
from tests.audit.towns import ADS, DAY, OWN_SCRIPT, SITE, Town, good_site
from tests.browser.servers import Server
from tests.conftest import IN_CI, NO_CHROMIUM

pytestmark = pytest.mark.anyio

if find_chromium() is None and not IN_CI:
    pytest.skip(NO_CHROMIUM, allow_module_level=True)
pytest.importorskip("playwright.async_api", reason="consentkit[browser] is not installed")

HERE = "MAP * 127.0.0.1"
SETTLED = (State.UNTOUCHED, State.REFUSED)
ANSWERED = (State.REFUSED, State.GRANTED, State.WITHDRAWN)


def options(**others: Any) -> BrowserOptions:
    given: dict[str, Any] = {"quiet": 0.25, "patience": 2.0, "host_rules": HERE, **others}
    return BrowserOptions(**given)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Playwright is written for asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
def town() -> Iterator[tuple[Town, Server]]:
    app = Town()
    with Server(app) as server:
        yield app, server


@pytest.fixture(scope="module")
async def witness(anyio_backend: str) -> AsyncIterator[BrowserWitness]:
    """One browser for the module, as for a worker of a scan."""
    made = BrowserWitness(options())
    yield made
    await made.close()


@pytest.fixture
def see(witness: BrowserWitness, town: tuple[Town, Server]) -> Any:
    """Visits a page of the town's."""

    async def see(path: str, state: State = State.UNTOUCHED) -> Visit:
        visit, _links = await witness.visit(town[1].origin(SITE) + path, state)
        return visit

    return see


def only(visit: Visit) -> SeenCookie:
    """The one cookie of a visit, without its moment, after a look at that."""
    assert visit.error == ""
    [cookie] = visit.cookies
    assert 0 <= cookie.moment < 20_000
    return SeenCookie(
        **{name: getattr(cookie, name) for name in cookie.__slots__ if name != "moment"}
    )


# --- Cookies --------------------------------------------------------------------------------------


async def test_a_page_that_stores_nothing_is_seen_to_store_nothing(see: Any) -> None:
    """The control of all that follows: what is found elsewhere comes from the page."""
    visit = await see("/clean")
    assert visit == Visit("/clean", State.UNTOUCHED, 200, title="Town", language="en")


async def test_cookies_of_a_response_are_seen_as_the_browser_keeps_them(see: Any) -> None:
    """A browser keeps a cookie for 400 days at most (RFC 6265bis 5.5), and none for other hosts."""
    visit = await see("/headers")
    by_name = {one.name: one for one in visit.cookies}
    assert set(by_name) == {"sid", "theme", "ever"}
    assert {one.initiator for one in visit.cookies} == {f"{SITE}/headers"}
    sid, theme, ever = by_name["sid"], by_name["theme"], by_name["ever"]
    assert (sid.secure, sid.http_only, sid.same_site, sid.seconds) == (True, True, "lax", None)
    assert (sid.domain, sid.host_only, sid.by) == (SITE, True, By.HEADER)
    assert (theme.domain, theme.host_only, theme.path) == ("town.localhost", False, "/headers")
    assert (theme.seconds, theme.same_site) == (DAY, None)
    assert ever.seconds == pytest.approx(400 * DAY, abs=5)


async def test_a_redirect_that_stores_is_named_by_its_own_address(see: Any) -> None:
    """A cookie is the doing of the response that set it, not of the page at the end."""
    visit = await see("/redirects")
    assert only(visit).initiator == f"{SITE}/redirects"
    assert (visit.page, visit.status) == ("/redirects", 200)


async def test_a_script_that_stores_is_named(see: Any) -> None:
    """R-75: who stores has to be told to the visitor, and first of all to the site."""
    assert only(await see("/script")) == SeenCookie(
        "visits", SITE, seconds=DAY, by=By.SCRIPT, initiator=f"{SITE}/own.js", shape=Shape.FLAG
    )


async def test_a_script_from_elsewhere_stores_a_cookie_of_the_site(see: Any) -> None:
    """It is the site's cookie, and somebody else's doing; the query is not repeated."""
    visit = await see("/script-elsewhere")
    cookie = only(visit)
    assert (cookie.domain, cookie.third_party) == (SITE, False)
    assert cookie.initiator == f"{ADS}/tag.js"
    assert [(one.host, one.path, one.what) for one in visit.requests] == [
        (ADS, "/tag.js", "script")
    ]


async def test_the_cookie_store_is_seen(see: Any) -> None:
    """`cookieStore.set` stores without `document.cookie`."""
    cookie = only(await see("/cookie-store"))
    assert (cookie.name, cookie.by, cookie.same_site) == ("kept", By.SCRIPT, "lax")
    assert cookie.initiator == f"{SITE}/cookie-store"
    assert cookie.seconds == pytest.approx(3600, abs=5)


async def test_what_is_stored_and_removed_again_was_stored(see: Any) -> None:
    """R-01 speaks of storing: for how long is another question."""
    assert only(await see("/gone")).name == "brief"


async def test_what_the_browser_does_not_take_was_not_stored(see: Any) -> None:
    """A cookie for another host is dropped by every browser."""
    assert (await see("/not-taken")).cookies == ()


async def test_what_comes_a_little_late_is_waited_for(see: Any) -> None:
    """A page is done when nothing happens any more, not when it has loaded."""
    assert only(await see("/late")).name == "late"


async def test_what_was_due_is_waited_for_on_a_machine_with_much_to_do(see: Any) -> None:
    """A page that had no processor for what it was to do is not yet silent: it only says nothing.

    Its timer was to store 200 ms after the page came, was kept from it for 900 ms, and leads to a
    cookie 200 ms later; a page is done here when nothing was heard of it for 250 ms.
    """
    visit = await see("/busy")
    assert only(visit).name == "due"
    assert [one.key for one in visit.items] == ["due"]


async def test_a_third_partys_cookie_is_seen(see: Any) -> None:
    """An ordinary Chrome lets third-party cookies in, and so the auditor does."""
    visit = await see("/pixel")
    cookie = only(visit)
    assert (cookie.name, cookie.domain, cookie.third_party) == ("uid", ADS, True)
    [request] = visit.requests
    assert (request.host, request.path, request.what) == (ADS, "/px.gif", "image")
    assert request.initiator == f"{SITE}/pixel"
    assert "4711" not in repr(visit)


async def test_a_frame_is_seen_with_all_that_it_stores(see: Any) -> None:
    """Partitioned cookies and storage of a frame are in the visitor's browser, too."""
    visit = await see("/frame")
    assert {(one.name, one.by, one.partitioned, one.third_party) for one in visit.cookies} == {
        ("chips", By.HEADER, True, True),
        ("seen-in-frame", By.SCRIPT, True, True),
    }
    assert SeenItem(Where.LOCAL, "framed", ADS, third_party=True, shape=Shape.FLAG) in visit.items
    assert [one.what for one in visit.requests] == ["frame"]


# --- Storage, requests, policies ------------------------------------------------------------------


async def test_storage_is_seen_by_key_and_shape(see: Any) -> None:
    """R-01 is about storing, whatever the drawer; a value stays in the browser."""
    visit = await see("/storage")
    assert set(visit.items) == {
        SeenItem(Where.LOCAL, "_uid", SITE, shape=Shape.IDENTIFIER),
        SeenItem(Where.SESSION, "step", SITE, shape=Shape.NUMBER),
        SeenItem(Where.INDEXED_DB, "events", SITE, shape=Shape.STRUCTURED),
    }
    assert "9b1deb4d" not in repr(visit)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/beacon", "beacon"),
        ("/leaving", "beacon"),
        ("/socket", "websocket"),
        ("/worker", "fetch"),
    ],
)
async def test_what_goes_elsewhere_is_seen(see: Any, path: str, what: str) -> None:
    """Also what is sent as the page is left: so analytics count how long somebody stayed."""
    visit = await see(path)
    assert {(one.host, one.what) for one in visit.requests} == {(ADS, what)}


async def test_what_is_lazy_is_scrolled_to(see: Any) -> None:
    """A person reads to the end; what is loaded on the way is loaded for them."""
    assert [one.path for one in (await see("/lazy")).requests] == ["/px.gif"]


async def test_what_a_policy_blocks_is_a_violation_and_no_request(see: Any) -> None:
    """The site's Content-Security-Policy keeps the browser from asking at all."""
    visit = await see("/guarded")
    assert visit.violations == (Violation("img-src", ADS),)
    assert visit.requests == ()
    assert only(visit).name == "visits"


async def test_a_signal_goes_with_every_request_and_stands_in_the_page(
    see: Any, town: tuple[Town, Server]
) -> None:
    """GPC: a header and a property (R-37); the control is the visit without it."""
    app, _server = town
    for state, sent, shown in ((State.SIGNAL, "1", "true"), (State.UNTOUCHED, "", "undefined")):
        app.asked.clear()
        visit = await see("/signal", state)
        assert only(visit).name == f"gpc-{shown}"
        assert {signal for _host, _path, signal in app.asked} == {sent}


async def test_links_are_whole_addresses_and_no_more_than_links(
    witness: BrowserWitness, town: tuple[Town, Server]
) -> None:
    """Where to go next; a download, a mail address and a broken link lead nowhere."""
    server = town[1]
    _visit, links = await witness.visit(server.origin(SITE) + "/clean", State.UNTOUCHED)
    assert links == (f"{server.origin(SITE)}/pixel#top", f"{server.origin(ADS)}/")


async def test_a_page_that_replaces_names_hides_nothing(
    witness: BrowserWitness, town: tuple[Town, Server]
) -> None:
    """R-01: storing is storing, whatever a script calls its keys, or takes away again.

    `var origin` is in honest pages, too; the others hide by one line each. What a page makes up
    (a violation that was none, a picture for a title) is not believed.
    """
    server = town[1]
    visit, links = await witness.visit(server.origin(SITE) + "/replaces", State.UNTOUCHED)
    assert {one.key for one in visit.items} == {"length", "getItem", "gone", "kept"}
    assert {one.host for one in visit.items} == {SITE}
    cookie = only(visit)
    assert (cookie.name, cookie.domain, cookie.by) == ("brief", SITE, By.SCRIPT)
    assert cookie.initiator == f"{SITE}/replaces"
    assert (visit.violations, visit.title, visit.language) == ((), "Town", "en")
    assert links == (f"{server.origin(SITE)}/pixel",)


async def test_a_page_that_cannot_be_asked_is_told_as_not_seen(witness: BrowserWitness) -> None:
    """Silence would look like a good page; what was thrown is not repeated."""
    told = await witness._within(State.UNTOUCHED, lambda look: look._ask("() => { throw 's3c' }"))
    assert told == "it could not be asked what is in it"


# --- Pages that are none --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/circles", "redirects without end"),
        ("/download", "is no page"),
        ("/empty", "is no page"),
        ("/elsewhere", "leads to another site, ads.localhost"),
        ("/asks-who", "asks for a name and a password"),
    ],
)
async def test_what_is_no_page_says_so_and_stops_nothing(see: Any, path: str, why: str) -> None:
    """A scan of a thousand pages does not end at one of them."""
    visit = await see(path)
    assert visit.error.startswith(why)
    assert visit == Visit(path, State.UNTOUCHED, error=visit.error)


async def test_what_does_not_begin_to_answer_is_given_up(
    see: Any, witness: BrowserWitness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that holds a connection holds no scan; one that is only slow is waited for."""
    monkeypatch.setattr(witness, "_options", options(reply=0.5))
    visit = await see("/silent")
    assert visit == Visit("/silent", State.UNTOUCHED, error="no answer came in time")


async def test_what_is_no_html_is_no_page(see: Any) -> None:
    """No notice belongs into a script or a picture."""
    visit = await see("/own.js")
    assert (visit.status, visit.is_page, visit.error) == (200, False, "")


async def test_nobody_is_there(witness: BrowserWitness) -> None:
    """A host that is down is no crash of the auditor's."""
    visit, links = await witness.visit("http://www.town.localhost:1/", State.UNTOUCHED)
    assert (visit.page, links) == ("/", ())
    assert visit.error != ""


async def test_dialogs_prompts_and_windows_hold_nothing_up(see: Any) -> None:
    """What asks a person is answered with no, and the page is looked at all the same."""
    assert only(await see("/dialogs")).name == "after"


async def test_a_page_that_never_ends_is_given_up_and_the_next_is_seen(
    town: tuple[Town, Server],
) -> None:
    """A script that runs for ever answers nothing, and takes no other page with it."""
    witness = BrowserWitness(options(limit=5.0))
    try:
        visit, _ = await witness.visit(town[1].origin(SITE) + "/spins", State.UNTOUCHED)
        assert visit.error == "not done after 5 seconds"
        crashed = await witness._within(State.UNTOUCHED, crash)
        assert crashed == "the page crashed"
        visit, _ = await witness.visit(town[1].origin(SITE) + "/script", State.UNTOUCHED)
        assert only(visit).name == "visits"
    finally:
        await witness.close()


async def crash(look: Any) -> None:
    """A page that takes its process with it."""
    await look._session.send("Page.crash")


async def test_a_browser_that_died_is_started_again(
    witness: BrowserWitness, town: tuple[Town, Server]
) -> None:
    """A browser may crash in an hour of work."""
    running = await witness._browser()
    await running.window.close()
    visit, _ = await witness.visit(town[1].origin(SITE) + "/script", State.UNTOUCHED)
    assert only(visit).name == "visits"


async def test_a_page_that_the_browser_does_not_let_go_of_costs_the_browser(
    town: tuple[Town, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one page would hold up all that come after it."""
    witness = BrowserWitness(options())
    page = town[1].origin(SITE) + "/script"
    try:
        with monkeypatch.context() as hasty:
            hasty.setattr(tab, "ENDING", 0.0)
            hasty.setattr(chromium, "ENDING", 0.0)
            visit, _ = await witness.visit(page, State.UNTOUCHED)
            assert only(visit).name == "visits"
        assert witness._running is None
        visit, _ = await witness.visit(page, State.UNTOUCHED)
        assert only(visit).name == "visits"
        witness._held[State.REFUSED] = {"cookies": [{"name": "x"}]}
        visit, _ = await witness.visit(page, State.REFUSED)
        assert (visit.cookies, bool(visit.error)) == ((), True)
    finally:
        await witness.close()
        await witness.close()


# --- Several at once ------------------------------------------------------------------------------

EACH = ("/clean", "/script", "/pixel", "/storage", "/frame", "/leaving", "/guarded", "/late")


async def test_what_is_seen_of_a_page_is_the_same_beside_others(
    witness: BrowserWitness, town: tuple[Town, Server]
) -> None:
    """Each has a context of its own: no cookie of one page's is another's, and none is missed."""
    origin = town[1].origin(SITE)
    alone = [(await witness.visit(origin + path, State.UNTOUCHED)) for path in EACH]
    looks = (witness.visit(origin + path, State.UNTOUCHED) for path in EACH)
    together = await asyncio.gather(*looks)
    assert [timeless(visit) for visit, _ in together] == [timeless(visit) for visit, _ in alone]
    assert [links for _, links in together] == [links for _, links in alone]
    assert len({repr(timeless(visit)) for visit, _ in alone}) == len(EACH)


def timeless(visit: Visit) -> Visit:
    """A visit without its moments, nor what comes of them: no two have them in common.

    That is an order, and whether a site's icon is asked for with the cookie that comes late.
    """
    cookies = (replace(one, moment=0) for one in visit.cookies)
    requests = (replace(one, moment=0) for one in visit.requests)
    return replace(
        visit,
        cookies=tuple(sorted(cookies, key=repr)),
        sent=tuple(one for one in visit.sent if one.name != "late"),
        requests=tuple(sorted(requests, key=repr)),
    )


async def test_who_gives_an_old_browser_up_leaves_the_new_one_alone() -> None:
    """Two pages may notice that one browser went away; the second is looked at in the next one."""
    witness = BrowserWitness(options())
    try:
        first = await witness._browser()
        await first.end()
        second = await witness._browser()
        await witness._give_up(first)
        assert (first.is_there, second.is_there) == (False, True)
        assert await witness._browser() is second
    finally:
        await witness.close()
    assert not second.is_there


async def test_a_browser_that_dies_costs_no_page(town: tuple[Town, Server]) -> None:
    """All pages that are looked at are in one browser: what one does to it is not another's."""
    witness = BrowserWitness(options())
    ended: list[Any] = []

    async def end_it_once(look: Any) -> tuple[int, str]:
        first = witness._running
        assert first is not None
        if not ended:
            ended.append(first)
            await first.end()
            await first.end()
        answered: tuple[int, str] = await look.open(town[1].origin(SITE) + "/own.js")
        await look.quiet()
        return answered

    try:
        looks = (witness._within(State.UNTOUCHED, end_it_once) for _ in range(3))
        told = await asyncio.gather(*looks)
        assert [witness._running] != ended
    finally:
        await witness.close()
    assert told == [(200, "text/javascript; charset=utf-8")] * 3


async def test_a_browser_that_dies_each_time_is_given_up(
    town: tuple[Town, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is told as not seen, and not tried for ever."""
    monkeypatch.setattr(module, "_TRIES", 2)
    witness, tried = BrowserWitness(options()), []

    async def die(look: Any) -> str:
        tried.append(look)
        assert witness._running is not None
        await witness._running.window.close()
        await look.page.goto("about:blank")
        return "never"

    try:
        told = await witness._within(State.UNTOUCHED, die)
    finally:
        await witness.close()
    assert told.startswith("the browser could not look at it")
    assert len(tried) == 2


async def test_that_a_page_has_come_is_told_before_it_is_waited_for(
    town: tuple[Town, Server],
) -> None:
    """Silence takes no processor, and is most of a scan: another page is loaded meanwhile."""
    witness = BrowserWitness(options(quiet=2.0, patience=9.0))
    origin, came = town[1].origin(SITE), asyncio.Event()
    try:
        look = witness.visit(f"{origin}/script", State.UNTOUCHED, came.set)
        looking = asyncio.ensure_future(look)
        await came.wait()
        assert not looking.done()
        assert ("/script", SITE) in {(path, host) for host, path, _ in town[0].asked}
        assert only((await looking)[0]).name == "visits"
        none = asyncio.Event()
        await witness.visit(f"{origin}/circles", State.UNTOUCHED, none.set)
        assert not none.is_set()
    finally:
        await witness.close()


async def test_chromium_opens_no_pages_of_its_own_beside_ours(witness: BrowserWitness) -> None:
    """The address bar of each window would open two, which cost more than what is looked at."""

    async def opened(_look: Any) -> list[dict[str, Any]]:
        running = await witness._browser()
        session = await running.browser.new_browser_cdp_session()
        found = await session.send("Target.getTargets", {"filter": [{}]})
        targets: list[dict[str, Any]] = found["targetInfos"]
        return [one for one in targets if one["type"] not in {"page", "tab"}]

    assert await witness._within(State.UNTOUCHED, opened) == []


async def test_who_runs_a_site_says_which_hosts_are_its_own(
    see: Any, witness: BrowserWitness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`site.hosts` of the policy: what comes from there is no third party."""
    monkeypatch.setattr(witness, "_options", options(is_own=lambda host: host != "x"))
    visit = await see("/pixel")
    assert (only(visit).third_party, visit.requests) == (False, ())


# --- Strangers ------------------------------------------------------------------------------------


async def test_a_declaration_is_not_read_where_it_leads_elsewhere(
    witness: BrowserWitness, town: tuple[Town, Server]
) -> None:
    """A redirect may lead from outside to what only this machine reaches."""
    origin = town[1].origin(SITE)

    async def read(path: str) -> object:
        return await witness._within(State.UNTOUCHED, lambda look: look.body(origin + path))

    assert await read("/elsewhere") == b""
    assert await read("/own.js") == OWN_SCRIPT.encode()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Page.evaluate: Error: id=s3cr3t", " (Page.evaluate)"),
        ("Page.goto: net::ERR_OTHER at https://x.example/?s3cr3t", " (net::ERR_OTHER)"),
        ("s3cr3t", ""),
    ],
)  # fmt: skip
def test_what_a_page_throws_is_not_repeated(said: str, why: str) -> None:
    """A getter that throws `document.cookie` would write values into report and journal."""
    assert module._why(Exception(said)) == f"the browser could not look at it{why}"


# --- A site with consentkit -----------------------------------------------------------------------


async def test_a_site_with_consentkit_in_every_state(tmp_path: Path) -> None:
    """R-01, R-12, R-13, R-16, R-37 on one page: nothing before, one click each, nothing after."""
    with Server(good_site()) as server:
        page = f"{server.origin(SITE)}/"
        witness = BrowserWitness(options(screenshots=tmp_path))
        try:
            acts = await witness.prepare(server.origin(SITE), page, [*State])
            visits = {state: (await witness.visit(page, state))[0] for state in State}
            settings = [await witness.visit(f"{page}consent", state) for state in SETTLED]
            shown = await witness.shown()
        finally:
            await witness.close()
    assert acts == (
        Act(State.REFUSED, 1, "'Reject all'"),
        Act(State.GRANTED, 1, "'Accept all'"),
        Act(State.WITHDRAWN, 1, "'Withdraw all'"),
    )
    assert witness.witness is Witness.BROWSER
    counted = {state: _names(visit.cookies) & {"visits"} for state, visit in visits.items()}
    sent = {state: _names(visit.sent) & {"visits"} for state, visit in visits.items()}
    assert counted == {
        state: {"visits"} & ({"visits"} if state is State.GRANTED else set()) for state in State
    }
    assert sent == counted
    banner = visits[State.UNTOUCHED].banner
    assert banner is not None
    assert banner.tool == "consentkit"
    assert (banner.accept and banner.accept.label, banner.axe) == ("Accept all", ())
    assert [state for state in State if visits[state].banner] == [State.UNTOUCHED]
    # Our preferences ask whoever has not answered, and are open to all others.
    assert [bool(visit.banner) for visit, _links in settings] == [True, False]
    assert shown is not None
    assert witness.endpoint.endswith("/consent")
    assert "visits" in {row.name for row in shown}
    for visit in visits.values():
        assert visit.screenshot is not None
        assert (tmp_path / visit.screenshot).read_bytes()[8:12] == b"WEBP"


def _names(cookies: tuple[Any, ...]) -> set[str]:
    return {one.name for one in cookies}


async def test_a_site_without_a_notice_is_answered_by_nobody(
    witness: BrowserWitness, town: tuple[Town, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be reached says why, and is not visited."""
    monkeypatch.setattr(banners, "PATIENCE", 0.4)
    origin = town[1].origin(SITE)
    page = f"{origin}/script"
    acts = await witness.prepare(origin, page, ANSWERED)
    assert [act.clicks for act in acts] == [None, None, None]
    assert acts[0].how == "no notice that asks was found on the first page"
    assert acts[2].how == "nothing could be granted, so there is nothing to withdraw"
    visit, _ = await witness.visit(page, State.WITHDRAWN)
    assert visit.error == "not withdrawn: nothing on the page opens the notice again"
    assert await witness.shown() is None
    [refused] = await witness.prepare(origin, f"{origin}/circles", [State.REFUSED])
    assert refused == Act(State.REFUSED, None, "redirects without end")
