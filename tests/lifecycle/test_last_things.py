"""What is left of a call when it is over, and what comes of one that the program does not finish."""

import gc
import weakref
from typing import Any

import anthropic
import pytest
from apps import HELLO, SwitchOn, run_python

from otel_claude.testing import BadRequest, SimulatedClaude, Telemetry

DROPS_AT_THE_END = """
import gc, time
from anthropic import Anthropic
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from otel_claude import AnthropicInstrumentor
from otel_claude.testing import SimulatedClaude

class Slow(SpanProcessor):
    def on_end(self, span):
        time.sleep(0.3)

class Printed(SpanExporter):
    def export(self, spans):
        print([span.attributes["claude.stream.outcome"] for span in spans], flush=True)

provider = TracerProvider()
provider.add_span_processor(Slow())
provider.add_span_processor(BatchSpanProcessor(Printed()))
AnthropicInstrumentor().instrument(tracer_provider=provider)
claude = SimulatedClaude().start()
client = Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated")
hello = {"model": "claude-sonnet-5-5", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]}
stream = client.messages.create(**hello, stream=True)
next(iter(stream))
stream.itself = stream  # So that it is collected, in the middle of which nothing can be recorded.
del stream
gc.collect()
"""

GIVEN_AND_THEN_GLOBAL = """
from anthropic import Anthropic
from opentelemetry import metrics
from otel_claude import AnthropicInstrumentor
from otel_claude.testing import SimulatedClaude, Telemetry

telemetry = Telemetry()
hello = {"model": "claude-sonnet-5-5", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]}
with SimulatedClaude() as claude:
    client = Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated")
    for round in (1, 2):
        given = {"meter_provider": telemetry.meter_provider} if round == 1 else {}
        AnthropicInstrumentor().instrument(**given)
        client.messages.create(**hello)
        print(telemetry.total("claude.responses"), "claude.rate_limit.remaining" in telemetry.metrics)
        AnthropicInstrumentor().uninstrument()
        if round == 1:
            metrics.set_meter_provider(telemetry.meter_provider)
"""


def test_a_stream_that_is_dropped_as_the_program_ends_is_recorded():
    done = run_python(DROPS_AT_THE_END)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "['abandoned']\n"


def test_a_provider_that_is_given_first_and_global_later_counts_on():
    done = run_python(GIVEN_AND_THEN_GLOBAL)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 True\n2 True\n"


class Held:
    """An object of the application's that a frame of its holds."""


@pytest.mark.parametrize("stream", [False, True])
def test_a_failed_call_keeps_nothing_of_the_application(
    stream: bool, client: Any, claude: SimulatedClaude, telemetry: Telemetry, switch_on: SwitchOn
):
    """Its exception knows the frames that it went through, which hold the application's objects."""
    switch_on()

    def application() -> "weakref.ref[Held]":
        held = Held()
        claude.will(BadRequest("no"))
        try:
            client.messages.create(**HELLO, stream=stream)
        except anthropic.BadRequestError:
            pass
        return weakref.ref(held)

    gc.collect()
    gc.disable()
    try:
        assert application()() is None
    finally:
        gc.enable()
    assert len(telemetry.spans) == 1
