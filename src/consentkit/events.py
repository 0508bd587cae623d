"""What enforcement did: told to whoever listens, and logged, one line of a kind in a minute.

It has never heard of headers; it is told of a cookie's name and a reason, never of its value.

Of a cookie that nobody declared it is also told what it asked for, since whoever declares it next
has to say how long it lives.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.rules.decision import Decision, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Asked", "Event", "EventLog", "span_in_words"]

_UNITS: Final = (("day", 86_400), ("hour", 3600), ("minute", 60))


def span_in_words(seconds: int) -> str:
    """`seconds` in the largest unit that tells them to half a percent, rounded up.

    What it says can stand as a duration in a policy, up to 999,999 days.

    >>> span_in_words(63_071_999), span_in_words(5400), span_in_words(1)
    ('730 days', '90 minutes', '1 second')
    """
    for unit, length in _UNITS:
        count = -(-seconds // length)
        if count and (count * length - seconds) * 200 <= seconds:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


class Asked(NamedTuple):
    """What the app asked for with a Set-Cookie: seconds to live, None for the session."""

    seconds: int | None
    http_only: bool

    def __str__(self) -> str:
        """A few words for people, with nothing of the app's own in them."""
        life = (
            "for the session" if self.seconds is None else f"to live {span_in_words(self.seconds)}"
        )
        return f"asked {life}{', HttpOnly' if self.http_only else ''}"


class Event(NamedTuple):
    """One thing enforcement did (in report mode: would have done) to one cookie or host.

    `act` is ``blocked``, ``trimmed``, ``hidden``, ``expired``, ``undeclared`` (seen and let be) or
    ``differs`` (set otherwise than declared); `name` the cookie's, never its value. `asked` is
    there for an undeclared cookie that the app sets. `what` is the thing the name is of: a
    ``cookie``, or a ``host`` that a page's tags or links would fetch from.
    """

    act: str
    name: str
    why: str
    decision: Decision | None = None
    asked: Asked | None = None
    what: str = "cookie"


_ACTS_ON_A_COOKIE: Final = frozenset({"blocked", "expired", "hidden", "trimmed"})
"""What report mode does not do; ``differs`` and ``undeclared`` are so in either mode."""


class EventLog:
    """Writes what enforcement did, one line for each kind of event in a minute.

    A line is a sentence, with the same facts under ``extra=`` for machines: the cookie's name,
    never its value. `on_event` is told of every event, folded or not.
    """

    SECONDS: Final = 60
    MEMORY: Final = 1024
    LONGEST: Final = 255

    def __init__(self, on_event: Callable[[Event], None] | None, *, report_only: bool) -> None:
        """`report_only` makes every line a warning that says what would have happened."""
        self._logger = logging.getLogger("consentkit.enforcement")
        self._on_event = on_event
        self._report_only = report_only
        self._last: dict[tuple[str, str, str], tuple[float, int]] = {}

    def write(self, events: Iterable[Event], path: str, now: float) -> None:
        """Log `events` of a request for `path` (without its query) at `now` (POSIX seconds)."""
        for event in events:
            if self._on_event is not None:
                self._tell(self._on_event, event)
            folded = self._folded(event, now)
            if folded is not None:
                self._line(event, path, folded)

    def _tell(self, listener: Callable[[Event], None], event: Event) -> None:
        try:
            listener(event)
        except Exception:
            self._logger.exception("on_decision failed; enforcement goes on without it")

    def _folded(self, event: Event, now: float) -> int | None:
        key = (event.what + event.act, event.name[: self.LONGEST], event.why)
        last, count = self._last.get(key, (-self.SECONDS, 0))
        if now - last < self.SECONDS:
            self._last[key] = (last, count + 1)
            return None
        if len(self._last) >= self.MEMORY:
            self._last.clear()
        self._last[key] = (now, 0)
        return count

    def _line(self, event: Event, path: str, folded: int) -> None:
        would = "would be " if self._report_only and event.act in _ACTS_ON_A_COOKIE else ""
        undeclared = event.decision is not None and event.decision.reason is Reason.UNDECLARED
        name = ascii(event.name[: self.LONGEST]) if event.name else "(a cookie without a name)"
        self._logger.log(
            logging.WARNING if self._report_only or undeclared else logging.INFO,
            "%s %s %s%s: %s%s; path %s%s",
            event.what,
            name,
            would,
            event.act,
            event.why,
            f"; {event.asked}" if event.asked else "",
            ascii(path[: self.LONGEST]),
            f" (and {folded} more like it)" if folded else "",
            extra={
                "consentkit_act": event.act,
                f"consentkit_{event.what}": event.name[: self.LONGEST],
                "consentkit_why": event.why,
                "consentkit_path": path[: self.LONGEST],
                "consentkit_more": folded,
                "consentkit_report_only": self._report_only,
                **_keys_of(event.asked),
            },
        )


def _keys_of(asked: Asked | None) -> dict[str, object]:
    if asked is None:
        return {}
    return {
        "consentkit_asked_seconds": asked.seconds,
        "consentkit_http_only": asked.http_only,
    }
