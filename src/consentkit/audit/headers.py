"""A witness of headers: asks for pages as a browser does, and runs nothing that is in them.

It has never heard of a socket: `send` is handed in, over a network or into an app in process.

It sees every cookie that a response stores, what its jar would send back, and which tags of a page
would fetch from elsewhere. What scripts do it cannot see. It answers consentkit's own notice, by
posting the form that stands in the page; another tool's notice it cannot press.
"""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from html import unescape
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urljoin, urlsplit

import anyio

from consentkit.audit.frontier import (
    address,
    is_public_suffix,
    is_this_machine,
    origin_of,
    page_name,
    same_site,
)
from consentkit.audit.labels import shape_of
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
from consentkit.audit.sheets import PAINTED, fetched_by
from consentkit.wire.cookies import (
    SetCookie,
    default_path,
    parse_cookie_date,
    parse_set_cookie,
)
from consentkit.wire.fetching import attributes_of, first_of
from consentkit.wire.gate import Gate, Tag
from consentkit.wire.html import COMMENT, NAME_ENDS, REST_OF_TAG, names_of
from consentkit.wire.urls import host_of, text_of, url_text
from consentkit.wire.validators import links_without

__all__ = [
    "Answer",
    "HeadersWitness",
    "HostRules",
    "Jar",
    "Load",
    "Send",
    "http_client",
    "import_http",
    "in_utf_8",
    "inflated",
    "led_to",
    "read_page",
    "shown_in",
]

BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
"""What it calls itself to a site: one that calls itself a robot would be shown other pages."""
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of a page, unpacked; what follows is not read."""
MOST_REDIRECTS: Final = 10
MOST_LINKS: Final = 2000
"""Of one page."""
MOST_COOKIES: Final = 1000
"""In one jar; browsers keep fewer for a site."""

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
_READABLE: Final = ("text/", "application/xhtml+xml", "application/xml", "application/json",
                    "application/x-gzip", "application/gzip")  # fmt: skip
_HTML: Final = ("text/html", "application/xhtml+xml")
_DOCUMENT: Final = (b"<!doctype html", b"<html")
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LINKING: Final = {b"a": b"href", b"area": b"href", b"iframe": b"src", b"frame": b"src"}
_KINDS: Final = {
    b"script": "script", b"img": "image", b"image": "image", b"input": "image",
    b"iframe": "frame", b"frame": "frame", b"video": "media", b"audio": "media", b"track": "media",
}  # fmt: skip
_KINDS_OF_LINKS: Final = {"stylesheet": "stylesheet", "icon": "image", "modulepreload": "script"}
_RAW: Final = {
    name: re.compile(rb"</(?i:" + name + rb")" + NAME_ENDS)
    for name in names_of("script style textarea title template iframe xmp noembed noframes")
}
_READ: Final = frozenset(
    {*_LINKING} | names_of("html base title section script form button input meta")
)
_STYLED: Final = re.compile(rb"(?i:style)|(?i:url)\(|\\")
"""What stands in every tag that has an attribute with CSS in it."""
_REFRESH: Final = re.compile(
    r"""\s*+[0-9.]*+[\s;,]*+(?:url\s*+=\s*+)?+(?:"([^"]*+)|'([^']*+)|(.++))""",
    re.IGNORECASE | re.DOTALL,
)
"""Where a page leads to by itself (HTML 4.2.5.3, shared declarative refresh steps)."""
_BYTE_ORDER_MARKS: Final = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSET: Final = re.compile(r"charset\s*+=\s*+[\"']?(utf-?16(?:-?[lb]e)?|ucs-?2)", re.IGNORECASE)
_DEEPEST_PAGE: Final = 2
"""Documents in an iframe's attribute, one in another, that are looked into."""
_TOLD: Final = re.compile(
    rb"<(?:" + COMMENT + rb"|!--.*|(/?)([a-zA-Z][^\t\n\f\r />]*+))", re.DOTALL
)
"""A comment, or how a tag begins."""
_REST_OF_TAG: Final = re.compile(REST_OF_TAG % {b"skip": b""})
_IN_TEMPLATE: Final = re.compile(
    rb"<(?:" + COMMENT + rb"|!--.*|(/?)(?i:template)" + NAME_ENDS + rb")", re.DOTALL
)
_SETTINGS: Final = frozenset({b"consentkit-more", b"consentkit-link"})
_TAGS: Final = re.compile(rb"<[^>]*+>")
_NO_NOTICE: Final = "no notice of consentkit on the first page; only a browser can press others"
_NO_BUTTON: Final = "no button and no link to the settings on the first page"
_LATER: Final = {1: "", 2: ", behind the link to the settings"}
_CHOICES: Final = {
    State.REFUSED: ("reject-all",),
    State.GRANTED: ("accept-all",),
    State.WITHDRAWN: ("withdraw", "reject-all"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of one request: `body` unpacked, up to a limit; `is_cut` where it was more."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    is_cut: bool = False

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a header; `name` in lower case."""
        return [value for each, value in self.headers if each.lower() == name]

    def first(self, name: bytes) -> str:
        """The first value of a header, or the empty text."""
        return next((value.decode("latin-1") for value in self.all(name)), "")

    @property
    def is_page(self) -> bool:
        """True where the body is HTML; where nothing says what it is, by how it begins."""
        kind = self.first(b"content-type").lower()
        beginning = self.body[:512].lstrip().lower()
        return kind.startswith(_HTML) or (not kind and beginning.startswith(_DOCUMENT))

    @property
    def text(self) -> bytes:
        """The body as UTF-8, where it is in a charset whose bytes look like no markup."""
        return in_utf_8(self.body, self.first(b"content-type"))


Send = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Answer]]
"""Method, whole address, headers, body; no redirect is followed, no cookie added or kept."""


# --- The jar --------------------------------------------------------------------------------------


class _Kept(NamedTuple):
    cookie: SetCookie
    domain: str
    path: str
    host_only: bool
    expires: float | None
    order: int
    lifetime: float | None


class Jar:
    """A browser's jar for one site (RFC 6265bis 5.6 to 5.8).

    A Secure cookie is stored and sent over https, and on this machine by plain http too, as
    browsers do. Partitioned ones are told apart by their attribute.
    """

    def __init__(self, kept: Mapping[tuple[bytes, str, str, bool], _Kept] | None = None) -> None:
        self._kept = dict(kept or {})
        self._order = len(self._kept)

    def copy(self) -> Jar:
        """Another with the same cookies."""
        return Jar(self._kept)

    def store(self, raw: bytes, url: str, now: float, there: float | None = None) -> _Kept | None:
        """Keep what a Set-Cookie of a response from `url` stores; None where it stores nothing.

        `there` is the moment by the site's clock, by which Expires is meant: browsers take the
        difference out (`Date`, RFC 9110 6.6.1).
        """
        cookie = parse_set_cookie(raw)
        key = None if cookie is None else self._key_of(cookie, url)
        if cookie is None or key is None:
            return None
        lifetime = cookie.attributes.lifetime(now if there is None else there)
        if lifetime is not None and lifetime <= 0:
            self._kept.pop(key, None)
            return None
        if len(self._kept) >= MOST_COOKIES and key not in self._kept:
            return None
        order = self._kept[key].order if key in self._kept else self._order
        self._order += 1
        expires = None if lifetime is None else now + lifetime
        host_only = not _domain_asked(cookie, _host_of(url))
        kept = _Kept(cookie, key[1], key[2], host_only, expires, order, lifetime)
        self._kept[key] = kept
        return kept

    def sent_to(self, url: str, now: float) -> list[SetCookie]:
        """What goes with a request, in the order of RFC 6265bis 5.8.3."""
        parts = urlsplit(url)
        host, path = (parts.hostname or "").lower(), parts.path or "/"
        sent = [
            kept
            for kept in self._kept.values()
            if (kept.expires is None or kept.expires > now)
            and (kept.domain == host if kept.host_only else _domain_matches(host, kept.domain))
            and _path_matches(path, kept.path)
            and (not kept.cookie.attributes.secure or _is_trustworthy(url))
        ]
        sent.sort(key=lambda kept: (-len(kept.path), kept.order))
        return [kept.cookie for kept in sent]

    def accepts(self, raw: bytes, url: str) -> bool:
        """Tell whether a Set-Cookie of a response from `url` does anything here."""
        cookie = parse_set_cookie(raw)
        return cookie is not None and self._key_of(cookie, url) is not None

    def _key_of(self, cookie: SetCookie, url: str) -> tuple[bytes, str, str, bool] | None:
        """What makes it the same cookie, None for one that this page may not set."""
        given, host = cookie.attributes, _host_of(url)
        asked = _domain_asked(cookie, host)
        if asked is None or (given.secure and not _is_trustworthy(url)):
            return None
        path = (given.path or default_path(urlsplit(url).path)).decode("utf-8", "replace")
        key = (cookie.name, asked or host, path, given.partitioned)
        is_weaker = not given.secure and not _is_trustworthy(url)
        return None if is_weaker and self._has_secure(key) else key

    def _has_secure(self, key: tuple[bytes, str, str, bool]) -> bool:
        """A cookie from plain http lays none over a Secure one (5.7, step 13)."""
        return any(
            kept.cookie.attributes.secure and each[0] == key[0] and _path_matches(key[2], each[2])
            for each, kept in self._kept.items()
        )


def _host_of(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _domain_asked(cookie: SetCookie, host: str) -> str | None:
    """The Domain that counts, empty for a host-only cookie; None where it may not be set."""
    asked = (cookie.attributes.domain or b"").decode("utf-8", "replace")
    if asked and is_public_suffix(asked):  # nobody's, unless it is the very host (5.7, step 8)
        return "" if asked == host else None
    return asked if not asked or _domain_matches(host, asked) else None


def _is_trustworthy(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or is_this_machine(parts.hostname or "")


def _domain_matches(host: str, domain: str) -> bool:
    """RFC 6265bis 5.1.3."""
    if host == domain:
        return True
    return host.endswith(f".{domain}") and not host.rpartition(".")[2].isdigit()


def _path_matches(path: str, of_cookie: str) -> bool:
    """RFC 6265bis 5.1.4."""
    if path == of_cookie:
        return True
    return path.startswith(of_cookie) and (of_cookie.endswith("/") or path[len(of_cookie)] == "/")


# --- Over a network ------------------------------------------------------------------------------


def inflated(raw: bytes, coding: str, most: int) -> tuple[bytes, bool]:
    """A body without its Content-Encoding, `most` bytes of it, and whether there was more.

    gzip and deflate are known; of what is packed otherwise, or broken, nothing is read.
    """
    bits = {"": None, "identity": None, "gzip": 47, "x-gzip": 47, "deflate": 47}.get(coding, 0)
    if bits is None:
        return raw[:most], len(raw) > most
    if not bits:
        return b"", False
    unpack = zlib.decompressobj(bits)
    try:
        body = unpack.decompress(raw, most)
    except zlib.error:
        return b"", False
    return body, bool(unpack.unconsumed_tail)


class HostRules:
    """Where names lead, as Chromium's ``--host-resolver-rules`` says it.

    ``MAP *.example 127.0.0.1:8001, MAP shop.test 127.0.0.1, EXCLUDE localhost``: the first rule
    that matches counts, an exclusion before all of them.
    """

    def __init__(self, text: str = "") -> None:
        """Raises ValueError for a rule that is none."""
        self.text = text
        self._maps: list[tuple[str, str]] = []
        self._excluded: list[str] = []
        for rule in filter(None, (each.strip() for each in text.split(","))):
            match rule.split():
                case [word, pattern, target] if word.upper() == "MAP":
                    self._maps.append((pattern.lower(), target))
                case [word, pattern] if word.upper() == "EXCLUDE":
                    self._excluded.append(pattern.lower())
                case _:
                    raise ValueError(f"'{rule}' is no rule: MAP pattern address, EXCLUDE pattern")

    def place_of(self, host: str, port: int) -> tuple[str, int]:
        """Where to connect for a host and port."""
        if any(fnmatchcase(host, pattern) for pattern in self._excluded):
            return host, port
        for pattern, target in self._maps:
            if fnmatchcase(host, pattern):
                name, _, number = target.partition(":")
                return name, int(number) if number else port
        return host, port


@asynccontextmanager
async def http_client(
    *, rules: HostRules | None = None, seconds: float = 30.0, most: int = MOST_BYTES
) -> AsyncIterator[Send]:
    """A `Send` over a network, by httpx2, or httpx where that is not installed.

    Each request has `seconds` to be answered in whole, TimeoutError beyond; of a body, `most` bytes
    are read. Headers go as Latin-1, so that a cookie's bytes come back as they were.
    """
    http = import_http()
    nothing_kept = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    async with http.AsyncClient(
        cookies=nothing_kept, follow_redirects=False, timeout=seconds
    ) as client:

        async def send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            target, more, extensions = _placed(url, rules)
            told = {
                name.encode("ascii"): value.encode("latin-1", "replace")
                for name, value in {**headers, **more}.items()
            }
            request = client.build_request(
                method, target, headers=told, content=body, extensions=extensions
            )
            with anyio.fail_after(seconds):
                response = await client.send(request, stream=True)
                try:
                    raw, is_cut = await _read_some(response, most)
                finally:
                    await response.aclose()
            coding = response.headers.get("content-encoding", "").strip().lower()
            whole, is_longer = inflated(raw, coding, most)
            return Answer(
                response.status_code, tuple(response.headers.raw), whole, is_cut or is_longer
            )

        yield send


def import_http() -> Any:  # noqa: ANN401 - httpx2 or httpx, which are one in what is used
    """httpx2, or httpx where it is not installed; ModuleNotFoundError where neither is."""
    try:
        return import_module("httpx2")
    except ModuleNotFoundError:
        return import_module("httpx")


def _placed(
    url: str, rules: HostRules | None
) -> tuple[str, dict[str, str], dict[str, object] | None]:
    """Where to send a request, with the Host and the TLS name that it was meant for."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    name, number = (rules or HostRules()).place_of(host, port)
    if (name, number) == (host, port):
        return url, {}, None
    place = parts._replace(netloc=f"{name}:{number}").geturl()
    return place, {"host": parts.netloc}, {"sni_hostname": host}


async def _read_some(response: Any, most: int) -> tuple[bytes, bool]:  # noqa: ANN401 - as above
    """The body as it came, `most` bytes of it; of what is no text, nothing."""
    kind = response.headers.get("content-type", "text/")
    if not kind.lower().startswith(_READABLE):
        return b"", True
    read = bytearray()
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) > most:
            return bytes(read[:most]), True
    return bytes(read), False


# --- A page ---------------------------------------------------------------------------------------


def in_utf_8(body: bytes, content_type: str) -> bytes:
    """A page that is in UTF-16, by its byte order mark or its type, in UTF-8; others as they are.

    >>> in_utf_8("<p>".encode("utf-16"), "text/html")
    b'<p>'
    """
    for mark, charset in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[2:].decode(charset, "replace").encode("utf-8", "replace")
    named = _CHARSET.search(content_type)
    if named is None:
        return body
    charset = "utf-16-be" if named[1].lower().endswith("be") else "utf-16-le"
    return body.decode(charset, "replace").encode("utf-8", "replace")


@dataclass(slots=True)
class PageRead:
    """What stands in a page: whole links, requests to other hosts, and consentkit's own notice.

    `forms` are those that offer choices, `settings` the first link to the preferences and its
    words, `endpoint` where consentkit's script says that the endpoints are. `styles` is what CSS in
    the page fetches: host, path and what as; `leads_to` where the page leads to by itself.
    """

    title: str = ""
    language: str = ""
    links: list[str] = field(default_factory=list)
    requests: list[SeenRequest] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    settings: tuple[str, str] | None = None
    endpoint: str | None = None
    styles: list[tuple[str, str, str]] = field(default_factory=list)
    leads_to: str | None = None

    def form_for(self, choices: Sequence[str]) -> Form | None:
        """The first form that offers one of some choices, the first choice first."""
        return next((f for choice in choices for f in self.forms if choice in f.choices), None)


@dataclass(slots=True)
class Form:
    """A form of consentkit's: where it goes, what it carries, and its buttons' words by choice."""

    action: str
    in_notice: bool
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)


