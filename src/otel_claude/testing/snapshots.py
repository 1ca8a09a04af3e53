"""Telemetry as text, to compare whole traces and all metrics with a snapshot.

A tree has a line per span, `name | kind | status`, where the status is left out if it is unset. Below it,
indented, stand its attributes in the order of their names, its events (`* name | severity`) with theirs, and
its children in the order of their start. Values are JSON. What changes from run to run is *masked*: written
as `…`, so that it is seen to be there.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from otel_claude.testing.events import Event
from otel_claude.testing.points import Point

Names = Callable[[str], bool]
"""Which attributes, by name."""

_INDENT = "    "
_MASK = "…"
_VOLATILE = {
    "claude.request.size_bytes",
    "exception.stacktrace",
    "gen_ai.response.time_to_first_chunk",
    "server.port",
}


def everything(_name: str) -> bool:
    """Every attribute."""
    return True


def is_volatile(name: str) -> bool:
    """What differs from run to run, or between SDKs: the port, times (`..._s`), stack traces, sizes on the wire."""
    return name in _VOLATILE or name.endswith("_s")


def tree(spans: Iterable[ReadableSpan], events: Iterable[Event], shown: Names, masked: Names) -> str:
    """The spans as trees, with the attributes that are `shown`.

    Parents that are not among the spans are left out. Events of no span among them come at the end.
    """
    children: dict[int, list[ReadableSpan]] = {}
    told: dict[int, list[Event]] = {}
    ordered = sorted(spans, key=_id)
    known = {_id(span) for span in ordered}
    for span in ordered:
        parent = span.parent.span_id if span.parent else 0
        children.setdefault(parent if parent in known else 0, []).append(span)
    for event in events:
        told.setdefault(event.span_id if event.span_id in known else 0, []).append(event)

    def lines(parent: int, indent: str) -> Iterator[str]:
        for span in children.get(parent, ()):
            yield indent + _title(span)
            yield from _below(span.attributes or {}, indent + _INDENT, shown, masked)
            yield from _events(told.get(_id(span), ()), indent + _INDENT, shown, masked)
            yield from lines(_id(span), indent + _INDENT)

    return "\n".join([*lines(0, ""), *_events(told.get(0, ()), "", shown, masked)])


def metrics_table(metrics: Mapping[str, Iterable[Point]], shown: Names, masked: Names) -> str:
    """A line per metric, `name | kind | unit`, and below it a line per point: numbers, then attributes.

    The numbers of a histogram are the count and the sum; sums of seconds are masked.
    """

    def lines() -> Iterator[str]:
        for name, points in sorted(metrics.items()):
            yield from dict.fromkeys(f"{name} | {point['kind']} | {point['unit']}" for point in points)
            told = sorted((_inline(point["attributes"], shown, masked), _numbers(point)) for point in points)
            yield from (f"{_INDENT}{numbers}:{attributes}" for attributes, numbers in told)

    return "\n".join(lines())


def _id(span: ReadableSpan) -> int:
    return span.context.span_id if span.context else 0


def _title(span: ReadableSpan) -> str:
    title = f"{span.name} | {span.kind.name.lower()}"
    if span.status.status_code is StatusCode.UNSET:
        return title
    described = f": {span.status.description}" if span.status.description else ""
    return f"{title} | {span.status.status_code.name.lower()}{described}"


def _events(events: Iterable[Event], indent: str, shown: Names, masked: Names) -> Iterator[str]:
    for event in events:
        yield f"{indent}* {event.name} | {(event.severity or 'no severity').lower()}"
        yield from _below(event.attributes, indent + _INDENT, shown, masked)


def _below(attributes: Mapping[str, Any], indent: str, shown: Names, masked: Names) -> Iterator[str]:
    yield from (f"{indent}{name} = {value}" for name, value in _attributes(attributes, shown, masked))


def _inline(attributes: Mapping[str, Any], shown: Names, masked: Names) -> str:
    return "".join(f" {name}={value}" for name, value in _attributes(attributes, shown, masked))


def _attributes(attributes: Mapping[str, Any], shown: Names, masked: Names) -> Iterator[tuple[str, str]]:
    for name in sorted(filter(shown, attributes)):
        yield name, _MASK if masked(name) else _value(attributes[name])


def _numbers(point: Point) -> str:
    total = point["sum" if point["kind"] == "histogram" else "value"]
    shown = _MASK if point["unit"] == "s" else _value(total)
    return f"{point['count']} x, sum {shown}" if point["kind"] == "histogram" else shown


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
