"""Runs of the SDK's tool runner, sync and async: the same trees with every version that has one."""

import asyncio
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any

import anthropic
import pytest
from inline_snapshot import snapshot
from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import StatusCode
from rig import (
    ASK,
    PRICE,
    SDK_MAKES_SPANS,
    SDK_VERSION,
    ToolFailed,
    done,
    each,
    failing,
    in_time,
    is_async,
    named,
    needs_runner,
    parent_of,
    runnable,
    says,
    settled,
    told,
    tool_of,
    tree,
    wants,
    warm,
    weather,
)

import otel_claude
from fixture_types import API_KEY, Instrument, Make
from otel_claude import AnthropicInstrumentor
from otel_claude.anthropic import tool_runner
from otel_claude.testing import Cut, Overloaded, SimulatedClaude, Telemetry, ToolUse

pytestmark = needs_runner

runs_eagerly = pytest.mark.skipif(SDK_VERSION < (1, 12), reason="tools run when the answer has come")
can_be_closed = pytest.mark.skipif(SDK_VERSION < (1, 14), reason="runners have no close()")
only_async = pytest.mark.parametrize("runner", ["async"], indirect=True)

BROKEN = ToolUse("tides", {"city": "Paris"})


def runner_of(client: Any, *tools: Any, **options: Any) -> Any:
    return client.beta.messages.tool_runner(**ASK, tools=list(tools), **options)


async def until_done(client: Any, *tools: Any, **options: Any) -> Any:
    return await settled(runner_of(client, *tools, **options).until_done())


async def test_two_parallel_tools_one_of_which_fails(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris"), BROKEN), says())
    await until_done(client, tool_of(client, "weather", warm), tool_of(client, "tides", failing))

    assert tree(telemetry) == snapshot("""\
invoke_agent | internal
    claude.agent.cost_usd = 0.0006
    claude.agent.input_tokens = 200
    claude.agent.iterations = 2
    claude.agent.outcome = "completed"
    claude.agent.output_tokens = 20
    claude.agent.tool_calls = 2
    gen_ai.operation.name = "invoke_agent"
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10
    execute_tool weather | internal
        claude.tool.kind = "client"
        gen_ai.operation.name = "execute_tool"
        gen_ai.tool.call.id = "toolu_sim_0001"
        gen_ai.tool.name = "weather"
        gen_ai.tool.type = "function"
    execute_tool tides | internal | error: ToolFailed
        claude.tool.kind = "client"
        error.type = "ToolFailed"
        gen_ai.operation.name = "execute_tool"
        gen_ai.tool.call.id = "toolu_sim_0002"
        gen_ai.tool.name = "tides"
        gen_ai.tool.type = "function"
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10\
""")


async def test_iterations_that_are_streamed(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris"), text="Let me see"), says())
    async for stream in each(runner_of(client, tool_of(client, "weather", warm), stream=True)):
        async for _ in each(stream):
            pass

    assert tree(telemetry) == snapshot("""\
invoke_agent | internal
    claude.agent.cost_usd = 0.0006
    claude.agent.input_tokens = 200
    claude.agent.iterations = 2
    claude.agent.outcome = "completed"
    claude.agent.output_tokens = 20
    claude.agent.tool_calls = 1
    gen_ai.operation.name = "invoke_agent"
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10
    execute_tool weather | internal
        claude.tool.kind = "client"
        gen_ai.operation.name = "execute_tool"
        gen_ai.tool.call.id = "toolu_sim_0001"
        gen_ai.tool.name = "weather"
        gen_ai.tool.type = "function"
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10\
""")


async def test_a_run_that_the_application_leaves(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), says())
    tool = tool_of(client, "weather", warm)

    async def first() -> None:
        async for _ in each(runner_of(client, tool)):
            break

    await first()
    await in_time(lambda: named(telemetry, "invoke_agent"))

    assert tree(telemetry) == snapshot("""\
invoke_agent | internal
    claude.agent.cost_usd = 0.0003
    claude.agent.input_tokens = 100
    claude.agent.iterations = 1
    claude.agent.outcome = "abandoned"
    claude.agent.output_tokens = 10
    claude.agent.tool_calls = 0
    gen_ai.operation.name = "invoke_agent"
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10\
""")


async def test_a_stream_that_the_application_leaves(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), says())
    tool = tool_of(client, "weather", warm)

    async def first() -> None:
        async for stream in each(runner_of(client, tool, stream=True)):
            async for _ in each(stream):
                break
            break

    await first()
    await in_time(lambda: named(telemetry, "invoke_agent"))

    (run,) = named(telemetry, "invoke_agent")
    assert told(run)["claude.agent.outcome"] == "abandoned"
    assert told(run)["claude.agent.iterations"] == 1
    # `message_start` says what came in. What went out is never told.
    assert told(run)["claude.agent.input_tokens"] == 100
    assert "claude.agent.output_tokens" not in told(run)
    assert "claude.agent.cost_usd" not in told(run)


