"""What is said of a probe, by what the exporter and the receiver have said."""

import json

import pytest

from otel_claude.commands.doctor import as_json, as_table
from otel_claude.doctor.answers import Answer, short
from otel_claude.doctor.check import Check, Section, merged
from otel_claude.doctor.confidential import Confidential
from otel_claude.doctor.exporters import Exporter
from otel_claude.doctor.own_settings import Own
from otel_claude.doctor.report import Report, without
from otel_claude.doctor.sent import Sent, check_of
from otel_claude.doctor.signals import METRICS, SIGNALS, TRACES, Signal
from otel_claude.doctor.variables import Variables

HTTP = Exporter(TRACES, "otlp_proto_http")
GRPC = Exporter(METRICS, "otlp_proto_grpc")


def test_what_an_exporter_has_accepted_is_well():
    check = check_of(Sent(HTTP, True, 0.5, [Answer(200)]))
    assert (check.status, check.name, check.says) == ("ok", "span", "accepted")
    assert check_of(Sent(HTTP, True, 0.5)).status == "ok"


def test_an_answer_that_is_none_of_otlp_is_a_problem_though_the_exporter_takes_it():
    assert check_of(Sent(HTTP, True, 0.5, [Answer(200, is_page=True)])).status == "problem"
    redirected = check_of(Sent(HTTP, True, 0.5, [Answer(302, is_redirected=True)]))
    assert (redirected.status, "redirects" in redirected.says) == ("problem", True)


def test_what_was_rejected_is_a_problem_and_a_remark_a_note():
    rejected = check_of(Sent(HTTP, True, 0.5, [Answer(200, "no such tenant", rejected=1)]))
    assert (rejected.status, "no such tenant" in rejected.says) == ("problem", True)
    remarked = check_of(Sent(GRPC, True, 0.5, [Answer("OK", "slow down")]))
    assert (remarked.status, "slow down" in remarked.says) == ("note", True)


