"""Whole traces, with a script of recorded frames and with the bundled CLI: they are the same."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from agent_scenarios import HANDLED, SCENARIOS
from inline_snapshot import snapshot
from opentelemetry import context, trace

from otel_claude.testing import Telemetry
from otel_claude.testing.snapshots import is_volatile

Connections = Callable[..., Callable[[], Any]]

MASKED = {"gen_ai.conversation.id", "gen_ai.response.id", "anthropic.request.id"}
"""Ids that the CLI makes, and those of the API, which it asks as often as it likes."""

pytestmark = pytest.mark.filterwarnings("ignore:can_use_tool will not be invoked")


def masked(name: str) -> bool:
    return name in MASKED or is_volatile(name)


def ran(name: str, connections: Connections, telemetry: Telemetry, script: str | None = None) -> str:
    """The trace of a scenario that ran in a span of the application's."""
    HANDLED.clear()
    tracer = telemetry.tracer_provider.get_tracer("application")

    async def application() -> None:
        with tracer.start_as_current_span("application"):
            before = context.get_current()
            await SCENARIOS[name].run(connections(name, script))
            assert context.get_current() is before
        with tracer.start_as_current_span("afterwards"):
            pass

    asyncio.run(application())
    assert telemetry.span("afterwards").parent is None
    return telemetry.tree(masked=masked)


def test_two_tools_at_once_and_one_of_them_fails(connections: Connections, agents: Telemetry):
    assert ran("two_tools", connections, agents) == snapshot("""\
application | internal
    invoke_agent | internal
        claude.agent.cost_usd = 0.001518
        claude.agent.input_tokens = 400
        claude.agent.iterations = 2
        claude.agent.outcome = "completed"
        claude.agent.output_tokens = 30
        claude.agent.tool_calls = 2
        claude.cost.estimated = ["cli"]
        gen_ai.conversation.id = …
        gen_ai.operation.name = "invoke_agent"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-4-5-20250929"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 150
        execute_tool mcp__calc__add | internal
            claude.mcp.server = "calc"
            claude.tool.kind = "mcp"
            gen_ai.conversation.id = …
            gen_ai.operation.name = "execute_tool"
            gen_ai.tool.call.id = "toolu_1"
            gen_ai.tool.name = "mcp__calc__add"
            gen_ai.tool.type = "function"
            jsonrpc.request.id = "2"
            mcp.method.name = "tools/call"
            mcp.protocol.version = "2025-11-25"
        execute_tool mcp__calc__fail | internal | error
            claude.mcp.server = "calc"
            claude.tool.kind = "mcp"
            error.type = "tool_error"
            gen_ai.conversation.id = …
            gen_ai.operation.name = "execute_tool"
            gen_ai.tool.call.id = "toolu_2"
            gen_ai.tool.name = "mcp__calc__fail"
            gen_ai.tool.type = "function"
            jsonrpc.request.id = "3"
            mcp.method.name = "tools/call"
            mcp.protocol.version = "2025-11-25"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 250
afterwards | internal\
""")
    assert [span.get_span_context() for span in HANDLED] == [
        agents.span("execute_tool mcp__calc__add").get_span_context()
    ]


