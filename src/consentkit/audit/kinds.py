"""The kinds of finding: how bad each is, the rules behind it, and what it asks for.

It has never heard of how one is found, nor of how one is reported. `FINDINGS` is the table: the
reference is printed from it, and every report looks in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from consentkit.audit.seen import State  # pydantic reads it when reports are read

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FINDINGS", "Finding", "FindingKind", "FindingRule", "Severity", "Subject"]


class Severity(StrEnum):
    """How bad a finding is; `--fail-on` names the least that fails."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class FindingKind(StrEnum):
    """Each way in which what is found and what is declared can differ."""

    BEFORE_ANSWER = "before-answer"
    AFTER_REFUSAL = "after-refusal"
    STILL_SENT = "still-sent"
    AGAINST_SIGNAL = "against-signal"
    THIRD_PARTY_EARLY = "third-party-early"
    TRACKER_NECESSARY = "tracker-necessary"
    UNDECLARED = "undeclared"
    NO_BANNER = "no-banner"
    REFUSING_HARDER = "refusing-harder"
    LIVES_LONGER = "lives-longer"
    TABLE_DIFFERS = "table-differs"
    KIND_DIFFERS = "kind-differs"
    ATTRIBUTES = "attributes"
    NEVER_SEEN = "never-seen"


Subject = Literal["cookie", "storage", "host", "service", "banner", "site"]
"""What a finding's name is the name of; a service's is its key in the policy or the catalogue."""


class FindingRule(NamedTuple):
    """What holds for every finding of a kind.

    `law` has the rules behind it, `title` names it, `means` says when it is found and `do` what to
    do about it. `by_headers` says what of it the witness of headers alone can see, and is empty
    where it sees nothing.
    """

    severity: Severity
    law: tuple[str, ...]
    title: str
    means: str
    do: str
    by_headers: str


_ALL: Final = "all of it"
_COOKIES: Final = "the cookies that responses set"
_TAGS: Final = "what the tags of a page load"
_BOTH: Final = f"{_COOKIES}, and {_TAGS}"

