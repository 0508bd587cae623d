"""A scan: every page found, in every state, by one witness, kept in a journal as it goes.

It has never heard of a policy, nor of how one looks: what looks is handed in.

Each worker loads one page at a time, in one state after the other; while a page that has come is
waited for, it loads the next. What goes wrong with a page is told in its visit and ends nothing; a
limit of time ends the scan, and what was not reached is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol, Self
from urllib.parse import urlsplit

import anyio

from consentkit.audit.frontier import (
    AGENT,
    LONGEST_ADDRESS,
    Frontier,
    Limits,
    Page,
    Robots,
    address,
    origin_of,
    page_name,
    same_site,
    sitemap_of,
)
from consentkit.audit.headers import MOST_REDIRECTS, HeadersWitness
from consentkit.audit.jar import Jar
from consentkit.audit.journal import Entry, Head, Journal
from consentkit.audit.markup import MOST_LINKS
from consentkit.audit.network import MOST_BYTES, REDIRECTS, Answer, Send, inflated
from consentkit.audit.seen import Act, Scan, State, Visit, Witness
from consentkit.errors import ScanError

if TYPE_CHECKING:
    from pathlib import Path

    from consentkit.audit.seen import ShownCookie

__all__ = ["Looks", "OnLoaded", "OnStep", "Options", "reached", "scan"]

MOST_SITEMAPS: Final = 50
SHOWN_WITHIN: Final = 30.0
"""Seconds that a site has to give its declaration."""
TOLD_WITHIN: Final = 60.0
"""Seconds that a site has for robots.txt and all its sitemaps."""


_SIGN_IN: Final = (
    "A scan signs in nowhere: begin with a page that everybody may see, or let the machine that "
    "scans in without a password."
)


OnLoaded = Callable[[], None]
"""Told that a page has come, and is waited for: another may be loaded meanwhile."""


class Looks(Protocol):
    """One that looks at pages, at several at once: all workers of a scan look through it.

    Addresses are whole (``https://site.example/page?x=1``); `Visit.page` is path and query of the
    address that was asked for. `at_once` is how many visits a worker has going: one that loads,
    and others that are waited for.
    """

    witness: Witness
    at_once: int

    @property
    def endpoint(self) -> str:
        """Where consentkit's own pages are, once prepared; empty where they are not known.

        They are not looked at: they show what is declared, and no notice.
        """
        ...

    async def prepare(self, site: str, first_page: str, states: Sequence[State]) -> tuple[Act, ...]:
        """Give the answers, once for each state that takes an act, and keep what is then held.

        Returns how each was come to; a state of which `Act.clicks` is None is not visited.
        """
        ...

    async def visit(
        self, page: str, state: State, on_loaded: OnLoaded, /
    ) -> tuple[Visit, tuple[str, ...]]:
        """Look at a page in a state; returns what was seen, and the whole addresses it links to."""
        ...

    async def shown(self) -> tuple[ShownCookie, ...] | None:
        """The declaration that the site shows, None where none was found."""
        ...

    async def close(self) -> None:
        """End what was begun; nothing is asked of it afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """What is looked at, and how politely.

    `seconds` are for the whole scan, `delay` seconds for the time from one page load to the next,
    of all workers together. Without `follow` only the pages named are looked at.
    """

    states: tuple[State, ...] = tuple(State)
    limits: Limits = field(default_factory=Limits)
    seconds: float = 3600.0
    workers: int = 2
    delay: float = 0.0
    follow: bool = True


OnStep = Callable[[Visit, int, int], None]
"""Told of each visit: the visit, how many there were, and how many are known of so far.

The last number grows as pages are found; it counts every page in every state.
"""


async def scan(  # noqa: PLR0913 - what is looked at, by what, how, and who is told
    first_page: str,
    open_looks: Callable[[], Awaitable[Looks]],
    options: Options | None = None,
    *,
    send: Send | None = None,
    pages: Iterable[str] = (),
    journal: Path | None = None,
    resume: bool = False,
    on_step: OnStep = lambda *_: None,
) -> Scan:
    """Look at a site from `first_page` on, a whole address; returns what was seen.

    `open_looks` is called once. With `send`, robots.txt and sitemaps are asked for; `pages` are
    looked at too, and first. Visits are kept in `journal`, which is deleted when the scan is done;
    `resume` goes on with one that is there. Raises ScanError where the journal cannot be used.
    """
    run = _Run(first_page, open_looks, options or Options(), on_step)
    robots, found = Robots(), list[str]()
    if send is not None:
        with anyio.move_on_after(min(TOLD_WITHIN, run.seconds)):
            robots = await _robots(first_page, send)
            await _take_sitemaps(found, run.site, robots, send, 2 * run.limits.pages)
    run.seed(robots, pages, found)
    return await run.go(journal, resume=resume)


class _Run:
    """One scan while it runs."""

    def __init__(
        self,
        first_page: str,
        open_looks: Callable[[], Awaitable[Looks]],
        options: Options,
        on_step: OnStep,
    ) -> None:
        self.first_page, self.site = first_page, origin_of(first_page)
        self.limits, self.seconds = options.limits, options.seconds
        self._open_looks, self._options, self._on_step = open_looks, options, on_step
        self._frontier = Frontier(first_page, options.limits)
        self._done: set[tuple[str, State]] = set()
        self._states = options.states
        self._begun: list[Page] = []
        self._news = anyio.Condition()
        self._pace, self._turns = _Pace(options.delay), anyio.Semaphore(options.workers)
        self._failure: Exception | None = None

    def seed(self, robots: Robots, named: Iterable[str], found: Iterable[str]) -> None:
        """Begin with the pages that were named, whatever robots.txt says of them."""
        self._frontier = Frontier(self.first_page, self.limits, robots)
        self._frontier.restore([self.first_page, *named], 0)
        self._frontier.take(found, 0)
        self._pace = _Pace(max(self._options.delay, robots.delay))

    async def go(self, path: Path | None, *, resume: bool) -> Scan:
        """Look at all there is; the journal is kept where this does not end well."""
        looks = await self._open_looks()
        journal: Journal | None = None
        try:
            head = Head(self.site, self.first_page, looks.witness, self._states, _now())
            if resume and path is not None:
                journal = Journal.resume(head, path)
                self._replay(journal)
            else:
                journal = Journal.begin(head, path)
            acts = await self._work_all(looks, journal)
            shown = await _shown(looks)
            found = Scan(
                self.site,
                looks.witness,
                journal.head.started,
                _now(),
                self._states,
                tuple(entry.visit for entry in journal.entries()),
                acts,
                shown,
                self._frontier.told,
                made_by=f"consentkit {version('consentkit')}",
            )
            journal.close(is_done=True)
        except BaseException:
            if journal is not None:
                journal.close(is_done=False)
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await looks.close()
        return found

    def _replay(self, journal: Journal) -> None:
        """Stand where the scan stood that wrote this journal."""
        depths = {self.first_page: 0}
        for entry in journal.entries():
            self._note_done(entry.url, entry.visit)
            depth = depths.get(entry.url, 0) + 1
            found = [url for url in entry.found if self._is_page_of_it(url)]
            self._frontier.restore(found, depth)
            depths |= dict.fromkeys(found, depth)
            self._frontier.left_out.update(entry.left_out)

    def _is_page_of_it(self, url: str) -> bool:
        """A file that somebody wrote in has us ask for nothing elsewhere."""
        return address(url) == url and origin_of(url) == self.site

    def _note_done(self, url: str, visit: Visit) -> None:
        states = self._states if visit.error else (visit.state,)
        self._done.update((url, state) for state in states)

    async def _work_all(self, looks: Looks, journal: Journal) -> tuple[Act, ...]:
        """Let the workers work until nothing waits or the time is up; returns the acts."""
        acts: tuple[Act, ...] = ()
        with anyio.move_on_after(self.seconds) as limit:
            acts = await self._prepared(looks)
            self._frontier.keep_out(looks.endpoint)
            missed = {act.state for act in acts if act.clicks is None}
            states = tuple(state for state in self._states if state not in missed)
            work = partial(self._work, looks, states, journal)
            async with anyio.create_task_group() as workers:
                for _ in range(self._options.workers * looks.at_once):
                    workers.start_soon(self._guard, work, workers.cancel_scope)
        if self._failure is not None:
            raise self._failure
        if limit.cancelled_caught:
            why = f"the time for the scan was up, {self.seconds:g} seconds"
            for page in self._begun:
                self._frontier.leave_out(page.url, f"not in every state: {why}")
            self._frontier.leave_rest_out(why)
        return acts

    async def _guard(self, work: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
        """Let a worker work; what stops one stops all, and is raised as it is, in no group."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - raised again when all have ended
            self._failure = self._failure or error
            scope.cancel()

    async def _prepared(self, looks: Looks) -> tuple[Act, ...]:
        try:
            return await looks.prepare(self.site, self.first_page, self._states)
        except ScanError:
            raise
        except Exception as error:
            what = f"the notice could not be answered: {_told(error)}"
            raise ScanError(self.first_page, what, "Look whether the site is up.") from error

    async def _work(self, looks: Looks, states: Sequence[State], journal: Journal) -> None:
        while (page := await self._next()) is not None:
            for state in states:
                if (page.url, state) in self._done:
                    continue
                async with _Turn(self._turns) as turn:
                    await self._pace.wait()
                    await self._look(looks, page, state, journal, turn.give_back)
                await self._tell()
            self._begun.remove(page)
            await self._tell()

    async def _tell(self) -> None:
        """Tell those who wait for pages that there may be some, or that there may be no more."""
        async with self._news:
            self._news.notify_all()

    async def _next(self) -> Page | None:
        """The next page; waits while others may still find some. None where there is no more."""
        async with self._news:
            while True:
                page = self._frontier.next()
                if page is not None:
                    self._begun.append(page)
                    return page
                if not self._begun:
                    return None
                await self._news.wait()

    async def _look(
        self, looks: Looks, page: Page, state: State, journal: Journal, on_loaded: OnLoaded
    ) -> None:
        """Look at a page in a state, and note it; one that fails is not tried in other states."""
        try:
            visit, links = await looks.visit(page.url, state, on_loaded)
        except Exception as error:  # noqa: BLE001 - one page's trouble ends no scan
            visit, links = Visit(page_name(page.url), state, error=_told(error)), ()
        before = len(self._frontier.left_out)
        if visit.error:
            self._frontier.leave_out(page.url, visit.error)
        elif visit.status in REDIRECTS:
            self._frontier.leave_out(page.url, "it leads to another site")
        followed = _links_in(links) if self._options.follow else []
        found = self._frontier.take(followed, page.depth + 1)
        left_out = dict(islice(self._frontier.left_out.items(), before, None))
        journal.note(Entry(page.url, visit, found, left_out))
        self._note_done(page.url, visit)
        known = self._frontier.accepted * len(self._states)
        self._on_step(visit, len(self._done), known)


def _links_in(links: Iterable[object]) -> list[str]:
    """What can be links of those that a page gave: its scripts may have made them up."""
    texts = (link for link in links if isinstance(link, str) and len(link) <= LONGEST_ADDRESS)
    return [*islice(texts, MOST_LINKS)]


class _Turn:
    """A turn to load a page, which as many have at once as there are workers."""

    def __init__(self, turns: anyio.Semaphore) -> None:
        self._turns, self._is_held = turns, False

    async def __aenter__(self) -> Self:
        await self._turns.acquire()
        self._is_held = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.give_back()

    def give_back(self) -> None:
        """Let another load; done at the latest when the visit ends."""
        if self._is_held:
            self._is_held = False
            self._turns.release()


class _Pace:
    """Lets page loads begin no sooner than `delay` seconds after one another, over all workers."""

    def __init__(self, delay: float) -> None:
        self._delay, self._next = delay, 0.0

    async def wait(self) -> None:
        if self._delay:
            now = anyio.current_time()
            at = max(now, self._next)
            self._next = at + self._delay
            await anyio.sleep(at - now)


async def _shown(looks: Looks) -> tuple[ShownCookie, ...] | None:
    """The declaration that is shown; a site that does not give it has none."""
    with anyio.move_on_after(SHOWN_WITHIN):
        with suppress(Exception):
            return await looks.shown()
    return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _told(error: Exception) -> str:
    """What went wrong, in a line: the kind of error and its first words."""
    said = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


# --- What a site says of itself -------------------------------------------------------------------


async def _robots(first_page: str, send: Send) -> Robots:
    """The robots.txt of a site; one that cannot be had asks for nothing."""
    answer = await _asked(f"{origin_of(first_page)}/robots.txt", send)
    if answer is None or answer.first(b"content-type").startswith("text/html"):
        return Robots()
    return Robots(answer.body.decode("utf-8", "replace"))


async def _take_sitemaps(
    found: list[str], site: str, robots: Robots, send: Send, most: int
) -> None:
    """Add the pages that the site's sitemaps list to `found`, till there are `most` or so."""
    waiting = deque(robots.sitemaps or [f"{site}/sitemap.xml"])
    host = urlsplit(site).hostname or ""
    for _ in range(MOST_SITEMAPS):
        url = address(waiting.popleft(), site) if waiting and len(found) < most else None
        if url is None or not same_site(urlsplit(url).hostname or "", host):
            continue
        answer = await _asked(url, send)
        if answer is None or answer.is_page:
            continue
        body = answer.body
        if body.startswith(b"\x1f\x8b"):
            body, _ = inflated(body, "gzip", MOST_BYTES)
        sitemap = sitemap_of(body.decode("utf-8", "replace"), most)
        (waiting if sitemap.is_index else found).extend(sitemap.addresses)


async def _asked(url: str, send: Send) -> Answer | None:
    """A file that is meant for robots, asked for as one; None where there is none."""
    agent = {"user-agent": f"{AGENT}/{version('consentkit')}", "accept": "*/*"}
    for _ in range(MOST_REDIRECTS):
        try:
            answer = await send("GET", url, agent, b"")
        except Exception:  # noqa: BLE001 - a file that cannot be had is as good as none
            return None
        if answer.status not in REDIRECTS:
            return answer if answer.status == 200 else None
        target = address(answer.first(b"location"), url)
        if target is None or not same_site(_host(target), _host(url)):
            return None
        url = target
    return None


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


async def reached(url: str, send: Send) -> str:
    """Where to begin: the address itself, or what it leads to on the same host by https.

    Raises ScanError where nobody answers, the answer is an error, or it leads to another host.
    """
    witness = HeadersWitness(send, is_own=lambda host: host == _host(url))
    try:
        load = await witness.load(url, Jar(), State.UNTOUCHED)
    except Exception as error:
        raise ScanError(url, *_why_unreached(error)) from error
    if load.leads_to:
        raise ScanError(url, f"it leads to {load.leads_to}", "Scan that site instead.")
    if load.error:
        raise ScanError(url, load.error, "Open it in a browser, and mend the site.")
    if (status := load.answer.status) >= 400:
        do = _SIGN_IN if status == 401 else "Begin with a page that everybody may see."
        raise ScanError(url, f"it answers with {status}", do)
    return url if origin_of(load.url) == origin_of(url) else load.url


def _why_unreached(error: Exception) -> tuple[str, str]:
    """What keeps from a site, and what to do about it."""
    said = f"{type(error).__name__} {error!r} {error.__cause__!r} {error.__context__!r}"
    if "CERTIFICATE" in said.upper() or "SSL" in said.upper():
        what = "its certificate is not accepted, or it speaks no TLS"
        return what, "Mend the certificate, or scan by http:// where the site is on this machine."
    if "Timeout" in said:
        return "it does not answer in time", "Try again, or look whether the site is up."
    return "nobody answers there", "Check the address, and that the site is up."
