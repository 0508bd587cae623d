"""The table, typed a second time by hand, and what leads into it."""

from itertools import product
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.rules.consent import Answer, Consent, Given, Seen, key_of_service
from consentkit.rules.decision import (
    DECISIONS,
    READ,
    STORE,
    Act,
    Decision,
    Occasion,
    Reason,
    answers_to,
    decide,
    decide_service,
    duration_of,
    is_open,
    next_lapse,
    single_services,
)
from consentkit.rules.policy import DAY, LONGEST, Basis, DeclaredCookie, Kind, Policy
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.testing.strategies import consents as consents_to
from consentkit.testing.strategies import policies

GPC = frozenset({Signal.GPC})
NOW = 1_800_000_000.0
AGAIN = 100 * DAY
MODES = {Basis.CONSENT: "explicit", Basis.IMPLIED: "implied", Basis.OPT_OUT: "opt-out"}
WORDS = {"title": "A", "description": "B"}


def policy(**changes: Any) -> Policy:
    """Two optional purposes, `a` and `b`, and one that is not; a cookie of every kind for `a`."""
    cookies: dict[str, Any] = {
        kind.value: {"kind": kind, "purpose": "a", "description": "C"} for kind in Kind
    }
    whole: dict[str, Any] = {
        "site": {"name": "A site", "controller": "Its owner"},
        "mode": "explicit",
        "ask_again_after": AGAIN,
        "purposes": {
            "a": WORDS,
            "b": WORDS,
            "necessary": {**WORDS, "basis": "strictly-necessary"},
        },
        "cookies": cookies,
    }
    return Policy.model_validate({**whole, **changes})


def with_basis(basis: Basis) -> Policy:
    return policy(purposes={"a": {**WORDS, "basis": basis}, "b": WORDS})


# DESIGN section 3, once more: undecided, implied, granted, refused.
A, B = True, False
TABLE = {
    "strictly-necessary": {"undecided": A, "implied": A, "granted": A, "refused": A},
    "consent": {"undecided": B, "implied": B, "granted": A, "refused": B},
    "implied": {"undecided": B, "implied": A, "granted": A, "refused": B},
    "opt-out": {"undecided": A, "implied": A, "granted": A, "refused": B},
}
OCCASIONS = [Occasion(*each) for each in product(Act, (False, True), (False, True), (False, True))]


def by_hand(basis: Basis, answer: Answer, kind: Kind, occasion: Occasion) -> bool:
    """DESIGN section 3 told once more, as a person would look it up."""
    necessary = basis is Basis.STRICTLY_NECESSARY
    if kind is Kind.POLL_TIMEOUT:
        refused = answer is Answer.REFUSED and not necessary
        return not refused and (occasion.act is Act.READ or occasion.vote)
    if not TABLE[basis.value][answer.value]:
        return False
    return necessary or occasion.act is Act.READ or not occasion.speculative


def test_the_table_is_the_one_that_was_decided() -> None:
    """DESIGN section 3: four bases by four answers, and nothing else."""
    assert {
        basis.value: {answer.value: allowed for answer, allowed in row.items()}
        for basis, row in DECISIONS.items()
    } == TABLE


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("basis", Basis)
def test_every_decision_is_the_one_in_the_table(basis: Basis, kind: Kind) -> None:
    """Total: every answer on every occasion, against the table typed by hand."""
    some = with_basis(basis)
    declared = some.cookies[kind.value]
    for answer, occasion in product(Answer, OCCASIONS):
        answers = tuple(answer for _ in some.questions)
        decision = decide(some, declared, answers, occasion)
        assert decision.allowed is by_hand(basis, answer, kind, occasion), (answer, occasion)


@pytest.mark.parametrize(
    ("level", "store", "read"),
    [("report", True, True), ("block", False, True), ("hide", False, False)],
)
def test_what_is_undeclared_has_no_row(level: str, store: bool, read: bool) -> None:  # noqa: FBT001
    """R-26: under block and hide nothing undeclared is ever allowed out, whatever was answered."""
    some = policy(undeclared=level)
    for answer, occasion in product(Answer, OCCASIONS):
        decision = decide(some, None, (answer, answer), occasion)
        assert decision == Decision(store if occasion.act is Act.STORE else read, Reason.UNDECLARED)


