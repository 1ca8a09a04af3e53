"""Books: what they know of several processes, whatever fails in between, and what they let through."""

import itertools
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import spender
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.batches import BatchResults, ModelSums
from otel_claude.budgets import book as book_module
from otel_claude.budgets import keeper as keeper_module
from otel_claude.budgets.book import MOST_ACCOUNTS, Book
from otel_claude.budgets.budget import Budget
from otel_claude.budgets.control import BudgetControl
from otel_claude.budgets.exceeded import BudgetExceeded
from otel_claude.budgets.findings import of_crossing
from otel_claude.budgets.keeper import Keeper
from otel_claude.budgets.ledgers import Line, Totals
from otel_claude.budgets.ledgers.memory import MemoryLedger
from otel_claude.budgets.ledgers.sqlite import SqliteLedger
from otel_claude.budgets.periods import Period
from otel_claude.budgets.plan import Plan
from otel_claude.diagnosis.finding import Finding
from otel_claude.pricing import Cost

NOON = 1_795_435_200.0
"""2026-11-23T12:00:00Z."""
HOUR = 3_600.0
ALL = Budget("all", 100, Period("day", UTC), action="block")
ROLLING = Budget("rolling", 100, Period("rolling", UTC, 24 * HOUR), action="block")
EACH = Budget("each", 100, Period("day", UTC), per="conversation", action="block")


class Clock:
    """The wall clock of all books."""

    def __init__(self) -> None:
        self.now = NOON

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(book_module.time, "time", clock.time)
    return clock


class Shared:
    """A ledger in memory that several processes share, and that may fail before or after it has written."""

    closes_at_fork = False

    def __init__(self) -> None:
        self.spent: dict[str, dict[str, int]] = {}
        self.claimed: set[str] = set()
        self.fails = ""

    def write(self, lines: Sequence[Line]) -> Totals:
        if self.fails == "before":
            raise ConnectionError("gone")
        for line in lines:
            if line.amount is not None:
                self.spent.setdefault(line.slot, {})[line.writer] = line.amount
        if self.fails == "after":
            raise ConnectionError("gone")
        return Totals([sum(self.spent.get(line.slot, {}).values()) for line in lines])

    def claim(self, name: str, expires_at: float) -> bool:
        if name in self.claimed:
            return False
        self.claimed.add(name)
        return True

    def listed(self) -> Iterator[tuple[str, int]]:
        return iter([(slot, sum(amounts.values())) for slot, amounts in self.spent.items()])

    def close(self) -> None:
        """Nothing is open."""

    def after_fork(self) -> None:
        """The same."""


class Timed(MemoryLedger):
    """A ledger in memory with a clock of its own, which is ahead by so many seconds."""

    def __init__(self, clock: Clock, ahead_s: float = 0.0) -> None:
        super().__init__()
        self._clock = clock
        self._ahead_s = ahead_s
        self.has_lost = False

    def write(self, lines: Sequence[Line]) -> Totals:
        return Totals(super().write(lines).amounts, self._clock.now + self._ahead_s, self.has_lost)


class Process:
    """One process with a book of its own. Nobody looks but the test."""

    def __init__(self, ledger: Any, *budgets: Budget) -> None:
        self.told: list[Finding] = []
        self.book = Book(budgets)
        self.keeper = Keeper(self.book, ledger, self.told.append, interval_s=3_600.0, fails_closed=False)

    def spend(self, amount: int, conversation: str | None = None) -> None:
        charged = self.book.charged("claude-opus-5", {}, conversation)
        self.book.settle(self.book.admit(charged, lambda: None), amount)

    def spent(self, conversation: str | None = None) -> list[int]:
        return [account.spent(self.book.now()) for account in self.book.charged("claude-opus-5", {}, conversation)]


