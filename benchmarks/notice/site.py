"""One site under many names: the same page with each notice, compressed as a web server would.

Has never heard of measuring. Every notice has a host name of its own below ``.localhost``, which
Chromium takes for trustworthy, so brotli comes as on https. consentkit's are the page behind a real
ConsentMiddleware, which reads and changes it; the others have theirs written into it.
"""

from __future__ import annotations

import gzip
import multiprocessing
import random
import socket
from contextlib import contextmanager
from functools import lru_cache
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Final

import brotli
import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from benchmarks.notice.notices import BARE, NOTICES, Notice, files_of
from benchmarks.policies import SECRET
from consentkit import ConsentMiddleware
from consentkit.rules.policy_file import policy_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from consentkit import Policy

_HERE: Final = Path(__file__).parent
PATIENCE: Final = 20
_FOREVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
_TYPES: Final = {"css": "text/css", "js": "text/javascript"}

# The page

_SENTENCES: Final = 193
_WORDS: Final = (_HERE / "words.txt").read_text("utf-8").split()
_STYLE: Final = """
:root { color-scheme: light dark; }
body { margin: 0; font: 100%/1.6 system-ui, sans-serif; color: #222; background: #fff; }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 1rem; }
header { display: flex; gap: 2rem; align-items: baseline; border-bottom: 1px solid #ccc; }
nav ul { display: flex; gap: 1rem; margin: 0; padding: 0; list-style: none; }
h1, h2 { line-height: 1.2; }
a { color: #05c; }
article { max-width: 40rem; }
footer { border-top: 1px solid #ccc; font-size: .875rem; }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #111; } a { color: #8bf; } }
"""
_SCRIPT: Final = """
document.documentElement.dataset.site = 'ready';
"""
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>A page of some length</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/site.css">
<script defer src="/site.js"></script>
{head}</head>
<body>
<header><p><a href="/">The site</a></p><nav><ul>{links}</ul></nav></header>
<main><h1>A page of some length</h1><article>{article}</article></main>
<footer><p>The end of the page. <a href="/privacy">Privacy</a></p></footer>
{foot}</body>
</html>
"""


def _article() -> Iterator[str]:
    # Words by chance compress as text does, which one sentence again and again would not.
    chance = random.Random(18)  # noqa: S311 - the same words in every run, and no secret
    for number in range(_SENTENCES):
        if number % 17 == 0:
            yield f"<h2>{' '.join(chance.choices(_WORDS, k=4)).capitalize()}</h2>\n<p>"
        words = chance.choices(_WORDS, k=chance.randrange(8, 24))
        yield f"{' '.join(words).capitalize()}. "
        if number % 17 in (5, 11, 16):
            yield '</p>\n<p><a href="/more">Read on</a> ' if number % 17 != 16 else "</p>\n"


def page(notice: Notice) -> str:
    """The page with what the notice asks to be written into it."""
    links = "".join(f'<li><a href="/{word}">{word.capitalize()}</a></li>' for word in _WORDS[60:66])
    return _PAGE.format(
        head=notice.head and f"{notice.head}\n",
        foot=notice.foot and f"{notice.foot}\n",
        links=links,
        article="".join(_article()).rstrip(),
    )


# The server


def policy_of(layout: str) -> Policy:
    """The policy that says what the peers' set-ups say."""
    text = (_HERE / "consent.yaml").read_text("utf-8")
    return policy_from({**yaml.safe_load(text), "banner": {"layout": layout}})


def site_of(notice: Notice, folder: Path) -> ASGIApp:
    """The site as it is with one notice; the peers' packages are in `folder`."""
    files = {path: body.decode() for path, body in _files(notice, folder).items()}
    html = page(notice)

    async def home(request: Request) -> Response:
        return HTMLResponse(html)

    async def file(request: Request) -> Response:
        path = request.url.path
        if path not in files:
            return PlainTextResponse("no such file", 404)
        return Response(files[path], headers=_FOREVER, media_type=_TYPES[path.rpartition(".")[2]])

    site: ASGIApp = Starlette(routes=[Route("/", home), Route("/{path:path}", file)])
    if notice.layout:
        site = ConsentMiddleware(site, policy=policy_of(notice.layout), secret_key=SECRET)
    return Compressed(site)


def _files(notice: Notice, folder: Path) -> dict[str, bytes]:
    files = {"/site.css": _STYLE.encode(), "/site.js": _SCRIPT.encode()}
    if notice.package:
        packed = files_of(notice.package, folder)
        files |= {f"/notice/{path}": body for path, body in packed.items()}
    return files | ({"/notice/config.js": notice.config.encode()} if notice.config else {})


class Compressed:
    """Brotli, or else gzip, for every body that has no coding yet.

    As web servers do it: pages on the fly, at ngx_brotli's level; files once, as small as it gets.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`, whose bodies are small enough to be held."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a response through, compressed."""
        accepts = Headers(scope=scope).get("accept-encoding", "")
        start: Message = {}
        body = b""

        async def compress(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if not message.get("more_body", False):
                coded = _coded(start, body, accepts)
                await send(start)
                await send({**message, "body": coded})

        await self._app(scope, receive, compress)


def _coded(start: Message, body: bytes, accepts: str) -> bytes:
    headers = MutableHeaders(raw=start.setdefault("headers", []))
    if not body or "content-encoding" in headers:
        return body
    is_file = "immutable" in headers.get("cache-control", "")
    coding = next((coding for coding in ("br", "gzip") if coding in accepts), None)
    headers.add_vary_header("Accept-Encoding")
    if coding:
        headers["content-encoding"] = coding
        body = _compressed(body, coding, is_file)
    headers["content-length"] = str(len(body))
    return body


@lru_cache(maxsize=64)
def _compressed(body: bytes, coding: str, is_file: bool) -> bytes:  # noqa: FBT001 - a cache's key
    if coding == "gzip":
        return gzip.compress(body, 9 if is_file else 6, mtime=0)
    packed: bytes = brotli.compress(body, quality=11 if is_file else 6)
    return packed


def by_host(sites: Mapping[str, ASGIApp]) -> ASGIApp:
    """An app for each host name below ``.localhost``."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sites[Headers(scope=scope)["host"].partition(".")[0]](scope, receive, send)

    return app


def _serve(listening: socket.socket, folder: Path) -> None:
    sites = {notice.host: site_of(notice, folder) for notice in NOTICES}
    config = uvicorn.Config(
        by_host(sites), interface="asgi3", lifespan="off", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """The port of uvicorn, in a process of its own: the browser's driver is not in its way."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        server = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(listening, folder), daemon=True
        )
        server.start()
    try:
        _ask(port)
        yield port
    finally:
        server.terminate()
        server.join(PATIENCE)


def _ask(port: int) -> None:
    # The socket listens already, so this waits until the server has started, or fails with it.
    asking = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    asking.request("GET", "/", headers={"Host": f"{BARE.host}.localhost"})
    asking.getresponse().read()
    asking.close()