def test_a_cookie_of_several_purposes_needs_every_one() -> None:
    """R-28: the strictest wins, and the decision says which purpose stood in the way."""
    both = {"kind": "session", "purpose": ["a", "necessary", "b"], "description": "C"}
    some = policy(cookies={"both": both})
    cookie = some.cookies["both"]
    yes, no = Answer.GRANTED, Answer.REFUSED
    assert decide(some, cookie, (yes, yes)).allowed
    assert decide(some, cookie, (no, yes)) == Decision(B, Reason.REFUSED, "a")
    assert decide(some, cookie, (yes, Answer.UNDECIDED)) == Decision(B, Reason.UNDECIDED, "b")
    assert decide(some, cookie, (yes, Answer.IMPLIED)) == Decision(B, Reason.IMPLIED, "b")


def test_the_reason_says_what_happened() -> None:
    """A log line must tell a person what to do about it."""
    some = policy()
    cookies = some.cookies
    granted = (Answer.GRANTED, Answer.GRANTED)
    refused = (Answer.REFUSED, Answer.GRANTED)
    fixed = cookies["analytics"].model_copy(update={"renew": False})
    assert str(decide(some, cookies["session"], refused)) == "blocked: refused (purpose 'a')"
    assert str(decide(some, None, granted)) == "blocked: not declared"
    assert decide(some, cookies["session"], granted).reason is Reason.NOTHING_REFUSED
    poll = cookies["poll-timeout"]
    assert decide(some, poll, granted) == Decision(B, Reason.NO_VOTE, "a")
    assert decide(some, poll, granted, Occasion(vote=True)) == Decision(A, Reason.VOTE, "a")
    assert decide(some, poll, refused, Occasion(vote=True)).reason is Reason.REFUSED
    again = Occasion(arrived=True)
    assert decide(some, fixed, granted, again) == Decision(B, Reason.NOT_RENEWED, "a")
    assert decide(some, cookies["analytics"], granted, again).allowed
    assert decide(some, fixed, granted, STORE).allowed
    assert decide(some, fixed, granted, Occasion(Act.READ, arrived=True)).allowed
    ahead = Occasion(speculative=True)
    assert decide(some, cookies["session"], granted, ahead).reason is Reason.SPECULATIVE
    necessary = with_basis(Basis.STRICTLY_NECESSARY)
    decision = decide(necessary, necessary.cookies["session"], granted[:1])
    assert decision == Decision(A, Reason.STRICTLY_NECESSARY)


# Duration


def declared(kind: Kind, duration: int | None) -> DeclaredCookie:
    return DeclaredCookie(kind=kind, purpose=("a",), description="C", duration=duration)


spans = st.none() | st.integers(1, 2 * LONGEST)


@given(spans, spans)
def test_a_session_cookie_has_no_duration(asked: int | None, length: int | None) -> None:
    """DESIGN 3: so that "we use session cookies only" stays true."""
    assert duration_of(declared(Kind.SESSION, length), asked) is None


@pytest.mark.parametrize("kind", [Kind.PERSISTENT, Kind.ANALYTICS])
@given(asked=spans, length=spans)
def test_a_lasting_cookie_lives_the_least_of_what_is_asked_declared_and_400_days(
    kind: Kind, asked: int | None, length: int | None
) -> None:
    """R-24; where the app asks for the session alone, nothing is added."""
    lives = duration_of(declared(kind, length), asked)
    spans_given = [span for span in (asked, length, LONGEST) if span is not None]
    assert lives == (None if asked is None else min(spans_given))


@given(spans, spans)
def test_a_poll_cookie_always_ends(asked: int | None, length: int | None) -> None:
    """R-27: one day where nothing is declared, also where the app sets no lifetime."""
    lives = duration_of(declared(Kind.POLL_TIMEOUT, length), asked)
    assert lives == min(span for span in (asked, length or DAY, LONGEST) if span is not None)


