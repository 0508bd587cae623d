"""Whatever the rules block is found, whatever they allow is not; and each finding says enough."""

from dataclasses import replace
from itertools import islice, product
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentkit import Policy
from consentkit.audit.findings import (
    FINDINGS,
    MOST_PAGES,
    Finding,
    FindingKind,
    Report,
    Severity,
    compare,
    report_on,
    unjudged,
)
from consentkit.audit.seen import (
    Act,
    By,
    Scan,
    SeenCookie,
    SeenItem,
    SeenRequest,
    SentCookie,
    ShownCookie,
    State,
    Visit,
    Witness,
)
from consentkit.audit.telling import MOST_DRAFTS
from consentkit.rules.consent import Answer
from consentkit.rules.decision import READ, Reason, decide, decide_service
from consentkit.rules.policy import DAY, LONGEST, Where
from consentkit.rules.policy_file import read_policy
from consentkit.testing.policies import policies
from tests.audit.sites import (
    NOTICE,
    cookie_of,
    judged_alike,
    name_under,
    obeying,
    pages_of,
    scan_of,
    standing_of,
)

K = FindingKind
WORDS = {"title": "A", "description": "B"}
EARLY = {K.BEFORE_ANSWER, K.AFTER_REFUSAL, K.STILL_SENT, K.AGAINST_SIGNAL, K.THIRD_PARTY_EARLY}


def policy(**changes: Any) -> Policy:
    """A cookie of each kind for `count`, which is asked about; one that is needed; a service."""
    said = {"purpose": "count", "description": "C"}
    needed = {"kind": "session", "purpose": "need", "description": "C"}
    whole: dict[str, Any] = {
        "site": {"name": "A site", "controller": "Its owner", "hosts": ["static.other.example"]},
        "mode": "explicit",
        "purposes": {"need": {**WORDS, "basis": "strictly-necessary"}, "count": WORDS},
        "cookies": {
            "sid": {**needed, "justification": "authentication"},
            "visits": {"kind": "persistent", "duration": 30 * DAY, **said},
            "part-{id}": {"kind": "analytics", "duration": 30 * DAY, **said},
            "once": {"kind": "session", **said},
            "vote-{poll}": {"kind": "poll-timeout", "duration": DAY, **said},
        },
        "storage": {"volume": {"where": "local", **said}},
        "services": {
            "films": {"purpose": "count", "provider": "P", "hosts": ["*.films.example"]},
        },
    }
    return Policy.model_validate({**whole, **changes})


def visit(state: State = State.UNTOUCHED, page: str = "/", **seen: Any) -> Visit:
    """A page that shows the banner, and what else was seen on it."""
    told: dict[str, Any] = {"status": 200, "banner": NOTICE, **seen}
    return Visit(page, state, **told)


def setting(name: str, state: State = State.UNTOUCHED, page: str = "/", **how: Any) -> Visit:
    """A page that sets a cookie; by default encrypted, and for the session."""
    cookie: dict[str, Any] = {"domain": "site.example", "secure": True, **how}
    return visit(state, page, cookies=(SeenCookie(name, **cookie),))


def loading(host: str, state: State = State.UNTOUCHED, **how: Any) -> Visit:
    return visit(state, requests=(SeenRequest(host, **how),))


def kinds(found: tuple[Finding, ...]) -> set[FindingKind]:
    return {finding.kind for finding in found}


def keys(found: tuple[Finding, ...]) -> set[str]:
    return {finding.key for finding in found}


def one(found: tuple[Finding, ...], kind: FindingKind) -> Finding:
    """The only finding, of this kind."""
    (finding,) = found
    assert finding.kind is kind
    return finding


# What the rules decide


@given(policies())
@settings(max_examples=30, deadline=None)
def test_a_site_that_obeys_its_policy_has_no_finding(some: Policy) -> None:
    """R-75: what is allowed, lives as declared and is asked about is nothing to tell of."""
    scan = obeying(some)
    assert [*compare(some, scan)] == []
    assert len(scan.visits) == len(pages_of(some)) * len(State)


@pytest.mark.counted
@given(policies())
@settings(max_examples=30, deadline=None)
def test_what_is_there_is_found_exactly_where_it_is_blocked(some: Policy) -> None:
    """R-01, R-12, R-16, R-29, R-37, R-53: the `decide` that enforces says what a finding is."""
    for state in State:
        for page in pages_of(some):
            standing = standing_of(some, state, page.partition("?")[0])
            for pattern in some.cookies:
                _cookie_is_judged(some, name_under(pattern), standing.answers, state, page)
            found = compare(some, scan_of(visit(state, page, items=_items(some))))
            told = {each.name for each in found if each.kind in EARLY}
            assert told == {key for key in some.storage if not judged_alike(standing)(key)}
            hosts = [host.replace("*.", "a.") for each in some.services.values()
                     for host in each.hosts]  # fmt: skip
            requests = tuple(map(SeenRequest, hosts))
            found = compare(some, scan_of(visit(state, page, requests=requests)))
            asked = {some.service_of_host(host) for host in hosts}
            assert {each.name for each in found if each.kind in EARLY} == {
                name for name in asked if not decide_service(some, name, standing.answers).allowed
            }


