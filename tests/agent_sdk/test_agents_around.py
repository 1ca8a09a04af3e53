"""The application's own agents and tools, around a connection and inside of the tools that it executes."""

import asyncio
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from agent_frames import recorded
from agent_scenarios import ALLOWED, sdk, tools
from observed_connection import ObservedConnection, answer, emission, gave, result, task, use
from scripted_transport import ScriptedTransport

import otel_claude
from otel_claude import AnthropicInstrumentor
from otel_claude.agent_sdk import ClaudeAgentInstrumentor
from otel_claude.agent_sdk.emission import Emission
from otel_claude.agents.live import switch_off, switch_on
from otel_claude.testing import Answer, SimulatedClaude, Telemetry

SUMS = ("iterations", "tool_calls", "input_tokens", "output_tokens", "cost_usd")
BACKGROUND = (
    answer("1", use("toolu_agent", "Agent", subagent_type="Explore")),
    task("task_started", is_backgrounded=True),
    gave("toolu_agent") | {"tool_use_result": {"isAsync": True}},
)
RUNNING, IDLE = (
    {"type": "system", "subtype": "session_state_changed", "state": state} for state in ("running", "idle")
)


def sums(telemetry: Telemetry, name: str) -> dict[str, Any]:
    """The sums of a run, without those that are not known."""
    attributes = telemetry.span(name).attributes or {}
    return {each: attributes[f"claude.agent.{each}"] for each in SUMS if f"claude.agent.{each}" in attributes}


def scripted(server: Any = None) -> dict[str, Any]:
    options = sdk.ClaudeAgentOptions(mcp_servers={"calc": server or tools()}, allowed_tools=ALLOWED)
    return {"options": options, "transport": ScriptedTransport(recorded("two_tools"))}


async def asked(**connection: Any) -> None:
    async for _ in sdk.query(prompt="Add 1 and 2.", **connection):
        pass


@pytest.fixture
def emitting(telemetry: Telemetry) -> Iterator[Emission]:
    found = emission(telemetry)
    switch_on(found.agents)
    yield found
    switch_off(found.agents)


@pytest.fixture
def connection(emitting: Emission) -> ObservedConnection:
    return ObservedConnection(emitting)


@pytest.fixture(params=["alone", "both"])
def instrumented(request: pytest.FixtureRequest, agents: Telemetry) -> Iterator[Telemetry]:
    """With the instrumentation of the Agent SDK alone, and with that of the Anthropic SDK as well."""
    if request.param == "both":
        AnthropicInstrumentor().instrument(
            tracer_provider=agents.tracer_provider,
            meter_provider=agents.meter_provider,
            logger_provider=agents.logger_provider,
        )
    yield agents
    if request.param == "both":
        AnthropicInstrumentor().uninstrument()


# 100 and 200 tokens in, each with 30 and 20 of the cache; 20 and 10 out. At 3, 15, 0.30 and 3.75 USD for a million.
TWO_TOOLS = {
    "iterations": 2,
    "tool_calls": 2,
    "input_tokens": 400,
    "output_tokens": 30,
    "cost_usd": (300 * 3 + 30 * 15 + 60 * 0.30 + 40 * 3.75) / 1e6,
}


def test_a_run_has_the_sums_of_the_turns_in_it(instrumented: Telemetry):
    async def application() -> None:
        with otel_claude.agent("outer"):
            await asked(**scripted())
            await asked(**scripted())

    asyncio.run(application())
    assert sums(instrumented, "invoke_agent outer") == {
        name: pytest.approx(2 * amount) for name, amount in TWO_TOOLS.items()
    }
    outer = instrumented.span("invoke_agent outer").context
    turns = [span for span in instrumented.spans if span.name == "invoke_agent"]
    assert outer is not None
    assert [span.parent and span.parent.span_id for span in turns] == [outer.span_id] * 2
    assert instrumented.total("gen_ai.invoke_agent.tool_calls", {"gen_ai.agent.name": "outer"}) == 4


