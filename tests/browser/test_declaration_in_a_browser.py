"""The policy page and the receipt as people use them: small windows, keyboard, no script."""

from __future__ import annotations

from typing import Any

import pytest

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.apps import says
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import Server

COOKIES = "/consent/cookies"
LONG = "a_name_without_any_place_to_break_it_" * 5
PAGE = b"<!doctype html><html lang=en><title>A</title><body><img src=https://tags.example/i></html>"

POLICY = f"""
site: {{name: Harrow Hill Library, controller: Harrow Hill Town Council, updated: 2026-06-01}}
mode: explicit
languages: [en, ar]
purposes:
  necessary:
    title: {{en: Necessary, ar: ضروري}}
    description: {{en: It keeps you logged in., ar: يبقيك مسجلا.}}
    basis: strictly-necessary
    justification: authentication
  counting:
    title: {{en: Counting visits, ar: عد الزيارات}}
    description: {{en: It counts visitors., ar: يعد الزوار.}}
cookies:
  session:
    kind: session
    purpose: necessary
    description: {{en: Remembers your log-in., ar: يتذكر.}}
  {LONG}:
    kind: analytics
    purpose: counting
    duration: 1 day
    transfer: [US, IE]
    description: {{en: Counts., ar: يعد.}}
"""


@pytest.fixture(scope="module")
def server(serve_module: Serve) -> Server:
    headers = [(b"content-type", b"text/html"), (b"set-cookie", b"%b=1" % (LONG + "x").encode())]
    return serve_module(
        ConsentMiddleware(
            says(PAGE, headers=headers),
            policy=read_policy(POLICY),
            secret_key="s" * 32,
            staff=lambda scope: b"staff" in scope["query_string"],
        )
    )


SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
OUTSIDE = """() => [...document.querySelectorAll("main *")].filter(one => {
    const {left, right, width} = one.getBoundingClientRect()
    return width && (left < -1 || right > innerWidth + 1)
}).map(one => one.outerHTML.slice(0, 80))"""
ROLES = """() => [...document.querySelectorAll("table, tr, th, td, tbody, thead")]
    .map(one => [one.tagName, one.getAttribute("role"), getComputedStyle(one).display])"""


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize("width", [320, 768, 1440])
def test_nothing_is_cut_off_in_any_window(
    server: Server, new_visitor: NewVisitor, width: int, locale: str
) -> None:
    """WCAG 1.4.10: at 320 px nothing needs a scroll sideways, whatever a cookie is called."""
    visitor = new_visitor(server, locale=locale, viewport={"width": width, "height": 800})
    visitor.type_address("/")
    for path in (COOKIES, f"{COOKIES}?q=zzz", f"{COOKIES}?q=count", f"{COOKIES}?staff"):
        visitor.type_address(path)
        assert visitor.page.evaluate(SIDEWAYS) == 0
        assert visitor.page.evaluate(OUTSIDE) == []
    assert (LONG + "x")[:200] in visitor.page.inner_text("[aria-labelledby=consentkit-observed]")
    visitor.type_address("/consent")
    visitor.click("button[value=accept-all]")
    visitor.type_address("/consent/receipt")
    assert visitor.page.evaluate(SIDEWAYS) == 0
    assert visitor.page.locator("dl > div").count() == 6
    assert visitor.page.locator("html").get_attribute("lang") == locale
    assert visitor.complaints == []


def test_rows_are_cards_where_there_is_no_room_and_keep_their_roles(
    server: Server, new_visitor: NewVisitor
) -> None:
    """`display: block` takes a table's meaning away, so the roles are said (ARIA in HTML)."""
    roles = {"TABLE": "table", "TR": "row", "TD": "cell", "TBODY": "rowgroup", "THEAD": "rowgroup"}
    shown: dict[int, list[list[Any]]] = {}
    for width in (320, 1440):
        visitor = new_visitor(server, viewport={"width": width, "height": 800})
        visitor.type_address(COOKIES)
        shown[width] = visitor.page.evaluate(ROLES)
        assert all(role == roles.get(tag, role) and role for tag, role, _ in shown[width])
        label = visitor.page.evaluate(
            "() => getComputedStyle(document.querySelector('td[data-label]'), '::before').content"
        )
        assert ("Set by:" in label) is (width == 320)
    assert ["TD", "cell", "block"] in shown[320]
    assert ["TD", "cell", "table-cell"] in shown[1440]


@pytest.mark.parametrize("has_script", [True, False])
def test_a_search_leads_to_its_rows(
    server: Server,
    new_visitor: NewVisitor,
    has_script: bool,  # noqa: FBT001 - a parameter
) -> None:
    """By keyboard, and without a script: type, Enter, and the table is there."""
    window = {"width": 320, "height": 640}
    visitor = new_visitor(server, java_script_enabled=has_script, viewport=window)
    visitor.type_address(COOKIES)
    page = visitor.page
    assert page.locator("th[scope=row]").count() == 3
    page.get_by_role("searchbox", name="Search in the table").fill("counts necessary")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert visitor.address == f"{COOKIES}?q=counts+necessary"
    assert page.locator("th[scope=row]").count() == 0
    page.get_by_role("searchbox").fill("LOG-IN")
    with page.expect_navigation():
        page.get_by_role("search").get_by_role("button", name="Search").click()
    assert page.locator("th[scope=row]").count() == 1
    box = page.get_by_role("heading", name="Every cookie").bounding_box()
    assert box is not None
    assert -1 <= box["y"] < window["height"]  # the browser went there by the address alone
    assert page.locator("caption").inner_text() == "Found: 1"
    with page.expect_navigation():
        page.get_by_role("link", name="Show all").click()
    assert visitor.address == COOKIES
    assert page.locator("th[scope=row]").count() == 3


def test_a_receipt_is_withdrawn_in_one_press(server: Server, new_visitor: NewVisitor) -> None:
    """R-13: from the preferences to the receipt, one press, and the receipt says what is so."""
    visitor = new_visitor(server)
    visitor.type_address("/consent")
    visitor.click("button[value=accept-all]")
    visitor.type_address("/consent")
    visitor.click("a:text('See your receipt')")
    assert "Yes: you allowed it." in visitor.page.inner_text("main")
    visitor.click("button[value=withdraw]")
    assert visitor.address == "/consent/receipt"
    assert "No: you refused it." in visitor.page.inner_text("main")
    assert visitor.page.locator("button[value=withdraw]").count() == 0
    visitor.click("a:text('The same for machines')")
    assert '"answer":"refused"' in visitor.page.content()
