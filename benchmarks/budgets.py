"""What budgets cost a call: one command prints the table.

    python benchmarks/budgets.py

Runs in the interpreter that it is started with, which needs what `constraints.txt` names, and `redis-server`. Each
number is the least of several rounds, in microseconds of CPU of the thread that makes calls: asking before a call, and
booking after it. What the keeper's thread does beside it is not in it, but the time that calls wait for its lock is in
the slowest of a thousand, which is wall time.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from otel_claude.budgets.budget import Budget
from otel_claude.budgets.control import BudgetControl
from otel_claude.budgets.periods import Period
from otel_claude.budgets.plan import Plan
from otel_claude.call import Call, Endpoint, Request, Server
from otel_claude.pricing import Cost

CALLS = 20_000
ROUNDS = 5
TENANTS = 200
COST = Cost(0.002, 0.01, 0.0, 0.0, 0.0, 0.0, 0.0, "standard", "override", ())
ENDPOINT = Endpoint("anthropic.messages.create", "chat")
SERVER = Server("anthropic", "anthropic", "api.anthropic.com", 443)
REQUEST = Request("post", {"max_tokens": 1024}, "claude-sonnet-5", stream=False)

ALL = Budget("all", 10**18, Period("day", UTC), action="block")
EACH = Budget("tenants", 10**18, Period("rolling", UTC, 86_400.0), per="tenant", action="block")


def main() -> None:
    print(f"{'':44}{'a call, µs':>12}{'slowest of 1,000, µs':>24}")
    with redis() as url, tempfile.TemporaryDirectory() as folder:
        for title, ledger in (
            ("in memory", "memory"),
            ("an SQLite file", f"sqlite:///{folder}/ledger.db"),
            ("Redis", url),
            ("Redis that is gone", "redis://127.0.0.1:1/0"),
        ):
            for what, budgets in (("a budget", (ALL,)), (f"and one for each of {TENANTS} tenants", (ALL, EACH))):
                cpu, slowest = measured(Plan(budgets=budgets, ledger=ledger, interval_s=0.2))
                print(f"{f'{what}, {title}':44}{cpu:12.1f}{slowest:24.0f}", flush=True)


@contextmanager
def redis() -> Iterator[str]:
    """A server of our own."""
    program = shutil.which("redis-server")
    if program is None:
        sys.exit("redis-server is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as server:
        time.sleep(0.5)
        yield f"redis://127.0.0.1:{port}/0"
        server.terminate()


def measured(plan: Plan) -> tuple[float, float]:
    """Microseconds of a call, and of the slowest of a thousand."""
    control = BudgetControl(plan, lambda call, model, usage: None, lambda finding: None)
    cpu, slowest = [], []
    for _ in range(ROUNDS):
        took: list[int] = []
        before = time.thread_time()
        for number in range(CALLS):
            call = Call(ENDPOINT, SERVER, REQUEST, 0, 0, scopes={"tenant": str(number % TENANTS)})
            began = time.perf_counter_ns()
            control.admit(call)
            control.settle(call, COST)
            took.append(time.perf_counter_ns() - began)
        whole = time.thread_time() - before
        before = time.thread_time()
        for number in range(CALLS):
            call = Call(ENDPOINT, SERVER, REQUEST, 0, 0, scopes={"tenant": str(number % TENANTS)})
            began = time.perf_counter_ns()
            took.append(0 * (time.perf_counter_ns() - began))
        cpu.append((whole - (time.thread_time() - before)) / CALLS * 1e6)
        slowest.append(sorted(took)[-CALLS // 1_000] / 1_000)
    control.close()
    return min(cpu), min(slowest)


if __name__ == "__main__":
    main()
