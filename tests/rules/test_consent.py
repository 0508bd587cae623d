"""What a token carries, and what it never does."""

import base64
import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from consentkit.rules.consent import (
    CLOCK_SKEW,
    NOBODY_YET,
    Consent,
    Given,
    Seen,
    TokenFormat,
    is_of_service,
    key_of_service,
    latest,
    start_of_day,
)
from consentkit.rules.policy import DAY
from consentkit.rules.signals import NO_SIGNALS, Signal

NOW = 1_800_000_123
SECRET = "a secret of thirty-two bytes or more"
OLD_SECRET = "the secret of last year, long enough"
FORMAT = TokenFormat([SECRET], "consent")

purposes = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters="_.-"), min_size=1
)
revisions = st.integers(1, 10_000)
grants = st.builds(
    Given,
    st.just(value=True),
    revisions,
    st.integers(0, NOW),
    st.frozensets(st.sampled_from(Signal)),
)
refusals = st.builds(Given, st.just(value=False), revisions, st.integers(0, NOW).map(start_of_day))
answers = st.dictionaries(purposes, grants | refusals, max_size=8)
services = st.dictionaries(purposes.map(key_of_service), grants, max_size=4)
sights = revisions.flatmap(
    lambda shown: st.builds(
        Seen,
        st.just(shown),
        st.integers(0, shown),
        st.integers(0, NOW).map(start_of_day),
        st.booleans(),
    )
)


def signed_by(format_: TokenFormat) -> str:
    return format_.sign_given({"analytics": Given(granted=True, revision=1, time=NOW)})


def forged(content: Any, *, seen: bool = False) -> str:
    """A token with the right signature around anything at all."""
    signer = FORMAT._automatic if seen else FORMAT._explicit
    return str(signer.dumps(content))


# Acts


@given(st.lists(purposes), st.lists(purposes, min_size=1), revisions)
def test_withdrawing_undoes_granting(
    before: list[str], withdrawn: list[str], revision: int
) -> None:
    """GDPR 7(3): whoever refuses after a grant stands where one stands who only ever refused."""
    both = NOBODY_YET.grant([*before, *withdrawn], revision, NOW, NO_SIGNALS)
    after = both.refuse(withdrawn, revision, NOW)
    others = [name for name in before if name not in withdrawn]
    never = NOBODY_YET.grant(others, revision, NOW, NO_SIGNALS).refuse(withdrawn, revision, NOW)
    assert after == never
    assert all(both.given[name].granted and not after.given[name].granted for name in withdrawn)


@given(answers, st.lists(purposes), st.booleans())
def test_an_act_touches_the_purposes_it_names_and_no_other(
    before: dict[str, Given],
    named: list[str],
    granted: bool,  # noqa: FBT001
) -> None:
    """R-04: granting one purpose grants no other; refusing one refuses no other."""
    consent = Consent(before)
    act = consent.grant(named, 9, NOW, NO_SIGNALS) if granted else consent.refuse(named, 9, NOW)
    assert {name: a for name, a in act.given.items() if name not in named} == {
        name: a for name, a in before.items() if name not in named
    }
    assert {act.given[name].granted for name in named} <= {granted}
    assert dict(consent.given) == before  # a new value; the old one stays


@given(st.integers(0, 2**40), st.integers(0, DAY - 1))
def test_the_time_of_a_refusal_is_cut_to_the_day(day: int, second: int) -> None:
    """R-20: the time of a refusal must not tell two visitors apart; a grant's is kept as proof."""
    now = day * DAY + second
    assert NOBODY_YET.refuse(["a"], 1, now).given["a"].time == day * DAY
    assert NOBODY_YET.grant(["a"], 1, now, NO_SIGNALS).given["a"].time == now


def test_an_answer_leaves_it_noted_that_the_notice_was_seen() -> None:
    """R-08: what was asked of whom is known after a grant and a refusal as before."""
    seen = NOBODY_YET.show(3, NOW)
    assert seen.seen is not None
    assert seen.grant(["analytics"], 3, NOW, NO_SIGNALS).seen == seen.seen
    assert seen.refuse(["analytics"], 3, NOW).seen == seen.seen


def test_what_happens_by_itself_never_touches_an_explicit_answer() -> None:
    """DESIGN 3: explicit answers and automatic state are two tokens; explicit always wins."""
    answered = NOBODY_YET.refuse(["a"], 1, NOW)
    seen = answered.show(1, NOW).hold().imply(NOW)
    assert seen.given == answered.given
    assert seen.seen == Seen(1, 1, start_of_day(NOW))


