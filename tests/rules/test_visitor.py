from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import LateAnswerWarning, UnknownPurposeError, UnknownServiceError
from consentkit.rules.consent import (
    NOBODY_YET,
    Answer,
    Consent,
    Given,
    Seen,
    TokenFormat,
    is_of_service,
    key_of_service,
)
from consentkit.rules.decision import DECISIONS, READ, STORE, Occasion, decide
from consentkit.rules.policy import DAY, Policy
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rules.visitor import Standing, Visitor
from consentkit.testing.strategies import consents, policies

GPC = frozenset({Signal.GPC})
NOW = 1_800_000_000
AGAIN = 100 * DAY
OPTIONAL = ("a", "b", "c")


def policy(mode: str = "explicit", **changes: Any) -> Policy:
    """Three optional purposes and one that is not."""
    words = {"title": "A", "description": "B"}
    whole: dict[str, Any] = {
        "site": {"name": "A site", "controller": "Its owner"},
        "mode": mode,
        "ask_again_after": AGAIN,
        "purposes": {
            **dict.fromkeys(OPTIONAL, words),
            "necessary": {**words, "basis": "strictly-necessary"},
        },
    }
    return Policy.model_validate({**whole, **changes})


def visitor(
    some: Policy,
    consent: Consent | None = None,
    signals: frozenset[Signal] = NO_SIGNALS,
    now: float = NOW,
    *,
    report_only: bool = False,
) -> Visitor:
    standing = Standing(some, consent or Consent(), signals, now)
    return Visitor(standing, lambda: now, report_only=report_only)


def answers(somebody: Visitor) -> dict[str, str]:
    return {name: somebody.answer(name).value for name in OPTIONAL}


def granted(at: float = NOW, *names: str) -> Consent:
    return Consent().grant(names or OPTIONAL, 1, at, NO_SIGNALS)


modes = st.sampled_from(["explicit", "implied", "opt-out"])
some_purposes = st.lists(st.sampled_from([*OPTIONAL, "necessary"]))
acts = st.lists(st.tuples(st.sampled_from(["grant", "refuse", "withdraw"]), some_purposes))


def test_a_visitor_who_has_not_answered_is_asked_about_everything() -> None:
    """`is_decided` says whether there is anything (more) to ask."""
    nobody = visitor(policy())
    assert not nobody.is_decided
    assert nobody.standing.open_purposes == OPTIONAL
    assert not nobody.has_changed
    assert nobody.consent == Consent()
    assert nobody.signals == NO_SIGNALS


def test_what_is_strictly_necessary_is_allowed_and_never_answered() -> None:
    """R-30: there is nothing to ask, and nothing to refuse."""
    somebody = visitor(policy())
    for act in (somebody.grant, somebody.refuse, somebody.withdraw):
        act("necessary")
        assert not somebody.has_changed
    assert somebody.allows("necessary")
    assert somebody.answer("necessary") is Answer.GRANTED


@given(modes, acts)
def test_the_last_act_is_what_holds(mode: str, done: list[tuple[str, list[str]]]) -> None:
    """GDPR 7(3): a visitor may change their mind as often as they like."""
    somebody = visitor(policy(mode))
    expected: dict[str, bool] = {}
    for act, named in done:
        getattr(somebody, act)(*named)
        touched = named or (OPTIONAL if act == "withdraw" else ())
        expected |= dict.fromkeys(touched, act == "grant")
    expected.pop("necessary", None)
    assert {name: own.granted for name, own in somebody.consent.given.items()} == expected
    for name, is_granted in expected.items():
        assert somebody.allows(name) is is_granted
        assert somebody.answer(name) is (Answer.GRANTED if is_granted else Answer.REFUSED)
    assert somebody.has_changed is bool(expected)


