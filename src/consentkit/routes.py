"""The few endpoints: choose, preferences, declaration, status, assets, reports, and gpc.json.

It has never heard of enforcement: it changes the visitor's answers, and what carries them out of
the app is somebody else's work. It is an ASGI app of its own.

Who may post an answer: the site's own pages, and nobody else (LAW R-10). A wrong request changes
nothing and is told what was wrong, as a page or as JSON.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from consentkit.events import EventLog, reported
from consentkit.notice.assets import SHEETS, asset, assets_of, stylesheet
from consentkit.notice.banner import (
    Links,
    Page,
    banner_markup,
    message_page,
    notice_page,
    shown_to,
)
from consentkit.notice.declaration import declaration_json, declaration_page
from consentkit.notice.preferences import Frame, preferences_markup, status_text
from consentkit.notice.receipt import receipt_json, receipt_page
from consentkit.notice.scripts import state_json
from consentkit.notice.text import choose_language
from consentkit.rules.policy import Csp
from consentkit.rules.signals import Signal
from consentkit.wire.headers import accepted_languages, first_values, is_from_same_origin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from starlette.types import Receive, Scope, Send

    from consentkit.notice.assets import Asset
    from consentkit.notice.declaration import Observed
    from consentkit.rules.policy import Policy
    from consentkit.rules.visitor import Visitor
    from consentkit.wire.headers import Fields

__all__ = ["Endpoints", "safe_next"]

LARGEST_BODY: Final = 16 << 10
"""Octets of an answer or a report; more is 413."""
SAVED: Final = "consentkit"
"""The notice's id: a page opened at it says what was saved, without any state on the server."""
_MOST_FIELDS: Final = 512
LONGEST_TAG: Final = 35
"""Characters of a language tag that are looked at (RFC 5646 §4.4.1)."""
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
_FOREVER: Final = {
    "cache-control": "public, max-age=31536000, immutable",
    "vary": "Accept-Encoding",
    "x-content-type-options": "nosniff",
}
_SHORTLY: Final = {"cache-control": "public, max-age=300"}
_SAFE_NEXT: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*+\Z")


