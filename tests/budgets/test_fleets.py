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
SLACK_S = 1.0
"""What a machine with 2 cores and 8 busy processes needs to get round to each of them."""


class Said(NamedTuple):
    """A line that a spender has printed."""

    what: str
    at: float
    calls: int
    spent: int


@contextmanager
def fleet(ledger: str, calls: int, pause_s: float, *limit: float) -> Generator[list[subprocess.Popen[str]]]:
    command = [sys.executable, SPENDER, ledger, str(calls), str(pause_s), str(INTERVAL_S), *map(str, limit)]
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
    with fleet(redis.url, 25_000, 0.0001) as processes:
        so_far(processes[0], 3_000)
        redis.kill(lose=loses)
        time.sleep(1)
        redis.start()
        lines = said(processes)

    assert [one[-1].calls for one in lines] == [25_000] * PROCESSES
    assert total(redis.url) == sum(one[-1].spent for one in lines)


def test_the_sum_is_exact_in_a_file(tmp_path: Path):
    ledger = f"sqlite:///{tmp_path}/ledger.db"
    with fleet(ledger, 25_000, 0.0001) as processes:
        lines = said(processes)

    assert [one[-1].calls for one in lines] == [25_000] * PROCESSES
    assert total(ledger) == sum(one[-1].spent for one in lines)


def test_a_process_that_is_killed_loses_one_interval_at_most(address: str):
    with fleet(address, 6_000, 0.001) as processes:
        first = so_far(processes[0], 3_000)
        processes[0].send_signal(signal.SIGKILL)
        killed_at = time.time()
        later, *others = said(processes)

    first += later
    before = [line for line in first if line.at < killed_at - INTERVAL_S - SLACK_S]
    assert len(before) > 5
    assert [one[-1].calls for one in others] == [6_000] * (PROCESSES - 1)
    rest = total(address) - sum(one[-1].spent for one in others)
    # It may have spent a little after its last word.
    assert before[-1].spent <= rest <= first[-1].spent + 100 * picodollars(0.04)


def test_a_fleet_stops_within_one_interval(address: str):
    """At most $0.03 a call, on average half: 3,000 calls and more are let through by $50, of 80,000."""
    with fleet(address, 10_000, 0.002, 50.0) as processes:
        lines = said(processes)

    last = [one[-1] for one in lines]
    assert [line.what for line in last] == ["refused"] * PROCESSES
    spent = sum(line.spent for line in last)
    assert spent == total(address)
    assert spent >= picodollars(50)
    # Who is the first to be refused knows that it is spent; the others know it an interval later.
    refused = sorted(line.at for line in last)
    assert refused[-1] - refused[0] <= INTERVAL_S + SLACK_S
    calls = sum(line.calls for line in last)
    overshoot = PROCESSES * (INTERVAL_S + SLACK_S) / 0.002
    assert (spent - picodollars(50)) / (spent / calls) <= overshoot


def test_a_fleet_tells_of_a_threshold_once(address: str):
    with fleet(address, 10_000, 0.002, 50.0) as processes:
        told = [
            process.communicate(timeout=120)[0].splitlines().count("claude.budget.threshold") for process in processes
        ]

    assert sum(told) == 3
