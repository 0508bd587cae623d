"""Assertions about what a response stores or a jar holds, under the policy that decides it.

It has never heard of a test framework: a failure is an AssertionError, which says what came, why,
which line of the policy's file decides it, and what to do.

Each takes what any client gives: a response, a jar, a client with a jar, a browser context, a page.
Of a response that came by redirects, those count too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consentkit.rules.decision import READ, decide
from consentkit.rules.names import NameIndex
from consentkit.shell.explanations import explain
from consentkit.testing.evidence import Evidence, evidence_of
from consentkit.testing.failures import (
    decision_of,
    failure,
    how_to_be_blocked,
    how_to_be_set,
    lines_at,
    lines_of,
    was_tried,
    what_came,
    why,
)
from consentkit.wire.cookies import SetCookie, parse_set_cookie

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.rules.policy import Policy

__all__ = ["assert_blocked", "assert_only_declared", "assert_removed", "assert_sets", "is_own"]


def assert_sets(response: Any, name: str, *, policy: Policy | None = None) -> SetCookie:  # noqa: ANN401 - of any client
    """The response stores the cookie, or the jar holds it; returns it parsed, the last of a name.

    What the same response expires again is not stored.
    `policy` is that of the site; it need not be given where the response came through
    `consent_client` or `Browser`, which know it.
    """
    __tracebackhide__ = True  # what failed is the test's line, and none of these
    evidence = evidence_of(response)
    stored = evidence.sets(name)
    cookie = parse_set_cookie(stored[-1].raw) if stored else None
    if cookie is not None:
        return cookie
    decision = decision_of(evidence, policy, name)
    verb = "held" if evidence.is_jar else "set"
    raise failure(
        f"cookie '{name}' was to be {verb}, and is not.",
        came=what_came(evidence, name),
        why=why(decision, evidence.standing),
        lines=lines_of(policy or evidence.policy, name, decision),
        do=how_to_be_set(decision, evidence, name),
    )


def assert_blocked(response: Any, name: str, *, policy: Policy | None = None) -> None:  # noqa: ANN401 - of any client
    """The response does not store the cookie although the app tried to.

    The attempt is looked for where it can be seen, in what `consent_client` and `Browser` give: an
    app that never sets the cookie proves nothing. A jar does not hold it; more cannot be said of
    one.
    """
    __tracebackhide__ = True  # what failed is the test's line, and none of these
    evidence = evidence_of(response)
    decision = decision_of(evidence, policy, name)
    rules = policy or evidence.policy
    if evidence.sets(name):
        raise failure(
            f"cookie '{name}' was to be blocked, and is {'held' if evidence.is_jar else 'set'}.",
            came=what_came(evidence, name),
            why=why(decision, evidence.standing),
            lines=lines_of(rules, name, decision),
            do=how_to_be_blocked(decision, evidence),
        )
    if evidence.is_watched and evidence.events is None:
        raise failure(
            f"cookie '{name}' was not blocked: no ConsentMiddleware was seen at work on this "
            "request, so this proves nothing.",
            came=what_came(evidence, name),
            do=(
                "ask for a path that it does not exclude; where a layer outside of it hands on a "
                "copy of the scope, hand over the app without that layer."
            ),
        )
    if was_tried(evidence, name) is False:
        raise failure(
            f"cookie '{name}' was not blocked: the app never tried to set it, so this proves "
            "nothing.",
            came=what_came(evidence, name),
            do="ask for a page that sets it, and see that the name is spelled as the app does.",
        )


def assert_removed(response: Any, name: str, *, policy: Policy | None = None) -> None:  # noqa: ANN401 - of any client
    """The response expires the cookie, and sets none of that name; a jar holds none any more.

    That the removal hits, by its path and domain, a jar says: `assert_removed(client, name)`.
    """
    __tracebackhide__ = True  # what failed is the test's line, and none of these
    evidence = evidence_of(response)
    if evidence.is_jar:
        is_gone = not evidence.sets(name)
    else:
        is_gone = bool(evidence.removes(name)) and not evidence.sets(name)
    if is_gone:
        return
    rules = policy or evidence.policy
    reason, cure = _why_not_removed(evidence, rules, name)
    raise failure(
        f"cookie '{name}' was to be removed, and is {'there' if evidence.is_jar else 'not'}.",
        came=what_came(evidence, name),
        why=reason,
        lines=lines_of(rules, name, None),
        do=cure,
    )


def _why_not_removed(evidence: Evidence, policy: Policy | None, name: str) -> tuple[str, str]:
    """Why a cookie is not expired, and what to do about it."""
    declared = policy.declaration_of(name) if policy is not None else None
    if policy is not None and declared is None:
        reason = "not declared, and consentkit removes only what the site has declared."
        return reason, "declare it under 'cookies:', or let the app remove what it sets."
    if declared is not None and declared.party == "third":
        reason = "it belongs to another party's host, where this server can remove nothing."
        return reason, "take it out of the test, or say 'party: first' if it is the site's own."
    standing, reason = evidence.standing, ""
    if policy is not None and standing is not None:
        decision = decide(policy, declared, standing.answers, READ)
        reason = why(decision, standing)
        if decision.allowed:
            cure = (
                "refuse or withdraw it first: client.post('/consent', data={'choice': 'withdraw'})."
            )
            return f"{reason} What is allowed is not removed.", cure
    return reason, (
        "see that the request is an answer or a page view, that it brought the cookie, and that "
        "name, path and domain are those it was set with."
    )


def is_own(name: str, policy: Policy) -> bool:
    """True for the name of one of consentkit's own tokens, with whichever prefix."""
    bare = name.removeprefix("__Host-").removeprefix("__Secure-")
    return bare in (policy.token.name, f"{policy.token.name}-seen")


def assert_only_declared(seen: Any, policy: Policy | None = None) -> None:  # noqa: ANN401 - of any client
    """Everything that the response stores, or that the jar or browser holds, is declared.

    Our own tokens are, and removals store nothing. Of a browser context its localStorage and
    IndexedDB count too. `policy` may be left out where `consent_client` or `Browser` knows it; else
    TypeError.
    """
    __tracebackhide__ = True  # what failed is the test's line, and none of these
    evidence = evidence_of(seen)
    rules = policy or evidence.policy
    if rules is None:
        raise TypeError("which policy? This does not know it: pass policy=load_policy(…)")
    cookies = dict.fromkeys(
        each.name
        for each in evidence.cookies
        if not each.is_removal
        and not is_own(each.name, rules)
        and rules.declaration_of(each.name) is None
    )
    items = dict.fromkeys(key for where, key, _ in evidence.items if not _covers(rules, where, key))
    if not cookies and not items:
        return
    strange = [*(f"cookie '{name}'" for name in cookies), *(f"stored item '{k}'" for k in items)]
    section = "cookies" if cookies else "storage"
    raise failure(
        f"not declared: {', '.join(strange)}.",
        came=what_came(evidence),
        why=" ".join(note for name in (*cookies, *items) for note in _notes(rules, name)),
        lines=lines_at(rules, (section,), ("undeclared",)),
        do=f"declare what the site needs under '{section}:', and stop setting the rest.",
    )


def _covers(policy: Policy, where: str, key: str) -> bool:
    declared = {name: item for name, item in policy.storage.items() if item.where == where}
    return NameIndex(declared).find(key) is not None


def _notes(policy: Policy, name: str) -> Iterator[str]:
    """What is known of a name that is not declared: a near one, a chunk, the catalogue's."""
    for explanation in explain(policy, name):
        if explanation.section == "undeclared":
            yield from (f"{name}: {note}" for note in explanation.notes)
