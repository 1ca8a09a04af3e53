"""`Telemetry`: what comes in is what can be read, in a form that is the same in each run."""

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from otel_claude.testing import Telemetry

TREE = """\
invoke_agent | internal
    chat claude-sonnet-5-5 | client | error: Overloaded
        error.type = "overloaded_error"
        gen_ai.response.finish_reasons = ["end_turn"]
        server.port = …
        * claude.retry | info
            claude.retry.wait_s = …
        POST | client
    execute_tool get_weather | internal
chat claude-opus-5-5 | client
* claude.budget.threshold | warn
    claude.budget.name = "größer"\
"""
TABLE = """\
claude.budget.spent | gauge | USD
    0.25: claude.budget.name="team"
claude.retries | counter | {retry}
    1: error.type="overloaded_error"
    3: error.type="rate_limit_error"
gen_ai.client.operation.duration | histogram | s
    2 x, sum …: server.port=…
gen_ai.client.token.usage | histogram | {token}
    2 x, sum 12: gen_ai.token.type="input"
    1 x, sum 5: gen_ai.token.type="output"\
"""


def record_spans(telemetry: Telemetry) -> None:
    tracer = telemetry.tracer_provider.get_tracer("test")
    logger = telemetry.logger_provider.get_logger("test")
    with tracer.start_as_current_span("invoke_agent"):
        with tracer.start_as_current_span("chat claude-sonnet-5-5", kind=SpanKind.CLIENT) as chat:
            chat.set_attributes(
                {
                    "server.port": 12345,
                    "error.type": "overloaded_error",
                    "gen_ai.response.finish_reasons": ["end_turn"],
                }
            )
            logger.emit(
                event_name="claude.retry",
                severity_number=SeverityNumber.INFO,
                attributes={"claude.retry.wait_s": 0.512},
            )
            tracer.start_span("POST", kind=SpanKind.CLIENT).end()
            chat.set_status(Status(StatusCode.ERROR, "Overloaded"))
        tracer.start_span("execute_tool get_weather").end()
    tracer.start_span("chat claude-opus-5-5", kind=SpanKind.CLIENT).end()
    logger.emit(
        event_name="claude.budget.threshold",
        severity_number=SeverityNumber.WARN,
        attributes={"claude.budget.name": "größer"},
    )


def record_metrics(telemetry: Telemetry) -> None:
    meter = telemetry.meter_provider.get_meter("test")
    tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")
    for count, kind in ((5, "input"), (7, "input"), (5, "output")):
        tokens.record(count, {"gen_ai.token.type": kind})
    duration = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
    duration.record(0.123, {"server.port": 12345})
    duration.record(0.321, {"server.port": 12345})
    retries = meter.create_counter("claude.retries", unit="{retry}")
    for code in ("rate_limit_error", "overloaded_error", "rate_limit_error", "rate_limit_error"):
        retries.add(1, {"error.type": code})

    def spent(options: CallbackOptions) -> list[Observation]:
        return [Observation(0.25, {"claude.budget.name": "team"})]

    meter.create_observable_gauge("claude.budget.spent", [spent], unit="USD")


@pytest.fixture
def telemetry():
    telemetry = Telemetry()
    yield telemetry
    telemetry.shutdown()


def test_a_tree_shows_spans_attributes_and_events(telemetry: Telemetry):
    record_spans(telemetry)
    assert telemetry.tree() == TREE


def test_a_tree_shows_only_what_is_asked_for(telemetry: Telemetry):
    record_spans(telemetry)
    bare = telemetry.tree(shown=lambda name: name == "error.type", events=False)
    assert bare.splitlines()[:4] == [
        "invoke_agent | internal",
        "    chat claude-sonnet-5-5 | client | error: Overloaded",
        '        error.type = "overloaded_error"',
        "        POST | client",
    ]
    assert "server.port = 12345" in telemetry.tree(masked=lambda _name: False)


def test_a_child_of_an_unfinished_span_is_a_root_of_the_tree(telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("test")
    with tracer.start_as_current_span("parent"):
        tracer.start_span("child").end()
        assert telemetry.tree() == "child | internal"


def test_a_table_shows_all_points(telemetry: Telemetry):
    record_metrics(telemetry)
    assert telemetry.metrics_table() == TABLE


def test_metrics_can_be_read_again_and_add_up(telemetry: Telemetry):
    record_metrics(telemetry)
    assert telemetry.metrics == telemetry.metrics
    record_metrics(telemetry)
    assert telemetry.total("claude.retries") == 2 * 4
    assert telemetry.total("claude.retries", {"error.type": "rate_limit_error"}) == 2 * 3
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "input"}) == 2 * (5 + 7)
    assert telemetry.count("gen_ai.client.token.usage") == 2 * 3
    assert telemetry.total("claude.budget.spent") == 0.25
    assert telemetry.total("never.recorded") == 0


def test_a_histogram_point_has_all_its_numbers(telemetry: Telemetry):
    meter = telemetry.meter_provider.get_meter("test")
    sizes = meter.create_histogram("size", unit="By", explicit_bucket_boundaries_advisory=[1, 10])
    for size in (0.5, 4, 100):
        sizes.record(size)
        point = telemetry.metrics["size"]
    assert point == [
        {
            "kind": "histogram",
            "unit": "By",
            "attributes": {},
            "count": 3,
            "sum": 104.5,
            "min": 0.5,
            "max": 100,
            "buckets": {1.0: 1, 10.0: 1, float("inf"): 1},
        }
    ]


def test_spans_are_kept_in_the_order_of_their_ends_and_found_by_name(telemetry: Telemetry):
    record_spans(telemetry)
    assert [span.name for span in telemetry.spans] == [
        "POST",
        "chat claude-sonnet-5-5",
        "execute_tool get_weather",
        "invoke_agent",
        "chat claude-opus-5-5",
    ]
    assert telemetry.span("POST").parent == telemetry.span("chat claude-sonnet-5-5").context
    with pytest.raises(LookupError, match="0 spans are named 'GET'"):
        telemetry.span("GET")


def test_ids_count_from_one(telemetry: Telemetry):
    record_spans(telemetry)
    ids = [(span.context.trace_id, span.context.span_id) for span in telemetry.spans if span.context]
    assert ids == [(1, 3), (1, 2), (1, 4), (1, 1), (2, 5)]


def test_events_name_their_span(telemetry: Telemetry):
    record_spans(telemetry)
    retry, budget = telemetry.events
    assert (retry.name, retry.severity, retry.trace_id, retry.span_id) == ("claude.retry", "INFO", 1, 2)
    assert (budget.severity, budget.trace_id, budget.span_id) == ("WARN", 0, 0)
    assert dict(budget.attributes) == {"claude.budget.name": "größer"}


def test_clear_forgets_everything(telemetry: Telemetry):
    record_spans(telemetry)
    record_metrics(telemetry)
    telemetry.clear()
    assert telemetry.tree() == ""
    assert telemetry.total("claude.retries") == 0
    record_metrics(telemetry)
    assert telemetry.total("claude.retries") == 4


def test_another_processor_can_stand_before_the_exporter():
    exporters: list[SpanExporter] = []

    def processor(exporter: SpanExporter) -> SimpleSpanProcessor:
        exporters.append(exporter)
        return SimpleSpanProcessor(exporter)

    telemetry = Telemetry(span_processor=processor)
    telemetry.tracer_provider.get_tracer("test").start_span("span").end()
    assert len(exporters) == 1
    assert telemetry.span("span").name == "span"
    telemetry.shutdown()
