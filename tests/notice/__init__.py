"""A policy to tell, in every mode, and a look into markup for the tests of the notice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import html5lib
import yaml

from consentkit.notice.banner import Links
from consentkit.rules.consent import Consent, key_of_service
from consentkit.rules.policy import Policy
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rules.visitor import Standing

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PATH = "/consent"
SHEET = "/consent/assets/consent.css"
SHEETS = (SHEET, "/consent/assets/pages.css")
LINKS = Links(PATH, SHEET)
PAGE: dict[str, Any] = {"path": PATH, "stylesheets": SHEETS}
NOW = 1_780_000_000.0
GPC = frozenset({Signal.GPC})
LOCALES = files("consentkit.notice").joinpath("locales")
TOKENS = ("__Host-consent", "__Host-consent-seen")
PURPOSES = ("polls", "analytics", "embeds")


def policy_of(mode: str = "explicit", **changes: Any) -> Policy:
    """Necessary, polls, analytics and embeds, in English and German."""
    declared: dict[str, Any] = {
        "site": {
            "name": "Moorland Council",
            "controller": "Moorland District Council",
            "contact": "webmaster@moorland.example",
            "updated": "2026-06-01",
        },
        "mode": mode,
        "languages": ["en", "de"],
        "purposes": {
            "necessary": {
                "basis": "strictly-necessary",
                "title": {"en": "Strictly necessary", "de": "Unbedingt erforderlich"},
                "description": "What the site needs.",
                "justification": "authentication",
            },
            "polls": {"title": {"en": "Polls", "de": "Abstimmungen"}, "description": "One vote."},
            "analytics": {"title": {"en": "Visits", "de": "Besuche"}, "description": "Counts."},
            "embeds": {"title": "Videos", "description": "Plays videos."},
        },
        "cookies": {
            "clientvars": {"kind": "session", "purpose": "necessary", "description": "Log-in."},
            "PollTimeout-{pollid}": {
                "kind": "poll-timeout",
                "purpose": "polls",
                "description": "You voted.",
            },
            "_ga": {
                "kind": "analytics",
                "purpose": "analytics",
                "service": "counter",
                "duration": "13 months",
                "description": "Tells browsers apart.",
            },
        },
        "services": {
            "counter": {
                "purpose": "analytics",
                "title": "Counter",
                "provider": "Counter Ltd",
                "transfer": "USA",
                "privacy": "https://counter.example/privacy",
                "opt-out": "https://counter.example/opt-out",
            },
            "films": {"purpose": "embeds", "provider": "Films Inc"},
        },
    }
    return Policy.model_validate(declared | changes)


def changed(policy: Policy, **purposes: dict[str, Any]) -> Policy:
    """The policy with some keys of some purposes changed."""
    new = {
        name: purpose.model_dump() | purposes.get(name, {})
        for name, purpose in policy.purposes.items()
    }
    return Policy.model_validate(policy.model_dump() | {"purposes": new})


def asking_nothing(**changes: Any) -> Policy:
    """A policy of which nothing needs an answer: strictly necessary, and nothing else."""
    necessary = {"basis": "strictly-necessary", "title": "Session", "description": "Needed."}
    return policy_of(
        purposes={"necessary": {**necessary, "justification": "user-input"}},
        cookies={"form": {"kind": "session", "purpose": "necessary", "description": "A form."}},
        services={},
        **changes,
    )


def standing_of(
    policy: Policy,
    granted: Iterable[str] = (),
    refused: Iterable[str] = (),
    *,
    services: Iterable[str] = (),
    signals: frozenset[Signal] = NO_SIGNALS,
    at_revision: int | None = None,
    for_children: bool = False,
) -> Standing:
    """A visitor who answered a moment ago, at the policy's revision or an earlier one."""
    revision = at_revision or policy.revision
    consent = Consent()
    if keys := [*granted, *map(key_of_service, services)]:
        consent = consent.grant(keys, revision, NOW, signals)
    if names := [*refused]:
        consent = consent.refuse(names, revision, NOW)
    return Standing(policy, consent, signals, NOW, for_children=for_children)


def strings_of(value: Any, key: str = "") -> dict[str, str]:
    """Every string in a value by its dotted key; the items of a list are counted from 1."""
    if isinstance(value, str):
        return {key: value}
    items = value.items() if isinstance(value, dict) else enumerate(value, start=1)
    return {
        name: text
        for part, inner in items
        for name, text in strings_of(inner, f"{key}.{part}" if key else str(part)).items()
    }


@cache
def locale(language: str) -> dict[str, str]:
    """Every string of a locale's file by its dotted key, as it is written."""
    text = LOCALES.joinpath(f"{language}.yaml").read_text("utf-8")
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    return strings_of(yaml.load(text, loader))  # noqa: S506  # builds strings only


def tree(markup: bytes) -> Element:
    """The document a browser makes of a page, or of markup that stands first in a body."""
    page = markup if markup.startswith(b"<!doctype") else b"<!doctype html><body>" + markup
    return html5lib.parse(page, transport_encoding="ascii", namespaceHTMLElements=False)


def text_of(markup: bytes) -> str:
    """All words of the markup, with single blanks, as a browser shows them."""
    # A no-break space is no white space of HTML's, and stays.
    return re.sub(r"[ \t\n\f\r]+", " ", "".join(tree(markup).itertext())).strip()