def read_page(body: bytes, url: str, is_own: Callable[[str], bool], depth: int = 0) -> PageRead:
    """Read what a page links to, what its tags would fetch, and the notice in it.

    `is_own` tells of a host whether it is of the site. What stands in a `<template>` is no part of
    the page; what stands in a `<noscript>` is, since no script is run here. `depth` is the number
    of pages around this one.
    """
    reading, at, live, seen_to = _Reading(body, url, depth), 0, list[bytes](), 0
    endless: set[bytes] = set()
    while (found := _TOLD.search(body, at)) is not None:
        at, name = found.end(), (found[2] or b"").lower()
        if not name:
            continue
        rest = _REST_OF_TAG.match(body, at)
        if rest is None:  # it runs to the end of the page, and is none then
            break
        at, tag = rest.end(), body[found.start() : rest.end()]
        if found[1]:
            reading.end(name)
            continue
        reading.start(name, tag, at)
        if name == b"template":
            if _is_shown(tag):
                continue
            live.append(body[seen_to:at])
            seen_to = at = _end_of_template(body, at)
        elif name in _RAW and name not in endless:
            end = _RAW[name].search(body, at)
            if end is None and name == b"title":  # a picture's, whose text is no raw text
                endless.add(name)
            else:
                at = end.start() if end else len(body)
    live.append(body[seen_to:])
    if not depth:
        reading.page.requests = _requests(b"".join(live), url, is_own, reading.page.styles)
    return reading.page


