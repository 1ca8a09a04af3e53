"""Ledgers: sums that are written twice, late, or again after a loss, and what becomes of the totals."""

import os
import sqlite3
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis_server import RedisServer

from otel_claude.budgets.ledgers import Ledger, LedgerError, Line, NoLedger, Totals, ledger_at
from otel_claude.budgets.ledgers.address import file_of, is_address
from otel_claude.budgets.ledgers.memory import MemoryLedger
from otel_claude.budgets.ledgers.redis import MOST_LINES
from otel_claude.budgets.ledgers.sqlite import SqliteLedger

LATER = time.time() + 3_600
Connect = Callable[[], Ledger]


def line(amount: int | None, writer: str = "one", slot: str = "day/2026-11-23", until: float = LATER) -> Line:
    return Line(slot, writer, amount, until)


def test_the_total_is_what_all_writers_have_spent(connect: Connect):
    one, other = connect(), connect()

    assert list(one.write([line(5)]).amounts) == [5]
    assert list(other.write([line(7, "other"), line(1, "other", "month")]).amounts) == [12, 1]
    assert list(one.write([line(None), line(None, slot="month"), line(None, slot="nothing")]).amounts) == [12, 1, 0]


def test_a_sum_that_is_written_again_changes_nothing(connect: Connect):
    ledger = connect()
    ledger.write([line(5)])
    ledger.write([line(5)])

    assert list(ledger.write([line(9)]).amounts) == [9]
    assert list(ledger.write([line(9), line(2, "two")]).amounts) == [9, 11]


def test_amounts_are_exact_beyond_what_a_float_holds(connect: Connect):
    ledger = connect()
    ledger.write([line(9_000_000_000_000_000_001)])

    assert list(ledger.write([line(9_000_000_000_000_000_003)]).amounts) == [9_000_000_000_000_000_003]
    assert list(ledger.write([line(4, "other")]).amounts) == [9_000_000_000_000_000_007]


def test_many_lines_are_written_at_once(connect: Connect):
    ledger = connect()
    lines = [line(number, slot=f"slot {number}") for number in range(1, 2 * MOST_LINES + 10)]

    assert list(ledger.write(lines).amounts) == list(range(1, 2 * MOST_LINES + 10))
    assert list(ledger.write([]).amounts) == []


def test_a_name_is_claimed_once_until_it_is_over(connect: Connect):
    one, other = connect(), connect()

    assert one.claim("day/50", time.time() + 0.3)
    assert not other.claim("day/50", LATER)
    assert other.claim("day/80", LATER)
    time.sleep(0.4)
    assert other.claim("day/50", LATER)


def test_what_has_expired_is_gone(address: str, connect: Connect):
    ledger = connect()
    ledger.write([line(5, until=time.time() - 1), line(6, slot="later")])
    again = ledger_at(address)

    assert list(again.write([line(None), line(None, slot="later")]).amounts) == [0, 6]
    again.close()


def test_redis_tells_its_time(redis: RedisServer):
    ledger = ledger_at(redis.url)

    now = ledger.write([line(1)]).now

    assert now is not None
    assert abs(now - time.time()) < 5
    ledger.close()


def test_a_ledger_that_is_killed_or_loses_everything_is_told_again(redis: RedisServer):
    ledger = ledger_at(redis.url)
    ledger.write([line(5), line(7, "other")])
    redis.kill()
    with pytest.raises(Exception, match=r"refused|closed|reset"):
        ledger.write([line(6)])
    redis.start()
    assert list(ledger.write([line(6)]).amounts) == [13]
    redis.kill(lose=True)
    redis.start()

    ledger.write([line(8)])

    assert list(ledger.write([line(7, "other")]).amounts) == [15]
    ledger.close()


