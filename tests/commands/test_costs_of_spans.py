"""What spans tell of what was spent, where there are no metrics: single ones, and summaries of the span cap."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from exporting import line_of_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_claude import install_span_cap, names
from otel_claude.commands import otlp
from otel_claude.commands.days import Days
from otel_claude.commands.exported import Exported
from otel_claude.commands.spend import Entry, Quantity

CALL: dict[str, Any] = {
    names.PLATFORM: "anthropic",
    names.OPERATION: "chat",
    names.REQUEST_MODEL: "claude-sonnet-5",
    names.RESPONSE_MODEL: "claude-sonnet-5-20260801",
    names.INPUT_TOKENS: 10_300,
    names.OUTPUT_TOKENS: 500,
    names.CACHE_READ: 9_000,
    names.CACHE_WRITE: 300,
    names.CACHE_WRITE_5M: 100,
    names.CACHE_WRITE_1H: 200,
    names.COST: 0.0102,
    names.COST_INPUT: 0.002,
    names.COST_OUTPUT: 0.005,
    names.COST_CACHE_READ: 0.0018,
    names.COST_CACHE_WRITE: 0.0014,
    names.COST_SOURCE: "genai-prices",
}


def exported(scope: str, *spans: dict[str, Any], name: str = "chat claude-sonnet-5", cap: int = 0) -> list[Entry]:
    """The entries of spans that have these attributes, in one trace."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    if cap:
        install_span_cap(provider, cap)
    tracer = provider.get_tracer(scope)
    with tracer.start_as_current_span("the application"):
        for attributes in spans:
            tracer.start_span(name, attributes=attributes).end()
    provider.shutdown()
    source = Exported(["model", "operation"], Days(ZoneInfo("UTC")), by_day=False)
    source.add(line_of_spans(memory.get_finished_spans()).encode())
    return list(source.entries())


def sums(entries: list[Entry]) -> dict[Quantity, Decimal]:
    found: dict[Quantity, Decimal] = {}
    for entry in entries:
        found[entry.quantity] = found.get(entry.quantity, Decimal(0)) + entry.amount
    return found


@pytest.mark.parametrize("scope", ["otel_claude", "anthropic"])
def test_a_span_tells_tokens_and_dollars_by_part(scope: str):
    """Also a span of the SDK's own that carries our attributes."""
    entries = exported(scope, CALL)
    assert sums(entries) == {
        Quantity("calls"): 1,
        Quantity("tokens", "input"): 10_300 - 9_000 - 300,
        Quantity("tokens", "output"): 500,
        Quantity("tokens", "cache_read"): 9_000,
        Quantity("tokens", "cache_write_5m"): 100,
        Quantity("tokens", "cache_write_1h"): 200,
        Quantity("usd", "input", "standard"): Decimal("0.002"),
        Quantity("usd", "output", "standard"): Decimal("0.005"),
        Quantity("usd", "cache_read", "standard"): Decimal("0.0018"),
        Quantity("usd", "cache_write", "standard"): Decimal("0.0014"),
    }
    assert {entry.model for entry in entries} == {"claude-sonnet-5-20260801"}


@pytest.mark.parametrize(
    "span", [{}, {"traceId": "1", "spanId": "2", "startTimeUnixNano": "1", "endTimeUnixNano": "-1"}]
)
def test_a_span_without_ids_or_times_is_refused(span: dict[str, str]):
    request = {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "otel_claude"}, "spans": [span]}]}]}
    with pytest.raises(ValueError, match=r"not as OTLP has it|no time"):
        otlp.spans(request)


def test_a_span_of_others_tells_nothing():
    others = {name: value for name, value in CALL.items() if name != names.PLATFORM}
    assert exported("another", others) == []


def test_a_span_without_a_price_is_a_call_without_one():
    unpriced = {name: value for name, value in CALL.items() if not name.startswith("claude.cost")}
    found = sums(exported("otel_claude", unpriced))
    assert found[Quantity("unpriced_calls")] == 1
    assert [quantity for quantity in found if quantity.kind == "usd"] == []


def test_summaries_tell_the_sums_of_their_calls_and_no_parts():
    """Ten spans at most, of thirty calls and the root: 21 calls or more are in a summary."""
    entries = exported("otel_claude", *[CALL] * 30, cap=10)
    found = sums(entries)
    assert found[Quantity("calls")] == 30
    assert found[Quantity("tokens", "input")] == 30 * 1_000
    assert found[Quantity("tokens", "cache_write_1h")] == 30 * 200
    unsplit = found[Quantity("usd", "unsplit")]
    assert unsplit >= 20 * Decimal("0.0102")
    assert sum(amount for quantity, amount in found.items() if quantity.kind == "usd") == pytest.approx(
        30 * Decimal("0.0102")
    )
    in_summaries = {entry.model for entry in entries if entry.quantity == Quantity("usd", "unsplit")}
    assert in_summaries == {"claude-sonnet-5"}
    assert {entry.labels.get("gen_ai.operation.name") for entry in entries} == {"chat"}


def test_a_summary_of_many_kinds_has_no_model():
    summary = {names.SUMMARY_COUNT: 7, names.SUMMARY_COST: 0.5, names.SUMMARY_OUTPUT: 9}
    entries = exported("otel_claude", summary, name="other spans ×7 (summarized)")  # noqa: RUF001  # as it is called
    assert sums(entries) == {Quantity("tokens", "output"): 9, Quantity("usd", "unsplit"): Decimal("0.5")}
    assert {entry.model for entry in entries} == {None}


def test_what_is_not_known_of_a_summary_is_left_out():
    entries = exported("otel_claude", {names.SUMMARY_COUNT: 7}, name="chat claude-opus-5 ×7 (summarized)")  # noqa: RUF001  # as it is called
    assert sums(entries) == {Quantity("calls"): 7}


def test_a_count_of_nothing_is_no_entry():
    assert Quantity("tokens", "output") not in sums(exported("otel_claude", {**CALL, names.OUTPUT_TOKENS: 0}))


def test_results_of_a_batch_that_were_read_before_cost_nothing_again():
    batch = {names.PLATFORM: "anthropic", names.BATCH: "msgbatch_1", names.BATCH_INPUT_TOKENS: 7}
    assert exported("otel_claude", batch) == []
    priced = {**batch, names.COST: 0.25, names.BATCH_SAVINGS: 0.25}
    assert sums(exported("otel_claude", priced)) == {
        Quantity("usd", "unsplit", "batch"): Decimal("0.25"),
        Quantity("saved_usd", "batch"): Decimal("0.25"),
        Quantity("tokens", "unsplit"): 7,
    }
