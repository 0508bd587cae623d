"""Whether a host may be asked, what stands there until then, and the page's policy as backstop.

The first half asks `gating` itself; the second sends pages through the whole middleware. The rules
for a service are those for a purpose: the oracle is `DECISIONS`, the table the docs print.
"""

from __future__ import annotations

import logging
import re
from html import unescape
from itertools import product
from typing import Any

import pytest

from consentkit.gating import (
    MOST_OWN,
    LinkJudge,
    Loading,
    PageJudge,
    Place,
    Policing,
    host_without_port,
)
from consentkit.rules.consent import NOBODY_YET, Answer, Consent, Seen
from consentkit.rules.decision import DECISIONS, Reason
from consentkit.rules.policy import Basis, Policy
from consentkit.rules.signals import NO_SIGNALS
from consentkit.rules.visitor import Standing
from consentkit.testing import Browser
from consentkit.wire.gate import Tag
from tests.apps import DECLARED, NAVIGATION, NOW, Outcome, consent, get, policy, says

HERE = "testserver"
FILMS, MAPS, TAGS, PAY, NOBODY = (
    "films.example",
    "tiles.maps.example",
    "tags.example",
    "pay.example",
    "nobody.example",
)
WORDS = {"title": "A title", "description": "What it does."}
PURPOSES: dict[str, Any] = {
    "necessary": DECLARED["purposes"]["necessary"],
    "media": {"title": "Films", "description": "Films of others."},
    "social": {"title": "Sharing", "description": "Others see what you share."},
}
SERVICES: dict[str, Any] = {
    "films": {"purpose": "media", "provider": "Films Inc", "hosts": [FILMS], "shows": "video"},
    "maps": {"purpose": "media", "provider": "Atlas Ltd", "hosts": ["*.maps.example"]},
    "tags": {
        "purpose": ["media", "social"],
        "provider": "Tags AG",
        "hosts": [TAGS],
        "inline": ["tagged("],
    },
    "pay": {"purpose": "necessary", "provider": "A bank", "hosts": [PAY], "inline": ["paid("]},
}
SITE = {**DECLARED["site"], "hosts": ["static.example"]}


def rules(**changes: Any) -> Policy:
    """The policy of a site with third parties."""
    whole = {"site": SITE, "purposes": PURPOSES, "services": SERVICES, "cookies": {}}
    return policy(**{**whole, **changes})


def granted(*names: str) -> Consent:
    return Consent().grant(names, 1, int(NOW), NO_SIGNALS)


def refused(*names: str) -> Consent:
    return Consent().refuse(names, 1, int(NOW))


def loading(some: Policy | None = None, given: Consent = NOBODY_YET) -> Loading:
    return Loading(Standing(some or rules(), given, NO_SIGNALS, NOW))


PLACE = Place("/consent", b"/page", lambda: "en")


def judge(some: Loading, *, enforces: bool = True) -> PageJudge:
    return PageJudge(some, PLACE, enforces=enforces)


def tag(name: str, *hosts: str, more: str = "") -> Tag:
    """A start tag that fetches from these hosts, as the gate hands it over."""
    urls = tuple(f"https://{host}/a" for host in hosts)
    return Tag(name.encode(), hosts, urls, f'<{name} src="{" ".join(urls)}" {more}>'.encode())


def document_in(srcdoc: bytes) -> str:
    return unescape(srcdoc.decode("ascii"))


# Whose a host is, and whether it may be asked

CONSENTS = {
    Answer.UNDECIDED: Consent(),
    Answer.IMPLIED: Consent(seen=Seen(shown=1, implied=1, held=False, time=int(NOW))),
    Answer.GRANTED: granted("media"),
    Answer.REFUSED: refused("media"),
}
MODES = {Basis.CONSENT: "explicit", Basis.IMPLIED: "implied", Basis.OPT_OUT: "opt-out"}
CELLS = [
    (basis, answer)
    for basis, answer in product(MODES, Answer)
    if answer is not Answer.IMPLIED or basis is Basis.IMPLIED
]


@pytest.mark.parametrize(("basis", "answer"), CELLS)
def test_a_service_loads_exactly_when_its_purpose_is_allowed(basis: Basis, answer: Answer) -> None:
    """DESIGN §6: the table that decides for cookies decides for tags, links and scripts."""
    some = loading(rules(mode=MODES[basis]), CONSENTS[answer])
    assert some._standing.answer("media") is answer
    allowed = DECISIONS[basis][answer]
    asked = judge(some)
    assert (asked.judge(tag("img", FILMS)) is None) is allowed
    assert asked.depends
    assert [event.name for event in asked.events] == ([] if allowed else [FILMS])
    assert LinkJudge(some).may_load(FILMS) is some.may_load(FILMS) is allowed
    assert ("films" in some.services) is allowed
    assert ("media" in some.purposes) is allowed
    assert (asked.template("media", None) is None) is allowed
    assert (asked.template(None, "films") is None) is allowed


