"""The banner, and the quiet line in its place: when each is shown, and if what it says is true."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape, unescape
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.assets import SHEETS as SHEET_NAMES
from consentkit.notice.assets import asset
from consentkit.notice.banner import (
    Links,
    Page,
    Shown,
    State,
    banner_markup,
    message_page,
    notice_page,
    settings_link,
    shown_to,
)
from consentkit.notice.declaration import Observed, declaration_page
from consentkit.notice.embeds import placeholder_markup
from consentkit.notice.preferences import Frame, preferences_markup
from consentkit.notice.receipt import receipt_page
from consentkit.notice.scripts import Hole
from consentkit.notice.text import LANGUAGES, Way, direction, messages_for
from consentkit.rules.consent import Consent, Given, Seen, key_of_service
from consentkit.rules.decision import DECISIONS
from consentkit.rules.policy import DAY, Policy
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rules.visitor import Standing, Visitor
from tests.notice import (
    GPC,
    LINKS,
    NOW,
    PAGE,
    PATH,
    PURPOSES,
    SHEET,
    TOKENS,
    asking_nothing,
    changed,
    policy_of,
    standing_of,
    text_of,
    tree,
)

EN = messages_for("en")
HOSTILE = (
    """</section><script>alert(1)</script>'"><img src=x onerror=y>&amp;{{ 7*7 }}"""
    ' name="next" value=" \u00fc'
)
MIXED = changed(policy_of(), polls={"basis": "implied"}, analytics={"basis": "opt-out"})
DEAF = changed(policy_of(), embeds={"honours": []})
"""A signal answers for all purposes but one."""
ALWAYS = asking_nothing(**{"settings-link": "always"})
MANUAL = policy_of(**{"settings-link": "manual"})

STANDINGS = {
    State.ASK: standing_of(policy_of()),
    State.CHANGED: standing_of(policy_of(), ["polls"], ["analytics"]),
    State.SIGNAL: standing_of(policy_of(), signals=GPC),
    State.SETTINGS: standing_of(policy_of(), ["polls"], ["analytics", "embeds"]),
    State.CHILDREN: standing_of(policy_of(), PURPOSES, for_children=True),
    State.DECLARATION: standing_of(ALWAYS),
    State.NOTHING: standing_of(MANUAL, refused=PURPOSES),
}
"""A visitor to whom each is shown."""
SEEN = [state for state in State if state is not State.NOTHING]


def markup_for(standing: Standing, language: str = "en", **values: Any) -> bytes:
    shown = shown_to(standing)
    return banner_markup(standing.policy, language, shown, LINKS, **values).fill(b"/here")


def ask(policy: Policy, language: str = "en", **answered: Any) -> bytes:
    """What a visitor with these answers is shown; without any, the whole question."""
    return markup_for(standing_of(policy, **answered), language)


def buttons(markup: bytes) -> list[tuple[str | None, str | None, str | None]]:
    return [(one.get("value"), one.text, one.get("class")) for one in tree(markup).iter("button")]


def fields(markup: bytes, name: str) -> list[str | None]:
    return [one.get("value") for one in tree(markup).iter("input") if one.get("name") == name]


def headings(markup: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in tree(markup).iter("h2")]


def links(markup: bytes) -> list[str | None]:
    return [one.get("href") for one in tree(markup).iter("a")]


def items_listed(markup: bytes) -> list[list[str | None]]:
    lists = [one for one in tree(markup).iter("ul") if one.get("class") == "consentkit-purposes"]
    return [[item.text for item in one] for one in lists]


# the state


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        *((standing, state) for state, standing in STANDINGS.items()),
        (standing_of(policy_of(), PURPOSES), State.SETTINGS),
        (standing_of(policy_of(), ["polls", "analytics"]), State.CHANGED),
        (standing_of(DEAF, signals=GPC), State.ASK),
        (standing_of(DEAF, ["polls"], signals=GPC), State.CHANGED),
        (standing_of(DEAF, refused=["embeds"], signals=GPC), State.SIGNAL),
        (standing_of(policy_of(), refused=PURPOSES, signals=GPC), State.SETTINGS),
        (standing_of(policy_of(), ["gone"]), State.ASK),
        (standing_of(policy_of(), services=["films"]), State.ASK),
        (standing_of(MANUAL), State.ASK),
        (standing_of(MANUAL, signals=GPC), State.SIGNAL),
        (standing_of(asking_nothing()), State.NOTHING),
        (standing_of(asking_nothing(), signals=GPC), State.NOTHING),
        (standing_of(ALWAYS, for_children=True), State.DECLARATION),
        (standing_of(policy_of(**{"settings-link": "always"}), PURPOSES), State.SETTINGS),
    ],
)
def test_what_is_shown_follows_from_what_is_open(standing: Standing, expected: State) -> None:
    """AC-01, R-11, R-15, R-39: a question where one is open, else a quiet line or nothing.

    An answer that stands makes the question partial; one to a purpose that is gone, or to a single
    service, does not. `settings-link: manual` is about the link, and a signal's line is a status.
    """
    shown = shown_to(standing)
    assert shown.state is expected
    assert shown.is_asking == bool(standing.open_purposes)


def test_where_nothing_is_shown_there_is_no_markup() -> None:
    """AC-01: where everything is strictly necessary there is nothing to ask."""
    nothing = banner_markup(asking_nothing(), "en", Shown(State.NOTHING), LINKS)
    assert nothing == Hole(b"", b"")
    assert nothing.fill(b"/here") == b""


# every standing

REVISED = {"purposes": {"analytics": 2, "embeds": 3}, "cookies": {"_ga": 3}, "services": {}}


