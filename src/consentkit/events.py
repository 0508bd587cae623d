"""What enforcement did: told to whoever listens, and logged, one line of a kind in a minute.

It has never heard of headers; it is told of a cookie's name and a reason, never of its value.

Of a cookie that nobody declared it is also told what it asked for, since whoever declares it next
has to say how long it lives. Of what a browser reports under a Content-Security-Policy it keeps the
directive and the host, and nothing that says who looked at which page (LAW R-93).
"""

from __future__ import annotations

import json
import logging
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from consentkit.rules.decision import Decision, Reason
from consentkit.wire.urls import host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["Asked", "Event", "EventLog", "reported", "span_in_words"]

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

    `act` is ``blocked``, ``trimmed``, ``hidden``, ``expired``, ``undeclared`` (seen and let be),
    ``differs`` (set otherwise than declared) or ``reported`` (by a browser); `name` the cookie's,
    never its value. `asked` is there for an undeclared cookie that the app sets. `what` is the
    thing the name is of: a ``cookie``, a ``host`` that a page's tags or links would fetch from, a
    ``service`` that an inline script belongs to, or a ``source`` in the sense of a
    Content-Security-Policy: a host, or a word such as ``inline``.
    """

    act: str
    name: str
    why: str
    decision: Decision | None = None
    asked: Asked | None = None
    what: str = "cookie"


MOST_REPORTED: Final = 8
"""Reports that are read of one request; browsers send one, or a few together."""
_DIRECTIVE: Final = re.compile(r"[a-z][a-z-]{0,31}")
_WORD: Final = re.compile(r"[a-z][a-z-]{0,31}(?=:|\Z)")
_NOTHING_NAMED: Final = "other"


def reported(body: bytes) -> list[Event]:
    """What the body of a browser's report says that a Content-Security-Policy would block.

    It is one report (``application/csp-report``, CSP3 §5.3) or a list of them
    (``application/reports+json``). Raises ValueError for anything else; what is no violation, or
    names no directive, is left out.

    >>> blocked = b'"blocked-uri": "https://tags.example/t?id=7", "effective-directive": "img-src"'
    >>> [(event.name, event.why) for event in reported(b'{"csp-report": {%b}}' % blocked)]
    [('tags.example', 'img-src')]
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    if isinstance(told, dict) and isinstance(told.get("csp-report"), dict):
        bodies = iter([told["csp-report"]])
    elif isinstance(told, list):
        bodies = _violations(told)
    else:
        raise ValueError("no report")  # noqa: TRY004 - what is wrong is the text, not a type
    return [event for one in islice(bodies, MOST_REPORTED) for event in _violation(one)]


def _violations(reports: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for report in reports:
        is_one = isinstance(report, dict) and report.get("type") == "csp-violation"
        if is_one and isinstance(report.get("body"), dict):
            yield report["body"]


def _violation(body: Mapping[str, Any]) -> Iterator[Event]:
    # Older browsers tell the directive as it is written, with its sources.
    names = ("effective-directive", "effectiveDirective", "violated-directive")
    directive = next((str(body[name]) for name in names if body.get(name)), "").partition(" ")[0]
    if _DIRECTIVE.fullmatch(directive):
        blocked = str(body.get("blocked-uri") or body.get("blockedURL") or "")
        yield Event("reported", _source(blocked), directive, what="source")


def _source(blocked: str) -> str:
    """The host of an address, or the word that stands in its place: ``inline``, ``data``."""
    host = host_of(blocked.replace("&", "&amp;").encode("utf-8", "replace"))
    if host is not None:
        return host
    word = _WORD.match(blocked.lower())
    return word.group() if word else _NOTHING_NAMED


_ACTS_ON_A_COOKIE: Final = frozenset({"blocked", "expired", "hidden", "trimmed"})
"""What report mode does not do; ``differs`` and ``undeclared`` are so in either mode."""


class EventLog:
    """Writes what enforcement did, one line for each kind of event in a minute, a thousand at most.

    A line is a sentence, with the same facts under ``extra=`` for machines: the cookie's name,
    never its value. `on_event` is told of every event, folded or not.
    """

    ENFORCEMENT: Final = "consentkit.enforcement"
    REPORTS: Final = "consentkit.reports"

    SECONDS: Final = 60
    MEMORY: Final = 1024
    LONGEST: Final = 255

    def __init__(
        self,
        on_event: Callable[[Event], None] | None,
        *,
        report_only: bool,
        logger: str = ENFORCEMENT,
    ) -> None:
        """`report_only` makes every line a warning that says what would have happened."""
        self._logger = logging.getLogger(logger)
        self._on_event = on_event
        self._report_only = report_only
        self._last: dict[tuple[str, str, str], tuple[float, int]] = {}
        self._cleared = 0.0

    def write(self, events: Iterable[Event], path: str | None, now: float) -> None:
        """Log `events` of a request for `path` (without its query) at `now`, in seconds.

        None stands for a path that says nothing.
        """
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
        if len(self._last) >= self.MEMORY and not self._has_room(now):
            return None
        self._last[key] = (now, 0)
        return count

    def _has_room(self, now: float) -> bool:
        """Forget what was told more than a minute ago; a flood of names is told no further."""
        if now - self._cleared >= 1:
            self._cleared = now
            self._last = {k: told for k, told in self._last.items() if now - told[0] < self.SECONDS}
        return len(self._last) < self.MEMORY

    def _line(self, event: Event, path: str | None, folded: int) -> None:
        would = "would be " if self._report_only and event.act in _ACTS_ON_A_COOKIE else ""
        undeclared = event.decision is not None and event.decision.reason is Reason.UNDECLARED
        name = ascii(event.name[: self.LONGEST]) if event.name else "(a cookie without a name)"
        self._logger.log(
            logging.WARNING if self._report_only or undeclared else logging.INFO,
            "%s %s %s%s: %s%s%s%s",
            event.what,
            name,
            would,
            event.act,
            event.why,
            f"; {event.asked}" if event.asked else "",
            "" if path is None else f"; path {path[: self.LONGEST]!a}",
            f" (and {folded} more like it)" if folded else "",
            extra={
                "consentkit_act": event.act,
                f"consentkit_{event.what}": event.name[: self.LONGEST],
                "consentkit_why": event.why,
                "consentkit_path": (path or "")[: self.LONGEST],
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
