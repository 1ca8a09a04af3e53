"""Code in a scope: it does what it does without one, and leaves nothing behind."""

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import sys
import warnings
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import baggage, context, trace

import otel_claude
from otel_claude.agents.adapters import async_stepped, stepped
from otel_claude.agents.current import current_run
from otel_claude.agents.run import Run
from otel_claude.agents.scope import NO_SCOPE, Scope
from otel_claude.testing import Telemetry


class Noted:
    """A scope, and how it ended."""

    def __init__(self) -> None:
        self.ends: list[type[BaseException] | None] = []

    def open(self) -> Scope:
        return Scope(Run("noted", owns_span=False), lambda record, error: self.ends.append(error and type(error)))


def talk() -> Generator[Any, Any, str]:
    """Answers whatever it is sent or thrown."""
    said: object = None
    for _ in range(3):
        try:
            said = yield ("said", said)
        except LookupError as error:
            said = repr(error)
    return "done"


async def async_talk() -> AsyncGenerator[Any, Any]:
    said: object = None
    for _ in range(3):
        try:
            said = yield ("said", said)
        except LookupError as error:
            said = repr(error)


def use(talking: Any) -> list[Any]:
    seen = [next(talking), talking.send("hello"), talking.throw(LookupError("no"))]
    try:
        next(talking)
    except StopIteration as end:
        seen.append(end.value)
    return seen


def test_a_generator_can_be_sent_and_thrown_to():
    noted = Noted()

    assert use(stepped(talk(), noted.open)) == use(talk())
    assert noted.ends == [None]


def test_an_async_generator_can_be_sent_and_thrown_to():
    async def use(talking: Any) -> list[Any]:
        seen = [await anext(talking), await talking.asend("hello"), await talking.athrow(LookupError("no"))]
        with pytest.raises(StopAsyncIteration):
            await anext(talking)
        return seen

    noted = Noted()

    async def main() -> None:
        assert await use(async_stepped(async_talk(), noted.open)) == await use(async_talk())

    asyncio.run(main())
    assert noted.ends == [None]


def test_what_is_thrown_and_not_caught_ends_it():
    noted = Noted()
    talking = stepped(talk(), noted.open)
    next(talking)
    error = ValueError("no")
    with pytest.raises(ValueError, match="no") as caught:
        talking.throw(error)

    assert caught.value is error
    assert noted.ends == [ValueError]


def test_closing_closes_what_is_inside():
    noted, closed = Noted(), list[bool]()

    def items() -> Generator[int, None, None]:
        try:
            yield 1
        finally:
            closed.append(True)

    talking = stepped(items(), noted.open)
    next(talking)
    talking.close()

    assert (closed, noted.ends) == ([True], [GeneratorExit])


def test_a_generator_that_is_never_begun_opens_nothing():
    opened: list[bool] = []

    def open_it() -> Scope:
        opened.append(True)
        return NO_SCOPE

    stepped(talk(), open_it).close()

    assert opened == []


def test_it_is_running_while_what_is_inside_is():
    states: list[str] = []
    talking: list[Any] = []

    def items() -> Generator[int, None, None]:
        states.append(inspect.getgeneratorstate(talking[0]))
        yield 1

    talking.append(stepped(items(), lambda: NO_SCOPE))
    states.append(inspect.getgeneratorstate(talking[0]))
    next(talking[0])
    states.append(inspect.getgeneratorstate(talking[0]))

    assert states == [inspect.GEN_CREATED, inspect.GEN_RUNNING, inspect.GEN_SUSPENDED]


async def slow() -> AsyncGenerator[int]:
    try:
        yield 1
        yield 2
    finally:
        await asyncio.sleep(0)


def complaints(use: Callable[[], Any]) -> list[dict[str, Any]]:
    """What an event loop complains of when it ends while somebody still holds a generator."""
    heard: list[dict[str, Any]] = []
    kept: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, complaint: heard.append(complaint))
        kept.append(use())
        await anext(kept[0])

    asyncio.run(main())
    return heard


def test_a_loop_that_ends_has_nothing_to_complain_of():
    noted = Noted()
    for _ in range(20):
        assert complaints(lambda: async_stepped(slow(), noted.open)) == complaints(slow) == []
    assert noted.ends == [GeneratorExit] * 20


def test_the_hooks_of_the_loop_stay_as_they_are():
    async def main() -> None:
        before = sys.get_asyncgen_hooks()
        async for _ in async_stepped(slow(), lambda: NO_SCOPE):
            assert sys.get_asyncgen_hooks() == before

    asyncio.run(main())


def test_a_dropped_async_generator_is_closed_by_the_loop():
    noted = Noted()

    async def main() -> None:
        await anext(async_stepped(slow(), noted.open))
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert noted.ends == [GeneratorExit]


WHAT = st.sampled_from(["attach", "span", "run", "back", "yield"])


def body(whats: Sequence[str], seen: list[Any]) -> Generator[None]:
    """Opens and ends things that are current meanwhile, and notes what is current after each."""
    open_things: list[AbstractContextManager[Any]] = []
    for number, what in enumerate(whats):
        match what:
            case "attach":
                open_things.append(entry(number))
                open_things[-1].__enter__()
            case "span":
                open_things.append(trace.use_span(span_of(number)))
                open_things[-1].__enter__()
            case "run":
                open_things.append(otel_claude.agent(f"inner {number}"))
                open_things[-1].__enter__()
            case "back" if open_things:
                open_things.pop().__exit__(None, None, None)
            case _:
                yield
        seen.append(current())
    while open_things:
        open_things.pop().__exit__(None, None, None)
    seen.append(current())


