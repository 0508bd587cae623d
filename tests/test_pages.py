"""Pages: which may be changed, how they are changed, and what is remembered of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.memory import Memory
from consentkit.notice.banner import State
from consentkit.pages import LONGEST_KNOWN, MOST_PREFIXES, KnownStart, Pages
from consentkit.rules.consent import NOBODY_YET, Consent, Given, key_of_service
from consentkit.rules.policy import Policy
from consentkit.rules.signals import Signal
from consentkit.rules.visitor import Standing
from consentkit.wire.body_start import NOWHERE, BodyStart
from tests.apps import DECLARED, NAVIGATION, NOW, PAGE, consent, get, policy, says

REQUEST = {b"sec-fetch-dest": b"document"}
HTML = {b"content-type": b"text/html; charset=utf-8"}
TOKENS = ("__Host-consent", "__Host-consent-seen")


def pages_of(rules: Policy, *, enforces: bool = True) -> Pages:
    """The pages of a policy."""
    return Pages(rules, TOKENS, "/consent", enforces=enforces, shows=True)


def pages(**changes: Any) -> Pages:
    """The pages of the site's policy, with some of its keys changed."""
    return pages_of(policy(**changes))


def standing(rules: Policy, consent: Consent = NOBODY_YET, *signals: Signal) -> Standing:
    """A visitor's standing."""
    return Standing(rules, consent, frozenset(signals), NOW)


# what they depend on


def test_vary_names_what_the_policy_makes_pages_depend_on() -> None:
    """R-88: Cookie; Sec-GPC and DNT where honoured; Accept-Language where there is a choice."""
    purpose = DECLARED["purposes"]["measurement"]
    purposes = dict(DECLARED["purposes"])
    assert pages().vary == b"Cookie, Sec-GPC"
    assert pages(languages=["en", "de"]).vary == b"Cookie, Sec-GPC, Accept-Language"
    deaf = {**purposes, "measurement": {**purpose, "honours": []}}
    assert pages(purposes=deaf).vary == b"Cookie"
    both = {**purposes, "measurement": {**purpose, "honours": ["gpc", "dnt"]}}
    assert pages(purposes=both).vary == b"Cookie, DNT, Sec-GPC"
    nothing = {
        "purposes": {"necessary": purposes["necessary"]},
        "cookies": {"sid": DECLARED["cookies"]["sid"]},
    }
    assert pages(**nothing).vary == b""
    assert pages(**nothing, languages=["en", "de"]).vary == b"Accept-Language"


# languages


@pytest.mark.parametrize(
    ("page", "wanted", "language"),
    [
        (b"<html lang=de><body>", b"en", "de"),
        (b"<html lang=de-AT><body>", b"en", "de"),
        (b"<html lang=fr><body>", b"de", "de"),
        (b"<html><body>", b"de;q=0.5, en;q=0.4", "de"),
        (b"<html lang=fr><body>", b"fr", "en"),
        (b"<body>", b"", "en"),
    ],
)
def test_the_notice_speaks_the_language_of_the_page(
    page: bytes, wanted: bytes, language: str
) -> None:
    """R-07: in the language of the page, before those the browser wants."""
    request = {b"accept-language": wanted}
    assert pages(languages=["en", "de"]).language(page, request) == language


def test_a_site_of_one_language_looks_no_further() -> None:
    """There is nothing to choose."""
    assert pages(languages=["de"]).language(b"<html lang=en><body>", {}) == "de"


@pytest.mark.anyio
async def test_a_page_is_asked_in_one_language_throughout() -> None:
    """R-07: the notice and the placeholders below it do not differ."""
    page = b'<html lang=de><body><p data-consentkit="settings-link"></p>'
    rules = policy(languages=["en", "de"], placeholders=["/"])
    app = consent(says(page), rules)
    outcome = await get(app, "/", {**NAVIGATION, "accept-language": "en"})
    assert b'lang="de"' in outcome.body
    assert b'lang="en"' not in outcome.body


# edits


def edit_of(rules: Policy, who: Standing, *, in_a_tab: bool = True) -> Any:
    """How a page is changed."""
    return pages_of(rules).edit(who, REQUEST, b"/", "", in_a_tab=in_a_tab)


