"""A request over a network, and the answer to it, unpacked and bounded.

It has never heard of a witness, nor of what an answer is wanted for. It follows no redirect and
keeps no cookie. httpx2 or httpx is needed only where a connection is opened: what sends into an
app in process is a `Send` as well, and gives the same `Answer`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

import anyio

__all__ = [
    "Answer",
    "HostRules",
    "Send",
    "http_client",
    "import_http",
    "in_utf_8",
    "inflated",
]

MOST_BYTES: Final = 4 * 1024 * 1024
"""Of a page, unpacked; what follows is not read."""
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_READABLE: Final = ("text/", "application/xhtml+xml", "application/xml", "application/json",
                    "application/x-gzip", "application/gzip")  # fmt: skip
HTML: Final = ("text/html", "application/xhtml+xml")
"""What a Content-Type of a page begins with."""
_DOCUMENT: Final = (b"<!doctype html", b"<html")
_BYTE_ORDER_MARKS: Final = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSET: Final = re.compile(r"charset\s*+=\s*+[\"']?(utf-?16(?:-?[lb]e)?|ucs-?2)", re.IGNORECASE)


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
        return kind.startswith(HTML) or (not kind and beginning.startswith(_DOCUMENT))

    @property
    def text(self) -> bytes:
        """The body as UTF-8, where it is in a charset whose bytes look like no markup."""
        return in_utf_8(self.body, self.first(b"content-type"))


Send = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Answer]]
"""Method, whole address, headers, body; no redirect is followed, no cookie added or kept."""


# --- Bodies ---------------------------------------------------------------------------------------


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


# --- Connections ----------------------------------------------------------------------------------


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
