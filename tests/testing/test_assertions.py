"""Assertions about cookies: what passes, and what a failure tells."""

from pathlib import Path
from typing import Any

import pytest

from consentkit.rules.policy import Policy
from consentkit.rules.signals import Signal
from consentkit.testing import (
    ConsentState,
    Response,
    assert_blocked,
    assert_only_declared,
    assert_removed,
    assert_sets,
    consent_client,
)
from consentkit.testing.failures import LONGEST_LINE, MOST_NAMES
from tests.testing.sites import YAML, policy, site, write

REMOVAL = b"p=; Max-Age=0"
GPC = ConsentState("granted", frozenset({Signal.GPC}))


def answered(*set_cookies: bytes, events: Any = ()) -> Response:
    return Response(200, tuple((b"set-cookie", value) for value in set_cookies), b"", events)


def told(assertion: Any, *arguments: object, **options: object) -> str:
    """What a failing assertion says."""
    with pytest.raises(AssertionError) as failure:
        assertion(*arguments, **options)
    return str(failure.value)


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Policy:
    """The policy of the site, from a file in the folder that the test runs in."""
    monkeypatch.chdir(tmp_path)
    return write(tmp_path)


# assert_sets


def test_assert_sets_gives_the_cookie_back() -> None:
    """The last of a name, parsed; a removal stores nothing."""
    cookie = assert_sets(answered(b"p=1", b"p=2; Secure", b"q=3"), "p")
    assert (cookie.value, cookie.attributes.secure) == (b"2", True)
    with pytest.raises(AssertionError):
        assert_sets(answered(REMOVAL, b"q=1"), "p")


def test_what_was_not_set_is_told_with_the_line_that_decides(rules: Policy) -> None:
    """What was expected, what came, why, which line of the file, and what to do."""
    response = consent_client(site(rules)).get("/")
    assert told(assert_sets, response, "visits") == (
        "cookie 'visits' was to be set, and is not.\n"
        "  came: Set-Cookie: sid. Enforcement: visits blocked (not answered yet), "
        "stray blocked (not declared).\n"
        "  why: blocked: not answered yet (purpose 'measurement'). "
        "The visitor: measurement undecided, maps undecided.\n"
        "  decided by: consent.yaml:14: purpose: measurement\n"
        "              consent.yaml:2: mode: explicit\n"
        "  do: come as a visitor who granted it: consent_client(app, {'measurement': 'granted'})."
    )


@pytest.mark.parametrize(
    ("answers", "path", "name", "lines"),
    [
        ("refused", "/", "visits", ("why: blocked: refused", "do: come as a visitor who")),
        (GPC, "/", "visits", ("signals: gpc", "do: come without the signal, which")),
        ("granted", "/", "stray", ("why: blocked: not declared", "consent.yaml:10: cookies:")),
        ("granted", "/", "stray", ("do: declare it under 'cookies:'",)),
        ("granted", "/", "once", ("nothing holds it back",)),
        ("granted", "/plain", "none", ("do: see that the app sets it here: it did not try",)),
        ("granted", "/vote", "Poll-7", ("why: blocked: set without a vote", "post the vote")),
    ],
)
def test_each_reason_has_its_cure(
    rules: Policy, answers: Any, path: str, name: str, lines: tuple[str, ...]
) -> None:
    """What `decide` says is why, and what would make it say otherwise is what to do."""
    response = consent_client(site(rules), answers).get(path)
    message = told(assert_sets, response, name)
    assert [line for line in lines if line not in message] == []


def test_what_is_not_renewed_and_what_nobody_looked_at(rules: Policy) -> None:
    """R-25, R-90: the occasion decides, and enforcement's own word for it is told."""
    client = consent_client(site(rules), "granted")
    assert_sets(client.get("/once"), "once")
    assert "'renew: false'" in told(assert_sets, client.get("/once"), "once")
    ahead = client.get("/", headers={"sec-purpose": "prefetch"})
    assert "leave Sec-Purpose out" in told(assert_sets, ahead, "visits")


