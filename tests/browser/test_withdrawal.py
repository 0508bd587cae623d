"""Withdrawal, judged by the jar of a real browser (R-16, R-17; DESIGN §3).

A browser deletes a cookie only where name, domain, path and partition match, so whether a removal
works can only be seen there.
"""

import time

import pytest

from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import read_policy
from tests.browser.conftest import NewVisitor, Serve
from tests.browser.servers import PARENT, Server, Site
from tests.browser.visitors import Visitor

POLICY = read_policy(f"""
site: {{name: A site, controller: A site}}
mode: explicit
purposes:
  necessary:
    title: Necessary
    description: It works.
    basis: strictly-necessary
    justification: authentication
  extras: {{title: Extras, description: More.}}
cookies:
  login: {{kind: session, purpose: necessary, description: d}}
  hostonly: {{kind: persistent, purpose: extras, duration: 1 day, description: d}}
  shared: {{kind: persistent, purpose: extras, duration: 1 day, description: d, domain: {PARENT}}}
  twohomes: {{kind: persistent, purpose: extras, duration: 1 day, description: d}}
  twopaths: {{kind: persistent, purpose: extras, duration: 1 day, description: d}}
  news: {{kind: persistent, purpose: extras, duration: 1 day, description: d, path: /news}}
  chips:
    kind: persistent
    purpose: extras
    duration: 1 day
    description: d
    attributes: {{secure: true, same-site: none, partitioned: true}}
  chipsets: {{kind: persistent, purpose: extras, duration: 1 day, description: d}}
  __Host-fixed:
    kind: persistent
    purpose: extras
    duration: 1 day
    description: d
    attributes: {{secure: true}}
  __Secure-tls:
    kind: persistent
    purpose: extras
    duration: 1 day
    description: d
    attributes: {{secure: true}}
  hidden: {{kind: persistent, purpose: extras, duration: 1 day, description: d}}
  script-*: {{kind: persistent, purpose: extras, duration: 1 day, description: d}}
""")
CHIPS = "SameSite=None; Partitioned"
COOKIES = (
    "login=1; Path=/; HttpOnly",
    "hostonly=1; Max-Age=9999; Path=/",
    f"shared=1; Max-Age=9999; Path=/; Domain={PARENT}",
    "twohomes=1; Max-Age=9999; Path=/",
    f"twohomes=2; Max-Age=9999; Path=/; Domain={PARENT}",
    "twopaths=1; Max-Age=9999; Path=/",
    "twopaths=2; Max-Age=9999; Path=/deep/down",
    "news=1; Max-Age=9999; Path=/news",
    f"chips=1; Max-Age=9999; Path=/; Secure; {CHIPS}",
    f"chipsets=1; Max-Age=9999; Path=/; Secure; {CHIPS}",
    "__Host-fixed=1; Max-Age=9999; Path=/; Secure",
    "__Secure-tls=1; Max-Age=9999; Path=/; Secure",
    "hidden=1; Max-Age=9999; Path=/; HttpOnly; SameSite=Strict",
)
BY_SCRIPT = (
    "script-host=1; Max-Age=9999; Path=/",
    f"script-parent=1; Max-Age=9999; Path=/; Domain={PARENT}",
)
# Chromium writes behind the script's back; it answers a read when all is written.
WRITE_THEN_READ = "all => { all.forEach(one => document.cookie = one); return document.cookie }"
OPTIONAL = {cookie.partition("=")[0] for cookie in COOKIES + BY_SCRIPT} - {"login"}
VARIANTS = len(COOKIES) + len(BY_SCRIPT)
BODY = '<h1>A page</h1><a id="next" href="/next">next</a>'


@pytest.fixture
def site() -> Site:
    return Site(*COOKIES, body=BODY)


@pytest.fixture
def server(serve: Serve, site: Site) -> Server:
    return serve(ConsentMiddleware(site, policy=POLICY, secret_key="k" * 32))


@pytest.fixture
def visitor(new_visitor: NewVisitor, server: Server) -> Visitor:
    """Somebody who granted everything, and has every cookie there is."""
    visitor = new_visitor(server)
    visitor.type_address("/")
    visitor.answer("accept-all")
    visitor.page.evaluate(WRITE_THEN_READ, BY_SCRIPT)
    granted = [cookie for cookie in visitor.jar if "consent" not in cookie["name"]]
    assert {cookie["name"] for cookie in granted} == OPTIONAL | {"login"}
    assert len(granted) == VARIANTS, "the control: every variant is a cookie of its own"
    return visitor


