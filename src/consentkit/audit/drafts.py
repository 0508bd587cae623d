"""A first draft of a policy from what a scan saw of a site.

It has never heard of a terminal: a scan and a few facts in, YAML text with comments out.

Whatever was seen was said by strangers, so a comment holds nothing unseen, a text is quoted, and
what a policy could not hold is named in a comment instead. Labels are written beside an entry and
decide nothing: what is known or looks like tracking goes under an optional purpose of that name,
everything else under the optional purpose ``unsorted``, for a person to sort. Nothing is strictly
necessary here but the set of a framework that its own cookies seem to show, which is marked, too.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import ValidationError

from consentkit.audit.asking import tolerated
from consentkit.audit.cases import host_in
from consentkit.audit.cures import families_of
from consentkit.audit.judging import host_of, is_judged, own_names
from consentkit.audit.labels import Label, Nature, label_of
from consentkit.audit.seen import (
    FORMAT,
    By,
    Scan,
    SeenCookie,
    SeenItem,
    State,
    Witness,
    scan_from_json,
)
from consentkit.errors import PolicyError, ScanError
from consentkit.events import span_in_words
from consentkit.rules import catalogue
from consentkit.rules.hosts import HostIndex
from consentkit.rules.names import NameIndex
from consentkit.rules.policy import LONGEST, parse_duration
from consentkit.rules.policy_file import read_policy
from consentkit.rules.shapes import print_duration
from consentkit.rules.yaml_print import print_yaml
from consentkit.shell.drafts import TITLES, SiteFacts, comment, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from consentkit.audit.seen import SeenRequest, Visit

__all__ = ["Draft", "draft_from_scan", "facts_of", "scan_in"]

MOST_ENTRIES: Final = 1000
"""Cookies, items and hosts, each, that a draft has entries for."""
MOST_BYTES: Final = 100_000_000
LONGEST_NAME: Final = 255
MOST_SHOWN: Final = 3
_CENTURY: Final = 3_153_600_000
_SIGNS: Final = frozenset("{}*")
_UNSORTED: Final = "unsorted"
_NECESSARY: Final = "necessary"
_NOBODY_KNOWS: Final = "Nobody has said yet what this is for."

Data = dict[str, object]


# Reading


def scan_in(text: bytes, where: str) -> Scan:
    """The scan in a report of `consentkit scan`, or in a file that is one itself.

    `where` is what an error calls it; of `text`, `MOST_BYTES` bytes at most are read.

    Raises:
        ScanError: It is neither, or of another format, or too large.
    """
    if len(text) > MOST_BYTES:
        what = f"it is larger than {MOST_BYTES // 1_000_000} MB"
        raise ScanError(where, what, "Scan fewer pages: 'consentkit scan URL --pages 50'")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        what = "it is no JSON, or is cut off"
        raise ScanError(where, what, _WRITE_ONE) from error
    for plain in (document, document.get("scan") if isinstance(document, dict) else None):
        number = plain.get("format") if isinstance(plain, dict) else None
        if number is not None and number != FORMAT:
            what = f"it has format {str(number)[:20]!r}, and this version reads format {FORMAT}"
            raise ScanError(where, what, _WRITE_ONE)
    try:
        return scan_from_json(document.get("scan", document))
    except (ValidationError, AttributeError) as error:
        raise ScanError(
            where, f"it is no report of a scan{_place_of(error)}", _WRITE_ONE
        ) from error


_WRITE_ONE: Final = "Write one with 'consentkit scan URL --json FILE'"


def _place_of(error: Exception) -> str:
    """Where in the document the first fault is; a value is never shown."""
    if not isinstance(error, ValidationError):
        return ""
    place = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
    return f": '{place[:80]}' is missing or is something else" if place else ""


def facts_of(scan: Scan) -> SiteFacts:
    """What can be guessed without asking: the name that the pages' titles share, or the host's.

    The controller is taken to be called like the site until somebody says otherwise.
    """
    name = _name_in_titles(scan.visits) or _clean(host_of(scan.site)) or "My site"
    return SiteFacts(name, name)


_SEPARATORS: Final = re.compile(r" (?:[|\u00b7\u2013\u2014-]|::) ")


def _name_in_titles(visits: Iterable[Visit]) -> str:
    """The part that most of the pages' titles have, where it is not one title alone."""
    titles = {
        visit.page: _clean(visit.title) for visit in visits if visit.title and is_judged(visit)
    }
    parts = Counter(part for title in titles.values() for part in {*_SEPARATORS.split(title)})
    name, times = next(iter(parts.most_common(1)), ("", 0))
    return name[:100].strip() if times > 1 and times * 2 > len(titles) else ""


