"""What stands in a page: its links, what its tags would fetch, and consentkit's own notice in it.

It has never heard of a network or of a cookie: the bytes of a page and its address go in, values
come out. No script is run, and any bytes can be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Final
from urllib.parse import urljoin, urlsplit

from consentkit.audit.frontier import address
from consentkit.audit.seen import SeenRequest
from consentkit.audit.sheets import PAINTED, fetched_by
from consentkit.wire.fetching import attributes_of, first_of
from consentkit.wire.gate import Gate, Tag
from consentkit.wire.html import COMMENT, NAME_ENDS, REST_OF_TAG, names_of
from consentkit.wire.urls import host_of, text_of, url_text

__all__ = ["Form", "PageRead", "led_to", "read_page"]

MOST_LINKS: Final = 2000
"""Of one page."""
_LINKING: Final = {b"a": b"href", b"area": b"href", b"iframe": b"src", b"frame": b"src"}
_KINDS: Final = {
    b"script": "script", b"img": "image", b"image": "image", b"input": "image",
    b"iframe": "frame", b"frame": "frame", b"video": "media", b"audio": "media", b"track": "media",
}  # fmt: skip
_KINDS_OF_LINKS: Final = {"stylesheet": "stylesheet", "icon": "image", "modulepreload": "script"}
_RAW: Final = {
    name: re.compile(rb"</(?i:" + name + rb")" + NAME_ENDS)
    for name in names_of("script style textarea title template iframe xmp noembed noframes")
}
_READ: Final = frozenset(
    {*_LINKING} | names_of("html base title section script form button input meta")
)
_STYLED: Final = re.compile(rb"(?i:style)|(?i:url)\(|\\")
"""What stands in every tag that has an attribute with CSS in it."""
_WITH_CSS: Final = PAINTED | {b"style"}
_REFRESH: Final = re.compile(
    r"""\s*+[0-9.]*+[\s;,]*+(?:url\s*+=\s*+)?+(?:"([^"]*+)|'([^']*+)|(.++))""",
    re.IGNORECASE | re.DOTALL,
)
"""Where a page leads to by itself (HTML 4.2.5.3, shared declarative refresh steps)."""
_DEEPEST_PAGE: Final = 2
"""Documents in an iframe's attribute, one in another, that are looked into."""
_TOLD: Final = re.compile(
    rb"<(?:" + COMMENT + rb"|!--.*|(/?)([a-zA-Z][^\t\n\f\r />]*+))", re.DOTALL
)
"""A comment, or how a tag begins."""
_REST_OF_TAG: Final = re.compile(REST_OF_TAG % {b"skip": b""})
_IN_TEMPLATE: Final = re.compile(
    rb"<(?:" + COMMENT + rb"|!--.*|(/?)(?i:template)" + NAME_ENDS + rb")", re.DOTALL
)
_SETTINGS: Final = frozenset({b"consentkit-more", b"consentkit-link"})
_TAGS: Final = re.compile(rb"<[^>]*+>")


@dataclass(slots=True)
class PageRead:
    """What stands in a page: whole links, requests to other hosts, and consentkit's own notice.

    `forms` are those that offer choices, `settings` the first link to the preferences and its
    words, `endpoint` where consentkit's script says that the endpoints are. `styles` is what CSS in
    the page fetches: host, path and what as; `leads_to` where the page leads to by itself.
    """

    title: str = ""
    language: str = ""
    links: list[str] = field(default_factory=list)
    requests: list[SeenRequest] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    settings: tuple[str, str] | None = None
    endpoint: str | None = None
    styles: list[tuple[str, str, str]] = field(default_factory=list)
    leads_to: str | None = None

    def form_for(self, choices: Sequence[str]) -> Form | None:
        """The first form that offers one of some choices, the first choice first."""
        return next((f for choice in choices for f in self.forms if choice in f.choices), None)


@dataclass(slots=True)
class Form:
    """A form of consentkit's: where it goes, what it carries, and its buttons' words by choice."""

    action: str
    in_notice: bool
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)


