"""Budgets in the way of calls: what they ask before a request is sent, and what they book when it has ended.

In: records of calls. Out: `BudgetExceeded`, and bookings. Nothing here waits for a ledger.
"""

from collections.abc import Callable, Iterator

from otel_claude.budgets.account import Account
from otel_claude.budgets.book import Book, Charged
from otel_claude.budgets.budget import Budget
from otel_claude.budgets.keeper import Keeper
from otel_claude.budgets.ledgers import ledger_at
from otel_claude.budgets.money import picodollars
from otel_claude.budgets.plan import Plan
from otel_claude.call import Call
from otel_claude.diagnosis.estimates import estimated_tokens
from otel_claude.diagnosis.finding import Finding
from otel_claude.failsafe import guarded
from otel_claude.pricing import Cost
from otel_claude.usage import NOTHING, Usage
from otel_claude.values import whole

PAID = frozenset({"chat", "text_completion", "batch_create"})
"""Kinds of calls that cost something, though those of a batch only once its results are there."""

STALE = 2
"""After how many intervals the ledger is asked out of turn."""

Price = Callable[[Call, str, Usage], Cost | None]


class BudgetControl:
    """The budgets of a plan. `price` is asked what an answer would cost; `announce` gets each finding.

    Raises:
        LedgerError: the ledger of the plan cannot be had.
    """

    def __init__(self, plan: Plan, price: Price, announce: Callable[[Finding], None]) -> None:
        self._price = price
        self._book = Book(plan.budgets)
        self._keeper = Keeper(
            self._book,
            ledger_at(plan.ledger),
            announce,
            interval_s=plan.interval_s,
            fails_closed=plan.ledger_failure == "closed",
        )

    def admit(self, call: Call) -> None:
        """Asks whether a call may be sent.

        Raises:
            BudgetExceeded: it may not.
        """
        if call.endpoint.kind in PAID:
            charged = self._book.charged(call.request.model, call.scopes, call.request.conversation)
            self._keep(charged)
            call.reserved = self._book.admit(charged, lambda: self._most(call))
            call.charged = charged

    @guarded(None)
    def settle(self, call: Call, cost: Cost | None) -> None:
        """Books what a call has cost."""
        if call.charged is not None:
            charged: Charged = call.charged
            call.charged = None
            self._book.release(charged, call.reserved)
            self._spend(charged, cost)
        for model, sums in call.batch.fresh.items() if call.batch is not None else ():
            charged = self._book.charged(model, call.scopes, call.request.conversation)
            self._keep(charged)
            self._spend(charged, sums.cost)

    def _spend(self, charged: Charged, cost: Cost | None) -> None:
        if cost is not None and self._book.spend(charged, picodollars(cost.total)):
            self._keeper.wake()

    def accounts(self) -> Iterator[tuple[Budget, list[Account]]]:
        """All accounts that there are, by their budgets."""
        accounts = self._book.accounts()
        for budget in self._book.budgets:
            yield budget, [account for account in accounts if account.budget is budget]

    def now(self) -> float:
        """The time, as the ledger has it."""
        return self._book.now()

    @guarded(None)
    def flush(self) -> None:
        """Writes what there is to write, and reads what others have written. This waits for the ledger."""
        self._keeper.look()

    def close(self) -> None:
        """Writes what there is to write, and keeps no budget any more."""
        self._keeper.close()

    def _keep(self, charged: Charged) -> None:
        if charged:
            self._keeper.start()
        if self._book.is_stale(charged, STALE * self._keeper.interval_s):
            self._keeper.wake()

    @guarded(None)
    def _most(self, call: Call) -> int | None:
        """The most that a call could cost: its input, by its size, and all the tokens that it may answer with."""
        answer, model = whole(call.request.body.get("max_tokens")), call.request.model
        if answer is None or model is None or call.sent_bytes is None:
            return None
        cost = self._price(call, model, NOTHING._replace(input=estimated_tokens(call.sent_bytes), output=answer))
        return None if cost is None else picodollars(cost.total)