def _clean(text: str) -> str:
    """`text` on one line, without what no reader sees."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# What was seen of one name


@dataclass(slots=True)
class _Sight:
    """A name or a family: each cookie or item that it was seen as, and where."""

    names: dict[str, None] = field(default_factory=dict)
    pages: dict[str, None] = field(default_factory=dict)
    states: dict[State, None] = field(default_factory=dict)
    cookies: list[SeenCookie] = field(default_factory=list)
    items: list[SeenItem] = field(default_factory=list)
    requests: list[SeenRequest] = field(default_factory=list)

    def note(self, visit: Visit, name: str) -> None:
        self.names[name] = None
        self.pages[visit.page] = None
        self.states[visit.state] = None

    def join(self, other: _Sight) -> None:
        self.names |= other.names
        self.pages |= other.pages
        self.states |= other.states
        self.cookies += other.cookies
        self.items += other.items
        self.requests += other.requests

    @property
    def longest(self) -> int | None:
        """The longest life of its cookies, in seconds; None for the session."""
        return max(
            (each.seconds for each in self.cookies if each.seconds is not None), default=None
        )

    @property
    def label(self) -> Label:
        """The label of what was seen: the longest life, and HttpOnly where it always had that."""
        name = next(iter(self.names))
        if self.items:
            item = self.items[0]
            return label_of(
                name, where=item.where.value, shape=item.shape, host=item.host,
                third_party=item.third_party,
            )  # fmt: skip
        cookie = max(self.cookies, key=lambda each: each.seconds or 0)
        return label_of(
            name, seconds=cookie.seconds, shape=cookie.shape, host=cookie.domain,
            third_party=cookie.third_party, http_only=all(each.http_only for each in self.cookies),
        )  # fmt: skip

    def told(self) -> str:
        """One sentence: on which pages, in which states, and what set it."""
        pages, count = [*map(_shown, [*self.pages][:MOST_SHOWN])], len(self.pages)
        more = f" and {count - MOST_SHOWN} more" if count > MOST_SHOWN else ""
        states = ", ".join(each.value for each in State if each in self.states)
        return f"Seen on {', '.join(pages)}{more}; {states}{self._how()}."

    def _how(self) -> str:
        setters = [
            *dict.fromkeys(
                f"by {each.by.value}" + (f" of {_shown(each.initiator)}" if each.initiator else "")
                for each in self.cookies
            ),
            *dict.fromkeys(
                f"as {each.what}" + (f" by {_shown(each.initiator)}" if each.initiator else "")
                for each in self.requests
            ),
            *dict.fromkeys(f"in {each.where.value} of {_shown(each.host)}" for each in self.items),
        ]
        more = " and others" if len(setters) > MOST_SHOWN else ""
        how = f"; {', '.join(setters[:MOST_SHOWN])}{more}" if setters else ""
        return how + self._life()

    def _life(self) -> str:
        if not self.cookies:
            return ""
        longest = self.longest
        life = "for the session" if longest is None else f"for {_span(longest)}"
        hidden = ", HttpOnly" if all(each.http_only for each in self.cookies) else ""
        return f"; {life}{hidden}"


def _shown(text: str) -> str:
    """`text` from outside, cut to a length that a comment can bear."""
    cut = text if len(text) <= 60 else f"{text[:59]}~"
    return visible(cut)


def _span(seconds: int) -> str:
    """A life as a person would write it; one of more than a century is that long."""
    words = span_in_words(max(1, min(seconds, _CENTURY)))
    return print_duration(parse_duration(words))


# Frameworks

_ENOUGH: Final = 2
"""Cookies of a framework that show it is there, where none of them has its name."""


def recognised(
    cookies: Iterable[SeenCookie], is_own: Callable[[str], bool] = lambda _host: True
) -> tuple[str, ...]:
    """The catalogue's frameworks that the cookies of the site's own seem to show, by key.

    A framework shows itself by a cookie with its own name in it, or by two that no smaller set
    has, each set as it sets them: by a response of a host for which `is_own` is true, with HttpOnly
    where it has that, and for no longer. One that a script made, or that lives longer, is somebody
    else's: a set with such a name in it is not taken, since it would call that strictly necessary.
    Of frameworks that explain the same cookies the first in the catalogue is taken: it is what the
    others are built on.
    """
    seen: dict[str, list[SeenCookie]] = {}
    for cookie in cookies:
        if not cookie.third_party:
            seen.setdefault(cookie.name, []).append(cookie)
    found = {
        key: _fitting(framework, seen, is_own) for key, framework in catalogue.frameworks().items()
    }
    shown = {
        key: names
        for key, names in found.items()
        if len(names) >= _ENOUGH or any(_is_named(key, name) for name in names)
    }
    return tuple(key for key in shown if not any(_is_better(other, key, shown) for other in shown))


def _fitting(
    framework: catalogue.Framework,
    seen: dict[str, list[SeenCookie]],
    is_own: Callable[[str], bool],
) -> frozenset[str]:
    """The seen names that a framework's set declares; none where one is not as it sets it."""
    index = NameIndex(framework.cookies)
    fitting = set()
    for name, sightings in seen.items():
        declared = index.find(name)
        if declared is None:
            continue
        if not all(_is_as_declared(each, declared, is_own) for each in sightings):
            return frozenset()
        fitting.add(name)
    return frozenset(fitting)


