"""The site of Missouri's Secretary of State as an app of Starlette, with three apps inside it.

It has never heard of lifetimes: that what leaves it is a session cookie, whichever app inside set
it, is the work of ``consent.yaml``.

Start it alone with ``uvicorn --factory examples.missouri_secretary_of_state.app:create_app``.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from consentkit import ConsentMiddleware, Event, Policy, load_policy
from examples.missouri_secretary_of_state.inner_apps import account_app, filing_app, forms_app
from examples.missouri_secretary_of_state.pages import page

__all__ = ["create_app", "create_site"]

HERE: Final = Path(__file__).parent
DEMONSTRATION_KEY: Final = "for demonstrations only: whoever reads this could sign answers"


def create_app(
    *,
    secure: bool = True,
    secret_key: str = DEMONSTRATION_KEY,
    policy: Policy | None = None,
    on_decision: Callable[[Event], None] | None = None,
    clock: Callable[[], float] = time.time,
) -> ConsentMiddleware:
    """The site, held to its policy at every door.

    - `secure`: it is served over https;
    - `secret_key`: signs the sessions of the apps inside;
    - `policy`: another than that of ``consent.yaml``;
    - `on_decision`, `clock`: as `ConsentMiddleware` has them.
    """
    return ConsentMiddleware(
        create_site(secure=secure, secret_key=secret_key),
        policy=policy or load_policy(HERE / "consent.yaml"),
        secret_key=secret_key,
        secure=secure,
        on_decision=on_decision,
        clock=clock,
    )


def create_site(*, secure: bool = True, secret_key: str = DEMONSTRATION_KEY) -> Starlette:
    """The site by itself, held to nothing: what its apps set is what the browser gets."""
    return Starlette(
        routes=[
            Route("/", home),
            Route("/privacy-policy", privacy_policy),
            Mount("/filings", filing_app(secret_key, secure=secure)),
            Mount("/forms", forms_app()),
            Mount("/account", account_app(secret_key, secure=secure)),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]
    )


async def home(request: Request) -> Response:
    return page(request, "home.html")


async def privacy_policy(request: Request) -> Response:
    return page(request, "privacy_policy.html")
