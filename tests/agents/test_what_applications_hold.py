"""What functions are given, and what they give, is the application's: it is not asked, not ended and not kept."""

import asyncio
import contextvars
import gc
import threading
import types
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rig import ASK, in_time, named, told, wants, weather

import otel_claude
from fixture_types import Instrument, Runner
from otel_claude.agents.current import current_run
from otel_claude.agents.live import live
from otel_claude.agents.run import Run
from otel_claude.call import Call
from otel_claude.testing import SimulatedClaude, Telemetry

DECORATORS: list[Callable[[Any], Any]] = [otel_claude.tool, otel_claude.agent("agent")]


class Lazy:
    """What is made when it is first looked at, as Django has it. Here it may not be looked at at all."""

    @property
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # nobody sets it
        raise AssertionError("it was looked at")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"its {name} was looked at")


class Closed(dict[str, Any]):
    def get(self, *_: object) -> Any:
        raise KeyError("it was read")


def in_itself() -> Any:
    found: dict[str, Any] = {}
    return found.setdefault("self", found)


ARGUMENTS: dict[str, Callable[[], Any]] = {
    "object": object,
    "number": lambda: Decimal(1),
    "long number": lambda: 10**6000,
    "path": lambda: Path("a"),
    "id": lambda: UUID(int=1),
    "bytes": lambda: b"bytes",
    "set": lambda: {1},
    "keys": lambda: {(1, 2): 3},
    "in itself": in_itself,
    "lazy": Lazy,
    "lazy inside": lambda: {"a": Lazy()},
    "half a character": lambda: "\ud800",
}


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_an_argument_that_is_no_json_is_no_matter(instrument: Instrument, argument: str):
    telemetry = instrument(content="SPAN_ONLY")

    @otel_claude.tool
    def search(query: Any, more: int = 0) -> None:
        """Finds something."""

    with otel_claude.agent("agent"):
        search(query=ARGUMENTS[argument]())
        search(ARGUMENTS[argument](), 1)

    spans = named(telemetry, "execute_tool search")
    assert [str(told(span)["gen_ai.tool.call.arguments"])[:9] for span in spans] == 2 * ['{"query":']
    assert told(telemetry.span("invoke_agent agent"))["claude.agent.tool_calls"] == 2


@pytest.mark.parametrize("kind", [Lazy, Closed])
@pytest.mark.parametrize("decorate", DECORATORS)
def test_a_result_is_not_asked(telemetry: Telemetry, decorate: Callable[[Any], Any], kind: type[Any]):
    result = kind()

    @decorate
    def search() -> Any:
        return result

    @decorate
    async def fetch() -> Any:
        return result

    assert search() is result
    assert asyncio.run(fetch()) is result
    assert len(telemetry.spans) == 2


def counted() -> Generator[int]:
    yield from range(4)


@pytest.mark.parametrize("decorate", DECORATORS)
def test_a_generator_that_somebody_else_holds_is_not_ended(telemetry: Telemetry, decorate: Callable[[Any], Any]):
    held = counted()

    @decorate
    def rows() -> Iterator[int]:
        return held

    for row in rows():
        if row == 1:
            break

    assert list(rows()) == [2, 3]
    assert rows() is held
    assert len(telemetry.spans) == 3


@pytest.mark.parametrize("decorate", DECORATORS)
async def test_a_coroutine_that_somebody_else_holds_is_not_ended(
    runner: Runner, telemetry: Telemetry, decorate: Callable[[Any], Any]
):
    async def fetch() -> int:
        return 1

    held = fetch()

    @decorate
    def later() -> Coroutine[Any, Any, int]:
        return held

    later()

    assert await held == 1


@pytest.mark.parametrize("make", [lambda: (number for number in range(2)), counted], ids=["expression", "function"])
async def test_what_never_begins_is_abandoned(runner: Runner, telemetry: Telemetry, make: Callable[[], Any]):
    @otel_claude.agent("lazy")
    def lazy() -> Iterator[int]:
        return make()

    lazy()
    await in_time(lambda: telemetry.spans)

    assert told(telemetry.span("invoke_agent lazy"))["claude.agent.outcome"] == "abandoned"


def test_a_call_that_is_cancelled_before_it_begins_is_told(telemetry: Telemetry):
    class Search:
        async def __call__(self) -> None:
            """Nothing."""

    search: Any = otel_claude.tool(Search())

    async def use() -> None:
        task = asyncio.ensure_future(search())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(use())
    gc.collect()

    assert len(named(telemetry, "execute_tool Search")) == 1


def test_an_old_coroutine_is_awaited(telemetry: Telemetry):
    @otel_claude.tool
    @types.coroutine
    def fetch() -> Generator[Any, Any, int]:
        yield from asyncio.sleep(0).__await__()
        return 5

    fetched: Any = fetch

    async def use() -> int:
        return await fetched()

    assert asyncio.run(use()) == 5
    assert len(named(telemetry, "execute_tool fetch")) == 1