def _is_as_declared(
    cookie: SeenCookie, declared: Mapping[str, object], is_own: Callable[[str], bool]
) -> bool:
    attributes, duration = declared.get("attributes"), declared.get("duration")
    needs = isinstance(attributes, dict) and attributes.get("http-only", False)
    longest = 0 if duration is None else tolerated(parse_duration(duration))
    setter = host_in(cookie.initiator)
    return (
        cookie.by is By.HEADER
        and (not setter or is_own(setter))
        and (cookie.http_only or not needs)
        and (cookie.seconds is None or cookie.seconds <= longest)
    )


def _is_named(key: str, name: str) -> bool:
    plain = name.lower().replace("-", "").replace("_", "")
    return key.partition("-")[0] in plain or key.replace("-", "") in plain


def _is_better(other: str, key: str, shown: dict[str, frozenset[str]]) -> bool:
    """True if `other` explains all that `key` does, and more, or the same and comes first."""
    if shown[other] == shown[key]:
        order = [*shown]
        return order.index(other) < order.index(key)
    return shown[other] > shown[key]


# The draft


class Draft(NamedTuple):
    """The text, and how many of its entries wait for a person."""

    text: str
    frameworks: tuple[str, ...]
    open: int


def draft_from_scan(scan: Scan, facts: SiteFacts, *, spoken: Collection[str] = ("en",)) -> Draft:
    """The text of a policy that declares what a scan saw: it loads, and asks before it is trusted.

    `spoken` are the languages that a notice can have; of these the site's are declared.
    """
    draft = _Draft(scan, facts, _languages(scan.visits, spoken))
    draft.take_cookies()
    draft.take_items()
    draft.take_hosts()
    return Draft(draft.text(), draft.frameworks, draft.open)


def _languages(visits: Iterable[Visit], spoken: Collection[str]) -> list[str]:
    """The languages of the pages, the most used first; English where none is known."""
    used: Counter[str] = Counter()
    known = {tag.lower(): tag for tag in spoken}
    for visit in visits:
        tag = visit.language.replace("_", "-").lower()
        if found := known.get(tag) or known.get(tag.partition("-")[0]):
            used[found] += 1
    return [tag for tag, _ in used.most_common()] or ["en"]


