"""The preferences: what is preselected, what is said of it, and what a press of Enter does."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.preferences import Frame, preferences_markup, standing_text, status_text
from consentkit.notice.text import LANGUAGES, direction, messages_for
from consentkit.rules.consent import Answer, Consent
from consentkit.rules.decision import DECISIONS
from consentkit.rules.policy import DAY, Policy
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rules.visitor import Standing, Visitor
from tests.notice import (
    GPC,
    NOW,
    PAGE,
    PATH,
    PURPOSES,
    SHEETS,
    TOKENS,
    asking_nothing,
    changed,
    policy_of,
    standing_of,
    text_of,
    tree,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

EN = messages_for("en")
MODES = ("explicit", "implied", "opt-out")
MIXED = changed(policy_of(), polls={"basis": "implied"}, analytics={"basis": "opt-out"})
AT_ONCE = {"takes-effect": "at-once"}
LOADING: dict[str, Any] = {
    "films": {"purpose": "embeds", "provider": "Films Inc", "hosts": ["films.example"]},
    "maps": {"purpose": ["polls", "embeds"], "title": "Maps", "provider": "M", "inline": ["map("]},
    "login": {"purpose": ["necessary"], "provider": "L", "hosts": ["login.example"]},
    "captcha": {"purpose": ["necessary", "analytics"], "provider": "C", "hosts": ["c.example"]},
    "chat": {"purpose": "polls", "provider": "Waits in a template", "shows": "chat"},
    "mail": {"purpose": "analytics", "provider": "Nothing of it stands in pages"},
}


def preferences(
    standing: Standing, language: str = "en", frame: Frame = Frame.PAGE, **values: Any
) -> bytes:
    return preferences_markup(language, standing, frame, **{"next_path": "/here"} | PAGE | values)


def went_on(policy: Policy) -> Standing:
    """Whoever was shown the notice and opened another page."""
    consent = Consent().show(policy.revision, NOW).imply(NOW)
    return Standing(policy, consent, NO_SIGNALS, NOW)


def switches(markup: bytes, name: str = "purpose") -> dict[str, bool]:
    """What each switch answers, and whether it is on."""
    found = [one for one in tree(markup).iter("input") if one.get("name") == name]
    assert {one.get("role") for one in found} <= {"switch"}
    assert {one.get("disabled") for one in found} <= {None}
    assert len({one.get("value") for one in found}) == len(found), "one switch to an answer"
    return {str(one.get("value")): one.get("checked") is not None for one in found}


def buttons(markup: bytes) -> list[tuple[str | None, str | None]]:
    return [(one.get("value"), one.get("class")) for one in tree(markup).iter("button")]


def status(markup: bytes) -> str:
    (element,) = [one for one in tree(markup).iter("p") if one.get("role") == "status"]
    return " ".join("".join(element.itertext()).split())


# the switches


@given(
    st.sampled_from(MODES),
    st.sampled_from(Frame),
    st.dictionaries(st.sampled_from(PURPOSES), st.booleans()),
    st.sampled_from([NO_SIGNALS, GPC]),
)
def test_a_switch_shows_the_answer_in_effect(
    mode: str, frame: Frame, answered: dict[str, bool], signals: frozenset[Signal]
) -> None:
    """R-03: unchecked where consent is needed and was not given (Planet49); R-15: preselected."""
    standing = standing_of(
        policy_of(mode),
        [name for name, yes in answered.items() if yes],
        [name for name, yes in answered.items() if not yes],
        signals=signals,
    )
    basis = standing.policy.basis_of("polls")
    expected = {name: DECISIONS[basis][answer] for name, answer in standing.purposes.items()}
    assert switches(preferences(standing, frame=frame)) == expected
    assert list(expected) == [*PURPOSES]


def test_implied_consent_is_preselected_once_it_is_implied() -> None:
    """R-15: the present answers; the control is the visitor's first page."""
    implied = policy_of("implied")
    assert set(switches(preferences(standing_of(implied))).values()) == {False}
    assert set(switches(preferences(went_on(implied))).values()) == {True}
    assert set(switches(preferences(went_on(policy_of("implied", **AT_ONCE)))).values()) == {True}


