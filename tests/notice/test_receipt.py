"""The receipt: a visitor's own answers, told back to them and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.receipt import receipt_json, receipt_page
from consentkit.notice.text import LANGUAGES, messages_for
from consentkit.rules.consent import Consent, Given, Seen, key_of_service
from consentkit.rules.policy import DAY, Policy
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rules.visitor import Standing
from tests.notice import (
    GPC,
    NOW,
    PAGE,
    PATH,
    PURPOSES,
    changed,
    policy_of,
    standing_of,
    text_of,
    tree,
)

TODAY = int(NOW) // DAY * DAY  # 28 May 2026
WORDS = messages_for("en").receipt


def page(standing: Standing, language: str = "en") -> bytes:
    return receipt_page(language, standing, **PAGE, next_path="/")


def rows(markup: bytes) -> dict[str, str]:
    """Each label of the receipt with what stands beside it."""
    return {
        " ".join("".join(row[0].itertext()).split()): " ".join("".join(row[1].itertext()).split())
        for row in tree(markup).findall(".//dl/div")
    }


def buttons(markup: bytes) -> list[str]:
    return [one.get("value", "") for one in tree(markup).iter("button")]


def links(markup: bytes) -> list[str]:
    return [one.get("href", "") for one in tree(markup).iter("a")]


def with_given(policy: Policy, now: float = NOW, **given: Given) -> Standing:
    return Standing(policy, Consent(given), NO_SIGNALS, now)


# What it says


def test_it_says_what_was_answered_when_and_to_whom() -> None:
    """R-15, R-51: the visitor's copy, with the notice they saw and who answers for it."""
    policy = policy_of(revision=3)
    markup = page(standing_of(policy, ["analytics"], ["polls", "embeds"]))
    assert rows(markup) == {
        "Site": "Moorland Council",
        "Answered on": "28 May 2026",
        "Polls": "No: you refused it.",
        "Visits": "Yes: you allowed it.",
        "Videos": "No: you refused it.",
        "We ask again after": "26 November 2026",
        "Notice you saw": "Revision 3",
        "Who is responsible": "Moorland District Council · webmaster@moorland.example",
    }
    days = [one.get("datetime") for one in tree(markup).iter("time")]
    assert days == ["2026-05-28", "2026-11-26"]
    assert WORDS.body in text_of(markup)


def test_it_withdraws_everything_in_one_press_and_leads_to_the_preferences() -> None:
    """R-13: withdrawing is as easy as granting was; the answer leads back to the receipt."""
    markup = page(standing_of(policy_of(), PURPOSES))
    form = tree(markup).find(".//form")
    assert form is not None
    assert (form.get("method"), form.get("action")) == ("post", PATH)
    assert {one.get("name"): one.get("value") for one in form.iter("input")} == {
        "next": f"{PATH}/receipt"
    }
    assert buttons(markup) == ["withdraw"]
    assert PATH in links(markup)
    assert f"{PATH}/receipt.json" in links(markup)
    refused = page(standing_of(policy_of(), (), PURPOSES))
    assert buttons(refused) == []
    assert PATH in links(refused)


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_where_nothing_was_answered_there_is_no_receipt(mode: str) -> None:
    """A receipt of an answer that nobody gave would be a forged one."""
    markup = page(standing_of(policy_of(mode)))
    assert rows(markup) == {}
    assert WORDS.nothing in text_of(markup)
    assert buttons(markup) == []
    assert PATH in links(markup)


def test_an_answer_that_does_not_verify_is_none() -> None:
    """What it said is lost: neither a yes nor a no can be told of it."""
    lost = Standing(policy_of("opt-out"), Consent(readable=False), NO_SIGNALS, NOW)
    assert {*lost.purposes.values()} == {"refused"}  # the control: it counts for something
    assert rows(page(lost)) == {}
    assert receipt_json(lost)["answeredOn"] is None


def test_going_on_to_another_page_is_told_as_what_it_was() -> None:
    """R-09: implied is not granted, and the receipt must not say that it was."""
    policy = policy_of("implied", revision=2)
    consent = Consent(seen=Seen(shown=2, implied=2, time=TODAY - DAY))
    said = rows(page(Standing(policy, consent, NO_SIGNALS, NOW)))
    assert {said[title] for title in ("Polls", "Visits", "Videos")} == {
        "Yes: you went on to another page."
    }
    assert said["Answered on"] == "27 May 2026"
    assert said["We ask again after"] == "25 November 2026"
    assert said["Notice you saw"] == "Revision 2"


def test_what_is_on_from_the_start_was_never_answered() -> None:
    """Where consent counts at once nobody went on to anywhere: it is on, and that is all."""
    policy = policy_of("implied", takes_effect="at-once")
    assert rows(page(standing_of(policy))) == {}
    said = rows(page(standing_of(policy, (), ["polls"])))
    assert (said["Polls"], said["Visits"]) == ("No: you refused it.", "On: you have not answered.")


