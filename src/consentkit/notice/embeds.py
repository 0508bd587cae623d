"""What stands in place of an embed that is not loaded: a small document in the embed's own box.

It has never heard of requests, or of what decides that something waits.

An iframe keeps its place and its size: the document goes into its `srcdoc`, escaped for an
attribute in double quotes. It names the provider and each purpose, and has a button for the one
service, one for the purposes, and a plain link (LAW R-53). Its forms and links lead the page around
it on, so that it works without a script, and inside a form of the author's.

A document is rendered once for everything that asks alike, with holes for what differs by page. In
our templates attributes stand in single quotes, and double quotes around holes only: autoescape
leaves neither in anybody's text.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from html import escape as in_markup
from html import unescape
from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import Markup, escape

from consentkit.memory import Memory
from consentkit.notice.chapters import third_parties_of
from consentkit.notice.templates import render
from consentkit.notice.text import said, signal_names, words_for
from consentkit.rules.signals import NO_SIGNALS
from consentkit.wire.html import attribute_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consentkit.rules.policy import DeclaredCookie, Policy, Service, Shown, StoredItem
    from consentkit.rules.signals import Signal

__all__ = [
    "Can",
    "abilities_of",
    "is_seen",
    "page_of",
    "placeholder_document",
    "placeholder_markup",
]


class Can(StrEnum):
    """What a document in an iframe is allowed to do, most first."""

    ANSWER = "answer"
    """Post a form, and lead the page around it on."""
    LEAVE = "leave"
    """Lead the page around it on."""
    OPEN = "open"
    """Open another window."""
    READ = "read"
    """Be read."""


_TARGETS: Final = {Can.ANSWER: "_top", Can.LEAVE: "_top", Can.OPEN: "_blank", Can.READ: ""}


def abilities_of(sandbox: bytes | None) -> Can:
    """What an iframe can do that has this `sandbox`, as it stands in the page, or None.

    A form needs ``allow-same-origin`` too: what a document of no origin posts is taken for an
    answer that came from another site.

    >>> abilities_of(b"allow-scripts allow-popups")
    <Can.OPEN: 'open'>
    """
    if sandbox is None:
        return Can.ANSWER
    tokens = frozenset(unescape(sandbox.decode("latin-1")).lower().split())
    if tokens & {"allow-top-navigation", "allow-top-navigation-by-user-activation"}:
        answers = tokens >= {"allow-forms", "allow-same-origin"}
        return Can.ANSWER if answers else Can.LEAVE
    return Can.OPEN if "allow-popups" in tokens else Can.READ


_AT_MOST_ONE: Final = re.compile(rb"\s*0*[01](?:\.\d*)?(?:px)?\s*\Z")
_STYLED_SO: Final = re.compile(rb"(?:^|[;\s])(?:width|height)\s*:\s*[01](?:px)?\s*(?:[;!]|$)")


def is_seen(tag: bytes) -> bool:
    """False for the whole start tag of an iframe that is at most one pixel wide or high.

    One that is hidden otherwise may be shown later.

    >>> is_seen(b'<iframe src="https://tags.example/ns" height="0" width="0">')
    False
    """
    sizes = (attribute_of(tag, name) for name in (b"width", b"height"))
    if any(_AT_MOST_ONE.match(size) for size in sizes if size is not None):
        return False
    return not _STYLED_SO.search((attribute_of(tag, b"style") or b"").lower())


_WEB: Final = re.compile(
    r"(?:https?:)?//(?P<page>(?P<host>[^\s\x00-\x20\x7f-\x9f/?#\\@]+)(?:[/?#][^\s\x00-\x20\x7f-\x9f\\]*)?)",
    re.IGNORECASE,
)
_LONGEST_URL: Final = 2048
_ID: Final = r"([\w-]+)"
_QUERY: Final = r"\?(?:[^#]*&)?"
_OPENS_AS: Final = tuple(
    (re.compile(rf"(?:www\.)?{embed}(?:[/?&#].*)?", re.ASCII), page)
    for embed, page in (
        (
            rf"youtube(?:-nocookie)?\.com/embed/videoseries{_QUERY}list={_ID}",
            r"www.youtube.com/playlist?list=\1",
        ),
        (
            rf"youtube(?:-nocookie)?\.com/embed/live_stream{_QUERY}channel={_ID}",
            r"www.youtube.com/channel/\1/live",
        ),
        (rf"youtube(?:-nocookie)?\.com/embed/{_ID}", r"www.youtube.com/watch?v=\1"),
        (rf"player\.vimeo\.com/video/(\d+){_QUERY}h=(\w+)", r"vimeo.com/\1/\2"),
        (r"player\.vimeo\.com/video/(\d+)", r"vimeo.com/\1"),
        (rf"dailymotion\.com/embed/video/{_ID}", r"www.dailymotion.com/video/\1"),
        (rf"open\.spotify\.com/embed/(\w+)/{_ID}", r"open.spotify.com/\1/\2"),
        (rf"instagram\.com/(p|reel)/{_ID}/embed", r"www.instagram.com/\1/\2/"),
        (
            rf"platform\.(?:twitter|x)\.com/embed/Tweet\.html{_QUERY}id=(\d+)",
            r"x.com/i/web/status/\1",
        ),
        (
            rf"facebook\.com/(?:v[\d.]+/)?plugins/(?:like|share_button)\.php{_QUERY}href=([^&#]+)",
            r"www.facebook.com/sharer/sharer.php?u=\1",
        ),
    )
)
"""Addresses made for an iframe, and the pages that show the same to a person who goes there."""


@lru_cache(256)
def page_of(url: str) -> tuple[str, str]:
    """The page to go to instead of an embed, and its host without ``www.``; else two empty strings.

    Only web addresses are gone to: no other scheme, no user name, no blank or backslash.

    >>> page_of("https://www.youtube-nocookie.com/embed/aqz-KE-bpKQ?rel=0")
    ('https://www.youtube.com/watch?v=aqz-KE-bpKQ', 'youtube.com')
    """
    found = _WEB.fullmatch(url) if len(url) <= _LONGEST_URL else None
    if found is None:
        return "", ""
    for embed, page in _OPENS_AS:
        if opened := embed.fullmatch(found["page"]):
            address = opened.expand(page)
            return f"https://{address}", address.partition("/")[0].removeprefix("www.")
    href = url if url[0] != "/" else f"https:{url}"
    return href, found["host"].lower().removeprefix("www.")


class _Told(NamedTuple):
    """What a placeholder says, and what its buttons send; an empty label is no button."""

    kind: str
    title: str
    lead: str
    notes: tuple[str, ...] = ()
    stays: str = ""
    service: str = ""
    load: str = ""
    load_short: str = ""
    always: str = ""
    asked: tuple[str, ...] = ()
    """The purposes that *always* allows."""
    instead: str = ""


_URL: Final = Markup('"url"')
_HOST: Final = Markup('"host"')
_SITE: Final = Markup('"site"')


def _with(text: str, **holes: Markup) -> Markup:
    return escape(text).format(**holes)


def _of_nobody(policy: Policy, language: str) -> _Told:
    """A host that the site does not declare: nobody can be asked about it."""
    t = words_for(policy, language)
    words = t.embeds["other"]
    return _Told(
        "other",
        _with(words.title, service=_HOST),
        _with(t.embed_undeclared, host=_HOST),
        instead=_with(words.instead, host=_SITE),
    )


def _of_service(policy: Policy, name: str, language: str) -> _Told:
    t, service = words_for(policy, language), policy.services[name]
    kind = service.shows or "other"
    words = t.embeds[kind]
    provider = service.provider
    title = said(service.title or provider, language, policy.languages)
    who = (t.embed_who if title == provider else t.embed_named).format(
        service=title, provider=provider
    )
    asked = tuple(one for one in service.purpose if one in policy.optional_purposes)
    purposes = _titles(policy, service.purpose, language)
    is_all = _is_all(policy, service, asked)
    return _Told(
        kind,
        words.title.format(service=title),
        t.embed_lead.format(who=who),
        (t.embed_purposes.format(purposes=purposes),),
        t.embed_stays.format(service=title),
        name,
        words.load.format(service=title),
        t.embed_load.format(service=title),
        words.always if is_all else t.embed_allow.format(purposes=_titles(policy, asked, language)),
        asked,
        _with(words.instead, host=_SITE),
    )


def _is_all(policy: Policy, service: Service, purposes: Sequence[str]) -> bool:
    """True if nothing but what this service shows hangs on `purposes`."""
    wanted = frozenset(purposes)
    under = {name: one for name, one in policy.services.items() if wanted & {*one.purpose}}
    items: list[DeclaredCookie | StoredItem] = [*policy.cookies.values(), *policy.storage.values()]
    return {one.shows for one in under.values()} == {service.shows} != {None} and all(
        item.service in under for item in items if wanted & {*item.purpose}
    )


def _of_purposes(policy: Policy, purposes: tuple[str, ...], language: str) -> _Told:
    """Something of the author's that waits for purposes; their services show something."""
    t = words_for(policy, language)
    kind = _shown(policy, purposes)[0]
    asked = tuple(name for name in purposes if name in policy.optional_purposes)
    titles = _titles(policy, purposes, language)
    parties = t.comma.join(third_parties_of(policy, purposes, language))
    return _Told(
        kind,
        titles,
        t.embed_of_purpose,
        (t.third_parties.format(count=parties),),
        always=t.embed_allow.format(purposes=titles),
        asked=asked,
        instead=_with(t.embeds[kind].instead, host=_SITE),
    )