@pytest.mark.parametrize("answer", CONSENTS)
def test_what_is_strictly_necessary_always_loads(answer: Answer) -> None:
    """R-30: no answer changes it, so no page depends on the visitor for it."""
    asked = judge(loading(given=CONSENTS[answer]))
    assert asked.judge(tag("script", PAY)) is None
    assert asked.judge_marker(b"paid(") is None
    assert (asked.depends, asked.events) == (False, [])


@pytest.mark.parametrize(
    ("level", "allowed"), [("report", True), ("block", False), ("hide", False)]
)
@pytest.mark.parametrize("given", [NOBODY_YET, granted("media", "social")])
def test_a_host_that_nobody_declared_is_held_to_its_level(
    level: str,
    allowed: bool,  # noqa: FBT001
    given: Consent,
) -> None:
    """Default deny: nobody can answer for what no declaration tells them of."""
    asked = judge(loading(rules(undeclared=level), given))
    waits = asked.judge(tag("iframe", NOBODY))
    assert (waits is None) is allowed
    assert not asked.depends
    [event] = asked.events
    assert event.act == ("undeclared" if allowed else "blocked")
    assert event.decision is not None
    assert event.decision.reason is Reason.UNDECLARED
    if waits is not None:
        assert waits.mark == b""
        assert NOBODY in document_in(waits.srcdoc)


def test_a_single_grant_lets_one_service_load() -> None:
    """R-53, "load this one": its purpose and the services beside it go on waiting."""
    asked = judge(loading(given=Consent().grant(["@films"], 1, int(NOW), NO_SIGNALS)))
    assert asked.judge(tag("iframe", FILMS)) is None
    assert asked.judge(tag("img", MAPS)) is not None
    assert asked.template(None, "films") is None
    assert asked.template("media", None) is not None


def test_a_host_is_looked_up_once() -> None:
    """DESIGN §8: the answers stand for as long as the visitor's standing."""
    some = loading()
    assert some.of_host(FILMS) is some.of_host(FILMS)
    assert (some.of_host(FILMS).service, some.of_host(NOBODY).service) == ("films", None)


@pytest.mark.parametrize(
    ("named", "allowed"),
    [
        ([], False),
        (["media"], True),
        (["necessary"], True),
        (["media", "necessary"], True),
        (["media", "social"], False),
        (["medai"], False),
        (["media", "medai"], False),
    ],
)
def test_every_purpose_that_is_named_must_be_allowed(named: list[str], allowed: bool) -> None:  # noqa: FBT001
    """R-28; a word that nobody declared, a typo say, allows nothing."""
    assert loading(given=granted("media")).allows_every(named) is allowed


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"www.Example.org", "www.example.org"),
        (b"www.example.org:8000", "www.example.org"),
        (b"[::1]:8000", "[::1]"),
        (b"[::1]", "[::1]"),
        (b"example.org.:80", "example.org"),
        (b"", ""),
        (b"\xff", "\xff"),
    ],
)
def test_the_name_in_a_host_header_has_no_port(header: bytes, name: str) -> None:
    """RFC 9110 §7.2: what follows the last colon, unless it stands in brackets."""
    assert host_without_port(header) == name


# What stands in a tag that waits


def test_a_tag_is_marked_with_every_service_it_waits_for() -> None:
    """A script gives it back once all of them are allowed; each is named once."""
    asked = judge(loading())
    waits = asked.judge(tag("img", FILMS, PAY, MAPS, FILMS))
    assert waits is not None
    assert (waits.mark, waits.srcdoc) == (b"films maps", b"")


def test_a_tag_that_waits_for_nobody_in_particular_is_never_given_back() -> None:
    """Where one of its hosts is undeclared, no answer covers it."""
    waits = judge(loading()).judge(tag("img", FILMS, NOBODY))
    assert waits is not None
    assert waits.mark == b""


def test_an_inline_script_waits_for_the_services_its_text_belongs_to() -> None:
    """A declared marker is all that is known of it; the event names the service."""
    asked = judge(loading(given=granted("media")))
    assert asked.judge_marker(b"tagged(") == b"tags"
    assert asked.depends
    assert [(event.what, event.name, event.why) for event in asked.events] == [
        ("service", "tags", "not answered yet")
    ]
    assert judge(loading(given=granted("media", "social"))).judge_marker(b"tagged(") is None


def test_a_host_is_noted_once_for_a_page() -> None:
    """A gallery of thirty pictures says nothing that one of them does not."""
    asked = judge(loading())
    for host in (FILMS, FILMS, NOBODY, FILMS, NOBODY):
        assert asked.judge(tag("img", host)) is not None
    assert [event.name for event in asked.events] == [FILMS, NOBODY]


