"""What each strategy promises, and that what makes it worth having is really there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from consentkit import Policy, PolicyError
from consentkit.rules.consent import Consent, TokenFormat, start_of_day
from consentkit.rules.decision import answers_to
from consentkit.rules.policy import DAY, Basis, Kind, Mode, Preset
from consentkit.rules.policy_file import read_policy
from consentkit.rules.signals import NO_SIGNALS, Signal
from consentkit.testing import strategies
from consentkit.testing.policies import _FAULTS, _SLIPS, _spoilt
from consentkit.wire.cookies import (
    MAX_PAIR,
    MAX_PAIRS,
    is_printable_name,
    parse_attributes,
    parse_cookie,
    parse_set_cookie,
    set_cookie_name,
    set_cookie_tail,
)
from consentkit.wire.gate import Gate, Tag
from tests.wire.hostile_pages import lexbor

NOW = 1_800_000_000
HOSTS = ("third.example", "video.test")
QUICKLY = settings(
    max_examples=5000,  # which examples come depends on the modules that are loaded
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
SOME = settings(max_examples=30, deadline=None)
"""For what takes long to make: a policy has hundreds of parts."""


class AllMadeError(Exception):
    """There is an example of every sort, and no more are needed."""


def never_made(
    strategy: SearchStrategy[Any], sorts: Mapping[str, Callable[[Any], bool]]
) -> set[str]:
    """Those of the sorts of which there is no example among a few thousand."""
    missing = dict(sorts)

    @QUICKLY
    @given(strategy)
    def look(example: Any) -> None:
        for name in [name for name, is_one in missing.items() if is_one(example)]:
            del missing[name]
        if not missing:
            raise AllMadeError

    with suppress(AllMadeError):
        look()
    return {*missing}


def test_a_sort_that_is_never_made_is_missed() -> None:
    """The control."""
    sorts = {"even": lambda number: number % 2 == 0, "over a thousand": lambda n: n > 1000}
    assert never_made(st.integers(0, 9), sorts) == {"over a thousand"}


# Policies


@SOME
@given(strategies.policies())
def test_a_policy_holds_and_survives_its_file(policy: Policy) -> None:
    """AC-01: what is made is no less than what a person could write and load."""
    assert read_policy(policy.to_yaml()) == policy


def has_mode(mode: Mode, policy: Policy) -> bool:
    return policy.mode is mode


def has_kind(kind: Kind, policy: Policy) -> bool:
    return any(each.kind is kind for each in policy.cookies.values())


def has_basis(basis: Basis, policy: Policy) -> bool:
    return any(policy.basis_of(name) is basis for name in policy.purposes)


POLICIES: dict[str, Callable[[Policy], bool]] = {
    **{f"mode {mode}": partial(has_mode, mode) for mode in Mode},
    **{f"kind {kind}": partial(has_kind, kind) for kind in Kind},
    **{f"basis {basis}": partial(has_basis, basis) for basis in Basis},
    "a pattern": lambda policy: any(name.endswith("*") for name in policy.cookies),
    "a placeholder": lambda policy: any("{" in name for name in policy.cookies),
    "a prefix": lambda policy: any(name.startswith("__Host-") for name in policy.cookies),
    "chunks": lambda policy: any(each.chunked for each in policy.cookies.values()),
    "no renewal": lambda policy: any(not each.renew for each in policy.cookies.values()),
    "two purposes": lambda policy: any(len(each.purpose) > 1 for each in policy.cookies.values()),
    "a later cookie": lambda policy: any(each.since > 1 for each in policy.cookies.values()),
    "a later purpose": lambda policy: any(each.since > 1 for each in policy.purposes.values()),
    "a service with hosts": lambda policy: any(each.hosts for each in policy.services.values()),
    "an inline script": lambda policy: bool(policy.services_with_markers),
    "storage": lambda policy: bool(policy.storage),
    "two presets": lambda policy: len(policy.preset) == 2,
    "signals that win": lambda policy: Preset.US_CA in policy.preset,
    "two languages": lambda policy: len(policy.languages) > 1,
    "a page for children": lambda policy: bool(policy.child_directed),
    "a shared token": lambda policy: policy.token.domain is not None,
    "own words": lambda policy: bool(policy.texts),
    "a title of its own": lambda policy: policy.banner.title is not None,
    "nothing to ask": lambda policy: not policy.optional_purposes,
    "an integration": lambda policy: any(policy.integrations.used()),
}


def test_policies_of_every_sort_are_made() -> None:
    """A property over policies says nothing of a sort that is never made."""
    assert never_made(strategies.policies(), POLICIES) == set()


@pytest.mark.counted
@SOME
@given(strategies.invalid_policies())
def test_an_invalid_policy_is_refused_for_what_is_wrong_with_it(
    made: strategies.InvalidPolicy,
) -> None:
    """It is refused, and the error says the fault that was put in."""
    with pytest.raises(PolicyError) as error:
        read_policy(made.text)
    assert any(made.why in fault.what for fault in error.value.faults)


def test_every_fault_in_the_table_is_one() -> None:
    """Whichever is drawn, the error says it; a policy that holds is the control."""
    assert read_policy(_spoilt(POLICY, lambda _data: None)).purposes.keys() >= {"a", "b"}
    texts = [(why, _spoilt(POLICY, change)) for why, change in _FAULTS]
    texts += [(why, slip(POLICY.to_yaml())) for why, slip in _SLIPS]
    for why, text in texts:
        with pytest.raises(PolicyError) as error:
            read_policy(text)
        assert any(why in fault.what for fault in error.value.faults), why


# Answers


@SOME
@given(strategies.policies(), st.data())
def test_answers_are_such_as_a_visitor_can_have_given(policy: Policy, data: st.DataObject) -> None:
    """To this revision or an earlier one, not in the future, and a token carries them (R-20)."""
    consent = data.draw(strategies.consents(policy, now=NOW))
    assert len(answers_to(policy, consent, NO_SIGNALS, NOW)) == len(policy.questions)
    for given_ in consent.given.values():
        assert 1 <= given_.revision <= policy.revision
        assert given_.time <= NOW
        assert given_.granted or given_.time == start_of_day(given_.time)
    tokens = TokenFormat(["for these tests, thirty-two bytes long"], "consent")
    assert tokens.read_given(tokens.sign_given(consent.given), NOW) == consent.given
    if consent.seen is not None:
        assert tokens.read_seen(tokens.sign_seen(consent.seen), NOW) == consent.seen


POLICY = read_policy(
    "site: {name: S, controller: C}\nmode: implied\nrevision: 3\n"
    "purposes: {a: {title: A, description: A}, b: {title: B, description: B}}\n"
    "services: {film: {purpose: a, provider: P}}\n"
)
CONSENTS: dict[str, Callable[[Consent], bool]] = {
    "nobody yet": lambda consent: not consent.given and consent.seen is None,
    "both ways": lambda consent: {each.granted for each in consent.given.values()} == {True, False},
    "a single service": lambda consent: "@film" in consent.given,
    "a purpose of old": lambda consent: "no-longer-there" in consent.given,
    "in the face of a signal": lambda consent: any(
        Signal.GPC in each.despite for each in consent.given.values()
    ),
    "an earlier revision": lambda consent: any(
        each.revision < 3 for each in consent.given.values()
    ),
    "lapsed": lambda consent: any(
        each.time + POLICY.ask_again_after <= NOW for each in consent.given.values()
    ),
    "today": lambda consent: any(each.time > NOW - DAY for each in consent.given.values()),
    "went on": lambda consent: consent.seen is not None and consent.seen.implied > 0,
    "held": lambda consent: consent.seen is not None and consent.seen.held,
    "not readable": lambda consent: not consent.readable,
}


def test_answers_of_every_sort_are_made() -> None:
    """Whatever a visitor may come with."""
    assert never_made(strategies.consents(POLICY, now=NOW), CONSENTS) == set()


# Cookies

SETS: dict[str, Callable[[bytes], bool]] = {
    "one of the site's own": lambda raw: set_cookie_name(raw) == b"sid",
    "nameless": lambda raw: (cookie := parse_set_cookie(raw)) is not None and not cookie.name,
    "dropped whole": lambda raw: bool(raw) and parse_set_cookie(raw) is None,
    "a control character": lambda raw: b"\x00" in raw,
    "no UTF-8": lambda raw: raw != raw.decode("utf-8", "ignore").encode(),
    "a prefix not kept to": lambda raw: (
        raw.lower().startswith(b"__host-") and parse_set_cookie(raw) is None
    ),
    "too long": lambda raw: len(raw) > MAX_PAIR,
    "a removal": lambda raw: parse_attributes(set_cookie_tail(raw)).is_removal(NOW),
    "one attribute twice": lambda raw: raw.lower().count(b"max-age=") > 1,
    "quotes": lambda raw: b'"' in raw and b"sid" in raw,
    "a comma": lambda raw: b"," in raw,
    "a name that cannot be printed": lambda raw: (
        set_cookie_name(raw) != b"" and not is_printable_name(set_cookie_name(raw))
    ),
}


def test_set_cookies_of_every_sort_are_made() -> None:
    """RFC 6265bis §5.6, and beyond."""
    assert never_made(strategies.set_cookies([b"sid"]), SETS) == set()


@given(strategies.set_cookie_headers())
def test_set_cookie_headers_are_a_list_of_bytes(values: list[bytes]) -> None:
    """§3: each is a header of its own."""
    assert all(isinstance(value, bytes) for value in values)


COOKIES: dict[str, Callable[[list[bytes]], bool]] = {
    "none": lambda values: not values,
    "two headers": lambda values: len(values) > 1,
    "one of the site's own, twice": lambda values: any(
        [name for name, _ in parse_cookie(value)].count(b"sid") > 1 for value in values
    ),
    "no name": lambda values: any(
        name == b"" and held for value in values for name, held in parse_cookie(value)
    ),
    "thousands": lambda values: any(value.count(b";") > MAX_PAIRS for value in values),
    "no UTF-8": lambda values: any(b"\xff" in value for value in values),
    "joined as no browser does": lambda values: any(b";;" in value for value in values),
}


def test_cookie_headers_of_every_sort_are_made() -> None:
    """§5.8.3 turned round: what a server may be sent."""
    assert never_made(strategies.cookie_headers([b"sid"]), COOKIES) == set()


# Pages


def hosts_of(page: bytes) -> set[str]:
    """The hosts that our own reader finds to be fetched from."""
    found: list[Tag] = []
    Gate(found.append, is_own=lambda host: host == "own.test").feed(page, last=True)
    return {host for tag in found for host in tag.hosts}


@given(strategies.pages_with_third_parties(HOSTS))
def test_a_page_names_no_host_but_those_asked_for(page: bytes) -> None:
    """Whoever reads it finds these, or none where the page is such that nothing is fetched."""
    assert hosts_of(page) <= {*HOSTS}
    assert page.decode("utf-8")


PAGES: dict[str, Callable[[bytes], bool]] = {
    "one host": lambda page: hosts_of(page) == {"third.example"},
    "both hosts": lambda page: hosts_of(page) == {*HOSTS},
    "a whole document": lambda page: page.startswith(b"<!doctype html><html lang=en>"),
    "no document": lambda page: b"<title>A page" not in page,
    "inert": lambda page: not hosts_of(page),
    "foreign content": lambda page: any(node.name in ("svg", "math") for node in lexbor(page)),
}


def test_pages_of_every_sort_are_made() -> None:
    """Tags that fetch, tags that do not, and what makes the difference hard to see."""
    assert never_made(strategies.pages_with_third_parties(HOSTS), PAGES) == set()


def test_the_same_pieces_are_made_for_any_host() -> None:
    """Also in capitals, and with a letter of it percent-encoded."""
    pieces = strategies.fetches_from("maps.example")
    assert any("MAPS.EXAMPLE" in piece for piece in pieces)
    assert any("%6daps.example" in piece for piece in pieces)
    assert not any("third" in piece.lower() for piece in pieces)


def test_hypothesis_is_imported_when_it_is_asked_for() -> None:
    """A suite that uses none of this does not wait for it."""
    program = (
        "import sys, consentkit.testing\n"
        "print('hypothesis' in sys.modules)\n"
        "consentkit.testing.strategies\n"
        "print('hypothesis' in sys.modules)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert ran.stdout.split() == ["False", "True"]
