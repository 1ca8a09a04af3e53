"""When nothing is to be recorded: asked for by the application, by another instrumentation, or nobody listens."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import anthropic
import pytest
from apps import HELLO, SDK_MAKES_SPANS, SPAN, SwitchOn, connect, connect_async
from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import suppress_http_instrumentation, suppress_instrumentation

from child_python import run_python
from otel_claude import Settings
from otel_claude.testing import BadRequest, Batch, RateLimited, SimulatedClaude, Telemetry

MODES = ("replace", "enrich", "keep")
native_only = pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK makes no spans")


@contextmanager
def outer_inference() -> Generator[None]:
    token = context.attach(context.set_value("opentelemetry.genai.client.inference.context", object()))
    try:
        yield
    finally:
        context.detach(token)


def own_telemetry(telemetry: Telemetry) -> dict[str, Any]:
    """The SDK's option that has it make its spans where ours are made."""
    return {"open_telemetry": {"tracer_provider": telemetry.tracer_provider}} if SDK_MAKES_SPANS else {}


def use(claude: SimulatedClaude, **options: Any) -> None:
    """Calls of every kind, and what comes of them."""
    with connect(claude, **options) as client:
        claude.will(RateLimited(retry_after=0.001))
        assert client.messages.create(**HELLO).content[0].type == "text"
        assert [event.type for event in client.messages.create(**HELLO, stream=True)][-1] == "message_stop"
        with client.messages.stream(**HELLO) as stream:
            assert stream.get_final_message().stop_reason == "end_turn"
        assert client.messages.with_raw_response.create(**HELLO).parse().type == "message"
        with client.messages.with_streaming_response.create(**HELLO, stream=True) as response:
            assert b"message_stop" in response.read()
        assert client.messages.count_tokens(model=HELLO["model"], messages=HELLO["messages"]).input_tokens > 0
        claude.will(BadRequest("no"))
        with pytest.raises(anthropic.BadRequestError):
            client.messages.create(**HELLO)


async def use_async(claude: SimulatedClaude, **options: Any) -> None:
    async with connect_async(claude, **options) as client:
        assert (await client.messages.create(**HELLO)).content[0].type == "text"
        stream = await client.messages.create(**HELLO, stream=True)
        assert [event.type async for event in stream][-1] == "message_stop"


@pytest.mark.parametrize("mode", MODES)
def test_a_suppressed_call_leaves_nothing(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry, mode: str
):
    if mode != "replace" and SDK_MAKES_SPANS:
        pytest.skip("the SDK's own spans stay as they are")
    switch_on(settings=Settings(native_spans=mode))
    with suppress_instrumentation():
        use(claude, **own_telemetry(telemetry))
        asyncio.run(use_async(claude, **own_telemetry(telemetry)))

    assert [span.name for span in telemetry.spans] == []
    assert telemetry.metrics == {}
    assert telemetry.events == []


@native_only
@pytest.mark.parametrize("mode", ["enrich", "keep"])
def test_a_suppressed_call_with_the_sdks_own_spans_has_no_metrics(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry, mode: str
):
    switch_on(settings=Settings(native_spans=mode))
    with suppress_instrumentation():
        use(claude, **own_telemetry(telemetry))

    # The SDK's own spans are there, and the cap counts them as those of any library.
    assert telemetry.metrics.keys() <= {"claude.trace.spans"}
    assert telemetry.events == []
    for span in telemetry.spans:
        assert span.attributes is not None
        assert "claude.cost.usd" not in span.attributes


def test_a_call_after_a_suppressed_one_is_recorded(claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry):
    switch_on()
    with connect(claude, **own_telemetry(telemetry)) as client:
        with suppress_instrumentation():
            client.messages.create(**HELLO)
        client.messages.create(**HELLO)

    assert [span.name for span in telemetry.spans] == [SPAN]