def test_where_nothing_is_asked_no_page_depends_on_the_visitor() -> None:
    """DC-12, FZ-06: a policy of strictly necessary purposes costs no page anything."""
    rules = policy(
        purposes={"necessary": DECLARED["purposes"]["necessary"]},
        cookies={"sid": DECLARED["cookies"]["sid"]},
    )
    edit = edit_of(rules, standing(rules))
    assert edit.feed(PAGE, last=False) == PAGE
    assert not edit.depends
    assert edit.feed(b"", last=True) == b""
    assert not edit.depends
    assert edit.grown is None
    filled = rules.model_copy(update={"placeholders": ("/",)})
    edit = edit_of(filled, standing(filled))
    assert edit.feed(b'<p data-consentkit="settings-link">', last=True).count(b"<a") == 1
    assert edit.depends


def test_a_quiet_line_where_nothing_is_optional_depends_on_nobody() -> None:
    """`settings-link: always`: the same line for all, whatever a browser brings; R-88."""
    nothing: dict[str, Any] = {
        "purposes": {"necessary": DECLARED["purposes"]["necessary"]},
        "cookies": {"sid": DECLARED["cookies"]["sid"]},
        "services": {"map": {"purpose": "necessary", "provider": "P"}},
        "settings-link": "always",
    }
    rules = policy(**nothing)
    made = pages_of(rules)
    keys = ("a", key_of_service("map"))
    old = Consent({each: Given(granted=True, revision=1, time=int(NOW)) for each in keys})
    views = [made.view(each) for each in (standing(rules), standing(rules, old, Signal.GPC))]
    assert [view.shown.state for view in views] == [State.DECLARATION] * 2
    assert views[0].key == views[1].key
    edit = edit_of(rules, standing(rules))
    assert b"consentkit-line" in edit.feed(PAGE, last=True)
    assert edit.depends  # on what Vary names, and it names nothing
    assert made.vary == b""
    assert not edit.was_asked
    assert pages_of(policy(**{**nothing, "settings-link": "auto"})).shows is False


def test_a_page_for_children_has_a_view_of_its_own() -> None:
    """R-11, R-89: of no visitor is it another's, and for children it is one for all."""
    rules = policy(**{"child-directed": ["/kids"], "settings-link": "manual"})
    made = pages_of(rules)
    answers = [
        NOBODY_YET,
        *(Consent({"measurement": Given(yes, 1, int(NOW))}) for yes in (False, True)),
    ]
    here = [made.view(standing(rules, each)) for each in answers]
    there = [made.view(standing(rules, each).on_a_page(for_children=True)) for each in answers]
    assert len({view.key for view in here}) == 3
    assert len({view.key for view in there}) == 1
    assert not {view.key for view in here} & {view.key for view in there}
    assert {view.shown.state for view in there} == {State.CHILDREN}
    assert {view.purposes for view in there} == {frozenset({"necessary"})}


def test_a_shared_page_has_two_views_at_most() -> None:
    """`pages: shared`: one for all visitors, and one for all on pages for children."""
    rules = policy(pages="shared", **{"child-directed": ["/kids"]})
    made = pages_of(rules)
    granted = Consent({"measurement": Given(granted=True, revision=1, time=int(NOW))})
    for for_children, state in ((False, State.ASK), (True, State.CHILDREN)):
        one, other = (
            made.view(standing(rules, each).on_a_page(for_children=for_children))
            for each in (NOBODY_YET, granted)
        )
        assert one is other
        assert one.shown.state is state
        assert one.at_most.allows_every(["measurement"]) is not for_children


def test_only_a_question_is_asked() -> None:
    """R-39: a settings link and the status of a signal are told, and ask nothing (R-11 neither)."""
    rules = policy()
    granted = Consent({"measurement": Given(granted=True, revision=1, time=int(NOW))})
    for who, asks in (
        (standing(rules), True),
        (standing(rules, granted), False),
        (standing(rules, NOBODY_YET, Signal.GPC), False),
        (standing(rules).on_a_page(for_children=True), False),
    ):
        edit = edit_of(rules, who)
        assert not edit.was_asked  # not before it stands in the page
        assert edit.grown == -1
        body = edit.feed(b"<body>", last=True)
        assert edit.was_asked is asks
        assert edit.grown == len(body) - len(b"<body>") > 0


def test_a_page_given_up_gives_back_what_was_held() -> None:
    """AP-12: byte for byte, and it is the same for every visitor then."""
    rules = policy()
    edit = edit_of(rules, standing(rules))
    assert edit.feed(b"<title>x", last=False) is None
    assert edit.feed(b"</title>", last=False) is None
    assert edit.given_up() == b"<title>x</title>"
    assert not edit.was_asked


