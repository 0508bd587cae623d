"""What an attacker tried, and what must come of it.

Each rule here was once broken by a request, a header or an app that means harm, or means well and
is read otherwise by a browser than by us. Chromium 156 was asked what it stores.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from consentkit.enforcement import MOST_TOLD, Enforcement
from consentkit.middleware import MOST_POLICIES
from consentkit.notice.text import choose_language
from consentkit.rules.consent import Consent, TokenFormat, latest
from consentkit.rules.signals import NO_SIGNALS
from consentkit.rulings import Rulings
from consentkit.testing import Browser
from consentkit.wire.headers import (
    accepted_languages,
    is_from_same_origin,
    is_private,
    keep_out_of_shared_caches,
)
from tests.apps import (
    KEY,
    NAVIGATION,
    NOW,
    PAGE,
    connect,
    consent,
    get,
    policy,
    run,
    says,
    scope_of,
)

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

pytestmark = pytest.mark.anyio

HTML = (b"content-type", b"text/html")
MEASURED = {
    "kind": "analytics",
    "purpose": "measurement",
    "duration": 86_400,
    "description": "Counts.",
}


def stores(*cookies: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Any:
    """An app that sets these cookies in a page."""
    return says(PAGE, headers=[HTML, *headers, *((b"set-cookie", each) for each in cookies)])


def token(*granted: str, refused: tuple[str, ...] = (), at: float = NOW, key: str = KEY) -> str:
    """The value of a consent token, signed with `key`."""
    answers = Consent().grant(granted, 1, at, NO_SIGNALS).refuse(refused, 1, at)
    return TokenFormat([key], "consent").sign_given(answers.given)


# What only looks like a removal, or like a short life


@pytest.mark.parametrize(
    "tail",
    [
        b"Max-Age=0; Max-Age=abc",
        b"Max-Age=0; Max-Age=+60",
        b"Max-Age=0; Max-Age=",
        b"Max-Age=0; Max-Age",
        b"Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=soon",
        b"Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=",
    ],
)
async def test_what_chromium_stores_is_no_removal(tail: bytes) -> None:
    """DESIGN 2: nothing undeclared ever leaves. By the draft these expire; Chromium keeps them."""
    app = consent(stores(b"visits=1; " + tail, b"visits=; Max-Age=0; Expires=0"))
    assert (await get(app, "/")).set_cookies == (b"visits=; Max-Age=0; Expires=0",)


@pytest.mark.parametrize(
    "tail",
    [
        b"; Max-Age=+34560000",
        b"; Max-Age=60; Max-Age=+34560000",
        b"; Expires=Thu, 01 Jan 99999 00:00:00 GMT",
    ],
)
async def test_no_lifetime_is_longer_in_a_browser_than_declared(tail: bytes) -> None:
    """R-23, R-24: session stays session, and a day stays a day, however oddly it is written."""
    app = consent(stores(b"sid=1" + tail, b"visits=1" + tail))
    cookie = f"__Host-consent={token('measurement')}"
    sid, visits = (await get(app, "/", {"cookie": cookie})).set_cookies
    assert sid == b"sid=1"
    assert re.fullmatch(rb"visits=1(; Max-Age=[0-9]{1,5})?", visits)


# Doors


async def test_trailers_store_nothing() -> None:
    """RFC 9110 6.5.1: Set-Cookie has no place in trailers; other fields stay."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {"type": "http.response.start", "status": 200, "headers": []}
        await send({**start, "trailers": True})
        await send({"type": "http.response.body", "body": b""})
        trailers = [(b"Set-Cookie", b"visits=1"), (b"x-sum", b"1")]
        await send({"type": "http.response.trailers", "headers": trailers})

    held = await get(consent(app), "/")
    assert held.messages[-1]["headers"] == [(b"x-sum", b"1")]
    refuge = await get(consent(app), "/", [(b"cookie", 5)])  # type: ignore[list-item]
    assert refuge.messages[-1]["headers"] == [(b"x-sum", b"1")]
    free = await get(consent(app, report_only=True), "/")
    assert len(free.messages[-1]["headers"]) == 2


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
async def test_an_unsafe_request_keeps_its_preconditions(method: str) -> None:
    """RFC 9110 13.1: If-Match guards against a lost update; Java's client accepts text/html."""
    seen: list[set[bytes]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append({name for name, _ in scope["headers"]})
        await says(b"")(scope, receive, send)

    asked = {"if-match": '"1"', "if-none-match": "*", "accept-encoding": "gzip", "host": "a"}
    headers = {"accept": "text/html, image/gif, */*; q=.2", **asked}
    await run(consent(app), scope_of("/document", headers, method))
    await run(consent(app), scope_of("/document", headers, "GET"))
    assert seen == [{b"accept", b"if-match", b"if-none-match", b"host"}, {b"accept", b"host"}]


# Caches


TARGETED = (b"CDN-Cache-Control", b"surrogate-control", b"x-accel-expires")


@pytest.mark.parametrize("name", TARGETED)
async def test_no_network_keeps_a_page_that_depends_on_the_visitor(name: bytes) -> None:
    """R-88, RFC 9213: a targeted field beats Cache-Control, and would hand on a visitor's token."""
    headers = [HTML, (name, b"max-age=600"), (b"cache-control", b"no-store")]
    app = consent(says(PAGE, headers=headers), policy(mode="implied"))
    page = await get(app, "/", {**NAVIGATION, "cookie": "visits=1"})
    assert page.set_cookies
    assert page.all(name.lower()) == ()
    plain = consent(says(b"{}", headers=[(name, b"max-age=600")]))
    assert (await get(plain, "/")).all(name.lower()) == (b"max-age=600",)


@pytest.mark.parametrize(
    "header",
    [
        (b"expires", b"Fri, 01 Jan 2038 00:00:00 GMT"),
        (b"cache-control", b'private="x-name", max-age=60'),
        *((name, b"max-age=60") for name in TARGETED),
    ],
)
async def test_no_shared_cache_keeps_a_cookie(header: tuple[bytes, bytes]) -> None:
    """R-88: Set-Cookie does not keep a cache from storing; a qualified private is none."""
    app = says(b"x", headers=[header, (b"set-cookie", b"sid=1")])
    answer = await get(consent(app), "/")
    assert is_private(answer.start["headers"])
    assert answer.set_cookies == (b"sid=1",)
    blocked = await get(consent(says(b"x", headers=[header, (b"set-cookie", b"x=1")])), "/")
    assert blocked.start["headers"] == [header]


def test_private_is_not_private_where_a_network_is_told_otherwise() -> None:
    """RFC 9213 2.2: who knows the targeted field does not look at Cache-Control."""
    told = [(b"Surrogate-Control", b"max-age=60"), (b"cache-control", b"private")]
    assert not is_private(told)
    assert is_private(told[1:])
    no_store = [told[0], (b"cache-control", b"no-store")]
    assert keep_out_of_shared_caches(no_store) == no_store[1:]


# Tokens


@pytest.mark.parametrize(
    "forged",
    [
        token("measurement", key="another secret of thirty-two bytes and more"),
        token("measurement")[:-1],
        token("measurement").replace(".", "..", 1),
        token("measurement", at=NOW + 3600),
        TokenFormat([KEY], "other").sign_given(
            Consent().grant(["measurement"], 1, NOW, NO_SIGNALS).given
        ),
    ],
)
@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
async def test_a_token_of_another_secret_site_or_time_allows_nothing(
    forged: str, mode: str
) -> None:
    """DESIGN 5: forged, foreign, broken; the genuine one is the control."""
    app = consent(stores(b"visits=1"), policy(mode=mode))
    assert (await get(app, "/", {"cookie": f"__Host-consent={forged}"})).set_cookies == ()
    genuine = f"__Host-consent={token('measurement')}"
    assert (await get(app, "/", {"cookie": genuine})).set_cookies == (b"visits=1",)


async def test_an_old_grant_that_is_tossed_in_does_not_undo_a_refusal() -> None:
    """R-16: browsers send the cookie with the longer path, or the older one, first."""
    app = consent(stores(b"visits=1"), secure=False)
    old = f"consent={token('measurement', at=NOW - 86_400)}"
    new = f"consent={token(refused=('measurement',))}"
    for cookie in (f"{old}; {new}", f"{new}; {old}"):
        assert (await get(app, "/", {"cookie": cookie})).set_cookies == ()
    assert (await get(app, "/", {"cookie": old})).set_cookies == (b"visits=1",)


def test_of_two_tokens_the_later_answer_counts_and_on_one_day_the_refusal() -> None:
    """R-20: a refusal knows its day alone, so what came later on that day cannot be told."""
    grant = Consent().grant(["a", "b"], 1, NOW, NO_SIGNALS).given
    refusal = Consent().refuse(["a"], 1, NOW).given
    later = Consent().grant(["a"], 1, NOW + 2 * 86_400, NO_SIGNALS).given
    for tokens in ([grant, refusal], [refusal, grant]):
        merged = latest(tokens)
        assert merged is not None
        assert [merged["a"].granted, merged["b"].granted] == [False, True]
    assert latest([refusal, later]) == later
    assert latest([]) is None
    assert latest([grant]) is grant


# Who may post an answer, and where it leads


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"referer": "https://a/"},
        {"origin": "null"},
        {"origin": "https://evil"},
        {"origin": "https://a.evil"},
        {"origin": "https://evil/a"},
        {"origin": "a"},
        {"origin": "https://a", "sec-fetch-site": "cross-site"},
        {"origin": "https://a", "sec-fetch-site": "same-site"},
        {"origin": "https://a", "sec-fetch-site": ""},
        {"sec-fetch-site": "Same-Origin"},
    ],
)
async def test_no_other_site_posts_an_answer(headers: dict[str, str]) -> None:
    """R-10: 403, and no cookie; the site's own page is the control."""
    app = consent(says(PAGE))
    foreign = await run(app, scope_of("/consent", {"host": "a", **headers}, "POST"), GRANT)
    assert (foreign.start["status"], foreign.set_cookies) == (403, ())
    own = {"host": "a", "origin": "https://A"}
    answer = await run(app, scope_of("/consent", own, "POST"), GRANT)
    assert answer.start["status"] == 303
    assert len(answer.set_cookies) == 1
    got = await get(app, "/consent", own, query_string=GRANT)
    assert (got.start["status"], got.set_cookies) == (200, ())