def revised(mode: str, takes_effect: str, *, is_marked: bool) -> Policy:
    """The policy at its third revision; `is_marked` if it says what changed."""
    policy = policy_of(mode, revision=3, **{"takes-effect": takes_effect})
    if not is_marked:
        return policy
    told = policy.model_dump()
    for section, changes in REVISED.items():
        for name, since in changes.items():
            told[section][name]["since"] = since
    return Policy.model_validate(told)


POLICIES = [
    revised(mode, takes_effect, is_marked=is_marked)
    for is_marked in (True, False)
    for mode, takes_effect in (
        ("explicit", "next-page"),
        ("implied", "next-page"),
        ("implied", "at-once"),
        ("opt-out", "next-page"),
    )
] + [MIXED, DEAF, MANUAL]
TIMES = st.sampled_from([0, int(NOW) - 200 * DAY, int(NOW) - 90 * DAY, int(NOW)])


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    """Anybody: whatever they answered, at whatever revision and time, or lost."""
    policy = draw(st.sampled_from(POLICIES))
    answers = st.builds(Given, st.booleans(), st.integers(1, policy.revision), TIMES)
    keys = [*PURPOSES, "gone", *map(key_of_service, [*policy.services, "gone"])]
    revisions = st.integers(0, policy.revision)
    answered = draw(st.dictionaries(st.sampled_from(keys), answers))
    consent = Consent(
        MappingProxyType(answered),
        draw(st.none() | st.builds(Seen, revisions, revisions, TIMES)),
        readable=bool(answered) or draw(st.booleans()),
    )
    signals = draw(st.sampled_from([NO_SIGNALS, GPC, frozenset(Signal)]))
    return Standing(policy, consent, signals, NOW, for_children=draw(st.booleans()))


def answers_of(standing: Standing, purpose: str) -> set[bool]:
    """Whether what is asked about a purpose is on; what came to it later is asked by itself."""
    basis = standing.policy.basis_of(purpose)
    as_open = Standing(standing.policy, standing.consent, standing.signals, standing.now)
    newest = max(one.since for one in standing.policy.questions if one.purpose == purpose)
    return {
        DECISIONS[basis][answer]
        for question, answer in zip(as_open.policy.questions, as_open.answers, strict=True)
        if question.purpose == purpose and question.since == newest
    }


@given(standings())
def test_what_the_banner_says_of_a_purpose_is_true_of_it(standing: Standing) -> None:
    """The law asks for information that is true (GDPR 4(11)), of every purpose it stands over.

    *We ask your permission*: off, and going on changes nothing. *If you open another page*: off,
    and on after that. *We already use*, *until you opt out*: on.
    """
    shown, policy = shown_to(standing), standing.policy
    went_on = Standing(
        policy,
        standing.consent.show(policy.revision, NOW, has_lapsed=True).imply(NOW),
        standing.signals,
        NOW,
    )
    at_once = policy.takes_effect == "at-once"
    for purpose in shown.asked:
        now, later = answers_of(standing, purpose), answers_of(went_on, purpose)
        way = {"implied": Way.AT_ONCE if at_once else Way.IMPLIED, "opt-out": Way.OPT_OUT}.get(
            policy.basis_of(purpose), Way.CONSENT
        )
        if purpose in shown.only_asked or way is Way.CONSENT:
            assert (now, later) == ({False}, {False})
        elif way is Way.IMPLIED:
            assert (now, later) == ({False}, {True})
        else:
            assert (now, later) == ({True}, {True})


@given(standings(), st.sampled_from(["en", "de"]))
def test_a_banner_names_all_that_is_asked_and_a_line_asks_nothing(
    standing: Standing, language: str
) -> None:
    """R-04, R-06: accept and reject concern what was named, and nothing else."""
    shown = shown_to(standing)
    assert shown.is_asking == bool(shown.asked)
    assert {*shown.only_asked} <= {*shown.asked}
    markup = markup_for(standing, language)
    values = [value for value, _, _ in buttons(markup)]
    listed = [item for group in items_listed(markup) for item in group]
    if not shown.is_asking:
        assert values in ([], ["withdraw"])
        assert listed == []
        return
    assert values == ["reject-all", "accept-all"]
    assert len(listed) == len(shown.asked)
    is_whole = len(shown.asked) == len(PURPOSES)
    assert fields(markup, "purpose") == ([] if is_whole else [*shown.asked])


@given(standings())
def test_one_press_takes_everything_back_wherever_something_is_on(standing: Standing) -> None:
    """R-13: withdrawing is as easy as granting; a button that changes nothing deceives."""
    shown = shown_to(standing)
    markup = markup_for(standing)
    has_button = [value for value, _, _ in buttons(markup)] == ["withdraw"]
    is_on = bool(standing.services & shown.singles) or any(
        DECISIONS[standing.policy.basis_of(name)][answer]
        for name, answer in standing.purposes.items()
    )
    is_on = is_on or any(  # what a signal outweighs for now
        given.granted and name in {*PURPOSES, *map(key_of_service, standing.policy.services)}
        for name, given in standing.consent.given.items()
    )
    assert has_button == (is_on and shown.state in {State.SETTINGS, State.SIGNAL})
    if has_button:
        assert fields(markup, "next") == ["/here"]
        visitor = Visitor(standing, lambda: NOW)
        visitor.withdraw()
        assert not shown_to(visitor.standing).allowed
        assert not shown_to(visitor.standing).singles
        assert [value for value, _, _ in buttons(markup_for(visitor.standing))] != ["withdraw"]


@given(standings(), standings())
def test_equal_things_shown_are_equal_markup(one: Standing, other: Standing) -> None:
    """A notice is rendered once for all who see the same."""
    if one.policy is other.policy and shown_to(one) == shown_to(other):
        assert markup_for(one) == markup_for(other)


# the hole

