"""What may be spent, on what, and what happens then. Pure.

In: what the user has written. Out: `Budget` objects, which know whether a call is theirs.
"""

from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from otel_claude.budgets.periods import Period

CONVERSATION = "conversation"
"""What a budget is `per` when each conversation has its own."""

Action = Literal["warn", "block"]


class Budget(NamedTuple):
    """So many picodollars, the `amount`, for a period.

    `models` is a pattern, with `*` and `?`, for the names of models that requests ask for. With `per`, each value of
    that entry of the baggage has the amount for itself, or each conversation; calls without it are not counted.
    `thresholds` are percents of the amount. `block` refuses calls once it is spent. With `reserve`, a call is refused
    when the most that it could cost is more than what is left.
    """

    name: str
    amount: int
    period: Period
    models: str | None = None
    per: str | None = None
    thresholds: tuple[float, ...] = (50.0, 80.0, 100.0)
    action: Action = "warn"
    reserve: bool = False

    def is_for(self, model: str | None) -> bool:
        """Whether it holds for calls that ask for this model."""
        return self.models is None or (model is not None and fnmatchcase(model.lower(), self.models.lower()))