GRANT = b"choice=accept-all"


def test_an_origin_without_a_host_is_nobody() -> None:
    """A request without Host must not fit an Origin without one."""
    assert not is_from_same_origin({b"origin": b"https://"})
    assert is_from_same_origin({b"origin": b"https://a", b"host": b"a"})


@pytest.mark.parametrize(
    "there",
    [
        "//evil",
        "/\\evil",
        "https://evil",
        "/a\r\nx: y",
        "\t//evil",
        "/\t/evil",
        "/\u00e9",
        "evil",
        "",
    ],
)
async def test_no_answer_leads_to_another_site(there: str) -> None:
    """DESIGN 9: no open redirect, and no header of a client's making."""
    app = consent(says(PAGE))
    own = {"host": "a", "origin": "https://a"}
    for asked, leads in (
        (there, b"/consent#consentkit"),
        (f"{there}#/", b"/consent#consentkit"),
        ("/news?a=1", b"/news?a=1#consentkit"),
    ):
        body = urlencode({"choice": "reject-all", "next": asked}).encode()
        answer = await run(app, scope_of("/consent", own, "POST"), body)
        assert answer.all(b"location") == (leads,)


# What one visitor learns of another


async def test_the_address_of_one_visitor_never_reaches_another() -> None:
    """GDPR 5(1)(f): a cookie without Path takes its page's, which may hold a secret."""
    app = consent(stores(b"visits=1", b"visits=1; Path=/shop"))
    alice, bob = Browser(app), Browser(app)
    await alice.submit("/consent", choice="accept-all")
    assert len((await alice.visit("/reset/secret-of-alice/new")).set_cookies) == 2
    await bob.submit("/consent", choice="accept-all")
    removals = (await bob.submit("/consent", choice="withdraw")).set_cookies
    assert any(b"Path=/shop;" in value for value in removals)
    assert not any(b"alice" in value for value in removals)


