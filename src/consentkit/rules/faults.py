"""What is wrong with a policy, as pure checks of its value: one small rule each.

It has never heard of files: a problem names the key it stands at, and others know the line.

`RULES` is the table. Each rule also says which parts of the policy it leans on, so that a fault
in one of those (a `mode` that cannot be read) is reported once and drags nothing behind it. What
is said of the notice has a module of its own (`notice_faults`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from consentkit.rules.hosts import plain_host
from consentkit.rules.integrations import REGION, place_of_signal
from consentkit.rules.names import NamePattern
from consentkit.rules.notice_faults import NOTICE_RULES
from consentkit.rules.policy import (
    COUNTRIES,
    DAY,
    LONGEST,
    Basis,
    DeclaredCookie,
    Item,
    Kind,
    Policy,
    Service,
    Where,
)
from consentkit.rules.problems import (
    Ground,
    Loc,
    Problem,
    Rule,
    ground_of,
    listed,
    meant_by,
    quoted,
    said_twice,
    some_of,
    subject_of,
)
from consentkit.rules.shapes import TURNING, UNPRINTABLE

__all__ = ["problems_in", "problems_on"]

LONGEST_NAME: Final = 256
LONGEST_PURPOSES: Final = 2_000
"""Characters of all optional purposes' names together: they travel in one cookie of 4 KB."""

_INVISIBLE: Final = r"\u200b-\u200f\ufeff"
_UNFIT: Final = re.compile(rf"[\t\n =;,{UNPRINTABLE}{_INVISIBLE}]|\s")
_UNSEEN: Final = re.compile(rf"[{TURNING}{_INVISIBLE}]")
_UNFIT_KEY: Final = re.compile(rf"[\t\n{UNPRINTABLE}{_INVISIBLE}]")
_UNFIT_PATH: Final = re.compile(r"[\x00-\x1f\x7f;]")
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_HOST_OR_BELOW: Final = re.compile(rf"(?:\*\.)?{_HOST.pattern}")
_EVERYBODYS: Final = re.compile(r"\*\.(?:(?:co|com|net|org)\.[a-z]{2}|[a-z0-9-]+)", re.IGNORECASE)
"""All below a top-level domain, or below one that a country sells names under."""
_LINK: Final = re.compile(r"(?:https?://|mailto:|/)[^\s<>\"\x00-\x1f\x7f]*")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_REGION: Final = re.compile(REGION)
_MARKER: Final = re.compile(r"(?=[ -~]{3,200}\Z)[^ ].*[^ ]")


def problems_in(policy: Policy, unread: Collection[Loc] = ()) -> list[Problem]:
    """Everything that cannot hold in a policy, in no particular order.

    `unread` are the places of entries that were left out of `policy` because they are faulty
    themselves: nothing that hangs on them is judged.
    """
    return problems_on(ground_of(policy, unread))


def problems_on(ground: Ground) -> list[Problem]:
    """As `problems_in`, where the ground is laid already."""
    unread_keys = {place[0] for place in ground.unread}
    found: list[Problem] = []
    for leans_on, rule in RULES:
        if unread_keys.isdisjoint(leans_on):
            found.extend(rule(ground))
    for name, cookie in ground.policy.cookies.items():
        for cookie_rule in COOKIE_RULES:
            found.extend(cookie_rule(ground, name, cookie))
    return found


# Names


def _no_patterns(ground: Ground) -> Iterator[Problem]:
    cure = "Write an exact name, 'name-{placeholder}', or 'name*'."
    for loc, why in ground.refused.items():
        yield Problem(loc, f"{subject_of(loc)} cannot be: {why}", cure, at_key=True)


def _unfit_names(ground: Ground) -> Iterator[Problem]:
    """A name must be one that a Set-Cookie can carry (RFC 6265bis §4.1.1)."""
    for name in ground.patterns:
        unfit = _UNFIT.search(name)
        if unfit or len(name) > LONGEST_NAME:
            yield _never_on_the_wire(name, unfit)


def _never_on_the_wire(name: str, unfit: re.Match[str] | None) -> Problem:
    subject = subject_of(("cookies", name))
    if unfit is None:
        what = f"{subject} has a name of {len(name)} characters"
        cure = f"A cookie's name has at most {LONGEST_NAME} characters here."
    elif _UNSEEN.match(unfit[0]):
        what = f"{subject} has {unfit[0]!a} in its name, which nobody sees"
        cure = "Take it out: what looks like one name must be one."
    else:
        what = f"{subject} has {unfit[0]!a} in its name, which no Set-Cookie can carry"
        cure = "A name has no '=', ';', ',', white space or control character (RFC 6265bis §4.1.1)."
    return Problem(("cookies", name), what, cure, at_key=True)