def current() -> tuple[dict[str, object], str]:
    """The baggage, and the name or the id of the span."""
    span: Any = trace.get_current_span()
    return dict(baggage.get_all()), getattr(span, "name", f"{span.get_span_context().span_id}")


@contextmanager
def entry(number: int) -> Generator[None]:
    token = context.attach(baggage.set_baggage("number", str(number)))
    try:
        yield
    finally:
        context.detach(token)


def span_of(number: int) -> trace.Span:
    sampled = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    return trace.NonRecordingSpan(trace.SpanContext(1, number + 1, is_remote=False, trace_flags=sampled))


async def async_body(whats: Sequence[str], seen: list[Any]) -> AsyncGenerator[None]:
    for _ in body(whats, seen):
        yield


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(whats=st.lists(WHAT, max_size=12))
def test_a_generator_always_finds_its_own_context_and_leaves_the_callers(whats: Sequence[str], telemetry: Telemetry):
    plainly, inside, inside_async = list[Any](), list[Any](), list[Any]()
    copy_context().run(lambda: list(body(whats, plainly)))
    before = context.get_current()
    for _ in stepped(body(whats, inside), Noted().open):
        assert context.get_current() is before

    async def main() -> None:
        before = context.get_current()
        async for _ in async_stepped(async_body(whats, inside_async), Noted().open):
            assert context.get_current() is before

    asyncio.run(main())
    assert inside == inside_async == plainly
    assert context.get_current() is before


def test_what_a_generator_has_left_open_is_current_again_in_another_task():
    noted, seen = Noted(), list[Any]()

    async def main() -> None:
        items = async_stepped(async_body(["attach", "yield", "yield"], seen), noted.open)
        for _ in range(2):
            await asyncio.create_task(step(items))
        assert baggage.get_all() == {}

    async def step(items: AsyncGenerator[None]) -> None:
        await anext(items)
        assert baggage.get_all() == {}

    asyncio.run(main())
    assert [entries for entries, _ in seen] == [{"number": "0"}] * 2


def test_a_run_that_is_left_before_one_that_began_in_it_leaves_that_one_current(telemetry: Telemetry):
    first, second = otel_claude.agent("first"), otel_claude.agent("second")
    before = context.get_current()
    first.__enter__()
    second.__enter__()
    inside = trace.get_current_span()
    first.__exit__(None, None, None)

    assert trace.get_current_span() is inside
    second.__exit__(None, None, None)
    context.attach(before)
    assert {span.name for span in telemetry.spans} == {"invoke_agent first", "invoke_agent second"}


def test_a_context_that_is_never_taken_back_ends_with_the_run(telemetry: Telemetry):
    before = context.get_current()
    with otel_claude.agent("server"):
        context.attach(context.Context())
    assert context.get_current() == before


@pytest.mark.parametrize("decorate", [otel_claude.agent("guide"), otel_claude.tool(name="guide")])
@pytest.mark.parametrize("end", ["close", "cancel", "drop"])
def test_python_complains_of_a_coroutine_that_never_begins_as_it_does_without(
    decorate: Callable[[Any], Any], end: str, telemetry: Telemetry
):
    async def work() -> None: ...

    async def cancelled(function: Callable[[], Any]) -> None:
        task = asyncio.create_task(function())
        task.cancel()
        await asyncio.wait([task])

    def complaints_of(function: Callable[[], Any]) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if end == "cancel":
                asyncio.run(cancelled(function))
            else:
                coroutine = function()
                if end == "close":
                    coroutine.close()
                del coroutine
            gc.collect()
        return [str(each.message) for each in caught]

    assert complaints_of(decorate(work)) == complaints_of(work)
    assert len(complaints_of(work)) == (end == "drop")


def test_a_generator_that_another_decorator_returns_goes_on_in_the_run(telemetry: Telemetry):
    def items() -> Generator[str]:
        yield run_name()
        yield run_name()

    async def async_items() -> AsyncGenerator[str]:
        yield run_name()

    def returned(function: Callable[[], Any]) -> Callable[[], Any]:
        @functools.wraps(function)
        def same() -> Any:
            return function()

        return same

    async def every() -> list[str]:
        return [item async for item in otel_claude.agent("second")(returned(async_items))()]

    def run_name() -> str:
        run = current_run()
        return "" if run is None else str(run.name)

    assert list(otel_claude.agent("first")(returned(items))()) == ["first", "first"]
    assert asyncio.run(every()) == ["second"]
    assert [span.name for span in telemetry.spans] == ["invoke_agent first", "invoke_agent second"]


class Cities:
    """Callable, with a state that is its own."""

    def __init__(self) -> None:
        self.names = ["Paris"]

    def __call__(self) -> list[str]:
        return self.names


@pytest.mark.parametrize("callable_object", [Cities(), functools.partial(sorted, ["Paris"])])
def test_what_is_callable_can_be_pickled_and_copied_as_before(callable_object: Any, telemetry: Telemetry):
    decorated = otel_claude.tool(callable_object)
    assert repr(decorated) == repr(callable_object)
    assert pickle.loads(pickle.dumps(decorated))() == ["Paris"]  # noqa: S301  # it was made here
    copied = copy.deepcopy(decorated)
    copied().append("Rome")
    assert callable_object() == ["Paris"]
    assert "Rome" not in decorated()