def test_a_page_given_up_before_its_first_chunk_held_nothing() -> None:
    """The start alone was held."""
    rules = policy()
    edit = edit_of(rules, standing(rules))
    assert edit.given_up() == b""
    assert not edit.was_asked


@pytest.mark.parametrize(
    "page", [b"<frameset></frameset>", b"\xff\xfe<\0b\0", b"<script>" + b"x" * 70_000]
)
def test_a_page_without_a_place_stays_as_it_is(page: bytes) -> None:
    """SP-01: a document we cannot place it in is untouched."""
    rules = policy()
    edit = edit_of(rules, standing(rules))
    assert edit.feed(page, last=True) == page
    assert not edit.depends
    assert edit.grown is None
    assert not edit.was_asked
    filled = edit_of(policy(placeholders=["/"]), standing(rules))
    assert filled.feed(page, last=True) == page
    assert filled.depends  # what is in its placeholders may depend on the visitor


def test_a_notice_is_rendered_once_for_all_who_are_shown_the_same() -> None:
    """DESIGN §8: rendered once per policy, language and state."""
    rules = policy()
    made = pages_of(rules)
    one, other = made.view(standing(rules)), made.view(standing(rules))
    first = made.notice(one, "en", "/consent")
    assert one is not other
    assert made.notice(one, "en", "/consent") is made.notice(other, "en", "/consent") is first
    assert made.notice(one, "en", "/shop/consent") is not first


def test_what_is_kept_for_each_standing_is_bounded() -> None:
    """DESIGN §9, bounded everything: a root_path that changes every time fills no memory."""
    rules = policy()
    made = pages_of(rules)
    shown = made.view(standing(rules))
    for number in range(3 * MOST_PREFIXES):
        assert made.notice(shown, "en", f"/{number}/consent")[1].before
    assert len(shown.notices) == MOST_PREFIXES


def test_the_variants_that_are_kept_are_bounded() -> None:
    """DESIGN §9: languages and prefixes are a stranger's; each still has a name of its own."""
    rules = policy(languages=["en", "de"])
    made = pages_of(rules)
    shown = made.view(standing(rules))
    roots = [f"/{number}" for number in range(3 * MOST_PREFIXES)]
    names = [made.variant(shown, REQUEST, root) for root in roots]
    assert len(set(names)) == len(names)
    assert [made.variant(shown, REQUEST, root) for root in roots] == names
    assert len(shown.variants) == MOST_PREFIXES
    by_language = [{**REQUEST, b"accept-language": tag} for tag in (b"de", b"de-AT", b"fr", b"en")]
    one, same, other, first = (made.variant(shown, request, "") for request in by_language)
    assert one == same != other == first  # what counts is the language that comes of it


@pytest.mark.parametrize(
    ("what", "part"),
    [
        ("cookies", b"<table"),
        ("settings-link", b'href="/shop/consent"'),
        ("preferences", b"<form"),
        ("cookeis", b""),
    ],
)
def test_a_placeholder_asks_for_a_part_by_its_name(what: str, part: bytes) -> None:
    """And gets nothing for a word that nobody knows."""
    rules = policy()
    found = pages_of(rules).part(what, "en", standing(rules), "/shop/consent", b"/back")
    assert part in found
    assert bool(found) is bool(part)


# faults


def fail(*_args: Any, **_options: Any) -> Any:
    raise RuntimeError("a fault for the test")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("at", "what", "stays"),
    [
        ("notice", "a page goes out without its notice", b"<p>Hello</p>"),
        ("part", "a placeholder stays as it is", b'<p data-consentkit="cookies">Ours</p>'),
    ],
)
async def test_a_fault_in_what_is_put_in_costs_no_page(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    at: str,
    what: str,
    stays: bytes,
) -> None:
    """DESIGN §9: the author's page goes out; the log has the traceback."""
    monkeypatch.setattr(Pages, at, fail)
    page = b'<body><p>Hello</p><p data-consentkit="cookies">Ours</p></body>'
    outcome = await get(consent(says(page), policy(placeholders=["/"])), "/", NAVIGATION)
    assert outcome.error is None
    assert stays in outcome.body
    assert outcome.body.endswith(b"</body>")
    assert f"a fault in consentkit: {what}" in caplog.text
    assert "a fault for the test" in caplog.text


# a page that begins as it did the last time