def _cookie_is_judged(
    some: Policy, name: str, answers: tuple[Answer, ...], state: State, page: str
) -> None:
    """One cookie on one page is found if it is blocked, and under which of the findings."""
    declared = some.declaration_of(name)
    assert declared is not None
    decision = decide(some, declared, answers)
    seen = replace(cookie_of(declared), name=name)
    found = compare(some, scan_of(visit(state, page, cookies=(seen,))))
    told = {each for each in found if each.name == declared.name and each.kind in EARLY}
    if decision.reason is Reason.NO_VOTE:
        assert not told
        assert f"kind-differs:cookie:{declared.name}" in keys(found)
    else:
        assert bool(told) is not decision.allowed
        assert all(finding.states == (state,) for finding in told)
    if state is State.WITHDRAWN:
        sent = scan_of(visit(state, page, sent=(SentCookie(name, "site.example"),)))
        blocked = not decide(some, declared, answers, READ).allowed and declared.party == "first"
        assert (f"still-sent:cookie:{declared.name}" in keys(compare(some, sent))) is blocked
        theirs = scan_of(visit(state, page, sent=(SentCookie(name, "foreign.example"),)))
        assert K.STILL_SENT not in kinds(compare(some, theirs))


def _items(some: Policy) -> tuple[SeenItem, ...]:
    return tuple(
        SeenItem(item.where, name_under(key), "site.example") for key, item in some.storage.items()
    )


@pytest.mark.parametrize(
    ("state", "stored", "loaded"),
    [
        (State.UNTOUCHED, K.BEFORE_ANSWER, K.THIRD_PARTY_EARLY),
        (State.REFUSED, K.AFTER_REFUSAL, K.AFTER_REFUSAL),
        (State.WITHDRAWN, K.STILL_SENT, K.STILL_SENT),
        (State.SIGNAL, K.AGAINST_SIGNAL, K.AGAINST_SIGNAL),
        (State.GRANTED, None, None),
    ],
)
def test_the_state_names_the_finding(
    state: State, stored: FindingKind | None, loaded: FindingKind | None
) -> None:
    """The plan's table: stored, left behind and loaded, in each state."""
    seen = visit(
        state,
        cookies=(SeenCookie("visits", "site.example", secure=True, seconds=DAY),),
        items=(SeenItem(Where.LOCAL, "volume", "site.example"),),
        requests=(SeenRequest("a.films.example"),),
    )
    found = {(each.kind, each.subject) for each in compare(policy(), scan_of(seen))}
    expected = {(stored, "cookie"), (stored, "storage"), (loaded, "service")}
    assert {each for each in found if each[0] is not K.NEVER_SEEN} == (
        expected if stored else set()
    )


def test_a_signal_that_a_purpose_does_not_honour_leaves_the_answer_open() -> None:
    """R-37: deaf purposes still wait for an answer, so that it is stored before one."""
    deaf = policy(purposes={"need": {**WORDS, "basis": "strictly-necessary"},
                            "count": {**WORDS, "honours": []}})  # fmt: skip
    assert kinds(compare(deaf, scan_of(setting("visits", State.SIGNAL, seconds=DAY)))) == {
        K.BEFORE_ANSWER
    }


def test_on_a_page_for_children_no_grant_counts() -> None:
    """R-11: everything optional is refused there, whatever was answered elsewhere."""
    kids = policy(child_directed=["/kids"])
    found = compare(kids, scan_of(setting("visits", State.GRANTED, "/kids/a?b", seconds=DAY)))
    finding = one(tuple(each for each in found if each.kind is not K.NEVER_SEEN), K.AFTER_REFUSAL)
    assert "counts as refused" in finding.what
    assert "R-11" in finding.what
    elsewhere = compare(kids, scan_of(setting("visits", State.GRANTED, "/kidsx", seconds=DAY)))
    assert kinds(elsewhere) <= {K.NEVER_SEEN}


@given(policies())
@settings(max_examples=15, deadline=None)
def test_headers_alone_find_nothing_on_a_site_that_obeys(some: Policy) -> None:
    """What a witness cannot see is not missed: no items, no requests, no banner, no table."""
    seen = [
        replace(each, items=(), requests=(), banner=None, cookies=each.cookies[::2])
        for each in obeying(some).visits
    ]
    assert compare(some, scan_of(*seen, witness=Witness.HEADERS)) == ()


def test_pieces_of_a_long_cookie_are_declared_with_it() -> None:
    """`chunked: true`; where it is not declared, a piece is a name of its own."""
    long = {"kind": "session", "purpose": "need", "description": "C", "chunked": True}
    pieces = scan_of(setting("longC1"), setting("long-0"), setting("long.1"))
    assert compare(policy(cookies={"long": long}), pieces) == ()
    whole = policy(cookies={"long": {**long, "chunked": False}})
    assert kinds(compare(whole, pieces)) == {K.UNDECLARED}


def test_cookies_of_frameworks_in_use_are_declared() -> None:
    """`uses` writes them into the policy, with their lives and their attributes."""
    django = read_policy(
        "site: {name: a, controller: b}\nmode: explicit\nuses: [django]\n"
        "purposes: {p: {basis: strictly-necessary, title: x, description: x}}\n"
    )
    cookies = [
        setting("sessionid", seconds=14 * DAY, http_only=True, same_site="lax"),
        setting("csrftoken", seconds=364 * DAY, same_site="lax"),
    ]
    assert compare(django, scan_of(*cookies)) == ()
    assert kinds(compare(django, scan_of(setting("PHPSESSID")))) == {K.UNDECLARED}