def _titles(policy: Policy, purposes: Iterable[str], language: str) -> str:
    return words_for(policy, language).comma.join(
        said(policy.purposes[name].title, language, policy.languages) for name in purposes
    )


class _Place(NamedTuple):
    """Where a document stands, and what it is able to do there."""

    path: str
    stylesheet: str
    can: Can = Can.ANSWER
    is_framed: bool = False
    signals: frozenset[Signal] = NO_SIGNALS


def _rendered(policy: Policy, told: _Told, language: str, place: _Place, *, has_url: bool) -> bytes:
    """The document with its holes, escaped for an attribute, ready for ``%``."""
    t = words_for(policy, language)
    can, asks = place.can, bool(told.load or told.asked) and not place.signals
    stops = (t.signal_stops.format(signals=signal_names(t, place.signals)),)
    notes = (
        *told.notes,
        *(stops if place.signals else ()),
        *((told.stays,) if told.stays and asks and can is Can.ANSWER else ()),
        *((t.embed_settings,) if asks and can is not Can.ANSWER else ()),
        *((_with(t.embed_page, url=_URL),) if has_url and can is Can.READ else ()),
    )
    document = render(
        policy,
        "embed.html",
        language,
        told=told,
        name=_name_of(policy, told, language),
        notes=notes,
        buttons=asks and can is Can.ANSWER,
        link=_TARGETS[can] if has_url else "",
        settings=asks and can is Can.LEAVE,
        path=place.path,
        stylesheet=place.stylesheet,
    )
    blank = _blank(document)
    return _framed(policy, told, language, blank) if place.is_framed else blank