def test_a_notice_nobody_saw_implies_nothing() -> None:
    """R-09: implied needs a notice that was shown; then the next page implies what it showed."""
    assert NOBODY_YET.imply(NOW) is NOBODY_YET
    assert NOBODY_YET.hold() is NOBODY_YET
    shown = NOBODY_YET.show(3, NOW)
    assert shown.seen == Seen(3, 0, start_of_day(NOW))
    assert shown.hold().seen == Seen(3, 0, start_of_day(NOW), held=True)
    assert shown.imply(NOW).seen == Seen(3, 3, start_of_day(NOW))
    assert shown.imply(NOW).show(4, NOW).seen == Seen(4, 3, start_of_day(NOW))


@given(st.lists(answers, max_size=3))
def test_of_several_tokens_the_latest_answer_counts(held: list[dict[str, Given]]) -> None:
    """Two tokens arrive where a sub-domain tosses an old one in; their order says nothing.

    On one day a refusal outweighs a grant.
    """
    newest = latest(held)
    if newest is None:
        assert held == []
        return
    assert set(newest) == {purpose for token in held for purpose in token}
    for purpose, answer in newest.items():
        rivals = [token[purpose] for token in held if purpose in token]
        last_day = max(start_of_day(rival.time) for rival in rivals)
        of_that_day = [rival for rival in rivals if start_of_day(rival.time) == last_day]
        assert answer in of_that_day
        assert answer.granted is all(rival.granted for rival in of_that_day)
    assert latest([]) is None


@pytest.mark.counted
@given(st.lists(st.builds(dict.__or__, answers, services), min_size=2, max_size=3), services)
def test_of_several_tokens_a_refusal_takes_a_single_services_grant_away(
    held: list[dict[str, Given]], more: dict[str, Given]
) -> None:
    """A token that has a refusal and not the grant may be the one that took it away.

    Which purposes a service has, no token says, so any refusal since that day will do.
    """
    held[0] |= more
    newest = latest(held)
    assert newest is not None
    keys = {key for token in held for key in token}
    for key in filter(is_of_service, keys):
        grant = max((token[key] for token in held if key in token), key=lambda each: each.time)
        others = [token for token in held if key not in token]
        refusals_ = [each for token in others for each in token.values() if not each.granted]
        is_taken_away = any(each.time >= start_of_day(grant.time) for each in refusals_)
        assert (key in newest) is not is_taken_away
    purposes_ = {key for key in keys if not is_of_service(key)}
    assert purposes_ == {key for key in newest if not is_of_service(key)}


def test_what_was_never_given_is_left_out() -> None:
    """And where there is nothing to leave out, the consent is the same one."""
    both = NOBODY_YET.grant(["a", key_of_service("film")], 1, NOW, NO_SIGNALS)
    assert set(both.without([key_of_service("film"), "b"]).given) == {"a"}
    assert both.without(["b"]) is both


# Tokens


@given(st.builds(dict.__or__, answers, services))
def test_answers_survive_the_round_trip(given_: dict[str, Given]) -> None:
    """DC-13: what is signed is what is read, whatever it is: of purposes and of services."""
    assert FORMAT.read_given(FORMAT.sign_given(given_), NOW) == given_


@given(sights)
def test_the_automatic_state_survives_the_round_trip(seen: Seen) -> None:
    """DC-13, for the other token."""
    assert FORMAT.read_seen(FORMAT.sign_seen(seen), NOW) == seen


@given(answers, st.randoms())
def test_equal_answers_give_equal_tokens(given_: dict[str, Given], random: Any) -> None:
    """R-20: not even the order in which somebody answered is in the token."""
    shuffled = list(given_.items())
    random.shuffle(shuffled)
    assert FORMAT.sign_given(dict(shuffled)) == FORMAT.sign_given(given_)


@given(st.lists(purposes, min_size=1), st.integers(0, DAY - 1), st.integers(0, DAY - 1))
def test_two_who_refuse_on_one_day_hold_the_same_bytes(
    refused: list[str], first: int, second: int
) -> None:
    """R-20: a refusal holds no identifier. On another day the token differs, by the day alone."""
    day = start_of_day(NOW)

    def token(time: int) -> str:
        return FORMAT.sign_given(NOBODY_YET.refuse(refused, 1, time).given)

    assert token(day + first) == token(day + second)
    assert token(day + first) != token(day + DAY + second)


def test_a_token_holds_revision_time_and_answers_and_nothing_else() -> None:
    """R-20, GDPR 5(1)(c): the payload is read here without our own reader."""
    refused = NOBODY_YET.refuse(["b", "a"], 2, NOW)
    payload = FORMAT.sign_given(refused.given).partition(".")[0]
    plain = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert plain == {"a": [{"r": 2, "t": start_of_day(NOW), "x": ["a", "b"]}]}


