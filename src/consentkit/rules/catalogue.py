"""What is known of services, cookies and frameworks that many sites use: names, hosts, makers.

It has never heard of a policy, a visitor or a decision. It labels and suggests; nothing that it
says allows a cookie, blocks one, or has one removed.

The facts are in ``catalogue/*.yaml``, each in our own words, with the page that documents it and
the day it was read. `checked` says whether somebody found them there, or in the package that the
vendor publishes: for a cookie its name and what it is for, for a service its maker and one of the
hosts. What is not checked is what is generally known of it. Checked are 161 of 416 names, 34 of
115 services, and all 27 frameworks. ``scripts/stale`` lists what has not been read for a year.

An area's file has ``services`` and ``platforms``, each with ``cookies`` and ``storage``; what these
do not say themselves (purpose, party, source, day) they take from what they stand under. Nothing
is read before it is asked for. The areas are read together, the frameworks apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import yaml

from consentkit.rules.hosts import HostIndex
from consentkit.rules.names import NameIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "PURPOSES",
    "Framework",
    "Kind",
    "KnownCookie",
    "KnownService",
    "Shows",
    "Suggestion",
    "Where",
    "cookies",
    "countries",
    "frameworks",
    "known_cookie",
    "known_storage",
    "read_before",
    "service_of_host",
    "services",
]

Suggestion = Literal[
    "necessary", "preferences", "analytics", "advertising", "tags", "embeds", "chat", "fonts"
]
"""A purpose that is suggested; what it is called in a policy is the site's business."""

PURPOSES: Final[tuple[Suggestion, ...]] = get_args(Suggestion)

Where = Literal["cookie", "local", "session", "indexed-db"]
"""What a name is the name of: a cookie, or a key in one of the browser's stores."""

Kind = Literal["session", "persistent", "analytics"]

Shows = Literal["video", "map", "social", "form", "chat", "other"]
"""What a service shows in a page."""


@dataclass(frozen=True, slots=True)
class KnownService:
    """An outside thing that many sites embed.

    A host ``*.example.com`` stands for all below it. `transfer` has codes of ISO 3166-1. `inline`
    are texts in the script that its maker gives out to be put into a page, and in no other's;
    `shows` is None for what nobody sees.
    """

    key: str
    title: str
    provider: str
    purpose: Suggestion
    hosts: tuple[str, ...]
    inline: tuple[str, ...]
    shows: Shows | None
    transfer: tuple[str, ...]
    privacy: str | None
    opt_out: str | None
    source: str
    read: date
    checked: bool


@dataclass(frozen=True, slots=True)
class KnownCookie:
    """A cookie, or a key of the browser's storage, that many sites use.

    `name` is exact or a pattern, as in a policy. `duration` is what its maker says, which may be
    more than a policy can promise; None if it ends with the session or has no end. `service` is
    None for what servers and languages store. A `shared` name is one that others use too, so it
    proves nothing.
    """

    name: str
    where: Where
    kind: Kind
    purpose: Suggestion
    duration: str | None
    service: str | None
    party: Literal["first", "third"]
    description: dict[str, str]
    shared: bool
    source: str
    read: date
    checked: bool


@dataclass(frozen=True, slots=True)
class Framework:
    """What a framework or a library stores of its own, as long as nobody configures it otherwise.

    `packages` are distributions that show it is in use. `cookies` has declarations as they stand
    in a policy's file, without a purpose: all of them are strictly necessary.
    """

    key: str
    title: str
    packages: tuple[str, ...]
    cookies: Mapping[str, Mapping[str, object]]
    source: str
    read: date


def services() -> Mapping[str, KnownService]:
    """Every service the catalogue knows, by key."""
    return _areas().services


def cookies() -> tuple[KnownCookie, ...]:
    """Every cookie and every key of storage that the catalogue knows."""
    return _areas().stored


@cache
def frameworks() -> Mapping[str, Framework]:
    """Every framework whose own cookies the catalogue knows, by key."""
    page = _taken(_read("frameworks"), "frameworks.yaml", {"read", "frameworks"})
    entries: dict[str, Any] = page["frameworks"]
    known = {key: _framework(key, entry, page["read"]) for key, entry in entries.items()}
    return MappingProxyType(known)


