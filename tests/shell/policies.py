"""Policies that the tests of the shell ask about, and one of every kind for Hypothesis."""

from hypothesis import strategies as st

from consentkit import Policy
from consentkit.rules.policy import (
    Basis,
    DeclaredCookie,
    Kind,
    Mode,
    Preset,
    Purpose,
    Site,
    StoredItem,
    TakesEffect,
    Undeclared,
    Where,
)
from consentkit.rules.signals import Signal

LIBRARY = """\
site: {name: City Library, controller: City Library, contact: privacy@library.example}
mode: explicit
revision: 3
undeclared: hide
purposes:
  necessary: {basis: strictly-necessary, title: Needed, description: What the site needs.}
  polls: {basis: consent, title: Polls, description: Votes., since: 2}
  analytics:
    title: Counting
    description: Counts visits.
    honours: [gpc, dnt]
cookies:
  sid:
    kind: session
    purpose: necessary
    justification: authentication
    description: Remembers who is logged in.
    attributes: {secure: true, http-only: true, same-site: lax}
    chunked: true
  PollTimeout-{pollid}:
    kind: poll-timeout
    purpose: polls
    duration: 1 day
    description: Remembers that you voted.
  _ga:
    kind: analytics
    purpose: analytics
    duration: 13 months
    description: Counts.
    service: counter
    renew: false
    since: 3
  _gat*: {kind: analytics, purpose: [analytics, polls], duration: 2 hours, description: Counts.}
storage:
  cart: {where: local, purpose: polls, duration: 30 days, description: What you chose.}
services:
  counter: {purpose: analytics, provider: Counter Ltd, hosts: [counter.example], transfer: [US]}
"""
"""A policy that has one of each: it holds, and is at its third revision."""

OBJECTABLE = LIBRARY.replace("basis: consent", "basis: opt-out")
"""The same, where a visitor objects to polls instead of being asked."""

NECESSARY = """\
site: {name: Archive, controller: Archive}
mode: explicit
purposes:
  necessary: {basis: strictly-necessary, title: Needed, description: What the site needs.}
cookies:
  sid: {kind: session, purpose: necessary, justification: security, description: Keeps you safe.}
"""

NAMES = ("a", "b", "c")

purposes = st.builds(
    Purpose,
    title=st.just("T"),
    description=st.just("D"),
    basis=st.none() | st.sampled_from(Basis),
    honours=st.frozensets(st.sampled_from(Signal)),
    since=st.integers(1, 3),
)
several = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True).map(tuple)
cookies = st.builds(
    DeclaredCookie,
    kind=st.sampled_from(Kind),
    purpose=several,
    description=st.just("D"),
    renew=st.booleans(),
    since=st.integers(1, 3),
    duration=st.none() | st.integers(0, 500 * 86_400),
)
items = st.builds(
    StoredItem,
    where=st.sampled_from(Where),
    purpose=several,
    description=st.just("D"),
    since=st.integers(1, 3),
)
policies = st.builds(
    Policy,
    site=st.just(Site(name="S", controller="S")),
    mode=st.sampled_from(Mode),
    preset=st.just(()) | st.sampled_from(Preset).map(lambda preset: (preset,)),
    takes_effect=st.sampled_from(TakesEffect),
    revision=st.just(3),
    purposes=st.fixed_dictionaries(dict.fromkeys(NAMES, purposes)),
    cookies=st.dictionaries(st.sampled_from(["x", "y{id}", "z*", "x{id}"]), cookies, min_size=1),
    storage=st.dictionaries(st.sampled_from(["x", "kept"]), items),
    undeclared=st.sampled_from(Undeclared),
    child_directed=st.just(()) | st.just(("/kids",)),
)
"""Policies of every shape, also such as no file could hold: they are decided all the same."""


def name_for(declared: str) -> str:
    """A cookie's name that a declared name covers."""
    return declared.replace("{id}", "7").replace("{pollid}", "7").replace("*", "9")
