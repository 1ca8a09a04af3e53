"""What was seen lately, in a bounded memory.

In: keys and values. Out: the value of a key that was asked for or set lately. Pure.

There are two halves, a young and an old one. What is used goes into the young one; when that is full it becomes the
old one, and what was in the old one is forgotten. So what goes first is what was not used for longest, but for the
order within a half. Nothing is locked, so that a fork cannot leave a lock held: two threads at the same moment may
count as one.
"""

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Remembers at most `most` keys, and at least half as many."""

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """The value of a key, which counts as used. `None`: never seen, or forgotten."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Sets the value of a key."""
        if len(self._young) >= self._half and key not in self._young:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())