def test_a_partitioned_cookie_of_others_is_judged_as_declared() -> None:
    """R-84: the embedded site keeps one for each site around it."""
    theirs = {"kind": "persistent", "duration": DAY, "purpose": "count", "description": "C",
              "party": "third", "attributes": {"secure": True, "partitioned": True}}  # fmt: skip
    some = policy(cookies={"uid": theirs})
    how: dict[str, Any] = {
        "domain": "films.example",
        "third_party": True,
        "partitioned": True,
        "seconds": DAY,
    }
    assert compare(some, scan_of(setting("uid", State.REFUSED, **how))) != ()
    granted = compare(some, scan_of(setting("uid", State.GRANTED, **how)))
    assert kinds(granted) == {K.NEVER_SEEN}
    assert "uid" not in {finding.name for finding in granted}


def test_implied_at_once_stores_on_the_first_visit_and_the_next_page_does_not() -> None:
    """R-09: when implied consent begins to count is the policy's word."""
    seen = scan_of(setting("visits", seconds=DAY))
    assert K.BEFORE_ANSWER in kinds(compare(policy(mode="implied"), seen))
    assert compare(policy(mode="implied", takes_effect="at-once"), seen) == ()
    assert compare(policy(mode="opt-out"), seen) == ()


def test_what_is_blocked_says_who_did_it_and_what_it_waits_for() -> None:
    """A finding that a person can act upon: what, where, who, and a cure for how it is set."""
    by_header = one(
        compare(policy(), scan_of(setting("visits", seconds=DAY, initiator="site.example/"))),
        K.BEFORE_ANSWER,
    )
    assert by_header.what == (
        "cookie 'visits' is set on a first visit, before any answer; it waits for purpose 'count'."
    )
    assert by_header.initiator == "site.example/"
    assert by_header.pages == ("/",)
    assert by_header.count == 1
    assert by_header.draft == ""
    assert "The server sets it" in by_header.cure
    scripted = scan_of(setting("visits", seconds=DAY, by=By.SCRIPT))
    assert one(compare(policy(), scripted), K.BEFORE_ANSWER).draft == "guard: true\n"
    guarded = one(compare(policy(guard=True), scripted), K.BEFORE_ANSWER)
    assert guarded.draft == ""
    assert "script" in guarded.cure


def test_a_service_too_early_is_kept_out_by_a_csp_where_there_may_be_one() -> None:
    """R-55: a page shared by all visitors has one for all, so it cannot say what one answered."""
    seen = scan_of(loading("a.films.example"))
    assert one(compare(policy(), seen), K.THIRD_PARTY_EARLY).draft == "csp: enforce\n"
    for change in ({"csp": "enforce"}, {"pages": "shared"}):
        assert one(compare(policy(**change), seen), K.THIRD_PARTY_EARLY).draft == ""


def test_still_sent_is_told_apart_from_set_again() -> None:
    """R-16: what was never expired is cured elsewhere than what comes back."""
    sent = visit(State.WITHDRAWN, sent=(SentCookie("visits", "www.site.example:8443"),))
    again = setting("visits", State.WITHDRAWN, seconds=DAY)
    finding = one(compare(policy(), scan_of(sent, again)), K.STILL_SENT)
    assert "is still sent and is set after the visitor withdrew purpose 'count'" in finding.what
    assert "Expire it" in finding.cure
    assert "Expire" not in one(compare(policy(), scan_of(again)), K.STILL_SENT).cure


def test_what_is_sent_before_a_withdrawal_is_nobodys_business() -> None:
    """The control: a grant lets it be sent, and another state's cookies prove nothing."""
    sent = (SentCookie("visits", "site.example"),)
    assert K.STILL_SENT not in kinds(compare(policy(), scan_of(visit(State.GRANTED, sent=sent))))


@pytest.mark.parametrize("name", ["consent", "__Host-consent", "__Secure-consent-seen"])
def test_our_own_cookies_are_declared_by_nature(name: str) -> None:
    """R-30: they keep the answers; one of the name from another's host is another's."""
    own = visit(
        State.WITHDRAWN,
        cookies=(SeenCookie(name, "site.example", secure=True, seconds=LONGEST),),
        sent=(SentCookie(name, "site.example"),),
    )
    assert compare(policy(), scan_of(own)) == ()
    assert keys(compare(policy(), scan_of(setting(name, third_party=True)))) == {
        f"undeclared:cookie:{name}"
    }


@pytest.mark.parametrize(
    "how",
    [
        {"by": By.SCRIPT, "initiator": "tracker.test/t.js"},
        {"by": By.SCRIPT},
        {"by": By.SCRIPT, "initiator": "site.example/t.js"},
        {"by": By.HEADER, "initiator": "tracker.test/t"},
    ],
)
def test_a_tracker_called_like_our_token_is_undeclared(how: dict[str, Any]) -> None:
    """Ours are set by responses of the site, which are the control."""
    name = "__Secure-consent-seen"
    assert keys(compare(policy(), scan_of(setting(name, seconds=DAY, **how)))) == {
        f"undeclared:cookie:{name}"
    }
    ours = setting(name, seconds=DAY, initiator="www.site.example:8443/consent")
    assert compare(policy(), scan_of(ours)) == ()


# Undeclared


def test_undeclared_says_how_and_when_it_was_seen() -> None:
    """R-26: by whom, how long, and since which state, the worst of them."""
    scan = scan_of(
        setting("lb", State.GRANTED, "/b", seconds=3600, by=By.SCRIPT, initiator="c.example/a.js"),
        setting("lb", State.UNTOUCHED, "/a"),
    )
    finding = one(_but_unseen(compare(policy(), scan)), K.UNDECLARED)
    assert finding.what.startswith(
        "No declaration covers cookie 'lb': the server and a script set it for 1 hour on a first "
        "visit, before any answer."
    )
    assert finding.states == (State.UNTOUCHED, State.GRANTED)
    assert finding.pages == ("/b", "/a")
    assert finding.initiator == "c.example/a.js"


