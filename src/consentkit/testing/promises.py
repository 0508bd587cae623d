"""The promises of consentkit, as a machine that tries to break them on a site's own app.

It has never heard of how they are kept. It keeps a visitor's answers by hand and never asks the
rules: what it expects it says once more, and more coarsely, so that it cannot repeat a mistake.

::

    TestPromises = machine_for(site, policy, pages=["/", "/news"]).TestCase

One visitor goes through a life that Hypothesis makes up: pages are opened, answers given and
taken back, tokens lost and broken, signals switched on and off, the revision is raised, months
pass. After each step `PROMISES` hold, or an AssertionError says which does not, and Hypothesis
finds the shortest life that shows it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeAlias
from urllib.parse import urlsplit

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from consentkit.middleware import ConsentMiddleware
from consentkit.rules.policy import (
    DAY,
    LONGEST,
    Basis,
    DeclaredCookie,
    Item,
    Kind,
    Policy,
    TakesEffect,
    Undeclared,
)
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.testing.browser import Browser, Response
from consentkit.wire.cookies import parse_attributes, parse_cookie, set_cookie_name, set_cookie_tail
from consentkit.wire.gate import Gate, Tag
from consentkit.wire.representation import is_page

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PROMISES", "PromiseMachine", "machine_for"]

PROMISES: Final = MappingProxyType(
    {
        "asked first": "what rests on consent waits until the visitor grants it",
        "implied": "what rests on implied consent waits until the visitor was told and went on",
        "refusal": "what was refused or withdrawn stays so, however much time passes",
        "lapse": "a grant that is older than the policy allows is none",
        "revision": "a grant to an earlier revision does not cover what changed since",
        "broken token": "an answer that cannot be read any more counts as a refusal",
        "signal": "a signal answers for the visitor, and never grants",
        "children": "nothing optional is on where a page is for children",
        "poll": "a poll's cookie is set by the vote, and never by a page view",
        "undeclared": "nothing leaves that nobody declared",
        "reading": "the app sees no cookie that it may not read",
        "kind": "each cookie lives as its kind and its declaration say, and 400 days at most",
        "renewal": "a cookie that is not renewed is not extended by a visit",
        "withdrawal": "what is withdrawn is expired in the same response",
        "third party": "a page fetches from nobody who may not load",
        "own act": "an answer is written by an act of the visitor, and by nothing else",
        "granted": "what is strictly necessary or was granted is let through",
        "report": "report mode changes nothing",
    }
)
"""Every promise that the machine holds a site to, by the name it has in an error."""

_HEADERS: Final = MappingProxyType({Signal.GPC: "sec-gpc", Signal.DNT: "dnt"})
_STARTS: Final = ("http.response.start", "websocket.accept", "websocket.http.response.start")
_SECRET: Final = "for promises, which are kept in memory alone"  # noqa: S105 - of no site
Middleware: TypeAlias = Callable[..., "ASGIApp"]


class Plan(NamedTuple):
    """What `machine_for` was told."""

    site: ASGIApp
    policy: Policy
    pages: tuple[str, ...]
    forms: tuple[str, ...]
    sockets: tuple[str, ...]
    middleware: Middleware
    path: str
    url: str


class Said(NamedTuple):
    """What the visitor said to one purpose, as the machine remembers it."""

    granted: bool
    revision: int
    time: float
    despite: frozenset[Signal] = NO_SIGNALS


class Arrived(NamedTuple):
    """Names of the cookies that came with a request: of all paths, and of perhaps another."""

    surely: frozenset[str]
    perhaps: frozenset[str]


@dataclass
class _Watch:
    """Stands between the middleware and the site: what the site was shown, and what it tried."""

    site: ASGIApp
    shown: tuple[bytes, ...] = ()
    tried: tuple[bytes, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        values = [bytes(v) for name, v in scope["headers"] if bytes(name).lower() == b"cookie"]
        self.shown = tuple(name for value in values for name, _ in parse_cookie(value))

        async def watched(message: Message) -> None:
            if message["type"] in _STARTS:
                headers = [(bytes(n), bytes(v)) for n, v in message.get("headers") or ()]
                self.tried = tuple(_set_cookies(headers))
                message = {**message, "headers": headers}
            await send(message)

        await self.site(scope, receive, watched)


def machine_for(  # noqa: PLR0913 - each is one thing about a site
    site: ASGIApp,
    policy: Policy,
    *,
    pages: Sequence[str] = ("/",),
    forms: Sequence[str] = (),
    sockets: Sequence[str] = (),
    middleware: Middleware = ConsentMiddleware,
    path: str = "/consent",
    url: str = "https://testserver",
) -> type[PromiseMachine]:
    """A machine for a site: pytest and unittest run its ``.TestCase``.

    - `site`: the app without its ConsentMiddleware, which the machine puts around it;
    - `pages`: paths to open with GET: pages, and whatever else may store something;
    - `forms`: paths to post to, as a vote does;
    - `sockets`: paths of websockets;
    - `middleware`: ``functools.partial(ConsentMiddleware, …)`` with the options of the site; the
      machine adds `policy`, `secret_key`, `clock` and `report_only`;
    - `path`: where the endpoints are, as in the middleware;
    - `url`: where the site is.

    Pages that themselves record an answer (``visitor.grant(…)``) do not belong among these: the
    machine takes them for a broken promise. Run it with Hypothesis's settings.
    """
    plan = Plan(
        site, policy, tuple(pages), tuple(forms), tuple(sockets), middleware, path, url.rstrip("/")
    )
    return type("PromiseMachineOfASite", (PromiseMachine,), {"plan": plan})


def _one_of(*names: str) -> st.SearchStrategy[Any]:
    """One of the paths that the plan has under these names."""
    return st.runner().flatmap(
        lambda machine: st.sampled_from([p for name in names for p in getattr(machine.plan, name)])
    )


_PURPOSES: Final = st.runner().flatmap(
    lambda machine: st.lists(
        st.sampled_from(machine.policy.optional_purposes), min_size=1, unique=True
    )
)


def _asks(machine: PromiseMachine) -> bool:
    return bool(machine.policy.optional_purposes)


class PromiseMachine(RuleBasedStateMachine):
    """The life of one visitor of one site; `machine_for` makes one."""

    plan: Plan

    def __init__(self) -> None:
        super().__init__()
        self.policy = self.plan.policy
        self.now = float(int(time.time()))
        self.said: dict[str, Said] = {}
        self.is_broken = False
        self.went_on = False
        self._loop = asyncio.Runner()
        self.watch = _Watch(self.plan.site)
        self.browser = Browser(self._guarded(), url=self.plan.url, clock=lambda: self.now)
        self.reporting: ASGIApp | None = None

    def teardown(self) -> None:
        """Close the loop in which the site ran."""
        self._loop.close()

    def _guarded(self, *, report_only: bool = False) -> ASGIApp:
        return self.plan.middleware(
            self.watch,
            policy=self.policy,
            secret_key=_SECRET,
            clock=lambda: self.now,
            report_only=report_only,
        )

    # what happens

    @initialize(signals=st.frozensets(st.sampled_from(Signal)))
    def arrive(self, signals: frozenset[Signal]) -> None:
        """The visitor comes, with or without signals."""
        self._send_signals(signals)

    @rule(path=_one_of("pages"))
    def visit(self, path: str) -> None:
        """An address is typed."""
        self._opens(path, self.browser.visit)

    @rule(path=_one_of("pages"))
    def follow(self, path: str) -> None:
        """A link is followed: whoever was told of implied consent has then gone on."""
        self.went_on = self.went_on or self._token(seen=True) in self.browser.cookies
        self._opens(path, self.browser.follow)

    @rule(path=_one_of("pages"))
    def fetch(self, path: str) -> None:
        """A script of the site fetches."""
        self._opens(path, self.browser.fetch)

    @precondition(lambda self: self.plan.forms)
    @rule(path=_one_of("forms"))
    def post(self, path: str) -> None:
        """A form of the site is sent."""
        arrived = self._arrived()
        response = self._ask(self.browser.submit(path, sent="1"))
        self._judge(path, response.headers, arrived, is_vote=True)

    @precondition(lambda self: self.plan.sockets)
    @rule(path=_one_of("sockets"))
    def connect(self, path: str) -> None:
        """A page opens a websocket."""
        arrived = self._arrived()
        headers = self._ask(_handshake(self.browser, path))
        for raw in _set_cookies(headers):
            self.browser.store(raw.decode("latin-1"), path)
        self._judge(path, headers, arrived)

    @precondition(_asks)
    @rule()
    def grant_everything(self) -> None:
        """The first button."""
        self._grants(self.policy.optional_purposes, choice="accept-all")

    @precondition(_asks)
    @rule(purposes=_PURPOSES)
    def grant_some(self, purposes: list[str]) -> None:
        """Some switches are on, and the answer is saved: the others are refused."""
        others = [name for name in self.policy.optional_purposes if name not in purposes]
        self._remember_refusal(others)
        self._grants(purposes, [("purpose", name) for name in purposes], choice="save")
        self._judge_withdrawal(others)

    @precondition(_asks)
    @rule()
    def refuse_everything(self) -> None:
        """The second button."""
        self._refuses(self.policy.optional_purposes, choice="reject-all")

    @precondition(_asks)
    @rule(purposes=_PURPOSES)
    def withdraw(self, purposes: list[str]) -> None:
        """Some purposes are withdrawn."""
        self._refuses(purposes, [("purpose", name) for name in purposes], choice="withdraw")

    @rule()
    def raise_the_revision(self) -> None:
        """Everything changed, and the site starts anew."""
        data = self.policy.model_dump(by_alias=True)
        self.policy = Policy.model_validate({**data, "revision": self.policy.revision + 1})
        self.went_on = False
        self.browser.app, self.reporting = self._guarded(), None

    @rule()
    def lose_the_tokens(self) -> None:
        """The visitor clears what holds their answers."""
        for cookie in self.browser.jar:
            if cookie.name in self._tokens:
                self._forget(cookie.name)
        self._forget_what_was_said()

    @rule()
    def break_the_token(self) -> None:
        """Something happens to the token, so that its signature does not hold."""
        name = self._token()
        if name in self.browser.cookies:
            value = self.browser.cookies[name]
            self.browser.store(f"{name}={value}x; {self._token_tail()}")
            self._forget_what_was_said()
            self.is_broken = True

    @rule(signals=st.frozensets(st.sampled_from(Signal)))
    def switch_signals(self, signals: frozenset[Signal]) -> None:
        """Sec-GPC and DNT go on and off."""
        self._send_signals(signals)

    @rule(days=st.sampled_from([1, 30, 200, 399, 800]))
    def time_passes(self, days: int) -> None:
        """Days go by, and the browser forgets what has lived its time."""
        self.now += days * DAY
        if self._token() not in self.browser.cookies:
            self._forget_what_was_said()

    @rule(path=_one_of("pages"))
    def look_in_report_mode(self, path: str) -> None:
        """The control: the same visitor, where enforcement only tells."""
        self.reporting = self.reporting or self._guarded(report_only=True)
        other = Browser(
            self.reporting,
            url=self.plan.url,
            headers=self.browser.headers,
            clock=lambda: self.now,
        )
        for cookie in self.browser.jar:
            if cookie.is_host_only and cookie.path == "/":
                other.store(f"{cookie.name}={cookie.value}; Path=/; Secure")
        arrived = set(other.cookies)
        response = self._ask(other.visit(path))
        left = [raw for raw in self.watch.tried if raw not in response.set_cookies]
        hidden = arrived - {_text(name) for name in self.watch.shown}
        if left or hidden:
            names = sorted({*map(_name, left), *hidden})
            self._broken("report", f"{path}: it held back {', '.join(names)}")

    # what the visitor said

    def _send_signals(self, signals: frozenset[Signal]) -> None:
        self.signals = signals
        for signal, header in _HEADERS.items():
            self.browser.headers.pop(header, None)
            if signal in signals:
                self.browser.headers[header] = "1"

    def _grants(
        self, purposes: Sequence[str], form: Iterable[tuple[str, str]] = (), **fields: str
    ) -> None:
        response = self._answers(form, **fields)
        for name in purposes:
            if not self._stands(name):  # what stands is as old as it is
                self.said[name] = self._now(granted=True)
        self.is_broken = False
        self._judge_after(response)

    def _refuses(
        self, purposes: Sequence[str], form: Iterable[tuple[str, str]] = (), **fields: str
    ) -> None:
        response = self._answers(form, **fields)
        self._remember_refusal(purposes)
        self._judge_after(response)
        self._judge_withdrawal(purposes)

    def _answers(self, form: Iterable[tuple[str, str]], **fields: str) -> Response:
        """Post an answer; of an answer that could not be read any more, the rest stays refused."""
        if self.is_broken:
            self._remember_refusal(self.policy.optional_purposes)
        self.is_broken = False
        response: Response = self._ask(self.browser.submit(self.plan.path, form, **fields))
        return response

    def _remember_refusal(self, purposes: Iterable[str]) -> None:
        for name in purposes:
            self.said[name] = self._now(granted=False)

    def _forget_what_was_said(self) -> None:
        self.said, self.is_broken, self.went_on = {}, False, False

    def _now(self, *, granted: bool) -> Said:
        despite = self.signals if granted else NO_SIGNALS
        return Said(granted, self.policy.revision, self.now, despite)

    def _stands(self, purpose: str) -> bool:
        """True for a grant that a second one would not make younger."""
        said, heard = self.said.get(purpose), self._heard(purpose)
        if said is None or not said.granted or self._is_old(said):
            return False
        in_force = heard <= said.despite and not (heard and self.policy.signals_win)
        return in_force or self.signals <= said.despite

    # what may be

    def _heard(self, purpose: str) -> frozenset[Signal]:
        return self.signals & self.policy.purposes[purpose].honours

    def _is_old(self, said: Said) -> bool:
        is_lapsed = int(said.time) + self.policy.ask_again_after <= self.now
        return is_lapsed or said.revision < self.policy.revision

    def _why_not(self, purpose: str) -> str | None:
        """The promise that keeps a purpose from being allowed; None if it may be allowed."""
        basis, said = self.policy.basis_of(purpose), self.said.get(purpose)
        if basis is Basis.STRICTLY_NECESSARY:
            return None
        if said is not None and not said.granted:
            return "refusal"
        stands = said is not None and not self._is_old(said)
        own = None if stands else self._why_not_unasked(basis, said)
        heard = self._heard(purpose)
        is_known = stands and said is not None and heard <= said.despite
        if heard and not (is_known and not self.policy.signals_win):
            return own if own in ("revision", "lapse") else "signal"
        return own

    def _why_not_unasked(self, basis: Basis, said: Said | None) -> str | None:
        if self.is_broken and basis is not Basis.CONSENT:
            return "broken token"
        if basis is Basis.OPT_OUT:
            return None
        if basis is Basis.IMPLIED and said is None:
            at_once = self.policy.takes_effect is TakesEffect.AT_ONCE
            return None if self.went_on or at_once else "implied"
        if said is None:
            return "asked first"
        return "revision" if said.revision < self.policy.revision else "lapse"

    def _why_not_item(self, item: Item, path: str) -> str | None:
        reasons = list(filter(None, map(self._why_not, item.purpose)))
        optional = {*self.policy.optional_purposes} & {*item.purpose}
        if optional and self.policy.is_for_children(urlsplit(path).path):
            return "children"
        return reasons[0] if reasons else None

    def _why_not_stored(self, declared: DeclaredCookie, path: str, *, is_vote: bool) -> str | None:
        why = self._why_not_item(declared, path)
        if declared.kind is Kind.POLL_TIMEOUT:
            # The vote answers for it, so that nothing but a refusal stands in its way.
            refused = why if why in ("refusal", "signal", "children", "broken token") else None
            return refused or (None if is_vote else "poll")
        return why

    # looking

    @property
    def _tokens(self) -> frozenset[str]:
        name = self.policy.token.name
        return frozenset(
            f"{prefix}{name}{suffix}"
            for prefix in ("", "__Host-", "__Secure-")
            for suffix in ("", "-seen")
        )

    def _token(self, *, seen: bool = False) -> str:
        """The name under which the browser holds a token, or the policy's, if it holds none."""
        held = [
            name
            for name in self.browser.cookies
            if name in self._tokens and name.endswith("-seen") == seen
        ]
        return held[0] if held else self.policy.token.name + ("-seen" if seen else "")

    def _token_tail(self) -> str:
        domain = self.policy.token.domain
        secure = "; Secure" if self.plan.url.startswith("https:") else ""
        return f"Path=/; Max-Age=9999999{secure}" + (f"; Domain={domain}" if domain else "")

    def _forget(self, name: str) -> None:
        self.browser.store(f"{name}=; {self._token_tail()}; Max-Age=0")

    def _arrived(self) -> Arrived:
        everywhere = {cookie.name for cookie in self.browser.jar if cookie.path == "/"}
        return Arrived(frozenset(everywhere), frozenset(self.browser.cookies))

    def _ask(self, coroutine: Any) -> Any:  # noqa: ANN401 - a response, or headers
        self.watch.shown = self.watch.tried = ()
        return self._loop.run(coroutine)

    def _opens(self, path: str, how: Callable[[str], Any]) -> None:
        arrived = self._arrived()
        response = self._ask(how(path))
        self._judge(path, response.headers, arrived)
        for raw in response.set_cookies:
            name, attributes = _name(raw), parse_attributes(set_cookie_tail(raw))
            is_answer = name in self._tokens and not name.endswith("-seen")
            if is_answer and not attributes.is_removal(self.now):
                self._broken("own act", f"{path} wrote '{name}', and nobody had answered")
        if is_page(response.status, list(response.headers)):
            self._judge_page(path, response.body)

    # judging

    def _broken(self, promise: str, what: str) -> NoReturn:
        raise AssertionError(f"{promise}: {PROMISES[promise]}; {what}.")

    def _judge_after(self, response: Response) -> None:
        self._judge(self.plan.path, response.headers, self._arrived())

    def _judge(
        self,
        path: str,
        headers: Sequence[tuple[bytes, bytes]],
        arrived: Arrived,
        *,
        is_vote: bool = False,
    ) -> None:
        """Hold one response to the promises: what left, what was read, what had to leave."""
        left = [raw for raw in _set_cookies(headers) if not self._is_removal(raw)]
        for raw in left:
            if _name(raw) not in self._tokens:
                self._judge_stored(path, raw, arrived, is_vote=is_vote)
        self._judge_read(path)
        names = {_name(raw) for raw in left}
        for raw in self.watch.tried:
            name = _name(raw)
            declared = self.policy.declaration_of(name)
            if name in names or declared is None or self._is_removal(raw):
                continue
            renewed = name in arrived.perhaps and not declared.renew
            is_poll = declared.kind is Kind.POLL_TIMEOUT and not is_vote
            if not renewed and not is_poll and self._is_certain(declared, path):
                self._broken("granted", f"{path} set '{name}', and it was held back")

    def _is_removal(self, raw: bytes) -> bool:
        return parse_attributes(set_cookie_tail(raw)).is_removal(self.now)

    def _is_certain(self, item: Item, path: str) -> bool:
        """True for what is strictly necessary, or granted and in force."""
        return self._why_not_item(item, path) is None and all(
            name in self.said or self.policy.basis_of(name) is Basis.STRICTLY_NECESSARY
            for name in item.purpose
        )

    def _judge_stored(self, path: str, raw: bytes, arrived: Arrived, *, is_vote: bool) -> None:
        name = _name(raw)
        declared = self.policy.declaration_of(name)
        if declared is None:
            if self.policy.undeclared is not Undeclared.REPORT:
                self._broken("undeclared", f"{path} set '{name}'")
            return
        why = self._why_not_stored(declared, path, is_vote=is_vote)
        if why:
            self._broken(why, f"{path} set '{name}'")
        if name in arrived.surely and not declared.renew:
            self._broken("renewal", f"{path} set '{name}' again")
        lifetime = parse_attributes(set_cookie_tail(raw)).lifetime(self.now)
        if not _may_live(declared, lifetime):
            self._broken("kind", f"{path} set '{name}' of kind {declared.kind} for {lifetime} s")

    def _judge_read(self, path: str) -> None:
        for name in map(_text, self.watch.shown):
            declared = self.policy.declaration_of(name)
            if declared is None:
                hidden = self.policy.undeclared is Undeclared.HIDE and name not in self._tokens
                why = "undeclared" if hidden else None
            else:
                why = self._why_not_stored(declared, path, is_vote=True)
            if why:
                self._broken("reading", f"{path} was shown '{name}' ({PROMISES[why]})")

    def _judge_withdrawal(self, purposes: Iterable[str]) -> None:
        """What stands under these purposes is gone from the jar, wherever it was declared to be."""
        gone = {*purposes}
        for cookie in self.browser.jar:
            declared = self.policy.declaration_of(cookie.name)
            if declared is None or not gone & {*declared.purpose} or cookie.name in self._tokens:
                continue
            if cookie.path == declared.path and cookie.is_host_only == (declared.domain is None):
                http_only = "HttpOnly " if cookie.cookie.attributes.http_only else ""
                self._broken("withdrawal", f"the browser still has {http_only}'{cookie.name}'")

    def _judge_page(self, path: str, body: bytes) -> None:
        own = urlsplit(self.plan.url).hostname or ""
        for host in _hosts_fetched(body, lambda host: self.policy.is_first_party(host, own)):
            service = self.policy.service_of_host(host)
            if service is None:
                if self.policy.undeclared is not Undeclared.REPORT:
                    self._broken("third party", f"{path} fetches from {host}: nobody declared it")
            elif why := self._why_not_item(self.policy.services[service], path):
                self._broken("third party", f"{path} fetches from {host} ({PROMISES[why]})")