HOLE = banner_markup(policy_of(), "en", shown_to(STANDINGS[State.ASK]), LINKS)


@given(st.text(alphabet=[chr(code) for code in range(0x20, 0x7F)]))
def test_whatever_fills_the_hole_comes_back_as_it_was(path: str) -> None:
    """The path goes into an attribute and is read back from it as it was."""
    filled = HOLE.fill(path.encode("ascii"))
    value = re.fullmatch(rb'.* name="next" value="([^"]*)">.*', filled, re.DOTALL)
    assert value is not None
    assert unescape(value[1].decode("ascii")) == path


@given(st.binary(max_size=60))
def test_no_byte_ends_the_attribute_it_stands_in(path: bytes) -> None:
    """Bytes that should have been percent-encoded, quotes, tags: all stay inside."""
    filled = HOLE.fill(path)
    value = filled[len(HOLE.before) : len(filled) - len(HOLE.after)]
    assert filled == HOLE.before + value + HOLE.after
    assert not set(b"\"<>'") & set(value)
    assert value.isascii()


@pytest.mark.parametrize("state", [State.ASK, State.SETTINGS])
def test_a_path_in_the_hole_is_read_back_by_a_browser(state: State) -> None:
    """The visitor comes back to the page they were on, query and all."""
    hole = banner_markup(policy_of(), "en", shown_to(STANDINGS[state]), LINKS)
    assert fields(hole.fill(b"/a?b=1&lt=2'\"<"), "next") == ["/a?b=1&lt=2'\"<"]


def test_a_line_without_a_form_has_no_hole() -> None:
    """Nothing is sent from it; the controls are the banner, and a line that takes back."""
    line = banner_markup(MANUAL, "en", shown_to(standing_of(MANUAL, signals=GPC)), LINKS)
    assert line.after == b""
    assert line.rest == ()
    assert line.fill(b"/here", b"nonce") == line.before
    assert b"/here" in ask(policy_of())
    assert b"/here" in ask(policy_of(), granted=PURPOSES)


# the banner


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", SEEN)
def test_a_notice_is_one_region_first_in_the_body(language: str, state: State) -> None:
    """R-95: a labelled region, not modal, that takes no focus; before it its style alone."""
    markup = markup_for(STANDINGS[state], language)
    body = tree(markup).find("body")
    assert body is not None
    style, region = body
    assert (style.tag, style.get("rel"), style.get("href")) == ("link", "stylesheet", SHEET)
    assert (region.tag, region.get("role"), region.get("id")) == ("section", "region", "consentkit")
    assert region.get("aria-label") == messages_for(language).label
    assert (region.get("lang"), region.get("dir")) == (language, direction(language))
    assert markup.isascii()
    assert not re.search(rb"<script|<style| style=| on[a-z]+=|autofocus|tabindex", markup)


def test_refusing_comes_first_and_looks_like_granting() -> None:
    """R-12, R-13: same element, same class, one click each, real submit buttons of a plain form."""
    markup = ask(policy_of())
    assert buttons(markup) == [
        ("reject-all", "Reject all", None),
        ("accept-all", "Accept all", None),
    ]
    (form,) = tree(markup).iter("form")
    assert (form.get("method"), form.get("action")) == ("post", PATH)
    assert {one.get("type") for one in form.iter("button")} == {"submit"}
    assert fields(markup, "next") == ["/here"]


def test_the_banner_names_who_what_how_many_and_the_right_to_withdraw() -> None:
    """R-06 (VG Hannover 10 A 5385/22, GDPR 13)."""
    for policy in (policy_of(), policy_of("implied"), policy_of("opt-out"), MIXED):
        words = text_of(ask(policy))
        assert "Responsible: Moorland District Council. Third parties: 2." in words
        assert "withdraw" in words
        assert {name for group in items_listed(ask(policy)) for name in group} == {
            "Polls",
            "Visits",
            "Videos",
        }
    only_polls = ask(policy_of(), granted=["analytics"], refused=["embeds"])
    assert items_listed(only_polls) == [["Polls"]]
    assert "Third parties" not in text_of(only_polls)


def test_every_banner_leads_to_the_table_and_to_the_preferences() -> None:
    """R-06, R-15; a policy page of the site's own takes the table's place, if it is a link."""
    site = policy_of().site

    def with_page(url: str, root: str = "") -> list[str | None]:
        policy = policy_of(site=site.model_dump() | {"policy": url})
        shown = Shown(State.ASK, PURPOSES)
        place = Links(root + PATH, SHEET, root=root)
        return links(banner_markup(policy, "en", shown, place).fill(b"/"))

    assert links(ask(policy_of())) == ["/consent/cookies", "/consent"]
    assert with_page("/privacy") == ["/privacy", "/consent"]
    assert with_page("/privacy", "/mount") == ["/mount/privacy", "/mount/consent"]
    assert with_page("https://other.example/") == ["https://other.example/", "/consent"]
    assert with_page("javascript:alert(1)") == ["/consent/cookies", "/consent"]


@pytest.mark.parametrize(
    ("mode", "takes_effect", "title", "layout"),
    [
        ("explicit", "next-page", "May we use optional cookies?", "top"),
        ("implied", "next-page", "Going to another page means yes", "bottom"),
        ("implied", "at-once", "We already use optional cookies", "bottom"),
        ("opt-out", "next-page", "You can stop us selling or sharing your data", "top"),
    ],
)
def test_the_words_are_those_of_the_mode(
    mode: str, takes_effect: str, title: str, layout: str
) -> None:
    """Only implied consent says that going on counts, and it must stay in sight to be seen."""
    markup = ask(policy_of(mode, **{"takes-effect": takes_effect}))
    assert headings(markup) == [title]
    assert f'class="consentkit consentkit-banner consentkit-{layout}"'.encode() in markup
    assert (b"open another page" in markup) == (title == "Going to another page means yes")


