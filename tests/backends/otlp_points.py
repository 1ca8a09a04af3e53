"""Points of metrics as exporters send them, added up to what their series stand at.

A point is *cumulative*, which has everything since the start of its process, or *delta*, which has what came since the
point before it. https://opentelemetry.io/docs/specs/otel/metrics/data-model/#temporality
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from facts import COST, FAILURES, INTERRUPTIONS, KINDS, RETRIES, SIZES, TOKENS, Facts
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_WITH_TEMPORALITY = ("sum", "histogram")


class Series(NamedTuple):
    """What a series stands at, at the time `until`, in nanoseconds of the clock.

    `exports` are the points that it took, `overlaps` those that begin before the end of the one before them. The value
    of a histogram is the sum of its `values`, of which there are so many. A gauge has no temporality.
    """

    metric: str
    attributes: Mapping[str, Any]
    temporality: int | None
    monotonic: bool
    value: float
    values: int
    exports: int
    overlaps: int
    until: int


def series(requests: Iterable[ExportMetricsServiceRequest]) -> Sequence[Series]:
    """What all series stand at after these exports, in whichever order they are."""
    found: dict[tuple[str, frozenset[Any]], Series] = {}
    for point, started in sorted(_points(requests), key=lambda each: each[0].until):
        key = (point.metric, frozenset((name, str(value)) for name, value in point.attributes.items()))
        before = found.get(key)
        found[key] = point if before is None else _after(before, point, started)
    return list(found.values())


def _after(before: Series, point: Series, started: int) -> Series:
    exports = before.exports + 1
    if point.temporality != DELTA:
        return point._replace(exports=exports)
    return point._replace(
        value=before.value + point.value,
        values=before.values + point.values,
        exports=exports,
        overlaps=before.overlaps + (started < before.until),
    )


def _points(requests: Iterable[ExportMetricsServiceRequest]) -> Iterator[tuple[Series, int]]:
    """Each point as if there were no other of its series, and when it began, in nanoseconds of the clock."""
    for request in requests:
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    kind = metric.WhichOneof("data")
                    data: Any = getattr(metric, kind or "gauge")
                    temporality = data.aggregation_temporality if kind in _WITH_TEMPORALITY else None
                    for point in data.data_points:
                        summed = kind == "histogram"
                        yield (
                            Series(
                                metric.name,
                                {each.key: next(iter(MessageToDict(each.value).values())) for each in point.attributes},
                                temporality,
                                kind == "histogram" or (kind == "sum" and data.is_monotonic),
                                point.sum if summed else getattr(point, point.WhichOneof("value")),
                                point.count if summed else 0,
                                1,
                                0,
                                point.time_unix_nano,
                            ),
                            point.start_time_unix_nano,
                        )


def of_metrics(found: Collection[Series]) -> Facts:
    """The facts that series tell."""

    def total(metric: str, **attributes: str) -> float:
        return sum(each.value for each in _selected(found, metric, attributes))

    durations = _selected(found, "gen_ai.client.operation.duration", {})
    return {
        **{TOKENS.format(kind): total("claude.token.usage", claude_token_type=kind) for kind in KINDS},
        **{COST.format(kind): total("claude.cost", claude_processing=kind) for kind in ("standard", "batch")},
        SIZES.format("input"): total("gen_ai.client.token.usage", gen_ai_token_type="input"),
        SIZES.format("output"): total("gen_ai.client.token.usage", gen_ai_token_type="output"),
        FAILURES: sum(each.values for each in durations if "error.type" in each.attributes),
        RETRIES: total("claude.retries"),
        INTERRUPTIONS: total("claude.stream.interruptions"),
    }


def _selected(found: Iterable[Series], metric: str, attributes: Mapping[str, str]) -> Iterator[Series]:
    """The series of a metric with these attributes, in whose names a `_` stands for a dot where there is one."""
    for each in found:
        told = {name.replace(".", "_"): value for name, value in each.attributes.items()}
        if each.metric == metric and attributes.items() <= told.items():
            yield each


def wrong_temporality(found: Iterable[Series], wanted: int) -> Iterator[str]:
    """A sentence for each series that is not as it should be: sums that also fall are cumulative in any case."""
    for each in found:
        expected = wanted if each.monotonic else CUMULATIVE
        if each.temporality not in (None, expected):
            yield f"{each.metric} has the temporality {each.temporality}, not {expected}"
        if each.overlaps:
            yield f"{each.metric} has {each.overlaps} points that begin before the end of the one before them"