# Floods


def test_one_long_language_tag_takes_no_time() -> None:
    """DESIGN 9: bounded everything. Cutting 64 KB piece by piece took a third of a second."""
    begun = time.thread_time()  # of which nobody else on this machine takes any
    wanted = accepted_languages(b"a-" * 32_000 + b"a, de-AT;q=0.5")
    assert choose_language(("en", "de"), wanted) == "de"
    assert time.thread_time() - begun < 0.1


def test_of_a_flood_of_names_only_some_are_told_and_all_are_hidden() -> None:
    """One request must not write a thousand lines into a log."""
    rules = policy(cookies={"_ga_*": MEASURED})
    enforcement = Enforcement(rules, [KEY], secure=True, clock=lambda: NOW)
    reading = enforcement.read((b";".join(b"_ga_%d=1" % n for n in range(1000)),), NO_SIGNALS)
    assert reading.lines == ()
    assert len(reading.stale) == len(reading.hidden) == 64
    assert len(reading.hidden) == MOST_TOLD


def test_long_names_are_not_remembered_for_strangers() -> None:
    """Names are shared by all who answered alike, so few bytes are kept of each."""
    enforcement = Enforcement(policy(), [KEY], secure=True, clock=lambda: NOW)
    names = [b"x" * length for length in (Rulings.LONGEST_NAME, Rulings.LONGEST_NAME + 1)]
    reading = enforcement.read((b"; ".join(name + b"=1" for name in names),), NO_SIGNALS)
    assert names[0] in reading.rulings._read
    assert names[1] not in reading.rulings._read


