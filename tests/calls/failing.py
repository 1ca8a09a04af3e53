"""The ways in which Claude fails in production, by the headings of the guide, and what an engineer looks for then.

`WAYS` is what goes wrong; `VALUES` are rows of what the signals say of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from driver import MODEL

from fixture_types import API_KEY
from otel_claude.testing import (
    Answer,
    BadRequest,
    Cut,
    GatewayTimeout,
    Hang,
    NotFound,
    Overloaded,
    RateLimited,
    RequestTooLarge,
    ToolUse,
    Unauthorized,
    usage,
)

HAIKU = {"model": "claude-haiku-4-5"}
"""Has a window of 200,000 tokens."""

LIMITS: dict[str, str | None] = {
    "anthropic-ratelimit-requests-limit": "1000",
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-requests-reset": "2099-01-01T00:00:00Z",
}
LONG_PROMPT = "You are a helpful assistant who knows the handbook by heart. " * 400
"""24,400 characters: more than the 4,096 tokens that any model asks for."""

BAD_TOOL = {"name": "get_user", "input_schema": {"type": "object", "properties": {"user_id": {"type": "str"}}}}

SEARCH = {"name": "search", "input_schema": {"type": "object", "properties": {"customer": {"type": "string"}}}}
SEARCHES = Answer(
    "Let me look.",
    tool_uses=[ToolUse("search", {"customer": "Jane Doe, Springfield"})],
    usage=usage(input_tokens=900, output_tokens=60),
)
"""Streamed: the start of the message, a block of text with a ping and three words, and its end, which are eight events.
Then the start of the tool's block, an empty piece and pieces of 12 characters.
"""
IN_THE_ARGUMENTS = 8 + 1 + 1 + 2
"""So many events, and two pieces of the arguments have come: `{"customer": "Jane Doe, `."""

NO_CREDITS = (
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase"
    " credits."
)

UNPRICED = "claude-of-tomorrow-9"

RUNAWAY = 50
"""So many calls an agent makes that loops. With the span around them there are 51 spans in its trace."""


class Failing(NamedTuple):
    """What goes wrong, and what is asked: one answer for each call or attempt, and before them those of a batch."""

    outcomes: Sequence[Any]
    ask: Mapping[str, Any] = {}
    batch: Sequence[Any] = ()
    settings: Mapping[str, Any] = {}
    calls: int = 1
    retries: int = 0


WAYS: Mapping[str, Failing] = {
    "Rate limits": Failing([RateLimited(retry_after=0.01, headers=LIMITS)] * 3, retries=2),
    "Scaling thresholds": Failing(
        [RateLimited(retry_after=0.01, headers=LIMITS), Answer("Hi", headers=LIMITS)], retries=2
    ),
    "Context window": Failing(
        [
            Answer("Hi", usage=usage(input_tokens=190_000, output_tokens=1)),
            BadRequest("prompt is too long: 208310 tokens > 200000 maximum"),
        ],
        HAIKU,
        batch=[Answer("Hi", usage=usage(input_tokens=count, output_tokens=1)) for count in (170_000, 180_000, 9)],
        calls=2,
    ),
    "Memory": Failing(
        [Answer("Hi")], {"messages": [{"role": role, "content": "Hi"} for role in ("user", "assistant") * 30]}
    ),
    "Streaming": Failing([Hang(5, after_events=3)], {"stream": True, "timeout": 0.5}),
    "Streaming and tool integration": Failing(
        [SEARCHES, Hang(0.5, after_events=IN_THE_ARGUMENTS - 1, then=Cut(IN_THE_ARGUMENTS, then=SEARCHES))],
        {"stream": True, "tools": [SEARCH]},
        settings={"chunk_metrics": True},
        calls=2,
    ),
    "Authentication": Failing([Unauthorized("invalid x-api-key")]),
    "Billing and permissions": Failing([BadRequest(NO_CREDITS)]),
    "Model names": Failing([NotFound("model: claude-sonet-5")], {"model": "claude-sonet-5"}),
    "Cut answers": Failing(
        [Answer("Hi", stop_reason="max_tokens")],
        batch=[Answer("Hi", stop_reason=reason) for reason in ("max_tokens", "end_turn", "max_tokens")],
    ),
    "Tool calling": Failing(
        [
            BadRequest(
                "tools.0.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12"
                " (https://json-schema.org/draft/2020-12)."
            )
        ],
        {"tools": [BAD_TOOL]},
    ),
    "File processing": Failing([RequestTooLarge(), GatewayTimeout()]),
    "Cost control": Failing(
        [
            *[Answer("Hi", usage=usage(input_tokens=6_000, output_tokens=5))] * 2,
            Answer("Hi", usage=usage(input_tokens=10, output_tokens=5, cache_read=5_990)),
        ],
        {"system": LONG_PROMPT},
        calls=3,
    ),
    "Security": Failing(
        [
            Answer("Hi", headers={"anthropic-workspace-id": "wrkspc_1"}),
            # As a gateway says it, which quotes what it was sent.
            Unauthorized(f"Invalid key: {API_KEY}"),
        ],
        settings={"audit": True},
        calls=2,
    ),
    "Retries": Failing([Overloaded(retry_after=0.01), Answer("Hi")], retries=2),
    "Performance": Failing([Overloaded(retry_after=0.01), Answer("Hi")], {"stream": True}, retries=2),
    "Monitoring": Failing([Answer("Hi", headers=LIMITS), Answer("Hi", model=UNPRICED, headers=LIMITS)], calls=2),
    "Breaking points": Failing([], settings={"max_spans_per_trace": 20}, calls=RUNAWAY),
    "Success metrics": Failing([Answer("Hi"), Overloaded()], calls=2),
}
"""By the heading of the section."""


class Span(NamedTuple):
    """The last span has these attributes. A function says whether it is so."""

    expected: Mapping[str, Any]


class Event(NamedTuple):
    """Of the events of this name, the one at this place has these attributes."""

    name: str
    expected: Mapping[str, Any]
    at: int = -1


class Sum(NamedTuple):
    """The points of this metric with these attributes add up to this; a histogram that `counts` has so many values."""

    name: str
    value: Any
    labels: Mapping[str, Any] = {}
    counts: bool = False


def says(*words: str) -> Callable[[Any], bool]:
    return lambda text: all(word in text for word in words)


def between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda number: low <= number <= high


def failed(error_type: str, category: str) -> Mapping[str, str]:
    return {"error.type": error_type, "claude.error.category": category}


CALLS = "gen_ai.client.operation.duration"
PRICE = pytest.approx((12_010 * 2 + 5_990 * 0.10 + 15 * 10) / 1e6)
"""Of the three calls under "Cost control", in USD. https://platform.claude.com/docs/en/about-claude/pricing"""
SAVED = pytest.approx(5_990 * (2 - 0.10) / 1e6)

