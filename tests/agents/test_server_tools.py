"""Tools that the API executes itself, and those of MCP servers that a request names."""

from typing import Any

import pytest
from inline_snapshot import snapshot
from rig import MODEL, SDK_MAKES_SPANS, SDK_VERSION, each, settled

import otel_claude
from fixture_types import API_KEY, Instrument, Make
from otel_claude.testing import Answer, ServerToolUse, SimulatedClaude, Telemetry, usage

USAGE = usage(input_tokens=100, output_tokens=10)
SEARCH: dict[str, Any] = {"type": "web_search_20250305", "name": "web_search"}
ASK: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "What is new?"}],
    "tools": [SEARCH],
}
SEARCHED = Answer(
    "Much.",
    server_tool_uses=[
        ServerToolUse("web_search", {"query": "news"}),
        ServerToolUse(
            "web_search", {"query": "more"}, {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}
        ),
    ],
    usage=USAGE,
)
MCP = Answer(
    content=[
        {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "find", "server_name": "wiki", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": []},
        {"type": "mcp_tool_use", "id": "mcptoolu_2", "name": "find", "server_name": "wiki", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_2", "is_error": True, "content": []},
        {"type": "text", "text": "Found."},
    ],
    usage=USAGE,
)
TOLD = (
    "gen_ai.operation.name",
    "gen_ai.tool.name",
    "gen_ai.tool.type",
    "gen_ai.tool.call.id",
    "claude.tool.kind",
    "claude.mcp.server",
    "error.type",
)


def executions(telemetry: Telemetry) -> list[dict[str, Any]]:
    """What is told of each, in the order in which they were asked for."""
    chat = telemetry.span(f"chat {MODEL}")
    spans = [span for span in telemetry.spans if span.name.startswith("execute_tool ")]
    assert all(span.parent == chat.context for span in spans)
    times = [(chat.start_time, span.start_time, span.end_time, chat.end_time) for span in spans]
    assert [sorted(each, key=lambda at: at or 0) for each in times] == [list(each) for each in times]
    told: list[dict[str, Any]] = []
    for span in spans:
        attributes = span.attributes or {}
        told.append({name: attributes[name] for name in TOLD if name in attributes})
    return sorted(told, key=lambda one: one["gen_ai.tool.call.id"])


async def test_tools_of_the_api(instrument: Instrument, client: Any, claude: SimulatedClaude):
    telemetry = instrument()
    claude.will(SEARCHED)
    with otel_claude.agent("reader"):
        await settled(client.messages.create(**ASK))

    assert executions(telemetry) == snapshot(
        [
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "web_search",
                "gen_ai.tool.type": "extension",
                "gen_ai.tool.call.id": "srvtoolu_sim_0001",
                "claude.tool.kind": "server",
            },
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "web_search",
                "gen_ai.tool.type": "extension",
                "gen_ai.tool.call.id": "srvtoolu_sim_0002",
                "claude.tool.kind": "server",
                "error.type": "max_uses_exceeded",
            },
        ]
    )
    # When they were executed nobody knows, so nothing is said of how long it took.
    assert telemetry.count("gen_ai.execute_tool.duration") == 0


async def test_outside_of_a_run_a_call_has_one_span(instrument: Instrument, client: Any, claude: SimulatedClaude):
    telemetry = instrument()
    claude.will(SEARCHED, SEARCHED)
    await settled(client.messages.create(**ASK))
    async for _ in each(await settled(client.messages.create(**ASK, stream=True))):
        pass

    assert [span.name for span in telemetry.spans] == [f"chat {MODEL}"] * 2


async def test_a_stream_tells_when(instrument: Instrument, client: Any, claude: SimulatedClaude):
    telemetry = instrument()
    claude.will(SEARCHED)
    with otel_claude.agent("reader"):
        stream = await settled(client.messages.create(**ASK, stream=True))
    async for _ in each(stream):
        pass

    assert [one.get("error.type") for one in executions(telemetry)] == [None, "max_uses_exceeded"]
    assert telemetry.count("gen_ai.execute_tool.duration") == 2
    assert telemetry.count("gen_ai.execute_tool.duration", {"error.type": "max_uses_exceeded"}) == 1


@pytest.mark.skipif(SDK_VERSION < (0, 52), reason="the SDK knows no MCP servers")
async def test_tools_of_mcp_servers(instrument: Instrument, client: Any, claude: SimulatedClaude):
    telemetry = instrument()
    claude.will(MCP)
    server = {"type": "url", "url": "https://wiki.example/mcp", "name": "wiki"}
    options: dict[str, Any] = {"tools": [], "mcp_servers": [server], "betas": ["mcp-client-2025-04-04"]}
    with otel_claude.agent("reader"):
        await settled(client.beta.messages.create(**{**ASK, **options}))

    assert executions(telemetry) == snapshot(
        [
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "find",
                "gen_ai.tool.type": "extension",
                "gen_ai.tool.call.id": "mcptoolu_1",
                "claude.tool.kind": "mcp",
                "claude.mcp.server": "wiki",
            },
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "find",
                "gen_ai.tool.type": "extension",
                "gen_ai.tool.call.id": "mcptoolu_2",
                "claude.tool.kind": "mcp",
                "claude.mcp.server": "wiki",
                "error.type": "tool_error",
            },
        ]
    )


async def test_a_client_without_spans_of_its_own_has_ours(make: Make, instrument: Instrument, claude: SimulatedClaude):
    telemetry = instrument(native_spans="keep")
    options: dict[str, Any] = {"open_telemetry": False} if SDK_MAKES_SPANS else {}
    claude.will(SEARCHED)
    with otel_claude.agent("reader"):
        await settled(make(api_key=API_KEY, **options).messages.create(**ASK))

    assert len(executions(telemetry)) == 2