@runs_eagerly
async def test_tools_that_are_executed_while_the_answer_streams(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(wants(weather("Paris"), weather("Rome"), BROKEN), says())
    tools = [tool_of(client, "weather", warm), tool_of(client, "tides", failing)]
    async for stream in each(runner_of(client, *tools, stream=True, run_tools_eagerly=True)):
        async for _ in each(stream):
            assert not trace.get_current_span().get_span_context().is_valid

    assert tree(telemetry) == snapshot("""\
invoke_agent | internal
    claude.agent.cost_usd = 0.0006
    claude.agent.input_tokens = 200
    claude.agent.iterations = 2
    claude.agent.outcome = "completed"
    claude.agent.output_tokens = 20
    claude.agent.tool_calls = 3
    gen_ai.operation.name = "invoke_agent"
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10
    execute_tool weather | internal
        claude.tool.kind = "client"
        gen_ai.operation.name = "execute_tool"
        gen_ai.tool.call.id = "toolu_sim_0001"
        gen_ai.tool.name = "weather"
        gen_ai.tool.type = "function"
    execute_tool weather | internal
        claude.tool.kind = "client"
        gen_ai.operation.name = "execute_tool"
        gen_ai.tool.call.id = "toolu_sim_0002"
        gen_ai.tool.name = "weather"
        gen_ai.tool.type = "function"
    execute_tool tides | internal | error: ToolFailed
        claude.tool.kind = "client"
        error.type = "ToolFailed"
        gen_ai.operation.name = "execute_tool"
        gen_ai.tool.call.id = "toolu_sim_0003"
        gen_ai.tool.name = "tides"
        gen_ai.tool.type = "function"
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10\
""")


async def test_an_agent_in_a_tool(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(ToolUse("expert", {"city": "Paris"})), wants(weather("Paris")), says(), says())

    async def ask_expert() -> str:
        await until_done(client, tool_of(client, "weather", warm))
        return "warm"

    def expert(city: str) -> Any:
        return ask_expert() if is_async(client) else done(ask_expert())

    await until_done(client, tool_of(client, "expert", expert))

    assert tree(telemetry) == snapshot("""\
invoke_agent | internal
    claude.agent.cost_usd = 0.0012
    claude.agent.input_tokens = 400
    claude.agent.iterations = 4
    claude.agent.outcome = "completed"
    claude.agent.output_tokens = 40
    claude.agent.tool_calls = 2
    gen_ai.operation.name = "invoke_agent"
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10
    execute_tool expert | internal
        claude.tool.kind = "client"
        gen_ai.operation.name = "execute_tool"
        gen_ai.tool.call.id = "toolu_sim_0001"
        gen_ai.tool.name = "expert"
        gen_ai.tool.type = "function"
        invoke_agent | internal
            claude.agent.cost_usd = 0.0006
            claude.agent.input_tokens = 200
            claude.agent.iterations = 2
            claude.agent.outcome = "completed"
            claude.agent.output_tokens = 20
            claude.agent.tool_calls = 1
            gen_ai.operation.name = "invoke_agent"
            chat claude-sonnet-5-5 | client
                claude.cost.usd = 0.0003
                gen_ai.operation.name = "chat"
                gen_ai.usage.input_tokens = 100
                gen_ai.usage.output_tokens = 10
            execute_tool weather | internal
                claude.tool.kind = "client"
                gen_ai.operation.name = "execute_tool"
                gen_ai.tool.call.id = "toolu_sim_0002"
                gen_ai.tool.name = "weather"
                gen_ai.tool.type = "function"
            chat claude-sonnet-5-5 | client
                claude.cost.usd = 0.0003
                gen_ai.operation.name = "chat"
                gen_ai.usage.input_tokens = 100
                gen_ai.usage.output_tokens = 10
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10\
""")


async def test_the_sums_are_those_of_the_calls(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), wants(weather("Rome")), says())
    await until_done(client, tool_of(client, "weather", warm))

    run = told(telemetry.span("invoke_agent"))
    assert run["claude.agent.iterations"] == 3
    assert run["claude.agent.tool_calls"] == 2
    assert run["claude.agent.input_tokens"] == 3 * 100
    assert run["claude.agent.output_tokens"] == 3 * 10
    assert run["claude.agent.cost_usd"] == pytest.approx(3 * PRICE, abs=1e-12)
    assert telemetry.total("claude.cost") == pytest.approx(3 * PRICE, abs=1e-12)


