"""A site's own templates, held to what a notice has to have, when the site starts.

It has never heard of a request: it shows every template to nobody, and looks at what comes out.

A site may change how the notice looks and what it says. It may not make a refusal harder than a
grant (LAW R-12), nor lose what an answer needs to arrive as it was meant: the form, its hidden
fields, the link to the preferences, a switch for each purpose, *save* before anything that grants,
and the button that takes everything back (R-13).
"""

from __future__ import annotations

from functools import partial
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jinja2 import TemplateSyntaxError

from consentkit.errors import TemplateError
from consentkit.notice.banner import (
    Links,
    Page,
    Shown,
    State,
    banner_markup,
    message_page,
    notice_page,
    settings_link,
)
from consentkit.notice.declaration import declaration_page, declaration_table
from consentkit.notice.embeds import placeholder_document
from consentkit.notice.plurals import plural_of
from consentkit.notice.preferences import Frame, preferences_markup
from consentkit.notice.receipt import receipt_page
from consentkit.notice.text import said, words_for
from consentkit.rules.consent import NOBODY_YET, Answer
from consentkit.rules.decision import DECISIONS
from consentkit.rules.signals import NO_SIGNALS
from consentkit.rules.visitor import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consentkit.rules.policy import Policy

__all__ = ["check_templates", "check_words"]

_PATH: Final = "/consent"
_LINKS: Final = Links(_PATH, f"{_PATH}/consent.css", f"{_PATH}/consent.js")
_SOME_NUMBERS: Final = 200
"""Whole numbers among which every form of every language turns up."""
_EXTEND: Final = 'Begin with {{% extends "consentkit/{0}" %}} and leave its form as it is.'


class _Button(NamedTuple):
    """A submit button: what it answers, and everything else about it."""

    choice: str | None
    others: frozenset[tuple[str, str | None]]


def check_templates(policy: Policy) -> None:
    """Raises TemplateError for a site's own template that cannot stand."""
    if policy.templates is None or not policy.optional_purposes:
        return
    for language in policy.languages:
        for template, fault in _faults(policy, language):
            raise TemplateError(template, fault, _EXTEND.format(template))


def check_words(policy: Policy) -> None:
    """Raises TemplateError for words of a site's own that say what is not so.

    A no and a yes must not read alike (R-12), and a form of a duration that stands for several
    numbers must say which. Where the other one is ours the policy's own checks cannot know it.
    """
    own = policy.texts or policy.banner.accept or policy.banner.reject
    for language in policy.languages if own else ():
        for fault in (*_alike(policy, language), *_without_number(policy, language)):
            raise TemplateError("banner.html", f"in '{language}' {fault}", "Say it otherwise.")


def _alike(policy: Policy, language: str) -> Iterator[str]:
    words, banner = words_for(policy, language), policy.banner
    reject = said(banner.reject or "", language, policy.languages) or words.reject_all
    accept = said(banner.accept or "", language, policy.languages) or words.accept_all
    pairs = (
        *((reject, accept), (words.reject_all, words.accept_all)),
        *((words.reject, words.accept), (words.opt_out, words.allow)),
    )
    for no, yes in pairs:
        if no.strip().casefold() == yes.strip().casefold():
            yield f"its refusal and its grant both say '{no}'"


def _without_number(policy: Policy, language: str) -> Iterator[str]:
    for key, text in policy.texts.get(language, {}).items():
        form = key.rpartition(".")[2]
        if key.startswith("durations.") and "{count}" not in text:
            numbers = [n for n in range(_SOME_NUMBERS) if plural_of(language, n) == form]
            if len(numbers) > 1:
                yield f"'{key}' stands for {numbers[0]} and {numbers[1]}, and has no {{count}}"


def _faults(policy: Policy, language: str) -> Iterator[tuple[str, str]]:
    asked = policy.optional_purposes
    standing = Standing(policy, NOBODY_YET, NO_SIGNALS, 0)
    for shown in (Shown(State.ASK, asked), Shown(State.CHANGED, asked[:1])):
        page = _read("banner.html", partial(_notice, policy, language, shown))
        named = () if shown.asked == asked else shown.asked
        question = _of_the_question(page, policy, language, shown.asked)
        answers = _of_the_answers(page, "reject-all", named)
        for fault in (*_of_a_notice(page), *answers, *_of_the_forms(page), *question):
            yield "banner.html", fault
    page = _read(
        "line.html", partial(_notice, policy, language, Shown(State.SETTINGS, allowed=asked))
    )
    for fault in (*_of_a_notice(page), *_of_the_way_back(page), *_of_the_forms(page)):
        yield "line.html", fault
    for frame in Frame:
        page = _read(frame.value, partial(_preferences, standing, language, frame))
        switches = _of_the_switches(page, policy)
        for fault in (*_of_the_answers(page, "save"), *_of_the_forms(page), *switches):
            yield frame.value, fault
    for template, make in _others(policy, language, standing):
        _read(template, make)


