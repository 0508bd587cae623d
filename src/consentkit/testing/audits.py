"""`audit_app`: one line in a site's own suite holds what it declares and what it does together.

It has never heard of a network: the app is called in this process, as a browser without a screen
would call it, and the findings are those of ``consentkit scan --headers``.

::

    def test_the_site_keeps_to_its_policy():
        audit_app(app)

Every page is looked at as a first visitor, after a refusal, after a grant, after a withdrawal that
was made on that very page, and with Global Privacy Control.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import anyio

from consentkit.audit.findings import FINDINGS, Finding, Report, Severity, report_on
from consentkit.audit.frontier import Limits, address
from consentkit.audit.headers import HeadersWitness
from consentkit.audit.judging import own_names
from consentkit.audit.network import MOST_BYTES, REDIRECTS, Answer, Send, inflated
from consentkit.audit.scan import Looks, Options, scan
from consentkit.audit.seen import Scan, State
from consentkit.errors import NoSuchVisitorError, ScanError
from consentkit.rules.policy_file import file_of, inspect_policy
from consentkit.shell.reports import counted
from consentkit.testing.browser import Browser
from consentkit.testing.visitors import ready_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Scope

    from consentkit.audit.seen import Visit
    from consentkit.rules.policy import Policy

__all__ = ["audit_app", "audit_app_async", "send_into"]

MOST_PAGES: Final = 1000
"""Pages that are followed where no paths are named."""
WITHIN: Final = 30.0
"""Seconds that the app has for an answer: a stream without end is no page."""
MOST_TOLD: Final = 20
"""Findings, and pages that failed, that a failure tells of."""


def audit_app(  # noqa: PLR0913 - what is looked at, held against what, and what fails
    app: ASGIApp,
    paths: Iterable[str] | None = None,
    *,
    policy: Policy | None = None,
    states: Iterable[State | str] = tuple(State),
    fail_on: Severity | str | None = Severity.ERROR,
    url: str | None = None,
) -> Report:
    """Walk an app in every state, hold what it does against its policy, and return the report.

    `paths` are what is looked at; None follows the links from ``/``. The policy is that of the
    app's own ConsentMiddleware, or `policy`. `url` is where the app believes itself to be, by
    default ``https://testserver``, or http where the middleware says ``secure=False``. The app's
    lifespan is run.

    Raises AssertionError with every finding of `fail_on` or worse (`Severity`, or its name; None
    for never), for a page that raises, answers with a server's error (500 and above) or not within
    30 seconds, a named path that answers with an error or leads to another site, and a state that
    cannot be come to, is not kept, or in which no page can be seen. Raises NoSuchVisitorError where
    neither a policy nor a middleware is found.

    It runs in a thread of its own, so that it may be called where a loop is running, too; there
    `audit_app_async` is what to await.
    """
    work = partial(
        audit_app_async, app, paths, policy=policy, states=states, fail_on=fail_on, url=url
    )
    with ThreadPoolExecutor(1, "audit_app") as pool:
        return pool.submit(anyio.run, work).result()


async def audit_app_async(  # noqa: PLR0913 - as above
    app: ASGIApp,
    paths: Iterable[str] | None = None,
    *,
    policy: Policy | None = None,
    states: Iterable[State | str] = tuple(State),
    fail_on: Severity | str | None = Severity.ERROR,
    url: str | None = None,
) -> Report:
    """`audit_app`, to be awaited, under asyncio or trio."""
    site = _site_of(app, policy, url)
    named = None if paths is None else [_whole(site.origin, path) for path in paths]
    if named == []:
        raise AssertionError("audit_app: no paths were named, so this proves nothing")
    asked = set(map(State, states))
    if not asked:
        raise AssertionError("audit_app: no states were named, so this proves nothing")
    options = Options(
        tuple(state for state in State if state in asked),
        Limits(pages=MOST_PAGES),
        workers=1,
        follow=named is None,
    )

    async def open_looks() -> Looks:
        return HeadersWitness(send_into(app), is_own=site.is_own, endpoint=site.endpoint)

    start, *more = named or [f"{site.origin}/"]
    try:
        seen = await _within_lifespan(app, partial(scan, start, open_looks, options, pages=more))
    except ScanError as error:
        raise AssertionError(f"audit_app: {error}") from error
    report = report_on(site.policy, seen, policy_file=site.file, place_of=site.line_of)
    told = [*_unseen(seen, is_named=named is not None)]
    # Who is asked nothing has no answer to give.
    if site.endpoint is not None and site.held.optional_purposes:
        told += _unreached(seen, own_names(site.held))
    _judge(report, fail_on, told)
    return report


# The site


class _Site(NamedTuple):
    """What is audited; `held` is the policy that its middleware enforces, `policy` what judges."""

    policy: Policy
    held: Policy
    origin: str
    endpoint: str | None
    file: str | None
    line_of: Callable[[str, str], int | None]

    def is_own(self, host: str) -> bool:
        return self.policy.is_first_party(host, urlsplit(self.origin).hostname or "")


def _site_of(app: ASGIApp, policy: Policy | None, url: str | None) -> _Site:
    """What is held against what: by the app's own middleware, as far as it has one."""
    try:
        ready = ready_of(app, url=url or "https://testserver")
    except NoSuchVisitorError:
        if policy is None:
            raise
        origin, endpoint, held, enforced = url or "https://testserver", None, policy, policy
    else:
        scheme = "https" if ready.options.secure else "http"
        origin, enforced = url or f"{scheme}://testserver", ready.policy
        held = policy or enforced
        endpoint = f"{origin.rstrip('/')}{ready.options.path}"
    file = file_of(held)
    inspection = inspect_policy(file) if file is not None else None

    def line_of(section: str, name: str) -> int | None:
        place = inspection.place_of(section, name) if inspection is not None else None
        return place.line if place is not None else None

    return _Site(held, enforced, origin.rstrip("/"), endpoint, file, line_of)


