"""Runs and executions that Python drops in the middle of a garbage collection."""

import _thread
import gc
import time
import weakref
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from typing import Any

import pytest
from opentelemetry import trace
from rig import in_time

import otel_claude
from fixture_types import Runner
from otel_claude.agents.current import current_run
from otel_claude.dropped import GarbageCollection, garbage_collection, tell_safely
from otel_claude.testing import Telemetry


class Box:
    """Holds itself, so that only a collection finds that nobody else does."""

    def __init__(self, items: Generator[Any]) -> None:
        self.itself, self.items = self, items
        next(items)


def left(name: str = "left") -> Generator[int]:
    return otel_claude.agent(name)(one)()


def one() -> Generator[int]:
    yield 1


def collect(dropped: "Iterable[weakref.ref[Box]]") -> None:
    """Collects them. Another thread may be at a collection of its own, and then there is none here."""
    while any(each() is not None for each in dropped):
        gc.collect()


def drop(*runs: Callable[[], Generator[Any]]) -> None:
    """Drops one of each at once."""
    gc.disable()
    try:
        collect([weakref.ref(Box(run())) for run in runs])
    finally:
        gc.enable()


async def test_runs_that_are_dropped_at_once_are_told_of_by_one_thread(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, runner: Runner
):
    alive: set[int] = set()
    most: list[int] = []
    start = _thread.start_new_thread

    def counted(work: Callable[[], None], number: int) -> None:
        work()
        alive.remove(number)

    def count(work: Callable[[], None], arguments: tuple[()]) -> int:
        number = len(most)
        alive.add(number)
        most.append(len(alive))
        return start(counted, (work, number))

    monkeypatch.setattr(_thread, "start_new_thread", count)
    drop(*[left] * 1_000)
    await in_time(lambda: len(telemetry.spans) == 1_000)

    # One that has done all may still be about to end.
    assert max(most) <= 2
    assert len(most) < 100


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
async def test_without_a_thread_to_be_had_runs_wait_for_the_next_one(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch, runner: Runner, error: type[Exception]
):
    def fail(*_: object) -> None:
        raise error("can't start new thread")

    with monkeypatch.context() as there:
        there.setattr(_thread, "start_new_thread", fail)
        drop(partial(left, "first"), partial(left, "second"))
    assert telemetry.spans == []

    drop(partial(left, "third"))
    await in_time(lambda: len(telemetry.spans) == 3)
    assert sorted(span.name for span in telemetry.spans[:2]) == ["invoke_agent first", "invoke_agent second"]
    assert telemetry.spans[2].name == "invoke_agent third"


async def test_what_ends_in_a_collection_leaves_what_goes_on_there_as_it_is(telemetry: Telemetry, runner: Runner):
    def tool() -> Generator[int]:
        with otel_claude.tool_call({"type": "tool_use", "id": "toolu_1", "name": "left"}), suppress(GeneratorExit):
            yield 1

    def work() -> None:
        dropped = [weakref.ref(Box(tool()))]
        with otel_claude.agent("here"):
            before = current_run(), trace.get_current_span()
            collect(dropped)
            assert (current_run(), trace.get_current_span()) == before

    gc.disable()
    try:
        copy_context().run(work)
    finally:
        gc.enable()
    await in_time(lambda: len(telemetry.spans) == 2)
    assert telemetry.span("execute_tool left").status.is_unset


class Never:
    """What nobody ever answers."""

    def __await__(self) -> Generator[None]:
        yield


class Kept(list[Any]):
    """Holds itself, so that only a collection finds that nobody else does."""


@pytest.mark.parametrize("how", ["collected", "closed"])
def test_what_ends_in_a_span_that_was_begun_in_its_run_leaves_that_current(telemetry: Telemetry, how: str):
    """A coroutine waits, and what it has started, with a copy of its context, is in the middle of a span."""
    tracer = telemetry.tracer_provider.get_tracer("application")
    contexts: list[Context] = []

    @otel_claude.agent("waits")
    async def wait() -> None:
        contexts.append(copy_context())
        await Never()

    kept = Kept([wait()])
    copy_context().run(kept[0].send, None)

    def work(kept: Kept | None) -> None:
        with tracer.start_as_current_span("its own") as own:
            if how == "closed" and kept is not None:
                kept[0].close()
            elif kept is not None:
                kept.append(kept)
                dropped, kept = weakref.ref(kept), None
                while dropped() is not None:
                    gc.collect()
            assert trace.get_current_span() is own

    given = [kept]
    del kept
    gc.disable()
    try:
        contexts.pop().run(lambda: work(given.pop()))
    finally:
        gc.enable()


def test_a_child_does_not_take_itself_for_its_parents_thread_that_collected(monkeypatch: pytest.MonkeyPatch):
    collection = GarbageCollection()
    with monkeypatch.context() as there:
        there.setattr(_thread, "get_ident", lambda: 1)
        collection("start", {})
        collection.forget()
        assert collection.here  # The child goes on in the very thread, and in the collection.
    collection.forget()
    with monkeypatch.context() as there:
        there.setattr(_thread, "get_ident", lambda: 1)  # Which a thread of the child's may have.
        assert not collection.here


def test_what_is_told_after_a_collection_comes_after_what_was_dropped_in_it():
    """The run of a stream may end on this thread, at once, and is to know what the stream has used."""
    told: list[str] = []

    def tell_slowly() -> None:
        time.sleep(0.02)
        told.append("the call")

    garbage_collection("start", {})
    tell_safely(tell_slowly)
    garbage_collection("stop", {})
    tell_safely(lambda: told.append("the run"))
    assert told == ["the call", "the run"]