def test_a_stream_that_was_opened_suppressed_stays_silent(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    with connect(claude, **own_telemetry(telemetry)) as client:
        with suppress_instrumentation():
            stream = client.messages.create(**HELLO, stream=True)
        assert [event.type for event in stream][-1] == "message_stop"

    assert telemetry.spans == []
    assert telemetry.metrics == {}


def test_a_stream_that_is_read_suppressed_is_recorded_as_it_was_opened(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    with connect(claude) as client:
        stream = client.messages.create(**HELLO, stream=True)
        with suppress_instrumentation():
            assert [event.type for event in stream][-1] == "message_stop"

    assert [span.name for span in telemetry.spans] == [SPAN]


def test_suppressing_http_spans_does_not_suppress_ours(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    with connect(claude) as client, suppress_http_instrumentation():
        client.messages.create(**HELLO)

    assert [span.name for span in telemetry.spans] == [SPAN]


def test_the_applications_spans_are_parents_as_usual_while_suppressed(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    tracer = telemetry.tracer_provider.get_tracer("app")
    with tracer.start_as_current_span("app") as span, suppress_instrumentation(), connect(claude) as client:
        client.messages.create(**HELLO)
        assert trace.get_current_span() is span

    assert [span.name for span in telemetry.spans] == ["app"]


@native_only
def test_a_suppressed_call_still_passes_the_applications_trace_on(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    """As the SDK does without us: `traceparent` names the span that is current."""
    switch_on()
    tracer = telemetry.tracer_provider.get_tracer("app")
    with (
        tracer.start_as_current_span("app") as span,
        suppress_instrumentation(),
        connect(claude, **own_telemetry(telemetry)) as client,
    ):
        client.messages.create(**HELLO)

    ids = span.get_span_context()
    assert claude.requests[-1].headers["traceparent"] == f"00-{ids.trace_id:032x}-{ids.span_id:016x}-01"


def test_under_another_instrumentations_inference_only_inferences_are_silent(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    claude.will(Batch())
    with connect(claude, **own_telemetry(telemetry)) as client, outer_inference():
        client.messages.create(**HELLO)
        for _ in client.messages.create(**HELLO, stream=True):
            pass
        client.messages.count_tokens(model=HELLO["model"], messages=HELLO["messages"])
        client.models.list()
        client.messages.batches.create(requests=[{"custom_id": "one", "params": HELLO}])  # pyright: ignore[reportArgumentType]  # a plain dict

    assert [span.name for span in telemetry.spans] == [
        "anthropic.messages.count_tokens",
        "anthropic.models.list",
        "anthropic.messages.batches.create",
    ]
    assert telemetry.count("gen_ai.client.operation.duration") == 3
    assert telemetry.count("gen_ai.client.token.usage") == 0


def test_where_nothing_is_configured_nothing_is_made_until_a_provider_is_set():
    done = run_python(
        """
import threading
from anthropic import Anthropic
from opentelemetry import metrics, trace
from otel_claude import AnthropicInstrumentor
from otel_claude.anthropic import calls
from otel_claude.telemetry import Telemetry as Inner
from otel_claude.testing import SimulatedClaude, Telemetry

made = []
start = Inner.start
Inner.start = lambda *args: (made.append(args[1]), start(*args))[1]
AnthropicInstrumentor().instrument()
hello = dict(model="claude-sonnet-5-5", max_tokens=5, messages=[{"role": "user", "content": "Hi"}])
with SimulatedClaude() as claude, Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated") as client:
    client.messages.create(**hello)
    for _ in client.messages.create(**hello, stream=True):
        pass
    assert made == []
    assert [thread.name for thread in threading.enumerate() if "otel_claude" in thread.name] == []
    assert "traceparent" not in claude.requests[-1].headers
    telemetry = Telemetry()
    metrics.set_meter_provider(telemetry.meter_provider)
    trace.set_tracer_provider(telemetry.tracer_provider)
    client.messages.create(**hello)
    assert len(made) == 1
    print([span.name for span in telemetry.spans], telemetry.count("gen_ai.client.operation.duration"))
"""
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"['{SPAN}'] 1\n"


@pytest.mark.parametrize("signal", ["metrics", "logs"])
def test_a_provider_of_one_signal_is_enough(signal: str):
    done = run_python(
        """
import sys
from anthropic import Anthropic, BadRequestError
from opentelemetry import _logs, metrics
from otel_claude import AnthropicInstrumentor
from otel_claude.testing import BadRequest, SimulatedClaude, Telemetry

AnthropicInstrumentor().instrument()
telemetry = Telemetry()
if sys.argv[1] == "metrics":
    metrics.set_meter_provider(telemetry.meter_provider)
else:
    _logs.set_logger_provider(telemetry.logger_provider)
with SimulatedClaude() as claude, Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated") as client:
    claude.will(BadRequest("no"))
    try:
        client.messages.create(model="claude-sonnet-5-5", max_tokens=5, messages=[{"role": "user", "content": "Hi"}])
    except BadRequestError:
        pass
print(telemetry.count("gen_ai.client.operation.duration"), [event.name for event in telemetry.events])
""",
        signal,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == {"metrics": "1 []\n", "logs": "0 ['gen_ai.client.operation.exception']\n"}[signal]


def test_a_disabled_sdk_costs_a_call_nothing_and_breaks_nothing():
    done = run_python(
        """
from anthropic import Anthropic
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.metrics import MeterProvider
from otel_claude import AnthropicInstrumentor
from otel_claude.testing import SimulatedClaude

AnthropicInstrumentor().instrument(tracer_provider=TracerProvider(), meter_provider=MeterProvider())
with SimulatedClaude() as claude, Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated") as client:
    client.messages.create(model="claude-sonnet-5-5", max_tokens=5, messages=[{"role": "user", "content": "Hi"}])
print("done")
""",
        env={"OTEL_SDK_DISABLED": "true"},
    )

    assert (done.returncode, done.stderr, done.stdout) == (0, "", "done\n")
