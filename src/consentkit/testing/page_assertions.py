"""Assertions about what a page shows and fetches, and about the table that the site shows.

It has never heard of a test framework: a failure is an AssertionError, which says what came, why,
which line of the policy's file decides it, and what to do.

What a page fetches is read by the very gate that holds tags back when the site runs, and whether a
host may be asked is what `decide_service` says.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from consentkit.audit.sheets import fetched_by
from consentkit.events import span_in_words
from consentkit.gating import host_without_port
from consentkit.notice.chapters import name_in_words
from consentkit.notice.declaration import declaration_json
from consentkit.rules.consent import NOBODY_YET
from consentkit.rules.decision import Decision, decide_service
from consentkit.rules.names import NameIndex
from consentkit.rules.signals import NO_SIGNALS
from consentkit.rules.visitor import Standing
from consentkit.testing.assertions import is_own
from consentkit.testing.evidence import Evidence, evidence_of
from consentkit.testing.failures import answers_in_words, failure, lines_at
from consentkit.wire.cookies import parse_attributes, set_cookie_tail
from consentkit.wire.gate import Gate, Tag
from consentkit.wire.html import VOID
from consentkit.wire.urls import host_of
from consentkit.wire.validators import links_without

if TYPE_CHECKING:
    from consentkit.rules.policy import Policy
    from consentkit.testing.visitors import SignedVisitor

__all__ = ["assert_banner", "assert_declaration_matches", "assert_no_third_party"]

MOST_SHOWN: Final = 12
"""Fetches, or differences, that a failure shows one by one."""
_LOADED: Final = "() => performance.getEntriesByType('resource').map((entry) => entry.name)"


def _page_of(evidence: Evidence) -> bytes:
    if evidence.page is None:
        raise TypeError(
            "there is no page in this: hand over a response with a body, a Playwright page, or the "
            "page's markup"
        )
    return evidence.page


def _check_is_there(evidence: Evidence) -> None:
    """Raises AssertionError for an error page, and for a redirect: nothing in it proves nothing."""
    if evidence.status is None or 200 <= evidence.status < 300:
        return
    raise failure(
        f"the page answers with {evidence.status}, so this proves nothing.",
        do=(
            "correct the address, and follow where it leads; of a page that answers so on purpose, "
            "hand over the markup: response.text."
        ),
    )


# What a page is made of


_NO_MARKUP: Final = frozenset(
    ("template", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
)
"""What stands in these is no part of the page."""
_END_BY_THEMSELVES: Final = frozenset(("p", "li", "dt", "dd", "option", "tr", "td", "th"))
_HIDING: Final = {
    "display": ("none",),
    "visibility": ("hidden", "collapse"),
    "opacity": ("0", "0.0", "0%"),
}


class _Open(NamedTuple):
    """An element that is open, and what holds of all that stands in it."""

    name: str
    is_closed_off: bool = False
    is_hidden: bool = False
    is_notice: bool = False


class _Markup(HTMLParser):
    """A page, element by element; `here` is the one that is open."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self._opened = [_Open("")]
        self.feed(page.decode("utf-8", "replace"))
        self.close()

    @property
    def here(self) -> _Open:
        """The innermost of the open elements."""
        return self._opened[-1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(reversed(attrs))
        if tag in _END_BY_THEMSELVES and self.here.name == tag:
            self._opened.pop()
        around = self.here
        element = _Open(
            tag,
            around.is_closed_off or tag in _NO_MARKUP,
            around.is_hidden or _hides(tag, given),
            around.is_notice or given.get("id") == "consentkit",
        )
        if not around.is_closed_off:
            self.take(element, given)
        if tag.encode() not in VOID:
            self._opened.append(element)

    def take(self, element: _Open, given: dict[str, str | None]) -> None:
        """Take in an element of the page, with its attributes."""

    def parse_marked_section(self, i: int, report: bool = True) -> int:  # noqa: ARG002, FBT001, FBT002 - as in the base class
        """HTML has none but CDATA: a bogus comment, where the base class would raise."""
        return self.parse_bogus_comment(i)

    def handle_endtag(self, tag: str) -> None:
        names = [element.name for element in self._opened]
        if tag in names:
            del self._opened[len(names) - 1 - names[::-1].index(tag) :]


def _hides(tag: str, given: Mapping[str, str | None]) -> bool:
    """True for an element that shows nobody what it holds."""
    parts = [part.partition(":") for part in (given.get("style") or "").lower().split(";")]
    style = {name.strip(): value.replace("!important", "").strip() for name, _, value in parts}
    is_closed = tag == "dialog" and "open" not in given
    return (
        "hidden" in given
        or "popover" in given
        or is_closed
        or any(style.get(name) in values for name, values in _HIDING.items())
    )


class _Styles(_Markup):
    """What the styles in a page fetch: of `<style>`, and of attributes."""

    def __init__(self, page: bytes) -> None:
        self.found: list[tuple[str, str, str]] = []
        self._base: str | None = None
        super().__init__(page)

    def take(self, element: _Open, given: dict[str, str | None]) -> None:
        if element.name == "base" and self._base is None:
            self._base = host_of((given.get("href") or "").encode("utf-8", "replace"))
        self._read("a style attribute", given.get("style") or "")

    def handle_data(self, data: str) -> None:
        if self.here.name == "style" and not self.here.is_closed_off:
            self._read("<style>", data)

    def _read(self, what: str, css: str) -> None:
        for url, _ in fetched_by(css):
            # As in an attribute, where what looks like a reference would be one.
            address = url.encode("utf-8", "replace").replace(b"&", b"&amp;")
            if host := host_of(address, self._base):
                self.found.append((what, host, url))


# What a page fetches


class _Fetch(NamedTuple):
    """Something that a page fetches from elsewhere, or an inline script of a service."""

    what: str
    address: str
    service: str | None = None

    def __str__(self) -> str:
        """What fetches, and from where."""
        return f"{self.what} from {self.address}" if self.address else self.what


def assert_no_third_party(
    page: Any,  # noqa: ANN401 - of any client
    policy: Policy | None = None,
    *,
    visitor: SignedVisitor | None = None,
    site: str | None = None,
) -> None:
    """Nothing in the page is fetched from a host that may not be asked.

    Without a policy that is every host but the page's own. With one, the hosts of the site and of
    the services that `visitor` allows may be asked; where nobody knows who asked, it is judged as
    the page of somebody who has not answered. A host that no service declares may never be.
    Of a page in a real browser what it has loaded counts too.

    What tags fetch is read, and what the styles in the page do. A page that answers with an error,
    or leads elsewhere, proves nothing, and fails. `site` is the address of the page, for markup
    that comes without one. Raises TypeError where it is missing, and where there is no page.
    """
    __tracebackhide__ = True  # what failed is the test's line, and none of these
    evidence = evidence_of(page)
    _check_is_there(evidence)
    rules = policy or (visitor.policy if visitor else None) or evidence.policy
    standing = visitor.standing if visitor else evidence.standing
    if standing is None and rules is not None:
        standing = Standing(rules, NOBODY_YET, NO_SIGNALS, time.time())
    host = _host_of(site or evidence.url)
    if not host:
        raise TypeError("where does this page stand? Pass site='https://www.example.org'")
    fetches = _Noted(rules, host).note(evidence)
    judged = [(each, _judged(each, rules, standing)) for each in fetches]
    wrong = [(each, decision) for each, decision in judged if decision is not None]
    if not wrong:
        return
    told = [f"{each}: {why}" for each, why in wrong]
    rest = [f"and {len(told) - MOST_SHOWN} more"] if len(told) > MOST_SHOWN else []
    services = dict.fromkeys(each.service for each, _ in wrong)
    raise failure(
        f"{host} fetches from elsewhere what may not be fetched.",
        came="\n        ".join([*told[:MOST_SHOWN], *rest]),
        why=answers_in_words(standing),
        lines=[line for name in services for line in lines_at(rules, *_locs_of_service(name))],
        do=_how_to_keep_out(services, evidence),
    )


def _host_of(address: str) -> str:
    return host_without_port((urlsplit(address).netloc or "").encode("latin-1", "replace"))


def _locs_of_service(name: str | None) -> Sequence[tuple[str, ...]]:
    if name is None:
        return (("services",), ("undeclared",))
    return (("services", name, "purpose"), ("services", name))


class _Noted:
    """Everything that tags, Link headers and a live page ask of other hosts than `host`'s."""

    def __init__(self, policy: Policy | None, host: str) -> None:
        self._policy, self._host = policy, host
        self._markers: Mapping[str, tuple[str, ...]] = (
            policy.services_with_markers if policy is not None else {}
        )
        self.found: list[_Fetch] = []

    def note(self, evidence: Evidence) -> list[_Fetch]:
        """What is fetched by a page, by the headers it came with, and by what runs in it."""
        gate = Gate(
            self._note_tag,
            is_own=self._is_own,
            markers=[marker.encode() for marker in self._markers],
            judge_marker=self._note_marker,
            # A template that the site left closed holds nothing that is fetched.
            template=lambda _purpose, _service: b"",
        )
        gate.feed(_page_of(evidence), last=True)
        for what, host, url in _Styles(_page_of(evidence)).found:
            if not self._is_own(host):
                self._add(what, host, url)
        for value in evidence.links:
            links_without(value, self._note_link)
        for url in _loaded(evidence):
            host = _host_of(url)
            if host and not self._is_own(host):
                self._add("loaded", host, url)
        return [*dict.fromkeys(self.found)]

    def _is_own(self, host: str) -> bool:
        if self._policy is None:
            return host == self._host
        return self._policy.is_first_party(host, self._host)

    def _add(self, what: str, host: str, url: str) -> None:
        path = urlsplit(url).path if url else ""
        service = self._policy.service_of_host(host) if self._policy is not None else None
        self.found.append(_Fetch(what, f"{host}{path}", service))

    def _note_tag(self, tag: Tag) -> None:
        for host, url in zip(tag.hosts, tag.urls, strict=True):
            self._add(f"<{tag.name.decode('latin-1')}>", host, url)

    def _note_marker(self, marker: bytes) -> None:
        for name in self._markers[marker.decode()]:
            self.found.append(_Fetch("an inline <script>", "", name))

    def _note_link(self, host: str) -> bool:
        if not self._is_own(host):
            self._add("a Link header", host, "")
        return True


def _loaded(evidence: Evidence) -> list[str]:
    """What a live page has loaded, whoever asked for it."""
    if not hasattr(evidence.live, "evaluate"):
        return []
    return [str(url) for url in evidence.live.evaluate(_LOADED)]


def _judged(fetch: _Fetch, policy: Policy | None, standing: Standing | None) -> str | None:
    """Why something may not be fetched, None if it may."""
    if policy is None or standing is None:
        return "another host"
    if fetch.service is None:
        return "no service declares this host"
    decision: Decision = decide_service(
        policy, fetch.service, standing.answers, standing.single_services
    )
    return None if decision.allowed else f"service '{fetch.service}', {decision}"


def _how_to_keep_out(services: Iterable[str | None], evidence: Evidence) -> str:
    advice = []
    if any(name is None for name in services):
        advice.append("declare the host under 'services:', or take what fetches from it out")
    if any(name is not None for name in services):
        advice.append(
            "see that the page passes through ConsentMiddleware, which holds a declared service's "
            "tags back"
        )
    if evidence.live is not None:
        advice.append("let scripts that load others wait for the purpose too")
    return "; ".join(advice) + "."


# The banner


@dataclass
class _Button:
    choice: str
    is_hidden: bool
    others: frozenset[tuple[str, str | None]]


class _Notice(_Markup):
    """What stands in the element with the id ``consentkit``."""

    def __init__(self, page: bytes) -> None:
        self.buttons: list[_Button] = []
        self.is_there = self.is_hidden = False
        super().__init__(page)

    def take(self, element: _Open, given: dict[str, str | None]) -> None:
        if element.is_notice and not self.is_there:
            self.is_there, self.is_hidden = True, element.is_hidden
        if element.is_notice and element.name == "button" and given.get("name") == "choice":
            others = frozenset(pair for pair in given.items() if pair[0] != "value")
            self.buttons.append(_Button(given.get("value") or "", element.is_hidden, others))

    @property
    def choices(self) -> dict[str, _Button]:
        """The button of each choice; one that is seen, where there are several."""
        return {each.choice: each for each in sorted(self.buttons, key=lambda b: not b.is_hidden)}

    @property
    def is_asking(self) -> bool:
        """True where somebody sees a button of the two, and there is one to grant."""
        choices = self.choices
        both = [choices[each] for each in ("accept-all", "reject-all") if each in choices]
        return "accept-all" in choices and not all(button.is_hidden for button in both)


_LOOKS: Final = """() => ['reject-all', 'accept-all'].map((choice) => {
  const button = document.querySelector(`#consentkit button[value=${choice}]`);
  if (!button) return null;
  const box = button.getBoundingClientRect(), style = getComputedStyle(button);
  return {height: Math.round(box.height), 'font-size': style.fontSize,
    'font-weight': style.fontWeight, color: style.color, background: style.backgroundColor,
    border: style.border,
    visible: String(box.width > 0 && box.height > 0 && style.visibility === 'visible')};
})"""


def assert_banner(
    page: Any,  # noqa: ANN401 - of any client
    *,
    expected: bool = True,
    policy: Policy | None = None,
) -> None:
    """The page asks the visitor, with a refusal as easy as a grant; or it does not ask.

    A banner is a notice with a button for each answer. The two have the same attributes, so the
    same style (LAW R-12); in a real browser they look the same too. What stands in a ``<template>``
    is none, nor what is hidden by an attribute, or in a real browser by a style sheet. With
    ``expected=False`` there is none; a quiet line with the link to the preferences is no banner,
    and a page that answers with an error, or leads elsewhere, fails.
    """
    __tracebackhide__ = True  # what failed is the test's line, and none of these
    evidence = evidence_of(page)
    notice = _Notice(_page_of(evidence))
    rules = policy or evidence.policy
    looks = _looks(evidence)
    is_asking = notice.is_asking and not _is_unseen(looks)
    if is_asking and not expected:
        raise failure(
            "no banner was expected, and the page asks.",
            why=_what_is_open(evidence),
            lines=lines_at(rules, ("revision",), ("mode",)),
            do="come as a visitor who has answered: consent_client(app, 'refused').",
        )
    if not expected:
        _check_is_there(evidence)
        return
    if not is_asking:
        raise failure(
            "a banner was expected, and the page asks nothing.",
            came=_what_stands_there(evidence, notice),
            why=_what_is_open(evidence),
            lines=lines_at(rules, ("purposes",)),
            do=_how_to_be_asked(evidence, notice),
        )
    differences = [*_of_the_markup(notice.choices), *_of_the_looks(looks)]
    if differences:
        raise failure(
            "refusing is not as easy as granting.",
            came="; ".join(differences),
            lines=lines_at(rules, ("templates",), ("banner",)),
            do="give both buttons the same style, size and place (R-12).",
        )


def _what_is_open(evidence: Evidence) -> str:
    standing = evidence.standing
    if standing is None:
        return ""
    asked = ", ".join(standing.open_purposes)
    opened = f"open: {asked}" if asked else "nothing is open"
    return f"{opened}. {answers_in_words(standing)}"


def _what_stands_there(evidence: Evidence, notice: _Notice) -> str:
    if notice.is_there and (notice.is_hidden or notice.buttons):
        return "the notice is there and hidden."
    if notice.is_there:
        return "a quiet line, which asks nothing."
    return (
        f"no notice in {len(evidence.page or b'')} bytes of {evidence.content_type or 'no type'}."
    )


def _how_to_be_asked(evidence: Evidence, notice: _Notice) -> str:
    if notice.is_hidden:
        return "look at the page in a browser: with 'pages: shared' a script shows the notice."
    if notice.buttons:
        return "show both buttons: no style may hide them."
    if evidence.standing is not None and not evidence.standing.open_purposes:
        return (
            "come as a visitor who has not answered: consent_client(app). A signal answers too, "
            "and a page for children asks nothing."
        )
    return (
        "see that the response is a page (text/html, a <body>, no fragment), that it passes "
        "through ConsentMiddleware, and that the middleware has no banner=False."
    )


def _of_the_markup(choices: Mapping[str, _Button]) -> Iterator[str]:
    if "reject-all" not in choices:
        yield "there is no button that refuses"
        return
    refuse, accept = choices["reject-all"], choices["accept-all"]
    for which, button, other in (("refusal", refuse, accept), ("grant", accept, refuse)):
        if button.is_hidden:
            yield f"the button of the {which} is hidden"
        for name, value in sorted(button.others - other.others, key=str):
            yield f"the button of the {which} alone has {name}={value!r}"


_Looks: TypeAlias = Sequence[Mapping[str, Any] | None]


def _looks(evidence: Evidence) -> _Looks:
    """How the two buttons look in a real browser: to refuse, and to grant; empty without one."""
    if not hasattr(evidence.live, "evaluate"):
        return ()
    looks: _Looks = evidence.live.evaluate(_LOOKS)
    return looks


def _is_unseen(looks: _Looks) -> bool:
    """True where the buttons are there, and a browser shows none of them."""
    there = [look for look in looks if look is not None]
    return bool(there) and all(look.get("visible") == "false" for look in there)


def _of_the_looks(looks: _Looks) -> Iterator[str]:
    if not looks:
        return
    refuse, accept = looks
    for name in refuse or ():
        if refuse is not None and accept is not None and refuse[name] != accept[name]:
            yield f"{name}: {refuse[name]} to refuse, {accept[name]} to grant"


# The table


class _Table(HTMLParser):
    """The names in the table of declared cookies, and the page's title."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self._in_row = self._in_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "th":
            self._in_row = dict(attrs).get("scope") == "row"
        if tag == "code" and self._in_row:
            self._in_code = True
            self.names.append("")

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.names[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self._in_code = False
        if tag == "th":
            self._in_row = False


def assert_declaration_matches(
    shown: Any,  # noqa: ANN401 - of any client
    policy: Policy | None = None,
    *,
    seen: Iterable[Any] = (),
) -> None:
    """What the site tells its visitors is what the policy says, and has all that was seen (R-75).

    `shown` is a client of `consent_client`, which is asked for both forms of the declaration, or a
    response: ``/consent/declaration.json`` (compared in every field) or ``/consent/cookies`` (in
    every name). `seen` are responses and jars: each cookie in them has to stand in it, and lives no
    longer than it says.
    """
    __tracebackhide__ = True  # what failed is the test's line, and none of these
    evidence = evidence_of(shown)
    rules = policy or evidence.policy
    if rules is None:
        raise TypeError("which policy? This does not know it: pass policy=load_policy(…)")
    differences = [
        difference
        for answer in _declarations(shown, evidence)
        for difference in _differences(answer, rules)
    ]
    differences += [told for one in seen for told in _untold(evidence_of(one), rules)]
    if not differences:
        return
    told = [*dict.fromkeys(differences)]
    rest = [f"and {len(told) - MOST_SHOWN} more"] if len(told) > MOST_SHOWN else []
    raise failure(
        "the declaration that visitors are shown differs from the policy, or from what was seen.",
        came="\n        ".join([*told[:MOST_SHOWN], *rest]),
        lines=lines_at(rules, ("cookies",)),
        do=(
            "see that the site was started with this policy; declare what was seen under "
            "'cookies:', with the duration it has."
        ),
    )


def _declarations(shown: Any, evidence: Evidence) -> Iterator[Evidence]:  # noqa: ANN401 - a client, or a response
    visitor = getattr(shown, "visitor", None)
    if evidence.is_jar and visitor is not None:
        for name in ("declaration.json", "cookies"):
            yield evidence_of(shown.get(f"{visitor.path}/{name}"))
    else:
        yield evidence


def _differences(answer: Evidence, policy: Policy) -> Iterator[str]:
    body = _page_of(answer)
    if answer.status is not None and not 200 <= answer.status < 300:
        yield f"{answer.url} answers with {answer.status}, and declares nothing"
        return
    if "json" in answer.content_type or body.lstrip().startswith(b"{"):
        try:
            told = json.loads(body)
        except ValueError:
            yield f"{answer.url}: no JSON"
            return
        yield from _fields_that_differ(told, policy)
        return
    table = _Table()
    table.feed(body.decode("utf-8", "replace"))
    shown = {name for name in table.names if not is_own(name, policy)}
    declared = {name_in_words(name) for name in (*policy.cookies, *policy.storage)}
    yield from (f"'{name}' is declared, and the page lacks it" for name in sorted(declared - shown))
    yield from (f"'{name}' is on the page, and not declared" for name in sorted(shown - declared))


def _fields_that_differ(told: Any, policy: Policy) -> Iterator[str]:  # noqa: ANN401 - whatever the site says
    wanted = json.loads(json.dumps(declaration_json(policy)))
    if not isinstance(told, dict):
        yield "the declaration is no JSON object"
        return
    for key, value in wanted.items():
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            there = told.get(key)
            rows = there if isinstance(there, list) else []
            yield from _rows_that_differ(key, rows, value, policy)
        elif told.get(key) != value:
            yield f"{key}: {_shown(told.get(key))} is shown, and the policy says {_shown(value)}"


def _rows_that_differ(
    section: str, rows: Sequence[Any], wanted: Sequence[dict[str, Any]], policy: Policy
) -> Iterator[str]:
    shown = {row.get("name"): row for row in rows if isinstance(row, dict)}
    declared = {row["name"]: row for row in wanted}
    for name in sorted(declared.keys() - shown.keys()):
        yield f"{section}: '{name}' is declared, and is not shown"
    for name in sorted(map(str, shown.keys() - declared.keys())):
        if section != "cookies" or not is_own(name, policy):
            yield f"{section}: '{name}' is shown, and is not declared"
    for name in sorted(declared.keys() & shown.keys()):
        for key, value in declared[name].items():
            if shown[name].get(key) != value:
                was = _shown(shown[name].get(key))
                yield f"{section}: '{name}' has {key} {was}, and the policy says {_shown(value)}"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _untold(evidence: Evidence, policy: Policy) -> Iterator[str]:
    """What was seen and is not in the declaration, or lives longer than that says."""
    for each in evidence.cookies:
        if each.is_removal or is_own(each.name, policy):
            continue
        declared = policy.declaration_of(each.name)
        if declared is None:
            yield f"cookie '{each.name}' was seen, and is not declared"
            continue
        lives = parse_attributes(set_cookie_tail(each.raw)).lifetime(time.time())
        longest = declared.duration
        if lives is not None and (longest is None or lives > longest * 1.01):
            yield (
                f"cookie '{each.name}' was seen to live {span_in_words(round(lives))}, and is "
                f"declared for {'the session' if longest is None else span_in_words(longest)}"
            )
    for where, key, _ in evidence.items:
        names = {name: item for name, item in policy.storage.items() if item.where is where}
        if NameIndex(names).find(key) is None:
            yield f"stored item '{key}' ({where}) was seen, and is not declared"
