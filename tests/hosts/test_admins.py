"""Real applications that people sign in to: Django's admin, sqladmin and starlette-admin.

`uses` declares the cookies of each. Everything is done with the applications' own forms, by
somebody who has not answered the notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import html5lib
import pytest
from starlette.types import ASGIApp

from consentkit import Policy
from consentkit.testing import Browser, Response, assert_only_declared
from tests.apps import consent, policy
from tests.hosts.conftest import need
from tests.hosts.walks import answer, names, parted

pytestmark = [
    pytest.mark.anyio,
    # Django says so of its own static files, which it reads with plain iterators.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators"),
]


def django() -> ASGIApp:
    from tests.hosts import django_site

    django_site.make_tables()
    return django_site.site(debug=False)


def sqladmin() -> ASGIApp:
    from tests.hosts import admin_sites

    return admin_sites.sqladmin()


def starlette_admin() -> ASGIApp:
    from tests.hosts import admin_sites

    return admin_sites.starlette_admin()


class Admin(NamedTuple):
    """An application: what the policy calls it, and the paths of a short walk."""

    make: Callable[[], ASGIApp]
    uses: str
    start: str
    form: str
    listed: str
    asset: str
    session: str
    leave: str


ADMINS = {
    "django": Admin(
        django,
        "django",
        "/admin/",
        "/admin/auth/group/add/",
        "/admin/auth/group/",
        "/static/admin/css/base.css",
        "sessionid",
        "/admin/logout/",
    ),
    "sqladmin": Admin(
        sqladmin,
        "sqladmin",
        "/admin/",
        "/admin/town/create",
        "/admin/town/list",
        "/admin/statics/css/main.css",
        "session",
        "/admin/logout",
    ),
    "starlette-admin": Admin(
        starlette_admin,
        "starlette-admin",
        "/admin/",
        "/admin/town/create",
        "/admin/town/list",
        "",
        "session",
        "/admin/logout",
    ),
}
WHO, WORD = "ada", "correct horse battery"


@pytest.fixture(params=ADMINS)
def admin(request: pytest.FixtureRequest) -> Iterator[Admin]:
    chosen = ADMINS[request.param]
    need("django", "sqladmin", "starlette_admin")
    from tests.hosts import admin_sites

    chosen.make()  # Django makes its tables where no event loop runs
    yield chosen
    while admin_sites.ENGINES:
        admin_sites.ENGINES.pop().dispose()


def rules(admin: Admin, **changes: Any) -> Policy:
    return policy(uses=[admin.uses], **changes)


class Form(NamedTuple):
    """A form of a page: where it posts, and what stands in its fields."""

    path: str
    fields: dict[str, str]


def forms(response: Response) -> list[Form]:
    """The forms of a page, in order."""
    tree = html5lib.parse(response.text, namespaceHTMLElements=False)
    return [
        Form(
            urlsplit(str(form.get("action") or "")).path,
            {str(f.get("name")): f.get("value") or "" for f in form.iter("input") if f.get("name")},
        )
        for form in tree.iter("form")
    ]


async def follow(browser: Browser, response: Response) -> Response:
    """The page where the redirects end."""
    while location := response.header("location"):
        parts = urlsplit(location)
        response = await browser.follow(
            f"{parts.path}?{parts.query}" if parts.query else parts.path
        )
    return response


async def send(browser: Browser, at: str, page: Response, **fields: str) -> Response:
    """Fill in the form of the page that has these fields, send it, and go where that leads."""
    form = next(form for form in forms(page) if form.fields.keys() >= fields.keys())
    answered = await browser.submit(form.path or at, [*{**form.fields, **fields}.items()])
    return await follow(browser, answered)


async def sign_in(browser: Browser, admin: Admin) -> Response:
    """Go where one must be signed in, and be led to the form and back."""
    first = await browser.visit(admin.start)
    page = await follow(browser, first)
    at = urlsplit(str(first.header("location"))).path
    return await send(browser, at, page, username=WHO, password=WORD)


async def test_somebody_who_has_not_answered_can_sign_in(admin: Admin) -> None:
    """R-06: what authenticates is strictly necessary, and works before any answer."""
    declared = rules(admin)
    browser = Browser(consent(admin.make(), declared))
    assert parted((await follow(browser, await browser.visit(admin.start))).body).notice
    home = await sign_in(browser, admin)
    assert home.status == 200
    assert admin.session in browser.cookies
    assert parted(home.body).notice
    assert (await browser.follow(admin.start)).status == 200
    assert_only_declared(home, declared)


async def test_without_the_declaration_nobody_gets_in(admin: Admin) -> None:
    """The control: it is `uses` that lets the application's cookies pass."""
    browser = Browser(consent(admin.make(), policy()))
    await sign_in(browser, admin)
    assert admin.session not in browser.cookies
    assert (await browser.visit(admin.start)).status in (302, 303)


