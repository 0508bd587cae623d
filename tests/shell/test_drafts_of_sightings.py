"""A draft from what a running site saw: cookies as in a log's, and hosts."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from consentkit.events import Asked
from consentkit.observed import LONGEST_KEPT, SeenAs, Sighting
from consentkit.rules.policy import Basis, Policy
from consentkit.rules.policy_file import read_policy
from consentkit.shell.drafts import draft_of, visible

POLICY = """\
site: {name: A, controller: B}
mode: explicit
purposes:
  necessary: {basis: strictly-necessary, justification: security, title: x, description: x}
  visits: {title: x, description: x}
cookies:
  known: {kind: session, purpose: necessary, description: x}
services:
  films: {purpose: visits, provider: Films, hosts: [films.example]}
"""


def sent(name: str) -> Sighting:
    return Sighting(name, SeenAs.SENT)


def host(name: str, times: int = 1) -> Sighting:
    return Sighting(name, SeenAs.ASKED, times=times)


def draft(*sightings: Sighting, policy: str = POLICY) -> str:
    return draft_of(sightings, read_policy(policy), frameworks=[])


def merged(text: str, more: str) -> Policy:
    """The policy with a draft put in under the keys of the same name."""
    for section in re.split(r"\n(?=\w+:\n)", more)[1:]:
        key, body = section.split("\n", 1)
        body = re.split(r"\n# What", body, maxsplit=1)[0].rstrip()
        if f"\n{key}\n" in text:
            text = text.replace(f"\n{key}\n", f"\n{key}\n{body}\n", 1)
        else:
            text += f"\n{key}\n{body}\n"
    return read_policy(text)


def flat(text: str) -> str:
    return " ".join(text.replace("#", " ").split())


def test_each_entry_says_how_it_was_seen() -> None:
    """Who reads the draft knows where to look: in the app, or in what scripts set."""
    text = draft(
        Sighting("stray", SeenAs.SET, Asked(7200, http_only=True), times=3),
        sent("theme"),
        host("tags.example", times=2),
    )
    assert "# Seen 3 times: set by the app. Set with HttpOnly." in text
    assert "duration: 2 hours  # it asks for 2 hours" in text
    assert "# Seen once: sent by a browser." in text
    assert "kind: session  # a browser does not say how long it lives" in text
    assert "Seen 2 times: asked for by a page. If it is the site's own, write it" in flat(text)
    policy = merged(POLICY, text)
    assert policy.cookies["stray"].duration == 7200
    assert policy.service_of_host("tags.example") == "tags.example"
    assert policy.basis_of("unsorted") is Basis.CONSENT


def test_a_cookie_seen_in_two_ways_is_one_entry() -> None:
    """The app sets it, and scripts do: what was asked for is the app's."""
    text = draft(Sighting("stray", SeenAs.SET, Asked(None, http_only=False)), sent("stray"))
    assert "# Seen 2 times: set by the app and sent by a browser." in text
    assert text.count("  stray:") == 1


def test_a_host_that_the_catalogue_knows_is_its_service() -> None:
    """Provider, hosts and links are known, so nobody has to look them up."""
    text = draft(host("www.googletagmanager.com"), host("www.youtube.com"))
    policy = merged(POLICY, text)
    assert policy.service_of_host("www.googletagmanager.com") == "google-tag-manager"
    assert policy.services["google-tag-manager"].provider
    assert policy.service_of_host("www.youtube.com") == "youtube"


def test_a_host_that_a_declared_service_lacks_is_to_be_added_to_it() -> None:
    """The site narrowed the service's hosts, so nothing is written over what it says."""
    own = "  youtube: {purpose: visits, provider: YouTube, hosts: [m.youtube.com]}\n"
    text = draft(host("www.youtube.com"), policy=POLICY + own)
    assert (
        "# What is to be added:\n# - 'www.youtube.com': to the 'hosts' of service 'youtube'."
        in text
    )
    assert "services:" not in text


@pytest.mark.parametrize(
    "name", ["", "[::1]", "a..b", "-", "*.example", "*.tags.example", "x y", "\u202e", "a" * 150]
)
def test_a_host_that_no_policy_could_hold_is_named_and_why(name: str) -> None:
    """Pages are full of what is no host at all."""
    text = draft(host(name))
    assert "services:" not in text
    assert "# What no policy can declare:" in text
    merged(POLICY, text)
    assert "services:" in draft(host("tags.example"))  # the control


def test_a_name_whose_end_was_not_kept_is_not_declared() -> None:
    """Half a name covers what nobody has seen."""
    cut = "x" * LONGEST_KEPT
    text = draft(sent(cut), host(f"{cut[:-1]}."), sent(cut[1:]))
    assert "it is so long that its end was not kept." in flat(text)
    assert {*merged(POLICY, text).cookies} == {"known", cut[1:]}


def test_what_is_declared_by_now_is_left_out() -> None:
    """The page may be older than the policy."""
    assert "cookies:" not in draft(sent("known"), sent("consent"))


NAMES = st.text(max_size=220) | st.sampled_from(
    ["_ga", "_ga_AB12", "a-1", "a-2", "x*", "{id}", "\udcff", "no", "1", "tags.example", "known"]
)
SIGHTINGS = st.builds(
    Sighting,
    NAMES.map(lambda name: name[:LONGEST_KEPT]),
    st.sampled_from(SeenAs),
    st.none() | st.builds(Asked, st.none() | st.integers(0, 10**9), st.booleans()),
    st.integers(1, 10**6),
)


@settings(max_examples=40)
@given(st.lists(SIGHTINGS, max_size=6))
def test_a_draft_put_into_its_policy_loads_and_grants_nothing(seen: list[Sighting]) -> None:
    """Names are strangers' words: none breaks the file, and none is strictly necessary."""
    text = draft(*seen)
    assert all(
        line.isprintable() or "\u200d" in line or "\u200c" in line for line in text.splitlines()
    )
    assume("purposes:" in text)
    policy = merged(POLICY, text)
    for _, name, item in policy.items():
        if name not in ("known", "films"):
            assert Basis.STRICTLY_NECESSARY not in {policy.basis_of(each) for each in item.purpose}
    for one in seen:
        if one.how is not SeenAs.ASKED and len(one.name) < LONGEST_KEPT:
            shown = one.name if len(one.name) <= 60 else f"{one.name[:59]}~"
            own = one.name in ("consent", "consent-seen")
            assert own or policy.declaration_of(one.name) or flat(f"- {shown!a}: ") in flat(text)


def test_what_an_eye_cannot_see_is_shown_as_an_escape() -> None:
    """Overrides and halves of characters would make another name of it."""
    assert visible("a\u202eb\udcff\x00c") == "a\\u202eb\\udcff\\x00c"
    assert visible("naïve") == "naïve"