def test_another_client_is_told_what_it_may_hand_over(rules: Policy) -> None:
    """Without the middleware's own word nobody knows the visitor; with the policy, the line."""
    lines = [b"q=1"]
    message = told(assert_sets, lines, "visits")
    assert "Set-Cookie: q. Enforcement: not seen by this client." in message
    assert "pass policy=" in message
    assert "decided by" not in message
    message = told(assert_sets, lines, "visits", policy=rules)
    assert "decided by: consent.yaml:14: purpose: measurement" in message
    assert "why: blocked: not declared." in told(assert_sets, lines, "stray", policy=rules)


def test_a_policy_that_no_file_says_has_no_line(rules: Policy, tmp_path: Path) -> None:
    """Built in Python, changed since in Python, or read from a file that is gone."""
    response = consent_client(site(policy())).get("/")
    assert "decided by" not in told(assert_sets, response, "visits")
    renamed = {"new": rules.cookies["visits"].model_copy(update={"name": "new"})}
    changed = rules.model_copy(update={"cookies": renamed})
    assert "decided by" not in told(assert_sets, [], "new", policy=changed)
    (tmp_path / "consent.yaml").unlink()
    response = consent_client(site(rules)).get("/")
    assert "decided by" not in told(assert_sets, response, "visits")


def test_a_line_stands_in_the_file_that_says_it(tmp_path: Path) -> None:
    """Also in a base that is extended; a long line is cut, and a file elsewhere told in full."""
    write(tmp_path, YAML.replace("purpose: measurement\n", f"purpose: measurement  # {'x' * 99}\n"))
    (tmp_path / "consent.yaml").rename(tmp_path / "base.yaml")
    rules = write(tmp_path, "extends: base.yaml\nrevision: 3\n")
    message = told(assert_sets, consent_client(site(rules)).get("/"), "visits")
    (line,) = [line for line in message.splitlines() if "decided by" in line]
    assert line.strip().startswith(f"decided by: {tmp_path / 'base.yaml'}:14: purpose: measurement")
    assert line.endswith("…")
    assert len(line.partition(":14: ")[2]) == LONGEST_LINE + 1


def test_many_names_are_not_all_told() -> None:
    """A failure is read by people."""
    message = told(assert_sets, [b"c%d=1" % n for n in range(MOST_NAMES + 2)], "p")
    assert "c19 and 2 more." in message
    assert "c20" not in message


def test_no_value_is_ever_told(rules: Policy) -> None:
    """R-60: what a cookie holds is nobody's to read in a log of a test run."""
    client = consent_client(site(rules), "granted")
    for response in (client.get("/"), client):
        assert "TOP-SECRET" not in told(assert_blocked, response, "visits")
    for lines in ([b"p=TOP-SECRET"], [b"p=TOP-SECRET; Max-Age=0"]):
        for assertion in (assert_sets, assert_removed):
            with pytest.raises(AssertionError) as failure:
                assertion(lines, "q")
            assert "TOP-SECRET" not in str(failure.value)


# assert_blocked


def test_assert_blocked_wants_an_attempt(rules: Policy) -> None:
    """FZ-18: an app that never sets the cookie proves nothing."""
    response = consent_client(site(rules)).get("/")
    assert_blocked(response, "visits")
    assert told(assert_blocked, response, "q") == (
        "cookie 'q' was not blocked: the app never tried to set it, so this proves nothing.\n"
        "  came: Set-Cookie: sid. Enforcement: visits blocked (not answered yet), "
        "stray blocked (not declared).\n"
        "  do: ask for a page that sets it, and see that the name is spelled as the app does."
    )


def test_what_was_to_be_blocked_is_told_with_the_cure(rules: Policy) -> None:
    """Allowed, only reported, or never come through the middleware."""
    granted = consent_client(site(rules), "granted").get("/")
    message = told(assert_blocked, granted, "visits")
    assert "why: allowed: every purpose of it is allowed." in message
    assert "do: come as a visitor who has not allowed it" in message
    watched = consent_client(site(rules, report_only=True)).get("/")
    message = told(assert_blocked, watched, "visits")
    assert "report only; it would have been: visits blocked" in message
    assert "do: take report_only=True out" in message
    assert "through consent_client(app, …)" in told(assert_blocked, [b"visits=1"], "visits")
    assert "wrap the whole app" in told(assert_blocked, [b"x=1"], "x", policy=rules)


