"""The banner, the preferences, and the pages that explain: plain forms, no script needed.

It has never heard of HTTP: it is given answers as values and gives back ASCII markup.

The banner is the same for every visitor in one state, so it is rendered once, with a hole for the
page to come back to. Reject stands first and looks like accept (LAW R-12); the banner names who
answers for the site, each purpose, the number of third parties, and the right to withdraw (R-06).

What it says must be true of every purpose it lists. Purposes that come to be allowed in different
ways are told group by group, each under its own lead; the texts of the policy's own `banner` stand
only where the whole question is asked in the ordinary way.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import Markup

from consentkit.notice.scripts import NOTHING, Hole, cut
from consentkit.notice.text import (
    Messages,
    Page,
    Way,
    Words,
    chapters_of,
    messages_for,
    render,
    safe_href,
    said,
    third_parties_of,
    way_of,
)
from consentkit.rules.consent import Answer
from consentkit.rules.decision import DECISIONS
from consentkit.rules.policy import Basis, Policy
from consentkit.rules.signals import NO_SIGNALS, Signal

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from consentkit.rules.policy import Text

__all__ = [
    "Hole",
    "Page",
    "State",
    "banner_markup",
    "message_page",
    "notice_page",
    "permission_only",
    "preferences_page",
    "settings_link",
    "state_of",
    "status_text",
]


class State(StrEnum):
    """What stands in the banner's place."""

    ASK = "ask"
    """The question."""
    CHANGED = "changed"
    """The question about some purposes; answers to others stay as they are."""
    SIGNAL = "signal"
    """A quiet line: a signal answered (LAW R-39, R-40)."""
    SETTINGS = "settings"
    """A quiet line with the link to the preferences (LAW R-15)."""
    NOTHING = "nothing"
    """No markup at all."""


def state_of(
    policy: Policy,
    open_purposes: Sequence[str],
    given_purposes: Iterable[str],
    honoured: frozenset[Signal],
) -> State:
    """What to show a visitor.

    `open_purposes` are to be asked about, `given_purposes` have an explicit answer, `honoured`
    signals answer for some purpose. A signal's status is shown also where the site links to the
    preferences itself (`settings-link: manual`): it is a status, not a link.
    """
    if open_purposes:
        standing = {*given_purposes} & {*policy.optional_purposes} - {*open_purposes}
        return State.CHANGED if standing else State.ASK
    if honoured and policy.optional_purposes:
        return State.SIGNAL
    links = policy.optional_purposes and policy.settings_link == "auto"
    return State.SETTINGS if links else State.NOTHING


def permission_only(
    policy: Policy,
    open_purposes: Iterable[str],
    answers: Mapping[str, Answer],
    given_purposes: Container[str],
) -> frozenset[str]:
    """The open purposes that stay off until the visitor says yes, whatever their basis.

    So it is where an earlier answer refuses, has lapsed under implied consent, or came in a
    token that does not verify: *going on means yes* would be untrue of them.
    """
    return frozenset(
        purpose
        for purpose in open_purposes
        if answers[purpose] is Answer.REFUSED
        or (policy.basis_of(purpose) is Basis.IMPLIED and purpose in given_purposes)
    )


class _Group(NamedTuple):
    """Purposes of which one lead is true."""

    lead: str
    purposes: tuple[str, ...]


class _Question:
    """What a banner asks, in one language."""

    def __init__(
        self,
        policy: Policy,
        language: str,
        state: State,
        open_purposes: tuple[str, ...],
        only_asked: frozenset[str],
    ) -> None:
        self.policy = policy
        self.language = language
        self.words = messages_for(language)
        self.is_changed = state is State.CHANGED
        self.purposes = open_purposes
        self.is_whole = {*open_purposes} == {*policy.optional_purposes}
        # The site's own words are about the ordinary case: all is open, and nothing was answered.
        self.takes_own_words = self.is_whole and not only_asked
        self.ways = {
            purpose: Way.CONSENT if purpose in only_asked else way_of(policy, purpose)
            for purpose in open_purposes
        }

    def words_of(self, way: Way) -> Words:
        """The shipped words for one way; opt-out has others where third parties get data."""
        purposes = [purpose for purpose in self.purposes if self.ways[purpose] is way]
        shares = way is Way.OPT_OUT and third_parties_of(self.policy, purposes, self.language)
        return self.words.sharing if shares else self.words.asks[way]

    def title(self) -> str:
        """What is true of all that is asked."""
        if own := self.own(self.policy.banner.title):
            return own
        if self.is_changed:
            return self.words.changed_title
        way = self.only_way()
        return self.words_of(way).title if way else self.words.mixed_title

    def only_way(self) -> Way | None:
        """The way of all the purposes, if there is but one."""
        ways = {*self.ways.values()}
        return ways.pop() if len(ways) == 1 else None

    def groups(self) -> list[_Group]:
        """The purposes under their leads, in the order of `Way`; one list under the site's own."""
        if body := self.own(self.policy.banner.body):
            return [_Group(body, self.titles(self.purposes))]
        return [
            _Group(self.words_of(way).lead, self.titles(purposes))
            for way in Way
            if (purposes := [name for name in self.purposes if self.ways[name] is way])
        ]

    def close(self) -> str:
        """What comes of the answer, and that it can be withdrawn."""
        way = self.only_way()
        if way is None or not self.is_whole or self.own(self.policy.banner.body):
            return self.words.mixed_close
        return self.words_of(way).close

    def titles(self, purposes: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.say(self.policy.purposes[name].title) for name in purposes)

    def buttons(self) -> tuple[str, str]:
        """The labels of refusal and grant, in this order."""
        if not self.is_whole:
            return self.words.reject, self.words.accept
        banner, words = self.policy.banner, self.words
        opting_out = self.only_way() is Way.OPT_OUT
        reject = words.opt_out if opting_out else words.reject_all
        accept = words.allow if opting_out else words.accept_all
        return self.own(banner.reject) or reject, self.own(banner.accept) or accept

    def layout(self) -> str:
        """Where it stands: a notice whose silence counts must stay in sight."""
        counts = {Way.IMPLIED, Way.AT_ONCE} & {*self.ways.values()}
        return self.policy.banner.layout or ("bottom" if counts else "top")

    def own(self, text: Text | None) -> str:
        return self.say(text) if text and self.takes_own_words else ""

    def say(self, text: Text) -> str:
        return said(text, self.language, self.policy.languages)