# Answers in effect

grants = st.builds(
    Given,
    st.just(value=True),
    st.integers(1, 4),
    st.integers(int(NOW) - 3 * AGAIN, int(NOW)),
    st.sampled_from([NO_SIGNALS, GPC]),
)
refusals = st.builds(
    Given,
    st.just(value=False),
    st.integers(1, 4),
    st.integers(int(NOW) - 3 * AGAIN, int(NOW)),
)
sights = st.none() | st.builds(
    Seen, st.just(4), st.integers(0, 4), st.integers(int(NOW) - 3 * AGAIN, int(NOW))
)
consents = st.builds(
    Consent,
    st.dictionaries(st.sampled_from(["a", "b", "gone"]), grants | refusals),
    sights,
    st.booleans(),
)
signals = st.frozensets(st.sampled_from(Signal))
modes = st.sampled_from(["explicit", "implied", "opt-out"])


def allowed(some: Policy, consent: Consent, on: frozenset[Signal], now: float) -> set[str]:
    """The questions whose answer in effect allows what stands under them."""
    answers = answers_to(some, consent, on, now)
    return {
        repr(question)
        for question, answer in zip(some.questions, answers, strict=True)
        if DECISIONS[some.basis_of(question.purpose)][answer]
    }


@given(modes, consents, signals)
def test_a_signal_never_grants(mode: str, consent: Consent, on: frozenset[Signal]) -> None:
    """R-37: with a signal on, at most what was allowed without it."""
    some = policy(mode=mode)
    assert allowed(some, consent, on, NOW) <= allowed(some, consent, NO_SIGNALS, NOW)


@given(modes, consents, signals, st.integers(0, 4 * AGAIN))
def test_time_never_widens_what_is_allowed(
    mode: str, consent: Consent, on: frozenset[Signal], later: int
) -> None:
    """DESIGN 3: a lapse decides when a visitor is asked.

    Under opt-out a lapsed grant is undecided, which allows what the grant allowed, and no more.
    """
    some = policy(mode=mode)
    before = allowed(some, consent, on, NOW)
    assert allowed(some, consent, on, NOW + later) <= before


@given(modes, consents, signals, st.booleans())
def test_a_new_revision_never_widens_what_is_allowed(
    mode: str,
    consent: Consent,
    on: frozenset[Signal],
    marked: bool,  # noqa: FBT001
) -> None:
    """R-08, DC-04: whoever answered an older revision is allowed no more by a newer one."""
    old = policy(mode=mode, revision=4, purposes={"a": {**WORDS, "since": 4}, "b": WORDS})
    since = {"since": 5} if marked else {"since": 4}
    new = policy(mode=mode, revision=5, purposes={"a": {**WORDS, **since}, "b": WORDS})

    def purposes_of(some: Policy) -> set[str]:
        answers = answers_to(some, consent, on, NOW)
        return {
            question.purpose
            for question, answer in zip(some.questions, answers, strict=True)
            if DECISIONS[some.basis_of(question.purpose)][answer]
        }

    assert purposes_of(new) <= purposes_of(old)