async def test_a_failing_call_fails_the_run(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), Overloaded())
    with pytest.raises(anthropic.APIStatusError):
        await until_done(client, tool_of(client, "weather", warm))

    run = telemetry.span("invoke_agent")
    assert run.status.status_code is StatusCode.ERROR
    assert told(run)["error.type"] == "overloaded_error"
    assert told(run)["claude.agent.outcome"] == "failed"
    assert told(run)["claude.agent.iterations"] == 2
    # What the API has refused costs nothing.
    assert told(run)["claude.agent.cost_usd"] == pytest.approx(PRICE, abs=1e-12)
    assert telemetry.count("gen_ai.invoke_agent.duration", {"error.type": "overloaded_error"}) == 1


async def test_a_call_whose_answer_was_lost_makes_the_sums_unknown(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Cut(after_events=0))
    with pytest.raises(anthropic.APIConnectionError):
        await until_done(client, tool_of(client, "weather", warm))

    run = told(telemetry.span("invoke_agent"))
    assert run["claude.agent.iterations"] == 1
    assert {"claude.agent.input_tokens", "claude.agent.output_tokens", "claude.agent.cost_usd"} & set(run) == set()


async def test_a_model_without_a_price_makes_the_cost_unknown(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(says())
    ask = {**ASK, "model": "claude-unheard-of"}
    await settled(client.beta.messages.tool_runner(**ask, tools=[tool_of(client, "weather", warm)]).until_done())

    run = told(telemetry.span("invoke_agent"))
    assert run["claude.agent.input_tokens"] == 100
    assert "claude.agent.cost_usd" not in run


async def test_a_tool_that_is_not_there(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(ToolUse("tarot", {}, id="toolu_1"), weather("Paris")), says())
    if SDK_VERSION < (0, 84):
        await until_done(client, tool_of(client, "weather", warm))
    else:
        with pytest.warns(UserWarning, match="'tarot' not found"):
            await until_done(client, tool_of(client, "weather", warm))

    missing = telemetry.span("execute_tool tarot")
    assert missing.status.status_code is StatusCode.ERROR
    assert told(missing)["error.type"] == "not_executed"
    assert told(missing)["gen_ai.tool.call.id"] == "toolu_1"
    assert parent_of(telemetry, missing) == "invoke_agent"
    assert told(telemetry.span("invoke_agent"))["claude.agent.tool_calls"] == 1
    # A model may make up any name.
    assert telemetry.count("gen_ai.execute_tool.duration") == 1


async def test_spans_and_calls_inside_a_tool_are_below_it(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), says("21 degrees"), says())
    tracer = telemetry.tracer_provider.get_tracer("app")

    async def measure() -> str:
        with tracer.start_as_current_span("measure"):
            await settled(client.messages.create(**ASK))
        return "warm"

    def measured(city: str) -> Any:
        return measure() if is_async(client) else done(measure())

    await until_done(client, tool_of(client, "weather", measured))

    inner = named(telemetry, "chat claude-sonnet-5-5")[1]
    assert parent_of(telemetry, inner) == "measure"
    assert parent_of(telemetry, telemetry.span("measure")) == "execute_tool weather"
    assert told(telemetry.span("invoke_agent"))["claude.agent.iterations"] == 3


