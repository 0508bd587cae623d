"""consentkit: you declare it, the visitor decides, the server keeps to it.

One YAML file says what a site stores in its visitors' browsers, and why; `ConsentMiddleware`
holds an ASGI app to it. The map of the house:

- `wire`: bytes to values and back; has never heard of consent;
- `rules`: the decision, pure; has never heard of HTTP;
- `notice`: what the visitor reads;
- `enforcement`, `pages`, `routes`: the arch that joins the two pillars;
- `middleware`: the door for the app; `testing`: the door for the tester.
"""

from consentkit.errors import (
    ConsentKitError,
    ConsentKitWarning,
    LateAnswerWarning,
    NoVisitorError,
    OptionError,
    PolicyError,
    UncoveredLayerWarning,
    UnknownPurposeError,
)
from consentkit.events import Event
from consentkit.middleware import ConsentMiddleware, visitor_from, visitor_from_scope
from consentkit.rules.consent import Answer, Consent
from consentkit.rules.decision import DECISIONS, Decision, decide
from consentkit.rules.policy import Basis, Kind, Policy
from consentkit.rules.policy_file import load_policy
from consentkit.rules.visitor import Visitor

__all__ = [
    "DECISIONS",
    "Answer",
    "Basis",
    "Consent",
    "ConsentKitError",
    "ConsentKitWarning",
    "ConsentMiddleware",
    "Decision",
    "Event",
    "Kind",
    "LateAnswerWarning",
    "NoVisitorError",
    "OptionError",
    "Policy",
    "PolicyError",
    "UncoveredLayerWarning",
    "UnknownPurposeError",
    "Visitor",
    "decide",
    "load_policy",
    "visitor_from",
    "visitor_from_scope",
]