def as_it_is(function: Any) -> Any:
    return function


@pytest.mark.parametrize("decorate", [as_it_is, *DECORATORS])
def test_what_asks_a_generator_to_exit_may_be_caught(telemetry: Telemetry, decorate: Callable[[Any], Any]):
    @decorate
    def stubborn() -> Generator[str]:
        try:
            yield "first"
        except GeneratorExit:
            yield "caught"

    @decorate
    async def stubborn_too() -> AsyncIterator[str]:
        try:
            yield "first"
        except GeneratorExit:
            yield "caught"

    items = stubborn()
    next(items)
    assert items.throw(GeneratorExit()) == "caught"

    async def use() -> None:
        each: Any = stubborn_too()
        await anext(each)
        assert await each.athrow(GeneratorExit()) == "caught"
        with pytest.raises(StopAsyncIteration):
            await anext(each)

    asyncio.run(use())


class Kept:
    """Something of the application's."""


def test_a_generator_that_waits_keeps_nothing(telemetry: Telemetry):
    @otel_claude.tool
    def give() -> Generator[Any, Any]:
        while True:
            try:
                yield Kept()
            except ValueError:
                pass

    items = give()
    given = weakref.ref(next(items))
    sent = Kept()
    into = weakref.ref(sent)
    items.send(sent)
    del sent
    assert (given(), into()) == (None, None)

    thrown = ValueError()
    with_it = thrown.args = (Kept(),)
    inside = weakref.ref(with_it[0])
    items.throw(thrown)
    del thrown, with_it
    assert inside() is None


def test_an_exception_that_is_false_is_one(telemetry: Telemetry):
    class Empty(Exception):
        def __bool__(self) -> bool:
            raise AssertionError("it was asked")

    with pytest.raises(Empty), otel_claude.tool_call({"type": "tool_use", "id": "toolu_1", "name": "search"}):
        raise Empty

    assert str(told(telemetry.span("execute_tool search"))["error.type"]).endswith("Empty")


async def beat(times: int, work: Callable[[], Awaitable[Any]]) -> None:
    for _ in range(times):
        await work()


