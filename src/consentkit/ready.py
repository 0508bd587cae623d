"""One policy under one set of options, made ready for requests.

It has never heard of a request: what does not depend on one is worked out here, once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from starlette.concurrency import run_in_threadpool

from consentkit.enforcement import Enforcement
from consentkit.gating import Policing
from consentkit.notice.declaration import Observed
from consentkit.notice.own_templates import check_templates, check_words
from consentkit.observed import Observations
from consentkit.pages import Pages
from consentkit.routes import Endpoints
from consentkit.rules.policy_file import check_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

    from consentkit.events import EventLog
    from consentkit.rules.policy import Policy
    from consentkit.rules.visitor import Visitor
    from consentkit.rulings import TokenNames
    from consentkit.wire.headers import Fields

__all__ = ["Options", "Outer", "Ready"]

logger = logging.getLogger("consentkit.middleware")

_NO_NAME: Final = "(a cookie without a name)"
_LOCAL_HOSTS: Final = (b"localhost", b"127.0.0.1", b"[")


class Outer(Protocol):
    """What a middleware further out has made of the same request."""

    @property
    def policy(self) -> Policy:
        """The policy in force there."""

    @property
    def tokens(self) -> TokenNames:
        """The names of its tokens."""

    def give_way(self, scope: Scope) -> None:
        """Leave the request to the inner one."""


@dataclass(frozen=True, slots=True)
class Options:
    """The middleware's options, checked."""

    secrets: tuple[str | bytes, ...]
    secure: bool
    path: str
    report_only: bool
    banner: bool
    trusted_origins: tuple[str, ...]
    clock: Callable[[], float]
    log: EventLog
    staff: Callable[[Scope], bool] | None = None


class Ready:
    """One policy under one set of options, ready for requests."""

    def __init__(
        self, policy: Policy, options: Options, visitor_of: Callable[[Scope], Visitor]
    ) -> None:
        """Check and compile everything once. Raises PolicyError and TemplateError."""
        check_policy(policy)
        check_words(policy)
        check_templates(policy)
        self.policy = policy
        self.options = options
        self.enforcement = Enforcement(
            policy,
            options.secrets,
            secure=options.secure,
            clock=options.clock,
            tells_undeclared=options.staff is not None,
        )
        tokens = tuple(name.decode("ascii") for name in self.enforcement.tokens)
        self.enforces = not options.report_only
        self.pages = Pages(
            policy, tokens, options.path, enforces=self.enforces, shows=options.banner
        )
        self.observed = Observations(tokens) if options.staff is not None else None
        self.endpoints = Endpoints(
            policy,
            options.path,
            tokens,
            visitor_of,
            options.trusted_origins,
            self.note_scheme,
            self.shown_to_staff,
        )
        self.policing = Policing(policy, options.path, enforces=self.enforces)
        self.changes_pages = options.banner or self.enforces
        self.own_paths = self._own_paths()
        self._noted: set[str] = set()

    def _own_paths(self) -> frozenset[str]:
        """The paths answered here: in report mode the declaration's, and for staff alone."""
        if self.changes_pages:
            return self.endpoints.paths
        return frozenset() if self.options.staff is None else self.endpoints.paths_for_staff

    def answers(self, scope: Scope) -> bool:
        """True if a request for one of `own_paths` is answered here."""
        return scope["type"] == "http" and (self.changes_pages or self._is_staff(scope))

    def _is_staff(self, scope: Scope) -> bool:
        """True if the site says so; what is no clear answer means no."""
        staff = self.options.staff
        try:
            answer: object = staff is not None and staff(scope)
        except Exception:
            logger.exception("staff failed; nobody is shown what is not declared")
            return False
        if not isinstance(answer, bool):
            self.note("staff", "staff is to answer True or False; %s means no.", type(answer))
        return answer is True

    async def shown_to_staff(self, scope: Scope) -> Observed | None:
        """What was seen and is not declared, where whoever asks may see it."""
        if self.observed is None or not self._is_staff(scope):
            return None
        # Few processes ever draft anything, so what that takes is read by those.
        from consentkit.shell.drafts import draft_of, visible  # noqa: PLC0415 - as said above

        seen = self.observed.listed()
        names = tuple((visible(one.name) or _NO_NAME, str(one)) for one in seen)
        # Each entry is tried out, which for as many as are remembered takes a second or so.
        draft = await run_in_threadpool(draft_of, seen, self.policy) if seen else ""
        return Observed(names, draft, is_no_choice=not self.changes_pages)

    def stands_down_within(self, outer: Outer, scope: Scope) -> bool:
        """True inside a middleware with the same tokens; one with others takes over from it."""
        if outer.tokens != self.enforcement.tokens:
            outer.give_way(scope)
            return False
        if outer.policy is not self.policy:
            self.note(
                "two-policies",
                "two policies with the same token name are nested, so the outer one rules alone. "
                "Give the inner policy a name of its own (token: {name: …}).",
            )
        return True

    def note(self, kind: str, message: str, *values: object) -> None:
        """Log a warning about how the site is set up, once for each `kind`."""
        if kind not in self._noted:
            self._noted.add(kind)
            logger.warning(message, *values)

    def note_scheme(self, fields: Fields) -> None:
        """Say once if an answer comes from a page whose scheme does not fit `secure`."""
        scheme, _, host = fields.get(b"origin", b"").partition(b"://")
        if self.options.secure and scheme == b"http" and not _is_local(host):
            self.note(
                "scheme",
                "an answer was posted from an http page, and browsers keep no Secure cookie "
                "there. Serve the site over https, or pass secure=False in development.",
            )
        elif not self.options.secure and scheme == b"https":
            self.note(
                "scheme",
                "an answer was posted from an https page, but secure=False. Pass secure=True, so "
                "that the consent token is protected.",
            )


def _is_local(host: bytes) -> bool:
    """True for a name of this machine, where browsers keep Secure cookies of http pages too."""
    return host.startswith(_LOCAL_HOSTS) or host.partition(b":")[0].endswith(b".localhost")
