"""A case in words: what differs, what to do about it, and the YAML that would cure it.

It has never heard of how a case is found. A sentence names things as `quoted` does, so that nothing
a stranger chose breaks out of it, and holds no value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from consentkit.audit.cures import Drafts, Life, Unfit
from consentkit.audit.kinds import FindingKind, Severity
from consentkit.audit.labels import label_of
from consentkit.audit.seen import By, SeenCookie, SeenItem, SeenRequest, State
from consentkit.events import span_in_words
from consentkit.rules import catalogue
from consentkit.rules.policy import LONGEST, Csp, PagesMode, Where
from consentkit.rules.problems import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from consentkit.audit.cases import Case
    from consentkit.audit.kinds import Subject
    from consentkit.audit.labels import Label
    from consentkit.rules.policy import Policy

__all__ = ["MOST_DRAFTS", "NOUNS", "Teller", "Telling", "looks_like"]

NOUNS: Final[Mapping[Subject, str]] = {
    "cookie": "cookie",
    "storage": "stored item",
    "host": "host",
    "service": "service",
    "banner": "banner",
    "site": "site",
}
"""What each subject is called in a sentence."""

MOST_DRAFTS: Final = 200
"""Undeclared things of one scan that are given a label and a draft each: the reader of policies
takes a few milliseconds for one, and a site that makes up names makes up any number."""

_WHEN: Final[Mapping[State, str]] = {
    State.UNTOUCHED: "on a first visit, before any answer",
    State.SIGNAL: "while the browser says Global Privacy Control, with nothing answered",
    State.REFUSED: "after everything optional was refused",
    State.WITHDRAWN: "after consent was withdrawn",
    State.GRANTED: "after everything was granted",
}
"""When something was seen, the worst first."""

_FOR: Final[Mapping[str, str]] = {
    "analytics": "analytics",
    "advertising": "advertising",
    "tags": "loading other parties' scripts",
}


class Telling(NamedTuple):
    """The words of a finding; `severity` where it is less than its kind's."""

    what: str
    cure: str
    draft: str = ""
    severity: Severity | None = None


