import gzip
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope
from starlette.types import Send as ASGISend

from consentkit.audit import scan as scan_module
from consentkit.audit.frontier import LONGEST_CRAWL_DELAY, Limits
from consentkit.audit.journal import Entry, Head, Journal
from consentkit.audit.network import Answer, Send
from consentkit.audit.scan import MOST_SITEMAPS, Looks, OnLoaded, Options, reached, scan
from consentkit.audit.seen import Act, ShownCookie, State, Visit, Witness
from consentkit.errors import ScanError
from tests.browser.servers import Server

pytestmark = pytest.mark.anyio

SITE = "https://shop.example"
ALL = tuple(State)


class Double:
    """Looks at pages that are only links: a dictionary. `hook` is called with each visit."""

    witness = Witness.HEADERS
    at_once = 1
    endpoint = ""

    def __init__(
        self,
        links: dict[str, list[str]],
        hook: Callable[[str, State], Awaitable[None]] | None = None,
        unreached: Sequence[State] = (),
    ) -> None:
        self.links, self.hook, self.unreached = links, hook, unreached
        self.visited: list[tuple[str, State]] = []
        self.prepared = self.at_work = self.most_at_work = self.loading = self.most_loading = 0
        self.is_closed = False

    async def prepare(self, site: str, first_page: str, states: Sequence[State]) -> tuple[Act, ...]:
        self.prepared += 1
        return tuple(
            Act(state, None if state in self.unreached else 1)
            for state in states
            if state not in {State.UNTOUCHED, State.SIGNAL}
        )

    async def visit(
        self, page: str, state: State, on_loaded: OnLoaded = lambda: None
    ) -> tuple[Visit, tuple[str, ...]]:
        name = page.removeprefix(SITE)
        self.visited.append((name, state))
        self.at_work += 1
        self.loading += 1
        self.most_at_work = max(self.at_work, self.most_at_work)
        self.most_loading = max(self.loading, self.most_loading)
        await anyio.lowlevel.checkpoint()
        self.loading -= 1
        on_loaded()
        on_loaded()
        if self.hook is not None:
            await self.hook(name, state)
        self.at_work -= 1
        return Visit(name, state, 200), tuple(SITE + each for each in self.links.get(name, ()))

    async def shown(self) -> tuple[ShownCookie, ...] | None:
        return (ShownCookie("sid"),)

    async def close(self) -> None:
        self.is_closed = True


def opening(looks: Looks) -> Callable[[], Awaitable[Looks]]:
    """Opens these."""

    async def open_looks() -> Looks:
        return looks

    return open_looks


SMALL = {"/": ["/a", "/b"], "/a": ["/", "/c"], "/c": ["/d"]}
PAGES = ["/", "/a", "/b", "/c", "/d"]


async def test_every_page_is_looked_at_in_every_state() -> None:
    double = Double(SMALL)
    told: list[tuple[str, int, int]] = []
    found = await scan(
        f"{SITE}/",
        opening(double),
        Options(workers=1),
        on_step=lambda visit, done, known: told.append((visit.page, done, known)),
    )
    assert double.visited == [(page, state) for page in PAGES for state in ALL]
    assert [(visit.page, visit.state) for visit in found.visits] == double.visited
    assert (found.site, found.witness, found.states) == (SITE, Witness.HEADERS, ALL)
    assert (found.shown, found.left_out) == ((ShownCookie("sid"),), {})
    assert found.made_by.startswith("consentkit ")
    assert found.started <= found.ended
    assert double.is_closed
    assert told[0] == ("/", 1, 15)
    assert told[-1] == ("/d", 25, 25)


async def test_workers_share_the_pages_and_wait_for_one_another() -> None:
    """A page that is slow may be the only one that leads on: nobody goes home before."""

    async def slow(page: str, state: State) -> None:
        await anyio.sleep(0.002 if page == "/a" else 0)

    double = Double(SMALL, slow)
    found = await scan(f"{SITE}/", opening(double), Options(workers=3))
    seen = Counter((visit.page, visit.state) for visit in found.visits)
    assert seen == Counter((page, state) for page in PAGES for state in ALL)
    assert double.prepared == 1
    assert double.is_closed


