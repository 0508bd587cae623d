"""What speaks against a policy that could hold: the law's guidance, and what is known of the web.

It has never heard of files or visitors: a `Problem` names the key it stands at.

`faults` says what cannot be; here stands what a regulator or a colleague would say. Most of it
warns. What a policy promised by naming a preset, and what nobody could mean (a known tracker
called strictly necessary), is an error. `LINTS` is the table.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from typing import Final, NamedTuple

from consentkit.errors import did_you_mean
from consentkit.rules import catalogue
from consentkit.rules.faults import Ground, Loc, Problem, ground_of, listed, subject_of
from consentkit.rules.names import NamePattern
from consentkit.rules.policy import (
    DAY,
    LONGEST,
    PRESETS,
    Mode,
    Policy,
    Service,
    TakesEffect,
)
from consentkit.rules.signals import Signal

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


def _preset_bases(ground: Ground) -> Iterator[Problem]:
    """No preset of the EU, the EEA or the UK knows implied consent (R-09)."""
    policy = ground.policy
    for preset in policy.preset:
        allowed = PRESETS[preset].bases
        for name in policy.optional_purposes:
            basis = policy.basis_of(name)
            if basis not in allowed:
                own = policy.purposes[name].basis is not None
                yield Problem(
                    ("purposes", name, "basis") if own else ("mode",),
                    f"purpose '{name}' has the basis {basis}, and preset '{preset}' "
                    f"allows {listed(sorted(allowed), 'or')}",
                    f"Write '{'basis: consent' if own else 'mode: explicit'}', or take the preset "
                    "out if these are not the rules of this site.",
                )


def _preset_durations(ground: Ground) -> Iterator[Problem]:
    """The strictest of the presets holds for what a cookie may live (R-24)."""
    policy = ground.policy
    for preset in policy.preset:
        longest = PRESETS[preset].longest
        for name, cookie in policy.cookies.items():
            if cookie.duration is not None and longest < cookie.duration <= LONGEST:
                yield Problem(
                    ("cookies", name, "duration"),
                    f"cookie '{name}' lasts {cookie.duration // DAY} days, and preset '{preset}' "
                    f"allows {longest // DAY}",
                    "Write '13 months' or less.",
                )


def _preset_asking(ground: Ground) -> Iterator[Problem]:
    """Whoever said no is left alone for a time (R-19, R-21)."""
    policy = ground.policy
    for preset in policy.preset:
        least = PRESETS[preset].ask_again
        if policy.ask_again_after < least:
            months = "12 months" if least > 182 * DAY else "6 months"
            yield Problem(
                ("ask-again-after",),
                f"visitors are asked again after {policy.ask_again_after // DAY} days, and preset "
                f"'{preset}' leaves them alone for {least // DAY}",
                f"Write 'ask-again-after: {months}'.",
                at_key=True,
            )


def _preset_signals(ground: Ground) -> Iterator[Problem]:
    """Where the law says that GPC is an opt-out, no purpose may be deaf to it (R-37)."""
    policy = ground.policy
    winning = [preset for preset in policy.preset if PRESETS[preset].signals_win]
    for name in policy.optional_purposes if winning else ():
        if Signal.GPC not in policy.purposes[name].honours:
            yield Problem(
                ("purposes", name, "honours"),
                f"purpose '{name}' does not honour GPC, and preset '{winning[0]}' does",
                "Write 'honours: [gpc]', or take the key away.",
            )


# What is called strictly necessary

_TRACKING: Final = frozenset({"analytics", "advertising", "tags"})
"""Purposes in the catalogue that nobody needs for the page they asked for."""


def _necessary_trackers(ground: Ground) -> Iterator[Problem]:
    """Known analytics and advertising is not what the visitor came for (R-32)."""
    for section, name, item in ground.policy.items():
        if not ground.is_necessary(item):
            continue
        if isinstance(item, Service):
            yield from _necessary_service((section, name), item)
        else:
            pattern = (ground.patterns if section == "cookies" else ground.stored).get(name)
            if pattern:
                yield from _necessary_name((section, name), pattern)


def _necessary_name(loc: Loc, pattern: NamePattern) -> Iterator[Problem]:
    known = _known_tracker(loc[0], pattern)
    if known:
        yield Problem(
            loc,
            f"{subject_of(loc)} is declared strictly necessary, and {_told(known)}",
            "Give it a purpose that the visitor answers to (R-32).",
            at_key=True,
            is_warning=known.shared,
        )


def _told(known: catalogue.KnownCookie) -> str:
    name = f"'{known.name}'" if known.service is None else f"'{known.name}' of {known.service}"
    return f"{name} is known to be for {_FOR[known.purpose]}"


_FOR: Final = {
    "analytics": "analytics",
    "advertising": "advertising",
    "tags": "loading other parties' scripts",
}


def _known_tracker(section: str, pattern: NamePattern) -> catalogue.KnownCookie | None:
    """The known tracker that a declared name is, or that a pattern would let through."""
    trackers = _trackers(section)
    if pattern.is_exact:
        find = catalogue.known_cookie if section == "cookies" else catalogue.known_storage
        known = find(pattern.text)
        return known if known and known.name in trackers else None
    beginning = pattern.pieces[0]
    if not beginning:
        return None
    names = _tracker_names(section)
    for name in names[bisect_left(names, beginning) :]:
        if not name.startswith(beginning):
            break
        if pattern.covers(name):
            return trackers[name]
    return None


@cache
def _trackers(section: str) -> Mapping[str, catalogue.KnownCookie]:
    return {
        known.name: known
        for known in catalogue.cookies()
        if known.purpose in _TRACKING and (known.where == "cookie") is (section == "cookies")
    }


@cache
def _tracker_names(section: str) -> tuple[str, ...]:
    return tuple(sorted(_trackers(section)))


def _necessary_service(loc: Loc, service: Service) -> Iterator[Problem]:
    known = catalogue.services().get(loc[1])
    by_host = (catalogue.service_of_host(host.removeprefix("*.")) for host in service.hosts)
    for each in (known, *by_host):
        if each is not None and each.purpose in _TRACKING:
            yield Problem(
                loc,
                f"{subject_of(loc)} is declared strictly necessary, and {each.title} is known to "
                f"be for {_FOR[each.purpose]}",
                "Give it a purpose that the visitor answers to (R-32).",
                at_key=True,
            )
            return


# Wildcards

_SHORTEST: Final = 3
"""Literal characters that a wildcard needs, so that it names something."""


def _greedy_wildcards(ground: Ground) -> Iterator[Problem]:
    """A pattern must not group items of different purposes (R-76)."""
    for section, patterns in (("cookies", ground.patterns), ("storage", ground.stored)):
        wild = [pattern for pattern in patterns.values() if pattern.gaps[-1:] == (0,)]
        by_beginning: dict[str, list[NamePattern]] = {}
        for pattern in wild:
            by_beginning.setdefault(pattern.pieces[0], []).append(pattern)
            if pattern.weight < _SHORTEST:
                yield _too_short((section, pattern.text), pattern)
        lengths = sorted({len(beginning) for beginning in by_beginning})
        for name, pattern in patterns.items():
            sample = _SAMPLE.join(pattern.pieces)
            for length in lengths:
                for wildcard in by_beginning.get(sample[:length], ()):
                    if wildcard is not pattern and wildcard.covers(sample):
                        yield from _swallowed(ground, section, wildcard.text, name)


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


def _swallowed(ground: Ground, section: str, wildcard: str, name: str) -> Iterator[Problem]:
    items = getattr(ground.policy, section)
    if {*items[wildcard].purpose} != {*items[name].purpose}:
        yield Problem(
            (section, wildcard),
            f"{subject_of((section, wildcard))} also covers '{name}', which has another purpose",
            "Write more of the name before the '*', so that one pattern has one purpose (R-76).",
            at_key=True,
        )


# What the visitor reads


class _Phrase(NamedTuple):
    """Words that mislead, in the languages they were met in, and what is wrong with them."""

    pattern: re.Pattern[str]
    what: str
    cure: str


_PHRASES: Final = (
    _Phrase(
        re.compile(
            r"by (?:continuing|browsing|using|visiting|scrolling|closing)\b"
            r"|if you (?:continue|keep) (?:to )?(?:us|brows|visit)"
            r"|durch (?:die )?(?:weitere )?nutzung|mit der (?:weiteren )?nutzung"
            r"|indem sie (?:fort|weiter)"
            r"|en (?:poursuivant|continuant)|al continuar|si contin[uú]a|proseguendo|continuando"
            r"|door (?:verder te|gebruik)"
        ),
        "takes going on for an answer",
        "Ask, and say that nothing optional happens before the answer (R-07).",
    ),
    _Phrase(
        re.compile(
            r"(?:improv|enhanc|optimi[sz]|personali[sz])\w* (?:\w+ ){0,3}experience"
            r"|(?:best|optimal|better) (?:possible )?(?:\w+ )?experience"
            r"|(?:nutzer|surf|web)?(?:erlebnis|erfahrung)\w* (?:\w+ ){0,3}(?:verbesser|optimier)"
            r"|(?:optimal|bestmöglich)\w* (?:\w*erlebnis|\w*erfahrung)"
            r"|améliorer (?:votre|l.) ?expérience|mejorar (?:su|tu|la) experiencia"
            r"|migliorare la (?:tua|vostra) esperienza|ervaring (?:te )?verbeter"
        ),
        "praises instead of saying what happens",
        "Say what is stored, and what for (R-07).",
    ),
    _Phrase(
        re.compile(
            r"(?:accept|agree|allow|ok)(?: all)? (?:and|&|\+) (?:close|continue|proceed)"
            r"|(?:akzeptieren|zustimmen|annehmen) (?:und|&) (?:schlie(?:ß|ss)en|weiter|fortfahren)"
            r"|accepter (?:et|&) (?:fermer|continuer)|aceptar (?:y|&) (?:cerrar|continuar)"
            r"|accetta (?:e|&) (?:chiudi|continua)|accepteren (?:en|&) (?:sluiten|doorgaan)"
        ),
        "makes closing the notice a yes",
        "Write what the button does: 'Accept', or 'Allow analytics' (R-07).",
    ),
)


def _misleading_words(ground: Ground) -> Iterator[Problem]:
    """What regulators and courts called misleading: an error where the site asks first."""
    for loc, text in ground.texts:
        parts = {loc: text} if isinstance(text, str) else {(*loc, tag): text[tag] for tag in text}
        for place, words in parts.items():
            for phrase in _PHRASES:
                found = phrase.pattern.search(words.lower())
                if found:
                    yield Problem(
                        place,
                        f"{subject_of(loc)} says '{found[0]}' in '{loc[-1]}', which {phrase.what}",
                        phrase.cure,
                        is_warning=ground.policy.mode is not Mode.EXPLICIT,
                    )


# Languages


_WORDS: Final = frozenset({"title", "description", "body", "accept", "reject"})


def _untranslated(ground: Ground) -> Iterator[Problem]:
    """A language that is promised and not written is one language the more for the visitor."""
    policy = ground.policy
    texts = {loc: text for loc, text in ground.texts if loc[0] != "services" and loc[-1] in _WORDS}
    for place, tag in enumerate(policy.languages[1:], start=1):
        bare = [loc for loc, text in texts.items() if isinstance(text, str) or tag not in text]
        if bare and tag not in policy.languages[:place]:
            first = f"{subject_of(bare[0])}: '{bare[0][-1]}'"
            yield Problem(
                ("languages", str(place)),
                f"{len(bare)} of {len(texts)} texts have no words in '{tag}', as {first}",
                f"Write them as {{{policy.languages[0]}: …, {tag}: …}}: until then visitors read "
                f"them in '{policy.languages[0]}'.",
                is_warning=True,
            )


def _unspoken(policy: Policy, spoken: Collection[str]) -> Iterator[Problem]:
    known = {tag.partition("-")[0].lower() for tag in spoken}
    for place, tag in enumerate(policy.languages):
        if spoken and tag.partition("-")[0].lower() not in known:
            yield Problem(
                ("languages", str(place)),
                f"the notice has no words of its own in '{tag}'",
                f"It speaks English there. It has: {', '.join(spoken)}.{did_you_mean(tag, spoken)}",
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


def _implied_where(ground: Ground) -> Iterator[Problem]:
    policy = ground.policy
    if policy.mode is Mode.IMPLIED and not policy.preset and policy.optional_purposes:
        yield Problem(
            ("mode",),
            "no regulator of the EU, the EEA or the UK accepts consent by going on",
            "If your visitors are there, write 'mode: explicit'. If they are not, say so with a "
            "preset, as in 'preset: us-other' (R-09).",
            is_warning=True,
        )


# What a service brings along


def _unlisted_cookies(ground: Ground) -> Iterator[Problem]:
    """A service that is known to set cookies, and none is declared: they would be blocked."""
    policy = ground.policy
    served = {cookie.service for cookie in policy.cookies.values()}
    for name in policy.services.keys() - served:
        names = [
            each.name
            for each in catalogue.cookies()
            if each.service == name and each.where == "cookie" and each.party == "first"
            if policy.declaration_of(each.name) is None
        ]
        if names:
            yield Problem(
                ("services", name),
                f"service '{name}' is known to set {listed(_quoted(names))}, and no cookie "
                "of this policy is its",
                "Declare those that it sets here: they are blocked until then.",
                at_key=True,
                is_warning=True,
            )


def _quoted(names: list[str]) -> list[str]:
    return [f"'{name}'" for name in names[:4]] + (["more"] if len(names) > 4 else [])


Lint = Callable[[Ground], Iterator[Problem]]

LINTS: Final[tuple[tuple[tuple[str, ...], Lint], ...]] = (
    # leans on             lint
    (("mode",), _preset_bases),
    ((), _preset_durations),
    (("ask-again-after",), _preset_asking),
    (("mode",), _preset_signals),
    ((), _necessary_trackers),
    ((), _greedy_wildcards),
    (("mode",), _misleading_words),
    (("languages",), _untranslated),
    ((), _at_once),
    (("mode", "preset"), _implied_where),
    (("cookies",), _unlisted_cookies),
)