def _but_unseen(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(finding for finding in found if finding.kind is not K.NEVER_SEEN)


def test_names_that_are_alike_are_one_finding() -> None:
    """One line to read and one entry to write: the catalogue's pattern, or a family's."""
    names = ["_ga_ABC123", "_ga_XYZ789", "job-17", "job-18", "alone"]
    found = compare(policy(), scan_of(*(setting(name) for name in names)))
    assert keys(found) == {
        "undeclared:cookie:_ga_*",
        "undeclared:cookie:job-{id}",
        "undeclared:cookie:alone",
    }
    jobs = next(finding for finding in found if finding.name == "job-{id}")
    assert "(seen as 'job-17', 'job-18')" in jobs.what
    many = scan_of(*(setting(f"job-{n}", seconds=n * DAY) for n in range(10, 18)))
    longest = one(compare(policy(), many), K.UNDECLARED)
    assert "'job-12' and 5 more)" in longest.what
    assert "job-{id}" in longest.draft
    assert "duration: 17 days" in longest.draft


def test_a_site_that_makes_up_names_is_told_of_each_and_drafted_for_some() -> None:
    """A draft costs milliseconds: whoever makes up a thousand names gets a report all the same."""
    names = ("".join(letters) for letters in product("bcdfgh", repeat=4))
    scan = scan_of(*(setting(name) for name in islice(names, MOST_DRAFTS + 5)))
    found = compare(policy(), scan)
    assert len(found) == MOST_DRAFTS + 5
    bare = [finding for finding in found if not finding.draft]
    assert len(bare) == 5
    assert all("--from-scan" in finding.cure for finding in bare)


def test_two_cookies_of_one_name_are_one_finding() -> None:
    """Another path or domain makes another cookie, and the same declaration covers both."""
    scan = scan_of(
        setting("lb", path="/a"), setting("lb", domain="b.site.example", host_only=False)
    )
    assert one(compare(policy(), scan), K.UNDECLARED).count == 1


def test_report_mode_on_the_site_makes_nothing_declared() -> None:
    """R-26: what passes undeclared is undeclared all the same."""
    for level in ("report", "block", "hide"):
        assert K.UNDECLARED in kinds(compare(policy(undeclared=level), scan_of(setting("lb"))))


def test_hosts_of_the_site_are_no_third_parties() -> None:
    """Its own name, what is below it, and `site.hosts`."""
    own = ("site.example", "img.site.example", "STATIC.other.example.")
    assert compare(policy(), scan_of(*map(loading, own))) == ()
    assert keys(compare(policy(), scan_of(loading("siteexample.example:8080")))) == {
        "undeclared:host:siteexample.example"
    }


def test_hosts_of_one_known_service_are_one_finding() -> None:
    """The catalogue knows whose they are; a declared service lacks a host."""
    hosts = ("www.youtube.com", "i.ytimg.com")
    scan = scan_of(*(loading(host, initiator="site.example/", what="frame") for host in hosts))
    finding = one(compare(policy(), scan), K.UNDECLARED)
    assert finding.key == "undeclared:service:youtube"
    assert "pages load from it (as frame)" in finding.what
    assert finding.initiator == "site.example/"
    has = {"youtube": {"purpose": "count", "provider": "G", "hosts": ["www.youtube.com"]}}
    lacking = compare(policy(services=has), scan, place_of=lambda *_: 7)
    assert one(tuple(f for f in lacking if f.kind is K.UNDECLARED), K.UNDECLARED).line == 7


@pytest.mark.parametrize("where", [*Where])
def test_an_item_of_storage_is_declared_or_found(where: Where) -> None:
    """R-29: also what no header shows."""
    scan = scan_of(visit(items=(SeenItem(where, "cache-7", "site.example"),)))
    finding = one(compare(policy(), scan), K.UNDECLARED)
    assert finding.key == "undeclared:storage:cache-7"
    assert f"where: {where}" in finding.draft


def test_a_nameless_cookie_can_only_be_stopped() -> None:
    """R-79: a browser keeps it, and no policy can name it."""
    finding = one(compare(policy(), scan_of(setting(""))), K.UNDECLARED)
    assert "a cookie without a name" in finding.what
    assert finding.draft == ""
    assert "stop using it" in finding.cure


# Lives, kinds, attributes


@pytest.mark.parametrize(
    ("seconds", "is_found"),
    [(30 * DAY, False), (30 * DAY + 60, False), (int(30.2 * DAY), False), (31 * DAY, True)],
)
def test_a_life_may_be_rounded_and_no_longer(seconds: int, *, is_found: bool) -> None:
    """R-24: browsers round, clocks differ; a percent or a minute is no other duration."""
    scan = scan_of(setting("visits", State.GRANTED, seconds=seconds))
    assert (K.LIVES_LONGER in kinds(compare(policy(), scan))) is is_found


def test_a_minute_is_tolerated_of_a_short_life() -> None:
    """One percent of a few seconds is nothing that a clock can tell."""
    short = policy(cookies={"s": {"kind": "persistent", "duration": 10, "purpose": "need",
                                  "description": "C"}})  # fmt: skip
    assert compare(short, scan_of(setting("s", seconds=70))) == ()
    assert K.LIVES_LONGER in kinds(compare(short, scan_of(setting("s", seconds=71))))


def test_no_browser_keeps_a_cookie_longer_than_400_days() -> None:
    """R-24: what asks for ten years lives 400 days, and may be declared so."""
    ten_years = 3650 * DAY
    long = policy(cookies={"s": {"kind": "persistent", "duration": LONGEST, "purpose": "need",
                                 "description": "C"}})  # fmt: skip
    assert compare(long, scan_of(setting("s", seconds=ten_years))) == ()
    scan = scan_of(setting("visits", State.GRANTED, seconds=ten_years))
    longer = next(f for f in compare(policy(), scan) if f.kind is K.LIVES_LONGER)
    assert "lives 400 days, and visitors are told 30 days" in longer.what
    assert longer.draft == "cookies:\n  visits:\n    duration: 400 days\n"
    held = next(f for f in compare(policy(preset=["eu"]), scan) if f.kind is K.LIVES_LONGER)
    assert held.draft == ""
    assert "presets" in held.cure


def test_a_session_cookie_that_lasts_is_of_another_kind() -> None:
    """R-23: visitors were told that it ends with the session."""
    finding = one(compare(policy(), scan_of(setting("sid", seconds=3600))), K.KIND_DIFFERS)
    assert finding.severity is Severity.WARNING
    assert finding.draft == "cookies:\n  sid:\n    kind: persistent\n    duration: 1 hour\n"


def test_a_lasting_cookie_that_never_lasts_is_a_note() -> None:
    """Some last only where a visitor asked for it (*remember me*): one that lasts anywhere does."""
    brief = setting("visits", State.GRANTED)
    finding = next(f for f in compare(policy(), scan_of(brief)) if f.kind is K.KIND_DIFFERS)
    assert finding.severity is Severity.NOTE
    assert "was set for the session" in finding.what
    lasting = setting("visits", State.GRANTED, "/b", seconds=DAY)
    assert K.KIND_DIFFERS not in kinds(compare(policy(), scan_of(brief, lasting)))


def test_a_polls_cookie_is_never_set_by_a_page() -> None:
    """R-27: the vote answers for it, and a page that is looked at is no vote."""
    finding = next(
        f
        for f in compare(policy(), scan_of(setting("vote-7", State.GRANTED, seconds=60)))
        if f.kind is K.KIND_DIFFERS
    )
    assert finding.name == "vote-{poll}"
    assert "nobody voted" in finding.what


def test_others_cookie_of_our_name_is_told_apart() -> None:
    """R-73: a table that says *first party* of it would be wrong; the policy may say third."""
    scan = scan_of(setting("sid", domain="ads.example", third_party=True))
    finding = one(compare(policy(), scan), K.KIND_DIFFERS)
    assert "'ads.example' stores one of this name" in finding.what
    assert finding.draft == "cookies:\n  sid: {party: third}\n"


def test_an_item_in_another_place_is_of_another_kind() -> None:
    """R-29: a declared item says which storage it is; one place of several is enough."""
    items = (SeenItem(Where.SESSION, "volume", "site.example"),)
    found = compare(policy(), scan_of(visit(State.GRANTED, items=items)))
    finding = next(f for f in found if f.kind is K.KIND_DIFFERS)
    assert finding.what == (
        "stored item 'volume' is declared in localStorage, and stands in sessionStorage."
    )
    both = (*items, SeenItem(Where.LOCAL, "volume", "site.example"))
    assert K.KIND_DIFFERS not in kinds(compare(policy(), scan_of(visit(State.GRANTED, items=both))))


def lacking(seen: Scan, **attributes: Any) -> str:
    """What the attributes' finding says, or nothing, where these are declared of `sid`."""
    sid = {"kind": "session", "purpose": "need", "description": "C", "attributes": attributes}
    found = compare(policy(cookies={"sid": sid, "__Host-a": {**sid, "attributes": {}},
                                    "__Http-a": {**sid, "attributes": {}}}), seen)  # fmt: skip
    return found[0].what if found else ""


def test_attributes_that_are_declared_are_asked_for() -> None:
    """R-80, R-82, R-84: and what is stricter than declared lacks nothing."""
    full = {"secure": True, "http_only": True, "same_site": "lax", "partitioned": True}
    bare = setting("sid", secure=False, same_site="none")
    whole = setting("sid", http_only=True, same_site="strict", partitioned=True)
    assert lacking(scan_of(whole), **full) == ""
    assert lacking(scan_of(bare), **full) == (
        "cookie 'sid' lacks Secure (the policy declares it, SameSite=None needs it and the page is "
        "encrypted), HttpOnly (the policy declares it), Partitioned (the policy declares it) and "
        "SameSite=Lax (the policy declares it)."
    )
    assert lacking(scan_of(setting("sid", same_site=None)), same_site="lax").count("SameSite=Lax")


def test_the_beginning_of_a_name_asks_for_attributes() -> None:
    """R-80: whatever the policy says; a browser would have refused it, a header shows it."""
    host = setting("__Host-a", secure=False, path="/x", host_only=False)
    assert lacking(scan_of(host)) == (
        "cookie '__Host-a' lacks Secure (the beginning of its name promises it and the page is "
        "encrypted), Path=/ (the beginning of its name promises it) and no Domain (the beginning "
        "of its name promises it)."
    )
    assert "HttpOnly (the beginning" in lacking(scan_of(setting("__Http-a")))


def test_secure_is_asked_for_where_the_page_is_encrypted_and_the_server_sets_it() -> None:
    """R-80: plain http has no use for it, and makers' scripts set theirs as they do."""
    bare = setting("sid", secure=False)
    assert "encrypted" in lacking(scan_of(bare))
    assert lacking(scan_of(bare, site="http://site.example")) == ""
    assert lacking(scan_of(setting("sid", secure=False, by=By.SCRIPT))) == ""
    assert "Partitioned needs" in lacking(scan_of(setting("sid", secure=False, partitioned=True)))


def test_attributes_of_others_are_theirs() -> None:
    """Nobody here can set them."""
    third = setting("sid", secure=False, third_party=True)
    assert kinds(compare(policy(), scan_of(third))) == {K.KIND_DIFFERS}


def test_attributes_are_cured_by_the_policy_where_the_server_sets_the_cookie() -> None:
    """The middleware raises a cookie to what is declared, and no script's."""
    sid = {"kind": "session", "purpose": "need", "description": "C",
           "attributes": {"same_site": "lax", "http_only": True}}  # fmt: skip
    some = policy(cookies={"sid": sid})
    scan = scan_of(setting("sid", secure=False, http_only=True, same_site="lax"))
    assert one(compare(some, scan), K.ATTRIBUTES).draft == (
        "cookies:\n  sid:\n    attributes: {secure: true, http-only: true, same-site: lax}\n"
    )
    scripted = scan_of(setting("sid", by=By.SCRIPT, same_site="lax"))
    assert one(compare(some, scripted), K.ATTRIBUTES).draft == ""
    weak = scan_of(setting("sid", http_only=True, same_site="none"))
    assert one(compare(some, weak), K.ATTRIBUTES).draft == ""


# Trackers


def needed(**entries: Any) -> Policy:
    """A policy that calls these strictly necessary; the reader of files would refuse some."""
    said = {"kind": "session", "purpose": "need", "description": "C"}
    return policy(cookies={name: said | entry for name, entry in entries.items()})


def test_a_tracker_called_necessary_is_found_unseen() -> None:
    """R-32: the policy alone says it."""
    finding = one(compare(needed(_gid={}), scan_of(visit())), K.TRACKER_NECESSARY)
    assert "is known to be for analytics" in finding.what
    assert "purpose: analytics" in finding.draft
    assert compare(needed(basket={}), scan_of(visit())) == ()
    assert compare(needed(session={"chunked": True}), scan_of(visit())) == ()


def test_a_tracker_under_a_wide_name_is_found_when_it_is_seen() -> None:
    """R-32: the name that came, the third party that stores it, or the script that set it."""
    wide = needed(**{"{list}_view": {}, "plain": {}, "third": {"party": "third"}})
    ways = (
        setting("_gat_view"),
        setting("plain", by=By.SCRIPT, initiator="www.google-analytics.com/analytics.js"),
        setting("third", domain="doubleclick.net", third_party=True),
    )
    for way in ways:
        assert kinds(compare(wide, scan_of(way))) == {K.TRACKER_NECESSARY}
    loader = setting("plain", by=By.SCRIPT, initiator="www.googletagmanager.com/gtm.js")
    assert compare(wide, scan_of(loader)) == ()


def test_a_service_of_trackers_called_necessary_is_found() -> None:
    """R-32: by its key, by a declared host, or by the host that a wildcard let in."""
    service = {"purpose": "need", "provider": "P"}
    by_key = policy(services={"google-analytics": service})
    by_host = policy(services={"x": {**service, "hosts": ["connect.facebook.net"]}})
    for some in (by_key, by_host):
        assert kinds(compare(some, scan_of(visit()))) == {K.TRACKER_NECESSARY}
    wide = policy(services={"x": {**service, "hosts": ["*.licdn.com", "fine.example"]}})
    assert compare(wide, scan_of(loading("fine.example"))) == ()
    finding = one(compare(wide, scan_of(loading("snap.licdn.com"))), K.TRACKER_NECESSARY)
    assert finding.subject == "service"


def test_a_tracker_in_storage_called_necessary_is_found() -> None:
    """R-29, R-32."""
    storage = {"_hjid": {"where": "local", "purpose": "need", "description": "C"}}
    assert kinds(compare(policy(storage=storage), scan_of(visit()))) <= {K.TRACKER_NECESSARY}


# Declared, and never seen


def unseen(some: Policy, *visits: Visit, **how: Any) -> set[str]:
    return {
        finding.name
        for finding in compare(some, scan_of(*visits, **how))
        if finding.kind is K.NEVER_SEEN
    }


def test_what_was_granted_and_is_on_no_page_was_never_seen() -> None:
    """R-75: cookies, items and services; a vote and what is needed wait for acts of their own."""
    everything = {"visits", "part-{id}", "once", "volume", "films"}
    assert unseen(policy(), visit(State.GRANTED)) == everything
    assert unseen(policy(), setting("part-7", State.REFUSED), visit(State.GRANTED)) == (
        everything - {"part-{id}"}
    )
    finding = next(f for f in compare(policy(), scan_of(visit(State.GRANTED))))
    assert finding.severity is Severity.NOTE
    assert "not seen on any of 1 page visited" in finding.what


def test_a_cookie_that_was_set_with_the_answer_is_seen_when_it_is_sent() -> None:
    """A scan begins to record after the grant: what the grant's own page set comes back later."""
    sent = visit(State.GRANTED, sent=(SentCookie("visits", "site.example"),))
    everything = unseen(policy(), visit(State.GRANTED))
    assert everything - unseen(policy(), sent) == {"visits"}


def test_of_two_services_with_one_host_the_second_cannot_be_seen() -> None:
    """The first in the policy counts, so nothing follows of the other."""
    service = {"purpose": "count", "provider": "P", "hosts": ["*.films.example"]}
    both = policy(services={"films": service, "more-films": service})
    assert {"films", "more-films"} & unseen(both, visit(State.GRANTED)) == {"films"}
    own = policy(services={"films": service, "more": {**service, "hosts": ["b.films.example"]}})
    assert {"films", "more"} <= unseen(own, visit(State.GRANTED))
    below = policy(services={"stats": {**service, "hosts": ["stats.site.example"]}})
    assert "stats" not in unseen(below, visit(State.GRANTED))


def test_nothing_was_never_seen_where_nobody_could_have_seen_it() -> None:
    """No grant, no browser, an error, a page for children, another path, another site."""
    kids = policy(child_directed=["/kids"])
    assert unseen(policy(), visit(State.UNTOUCHED)) == set()
    assert unseen(policy(), visit(State.GRANTED), witness=Witness.HEADERS) == set()
    assert unseen(policy(), visit(State.GRANTED, error="timeout")) == set()
    assert unseen(kids, visit(State.GRANTED, "/kids")) == set()
    said = {"kind": "session", "purpose": "count", "description": "C"}
    some = policy(
        cookies={
            "shop": {**said, "path": "/shop/"},
            "theirs": {**said, "domain": "other.example"},
            "ours": {**said, "domain": ".example"},
        },
        storage={},
        services={"inline": {"purpose": "count", "provider": "P"}},
    )
    assert unseen(some, visit(State.GRANTED, "/shopping")) == {"ours"}
    assert unseen(some, visit(State.GRANTED, "/shop/a?b")) == {"ours", "shop"}


# Without a policy


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (State.UNTOUCHED, K.BEFORE_ANSWER),
        (State.REFUSED, K.AFTER_REFUSAL),
        (State.WITHDRAWN, K.STILL_SENT),
        (State.SIGNAL, K.AGAINST_SIGNAL),
        (State.GRANTED, None),
    ],
)
def test_without_a_policy_labels_warn(state: State, kind: FindingKind | None) -> None:
    """A label is no decision: it warns, and nothing is called undeclared."""
    found = compare(None, scan_of(setting("_ga_ABC", state), setting("lb", state)))
    assert [(f.kind, f.name, f.severity) for f in found] == (
        [(kind, "_ga_*", Severity.WARNING)] if kind else []
    )