def test_opting_out_is_called_so_and_sharing_is_named_only_where_it_happens() -> None:
    """11 CCR 7013, 7015: the words of the right; untrue of a site that shares with nobody."""
    sharing, alone = policy_of("opt-out"), policy_of("opt-out", cookies={}, services={})
    assert [label for _, label, _ in buttons(ask(sharing))] == ["Opt out", "Allow"]
    assert headings(ask(alone)) == ["You can turn off optional cookies"]
    assert b"third parties" in ask(sharing)
    assert b"third parties" not in ask(alone).lower()


def test_purposes_of_several_ways_are_told_each_under_a_true_lead() -> None:
    """Honest words: what is said of a list is true of all that stands in it."""
    markup = ask(MIXED)
    assert headings(markup) == ["Your choice about optional cookies"]
    assert items_listed(markup) == [["Videos"], ["Polls"], ["Visits"]]
    words = text_of(markup)
    assert words.index("We ask your permission for: Videos") < words.index(
        "without answering, we use cookies for: Polls"
    )
    assert "until you opt out, for: Visits" in words
    assert "Nothing optional is stored before that" not in words
    assert [label for _, label, _ in buttons(markup)] == ["Reject all", "Accept all"]


def test_a_partial_question_concerns_its_purposes_only() -> None:
    """Accept and reject send the purposes that were named, or the words would be untrue."""
    markup = ask(policy_of(), granted=["polls", "analytics"])
    assert fields(markup, "purpose") == ["embeds"]
    assert [label for _, label, _ in buttons(markup)] == ["Reject", "Accept"]
    assert "Your other answers stay as they are." in text_of(markup)
    assert fields(ask(policy_of()), "purpose") == []
    assert "other answers" not in text_of(ask(policy_of()))


def test_a_question_beside_a_signal_leaves_what_the_signal_answered_alone() -> None:
    """R-37: what a signal refused is not granted by a click on a banner that does not name it."""
    markup = ask(DEAF, signals=GPC)
    assert fields(markup, "purpose") == ["embeds"]
    assert "Opt-out request honoured." in text_of(markup)
    assert "Opt-out request honoured." not in text_of(ask(DEAF))


def lapsed(policy: Policy, *, granted: bool) -> Standing:
    """A visitor who answered to everything so long ago that they are asked again."""
    then = Given(granted, 1, int(NOW - policy.ask_again_after))
    consent = Consent(MappingProxyType(dict.fromkeys(PURPOSES, then)))
    return Standing(policy, consent, NO_SIGNALS, NOW)


def test_where_silence_is_no_yes_nothing_says_that_it_is() -> None:
    """An earlier refusal stands until it is withdrawn: going on means nothing then."""
    implied = policy_of("implied")
    lost = Standing(implied, Consent(readable=False), NO_SIGNALS, NOW)
    for standing in (*(lapsed(implied, granted=one) for one in (True, False)), lost):
        markup = markup_for(standing)
        assert headings(markup) == ["May we use optional cookies?"]
        assert b"consentkit-top" in markup
    assert headings(ask(implied)) == ["Going to another page means yes"]


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (standing_of(policy_of()), ()),
        (standing_of(policy_of("implied")), ()),
        (standing_of(policy_of("opt-out")), ()),
        (lapsed(policy_of("implied"), granted=True), PURPOSES),
        (lapsed(policy_of("implied"), granted=False), PURPOSES),
        (lapsed(policy_of("opt-out"), granted=True), ()),
        (lapsed(policy_of("opt-out"), granted=False), PURPOSES),
        (Standing(policy_of("opt-out"), Consent(readable=False), NO_SIGNALS, NOW), PURPOSES),
    ],
)
def test_an_answer_given_before_is_never_changed_by_silence(
    standing: Standing, expected: tuple[str, ...]
) -> None:
    """A lapsed refusal stays refused, a token that does not verify counts as refused."""
    assert shown_to(standing).only_asked == frozenset(expected)
    assert shown_to(standing).asked == PURPOSES


def test_the_sites_own_words_stand_in_the_ordinary_question_only() -> None:
    """They were written for a visitor who has answered nothing; elsewhere they may be untrue."""
    own_words = {
        "title": {"en": "Cookies here", "de": "Cookies hier"},
        "body": "We count visits.",
        "accept": "Yes",
        "reject": "No",
        "layout": "corner",
    }
    policy = policy_of("implied", banner=own_words)
    own = ask(policy)
    assert headings(own) == ["Cookies here"]
    assert headings(ask(policy, "de")) == ["Cookies hier"]
    assert "We count visits. Polls Visits Videos Say no now, or withdraw" in text_of(own)
    assert [label for _, label, _ in buttons(own)] == ["No", "Yes"]
    assert b"consentkit-corner" in own
    told_anew = changed(policy_of("implied", banner=own_words, revision=2), polls={"since": 2})
    for other in (
        ask(changed(policy, embeds={"honours": []}), signals=GPC),
        ask(policy, granted=["polls", "analytics"]),
        markup_for(lapsed(policy, granted=False)),
        ask(told_anew, granted=PURPOSES, at_revision=1),
    ):
        assert "Cookies here" not in text_of(other)
        assert "We count visits." not in text_of(other)
        assert "Yes" not in text_of(other)


# what is new


def since(policy: Policy, revision: int, **changes: Iterable[str]) -> Policy:
    """The policy at a revision; `changes` names what came or changed with it, by its section."""
    told = policy.model_dump() | {"revision": revision}
    for section, names in changes.items():
        for name in names:
            told[section][name]["since"] = revision
    return Policy.model_validate(told)


