"""A browser without a screen: visits an ASGI app in process, keeps its cookies.

It has never heard of a policy, and asserts nothing: what it sends is what a person's browser would
send, and what comes back can be looked at.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlencode, urlsplit

import anyio

from consentkit.wire.cookies import SetCookie, default_path, parse_set_cookie
from consentkit.wire.headers import SAFE_METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Scope

    from consentkit.events import Event
    from consentkit.rules.visitor import Visitor

__all__ = ["AGENT", "Browser", "Response", "StoredCookie", "of_a_person", "of_a_script"]

AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
"""What the clients call themselves: a crawler or a script would be taken for one."""


def of_a_person(site: str) -> dict[str, str]:
    """The headers of a page that a person opens (W3C Fetch Metadata).

    `site` is ``none`` for an address that was typed, ``same-origin`` for a link or a form there.
    """
    return {
        "accept": "text/html,*/*;q=0.8",
        "sec-fetch-site": site,
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-user": "?1",
    }


def of_a_script() -> dict[str, str]:
    """The headers of what a script of the site fetches from it."""
    return {
        "accept": "*/*",
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
    }


@dataclass(frozen=True)
class Response:
    """What came back: `headers` as raw pairs, `body` whole, `events` of enforcement.

    `messages` are all that the app sent, as ASGI has them. `visitor` is as the app had it
    when it was done, None where no ConsentMiddleware saw the request; `url` is what was asked for.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    events: tuple[Event, ...] = ()
    messages: tuple[Message, ...] = ()
    visitor: Visitor | None = field(default=None, repr=False)
    url: str = ""

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode("utf-8", "replace")

    @property
    def set_cookies(self) -> tuple[bytes, ...]:
        """Every Set-Cookie value, in order."""
        return self.all(b"set-cookie")

    def all(self, name: bytes) -> tuple[bytes, ...]:
        """Every value of a header; `name` in lower case."""
        return tuple(bytes(v) for n, v in self.headers if bytes(n).lower() == name)

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        values = self.all(name.lower().encode("ascii"))
        return values[0].decode("latin-1") if values else None

    def json(self) -> Any:  # noqa: ANN401 - whatever the body says
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class StoredCookie:
    """A cookie in the browser's jar; `expires` in POSIX seconds, None for the session."""

    name: str
    value: str
    domain: str
    path: str
    expires: float | None
    is_host_only: bool
    cookie: SetCookie = field(repr=False)


