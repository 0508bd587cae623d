"""Visitors in every state that a site can find them in, with the tokens that say so.

It has never heard of a test framework, nor of how a client sends a request. What a visitor answered
is recorded by the very code that records it when the site runs, and the token is signed by the
site's own middleware, so that nothing here can say what a real visitor could not bring.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from importlib import import_module
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from consentkit.enforcement import Enforcement
from consentkit.errors import NoSuchVisitorError, did_you_mean
from consentkit.middleware import ConsentMiddleware
from consentkit.rules.consent import NOBODY_YET, Answer, Consent
from consentkit.rules.decision import STORE, decide, decide_service
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rules.visitor import Standing, Visitor
from consentkit.testing.browser import Browser, of_a_person
from consentkit.wire.cookies import parse_set_cookie

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from consentkit.ready import Ready
    from consentkit.rules.policy import Policy

__all__ = ["STATES", "ConsentState", "SignedVisitor", "as_visitor", "ready_of", "state_of"]

State: TypeAlias = Literal[
    "undecided", "refused", "granted", "implied", "lapsed", "older-revision", "unreadable"
]
"""What somebody did before they came: nothing; refused, or granted, everything optional; saw the
notice and went on; granted everything so long ago that it lapsed, or at the revision before this
one; and somebody whose token does not verify."""

STATES: Final[tuple[State, ...]] = get_args(State)

Answers: TypeAlias = State | str | Mapping[str, str] | Consent
"""A state, the answer to each purpose that was answered, or a consent as it is."""

_ANOTHER_SITES_KEY: Final = "the key of some other site: what it signs is foreign here"
_GPC: Final = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true});"
_HEADERS: Final = {Signal.GPC: "Sec-GPC", Signal.DNT: "DNT"}
_ANSWERS: Final = (Answer.GRANTED, Answer.REFUSED, Answer.UNDECIDED)


@dataclass(frozen=True)
class ConsentState:
    """What a visitor answered, and the signals their browser sends.

    Its text is short enough for the name of a test: ``granted``, ``undecided+gpc``,
    ``analytics=granted``.
    """

    answers: Answers = "undecided"
    signals: frozenset[Signal] = NO_SIGNALS

    def __str__(self) -> str:
        """A few words without a blank."""
        return "+".join((_words_of(self.answers), *sorted(self.signals)))


def _words_of(answers: Answers) -> str:
    if isinstance(answers, str):
        return answers
    if isinstance(answers, Consent):
        given = answers.given.items()
        answers = {key: Answer.GRANTED if one.granted else Answer.REFUSED for key, one in given}
    told = (f"{purpose}={answer}" for purpose, answer in answers.items())
    return ",".join(told) or "undecided"


def state_of(
    answers: Answers | ConsentState, signals: Collection[str] | str | None = None
) -> ConsentState:
    """One state of these; raises NoSuchVisitorError for a word that is none.

    `signals` is a word or several; where it is None, those of the state hold.
    """
    if isinstance(answers, ConsentState):
        if signals is None:
            return answers
        answers = answers.answers
    if isinstance(answers, str) and answers not in STATES:
        raise NoSuchVisitorError(
            f"{answers!r} is no state of a visitor",
            f"Write one of {', '.join(STATES)}, or a mapping of purposes to 'granted' and "
            f"'refused'.{did_you_mean(answers, STATES)}",
        )
    return ConsentState(answers, frozenset(_signals(signals or ())))


def _signals(words: Collection[str] | str) -> Iterator[Signal]:
    for word in (words,) if isinstance(words, str) else words:
        if word not in tuple(Signal):
            known = ", ".join(Signal)
            raise NoSuchVisitorError(f"{word!r} is no signal", f"There are: {known}.")
        yield Signal(word)


# Where the site's policy and its key are found

_INWARDS: Final = ("app", "asgi_app", "middleware_stack", "application", "asgi_handler", "wrapped")
_LISTS: Final = ("user_middleware", "middleware")
_MOST_LAYERS: Final = 64


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that is never called: what is wanted of the middleware is its policy."""


