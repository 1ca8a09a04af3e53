"""Who answers the CLI, by the environment that it is started with."""

import asyncio
from pathlib import Path

import pytest
from agent_scenarios import sdk

from otel_claude.agent_sdk.providers import provider_in
from otel_claude.testing import Telemetry

BEDROCK, VERTEX = "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        ({}, {}, "anthropic"),
        ({BEDROCK: "1"}, {}, "aws.bedrock"),
        ({}, {BEDROCK: "true"}, "aws.bedrock"),
        ({BEDROCK: "0"}, {BEDROCK: "1"}, "anthropic"),
        ({BEDROCK: ""}, {VERTEX: "1"}, "gcp.vertex_ai"),
        ({VERTEX: "1", BEDROCK: "1"}, {}, "aws.bedrock"),
    ],
)
def test_the_options_come_before_the_environment(given: dict[str, str], environment: dict[str, str], expected: str):
    assert provider_in(given, environment) == expected


def test_a_turn_says_whom_its_process_was_to_ask(agents: Telemetry, tmp_path: Path):
    async def application() -> None:
        options = sdk.ClaudeAgentOptions(env={BEDROCK: "1"}, cli_path=tmp_path / "none")
        async for _ in sdk.query(prompt="Hello", options=options):
            pass

    with pytest.raises(sdk.CLINotFoundError):
        asyncio.run(application())
    assert (agents.span("invoke_agent").attributes or {})["gen_ai.provider.name"] == "aws.bedrock"
