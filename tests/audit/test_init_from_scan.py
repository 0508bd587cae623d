"""`consentkit init --from-scan`: a policy from what was seen, which holds and pretends nothing."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consentkit import Policy, cli
from consentkit.audit import drafts
from consentkit.audit.cases import host_in
from consentkit.audit.drafts import draft_from_scan, facts_of, recognised, scan_in
from consentkit.audit.exports import report_json
from consentkit.audit.findings import Report, compare
from consentkit.audit.kinds import FindingKind
from consentkit.audit.labels import Nature, label_of
from consentkit.audit.markup import read_page
from consentkit.audit.seen import (
    By,
    Scan,
    SeenCookie,
    SeenItem,
    SeenRequest,
    Shape,
    State,
    Visit,
    Witness,
    scan_to_json,
)
from consentkit.errors import ScanError
from consentkit.notice.text import LANGUAGES
from consentkit.rules import catalogue
from consentkit.rules.policy import DAY, LONGEST, Kind, Mode, Where
from consentkit.rules.policy_file import inspect_text
from consentkit.shell.drafts import SiteFacts

SITE = "shop.example"
FACTS = SiteFacts("Shop", "Shop Ltd")
YEAR = 365 * DAY
ANALYTICS = "tag.counter.example/t.js"


def cookie(name: str, seconds: int | None = None, **more: Any) -> SeenCookie:
    return SeenCookie(name, more.pop("domain", SITE), seconds=seconds, **more)


def scan(*visits: Visit, **more: Any) -> Scan:
    facts = {"witness": Witness.BROWSER, "started": "2026-11-22T03:00:00Z", **more}
    return Scan(f"https://{SITE}", visits=visits, **facts)


def visit(*seen: SeenCookie | SeenItem | SeenRequest, **more: Any) -> Visit:
    return Visit(
        more.pop("page", "/"),
        more.pop("state", State.GRANTED),
        200,
        cookies=tuple(each for each in seen if isinstance(each, SeenCookie)),
        items=tuple(each for each in seen if isinstance(each, SeenItem)),
        requests=tuple(each for each in seen if isinstance(each, SeenRequest)),
        **more,
    )


def text_of(*seen: SeenCookie | SeenItem | SeenRequest) -> str:
    return draft_from_scan(scan(visit(*seen)), FACTS).text


def told(text: str) -> str:
    """What a draft says, as if its comments had no ends of lines."""
    return " ".join(line.strip(" #") for line in text.splitlines())


def policy_in(text: str) -> Policy:
    """The policy of a draft: the real reader takes it, and `check` has no fault to find."""
    inspection = inspect_text(text.encode(), "consent.yaml", spoken=LANGUAGES)
    assert [str(fault) for fault in inspection.faults] == []
    assert inspection.policy is not None
    return inspection.policy


def policy_of(*seen: SeenCookie | SeenItem | SeenRequest) -> Policy:
    return policy_in(text_of(*seen))


# What a draft says


def test_a_draft_declares_what_was_seen() -> None:
    """R-26: everything that is stored stands in the policy."""
    policy = policy_of(
        cookie("_ga", 2 * YEAR, by=By.SCRIPT, initiator=ANALYTICS),
        cookie("_gid", DAY),
        cookie("basket-colour", 90 * DAY),
        cookie("stay"),
        SeenItem(Where.LOCAL, "volume", SITE),
        SeenRequest("fonts.gstatic.com", "/s", "font"),
        SeenRequest("cdn.acme.example", "/a.js", "script"),
    )
    ga, colour, stay = (policy.cookies[name] for name in ("_ga", "basket-colour", "stay"))
    assert (ga.kind, ga.purpose, ga.service) == (Kind.ANALYTICS, ("analytics",), "google-analytics")
    assert ga.duration == LONGEST  # browsers keep no more
    assert (colour.kind, colour.duration) == (Kind.PERSISTENT, 90 * DAY)
    assert (stay.kind, stay.duration) == (Kind.SESSION, None)
    assert policy.storage["volume"].where is Where.LOCAL
    assert policy.services["google-fonts"].purpose == ("fonts",)
    assert policy.services["cdn.acme.example"].hosts == ("cdn.acme.example",)
    assert policy.undeclared == "report"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(YEAR - 3, "1 year"), (1799, "30 minutes"), (395 * DAY - 1, "13 months"), (5, "5 seconds"),
     (90 * DAY, "90 days"), (0, "1 second"), (-7, "1 second"), (10**30, "400 days")],
)  # fmt: skip
def test_a_duration_is_written_as_a_person_would(seconds: int, words: str) -> None:
    """A life is measured a moment after it began, so seconds are missing."""
    assert f"duration: {words}\n" in text_of(cookie("x7", seconds))


def test_the_longest_life_counts_and_pages_and_states_are_told() -> None:
    seen = scan(
        visit(cookie("x7", DAY, initiator="shop.example/"), page="/a"),
        visit(cookie("x7"), page="/b", state=State.UNTOUCHED),
        visit(cookie("x7", 2 * DAY), page="/c"),
        visit(cookie("x7", 2 * DAY), page="/d"),
    )
    text = draft_from_scan(seen, FACTS).text
    assert policy_in(text).cookies["x7"].duration == 2 * DAY
    assert "Seen on /a, /b, /c and 1 more; untouched, granted; by header of shop.ex" in told(text)
    assert "; for 2 days." in told(text)


def test_another_site_s_cookie_is_declared_as_such() -> None:
    policy = policy_of(
        cookie("xyz", DAY, domain="tag.acme.example", third_party=True), cookie("abc", DAY)
    )
    assert [policy.cookies[name].party for name in ("xyz", "abc")] == ["third", "first"]


def test_names_that_are_alike_are_one_entry() -> None:
    text = text_of(cookie("_ga_7XK2L9"), cookie("_ga_AAAA"), cookie("cart-1"), cookie("cart-2"))
    assert set(policy_in(text).cookies) == {"_ga_*", "cart-{id}"}
    assert "It stands for cart-1, cart-2." in told(text)


def test_a_prefix_that_promises_attributes_is_held_to_them() -> None:
    policy = policy_of(cookie("__Host-a"), cookie("__Http-b"), cookie("c"))
    promised = [policy.cookies[name].attributes for name in ("__Host-a", "__Http-b", "c")]
    assert [(each.secure, each.http_only) for each in promised] == [
        (True, False), (True, True), (False, False),
    ]  # fmt: skip


def test_what_a_service_lacks_in_the_catalogue_is_added() -> None:
    """``*.example.com`` does not take in example.com itself."""
    wild = next(
        host.removeprefix("*.")
        for service in catalogue.services().values()
        for host in service.hosts
        if host.startswith("*.")
        and host.removeprefix("*.") not in service.hosts
        and catalogue.service_of_host(host.removeprefix("*.")) == service
    )
    known, declared = catalogue.service_of_host(wild), policy_of(SeenRequest(wild))
    assert known is not None
    assert declared.service_of_host(wild) == known.key
    assert declared.services[known.key].provider == known.provider
    policy = policy_of(SeenRequest("www.youtube.com"), SeenRequest("i.ytimg.com"))
    assert list(policy.services) == ["youtube"]


def test_what_is_the_site_s_own_is_no_service() -> None:
    assert policy_of(SeenRequest(f"img.{SITE}"), SeenRequest(f"{SITE}:8443")).services == {}


def test_our_own_cookies_need_no_declaration() -> None:
    policy = policy_of(cookie("__Host-consent", YEAR), cookie("consent-seen"))
    assert policy.cookies == {}


# Who is strictly necessary

NAMES = ("session", "csrf_token", "my_basket", "site-consent", "__cf_bm", "x7", "_ga", "PHPSESSID")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("http_only", [True, False])
def test_nothing_unknown_or_guessed_is_called_strictly_necessary(
    name: str, *, http_only: bool
) -> None:
    """R-32: whoever runs the site justifies an exemption; a machine's label never does."""
    seen = cookie(name, http_only=http_only, shape=Shape.SIGNED)
    policy = policy_of(seen)
    assert set(policy.cookies[name].purpose) <= set(policy.optional_purposes)
    assert "necessary" not in policy.optional_purposes


