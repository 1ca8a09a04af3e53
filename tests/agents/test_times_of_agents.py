"""How long runs and executions take, by a clock that only goes on when a test says so."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from rig import MODEL, each, in_time, settled

import otel_claude
from fixture_types import Clock, Runner
from otel_claude.testing import Answer, ServerToolUse, SimulatedClaude, Telemetry

WORK_S, TOOL_S, SEARCH_S, LATER_S = 2, 0.25, 3, 100
SEARCH: Any = {"type": "web_search_20250305", "name": "web_search"}
ASK: Any = {
    "model": MODEL,
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "What is new?"}],
    "tools": [SEARCH],
}


def seconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


def test_durations_are_in_seconds(clock: Clock, telemetry: Telemetry):
    @otel_claude.tool
    def weather() -> None:
        clock.advance(TOOL_S)

    with otel_claude.agent("traveller"):
        clock.advance(WORK_S)
        weather()
        with otel_claude.tool_call({"name": "map", "input": {}}):
            clock.advance(TOOL_S)

    assert telemetry.total("gen_ai.execute_tool.duration", {"gen_ai.tool.name": "weather"}) == TOOL_S
    assert telemetry.total("gen_ai.execute_tool.duration", {"gen_ai.tool.name": "map"}) == TOOL_S
    assert telemetry.total("gen_ai.invoke_agent.duration") == WORK_S + 2 * TOOL_S
    lasted = {span.name: seconds(span) for span in telemetry.spans}
    assert lasted == {
        "execute_tool weather": TOOL_S,
        "execute_tool map": TOOL_S,
        "invoke_agent traveller": WORK_S + 2 * TOOL_S,
    }


@pytest.mark.parametrize("in_a_cycle", [True, False])
async def test_a_run_that_is_dropped_lasts_until_it_is_found_or_did_something_last(
    in_a_cycle: bool, runner: Runner, clock: Clock, telemetry: Telemetry
):
    """What is in a circle Python finds at some time. What is not it finds at once."""

    @otel_claude.agent("traveller")
    def travel() -> Iterator[None]:
        clock.advance(WORK_S)
        yield

    gc.collect()
    gc.disable()
    try:
        held: list[Any] = [travel()]
        next(held[0])
        if in_a_cycle:
            held.append(held)
        clock.advance(LATER_S)
        del held
        gc.collect()
    finally:
        gc.enable()
    await in_time(lambda: telemetry.spans)

    expected = WORK_S if in_a_cycle else WORK_S + LATER_S
    assert seconds(telemetry.span("invoke_agent traveller")) == expected
    assert telemetry.total("gen_ai.invoke_agent.duration") == expected


async def test_a_tool_of_the_api_runs_from_the_end_of_its_block_to_its_result(
    client: Any, claude: SimulatedClaude, clock: Clock, telemetry: Telemetry
):
    claude.will(Answer("Much.", server_tool_uses=[ServerToolUse("web_search", {"query": "news"})]))
    began: int | None = None
    asked = 0
    with otel_claude.agent("reader"):
        stream = await settled(client.messages.create(**ASK, stream=True))
        async for event in each(stream):
            kind = getattr(getattr(event, "content_block", None), "type", None)
            if event.type == "content_block_start" and kind == "server_tool_use":
                # The API is still writing what it is going to search for.
                clock.advance(WORK_S)
                asked = clock.read()
            if event.type == "content_block_stop" and asked and began is None:
                began = clock.read()
                clock.advance(SEARCH_S)

    span = telemetry.span("execute_tool web_search")
    assert began is not None
    assert span.start_time == began
    assert seconds(span) == SEARCH_S
    assert telemetry.total("gen_ai.execute_tool.duration", {"gen_ai.tool.name": "web_search"}) == SEARCH_S
