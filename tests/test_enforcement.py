"""The keystone, held to its word: nothing undeclared ever leaves."""

import logging
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from consentkit.enforcement import (
    MOST_OCTETS,
    Enforcement,
    Filtered,
    Reading,
    filter_headers,
    only_strictly_necessary,
)
from consentkit.events import Asked, Event, EventLog, span_in_words
from consentkit.notice.chapters import token_cookies
from consentkit.rules.consent import Answer, Consent, Given, Seen
from consentkit.rules.decision import STORE, Decision, Occasion, Reason, decide, duration_of
from consentkit.rules.policy import DAY, LONGEST, Kind, Policy, parse_duration
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.rulings import Rulings, Variant, text_of
from consentkit.testing import strategies
from consentkit.wire.cookies import (
    parse_attributes,
    parse_set_cookie,
    set_cookie_name,
)
from consentkit.wire.headers import (
    HeaderList,
    is_private,
    is_set_cookie,
    keep_out_of_shared_caches,
    kept_out_where_cacheable,
)

NOW = 1_800_000_000.0
AGAIN = 100 * DAY
SECRET = "a secret of thirty-two bytes or more"
GPC = frozenset({Signal.GPC})
VOTE = Occasion(vote=True)
STRICTNESS = {"none": 0, None: 1, "lax": 2, "strict": 3}
NOTHING: frozenset[bytes] = frozenset()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def cookie(purpose: str | list[str] = "analytics", kind: str = "persistent", **more: Any) -> Any:
    return {"kind": kind, "purpose": purpose, "description": "C", **more}


def policy(cookies: dict[str, Any] | None = None, **changes: Any) -> Policy:
    words = {"title": "A", "description": "B"}
    whole: dict[str, Any] = {
        "site": {"name": "A site", "controller": "Its owner"},
        "mode": "explicit",
        "ask_again_after": AGAIN,
        "purposes": {
            "necessary": {**words, "basis": "strictly-necessary"},
            "analytics": words,
            "polls": words,
        },
        "cookies": {
            "sid": cookie("necessary", "session"),
            "_ga": cookie(kind="analytics", duration=395 * DAY),
            "Poll-{id}": cookie("polls", "poll-timeout"),
        }
        if cookies is None
        else cookies,
    }
    return Policy.model_validate({**whole, **changes})


def ready(some: Policy | None = None, clock: Clock | None = None) -> Enforcement:
    return Enforcement(some or policy(), [SECRET], secure=True, clock=clock or Clock())


def rulings(some: Policy, answer: Answer = Answer.GRANTED) -> Rulings:
    return Rulings(some, tuple(answer for _ in some.questions), ready(some).tokens)


def filtered(
    some: Policy,
    *set_cookies: bytes,
    answer: Answer = Answer.GRANTED,
    occasion: Occasion = STORE,
    arrived: frozenset[bytes] = NOTHING,
) -> Filtered:
    headers = [(b"set-cookie", value) for value in set_cookies]
    return filter_headers(headers, rulings(some, answer), occasion, arrived, NOW)


def sent(some: Policy, *set_cookies: bytes, **how: Any) -> list[bytes]:
    return [value for _, value in filtered(some, *set_cookies, **how).headers]


# Nothing undeclared ever leaves

NAMES = ["sid", "_ga", "_ga_*", "pref", "Poll-{id}", "big", "__Host-x", "é"]
SET = [b"sid", b"_ga", b"_ga_1", b"pref", b"Poll-7", b"big", b"bigC1", b"__Host-x", "é".encode()]
STRANGE = [b"", b"SID", b"_g", b"__Host-consent", b"__Host-consent-seen", b"\xff", b"Poll-", b"x"]
PURPOSES = ["necessary", "analytics", "polls"]

attributes = st.fixed_dictionaries(
    {},
    optional={
        "secure": st.booleans(),
        "http_only": st.booleans(),
        "same_site": st.sampled_from([None, "none", "lax", "strict"]),
        "partitioned": st.booleans(),
    },
)
declared_cookies = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(Kind),
        "purpose": st.lists(st.sampled_from(PURPOSES), min_size=1, unique=True),
        "description": st.just("C"),
    },
    optional={
        "duration": st.integers(1, 2 * LONGEST),
        "attributes": attributes,
        "renew": st.booleans(),
    },
)


def with_chunks(cookies: dict[str, Any]) -> dict[str, Any]:
    return {name: {**each, "chunked": name == "big"} for name, each in cookies.items()}


policies = st.builds(
    policy,
    st.dictionaries(st.sampled_from(NAMES), declared_cookies).map(with_chunks),
    mode=st.sampled_from(["explicit", "implied", "opt-out"]),
    undeclared=st.sampled_from(["block", "hide"]),
)
header_names = st.sampled_from([b"set-cookie", b"Set-Cookie", b"SET-COOKIE"])
others = st.sampled_from(
    [(b"content-type", b"text/html"), (b"x-set-cookie", b"a=1"), (b"set-cookie2", b"b=1")]
)
header_lists = st.lists(
    st.tuples(header_names, strategies.set_cookies(SET + STRANGE)) | others, max_size=8
)
occasions = st.builds(Occasion, vote=st.booleans(), speculative=st.booleans())
arrivals = st.frozensets(st.sampled_from(SET))
everything = {
    "some": policies,
    "headers": header_lists,
    "answer": st.sampled_from(Answer),
    "occasion": occasions,
    "arrived": arrivals,
}


@given(**everything)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_leaves_is_a_removal_or_was_allowed_and_is_as_declared(
    some: Policy,
    headers: HeaderList,
    answer: Answer,
    occasion: Occasion,
    arrived: frozenset[bytes],
) -> None:
    """R-01, R-26: over generated policies, answers and headers, read back as a browser does.

    Nothing undeclared, nothing refused, nothing that lives longer or is weaker than declared.
    """
    held = rulings(some, answer)
    for _ in range(2):  # the second time from memory
        result = filter_headers(headers, held, occasion, arrived, NOW)
        for name, raw in result.headers:
            if name.lower() != b"set-cookie":
                continue
            found = parse_attributes(raw.partition(b";")[2])
            if not found.is_removal(NOW):
                assert_as_declared(some, raw, held, occasion, arrived)


