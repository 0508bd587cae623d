from __future__ import annotations

import re
from html import escape, unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.notice.assets import stylesheet
from consentkit.notice.banner import (
    Page,
    State,
    banner_markup,
    message_page,
    notice_page,
    permission_only,
    preferences_page,
    settings_link,
    state_of,
    status_text,
)
from consentkit.notice.declaration import declaration_page
from consentkit.notice.embeds import placeholder_markup
from consentkit.notice.scripts import Hole
from consentkit.notice.text import LANGUAGES, messages_for
from consentkit.rules.consent import Answer
from consentkit.rules.decision import DECISIONS
from consentkit.rules.policy import Policy
from consentkit.rules.signals import NO_SIGNALS, Signal
from tests.notice import (
    PATH,
    PLACE,
    PURPOSES,
    SHEET,
    TOKENS,
    asking_nothing,
    changed,
    policy_of,
    text_of,
    tree,
)

GPC = frozenset({Signal.GPC})
EN = messages_for("en")
HOLE = banner_markup(policy_of(), "en", State.ASK, PURPOSES, **PLACE)
HOSTILE = (
    """</section><script>alert(1)</script>'"><img src=x onerror=y>&amp;{{ 7*7 }}"""
    ' name="next" value=" \u00fc'
)
MIXED = changed(policy_of(), polls={"basis": "implied"}, analytics={"basis": "opt-out"})


def ask(
    policy: Policy,
    purposes: tuple[str, ...] = PURPOSES,
    *,
    state: State = State.ASK,
    language: str = "en",
    **values: Any,
) -> bytes:
    return banner_markup(policy, language, state, purposes, **PLACE, **values).fill(b"/here")


def preferences(
    policy: Policy,
    answer: Answer | dict[str, Answer] = Answer.UNDECIDED,
    *,
    open_purposes: tuple[str, ...] = (),
    language: str = "en",
    **values: Any,
) -> bytes:
    answers = answer if isinstance(answer, dict) else dict.fromkeys(PURPOSES, answer)
    values = {"honoured": NO_SIGNALS, "next_path": "/here"} | PLACE | values
    return preferences_page(policy, language, answers, open_purposes, **values)


def buttons(markup: bytes) -> list[tuple[str | None, str | None, str | None]]:
    return [(one.get("value"), one.text, one.get("class")) for one in tree(markup).iter("button")]


def fields(markup: bytes, name: str) -> list[str | None]:
    return [one.get("value") for one in tree(markup).iter("input") if one.get("name") == name]


def headings(markup: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in tree(markup).iter("h2")]


def purposes_named(markup: bytes) -> list[list[str | None]]:
    lists = [one for one in tree(markup).iter("ul") if one.get("class") == "consentkit-purposes"]
    return [[item.text for item in one] for one in lists]


# the state


@pytest.mark.parametrize(
    ("open_purposes", "given_purposes", "honoured", "expected"),
    [
        (PURPOSES, (), NO_SIGNALS, State.ASK),
        (PURPOSES, PURPOSES, NO_SIGNALS, State.ASK),
        (("embeds",), ("polls",), NO_SIGNALS, State.CHANGED),
        (("embeds",), (), GPC, State.ASK),
        (("embeds",), ("embeds", "gone"), NO_SIGNALS, State.ASK),
        ((), (), GPC, State.SIGNAL),
        ((), PURPOSES, NO_SIGNALS, State.SETTINGS),
    ],
)
def test_what_is_shown_follows_from_what_is_open(
    open_purposes: tuple[str, ...],
    given_purposes: tuple[str, ...],
    honoured: frozenset[Signal],
    expected: object,
) -> None:
    """An answer that has lapsed is asked again in full; one that stands makes it partial."""
    assert state_of(policy_of(), open_purposes, given_purposes, honoured) == expected


def test_where_the_site_links_itself_nothing_is_shown_but_a_signal() -> None:
    """R-39: a signal's status is shown; `settings-link: manual` is about the link."""
    manual = policy_of(**{"settings-link": "manual"})
    assert state_of(manual, (), PURPOSES, NO_SIGNALS) is State.NOTHING
    assert state_of(manual, PURPOSES, (), NO_SIGNALS) is State.ASK
    assert state_of(manual, (), (), GPC) is State.SIGNAL


