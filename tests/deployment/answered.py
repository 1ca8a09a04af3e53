"""What the simulated API answers to an application, and what it has answered.

No two answers have the same tokens, so that none can stand in for another.
"""

import math
import time
from collections.abc import Iterable
from threading import Lock

from by_hand import Done
from said import Call, Said

from otel_claude.testing import Answer, Hang, Outcome, Request, usage

MODEL = "claude-sonnet-5-5"
CALLS = 2
WORK = Done({("work", ""): 1, (f"chat {MODEL}", "work"): CALLS, ("step", "work"): 30}, {})
"""What `apps/work.py` does each time, by hand."""

STARTED = 2
"""Events of a stream that has begun."""


class Answers:
    """Answers each request, and remembers it.

    `pause_s` is for how long each stream stops in its middle. `around` is the name of a span of somebody else's in
    which each piece of work is done, if there is one.
    """

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        """By the id of the answer."""
        self.pause_s = 0.0
        self.around = ""
        self._began = time.time()
        self._numbering = Lock()

    def __call__(self, request: Request) -> Outcome:
        """The next answer."""
        with self._numbering:
            number = len(self.calls) + 1
            call = numbered(number)
            said = f"msg_{number:04}"
            self.calls[said] = call
        answer = Answer(
            "It is sunny in Paris.",
            usage=usage(
                input_tokens=call.input,
                output_tokens=call.output,
                cache_read=call.cache_read,
                cache_write_5m=call.cache_write_5m,
            ),
            more={"id": said},
        )
        streamed = self.pause_s and request.json.get("stream")
        return Hang(self.pause_s, after_events=STARTED, then=answer) if streamed else answer

    @property
    def said(self) -> Said:
        calls = list(self.calls.values())
        return Said(calls, done=self._work.times(len(calls) // CALLS), began=self._began, ended=time.time())

    @property
    def _work(self) -> Done:
        if not self.around:
            return WORK
        below = {where: count for where, count in WORK.tree.items() if where[1]}
        return Done({(self.around, ""): 1, ("work", self.around): 1, **below}, {})

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