HEADS = st.sampled_from(
    [
        b"<body>",
        b"<!doctype html><html><head><title>A</title></head><body class=a>",
        b"<html><head><title>B</title><body>",
        b"<title>C</title><p>",
        b"<p>no head at all",
        b"",
        b"<!-- <body> --><body id=x>",
        b"<frameset>",
        b"\xff\xfe<",
        b"<head><template><body></template></head><BODY>",
        b"<script>'<body>'</script><body>",
        b"<title>" + b"x" * 20_000 + b"</title><body>",
    ]
)
TAILS = st.sampled_from(
    [b"", b"<p>one", b"<p>two</p>", b" ", b"<!-- -->", b"</body>", b"<frameset>"]
)


def placed(start: Any, chunks: Sequence[bytes]) -> tuple[bytes, int]:
    """What was held back when the place was found, and the place."""
    for at, chunk in enumerate(chunks):
        found = start.feed(chunk, last=at == len(chunks) - 1)
        if found is not None:
            held, place = found
            return b"".join((held, *chunks[at + 1 :])), place
    raise AssertionError("the last chunk always decides")


def scanned(page: bytes) -> tuple[bytes, int]:
    """The same by a fresh scan."""
    start = BodyStart()
    found = start.feed(page, last=True)
    assert found is not None
    return start.held, found


def cut(page: bytes, places: list[int]) -> list[bytes]:
    """The page in chunks."""
    ends = [0, *sorted(place % (len(page) + 1) for place in places), len(page)]
    return [page[a:b] for a, b in pairwise(ends)]


@given(st.lists(st.tuples(HEADS, TAILS, st.lists(st.integers(0, 30_000), max_size=3)), min_size=1))
def test_a_known_beginning_gives_the_place_of_a_fresh_scan(
    visits: list[tuple[bytes, bytes, list[int]]],
) -> None:
    """DESIGN §8: remembered or scanned, whole or in pieces, changed or the same: one place."""
    heads: Memory[bytes, bytes] = Memory(256, 1 << 20)
    for head, tail, places in visits:
        page = head + tail
        wanted = scanned(page)
        assert placed(KnownStart(heads, b"/"), cut(page, places)) == wanted
        assert placed(KnownStart(heads, b"/"), [page]) == wanted


@given(
    st.binary(max_size=40).map(lambda b: b.replace(b"<", b"[")),
    st.binary(max_size=10),
    st.binary(max_size=10),
)
def test_pages_that_differ_around_the_body_tag_are_not_mixed_up(
    title: bytes, before: bytes, after: bytes
) -> None:
    """A beginning counts only byte for byte, up to the end of the body tag."""
    heads: Memory[bytes, bytes] = Memory(256, 1 << 20)
    pages_ = [
        b"<title>%b</title><body>" % title,
        b"<title>%b</title>%b<body>" % (title, before),
        b"<title>%b</title><body%b>" % (title, after),
        b"<title>%b</title><body>%b" % (title, after),
        b"<title>%b</title><bod" % title,
    ]
    for page in [*pages_, *reversed(pages_)]:
        assert placed(KnownStart(heads, b"/"), [page]) == scanned(page)


def test_a_known_beginning_is_not_scanned_again() -> None:
    """The control: the second time the place is known from the first chunk."""
    heads: Memory[bytes, bytes] = Memory(256, 1 << 20)
    start = KnownStart(heads, b"/")
    assert start.feed(PAGE, last=True) == scanned(PAGE)
    again = KnownStart(heads, b"/")
    assert again.held == b""
    assert again.feed(PAGE + b"more", last=False) == (PAGE + b"more", scanned(PAGE)[1])
    assert again._scan is None
    other = KnownStart(heads, b"/other")
    assert other.feed(PAGE, last=True) == scanned(PAGE)
    assert other._scan is not None


def test_only_beginnings_that_stand_alone_are_remembered() -> None:
    """An implied body's place depends on what follows, a long head costs memory: neither stays."""
    long_head = b"<title>%b</title><body>" % (b"x" * KnownStart.LARGEST)
    for page in (b"<title>x</title><p>", b"<frameset>", long_head):
        heads: Memory[bytes, bytes] = Memory(256, 1 << 20)
        KnownStart(heads, b"/").feed(page, last=True)
        assert heads.get(b"/") is None
    heads = Memory(256, 1 << 20)
    KnownStart(heads, b"/").feed(b"<title>x</title><body>y", last=True)
    assert heads.get(b"/") == b"<title>x</title><body>"
    assert scanned(b"<frameset>")[1] == NOWHERE