@given(modes, grants | refusals, sights, st.booleans())
def test_explicit_beats_automatic(
    mode: str,
    own: Given,
    seen: Seen | None,
    readable: bool,  # noqa: FBT001
) -> None:
    """DESIGN 3: what happened by itself changes nothing about an answer that was given."""
    some = policy(mode=mode)
    alone = answers_to(some, Consent({"a": own}), NO_SIGNALS, NOW)[0]
    assert answers_to(some, Consent({"a": own}, seen, readable), NO_SIGNALS, NOW)[0] is alone
    if not own.granted:
        assert alone is Answer.REFUSED


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_a_lapsed_grant_is_undecided_and_asked(mode: str) -> None:
    """R-19: after `ask-again-after` the visitor is asked; to the second."""
    some = policy(mode=mode)
    consent = Consent({"a": Given(granted=True, revision=1, time=int(NOW))})
    (question, *_), last = some.questions, NOW + AGAIN - 1
    assert answers_to(some, consent, NO_SIGNALS, last)[0] is Answer.GRANTED
    assert not is_open(some, question, consent, NO_SIGNALS, last)
    assert answers_to(some, consent, NO_SIGNALS, last + 1)[0] is Answer.UNDECIDED
    assert is_open(some, question, consent, NO_SIGNALS, last + 1)


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_a_lapsed_refusal_stays_refused_and_is_asked(mode: str) -> None:
    """DESIGN 3: `ask-again-after` never turns a no into anything else."""
    some = policy(mode=mode)
    consent = Consent({"a": Given(granted=False, revision=1, time=int(NOW))}, Seen(1, 1, int(NOW)))
    question = some.questions[0]
    assert not is_open(some, question, consent, NO_SIGNALS, NOW)
    assert is_open(some, question, consent, NO_SIGNALS, NOW + AGAIN)
    for now in (NOW, NOW + AGAIN, NOW + 100 * AGAIN):
        assert answers_to(some, consent, NO_SIGNALS, now)[0] is Answer.REFUSED


def test_a_lapsed_implication_is_undecided_and_asked() -> None:
    """R-19: the same for consent that is implied."""
    some = policy(mode="implied")
    consent = Consent(seen=Seen(1, 1, int(NOW)))
    question = some.questions[0]
    assert answers_to(some, consent, NO_SIGNALS, NOW)[0] is Answer.IMPLIED
    assert not is_open(some, question, consent, NO_SIGNALS, NOW)
    assert answers_to(some, consent, NO_SIGNALS, NOW + AGAIN)[0] is Answer.UNDECIDED
    assert is_open(some, question, consent, NO_SIGNALS, NOW + AGAIN)


@pytest.mark.parametrize(
    ("mode", "answer"),
    [("explicit", Answer.UNDECIDED), ("implied", Answer.REFUSED), ("opt-out", Answer.REFUSED)],
)
def test_a_token_that_does_not_verify_counts_as_refused(mode: str, answer: Answer) -> None:
    """DESIGN 3: somebody had answered, and what they said is lost; they are asked."""
    some = policy(mode=mode)
    consent = Consent(seen=Seen(1, 1, int(NOW)), readable=False)
    assert answers_to(some, consent, NO_SIGNALS, NOW) == (answer, answer)
    assert is_open(some, some.questions[0], consent, NO_SIGNALS, NOW)
    readable = Consent(seen=Seen(1, 1, int(NOW)))
    assert Answer.REFUSED not in answers_to(some, readable, NO_SIGNALS, NOW)


def test_implied_at_once_is_implied_before_anything_was_shown() -> None:
    """DESIGN 3: for a site whose own document says so; the visitor is still to be asked."""
    some = policy(mode="implied", takes_effect="at-once")
    assert answers_to(some, Consent(), NO_SIGNALS, NOW) == (Answer.IMPLIED, Answer.IMPLIED)
    assert is_open(some, some.questions[0], Consent(), NO_SIGNALS, NOW)
    later = policy(mode="implied")
    assert answers_to(later, Consent(), NO_SIGNALS, NOW) == (Answer.UNDECIDED, Answer.UNDECIDED)


# Revisions


def test_a_grant_of_an_ancient_revision_does_not_hold() -> None:
    """DC-14: a grant at the present one holds; an ancient one and none are undecided."""
    some = policy(revision=3)
    present = Consent({"a": Given(granted=True, revision=3, time=int(NOW))})
    ancient = Consent({"a": Given(granted=True, revision=1, time=int(NOW))})
    found = [answers_to(some, each, NO_SIGNALS, NOW)[0] for each in (present, ancient, Consent())]
    assert found == [Answer.GRANTED, Answer.UNDECIDED, Answer.UNDECIDED]


