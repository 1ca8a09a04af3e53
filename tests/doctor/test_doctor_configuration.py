"""What is said of variables and settings. What OpenTelemetry itself makes of a variable is asked of OpenTelemetry."""

import json
import logging
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from opentelemetry.sdk._configuration import _import_sampler  # pyright: ignore[reportPrivateUsage]  # what it really does
from opentelemetry.sdk.resources import OTELResourceDetector
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, TraceIdRatioBased

from otel_claude import Settings
from otel_claude.doctor.attributes import unprinted
from otel_claude.doctor.check import Check, looked_at, merged
from otel_claude.doctor.own_settings import read_settings, without_password
from otel_claude.doctor.receivers import endpoint_checks, temporality_checks
from otel_claude.doctor.recording import paragraph, recording_checks
from otel_claude.doctor.sampler import sampler_checks
from otel_claude.doctor.sdk import sdk_checks
from otel_claude.doctor.variables import Variables

OTLP = {f"OTEL_{signal}_EXPORTER": "otlp" for signal in ("TRACES", "METRICS", "LOGS")}


def statuses(checks: list[Check]) -> list[tuple[str, str]]:
    return [(check.status, check.name) for check in checks]


def sampler(**values: str) -> Check:
    (check,) = sampler_checks(Variables({f"OTEL_TRACES_SAMPLER{name}": value for name, value in values.items()}))
    return check


def test_a_check_that_breaks_is_a_problem_after_what_it_had_found():
    def broken() -> Iterator[Check]:
        yield Check("ok", "one", "is well")
        raise ValueError("Bearer sesame")

    first, second = looked_at("two", broken)
    assert first == Check("ok", "one", "is well")
    assert (second.status, second.name) == ("problem", "two")
    assert "ValueError" in second.says
    assert "sesame" not in str(second)


def test_checks_that_say_the_same_are_one():
    same = [Check("note", name, "not sent") for name in ("span", "metric", "span")]
    assert merged([*same, Check("ok", "event", "accepted")]) == [
        Check("note", "span, metric", "not sent"),
        Check("ok", "event", "accepted"),
    ]


@pytest.mark.parametrize("name", ["always_on", "parentbased_always_on", "parentbased_traceidratio", "traceidratio"])
def test_a_sampler_that_there_is_is_no_problem(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "1.0")
    assert _import_sampler(name) is not None
    found = sampler(**{"": name, "_ARG": "1.0"})
    assert found.status == "ok"
    assert name in found.says
    assert sampler().status == "ok"


def test_a_sampler_that_there_is_not_is_a_problem(caplog: pytest.LogCaptureFixture):
    assert _import_sampler("allways_on") is None
    assert len(caplog.records) == 1
    caplog.clear()
    found = sampler(**{"": "allways_on"})
    assert found.status == "problem"
    assert "parentbased_always_on" in found.says


def test_no_traces_are_a_problem_and_some_of_them_a_note():
    assert sampler(**{"": "always_off"}).status == "problem"
    assert sampler(**{"": "parentbased_always_off"}).status == "problem"
    found = sampler(**{"": "traceidratio", "_ARG": "0.25"})
    assert (found.status, "25%" in found.says) == ("note", True)


@pytest.mark.parametrize("share", ["0", "0.0", "-0", "0e5"])
@pytest.mark.parametrize("name", ["traceidratio", "parentbased_traceidratio", "TraceIdRatio"])
def test_a_share_of_none_is_the_problem_that_no_traces_are(name: str, share: str):
    assert TraceIdRatioBased(float(share)).should_sample(None, 1, "chat").decision == Decision.DROP
    found = sampler(**{"": name, "_ARG": share})
    assert (found.status, "no trace is begun" in found.says) == ("problem", True)
    assert found.mend.startswith("OTEL_TRACES_SAMPLER_ARG=")


@pytest.mark.parametrize(
    ("share", "shown"),
    [("0.25", "25%"), ("1e-3", "0.1%"), ("0.12345", "12.35%"), ("0.0000001", "1e-05%"), (".333", "33.3%")],
)
def test_a_share_is_shown_in_hundredths(share: str, shown: str):
    found = sampler(**{"": "traceidratio", "_ARG": share})
    assert (found.status, f"records {shown} of traces" in found.says) == ("note", True)


