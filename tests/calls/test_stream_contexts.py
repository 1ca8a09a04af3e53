"""The context of the application around calls and streams: what is current, and who is whose parent."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from driver import ASK, entered, items, only_async, settled
from opentelemetry import context, trace

from otel_claude.testing import Telemetry


async def create(client: Any, work: Callable[[], None]) -> None:
    await settled(client.messages.create(**ASK))
    work()


async def raw_stream(client: Any, work: Callable[[], None]) -> None:
    async for _ in items(await settled(client.messages.create(**ASK, stream=True))):
        work()


async def managed_stream(client: Any, work: Callable[[], None]) -> None:
    async with entered(await settled(client.messages.create(**ASK, stream=True))) as stream:
        work()
        async for _ in items(stream):
            work()
    work()


async def helper_stream(client: Any, work: Callable[[], None]) -> None:
    async with entered(client.messages.stream(**ASK)) as stream:
        work()
        async for _ in items(stream):
            work()
        work()


async def text_stream(client: Any, work: Callable[[], None]) -> None:
    async with entered(client.messages.stream(**ASK)) as stream:
        async for _ in items(stream.text_stream):
            work()


async def broken_off(client: Any, work: Callable[[], None]) -> None:
    async with entered(client.messages.stream(**ASK)) as stream:
        async for _ in items(stream):
            break
    work()


async def streaming_response(client: Any, work: Callable[[], None]) -> None:
    async with entered(client.messages.with_streaming_response.create(**ASK, stream=True)) as response:
        work()
        async for _ in items(response.iter_lines()):
            work()


async def pages(client: Any, work: Callable[[], None]) -> None:
    async for _ in items(client.models.list(limit=3)):
        work()


Use = Callable[[Any, Callable[[], None]], Awaitable[None]]


@pytest.mark.parametrize(
    "use",
    [create, raw_stream, managed_stream, helper_stream, text_stream, broken_off, streaming_response, pages],
)
async def test_spans_of_the_application_keep_their_parent(use: Use, client: Any, telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("app")
    contexts: list[context.Context] = []

    def work() -> None:
        contexts.append(context.get_current())
        tracer.start_span("work").end()

    with tracer.start_as_current_span("request") as request:
        own = context.get_current()
        await use(client, work)
        assert trace.get_current_span() is request
    assert contexts
    assert all(each is own for each in contexts)
    parents = {span.parent.span_id for span in telemetry.spans if span.parent}
    assert parents == {request.get_span_context().span_id}


@only_async
async def test_calls_of_tasks_that_run_at_once_do_not_mix(client: Any, telemetry: Telemetry):
    tracer = telemetry.tracer_provider.get_tracer("app")

    async def task(number: int) -> None:
        with tracer.start_as_current_span(f"task {number}"):
            await raw_stream(client, lambda: None)
            await create(client, lambda: None)

    await asyncio.gather(*(task(number) for number in range(5)))
    tasks = {span.context.span_id: span for span in telemetry.spans if span.context and "task" in span.name}
    calls = [span for span in telemetry.spans if span.name.startswith("chat")]
    assert len(tasks) == 5
    assert sorted(span.parent.span_id for span in calls if span.parent) == sorted([*tasks] * 2)