def test_a_policy_without_optional_purposes_shows_nothing() -> None:
    """AC-01: where everything is strictly necessary there is nothing to ask."""
    policy = policy_of()
    bare = policy.model_copy(update={"purposes": {"necessary": policy.purposes["necessary"]}})
    assert state_of(bare, (), (), GPC) is State.NOTHING
    nothing = banner_markup(bare, "en", State.NOTHING, (), **PLACE)
    assert nothing == Hole(b"", b"")
    assert nothing.fill(b"/here") == b""


# the hole


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


def test_a_path_in_the_hole_is_read_back_by_a_browser() -> None:
    """The visitor comes back to the page they were on, query and all."""
    hole = banner_markup(policy_of(), "en", State.ASK, PURPOSES, **PLACE)
    assert fields(hole.fill(b"/a?b=1&lt=2'\"<"), "next") == ["/a?b=1&lt=2'\"<"]


def test_a_line_has_no_hole() -> None:
    """There is no form in it; the control is the banner, which has one."""
    line = banner_markup(policy_of(), "en", State.SETTINGS, (), **PLACE)
    assert line.after == b""
    assert line.rest == ()
    assert line.fill(b"/here", b"nonce") == line.before
    assert b"/here" in ask(policy_of())


# the banner


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", [State.ASK, State.CHANGED, State.SIGNAL, State.SETTINGS])
def test_a_notice_is_one_region_first_in_the_body(mode: str, language: str, state: State) -> None:
    """R-95: a labelled region, not modal, that takes no focus; and one element, for any body."""
    markup = ask(policy_of(mode), PURPOSES[:2], state=state, language=language, honoured=GPC)
    body = tree(markup).find("body")
    assert body is not None
    (region,) = body
    assert (region.tag, region.get("role"), region.get("id")) == ("section", "region", "consentkit")
    assert region.get("aria-label") == messages_for(language).label
    assert (region.get("lang"), region.get("dir")) == (language, "ltr")
    assert region[0].tag == "link"
    assert region[0].get("href") == SHEET
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
        assert {name for group in purposes_named(ask(policy)) for name in group} == {
            "Polls",
            "Visits",
            "Videos",
        }
    assert "Third parties" not in text_of(ask(policy_of(), ("polls",)))


def test_every_banner_leads_to_the_table_and_to_the_preferences() -> None:
    """R-06, R-15; a policy page of the site's own takes the table's place, if it is a link."""
    site = policy_of().site

    def links(policy: Policy) -> list[str | None]:
        return [one.get("href") for one in tree(ask(policy)).iter("a")]

    def with_page(url: str) -> Policy:
        return policy_of(site=site.model_dump() | {"policy": url})

    assert links(policy_of()) == ["/consent/cookies", "/consent"]
    assert links(with_page("/privacy")) == ["/privacy", "/consent"]
    assert links(with_page("javascript:alert(1)")) == ["/consent/cookies", "/consent"]


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
    assert purposes_named(markup) == [["Videos"], ["Polls"], ["Visits"]]
    words = text_of(markup)
    assert words.index("We ask your permission for: Videos") < words.index(
        "without answering, we use cookies for: Polls"
    )
    assert "until you opt out, for: Visits" in words
    assert "Nothing optional is stored before that" not in words
    assert [label for _, label, _ in buttons(markup)] == ["Reject all", "Accept all"]


def test_a_partial_question_concerns_its_purposes_only() -> None:
    """Accept and reject send the purposes that were named, or the words would be untrue."""
    markup = ask(policy_of(), ("embeds",), state=State.CHANGED)
    assert fields(markup, "purpose") == ["embeds"]
    assert [label for _, label, _ in buttons(markup)] == ["Reject", "Accept"]
    assert "Your other answers stay as they are." in text_of(markup)
    assert fields(ask(policy_of()), "purpose") == []
    assert "other answers" not in text_of(ask(policy_of()))


def test_a_question_beside_a_signal_leaves_what_the_signal_answered_alone() -> None:
    """R-37: what a signal refused is not granted by a click on a banner that does not name it."""
    markup = ask(policy_of(), ("embeds",), honoured=GPC)
    assert fields(markup, "purpose") == ["embeds"]
    assert "Opt-out request honoured." in text_of(markup)
    assert "Opt-out request honoured." not in text_of(ask(policy_of()))


def test_where_silence_is_no_yes_nothing_says_that_it_is() -> None:
    """An earlier refusal stands until it is withdrawn: going on means nothing then."""
    implied = policy_of("implied")
    markup = ask(implied, only_asked=frozenset(PURPOSES))
    assert headings(markup) == ["May we use optional cookies?"]
    assert b"consentkit-top" in markup
    assert headings(ask(implied)) == ["Going to another page means yes"]


