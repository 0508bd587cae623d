"""What was seen and is in no declaration, since the process started: for who runs the site.

It has never heard of requests: it is told of events and of names, and of no value.

Names are an app's, a page's or a stranger's words, and may hold identifiers; so they are kept in
memory alone, shown to nobody but the site's own people, and not logged again. Strangers choose what
their browsers send: each way of being seen has room of its own, and a full one forgets the name
that was seen least, so that a flood of new names passes and what comes again and again stays
(Metwally, Agrawal and El Abbadi, "Space-Saving", 2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from consentkit.rules.decision import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from consentkit.events import Asked, Event

__all__ = ["MOST_NAMES", "ROOM", "Observations", "SeenAs", "Sighting"]


class SeenAs(StrEnum):
    """How a name was seen, in words."""

    SET = "set by the app"
    SENT = "sent by a browser"
    ASKED = "asked for by a page"


ROOM: Final = MappingProxyType({SeenAs.SET: 128, SeenAs.SENT: 64, SeenAs.ASKED: 64})
"""Names that are remembered, by how they were seen."""
MOST_NAMES: Final = sum(ROOM.values())
LONGEST_KEPT: Final = 200
"""Characters of a name that are kept."""
MOST_AT_ONCE: Final = 64
"""Names of one request that are looked at."""
MOST_FORGOTTEN: Final = 8
"""Names that one request may drive out: to look for the least of a room takes its time."""

_ON_ITS_WAY_OUT: Final = frozenset({"undeclared", "blocked"})
"""What becomes of a cookie that the app sets; one that is ``hidden`` came with a browser."""


@dataclass(slots=True)
class Sighting:
    """A name that nobody declared: a host where it was asked for by a page, else a cookie's.

    `asked` is what the app asked for when it was first seen; `times` how often it was seen since.
    `weight` is how much stands against its being forgotten.
    """

    name: str
    how: SeenAs
    asked: Asked | None = None
    times: int = 1
    weight: int = 1

    def __str__(self) -> str:
        """A few words for people: how it was seen, and what was asked for."""
        return f"{self.how}, {self.asked}" if self.asked else str(self.how)


_weight = attrgetter("weight")


class Observations:
    """The names that were seen and are not declared, `MOST_NAMES` at most."""

    def __init__(self, own: Collection[str]) -> None:
        """`own` are the names of consentkit's own cookies, which need no declaration."""
        self._own = frozenset(own)
        self._rooms: dict[SeenAs, dict[str, Sighting]] = {how: {} for how in SeenAs}

    def note_events(self, events: Iterable[Event]) -> None:
        """Take what enforcement did into account, where it was about what nobody declared."""
        undeclared = (
            event
            for event in events
            if event.decision is not None and event.decision.reason is Reason.UNDECLARED
        )
        self._note(
            Sighting(event.name, SeenAs.ASKED)
            if event.what == "host"
            else Sighting(event.name, SeenAs.SET, event.asked)
            for event in undeclared
            if event.what == "host" or (event.what == "cookie" and event.act in _ON_ITS_WAY_OUT)
        )

    def note_sent(self, names: Iterable[str]) -> None:
        """Take cookies into account that a browser sent and nobody declared."""
        self._note(Sighting(name, SeenAs.SENT) for name in names)

    def _note(self, sightings: Iterable[Sighting]) -> None:
        forgotten = 0
        for new in islice(sightings, MOST_AT_ONCE):
            new.name = new.name[:LONGEST_KEPT]
            room = self._rooms[new.how]
            known = room.get(new.name)
            if known is not None:
                known.times += 1
                known.weight += 1
            elif new.name in self._own:
                continue
            elif len(room) < ROOM[new.how]:
                room[new.name] = new
            elif forgotten < MOST_FORGOTTEN:
                forgotten += 1
                least = min(room.values(), key=_weight)
                new.weight += least.weight
                del room[least.name]
                room[new.name] = new

    def listed(self) -> list[Sighting]:
        """What is remembered, by how it was seen and then by name; a cookie stands once.

        What the app sets comes back with the browser: there it is left out.
        """
        by_app = self._rooms[SeenAs.SET]
        return [
            one
            for how, room in self._rooms.items()
            for _, one in sorted(room.items())
            if how is not SeenAs.SENT or one.name not in by_app
        ]
