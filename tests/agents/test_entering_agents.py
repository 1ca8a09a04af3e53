"""One agent is entered many times at once: each exit ends the run of its own enter."""

import asyncio
import contextlib
import contextvars
import sys
import threading
from collections.abc import Iterator

import pytest
from opentelemetry import context
from opentelemetry.instrumentation.utils import suppress_instrumentation
from rig import named, parent_of, told

import otel_claude
from otel_claude import AnthropicInstrumentor
from otel_claude.agents import agent as module
from otel_claude.agents.agent import Agent
from otel_claude.testing import Telemetry


@otel_claude.tool(name="work")
def work() -> None:
    """Work."""


def dependency(agent: Agent, done: list[str], name: str) -> Iterator[str]:
    with agent:
        yield name
    done.append(name)


@pytest.fixture
def agent() -> Iterator[Agent]:
    """One object, of which nothing is left over."""
    before = context.get_current()
    agent = otel_claude.agent("x")
    yield agent
    assert vars(agent)["_open"] == vars(agent)["_by_caller"] == {}
    assert context.get_current() is before


def tools_of(telemetry: Telemetry) -> list[object]:
    return [told(span)["claude.agent.tool_calls"] for span in named(telemetry, "invoke_agent x")]


def test_one_that_is_suppressed_inside_ends_nothing(agent: Agent, telemetry: Telemetry):
    with agent:
        with suppress_instrumentation(), agent:
            pass
        work()

    assert tools_of(telemetry) == [1]
    assert parent_of(telemetry, telemetry.span("execute_tool work")) == "invoke_agent x"


def test_one_after_switching_off_ends_nothing(agent: Agent, telemetry: Telemetry):
    with agent:
        AnthropicInstrumentor().uninstrument()
        with agent:
            pass
        assert telemetry.spans == []

    assert [span.name for span in telemetry.spans] == ["invoke_agent x"]


def test_one_inside_itself_ends_from_the_inside(agent: Agent, telemetry: Telemetry):
    with agent:
        with agent:
            work()
        work()

    assert tools_of(telemetry) == [2, 1]


def test_threads_that_share_one_end_their_own(agent: Agent, telemetry: Telemetry):
    def use() -> None:
        for _ in range(50):
            with agent:
                work()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)

    assert tools_of(telemetry) == [1] * 400
    assert {span.parent for span in named(telemetry, "invoke_agent x")} == {None}


def test_generators_that_go_on_in_other_contexts_end_their_own(agent: Agent, telemetry: Telemetry):
    """As a web framework does with the dependencies of requests: each step of one on some thread."""
    done: list[str] = []

    async def request(name: str, started: asyncio.Event, finished: asyncio.Event) -> None:
        steps = dependency(agent, done, name)
        await asyncio.to_thread(next, steps)
        started.set()
        await finished.wait()
        await asyncio.to_thread(next, steps, None)

    async def main() -> None:
        events = [asyncio.Event() for _ in range(4)]
        first = asyncio.create_task(request("first", events[0], events[1]))
        await events[0].wait()
        second = asyncio.create_task(request("second", events[2], events[3]))
        await events[2].wait()
        events[1].set()
        await first
        (early,) = telemetry.spans
        events[3].set()
        await second
        late = telemetry.spans[-1]
        assert early.start_time is not None
        assert late.start_time is not None
        assert early.start_time < late.start_time

    asyncio.run(main())

    assert done == ["first", "second"]
    assert len(telemetry.spans) == 2


def test_an_exit_stack_ends_the_innermost_of_its_context(agent: Agent, telemetry: Telemetry):
    with contextlib.ExitStack() as outer:
        outer.enter_context(agent)
        with suppress_instrumentation(), contextlib.ExitStack() as inner:
            inner.enter_context(agent)
        work()

    assert tools_of(telemetry) == [1]


def test_an_exit_stack_may_be_closed_in_another_context(agent: Agent, telemetry: Telemetry):
    stack = contextlib.ExitStack()
    contextvars.copy_context().run(stack.enter_context, agent)
    stack.close()

    assert len(telemetry.spans) == 1


def test_where_nobody_can_tell_which_has_ended_none_has(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_OPEN", 2)
    agent = otel_claude.agent("x")
    stacks = [contextlib.ExitStack() for _ in range(3)]
    for stack in stacks:
        contextvars.copy_context().run(stack.enter_context, agent)
    for stack in stacks:
        stack.close()

    assert telemetry.spans == []
    assert len(vars(agent)["_open"]) == 2


def test_a_run_that_is_forgotten_leaves_the_sums_of_those_around_it(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MOST_OPEN", 1)
    agent = otel_claude.agent("x")
    with otel_claude.agent("outer"):
        for _ in range(2):
            contextvars.copy_context().run(agent.__enter__)
        contextvars.copy_context().run(agent.__exit__, None, None, None)

    attributes = telemetry.span("invoke_agent outer").attributes or {}
    assert attributes["claude.agent.iterations"] == 0