async def test_something_is_made_and_the_answer_given_on_the_way(admin: Admin) -> None:
    """The application's forms and the notice's stand in one page, and each goes its own way."""
    browser = Browser(consent(admin.make(), rules(admin)))
    await sign_in(browser, admin)
    page = await browser.follow(admin.form)
    action, fields = answer(parted(page.body).notice, "reject-all")
    posted = await browser.submit(action, fields.items())
    assert (posted.status, posted.header("location")) == (303, f"{admin.form}#consentkit")
    page = await browser.follow(admin.form)
    assert b"accept-all" not in parted(page.body).notice
    done = await send(browser, admin.form, page, name="Lichfield")
    assert done.status == 200
    assert "Lichfield" in (await browser.follow(admin.listed)).text
    assert "visits" not in browser.cookies


async def test_the_pages_are_the_applications_own(admin: Admin) -> None:
    """Signed in or not, a page is the same but for the notice (and what is new each time)."""
    app = admin.make()
    browsers = Browser(app), Browser(consent(app, rules(admin)))
    pages = []
    for browser in browsers:
        await sign_in(browser, admin)
        pages.append(await browser.follow(admin.form))
    bare, held = pages
    tags = [[e.tag for e in html5lib.parse(p).iter()] for p in (bare.body, parted(held.body).page)]
    assert tags[0] == tags[1]
    assert parted(held.body).notice
    assert len(tags[0]) > 40  # an application's page, and no error's


async def test_leaving_takes_the_session_away(admin: Admin) -> None:
    """What the application expires is expired: a removal is never blocked."""
    browser = Browser(consent(admin.make(), rules(admin)))
    home = await sign_in(browser, admin)
    ways = [form for form in forms(home) if form.path == admin.leave]
    if ways:
        left = await browser.submit(admin.leave, ways[0].fields.items())
    else:
        left = await browser.follow(admin.leave)
    assert admin.session in names(left.set_cookies)
    assert admin.session not in browser.cookies
    assert (await browser.visit(admin.start)).status in (302, 303)


async def test_the_assets_stay_shared(admin: Admin) -> None:
    """R-91: styles and scripts are the same bytes under the same headers for everybody."""
    app = admin.make()
    path = admin.asset
    if not path:
        page = await follow(Browser(app), await Browser(app).visit(admin.start))
        tree = html5lib.parse(page.text, namespaceHTMLElements=False)
        links = [e.get("href") for e in tree.iter("link") if e.get("rel") == "stylesheet"]
        path = urlsplit(str(links[0])).path
    held = await Browser(consent(app, rules(admin))).fetch(path)
    bare = await Browser(app).fetch(path)
    assert (held.status, held.body) == (200, bare.body)
    # starlette-admin sets its cookie against forgery, new each time, on whatever is asked first.
    rest = [[h for h in r.headers if h[0] != b"set-cookie"] for r in (held, bare)]
    assert rest[0] == rest[1]
    assert names(held.set_cookies) == names(bare.set_cookies)
