"""consentkit: you declare it, the visitor decides, the server keeps to it.

One YAML file says what a site stores in its visitors' browsers, and why; `ConsentMiddleware`
holds an ASGI app to it. The map of the house:

- `wire`: bytes to values and back; has never heard of consent;
- `rules`: the decision, pure; has never heard of HTTP;
- `notice`: what the visitor reads;
- `enforcement`, `pages`, `routes`: the arch that joins the two pillars;
- `middleware`: the door for the app; `testing`: the door for the tester; `cli`: the shell's.

Each name is imported from its module when it is first asked for, so that the shell, which needs
few of them, starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consentkit.errors import (
        ConsentKitError,
        ConsentKitWarning,
        LateAnswerWarning,
        NoVisitorError,
        OptionError,
        PolicyError,
        TemplateError,
        UncoveredLayerWarning,
        UnknownPurposeError,
        UnknownServiceError,
    )
    from consentkit.events import Event
    from consentkit.middleware import (
        ConsentMiddleware,
        consent_context,
        visitor_from,
        visitor_from_scope,
    )
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
    "TemplateError",
    "UncoveredLayerWarning",
    "UnknownPurposeError",
    "UnknownServiceError",
    "Visitor",
    "consent_context",
    "decide",
    "load_policy",
    "visitor_from",
    "visitor_from_scope",
]

_HOMES = {
    "events": ("Event",),
    "middleware": (
        "ConsentMiddleware",
        "consent_context",
        "visitor_from",
        "visitor_from_scope",
    ),
    "rules.consent": ("Answer", "Consent"),
    "rules.decision": ("DECISIONS", "Decision", "decide"),
    "rules.policy": ("Basis", "Kind", "Policy"),
    "rules.policy_file": ("load_policy",),
    "rules.visitor": ("Visitor",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def _public_name(name: str) -> object:
    """The public name, from the module it lives in (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


# Type checkers have read the names above; of a `__getattr__` that they see they believe any name.
globals()["__getattr__"] = _public_name


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