def test_withdrawing_without_a_name_withdraws_everything() -> None:
    """R-13: as few steps as granting; named, it withdraws what is named."""
    one = visitor(policy(), granted())
    one.withdraw("a")
    assert answers(one) == {"a": "refused", "b": "granted", "c": "granted"}
    one.withdraw()
    assert set(answers(one).values()) == {"refused"}


def test_granting_or_refusing_nothing_changes_nothing() -> None:
    """An empty list of purposes is no answer."""
    somebody = visitor(policy())
    somebody.grant()
    somebody.refuse()
    assert not somebody.has_changed
    somebody.refuse("a")
    assert somebody.has_changed


@pytest.mark.parametrize("act", ["grant", "refuse", "withdraw", "answer", "allows"])
def test_an_unknown_purpose_raises_and_changes_nothing(act: str) -> None:
    """DESIGN 5: a slip of the pen must not look like a refusal."""
    somebody = visitor(policy())
    with pytest.raises(UnknownPurposeError, match=r"'d' is not declared\. Declared purposes: a, b"):
        getattr(somebody, act)("d")
    with pytest.raises(UnknownPurposeError):
        somebody.refuse("a", "d")
    assert not somebody.has_changed


def test_an_answer_that_stands_is_not_given_twice() -> None:
    """AC-11: granted already, so no token is needed; nor for a refusal of today."""
    somebody = visitor(policy(), granted(NOW - 5))
    somebody.grant("a", "b")
    assert not somebody.has_changed
    nobody = visitor(policy(), Consent().refuse(OPTIONAL, 1, NOW - 5))
    nobody.refuse("a")
    nobody.withdraw()
    assert not nobody.has_changed
    nobody.grant("a")
    assert nobody.has_changed


@pytest.mark.parametrize("act", ["grant", "refuse"])
def test_a_lapsed_answer_may_be_given_again(act: str) -> None:
    """R-19: the visitor was asked again, so what they say now counts from now."""
    before = granted(NOW - AGAIN) if act == "grant" else Consent().refuse(OPTIONAL, 1, NOW - AGAIN)
    somebody = visitor(policy(), before)
    assert not somebody.is_decided
    getattr(somebody, act)("a")
    assert somebody.standing.open_purposes == ("b", "c")
    assert somebody.consent.given["a"].time > NOW - DAY


def test_a_grant_of_an_older_revision_may_be_given_again() -> None:
    """R-08: the purpose has changed since; the new grant covers the change."""
    some = policy(revision=2)
    somebody = visitor(some, granted())
    assert not somebody.allows("a")
    somebody.grant("a")
    assert somebody.allows("a")
    assert somebody.consent.given["a"].revision == 2


def test_a_grant_given_while_a_signal_is_on_stands() -> None:
    """DESIGN 3: the notice says that the signal is on; the grant knows of it."""
    before = visitor(policy(), granted(), GPC)
    assert set(answers(before).values()) == {"refused"}
    before.grant("a")
    assert before.answer("a") is Answer.GRANTED
    assert before.consent.given["a"] == Given(granted=True, revision=1, time=NOW, despite=GPC)
    assert before.answer("b") is Answer.REFUSED
    assert before.signals == GPC


def test_a_grant_that_a_signal_outweighs_is_kept_once() -> None:
    """R-37: it counts for nothing while the signal is on, so it is not signed anew each time."""
    winning = visitor(policy(preset="us-ca"), None, GPC)
    winning.grant("a")
    assert not winning.allows("a")
    kept = winning.consent
    winning.grant("a")
    assert winning.consent is kept


def test_a_refusal_while_a_signal_is_on_is_the_visitors_own() -> None:
    """When the signal goes off, the visitor's own answers count again: this one stays no."""
    somebody = visitor(policy("opt-out"), None, GPC)
    assert somebody.standing.honoured == GPC
    somebody.refuse("a")
    later = visitor(policy("opt-out"), somebody.consent)
    assert (later.allows("a"), later.allows("b")) == (False, True)


