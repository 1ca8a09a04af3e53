"""Metrics as lines of OTLP/JSON, made by hand, where it matters what is in a point.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

DELTA, CUMULATIVE = 1, 2


class Made(NamedTuple):
    """A point of one series of a process. Times are nanoseconds."""

    process: str
    start: int
    time: int
    value: float
    temporality: int
    attributes: Mapping[str, str | int | bool]
    metric: str = "claude.cost"
    monotonic: bool = True


def line(points: Iterable[Made], scope: str = "otel_claude") -> str:
    """A request with each point in a metric of its own."""
    return json.dumps({"resourceMetrics": [_resource_metrics(point, scope) for point in points]})


def _resource_metrics(point: Made, scope: str) -> dict[str, Any]:
    value = {"asInt": str(point.value)} if isinstance(point.value, int) else {"asDouble": point.value}
    shown = {
        "attributes": attributes(point.attributes),
        "startTimeUnixNano": str(point.start),
        "timeUnixNano": str(point.time),
        **value,
    }
    data = {"dataPoints": [shown], "aggregationTemporality": point.temporality, "isMonotonic": point.monotonic}
    return {
        "resource": {"attributes": attributes({"service.instance.id": point.process})},
        "scopeMetrics": [{"scope": {"name": scope}, "metrics": [{"name": point.metric, "sum": data}]}],
    }


def attributes(told: Mapping[str, str | int | bool]) -> list[dict[str, Any]]:
    """Attributes as OTLP/JSON has them: numbers of 64 bits are strings."""
    return [{"key": key, "value": _value(value)} for key, value in told.items()]


def _value(value: str | int | bool) -> dict[str, Any]:  # a value of an attribute
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case str():
            return {"stringValue": value}