def warn(budget: Budget) -> Budget:
    return budget._replace(action="warn")


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.one_of(st.integers(1, 50), st.sampled_from(["look", "fail before", "fail after", "lose", "wait"])),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_fails_and_is_lost_the_sum_is_exact_in_the_end(steps: list[tuple[int, Any]]):
    ledger = Shared()
    processes = [Process(ledger, warn(ALL), warn(ROLLING)) for _ in range(3)]
    total = 0
    for number, step in steps:
        process = processes[number]
        if isinstance(step, int):
            process.spend(step)
            total += step
        elif step == "lose":
            ledger.spent.clear()
        else:
            ledger.fails = step.removeprefix("fail ") if step.startswith("fail") else ""
            process.keeper.look()
            ledger.fails = ""
        assert all(spent >= 0 for spent in process.spent())
    for _ in range(3):
        for process in processes:
            process.keeper.look()

    assert [process.spent() for process in processes] == [[total, total]] * 3
    for process in processes:
        process.keeper.close()


def test_a_rolling_budget_has_again_what_was_spent_long_ago(clock: Clock):
    process = Process(MemoryLedger(), ROLLING)
    process.spend(60)
    clock.now += 12 * HOUR
    process.spend(60)
    with pytest.raises(BudgetExceeded) as raised:
        process.spend(1)
    assert raised.value.resets_at.timestamp() == NOON + 25 * HOUR

    clock.now = NOON + 25 * HOUR
    process.spend(1)

    assert process.spent() == [61]
    process.keeper.look()
    assert len(process.book.accounts()[0].entries) <= 27
    process.keeper.close()


def test_a_rolling_budget_that_one_call_has_passed_resets_when_that_is_old(clock: Clock):
    process = Process(MemoryLedger(), ROLLING)
    process.spend(1_000)

    with pytest.raises(BudgetExceeded) as raised:
        process.spend(1)

    assert raised.value.resets_at.timestamp() == NOON + 25 * HOUR
    assert process.book.accounts()[0].resets_at(NOON + 26 * HOUR) == NOON + 26 * HOUR
    process.keeper.close()


def test_a_process_that_starts_knows_what_others_have_spent_hours_ago(clock: Clock):
    ledger = Shared()
    first = Process(ledger, ROLLING)
    first.spend(60)
    first.keeper.look()
    clock.now += 5 * HOUR
    second = Process(ledger, ROLLING)

    second.keeper.look()

    assert second.spent() == [60]
    for process in (first, second):
        process.keeper.close()


def test_a_new_day_begins_with_nothing(clock: Clock):
    process = Process(MemoryLedger(), ALL)
    process.spend(100)
    with pytest.raises(BudgetExceeded):
        process.spend(1)

    clock.now += 12 * HOUR
    process.spend(7)

    assert process.spent() == [7]
    process.keeper.look()
    clock.now += 3_600
    process.keeper.look()
    assert [entry.own for entry in process.book.accounts()[0].entries.values()] == [7]
    process.keeper.close()


def test_what_could_not_be_written_yesterday_is_written_today(clock: Clock):
    ledger = Shared()
    process = Process(ledger, ALL)
    process.spend(40)
    ledger.fails = "before"
    process.keeper.look()
    clock.now += 24 * HOUR
    process.spend(5)
    process.keeper.look()
    ledger.fails = ""

    process.keeper.look()

    assert {slot: sum(writers.values()) for slot, writers in ledger.spent.items()} == {
        "all/2026-11-23": 40,
        "all/2026-11-24": 5,
    }
    process.keeper.close()


def test_days_begin_by_the_clock_of_the_ledger(clock: Clock):
    ledger = Timed(clock, 13 * HOUR)
    process = Process(ledger, ALL)
    process.spend(90)
    process.keeper.look()
    process.spend(5)
    process.keeper.look()

    assert process.spent() == [95]
    assert dict(ledger.listed()) == {"all/2026-11-24": 95}
    process.keeper.close()


def test_what_was_spent_by_a_wrong_clock_is_booked_where_it_belongs(clock: Clock):
    """At 01:00 by a clock that is two hours ahead, $9 of the day before are today's, and so are the $4 since 00:00."""
    clock.now = NOON + 11 * HOUR
    process = Process(ledger := Timed(clock, -2 * HOUR), ALL)
    process.spend(9)
    clock.now = NOON + 13 * HOUR
    process.spend(4)
    process.keeper.look()

    assert process.spent() == [13]
    assert dict(ledger.listed()) == {"all/2026-11-23": 13}
    process.keeper.close()