def test_what_looks_necessary_says_so_and_waits() -> None:
    """The control of the rule above: there are labels that call something necessary."""
    assert label_of("my_basket").nature is Nature.NECESSARY
    text = text_of(cookie("my_basket"))
    assert "TODO: say what it is for. It looks strictly necessary (likely)." in told(text)
    assert policy_in(text).cookies["my_basket"].purpose == ("unsorted",)


def test_what_the_catalogue_takes_for_necessary_waits_too() -> None:
    draft = draft_from_scan(scan(visit(cookie("__cf_bm", 1800))), FACTS)
    assert "It takes it for strictly necessary: if it is, justify it." in told(draft.text)
    assert draft.open == 1
    assert policy_in(draft.text).cookies["__cf_bm"].purpose == ("unsorted",)


def test_what_looks_like_tracking_stands_under_what_tracking_is_for() -> None:
    text = text_of(cookie("acme_visitor", YEAR))
    assert policy_in(text).cookies["acme_visitor"].purpose == ("analytics",)
    assert "It looks like tracking (likely)." in told(text)


def test_what_nobody_knows_is_unsorted_and_counted() -> None:
    draft = draft_from_scan(
        scan(visit(cookie("x7"), SeenItem(Where.SESSION, "y8", SITE), SeenRequest("a.example"))),
        FACTS,
    )
    policy = policy_in(draft.text)
    assert policy.cookies["x7"].purpose == ("unsorted",)
    assert policy.storage["y8"].purpose == ("unsorted",)
    assert policy.services["a.example"].purpose == ("unsorted",)
    assert (draft.open, told(draft.text).count("TODO: say what it is for")) == (3, 3)


