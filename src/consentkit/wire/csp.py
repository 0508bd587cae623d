"""Content-Security-Policy: what a page's policies let through, and how they are tightened.

It has never heard of why a host may not load: a function of the host tells it.

Policies are read as Content Security Policy Level 3 reads them (§2.2, matching in §6.7.2): several
headers and comma-separated lists hold policies of their own, all of which must agree; within one
the first directive of a name counts; a directive that is missing falls back to another, in the end
to ``default-src``. What is not changed is printed byte for byte.

A policy can only list what may load, so nothing can be subtracted from ``*``, ``https:`` or
``*.example``. Where hosts that nobody names are blocked anyway, such a source is replaced by those
it covers that may load; elsewhere it stays, and `wide_sources` tells of it. Scripts that carry the
page's nonce load from any host, whatever hosts a policy lists.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from consentkit.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "Sources",
    "built",
    "has_meta_policy",
    "nonce_of",
    "own_source",
    "tightened",
    "wide_sources",
]

_FETCHING: Final = frozenset(
    {
        b"child-src",
        b"connect-src",
        b"default-src",
        b"fenced-frame-src",
        b"font-src",
        b"frame-src",
        b"img-src",
        b"manifest-src",
        b"media-src",
        b"object-src",
        b"prefetch-src",
        b"script-src",
        b"script-src-elem",
        b"style-src",
        b"style-src-elem",
        b"worker-src",
    }
)
"""Directives that list hosts to fetch from (§6.1). The ``-attr`` ones judge inline code alone."""

_SCRIPT: Final = (b"script-src-elem", b"script-src", b"default-src")
_STYLE: Final = (b"style-src-elem", b"style-src", b"default-src")
_CONNECT: Final = (b"connect-src", b"default-src")
_FORM: Final = (b"form-action",)
_OPENS_SOCKETS: Final = _CONNECT

_SPACE: Final = b"\t\n\x0c\r "
_NAME: Final = re.compile(rb"[\t\n\f\r ]*+([^\t\n\f\r ]++)")
_TOKEN: Final = re.compile(rb"[\t\n\f\r ]++([^\t\n\f\r ]++)")
_HOST: Final = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_HOST_SOURCE: Final = re.compile(
    rb"((?:[a-z][a-z0-9+.-]*+://)?)"  # scheme
    rb"(?:(\*)|((?:\*\.)?[a-z0-9_-]++(?:\.[a-z0-9_-]++)*+)\.?)"  # host
    rb"((?::(?:[0-9]++|\*))?(?:[/?#].*)?)",  # port and path
    re.IGNORECASE,
)
_WIDE_SCHEME: Final = re.compile(rb"(?:https?|wss?):", re.IGNORECASE)
_NONCE: Final = re.compile(rb"'nonce-([a-z0-9+/_-]++={0,2})'", re.IGNORECASE)
_OWN_HOST: Final = re.compile(rb"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::[0-9]{1,5})?", re.IGNORECASE)
_META: Final = re.compile(
    rb"http-equiv[\t\n\f\r ]*+=[\t\n\f\r ]*+[\"']?[\t\n\f\r ]*+content-security-policy\b",
    re.IGNORECASE,
)
_LONGEST_KNOWN: Final = 4096
_MASK: Final = b"'nonce-0'"


def own_source(host: bytes, path: str) -> bytes | None:
    """The source of what the site serves under `path` (``/notices``) at `host`, without a scheme.

    `host` is a Host header: name and port. None for a host that no policy can name: an IPv6
    address, or what is no host at all (§2.3.1).

    >>> own_source(b"www.example.org:8000", "/a/b")
    b'www.example.org:8000/a/b'
    """
    if not _OWN_HOST.fullmatch(host):
        return None
    return host.lower() + quote(path, safe="/-._~").encode("ascii")


class Sources:
    """From where the page of one site may fetch, as far as is known: what a policy is held to.

    `own` is the source of our endpoint (`own_source`), below which our assets stand; None where
    there is nothing to let through. `hosts` are all host patterns that are known, the site's own
    among them, lower-case: ``example.org``, or ``*.example.org`` for all hosts below it.
    `is_blocked` tells of a host whether it may not load, of ``*.example.org`` whether a host below
    it may not that nobody names, and of ``*`` whether hosts that nobody names may not at all.
    `types` is the name of our Trusted Types policy.

    One is made for all who see the same: it remembers the values that were tightened.
    """

    __slots__ = ("_allowed", "_blocked", "_is_blocked", "_is_strict", "known", "own", "types")

    def __init__(
        self,
        own: bytes | None,
        hosts: Iterable[str],
        is_blocked: Callable[[str], bool],
        types: bytes = b"",
    ) -> None:
        """Sort the patterns; nothing is asked of `is_blocked` twice for these."""
        self.own, self.types = own, types
        self._is_blocked = is_blocked
        self._is_strict = is_blocked("*")
        self.known: Memory[bytes, bytes] = Memory(64, 1 << 16)
        nameable = [host for host in dict.fromkeys(hosts) if _HOST.fullmatch(host)]
        may_load = {host: not is_blocked(host) for host in nameable}
        self._blocked = [host for host in nameable if not may_load[host]]
        self._allowed = [
            host for host in nameable if may_load[host] and not self._covers_blocked(host)
        ]

    def _covers_blocked(self, pattern: str) -> bool:
        return pattern[0] == "*" and any(_is_below(host, pattern) for host in self._blocked)

    def _left_of(self, pattern: str) -> Sequence[str]:
        """Of the hosts that a pattern covers those that may load, as patterns."""
        must_go = self._is_blocked(pattern)
        if not must_go and not (self._is_strict and self._covers_blocked(pattern)):
            return (pattern,)
        return [host for host in self._allowed if _is_below(host, pattern)]

    def printed(self, scheme: bytes = b"", port: bytes = b":*") -> list[bytes]:
        """The hosts that may load, as sources."""
        return [b"%b%b%b" % (scheme, host.encode("ascii"), port) for host in self._allowed]

    def left_of(self, source: bytes, *, opens_sockets: bool = False) -> bytes:
        """What stands for one source expression: itself, narrower ones, or nothing (b"").

        `opens_sockets`: where ``*`` is replaced, WebSockets to the same hosts stay allowed.
        """
        parts = _parts(source)
        if parts is None:
            return source
        scheme, pattern, rest = parts
        left = self._left_of(pattern)
        if pattern in left:
            return source
        printed = [b"%b%b%b" % (scheme, host.encode("ascii"), rest) for host in left]
        if source == b"*":
            printed.insert(0, b"'self'")
            printed += self.printed(b"wss://") if opens_sockets else ()
        return b" ".join(printed)

    def is_wide(self, source: bytes) -> bool:
        """True for a source that stays although it lets hosts through that may not load."""
        parts = _parts(source)
        if parts is None:
            return False
        pattern = parts[1]
        return self._covers_blocked(pattern) and pattern in self._left_of(pattern)


def _parts(source: bytes) -> tuple[bytes, str, bytes] | None:
    """The scheme, the host pattern and the rest of a source; None if it names no hosts."""
    if source == b"*":
        return b"", "*", b":*"  # alone it stands for every port too (§6.7.2.8)
    if _WIDE_SCHEME.fullmatch(source):
        return source + b"//", "*", b":*"
    found = _HOST_SOURCE.fullmatch(source)
    if found is None:
        return None
    scheme, everything, host, rest = found.groups()
    return scheme, (everything or host).decode("ascii").lower(), rest


def _is_below(pattern: str, wildcard: str) -> bool:
    """True if a wildcard, ``*.example`` or ``*``, covers all that another pattern covers."""
    return wildcard[0] == "*" and pattern != wildcard and pattern.endswith(wildcard[1:])


def tightened(value: bytes, sources: Sources) -> bytes:
    """A Content-Security-Policy value that no longer lists what may not load.

    Report-only ones are tightened alike. A directive from which everything is taken says
    ``'none'``: without it, it would fall back to another. Our own assets, endpoint and Trusted
    Types policy are let through where they would not pass, and nothing else is.
    """
    nonces = {found.group() for found in _NONCE.finditer(value)}
    nonce = nonces.pop() if nonces else _MASK
    if nonces or len(value) > _LONGEST_KNOWN:
        return _tightened(value, sources)
    key = value.replace(nonce, _MASK)  # a nonce is another one in every response
    found = sources.known.get(key)
    if found is None:
        found = _tightened(key, sources)
        sources.known.put(key, found, len(key) + len(found))
    return found.replace(_MASK, nonce)


def _tightened(value: bytes, sources: Sources) -> bytes:
    return b",".join(_tightened_policy(policy, sources) for policy in value.split(b","))


def _tightened_policy(policy: bytes, sources: Sources) -> bytes:
    directives = [_tightened_directive(text, sources) for text in policy.split(b";")]
    if sources.own is not None:
        below = sources.own + b"/"
        _let_through(directives, _SCRIPT, (below,))
        _let_through(directives, _STYLE, (below,))
        _let_through(directives, _CONNECT, (sources.own, below))
        _let_through(directives, _FORM, (sources.own,))
    return b";".join(directives)


def _tightened_directive(text: bytes, sources: Sources) -> bytes:
    named = _NAME.match(text)
    if named is None:
        return text
    name, end = named.group(1).lower(), named.end()
    if name == b"trusted-types" and sources.types:
        return text[:end] + _with_types(text[end:], sources.types)
    if name not in _FETCHING:
        return text
    return text[:end] + _narrowed(text[end:], sources, opens_sockets=name in _OPENS_SOCKETS)


def _narrowed(listed: bytes, sources: Sources, *, opens_sockets: bool) -> bytes:
    there = set(listed.split())

    def narrow(token: re.Match[bytes]) -> bytes:
        source = token.group(1)
        left = sources.left_of(source, opens_sockets=opens_sockets)
        if left == source:
            return token.group()
        new = [other for other in left.split() if other not in there]
        there.update(new)
        return b"".join(b" " + other for other in new)

    left = _TOKEN.sub(narrow, listed)
    return left if left == listed or left.strip(_SPACE) else b" 'none'"


def _with_types(listed: bytes, name: bytes) -> bytes:
    """The names of Trusted Types policies, with ours."""
    tokens = listed.split()
    if b"*" in tokens or name in tokens:
        return listed
    return _added(listed, (name,))


def _added(listed: bytes, sources: Sequence[bytes]) -> bytes:
    """A list with more in it; ``'none'`` counts only where it stands alone, so it goes."""
    there = _TOKEN.sub(_nothing_for_none, listed).rstrip(_SPACE)
    return b" ".join([there, *sources])


def _nothing_for_none(token: re.Match[bytes]) -> bytes:
    return b"" if token.group(1).lower() == b"'none'" else token.group()


def _let_through(directives: list[bytes], chain: Sequence[bytes], sources: Sequence[bytes]) -> None:
    """Add the sources to the first directive of a fall-back chain that a policy has.

    ``default-src`` is not widened: the directive that fell back to it is added, as a copy. Under
    ``'strict-dynamic'`` no host counts for scripts (§6.7.1.1), and the nonce has to do.
    """
    at = _place_of(directives, chain)
    if at is None:
        return
    name, listed = _split(directives[at])
    ignored = chain is _SCRIPT and b"'strict-dynamic'" in listed.lower()
    missing = [] if ignored else [source for source in sources if not _passes(source, listed)]
    if not missing:
        return
    added = _added(listed, missing)
    if _name_of(name) != b"default-src":
        directives[at] = name + added
        return
    end = len(directives) if directives[-1].strip(_SPACE) else len(directives) - 1
    directives.insert(end, b" " + chain[-2] + added)


def _place_of(directives: Sequence[bytes], chain: Sequence[bytes]) -> int | None:
    """Where the directive stands that counts; the first of a name does (§2.2.1)."""
    places: dict[bytes, int] = {}
    for at, text in enumerate(directives):
        if text.isascii():  # others are ignored
            places.setdefault(_name_of(text), at)
    return next((places[name] for name in chain if name in places), None)


def _split(directive: bytes) -> tuple[bytes, bytes]:
    """A directive's name with what stands before it, and the rest."""
    named = _NAME.match(directive)
    end = named.end() if named is not None else len(directive)
    return directive[:end], directive[end:]


