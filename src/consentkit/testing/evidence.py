"""What a response, a jar or a page says, whichever client it comes from, as one kind of value.

It has never heard of what is expected of them. The clients need not be installed: each is known by
what it can do.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from http.cookiejar import Cookie
from inspect import isawaitable, iscoroutine
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from consentkit.audit.network import MOST_BYTES, in_utf_8, inflated
from consentkit.refuge import KEY
from consentkit.rules.policy import Where
from consentkit.testing.browser import Browser, Response, StoredCookie
from consentkit.wire.cookies import parse_attributes, set_cookie_name, set_cookie_tail

if TYPE_CHECKING:
    from consentkit.events import Event
    from consentkit.rules.policy import Policy
    from consentkit.rules.visitor import Standing

__all__ = ["Evidence", "Set", "evidence_of"]

Some: TypeAlias = Any
"""A response, a jar, a page, a client: of a dozen classes, some of which are not installed."""

CAME_BY: Final = "consentkit"
"""Where a response of `ConsentClient` keeps how it came, among its `extensions`."""
_GETTERS: Final = ("get_list", "getlist", "get_all", "getall")
"""How clients call *every value of this header*."""


@dataclass(frozen=True)
class Set:
    """One Set-Cookie, or one cookie of a jar printed as such."""

    raw: bytes

    @property
    def name(self) -> str:
        """The cookie's name."""
        return set_cookie_name(self.raw).decode("utf-8", "surrogateescape")

    @property
    def place(self) -> tuple[bytes | None, bytes | None, bool]:
        """Domain, path and partition: a cookie of the same name and place is the same one."""
        given = parse_attributes(set_cookie_tail(self.raw))
        return given.domain, given.path, given.partitioned

    @property
    def is_removal(self) -> bool:
        """True if it makes a browser forget the cookie."""
        return parse_attributes(set_cookie_tail(self.raw)).is_removal(time.time())


@dataclass(frozen=True)
class Evidence:
    """What was handed over, read.

    `cookies` are what a response sets, or what a jar holds (`is_jar`). `items` are where, key and
    host of what a browser keeps besides. `events` are what enforcement did, None where nobody
    knows; `is_watched` where it would be known, had enforcement seen the request. `policy` and
    `standing` are of the exchange, where it is known. `page` is the body, unpacked and in UTF-8,
    None where there is none or it cannot be read; `links` are the Link headers, `refresh` is the
    Refresh header, `url` is where it came from, `asked` what was asked for, with `status`, None
    where nobody knows. `live` is a page that can be asked more.
    """

    cookies: tuple[Set, ...] = ()
    is_jar: bool = False
    items: tuple[tuple[Where, str, str], ...] = ()
    events: tuple[Event, ...] | None = None
    is_watched: bool = False
    policy: Policy | None = None
    standing: Standing | None = None
    is_enforced: bool = True
    page: bytes | None = None
    links: tuple[bytes, ...] = ()
    refresh: str = ""
    content_type: str = ""
    url: str = ""
    asked: str = ""
    status: int | None = None
    live: Some = None

    def sets(self, name: str) -> list[Set]:
        """What stores a cookie of this name; nothing that the same response expires after it."""
        return [each for each in self._last_of(name) if not each.is_removal]

    def removes(self, name: str) -> list[Set]:
        """What expires a cookie of this name; nothing that the same response sets after it."""
        return [each for each in self._last_of(name) if each.is_removal]

    def _last_of(self, name: str) -> list[Set]:
        """The last word on each cookie of this name: of one place, a later one lies over it."""
        given = (each for each in self.cookies if each.name == name)
        return [*{each.place: each for each in given}.values()]


