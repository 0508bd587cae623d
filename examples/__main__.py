"""Serves the examples, and prints what consentkit does on them: ``python -m examples``.

It has never heard of policies: it opens the doors, and repeats what the middlewares tell it.

Each site has a port of its own, so that each stands at ``/`` as it would on a host. Browsers do
not keep the cookies of two ports apart; the sites' cookies have different names.
"""

import argparse
import asyncio
import errno
import os
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import uvicorn
from jinja2 import Template
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from consentkit import ConsentMiddleware, Event
from examples.missouri_secretary_of_state import app as missouri
from examples.staffordshire_police import app as staffordshire
from examples.third_parties import ThirdParties

HERE: Final = Path(__file__).parent

# Its app.py names its policy as a reader's would: by the folder in which it is started.
with chdir(HERE / "quickstart"):
    from examples.quickstart import app as quickstart

SITES: Final = ("index", "staffordshire", "missouri", "quickstart", "elsewhere")
"""What is served, in the order of the ports."""
COLOURS: Final = {"blocked": 31, "expired": 35, "hidden": 33, "trimmed": 36, "asked": 32}
"""ANSI colours of what is done to a cookie or a host; *asked* is what a third party was."""
ROW: Final = "{act:<9}  {name:<19}  {why:<38}  {request}"

request_of: ContextVar[str] = ContextVar("request_of", default="")
"""The request being answered: site, method and path."""


@dataclass(frozen=True)
class Terminal:
    """Prints one line for each event, in columns; in colour only where somebody looks."""

    out: TextIO
    in_colour: bool

    @classmethod
    def on(cls, out: TextIO, environ: Mapping[str, str]) -> "Terminal":
        """The terminal behind `out`; NO_COLOR in the environment turns colour off."""
        return cls(out, out.isatty() and not environ.get("NO_COLOR"))

    def say(self, text: str) -> None:
        """Print a text at once, also into a pipe."""
        print(text, file=self.out, flush=True)

    def tell(self, event: Event) -> None:
        """Print what was done to a cookie or a host, and why."""
        purpose = event.decision.purpose if event.decision is not None else None
        self._row(event.act, event.name, in_days(event.why) + (f" ({purpose})" if purpose else ""))

    def tell_asked(self, host: str) -> None:
        """Print that a third party was asked for something; the request says what."""
        self._row("asked", host, "knows of your visit")

    def _row(self, act: str, name: str, why: str) -> None:
        """A line for people, with the request in whose answer it happened."""
        # A name comes from outside: no control character of it reaches the terminal.
        name = name if name.isprintable() else ascii(name)
        row = ROW.format(act=act, name=name, why=why, request=request_of.get())
        colour = COLOURS.get(act)
        self.say(f"\x1b[{colour}m{row[:9]}\x1b[0m{row[9:]}" if colour and self.in_colour else row)


def in_days(why: str) -> str:
    """A reason with its lifetimes in days where they are seconds: ``-Max-Age=730 days``."""
    return re.sub(r"(?<=Max-Age=)\d+", lambda seconds: f"{int(seconds[0]) / 86_400:g} days", why)


class Doors:
    """One ASGI app for several ports: each leads to an app of its own."""

    def __init__(self, apps: Mapping[int, tuple[str, ASGIApp]]) -> None:
        """`apps` by port, each with the name it is told by."""
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the app of the port it came to."""
        name, app = self._apps[scope["server"][1]]
        request_of.set(f"{name} {scope['method']} {ascii(scope['path'])[1:-1]}")
        await app(scope, receive, send)


def apps(urls: Mapping[str, str], terminal: Terminal) -> dict[str, ASGIApp]:
    """What is served, by name; `urls` are their addresses, each with a slash at its end."""
    on_decision = terminal.tell
    # secure=False in all of them, since browsers keep no Secure cookie of an http page; only a
    # few make an exception for localhost.
    index = Template((HERE / "index.html").read_text("utf-8"), autoescape=True).render(urls)

    async def show_index(_request: Request) -> HTMLResponse:
        return HTMLResponse(index)

    return {
        "index": Starlette(routes=[Route("/", show_index)]),
        "staffordshire": staffordshire.create_app(
            third_parties=os.environ.get("THIRD_PARTIES", elsewhere(urls["elsewhere"])),
            secure=False,
            on_decision=on_decision,
        ),
        "missouri": missouri.create_app(secure=False, on_decision=on_decision),
        # The quickstart is left as it stands in the README. A second middleware around it, with
        # the same policy, does the work and tells of it, and the inner one stands down.
        "quickstart": ConsentMiddleware(
            quickstart.app,
            policy=quickstart.policy,
            secret_key=quickstart.KEY,
            secure=False,
            on_decision=on_decision,
        ),
        "elsewhere": ThirdParties(terminal.tell_asked),
    }


def elsewhere(url: str) -> str:
    """The origins of the third parties, with ``{}`` for the name of each.

    Browsers take every name that ends with ``.localhost`` for this machine, and each for a site of
    its own (RFC 6761 §6.3).
    """
    return url.rstrip("/").replace("127.0.0.1", "{}.localhost")


def bind(port: int) -> socket.socket:
    """A listening socket of this machine alone; port 0 takes any that is free.

    Raises SystemExit, with what to do, where the port cannot be had.
    """
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        what = "is in use" if in_use else f"cannot be opened ({error.strerror})"
        sys.exit(f"Port {port} {what}. Try others: ./scripts/demo --port 9000")


def port_number(text: str) -> int:
    """The first port, with room for the others after it."""
    port = int(text)
    if not 0 <= port <= 65535 - len(SITES) + 1:
        raise ValueError
    return port


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until somebody presses Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m examples", description="Serves the examples.")
    ports_help = f"the first of {len(SITES)} ports (default: 8000); 0 takes any that are free"
    parser.add_argument("--port", type=port_number, default=8000, help=ports_help)
    first = parser.parse_args(arguments).port

    sockets = [bind(first + place if first else 0) for place in range(len(SITES))]
    ports = {site: each.getsockname()[1] for site, each in zip(SITES, sockets, strict=True)}
    urls = {site: f"http://127.0.0.1:{ports[site]}/" for site in SITES}

    terminal = Terminal.on(sys.stdout, os.environ)
    served = apps(urls, terminal)
    terminal.say(introduction(urls))
    doors = Doors({ports[site]: (site, served[site]) for site in SITES})
    serve(doors, sockets)


def introduction(urls: Mapping[str, str]) -> str:
    """What to open, and the heading of the lines that follow."""
    lines = [f"  {site:<15}{url}" for site, url in urls.items()]
    heading = ROW.format(act="what", name="cookie or host", why="why", request="site and request")
    return "\n".join(["Open the first of these; Ctrl-C ends.", "", *lines, "", heading])


def serve(app: ASGIApp, sockets: list[socket.socket]) -> None:
    """Run `app` on these sockets; an interrupt ends it without a word."""
    config = uvicorn.Config(
        app, lifespan="off", ws="none", log_level="warning", timeout_graceful_shutdown=2
    )
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
