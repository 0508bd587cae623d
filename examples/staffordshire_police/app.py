"""The site of Staffordshire Police as an app of Starlette: news, polls, a log-in; things of others.

It has never heard of banners, tokens or lifetimes: it sets its cookies, and writes a film, social
buttons and analytics into its pages, as a site does that does not care. What may stay of the one,
and what of the other is fetched, is decided by ``consent.yaml``.

Start it alone with ``uvicorn --factory examples.staffordshire_police.app:create_app``.
"""

import os
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from consentkit import ConsentMiddleware, Event, Policy, load_policy

__all__ = ["create_app"]

HERE: Final = Path(__file__).parent
DEMONSTRATION_KEY: Final = "for demonstrations only: whoever reads this could sign answers"
DAY: Final = 86_400
TWO_YEARS: Final = 2 * 365 * DAY
LONGEST_NAME: Final = 40

templates = Jinja2Templates(HERE / "templates")
templates.env.trim_blocks = True


@dataclass(frozen=True)
class Poll:
    """A question, and what can be answered."""

    question: str
    answers: tuple[str, ...]


POLLS: Final = {
    17: Poll(
        "Where should we patrol on foot more often?",
        ("In town centres", "On housing estates", "In villages"),
    ),
    18: Poll("How do you like to hear from us?", ("By e-mail", "On this site", "In person")),
}

NETWORKS: Final = {
    "twitter": "Tweet",
    "plus-one": "Google +1",
    "facebook": "Like",
    "linkedin": "Share on LinkedIn",
    "instagram": "Instagram",
}
"""The social buttons that the cookie page lists: the name of each in its host, and its label."""


def create_app(  # noqa: PLR0913 - each is a thing that a test or the demo varies
    *,
    third_parties: str | None = None,
    secure: bool = True,
    secret_key: str = DEMONSTRATION_KEY,
    policy: Policy | None = None,
    on_decision: Callable[[Event], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> ConsentMiddleware:
    """The site, held to its policy at every door.

    - `third_parties`: the origin of those whose things are embedded, with ``{}`` for the name of
      one, else the environment's THIRD_PARTIES, else ``http://{}.example``;
    - `secure`: it is served over https;
    - `secret_key`: signs its log-in and the visitors' answers;
    - `policy`: another than that of ``consent.yaml``;
    - `on_decision`, `clock`: as `ConsentMiddleware` has them.
    """
    # Starlette keeps a log-in for two weeks unless told otherwise. The policy says "session", so
    # the lifetime is taken off on the way out.
    session = Middleware(
        SessionMiddleware, secret_key=secret_key, session_cookie="clientvars", https_only=secure
    )
    site = Starlette(routes=ROUTES, middleware=[session])
    site.state.third_parties = third_parties or os.environ.get("THIRD_PARTIES", "http://{}.example")
    site.state.votes = {pollid: Counter[str]() for pollid in POLLS}
    return ConsentMiddleware(
        site,
        policy=policy or load_policy(HERE / "consent.yaml"),
        secret_key=secret_key,
        secure=secure,
        on_decision=on_decision,
        clock=clock,
    )


def page(request: Request, template: str, *, status: int = 200, **context: object) -> Response:
    """A page of the site, with analytics in it.

    The tags are written and the cookie set in any case, as by a site that asks nobody: until the
    visitor allows it, the ones wait in the page, and the other is blocked.
    """
    context |= {
        "origin_of": request.app.state.third_parties.format,
        "address": str(request.url),
        "name": request.session.get("name"),
        "path_to": partial(path_to, request),
    }
    response = templates.TemplateResponse(request, template, context, status_code=status)
    response.set_cookie("_ga", request.cookies.get("_ga", new_client_id()), max_age=TWO_YEARS)
    return response


def new_client_id() -> str:
    """A number for a visitor, as Google Analytics makes them."""
    return f"GA1.1.{secrets.randbelow(2**31)}.{int(time.time())}"


async def field(request: Request, name: str) -> str:
    """One field of a form that was posted, or an empty text."""
    # Not `request.form()`, which needs one more package even for the simplest of forms.
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    return fields.get(name, [""])[0].strip()


def poll_of(request: Request) -> tuple[int, Poll]:
    """The poll that the path names. Raises HTTPException (404) if there is none."""
    pollid = request.path_params["pollid"]
    if pollid not in POLLS:
        raise HTTPException(404, "There is no such poll.")
    return pollid, POLLS[pollid]


def path_to(request: Request, route: str, **params: str | int) -> str:
    """The path of a page, below the prefix under which the site is mounted."""
    # Not `request.url_for`, which asks the outermost router, and that one knows no page of ours.
    prefix: str = request.scope.get("root_path", "")
    return f"{prefix}{request.app.url_path_for(route, **params)}"


def see(request: Request, route: str, **params: int) -> RedirectResponse:
    """Send the browser on to a page, once a form is dealt with."""
    return RedirectResponse(path_to(request, route, **params), 303)


async def home(request: Request) -> Response:
    return page(request, "home.html", polls=POLLS)


async def news(request: Request) -> Response:
    return page(request, "news.html", networks=NETWORKS)


async def polls(request: Request) -> Response:
    return page(request, "polls.html", polls=POLLS)


async def poll(request: Request) -> Response:
    return poll_page(request)


async def vote(request: Request) -> Response:
    pollid, one = poll_of(request)
    answer = await field(request, "answer")
    if answer not in one.answers:
        return poll_page(request, status=400, error="Choose one of the answers.")
    if f"PollTimeout-{pollid}" in request.cookies:
        return poll_page(request, status=409)
    request.app.state.votes[pollid][answer] += 1
    response = see(request, "poll", pollid=pollid)
    response.set_cookie(f"PollTimeout-{pollid}", "voted", max_age=DAY)
    return response


def poll_page(request: Request, *, status: int = 200, error: str = "") -> Response:
    """A poll: to vote in, or with what came of it for those who did."""
    pollid, one = poll_of(request)
    has_voted = f"PollTimeout-{pollid}" in request.cookies
    return page(
        request,
        "poll.html",
        status=status,
        pollid=pollid,
        poll=one,
        votes=request.app.state.votes[pollid],
        has_voted=has_voted,
        is_second_vote=has_voted and request.method == "POST",
        error=error,
    )


async def log_in(request: Request) -> Response:
    if request.method == "GET":
        return page(request, "log_in.html")
    name = (await field(request, "name"))[:LONGEST_NAME]
    if not name:
        return page(request, "log_in.html", status=400, error="Enter a name.")
    request.session["name"] = name
    return see(request, "home")


async def log_out(request: Request) -> Response:
    request.session.clear()
    return see(request, "home")


async def cookie_policy(request: Request) -> Response:
    return page(request, "cookie_policy.html")


ROUTES: Final = [
    Route("/", home, name="home"),
    Route("/news", news, name="news"),
    Route("/polls", polls, name="polls"),
    Route("/polls/{pollid:int}", poll, name="poll"),
    Route("/polls/{pollid:int}/vote", vote, name="vote", methods=["POST"]),
    Route("/log-in", log_in, name="log_in", methods=["GET", "POST"]),
    Route("/log-out", log_out, name="log_out", methods=["POST"]),
    Route("/cookie-policy", cookie_policy, name="cookie_policy"),
    Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
]