def test_in_report_mode_everything_stands_and_is_noted() -> None:
    """DESIGN §7: nothing changes, and the events are those of enforcement."""
    some = loading()
    quiet, strict = judge(some, enforces=False), judge(some)
    for asked in (quiet, strict):
        for host in (FILMS, PAY, NOBODY):
            asked.judge(tag("iframe", host))
        asked.judge_marker(b"tagged(")
    assert quiet.events == strict.events
    assert [event.name for event in quiet.events] == [FILMS, NOBODY, "tags"]
    assert quiet.judge(tag("iframe", FILMS)) is None
    assert quiet.judge_marker(b"tagged(") is None
    assert quiet.template("media", None) is quiet.template(None, "films") is None
    assert strict.judge(tag("iframe", FILMS)) is not None  # the control


@pytest.mark.parametrize(
    ("name", "more", "shows"),
    [
        ("iframe", "", True),
        ("iframe", 'width="560" height="315"', True),
        ("iframe", 'hidden style="display: none"', True),  # it may be shown later
        ("iframe", 'width="0" height="0"', False),
        ("iframe", 'style="width:1px;height:1px"', False),
        ("img", "", False),
        ("frame", "", False),
        ("object", "", False),
        ("embed", "", False),
    ],
)
def test_an_iframe_that_can_be_seen_shows_a_placeholder(name: str, more: str, shows: bool) -> None:  # noqa: FBT001
    """R-53: provider, purpose and a plain link, in the embed's own box; nothing for a pixel."""
    waits = judge(loading()).judge(tag(name, FILMS, more=more))
    assert waits is not None
    assert waits.mark == b"films"
    shown = document_in(waits.srcdoc)
    assert bool(shown) is shows
    if shows:
        assert "Films Inc" in shown
        assert f"href='https://{FILMS}/a'" in shown
        assert "value='films'" in shown
        assert PLACE.stylesheet in shown


def test_a_placeholder_is_about_the_first_host_that_waits() -> None:
    """Of an iframe that needs several, its own address before what stands in its srcdoc."""
    waits = judge(loading()).judge(tag("iframe", PAY, MAPS, FILMS))
    assert waits is not None
    shown = document_in(waits.srcdoc)
    assert "Atlas Ltd" in shown
    assert f"https://{MAPS}/a" in shown


@pytest.mark.parametrize(
    ("sandbox", "has_form"),
    [
        ('sandbox="allow-scripts"', False),
        ("sandbox", False),
        ('sandbox="allow-forms allow-same-origin allow-top-navigation"', True),
        ("", True),
    ],
)
def test_a_sandboxed_placeholder_offers_what_it_can_do(sandbox: str, has_form: bool) -> None:  # noqa: FBT001
    """A button that the browser would not let work is not there."""
    waits = judge(loading()).judge(tag("iframe", FILMS, more=sandbox))
    assert waits is not None
    assert ("<form" in document_in(waits.srcdoc)) is has_form


@pytest.mark.parametrize("more", ["", "sandbox='allow-popups'"])
def test_where_nobody_can_answer_a_placeholder_has_no_button(more: str) -> None:
    """R-10: in a frame of another site's, a click is no answer; a sandbox allows no more for it."""
    in_a_tab = PageJudge(loading(), PLACE, enforces=True)
    framed = PageJudge(loading(), PLACE._replace(can_answer=False), enforces=True)
    answering, waits = (one.judge(tag("iframe", FILMS, more=more)) for one in (in_a_tab, framed))
    assert answering is not None
    assert waits is not None
    assert ("<form" in document_in(answering.srcdoc)) is (not more), "the control"
    shown = document_in(waits.srcdoc)
    assert "<form" not in shown
    assert "Films Inc" in shown
    assert ("href='/consent' target='_top'" in shown) is (not more)
    opened, closed = (one.template("media", None) or b"" for one in (in_a_tab, framed))
    assert "<form" in document_in(opened), "the control"
    assert "<form" not in document_in(closed)
    assert "href='/consent' target='_top'" in document_in(closed)
    framed.reach_us_by("/below/consent")
    other = document_in(framed.template("media", None) or b"")
    assert "href='/below/consent' target='_top'" in other
    assert "<form" not in other


@pytest.mark.parametrize(
    ("purpose", "service", "stays", "shows"),
    [
        ("media", None, True, "Films Inc"),
        ("media social", None, True, ""),
        ("necessary", None, False, ""),
        ("medai", None, True, ""),
        ("", None, True, ""),
        (None, "films", True, "Films Inc"),
        (None, "pay", False, ""),
        (None, "tags", True, ""),
        (None, "flims", True, ""),
        ("media", "pay", True, ""),
        ("necessary", "pay", False, ""),
        ("", "pay", True, ""),
        ("necessary", "films", True, "Films Inc"),
    ],
)
def test_an_authors_template_opens_when_what_it_names_is_allowed(
    purpose: str | None,
    service: str | None,
    stays: bool,  # noqa: FBT001
    shows: str,
) -> None:
    """DESIGN §6: the author's own way to gate; a word nobody declared keeps it closed."""
    asked = judge(loading())
    found = asked.template(purpose, service)
    assert (found is not None) is stays
    assert asked.depends
    if stays and shows:
        assert found is not None
        assert shows in document_in(unescape(found.decode()).encode())


