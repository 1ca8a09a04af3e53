"""Attributes of other conventions, on spans of calls, runs, tools and summaries, where the setting asks for them."""

import json
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rig import (
    ASK,
    PRICE,
    SDK_MAKES_SPANS,
    ToolFailed,
    needs_runner,
    says,
    settled,
    told,
    tool_of,
    wants,
    warm,
    weather,
)

import otel_claude
from fixture_types import API_KEY, Instrument, Make
from otel_claude import SettingError, install_span_cap
from otel_claude.emitting.compatibility import CONVENTIONS
from otel_claude.span_cap.installation import pre_instrument
from otel_claude.testing import Overloaded, SimulatedClaude, Telemetry, ToolUse

KIND = "openinference.span.kind"
OTHERS = {name for added in CONVENTIONS.values() for name in added}
"""All names that are neither OpenTelemetry's nor ours."""


def kinds(telemetry: Telemetry) -> dict[str, Any]:
    """The kind of OpenInference that each span has, by its name."""
    return {span.name: told(span).get(KIND) for span in telemetry.spans}


@needs_runner
@pytest.mark.filterwarnings("ignore:Tool 'tides' not found")
async def test_a_run_with_its_calls_and_tools(client: Any, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(compatibility="openinference")
    claude.will(wants(weather("Paris"), ToolUse("tides", {"city": "Paris"})), says())
    await settled(client.beta.messages.tool_runner(**ASK, tools=[tool_of(client, "weather", warm)]).until_done())

    assert kinds(telemetry) == {
        "invoke_agent": "AGENT",
        "chat claude-sonnet-5-5": "LLM",
        "execute_tool weather": "TOOL",
        "execute_tool tides": "TOOL",
    }


@needs_runner
@pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK makes no spans")
async def test_the_sdks_own_spans_have_them_where_ours_do_not_take_their_place(
    make: Make, claude: SimulatedClaude, instrument: Instrument
):
    telemetry = instrument(compatibility="openinference", native_spans="enrich")
    client = make(api_key=API_KEY, open_telemetry={"tracer_provider": telemetry.tracer_provider})
    claude.will(wants(weather("Paris")), says())
    await settled(client.beta.messages.tool_runner(**ASK, tools=[tool_of(client, "weather", warm)]).until_done())

    assert kinds(telemetry) == {
        "anthropic.messages.tool_runner": "AGENT",
        "anthropic.messages.create": "LLM",
        "anthropic.custom_tool_use weather": "TOOL",
    }


async def test_a_loop_of_the_applications_own(client: Any, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(compatibility="openinference", content="SPAN_ONLY")
    claude.will(wants(weather("Paris")))
    with otel_claude.agent("guide"):
        await settled(client.messages.create(**ASK))
        with otel_claude.tool_call({"name": "weather", "input": {"city": "Paris"}}):
            pass
        with pytest.raises(ToolFailed), otel_claude.tool_call({"name": "tides"}):
            raise ToolFailed

    assert kinds(telemetry) == {
        "invoke_agent guide": "AGENT",
        "chat claude-sonnet-5-5": "LLM",
        "execute_tool weather": "TOOL",
        "execute_tool tides": "TOOL",
    }
    assert json.loads(told(telemetry.span("execute_tool weather"))["input.value"]) == {"city": "Paris"}
    (message,) = json.loads(told(telemetry.span("chat claude-sonnet-5-5"))["input.value"])
    assert message["parts"] == [{"type": "text", "content": "How warm is it?"}]


async def test_the_cost_of_a_call_for_langfuse(client: Any, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(compatibility="langfuse")
    claude.will(says())
    await settled(client.messages.create(**ASK))

    attributes = told(telemetry.span("chat claude-sonnet-5-5"))
    cost = json.loads(attributes["langfuse.observation.cost_details"])
    assert cost == {"total": pytest.approx(PRICE, abs=1e-12)}
    assert json.loads(attributes["langfuse.observation.usage_details"]) == {"input": 100, "output": 10, "total": 110}


async def test_a_call_that_fails_has_them_too(client: Any, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(compatibility="openinference")
    claude.will(Overloaded())
    with pytest.raises(Exception, match="Overloaded"):
        await settled(client.messages.create(**ASK))

    span = telemetry.span("chat claude-sonnet-5-5")
    assert not span.status.is_ok
    assert told(span)[KIND] == "LLM"


async def test_nobody_gets_them_who_has_not_asked(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(says())
    with otel_claude.agent("guide"), otel_claude.tool_call({"name": "weather"}):
        await settled(client.messages.create(**ASK))

    assert len(telemetry.spans) == 3
    assert [span.name for span in telemetry.spans if told(span).keys() & OTHERS] == []


async def test_summaries_of_the_span_cap_have_them(client: Any, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(compatibility="mlflow", max_spans_per_trace=10)
    claude.will(*[says()] * 40)
    with telemetry.tracer_provider.get_tracer("application").start_as_current_span("root"):
        for _ in range(40):
            await settled(client.messages.create(**ASK))
    telemetry.tracer_provider.force_flush()

    costs = [json.loads(told(span)["mlflow.llm.cost"]) for span in telemetry.spans if span.name != "root"]
    assert len(costs) < 10
    assert sum(cost["total_cost"] for cost in costs) == pytest.approx(40 * PRICE, abs=1e-12)


def test_the_cap_takes_the_convention_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setenv("OTEL_CLAUDE_COMPATIBILITY", "openinference")
    monkeypatch.setenv("OTEL_CLAUDE_MAX_SPANS_PER_TRACE", "4")
    pre_instrument()
    tracer = provider.get_tracer("application")
    with tracer.start_as_current_span("root"):
        for _ in range(20):
            tracer.start_span("step").end()

    summaries = [span for span in exporter.get_finished_spans() if "claude.summary.count" in told(span)]
    assert {told(span)[KIND] for span in summaries} == {"CHAIN"}


def test_a_convention_that_there_is_not_is_an_error_that_says_which_there_are():
    with pytest.raises(SettingError, match="accepted: one of off, openinference, langfuse, mlflow"):
        install_span_cap(TracerProvider(shutdown_on_exit=False), compatibility="phoenix")