def test_a_subagent_in_the_background_over_two_turns(connections: Connections, agents: Telemetry):
    assert ran("background", connections, agents) == snapshot("""\
application | internal
    invoke_agent | internal
        claude.agent.cost_usd = 0.001173
        claude.agent.input_tokens = 310
        claude.agent.iterations = 2
        claude.agent.outcome = "completed"
        claude.agent.output_tokens = 25
        claude.agent.tool_calls = 1
        claude.cost.estimated = ["cli"]
        gen_ai.conversation.id = …
        gen_ai.operation.name = "invoke_agent"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-4-5-20250929"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 150
        execute_tool Agent | internal
            claude.tool.kind = "client"
            gen_ai.conversation.id = …
            gen_ai.operation.name = "execute_tool"
            gen_ai.tool.call.id = "toolu_agent"
            gen_ai.tool.name = "Agent"
            gen_ai.tool.type = "extension"
            invoke_agent general-purpose | internal
                claude.agent.input_tokens = 210
                claude.agent.iterations = 2
                claude.agent.outcome = "completed"
                claude.agent.tool_calls = 1
                gen_ai.agent.name = "general-purpose"
                gen_ai.conversation.id = …
                gen_ai.operation.name = "invoke_agent"
                gen_ai.provider.name = "anthropic"
                chat claude-sonnet-4-5-20250929 | client
                    anthropic.request.id = …
                    anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
                    gen_ai.conversation.id = …
                    gen_ai.operation.name = "chat"
                    gen_ai.provider.name = "anthropic"
                    gen_ai.response.id = …
                    gen_ai.response.model = "claude-sonnet-4-5-20250929"
                    gen_ai.usage.cache_creation.input_tokens = 20
                    gen_ai.usage.cache_read.input_tokens = 30
                    gen_ai.usage.cache_write.input_tokens = 20
                    gen_ai.usage.input_tokens = 100
                execute_tool mcp__calc__add | internal
                    claude.mcp.server = "calc"
                    claude.tool.kind = "mcp"
                    gen_ai.agent.name = "general-purpose"
                    gen_ai.conversation.id = …
                    gen_ai.operation.name = "execute_tool"
                    gen_ai.tool.call.id = "toolu_sub"
                    gen_ai.tool.name = "mcp__calc__add"
                    gen_ai.tool.type = "function"
                    jsonrpc.request.id = "2"
                    mcp.method.name = "tools/call"
                    mcp.protocol.version = "2025-11-25"
                chat claude-sonnet-4-5-20250929 | client
                    anthropic.request.id = …
                    anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
                    gen_ai.conversation.id = …
                    gen_ai.operation.name = "chat"
                    gen_ai.provider.name = "anthropic"
                    gen_ai.response.id = …
                    gen_ai.response.model = "claude-sonnet-4-5-20250929"
                    gen_ai.usage.cache_creation.input_tokens = 20
                    gen_ai.usage.cache_read.input_tokens = 30
                    gen_ai.usage.cache_write.input_tokens = 20
                    gen_ai.usage.input_tokens = 110
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 160
    invoke_agent | internal
        claude.agent.cost_usd = 0.001362
        claude.agent.input_tokens = 380
        claude.agent.iterations = 3
        claude.agent.origin = "task-notification"
        claude.agent.outcome = "completed"
        claude.agent.output_tokens = 28
        claude.agent.tool_calls = 1
        claude.cost.estimated = ["cli"]
        gen_ai.conversation.id = …
        gen_ai.operation.name = "invoke_agent"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-4-5-20250929"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 170
    invoke_agent | internal
        claude.agent.cost_usd = 0.000579
        claude.agent.input_tokens = 180
        claude.agent.iterations = 1
        claude.agent.outcome = "completed"
        claude.agent.output_tokens = 7
        claude.agent.tool_calls = 0
        claude.cost.estimated = ["cli"]
        gen_ai.conversation.id = …
        gen_ai.operation.name = "invoke_agent"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-4-5-20250929"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 180
afterwards | internal\
""")
    first, own, second = (span for span in agents.spans if span.name == "invoke_agent")
    assert [link.context for link in own.links] == [first.context]
    assert [*first.links, *second.links] == []


