"""The apps inside the site, as they come: each minds its own business, and its own cookie.

They have never heard of the site's policy. Two of them break it: the filing form wants its session
to last for two weeks, which is what Starlette does unless told otherwise, and the search for forms
wants to know for a year what was last looked for.
"""

from typing import Final
from urllib.parse import quote, unquote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.missouri_secretary_of_state.pages import LONGEST, fields, page, see

__all__ = ["account_app", "filing_app", "forms_app"]

YEAR: Final = 365 * 86_400
REQUIRED: Final = ("business", "address")

FORMS: Final = (
    "Annual registration report",
    "Articles of incorporation",
    "Articles of organization",
    "Registration of a fictitious name",
    "Reservation of a name",
    "Statement of change of registered agent",
)


# The filing form: three pages, and a session from the first to the last


def filing_app(secret_key: str, *, secure: bool) -> Starlette:
    """A form in three pages; its session's cookie, ``filing``, lives for 14 days."""
    session = Middleware(
        SessionMiddleware, secret_key=secret_key, session_cookie="filing", https_only=secure
    )
    routes = [
        Route("/", fill_in, methods=["GET", "POST"]),
        Route("/review", review),
        Route("/send", send, methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[session])


async def fill_in(request: Request) -> Response:
    if request.method == "GET":
        return page(request, "filing.html", filing=request.session)
    filing = {"email": "", **dict.fromkeys(REQUIRED, ""), **await fields(request)}
    missing = [name for name in REQUIRED if not filing[name]]
    if missing:
        return page(request, "filing.html", status=400, filing=filing, missing=missing)
    request.session.update({name: filing[name] for name in (*REQUIRED, "email")})
    return see(request, "/filings/review")


async def review(request: Request) -> Response:
    if not request.session:
        return see(request, "/filings/")
    return page(request, "review.html", filing=request.session)


async def send(request: Request) -> Response:
    if not request.session:
        return see(request, "/filings/")
    filing = dict(request.session)
    request.session.clear()
    return page(request, "filed.html", filing=filing)


# The search for forms: it remembers, and nobody asked it to


def forms_app() -> Starlette:
    """A search; its cookie, ``last-search``, lives for a year."""
    return Starlette(routes=[Route("/", look_for)])


async def look_for(request: Request) -> Response:
    words = request.query_params.get("q", "").strip()[:LONGEST]
    found = [title for title in FORMS if words.lower() in title.lower()]
    last = unquote(request.cookies.get("last-search", ""))
    response = page(request, "forms.html", words=words, found=found, last=last)
    if words:
        response.set_cookie("last-search", quote(words), max_age=YEAR)
    return response


# The account: a cookie that is what the policy says, without anybody's help


def account_app(secret_key: str, *, secure: bool) -> Starlette:
    """A log-in; its session's cookie, ``account``, lives until the browser is closed."""
    session = Middleware(
        SessionMiddleware,
        secret_key=secret_key,
        session_cookie="account",
        max_age=None,
        https_only=secure,
    )
    routes = [
        Route("/", log_in, methods=["GET", "POST"]),
        Route("/log-out", log_out, methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[session])


async def log_in(request: Request) -> Response:
    if request.method == "GET":
        return page(request, "account.html", user_id=request.session.get("user_id"))
    user_id = (await fields(request)).get("user_id", "")
    if not user_id:
        return page(request, "account.html", status=400, error="Enter your User ID.")
    request.session["user_id"] = user_id
    return see(request, "/account/")


async def log_out(request: Request) -> Response:
    request.session.clear()
    return see(request, "/account/")