def assert_as_declared(
    some: Policy, raw: bytes, held: Rulings, occasion: Occasion, arrived: frozenset[bytes]
) -> None:
    name, found = set_cookie_name(raw), parse_attributes(raw.partition(b";")[2])
    declared = some.declaration_of(text_of(name))
    assert declared is not None
    assert name not in ready(some).tokens
    again = Occasion(vote=occasion.vote, speculative=occasion.speculative, arrived=name in arrived)
    assert decide(some, declared, held.answers, again).allowed
    lifetime, longest = found.lifetime(NOW), duration_of(declared, found.lifetime(NOW))
    assert lifetime == longest
    wanted = declared.attributes
    assert found.secure >= wanted.secure
    assert found.http_only >= wanted.http_only
    assert found.partitioned >= wanted.partitioned
    assert STRICTNESS[found.same_site] >= STRICTNESS[wanted.same_site or "none"]


def numbered(value: bytes, place: int) -> bytes:
    """The Set-Cookie with its place in its value, so that no two are alike."""
    pair, semicolon, tail = value.partition(b";")
    return b"%b%d%b%b" % (pair, place, semicolon, tail)


@given(**everything)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_leaves_stands_in_its_order_and_is_never_weaker_than_the_app_wrote(
    some: Policy,
    headers: HeaderList,
    answer: Answer,
    occasion: Occasion,
    arrived: frozenset[bytes],
) -> None:
    """AC-09, AP-02: other headers are untouched; attributes are raised, never lowered."""
    headers = [(name, numbered(value, place)) for place, (name, value) in enumerate(headers)]
    kept = filter_headers(headers, rulings(some, answer), occasion, arrived, NOW).headers
    plain = [header for header in headers if header[0].lower() != b"set-cookie"]
    assert [header for header in kept if header[0].lower() != b"set-cookie"] == plain
    rest = iter(headers)
    for name, value in kept:
        pair = value.partition(b";")[0]
        original = next(
            v for n, v in rest if n.lower() == name.lower() and v.partition(b";")[0] == pair
        )
        before = parse_attributes(original.partition(b";")[2])
        after = parse_attributes(value.partition(b";")[2])
        assert (after.path, after.domain) == (before.path, before.domain)
        assert after.secure >= before.secure
        assert after.http_only >= before.http_only
        assert after.partitioned >= before.partitioned
        if before.same_site is not None:
            assert STRICTNESS[after.same_site] >= STRICTNESS[before.same_site]


@given(st.lists(st.sampled_from([b"sid=1", b"sid=2; Path=/", b'_ga="x; Max-Age=60 ;secure'])))
def test_what_is_allowed_and_conforms_passes_byte_for_byte(values: list[bytes]) -> None:
    """DESIGN 3: and as the very same object, so that the server sends what the app wrote."""
    headers = [(b"Set-Cookie", value) for value in values]
    result = filter_headers(headers, rulings(policy()), STORE, NOTHING, NOW)
    assert result.headers == headers
    assert all(new is old for new, old in zip(result.headers, headers, strict=True))
    assert result.events == []


def test_a_removal_is_never_blocked() -> None:
    """AC-17: a Set-Cookie that expires a cookie stores nothing, so it passes whatever its name."""
    removals = [
        b"stranger=; Max-Age=0",
        b"_ga=gone; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        b"__Host-consent=; Max-Age=-1; Secure; Path=/",
    ]
    for answer in Answer:
        assert sent(policy(), *removals, answer=answer) == removals
    assert sent(policy(), b"stranger=", b"__Host-consent=1", answer=Answer.GRANTED) == []


def test_nobody_but_consentkit_sets_its_tokens() -> None:
    """An app that could write the token could write consent; `undeclared: report` or not."""
    loose = policy(undeclared="report")
    assert sent(loose, b"__Host-consent=1", b"__Host-consent-seen=1", b"stranger=1") == [
        b"stranger=1"
    ]


@pytest.mark.parametrize(("level", "passes"), [("report", 1), ("block", 0), ("hide", 0)])
def test_an_undeclared_cookie_is_reported_or_dropped(level: str, passes: int) -> None:
    """R-26: kept and reported in report level, else dropped; an event either way."""
    result = filtered(policy(undeclared=level), b"stranger=1; Path=/")
    assert len(result.headers) == passes
    acts = [(event.act, event.name) for event in result.events]
    assert acts == [("undeclared" if passes else "blocked", "stranger")]


@pytest.mark.parametrize("level", ["report", "block", "hide"])
@pytest.mark.parametrize(
    ("tail", "asked"),
    [
        (b"", Asked(None, http_only=False)),
        (b"; Path=/; HttpOnly", Asked(None, http_only=True)),
        (b"; Max-Age=63072000; httponly", Asked(63_072_000, http_only=True)),
        (b"; Expires=Fri, 15 Jan 2027 08:01:40 GMT", Asked(100, http_only=False)),
        (b"; Max-Age=60; Expires=Fri, 15 Jan 2027 08:01:40 GMT", Asked(60, http_only=False)),
        (b"; Max-Age=soon", Asked(None, http_only=False)),
        (b"; Max-Age=0; Max-Age=x1", Asked(0, http_only=False)),  # no removal everywhere
    ],
)
def test_the_event_of_an_undeclared_cookie_says_what_the_app_asked(
    level: str, tail: bytes, asked: Asked
) -> None:
    """R-26: whoever declares it has to say how long it lives; the app knows, and is heard."""
    (event,) = filtered(policy(undeclared=level), b"stranger=hush" + tail).events
    assert (event.why, event.asked) == ("not declared", asked)
    told = filtered(policy(), b"_ga=1" + tail, b"sid=1; Max-Age=60", answer=Answer.REFUSED).events
    assert [each.asked for each in told] == [None, None]  # those are declared


def test_what_was_asked_is_remembered_with_what_was_decided() -> None:
    """The same Set-Cookie costs a look-up the second time; a date asks for less each second."""
    some = rulings(policy())
    for tail, is_remembered in (
        (b" Max-Age=60", True),
        (b" Expires=Fri, 15 Jan 2027 08:01:40", False),
    ):
        for later in (0, 10):
            passage = some.passage(b"stranger", tail, STORE, NOTHING, NOW + later)
            assert passage.event is not None
            seconds = 60 if is_remembered else 100 - later
            assert passage.event.asked == Asked(seconds, http_only=False)
        assert ((b"stranger", tail) in some.passages) is is_remembered


@given(st.integers(0, 999_999 * DAY))
@example(0)
@example(DAY - 1)
@example(4000)
@example(63_071_999)
def test_a_span_in_words_can_be_a_duration_and_is_hardly_longer(seconds: int) -> None:
    """It may stand in a policy as it is, and then cuts nothing off what the app asks for."""
    said = parse_duration(span_in_words(seconds))
    assert seconds <= said
    assert 200 * said <= 201 * seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (5400, "90 minutes"),
        (90_000, "25 hours"),
        (DAY, "1 day"),
        (63_071_999, "730 days"),
    ],
)
def test_a_span_is_said_in_the_largest_unit_that_tells_it(seconds: int, words: str) -> None:
    """A reader knows what 730 days are, and not what 63071999 seconds are."""
    assert span_in_words(seconds) == words


