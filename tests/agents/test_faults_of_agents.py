"""Each function that is about agents raises in turn, and the application sees exactly what it sees without us.

What the functions in `OUTSIDE` are for is to call the SDK or the application, or to be called by it.
"""

import asyncio
import contextvars
import gc
from collections.abc import AsyncIterator, Generator, Iterator
from functools import partial
from typing import Any

import anthropic
import pytest
from rig import (
    ASK,
    SDK_VERSION,
    ToolFailed,
    done,
    each,
    is_async,
    needs_runner,
    runnable,
    says,
    settled,
    wants,
    weather,
)
from toolsets import HAS_TOOLSETS, browser, use
from toolsets import wants as wants_members

import otel_claude
from functions import FUNCTIONS, failing
from otel_claude import AnthropicInstrumentor, Settings
from otel_claude.failsafe import failures
from otel_claude.testing import BadRequest, SimulatedClaude, Telemetry

pytestmark = needs_runner

ABOUT_AGENTS = (
    "agents.",
    "anthropic.tool_runner:",
    "anthropic.tool_uses:",
    "anthropic.native_spans:",
    "emitting.agents:",
)

OUTSIDE = {
    "agents.agent:Agent.__aenter__": "called by the application",
    "agents.agent:Agent.__aexit__": "called by the application",
    "agents.agent:Agent.__call__": "called by the application",
    "agents.agent:Agent.__enter__": "called by the application",
    "agents.agent:Agent.__exit__": "called by the application",
    "agents.agent:Agent.__init__": "called by the application",
    "agents.agent:agent": "called by the application",
    "agents.functions:BoundDecorated.__copy__": "called by the application",
    "agents.functions:BoundDecorated.__deepcopy__": "called by the application",
    "agents.functions:BoundDecorated.__func__": "called by the application",
    "agents.functions:BoundDecorated.__init__": "called by the application",
    "agents.functions:BoundDecorated.__reduce_ex__": "called by the application",
    "agents.functions:Decorated.__copy__": "called by the application",
    "agents.functions:Decorated.__deepcopy__": "called by the application",
    "agents.functions:Decorated.__reduce_ex__": "called by the application",
    "agents.functions:Decorated.__repr__": "called by the application",
    "agents.adapters:Unawaited.__await__": "awaits the application's coroutine",
    "agents.adapters:Unawaited.__init__": "hands the application's coroutine on",
    "agents.functions:Decorated.parts_of_method": "called by weakref",
    "agents.functions:_attribute": "called by pickle",
    "agents.functions:in_scope": "called by the application",
    "agents.functions:name_of": "called by the application",
    "agents.adapters:_begin": "begins the application's generator",
    "agents.adapters:async_stepped": "hands the application's items on",
    "agents.adapters:awaited": "calls the application",
    "agents.adapters:called": "calls the application",
    "agents.adapters:_Exchange.__init__": "hands the application's items on",
    "agents.adapters:_Exchange.resume": "hands the application's items on",
    "agents.adapters:_Exchange.sent": "hands the application's items on",
    "agents.adapters:_Exchange.thrown": "hands the application's items on",
    "agents.adapters:adapted": "hands the application's coroutine on",
    "agents.adapters:pending": "hands the application's coroutine on",
    "agents.adapters:stepped": "hands the application's items on",
    "agents.adapters:steps_of": "hands the application's items on",
    "agents.tool:ToolCall.__aenter__": "called by the application",
    "agents.tool:ToolCall.__aexit__": "called by the application",
    "agents.tool:ToolCall.__enter__": "called by the application",
    "agents.tool:ToolCall.__init__": "called by the application",
    "agents.tool:_tool": "called by the application",
    "agents.tool:tool": "called by the application",
    "agents.tool:tool_call": "called by the application",
    "anthropic.native_spans:EndingSpan.end": "ends the SDK's span",
    "anthropic.native_spans:RunStandIn.start_span": "starts the SDK's span",
    "anthropic.native_spans:StandIn.start_span": "starts the SDK's span",
    "anthropic.tool_runner:AsyncWatchedTool.call": "calls the tool",
    "anthropic.tool_runner:RunnerView._tools_by_name": "gives the SDK its tools",
    "anthropic.tool_runner:ToolRunners._async_respond": "calls the SDK",
    "anthropic.tool_runner:ToolRunners._async_run_member": "calls the SDK",
    "anthropic.tool_runner:ToolRunners._close": "calls the SDK",
    "anthropic.tool_runner:ToolRunners._read": "calls the SDK",
    "anthropic.tool_runner:ToolRunners._refuse_member": "calls the SDK",
    "anthropic.tool_runner:ToolRunners._respond": "calls the SDK",
    "anthropic.tool_runner:ToolRunners._run": "calls the SDK",
    "anthropic.tool_runner:ToolRunners._run_member": "calls the SDK",
    "anthropic.tool_runner:ToolRunners._run_tool": "calls the SDK",
    "anthropic.tool_runner:WatchedTool.call": "calls the tool",
}
NAMES = [name for name in FUNCTIONS if name.startswith(ABOUT_AGENTS) and name not in OUTSIDE]

