"""The gauges of budgets.

In: what a process knows of its accounts. Out: observations, when metrics are collected.
"""

import heapq
from collections.abc import Callable, Iterator

from opentelemetry.metrics import Observation

from otel_claude.budgets.account import Account
from otel_claude.budgets.book import RECENT_S
from otel_claude.budgets.budget import CONVERSATION, Budget
from otel_claude.budgets.control import BudgetControl
from otel_claude.budgets.money import dollars
from otel_claude.emitting import names
from otel_claude.emitting.instruments import BUDGET_LIMIT, BUDGET_SPENT
from otel_claude.emitting.observed import Observed

MOST_SCOPES = 20
"""Of how many tenants, or whatever a budget is per, it is shown what they have spent: those that have spent most."""


class BudgetGauges:
    """Shows the accounts of `control`, until it is to `stop`."""

    def __init__(self, control: BudgetControl, observed: Observed) -> None:
        self._control = control
        self._observed = observed
        self._sources: dict[str, Callable[[], list[Observation]]] = {
            BUDGET_LIMIT.name: self._limits,
            BUDGET_SPENT.name: self._spent,
        }
        for name, source in self._sources.items():
            observed.sources[name].append(source)

    def stop(self) -> None:
        """Shows nothing any more."""
        for name, source in self._sources.items():
            self._observed.sources[name].remove(source)

    def _limits(self) -> list[Observation]:
        return [
            Observation(dollars(budget.amount), {names.BUDGET_NAME: budget.name})
            for budget, _ in self._control.accounts()
        ]

    def _spent(self) -> list[Observation]:
        now = self._control.now()
        return [
            Observation(spent, labels)
            for budget, accounts in self._control.accounts()
            for spent, labels in _points(budget, accounts, now)
        ]


def _points(budget: Budget, accounts: list[Account], now: float) -> Iterator[tuple[float, dict[str, str]]]:
    """What is known to be spent. Nothing is known before the ledger has been read."""
    labels = {names.BUDGET_NAME: budget.name}
    known = [(account.spent_usd(now), account.scope) for account in accounts if account.is_known(now, RECENT_S)]
    if budget.per == CONVERSATION:
        # Ids are no values for metrics: the one that has spent most stands for all.
        known = [(spent, None) for spent, _ in known]
    shown = heapq.nlargest(1 if budget.per == CONVERSATION else MOST_SCOPES, known, key=lambda one: one[0])
    for spent, scope in shown:
        yield spent, labels if scope is None else {**labels, names.BUDGET_SCOPE: scope}
