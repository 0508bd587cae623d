"""Validators of a response that comes in variants, and the links that a response names.

It has never heard of what the variants are for: each has a key.

A changed page is another representation than the app's, so its ETag says which it is (RFC 9110
§8.8.3): ``"abc"`` goes out as ``"abc-ck.k3f"``. What a browser asks by it comes back as the app
knows it, if it is about the same variant, and is no question to the app if it is about another
(§13.1; LAW R-89). `links_without` reads the Link header (RFC 8288), by which pages name what a
browser is to fetch early.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from consentkit.wire.urls import host_of, hosts_of_srcset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "links_without",
    "plain_condition",
    "plain_precondition",
    "plain_range_condition",
    "rules_without",
    "variant_etag",
]

_MARK: Final = b"-ck."
_LONGEST_ETAG: Final = 1024
_ETAG: Final = re.compile(rb'(W/)?"([^"\x00-\x1f\x7f]*+)"')
_KEY: Final = re.compile(rb"[0-9A-Za-z_]{1,64}")
_LISTED_TAG: Final = re.compile(rb'(?:[^",]++|"[^"]*+"?)++')


def variant_etag(etag: bytes, key: bytes) -> bytes | None:
    """The ETag of one variant of a representation; None where there can be none.

    `etag` is the app's; weak stays weak, and strong stays strong, for the variants are other bytes
    each. `key` names the variant: up to 64 letters, digits or underscores. Control characters,
    missing quotes and more than 1024 bytes make no ETag.

    >>> variant_etag(b'W/"abc"', b"k3f")
    b'W/"abc-ck.k3f"'
    """
    tag = _ETAG.fullmatch(etag.strip(b" \t"))
    if tag is None or len(etag) > _LONGEST_ETAG:
        return None
    return b'%b"%b%b%b"' % (tag.group(1) or b"", tag.group(2), _MARK, key)


def plain_condition(value: bytes, key: bytes, *, is_ours_alone: bool = False) -> bytes | None:
    """An If-None-Match value as the app knows it, for a request that gets the variant `key`.

    ETags of that variant become the app's own. Those of other variants are left out, as is what
    only looks like one: a compressing proxy's ``"abc-ck.k3f-gzip"``. Foreign ones, ``*`` and what
    cannot be read stay, unless `is_ours_alone`: where every response is a variant, a plain ETag is
    of a time before, and ``*`` of all of them. None: nothing is left to be asked.

    >>> plain_condition(b'"abc-ck.k3f", W/"old-ck.zz", "xyz"', b"k3f")
    b'"abc", "xyz"'
    """
    listed = [tag.strip(b" \t") for tag in _LISTED_TAG.findall(value)]
    plain = [_plain(tag, key, is_ours_alone=is_ours_alone) for tag in listed]
    if plain == listed:
        return value if any(listed) else None
    return b", ".join(tag for tag in plain if tag) or None


def _plain(tag: bytes, key: bytes, *, is_ours_alone: bool) -> bytes:
    if _MARK not in tag:
        return b"" if is_ours_alone else tag
    parts = _parts(tag)
    return parts[0] if parts is not None and parts[1] == key else b""


def _parts(tag: bytes) -> tuple[bytes, bytes] | None:
    """The app's ETag and the key of a variant's; None for what is none."""
    found = _ETAG.fullmatch(tag)
    weak, opaque = found.groups() if found is not None else (None, b"")
    before, mark, key = opaque.rpartition(_MARK)
    if not mark or not _KEY.fullmatch(key):
        return None
    return b'%b"%b"' % (weak or b"", before), key


def plain_precondition(value: bytes) -> bytes:
    """An If-Match value as the app knows it.

    It guards an unsafe request against a resource that changed meanwhile, and which variant of it
    the browser saw makes no difference to that: every variant becomes the app's ETag, and nothing
    is left out, for then nothing would be guarded (RFC 9110 §13.1.1).

    >>> plain_precondition(b'"abc-ck.k3f", "xyz"')
    b'"abc", "xyz"'
    """
    listed = [tag.strip(b" \t") for tag in _LISTED_TAG.findall(value)]
    plain = [parts[0] if (parts := _parts(tag)) is not None else tag for tag in listed]
    return value if plain == listed else b", ".join(plain)


def plain_range_condition(value: bytes) -> bytes | None:
    """An If-Range value as the app knows it: one ETag, or a date.

    None where it names a variant: the app's bytes do not continue what the browser has, so the
    Range header has to go with it (RFC 9110 §13.1.5).
    """
    return None if _MARK in value else value


# Link, Speculation-Rules


def rules_without(value: bytes, may_load: Callable[[str], bool]) -> bytes | None:
    """A Speculation-Rules value without the addresses of hosts that may not load.

    It is a list of addresses in quotes, which a browser fetches at once (WICG nav-speculation).
    None if nothing is left.

    >>> rules_without(b'"/own.json", "https://a.example/1.json"', lambda host: False)
    b'"/own.json"'
    """
    left = [
        rule
        for part in value.split(b",")
        if (rule := part.strip())
        and ((host := host_of(rule.partition(b";")[0].strip(b'" '))) is None or may_load(host))
    ]
    return b", ".join(left) or None


_FETCHES: Final = frozenset(
    {
        b"apple-touch-icon",
        b"apple-touch-icon-precomposed",
        b"apple-touch-startup-image",
        b"compression-dictionary",
        b"dns-prefetch",
        b"icon",
        b"manifest",
        b"mask-icon",
        b"modulepreload",
        b"preconnect",
        b"prefetch",
        b"preload",
        b"prerender",
        b"stylesheet",
    }
)
"""Relations for which a browser fetches, connects or asks DNS (HTML §4.6.7)."""

_PIECE: Final = re.compile(
    rb'[^<",]++|<[^>]*+>|"(?:[^"\\]|\\.)*+"|(,)|.++',  # the last: from where nothing is sure
    re.DOTALL,
)
_LINK: Final = re.compile(rb"[ \t]*+<([^>]*+)>[ \t]*+((?:;.*)?)", re.DOTALL)
_PARAM: Final = re.compile(
    rb'[ \t]*+;[ \t]*+(?:([^\x00-\x20"(),/:;<=>?@\[\\\]{}\x7f]++)[ \t]*+'
    rb'(?:=[ \t]*+("(?:[^"\\]|\\.)*+"|[^ \t";,<]*+)[ \t]*+)?+)?+',
    re.DOTALL,
)
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_SEPARATORS: Final = re.compile(rb"[\s<>;,\"']+")
_BETWEEN: Final = re.compile(rb"<([^<>]*+)")


def links_without(value: bytes, may_load: Callable[[str], bool]) -> bytes | None:
    """A Link value without the links by which something is fetched from a host that may not load.

    `may_load` is asked about a host, as `host_of` returns it. The links that stay are those of the
    value byte for byte; None if none does. What cannot be read stays only if no relation that
    fetches and no such host stand in it together.

    >>> links_without(b'</a.css>; rel=preload, <//b.example>; rel=preconnect', lambda host: False)
    b'</a.css>; rel=preload'
    """
    links = _links(value)
    kept = [link for link in links if not _fetches_blocked(link, may_load)]
    if len(kept) == len(links):
        return value
    left = b",".join(kept).strip(b" \t,")
    return left or None


def _links(value: bytes) -> list[bytes]:
    """The links of a list; from where its end cannot be known, the rest is one."""
    links: list[list[bytes]] = [[]]
    for piece in _PIECE.finditer(value):
        if piece.group(1):
            links.append([])
        else:
            links[-1].append(piece.group())
    return [b"".join(pieces) for pieces in links]


def _fetches_blocked(link: bytes, may_load: Callable[[str], bool]) -> bool:
    found = _LINK.fullmatch(link)
    params = _params(found.group(2)) if found is not None else None
    if found is None or params is None:
        return _may_fetch_blocked(link, may_load)
    relations = params.get(b"rel", b"").lower().split()
    if _FETCHES.isdisjoint(relation.strip(b"'") for relation in relations):
        return False
    return not all(may_load(host) for host in _hosts(found.group(1), params))


def _params(text: bytes) -> dict[bytes, bytes] | None:
    """The parameters by lower-case name, the first of a name counts; None: it is no such list."""
    params: dict[bytes, bytes] = {}
    at = 0
    while at < len(text):
        found = _PARAM.match(text, at)
        if found is None:
            return None
        name, value = found.groups()
        if name is not None:
            params.setdefault(name.lower(), _unquoted(value or b""))
        at = found.end()
    return params


def _unquoted(value: bytes) -> bytes:
    return _ESCAPED.sub(rb"\1", value[1:-1]) if value.startswith(b'"') else value


def _hosts(target: bytes, params: dict[bytes, bytes]) -> Iterator[str]:
    host = host_of(_without_references(target))
    if host is not None:
        yield host
    if srcset := params.get(b"imagesrcset"):
        yield from hosts_of_srcset(_without_references(srcset))


def _without_references(url: bytes) -> bytes:
    """A header's URL as it would stand in markup: there is no ``&#47;`` in a header."""
    return url.replace(b"&", b"&amp;")


def _may_fetch_blocked(text: bytes, may_load: Callable[[str], bool]) -> bool:
    """True if a relation that fetches and a host that may not load stand in it, whatever it is."""
    words = _SEPARATORS.split(text.lower().replace(b"=", b" "))
    if _FETCHES.isdisjoint(words):
        return False
    named = [*_BETWEEN.findall(text), *_SEPARATORS.split(text)]
    hosts = (host_of(_without_references(url)) for url in named)
    return not all(may_load(host) for host in hosts if host is not None)
