"""Which pages of a site are looked at, and in which order: as they are found, nearest first.

It has never heard of a request: texts and addresses go in, addresses come out.

A *page* is a whole address on the origin that the scan began with, as `address` writes it. A *site*
is wider: every host with the same registrable domain is of it (HTML 7.1.1, "same site", without
the scheme). What is refused is noted with its reason, so that a report can tell.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from html import unescape
from ipaddress import ip_address
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from consentkit.rules.hosts import is_at_or_below
from consentkit.wire.urls import host_of

if TYPE_CHECKING:
    from protego import Protego

__all__ = [
    "AGENT",
    "Frontier",
    "Limits",
    "Page",
    "Robots",
    "address",
    "origin_of",
    "page_name",
    "same_site",
    "sitemap_of",
]

AGENT: Final = "consentkit"
"""The product token that robots.txt may name."""
LONGEST_CRAWL_DELAY: Final = 10.0
"""Seconds; a longer Crawl-delay counts as this one."""
MOST_LEFT_OUT: Final = 1000
"""Pages that are noted as left out; the rest is counted."""
LONGEST_ADDRESS: Final = 2000
MOST_OF_ROBOTS: Final = 500 * 1024
"""Characters of a robots.txt that are read: what RFC 9309 2.5 asks for."""
MOST_RULES: Final = 5000
"""Lines of it that say something; each is held against each link."""

_PORTS: Final = {"http": 80, "https": 443}
_RESERVED: Final = frozenset({"test", "example", "invalid", "localhost", "local", "internal"})
_KEPT: Final = "-._~!$&'()*+,;=:@/%[]|"
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]")
_LOC: Final = re.compile(
    r"<loc\s*+>(?:\s*+<!\[CDATA\[([^\]<>]*+)\]\]>\s*+|([^<]*+))</loc\s*+>", re.IGNORECASE
)
_LEAVES: Final = re.compile(
    r"(?:^|[/?&=_.-])(?:log-?_?out|log-?_?off|sign-?_?out|sign-?_?off|abmelden|ausloggen"
    r"|deconnexion|se-deconnecter|cerrar-?sesion|uitloggen|afmelden|logga-?ut|odjava|wyloguj"
    r"|unsubscribe|delete|remove|add-to-cart|add_to_cart)(?:$|[/?&=_.;-])",
    re.IGNORECASE,
)
_FILES: Final = re.compile(
    r"\.(?:7z|apk|avi|avif|bmp|bz2|css|csv|deb|dmg|docx?|eot|epub|exe|gif|gz|ico|ics|iso|jar|jpe?g"
    r"|js|json|map|md5|mjs|mkv|mov|mp[34]|mpe?g|msi|od[pst]|ogg|otf|pdf|png|pptx?|rar|rpm|rss|rtf"
    r"|sig|svg|tar|tgz|tiff?|ttf|txt|wasm|wav|webm|webmanifest|webp|whl|woff2?|xlsx?|xml|xz|zip)$",
    re.IGNORECASE,
)


# --- Addresses and sites --------------------------------------------------------------------------


def address(href: str, base: str = "") -> str | None:
    """A link as a whole address in one spelling, None where no page is behind it.

    Only http and https. Without fragment and user name; the host in ASCII, no default port; dots in
    the path resolved; percent-encoding in upper case, and only where it is needed.

    >>> address("../b%2d%7e?x=\u00fc#top", "HTTP://Site.Example:80/a/c/d")
    'http://site.example/a/b-~?x=%C3%BC'
    >>> address("mailto:somebody@site.example") is None
    True
    """
    return _address(href, base) if len(href) <= LONGEST_ADDRESS else None


@lru_cache(maxsize=4096)  # a page's links are the same in every state
def _address(href: str, base: str) -> str | None:
    try:
        parts = urlsplit(urljoin(base, href.strip()))
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    host = _host(parts)
    if host is None or not host.strip("."):
        return None
    place = host if port in {None, _PORTS[parts.scheme]} else f"{host}:{port}"
    query = f"?{_spelled(parts.query, '?')}" if parts.query else ""
    whole = f"{parts.scheme}://{place}{_path(parts.path)}{query}"
    return whole if len(whole) <= LONGEST_ADDRESS else None


def _host(parts: SplitResult) -> str | None:
    netloc = parts.netloc.rpartition("@")[2]
    return host_of(f"//{netloc}".replace("&", "&amp;").encode("utf-8", "replace"))


def _path(path: str) -> str:
    """A path whose dots are resolved (RFC 3986 5.2.4)."""
    done: list[str] = []
    parts = _spelled(path, "").split("/")
    for part in parts:
        if part == "..":
            del done[-1:]
        elif part != ".":
            done.append(part)
    if parts[-1] in {".", ".."}:
        done.append("")
    whole = "/".join(done)
    return f"/{whole.lstrip('/')}"


def _spelled(text: str, also: str) -> str:
    """Percent-encoding as RFC 3986 6.2.2 has it; what stands bare and may not is encoded."""
    return _ESCAPE.sub(_escape, quote(text, safe=_KEPT + also, errors="replace"))


def _escape(found: re.Match[str]) -> str:
    if found[1] is None:
        return "%25"
    letter = chr(int(found[1], 16))
    return letter if _UNRESERVED.fullmatch(letter) else f"%{found[1].upper()}"


def origin_of(url: str) -> str:
    """The origin of an address: scheme, host and port.

    >>> origin_of("https://site.example/a?b")
    'https://site.example'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def page_name(url: str) -> str:
    """Path and query of an address, as reports name a page.

    >>> page_name("https://site.example/a?b")
    '/a?b'
    """
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@lru_cache(maxsize=4096)
def same_site(one: str, other: str) -> bool:
    """Tell whether two hosts belong to one site: they share the registrable domain.

    An address, and a name of one label, is a site of its own. Where the list of public suffixes is
    not installed, only a name and what stands below it are one site.

    >>> same_site("www.shop.example", "shop.example"), same_site("10.0.0.1", "10.0.0.2")
    (True, False)
    """
    if one == other:
        return True
    if _is_address(one) or _is_address(other):
        return False
    ends = one.rpartition(".")[2], other.rpartition(".")[2]
    if ends[0] != ends[1]:
        return False
    if ends[0] in _RESERVED:
        return _last_two(one) == _last_two(other) and "." in one
    suffixes = _suffixes()
    if suffixes is None:
        return is_at_or_below(one, other) or is_at_or_below(other, one)
    domain = suffixes.privatesuffix(one)
    return domain is not None and domain == suffixes.privatesuffix(other)


