"""Assertions about what a page shows and fetches, and about the table that the site shows.

It has never heard of a test framework: a failure is an AssertionError, which says what came, why,
which line of the policy's file decides it, and what to do.

What a page fetches is read by the very gate that holds tags back when the site runs, and whether a
host may be asked is what `decide_service` says.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from consentkit.audit.markup import led_to, read_page
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


def _check_is_there(evidence: Evidence, policy: Policy | None, site: str | None = None) -> None:
    """Raises AssertionError for what is no page of the site: nothing in it proves nothing.

    That is an error page, a redirect and where it leads to on another site, and an empty body.
    """
    claim = ""
    if evidence.status is not None and not 200 <= evidence.status < 300:
        claim = f"the page answers with {evidence.status}"
    elif (other := _other_site(evidence, policy, site or "")) is not None:
        claim = f"the page leads to {other}"
    elif evidence.status is not None and not _page_of(evidence).strip():
        claim = "the page is empty"
    if claim:
        raise failure(
            f"{claim}, so this proves nothing.",
            do=(
                "correct the address, and follow where it leads; of a page that answers so on "
                "purpose, hand over the markup: response.text."
            ),
        )


def _other_site(evidence: Evidence, policy: Policy | None, site: str) -> str | None:
    """The host of another site that was come to by redirects, or that the page leads to."""
    asked, base = _host_of(evidence.asked or evidence.url or site), evidence.url or site
    page = read_page(_page_of(evidence), base, bool)
    leads_to = led_to(evidence.refresh, base) or page.leads_to or ""
    for host in filter(None, (_host_of(evidence.url), _host_of(leads_to))):
        is_own = policy.is_first_party(host, asked) if policy is not None else host == asked
        if asked and not is_own:
            return host
    return None


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
    rules = policy or (visitor.policy if visitor else None) or evidence.policy
    _check_is_there(evidence, rules, site)
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
        base = evidence.url or f"https://{self._host}/"
        for host, path, what in read_page(_page_of(evidence), base, self._is_own).styles:
            if not self._is_own(host):
                self._add(f"a style's {what}", host, path)
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

_NO_MARKUP: Final = frozenset(
    ("template", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
)
"""What stands in these is no part of the page."""
_END_BY_THEMSELVES: Final = frozenset(("p", "li", "dt", "dd", "option", "tr", "td", "th"))
_FAR_OUT: Final = re.compile(r"-(?:[0-9]{4,}[0-9.]*px|[0-9]{3,}[0-9.]*(?:%|r?em|v[wh]))")
_NOTHING: Final = re.compile(r"0(?:\.0*)?(?:[a-z]+|%)?")
_HIDING: Final = {
    "display": re.compile("none"),
    "visibility": re.compile("hidden|collapse"),
    "content-visibility": re.compile("hidden"),
    "opacity": re.compile(r"0*\.0[0-9]*|0+(?:\.0[0-9]*)?|[0-9](?:\.[0-9]*)?%"),
    "transform": re.compile(r"(?:.*\s)?scale\(\s*0*\.?0*[\s,)].*"),
    "clip-path": re.compile(r"inset\(\s*(?:50|100)%.*"),
    "clip": re.compile(r"rect\((?:\s*[01](?:px)?[\s,]*){4}\)"),
    **dict.fromkeys(("left", "right", "top", "bottom", "margin-left", "margin-top"), _FAR_OUT),
}
"""What an attribute can say of an element's style that leaves nothing of it to be seen."""
_SIDES: Final = ("width", "height", "max-width", "max-height")
_DEAD: Final = frozenset({"button", "reset"})
"""Types of buttons that send nothing."""


class _Open(NamedTuple):
    """An element that is open, and what holds of all that stands in it."""

    name: str
    is_closed_off: bool = False
    is_hidden: bool = False
    is_notice: bool = False
    is_disabled: bool = False


def _hides(tag: str, given: Mapping[str, str | None]) -> bool:
    """True for an element that shows nobody what it holds, or lets nobody press it."""
    parts = [part.partition(":") for part in (given.get("style") or "").lower().split(";")]
    style = {name.strip(): value.replace("!important", "").strip() for name, _, value in parts}
    is_closed = tag in {"dialog", "details"} and "open" not in given
    is_cut = style.get("overflow") in {"hidden", "clip"}
    return (
        not given.keys().isdisjoint({"hidden", "popover", "inert"})
        or is_closed
        or any(looks.fullmatch(style.get(name, "")) for name, looks in _HIDING.items())
        or (is_cut and any(_NOTHING.fullmatch(style.get(name, "")) for name in _SIDES))
    )


@dataclass
class _Button:
    choice: str
    is_hidden: bool
    others: frozenset[tuple[str, str | None]]


class _Notice(HTMLParser):
    """What stands in the element with the id ``consentkit``; `here` is what is open."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.buttons: list[_Button] = []
        self.is_there = self.is_hidden = False
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
            around.is_disabled or (tag in {"fieldset", "button"} and "disabled" in given),
        )
        if not around.is_closed_off:
            self._take(element, given)
        if tag.encode() not in VOID:
            self._opened.append(element)

    def parse_marked_section(self, i: int, report: bool = True) -> int:  # noqa: ARG002, FBT001, FBT002 - as in the base class
        """HTML has none but CDATA: a bogus comment, where the base class would raise."""
        return self.parse_bogus_comment(i)

    def handle_endtag(self, tag: str) -> None:
        names = [element.name for element in self._opened]
        if tag in names:
            del self._opened[len(names) - 1 - names[::-1].index(tag) :]

    def _take(self, element: _Open, given: dict[str, str | None]) -> None:
        if element.is_notice and not self.is_there:
            self.is_there, self.is_hidden = True, element.is_hidden
        if element.is_notice and element.name == "button" and given.get("name") == "choice":
            others = frozenset(pair for pair in given.items() if pair[0] != "value")
            is_dead = element.is_disabled or (given.get("type") or "").lower() in _DEAD
            button = _Button(given.get("value") or "", element.is_hidden or is_dead, others)
            self.buttons.append(button)

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
    border: style.border, visible: String(isSeen(button, box))};
  function isSeen(button, box) {
    const page = document.documentElement;
    return button.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})
      && !button.matches(':disabled, [inert] *') && box.width > 0 && box.height > 0
      && box.right + scrollX > 0 && box.left < Math.max(page.scrollWidth, innerWidth)
      && box.bottom + scrollY > 0;
  }
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
    is none, nor what an attribute hides, disables or moves out of sight, or in a real browser a
    style sheet. With ``expected=False`` there is none; a quiet line with the link to the
    preferences is no banner. A page that answers with an error, or leads elsewhere, fails then, and
    one whose notice a script is going to show.
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
        _check_is_there(evidence, rules)
        _check_stays_hidden(evidence, notice)
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


def _check_stays_hidden(evidence: Evidence, notice: _Notice) -> None:
    """Raises AssertionError where a script will show the notice to this very visitor."""
    standing = evidence.standing
    will_ask = standing is not None and bool(standing.open_purposes)
    if evidence.live is None and notice.is_hidden and notice.buttons and will_ask:
        raise failure(
            "no banner was expected; it is hidden here, and a script shows it to who is asked.",
            why=_what_is_open(evidence),
            do="look at the page in a browser, or come as a visitor who has answered.",
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
    listed = [row for row in rows if isinstance(row, dict)]
    shown = {row.get("name"): row for row in listed}
    for name, times in Counter(str(row.get("name")) for row in listed).items():
        if times > 1:
            yield f"{section}: '{name}' is shown {times} times"
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