# the memory they share with enforcement


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 40))))
def test_a_memory_never_gives_what_was_not_put_under_the_key(
    puts: list[tuple[int, int]],
) -> None:
    """It may forget, and it never mixes up; it holds at most twice its entries."""
    memory: Memory[int, str] = Memory(4, 100)
    last: dict[int, str] = {}
    for key, size in puts:
        value = f"{key}:{size}"
        memory.put(key, value, size)
        last[key] = value
        assert memory.get(key) == value
        assert len(memory._young) + len(memory._old) <= 8
    for key, value in last.items():
        assert memory.get(key) in (value, None)
    assert memory.get(99) is None


def test_what_is_asked_for_stays() -> None:
    """A look-up moves an entry to the young generation, so it outlives the others."""
    memory: Memory[str, int] = Memory(2, 100)
    memory.put("kept", 1, 1)
    for other in range(20):
        memory.put(f"other {other}", other, 1)
        assert memory.get("kept") == 1
    assert memory.get("other 0") is None


def test_large_things_make_room_for_themselves() -> None:
    """The sizes are bounded as well as the count."""
    memory: Memory[str, int] = Memory(100, 10)
    for at, name in enumerate("abc"):
        memory.put(name, at, 9)
    assert memory.get("a") is None
    assert memory.get("c") == 2


def test_a_memory_can_be_cleared() -> None:
    """Both generations go."""
    memory: Memory[str, int] = Memory(1, 100)
    memory.put("a", 1, 1)
    memory.put("b", 2, 1)
    assert (memory.get("a"), memory.get("b")) == (1, 2)
    memory.clear()
    assert (memory.get("a"), memory.get("b")) == (None, None)


# the gate and the notice together

TESTDATA = Path(__file__).parents[2] / "shared" / "testdata"


@pytest.fixture(scope="module")
def documents() -> list[bytes]:
    """Full documents, most of them malformed on purpose."""
    path = TESTDATA / "html5lib_cases.dev.json"
    if not path.exists():
        pytest.skip("../shared/testdata is not there: the html5lib documents stand in it")
    cases = json.loads(path.read_text("utf-8"))
    return [case["data"].encode("utf-8", "surrogatepass") for case in cases if not case["fragment"]]


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.uncounted
def test_the_gate_keeps_the_place_of_the_notice(documents: list[bytes], pieces: int) -> None:
    """What the gate holds back for a moment never ends up behind the notice."""
    rules = policy(undeclared="report", guard=True)
    for page in documents:
        start = BodyStart(may_close=True)
        at = start.feed(page, last=True)
        edit = edit_of(rules, standing(rules))
        size = len(page) // pieces + 1
        chunks = [page[n : n + size] for n in range(0, len(page), size)] or [b""]
        sent = [edit.feed(c, last=n == len(chunks) - 1) or b"" for n, c in enumerate(chunks)]
        body = b"".join(sent)
        if at == NOWHERE or at is None:
            assert body == page
            continue
        begin = body.index(b'<link rel="stylesheet" href="/consent/assets/consent.')
        end = body.index(b"</section>", begin) + len(b"</section>")
        scripts = b'<script src="/consent/assets/guard.'
        head = re.sub(re.escape(scripts) + b"[^>]*></script>", b"", body[:begin])
        assert head == page[:at] + start.closing
        assert body[end:] == page[at:]


# pages that are known


def test_a_page_that_is_the_same_is_not_read_again() -> None:
    """DESIGN §8: it is put together from what is remembered, and is the same page."""
    rules = policy()
    made = pages_of(rules)
    who = standing(rules)
    first, again, other = (
        made.edit(who, REQUEST, b"/", "", in_a_tab=True, nonce=nonce)
        for nonce in (b"", b"", b"n0nce")
    )
    body = first.feed(PAGE, last=True)
    assert again.feed(PAGE, last=True) == body
    assert again._beginning == b""  # nothing read it
    assert first._beginning == PAGE
    assert (again.grown, again.depends, again.was_asked) == (first.grown, True, True)
    assert b' nonce="n0nce"' in (other.feed(PAGE, last=True) or b"")
    changed = made.edit(who, REQUEST, b"/", "", in_a_tab=True)
    assert changed.feed(PAGE + b" ", last=True) == (body or b"") + b" "


