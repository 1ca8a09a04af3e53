"""The gauges of budgets.

In: what a process knows of its accounts. Out: observations, when metrics are collected.
"""

import heapq
from collections.abc import Callable, Iterator

from opentelemetry.metrics import Observation

from otel_claude import names
from otel_claude.budgets.account import Account
from otel_claude.budgets.budget import CONVERSATION, Budget
from otel_claude.budgets.control import BudgetControl
from otel_claude.budgets.money import dollars
from otel_claude.emitting.instruments import BUDGET_LIMIT, BUDGET_SPENT
from otel_claude.emitting.observed import Observed

MOST_SHOWN = 20
"""Of how many tenants, or whatever a budget is per, it is shown what they have spent: those that have spent most."""

MOST_SCOPES = 100
"""Of how many it is ever shown in the life of a process."""


class BudgetGauges:
    """Shows the accounts of `control`, until it is to `stop`."""

    def __init__(self, control: BudgetControl, observed: Observed) -> None:
        self._control = control
        self._observed = observed
        self._shown: set[tuple[str, str]] = set()
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
        return [
            Observation(dollars(spent), labels)
            for budget, accounts in self._control.accounts()
            for spent, labels in self._points(budget, accounts)
        ]

    def _points(self, budget: Budget, accounts: list[Account]) -> Iterator[tuple[int, dict[str, str]]]:
        """What is known to be spent."""
        labels = {names.BUDGET_NAME: budget.name}
        asked = ((self._control.spent(account), account.scope) for account in accounts)
        known = [(spent, scope) for spent, scope in asked if spent is not None]
        if budget.per == CONVERSATION:
            # Ids are no values for metrics: the one that has spent most stands for all.
            yield from ((spent, labels) for spent, _ in heapq.nlargest(1, known))
            return
        for spent, scope in heapq.nlargest(MOST_SHOWN, known, key=lambda one: one[0]):
            if scope is None:
                yield spent, labels
            elif (budget.name, scope) in self._shown or len(self._shown) < MOST_SCOPES:
                self._shown.add((budget.name, scope))
                yield spent, {**labels, names.BUDGET_SCOPE: scope}
