"""Toolsets of the tool runner: many tools that the application has as one object."""

from typing import Any

import pytest
from rig import ASK, SDK_VERSION, named, needs_runner, parent_of, says, settled, told
from toolsets import HAS_TOOLSETS, browser, use, wants

from fixture_types import Instrument
from otel_claude.testing import SimulatedClaude, Telemetry

pytestmark = [
    needs_runner,
    pytest.mark.skipif(not HAS_TOOLSETS, reason="the SDK has no toolsets"),
    pytest.mark.filterwarnings("ignore:Toolset 'telescope'.* not found:UserWarning"),
]

Row = tuple[str, object, object, str | None]


async def browse(client: Any, **options: Any) -> None:
    runner = client.beta.messages.tool_runner(**ASK, tools=[browser(client)], **options)
    await settled(runner.until_done())


def rows(telemetry: Telemetry) -> list[Row]:
    """The executions: tool, id, error, and what they stand below."""
    spans = [span for span in telemetry.spans if span.name.startswith("execute_tool ")]
    spans.sort(key=lambda span: str(told(span)["gen_ai.tool.call.id"]))
    return [
        (
            span.name.removeprefix("execute_tool "),
            told(span)["gen_ai.tool.call.id"],
            told(span).get("error.type"),
            parent_of(telemetry, span),
        )
        for span in spans
    ]


WAYS = [
    pytest.param({}, id="whole"),
    pytest.param({"stream": True}, id="streamed"),
    pytest.param({"stream": True, "run_tools_eagerly": True}, id="eager"),
]


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize(("name", "error"), [("crash", "LookupError"), ("refuse", "ToolError")])
async def test_each_member_is_an_execution_and_its_exception_is_named(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, name: str, error: str, options: dict[str, Any]
):
    """A member that fails keeps those after it from being executed, for the SDK."""
    claude.will(wants(use(1, "click"), use(2, name), use(3, "scroll")), says())
    await browse(client, **options)

    assert rows(telemetry) == [
        ("click", "toolu_1", None, "invoke_agent"),
        (name, "toolu_2", error, "invoke_agent"),
        ("scroll", "toolu_3", "not_executed", "invoke_agent"),
    ]
    assert told(telemetry.span("invoke_agent"))["claude.agent.tool_calls"] == 2
    assert telemetry.count("gen_ai.execute_tool.duration") == 2
    assert telemetry.count("gen_ai.execute_tool.duration", {"error.type": error, "gen_ai.tool.name": name}) == 1


async def test_a_member_of_a_toolset_that_is_not_there_is_not_executed(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """A model may make up any name, so it is in no metric."""
    claude.will(wants(use(1, "look", toolset="telescope"), use(2, "click")), says())
    await browse(client)

    assert rows(telemetry) == [
        ("look", "toolu_1", "not_executed", "invoke_agent"),
        ("click", "toolu_2", None, "invoke_agent"),
    ]
    assert told(telemetry.span("invoke_agent"))["claude.agent.tool_calls"] == 1
    assert telemetry.count("gen_ai.execute_tool.duration") == 1


async def test_what_the_model_is_given_is_what_it_is_given_without_us(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(wants(use(1, "click"), use(2, "crash"), use(3, "scroll")), says())
    await browse(client)

    results = claude.requests[-1].json["messages"][-1]["content"]
    assert [(result["tool_use_id"], result.get("is_error", False)) for result in results] == [
        ("toolu_1", False),
        ("toolu_2", True),
        ("toolu_3", True),
    ]
    assert "LookupError" in str(results[1]["content"])


@pytest.mark.skipif(SDK_VERSION < (1, 14), reason="the SDK makes no spans")
@pytest.mark.parametrize("native_spans", ["enrich", "keep"])
async def test_where_the_spans_are_the_sdks_own_the_points_are_the_same(
    client: Any, claude: SimulatedClaude, instrument: Instrument, native_spans: str
):
    telemetry = instrument(native_spans=native_spans)
    claude.will(wants(use(1, "click"), use(2, "crash")), says())
    await browse(client)

    assert len(named(telemetry, "execute_tool click")) <= 1
    assert telemetry.count("gen_ai.execute_tool.duration", {"gen_ai.tool.name": "click"}) == 1
    assert telemetry.count("gen_ai.execute_tool.duration", {"error.type": "LookupError"}) == 1