def test_without_a_policy_known_trackers_hosts_warn() -> None:
    """Whoever is known, and nobody else."""
    hosts = [("www.google-analytics.com", "site.example/"), ("fonts.gstatic.com", ""),
             ("nobody.example", "")]  # fmt: skip
    for state, kind in ((State.UNTOUCHED, K.THIRD_PARTY_EARLY), (State.REFUSED, K.AFTER_REFUSAL)):
        pages = (loading(host, state, initiator=by) for host, by in hosts)
        finding = one(compare(None, scan_of(*pages)), kind)
        assert finding.key.endswith(":service:google-analytics")
        assert "looks like analytics" in finding.what
        assert finding.initiator == "site.example/"
    assert one(compare(None, scan_of(loading("www.google-analytics.com"))), kind=(
        K.THIRD_PARTY_EARLY)).initiator == ""  # fmt: skip


def test_without_a_policy_known_trackers_items_warn() -> None:
    """R-29: what a tracker keeps in the browser's storage is no less stored."""
    items = (
        SeenItem(Where.LOCAL, "amplitude_unsent_x", "site.example"),
        SeenItem(Where.LOCAL, "theme", "site.example"),
    )
    finding = one(compare(None, scan_of(visit(items=items))), K.BEFORE_ANSWER)
    assert finding.subject == "storage"
    assert finding.severity is Severity.WARNING
    assert "is left behind on a first visit" in finding.what
    assert compare(None, scan_of(visit(State.GRANTED, items=items))) == ()


