"""The arch between a page's tags and the rules: may this load, and what stands there until it may.

It has never heard of messages, or of bytes that stream: it is asked about one tag or one header,
and answers.

A host belongs to a service that the policy declares, to the site itself, or to nobody. `Loading` is
what one visitor's answers let load; visitors who answered the same share it. A `PageJudge` answers
a `Gate`'s questions about one page. In report mode nothing waits, and the events say what would.
"""

from __future__ import annotations

import logging
import re
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, unquote

from consentkit.events import Event
from consentkit.memory import Memory
from consentkit.notice.assets import asset
from consentkit.notice.embeds import (
    Can,
    abilities_of,
    is_seen,
    placeholder_document,
    placeholder_markup,
)
from consentkit.rules.decision import DECISIONS, Decision, Reason, decide_service
from consentkit.rules.policy import Basis, Csp, Undeclared
from consentkit.rules.signals import NO_SIGNALS
from consentkit.wire.csp import (
    Sources,
    built,
    nonce_of,
    own_source,
    tightened,
    wide_sources,
)
from consentkit.wire.gate import Waits
from consentkit.wire.html import attribute_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from consentkit.rules.policy import Policy
    from consentkit.rules.signals import Signal
    from consentkit.rules.visitor import Standing
    from consentkit.wire.gate import Tag
    from consentkit.wire.headers import HeaderList

__all__ = ["LinkJudge", "Loading", "PageJudge", "Place", "Policing", "host_without_port"]

logger = logging.getLogger("consentkit.pages")

MOST_HOSTS: Final = 512
"""Hosts whose decision is remembered for visitors who answered the same."""
MOST_NOTED: Final = 32
"""Sources of policies that are told of."""
MOST_OWN: Final = 8
"""Names under which a site is reached and for which its sources are remembered."""
_PORT: Final = re.compile(r":[0-9]*\Z")
_CSP: Final = b"content-security-policy"
_REPORT_ONLY: Final = b"content-security-policy-report-only"
_POLICIES: Final = frozenset({_CSP, _REPORT_ONLY})
_SAFE: Final = "/-._~"  # in a path within a policy; "," and ";" would end it
_TELLS: Final = re.compile(
    rb"(?:^|;)[\t\n\f\r ]*+report-(?:uri|to)(?![^\t\n\f\r ;])", re.IGNORECASE
)


class _OfAHost(NamedTuple):
    """Whose a host is (None: nobody declared it), and whether it may be asked."""

    service: str | None
    decision: Decision


class Loading:
    """What one visitor's answers let load, by host and by service."""

    def __init__(self, standing: Standing) -> None:
        """`standing` is the visitor's."""
        self.policy: Policy = standing.policy
        self._standing = standing
        self._hosts: Memory[str, _OfAHost] = Memory(MOST_HOSTS, 1 << 18)
        self.sources: Memory[tuple[bytes | None, bytes], Sources] = Memory(MOST_OWN, 1)
        """What pages may fetch from, by the name under which the site is reached."""

    @property
    def services(self) -> frozenset[str]:
        """The services that may load."""
        return self._standing.services

    def of_host(self, host: str) -> _OfAHost:
        """Whose a host is, and whether it may be asked for anything."""
        found = self._hosts.get(host)
        if found is None:
            service = self.policy.service_of_host(host)
            found = _OfAHost(service, self.decision(service))
            self._hosts.put(host, found, len(host) + 128)
        return found

    def decision(self, service: str | None) -> Decision:
        """Whether a service may load; None is that of a host nobody declared."""
        standing = self._standing
        return decide_service(self.policy, service, standing.answers, standing.single_services)

    def may_load(self, host: str) -> bool:
        """True if a host may be asked."""
        return self.of_host(host).decision.allowed

    def winning(self, purposes: Iterable[str], service: str | None = None) -> frozenset[Signal]:
        """The visitor's signals that outweigh any answer about these; none where answers count."""
        policy = self.policy
        if not policy.signals_win:
            return NO_SIGNALS
        names = {*purposes, *(policy.services[service].purpose if service else ())}
        honours = [policy.purposes[name].honours for name in names if name in policy.purposes]
        return self._standing.signals & frozenset().union(*honours)

    def is_optional(self, service: str) -> bool:
        """True if visitors answer for a service."""
        basis = self.policy.basis_of
        purposes = self.policy.services[service].purpose
        return any(basis(name) is not Basis.STRICTLY_NECESSARY for name in purposes)

    def allows_every(self, purposes: Sequence[str]) -> bool:
        """True if every one of these purposes is allowed; a name nobody declared is not."""
        return bool(purposes) and all(name in self.purposes for name in purposes)

    @cached_property
    def purposes(self) -> frozenset[str]:
        """The purposes that are allowed."""
        policy, standing = self.policy, self._standing
        return frozenset(
            name
            for name in policy.purposes
            if DECISIONS[policy.basis_of(name)][standing.answer(name)]
        )


