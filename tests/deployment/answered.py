"""What the simulated API answers to an application, and what it has answered.

No two answers have the same tokens, so that none can stand in for another.
"""

import math
from collections.abc import Iterable

from said import Call, Said

from otel_claude.testing import Answer, Request, usage

MODEL = "claude-sonnet-5-5"


class Answers:
    """Answers each request, and remembers it."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        """By the id of the answer."""

    def __call__(self, request: Request) -> Answer:
        """The next answer."""
        number = len(self.calls) + 1
        call = numbered(number)
        said = f"msg_{number:04}"
        self.calls[said] = call
        return Answer(
            "It is sunny in Paris.",
            usage=usage(
                input_tokens=call.input,
                output_tokens=call.output,
                cache_read=call.cache_read,
                cache_write_5m=call.cache_write_5m,
            ),
            more={"id": said},
        )

    @property
    def said(self) -> Said:
        return Said(list(self.calls.values()), errors=(), retries=0)

    @property
    def cost(self) -> float:
        """What they have cost, in USD at the prices that are listed."""
        return cost(self.calls.values())


def numbered(number: int) -> Call:
    """The answer of this number, from 1 on. Each is a little dearer than the one before it."""
    return Call(MODEL, 10 + number, 20 + number, 50 * number, 5 * number, 0)


def cost(calls: Iterable[Call]) -> float:
    """What calls cost, in USD at the prices that are listed."""
    return math.fsum(call.cost for call in calls)