class Teller:
    """Tells the cases of one policy."""

    def __init__(self, policy: Policy) -> None:
        """Nothing is told before it is asked for."""
        self._policy = policy
        self._drafts = Drafts(policy)
        self._written = 0
        self._tellers: dict[FindingKind, Callable[[Case], Telling]] = {
            FindingKind.BEFORE_ANSWER: self._too_early,
            FindingKind.AFTER_REFUSAL: self._too_early,
            FindingKind.AGAINST_SIGNAL: self._too_early,
            FindingKind.THIRD_PARTY_EARLY: self._too_early,
            FindingKind.STILL_SENT: self._still_sent,
            FindingKind.UNDECLARED: self._undeclared,
            FindingKind.TRACKER_NECESSARY: self._tracker,
            FindingKind.LIVES_LONGER: self._longer,
            FindingKind.KIND_DIFFERS: self._kind,
            FindingKind.ATTRIBUTES: self._attributes,
            FindingKind.NEVER_SEEN: self._never,
        }

    def tell(self, case: Case) -> Telling:
        """What to say of a case."""
        return self._tellers[case.kind](case)

    # too early, or too late

    def _too_early(self, case: Case) -> Telling:
        acts, purposes = _acts(case)
        when = _ON_WHAT[case.kind]
        if case.states == {State.GRANTED}:
            when = "where everything optional counts as refused"
        what = f"{_name(case)} {listed(acts)} {when}; it waits for {listed(purposes)}."
        return self._held_back(case, what + _children(case))

    def _still_sent(self, case: Case) -> Telling:
        acts, purposes = _acts(case)
        what = f"{_name(case)} {listed(acts)} after the visitor withdrew {listed(purposes)}."
        if "is still sent" in acts:
            cure = (
                "Expire it in the answer to the withdrawal, with the path, the domain and the "
                "partition that it was set with; ConsentMiddleware does so for what is declared."
            )
            return Telling(what + _children(case), cure)
        return self._held_back(case, what + _children(case))

    def _held_back(self, case: Case, what: str) -> Telling:
        """How to hold something back: by whoever sets it, loads it or leaves it behind."""
        if case.subject == "service":
            is_open = self._policy.csp is not Csp.ENFORCE
            can_be = is_open and self._policy.pages is not PagesMode.SHARED
            cure = (
                "See that the page passes ConsentMiddleware in enforce mode, which puts a "
                "placeholder in its place; what a script asks for, a Content-Security-Policy keeps "
                "out."
            )
            return Telling(what, cure, "csp: enforce\n" if can_be else "")
        if case.ways == {By.HEADER}:
            cure = (
                "The server sets it: let ConsentMiddleware stand outside all that sets cookies, in "
                "enforce mode, or ask before it is set."
            )
            return Telling(what, cure)
        cure = "A script stores it: let it run only where its purpose is allowed"
        if self._policy.guard:
            return Telling(what, f"{cure}.")
        return Telling(what, f"{cure}, or have it guarded.", "guard: true\n")

    # declarations

    def _undeclared(self, case: Case) -> Telling:
        seen = _seen_how(case)
        what = f"No declaration covers {_name(case)}{_alike(case)}: {seen} {_when(case)}."
        if self._written >= MOST_DRAFTS:
            return Telling(
                what, "Declare it or stop using it; 'consentkit init --from-scan' drafts them all."
            )
        self._written += 1
        label = _label_of(case)
        if label is not None and label.why:
            what = f"{what} {label.why}"
        try:
            draft = self._draft_of(case, label)
        except Unfit as why:
            return Telling(what, f"No policy can declare it ({why}): stop using it.")
        if case.subject == "host":
            cure = (
                "Say what it is for and who is behind it, or stop loading from it; if it is the "
                "site's own, write it under 'hosts' of 'site'."
            )
        else:
            cure = "Declare it, after correcting what is guessed, or stop using it."
        return Telling(what, cure, draft)

    def _draft_of(self, case: Case, label: Label | None) -> str:
        key, is_pattern = case.name, case.name not in case.names
        seen = case.seen
        if isinstance(seen, SeenItem) and label is not None:
            return self._drafts.item(key, seen.where.value, label, is_pattern=is_pattern)
        if isinstance(seen, SeenCookie) and label is not None:
            life = Life(case.longest, case.is_third_party)
            return self._drafts.cookie(key, life, label, is_pattern=is_pattern)
        if case.subject == "service":
            return self._drafts.service(catalogue.services()[key], [*case.names])
        return self._drafts.host(key)

    def _tracker(self, case: Case) -> Telling:
        who, _, purpose = next(iter(case.told)).partition("|")
        what = (
            f"{_name(case)} is declared strictly necessary, and {who} is known to be for "
            f"{_FOR.get(purpose, purpose)}."
        )
        cure = "Give it a purpose that the visitor answers to; nobody needs it for the page."
        return Telling(what, cure, self._drafts.asked(case.section, case.key, purpose))

    # lives, kinds, attributes

    def _longer(self, case: Case) -> Telling:
        longest = min(case.longest or 0, LONGEST)
        declared = self._policy.cookies[case.key]
        most = declared.duration if declared.duration is not None else LONGEST
        what = (
            f"{_name(case)} lives {span_in_words(longest)}, and visitors are told "
            f"{span_in_words(most)}."
        )
        draft = self._drafts.longer(case.key, longest)
        cure = "Let it live no longer than declared, or declare how long it lives."
        if not draft:
            cure = "Let it live no longer than declared: the policy's presets allow no more."
        return Telling(what, cure, draft)

    def _kind(self, case: Case) -> Telling:
        told = dict(each.partition("|")[::2] for each in case.told)
        if "session" in told:
            longest = min(case.longest or 0, LONGEST)
            what = f"{_name(case)} is declared for the session, and lives {span_in_words(longest)}."
            draft = self._drafts.lasting(case.key, longest)
            return Telling(what, "Set it without a lifetime, or declare the one it has.", draft)
        if "is set" in told:
            what = f"{_name(case)} is declared as a poll's, and is set where nobody voted."
            return Telling(what, "Set it in the answer to the vote, or declare another kind.")
        if "party" in told:
            what = (
                f"{_name(case)} is declared as the site's own, and {quoted(told['party'])} stores "
                "one of this name."
            )
            cure = "If it is the same one, say that others store it; if not, rename your own."
            return Telling(what, cure, self._drafts.changed("cookies", case.key, party="third"))
        if "where" in told:
            there, here = self._policy.storage[case.key].where, Where(told["where"])
            what = f"{_name(case)} is declared in {_PLACES[there]}, and stands in {_PLACES[here]}."
            draft = self._drafts.changed("storage", case.key, where=here.value)
            return Telling(what, "Declare the place that it has.", draft)
        kind = self._policy.cookies[case.key].kind.value
        what = (
            f"{_name(case)} is declared {kind}, and was set for the session wherever it was seen."
        )
        cure = "If it never lasts, write 'kind: session' and take its 'duration' out."
        return Telling(what, cure, severity=Severity.NOTE)

    def _attributes(self, case: Case) -> Telling:
        lacking: dict[str, list[str]] = {}
        for each in case.told:
            attribute, _, why = each.partition("|")
            lacking.setdefault(attribute, []).append(why)
        told = (f"{attribute} ({listed(why)})" for attribute, why in lacking.items())
        what = f"{_name(case)} lacks {listed(told)}."
        switches = {"Secure": "secure", "HttpOnly": "http-only", "Partitioned": "partitioned"}
        wanted = [switches[each] for each in lacking if each in switches]
        if case.ways != {By.HEADER}:
            return Telling(what, "A script sets it: correct it there, or let the server set it.")
        draft = self._drafts.attributes(case.key, wanted) if wanted else ""
        cure = "Set it with them; ConsentMiddleware adds those that the policy declares."
        return Telling(what, cure, draft)

    def _never(self, case: Case) -> Telling:
        count = "1 page" if len(case.pages) == 1 else f"{len(case.pages)} pages"
        what = f"{_name(case)} is declared, and was not seen on any of {count} visited."
        cure = (
            "Take it out of the policy if the site does not use it any more; a page or an act that "
            "was not visited may still do so."
        )
        return Telling(what, cure)


