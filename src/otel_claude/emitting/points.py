"""The metric points of a call.

In: the record of a finished call, what it cost and how it failed. Out: points, each an instrument, a value and
attributes. They come from the record and never from a span, so sampling changes no number. Pure, but that it is
remembered which models there were.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from otel_claude import names
from otel_claude.call import Call, Retry
from otel_claude.emitting import instruments
from otel_claude.emitting.instruments import Instrument
from otel_claude.emitting.models import Models
from otel_claude.outcome import Failure
from otel_claude.pricing import COST_PARTS, Cost
from otel_claude.usage import Usage

Labels = dict[str, Any]
Point = tuple[Instrument, float, Labels]

TOKEN_TYPES = (
    ("input", "input"),
    ("cache_read", "cache_read"),
    ("cache_write_5m", "cache_write_5m"),
    ("cache_write_1h", "cache_write_1h"),
    ("output", "output"),
    ("thinking", "reasoning"),
)
"""Fields of `Usage`, with the values of `claude.token.type` that they are counted under."""

USAGE_COUNTERS: tuple[tuple[Instrument, str, str, str], ...] = (
    (instruments.USAGE_INPUT, "prompt", names.TOKEN_MODALITY, "unknown"),
    (instruments.USAGE_OUTPUT, "output", names.TOKEN_MODALITY, "unknown"),
    (instruments.USAGE_CACHE_READ, "cache_read", names.TOKEN_MODALITY, "unknown"),
    (instruments.USAGE_CACHE_WRITE, "cache_write", names.TOKEN_MODALITY, "unknown"),
    (instruments.USAGE_REASONING, "thinking", names.TOKEN_MODALITY, "unknown"),
    (instruments.SERVER_TOOLS, "web_searches", names.TOOL_NAME, "web_search"),
    (instruments.SERVER_TOOLS, "web_fetches", names.TOOL_NAME, "web_fetch"),
    (instruments.SERVER_TOOLS, "code_executions", names.TOOL_NAME, "code_execution"),
)
"""Counters, with the field of `Usage` that they add and the attribute that tells what it is."""

MOST_REASON = 64
"""A stop reason that is longer is none of the API's, and no value for a metric."""

SAVINGS = (("cache", "cache_savings"), ("batch", "batch_savings"))
"""The values of `claude.savings.type`, with the fields of `Cost`."""


def histogram_points(call: Call, failure: Failure | None, window: int | None) -> Iterator[Point]:
    """The points of a finished call that count calls. `window` is the model's context window in tokens."""
    base = labels_of(call)
    timed = base
    if failure is not None:
        timed = {**base, names.ERROR_TYPE: failure.type, names.ERROR_CATEGORY: failure.category}
    yield instruments.DURATION, call.duration_s, timed
    if not call.endpoint.is_inference:
        return
    yield instruments.INFERENCE_DURATION, call.duration_s, timed
    usage, stream = call.response.usage, call.stream
    if usage is not None:
        for answer in call.earlier:
            if answer.usage is not None:
                yield from token_points(answer.usage, labels_of(call, model=answer.model))
        yield from token_points(usage, base)
        if (filled := usage.utilization(window)) is not None:
            yield instruments.UTILIZATION, filled, base
    if stream is not None and stream.first_content_at is not None:
        waited = (stream.first_content_at - call.started_at) / 1e9
        yield instruments.FIRST_CHUNK, waited, base
        yield instruments.INFERENCE_FIRST_CHUNK, waited, base


def token_points(usage: Usage, base: Labels) -> Iterator[Point]:
    """How many tokens one inference took."""
    for direction, count, latest in (
        ("input", usage.prompt, instruments.OPERATION_INPUT),
        ("output", usage.output, instruments.OPERATION_OUTPUT),
    ):
        if count is not None:
            yield instruments.TOKEN_USAGE, count, {**base, names.TOKEN_TYPE: direction}
            yield latest, count, base


def chunk_points(call: Call, waited_s: float) -> Iterator[Point]:
    """The points of one more chunk of a stream, for which the application waited so many seconds."""
    base = labels_of(call)
    yield instruments.CHUNK, waited_s, base
    yield instruments.INFERENCE_CHUNK, waited_s, base


def retry_points(call: Call, retry: Retry) -> Iterator[Point]:
    """That a request is sent again. The first point is a counter's, the other a histogram's."""
    labels = {**labels_of(call), names.ERROR_TYPE: retry.error_type}
    if retry.status_code is not None:
        labels[names.STATUS_CODE] = retry.status_code
    yield instruments.RETRIES, 1, labels
    yield instruments.RETRY_WAIT, retry.wait_s, labels