def ready_of(
    app: object,
    *,
    policy: Policy | Callable[[Scope], Policy] | None = None,
    secret_key: str | bytes | None = None,
    secure: bool = True,
    url: str = "https://testserver",
) -> Ready:
    """The policy of a site made ready, as its own ConsentMiddleware has it.

    It is looked for from the app inwards, and among the middleware that a Starlette, FastAPI or
    Litestar app was given. `policy` and `secret_key` stand in for one that is not found; where one
    is, they have to be its own. Raises NoSuchVisitorError.
    """
    parts = urlsplit(url)
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": parts.scheme,
        "path": "/",
        "server": (parts.hostname or "testserver", parts.port),
        "headers": [(b"host", parts.netloc.encode("idna"))],
    }
    if policy is not None and secret_key is not None:
        given = ConsentMiddleware(_nothing, policy=policy, secret_key=secret_key, secure=secure)
        made, own = given.ready_for(scope), _middleware_in(app)
        if own is not None:
            _check_is_read(made, own.ready_for(scope))
        return made
    if policy is not None or secret_key is not None:
        missing = "secret_key=" if secret_key is None else "policy="
        raise NoSuchVisitorError(
            "a policy and a key go together, and one of them is missing", f"Pass {missing} too."
        )
    found = _middleware_in(app)
    if found is None:
        raise NoSuchVisitorError(
            f"no ConsentMiddleware was found in {_named(app)}",
            "Hand over what it is around (the app that the server runs), or pass policy= and "
            "secret_key=, as the middleware has them.",
        )
    return found.ready_for(scope)


def _check_is_read(made: Ready, own: Ready) -> None:
    """Raises NoSuchVisitorError where the app's own middleware would read another visitor."""
    if made.policy != own.policy:
        raise NoSuchVisitorError("the policy that was passed is not the app's own", _LEAVE_OUT)
    shown = NOBODY_YET.show(made.policy.revision, made.options.clock())
    signed = made.enforcement.token_headers(NOBODY_YET, shown)
    pairs = tuple(value.partition(b";")[0] for value in signed)
    if own.enforcement.read(pairs, NO_SIGNALS).standing.consent.seen != shown.seen:
        raise NoSuchVisitorError(
            "what is signed with the secret_key and secure= that were passed cannot be read by the "
            "app's own ConsentMiddleware",
            _LEAVE_OUT,
        )


_LEAVE_OUT: Final = (
    "Leave policy=, secret_key= and secure= out, so that the app's own are taken, or pass the same."
)


def _named(app: object) -> str:
    return "what was handed over, None" if app is None else f"this {type(app).__name__}"


def _middleware_in(app: object) -> ConsentMiddleware | None:
    layers, seen = [app], set[int]()
    while layers and len(seen) < _MOST_LAYERS:
        layer = layers.pop(0)
        if isinstance(layer, ConsentMiddleware):
            return layer
        if layer is None or id(layer) in seen:
            continue
        seen.add(id(layer))
        given = [entry for name in _LISTS for entry in _entries(getattr(layer, name, None))]
        made = next(filter(None, map(_as_it_will_be, given)), None)
        if made is not None:
            return made
        layers += [getattr(layer, name, None) for name in _INWARDS]
    return None


def _entries(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()


def _as_it_will_be(entry: object) -> ConsentMiddleware | None:
    """The middleware that an app is going to make of an entry in its list."""
    # Starlette's entry has `cls`, Litestar's `middleware`, and a `partial` has `func`.
    kinds = (getattr(entry, name, None) for name in ("cls", "middleware", "func"))
    options = getattr(entry, "kwargs", None) or getattr(entry, "keywords", {})
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, ConsentMiddleware):
            return kind(_nothing, **options)
    return None


# The visitor