def _whole(origin: str, path: str) -> str:
    whole = address(path, f"{origin}/")
    if whole is None or not whole.startswith(f"{origin}/"):
        raise AssertionError(f"audit_app: '{path}' is no path on {origin}. Write it as '/news'.")
    return whole


# The app, as a browser calls it


def send_into(app: ASGIApp) -> Send:
    """What sends requests into an app in this process; an app that raises, raises."""

    async def send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(url)
        browser = Browser(app, url=f"{parts.scheme}://{parts.netloc}")
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        with anyio.fail_after(WITHIN):
            response = await browser.request(method, path, headers=headers, body=body)
        coding = (response.header("content-encoding") or "").strip().lower()
        whole, is_cut = inflated(response.body, coding, MOST_BYTES)
        return Answer(response.status, response.headers, whole, is_cut)

    return send


async def _within_lifespan(app: ASGIApp, work: Callable[[], Awaitable[Scan]]) -> Scan:
    """Work between what an app does before its first request and what it does after its last.

    ASGI, lifespan 2.0: an app that knows none raises, or ends, and is called without.
    """
    life = _Life(app)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(life.live)
        await life.answered.wait()
        try:
            if life.failure is None:
                life.seen = await work()
        except Exception as error:  # noqa: BLE001 - raised below, in no group
            life.failure = error
        life.asked_to_end.set()
    if life.failure is not None:
        raise life.failure
    return life.seen


