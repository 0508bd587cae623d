"""The door for the tester: visitors in every state, clients, and assertions about cookies.

It has never heard of a test framework: it raises AssertionError, and what is awaited runs under
asyncio or trio. pytest's fixtures and its marker are in `pytest_plugin`.

::

    client = consent_client(app)                    # somebody who has not answered
    assert_blocked(client.get("/"), "_ga")          # the app tried, and was held to the policy
    assert_sets(consent_client(app, "granted").get("/"), "_ga")

    browser = Browser(app)                          # to be awaited, and every message is kept
    page = await browser.visit("/")                 # as a person who types the address
    await browser.submit("/consent", choice="accept-all")

Each name is imported from its module when it is first asked for: a suite that uses none of them
does not wait for them, and what a name needs (httpx, Hypothesis) is needed only then.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consentkit.testing import strategies
    from consentkit.testing.assertions import (
        assert_blocked,
        assert_only_declared,
        assert_removed,
        assert_sets,
    )
    from consentkit.testing.audits import audit_app, audit_app_async
    from consentkit.testing.browser import Browser, Response, StoredCookie
    from consentkit.testing.client import ConsentClient, consent_client
    from consentkit.testing.page_assertions import (
        assert_banner,
        assert_declaration_matches,
        assert_no_third_party,
    )
    from consentkit.testing.visitors import STATES, ConsentState, SignedVisitor, as_visitor

__all__ = [
    "STATES",
    "Browser",
    "ConsentClient",
    "ConsentState",
    "Response",
    "SignedVisitor",
    "StoredCookie",
    "as_visitor",
    "assert_banner",
    "assert_blocked",
    "assert_declaration_matches",
    "assert_no_third_party",
    "assert_only_declared",
    "assert_removed",
    "assert_sets",
    "audit_app",
    "audit_app_async",
    "consent_client",
    "strategies",
]

_HOMES = {
    "assertions": (
        "assert_blocked",
        "assert_only_declared",
        "assert_removed",
        "assert_sets",
    ),
    "audits": ("audit_app", "audit_app_async"),
    "browser": ("Browser", "Response", "StoredCookie"),
    "client": ("ConsentClient", "consent_client"),
    "page_assertions": (
        "assert_banner",
        "assert_declaration_matches",
        "assert_no_third_party",
    ),
    "visitors": ("STATES", "ConsentState", "SignedVisitor", "as_visitor"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def _public_name(name: str) -> object:
    """The public name, from the module it lives in (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _HOME_OF:  # a module that is public as a whole
        return import_module(f"{__name__}.{name}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


# Type checkers have read the names above; of a `__getattr__` that they see they believe any name.
globals()["__getattr__"] = _public_name


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
