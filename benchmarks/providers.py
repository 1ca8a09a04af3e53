"""The providers of OpenTelemetry's SDK that the variants record into, to drop it all or to look at it."""

from collections.abc import Callable, Mapping, Sequence

from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, Gauge, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

Recorded = Mapping[str, Sequence[str]]
"""`spans` and their `attributes` by name; `points` by the names of the metric and of its attributes."""


class Drop(SpanExporter):
    """Where spans end in a measurement: at once, and without work."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def drop() -> None:
    """Sets providers that batch spans and drop them, and that aggregate metrics which nobody collects."""
    _set(BatchSpanProcessor(Drop()), InMemoryMetricReader())


def keep() -> Callable[[], Recorded]:
    """Sets providers that keep what they are given. Returns a function that takes out what has come since."""
    spans = InMemorySpanExporter()
    metrics = InMemoryMetricReader(
        {Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA},
    )
    _set(SimpleSpanProcessor(spans), metrics)

    def take() -> Recorded:
        finished = spans.get_finished_spans()
        spans.clear()
        return {
            "spans": [span.name for span in finished],
            "attributes": sorted(name for span in finished for name in span.attributes or ()),
            "points": sorted(_points(metrics)),
        }

    return take


def _set(processor: SpanProcessor, reader: InMemoryMetricReader) -> None:
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(processor)
    trace.set_tracer_provider(tracer_provider)
    metrics.set_meter_provider(MeterProvider([reader]))
    set_logger_provider(LoggerProvider())


def _points(reader: InMemoryMetricReader) -> list[str]:
    """One line a point. Gauges are left out: they are observed at collection, not when a call is made."""
    data = reader.get_metrics_data()
    return [
        f"{metric.name} ({', '.join(sorted(point.attributes or ()))})"
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if not isinstance(metric.data, Gauge)
        for point in metric.data.data_points
    ]