def test_the_signals_that_answer_are_told_apart_from_those_that_do_not() -> None:
    """R-39: the notice shows that a signal was honoured, and only then."""
    assert visitor(policy(), None, GPC).standing.honoured == GPC
    assert visitor(policy(), None, frozenset({Signal.DNT})).standing.honoured == NO_SIGNALS
    assert visitor(policy()).standing.honoured == NO_SIGNALS
    assert (
        visitor(policy(), Consent().refuse(OPTIONAL, 1, NOW), GPC).standing.honoured == NO_SIGNALS
    )


@given(
    modes,
    st.sampled_from(["grant", "refuse", "withdraw"]),
    st.sampled_from(OPTIONAL),
    st.sampled_from([NO_SIGNALS, GPC]),
)
def test_after_a_token_that_cannot_be_read_one_answer_frees_nothing_else(
    mode: str, act: str, name: str, signals: frozenset[Signal]
) -> None:
    """R-04: what was lost counts as refused, also once another purpose was answered."""
    some = policy(mode)
    somebody = visitor(some, Consent(seen=Seen(1, 1, NOW), readable=False), signals)
    before = {each: somebody.allows(each) for each in OPTIONAL}
    getattr(somebody, act)(name)
    after = visitor(some, Consent(somebody.consent.given, somebody.consent.seen), signals)
    assert somebody.consent.readable
    assert after.allows(name) is (act == "grant")
    assert {each: after.allows(each) for each in OPTIONAL if each != name} == {
        each: allowed for each, allowed in before.items() if each != name
    }
    if not signals:
        assert {*after.standing.open_purposes, name} == set(OPTIONAL)


def test_what_was_lost_is_asked_about_again() -> None:
    """It is written down as a refusal long ago, which stays refused and is asked."""
    somebody = visitor(policy("opt-out"), Consent(readable=False))
    somebody.grant("a")
    assert answers(somebody) == {"a": "granted", "b": "refused", "c": "refused"}
    assert somebody.standing.open_purposes == ("b", "c")


def test_in_report_mode_everything_is_allowed_and_answers_are_kept() -> None:
    """DESIGN 5: `allows()` is true there, so that the app behaves as without consentkit."""
    somebody = visitor(policy(), report_only=True)
    assert somebody.allows("a")
    somebody.refuse("a")
    assert somebody.answer("a") is Answer.REFUSED
    assert somebody.allows("a")
    assert not visitor(policy(), somebody.consent).allows("a")


@pytest.mark.parametrize("act", ["grant", "refuse", "withdraw"])
def test_an_answer_after_the_response_has_begun_warns(act: str) -> None:
    """TR-12, AC-12: it counts for the rest of the request, and cannot be sent any more."""
    somebody = visitor(policy())
    assert somebody.is_late is False
    somebody.is_late = True
    with pytest.warns(LateAnswerWarning) as caught:
        getattr(somebody, act)("a")
    (warning,) = caught
    assert str(warning.message) == (
        "The answer changed after the response had begun, so its token cannot be sent: it holds "
        "for the rest of this request and is forgotten. Change answers before the first byte of "
        "the response is sent."
    )
    assert somebody.answer("a") is (Answer.GRANTED if act == "grant" else Answer.REFUSED)


def test_the_warning_points_at_the_line_that_answered() -> None:
    """A warning that names our own file helps nobody."""
    somebody = visitor(policy())
    somebody.is_late = True
    with pytest.warns(LateAnswerWarning) as caught:
        somebody.grant("a")
    assert caught[0].filename == __file__
    with pytest.warns(LateAnswerWarning) as caught:
        somebody.withdraw("a")
    assert caught[0].filename == __file__