def _blank(document: bytes) -> bytes:
    """A document with holes, as a form for ``%`` and the value of an attribute."""
    parts = re.split(rb'"(next|url|host|site)"', document)
    return b"".join(
        b"%%(%b)b" % part if number % 2 else _in_attribute(part).replace(b"%", b"%%")
        for number, part in enumerate(parts)
    )


def _framed(policy: Policy, told: _Told, language: str, blank: bytes) -> bytes:
    name = _name_of(policy, told, language)
    frame = render(policy, "embed_frame.html", language, told=told, name=name)
    return frame.replace(b"%", b"%%").replace(b'"document"', b'"%b"' % blank)


def _name_of(policy: Policy, told: _Told, language: str) -> str:
    return _with(words_for(policy, language).embed_not_loaded, title=escape(told.title))


def _in_attribute(markup: bytes) -> bytes:
    """Markup as the value of an attribute in double quotes, in HTML and in XML."""
    return (
        markup.replace(b"&", b"&amp;")
        .replace(b'"', b"&quot;")
        .replace(b"<", b"&lt;")
        .replace(b">", b"&gt;")
    )


@lru_cache(256)
def _twice(text: str) -> bytes:
    """A text as markup in such an attribute."""
    return _in_attribute(in_markup(text).encode("ascii", "xmlcharrefreplace"))


