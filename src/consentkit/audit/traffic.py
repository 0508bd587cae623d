"""What a page's traffic says: the events of Chromium's DevTools protocol in, what was seen out.

It has never heard of a browser: events are plain dicts, and a test may make them up.

Requests, cookies and their initiators come from the `Network` domain; what scripts store and what
a Content-Security-Policy blocks is told by ``assets/witness.js`` through a binding. The browser's
jar has the last word on what was stored, and how long it lives: a Set-Cookie that the browser
blocked stores nothing. Values stay in here; of each its `Shape` comes out.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from consentkit.audit.labels import shape_of
from consentkit.audit.seen import (
    By,
    SeenCookie,
    SeenItem,
    SeenRequest,
    SentCookie,
    Violation,
)
from consentkit.rules.policy import Where
from consentkit.wire.cookies import default_path, parse_set_cookie

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from consentkit.wire.cookies import SetCookie

__all__ = ["BINDING", "EVENTS", "Traffic", "host_in", "place_in"]

BINDING: Final = "consentkitWitness"
"""The function by which ``witness.js`` tells; pages never see it."""
EVENTS: Final = (
    "Network.requestWillBeSent",
    "Network.requestWillBeSentExtraInfo",
    "Network.responseReceived",
    "Network.responseReceivedExtraInfo",
    "Network.loadingFinished",
    "Network.loadingFailed",
    "Network.webSocketCreated",
    "Runtime.bindingCalled",
    "DOMStorage.domStorageItemAdded",
    "DOMStorage.domStorageItemUpdated",
)
"""What has to be handed to `Traffic.hear`."""

WAITS_AT_MOST: Final = 2.0
"""Seconds that one request is waited for; a poll, a stream or a film has no end."""
_SLACK: Final = 5
"""Seconds by which a life in the jar may differ from the one that was asked for."""
LONGEST: Final = 200
"""Characters that are kept of a path, a key of storage or a violation: a page may make them up."""
MOST: Final = 2000
"""How many requests, keys, violations, and cookies of scripts are kept of one page."""
_LONGEST_TOLD: Final = 8192
_TOLD: Final[dict[object, dict[str, type | tuple[type, ...]]]] = {
    "cookie": {
        "text": str, "by": str, "isStored": bool, "at": (int, float), "origin": str, "path": str,
    },
    "violation": {"directive": str, "source": str},
}  # fmt: skip
"""What ``witness.js`` tells, and of which types."""
_KINDS: Final = {
    "script": "script",
    "image": "image",
    "stylesheet": "stylesheet",
    "font": "font",
    "document": "frame",
    "ping": "beacon",
    "xhr": "fetch",
    "fetch": "fetch",
    "eventsource": "fetch",
    "media": "media",
    "texttrack": "media",
    "websocket": "websocket",
}
_UNSEEN: Final = frozenset({"Preflight"})
_ENDLESS: Final = frozenset({"EventSource", "WebSocket"})
_SAME_SITE: Final[dict[object, Literal["none", "lax", "strict"]]] = {
    "None": "none",
    "Lax": "lax",
    "Strict": "strict",
}


def host_in(url: str) -> str:
    """The host of an address, empty where it has none (``data:``, ``about:``, or no address)."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def place_in(url: str) -> str:
    """Host and path of an address, without its query, as long as one reads.

    >>> place_in("https://cdn.example/a.js?v=1")
    'cdn.example/a.js'
    """
    host = host_in(url)
    return f"{host}{_path_in(url)}" if host else ""


def _path_in(url: str) -> str:
    return urlsplit(url).path[:LONGEST] or "/"


@dataclass(slots=True)
class _Hop:
    """One request; what is redirected is one for each address."""

    url: str
    kind: str
    initiator: str
    moment: float
    is_main: bool
    has_headers: bool = True


class _Stored(NamedTuple):
    """A cookie that something set: `at` is in seconds since the epoch."""

    cookie: SetCookie
    host: str
    path: str
    by: By
    initiator: str
    at: float
    is_sure: bool

    @property
    def domain(self) -> str:
        domain = (self.cookie.attributes.domain or b"").decode("utf-8", "replace")
        return domain.lstrip(".") or self.host

    @property
    def key(self) -> tuple[str, str, str, bool]:
        given = self.cookie.attributes
        path = given.path.decode("utf-8", "replace") if given.path else self.path
        return _text(self.cookie.name), self.domain, path, given.partitioned