def test_a_standing_holds_until_something_lapses() -> None:
    """What was worked out once is shared by every request that brings the same."""
    standing = Standing(policy(), granted(NOW - 10), NO_SIGNALS, NOW)
    assert standing.valid_until == NOW - 10 + AGAIN
    assert Standing(policy(), Consent(), NO_SIGNALS, NOW).valid_until == float("inf")


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_a_visitor_and_a_standing_decide_alike(mode: str) -> None:
    """The app's question and the enforcement's are one question."""
    kind = {"kind": "session", "description": "C"}
    cookies = {name: {**kind, "purpose": name} for name in OPTIONAL}
    some = policy(mode, cookies=cookies)
    acts: list[Callable[[Visitor], None]] = [
        lambda who: None,
        lambda who: who.grant("a"),
        lambda who: who.refuse("a", "b"),
    ]
    for act in acts:
        somebody = visitor(some)
        act(somebody)
        for name in OPTIONAL:
            decided = decide(some, some.cookies[name], somebody.standing.answers, READ).allowed
            assert decided is somebody.allows(name)
            assert decided is DECISIONS[some.basis_of(name)][somebody.answer(name)]


# Single services

SERVICES = {
    "film": {"purpose": ["a"], "provider": "P"},
    "atlas": {"purpose": ["a", "b"], "provider": "P"},
    "chat": {"purpose": ["c", "necessary"], "provider": "P"},
    "own": {"purpose": ["necessary"], "provider": "P"},
}
FORMAT = TokenFormat(["a secret of thirty-two bytes or more"], "consent")
some_services = st.lists(st.sampled_from(tuple(SERVICES)))
any_acts = st.lists(
    st.tuples(st.sampled_from(["grant", "refuse", "withdraw"]), some_purposes)
    | st.tuples(st.just("allow_service"), some_services)
)
some_signals = st.sampled_from([NO_SIGNALS, GPC])


def served(mode: str = "explicit", **changes: Any) -> Policy:
    return policy(mode, **{"services": SERVICES, **changes})


def loading(somebody: Visitor) -> set[str]:
    assert somebody.standing.services == {
        name for name in somebody.policy.services if somebody.allows_service(name)
    }
    return {*somebody.standing.services}


def test_one_service_is_granted_and_nothing_else() -> None:
    """R-04, R-53: a placeholder's button is an answer for what stands behind it alone."""
    somebody = visitor(served())
    assert loading(somebody) == {"own"}
    somebody.allow_service("film")
    assert loading(somebody) == {"own", "film"}
    assert somebody.standing.single_services == {"film"}
    assert set(answers(somebody).values()) == {"undecided"}
    assert somebody.standing.open_purposes == OPTIONAL
    assert somebody.consent.given == {
        key_of_service("film"): Given(granted=True, revision=1, time=NOW)
    }


@given(modes, any_acts, some_services, some_signals, st.booleans())
def test_to_grant_a_service_changes_no_answer_to_a_purpose(
    mode: str,
    done: list[tuple[str, list[str]]],
    services: list[str],
    signals: frozenset[Signal],
    readable: bool,  # noqa: FBT001
) -> None:
    """R-04: whatever was answered before, what is asked and what may be stored stay as they are."""
    somebody = visitor(served(mode), Consent(readable=readable), signals)
    for act, named in done:
        getattr(somebody, act)(*named)
    before = somebody.standing
    somebody.allow_service(*services)
    after = somebody.standing
    assert (after.answers, after.open_purposes) == (before.answers, before.open_purposes)
    if readable:  # what was lost is written down as the visitor's own refusal
        assert after.honoured == before.honoured
    assert after.services == before.services | {*services}


@given(modes, any_acts, st.sampled_from(OPTIONAL), st.sampled_from(["refuse", "withdraw"]))
def test_a_refusal_undoes_the_grant_of_a_service(
    mode: str, done: list[tuple[str, list[str]]], purpose: str, act: str
) -> None:
    """GDPR 7(3): no to a purpose is no to all that stands under it, in the very same token."""
    somebody = visitor(served(mode))
    for each, named in done:
        getattr(somebody, each)(*named)
    others = {name for name, each in SERVICES.items() if purpose not in each["purpose"]}
    before = loading(somebody)
    getattr(somebody, act)(purpose)
    assert loading(somebody) == before & others
    held = FORMAT.read_given(FORMAT.sign_given(somebody.consent.given), NOW)
    assert loading(visitor(served(mode), Consent(held or {}, somebody.consent.seen))) == (
        before & others
    )
    under = {key_of_service(name) for name in SERVICES.keys() - others}
    assert under.isdisjoint(somebody.consent.given)