@pytest.mark.parametrize(
    ("mode", "text"),
    [("explicit", "Off: you have not answered."), ("opt-out", "On: you have not answered.")],
)
def test_a_purpose_without_an_answer_says_how_it_stands(mode: str, text: str) -> None:
    """Beside what was answered, the receipt says what happens with the rest."""
    said = rows(page(standing_of(policy_of(mode), ["polls"])))
    assert (said["Polls"], said["Visits"]) == ("Yes: you allowed it.", text)


def test_a_signal_is_told_as_the_answer_it_is() -> None:
    """R-39: the visitor sees that the browser answered, for the purposes that honour it."""
    policy = changed(
        policy_of("opt-out"), polls={"honours": []}, embeds={"honours": ["gpc", "dnt"]}
    )
    both = frozenset(Signal)
    said = rows(page(Standing(policy, Consent(), both, NOW)))
    assert said["Visits"] == "No: your browser sends Global Privacy Control."
    assert said["Videos"] == "No: your browser sends Global Privacy Control and Do Not Track."
    assert said["Polls"] == "On: you have not answered."
    assert "Answered on" not in said
    assert "Notice you saw" not in said


def test_a_refusal_is_the_visitors_own_whatever_the_browser_sends() -> None:
    """Who refused and sends a signal as well has refused."""
    said = rows(page(standing_of(policy_of(), (), PURPOSES, signals=GPC)))
    assert said["Visits"] == "No: you refused it."


def test_a_grant_that_a_signal_outweighs_is_told_as_off() -> None:
    """R-37: it stands in the token, and does not count while the browser sends the signal."""
    policy = policy_of("opt-out", preset="us-ca", ask_again_after="1 year")
    said = rows(page(standing_of(policy, PURPOSES, signals=GPC)))
    assert said["Visits"] == "No: your browser sends Global Privacy Control."
    assert said["Answered on"] == "28 May 2026"
    assert buttons(page(standing_of(policy, PURPOSES, signals=GPC))) == ["withdraw"]
    assert buttons(page(standing_of(policy, signals=GPC))) == []
    assert rows(page(standing_of(policy, PURPOSES)))["Visits"] == "Yes: you allowed it."


def test_services_granted_alone_are_told_by_their_names() -> None:
    """Such a grant is no answer to a purpose, so it is a line of its own."""
    standing = standing_of(policy_of(), (), PURPOSES, services=["films", "counter"])
    said = rows(page(standing))
    assert [*said][2:7] == ["Polls", "Visits", "Videos", "Counter", "films"]
    assert said["Counter"] == said["films"] == "Yes: you allowed it."
    assert buttons(page(standing)) == ["withdraw"]
    alone = standing_of(policy_of(), services=["films"])
    assert rows(page(alone))["films"] == "Yes: you allowed it."
    assert rows(page(alone))["Answered on"] == "28 May 2026"


def test_the_days_are_those_of_the_answers_that_stand() -> None:
    """The latest answer dates the receipt; the first that lapses says when we ask again."""
    policy = changed(policy_of(ask_again_after="30 days", revision=5), polls={"since": 5})
    old = Given(granted=False, revision=2, time=TODAY - 40 * DAY)
    lapsed = Given(granted=True, revision=4, time=TODAY - 31 * DAY)
    new = Given(granted=True, revision=3, time=TODAY - 3 * DAY)
    said = rows(page(with_given(policy, polls=old, analytics=lapsed, embeds=new)))
    assert said["Polls"] == "No: you refused it."
    assert said["Visits"] == "Off: you have not answered."
    assert said["Answered on"] == "25 May 2026"
    assert said["We ask again after"] == "18 May 2026"
    assert said["Notice you saw"] == "Revision 3"


def test_answers_to_what_is_gone_are_gone() -> None:
    """A policy that lost a purpose or a service tells nothing of them."""
    gone = Given(granted=True, revision=1, time=TODAY)
    standing = Standing(
        policy_of(), Consent({"old": gone, key_of_service("old"): gone}), NO_SIGNALS, NOW
    )
    assert rows(page(standing)) == {}
    assert buttons(page(standing)) == [], "there is nothing to take back"


def test_a_day_that_no_calendar_has_is_left_out() -> None:
    """A policy may never ask again; the receipt still says all the rest."""
    said = rows(page(standing_of(policy_of(ask_again_after="999999 years"), ["polls"])))
    assert "We ask again after" not in said
    assert said["Answered on"] == "28 May 2026"
    assert receipt_json(standing_of(policy_of(ask_again_after="999999 years"), ["polls"]))[
        "askedAgainAfter"
    ] is None  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_speaks_every_language(language: str) -> None:
    """The visitor's copy is in the words of the notice that they answered."""
    words = messages_for(language)
    policy = changed(policy_of("opt-out"), polls={"honours": []})
    told = standing_of(policy, ["polls"], ["embeds"], services=["films"], signals=GPC)
    markup = page(told, language)
    said = " ".join(text_of(markup).split())
    receipt = words.receipt
    for text in (
        *(receipt.title, receipt.body, receipt.site, receipt.answered, receipt.again),
        *(receipt.shown, receipt.responsible, receipt.granted, receipt.refused, receipt.change),
        receipt.signal.format(signals=words.signals[Signal.GPC]),
    ):
        assert " ".join(text.split()) in said
    html = tree(markup)
    assert (html.get("lang"), markup.isascii()) == (language, True)