def test_a_rolling_period_is_known_whole_though_the_clock_was_ahead(clock: Clock):
    ledger = Timed(clock)
    one, other = Process(ledger, ROLLING), Process(ledger, ROLLING)
    other.keeper.look()
    one.spend(100)
    one.keeper.look()
    clock.now += 2 * HOUR
    other.keeper.look()
    clock.now -= 2 * HOUR
    clock.now += 2 * HOUR - 1
    other.keeper.look()

    assert other.spent() == [100]
    for process in (one, other):
        process.keeper.close()


def test_what_is_written_at_the_end_of_a_slot_is_not_missed(clock: Clock):
    """The slots of 24 hours are an hour long, and noon is the end of one."""
    ledger = Timed(clock)
    one, other = Process(ledger, ROLLING), Process(ledger, ROLLING)
    clock.now = NOON - 0.3
    other.keeper.look()
    one.spend(100)
    one.keeper.look()
    clock.now = NOON + 0.7
    other.keeper.look()

    with pytest.raises(BudgetExceeded):
        other.spend(1)
    for process in (one, other):
        process.keeper.close()


def test_a_first_look_that_fails_hides_nothing(clock: Clock):
    ledger = Shared()
    one, other = Process(ledger, ROLLING), Process(ledger, ROLLING)
    one.spend(100)
    one.keeper.look()
    clock.now += 3 * HOUR
    ledger.fails = "before"
    other.keeper.look()
    ledger.fails = ""
    other.keeper.look()

    assert other.spent() == [100]
    for process in (one, other):
        process.keeper.close()


def test_a_ledger_that_has_lost_everything_is_told_all_of_it_at_once(clock: Clock):
    ledger = Timed(clock)
    process = Process(ledger, ROLLING, EACH)
    process.spend(40, "conv-1")
    process.keeper.look()
    clock.now += 2 * HOUR
    process.spend(30, "conv-2")
    process.keeper.look()
    before = dict(ledger.listed())
    clock.now += 100
    process.keeper.look()
    ledger.after_fork()
    ledger.has_lost = True
    process.keeper.look()
    ledger.has_lost = False
    process.keeper.look()

    assert dict(ledger.listed()) == before
    process.keeper.close()


def test_a_child_that_ends_a_call_of_its_parent_books_nothing(clock: Clock):
    ledger = Shared()
    parent, child = Process(ledger, EACH), Process(ledger, EACH)
    charged = child.book.charged("claude-opus-5", {}, "conv-1")
    admitted = child.book.admit(charged, lambda: None)
    child.book.after_fork()

    assert not child.book.settle(admitted, 7)
    child.spend(5, "conv-1")
    parent.spend(7, "conv-1")
    parent.keeper.look()
    child.keeper.look()

    assert sum(amount for slot, amount in ledger.listed() if slot.startswith("each/conv-1/")) == 12
    for process in (parent, child):
        process.keeper.close()


def test_a_scope_that_no_ledger_could_keep_is_written_as_an_escape(tmp_path: Path):
    process = Process(SqliteLedger(tmp_path / "ledger.db"), EACH)
    process.spend(5, "\ud800-1")
    process.keeper.look()

    (slot, amount) = next(SqliteLedger(tmp_path / "ledger.db").listed())
    assert (slot.rpartition("/")[0], amount) == ("each/\\ud800-1", 5)
    process.keeper.close()


def test_a_refusal_of_a_reservation_says_when_it_would_pass(clock: Clock):
    process = Process(MemoryLedger(), ROLLING._replace(reserve=True))
    process.spend(60)
    clock.now += 3 * HOUR
    process.spend(20)
    charged = process.book.charged("claude-opus-5", {}, None)

    with pytest.raises(BudgetExceeded) as refused:
        process.book.admit(charged, lambda: 30)
    # A slot of an hour counts until 24 hours after its end.
    assert refused.value.resets_at.timestamp() == NOON + 25 * HOUR
    with pytest.raises(BudgetExceeded) as refused:
        process.book.admit(charged, lambda: 90)
    assert refused.value.resets_at.timestamp() == NOON + 28 * HOUR
    process.keeper.close()


