"""The exception that an application gets in place of an answer, once a budget that blocks is spent."""

from datetime import UTC, datetime


class BudgetExceeded(Exception):
    """Nothing was sent, since a budget with `action = "block"` does not allow it.

    Attributes:
        budget: its name.
        scope: the tenant, or whatever it is `per`, whose budget it is; `None` for a budget of all calls.
        spent: US dollars in its period so far, by all processes, as far as this one knows.
        limit: US dollars that it has.
        resets_at: when there is something left again, an aware time in UTC.
        reason: why, in a sentence: the message.
    """

    def __init__(
        self, budget: str, *, scope: str | None, spent: float, limit: float, resets_at: float, reason: str
    ) -> None:
        super().__init__(reason)
        self.budget = budget
        self.scope = scope
        self.spent = spent
        self.limit = limit
        self.resets_at = datetime.fromtimestamp(resets_at, UTC)
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        facts = {"scope": self.scope, "spent": self.spent, "limit": self.limit, "resets_at": self.resets_at.timestamp()}
        return _again, (type(self), self.budget, {**facts, "reason": self.reason})


def _again(kind: type[BudgetExceeded], budget: str, facts: dict[str, object]) -> BudgetExceeded:
    """What unpickling calls: an exception's own way does not know keyword arguments."""
    return kind(budget, **facts)  # pyright: ignore[reportArgumentType]  # they are what __reduce__ gave
