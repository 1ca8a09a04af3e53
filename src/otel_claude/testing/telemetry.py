"""`Telemetry`: OpenTelemetry providers that keep everything in memory, for tests.

Trace and span ids count from one, so the order of ids is the order in which spans were started.
"""

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

from otel_claude.testing import snapshots
from otel_claude.testing.events import Event, EventLog
from otel_claude.testing.points import Point, Points
from otel_claude.testing.snapshots import Names, everything, is_volatile

_DELTA: dict[type, AggregationTemporality] = dict.fromkeys(
    (Counter, Histogram, ObservableCounter), AggregationTemporality.DELTA
)


class Telemetry:
    """Providers for spans, metrics and log records, and what has come in through them.

        telemetry = Telemetry()
        AnthropicInstrumentor().instrument(
            tracer_provider=telemetry.tracer_provider,
            meter_provider=telemetry.meter_provider,
            logger_provider=telemetry.logger_provider,
        )

    `span_processor` makes the processor that stands before the in-memory exporter.
    """

    def __init__(self, *, span_processor: Callable[[SpanExporter], SpanProcessor] = SimpleSpanProcessor) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader(preferred_temporality=_DELTA)
        self._points = Points()
        self._events = EventLog()
        self.tracer_provider = TracerProvider(id_generator=_CountingIds(), shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(span_processor(self._exporter))
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.logger_provider = LoggerProvider(shutdown_on_exit=False)
        self.logger_provider.add_log_record_processor(self._events)

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, in this order."""
        return list(self._exporter.get_finished_spans())

    def span(self, name: str) -> ReadableSpan:
        """The one span of this name. Raises `LookupError` if there is none, or more than one."""
        found = [span for span in self.spans if span.name == name]
        if len(found) != 1:
            raise LookupError(f"{len(found)} spans are named {name!r}, of {[span.name for span in self.spans]}")
        return found[0]

    @property
    def events(self) -> list[Event]:
        """The log records, in the order of their coming."""
        return list(self._events.events)

    @property
    def metrics(self) -> dict[str, list[Point]]:
        """The points of each metric (see `points`), collected now."""
        self._points.add(self._reader.get_metrics_data())
        return self._points.by_name()

    def total(self, name: str, attributes: Mapping[str, Any] | None = None) -> float:
        """The sum of values, for a histogram of its sums, over a metric's points with these attributes."""
        return sum(point["sum" if "sum" in point else "value"] for point in self._chosen(name, attributes))

    def count(self, name: str, attributes: Mapping[str, Any] | None = None) -> int:
        """How many values a histogram has recorded with these attributes."""
        return sum(point["count"] for point in self._chosen(name, attributes))

    def tree(self, *, shown: Names = everything, masked: Names = is_volatile, events: bool = True) -> str:
        """The spans as text, with their events unless `events` is false: see `snapshots.tree`."""
        return snapshots.tree(self.spans, self.events if events else (), shown, masked)

    def metrics_table(self, *, shown: Names = everything, masked: Names = is_volatile) -> str:
        """The points of all metrics as text: see `snapshots.metrics_table`."""
        return snapshots.metrics_table(self.metrics, shown, masked)

    def clear(self) -> None:
        """Forget what has come in so far."""
        self._exporter.clear()
        self._events.events.clear()
        self._reader.get_metrics_data()
        self._points = Points()

    def shutdown(self) -> None:
        """Shut the providers down. What has come in can still be read, but for metrics not yet collected."""
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()
        self.logger_provider.shutdown()

    def _chosen(self, name: str, attributes: Mapping[str, Any] | None) -> list[Point]:
        wanted = (attributes or {}).items()
        return [point for point in self.metrics.get(name, []) if wanted <= point["attributes"].items()]


class _CountingIds(IdGenerator):
    def __init__(self) -> None:
        self._spans, self._traces = count(1), count(1)

    def generate_span_id(self) -> int:
        return next(self._spans)

    def generate_trace_id(self) -> int:
        return next(self._traces)
