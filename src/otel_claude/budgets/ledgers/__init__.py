"""Where the books of several processes come together.

In: what each writer has spent in a slot so far, as a sum that only grows. Out: what all writers have spent in it. A sum
that is written twice, or again after the ledger has lost something, changes nothing: so a ledger may fail at any time.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from otel_claude.budgets.ledgers.address import ACCEPTED, file_of


class Line(NamedTuple):
    """What a `writer` has spent in a slot of an account so far, `None` if it only asks for the total.

    Amounts are picodollars. After `expires_at`, in seconds since the epoch, nobody asks for the slot any more.
    """

    slot: str
    writer: str
    amount: int | None
    expires_at: float


class Totals(NamedTuple):
    """What all writers have spent, line by line, and what the time is by the ledger's clock, where it has its own.

    A ledger that `has_lost` what this process has written before is to be told all of it again.
    """

    amounts: Sequence[int]
    now: float | None = None
    has_lost: bool = False


class LedgerError(Exception):
    """A ledger cannot be opened as it is written. The message says what is accepted."""


class Ledger(Protocol):
    """May raise anything, and be slow: it is used by one thread that nobody waits for."""

    def write(self, lines: Sequence[Line]) -> Totals:
        """Takes the sums of a writer, and gives the totals of their slots."""
        ...

    def claim(self, name: str, expires_at: float) -> bool:
        """Whether nobody has claimed the name before, or not until it was over."""
        ...

    def listed(self) -> Iterator[tuple[str, int]]:
        """All slots that it has, with their totals, in any order. It makes nothing, not even itself.

        Raises:
            LedgerError: there is none.
        """
        ...

    def close(self) -> None:
        """Lets go of connections. It may be used again."""
        ...

    @property
    def closes_at_fork(self) -> bool:
        """Whether no connection may be open, and none in use, when the process is forked."""
        ...

    def after_fork(self) -> None:
        """In a child: connections are the parent's."""
        ...


class NoLedger:
    """Stands for a ledger that cannot be opened: it never answers."""

    closes_at_fork = False

    def __init__(self, why: LedgerError) -> None:
        self._why = why

    def write(self, lines: Sequence[Line]) -> Totals:
        """Raises the error with which opening has failed."""
        raise self._why

    def claim(self, name: str, expires_at: float) -> bool:
        """Raises the same."""
        raise self._why

    def listed(self) -> Iterator[tuple[str, int]]:
        """Raises the same."""
        raise self._why

    def close(self) -> None:
        """There is nothing to let go of."""

    def after_fork(self) -> None:
        """Nor anything of the parent's."""


def ledger_at(url: str) -> Ledger:
    """The ledger of an address: `memory`, `sqlite:///absolute/path` or `redis://host:port/number`.

    Raises:
        LedgerError: it is none of these, or its package is not installed.
    """
    scheme = url.partition(":")[0]
    if scheme == "memory":
        from otel_claude.budgets.ledgers.memory import MemoryLedger

        return MemoryLedger()
    if (path := file_of(url)) is not None:
        from otel_claude.budgets.ledgers.sqlite import SqliteLedger

        return SqliteLedger(path)
    if scheme in ("redis", "rediss", "unix"):
        from otel_claude.budgets.ledgers.redis import RedisLedger

        return RedisLedger(url)
    raise LedgerError(ACCEPTED)