def test_in_a_head_nothing_stands_before_a_template() -> None:
    """An iframe there would begin the body; the template stays closed all the same."""
    asked = judge(loading())
    asked.is_in_head = True
    assert asked.template("media", None) == b""
    asked.is_in_head = False
    assert asked.template("media", None)


# Content-Security-Policy

OWN = b"testserver/consent"
CSP, REPORT_ONLY = b"content-security-policy", b"content-security-policy-report-only"
TELL = b"; report-uri /consent/reports"
WIDE = b"default-src 'self' https://films.example https://tags.example; img-src *"


def police(
    some: Policy,
    *values: bytes,
    given: Consent = NOBODY_YET,
    name: bytes = CSP,
    enforces: bool = True,
    is_whole: bool = True,
    host: bytes = b"testserver",
    root_path: str = "",
) -> tuple[list[tuple[bytes, bytes]], bytes | None]:
    """The policies of a page, and the nonce; a header of another kind stays where it is."""
    policing = Policing(some, "/consent", enforces=enforces)
    headers = [(b"x-first", b"1"), *((name, value) for value in values)]
    after, nonce = policing.police(
        headers, loading(some, given), host, root_path, is_whole=is_whole
    )
    assert after[0] == (b"x-first", b"1")
    return after[1:], nonce


NONCED = b"script-src 'nonce-q1w2' https://tags.example"


@pytest.mark.parametrize(
    ("changes", "enforces"),
    [({"csp": "off"}, True), ({}, True), ({"csp": "enforce"}, False), ({"csp": "report"}, False)],
)
def test_where_it_is_off_the_nonce_is_read_and_no_more(
    changes: dict[str, Any],
    enforces: bool,  # noqa: FBT001
) -> None:
    """A site chooses to have its policy tightened; in report mode nothing is changed."""
    after, nonce = police(rules(**changes), WIDE, NONCED, enforces=enforces)
    assert after == [(CSP, WIDE), (CSP, NONCED)]
    assert nonce == b"q1w2"
    assert police(rules(**changes), NONCED, enforces=enforces)[1] == b"q1w2"
    assert police(rules(**changes), enforces=enforces) == ([], None)


@pytest.mark.parametrize("answer", [Answer.UNDECIDED, Answer.REFUSED, Answer.GRANTED])
def test_enforce_leaves_in_what_may_load(answer: Answer) -> None:
    """R-55: a host is in the policy while it may be asked, and not before or after."""
    [(name, value)], _ = police(rules(csp="enforce"), WIDE, given=CONSENTS[answer])
    assert name == CSP
    default, images = value.split(b";")[:2]
    for directive in (default, images):
        assert (b"films.example" in directive) is (answer is Answer.GRANTED)
    assert TAGS.encode() not in value
    assert b"pay.example" in images  # where `*` stood, all that may load stands
    assert b"pay.example" not in default
    assert b"unsafe-inline" not in value


def test_every_policy_of_a_page_is_tightened() -> None:
    """Several headers, report-only ones too, in whatever case; the nonce stays, and is told."""
    some = rules(csp="enforce")
    after, nonce = police(some, b"default-src 'self' https://tags.example", NONCED)
    assert [value for _, value in after] == [
        b"default-src 'self'",
        b"script-src 'nonce-q1w2' testserver/consent/",
    ]
    assert nonce == b"q1w2"
    [(name, value), built], _ = police(some, NONCED, name=b"Content-Security-Policy-Report-Only")
    assert (name, value) == (b"Content-Security-Policy-Report-Only", after[1][1])
    assert built[0] == CSP  # a report-only policy keeps nothing out
    [(name, _)], _ = police(some, NONCED, name=b"Content-Security-Policy")
    assert name == b"Content-Security-Policy"


def test_where_the_app_sends_none_one_is_sent() -> None:
    """Own hosts and what may load; it is enforced only where undeclared hosts are blocked."""
    [(name, value)], nonce = police(rules(csp="enforce"), given=granted("media"))
    assert (name, nonce) == (CSP, None)
    listed = value.partition(b";")[0].split()
    for host in (b"testserver", b"*.testserver", b"static.example", b"films.example"):
        assert b"%b:*" % host in listed
    assert TAGS.encode() not in value
    [(name, other)], _ = police(rules(csp="enforce", undeclared="report"), given=granted("media"))
    assert (name, other) == (REPORT_ONLY, value)