@given(st.data())
def test_saving_what_is_shown_changes_nothing(data: st.DataObject) -> None:
    """R-15: whoever saves the preferences as they find them keeps what they answered.

    `mail` was granted by code of the site's, so it is shown though nothing of it stands in pages.
    """
    policy = policy_of(services=LOADING)
    granted = data.draw(st.sets(st.sampled_from(PURPOSES)))
    refused = {*PURPOSES} - granted
    alone = data.draw(st.sets(st.sampled_from([*LOADING])))
    visitor = Visitor(standing_of(policy, granted, refused), lambda: NOW + 1)
    visitor.allow_service(*alone)
    before = visitor.standing
    markup = preferences(before)
    purposes, services = switches(markup), switches(markup, "service")
    saved = Visitor(before, lambda: NOW + 2)
    saved.refuse(*(name for name, is_on in purposes.items() if not is_on))
    saved.grant(*(name for name, is_on in purposes.items() if is_on))
    saved.allow_service(*(name for name, is_on in services.items() if is_on))
    assert saved.standing.purposes == before.purposes
    assert saved.standing.services == before.services


@pytest.mark.parametrize("frame", Frame)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_switch_has_a_name_a_description_and_its_state_in_words(
    language: str, frame: Frame
) -> None:
    """R-100 (WCAG 1.4.1, 4.1.2): never by colour alone."""
    root = tree(preferences(standing_of(policy_of(services=LOADING)), language, frame))
    words = messages_for(language)
    ids = Counter(one.get("id") for one in root.iter() if one.get("id"))
    labels = Counter(one.get("for") for one in root.iter("label"))
    found = [one for one in root.iter("input") if one.get("role") == "switch"]
    for one in found:
        assert ids[one.get("id")] == labels[one.get("id")] == 1
        if one.get("name") == "purpose":
            assert ids[one.get("aria-describedby")] == 1
    states = [one for one in root.iter("span") if one.get("class") == "consentkit-state"]
    assert {(one.get("data-on"), one.get("data-off")) for one in states} == {(words.on, words.off)}
    assert len(states) == len(found) == len(PURPOSES) + 4


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        (went_on(policy_of("implied")), "On because you opened another page without answering."),
        (standing_of(policy_of("implied", **AT_ONCE)), "On because this site starts with it on."),
        (standing_of(policy_of("opt-out")), "On because you have not opted out."),
    ],
)
def test_a_purpose_that_is_on_without_a_yes_says_why(standing: Standing, why: str) -> None:
    """Honest words; a granted purpose needs none, nor one that is off."""
    assert text_of(preferences(standing)).count(why) == len(PURPOSES)
    for answered in (standing_of(standing.policy, PURPOSES), standing_of(policy_of())):
        assert why not in text_of(preferences(answered))
    refused = standing_of(standing.policy, refused=PURPOSES)
    assert why not in text_of(preferences(refused))


# services alone


def services_under(markup: bytes) -> dict[str, list[str]]:
    """By purpose, the services that have a switch of their own under it."""
    found: dict[str, list[str]] = {}
    for item in (one for one in tree(markup).iter("li") if one.find("details") is not None):
        inputs = [*item.iter("input")]
        purpose = next(
            (str(one.get("value")) for one in inputs if one.get("name") == "purpose"), ""
        )
        own = [str(one.get("value")) for one in inputs if one.get("name") == "service"]
        if own:
            found[purpose] = own
    return found


def test_a_service_can_be_granted_alone_under_the_first_purpose_that_is_asked() -> None:
    """R-04: per embed; one switch to an answer, and none that would change nothing.

    What is strictly necessary is on anyway, and of what loads nothing there is nothing to allow.
    """
    standing = standing_of(policy_of(services=LOADING))
    for frame in Frame:
        found = services_under(preferences(standing, frame=frame))
        assert found == {"polls": ["maps", "chat"], "analytics": ["captcha"], "embeds": ["films"]}
    labels = ["".join(one.itertext()) for one in tree(preferences(standing)).iter("label")]
    assert "Allow Maps even while this purpose is off" in labels
    assert services_under(preferences(standing_of(policy_of()))) == {}, "nothing of them loads"


def test_a_service_that_only_sets_a_cookie_for_a_purpose_has_no_switch_there() -> None:
    """It is told there, and answered to under a purpose of its own."""
    volume = {"kind": "session", "purpose": "polls", "service": "films", "description": "Volume."}
    policy = policy_of(services=LOADING, cookies={"volume": volume})
    markup = preferences(standing_of(policy))
    assert text_of(markup).count("films Films Inc") == 2
    assert services_under(markup)["embeds"] == ["films"]
    assert services_under(markup)["polls"] == ["maps", "chat"]