def test_a_service_that_the_catalogue_takes_for_necessary_waits() -> None:
    key = next(k for k, each in catalogue.services().items() if each.purpose == "necessary")
    host = catalogue.services()[key].hosts[0].removeprefix("*.")
    draft = draft_from_scan(scan(visit(SeenRequest(host))), FACTS)
    assert policy_in(draft.text).services[key].purpose == ("unsorted",)
    assert draft.open == 1


# Frameworks


@pytest.mark.parametrize(
    ("cookies", "frameworks"),
    [
        ([cookie("sessionid", http_only=True), cookie("csrftoken", YEAR)], ("django",)),
        ([cookie("django_language")], ("django",)),
        ([cookie("django_language", YEAR)], ()),
        ([cookie("sessionid"), cookie("csrftoken", YEAR)], ()),
        ([cookie("csrftoken", YEAR)], ()),
        ([cookie("session", http_only=True)], ()),
        ([cookie("starlette_admin_csrftoken")], ("starlette-admin",)),
        ([cookie("ds_csrftoken"), cookie("ds_messages")], ("datasette",)),
        (
            [cookie("sessionid", http_only=True), cookie("csrftoken", YEAR),
             cookie("wagtail_sidebar_collapsed")],
            ("wagtail",),
        ),
        (
            [cookie("sessionid", http_only=True, third_party=True),
             cookie("csrftoken", third_party=True)],
            (),
        ),
        (
            [cookie("sessionid", http_only=True), cookie("sessionid"), cookie("csrftoken")],
            (),
        ),
        (
            [cookie("sessionid", http_only=True, initiator="www.shop.example/in"),
             cookie("csrftoken")],
            ("django",),
        ),
        ([cookie("sessionid", http_only=True), cookie("csrftoken", by=By.SCRIPT)], ()),
        ([cookie("sessionid", http_only=True), cookie("csrftoken", 2 * YEAR)], ()),
        (
            [cookie("sessionid", http_only=True), cookie("csrftoken", initiator="t.test/t.js")],
            (),
        ),
        (
            [cookie("sessionid", http_only=True), cookie("csrftoken"),
             cookie("messages", by=By.SCRIPT, initiator="tracker.test/t.js")],
            (),
        ),
        (
            [cookie("sessionid", http_only=True), cookie("csrftoken"),
             cookie("messages", third_party=True)],
            ("django",),
        ),
    ],
)  # fmt: skip
def test_a_framework_shows_itself_by_its_cookies(
    cookies: list[SeenCookie], frameworks: tuple[str, ...]
) -> None:
    """One name that many use shows nothing; two as a framework sets them do.

    What a stranger's script makes, or lives longer, is never called strictly necessary by it.
    """
    assert recognised(cookies, lambda host: host.endswith(SITE)) == frameworks