def test_the_ledger_is_asked_quietly():
    asked: list[bool] = []
    is_quiet = ContextVar("is_quiet", default=False)

    @contextmanager
    def quietly() -> Generator[None]:
        token = is_quiet.set(True)
        yield
        is_quiet.reset(token)

    class Heard(MemoryLedger):
        def write(self, lines: Sequence[Line]) -> Totals:
            asked.append(is_quiet.get())
            return super().write(lines)

        def close(self) -> None:
            asked.append(is_quiet.get())

    book = Book([ALL])
    keeper = Keeper(book, Heard(), lambda _: None, interval_s=1.0, fails_closed=False, quietly=quietly)
    book.spend(book.charged("claude-opus-5", {}, None), 5)
    keeper.start()
    keeper.close()

    assert set(asked) == {True}
    assert not is_quiet.get()


def test_each_conversation_has_an_account_and_the_oldest_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(book_module, "MOST_ACCOUNTS", 10)
    ledger = Shared()
    process = Process(ledger, EACH)
    for number in range(10):
        process.spend(30, f"conversation {number}")
    process.keeper.look()
    for number in range(10, 15):
        process.spend(30, f"conversation {number}")

    assert len(process.book.accounts()) == 10
    process.spend(30, "conversation 0")
    process.keeper.look()
    assert process.spent("conversation 0") == [60]
    assert process.spent("x" * 500) == [0]
    process.keeper.close()


def test_an_account_with_a_call_in_flight_or_unwritten_is_not_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(book_module, "MOST_ACCOUNTS", 1)
    process = Process(Shared(), EACH)
    charged = process.book.charged(None, {}, "in flight")
    process.book.admit(charged, lambda: None)
    process.spend(5, "unwritten")

    process.spend(5, "another")

    assert {account.scope for account in process.book.accounts()} == {"in flight", "unwritten", "another"}
    assert MOST_ACCOUNTS > 1
    process.keeper.close()


def test_an_account_that_is_forgotten_between_two_looks_at_it_is_booked_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(book_module, "MOST_ACCOUNTS", 1)
    process = Process(MemoryLedger(), warn(EACH))
    one = process.book.charged(None, {}, "one")
    process.book.charged(None, {}, "other")
    assert [account.scope for account in process.book.accounts()] == ["other"]
    process.book.spend(one, 5)
    process.book.settle(process.book.admit(one, lambda: None), 7)
    process.keeper.look()

    assert process.spent("one") == [12]
    process.keeper.close()


def test_only_accounts_in_use_are_read_again_and_again(clock: Clock):
    process = Process(Shared(), EACH)
    process.spend(5, "one")
    process.keeper.look()
    assert len(process.book.pending().lines) == 1

    clock.now += 61

    assert process.book.pending().lines == []
    charged = process.book.charged("claude-opus-5", {}, "one")
    assert process.book.is_stale(charged, 2.0)
    process.book.admit(charged, lambda: None)
    assert len(process.book.pending().lines) == 1
    assert not process.book.is_stale(charged, 2.0)
    process.keeper.close()


def test_an_idle_account_is_written_again_when_the_ledger_has_lost_it(clock: Clock):
    ledger = Shared()
    process = Process(ledger, warn(ALL), EACH)
    process.spend(5, "one")
    process.keeper.look()
    clock.now += 299
    ledger.spent.clear()
    process.keeper.look()
    assert "each/one/2026-11-23" not in ledger.spent
    clock.now += 2

    process.keeper.look()

    assert {slot: sum(writers.values()) for slot, writers in ledger.spent.items()} == {
        "all/2026-11-23": 5,
        "each/one/2026-11-23": 5,
    }
    process.keeper.close()


@pytest.mark.parametrize("budget", [ALL, ROLLING], ids=["calendar", "rolling"])
def test_a_threshold_is_told_once_in_a_period_by_one_process(clock: Clock, budget: Budget):
    ledger = Shared()
    processes = [Process(ledger, warn(budget)) for _ in range(2)]
    for _ in range(3):
        for process in processes:
            process.spend(30)
            process.keeper.look()
            process.keeper.look()

    told = [str(finding.attributes["claude.budget.threshold"]) for process in processes for finding in process.told]
    assert sorted(told) == ["0.5", "0.8", "1.0"]
    clock.now += 48 * HOUR
    if budget is ALL:
        processes[0].spend(60)
        processes[0].keeper.look()
        assert [finding.attributes["claude.budget.threshold"] for finding in processes[0].told[-1:]] == [0.5]
    for process in processes:
        process.keeper.close()