def test_a_header_may_come_as_anything_like_bytes() -> None:
    """Some frameworks hand over memoryviews; what they set is enforced all the same."""
    strange: Any = [
        (bytearray(b"Set-Cookie"), memoryview(b"sid=1")),
        (memoryview(b"Set-Cookie"), bytearray(b"stranger=1")),
    ]
    result = filter_headers(strange, rulings(policy()), STORE, NOTHING, NOW)
    assert result.headers == strange[:1]


# Kinds

GA = {"_ga": cookie(kind="analytics", duration=395 * DAY)}


@pytest.mark.parametrize(
    ("raw", "goes"),
    [
        (b"sid=1; Max-Age=60", b"sid=1"),
        (b"sid=1; Path=/; Expires=Fri, 01 Jan 2038 00:00:00 GMT; Secure", b"sid=1; Path=/; Secure"),
        (b"sid=1;max-age = 5;Path=/;MAX-AGE=6", b"sid=1;Path=/"),
        (b"sid=1; Max-Age=soon", b"sid=1; Max-Age=soon"),
    ],
)
def test_a_session_cookie_loses_its_lifetime(raw: bytes, goes: bytes) -> None:
    """R-23, R-31: a lifetime no browser reads makes no cookie last, so it may stand."""
    assert sent(policy(), raw) == [goes]
    assert parse_attributes(goes.partition(b";")[2]).lifetime(NOW) is None


@pytest.mark.parametrize(
    ("duration", "raw", "goes"),
    [
        (60, b"p=1; Max-Age=61; Path=/", b"p=1; Path=/; Max-Age=60"),
        (60, b"p=1; Max-Age=60", b"p=1; Max-Age=60"),
        (60, b"p=1; Max-Age=59", b"p=1; Max-Age=59"),
        (60, b"p=1", b"p=1"),
        (60, b"p=1; Expires=Fri, 01 Jan 2038 00:00:00 GMT", b"p=1; Max-Age=60"),
        (60, b"p=1; Max-Age=9; Expires=Fri, 01 Jan 2038 00:00:00 GMT", None),
        (None, b"p=1; Max-Age=99999999", b"p=1; Max-Age=34560000"),
        (2 * LONGEST, b"p=1; Max-Age=99999999", b"p=1; Max-Age=34560000"),
    ],
)
def test_a_persistent_cookie_lives_no_longer_than_declared(
    duration: int | None, raw: bytes, goes: bytes | None
) -> None:
    """R-24: the least of the app's, the declared, 400 days; Max-Age wins over Expires (R-23)."""
    some = policy({"p": cookie(duration=duration)})
    assert sent(some, raw) == [raw if goes is None else goes]


@pytest.mark.parametrize(
    ("raw", "goes"),
    [
        (b"Poll-7=1", b"Poll-7=1; Max-Age=86400"),
        (b"Poll-7=1; Max-Age=99999999", b"Poll-7=1; Max-Age=86400"),
        (b"Poll-7=1; Max-Age=60", b"Poll-7=1; Max-Age=60"),
        (b"Poll-7=1;", b"Poll-7=1; Max-Age=86400"),
    ],
)
def test_a_poll_cookie_is_set_by_the_vote_and_always_ends(raw: bytes, goes: bytes) -> None:
    """R-27: never on a page view; in the answer to the vote, unless its purpose is refused."""
    for answer in (Answer.UNDECIDED, Answer.IMPLIED, Answer.GRANTED):
        assert sent(policy(), raw, answer=answer, occasion=VOTE) == [goes]
        assert sent(policy(), raw, answer=answer) == []
    assert sent(policy(), raw, answer=Answer.REFUSED, occasion=VOTE) == []


def test_analytics_that_may_not_be_renewed_are_not_extended() -> None:
    """R-25: its expiry is fixed when it is first set; a visit that brings it sets it no more."""
    fixed = policy({"_ga": {**GA["_ga"], "renew": False}})
    here = frozenset({b"_ga"})
    raw = b"_ga=1; Max-Age=60"
    assert sent(fixed, raw) == [raw]
    assert sent(fixed, raw, arrived=here) == []
    assert sent(policy(GA), raw, arrived=here) == [raw]
    held = rulings(fixed)
    for arrived, count in ((NOTHING, 1), (here, 0), (NOTHING, 1), (here, 0)):  # not from memory
        result = filter_headers([(b"set-cookie", raw)], held, STORE, arrived, NOW)
        assert len(result.headers) == count


def test_a_page_fetched_ahead_stores_nothing_optional() -> None:
    """R-90: nobody went there yet; what is strictly necessary is set all the same."""
    ahead = Occasion(speculative=True)
    assert sent(policy(), b"sid=1", b"_ga=1", occasion=ahead) == [b"sid=1"]
    assert sent(policy(), b"sid=1", b"_ga=1") == [b"sid=1", b"_ga=1"]


@pytest.mark.parametrize(
    ("wanted", "raw", "goes"),
    [
        ({"secure": True}, b"p=1", b"p=1; Secure"),
        ({"secure": True, "http_only": True}, b"p=1; Path=/", b"p=1; Path=/; Secure; HttpOnly"),
        ({"secure": True, "partitioned": True}, b"p=1; secure", b"p=1; secure; Partitioned"),
        ({"same_site": "lax"}, b"p=1", b"p=1; SameSite=Lax"),
        ({"same_site": "lax"}, b"p=1; SameSite=None; Secure", b"p=1; Secure; SameSite=Lax"),
        ({"same_site": "lax"}, b"p=1; SameSite=Strict", b"p=1; SameSite=Strict"),
        ({"same_site": "strict"}, b"p=1; SameSite=Lax", b"p=1; SameSite=Strict"),
        ({"same_site": "none", "secure": True}, b"p=1", b"p=1; Secure; SameSite=None"),
        ({"same_site": "none"}, b"p=1; SameSite=Lax", b"p=1; SameSite=Lax"),
        ({"same_site": "none"}, b"p=1; SameSite=Strict", b"p=1; SameSite=Strict"),
        ({}, b"p=1; Secure; HttpOnly; SameSite=None", b"p=1; Secure; HttpOnly; SameSite=None"),
    ],
)
def test_attributes_are_raised_and_never_lowered(
    wanted: dict[str, Any], raw: bytes, goes: bytes
) -> None:
    """AP-01 to AP-09."""
    result = filtered(policy({"p": cookie(attributes=wanted)}), raw)
    assert [value for _, value in result.headers] == [goes]
    assert [event.act for event in result.events] == (["trimmed"] if goes != raw else [])


