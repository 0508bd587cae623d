"""Which declared host covers this host? Exact names, and ``*.example.com`` for all below one.

It has never heard of URLs, or of what is declared: it finds one thing by one host.

An exact host beats a pattern, and of several patterns the longest wins. ``*.example.com`` covers
what is below example.com, and not itself, as in a Content-Security-Policy (CSP3 §6.7.2.8). A
look-up tries one dict entry for each label of the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LONGEST_HOST", "HostIndex", "is_at_or_below", "plain_host"]

T = TypeVar("T")

LONGEST_HOST: Final = 253
"""Characters of a host name (RFC 1123 §2.1 with RFC 1035 §3.1)."""


class HostIndex(Generic[T]):
    """Finds what covers a host. Of two entries for one host the first counts.

    >>> index = HostIndex({"example.com": 1, "*.example.com": 2, "*.maps.example.com": 3})
    >>> [index.find(host) for host in ("example.com", "a.example.com", "a.maps.example.com")]
    [1, 2, 3]
    >>> index.find("example.com.evil.test")
    """

    def __init__(self, entries: Mapping[str, T]) -> None:
        """File `entries` by host or pattern; letter case and a dot at the end mean nothing."""
        self._exact: dict[str, T] = {}
        self._below: dict[str, T] = {}
        for host, entry in entries.items():
            name = plain_host(host)
            if name.startswith("*."):
                self._below.setdefault(name[2:], entry)
            else:
                self._exact.setdefault(name, entry)

    def find(self, host: str) -> T | None:
        """What covers `host`, or None. Any text may be asked for."""
        name = plain_host(host)
        if len(name) > LONGEST_HOST:
            return None
        if name in self._exact:
            return self._exact[name]
        above = name.partition(".")[2] if self._below else ""
        while above:
            if above in self._below:
                return self._below[above]
            above = above.partition(".")[2]
        return None


def plain_host(host: str) -> str:
    """A host as it is compared: in small letters, without the dot at its end."""
    return host.lower().removesuffix(".")


def is_at_or_below(host: str, domain: str) -> bool:
    """True for a domain and its sub-domains, both as `plain_host` gives them.

    >>> [is_at_or_below(host, "b.test") for host in ("b.test", "a.b.test", "ab.test")]
    [True, True, False]
    """
    return host == domain or host.endswith(f".{domain}")
