"""What every host is asked: where the notice stands, what its form says, what a server answers.

Has never heard of any framework.
"""

from __future__ import annotations

import re
from contextlib import suppress
from html import unescape
from typing import NamedTuple

import html5lib
from starlette.types import ASGIApp, Receive, Scope, Send

from consentkit.wire.cookies import set_cookie_name
from tests.browser import servers
from tests.hosts.sites import BrokenError

NOTICE = re.compile(
    rb'<link rel="stylesheet" href="[^"]*/assets/consent\.[^"]*">\n'
    rb'<section class="consentkit .*?</section>',
    re.DOTALL,
)
"""The style sheet of the notice, and the notice."""


class Parted(NamedTuple):
    """A page, and the notice that was taken out of it (empty if there was none)."""

    page: bytes
    notice: bytes


def parted(page: bytes) -> Parted:
    """The page without its one notice, which must stand first in the body."""
    found = NOTICE.findall(page)
    assert len(found) <= 1
    assert b'id="consentkit' not in NOTICE.sub(b"", page)
    if not found:
        return Parted(page, b"")
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    # A page that never says where its body begins has the style sheet in its head.
    first = next(e for e in tree.find("body") if e.tag != "link")
    assert first.get("id") == "consentkit"
    assert len([e for e in tree.iter() if e.get("id") == "consentkit"]) == 1
    return Parted(page.replace(found[0], b""), found[0])


def answer(notice: bytes, choice: str) -> tuple[str, dict[str, str]]:
    """Where the notice's own form posts, and the fields of one of its buttons."""
    form = next(e for e in html5lib.parse(notice, namespaceHTMLElements=False).iter("form"))
    assert form.get("method") == "post"
    hidden = [e for e in form.iter("input") if e.get("type") == "hidden"]
    fields = {str(e.get("name")): str(e.get("value")) for e in hidden}
    buttons = [e for e in form.iter("button") if e.get("value") == choice]
    assert [e.get("name") for e in buttons] == ["choice"]
    return str(form.get("action")), {**fields, "choice": choice}


def hidden_field(page: str, name: str) -> str:
    """The value of a hidden field of a page, such as a token against forgery."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None
    return unescape(found[1])


def names(set_cookies: tuple[bytes, ...]) -> list[str]:
    """The names that these Set-Cookie values store or remove."""
    return [set_cookie_name(value).decode() for value in set_cookies]


def forgiving(app: ASGIApp) -> ASGIApp:
    """The app, without the error that it raises once its error page is sent."""

    async def shell(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(BrokenError):
            await app(scope, receive, send)

    return shell


class Server(servers.Server):
    """An app behind a real uvicorn, with its lifespan and its websockets."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self._uvicorn.config.lifespan = "auto"
        self._uvicorn.config.ws = "websockets-sansio"

    @property
    def address(self) -> str:
        """Where it listens, without a scheme."""
        return f"127.0.0.1:{self.port}"

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await super()._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)