def test_a_cookie_added_to_a_granted_purpose_waits_for_its_own_answer() -> None:
    """DC-15, R-08: the old one stays allowed; a new grant frees both."""
    kind = {"kind": "session", "purpose": "a", "description": "C"}
    some = policy(revision=2, cookies={"old": kind, "new": {**kind, "since": 2}})
    old, new = some.cookies["old"], some.cookies["new"]

    def may_store(consent: Consent) -> tuple[bool, bool]:
        answers = answers_to(some, consent, NO_SIGNALS, NOW)
        return decide(some, old, answers).allowed, decide(some, new, answers).allowed

    before = Consent({"a": Given(granted=True, revision=1, time=int(NOW))})
    after = before.grant(["a"], 2, NOW, NO_SIGNALS)
    assert may_store(before) == (True, False)
    assert may_store(after) == (True, True)
    assert may_store(Consent()) == (False, False)
    asked = [q for q in some.questions if is_open(some, q, before, NO_SIGNALS, NOW)]
    assert [question.since for question in asked if question.purpose == "a"] == [2]
    assert not any(
        is_open(some, q, after, NO_SIGNALS, NOW) for q in some.questions if q.purpose == "a"
    )


def test_a_revision_that_marks_no_change_asks_about_everything() -> None:
    """DC-04: raised without saying since when, it means that everything changed."""
    answered = Consent(
        {name: Given(granted=True, revision=1, time=int(NOW)) for name in ("a", "b")}
    )
    same, raised = policy(), policy(revision=2)
    assert not any(is_open(same, q, answered, NO_SIGNALS, NOW) for q in same.questions)
    assert all(is_open(raised, q, answered, NO_SIGNALS, NOW) for q in raised.questions)
    assert set(answers_to(raised, answered, NO_SIGNALS, NOW)) == {Answer.UNDECIDED}


def test_a_refusal_of_an_older_revision_stays_a_refusal_and_is_asked() -> None:
    """DESIGN 3: never wider; a purpose added is asked about, not refused (TR-09)."""
    some = policy(revision=2)
    refused = Consent({"a": Given(granted=False, revision=1, time=int(NOW))})
    assert answers_to(some, refused, NO_SIGNALS, NOW) == (Answer.REFUSED, Answer.UNDECIDED)
    assert all(is_open(some, q, refused, NO_SIGNALS, NOW) for q in some.questions)


# Signals


def test_a_signal_beats_undecided_and_implied() -> None:
    """DESIGN 3: it answers on the visitor's behalf, so nothing is left to ask."""
    for mode in ("explicit", "implied", "opt-out"):
        some = policy(mode=mode)
        consent = Consent(seen=Seen(1, 1, int(NOW)))
        assert set(answers_to(some, consent, GPC, NOW)) == {Answer.REFUSED}
        assert not is_open(some, some.questions[0], Consent(), GPC, NOW)
        assert is_open(some, some.questions[0], Consent(), NO_SIGNALS, NOW)


def test_a_grant_given_while_the_signal_was_on_stands() -> None:
    """DESIGN 3: the notice said so. One given before it was known does not, until it is off."""
    some = policy()
    knowing = Consent({"a": Given(granted=True, revision=1, time=int(NOW), despite=GPC)})
    unknowing = Consent({"a": Given(granted=True, revision=1, time=int(NOW))})
    assert answers_to(some, knowing, GPC, NOW)[0] is Answer.GRANTED
    assert answers_to(some, unknowing, GPC, NOW)[0] is Answer.REFUSED
    assert answers_to(some, unknowing, NO_SIGNALS, NOW)[0] is Answer.GRANTED


def test_a_signal_outweighs_every_grant_where_a_preset_says_so() -> None:
    """R-37 (11 CCR 7025(c)(1)): in California also the grant that was given while it was on."""
    knowing = Consent({"a": Given(granted=True, revision=1, time=int(NOW), despite=GPC)})
    for preset, answer in (("us-ca", Answer.REFUSED), ("us-other", Answer.GRANTED)):
        some = policy(preset=preset)
        assert answers_to(some, knowing, GPC, NOW)[0] is answer
        assert answers_to(some, knowing, NO_SIGNALS, NOW)[0] is Answer.GRANTED