SETTINGS = {
    "all": Settings(content="SPAN_AND_EVENT", redact=lambda kind, part: part, baggage=("tenant",)),
    "enrich": Settings(native_spans="enrich"),
    "keep": Settings(native_spans="keep"),
}

Seen = list[Any]


def seen_of(message: Any) -> Any:
    return type(message), message.to_dict()


@otel_claude.tool(name="weather")
def warmth(city: str) -> str:
    """How warm it is."""
    if city == "Atlantis":
        raise ToolFailed(city)
    return f"{city} is warm."


@otel_claude.tool
async def slow_warmth(city: str) -> str:
    return warmth(city)


@otel_claude.tool
def cities() -> Generator[str]:
    yield from ("Paris", "Rome")


@otel_claude.agent("talker")
async def talk() -> AsyncIterator[str]:
    yield "one"
    yield "two"


def by_hand() -> Seen:
    """What an application with decorators sees of its own functions."""
    seen: Seen = []
    with otel_claude.agent("traveller"):
        seen += [warmth("Paris") for _ in range(4)]
        seen += list(cities())
        for block in ({"type": "tool_use", "id": "1", "name": "weather", "input": {"city": "Rome"}}, None):
            with otel_claude.tool_call(block) as call:
                seen.append(warmth("Rome"))
                call.failed(ToolFailed("no"))
        try:
            warmth("Atlantis")
        except ToolFailed as error:
            seen.append((error.args, error.__cause__, error.__context__))
    left = cities()
    seen.append(next(left))
    left.close()
    return seen


async def with_the_runner(client: Any, claude: SimulatedClaude) -> Seen:
    """What an application sees of the SDK's tool runner."""
    seen: Seen = []
    tool = runnable(client, slow_warmth if is_async(client) else warmth, name="weather")

    def runner(**options: Any) -> Any:
        return client.beta.messages.tool_runner(**ASK, tools=[tool], **options)

    claude.will(wants(weather("Paris"), weather("Atlantis")), says())
    seen += [seen_of(message) async for message in each(runner())]
    seen.append([request.json["messages"] for request in claude.requests])

    eager = {"run_tools_eagerly": True} if SDK_VERSION >= (1, 12) else {}
    claude.will(wants(weather("Paris"), weather("Rome")), says())
    async for stream in each(runner(stream=True, **eager)):
        seen.append([event.type async for event in each(stream)])

    claude.will(wants(weather("Paris")))
    left = runner()
    async for _ in each(left):
        seen.append(await settled(left.generate_tool_call_response()))
        break
    if SDK_VERSION >= (1, 14):
        await settled(left.close())
        seen.append([item async for item in each(left)])
    del left

    if HAS_TOOLSETS:
        claude.will(wants_members(use(1, "click"), use(2, "crash"), use(3, "scroll")), says())
        members = client.beta.messages.tool_runner(**ASK, tools=[browser(client)])
        seen += [seen_of(message) async for message in each(members)]
        seen.append(claude.requests[-1].json["messages"])

    claude.will(BadRequest("no"))
    try:
        await settled(runner().until_done())
    except anthropic.BadRequestError as error:
        seen.append((type(error), str(error)))
    return seen


def all_of_it() -> Seen:
    """All that an application sees, from a simulated API that has just been started."""
    seen = by_hand()

    async def main() -> None:
        with SimulatedClaude() as claude:
            http = anthropic.DefaultAsyncHttpxClient(verify=False)
            async with anthropic.AsyncAnthropic(
                base_url=claude.base_url, api_key="k", max_retries=0, http_client=http
            ) as client:
                seen.extend(await with_the_runner(client, claude))
            seen.append([text async for text in talk()])
            gc.collect()

    with SimulatedClaude() as claude:
        http = anthropic.DefaultHttpxClient(verify=False)
        with anthropic.Anthropic(base_url=claude.base_url, api_key="k", max_retries=0, http_client=http) as client:
            seen.extend(done(with_the_runner(client, claude)))
    gc.collect()
    asyncio.run(main())
    return seen


def instrumented(settings: Settings, use: Any) -> Any:
    telemetry = Telemetry()
    AnthropicInstrumentor().instrument(
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
        logger_provider=telemetry.logger_provider,
        settings=settings,
    )
    try:
        return use()
    finally:
        AnthropicInstrumentor().uninstrument()
        telemetry.shutdown()


@pytest.fixture(scope="module")
def expected() -> Seen:
    """What an application sees without us."""
    return all_of_it()


@pytest.fixture(autouse=True)
def forgotten_failures() -> Iterator[None]:
    failures.counts.clear()
    yield
    failures.counts.clear()


@pytest.mark.parametrize("mode", SETTINGS)
def test_without_a_fault_the_application_sees_the_same(expected: Seen, mode: str):
    assert instrumented(SETTINGS[mode], all_of_it) == expected
    assert failures.counts == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_of_ours_is_not_seen(expected: Seen, name: str):
    mode = "enrich" if "native_spans" in name or "enrich" in name else "all"
    with failing(FUNCTIONS[name]):
        # What is left current after a fault is left in this context.
        seen = contextvars.copy_context().run(partial(instrumented, SETTINGS[mode], all_of_it))

    assert seen == expected


def test_each_function_that_stands_outside_is_there():
    assert [name for name in OUTSIDE if name not in FUNCTIONS] == []
