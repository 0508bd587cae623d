"""The receipt: one visitor's own answers in words, as a page and for machines.

It has never heard of HTTP: it is given a standing and gives back ASCII markup or plain values.

It says what the visitor's browser keeps as their answer, and nothing that tells them from others
who answered the same on the same day (LAW R-15, R-20, R-51). A refusal knows its day alone, so no
answer is told by more than its day (UTC).
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.notice.chapters import way_of
from consentkit.notice.templates import render
from consentkit.notice.text import Way, date_text, number_text, said, words_for
from consentkit.rules.consent import Answer, key_of_service
from consentkit.rules.decision import DECISIONS
from consentkit.rules.policy import DAY
from consentkit.rules.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consentkit.notice.text import Messages
    from consentkit.rules.policy import Policy
    from consentkit.rules.visitor import Standing

__all__ = ["receipt_json", "receipt_page"]

_FIRST_DAY: Final = date(1970, 1, 1)


class _Told(StrEnum):
    """How the answer to a purpose is told: the key of its words."""

    GRANTED = "granted"
    REFUSED = "refused"
    IMPLIED = "implied"
    SIGNAL = "signal"
    IS_ON = "is_on"
    IS_OFF = "is_off"


class _Kept(NamedTuple):
    """One answer that stands: the visitor's own, or what came of their going on.

    `key` is a purpose's name, or that of a service granted alone as `Consent.given` has it; `time`
    is in POSIX seconds.
    """

    key: str
    time: int
    revision: int


class _Row(NamedTuple):
    """A label, what stands beside it, and the same as a day for machines where it is one."""

    label: str
    text: str
    day: str = ""


def receipt_page(
    language: str, standing: Standing, *, path: str, stylesheets: Sequence[str], next_path: str
) -> bytes:
    """The answers of a visitor as a page; it says so where there are none.

    `path` is where the endpoints are, `stylesheets` are URLs; `next_path` leads back.
    """
    policy = standing.policy
    words = words_for(policy, language)
    kept = _kept(standing)
    has_answers = bool(kept) or bool(_honoured(standing))
    return render(
        policy,
        "receipt.html",
        language,
        site=policy.site,
        before=_before(words, policy, kept),
        answers=_answers(words, language, standing) if has_answers else [],
        after=_after(words, policy, kept),
        is_on=_is_on(standing),
        path=path,
        stylesheets=stylesheets,
        next=next_path,
    )


def receipt_json(standing: Standing) -> dict[str, object]:
    """The answers of a visitor for machines: plain dicts, lists, strings and numbers.

    Days are as in ISO 8601; null stands for what there is not. Titles are as in the policy: a
    string, or one for each language.
    """
    policy = standing.policy
    kept = {one.key: one for one in _kept(standing)}
    return {
        "site": policy.site.name,
        "controller": {"name": policy.site.controller, "contact": policy.site.contact},
        "answeredOn": _iso(_answered_on(kept.values())),
        "askedAgainAfter": _iso(_asked_again(policy, kept.values())),
        "revision": max((one.revision for one in kept.values()), default=None),
        "purposes": [
            {
                "name": name,
                "title": policy.purposes[name].title,
                "answer": answer.value,
                "allowed": _allows(policy, name, answer),
                "signals": [signal.value for signal in _heard(standing, name)],
                **_when(kept.get(name)),
            }
            for name, answer in standing.purposes.items()
        ],
        "services": [
            {
                "name": name,
                "title": policy.services[name].title or name,
                **_when(kept.get(key_of_service(name))),
            }
            for name in _services(standing)
        ],
    }


# What stands


def _kept(standing: Standing) -> list[_Kept]:
    """The answers that stand, of purposes and services the policy still has."""
    given = standing.consent.given
    kept: list[_Kept] = []
    for name, answer in standing.purposes.items():
        own = given.get(name)
        if own is not None and own.time and answer in {Answer.GRANTED, Answer.REFUSED}:
            kept.append(_Kept(name, own.time, own.revision))
        elif _told(standing, name) is _Told.IMPLIED and standing.consent.seen is not None:
            seen = standing.consent.seen
            kept.append(_Kept(name, seen.time, seen.implied))
    for name in _services(standing):
        own = given[key_of_service(name)]
        kept.append(_Kept(key_of_service(name), own.time, own.revision))
    return kept


def _told(standing: Standing, purpose: str) -> _Told:
    policy, answer = standing.policy, standing.answer(purpose)
    given = standing.consent.given.get(purpose)
    if answer is Answer.GRANTED:
        return _Told.GRANTED
    if answer is Answer.REFUSED:
        if _heard(standing, purpose):
            return _Told.SIGNAL
        # One of no time stands for a token that could not be read: nobody refused that.
        return _Told.REFUSED if given is not None and given.time else _Told.IS_OFF
    if answer is Answer.IMPLIED and way_of(policy, purpose) is Way.IMPLIED:
        return _Told.IMPLIED
    return _Told.IS_ON if _allows(policy, purpose, answer) else _Told.IS_OFF


def _heard(standing: Standing, purpose: str) -> list[Signal]:
    """The signals that answer to a purpose in the visitor's place."""
    given = standing.consent.given.get(purpose)
    is_own = given is not None and not given.granted
    if is_own or standing.answer(purpose) is not Answer.REFUSED:
        return []
    heard = standing.signals & standing.policy.purposes[purpose].honours
    return [signal for signal in Signal if signal in heard]