def evidence_of(thing: Some) -> Evidence:
    """What a response, jar, client, browser context or page says.

    Raises TypeError for anything else, and for what is still to be awaited.
    """
    if iscoroutine(thing) or isawaitable(thing):
        if iscoroutine(thing):
            thing.close()
        raise TypeError("this is still to be awaited: write 'await' before it")
    for fits, read in _KINDS:
        if fits(thing):
            found: Evidence = read(thing)
            return found
    raise TypeError(
        f"a {type(thing).__name__} is no response, jar, client, browser context or page that is "
        "known here. Hand over its list of Set-Cookie headers as bytes, or a consentkit.testing "
        "Response made of it."
    )


# Responses


def _of_ours(response: Response) -> Evidence:
    visitor, content_type = response.visitor, response.header("content-type") or ""
    return Evidence(
        tuple(map(Set, response.set_cookies)),
        events=response.events,
        policy=visitor.policy if visitor else None,
        standing=visitor.standing if visitor else None,
        is_enforced=visitor.is_enforced if visitor else True,
        page=_unpacked(response.body, response.header("content-encoding") or "", content_type),
        links=response.all(b"link"),
        refresh=response.header("refresh") or "",
        content_type=content_type,
        url=response.url,
        asked=response.url,
        status=response.status,
    )


def _has_headers(thing: Some) -> bool:
    headers = getattr(thing, "headers", None)
    return hasattr(thing, "status_code") and any(hasattr(headers, each) for each in _GETTERS)


def _of_headers(response: Some) -> Evidence:
    """A response of httpx or httpx2 (Starlette's and Litestar's clients have these), or Quart's."""
    came = [*getattr(response, "history", ()), response]
    passages = [getattr(one, "extensions", {}).get(CAME_BY) for one in came]
    exchanges = [one.scope.get(KEY) for one in passages if one is not None]
    known = [one for one in exchanges if one is not None]
    visitor = passages[-1].visitor if passages[-1] is not None else None
    standing = known[-1].visitor.standing if known else None
    is_enforced = known[-1].visitor.is_enforced if known else True
    body, content_type = _if_known(response, "content"), response.headers.get("content-type", "")
    return Evidence(
        tuple(Set(raw) for one in came for raw in _values(one.headers, "set-cookie")),
        events=tuple(event for one in known for event in one.events) if known else None,
        is_watched=any(one is not None for one in passages),
        policy=standing.policy if standing else visitor.policy if visitor else None,
        standing=standing,
        is_enforced=is_enforced,
        page=in_utf_8(body, content_type) if isinstance(body, bytes) else None,
        links=tuple(_values(response.headers, "link")),
        refresh=response.headers.get("refresh", ""),
        content_type=content_type,
        url=str(_if_known(response, "url") or ""),
        asked=str(_if_known(came[0], "url") or ""),
        status=response.status_code,
    )


def _unpacked(body: bytes, coding: str, content_type: str) -> bytes | None:
    """A body as it is read; None where it is packed in a way that is not known here."""
    if body and coding:
        body, _ = inflated(body, coding.strip().lower(), MOST_BYTES)
        if not body:
            return None
    return in_utf_8(body, content_type)


def _if_known(response: Some, name: str) -> Some:
    """What httpx raises RuntimeError for: the address of no request, the body not yet read."""
    try:
        return getattr(response, name, None)
    except RuntimeError:
        return None


def _values(headers: Some, name: str) -> list[bytes]:
    get = next(getattr(headers, each) for each in _GETTERS if hasattr(headers, each))
    return [value.encode("utf-8", "surrogateescape") for value in get(name) or ()]


def _of_django(response: Some) -> Evidence:
    """A response of Django's clients, which keep cookies apart from headers."""
    request = getattr(response, "wsgi_request", None) or getattr(response, "asgi_request", None)
    content_type, coding = (response.get(f"content-{each}", "") for each in ("type", "encoding"))
    return Evidence(
        tuple(_morsels(response.cookies)),
        page=None if response.streaming else _unpacked(response.content, coding, content_type),
        links=tuple(v.encode() for n, v in response.items() if n.lower() == "link"),
        refresh=response.get("refresh", ""),
        content_type=content_type,
        url=request.build_absolute_uri() if request is not None else "",
        status=response.status_code,
    )


