"""Exporters, endpoints and headers, out of variables, as the specification of OTLP's exporters has them.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

import pytest
from opentelemetry.util.re import parse_env_headers

from otel_claude.doctor.endpoints import Endpoint, UnusableEndpoint, endpoint_of, remarks
from otel_claude.doctor.exporters import GRPC, HTTP, chosen
from otel_claude.doctor.headers import Headers, headers_in
from otel_claude.doctor.signals import LOGS, METRICS, SIGNALS, TRACES
from otel_claude.doctor.variables import Variables

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


def shown(protocol: str, **values: str) -> str:
    return endpoint_of(Variables(values), TRACES, protocol).shown


def remarked(protocol: str, **values: str) -> list[bool]:
    """For each remark on the endpoint of spans, whether nothing can arrive."""
    return [each.is_wrong for each in remarks(endpoint_of(Variables(values), TRACES, protocol))]


@pytest.mark.parametrize("value", [None, "", " ", "none", "None"])
def test_a_signal_without_an_exporter_is_not_exported(value: str | None):
    assert chosen(Variables({} if value is None else {"OTEL_LOGS_EXPORTER": value}), LOGS) == ()


def test_an_exporter_of_otlp_is_that_of_the_protocol_and_grpc_by_default():
    # The default of opentelemetry-python; the specification's own is http/protobuf.
    assert [each.component for each in chosen(Variables({"OTEL_TRACES_EXPORTER": "otlp"}), TRACES)] == [
        "otlp_proto_grpc"
    ]
    general = {"OTEL_TRACES_EXPORTER": "otlp, console", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    assert [each.component for each in chosen(Variables(general), TRACES)] == ["otlp_proto_http", "console"]
    own = {**general, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}
    assert [each.component for each in chosen(Variables(own), TRACES)] == ["otlp_proto_grpc", "console"]


def test_a_protocol_that_there_is_not_has_no_exporter():
    found = chosen(Variables({"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}), METRICS)
    assert [(each.component, each.protocol) for each in found] == [(None, None)]


def test_the_endpoint_for_all_signals_gets_the_path_of_each():
    values = Variables({ENDPOINT: "https://collector.example.com:4318/mycollector/"})
    assert [endpoint_of(values, signal, HTTP).shown for signal in SIGNALS] == [
        f"https://collector.example.com:4318/mycollector/v1/{name}" for name in ("traces", "metrics", "logs")
    ]


def test_the_endpoint_of_a_signal_is_used_as_it_is():
    values = {ENDPOINT: "http://collector:4318", TRACES_ENDPOINT: "https://example.com/v1/mytraces"}
    assert shown(HTTP, **values) == "https://example.com:443/v1/mytraces"
    assert endpoint_of(Variables(values), LOGS, HTTP).shown == "http://collector:4318/v1/logs"


def test_without_a_variable_the_receiver_is_on_this_machine():
    assert shown(HTTP) == "http://localhost:4318/v1/traces"
    assert shown(GRPC) == "http://localhost:4317"


@pytest.mark.parametrize(
    ("address", "insecure", "expected"),
    [
        ("http://collector:4317", None, "http://collector:4317"),
        ("https://collector:4317", "true", "https://collector:4317"),
        ("collector:4317", None, "https://collector:4317"),
        ("collector:4317", "true", "http://collector:4317"),
        ("http://collector:4317", "false", "https://collector:4317"),
        ("https://collector", None, "https://collector:443"),
        ("collector:4317", "True", "http://collector:4317"),
    ],
)
def test_grpc_is_encrypted_by_its_scheme_and_without_one_by_a_variable(
    address: str, insecure: str | None, expected: str
):
    given = {} if insecure is None else {"OTEL_EXPORTER_OTLP_INSECURE": insecure}
    assert shown(GRPC, **{ENDPOINT: address}, **given) == expected


def test_a_variable_of_one_signal_says_whether_grpc_is_encrypted_for_that_signal():
    values = {
        ENDPOINT: "collector:4317",
        "OTEL_EXPORTER_OTLP_INSECURE": "true",
        "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "false",
    }
    assert shown(GRPC, **values) == "https://collector:4317"
    assert not endpoint_of(Variables(values), LOGS, GRPC).is_encrypted


@pytest.mark.parametrize("address", ["collector:4318", "ftp://collector", "http://", "http://collector:port", "4318"])
def test_an_address_that_is_none_is_told_with_its_variable(address: str):
    with pytest.raises(UnusableEndpoint) as raised:
        endpoint_of(Variables({ENDPOINT: address}), TRACES, HTTP)
    assert ENDPOINT in raised.value.remark.says
    assert ENDPOINT in raised.value.remark.mend


def test_passwords_queries_and_parts_that_may_be_keys_are_not_shown():
    told = shown(HTTP, **{ENDPOINT: "https://user:pass@example.com/in/0123456789abcdef0123456789abcdef?key=secret"})
    assert told == "https://example.com:443/in/…/v1/traces"
    assert shown(HTTP, **{ENDPOINT: "https://example.com/0123456789abcdef"}) == "https://example.com:443/…/v1/traces"
    assert shown(HTTP, **{ENDPOINT: "http://[::1]:4318"}) == "http://[::1]:4318/v1/traces"


def test_the_path_of_a_signal_in_the_endpoint_for_all_of_them_is_wrong():
    (remark,) = remarks(endpoint_of(Variables({ENDPOINT: "http://collector:4318/v1/traces"}), LOGS, HTTP))
    assert remark.is_wrong
    assert remark.mend.endswith("OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318")


def test_the_endpoint_of_a_signal_without_a_path_or_with_that_of_another_is_wrong():
    assert remarked(HTTP, **{TRACES_ENDPOINT: "http://collector:4318"}) == [True]
    assert remarked(HTTP, **{TRACES_ENDPOINT: "http://collector:4318/"}) == [True]
    assert remarked(HTTP, **{TRACES_ENDPOINT: "http://collector:4318/v1/logs"}) == [True]
    assert remarked(HTTP, **{TRACES_ENDPOINT: "http://collector:4318/v1/traces"}) == []
    assert remarked(HTTP, **{TRACES_ENDPOINT: "http://collector:4318/my/own"}) == []


def test_the_usual_port_of_the_other_protocol_and_a_path_for_grpc_are_noted():
    assert remarked(HTTP, **{ENDPOINT: "http://collector:4317"}) == [False]
    assert remarked(GRPC, **{ENDPOINT: "http://collector:4318"}) == [False]
    assert remarked(GRPC, **{ENDPOINT: "https://collector/otlp"}) == [False]
    assert remarked(GRPC, **{ENDPOINT: "https://collector/"}) == []
    assert remarked(HTTP) == remarked(GRPC) == []


def test_an_endpoint_of_an_address_of_ipv6_is_shown_in_brackets():
    assert Endpoint(TRACES, GRPC, None, "::1", 4317, "", is_encrypted=False).shown == "http://[::1]:4317"


def test_headers_are_told_by_their_names():
    found = headers_in("Authorization=Basic%20dXNlcjpwYXNz, x-honeycomb-dataset = shop,,")
    assert found == Headers(["authorization", "x-honeycomb-dataset"], 0, [], [], [])
    assert found.shown == "authorization, x-honeycomb-dataset"


def test_headers_that_no_manual_names_are_only_counted():
    """What is behind a comma in a value looks like one."""
    found = headers_in("authorization=Basic%20one,c2VzYW1l=two,opensesame=3")
    assert (found.names, found.others) == (["authorization"], 2)
    assert found.shown == "authorization, and 2 more"
    assert "opensesame" not in headers_in("opensesame=3").shown


@pytest.mark.parametrize(
    "entry",
    ["Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA", "=value"],
)
def test_an_entry_that_may_be_a_value_is_told_by_its_number(entry: str):
    assert headers_in(f"x-one=1,{entry}") == Headers([], 1, ["entry 2"], [], [])


@pytest.mark.parametrize("value", ['"sesame"', "open;sesame", "open\\sesame", "sésame", "open\tsesame"])
def test_an_entry_that_opentelemetry_drops_is_told_and_logged_nowhere(value: str, caplog: pytest.LogCaptureFixture):
    assert parse_env_headers(f"api-key={value}", liberal=True) == {}
    assert len(caplog.records) == 1
    caplog.clear()
    assert headers_in(f"Api-Key={value},own={value},x=1") == Headers([], 1, [], ["`Api-Key`", "entry 2"], [])
    assert caplog.records == []


def test_an_entry_without_a_value_is_sent_so():
    """As of `api-key=$KEY` where there is no such variable."""
    assert parse_env_headers("api-key=,own=", liberal=True) == {"api-key": "", "own": ""}
    assert headers_in("api-key= ,own=,x=1") == Headers([], 1, [], [], ["`api-key`", "entry 2"])