@pytest.mark.parametrize(("workers", "at_once"), [(1, 1), (2, 1), (1, 3), (2, 3)])
async def test_each_worker_loads_one_page_and_waits_for_others(workers: int, at_once: int) -> None:
    """A page in a browser is mostly waited for: meanwhile others are loaded, one by each worker.

    Each is another page: of one that cannot be looked at, one state is tried and not all.
    """
    pages: Counter[str] = Counter()

    async def slow(page: str, state: State) -> None:
        pages[page] += 1
        assert pages[page] == 1
        await anyio.sleep(0.01)
        pages[page] -= 1

    double = Double({"/": [f"/{number}" for number in range(20)]}, slow)
    double.at_once = at_once
    found = await scan(f"{SITE}/", opening(double), Options(workers=workers))
    assert len(found.visits) == 105
    assert double.most_at_work == workers * at_once
    assert double.most_loading == workers


async def test_pages_are_looked_at_as_soon_as_they_are_found() -> None:
    """What a page links to does not wait until that page was seen in every state."""
    later = anyio.Event()

    async def waiting(page: str, state: State) -> None:
        if page == "/" and state is State.SIGNAL:
            await later.wait()
        elif page == "/c":
            later.set()

    with anyio.fail_after(5):
        found = await scan(f"{SITE}/", opening(Double(SMALL, waiting)), Options(workers=2))
    assert len(found.visits) == 25


async def test_what_leads_to_another_site_is_told() -> None:
    """Its cookies are the site's, and where it leads is another scan's."""

    class Leading(Double):
        async def visit(
            self, page: str, state: State, on_loaded: OnLoaded = lambda: None
        ) -> tuple[Visit, tuple[str, ...]]:
            visit, links = await super().visit(page, state, on_loaded)
            return replace(visit, status=302 if page.endswith("/a") else 200), links

    found = await scan(f"{SITE}/", opening(Leading(SMALL)))
    assert found.left_out == {"/a": "it leads to another site"}
    assert len([visit for visit in found.visits if visit.page == "/a"]) == 5


async def test_a_state_that_cannot_be_come_to_is_not_looked_at() -> None:
    double = Double(SMALL, unreached=[State.GRANTED, State.WITHDRAWN])
    found = await scan(f"{SITE}/", opening(double))
    assert {visit.state for visit in found.visits} == {
        State.UNTOUCHED,
        State.REFUSED,
        State.SIGNAL,
    }
    assert [act.clicks for act in found.acts] == [1, None, None]


async def test_only_the_named_pages_are_looked_at_without_follow() -> None:
    double = Double(SMALL)
    options = Options(states=(State.UNTOUCHED,), follow=False, limits=Limits(pages=1))
    await scan(f"{SITE}/a", opening(double), options, pages=[f"{SITE}/logout"])
    assert [page for page, _ in double.visited] == ["/a", "/logout"]


async def test_one_pages_trouble_ends_no_scan() -> None:
    """It is told of that page, and the others are looked at."""

    async def trouble(page: str, state: State) -> None:
        if page == "/a":
            raise RuntimeError("out   of\norder")
        if page == "/b" and state is State.GRANTED:
            raise RuntimeError

    double = Double(SMALL, trouble)
    found = await scan(f"{SITE}/", opening(double), Options(workers=1))
    errors = [(visit.page, visit.state, visit.error) for visit in found.visits if visit.error]
    assert errors == [
        ("/a", State.UNTOUCHED, "RuntimeError: out of order"),
        ("/b", State.GRANTED, "RuntimeError"),
    ]
    assert found.left_out == {"/a": "RuntimeError: out of order", "/b": "RuntimeError"}
    assert ("/b", State.REFUSED) in double.visited


async def test_time_that_is_up_ends_the_scan_and_is_told() -> None:
    """What was seen is reported, and what was not is named."""

    async def slow(page: str, state: State) -> None:
        await anyio.sleep(3600 if page == "/a" and state is State.REFUSED else 0)

    double = Double(SMALL, slow)
    found = await scan(f"{SITE}/", opening(double), Options(workers=1, seconds=0.9))
    assert [visit.page for visit in found.visits] == ["/"] * 5 + ["/a"]
    up = "the time for the scan was up, 0.9 seconds"
    assert found.left_out == {"/a": f"not in every state: {up}", "/b": up, "/c": up}
    assert double.is_closed


