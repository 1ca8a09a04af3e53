"""Loops that an application writes itself, with `agent`, `tool` and `tool_call`."""

import asyncio
import contextvars
import copy
import functools
import gc
import inspect
import pickle
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from inline_snapshot import snapshot
from opentelemetry import baggage, context
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import StatusCode
from rig import (
    ASK,
    ToolFailed,
    each,
    failing,
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
    weather,
)

import otel_claude
from fixture_types import Instrument, Runner
from otel_claude import AnthropicInstrumentor
from otel_claude.agents.current import current_run
from otel_claude.agents.run import Run
from otel_claude.anthropic.tool_uses import StreamedToolUses
from otel_claude.emitting.agents import run_points
from otel_claude.failsafe import failures
from otel_claude.testing import Answer, ServerToolUse, SimulatedClaude, Telemetry, ToolUse, usage

only_sync = pytest.mark.parametrize("runner", ["sync"], indirect=True)
only_async = pytest.mark.parametrize("runner", ["async"], indirect=True)


def warmth_of(city: str, unit: str) -> str:
    return f"21 {unit} in {city}"


@otel_claude.tool
def warmth(city: str, unit: str = "C") -> str:
    """How warm it is."""
    return warmth_of(city, unit)


@otel_claude.tool(name="tides")
async def read_tides(city: str) -> str:
    """How high the water is."""
    raise ToolFailed(city)


@otel_claude.tool(name="weather")
def read_weather(city: str, unit: str = "C") -> str:
    return warmth_of(city, unit)


TOOLS: dict[str, Callable[..., Any]] = {"weather": read_weather, "tides": read_tides}


async def answered(block: Any) -> dict[str, Any]:
    """The result of a tool, as an application makes it."""
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": block.id}
    try:
        return {**result, "content": await settled(TOOLS[block.name](**block.input))}
    except ToolFailed as error:
        return {**result, "content": repr(error), "is_error": True}


async def loop(client: Any) -> Any:
    """The loop that everybody writes."""
    messages: list[Any] = list(ASK["messages"])
    while True:
        message = await settled(client.messages.create(**{**ASK, "messages": messages}))
        wanted = [block for block in message.content if block.type == "tool_use"]
        if not wanted:
            return message
        results = [await answered(block) for block in wanted]
        messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]