@given(modes, any_acts)
def test_withdrawing_everything_leaves_no_service_behind(
    mode: str, done: list[tuple[str, list[str]]]
) -> None:
    """R-13: one step, and also what the policy does not have any more is gone."""
    gone = Consent().grant([key_of_service("gone"), key_of_service("own")], 1, NOW, NO_SIGNALS)
    somebody = visitor(served(mode), gone)
    for act, named in done:
        getattr(somebody, act)(*named)
    somebody.withdraw()
    assert loading(somebody) == {"own"}
    assert not any(map(is_of_service, somebody.consent.given))


def test_what_is_refused_already_still_takes_the_service_back() -> None:
    """A film that was let in after a no to films: saying no again is about the film."""
    somebody = visitor(served())
    somebody.refuse("a")
    somebody.allow_service("film")
    assert somebody.allows_service("film")
    assert somebody.answer("a") is Answer.REFUSED
    somebody.refuse("a")
    assert not somebody.allows_service("film")


def test_to_refuse_nothing_takes_nothing_back() -> None:
    """An empty list is no answer, and what is strictly necessary cannot be refused."""
    somebody = visitor(served())
    somebody.allow_service("film")
    somebody.refuse()
    somebody.refuse("necessary")
    assert somebody.allows_service("film")


def test_a_grant_of_all_its_purposes_stands_for_the_service_too() -> None:
    """So the token says it once; and while one is missing, the service's own grant is kept."""
    somebody = visitor(served())
    somebody.allow_service("film", "atlas")
    somebody.grant("a")
    assert set(somebody.consent.given) == {"a", key_of_service("atlas")}
    somebody.grant("b")
    assert loading(somebody) == {"own", "film", "atlas"}
    assert key_of_service("atlas") in somebody.consent.given
    together = visitor(served())
    together.allow_service("atlas", "chat")
    together.grant("a", "b")
    assert set(together.consent.given) == {"a", "b", key_of_service("chat")}


def test_a_service_that_may_load_is_not_granted_again() -> None:
    """AC-11: nothing changed, so nothing is sent; and what is strictly necessary needs nobody."""
    somebody = visitor(served(), granted())
    somebody.allow_service("film", "own")
    assert not somebody.has_changed
    somebody = visitor(served())
    somebody.allow_service("film")
    kept = somebody.consent
    somebody.allow_service("film")
    assert somebody.consent is kept


@pytest.mark.parametrize("act", ["allow_service", "allows_service"])
def test_an_unknown_service_raises_and_changes_nothing(act: str) -> None:
    """DESIGN 5: a slip of the pen must not look like a refusal."""
    somebody = visitor(served())
    with pytest.raises(UnknownServiceError, match=r"'fil' is not declared\..*Did you mean 'film'"):
        getattr(somebody, act)("fil")
    with pytest.raises(UnknownServiceError, match="Declared services: none"):
        getattr(visitor(policy()), act)("film")
    with pytest.raises(UnknownServiceError):
        somebody.allow_service("film", "fil")
    assert not somebody.has_changed


def test_in_report_mode_every_service_may_load_and_grants_are_kept() -> None:
    """DESIGN 5: as without consentkit; what was answered counts once it is enforced."""
    somebody = visitor(served(), report_only=True)
    assert somebody.allows_service("film")
    somebody.allow_service("film")
    assert loading(visitor(served(), somebody.consent)) == {"own", "film"}


