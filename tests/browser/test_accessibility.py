"""Everybody can read the notice and answer it: WCAG 2.2 AA, measured in a browser (R-95 to R-100).

Each state of the notice, each page of ours and each thing that stands in a site's page is looked at
by axe, in both directions, light and dark, on a telephone and on a desk. What axe does not see is
measured by itself: the keyboard, what Chromium tells assistive technology, forced colours, motion,
print, zoom and text spacing. Embeds of every size are in tests/browser/test_embeds.py, other
people's style sheets in tests/browser/test_layouts.py. docs/explanation/accessibility.md tells what
this shows, and what it does not.
"""

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import Serve
from tests.browser.servers import Server
from tests.browser.visitors import AGENT, PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# The sites: each under a name of its own, so with a jar of its own

POLICY = """
site:
  name: Harrow Hill Library
  controller: Harrow Hill Town Council
  contact: privacy@harrow-hill.example
  updated: 2026-11-01
mode: {mode}
languages: [en, ar]
{more}
purposes:
  necessary:
    title: {{en: Strictly necessary, ar: ضرورية للغاية}}
    description: {{en: It keeps you logged in., ar: تبقيك مسجل الدخول.}}
    basis: strictly-necessary
    justification: authentication
"""
OPTIONAL = """
  counting:
    title: {en: Counting visits, ar: إحصاء الزيارات}
    description: {en: It counts visitors and pages., ar: إحصاء الزوار والصفحات.}
    honours: [gpc]
  films:
    title: {en: Films from third parties, ar: أفلام من أطراف ثالثة}
    description: {en: Pages show films from other sites., ar: تعرض الصفحات أفلامًا من مواقع أخرى.}
    since: SINCE
  maps:
    title: {en: Maps, ar: خرائط}
    description: {en: Pages show the way., ar: تبين الصفحات الطريق.}
"""
ITEMS = """
cookies:
  session: {kind: session, purpose: necessary, description: {en: Your log-in., ar: تسجيل الدخول.}}
"""
OPTIONAL_ITEMS = """
  _ga:
    kind: analytics
    purpose: counting
    service: counter
    duration: 13 months
    description: {en: Tells visitors apart., ar: تميز الزوار.}
    more: /privacy
  a-name-that-is-longer-than-many-a-screen-is-wide-{id}:
    kind: persistent
    purpose: films
    duration: 5 days
    description: {en: Remembers where you stopped., ar: تتذكر أين توقفت.}
storage:
  zoom: {where: local, purpose: maps, description: {en: The scale., ar: المقياس.}}
services:
  counter:
    purpose: counting
    title: Counter
    provider: Counter Limited
    hosts: [counter.example]
    privacy: https://counter.example/privacy
    opt-out: https://counter.example/opt-out
    transfer: [US]
  films:
    purpose: films
    title: Filmhouse
    provider: Films Limited
    hosts: [films.example]
    shows: video
  maps: {purpose: [maps, films], provider: Maps Foundation, hosts: [maps.example], shows: map}
"""


def policy_text(mode: str, more: str = "", *, since: int = 1, is_optional: bool = True) -> str:
    """A policy; without anything optional nobody is asked."""
    text = POLICY.format(mode=mode, more=more)
    optional = OPTIONAL.replace("SINCE", str(since))
    return text + (optional + ITEMS + OPTIONAL_ITEMS if is_optional else ITEMS)


LAYOUTS = ("top", "sticky", "bottom", "corner")
EVERYWHERE = "placeholders: ['*']\nchild-directed: [/en/kids, /ar/kids]"
POLICIES = {
    **{
        name: policy_text("explicit", f"banner: {{layout: {name}}}\n{EVERYWHERE}")
        for name in LAYOUTS
    },
    "implied": policy_text("implied"),
    "at-once": policy_text("implied", "takes-effect: at-once"),
    "opt-out": policy_text("opt-out"),
    "nothing": policy_text("explicit", "settings-link: always", is_optional=False),
}
BEFORE = policy_text("explicit")
AFTER = policy_text("explicit", "revision: 2", since=2)

PARTS = """
<h2>Our cookies</h2><div data-consentkit="cookies"></div>
<h2>Your choice</h2><div data-consentkit="preferences"></div>
<p data-consentkit="settings-link"></p>
"""
EMBEDS = """
<p><iframe src="https://films.example/1" width="480" height="270" title="A film"></iframe></p>
<p><iframe src="https://nobody.example/1" width="300" height="200" title="A game"></iframe></p>
<template data-purpose="maps"><p>A map.</p></template>
"""
LOREM = "Books, films, music, seeds and instruments are lent to everybody in the town. " * 4
CONTENT = {"parts": PARTS, "embeds": EMBEDS}


def page_of(tongue: str, name: str) -> str:
    """A page of the site: it says its language, and is light or dark as its reader likes."""
    direction = {"en": "ltr", "ar": "rtl"}[tongue]
    return (
        f'<!doctype html><html lang="{tongue}" dir="{direction}"><head><meta charset="utf-8">'
        '<title>Harrow Hill</title><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,"></head><body>'
        f'<header><a href="/{tongue}">Harrow Hill Library</a></header>'
        f'<main><h1>A library</h1><p>{LOREM}</p><p><a id="first" href="/{tongue}/join">Join</a></p>'
        f"{CONTENT.get(name, '')}</main></body></html>"
    )


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """The site without us: ``/en`` and ``/ar``, and below them some pages by name."""
    _, tongue, *name = Request(scope).url.path.split("/")
    await HTMLResponse(page_of(tongue or "en", "".join(name)))(scope, receive, send)


