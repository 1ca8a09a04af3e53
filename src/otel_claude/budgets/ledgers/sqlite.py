"""A ledger for the processes of one machine: an SQLite file in WAL mode.

`spent` has the sum of each writer, and under the writer `""` the total of the slot; `claimed` the thresholds that have
been told of. What has expired is deleted when the file is opened, and from time to time.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from otel_claude.budgets.ledgers import LedgerError, Line, Totals

WAIT_S = 2.0
"""How long a write waits for those of other processes."""

CLEAN_EVERY_S = 3_600.0

TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS spent (
    slot TEXT, writer TEXT, amount INTEGER NOT NULL, expires_at REAL NOT NULL, PRIMARY KEY (slot, writer)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claimed (name TEXT PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;
"""

TOTAL = ""
"""The writer under which the total of a slot is kept."""

WRITE = """
INSERT INTO spent VALUES (?, ?, ?, ?)
ON CONFLICT (slot, writer) DO UPDATE SET amount = excluded.amount, expires_at = excluded.expires_at
"""
READ = "SELECT amount FROM spent WHERE slot = ? AND writer = ?"


_inherited: list[sqlite3.Connection] = []
"""Connections of parents, kept so that nothing closes them."""


class SqliteLedger:
    """The file at `path`, which is made if it is not there; its folder has to be."""

    closes_at_fork = True
    """A child that has inherited an open file could not even close it. https://www.sqlite.org/howtocorrupt.html"""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._file: sqlite3.Connection | None = None
        self._known_as = 0
        self._cleaned_at = 0.0
        self._is_gone = False

    def write(self, lines: Sequence[Line]) -> Totals:
        """In one transaction: it is there as a whole or not at all, whatever becomes of the process."""
        file = self._open()
        file.execute("BEGIN IMMEDIATE" if any(line.amount for line in lines) else "BEGIN")
        try:
            amounts = [self._written(file, line) for line in lines]
            file.execute("COMMIT")
        except BaseException:
            file.execute("ROLLBACK")
            raise
        has_lost, self._is_gone = self._is_gone, False
        return Totals(amounts, has_lost=has_lost)

    def claim(self, name: str, expires_at: float) -> bool:
        """Whether the name is not in the table of those that are claimed, or has expired."""
        file = self._open()
        claimed = file.execute(
            "INSERT INTO claimed VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at"
            " WHERE claimed.expires_at <= ?",
            (name, expires_at, time.time()),
        )
        return claimed.rowcount > 0

    def listed(self) -> Iterator[tuple[str, int]]:
        """The slots that have not expired, of a file that is opened for reading only."""
        if not self._path.is_file():
            raise LedgerError("there is no such file")
        file = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=WAIT_S)
        with closing(file):
            yield from file.execute(
                "SELECT slot, amount FROM spent WHERE writer = ? AND expires_at >= ?", (TOTAL, time.time())
            )

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def after_fork(self) -> None:
        """Leaves alone what was not closed in time: a child could not even close it."""
        if self._file is not None:
            _inherited.append(self._file)
            self._file = None

    def _written(self, file: sqlite3.Connection, line: Line) -> int:
        if line.amount:
            more = line.amount - _amount(file, line.slot, line.writer)
            if more:
                # Added here: what SQLite adds beyond 64 bits becomes a float, and what is given to it is refused.
                total = _amount(file, line.slot, TOTAL) + more
                file.execute(WRITE, (line.slot, line.writer, line.amount, line.expires_at))
                file.execute(WRITE, (line.slot, TOTAL, total, line.expires_at))
        return _amount(file, line.slot, TOTAL)

    def _is_there(self) -> bool:
        """Whether the file is the one that was opened, and not deleted or another."""
        try:
            return self._path.stat().st_ino == self._known_as
        except OSError:
            return False

    def _open(self) -> sqlite3.Connection:
        now = time.time()
        if self._file is not None and not self._is_there():
            self.close()
            self._is_gone = True
        if self._file is None:
            # Used by one thread at a time: the keeper's, or the one that ends the process.
            file = sqlite3.connect(self._path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
            try:
                file.executescript(TABLES)
            except BaseException:
                file.close()
                raise
            self._file, self._known_as = file, self._path.stat().st_ino
        if now - self._cleaned_at > CLEAN_EVERY_S:
            self._cleaned_at = now
            for table in ("spent", "claimed"):
                self._file.execute(f"DELETE FROM {table} WHERE expires_at < ?", (now,))  # noqa: S608  # names of ours
        return self._file


def _amount(file: sqlite3.Connection, slot: str, writer: str) -> int:
    known: tuple[int] | None = file.execute(READ, (slot, writer)).fetchone()
    return known[0] if known else 0
