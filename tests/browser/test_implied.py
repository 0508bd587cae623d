"""Implied consent, honestly: what a real browser sends, and what may be concluded (DESIGN §3).

Everything here except a link that somebody clicks *looks* like going on to another page. The app
tries to store `_ga` with every page; it is in the jar once consent counts as implied. Each test
that finds nothing implied ends with a click that does imply it, so the probe is alive (TR-04).
"""

from collections.abc import Callable

import pytest

from consentkit import ConsentMiddleware, Policy
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import ELSEWHERE, Server, Site
from tests.browser.visitors import Visitor, wait_until

KEY = "k" * 32
NEXT = '<a id="next" href="/next">next</a>'
RULES = (
    '<script type="speculationrules">'
    '{"%s": [{"urls": ["/ahead"], "eagerness": "immediate"}]}</script>'
)
BODIES = {
    "/form": f'<form method="post" action="/form"><button id="post">Post</button></form>{NEXT}',
    "/link-prefetch": f'<link rel="prefetch" href="/ahead">{NEXT}',
    "/rules-prefetch": f"{RULES % 'prefetch'}{NEXT}",
    "/prerender": f"{RULES % 'prerender'}{NEXT}",
    "/meta-refresh": '<meta http-equiv="refresh" content="0; url=/done">',
    "/timer": "<script>setTimeout(() => { location.href = '/done' }, 1)</script>",
    "/frame": f'<iframe src="/inside"></iframe>{NEXT}',
    "/bare/page": '<a id="in" href="/">to the first page with a notice</a>',
    "/partial": (
        '<form method="post" action="/consent"><input type="hidden" name="purpose" value="extras">'
        '<input type="hidden" name="next" value="/done">'
        f'<button id="partial" name="choice" value="reject-all">No extras</button></form>{NEXT}'
    ),
}


def policy_of(mode: str, more: str = "") -> Policy:
    return read_policy(f"""
site: {{name: A site, controller: A site}}
mode: {mode}
{more}
purposes:
  analytics: {{title: Analytics, description: It counts.}}
  extras: {{title: Extras, description: More.}}
cookies:
  _ga: {{kind: analytics, purpose: analytics, duration: 1 day, description: d}}
  extra: {{kind: persistent, purpose: extras, duration: 1 day, description: d}}
""")


def site(**headers: str) -> Site:
    return Site(
        "_ga=1; Path=/; Max-Age=9999",
        "extra=1; Path=/; Max-Age=9999",
        body=f"<h1>A page</h1>{NEXT}",
        bodies=BODIES,
        headers=headers,
    )


def shell(mode: str, more: str = "", *, secure: bool = True) -> ConsentMiddleware:
    policy = policy_of(mode, more)
    # What cannot be answered again from a cache is asked for again: every arrival is in the log.
    app = site(**{"cache-control": "no-store"})
    return ConsentMiddleware(app, policy=policy, secret_key=KEY, secure=secure, exclude=["/bare"])


@pytest.fixture(scope="module")
def server(serve_module: Serve) -> Server:
    return serve_module(shell("implied"))


@pytest.fixture
def visitor(new_visitor: NewVisitor, server: Server) -> Visitor:
    server.log.clear()
    return new_visitor(server)


def arrive(visitor: Visitor, path: str = "/") -> None:
    """The first visit: the notice is there, and nothing else happened."""
    visitor.type_address(path)
    assert visitor.is_asked
    assert not visitor.stored


def assert_a_click_implies(visitor: Visitor) -> None:
    """The control: nothing had been implied, and then it is."""
    assert not visitor.stored
    visitor.click("#next")
    assert visitor.stored == {"_ga", "extra"}


# What implies, and what it needs


def test_the_first_visit_stores_nothing_and_shows_the_notice(visitor: Visitor) -> None:
    """R-05: nobody agrees to what they were not told."""
    arrive(visitor)
    assert {cookie["name"] for cookie in visitor.jar} == {"__Host-consent-seen"}