class Town:
    """All the sites, by the first part of the host's name.

    At ``changed`` answers are taken under an older policy than the pages are made with.
    """

    def __init__(self) -> None:
        self._apps: dict[str, ASGIApp] = {name: shell(text) for name, text in POLICIES.items()}
        self._apps["changed"] = shell(AFTER)
        self._before = shell(BEFORE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = str(Request(scope).url.hostname).partition(".")[0]
        is_before = name == "changed" and scope["method"] == "POST"
        await (self._before if is_before else self._apps[name])(scope, receive, send)


def shell(text: str) -> ConsentMiddleware:
    return ConsentMiddleware(pages, policy=read_policy(text), secret_key="k" * 32)


# The states of the notice, and how a person gets there


class State(NamedTuple):
    """What is looked at: a page of a site, after an answer, and after what is done there.

    Our own pages are told the language by `lang`, a site's own are in one.
    """

    site: str
    path: str = "/{tongue}"
    answer: str = ""
    has_signal: bool = False
    then: str = ""
    """Pressed with the keyboard or the mouse once the page is there."""


SOME = "choice=reject-all&purpose=counting"
STATES = {
    **{f"asking, {layout}": State(layout) for layout in LAYOUTS},
    "implied": State("implied"),
    "at once": State("at-once"),
    "opt-out": State("opt-out"),
    "some are open": State("sticky", answer=SOME),
    "news": State("changed", answer="choice=accept-all"),
    "a signal": State("opt-out", has_signal=True),
    "settings": State("top", answer="choice=reject-all"),
    "settings and withdrawal": State("opt-out", answer="choice=accept-all"),
    "saved": State("top", "/{tongue}#consentkit", "choice=accept-all"),
    "saved by the script": State("corner", then="#consentkit [value=reject-all]"),
    "children": State("top", "/{tongue}/kids", "choice=accept-all"),
    "nothing to choose": State("nothing"),
    "dialog": State("top", answer="choice=save&service=films", then="#consentkit .consentkit-more"),
    "preferences": State("top", "/consent?lang={tongue}"),
    "preferences, answered": State("implied", "/consent?lang={tongue}", "choice=accept-all"),
    "preferences, a signal": State("opt-out", "/consent?lang={tongue}", has_signal=True),
    "declaration": State("top", "/consent/cookies?lang={tongue}"),
    "declaration, searched": State("top", "/consent/cookies?lang={tongue}&q=film"),
    "declaration, nothing to choose": State("nothing", "/consent/cookies?lang={tongue}"),
    "receipt": State("top", "/consent/receipt?lang={tongue}", "choice=accept-all"),
    "receipt of nothing": State("top", "/consent/receipt?lang={tongue}"),
    "parts": State("top", "/{tongue}/parts", SOME),
    "embeds": State("top", "/{tongue}/embeds", "choice=reject-all"),
}

ANSWER = """async answer => {
    const said = await fetch("/consent", {method: "POST", body: new URLSearchParams(answer)});
    if (!said.ok) throw new Error(said.status);
}"""
OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"
LOOKS = {
    "en": (("light", {"width": 320, "height": 640}), ("dark", {"width": 1440, "height": 900})),
    "ar": (("light", {"width": 1440, "height": 900}), ("dark", {"width": 320, "height": 640})),
}
TONGUES = tuple(LOOKS)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_source() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


class Person:
    def __init__(self, browser: "Browser", server: Server, axe: str) -> None:
        self.server = server
        self.context = browser.new_context(user_agent=AGENT)
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(axe)
        self.page = self.context.new_page()

    def arrive(self, name: str, tongue: str) -> None:
        state = STATES[name]
        origin = self.server.origin(f"{state.site}.localhost")
        self.context.clear_cookies()
        self.page.set_extra_http_headers({"Sec-GPC": "1"} if state.has_signal else {})
        if state.answer:
            self.page.goto(f"{origin}/{tongue}")
            self.page.evaluate(ANSWER, state.answer)
        if "#" in state.path:
            self.page.goto("about:blank")
        self.page.goto(origin + state.path.format(tongue=tongue))
        if state.then:
            self.page.click(state.then)
            self.page.wait_for_selector("dialog[open], #consentkit:not(:has(button))")
        self.page.evaluate(OPEN_ALL)

    def look_at(self, theme: str, size: dict) -> None:
        self.page.emulate_media(color_scheme=theme)
        self.page.set_viewport_size(size)


RUN_AXE = """async tags => {
    const found = await axe.run(document, {runOnly: {type: "tag", values: tags},
        resultTypes: ["violations", "incomplete", "passes"]});
    const told = rules => rules.flatMap(rule => rule.nodes.map(node =>
        `${rule.id}: ${node.target.flat().join(" ")} ${(node.any[0]||node.all[0]||node.none[0])?.data?.messageKey}`));
    return {violations: told(found.violations), undecided: told(found.incomplete), unread: [],
        looked: found.passes.length};
}"""