def is_public_suffix(host: str) -> bool:
    """Tell whether nobody owns a name: ``com``, ``co.uk``; no cookie may be set for it."""
    if _is_address(host):
        return False
    if "." not in host:
        return True
    suffixes = _suffixes()
    return suffixes is not None and suffixes.privatesuffix(host) is None


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _last_two(host: str) -> list[str]:
    return host.split(".")[-2:]


def is_this_machine(host: str) -> bool:
    """Tell whether a host is reached without leaving this machine."""
    name = host.strip("[]")
    if _is_address(name):
        return ip_address(name).is_loopback
    return name == "localhost" or name.endswith(".localhost")


@cache
def _suffixes() -> Any:  # noqa: ANN401 - PublicSuffixList, or None where it is not installed
    try:
        from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - 0.1 s to load
    except ImportError:
        return None
    return PublicSuffixList()


# --- What a site says of itself -------------------------------------------------------------------


class Robots:
    """What a robots.txt allows (RFC 9309), and the sitemaps that it names.

    None as text, or one of a site without: everything is allowed.
    """

    def __init__(self, text: str | None = None) -> None:
        self._rules = _read_robots(_some_of(text)) if text else None

    def allows(self, url: str) -> bool:
        """Tell whether the group for `consentkit`, or else for ``*``, lets it be fetched."""
        return self._rules is None or bool(self._rules.can_fetch(url, AGENT))

    @property
    def delay(self) -> float:
        """Its Crawl-delay in seconds, `LONGEST_CRAWL_DELAY` at most; 0.0 where it has none."""
        asked = self._rules.crawl_delay(AGENT) if self._rules else None
        return min(max(asked or 0.0, 0.0), LONGEST_CRAWL_DELAY)

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """The addresses of the sitemaps that it names."""
        return tuple(self._rules.sitemaps) if self._rules else ()


def _some_of(text: str) -> str:
    said = (line for line in text[:MOST_OF_ROBOTS].splitlines() if line.strip())
    return "\n".join(islice(said, MOST_RULES))


def _read_robots(text: str) -> Protego:
    from protego import Protego  # noqa: PLC0415 - it comes with the extra

    return Protego.parse(text)


class Sitemap(NamedTuple):
    """What a sitemap lists: pages, or where `is_index`, sitemaps."""

    is_index: bool
    addresses: tuple[str, ...]


def sitemap_of(text: str, most: int) -> Sitemap:
    """The first `most` addresses of a sitemap (sitemaps.org 0.9), an index of them, or a text file.

    It is read by pattern and not as XML, so no entity is ever expanded and no document type read.

    >>> sitemap_of("<urlset><url><loc> https://site.example/?a&amp;b </loc></url></urlset>", 9)
    Sitemap(is_index=False, addresses=('https://site.example/?a&b',))
    """
    if "<" not in text[:1000]:
        lines = (line.strip() for line in text.splitlines())
        return Sitemap(is_index=False, addresses=tuple([line for line in lines if line][:most]))
    found = (unescape((each[1] or each[2] or "").strip()) for each in _LOC.finditer(text))
    named = tuple(url for _, url in zip(range(most), filter(None, found), strict=False))
    return Sitemap(is_index="<sitemapindex" in text[:1000].lower(), addresses=named)