_About = str | tuple[str, ...] | None
"""A service, purposes, or nobody's host."""
_documents: Final[Memory[tuple[object, ...], tuple[Policy, bytes]]] = Memory(512, 4 << 20)
"""What was rendered. The policy stands beside it: as long as it does, no other has its `id`."""


def _document(
    policy: Policy, about: _About, language: str, place: _Place, *, has_url: bool
) -> bytes:
    key = (id(policy), about, language, place, has_url)
    found = _documents.get(key)
    if found is None:
        told = _told(policy, about, language)
        document = _rendered(policy, told, language, place, has_url=has_url)
        found = policy, document
        _documents.put(key, found, len(document))
    return found[1]


def _told(policy: Policy, about: _About, language: str) -> _Told:
    if about is None:
        return _of_nobody(policy, language)
    if isinstance(about, str):
        return _of_service(policy, about, language)
    return _of_purposes(policy, about, language)


def placeholder_document(  # noqa: PLR0913  # whose, for whom, and where it stands
    policy: Policy,
    service: str | None,
    language: str,
    *,
    path: str,
    stylesheet: str,
    next_path: bytes,
    url: str = "",
    host: str = "",
    can: Can = Can.ANSWER,
    signals: frozenset[Signal] = NO_SIGNALS,
) -> bytes:
    """A whole document for the `srcdoc` of an iframe: ASCII, for an attribute in double quotes.

    `service` is one of the policy's, or None where nobody declares `host`. `path` is where the
    endpoints are, `stylesheet` the URL of ``embed.css``; the document resolves them as the page
    around it does, so they are whole URLs where that page has a ``<base>`` on another host.
    `next_path` is the page to come back to (a path and query, percent-encoded), `url` the embed's
    own address. `signals` outweigh any answer: with them there is no button, and the reason.
    """
    page, site = page_of(url)
    place = _Place(path, stylesheet, can, signals=signals)
    document = _document(policy, service, language, place, has_url=bool(page))
    return document % {
        b"next": _twice(next_path.decode("latin-1")),
        b"url": _twice(page),
        b"site": _twice(site),
        b"host": _twice(host),
    }


def placeholder_markup(  # noqa: PLR0913  # as above
    policy: Policy,
    *,
    service: str | None = None,
    purposes: Sequence[str] = (),
    language: str,
    path: str,
    stylesheet: str,
    next_path: bytes,
    url: str = "",
    can: Can = Can.ANSWER,
    signals: frozenset[Signal] = NO_SIGNALS,
) -> bytes:
    """What stands before an author's template that waits for a service, or for purposes.

    It is an iframe as well: a form inside a form would end the author's, and a section would end
    the paragraph. Where nothing would be seen of what waits, as with analytics, it is empty. It
    must not stand in a head. The other values are those of `placeholder_document`.
    """
    about = service or tuple(purposes)
    if not _shown(policy, about):
        return b""
    page, site = page_of(url)
    place = _Place(path, stylesheet, can, is_framed=True, signals=signals)
    document = _document(policy, about, language, place, has_url=bool(page))
    return document % {
        b"next": _twice(next_path.decode("latin-1")),
        b"url": _twice(page),
        b"site": _twice(site),
    }


def _shown(policy: Policy, about: str | tuple[str, ...]) -> list[Shown]:
    """What can be seen of a service, or of those for these purposes; of unknown ones, nothing."""
    if isinstance(about, str):
        under = [one for name, one in policy.services.items() if name == about]
    elif policy.purposes.keys() >= {*about}:
        under = [one for one in policy.services.values() if {*about} & {*one.purpose}]
    else:
        under = []
    return [one.shows for one in under if one.shows]