def test_a_service_that_was_granted_alone_is_shown_so() -> None:
    """R-15: preselected, and not folded away; its purpose stays off."""
    policy = policy_of(services=LOADING)
    visitor = Visitor(standing_of(policy, refused=PURPOSES), lambda: NOW + DAY)
    visitor.allow_service("films")
    markup = preferences(visitor.standing)
    assert switches(markup) == dict.fromkeys(PURPOSES, False)
    told = switches(markup, "service")
    assert {name for name, is_on in told.items() if is_on} == {"films"}
    unfolded = [one.get("open") is not None for one in tree(markup).iter("details")]
    assert unfolded == [False, False, False, True]
    assert not [
        one
        for one in tree(preferences(standing_of(policy, refused=PURPOSES))).iter("details")
        if one.get("open") is not None
    ], "the control"


# the answers


def test_enter_saves_and_never_accepts() -> None:
    """The first submit button of a form is the one that Enter presses (HTML §4.10.21.2)."""
    for frame in Frame:
        root = tree(preferences(standing_of(policy_of()), frame=frame))
        (form,) = [one for one in root.iter("form") if one.get("method") == "post"]
        found = [(one.get("value"), one.get("class")) for one in form.iter("button")]
        assert [value for value, _ in found] == ["save", "reject-all", "accept-all"]
        assert found[1][1] == found[2][1] == "consentkit-plain"
        assert form.get("action") == PATH


