"""What speaks against a policy that could hold: the law's guidance, and what is known of the web.

It has never heard of files or visitors: a `Problem` names the key it stands at.

`faults` says what cannot be; here stands what a regulator or a colleague would say. Most of it
warns. What a policy promised by naming a preset, and what nobody could mean (a known tracker
called strictly necessary), is an error. `LINTS` is the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import PurePath
from typing import Final, Literal

from consentkit.rules import catalogue
from consentkit.rules.hosts import plain_host
from consentkit.rules.misleading_words import misleading_words_in
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import (
    DAY,
    LONGEST,
    PRESETS,
    Basis,
    DeclaredCookie,
    Item,
    Justification,
    Kind,
    Mode,
    PagesMode,
    Policy,
    Preset,
    PresetRules,
    Service,
    TakesEffect,
    print_duration,
)
from consentkit.rules.problems import (
    Ground,
    Loc,
    Problem,
    ground_of,
    listed,
    meant_by,
    quoted,
    repeated,
    some_of,
    subject_of,
)
from consentkit.rules.signals import Signal
from consentkit.rules.texts import says_going_on, unwritten
from consentkit.rules.trackers import (
    TrackedName,
    is_known_name,
    overlapping,
    tracker_of_host,
    tracker_of_name,
    tracker_of_service,
)

__all__ = ["lints_in", "lints_on"]


def lints_in(
    policy: Policy, unread: Collection[Loc] = (), spoken: Collection[str] = ()
) -> list[Problem]:
    """What speaks against a policy, warnings and errors, in no particular order.

    `unread` are the places of entries that were left out because they are faulty themselves;
    `spoken` the languages that the notice has words in, none if that does not matter here.
    """
    return lints_on(ground_of(policy, unread), spoken)


def lints_on(ground: Ground, spoken: Collection[str] = ()) -> list[Problem]:
    """As `lints_in`, where the ground is laid already."""
    unread_keys = {place[0] for place in ground.unread}
    found = [
        problem
        for leans_on, lint in LINTS
        if unread_keys.isdisjoint(leans_on)
        for problem in lint(ground)
    ]
    return [*found, *_unspoken(ground.policy, spoken)]


# Presets


def _strictest(policy: Policy, rule: Callable[[PresetRules], float]) -> list[Preset]:
    """The presets that ask most, where `rule` gives the less the more is asked."""
    presets = list(dict.fromkeys(policy.preset))
    least = min((rule(PRESETS[preset]) for preset in presets), default=None)
    return [preset for preset in presets if rule(PRESETS[preset]) == least]


def _named(presets: list[Preset], does: str) -> str:
    """``preset 'eu' allows``, ``presets 'eu' and 'de' allow``."""
    names = listed(f"'{preset}'" for preset in presets)
    return f"presets {names} {does}" if len(presets) > 1 else f"preset {names} {does}s"


def _preset_bases(ground: Ground) -> Iterator[Problem]:
    """No preset of the EU, the EEA or the UK knows implied consent (R-09)."""
    policy = ground.policy
    strictest = _strictest(policy, lambda rules: len(rules.bases))
    if not strictest:
        return
    allowed = PRESETS[strictest[0]].bases
    by_mode: list[str] = []
    for name in policy.optional_purposes:
        if policy.basis_of(name) in allowed:
            continue
        if policy.purposes[name].basis is None:
            by_mode.append(name)
        else:
            loc = ("purposes", name, "basis")
            yield _basis_of_no_preset(loc, [name], policy.basis_of(name), strictest)
    if by_mode:
        basis = policy.basis_of(by_mode[0])
        yield _basis_of_no_preset(("mode",), by_mode, basis, strictest)


def _basis_of_no_preset(
    loc: Loc, purposes: list[str], basis: Basis, strictest: list[Preset]
) -> Problem:
    allowed = listed(sorted(PRESETS[strictest[0]].bases), "or")
    names = "mode: explicit" if loc == ("mode",) else "basis: consent"
    return Problem(
        loc,
        f"{_these('purpose', purposes)} the basis {basis}, and {_named(strictest, 'allow')} "
        f"{allowed}",
        f"Write '{names}', or take the preset out if these are not the rules of this site.",
    )


def _these(noun: str, names: list[str]) -> str:
    """``purpose 'a' has``, ``purposes 'a', 'b' and 3 more have``."""
    if len(names) == 1:
        return f"{noun} {quoted(names[0])} has"
    return f"{noun}s {some_of([*map(quoted, names)], 4)} have"


def _preset_durations(ground: Ground) -> Iterator[Problem]:
    """The strictest of the presets holds for what a cookie may live (R-24)."""
    policy = ground.policy
    longest = policy.longest
    if longest == LONGEST:
        return
    strictest = _named(_strictest(policy, lambda rules: rules.longest), "allow")
    for name, cookie in policy.cookies.items():
        lasts = cookie.duration or 0
        if cookie.kind is not Kind.SESSION and lasts > longest:
            loc = ("cookies", name, "duration")
            days = -(-lasts // DAY)
            yield Problem(
                loc,
                f"{subject_of(loc)} lasts {days} days, and {strictest} {longest // DAY}",
                f"Write '{print_duration(longest)}' or less.",
            )


def _preset_asking(ground: Ground) -> Iterator[Problem]:
    """Whoever said no is left alone for a time (R-19, R-21)."""
    policy = ground.policy
    strictest = _strictest(policy, lambda rules: -rules.ask_again)
    least = PRESETS[strictest[0]].ask_again if strictest else 0
    if policy.ask_again_after < least:
        yield Problem(
            ("ask-again-after",),
            f"visitors are asked again after {policy.ask_again_after // DAY} days, and "
            f"{_named(strictest, 'leave')} them alone for {least // DAY}",
            f"Write 'ask-again-after: {print_duration(least)}'.",
            at_key=True,
        )


def _preset_signals(ground: Ground) -> Iterator[Problem]:
    """Where the law says that GPC is an opt-out, no purpose may be deaf to it (R-37)."""
    policy = ground.policy
    winning = [preset for preset in dict.fromkeys(policy.preset) if PRESETS[preset].signals_win]
    for name in policy.optional_purposes if winning else ():
        if Signal.GPC not in policy.purposes[name].honours:
            loc = ("purposes", name, "honours")
            yield Problem(
                loc,
                f"{subject_of(loc)} must honour GPC under {_named(winning, '').removesuffix(' s')}",
                "Write 'honours: [gpc]', or take the key away.",
            )


# What is called strictly necessary


def _necessary(ground: Ground) -> Iterator[Problem]:
    """Known trackers are not what the visitor came for (R-32); the rest says why it is (R-30)."""
    for section, name, item in ground.policy.items():
        if ground.is_necessary(item):
            told = [*_necessary_tracker(ground, (section, name), item)]
            yield from told
            if all(each.is_warning for each in told):
                yield from _unjustified(ground, (section, name), item)


def _necessary_tracker(ground: Ground, loc: Loc, item: Item) -> Iterator[Problem]:
    if isinstance(item, Service):
        yield from islice(_necessary_service(loc, item), 1)
        return
    pattern, section = _pattern_at(ground, loc)
    tracked = _tracked(section, pattern, item) if pattern else None
    if tracked:
        yield _called_necessary(loc, _told(tracked), is_warning=not tracked.is_sure)
    elif isinstance(item, DeclaredCookie) and item.kind is Kind.ANALYTICS:
        what = f"{subject_of(loc)} is for analytics, and its purpose is strictly necessary"
        cure = "Give it a purpose the visitor answers to: nobody comes to be measured (WP 194)."
        yield Problem((*loc, "kind"), what, cure)
    elif pattern and not is_known_name(section, pattern):
        yield from _of_a_tracker(ground, loc, item.service)


def _pattern_at(
    ground: Ground, loc: Loc
) -> tuple[NamePattern | None, Literal["cookies", "storage"]]:
    if loc[0] == "cookies":
        return ground.patterns.get(loc[1]), "cookies"
    return ground.stored.get(loc[1]), "storage"


def _tracked(
    section: Literal["cookies", "storage"], pattern: NamePattern, item: Item
) -> TrackedName | None:
    chunked = isinstance(item, DeclaredCookie) and item.chunked
    return tracker_of_name(section, pattern, chunked=chunked)


def _called_necessary(loc: Loc, told: str, *, is_warning: bool = False) -> Problem:
    return Problem(
        loc,
        f"{subject_of(loc)} is declared strictly necessary, and {told}",
        "Give it a purpose that the visitor answers to (R-32).",
        at_key=True,
        is_warning=is_warning,
    )


def _told(tracked: TrackedName) -> str:
    known = tracked.known
    of_service = f" of {known.service}" if known.service else ""
    return f"'{known.name}'{of_service} is known to be for {_FOR[known.purpose]}"


_FOR: Final = {
    "analytics": "analytics",
    "advertising": "advertising",
    "tags": "loading other parties' scripts",
}


def _of_a_tracker(ground: Ground, loc: Loc, service: str | None) -> Iterator[Problem]:
    """A name that nobody knows, of a service that is known to track."""
    known = tracker_of_service(service)
    if known is None and service in ground.policy.services:
        hosts = ground.policy.services[service].hosts
        met = next(filter(None, map(tracker_of_host, hosts)), None)
        known = met.service if met else None
    if known:
        told = f"its service, {known.title}, is known to be for {_FOR[known.purpose]}"
        yield _called_necessary(loc, told)


def _necessary_service(loc: Loc, service: Service) -> Iterator[Problem]:
    known = tracker_of_service(loc[1])
    if known:
        told = f"{known.title} is known to be for {_FOR[known.purpose]}"
        yield _called_necessary(loc, told)
    listed_for_it = catalogue.services().get(loc[1])
    for host in service.hosts:
        met = tracker_of_host(host)
        if met is None:
            continue
        told = f"{met.service.title} is known to be for {_FOR[met.service.purpose]}"
        if met.within is None:
            yield _called_necessary(loc, told)
        elif listed_for_it is None or host not in listed_for_it.hosts:
            yield _wide_host(loc, host, f"'{met.within}', and {told}")


def _wide_host(loc: Loc, host: str, told: str) -> Problem:
    return Problem(
        loc,
        f"{subject_of(loc)} is declared strictly necessary, and its {quoted(host)} covers {told}",
        "Name the hosts that it needs one by one, or give it a purpose that the visitor answers "
        "to (R-32).",
        at_key=True,
    )


def _unjustified(ground: Ground, loc: Loc, item: Item) -> Iterator[Problem]:
    """What is strictly necessary says which of the exempt reasons holds (WP 194; R-30)."""
    purposes = ground.policy.purposes
    bare = [name for name in item.purpose if not purposes[name].justification]
    if bare and not getattr(item, "justification", None):
        own = "" if loc[0] == "services" else "it or to "
        yield Problem(
            loc,
            f"{subject_of(loc)} is strictly necessary and does not say why",
            f"Add a 'justification' to {own}purpose {quoted(bare[0])}: {_JUSTIFICATIONS}.",
            at_key=True,
        )


_JUSTIFICATIONS: Final = listed(Justification, "or")


def _polls_of_trackers(ground: Ground) -> Iterator[Problem]:
    """A vote may be kept before an answer (R-27), so nothing else may be called one."""
    for name, cookie in ground.policy.cookies.items():
        pattern = ground.patterns.get(name) if cookie.kind is Kind.POLL_TIMEOUT else None
        tracked = tracker_of_name("cookies", pattern) if pattern else None
        if tracked and not ground.is_necessary(cookie):
            loc = ("cookies", name)
            yield Problem(
                (*loc, "kind"),
                f"{subject_of(loc)} is of kind poll-timeout, and {_told(tracked)}",
                "Write 'kind: analytics' or 'kind: persistent': there is no poll in it (R-32).",
                is_warning=not tracked.is_sure,
            )


# Wildcards

_SHORTEST: Final = 3
"""Literal characters that a wildcard needs, so that it names something."""


_MOST_COMPARED: Final = 32
"""Wildcards with placeholders and one beginning that a name is compared with."""


def _greedy_wildcards(ground: Ground) -> Iterator[Problem]:
    """A pattern must not group items of different purposes (R-76)."""
    for section, patterns in (("cookies", ground.patterns), ("storage", ground.stored)):
        wild = [pattern for pattern in patterns.values() if pattern.gaps[-1:] == (0,)]
        for pattern in wild:
            if pattern.weight < _SHORTEST:
                yield _too_short((section, pattern.text), pattern)
        items: Mapping[str, Item] = getattr(ground.policy, section)
        for wildcard, names in _swallowed(wild, patterns.values(), items).items():
            yield _too_greedy((section, wildcard), names)


def _swallowed(
    wild: Iterable[NamePattern], patterns: Iterable[NamePattern], items: Mapping[str, Item]
) -> dict[str, list[str]]:
    """The names of another purpose that each wildcard covers."""
    purposes = {name: frozenset(item.purpose) for name, item in items.items()}
    filed: dict[str, dict[frozenset[str], list[NamePattern]]] = {}
    for wildcard in wild:
        kin = filed.setdefault(wildcard.pieces[0], {})
        kin.setdefault(purposes[wildcard.text], []).append(wildcard)
    lengths = sorted({len(beginning) for beginning in filed})
    found: dict[str, list[str]] = {}
    for pattern in patterns:
        sample, own = _SAMPLE.join(pattern.pieces), purposes[pattern.text]
        for length in lengths:
            kin = filed.get(sample[:length], {})
            others = (each for of, each in kin.items() if of != own)
            for wildcard in islice(chain.from_iterable(others), _MOST_COMPARED):
                if wildcard.covers(sample):
                    found.setdefault(wildcard.text, []).append(pattern.text)
    return found


_SAMPLE: Final = "x"
"""Stands for what a placeholder is filled with."""


def _too_short(loc: Loc, pattern: NamePattern) -> Problem:
    return Problem(
        loc,
        f"{subject_of(loc)} covers every name that begins with {pattern.pieces[0]!r}",
        f"Write {_SHORTEST} characters or more before the '*', or the names one by one (R-76).",
        at_key=True,
        is_warning=True,
    )


def _too_greedy(loc: Loc, names: list[str]) -> Problem:
    also = some_of([quoted(name) for name in names], 4)
    have = "which have other purposes" if len(names) > 1 else "which has another purpose"
    return Problem(
        loc,
        f"{subject_of(loc)} also covers {also}, {have}",
        "Write more of the name before the '*', so that one pattern has one purpose (R-76).",
        at_key=True,
    )


# What the visitor reads


def _misleading_words(ground: Ground) -> Iterator[Problem]:
    """What regulators and courts called misleading; it stops a site that asks, in its notice."""
    is_asking = ground.policy.mode is Mode.EXPLICIT
    for loc, text in ground.texts:
        is_notice = loc[0] == "banner" or (loc[0] == "texts" and not says_going_on(loc[-1]))
        parts = {loc: text} if isinstance(text, str) else {(*loc, tag): text[tag] for tag in text}
        for place, words in parts.items():
            for found in misleading_words_in(words):
                yield Problem(
                    place,
                    f"{subject_of(loc)} says {quoted(found.words)} in '{loc[-1]}', "
                    f"which {found.what}",
                    found.cure,
                    is_warning=not (is_asking and is_notice),
                )


# Languages


_WORDS: Final = frozenset({"title", "description", "body", "accept", "reject"})


def _untranslated(ground: Ground) -> Iterator[Problem]:
    """A language that is promised and not written is one language the more for the visitor."""
    languages = ground.policy.languages
    texts = [(loc, text) for loc, text in ground.texts if _is_translated(loc)]
    written = Counter(tag for _, text in texts if isinstance(text, dict) for tag in text)
    again = {place for place, _, _ in repeated(languages)}
    for place, tag in enumerate(languages[1:], start=1):
        missing = len(texts) - written[tag]
        if missing and place not in again:
            loc = next(loc for loc, text in texts if isinstance(text, str) or tag not in text)
            yield Problem(
                ("languages", str(place)),
                f"{missing} of {len(texts)} texts have no words in {quoted(tag)}, "
                f"as {subject_of(loc)}: '{loc[-1]}'",
                f"Write them as {{{some_of(languages[:1])}: …, {some_of([tag])}: …}}: until then "
                f"visitors read them in {quoted(languages[0])}.",
                is_warning=True,
            )


def _is_translated(loc: Loc) -> bool:
    return loc[0] not in ("services", "texts") and loc[-1] in _WORDS


_READ_AS: Final = {"iw": "he", "nn": "nb", "no": "nb"}
"""Languages whose readers are given the words of another one."""


def _unspoken(policy: Policy, spoken: Collection[str]) -> Iterator[Problem]:
    """A language that we have no words in, and for which the site has not written them all."""
    known = {tag.partition("-")[0].lower() for tag in spoken}
    for place, tag in enumerate(policy.languages if spoken else ()):
        bare, own = tag.partition("-")[0].lower(), policy.texts.get(tag, {})
        missing = [] if _READ_AS.get(bare, bare) in known else unwritten(own)
        if missing:
            lacks = f"lacks {len(missing)} of its texts" if own else "has no words of its own"
            some = f", as '{missing[0]}'" if own else ""
            near = meant_by(tag, spoken)
            yield Problem(
                ("languages", str(place)),
                f"the notice {lacks} in {quoted(tag)}{some}",
                f"It speaks English there, until you write them under 'texts'.{near}",
                is_warning=True,
            )


# Implied consent


def _at_once(ground: Ground) -> Iterator[Problem]:
    policy = ground.policy
    if policy.takes_effect is TakesEffect.AT_ONCE:
        yield Problem(
            ("takes-effect",),
            "'takes-effect: at-once' stores everything before the visitor could say no",
            "No regulator calls that consent. Write 'next-page', or ask: 'mode: explicit' (R-09).",
            is_warning=True,
        )


_NOWHERE: Final = {
    Basis.IMPLIED: "no regulator of the EU, the EEA or the UK accepts consent by going on",
    Basis.OPT_OUT: "no regulator of the EU or the EEA accepts storage until somebody objects, "
    "and the UK does for statistics and appearance alone",
}


def _unasked_where(ground: Ground) -> Iterator[Problem]:
    """Where a site may store before it asks hangs on where its visitors are (R-09)."""
    policy = ground.policy
    if policy.preset:
        return
    for name in policy.optional_purposes:
        if policy.purposes[name].basis in _NOWHERE:
            yield _nowhere(("purposes", name, "basis"), policy.basis_of(name), "basis: consent")
    by_mode = any(policy.purposes[name].basis is None for name in policy.optional_purposes)
    if by_mode and policy.mode is not Mode.EXPLICIT:
        yield _nowhere(("mode",), Basis(policy.mode), "mode: explicit")


def _nowhere(loc: Loc, basis: Basis, cure: str) -> Problem:
    return Problem(
        loc,
        _NOWHERE[basis],
        f"If your visitors are there, write '{cure}'. If they are not, say so with a "
        "preset, as in 'preset: us-other' (R-09).",
        is_warning=True,
    )


def _implied_on_shared_pages(ground: Ground) -> Iterator[Problem]:
    """A page that a cache keeps is no page view that the site hears of (R-09)."""
    policy = ground.policy
    implied = [name for name in policy.purposes if policy.basis_of(name) is Basis.IMPLIED]
    if policy.pages is PagesMode.SHARED and implied:
        yield Problem(
            ("pages",),
            f"'pages' is shared, and {_these('purpose', implied)} the basis implied: consent is "
            "never implied on shared pages",
            "Write 'pages: private', or ask: 'mode: explicit'. Until then what is implied waits "
            "for a yes.",
            is_warning=True,
        )


# How it is withdrawn, and where nothing can be given


def _slower_withdrawal(ground: Ground) -> Iterator[Problem]:
    """A press gives consent in the banner, so a press takes it back, on every page (R-13)."""
    policy = ground.policy
    if policy.settings_link == "manual" and policy.optional_purposes:
        yield Problem(
            ("settings-link",),
            "'settings-link' is manual, so that withdrawing takes a press more than accepting did",
            "Write 'auto', or have a form on each page that posts 'choice=withdraw' (R-13).",
            is_warning=True,
        )


def _all_for_children(ground: Ground) -> Iterator[Problem]:
    """Nothing optional is on where pages are for children (R-11); here, that is nowhere."""
    policy = ground.policy
    for place, path in enumerate(policy.child_directed):
        if not path.strip("/") and policy.optional_purposes:
            names = some_of([*map(quoted, policy.optional_purposes)], 4)
            yield Problem(
                ("child-directed", str(place)),
                f"'child-directed' names the whole site, so that {names} can never be on",
                "Take the optional purposes out, or name the paths that are for children (R-11).",
                is_warning=True,
            )


def _paths_below(ground: Ground) -> Iterator[Problem]:
    paths = ground.policy.child_directed
    over = told = None
    # In this order, what is below a path follows it.
    for path, place in sorted((f"{path.rstrip('/')}/", place) for place, path in enumerate(paths)):
        if over is None or not path.startswith(over):
            over = path
            continue
        if path == told:
            continue
        told = path
        said = "twice" if path == over else f"and {quoted(over)}, which it is below"
        yield Problem(
            ("child-directed", str(place)),
            f"'child-directed' names {quoted(paths[place])} {said}",
            "Take it away: all below a path is meant.",
            is_warning=True,
        )


# Where templates are


def _templates_of_nowhere(ground: Ground) -> Iterator[Problem]:
    """A policy's file makes the path whole; a text, and plain data, stand in no folder."""
    folder = ground.policy.templates
    if folder and folder.strip() and not PurePath(folder).is_absolute():
        yield Problem(
            ("templates",),
            f"'templates' is {quoted(folder)}, and this policy stands in no folder",
            "It counts from where the site is started: write the whole path, or save the policy as "
            "a file, and load it with load_policy.",
            is_warning=True,
        )


