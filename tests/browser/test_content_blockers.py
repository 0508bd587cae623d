"""Content blockers hide banners and stop scripts: the page stays usable, and nobody has consented.

What a blocker does to a page is done here by a script that stands first in it.
"""

import pytest
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from consentkit import ConsentMiddleware
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.visitors import Visitor
from tests.notice import policy_of

LAYOUTS = ("top", "sticky", "bottom", "corner")
BLOCKERS = {
    "nothing is blocked": "",
    "styled away": """
        const sheet = document.createElement("style")
        sheet.textContent = "#consentkit { display: none !important }"
        document.head.append(sheet)""",
    "taken out": """
        new MutationObserver(() => document.getElementById("consentkit")?.remove())
          .observe(document, { childList: true, subtree: true })""",
    "without its script": "",
}
HIDDEN = ("styled away", "taken out")


def site(blocker: str) -> ASGIApp:
    """Two pages that set a cookie of each kind."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        page = HTMLResponse(
            f"<!doctype html><html lang=en><title>Moorland</title><script>{blocker}</script>"
            "<body><h1>Moorland</h1>"
            + "<p>The desk is open on weekdays.</p>" * 60
            + "<p><a href=/next id=last>Opening hours</a></p>"
        )
        page.set_cookie("_ga", "GA1.1.1.1", max_age=3600)
        page.set_cookie("clientvars", "1")
        await page(scope, receive, send)

    return answer


def goes_on(visitor: Visitor) -> None:
    """The page scrolls to its end, and its last link leads on."""
    page = visitor.page
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert page.evaluate("scrollY") > 0
    visitor.click("#last")
    assert page.url.endswith("/next")


@pytest.mark.browser
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("how", BLOCKERS)
def test_a_page_is_usable_and_nothing_optional_is_stored(
    new_visitor: NewVisitor, serve: Serve, how: str, layout: str
) -> None:
    """No answer is no consent, whatever kept the visitor from the question (R-01, R-02)."""
    policy = policy_of(banner={"layout": layout})
    secret = "a secret of more than thirty-two bytes"
    app = ConsentMiddleware(site(BLOCKERS[how]), policy=policy, secret_key=secret)
    visitor = new_visitor(serve(app))
    if how == "without its script":
        visitor.page.route("**/consent/assets/*.js", lambda route: route.abort())
    visitor.type_address("/")
    assert visitor.notice.is_visible() == (how not in HIDDEN)
    goes_on(visitor)
    goes_on(visitor)
    assert visitor.stored == {"clientvars"}
    visitor.type_address("/consent")  # its own page, which no rule for banners knows
    visitor.answer("accept-all")
    visitor.type_address("/")
    assert visitor.stored == {"clientvars", "_ga"}  # the control: an answer is an answer
    visitor.page.unroute_all()