class _Draft:
    """Sections of a policy, filled one after the other."""

    def __init__(self, scan: Scan, facts: SiteFacts, languages: list[str]) -> None:
        self.scan = scan
        self.facts = facts
        self.visits = [visit for visit in scan.visits if is_judged(visit)]
        self._languages = languages
        self._ground = read_policy(print_yaml({**self._least(), "purposes": _said(_UNSORTED)}))
        seen = [cookie for visit in self.visits for cookie in visit.cookies]
        self.frameworks = recognised(seen, self._is_own)
        self.open = len(self.frameworks)
        self._purposes: dict[str, list[str]] = {}
        self._services: dict[str, list[str]] = {}
        self._cookies: dict[str, list[str]] = {}
        self._items: dict[str, list[str]] = {}
        self._unfit: dict[str, str] = {}
        self._declare(_NECESSARY, {"basis": "strictly-necessary"})

    def _least(self) -> Data:
        """What every policy has, and what of it decides whether an entry holds."""
        return {
            "site": {"name": "x", "controller": "x"},
            "mode": self.facts.mode.value,
            "languages": self._languages,
        }

    def _is_own(self, host: str) -> bool:
        return self._ground.is_first_party(host, host_of(self.scan.site))

    # what is taken into the draft

    def take_cookies(self) -> None:
        """Write an entry for each cookie that no framework's set declares."""
        sights: dict[str, _Sight] = {}
        own = own_names(self._ground)
        sets = catalogue.frameworks()
        used = [name for key in self.frameworks for name in sets[key].cookies]
        index = NameIndex(dict.fromkeys(used, True))
        for visit in self.visits:
            for cookie in visit.cookies:
                if cookie.name in own or index.find(cookie.name):
                    continue
                sight = self._sight(sights, visit, cookie.name)
                if sight is not None:
                    sight.cookies.append(cookie)
        keys = families_of(self._fit(sights), "cookies", used, own)
        self._write_all("cookies", self._cookies, sights, keys)

    def take_items(self) -> None:
        """Write an entry for each key of storage."""
        sights: dict[str, _Sight] = {}
        for visit in self.visits:
            for item in visit.items:
                sight = self._sight(sights, visit, item.key)
                if sight is not None:
                    sight.items.append(item)
        keys = families_of(self._fit(sights), "storage", ())
        self._write_all("storage", self._items, sights, keys)

    def take_hosts(self) -> None:
        """Write a service for each host that pages load from, or for several that are one's."""
        sights: dict[str, _Sight] = {}
        for visit in self.visits:
            for request in visit.requests:
                host = host_in(request.host)
                if self._is_own(host):
                    continue
                sight = self._sight(sights, visit, host)
                if sight is not None:
                    sight.requests.append(request)
        known: dict[str, _Sight] = {}
        for host in self._fit(sights):
            service = catalogue.service_of_host(host)
            if service is None:
                self._write_host(host, sights[host])
            else:
                known.setdefault(service.key, _Sight()).join(sights[host])
        for key, sight in known.items():
            self._write_service(key, [*sight.names], sight.told())

    def _sight(self, sights: dict[str, _Sight], visit: Visit, name: str) -> _Sight | None:
        """What was seen of this name so far; None where there are too many names already."""
        if name not in sights and len(sights) >= MOST_ENTRIES:
            self._refuse(name, "there are too many: declare these first, then scan again")
            return None
        sight = sights.setdefault(name, _Sight())
        sight.note(visit, name)
        return sight

    def _fit(self, sights: dict[str, _Sight]) -> list[str]:
        """The names that can be written into a policy and mean themselves there."""
        fit = []
        for name in sights:
            if set(name) & _SIGNS:
                self._refuse(name, "with a brace or a star in it, it would be read as a pattern")
            elif any("\ud800" <= character <= "\udfff" for character in name):
                self._refuse(name, "it is not UTF-8, and a policy file is")
            elif len(name) > LONGEST_NAME:
                self._refuse(name, "it is too long to be written by hand")
            else:
                fit.append(name)
        return fit

    # entries

    def _write_all(
        self,
        section: str,
        into: dict[str, list[str]],
        sights: dict[str, _Sight],
        keys: dict[str, str],
    ) -> None:
        """Write an entry for each family, or for each of its names where no pattern can stand."""
        families: dict[str, _Sight] = {}
        for name, key in keys.items():
            families.setdefault(key, _Sight()).join(sights[name])
        for key, sight in families.items():
            fault = self._write(section, into, key, sight)
            if fault and key in sights:
                self._refuse(key, fault)
            elif fault:
                for name in sight.names:
                    if why := self._write(section, into, name, sights[name]):
                        self._refuse(name, why)

    def _write(self, section: str, into: dict[str, list[str]], key: str, sight: _Sight) -> str:
        """Write an entry under its key; what is wrong with it, and nothing where it is written."""
        label = sight.label
        purpose, known = _purpose_of(label), label.known
        entry = _item(sight) if sight.items else _cookie(key, sight, label)
        entry["purpose"] = purpose
        if known is not None and known.service in catalogue.services():
            entry["service"] = known.service
        entry["description"] = known.description["en"] if known is not None else _NOBODY_KNOWS
        fault = self._fault_of(section, key, entry)
        if not fault:
            into[key] = _lines(key, entry, [*self._told_of(key, sight, label)])
            self.open += _is_open(label)
            self._declare(purpose)
            if "service" in entry:
                self._write_service(str(entry["service"]), (), "")
        return fault

    def _told_of(self, key: str, sight: _Sight, label: Label) -> Iterator[str]:
        """What a person reads beside an entry, one paragraph each."""
        yield sight.told()
        if key not in sight.names:
            alike = [*map(_shown, [*sight.names][:MOST_SHOWN])]
            more = " and others" if len(sight.names) > len(alike) else ""
            yield f"It stands for {', '.join(alike)}{more}."
        if (sight.longest or 0) > LONGEST:
            yield f"Browsers keep no cookie for more than {_span(LONGEST)}."
        yield _label_told(label)
        sets = catalogue.frameworks()
        fitting = [name for name in sets if NameIndex(sets[name].cookies).find(key)]
        if fitting and not sight.items:
            words = " or ".join(f"'uses: [{name}]'" for name in fitting[:MOST_SHOWN])
            yield f"A framework has a cookie of this name: if this is it, write {words} instead."

    def _write_host(self, host: str, sight: _Sight) -> None:
        entry: Data = {"purpose": _UNSORTED, "provider": host, "hosts": [host]}
        fault = self._fault_of("services", host, entry)
        if fault:
            self._refuse(host, fault)
            return
        told = "TODO: say what it is for, and which organisation is behind it. If it is the site's "
        lines = [sight.told(), f"{told}own, write it under 'hosts' of 'site'."]
        self._services[host] = _lines(host, entry, lines)
        self.open += 1
        self._declare(_UNSORTED)

    def _write_service(self, key: str, hosts: Sequence[str], told: str) -> None:
        """Write a service of the catalogue, once; with the hosts that the catalogue's lack."""
        if key in self._services and not hosts:
            return
        known = catalogue.services()[key]
        is_free = known.purpose != _NECESSARY
        purpose = known.purpose if is_free else _UNSORTED
        index = HostIndex(dict.fromkeys(known.hosts, True))
        missing = sorted({host for host in hosts if not index.find(host)})
        entry: Data = {"purpose": purpose}
        if missing:  # what stands beside other hosts than the catalogue's has to be said
            told_of = {
                "provider": known.provider,
                "hosts": [*known.hosts, *missing],
                "privacy": known.privacy,
                "opt-out": known.opt_out,
                "transfer": [*known.transfer],
            }
            entry |= {name: value for name, value in told_of.items() if value}
        lines = [told] if told else []
        lines.append(f"Provider, hosts and links are the catalogue's: {known.source}.")
        if not is_free:
            lines.append("TODO: the catalogue takes it for strictly necessary: decide.")
            self.open += key not in self._services
        self._services[key] = _lines(key, entry, lines)
        self._declare(purpose)

    def _declare(self, purpose: str, more: Data | None = None) -> None:
        title, description = TITLES[purpose]
        entry = {**(more or {}), "title": title, "description": description}
        self._purposes.setdefault(purpose, _lines(purpose, entry, ()))

    def _refuse(self, name: str, why: str) -> None:
        if len(self._unfit) < MOST_ENTRIES:
            self._unfit[name] = f"- {name[:60]!a}: {why.rstrip('.')}."

    def _fault_of(self, section: str, key: str, entry: Data) -> str:
        """What a policy with this entry would be told, or nothing: the reader itself is asked."""
        service = entry.get("service")
        least = {"purpose": _UNSORTED, "provider": "x"}
        data: Data = {"services": {str(service): least}} if service else {}
        purposes = _said(_UNSORTED, str(entry["purpose"]))
        text = print_yaml({**self._least(), "purposes": purposes, **data, section: {key: entry}})
        try:
            read_policy(text)
        except PolicyError as error:
            return error.faults[0].what
        return ""

    # all of it

    def text(self) -> str:
        """The draft from its first line to its last."""
        lines = [
            "# yaml-language-server: $schema=consentkit.schema.json",
            "",
            *(line for told in self._head() for line in comment(told)),
            "",
            *self._site(),
        ]
        uses = [
            line
            for key in self.frameworks
            for line in (*comment(_GUESSED.format(_title(key)), 2), f"  - {key}")
        ]
        sections = {
            "uses": [uses],
            "purposes": [*self._purposes.values()],
            "services": [*self._services.values()],
            "cookies": [*self._cookies.values()],
            "storage": [*self._items.values()],
        }
        for name, entries in sections.items():
            body = [line for entry in entries for line in entry]
            lines += ["", f"{name}:", *body] if body else []
        if self._unfit:
            lines += ["", "# Seen, and no policy can declare it:"]
            lines += [line for told in self._unfit.values() for line in comment(told)]
        lines += ["", *comment(_UNDECLARED), "undeclared: report"]
        return "\n".join(lines) + "\n"

    def _site(self) -> list[str]:
        facts = self.facts
        site: Data = {"name": _clean(facts.name), "controller": _clean(facts.controller)}
        if contact := _clean(facts.contact or ""):
            site["contact"] = contact
        told = comment("TODO: who answers for what is stored, and where visitors may write.", 2)
        head, *rest = print_yaml({"site": site}).splitlines()
        mode = {"mode": facts.mode.value, "languages": self._languages}
        return [head, *told, *rest, "", *print_yaml(mode).splitlines()]

    def _head(self) -> Iterator[str]:
        scan = self.scan
        pages = len({visit.page for visit in self.visits})
        states = len({visit.state for visit in self.visits})
        yield (
            f"A draft from a scan of {_shown(scan.site)}, {_shown(scan.started)}: "
            f"{_count(pages, 'page')} in {_count(states, 'state')}, {_WITNESSES[scan.witness]}."
        )
        yield (
            "Each entry says what was seen. TODO marks what waits for a person; a label is a guess "
            "from a name and what was seen of it, and decides nothing."
        )
        yield (
            "Nothing is called strictly necessary here but what a framework keeps of its own. What "
            "else is, you know: move it there, and write its justification."
        )