def test_an_event_of_a_conversation_names_it():
    process = Process(MemoryLedger(), warn(EACH))
    process.spend(60, "conv-1")
    (crossing,) = process.book.crossings()

    told = of_crossing(crossing).attributes

    assert told["claude.budget.scope"] == told["gen_ai.conversation.id"] == "conv-1"
    process.keeper.close()


def test_while_the_ledger_is_gone_each_process_tells(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("otel_claude.budgets.keeper.SILENT", 0)
    ledger = Shared()
    process = Process(ledger, warn(ALL))
    process.spend(60)
    ledger.fails = "before"
    process.keeper.look()
    process.keeper.look()
    ledger.fails = ""
    process.keeper.look()

    states = [finding.attributes.get("claude.budget.ledger.state") for finding in process.told]
    assert states == [None, "unavailable", "available"]
    assert process.told[0].attributes["claude.budget.threshold"] == 0.5
    process.keeper.close()
    process.keeper.close()


def test_what_is_claimed_is_told_though_the_ledger_goes_at_the_next_one():
    class GoesAfterOne(Shared):
        def claim(self, name: str, expires_at: float) -> bool:
            if self.claimed and self.fails == "then":
                raise ConnectionError("gone")
            return super().claim(name, expires_at)

    ledger = GoesAfterOne()
    process = Process(ledger, warn(ALL))
    process.spend(90)
    ledger.fails = "then"
    process.keeper.look()
    ledger.fails = ""
    process.keeper.look()

    told = [finding.attributes.get("claude.budget.threshold") for finding in process.told]
    assert [threshold for threshold in told if threshold is not None] == [0.5, 0.8]
    process.keeper.close()


def test_money_is_exact_under_threads():
    process = Process(Shared(), warn(ALL), warn(ROLLING))
    threads = [threading.Thread(target=lambda: [process.spend(amount) for amount in range(1_000)]) for _ in range(8)]
    looks = itertools.count()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        process.keeper.look()
        next(looks)
    process.keeper.look()

    assert process.spent() == [8 * 499_500] * 2
    process.keeper.close()


def test_a_child_begins_a_book_of_its_own():
    ledger = Shared()
    process = Process(ledger, warn(ALL))
    process.spend(5)
    process.keeper.look()

    after_fork: Any = vars(keeper_module)["_after_fork"]
    after_fork()

    assert process.spent() == [0]
    process.spend(7)
    process.keeper.look()
    assert process.spent() == [12]
    process.keeper.close()


def test_a_ledger_that_is_a_file_is_closed_while_a_process_is_forked():
    class File(Shared):
        closes_at_fork = True
        closed = 0

        def close(self) -> None:
            self.closed += 1

    ledger = File()
    process = Process(ledger, warn(ALL))
    process.keeper.before_fork()
    looked = threading.Thread(target=process.keeper.look)
    looked.start()
    looked.join(0.05)
    assert (ledger.closed, looked.is_alive()) == (1, True)

    process.keeper.after_fork_in_parent()

    looked.join()
    process.keeper.after_fork_in_parent()
    process.keeper.close()


def test_the_thread_is_there_once_and_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("otel_claude.budgets.keeper.EXIT_S", 0.05)
    process = Process(Shared(), warn(ALL))
    keeper: Any = process.keeper
    with keeper._starting:
        threads = [threading.Thread(target=process.keeper.start) for _ in range(2)]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert [thread.name for thread in threading.enumerate()].count("otel_claude budgets") == 1
    process.spend(5)

    # A write that is under way longer than the end of a process waits for.
    with keeper._writing:
        process.keeper.close()
    process.keeper.start()

    assert "otel_claude budgets" not in [thread.name for thread in threading.enumerate()]


def test_a_flush_reads_what_others_have_spent(tmp_path: Path):
    plan = Plan(budgets=(warn(ALL),), ledger=f"sqlite:///{tmp_path}/ledger.db")
    one, other = (BudgetControl(plan, lambda call, model, usage: None, lambda finding: None) for _ in range(2))
    call = spender.call()
    one.admit(call)
    one.settle(call, Cost(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "standard", "override", ()))
    one.flush()

    other.flush()

    assert [other.spent(account) for _, accounts in other.accounts() for account in accounts] == [10**12]
    one.close()
    other.close()


@pytest.mark.parametrize("make", [Shared, MemoryLedger])
def test_a_clock_that_is_set_back_over_midnight_loses_nothing(clock: Clock, make: Callable[[], Any]):
    process = Process(make(), warn(ALL))
    process.spend(60)
    process.keeper.look()
    clock.now += 16 * HOUR
    process.spend(5)
    process.keeper.look()
    process.keeper.look()
    clock.now = NOON + 60

    process.spend(1)
    process.keeper.look()

    assert process.spent() == [61]
    process.keeper.close()


def test_an_account_that_is_forgotten_keeps_what_it_has_spent_without_a_shared_ledger(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(book_module, "MOST_ACCOUNTS", 3)
    process = Process(MemoryLedger(), warn(ALL), EACH)
    process.spend(100, "first")
    process.keeper.look()
    for number in range(10):
        process.spend(1, str(number))
        process.keeper.look()
    process.book.charged(None, {}, "first")
    process.keeper.look()

    assert process.spent("first") == [110, 100]
    process.keeper.close()


def test_a_budget_that_is_raised_tells_again(clock: Clock):
    ledger = Shared()
    before, after = Process(ledger, warn(ALL)), Process(ledger, warn(ALL)._replace(amount=1_000))
    before.spend(100)
    before.keeper.look()

    after.spend(900)
    after.keeper.look()

    assert [finding.attributes["claude.budget.threshold"] for finding in after.told] == [0.5, 0.8, 1.0]
    for process in (before, after):
        process.keeper.close()


def test_what_is_reserved_becomes_what_is_spent_at_once():
    process = Process(MemoryLedger(), ALL._replace(reserve=True))
    charged = process.book.charged(None, {}, None)
    over: list[int] = []

    def spend() -> None:
        for _ in range(200):
            try:
                admitted = process.book.admit(charged, lambda: 10)
            except BudgetExceeded:
                continue
            process.book.settle(admitted, 10)
            over.append(process.spent()[0])

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(over) == 100
    process.keeper.close()


def test_a_thread_that_cannot_start_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    process = Process(Shared(), warn(ALL))

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            process.keeper.start()
    process.keeper.start()

    assert [thread.name for thread in threading.enumerate()].count("otel_claude budgets") == 1
    process.keeper.close()


def test_a_call_is_asked_about_once_and_gets_the_same_answer_again():
    plan = Plan(budgets=(ALL._replace(amount=10**12),))
    control = BudgetControl(plan, lambda call, model, usage: None, lambda finding: None)
    call, refused = spender.call(), spender.call()
    control.admit(call)
    control.admit(call)
    control.settle(call, Cost(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "standard", "override", ()))
    errors: list[BudgetExceeded] = []
    for _ in range(2):
        with pytest.raises(BudgetExceeded) as raised:
            control.admit(refused)
        errors.append(raised.value)

    assert errors[0] is errors[1]
    assert [account.in_flight for _, accounts in control.accounts() for account in accounts] == [0]
    control.close()


def test_budgets_whose_ledger_cannot_be_opened_go_by_what_the_process_knows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setitem(sys.modules, "redis", None)
    plan = Plan(budgets=(ALL._replace(amount=10**12),), ledger="redis://localhost")
    control = BudgetControl(plan, lambda call, model, usage: None, lambda finding: None)
    call = spender.call()
    control.admit(call)
    # A batch whose model has no price.
    call.batch = BatchResults("batch", fresh={"claude-of-tomorrow": ModelSums(1, unpriced=1)})
    control.settle(call, Cost(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "standard", "override", ()))

    with pytest.raises(BudgetExceeded):
        control.admit(spender.call())
    assert "the ledger of the budgets cannot be opened; accepted: redis://… with the extra `redis`" in caplog.text
    control.close()
