"""What budgets give reason to say, as events in the making. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

from otel_claude import names
from otel_claude.budgets.account import Crossing
from otel_claude.budgets.budget import CONVERSATION
from otel_claude.budgets.money import dollars
from otel_claude.diagnosis.finding import Finding, Value

ALL = 100.0


def of_crossing(crossing: Crossing) -> Finding:
    """A threshold of a budget that was passed."""
    account = crossing.account
    budget = account.budget
    told: Mapping[str, Value | None] = {
        names.BUDGET_NAME: budget.name,
        names.BUDGET_PER: budget.per,
        names.BUDGET_SCOPE: account.scope,
        names.BUDGET_PERIOD: str(budget.period),
        names.BUDGET_THRESHOLD: crossing.percent / 100,
        names.BUDGET_LIMIT: dollars(budget.amount),
        names.BUDGET_SPENT: dollars(crossing.spent),
        names.BUDGET_ACTION: budget.action,
        names.BUDGET_RESETS_AT: datetime.fromtimestamp(crossing.resets_at, UTC).isoformat(timespec="seconds"),
        names.CONVERSATION: account.scope if budget.per == CONVERSATION else None,
    }
    severity = "ERROR" if crossing.percent >= ALL else "WARN"
    return Finding(names.BUDGET_EVENT, severity, {name: value for name, value in told.items() if value is not None})


def of_ledger(error: Exception | None) -> Finding:
    """A ledger that does not answer, or does again."""
    if error is None:
        return Finding(names.BUDGET_LEDGER_EVENT, "INFO", {names.BUDGET_LEDGER_STATE: "available"})
    told: dict[str, Value] = {names.BUDGET_LEDGER_STATE: "unavailable", names.ERROR_TYPE: type(error).__qualname__}
    return Finding(names.BUDGET_LEDGER_EVENT, "WARN", told)