ALWAYS = "each call has metrics of its tokens and cost, and events when something is wrong."
OURS = "a span of ours"
EACH = "each call has a span of ours, metrics of its tokens and cost, and events when something is wrong."


@pytest.mark.parametrize(
    ("name", "share", "said"),
    [
        (None, None, EACH),
        ("always_on", None, EACH),
        ("traceidratio", "1", EACH),
        # As the check says, the SDK then records all.
        ("traceidratio", "some", EACH),
        ("nope", "0.5", EACH),
        ("traceidratio", "0.25", f"{ALWAYS} In 25% of the traces, it has a span of ours."),
        (
            "parentbased_traceidratio",
            "0.005",
            f"{ALWAYS} In 0.5% of the traces that begin here, and in those that a caller records, it has {OURS}.",
        ),
        ("traceidratio", "0", f"{ALWAYS} As the sampler is set, it has no span."),
        ("ALWAYS_OFF", None, f"{ALWAYS} As the sampler is set, it has no span."),
        ("parentbased_always_off", None, f"{ALWAYS} In traces that a caller records, it has a span of ours."),
    ],
)
def test_the_paragraph_tells_of_the_share_of_traces(name: str | None, share: str | None, said: str):
    given = {"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": share}
    values = {**OTLP, **{variable: value for variable, value in given.items() if value is not None}}
    assert paragraph(Variables(values), Settings()).startswith(f"{said} Spans, metrics and events are exported.")
    # In the presence of a file, no sampler of a variable counts.
    in_file = Variables({**values, "OTEL_CONFIG_FILE": "/no/such/file"})
    assert paragraph(in_file, Settings()).startswith(EACH)


def test_the_sdk_takes_its_own_samplers_in_capitals_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "ALWAYS_OFF")
    assert _import_sampler("ALWAYS_OFF") is None
    assert TracerProvider().sampler is ALWAYS_OFF
    found = sampler(**{"": "ALWAYS_OFF"})
    assert (found.status, "no trace is begun" in found.says) == ("problem", True)
    assert sampler(**{"": "TraceIdRatio", "_ARG": "0.25"}).status == "note"


@pytest.mark.parametrize("share", [None, "some", "2", "-1", "nan"])
def test_a_share_of_traces_that_is_none_is_a_problem(share: str | None):
    given = {"": "traceidratio"} if share is None else {"": "traceidratio", "_ARG": share}
    assert sampler(**given).status == "problem"


@pytest.mark.parametrize(
    ("host", "preference", "status"),
    [
        ("localhost", None, "ok"),
        ("localhost", "Delta", "ok"),
        ("localhost", "deltas", "problem"),
        ("otlp.us5.datadoghq.com", None, "problem"),
        ("otlp.nr-data.net", "cumulative", "problem"),
        ("otlp.eu01.nr-data.net", "delta", "ok"),
        ("notnr-data.net", None, "ok"),
        ("otlp.datadoghq.eu", None, "problem"),
        ("otlp.ddog-gov.com", "cumulative", "problem"),
        ("otlp.datadoghq.eu", "lowmemory", "ok"),
    ],
)
def test_metrics_are_to_be_sent_as_their_backend_takes_them(host: str, preference: str | None, status: str):
    values = {**OTLP, "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://{host}"}
    if preference is not None:
        values["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"] = preference
    assert [check.status for check in temporality_checks(Variables(values))] == [status]


def test_without_metrics_there_is_no_temporality():
    assert list(temporality_checks(Variables({**OTLP, "OTEL_METRICS_EXPORTER": "none"}))) == []