def test_the_event_says_what_was_trimmed() -> None:
    """A log line for people: what went and what came, never a value of the cookie."""
    event = filtered(policy(), b"sid=hush; Max-Age=60; Path=/").events[0]
    assert event == Event(
        "trimmed",
        "sid",
        "-Max-Age=60",
        Decision(True, Reason.STRICTLY_NECESSARY),  # noqa: FBT003
    )


def test_what_was_trimmed_is_told_in_printable_words() -> None:
    """An attribute with a line break in it writes no line of its own into the log."""
    (event,) = filtered(policy(), b"sid=1; Max-Age=60\r\nERROR \xff; Expires=\r\nERROR").events
    assert event.why == "-Expires, -Max-Age=60\\r\\nERROR \\xff"


def test_what_was_decided_for_one_name_says_nothing_of_another() -> None:
    """FZ-11: what is remembered is remembered by name and attributes, under these answers."""
    held = rulings(policy())
    for _ in range(2):
        headers = [(b"set-cookie", raw) for raw in (b"sid=1; Path=/", b"stranger=1; Path=/")]
        assert len(filter_headers(headers, held, STORE, NOTHING, NOW).headers) == 1
    assert sent(policy(), b"_ga=1", answer=Answer.REFUSED) == []
    assert sent(policy(), b"_ga=1", answer=Answer.GRANTED) == [b"_ga=1"]


# Caches: what a response with a cookie leaves to them, R-88

PUBLIC = (b"Cache-Control", b"public, max-age=60")


@pytest.mark.parametrize("raw", [b"sid=1", b"sid=1; Max-Age=5", b"sid=; Max-Age=0"])
def test_a_response_that_stores_is_never_left_to_shared_caches(raw: bytes) -> None:
    """R-88: Set-Cookie does not inhibit caching (RFC 9111 section 7.3); what sets none stays."""
    held = rulings(policy())
    for _ in range(2):
        result = filter_headers([PUBLIC, (b"set-cookie", raw)], held, STORE, NOTHING, NOW)
        assert is_private(result.headers)
        assert b"max-age=60, private" in dict(result.headers).values()
        blocked = filter_headers([PUBLIC, (b"set-cookie", b"x=1")], held, STORE, NOTHING, NOW)
        assert blocked.headers == [PUBLIC]
    private = [(b"cache-control", b"private"), (b"set-cookie", raw)]
    kept = filter_headers(private, held, STORE, NOTHING, NOW).headers
    assert kept[0] == private[0]


def test_a_private_response_is_left_as_it_is() -> None:
    """`no-store` says it all; one that says nothing gets the directives it is asked for."""
    no_store = [(b"Cache-Control", b"no-store")]
    assert keep_out_of_shared_caches(no_store, b"no-cache") is no_store
    assert keep_out_of_shared_caches([], b"no-cache") == [(b"cache-control", b"private, no-cache")]
    two = [PUBLIC, (b"x", b"y"), (b"cache-control", b"s-maxage=9")]
    assert keep_out_of_shared_caches(two) == [
        (b"x", b"y"),
        (b"cache-control", b"max-age=60, private"),
    ]
    assert kept_out_where_cacheable([(b"x", b"y")]) == [(b"x", b"y")]
    assert kept_out_where_cacheable(no_store) is no_store
    assert not is_private(two)
    of_a_network = [(b"Cache-Control", b"private"), (b"CDN-Cache-Control", b"max-age=60")]
    assert not is_private(of_a_network)
    assert kept_out_where_cacheable(of_a_network) == [(b"cache-control", b"private")]
    assert keep_out_of_shared_caches([*no_store, (b"Surrogate-Control", b"max-age=9")]) == no_store


# What came in


def tokens(enforcement: Enforcement, consent: Consent) -> bytes:
    """The Cookie header of a browser that holds this consent."""
    pairs = [value.partition(b";")[0] for value in enforcement.token_headers(Consent(), consent)]
    return b"; ".join(pairs)


def read(enforcement: Enforcement, *lines: bytes, on: frozenset[Signal] = NO_SIGNALS) -> Reading:
    return enforcement.read(lines, on)


def test_our_tokens_live_no_longer_than_a_preset_allows() -> None:
    """R-24: the strictest cap holds for what consentkit stores as for what the site does."""
    for preset, days in ((), 400), (("us-ca",), 400), (("us-ca", "fr"), 395):
        enforcement = ready(policy(preset=preset, ask_again_after=365 * 86_400))
        (given,) = enforcement.token_headers(Consent(), GRANTED)
        assert f"Max-Age={days * 86_400};".encode() in given
        (cookie,) = token_cookies(enforcement.policy, ["__Host-consent"])
        assert cookie.duration == days * 86_400


GRANTED = Consent().grant(["analytics", "polls"], 1, NOW, NO_SIGNALS)
REFUSED = Consent().refuse(["analytics", "polls"], 1, NOW)


def test_the_app_sees_the_cookies_it_may_see_as_they_came() -> None:
    """R-17: what is blocked is taken out; the rest is byte for byte what the browser sent."""
    enforcement = ready()
    cookies = b'sid="1" ; _ga=2;  stranger=3'
    refused = read(enforcement, tokens(enforcement, REFUSED) + b"; " + cookies)
    assert refused.lines is not None
    assert refused.lines[0].endswith(b'; sid="1"; stranger=3')
    assert refused.stale == (b"_ga",)
    assert [(event.act, event.name) for event in refused.hidden] == [("hidden", "_ga")]
    granted = read(enforcement, tokens(enforcement, GRANTED) + b"; " + cookies)
    assert granted.lines is None
    assert granted.stale == ()


def test_several_cookie_headers_are_read_as_one_jar() -> None:
    """R-81: HTTP/2 splits the header; a line of which nothing is left is left out."""
    enforcement = ready()
    reading = read(enforcement, b"_ga=1", b"sid=2", tokens(enforcement, REFUSED))
    assert reading.lines == (b"sid=2", tokens(enforcement, REFUSED))
    assert reading.before.given == REFUSED.given


def test_what_is_undeclared_is_hidden_only_where_the_policy_says_so() -> None:
    """DESIGN 3: and it is never expired: consentkit deletes only what the site declared."""
    for level, lines in (("block", None), ("report", None), ("hide", (b"sid=1",))):
        reading = read(ready(policy(undeclared=level)), b"sid=1; stranger=2")
        assert (reading.lines, reading.stale) == (lines, ())


