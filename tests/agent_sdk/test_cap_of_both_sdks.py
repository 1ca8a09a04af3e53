"""The span cap where both SDKs are instrumented."""

import pytest

from otel_claude import AnthropicInstrumentor, Settings
from otel_claude.agent_sdk import ClaudeAgentInstrumentor
from otel_claude.switch import Switch
from otel_claude.testing import Telemetry

pytest.importorskip("claude_agent_sdk", reason="the Claude Agent SDK is not installed")

CAP = 10
MORE = 3 * CAP


def exported(telemetry: Telemetry) -> int:
    telemetry.clear()
    tracer = telemetry.tracer_provider.get_tracer("app")
    with tracer.start_as_current_span("root"):
        for _ in range(MORE):
            tracer.start_span("work").end()
    assert telemetry.tracer_provider.force_flush()
    return len(telemetry.spans)


@pytest.mark.parametrize(
    ("first", "last"),
    [(AnthropicInstrumentor, ClaudeAgentInstrumentor), (ClaudeAgentInstrumentor, AnthropicInstrumentor)],
)
def test_it_goes_with_the_last_of_them(first: type[Switch], last: type[Switch]):
    telemetry = Telemetry()
    for switch in (AnthropicInstrumentor, ClaudeAgentInstrumentor):
        switch().instrument(
            tracer_provider=telemetry.tracer_provider,
            meter_provider=telemetry.meter_provider,
            logger_provider=telemetry.logger_provider,
            settings=Settings(max_spans_per_trace=CAP),
        )
    try:
        first().uninstrument()
        assert exported(telemetry) == CAP
    finally:
        last().uninstrument()
    assert exported(telemetry) == MORE + 1
    telemetry.shutdown()
