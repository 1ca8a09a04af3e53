"""What is known of one account: a budget, for one value of what it is per.

In: what this process spends, and what the ledger says of the others. Out: what has been spent. Pure. Not safe under
threads: the book locks.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from otel_claude.budgets.budget import Budget
from otel_claude.budgets.periods import Slot

GRACE_S = 3_600.0
"""How long a slot is remembered after it counts no more."""


def passed_less(then: float, now: float, seconds: float) -> bool:
    """Whether less time has passed since then. Clocks are set right now and then: what is to come has not been."""
    return 0 <= now - then < seconds


class Entry:
    """What was spent in one slot: by this `writer`, and by `others` as of the last word of the ledger.

    `writer` names this entry among all that are ever written to the ledger: a new one never takes the place of an old.
    `written` is how much of `own` the ledger has, as far as is known. Telling it a sum twice does no harm. The ledger
    has last answered for it at the time `read`.
    """

    __slots__ = ("others", "own", "read", "slot", "writer", "written")

    def __init__(self, slot: Slot, writer: str) -> None:
        self.slot = slot
        self.writer = writer
        self.own = 0
        self.others = 0
        self.written = 0
        self.read = 0.0

    def is_final(self, at: float, late_s: float) -> bool:
        """Whether the ledger has all of it: it has answered so long after the end of the slot, and all is written."""
        return self.own == self.written and self.slot.end + late_s <= self.read <= at


class Crossing(NamedTuple):
    """A threshold, in percent, that is passed. Whoever is first to claim its `name` tells of it, until it is over.

    So much was `spent` then, and there is something left again at a time.
    """

    account: "Account"
    percent: float
    name: str
    until: float
    spent: int
    resets_at: float


class Account:
    """`scope` is the value of what the budget is per, `None` where it is for all.

    There are so many calls `in_flight`, for which so much is `reserved`. It was last `used` at a time. The ledger was
    last `asked` for it, and has answered (`read`), at times; `asked_whole`, with slots in which nothing is spent any
    more. `new_writer` makes up names.
    """

    def __init__(self, budget: Budget, scope: str | None, new_writer: Callable[[], str]) -> None:
        self.budget = budget
        self.scope = scope
        self._new_writer = new_writer
        self.in_flight = 0
        self.reserved = 0
        self.used = 0.0
        self.asked = 0.0
        self.asked_whole = 0.0
        self.read = 0.0
        self.entries: dict[str, Entry] = {}
        self._entry: Entry | None = None
        self._told: dict[str, float] = {}

    @property
    def name(self) -> str:
        """What the ledger knows it as."""
        return self.budget.name if self.scope is None else f"{self.budget.name}/{self.scope}"

    @property
    def is_written(self) -> bool:
        """Whether the ledger has all that there is."""
        return all(entry.own == entry.written for entry in self.entries.values())

    def is_idle(self, at: float, after_s: float) -> bool:
        """Whether it is one of many that nobody has used for so long, so that the ledger need not be asked."""
        return self.scope is not None and self.is_written and not passed_less(self.used, at, after_s)

    def is_known(self, at: float, after_s: float) -> bool:
        """Whether the ledger has answered, and not so long ago that others may have spent more since."""
        return passed_less(self.read, at, 2 * after_s)

    def spend(self, amount: int, at: float) -> None:
        """Books an amount in the slot of the time."""
        self.entry(at).own += amount

    def spent(self, at: float) -> int:
        """What has been spent as of a time, by everybody."""
        if self.budget.period.kind != "rolling":
            entry = self.entry(at)
            return entry.own + entry.others
        self.entry(at)
        return sum(entry.own + entry.others for entry in self.entries.values() if entry.slot.counts_until > at)

    def entry(self, at: float) -> Entry:
        """That of the slot of a time."""
        entry = self._entry
        if entry is None or not entry.slot.start <= at < entry.slot.end:
            slots = self.budget.period.slots(at)
            for slot in slots:
                if slot.name not in self.entries:
                    self.entries[slot.name] = Entry(slot, self._new_writer())
            entry = self._entry = self.entries[slots[0].name]
        return entry

    def resets_at(self, at: float, needed: int = 1) -> float:
        """When there is so much left, or of a rolling period, of which there is, more than now."""
        if self.budget.period.kind != "rolling":
            return self.entry(at).slot.end
        spent, until = self.spent(at), at
        for entry in sorted(self.entries.values(), key=lambda entry: entry.slot.end):
            amount = entry.own + entry.others
            if amount and entry.slot.counts_until > at:
                spent, until = spent - amount, entry.slot.counts_until
                if spent + needed <= self.budget.amount:
                    break
        return until

    def forget(self, at: float) -> None:
        """Forgets slots that have not counted for some time, as clocks are set back, and that the ledger has."""
        for name, entry in list(self.entries.items()):
            if entry.slot.counts_until + GRACE_S <= at and entry.own == entry.written and entry is not self._entry:
                del self.entries[name]
        self._told = {name: until for name, until in self._told.items() if until > at}

    def crossings(self, at: float) -> Iterator[Crossing]:
        """The thresholds that have been passed and not been told of."""
        spent, slot, length_s = self.spent(at), self.entry(at).slot, self.budget.period.length_s
        for percent in self.budget.thresholds:
            if spent * 100 >= self.budget.amount * percent:
                # A budget that is raised tells again.
                name = f"{self.name}/{length_s or slot.name}/{self.budget.amount}/{percent:g}"
                until = at + length_s if length_s else slot.end
                if self._told.get(name, 0.0) <= at:
                    yield Crossing(self, percent, name, until, spent, self.resets_at(at))

    def mark_told(self, crossing: Crossing) -> None:
        """Notes that somebody has told of a threshold. That is done once in a period."""
        self._told[crossing.name] = crossing.until