# --- The frontier ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a scan goes: `pages` in all, `depth` links from the first, `per_path` by query."""

    pages: int = 200
    depth: int = 8
    per_path: int = 10


class Page(NamedTuple):
    """A page to look at, and how many links it is away from where the scan began."""

    url: str
    depth: int


class Frontier:
    """The pages that wait, in the order in which they were found; none comes twice.

    `left_out` says of each page that is not looked at why.
    """

    def __init__(self, start: str, limits: Limits, robots: Robots | None = None) -> None:
        self.start = start
        self.left_out: dict[str, str] = {}
        self._limits, self._robots = limits, robots or Robots()
        self._origin = origin_of(start)
        self._waiting: deque[Page] = deque()
        self._known: set[str] = set()
        self._of_path: Counter[str] = Counter()
        self._kept_out = ""
        self._untold = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def accepted(self) -> int:
        """How many pages were taken in so far, the waiting ones among them."""
        return self._of_path.total()

    def next(self) -> Page | None:
        """The page that waits longest, None where none does."""
        return self._waiting.popleft() if self._waiting else None

    def take(self, links: Iterable[str], depth: int) -> list[str]:
        """Take in what is new of some links (whole addresses), and return it."""
        return [url for link in links if (url := self._taken(link, depth)) is not None]

    def keep_out(self, url: str) -> None:
        """Take in nothing at or below an address from now on.

        One that the first page is at or below keeps nothing out: the site would be unseen.
        """
        if not _is_below(self.start, url):
            self._kept_out = url

    def restore(self, urls: Sequence[str], depth: int) -> None:
        """Take in what an earlier scan took in, without asking again."""
        for url in urls:
            self._admit(url, depth)

    def leave_out(self, url: str, why: str) -> None:
        """Note why a page is not looked at; the first reason stays."""
        name = page_name(url)
        if name in self.left_out:
            return
        if len(self.left_out) < MOST_LEFT_OUT:
            self.left_out[name] = why
        else:
            self._untold += 1

    def leave_rest_out(self, why: str) -> None:
        """Note of every page that still waits why it is not looked at."""
        while (page := self.next()) is not None:
            self.leave_out(page.url, why)

    @property
    def told(self) -> dict[str, str]:
        """What was left out; where it was more than can be told, the number of the rest too."""
        more = {"…": f"and {self._untold} more"} if self._untold else {}
        return {**self.left_out, **more}

    def _taken(self, link: str, depth: int) -> str | None:
        url = address(link)
        if url is None or url in self._known or origin_of(url) != self._origin:
            return None
        if len(self._known) < 50 * self._limits.pages + MOST_LEFT_OUT:  # its memory has an end
            self._known.add(url)
        why = next(self._against(url, depth), None)
        if why is not None:
            self.leave_out(url, why)
            return None
        self._admit(url, depth)
        return url

    def _admit(self, url: str, depth: int) -> None:
        self._known.add(url)
        self._of_path[urlsplit(url).path] += 1
        self._waiting.append(Page(url, depth))

    def _against(self, url: str, depth: int) -> Iterator[str]:
        parts = urlsplit(url)
        if self._kept_out and _is_below(url, self._kept_out):
            yield "a page of consentkit's own, as the site says"
        if _LEAVES.search(page_name(url)):
            yield "it may sign out or change something"
        if _FILES.search(parts.path):
            yield "a file, no page"
        if not self._robots.allows(url):
            yield "robots.txt asks to leave it alone"
        if depth > self._limits.depth:
            yield f"more than {self._limits.depth} links away from the first page"
        if self._of_path[parts.path] >= self._limits.per_path:
            yield f"{self._limits.per_path} pages of this path, with other queries, are enough"
        if _repeats(parts.path):
            yield "its path repeats itself: it may be without end"
        if self.accepted >= self._limits.pages:
            yield f"{self._limits.pages} pages are enough"


def _is_below(url: str, place: str) -> bool:
    """Tell whether an address is another one, whatever its query, or stands below it."""
    return f"{url.partition('?')[0]}/".startswith(f"{place.rstrip('/')}/")


def _repeats(path: str) -> bool:
    """Tell whether a folder stands in a path for the fourth time."""
    return any(times > 3 for part, times in Counter(path.split("/")).items() if part)