def _others(
    policy: Policy, language: str, standing: Standing
) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """All else that is shown to visitors: it need only be one that can be filled in."""
    place: dict[str, Any] = {"path": _PATH, "stylesheets": ()}
    embed: dict[str, Any] = {"path": _PATH, "stylesheet": "", "next_path": b"/next"}
    yield "declaration.html", partial(declaration_page, policy, language, **place)
    yield "declaration_part.html", partial(declaration_table, policy, language)
    yield "receipt.html", partial(receipt_page, language, standing, next_path="/next", **place)
    yield "message.html", partial(message_page, policy, language, Page.UNKNOWN, **place)
    yield "link.html", partial(settings_link, policy, language, path=_PATH)
    yield "notice.html", partial(notice_page, policy, language, b"")
    yield "embed.html", partial(placeholder_document, policy, None, language, **embed)


def _notice(policy: Policy, language: str, shown: Shown) -> bytes:
    return banner_markup(policy, language, shown, _LINKS).fill(b"/next")


def _preferences(standing: Standing, language: str, frame: Frame) -> bytes:
    return preferences_markup(
        language, standing, frame, path=_PATH, stylesheets=(), next_path="/next"
    )


def _of_a_notice(page: _Page) -> Iterator[str]:
    if "consentkit" not in page.ids:
        yield "nothing in it has the id 'consentkit'"
    if _PATH not in page.links:
        yield "it has no link to the preferences"


def _of_the_way_back(page: _Page) -> Iterator[str]:
    if "withdraw" not in {button.choice for button in page.buttons} or "next" not in page.fields:
        yield "it needs a form with a field 'next' and a button with choice=withdraw (R-13)"


def _of_the_forms(page: _Page) -> Iterator[str]:
    if page.actions - {_PATH}:
        yield "it has a form that leads elsewhere"
    if "choice" in page.fields:
        yield "a field 'choice' that is no button answers before the button does"


def _of_the_question(
    page: _Page, policy: Policy, language: str, asked: tuple[str, ...]
) -> Iterator[str]:
    """What a visitor has to be told before they can answer (R-06)."""
    words = " ".join("".join(page.words).split())
    for title in (policy.purposes[name].title for name in asked):
        text = " ".join(said(title, language, policy.languages).split())
        if text not in words:
            yield f"it does not name the purpose '{text}' (R-06)"


def _of_the_switches(page: _Page, policy: Policy) -> Iterator[str]:
    for name in policy.optional_purposes:
        if name not in page.switches:
            yield f"it has no switch for purpose '{name}'"
        elif page.switches[name] and not DECISIONS[policy.basis_of(name)][Answer.UNDECIDED]:
            yield f"its switch for purpose '{name}' is on before anybody answered (R-03)"
    if "whole" not in page.fields:
        yield "its form has no field 'whole', so a refusal of all would be one of what is on"


def _of_the_answers(page: _Page, first: str, named: tuple[str, ...] = ()) -> Iterator[str]:
    choices = [button.choice for button in page.buttons if button.choice]
    if choices.count("reject-all") != 1 or choices.count("accept-all") != 1:
        yield "it needs one button with choice=reject-all and one with choice=accept-all"
    elif choices[0] != first:
        yield f"its first button is not choice={first}"
    else:
        others = {one.others for one in page.buttons if one.choice in {"reject-all", "accept-all"}}
        if len(others) > 1:
            yield "its refusal and its grant differ: both need the same attributes (R-12)"
    if "next" not in page.fields:
        yield "its form has no field 'next'"
    if not page.named >= {*named}:
        yield "its form does not name the purposes it asks about, so an answer would be to all"


def _read(template: str, make: Callable[[], bytes]) -> _Page:
    page = _Page()
    try:
        page.feed(make().decode("ascii"))
    except Exception as error:  # a template may do whatever Python can
        line = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
        what = f"it cannot be filled in{line}: {str(error) or type(error).__name__}"
        raise TemplateError(template, what, _EXTEND.format(template)) from error
    return page


class _Page(HTMLParser):
    """What stands in a document, as far as an answer needs it."""

    def __init__(self) -> None:
        super().__init__()
        self.buttons: list[_Button] = []
        self.fields: set[str] = set()
        self.named: set[str] = set()
        self.switches: dict[str, bool] = {}
        self.actions: set[str] = set()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        self.ids.add(has.get("id") or "")
        if tag == "a":
            self.links.add(has.get("href") or "")
        elif tag == "form" and has.get("method") != "dialog":
            self.actions.add(has.get("action") or "")
        elif tag == "button":
            choice = has.pop("value", None) if has.get("name") == "choice" else None
            self.buttons.append(_Button(choice, frozenset(has.items())))
        elif tag == "input":
            self._note_field(has)

    def _note_field(self, has: dict[str, str | None]) -> None:
        name, value = has.get("name") or "", has.get("value") or ""
        self.fields.add(name)
        if name == "purpose" and has.get("type") == "checkbox":
            self.switches[value] = "checked" in has
        elif name == "purpose":
            self.named.add(value)