def test_of_a_jar_only_what_it_holds_can_be_said(rules: Policy) -> None:
    """There is no attempt in a jar."""
    client = consent_client(site(rules), "granted")
    assert_blocked(client, "visits")
    client.get("/")
    assert told(assert_blocked, client, "visits").startswith(
        "cookie 'visits' was to be blocked, and is held.\n"
        "  came: the jar holds __Host-consent, sid, visits.\n"
        "  decided by: consent.yaml:14: purpose: measurement\n"
    )
    empty = consent_client(site(rules))
    assert "the jar holds nothing." in told(assert_sets, empty, "visits")
    assert "was to be held, and is not" in told(assert_sets, empty, "visits")


# assert_removed


def test_assert_removed_wants_a_removal(rules: Policy) -> None:
    """The response expires the cookie, whatever else it does."""
    assert_removed(answered(b"p=1", REMOVAL), "p")
    assert told(assert_removed, answered(b"p=1"), "p").startswith(
        "cookie 'p' was to be removed, and is not.\n"
        "  came: Set-Cookie: p. Enforcement: did nothing.\n"
    )
    client = consent_client(site(rules), "granted")
    assert_sets(client.get("/"), "visits")
    assert_removed(client.post("/consent", data={"choice": "withdraw"}), "visits")
    assert_removed(client, "visits")


def test_what_was_not_removed_is_told_with_the_reason(rules: Policy) -> None:
    """Still allowed, never declared, another party's, or simply not sent."""
    client = consent_client(site(rules), "granted")
    client.get("/")
    page = client.get("/")
    message = told(assert_removed, page, "visits")
    assert "What is allowed is not removed." in message
    assert "do: refuse or withdraw it first: client.post(" in message
    assert "removes only what the site has declared" in told(assert_removed, page, "stray")
    assert "another party's host" in told(assert_removed, page, "partner")
    assert "was to be removed, and is there" in told(assert_removed, client, "visits")
    refused = consent_client(site(rules), "refused").get("/plain")
    message = told(assert_removed, refused, "visits")
    assert "why: blocked: refused (purpose 'measurement')." in message
    assert "do: see that the request is an answer or a page view" in message


# assert_only_declared


def test_assert_only_declared_names_the_strangers(rules: Policy) -> None:
    """R-75: removals and our own tokens are none."""
    own = (b"__Host-consent=1", b"__Secure-consent=1", b"consent-seen=1", b"sid=1", REMOVAL)
    assert_only_declared(answered(*own), rules)
    message = told(assert_only_declared, answered(b"x=1", b"sid=1", b"y=1", b"x=2"), rules)
    assert message.startswith("not declared: cookie 'x', cookie 'y'.\n  came: Set-Cookie: x, sid,")
    assert "decided by: consent.yaml:10: cookies:" in message
    renamed = policy(YAML.replace("mode:", "token: {name: choice}\nmode:"))
    assert "consent-seen" in told(assert_only_declared, answered(*own), renamed)


def test_what_is_known_of_a_stranger_is_told(rules: Policy) -> None:
    """The catalogue's knowledge, and a name that is nearly declared."""
    message = told(assert_only_declared, [b"_ga=1", b"Visits=1"], rules)
    assert "The catalogue knows '_ga' of Google Analytics" in message
    assert "'visits' is declared: names of cookies tell capitals from small letters" in message


def test_what_scripts_keep_is_declared_too(rules: Policy) -> None:
    """R-29: storage is storage; a database is no item of localStorage."""
    kept: dict[str, Any] = {"origin": "https://a.example", "localStorage": [{"name": "theme"}]}
    assert_only_declared({"cookies": [], "origins": [kept]}, rules)
    other = {**kept, "localStorage": [{"name": "id"}], "indexedDB": [{"name": "theme"}]}
    message = told(assert_only_declared, {"cookies": [], "origins": [other]}, rules)
    assert message.startswith("not declared: stored item 'id', stored item 'theme'.")
    assert "under 'storage:'" in message
    assert "consent.yaml:20: storage:" in message


def test_the_policy_is_known_or_has_to_be_said(rules: Policy) -> None:
    """`consent_client` and `Browser` know it."""
    client = consent_client(site(rules), "granted")
    assert_only_declared(client.get("/"))
    assert_only_declared(client)
    with pytest.raises(TypeError, match="pass policy=load_policy"):
        assert_only_declared([b"p=1"])
