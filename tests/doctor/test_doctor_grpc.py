"""The same over gRPC, with OpenTelemetry's exporter and a server of gRPC."""

import importlib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from doctor_receivers import answering, black_hole
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from otel_claude.doctor.check import Check
from otel_claude.doctor.examination import examine

pytest.importorskip("grpc", reason="grpcio is not installed")
pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="the exporter is not installed")
grpc: Any = importlib.import_module("grpc")

SECRET = "open-sesame-4711"
SERVICES = {
    "trace.v1.TraceService": ExportTraceServiceResponse,
    "metrics.v1.MetricsService": ExportMetricsServiceResponse,
    "logs.v1.LogsService": ExportLogsServiceResponse,
}


@contextmanager
def serving(answer: Callable[[str, bytes, Any], Any]) -> Generator[str]:
    """A server that answers each request by its service, its bytes and its context. Its endpoint."""
    server = grpc.server(ThreadPoolExecutor(3))

    def handler(service: str) -> Any:
        def respond(request: bytes, context: Any) -> bytes:
            return answer(service, request, context).SerializeToString()

        own = {"Export": grpc.unary_unary_rpc_method_handler(respond)}
        return grpc.method_handlers_generic_handler(f"opentelemetry.proto.collector.{service}", own)

    server.add_generic_rpc_handlers([handler(service) for service in SERVICES])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(0).wait()


@pytest.fixture
def send_to(set_variables: Callable[..., None]) -> Callable[[str], None]:
    def send_to(endpoint: str) -> None:
        set_variables(
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
            OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
            OTEL_EXPORTER_OTLP_HEADERS=f"api-key={SECRET}",
        )

    return send_to


def arrivals(seconds: float) -> dict[str, Check]:
    checks = examine(seconds).sections[-1].checks
    return {check.name: check for check in checks}


def test_one_thing_of_each_signal_is_accepted(send_to: Callable[[str], None]):
    spans: list[bytes] = []
    keys: list[object] = []

    def answer(service: str, request: bytes, context: Any) -> Any:
        keys.append(dict(context.invocation_metadata())["api-key"])
        if service == "trace.v1.TraceService":
            spans.append(request)
        return SERVICES[service]()

    with serving(answer) as endpoint:
        send_to(endpoint)
        report = examine(10)
    assert [check.status for check in report.sections[-1].checks] == ["ok", "ok"]
    (resource,) = ExportTraceServiceRequest.FromString(spans[0]).resource_spans
    (span,) = resource.scope_spans[0].spans
    assert span.name == "otel-claude doctor"
    assert report.trace_id == span.trace_id.hex()
    assert keys == [SECRET] * 3


def test_a_wrong_key_is_told_without_it(send_to: Callable[[str], None]):
    def refuse(service: str, request: bytes, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, f"no such key: {SECRET}")

    with serving(refuse) as endpoint:
        send_to(endpoint)
        check = arrivals(10)["span, metric, event"]
    assert check.status == "problem"
    assert "UNAUTHENTICATED, no such key: …" in check.says
    assert "OTEL_EXPORTER_OTLP_HEADERS" in check.mend


def test_what_is_accepted_and_then_rejected_is_a_problem(send_to: Callable[[str], None]):
    def reject(service: str, request: bytes, context: Any) -> Any:
        if service != "trace.v1.TraceService":
            return SERVICES[service]()
        partial = ExportTracePartialSuccess(rejected_spans=1, error_message="spans are full")
        return ExportTraceServiceResponse(partial_success=partial)

    with serving(reject) as endpoint:
        send_to(endpoint)
        found = arrivals(10)
    assert (found["span"].status, "spans are full" in found["span"].says) == ("problem", True)
    assert found["metric, event"].status == "ok"


def test_a_black_hole_does_not_keep_it_longer_than_its_time(send_to: Callable[[str], None]):
    with black_hole() as endpoint:
        send_to(endpoint)
        check = arrivals(1)["span, metric, event"]
    assert (check.status, check.says) == ("problem", "no answer within 1 s")


def test_a_server_of_http_is_told_by_its_protocol(send_to: Callable[[str], None]):
    with answering(200) as endpoint:
        send_to(endpoint)
        check = arrivals(3)["span, metric, event"]
    assert (check.status, "does not speak grpc" in check.says) == ("problem", True)
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in check.mend
