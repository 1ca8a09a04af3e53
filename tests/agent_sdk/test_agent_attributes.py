"""What spans and points carry, and what of it is content."""

from collections.abc import Mapping
from typing import Any

import pytest
from agent_frames import played, recorded

from otel_claude import Settings
from otel_claude.agent_sdk import contents
from otel_claude.agent_sdk.attributes import (
    counter_points,
    end_attributes,
    histogram_points,
    limit_attributes,
    name_of,
    start_attributes,
)
from otel_claude.agent_sdk.runs import Answer, Limit, Run, ToolUse

MODEL = "claude-sonnet-4-5-20250929"
Thing = Run | Answer | ToolUse


def ended(name: str) -> list[Thing]:
    return [thing for what, thing in played(recorded(name))[1] if what == "end" and not isinstance(thing, Limit)]


def carried(thing: Thing) -> Mapping[str, Any]:
    return start_attributes(thing) | end_attributes(thing)


def test_a_span_is_named_by_its_operation_and_what_it_is_of():
    assert {name_of(thing) for thing in ended("foreground")} == {
        "invoke_agent",
        "invoke_agent general-purpose",
        "execute_tool Agent",
        "execute_tool mcp__calc__add",
        f"chat {MODEL}",
    }
    assert name_of(Answer("1", Run(0), 0, 0)) == "chat"
    assert name_of(Limit("five_hour", None, None, None, None)) == "five_hour"


def test_a_number_that_is_not_known_is_absent():
    first, *_ = [thing for thing in ended("two_tools") if isinstance(thing, Answer)]
    told = carried(first)
    # 100 tokens, and 30 and 20 of the cache.
    assert told["gen_ai.usage.input_tokens"] == 150
    assert "gen_ai.usage.output_tokens" not in told
    assert "gen_ai.response.finish_reasons" not in told


def test_a_run_has_no_usage_that_backends_would_add_up():
    for thing in ended("background"):
        if isinstance(thing, Run):
            assert not [name for name in carried(thing) if name.startswith("gen_ai.usage")]


def test_points_agree_with_the_spans():
    things = ended("background")
    runs = [thing for thing in things if isinstance(thing, Run)]
    tokens: dict[str, float] = {}
    for thing in things:
        for instrument, value, labels in histogram_points(thing):
            if instrument.name == "gen_ai.client.token.usage":
                tokens[labels["gen_ai.token.type"]] = tokens.get(labels["gen_ai.token.type"], 0) + value
    turns = [carried(run) for run in runs if run.launcher is None]
    assert tokens == {
        "input": sum(turn["claude.agent.input_tokens"] for turn in turns),
        "output": sum(turn["claude.agent.output_tokens"] for turn in turns),
    }
    cost = sum(
        value for run in runs for instrument, value, _ in counter_points(run) if instrument.name == "claude.cost"
    )
    assert cost == pytest.approx(sum(turn["claude.agent.cost_usd"] for turn in turns))


def test_what_has_not_ended_has_no_points():
    run = Run(0)
    assert list(histogram_points(run)) == []
    assert list(histogram_points(ToolUse("1", "Bash", run, 0))) == []
    assert list(histogram_points(Answer("1", run, 0, 0))) == []


def durations(thing: Thing) -> dict[str, float]:
    return {
        instrument.name: value
        for instrument, value, _ in histogram_points(thing)
        if instrument.name.endswith("duration")
    }


