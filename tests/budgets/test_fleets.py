"""Processes that share a ledger: sums that are exact whatever breaks, and how far over a budget they can go."""

import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from redis_server import RedisServer

from otel_claude.budgets.ledgers import Line, ledger_at
from otel_claude.budgets.money import picodollars

SPENDER = str(Path(__file__).with_name("spender.py"))
PROCESSES = 8
INTERVAL_S = 0.2
LONG_S = 2.0
"""An interval that bounds can be seen in."""
CALLS = 12_000
"""By each process: enough to be in the middle when Redis is away for a second."""
SLACK_S = 0.5
"""What a machine with 2 cores and 8 busy processes needs to get round to each of them."""


class Said(NamedTuple):
    """A line that a spender has printed."""

    what: str
    at: float
    calls: int
    spent: int


@contextmanager
def fleet(
    ledger: str, calls: int, pause_s: float, *limit: float, interval_s: float = INTERVAL_S
) -> Generator[list[subprocess.Popen[str]]]:
    command = [sys.executable, SPENDER, ledger, str(calls), str(pause_s), str(interval_s), *map(str, limit)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def so_far(process: subprocess.Popen[str], calls: int) -> list[Said]:
    """What a process says until it has made so many calls."""
    lines: list[Said] = []
    assert process.stdout is not None
    while not lines or lines[-1].calls < calls:
        if (line := process.stdout.readline()).startswith("spent"):
            lines.append(_said(line))
        assert line
    return lines


def _said(line: str) -> Said:
    what, at, calls, spent = line.split()
    return Said(what, float(at), int(calls), int(spent))


def said(processes: Sequence[subprocess.Popen[str]]) -> list[list[Said]]:
    """What each process has said, once all have ended."""
    out = [process.communicate(timeout=120)[0].splitlines() for process in processes]
    return [[_said(line) for line in lines if line.startswith(("spent", "refused"))] for lines in out]


def total(ledger: str) -> int:
    opened = ledger_at(ledger)
    month = time.strftime("%Y-%m", time.gmtime())
    (amount,) = opened.write([Line(f"all/{month}", "nobody", None, 0.0)]).amounts
    opened.close()
    return amount


@pytest.mark.parametrize("loses", [False, True], ids=["killed", "killed and emptied"])
def test_the_sum_is_exact_though_redis_is_killed_in_the_middle(redis: RedisServer, loses: bool):
    with fleet(redis.url, CALLS, 0.0001) as processes:
        so_far(processes[0], 3_000)
        redis.kill(lose=loses)
        time.sleep(1)
        redis.start()
        lines = said(processes)

    assert [one[-1].calls for one in lines] == [CALLS] * PROCESSES
    assert total(redis.url) == sum(one[-1].spent for one in lines)


def test_the_sum_is_exact_in_a_file(tmp_path: Path):
    ledger = f"sqlite:///{tmp_path}/ledger.db"
    with fleet(ledger, CALLS, 0.0001) as processes:
        lines = said(processes)

    assert [one[-1].calls for one in lines] == [CALLS] * PROCESSES
    assert total(ledger) == sum(one[-1].spent for one in lines)


def test_a_process_that_is_killed_loses_one_interval_at_most(address: str):
    with fleet(address, 3_000, 0.002, interval_s=LONG_S) as processes:
        first = so_far(processes[0], 1_500)
        processes[0].send_signal(signal.SIGKILL)
        killed_at = time.time()
        later, *others = said(processes)

    first += later
    before = [line for line in first if line.at < killed_at - LONG_S - SLACK_S]
    assert len(before) > 5
    assert [one[-1].calls for one in others] == [3_000] * (PROCESSES - 1)
    rest = total(address) - sum(one[-1].spent for one in others)
    # It may have spent a little after its last word.
    assert before[-1].spent <= rest <= first[-1].spent + 12 * picodollars(0.04)


def test_a_fleet_stops_within_one_interval(address: str):
    """A call costs $0.015 on average: 3,300 calls are let through by $50, of 40,000."""
    with fleet(address, 5_000, 0.01, 50.0, interval_s=LONG_S) as processes:
        lines = said(processes)

    last = [one[-1] for one in lines]
    assert [line.what for line in last] == ["refused"] * PROCESSES
    spent = sum(line.spent for line in last)
    assert spent == total(address)
    began = min(one[0].at for one in lines)
    spent_at = when_spent(lines, picodollars(50))
    assert spent_at - began > LONG_S, "the fleet has to know each other before the end"
    assert max(line.at for line in last) <= spent_at + LONG_S + SLACK_S
    # What all of them can spend in that time, as they had done before.
    assert spent <= picodollars(50) * (1 + (LONG_S + SLACK_S) / (spent_at - began))


def when_spent(lines: Sequence[Sequence[Said]], amount: int) -> float:
    """When all have spent so much together, by their own words."""
    spent = [0] * PROCESSES
    for at, number, so_much in sorted(
        (line.at, number, line.spent) for number, one in enumerate(lines) for line in one
    ):
        spent[number] = so_much
        if sum(spent) >= amount:
            return at
    raise AssertionError("they never have")


def test_a_fleet_tells_of_a_threshold_once(address: str):
    with fleet(address, 10_000, 0.002, 50.0) as processes:
        told = [
            process.communicate(timeout=120)[0].splitlines().count("claude.budget.threshold") for process in processes
        ]

    assert sum(told) == 3