_ASKING: Final = frozenset({State.ASK, State.CHANGED})
_SAYING: Final = _ASKING | {State.SIGNAL}


def banner_markup(  # noqa: PLR0913  # each is named where it is given
    policy: Policy,
    language: str,
    state: State,
    open_purposes: tuple[str, ...],
    *,
    path: str,
    stylesheet: str,
    root: str = "",
    only_asked: frozenset[str] = frozenset(),
    honoured: frozenset[Signal] = NO_SIGNALS,
    script: str = "",
    told: str = "",
    answered: str = "",
    is_shared: bool = False,
    is_policed: bool = False,
) -> Hole:
    """What is inserted into a page: one element, to stand first in its body.

    `path` is where the endpoints are (``/consent``), `stylesheet` the URL of the style sheet,
    `root` what stands before the site's own paths; `only_asked` see `permission_only`. Where less
    than everything is asked, the form names its purposes, and the answer concerns those only.

    `script` is the URL of the script that improves it, and `told` what that is told
    (`scripts.state_json`): with it there is an element in any state, if need be a hidden one.
    `answered` is the status after an answer (`status_text`). A notice that `is_shared` stands in a
    page that a cache keeps for everybody: it is hidden until the script has asked whose it is. One
    that `is_policed` came with a Content-Security-Policy for what is allowed now, so what is
    granted later loads with the page anew.
    """
    if state is State.NOTHING and not script:
        return NOTHING
    heard = honoured if state in _SAYING else NO_SIGNALS
    place: dict[str, object] = {
        "path": path,
        "stylesheet": stylesheet,
        "script": script,
        "state": told,
        "answered": answered,
        "is_shared": is_shared,
        "is_policed": is_policed,
        "signal": _signal_text(messages_for(language), heard),
    }
    if state not in _ASKING:
        place["is_hidden"] = is_shared or (state is State.NOTHING and not answered)
        return cut(_line_markup(policy, language, state, place))
    question = _Question(policy, language, state, open_purposes, only_asked)
    table = _link_to_policy(policy, root) or f"{path}/cookies"
    return cut(_question_markup(question, table=table, **place))


def _link_to_policy(policy: Policy, root: str) -> str:
    href = safe_href(policy.site.policy)
    return root + href if href.startswith("/") else href


def _line_markup(policy: Policy, language: str, state: State, values: dict[str, object]) -> bytes:
    is_empty = state is State.NOTHING
    is_sharing = not is_empty and _is_sharing(policy, language)
    return render("line.html", language, is_empty=is_empty, is_sharing=is_sharing, **values)


def _question_markup(question: _Question, **values: object) -> bytes:
    policy, language = question.policy, question.language
    reject, accept = question.buttons()
    return render(
        "banner.html",
        language,
        layout=question.layout(),
        title=question.title(),
        before=question.words.changed_lead if question.is_changed else "",
        groups=question.groups(),
        close=question.close(),
        controller=policy.site.controller,
        third_parties=len(third_parties_of(policy, question.purposes, language)),
        only=() if question.is_whole else question.purposes,
        reject=reject,
        accept=accept,
        **values,
    )


def _signal_text(words: Messages, honoured: frozenset[Signal]) -> str:
    if not honoured:
        return ""
    names = words.both.join(words.signals[signal] for signal in Signal if signal in honoured)
    return words.signal_body.format(signals=names)


