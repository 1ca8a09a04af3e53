"""A small receiver of OTLP: what an OpenTelemetry exporter sends comes in, plain records come out.

OTLP is OpenTelemetry's protocol, here over HTTP with protobuf bodies: an exporter posts spans to `/v1/traces`, points
of metrics to `/v1/metrics`, and log records, which events are, to `/v1/logs`. A *payload* is the body of one such
request, kept as it came so that it can be relayed. https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

import threading
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

Attributes = Mapping[str, Any]
_KEPT_BACK = {"host", "content-length", "connection", "accept-encoding"}
_RELAY_TIMEOUT = 5
_NANOSECONDS = 1e9


class Payload(NamedTuple):
    """One export: the path it was posted to, its headers and its body."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Span(NamedTuple):
    """A span. `start` and `end` are seconds of the clock, `error` is the message of the status ERROR.

    `scope` is the name of the instrumentation that has made it.
    """

    name: str
    trace: bytes
    id: bytes
    parent: bytes
    start: float
    end: float
    attributes: Attributes
    error: str | None
    scope: str


class Point(NamedTuple):
    """A point of a metric. The value of a histogram's point is its sum, and `count` is how many values that has."""

    metric: str
    unit: str
    attributes: Attributes
    value: float
    count: int | None
    scope: str


class Event(NamedTuple):
    """A log record; one without an event name is a line of an ordinary log."""

    name: str
    severity: str
    trace: bytes
    attributes: Attributes
    body: Any


class Receiver:
    """Listens on the loopback interface, on a free port, for as long as it is entered."""

    def __init__(self) -> None:
        self.payloads: list[Payload] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.payloads))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def endpoint(self) -> str:
        """What exporters call `OTEL_EXPORTER_OTLP_ENDPOINT`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def spans(self) -> list[Span]:
        """The spans, in the order of their start."""
        return sorted(
            (span for body in self._bodies("/v1/traces") for span in _spans(body)), key=lambda span: span.start
        )

    @property
    def points(self) -> list[Point]:
        """The last point of each metric and set of attributes. Exporters send totals unless told otherwise."""
        last: dict[Any, Point] = {}
        for body in self._bodies("/v1/metrics"):
            for point in _points(body):
                last[
                    point.scope, point.metric, frozenset((name, str(value)) for name, value in point.attributes.items())
                ] = point
        return sorted(last.values(), key=lambda point: point.metric)

    @property
    def events(self) -> list[Event]:
        """The log records, in the order of their coming."""
        return [event for body in self._bodies("/v1/logs") for event in _events(body)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _bodies(self, path: str) -> list[bytes]:
        return [payload.body for payload in list(self.payloads) if payload.path == path]


def relay(payloads: Iterable[Payload], endpoint: str) -> list[str]:
    """Posts `payloads` to the receiver at `endpoint`, and returns why some could not be, one text each."""
    failures: list[str] = []
    for payload in payloads:
        request = urllib.request.Request(  # noqa: S310  # the endpoint is the user's own
            endpoint.rstrip("/") + payload.path, payload.body, dict(payload.headers), method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=_RELAY_TIMEOUT):  # noqa: S310  # the same
                pass
        except (OSError, HTTPException, ValueError) as error:
            failures.append(str(error))
    return failures


def _handler(payloads: list[Payload]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _KEPT_BACK}
            payloads.append(Payload(self.path, headers, body))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class has named it
            pass

    return Handler


def _spans(body: bytes) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    span.name,
                    span.trace_id,
                    span.span_id,
                    span.parent_span_id,
                    span.start_time_unix_nano / _NANOSECONDS,
                    span.end_time_unix_nano / _NANOSECONDS,
                    _attributes(span.attributes),
                    span.status.message if span.status.code == Status.STATUS_CODE_ERROR else None,
                    scope.scope.name,
                )


def _points(body: bytes) -> Iterator[Point]:
    for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in getattr(metric, metric.WhichOneof("data")).data_points:
                    histogram = hasattr(point, "count")
                    yield Point(
                        metric.name,
                        metric.unit,
                        _attributes(point.attributes),
                        point.sum if histogram else getattr(point, point.WhichOneof("value")),
                        point.count if histogram else None,
                        scope.scope.name,
                    )


def _events(body: bytes) -> Iterator[Event]:
    for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                yield Event(
                    record.event_name,
                    record.severity_text,
                    record.trace_id,
                    _attributes(record.attributes),
                    _value(record.body),
                )


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [_value(each) for each in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case kind:
            return getattr(value, kind)