async def test_page_loads_keep_their_distance() -> None:
    """Politeness: of all workers together, no two loads begin sooner than asked for."""
    at: list[float] = []

    async def note(page: str, state: State) -> None:
        at.append(anyio.current_time())

    double = Double(SMALL, note)
    double.at_once = 2
    begun = anyio.current_time()
    await scan(f"{SITE}/", opening(double), Options((State.UNTOUCHED,), delay=0.02))
    assert len(at) == 5
    assert all(moment >= begun + 0.02 * number for number, moment in enumerate(at))


async def test_trouble_with_the_first_notice_is_the_scans() -> None:
    """A notice that cannot be answered at all: there is nothing to report."""

    class Broken(Double):
        async def prepare(self, *_: object) -> tuple[Act, ...]:
            raise OSError("no route")

    broken = Broken(SMALL)
    with pytest.raises(ScanError, match="could not be answered: OSError: no route"):
        await scan(f"{SITE}/", opening(broken))
    assert broken.is_closed

    class Missing(Double):
        async def prepare(self, *_: object) -> tuple[Act, ...]:
            raise ScanError("here", "what", "cure")

    with pytest.raises(ScanError, match="here: what"):
        await scan(f"{SITE}/", opening(Missing(SMALL)))


async def test_a_table_that_cannot_be_had_is_none() -> None:
    class NoTable(Double):
        async def shown(self) -> tuple[ShownCookie, ...] | None:
            raise OSError

    assert (await scan(f"{SITE}/", opening(NoTable({})))).shown is None


async def test_a_table_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(Double):
        async def shown(self) -> tuple[ShownCookie, ...] | None:
            await anyio.sleep(3600)
            return ()

    monkeypatch.setattr(scan_module, "SHOWN_WITHIN", 0.01)
    assert (await scan(f"{SITE}/", opening(Slow({})))).shown is None


async def test_a_journal_that_cannot_be_written_ends_the_scan(tmp_path: Path) -> None:
    """A scan that could not be gone on with would say so too late; and in no group of errors."""

    class Full(Double):
        async def visit(
            self, page: str, state: State, on_loaded: OnLoaded = lambda: None
        ) -> tuple[Visit, tuple[str, ...]]:
            os.close(self.file)
            return await super().visit(page, state, on_loaded)

        file = -1

    double = Full(SMALL)

    async def hook(_page: str, _state: State) -> None:
        return

    double.hook = hook
    path = tmp_path / "scan.journal"
    begun = Journal.begin

    def noting(head: object, where: Path | None) -> object:
        journal = begun(head, where)  # type: ignore[arg-type] # handed on as it came
        double.file = journal._file or -1
        return journal

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "begin", noting)
        with pytest.raises(OSError, match="Bad file descriptor"):
            await scan(f"{SITE}/", opening(double), Options(workers=1), journal=path)
    assert double.is_closed


# Going on


async def test_a_scan_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    """Wherever it ended: what was seen is not looked at again, and nothing is forgotten."""
    whole = [(page, state) for page in PAGES for state in ALL]
    for stop in range(0, len(whole), 3):
        path = tmp_path / f"{stop}.journal"
        await interrupted(path, stop)
        double = Double(SMALL)
        found = await scan(
            f"{SITE}/", opening(double), Options(workers=1), journal=path, resume=True
        )
        assert double.visited == whole[stop:]
        assert [(visit.page, visit.state) for visit in found.visits] == whole
        assert not path.exists()


async def interrupted(path: Path, stop: int) -> None:
    """A scan that ends, as by Ctrl-C, in its visit number `stop`."""
    count = 0
    with anyio.CancelScope() as scope:

        async def end(_page: str, _state: State) -> None:
            nonlocal count
            if count == stop:
                scope.cancel()
                await anyio.lowlevel.checkpoint()
            count += 1

        await scan(f"{SITE}/", opening(Double(SMALL, end)), Options(workers=1), journal=path)
    assert await anyio.Path(path).exists()