def _unfit_keys(ground: Ground) -> Iterator[Problem]:
    for name in ground.policy.storage:
        unfit = _UNFIT_KEY.search(name)
        if unfit:
            loc = ("storage", name)
            what = f"{subject_of(loc)} has the character {unfit[0]!a} in its name"
            yield Problem(loc, what, "Take it out: no page can show it.", at_key=True)


def _ambiguous_patterns(ground: Ground) -> Iterator[Problem]:
    """Two patterns of equal weight that one name fits: nobody could tell which one counts.

    Two patterns overlap if one's beginning begins with the other's, and likewise their ends, so
    every pattern asks the shorter beginnings that stand on its own for a kindred end.
    """
    yield from _rivals("cookies", ground.patterns)
    yield from _rivals("storage", ground.stored)


def _rivals(section: str, names: Mapping[str, NamePattern]) -> Iterator[Problem]:
    filed: dict[tuple[int, str], dict[str, str]] = {}
    patterns = [pattern for pattern in names.values() if not pattern.is_exact]
    for pattern in sorted(patterns, key=lambda pattern: len(pattern.pieces[0])):
        beginning, end, weight = pattern.pieces[0], pattern.pieces[-1], pattern.weight
        kin = (filed.get((weight, beginning[:n])) for n in range(len(beginning) + 1))
        rivals = (_kindred_end(end, ends) for ends in kin if ends)
        rival = next(filter(None, rivals), None)
        if rival is not None:
            yield _ambiguous((section, pattern.text), rival)
        _file_end(filed.setdefault((weight, beginning), {}), end, pattern.text)


def _file_end(ends: dict[str, str], end: str, text: str) -> None:
    # Under each of its own ends, and under itself with a mark: "\0" stands in no declared name.
    for at in range(len(end) + 1):
        ends.setdefault(end[at:], text)
    ends.setdefault("\0" + end, text)


def _kindred_end(end: str, ends: Mapping[str, str]) -> str | None:
    shorter = (ends.get("\0" + end[at:]) for at in range(len(end) + 1))
    return ends.get(end) or next(filter(None, shorter), None)


def _ambiguous(loc: Loc, rival: str) -> Problem:
    return Problem(
        loc,
        f"{subject_of(loc)} and {quoted(rival)} can cover the same name, and neither is more exact",
        "Give one of them a longer literal part, or declare the names one by one.",
        at_key=True,
    )


def _own_tokens(ground: Ground) -> Iterator[Problem]:
    """The tokens are declared by this package, and only it may set them (R-83)."""
    token = ground.policy.token.name
    own = [
        f"{prefix}{token}{suffix}"
        for prefix in ("", "__Host-", "__Secure-")
        for suffix in ("", "-seen")
    ]
    for name, pattern in ground.patterns.items():
        if pattern.is_exact:
            taken = name if name in own else None
        else:
            taken = next((each for each in own if pattern.covers(each)), None)
        if taken:
            yield Problem(
                ("cookies", name),
                f"{subject_of(('cookies', name))} covers '{taken}', in which consentkit keeps the "
                "answers",
                "Take it out: it is declared already. Or give the token another 'name'.",
                at_key=True,
            )


def _plain_names(ground: Ground) -> Iterator[Problem]:
    """A token has single services beside the purposes, told apart by the sign before them."""
    for section in ("purposes", "services"):
        for name in getattr(ground.policy, section):
            if not _PLAIN_NAME.fullmatch(name):
                loc = (section, name)
                yield Problem(
                    loc,
                    f"{subject_of(loc)} has a name that cannot travel in forms and cookies",
                    "Use letters, digits, '-', '_' and '.', at most 64; the title may say "
                    "anything.",
                    at_key=True,
                )


def _too_many_purposes(ground: Ground) -> Iterator[Problem]:
    """A cookie of more than 4 KB is dropped by browsers, so no answer would ever be kept."""
    length = sum(len(name) + 3 for name in ground.policy.optional_purposes)
    if length > LONGEST_PURPOSES:
        yield Problem(
            ("purposes",),
            f"the optional purposes' names come to {length} characters, too many for a cookie",
            f"Keep them under {LONGEST_PURPOSES}: fewer purposes, or shorter names.",
            at_key=True,
        )


# What is named must be there