@pytest.mark.parametrize("streams", [False, True])
async def test_the_application_keeps_its_context_between_steps(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, *, streams: bool
):
    claude.will(wants(weather("Paris")), says())
    tracer = telemetry.tracer_provider.get_tracer("app")
    options = {"stream": True} if streams else {}
    with tracer.start_as_current_span("request"):
        before = context.get_current()
        async for item in each(runner_of(client, tool_of(client, "weather", warm), **options)):
            assert context.get_current() is before
            if streams:
                async for _ in each(item):
                    assert context.get_current() is before
            tracer.start_span("work").end()

    assert {parent_of(telemetry, span) for span in named(telemetry, "work")} == {"request"}
    assert parent_of(telemetry, telemetry.span("invoke_agent")) == "request"


async def test_a_runner_that_nobody_asks_for_anything_is_no_run(client: Any, telemetry: Telemetry):
    runner = runner_of(client, tool_of(client, "weather", warm))
    del runner

    assert telemetry.spans == []


async def test_the_application_may_have_the_tools_executed_itself(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(wants(weather("Paris")), says())
    runner = runner_of(client, tool_of(client, "weather", warm))
    async for _ in each(runner):
        await settled(runner.generate_tool_call_response())

    assert [parent_of(telemetry, span) for span in named(telemetry, "execute_tool weather")] == ["invoke_agent"]


async def test_a_run_ends_at_its_last_iteration(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), wants(weather("Paris")))
    await until_done(client, tool_of(client, "weather", warm), max_iterations=2)

    assert told(telemetry.span("invoke_agent"))["claude.agent.outcome"] == "completed"