async def test_what_was_left_out_is_still_left_out_when_a_scan_goes_on(tmp_path: Path) -> None:
    """A page that failed in its first state is not tried again, and its reason stays."""
    links = {"/": ["/logout", "/a", "/deep"], "/deep": ["/deep/2"]}

    async def trouble(page: str, _state: State) -> None:
        if page == "/a":
            raise RuntimeError("gone")

    path = tmp_path / "scan.journal"
    with anyio.CancelScope() as scope:

        async def end(page: str, state: State) -> None:
            await trouble(page, state)
            if page == "/deep" and state is State.GRANTED:
                scope.cancel()
                await anyio.lowlevel.checkpoint()

        await scan(f"{SITE}/", opening(Double(links, end)), Options(workers=1), journal=path)
    double = Double(links)
    found = await scan(f"{SITE}/", opening(double), Options(workers=1), journal=path, resume=True)
    assert found.left_out == {
        "/logout": "it may sign out or change something",
        "/a": "RuntimeError: gone",
    }
    assert {page for page, _ in double.visited} == {"/deep", "/deep/2"}


KILLED = """
    import sys
    from pathlib import Path

    import anyio

    from consentkit.audit.headers import HeadersWitness
    from consentkit.audit.network import http_client
    from consentkit.audit.scan import Options, scan

    async def main(origin, journal, at_once, *resume):
        async with http_client() as send:
            async def look():
                looks = HeadersWitness(send)
                looks.at_once = int(at_once)
                return looks
            found = await scan(origin + "/", look, Options(workers=2), send=send,
                               journal=Path(journal), resume=bool(resume))
        print(len({visit.page for visit in found.visits}), len(found.visits))

    anyio.run(main, *sys.argv[1:])
"""


class Stopping:
    """Forty pages; from the thirtieth request on nobody is answered until `goes_on`."""

    def __init__(self) -> None:
        self.came: Counter[tuple[str, bool]] = Counter()
        self.goes_on = False

    async def __call__(self, scope: Scope, receive: Receive, send: ASGISend) -> None:
        path = scope["path"]
        if path in {"/robots.txt", "/sitemap.xml"}:
            await Response(status_code=404)(scope, receive, send)
            return
        self.came[path, b"sec-gpc" in dict(scope["headers"])] += 1
        if self.came.total() >= 30 and not self.goes_on:
            await anyio.sleep(60)  # the one who asks is killed long before
        links = "".join(f"<a href=/{n}>{n}</a>" for n in range(1, 40))
        await HTMLResponse(links)(scope, receive, send)


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_scan_that_was_killed_goes_on_where_it_was(at_once: int, tmp_path: Path) -> None:
    """A kill -9 in the middle: only what was being looked at is asked for again.

    That is a page in one state for each worker, and with a browser in four: less than a page in
    all its states.
    """
    site = Stopping()
    program = tmp_path / "scanning.py"
    program.write_text(textwrap.dedent(KILLED), "utf-8")
    journal = tmp_path / "scan.journal"
    with Server(site) as server:
        asked = [sys.executable, str(program), server.origin("127.0.0.1"), str(journal)]
        asked.append(str(at_once))
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        killed = subprocess.Popen(asked, env=env)
        until = time.monotonic() + 60
        while time.monotonic() < until and site.came.total() < 31:
            time.sleep(0.005)
        os.kill(killed.pid, signal.SIGKILL)
        assert killed.wait(10) == -signal.SIGKILL
        kept = journal.read_bytes().count(b"\n") - 1
        assert 15 < kept < 40
        site.goes_on = True
        done = subprocess.run(
            [*asked, "--resume"], env=env, capture_output=True, text=True, check=False
        )
    assert done.stdout.split() == ["40", "80"], done.stderr
    # The first page is asked for twice more, to look for a notice there.
    again = sum(count - 1 for (path, _), count in site.came.items() if path != "/")
    assert 0 < again <= 2 * at_once
    assert not journal.exists()


# What a site says of itself


def serving(files: dict[str, Answer | Exception], asked: list[str]) -> Send:
    async def send(_method: str, url: str, given: object, _body: bytes) -> Answer:
        asked.append(url.removeprefix(SITE))
        answer = files.get(url.removeprefix(SITE), Answer(404))
        if isinstance(answer, Exception):
            raise answer
        return answer

    return send


