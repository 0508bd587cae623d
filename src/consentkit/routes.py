"""The few endpoints: choose, preferences, declaration, status, assets, and gpc.json.

It has never heard of enforcement: it changes the visitor's answers, and what carries them out of
the app is somebody else's work. It is an ASGI app of its own.

Who may post an answer: the site's own pages, and nobody else (LAW R-10). A wrong request changes
nothing and is told what was wrong, as a page or as JSON.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from consentkit.notice.banner import Page, message_page, preferences_page, stylesheet
from consentkit.notice.declaration import declaration_json, declaration_page
from consentkit.notice.text import choose_language
from consentkit.rules.signals import Signal
from consentkit.wire.headers import accepted_languages, first_values, is_from_same_origin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from starlette.types import Receive, Scope, Send

    from consentkit.rules.policy import Policy
    from consentkit.rules.visitor import Visitor
    from consentkit.wire.headers import Fields

__all__ = ["Endpoints", "safe_next"]

LARGEST_BODY: Final = 16 << 10
"""Octets of an answer; more is 413."""
_MOST_FIELDS: Final = 512
_PATH_CHARACTERS: Final = "/-._~!$&'()*+,;=:@"
_PRIVATE: Final = {"cache-control": "no-store"}
_PAGE: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
}
"""Our own pages are forms and text: nothing runs in them, and nobody else frames them."""
_FOREVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
_SHORTLY: Final = {"cache-control": "public, max-age=300"}
_SAFE_NEXT: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*+\Z")


def safe_next(path: str) -> str | None:
    """`path` if it is a path on this site, else None: no other host, no control character."""
    return path if len(path) <= LARGEST_BODY and _SAFE_NEXT.match(path) else None


class _Unacceptable(Exception):  # noqa: N818 - it is an answer to a request, not an error
    """A request that changes nothing: the status, the page that explains, a word for scripts."""

    def __init__(self, status: HTTPStatus, page: Page, word: str) -> None:
        self.status, self.page, self.word = status, page, word
        super().__init__(word)


def _unknown(word: str) -> _Unacceptable:
    return _Unacceptable(HTTPStatus.BAD_REQUEST, Page.UNKNOWN, word)


class Endpoints:
    """The endpoints of one policy, under `path`.

    `visitor_of` finds the visitor of a scope, `tokens` are the names of our own two cookies,
    `trusted_origins` (lower case) may post answers from elsewhere, `note_scheme` looks at the
    headers of every answer.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what the middleware made ready
        self,
        policy: Policy,
        path: str,
        tokens: Sequence[str],
        visitor_of: Callable[[Scope], Visitor],
        trusted_origins: Collection[str],
        note_scheme: Callable[[Fields], None],
    ) -> None:
        """List the endpoints; what does not depend on the visitor is made here, once."""
        self._policy = policy
        self._path = path
        self._tokens = tokens
        self._visitor_of = visitor_of
        self.trusted = frozenset(origin.encode("ascii") for origin in trusted_origins)
        self._note_scheme = note_scheme
        css = stylesheet()
        self._routes: dict[str, Callable[[_Request], Awaitable[Response]]] = {
            path: self._choose_or_show,
            f"{path}/cookies": self._declaration,
            f"{path}/declaration.json": self._declaration_json,
            f"{path}/status": self._status,
            f"{path}/assets/{css.name}": self._stylesheet,
        }
        if any(Signal.GPC in policy.purposes[name].honours for name in policy.optional_purposes):
            self._routes["/.well-known/gpc.json"] = self._gpc

    @property
    def paths(self) -> frozenset[str]:
        """Every path answered here."""
        return frozenset(self._routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; `scope` has passed through the middleware."""
        request = _Request(scope, receive, self._visitor_of(scope))
        try:
            response = await self._answer(request)
        except _Unacceptable as refusal:
            response = self._refusal(request, refusal)
        await response(scope, receive, send)

    async def _answer(self, request: _Request) -> Response:
        if request.method not in request.allowed(self._path):
            raise _Unacceptable(HTTPStatus.METHOD_NOT_ALLOWED, Page.UNKNOWN, "method")
        return await self._routes[request.path](request)

    async def _choose_or_show(self, request: _Request) -> Response:
        if request.method != "POST":
            return self._preferences(request)
        if not is_from_same_origin(request.fields, self.trusted):
            raise _Unacceptable(HTTPStatus.FORBIDDEN, Page.CROSS_SITE, "cross-site")
        self._note_scheme(request.fields)
        form = _Form(await request.form(), self._policy)
        form.apply_to(request.visitor)
        if request.wants_json:
            return JSONResponse(state_of(request.visitor), headers=_PRIVATE)
        return RedirectResponse(
            form.next_path or request.prefix + self._path, HTTPStatus.SEE_OTHER, _PRIVATE
        )

    def _preferences(self, request: _Request) -> Response:
        standing = request.visitor.standing
        page = preferences_page(
            self._policy,
            self._language(request),
            standing.purposes,
            standing.open_purposes,
            standing.honoured,
            path=request.prefix + self._path,
            stylesheet=self._stylesheet_url(request),
            next_path=request.came_from,
            tokens=self._tokens,
        )
        return HTMLResponse(page, headers={**_PAGE, **_PRIVATE})

    async def _declaration(self, request: _Request) -> Response:
        page = declaration_page(
            self._policy,
            self._language(request),
            path=request.prefix + self._path,
            stylesheet=self._stylesheet_url(request),
            tokens=self._tokens,
        )
        return HTMLResponse(page, headers={**_PAGE, **_SHORTLY, "vary": "Accept-Language"})

    async def _declaration_json(self, _request: _Request) -> Response:
        return JSONResponse(declaration_json(self._policy, self._tokens), headers=_SHORTLY)

    async def _status(self, request: _Request) -> Response:
        return JSONResponse(state_of(request.visitor), headers=_PRIVATE)

    async def _stylesheet(self, _request: _Request) -> Response:
        css = stylesheet()
        return Response(css.body, media_type=css.content_type, headers=_FOREVER)

    async def _gpc(self, _request: _Request) -> Response:
        updated = self._policy.site.updated
        content = {"gpc": True, **({"lastUpdate": updated.isoformat()} if updated else {})}
        return JSONResponse(content, headers=_SHORTLY)

    def _refusal(self, request: _Request, refusal: _Unacceptable) -> Response:
        headers = dict(_PRIVATE)
        if refusal.status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers["allow"] = ", ".join(request.allowed(self._path))
        if request.wants_json:
            content = {"error": refusal.word}
            return JSONResponse(content, refusal.status, headers)
        page = message_page(
            self._policy,
            self._language(request),
            refusal.page,
            path=request.prefix + self._path,
            stylesheet=self._stylesheet_url(request),
        )
        return HTMLResponse(page, refusal.status, {**_PAGE, **headers})

    def _language(self, request: _Request) -> str:
        wanted = accepted_languages(request.fields.get(b"accept-language", b""))
        return choose_language(self._policy.languages, wanted)

    def _stylesheet_url(self, request: _Request) -> str:
        return f"{request.prefix}{self._path}/assets/{stylesheet().name}"


class _Request:
    """What the endpoints need of a request."""

    def __init__(self, scope: Scope, receive: Receive, visitor: Visitor) -> None:
        self.method: str = scope["method"]
        self.prefix = prefix_of(scope)
        self.path = route_path(scope)
        self.fields: Fields = first_values(scope["headers"])
        self.visitor = visitor
        self._receive = receive

    def allowed(self, choosing: str) -> tuple[str, ...]:
        return ("GET", "HEAD", "POST") if self.path == choosing else ("GET", "HEAD")

    @property
    def wants_json(self) -> bool:
        accept = self.fields.get(b"accept", b"").lower()
        return b"application/json" in accept and b"text/html" not in accept

    @property
    def came_from(self) -> str:
        """The page of this site the visitor came from, to lead them back to."""
        _, separator, rest = self.fields.get(b"referer", b"").partition(b"://")
        host, slash, path = rest.partition(b"/")
        own = separator and host.lower() == self.fields.get(b"host", b"").lower()
        back = safe_next((slash + path).decode("latin-1")) if own and slash else None
        return back or f"{self.prefix}/"

    async def form(self) -> list[tuple[str, str]]:
        """The fields of an URL-encoded body of at most `LARGEST_BODY` octets."""
        body = b""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _unknown("form")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > LARGEST_BODY:
                raise _Unacceptable(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Page.TOO_LARGE, "too-large"
                )
        try:
            return parse_qsl(
                body.decode("ascii"),
                keep_blank_values=True,
                max_num_fields=_MOST_FIELDS,
                errors="strict",
            )
        except ValueError:
            raise _unknown("form") from None


def prefix_of(scope: Scope) -> str:
    """What stands before the app's own paths, percent-encoded: ``root_path``, on this host."""
    root: str = scope.get("root_path", "").strip("/")
    return "/" + quote(root, safe=_PATH_CHARACTERS) if root else ""


def route_path(scope: Scope) -> str:
    """The path below ``root_path``, as a router sees it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        return path[len(root) :]
    return path


class _Form:
    """An answer as it was posted. Raises `_Unacceptable` for what the policy does not have."""

    def __init__(self, fields: list[tuple[str, str]], policy: Policy) -> None:
        values: dict[str, list[str]] = {}
        for name, value in fields:
            values.setdefault(name, []).append(value)
        self._policy = policy
        self._choice = (values.get("choice") or [""])[0]
        self._purposes = tuple(dict.fromkeys(values.get("purpose", ())))
        self._services = tuple(dict.fromkeys(values.get("service", ())))
        self.next_path = safe_next((values.get("next") or [""])[0])
        self._refuse_what_is_unknown()

    def _refuse_what_is_unknown(self) -> None:
        if self._choice not in _CHOICES:
            raise _unknown("unknown-choice")
        known = set(self._purposes) <= set(self._policy.purposes)
        if not known or not set(self._services) <= set(self._policy.services):
            raise _unknown("unknown-purpose")

    def apply_to(self, visitor: Visitor) -> None:
        _CHOICES[self._choice](self, visitor)

    @property
    def _named_or_all(self) -> tuple[str, ...]:
        return self._purposes or self._policy.optional_purposes

    def _accept_all(self, visitor: Visitor) -> None:
        visitor.grant(*self._named_or_all)

    def _reject_all(self, visitor: Visitor) -> None:
        visitor.refuse(*self._named_or_all)

    def _save(self, visitor: Visitor) -> None:
        optional = self._policy.optional_purposes
        visitor.refuse(*(name for name in optional if name not in self._purposes))
        visitor.grant(*self._purposes)

    def _allow(self, visitor: Visitor) -> None:
        of_services = [
            purpose for name in self._services for purpose in self._policy.services[name].purpose
        ]
        visitor.grant(*self._purposes, *of_services)

    def _withdraw(self, visitor: Visitor) -> None:
        visitor.withdraw(*self._purposes)


_CHOICES: Final[Mapping[str, Callable[[_Form, Visitor], None]]] = {
    "accept-all": _Form._accept_all,  # noqa: SLF001 - the table of the class's own acts
    "reject-all": _Form._reject_all,  # noqa: SLF001
    "save": _Form._save,  # noqa: SLF001
    "allow": _Form._allow,  # noqa: SLF001
    "withdraw": _Form._withdraw,  # noqa: SLF001
}


def state_of(visitor: Visitor) -> dict[str, object]:
    """A visitor's answers for a script: revision, answers, what is open, signals."""
    policy = visitor.policy
    return {
        "revision": policy.revision,
        "decided": visitor.is_decided,
        "answers": {name: visitor.answer(name) for name in policy.purposes},
        "allowed": {name: visitor.allows(name) for name in policy.purposes},
        "open": list(visitor.standing.open_purposes),
        "signals": sorted(visitor.signals),
    }