def test_durations_are_seconds():
    second = 1_000_000_000
    run = Run(5 * second, ended_at=7 * second)
    assert durations(run) == {"gen_ai.invoke_agent.duration": 2.0}
    tool = ToolUse("1", "Bash", run, 5 * second, ended_at=5 * second + second // 4)
    assert durations(tool) == {"gen_ai.execute_tool.duration": 0.25}


@pytest.mark.parametrize("error_type", ["permission_denied", "not_executed"])
def test_what_was_not_executed_has_no_duration(error_type: str):
    assert list(histogram_points(ToolUse("1", "Bash", Run(0), 0, error_type=error_type, ended_at=1))) == []


def test_everything_in_a_conversation_says_which_it_is():
    for thing in ended("background"):
        assert carried(thing)["gen_ai.conversation.id"] == "session_2"


def test_everything_that_a_model_says_tells_who_has_answered():
    turn = Run(0, provider="aws.bedrock", ended_at=1)
    for thing in (turn, Answer("1", turn, 0, 0)):
        assert start_attributes(thing)["gen_ai.provider.name"] == "aws.bedrock"


def test_runs_and_tools_are_told_apart_as_those_of_the_anthropic_sdk_are():
    """By what the conventions have for both, and nothing else: one query finds all of them.

    https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md
    """
    agent = Run(0, ToolUse("toolu_0", "Agent", Run(0), 0), name="Explore", ended_at=1)
    tool = ToolUse("toolu_1", "Read", agent, 0, ended_at=1)
    points = [*histogram_points(agent), *histogram_points(tool)]
    assert {instrument.name: labels for instrument, _, labels in points} == {
        "gen_ai.invoke_agent.duration": {"gen_ai.agent.name": "Explore"},
        "gen_ai.invoke_agent.inference_calls": {"gen_ai.agent.name": "Explore"},
        "gen_ai.invoke_agent.tool_calls": {"gen_ai.agent.name": "Explore"},
        "gen_ai.execute_tool.duration": {
            "gen_ai.tool.name": "Read",
            "gen_ai.tool.type": "extension",
            "gen_ai.agent.name": "Explore",
        },
    }


def test_a_limit_says_when_it_is_full_again():
    limit = Limit("five_hour", "rejected", None, 160.0, None)
    assert limit_attributes(limit, 100.0) == {
        "claude.rate_limit.type": "five_hour",
        "claude.rate_limit.status": "rejected",
        "claude.rate_limit.full_in_s": 60.0,
    }


def test_arguments_and_results():
    add, fail = (thing for thing in ended("two_tools") if isinstance(thing, ToolUse))
    assert contents.attributes_of(add, Settings(content="SPAN_ONLY")) == {
        "gen_ai.tool.call.arguments": '{"a":1,"b":2}',
        "gen_ai.tool.call.result": '[{"type":"text","content":"3"}]',
    }
    assert contents.attributes_of(fail, Settings(content_max_bytes=150))["anthropic.content.truncated"] is True


def test_redaction_sees_arguments_and_results_as_parts():
    """The arguments are what a model says, the result is what it is told: as of the tools of an application's own."""
    seen: list[tuple[str, str]] = []

    def redact(kind: str, part: Any) -> Any:
        seen.append((kind, part["type"]))
        return part if part["type"] == "tool_call" else None

    add, *_ = (thing for thing in ended("two_tools") if isinstance(thing, ToolUse))
    assert list(contents.attributes_of(add, Settings(redact=redact))) == ["gen_ai.tool.call.arguments"]
    assert sorted(seen) == [
        ("gen_ai.input.messages", "tool_call_response"),
        ("gen_ai.output.messages", "tool_call"),
    ]


def test_what_a_tool_of_the_api_gave():
    found = {"type": "web_search_tool_result", "tool_use_id": "1", "content": {"error_code": "unavailable"}}
    searched = ToolUse("1", "web_search", Run(0), 0, kind="server", arguments={"query": "otters"}, result=found)
    assert contents.attributes_of(searched, Settings()) == {
        "gen_ai.tool.call.arguments": '{"query":"otters"}',
        "gen_ai.tool.call.result": '{"error_code":"unavailable"}',
    }


def test_a_run_that_nobody_has_asked_for_has_no_prompt():
    assert contents.attributes_of(Run(0), Settings()) == {}
    add = ToolUse("1", "Bash", Run(0), 0)
    assert contents.attributes_of(add, Settings()) == {}