TITLES = ("Polls", "Visits", "Videos")
OLD: dict[str, Any] = {"granted": PURPOSES, "at_revision": 1}


def test_a_new_purpose_is_told_as_new() -> None:
    """R-08: asked again about that purpose only, and the visitor is told why."""
    policy = since(policy_of(), 2, purposes=["embeds"])
    markup = ask(policy, granted=["polls"], refused=["analytics"], at_revision=1)
    assert headings(markup) == ["Our use of cookies has changed"]
    assert items_listed(markup) == [["New purpose: Videos"]]
    assert "Your other answers stay as they are." in text_of(markup)
    assert fields(markup, "purpose") == ["embeds"]


def test_a_changed_purpose_is_told_as_changed() -> None:
    """R-08: a grant at an older revision does not cover it."""
    policy = since(policy_of(), 2, purposes=["polls"])
    markup = ask(policy, **OLD)
    assert headings(markup) == ["Our use of cookies has changed"]
    assert items_listed(markup) == [["Changed purpose: Polls"]]
    assert items_listed(ask(policy, refused=PURPOSES, at_revision=1)) == [
        ["Changed purpose: Polls"]
    ]


def test_what_changed_under_a_purpose_is_named() -> None:
    """R-08: a new provider, a changed cookie; by the names that stand in the table."""
    policy = since(policy_of(), 2, cookies=["_ga", "PollTimeout-{pollid}"], services=["counter"])
    markup = ask(policy, **OLD)
    (items,) = items_listed(markup)
    told = [re.sub("[\u2068\u2069]", "", item or "") for item in items]
    assert told == [
        "Polls, new or changed: PollTimeout-<pollid>",
        "Visits, new or changed: _ga, Counter",
    ]
    # A name reads from left to right in any sentence (UAX #9).
    assert "\u2068_ga\u2069" in (items[1] or "")
    stored = {"seen": {"where": "local", "purpose": "embeds", "description": ".", "since": 2}}
    assert "Videos, new or changed: seen" in re.sub(
        "[\u2068\u2069]", "", text_of(ask(policy_of(storage=stored, revision=2), **OLD))
    )


def test_news_are_told_since_the_visitors_own_answer() -> None:
    """What came before it they have answered to."""
    policy = since(since(policy_of(), 2, cookies=["_ga"]), 3, services=["counter"])
    assert "_ga" in text_of(ask(policy, **OLD))
    second = text_of(ask(policy, granted=PURPOSES, at_revision=2))
    assert "Counter" in second
    assert "_ga" not in second
    assert shown_to(standing_of(policy, PURPOSES)).state is State.SETTINGS


def test_where_everything_changed_the_whole_question_says_so() -> None:
    """No answer stands, so none is said to; nor do the site's words for who answered nothing."""
    own_words = {"title": "Cookies here", "body": "We count visits."}
    policy = since(policy_of(banner=own_words), 2, purposes=PURPOSES)
    assert headings(ask(policy)) == ["Cookies here"]
    markup = ask(policy, **OLD)
    assert "We count visits." not in text_of(markup)
    assert headings(markup) == ["Our use of cookies has changed"]
    assert items_listed(markup) == [[f"Changed purpose: {title}" for title in TITLES]]
    assert "other answers" not in text_of(markup)
    assert [label for _, label, _ in buttons(markup)] == ["Reject all", "Accept all"]


@pytest.mark.parametrize(
    "standing",
    [
        pytest.param(standing_of(policy_of()), id="never answered"),
        pytest.param(
            standing_of(since(policy_of(), 2, purposes=["polls"])), id="never answered, revised"
        ),
        pytest.param(lapsed(policy_of(), granted=True), id="lapsed"),
        pytest.param(standing_of(policy_of(revision=2), **OLD), id="the policy does not say"),
        pytest.param(standing_of(policy_of(), ["embeds"]), id="one yes, at a placeholder"),
        pytest.param(
            standing_of(since(policy_of(), 2, purposes=["polls"]), ["embeds"]),
            id="one yes, at a placeholder, after the change",
        ),
        pytest.param(standing_of(policy_of(), services=["films"]), id="a single service"),
        pytest.param(standing_of(policy_of(), ["gone"], at_revision=1), id="a purpose now gone"),
    ],
)
def test_nothing_is_called_new_that_is_not(standing: Standing) -> None:
    """A lapse is no news, nor is a purpose that was there and was never answered."""
    markup = markup_for(standing)
    assert "has changed" not in text_of(markup)
    (listed,) = items_listed(markup)
    assert listed
    assert {*listed} <= {*TITLES}


def test_beside_what_is_new_the_rest_is_told_by_its_title() -> None:
    """One answered, one never, one new: each is told as what it is."""
    policy = since(policy_of(), 2, purposes=["embeds"])
    markup = ask(policy, granted=["polls"], at_revision=1)
    assert headings(markup) == ["Our use of cookies has changed"]
    assert items_listed(markup) == [["Visits", "New purpose: Videos"]]


def test_what_came_after_the_first_answer_is_new_whatever_was_answered_later() -> None:
    """A yes at a placeholder, after the change, is no answer to the rest of it."""
    told = policy_of(revision=3).model_dump()
    told["purposes"]["embeds"]["since"] = told["purposes"]["polls"]["since"] = 2
    told["cookies"]["clientvars"]["since"] = 3
    policy = Policy.model_validate(told)
    first = Consent().grant(["polls"], 1, NOW, NO_SIGNALS)
    later = first.grant(["analytics"], 3, NOW, NO_SIGNALS)
    for consent, listed in (
        (first, ["Changed purpose: Polls", "Visits", "New purpose: Videos"]),
        (later, ["Changed purpose: Polls", "New purpose: Videos"]),
    ):
        standing = Standing(policy, consent, NO_SIGNALS, NOW)
        assert items_listed(markup_for(standing)) == [listed]