def test_many_purposes_still_fit_into_a_cookie() -> None:
    """TR-05: a cookie over 4 KB is dropped without a word; answers given together are one group."""
    names = [f"purpose-number-{number:03}" for number in range(120)]
    token = FORMAT.sign_given(NOBODY_YET.grant(names, 1, NOW, NO_SIGNALS).given)
    assert len(token) < 4000
    assert len(FORMAT.read_given(token, NOW) or ()) == 120


@given(st.text() | st.text(st.characters(codec="ascii")) | st.binary().map(bytes.hex))
@example("")
@example("IAmATeapot")
@example(".")
@example("a.b")
@example(".eJwDAAAAAAE.x")
@example("\x00")
@example("\ud800")
@example("x" * 200_000)
@example("." * 200_000)
@example("ключ.ключ")
def test_garbage_reads_as_nothing(text: str) -> None:
    """AC-08: forged, foreign, truncated: never an error for the visitor."""
    assert FORMAT.read_given(text, NOW) is None
    assert FORMAT.read_seen(text, NOW) is None


@given(answers, st.data())
def test_a_token_that_was_tampered_with_says_nothing_new(
    given_: dict[str, Given], data: st.DataObject
) -> None:
    """AC-08: one changed character, and it verifies no more, or decodes to the same bytes."""
    token = FORMAT.sign_given(given_)
    at = data.draw(st.integers(0, len(token) - 1))
    new = data.draw(st.characters(codec="latin-1"))
    assume(token[at] != new)
    assert FORMAT.read_given(token[:at] + new + token[at + 1 :], NOW) in (None, given_)


@given(st.integers(0, 200))
def test_a_truncated_token_does_not_verify(cut: int) -> None:
    """AC-08."""
    token = signed_by(FORMAT)
    assert FORMAT.read_given(token[: min(cut, len(token) - 1)], NOW) is None
    assert FORMAT.read_given(token, NOW) is not None


@pytest.mark.parametrize("padding", ["=", "==", "=" * 100])
def test_padding_makes_no_other_answers(padding: str) -> None:
    """Base64 may be written in more than one way; that must never mean something else."""
    token = signed_by(FORMAT)
    assert FORMAT.read_given(token + padding, NOW) in (None, FORMAT.read_given(token, NOW))


@pytest.mark.parametrize(
    "other",
    [
        TokenFormat([OLD_SECRET], "consent"),
        TokenFormat([SECRET], "consent-of-the-shop"),
        TokenFormat([SECRET], "consent.seen"),
    ],
    ids=["other secret", "other name", "the other token's name"],
)
def test_a_token_of_another_secret_or_another_policy_does_not_verify(other: TokenFormat) -> None:
    """Two policies under one secret are told apart by their token's name."""
    assert FORMAT.read_given(signed_by(other), NOW) is None
    assert other.read_given(signed_by(other), NOW) is not None


def test_a_token_signed_for_another_use_of_the_secret_does_not_verify() -> None:
    """A site that uses one secret for everything must not have made our tokens by accident."""
    content = {"a": [{"r": 1, "t": 0, "g": ["analytics"]}]}
    foreign = URLSafeSerializer(SECRET).dumps(content)
    assert FORMAT.read_given(str(foreign), NOW) is None
    assert FORMAT.read_given(forged(content), NOW) is not None


def test_swapped_tokens_do_not_verify() -> None:
    """DESIGN 3: what happened by itself can never be handed in as an explicit answer."""
    given_ = signed_by(FORMAT)
    seen = FORMAT.sign_seen(Seen(1, 1, 0))
    assert FORMAT.read_given(seen, NOW) is None
    assert FORMAT.read_seen(given_, NOW) is None
    assert FORMAT.read_given(given_, NOW) is not None
    assert FORMAT.read_seen(seen, NOW) is not None


def test_old_secrets_verify_and_the_new_one_signs() -> None:
    """Rotation: nobody is asked again because a secret was changed; a retired secret is out."""
    before = TokenFormat([OLD_SECRET], "consent")
    rotated = TokenFormat([OLD_SECRET, SECRET], "consent")
    assert rotated.read_given(signed_by(before), NOW) is not None
    assert rotated.read_seen(before.sign_seen(Seen(1, 0, 0)), NOW) is not None
    assert signed_by(rotated) == signed_by(FORMAT) != signed_by(before)
    assert FORMAT.read_given(signed_by(before), NOW) is None


