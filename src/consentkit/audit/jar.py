"""A browser's jar: what a Set-Cookie of a response stores, and what goes back to an address.

It has never heard of a request, nor of who looks: a Set-Cookie, an address and the time go in,
cookies come out, as RFC 6265bis has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from consentkit.audit.frontier import is_public_suffix, is_this_machine
from consentkit.wire.cookies import SetCookie, default_path, parse_set_cookie

__all__ = ["Jar", "Kept"]

MOST_COOKIES: Final = 1000
"""In one jar; browsers keep fewer for a site."""


class Kept(NamedTuple):
    """A cookie in the jar: since when, in `order`, and till when; None where the session ends it.

    `lifetime` is in seconds, from when it was stored; `expires` is a time of the jar's clock.
    """

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

    def __init__(self, kept: Mapping[tuple[bytes, str, str, bool], Kept] | None = None) -> None:
        self._kept = dict(kept or {})
        self._order = len(self._kept)

    def copy(self) -> Jar:
        """Another with the same cookies."""
        return Jar(self._kept)

    def store(self, raw: bytes, url: str, now: float, there: float | None = None) -> Kept | None:
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
        kept = Kept(cookie, key[1], key[2], host_only, expires, order, lifetime)
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