def known_cookie(name: str) -> KnownCookie | None:
    """What is known of the cookie of this name; None if nothing is.

    >>> known = known_cookie("_ga_R4JMGZWPD9")
    >>> known.name, known.service, known.duration
    ('_ga_*', 'google-analytics', '2 years')
    """
    return _names().cookies.find(name)


def known_storage(name: str) -> KnownCookie | None:
    """What is known of this key of the browser's storage; None if nothing is."""
    return _names().storage.find(name)


def service_of_host(host: str) -> KnownService | None:
    """Whose host this is; of several that fit, the one with the longest name. None if nobody's.

    ``*.example.com`` in the catalogue fits everything below example.com, and itself if nothing
    else does. Any text may be asked for.

    >>> service_of_host("www.youtube-nocookie.com").title
    'YouTube'
    """
    return _hosts().find(host)


def countries() -> frozenset[str]:
    """The codes of all countries that data goes to, as ISO 3166-1 has them."""
    return frozenset(code for service in services().values() for code in service.transfer)


def read_before(day: date) -> tuple[KnownService | KnownCookie | Framework, ...]:
    """What was last read before this day, and so may have changed since."""
    everything: tuple[KnownService | KnownCookie | Framework, ...] = (
        *services().values(),
        *cookies(),
        *frameworks().values(),
    )
    return tuple(entry for entry in everything if entry.read < day)


# Reading

AREAS: Final = (
    *("advertising", "analytics", "chat", "embeds", "fonts", "government", "payments"),
    *("platforms", "tags"),
)

_OF_A_PLATFORM: Final = frozenset({"purpose", "source"})
_OF_A_SERVICE: Final = _OF_A_PLATFORM | {"title", "provider", "hosts", "transfer", "privacy"}
_OF_SOME_SERVICES: Final = frozenset({"opt-out", "checked", "inline", "shows"})
_WITH_COOKIES: Final = frozenset({"read", "party", "cookies", "storage"})
_OF_A_COOKIE: Final = frozenset({"description"})
_OF_SOME_COOKIES: Final = frozenset({"purpose", "duration", "party", "shared", "source", "checked"})
_OF_A_FRAMEWORK: Final = frozenset({"title", "packages", "source", "cookies"})
_OF_A_DECLARATION: Final = frozenset({"kind", "justification", "description"})
_OF_SOME_DECLARATIONS: Final = frozenset({"duration", "attributes", "path", "chunked"})


class _Areas(NamedTuple):
    services: Mapping[str, KnownService]
    stored: tuple[KnownCookie, ...]


class _Names(NamedTuple):
    cookies: NameIndex[KnownCookie]
    storage: NameIndex[KnownCookie]


class _Ground(NamedTuple):
    """What the cookies of one service, or of one platform, stand on."""

    place: str
    service: str | None
    purpose: str
    party: str
    source: str
    read: date


@cache
def _areas() -> _Areas:
    known: dict[str, KnownService] = {}
    stored: list[KnownCookie] = []
    for area in AREAS:
        page = _taken(_read(area), f"{area}.yaml", {"read"}, {"services", "platforms"})
        for key, entry in page.get("services", {}).items():
            known[key] = _service(key, entry, page["read"])
            stored.extend(_stored_by(key, entry, page["read"]))
        for key, entry in page.get("platforms", {}).items():
            _taken(entry, key, _OF_A_PLATFORM, _WITH_COOKIES)
            stored.extend(_stored_by(None, entry, page["read"]))
    return _Areas(MappingProxyType(known), tuple(stored))


@cache
def _names() -> _Names:
    return _Names(
        NameIndex({each.name: each for each in cookies() if each.where == "cookie"}),
        NameIndex({each.name: each for each in cookies() if each.where != "cookie"}),
    )


@cache
def _hosts() -> HostIndex[KnownService]:
    hosts = {host: service for service in services().values() for host in service.hosts}
    itself = {host.removeprefix("*."): service for host, service in hosts.items()}
    return HostIndex({**itself, **hosts})


_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_SWITCHES: Final = {"true": True, "false": False}


def _read(name: str) -> dict[str, Any]:
    path = files("consentkit.rules").joinpath("catalogue", f"{name}.yaml")
    page: dict[str, Any] = _plain(yaml.compose(path.read_bytes(), _LOADER))
    return page


