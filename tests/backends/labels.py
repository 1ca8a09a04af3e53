"""Metrics by their labels: what they have to stand at by hand, and what they stand at.

In: what the API has said, or series of metrics. Out: facts with names such as `claude.retries{chat, claude-opus-5-5,
rate_limit_error}`. A label that a series does not have is `-`, and a sum of 0 is left out. How long calls took is not
known by hand, but how many they were is, and that they took no longer than the program.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from facts import Facts, differences
from otlp_points import Series
from said import MILLION, Call, Said

from pricing.listed_prices import LISTED


class Metric(NamedTuple):
    """A metric by some of its labels. `counted` is whether it is the number of values and not their sum.

    `prometheus` is what Prometheus calls it.
    """

    name: str
    labels: Sequence[str]
    prometheus: str
    counted: bool = False

    def fact(self, values: Mapping[str, str]) -> str:
        """The name of the fact that its series with these labels are."""
        told = ", ".join(values.get(label) or "-" for label in self.labels)
        return f"{self.name}{', count' * self.counted}{{{told}}}"


OPERATION, ASKED, ANSWERED = "gen_ai.operation.name", "gen_ai.request.model", "gen_ai.response.model"
_CALL = (OPERATION, ASKED, ANSWERED)
_LIMIT = ("claude.rate_limit.model", "claude.rate_limit.type")
_SIZES = (*_CALL, "gen_ai.token.type")
TOKENS = Metric("claude.token.usage", (*_CALL, "claude.token.type"), "claude_token_usage_total")
COST = Metric("claude.cost", (*_CALL, "claude.processing", "claude.cost.type"), "claude_cost_USD_total")
SAVINGS = Metric("claude.cost.savings", (*_CALL, "claude.savings.type"), "claude_cost_savings_USD")
SIZE = Metric("gen_ai.client.token.usage", _SIZES, "gen_ai_client_token_usage_sum")
SIZES = Metric("gen_ai.client.token.usage", _SIZES, "gen_ai_client_token_usage_count", counted=True)
DURATIONS = Metric(
    "gen_ai.client.operation.duration",
    (OPERATION, ASKED, "error.type"),
    "gen_ai_client_operation_duration_seconds_count",
    counted=True,
)
RETRIES = Metric("claude.retries", (OPERATION, ASKED, "error.type"), "claude_retries_total")
INTERRUPTIONS = Metric(
    "claude.stream.interruptions", (OPERATION, ASKED, "error.type"), "claude_stream_interruptions_total"
)
LIMIT = Metric("claude.rate_limit.limit", _LIMIT, "claude_rate_limit_limit")
REMAINING = Metric("claude.rate_limit.remaining", _LIMIT, "claude_rate_limit_remaining")
METRICS = (TOKENS, COST, SAVINGS, SIZE, SIZES, DURATIONS, RETRIES, INTERRUPTIONS, LIMIT, REMAINING)
GAUGES = (LIMIT, REMAINING)

LIMITS = {"requests": 4_000, "tokens": 480_000, "input_tokens": 400_000, "output_tokens": 80_000}
LEFT = {**LIMITS, "requests": 3_999}
"""What the simulated API says of an organization's limits, each time: that one request was made."""


Part = tuple[Metric, float, Sequence[str]]
"""What something adds to a metric, and its labels in their order."""


def by_hand(said: Said) -> Facts:
    """What the metrics have to stand at."""
    found: defaultdict[str, float] = defaultdict(float)
    for metric, value, values in (*_of_calls(said), *_of_failures(said), *_of_limits(said)):
        found[metric.fact(dict(zip(metric.labels, values, strict=True)))] += value
    return {fact: value for fact, value in found.items() if value}


def _of_calls(said: Said) -> Iterator[Part]:
    for call in said.calls:
        processing = "batch" if call.batch else "standard"
        # Which model each request of a batch has asked, its result does not say.
        of = ("chat", "" if call.batch else call.model, call.model)
        for kind in ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h"):
            yield TOKENS, getattr(call, kind), (*of, kind)
        for kind, usd in call.parts.items():
            yield COST, usd, (*of, processing, kind)
        yield SAVINGS, _saved(call), (*of, "batch" if call.batch else "cache")
        # How long an answer is that did not come whole is not known.
        for kind, size, known in (("input", call.prompt, True), ("output", call.output, call.whole)):
            yield SIZE, size, (*of, kind)
            yield SIZES, known, (*of, kind)
        if call.whole and not call.batch:
            yield DURATIONS, 1, ("chat", call.model, "")
    for (operation, model), count in said.done.others.items():
        yield DURATIONS, count, (operation, model, "")


def _of_failures(said: Said) -> Iterator[Part]:
    for metric, failures in ((DURATIONS, said.errors), (RETRIES, said.retries), (INTERRUPTIONS, said.broken)):
        for failure in failures:
            yield metric, 1, ("chat", *failure)


def _of_limits(said: Said) -> Iterator[Part]:
    for model in {each.model for each in (*said.alone, *said.errors, *said.retries)}:
        for kind, limit in LIMITS.items():
            yield LIMIT, limit, (model, kind)
            yield REMAINING, LEFT[kind], (model, kind)


def _saved(call: Call) -> float:
    """What a call would have cost more, in USD, with nothing cached, or not in a batch."""
    listed = LISTED[call.model]
    if call.batch:
        return call.at(listed) - call.cost
    return call.prompt * listed.input / MILLION - math.fsum(usd for kind, usd in call.parts.items() if kind != "output")


def of_series(series: Iterable[Series]) -> Facts:
    """What they stand at. Of a gauge, the latest value counts."""
    found: defaultdict[str, float] = defaultdict(float)
    for each in sorted(series, key=lambda each: each.until):
        told = {name: str(value) for name, value in each.attributes.items()}
        for metric in METRICS:
            if metric.name == each.metric:
                before = 0 if metric in GAUGES else found[metric.fact(told)]
                found[metric.fact(told)] = before + (each.values if metric.counted else each.value)
    return {fact: value for fact, value in found.items() if value}


def that_add_up(facts: Facts) -> Facts:
    """Those of metrics that add up over processes. A gauge is of one process, which shows none when it has closed."""
    gauges = tuple(f"{metric.name}{{" for metric in GAUGES)
    return {fact: value for fact, value in facts.items() if not fact.startswith(gauges)}


def unlike(by_hand: Facts, shown: Facts) -> Iterator[str]:
    """A sentence for each fact that is another one, is missing, or should not be there."""
    every = dict.fromkeys((*by_hand, *shown), 0.0)
    return differences({**every, **by_hand}, {**every, **shown}, every)


def too_long(said: Said, seconds: float, at_a_time: int = 1) -> Iterator[str]:
    """A sentence if all calls took longer than the program has run, or no longer than the API let it wait.

    `at_a_time` is how many calls there may be at the same time.
    """
    if not max(said.paused, 1e-6) < seconds < (said.ended - said.began) * at_a_time:
        yield (
            f"calls took {seconds} s, of which the API had it wait for {said.paused} s, "
            f"and the program {said.ended - said.began} s"
        )


def lasted(series: Iterable[Series]) -> float:
    """How long all calls took, in seconds."""
    return math.fsum(each.value for each in series if each.metric == DURATIONS.name)
