"""A connection, frame by frame: the contexts that handlers run in, and what is kept of what passes."""

import asyncio
import sys
import tracemalloc
from typing import Any

import pytest
from agent_scenarios import sdk
from observed_connection import ObservedConnection, answer, emission, gave, result, use
from opentelemetry import trace

from otel_claude.testing import Telemetry


def test_the_reader_of_frames_is_in_a_tool_only_while_it_starts_what_the_tool_is_for(telemetry: Telemetry):
    connection = ObservedConnection(emission(telemetry))
    connection.ask()
    connection.receive(answer("1", use("toolu_1")))
    assert connection.span_of_the_reader is trace.INVALID_SPAN
    with connection.handling("toolu_1"):
        handling = trace.get_current_span().get_span_context()
    connection.receive(gave("toolu_1"))
    assert connection.span_of_the_reader is trace.INVALID_SPAN
    connection.receive(result(7, 1, 0.5))
    executed = telemetry.span("execute_tool Bash").context
    assert executed is not None
    assert handling.span_id == executed.span_id


LARGE = 4_000_000
"""The bytes of a prompt with a picture."""


FIRST, LAST = '{"type": "user", "message": {"content": "%s"}}', '{"message": {"content": "%s"}, "type": "user"}'


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_ONLY"])
@pytest.mark.parametrize("frame", [FIRST, LAST])
def test_of_a_prompt_nothing_is_kept_that_nobody_wants_to_know(telemetry: Telemetry, content: str, frame: str):
    """Where content is recorded, it is kept until its turn has ended."""
    connection = ObservedConnection(emission(telemetry, content=content))
    data = frame % ("a" * LARGE)
    tracemalloc.start()
    try:
        connection.observer.writing(data)
        kept_in_the_turn = tracemalloc.get_traced_memory()[0]
        connection.receive(answer("1"), result(7, 1, 0.5))
        telemetry.clear()
        kept_afterwards = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept_afterwards < LARGE / 10
    assert content == "SPAN_ONLY" or kept_in_the_turn < LARGE / 10


def test_a_prompt_that_nobody_wants_to_know_is_not_parsed(telemetry: Telemetry):
    connection = ObservedConnection(emission(telemetry))
    connection.observer.writing('{"type": "user", "message": and so on')
    connection.receive(result(7, 1, 0.5))
    assert [span.name for span in telemetry.spans] == ["invoke_agent"]


@pytest.mark.parametrize("content", ["NO_CONTENT", "SPAN_ONLY"])
@pytest.mark.parametrize("frame", [FIRST, LAST])
def test_a_prompt_begins_a_turn_wherever_its_type_stands(telemetry: Telemetry, content: str, frame: str):
    connection = ObservedConnection(emission(telemetry, content=content))
    connection.observer.writing(frame % "Hello")
    connection.receive(result(7, 1, 0.5))
    assert [span.name for span in telemetry.spans] == ["invoke_agent"]


def test_answers_to_the_cli_are_not_parsed(telemetry: Telemetry):
    connection = ObservedConnection(emission(telemetry, content="SPAN_ONLY"))
    connection.observer.writing('{"type": "control_response", "response": "user" and so on')
    connection.observer.writing("[]")
    connection.observer.closed()
    assert telemetry.spans == []


def test_a_connection_that_exists_already_is_not_observed(agents: Telemetry):
    """The SDK connects a transport that has a process no second time."""
    module: Any = sys.modules["claude_agent_sdk._internal.transport.subprocess_cli"]

    async def application() -> None:
        transport = module.SubprocessCLITransport(prompt="Hello", options=sdk.ClaudeAgentOptions(cli_path="none"))
        transport._process = object()
        await transport.connect()
        transport._process = None
        await transport.close()

    asyncio.run(application())
    assert agents.spans == []