class Browser:
    """Visits an ASGI app in process, keeps its cookies, sends what a browser sends.

    `visit`, `follow` and `submit` carry the Fetch Metadata of a person who types an address,
    clicks a link and posts a form on the site; `request` sends only what it is told. `headers` go
    with every request. Names are matched for one host; there is no list of public suffixes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        url: str = "https://testserver",
        headers: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`headers` go with every request, `clock` gives POSIX seconds to the jar."""
        self.app = app
        self.clock = clock
        self.url = url.rstrip("/")
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.netloc
        self.headers = {"user-agent": AGENT, **(headers or {})}
        self._jar: dict[tuple[bytes, str, str, bool], StoredCookie] = {}

    @property
    def cookies(self) -> dict[str, str]:
        """Name and value of every cookie in the jar that still lives."""
        return {cookie.name: cookie.value for cookie in self.jar}

    @property
    def jar(self) -> tuple[StoredCookie, ...]:
        """Every cookie that still lives."""
        now = self.clock()
        return tuple(c for c in self._jar.values() if c.expires is None or c.expires > now)

    def store(self, set_cookie: str, path: str = "/") -> None:
        """Put a cookie into the jar as if a response to `path` had set it."""
        self._store(set_cookie.encode("utf-8"), path)

    async def visit(self, path: str, **headers: str) -> Response:
        """Open a page as a person who typed its address."""
        return await self.request("GET", path, headers=self._navigation("none", headers))

    async def follow(self, path: str, **headers: str) -> Response:
        """Open a page as a person who clicked a link on another page of the site."""
        return await self.request("GET", path, headers=self._navigation("same-origin", headers))

    async def submit(
        self, path: str, form: Iterable[tuple[str, str]] = (), **fields: str
    ) -> Response:
        """Post a form of the site, URL-encoded; a redirect is returned, not followed."""
        body = urlencode([*form, *fields.items()]).encode("ascii")
        headers = self._navigation(
            "same-origin",
            {"origin": self.url, "content-type": "application/x-www-form-urlencoded"},
        )
        return await self.request("POST", path, headers=headers, body=body)

    async def fetch(self, path: str, method: str = "GET", **headers: str) -> Response:
        """Send a request as a script of the site does."""
        own = of_a_script()
        if method not in SAFE_METHODS:
            own["origin"] = self.url
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.request(method, path, headers={**own, **given})

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:
        """Send a request with these headers, the jar's cookies, and nothing else."""
        scope = self._scope(method, path, headers or {}, body)
        messages = await _run(self.app, scope, body)
        response = _response(messages, scope, self.url + path)
        for value in response.set_cookies:
            self._store(value, scope["path"])
        return response

    def _navigation(self, site: str, headers: Mapping[str, str]) -> dict[str, str]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return {**of_a_person(site), **given}

    def _scope(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Scope:
        target, _, query = path.partition("?")
        told = {"host": self._host, **self.headers, **headers}
        if body:
            told["content-length"] = str(len(body))
        raw = [(n.lower().encode("ascii"), v.encode("utf-8")) for n, v in told.items()]
        cookie = self._cookie_header(target)
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": self._scheme,
            "path": unquote(target),
            "raw_path": target.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": [*raw, (b"cookie", cookie)] if cookie else raw,
            "client": ("127.0.0.1", 50000),
            "server": (self._host.partition(":")[0], 443),
            "state": {},
            "extensions": {},
        }

    def _cookie_header(self, path: str) -> bytes:
        sent = [c for c in self.jar if _path_matches(path, c.path)]
        sent.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{c.name}={c.value}" if c.name else c.value for c in sent).encode()

    def _store(self, raw: bytes, path: str) -> None:
        cookie = parse_set_cookie(raw)
        host = self._host.partition(":")[0]
        if cookie is None or not _domain_matches(host, cookie.attributes.domain):
            return
        if cookie.attributes.secure and self._scheme != "https":
            return
        domain = cookie.attributes.domain.decode() if cookie.attributes.domain else host
        where = (cookie.attributes.path or default_path(path)).decode()
        key = (cookie.name, domain, where, cookie.attributes.partitioned)
        now = self.clock()
        if cookie.attributes.is_removal(now):
            self._jar.pop(key, None)
            return
        lifetime = cookie.attributes.lifetime(now)
        self._jar[key] = StoredCookie(
            cookie.name.decode("utf-8", "surrogateescape"),
            cookie.value.decode("utf-8", "surrogateescape"),
            domain,
            where,
            None if lifetime is None else now + lifetime,
            cookie.attributes.domain is None,
            cookie,
        )


def _path_matches(path: str, of_cookie: str) -> bool:
    """RFC 6265bis §5.1.4."""
    if path == of_cookie:
        return True
    return path.startswith(of_cookie) and (of_cookie.endswith("/") or path[len(of_cookie)] == "/")


def _domain_matches(host: str, domain: bytes | None) -> bool:
    """RFC 6265bis §5.1.3."""
    if domain is None:
        return True
    name = domain.decode("utf-8", "replace")
    is_address = host.replace(".", "").isdigit()
    return host == name or (host.endswith(f".{name}") and not is_address)


async def _run(app: ASGIApp, scope: Scope, body: bytes) -> list[Message]:
    sent: list[Message] = []
    incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    answered = anyio.Event()

    async def receive() -> Message:
        # A browser stays until it has its answer: some apps listen for it to leave (Django does).
        if incoming:
            return incoming.pop()
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            answered.set()

    await app(scope, receive, send)
    return sent


def _response(messages: list[Message], scope: Scope, url: str) -> Response:
    starts = [message for message in messages if message["type"] == "http.response.start"]
    if not starts:
        raise AssertionError(f"{scope['path']}: the app ended without starting a response")
    body = b"".join(m.get("body", b"") for m in messages if m["type"] == "http.response.body")
    exchange = scope.get("consentkit")
    return Response(
        starts[0]["status"],
        tuple((bytes(name), bytes(value)) for name, value in starts[0].get("headers", ())),
        body,
        tuple(exchange.events) if exchange is not None else (),
        tuple(messages),
        exchange.visitor if exchange is not None else None,
        url,
    )
