"""The site of a town's library as an app of Starlette: pages, a log-in, a poll; things of others.

It has never heard of banners, nor of what goes wrong: `faults` has the table of that, and each can
be switched on by its name.

Start it alone with ``uvicorn --factory examples.town_library.app:create_app``, and with
``FAULTS=undeclared-cookie,no-banner`` in the environment to see the auditor find them.
"""

import os
import secrets
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp

from consentkit import ConsentMiddleware, Event, load_policy, visitor_from
from examples.town_library.faults import STATE, Edge, policy_file, state_of

__all__ = ["create_app"]

HERE: Final = Path(__file__).parent
DEMONSTRATION_KEY: Final = "for demonstrations only: whoever reads this could sign answers"
DAY: Final = 86_400
THIRTEEN_MONTHS: Final = 395 * DAY
LONGEST_NAME: Final = 40
POLL: Final = "voted-sundays"
BOOKS: Final = ("Year of the Heron", "Bread in Nine Hours", "A Short History of Fences")

templates = Jinja2Templates(HERE / "templates")
templates.env.trim_blocks = True


def create_app(
    *faults: str,
    third_parties: str | None = None,
    secure: bool = True,
    secret_key: str = DEMONSTRATION_KEY,
    on_decision: Callable[[Event], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> ASGIApp:
    """The site, held to its policy at every door; `faults` are what is wrong with it all the same.

    - `faults`: names of the table in `faults`, else those in the environment's FAULTS, else none;
    - `third_parties`: the origin of those whose things are embedded, with ``{}`` for the name of
      one, else the environment's THIRD_PARTIES, else ``http://{}.example``;
    - `secure`: it is served over https;
    - `secret_key`: signs its log-in and the readers' answers;
    - `on_decision`, `clock`: as `ConsentMiddleware` has them.

    Raises ValueError for a name that is not in the table.
    """
    wrong = faults or tuple(filter(None, os.environ.get("FAULTS", "").split(",")))
    origin = third_parties or os.environ.get("THIRD_PARTIES", "http://{}.example")
    policy = load_policy(policy_file(*wrong))
    # A log-in that lives as long as the browser is open.
    session = Middleware(
        SessionMiddleware,
        secret_key=secret_key,
        session_cookie="library_session",
        max_age=None,
        https_only=secure,
    )
    site = Starlette(routes=ROUTES, middleware=[session])
    site.state.origin_of = origin.format
    site.state.votes = Counter[str]()
    site.state.secure = secure
    site.state.is_faulty = bool(wrong)
    held = ConsentMiddleware(
        site,
        policy=policy,
        secret_key=secret_key,
        secure=secure,
        on_decision=on_decision,
        clock=clock,
    )
    return Edge(held, wrong, origin_of=origin.format) if wrong else held


def page(request: Request, template: str, *, status: int = 200, **context: object) -> Response:
    """A page of the site, with the visit counted.

    The cookie is set and the tags are written in any case, as by a site that asks nobody: until the
    reader allows it, the one is blocked, and the others wait in the page.
    """
    state = request.app.state
    context |= {
        "origin_of": state.origin_of,
        "name": request.session.get("name"),
        "token": request.session.get("token", ""),
        "path_to": partial(path_to, request),
    }
    response = templates.TemplateResponse(request, template, context, status_code=status)
    visits = request.cookies.get("visits", "0")
    store = partial(response.set_cookie, secure=state.secure, httponly=True)
    store("visits", str(int(visits) + 1 if visits.isdecimal() else 1), max_age=THIRTEEN_MONTHS)
    if state.is_faulty:
        response.headers[STATE] = state_of(visitor_from(request))
    return response


def path_to(request: Request, route: str, **params: str) -> str:
    """The path of a page, below the prefix under which the site is mounted."""
    prefix: str = request.scope.get("root_path", "")
    return f"{prefix}{request.app.url_path_for(route, **params)}"


def see(request: Request, route: str) -> RedirectResponse:
    """Send the browser on to a page, once a form is dealt with."""
    return RedirectResponse(path_to(request, route), 303)


async def field(request: Request, name: str) -> str:
    """One field of a form that was posted, or an empty text."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    return fields.get(name, [""])[0].strip()


async def home(request: Request) -> Response:
    return page(request, "home.html")


async def books(request: Request) -> Response:
    return page(request, "books.html", books=BOOKS)


async def hours(request: Request) -> Response:
    return page(request, "hours.html")


async def cookies(request: Request) -> Response:
    return page(request, "cookies.html")


async def poll(request: Request) -> Response:
    votes: Counter[str] = request.app.state.votes
    has_voted = POLL in request.cookies
    if request.method == "GET" or has_voted:
        return page(request, "poll.html", has_voted=has_voted, votes=votes)
    votes["yes" if await field(request, "answer") == "yes" else "no"] += 1
    response = see(request, "poll")
    secure = request.app.state.secure
    response.set_cookie(POLL, "1", max_age=DAY, secure=secure, httponly=True)
    return response


async def log_in(request: Request) -> Response:
    # The token against forgery stands in the session, so the form is what begins one.
    token = request.session.setdefault("token", secrets.token_urlsafe(16))
    if request.method == "GET":
        return page(request, "log_in.html")
    if await field(request, "token") != token:
        return page(request, "log_in.html", status=403, error="Send the form once more.")
    name = (await field(request, "name"))[:LONGEST_NAME]
    if not name:
        return page(request, "log_in.html", status=400, error="Enter a name.")
    request.session["name"] = name
    return see(request, "home")


async def log_out(request: Request) -> Response:
    if await field(request, "token") == request.session.get("token"):
        request.session.clear()
    return see(request, "home")


ROUTES: Final = [
    Route("/", home, name="home"),
    Route("/books", books, name="books"),
    Route("/hours", hours, name="hours"),
    Route("/poll", poll, name="poll", methods=["GET", "POST"]),
    Route("/log-in", log_in, name="log_in", methods=["GET", "POST"]),
    Route("/log-out", log_out, name="log_out", methods=["POST"]),
    Route("/cookies", cookies, name="cookies"),
    Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
]