async def test_a_loop_with_two_decorators(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris"), ToolUse("tides", {"city": "Paris"})), says())

    @otel_claude.agent("traveller")
    async def travel() -> None:
        await loop(client)

    await travel()

    assert tree(telemetry) == snapshot("""\
invoke_agent traveller | internal
    claude.agent.cost_usd = 0.0006
    claude.agent.input_tokens = 200
    claude.agent.iterations = 2
    claude.agent.outcome = "completed"
    claude.agent.output_tokens = 20
    claude.agent.tool_calls = 2
    gen_ai.agent.name = "traveller"
    gen_ai.operation.name = "invoke_agent"
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10
    execute_tool weather | internal
        claude.tool.kind = "client"
        gen_ai.agent.name = "traveller"
        gen_ai.operation.name = "execute_tool"
        gen_ai.tool.call.id = "toolu_sim_0001"
        gen_ai.tool.name = "weather"
        gen_ai.tool.type = "function"
    execute_tool tides | internal | error: ToolFailed
        claude.tool.kind = "client"
        error.type = "ToolFailed"
        gen_ai.agent.name = "traveller"
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


async def test_a_loop_with_context_managers(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), says())
    with otel_claude.agent("traveller"):
        message = await settled(client.messages.create(**ASK))
        for block in message.content:
            with otel_claude.tool_call(block):
                warmth(**block.input)
        await settled(client.messages.create(**ASK))

    assert tree(telemetry) == snapshot("""\
invoke_agent traveller | internal
    claude.agent.cost_usd = 0.0006
    claude.agent.input_tokens = 200
    claude.agent.iterations = 2
    claude.agent.outcome = "completed"
    claude.agent.output_tokens = 20
    claude.agent.tool_calls = 1
    gen_ai.agent.name = "traveller"
    gen_ai.operation.name = "invoke_agent"
    chat claude-sonnet-5-5 | client
        claude.cost.usd = 0.0003
        gen_ai.operation.name = "chat"
        gen_ai.usage.input_tokens = 100
        gen_ai.usage.output_tokens = 10
    execute_tool weather | internal
        claude.tool.kind = "client"
        gen_ai.agent.name = "traveller"
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


async def test_async_with_is_the_same(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")))
    async with otel_claude.agent("traveller"):
        message = await settled(client.messages.create(**ASK))
        async with otel_claude.tool_call(message.content[0]):
            pass

    assert told(telemetry.span("invoke_agent traveller"))["claude.agent.iterations"] == 1
    assert told(telemetry.span("execute_tool weather"))["gen_ai.tool.call.id"] == "toolu_sim_0001"


@pytest.mark.parametrize("form", ["create", "events", "helper", "raw", "bytes"])
async def test_the_id_is_found_in_any_form_of_answer(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, form: str
):
    claude.will(wants(weather("Paris"), weather("Rome"), text="Let me see"))
    with otel_claude.agent("traveller"):
        await FORMS[form](client)
        TOOLS["weather"](city="Rome")
        TOOLS["weather"](city="Oslo")
        TOOLS["weather"]("Paris")

    ids = [told(span).get("gen_ai.tool.call.id") for span in named(telemetry, "execute_tool weather")]
    assert ids == ["toolu_sim_0002", None, "toolu_sim_0001"]


async def create(client: Any) -> None:
    await settled(client.messages.create(**ASK))


async def events(client: Any) -> None:
    stream = await settled(client.messages.create(**ASK, stream=True))
    if hasattr(stream, "__aiter__"):
        async for _ in stream:
            pass
    else:
        for _ in stream:
            pass


async def helper(client: Any) -> None:
    if hasattr(manager := client.messages.stream(**ASK), "__aenter__"):
        async with manager as stream:
            await stream.get_final_message()
    else:
        with manager as stream:
            stream.get_final_message()


async def raw(client: Any) -> None:
    await settled((await settled(client.messages.with_raw_response.create(**ASK))).parse())


async def read_bytes(client: Any) -> None:
    if hasattr(manager := client.messages.with_streaming_response.create(**ASK, stream=True), "__aenter__"):
        async with manager as response:
            await response.read()
    else:
        with manager as response:
            response.read()


FORMS = {"create": create, "events": events, "helper": helper, "raw": raw, "bytes": read_bytes}


async def test_equal_requests_have_their_ids_in_their_order(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris"), weather("Paris")), wants(weather("Paris")))
    with otel_claude.agent("traveller"):
        await create(client)
        for _ in range(2):
            TOOLS["weather"]({"city": "Paris"}["city"])
        await create(client)
        TOOLS["weather"](city="Paris")

    ids = [told(span).get("gen_ai.tool.call.id") for span in named(telemetry, "execute_tool weather")]
    assert ids == ["toolu_sim_0001", "toolu_sim_0002", "toolu_sim_0003"]


async def test_tries_of_what_was_asked_for_once_are_no_loop(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(wants(weather("Paris")), wants(weather("Paris")))
    with otel_claude.agent("traveller"):
        for _ in range(2):
            await create(client)
            for _ in range(3):
                TOOLS["weather"](city="Paris")

    tries = [told(span) for span in named(telemetry, "execute_tool weather")]
    ids = [attributes["gen_ai.tool.call.id"] for attributes in tries]
    assert ids == 3 * ["toolu_sim_0001"] + 3 * ["toolu_sim_0002"]
    assert [attributes.get("claude.tool.repeats") for attributes in tries] == 3 * [None] + 3 * [2]
    assert told(telemetry.span("invoke_agent traveller"))["claude.agent.tool_calls"] == 2
    assert telemetry.total("gen_ai.invoke_agent.tool_calls") == 2
    assert telemetry.count("gen_ai.execute_tool.duration") == 6
    assert telemetry.events == []


async def test_a_loop_is_what_the_model_asks_for(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(*3 * [wants(weather("Paris"))])
    with otel_claude.agent("traveller"):
        for _ in range(3):
            await create(client)
            for _ in range(2):
                TOOLS["weather"](city="Paris")

    assert [event.attributes["claude.tool.repeats"] for event in telemetry.events] == [3]


async def test_what_was_asked_for_before_is_not_waited_for_when_it_is_asked_again(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(wants(weather("Paris")), wants(weather("Paris")))
    with otel_claude.agent("traveller"):
        await create(client)
        await create(client)
        TOOLS["weather"](city="Paris")

    assert told(telemetry.span("execute_tool weather"))["gen_ai.tool.call.id"] == "toolu_sim_0002"


@only_sync
async def test_a_function_that_takes_the_input_as_it_is(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    @otel_claude.tool(name="weather")
    def of(input: dict[str, Any]) -> str:  # noqa: A002  # what it is
        return input["city"]

    claude.will(wants(weather("Paris")))
    with otel_claude.agent("traveller"):
        await create(client)
        of({"city": "Paris"})

    assert told(telemetry.span("execute_tool weather"))["gen_ai.tool.call.id"] == "toolu_sim_0001"


@only_sync
async def test_methods_are_tools_too(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    class Station:
        @otel_claude.tool(name="weather")
        def of(self, city: str) -> str:
            return city

        @classmethod
        @otel_claude.tool
        def of_class(cls, city: str) -> str:
            return f"{cls.__name__} {city}"

        @otel_claude.tool
        @staticmethod
        def of_nobody(city: str) -> str:
            return city

    claude.will(wants(weather("Paris")))
    with otel_claude.agent("traveller"):
        await create(client)
        assert Station().of("Paris") == "Paris"
        assert Station.of_class("Rome") == "Station Rome"
        assert Station.of_nobody("Oslo") == "Oslo"

    assert told(telemetry.span("execute_tool weather"))["gen_ai.tool.call.id"] == "toolu_sim_0001"
    assert len(telemetry.spans) == 5


def test_a_result_that_says_that_it_is_an_error_is_one(telemetry: Telemetry):
    @otel_claude.tool
    def give() -> dict[str, Any]:
        return {"type": "tool_result", "content": "no such city", "is_error": True}

    give()

    span = telemetry.span("execute_tool give")
    assert told(span)["error.type"] == "tool_error"
    assert span.status.status_code is StatusCode.ERROR
    assert telemetry.count("gen_ai.execute_tool.duration", {"error.type": "tool_error"}) == 1


def test_an_exception_that_is_caught_inside_is_told(telemetry: Telemetry):
    block: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}}
    with otel_claude.tool_call(block) as call:
        try:
            failing("Paris")
        except ToolFailed as error:
            call.failed(error)

    span = telemetry.span("execute_tool weather")
    assert told(span)["error.type"] == "ToolFailed"
    assert told(span)["gen_ai.tool.call.id"] == "toolu_1"


def test_exceptions_pass_untouched(telemetry: Telemetry):
    error = ToolFailed("Paris")

    @otel_claude.tool
    def fail() -> None:
        raise error

    with pytest.raises(ToolFailed) as caught, otel_claude.agent("traveller"):
        fail()

    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    run = told(telemetry.span("invoke_agent traveller"))
    assert (run["error.type"], run["claude.agent.outcome"]) == ("ToolFailed", "failed")


def test_a_loop_of_equal_calls_is_told_at_the_third_and_at_each_doubling(telemetry: Telemetry):
    with otel_claude.agent("traveller"):
        for _ in range(13):
            warmth(city="Paris")
        warmth(city="Rome")

    repeats = [told(span).get("claude.tool.repeats") for span in named(telemetry, "execute_tool warmth")]
    assert repeats == [None, *range(2, 14), None]
    loops = [event.attributes for event in telemetry.events if event.name == "claude.agent.loop"]
    assert loops == [
        {"gen_ai.agent.name": "traveller", "gen_ai.tool.name": "warmth", "claude.tool.repeats": times}
        for times in (3, 6, 12)
    ]


def test_runs_do_not_share_what_was_repeated(telemetry: Telemetry):
    for _ in range(2):
        with otel_claude.agent("traveller"):
            warmth(city="Paris")

    assert all("claude.tool.repeats" not in told(span) for span in named(telemetry, "execute_tool warmth"))


def test_arguments_that_are_no_json_are_not_compared(telemetry: Telemetry):
    with otel_claude.agent("traveller"):
        for _ in range(3):
            warmth(city=object())  # pyright: ignore[reportArgumentType]  # on purpose

    assert telemetry.events == []


def test_outside_of_a_run_a_tool_has_a_span_of_its_own(telemetry: Telemetry):
    warmth("Paris")

    span = telemetry.span("execute_tool warmth")
    assert span.parent is None
    assert "gen_ai.agent.name" not in told(span)


async def test_a_run_in_a_run_adds_up(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(says(), says(), says())
    with otel_claude.agent("boss"):
        await create(client)
        with otel_claude.agent("worker"):
            await create(client)
            warmth("Paris")
        await create(client)

    boss, worker = (told(telemetry.span(f"invoke_agent {name}")) for name in ("boss", "worker"))
    assert (worker["claude.agent.iterations"], boss["claude.agent.iterations"]) == (1, 3)
    assert (worker["claude.agent.output_tokens"], boss["claude.agent.output_tokens"]) == (10, 30)
    assert (worker["claude.agent.tool_calls"], boss["claude.agent.tool_calls"]) == (1, 1)
    assert parent_of(telemetry, telemetry.span("invoke_agent worker")) == "invoke_agent boss"


async def test_cached_tokens_are_input_tokens(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Answer("Hello", usage=usage(input_tokens=10, cache_read=200, cache_write_5m=30, output_tokens=5)))
    with otel_claude.agent("traveller"):
        await create(client)

    run = told(telemetry.span("invoke_agent traveller"))
    assert run["claude.agent.input_tokens"] == 10 + 200 + 30
    # 2, 0.10, 2.50 and 10 USD per million: https://platform.claude.com/docs/en/about-claude/pricing
    assert run["claude.agent.cost_usd"] == pytest.approx((10 * 2 + 200 * 0.10 + 30 * 2.5 + 5 * 10) / 1e6, abs=1e-12)


async def test_other_calls_are_no_iterations(client: Any, telemetry: Telemetry):
    with otel_claude.agent("traveller"):
        await settled(client.messages.count_tokens(model=ASK["model"], messages=ASK["messages"]))

    assert told(telemetry.span("invoke_agent traveller"))["claude.agent.iterations"] == 0


def test_tools_on_threads_that_have_the_context(telemetry: Telemetry):
    with otel_claude.agent("traveller"), ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(contextvars.copy_context().run, warmth, f"city {number}") for number in range(40)]
    for future in futures:
        future.result()

    assert told(telemetry.span("invoke_agent traveller"))["claude.agent.tool_calls"] == 40
    assert {parent_of(telemetry, span) for span in named(telemetry, "execute_tool warmth")} == {
        "invoke_agent traveller"
    }


@only_async
async def test_tools_in_tasks(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    @otel_claude.tool
    async def ask(city: str) -> None:
        await client.messages.create(**ASK)

    async with otel_claude.agent("traveller"):
        await asyncio.gather(*(ask(f"city {number}") for number in range(5)))

    run = told(telemetry.span("invoke_agent traveller"))
    assert (run["claude.agent.iterations"], run["claude.agent.tool_calls"]) == (5, 5)
    chats = named(telemetry, "chat claude-sonnet-5-5")
    assert [parent_of(telemetry, span) for span in chats] == ["execute_tool ask"] * 5


@only_async
async def test_one_agent_in_several_tasks(runner: Runner, telemetry: Telemetry):
    agent = otel_claude.agent("traveller")

    async def travel(city: str, waits: float) -> None:
        async with agent:
            await asyncio.sleep(waits)
            warmth(city)

    await asyncio.gather(travel("Paris", 0.01), travel("Rome", 0), travel("Oslo", 0.005))

    runs = named(telemetry, "invoke_agent traveller")
    assert [told(run)["claude.agent.tool_calls"] for run in runs] == [1, 1, 1]


def test_a_generator_is_a_tool_while_it_works(telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("app")

    @otel_claude.tool
    def cities() -> Iterator[str]:
        for city in ("Paris", "Rome"):
            tracer.start_span(f"find {city}").end()
            yield city

    before = context.get_current()
    seen: list[str] = []
    for city in cities():
        assert context.get_current() is before
        tracer.start_span(f"use {city}").end()
        seen.append(city)

    assert seen == ["Paris", "Rome"]
    assert parent_of(telemetry, telemetry.span("find Rome")) == "execute_tool cities"
    assert parent_of(telemetry, telemetry.span("use Rome")) is None


@only_async
async def test_an_agent_may_be_an_async_generator(client: Any, telemetry: Telemetry):
    @otel_claude.agent("talker")
    async def talk() -> AsyncIterator[str]:
        for _ in range(2):
            message = await client.messages.create(**ASK)
            yield message.content[0].text

    assert len([text async for text in talk()]) == 2

    run = told(telemetry.span("invoke_agent talker"))
    assert (run["claude.agent.iterations"], run["claude.agent.outcome"]) == (2, "completed")


def test_without_a_name_it_is_the_functions(telemetry: Telemetry):
    @otel_claude.agent
    def traveller() -> None:
        pass

    traveller()

    assert [span.name for span in telemetry.spans] == ["invoke_agent traveller"]


def plain(city: str, unit: str = "C") -> str:
    """Plain."""
    return city + unit


async def plain_coroutine(city: str) -> str:
    return city


def plain_generator(city: str) -> Iterator[str]:
    yield city


async def plain_async_generator(city: str) -> AsyncIterator[str]:
    yield city


@pytest.mark.parametrize("function", [plain, plain_coroutine, plain_generator, plain_async_generator])
@pytest.mark.parametrize("decorate", [otel_claude.tool, otel_claude.tool(name="x"), otel_claude.agent("x")])
def test_functions_look_as_before(function: Callable[..., Any], decorate: Callable[[Any], Any]):
    decorated = decorate(function)

    for look in (
        inspect.signature,
        inspect.getdoc,
        inspect.isfunction,
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
        inspect.getsource,
        inspect.get_annotations,
    ):
        assert look(decorated) == look(function)
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__"):
        assert getattr(decorated, name) == getattr(function, name)


def test_functions_can_be_pickled_and_copied():
    assert pickle.loads(pickle.dumps(warmth)) is warmth  # noqa: S301  # our own
    assert copy.deepcopy(warmth) is warmth


class Office:
    """Tools of every kind of method."""

    def __init__(self, city: str) -> None:
        self.city = city
        self.tools = {"own": self.own}

    @otel_claude.tool
    def own(self) -> str:
        return self.city

    @otel_claude.tool
    @classmethod
    def outer_class(cls) -> str:
        return cls.__name__

    @classmethod
    @otel_claude.tool
    def inner_class(cls) -> str:
        return cls.__name__

    @otel_claude.tool
    @staticmethod
    def outer_static() -> str:
        return "static"

    @staticmethod
    @otel_claude.tool
    def inner_static() -> str:
        return "static"


@pytest.mark.parametrize("name", ["own", "outer_class", "inner_class", "outer_static", "inner_static"])
def test_methods_can_be_pickled_and_copied(name: str):
    for owner in (Office("Paris"), Office):
        method = getattr(owner, name)
        args = (Office("Paris"),) if owner is Office and name == "own" else ()
        for again in (pickle.loads(pickle.dumps(method)), copy.copy(method), copy.deepcopy(method)):  # noqa: S301  # our own
            assert again(*args) == method(*args)


@pytest.mark.parametrize("name", ["own", "outer_class", "inner_class"])
def test_methods_can_be_held_weakly(name: str, telemetry: Telemetry):
    """As those have it that send signals."""
    office, gone = Office("Paris"), list[Any]()
    method = getattr(office, name)
    held = weakref.WeakMethod[Any](method, gone.append)
    again = held()

    assert again is not None
    assert (again, again()) == (method, method())
    assert len(telemetry.spans) == 2
    assert held == weakref.WeakMethod(getattr(office, name))
    del office, method, again
    gc.collect()
    assert (held() is None, len(gone)) == ((True, 1) if name == "own" else (False, 0))


def test_what_is_no_method_cannot_be_held_as_one():
    for function in (Office.own, Office.outer_static, Office.inner_static):
        with pytest.raises(TypeError):
            weakref.WeakMethod(function)


def test_a_copy_of_an_object_has_its_own_methods():
    office = Office("Paris")
    other = copy.deepcopy(office)
    other.city = "Rome"

    assert (office.tools["own"](), other.tools["own"]()) == ("Paris", "Rome")


@pytest.mark.parametrize("function", [plain_coroutine, plain_generator, plain_async_generator])
def test_what_is_called_wrongly_raises_at_once(function: Callable[..., Any], telemetry: Telemetry):
    with pytest.raises(TypeError):
        otel_claude.tool(function)(1, 2, 3)

    assert telemetry.spans == []


@pytest.mark.parametrize("function", [plain_coroutine, plain_generator, plain_async_generator])
async def test_what_is_returned_has_its_name(runner: Runner, function: Callable[..., Any], telemetry: Telemetry):
    returned = otel_claude.tool(function)("Paris")

    assert (returned.__name__, returned.__qualname__) == (function.__name__, function.__qualname__)
    if inspect.iscoroutine(returned):
        assert await returned == "Paris"


@only_async
async def test_a_coroutine_that_a_function_returns_is_inside(runner: Runner, telemetry: Telemetry):
    async def travel() -> None:
        await asyncio.sleep(0)
        warmth("Paris")
        raise ToolFailed

    @otel_claude.agent("traveller")
    def decorated() -> Any:
        return travel()

    with pytest.raises(ToolFailed):
        await decorated()

    run = told(telemetry.span("invoke_agent traveller"))
    assert (run["claude.agent.tool_calls"], run["claude.agent.outcome"]) == (1, "failed")


def test_what_is_callable_has_the_name_of_its_class_or_of_its_function(telemetry: Telemetry):
    class Guide:
        def __call__(self) -> str:
            return "Paris"

    guide: Any = Guide()
    assert otel_claude.agent(guide)() == "Paris"
    assert otel_claude.agent(functools.partial(plain, "Paris"))() == "ParisC"

    assert [span.name for span in telemetry.spans] == ["invoke_agent Guide", "invoke_agent plain"]


@needs_runner
async def test_the_sdk_reads_the_same_schema(client: Any):
    async def weather_of(city: str, days: int = 1) -> str:
        """The weather.

        Args:
            city: Which city.
            days: How many days.
        """
        return f"{city} {days}"

    def sync_weather_of(city: str, days: int = 1) -> str:
        """The weather."""
        return f"{city} {days}"

    function = weather_of if "Async" in type(client).__name__ else sync_weather_of
    plain_tool = runnable(client, function)
    decorated = runnable(client, otel_claude.tool(function))

    assert decorated.to_dict() == plain_tool.to_dict()
    assert await settled(decorated.call({"city": "Paris"})) == "Paris 1"


def test_without_instrumentation_nothing_happens():
    with otel_claude.agent("traveller"), otel_claude.tool_call({"name": "weather", "id": "1", "input": {}}) as call:
        before = context.get_current()
        assert warmth("Paris") == "21 C in Paris"
        call.failed(ToolFailed("Paris"))

    assert context.get_current() is before


def test_switched_off_in_the_middle_of_a_run(telemetry: Telemetry):
    with otel_claude.agent("traveller"):
        AnthropicInstrumentor().uninstrument()
        warmth("Paris")

    assert [span.name for span in telemetry.spans] == ["invoke_agent traveller"]


def test_suppressed_they_are_silent(telemetry: Telemetry):
    with suppress_instrumentation(), otel_claude.agent("traveller"):
        warmth("Paris")

    assert telemetry.spans == []


def test_a_block_that_is_none_has_no_execution(telemetry: Telemetry):
    blocks: list[Any] = [
        {"type": "text", "text": "Hello"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
        {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "find", "server_name": "wiki", "input": {}},
        {"type": "tool_result", "tool_use_id": "toolu_1", "name": "odd"},
        {"type": 1, "name": "odd"},
        None,
    ]
    for block in blocks:
        with otel_claude.tool_call(block):
            pass

    assert telemetry.spans == []


def test_a_block_that_says_no_type_is_one(telemetry: Telemetry):
    with otel_claude.tool_call({"id": "toolu_1", "name": "weather", "input": {}}):
        pass

    assert told(telemetry.span("execute_tool weather"))["gen_ai.tool.call.id"] == "toolu_1"


async def test_a_loop_over_all_blocks_executes_what_the_application_is_asked_for(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Answer("Hm.", server_tool_uses=[ServerToolUse("web_search", {})], tool_uses=[weather("Paris")]))
    search: Any = {"type": "web_search_20250305", "name": "web_search"}
    with otel_claude.agent("traveller"):
        message = await settled(client.messages.create(**ASK, tools=[search]))
        for block in message.content:
            with otel_claude.tool_call(block):
                pass

    kinds = [told(telemetry.span(f"execute_tool {name}"))["claude.tool.kind"] for name in ("web_search", "weather")]
    assert kinds == ["server", "client"]
    assert told(telemetry.span("invoke_agent traveller"))["claude.agent.tool_calls"] == 1


def test_the_tenant_is_on_spans_metrics_and_events(instrument: Instrument):
    telemetry = instrument(baggage=("tenant",))
    token = context.attach(baggage.set_baggage("tenant", "acme"))
    try:
        with otel_claude.agent("traveller"):
            for _ in range(3):
                warmth("Paris")
    finally:
        context.detach(token)

    assert {told(span)["tenant"] for span in telemetry.spans} == {"acme"}
    assert [event.attributes["tenant"] for event in telemetry.events] == ["acme"]
    assert telemetry.count("gen_ai.execute_tool.duration", {"tenant": "acme"}) == 3
    assert telemetry.count("gen_ai.invoke_agent.tool_calls", {"tenant": "acme"}) == 1


def test_metrics_tell_a_bounded_number_of_names_apart(telemetry: Telemetry):
    for number in range(205):
        with otel_claude.agent(f"agent {number}"):
            otel_claude.tool(name=f"tool {number}")(plain)("Paris")

    runs = telemetry.metrics["gen_ai.invoke_agent.duration"]
    assert len(runs) == 201
    assert telemetry.count("gen_ai.invoke_agent.duration", {"gen_ai.agent.name": "_OTHER"}) == 5
    assert telemetry.count("gen_ai.execute_tool.duration", {"gen_ai.tool.name": "_OTHER"}) == 5


def test_names_of_models_are_bounded_on_metrics(telemetry: Telemetry):
    run = Run("traveller", model="no model, " * 20)

    points = run_points(run, "traveller")
    assert [labels.get("gen_ai.request.model") for _, _, labels in points] == ["_OTHER", None, None]


def test_the_arguments_of_a_cut_answer_cost_nothing_else():
    before = failures.total
    run = Run("traveller")
    listener = StreamedToolUses(run)
    block: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
    listener.item("content_block_start", {"index": 0, "content_block": block})
    listener.item("content_block_delta", {"index": 0, "delta": {"partial_json": '{"city": "Pa'}})
    listener.item("content_block_stop", {"index": 0})

    assert failures.total == before
    assert run.unanswered("toolu_1") == "weather"


async def test_a_fault_about_tools_leaves_the_rest(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    def fail(*args: Any) -> None:
        raise LookupError

    monkeypatch.setattr(StreamedToolUses, "_stop", fail)
    claude.will(wants(weather("Paris")))
    with otel_claude.agent("traveller"):
        stream = await settled(client.messages.create(**ASK, stream=True))
        async for _ in each(stream):
            pass

    assert told(telemetry.span("chat claude-sonnet-5-5"))["gen_ai.usage.output_tokens"] == 10
    assert failures.counts.pop("StreamedToolUses.item") == 1


@pytest.mark.parametrize("interruption", [asyncio.CancelledError, KeyboardInterrupt])
def test_a_tool_that_is_interrupted_says_so(interruption: type[BaseException], telemetry: Telemetry):
    @otel_claude.tool
    def stop() -> None:
        raise interruption

    with pytest.raises(interruption):
        stop()

    span = telemetry.span("execute_tool stop")
    assert told(span)["error.type"] == "cancelled"
    assert span.status.status_code is StatusCode.UNSET
    assert telemetry.count("gen_ai.execute_tool.duration", {"error.type": "cancelled"}) == 1


def test_further_tries_are_one_execution(telemetry: Telemetry):
    block: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}}
    with otel_claude.agent("traveller"), otel_claude.tool_call(block):
        for _ in range(6):
            warmth(**block["input"])
        warmth("Rome")

    assert [span.name for span in telemetry.spans] == [
        "execute_tool warmth",
        "execute_tool weather",
        "invoke_agent traveller",
    ]
    assert telemetry.events == []


def test_a_tool_that_calls_another_with_the_same_arguments(telemetry: Telemetry):
    @otel_claude.tool
    def outer(city: str) -> str:
        return warmth(city)

    with otel_claude.tool_call({"type": "tool_use", "id": "toolu_1", "name": "outer", "input": {"city": "Paris"}}):
        outer("Paris")

    assert [span.name for span in telemetry.spans] == ["execute_tool warmth", "execute_tool outer"]


@needs_runner
async def test_a_function_that_the_sdks_tool_calls_is_another_execution(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(wants(weather("Paris")), says())
    tools = [tool_of(client, "weather", warmth_now if is_async(client) else warmth)]
    await settled(client.beta.messages.tool_runner(**ASK, tools=tools).until_done())

    assert parent_of(telemetry, telemetry.span("execute_tool warmth")) == "execute_tool weather"


async def warmth_now(city: str) -> str:
    return warmth(city)


def test_each_of_many_arguments_counts(telemetry: Telemetry):
    @otel_claude.tool
    def cities(*names: str, **options: int) -> None:
        pass

    with otel_claude.agent("traveller"):
        for name in ("Paris", "Rome", "Oslo"):
            cities("Bern", name, days=1)
        cities("Bern", "Rome", days=1)

    spans = named(telemetry, "execute_tool cities")
    assert [told(span).get("claude.tool.repeats") for span in spans] == [None, None, None, 2]
    assert telemetry.events == []


def test_arguments_are_those_that_the_tool_was_given(instrument: Instrument):
    telemetry = instrument(content="SPAN_ONLY")

    @otel_claude.tool
    def forget(cities: list[str]) -> None:
        cities.clear()

    forget(["Paris"])

    assert told(telemetry.span("execute_tool forget"))["gen_ai.tool.call.arguments"] == '{"cities":["Paris"]}'


async def test_a_call_that_is_never_sent_is_no_iteration(client: Any, telemetry: Telemetry):
    with otel_claude.agent("traveller"), pytest.raises(Exception):  # noqa: B017, PT011  # which one differs
        await settled(client.messages.create(**{**ASK, "metadata": {"user_id": object()}}))

    run = told(telemetry.span("invoke_agent traveller"))
    assert (run["claude.agent.iterations"], run["claude.agent.cost_usd"]) == (0, 0.0)


def test_a_run_that_has_ended_takes_no_more(telemetry: Telemetry):
    def travel(name: str) -> Iterator[None]:
        with otel_claude.agent(name):
            yield

    def use() -> None:
        first, second = travel("first"), travel("second")
        next(first)
        next(second)
        for steps in (first, second):
            for _ in steps:
                pass
        assert current_run() is None

    contextvars.copy_context().run(use)