def test_report_leaves_the_policies_and_adds_what_it_would_send() -> None:
    """R-93: reports go to the site itself; where the app has an address of its own, to that."""
    some = rules(csp="report")
    tightened = police(rules(csp="enforce"), WIDE)[0][0][1]
    after, _ = police(some, WIDE)
    assert after == [(CSP, WIDE), (REPORT_ONLY, tightened + TELL)]
    after, nonce = police(some, NONCED)
    assert after[1] == (REPORT_ONLY, b"script-src 'nonce-q1w2' testserver/consent/" + TELL)
    assert nonce == b"q1w2"
    [(name, built)], _ = police(some)
    assert (name, built) == (REPORT_ONLY, police(rules(csp="enforce"))[0][0][1] + TELL)
    own = b"img-src 'self', img-src *"
    assert [name for name, _ in police(some, own)[0]] == [CSP, REPORT_ONLY, REPORT_ONLY]


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b"script-src 'self' 'report-sample'", b"script-src 'self' 'report-sample'"),
        (b"img-src https://report-uri.example", b"img-src 'none'"),
        (b"img-src 'self'; report-uri //counter.example/", b"img-src 'self'"),
        (b"Report-To own; img-src 'self'", b" img-src 'self'"),
        (b"img-src 'self';\treport-to\town", b"img-src 'self'"),
    ],
)
def test_what_we_ask_to_be_told_is_told_to_the_site_itself(value: bytes, left: bytes) -> None:
    """R-93: a report has the addresses of pages in it; the app's own policy goes on as it is."""
    headers = police(rules(csp="report"), value)[0]
    assert headers[0] == (CSP, value)
    assert headers[1] == (REPORT_ONLY, left + TELL)


@pytest.mark.parametrize(
    ("root_path", "written"),
    [("/shop", b"/shop"), ("/caf%C3%A9", b"/caf%C3%A9"), ("/a;b,c", b"/a%3Bb%2Cc"), ("", b"")],
)
def test_policies_name_where_the_endpoints_are(root_path: str, written: bytes) -> None:
    """Below the `root_path`; what would end a policy is written as browsers undo it (§2.3.1)."""
    value = police(rules(csp="report"), b"img-src *", root_path=root_path)[0][1][1]
    assert value.endswith(b"; report-uri %b/consent/reports" % written)
    value = police(rules(csp="enforce"), b"style-src 'none'", root_path=root_path)[0][0][1]
    assert value == b"style-src testserver%b/consent/" % written


SHAPES: dict[str, list[tuple[bytes, bytes]]] = {
    "none": [],
    "one": [(CSP, WIDE)],
    "two": [(CSP, WIDE), (CSP, NONCED)],
    "two in one": [(CSP, WIDE + b", " + NONCED)],
    "report-only": [(REPORT_ONLY, WIDE)],
    "both": [(REPORT_ONLY, NONCED), (CSP, WIDE)],
}


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("answer", [Answer.UNDECIDED, Answer.GRANTED, Answer.REFUSED])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("csp", ["off", "report", "enforce"])
def test_which_policies_a_page_has(csp: str, shape: str, answer: Answer, is_whole: bool) -> None:  # noqa: FBT001
    """`off` and `report` leave the app's own; `enforce` takes from each what may not load."""
    some, sent = loading(rules(csp=csp), CONSENTS[answer]), SHAPES[shape]
    policing = Policing(some.policy, "/consent", enforces=True)
    after, _ = policing.police(list(sent), some, b"testserver", "", is_whole=is_whole)
    enforced = [policy for name, value in sent if name == CSP for policy in value.split(b",")]
    kept, added = after[: len(sent)], after[len(sent) :]
    assert [name for name, _ in kept] == [name for name, _ in sent]
    assert (kept == sent) is (csp != "enforce" or not sent)
    if csp == "off":
        assert added == []
    elif csp == "report":
        assert len(added) == (len(enforced) or is_whole)
        assert all(name == REPORT_ONLY and value.endswith(TELL) for name, value in added)
    else:
        assert [name for name, _ in added] == [CSP] * (is_whole and not enforced)
    for _, value in added if csp == "report" else after:
        refused_hosts = [host for host in (FILMS, TAGS) if not some.may_load(host)]
        assert csp == "off" or not any(host.encode() in value for host in refused_hosts)
    if answer is Answer.GRANTED and csp != "off" and b"films" in b"".join(v for _, v in sent):
        assert any(FILMS.encode() in value for _, value in after)


@pytest.mark.parametrize("csp", ["report", "enforce"])
def test_a_304_gets_no_policy_that_the_app_does_not_send(csp: str) -> None:
    """RFC 9110 §15.4.5: the browser keeps those it has; what is there is brought up to date."""
    some = rules(csp=csp)
    assert police(some, is_whole=False) == ([], None)
    assert police(some, WIDE, is_whole=False) == police(some, WIDE)