def _no_purposes(ground: Ground) -> Iterator[Problem]:
    if not ground.policy.purposes:
        yield Problem(
            ("purposes",),
            "the policy declares no purpose",
            "Declare at least one, with a 'title' and a 'description'.",
        )


def _items(policy: Policy) -> Iterator[tuple[Loc, Item]]:
    return (((section, name), item) for section, name, item in policy.items())


def _undeclared_purposes(ground: Ground) -> Iterator[Problem]:
    for loc, item in _items(ground.policy):
        if not item.purpose:
            cure = f"Name at least one. {_declared('purposes', ground)}"
            yield Problem((*loc, "purpose"), f"{subject_of(loc)} names no purpose", cure)
        for place, name in enumerate(item.purpose):
            if name not in ground.policy.purposes and not _was_left_out(ground, "purposes", name):
                index = (str(place),) if len(item.purpose) > 1 else ()
                what = f"{subject_of(loc)} names purpose {quoted(name)}, which is not declared"
                cure = _declared("purposes", ground, name)
                yield Problem((*loc, "purpose", *index), what, cure)


def _undeclared_services(ground: Ground) -> Iterator[Problem]:
    known = ground.policy.services
    for loc, item in _items(ground.policy):
        service = None if isinstance(item, Service) else item.service
        if service is None or service in known or _was_left_out(ground, "services", service):
            continue
        what = f"{subject_of(loc)} names service {quoted(service)}, which is not declared"
        cure = _declared("services", ground, service)
        yield Problem((*loc, "service"), what, cure)


def _was_left_out(ground: Ground, section: str, name: str) -> bool:
    """True of an entry that could not be read, or whose whole section could not."""
    return (section,) in ground.unread or (section, name) in ground.unread


def _declared(section: str, ground: Ground, word: str | None = None) -> str:
    if section not in ground.declared:
        ground.declared[section] = [
            *getattr(ground.policy, section),
            *_unread_in(section, ground),
        ]
    names = ground.declared[section]
    near = meant_by(word, names) if word else ""
    return f"Declared {section}: {some_of(names) or 'none'}.{near}"


def _unread_in(section: str, ground: Ground) -> list[str]:
    return sorted(place[1] for place in ground.unread if place[0] == section and len(place) > 1)


# Why it is strictly necessary


def _justified_for_nothing(ground: Ground) -> Iterator[Problem]:
    for name, purpose in ground.policy.purposes.items():
        if purpose.justification and ground.policy.basis_of(name) is not Basis.STRICTLY_NECESSARY:
            yield _needless_justification(("purposes", name))
    for loc, item in _items(ground.policy):
        justified = getattr(item, "justification", None)
        if justified and ground.bases_of(item) and not ground.is_necessary(item):
            yield _needless_justification(loc)


def _needless_justification(loc: Loc) -> Problem:
    return Problem(
        (*loc, "justification"),
        f"{subject_of(loc)} has a justification, and the visitor is asked about it all the same",
        "Take it away, or give its purposes 'basis: strictly-necessary' if that is what they are.",
        at_key=True,
    )


# How long


def _durations(ground: Ground, name: str, cookie: DeclaredCookie) -> Iterator[Problem]:
    loc = ("cookies", name, "duration")
    if cookie.duration is None:
        if cookie.kind in (Kind.PERSISTENT, Kind.ANALYTICS):
            what = f"{subject_of(('cookies', name))} is of kind {cookie.kind} and has no 'duration'"
            cure = "Add one, as in 'duration: 13 months', or write 'kind: session'."
            yield Problem(("cookies", name), what, cure, at_key=True)
    elif cookie.kind is Kind.SESSION:
        what = f"{subject_of(('cookies', name))} is of kind session and has a 'duration'"
        yield Problem(
            loc, what, "Take the duration away, or write 'kind: persistent'.", at_key=True
        )
    elif cookie.duration <= LONGEST or ground.policy.longest == LONGEST:
        # Where a preset allows less, that is what to say (`lints`).
        yield from _span(loc, cookie.duration)


def _stored_durations(ground: Ground) -> Iterator[Problem]:
    for name, item in ground.policy.storage.items():
        loc = ("storage", name, "duration")
        if item.duration is not None and item.where is Where.SESSION:
            what = f"{subject_of(loc)} is kept in session storage and has a 'duration'"
            cure = "Take the duration away: it goes when the tab is closed."
            yield Problem(loc, what, cure, at_key=True)
        elif item.duration == 0:
            yield from _span(loc, item.duration)