def test_a_clicked_link_to_another_page_implies(visitor: Visitor) -> None:
    """The document's "by continuing to browse this site": this is continuing."""
    arrive(visitor)
    assert_a_click_implies(visitor)
    assert not visitor.is_asked, "the settings link stands in the banner's place (R-15)"
    assert visitor.notice.locator("a").count() == 1


def test_a_refusal_is_not_overruled_by_going_on(visitor: Visitor) -> None:
    """Explicit wins over implied, whatever comes later (TR-04)."""
    arrive(visitor)
    visitor.answer("reject-all")
    visitor.click("#next")
    visitor.click("#next")
    assert not visitor.stored


def test_implied_consent_can_be_withdrawn(visitor: Visitor) -> None:
    """R-16: what was implied was never written down by anybody, and ends the same way."""
    arrive(visitor)
    assert_a_click_implies(visitor)
    visitor.open_preferences()
    visitor.answer("reject-all")
    visitor.click("#next")
    assert not visitor.stored


# What does not imply


def reload_by_key(visitor: Visitor) -> None:
    visitor.page.reload()


def reload_by_script(visitor: Visitor) -> None:
    # On a click, so that the visitor is known to be there: it is a reload all the same.
    with visitor.page.expect_navigation():
        visitor.page.evaluate("""() => {
            document.querySelector("h1").onclick = () => location.reload();
        }""")
        visitor.page.click("h1")


RELOADS = pytest.mark.parametrize("reload", [reload_by_key, reload_by_script])


@RELOADS
def test_a_reload_does_not_imply(
    visitor: Visitor, server: Server, reload: Callable[[Visitor], None]
) -> None:
    """Looking at the same page again is not going on."""
    arrive(visitor)
    reload(visitor)
    assert len(server.asked_for("/")) == 2
    assert_a_click_implies(visitor)


@RELOADS
def test_a_reload_of_a_page_that_was_clicked_to_does_not_imply(
    visitor: Visitor, server: Server, reload: Callable[[Visitor], None]
) -> None:
    """Such a reload repeats what the click sent; only ``Cache-Control: max-age=0`` is new."""
    visitor.type_address("/bare/page")
    assert visitor.stored == {"_ga", "extra"}, "what is excluded is left alone"
    visitor.forget()
    visitor.click("#in")
    assert not visitor.stored
    reload(visitor)
    [first, again] = server.asked_for("/")
    assert first.headers["sec-fetch-user"] == "?1"
    assert again.headers["sec-fetch-site"] == "same-origin"
    assert_a_click_implies(visitor)


def test_the_redirect_after_an_apps_form_does_not_imply(visitor: Visitor, server: Server) -> None:
    """A form was sent; the page after it was the app's idea. It comes with ``?1`` as a click."""
    arrive(visitor, "/form")
    visitor.click("#post")
    [done] = server.asked_for("/done")
    assert done.headers["sec-fetch-user"] == "?1"
    assert done.headers["sec-fetch-site"] == "same-origin"
    assert_a_click_implies(visitor)


def test_the_redirect_after_our_own_form_does_not_imply(
    new_visitor: NewVisitor, server: Server
) -> None:
    """Who answers about one purpose has said nothing about the other yet.

    Without a script, which stays on the page and follows no redirect.
    """
    server.log.clear()
    visitor = new_visitor(server, java_script_enabled=False)
    arrive(visitor, "/partial")
    visitor.click("#partial")
    assert len(server.asked_for("/done")) == 1
    assert not visitor.stored
    assert visitor.is_asked
    visitor.click("#next")
    assert visitor.stored == {"_ga"}


def wait_for(visitor: Visitor, path: str) -> None:
    """Until the server was asked for `path`, which is no navigation of the page."""
    wait_until(lambda: visitor.server.asked_for(path))
    visitor.page.wait_for_timeout(50)
    assert len(visitor.server.asked_for(path)) == 1, f"nobody came for {path}"