def test_what_a_tool_has_started_is_an_execution_of_its_own_when_that_has_ended(telemetry: Telemetry):
    tasks: list[asyncio.Task[Any]] = []

    @otel_claude.tool
    async def poll(depth: int = 0) -> None:
        if depth == 0:
            tasks.append(asyncio.create_task(beat(5, lambda: again(1))))

    again: Callable[[int], Any] = poll

    @otel_claude.tool
    async def search(city: str) -> None:
        await asyncio.sleep(0.02)
        raise ValueError(city)

    async def use() -> None:
        await poll()
        with otel_claude.tool_call({"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"city": "Paris"}}):
            tasks.append(asyncio.create_task(search("Paris")))
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(use())

    assert len(named(telemetry, "execute_tool poll")) == 6
    outer, inner = named(telemetry, "execute_tool search")
    assert "error.type" not in told(outer)
    assert told(inner)["error.type"] == "ValueError"


def test_a_function_that_looks_at_the_arguments_first_is_not_the_tool(telemetry: Telemetry):
    @otel_claude.tool
    def check(city: str) -> None:
        """Looks at them."""

    @otel_claude.tool
    def search(city: str) -> None:
        """Finds something."""

    with (
        otel_claude.agent("agent"),
        otel_claude.tool_call({"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"city": "Paris"}}),
    ):
        check("Paris")
        search("Paris")

    assert [span.name for span in telemetry.spans] == ["execute_tool search", "invoke_agent agent"]
    assert told(telemetry.spans[-1])["claude.agent.tool_calls"] == 1


def test_runs_that_start_each_other_do_not_keep_each_other(telemetry: Telemetry):
    """A timer that sets itself again, as a scheduler has it: each run begins in the context of the one before it."""
    alive: list[int] = []

    @otel_claude.agent("timer")
    def tick(left: int, done: asyncio.Event) -> None:
        if left in {0, 19}:
            gc.collect()
            alive.append(sum(type(each) is Run for each in gc.get_objects()))
        if left:
            asyncio.get_running_loop().call_soon(tick, left - 1, done)
        else:
            done.set()

    async def use() -> None:
        done = asyncio.Event()
        tick(20, done)
        await done.wait()

    asyncio.run(use())

    assert len(named(telemetry, "invoke_agent timer")) == 21
    second, last = alive
    assert last <= second


@pytest.mark.parametrize("runner", ["sync"], indirect=True)
def test_the_sums_of_a_run_are_not_known_while_one_inside_goes_on(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(wants(weather("Paris")))
    has_begun, goes_on = threading.Event(), threading.Event()

    @otel_claude.agent("inner")
    def work() -> None:
        has_begun.set()
        goes_on.wait()
        client.messages.create(**ASK)

    with otel_claude.agent("outer"):
        background = threading.Thread(target=contextvars.copy_context().run, args=(work,))
        background.start()
        has_begun.wait()
    goes_on.set()
    background.join()

    sums = {"claude.agent.iterations", "claude.agent.tool_calls", "claude.agent.cost_usd"}
    assert sums & set(told(telemetry.span("invoke_agent outer"))) == set()
    assert told(telemetry.span("invoke_agent inner"))["claude.agent.iterations"] == 1


@pytest.mark.parametrize("runner", ["async"], indirect=True)
async def test_a_generator_that_is_left_leaves_the_sums_of_the_runs_around_it(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(wants(weather("Paris")))

    @otel_claude.agent("inner")
    async def ask() -> AsyncIterator[int]:
        await client.messages.create(**ASK)
        yield 1
        yield 2

    with otel_claude.agent("outer"):
        items = ask()
        await anext(items)

    assert told(telemetry.span("invoke_agent outer"))["claude.agent.iterations"] == 1
    del items


@pytest.mark.parametrize("runner", ["sync"], indirect=True)
def test_answers_whose_tools_others_execute_are_not_kept(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(*[wants(weather(f"Paris {number}")) for number in range(10)])

    def calls() -> int:
        gc.collect()
        return sum(type(each) is Call for each in gc.get_objects())

    before = calls()
    with otel_claude.agent("agent"):
        for _ in range(10):
            client.messages.create(**ASK)
        kept = calls()

    # Other tests may have left some, which go when they like.
    assert kept <= before


def test_the_sums_of_work_that_goes_on_elsewhere_are_not_known(telemetry: Telemetry):
    inflight: list[Coroutine[Any, Any, int]] = []

    async def fetch() -> int:
        return 1

    @otel_claude.agent("single flight")
    def once() -> Coroutine[Any, Any, int]:
        inflight.append(fetch())
        return inflight[-1]

    assert asyncio.run(once()) == 1

    assert "claude.agent.iterations" not in told(telemetry.span("invoke_agent single flight"))


def test_a_task_is_handed_on_as_it_is(telemetry: Telemetry):
    tasks: list[asyncio.Task[int]] = []

    async def fetch() -> int:
        return len(telemetry.spans)

    @otel_claude.tool
    def start() -> asyncio.Task[int]:
        tasks.append(asyncio.create_task(fetch()))
        return tasks[-1]

    async def use() -> int:
        assert start() is tasks[0]
        return await tasks[0]

    # Its span has ended before the task has begun.
    assert asyncio.run(use()) == 1


@pytest.mark.parametrize("decorate", [as_it_is, *DECORATORS])
def test_a_loop_has_nothing_to_complain_of_generators_that_hold_themselves(
    telemetry: Telemetry, decorate: Callable[[Any], Any]
):
    told_of: list[str] = []

    class Box:
        items: Any

    @decorate
    async def count(box: Box) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            told_of.append("closed")

    async def use() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, said: told_of.append(str(said)))
        box = Box()
        box.items = count(box)
        await anext(box.items)
        del box
        gc.collect()
        await asyncio.sleep(0.05)

    asyncio.run(use())

    assert told_of == ["closed"]


@types.coroutine
def old() -> Generator[Any, Any, int]:
    yield from asyncio.sleep(0).__await__()
    return 5


@pytest.mark.parametrize("function", [partial(old), lambda: old()], ids=["partial", "function"])  # noqa: PLW0108  # it hands it out
def test_an_old_coroutine_that_is_handed_out_is_awaited(telemetry: Telemetry, function: Callable[[], Any]):
    async def use() -> Any:
        return await otel_claude.tool(function)()

    assert asyncio.run(use()) == 5


def test_what_fails_after_it_was_asked_to_exit_has_failed(telemetry: Telemetry):
    @otel_claude.tool
    def stubborn() -> Generator[int]:
        try:
            yield 1
        except GeneratorExit:
            yield 2
        raise ValueError("in the end")

    items = stubborn()
    next(items)
    items.throw(GeneratorExit())
    with pytest.raises(ValueError, match="in the end"):
        next(items)

    assert told(telemetry.span("execute_tool stubborn"))["error.type"] == "ValueError"


def test_runs_that_are_silent_end_as_well(telemetry: Telemetry):
    with telemetry_scope(Run("agent", silent=True)) as run:
        assert current_run() is run

    assert run.finished
    assert telemetry.spans == []


@contextmanager
def telemetry_scope(run: Run) -> Generator[Run]:
    """A run as the SDK's runners are, with its end."""
    emitting = live()
    assert emitting is not None
    scope = emitting.run(run)
    with scope.step():
        yield run
    scope.end()