def test_a_turn_and_the_run_around_it_have_what_their_tools_ask_the_api(agents: Telemetry):
    AnthropicInstrumentor().instrument(tracer_provider=agents.tracer_provider, meter_provider=agents.meter_provider)
    anthropic = pytest.importorskip("anthropic")
    usage = {"input_tokens": 1000, "output_tokens": 100}

    async def application(claude: SimulatedClaude) -> None:
        client = anthropic.AsyncAnthropic(base_url=claude.base_url, api_key="sk-ant-simulated")

        @sdk.tool("add", "Adds two numbers.", {"a": int, "b": int})
        async def add(_arguments: dict[str, Any]) -> dict[str, Any]:
            with otel_claude.agent("expert"):
                await client.messages.create(
                    model="claude-sonnet-5-5", max_tokens=100, messages=[{"role": "user", "content": "What is it?"}]
                )
            return {"content": []}

        with otel_claude.agent("outer"):
            await asked(**scripted(sdk.create_sdk_mcp_server("calc", "1.0", [add])))
        await client.close()

    with SimulatedClaude(default=lambda _: Answer("3", usage=usage)) as claude:
        asyncio.run(application(claude))
    AnthropicInstrumentor().uninstrument()
    # 1000 tokens in and 100 out more, of a model that costs 2 and 10 USD for a million.
    cost = TWO_TOOLS["cost_usd"] + (1000 * 2 + 100 * 10) / 1e6
    expected = {"iterations": 3, "tool_calls": 2, "input_tokens": 1400, "output_tokens": 130}
    assert sums(agents, "invoke_agent") == {**expected, "cost_usd": pytest.approx(cost)}
    assert sums(agents, "invoke_agent outer") == sums(agents, "invoke_agent")
    assert agents.total("claude.cost") == pytest.approx(cost)


def test_of_a_turn_that_goes_on_a_run_knows_nothing_when_it_ends(connection: ObservedConnection, telemetry: Telemetry):
    with otel_claude.agent("longer"):
        with otel_claude.agent("outer"):
            connection.ask()
            connection.receive(answer("1"))
        connection.receive(result(7, 1, 0.5))
    assert sums(telemetry, "invoke_agent outer") == {}
    # 7 tokens in, 1 out and half a dollar, as the result says.
    one = {"iterations": 1, "tool_calls": 0, "input_tokens": 7, "output_tokens": 1, "cost_usd": 0.5}
    assert sums(telemetry, "invoke_agent") == one
    assert sums(telemetry, "invoke_agent longer") == one
    assert telemetry.count("gen_ai.invoke_agent.inference_calls", {"gen_ai.agent.name": "outer"}) == 0
    assert telemetry.count("gen_ai.invoke_agent.tool_calls", {"gen_ai.agent.name": "outer"}) == 0


@pytest.mark.parametrize("first_ends", ["inside", "outside"])
def test_a_run_knows_nothing_of_a_prompt_that_still_waits_for_its_turn(
    connection: ObservedConnection, telemetry: Telemetry, first_ends: str
):
    with otel_claude.agent("first"):
        connection.ask("one")
        connection.receive(RUNNING, answer("1"))
        with otel_claude.agent("second"):
            connection.ask("two")
            if first_ends == "inside":
                connection.receive(result(7, 1, 0.5))
        if first_ends == "outside":
            connection.receive(result(7, 1, 0.5))
        connection.receive(answer("2"), result(9, 2, 0.25))
    assert sums(telemetry, "invoke_agent second") == {}
    assert sums(telemetry, "invoke_agent first") == {
        "iterations": 2,
        "tool_calls": 0,
        "input_tokens": 16,
        "output_tokens": 3,
        "cost_usd": 0.75,
    }


def test_a_run_knows_nothing_of_a_prompt_that_had_no_turn_when_the_connection_was_closed(
    connection: ObservedConnection, telemetry: Telemetry
):
    with otel_claude.agent("outer"):
        connection.ask("one")
        connection.receive(RUNNING, answer("1"))
        connection.ask("two")
        connection.receive(result(7, 1, 0.5))
        connection.observer.closed()
    assert sums(telemetry, "invoke_agent outer") == {}


def test_a_run_knows_nothing_of_what_a_subagent_spends_in_the_background(
    connection: ObservedConnection, telemetry: Telemetry
):
    """What it has spent, only the result of the turn says that comes when it has finished."""
    with otel_claude.agent("whole"):
        with otel_claude.agent("soon"):
            connection.ask()
            connection.receive(*BACKGROUND, result(7, 1, 0.5))
        with otel_claude.agent("later"):
            connection.ask()
            connection.receive(answer("2"), result(7, 1, 0.5))
        connection.receive(task("task_notification", status="completed"))
        connection.receive(answer("3"), result(7, 1, 0.5, origin={"kind": "task-notification"}))
    assert sums(telemetry, "invoke_agent soon") == {}
    assert sums(telemetry, "invoke_agent later") == {}
    assert sums(telemetry, "invoke_agent whole") == {
        "iterations": 3,
        "tool_calls": 1,
        "input_tokens": 21,
        "output_tokens": 3,
        "cost_usd": 1.5,
    }