@pytest.mark.parametrize("how", ["link-prefetch", "rules-prefetch", "prerender"])
def test_loading_ahead_does_not_imply(visitor: Visitor, how: str) -> None:
    """R-90: the browser was curious, not the visitor."""
    arrive(visitor, f"/{how}")
    wait_for(visitor, "/ahead")
    [ahead] = visitor.server.asked_for("/ahead")
    assert "prefetch" in ahead.headers["sec-purpose"]
    visitor.type_address("/other")  # which implies nothing, and would show what was implied before
    assert_a_click_implies(visitor)


@pytest.mark.parametrize(
    "request_by_script",
    [
        'fetch("/asked").then(answer => answer.text())',
        'fetch("/asked", {headers: {Accept: "text/html"}}).then(answer => answer.text())',
        """new Promise(done => {
            const request = new XMLHttpRequest();
            request.open("GET", "/asked");
            request.onload = done;
            request.send();
        }).then(() => null)""",
    ],
    ids=["fetch", "fetch of HTML", "XMLHttpRequest"],
)
def test_a_request_by_a_script_does_not_imply(visitor: Visitor, request_by_script: str) -> None:
    """FZ, TR-04: a page that asks for pieces of itself is still the same page."""
    arrive(visitor)
    visitor.page.evaluate(request_by_script)
    assert len(visitor.server.asked_for("/asked")) == 1
    assert_a_click_implies(visitor)


@pytest.mark.parametrize("how", ["meta-refresh", "timer"])
def test_a_page_that_moves_by_itself_does_not_imply(visitor: Visitor, how: str) -> None:
    """Nobody did anything: no click stands behind the second page."""
    visitor.page.goto(f"{visitor.server.origin()}/{how}", wait_until="commit")
    visitor.page.wait_for_url("**/done")
    [done] = visitor.server.asked_for("/done")
    assert "__Host-consent-seen" in done.headers["cookie"], "the notice had been shown"
    assert done.headers["sec-fetch-site"] == "same-origin"
    assert "sec-fetch-user" not in done.headers
    assert_a_click_implies(visitor)


def test_a_frame_of_the_site_itself_does_not_imply(visitor: Visitor) -> None:
    """A frame is a part of the page; a link clicked in it changes the frame alone."""
    arrive(visitor, "/frame")
    inside = visitor.page.frame_locator("iframe")
    assert inside.locator("#consentkit").count() == 0, "no notice in frames (DESIGN §5)"
    inside.locator("#next").click()
    wait_for(visitor, "/next")
    [clicked] = visitor.server.asked_for("/next")
    assert clicked.headers["sec-fetch-user"] == "?1"
    assert_a_click_implies(visitor)


def test_a_link_from_another_site_does_not_imply(visitor: Visitor, serve: Serve) -> None:
    """Somebody else's page is not this site's: whoever comes from there has just arrived."""
    link = f'<a id="there" href="{visitor.server.origin()}/other">there</a>'
    elsewhere = serve(Site(body=link))
    arrive(visitor)
    visitor.page.goto(elsewhere.origin(ELSEWHERE))
    visitor.click("#there")
    [came] = visitor.server.asked_for("/other")
    assert came.headers["sec-fetch-site"] == "cross-site"
    assert_a_click_implies(visitor)


def test_a_typed_address_does_not_imply(visitor: Visitor) -> None:
    """It may be a bookmark, or the start page of the browser."""
    arrive(visitor)
    visitor.type_address("/other")
    assert_a_click_implies(visitor)


def test_going_back_and_forward_does_not_imply(visitor: Visitor, server: Server) -> None:
    """R-90: the visitor turns over pages they have seen."""
    visitor.type_address("/bare/page")
    visitor.forget()
    visitor.click("#in")
    visitor.type_address("/other")
    visitor.page.go_back()
    visitor.page.go_forward()
    pages = [one.path for one in server.log if one.headers["sec-fetch-dest"] == "document"]
    assert pages == ["/bare/page", "/", "/other", "/", "/other"]
    assert_a_click_implies(visitor)


def test_a_crawler_does_not_imply(new_visitor: NewVisitor, server: Server) -> None:
    """Chromium without a screen says so; it clicks as a person would (OR-02)."""
    crawler = new_visitor(server, user_agent="Mozilla/5.0 (X11) HeadlessChrome/156.0 Safari/537.36")
    arrive(crawler)
    crawler.click("#next")
    assert not crawler.stored
    crawler.answer("accept-all")
    assert crawler.stored, "the control: an answer is an answer, whoever gives it"