@dataclass(slots=True)
class _Log:
    """All that was heard since recording began."""

    began: float = field(default_factory=time.time)
    hops: dict[str, list[_Hop]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    answered: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    overheard: list[_Hop] = field(default_factory=list)
    told: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    items: dict[tuple[Where, str, str], SeenItem] = field(default_factory=dict)


class Traffic:
    """What one page does, from the moment that recording begins.

    `is_own` tells of a host whether it is of the site, `main_frame` is the page's own frame's id.
    `hear` takes an event's name and content, `heard` counts them.
    """

    def __init__(self, is_own: Callable[[str], bool], main_frame: str = "") -> None:
        self._is_own, self._main_frame = is_own, main_frame
        self._log = _Log()
        self.heard = 0
        self._running: dict[str, float] = {}
        self._last = time.monotonic()
        self._hearers: dict[str, Callable[[dict[str, Any]], None]] = {
            "Network.requestWillBeSent": self._on_request,
            "Network.requestWillBeSentExtraInfo": self._on_asking,
            "Network.responseReceived": self._on_response,
            "Network.responseReceivedExtraInfo": self._on_headers,
            "Network.loadingFinished": self._on_end,
            "Network.loadingFailed": self._on_failure,
            "Network.webSocketCreated": self._on_socket,
            "Runtime.bindingCalled": self._on_binding,
            "DOMStorage.domStorageItemAdded": self._on_item,
            "DOMStorage.domStorageItemUpdated": self._on_item,
        }

    def begin(self) -> None:
        """Forget what was heard, and count moments from now."""
        self._log = _Log()

    def hear(self, name: str, event: dict[str, Any]) -> None:
        """Take in an event of `EVENTS`."""
        self.note()
        self._hearers[name](event)

    def overhear(self, url: str, kind: str) -> None:
        """Take in a request that the page's session may not tell of: workers have their own."""
        self.note()
        if len(self._log.overheard) < MOST:
            self._log.overheard.append(_Hop(_cut(url), kind, "", time.time(), is_main=False))

    def note(self) -> None:
        """Take in that the page did something, whatever it was."""
        self.heard += 1
        self._last = time.monotonic()

    async def quiet(self, seconds: float, until: float) -> None:
        """Wait until nothing was heard for so long, at most `until` (as `time.monotonic`).

        A request that has been running for `WAITS_AT_MOST` is not waited for.
        """
        while (now := time.monotonic()) < until:
            running = [at + WAITS_AT_MOST for at in self._running.values()]
            due = max(self._last + seconds, min(max(running, default=0.0), now + seconds))
            if due <= now:
                return
            await asyncio.sleep(min(due, until) - now)

    # what was heard

    def _on_request(self, event: dict[str, Any]) -> None:
        one, request = str(event["requestId"]), event["request"]
        hops = self._log.hops.setdefault(one, [])
        if "redirectResponse" in event and hops:
            hops[-1].has_headers = bool(event.get("redirectHasExtraInfo", True))
        kind = str(event.get("type", "Other"))
        moment = float(event.get("wallTime", 0)) or time.time()
        is_main = kind == "Document" and event.get("frameId") == self._main_frame
        url = _cut(request["url"])
        hops.append(_Hop(url, kind, _initiator_of(event), moment, is_main))
        if kind not in _ENDLESS and host_in(url):
            self._running[one] = time.monotonic()

    def _on_asking(self, event: dict[str, Any]) -> None:
        self._log.asked.append(event)

    def _on_response(self, event: dict[str, Any]) -> None:
        hops = self._log.hops.get(str(event["requestId"]))
        if hops:
            hops[-1].has_headers = bool(event.get("hasExtraInfo", True))

    def _on_headers(self, event: dict[str, Any]) -> None:
        self._log.answered.append((time.time(), event))

    def _on_end(self, event: dict[str, Any]) -> None:
        self._running.pop(str(event["requestId"]), None)

    def _on_failure(self, event: dict[str, Any]) -> None:
        self._on_end(event)
        if event.get("blockedReason"):
            self._log.blocked.add(str(event["requestId"]))

    def _on_socket(self, event: dict[str, Any]) -> None:
        url, moment = _cut(event["url"]), time.time()
        hop = _Hop(url, "WebSocket", _initiator_of(event), moment, is_main=False)
        self._log.hops.setdefault(str(event["requestId"]), []).append(hop)

    def _on_binding(self, event: dict[str, Any]) -> None:
        if event.get("name") != BINDING:
            return
        told = _told_in(event["payload"])
        if told is not None and len(kept := self._log.told[told["what"]]) < MOST:
            kept.append(told)

    def _on_item(self, event: dict[str, Any]) -> None:
        of = event["storageId"]
        host = host_in(of.get("securityOrigin") or str(of.get("storageKey", "")).partition("^")[0])
        where = Where.LOCAL if of["isLocalStorage"] else Where.SESSION
        key, shape = event["key"][:LONGEST], shape_of(_cut(event["newValue"]))
        items = self._log.items
        if len(items) < MOST:
            items[where, key, host] = SeenItem(where, key, host, self._is_foreign(host), shape)

    # what was seen

    def requests(self) -> tuple[SeenRequest, ...]:
        """Each request that went to another site, in order; `MOST` of them at most."""
        log = self._log
        known = {hop.url for each in log.hops.values() for hop in each}
        heard = [each for one, each in log.hops.items() if one not in log.blocked]
        hops = [
            hop
            for hop in (*chain(*heard), *(one for one in log.overheard if one.url not in known))
            if hop.kind not in _UNSEEN and self._is_foreign(host_in(hop.url))
        ]
        return tuple(
            SeenRequest(
                host_in(hop.url),
                _path_in(hop.url),
                "other" if hop.is_main else _KINDS.get(hop.kind.lower(), "other"),
                hop.initiator,
                self._moment(hop.moment),
            )
            for hop in sorted(hops, key=lambda hop: hop.moment)[:MOST]
        )

    def items(self) -> tuple[SeenItem, ...]:
        """What went into web storage, also what is gone again."""
        return tuple(self._log.items.values())

    def sent(self) -> tuple[SentCookie, ...]:
        """Each cookie that went with a request, once for each host."""
        sent = {
            SentCookie(str(each["cookie"]["name"]), _host_asked(event))
            for event in self._log.asked
            for each in event.get("associatedCookies", ())
            if not each["blockedReasons"]
        }
        return tuple(sorted(sent, key=lambda one: (one.host, one.name)))

    def violations(self) -> tuple[Violation, ...]:
        """What a Content-Security-Policy blocked, each once."""
        return tuple(
            dict.fromkeys(
                Violation(told["directive"][:LONGEST], _source(told["source"])[:LONGEST])
                for told in self._log.told["violation"]
            )
        )

    def cookies(
        self, before: Iterable[dict[str, Any]], after: Iterable[dict[str, Any]]
    ) -> tuple[SeenCookie, ...]:
        """What was stored, given the jar as it was and as it is (`Network.getAllCookies`).

        A cookie that is gone again was stored all the same. What the jar has and nobody told of
        came from a worker: its initiator is empty.
        """
        held = {_jar_key(one): one for one in after}
        seen: dict[tuple[str, str, str, bool], list[_Stored]] = {}
        for stored in sorted(self._stored(), key=lambda one: one.at):
            if stored.is_sure or stored.key in held:
                seen.setdefault(stored.key, []).append(stored)
        had = {_jar_key(one): (one["value"], one["expires"]) for one in before}
        told = [self._seen(each, held.get(key)) for key, each in seen.items()]
        untold = [
            self._found(one)
            for key, one in held.items()
            if key not in seen and had.get(key) != (one["value"], one["expires"])
        ]
        return (*told, *untold)

    def _stored(self) -> Iterator[_Stored]:
        """Every cookie that was set, in no order; removals are none."""
        for one in (*self._by_headers(), *self._by_scripts()):
            if not one.cookie.attributes.is_removal(one.at):
                yield one

    def _by_headers(self) -> Iterator[_Stored]:
        counts: dict[str, int] = {}
        hosts = [(str(event["requestId"]), _host_asked(event)) for event in self._log.asked]
        for at, event in self._log.answered:
            one = str(event["requestId"])
            nth = counts[one] = counts.get(one, -1) + 1
            urls = [hop.url for hop in self._log.hops.get(one, ()) if hop.has_headers]
            asked = [host for each, host in hosts if each == one]
            url = urls[nth] if nth < len(urls) else f"//{asked[nth] if nth < len(asked) else ''}/"
            for cookie in _accepted(event):
                path = default_path(urlsplit(url).path or "/").decode()
                yield _Stored(
                    cookie, host_in(url), path, By.HEADER, place_in(url), at, is_sure=True
                )

    def _by_scripts(self) -> Iterator[_Stored]:
        for told in self._log.told["cookie"]:
            cookie = parse_set_cookie(told["text"].encode("utf-8", "replace"))
            if cookie is not None:
                yield _Stored(
                    cookie,
                    host_in(told["origin"]),
                    default_path(told["path"]).decode(),
                    By.SCRIPT,
                    place_in(told["by"]),
                    told["at"] / 1000,
                    told["isStored"],
                )

    def _seen(self, stored: Sequence[_Stored], held: dict[str, Any] | None) -> SeenCookie:
        """One cookie: who set it first, and what it is since it was set last."""
        first, last = stored[0], stored[-1]
        given = last.cookie.attributes
        name, domain, path, _partitioned = last.key
        lifetime = given.lifetime(last.at)
        seen = SeenCookie(
            name,
            domain,
            path,
            host_only=not given.domain,
            seconds=None if lifetime is None else round(lifetime),
            secure=given.secure,
            http_only=given.http_only,
            same_site=given.same_site,
            partitioned=given.partitioned,
            third_party=self._is_foreign(domain),
            by=first.by,
            initiator=first.initiator,
            moment=self._moment(first.at),
            shape=shape_of(_text(last.cookie.value)),
        )
        return seen if held is None else _as_held(seen, held, last.at)

    def _found(self, held: dict[str, Any]) -> SeenCookie:
        name, domain, path, _partitioned = _jar_key(held)
        now = time.time()
        seen = SeenCookie(
            name,
            domain,
            path,
            third_party=self._is_foreign(domain),
            by=By.HEADER if held["httpOnly"] else By.SCRIPT,
            moment=self._moment(now),
            shape=shape_of(str(held["value"])),
        )
        return _as_held(seen, held, now)

    def _is_foreign(self, host: str) -> bool:
        return bool(host) and not self._is_own(host)

    def _moment(self, at: float) -> int:
        return max(0, round((at - self._log.began) * 1000))


def _cut(text: str) -> str:
    """A text that a page made, as long as one may be."""
    return text[:_LONGEST_TOLD]


def _told_in(payload: str) -> dict[str, Any] | None:
    """What ``witness.js`` told, None where it cannot have told that."""
    try:
        told: object = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(told, dict) or (types := _TOLD.get(str(told.get("what")))) is None:
        return None
    if not all(isinstance(told.get(name), kind) for name, kind in types.items()):
        return None
    return {name: _cut(value) if isinstance(value, str) else value for name, value in told.items()}


def _source(blocked: str) -> str:
    """What was blocked: a host, else the word for it (``inline``, ``eval``)."""
    return host_in(blocked) or blocked


def _as_held(seen: SeenCookie, held: dict[str, Any], at: float) -> SeenCookie:
    """A cookie with what the jar says of it: a browser may keep it for less than was asked."""
    lives = None if held["session"] else round(held["expires"] - at)
    if seen.seconds is not None and lives is not None and abs(lives - seen.seconds) <= _SLACK:
        lives = seen.seconds
    return replace(
        seen,
        host_only=not str(held["domain"]).startswith("."),
        seconds=lives,
        secure=bool(held["secure"]),
        http_only=bool(held["httpOnly"]),
        same_site=_SAME_SITE.get(held.get("sameSite")),
        partitioned="partitionKey" in held,
    )


def _jar_key(held: dict[str, Any]) -> tuple[str, str, str, bool]:
    domain = str(held["domain"]).lstrip(".")
    return str(held["name"]), domain, str(held["path"]), "partitionKey" in held


def _accepted(event: dict[str, Any]) -> Iterator[SetCookie]:
    """The cookies of a response that the browser did not block."""
    blocked = {str(each["cookieLine"]) for each in event.get("blockedCookies", ())}
    for name, value in event["headers"].items():
        if name.lower() != "set-cookie":
            continue
        for line in str(value).split("\n"):
            cookie = parse_set_cookie(line.encode("utf-8", "replace"))
            if cookie is not None and line not in blocked:
                yield cookie


def _host_asked(event: dict[str, Any]) -> str:
    headers = {name.lower(): value for name, value in event["headers"].items()}
    return host_in(f"//{headers.get(':authority') or headers.get('host', '')}")


def _initiator_of(event: dict[str, Any]) -> str:
    """Host and path of what asked: the script that called, else the document."""
    given = event.get("initiator", {})
    stack = given.get("stack")
    while stack:
        for frame in stack["callFrames"]:
            if place := place_in(frame["url"]):
                return place
        stack = stack.get("parent")
    return place_in(str(given.get("url") or event.get("documentURL", "")))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