def test_a_child_opens_the_file_anew(tmp_path: Path):
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.write([line(5)])
    assert ledger.closes_at_fork
    ledger.close()
    child = os.fork()
    if child == 0:
        ledger.after_fork()
        total = ledger.write([line(3, "child")]).amounts[0]
        os._exit(0 if total == 8 else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert list(ledger.write([line(None)]).amounts) == [8]
    ledger.close()


def test_a_transaction_that_fails_leaves_nothing_behind(tmp_path: Path):
    ledger = SqliteLedger(tmp_path / "ledger.db")

    with pytest.raises(OverflowError):
        ledger.write([line(5), line(2**70, "too much")])

    assert list(ledger.write([line(None)]).amounts) == [0]
    ledger.close()
    ledger.close()


def test_the_ledger_of_one_process_keeps_what_was_written(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("otel_claude.budgets.ledgers.memory.CLEAN_EVERY", 3)
    ledger = MemoryLedger()

    assert ledger.write([line(5), line(None, slot="nothing")]) == Totals([5, 0])
    assert ledger.write([line(7, "other"), line(9, slot="over", until=1.0)]) == Totals([12, 9])
    assert ledger.write([line(None), line(None, slot="over")]) == Totals([12, 0])
    assert ledger.claim("a", LATER)
    assert not ledger.claim("a", LATER)
    assert ledger.claim("b", 1.0)
    assert ledger.claim("b", 1.0)
    ledger.after_fork()
    assert ledger.write([line(None)]) == Totals([0])
    ledger.close()


def test_the_ledger_of_one_process_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("otel_claude.budgets.ledgers.memory.MOST_SLOTS", 3)
    ledger = MemoryLedger()
    for number in range(5):
        ledger.write([line(number + 1, slot=f"each/{number}/2026-11")])

    assert dict(ledger.listed()) == {"each/2/2026-11": 3, "each/3/2026-11": 4, "each/4/2026-11": 5}


def test_a_ledger_says_that_it_has_lost_what_it_had(redis: RedisServer, tmp_path: Path):
    ledger = ledger_at(redis.url)
    assert [ledger.write([line(5)]).has_lost for _ in range(2)] == [False, False]
    redis.kill()
    redis.start()
    assert not ledger.write([line(5)]).has_lost
    redis.kill(lose=True)
    redis.start()
    assert [ledger.write([line(5)]).has_lost for _ in range(2)] == [True, False]
    ledger.close()
    file = SqliteLedger(tmp_path / "ledger.db")
    assert [file.write([line(5)]).has_lost for _ in range(2)] == [False, False]
    file.close()
    assert not file.write([line(5)]).has_lost
    for path in tmp_path.glob("ledger.db*"):
        path.unlink()
    assert [file.write([line(5)]).has_lost for _ in range(2)] == [True, False]
    file.close()


def test_a_sum_that_is_too_large_is_refused_and_changes_nothing(connect: Connect):
    """A ledger's numbers have 64 bits: 9,223,372,036,854,775,807 is the largest."""
    ledger = connect()
    ledger.write([line(9_000_000_000_000_000_000), line(5, "other")])
    with pytest.raises(Exception, match=r"overflow|too large"):
        ledger.write([line(300_000_000_000_000_000, "other")])

    assert list(ledger.write([line(None)]).amounts) == [9_000_000_000_000_000_005]
    assert list(ledger.write([line(4, "other")]).amounts) == [9_000_000_000_000_000_004]


def test_a_ledger_that_cannot_be_opened_never_answers():
    ledger = NoLedger(LedgerError("why"))

    with pytest.raises(LedgerError, match="why"):
        ledger.write([])
    with pytest.raises(LedgerError, match="why"):
        ledger.claim("a", LATER)
    with pytest.raises(LedgerError, match="why"):
        ledger.listed()
    ledger.after_fork()
    ledger.close()


def test_a_claim_whose_answer_was_lost_is_still_ones_own(redis: RedisServer):
    one, other = ledger_at(redis.url), ledger_at(redis.url)

    assert one.claim("day/50", LATER)
    assert one.claim("day/50", LATER)
    assert not other.claim("day/50", LATER)
    one.close()
    other.close()


def test_a_file_that_is_deleted_is_made_anew(tmp_path: Path):
    path = tmp_path / "ledger.db"
    one, other = SqliteLedger(path), SqliteLedger(path)
    one.write([line(5)])
    other.write([line(7, "other")])
    for file in tmp_path.iterdir():
        file.unlink()

    one.write([line(6)])

    assert list(other.write([line(7, "other")]).amounts) == [13]
    one.close()
    other.close()


def test_a_file_that_could_not_be_opened_at_first_is_opened_later(tmp_path: Path):
    path = tmp_path / "ledger.db"
    path.write_text("This is no database, and too long to be the beginning of one. " * 20)
    ledger = SqliteLedger(path)
    with pytest.raises(sqlite3.DatabaseError):
        ledger.write([line(1)])
    path.unlink()

    assert list(ledger.write([line(1)]).amounts) == [1]
    # What a child would do that was forked in the middle of a write.
    ledger.after_fork()
    ledger.after_fork()
    assert list(ledger.write([line(2)]).amounts) == [2]
    ledger.close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://x",
        "",
        "redis",
        "redis://host:port/0",
        "redis://[::1/0",
        "redis://host/0?foo=1",
        "redis://host/0?protocol=9",
        "redis://host/99x",
        "redis://host/0/1",
        "redis://host/first",
    ],
)
def test_an_address_that_is_none_is_told_what_is_accepted(url: str):
    with pytest.raises(LedgerError, match=r"^memory, sqlite:///absolute/path, redis://host:port/number, rediss://…"):
        ledger_at(url)


