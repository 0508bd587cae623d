"""A policy to tell, in every mode, and a look into markup for the tests of the notice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import html5lib

from consentkit.rules.policy import Policy

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PATH = "/consent"
SHEET = "/consent/assets/consent.css"
PLACE: dict[str, Any] = {"path": PATH, "stylesheet": SHEET}
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


def asking_nothing() -> Policy:
    """A policy of which nothing needs an answer: strictly necessary, and nothing else."""
    necessary = {"basis": "strictly-necessary", "title": "Session", "description": "Needed."}
    return policy_of(
        purposes={"necessary": {**necessary, "justification": "user-input"}},
        cookies={"form": {"kind": "session", "purpose": "necessary", "description": "A form."}},
        services={},
    )


def tree(markup: bytes) -> Element:
    """The document a browser makes of a page, or of markup that stands first in a body."""
    page = markup if markup.startswith(b"<!doctype") else b"<!doctype html><body>" + markup
    return html5lib.parse(page, transport_encoding="ascii", namespaceHTMLElements=False)


def text_of(markup: bytes) -> str:
    """All words of the markup, with single blanks."""
    return " ".join("".join(tree(markup).itertext()).split())
