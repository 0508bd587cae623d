"""What a browser says on its owner's behalf: Global Privacy Control and Do Not Track.

It has never heard of headers as such: it is given their values.

A signal never grants anything. GPC is on if at least one value is exactly ``1``
(W3C Global Privacy Control §3; LAW R-36); every other value is no signal.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NO_SIGNALS", "Signal", "read_signals"]


class Signal(StrEnum):
    """A signal a purpose may honour."""

    GPC = "gpc"
    DNT = "dnt"


NO_SIGNALS: frozenset[Signal] = frozenset()


def read_signals(gpc: Iterable[bytes], dnt: Iterable[bytes]) -> frozenset[Signal]:
    """The signals that are on.

    `gpc` and `dnt` are all values of ``Sec-GPC`` and ``DNT``, in any order.
    """
    on = [signal for signal, values in ((Signal.GPC, gpc), (Signal.DNT, dnt)) if b"1" in values]
    return frozenset(on) if on else NO_SIGNALS