def host_without_port(host: bytes) -> str:
    """The name in a Host header, lower-case: ``www.example.org``, ``[::1]``."""
    return _PORT.sub("", host.decode("latin-1").lower()).rstrip(".")


class Place(NamedTuple):
    """Where placeholders stand: the endpoints' path, the page to come back to, its language.

    Where nobody `can_answer` they have no button: in a frame, a visitor's click may be meant for
    the page around it, which is anybody's (LAW R-10).
    """

    path: str
    back: bytes
    language: Callable[[], str]
    can_answer: bool = True

    @property
    def stylesheet(self) -> str:
        """The address of the placeholders' style sheet."""
        return f"{self.path}/assets/{asset('embed.css').name}"

    def ability(self, can: Can) -> Can:
        """What a placeholder is able to do here that its own frame lets do this."""
        return Can.LEAVE if can is Can.ANSWER and not self.can_answer else can


class LinkJudge:
    """Answers for the links that a response's headers name.

    `depends` is True once an answer would differ for another visitor; `events` is what waits, and
    who may be asked although nobody declared them, each host once.
    """

    def __init__(self, loading: Loading) -> None:
        """`loading` is what the visitor's answers let load."""
        self._loading = loading
        self._noted: set[tuple[str, str]] = set()
        self.depends = False
        self.events: list[Event] = []

    def may_load(self, host: str) -> bool:
        """True if a host may be asked; it is noted where it may not."""
        service, decision = self._loading.of_host(host)
        return self._stands(host, "host", service, decision)

    def _stands(self, name: str, what: str, service: str | None, decision: Decision) -> bool:
        if service is not None and not self.depends:
            self.depends = self._loading.is_optional(service)
        is_told = not decision.allowed or decision.reason is Reason.UNDECLARED
        if is_told and (what, name) not in self._noted:
            self._noted.add((what, name))
            act = "undeclared" if decision.allowed else "blocked"
            self.events.append(Event(act, name, decision.reason.value, decision, what=what))
        return decision.allowed


class PageJudge(LinkJudge):
    """Answers the questions a `Gate` asks about one page."""

    def __init__(self, loading: Loading, place: Place, *, enforces: bool) -> None:
        """Where `enforces` is False everything stands, and `events` says what would wait."""
        super().__init__(loading)
        self._place, self._enforces = place, enforces
        self.is_in_head = False

    def reach_us_by(self, path: str) -> None:
        """Let placeholders lead to the endpoints by another address."""
        self._place = self._place._replace(path=path)

    def judge(self, tag: Tag) -> Waits | None:
        """What a start tag waits for, None if it may stand."""
        waiting: list[str] = []
        blocked: str | None = None
        for host in tag.hosts:
            if not self.may_load(host) and self._enforces:
                waiting.append(self._loading.of_host(host).service or "")
                blocked = blocked or host
        if blocked is None:
            return None
        mark = _mark(waiting) if all(waiting) else b""
        return Waits(mark, self._srcdoc(tag, blocked))

    def judge_marker(self, marker: bytes) -> bytes | None:
        """The services an inline script with this text in it waits for, None if it may stand."""
        loading = self._loading
        waiting = [
            service
            for service in loading.policy.services_with_markers[marker.decode()]
            if not self._stands(service, "service", service, loading.decision(service))
        ]
        return _mark(waiting) if waiting and self._enforces else None

    def template(self, purpose: str | None, service: str | None) -> bytes | None:
        """The markup before an author's template that stays closed, None for one to be opened."""
        self.depends = True
        if not self._enforces or self._may_open(purpose, service):
            return None
        if self.is_in_head:  # an element there would begin the body
            return b""
        place = self._place
        return _or_nothing(
            lambda: placeholder_markup(
                self._loading.policy,
                service=service,
                purposes=tuple((purpose or "").split()),
                language=place.language(),
                path=place.path,
                stylesheet=place.stylesheet,
                next_path=place.back,
                can=place.ability(Can.ANSWER),
                signals=self._loading.winning((purpose or "").split(), service),
            )
        )

    def _may_open(self, purpose: str | None, service: str | None) -> bool:
        if service is not None and service not in self._loading.services:
            return False
        return purpose is None or self._loading.allows_every(purpose.split())

    def _srcdoc(self, tag: Tag, host: str) -> bytes:
        if tag.name != b"iframe" or not is_seen(tag.source):
            return b""
        place, service = self._place, self._loading.of_host(host).service
        return _or_nothing(
            lambda: placeholder_document(
                self._loading.policy,
                service,
                place.language(),
                path=place.path,
                stylesheet=place.stylesheet,
                next_path=place.back,
                url=tag.urls[tag.hosts.index(host)],
                host=host,
                can=place.ability(abilities_of(attribute_of(tag.source, b"sandbox"))),
                signals=self._loading.winning((), service),
            )
        )