def test_a_subagent_that_is_waited_for(connections: Connections, agents: Telemetry):
    assert ran("foreground", connections, agents) == snapshot("""\
application | internal
    invoke_agent | internal
        claude.agent.cost_usd = 0.002046
        claude.agent.input_tokens = 530
        claude.agent.outcome = "completed"
        claude.agent.output_tokens = 48
        claude.agent.tool_calls = 2
        claude.cost.estimated = ["cli"]
        gen_ai.conversation.id = …
        gen_ai.operation.name = "invoke_agent"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-4-5-20250929"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 150
        execute_tool Agent | internal
            claude.tool.kind = "client"
            gen_ai.conversation.id = …
            gen_ai.operation.name = "execute_tool"
            gen_ai.tool.call.id = "toolu_agent"
            gen_ai.tool.name = "Agent"
            gen_ai.tool.type = "extension"
            invoke_agent general-purpose | internal
                claude.agent.outcome = "completed"
                claude.agent.tool_calls = 1
                gen_ai.agent.name = "general-purpose"
                gen_ai.conversation.id = …
                gen_ai.operation.name = "invoke_agent"
                gen_ai.provider.name = "anthropic"
                chat claude-sonnet-4-5-20250929 | client
                    anthropic.request.id = …
                    anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
                    gen_ai.conversation.id = …
                    gen_ai.operation.name = "chat"
                    gen_ai.provider.name = "anthropic"
                    gen_ai.response.id = …
                    gen_ai.response.model = "claude-sonnet-4-5-20250929"
                    gen_ai.usage.cache_creation.input_tokens = 20
                    gen_ai.usage.cache_read.input_tokens = 30
                    gen_ai.usage.cache_write.input_tokens = 20
                    gen_ai.usage.input_tokens = 100
                execute_tool mcp__calc__add | internal
                    claude.mcp.server = "calc"
                    claude.tool.kind = "mcp"
                    gen_ai.agent.name = "general-purpose"
                    gen_ai.conversation.id = …
                    gen_ai.operation.name = "execute_tool"
                    gen_ai.tool.call.id = "toolu_sub"
                    gen_ai.tool.name = "mcp__calc__add"
                    gen_ai.tool.type = "function"
                    jsonrpc.request.id = "2"
                    mcp.method.name = "tools/call"
                    mcp.protocol.version = "2025-11-25"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 170
afterwards | internal\
""")


def test_a_denied_tool(connections: Connections, agents: Telemetry):
    assert ran("denied", connections, agents) == snapshot("""\
application | internal
    invoke_agent | internal
        claude.agent.cost_usd = 0.000423
        claude.agent.input_tokens = 130
        claude.agent.iterations = 2
        claude.agent.outcome = "completed"
        claude.agent.output_tokens = 11
        claude.agent.tool_calls = 0
        claude.cost.estimated = ["cli"]
        gen_ai.conversation.id = …
        gen_ai.operation.name = "invoke_agent"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-4-5-20250929"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 60
        execute_tool Bash | internal | error
            claude.tool.kind = "client"
            error.type = "permission_denied"
            gen_ai.conversation.id = …
            gen_ai.operation.name = "execute_tool"
            gen_ai.tool.call.id = "toolu_1"
            gen_ai.tool.name = "Bash"
            gen_ai.tool.type = "extension"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 70
afterwards | internal\
""")


def test_an_api_that_fails(connections: Connections, agents: Telemetry):
    assert ran("failing", connections, agents) == snapshot("""\
application | internal
    invoke_agent | internal | error
        claude.agent.cost_usd = 0.0
        claude.agent.input_tokens = 0
        claude.agent.iterations = 0
        claude.agent.outcome = "failed"
        claude.agent.output_tokens = 0
        claude.agent.tool_calls = 0
        claude.cost.estimated = ["cli"]
        error.type = "invalid_request_error"
        gen_ai.conversation.id = …
        gen_ai.operation.name = "invoke_agent"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-4-5-20250929"
afterwards | internal\
""")


def test_an_application_that_leaves_its_loop(connections: Connections, agents: Telemetry):
    assert ran("left", connections, agents) == snapshot("""\
application | internal
    invoke_agent | internal
        claude.agent.iterations = 1
        claude.agent.outcome = "abandoned"
        claude.agent.tool_calls = 1
        gen_ai.conversation.id = …
        gen_ai.operation.name = "invoke_agent"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-4-5-20250929"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 150
        execute_tool mcp__calc__wait | internal
            claude.mcp.server = "calc"
            claude.tool.kind = "mcp"
            error.type = "cancelled"
            gen_ai.conversation.id = …
            gen_ai.operation.name = "execute_tool"
            gen_ai.tool.call.id = "toolu_1"
            gen_ai.tool.name = "mcp__calc__wait"
            gen_ai.tool.type = "function"
            jsonrpc.request.id = "2"
            mcp.method.name = "tools/call"
            mcp.protocol.version = "2025-11-25"
afterwards | internal\
""")


