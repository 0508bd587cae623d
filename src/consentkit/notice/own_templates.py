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

from jinja2 import TemplateError as JinjaError
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
from consentkit.notice.preferences import Frame, preferences_markup
from consentkit.notice.receipt import receipt_page
from consentkit.rules.consent import NOBODY_YET
from consentkit.rules.signals import NO_SIGNALS
from consentkit.rules.visitor import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consentkit.rules.policy import Policy

__all__ = ["check_templates"]

_PATH: Final = "/consent"
_LINKS: Final = Links(_PATH, f"{_PATH}/consent.css", f"{_PATH}/consent.js")
_EXTEND: Final = 'Begin with {{% extends "consentkit/{0}" %}} and leave its form as it is.'


class _Button(NamedTuple):
    """A submit button: what it answers, and everything else about it."""

    choice: str | None
    others: frozenset[tuple[str, str | None]]


def check_templates(policy: Policy) -> None:
    """Raises TemplateError for a site's own template that cannot stand."""
    if policy.templates is None or not policy.optional_purposes:
        return
    for template, fault in _faults(policy):
        raise TemplateError(template, fault, _EXTEND.format(template))


def _faults(policy: Policy) -> Iterator[tuple[str, str]]:
    language, asked = policy.languages[0], policy.optional_purposes
    standing = Standing(policy, NOBODY_YET, NO_SIGNALS, 0)
    for shown in (Shown(State.ASK, asked), Shown(State.CHANGED, asked[:1])):
        page = _read("banner.html", partial(_notice, policy, language, shown))
        named = () if shown.asked == asked else shown.asked
        for fault in (*_of_a_notice(page), *_of_the_answers(page, "reject-all", named)):
            yield "banner.html", fault
    page = _read(
        "line.html", partial(_notice, policy, language, Shown(State.SETTINGS, allowed=asked))
    )
    yield from (("line.html", fault) for fault in (*_of_a_notice(page), *_of_the_way_back(page)))
    for frame in Frame:
        page = _read(frame.value, partial(_preferences, standing, language, frame))
        yield from ((frame.value, fault) for fault in _of_the_answers(page, "save"))
        yield from ((frame.value, fault) for fault in _of_the_switches(page, asked))
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


def _of_the_switches(page: _Page, asked: tuple[str, ...]) -> Iterator[str]:
    missing = (name for name in asked if name not in page.purposes)
    yield from (f"it has no switch for purpose '{name}'" for name in missing)
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
    except JinjaError as error:
        line = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
        what = f"it cannot be filled in{line}: {error.message or type(error).__name__}"
        raise TemplateError(template, what, _EXTEND.format(template)) from error
    return page


class _Page(HTMLParser):
    """What stands in a document, as far as an answer needs it."""

    def __init__(self) -> None:
        super().__init__()
        self.buttons: list[_Button] = []
        self.fields: set[str] = set()
        self.purposes: set[str] = set()
        self.named: set[str] = set()
        self.links: set[str] = set()
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        self.ids.add(has.get("id") or "")
        self.links.add((tag == "a" and has.get("href")) or "")
        if tag == "button":
            choice = has.pop("value", None) if has.get("name") == "choice" else None
            self.buttons.append(_Button(choice, frozenset(has.items())))
        if tag == "input":
            self.fields.add(has.get("name") or "")
            if has.get("name") == "purpose":
                found = self.purposes if has.get("type") == "checkbox" else self.named
                found.add(has.get("value") or "")
