"""Telemetry of calls as lines of OTLP/JSON, from the SDK of OpenTelemetry and its own encoding."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    MeterProvider,
    ObservableCounter,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader, MetricsData, NumberDataPoint
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from otel_claude.values import is_array, is_object

INSTRUMENTS = (Counter, Histogram, ObservableCounter, ObservableUpDownCounter, UpDownCounter)
IDS = frozenset({"traceId", "spanId", "parentSpanId"})


class Exporter:
    """A meter provider of one process, and a line of OTLP/JSON for each look at it."""

    def __init__(self, temporality: AggregationTemporality, **resource: str) -> None:
        self._temporality = temporality
        self._looks: list[MetricsData] = []
        self._reader = InMemoryMetricReader(preferred_temporality=dict.fromkeys(INSTRUMENTS, temporality))
        self.meter_provider = MeterProvider([self._reader], Resource(resource), shutdown_on_exit=False)

    def line(self) -> str:
        """What the metrics are now."""
        data = self._reader.get_metrics_data()
        assert data is not None
        self._looks.append(data)
        return line_of(encode_metrics(data))

    def total(self, name: str) -> float:
        """The sum of a counter: of all looks at it where they are differences, else of the last one."""
        return sum(
            point.value
            for data in (self._looks if self._temporality is AggregationTemporality.DELTA else self._looks[-1:])
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
            if isinstance(point, NumberDataPoint)
        )

    def shutdown(self) -> None:
        self.meter_provider.shutdown()


def line_of_spans(spans: Sequence[ReadableSpan]) -> str:
    return line_of(encode_spans(spans))


def line_of(request: Any) -> str:
    """A request as OTLP/JSON has it: numbers for enumerations, and ids in hexadecimal."""
    return json.dumps(_with_hex_ids(MessageToDict(request, use_integers_for_enums=True)))


def _with_hex_ids(value: Any) -> Any:
    if is_object(value):
        return {
            name: base64.b64decode(each).hex() if name in IDS else _with_hex_ids(each) for name, each in value.items()
        }
    return [_with_hex_ids(each) for each in value] if is_array(value) else value


def written(path: Path, lines: Sequence[str]) -> str:
    """The path of a file with these lines."""
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return str(path)