def text(body: str | bytes, kind: str = "text/plain") -> Answer:
    whole = body.encode() if isinstance(body, str) else body
    return Answer(200, ((b"content-type", kind.encode()),), whole)


async def pages_with(files: dict[str, Answer | Exception], **options: object) -> list[str]:
    asked: list[str] = []
    double = Double({"/": ["/private/x", "/b"]})
    chosen = Options((State.UNTOUCHED,), **options)  # type: ignore[arg-type] # each test's own
    await scan(f"{SITE}/", opening(double), chosen, send=serving(files, asked))
    assert asked[0] == "/robots.txt"
    return [page for page, _ in double.visited]


async def test_robots_txt_and_sitemaps_are_read() -> None:
    """The sitemaps that robots.txt names, indexes of them, packed ones; none of other sites."""
    packed = gzip.compress(f"{SITE}/c\n".encode())
    files: dict[str, Answer | Exception] = {
        "/robots.txt": text(
            f"User-agent: *\nDisallow: /private\nSitemap: {SITE}/index.xml\n"
            "Sitemap: https://other.example/s.xml\nSitemap: nothing:\n"
        ),
        "/index.xml": text(
            f"<sitemapindex><loc>{SITE}/1.xml</loc><loc>{SITE}/2.gz</loc>"
            f"<loc>{SITE}/none.xml</loc><loc>{SITE}/page.xml</loc></sitemapindex>"
        ),
        "/1.xml": text(f"<urlset><loc>{SITE}/a</loc><loc>{SITE}/private/y</loc></urlset>"),
        "/2.gz": text(packed, "application/x-gzip"),
        "/page.xml": text(f"<a href={SITE}/no>", "text/html"),
    }
    assert await pages_with(files) == ["/", "/a", "/c", "/b"]


async def test_a_site_without_robots_txt_has_its_sitemap_where_sites_have_it() -> None:
    files: dict[str, Answer | Exception] = {
        "/robots.txt": Answer(302, ((b"location", b"/robots"),)),
        "/robots": text("User-agent: *\nDisallow: /b"),
        "/sitemap.xml": Answer(301, ((b"location", b"https://other.example/s.xml"),)),
    }
    assert await pages_with(files) == ["/", "/private/x"]
    page = text("<p>Not here", "text/html; charset=utf-8")
    assert await pages_with({"/robots.txt": page}) == ["/", "/private/x", "/b"]
    assert await pages_with({"/robots.txt": OSError()}) == ["/", "/private/x", "/b"]


async def test_sitemaps_and_redirects_without_end_have_an_end() -> None:
    asked: list[str] = []
    files: dict[str, Answer | Exception] = {
        "/robots.txt": Answer(302, ((b"location", b"/robots.txt"),)),
        "/sitemap.xml": text(f"<sitemapindex><loc>{SITE}/sitemap.xml</loc></sitemapindex>"),
    }
    double = Double({})
    await scan(f"{SITE}/", opening(double), Options((State.UNTOUCHED,)), send=serving(files, asked))
    assert Counter(asked) == {"/robots.txt": 10, "/sitemap.xml": MOST_SITEMAPS}


