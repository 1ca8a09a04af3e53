"""Values that are kept once each, whatever the order in which they come, and however often.

In: keys of four whole numbers, with the time and the value of each. Out: the latest value of each key, in the order of
the keys. So many as there is room for are in memory, and the others in a temporary file.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple


class Key(NamedTuple):
    """Whose value it is: of a writer, of one of its series since a start, and what tells its values apart."""

    writer: int
    series: int
    start: int
    slot: int


class Cell(NamedTuple):
    """A value and its time in nanoseconds."""

    key: Key
    time: int
    value: int | float


MOST_IN_MEMORY = 150_000
"""About 50 MB."""

_CREATE = """
CREATE TABLE cells (writer INTEGER, series INTEGER, start INTEGER, slot INTEGER, time INTEGER, value,
PRIMARY KEY (writer, series, start, slot)) WITHOUT ROWID
"""
_INSERT = """
INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET time = excluded.time, value = excluded.value
WHERE (excluded.time, excluded.value) > (time, value)
"""


class Cells:
    """The latest value of each key: the greater one where two have the same time. Numbers are of up to 64 bits."""

    def __init__(self, most: int = MOST_IN_MEMORY) -> None:
        self._most = most
        self._cells: dict[Key, tuple[int, int | float]] = {}
        self._file: sqlite3.Connection | None = None

    def put(self, key: Key, time: int, value: float) -> bool:
        """Keeps a value. False where it and another of its key do not both rise, or stay, with time."""
        new = (time, value)
        old = self._cells.get(key, new)
        self._cells[key] = max(old, new)
        if len(self._cells) > self._most:
            self._write()
        return time == old[0] or (time > old[0]) == (value >= old[1]) or value == old[1]

    def sorted(self) -> Iterator[Cell]:
        """The latest value of each key, in the order of the keys."""
        if self._file is None:
            for key in sorted(self._cells):
                yield Cell(key, *self._cells[key])
            return
        self._write()
        for writer, series, start, slot, time, value in self._file.execute(
            "SELECT * FROM cells ORDER BY writer, series, start, slot"
        ):
            yield Cell(Key(writer, series, start, slot), time, value)

    def clear(self) -> None:
        """Forgets everything."""
        self._cells.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self) -> None:
        if self._file is None:
            # A database without a name is a file of its own that nobody else sees, gone when it is closed.
            self._file = sqlite3.connect("", isolation_level=None)
            for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32000"):
                self._file.execute(f"PRAGMA {setting}")
            self._file.execute(_CREATE)
        self._file.execute("BEGIN")
        self._file.executemany(_INSERT, ((*key, *self._cells[key]) for key in sorted(self._cells)))
        self._file.execute("COMMIT")
        self._cells.clear()