def _asking(ground: Ground) -> Iterator[Problem]:
    yield from _span(("ask-again-after",), ground.policy.ask_again_after)


def _transfers(ground: Ground) -> Iterator[Problem]:
    """A code is shown as the country's name, so it must be one that the notice can name."""
    for loc, item in _items(ground.policy):
        codes = item.transfer if isinstance(item.transfer, tuple) else ()
        for place, code in enumerate(codes):
            if code not in COUNTRIES:
                near = f" Did you mean '{code.upper()}'?" if code.upper() in COUNTRIES else ""
                yield Problem(
                    (*loc, "transfer", str(place)),
                    f"{subject_of(loc)} has {quoted(code)} under 'transfer', which is no country "
                    "code that the notice knows",
                    f"Write a code such as US or IE, or the country's name.{near}",
                )


def _span(loc: Loc, seconds: int) -> Iterator[Problem]:
    if seconds <= 0:
        what = f"{subject_of(loc)} lasts no time at all"
        yield Problem(loc, what, "Write a duration such as '1 day'.")
    elif seconds > LONGEST:
        days = -(-seconds // DAY)
        what = f"{subject_of(loc)} lasts {days} days, and browsers keep nothing longer than 400"
        yield Problem(loc, what, "Write '400 days' or less (RFC 6265bis §5.5).")


def _poll_without_id(ground: Ground, name: str, cookie: DeclaredCookie) -> Iterator[Problem]:
    pattern = ground.patterns.get(name)
    if cookie.kind is Kind.POLL_TIMEOUT and pattern and pattern.is_exact:
        yield Problem(
            ("cookies", name),
            f"{subject_of(('cookies', name))} is of kind poll-timeout and has no place for the "
            "poll in its name",
            f"Write {quoted(name + '-{pollid}')}, so that one poll's vote says nothing of another.",
            at_key=True,
        )


def _chunked_pattern(ground: Ground, name: str, cookie: DeclaredCookie) -> Iterator[Problem]:
    pattern = ground.patterns.get(name)
    if cookie.chunked and pattern and not pattern.is_exact:
        yield Problem(
            ("cookies", name, "chunked"),
            f"{subject_of(('cookies', name))} is chunked, and its name is a pattern",
            "Take 'chunked' away and end the name with '*', which covers every chunk.",
            at_key=True,
        )


# Attributes


@dataclass(frozen=True, slots=True)
class _Prefix:
    """What a name's beginning promises of its attributes (RFC 6265bis §4.1.3; R-80)."""

    text: str
    on_host: bool = False
    http_only: bool = False


_PREFIXES: Final = (
    _Prefix("__Host-Http-", on_host=True, http_only=True),
    _Prefix("__Host-", on_host=True),
    _Prefix("__Http-", http_only=True),
    _Prefix("__Secure-"),
)


def _broken_prefix(ground: Ground, name: str, cookie: DeclaredCookie) -> Iterator[Problem]:  # noqa: ARG001
    if not name.startswith("__"):
        return
    beginning = name.lower()
    prefix = next((each for each in _PREFIXES if beginning.startswith(each.text.lower())), None)
    broken = [*_broken_promises(prefix, cookie)] if prefix else []
    if prefix and broken:
        yield Problem(
            ("cookies", name),
            f"{subject_of(('cookies', name))} begins with {prefix.text}, and browsers refuse it as "
            "declared",
            f"Write {listed(broken)}, or take the prefix off its name (RFC 6265bis §4.1.3).",
            at_key=True,
        )


def _broken_promises(prefix: _Prefix, cookie: DeclaredCookie) -> Iterator[str]:
    if not cookie.attributes.secure:
        yield "'attributes: {secure: true}'"
    if prefix.http_only and not cookie.attributes.http_only:
        yield "'attributes: {http-only: true}'"
    if prefix.on_host and cookie.path != "/":
        yield "'path: /'"
    if prefix.on_host and cookie.domain is not None:
        yield "no 'domain'"


def _insecure(ground: Ground, name: str, cookie: DeclaredCookie) -> Iterator[Problem]:  # noqa: ARG001
    attributes = cookie.attributes
    if attributes.secure:
        return
    for key, is_set in (
        ("same-site", attributes.same_site == "none"),
        ("partitioned", attributes.partitioned),
    ):
        if is_set:
            value = "none" if key == "same-site" else "true"
            yield Problem(
                ("cookies", name, "attributes", key),
                f"{subject_of(('cookies', name))} has '{key}: {value}' and no 'secure: true': "
                "browsers refuse it",
                "Add 'secure: true' to its attributes.",
                at_key=True,
            )


def _paths(ground: Ground, name: str, cookie: DeclaredCookie) -> Iterator[Problem]:  # noqa: ARG001
    if not cookie.path.startswith("/") or _UNFIT_PATH.search(cookie.path):
        yield Problem(
            ("cookies", name, "path"),
            f"{subject_of(('cookies', name))} has the path {quoted(cookie.path)}, which browsers "
            "ignore",
            "A path begins with '/' and has no ';' and no control character in it.",
        )


def _cookie_domain(ground: Ground, name: str, cookie: DeclaredCookie) -> Iterator[Problem]:  # noqa: ARG001
    yield from _domain(("cookies", name, "domain"), cookie.domain)


def _token_domain(ground: Ground) -> Iterator[Problem]:
    yield from _domain(("token", "domain"), ground.policy.token.domain)


def _domain(loc: Loc, domain: str | None) -> Iterator[Problem]:
    if domain is None or _HOST.fullmatch(domain):
        return
    bare = domain.removeprefix(".")
    if _HOST.fullmatch(bare):
        cure = f"Write '{bare}': the leading dot means nothing any more."
    else:
        cure = "Write a host name such as 'example.org': no scheme, no port, no path."
    yield Problem(
        loc, f"{subject_of(loc)} has the domain {quoted(domain)}, which is no host name", cure
    )


def _hosts(ground: Ground) -> Iterator[Problem]:
    services = ground.policy.services.items()
    named: list[tuple[Loc, tuple[str, ...]]] = [
        (("site", "hosts"), ground.policy.site.hosts),
        *((("services", name, "hosts"), service.hosts) for name, service in services),
    ]
    for where, hosts in named:
        for place, host in enumerate(hosts):
            loc = (*where, str(place))
            if not _HOST_OR_BELOW.fullmatch(host):
                what = f"{subject_of(loc)} has the host {quoted(host)}, which is no host name"
                cure = (
                    "Write 'example.org', or '*.example.org' for all below it: no scheme, no path."
                )
                yield Problem(loc, what, cure)
            elif _EVERYBODYS.fullmatch(host):
                what = f"{subject_of(loc)} has the host {quoted(host)}, which covers everybody's"
                yield Problem(loc, what, "Write more of the name, as in '*.example.org'.")


def _own_and_foreign(ground: Ground) -> Iterator[Problem]:
    """What loads from the site's own host waits for nobody, and what a service loads does."""
    services = {
        plain_host(host): name
        for name, service in ground.policy.services.items()
        for host in service.hosts
    }
    for place, host in enumerate(ground.policy.site.hosts):
        if plain_host(host) in services:
            name = services[plain_host(host)]
            yield Problem(
                ("site", "hosts", str(place)),
                f"'site' has the host {quoted(host)}, and so has {subject_of(('services', name))}",
                "Take one of them away: the site's own hosts wait for no answer.",
            )


def _markers(ground: Ground) -> Iterator[Problem]:
    """A text by which an inline script is known says whose it is, and says it of one purpose."""
    first: dict[str, str] = {}
    services = ground.policy.services
    for name, service in services.items():
        for place, marker in enumerate(service.inline):
            loc = ("services", name, "inline", str(place))
            subject = subject_of(loc)
            if not _MARKER.fullmatch(marker):
                what = f"{subject} has {quoted(marker)} under 'inline', which tells no script apart"
                cure = "Write 3 to 200 characters of plain ASCII that stand in one line of it."
                yield Problem(loc, what, cure)
            other = first.setdefault(marker, name)
            if {*services[other].purpose} != {*service.purpose}:
                also = subject_of(("services", other))
                yield Problem(
                    loc,
                    f"{subject} has {quoted(marker)} under 'inline', and so has {also}, which has "
                    "another purpose",
                    "Write a text that stands in the one's script alone, or 'inline: []' where "
                    "nothing of it is inline.",
                )


# Revisions


def _from_the_future(ground: Ground) -> Iterator[Problem]:
    revision = ground.policy.revision
    purposes = ((("purposes", name), item) for name, item in ground.policy.purposes.items())
    for loc, item in (*purposes, *_items(ground.policy)):
        if item.since > revision:
            yield Problem(
                (*loc, "since"),
                f"{subject_of(loc)} stands since revision {item.since}, "
                f"and the policy is at revision {revision}",
                f"Raise 'revision' to {item.since}, or correct 'since'.",
            )


# Lists and links


def _presets(ground: Ground) -> Iterator[Problem]:
    yield from said_twice("preset", ground.policy.preset)


def _links(ground: Ground) -> Iterator[Problem]:
    policy = ground.policy
    links: list[tuple[Loc, str | None]] = [(("site", "policy"), policy.site.policy)]
    for section in ("cookies", "storage"):
        items = getattr(policy, section).items()
        links += [((section, name, "more"), item.more) for name, item in items]
    for name, service in policy.services.items():
        links += [(("services", name, key), link) for key, link in _links_of(service)]
    for loc, link in links:
        if link is not None and not _LINK.fullmatch(link):
            what = f"{subject_of(loc)} has {quoted(link)} as '{loc[-1]}', which is no link"
            yield Problem(
                loc, what, "Write 'https://…', or a path of this site that begins with '/'."
            )


def _links_of(service: Service) -> tuple[tuple[str, str | None], ...]:
    return ("privacy", service.privacy), ("opt-out", service.opt_out)


# Integrations


def _integrations(ground: Ground) -> Iterator[Problem]:
    """Their signals hang on what a visitor answers to: on nothing else can there be an answer."""
    policy = ground.policy
    for key, integration in policy.integrations.used():
        places = {
            ("integrations", *place_of_signal(key, signal), *index): name
            for signal, purposes in integration.purposes_of.items()
            for place, name in enumerate(purposes)
            for index in [(str(place),) if len(purposes) > 1 else ()]
        }
        if not places:
            what = f"'{key}' names no purpose, so that everything would stay denied"
            cure = f"Name those that its signals hang on. {_declared('purposes', ground)}"
            yield Problem(("integrations", key), what, cure, at_key=True)
        for loc, name in places.items():
            if name in policy.purposes:
                yield from _never_asked(ground, loc, name)
            elif not _was_left_out(ground, "purposes", name):
                what = f"'{key}' names purpose {quoted(name)}, which is not declared"
                yield Problem(loc, what, _declared("purposes", ground, name))


def _never_asked(ground: Ground, loc: Loc, name: str) -> Iterator[Problem]:
    if ground.policy.basis_of(name) is Basis.STRICTLY_NECESSARY:
        yield Problem(
            loc,
            f"'{loc[1]}' names purpose {quoted(name)}, which is strictly necessary: nobody is "
            "asked about it",
            "Name a purpose that the visitor answers to, or take the line away.",
        )


def _google(ground: Ground) -> Iterator[Problem]:
    google = ground.policy.integrations.google_consent_mode
    if google is None:
        return
    above = ("integrations", "google-consent-mode")
    for place, code in enumerate(google.region):
        if not _REGION.fullmatch(code):
            near = f" Did you mean '{code.upper()}'?" if _REGION.fullmatch(code.upper()) else ""
            what = f"'google-consent-mode' has {quoted(code)} under 'region', which is no region"
            cure = f"Write a code of ISO 3166-2 such as DE or US-CA.{near}"
            yield Problem((*above, "region", str(place)), what, cure)
    if google.url_passthrough and not google.signals.ad_storage:
        yield Problem(
            (*above, "url-passthrough"),
            "'url-passthrough' is true, and nobody can agree to it: 'ad_storage' has no purpose",
            "Name one under 'signals', or take 'url-passthrough' away (R-57).",
            at_key=True,
        )


CookieRule = Callable[[Ground, str, DeclaredCookie], Iterator[Problem]]

RULES: Final[tuple[tuple[tuple[str, ...], Rule], ...]] = (
    # leans on             rule
    ((), _no_patterns),
    ((), _unfit_names),
    ((), _unfit_keys),
    ((), _ambiguous_patterns),
    (("token",), _own_tokens),
    ((), _plain_names),
    (("mode",), _too_many_purposes),
    (("purposes",), _no_purposes),
    ((), _undeclared_services),
    ((), _undeclared_purposes),
    ((), _justified_for_nothing),
    ((), _asking),
    ((), _stored_durations),
    ((), _transfers),
    ((), _token_domain),
    ((), _hosts),
    ((), _own_and_foreign),
    ((), _markers),
    (("mode",), _integrations),
    ((), _google),
    (("revision",), _from_the_future),
    ((), _presets),
    ((), _links),
    *NOTICE_RULES,
)
COOKIE_RULES: Final[tuple[CookieRule, ...]] = (
    _durations,
    _poll_without_id,
    _chunked_pattern,
    _broken_prefix,
    _insecure,
    _paths,
    _cookie_domain,
)
