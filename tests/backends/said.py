"""What the simulated API says to a program, and what follows from it by hand.

In: what was queued for the requests of a program, in their order, and the requests that came. Out: a `Call` for each
answer, with its tokens and its price, and a `Failure` for each error. Prices are those of the price pages, none comes
from the package under test.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any, NamedTuple

from by_hand import Done
from script import research

from otel_claude.testing import (
    Answer,
    BadRequest,
    Batch,
    ErrorEvent,
    ErrorResponse,
    Hang,
    Outcome,
    RateLimited,
    Request,
    Slow,
    ToolUse,
    usage,
)
from pricing.listed_prices import BATCH, LISTED, Listed

MILLION = 1_000_000
NOTHING = Done({}, {})

ROUND: tuple[Outcome, ...] = (
    Answer("Sunny.", usage=usage(input_tokens=11, cache_write_5m=2_000, cache_write_1h=300, output_tokens=21)),
    Answer("Sunny.", usage=usage(input_tokens=12, cache_read=2_300, output_tokens=22)),
    Answer(
        tool_uses=[ToolUse("weather", {"city": "Paris"})],
        usage=usage(input_tokens=13, cache_read=1_500, cache_write_5m=40, output_tokens=23),
    ),
    Answer("It is sunny in Paris.", usage=usage(input_tokens=14, cache_read=1_540, output_tokens=24)),
    BadRequest("max_tokens: Input should be greater than 0"),
    RateLimited(retry_after=0.01),
    Answer("Sunny.", usage=usage(input_tokens=15, output_tokens=25)),
    ErrorEvent("overloaded_error", after_events=4, then=Answer(usage=usage(input_tokens=16, output_tokens=26))),
    Batch(
        [
            Answer("Sunny.", usage=usage(input_tokens=1_017, output_tokens=127)),
            Answer("Sunny.", usage=usage(input_tokens=1_018, output_tokens=128)),
        ]
    ),
)
"""What comes of the requests of `apps/calls.py`, in one round."""

WRITTEN = usage(input_tokens=300, cache_read=12_000, cache_write_5m=40, output_tokens=60)
RUNAWAY_SAYS: tuple[Outcome, ...] = tuple(
    replace(outcome, usage=WRITTEN) if isinstance(outcome, Answer) and outcome.tool_uses else outcome
    for outcome in research()
)
"""What comes of the requests of the agent that has run away. Unlike in the demo, it writes to the cache as well."""


class Call(NamedTuple):
    """An answer: its model, its tokens by their kind, and whether it stood in a batch, or did come whole."""

    model: str
    input: int
    output: int
    cache_read: int
    cache_write_5m: int
    cache_write_1h: int
    batch: bool = False
    whole: bool = True

    @property
    def prompt(self) -> int:
        """All input tokens, as the conventions count them: those that were not cached, read and written."""
        return self.input + self.cache_read + self.cache_write

    @property
    def cache_write(self) -> int:
        return self.cache_write_5m + self.cache_write_1h

    @property
    def cost(self) -> float:
        """In USD, at the prices that are listed."""
        return math.fsum(self.parts.values())

    @property
    def parts(self) -> Mapping[str, float]:
        """The same by kind."""
        if self.batch:
            # The batches here use no cache.
            for_input, for_output = BATCH[self.model]
            return {"input": self.input * for_input / MILLION, "output": self.output * for_output / MILLION}
        return self._parts(LISTED[self.model])

    def at(self, prices: Listed) -> float:
        """In USD, at these prices."""
        return math.fsum(self._parts(prices).values())

    def _parts(self, prices: Listed) -> Mapping[str, float]:
        return {
            "input": self.input * prices.input / MILLION,
            "output": self.output * prices.output / MILLION,
            "cache_read": self.cache_read * prices.read / MILLION,
            "cache_write": (self.cache_write_5m * prices.write_5m + self.cache_write_1h * prices.write_1h) / MILLION,
        }


class Failure(NamedTuple):
    """An error, by the API's code, and the model that was asked."""

    model: str
    type: str


class Said(NamedTuple):
    """What came of the requests of a program: its answers, its errors, and those after which it asked again.

    `broken` are those of the errors that came in the middle of an answer. `paused` is for how many seconds the API has
    kept it waiting at least, `done` what the program does by hand, and `began` and `ended` are when it ran, in seconds
    of the clock.
    """

    calls: Sequence[Call]
    errors: Sequence[Failure] = ()
    retries: Sequence[Failure] = ()
    broken: Sequence[Failure] = ()
    paused: float = 0.0
    done: Done = NOTHING
    began: float = 0.0
    ended: float = math.inf

    @property
    def alone(self) -> Sequence[Call]:
        """The answers that do not stand in a batch, each of which has a span."""
        return [call for call in self.calls if not call.batch]


def said(requests: Iterable[Request], outcomes: Sequence[Outcome]) -> Said:
    """What was said to the `requests` that take an outcome each, which are those that post something."""
    exchanges = list(zip((request for request in requests if request.method == "POST"), outcomes, strict=True))
    calls: list[Call] = []
    errors: list[Failure] = []
    retries: list[Failure] = []
    broken: list[Failure] = []
    for (request, outcome), following in zip_longest(exchanges, exchanges[1:]):
        if isinstance(outcome, ErrorResponse | ErrorEvent):
            # The SDK says of a request how often it was sent before.
            again = following is not None and int(following[0].headers["x-stainless-retry-count"])
            failure = Failure(request.json["model"], outcome.type)
            (retries if again else errors).append(failure)
            if isinstance(outcome, ErrorEvent):
                broken.append(failure)
        calls += _calls(request.json, outcome)
    paused = math.fsum(each.seconds for each in outcomes if isinstance(each, Hang))
    return Said(calls, errors, retries, broken, paused)


def _calls(document: Any, outcome: Outcome) -> Iterator[Call]:
    match outcome:
        case Answer(usage=dict(counted)):
            yield _call(document, counted)
        case Hang(then=then) | Slow(then=then):
            yield from _calls(document, then)
        case ErrorEvent(then=Answer(usage=dict(counted))):
            # The first event tells the tokens of the prompt. How long the answer was, the last one would have told.
            yield _call(document, {**counted, "output_tokens": 0})._replace(whole=False)
        case Batch(results=results):
            for each, result in zip(document["requests"], results, strict=True):
                if isinstance(result, Answer):
                    yield from (call._replace(batch=True) for call in _calls(each["params"], result))
        case _:
            pass


def _call(document: Any, counted: dict[str, Any]) -> Call:
    written = counted["cache_creation"]
    return Call(
        document["model"],
        counted["input_tokens"],
        counted["output_tokens"],
        counted["cache_read_input_tokens"],
        written["ephemeral_5m_input_tokens"],
        written["ephemeral_1h_input_tokens"],
    )
