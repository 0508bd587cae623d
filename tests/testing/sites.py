"""A site with a policy in a file, for the tests of what tests of sites use.

It sets three cookies on every page, and its page asks two services and one stranger for something.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from consentkit import ConsentMiddleware, Policy, load_policy
from consentkit.rules.policy_file import read_policy

KEY = "a secret for tests, thirty-two bytes or more"
YAML = """\
site: {name: Hello, controller: Example Limited}
mode: explicit
revision: 2
purposes:
  necessary:
    {title: Needed, description: Keeps you logged in., basis: strictly-necessary,
     justification: authentication, since: 1}
  measurement: {title: Counting visits, description: Counts visits., since: 2}
  maps: {title: Maps, description: Shows the way.}
cookies:
  sid: {kind: session, purpose: necessary, description: Your log-in.}
  visits:
    kind: analytics
    purpose: measurement
    duration: 1 day
    description: The number of your visits.
  partner: {kind: session, purpose: maps, party: third, description: Set by the map.}
  Poll-{id}: {kind: poll-timeout, purpose: maps, description: You voted.}
  once: {kind: session, purpose: measurement, renew: false, description: Never extended.}
storage:
  theme: {where: local, purpose: necessary, justification: interface-choice, description: Dark.}
services:
  atlas: {purpose: maps, provider: Atlas, hosts: [tiles.example, "*.tiles.example"]}
  counter: {purpose: measurement, provider: Counter, hosts: [count.example], inline: [countIt]}
"""
MAP = '<iframe src="https://tiles.example/embed?key=secret"></iframe>'
TAG = '<script src="https://count.example/c.js?id=secret"></script>'
INLINE = "<script>countIt()</script>"
STRANGER = '<img src="https://stranger.example/p.gif?id=secret">'
COOKIES = ("sid=1; Path=/; HttpOnly", "visits=1; Path=/; Max-Age=60", "stray=1; Path=/")


def page(*body: str) -> str:
    return f"<!doctype html><html lang=en><title>A</title><body><p>A</p>{''.join(body)}"


def write(folder: Path, text: str = YAML) -> Policy:
    """The policy of the site, from a file called consent.yaml in a folder."""
    file = folder / "consent.yaml"
    file.write_text(text, "utf-8")
    return load_policy(file)


def policy(text: str = YAML) -> Policy:
    """The policy of the site, from no file at all."""
    return read_policy(text)


async def _home(request: Request) -> Response:
    response = HTMLResponse(page(MAP, TAG, INLINE, STRANGER))
    for cookie in COOKIES:
        response.headers.append("set-cookie", cookie)
    return response


async def _plain(request: Request) -> Response:
    return HTMLResponse(page())


async def _seen(request: Request) -> Response:
    return JSONResponse(dict(request.headers.items()))


async def _vote(request: Request) -> Response:
    response = JSONResponse({})
    response.set_cookie("Poll-7", "1")
    return response


async def _once(request: Request) -> Response:
    response = HTMLResponse(page())
    response.set_cookie("once", "1")
    return response


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_json([str(socket.url), sorted(socket.cookies)])
    await socket.close()


def bare() -> Starlette:
    """The site, which has never heard of consent."""
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
    return Starlette(
        routes=[
            Route("/", _home),
            Route("/plain", _plain),
            Route("/seen", _seen, methods=methods),
            Route("/vote", _vote, methods=["GET", "POST"]),
            Route("/once", _once),
            WebSocketRoute("/echo", _echo),
        ]
    )


def site(
    rules: Policy | None = None, app: ASGIApp | None = None, **options: Any
) -> ConsentMiddleware:
    """The site, with the middleware around it."""
    given = {"secret_key": KEY, **options}
    return ConsentMiddleware(
        bare() if app is None else app, policy=policy() if rules is None else rules, **given
    )