def _morsels(cookies: Mapping[str, Some]) -> Iterator[Set]:
    for morsel in cookies.values():
        yield Set(morsel.OutputString().encode("utf-8", "surrogateescape"))


def _of_playwright_response(response: Some) -> Evidence:
    headers = response.headers_array()
    if isawaitable(headers):
        _close(headers)
        raise TypeError("of an async response, hand over 'await response.headers_array()'")
    return _of_dicts(headers, url=response.url)


def _close(waiting: Some) -> None:
    if hasattr(waiting, "close"):
        waiting.close()


# Jars


def _of_cookie_jar(jar: Iterable[Cookie]) -> Evidence:
    return Evidence(tuple(Set(_printed(cookie)) for cookie in jar), is_jar=True)


def _printed(cookie: Cookie) -> bytes:
    return _line(
        cookie.name if cookie.value is None else f"{cookie.name}={cookie.value}",
        {
            "Path": cookie.path,
            "Domain": cookie.domain if cookie.domain_specified else "",
            "Expires": cookie.expires,
            "Secure": cookie.secure,
            "HttpOnly": cookie.has_nonstandard_attr("HttpOnly"),
            "SameSite": cookie.get_nonstandard_attr("SameSite", ""),
            "Partitioned": cookie.has_nonstandard_attr("Partitioned"),
        },
    )


def _line(pair: str, attributes: Mapping[str, str | float | bool | None]) -> bytes:
    """A Set-Cookie value; of the attributes True is a flag, and what is empty is left out."""
    parts = [pair]
    for name, value in attributes.items():
        if value is True:
            parts.append(name)
        elif name == "Expires" and value is not None:
            parts.append(f"Expires={formatdate(float(value), usegmt=True)}")
        elif value:
            parts.append(f"{name}={str(value).removeprefix('.')}")
    return "; ".join(parts).encode("utf-8", "surrogateescape")


def _of_client(client: Some) -> Evidence:
    """A client of httpx or httpx2, or Django's: what its jar holds."""
    found = evidence_of(client.cookies)
    visitor = getattr(client, "visitor", None)
    policy = getattr(visitor, "policy", None)
    return Evidence(found.cookies, is_jar=True, policy=policy, live=client)


def _of_browser(browser: Browser) -> Evidence:
    return Evidence(tuple(Set(_printed_stored(stored)) for stored in browser.jar), is_jar=True)


def _printed_stored(stored: StoredCookie) -> bytes:
    attributes = stored.cookie.attributes
    return _line(
        f"{stored.name}={stored.value}" if stored.name else stored.value,
        {
            "Path": stored.path,
            "Domain": "" if stored.is_host_only else stored.domain,
            "Expires": stored.expires,
            "Secure": attributes.secure,
            "HttpOnly": attributes.http_only,
            "SameSite": attributes.same_site,
            "Partitioned": attributes.partitioned,
        },
    )


# Playwright


def _of_dicts(entries: Sequence[Mapping[str, Some]], url: str = "") -> Evidence:
    """What Playwright lists: cookies, which have a domain, or headers, which have none."""
    if any("domain" in entry for entry in entries):
        return Evidence(tuple(Set(_printed_dict(entry)) for entry in entries), is_jar=True)
    lines = [(str(entry["name"]).lower(), str(entry["value"])) for entry in entries]
    content_type = next((value for name, value in lines if name == "content-type"), "")
    return Evidence(
        tuple(Set(raw) for raw in _of_name(lines, "set-cookie")),
        links=tuple(_of_name(lines, "link")),
        content_type=content_type,
        url=url,
    )


def _of_name(lines: Iterable[tuple[str, str]], name: str) -> Iterator[bytes]:
    for key, value in lines:
        if key == name:
            # Chromium puts lines of one name together.
            yield from (one.encode("utf-8", "surrogateescape") for one in value.split("\n"))