def test_without_a_policy_a_guessed_name_is_known_by_itself() -> None:
    """No entry of the catalogue gives its name."""
    found = compare(None, scan_of(setting("my_tracking_visitorid", seconds=LONGEST)))
    assert [finding.name for finding in found] == ["my_tracking_visitorid"]


def test_without_a_policy_the_table_shown_is_held_against_what_was_seen() -> None:
    """R-73: whoever shows a table shows all of it; none shown is nothing to compare."""
    scan = scan_of(setting("lb"), setting("sid", State.GRANTED))
    shown = (ShownCookie("sid*"), ShownCookie("{broken"))
    assert keys(compare(None, replace(scan, shown=shown))) == {"table-differs:cookie:lb"}
    assert compare(None, scan) == ()


# What is told


def test_the_worst_stands_first() -> None:
    """Errors, warnings, notes; and among them what the law minds most."""
    scan = scan_of(setting("sid", secure=False), setting("lb"), setting("visits", seconds=DAY),
                   visit(State.GRANTED))  # fmt: skip
    found = compare(policy(), scan)
    ranks = [finding.severity.rank for finding in found]
    assert ranks == sorted(ranks)
    assert [finding.kind for finding in found][:3] == [K.BEFORE_ANSWER, K.UNDECLARED, K.ATTRIBUTES]