def read_page(body: bytes, url: str, is_own: Callable[[str], bool], depth: int = 0) -> PageRead:
    """Read what a page links to, what its tags would fetch, and the notice in it.

    `is_own` tells of a host whether it is of the site. What stands in a `<template>` is no part of
    the page; what stands in a `<noscript>` is, since no script is run here. `depth` is the number
    of pages around this one.
    """
    reading, at, live, seen_to = _Reading(body, url, depth), 0, list[bytes](), 0
    endless: set[bytes] = set()
    while (found := _TOLD.search(body, at)) is not None:
        at, name = found.end(), (found[2] or b"").lower()
        if not name:
            continue
        rest = _REST_OF_TAG.match(body, at)
        if rest is None:  # it runs to the end of the page, and is none then
            break
        at, tag = rest.end(), body[found.start() : rest.end()]
        if found[1]:
            reading.end(name)
            continue
        reading.start(name, tag, at)
        if name == b"template":
            if _is_shown(tag):
                continue
            live.append(body[seen_to:at])
            seen_to = at = _end_of_template(body, at)
        elif name in _RAW and name not in endless:
            end = _RAW[name].search(body, at)
            if end is None and name == b"title":  # a picture's, whose text is no raw text
                endless.add(name)
            else:
                at = end.start() if end else len(body)
    live.append(body[seen_to:])
    if not depth:
        reading.page.requests = _requests(b"".join(live), url, is_own, reading.page.styles)
    return reading.page


def _is_shown(template: bytes) -> bool:
    """A declarative shadow root is a part of the page (HTML 13.2.6.4.4)."""
    return first_of(attributes_of(template)[1], b"shadowrootmode") is not None


def _end_of_template(body: bytes, at: int) -> int:
    """Where the end tag stands of a template whose content begins at `at`; they may be nested."""
    depth = 1
    for found in _IN_TEMPLATE.finditer(body, at):
        if found[1] is not None:
            depth += -1 if found[1] else 1
        if not depth:
            return found.start()
    return len(body)