def test_a_third_partys_cookie_is_hidden_and_never_ours_to_expire() -> None:
    """A removal from this host cannot reach another one's jar."""
    reading = read(ready(policy({"t": cookie(party="third")})), b"t=1")
    assert (reading.lines, reading.stale) == ((), ())
    assert [event.name for event in reading.hidden] == ["t"]


def test_the_first_token_that_verifies_counts() -> None:
    """DESIGN 5: the same name twice; a forged one in front does not lock anybody out."""
    enforcement = ready()
    good = tokens(enforcement, GRANTED)
    forged = b"__Host-consent=forged"
    assert read(enforcement, b"; ".join([forged, good])).before.given == GRANTED.given
    assert read(enforcement, good, tokens(enforcement, REFUSED)).before.given == REFUSED.given
    many = b"; ".join([forged] * 4)
    assert not read(enforcement, b"; ".join([many, good])).before.readable


@pytest.mark.parametrize(
    "value",
    [b"IAmATeapot", b"", b"\xff\xfe", b"eyJhIjpbXX0.x", b"a" * 4000, b'"quoted"', b"a=b=c"],
)
@pytest.mark.parametrize("mode", ["explicit", "implied", "opt-out"])
def test_a_token_that_does_not_verify_is_no_error_and_allows_nothing(
    mode: str, value: bytes
) -> None:
    """AC-08: forged, foreign, broken; refused under opt-out and implied, else undecided."""
    some = policy(mode=mode)
    reading = read(ready(some), b"__Host-consent=" + value)
    assert not reading.before.readable
    expected = Answer.UNDECIDED if mode == "explicit" else Answer.REFUSED
    assert set(reading.standing.answers) == {expected}
    assert not reading.rulings.may_read(b"_ga")
    assert reading.standing.open_purposes == ("analytics", "polls")
    broken_seen = read(ready(some), b"__Host-consent-seen=" + value)
    assert broken_seen.before == Consent()


def test_swapped_tokens_allow_nothing() -> None:
    """DESIGN 3: what happened by itself can never be handed in as an answer."""
    enforcement = ready(policy(mode="implied"))
    seen = Consent(seen=Seen(1, 1, int(NOW)))
    swapped = tokens(enforcement, seen).replace(b"-seen=", b"=")
    assert not read(enforcement, swapped).before.readable
    assert read(enforcement, tokens(enforcement, seen)).before.seen == seen.seen
    turned = tokens(enforcement, GRANTED).replace(b"consent=", b"consent-seen=")
    assert read(enforcement, turned).before == Consent()


def test_old_secrets_verify_and_the_new_one_signs() -> None:
    """DESIGN 5: secrets are rotated without asking anybody again."""
    before = Enforcement(policy(), ["o" * 40], secure=True, clock=Clock())
    after = Enforcement(policy(), ["o" * 40, SECRET], secure=True, clock=Clock())
    assert read(after, tokens(before, GRANTED)).before.given == GRANTED.given
    assert tokens(after, GRANTED) == tokens(ready(), GRANTED)


@pytest.mark.parametrize(
    ("secure", "domain", "name"),
    [
        (True, None, b"__Host-consent"),
        (True, "example.org", b"__Secure-consent"),
        (False, None, b"consent"),
        (False, "example.org", b"consent"),
    ],
)
def test_the_tokens_name_promises_what_its_attributes_keep(
    secure: bool,  # noqa: FBT001
    domain: str | None,
    name: bytes,
) -> None:
    """R-83, DC-11: 400 days whatever the asking, HttpOnly, SameSite as configured."""
    for same_site in ("lax", "strict"):
        some = policy(token={"domain": domain, "same_site": same_site})
        enforcement = Enforcement(some, [SECRET], secure=secure, clock=Clock())
        (value,) = enforcement.token_headers(Consent(), GRANTED)
        parsed = parse_set_cookie(value)
        assert parsed is not None
        assert parsed.name == name == enforcement.tokens.consent
        given = parsed.attributes
        assert (given.max_age, given.expires, given.path) == (LONGEST, None, b"/")
        assert (given.secure, given.http_only, given.same_site) == (secure, True, same_site)
        assert given.domain == (domain.encode() if domain else None)


def test_only_the_token_that_changed_is_sent() -> None:
    """AC-11: an answer writes the first, what happens by itself the second."""
    enforcement = ready(policy(mode="implied"))
    shown = GRANTED.show(1, NOW)
    names = [
        [set_cookie_name(value) for value in enforcement.token_headers(before, after)]
        for before, after in (
            (Consent(), Consent()),
            (Consent(), shown),
            (GRANTED, shown),
            (shown, shown),
        )
    ]
    both = [enforcement.tokens.consent, enforcement.tokens.seen]
    assert names == [[], both, both[1:], []]


# Memories


def test_what_was_read_is_remembered_and_never_outlives_a_lapse() -> None:
    """DESIGN 8: the same header is not worked out twice; but the time is checked every time."""
    clock = Clock()
    enforcement = ready(clock=clock)
    line = tokens(enforcement, GRANTED) + b"; _ga=1"
    first = read(enforcement, line)
    assert read(enforcement, line) is first
    clock.now += AGAIN - 1
    assert read(enforcement, line) is first
    clock.now += 1
    lapsed = read(enforcement, line)
    assert lapsed is not first
    assert set(lapsed.standing.answers) == {Answer.UNDECIDED}
    assert lapsed.stale == (b"_ga",)


def test_what_was_read_with_a_signal_is_another_reading() -> None:
    """Only signals that some purpose honours make a difference."""
    enforcement = ready(policy(mode="opt-out"))
    with_gpc, without = read(enforcement, b"_ga=1", on=GPC), read(enforcement, b"_ga=1")
    assert with_gpc.stale == (b"_ga",)
    assert without.stale == ()
    assert read(enforcement, b"_ga=1", on=GPC) is with_gpc
    dnt = read(enforcement, b"_ga=1", on=frozenset({Signal.DNT}))
    assert dnt.standing.signals == NO_SIGNALS
    assert dnt.stale == ()


def test_a_flood_of_names_and_headers_is_forgotten() -> None:
    """DESIGN 9: bounded everything. Nobody's memory grows with what strangers send."""
    enforcement = ready(policy({"_ga_*": cookie(), "sid": cookie("necessary")}, undeclared="hide"))
    for number in range(6000):
        read(enforcement, b"_ga_%d=1; %s=2" % (number, b"x" * (number % 3000)))
    readings = enforcement._readings
    assert len(readings._young) + len(readings._old) <= 2048
    held = enforcement.rulings(read(enforcement).standing)
    assert len(held._read) <= Rulings.MEMORY
    assert max(map(len, held._read)) <= Rulings.LONGEST_REMEMBERED
    granted = rulings(enforcement.policy)
    for number in range(6000):
        raw = b"_ga_%d=1; Path=/%s" % (number, b"x" * (number % 1000))
        result = filter_headers([(b"set-cookie", raw)], granted, STORE, NOTHING, NOW)
        enforcement.observe(result.stored, "/")
    assert len(granted.passages) <= Rulings.MEMORY
    assert max(sum(map(len, key)) for key in granted.passages) <= Rulings.LONGEST_REMEMBERED
    assert len(enforcement._observed) <= Enforcement.MOST_NAMES