def test_one_sites_sources_are_never_anothers() -> None:
    """A name that no policy can list, sent by a stranger, does not make its host ours."""
    some = rules(csp="enforce")
    policing, same = Policing(some, "/consent", enforces=True), loading(some)

    def img_src(host: bytes) -> bytes:
        headers = [(CSP, b"img-src *")]
        [(_, value)], _ = policing.police(headers, same, host, "", is_whole=True)
        return value

    assert b"tags.example" in img_src(b"tags.example.")  # to them it is the site itself
    assert b"tags.example" not in img_src(b"[::1]:8000")
    assert img_src(b"one.test") != img_src(b"two.test")
    known = same.sources.get((b"two.test/consent", b"two.test"))
    assert known is not None
    assert img_src(b"two.test") == img_src(b"TWO.test")
    assert same.sources.get((b"two.test/consent", b"two.test")) is known
    for number in range(3 * MOST_OWN):
        img_src(b"%d.test" % number)
    assert len(same.sources._young) + len(same.sources._old) <= 2 * MOST_OWN


# Through the middleware

PAGE = (
    b"<!doctype html><html lang=en><head><title>A page</title></head><body>"
    b'<script src="https://tags.example/t.js"></script><script>tagged(1)</script>'
    b'<iframe src="https://films.example/f"></iframe><img src="https://nobody.example/p">'
    b'<img src="https://pay.example/logo"><img src="https://static.testserver/x">'
    b"</body></html>"
)
HTML: Any = [(b"content-type", b"text/html; charset=utf-8")]
CACHED = (b"cache-control", b"public, max-age=600")


def browser(
    some: Policy, *more: tuple[bytes, bytes], page: bytes = PAGE, **options: Any
) -> Browser:
    app = says(page, headers=[*HTML, *more])
    return Browser(consent(app, some, **options), clock=lambda: NOW)


async def answered(visitor: Browser, choice: str, **fields: Any) -> Browser:
    await visitor.submit("/consent", choice=choice, next="/", **fields)
    return visitor


def live(page: str) -> list[str]:
    """The hosts of addresses that stand in the page as the author wrote them."""
    return re.findall(r' src="https://([^/"]+)', page)


@pytest.mark.anyio
async def test_a_page_waits_for_the_answer_and_no_longer() -> None:
    """R-20, R-53: before the answer, after a no, and after a yes; undeclared hosts never."""
    visitor = browser(rules())
    waiting = [PAY, "static.testserver"]
    assert live((await visitor.visit("/")).text) == waiting
    await answered(visitor, "reject-all")
    page = await visitor.visit("/")
    assert live(page.text) == waiting
    assert page.text.count('data-consentkit-service="tags"') == 2
    await answered(visitor, "accept-all")
    page = await visitor.visit("/")
    assert live(page.text) == [TAGS, FILMS, *waiting]
    assert page.text.count("data-consentkit-service") == 1  # what nobody declared
    assert "<script>tagged(1)</script>" in page.text
    await answered(visitor, "withdraw", purpose="media")
    assert live((await visitor.visit("/")).text) == waiting


@pytest.mark.anyio
async def test_what_waits_is_told_once_for_a_page(caplog: pytest.LogCaptureFixture) -> None:
    """DESIGN §9: a sentence for people, the same facts for machines, and no address."""
    caplog.set_level(logging.INFO, "consentkit.enforcement")
    heard: list[Any] = []
    await browser(rules(), on_decision=heard.append).visit("/page?token=secret")
    wanted = [(TAGS, "host"), ("tags", "service"), (FILMS, "host"), (NOBODY, "host")]
    assert [(event.name, event.what) for event in heard] == wanted
    assert caplog.messages == [
        "host 'tags.example' blocked: not answered yet; path '/page'",
        "service 'tags' blocked: not answered yet; path '/page'",
        "host 'films.example' blocked: not answered yet; path '/page'",
        "host 'nobody.example' blocked: not declared; path '/page'",
    ]
    assert vars(caplog.records[0])["consentkit_host"] == TAGS
    assert vars(caplog.records[1])["consentkit_service"] == "tags"
    assert "secret" not in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize("banner", [False, True])
async def test_a_soft_launch_asks_and_blocks_nothing(
    caplog: pytest.LogCaptureFixture,
    banner: bool,  # noqa: FBT001
) -> None:
    """DESIGN §7: in report mode every tag stands, and the log says which would wait."""
    some = rules(csp="enforce")
    visitor = browser(some, (CSP, WIDE), report_only=True, banner=banner)
    page = await visitor.visit("/")
    assert live(page.text) == [TAGS, FILMS, NOBODY, PAY, "static.testserver"]
    assert 'data-consentkit-service="' not in page.text
    assert page.header("content-security-policy") == WIDE.decode()
    assert ('id="consentkit"' in page.text) is banner
    assert f"host '{FILMS}' would be blocked: not answered yet; path '/'" in caplog.messages
    strict = await browser(some).visit("/")  # the control
    assert 'data-consentkit-service="' in strict.text