def _may_live(declared: DeclaredCookie, lifetime: float | None) -> bool:
    if declared.kind is Kind.SESSION or lifetime is None:
        return lifetime is None and declared.kind is not Kind.POLL_TIMEOUT
    usual = DAY if declared.kind is Kind.POLL_TIMEOUT else LONGEST
    return lifetime <= min(declared.duration or usual, LONGEST)


def _hosts_fetched(body: bytes, is_own: Callable[[str], bool]) -> Iterator[str]:
    """Each host that the tags of a page fetch from, and that is not the site's own."""
    found: list[Tag] = []
    Gate(found.append, is_own=is_own).feed(body, last=True)
    return iter(dict.fromkeys(host for tag in found for host in tag.hosts))


async def _handshake(browser: Browser, path: str) -> list[tuple[bytes, bytes]]:
    """The headers with which a websocket is accepted or denied."""
    origin = urlsplit(browser.url)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    told = {**browser.headers, "host": origin.netloc, "origin": browser.url, "cookie": cookies}
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": origin.scheme.replace("http", "ws"),
        "path": path,
        "raw_path": path.encode("ascii"),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode("ascii"), value.encode()) for name, value in told.items()],
        "client": ("127.0.0.1", 50000),
        "server": (origin.hostname, 443),
        "subprotocols": [],
        "state": {},
        "extensions": {"websocket.http.response": {}},
    }
    incoming = iter(({"type": "websocket.connect"},))
    sent: list[tuple[bytes, bytes]] = []

    async def receive() -> Message:
        return next(incoming, {"type": "websocket.disconnect", "code": 1001})

    async def send(message: Message) -> None:
        if message["type"] in _STARTS:
            sent.extend((bytes(n), bytes(v)) for n, v in message.get("headers") or ())

    await browser.app(scope, receive, send)
    return sent


def _set_cookies(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    return (value for name, value in headers if name.lower() == b"set-cookie")


def _name(raw: bytes) -> str:
    return _text(set_cookie_name(raw))


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
