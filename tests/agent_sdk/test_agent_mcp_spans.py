"""The spans of the `mcp` package, of tools that it serves in this process, give way to ours."""

import asyncio
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from agent_frames import recorded
from agent_scenarios import SCENARIOS, sdk, tools
from observed_connection import ObservedConnection, answer, emission, use
from opentelemetry.trace import SpanKind
from scripted_transport import ScriptedTransport

import otel_claude
from otel_claude.agent_sdk import ClaudeAgentInstrumentor, mcp_spans
from otel_claude.testing import Telemetry

pytest.importorskip("mcp.shared._otel", reason="this version of mcp makes no spans")


def run() -> None:
    options = sdk.ClaudeAgentOptions(mcp_servers={"calc": tools()}, **SCENARIOS["two_tools"].options)

    async def application() -> None:
        async for _ in sdk.query(
            prompt="Add 1 and 2.", options=options, transport=ScriptedTransport(recorded("two_tools"))
        ):
            pass

    asyncio.run(application())


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> Callable[[Telemetry], ModuleType]:
    """Has mcp make its spans on the providers of a test."""

    def follow(telemetry: Telemetry) -> ModuleType:
        module = importlib.import_module(mcp_spans.MODULE)
        current: Any = getattr(module, mcp_spans.TRACER)
        own = telemetry.tracer_provider.get_tracer("mcp-python-sdk")
        if isinstance(current, mcp_spans.StandIn):
            monkeypatch.setattr(current, "tracer", own)
        else:
            monkeypatch.setattr(module, mcp_spans.TRACER, own)
        return module

    return follow


def executions(telemetry: Telemetry) -> list[str]:
    """What a dashboard counts as executions of tools."""
    spans = telemetry.spans
    return sorted(span.name for span in spans if (span.attributes or {}).get("gen_ai.operation.name") == "execute_tool")


def test_a_tool_is_counted_once(agents: Telemetry, native: Callable[[Telemetry], ModuleType]):
    native(agents)
    run()
    assert executions(agents) == ["execute_tool mcp__calc__add", "execute_tool mcp__calc__fail"]
    told = agents.span("execute_tool mcp__calc__add").attributes or {}
    assert (told["mcp.method.name"], told["gen_ai.tool.name"]) == ("tools/call", "mcp__calc__add")


def test_other_spans_of_mcp_stay(agents: Telemetry, native: Callable[[Telemetry], ModuleType]):
    native(agents)
    run()
    turn = agents.span("invoke_agent").context
    for name in ("initialize", "notifications/initialized", "tools/list"):
        span = agents.span(name)
        assert span.kind is SpanKind.SERVER
        assert span.parent is not None
        assert turn is not None
        assert span.parent.span_id == turn.span_id


def test_where_they_are_to_be_kept_they_are_inside_of_ours(
    instrument_agents: Callable[..., Telemetry], native: Callable[[Telemetry], ModuleType]
):
    telemetry = instrument_agents(native_spans="keep")
    native(telemetry)
    run()
    ours = telemetry.span("execute_tool mcp__calc__add").context
    parent = telemetry.span("tools/call add").parent
    assert ours is not None
    assert parent is not None
    assert parent.span_id == ours.span_id


def test_tools_that_are_for_no_agent_keep_their_spans(agents: Telemetry, native: Callable[[Telemetry], ModuleType]):
    tracer: Any = getattr(native(agents), mcp_spans.TRACER)
    attributes = {"gen_ai.operation.name": "execute_tool"}
    with tracer.start_as_current_span("tools/call add", kind=SpanKind.SERVER, attributes=attributes) as span:
        assert span.is_recording()
    assert [span.name for span in agents.spans] == ["tools/call add"]


def test_a_tool_that_is_called_inside_of_a_span_of_the_applications_keeps_its_span(
    agents: Telemetry, native: Callable[[Telemetry], ModuleType]
):
    """Ours is then another one than the span that it stands in."""
    tracer: Any = getattr(native(agents), mcp_spans.TRACER)
    attributes = {"gen_ai.operation.name": "execute_tool"}
    own = agents.tracer_provider.get_tracer("application")
    with (
        otel_claude.tool_call({"type": "tool_use", "id": "toolu_1", "name": "add", "input": {}}),
        own.start_as_current_span("own"),
        tracer.start_as_current_span("tools/call add", kind=SpanKind.SERVER, attributes=attributes) as span,
    ):
        assert span.is_recording()


def test_where_the_cli_makes_the_spans_mcp_keeps_its_own(agents: Telemetry, native: Callable[[Telemetry], ModuleType]):
    tracer: Any = getattr(native(agents), mcp_spans.TRACER)
    connection = ObservedConnection(emission(agents), deferring=True)
    connection.ask()
    connection.receive(answer("1", use("toolu_1", "mcp__calc__add")))
    attributes = {"gen_ai.operation.name": "execute_tool"}
    with (
        connection.handling("toolu_1"),
        tracer.start_as_current_span("tools/call add", kind=SpanKind.SERVER, attributes=attributes) as span,
    ):
        assert span.is_recording()
    connection.observer.closed()


def test_the_tracer_is_put_back(agents: Telemetry):
    module = importlib.import_module(mcp_spans.MODULE)
    mcp_spans.stand_in(module)
    stand_in: Any = getattr(module, mcp_spans.TRACER)
    assert not isinstance(stand_in.tracer, mcp_spans.StandIn)
    ClaudeAgentInstrumentor().uninstrument()
    assert getattr(module, mcp_spans.TRACER) is stand_in.tracer