def test_no_name_of_this_machine_is_taken_for_an_unsafe_one(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    """Secure cookies are kept at ``http://*.localhost``, so there is nothing to warn of."""
    assert visitor.cookie("__Host-consent")["secure"]
    assert "Secure cookie" not in caplog.text


def test_nothing_optional_is_stored_before_the_grant(
    new_visitor: NewVisitor, server: Server
) -> None:
    """What the fixture finds in the jar is there because of the grant (AC-02)."""
    visitor = new_visitor(server)
    visitor.type_address("/")
    assert visitor.stored == {"login"}


@pytest.mark.parametrize("choice", ["reject-all", "withdraw", "save"])
def test_one_post_empties_the_jar(visitor: Visitor, server: Server, choice: str) -> None:
    """R-16: host and domain, two paths, Partitioned, prefixes, HttpOnly: one response is enough."""
    asked = len(server.log)
    # A redirect that is not followed, so that no other response can do the work.
    visitor.page.evaluate(
        """choice => fetch("/consent", {
            method: "POST", redirect: "manual", body: new URLSearchParams({choice})
        })""",
        choice,
    )
    assert [(one.method, one.path) for one in server.log[asked:]] == [("POST", "/consent")]
    assert visitor.stored == {"login"}


@pytest.mark.parametrize("javascript", [True, False])
def test_the_form_of_the_preferences_empties_the_jar(
    visitor: Visitor, new_visitor: NewVisitor, server: Server, *, javascript: bool
) -> None:
    """R-15: the settings link is on every page, and needs no script."""
    if not javascript:
        visitor = new_visitor(server, java_script_enabled=False)
        visitor.type_address("/")
        visitor.answer("accept-all")
        assert visitor.stored >= {"hidden", "chips", "__Host-fixed"}
    visitor.open_preferences()
    visitor.answer("reject-all")
    assert visitor.stored == {"login"}
    visitor.click("#next")
    assert visitor.stored == {"login"}, "what the app goes on setting is blocked"


def test_strictly_necessary_cookies_keep_their_values(visitor: Visitor) -> None:
    """R-30: withdrawal concerns what was asked for, not the log-in."""
    before = visitor.cookie("login")
    visitor.open_preferences()
    visitor.answer("reject-all")
    assert visitor.cookie("login") == before


@pytest.mark.parametrize("cookie", BY_SCRIPT)
def test_a_cookie_that_comes_back_is_expired_by_the_next_page(
    visitor: Visitor, cookie: str
) -> None:
    """R-17: a script that is still in an open tab stores again what was withdrawn."""
    visitor.open_preferences()
    visitor.answer("reject-all")
    visitor.page.evaluate(WRITE_THEN_READ, [cookie])
    assert visitor.stored == {"login", cookie.partition("=")[0]}, "the control: it is back"
    visitor.click("#next")
    assert visitor.stored == {"login"}


def test_what_nobody_declared_so_and_nobody_saw_goes_where_it_arrives(
    visitor: Visitor, serve: Serve
) -> None:
    """R-16: a script that names no path stores for its page's folder, and no server hears of it.

    Another process, which has never seen the app set anything, knows as little of the app's own
    path, and of a partition that is not in the declaration.
    """
    restarted = serve(ConsentMiddleware(Site(body=BODY), policy=POLICY, secret_key="k" * 32))
    visitor.type_address("/deep/down/page")
    visitor.page.evaluate(WRITE_THEN_READ, ["script-folder=1; Max-Age=9999"])
    visitor.server = restarted
    visitor.type_address("/consent")
    assert "chipsets" in visitor.stored
    visitor.answer("reject-all")  # which leads to the first page, where it arrives again
    left = {(one["name"], one["path"]) for one in visitor.jar if "consent" not in one["name"]}
    far = {("script-folder", "/deep/down"), ("twopaths", "/deep/down")}
    assert left == far | {("login", "/")}, "the control: these arrive neither at the form nor there"
    visitor.type_address("/deep/down/page")
    assert visitor.stored == {"login"}


def test_a_refusal_outlives_the_browser_and_a_session_does_not(visitor: Visitor) -> None:
    """R-20: the answer is kept for 400 days, so nobody is asked again next time."""
    visitor.open_preferences()
    visitor.answer("reject-all")
    days = (visitor.cookie("__Host-consent")["expires"] - time.time()) / 86_400
    assert 399 < days <= 400
    assert visitor.cookie("login")["expires"] == -1