def test_a_finding_names_ten_pages_of_however_many() -> None:
    """A report stays readable; the count says how many there are."""
    scan = scan_of(*(setting("lb", page=f"/{n}") for n in range(25)))
    finding = one(compare(policy(), scan), K.UNDECLARED)
    assert len(finding.pages) == MOST_PAGES
    assert finding.count == 25


def test_a_finding_knows_its_line() -> None:
    """Where the policy declares it; what nothing declares has none."""
    lines = {("cookies", "visits"): 12}
    found = compare(
        policy(),
        scan_of(setting("visits", seconds=DAY), setting("lb"), shown=()),
        place_of=lambda *place: lines.get(place),
    )
    assert {finding.line for finding in found if finding.name == "visits"} == {12}
    assert {finding.line for finding in found if finding.name == "lb"} == {None}


def test_a_key_has_no_page_no_state_and_no_moment() -> None:
    """The same finding tomorrow, on another page, in another state."""
    today = one(compare(policy(), scan_of(setting("lb", page="/a"))), K.UNDECLARED)
    seen = setting("lb", State.REFUSED, "/b", seconds=5, moment=700)
    assert one(compare(policy(), scan_of(seen)), K.UNDECLARED).key == today.key


def test_pages_with_errors_are_not_judged() -> None:
    """Nothing follows of what was not seen."""
    broken = replace(setting("lb"), error="timeout", banner=None)
    assert compare(policy(), scan_of(broken)) == ()
    assert compare(None, scan_of(replace(setting("_ga"), error="timeout"))) == ()


