"""A witness of headers: asks for pages as a browser does, and runs nothing that is in them.

It has never heard of a socket: `send` is handed in, over a network or into an app in process.

It sees every cookie that a response stores, what its jar would send back, and which tags of a page
would fetch from elsewhere. What scripts do it cannot see. It answers consentkit's own notice, by
posting the form that stands in the page; another tool's notice it cannot press.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from consentkit.audit.frontier import address, origin_of, page_name, same_site
from consentkit.audit.jar import Jar, Kept
from consentkit.audit.labels import shape_of
from consentkit.audit.markup import Form, PageRead, led_to, read_page
from consentkit.audit.network import REDIRECTS, Answer, Send
from consentkit.audit.seen import (
    LARGEST,
    Act,
    Banner,
    By,
    Look,
    SeenCookie,
    SeenRequest,
    SentCookie,
    ShownCookie,
    State,
    Visit,
    Witness,
)
from consentkit.wire.cookies import SetCookie, parse_cookie_date
from consentkit.wire.validators import links_without

__all__ = ["HeadersWitness", "Load", "shown_in"]

BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
"""What it calls itself to a site: one that calls itself a robot would be shown other pages."""
MOST_REDIRECTS: Final = 10
_NAVIGATION: Final = {
    "user-agent": BROWSER,
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "en",
    "accept-encoding": "gzip, deflate",
    "upgrade-insecure-requests": "1",
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-user": "?1",
}
_FETCH: Final = {
    **{name: _NAVIGATION[name] for name in ("user-agent", "accept-language", "accept-encoding")},
    "accept": "*/*",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
}
_NO_NOTICE: Final = "no notice of consentkit on the first page; only a browser can press others"
_NO_BUTTON: Final = "no button and no link to the settings on the first page"
_LATER: Final = {1: "", 2: ", behind the link to the settings"}
_CHOICES: Final = {
    State.REFUSED: ("reject-all",),
    State.GRANTED: ("accept-all",),
    State.WITHDRAWN: ("withdraw", "reject-all"),
}


@dataclass(slots=True)
class Load:
    """One page load: the last answer, where it came from, and what the responses stored.

    `leads_to` is the other site that the last answer redirects to.
    """

    url: str
    answer: Answer
    cookies: list[SeenCookie] = field(default_factory=list)
    sent: list[SentCookie] = field(default_factory=list)
    leads_to: str = ""
    error: str = ""


class HeadersWitness:
    """Looks at pages by their headers and markup; `scan.Looks`.

    `is_own` tells of a host whether it is of the site, by default by `same_site`. With an
    `endpoint` answers are posted there also where no page has a button for them; that is 0 clicks.
    """

    witness: Witness = Witness.HEADERS
    at_once: int = 1

    def __init__(
        self,
        send: Send,
        *,
        is_own: Callable[[str], bool] | None = None,
        endpoint: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._send, self._given_is_own, self._clock = send, is_own, clock
        self._endpoint, self._may_post_unasked = endpoint, endpoint is not None
        self._site = self._host = ""
        self._jars: dict[State, Jar] = {}

    async def prepare(self, site: str, first_page: str, states: Sequence[State]) -> tuple[Act, ...]:
        """Answer consentkit's notice on the first page, once for each state that takes an act."""
        self._site, self._host = site, urlsplit(site).hostname or ""
        asked = [state for state in _CHOICES if state in states]
        return tuple([await self._act(first_page, state) for state in asked])

    @property
    def endpoint(self) -> str:
        """Where consentkit's own pages are, as far as a page said so."""
        return self._endpoint or ""

    async def visit(
        self, page: str, state: State, _on_loaded: object = None
    ) -> tuple[Visit, tuple[str, ...]]:
        """Load a page in a state; after a withdrawal that was made on that very page."""
        jar = self._jar_of(state)
        if state is State.WITHDRAWN:
            await self.load(page, jar, state)
            why = await self._post(page, jar, self._endpoint, {"choice": "withdraw"})
            if why:
                return Visit(page_name(page), state, error=why), ()
        load = await self.load(page, jar, state)
        return self._visit_of(page, state, load)

    async def shown(self) -> tuple[ShownCookie, ...] | None:
        """The rows of the site's ``declaration.json``, None where it has none.

        Where no notice says where that is, it is looked for where it is by default.
        """
        endpoint = self._endpoint or f"{self._site}/consent"
        url = f"{endpoint.rstrip('/')}/declaration.json"
        answer = await self._send("GET", url, dict(_FETCH), b"")
        return shown_in(answer.body) if answer.status == 200 else None

    async def close(self) -> None:
        """Nothing was begun: whoever made `send` ends it."""

    def _jar_of(self, state: State) -> Jar:
        begun = State.GRANTED if state is State.WITHDRAWN else state
        return self._jars[begun].copy() if begun in self._jars else Jar()

    def _is_own(self, host: str) -> bool:
        if self._given_is_own is not None:
            return self._given_is_own(host)
        return same_site(host, self._host)

    def _is_on_it(self, url: str) -> bool:
        """A notice leads to its own origin: no page has us ask another host, or another port."""
        return origin_of(url) == self._site

    async def _act(self, page: str, state: State) -> Act:
        """Come to a state as a person does, and keep the jar; WITHDRAWN begins as GRANTED."""
        if state is State.WITHDRAWN and State.GRANTED not in self._jars:
            granted = await self._act(page, State.GRANTED)
            if granted.clicks is None:
                return Act(state, None, granted.how)
        jar = self._jar_of(state)
        found, clicks = await self._find(page, jar, state)
        if found is None and not self._may_post_unasked:
            return Act(state, None, _NO_NOTICE if self._endpoint is None else _NO_BUTTON)
        choice = next((c for c in _CHOICES[state] if found and c in found.choices), None)
        fields = {**(found.fields if found else {}), "choice": choice or _CHOICES[state][0]}
        action = found.action if found else self._endpoint
        why = await self._post(page, jar, action, fields)
        if why:
            return Act(state, None, why)
        self._jars[state] = jar
        if found is None:
            return Act(state, 0, "posted without a button")
        return Act(state, clicks, f"'{found.choices[choice or '']}'" + _LATER[clicks])

    async def _find(self, page: str, jar: Jar, state: State) -> tuple[Form | None, int]:
        """The form that leads to a state, and the clicks it takes: on the page, or one further."""
        read = self._read(await self.load(page, jar, state))
        form = read.form_for(_CHOICES[state])
        posted_to = form.action if form is not None and form.in_notice else None
        told = (url for url in (read.endpoint, posted_to) if url and self._is_on_it(url))
        self._endpoint = self._endpoint or next(told, None)
        link = read.settings[0] if read.settings else self._endpoint
        if form is not None or link is None or link not in read.links or not self._is_on_it(link):
            return form, 1
        settings = self._read(await self.load(link, jar, state))
        return settings.form_for(_CHOICES[state]), 2

    async def _post(
        self, page: str, jar: Jar, action: str | None, fields: Mapping[str, str]
    ) -> str:
        """Post a form as a browser does; returns why it did not do, or the empty text."""
        if action is None or not self._is_on_it(action):
            return _NO_NOTICE
        body = urlencode({"next": page_name(page), **fields}).encode("ascii")
        more = {
            "origin": origin_of(page),
            "referer": page,
            "sec-fetch-site": "same-origin",
            "content-type": "application/x-www-form-urlencoded",
        }
        answer, _ = await self._ask("POST", action, jar, {**_NAVIGATION, **more}, body)
        given = answer.all(b"set-cookie")
        is_kept = any(jar.accepts(raw, action) for raw in given)
        for raw in given:
            jar.store(raw, action, self._clock())
        where = page_name(action)
        if answer.status >= 400:
            return f"{where} answered the form with {answer.status}"
        # A refusal is a cookie too: where none came, somebody else took the form.
        return "" if is_kept else f"{where} took the form, and gave no cookie that a browser keeps"

    async def load(self, page: str, jar: Jar, state: State) -> Load:
        """Ask for a page, and follow where it leads as long as that is on the site."""
        headers = dict(_NAVIGATION) | ({"sec-gpc": "1"} if state is State.SIGNAL else {})
        load = Load(page, Answer(0))
        for _ in range(MOST_REDIRECTS + 1):
            load.answer, sent = await self._ask("GET", load.url, jar, headers)
            load.sent.extend(one for one in sent if one not in load.sent)
            self._keep(load, jar)
            if load.answer.status not in REDIRECTS:
                return load
            where = load.answer.first(b"location")
            target = address(where, load.url) if where else None
            if target is None:
                return load
            if not self._is_own(urlsplit(target).hostname or ""):
                load.leads_to = origin_of(target)
                return load
            load.url = target
        load.error = f"it redirects more than {MOST_REDIRECTS} times"
        return load

    async def _ask(
        self, method: str, url: str, jar: Jar, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[Answer, list[SentCookie]]:
        cookies = jar.sent_to(url, self._clock())
        told = dict(headers)
        if cookies:
            pairs = (c.name + b"=" + c.value if c.name else c.value for c in cookies)
            told["cookie"] = b"; ".join(pairs).decode("latin-1")
        host = urlsplit(url).hostname or ""
        sent = [SentCookie(_name(cookie), host) for cookie in cookies]
        return await self._send(method, url, told, body), sent

    def _keep(self, load: Load, jar: Jar) -> None:
        now, there = self._clock(), parse_cookie_date(load.answer.first(b"date").encode("latin-1"))
        for raw in load.answer.all(b"set-cookie"):
            kept = jar.store(raw, load.url, now, there)
            if kept is not None:
                load.cookies.append(_seen(kept, load.url))

    def _read(self, load: Load) -> PageRead:
        """What the last answer says: its markup, and the headers that do what markup does."""
        answer = load.answer
        page = PageRead()
        if answer.is_page:
            page = read_page(answer.text, load.url, self._is_own)
        leads_to = led_to(answer.first(b"refresh"), load.url) or page.leads_to
        if leads_to is not None:
            page.links.insert(0, leads_to)
        page.requests += self._linked(load)
        return page

    def _linked(self, load: Load) -> Iterator[SeenRequest]:
        """What Link headers fetch from elsewhere: a font, a script, or a connection to a host."""
        hosts: dict[str, None] = {}

        def note(host: str) -> bool:
            if not self._is_own(host):
                hosts[host] = None
            return True

        for value in load.answer.all(b"link"):
            links_without(value, note)
        parts = urlsplit(load.url)
        for host in hosts:
            yield SeenRequest(host, "/", "other", f"{parts.hostname}{parts.path}")

    def _visit_of(self, page: str, state: State, load: Load) -> tuple[Visit, tuple[str, ...]]:
        read = self._read(load)
        visit = Visit(
            page_name(page),
            state,
            load.answer.status,
            tuple({(c.name, c.domain, c.path): c for c in load.cookies}.values()),
            tuple(load.sent),
            requests=tuple(read.requests),
            banner=_banner_in(read),
            title=read.title,
            language=read.language,
            error=load.error,
            is_page=load.answer.is_page,
        )
        return visit, tuple(read.links)


def _seen(kept: Kept, url: str) -> SeenCookie:
    given, parts = kept.cookie.attributes, urlsplit(url)
    return SeenCookie(
        _name(kept.cookie),
        kept.domain,
        kept.path,
        kept.host_only,
        None if kept.lifetime is None else round(kept.lifetime),
        given.secure,
        given.http_only,
        given.same_site,
        given.partitioned,
        by=By.HEADER,
        initiator=f"{parts.hostname}{parts.path}",
        shape=shape_of(kept.cookie.value.decode("utf-8", "replace")),
    )


def _name(cookie: SetCookie) -> str:
    return cookie.name.decode("utf-8", "replace")


def _banner_in(page: PageRead) -> Banner | None:
    """The notice that asks: it has a button to accept, or one to refuse."""
    forms = [form for form in page.forms if form.in_notice]
    words = {choice: label for form in forms for choice, label in form.choices.items()}
    accept, refuse = words.get("accept-all"), words.get("reject-all")
    if accept is None and refuse is None:
        return None
    settings = page.settings[1] if page.settings else None
    return Banner("consentkit", _unmeasured(accept), _unmeasured(refuse), settings)


def _unmeasured(label: str | None) -> Look | None:
    return None if label is None else Look(label, 0, 0, 0.0, "", "", "")


def shown_in(body: bytes) -> tuple[ShownCookie, ...] | None:
    """The rows of a ``declaration.json``, None where the body is none."""
    try:
        rows: list[dict[str, Any]] = json.loads(body)["cookies"]
        return tuple(
            ShownCookie(str(row["name"]), str(row.get("kind", "")), _seconds(row.get("duration")))
            for row in rows
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _seconds(duration: object) -> int | None:
    if not isinstance(duration, int) or isinstance(duration, bool):
        return None
    return min(max(duration, 0), LARGEST)
