"""One process of a fleet that spends.

    python spender.py LEDGER CALLS PAUSE_S INTERVAL_S [LIMIT_USD]

Makes and settles priced calls as the instrumentation does, without sending them. Prints 250 lines or a few
more: the time, how many calls there were, and what they cost in picodollars. It stops at `BudgetExceeded`.
"""

import random
import sys
import time

from otel_claude.budgets.budget import Budget
from otel_claude.budgets.control import BudgetControl
from otel_claude.budgets.exceeded import BudgetExceeded
from otel_claude.budgets.money import picodollars
from otel_claude.budgets.periods import Period
from otel_claude.budgets.plan import Plan
from otel_claude.call import Call, Endpoint, Request, Server
from otel_claude.pricing import Prices
from otel_claude.usage import Usage

LINES = 250
"""What a pipe holds, though nobody reads it."""
MODEL = "claude-sonnet-5"


def call() -> Call:
    return Call(
        Endpoint("anthropic.messages.create", "chat"),
        Server("anthropic", "anthropic", "api.anthropic.com", 443),
        Request("post", {"max_tokens": 100}, MODEL, stream=False),
        0,
        0,
    )


def unpriced(call: Call, model: str, usage: Usage) -> None:
    """Nothing is reserved, so nobody asks."""


def say(line: str) -> None:
    """Prints a line at once and as a whole: two threads do."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(ledger: str, calls: int, pause_s: float, interval_s: float, limit_usd: float | None) -> None:
    from datetime import UTC

    amount = picodollars(1_000_000 if limit_usd is None else limit_usd)
    budget = Budget("all", amount, Period("month", UTC), action="warn" if limit_usd is None else "block")
    prices = Prices()
    control = BudgetControl(
        Plan(budgets=(budget,), ledger=ledger, interval_s=interval_s), unpriced, lambda told: say(told.event)
    )
    chance = random.Random()  # noqa: S311  # amounts, no keys
    spent = 0
    for number in range(1, calls + 1):
        one = call()
        try:
            control.admit(one)
        except BudgetExceeded:
            say(f"refused {time.time()} {number - 1} {spent}")
            return
        usage = Usage(input=chance.randrange(10_000), output=chance.randrange(1_000), cache_read=chance.randrange(99))
        cost = prices.cost(usage, model=MODEL, platform="anthropic")
        assert cost is not None
        control.settle(one, cost)
        spent += picodollars(cost.total)
        if number % max(1, calls // LINES) == 0 or number == calls:
            say(f"spent {time.time()} {number} {spent}")
        time.sleep(pause_s)


if __name__ == "__main__":
    main(
        sys.argv[1],
        int(sys.argv[2]),
        float(sys.argv[3]),
        float(sys.argv[4]),
        float(sys.argv[5]) if len(sys.argv) > 5 else None,
    )