def _or_nothing(make: Callable[[], bytes]) -> bytes:
    """A placeholder, or nothing where making it fails: what waits goes on waiting."""
    try:
        return make()
    except Exception:
        logger.exception("a fault in consentkit: what waits has no placeholder")
        return b""


def _mark(services: Iterable[str]) -> bytes:
    return escape(" ".join(dict.fromkeys(services))).encode("ascii", "xmlcharrefreplace")


def _told_to_nobody(policy: bytes) -> bytes:
    return b";".join(one for one in policy.split(b";") if not _TELLS.match(one)).rstrip()


class Policing:
    """What becomes of the Content-Security-Policy headers of pages (LAW R-55).

    ``csp: enforce`` tightens the app's own, or sends one; ``csp: report`` leaves them as they are,
    and adds what it would have sent as report-only; ``off`` reads their nonce, and no more.
    """

    def __init__(self, policy: Policy, path: str, *, enforces: bool) -> None:
        """`path` is where the endpoints are; where it `enforces` nothing, no header changes."""
        self._policy = policy
        self._path = path
        self.is_on = enforces and policy.csp is not Csp.OFF
        """True where headers are changed."""
        self._hosts = tuple(
            dict.fromkeys(
                host.lower()
                for hosts in (policy.site.hosts, *(each.hosts for each in policy.services.values()))
                for host in hosts
            )
        )
        self._noted: set[bytes] = set()
        # A list of what may load blocks all that nobody declared, also where that is only told.
        self._builds = policy.undeclared is not Undeclared.REPORT

    def police(
        self, headers: HeaderList, loading: Loading, host: bytes, root_path: str, *, is_whole: bool
    ) -> tuple[HeaderList, bytes | None]:
        """A page's headers as they may go out, and the nonce that its scripts carry.

        `host` is the request's Host; `root_path`, percent-encoded, stands before the endpoints' own
        path. A 304 is not `is_whole`: the browser has the page's other headers already.
        """
        values = [bytes(value) for name, value in headers if bytes(name).lower() == _CSP]
        nonce = nonce_of(values) if values else None
        if not self.is_on:
            return headers, nonce
        sources = self._sources(loading, host, root_path)
        if self._policy.csp is Csp.REPORT:
            if not is_whole and not values:
                return headers, nonce
            return [*headers, *self._reported(values, sources, nonce, root_path)], nonce
        kept = [
            (name, tightened(bytes(value), sources) if bytes(name).lower() in _POLICIES else value)
            for name, value in headers
        ]
        if not values and is_whole:
            name = _CSP if self._builds else _REPORT_ONLY
            kept.append((name, built(sources)))
        if not self._builds:
            self._note_wide(kept, sources)
        return kept, nonce

    def _note_wide(self, headers: HeaderList, sources: Sources) -> None:
        """Say once of a source that it lets through what may not load, and cannot be narrowed."""
        values = [bytes(value) for name, value in headers if bytes(name).lower() == _CSP]
        wide = {source for value in values for source in wide_sources(value, sources)}
        for source in sorted(wide - self._noted)[: MOST_NOTED - len(self._noted)]:
            self._noted.add(source)
            logger.warning(
                "a page's Content-Security-Policy has %s, which lets through what has to wait. "
                "Name single hosts, or set undeclared: block.",
                ascii(source.decode("latin-1")),
            )

    def _reported(
        self, values: Sequence[bytes], sources: Sources, nonce: bytes | None, root_path: str
    ) -> HeaderList:
        """What `enforce` would send, with reports to the site itself and to nobody else (R-93)."""
        tell = f"; report-uri {quote(self._below(root_path), safe=_SAFE)}/reports".encode()
        lists = [tightened(value, sources) for value in values] or [built(sources, nonce)]
        policies = [policy for value in lists for policy in value.split(b",")]
        return [(_REPORT_ONLY, _told_to_nobody(policy) + tell) for policy in policies]

    def _below(self, root_path: str) -> str:
        """The endpoints' path, plain: a policy has its own way of writing one."""
        return unquote(root_path) + self._path

    def _sources(self, loading: Loading, host: bytes, root_path: str) -> Sources:
        own = own_source(host, self._below(root_path))
        # Who sends a name that no policy can list gets what was made for that name alone.
        reached = own, host
        found = loading.sources.get(reached)
        if found is None:
            page_host = host_without_port(host)

            def is_blocked(pattern: str) -> bool:
                if pattern == "*":
                    return not loading.decision(None).allowed
                # What holds for all hosts below holds for one that nobody names.
                probe = pattern.replace("*.", "any-other.")
                if self._policy.is_first_party(probe, page_host):
                    return False
                return not loading.may_load(probe)

            site = page_host.removeprefix("www.")
            hosts = (site, f"*.{site}", *self._hosts)
            found = Sources(own, hosts, is_blocked, types=b"consentkit")
            loading.sources.put(reached, found, 0)
        return found