def test_headers_and_what_is_wrong_with_them_are_told_without_values():
    values = {**OTLP, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=sesame,Bearer sesame,sesame"}
    wrong, told = endpoint_checks(Variables(values))
    assert (wrong.status, told.status) == ("problem", "ok")
    assert "entry 2 and entry 3 are" in wrong.says
    assert "api-key" in told.says
    assert "sesame" not in str((wrong, told))


@pytest.mark.parametrize(
    ("value", "says", "mend"),
    [
        ("api-key=", "the value of `api-key` is empty", "look whether what it is made of is set"),
        ('api-key="sesame"', "`api-key` is not sent, as OpenTelemetry does not accept", "%22"),
        ("own=;sesame,x=;sesame", "entry 1 and entry 2 are not sent", "%3B"),
    ],
)
def test_headers_whose_values_do_not_arrive_are_told_without_them(value: str, says: str, mend: str):
    (check,) = endpoint_checks(Variables({**OTLP, "OTEL_EXPORTER_OTLP_HEADERS": value}))
    assert (check.status, check.says.startswith(f"OTEL_EXPORTER_OTLP_HEADERS: {says}")) == ("problem", True)
    assert mend in check.mend
    assert "sesame" not in str(check)


def test_headers_of_one_signal_are_told_with_their_variable():
    values = {**OTLP, "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x-logs=1"}
    says = [check.says for check in endpoint_checks(Variables(values))]
    assert [("OTEL_EXPORTER_OTLP_LOGS_HEADERS" in each, "none are sent" in each) for each in says] == [
        (False, True),
        (True, False),
    ]


def test_addresses_that_are_wrong_or_none_are_looked_at_once():
    doubled = {**OTLP, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    checks = list(endpoint_checks(Variables({**doubled, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://host/v1/traces"})))
    assert statuses(checks) == [("problem", "endpoint"), ("ok", "headers")]
    assert list(endpoint_checks(Variables({**doubled, "OTEL_EXPORTER_OTLP_ENDPOINT": "host"}))) == []


def test_blanks_around_an_address_are_noted():
    checks = list(endpoint_checks(Variables({**OTLP, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317 "})))
    assert statuses(checks) == [("note", "endpoint"), ("ok", "headers")]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT has blanks" in checks[0].says


@pytest.mark.parametrize(("timeout", "expected"), [("10", []), ("10000", ["note"]), ("10s", ["problem"])])
def test_a_timeout_in_milliseconds_is_noted(timeout: str, expected: list[str]):
    values = {**OTLP, "OTEL_EXPORTER_OTLP_TIMEOUT": timeout}
    assert [check.status for check in endpoint_checks(Variables(values)) if check.name == "timeout"] == expected


def test_a_sdk_that_is_off_and_a_service_without_a_name_are_told():
    assert statuses(list(sdk_checks(Variables({"OTEL_SDK_DISABLED": "true"})))) == [
        ("problem", "OpenTelemetry"),
        ("note", "service.name"),
    ]
    named = {"OTEL_SERVICE_NAME": "shop"}
    assert statuses(list(sdk_checks(Variables({**named, "OTEL_SDK_DISABLED": "TRUE"})))) == [
        ("problem", "OpenTelemetry")
    ]
    # A file of that name is read by no version of the SDK that is supported.
    assert list(sdk_checks(Variables({**named, "OTEL_EXPERIMENTAL_CONFIG_FILE": "/no/such/file"}))) == []
    assert list(sdk_checks(Variables(named))) == []
    assert list(sdk_checks(Variables({"OTEL_RESOURCE_ATTRIBUTES": "team=a, service.name=shop"}))) == []


def test_a_file_of_configuration_takes_the_place_of_variables(tmp_path: Path):
    path = tmp_path / "otel.yaml"
    values = {"OTEL_CONFIG_FILE": str(path), "OTEL_SERVICE_NAME": "shop"}
    (absent,) = sdk_checks(Variables(values))
    assert (absent.status, "no such file" in absent.says) == ("problem", True)
    path.write_text("file_format: '1.0'\n")
    # What reads it is in a package of its own, which is not installed here.
    (unread,) = sdk_checks(Variables(values))
    assert (unread.status, unread.mend) == ("problem", "pip install opentelemetry-configuration")


def test_settings_have_values_and_sources(tmp_path: Path):
    budgets = tmp_path / "budgets.toml"
    budgets.write_text('[budgets.daily]\nusd = 5\nperiod = "day"\n')
    read = read_settings(
        Variables(
            {
                "OTEL_CLAUDE_METRIC_NAMES": "latest",
                "OTEL_CLAUDE_AUDIT": "true",
                "OTEL_CLAUDE_BAGGAGE": "tenant,feature",
                "OTEL_CLAUDE_PRICES": json.dumps({"mine": {"input": 1, "output": 2}}),
                "OTEL_CLAUDE_BUDGETS": str(budgets),
                "OTEL_CLAUDE_BUDGET_LEDGER": "redis://me:sesame@host:6379/0",
            }
        )
    )
    shown = {own.name: (own.shown, own.source) for own in read.shown}
    assert set(shown) == set(Settings.__dataclass_fields__)
    assert shown["metric_names"] == ("latest", "OTEL_CLAUDE_METRIC_NAMES")
    assert shown["audit"] == ("true", "OTEL_CLAUDE_AUDIT")
    assert shown["baggage"] == ("tenant, feature", "OTEL_CLAUDE_BAGGAGE")
    assert shown["prices"] == ("1 model: mine", "OTEL_CLAUDE_PRICES")
    assert shown["budgets"] == ("1 budget: daily", "OTEL_CLAUDE_BUDGETS")
    assert shown["budget_ledger"] == ("redis://…", "OTEL_CLAUDE_BUDGET_LEDGER")
    assert shown["native_spans"] == ("replace", "default")
    assert shown["daily_budget_usd"] == ("none", "default")
    assert shown["redact"] == ("cannot be seen", "in code only")
    assert [check.status for check in read.checks] == ["ok"]
    assert read.settings.metric_names == "latest"
    assert read.settings.plan.ledger == "redis://me:sesame@host:6379/0"


def test_a_value_that_is_not_accepted_is_told_as_the_settings_tell_it():
    values = {"OTEL_CLAUDE_NATIVE_SPANS": "remove", "OTEL_CLAUDE_AUDIT": "1"}
    read = read_settings(Variables(values))
    (check,) = read.checks
    assert (check.status, check.name) == ("problem", "native_spans")
    for word in ("OTEL_CLAUDE_NATIVE_SPANS", "'remove'", "replace, enrich, keep"):
        assert word in check.says
    assert read.settings == Settings(audit=True)


def test_a_file_of_budgets_without_any_has_none(tmp_path: Path):
    path = tmp_path / "budgets.toml"
    path.write_text("interval_s = 1\n")
    read = read_settings(Variables({"OTEL_CLAUDE_BUDGETS": str(path)}))
    assert ("budgets", "no budget", "OTEL_CLAUDE_BUDGETS") in read.shown
    assert ("note", "budgets") in statuses(list(recording_checks(Variables({}), read.settings)))


def test_what_is_wrong_in_a_file_is_not_told_as_what_is_accepted(tmp_path: Path):
    path = tmp_path / "budgets.toml"
    path.write_text("[budgets.daily]\nusd = = 5\n")
    (check,) = read_settings(Variables({"OTEL_CLAUDE_BUDGETS": str(path)})).checks
    assert f"which is not accepted: {path}: " in check.says
    assert "accepted: /" not in check.says.replace("not accepted: /", "")


def test_a_variable_that_is_no_setting_is_told_with_the_nearest_one():
    near, far = read_settings(Variables({"OTEL_CLAUDE_MAX_SPANS": "5", "OTEL_CLAUDE_XYZZY": "1"})).checks
    assert "OTEL_CLAUDE_MAX_SPANS_PER_TRACE" in near.mend
    assert (near.status, far.status) == ("problem", "problem")


def test_the_address_of_a_ledger_is_shown_where_it_has_no_password():
    assert without_password("sqlite:///var/lib/budgets.db") == "sqlite:///var/lib/budgets.db"
    assert without_password("memory") == "memory"
    assert without_password("rediss://me:sesame@host") == "rediss://…"


def test_content_is_a_note_and_a_problem_where_its_signal_is_not_exported():
    checks = list(recording_checks(Variables(OTLP), Settings(content="SPAN_AND_EVENT")))
    assert ("note", "content") in statuses(checks)
    no_events = Variables({**OTLP, "OTEL_LOGS_EXPORTER": "none"})
    checks = list(recording_checks(no_events, Settings(content="SPAN_AND_EVENT")))
    assert [check.status for check in checks if check.name == "content"] == ["note", "problem"]


def test_what_is_recorded_is_told_of_caps_budgets_and_prices():
    usual = list(recording_checks(Variables(OTLP), Settings()))
    assert {check.status for check in usual} == {"ok"}
    budgets = {"budgets": {"tenant": {"usd": 1, "period": "day", "per": "tenant", "action": "block"}}}
    settings = Settings(
        max_spans_per_trace=0,
        budgets=budgets,  # pyright: ignore[reportArgumentType]  # a mapping is read
        daily_budget_usd=Decimal(5),
        prices={"mine": {"input": 1, "output": 2}},
    )
    checks = list(recording_checks(Variables(OTLP), settings))
    assert [(check.status, check.name) for check in checks if check.status == "note"] == [
        ("note", "span cap"),
        ("note", "budgets"),
    ]
    told = " ".join(f"{check.says} {check.mend}" for check in checks)
    for part in ("tenant, daily_budget_usd", "refused when spent: tenant", "OTEL_CLAUDE_BAGGAGE=tenant", "mine"):
        assert part in told


def test_the_paragraph_tells_of_signals_cap_and_content():
    said = paragraph(Variables(OTLP), Settings())
    for part in ("Spans, metrics and events are exported.", "every 60 s", "at most 1,000 spans", "not recorded"):
        assert part in said
    some = Variables({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "prometheus"})
    said = paragraph(some, Settings(content="SPAN_ONLY", max_spans_per_trace=0, audit=True, native_spans="keep"))
    for part in ("Spans and metrics are exported. Events are not.", "No trace", "on spans", "claude.audit"):
        assert part in said
    assert "every" not in said
    assert "Nothing is exported." in paragraph(Variables({}), Settings())


def test_metrics_that_never_come_have_no_interval():
    assert "Metrics come" not in paragraph(Variables({**OTLP, "OTEL_METRIC_EXPORT_INTERVAL": "0"}), Settings())


@pytest.mark.parametrize(("interval", "shown"), [("5000", "every 5 s"), ("soon", "every 60 s")])
def test_how_often_metrics_come_is_told(interval: str, shown: str):
    assert shown in paragraph(Variables({**OTLP, "OTEL_METRIC_EXPORT_INTERVAL": interval}), Settings())


def test_a_file_in_yaml_without_what_reads_it_is_told_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "budgets.yaml"
    path.write_text("budgets: {daily: {usd: 5, period: day}}\n")
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "otel_claude.budgets.yaml_documents", raising=False)
    values = Variables({"OTEL_CLAUDE_BUDGETS": str(path)})
    (check,) = read_settings(values).checks
    # An extra of pyproject.toml.
    assert (check.status, check.mend) == ("problem", "pip install 'otel-claude[yaml]'")
    monkeypatch.undo()
    (mended,) = read_settings(values).checks
    assert mended.status == "ok"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a=b,broken", "entry 2 (`broken`) is"),
        ("service.name,a=b", "entry 1 (`service.name`) is"),
        ("team=a,one,b=c,two", "entry 2 (`one`) and entry 4 (`two`) are"),
        # What may be the rest of a password, of an address with one, or a key.
        ("db.password=open,sesame", "entry 2 is"),
        ("api_key=open,sesame,a=b,c", "entry 2 and entry 4 (`c`) are"),
        ("db=postgres://me:open,sesame", "entry 2 is"),
        ("a=b,0123456789abcdef0123", "entry 2 is"),
        ("a=b,abcdefghijklmnopqrst", "entry 2 is"),
        ("open sesame", "entry 1 is"),
        ("a=b,", None),
        ("a=b,c=", None),
        ("", None),
    ],
)
def test_an_attribute_that_opentelemetry_drops_is_told_without_what_may_be_confidential(
    value: str, shown: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", value)
    kept = OTELResourceDetector().detect().attributes
    assert len(kept) == sum("=" in entry for entry in value.split(","))
    checks = list(sdk_checks(Variables({"OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": value})))
    assert statuses(checks) == ([] if shown is None else [("note", "resource")])
    assert all(check.says.startswith(f"OTEL_RESOURCE_ATTRIBUTES: {shown} ") for check in checks)
    assert "sesame" not in str(checks)
    caplog.clear()
    with unprinted():
        OTELResourceDetector().detect()
        logging.getLogger("opentelemetry.sdk.resources").warning("another")
    assert [record.message for record in caplog.records] == ["another"]