def test_titles_are_text_and_nothing_else() -> None:
    """The site's own words are escaped, as everywhere."""
    policy = changed(policy_of(), polls={"title": "<script>alert(1)</script>"})
    markup = page(standing_of(policy, ["polls"]))
    assert "<script>alert(1)</script>" in rows(markup)
    assert tree(markup).find(".//script") is None


# For machines


def test_machines_get_the_same_facts() -> None:
    """R-51: the fields that docs/reference/middleware.md names."""
    policy = changed(policy_of("opt-out"), polls={"honours": []})
    standing = standing_of(policy, ["polls"], ["embeds"], services=["counter"], signals=GPC)
    assert receipt_json(standing) == {
        "site": "Moorland Council",
        "controller": {
            "name": "Moorland District Council",
            "contact": "webmaster@moorland.example",
        },
        "answeredOn": "2026-05-28",
        "askedAgainAfter": "2026-11-26",
        "revision": 1,
        "purposes": [
            {
                "name": "polls",
                "title": {"en": "Polls", "de": "Abstimmungen"},
                "answer": "granted",
                "allowed": True,
                "signals": [],
                "answeredOn": "2026-05-28",
                "revision": 1,
            },
            {
                "name": "analytics",
                "title": {"en": "Visits", "de": "Besuche"},
                "answer": "refused",
                "allowed": False,
                "signals": ["gpc"],
                "answeredOn": None,
                "revision": None,
            },
            {
                "name": "embeds",
                "title": "Videos",
                "answer": "refused",
                "allowed": False,
                "signals": [],
                "answeredOn": "2026-05-28",
                "revision": 1,
            },
        ],
        "services": [
            {"name": "counter", "title": "Counter", "answeredOn": "2026-05-28", "revision": 1}
        ],
    }


def test_where_nothing_was_answered_machines_learn_that() -> None:
    """The same fields, empty: a script need not know which case it is in."""
    told = receipt_json(standing_of(policy_of()))
    assert (told["answeredOn"], told["askedAgainAfter"], told["revision"]) == (None, None, None)
    assert told["services"] == []
    assert told.keys() == receipt_json(standing_of(policy_of(), PURPOSES)).keys()


ANSWERS = st.dictionaries(
    st.sampled_from([*PURPOSES, key_of_service("films"), key_of_service("counter")]),
    st.booleans(),
)


@given(
    ANSWERS,
    st.sets(st.sampled_from(list(Signal))).map(frozenset),
    st.sampled_from(["explicit", "implied", "opt-out"]),
    st.integers(0, DAY - 1),
    st.integers(0, DAY - 1),
)
def test_two_who_answered_alike_on_one_day_have_equal_receipts(
    answers: dict[str, bool], signals: frozenset[Signal], mode: str, one: int, other: int
) -> None:
    """R-20: no identifier, and no time of day that would be as good as one."""
    policy = policy_of(mode)

    def told(seconds: int) -> tuple[bytes, Any]:
        given = {
            key: Given(granted=granted, revision=1, time=TODAY + (seconds if granted else 0))
            for key, granted in answers.items()
            if granted or not key.startswith("@")
        }
        standing = Standing(policy, Consent(given), signals, TODAY + DAY)
        return page(standing), receipt_json(standing)

    assert told(one) == told(other)


@given(ANSWERS, st.sampled_from(["explicit", "implied", "opt-out"]))
def test_what_it_says_is_what_holds(answers: dict[str, bool], mode: str) -> None:
    """A yes stands beside what is on and a no beside what is off, whatever was answered."""
    policy = policy_of(mode)
    given = {
        key: Given(granted=granted, revision=1, time=TODAY) for key, granted in answers.items()
    }
    standing = Standing(policy, Consent(given), NO_SIGNALS, NOW)
    said, told = rows(page(standing)), receipt_json(standing)
    purposes = told["purposes"]
    assert isinstance(purposes, list)
    for one in purposes:
        assert one["answer"] == standing.answer(one["name"])
        title = one["title"]["en"] if isinstance(one["title"], dict) else one["title"]
        if said:
            assert said[title].startswith(("Yes", "On") if one["allowed"] else ("No", "Off"))
    names = {one["name"] for one in told["services"]}  # type: ignore[attr-defined] # a list
    assert names == standing.single_services