def test_what_a_framework_keeps_is_declared_by_its_set() -> None:
    text = text_of(cookie("sessionid", http_only=True), cookie("csrftoken", YEAR), cookie("x7"))
    policy = policy_in(text)
    assert set(policy.cookies) == {*catalogue.frameworks()["django"].cookies, "x7"}
    assert "uses:\n  # TODO: Django, guessed from its cookies. If the site" in text
    assert "if not, take it out.\n  - django\n" in text


def test_a_framework_waits_for_a_person() -> None:
    """It makes cookies strictly necessary, so it is counted with what is open."""
    shown = (cookie("sessionid", http_only=True), cookie("csrftoken"))
    assert draft_from_scan(scan(visit(*shown)), FACTS).open == 1


def test_no_strangers_script_makes_a_framework() -> None:
    """The names of one, two years long, by a tracker: each waits in 'unsorted' instead."""
    shape = Shape.STAMPED_IDENTIFIER
    draft = draft_from_scan(
        scan(
            visit(
                cookie("sessionid", 2 * YEAR, http_only=True, shape=shape),
                cookie("csrftoken", 2 * YEAR, by=By.SCRIPT, shape=shape, initiator=ANALYTICS),
            )
        ),
        FACTS,
    )
    policy = policy_in(draft.text)
    assert draft.frameworks == ()
    for name in ("sessionid", "csrftoken"):
        assert "necessary" not in policy.cookies[name].purpose


def test_a_framework_that_is_not_sure_is_hinted_at() -> None:
    assert "'uses: [starlette-sessions]'" in text_of(cookie("session", http_only=True))


# The site


@pytest.mark.parametrize(
    ("titles", "name"),
    [
        (("Home | City Library", "Films | City Library", "404"), "City Library"),
        (("City Library \u2013 Home", "City Library \u2013 Films"), "City Library"),
        (("City Library",), SITE),
        (("One", "Two"), SITE),
        ((), SITE),
        (("\u202eevil\x00 | A", "b | A"), "A"),
    ],
)
def test_the_site_is_called_as_its_titles_have_it(titles: tuple[str, ...], name: str) -> None:
    visits = [visit(page=f"/{n}", title=title) for n, title in enumerate(titles)]
    assert facts_of(scan(*visits)).name == name


def test_a_site_without_a_host_has_a_name() -> None:
    assert facts_of(replace(scan(), site="")).name == "My site"


def test_the_languages_are_those_of_the_pages() -> None:
    visits = [
        visit(page="/1", language="de-AT"),
        visit(page="/2", language="de_DE"),
        visit(page="/3", language="fr"),
        visit(page="/4", language="tlh"),
        visit(page="/5"),
    ]
    text = draft_from_scan(scan(*visits), FACTS, spoken=LANGUAGES).text
    assert policy_in(text).languages == ("de", "fr")
    assert policy_of().languages == ("en",)


