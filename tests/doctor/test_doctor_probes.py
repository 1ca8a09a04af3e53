"""What is sent, to real receivers on the loopback interface, and what is said of it."""

import json
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoints
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

import certifi
import pytest
from doctor_receivers import answering, black_hole, closed_port, encrypted
from google.protobuf.json_format import MessageToJson
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from receiver import Receiver

from otel_claude.commands.doctor import as_json
from otel_claude.doctor import exported
from otel_claude.doctor.answers import answer_of_http
from otel_claude.doctor.check import Check
from otel_claude.doctor.examination import examine
from otel_claude.doctor.report import Report
from otel_claude.doctor.signals import METRICS, SIGNALS, TRACES

SECRET = "open-sesame-4711"
PROTOBUF, JSON = "application/x-protobuf", "application/json"


@pytest.fixture
def send_to(set_variables: Callable[..., None]) -> Callable[..., None]:
    """Has everything sent to an endpoint, over HTTP, with a header that must not be shown."""

    def send_to(endpoint: str, **more: str) -> None:
        set_variables(
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
            OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
            OTEL_EXPORTER_OTLP_HEADERS=f"api-key={SECRET}",
            OTEL_SERVICE_NAME="shop",
            **more,
        )

    return send_to


def arrivals(report: Report) -> dict[str, Check]:
    """What is said of connections and of what was sent."""
    section = next(section for section in report.sections if section.title == "Whether it arrives")
    return {check.name: check for check in section.checks}


def status_of(report: Report, name: str) -> str:
    return next(check.status for section in report.sections for check in section.checks if check.name == name)


def test_one_thing_of_each_signal_is_sent_and_can_be_looked_for(send_to: Callable[..., None]):
    with Receiver() as receiver:
        send_to(receiver.endpoint)
        report = examine(10)
        (span,) = receiver.spans
        (point,) = receiver.points
        (event,) = receiver.events
    assert {name: check.status for name, check in arrivals(report).items()} == {
        receiver.endpoint.removeprefix("http://"): "ok",
        "span, metric, event": "ok",
    }
    assert (span.name, span.parent, span.error) == ("otel-claude doctor", b"", None)
    assert (point.metric, point.value) == ("claude.doctor", 1)
    assert (event.name, event.body) == ("claude.doctor", "claude.doctor")
    assert report.trace_id == span.trace.hex() == event.trace.hex()
    assert report.service == "shop"
    assert report.accepted == list(SIGNALS)
    assert {payload.headers["api-key"] for payload in receiver.payloads} == {SECRET}
    assert report.count("problem") == 0


