"""What a start tag fetches: from which hosts, and by which of its attributes.

It has never heard of what comes of it: the bytes of a tag go in, hosts and offsets come out.

The elements and attributes are those at which the HTML standard and SVG 2 say "fetch" while a page
loads. What is fetched on a click (`<a>`, `ping`, a form's `action`) and what CSS fetches is not
among them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from consentkit.wire.html import SPACE, names_of
from consentkit.wire.urls import host_of, text_of, url_text, urls_of_srcset

__all__ = [
    "BACKGROUNDS",
    "FETCHES",
    "Attribute",
    "Fetch",
    "attributes_of",
    "fetch_of",
    "fetches_of",
    "first_of",
    "hosts_in_json",
    "script_kind",
]

_SVG_LINKS: Final = names_of("href xlink:href")

FETCHES: Final[dict[bytes, frozenset[bytes]]] = {
    # element: attributes with addresses. SVG's elements stand beside HTML's: one name is never
    # harmless in one of the two and fetched in the other.
    b"script": names_of("src href xlink:href"),
    b"iframe": names_of("src srcdoc"),
    b"frame": names_of("src"),
    b"img": names_of("src srcset"),
    b"image": names_of("src srcset href xlink:href"),
    b"source": names_of("src srcset"),
    b"input": names_of("src"),
    b"video": names_of("src poster"),
    b"audio": names_of("src"),
    b"track": names_of("src"),
    b"embed": names_of("src"),
    b"link": names_of("href imagesrcset"),
    b"object": names_of("data"),
    b"use": _SVG_LINKS,
    b"feimage": _SVG_LINKS,
    b"set": names_of("to"),
    b"animate": names_of("from to by values"),
    b"base": names_of("href"),
}
BACKGROUNDS: Final = names_of("body table tr td th tbody thead tfoot")
_BACKGROUND: Final = names_of("background")
_LISTS_OF_URLS: Final = names_of("srcset imagesrcset")
_FETCHING_RELS: Final = names_of(
    "stylesheet preload modulepreload prefetch prerender preconnect dns-prefetch icon "
    "apple-touch-icon apple-touch-icon-precomposed apple-touch-startup-image mask-icon manifest "
    "compression-dictionary"
)

_START: Final = re.compile(rb"<[^\t\n\f\r />]++")
_ATTRIBUTE: Final = re.compile(
    rb"[\t\n\f\r /]*+([^\t\n\f\r />][^\t\n\f\r />=]*+)(?:" + SPACE + rb"*+=" + SPACE + rb"*+"
    rb"""(?:"([^"]*+)"|'([^']*+)'|([^\t\n\f\r >"'][^\t\n\f\r >]*+)|))?+"""
)
# One without its end runs to the end of the text: from each quote, the search goes on behind it.
_JSON_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.?+)*+(?:"|\Z)', re.DOTALL)
_SCRIPT_TYPE: Final = re.compile(r"java|ecma|jscript|livescript")
_ANIMATIONS: Final = names_of("set animate")


class Attribute(NamedTuple):
    """One attribute of a start tag."""

    name: bytes  # lower-case
    at: int  # where the name stands in the tag
    value: bytes  # as it stands there, references and all


class Fetch(NamedTuple):
    """What one attribute fetches."""

    name: bytes
    hosts: tuple[str, ...]
    urls: tuple[str, ...]  # one for each host: the first that names it

    @classmethod
    def of(cls, name: bytes, pairs: list[tuple[str, str]]) -> Fetch:
        """Make one of (host, URL) pairs."""
        urls = dict(reversed(pairs))
        hosts = tuple(dict.fromkeys(host for host, _ in pairs))
        return cls(name, hosts, tuple(urls[host] for host in hosts))


def attributes_of(tag: bytes) -> tuple[int, list[Attribute]]:
    """Return where the name of a whole start tag ends, and its attributes, twins included.

    >>> attributes_of(b"<img/SRC=a.png alt>")
    (4, [Attribute(name=b'src', at=5, value=b'a.png'), Attribute(name=b'alt', at=15, value=b'')])
    """
    found = _START.match(tag)
    at = found.end() if found else len(tag)
    attributes = [
        Attribute(one[1].lower(), one.start(1), one[2] or one[3] or one[4] or b"")
        for one in _ATTRIBUTE.finditer(tag, at)
    ]
    return at, attributes


def first_of(attributes: list[Attribute], name: bytes) -> bytes | None:
    """Return the value that counts: that of the first attribute of this name."""
    return next((one.value for one in attributes if one.name == name), None)


def fetches_of(
    name: bytes,
    attributes: list[Attribute],
    base: str | None,
    hosts_of_page: Callable[[bytes], list[tuple[str, str]]],
) -> Iterator[Fetch]:
    """Yield what a start tag called `name` fetches from hosts that it names.

    `base` is the host of relative addresses, where that is another one. `hosts_of_page` reads an
    iframe's own document: it gives (host, URL) for each fetch in it.
    """
    wanted = FETCHES.get(name) or (_BACKGROUND if name in BACKGROUNDS else frozenset())
    seen: set[bytes] = set()
    for one in attributes:
        if one.name not in wanted or one.name in seen:
            continue
        seen.add(one.name)
        fetch = fetch_of(one, base, hosts_of_page)
        if fetch.hosts and _is_fetching(name, attributes):
            yield fetch


def fetch_of(
    attribute: Attribute, base: str | None, hosts_of_page: Callable[[bytes], list[tuple[str, str]]]
) -> Fetch:
    """Return what one attribute would fetch, if its element is one that fetches."""
    if attribute.name == b"srcdoc":
        return Fetch.of(attribute.name, hosts_of_page(text_of(attribute.value).encode()))
    return Fetch.of(attribute.name, _hosts(attribute, base))


def _hosts(attribute: Attribute, base: str | None) -> list[tuple[str, str]]:
    urls = _urls(attribute)
    return [(host, url_text(url)) for url in urls if (host := host_of(url, base)) is not None]


def _urls(attribute: Attribute) -> Iterable[bytes]:
    if attribute.name in _LISTS_OF_URLS:
        return urls_of_srcset(attribute.value)
    if attribute.name != b"values":
        return (attribute.value,)
    steps = text_of(attribute.value).split(";")
    return [step.replace("&", "&amp;").encode("utf-8", "replace") for step in steps]


def _is_fetching(name: bytes, attributes: list[Attribute]) -> bool:
    if name == b"link":
        rel = text_of(first_of(attributes, b"rel") or b"")
        return not _FETCHING_RELS.isdisjoint(rel.lower().encode().split())
    if name == b"input":
        return text_of(first_of(attributes, b"type") or b"").strip().lower() == "image"
    if name in _ANIMATIONS:
        animated = text_of(first_of(attributes, b"attributename") or b"")
        return animated.strip().lower() in {"href", "xlink:href"}
    return name != b"script" or script_kind(attributes) in {"", "module"}


def script_kind(attributes: list[Attribute]) -> str:
    """Return how a script is run: "" (classic), "module", or by a type that is no JavaScript.

    >>> script_kind([Attribute(b"type", 8, b" Text/JavaScript ")])
    ''
    """
    kind = text_of(first_of(attributes, b"type") or b"").strip().lower()
    return "" if _SCRIPT_TYPE.search(kind) and "json" not in kind else kind


def hosts_in_json(text: bytes) -> list[tuple[str, str]]:
    r"""Return (host, URL) for each string in a JSON text that names a host, as far as it reads.

    >>> hosts_in_json(b'{"imports": {"a": "https:\\/\\/x.example/a.js", "b": "./b.js"}}')
    [('x.example', 'https://x.example/a.js')]
    """
    return [
        (host, url)
        for found in _JSON_STRING.finditer(text)
        if (url := _from_json(found[0])) and (host := _host_of_text(url)) is not None
    ]


def _from_json(string: bytes) -> str:
    try:
        return str(json.loads(string, strict=False))
    except ValueError:
        return ""


def _host_of_text(url: str) -> str | None:
    return host_of(url.replace("&", "&amp;").encode("utf-8", "replace"))