def test_a_page_says_in_which_language_it_is() -> None:
    """What the witness of headers alone reads of it; a browser says the same."""
    page = read_page(b'<!doctype html><html class=a LANG="de-AT"><title>A</title>', SITE, bool)
    assert (page.language, page.title) == ("de-AT", "A")
    assert read_page(b"<html><title>A</title>", SITE, bool).language == ""


def test_the_head_tells_who_looked() -> None:
    by_headers = draft_from_scan(scan(visit(), witness=Witness.HEADERS), FACTS).text
    assert "1 page in 1 state, by headers alone" in told(by_headers)
    assert "0 pages in 0 states, with a browser" in told(draft_from_scan(scan(), FACTS).text)


@pytest.mark.parametrize("mode", list(Mode))
def test_what_was_asked_for_is_written(mode: Mode) -> None:
    facts = SiteFacts("A: b", "C # d", "privacy@shop.example", mode)
    policy = policy_in(draft_from_scan(scan(visit(cookie("x7", DAY))), facts).text)
    assert policy.mode is mode
    assert (policy.site.name, policy.site.controller) == ("A: b", "C # d")
    assert policy.site.contact == "privacy@shop.example"


def test_a_page_that_could_not_be_seen_says_nothing() -> None:
    seen = scan(replace(visit(cookie("x7"), title="a | b"), error="timed out"))
    assert policy_in(draft_from_scan(seen, FACTS).text).cookies == {}


# Strangers' words

HOSTILE = (
    "a: b # c", "- x", "'", '"', "\\", "&a", "*a", "!!python", "{}", "[", "|", ">", "%a", "@", "`",
    "no", "012", "1:30", "~", "=", "<<", "a\nb: c", "a\r\nevil: true", "\x1b[31m", "\u202e",
    "\ud800", "\x00", "\u2028", "x" * 300, "x" * 255, "é", "# TODO", "? x", "", " ", "__Host-",
    "consent",
)  # fmt: skip


@pytest.mark.parametrize("word", HOSTILE)
def test_no_stranger_s_word_gets_out_of_its_quotes(word: str) -> None:
    """A name is data: it ends in an entry of its own, or in a comment that says why not."""
    text = text_of(
        cookie(word, YEAR, domain=word, initiator=word),
        SeenItem(Where.LOCAL, word, word),
        SeenRequest(word, word, word, word),
    )
    policy = policy_in(text)
    assert set(policy.cookies) <= {word}
    assert set(policy.storage) <= {word}
    assert {host for each in policy.services.values() for host in each.hosts} <= {host_in(word)}
    assert set(policy.purposes) == {"necessary", "unsorted"} or set(policy.purposes) == {
        "necessary"
    }
    assert all(line.isprintable() for line in text.splitlines())
    text.encode()


def test_what_no_policy_can_hold_is_named_with_its_reason() -> None:
    text = text_of(cookie("a{b}"), cookie("x" * 256), SeenItem(Where.LOCAL, "\ud800", SITE))
    assert "- 'a{b}': with a brace or a star in it" in text
    assert "it is too long" in told(text)
    assert "- '\\ud800': it is not UTF-8" in text
    assert policy_in(text).cookies == {}


def test_there_is_an_end_to_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that names a cookie anew on every page would fill any file."""
    monkeypatch.setattr(drafts, "MOST_ENTRIES", 3)
    names = [letter * 5 for letter in "abcdefghijk"]
    text = text_of(*(cookie(name) for name in names))
    assert set(policy_in(text).cookies) == {*names[:3]}
    assert told(text).count("there are too many: declare these first") == 3
    items = policy_of(*(SeenItem(Where.LOCAL, name, SITE) for name in names)).storage
    hosts = policy_of(*(SeenRequest(f"{name}.example") for name in names)).services
    assert (len(items), len(hosts)) == (3, 3)


def test_a_pattern_that_cannot_stand_is_written_name_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a family's pattern is refused, its names are not lost; nor is one that is refused."""
    monkeypatch.setattr(
        drafts, "families_of", lambda names, *_: dict.fromkeys(names, "bad pattern {")
    )
    text = text_of(cookie("one"), cookie("two"), cookie("b;c"))
    assert set(policy_in(text).cookies) == {"one", "two"}
    assert "'b;c'" in text