def test_the_temporality_that_is_preferred_is_the_one_that_is_sent(send_to: Callable[..., None]):
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

    with Receiver() as receiver:
        send_to(receiver.endpoint, OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="delta")
        examine(10)
    (body,) = [payload.body for payload in receiver.payloads if payload.path == "/v1/metrics"]
    (resource,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    (metric,) = resource.scope_metrics[0].metrics
    assert metric.sum.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA


def test_no_sampler_keeps_the_test_span_back(send_to: Callable[..., None]):
    with Receiver() as receiver:
        send_to(receiver.endpoint, OTEL_TRACES_SAMPLER="always_off")
        report = examine(10)
        assert len(receiver.spans) == 1
    assert status_of(report, "sampler") == "problem"


def test_offline_nothing_is_sent(send_to: Callable[..., None]):
    with Receiver() as receiver:
        send_to(receiver.endpoint)
        report = examine(10, offline=True)
        assert receiver.payloads == []
    assert report.trace_id is None
    assert report.count("problem") == 0


def test_a_wrong_key_is_told_with_what_the_receiver_says_but_the_key(send_to: Callable[..., None]):
    body = json.dumps({"error": f"no such key: {SECRET}"}).encode()
    with answering(401, body, content_type=JSON) as endpoint:
        send_to(endpoint)
        check = arrivals(examine(10))["span, metric, event"]
    assert check.status == "problem"
    assert "HTTP 401" in check.says
    assert "no such key: …" in check.says
    assert "OTEL_EXPORTER_OTLP_HEADERS" in check.mend


def test_what_is_refused_in_protobuf_is_read(send_to: Callable[..., None]):
    # As the specification has it: https://opentelemetry.io/docs/specs/otlp/#failures-1
    with answering(400, Status(message="no such tenant").SerializeToString(), content_type=PROTOBUF) as endpoint:
        send_to(endpoint)
        report = examine(10)
    check = arrivals(report)["span, metric, event"]
    assert (check.status, "no such tenant" in check.says) == ("problem", True)
    assert report.trace_id is None


REJECTED = ExportTraceServiceResponse(
    partial_success=ExportTracePartialSuccess(rejected_spans=1, error_message="spans are full")
)


@pytest.mark.parametrize(
    ("body", "kind"), [(REJECTED.SerializeToString(), PROTOBUF), (MessageToJson(REJECTED).encode(), JSON)]
)
def test_what_is_accepted_and_then_rejected_is_a_problem(body: bytes, kind: str, send_to: Callable[..., None]):
    with answering(200, body, content_type=kind) as endpoint:
        send_to(endpoint, OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
        check = arrivals(examine(10))["span"]
    assert (check.status, "spans are full" in check.says) == ("problem", True)


def test_only_what_was_accepted_is_to_be_looked_for(send_to: Callable[..., None]):
    with Receiver() as receiver, answering(401) as refusing:
        send_to(
            receiver.endpoint, OTEL_LOGS_EXPORTER="none", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{refusing}/v1/traces"
        )
        assert examine(10).accepted == [METRICS]


def test_rejected_points_and_remarks_are_read_too(send_to: Callable[..., None]):
    answer = ExportMetricsServiceResponse(
        partial_success=ExportMetricsPartialSuccess(rejected_data_points=1, error_message="points are full")
    )
    with answering(200, answer.SerializeToString(), content_type=PROTOBUF) as endpoint:
        send_to(endpoint, OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
        check = arrivals(examine(10))["metric"]
    assert (check.status, "points are full" in check.says) == ("problem", True)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", PROTOBUF), (b"", JSON), (b"{}", JSON), (b'{"partialSuccess": {}}', JSON), (b"", "text/plain")],
)
def test_an_answer_that_says_nothing_is_well(body: bytes, kind: str, send_to: Callable[..., None]):
    with answering(200, body, content_type=kind) as endpoint:
        send_to(endpoint)
        assert arrivals(examine(10))["span, metric, event"].status == "ok"


@pytest.mark.parametrize(
    ("body", "kind", "part"),
    [
        (b"Welcome to the portal", "text/plain", "Welcome to the portal"),
        (b'{"errors": ["no key"]}', JSON, "no key"),
        (b"\xff\xff", PROTOBUF, "HTTP 200"),
    ],
)
def test_an_answer_of_success_that_is_none_of_otlp_is_shown(
    body: bytes, kind: str, part: str, send_to: Callable[..., None]
):
    """The exporter over HTTP takes anything for success."""
    with answering(200, body, content_type=kind) as endpoint:
        send_to(endpoint)
        check = arrivals(examine(10))["span, metric, event"]
    assert check.status == "note"
    assert "none of OTLP" in check.says
    assert part in check.says


def test_keys_in_the_path_and_the_query_are_shown_nowhere(send_to: Callable[..., None]):
    """The receiver says what it was asked for, as some do."""
    for key in ("0123456789abcdef", "a-key-with-a%2Fslash"):
        with answering(
            401, f"no such key: {unquote(key)} in /{key}/v1/traces".encode(), content_type="text/plain"
        ) as at:
            send_to(f"{at}/{key}", OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
            report = examine(10)
        assert "no such key: …" in arrivals(report)["span"].says
        assert key not in as_json(report)
    with answering(401, b"no such key: sesame", content_type="text/plain") as at:
        send_to(at, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{at}/v1/traces?apikey=sesame")
        assert "sesame" not in as_json(examine(10))


def test_a_key_is_taken_out_before_a_long_answer_is_cut(send_to: Callable[..., None]):
    # 200 characters are shown.
    with answering(401, b"x" * 190 + b" " + SECRET.encode(), content_type="text/plain") as endpoint:
        send_to(endpoint)
        assert SECRET[:4] not in arrivals(examine(10))["span, metric, event"].says


def test_slow_detectors_of_the_machine_are_a_note_and_the_test_goes_on(
    send_to: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    def create(attributes: object = None) -> NoReturn:
        time.sleep(2)
        raise AssertionError

    with Receiver() as receiver:
        send_to(receiver.endpoint, OTEL_EXPERIMENTAL_RESOURCE_DETECTORS="slow")
        monkeypatch.setattr("opentelemetry.sdk.resources.Resource.create", create)
        report = examine(1)
        assert len(receiver.spans) == 1
    check = arrivals(report)["resource"]
    assert (check.status, "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS=slow" in check.says) == ("note", True)


def test_a_web_page_is_no_receiver(send_to: Callable[..., None]):
    with answering(200, b"<html>", content_type="text/html; charset=utf-8") as endpoint:
        send_to(endpoint)
        check = arrivals(examine(10))["span, metric, event"]
    assert (check.status, "web page" in check.says) == ("problem", True)


def test_a_redirection_is_no_receiver(send_to: Callable[..., None]):
    with answering(302, location="/login") as endpoint:
        send_to(endpoint)
        check = arrivals(examine(10))["span, metric, event"]
    assert (check.status, "redirects" in check.says) == ("problem", True)


def test_a_redirection_that_the_exporter_has_followed_is_one_as_well():
    """Those of some versions do so."""
    import requests

    # With 307, the request is sent once more as it was.
    with answering(200) as end, answering(307, location=end) as begin:
        response = requests.post(begin, b"", timeout=20)
    assert response.status_code == 200
    assert answer_of_http(TRACES, response).is_redirected


def test_a_closed_port_is_told_once_and_nothing_is_sent_to_it(send_to: Callable[..., None]):
    endpoint = closed_port()
    send_to(endpoint)
    found = arrivals(examine(10))
    assert [check.status for check in found.values()] == ["problem", "note"]
    assert "nothing listens" in found[endpoint.removeprefix("http://")].says


def test_a_host_that_there_is_not_is_told(send_to: Callable[..., None]):
    # https://www.rfc-editor.org/rfc/rfc6761#section-6.4
    send_to("http://collector.invalid:4318")
    assert arrivals(examine(10))["collector.invalid:4318"].status == "problem"


def test_a_black_hole_does_not_keep_it_longer_than_its_time(send_to: Callable[..., None]):
    with black_hole() as endpoint:
        send_to(endpoint)
        began = time.monotonic()
        check = arrivals(examine(2))["span, metric, event"]
        took = time.monotonic() - began
    assert (check.status, check.says) == ("problem", "no answer within 2 s")
    # The exporter itself would wait for 10 s; what else is looked at takes less than the rest.
    assert took < 8


def test_a_receiver_that_is_busy_does_not_keep_it_longer_than_its_time(send_to: Callable[..., None]):
    with answering(503, b"busy") as endpoint:
        send_to(endpoint)
        check = arrivals(examine(2))["span, metric, event"]
    assert (check.status, "HTTP 503, busy" in check.says) == ("problem", True)


def test_tls_where_there_is_none_is_told(send_to: Callable[..., None]):
    with answering(200) as endpoint:
        send_to(endpoint.replace("http://", "https://"))
        found = list(arrivals(examine(10)).values())
    assert ["TLS" in check.says for check in found] == [True, False]
    assert [check.status for check in found] == ["problem", "note"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("cryptography")
    return encrypted(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def encrypted_endpoint(authority: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    with answering(200, tls=context) as endpoint:
        yield endpoint


def test_a_certificate_of_an_unknown_authority_is_told(send_to: Callable[..., None], encrypted_endpoint: str):
    send_to(encrypted_endpoint, OTEL_EXPORTER_OTLP_TIMEOUT="2")
    found = arrivals(examine(10))
    assert "not trusted" in found[encrypted_endpoint.removeprefix("https://")].says
    assert [check.status for check in found.values()] == ["problem", "note"]
    assert ["OTEL_EXPORTER_OTLP_CERTIFICATE" in check.mend for check in found.values()] == [True, False]


def test_a_certificate_is_trusted_by_the_authority_that_is_named(
    send_to: Callable[..., None], encrypted_endpoint: str, authority: Path
):
    send_to(encrypted_endpoint, OTEL_EXPORTER_OTLP_CERTIFICATE=str(authority))
    assert [check.status for check in arrivals(examine(10)).values()] == ["ok", "ok"]


def test_the_exporter_decides_between_two_files_of_authorities(
    send_to: Callable[..., None], encrypted_endpoint: str, authority: Path
):
    """Newer exporters take the second one."""
    send_to(
        encrypted_endpoint,
        OTEL_EXPORTER_OTLP_CERTIFICATE=str(authority),
        REQUESTS_CA_BUNDLE=certifi.where(),
        OTEL_EXPORTER_OTLP_TIMEOUT="2",
    )
    found = arrivals(examine(10))
    assert found.pop(encrypted_endpoint.removeprefix("https://")).status == "ok"
    assert all(check.status == "ok" or "REQUESTS_CA_BUNDLE" in check.mend for check in found.values())


def test_a_file_of_authorities_that_is_not_there_is_told(send_to: Callable[..., None], encrypted_endpoint: str):
    send_to(encrypted_endpoint, OTEL_EXPORTER_OTLP_CERTIFICATE="/no/such/file.pem")
    check = arrivals(examine(10))[encrypted_endpoint.removeprefix("https://")]
    assert (check.status, "/no/such/file.pem is not there" in check.says) == ("problem", True)


def test_exporters_that_are_not_installed_are_told_with_what_to_install(set_variables: Callable[..., None]):
    set_variables(OTEL_TRACES_EXPORTER="jaeger", OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    report = examine(1)
    (check,) = [check for section in report.sections for check in section.checks if check.name == "exporter"]
    assert check.status == "problem"
    assert "'jaeger'" in check.says
    assert "otlp" in check.mend
    assert arrivals(report) == {}


def test_a_protocol_that_there_is_not_is_told(set_variables: Callable[..., None]):
    set_variables(OTEL_EXPORTER_OTLP_PROTOCOL="http/json")
    report = examine(1)
    says = {check.name: check.says for section in report.sections for check in section.checks}
    assert "'http/json'" in says["spans, metrics, events"]


def test_none_beside_an_exporter_is_told_as_what_it_is(set_variables: Callable[..., None]):
    set_variables(OTEL_TRACES_EXPORTER="console,none", OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    (check,) = [check for section in examine(1).sections for check in section.checks if check.name == "exporter"]
    assert "only where it stands alone (OTEL_TRACES_EXPORTER=console,none)" in check.says
    assert "accepted" not in f"{check.says} {check.mend}"


def test_a_console_and_prometheus_get_nothing(set_variables: Callable[..., None], capsys: pytest.CaptureFixture[str]):
    set_variables(OTEL_TRACES_EXPORTER="console", OTEL_METRICS_EXPORTER="prometheus", OTEL_LOGS_EXPORTER="none")
    report = examine(1)
    assert arrivals(report) == {}
    assert status_of(report, "spans") == "note"
    assert status_of(report, "metrics") == "ok"
    assert capsys.readouterr().out == ""


def test_an_exporter_that_has_no_such_signal_is_told(set_variables: Callable[..., None]):
    set_variables(OTEL_TRACES_EXPORTER="prometheus", OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    assert status_of(examine(1), "exporter") == "problem"


def test_nothing_is_sent_where_the_sdk_is_off(send_to: Callable[..., None]):
    with Receiver() as receiver:
        send_to(receiver.endpoint, OTEL_SDK_DISABLED="true")
        report = examine(10)
        assert receiver.payloads == []
    assert status_of(report, "OpenTelemetry") == "ok"  # the versions
    assert report.count("problem") == 1
    told = {check.name for section in report.sections for check in section.checks}
    assert told & {"this process", "spans, metrics, events", "headers", "temporality", "sampler"} == set()


def test_the_environment_and_the_loggers_are_as_they_were(send_to: Callable[..., None]):
    import os

    import requests

    before = dict(os.environ)
    with Receiver() as receiver:
        send_to(receiver.endpoint)
        changed = dict(os.environ)
        sends = requests.Session.send
        examine(10)
        assert requests.Session.send is sends
    assert dict(os.environ) == changed
    assert set(changed) - set(before) <= {name for name in changed if name.startswith("OTEL_")}
    assert logging.getLogger("opentelemetry").propagate


EXPORTERS = """
import time


class Exporter:
    def __init__(self):
        self.shut = False

    def export(self, spans):
        return type("Result", (), {"name": "SUCCESS"})

    def shutdown(self):
        pass


class Unmakeable(Exporter):
    def __init__(self):
        raise LookupError("no such region")


class Raising(Exporter):
    def export(self, spans):
        raise LookupError("no such stream")


class Silent(Exporter):
    def export(self, spans):
        return type("Result", (), {"name": "FAILURE"})


class Unending(Exporter):
    def shutdown(self):
        time.sleep(3)
"""


@pytest.mark.parametrize(
    ("name", "status", "part"),
    [
        ("Exporter", "ok", "accepted"),
        ("Missing", "problem", "AttributeError"),
        ("Unmakeable", "problem", "LookupError: no such region"),
        ("Raising", "problem", "LookupError: no such stream"),
        ("Silent", "problem", "does not tell why"),
        ("Unending", "ok", "accepted"),
    ],
)
def test_an_exporter_of_somebody_else_is_tried_as_well(
    name: str, status: str, part: str, set_variables: Callable[..., None], install: Callable[..., None]
):
    install("own-exporter", "1.0", f"[opentelemetry_traces_exporter]\nown = own_exporter:{name}\n", module=EXPORTERS)
    set_variables(OTEL_TRACES_EXPORTER="own", OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="none")
    report = examine(1)
    check = arrivals(report)["span"]
    assert (check.status, part in check.says) == (status, True)
    assert status_of(report, "spans") == "ok"


def test_where_a_file_configures_exporters_nothing_is_sent(
    send_to: Callable[..., None], install: Callable[..., None], tmp_path: Path
):
    install("opentelemetry-configuration", "0.1")
    path = tmp_path / "otel.yaml"
    path.touch()
    with Receiver() as receiver:
        send_to(receiver.endpoint, OTEL_CONFIG_FILE=str(path), OTEL_TRACES_EXPORTER="none", OTEL_TRACES_SAMPLER="nope")
        report = examine(10)
        assert receiver.payloads == []
    assert status_of(report, "configuration") == "note"
    assert status_of(report, "test") == "note"
    assert "what the file of OTEL_CONFIG_FILE says" in report.recorded
    told = {check.name for section in report.sections for check in section.checks}
    assert told & {"sampler", "spans, metrics, events", "spans", "headers", "temporality", "service.name"} == set()


def test_an_exporter_that_is_not_installed_gives_way_to_one_that_is(
    set_variables: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    """The distro's default protocol needs another package than the one that most people install."""
    real = exported.entry_points

    def entry_points(group: str, name: str | None = None) -> EntryPoints:
        found = real(group=group) if name is None else real(group=group, name=name)
        return EntryPoints(each for each in found if each.name != "otlp_proto_grpc")

    monkeypatch.setattr(exported, "entry_points", entry_points)
    monkeypatch.setattr(exported, "is_installed", lambda package: package != "opentelemetry-exporter-otlp-proto-grpc")  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]  # a name
    set_variables()
    (check,) = [
        each for section in examine(1, offline=True).sections for each in section.checks if each.name == "exporter"
    ]
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc, set by the distro" in check.says
    assert check.mend.startswith(
        "pip install opentelemetry-exporter-otlp-proto-grpc, or OTEL_EXPORTER_OTLP_PROTOCOL=http"
    )


def test_without_any_exporter_it_is_told_what_sets_them(set_variables: Callable[..., None]):
    set_variables(**{f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")})
    assert status_of(examine(1), "exporters") == "ok"  # those that are installed
    says = [check.says for section in examine(1).sections for check in section.checks if check.status == "problem"]
    assert [each.startswith("nothing is exported: ") for each in says] == [True]


def test_an_address_that_is_none_is_told_and_nothing_is_sent(send_to: Callable[..., None]):
    send_to("collector:4318")
    report = examine(1)
    assert status_of(report, "spans, metrics, events") == "problem"
    assert arrivals(report) == {}


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (TimeoutError(), "did not answer within 1 s"),
        (ConnectionResetError(), "closes connections"),
        (OSError(113, "No route to host"), "cannot be reached (OSError)"),
    ],
)
def test_a_connection_that_fails_otherwise_is_told(
    error: OSError, part: str, send_to: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    def create_connection(address: object, timeout: float) -> NoReturn:
        raise error

    monkeypatch.setattr(socket, "create_connection", create_connection)
    with answering(200) as endpoint:
        send_to(endpoint)
        check = arrivals(examine(1))[endpoint.removeprefix("http://")]
    assert (check.status, part in check.says) == ("problem", True)