def test_many_names_in_one_header_count_for_what_they_take() -> None:
    """A header of seven hundred names holds more than its bytes, so fewer such are remembered."""
    enforcement = ready()
    for number in range(600):  # of 400 names, so five times what may be held
        read(enforcement, b"%d=;" % number + b"".join(b"%x=;" % n for n in range(400)))
    held = [*enforcement._readings._young.values(), *enforcement._readings._old.values()]
    assert sum(len(reading.arrived) for reading in held) < 50_000
    assert held


def test_a_long_header_is_read_and_not_remembered() -> None:
    """64 KB are not kept for somebody who may never come again."""
    enforcement = ready()
    line = b"sid=" + b"x" * Enforcement.LONGEST_REMEMBERED
    assert read(enforcement, line) is not read(enforcement, line)
    assert read(enforcement, line).arrived == {b"sid"}


def test_one_name_keeps_a_few_variants() -> None:
    """An app that sets a cookie for every path there is fills no memory."""
    enforcement = ready(policy({"p": cookie()}))
    variants = [(b"p", Variant(b"/%d" % number, None, False)) for number in range(100)]  # noqa: FBT003
    assert len(enforcement.observe(variants, "/")) == 100  # each is told
    assert len(enforcement._observed[b"p"]) == Enforcement.MOST_VARIANTS


# Removals


def removed(enforcement: Enforcement, *names: bytes, host: bytes = b"") -> list[bytes]:
    return [value for _, value in enforcement.removals(names, host).headers]


def observe(enforcement: Enforcement, *set_cookies: bytes, path: str = "/") -> list[Event]:
    result = filtered(enforcement.policy, *set_cookies)
    return enforcement.observe(result.stored, path)


def variants_in(values: list[bytes]) -> set[tuple[bytes | None, bytes | None, bool]]:
    for value in values:
        assert parse_set_cookie(value) is not None  # a browser reads each of them
    found = [parse_attributes(value.partition(b";")[2]) for value in values]
    assert all(each.is_removal(NOW) for each in found)
    return {(each.path, each.domain, each.partitioned) for each in found}


def test_a_removal_is_sent_for_every_variant_the_app_was_seen_to_set() -> None:
    """R-16: a browser deletes only what matches in name, domain, path and partition (TR-06)."""
    enforcement = ready(policy({"p": cookie(path="/shop")}))
    observe(
        enforcement,
        b"p=1; Path=/a",
        b"p=1; Path=/b; Domain=.Example.org",
        b"p=1; Path=/; Secure; Partitioned",
        b"p=1",
        path="/deep/page",
    )
    values = removed(enforcement, b"p", host=b"www.example.org:8443")
    assert variants_in(values) == {
        (b"/shop", None, False),
        (b"/shop", b"www.example.org", False),
        (b"/shop", b"example.org", False),
        (b"/a", None, False),
        (b"/b", b"example.org", False),
        (b"/", None, True),
    }
    assert all(b"Secure" in value for value in values)
    assert len(values) == len(set(values)) == 6


def test_a_declared_domain_is_the_domain() -> None:
    """No need to try the others."""
    enforcement = ready(policy({"p": cookie(domain="example.org")}))
    assert variants_in(removed(enforcement, b"p", host=b"www.example.org")) == {
        (b"/", b"example.org", False)
    }


@pytest.mark.parametrize(
    ("name", "wanted", "kept"),
    [
        (b"__Host-x", {"secure": True}, {b"secure"}),
        (b"__Secure-x", {"secure": True}, {b"secure"}),
        (b"__Http-x", {"secure": True, "http_only": True}, {b"secure", b"httponly"}),
        (b"__Host-Http-x", {"secure": True, "http_only": True}, {b"secure", b"httponly"}),
        (
            b"x",
            {"secure": True, "partitioned": True},
            {b"secure", b"partitioned", b"samesite=none"},
        ),
        (b"x", {"secure": True, "same_site": "none"}, {b"secure", b"samesite=none"}),
        (b"x", {}, set()),
    ],
)
def test_a_removal_keeps_the_promise_of_its_name(
    name: bytes, wanted: dict[str, Any], kept: set[bytes]
) -> None:
    """R-80, R-84: else the browser drops the removal itself; also on a site served over http."""
    some = policy({name.decode(): cookie(attributes=wanted)})
    enforcement = Enforcement(some, [SECRET], secure=False, clock=Clock())
    values = removed(enforcement, name, host=b"www.example.org")
    variants_in(values)
    has_domain = any(b"Domain" in value for value in values)
    assert has_domain is not name.lower().startswith(b"__host-")
    for value in values:
        parts = {part.strip().lower() for part in value.split(b";")[1:]}
        flags = {part for part in parts if not part.startswith((b"path", b"max", b"exp", b"dom"))}
        assert flags == kept


def test_only_what_is_declared_is_removed() -> None:
    """FZ-15: and only under a name that can be written."""
    enforcement = ready(policy({"_ga_*": cookie()}))
    assert removed(enforcement, b"stranger", b"_ga_ x", b"_ga_\xff") == []
    assert len(removed(enforcement, b"_ga_x")) == 1


@pytest.mark.parametrize(
    "host", [b"ex ample.org", b"a;b.org", b"-.org", b"\xff.org", b"a..org", b"x.org\r\ny: z"]
)
def test_a_host_that_somebody_made_up_cannot_stop_a_removal(host: bytes) -> None:
    """DESIGN 9: what cannot be written as a domain is left out, the rest goes."""
    assert (b"/", None, False) in variants_in(removed(ready(policy(GA)), b"_ga", host=host))


@pytest.mark.parametrize("path", ["/a;b/c", "/\r\nset-cookie: x/", "/" + "x" * 5000 + "/", "*", ""])
def test_a_path_that_somebody_made_up_cannot_stop_a_removal(path: str) -> None:
    """The same for the path of a page that set a cookie without one."""
    enforcement = ready(policy(GA))
    observe(enforcement, b"_ga=1", path=path)
    assert (b"/", None, False) in variants_in(removed(enforcement, b"_ga"))


def octets(values: Iterable[bytes]) -> int:
    return sum(map(len, values))