class _Reading:
    """One page while it is read: its base, and the form and the notice that are open."""

    def __init__(self, body: bytes, url: str, depth: int) -> None:
        self.page = PageRead()
        self._body, self._base, self._depth = body, url, depth
        self._form: Form | None = None
        self._is_in_notice = False

    def start(self, name: bytes, tag: bytes, at: int) -> None:
        """Take in a start tag; `at` is where it ends."""
        if name == b"style":
            end = _RAW[name].search(self._body, at)
            self._style(self._body[at : end.start() if end else len(self._body)])
        if name in _READ or _STYLED.search(tag):
            given = {one.name: one.value for one in reversed(attributes_of(tag)[1])}
            for one in filter(_WITH_CSS.__contains__, given):
                self._style(text_of(given[one]).encode("utf-8", "replace"))
            self._take(name, given, at)

    def _take(self, name: bytes, given: Mapping[bytes, bytes], at: int) -> None:
        if name in _LINKING:
            self._link(name, given, at)
            self._look_into(given.get(b"srcdoc", b""))
        elif name == b"base":
            self._base = self._whole(given.get(b"href", b"")) or self._base
        elif name == b"html":
            self.page.language = given.get(b"lang", b"").decode("utf-8", "replace")[:35]
        elif name == b"title":
            self.page.title = self.page.title or self._words(at, b"</title")
        elif name == b"section":
            self._is_in_notice = given.get(b"id") == b"consentkit"
        elif name == b"meta":
            self._refresh(given)
        elif name == b"script":
            self._script(given)
        elif name == b"form":
            self._form = Form(self._whole(given.get(b"action", b"")) or "", self._is_in_notice)
        elif self._form is not None and name in {b"button", b"input"}:
            self._field(self._form, name, given, at)

    def end(self, name: bytes) -> None:
        """Take in an end tag; those of a form and of a section end something."""
        if name == b"form":
            self._form = None
        elif name == b"section":
            self._is_in_notice = False

    def _style(self, css: bytes) -> None:
        host = urlsplit(self._base).hostname
        for target, what in fetched_by(css.decode("utf-8", "replace")):
            # As in an attribute, where what looks like a reference would be one.
            value = target.encode("utf-8", "replace").replace(b"&", b"&amp;")
            at = host_of(value, host) if len(self.page.styles) < MOST_LINKS else None
            if at is not None:
                self.page.styles.append((at, _path_of(target, self._base), what))

    def _look_into(self, srcdoc: bytes) -> None:
        """Take in the styles of a document that stands in an attribute; its tags the gate reads."""
        if srcdoc and self._depth < _DEEPEST_PAGE:
            inner = text_of(srcdoc).encode("utf-8", "replace")
            found = read_page(inner, self._base, bool, self._depth + 1).styles
            self.page.styles += found[: MOST_LINKS - len(self.page.styles)]

    def _refresh(self, given: Mapping[bytes, bytes]) -> None:
        if given.get(b"http-equiv", b"").strip().lower() == b"refresh" and not self.page.leads_to:
            self.page.leads_to = led_to(text_of(given.get(b"content", b"")), self._base)

    def _link(self, name: bytes, given: Mapping[bytes, bytes], at: int) -> None:
        value = given.get(_LINKING[name])
        if value is None or len(self.page.links) >= MOST_LINKS or b"download" in given:
            return
        found = self._whole(value)
        if found is None:
            return
        self.page.links.append(found)
        if not _SETTINGS.isdisjoint(given.get(b"class", b"").split()) and not self.page.settings:
            self.page.settings = (found, self._words(at, b"</a"))

    def _script(self, given: Mapping[bytes, bytes]) -> None:
        if given.get(b"id") == b"consentkit-script":
            self.page.endpoint = self._whole(given.get(b"data-path", b"/consent"))

    def _field(self, form: Form, name: bytes, given: Mapping[bytes, bytes], at: int) -> None:
        called, value = text_of(given.get(b"name", b"")), text_of(given.get(b"value", b""))
        if name == b"button" and called == "choice":
            form.choices[value] = self._words(at, b"</button")
            if len(form.choices) == 1:
                self.page.forms.append(form)
        elif name == b"input" and given.get(b"type") == b"hidden" and called:
            form.fields[called] = value

    def _whole(self, value: bytes) -> str | None:
        return address(url_text(value), self._base)

    def _words(self, at: int, until: bytes) -> str:
        end = self._body.find(until, at, at + 2000)
        text = _TAGS.sub(b" ", self._body[at : end if end >= 0 else at])
        return " ".join(unescape(text.decode("utf-8", "replace")).split())[:200]


def led_to(refresh: str, base: str) -> str | None:
    """The whole address that a refresh leads to; None where it loads the same page anew."""
    found = _REFRESH.match(refresh[: 2 * MOST_LINKS])
    target = next(filter(None, found.groups()), "").strip() if found else ""
    return address(target, base) if target else None


def _requests(
    body: bytes,
    url: str,
    is_own: Callable[[str], bool],
    styles: Iterable[tuple[str, str, str]],
) -> list[SeenRequest]:
    """What the tags and the styles of a page would fetch from elsewhere, each host and path once.

    `body` is without templates: one of ours is opened by the server when its purpose is allowed.
    """
    found: dict[tuple[str, str, str], SeenRequest] = {}
    parts = urlsplit(url)
    initiator = f"{parts.hostname}{parts.path}"

    def take(host: str, target: str, what: str) -> None:
        path = _path_of(target)
        found.setdefault((host, path, what), SeenRequest(host, path, what, initiator))

    def note(tag: Tag) -> None:
        for host, target in zip(tag.hosts, tag.urls, strict=True):
            take(host, target, _kind_of(tag))

    Gate(note, is_own=is_own).feed(body, last=True)
    for host, path, what in styles:
        if not is_own(host):
            take(host, path, what)
    return [*found.values()]


def _path_of(target: str, base: str = "") -> str:
    try:
        return urlsplit(urljoin(base, target.strip())).path[:200] or "/"
    except ValueError:
        return "/"


def _kind_of(tag: Tag) -> str:
    if tag.name != b"link":
        return _KINDS.get(tag.name, "other")
    given = attributes_of(tag.source)[1]
    rel = text_of(first_of(given, b"rel") or b"").lower().split()
    return next((_KINDS_OF_LINKS[each] for each in rel if each in _KINDS_OF_LINKS), "other")