@pytest.mark.parametrize("mode", ["implied", "opt-out"])
def test_news_stand_under_the_lead_that_is_true_of_them(mode: str) -> None:
    """Going on is no yes to whoever has answered; opting out is open to everybody."""
    policy = since(policy_of(mode), 2, purposes=["polls"])
    words = text_of(ask(policy, **OLD))
    lead = {"implied": EN.asks[Way.CONSENT].lead, "opt-out": "until you opt out, for:"}[mode]
    assert f"{lead} Changed purpose: Polls" in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_news_are_told_in_every_language(language: str) -> None:
    """With the names filled in, and joined as the language joins."""
    policy = since(policy_of(), 2, purposes=["polls"], cookies=["_ga"], services=["counter"])
    words = messages_for(language)
    titles = {"de": ("Abstimmungen", "Besuche")}.get(language, ("Polls", "Visits"))
    names = words.comma.join(f"\u2068{name}\u2069" for name in ("_ga", "Counter"))
    assert items_listed(ask(policy, language, **OLD)) == [
        [
            words.changed_purpose.format(purpose=titles[0]),
            words.changed_items.format(purpose=titles[1], names=names),
        ]
    ]


# the quiet line


def test_a_signal_is_answered_by_a_quiet_line() -> None:
    """R-39, R-40: the status in words, no pop-up, and a link to the preferences."""
    line = ask(policy_of(), signals=GPC)
    words = text_of(line)
    assert "Opt-out request honoured. Your browser sends Global Privacy Control" in words
    assert buttons(line) == []
    assert links(line) == [PATH]
    both = changed(policy_of(), **{name: {"honours": [*Signal]} for name in PURPOSES})
    assert "Global Privacy Control and Do Not Track" in text_of(
        ask(both, signals=frozenset(Signal))
    )


def test_after_an_answer_a_link_leads_back_to_the_preferences() -> None:
    """R-15: on every page, without script; opt-out has the statutory link beside it (R-78)."""
    statutory = "Do Not Sell or Share My Personal Information"
    said = text_of(ask(policy_of(), refused=PURPOSES))
    assert said == "Saved: all optional cookies are off. Cookie settings"
    opted_out = ask(policy_of("opt-out"), refused=PURPOSES)
    assert text_of(opted_out).endswith(f"Cookie settings {statutory}")
    assert links(opted_out) == [PATH, PATH]
    link = settings_link(policy_of(), "de", path="/mount/consent")
    assert link.count(b"<a ") == 1
    assert b'href="/mount/consent"' in link
    assert text_of(settings_link(policy_of("opt-out"), "en", path=PATH)).endswith(statutory)


def test_where_nothing_is_enforced_nothing_is_promised() -> None:
    """A soft launch blocks nothing, so no line may say that something is off or kept to."""
    for state in (State.SIGNAL, State.CHILDREN, State.SETTINGS):
        standing = STANDINGS[state]
        shown = shown_to(standing, is_enforced=False)
        hole = banner_markup(standing.policy, "en", shown, LINKS, answered="Saved: …")
        words = text_of(hole.fill(b"/"))
        assert shown.state is State.SETTINGS
        for promise in (EN.signal_title, EN.for_children, "Saved", "are off"):
            assert promise not in words
        assert "Cookie settings" in words
    assert shown_to(STANDINGS[State.ASK], is_enforced=False).state is State.ASK
    assert "Saved" in text_of(markup_for(STANDINGS[State.SETTINGS])), "the control"


def test_a_grant_that_a_signal_outweighs_can_be_taken_back() -> None:
    """R-37: it counts again as soon as the browser sends the signal no more."""
    winning = policy_of("opt-out", preset="us-ca", **{"ask-again-after": "1 year"})
    line = ask(winning, granted=PURPOSES, signals=GPC)
    assert shown_to(standing_of(winning, PURPOSES, signals=GPC)).allowed == ()
    assert [value for value, _, _ in buttons(line)] == ["withdraw"]
    assert buttons(ask(winning, signals=GPC)) == [], "the control"
    assert buttons(ask(winning, granted=["gone"], signals=GPC)) == [], "nothing of now"


def test_whoever_sells_or_shares_has_the_statutory_link_in_the_question_too() -> None:
    """R-78: a banner alone is no accepted way to opt out."""
    statutory = EN.do_not_sell
    assert statutory in text_of(ask(policy_of("opt-out")))
    assert statutory not in text_of(ask(policy_of("opt-out", services={}, cookies={})))
    assert statutory not in text_of(ask(policy_of()))


def test_what_was_saved_is_told_where_an_answer_leads_without_a_script() -> None:
    """R-99: of the element that the way back names (`:target`), and of nobody else."""
    for standing, said in (
        (STANDINGS[State.SETTINGS], "Saved: some optional cookies are on: Polls. The others are"),
        (standing_of(policy_of(), PURPOSES), "Saved: all optional cookies are on."),
        (
            standing_of(policy_of(), refused=PURPOSES, signals=GPC),
            "Saved: all optional cookies are",
        ),
    ):
        saved = [
            "".join(one.itertext())
            for one in tree(markup_for(standing)).iter("p")
            if one.get("class") == "consentkit-saved"
        ]
        assert len(saved) == 1
        assert saved[0].startswith(said)
    style = asset("consent.css").body.decode()
    assert re.search(r"\.consentkit-saved\{display:none[;}]", style)
    assert re.search(r"\.consentkit:target:not\(#_\) \.consentkit-saved\{display:block\}", style)
    # Who sends a signal and never answered has saved nothing.
    for state in (State.ASK, State.CHANGED, State.CHILDREN, State.DECLARATION, State.SIGNAL):
        assert b"consentkit-saved" not in markup_for(STANDINGS[state])
    with_script = markup_for(STANDINGS[State.SETTINGS], answered="Saved: …")
    assert b"consentkit-saved" not in with_script, "the script's own element says it"