def test_removals_fit_a_proxys_buffer_and_the_next_response_goes_on() -> None:
    """TR-07: a browser that brings hundreds of names must not make the headers overflow."""
    enforcement = ready(policy({"_ga_*": cookie()}))
    names = [b"_ga_%03d" % number for number in range(250)]
    gone: set[bytes] = set()
    rounds = 0
    while gone != set(names):
        waiting = [name for name in names if name not in gone]
        values = removed(enforcement, *waiting)
        assert values
        assert octets(values) <= MOST_OCTETS
        gone |= {set_cookie_name(value) for value in values}
        rounds += 1
    assert 1 < rounds <= 6


def test_what_a_browser_keeps_bringing_is_tried_in_every_variant() -> None:
    """TR-07, R-16: a name whose last variant is the right one goes within a few responses."""
    enforcement = ready(policy({"_ga_*": cookie()}))
    names = [b"_ga_%02d" % number for number in range(30)]
    wanted = {
        value for name in names for value in removed(enforcement, name, host=b"a.b.example.org")
    }
    assert octets(wanted) > MOST_OCTETS
    sent: set[bytes] = set()
    for _ in range(octets(wanted) // MOST_OCTETS + 2):
        sent |= set(removed(enforcement, *names, host=b"a.b.example.org"))
    assert sent == wanted


def test_the_likeliest_removal_of_every_name_goes_first() -> None:
    """Of many names each gets its declared variant before one gets all of its others."""
    names = [b"_ga_%02d" % number for number in range(30)]
    values = removed(ready(policy({"_ga_*": cookie()})), *names, host=b"a.b.example.org")
    assert [set_cookie_name(value) for value in values[: len(names)]] == names
    assert all(b"Domain" not in value for value in values[: len(names)])


def test_withdrawing_removes_what_was_allowed_and_what_arrived() -> None:
    """R-16: also what did not arrive because it was set for another path, by its exact name."""
    some = policy(
        {"_ga": cookie(), "_ga_*": cookie(), "sid": cookie("necessary"), "t": cookie(party="third")}
    )
    enforcement = ready(some)
    yes, no = rulings(some), rulings(some, Answer.REFUSED)
    observe(enforcement, b"_ga_seen=1")
    arrived = frozenset({b"_ga_here", b"sid", b"stranger", b"t"})
    assert enforcement.withdrawn(yes, no, arrived) == [b"_ga_here", b"_ga", b"_ga_seen"]
    assert enforcement.withdrawn(no, no, arrived) == [b"_ga_here"]
    assert enforcement.withdrawn(no, yes, arrived) == []


def test_a_cookie_set_otherwise_than_declared_is_told() -> None:
    """DESIGN 3: an allowed Set-Cookie whose path or domain differs is a logged finding; once."""
    enforcement = ready(policy({"p": cookie(), "t": cookie(party="third")}))
    events = observe(enforcement, b"p=1; Path=/x; Domain=example.org")
    why = (
        "its path is '/x', declared is '/'; its domain is 'example.org', declared is the host alone"
    )
    assert events == [Event("differs", "p", why)]
    assert observe(enforcement, b"p=1; Path=/x; Domain=example.org") == []
    assert observe(enforcement, b"p=1; Path=/", b"t=1; Path=/x", b"sid=1") == []


# When consentkit itself fails


def test_when_consentkit_fails_strictly_necessary_cookies_of_exact_name_go_out() -> None:
    """DESIGN 9: fail closed for consent, open for the site."""
    some = policy(
        {
            "sid": cookie("necessary", "session"),
            "both": cookie(["necessary", "analytics"]),
            "n-*": cookie("necessary"),
            "_ga": cookie(),
        }
    )
    headers = [(b"content-type", b"text/html")] + [
        (b"Set-Cookie", name + b"=1") for name in (b"sid", b"both", b"n-1", b"_ga", b"x", b"")
    ]
    assert only_strictly_necessary(headers, some) == headers[:2]


# The log

MARKER = "hush-hush-7261"


def lines_of(
    log: EventLog, caplog: pytest.LogCaptureFixture, *events: Event, **how: Any
) -> list[str]:
    caplog.clear()
    log.write(events, how.get("path", "/"), how.get("now", NOW))
    return caplog.messages


def test_one_line_of_a_kind_in_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """DESIGN 9: lines are folded, and the next one says how many it stands for."""
    caplog.set_level(logging.INFO)
    log = EventLog(None, report_only=False)
    event = Event("hidden", "_ga", "blocked: refused")
    assert len(lines_of(log, caplog, event)) == 1
    for second in (1, 30, 59):
        assert lines_of(log, caplog, event, now=NOW + second) == []
    other = lines_of(log, caplog, event._replace(act="expired"), now=NOW + 59)
    assert other == ["cookie '_ga' expired: blocked: refused; path '/'"]
    again = lines_of(log, caplog, event, now=NOW + 60)
    assert again == ["cookie '_ga' hidden: blocked: refused; path '/' (and 3 more like it)"]
    assert lines_of(log, caplog, event, now=NOW + 120)[0].endswith("path '/'")


def test_every_event_is_told_folded_or_not(caplog: pytest.LogCaptureFixture) -> None:
    """`on_decision` is for counters."""
    heard: list[Event] = []
    log = EventLog(heard.append, report_only=False)
    event = Event("hidden", "_ga", "why")
    log.write([event, event], "/", NOW)
    assert heard == [event, event]


def test_what_was_folded_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Names are a stranger's, so neither their number nor their length may fill a memory."""
    log = EventLog(None, report_only=False)
    for number in range(3 * EventLog.MEMORY):
        log.write([Event("hidden", f"{number}" + "x" * 5000, "why")], "/", NOW)
    assert len(log._last) <= EventLog.MEMORY
    assert max(len(name) for _, name, _ in log._last) <= EventLog.LONGEST


def test_a_line_has_a_level_and_keys_for_machines(caplog: pytest.LogCaptureFixture) -> None:
    """A warning for what nobody declared and for what report mode would do; else information."""
    caplog.set_level(logging.INFO)
    event = Event("blocked", "x", "not declared", Decision(False, Reason.UNDECLARED))  # noqa: FBT003
    lines_of(
        EventLog(None, report_only=False), caplog, event, event._replace(decision=None, name="y")
    )
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.INFO]
    record: Any = caplog.records[0]
    assert (record.consentkit_act, record.consentkit_cookie) == ("blocked", "x")
    assert (record.consentkit_why, record.consentkit_report_only) == ("not declared", False)
    would = lines_of(EventLog(None, report_only=True), caplog, Event("hidden", "", "why"))
    assert would == ["cookie (a cookie without a name) would be hidden: why; path '/'"]
    assert caplog.records[0].levelno == logging.WARNING