@can_be_closed
async def test_a_runner_that_is_closed_is_abandoned(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")))
    runner = runner_of(client, tool_of(client, "weather", warm))
    async for _ in each(runner):
        await settled(runner.close())

    run = telemetry.span("invoke_agent")
    assert told(run)["claude.agent.outcome"] == "abandoned"
    assert run.status.status_code is StatusCode.UNSET


@can_be_closed
async def test_a_runner_that_a_tool_closes_is_abandoned(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")))
    runners: list[Any] = []

    def stop(city: str) -> Any:
        closing = runners[0].close()
        return "closed" if closing is None else closed(closing)

    async def closed(closing: Any) -> str:
        await closing
        return "closed"

    runners.append(runner_of(client, tool_of(client, "weather", stop)))
    assert [item.stop_reason async for item in each(runners[0])] == ["tool_use"]
    assert told(telemetry.span("invoke_agent"))["claude.agent.outcome"] == "abandoned"


async def test_an_exception_of_the_application_leaves_the_run(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(wants(weather("Paris")))

    async def use() -> None:
        async for _ in each(runner_of(client, tool_of(client, "weather", warm))):
            raise LookupError

    with suppress(LookupError):
        await use()
    await in_time(lambda: named(telemetry, "invoke_agent"))

    run = telemetry.span("invoke_agent")
    assert told(run)["claude.agent.outcome"] == "abandoned"
    assert "error.type" not in told(run)


async def test_a_tool_that_is_cancelled_is_no_failure(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")))

    def interrupt(city: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await until_done(client, tool_of(client, "weather", interrupt))

    assert told(telemetry.span("invoke_agent"))["claude.agent.outcome"] == "cancelled"
    assert telemetry.span("invoke_agent").status.status_code is StatusCode.UNSET
    assert telemetry.span("execute_tool weather").status.status_code is StatusCode.UNSET


@only_async
async def test_a_task_that_is_cancelled_cancels_the_run(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")))
    asked = asyncio.Event()

    async def wait(city: str) -> str:
        asked.set()
        await asyncio.Event().wait()
        return city

    task = asyncio.create_task(until_done(client, tool_of(client, "weather", wait)))
    await asked.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert told(telemetry.span("invoke_agent"))["claude.agent.outcome"] == "cancelled"
    assert told(telemetry.span("execute_tool weather"))["gen_ai.tool.name"] == "weather"


@only_async
async def test_a_loop_that_ends_abandons_its_runs(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), says())
    other = client.copy(http_client=anthropic.DefaultAsyncHttpxClient(verify=False))
    kept: list[Any] = []

    async def use() -> None:
        # The SDK's own generators wait for each other, of which the loop complains when it ends.
        asyncio.get_running_loop().set_exception_handler(lambda loop, complaint: None)
        kept.append(aiter(runner_of(other, tool_of(other, "weather", warm))))
        await anext(kept[0])
        await other.close()

    await asyncio.to_thread(asyncio.run, use())

    assert told(telemetry.span("invoke_agent"))["claude.agent.outcome"] == "abandoned"


async def test_a_repeated_execution_is_told(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(*(wants(weather("Paris")) for _ in range(3)), wants(weather("Rome")), says())
    await until_done(client, tool_of(client, "weather", warm))

    repeats = [told(span).get("claude.tool.repeats") for span in named(telemetry, "execute_tool weather")]
    assert repeats == [None, 2, 3, None]
    (event,) = [event for event in telemetry.events if event.name == "claude.agent.loop"]
    assert event.attributes == {"gen_ai.tool.name": "weather", "claude.tool.repeats": 3}
    third = named(telemetry, "execute_tool weather")[2]
    assert third.context is not None
    assert event.span_id == third.context.span_id


async def test_metrics_of_a_run(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris"), BROKEN), says())
    await until_done(client, tool_of(client, "weather", warm), tool_of(client, "tides", failing))

    table = telemetry.metrics_table()
    assert table[table.index("gen_ai.execute_tool") :] == snapshot("""\
gen_ai.execute_tool.duration | histogram | s
    1 x, sum …: error.type="ToolFailed" gen_ai.tool.name="tides" gen_ai.tool.type="function"
    1 x, sum …: gen_ai.tool.name="weather" gen_ai.tool.type="function"
gen_ai.invoke_agent.duration | histogram | s
    1 x, sum …: gen_ai.request.model="claude-sonnet-5-5"
gen_ai.invoke_agent.inference_calls | histogram | {inference_call}
    1 x, sum 2:
gen_ai.invoke_agent.tool_calls | histogram | {tool_call}
    1 x, sum 2:\
""")


async def test_a_tool_error_is_an_error(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    tools = pytest.importorskip("anthropic.lib.tools")
    if not hasattr(tools, "ToolError"):
        pytest.skip("the SDK has no ToolError")
    claude.will(wants(weather("Paris")), says())

    def refuse(city: str) -> str:
        raise tools.ToolError("no such city")

    await until_done(client, tool_of(client, "weather", refuse))

    span = telemetry.span("execute_tool weather")
    assert told(span)["error.type"] == "ToolError"
    assert span.status.description == "ToolError"


async def test_a_tool_of_an_mcp_server_has_its_kind(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), says())
    tool = tool_of(client, "weather", warm)
    # As `anthropic.lib.tools.mcp` does, from 0.84 on.
    tool._stainless_helper = "mcp_tool"
    await until_done(client, tool)

    assert told(telemetry.span("execute_tool weather"))["claude.tool.kind"] == "mcp"


async def test_a_tool_of_a_class_of_the_applications_own(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    tools = pytest.importorskip("anthropic.lib.tools")
    name = "BetaAsyncBuiltinFunctionTool" if is_async(client) else "BetaBuiltinFunctionTool"
    base = getattr(tools, name, None)
    if base is None:
        pytest.skip("the SDK has no such class")

    class Weather(base):
        def to_dict(self) -> dict[str, Any]:
            return {"type": "custom", "name": "weather", "input_schema": {"type": "object"}}

        def call(self, input: Any) -> Any:  # noqa: A002  # the SDK's name
            return f"{input['city']} is warm."

    class AsyncWeather(Weather):
        async def call(self, input: Any) -> Any:  # noqa: A002  # the SDK's name
            return super().call(input)

    claude.will(wants(weather("Paris")), says())
    await until_done(client, AsyncWeather() if is_async(client) else Weather())

    assert told(telemetry.span("execute_tool weather"))["gen_ai.tool.call.id"] == "toolu_sim_0001"
    assert claude.requests[1].json["messages"][-1]["content"][0]["content"] == "Paris is warm."


async def test_a_function_under_both_decorators_is_executed_once(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(wants(weather("Paris")), says())

    @otel_claude.tool
    def weather_of(city: str) -> str:
        return warm(city)

    @otel_claude.tool
    async def slow_weather_of(city: str) -> str:
        return warm(city)

    tool = runnable(client, slow_weather_of if is_async(client) else weather_of, name="weather")
    await until_done(client, tool)

    assert len(named(telemetry, "execute_tool weather")) == 1
    assert len(telemetry.spans) == 4
    assert claude.requests[1].json["messages"][-1]["content"][0]["content"] == "Paris is warm."


async def test_the_conversation_is_on_all_spans(make: Make, claude: SimulatedClaude, telemetry: Telemetry):
    try:
        client = make(api_key=API_KEY, open_telemetry={"conversation_id": "conv-1"})
    except TypeError:
        pytest.skip("clients know no conversation")
    claude.will(wants(weather("Paris")), says())
    await until_done(client, tool_of(client, "weather", warm))

    assert {told(span).get("gen_ai.conversation.id") for span in telemetry.spans} == {"conv-1"}


async def test_suppressed_runs_are_silent(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), says())
    with suppress_instrumentation():
        await until_done(client, tool_of(client, "weather", warm))

    assert telemetry.spans == []
    assert telemetry.count("gen_ai.invoke_agent.duration") == 0


async def test_a_runner_made_before_switching_off_goes_by(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), says())
    runner = runner_of(client, tool_of(client, "weather", warm))
    AnthropicInstrumentor().uninstrument()
    await settled(runner.until_done())

    assert telemetry.spans == []


async def test_content_is_recorded_where_it_is_asked_for(client: Any, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(content="SPAN_ONLY")
    claude.will(wants(weather("Paris"), BROKEN), says())
    await until_done(client, tool_of(client, "weather", warm), tool_of(client, "tides", failing))

    span = told(telemetry.span("execute_tool weather"))
    assert span["gen_ai.tool.call.arguments"] == '{"city":"Paris"}'
    assert span["gen_ai.tool.call.result"] == '"Paris is warm."'
    assert span["gen_ai.tool.description"] == "About a city."
    assert "gen_ai.tool.call.result" not in told(telemetry.span("execute_tool tides"))


async def test_no_content_is_recorded_elsewhere(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(*(wants(weather("Secretville"), ToolUse("tides", {"city": "Secretville"})) for _ in range(3)), says())
    await until_done(client, tool_of(client, "weather", warm), tool_of(client, "tides", failing))

    assert "Secretville" not in telemetry.tree()
    assert "About a city" not in telemetry.tree()


async def test_content_is_redacted_and_bounded(client: Any, claude: SimulatedClaude, instrument: Instrument):
    def redact(kind: str, part: Any) -> Any:
        return {**part, "arguments": "***"} if part["type"] == "tool_call" else part

    def at_length(city: str) -> str:
        return "warm " * 1_000

    telemetry = instrument(content="SPAN_ONLY", redact=redact, content_max_bytes=400)
    claude.will(wants(weather("Paris")), says())
    await until_done(client, tool_of(client, "weather", at_length))

    span = told(telemetry.span("execute_tool weather"))
    assert span["gen_ai.tool.call.arguments"] == '"***"'
    assert "characters left out" in span["gen_ai.tool.call.result"]
    assert len(span["gen_ai.tool.call.result"]) <= 400
    assert span["anthropic.content.truncated"] is True


async def test_a_tool_that_fails_says_only_its_class(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(BROKEN), says())
    await until_done(client, tool_of(client, "tides", failing))

    span = telemetry.span("execute_tool tides")
    assert span.status.description == ToolFailed.__name__
    assert span.events == ()
    assert telemetry.span("invoke_agent").status.status_code is StatusCode.UNSET


async def test_a_runner_of_another_kind_has_one_warning(
    client: Any, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setitem(sys.modules, tool_runner.MODULE, ModuleType(tool_runner.MODULE))
    AnthropicInstrumentor().uninstrument()
    AnthropicInstrumentor().instrument(tracer_provider=telemetry.tracer_provider)

    (record,) = caplog.get_records("call")
    assert record.getMessage().endswith("has no __run__ in its tool runner; runs are missing")
    caplog.clear()


async def test_attributes_of_a_tool_are_on_its_span_alone(make: Make, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(native_spans="enrich")
    options: dict[str, Any] = {"open_telemetry": False} if SDK_MAKES_SPANS else {}
    client = make(api_key=API_KEY, **options)
    claude.will(wants(weather("Paris")), says())
    await until_done(client, tool_of(client, "weather", warm))

    run = told(telemetry.span("invoke_agent"))
    assert run["gen_ai.operation.name"] == "invoke_agent"
    assert [name for name in run if name.startswith(("gen_ai.tool.", "claude.tool."))] == []