def test_without_fetch_metadata_a_referer_has_to_do(serve: Serve, new_visitor: NewVisitor) -> None:
    """Browsers send no ``Sec-Fetch-*`` to plain http; there a reload still is told from a click."""
    server = serve(shell("implied", secure=False))
    visitor = new_visitor(server)
    visitor.page.goto(server.origin("www.staffordshire.test"))
    visitor.page.reload()
    assert visitor.is_asked
    assert_a_click_implies(visitor)
    assert not any(name.startswith("sec-fetch") for one in server.log for name in one.headers)


# The other modes


def test_at_once_implies_with_the_first_page(serve: Serve, new_visitor: NewVisitor) -> None:
    """The letter of Staffordshire's document; a refusal still ends it."""
    visitor = new_visitor(serve(shell("implied", "takes-effect: at-once")))
    visitor.type_address("/")
    assert visitor.is_asked
    assert visitor.stored == {"_ga", "extra"}
    visitor.answer("reject-all")
    visitor.click("#next")
    assert not visitor.stored


def test_opt_out_allows_until_it_is_refused(serve: Serve, new_visitor: NewVisitor) -> None:
    """DC-10, OR-03: allowed without a word, and gone with one."""
    visitor = new_visitor(serve(shell("opt-out")))
    visitor.type_address("/")
    assert visitor.is_asked
    visitor.click("#next")
    assert visitor.stored == {"_ga", "extra"}
    visitor.answer("reject-all")
    visitor.click("#next")
    assert not visitor.stored


def test_explicit_waits_for_a_yes(serve: Serve, new_visitor: NewVisitor) -> None:
    """AC-02: no click but the one on the button stores anything."""
    visitor = new_visitor(serve(shell("explicit")))
    visitor.type_address("/")
    visitor.click("#next")
    visitor.click("#next")
    assert not visitor.stored
    visitor.answer("accept-all")
    assert visitor.stored == {"_ga", "extra"}


# Global Privacy Control


@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_gpc_refuses_and_says_so(serve: Serve, new_visitor: NewVisitor, mode: str) -> None:
    """R-36, R-39: a refusal on the visitor's behalf, a quiet line instead of a question."""
    visitor = new_visitor(serve(shell(mode)))
    visitor.turn_signal("1")
    visitor.type_address("/")
    visitor.click("#next")
    assert not visitor.stored
    assert not visitor.is_asked
    assert "Global Privacy Control" in visitor.notice.inner_text()
    visitor.turn_signal("0")
    visitor.click("#next")
    assert visitor.is_asked, "the control: any other value is no signal"
    visitor.turn_signal(None)
    visitor.answer("accept-all")
    assert visitor.stored == {"_ga", "extra"}


def test_a_grant_given_under_gpc_stands(visitor: Visitor) -> None:
    """R-38: who says yes although the signal is on, and is told of it, means it."""
    visitor.turn_signal("1")
    visitor.type_address("/consent")
    assert "Global Privacy Control" in visitor.page.inner_text("main")
    visitor.answer("accept-all")
    assert visitor.stored == {"_ga", "extra"}
    for value in ("1", None, "1"):
        visitor.turn_signal(value)
        visitor.click("#next")
        assert visitor.stored == {"_ga", "extra"}
    visitor.open_preferences()
    visitor.answer("reject-all")
    assert not visitor.stored


def test_gpc_overrules_an_earlier_grant_while_it_is_on(visitor: Visitor) -> None:
    """A grant given before the signal was known waits; with the signal off it counts again."""
    visitor.type_address("/")
    visitor.answer("accept-all")
    assert visitor.stored == {"_ga", "extra"}
    visitor.turn_signal("1")
    visitor.click("#next")
    assert not visitor.stored
    visitor.turn_signal(None)
    visitor.click("#next")
    assert visitor.stored == {"_ga", "extra"}