@pytest.mark.anyio
async def test_a_shared_page_is_the_same_for_everybody() -> None:
    """DESIGN §6: everything optional waits in it, and the policy names all who might be asked."""
    some = rules(pages="shared", csp="enforce")
    nobody = browser(some, CACHED)
    somebody = await answered(browser(some, CACHED), "accept-all")
    one, other = await nobody.visit("/"), await somebody.visit("/")
    assert one.text == other.text
    assert live(one.text) == [PAY, "static.testserver"]
    assert one.header("cache-control") == other.header("cache-control") == CACHED[1].decode()
    assert "cookie" not in (one.header("vary") or "").lower()
    listed = str(one.header("content-security-policy"))
    assert listed == other.header("content-security-policy")
    assert all(host in listed for host in (FILMS, "*.maps.example", TAGS, PAY))
    assert NOBODY not in listed


# Links that stand in headers, R-54

PRELOAD = b"<https://films.example/f.js>; rel=preload; as=script"
OURS = b"</site.css>; rel=preload; as=style"
NEXT = b"<https://films.example/next>; rel=next"
CSS = (b"content-type", b"text/css")


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [HTML[0], CSS], ids=["page", "sheet"])
async def test_a_link_header_names_nobody_who_may_not_be_asked(kind: tuple[bytes, bytes]) -> None:
    """The browser would ask before it reads the page; what is for people to follow stays."""
    links = [(b"Link", b", ".join((OURS, PRELOAD, NEXT))), (b"link", PRELOAD)]
    app = consent(says(b"p {}", headers=[kind, *links, CACHED]), rules())
    visitor = Browser(app, clock=lambda: NOW)
    before = await visitor.visit("/")
    assert before.all(b"link") == (OURS + b", " + NEXT,)
    assert "private" in str(before.header("cache-control"))
    assert "Cookie" in str(before.header("vary"))
    await answered(visitor, "accept-all")
    after = await visitor.visit("/")
    assert after.all(b"link") == (b", ".join((OURS, PRELOAD, NEXT)), PRELOAD)
    assert "private" in str(after.header("cache-control"))  # others get another answer


@pytest.mark.anyio
@pytest.mark.parametrize(
    "link",
    [OURS, NEXT, b"<https://pay.example/a>; rel=preconnect", b"<//nobody.example>; rel=icon"],
)
async def test_a_link_that_is_the_same_for_all_makes_nothing_private(link: bytes) -> None:
    """R-91: a style sheet goes on being shared by caches."""
    app = consent(says(b"p {}", headers=[CSS, (b"link", link), CACHED]), rules())
    outcome = await get(app, "/site.css")
    assert outcome.all(b"cache-control") == (CACHED[1],)
    assert outcome.all(b"vary") == ()
    assert outcome.all(b"link") == (() if NOBODY.encode() in link else (link,))


@pytest.mark.anyio
async def test_in_report_mode_links_stay(caplog: pytest.LogCaptureFixture) -> None:
    """And the log says what would have gone."""
    app = consent(
        says(b"p {}", headers=[CSS, (b"link", PRELOAD), CACHED]), rules(), report_only=True
    )
    outcome = await get(app, "/site.css")
    assert outcome.all(b"link") == (PRELOAD,)
    assert outcome.all(b"cache-control") == (CACHED[1],)
    assert caplog.messages == [
        f"host '{FILMS}' would be blocked: not answered yet; path '/site.css'"
    ]