@dataclass(frozen=True)
class SignedVisitor:
    """A visitor whose browser holds the tokens of what they answered.

    `standing` is what their answers and signals come to under the policy of the site; `set_cookies`
    are the tokens as the site sets them, under the `token_names`; `path` is where its endpoints
    are. Where `is_enforced` is False the site only reports; where `is_secure`, it is on https. Put
    one into a client
    with `put_into`, or take what the client wants: `cookies` and `headers`, `for_playwright` and
    `for_new_context`.
    """

    state: ConsentState
    standing: Standing = field(repr=False)
    set_cookies: tuple[bytes, ...] = field(default=(), repr=False)
    path: str = "/consent"
    is_enforced: bool = True
    is_secure: bool = True
    token_names: tuple[str, ...] = field(default=(), repr=False)

    @property
    def policy(self) -> Policy:
        """The policy of the site."""
        return self.standing.policy

    @property
    def cookies(self) -> dict[str, str]:
        """The tokens by name, for a client that takes a dict; none for who has not answered."""
        return {name: cookie["value"] for name, cookie in self._told().items()}

    @property
    def headers(self) -> dict[str, str]:
        """The headers of their signals: ``{"Sec-GPC": "1"}``."""
        return {_HEADERS[signal]: "1" for signal in sorted(self.state.signals)}

    @property
    def navigation(self) -> dict[str, str]:
        """The headers of a page that they open by typing its address, those of signals too."""
        return {**of_a_person("none"), **self.headers}

    @property
    def script(self) -> str:
        """JavaScript by which a page sees Global Privacy Control; empty where it is off."""
        return _GPC if Signal.GPC in self.state.signals else ""

    def answer(self, purpose: str) -> Answer:
        """Their answer in effect to a purpose. Raises UnknownPurposeError."""
        return self._visitor().answer(purpose)

    def allows(self, purpose: str) -> bool:
        """True if the purpose is allowed now, as `Visitor.allows`. Raises UnknownPurposeError."""
        return self._visitor().allows(purpose)

    def may_store(self, cookie: str) -> bool:
        """True if a page may set a cookie of this name, as far as it hangs on their answers."""
        policy = self.policy
        declared = policy.declaration_of(cookie)
        return decide(policy, declared, self.standing.answers, STORE).allowed

    def may_load(self, host: str) -> bool:
        """True if a page may load from a host that is not the site's own."""
        policy, standing = self.policy, self.standing
        service = policy.service_of_host(host)
        return decide_service(policy, service, standing.answers, standing.single_services).allowed

    def _visitor(self) -> Visitor:
        return Visitor(self.standing, lambda: self.standing.now, report_only=not self.is_enforced)

    def _told(self) -> dict[str, dict[str, Any]]:
        """Each token as plain values."""
        return {
            cookie.name.decode("ascii"): {
                "value": cookie.value.decode("ascii"),
                "domain": (cookie.attributes.domain or b"").decode("ascii"),
                "secure": cookie.attributes.secure,
                "same_site": (cookie.attributes.same_site or "lax").capitalize(),
                "max_age": cookie.attributes.max_age or 0,
            }
            for cookie in filter(None, map(parse_set_cookie, self.set_cookies))
        }

    def for_playwright(self, url: str) -> list[dict[str, Any]]:
        """The tokens for ``context.add_cookies(…)``; `url` is where the site is.

        Raises NoSuchVisitorError where no browser would send them there: over plain http to a
        machine that is not this one.
        """
        self._check_scheme(url, is_browser=True)
        host = urlsplit(url).hostname or ""
        return [
            {
                "name": name,
                "value": one["value"],
                "domain": f".{one['domain']}" if one["domain"] else host,
                "path": "/",
                "expires": int(self.standing.now) + one["max_age"],
                "httpOnly": True,
                "secure": one["secure"],
                "sameSite": one["same_site"],
            }
            for name, one in self._told().items()
        ]

    def for_new_context(self, url: str) -> dict[str, Any]:
        """Options for Playwright's ``browser.new_context(…)``, or for `browser_context_args`.

        The headers of signals go with every request. Scripts see Global Privacy Control where the
        context is also given ``add_init_script(visitor.script)``.
        """
        state = {"cookies": self.for_playwright(url), "origins": []}
        headers = {"extra_http_headers": self.headers} if self.headers else {}
        return {"storage_state": state, **headers}

    def put_into(self, client: Any, url: str | None = None) -> Awaitable[None] | None:  # noqa: ANN401 - any of a dozen classes, some of which are not installed
        """Let a client be this visitor: it gets their tokens, and sends their signals.

        `client` is one of httpx or httpx2 (Starlette's and Litestar's are such), Django's, a
        `Browser`, or a Playwright context; to await where that is an async one. `url` is where the
        site is, for a client that does not know it. Raises NoSuchVisitorError.
        """
        if isinstance(client, Browser):
            for raw in self.set_cookies:
                client.store(raw.decode("ascii"))
            client.headers |= {name.lower(): value for name, value in self.headers.items()}
        elif hasattr(client, "add_cookies"):
            return self._put_into_context(client, url)
        elif isinstance(getattr(client, "cookies", None), SimpleCookie):
            self._put_into_django(client)
        elif hasattr(getattr(client, "cookies", None), "extract_cookies"):
            self._put_into_httpx(client, url or str(client.base_url))
        else:
            raise NoSuchVisitorError(
                f"what a {type(client).__name__} takes is not known here",
                "Give it visitor.cookies and visitor.headers in its own way.",
            )
        return None

    def _put_into_httpx(self, client: Any, url: str) -> None:  # noqa: ANN401 - httpx's, or httpx2's
        self._check_scheme(url, is_browser=False)
        # As if the site had set them: the jar then takes the next answer for the same cookie.
        http = import_module(type(client.cookies).__module__.partition(".")[0])
        headers = [(b"set-cookie", raw) for raw in self.set_cookies]
        response = http.Response(200, headers=headers, request=http.Request("GET", url))
        client.cookies.extract_cookies(response)
        client.headers.update(self.headers)

    def _put_into_django(self, client: Any) -> None:  # noqa: ANN401 - Django need not be there
        for name, value in self.cookies.items():
            client.cookies[name] = value
        is_async = hasattr(client, "_base_scope")
        for name, value in self.headers.items():
            key = name.lower() if is_async else f"HTTP_{name.upper().replace('-', '_')}"
            client.defaults[key] = value

    def _put_into_context(self, context: Any, url: str | None) -> Awaitable[None] | None:  # noqa: ANN401 - Playwright need not be there
        if not url:
            raise NoSuchVisitorError(
                "a browser context knows no site", "Say where it is: put_into(context, url)."
            )
        acts = [context.add_cookies(self.for_playwright(url))]
        if self.headers:
            acts.append(context.set_extra_http_headers(self.headers))
        if self.script:
            acts.append(context.add_init_script(self.script))
        waiting = [act for act in acts if isawaitable(act)]
        return _all_of(waiting) if waiting else None

    def _check_scheme(self, url: str, *, is_browser: bool) -> None:
        parts = urlsplit(url)
        if parts.scheme == "https" or not any(one["secure"] for one in self._told().values()):
            return
        if parts.scheme != "http":
            raise NoSuchVisitorError(
                f"{url!r} is no address of a site",
                "Give one with scheme and host, such as 'https://testserver'.",
            )
        host = parts.hostname or ""
        if is_browser and (host in ("127.0.0.1", "::1") or f".{host}".endswith(".localhost")):
            return
        raise NoSuchVisitorError(
            f"the site's token is Secure, and {url} is plain http, where it would never be sent",
            "Ask over https (base_url='https://testserver'), or give the middleware of the tests "
            "secure=False.",
        )