VALUES: Mapping[str, Sequence[Span | Event | Sum]] = {
    "Rate limits": [
        Span({"claude.error.category": "rate_limited", "claude.error.hint": says("requests"), "claude.retry.count": 2}),
        Event("claude.rate_limit.low", {"claude.rate_limit.type": "requests", "claude.rate_limit.left": 0}),
        Event("claude.retry", {"claude.retry.attempt": 2, "http.response.status_code": 429}),
        Sum("claude.rate_limit.limit", 1_000, {"claude.rate_limit.type": "requests"}),
        Sum("claude.rate_limit.remaining", 0, {"claude.rate_limit.type": "requests"}),
    ],
    "Scaling thresholds": [
        Sum(CALLS, 1, {"gen_ai.operation.name": "chat"}, counts=True),
        Sum("claude.retries", 1, {"gen_ai.operation.name": "chat"}),
        Sum("claude.rate_limit.limit", 1_000, {"claude.rate_limit.type": "requests"}),
    ],
    "Context window": [
        Event("claude.context.high", {"claude.batch.results.context_high": 2, "claude.context.tokens": 180_000}, at=0),
        Event("claude.context.high", {"claude.context.utilization": 0.95, "claude.context.tokens": 190_000}),
        Span({"claude.error.category": "context_length", "claude.error.hint": says("208,310", "200,000")}),
        Span({"claude.error.tokens": 208_310, "claude.error.limit": 200_000}),
        Sum("claude.context.utilization", 0.95),
    ],
    "Memory": [
        Span({"claude.request.messages": 60, "claude.request.size_bytes": between(60 * 32, 60 * 40)}),
        Event("claude.conversation.long", {"claude.request.messages": 60}),
        Event("claude.conversation.long", {"claude.request.estimated_tokens": between(60 * 8, 60 * 10)}),
    ],
    "Streaming": [
        Span({"claude.stream.outcome": "interrupted", "error.type": "timeout"}),
        Event("claude.stream.interrupted", {"claude.stream.chunks": 2, "claude.stream.silence_s": between(0.4, 4)}),
        Event("claude.stream.interrupted", {"claude.stream.likely_cause": says("client", "0.5 s")}),
        Sum("claude.stream.interruptions", 1, {"claude.stream.outcome": "interrupted", "error.type": "timeout"}),
    ],
    "Streaming and tool integration": [
        Span({"claude.stream.outcome": "interrupted", "gen_ai.response.finish_reasons": ("error",)}),
        Span({"error.type": "stream_interrupted", "gen_ai.response.time_to_first_chunk": between(0, 4)}),
        # All but the ping, which the SDK keeps to itself.
        Span({"claude.stream.chunks": IN_THE_ARGUMENTS - 1, "claude.stream.max_gap_s": between(0.1, 4)}),
        Event("claude.stream.interrupted", {"gen_ai.usage.input_tokens": 900, "gen_ai.usage.output_tokens": None}),
        Event("claude.stream.interrupted", {"claude.stream.likely_cause": says("connection")}),
        Sum("claude.responses", 1, {"claude.stop_reason": "tool_use"}),
        Sum("claude.responses", 1),
        Sum("gen_ai.client.operation.time_to_first_chunk", 2, counts=True),
        # Half a second between two of them.
        Sum("gen_ai.client.operation.time_per_output_chunk", between(0.1, 4)),
    ],
    "Authentication": [
        Span({"claude.error.category": "authentication", "claude.error.hint": says("key"), "claude.retry.count": None}),
        Sum(CALLS, 1, failed("authentication_error", "authentication"), counts=True),
    ],
    "Billing and permissions": [
        Span({"claude.error.category": "billing", "claude.error.hint": says("credits"), "claude.retry.count": None}),
        Sum(CALLS, 1, failed("invalid_request_error", "billing"), counts=True),
    ],
    "Model names": [
        Span({"claude.error.category": "model_not_found", "claude.error.hint": says("claude-sonnet-5")}),
        Sum(
            CALLS,
            1,
            {**failed("not_found_error", "model_not_found"), "gen_ai.request.model": "claude-sonet-5"},
            counts=True,
        ),
    ],
    "Cut answers": [
        Event("claude.output.truncated", {"claude.batch.results.truncated": 2}, at=0),
        Event("claude.output.truncated", {"claude.batch.stop_reasons": ("max_tokens",)}, at=0),
        Event("claude.output.truncated", {"anthropic.message.stop_reason": "max_tokens"}),
        Event("claude.output.truncated", {"gen_ai.request.max_tokens": 64}),
        Sum("claude.responses", 1, {"claude.stop_reason": "max_tokens"}),
    ],
    "Tool calling": [
        Span({"claude.error.category": "tool_schema"}),
        Event("claude.tool_schema.invalid", {"gen_ai.tool.name": "get_user", "claude.tool_schema.refused": True}),
        Event("claude.tool_schema.invalid", {"claude.tool_schema.path": "input_schema.properties.user_id.type"}),
        Event("claude.tool_schema.invalid", {"claude.tool_schema.reason": says("str")}),
    ],
    "File processing": [
        Event("gen_ai.client.operation.exception", {"claude.error.category": "request_too_large"}, at=0),
        Event("gen_ai.client.operation.exception", {"claude.error.category": "timeout"}, at=1),
        Span({"claude.file.size_bytes": 200}),
        Event("claude.file.large", {"claude.file.size_bytes": 200, "claude.call.duration_s": between(0, 4)}),
        Sum(CALLS, 1, failed("request_too_large", "request_too_large"), counts=True),
    ],
    "Cost control": [
        Sum("claude.cost", PRICE, {"claude.processing": "standard", "gen_ai.request.model": MODEL}),
        Sum("claude.cost.savings", SAVED, {"claude.savings.type": "cache"}),
        Sum("claude.cache.unused", 1),
        # The prompt has 24,400 characters, so 6,100 tokens by its size; the API has counted 6,000 with the question.
        Event("claude.cache.unused", {"claude.cache.repeats": 2, "claude.cache.prefix_tokens": 6_000}),
    ],
    "Security": [
        Event("claude.audit", {"claude.call.name": "anthropic.messages.create", "gen_ai.request.model": MODEL}, at=0),
        Event("claude.audit", {"claude.call.outcome": "completed", "anthropic.request.id": "req_sim_0001"}, at=0),
        Event("claude.audit", {"anthropic.workspace.id": "wrkspc_1", "http.response.status_code": 200}, at=0),
        Event("claude.audit", {"claude.call.outcome": "failed", "anthropic.request.id": "req_sim_0002"}, at=1),
        Event("claude.audit", {"error.type": "authentication_error", "http.response.status_code": 401}, at=1),
        Event("gen_ai.client.operation.exception", {"exception.message": says("Invalid key: ***")}),
        Span({"claude.error.category": "authentication", "anthropic.request.id": "req_sim_0002"}),
    ],
    "Retries": [
        Event("claude.retry", {"claude.retry.attempt": 1, "error.type": "overloaded_error"}),
        Event("claude.retry", {"claude.retry.delay_s": 0.01, "anthropic.request.id": "req_sim_0001"}),
        Span({"claude.retry.count": 1, "claude.retry.wait_s": 0.01, "error.type": None}),
        Sum("claude.retries", 1, {"error.type": "overloaded_error", "http.response.status_code": 529}),
        Sum("claude.retry.wait", 0.01),
    ],
    "Performance": [
        Span({"claude.retry.wait_s": 0.01, "gen_ai.response.time_to_first_chunk": between(0.01, 4)}),
        Sum(CALLS, between(0.01, 4), {"gen_ai.request.model": MODEL}),
    ],
    "Monitoring": [
        Sum("claude.cost.unpriced", 1, {"gen_ai.response.model": UNPRICED}),
        Sum("claude.cost.unpriced", 1),
        Sum("claude.rate_limit.remaining", 0, {"claude.rate_limit.type": "requests"}),
    ],
    "Breaking points": [
        Event("claude.trace.capped", {"claude.trace.spans.created": RUNAWAY + 1, "claude.trace.cap": 20}),
        Event("claude.trace.capped", {"claude.trace.spans.exported": between(1, 20)}),
        Sum("claude.trace.capped", 1),
        Sum(CALLS, RUNAWAY, counts=True),
    ],
    "Success metrics": [
        Sum(CALLS, 2, counts=True),
        Sum(CALLS, 1, failed("overloaded_error", "overloaded"), counts=True),
    ],
}