_PLACES: Final[Mapping[Where, str]] = {
    Where.LOCAL: "localStorage",
    Where.SESSION: "sessionStorage",
    Where.INDEXED_DB: "IndexedDB",
}

_ON_WHAT: Final[Mapping[FindingKind, str]] = {
    FindingKind.BEFORE_ANSWER: "on a first visit, before any answer",
    FindingKind.THIRD_PARTY_EARLY: "on a first visit, before any answer",
    FindingKind.AFTER_REFUSAL: "although everything optional was refused",
    FindingKind.AGAINST_SIGNAL: "although the browser says Global Privacy Control",
}


def looks_like(case: Case, purpose: str) -> Telling:
    """What to say of a case that a label alone speaks for."""
    act = {"service": "is loaded", "storage": "is left behind"}.get(case.subject, "is set")
    why = " ".join(case.told)
    what = f"{_name(case)} {act} {_when(case)}, and looks like {_FOR.get(purpose, purpose)}. {why}"
    cure = (
        "Hold it back until the visitor says yes; a policy that declares it lets consentkit do so."
    )
    return Telling(what, cure, severity=Severity.WARNING)


def _label_of(case: Case) -> Label | None:
    """What the thing of a case probably is; None for a host."""
    seen = case.seen
    if isinstance(seen, SeenCookie):
        return label_of(
            seen.name,
            seconds=case.longest,
            shape=seen.shape,
            host=seen.domain,
            third_party=seen.third_party,
            http_only=seen.http_only,
        )
    if isinstance(seen, SeenItem):
        return label_of(
            seen.key,
            where=seen.where.value,
            shape=seen.shape,
            host=seen.host,
            third_party=seen.third_party,
        )
    return None


def _name(case: Case) -> str:
    if not case.name:
        return f"a {NOUNS[case.subject]} without a name"
    return f"{NOUNS[case.subject]} {quoted(case.name)}"


def _alike(case: Case) -> str:
    names = [name for name in case.names if name != case.name]
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f" (seen as {', '.join(map(quoted, names[:3]))}{more})"


def _acts(case: Case) -> tuple[list[str], list[str]]:
    """What it does, and the purposes it would have to wait for."""
    pairs = [each.partition("|")[::2] for each in case.told if each[0] != "|"]
    return list(dict.fromkeys(act for act, _ in pairs)), list(dict.fromkeys(of for _, of in pairs))


def _children(case: Case) -> str:
    if "|children" not in case.told:
        return ""
    return " On pages for children nothing optional may be (R-11)."


def _when(case: Case) -> str:
    return next(words for state, words in _WHEN.items() if state in case.states)


def _seen_how(case: Case) -> str:
    seen = case.seen
    if isinstance(seen, SeenRequest):
        return f"pages load from it (as {seen.what})"
    if isinstance(seen, SeenItem):
        return f"a page leaves it in {_PLACES[seen.where]}"
    ways = " and ".join(
        word
        for way, word in ((By.HEADER, "the server"), (By.SCRIPT, "a script"))
        if way in case.ways
    )
    life = "for the session" if case.longest is None else f"for {span_in_words(case.longest)}"
    of = f" of {seen.domain}" if isinstance(seen, SeenCookie) and case.is_third_party else ""
    return f"{ways}{of} {'set' if len(case.ways) > 1 else 'sets'} it {life}"