@pytest.mark.parametrize("inside", [False, True])
def test_runs_on_one_connection_know_nothing_where_a_subagent_of_one_works_in_a_turn_of_the_other(
    connection: ObservedConnection, telemetry: Telemetry, *, inside: bool
):
    """The result of the second turn has the sums of both, and does not say whose is what."""
    first, second = otel_claude.agent("first"), otel_claude.agent("second")
    callers = contextvars.copy_context(), contextvars.copy_context()
    outer = callers[0] if inside else callers[1]
    callers[0].run(first.__enter__)
    callers[0].run(connection.ask)
    connection.receive(*BACKGROUND, result(7, 1, 0.5))
    outer.run(second.__enter__)
    outer.run(connection.ask)
    connection.receive(answer("s1", parent_tool_use_id="toolu_agent"), answer("2"))
    connection.receive(task("task_notification", status="completed"), result(1_000, 100, 9.0))
    connection.receive(answer("3"), result(7, 1, 0.5, origin={"kind": "task-notification"}))
    outer.run(second.__exit__, None, None, None)
    callers[0].run(first.__exit__, None, None, None)
    assert sums(telemetry, "invoke_agent second") == {}
    # The sums of a run are those of the runs inside of it as well, whichever of them has spent it.
    whole = {"iterations": 4, "tool_calls": 1, "input_tokens": 1_014, "output_tokens": 102, "cost_usd": 10.0}
    assert sums(telemetry, "invoke_agent first") == (whole if inside else {})


@pytest.mark.parametrize("frames", [(task("task_notification", status="completed"),), ()])
def test_a_run_knows_nothing_of_a_subagent_that_no_result_has_told_of(
    connection: ObservedConnection, telemetry: Telemetry, frames: tuple[dict[str, Any], ...]
):
    with otel_claude.agent("outer"):
        connection.ask()
        connection.receive(*BACKGROUND, result(7, 1, 0.5), *frames)
        connection.observer.closed()
    assert sums(telemetry, "invoke_agent outer") == {}


def test_a_run_knows_nothing_of_a_turn_that_the_cli_has_begun_itself(
    connection: ObservedConnection, emitting: Emission, telemetry: Telemetry
):
    with otel_claude.agent("outer"):
        for each in (connection, ObservedConnection(emitting)):
            each.ask()
            each.receive(answer("1"), result(7, 1, 0.5))
        connection.receive(answer("2"))
    assert sums(telemetry, "invoke_agent outer") == {}


def test_a_turn_without_a_result_leaves_the_run_what_is_known(connection: ObservedConnection, telemetry: Telemetry):
    with otel_claude.agent("outer"):
        connection.ask()
        connection.receive(answer("1", use("toolu_1")), gave("toolu_1"))
        connection.observer.closed()
    assert sums(telemetry, "invoke_agent outer") == {"iterations": 1, "tool_calls": 1}


def test_what_a_turn_does_not_know_the_run_does_not_know(connection: ObservedConnection, telemetry: Telemetry):
    """The CLI keeps the answers of a subagent that it waits for to itself."""
    with otel_claude.agent("outer"):
        connection.ask()
        connection.receive(answer("1", use("toolu_agent", "Agent")), task("task_started"), gave("toolu_agent"))
        connection.receive(result(7, 1, 0.5))
        connection.ask()
        connection.receive(answer("2"), result(7, 1, 0.5))
    assert sums(telemetry, "invoke_agent outer") == {
        "tool_calls": 1,
        "input_tokens": 14,
        "output_tokens": 2,
        "cost_usd": 1.0,
    }


def test_where_prompts_of_several_runs_have_one_turn_the_first_run_has_its_sums(
    connection: ObservedConnection, telemetry: Telemetry
):
    """The CLI says twice that it is idle, so none of them waits any more."""
    answered = (RUNNING, answer("1"), result(7, 1, 0.5), IDLE, IDLE)
    with otel_claude.agent("outer"):
        with otel_claude.agent("first"):
            connection.ask("one")
            with otel_claude.agent("second"):
                connection.ask("two")
                connection.receive(*answered)
        with otel_claude.agent("third"):
            connection.ask("three")
            connection.ask("four")
            connection.receive(*answered)
    assert sums(telemetry, "invoke_agent first")["cost_usd"] == 0.5
    assert sums(telemetry, "invoke_agent second") == {}
    assert sums(telemetry, "invoke_agent third")["cost_usd"] == 0.5
    assert sums(telemetry, "invoke_agent outer")["cost_usd"] == 1.0


