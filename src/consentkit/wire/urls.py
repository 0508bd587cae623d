"""The host behind an address that stands in a page's markup.

It has never heard of who may be asked: an attribute's bytes go in, the name of a host comes out.

Addresses are read as browsers read them, not as RFC 3986 has them: by the URL Standard (4.4, basic
URL parser), after the references of the HTML standard (13.2.5.73) are resolved. What a browser
refuses to fetch has no host.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from html import unescape
from html.entities import html5
from typing import Final
from urllib.parse import unquote

__all__ = [
    "host_of",
    "hosts_of_srcset",
    "may_name_a_host",
    "text_of",
    "unread_host",
    "url_text",
    "urls_of_srcset",
]

# An address as it is mostly written. Its last label begins with a letter: it is no IPv4 number.
_ORDINARY: Final = re.compile(
    rb"[\t\n\f\r ]*+(?:https?+:)?+//((?:[a-z0-9](?:[a-z0-9-]*+)\.)++[a-z][a-z0-9-]*+)(?=[/?#]|\Z)"
)
# One of these stands in every address that names a host; each is sought by its first byte.
_TWO_SLASHES_IN_BYTES: Final = re.compile(rb"/(?=[/\t\n\r])")
_END_OF_SCHEME: Final = re.compile(rb":(?<=[pPsS\t\n\r]:)")
_TELLING_REFERENCE: Final = re.compile(rb"&(?:amp;)?+(?:#|b?sol;|colon;|Tab;|NewLine;|amp;)")
_PUNYCODE: Final = "xn--"
_REFERENCE: Final = re.compile(r"&(?:#[0-9]++;?+|#[xX][0-9a-fA-F]++;?+|[A-Za-z][A-Za-z0-9]*+[;=]?)")
_CONTROLS_AND_SPACE: Final = "".join(map(chr, range(33)))
_TAB_AND_NEWLINES: Final = str.maketrans("", "", "\t\n\r")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*+):")
_SPECIAL: Final = frozenset({"http", "https", "ftp", "ws", "wss"})
_AUTHORITY: Final = re.compile(r"[/\\]*+([^/\\?#]*+)")
_TWO_SLASHES: Final = re.compile(r"[/\\]{2}")
_PORT: Final = re.compile(r":[^:\]]*+\Z")
# UTS 46 maps these away; of what it maps besides, NFKC and lower case do what hosts need.
_IGNORED_IN_HOSTS: Final = {0x3002: "."} | dict.fromkeys(
    (
        0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x200B, 0x200E,
        0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10),
        0xFEFF, 0xFFA0, *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)
    )
)  # fmt: skip
_JOINERS: Final = dict.fromkeys((0x200C, 0x200D))  # of letters that are not ASCII
_FORBIDDEN_IN_HOSTS: Final = re.compile(r"[\0-\x20\"#%/:<>?@\[\\\]^`{|}\x7f]")
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*+\Z|[0-9]++\Z")
_IPV4: Final = 1 << 32
_LONGEST_HOST: Final = 1024  # DNS ends at 253 bytes; longer names are in nobody's reach
_LONGEST_UNREAD: Final = 64
_NOT_UTF_8: Final = "\ufffd"
_SPACES_AND_COMMAS: Final = re.compile(rb"[\t\n\f\r ,]*+")
_NO_SPACES: Final = re.compile(rb"[^\t\n\f\r ]++")
_DESCRIPTORS: Final = re.compile(rb"(?:[^(,]|\([^)]*+(?:\)|\Z))*+,?+")


def host_of(value: bytes, base: str | None = None) -> str | None:
    r"""Return the host that an attribute's URL is fetched from.

    `value` are the bytes as they stand in the page, references and all. The host is lower-case
    ASCII (punycode), without port, user name or a dot at its end; an IPv6 address keeps its
    brackets. None: no host is named, or the address is none that is fetched (`data:`, `about:`, a
    fragment …). `base` is the host of relative addresses, where `<base href>` names another one.
    For a host that cannot be read, in another charset than UTF-8 or too long, a text stands in that
    is nobody's host: it ends in "?".

        >>> host_of(b"https://user@CDN.Example:8443/lib.js")
        'cdn.example'
        >>> host_of(b"/lib.js?from=//cdn.example"), host_of(b"/lib.js", "cdn.example")
        (None, 'cdn.example')
        >>> host_of(b"\\/&#47;cdn.exa\nmple"), host_of("//b\u00fccher.example".encode())
        ('cdn.example', 'xn--bcher-kva.example')
    """
    if found := _ORDINARY.match(value):
        return found[1].decode("ascii")
    text = url_text(value).translate(_TAB_AND_NEWLINES)
    if scheme := _SCHEME.match(text):
        if scheme[1].lower() not in _SPECIAL:
            return None
        return _host_in(text, scheme.end())
    return _host_in(text, 0) if _TWO_SLASHES.match(text) else base


def may_name_a_host(text: bytes) -> bool:
    """Tell whether any part of a text can be an address with a host; a quick look at the whole.

    >>> may_name_a_host(b'<a href="/a">'), may_name_a_host(b'<a href="//x.example">')
    (False, True)
    """
    return (
        _TWO_SLASHES_IN_BYTES.search(text) is not None
        or b"\\" in text
        or _END_OF_SCHEME.search(text) is not None
        or (b"&" in text and _TELLING_REFERENCE.search(text) is not None)
    )


def hosts_of_srcset(value: bytes, base: str | None = None) -> tuple[str, ...]:
    """Return the hosts of all candidates in a `srcset`, each once, in order (HTML 4.8.4.3.9).

    >>> hosts_of_srcset(b"a.png, //x.example/b.png 2x,//x.example/c.png 3x")
    ('x.example',)
    """
    hosts = (host_of(url, base) for url in urls_of_srcset(value))
    return tuple(dict.fromkeys(host for host in hosts if host is not None))


def urls_of_srcset(value: bytes) -> tuple[bytes, ...]:
    """Return the addresses of a `srcset`, as bytes in which references are resolved.

    >>> urls_of_srcset(b"a.png, b.png 2x, data:image/png,x 3x")
    (b'a.png', b'b.png', b'data:image/png,x')
    """
    text = text_of(value).encode() if b"&" in value else value
    urls, at = [], 0
    while found := _NO_SPACES.match(text, _after(_SPACES_AND_COMMAS, text, at)):
        url = found[0].rstrip(b",")
        urls.append(url)
        at = found.end() if url != found[0] else _after(_DESCRIPTORS, text, found.end())
    return tuple(url.replace(b"&", b"&amp;") for url in urls)


def url_text(value: bytes) -> str:
    """Return an attribute's URL as text: references resolved, trimmed as browsers trim it.

    >>> url_text(b" https://x.example/?a=1&amp;b=2 ")
    'https://x.example/?a=1&b=2'
    """
    return text_of(value).strip(_CONTROLS_AND_SPACE)


def text_of(value: bytes) -> str:
    """Return an attribute's value as text, its references resolved as in an attribute.

    There, `&copy=1` stays as it is: a name without its semicolon is none before "=" or a letter.
    """
    text = value.decode("utf-8", "replace")
    return _REFERENCE.sub(_resolved, text) if "&" in text else text


def _resolved(found: re.Match[str]) -> str:
    reference = found[0]
    if reference[1] == "#":
        return unescape(reference)
    return html5.get(reference[1:], reference)


def _after(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _host_in(text: str, at: int) -> str | None:
    """Read from "authority state" on: slashes, user, host, port."""
    found = _AUTHORITY.match(text, at)
    authority = found[1] if found else ""
    host = _PORT.sub("", authority.rpartition("@")[2])
    if _NOT_UTF_8 in authority:  # its second byte may be what looks like "@", "[" or "|"
        return unread_host(authority)
    if host.startswith("["):
        return _ipv6(host)
    return _domain(unquote(host, errors="replace"))


def unread_host(text: str) -> str:
    """Return what stands in for a host that cannot be read: no policy declares it.

    >>> unread_host("A" * 100) == "a" * 64 + "?"
    True
    """
    return ascii(text[:_LONGEST_UNREAD])[1:-1].lower()[:_LONGEST_UNREAD] + "?"


def _ipv6(host: str) -> str | None:
    try:
        return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]" if host[-1] == "]" else None
    except ValueError:
        return None


def _domain(host: str) -> str | None:
    """Map a host as "domain to ASCII" does (URL 3.3)."""
    if not host.isascii():
        host = host.translate(_IGNORED_IN_HOSTS)
        if len(host) > _LONGEST_HOST:
            host = host.translate(_JOINERS)
        if len(host) <= _LONGEST_HOST:  # in longer ones NFKC may take its time
            host = unicodedata.normalize("NFKC", host).translate(_IGNORED_IN_HOSTS)
    if len(host) > _LONGEST_HOST:
        return unread_host(host)
    host = host.lower().removesuffix(".")
    if not host.isascii():
        host = ".".join(map(_label, host.split(".")))
    if not host or _FORBIDDEN_IN_HOSTS.search(host):
        return None
    return _ipv4(host) if _NUMBER.match(host.rpartition(".")[2]) else host


def _label(label: str) -> str:
    if (plain := label.translate(_JOINERS)).isascii():
        return plain
    return _PUNYCODE + label.encode("punycode").decode("ascii")


def _ipv4(host: str) -> str | None:
    """Read a host whose last label is a number (URL 3.5, IPv4 parser): 0x7f.1 is 127.0.0.1."""
    labels = host.split(".")
    if len(labels) > 4 or not all(map(_NUMBER.match, labels)):
        return None
    try:
        *first, last = map(_number, labels)
    except ValueError:
        return None
    if last >= _IPV4 >> 8 * len(first) or any(number > 255 for number in first):
        return None
    bits = sum(number << 8 * (3 - place) for place, number in enumerate(first)) + last
    return str(ipaddress.IPv4Address(bits))


def _number(label: str) -> int:
    if label[:2] in {"0x", "0X"}:
        return int(label[2:] or "0", 16)
    return int(label, 8 if label[0] == "0" else 10)