@pytest.mark.parametrize(
    ("exporter", "status", "mend"),
    [
        (HTTP, 401, "OTEL_EXPORTER_OTLP_HEADERS"),
        (HTTP, 403, "OTEL_EXPORTER_OTLP_HEADERS"),
        (GRPC, "PERMISSION_DENIED", "OTEL_EXPORTER_OTLP_HEADERS"),
        (GRPC, "UNAUTHENTICATED", "OTEL_EXPORTER_OTLP_HEADERS"),
        (HTTP, 404, "OTEL_TRACES_EXPORTER=none"),
        (GRPC, "UNIMPLEMENTED", "OTEL_METRICS_EXPORTER=none"),
        (HTTP, 415, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
    ],
)
def test_a_status_tells_what_to_do(exporter: Exporter, status: int | str, mend: str):
    check = check_of(Sent(exporter, False, 0.5, [Answer(status, "because")]))
    assert check.status == "problem"
    assert f"{status}" in check.says
    assert "because" in check.says
    assert mend in check.mend


# As the HTTP library, Python's ssl and gRPC write it.
@pytest.mark.parametrize(
    ("exporter", "raised", "part"),
    [
        (HTTP, "SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed", "not trusted"),
        (HTTP, "SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "TLS"),
        (HTTP, "InvalidHeader: Invalid leading whitespace, reserved character(s) in header value", "header"),
        (HTTP, "ConnectionError: [Errno 111] Connection refused", "nothing listens"),
        (HTTP, "ReadTimeout: Read timed out. (read timeout=10)", "in time"),
        (HTTP, "ConnectionError: ('Connection aborted.', BadStatusLine('\\x00\\x00'))", "does not speak http/protobuf"),
        (GRPC, "Failed parsing HTTP/2 (Expected SETTINGS frame as the first frame)", "does not speak grpc"),
        (HTTP, "NameResolutionError: Failed to resolve 'nowhere'", "name server"),
        (GRPC, 'InvalidCompressionValueException: Invalid value "zip" for compression envvar', "compression"),
        (HTTP, "SSLError: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required", "of the client"),
        (
            GRPC,
            "Ssl handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: NO_SHARED_CIPHER",
            "no encrypted connection",
        ),
        (GRPC, "Ssl handshake failed: SSL_ERROR_SSL: OPENSSL_internal:CERTIFICATE_VERIFY_FAILED", "not trusted"),
        (GRPC, "Ssl handshake failed: SSL_ERROR_SSL: OPENSSL_internal:WRONG_VERSION_NUMBER", "speak TLS"),
        (HTTP, "SSLError: [X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found", "file of certificates"),
        (HTTP, "ProxyError: Cannot connect to proxy. [Errno 111] Connection refused", "the proxy"),
        # As gRPC 1.85 writes it.
        (GRPC, "Custom verification check failed: Hostname Verification Check failed.", "not trusted"),
        (GRPC, "last error: UNAVAILABLE: ipv4:127.0.0.1:1: Unwrap failed (TSI_DATA_CORRUPTED)", "no encrypted"),
        (GRPC, "Cannot check peer: missing selected ALPN property.", "does not speak grpc"),
        (GRPC, "HTTP proxy returned response code 407", "the proxy"),
        (HTTP, "KeyError: 'x'", "KeyError"),
    ],
)
def test_an_exception_tells_what_is_wrong(exporter: Exporter, raised: str, part: str):
    check = check_of(Sent(exporter, False, 0.0, raised=raised))
    assert check.status == "problem"
    assert part in check.says
    assert check.mend


def test_a_status_that_says_nothing_is_shown_with_what_was_said():
    assert "HTTP 418, a teapot" in check_of(Sent(HTTP, False, 0.5, [Answer(418, "a teapot")])).says
    assert "HTTP 418" in check_of(Sent(HTTP, False, 0.5, [Answer(418)])).says


def test_what_the_exporter_raises_by_itself_is_no_matter_of_the_receiver():
    assert "receiver" not in check_of(Sent(HTTP, False, 0.0, raised="ValueError: no such thing")).mend
    assert "receiver" in check_of(Sent(HTTP, False, 0.0, raised="ChunkedEncodingError: no such thing")).mend


def test_what_was_logged_tells_why_where_nothing_else_does():
    logged = ["Failed to export spans batch due to timeout, max retries or shutdown."] * 2
    check = check_of(Sent(HTTP, False, 10.0, logged=logged))
    assert check.says.count(logged[0]) == 1
    assert check_of(Sent(HTTP, False, 10.0)).says == "not accepted; the exporter does not tell why"


# As requests and the exporters of OpenTelemetry 1.45 write it.
TRANSIENT = "Transient error {} encountered while exporting {}, retrying in 1.06s."
POOL = "HTTPSConnectionPool(host='127.0.0.1', port={}): Max retries exceeded with url: /v1/{} (Caused by {})"
GAVE_UP = "Failed to export {} batch due to timeout, max retries or shutdown."


def test_that_an_exporter_has_given_up_is_no_reason_where_there_is_another():
    reset = "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))"
    check = check_of(Sent(HTTP, False, 1.0, logged=[TRANSIENT.format(reset, "span batch"), GAVE_UP.format("spans")]))
    assert "does not speak http/protobuf" in check.says
    assert "shutdown" not in check.says


def test_the_reason_counts_however_long_the_text_before_it_is():
    failed = POOL.format(1, "x" * 300, "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] no'))")
    assert "not trusted" in check_of(Sent(HTTP, False, 1.0, raised=failed)).says
    answer = Answer("UNAVAILABLE", f"{'x' * 300} CERTIFICATE_VERIFY_FAILED")
    check = check_of(Sent(GRPC, False, 1.0, [answer]))
    assert "not trusted" in check.says
    assert len(check.says) < 300


def test_what_a_receiver_of_http_says_in_its_own_words_is_no_reason():
    assert check_of(Sent(HTTP, False, 1.0, [Answer(418, "timeout, refused")])).mend == "look at what the receiver logs"


def test_one_fault_is_told_alike_for_each_signal():
    def fault(signal: Signal, port: int) -> Check:
        error = f"NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x{port}>: Connection refused')"
        logged = [TRANSIENT.format(POOL.format(port, signal.name, error), f"{signal.one} batch")]
        exporter = Exporter(signal, "otlp_proto_http")
        return check_of(Sent(exporter, False, 1.0, logged=[*logged * 2, GAVE_UP.format(signal.carries)]))

    (check,) = merged([fault(signal, 4000 + number) for number, signal in enumerate(SIGNALS)])
    assert check.name == "span, metric, event"
    assert "(NewConnectionError('Connection refused'))" in check.says


@pytest.mark.parametrize(
    ("sent", "is_doubtful"),
    [
        (Sent(HTTP, True, 1.0), False),
        (Sent(HTTP, None, 1.0), False),
        (Sent(HTTP, None, 1.0, logged=["Transient error"]), True),
        (Sent(HTTP, False, 1.0), True),
        (Sent(HTTP, False, 1.0, [Answer(400)]), True),
        (Sent(HTTP, False, 1.0, [Answer(401)]), False),
        (Sent(GRPC, None, 1.0, [Answer("UNAVAILABLE")]), True),
    ],
)
def test_a_receiver_that_is_silent_or_understands_is_not_asked_in_another_way(sent: Sent, *, is_doubtful: bool):
    assert sent.may_be_misunderstood is is_doubtful


def test_the_variable_is_named_that_counts_for_the_signal():
    variables = Variables({"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "x=1", "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "x=1"})
    check = check_of(Sent(HTTP, False, 1.0, [Answer(403)], variables=variables))
    assert "in OTEL_EXPORTER_OTLP_TRACES_HEADERS," in check.mend


def test_an_exporter_that_has_not_come_back_may_have_been_told_why():
    assert check_of(Sent(HTTP, None, 10.0)).says == "no answer within 10 s"
    assert "HTTP 503, busy" in check_of(Sent(HTTP, None, 10.0, [Answer(503, "busy")])).says
    assert "a web page" in check_of(Sent(HTTP, None, 10.0, [Answer(503, is_page=True)])).says


def test_an_answer_is_shown_on_one_line_and_not_at_length():
    assert short("one\n\ttwo\x1b[31m") == "one two [31m"
    assert short("x" * 300) == "x" * 200 + "…"


SECTIONS = [
    Section("First", [Check("ok", "one", "is well"), Check("problem", "second", "is \x1b[31mwrong", "mend it")]),
    Section("Empty", []),
    Section("Last", [Check("note", "three", "opensesame")]),
]
REPORT = Report(SECTIONS, [Own("audit", "opensesame", "default")], "nothing", "0af7", "opensesame", SIGNALS)


def test_a_report_is_a_table_with_what_to_do_under_each_problem():
    assert as_table(REPORT).splitlines() == [
        "First",
        "  ok       one     is well",
        "  PROBLEM  second  is \\x1b[31mwrong",
        "                   Do: mend it.",
        "",
        "Last",
        "  note     three   opensesame",
        "",
        "setting  value       from",
        "audit    opensesame  default",
        "",
        "In short, once the problems above are mended: nothing",
        "",
        "To look for in the backend, of service.name opensesame: the span `otel-claude doctor` in the trace 0af7, the",
        "metric `claude.doctor` and the event `claude.doctor` in the trace 0af7.",
        "",
        "1 problem, 1 note.",
    ]
    assert "the metric `claude.doctor`.\n" in as_table(REPORT._replace(accepted=[METRICS]))
    well = as_table(Report([], [], "all"))
    assert well.endswith("In short: all\n\nno problems, no notes.\n")


def test_a_report_is_an_object_of_json():
    told = json.loads(as_json(REPORT))
    assert (told["problems"], told["notes"], told["trace_id"]) == (1, 1, "0af7")
    assert told["checks"][0] == {"section": "First", "status": "ok", "name": "one", "says": "is well"}
    assert told["checks"][1]["mend"] == "mend it"
    assert "trace_id" not in json.loads(as_json(REPORT._replace(trace_id=None)))


def test_what_is_confidential_is_taken_out_of_the_whole_report():
    clean = without(REPORT, Confidential({"MY_TOKEN": "opensesame"}))
    assert "opensesame" not in as_json(clean)
    assert clean.count("note") == 1
    assert without(REPORT._replace(service=None), Confidential({})).service is None