def test_a_grant_of_a_service_lapses_as_a_purposes_does() -> None:
    """R-19; and until then what was worked out holds."""
    somebody = visitor(served())
    somebody.allow_service("film")
    assert somebody.standing.valid_until == NOW + AGAIN
    later = visitor(served(), somebody.consent, now=NOW + AGAIN)
    assert not later.allows_service("film")
    later.allow_service("film")
    assert later.consent.given[key_of_service("film")].time == NOW + AGAIN


def test_after_a_token_that_cannot_be_read_a_service_frees_nothing_else() -> None:
    """R-04: what was lost stays refused where it counted as refused."""
    somebody = visitor(served("opt-out"), Consent(readable=False))
    somebody.allow_service("film")
    assert loading(somebody) == {"own", "film"}
    assert set(answers(somebody).values()) == {"refused"}


def test_a_token_has_room_for_the_latest_services() -> None:
    """A browser drops a cookie over 4 KB, and with it every answer: the oldest grants go first."""
    names = [f"a-service-with-a-long-name-{number:03}" for number in range(60)]
    words = {"title": "A", "description": "B"}
    some = policy(
        purposes={f"purpose-{number:03}": words for number in range(99)},
        services={name: {"purpose": "purpose-000", "provider": "P"} for name in names},
    )
    others = some.optional_purposes[1:]
    clock = count(NOW)
    standing = Standing(some, NOBODY_YET.grant(others, 1, NOW - 9, NO_SIGNALS), NO_SIGNALS, NOW)
    somebody = Visitor(standing, lambda: next(clock))
    for name in names:
        somebody.allow_service(name)
        assert somebody.allows_service(name)
    kept = [name for name in names if somebody.allows_service(name)]
    assert 5 < len(kept) < 20
    assert kept == names[-len(kept) :]
    assert len(FORMAT.sign_given(somebody.consent.given)) < 3500
    assert all(map(somebody.allows, others))


def test_the_services_that_fill_a_token_to_the_brim_are_all_kept() -> None:
    """The latest ten are there, whatever they are called, and the one before them is not."""
    names = [f"{letter * 39}" for letter in "kjihgfedcba"]
    words = {"title": "A", "description": "B"}
    some = policy(
        purposes={"a": words}, services={name: {"purpose": "a", "provider": "P"} for name in names}
    )
    clock = count(NOW)
    somebody = Visitor(Standing(some, NOBODY_YET, NO_SIGNALS, NOW), lambda: next(clock))
    for name in names:
        somebody.allow_service(name)
    assert [name for name in names if somebody.allows_service(name)] == names[-10:]


def test_to_grant_anew_what_stands_changes_nothing_while_a_signal_is_on_that_is_not_heard() -> None:
    """R-36: a signal that a purpose does not honour is no reason to write the answer again."""
    some = policy(purposes={"a": {"title": "A", "description": "B", "honours": []}})
    given = NOBODY_YET.grant(["a"], 1, NOW - 9, NO_SIGNALS)
    somebody = Visitor(Standing(some, given, frozenset({Signal.GPC}), NOW), lambda: NOW)
    somebody.grant("a")
    assert not somebody.has_changed
    somebody.refuse("a")
    assert somebody.has_changed


# Pages for children


@given(policies(), st.data())
def test_nothing_optional_is_on_where_a_page_is_for_children(
    some: Policy, data: st.DataObject
) -> None:
    """R-11: whatever the policy is, whoever answered what, and whatever their browser sends."""
    consent = data.draw(consents(some, now=NOW))
    signals = data.draw(st.frozensets(st.sampled_from(Signal)))
    there = Standing(some, consent, signals, NOW).on_a_page(for_children=True)
    who = Visitor(there, lambda: NOW)
    for act in data.draw(
        st.lists(st.sampled_from(["grant", "allow_service", "refuse", "withdraw"]))
    ):
        names = [*some.services] if act == "allow_service" else [*some.purposes]
        getattr(who, act)(*data.draw(st.lists(st.sampled_from(names)) if names else st.just([])))
    standing = who.standing
    optional = {*some.optional_purposes}
    assert {name for name in some.purposes if who.allows(name)} == {*some.purposes} - optional
    needed = {name for name, each in some.services.items() if not optional & {*each.purpose}}
    assert standing.services == needed
    for declared in some.cookies.values():
        for occasion in (READ, STORE, Occasion(vote=True)):
            allowed = decide(some, declared, standing.answers, occasion).allowed
            assert not (allowed and optional & {*declared.purpose})
    assert who.is_decided
    assert standing.honoured == NO_SIGNALS
    assert standing.single_services == frozenset()