# What integrations tell


def _unredacted(ground: Ground) -> Iterator[Problem]:
    google = ground.policy.integrations.google_consent_mode
    if google and not google.ads_data_redaction:
        yield Problem(
            ("integrations", "google-consent-mode", "ads-data-redaction"),
            "'ads-data-redaction' is false, so requests carry identifiers of advertising although "
            "it is denied",
            "Take the line away: it is true where nothing is said (R-57).",
            at_key=True,
            is_warning=True,
        )


def _matomo_waits_itself(ground: Ground) -> Iterator[Problem]:
    """Matomo without cookies counts before an answer, as long as it may load."""
    policy = ground.policy
    matomo, service = policy.integrations.matomo, policy.services.get("matomo")
    if matomo is None or service is None or matomo.consent != "cookies":
        return
    both = [
        name
        for name in matomo.purpose
        if name in service.purpose and name in policy.optional_purposes
    ]
    if both:
        yield Problem(
            ("integrations", "matomo", "consent"),
            f"Matomo's cookies wait for {quoted(both[0])}, and so does {_MATOMO} itself: it never "
            "runs without them",
            f"Write 'consent: tracking', or give {_MATOMO} another purpose (R-59).",
            is_warning=True,
        )


_MATOMO: Final = subject_of(("services", "matomo"))