_WITNESSES: Final = {
    Witness.BROWSER: "with a browser",
    Witness.HEADERS: "by headers alone, so that what scripts store is missing",
}
_GUESSED: Final = (
    "TODO: {0}, guessed from its cookies. If the site is made with it, these are strictly "
    "necessary; if not, take it out."
)
_UNDECLARED: Final = (
    "A cookie that stands nowhere in here: report logs it, block stops it. Write block once "
    "nothing is reported any more."
)


def _title(key: str) -> str:
    return catalogue.frameworks()[key].title


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _said(*purposes: str) -> Data:
    return {name: {"title": "x", "description": "x"} for name in purposes}


def _purpose_of(label: Label) -> str:
    """An optional purpose: what the catalogue suggests or tracking is for, else ``unsorted``."""
    is_told = label.known is not None or label.nature is Nature.TRACKING
    suggested = label.purpose if is_told and label.purpose != _NECESSARY else None
    return suggested or _UNSORTED


def _is_open(label: Label) -> bool:
    """True for what waits for a person."""
    return label.known is None or label.purpose == _NECESSARY


def _label_told(label: Label) -> str:
    known = label.known
    if known is not None and label.purpose == _NECESSARY:
        return f"TODO: {label.why} It takes it for strictly necessary: if it is, justify it."
    if known is not None:
        return f"{label.why} Its purpose and words are from there."
    looks = _LOOKS.get(label.nature)
    told = f"It looks {looks} ({label.confidence}). {label.why}" if looks else label.why
    return f"TODO: say what it is for. {told}"


