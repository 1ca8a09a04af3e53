"""Parts of OpenTelemetry that raise, as exporters and processors of users do: the application sees nothing of it."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from apps import HELLO, MODEL, SPAN, SwitchOn
from loopback import Loopback
from opentelemetry import context, propagate, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from scenarios import Seen, all_scenarios, chain

from otel_claude.failsafe import failures
from otel_claude.testing import BadRequest, Telemetry


class Broken(Exception):
    pass


def break_down(*args: Any, **kwargs: Any) -> Any:
    raise Broken("of the user's own")


class BrokenExporter(SpanExporter):
    export = shutdown = force_flush = break_down


class BrokenAtStart(SpanProcessor):
    on_start = break_down


class BrokenAtEnd(SpanProcessor):
    on_end = break_down


class BrokenSampler(Sampler):
    should_sample = break_down

    def get_description(self) -> str:
        return "broken"


class BrokenIds(IdGenerator):
    generate_span_id = generate_trace_id = break_down


def with_processor(processor: SpanProcessor) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider


class BrokenProvider(trace.TracerProvider):
    get_tracer = break_down


class BrokenTracer(trace.NoOpTracer):
    start_span = break_down


class BrokenTracers(trace.TracerProvider):
    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return BrokenTracer()


class BrokenSpan(trace.NonRecordingSpan):
    set_attributes = set_attribute = set_status = end = is_recording = break_down


class BrokenSpanTracer(trace.NoOpTracer):
    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        return BrokenSpan(trace.INVALID_SPAN_CONTEXT)


class BrokenSpans(trace.TracerProvider):
    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return BrokenSpanTracer()


TRACER_PROVIDERS = {
    "an exporter": lambda: with_processor(SimpleSpanProcessor(BrokenExporter())),
    "a processor at the start": lambda: with_processor(BrokenAtStart()),
    "a processor at the end": lambda: with_processor(BrokenAtEnd()),
    "a sampler": lambda: TracerProvider(sampler=BrokenSampler(), shutdown_on_exit=False),
    "an id generator": lambda: TracerProvider(id_generator=BrokenIds(), shutdown_on_exit=False),
    "a provider": BrokenProvider,
    "a tracer": BrokenTracers,
    "a span": BrokenSpans,
    "no provider at all": object,
}


@pytest.fixture(scope="module")
def expected() -> Seen:
    return all_scenarios()


@pytest.mark.parametrize("make", TRACER_PROVIDERS.values(), ids=TRACER_PROVIDERS)
def test_what_raises_in_tracing_is_not_seen(expected: Seen, switch_on: SwitchOn, telemetry: Telemetry, make: Any):
    switch_on(tracer_provider=make())

    assert all_scenarios() == expected


@pytest.mark.parametrize(
    "name", [name for name in TRACER_PROVIDERS if name not in ("a provider", "no provider at all")]
)
def test_what_raises_in_tracing_takes_no_metrics_with_it(switch_on: SwitchOn, telemetry: Telemetry, name: str):
    switch_on(tracer_provider=TRACER_PROVIDERS[name]())
    with Loopback().connect() as client:
        client.messages.create(**HELLO)

    assert telemetry.count("gen_ai.client.operation.duration") == 1
    assert telemetry.total("gen_ai.client.token.usage") > 0


@pytest.mark.parametrize("method", ["create_histogram", "create_counter", "create_observable_gauge"])
def test_a_meter_that_raises_is_not_seen(
    expected: Seen, switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch, method: str
):
    provider = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    monkeypatch.setattr(type(provider.get_meter("otel_claude")), method, break_down)
    switch_on(meter_provider=provider)

    assert all_scenarios() == expected


@pytest.mark.parametrize("owner", ["Histogram", "Counter", "UpDownCounter"])
def test_an_instrument_that_raises_is_not_seen(
    expected: Seen, switch_on: SwitchOn, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, owner: str
):
    import opentelemetry.sdk.metrics._internal.instrument as instruments

    method = "record" if owner == "Histogram" else "add"
    monkeypatch.setattr(getattr(instruments, owner), method, break_down)
    switch_on(chunk_metrics=True, metric_names="both")

    assert all_scenarios() == expected
    assert SPAN in [span.name for span in telemetry.spans]


def test_a_logger_that_raises_is_not_seen(
    expected: Seen, switch_on: SwitchOn, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    def get_logger(*args: Any, **kwargs: Any) -> "BrokenLogger":
        return BrokenLogger()

    monkeypatch.setattr(telemetry.logger_provider, "get_logger", get_logger)
    switch_on(content="SPAN_AND_EVENT")

    assert all_scenarios() == expected
    assert SPAN in [span.name for span in telemetry.spans]


class BrokenLogger:
    emit = break_down


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (context, "attach"),
        (context, "get_current"),
        (context, "get_value"),
        (propagate, "inject"),
        (trace, "set_span_in_context"),
    ],
    ids=lambda value: str(getattr(value, "__name__", value)),
)
def test_an_api_function_that_raises_is_not_seen(
    expected: Seen, switch_on: SwitchOn, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
):
    """For us alone: the SDK has to go on as it does."""
    original = getattr(owner, name)

    def broken(*args: Any, **kwargs: Any) -> Any:
        frame = inspect.currentframe()
        assert frame is not None
        assert frame.f_back is not None
        caller = frame.f_back.f_globals["__name__"]
        return (break_down if caller.startswith("otel_claude") else original)(*args, **kwargs)

    monkeypatch.setattr(owner, name, broken)
    switch_on()

    assert all_scenarios() == expected


def test_a_redaction_that_raises_is_not_seen(expected: Seen, switch_on: SwitchOn, telemetry: Telemetry):
    switch_on(content="SPAN_AND_EVENT", redact=break_down)

    assert all_scenarios() == expected
    assert "Hello" not in telemetry.tree()


def test_requests_of_strange_bodies_are_sent_as_they_are(switch_on: SwitchOn):
    class Strange(dict[str, Any]):
        def get(self, *args: Any) -> Any:
            raise Broken("not for reading")

    claude = Loopback()

    def use() -> Any:
        with claude.connect() as client:
            try:
                return client.post("/v1/messages", body=Strange(HELLO), cast_to=object)
            except Exception as error:
                return chain(error)

    before = use()
    claude.clear()
    switch_on()

    assert use() == before


def test_a_one_shot_iterator_of_messages_is_not_used_up(switch_on: SwitchOn, telemetry: Telemetry):
    claude = Loopback()
    switch_on(content="SPAN_AND_EVENT")
    with claude.connect() as client:
        message = client.messages.create(model=MODEL, max_tokens=9, messages=iter(HELLO["messages"]))  # pyright: ignore[reportArgumentType]

    assert message.type == "message"
    (request,) = claude.requests
    assert request.json["messages"] == HELLO["messages"]
    assert [span.name for span in telemetry.spans] == [SPAN]


@pytest.mark.parametrize("extensions", [None, {}, object(), "text"], ids=lambda given: type(given).__name__)
def test_a_stream_around_a_response_that_is_none_is_read_as_usual(switch_on: SwitchOn, extensions: Any):
    """Tests of applications build streams around stand-ins for responses."""
    from anthropic import Stream
    from anthropic.types import RawMessageStreamEvent

    class StandIn:
        def __init__(self) -> None:
            self.extensions = extensions
            self.headers: dict[str, str] = {}
            self.is_closed = False

        def iter_bytes(self) -> Iterator[bytes]:
            yield b'event: message_stop\ndata: {"type": "message_stop"}\n\n'

        def close(self) -> None:
            self.is_closed = True

    switch_on()
    with Loopback().connect() as client:
        make: Any = Stream
        stream = make(cast_to=RawMessageStreamEvent, response=StandIn(), client=client)
        assert [event.type for event in stream] == ["message_stop"]


def test_faults_are_counted(switch_on: SwitchOn):
    failures.counts.clear()
    claude = Loopback()
    claude.will(BadRequest("no"))
    switch_on(tracer_provider=BrokenTracers())
    with claude.connect() as client, pytest.raises(Exception, match="no"):
        client.messages.create(**HELLO)

    assert failures.counts == {"Telemetry._start_span": 1}
    assert failures.total == 1