def test_a_known_page_is_not_mixed_up_with_another_visitors() -> None:
    """R-88: who gets another variant, or comes by another name, gets a page of their own."""
    rules = policy(
        services={"atlas": {"purpose": "measurement", "provider": "A", "hosts": ["a.example"]}}
    )
    made = pages_of(rules)
    page = b"<title>x</title><body><img src=//a.example/1><img src=//www.example.org/2>"
    granted = Consent({"measurement": Given(granted=True, revision=1, time=int(NOW))})

    def sent(consent: Consent, host: bytes, *, in_a_tab: bool = True) -> bytes:
        request = {**REQUEST, b"host": host}
        if not in_a_tab:
            request[b"sec-fetch-dest"] = b"iframe"
        edit = made.edit(standing(rules, consent), request, b"/", "", in_a_tab=in_a_tab)
        return edit.feed(page, last=True) or b""

    for _ in range(2):
        asked = sent(NOBODY_YET, b"www.example.org")
        assert asked.count(b"data-consentkit-src") == 1
        assert sent(granted, b"www.example.org").count(b"data-consentkit-src") == 0
        assert sent(NOBODY_YET, b"elsewhere.example").count(b"data-consentkit-src") == 2
        framed = sent(NOBODY_YET, b"www.example.org", in_a_tab=False)
        assert b"<section" not in framed
        assert framed.count(b"data-consentkit-src") == 1


def test_long_pages_are_not_kept() -> None:
    """DESIGN §9, bounded everything."""
    rules = policy()
    made = pages_of(rules)
    who = standing(rules)
    long = PAGE + b"x" * LONGEST_KNOWN
    for _ in range(2):
        edit = made.edit(who, REQUEST, b"/", "", in_a_tab=True)
        assert edit.feed(long, last=True)
        assert "_gate" not in vars(edit)  # it was let go of
        assert made.known(edit._key, long) is None
    made.edit(who, REQUEST, b"/", "", in_a_tab=True).feed(PAGE, last=True)
    assert made.known(edit._key, PAGE) is not None


# where relative addresses lead elsewhere


@pytest.mark.parametrize("visits", [1, 2])
def test_the_notice_of_a_page_with_a_foreign_base_leads_back_to_the_site(visits: int) -> None:
    """HTML 4.2.3: addresses without a host, ours too, would lead to the base's host."""
    made = pages(undeclared="report")
    base = b'<title>x</title><base href="https://cdn.example/"><body>'
    frame = b'<iframe src="https://other.example/a"></iframe>'
    for _ in range(visits):
        edit = made.edit(
            standing(policy()), {**REQUEST, b"host": b"www.example.org"}, b"/", "", in_a_tab=True
        )
        body = edit.feed(base + frame, last=True) or b""
    assert b'action="//www.example.org/consent"' in body
    assert b'href="//www.example.org/consent/assets/' in body
    plain = made.edit(
        standing(policy()), {**REQUEST, b"host": b"www.example.org"}, b"/p", "", in_a_tab=True
    )
    assert b'action="/consent"' in (plain.feed(b"<base href=/a/><body>", last=True) or b"")
    strange = made.edit(
        standing(policy()), {**REQUEST, b"host": b'"><b>'}, b"/q", "", in_a_tab=True
    )
    assert b'action="/consent"' in (strange.feed(base, last=False) or b"")


def test_placeholders_below_a_foreign_base_lead_back_too() -> None:
    """A document in `srcdoc` has the base of the page around it."""
    edit = pages().edit(
        standing(policy()), {**REQUEST, b"host": b"www.example.org"}, b"/", "", in_a_tab=True
    )
    page = b'<base href="https://cdn.example/"><body><iframe src="https://v.example/a"></iframe><p>'
    body = edit.feed(page, last=True) or b""
    assert b"//www.example.org/consent/assets/embed." in body
    assert b"'/consent/assets/embed." not in body


def test_a_policy_in_a_meta_element_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """R-55: it counts beside the header's, and nobody tightens it."""
    page = b"<meta http-equiv=Content-Security-Policy content=\"default-src 'self'\"><body>"
    for csp, told in (("off", 0), ("report", 0), ("enforce", 1)):
        caplog.clear()
        made = pages(csp=csp)
        for number in range(2):
            edit = made.edit(standing(policy()), REQUEST, b"/%d" % number, "", in_a_tab=True)
            edit.feed(page, last=True)
        assert len([r for r in caplog.records if "<meta>" in r.getMessage()]) == told