def _is_sharing(policy: Policy, language: str) -> bool:
    # The statutory second link belongs to whoever shares until told not to (CCPA 1798.135).
    purposes = [name for name in policy.purposes if way_of(policy, name) is Way.OPT_OUT]
    return bool(third_parties_of(policy, purposes, language))


def settings_link(policy: Policy, language: str, *, path: str) -> bytes:
    """The link to the preferences, to stand where the site wants it (LAW R-15).

    It wears the class ``consentkit-link`` and otherwise looks like the site's own links.
    """
    return render("link.html", language, path=path, is_sharing=_is_sharing(policy, language))


class _Switch(NamedTuple):
    """A purpose's switch: whether it is on, and why if nobody turned it on."""

    is_on: bool
    note: str


def preferences_page(  # noqa: PLR0913  # a visitor's standing, and where the page stands
    policy: Policy,
    language: str,
    answers: Mapping[str, Answer],
    open_purposes: Sequence[str],
    honoured: frozenset[Signal],
    *,
    path: str,
    stylesheet: str,
    next_path: str,
    tokens: Sequence[str] = (),
    is_saved: bool = False,
    is_part: bool = False,
) -> bytes:
    """The second layer, with the answers in effect preselected (LAW R-03, R-15).

    `answers` holds one for each optional purpose; `next_path` is where a saved answer leads, a
    path on this site, else the site's start; `tokens` as in `text.token_cookies`; `is_part` gives
    one element for a page of the site's own instead of a page. *Save* is the first submit button,
    so Enter never accepts.
    """
    words = messages_for(language)
    chapters = chapters_of(policy, language, tokens)
    switches = {
        name: _switch(policy, name, answers[name], words) for name in policy.optional_purposes
    }
    return render(
        "preferences_part.html" if is_part else "preferences.html",
        language,
        site=policy.site,
        intro=_intro(policy, words),
        chapters=[(chapter, switches.get(chapter.purpose)) for chapter in chapters],
        status=_status(policy, language, switches, open_purposes) if switches else "",
        signal=_signal_text(words, honoured),
        signals_win=policy.signals_win,
        path=path,
        stylesheet=stylesheet,
        next=_local(next_path),
        is_saved=is_saved,
    )


def _intro(policy: Policy, words: Messages) -> str:
    ways = {way_of(policy, name) for name in policy.optional_purposes}
    if not ways:
        return words.intro_nothing
    return words.intro_asked if ways <= {Way.CONSENT} else words.intro


def _switch(policy: Policy, purpose: str, answer: Answer, words: Messages) -> _Switch:
    is_on = DECISIONS[policy.basis_of(purpose)][answer]
    unasked = is_on and answer is not Answer.GRANTED
    return _Switch(is_on, words.notes[way_of(policy, purpose)] if unasked else "")


def _status(
    policy: Policy,
    language: str,
    switches: Mapping[str, _Switch],
    open_purposes: Sequence[str],
) -> str:
    """The present answer in words."""
    words = messages_for(language)
    if {*open_purposes} == {*switches} and switches:
        return words.not_answered
    on = [
        said(policy.purposes[name].title, language, policy.languages)
        for name, own in switches.items()
        if own.is_on
    ]
    if len(on) == len(switches):
        return words.all_on
    return words.some_on.format(purposes=", ".join(on)) if on else words.all_off


def status_text(
    policy: Policy,
    language: str,
    answers: Mapping[str, Answer],
    open_purposes: Sequence[str],
    *,
    is_saved: bool,
) -> str:
    """The present answer in one line, as in the preferences; empty where there is none to tell.

    So it is where nothing is asked, and where what `is_saved` was no answer to a purpose.
    """
    words = messages_for(language)
    switches = {
        name: _switch(policy, name, answers[name], words) for name in policy.optional_purposes
    }
    if not switches or (is_saved and {*open_purposes} == {*switches}):
        return ""
    lead = words.saved if is_saved else words.now
    return f"{lead} {_status(policy, language, switches, open_purposes)}"


def notice_page(policy: Policy, language: str, notice: bytes) -> bytes:
    """A document that holds a notice alone, for the script in a page to take it from."""
    markup = Markup(notice.decode("ascii"))  # noqa: S704 - our own, rendered a moment ago
    return render("notice.html", language, site=policy.site, notice=markup)


_LOCAL: Final = re.compile(r"/(?![/\\])[!-~]*")


def _local(path: str) -> str:
    """A path on this site as it is, and the site's start for anything else."""
    return path if _LOCAL.fullmatch(path) else "/"


def message_page(policy: Policy, language: str, page: Page, *, path: str, stylesheet: str) -> bytes:
    """A page that says why an answer was not taken, with a link to the preferences."""
    return render(
        "message.html",
        language,
        site=policy.site,
        said=messages_for(language).pages[page],
        path=path,
        stylesheet=stylesheet,
        next="/",
    )
