"""What this process knows of all accounts.

In: which calls are made and what they cost, and the totals of the ledger. Out: whether a call may be made, lines for
the ledger, and thresholds that were passed. Pure but for the clock. Safe under threads; nothing here waits.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import NamedTuple
from uuid import uuid4

from otel_claude.budgets.account import Account, Crossing, Entry, passed_less
from otel_claude.budgets.budget import CONVERSATION, Budget
from otel_claude.budgets.exceeded import BudgetExceeded
from otel_claude.budgets.ledgers import Line, Totals
from otel_claude.budgets.money import dollars, picodollars

MOST_ACCOUNTS = 10_000
"""How many accounts are remembered. One that is forgotten loses nothing: the ledger has it, and it begins anew."""

RECENT_S = 60.0
"""For how long after its last call the account of a tenant, or of whatever a budget is per, is read each time."""

SELDOM_S = 300.0
"""How often it is after that, and written again, in case that the ledger has lost it. Its next call asks for it."""

LONGEST_SCOPE = 128
"""How many characters tell one value of a scope from another."""

KEPT_S = 86_400.0
"""How much longer than needed the ledger keeps a slot, for whoever could not write to it in time."""

ALL = 100.0
"""Percent: when a budget that blocks is spent, the others have to know."""

Charged = Sequence[Account]
"""The accounts that a call is booked on."""


class Admitted(NamedTuple):
    """A call that may be made: the accounts that it is charged on, and what was reserved in each, in picodollars.

    It is of a `process`: a child that ends a call of its parent books nothing, as the parent will.
    """

    charged: Charged
    reserved: int
    process: str


class Pending(NamedTuple):
    """Lines for the ledger, and what they were made of."""

    lines: Sequence[Line]
    entries: Sequence[tuple[Account, Entry]]


class Book:
    """The accounts of `budgets`. `is_open` is false when the ledger is gone and calls are not to be made without it.

    `is_timed` is false until the ledger has told the time, or that it has none: nothing is written before, as it might
    be in the wrong day. What others write comes `late_s` seconds after they have spent it, at the latest.
    """

    def __init__(self, budgets: Sequence[Budget], late_s: float = 5.0) -> None:
        self.budgets = budgets
        self.is_open = True
        self.is_timed = False
        self._late_s = late_s
        self._accounts: OrderedDict[tuple[str, str | None], Account] = OrderedDict()
        self._charged: dict[tuple[str | None, ...], Charged] = {}
        self._scopes = tuple(dict.fromkeys(budget.per for budget in budgets if budget.per))
        self._ahead_s = 0.0
        self.after_fork()

    def after_fork(self) -> None:
        """In a child, whose calls are its own: what the parent has spent is the parent's to tell."""
        self._lock = threading.RLock()
        self._process, self._numbers = uuid4().hex, count()
        self._accounts.clear()
        self._charged.clear()
        for budget in self.budgets:
            if budget.per is None:
                self._account(budget, None)

    def now(self) -> float:
        """The time, by the clock of the ledger, so that all processes begin a day at once."""
        return time.time() + self._ahead_s

    def charged(self, model: str | None, who: Mapping[str, str], conversation: str | None) -> Charged:
        """The accounts of a call."""
        scopes = [conversation if scope == CONVERSATION else who.get(scope) for scope in self._scopes]
        key = (model, *scopes)
        known = self._charged.get(key)
        if known is not None:
            return known
        values = dict(zip(self._scopes, scopes, strict=True))
        with self._lock:
            accounts = [
                self._account(budget, None if budget.per is None else _storable(values[budget.per] or ""))
                for budget in self.budgets
                if budget.is_for(model) and (budget.per is None or values[budget.per])
            ]
            if len(self._charged) >= MOST_ACCOUNTS:
                self._charged.clear()
            self._charged[key] = accounts
        return accounts

    def admit(self, charged: Charged, most: Callable[[], int | None]) -> Admitted:
        """Whether a call may be made. `most` tells what it could cost, if that is known.

        Raises:
            BudgetExceeded: it may not.
        """
        wanted = any(account.budget.reserve for account in charged)
        reserved = (most() or 0) if wanted else 0
        now = self.now()
        with self._lock:
            charged = self._remembered(charged)
            for account in charged:
                budget = account.budget
                if budget.action != "block":
                    continue
                if not self.is_open:
                    raise _refusal(account, now, f"the ledger of the budget {budget.name!r} does not answer")
                left = budget.amount - account.spent(now)
                if left <= 0:
                    raise _refusal(account, now, f"the budget {budget.name!r} is spent")
                if budget.reserve and reserved > left - account.reserved:
                    why = f"the call could cost more than is left of the budget {budget.name!r}"
                    raise _refusal(account, now, why, account.reserved + reserved)
            for account in charged:
                account.reserved += reserved
                account.in_flight += 1
                account.used = now
        return Admitted(charged, reserved, self._process)

    def settle(self, admitted: Admitted, amount: int) -> bool:
        """Books what a call has cost, in place of what was reserved. See `spend`."""
        with self._lock:
            if admitted.process != self._process:
                return False
            for account in admitted.charged:
                account.reserved -= admitted.reserved
                account.in_flight -= 1
            return self.spend(admitted.charged, amount)

    def spend(self, charged: Charged, amount: int) -> bool:
        """Books an amount. Whether a threshold may have been passed by it."""
        if not amount:
            return False
        now = self.now()
        passed = False
        with self._lock:
            for account in self._remembered(charged):
                before = account.spent(now)
                account.spend(amount, now)
                account.used = now
                passed |= _reached(before, account) != _reached(before + amount, account)
        return passed

    def pending(self) -> Pending:
        """What is to be written to the ledger, and what is to be asked for."""
        now = self.now()
        lines: list[Line] = []
        entries: list[tuple[Account, Entry]] = []
        # One by one: calls need the lock as well.
        for account in self.accounts():
            with self._lock:
                if account.is_idle(now, RECENT_S) and passed_less(account.asked, now, SELDOM_S):
                    continue
                account.entry(now)
                account.forget(now)
                account.asked = now
                is_whole = not passed_less(account.asked_whole, now, RECENT_S)
                if is_whole:
                    # Not all in one look, as they would be a minute after a start.
                    account.asked_whole = now if account.asked_whole else now - hash(account.name) % RECENT_S
                for entry in account.entries.values():
                    if is_whole or not entry.is_final(now, self._late_s):
                        slot = f"{account.name}/{entry.slot.name}"
                        own = entry.own or None if self.is_timed else None
                        lines.append(Line(slot, entry.writer, own, entry.slot.counts_until + KEPT_S))
                        entries.append((account, entry))
        return Pending(lines, entries)

    def is_stale(self, charged: Charged, after_s: float) -> bool:
        """Whether there is an account that the ledger was not asked for, for so long."""
        now = self.now()
        return any(not passed_less(account.asked, now, after_s) for account in charged)

    def take(self, pending: Pending, totals: Totals) -> None:
        """Takes the totals of the ledger for lines that were pending."""
        if totals.now is not None:
            self._ahead_s = totals.now - time.time()
        now = self.now()
        for line, (account, entry), total in zip(pending.lines, pending.entries, totals.amounts, strict=True):
            with self._lock:
                account.read = entry.read = now
                entry.written = line.amount or 0
                entry.others = total - entry.written
        if not self.is_timed:
            self._be_timed(now)
        if totals.has_lost:
            for account in self.accounts():
                account.asked = account.asked_whole = 0.0

    def _be_timed(self, now: float) -> None:
        """Puts what was spent by a clock that was wrong where it belongs."""
        for account in self.accounts():
            with self._lock:
                entries = list(account.entries.values())
                spent = [(entry.slot.end, entry.own) for entry in entries if entry.own]
                for entry in entries:
                    entry.own = 0
                for end, own in spent:
                    # Of all times in its slot, as the right clock shows them, the last one that has been.
                    account.spend(own, min(now, end + self._ahead_s - 1e-3))
        self.is_timed = True

    def crossings(self) -> list[Crossing]:
        """The thresholds that have been passed and not been told of."""
        now = self.now()
        found: list[Crossing] = []
        for account in self.accounts():
            with self._lock:
                found += account.crossings(now)
        return found

    def spent(self, account: Account) -> int:
        """What has been spent of an account."""
        with self._lock:
            return account.spent(self.now())

    def accounts(self) -> list[Account]:
        """All that are known."""
        with self._lock:
            return list(self._accounts.values())

    def _account(self, budget: Budget, scope: str | None) -> Account:
        key = (budget.name, scope)
        account = self._accounts.get(key)
        if account is None:
            self._make_room()
            account = self._accounts[key] = Account(budget, scope, self._new_writer)
        else:
            self._accounts.move_to_end(key)
        return account

    def _remembered(self, charged: Charged) -> Charged:
        """The same accounts, of which one may have been forgotten since it was looked up, or have come again."""
        return [self._accounts.setdefault((account.budget.name, account.scope), account) for account in charged]

    def _make_room(self) -> None:
        """Forgets the account that was asked for longest ago, or puts it off: it is one of a budget, or not written."""
        for _ in range(2):
            if len(self._accounts) < MOST_ACCOUNTS:
                return
            key, account = next(iter(self._accounts.items()))
            if account.scope is None or account.in_flight or not account.is_written:
                self._accounts.move_to_end(key)
            else:
                del self._accounts[key]
                self._charged.clear()

    def _new_writer(self) -> str:
        return f"{self._process}-{next(self._numbers)}"


def _reached(spent: int, account: Account) -> int:
    """How many thresholds an amount has reached, and whether the end."""
    budget = account.budget
    return sum(spent * 100 >= budget.amount * percent for percent in (*budget.thresholds, ALL))


def _storable(scope: str) -> str:
    """The value of a scope as any ledger can keep it."""
    return scope.encode("utf-8", "backslashreplace").decode()[:LONGEST_SCOPE]


def _refusal(account: Account, now: float, why: str, needed: int = 1) -> BudgetExceeded:
    budget, spent, resets_at = account.budget, account.spent(now), account.resets_at(now, needed)
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(resets_at))
    told = f"{_usd(spent)} of {_usd(budget.amount)} USD for this {budget.period}; it resets at {until}"
    return BudgetExceeded(
        budget.name,
        scope=account.scope,
        spent=dollars(spent),
        limit=dollars(budget.amount),
        resets_at=resets_at,
        reason=f"{why}: {told}",
    )


def _usd(amount: int) -> str:
    """Cents, or more places where there are fewer cents."""
    return f"{dollars(amount):,.2f}" if amount >= picodollars(1) else f"{dollars(amount):.6f}"