async def test_a_slow_site_has_a_minute_for_its_sitemaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came until then is looked at; fifty sitemaps of thirty seconds each would take hours."""
    files: dict[str, Answer | Exception] = {
        "/robots.txt": text(f"Sitemap: {SITE}/1.xml\nSitemap: {SITE}/slow.xml"),
        "/1.xml": text(f"<urlset><loc>{SITE}/a</loc></urlset>"),
    }
    at_once = serving(files, [])

    async def send(method: str, url: str, given: Any, body: bytes) -> Answer:
        if url.endswith("/slow.xml"):
            await anyio.sleep_forever()
        return await at_once(method, url, given, body)

    monkeypatch.setattr(scan_module, "TOLD_WITHIN", 0.2)
    double = Double({})
    with anyio.fail_after(30):
        await scan(f"{SITE}/", opening(double), Options((State.UNTOUCHED,)), send=send)
    assert [page for page, _ in double.visited] == ["/", "/a"]


async def test_a_sites_crawl_delay_is_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def note(delay: float) -> None:
        waited.append(delay)

    monkeypatch.setattr(anyio, "sleep", note)
    files: dict[str, Answer | Exception] = {
        "/robots.txt": text("User-agent: consentkit\nCrawl-delay: 3000")
    }
    assert await pages_with(files, workers=1) == ["/", "/private/x", "/b"]
    assert [round(each) for each in waited] == [0, 10, 20]
    assert LONGEST_CRAWL_DELAY == 10


# Where to begin


@pytest.mark.parametrize(
    ("answer", "begins"),
    [
        (Answer(200), f"{SITE}/"),
        (Answer(302, ((b"location", b"/de"),)), f"{SITE}/"),
    ],
)
async def test_a_site_that_answers_is_begun_with(answer: Answer, begins: str) -> None:
    files: dict[str, Answer | Exception] = {"/": answer, "/de": Answer(200)}
    assert await reached(f"{SITE}/", serving(files, [])) == begins


async def test_what_leads_to_https_is_scanned_there() -> None:
    async def send(_method: str, url: str, _given: object, _body: bytes) -> Answer:
        if url.startswith("http:"):
            return Answer(301, ((b"location", b"https://shop.example/home"),))
        return Answer(200)

    assert await reached("http://shop.example/", send) == f"{SITE}/home"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(404), "it answers with 404. Begin with a page that everybody may see."),
        (Answer(401), "it answers with 401. A scan signs in nowhere: begin with a page that"),
        (
            Answer(301, ((b"location", b"https://www.shop.example/x?y"),)),
            "it leads to https://www.shop.example. Scan that site instead.",
        ),
        (Answer(301, ((b"location", b"/"),)), "it redirects more than 10 times."),
        (OSError("no route"), "nobody answers there. Check the address"),
        (TimeoutError(), "it does not answer in time."),
        (OSError("[SSL: CERTIFICATE_VERIFY_FAILED]"), "its certificate is not accepted"),
    ],
)
async def test_a_site_that_cannot_be_scanned_is_told(answer: Answer | Exception, told: str) -> None:
    """Where, what, and what to do, before anything is written."""
    with pytest.raises(ScanError) as failed:
        await reached(f"{SITE}/", serving({"/": answer}, []))
    assert str(failed.value).startswith(f"{SITE}/: {told}")


class Odd(Double):
    """Its pages made the list of links up."""

    async def visit(
        self, page: str, state: State, on_loaded: OnLoaded = lambda: None
    ) -> tuple[Visit, tuple[str, ...]]:
        visit, _ = await super().visit(page, state, on_loaded)
        made_up: list[Any] = [1, None, {}, f"{SITE}/a", "x" * 5000, *range(5000), f"{SITE}/b"]
        return visit, tuple(made_up)


@pytest.mark.parametrize("follow", [True, False])
async def test_links_that_are_no_texts_end_no_scan(*, follow: bool) -> None:
    """`Array.prototype.filter = () => [1]` in a page: what its scripts answer is not believed."""
    odd = Odd({})

    async def open_looks() -> Odd:
        return odd

    options = Options(states=(State.UNTOUCHED,), workers=1, follow=follow)
    found = await scan(f"{SITE}/", open_looks, options)
    assert {visit.page for visit in found.visits} == ({"/", "/a", "/b"} if follow else {"/"})


@pytest.mark.parametrize("away", ["http://169.254.169.254/", "file:///etc/passwd", f"{SITE}:9/"])
async def test_a_journal_leads_a_scan_to_no_other_host(away: str, tmp_path: Path) -> None:
    """A file that somebody wrote into has the scan ask for pages of its own site and no other."""
    path, states = tmp_path / "scan.journal", (State.UNTOUCHED,)
    journal = Journal.begin(Head(SITE, f"{SITE}/", "headers", states), path)
    visit = Visit("/", State.UNTOUCHED, 200)
    journal.note(Entry(f"{SITE}/", visit, [away, f"{SITE}/../a", f"{SITE}/b"]))
    journal.close(is_done=False)
    looks = Double({})

    async def open_looks() -> Double:
        return looks

    options = Options(states=states, workers=1)
    await scan(f"{SITE}/", open_looks, options, journal=path, resume=True)
    assert looks.visited == [("/b", State.UNTOUCHED)]
