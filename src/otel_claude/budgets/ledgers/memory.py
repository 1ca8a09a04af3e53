"""The ledger of one process: its own book is all that there is."""

from collections.abc import Sequence

from otel_claude.budgets.ledgers import Line, Totals


class MemoryLedger:
    """Knows nothing but what it is told."""

    closes_at_fork = False

    def write(self, lines: Sequence[Line]) -> Totals:
        """Gives back what it gets."""
        return Totals([line.amount or 0 for line in lines])

    def claim(self, name: str, expires_at: float) -> bool:
        """Always: an account tells each of its thresholds once."""
        return True

    def close(self) -> None:
        """There is nothing to let go of."""

    def after_fork(self) -> None:
        """Nor anything of the parent's."""
