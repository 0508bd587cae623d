"""A witness with a real browser: Chromium, as a person would have it, and everything it stores.

It has never heard of a policy, nor of which pages there are. It needs ``consentkit[browser]``
(Playwright) and a Chromium of the system's; none is downloaded.

Each visit has a tab of its own, which holds what the state's answer left and nothing else. Other
tools' notices are answered as ours is. A page that hangs or crashes costs the others time alone.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from consentkit.audit.autoconsent import Autoconsent
from consentkit.audit.banners import (
    UNKNOWN,
    Outcome,
    Role,
    answer,
    broken_rules,
    find_banner,
    wait_for_banner,
    withdraw,
)
from consentkit.audit.chromium import BrowserOptions, Running, launch
from consentkit.audit.frontier import page_name, same_site
from consentkit.audit.headers import shown_in
from consentkit.audit.network import HTML
from consentkit.audit.seen import Act, Banner, State, Visit, Witness
from consentkit.audit.tab import Tab, UnseenError
from consentkit.audit.traffic import host_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from playwright.async_api import Page

    from consentkit.audit.scan import OnLoaded
    from consentkit.audit.seen import ShownCookie

__all__ = ["BrowserWitness"]

_TRIES: Final = 3
"""How often a page is looked at where the browser goes away, maybe for what another page did."""
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
_NET_ERROR: Final = re.compile(r"\bnet::(ERR_[A-Z_]{1,40})")
_METHOD: Final = re.compile(r"[A-Za-z]{1,30}\.[A-Za-z_]{1,40}(?=:)")
_BEGINS: Final = {State.WITHDRAWN: State.GRANTED}

_T = TypeVar("_T")


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
        self._running: Running | None = None
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
        seen = await self._within(state, lambda tab: self._visit(tab, page, state, on_loaded))
        if isinstance(seen, str):
            return Visit(page_name(page), state, error=seen), ()
        return self._with_act(seen[0], page), seen[1]

    async def shown(self) -> tuple[ShownCookie, ...] | None:
        """The declaration that consentkit shows at its endpoint, None where it is not there."""
        if not self._endpoint:
            return None
        url = f"{self._endpoint.rstrip('/')}/declaration.json"
        body = await self._within(State.UNTOUCHED, lambda tab: tab.body(url))
        return None if isinstance(body, str) else shown_in(body)

    async def close(self) -> None:
        """End the browser."""
        if self._running is not None:
            await self._give_up(self._running)

    # --- States -----------------------------------------------------------------------------------

    async def _reach(self, state: State) -> Act:
        if state is State.WITHDRAWN and State.GRANTED not in self._held:
            return Act(state, None, "nothing could be granted, so there is nothing to withdraw")
        outcome = await self._within(state, lambda tab: self._act(tab, state))
        return Act(state, None, outcome) if isinstance(outcome, str) else Act(state, *outcome)

    async def _act(self, tab: Tab, state: State) -> Outcome:
        """Come to a state from the first page, and keep what the browser then holds."""
        await tab.open(self._first_page)
        await tab.quiet()
        if state is State.WITHDRAWN:
            return await withdraw(tab.page)
        self._endpoint = self._endpoint or await tab.endpoint()
        await tab.begin()
        outcome = await answer(tab.page, _ACTS[state])
        if self._others is not None and outcome.clicks is None:
            outcome = await self._ask_others(tab, self._others, state)
        if outcome.clicks is not None:
            await tab.quiet()
            self._held[state] = await tab.context.storage_state(indexed_db=True)
            self._after[state] = await tab.record(Visit(page_name(self._first_page), state))
        return outcome

    async def _ask_others(self, tab: Tab, others: Autoconsent, state: State) -> Outcome:
        await tab.open(self._first_page)
        await tab.begin()
        outcome, tool = await others.answer(tab.page, _ACTS[state])
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
        self, tab: Tab, page: str, state: State, on_loaded: OnLoaded
    ) -> tuple[Visit, tuple[str, ...]]:
        if state is State.WITHDRAWN:
            await self._take_back(tab, page, on_loaded)
        await tab.begin()
        status, kind = await tab.open(page)
        on_loaded()
        landed = host_in(tab.page.url)
        if not self._is_own(landed):
            raise UnseenError(f"leads to another site, {landed}")
        links = await tab.links()
        await tab.quiet()
        visit = await tab.record(Visit(page_name(page), state, status))
        title, language = await tab.title()
        visit = replace(
            visit,
            title=title,
            language=language,
            is_page=not kind or kind.startswith(HTML),
            screenshot=await tab.screenshot(visit),
            banner=await self._banner(tab.page, state),
        )
        return await tab.leave(visit), links

    async def _take_back(self, tab: Tab, page: str, on_loaded: OnLoaded) -> None:
        """Withdraw from a page, or where it has no way to, from the first."""
        outcome = Outcome(None, "")
        for start in dict.fromkeys((page, self._first_page)):
            await tab.open(start)
            on_loaded()
            await tab.quiet()
            outcome = await withdraw(tab.page)
            if outcome.clicks is not None:
                await tab.quiet()
                return
        raise UnseenError(f"not withdrawn: {outcome.how}")

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

    async def _within(self, state: State, do: Callable[[Tab], Awaitable[_T]]) -> _T | str:
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
        self, state: State, do: Callable[[Tab], Awaitable[_T]]
    ) -> tuple[_T | str, bool]:
        """What is done, or why not; and whether the browser was there to the end."""
        running = await self._browser()
        tab = Tab(self._options, self._is_own)
        try:
            return await self._told(tab, running, state, do), running.is_there
        finally:
            if not await tab.end():
                await self._give_up(running)

    async def _told(
        self, tab: Tab, running: Running, state: State, do: Callable[[Tab], Awaitable[_T]]
    ) -> _T | str:
        from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

        try:
            async with asyncio.timeout(self._options.limit):
                await tab.begin_in(running, self._held.get(_BEGINS.get(state, state)), state)
                return await tab.unless_it_crashes(do(tab))
        except TimeoutError:
            return f"not done after {self._options.limit:g} seconds"
        except UnseenError as error:
            return str(error)
        except Error as error:
            return _why(error)

    async def _browser(self) -> Running:
        async with self._starting:
            if self._running is not None and not self._running.is_there:
                await self.close()
            if self._running is None:
                self._running = await launch(self._options)
            return self._running

    async def _give_up(self, running: Running) -> None:
        if self._running is running:
            self._running = None
        await running.end()


def _why(error: Exception) -> str:
    """A sentence for what Playwright says of a page that did not load.

    It repeats nothing that the page may have written: that may have a cookie's value in it.
    """
    text = str(error)
    if known := next((why for sign, why in _WHY.items() if sign in text), None):
        return known
    told = _NET_ERROR.search(text) or _METHOD.match(text)
    return f"the browser could not look at it{f' ({told[0]})' if told else ''}"