# What a service brings along


def _unlisted_cookies(ground: Ground) -> Iterator[Problem]:
    """A service that sets cookies where it is used, and none is declared: they would be blocked."""
    policy = ground.policy
    usual = _usual_cookies()
    waiting = policy.services.keys() & usual.keys()
    waiting -= {cookie.service for cookie in policy.cookies.values()}
    for pattern in ground.patterns.values() if waiting else ():
        waiting -= {known.service for known in overlapping("cookies", pattern)}
    for name in policy.services:
        if name in waiting:
            yield _unlisted(("services", name), usual[name])


def _usual_cookies() -> dict[str, list[str]]:
    """The cookies that each service sets as the site's own."""
    usual: dict[str, list[str]] = {}
    for known in catalogue.cookies():
        if known.service and known.where == "cookie" and known.party == "first":
            usual.setdefault(known.service, []).append(known.name)
    return usual


def _unlisted(loc: Loc, names: list[str]) -> Problem:
    shown = [f"'{name}'" for name in names[:2]]
    more = ["more"] if len(names) > len(shown) else []
    those = "none of them is declared" if len(names) > 1 else "it is not declared"
    return Problem(
        loc,
        f"{subject_of(loc)} usually sets {listed([*shown, *more])}, and {those}",
        f"Declare those that your site has, with 'service: {loc[1]}', so that visitors can read "
        "of them.",
        at_key=True,
        is_warning=True,
    )


