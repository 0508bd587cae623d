"""Policies of any size, and a token that grants everything in them."""

from __future__ import annotations

import time
from typing import Final

from consentkit.rules.consent import Consent, TokenFormat
from consentkit.rules.policy import Policy
from consentkit.rules.policy_file import policy_from
from consentkit.rules.signals import NO_SIGNALS

SECRET: Final = "a secret of thirty-two bytes or more"
TOKEN: Final = TokenFormat([SECRET], "consent").sign_given(
    Consent().grant(["analytics", "comfort"], 1, time.time(), NO_SIGNALS).given
)
CONSENT: Final = f"__Host-consent={TOKEN}"


def declared_names() -> list[str]:
    """The exact names every policy here declares, the first six of them used in requests."""
    return ["session", "theme", "_ga", "language", "basket", "region"]


def policy_of(size: int) -> Policy:
    """A policy of `size` cookies: the six, a sixth of the rest as patterns, the others exact."""
    kept = {"kind": "persistent", "purpose": "comfort", "duration": "1 year"}
    counted = {"kind": "analytics", "purpose": "analytics", "duration": "1 year"}
    cookies: dict[str, object] = {
        name: {**(counted if name == "_ga" else kept), "description": "For the benchmark."}
        for name in declared_names()
    }
    for number in range(size - len(cookies)):
        name = f"p{number}-{{id}}-x" if number % 6 == 0 else f"cookie{number}"
        cookies[name] = {**kept, "description": "Another."}
    return policy_from(
        {
            "site": {"name": "Bench", "controller": "Bench"},
            "mode": "explicit",
            "purposes": {
                "comfort": {"title": "Comfort", "description": "Keeps what you chose."},
                "analytics": {"title": "Visits", "description": "Counts visits."},
            },
            "cookies": cookies,
        }
    )