async def _all_of(acts: Iterable[Awaitable[object]]) -> None:
    for act in acts:
        await act


def as_visitor(  # noqa: PLR0913 - each is something a visitor can differ by
    app: object = None,
    answers: Answers | ConsentState = "undecided",
    *,
    signals: Collection[str] | str | None = None,
    services: Collection[str] = (),
    despite: bool = False,
    policy: Policy | Callable[[Scope], Policy] | None = None,
    secret_key: str | bytes | None = None,
    secure: bool = True,
    url: str = "https://testserver",
) -> SignedVisitor:
    """A visitor of a site, with the tokens that its middleware would have given them.

    - `app`: the site, or a client that has it; its policy and its key are found in there;
    - `answers`: a state (``undecided``, ``refused``, ``granted``, ``implied``, ``lapsed``,
      ``older-revision``, ``unreadable``), or a mapping of purposes to ``granted`` or ``refused``;
    - `signals`: ``gpc``, ``dnt`` or both, which their browser sends;
    - `services`: those that they granted by themselves;
    - `despite`: True if the grants were given while the signals were on;
    - `policy`, `secret_key`, `secure`: what the middleware has, where it cannot be found;
    - `url`: where the site is, for a policy that depends on the host.

    Raises NoSuchVisitorError, UnknownPurposeError and UnknownServiceError.
    """
    state = state_of(answers, signals)
    ready = ready_of(app, policy=policy, secret_key=secret_key, secure=secure, url=url)
    heard = state.signals if despite else NO_SIGNALS
    consent = _consent_of(ready, state.answers, heard)
    if services:
        visitor = _visitor_of(ready, consent, heard)
        visitor.allow_service(*services)
        consent = visitor.consent
    enforcement = ready.enforcement
    if state.answers == "unreadable":
        enforcement = Enforcement(
            ready.policy,
            [_ANOTHER_SITES_KEY],
            secure=ready.options.secure,
            clock=ready.options.clock,
        )
    values = enforcement.token_headers(NOBODY_YET, consent)
    pairs = b"; ".join(value.partition(b";")[0] for value in values)
    reading = ready.enforcement.read((pairs,) if pairs else (), state.signals)
    return SignedVisitor(
        state,
        reading.standing,
        tuple(values),
        ready.options.path,
        ready.enforces,
        ready.options.secure,
        tuple(name.decode("ascii") for name in enforcement.tokens),
    )