def _name_of(directive: bytes) -> bytes:
    first = directive.split(None, 1)
    return first[0].lower() if first else b""


def _passes(own: bytes, listed: bytes) -> bool:
    """True if a list lets a source of ours through, as far as is seen at a glance."""
    reasons = (own, own.partition(b"/")[0], b"*")
    return any(token in reasons or token.lower() == b"'self'" for token in listed.split())


def wide_sources(value: bytes, sources: Sources) -> tuple[bytes, ...]:
    """The sources of a tightened value that still let hosts through that may not load.

    Each once, as it is written; empty where hosts that nobody names are blocked.
    """
    found = (
        token.group(1)
        for policy in value.split(b",")
        for text in policy.split(b";")
        if _name_of(text) in _FETCHING
        for token in _TOKEN.finditer(_split(text)[1])
    )
    return tuple(dict.fromkeys(source for source in found if sources.is_wide(source)))


def built(sources: Sources, nonce: bytes | None = None) -> bytes:
    """A policy for a page whose app sends none: the site itself, and the hosts that may load.

    Hosts that nobody names are not among them, so where those may load this fits a report-only
    header alone. Inline code runs with `nonce`, or not at all.
    """
    hosts = sources.printed()
    nonces = [b"'nonce-%b'" % nonce] if nonce else []
    everything = [b"'self'", b"data:", b"blob:", *hosts]
    policy = (
        (b"default-src", *everything),
        (b"script-src", b"'self'", *hosts, *nonces),
        (b"style-src", b"'self'", *hosts, *nonces),
        (b"connect-src", *everything, *sources.printed(b"wss://")),
        (b"worker-src", b"'self'", b"blob:", *hosts),
    )
    return b"; ".join(b" ".join(directive) for directive in policy)


def nonce_of(values: Iterable[bytes]) -> bytes | None:
    """The nonce with which a script runs under all the enforced policies of a page, if one does.

    `values` are the page's Content-Security-Policy headers. The nonce is safe within quotes.

    >>> nonce_of([b"default-src 'self'; script-src 'nonce-q1w2' 'strict-dynamic'"])
    b'q1w2'
    """
    listed = [
        nonces for value in values for policy in value.split(b",") if (nonces := _nonces(policy))
    ]
    for nonce in listed[0] if listed else ():
        if all(nonce in others for others in listed):
            return nonce
    return None


def _nonces(policy: bytes) -> list[bytes]:
    if not _NONCE.search(policy):
        return []
    directives = policy.split(b";")
    at = _place_of(directives, _SCRIPT)
    tokens = [] if at is None else _split(directives[at])[1].split()
    return [found.group(1) for token in tokens if (found := _NONCE.fullmatch(token))]


def has_meta_policy(head: bytes) -> bool:
    """True if markup seems to hold a policy of its own (``<meta http-equiv=…>``), for a log line.

    Such a policy counts beside those of the headers, and nobody tightens it.
    """
    return _META.search(head) is not None