@given(st.text(st.characters(), max_size=40), st.sampled_from([*State]))
@settings(max_examples=30, deadline=None)
def test_any_name_makes_a_finding_that_can_be_read(name: str, state: State) -> None:
    """A name is a stranger's word: in the sentences nothing of it breaks out or hides."""
    seen = visit(
        state,
        cookies=(SeenCookie(name, "site.example"),),
        items=(SeenItem(Where.LOCAL, name, "site.example"),),
        requests=(SeenRequest(name or "x", name, initiator=name),),
    )
    for some in (policy(), None):
        for finding in compare(some, scan_of(seen, shown=(ShownCookie(name),))):
            assert finding.what.isprintable()
            assert finding.cure.isprintable()
            hidden = {category(sign) for sign in finding.draft.replace("\n", "")}
            assert not hidden & {"Cc", "Cs", "Zl", "Zp"}


def test_a_report_counts_and_fails() -> None:
    """`--fail-on` names the least that fails, and never fails on none."""
    report = report_on(policy(), scan_of(setting("sid", secure=False)), policy_file="consent.yaml")
    assert report.counts == {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 0}
    assert [report.fails(least) for least in (*Severity, None)] == [False, True, True, False]
    assert not report.fails()
    assert report.policy_file == "consent.yaml"
    assert Report(scan_of()).counts == dict.fromkeys(Severity, 0)


def test_what_could_not_be_judged_is_said() -> None:
    """Silence must not read as all is well."""
    scan = scan_of(
        visit(State.UNTOUCHED),
        visit(State.REFUSED, error="timeout"),
        visit(State.REFUSED, "/b", error="timeout"),
        witness=Witness.HEADERS,
        acts=(Act(State.GRANTED, None, "no button was found"), Act(State.WITHDRAWN, None)),
        left_out={"/far": "too deep"},
    )
    told = unjudged(None, scan)
    assert "No policy was given" in told[0]
    assert "Headers alone" in told[1]
    assert told[2:] == (
        "State 'granted' was not reached: no button was found.",
        "State 'withdrawn' was not reached.",
        "State 'refused' has no page that could be looked at.",
        "State 'gpc' has no page that could be looked at.",
        "2 pages were not to be seen in some state.",
        "1 page was left out.",
        "No declaration that the site shows was found, so none was compared.",
    )
    bare = replace(scan, visits=(replace(scan.visits[0], banner=None),))
    assert "Headers alone show no banner of another's tool." in unjudged(policy(), bare)
    assert unjudged(policy(), obeying(policy())) == ()


def test_every_kind_can_be_found() -> None:
    """The table promises nothing that is never found, and is in the order of severity."""
    assert [*FINDINGS] == sorted(FINDINGS, key=lambda kind: FINDINGS[kind].severity.rank)
    assert {*FINDINGS} == {*FindingKind}
    scan = scan_of(
        setting("visits", seconds=LONGEST),
        setting("visits", State.REFUSED, seconds=DAY),
        setting("visits", State.WITHDRAWN, seconds=DAY),
        setting("visits", State.SIGNAL, seconds=DAY),
        setting("sid", seconds=60, secure=False),
        setting("lb"),
        loading("a.films.example"),
        visit(State.GRANTED),
        visit(page="/bare", banner=None),
        acts=(Act(State.GRANTED, 1), Act(State.REFUSED, 2)),
        shown=(),
    )
    said = {"kind": "session", "purpose": "need", "description": "C"}
    some = policy(cookies={**policy().model_dump()["cookies"], "sid": said, "_gid": said})
    assert kinds(compare(some, scan)) == {*FindingKind}


def test_a_policy_from_a_file_gives_the_lines() -> None:
    """The control for `place_of`: a real file's."""
    some = read_policy("site: {name: a, controller: b}\nmode: explicit\n"
                       "purposes: {p: {title: x, description: x}}\n")  # fmt: skip
    assert kinds(compare(some, scan_of(setting("lb")))) == {K.UNDECLARED}