def test_taking_back_is_called_what_the_law_calls_it() -> None:
    """GDPR 7(3) says withdraw; whoever was never asked opts out (R-78)."""

    def label(policy: Policy, **answered: Any) -> list[tuple[str | None, str | None]]:
        return [(value, text) for value, text, _ in buttons(ask(policy, **answered))]

    some = {"granted": ["polls"], "refused": ["analytics", "embeds"]}
    assert label(policy_of(), **some) == [("withdraw", "Withdraw all")]
    assert label(policy_of("implied"), **some) == [("withdraw", "Withdraw all")]
    assert label(policy_of("opt-out"), **some) == [("withdraw", "Opt out")]
    assert label(MIXED, granted=PURPOSES) == [("withdraw", "Withdraw all")]
    assert label(MIXED, granted=["analytics"], refused=["polls", "embeds"]) == [
        ("withdraw", "Opt out")
    ]
    films = policy_of(
        services={"films": {"purpose": "embeds", "provider": "F", "hosts": ["f.test"]}}
    )
    later = (
        Consent()
        .refuse(PURPOSES, 1, NOW - DAY)
        .grant([key_of_service("films")], 1, NOW, NO_SIGNALS)
    )
    alone = Standing(films, later, NO_SIGNALS, NOW)
    assert shown_to(alone).allowed == ()
    assert [value for value, _, _ in buttons(markup_for(alone))] == ["withdraw"]
    assert label(films, refused=PURPOSES) == [], "the control"


def test_pages_for_children_say_that_nothing_optional_is_on() -> None:
    """R-11: whatever was answered; no question, no button, and a way to the preferences."""
    for answered in ({}, {"granted": PURPOSES}, {"services": ["films"]}, {"signals": GPC}):
        line = ask(policy_of(), for_children=True, **answered)
        assert text_of(line) == f"{EN.for_children} Cookie settings"
        assert links(line) == [PATH]
        assert buttons(line) == []
    assert EN.for_children not in text_of(ask(policy_of(), granted=PURPOSES)), "the control"


def test_where_nothing_is_optional_a_line_may_lead_to_the_table() -> None:
    """R-74: `settings-link: always`; there is nothing to choose, so there is no way to choose."""
    line = ask(ALWAYS)
    assert text_of(line) == f"{EN.nothing_optional} See every cookie"
    assert links(line) == [f"{PATH}/cookies"]
    assert buttons(line) == []
    own_page = policy_of().site.model_dump() | {"policy": "/privacy"}
    assert links(ask(asking_nothing(site=own_page, **{"settings-link": "always"}))) == ["/privacy"]
    assert ask(asking_nothing()) == b"", "the control"


# other pages


@pytest.mark.parametrize("page", Page)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_form_is_explained_with_a_way_on(page: Page, language: str) -> None:
    """A visitor who meets a 400, 403 or 413 learns what to do."""
    markup = message_page(policy_of(), language, page, **PAGE)
    said = messages_for(language).pages[page]
    assert said.title in text_of(markup)
    assert said.body in text_of(markup)
    assert links(markup) == ["/", PATH]
    assert tree(markup).get("lang") == language


# all of it


def hostile(mode: str) -> Policy:
    texts = {"title": HOSTILE, "description": HOSTILE}
    return policy_of(
        mode,
        revision=2,
        site={"name": HOSTILE, "controller": HOSTILE, "contact": HOSTILE, "policy": HOSTILE},
        purposes=dict.fromkeys(PURPOSES, texts) | {HOSTILE: texts | {"since": 2}},
        services={
            HOSTILE: {
                "purpose": [*PURPOSES, HOSTILE],
                "title": HOSTILE,
                "provider": HOSTILE,
                "privacy": "javascript:alert(1)",
                "opt-out": HOSTILE,
                "transfer": HOSTILE,
                "hosts": ["a.example"],
                "since": 2,
            }
        },
        cookies={
            HOSTILE: {
                "kind": "session",
                "purpose": [*PURPOSES, HOSTILE],
                "service": HOSTILE,
                "description": HOSTILE,
                "since": 2,
            }
        },
        banner={"title": HOSTILE, "body": HOSTILE, "accept": HOSTILE, "reject": HOSTILE},
        texts={
            "en": {
                **{key: HOSTILE.replace("{{ 7*7 }}", "") for key in ("label", "settings", "save")},
                "third_parties": HOSTILE.replace("{{ 7*7 }}", "{count}"),
            }
        },
    )


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_nothing_from_a_policy_is_ever_markup(mode: str) -> None:
    """A policy's words are words: no tag, no attribute, no template, no second hole."""
    policy = hostile(mode)
    pages = [
        ask(policy),
        ask(policy, granted=PURPOSES),
        ask(policy, granted=PURPOSES, at_revision=1),
        ask(policy, granted=policy.optional_purposes),
        ask(policy, signals=GPC),
        ask(policy, for_children=True),
        *(
            preferences_markup(
                "en", standing_of(policy), frame, tokens=TOKENS, next_path="/", **PAGE
            )
            for frame in Frame
        ),
        message_page(policy, "en", Page.UNKNOWN, **PAGE),
        settings_link(policy, "en", path=PATH),
    ]
    for markup in pages:
        root = tree(markup)
        assert not [one for one in root.iter() if one.tag in ("script", "img")]
        assert not [key for one in root.iter() for key in one.attrib if key.startswith("on")]
        assert not [one for one in root.iter("a") if "script:" in (one.get("href") or "")]
        assert markup.isascii()
        assert b"49" not in markup
        assert len(fields(markup, "next")) <= 1
    assert escape(HOSTILE).encode("ascii", "xmlcharrefreplace")[:20] in pages[0]
    assert HOSTILE in fields(pages[1], "purpose")