def safe_next(path: str) -> str | None:
    """`path` if it is a path on this site, else None: no other host, no control character.

    A fragment is cut off: the answer leads to the notice in that page, which says what was saved.
    """
    path = path.partition("#")[0]
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
    headers of every answer, `shown_to_staff` gives what a scope's sender may see of what was seen
    and is not declared.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what the middleware made ready
        self,
        policy: Policy,
        path: str,
        tokens: Sequence[str],
        visitor_of: Callable[[Scope], Visitor],
        trusted_origins: Collection[str],
        note_scheme: Callable[[Fields], None],
        shown_to_staff: Callable[[Scope], Awaitable[Observed | None]],
    ) -> None:
        """List the endpoints; what does not depend on the visitor is made here, once."""
        self._policy = policy
        self._path = path
        self._tokens = tokens
        self._visitor_of = visitor_of
        self.trusted = frozenset(origin.encode("ascii") for origin in trusted_origins)
        self._note_scheme = note_scheme
        self._shown_to_staff = shown_to_staff
        self._assets = {f"{path}/assets/{each.name}": each for each in assets_of(policy)}
        self._routes: dict[str, Callable[[_Request], Awaitable[Response]]] = {
            path: self._choose_or_show,
            f"{path}/dialog": self._dialog,
            f"{path}/cookies": self._declaration,
            f"{path}/declaration.json": self._declaration_json,
            f"{path}/status": self._status,
            f"{path}/notice": self._notice,
            **dict.fromkeys(self._assets, self._asset),
        }
        if policy.optional_purposes:
            self._routes[f"{path}/receipt"] = self._receipt
            self._routes[f"{path}/receipt.json"] = self._receipt_json
        if any(Signal.GPC in policy.purposes[name].honours for name in policy.optional_purposes):
            self._routes["/.well-known/gpc.json"] = self._gpc
        if policy.csp is Csp.REPORT:
            self._routes[f"{path}/reports"] = self._take_reports
            # A log of its own: what strangers report folds nothing of what enforcement says.
            self._log = EventLog(None, report_only=True, logger=EventLog.REPORTS)

    @property
    def paths(self) -> frozenset[str]:
        """Every path answered here."""
        return frozenset(self._routes)

    @property
    def paths_for_staff(self) -> frozenset[str]:
        """Of these the declaration's own, for a site whose visitors are asked nothing yet."""
        sheets = (f"{self._path}/assets/{asset(name).name}" for name in SHEETS)
        return frozenset((f"{self._path}/cookies", f"{self._path}/declaration.json", *sheets))

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
            return await self._status(request)
        back = form.next_path or request.prefix + self._path
        return RedirectResponse(f"{back}#{SAVED}", HTTPStatus.SEE_OTHER, _PRIVATE)

    def _preferences(self, request: _Request) -> Response:
        return HTMLResponse(
            self._preferences_in(Frame.PAGE, request), headers={**_PAGE, **_PRIVATE}
        )

    async def _dialog(self, request: _Request) -> Response:
        """The preferences as a document with a dialog, for the script in a page to show."""
        return HTMLResponse(
            self._preferences_in(Frame.DIALOG, request), headers={**_PAGE, **_PRIVATE}
        )

    def _preferences_in(self, frame: Frame, request: _Request) -> bytes:
        return preferences_markup(
            self._language(request),
            request.visitor.standing,
            frame,
            path=request.prefix + self._path,
            stylesheets=self._sheets(request),
            next_path=request.came_from,
            tokens=self._tokens,
            is_enforced=request.visitor.is_enforced,
        )

    async def _declaration(self, request: _Request) -> Response:
        observed = await self._shown_to_staff(request.scope)
        language = self._language(request)
        page = declaration_page(
            self._policy,
            language,
            path=request.prefix + self._path,
            stylesheets=self._sheets(request),
            tokens=self._tokens,
            query=request.query.get("q", ""),
            asked_language=language if "lang" in request.query else "",
            observed=observed,
        )
        headers = {**_PAGE, **_SHORTLY, "vary": "Accept-Language"}
        if observed is not None:
            headers |= {**_PRIVATE, "vary": "Accept-Language, Cookie"}
        if "q" in request.query:  # the same page again, to whoever counts pages
            headers["x-robots-tag"] = "noindex"
        return HTMLResponse(page, headers=headers)

    async def _receipt(self, request: _Request) -> Response:
        if request.wants_json:
            return await self._receipt_json(request)
        page = receipt_page(
            self._language(request),
            request.visitor.standing.on_a_page(for_children=False),
            path=request.prefix + self._path,
            stylesheets=self._sheets(request),
            next_path=f"{request.prefix}/",
        )
        return HTMLResponse(page, headers={**_PAGE, **_PRIVATE})

    async def _receipt_json(self, request: _Request) -> Response:
        standing = request.visitor.standing.on_a_page(for_children=False)
        return JSONResponse(receipt_json(standing), headers=_PRIVATE)

    async def _declaration_json(self, _request: _Request) -> Response:
        return JSONResponse(declaration_json(self._policy, self._tokens), headers=_SHORTLY)

    async def _status(self, request: _Request) -> Response:
        request.stand_where_it_is_from()
        return JSONResponse(state_of(request.visitor), headers=_PRIVATE)

    async def _notice(self, request: _Request) -> Response:
        """The notice of this visitor as a document, for the script in a page to take it from."""
        policy, language = self._policy, self._language(request)
        request.stand_where_it_is_from()
        standing = request.visitor.standing
        markup = banner_markup(
            policy,
            language,
            shown_to(standing, is_enforced=request.visitor.is_enforced),
            Links(
                request.prefix + self._path,
                self._url(request, stylesheet()),
                self._url(request, asset("consent.js")),
                request.prefix,
            ),
            told=_told(request.visitor),
            answered=status_text(language, standing, is_saved="saved" in request.query),
        )
        next_path = safe_next(request.query.get("next", "")) or request.came_from
        page = notice_page(policy, language, markup.fill(next_path.encode("ascii")))
        return HTMLResponse(page, headers={**_PAGE, **_PRIVATE})

    async def _take_reports(self, request: _Request) -> Response:
        """Log what the browser of one of the site's own pages reports; nothing of the visitor."""
        if is_from_same_origin(request.fields, self.trusted):
            try:
                events = reported(await request.body())
            except ValueError:
                raise _unknown("report") from None
            self._log.write(events, None, monotonic())
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=_PRIVATE)

    async def _asset(self, request: _Request) -> Response:
        found = self._assets[request.path]
        coded = {b"br": found.brotli, b"gzip": found.gzip}
        coding = best_coding(
            request.fields.get(b"accept-encoding", b""), [name for name in coded if coded[name]]
        )
        headers = {**_FOREVER, "content-encoding": coding.decode("ascii")} if coding else _FOREVER
        body = coded.get(coding) or found.body
        return Response(body, media_type=found.content_type, headers=headers)

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
            stylesheets=self._sheets(request),
        )
        return HTMLResponse(page, refusal.status, {**_PAGE, **headers})

    def _language(self, request: _Request) -> str:
        """That of the page it is for, where the query names it, else what the browser wants."""
        wanted = accepted_languages(request.fields.get(b"accept-language", b""))
        page = request.query.get("lang", "")[:LONGEST_TAG]
        return choose_language(self._policy.languages, (page, *wanted) if page else wanted)

    def _sheets(self, request: _Request) -> list[str]:
        return [self._url(request, asset(name)) for name in SHEETS]

    def _url(self, request: _Request, of: Asset) -> str:
        return f"{request.prefix}{self._path}/assets/{of.name}"