def _honoured(standing: Standing) -> bool:
    return any(_heard(standing, purpose) for purpose in standing.purposes)


def _allows(policy: Policy, purpose: str, answer: Answer) -> bool:
    return DECISIONS[policy.basis_of(purpose)][answer]


def _services(standing: Standing) -> list[str]:
    return [name for name in standing.policy.services if name in standing.single_services]


def _is_on(standing: Standing) -> bool:
    """True if there is something to withdraw."""
    purposes = standing.purposes.items()
    allowed = any(_allows(standing.policy, name, answer) for name, answer in purposes)
    # A grant that a signal outweighs counts again without it.
    given = standing.consent.given
    keys = (*standing.purposes, *map(key_of_service, standing.policy.services))
    kept = any(key in given and given[key].granted for key in keys)
    return allowed or kept


# Days


def _answered_on(kept: Collection[_Kept]) -> date | None:
    return _day(max(one.time for one in kept)) if kept else None


def _asked_again(policy: Policy, kept: Collection[_Kept]) -> date | None:
    """The day on which the first of the answers lapses."""
    return _day(min(one.time for one in kept) + policy.ask_again_after) if kept else None


def _day(seconds: int) -> date | None:
    """The day (UTC) of a time in POSIX seconds; None where no calendar reaches."""
    try:
        return _FIRST_DAY + timedelta(days=seconds // DAY)
    except OverflowError:
        return None


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _when(kept: _Kept | None) -> dict[str, object]:
    return {
        "answeredOn": None if kept is None else _iso(_day(kept.time)),
        "revision": None if kept is None else kept.revision,
    }


# In words


def _before(words: Messages, policy: Policy, kept: Collection[_Kept]) -> list[_Row]:
    receipt = words.receipt
    return [
        _Row(receipt.site, policy.site.name),
        *_dated(receipt.answered, _answered_on(kept), words),
    ]


def _answers(words: Messages, language: str, standing: Standing) -> list[_Row]:
    policy, receipt = standing.policy, words.receipt
    rows: list[_Row] = []
    for name in standing.purposes:
        names = words.both.join(words.signals[signal] for signal in _heard(standing, name))
        text: str = getattr(receipt, _told(standing, name).value)
        title = said(policy.purposes[name].title, language, policy.languages)
        rows.append(_Row(title, text.format(signals=names)))
    for name in _services(standing):
        title = said(policy.services[name].title or name, language, policy.languages)
        rows.append(_Row(title, receipt.granted))
    return rows


def _after(words: Messages, policy: Policy, kept: Collection[_Kept]) -> list[_Row]:
    if not kept:
        return []
    revision = number_text(max(one.revision for one in kept), words)
    return [
        *_dated(words.receipt.again, _asked_again(policy, kept), words),
        _Row(words.receipt.shown, words.revision.format(revision=revision)),
    ]


def _dated(label: str, day: date | None, words: Messages) -> list[_Row]:
    return [] if day is None else [_Row(label, date_text(day, words), day.isoformat())]