def _own_trackers(ground: Ground) -> Iterator[Problem]:
    """A known tracker is nobody's own: what loads from there waits for an answer (R-32)."""
    for place, host in enumerate(ground.policy.site.hosts):
        met = tracker_of_host(host)
        if met:
            covers = f"covers '{met.within}', and " if met.within else ""
            title, what_for = met.service.title, _FOR[met.service.purpose]
            yield Problem(
                ("site", "hosts", str(place)),
                f"'site' has the host {quoted(host)}, which {covers}is known: {title} is for "
                f"{what_for}",
                f"Declare it under 'services', as in '{met.service.key}: {{purpose: …}}' (R-32).",
            )


def _shared_hosts(ground: Ground) -> Iterator[Problem]:
    """Whatever loads from a host has one purpose, or nobody can say whether it may (R-28)."""
    first: dict[str, str] = {}
    services = ground.policy.services
    for name, service in services.items():
        for place, host in enumerate(service.hosts):
            other = first.setdefault(plain_host(host), name)
            if {*services[other].purpose} != {*service.purpose}:
                yield Problem(
                    ("services", name, "hosts", str(place)),
                    f"{subject_of(('services', name))} has the host {quoted(host)}, and so has "
                    f"{subject_of(('services', other))}, which has another purpose",
                    "Name it once, or give both one purpose: what it loads cannot have two.",
                    is_warning=True,
                )


Lint = Callable[[Ground], Iterator[Problem]]

LINTS: Final[tuple[tuple[tuple[str, ...], Lint], ...]] = (
    # leans on             lint
    (("mode",), _preset_bases),
    ((), _preset_durations),
    (("ask-again-after",), _preset_asking),
    (("mode",), _preset_signals),
    ((), _necessary),
    ((), _polls_of_trackers),
    ((), _greedy_wildcards),
    (("mode",), _misleading_words),
    (("languages",), _untranslated),
    ((), _at_once),
    (("mode", "preset"), _unasked_where),
    (("mode",), _implied_on_shared_pages),
    (("mode",), _slower_withdrawal),
    (("mode",), _all_for_children),
    ((), _paths_below),
    ((), _templates_of_nowhere),
    ((), _unredacted),
    (("mode",), _matomo_waits_itself),
    ((), _own_trackers),
    (("cookies",), _unlisted_cookies),
    ((), _shared_hosts),
)
