"""A bounded memory: what is asked for stays, what is not is forgotten.

It has never heard of what it holds.

Two generations of plain dicts stand in for a least-recently-used list: a look-up of something
fresh costs one dict access, and nothing is ever sorted or counted on the way.
"""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["Memory"]

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Remembers under a key; holds at most twice `entries` entries, and not much over `size`.

    `size` is in the bytes that `put` is told of. When a generation is full the one before it is
    forgotten; what was asked for meanwhile has moved to the young one.
    """

    __slots__ = ("_entries", "_free", "_old", "_size", "_young")

    def __init__(self, entries: int, size: int) -> None:
        """Remember nothing yet."""
        self._entries, self._size = entries, size
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._free = size

    def get(self, key: K) -> V | None:
        """What was put under `key`, or None."""
        found = self._young.get(key)
        if found is None and (found := self._old.pop(key, None)) is not None:
            self.put(key, found, 0)
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old, self._free = {}, {}, self._size

    def put(self, key: K, value: V, size: int) -> None:
        """Remember `value`, which takes about `size` bytes."""
        self._free -= size
        if self._free < 0 or len(self._young) >= self._entries:
            self._old, self._young, self._free = self._young, {}, self._size - size
        self._young[key] = value