def test_a_purpose_honours_only_the_signals_it_names() -> None:
    """`honours: []` for one, DNT for another."""
    some = policy(
        mode="opt-out",
        purposes={"a": {**WORDS, "honours": []}, "b": {**WORDS, "honours": ["dnt"]}},
    )
    answers = {
        "+".join(sorted(on)): answers_to(some, Consent(), on, NOW)
        for on in (GPC, frozenset({Signal.DNT}), frozenset(Signal))
    }
    undecided, refused = Answer.UNDECIDED, Answer.REFUSED
    assert answers["gpc"] == (undecided, undecided)
    assert answers["dnt"] == (undecided, refused)
    assert answers["dnt+gpc"] == (undecided, refused)


# When to look again


@given(modes, consents, signals)
def test_nothing_changes_by_time_before_the_next_lapse(
    mode: str, consent: Consent, on: frozenset[Signal]
) -> None:
    """DESIGN 8: what was remembered holds until then, so only the time is checked again."""
    some = policy(mode=mode)
    until = next_lapse(some, consent, NOW)
    assert until > NOW
    if until < inf:
        before = answers_to(some, consent, on, until - 1)
        assert before == answers_to(some, consent, on, NOW)
        for question in some.questions:
            then = is_open(some, question, consent, on, until - 1)
            assert then == is_open(some, question, consent, on, NOW)


def test_what_lapses_at_this_moment_does_not_lapse_again() -> None:
    """At the end of its time an answer has lapsed, so what was found now holds for good."""
    some = policy()
    consent = Consent().refuse(["analytics"], 1, NOW)
    ended = next(iter(consent.given.values())).time + some.ask_again_after
    assert next_lapse(some, consent, ended) == inf
    assert next_lapse(some, consent, ended - 1) == ended


def test_reading_is_decided_like_storing_but_for_the_occasion() -> None:
    """Gaining access is governed as storing is (ePrivacy Directive 5(3))."""
    some = policy()
    session = some.cookies["session"]
    for answer in Answer:
        answers = (answer, answer)
        stored, read = decide(some, session, answers, STORE), decide(some, session, answers, READ)
        assert stored.allowed is read.allowed


# Services


def with_services(**changes: Any) -> Policy:
    """A service for each way of standing: one purpose, two, and none that anybody answers to."""
    services = {
        "film": {"purpose": "a", "provider": "P"},
        "both": {"purpose": ["a", "necessary", "b"], "provider": "P"},
        "own": {"purpose": "necessary", "provider": "P"},
    }
    return policy(**{"services": services, **changes})


@pytest.mark.parametrize("basis", Basis)
def test_a_service_loads_as_the_table_says(basis: Basis) -> None:
    """R-01: a tag of somebody else waits for the same answer as a cookie does."""
    some = with_services(
        purposes={
            "a": {**WORDS, "basis": basis},
            "b": WORDS,
            "necessary": {**WORDS, "basis": "strictly-necessary"},
        }
    )
    for answer in Answer:
        answers = tuple(answer for _ in some.questions)
        allowed = TABLE[basis.value][answer.value]
        assert decide_service(some, "film", answers).allowed is allowed
        assert decide_service(some, "own", answers) == Decision(A, Reason.STRICTLY_NECESSARY)


def test_a_service_of_several_purposes_needs_every_one() -> None:
    """R-28: and the decision says which purpose stood in the way."""
    some = with_services()
    yes, no = Answer.GRANTED, Answer.REFUSED
    assert decide_service(some, "both", (yes, yes)) == Decision(A, Reason.NOTHING_REFUSED)
    assert decide_service(some, "both", (no, yes)) == Decision(B, Reason.REFUSED, "a")
    undecided = (yes, Answer.UNDECIDED)
    assert decide_service(some, "both", undecided) == Decision(B, Reason.UNDECIDED, "b")