def placeholder(kind: str) -> bytes:
    films = {"purpose": "embeds", "provider": "Films Inc", "shows": kind}
    return placeholder_markup(
        policy_of(services={**policy_of().model_dump()["services"], "films": films}),
        service="films",
        language="en",
        path=PATH,
        stylesheet=SHEET,
        next_path=b"/",
    )


# the script, and what goes with it

TOLD = '{"a": "<&\'>"}'
WITH_SCRIPT = LINKS._replace(script="/consent/assets/consent.js")


def scripted(state: State = State.ASK, **values: Any) -> bytes:
    standing = STANDINGS[state]
    hole = banner_markup(
        standing.policy, "en", shown_to(standing), WITH_SCRIPT, told=TOLD, **values
    )
    return hole.fill(b"/here", b"bm9u")


def section(markup: bytes) -> Any:
    (found,) = tree(markup).iter("section")
    return found


@pytest.mark.parametrize("state", State)
def test_the_script_is_the_notices_last_child_in_every_state(state: State) -> None:
    """One element holds both: whoever moves or keeps the notice keeps the script."""
    notice = section(scripted(state))
    assert (notice.tag, notice.get("id")) == ("section", "consentkit")
    inner, status, script = notice
    assert (inner.get("class"), status.get("role")) == ("consentkit-inner", "status")
    assert dict(script.items()) == {
        "id": "consentkit-script",
        "type": "module",
        "src": WITH_SCRIPT.script,
        "nonce": "bm9u",
        "data-path": PATH,
        "data-query": "lang=en&children" if state is State.CHILDREN else "lang=en",
        "data-state": TOLD,
    }
    assert not script.text
    assert "hidden" not in notice.attrib or state is State.NOTHING


def test_a_page_that_came_with_a_policy_for_its_content_says_so() -> None:
    """What is granted later would be kept out of it: it loads anew."""
    (script,) = section(scripted(is_policed=True)).iter("script")
    assert script.get("data-reload") == "1"
    assert b"data-reload" not in scripted()


def test_where_nothing_is_shown_the_script_has_a_hidden_element() -> None:
    """A page with tags that wait needs the script, whether or not it needs a notice."""
    notice = section(scripted(State.NOTHING))
    assert "hidden" in notice.attrib
    assert not [*notice.iter("a")]
    assert not [*notice.iter("form")]
    said = section(scripted(State.NOTHING, answered="Saved: all is off."))
    assert "hidden" not in said.attrib, "an answer is announced"
    assert [one.text for one in said.iter("p")] == ["Saved: all is off."]


@pytest.mark.parametrize("state", State)
def test_a_shared_notice_is_hidden_and_has_a_way_without_script(state: State) -> None:
    """`pages: shared`: nobody knows yet whose it is; who has no script gets the settings."""
    markup = scripted(state, is_shared=True)
    notice = section(markup)
    assert "hidden" in notice.attrib
    [script] = notice.iter("script")
    assert script.get("data-shared") == ""
    assert markup.strip().endswith(b"</a></noscript>")
    assert b"<noscript>" not in scripted(state), "the control: it needs none"


@pytest.mark.parametrize("state", SEEN)
def test_without_the_script_there_is_no_trace_of_it(state: State) -> None:
    """Its element for announcements stays: the style sheet waits for the end of the notice."""
    markup = markup_for(STANDINGS[state])
    assert markup.endswith(b"</section>")
    assert b'role="status"></p>' in markup
    for trace in (b"<script", b"hidden>", b"nonce"):
        assert trace not in markup


def test_a_notice_alone_is_a_document() -> None:
    """What the script in a page takes its new notice from."""
    page = notice_page(policy_of(), "ar", scripted())
    root = tree(page)
    assert (root.get("lang"), root.get("dir")) == ("ar", "rtl")
    body = root.find("body")
    assert body is not None
    assert [(one.tag, one.get("id")) for one in body] == [
        ("link", None),
        ("section", "consentkit"),
    ]
    assert scripted() in page


# the style sheets


def test_every_class_that_is_printed_is_styled_or_said_to_be_the_sites() -> None:
    """The other way round too: the style sheets style nothing that is never printed."""
    films = {"purpose": "embeds", "provider": "Films Inc", "hosts": ["films.test"]}
    standing = standing_of(policy_of(services={"films": films}))
    pages = [
        *(ask(policy_of(banner={"layout": one})) for one in ("top", "sticky", "bottom", "corner")),
        *(markup_for(one) for one in STANDINGS.values()),
        *(preferences_markup("en", standing, frame, next_path="/", **PAGE) for frame in Frame),
        declaration_page(policy_of(), "en", **PAGE, observed=Observed((("a", "b"),), "c")),
        receipt_page("en", standing_of(policy_of(), PURPOSES), next_path="/", **PAGE),
        settings_link(policy_of(), "en", path=PATH),
        *(placeholder(kind) for kind in ("video", "map", "social")),
    ]
    printed = {
        name
        for markup in pages
        for one in tree(markup).iter()
        for name in (one.get("class") or "").split()
    }
    sheets = "".join(asset(name).body.decode() for name in SHEET_NAMES)
    styled = {*re.findall(r"\.(consentkit(?:-[a-z]+)?)\b", sheets)}
    as_laid_out = {"consentkit-top", "consentkit-link"}
    assert printed - styled == as_laid_out, "as the page lays them out"
    assert styled - printed == set()
