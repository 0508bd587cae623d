"""What a site's own end-to-end tests do: begin with the answer given, and look into the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consentkit.testing import (
    as_visitor,
    assert_banner,
    assert_blocked,
    assert_no_third_party,
    assert_only_declared,
    assert_sets,
)
from tests.browser.conftest import Serve
from tests.testing.sites import site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BANNER = "#consentkit button[value=reject-all]"


def test_an_end_to_end_test_begins_with_the_answer_given(browser: Browser, serve: Serve) -> None:
    """U-24: the banner stands in nobody's way, and what was answered holds."""
    app = site()
    url = serve(app).origin("localhost")
    context = browser.new_context()
    context.add_cookies(as_visitor(app, "refused").for_playwright(url))  # type: ignore[arg-type]  # plain dicts
    page = context.new_page()
    response = page.goto(url)
    assert page.locator(BANNER).count() == 0
    assert_banner(page, expected=False)
    assert_blocked(response, "visits")
    assert_blocked(context, "visits")
    assert_sets(response, "sid")
    assert_sets(context, "sid")
    assert_only_declared(context, app.ready_for({}).policy)
    context.close()


def test_who_has_not_answered_is_asked_with_equal_buttons(browser: Browser, serve: Serve) -> None:
    """The control: the same site without the two lines; the buttons are measured (R-12)."""
    app = site()
    url = serve(app).origin("localhost")
    page = browser.new_page()
    page.goto(f"{url}/plain")
    assert page.locator(BANNER).count() == 1
    assert_banner(page)
    page.add_style_tag(content=f"{BANNER} {{ font-size: 9px !important }}")
    with pytest.raises(AssertionError, match="font-size: 9px to refuse"):
        assert_banner(page)
    page.close()


@pytest.mark.parametrize("style", ["opacity: 0", "position: fixed; left: -9999px", "display: none"])
def test_a_banner_that_a_style_sheet_takes_away_is_none(
    style: str, browser: Browser, serve: Serve
) -> None:
    """See-through, or moved out of sight; the control: it is asked with until then (R-12)."""
    page = browser.new_page()
    page.goto(f"{serve(site()).origin('localhost')}/plain")
    assert_banner(page)
    hidden = "".join(f"{each} !important;" for each in f"{style};overflow: hidden".split(";"))
    page.add_style_tag(content=f"#consentkit, #consentkit * {{ {hidden} }}")
    with pytest.raises(AssertionError, match="show both buttons"):
        assert_banner(page)
    assert_banner(page, expected=False)
    page.close()


def test_a_new_context_begins_as_the_visitor(browser: Browser, serve: Serve) -> None:
    """With `storage_state`, and the signal in header and script."""
    app = site()
    url = serve(app).origin("localhost")
    visitor = as_visitor(app, "granted", signals="gpc", despite=True)
    context = browser.new_context(**visitor.for_new_context(url))
    context.add_init_script(visitor.script)
    page = context.new_page()
    page.goto(f"{url}/plain")
    assert page.evaluate("navigator.globalPrivacyControl") is True
    assert page.evaluate("fetch('/consent/status').then((r) => r.json())")["signals"] == ["gpc"]
    assert visitor.allows("maps")
    assert_sets(page.goto(url), "visits")
    context.close()


def test_what_a_page_really_loaded_is_looked_at(browser: Browser, serve: Serve) -> None:
    """A script may load what no markup names."""
    app = site()
    url = serve(app).origin("localhost")
    context = browser.new_context()
    as_visitor(app, "refused").put_into(context, url)
    page = context.new_page()
    page.goto(url)
    rules = app.ready_for({}).policy
    assert_no_third_party(page, rules)
    page.evaluate(
        "fetch('http://count.example/late.js?id=secret', {mode: 'no-cors'}).catch(() => 0)"
    )
    page.wait_for_function(
        "performance.getEntriesByType('resource').some((e) => /late/.test(e.name))"
    )
    with pytest.raises(AssertionError, match=r"loaded from count\.example/late\.js"):
        assert_no_third_party(page, rules)
    context.close()