NAME = st.text(st.characters(codec="utf-8", exclude_characters="{}*"), max_size=12)
FINE = st.text("abcXYZ019_-.", min_size=1, max_size=8) | st.sampled_from(
    ["_ga", "_ga_1", "cart-1", "cart-22", "sessionid", "csrftoken", "IDE", "session", "a1", "a2"]
)
HOSTS = st.sampled_from(
    [SITE, f"a.{SITE}", "www.youtube.com", "t.acme.example", "127.0.0.1", "px.ads.linkedin.com"]
)


def visits(
    names: st.SearchStrategy[str], hosts: st.SearchStrategy[str]
) -> st.SearchStrategy[list[Visit]]:
    cookies = st.builds(
        SeenCookie, names, HOSTS, seconds=st.none() | st.integers(-5, 10**9),
        http_only=st.booleans(), third_party=st.booleans(), shape=st.sampled_from(Shape),
        by=st.sampled_from(By), initiator=st.text(max_size=9),
    )  # fmt: skip
    items = st.builds(SeenItem, st.sampled_from(Where), names, HOSTS, st.booleans())
    requests = st.builds(SeenRequest, hosts)
    one = st.builds(
        Visit, st.sampled_from(["/", "/a"]), st.sampled_from(State), st.just(200),
        st.lists(cookies, max_size=4).map(tuple), items=st.lists(items, max_size=3).map(tuple),
        requests=st.lists(requests, max_size=3).map(tuple), title=st.text(max_size=9),
        language=st.sampled_from(["", "de", "en-GB", "xx"]),
    )  # fmt: skip
    return st.lists(one, max_size=4)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=25)
@given(visits(NAME, HOSTS | NAME))
def test_a_draft_of_anything_holds(seen: list[Visit]) -> None:
    """The real reader takes it, whatever a site is called and whatever it stores."""
    one = scan(*seen)
    draft = draft_from_scan(one, facts_of(one), spoken=LANGUAGES)
    policy = policy_in(draft.text)
    assert draft_from_scan(one, facts_of(one), spoken=LANGUAGES) == draft
    declared = {name for key in draft.frameworks for name in catalogue.frameworks()[key].cookies}
    for name, each in policy.cookies.items():
        assert name in declared or set(each.purpose) <= set(policy.optional_purposes)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=25)
@given(visits(FINE, HOSTS))
@example([visit(cookie("cart-1"), cookie("cart-22"), cookie("_ga_1"), SeenRequest("a.example"))])
def test_a_scan_has_nothing_undeclared_against_its_own_draft(seen: list[Visit]) -> None:
    """What was seen is in the draft; so what a later scan calls undeclared is new."""
    one = scan(*seen)
    policy = policy_in(draft_from_scan(one, FACTS).text)
    undeclared = [each for each in compare(policy, one) if each.kind is FindingKind.UNDECLARED]
    assert [each.name for each in undeclared] == []


def test_a_scan_without_its_draft_has_something_undeclared() -> None:
    """The control of the rule above."""
    one = scan(visit(cookie("x7", DAY), SeenRequest("a.example")))
    kinds = [finding.kind for finding in compare(policy_of(), one)]
    assert kinds.count(FindingKind.UNDECLARED) == 2


# Reports


def report(one: Scan) -> bytes:
    """What `consentkit scan --json` writes."""
    return json.dumps(report_json(Report(one))).encode()


