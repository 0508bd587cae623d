"""The preferences: each purpose with its switch, and folded in what stands under it.

It has never heard of HTTP: it is given a standing and gives back ASCII markup.

They stand in a page of their own, as a part of a site's page, or in a dialog; the form is the same.
The answers in effect are preselected (LAW R-03, R-15). *Save* is the first submit button, so Enter
never accepts.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.notice.chapters import chapters_of, way_of
from consentkit.notice.templates import render
from consentkit.notice.text import Way, number_text, said, signal_names, words_for
from consentkit.rules.consent import Answer
from consentkit.rules.decision import DECISIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consentkit.notice.chapters import Chapter
    from consentkit.notice.text import Messages
    from consentkit.rules.policy import Policy
    from consentkit.rules.signals import Signal
    from consentkit.rules.visitor import Standing

__all__ = ["Frame", "preferences_markup", "signal_text", "standing_text", "status_text"]


class Frame(StrEnum):
    """What the preferences stand in: the name of its template."""

    PAGE = "preferences.html"
    PART = "preferences_part.html"
    DIALOG = "dialog.html"


class _Switch(NamedTuple):
    """A purpose's switch: whether it is on, and why if nobody turned it on.

    `services` have switches of their own under it: by their keys, whether they are on.
    """

    is_on: bool
    note: str
    services: dict[str, bool]


def preferences_markup(  # noqa: PLR0913  # each is named where it is given
    language: str,
    standing: Standing,
    frame: Frame,
    *,
    path: str,
    stylesheets: Sequence[str],
    next_path: str,
    tokens: Sequence[str] = (),
    is_enforced: bool = True,
) -> bytes:
    """The preferences of a visitor, in a frame.

    `path` is where the endpoints are, `stylesheets` are URLs; `next_path` is where a saved answer
    leads, a path on this site, else the site's start; `tokens` as in `chapters.token_cookies`.
    Where nothing `is_enforced`, no signal is said to be kept to. They are the visitor's own
    wherever they stand, so what they hold on a page for children is what holds elsewhere.
    """
    policy, standing = standing.policy, standing.on_a_page(for_children=False)
    words = words_for(policy, language)
    switches = {name: _switch(standing, name, words) for name in standing.purposes}
    chapters = chapters_of(policy, language, tokens)
    return render(
        policy,
        frame.value,
        language,
        site=policy.site,
        intro=_intro(policy, words),
        chapters=[
            (chapter, switches.get(chapter.purpose), _counts(chapter, words))
            for chapter in chapters
        ],
        status=_status(standing, language) if switches else "",
        signal=signal_text(words, standing.honoured) if is_enforced else "",
        signals_win=policy.signals_win,
        path=path,
        stylesheets=stylesheets,
        next=_local(next_path),
    )


def _counts(chapter: Chapter, words: Messages) -> list[str]:
    """How much stands under a purpose, kind by kind."""
    numbers = (
        (words.number_of_services, len(chapter.services)),
        (words.number_of_cookies, chapter.cookie_count),
        (words.number_of_stored, chapter.stored_count),
    )
    return [label.format(count=number_text(count, words)) for label, count in numbers if count]


def _intro(policy: Policy, words: Messages) -> str:
    ways = {way_of(policy, name) for name in policy.optional_purposes}
    if not ways:
        return words.intro_nothing
    return words.intro_asked if ways <= {Way.CONSENT} else words.intro


def _switch(standing: Standing, purpose: str, words: Messages) -> _Switch:
    policy, answer = standing.policy, standing.purposes[purpose]
    is_on = DECISIONS[policy.basis_of(purpose)][answer]
    unasked = is_on and answer is not Answer.GRANTED
    return _Switch(
        is_on,
        words.notes[way_of(policy, purpose)] if unasked else "",
        {
            name: name in standing.single_services
            for name in policy.services
            if _asked_under(standing, name) == purpose
        },
    )


def _asked_under(standing: Standing, name: str) -> str | None:
    """The one purpose under which a service can be granted by itself.

    It is the first optional one, since there is one answer to it. There is none where nothing of
    the service stands in pages, unless it was granted all the same: what is not shown is not saved.
    """
    policy = standing.policy
    service = policy.services[name]
    optional = [purpose for purpose in service.purpose if purpose in policy.optional_purposes]
    loads = service.hosts or service.inline or service.shows or name in standing.single_services
    return optional[0] if optional and loads else None


def signal_text(words: Messages, honoured: Collection[Signal]) -> str:
    """What the visitor's signals do; empty where none is honoured (LAW R-39)."""
    if not honoured:
        return ""
    return words.signal_body.format(signals=signal_names(words, honoured))


def _status(standing: Standing, language: str) -> str:
    """The present answer in words."""
    policy = standing.policy
    if {*standing.open_purposes} == {*policy.optional_purposes}:
        return words_for(policy, language).not_answered
    on = [
        name
        for name, answer in standing.purposes.items()
        if DECISIONS[policy.basis_of(name)][answer]
    ]
    return _told(policy, language, on, standing.single_services)


def _told(policy: Policy, language: str, on: Sequence[str], singles: Collection[str]) -> str:
    words = words_for(policy, language)
    if len(on) == len(policy.optional_purposes):
        return words.all_on
    services = [one for name, one in policy.services.items() if name in singles]
    named = [
        *(policy.purposes[name].title for name in on),
        *(one.title or one.provider for one in services),
    ]
    titles = [said(title, language, policy.languages) for title in named]
    return words.some_on.format(purposes=words.comma.join(titles)) if titles else words.all_off


def standing_text(
    policy: Policy, language: str, on: Sequence[str], singles: Collection[str]
) -> str:
    """That an answer was saved, in one line: the purposes `on` now, and services granted alone."""
    return f"{words_for(policy, language).saved} {_told(policy, language, on, singles)}"


def status_text(language: str, standing: Standing, *, is_saved: bool) -> str:
    """The present answer in one line, as in the preferences; empty where there is none to tell.

    So it is where nothing is asked, and where what `is_saved` was no answer to a purpose.
    """
    policy, standing = standing.policy, standing.on_a_page(for_children=False)
    optional = policy.optional_purposes
    if not optional or (is_saved and {*standing.open_purposes} == {*optional}):
        return ""
    words = words_for(policy, language)
    return f"{words.saved if is_saved else words.now} {_status(standing, language)}"


_LOCAL: Final = re.compile(r"/(?![/\\])[!-~]*")


def _local(path: str) -> str:
    """A path on this site as it is, and the site's start for anything else."""
    return path if _LOCAL.fullmatch(path) else "/"