async def hints(some: Policy, headers: Any, **options: Any) -> Outcome:
    """A page after an early hint that names us and others."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        links = [OURS, PRELOAD, OURS + b", " + PRELOAD]
        await send({"type": "http.response.early_hint", "links": links})
        await says(PAGE, headers=[*HTML, CACHED])(scope, receive, send)

    return await get(consent(app, some, **options), "/", headers)


@pytest.mark.anyio
async def test_an_early_hint_names_nobody_who_may_not_be_asked() -> None:
    """RFC 8297: the browser asks for what a 103 names before the page is there."""
    told = (await hints(rules(), NAVIGATION)).messages[0]
    assert told["links"] == [OURS, OURS]
    visitor = await answered(browser(rules()), "accept-all")
    cookie = {"cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())}
    told = (await hints(rules(), {**NAVIGATION, **cookie})).messages[0]
    assert told["links"] == [OURS, PRELOAD, OURS + b", " + PRELOAD]
    told = (await hints(rules(), NAVIGATION, report_only=True)).messages[0]
    assert told["links"] == [OURS, PRELOAD, OURS + b", " + PRELOAD]


# Policies on their way out


@pytest.mark.anyio
@pytest.mark.parametrize("choice", ["", "reject-all", "accept-all"])
async def test_a_pages_policy_follows_the_answer(choice: str) -> None:
    """R-55: and our own tags in the page carry the nonce that is in it."""
    visitor = browser(rules(csp="enforce"), (CSP, WIDE), (b"Content-Security-Policy", NONCED))
    if choice:
        await answered(visitor, choice)
    values = (await visitor.visit("/")).all(CSP)
    assert len(values) == 2
    assert all((b"tags.example" in value) is (choice == "accept-all") for value in values)


@pytest.mark.anyio
async def test_our_own_scripts_carry_the_pages_nonce() -> None:
    """R-92: whatever `csp` says; without a nonce there is none."""
    for csp in ("off", "report", "enforce"):
        page = await browser(rules(csp=csp), (CSP, NONCED)).visit("/")
        assert re.search(r'<script id="consentkit-script"[^>]* nonce="q1w2"', page.text)
        bare = await browser(rules(csp=csp)).visit("/")
        assert "q1w2" not in bare.text


@pytest.mark.anyio
async def test_a_page_that_is_still_good_comes_with_its_policy() -> None:
    """RFC 9111 §3.2: headers of a 304 replace those that are stored, so they are tightened too."""
    some = rules(csp="enforce")
    tagged = (b"etag", b'"1"')
    whole = await browser(some, (CSP, WIDE), tagged).visit("/")
    etag = str(whole.header("etag"))
    app = says(headers=[*HTML, (CSP, WIDE), tagged], status=304)
    condition = {**NAVIGATION, "if-none-match": etag}
    outcome = await get(consent(app, some), "/", condition)
    assert outcome.start["status"] == 304
    assert [value.decode() for value in outcome.all(CSP)] == [
        whole.header("content-security-policy")
    ]


# Faults


FAULT = "a fault in consentkit"


def fail(*_args: Any, **_options: Any) -> Any:
    raise RuntimeError("a fault for the test")


@pytest.mark.anyio
@pytest.mark.parametrize("cut", [len(PAGE), 100, 3])
@pytest.mark.parametrize("at", ["judge", "judge_marker"])
async def test_a_fault_in_the_gate_costs_no_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, at: str, cut: int
) -> None:
    """DESIGN §9: the page goes out whole, from the fault on as it was written."""
    monkeypatch.setattr(PageJudge, at, fail)
    chunks = [PAGE[begin : begin + cut] for begin in range(0, len(PAGE), cut)]
    outcome = await get(consent(says(*chunks, headers=HTML), rules()), "/", NAVIGATION)
    assert outcome.error is None
    assert "a fault for the test" in caplog.text
    notice = re.compile(
        rb'<section id="consentkit".*?</section>(?:<script id=.*?</script>)?', re.DOTALL
    )
    rest = notice.sub(b"", outcome.body)
    for part in (b"<title>A page</title>", b"https://pay.example/logo", b"</body></html>"):
        assert rest.count(part) == 1
    length = outcome.all(b"content-length")
    assert length in ((), (b"%d" % len(outcome.body),))


@pytest.mark.anyio
async def test_a_fault_in_a_placeholder_costs_no_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be shown in its place is no reason to load it."""
    monkeypatch.setattr("consentkit.gating.placeholder_document", fail)
    page = await browser(rules()).visit("/")
    assert page.status == 200
    assert "</body></html>" in page.text
    assert FAULT in caplog.text
    assert FILMS not in live(page.text)


@pytest.mark.anyio
async def test_a_fault_in_policing_costs_no_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The app's own policy stays as it was."""
    monkeypatch.setattr("consentkit.gating.tightened", fail)
    page = await browser(rules(csp="enforce"), (CSP, WIDE)).visit("/")
    assert page.status == 200
    assert page.header("content-security-policy") == WIDE.decode()
    assert FAULT in caplog.text


def test_a_source_that_stays_too_wide_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """R-55: nothing can be taken from `*` where undeclared hosts may load, so it is said."""
    for undeclared, told in (("report", 1), ("block", 0)):
        caplog.clear()
        held = rules(undeclared=undeclared, csp="enforce")
        policing = Policing(held, "/consent", enforces=True)
        loading = Loading(Standing(held, NOBODY_YET, NO_SIGNALS, NOW))
        for _ in range(2):
            headers, _nonce = policing.police(
                [(b"content-security-policy", b"img-src *")],
                loading,
                b"www.example.org",
                "",
                is_whole=True,
            )
        lines = [r.getMessage() for r in caplog.records if "lets through" in r.getMessage()]
        assert len(lines) == told
        assert (b"*" in dict(headers)[b"content-security-policy"].split()) is bool(told)
