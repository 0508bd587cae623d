"""Header lists: what a request says of itself, and what a changed response must say.

It has never heard of why a response is changed, or what a cookie is for.

Requests: Fetch Metadata (W3C), Origin (RFC 6454), Accept-Language (RFC 9110 §12.5.4),
speculative loads (Sec-Purpose, WICG nav-speculation). Responses: Vary and Cache-Control
(RFC 9110 §12.5.5, RFC 9111 §5.2). Names are compared without regard to case; values are bytes as
the server handed them over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = [
    "FOR_SHARED_CACHES",
    "SAFE_METHODS",
    "Fields",
    "HeaderList",
    "accepted_languages",
    "cache_directives",
    "first_values",
    "is_deliberate_navigation",
    "is_document_request",
    "is_from_same_origin",
    "is_partial_page_request",
    "is_private",
    "is_set_cookie",
    "is_speculative",
    "keep_out_of_shared_caches",
    "kept_out_where_cacheable",
    "make_private",
    "merge_vary",
    "says_caching",
    "without",
]

HeaderList: TypeAlias = "list[tuple[bytes, bytes]]"
Fields: TypeAlias = "Mapping[bytes, bytes]"
"""Header names in lower case, each with its first value."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that ask for nothing to be changed (RFC 9110 §9.2.1)."""

FOR_SHARED_CACHES: Final = frozenset(
    {
        b"cdn-cache-control",  # RFC 9213, and the names of single networks
        b"cloudflare-cdn-cache-control",
        b"edge-control",
        b"netlify-cdn-cache-control",
        b"surrogate-control",
        b"vercel-cdn-cache-control",
        b"x-accel-expires",
    }
)
"""Headers by which an app lets shared caches keep a response whatever Cache-Control says."""

_SAYS_CACHING: Final = FOR_SHARED_CACHES | {b"cache-control"}
_LETS_CACHE: Final = _SAYS_CACHING | {b"expires"}
_CACHING: Final = frozenset(map(len, _LETS_CACHE))  # header names are told apart by length first

_BOT_WORDS: Final = (
    b"bot",
    b"crawl",
    b"spider",
    b"slurp",
    b"preview",
    b"headless",
    b"monitor",
    b"curl",
    b"wget",
    b"python-",
    b"httpx",
    b"feed",
)
_MAX_LANGUAGES: Final = 32
_LONGEST_TAG: Final = 64  # octets; registered ones have 35 at most (RFC 5646 §4.4.1)