@pytest.mark.parametrize(("ahead", "reads"), [(0, True), (300, True), (301, False)])
def test_a_token_may_come_five_minutes_from_the_future(ahead: int, reads: bool) -> None:  # noqa: FBT001
    """Machines behind one name disagree about the time; a token from tomorrow is forged."""
    assert CLOCK_SKEW == 300
    given_ = FORMAT.sign_given({"a": Given(granted=True, revision=1, time=NOW + ahead)})
    seen = FORMAT.sign_seen(Seen(1, 1, NOW + ahead))
    assert (FORMAT.read_given(given_, NOW) is not None) is reads
    assert (FORMAT.read_seen(seen, NOW) is not None) is reads


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"a": None},
        {"a": [{}]},
        {"a": [{"r": 0, "t": 0}]},
        {"a": [{"r": 1, "t": -1}]},
        {"a": [{"r": "1", "t": 0}]},
        {"a": [{"r": 1, "t": 0, "g": "analytics"}]},
        {"a": [{"r": 1, "t": 0, "g": [1]}]},
        {"a": [{"r": 1, "t": 0, "id": "0815"}]},
        {"a": [], "id": "0815"},
        {"a": [{"r": 1, "t": 0, "g": ["x"] * 257}]},
        {"a": [{"r": 1, "t": 0}] * 257},
    ],
)
def test_a_good_signature_around_the_wrong_shape_reads_as_nothing(content: Any) -> None:
    """An older or newer release may sign what this one does not know."""
    assert FORMAT.read_given(forged(content), NOW) is None


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        {"n": 0, "i": 0, "t": 0},
        {"n": 1, "i": -1, "t": 0},
        {"n": 1, "i": 2, "t": 0},
        {"n": 1, "i": 0, "t": -1},
        {"n": 1, "i": 0, "t": 0, "h": 1},
        {"n": 1, "i": 0, "t": 0, "id": "0815"},
    ],
)
def test_an_automatic_state_of_the_wrong_shape_reads_as_nothing(content: Any) -> None:
    """More cannot be implied than was shown: `i` over `n` is no state we ever write."""
    assert FORMAT.read_seen(forged(content, seen=True), NOW) is None
    assert FORMAT.read_seen(forged({"n": 1, "i": 1, "t": 0}, seen=True), NOW) == Seen(1, 1, 0)


def test_a_deeply_nested_payload_reads_as_nothing() -> None:
    """A JSON reader gives up on depth in its own way; the visitor sees nothing of it."""
    signer = FORMAT._explicit.make_signer()
    nested = base64.urlsafe_b64encode(b"[" * 150_000).rstrip(b"=")
    token = signer.sign(nested).decode()
    assert signer.validate(token)
    assert FORMAT.read_given(token, NOW) is None


def test_signals_of_later_releases_are_left_out() -> None:
    """A token written by a newer release still reads; what is not known counts for nothing."""
    token = forged({"a": [{"r": 1, "t": 0, "g": ["a"], "s": ["gpc", "from-2030"]}]})
    assert FORMAT.read_given(token, NOW) == {
        "a": Given(granted=True, revision=1, time=0, despite=frozenset({Signal.GPC}))
    }


def test_the_automatic_tokens_of_two_policies_are_kept_apart() -> None:
    """As those of the answers: what was shown on one site was not shown on another."""
    token = TokenFormat([SECRET], "consent").sign_seen(Seen(1, 1, 0))
    assert FORMAT.read_seen(token, NOW) == Seen(1, 1, 0)
    assert TokenFormat([SECRET], "answers").read_seen(token, NOW) is None


def test_a_secret_may_be_text_or_the_bytes_of_it() -> None:
    """Both sign alike, so that a key may come from a file or from the environment."""
    assert signed_by(TokenFormat([SECRET.encode()], "consent")) == signed_by(FORMAT)


def test_on_one_day_a_refusal_outweighs_a_grant() -> None:
    """A refusal knows its day alone (R-20), and in doubt the visitor said no (R-16)."""
    grant = {"a": Given(granted=True, revision=1, time=NOW)}
    refusal = {"a": Given(granted=False, revision=1, time=start_of_day(NOW))}
    assert latest([grant, refusal]) == latest([refusal, grant]) == refusal
    before = {"a": Given(granted=False, revision=1, time=start_of_day(NOW) - DAY)}
    assert latest([grant, before]) == latest([before, grant]) == grant


def test_what_is_implied_is_gone_where_it_has_lapsed() -> None:
    """Being shown the notice is no act of the visitor: it revives nothing, and prolongs nothing."""
    day = start_of_day(NOW)
    went_on = Consent(seen=Seen(1, 1, day - DAY))
    assert went_on.show(2, NOW).seen == Seen(2, 1, day - DAY)
    assert went_on.show(2, NOW, has_lapsed=True).seen == Seen(2, 0, day)
    assert Consent(seen=Seen(1, 0, day - DAY)).show(2, NOW).seen == Seen(2, 0, day)