@pytest.mark.parametrize(
    "url", ["redis://host", "redis://host/", "redis://host/3?health_check_interval=5", "rediss://host", "unix:///s/1x"]
)
def test_an_address_of_redis_is_read_without_asking_anybody(url: str):
    ledger_at(url).close()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/lib/app/budgets.db", "/var/lib/app/budgets.db"),
        ("sqlite:////var/lib/app/budgets.db", "/var/lib/app/budgets.db"),
        ("sqlite:///budgets.db", "/budgets.db"),
        ("sqlite:///var/.app/my%20budgets.db", "/var/.app/my budgets.db"),
        ("sqlite:///.app/budgets.db", "/.app/budgets.db"),
    ],
)
def test_the_path_of_a_file_is_absolute(url: str, path: str):
    """As in the URI of a file.

    https://www.rfc-editor.org/rfc/rfc8089#appendix-B
    """
    assert is_address(url)
    assert file_of(url) == path


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:",
        "sqlite:///",
        "sqlite:////",
        "sqlite:budgets.db",
        "sqlite://budgets.db",
        "sqlite:///./budgets.db",
        "sqlite:///../budgets.db",
        "sqlite:///~/budgets.db",
        "sqlite://///var/budgets.db",
        "sqlite:///:memory:?cache=shared",
        "sqlite:///var/budgets.db?mode=ro",
        "sqlite:///var/budgets.db#first",
    ],
)
def test_a_file_whose_path_is_not_absolute_is_none(url: str):
    assert not is_address(url)
    with pytest.raises(LedgerError, match="sqlite:///absolute/path"):
        ledger_at(url)


def test_a_file_is_where_its_address_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for slashes in ("sqlite://", "sqlite:///"):
        ledger = ledger_at(f"{slashes}{tmp_path}/ledger.db")
        ledger.write([line(1)])
        ledger.close()

    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db"]


def test_without_its_package_it_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "redis", None)

    with pytest.raises(LedgerError, match=r"pip install 'otel-claude\[redis\]'"):
        ledger_at("redis://localhost")


def test_a_file_that_cannot_be_opened_is_an_error_for_whoever_asks(tmp_path: Path):
    ledger = SqliteLedger(tmp_path / "no folder" / "ledger.db")

    with pytest.raises(sqlite3.OperationalError):
        ledger.write([line(1)])


NUMBERS = count()
WRITES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2**60 // 40)), min_size=1, max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(writes=WRITES, repeats=st.integers(1, 3))
def test_whatever_is_repeated_the_total_is_the_sum_of_the_last_sums(
    connect: Connect, writes: list[tuple[str, int]], repeats: int
):
    ledger, number = connect(), next(NUMBERS)
    sums: dict[str, int] = {}
    total = 0
    for writer, more in writes:
        sums[writer] = sums.get(writer, 0) + more
        for _ in range(repeats):
            (total,) = ledger.write([line(sums[writer] or None, writer, f"slot {number}")]).amounts

    assert total == sum(sums.values())