def first_values(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The header list as `Fields`: lower-case names, the first value of each."""
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        fields.setdefault(bytes(name).lower(), bytes(value))
    return fields


def without(
    headers: Iterable[tuple[bytes, bytes]], names: Collection[bytes]
) -> list[tuple[bytes, bytes]]:
    """The headers but for those of these names (lower case)."""
    return [(name, value) for name, value in headers if bytes(name).lower() not in names]


def is_document_request(fields: Fields) -> bool:
    """True if a browser asks for a page to show in a tab.

    A browser that sends Fetch Metadata says so (``Sec-Fetch-Dest: document``); of the others one
    that accepts HTML is believed.
    """
    dest = fields.get(b"sec-fetch-dest")
    if dest is not None:
        return dest == b"document"
    return b"text/html" in fields.get(b"accept", b"").lower()


def is_partial_page_request(fields: Fields) -> bool:
    """True if a script asks for a piece of HTML to put into a page (htmx, Turbo, fetch)."""
    if b"turbo-frame" in fields or fields.get(b"x-requested-with") == b"XMLHttpRequest":
        return True
    return b"hx-request" in fields and b"hx-boosted" not in fields


def is_speculative(fields: Fields) -> bool:
    """True if the browser loads ahead and nobody went to this page yet."""
    purpose = fields.get(b"sec-purpose", b"") + fields.get(b"purpose", b"")
    return b"prefetch" in purpose.lower()


def is_from_same_origin(fields: Fields, trusted: Collection[bytes] = ()) -> bool:
    """True if a request was sent by the site's own page, or by the person at the browser.

    Fetch Metadata decides where it is there; else the host of Origin must be the Host, whatever
    the scheme, since behind a proxy the server sees another one. ``null`` and nothing at all are
    not the same origin. `trusted` are whole origins, ``https://www.example.org``.
    """
    origin = fields.get(b"origin", b"").lower()
    site = fields.get(b"sec-fetch-site")
    if origin in trusted:
        return True
    if site is not None:
        return site in (b"same-origin", b"none")
    _, separator, host = origin.partition(b"://")
    return bool(separator and host) and host == fields.get(b"host", b"").lower()


def is_deliberate_navigation(method: str, fields: Fields) -> bool:
    """True if a person went from one page of the site to this one.

    Not a reload, not a load ahead, not a script's request, not a crawler. Where a browser sends
    no Fetch Metadata, a Referer of this host and a wish for HTML have to do.
    """
    if method != "GET" or is_speculative(fields) or _is_reload(fields) or _is_bot(fields):
        return False
    if b"sec-fetch-mode" not in fields:
        return is_document_request(fields) and _is_referred_by_itself(fields)
    return (
        fields[b"sec-fetch-mode"] == b"navigate"
        and fields.get(b"sec-fetch-dest") == b"document"
        and fields.get(b"sec-fetch-site") == b"same-origin"
        and fields.get(b"sec-fetch-user") == b"?1"
    )


def _is_reload(fields: Fields) -> bool:
    directives = cache_directives(fields.get(b"cache-control", b""))
    return b"no-cache" in directives or directives.get(b"max-age") == b"0"


def _is_bot(fields: Fields) -> bool:
    agent = fields.get(b"user-agent", b"").lower()
    return not agent or any(word in agent for word in _BOT_WORDS)


def _is_referred_by_itself(fields: Fields) -> bool:
    _, separator, rest = fields.get(b"referer", b"").partition(b"://")
    host = rest.partition(b"/")[0].lower()
    return bool(separator and host) and host == fields.get(b"host", b"").lower()


def accepted_languages(value: bytes) -> tuple[str, ...]:
    """Language tags of an Accept-Language header in lower case, the most wanted first.

    ``q=0`` and ``*`` are left out, as is whatever cannot be read; at most 32 tags are looked at,
    and none of more than 64 octets.
    """
    wanted: list[tuple[float, str]] = []
    for part in value.split(b",", _MAX_LANGUAGES)[:_MAX_LANGUAGES]:
        tag, _, parameter = part.partition(b";")
        name = tag.strip().lower()
        quality = _quality(parameter)
        if quality > 0 and len(name) <= _LONGEST_TAG and name.replace(b"-", b"").isalnum():
            wanted.append((quality, name.decode("ascii")))
    return tuple(tag for _, tag in sorted(wanted, key=lambda item: -item[0]))


def _quality(parameter: bytes) -> float:
    name, _, value = parameter.strip().partition(b"=")
    if not name:
        return 1.0
    try:
        quality = float(value) if name.strip().lower() == b"q" else 0.0
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0


def cache_directives(value: bytes) -> dict[bytes, bytes]:
    """Directives of a Cache-Control header, names in lower case, each with its argument or b""."""
    directives: dict[bytes, bytes] = {}
    for part in value.split(b","):
        name, _, argument = part.partition(b"=")
        if name := name.strip().lower():
            directives[name] = argument.strip(b' \t"')
    return directives


def make_private(value: bytes, *more: bytes) -> bytes:
    """A Cache-Control value that keeps a response out of shared caches, with `more` directives.

    ``public`` and ``s-maxage`` go, everything else stays as it was written.
    """
    kept = [
        part.strip()
        for part in value.split(b",")
        if part.strip() and part.partition(b"=")[0].strip().lower() not in (b"public", b"s-maxage")
    ]
    there = cache_directives(value)
    # private="x-name" keeps that header alone from shared caches (RFC 9111 §5.2.2.7).
    kept += [directive for directive in (b"private", *more) if there.get(directive) != b""]
    return b", ".join(kept)


def merge_vary(value: bytes, *names: bytes) -> bytes:
    """A Vary value that also names `names`; ``*`` stays alone."""
    there = {part.strip().lower() for part in value.split(b",")}
    if b"*" in there:
        return value
    missing = [name for name in names if name.lower() not in there]
    return b", ".join([value, *missing]) if value.strip() else b", ".join(missing)


def is_set_cookie(name: bytes) -> bool:
    """True for the header name Set-Cookie, in any case, as bytes or bytes-like."""
    return len(name) == len(b"set-cookie") and bytes(name).lower() == b"set-cookie"


def says_caching(name: bytes) -> bool:
    """True for the name of a header that may let a cache keep the response."""
    return len(name) in _CACHING and bytes(name).lower() in _LETS_CACHE


def keep_out_of_shared_caches(headers: HeaderList, *more: bytes) -> HeaderList:
    """The headers with a Cache-Control that is private, and has `more` directives."""
    there = b", ".join(_cache_control(headers))
    if b"no-store" in cache_directives(there):
        kept = without(headers, FOR_SHARED_CACHES)
        return headers if len(kept) == len(headers) else kept
    kept = without(headers, _SAYS_CACHING)
    return [*kept, (b"cache-control", make_private(there, *more))]


def kept_out_where_cacheable(headers: HeaderList) -> HeaderList:
    """The same headers, private if they leave the response to shared caches (RFC 9111 §5.2.2.7)."""
    says = any(says_caching(name) for name, _ in headers)
    return keep_out_of_shared_caches(headers) if says and not is_private(headers) else headers


def is_private(headers: HeaderList) -> bool:
    """True if no shared cache keeps this response."""
    if any(bytes(name).lower() in FOR_SHARED_CACHES for name, _ in headers):
        return False
    there = cache_directives(b", ".join(_cache_control(headers)))
    return there.get(b"private") == b"" or b"no-store" in there


def _cache_control(headers: HeaderList) -> list[bytes]:
    return [bytes(value) for name, value in headers if bytes(name).lower() == b"cache-control"]
