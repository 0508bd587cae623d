"""What was seen and is not declared: who is remembered, who is forgotten, and what a flood does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.events import Asked, Event
from consentkit.observed import (
    LONGEST_KEPT,
    MOST_AT_ONCE,
    MOST_FORGOTTEN,
    MOST_NAMES,
    ROOM,
    Observations,
    SeenAs,
)
from consentkit.rules.decision import Decision, Reason

NOBODYS = Decision(allowed=False, reason=Reason.UNDECLARED)
LET_BE = Decision(allowed=True, reason=Reason.UNDECLARED)
REFUSED = Decision(allowed=False, reason=Reason.REFUSED, purpose="a")
A_DAY = Asked(86_400, http_only=True)


def set_by_the_app(name: str, asked: Asked = A_DAY) -> Event:
    return Event("blocked", name, "not declared", NOBODYS, asked)


def host(name: str) -> Event:
    return Event("blocked", name, "not declared", NOBODYS, what="host")


def told(seen: Observations) -> list[tuple[str, str]]:
    return [(one.name, str(one)) for one in seen.listed()]


@pytest.mark.parametrize(
    ("event", "how"),
    [
        (set_by_the_app("a"), "set by the app, asked to live 1 day, HttpOnly"),
        (
            Event("undeclared", "a", "not declared", LET_BE, Asked(None, http_only=False)),
            "set by the app, asked for the session",
        ),
        (host("a"), "asked for by a page"),
        (Event("undeclared", "a", "not declared", LET_BE, what="host"), "asked for by a page"),
    ],
)
def test_what_nobody_declared_is_remembered_with_how_it_was_seen(event: Event, how: str) -> None:
    """In either mode: what was blocked, and what was let be and reported."""
    seen = Observations(())
    seen.note_events([event])
    assert told(seen) == [("a", how)]


@pytest.mark.parametrize(
    "event",
    [
        Event("blocked", "a", "refused", REFUSED),
        Event("blocked", "a", "refused", REFUSED, what="host"),
        Event("trimmed", "a", "+Secure", Decision(allowed=True, reason=Reason.NOTHING_REFUSED)),
        Event("differs", "a", "its path is '/'"),
        Event("expired", "a", "declared and not allowed"),
        Event("hidden", "a", "not declared", NOBODYS),
        Event("blocked", "a", "not declared", NOBODYS, what="service"),
        Event("reported", "a.example", "img-src", what="source"),
    ],
    ids=lambda event: f"{event.act} {event.what}",
)
def test_what_is_declared_and_what_strangers_report_is_not(event: Event) -> None:
    """A browser's report is anybody's word, and what is declared needs no declaring."""
    seen = Observations(())
    seen.note_events([event])
    assert told(seen) == []
    seen.note_events([set_by_the_app("b")])  # the control
    assert [name for name, _ in told(seen)] == ["b"]


def test_our_own_tokens_need_no_declaration() -> None:
    """An app that sets one is stopped, and a browser that sends one is as it should be."""
    seen = Observations(("__Host-consent", "__Host-consent-seen"))
    seen.note_events([set_by_the_app("__Host-consent")])
    seen.note_sent(["__Host-consent-seen", "theme"])
    assert told(seen) == [("theme", "sent by a browser")]


def test_what_the_app_sets_comes_back_and_stands_once() -> None:
    """The browser sends what it was given, so that says nothing new."""
    seen = Observations(())
    seen.note_sent(["stray", "theme"])
    seen.note_events([set_by_the_app("stray"), set_by_the_app("stray", Asked(5, http_only=False))])
    assert told(seen) == [
        ("stray", "set by the app, asked to live 1 day, HttpOnly"),
        ("theme", "sent by a browser"),
    ]
    assert [one.times for one in seen.listed()] == [2, 1]


def test_no_name_is_kept_longer_than_it_may_be() -> None:
    """What a stranger sends takes the memory that its bound allows."""
    seen = Observations(())
    seen.note_sent(["x" * 8000, "x" * 9000])
    assert [(len(one.name), one.times) for one in seen.listed()] == [(LONGEST_KEPT, 2)]


def test_a_flood_fills_its_own_room_and_no_other() -> None:
    """What strangers send drives out nothing that the app sets or a page asks for."""
    seen = Observations(())
    seen.note_events([set_by_the_app("stray"), host("tags.example")])
    for number in range(2000):
        seen.note_sent([f"junk{number}-{each}" for each in range(MOST_AT_ONCE)])
    listed = seen.listed()
    assert len(listed) == ROOM[SeenAs.SENT] + 2
    assert {"stray", "tags.example"} <= {one.name for one in listed}


def test_what_comes_again_and_again_outlives_a_flood_of_new_names() -> None:
    """Among the names of strangers, the one that every tenth visitor sends stays."""
    seen = Observations(())
    for number in range(5000):
        seen.note_sent([f"junk{number}"] if number % 10 else ["theme"])
    assert "theme" in {one.name for one in seen.listed()}


def test_what_comes_after_a_flood_is_seen() -> None:
    """A room full of junk is not closed: whoever attacked once does not hide what follows."""
    seen = Observations(())
    seen.note_sent([])
    for number in range(5000):
        seen.note_sent([f"junk{number}"])
    seen.note_sent(["theme"])
    assert "theme" in {one.name for one in seen.listed()}


def test_one_request_drives_out_few_names() -> None:
    """To find the least of a full room takes time, so a request may do it a few times."""
    seen = Observations(())
    seen.note_sent([f"old{each}" for each in range(ROOM[SeenAs.SENT])])
    seen.note_sent([f"new{each}" for each in range(MOST_AT_ONCE)])
    names = [one.name for one in seen.listed()]
    assert sum(name.startswith("new") for name in names) == MOST_FORGOTTEN
    assert len(names) == ROOM[SeenAs.SENT]


def test_one_request_is_looked_at_so_far_and_no_further() -> None:
    """The header of a stranger may have thousands of names."""
    seen = Observations(())

    def names() -> object:
        yield from map(str, range(MOST_AT_ONCE))
        raise AssertionError("looked at more")

    seen.note_sent(names())  # type: ignore[arg-type] # an iterable of names, and then no more
    assert len(seen.listed()) == MOST_AT_ONCE == ROOM[SeenAs.SENT]


EVENTS = st.builds(set_by_the_app, st.text(max_size=300)) | st.builds(host, st.text(max_size=300))


@given(st.lists(st.lists(EVENTS, max_size=80) | st.lists(st.text(max_size=300)), max_size=40))
def test_nothing_takes_more_than_its_bound(requests: list[list[Event] | list[str]]) -> None:
    """Whatever arrives in whatever order."""
    seen = Observations(())
    for request in requests:
        seen.note_events(one for one in request if isinstance(one, Event))
        seen.note_sent(one for one in request if isinstance(one, str))
    listed = seen.listed()
    assert len(listed) <= MOST_NAMES == 256
    assert all(len(one.name) <= LONGEST_KEPT for one in listed)
    assert all(sum(one.how is how for one in listed) <= ROOM[how] for how in SeenAs)