def test_a_report_and_a_bare_scan_are_read() -> None:
    one = scan(visit(cookie("x7", DAY)))
    assert scan_in(report(one), "r.json") == one
    assert scan_in(json.dumps(scan_to_json(one)).encode(), "r.json") == one


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "it is no JSON"),
        (b'{"scan": {', "it is no JSON"),
        (b"\xff\xfe\x00", "it is no JSON"),
        (b"[" * 10**6, "it is no JSON"),
        (b"[]", "it is no report of a scan"),
        (b"null", "it is no report of a scan"),
        (b'"scan"', "it is no report of a scan"),
        (b"{}", "'site' is missing"),
        (b'{"format": 1, "scan": []}', "it is no report of a scan"),
        (b'{"format": 1, "scan": {"site": "x"}}', "'witness' is missing"),
        (b'{"format": 2, "scan": {}}', "it has format '2'"),
        (b'{"scan": {"format": "\\u001b[31m"}}', "it has format"),
        (json.dumps({**scan_to_json(scan()), "format": 99}).encode(), "it has format '99'"),
        (
            json.dumps({**scan_to_json(scan()), "visits": [{"page": "SECRET"}]}).encode(),
            "'visits.0.state' is missing",
        ),
    ],
)
def test_what_is_no_report_is_told_in_one_line(text: bytes, told: str) -> None:
    """*Where, what, what to do*; and nothing of what the file holds."""
    with pytest.raises(ScanError) as raised:
        scan_in(text, "r.json")
    message = str(raised.value)
    assert message.startswith("r.json: ")
    assert told in message
    assert message.isprintable()
    assert "SECRET" not in message


def test_a_report_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MOST_BYTES", 10)
    with pytest.raises(ScanError, match="larger than"):
        scan_in(b'{"scan": 1}', "r.json")


# The command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    one = scan(visit(cookie("x7", DAY), cookie("_ga", YEAR), title="A"))
    (tmp_path / "report.json").write_bytes(report(one))
    return tmp_path


def run(*arguments: str, stdin: bytes = b"") -> int:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        patched.setattr(sys, "argv", ["consentkit", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return int(ended.value.code or 0)


@pytest.mark.usefixtures("folder")
def test_init_writes_a_policy_from_a_scan_that_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "--from-scan", "report.json", "--contact", "privacy@shop.example") == 0
    said = capsys.readouterr().out
    assert "consent.yaml is written" in said
    assert "Entries that wait for you, marked TODO: 1." in said
    assert run("check") == 0
    policy = policy_in(Path("consent.yaml").read_text("utf-8"))
    assert (policy.site.name, policy.site.contact) == (SITE, "privacy@shop.example")
    assert set(policy.cookies) == {"x7", "_ga"}
    assert Path("consentkit.schema.json").exists()


@pytest.mark.usefixtures("folder")
def test_init_from_a_scan_keeps_what_is_there() -> None:
    Path("consent.yaml").write_text("mine", "utf-8")
    assert run("init", "--from-scan", "report.json") == 1
    assert Path("consent.yaml").read_text("utf-8") == "mine"
    assert run("init", "--from-scan", "report.json", "--force", "--name", "Other") == 0
    assert policy_in(Path("consent.yaml").read_text("utf-8")).site.controller == "Other"


def test_init_from_a_scan_prints_and_reads_what_is_piped(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    piped = (folder / "report.json").read_bytes()
    assert run("init", "-", "--from-scan", "-", stdin=piped) == 0
    assert set(policy_in(capsys.readouterr().out).cookies) == {"x7", "_ga"}
    assert run("init", "-", "--from-scan", "report.json", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["file"], document["open"], document["frameworks"]) == ("-", 1, [])
    assert not (folder / "consent.yaml").exists()


@pytest.mark.usefixtures("folder")
def test_init_from_what_is_no_report_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "--from-scan", "none.json") == 1
    assert "none.json: it cannot be read" in capsys.readouterr().err
    assert run("init", "--from-scan", "-", stdin=b"{}") == 1
    assert "<stdin>: it is no report of a scan" in capsys.readouterr().err
    assert not Path("consent.yaml").exists()
