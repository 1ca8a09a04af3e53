"""The spans that the SDK itself makes of a tool runner, from 1.14 on, beside ours: by the setting `native_spans`."""

from typing import Any

import pytest
from inline_snapshot import snapshot
from rig import (
    ASK,
    PRICE,
    SDK_MAKES_SPANS,
    SDK_VERSION,
    done,
    each,
    failing,
    in_time,
    named,
    parent_of,
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
from otel_claude.testing import Overloaded, SimulatedClaude, Telemetry, ToolUse

pytestmark = pytest.mark.skipif(not SDK_MAKES_SPANS, reason="the SDK makes no spans")

MODES = ("replace", "enrich", "keep")
RUN = {"replace": "invoke_agent", "enrich": "anthropic.messages.tool_runner", "keep": "anthropic.messages.tool_runner"}
TOOL = {"replace": "execute_tool weather", **dict.fromkeys(("enrich", "keep"), "anthropic.custom_tool_use weather")}
CALL = {"replace": "chat claude-sonnet-5-5", **dict.fromkeys(("enrich", "keep"), "anthropic.messages.create")}
EAGER = {"stream": True, "run_tools_eagerly": True}


def both(make: Make, telemetry: Telemetry) -> Any:
    """A client whose own spans go where ours go."""
    return make(api_key=API_KEY, open_telemetry={"tracer_provider": telemetry.tracer_provider})


async def run(client: Any, **options: Any) -> None:
    tools = [tool_of(client, "weather", warm), tool_of(client, "tides", failing)]
    async for item in each(client.beta.messages.tool_runner(**ASK, tools=tools, **options)):
        if options:
            async for _ in each(item):
                pass


@pytest.mark.parametrize("options", [{}, {"stream": True}, EAGER], ids=["whole", "streamed", "eager"])
@pytest.mark.parametrize("mode", MODES)
async def test_each_thing_has_one_span(
    make: Make, claude: SimulatedClaude, instrument: Instrument, mode: str, options: dict[str, Any]
):
    telemetry = instrument(native_spans=mode)
    claude.will(wants(weather("Paris")), says())
    await run(both(make, telemetry), **options)

    in_order = sorted(telemetry.spans, key=lambda span: span.context.span_id if span.context else 0)
    names = [span.name for span in in_order]
    assert names == [RUN[mode], CALL[mode], TOOL[mode], CALL[mode]]
    assert [parent_of(telemetry, span) for span in in_order] == [None, RUN[mode], RUN[mode], RUN[mode]]


@pytest.mark.parametrize("mode", MODES)
async def test_the_metrics_are_the_same(make: Make, claude: SimulatedClaude, instrument: Instrument, mode: str):
    telemetry = instrument(native_spans=mode)
    claude.will(wants(weather("Paris"), ToolUse("tides", {"city": "Paris"})), says())
    await run(both(make, telemetry))

    assert telemetry.count("gen_ai.invoke_agent.duration") == 1
    assert telemetry.total("gen_ai.invoke_agent.inference_calls") == 2
    assert telemetry.total("gen_ai.invoke_agent.tool_calls") == 2
    assert telemetry.count("gen_ai.execute_tool.duration") == 2
    assert telemetry.count("gen_ai.execute_tool.duration", {"error.type": "ToolFailed"}) == 1


async def test_the_sdks_spans_get_our_attributes(make: Make, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(native_spans="enrich")
    claude.will(wants(weather("Paris"), weather("Paris")), says())
    await run(both(make, telemetry))

    of_run = told(telemetry.span("anthropic.messages.tool_runner"))
    assert of_run["claude.agent.iterations"] == 2
    assert of_run["claude.agent.tool_calls"] == 2
    assert of_run["claude.agent.outcome"] == "completed"
    assert of_run["claude.agent.cost_usd"] == pytest.approx(2 * PRICE, abs=1e-12)
    first, second = named(telemetry, "anthropic.custom_tool_use weather")
    assert told(first)["claude.tool.kind"] == "client"
    assert "claude.tool.repeats" not in told(first)
    assert told(second)["claude.tool.repeats"] == 2


@pytest.mark.parametrize("mode", ["replace", "enrich"])
async def test_how_the_sdks_run_ended(make: Make, claude: SimulatedClaude, instrument: Instrument, mode: str):
    telemetry = instrument(native_spans=mode)
    client = both(make, telemetry)
    claude.will(Overloaded(), wants(weather("Paris")), says())
    try:
        await run(client)
    except Exception as error:
        # Inside its handler, the next run ends well.
        assert type(error).__name__ == "OverloadedError" or SDK_VERSION < (2, 5)  # noqa: PT017  # the test goes on
        await run(client)

    outcomes = [told(span)["claude.agent.outcome"] for span in named(telemetry, RUN[mode])]
    assert outcomes == ["failed", "completed"]


async def test_an_sdks_run_that_is_left(make: Make, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(native_spans="enrich")
    client = both(make, telemetry)
    claude.will(wants(weather("Paris")))

    async def first() -> None:
        async for _ in each(client.beta.messages.tool_runner(**ASK, tools=[tool_of(client, "weather", warm)])):
            break

    await first()
    await in_time(lambda: named(telemetry, RUN["enrich"]))

    assert told(telemetry.span(RUN["enrich"]))["claude.agent.outcome"] == "abandoned"


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_without_spans_of_its_own_has_ours(
    make: Make, claude: SimulatedClaude, instrument: Instrument, mode: str
):
    telemetry = instrument(native_spans=mode)
    claude.will(wants(weather("Paris")), says())
    await run(make(api_key=API_KEY, open_telemetry=False))

    assert tree(telemetry).count("invoke_agent | internal") == 1
    assert len(named(telemetry, "execute_tool weather")) == 1
    assert len(telemetry.spans) == 4


async def test_spans_of_the_sdk_in_a_tool_go_their_way(make: Make, claude: SimulatedClaude, instrument: Instrument):
    """Such as those of a session's tools, which have none of ours."""
    telemetry = instrument()
    client = both(make, telemetry)
    claude.will(wants(weather("Paris")), says())

    def work(city: str) -> str:
        client._tracer.start_span("anthropic.environment.work").end()
        return city

    runner = client.beta.messages.tool_runner(**ASK, tools=[tool_of(client, "weather", work)])
    await settled(runner.until_done())

    assert parent_of(telemetry, telemetry.span("anthropic.environment.work")) == "execute_tool weather"


async def test_spans_of_the_sdk_in_a_hand_written_run_go_their_way(
    make: Make, claude: SimulatedClaude, instrument: Instrument
):
    telemetry = instrument()
    client = both(make, telemetry)
    with otel_claude.agent("traveller"):
        client._tracer.start_span("anthropic.environment.work").end()

    assert parent_of(telemetry, telemetry.span("anthropic.environment.work")) == "invoke_agent traveller"


async def test_a_run_inside_the_sdks_own(make: Make, claude: SimulatedClaude, instrument: Instrument):
    telemetry = instrument(native_spans="enrich")
    client = both(make, telemetry)
    claude.will(wants(ToolUse("expert", {"city": "Paris"})), says(), says())

    async def ask() -> str:
        await run(client)
        return "warm"

    def expert(city: str) -> Any:
        return ask() if "Async" in type(client).__name__ else done(ask())

    runner = client.beta.messages.tool_runner(**ASK, tools=[tool_of(client, "expert", expert)])
    await settled(runner.until_done())

    assert tree(telemetry) == snapshot("""\
anthropic.messages.tool_runner | internal | ok
    claude.agent.cost_usd = 0.0009
    claude.agent.input_tokens = 300
    claude.agent.iterations = 3
    claude.agent.outcome = "completed"
    claude.agent.output_tokens = 30
    claude.agent.tool_calls = 1
    gen_ai.operation.name = "invoke_agent"
    anthropic.messages.create | client | ok
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10
    anthropic.custom_tool_use expert | internal | ok
        claude.tool.kind = "client"
        gen_ai.operation.name = "execute_tool"
        gen_ai.tool.call.id = "toolu_sim_0001"
        gen_ai.tool.description = "About a city."
        gen_ai.tool.name = "expert"
        gen_ai.tool.type = "function"
        anthropic.messages.tool_runner | internal | ok
            claude.agent.cost_usd = 0.0003
            claude.agent.input_tokens = 100
            claude.agent.iterations = 1
            claude.agent.outcome = "completed"
            claude.agent.output_tokens = 10
            claude.agent.tool_calls = 0
            gen_ai.operation.name = "invoke_agent"
            anthropic.messages.create | client | ok
                claude.cost.usd = 0.0003
                gen_ai.operation.name = "chat"
                gen_ai.usage.input_tokens = 100
                gen_ai.usage.output_tokens = 10
    anthropic.messages.create | client | ok
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10\
""")
