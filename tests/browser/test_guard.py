"""The guard: what scripts of others try to store, and what is stored.

Everything is read from the browser's own jar. Each test that finds nothing has a cookie beside it
that is stored, so the page's scripts are alive.
"""

from typing import Any

import pytest

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Site
from tests.browser.test_consent_js import press, ready
from tests.browser.visitors import Visitor

POLICY = """
site: {name: A site, controller: A site}
mode: explicit
guard: true
purposes:
  necessary: {title: Necessary, description: d, basis: strictly-necessary, justification: security}
  analytics: {title: Analytics, description: It counts.}
cookies:
  basket: {kind: session, purpose: necessary, description: d, chunked: true}
  _ga: {kind: analytics, purpose: analytics, duration: 1 day, description: d}
  seen_{id}: {kind: analytics, purpose: analytics, duration: 1 day, description: d}
  seen_shop: {kind: session, purpose: necessary, description: d}
"""
FIRST = "<script>document.cookie = 'basket=early'; document.cookie = '_ga=early'</script>"
WRITE = "all => { all.forEach(one => { document.cookie = one }); return document.cookie }"
STORE = """async all => {
    for (const [name, value] of Object.entries(all)) await cookieStore.set(name, value);
    await cookieStore.set({name: "seen_object", value: "1"});
    await cookieStore.set({name: "seen_gone", value: "1", expires: 1});
}"""


@pytest.fixture
def arrive(serve: Serve, new_visitor: NewVisitor) -> Any:
    def arrive(policy: str = POLICY, **headers: str) -> Visitor:
        app = Site(body=FIRST, headers=headers)
        held = ConsentMiddleware(app, policy=read_policy(policy), secret_key="k" * 32)
        visitor = new_visitor(serve(held))
        visitor.type_address("/")
        ready(visitor)
        visitor.page.evaluate(WRITE, [])  # a read is answered when all is written
        return visitor

    return arrive


def test_only_declared_and_allowed_names_are_stored(arrive: Any) -> None:
    """Names as the server reads them: exact before patterns, chunks with their whole."""
    visitor = arrive()
    assert visitor.stored == {"basket"}, "from the first script of the page on"
    visitor.page.evaluate(
        WRITE, ["_ga=1", "seen_2=1; path=/", " seen_shop =1", "nobody=1", "nameless", "basketC1=x"]
    )
    assert visitor.stored == {"basket", "seen_shop", "basketC1"}


def test_the_other_way_of_storing_is_guarded_too(arrive: Any) -> None:
    """`cookieStore.set`, by name and by object; the promise is kept, as if it were stored."""
    visitor = arrive()
    visitor.page.evaluate(STORE, {"_ga": "1", "nobody": "1", "seen_shop": "1"})
    assert visitor.stored == {"basket", "seen_shop"}


def test_a_grant_opens_and_a_withdrawal_closes(arrive: Any) -> None:
    """The guard learns of answers without another page."""
    visitor = arrive()
    press(visitor, "accept-all")
    visitor.page.evaluate(WRITE, ["_ga=1", "nobody=1"])
    visitor.page.evaluate(STORE, {"seen_3": "1"})
    assert visitor.stored == {"basket", "_ga", "seen_3", "seen_object"}
    visitor.type_address("/consent")
    visitor.answer("reject-all")
    ready(visitor)
    visitor.page.evaluate(WRITE, ["_ga=1"])
    assert visitor.stored == {"basket"}


@pytest.mark.parametrize(
    "removal",
    [
        "old=; Max-Age=0",
        "old=; max-age = -1; path=/",
        "old=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "old=x; expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/",
        "old=x; max-age=99; max-age=0",
    ],
)
def test_a_removal_passes(arrive: Any, removal: str) -> None:
    """It stores nothing: withdrawal must be able to work."""
    visitor = arrive()
    visitor.page.context.add_cookies(
        [{"name": "old", "value": "1", "url": visitor.server.origin()}]
    )
    assert "old" in visitor.stored
    visitor.page.evaluate(WRITE, [removal])
    assert "old" not in visitor.stored


@pytest.mark.parametrize(
    "storing",
    [
        "old=2; Max-Age=9",
        "old=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=9",
        "old=2; Expires=Fri, 01 Jan 2100 00:00:00 GMT",
        "old=max-age=0",
    ],
)
def test_what_only_looks_like_a_removal_does_not(arrive: Any, storing: str) -> None:
    """RFC 6265bis §5.7: Max-Age counts before Expires; a value is no attribute."""
    visitor = arrive()
    visitor.page.evaluate(WRITE, [storing])
    assert "old" not in visitor.stored
    visitor.page.evaluate(WRITE, ["seen_shop=1"])
    assert "seen_shop" in visitor.stored


def test_where_undeclared_is_reported_it_passes(arrive: Any) -> None:
    """`undeclared: report`: what is declared and not allowed is stopped all the same."""
    visitor = arrive(POLICY + "undeclared: report\n")
    visitor.page.evaluate(WRITE, ["nobody=1", "_ga=1"])
    assert visitor.stored == {"basket", "nobody"}


def test_it_works_under_a_nonce(arrive: Any) -> None:
    """R-92: it has the nonce of the page; the control: the page's own inline script has none."""
    visitor = arrive(**{"content-security-policy": "script-src 'nonce-YWJj'"})
    assert visitor.stored == set()
    visitor.page.evaluate(WRITE, ["_ga=1", "basket=1"])
    assert visitor.stored == {"basket"}
    assert len(visitor.complaints) == 1


def test_without_it_scripts_store_what_they_like(arrive: Any) -> None:
    """The control of all above: it is the guard that stops them, and not the browser."""
    visitor = arrive(POLICY.replace("guard: true", "guard: false"))
    visitor.page.evaluate(WRITE, ["nobody=1", "_ga=1"])
    assert visitor.stored == {"basket", "nobody", "_ga"}