_LOOKS: Final = {Nature.NECESSARY: "strictly necessary", Nature.TRACKING: "like tracking"}


def _item(sight: _Sight) -> Data:
    return {"where": sight.items[0].where.value}


def _cookie(key: str, sight: _Sight, label: Label) -> Data:
    """The keys of a cookie's entry that come from what was seen."""
    entry: Data = {"kind": "session"}
    if sight.longest is not None:
        counts = label.known is not None and label.known.kind == "analytics"
        life = _span(min(sight.longest, LONGEST))
        entry = {"kind": "analytics" if counts else "persistent", "duration": life}
    if all(cookie.third_party for cookie in sight.cookies):
        entry["party"] = "third"
    name = key.lower()
    if name.startswith(("__http-", "__host-http-")):
        entry["attributes"] = {"secure": True, "http-only": True}
    elif name.startswith(("__secure-", "__host-")):
        entry["attributes"] = {"secure": True}
    return entry


def _lines(key: str, entry: Data, told: Iterable[str]) -> list[str]:
    """An entry as YAML below its section, with what is told of it under its key."""
    head, *rest = print_yaml({key: entry}).splitlines()
    comments = [line for text in told for line in comment(text, 4)]
    return [f"  {head}", *comments, *(f"  {line}" for line in rest)]
