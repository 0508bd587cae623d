"""How a site asks: is there a banner, is refusing as easy as accepting, is the table shown right.

It has never heard of cookies that were seen on the way: banners, clicks and the shown declaration
go in, and for each thing that differs its name and a sentence come out.

A button is as good as another if it is as large, as legible and as solid; words differ in length,
so a width is held against the length of the label. Colours are read where the browser writes them
as ``rgb()``; of others nothing is said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.audit.judging import Judge, is_judged
from consentkit.audit.seen import State, Visit, Witness
from consentkit.events import span_in_words
from consentkit.notice.chapters import kept_for
from consentkit.rules.names import NameIndex, NamePattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from consentkit.audit.seen import Banner, Look, Scan, ShownCookie
    from consentkit.rules.policy import Policy

__all__ = [
    "EVERY_PAGE",
    "Said",
    "harder_refusals",
    "is_ours",
    "pages_without_banner",
    "rows_that_differ",
    "rows_that_lack",
    "tolerated",
]

EVERY_PAGE: Final = "every page"
"""The name of the finding where no page shows a banner."""


class Said(NamedTuple):
    """One thing that differs: what it is called, the sentence, and the visits it was seen on."""

    name: str
    what: str
    visits: tuple[Visit, ...] = ()


# The banner

_WITHOUT_CONTENT: Final = frozenset({204, 205})
"""Answers in which nothing is shown (RFC 9110 15.3), whatever type they give."""


def is_ours(scan: Scan) -> bool:
    """True if consentkit's own notice or declaration was seen on the site.

    The declaration is there where a filter takes every banner out.
    """
    banners = (visit.banner for visit in scan.visits)
    has_notice = any(each is not None and each.tool == "consentkit" for each in banners)
    return has_notice or scan.shown is not None


def pages_without_banner(policy: Policy, scan: Scan) -> Iterator[Said]:
    """Pages that have something to ask and show no banner: by folder, or one for all of them.

    By headers alone only our own notice can be recognised, so that where it is on no page nothing
    is judged.
    """
    judge = Judge(policy, scan)
    asking = [
        visit
        for visit in scan.visits
        if is_judged(visit)
        and visit.state is State.UNTOUCHED
        and 200 <= visit.status < 300
        and visit.status not in _WITHOUT_CONTENT
        and visit.is_page
        and judge.is_asked(visit)
    ]
    bare = [visit for visit in asking if visit.banner is None]
    if not bare or (scan.witness is Witness.HEADERS and not is_ours(scan)):
        return
    if len(bare) == len(asking):
        yield Said(EVERY_PAGE, "No page shows a banner to a first visitor.", tuple(bare))
        return
    folders: dict[str, list[Visit]] = {}
    for visit in bare:
        folders.setdefault(_folder_of(visit.page), []).append(visit)
    for folder, visits in folders.items():
        what = f"{len(visits)} of {len(asking)} pages show no banner to a first visitor."
        yield Said(folder, what, tuple(visits))


def _folder_of(page: str) -> str:
    """The first part of a path: ``/shop`` for ``/shop/basket?x=1``."""
    return "/" + page.partition("?")[0].strip("/").partition("/")[0]


# Refusing and accepting


def harder_refusals(scan: Scan) -> Iterator[Said]:
    """Each way in which it is harder to refuse or to withdraw than to accept (R-12, R-13)."""
    clicks = {act.state: act.clicks for act in scan.acts}
    accept = clicks.get(State.GRANTED)
    if accept is not None and clicks.get(State.REFUSED, 0) is None:
        how = next(act.how for act in scan.acts if act.state is State.REFUSED)
        yield Said("refusing does not work", f"Accepting works, and refusing does not: {how}.")
    for state, verb in ((State.REFUSED, "refuse"), (State.WITHDRAWN, "withdraw")):
        taken = clicks.get(state)
        if accept is not None and taken is not None and taken > accept:
            what = (
                f"It takes {_clicks(taken)} to {verb} everything, and {_clicks(accept)} to accept."
            )
            yield Said(f"clicks to {verb}", what)
    told: dict[str, tuple[str, list[Visit]]] = {}
    for visit in filter(is_judged, scan.visits):
        if visit.banner is not None and visit.state is State.UNTOUCHED:
            for name, what in _weaker(visit.banner):
                told.setdefault(name, (what, []))[1].append(visit)
    for name, (what, visits) in told.items():
        yield Said(name, what, tuple(visits))


def _clicks(count: int) -> str:
    return "1 click" if count == 1 else f"{count} clicks"


def _weaker(banner: Banner) -> Iterator[tuple[str, str]]:
    accept, refuse = banner.accept, banner.refuse
    if accept is None:
        return
    if refuse is None:
        yield (
            "no button to refuse",
            "The banner's first layer has a button to accept and none to refuse.",
        )
        return
    for name, is_weaker, word in (
        ("size", _is_smaller(accept, refuse), "smaller than"),
        ("font", _is_thinner(accept, refuse), "in smaller or thinner letters than"),
        ("contrast", _is_paler(accept, refuse), "harder to read or less solid than"),
    ):
        if is_weaker:
            yield f"{name} of the button to refuse", f"The button to refuse is {word} the other."


def _is_smaller(accept: Look, refuse: Look) -> bool:
    length = min(1.0, max(len(refuse.label), 1) / max(len(accept.label), 1))
    return refuse.height < accept.height * 0.9 or refuse.width < accept.width * length * 0.75


def _is_thinner(accept: Look, refuse: Look) -> bool:
    lighter = _weight(refuse.font_weight) < _weight(accept.font_weight) - 50
    return refuse.font_size < accept.font_size * 0.95 or lighter


def _weight(text: str) -> float:
    named = {"normal": 400.0, "bold": 700.0, "lighter": 300.0, "bolder": 700.0}
    return named.get(text) or (float(text) if re.fullmatch("[0-9]{1,4}", text) else 400.0)


LEGIBLE: Final = 4.5
"""The contrast that a text needs (WCAG 1.4.3)."""


def _is_paler(accept: Look, refuse: Look) -> bool:
    one, other = (_colour(look.background) for look in (accept, refuse))
    if one is None or other is None:
        return False
    if other.alpha == 0 and one.alpha > 0:
        return True
    best, own = _contrast(accept), _contrast(refuse)
    return best is not None and own is not None and own < LEGIBLE <= best


class _Colour(NamedTuple):
    red: float
    green: float
    blue: float
    alpha: float = 1.0


_NUMBER: Final = r"\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*"
_RGB: Final = re.compile(
    rf"rgba?\({_NUMBER}[, ]{_NUMBER}[, ]{_NUMBER}(?:[,/]\s*([01]?(?:\.[0-9]{{1,6}})?)\s*)?\)"
)


def _colour(text: str) -> _Colour | None:
    """A colour as browsers compute it, None for one that is written otherwise."""
    found = _RGB.fullmatch(text)
    if found is None:
        return None
    alpha = float(found[4]) if found[4] else 1.0
    return _Colour(float(found[1]), float(found[2]), float(found[3]), alpha)


def _contrast(look: Look) -> float | None:
    """The ratio of a button's letters to its ground (WCAG 2.2, contrast ratio); None if unsaid."""
    text, ground = _colour(look.color), _colour(look.background)
    if text is None or ground is None or ground.alpha < 1 or text.alpha < 1:
        return None
    light, dark = sorted((_luminance(text), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: _Colour) -> float:
    """Relative luminance, 0 for black and 1 for white (WCAG 2.2)."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (each / 255 for each in colour[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# The table


def rows_that_differ(
    policy: Policy, shown: Iterable[ShownCookie], own: Iterable[str]
) -> Iterator[Said]:
    """What the table shown says otherwise than the policy; `own` are our tokens' names."""
    rows = {row.name: row for row in shown}
    for name, cookie in policy.cookies.items():
        row = rows.get(name)
        if row is None:
            yield Said(name, "The policy declares it, and the table shown does not have it.")
        elif row.kind and row.kind != cookie.kind:
            what = f"The table shown calls it {row.kind}, and the policy {cookie.kind}."
            yield Said(name, what)
        elif row.kind and not _same_life(row.seconds, kept_for(cookie)):
            shows, has = _life(row.seconds), _life(kept_for(cookie))
            yield Said(name, f"The table shown says {shows}, and the policy {has}.")
    known = {*policy.cookies, *policy.storage, *own}
    for name in rows:
        if name not in known:
            yield Said(name, "The table shown has it, and the policy does not declare it.")


def rows_that_lack(scan: Scan) -> Iterator[Said]:
    """The first party's cookies that were seen and that the table shown has no row for."""
    index = NameIndex(_patterns(scan.shown or ()))
    lacking: dict[str, list[Visit]] = {}
    for visit in filter(is_judged, scan.visits):
        for name in dict.fromkeys(each.name for each in visit.cookies):
            if index.find(name) is None:
                lacking.setdefault(name, []).append(visit)
    for name, visits in lacking.items():
        yield Said(name, "It was seen, and the table shown does not have it.", tuple(visits))


def _patterns(shown: Iterable[ShownCookie]) -> Mapping[str, bool]:
    """The names shown that can be looked for; others' tables have all sorts of words in them."""
    return {row.name: True for row in shown if _can_be_looked_for(row.name)}


def _can_be_looked_for(name: str) -> bool:
    try:
        NamePattern.parse(name)
    except ValueError:
        return False
    return True


def _same_life(shown: int | None, declared: int | None) -> bool:
    if shown is None or declared is None:
        return shown is declared
    return shown <= tolerated(declared) and declared <= tolerated(shown)


def tolerated(seconds: float) -> float:
    """A life that counts as `seconds`: clocks and rounding take a minute, or one percent."""
    return max(seconds + 60, seconds * 1.01)


def _life(seconds: int | None) -> str:
    return "that it ends with the session" if seconds is None else span_in_words(seconds)
