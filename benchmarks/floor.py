"""The floor: the span and the metric points of `otel_claude`, made by hand around a call of the bare SDK.

Values stand here as literals: nothing but the time is measured, and nothing is read, counted or priced. What
is left is the work that OpenTelemetry itself does to record so much. `run.py` compares what both record and
says where they differ.
"""

from collections.abc import Callable, Mapping
from time import perf_counter

import anthropic
from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

Attributes = Mapping[str, AttributeValue]
Call = Callable[[anthropic.Anthropic], None]

REQUEST: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-5",
    "gen_ai.request.max_tokens": 1024,
    "server.address": "api.anthropic.com",
    "server.port": 443,
    "claude.platform": "anthropic",
}

RESPONSE: Attributes = {
    "gen_ai.response.id": "msg_01YUFu6WCB8ZHZBNCMemdJ2B",
    "gen_ai.response.model": "claude-sonnet-5",
    "gen_ai.response.finish_reasons": ("end_turn",),
    "anthropic.message.stop_reason": "end_turn",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 41,
    "anthropic.response.service_tier": "standard",
    "anthropic.request.id": "req_011CQkYXWEaYLtjyRLVfhAKc",
    "anthropic.organization.id": "9f0c6b1e-3f0a-4b57-8a55-0a1f1f0c7d11",
    "http.response.status_code": 200,
    # 12 and 41 tokens at $2 and $10 a million.
    "claude.cost.usd": 0.000434,
    "claude.cost.input_usd": 0.000024,
    "claude.cost.output_usd": 0.00041,
    "claude.cost.source": "genai-prices 0.2.3",
    "claude.context.window": 1_000_000,
    "claude.context.utilization": 0.000012,
}

STREAM: Attributes = {
    "gen_ai.response.time_to_first_chunk": 0.1,
    "claude.stream.chunks": 106,
    "claude.stream.max_gap_s": 0.1,
    "claude.stream.outcome": "completed",
}

POINT: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-sonnet-5",
    "gen_ai.response.model": "claude-sonnet-5",
    "server.address": "api.anthropic.com",
    "server.port": 443,
}


BY_WORKLOAD: Mapping[str, Attributes] = {
    "small": {"claude.request.messages": 1},
    "large": {"claude.request.messages": 51, "claude.request.tools": 10},
    "raw": {"claude.request.messages": 1, "gen_ai.request.stream": True},
    "helper": {"claude.request.messages": 1, "gen_ai.request.stream": True},
}


def by_hand(call: Call, workload: str) -> Call:
    """`call`, recorded. The span and the points of a stream are of the whole stream: no event adds work."""
    request = {**REQUEST, **BY_WORKLOAD[workload]}
    streams = "gen_ai.request.stream" in request
    response = {**RESPONSE, **STREAM} if streams else RESPONSE
    tracer = trace.get_tracer("floor")
    meter = metrics.get_meter("floor")
    duration = meter.create_histogram("gen_ai.client.operation.duration", "s")
    tokens = meter.create_histogram("gen_ai.client.token.usage", "{token}")
    first_chunk = meter.create_histogram("gen_ai.client.operation.time_to_first_chunk", "s")
    claude_tokens = meter.create_counter("claude.token.usage", "{token}")
    cost = meter.create_counter("claude.cost", "USD")
    responses = meter.create_counter("claude.responses", "{response}")
    utilization = meter.create_histogram("claude.context.utilization", "1")

    def recorded(client: anthropic.Anthropic) -> None:
        start = perf_counter()
        with tracer.start_as_current_span("chat claude-sonnet-5", kind=SpanKind.CLIENT, attributes=request) as span:
            call(client)
            span.set_attributes(response)
        duration.record(perf_counter() - start, POINT)
        tokens.record(12, {**POINT, "gen_ai.token.type": "input"})
        tokens.record(41, {**POINT, "gen_ai.token.type": "output"})
        claude_tokens.add(12, {**POINT, "claude.token.type": "input"})
        claude_tokens.add(41, {**POINT, "claude.token.type": "output"})
        cost.add(0.000024, {**POINT, "claude.cost.type": "input", "claude.processing": "standard"})
        cost.add(0.00041, {**POINT, "claude.cost.type": "output", "claude.processing": "standard"})
        responses.add(1, {**POINT, "claude.stop_reason": "end_turn"})
        utilization.record(0.000012, POINT)
        if streams:
            first_chunk.record(0.1, POINT)

    return recorded