def test_an_application_that_is_cancelled(connections: Connections, agents: Telemetry):
    assert ran("cancelled", connections, agents, "left") == snapshot("""\
application | internal
    invoke_agent | internal
        claude.agent.iterations = 1
        claude.agent.outcome = "cancelled"
        claude.agent.tool_calls = 1
        gen_ai.conversation.id = …
        gen_ai.operation.name = "invoke_agent"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-4-5-20250929"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 150
        execute_tool mcp__calc__wait | internal
            claude.mcp.server = "calc"
            claude.tool.kind = "mcp"
            error.type = "cancelled"
            gen_ai.conversation.id = …
            gen_ai.operation.name = "execute_tool"
            gen_ai.tool.call.id = "toolu_1"
            gen_ai.tool.name = "mcp__calc__wait"
            gen_ai.tool.type = "function"
            jsonrpc.request.id = "2"
            mcp.method.name = "tools/call"
            mcp.protocol.version = "2025-11-25"
afterwards | internal\
""")


def test_answers_that_are_streamed_have_all_their_tokens(connections: Connections, agents: Telemetry):
    assert ran("partial", connections, agents) == snapshot("""\
application | internal
    invoke_agent | internal
        claude.agent.cost_usd = 0.001518
        claude.agent.input_tokens = 400
        claude.agent.iterations = 2
        claude.agent.outcome = "completed"
        claude.agent.output_tokens = 30
        claude.agent.tool_calls = 2
        claude.cost.estimated = ["cli"]
        gen_ai.conversation.id = …
        gen_ai.operation.name = "invoke_agent"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-4-5-20250929"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.message.stop_reason = "tool_use"
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.finish_reasons = ["tool_use"]
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 150
            gen_ai.usage.output_tokens = 20
        execute_tool mcp__calc__add | internal
            claude.mcp.server = "calc"
            claude.tool.kind = "mcp"
            gen_ai.conversation.id = …
            gen_ai.operation.name = "execute_tool"
            gen_ai.tool.call.id = "toolu_1"
            gen_ai.tool.name = "mcp__calc__add"
            gen_ai.tool.type = "function"
            jsonrpc.request.id = "2"
            mcp.method.name = "tools/call"
            mcp.protocol.version = "2025-11-25"
        execute_tool mcp__calc__fail | internal | error
            claude.mcp.server = "calc"
            claude.tool.kind = "mcp"
            error.type = "tool_error"
            gen_ai.conversation.id = …
            gen_ai.operation.name = "execute_tool"
            gen_ai.tool.call.id = "toolu_2"
            gen_ai.tool.name = "mcp__calc__fail"
            gen_ai.tool.type = "function"
            jsonrpc.request.id = "3"
            mcp.method.name = "tools/call"
            mcp.protocol.version = "2025-11-25"
        chat claude-sonnet-4-5-20250929 | client
            anthropic.message.stop_reason = "end_turn"
            anthropic.request.id = …
            anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 20
            gen_ai.conversation.id = …
            gen_ai.operation.name = "chat"
            gen_ai.provider.name = "anthropic"
            gen_ai.response.finish_reasons = ["end_turn"]
            gen_ai.response.id = …
            gen_ai.response.model = "claude-sonnet-4-5-20250929"
            gen_ai.usage.cache_creation.input_tokens = 20
            gen_ai.usage.cache_read.input_tokens = 30
            gen_ai.usage.cache_write.input_tokens = 20
            gen_ai.usage.input_tokens = 250
            gen_ai.usage.output_tokens = 10
afterwards | internal\
""")


def test_two_clients_at_once(connections: Connections, agents: Telemetry):
    tracer = agents.tracer_provider.get_tracer("application")

    async def one(number: int) -> None:
        with tracer.start_as_current_span(f"application {number}"):
            await SCENARIOS["two_tools"].run(connections("two_tools"))

    async def application() -> None:
        await asyncio.gather(one(1), one(2))

    asyncio.run(application())
    spans = agents.spans
    for number in (1, 2):
        root = agents.span(f"application {number}").context
        assert root is not None
        ours = [span for span in spans if span.context is not None and span.context.trace_id == root.trace_id]
        assert sorted(span.name for span in ours) == [
            f"application {number}",
            "chat claude-sonnet-4-5-20250929",
            "chat claude-sonnet-4-5-20250929",
            "execute_tool mcp__calc__add",
            "execute_tool mcp__calc__fail",
            "invoke_agent",
        ]
    assert trace.get_current_span() is trace.INVALID_SPAN
