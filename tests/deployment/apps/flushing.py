"""Exports what is still in memory, and writes what budgets have booked: the lines that docs/deployment.md has."""

from typing import Any

from opentelemetry import _logs, metrics, trace

from otel_claude import AnthropicInstrumentor


def flush() -> None:
    """Returns when spans, metrics and events are where they belong."""
    providers: Any = (trace.get_tracer_provider(), metrics.get_meter_provider(), _logs.get_logger_provider())
    for provider in providers:
        # Where nobody has switched OpenTelemetry on, there is no SDK behind it.
        if hasattr(provider, "force_flush"):
            provider.force_flush()
    AnthropicInstrumentor().flush_budgets()
