"""One tab of a Chromium: pages are opened in it, and all is heard and read that they do.

It has never heard of a scan, nor of how a notice is answered.

It has a context of its own: no cookie, no cache, no storage but what it is begun with. Nothing is
blocked, and nothing is done that only a person does, but for closing the dialogs and the windows
that a page opens.

What cannot be seen: names that are only looked up (`dns-prefetch`), and whether a `fetch` with
`keepalive` was meant as a beacon. Of a worker's requests nobody tells which script made them.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urljoin, urlsplit

from consentkit.audit.banners import asset
from consentkit.audit.chromium import ENDING, BrowserOptions, Running, write_file
from consentkit.audit.labels import shape_of
from consentkit.audit.markup import MOST_LINKS
from consentkit.audit.seen import SeenItem, Shape, State, Visit
from consentkit.audit.traffic import BINDING, EVENTS, Traffic, host_in
from consentkit.rules.policy import Where

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from playwright.async_api import BrowserContext, CDPSession, Dialog, Page

__all__ = ["Tab", "UnseenError"]

_GPC: Final = (
    "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl',"
    " { get: () => true, configurable: true, enumerable: true })"
)
_ACTION: Final = "() => document.querySelector('#consentkit form')?.getAttribute('action')"
_DUE: Final = "() => new Promise(done => setTimeout(done))"
"""Answered when the page has done what its timers were to do before."""
_TITLE: Final = "() => [document.title, document.documentElement?.lang]"
_QUALITY: Final = 50

_T = TypeVar("_T")


class UnseenError(Exception):
    """A page that cannot be seen in a state; its text says why."""


class Tab:
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

    async def begin_in(self, running: Running, held: Any, state: State) -> None:  # noqa: ANN401 - Playwright's own
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
                raise UnseenError("the page crashed")
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
            async with asyncio.timeout(ENDING):
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
            with suppress(Error, UnseenError):  # it went on to another document
                await self._ask(_DUE)
            if time.monotonic() - asked > self._options.quiet / 2:
                self._traffic.note()

    async def links(self) -> tuple[str, ...]:
        """Where the page links to; on the way it is scrolled to its end, for what is lazy."""
        found: list[str] = await self._ask(asset("links.js"), MOST_LINKS)
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
            raise UnseenError("it could not be asked what is in it")
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
        await asyncio.to_thread(write_file, folder / name, base64.b64decode(shot["data"]))
        return name

    async def _jar(self) -> list[dict[str, Any]]:
        jar: list[dict[str, Any]] = (await self._session.send("Network.getAllCookies"))["cookies"]
        return jar

    async def _items(self) -> tuple[SeenItem, ...]:
        from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

        kept: list[SeenItem] = []
        for frame in await self._frames():
            with suppress(Error, UnseenError):  # a frame that went away keeps nothing
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


async def _dismiss(dialog: Dialog) -> None:
    """Say no to what a page asks in a dialog, but let it be left."""
    from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

    with suppress(Error):
        await (dialog.accept() if dialog.type == "beforeunload" else dialog.dismiss())


async def _close(popup: Page) -> None:
    from playwright.async_api import Error  # noqa: PLC0415 - the extra `browser` brings it

    with suppress(Error):
        await popup.close()
