"""Budgets in the way of calls: what they ask before a request is sent, and what they book when it has ended.

In: records of calls. Out: `BudgetExceeded`, and bookings. Nothing here waits for a ledger.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext

from otel_claude.budgets.account import Account
from otel_claude.budgets.book import RECENT_S, Admitted, Book, Charged
from otel_claude.budgets.budget import Budget
from otel_claude.budgets.exceeded import BudgetExceeded
from otel_claude.budgets.keeper import Keeper, Quietly
from otel_claude.budgets.ledgers import LedgerError, NoLedger, ledger_at
from otel_claude.budgets.money import picodollars
from otel_claude.budgets.plan import Plan
from otel_claude.call import Call
from otel_claude.diagnosis.estimates import estimated_tokens
from otel_claude.diagnosis.finding import Finding
from otel_claude.failsafe import guarded
from otel_claude.pricing import Cost
from otel_claude.usage import NOTHING, Usage
from otel_claude.values import whole

_log = logging.getLogger("otel_claude")

PAID = frozenset({"chat", "text_completion", "batch_create"})
"""Kinds of calls that cost something, though those of a batch only once its results are there."""

LATE_S = 5.0
"""How long a ledger may take, so that what others have written into a slot that is over is not missed."""

STALE = 2
"""After how many intervals the ledger is asked out of turn."""

Price = Callable[[Call, str, Usage], Cost | None]


class BudgetControl:
    """The budgets of a plan. `price` is asked what an answer would cost; `announce` gets each finding.

    What is done `quietly` is not to be told of. A ledger that cannot be opened is logged, and counts as one that does
    not answer.
    """

    def __init__(
        self, plan: Plan, price: Price, announce: Callable[[Finding], None], quietly: Quietly = nullcontext
    ) -> None:
        self._price = price
        self._book = Book(plan.budgets, LATE_S + 2 * plan.interval_s)
        try:
            ledger = ledger_at(plan.ledger)
        except LedgerError as error:
            _log.warning("otel_claude: the ledger of the budgets cannot be opened; accepted: %s", error)
            ledger = NoLedger(error)
        self._keeper = Keeper(
            self._book,
            ledger,
            announce,
            interval_s=plan.interval_s,
            fails_closed=plan.ledger_failure == "closed",
            quietly=quietly,
        )

    def admit(self, call: Call) -> None:
        """Asks whether a call may be sent, once: a middleware that asks again gets the same answer.

        Raises:
            BudgetExceeded: it may not.
        """
        if call.refusal is not None:
            raise call.refusal
        if call.admitted is not None or call.endpoint.kind not in PAID:
            return
        charged = self._book.charged(call.request.model, call.scopes, call.request.conversation)
        self._keep(charged)
        try:
            call.admitted = self._book.admit(charged, lambda: self._most(call))
        except BudgetExceeded as refusal:
            call.refusal = refusal
            raise

    @guarded(None)
    def settle(self, call: Call, cost: Cost | None) -> None:
        """Books what a call has cost."""
        admitted: Admitted | None = call.admitted
        if admitted is not None:
            call.admitted = None
            if self._book.settle(admitted, 0 if cost is None else picodollars(cost.total)):
                self._keeper.wake()
        for model, sums in call.batch.fresh.items() if call.batch is not None else ():
            charged = self._book.charged(model, call.scopes, call.request.conversation)
            self._keep(charged)
            if sums.cost is not None and self._book.spend(charged, picodollars(sums.cost.total)):
                self._keeper.wake()

    def accounts(self) -> Iterator[tuple[Budget, list[Account]]]:
        """All accounts that there are, by their budgets."""
        accounts = self._book.accounts()
        for budget in self._book.budgets:
            yield budget, [account for account in accounts if account.budget is budget]

    def spent(self, account: Account) -> int | None:
        """What has been spent of an account, in picodollars. `None` if the ledger was not asked lately, or not yet."""
        return self._book.spent(account) if account.is_known(self._book.now(), RECENT_S) else None

    @guarded(None)
    def flush(self) -> None:
        """Writes what there is to write, and reads what others have written. This waits for the ledger."""
        self._keeper.look()

    def close(self) -> None:
        """Writes what there is to write, and keeps no budget any more."""
        self._keeper.close()

    @guarded(None)
    def _keep(self, charged: Charged) -> None:
        if charged:
            self._keeper.start()
        if self._book.is_stale(charged, STALE * self._keeper.interval_s):
            self._keeper.wake()

    @guarded(None)
    def _most(self, call: Call) -> int | None:
        """About what a call could cost: its input, by its size, and all the tokens that it may answer with."""
        answer, model = whole(call.request.body.get("max_tokens")), call.request.model
        if answer is None or model is None or call.sent_bytes is None:
            return None
        cost = self._price(call, model, NOTHING._replace(input=estimated_tokens(call.sent_bytes), output=answer))
        return None if cost is None else picodollars(cost.total)