def _plain(node: Any) -> Any:  # noqa: ANN401  # whatever the file says
    """A node as dicts, lists, text and switches: NO stays the code of Norway.

    It takes two thirds of the time that PyYAML's own constructor does, and sees a key said twice.
    """
    value = node.value
    if isinstance(value, str):
        return _SWITCHES.get(value, value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each) for each in value]
    plain = {key.value: _plain(each) for key, each in value}
    if len(plain) != len(value):
        raise ValueError(f"the catalogue says a key twice: {node.start_mark}.")
    return plain


def _taken(
    entry: dict[str, Any],
    place: str,
    needed: frozenset[str] | set[str],
    allowed: frozenset[str] | set[str] = frozenset(),
) -> dict[str, Any]:
    """The entry, once it is known to have the keys it needs and no other."""
    wrong = sorted(needed - entry.keys() or entry.keys() - needed - allowed)
    if wrong:
        what = "lacks" if needed - entry.keys() else "has no use for"
        raise ValueError(f"the catalogue's '{place}' {what} {', '.join(wrong)}: correct its file.")
    return entry


def _service(key: str, entry: dict[str, Any], read: str) -> KnownService:
    _taken(entry, key, _OF_A_SERVICE, _WITH_COOKIES | _OF_SOME_SERVICES)
    return KnownService(
        key=key,
        title=entry["title"],
        provider=entry["provider"],
        purpose=_suggestion(entry["purpose"], key),
        hosts=tuple(entry["hosts"]),
        inline=tuple(entry.get("inline", ())),
        shows=_shown(entry, key),
        transfer=tuple(entry["transfer"]),
        privacy=entry["privacy"],
        opt_out=entry.get("opt-out"),
        source=entry["source"],
        read=date.fromisoformat(entry.get("read", read)),
        checked=entry.get("checked", True),
    )


def _shown(entry: dict[str, Any], place: str) -> Shows | None:
    shows: Shows | None = entry.get("shows")
    if shows is not None and shows not in get_args(Shows):
        known = ", ".join(get_args(Shows))
        raise ValueError(f"the catalogue's '{place}' shows '{shows}': write one of {known}.")
    return shows


def _stored_by(service: str | None, entry: dict[str, Any], read: str) -> Iterator[KnownCookie]:
    day = date.fromisoformat(entry.get("read", read))
    party, source = entry.get("party", "first"), entry["source"]
    for name, said in entry.get("cookies", {}).items():
        ground = _Ground(name, service, entry["purpose"], party, source, day)
        _taken(said, name, _OF_A_COOKIE, _OF_SOME_COOKIES)
        yield _cookie(said, "cookie", ground)
    for name, said in entry.get("storage", {}).items():
        ground = _Ground(name, service, entry["purpose"], party, source, day)
        _taken(said, name, _OF_A_COOKIE | {"where"}, _OF_SOME_COOKIES)
        yield _cookie(said, said["where"], ground)


def _cookie(said: dict[str, Any], where: Where, ground: _Ground) -> KnownCookie:
    purpose = _suggestion(said.get("purpose", ground.purpose), ground.place)
    duration = said.get("duration")
    return KnownCookie(
        name=ground.place,
        where=where,
        kind=_kind(where, purpose, duration),
        purpose=purpose,
        duration=duration,
        service=ground.service,
        party=said.get("party", ground.party),
        description={"en": said["description"]},
        shared=said.get("shared", False),
        source=said.get("source", ground.source),
        read=ground.read,
        checked=said.get("checked", True),
    )


def _kind(where: Where, purpose: Suggestion, duration: str | None) -> Kind:
    if where == "session" or (where == "cookie" and duration is None):
        return "session"
    return "analytics" if purpose == "analytics" else "persistent"


def _suggestion(purpose: str, place: str) -> Suggestion:
    if purpose not in PURPOSES:
        known = ", ".join(PURPOSES)
        raise ValueError(f"the catalogue's '{place}' suggests '{purpose}': write one of {known}.")
    return purpose


def _framework(key: str, entry: dict[str, Any], read: str) -> Framework:
    _taken(entry, key, _OF_A_FRAMEWORK, {"read"})
    for name, declared in entry["cookies"].items():
        _taken(declared, name, _OF_A_DECLARATION, _OF_SOME_DECLARATIONS)
    return Framework(
        key=key,
        title=entry["title"],
        packages=tuple(entry["packages"]),
        cookies=MappingProxyType(entry["cookies"]),
        source=entry["source"],
        read=date.fromisoformat(entry.get("read", read)),
    )
