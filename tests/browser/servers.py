"""Real uvicorn on a free port of this machine, and a log of who came.

Has never heard of consent. Chromium resolves every name to this machine (tests/conftest.py). It
takes ``http://*.localhost`` for trustworthy: there it stores Secure, ``__Host-`` and Partitioned
cookies and sends Fetch Metadata, as on https and without a certificate.
"""

import socket
import threading
import time
from collections.abc import Mapping
from typing import NamedTuple, Self

import uvicorn
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

SITE = "www.staffordshire.localhost"
PARENT = "staffordshire.localhost"
ELSEWHERE = "www.elsewhere.localhost"
ANALYTICS = "analytics.example"


class Asked(NamedTuple):
    """One request that came."""

    method: str
    path: str
    headers: Mapping[str, str]


class Server:
    """An app behind uvicorn, in a thread. `log` has every request but for icons, in order."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.log: list[Asked] = []
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",  # it would take a bound method for an app of the old kind
            lifespan="off",
            ws="none",
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def origin(self, host: str = SITE) -> str:
        return f"http://{host}:{self.port}"

    def asked_for(self, path: str) -> list[Asked]:
        return [asked for asked in self.log if asked.path == path]

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._uvicorn.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("uvicorn did not start within ten seconds")
            time.sleep(0.01)
        return self

    def end(self) -> None:
        """Take no more requests, and do not wait for the rest."""
        self._uvicorn.should_exit = True

    def __exit__(self, *_error: object) -> None:
        self.end()
        self._thread.join(10)
        self._socket.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"] != "/favicon.ico":  # which browsers ask for when they like
            self.log.append(Asked(scope["method"], scope["path"], headers))
        await self._app(scope, receive, send)


class Site:
    """An app that answers every path with a page, and sets the same cookies with each of them.

    `bodies` has the markup of single paths, the others get `body`; `headers` go with every page.
    A POST is answered with a redirect to ``/done``.
    """

    def __init__(
        self,
        *cookies: str,
        body: str = "<h1>A page</h1>",
        bodies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.cookies = list(cookies)
        self.body = body
        self.bodies = dict(bodies or {})
        self.headers = dict(headers or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._answer(Request(scope, receive))
        for cookie in self.cookies:
            response.headers.append("set-cookie", cookie)
        await response(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if request.method == "POST":
            return RedirectResponse("/done", 303)
        if request.url.path == "/favicon.ico":
            return Response(status_code=204)
        body = self.bodies.get(request.url.path, self.body)
        return HTMLResponse(document(body), headers=self.headers)


def document(body: str) -> str:
    """A whole page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f"<body>{body}</body></html>"
    )