def _is_shown(template: bytes) -> bool:
    """A declarative shadow root is a part of the page (HTML 13.2.6.4.4)."""
    return first_of(attributes_of(template)[1], b"shadowrootmode") is not None


def _end_of_template(body: bytes, at: int) -> int:
    """Where the end tag stands of a template whose content begins at `at`; they may be nested."""
    depth = 1
    for found in _IN_TEMPLATE.finditer(body, at):
        if found[1] is not None:
            depth += -1 if found[1] else 1
        if not depth:
            return found.start()
    return len(body)


class _Reading:
    """One page while it is read: its base, and the form and the notice that are open."""

    def __init__(self, body: bytes, url: str, depth: int) -> None:
        self.page = PageRead()
        self._body, self._base, self._depth = body, url, depth
        self._form: Form | None = None
        self._is_in_notice = False

    def start(self, name: bytes, tag: bytes, at: int) -> None:
        """Take in a start tag; `at` is where it ends."""
        if name == b"style":
            end = _RAW[name].search(self._body, at)
            self._style(self._body[at : end.start() if end else len(self._body)])
        if name in _READ or _STYLED.search(tag):
            given = {one.name: one.value for one in reversed(attributes_of(tag)[1])}
            for one in filter(_WITH_CSS.__contains__, given):
                self._style(text_of(given[one]).encode("utf-8", "replace"))
            self._take(name, given, at)

    def _take(self, name: bytes, given: Mapping[bytes, bytes], at: int) -> None:
        if name in _LINKING:
            self._link(name, given, at)
            self._look_into(given.get(b"srcdoc", b""))
        elif name == b"base":
            self._base = self._whole(given.get(b"href", b"")) or self._base
        elif name == b"html":
            self.page.language = given.get(b"lang", b"").decode("utf-8", "replace")[:35]
        elif name == b"title":
            self.page.title = self.page.title or self._words(at, b"</title")
        elif name == b"section":
            self._is_in_notice = given.get(b"id") == b"consentkit"
        elif name == b"meta":
            self._refresh(given)
        elif name == b"script":
            self._script(given)
        elif name == b"form":
            self._form = Form(self._whole(given.get(b"action", b"")) or "", self._is_in_notice)
        elif self._form is not None and name in {b"button", b"input"}:
            self._field(self._form, name, given, at)

    def end(self, name: bytes) -> None:
        """Take in an end tag; those of a form and of a section end something."""
        if name == b"form":
            self._form = None
        elif name == b"section":
            self._is_in_notice = False

    def _style(self, css: bytes) -> None:
        host = urlsplit(self._base).hostname
        for target, what in fetched_by(css.decode("utf-8", "replace")):
            # As in an attribute, where what looks like a reference would be one.
            value = target.encode("utf-8", "replace").replace(b"&", b"&amp;")
            at = host_of(value, host) if len(self.page.styles) < MOST_LINKS else None
            if at is not None:
                self.page.styles.append((at, _path_of(target, self._base), what))

    def _look_into(self, srcdoc: bytes) -> None:
        """Take in the styles of a document that stands in an attribute; its tags the gate reads."""
        if srcdoc and self._depth < _DEEPEST_PAGE:
            inner = text_of(srcdoc).encode("utf-8", "replace")
            found = read_page(inner, self._base, bool, self._depth + 1).styles
            self.page.styles += found[: MOST_LINKS - len(self.page.styles)]

    def _refresh(self, given: Mapping[bytes, bytes]) -> None:
        if given.get(b"http-equiv", b"").strip().lower() == b"refresh" and not self.page.leads_to:
            self.page.leads_to = led_to(text_of(given.get(b"content", b"")), self._base)

    def _link(self, name: bytes, given: Mapping[bytes, bytes], at: int) -> None:
        value = given.get(_LINKING[name])
        if value is None or len(self.page.links) >= MOST_LINKS or b"download" in given:
            return
        found = self._whole(value)
        if found is None:
            return
        self.page.links.append(found)
        if not _SETTINGS.isdisjoint(given.get(b"class", b"").split()) and not self.page.settings:
            self.page.settings = (found, self._words(at, b"</a"))

    def _script(self, given: Mapping[bytes, bytes]) -> None:
        if given.get(b"id") == b"consentkit-script":
            self.page.endpoint = self._whole(given.get(b"data-path", b"/consent"))

    def _field(self, form: Form, name: bytes, given: Mapping[bytes, bytes], at: int) -> None:
        called, value = text_of(given.get(b"name", b"")), text_of(given.get(b"value", b""))
        if name == b"button" and called == "choice":
            form.choices[value] = self._words(at, b"</button")
            if len(form.choices) == 1:
                self.page.forms.append(form)
        elif name == b"input" and given.get(b"type") == b"hidden" and called:
            form.fields[called] = value

    def _whole(self, value: bytes) -> str | None:
        return address(url_text(value), self._base)

    def _words(self, at: int, until: bytes) -> str:
        end = self._body.find(until, at, at + 2000)
        text = _TAGS.sub(b" ", self._body[at : end if end >= 0 else at])
        return " ".join(unescape(text.decode("utf-8", "replace")).split())[:200]


