"""The ledger of one process: it has what accounts have spent that the book has forgotten."""

import time
from collections.abc import Iterator, Sequence

from otel_claude.budgets.ledgers import Line, Totals

CLEAN_EVERY = 1_000
"""After how many writes what has expired is forgotten."""


MOST_SLOTS = 50_000
"""Those that came first are forgotten then: of conversations and tenants that nobody hears of any more."""


class MemoryLedger:
    """Dictionaries: the sums of each slot by their writers, and what is claimed."""

    closes_at_fork = False

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """A child has spent nothing yet."""
        self._spent: dict[str, tuple[dict[str, int], float]] = {}
        self._claimed: dict[str, float] = {}
        self._writes = 0

    def write(self, lines: Sequence[Line]) -> Totals:
        """The sums of all writers of a slot, whether the book still knows them or not."""
        self._writes += 1
        if self._writes % CLEAN_EVERY == 0:
            now = time.time()
            self._spent = {slot: kept for slot, kept in self._spent.items() if kept[1] > now}
            self._claimed = {name: until for name, until in self._claimed.items() if until > now}
        for line in lines:
            if line.amount is not None:
                self._spent.setdefault(line.slot, ({}, line.expires_at))[0][line.writer] = line.amount
        while len(self._spent) > MOST_SLOTS:
            del self._spent[next(iter(self._spent))]
        return Totals([sum(self._spent[line.slot][0].values()) if line.slot in self._spent else 0 for line in lines])

    def claim(self, name: str, expires_at: float) -> bool:
        """Whether the name is not claimed, or not any more."""
        if self._claimed.get(name, 0.0) > time.time():
            return False
        self._claimed[name] = expires_at
        return True

    def listed(self) -> Iterator[tuple[str, int]]:
        """The slots of this process."""
        for slot, (amounts, _) in self._spent.items():
            yield slot, sum(amounts.values())

    def close(self) -> None:
        """There is nothing to let go of."""