def _visitor_of(
    ready: Ready, consent: Consent, signals: frozenset[Signal], now: float | None = None
) -> Visitor:
    at = ready.options.clock() if now is None else now
    return Visitor(Standing(ready.policy, consent, signals, at), lambda: at)


def _consent_of(ready: Ready, answers: Answers, signals: frozenset[Signal]) -> Consent:
    if isinstance(answers, Consent):
        return answers
    if isinstance(answers, Mapping):
        return _answered_one_by_one(ready, answers, signals)
    policy, now = ready.policy, ready.options.clock()
    match answers:
        case "undecided":
            return NOBODY_YET
        case "implied":
            return NOBODY_YET.show(policy.revision, now).imply(now)
        case "older-revision":
            return NOBODY_YET.grant(policy.optional_purposes, _before(policy), now, signals)
        case "lapsed":
            now -= policy.ask_again_after
    visitor = _visitor_of(ready, NOBODY_YET, signals, now)
    act = visitor.refuse if answers == "refused" else visitor.grant
    act(*policy.optional_purposes)
    return visitor.consent


def _before(policy: Policy) -> int:
    if policy.revision == 1:
        raise NoSuchVisitorError(
            "the policy is at revision 1, so nobody can have answered at an older one",
            "Leave the state out, or raise 'revision'.",
        )
    return policy.revision - 1


def _answered_one_by_one(
    ready: Ready, answers: Mapping[str, str], signals: frozenset[Signal]
) -> Consent:
    visitor = _visitor_of(ready, NOBODY_YET, signals)
    for purpose, answer in answers.items():
        visitor.answer(purpose)  # an unknown one raises
        if purpose not in ready.policy.optional_purposes:
            raise NoSuchVisitorError(
                f"purpose '{purpose}' is strictly necessary, and nobody is asked about it",
                f"Take it out; asked are: {', '.join(ready.policy.optional_purposes) or 'none'}.",
            )
        if answer not in _ANSWERS:
            known = ", ".join(_ANSWERS)
            raise NoSuchVisitorError(
                f"{answer!r} is no answer that a visitor gives to '{purpose}'",
                f"Write one of {known}.{did_you_mean(str(answer), _ANSWERS)}",
            )
        if answer == Answer.GRANTED:
            visitor.grant(purpose)
        elif answer == Answer.REFUSED:
            visitor.refuse(purpose)
    return visitor.consent