class _Life:
    """An app's lifespan: what it was told, and what it said."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._has_begun = False
        self.answered, self.asked_to_end = anyio.Event(), anyio.Event()
        self.failure: Exception | None = None
        self.seen: Scan

    async def live(self) -> None:
        """Call the app with its lifespan, and end with it."""
        spoken = {"version": "3.0", "spec_version": "2.0"}
        scope: Scope = {"type": "lifespan", "asgi": spoken, "state": {}}
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - raised by who waits for it
            if self.answered.is_set():
                self.failure = self.failure or error
        finally:
            self.answered.set()

    async def _receive(self) -> Message:
        if not self._has_begun:
            self._has_begun = True
            return {"type": "lifespan.startup"}
        await self.asked_to_end.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        if message["type"].endswith(".failed"):
            why = f"the app's {message['type']}: {message.get('message', '')}"
            self.failure = AssertionError(f"audit_app: {why}")
        self.answered.set()


# What fails


def _judge(report: Report, fail_on: Severity | str | None, told: list[str]) -> None:
    least = None if fail_on is None else Severity(fail_on)
    if least is not None:
        bad = [each for each in report.findings if each.severity.rank <= least.rank]
        told += [_told(finding, report.policy_file) for finding in bad]
    if told:
        rest = len(told) - MOST_TOLD
        more = [f"and {rest} more"] if rest > 0 else []
        raise AssertionError("\n".join([_head(report), *told[:MOST_TOLD], *more]))


def _head(report: Report) -> str:
    pages = len({visit.page for visit in report.scan.visits})
    walked = f"{counted(pages, 'page')} in {counted(len(report.scan.states), 'state')}"
    return f"audit_app: {walked}; what differs:"


def _unreached(seen: Scan, own: frozenset[str]) -> Iterator[str]:
    """Each state that was not come to, or whose answer the browser did not bring along.

    Its pages would be those of a first visitor under another name.
    """
    for act in seen.acts:
        visits = [visit for visit in seen.visits if visit.state is act.state and not visit.error]
        if act.clicks is None:
            yield f"state {act.state}: it could not be come to: {act.how}."
        elif visits and not any(sent.name in own for visit in visits for sent in visit.sent):
            yield (
                f"state {act.state}: no page was asked for with the answer that was given. See "
                "that the token comes back from the endpoint, and that its path, its domain and "
                "Secure suit the 'url'."
            )


def _unseen(seen: Scan, *, is_named: bool) -> Iterator[str]:
    """Each page that proves nothing, and each state of which no page proves anything.

    A page does not where it raised, or failed, or where it was named and was not to be seen.
    """
    done = set[str]()
    for visit in seen.visits:
        if visit.page in done:
            continue
        if visit.error:
            done.add(visit.page)
            yield f"{visit.page}, {visit.state}: it could not be looked at: {visit.error}."
        elif (is_named or visit.status >= 500) and not _was_seen(visit):
            done.add(visit.page)
            yield _not_seen(visit)
    if not done:
        yield from _blind(seen)


def _blind(seen: Scan) -> Iterator[str]:
    """Each state in which no page was to be seen; they are one where it is every state."""
    firsts: dict[State, Visit] = {}
    for visit in seen.visits:
        firsts.setdefault(visit.state, visit)
    sighted = {visit.state for visit in seen.visits if _was_seen(visit)}
    for state, first in firsts.items():
        if state not in sighted:
            where = f"{first.page}, {state}" if sighted else first.page
            yield f"{where}: it {_answered(first)}, and so nothing was seen."
            if not sighted:
                return


def _was_seen(visit: Visit) -> bool:
    return visit.status < 400 and visit.status not in REDIRECTS


def _answered(visit: Visit) -> str:
    # A redirect within the site was followed.
    away = " and leads to another site" if visit.status in REDIRECTS else ""
    return f"answers with {visit.status}{away}"


def _not_seen(visit: Visit) -> str:
    if visit.status == 404:
        return f"{visit.page}: there is no such page. Correct the path."
    proves = f"it {_answered(visit)}, which proves nothing"
    return f"{visit.page}, {visit.state}: {proves}. Correct the page, or take the path out."


def _told(finding: Finding, file: str | None) -> str:
    """A finding in a few lines: what, where, and what to do."""
    place = f"{file}:{finding.line}: " if file and finding.line else ""
    rule = FINDINGS[finding.kind]
    more = f" and {finding.count - 3} more" if finding.count > 3 else ""
    where = ", ".join(finding.pages[:3]) + more
    states = ", ".join(finding.states)
    seen = f"\n    seen: {states}, on {where}" if where else ""
    law = f" ({', '.join(rule.law)})" if rule.law else ""
    return (
        f"{place}{finding.severity}: {rule.title}: {finding.subject} '{finding.name}'{law}"
        f"\n    {finding.what} {finding.cure}{seen}"
    )
