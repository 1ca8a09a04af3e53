"""The points of metrics as plain dicts, added up from one reading to the next.

A point has `kind` (`counter`, `gauge`, `histogram`), `unit`, `attributes`, and `value`, or for a histogram
`count`, `sum`, `min`, `max`, and `buckets`: the count for each upper bound, the last of which is infinity.
"""

from collections.abc import Iterator
from math import inf
from typing import Any

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    Sum,
)

Point = dict[str, Any]
Key = tuple[str, frozenset[tuple[str, Any]]]


class Points:
    """All the points read so far, by the name and the attributes that they belong to."""

    def __init__(self) -> None:
        self._points: dict[Key, Point] = {}

    def add(self, data: MetricsData | None) -> None:
        """Take in one reading. What a reader gives as the difference to its last reading is added."""
        for metric in _metrics(data):
            difference = getattr(metric.data, "aggregation_temporality", None) is AggregationTemporality.DELTA
            for read in metric.data.data_points:
                key = metric.name, frozenset((read.attributes or {}).items())
                point = _point(metric, read)
                known = self._points.get(key)
                self._points[key] = _sum(known, point) if known and difference else point

    def by_name(self) -> dict[str, list[Point]]:
        """The points of each metric."""
        named: dict[str, list[Point]] = {}
        for (name, _), point in self._points.items():
            named.setdefault(name, []).append(point)
        return named


def _metrics(data: MetricsData | None) -> Iterator[Metric]:
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            yield from scope.metrics


def _point(metric: Metric, read: Any) -> Point:
    point: Point = {"unit": metric.unit, "attributes": dict(read.attributes or {})}
    match read:
        case HistogramDataPoint():
            buckets = dict(zip([*read.explicit_bounds, inf], read.bucket_counts, strict=True))
            values = {
                "count": read.count,
                "sum": read.sum,
                "min": read.min,
                "max": read.max,
                "buckets": buckets,
            }
            return {"kind": "histogram", **point, **values}
        case NumberDataPoint():
            return {
                "kind": "counter" if isinstance(metric.data, Sum) else "gauge",
                **point,
                "value": read.value,
            }
        case _:
            raise TypeError(f"{metric.name}: points of type {type(read).__name__} are not supported")


def _sum(one: Point, other: Point) -> Point:
    if one["kind"] != "histogram":
        return {**one, "value": one["value"] + other["value"]}
    return {
        **one,
        "count": one["count"] + other["count"],
        "sum": one["sum"] + other["sum"],
        "min": min(one["min"], other["min"]),
        "max": max(one["max"], other["max"]),
        "buckets": {bound: number + other["buckets"][bound] for bound, number in one["buckets"].items()},
    }