def test_a_line_says_what_an_undeclared_cookie_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """Lifetime and HttpOnly, in words and under keys; a cookie that asked nothing has no keys."""
    event = Event("blocked", "x", "not declared", Decision(False, Reason.UNDECLARED))  # noqa: FBT003
    for asked, words, seconds in (
        (Asked(63_072_000, http_only=True), "; asked to live 730 days, HttpOnly", 63_072_000),
        (Asked(None, http_only=False), "; asked for the session", None),
    ):
        log = EventLog(None, report_only=False)
        (line,) = lines_of(log, caplog, event._replace(asked=asked), path="/p")
        assert line == f"cookie 'x' blocked: not declared{words}; path '/p'"
        record: Any = caplog.records[0]
        assert (record.consentkit_asked_seconds, record.consentkit_http_only) == (seconds, asked[1])
        assert (record.consentkit_path, record.consentkit_more) == ("/p", 0)
    (line,) = lines_of(EventLog(None, report_only=False), caplog, event, path="/p" * 500)
    assert line.startswith("cookie 'x' blocked: not declared; path '/p/p")
    record = caplog.records[0]
    assert not hasattr(record, "consentkit_asked_seconds")
    assert len(record.consentkit_path) == EventLog.LONGEST


def test_other_lifetimes_of_one_cookie_make_no_line_of_their_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An app that counts the seconds to midnight asks for another lifetime each second."""
    log = EventLog(None, report_only=False)
    events = [
        Event("undeclared", "x", "not declared", None, Asked(n, http_only=False)) for n in (5, 4)
    ]
    caplog.set_level(logging.INFO)
    assert len(lines_of(log, caplog, *events)) == 1
    (line,) = lines_of(log, caplog, events[1], now=NOW + 60)
    assert line.endswith("asked to live 4 seconds; path '/' (and 1 more like it)")
    assert vars(caplog.records[0])["consentkit_more"] == 1


names = st.text() | st.sampled_from(["a\r\nERROR root: x", "\x1b[31mred", "\u202egnp", "a\x00b"])


@given(names, names)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_name_cannot_write_a_line_of_its_own(
    caplog: pytest.LogCaptureFixture, name: str, path: str
) -> None:
    """Log injection: no line break, no escape sequence, nothing but printable ASCII; and short."""
    caplog.set_level(logging.INFO)
    log = EventLog(None, report_only=False)
    (line,) = lines_of(log, caplog, Event("blocked", name * 50, "not declared"), path=path * 50)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 6000


tails = st.lists(
    st.sampled_from([f" Path=/{MARKER[:4]}", " Secure", " Max-Age=5", " Max-Age=99999999", " x"])
)


@given(
    st.lists(st.tuples(st.sampled_from(SET + STRANGE), tails), min_size=1, max_size=6),
    policies,
    st.sampled_from(Answer),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
)
def test_no_value_and_no_token_is_ever_logged(
    caplog: pytest.LogCaptureFixture,
    cookies: list[tuple[bytes, list[str]]],
    some: Policy,
    answer: Answer,
) -> None:
    """DESIGN 9: a marker stands in every value that comes in or goes out, and in no log line."""
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    enforcement = ready(some)
    consent = Consent({"analytics": Given(granted=answer is Answer.GRANTED, revision=1, time=0)})
    token = tokens(enforcement, consent)
    jar = b"; ".join([name + b"=" + MARKER.encode() for name, _ in cookies] + [token])
    reading = read(enforcement, jar)
    headers = [
        (b"set-cookie", b";".join([name + b"=" + MARKER.encode(), *map(str.encode, tail)]))
        for name, tail in cookies
    ]
    result = filter_headers(headers, rulings(some, answer), STORE, reading.arrived, NOW)
    expired = enforcement.removals(reading.stale, b"example.org")
    told = enforcement.observe(result.stored, "/")
    events = [*reading.hidden, *result.events, *expired.events, *told, Event("hidden", "x", "y")]
    EventLog(None, report_only=False).write(events, "/", NOW)
    everything_logged = caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    assert "consentkit" in everything_logged
    assert MARKER not in everything_logged
    assert token.partition(b"=")[2].decode() not in everything_logged


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (b"Set-Cookie", True),
        (bytearray(b"SET-COOKIE"), True),
        (b"Set-Cookie2", False),
        (b"X", False),
    ],
)
def test_the_header_is_told_by_its_name_in_any_case(name: bytes, is_one: bool) -> None:  # noqa: FBT001
    """RFC 9110 section 5.1."""
    assert is_set_cookie(name) is is_one


# Going on


def test_going_on_implies_what_the_notice_showed() -> None:
    """R-09: undecided turns into implied; the tokens the browser holds are still the old ones."""
    enforcement = ready(policy(mode="implied"))
    line = tokens(enforcement, Consent().show(1, NOW)) + b"; _ga=1"
    waiting = read(enforcement, line)
    assert waiting.awaits
    assert set(waiting.standing.answers) == {Answer.UNDECIDED}
    on = enforcement.imply(waiting, (line,), NOW)
    assert set(on.standing.answers) == {Answer.IMPLIED}
    assert (on.stale, on.lines, on.awaits) == ((), None, False)
    assert on.before == waiting.before
    assert on.standing.consent.seen == waiting.before.imply(NOW).seen


@pytest.mark.parametrize(
    ("consent", "mode", "awaits"),
    [
        (Consent(), "implied", False),
        (Consent().show(1, NOW), "implied", True),
        (Consent().show(1, NOW), "explicit", False),
        (Consent().show(1, NOW).imply(NOW), "implied", False),
        (REFUSED.show(1, NOW), "implied", False),
    ],
)
def test_nothing_waits_for_a_page_view_but_what_was_shown_and_is_undecided(
    consent: Consent,
    mode: str,
    awaits: bool,  # noqa: FBT001
) -> None:
    """R-09: without the notice there is nothing to go on from."""
    enforcement = ready(policy(mode=mode))
    reading = (
        read(enforcement, tokens(enforcement, consent))
        if consent != Consent()
        else read(enforcement)
    )
    assert reading.awaits is awaits


def test_a_notice_of_an_older_revision_implies_nothing_of_a_newer_one() -> None:
    """R-08, R-09: the visitor has not seen what changed."""
    some = policy(mode="implied", revision=2)
    enforcement = ready(some)
    assert not read(enforcement, tokens(enforcement, Consent().show(1, NOW))).awaits
    assert read(enforcement, tokens(enforcement, Consent().show(2, NOW))).awaits