@pytest.mark.parametrize(
    ("granted", "refused", "said"),
    [
        ((), (), "Your answer now: you have not answered yet."),
        ((), PURPOSES, "Your answer now: all optional cookies are off."),
        (PURPOSES, (), "Your answer now: all optional cookies are on."),
        (
            ("polls", "embeds"),
            ("analytics",),
            "Your answer now: some optional cookies are on: Polls, Videos. The others are off.",
        ),
        (
            ("polls",),
            (),
            "Your answer now: some optional cookies are on: Polls. The others are off.",
        ),
    ],
)
def test_the_present_answer_is_told_in_words(
    granted: tuple[str, ...], refused: tuple[str, ...], said: str
) -> None:
    """R-15, R-99: and after a change it is announced as saved."""
    standing = standing_of(policy_of(), granted, refused)
    for frame in Frame:
        assert status(preferences(standing, frame=frame)) == said
    assert status_text("en", standing, is_saved=False) == said
    saved = status_text("en", standing, is_saved=True)
    is_answer = bool(granted or refused)
    assert saved == (said.replace("Your answer now", "Saved") if is_answer else "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_status_says_what_the_answer_is(language: str) -> None:
    """The same words as in the preferences, after an answer and at any time."""
    words = messages_for(language)
    policy = policy_of(languages=[language])
    standing = standing_of(policy, ["polls", "analytics"], ["embeds"])
    titles = {"de": ("Abstimmungen", "Besuche")}.get(language, ("Polls", "Visits"))
    some = words.some_on.format(purposes=words.comma.join(titles))
    assert status_text(language, standing, is_saved=True) == f"{words.saved} {some}"
    assert status_text(language, standing, is_saved=False) == f"{words.now} {some}"
    assert standing_text(policy, language, ["polls", "analytics"], ()) == f"{words.saved} {some}"
    assert standing_text(policy, language, PURPOSES, ()) == f"{words.saved} {words.all_on}"
    assert standing_text(policy, language, (), ()) == f"{words.saved} {words.all_off}"
    asked = status_text(language, standing_of(policy), is_saved=False)
    assert asked == f"{words.now} {words.not_answered}"
    # A single service was granted: nothing is to be said of purposes.
    single = standing_of(policy, services=["films"])
    assert status_text(language, single, is_saved=True) == ""


def test_services_granted_alone_are_among_what_is_on() -> None:
    """Nothing that is on is left out of what is told to be on."""
    policy = policy_of(services=LOADING)
    visitor = Visitor(standing_of(policy, ["polls"], ["analytics", "embeds"]), lambda: NOW + DAY)
    visitor.allow_service("films", "captcha")
    said = "some optional cookies are on: Polls, Films Inc, C. The others are off."
    assert status(preferences(visitor.standing)) == f"Your answer now: {said}"
    assert status_text("en", visitor.standing, is_saved=True) == f"Saved: {said}"
    assert standing_text(policy, "en", (), {"films"}) == (
        "Saved: some optional cookies are on: Films Inc. The others are off."
    )


def test_where_nothing_is_enforced_no_signal_is_said_to_be_kept_to() -> None:
    """A soft launch blocks nothing; the control is a site that does."""
    standing = standing_of(policy_of(), signals=GPC)
    assert EN.signal_title not in text_of(preferences(standing, is_enforced=False))
    assert EN.signal_title in text_of(preferences(standing))


def test_where_nothing_is_asked_there_is_no_status() -> None:
    """No answer, so nothing to say of one."""
    standing = standing_of(asking_nothing())
    assert status_text("en", standing, is_saved=True) == ""
    assert status_text("en", standing, is_saved=False) == ""


def test_on_a_page_for_children_the_visitors_own_answers_are_told() -> None:
    """R-15: what is off there (R-11) was not refused, and saving it must not withdraw anything."""
    policy = policy_of(services=LOADING)
    elsewhere = standing_of(policy, PURPOSES)
    there = standing_of(policy, PURPOSES, for_children=True)
    assert {*there.purposes.values()} == {Answer.REFUSED}
    for frame in Frame:
        assert preferences(there, frame=frame) == preferences(elsewhere, frame=frame)
    for is_saved in (True, False):
        assert status_text("en", there, is_saved=is_saved) == status_text(
            "en", elsewhere, is_saved=is_saved
        )


# what is said


def test_the_preferences_say_that_an_own_answer_counts_over_a_signal() -> None:
    """R-37: a grant given while the signal was on stands because the visitor was told so."""
    words = text_of(preferences(standing_of(policy_of(), signals=GPC)))
    assert EN.signal_over in words
    assert EN.signal_title in words
    assert "Your browser sends Global Privacy Control" in words
    assert EN.signal_over not in text_of(preferences(standing_of(policy_of())))
    winning = text_of(preferences(standing_of(policy_of(preset="us-ca"), signals=GPC)))
    assert EN.signal_title in winning
    assert EN.signal_over not in winning, "there the signal counts, whatever is answered"
    assert EN.signal_wins in winning


def test_nothing_is_on_unless_turned_on_is_said_only_where_it_is_true() -> None:
    """Honest words: of explicit consent, and of nothing else."""
    sentence = "Nothing is on unless you turn it on"
    assert sentence in text_of(preferences(standing_of(policy_of())))
    for policy in (policy_of("implied"), policy_of("opt-out"), MIXED):
        assert sentence not in text_of(preferences(standing_of(policy)))


def test_the_preferences_tell_each_cookie_and_service() -> None:
    """R-03, R-73: the second layer names what each purpose stores, for how long, and who else."""
    stored = {"seen": {"where": "local", "purpose": "polls", "description": "."}}
    words = text_of(preferences(standing_of(policy_of(storage=stored)), tokens=TOKENS))
    assert "clientvars Session · Until you close the browser" in words
    assert "PollTimeout-<pollid> Poll time-out · 1 day" in words
    assert "_ga Analytics · 13 months" in words
    assert "__Host-consent Persistent · 400 days" in words
    assert "Counter Ltd · Data goes to: USA · Privacy at Counter Ltd" in words
    assert "Services: 1 · Cookies: 1" in words
    assert "Cookies: 1 · Web storage: 1" in words
    assert "Always on" in words


def test_what_there_is_none_of_is_not_counted() -> None:
    """That there are 0 cookies says nothing; a purpose of nothing has nothing to unfold."""
    summaries = [
        "".join(one.itertext())
        for one in tree(preferences(standing_of(policy_of()))).iter("summary")
    ]
    assert summaries == ["Cookies: 1", "Cookies: 1", "Services: 1 · Cookies: 1", "Services: 1"]
    bare = preferences(standing_of(policy_of(cookies={}, services={})))
    assert not [*tree(bare).iter("details")]
    assert len(switches(bare)) == len(PURPOSES)


def test_numbers_are_in_the_digits_of_the_language() -> None:
    """Persian has its own."""
    assert messages_for("fa").digits[1] in text_of(preferences(standing_of(policy_of()), "fa"))


# frames


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("/a?b=1", "/a?b=1"),
        ("/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a b", "/"),
        ("", "/"),
    ],
)
def test_the_way_back_stays_on_this_site(path: str, local: str) -> None:
    """No open redirect, wherever the path came from."""
    markup = preferences(standing_of(policy_of()), next_path=path)
    back = [one.get("value") for one in tree(markup).iter("input") if one.get("name") == "next"]
    assert back == [local]
    assert next(tree(markup).iter("a")).get("href") == local