@pytest.mark.parametrize(
    ("mode", "answer", "given_purposes", "expected"),
    [
        ("explicit", Answer.UNDECIDED, (), ()),
        ("implied", Answer.UNDECIDED, (), ()),
        ("implied", Answer.UNDECIDED, ("polls",), ("polls",)),
        ("implied", Answer.REFUSED, (), PURPOSES),
        ("opt-out", Answer.UNDECIDED, ("polls",), ()),
        ("opt-out", Answer.REFUSED, (), PURPOSES),
    ],
)
def test_an_answer_given_before_is_never_changed_by_silence(
    mode: str, answer: Answer, given_purposes: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """A lapsed refusal stays refused, a token that does not verify counts as refused."""
    answers = dict.fromkeys(PURPOSES, answer)
    found = permission_only(policy_of(mode), PURPOSES, answers, given_purposes)
    assert found == frozenset(expected)


def test_the_sites_own_words_stand_in_the_ordinary_question_only() -> None:
    """They were written for a visitor who has answered nothing; elsewhere they may be untrue."""
    policy = policy_of(
        "implied",
        banner={
            "title": {"en": "Cookies here", "de": "Cookies hier"},
            "body": "We count visits.",
            "accept": "Yes",
            "reject": "No",
            "layout": "corner",
        },
    )
    own = ask(policy)
    assert headings(own) == ["Cookies here"]
    assert headings(ask(policy, language="de")) == ["Cookies hier"]
    assert "We count visits. Polls Visits Videos Say no now, or withdraw" in text_of(own)
    assert [label for _, label, _ in buttons(own)] == ["No", "Yes"]
    assert b"consentkit-corner" in own
    for other in (
        ask(policy, ("embeds",)),
        ask(policy, ("embeds",), state=State.CHANGED),
        ask(policy, only_asked=frozenset(PURPOSES)),
    ):
        assert "Cookies here" not in text_of(other)
        assert "We count visits." not in text_of(other)
        assert "Yes" not in text_of(other)


def test_a_signal_is_answered_by_a_quiet_line() -> None:
    """R-39, R-40: the status in words, no pop-up, and a link to the preferences."""
    line = ask(policy_of(), (), state=State.SIGNAL, honoured=GPC)
    words = text_of(line)
    assert "Opt-out request honoured. Your browser sends Global Privacy Control" in words
    assert buttons(line) == []
    assert [one.get("href") for one in tree(line).iter("a")] == [PATH]
    both = ask(policy_of(), (), state=State.SIGNAL, honoured=frozenset(Signal))
    assert "Global Privacy Control and Do Not Track" in text_of(both)


def test_after_an_answer_a_link_leads_back_to_the_preferences() -> None:
    """R-15: on every page, without script; opt-out has the statutory link beside it."""
    assert text_of(ask(policy_of(), (), state=State.SETTINGS)) == "Cookie settings"
    assert text_of(ask(policy_of("opt-out"), (), state=State.SETTINGS)) == (
        "Cookie settings Do Not Sell or Share My Personal Information"
    )
    link = settings_link(policy_of(), "de", path="/mount/consent")
    assert link.count(b"<a ") == 1
    assert b'href="/mount/consent"' in link
    assert text_of(settings_link(policy_of("opt-out"), "en", path=PATH)).endswith("Information")


# the preferences


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
@pytest.mark.parametrize("answer", Answer)
def test_a_switch_shows_the_answer_in_effect(mode: str, answer: Answer) -> None:
    """R-03: unchecked where consent is needed and was not given (Planet49); R-15: preselected."""
    policy = policy_of(mode)
    switches = [
        one
        for one in tree(preferences(policy, answer)).iter("input")
        if one.get("role") == "switch"
    ]
    assert [one.get("value") for one in switches] == [*PURPOSES]
    allowed = DECISIONS[policy.basis_of("polls")][answer]
    assert {one.get("checked") is not None for one in switches} == {allowed}
    assert {one.get("disabled") for one in switches} == {None}


def test_a_switch_has_a_name_a_description_and_its_state_in_words() -> None:
    """R-100 (WCAG 1.4.1, 4.1.2): never by colour alone."""
    root = tree(preferences(policy_of()))
    ids = {one.get("id") for one in root.iter() if one.get("id")}
    labels = {one.get("for") for one in root.iter("label")}
    for one in root.iter("input"):
        if one.get("role") == "switch":
            assert one.get("id") in labels
            assert one.get("aria-describedby") in ids
    states = [one for one in root.iter("span") if one.get("class") == "consentkit-state"]
    assert {(one.get("data-on"), one.get("data-off")) for one in states} == {("On", "Off")}
    assert len(states) == len(PURPOSES)


@pytest.mark.parametrize(
    ("mode", "answer", "why"),
    [
        ("implied", Answer.IMPLIED, "On because you opened another page without answering."),
        ("opt-out", Answer.UNDECIDED, "On because you have not opted out."),
    ],
)
def test_a_purpose_that_is_on_without_a_yes_says_why(mode: str, answer: Answer, why: str) -> None:
    """Honest words; a granted purpose needs none."""
    assert text_of(preferences(policy_of(mode), answer)).count(why) == len(PURPOSES)
    assert why not in text_of(preferences(policy_of(mode), Answer.GRANTED))
    at_once = policy_of("implied", **{"takes-effect": "at-once"})
    assert "this site starts with it on" in text_of(preferences(at_once, Answer.IMPLIED))


def test_enter_saves_and_never_accepts() -> None:
    """The first submit button of a form is the one that Enter presses (HTML §4.10.21.2)."""
    found = buttons(preferences(policy_of()))
    assert [value for value, _, _ in found] == ["save", "reject-all", "accept-all"]
    assert found[1][2] == found[2][2] == "consentkit-plain"


@pytest.mark.parametrize(
    ("answers", "open_purposes", "status"),
    [
        ((Answer.UNDECIDED,) * 3, PURPOSES, "Your answer now: you have not answered yet."),
        ((Answer.REFUSED,) * 3, (), "Your answer now: all optional cookies are off."),
        ((Answer.GRANTED,) * 3, (), "Your answer now: all optional cookies are on."),
        (
            (Answer.GRANTED, Answer.REFUSED, Answer.GRANTED),
            (),
            "Your answer now: some optional cookies are on: Polls, Videos. The others are off.",
        ),
    ],
)
def test_the_present_answer_is_told_in_words(
    answers: tuple[Answer, ...], open_purposes: tuple[str, ...], status: str
) -> None:
    """R-15, R-99: and after a change it is announced as saved."""
    said = dict(zip(PURPOSES, answers, strict=True))
    markup = preferences(policy_of(), said, open_purposes=open_purposes)
    (element,) = [one for one in tree(markup).iter("p") if one.get("role") == "status"]
    assert " ".join("".join(element.itertext()).split()) == status
    saved = preferences(policy_of(), said, open_purposes=open_purposes, is_saved=True)
    assert status.replace("Your answer now", "Saved") in text_of(saved)


def test_the_preferences_say_that_an_own_answer_counts_over_a_signal() -> None:
    """R-37: a grant given while the signal was on stands because the visitor was told so."""
    words = text_of(preferences(policy_of(), Answer.REFUSED, honoured=GPC))
    assert EN.signal_over in words
    assert EN.signal_title in words
    assert EN.signal_over not in text_of(preferences(policy_of(), Answer.REFUSED))
    winning = text_of(preferences(policy_of(preset="us-ca"), Answer.REFUSED, honoured=GPC))
    assert EN.signal_title in winning
    assert EN.signal_over not in winning, "there the signal counts, whatever is answered"
    assert EN.signal_wins in winning


def test_nothing_is_on_unless_turned_on_is_said_only_where_it_is_true() -> None:
    """Honest words: of explicit consent, and of nothing else."""
    sentence = "Nothing is on unless you turn it on"
    assert sentence in text_of(preferences(policy_of()))
    for policy in (policy_of("implied"), policy_of("opt-out"), MIXED):
        assert sentence not in text_of(preferences(policy))


def test_the_preferences_tell_each_cookie_and_service() -> None:
    """R-03, R-73: the second layer names what each purpose stores, for how long, and who else."""
    words = text_of(preferences(policy_of(), tokens=TOKENS))
    assert "clientvars Session · Until you close the browser" in words
    assert "PollTimeout-<pollid> Poll time-out · 1 day" in words
    assert "_ga Analytics · 13 months" in words
    assert "__Host-consent Persistent · 400 days" in words
    assert "Counter Ltd · Data goes to: USA · Privacy at Counter Ltd" in words
    assert "Services: 1 · Cookies: 1" in words
    assert "Always on" in words


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
    markup = preferences(policy_of(), next_path=path)
    assert fields(markup, "next") == [local]
    assert next(tree(markup).iter("a")).get("href") == local


def test_the_preferences_can_stand_in_a_page_of_the_sites_own() -> None:
    """The same form in one element, isolated from the site's style."""
    part = preferences(policy_of(), is_part=True)
    body = tree(part).find("body")
    assert body is not None
    (element,) = body
    assert element.get("class") == "consentkit consentkit-part"
    assert b"<html" not in part
    assert buttons(part) == buttons(preferences(policy_of()))


@pytest.mark.parametrize("page", Page)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_form_is_explained_with_a_way_on(page: Page, language: str) -> None:
    """A visitor who meets a 400, 403 or 413 learns what to do."""
    markup = message_page(policy_of(), language, page, **PLACE)
    said = messages_for(language).pages[page]
    assert said.title in text_of(markup)
    assert said.body in text_of(markup)
    assert [one.get("href") for one in tree(markup).iter("a")] == ["/", PATH]
    assert tree(markup).get("lang") == language


# all of it


def hostile(mode: str) -> Policy:
    texts = {"title": HOSTILE, "description": HOSTILE}
    return policy_of(
        mode,
        site={"name": HOSTILE, "controller": HOSTILE, "contact": HOSTILE, "policy": HOSTILE},
        purposes=dict.fromkeys(PURPOSES, texts) | {HOSTILE: texts},
        services={
            HOSTILE: {
                "purpose": [*PURPOSES, HOSTILE],
                "title": HOSTILE,
                "provider": HOSTILE,
                "privacy": "javascript:alert(1)",
                "opt-out": HOSTILE,
                "transfer": HOSTILE,
            }
        },
        cookies={
            HOSTILE: {
                "kind": "session",
                "purpose": [*PURPOSES, HOSTILE],
                "service": HOSTILE,
                "description": HOSTILE,
            }
        },
        banner={"title": HOSTILE, "body": HOSTILE, "accept": HOSTILE, "reject": HOSTILE},
    )


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_nothing_from_a_policy_is_ever_markup(mode: str) -> None:
    """A policy's words are words: no tag, no attribute, no template, no second hole."""
    policy = hostile(mode)
    names = policy.optional_purposes
    answers = dict.fromkeys(names, Answer.UNDECIDED)
    pages = [
        ask(policy, names),
        ask(policy, names[-1:], state=State.CHANGED),
        ask(policy, (), state=State.SIGNAL, honoured=GPC),
        preferences(policy, answers, tokens=TOKENS),
        message_page(policy, "en", Page.UNKNOWN, **PLACE),
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


def test_every_class_that_is_printed_is_styled_or_said_to_be_the_sites() -> None:
    """The other way round too: the style sheet styles nothing that is never printed."""
    pages = [
        *(ask(policy_of(banner={"layout": one})) for one in ("top", "sticky", "bottom", "corner")),
        ask(policy_of(), (), state=State.SETTINGS),
        preferences(policy_of()),
        preferences(policy_of(), is_part=True),
        declaration_page(policy_of(), "en", **PLACE),
        settings_link(policy_of(), "en", path=PATH),
        *(placeholder(kind) for kind in ("video", "map", "social")),
    ]
    printed = {
        name
        for markup in pages
        for one in tree(markup).iter()
        for name in (one.get("class") or "").split()
    }
    styled = {*re.findall(r"\.(consentkit(?:-[a-z]+)?)\b", stylesheet().body.decode())}
    assert printed - styled == {"consentkit-top", "consentkit-link"}, "as the page lays them out"
    assert styled - printed == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("is_part", [False, True], ids=["page", "part"])
def test_where_nothing_is_optional_there_is_nothing_to_press(
    language: str, *, is_part: bool
) -> None:
    """A button that changes nothing deceives; an answer that nobody gave is none (R-03)."""
    page = preferences(asking_nothing(), language=language, is_part=is_part, tokens=TOKENS)
    asking = preferences(policy_of(), language=language, is_part=is_part, tokens=TOKENS)
    for tag in ("form", "button"):
        assert not [*tree(page).iter(tag)]
        assert [*tree(asking).iter(tag)]
    words = messages_for(language)
    assert words.now not in text_of(page)
    assert "A form." in text_of(page)
    assert (words.intro_nothing in text_of(page)) is not is_part


# the script, and what goes with it

SCRIPT: dict[str, Any] = {"script": "/consent/assets/consent.js", "told": '{"a": "<&\'>"}'}


def scripted(state: State = State.ASK, **values: Any) -> bytes:
    asked = PURPOSES if state in {State.ASK, State.CHANGED} else ()
    hole = banner_markup(policy_of(), "en", state, asked, **PLACE, **SCRIPT, **values)
    return hole.fill(b"/here", b"bm9u")


def section(markup: bytes) -> Any:
    body = tree(markup).find("body")
    assert body is not None
    return body[0]


@pytest.mark.parametrize("state", State)
def test_the_script_is_the_notices_last_child_in_every_state(state: State) -> None:
    """One element holds both: whoever moves or keeps the notice keeps the script."""
    notice = section(scripted(state))
    assert (notice.tag, notice.get("id")) == ("section", "consentkit")
    link, inner, status, script = notice
    assert (link.tag, inner.get("class"), status.get("role")) == (
        "link",
        "consentkit-inner",
        "status",
    )
    assert dict(script.items()) == {
        "id": "consentkit-script",
        "type": "module",
        "src": SCRIPT["script"],
        "nonce": "bm9u",
        "data-path": PATH,
        "data-state": SCRIPT["told"],
    }
    assert not script.text
    assert "hidden" not in notice.attrib or state is State.NOTHING


def test_where_nothing_is_shown_the_script_has_a_hidden_element() -> None:
    """A page with tags that wait needs the script, whether or not it needs a notice."""
    notice = section(scripted(State.NOTHING))
    assert "hidden" in notice.attrib
    assert not [*notice.iter("a")]
    said = section(scripted(State.NOTHING, answered="Saved: all is off."))
    assert "hidden" not in said.attrib, "an answer is announced"
    assert [one.text for one in said.iter("p")] == ["Saved: all is off."]


@pytest.mark.parametrize("state", [State.ASK, State.SETTINGS, State.NOTHING])
def test_a_shared_notice_is_hidden_and_has_a_way_without_script(state: State) -> None:
    """`pages: shared`: nobody knows yet whose it is; who has no script gets the settings."""
    markup = scripted(state, is_shared=True)
    notice = section(markup)
    assert "hidden" in notice.attrib
    [script] = notice.iter("script")
    assert script.get("data-shared") == ""
    assert markup.strip().endswith(b"</a></noscript>")
    assert b"<noscript>" not in scripted(state), "the control: it needs none"


@pytest.mark.parametrize("state", [State.ASK, State.CHANGED, State.SIGNAL, State.SETTINGS])
def test_without_the_script_there_is_no_trace_of_it(state: State) -> None:
    """Nothing is announced by an element that nobody fills."""
    markup = ask(policy_of(), PURPOSES[:2], state=state, honoured=GPC)
    assert markup.endswith(b"</section>")
    for trace in (b"<script", b'role="status"', b"hidden>", b"nonce"):
        assert trace not in markup


def test_a_notice_alone_is_a_document() -> None:
    """What the script in a page takes its new notice from."""
    page = notice_page(policy_of(), "de", scripted())
    root = tree(page)
    assert root.get("lang") == "de"
    body = root.find("body")
    assert body is not None
    assert [one.get("id") for one in body] == ["consentkit"]
    assert scripted() in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_status_says_what_the_answer_is(language: str) -> None:
    """The same words as in the preferences, after an answer and at any time."""
    words = messages_for(language)
    policy = policy_of(languages=[language])
    said = {
        is_saved: status_text(
            policy, language, dict.fromkeys(PURPOSES, Answer.REFUSED), (), is_saved=is_saved
        )
        for is_saved in (True, False)
    }
    assert said == {
        True: f"{words.saved} {words.all_off}",
        False: f"{words.now} {words.all_off}",
    }
    undecided = dict.fromkeys(PURPOSES, Answer.UNDECIDED)
    asked = status_text(policy, language, undecided, PURPOSES, is_saved=False)
    assert asked == f"{words.now} {words.not_answered}"
    # A single service was granted: nothing is to be said of purposes.
    assert status_text(policy, language, undecided, PURPOSES, is_saved=True) == ""


def test_where_nothing_is_asked_there_is_no_status() -> None:
    """No answer, so nothing to say of one."""
    assert status_text(asking_nothing(), "en", {}, (), is_saved=True) == ""