@pytest.mark.parametrize(("level", "allowed"), [("report", A), ("block", B), ("hide", B)])
def test_a_host_that_nobody_declared_is_held_to_what_is_undeclared(
    level: str,
    allowed: bool,  # noqa: FBT001
) -> None:
    """R-26: whatever was answered, for nobody could have answered for it."""
    some = with_services(undeclared=level)
    for answer in Answer:
        decision = decide_service(some, None, (answer, answer), {"film"})
        assert decision == Decision(allowed, Reason.UNDECLARED)


def test_what_was_granted_by_itself_loads_by_itself() -> None:
    """R-53: the button on a placeholder answers for this one service, and the log says so."""
    some = with_services()
    refused = (Answer.REFUSED, Answer.GRANTED)
    assert decide_service(some, "film", refused, {"film"}) == Decision(A, Reason.SINGLE, "a")
    assert not decide_service(some, "both", refused, {"film"}).allowed
    granted = (Answer.GRANTED, Answer.GRANTED)
    assert decide_service(some, "film", granted, {"film"}).reason is Reason.NOTHING_REFUSED


def test_a_service_that_came_later_is_not_covered_by_an_older_grant() -> None:
    """R-08: as with a cookie, a grant covers what stood in the policy when it was given."""
    late = {"film": {"purpose": "a", "provider": "P", "since": 2}}
    some = with_services(services=late, revision=2)
    older, newer = (Consent().grant(["a"], revision, NOW, NO_SIGNALS) for revision in (1, 2))
    for consent, allowed in ((older, B), (newer, A)):
        answers = answers_to(some, consent, NO_SIGNALS, NOW)
        assert decide_service(some, "film", answers).allowed is allowed


FILM = key_of_service("film")
ALONE = Consent().grant([FILM], 1, NOW, NO_SIGNALS)
HEARD = Consent().grant([FILM], 1, NOW, GPC)
LATER = Consent({**ALONE.given, "a": Given(granted=False, revision=1, time=int(NOW) + 1)})
BEFORE = Consent({**ALONE.given, "a": Given(granted=False, revision=1, time=int(NOW) - 1)})
AT_ONCE = Consent({**ALONE.given, "a": Given(granted=False, revision=1, time=int(NOW))})
"""A refusal takes the grant out of the token; both are there, so the grant came after it."""
OTHER = Consent({**ALONE.given, "b": Given(granted=False, revision=1, time=int(NOW) + 1)})
AGREED = Consent({**ALONE.given, "a": Given(granted=True, revision=1, time=int(NOW) + 1)})
NO = Consent({FILM: Given(granted=False, revision=1, time=int(NOW))})
DEAF = {"a": {**WORDS, "honours": []}, "b": WORDS, "necessary": WORDS}
SINCE = {"a": {**WORDS, "since": 2}, "b": WORDS, "necessary": WORDS}
LATE = {"film": {"purpose": "a", "provider": "P", "since": 2}}

ALONE_OR_NOT: dict[str, tuple[Policy, Consent, frozenset[Signal], float, bool]] = {
    "nothing was given": (with_services(), Consent(), NO_SIGNALS, NOW, B),
    "it was granted": (with_services(), ALONE, NO_SIGNALS, NOW, A),
    "it was refused, which nobody can": (with_services(), NO, NO_SIGNALS, NOW, B),
    "a moment before it lapses": (with_services(), ALONE, NO_SIGNALS, NOW + AGAIN - 1, A),
    "it has lapsed": (with_services(), ALONE, NO_SIGNALS, NOW + AGAIN, B),
    "its purpose was refused later": (with_services(), LATER, NO_SIGNALS, NOW, B),
    "its purpose was refused before": (with_services(), BEFORE, NO_SIGNALS, NOW, A),
    "its purpose was refused in the same second": (with_services(), AT_ONCE, NO_SIGNALS, NOW, A),
    "its purpose was granted later": (with_services(), AGREED, NO_SIGNALS, NOW, A),
    "another purpose was refused later": (with_services(), OTHER, NO_SIGNALS, NOW, A),
    "a signal came up since": (with_services(), ALONE, GPC, NOW, B),
    "the signal was on": (with_services(), HEARD, GPC, NOW, A),
    "the signal has gone": (with_services(), HEARD, NO_SIGNALS, NOW, A),
    "the signal wins always": (with_services(preset="us-ca"), HEARD, GPC, NOW, B),
    "its purpose is deaf to the signal": (with_services(purposes=DEAF), ALONE, GPC, NOW, A),
    "its purpose changed since": (
        with_services(purposes=SINCE, revision=2),
        ALONE,
        NO_SIGNALS,
        NOW,
        B,
    ),
    "it changed since": (with_services(services=LATE, revision=2), ALONE, NO_SIGNALS, NOW, B),
    "the revision rose for everything": (with_services(revision=2), ALONE, NO_SIGNALS, NOW, B),
    "the revision rose for something else": (
        with_services(
            revision=2,
            services={"film": {"purpose": "a", "provider": "P"}, "other": LATE["film"]},
        ),
        ALONE,
        NO_SIGNALS,
        NOW,
        A,
    ),
}