def test_the_preferences_can_stand_in_a_page_of_the_sites_own() -> None:
    """The same form in one element, isolated from the site's style."""
    part = preferences(standing_of(policy_of()), frame=Frame.PART)
    body = tree(part).find("body")
    assert body is not None
    (element,) = body
    assert element.get("class") == "consentkit consentkit-part"
    assert b"<html" not in part
    assert buttons(part) == buttons(preferences(standing_of(policy_of())))
    assert [one.get("href") for one in element.iter("link")] == [*SHEETS]
    without = preferences(standing_of(policy_of()), frame=Frame.PART, stylesheets=())
    assert not [*tree(without).iter("link")]


def test_a_dialog_has_the_same_answers_and_a_way_out_that_saves_nothing() -> None:
    """R-97, R-02: closing grants nothing, and says so before it is pressed."""
    standing = standing_of(policy_of(), ["polls"], ["analytics"])
    markup = preferences(standing, frame=Frame.DIALOG)
    body = tree(markup).find("body")
    assert body is not None
    (dialog,) = body
    assert (dialog.tag, dialog.get("open")) == ("dialog", None)
    assert dialog.get("class") == "consentkit consentkit-dialog"
    first = dialog.find("./div/h2")
    assert first is not None
    assert dialog.get("aria-labelledby") == first.get("id")
    assert first.get("tabindex") == "-1", "focus may begin there, and not at the button that closes"
    close, choices = dialog.iter("form")
    assert (close.get("method"), close.get("action")) == ("dialog", None)
    assert [one.get("name") for one in close.iter("button")] == [None]
    assert choices.get("method") == "post"
    assert EN.close_note in text_of(markup)
    assert switches(markup) == switches(preferences(standing))
    assert not [*tree(markup).iter("script")]
    assert [one.get("href") for one in dialog.iter("link")] == [*SHEETS], "it goes with the dialog"


def test_a_dialog_shares_no_id_with_the_page_it_opens_in() -> None:
    """WCAG 4.1.2: a label would name, and a click turn, the switch behind it."""

    def ids(frame: Frame) -> set[str | None]:
        page = preferences(standing_of(policy_of(services=LOADING)), frame=frame)
        return {one.get("id") for one in tree(page).iter()} - {None}

    for frame in (Frame.PAGE, Frame.PART):
        assert ids(frame).isdisjoint(ids(Frame.DIALOG))
        assert len(ids(frame)) > len(PURPOSES)
    assert "consentkit" not in ids(Frame.DIALOG), "that is the notice's"


@pytest.mark.parametrize("frame", Frame)
def test_headings_go_down_step_by_step(frame: Frame) -> None:
    """WCAG 1.3.1: whoever goes from heading to heading misses none."""
    root = tree(preferences(standing_of(policy_of(services=LOADING)), frame=frame))
    levels = [int(str(one.tag)[1]) for one in headings_of(root)]
    # A part stands under the page's own first heading.
    start = {Frame.PAGE: 1, Frame.PART: 2, Frame.DIALOG: 2}[frame]
    assert levels[0] == start
    assert all(later <= level + 1 for level, later in pairwise(levels))
    assert max(levels) == {Frame.PAGE: 3, Frame.PART: 3, Frame.DIALOG: 4}[frame]


def headings_of(root: Element) -> list[Element]:
    return [one for one in root.iter() if one.tag in {"h1", "h2", "h3", "h4"}]


@pytest.mark.parametrize("frame", Frame)
@pytest.mark.parametrize("language", ["ar", "en", "fa", "he", "ja"])
def test_a_frame_is_in_its_language_and_direction(language: str, frame: Frame) -> None:
    """WCAG 3.1.1: a reader's voice follows `lang`, the layout `dir`."""
    root = tree(preferences(standing_of(policy_of()), language, frame))
    own = [one for one in root.iter() if one.get("lang")]
    assert own
    assert {(one.get("lang"), one.get("dir")) for one in own} == {(language, direction(language))}
    assert {one.get("dir") for one in root.iter("code")} == {"ltr"}, "names read left to right"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("frame", Frame)
def test_where_nothing_is_optional_there_is_nothing_to_press(language: str, frame: Frame) -> None:
    """A button that changes nothing deceives; an answer that nobody gave is none (R-03)."""
    page = preferences(standing_of(asking_nothing()), language, frame, tokens=TOKENS)
    asking = preferences(standing_of(policy_of()), language, frame, tokens=TOKENS)
    assert not [value for value, _ in buttons(page) if value]
    assert not [*tree(page).iter("input")]
    assert [value for value, _ in buttons(asking) if value] == ["save", "reject-all", "accept-all"]
    words = messages_for(language)
    assert words.now not in text_of(page)
    assert "A form." in text_of(page)
    assert (words.intro_nothing in text_of(page)) is (frame is not Frame.PART)
