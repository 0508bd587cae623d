"""A page on its way out: which may be changed, and what its headers say then.

It has never heard of what a page is changed by.

A changed page is another representation (RFC 9110 §8): it has an ETag of its own, another length,
and none of the digests of what it was made from. One that depends on the request's Cookie is
private to its visitor (RFC 9111 §7.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consentkit.wire.headers import (
    FOR_SHARED_CACHES,
    cache_directives,
    is_partial_page_request,
    make_private,
    merge_vary,
)
from consentkit.wire.validators import variant_etag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from consentkit.wire.headers import Fields, HeaderList

__all__ = [
    "asks_for_page",
    "asks_to_show_in_a_frame",
    "asks_to_show_in_a_tab",
    "is_page",
    "length_of",
    "page_headers",
    "ways_of_asking",
]

_NO_BODY: Final = frozenset({204, 205, 206})
_NOT_MODIFIED: Final = 304
_REDIRECTS: Final = range(300, 400)  # what they say is shown only if they lead nowhere
_SPOILT: Final = frozenset(
    {
        b"accept-ranges",
        b"content-digest",
        b"content-length",
        b"content-md5",
        b"digest",
        b"last-modified",
        b"repr-digest",
    }
)
_SHOWN: Final = frozenset({b"document", b"iframe", b"frame", b"embed", b"object"})
"""Values of Sec-Fetch-Dest with which a browser shows what it gets as a page."""


def is_page(status: int, headers: HeaderList) -> bool:
    """True for a response in HTML that may be transformed (RFC 9110 §7.7; LAW R-87)."""
    if status in _NO_BODY or status == _NOT_MODIFIED:
        return False
    if status in _REDIRECTS and any(bytes(name).lower() == b"location" for name, _ in headers):
        return False
    permits = [
        permit(bytes(value))
        for name, value in headers
        if len(name) in _TELLING and (permit := _PERMITS.get(bytes(name).lower()))
    ]
    return bool(permits) and all(permits)


_PERMITS: Final[Mapping[bytes, Callable[[bytes], bool]]] = {
    b"cache-control": lambda value: b"no-transform" not in cache_directives(value),
    b"content-disposition": lambda value: not value.lower().startswith(b"attachment"),
    b"content-encoding": lambda value: value.lower() == b"identity",
    b"content-type": lambda value: _is_readable_html(value.lower()),
}
# In these a byte that looks like a quote or a bracket may be half of another character.
_OTHER_CODINGS: Final = (b"utf-16", b"utf-32", b"utf-7", b"iso-2022", b"hz-gb", b"csiso2022")


def _is_readable_html(content_type: bytes) -> bool:
    kind, _, parameters = content_type.partition(b";")
    return kind.strip() == b"text/html" and not any(
        coding in parameters for coding in _OTHER_CODINGS
    )


_TELLING: Final = frozenset(map(len, _PERMITS))  # header names are told apart by length first


def asks_for_page(request: Fields) -> bool:
    """True if what comes back may be shown as a page: in a tab, in a frame, or put in by a script.

    Only then is the app asked for plain, whole HTML; a script that fetches JSON is not disturbed.
    """
    dest = request.get(b"sec-fetch-dest")
    if dest is not None and dest in _SHOWN:
        return True
    if dest is not None and dest != b"empty":
        return False
    return b"text/html" in request.get(b"accept", b"") or b"hx-request" in request


def asks_to_show_in_a_tab(request: Fields) -> bool:
    """True if the page is asked for as one, and not as a frame or a part of another page.

    Turbo and htmx fetch whole pages and put their bodies in place of the one that is shown.
    """
    dest = request.get(b"sec-fetch-dest", b"document")
    if is_partial_page_request(request):
        return False
    return dest == b"document" or (
        dest == b"empty" and (b"x-turbo-request-id" in request or b"hx-boosted" in request)
    )


_FRAMES: Final = frozenset({b"iframe", b"frame", b"embed", b"object", b"fencedframe"})


def asks_to_show_in_a_frame(request: Fields) -> bool:
    """True if the page is asked for by an element of another page, which may be anybody's."""
    return request.get(b"sec-fetch-dest") in _FRAMES


def length_of(headers: HeaderList) -> int | None:
    """How many octets the body has, where the headers say it."""
    for name, value in headers:
        if bytes(name).lower() == b"content-length" and bytes(value).isdigit():
            return int(value)
    return None


def ways_of_asking(request: Fields) -> list[bytes]:
    """Names of the headers by which a request asks for a page as a frame or a part of another.

    It has no notice, so a cache that keeps it must not show it in a tab.
    """
    asked = (b"HX-Request", b"Turbo-Frame", b"X-Requested-With")
    return [b"Sec-Fetch-Dest", *(name for name in asked if name.lower() in request)]


def page_headers(
    headers: HeaderList, vary: bytes, grown: int | None, variant: bytes = b""
) -> HeaderList:
    """The headers of a page that depends on its request (R-86, R-88).

    `vary` names what it depends on. `grown` is by how many bytes it grew, None where it stays as
    it is, -1 where nobody knows yet. A changed page has the ETag of its `variant` (b"" for none),
    loses its other validators and digests, and its Content-Length is set right; one that depends
    on Cookie is private and asked for again. A 304 for a page is told the same (RFC 9110 §15.4.5).
    """
    kept: HeaderList = []
    varies = caches = b""
    grows = -1 if grown is None else grown
    for_others = FOR_SHARED_CACHES if b"Cookie" in vary else frozenset()
    for header in headers:
        name = bytes(header[0]).lower()
        if name == b"vary":
            varies = merge_vary(varies, *_names(bytes(header[1])))
        elif name == b"cache-control":
            caches = caches + b"," + bytes(header[1])
        elif name == b"etag" and (variant or grown is not None):
            etag = variant_etag(bytes(header[1]), variant) if variant else None
            kept += [] if etag is None else [(b"etag", etag)]
        elif name not in for_others and (grown is None or name not in _SPOILT):
            kept.append(header)
        elif name == b"content-length" and grows >= 0 and bytes(header[1]).isdigit():
            kept.append((b"content-length", b"%d" % (int(header[1]) + grows)))
    if varies or vary:
        kept.append((b"vary", merge_vary(varies, *_names(vary)) if varies else vary))
    if b"Cookie" in vary:
        kept.append((b"cache-control", _cached(caches) if caches else b"private, no-cache"))
    elif caches:
        kept.append((b"cache-control", caches.lstrip(b",")))
    return kept


def _names(value: bytes) -> list[bytes]:
    return [name for part in value.split(b",") if (name := part.strip())]


def _cached(value: bytes) -> bytes:
    whole = value.lstrip(b",")
    return whole if b"no-store" in cache_directives(whole) else make_private(whole, b"no-cache")
