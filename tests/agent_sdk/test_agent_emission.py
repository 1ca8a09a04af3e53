"""What becomes of steps: spans with their links, and metric points with a bounded number of names."""

import pytest
from opentelemetry import trace

from otel_claude import Settings
from otel_claude.agent_sdk.emission import Emission
from otel_claude.agent_sdk.runs import Answer, Prompt, Run, Step, ToolUse
from otel_claude.failsafe import failures
from otel_claude.testing import Telemetry


def emitted(telemetry: Telemetry, *things: Run | Answer | ToolUse, compatibility: str = "off") -> None:
    """All start and end, with nothing of ours failing."""
    failures.counts.clear()
    emission = Emission(
        Settings(content="SPAN_ONLY", compatibility=compatibility),
        telemetry.tracer_provider,
        telemetry.meter_provider,
        telemetry.logger_provider,
    )
    emission.emit([Step("start", thing) for thing in things], deferring=False)
    emission.emit([Step("end", thing) for thing in things], deferring=False)
    assert failures.counts == {}


def test_a_turn_that_answers_several_prompts_is_linked_to_where_they_were_sent():
    telemetry = Telemetry()
    tracer = telemetry.tracer_provider.get_tracer("application")
    first, second = (tracer.start_span(name) for name in ("first", "second"))
    inside_first, inside_second = (trace.set_span_in_context(span) for span in (first, second))
    others = [Prompt(inside_second, "two", 2), Prompt(inside_second, "three", 3), Prompt(inside_first, "four", 4)]
    others.append(Prompt(None, "five", 5))
    emitted(telemetry, Run(1, caller=inside_first, prompted=True, prompt="one", joined=others, ended_at=9))
    turn = telemetry.span("invoke_agent")
    assert turn.parent == first.get_span_context()
    assert [link.context for link in turn.links] == [second.get_span_context()]
    said = str((turn.attributes or {})["gen_ai.input.messages"])
    places = [said.index(f'"{word}"') for word in ("one", "two", "three", "four", "five")]
    assert places == sorted(places)
    telemetry.shutdown()


@pytest.mark.parametrize("metric", ["gen_ai.execute_tool.duration", "gen_ai.invoke_agent.duration"])
def test_metrics_tell_two_hundred_names_apart(metric: str):
    telemetry = Telemetry()
    run = Run(0, ended_at=1)
    named = [Run(0, name=f"agent {index}", ended_at=1) for index in range(300)]
    used = [ToolUse(f"toolu_{index}", f"tool_{index}", run, 0, ended_at=1) for index in range(300)]
    emitted(telemetry, run, *named, *used)
    told = {
        point["attributes"].get("gen_ai.tool.name") or point["attributes"].get("gen_ai.agent.name")
        for point in telemetry.metrics[metric]
    } - {None}
    assert len(told) == 201
    assert "_OTHER" in told
    assert {span.name for span in telemetry.spans} >= {"invoke_agent agent 299", "execute_tool tool_299"}
    telemetry.shutdown()


def test_turns_that_follow_each_other_do_not_keep_each_other():
    """Nor what they were asked, which may be long."""
    telemetry = Telemetry()
    first = Run(0, prompted=True, prompt="one", joined=[Prompt(None, "two", 2)], ended_at=1)
    second = Run(1, follows=first, ended_at=2)
    emitted(telemetry, first, second)
    assert [link.context for link in telemetry.spans[1].links] == [telemetry.spans[0].context]
    for turn in (first, second):
        assert (turn.follows, turn.prompt, turn.joined) == (None, None, [])
    telemetry.shutdown()


def test_spans_have_the_attributes_of_another_convention_where_that_is_asked_for():
    telemetry = Telemetry()
    run = Run(0, ended_at=1)
    answer = Answer("msg_1", run, 0, ended_at=1)
    emitted(telemetry, run, answer, ToolUse("toolu_1", "weather", run, 0, ended_at=1), compatibility="openinference")
    kinds = {span.name: (span.attributes or {}).get("openinference.span.kind") for span in telemetry.spans}
    assert kinds == {"invoke_agent": "AGENT", "chat": "LLM", "execute_tool weather": "TOOL"}
    telemetry.shutdown()