def test_a_prompt_of_a_run_that_has_ended_counts_for_the_one_around_it(
    connection: ObservedConnection, telemetry: Telemetry
):
    with otel_claude.agent("outer"):
        with otel_claude.agent("inner"):
            connection.ask("one")
            connection.receive(RUNNING, answer("1"))
            connection.ask("two")
        connection.receive(result(7, 1, 0.5), answer("2"), result(9, 2, 0.25))
    assert sums(telemetry, "invoke_agent outer")["cost_usd"] == 0.75


@pytest.mark.parametrize("name", [None, "add", "plus"])
def test_a_tool_with_a_decorator_is_counted_once(agents: Telemetry, name: str | None):
    """By the name that its server has for it, and where it has none of these by its arguments."""

    async def add(arguments: dict[str, Any]) -> dict[str, Any]:
        return {"content": [{"type": "text", "text": str(arguments["a"] + arguments["b"])}]}

    traced = otel_claude.tool(add) if name is None else otel_claude.tool(name=name)(add)
    asyncio.run(asked(**scripted(sdk.create_sdk_mcp_server("calc", "1.0", [sdk.tool("add", "Adds.", {})(traced)]))))
    assert sorted(span.name for span in agents.spans if span.name.startswith("execute_tool")) == [
        "execute_tool mcp__calc__add",
        "execute_tool mcp__calc__fail",
    ]
    assert agents.count("gen_ai.execute_tool.duration") == 2
    assert sums(agents, "invoke_agent")["tool_calls"] == 2


def test_a_tool_without_arguments_is_known_by_the_name_that_its_server_has_for_it(
    connection: ObservedConnection, telemetry: Telemetry
):
    @otel_claude.tool
    def now() -> str:
        return "noon"

    @otel_claude.tool
    def zone() -> str:
        return "UTC"

    connection.ask()
    connection.receive(answer("1", use("toolu_1", "mcp__clock__now")))
    with connection.handling("toolu_1"):
        assert (now(), zone()) == ("noon", "UTC")
    connection.receive(gave("toolu_1"), result(7, 1, 0.5))
    executed = telemetry.span("execute_tool mcp__clock__now").context
    inner = telemetry.span("execute_tool zone")
    assert executed is not None
    assert inner.parent is not None
    assert inner.parent.span_id == executed.span_id
    assert sums(telemetry, "invoke_agent")["tool_calls"] == 2


def test_a_function_that_looks_at_the_arguments_first_is_not_the_tool(
    connection: ObservedConnection, telemetry: Telemetry
):
    @otel_claude.tool
    def check(city: str) -> None:
        """What a hook calls."""

    @otel_claude.tool
    def weather(city: str) -> None:
        """The tool."""

    connection.ask()
    connection.receive(answer("1", use("toolu_1", "mcp__sky__weather", city="Paris")))
    with connection.handling("toolu_1"):
        check("Paris")
        weather("Paris")
    connection.receive(gave("toolu_1"), result(7, 1, 0.5))
    assert [span.name for span in telemetry.spans if "tool" in span.name] == ["execute_tool mcp__sky__weather"]
    assert sums(telemetry, "invoke_agent")["tool_calls"] == 1


def test_what_a_tool_has_started_goes_on_without_it(connection: ObservedConnection, telemetry: Telemetry):
    @otel_claude.tool
    def now() -> str:
        return "noon"

    connection.ask()
    connection.receive(answer("1", use("toolu_1", "mcp__clock__now")))
    with connection.handling("toolu_1"):
        now()
        goes_on = contextvars.copy_context()
    connection.receive(gave("toolu_1"), result(7, 1, 0.5))
    goes_on.run(now)
    assert [span.name for span in telemetry.spans if "tool" in span.name] == [
        "execute_tool mcp__clock__now",
        "execute_tool now",
    ]


def test_where_the_cli_makes_the_spans_a_tool_with_a_decorator_makes_none(emitting: Emission, telemetry: Telemetry):
    connection = ObservedConnection(emitting, deferring=True)

    @otel_claude.tool
    def now() -> str:
        return "noon"

    connection.ask()
    connection.receive(answer("1", use("toolu_1", "mcp__clock__now")))
    with connection.handling("toolu_1"):
        now()
    connection.receive(gave("toolu_1"), result(7, 1, 0.5))
    assert [span.name for span in telemetry.spans] == ["invoke_agent"]
    assert telemetry.count("gen_ai.execute_tool.duration") == 1