_WITH_CSS: Final = PAINTED | {b"style"}


def led_to(refresh: str, base: str) -> str | None:
    """The whole address that a refresh leads to; None where it loads the same page anew."""
    found = _REFRESH.match(refresh[: 2 * MOST_LINKS])
    target = next(filter(None, found.groups()), "").strip() if found else ""
    return address(target, base) if target else None


def _requests(
    body: bytes,
    url: str,
    is_own: Callable[[str], bool],
    styles: Iterable[tuple[str, str, str]],
) -> list[SeenRequest]:
    """What the tags and the styles of a page would fetch from elsewhere, each host and path once.

    `body` is without templates: one of ours is opened by the server when its purpose is allowed.
    """
    found: dict[tuple[str, str, str], SeenRequest] = {}
    parts = urlsplit(url)
    initiator = f"{parts.hostname}{parts.path}"

    def take(host: str, target: str, what: str) -> None:
        path = _path_of(target)
        found.setdefault((host, path, what), SeenRequest(host, path, what, initiator))

    def note(tag: Tag) -> None:
        for host, target in zip(tag.hosts, tag.urls, strict=True):
            take(host, target, _kind_of(tag))

    Gate(note, is_own=is_own).feed(body, last=True)
    for host, path, what in styles:
        if not is_own(host):
            take(host, path, what)
    return [*found.values()]


def _path_of(target: str, base: str = "") -> str:
    try:
        return urlsplit(urljoin(base, target.strip())).path[:200] or "/"
    except ValueError:
        return "/"


def _kind_of(tag: Tag) -> str:
    if tag.name != b"link":
        return _KINDS.get(tag.name, "other")
    given = attributes_of(tag.source)[1]
    rel = text_of(first_of(given, b"rel") or b"").lower().split()
    return next((_KINDS_OF_LINKS[each] for each in rel if each in _KINDS_OF_LINKS), "other")


# --- The witness ----------------------------------------------------------------------------------


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


def _seen(kept: _Kept, url: str) -> SeenCookie:
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