def counter_points(call: Call, cost: Cost | None, failure: Failure | None) -> list[Iterator[Point]]:
    """The points of a finished call that add up. They are made later, and keep nothing of the call but numbers."""
    found: list[Iterator[Point]] = []
    if call.batch is not None:
        for model, sums in call.batch.fresh.items():
            labels = labels_of(call, "chat", model)
            found += [_billed(labels, sums.usage), _used(labels, sums.usage), _spent(labels, sums.cost, sums.unpriced)]
    if call.endpoint.is_inference:
        base = labels_of(call)
        if call.response.usage is not None:
            found.append(_spent(base, cost))
        for answer in (*call.earlier, call.response):
            if answer.usage is not None:
                found.append(_used(labels_of(call, model=answer.model), answer.usage))
                billed = by_model(answer.usage, answer.model)
                found.extend(_billed(labels_of(call, model=model), tokens) for model, tokens in billed)
        outcome = None if call.stream is None else call.stream.outcome
        error_type = None if failure is None else failure.type
        found.append(_endings(base, call.response.stop_reason, outcome, error_type))
    return found


def by_model(usage: Usage, model: str | None) -> list[tuple[str | None, Usage]]:
    """The tokens that are billed, with the model that they are billed for.

    The totals of a usage leave out compaction and advisor steps, and those of a fallback are its last answer's.
    https://platform.claude.com/docs/en/build-with-claude/compaction
    """
    if all(step.kind == "message" for step in usage.steps):
        return [(model, usage)]
    return [(step.model or model, step.usage) for step in usage.steps]


def _billed(base: Labels, usage: Usage) -> Iterator[Point]:
    for field, kind in TOKEN_TYPES:
        if count := getattr(usage, field):
            yield instruments.CLAUDE_TOKENS, count, {**base, names.CLAUDE_TOKEN_TYPE: kind}


def _used(base: Labels, usage: Usage) -> Iterator[Point]:
    for counter, field, attribute, kind in USAGE_COUNTERS:
        if count := getattr(usage, field):
            yield counter, count, {**base, attribute: kind}


def _spent(base: Labels, cost: Cost | None, unpriced: int | None = None) -> Iterator[Point]:
    """What was spent, and how many inferences have no price. Of a call, that is the one whose cost is not known."""
    if unpriced is None:
        unpriced = 1 if cost is None else 0
    if unpriced:
        yield instruments.UNPRICED, unpriced, base
    if cost is not None:
        for part in COST_PARTS:
            if spent := getattr(cost, part):
                yield instruments.COST, spent, {**base, names.COST_TYPE: part, names.PROCESSING: cost.processing}
        for kind, field in SAVINGS:
            if saved := getattr(cost, field):
                yield instruments.SAVINGS, saved, {**base, names.SAVINGS_TYPE: kind}


def _endings(base: Labels, stop_reason: str | None, outcome: str | None, error_type: str | None) -> Iterator[Point]:
    if stop_reason is not None and len(stop_reason) <= MOST_REASON:
        yield instruments.RESPONSES, 1, {**base, names.CLAUDE_STOP_REASON: stop_reason}
    if outcome not in (None, "completed"):
        labels = {**base, names.STREAM_OUTCOME: outcome}
        yield instruments.INTERRUPTIONS, 1, labels if error_type is None else {**labels, names.ERROR_TYPE: error_type}


def labels_of(call: Call, operation: str | None = None, model: str | None = None) -> Labels:
    """The attributes that all points of a call have. Shared between calls, so never to be changed.

    `operation` and `model` are those of an answer in a batch, where they are not the call's own.
    """
    server, answered = call.server, model or call.response.model
    labels = _labels(
        operation or operation_of(call),
        server.provider,
        asked_model(call) if answered is None else call.request.model,
        answered,
        server.address,
        server.port,
    )
    return {**labels, **call.counted_for} if call.counted_for else labels


def operation_of(call: Call) -> str:
    """`gen_ai.operation.name` on metrics: for calls that no model answers, the SDK's name of the method."""
    return call.endpoint.kind if call.endpoint.is_inference else call.endpoint.name.removeprefix("anthropic.")


MODELS = Models()
"""Those of all calls of the process."""


def asked_model(call: Call) -> str | None:
    """`gen_ai.request.model` on metrics while no model has answered: the application may have put any text there."""
    return None if call.request.model is None else MODELS.asked(call.request.model)


@lru_cache(maxsize=512)
def _labels(
    operation: str, provider: str, asked: str | None, answered: str | None, address: str | None, port: int | None
) -> Labels:
    if answered is not None:
        answered = MODELS.answered(answered)
        asked = None if asked is None else MODELS.answered(asked)
    values = (operation, provider, asked, answered, address, port)
    return {name: value for name, value in zip(LABELS, values, strict=True) if value is not None}


LABELS = (
    names.OPERATION,
    names.PROVIDER,
    names.REQUEST_MODEL,
    names.RESPONSE_MODEL,
    names.SERVER_ADDRESS,
    names.SERVER_PORT,
)
"""The attributes that all points of a call have, as far as they are known."""
