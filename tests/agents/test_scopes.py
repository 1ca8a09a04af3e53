"""Generators in a scope: they do what they do without one."""

import asyncio
import inspect
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import pytest

from otel_claude.agents.run import Run
from otel_claude.agents.scope import NO_SCOPE, Scope, async_stepped, stepped


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