@given(
    st.sampled_from(["explicit", "implied", "opt-out"]),
    any_acts,
    some_signals,
    st.data(),
)
def test_what_is_answered_there_is_kept_as_anywhere(
    mode: str,
    done: list[tuple[str, list[str]]],
    signals: frozenset[Signal],
    data: st.DataObject,
) -> None:
    """R-04, AC-11: the same answers give the same token, and one that stands is not given twice."""
    some = served(mode)
    before = Standing(some, data.draw(consents(some, now=NOW)), signals, NOW)
    here = Visitor(before, lambda: NOW)
    there = Visitor(before.on_a_page(for_children=True), lambda: NOW)
    for act, named in done:
        for who in (here, there):
            getattr(who, act)(*named)
        assert there.consent == here.consent
    assert there.has_changed is here.has_changed
    assert there.standing.for_children
    back = there.standing.elsewhere
    assert (back.answers, back.services) == (here.standing.answers, here.standing.services)


def test_elsewhere_is_where_the_site_is_not_for_children() -> None:
    """What a visitor keeps is judged there; where all of the site is for children, here."""
    for paths, is_here in ((["/kids"], False), (["/kids", "/"], True), ([], False)):
        some = policy(child_directed=paths)
        there = Standing(some, granted(), NO_SIGNALS, NOW, for_children=True)
        assert (there.elsewhere is there) is is_here
        assert (there.elsewhere.answer("a") is Answer.REFUSED) is is_here
        here = there.on_a_page(for_children=False)
        assert here.elsewhere is here
        assert here.on_a_page(for_children=False) is here


# Under a signal, nobody is asked; a visitor who goes and answers is heard all the same


@pytest.mark.parametrize("preset", [[], ["us-ca"]])
def test_a_grant_that_lapsed_under_a_signal_can_be_given_again(preset: list[str]) -> None:
    """R-37: a grant given while the signal is on stands, also the second time.

    A signal leaves nothing to ask, so that nobody is asked again; the click still counts.
    """
    first = visitor(policy(preset=preset), signals=GPC)
    first.grant(*OPTIONAL)
    later = visitor(policy(preset=preset), first.consent, GPC, NOW + 2 * AGAIN)
    assert not later.allows("a")
    later.grant("a")
    assert later.consent.given["a"].time == NOW + 2 * AGAIN
    assert later.allows("a") is (not preset)
    later.has_changed = False
    later.grant("a")  # the control: what stands is as old as it is
    assert not later.has_changed


def test_a_grant_under_a_signal_covers_what_was_added_since() -> None:
    """R-08: the second grant covers the new revision, with the signal on as with it off."""
    first = visitor(policy(), signals=GPC)
    first.grant("a")
    changed = policy(revision=2)
    again = visitor(changed, first.consent, GPC)
    assert not again.allows("a")
    again.grant("a")
    assert again.allows("a")
    assert again.consent.given["a"].revision == 2


def test_a_refusal_under_a_signal_is_as_young_as_the_last_one() -> None:
    """R-19: whoever refuses again with the signal on is not asked sooner when it goes off."""
    refused = Consent().refuse(OPTIONAL, 1, NOW - 2 * AGAIN)
    somebody = visitor(policy(), refused, GPC)
    somebody.refuse("a")
    assert visitor(policy(), somebody.consent).standing.open_purposes == OPTIONAL[1:]