def _told(visitor: Visitor) -> str:
    # In report mode everything is allowed, so nothing is cleared and nothing waits.
    purposes = [name for name in visitor.policy.purposes if visitor.allows(name)]
    services = [name for name in visitor.policy.services if visitor.allows_service(name)]
    standing = visitor.standing
    clears = standing.elsewhere is standing
    asked = standing.open_purposes
    return state_json(visitor.policy, purposes, services, asked, clears=clears)


_WEIGHT: Final = re.compile(rb"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*\Z")


def best_coding(accepted: bytes, offered: Sequence[bytes]) -> bytes:
    """The content coding to answer with, of those `offered` (best first); empty for none.

    `accepted` is an Accept-Encoding header (RFC 9110 §12.5.3): weights count, 0 means *not this*,
    ``*`` is every coding that is not named. What cannot be read is not accepted.
    """
    weights: dict[bytes, float] = {}
    for each in accepted.lower().split(b","):
        coding, semicolon, weight = each.partition(b";")
        found = _WEIGHT.match(weight) if semicolon else None
        weights[coding.strip()] = float(found[1]) if found else float(not semicolon)
    others = weights.get(b"*", 0.0)
    plain = weights.get(b"identity", 0.0)
    best = max(offered, key=lambda coding: weights.get(coding, others), default=b"")
    return best if weights.get(best, others) > 0 and weights.get(best, others) >= plain else b""


class _Request:
    """What the endpoints need of a request."""

    def __init__(self, scope: Scope, receive: Receive, visitor: Visitor) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.prefix = prefix_of(scope.get("root_path", ""))
        self.path = route_path(scope)
        self.fields: Fields = first_values(scope["headers"])
        self._query: bytes = scope.get("query_string", b"")
        self.visitor = visitor
        self._receive = receive

    def allowed(self, choosing: str) -> tuple[str, ...]:
        if self.path == f"{choosing}/reports":
            return ("POST",)
        return ("GET", "HEAD", "POST") if self.path == choosing else ("GET", "HEAD")

    @property
    def query(self) -> dict[str, str]:
        """What the URL asks for; of a name that stands twice, the last."""
        return dict(parse_qsl(self._query.decode("latin-1"), keep_blank_values=True))

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

    def stand_where_it_is_from(self) -> None:
        """Tell of the visitor what holds on the page that asks: R-11 where it is for children."""
        standing = self.visitor.standing
        is_for_children = standing.policy.is_for_children
        path = self.came_from.partition("?")[0]
        if "children" in self.query or any(
            map(is_for_children, (path, path.removeprefix(self.prefix)))
        ):
            self.visitor.standing = standing.on_a_page(for_children=True)

    async def body(self) -> bytes:
        """The body, of at most `LARGEST_BODY` octets."""
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
        return body

    async def form(self) -> list[tuple[str, str]]:
        """The fields of an URL-encoded body."""
        body = await self.body()
        try:
            return parse_qsl(
                body.decode("ascii"),
                keep_blank_values=True,
                max_num_fields=_MOST_FIELDS,
                errors="strict",
            )
        except ValueError:
            raise _unknown("form") from None


def prefix_of(root_path: str) -> str:
    """What stands before the app's own paths, percent-encoded: ``root_path``, on this host."""
    root = root_path.strip("/")
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
        # The preferences are about every purpose: their fields are the switches that are on.
        self._is_whole = "whole" in values
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
        named = () if self._is_whole else self._purposes
        return named or self._policy.optional_purposes

    def _accept_all(self, visitor: Visitor) -> None:
        visitor.grant(*self._named_or_all)

    def _reject_all(self, visitor: Visitor) -> None:
        visitor.refuse(*self._named_or_all)

    def _save(self, visitor: Visitor) -> None:
        optional = self._policy.optional_purposes
        visitor.refuse(*(name for name in optional if name not in self._purposes))
        visitor.grant(*self._purposes)
        # After the refusals, which take back the grants of services under these purposes.
        visitor.allow_service(*self._services)

    def _allow(self, visitor: Visitor) -> None:
        visitor.grant(*self._purposes)
        visitor.allow_service(*self._services)

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
        "services": {name: visitor.allows_service(name) for name in policy.services},
        "open": list(visitor.standing.open_purposes),
        "signals": sorted(visitor.signals),
    }
