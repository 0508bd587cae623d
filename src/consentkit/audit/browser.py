"""A witness with a real browser: Chromium, as a person would have it, and everything it stores.

It has never heard of a policy, nor of which pages there are. It needs ``consentkit[browser]``
(Playwright) and a Chromium of the system's; none is downloaded.

Each visit has a context of its own: no cookie, no cache, no storage but what the state's answer
left. Third-party cookies are let in, as an ordinary Chrome does; Playwright's contexts would block
them, as private windows do. The browser says which it is, but neither that it has no screen nor
that it is driven: many sites show robots other pages, and some notices hide from them. Nothing is
blocked, and nothing is done that only a person does, but for answering the notice.

What cannot be seen: names that are only looked up (`dns-prefetch`), and whether a `fetch` with
`keepalive` was meant as a beacon. Of a worker's requests nobody tells which script made them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import urljoin, urlsplit

from consentkit.audit.autoconsent import Autoconsent
from consentkit.audit.banners import (
    UNKNOWN,
    Outcome,
    Role,
    answer,
    asset,
    broken_rules,
    find_banner,
    wait_for_banner,
    withdraw,
)
from consentkit.audit.frontier import page_name, same_site
from consentkit.audit.headers import shown_in
from consentkit.audit.labels import shape_of
from consentkit.audit.seen import (
    Act,
    Banner,
    SeenItem,
    Shape,
    State,
    Visit,
    Witness,
)
from consentkit.audit.traffic import BINDING, EVENTS, Traffic, host_in
from consentkit.errors import ScanError
from consentkit.rules.policy import Where

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from playwright.async_api import (
        Browser,
        BrowserContext,
        CDPSession,
        Dialog,
        Page,
        Playwright,
    )

    from consentkit.audit.scan import OnLoaded
    from consentkit.audit.seen import ShownCookie

__all__ = ["BrowserOptions", "BrowserWitness", "find_chromium"]

CHROMIUM_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "msedge")
_ADDRESS_BAR: Final = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
"""What the address bar of a window opens: two pages of Chromium's own, which cost more processor
time for each window than the page that is looked at."""
_AS_PLAYWRIGHT: Final = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "msForceBrowserSignIn",
    "msEdgeUpdateLaunchServicesPreferredVersion",
)
"""What Playwright turns off. Chromium takes the last list alone, so ours says theirs again."""
FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Some notices hide from whoever says that it is driven, and would be called missing.
    "--disable-blink-features=AutomationControlled",
    # One process for a page and its frames, so that one session hears all of them.
    "--disable-site-isolation-trials",
    f"--disable-features={','.join((*_AS_PLAYWRIGHT, *_ADDRESS_BAR))}",
)
# As in a profile that nobody changed; a private window, which contexts are, would block them.
_PREFERENCES: Final = {"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": False}}
_TRIES: Final = 3
"""How often a page is looked at where the browser goes away, maybe for what another page did."""
_ENDING: Final = 5.0
"""Seconds that a page has to go away."""
_MOST_LINKS: Final = 2000
_ACTS: Final = {State.REFUSED: Role.REFUSE, State.GRANTED: Role.GRANT}
_WHY: Final = {
    "ERR_TOO_MANY_REDIRECTS": "redirects without end",
    "ERR_CONNECTION_REFUSED": "nobody answers",
    "ERR_NAME_NOT_RESOLVED": "there is no such host",
    "ERR_INVALID_AUTH_CREDENTIALS": "asks for a name and a password",
    "ERR_ABORTED": "is no page: a download, or an answer without content",
    "Download is starting": "is no page: a download, or an answer without content",
    "Page crashed": "the page crashed",
    "Target crashed": "the page crashed",
    "Timeout": "no answer came in time",
}
_GPC: Final = (
    "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl',"
    " { get: () => true, configurable: true, enumerable: true })"
)
_ACTION: Final = "() => document.querySelector('#consentkit form')?.getAttribute('action')"
_DUE: Final = "() => new Promise(done => setTimeout(done))"
"""Answered when the page has done what its timers were to do before."""
_TITLE: Final = "() => [document.title, document.documentElement?.lang]"
_NET_ERROR: Final = re.compile(r"\bnet::(ERR_[A-Z_]{1,40})")
_METHOD: Final = re.compile(r"[A-Za-z]{1,30}\.[A-Za-z_]{1,40}(?=:)")
_HTML: Final = ("text/html", "application/xhtml+xml")
_BEGINS: Final = {State.WITHDRAWN: State.GRANTED}
_QUALITY: Final = 50
_GET_CHROMIUM: Final = (
    "Install one (Debian: apt-get install chromium) or name it with CONSENTKIT_CHROMIUM=..., "
    "or scan with --headers."
)
_GET_PLAYWRIGHT: Final = "Install it (pip install 'consentkit[browser]'), or scan with --headers."
_CHECK: Final = (
    "Start it by hand to see what it says, or name another with CONSENTKIT_CHROMIUM=...; "
    "where there is no room for its sandbox, as in some containers, set CONSENTKIT_NO_SANDBOX=1."
)

_T = TypeVar("_T")


def find_chromium() -> str | None:
    """The path of the browser to drive: `$CONSENTKIT_CHROMIUM`, else the first on the PATH."""
    names = (os.environ.get("CONSENTKIT_CHROMIUM", ""), *CHROMIUM_NAMES)
    return next((path for name in names if name and (path := shutil.which(name))), None)


def has_sandbox() -> bool:
    """Whether strangers' pages run in Chromium's sandbox.

    It has none for root, and none where `$CONSENTKIT_NO_SANDBOX` says so.
    """
    is_root = getattr(os, "geteuid", lambda: None)() == 0
    return not is_root and not os.environ.get("CONSENTKIT_NO_SANDBOX")


@dataclass(frozen=True, slots=True)
class BrowserOptions:
    """How a browser looks at pages; times are seconds.

    A page is done when it has loaded and nothing was heard of it for `quiet`, or after `patience`;
    one that has not begun to answer after `reply`, and a visit that takes longer than `limit`, is
    given up. `host_rules` is Chromium's ``--host-resolver-rules``. `screenshots` is a folder,
    `autoconsent` that of npm's package. `is_own` tells of a host whether it is of the site; by
    default it is its registrable domain.
    """

    quiet: float = 1.0
    patience: float = 8.0
    reply: float = 20.0
    limit: float = 30.0
    executable: str | None = None
    host_rules: str = ""
    language: str = "en-GB"
    screenshots: Path | None = None
    autoconsent: Path | None = None
    is_own: Callable[[str], bool] | None = None
    asks_axe: bool = True


class BrowserWitness:
    """One Chromium for all that a scan looks at, started when it is first needed.

    It may be asked for several visits at once. Raises ScanError where Playwright or a Chromium is
    missing, or the browser does not start.
    """

    witness = Witness.BROWSER
    at_once = 4

    def __init__(self, options: BrowserOptions | None = None) -> None:
        self._options = options or BrowserOptions()
        folder = self._options.autoconsent
        self._others = Autoconsent(folder) if folder else None
        self._running: _Running | None = None
        self._starting = asyncio.Lock()
        self._host = ""
        self._first_page = ""
        self._endpoint = ""
        self._tool = UNKNOWN
        self._held: dict[State, Any] = {}
        self._after: dict[State, Visit] = {}
        self._broken: dict[Banner, tuple[str, ...] | None] = {}

    # --- What a scan asks -------------------------------------------------------------------------

    async def prepare(self, site: str, first_page: str, states: Sequence[State]) -> tuple[Act, ...]:
        """Press the notice of the first page, once for each state, each from an empty browser."""
        self._host, self._first_page, self._endpoint = host_in(site), first_page, ""
        self._held.clear()
        self._after.clear()
        needed = {*states, *(_BEGINS[state] for state in states if state in _BEGINS)}
        await self._browser()  # what keeps it from starting is told once
        acts = await asyncio.gather(*(self._reach(state) for state in _ACTS if state in needed))
        if State.WITHDRAWN in needed:
            acts.append(await self._reach(State.WITHDRAWN))
        return tuple(act for act in acts if act.state in states)

    @property
    def endpoint(self) -> str:
        """Where consentkit's own pages are, once prepared; empty where they are not known."""
        return self._endpoint

    async def visit(
        self, page: str, state: State, on_loaded: OnLoaded = lambda: None
    ) -> tuple[Visit, tuple[str, ...]]:
        """Look at a page in a state, and read its links. It raises for nothing that a page does."""
        self._host = self._host or host_in(page)
        seen = await self._within(state, lambda look: self._visit(look, page, state, on_loaded))
        if isinstance(seen, str):
            return Visit(page_name(page), state, error=seen), ()
        return self._with_act(seen[0], page), seen[1]

    async def shown(self) -> tuple[ShownCookie, ...] | None:
        """The declaration that consentkit shows at its endpoint, None where it is not there."""
        if not self._endpoint:
            return None
        url = f"{self._endpoint.rstrip('/')}/declaration.json"
        body = await self._within(State.UNTOUCHED, lambda look: look.body(url))
        return None if isinstance(body, str) else shown_in(body)

    async def close(self) -> None:
        """End the browser."""
        if self._running is not None:
            await self._give_up(self._running)

    # --- States -----------------------------------------------------------------------------------

    async def _reach(self, state: State) -> Act:
        if state is State.WITHDRAWN and State.GRANTED not in self._held:
            return Act(state, None, "nothing could be granted, so there is nothing to withdraw")
        outcome = await self._within(state, lambda look: self._act(look, state))
        return Act(state, None, outcome) if isinstance(outcome, str) else Act(state, *outcome)

    async def _act(self, look: _Look, state: State) -> Outcome:
        """Come to a state from the first page, and keep what the browser then holds."""
        await look.open(self._first_page)
        await look.quiet()
        if state is State.WITHDRAWN:
            return await withdraw(look.page)
        self._endpoint = self._endpoint or await look.endpoint()
        await look.begin()
        outcome = await answer(look.page, _ACTS[state])
        if self._others is not None and outcome.clicks is None:
            outcome = await self._ask_others(look, self._others, state)
        if outcome.clicks is not None:
            await look.quiet()
            self._held[state] = await look.context.storage_state(indexed_db=True)
            self._after[state] = await look.record(Visit(page_name(self._first_page), state))
        return outcome

    async def _ask_others(self, look: _Look, others: Autoconsent, state: State) -> Outcome:
        await look.open(self._first_page)
        await look.begin()
        outcome, tool = await others.answer(look.page, _ACTS[state])
        self._tool = tool or self._tool
        return outcome

    def _with_act(self, visit: Visit, page: str) -> Visit:
        """What the first page stored and asked for as the answer was given belongs to it, too."""
        after = self._after.get(visit.state)
        if after is None or page != self._first_page:
            return visit
        known = {(one.name, one.domain, one.path) for one in visit.cookies}
        asked = {(one.host, one.path) for one in visit.requests}
        stored = (one for one in after.cookies if (one.name, one.domain, one.path) not in known)
        requested = (one for one in after.requests if (one.host, one.path) not in asked)
        return replace(
            visit, cookies=(*visit.cookies, *stored), requests=(*visit.requests, *requested)
        )

    # --- One visit --------------------------------------------------------------------------------

    async def _visit(
        self, look: _Look, page: str, state: State, on_loaded: OnLoaded
    ) -> tuple[Visit, tuple[str, ...]]:
        if state is State.WITHDRAWN:
            await self._take_back(look, page, on_loaded)
        await look.begin()
        status, kind = await look.open(page)
        on_loaded()
        landed = host_in(look.page.url)
        if not self._is_own(landed):
            raise _UnseenError(f"leads to another site, {landed}")
        links = await look.links()
        await look.quiet()
        visit = await look.record(Visit(page_name(page), state, status))
        title, language = await look.title()
        visit = replace(
            visit,
            title=title,
            language=language,
            is_page=not kind or kind.startswith(_HTML),
            screenshot=await look.screenshot(visit),
            banner=await self._banner(look.page, state),
        )
        return await look.leave(visit), links

    async def _take_back(self, look: _Look, page: str, on_loaded: OnLoaded) -> None:
        """Withdraw from a page, or where it has no way to, from the first."""
        outcome = Outcome(None, "")
        for start in dict.fromkeys((page, self._first_page)):
            await look.open(start)
            on_loaded()
            await look.quiet()
            outcome = await withdraw(look.page)
            if outcome.clicks is not None:
                await look.quiet()
                return
        raise _UnseenError(f"not withdrawn: {outcome.how}")

    async def _banner(self, page: Page, state: State) -> Banner | None:
        # Where the first page asks, the others may ask as late as it did.
        is_due = state is State.UNTOUCHED and bool(self._held)
        found = await (wait_for_banner(page) if is_due else find_banner(page))
        if found is None or (found.is_settings and state is not State.UNTOUCHED):
            return None
        tool = self._tool if found.banner.tool == UNKNOWN else found.banner.tool
        banner = replace(found.banner, tool=tool)
        # Asked once of each that looks the same: it takes longer than all the rest.
        if self._options.asks_axe and banner not in self._broken:
            self._broken[banner] = await broken_rules(found)
        return replace(banner, axe=self._broken.get(banner))

    def _is_own(self, host: str) -> bool:
        if self._options.is_own is not None:
            return self._options.is_own(host)
        return same_site(host, self._host)

    # --- The browser ------------------------------------------------------------------------------

    async def _within(self, state: State, do: Callable[[_Look], Awaitable[_T]]) -> _T | str:
        """What is done in a page of its own; or why it could not be done, as a text.

        A page that hangs is given up after `limit`; a browser that does not let go of it is ended,
        and what was looked at beside it is looked at again.
        """
        for _ in range(_TRIES):
            done, was_there = await self._once(state, do)
            if was_there or not isinstance(done, str):
                break
        return done

    async def _once(
        self, state: State, do: Callable[[_Look], Awaitable[_T]]
    ) -> tuple[_T | str, bool]:
        """What is done, or why not; and whether the browser was there to the end."""
        running = await self._browser()
        look = _Look(self._options, self._is_own)
        try:
            return await self._told(look, running, state, do), running.is_there
        finally:
            if not await look.end():
                await self._give_up(running)

    async def _told(
        self, look: _Look, running: _Running, state: State, do: Callable[[_Look], Awaitable[_T]]
    ) -> _T | str:
        from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

        try:
            async with asyncio.timeout(self._options.limit):
                await look.begin_in(running, self._held.get(_BEGINS.get(state, state)), state)
                return await look.unless_it_crashes(do(look))
        except TimeoutError:
            return f"not done after {self._options.limit:g} seconds"
        except _UnseenError as error:
            return str(error)
        except Error as error:
            return _why(error)

    async def _browser(self) -> _Running:
        async with self._starting:
            if self._running is not None and not self._running.is_there:
                await self.close()
            if self._running is None:
                self._running = await _start(self._options)
            return self._running

    async def _give_up(self, running: _Running) -> None:
        if self._running is running:
            self._running = None
        await running.end()


