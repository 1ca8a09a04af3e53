"""Stands before the Collector, and counts what programs send to it by how it answers.

In: exports, over HTTP and over gRPC. Out: what the Collector answers to each, and how many items were in those that it
has accepted and in those that it has refused. An export that is sent again counts each time, as it does there. One that
cannot be passed on is refused without being counted.
"""

import urllib.request
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from servers import HOST, REQUEST_TIMEOUT_S

WORKERS = 4
NO_HEADERS: Mapping[str, str] = {}
LARGE = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
SERVICES: Mapping[str, str] = {
    "/v1/traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "/v1/metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "/v1/logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
"""Paths over HTTP, with those over gRPC."""


def spans(exported: ExportTraceServiceRequest) -> int:
    """How many spans are in an export."""
    return sum(len(scope.spans) for resource in exported.resource_spans for scope in resource.scope_spans)


def metric_points(exported: ExportMetricsServiceRequest) -> int:
    """How many points of metrics are in an export."""
    return sum(
        len(getattr(metric, metric.WhichOneof("data") or "gauge").data_points)
        for resource in exported.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )


def log_records(exported: ExportLogsServiceRequest) -> int:
    """How many log records are in an export."""
    return sum(len(scope.log_records) for resource in exported.resource_logs for scope in resource.scope_logs)


ITEMS: Mapping[str, tuple[str, Callable[[bytes], int]]] = {
    "/v1/traces": ("spans", lambda body: spans(ExportTraceServiceRequest.FromString(body))),
    "/v1/metrics": ("metric_points", lambda body: metric_points(ExportMetricsServiceRequest.FromString(body))),
    "/v1/logs": ("log_records", lambda body: log_records(ExportLogsServiceRequest.FromString(body))),
}
"""Paths, with what is exported to them, and how many of it there are."""


class Relay(NamedTuple):
    """Where it takes OTLP, and what it has counted, such as `accepted_spans` and `refused_log_records`.

    While `held` is set, nothing is passed on.
    """

    http: str
    grpc: str
    counts: Counter[str]
    held: Event


@contextmanager
def relay(collector: Sequence[int], ports: Sequence[int]) -> Generator[Relay]:
    """Relays to the ports of a Collector until the end of the block: that for HTTP, and that for gRPC."""
    counts: Counter[str] = Counter()
    lock, held = Lock(), Event()

    def count(path: str, body: bytes, answer: str) -> None:
        item, number = ITEMS[path]
        with lock:
            counts[f"{answer}_{item}"] += number(body)

    (to_http, to_grpc), (over_http, over_grpc) = collector, ports
    with _over_http(to_http, over_http, count, held), _over_grpc(to_grpc, over_grpc, count):
        yield Relay(f"http://{HOST}:{over_http}", f"http://{HOST}:{over_grpc}", counts, held)


Count = Callable[[str, bytes, str], None]


@contextmanager
def _over_http(collector: int, port: int, count: Count, held: Event) -> Generator[None]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def answered(request: urllib.request.Request) -> tuple[int, Mapping[str, str], bytes]:
        try:
            with opener.open(request, timeout=REQUEST_TIMEOUT_S) as response:
                return response.status, dict(response.headers), response.read()
        except HTTPError as error:
            return error.code, dict(error.headers), error.read()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            passed = {"content-type": self.headers["content-type"]}
            request = urllib.request.Request(f"http://{HOST}:{collector}{self.path}", body, passed)  # the Collector
            status, headers, said = int(HTTPStatus.SERVICE_UNAVAILABLE), NO_HEADERS, b""
            with suppress(URLError):
                if not held.is_set():
                    status, headers, said = answered(request)
                    count(self.path, body, "accepted" if status == HTTPStatus.OK else "refused")
            self.send_response(status)
            for name in ("Content-Type", "Retry-After"):
                if name in headers:
                    self.send_header(name, headers[name])
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class has named it
            pass

    server = ThreadingHTTPServer((HOST, port), Handler)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _over_grpc(collector: int, port: int, count: Count) -> Generator[None]:
    # Any: grpc has no types.
    library: Any = grpc
    with library.insecure_channel(f"{HOST}:{collector}", LARGE) as channel:

        def handler(path: str, service: str) -> Any:
            # Without serializers, messages are the bytes that they are.
            export = channel.unary_unary(service)

            def passed_on(body: bytes, context: Any) -> bytes:
                try:
                    said = export(body, timeout=REQUEST_TIMEOUT_S)
                except library.RpcError as error:
                    count(path, body, "refused")
                    context.abort(error.code(), error.details())
                    raise
                count(path, body, "accepted")
                return said

            return library.unary_unary_rpc_method_handler(passed_on)

        server = library.server(ThreadPoolExecutor(WORKERS), options=LARGE)
        for path, service in SERVICES.items():
            name, _, method = service.removeprefix("/").partition("/")
            server.add_generic_rpc_handlers(
                [library.method_handlers_generic_handler(name, {method: handler(path, service)})]
            )
        server.add_insecure_port(f"{HOST}:{port}")
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()
