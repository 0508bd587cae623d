"""The banner, and the quiet line that stands in its place: plain forms, no script needed.

It has never heard of HTTP: it is given answers as values and gives back ASCII markup.

The banner is the same for every visitor in one state, so it is rendered once, with a hole for the
page to come back to. Reject stands first and looks like accept (LAW R-12); the banner names who
answers for the site, each purpose, the number of third parties, and the right to withdraw (R-06).
The line that follows an answer takes it back with one press, as the banner gave it (R-13).

What it says must be true of every purpose it lists. Purposes that come to be allowed in different
ways are told group by group, each under its own lead; the texts of the policy's own `banner` stand
only where the whole question is asked in the ordinary way.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import Markup

from consentkit.notice.chapters import name_in_words, third_parties_of, way_of
from consentkit.notice.preferences import signal_text, standing_text
from consentkit.notice.scripts import NOTHING, Hole, cut
from consentkit.notice.templates import render
from consentkit.notice.text import Messages, Page, Way, Words, safe_href, said, words_for
from consentkit.rules.consent import Answer, key_of_service
from consentkit.rules.decision import DECISIONS
from consentkit.rules.policy import Basis, Policy
from consentkit.rules.signals import NO_SIGNALS, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consentkit.rules.policy import Text
    from consentkit.rules.visitor import Standing

__all__ = [
    "Hole",
    "Links",
    "Page",
    "Shown",
    "State",
    "banner_markup",
    "message_page",
    "notice_page",
    "settings_link",
    "shown_to",
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
    CHILDREN = "children"
    """A quiet line: on these pages nothing optional is on, whatever was answered (LAW R-11)."""
    DECLARATION = "declaration"
    """A quiet line with the link to the declaration, where nothing is optional."""
    NOTHING = "nothing"
    """No markup at all."""


_ASKING: Final = frozenset({State.ASK, State.CHANGED})
_TELLING: Final = frozenset({State.SETTINGS, State.SIGNAL})


class Links(NamedTuple):
    """Where a notice's links and forms lead.

    `path` is where the endpoints are (``/consent``), `stylesheet` and `script` are URLs (the latter
    empty for none), `root` is what stands before the site's own paths.
    """

    path: str
    stylesheet: str
    script: str = ""
    root: str = ""


class Shown(NamedTuple):
    """What a notice shows a visitor; equal ones make equal markup.

    `asked` are the open purposes. Of these `only_asked` stay off until the visitor says yes,
    whatever their basis. `known` are the purposes that were answered before, open or not, each with
    the revision of then, where anything is asked.
    `honoured` signals answer for some purpose, `allowed` purposes are on, `singles` are services
    that were granted by themselves. Who `has_granted` something may take it back, also while a
    signal outweighs it. Where nothing `is_enforced`, as in a soft launch, nothing is promised.
    """

    state: State
    asked: tuple[str, ...] = ()
    only_asked: frozenset[str] = frozenset()
    known: tuple[tuple[str, int], ...] = ()
    honoured: frozenset[Signal] = NO_SIGNALS
    allowed: tuple[str, ...] = ()
    singles: frozenset[str] = frozenset()
    has_answered: bool = False
    has_granted: bool = False
    is_enforced: bool = True

    @property
    def is_asking(self) -> bool:
        """True for a banner, False for a line or less."""
        return self.state in _ASKING


def shown_to(standing: Standing, *, is_enforced: bool = True) -> Shown:
    """What a visitor is shown."""
    policy, given = standing.policy, standing.consent.given
    asked = standing.open_purposes
    state = _state_of(standing, is_enforced=is_enforced)
    tells = state in _TELLING
    return Shown(
        state,
        asked,
        frozenset(name for name in asked if _waits_for_a_yes(standing, name)),
        tuple(
            (name, given[name].revision) for name in standing.purposes if asked and name in given
        ),
        standing.honoured if is_enforced else NO_SIGNALS,
        tuple(
            name
            for name, answer in standing.purposes.items()
            if DECISIONS[policy.basis_of(name)][answer]
        ),
        standing.single_services,
        tells and bool(given),
        tells and any(one.granted and _is_of_now(policy, key) for key, one in given.items()),
        is_enforced,
    )


def _is_of_now(policy: Policy, key: str) -> bool:
    """False for a purpose or service that the policy does not have any more."""
    return key in {*policy.optional_purposes, *map(key_of_service, policy.services)}


def _state_of(standing: Standing, *, is_enforced: bool) -> State:
    policy = standing.policy
    if not policy.optional_purposes:
        return State.DECLARATION if policy.settings_link == "always" else State.NOTHING
    if standing.for_children and is_enforced:
        return State.CHILDREN
    if asked := standing.open_purposes:
        others = {*standing.consent.given} & {*policy.optional_purposes} - {*asked}
        return State.CHANGED if others else State.ASK
    # A status, not a link: it is shown also where the site links to the preferences itself.
    if standing.honoured and is_enforced:
        return State.SIGNAL
    return State.NOTHING if policy.settings_link == "manual" else State.SETTINGS


def _waits_for_a_yes(standing: Standing, purpose: str) -> bool:
    """True of an open purpose that is off until the visitor says yes, whatever its basis.

    So it is where an earlier answer refuses, has lapsed under implied consent, or came in a
    token that does not verify: *going on means yes* would be untrue of it.
    """
    if standing.purposes[purpose] is Answer.REFUSED:
        return True
    basis = standing.policy.basis_of(purpose)
    return basis is Basis.IMPLIED and purpose in standing.consent.given


class _Group(NamedTuple):
    """What one lead is true of: purposes by their titles, or what is new about them."""

    lead: str
    items: tuple[str, ...]


class _Question:
    """What a banner asks, in one language."""

    def __init__(self, policy: Policy, language: str, shown: Shown) -> None:
        self.policy = policy
        self.language = language
        self.words = words_for(policy, language)
        self.is_changed = shown.state is State.CHANGED
        self.purposes = shown.asked
        self.is_whole = {*shown.asked} == {*policy.optional_purposes}
        self.news = _news(self, shown)
        # The site's own words are about the ordinary case: all is open, and nothing was answered.
        self.takes_own_words = self.is_whole and not shown.only_asked and not self.news
        self.ways = {
            purpose: Way.CONSENT if purpose in shown.only_asked else way_of(policy, purpose)
            for purpose in shown.asked
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
        if self.news:
            return self.words.news_title
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
            return [_Group(body, self.items(self.purposes))]
        return [
            _Group(self.words_of(way).lead, self.items(purposes))
            for way in Way
            if (purposes := [name for name in self.purposes if self.ways[name] is way])
        ]

    def items(self, purposes: Iterable[str]) -> tuple[str, ...]:
        """What is listed of purposes: what is new about each, else its title."""
        return tuple(self.news.get(name) or self.titled(name) for name in purposes)

    def close(self) -> str:
        """What comes of the answer, and that it can be withdrawn."""
        way = self.only_way()
        if way is None or not self.is_whole or self.own(self.policy.banner.body):
            return self.words.mixed_close
        return self.words_of(way).close

    def titled(self, purpose: str) -> str:
        return self.say(self.policy.purposes[purpose].title)

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


def _news(question: _Question, shown: Shown) -> dict[str, str]:
    """What came or changed since the visitor answered, by purpose (LAW R-08).

    Empty where nothing did, or where the policy does not say what: then it asks about everything.
    A purpose that was there at the visitor's first answer, and was not answered, is no news.
    """
    policy, words = question.policy, question.words
    known = dict(shown.known)
    if policy.has_unmarked_changes or not known:
        return {}
    first = min(known.values())
    news: dict[str, str] = {}
    for name in shown.asked:
        title, then = question.titled(name), known.get(name)
        if then is None:
            if policy.purposes[name].since > first:
                news[name] = words.new_purpose.format(purpose=title)
        elif policy.purposes[name].since > then:
            news[name] = words.changed_purpose.format(purpose=title)
        elif names := _items_since(question, name, then):
            news[name] = words.changed_items.format(purpose=title, names=words.comma.join(names))
    return news


def _items_since(question: _Question, purpose: str, revision: int) -> list[str]:
    """The names of what stands under a purpose and came or changed after a revision."""
    names = [
        question.say(getattr(item, "title", None) or name_in_words(name))
        for _, name, item in question.policy.items()
        if purpose in item.purpose and item.since > revision
    ]
    # Isolated, since a cookie's name reads from left to right in any sentence (UAX #9).
    return [f"\u2068{name}\u2069" for name in names]


def banner_markup(  # noqa: PLR0913  # each is named where it is given
    policy: Policy,
    language: str,
    shown: Shown,
    links: Links,
    *,
    told: str = "",
    answered: str = "",
    is_shared: bool = False,
    is_policed: bool = False,
) -> Hole:
    """What is inserted into a page: one element, to stand first in its body.

    Where less than everything is asked, the form names its purposes, and the answer concerns those
    only. `told` is what the script is told (`scripts.state_json`): with a script there is an
    element in any state, if need be a hidden one. `answered` is the status after an answer
    (`preferences.status_text`). A notice that `is_shared` stands in a page that a cache keeps for
    everybody: it is hidden until the script has asked whose it is. One that `is_policed` came with
    a Content-Security-Policy for what is allowed now, so what is granted later loads with the page
    anew.
    """
    if shown.state is State.NOTHING and not links.script:
        return NOTHING
    is_heard = shown.is_asking or shown.state is State.SIGNAL
    place: dict[str, object] = {
        **links._asdict(),
        "state": told,
        "answered": answered if shown.is_enforced and shown.state is not State.CHILDREN else "",
        "is_shared": is_shared,
        "is_for_children": shown.state is State.CHILDREN,
        "is_policed": is_policed,
        "signal": signal_text(words_for(policy, language), shown.honoured) if is_heard else "",
        "table": _link_to_policy(policy, links.root) or f"{links.path}/cookies",
    }
    if shown.is_asking:
        place["is_sharing"] = _is_sharing(policy, language)
        return cut(_question_markup(_Question(policy, language, shown), **place))
    place["is_hidden"] = is_shared or (shown.state is State.NOTHING and not answered)
    return cut(_line_markup(policy, language, shown, place))


def _link_to_policy(policy: Policy, root: str) -> str:
    href = safe_href(policy.site.policy)
    return root + href if href.startswith("/") else href


def _line_markup(policy: Policy, language: str, shown: Shown, values: dict[str, object]) -> bytes:
    words = words_for(policy, language)
    said_there = {
        State.CHILDREN: words.for_children,
        State.DECLARATION: words.nothing_optional,
    }
    answers = shown.state in _TELLING
    return render(
        policy,
        "line.html",
        language,
        said=said_there.get(shown.state, ""),
        links_to_preferences=answers or shown.state is State.CHILDREN,
        links_to_table=shown.state is State.DECLARATION,
        withdraw=_withdraw_label(policy, words, shown) if answers else "",
        is_sharing=answers and _is_sharing(policy, language),
        saved=_saved(policy, language, shown) if answers else "",
        **values,
    )


def _saved(policy: Policy, language: str, shown: Shown) -> str:
    """What was saved, for who has answered; empty where that holds nothing back."""
    if not (shown.has_answered and shown.is_enforced):
        return ""
    return standing_text(policy, language, shown.allowed, shown.singles)


def _withdraw_label(policy: Policy, words: Messages, shown: Shown) -> str:
    """The label of the button that takes everything back; empty where there is nothing."""
    if not (shown.allowed or shown.singles or shown.has_granted):
        return ""
    ways = {way_of(policy, name) for name in shown.allowed}
    return words.opt_out if ways == {Way.OPT_OUT} else words.withdraw


def _question_markup(question: _Question, **values: object) -> bytes:
    policy, language = question.policy, question.language
    reject, accept = question.buttons()
    others = len(third_parties_of(policy, question.purposes, language))
    return render(
        policy,
        "banner.html",
        language,
        layout=question.layout(),
        title=question.title(),
        before=question.words.changed_lead if question.is_changed else "",
        groups=question.groups(),
        close=question.close(),
        controller=policy.site.controller,
        third_parties=others,
        only=() if question.is_whole else question.purposes,
        reject=reject,
        accept=accept,
        **values,
    )


def _is_sharing(policy: Policy, language: str) -> bool:
    # The statutory second link belongs to whoever shares until told not to (CCPA 1798.135).
    purposes = [name for name in policy.purposes if way_of(policy, name) is Way.OPT_OUT]
    return bool(third_parties_of(policy, purposes, language))


def settings_link(policy: Policy, language: str, *, path: str) -> bytes:
    """The link to the preferences, to stand where the site wants it (LAW R-15).

    It wears the class ``consentkit-link`` and otherwise looks like the site's own links.
    """
    is_sharing = _is_sharing(policy, language)
    return render(policy, "link.html", language, path=path, is_sharing=is_sharing)


def notice_page(policy: Policy, language: str, notice: bytes) -> bytes:
    """A document that holds a notice alone, for the script in a page to take it from."""
    markup = Markup(notice.decode("ascii"))  # noqa: S704 - our own, rendered a moment ago
    return render(policy, "notice.html", language, site=policy.site, notice=markup)


def message_page(
    policy: Policy, language: str, page: Page, *, path: str, stylesheets: Sequence[str]
) -> bytes:
    """A page that says why an answer was not taken, with a link to the preferences."""
    return render(
        policy,
        "message.html",
        language,
        site=policy.site,
        said=words_for(policy, language).pages[page],
        path=path,
        stylesheets=stylesheets,
        next="/",
    )