def test_what_runs_for_a_subagents_tool_is_in_the_subagents_run(connection: ObservedConnection, telemetry: Telemetry):
    @otel_claude.tool
    def zone() -> str:
        return "UTC"

    connection.ask()
    connection.receive({"type": "system", "subtype": "init", "session_id": "session_1"}, *BACKGROUND)
    connection.receive(answer("2", use("toolu_1", "mcp__clock__now"), parent_tool_use_id="toolu_agent"))
    with connection.handling("toolu_1"):
        zone()
    connection.receive(gave("toolu_1"), task("task_notification", status="completed"), result(7, 1, 0.5))
    inner = telemetry.span("execute_tool zone").attributes or {}
    assert (inner["gen_ai.agent.name"], inner["gen_ai.conversation.id"]) == ("Explore", "session_1")
    assert sums(telemetry, "invoke_agent Explore") == {"iterations": 1, "tool_calls": 2, "input_tokens": 7}
    # The launch of the subagent, its tool, and what that has called.
    assert sums(telemetry, "invoke_agent")["tool_calls"] == 3


@pytest.mark.parametrize("order", ["before", "after"])
def test_agents_and_tools_of_the_application_follow_the_anthropic_sdk_where_it_is_instrumented(
    instrument_agents: Callable[..., Telemetry], order: str
):
    other = Telemetry()
    if order == "before":
        AnthropicInstrumentor().instrument(tracer_provider=other.tracer_provider)
    ours = instrument_agents()
    if order == "after":
        AnthropicInstrumentor().instrument(tracer_provider=other.tracer_provider)
    with otel_claude.agent("first"):
        pass
    AnthropicInstrumentor().uninstrument()
    with otel_claude.agent("second"):
        pass
    other.shutdown()
    assert [span.name for span in other.spans] == ["invoke_agent first"]
    assert [span.name for span in ours.spans] == ["invoke_agent second"]


def test_without_instrumentation_agents_and_tools_make_nothing(agents: Telemetry):
    ClaudeAgentInstrumentor().uninstrument()
    with otel_claude.agent("first"):
        pass
    assert agents.spans == []


def repeated(connection: ObservedConnection, *blocks: dict[str, Any]) -> None:
    """A turn in which tools are used one after the other."""
    connection.ask()
    for block in blocks:
        connection.receive(answer(f"msg_{block['id']}", block), gave(block["id"]))
    connection.receive(result(7, 1, 0.5))


def repeats(telemetry: Telemetry) -> list[Any]:
    spans = [span for span in telemetry.spans if span.name.startswith("execute_tool")]
    return [(span.attributes or {}).get("claude.tool.repeats") for span in spans]


def test_a_tool_that_is_used_again_with_the_same_arguments(connection: ObservedConnection, telemetry: Telemetry):
    same = [use(f"toolu_{index}", path="secret", depth=1) for index in range(6)]
    other = use("toolu_other", path="another", depth=1)
    repeated(connection, *same[:2], other, *same[2:])
    assert repeats(telemetry) == [None, 2, None, 3, 4, 5, 6]
    assert [(event.name, event.attributes) for event in telemetry.events] == [
        ("claude.agent.loop", {"gen_ai.tool.name": "Bash", "claude.tool.repeats": times}) for times in (3, 6)
    ]
    third = next(span for span in telemetry.spans if (span.attributes or {}).get("claude.tool.repeats") == 3)
    assert third.context is not None
    assert telemetry.events[0].span_id == third.context.span_id
    assert "secret" not in telemetry.tree()


def test_each_turn_begins_to_count_repetitions_anew(connection: ObservedConnection, telemetry: Telemetry):
    repeated(connection, use("toolu_1"), use("toolu_2"))
    repeated(connection, use("toolu_3"))
    assert repeats(telemetry) == [None, 2, None]


def test_tools_of_the_api_are_not_counted_as_repetitions(connection: ObservedConnection, telemetry: Telemetry):
    repeated(connection, *({**use(f"toolu_{index}"), "type": "server_tool_use"} for index in range(3)))
    assert repeats(telemetry) == [None, None, None]
    assert telemetry.events == []


def test_a_loop_is_told_of_where_the_cli_makes_the_spans(emitting: Emission, telemetry: Telemetry):
    repeated(ObservedConnection(emitting, deferring=True), *(use(f"toolu_{index}") for index in range(3)))
    assert [event.name for event in telemetry.events] == ["claude.agent.loop"]