class _UnseenError(Exception):
    """A page that cannot be seen in a state; its text says why."""


class _Look:
    """One page of one context, and all that is heard of it."""

    context: BrowserContext
    page: Page

    def __init__(self, options: BrowserOptions, is_own: Callable[[str], bool]) -> None:
        self._options, self._is_own = options, is_own
        self._before: list[dict[str, Any]] = []
        self._is_open = False
        self._main_frame = ""
        self._crashed = asyncio.Event()
        self._traffic = Traffic(is_own)
        self._session: CDPSession

    async def begin_in(self, running: _Running, held: Any, state: State) -> None:  # noqa: ANN401 - Playwright's own
        """Open an empty page that holds what a state begins with, and hear all that it does."""
        self.context = await running.browser.new_context(
            user_agent=running.agent,
            locale=self._options.language,
            viewport={"width": 1280, "height": 800},
            accept_downloads=False,
            storage_state=held,
            extra_http_headers={"Sec-GPC": "1"} if state is State.SIGNAL else {},
        )
        self._is_open = True
        self.page = page = await self.context.new_page()
        page.on("dialog", _dismiss)
        page.on("popup", _close)
        page.on("crash", lambda _page: self._crashed.set())
        self._session = session = await self.context.new_cdp_session(page)
        self._main_frame = (await self._frames())[0]
        self._traffic = Traffic(self._is_own, self._main_frame)
        for name in EVENTS:
            session.on(name, partial(self._traffic.hear, name))
        self.context.on("request", lambda one: self._traffic.overhear(one.url, one.resource_type))
        script = asset("witness.js").replace("TELL", BINDING)
        script += _GPC if state is State.SIGNAL else ""
        await asyncio.gather(
            session.send("Network.enable"),
            session.send("DOMStorage.enable"),
            session.send("Page.enable"),
            session.send("Runtime.enable"),
            session.send("Runtime.addBinding", {"name": BINDING}),
            session.send("Page.addScriptToEvaluateOnNewDocument", {"source": script}),
        )

    async def unless_it_crashes(self, doing: Awaitable[_T]) -> _T:
        """What comes of it; a page that crashed may never answer."""
        task, crash = asyncio.ensure_future(doing), asyncio.ensure_future(self._crashed.wait())
        try:
            await asyncio.wait({task, crash}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise _UnseenError("the page crashed")
            return task.result()
        finally:
            task.cancel()
            crash.cancel()
            await asyncio.gather(task, crash, return_exceptions=True)

    async def end(self) -> bool:
        """Close the page and forget all; False where the browser does not let go of it."""
        if not self._is_open:
            return True
        with suppress(Exception):  # whatever it is, the next page gets a new browser
            async with asyncio.timeout(_ENDING):
                await self.context.close()
                return True
        return False

    # what is done

    async def begin(self) -> None:
        """Record from now on."""
        self._before = await self._jar()
        self._traffic.begin()

    async def open(self, url: str) -> tuple[int, str]:
        """Load a page; its status and content type. What never ends is taken as it is in time."""
        from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

        reply = self._options.reply * 1000
        answered = await self.page.goto(url, wait_until="commit", timeout=reply)
        with suppress(Error):
            await self.page.wait_for_load_state("load", timeout=self._options.patience * 1000)
        # A page that is loaded again at its own fragment has no answer.
        return (answered.status, answered.headers.get("content-type", "")) if answered else (0, "")

    async def quiet(self) -> None:
        """Wait until the page is done.

        What its timers were to do by now is waited for, too, where it was busy or had no processor:
        the silence of a page that takes half of `quiet` to answer begins anew.
        """
        from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

        until, heard = time.monotonic() + self._options.patience, -1
        while heard != self._traffic.heard and time.monotonic() < until:
            await self._traffic.quiet(self._options.quiet, until)
            heard, asked = self._traffic.heard, time.monotonic()
            with suppress(Error, _UnseenError):  # it went on to another document
                await self._ask(_DUE)
            if time.monotonic() - asked > self._options.quiet / 2:
                self._traffic.note()

    async def links(self) -> tuple[str, ...]:
        """Where the page links to; on the way it is scrolled to its end, for what is lazy."""
        found: list[str] = await self._ask(asset("links.js"), _MOST_LINKS)
        return tuple(found)

    async def title(self) -> tuple[str, str]:
        """What the page is called, and the language that it says it is written in."""
        title, language = await self._ask(_TITLE)
        return _text(title)[:200], _text(language)[:35]

    async def endpoint(self) -> str:
        """Where the form of our own notice posts to; empty where that is not on this site."""
        page = self.page.url
        return _beside(page, await self._ask(_ACTION)) if self._is_own(host_in(page)) else ""

    async def body(self, url: str) -> bytes:
        """What stands at an address; nothing where it leads to another site."""
        answered = await self.page.goto(url)
        return await answered.body() if answered and _beside(url, answered.url) else b""

    async def _ask(self, script: str, given: Any = None, frame: str = "") -> Any:  # noqa: ANN401 - values of JSON
        """What a function returns in a world of its own: there no page has replaced anything."""
        world = await self._session.send(
            "Page.createIsolatedWorld", {"frameId": frame or self._main_frame}
        )
        call = {
            "functionDeclaration": script,
            "executionContextId": world["executionContextId"],
            "arguments": [{"value": given}],
            "awaitPromise": True,
            "returnByValue": True,
        }
        answered = await self._session.send("Runtime.callFunctionOn", call)
        if "exceptionDetails" in answered:
            raise _UnseenError("it could not be asked what is in it")
        return answered["result"].get("value")

    async def _frames(self) -> list[str]:
        """The ids of the page's frames, its own first."""
        tree = await self._session.send("Page.getFrameTree")
        return [*_frames_of(tree["frameTree"])]

    # what was seen

    async def record(self, visit: Visit) -> Visit:
        """The visit with all that was stored, sent and asked for since recording began."""
        jar = await self._jar()
        items = await self._items()  # after the jar: by now it is told who set what is in it
        return replace(
            visit,
            cookies=self._traffic.cookies(self._before, jar),
            sent=self._traffic.sent(),
            items=items,
            requests=self._traffic.requests(),
            violations=self._traffic.violations(),
        )

    async def leave(self, visit: Visit) -> Visit:
        """The visit, and what the page asks for as it is left."""
        await self.page.evaluate(asset("leave.js"))
        await self._jar()  # what was asked for before this was heard before it
        return replace(visit, requests=self._traffic.requests())

    async def screenshot(self, visit: Visit) -> str | None:
        """The name of a picture of what a visitor sees first, None where none is asked for."""
        folder = self._options.screenshots
        if folder is None:
            return None
        shot = await self._session.send(
            "Page.captureScreenshot", {"format": "webp", "quality": _QUALITY}
        )
        digest = hashlib.blake2b(visit.page.encode(), digest_size=6).hexdigest()
        name = f"{digest}-{visit.state}.webp"
        await asyncio.to_thread(_write, folder / name, base64.b64decode(shot["data"]))
        return name

    async def _jar(self) -> list[dict[str, Any]]:
        jar: list[dict[str, Any]] = (await self._session.send("Network.getAllCookies"))["cookies"]
        return jar

    async def _items(self) -> tuple[SeenItem, ...]:
        from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

        kept: list[SeenItem] = []
        for frame in await self._frames():
            with suppress(Error, _UnseenError):  # a frame that went away keeps nothing
                kept += _items_of(await self._ask(asset("stored.js"), None, frame), self._is_own)
        # What is gone again was stored all the same.
        items = (*self._traffic.items(), *kept)
        return tuple({(one.where, one.key, one.host): one for one in items}.values())


def _frames_of(tree: dict[str, Any]) -> Iterator[str]:
    yield tree["frame"]["id"]
    for child in tree.get("childFrames", ()):
        yield from _frames_of(child)


def _text(told: object) -> str:
    """A text that a page told; empty where it told something else."""
    return told if isinstance(told, str) else ""


def _beside(page: str, told: object) -> str:
    """An address that a page told, as a whole; empty where it is not of the page's own origin."""
    try:
        address = urljoin(page, action := _text(told))
        here, there = urlsplit(page), urlsplit(address)
    except ValueError:
        return ""
    is_own = (here.scheme, here.netloc) == (there.scheme, there.netloc)
    is_address = there.scheme in {"http", "https"} and address.isprintable()
    return address if action and is_own and is_address else ""


def _items_of(told: dict[str, Any], is_own: Callable[[str], bool]) -> Iterator[SeenItem]:
    host = str(told["host"])
    is_third = bool(host) and not is_own(host)
    for where, key in ((Where.LOCAL, "local"), (Where.SESSION, "session")):
        for name, value in told[key]:
            yield SeenItem(where, name, host, is_third, shape_of(value))
    for name in told["databases"]:
        yield SeenItem(Where.INDEXED_DB, name, host, is_third, Shape.STRUCTURED)


def _why(error: Exception) -> str:
    """A sentence for what Playwright says of a page that did not load.

    It repeats nothing that the page may have written: that may have a cookie's value in it.
    """
    text = str(error)
    if known := next((why for sign, why in _WHY.items() if sign in text), None):
        return known
    told = _NET_ERROR.search(text) or _METHOD.match(text)
    return f"the browser could not look at it{f' ({told[0]})' if told else ''}"


async def _dismiss(dialog: Dialog) -> None:
    """Say no to what a page asks in a dialog, but let it be left."""
    from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

    with suppress(Error):
        await (dialog.accept() if dialog.type == "beforeunload" else dialog.dismiss())


async def _close(popup: Page) -> None:
    from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

    with suppress(Error):
        await popup.close()


def _write(path: Path, octets: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)


# --- Starting -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Running:
    """A browser that runs, and what has to be ended with it; `agent` is what it calls itself."""

    window: BrowserContext
    agent: str
    playwright: Playwright
    profile: tempfile.TemporaryDirectory[str]
    has_ended: bool = False

    @property
    def browser(self) -> Browser:
        """The browser of the window, which Playwright 1.55 and later tell."""
        return cast("Browser", self.window.browser)

    @property
    def is_there(self) -> bool:
        """Whether pages can be looked at with it."""
        return not self.has_ended and self.browser.is_connected()

    async def end(self) -> None:
        """End it, also where it hangs: without its driver it does not live on."""
        if self.has_ended:
            return
        self.has_ended = True
        with suppress(Exception):
            async with asyncio.timeout(_ENDING):
                await self.window.close()
        await self.playwright.stop()
        await asyncio.to_thread(self.profile.cleanup)


async def _start(options: BrowserOptions) -> _Running:
    executable = options.executable or find_chromium()
    if executable is None:
        raise ScanError("the browser", "no Chromium was found", _GET_CHROMIUM)
    try:
        from playwright.async_api import Error, async_playwright  # noqa: PLC0415 - an extra
    except ImportError:
        raise ScanError("the browser", "Playwright is not installed", _GET_PLAYWRIGHT) from None
    profile = tempfile.TemporaryDirectory(prefix="consentkit-", ignore_cleanup_errors=True)
    await asyncio.to_thread(
        _write, Path(profile.name, "Default", "Preferences"), json.dumps(_PREFERENCES).encode()
    )
    playwright = await async_playwright().start()
    rules = [f"--host-resolver-rules={options.host_rules}"] if options.host_rules else []
    try:
        window = await playwright.chromium.launch_persistent_context(
            profile.name,
            executable_path=executable,
            args=[*FLAGS, *rules],
            chromium_sandbox=has_sandbox(),
        )
        session = await cast("Browser", window.browser).new_browser_cdp_session()
        agent = str((await session.send("Browser.getVersion"))["userAgent"])
    except Error as error:
        await playwright.stop()
        profile.cleanup()
        said = str(error).partition("\n")[0][:200]
        raise ScanError(executable, f"the browser did not start: {said}", _CHECK) from error
    return _Running(window, agent.replace("Headless", ""), playwright, profile)