def _printed_dict(cookie: Mapping[str, Some]) -> bytes:
    domain, expires = str(cookie["domain"]), float(cookie.get("expires", -1))
    return _line(
        f"{cookie['name']}={cookie.get('value', '')}",
        {
            "Path": cookie.get("path", "/"),
            "Domain": domain if domain.startswith(".") else "",
            "Expires": None if expires < 0 else expires,
            "Secure": bool(cookie.get("secure")),
            "HttpOnly": bool(cookie.get("httpOnly")),
            "SameSite": cookie.get("sameSite", ""),
            "Partitioned": "partitionKey" in cookie,
        },
    )


def _of_storage_state(state: Mapping[str, Some]) -> Evidence:
    """What `context.storage_state()` returns: cookies, and what each origin keeps besides."""
    items: list[tuple[Where, str, str]] = []
    for origin in state["origins"]:
        host = str(origin["origin"]).partition("://")[2].partition(":")[0]
        items += [(Where.LOCAL, str(one["name"]), host) for one in origin.get("localStorage", ())]
        items += [(Where.INDEXED_DB, str(one["name"]), host) for one in origin.get("indexedDB", ())]
    cookies = tuple(Set(_printed_dict(cookie)) for cookie in state["cookies"])
    return Evidence(cookies, is_jar=True, items=tuple(items))


def _of_context(context: Some) -> Evidence:
    state = context.storage_state()
    if isawaitable(state):
        _close(state)
        raise TypeError("of an async context, hand over 'await context.storage_state()'")
    return _of_storage_state(state)


def _of_page(page: Some) -> Evidence:
    content = page.content()
    if isawaitable(content):
        _close(content)
        raise TypeError("of an async page, hand over 'await page.content()', and site=page.url")
    state = _of_context(page.context)
    return Evidence(
        state.cookies,
        is_jar=True,
        items=state.items,
        page=str(content).encode("utf-8", "replace"),
        content_type="text/html",
        url=page.url,
        live=page,
    )


# Plain values


def _of_text(text: str | bytes) -> Evidence:
    page = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    return Evidence(page=page, content_type="text/html")


def _of_lines(lines: Sequence[bytes]) -> Evidence:
    return Evidence(tuple(map(Set, lines)))


def _is_list_of(kind: type) -> Any:  # noqa: ANN401 - a predicate on anything
    def fits(thing: Some) -> bool:
        return isinstance(thing, list | tuple) and all(isinstance(one, kind) for one in thing)

    return fits


def _can(*names: str) -> Any:  # noqa: ANN401 - a predicate on anything
    return lambda thing: all(hasattr(thing, name) for name in names)


_KINDS: Final[tuple[tuple[Any, Any], ...]] = (
    (lambda thing: isinstance(thing, Evidence), lambda thing: thing),
    (lambda thing: isinstance(thing, Response), _of_ours),
    (lambda thing: isinstance(thing, Browser), _of_browser),
    (lambda thing: isinstance(thing, str | bytes), _of_text),
    (_is_list_of(bytes), _of_lines),
    (_is_list_of(Mapping), _of_dicts),
    (
        lambda thing: isinstance(thing, Mapping) and {"cookies", "origins"} <= {*thing},
        _of_storage_state,
    ),
    (_has_headers, _of_headers),
    (_can("status_code", "cookies", "streaming"), _of_django),
    (_can("headers_array", "url"), _of_playwright_response),
    (_can("content", "context", "url"), _of_page),
    (_can("storage_state", "cookies"), _of_context),
    (_can("jar", "extract_cookies"), lambda thing: _of_cookie_jar(thing.jar)),
    (_can("extract_cookies"), _of_cookie_jar),
    (_can("js_output"), lambda thing: Evidence(tuple(_morsels(thing)), is_jar=True)),
    (_can("cookies"), _of_client),
)
"""What can be read, the most particular first: whether it is such a thing, and what it says."""
