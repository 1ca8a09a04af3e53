"""Lines of OTLP/JSON, as the Collector's `file` exporter and others write them.

In: a line, which is one export request of metrics, traces or logs. Out: the points of our metrics and our spans that
are in it. A line that is none raises `ValueError`, before anything of it is used. Pure.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import hashlib
import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from otel_claude import names
from otel_claude.values import Fields, fields, is_array, is_object
from otel_claude.version import SCOPE

REQUESTS = ("resourceMetrics", "resourceSpans", "resourceLogs", "resourceProfiles")
"""What an export request holds, one of these."""

Attributes = Mapping[str, str | int | float | bool]
LARGEST = 2**63
Read = TypeVar("Read")


class Point(NamedTuple):
    """A point of a sum, or how many values a histogram has.

    `writer` stands for its resource and scope. Times are nanoseconds; `start` is 0 where it is not told.
    """

    writer: int
    metric: str
    resource: Attributes
    attributes: Attributes
    start: int
    time: int
    value: int | float
    delta: bool
    monotonic: bool


class Span(NamedTuple):
    """A span. `identity` stands for its trace and its own id."""

    identity: int
    name: str
    resource: Attributes
    attributes: Attributes
    start: int
    end: int


def document(line: bytes) -> Fields:
    """The request that a line holds.

    Raises:
        ValueError: it is no JSON, or no request.
    """
    try:
        found: Any = json.loads(line.strip())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"no whole JSON, perhaps cut: {error.msg}: character {error.pos + 1:,}") from error
    if not is_object(found) or not any(name in found for name in REQUESTS):
        raise ValueError(f"no export request: it has none of {', '.join(REQUESTS)}")
    return found


def points(request: Fields, wanted: Collection[str]) -> list[Point]:
    """The points of the `wanted` metrics of ours.

    Raises:
        ValueError: something is not as OTLP has it.
    """
    return _all(_points(request, wanted))


def _points(request: Fields, wanted: Collection[str]) -> Iterator[Point]:
    for resource, scope, metrics in _scopes(request, "resourceMetrics", "scopeMetrics", "metrics"):
        if scope.get("name") != SCOPE:
            continue
        found = [metric for metric in metrics if metric.get("name") in wanted]
        if not found:
            continue
        told = attributes(resource)
        writer = fingerprint(sorted(told.items()), scope.get("version"), sorted(attributes(scope).items()))
        for metric in found:
            kind = next((kind for kind in VALUES if kind in metric), None)
            if kind is None:
                continue
            data, value_of = fields(metric[kind]), VALUES[kind]
            delta = _is_delta(data.get("aggregationTemporality"))
            monotonic = kind != "sum" or data.get("isMonotonic") is True
            for point in _objects(data, "dataPoints"):
                value = value_of(point)
                if value is not None:
                    start, time = _whole(point.get("startTimeUnixNano", 0)), _whole(point["timeUnixNano"])
                    yield Point(writer, metric["name"], told, attributes(point), start, time, value, delta, monotonic)


def spans(request: Fields) -> list[Span]:
    """The spans of ours: those of our scope, and those of others that carry our attributes.

    Raises:
        ValueError: something is not as OTLP has it.
    """
    return _all(_spans(request))


def _spans(request: Fields) -> Iterator[Span]:
    for resource, scope, found in _scopes(request, "resourceSpans", "scopeSpans", "spans"):
        ours = scope.get("name") == SCOPE
        for span in found:
            if not ours and not any(each.get("key") == names.PLATFORM for each in _objects(span, "attributes")):
                continue
            yield Span(
                fingerprint(span["traceId"], span["spanId"]),
                str(span.get("name", "")),
                attributes(resource),
                attributes(span),
                _whole(span["startTimeUnixNano"]),
                _whole(span["endTimeUnixNano"]),
            )


def _scopes(request: Fields, resources: str, scopes: str, items: str) -> Iterator[tuple[Fields, Fields, list[Fields]]]:
    """Each scope of a request, with its resource and what is in it."""
    for one in _objects(request, resources):
        for other in _objects(one, scopes):
            yield fields(one.get("resource")), fields(other.get("scope")), list(_objects(other, items))


def _all(found: Iterator[Read]) -> list[Read]:
    try:
        return list(found)
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"not as OTLP has it: {error!r}") from error


def _objects(holder: Fields, name: str) -> Sequence[Fields]:
    found = holder.get(name, ())
    if not is_array(found) or not all(map(is_object, found)):
        raise ValueError(f"{name} is no array of objects")
    return found


def attributes(holder: Fields) -> dict[str, str | int | float | bool]:
    """The attributes of a resource, a scope, a point or a span, but for arrays and other structures."""
    read: dict[str, str | int | float | bool] = {}
    for each in _objects(holder, "attributes"):
        for kind, value in fields(each.get("value")).items():
            if kind in SCALARS:
                read[each["key"]] = SCALARS[kind](value)
    return read


SCALARS: Mapping[str, Callable[[Any], str | int | float | bool]] = {
    "stringValue": str,
    "intValue": int,
    "doubleValue": float,
    "boolValue": bool,
}
"""The kinds of an attribute's value that are one value. Numbers of 64 bits are strings in JSON."""


def _number(point: Fields) -> int | float | None:
    """The value of a point, or `None` where it says that there was none."""
    if int(point.get("flags", 0)) & NO_VALUE:
        return None
    if "asInt" in point:
        return _checked(int(point["asInt"]))
    return _checked(float(point["asDouble"])) if "asDouble" in point else None


def _count(point: Fields) -> int | float | None:
    return None if int(point.get("flags", 0)) & NO_VALUE else _checked(int(point.get("count", 0)))


NO_VALUE = 1
"""https://opentelemetry.io/docs/specs/otel/metrics/data-model/#no-recorded-value"""

VALUES: Mapping[str, Callable[[Fields], int | float | None]] = {
    "sum": _number,
    "histogram": _count,
    "exponentialHistogram": _count,
}
"""The kinds of metrics that add up, with what is added."""


def _checked(value: float) -> int | float:
    if not math.isfinite(value) or abs(value) >= LARGEST:
        raise ValueError(f"{value} is no value")
    return value


def _whole(value: Any) -> int:
    number = int(value)
    if not 0 <= number < LARGEST:
        raise ValueError(f"{value} is no time")
    return number


DELTA = frozenset({1, "AGGREGATION_TEMPORALITY_DELTA"})
CUMULATIVE = frozenset({2, "AGGREGATION_TEMPORALITY_CUMULATIVE"})
"""Numbers are the encoding of OTLP, names that of Protobuf's own JSON."""


def _is_delta(temporality: object) -> bool:
    if temporality in DELTA:
        return True
    if temporality in CUMULATIVE:
        return False
    raise ValueError(f"{temporality!r} is no temporality")


def fingerprint(*parts: object) -> int:
    """64 bits that stand for `parts`."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), signed=True)