@pytest.mark.parametrize("case", ALONE_OR_NOT)
def test_a_grant_of_one_service_lasts_as_a_purposes_does(case: str) -> None:
    """R-08, R-37, R-19: it lapses, is outdated, is outweighed, and is taken away by a refusal."""
    some, consent, signals, now, stands = ALONE_OR_NOT[case]
    assert ("film" in single_services(some, consent, signals, now)) is stands
    assert "both" not in single_services(some, consent, signals, now)


def test_what_needs_no_grant_was_not_granted_by_itself() -> None:
    """A service that became strictly necessary: an old token says nothing of it any more."""
    some = with_services(services={"film": {"purpose": "necessary", "provider": "P"}})
    assert single_services(some, ALONE, NO_SIGNALS, NOW) == frozenset()
    assert decide_service(some, "film", answers_to(some, ALONE, NO_SIGNALS, NOW)).allowed


@given(policies(), st.data())
def test_a_service_may_load_if_all_its_purposes_may_or_it_was_granted_by_itself(
    some: Policy, data: st.DataObject
) -> None:
    """The rule once more, for any policy and visitor; and a signal never lets anything load."""
    consent = data.draw(consents_to(some, now=NOW))
    loads: list[set[str]] = []
    for signals in (NO_SIGNALS, data.draw(st.frozensets(st.sampled_from(Signal)))):
        answers = answers_to(some, consent, signals, NOW)
        single = single_services(some, consent, signals, NOW)
        assert {key_of_service(name) for name in single} <= consent.given.keys()
        decisions = {name: decide_service(some, name, answers, single) for name in some.services}
        for name in some.services:
            rows = [
                TABLE[some.basis_of(some.questions[place].purpose).value][answers[place].value]
                for place in some.questions_of_service(name)
            ]
            assert decisions[name].allowed is (all(rows) or name in single)
        loads.append({name for name, decision in decisions.items() if decision.allowed})
    assert loads[1] <= loads[0]


@pytest.mark.parametrize("kind", Kind)
def test_what_is_blocked_says_for_which_purpose(kind: Kind) -> None:
    """An event names the purpose, so that one knows which line of the policy to read."""
    some = with_basis(Basis.IMPLIED)
    answers = tuple(Answer.REFUSED for _ in some.questions)
    refused = decide(some, some.cookies[kind.value], answers, STORE)
    assert (refused.allowed, refused.purpose) == (False, "a")
    granted = tuple(Answer.GRANTED for _ in some.questions)
    fetched_ahead = Occasion(vote=True, speculative=True)
    ahead = decide(some, some.cookies[kind.value], granted, fetched_ahead)
    if kind is not Kind.POLL_TIMEOUT:
        assert (ahead.reason, ahead.purpose) == (Reason.SPECULATIVE, "a")


def test_a_decision_is_told_in_words() -> None:
    """What a log line says of it: the verb, the reason, and the purpose where there is one."""
    blocked = Decision(allowed=False, reason=Reason.REFUSED, purpose="a")
    assert str(blocked).startswith("blocked")
    assert str(Decision(allowed=True, reason=Reason.NOTHING_REFUSED)).startswith("allowed")