async def test_a_callable_that_makes_a_policy_each_time_fills_no_memory() -> None:
    """It is slow, and it must not be a leak."""
    one = policy()
    app = consent(stores(b"visits=1", b"sid=1"), lambda scope: one.model_copy())  # type: ignore[arg-type]
    for _ in range(MOST_POLICIES + 3):
        assert (await get(app, "/json")).set_cookies == (b"sid=1",)
    assert 0 < len(app._made_ready) <= MOST_POLICIES


# Markup


async def test_no_address_breaks_out_of_the_notice() -> None:
    """DESIGN 9: an address stands escaped in the page, and leads back only to this site."""
    raw = b'//evil.example/"><script>alert(1)</script>'
    page = await get(consent(says(PAGE)), "//evil.example/", NAVIGATION, raw_path=raw)
    assert b"<script>" not in page.body
    assert page.body.count(b"<script") == page.body.count(b'<script id="consentkit-script"') == 1
    assert b'value="//evil.example/&quot;&gt;&lt;script' in page.body
    assert b"<form" in page.body


async def test_a_websocket_sets_and_sees_no_more_than_a_page() -> None:
    """DESIGN 1: every door; several Cookie lines are read as one."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"Set-Cookie", b"visits=1"), (b"set-cookie", b"sid=1")]
        await send({"type": "websocket.accept", "headers": headers})

    cookies = [(b"cookie", b"sid=1; visits=2"), (b"cookie", b'visits="3; sid=4"')]
    outcome = await connect(consent(app), "/", cookies)
    assert outcome.set_cookies == (b"sid=1",)
    seen = [value for name, value in outcome.scope["headers"] if name == b"cookie"]
    assert seen == [b"sid=1", b'sid=4"']