FINDINGS: Final[Mapping[FindingKind, FindingRule]] = MappingProxyType(
    {
        FindingKind.BEFORE_ANSWER: FindingRule(
            Severity.ERROR,
            ("R-01",),
            "Stored before the answer",
            "A cookie or an item of storage is stored on a first visit, and its purpose waits for "
            "an answer.",
            "Let the middleware hold it back, or let what sets it ask first.",
            _COOKIES,
        ),
        FindingKind.AFTER_REFUSAL: FindingRule(
            Severity.ERROR,
            ("R-01", "R-12"),
            "Stored or loaded after a refusal",
            "A visitor refused everything optional, and it is stored or loaded all the same.",
            "Let the middleware hold it back, or let what sets it ask first.",
            _BOTH,
        ),
        FindingKind.STILL_SENT: FindingRule(
            Severity.ERROR,
            ("R-16", "R-17"),
            "Still there after a withdrawal",
            "A visitor took the consent back, and the browser still sends the cookie, or it is "
            "set or loaded again.",
            "Expire it where consent is withdrawn, with the path and the domain it was set with.",
            _BOTH,
        ),
        FindingKind.AGAINST_SIGNAL: FindingRule(
            Severity.ERROR,
            ("R-37",),
            "Stored or loaded against a signal",
            "The browser says Global Privacy Control, its purpose honours that, and it is stored "
            "or loaded all the same.",
            "Read `Sec-GPC` before it is set; the middleware does.",
            _BOTH,
        ),
        FindingKind.THIRD_PARTY_EARLY: FindingRule(
            Severity.ERROR,
            ("R-01", "R-53"),
            "Loaded before the answer",
            "A declared service's host is asked for something on a first visit, and its purpose "
            "waits for an answer.",
            "Put a placeholder in its place until the visitor says yes.",
            _TAGS,
        ),
        FindingKind.TRACKER_NECESSARY: FindingRule(
            Severity.ERROR,
            ("R-30", "R-32"),
            "A tracker called strictly necessary",
            "The catalogue knows it for analytics, advertising or a tag manager, and the policy "
            "calls it strictly necessary. It need not have been seen.",
            "Give it a purpose that the visitor answers to.",
            _ALL,
        ),
        FindingKind.UNDECLARED: FindingRule(
            Severity.ERROR,
            ("R-26", "R-75"),
            "In no declaration",
            "A cookie, an item of storage or a host of others was seen, and the policy declares "
            "none that covers it.",
            "Declare it, or stop using it.",
            _BOTH,
        ),
        FindingKind.NO_BANNER: FindingRule(
            Severity.ERROR,
            ("R-01", "R-06"),
            "No banner",
            "The policy has something to ask, and a page shows no banner to a first visitor.",
            "See that the banner reaches the page.",
            "the banners of consentkit, where another page has one",
        ),
        FindingKind.REFUSING_HARDER: FindingRule(
            Severity.ERROR,
            ("R-12", "R-13"),
            "Refusing is harder than accepting",
            "It takes more clicks to refuse or to withdraw than to accept, there is no button to "
            "refuse, or it is smaller or weaker than the one to accept.",
            "Give refusing a button of the same size, font and contrast, on the same layer.",
            "the clicks, and whether there is a button to refuse",
        ),
        FindingKind.LIVES_LONGER: FindingRule(
            Severity.ERROR,
            ("R-24", "R-75"),
            "Lives longer than declared",
            "Visitors are told a duration, and the cookie outlives it by more than one percent, "
            "or by more than a minute where that is more.",
            "Shorten it, or declare how long it lives.",
            _COOKIES,
        ),
        FindingKind.TABLE_DIFFERS: FindingRule(
            Severity.ERROR,
            ("R-73", "R-75"),
            "The table shown says otherwise",
            "The declaration that the site shows its visitors lacks what the policy declares or "
            "what was seen, or gives it another kind or duration.",
            "Serve the declaration from the policy that this site is held to.",
            _ALL,
        ),
        FindingKind.KIND_DIFFERS: FindingRule(
            Severity.WARNING,
            ("R-23", "R-27", "R-75"),
            "Of another kind than declared",
            "A cookie declared for the session has a lifetime, one with a declared duration has "
            "none, or a poll's is set where nobody voted.",
            "Declare the kind that it has, or set it as declared.",
            _COOKIES,
        ),
        FindingKind.ATTRIBUTES: FindingRule(
            Severity.WARNING,
            ("R-80", "R-82", "R-84"),
            "Attributes missing",
            "A cookie lacks Secure on an encrypted page, an attribute that the policy declares, "
            "or one that its name's prefix, SameSite=None or Partitioned needs.",
            "Set the attribute; the middleware raises a declared cookie to what is declared.",
            _COOKIES,
        ),
        FindingKind.NEVER_SEEN: FindingRule(
            Severity.NOTE,
            ("R-75",),
            "Declared, and never seen",
            "The policy declares it, everything was granted on the pages visited, and nothing of "
            "the name was seen.",
            "Take it out of the policy if the site does not use it any more.",
            "",
        ),
    }
)
"""Every kind of finding, the worst first; of one severity, what the law minds most."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference.

    `subject` is what `name` is the name of. `what` says what differs and `cure` what to do, a
    sentence or two each; `draft` is the YAML that would cure it, or empty. `states` and `pages` say
    where it was seen (ten pages at most, of `count`), `initiator` what did it, and `line` where in
    the policy's file its declaration stands, None where there is none. `lesser` is a severity
    below its kind's, where little speaks for it.
    """

    kind: FindingKind
    subject: Subject
    name: str
    what: str
    cure: str
    draft: str = ""
    states: tuple[State, ...] = ()
    pages: tuple[str, ...] = ()
    count: int = 0
    initiator: str = ""
    line: int | None = None
    lesser: Severity | None = None

    @property
    def severity(self) -> Severity:
        """How bad it is: as its kind, or `lesser` where little speaks for it."""
        return self.lesser or FINDINGS[self.kind].severity

    @property
    def key(self) -> str:
        """What makes it the same finding in tomorrow's scan: no page, no state, no moment."""
        return f"{self.kind}:{self.subject}:{self.name}"
