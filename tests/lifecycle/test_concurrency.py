"""Threads, tasks, cancellation, and streams that are dropped."""

import asyncio
import contextvars
import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import pytest
from apps import HELLO, SDK_MAKES_SPANS, SPAN, SwitchOn, connect, connect_async
from loopback import Loopback
from opentelemetry import trace

from otel_claude import Settings
from otel_claude.testing import Answer, Hang, RateLimited, SimulatedClaude, Telemetry

USAGE = {"input_tokens": 1_000, "output_tokens": 500}
COST = (1_000 * 2 + 500 * 10) / 1e6
"""USD for `USAGE` on Claude Sonnet 5.5, at 2 USD in and 10 USD out per million tokens.

https://platform.claude.com/docs/en/about-claude/pricing
"""
THREADS, CALLS = 32, 20


class Steady(Loopback):
    """Answers every call with the same usage."""

    def clear(self) -> None:
        super().clear()
        self._api.default = Answer("Hi", usage=USAGE)

    def __init__(self) -> None:
        super().__init__()
        self.clear()


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not reached():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.001)


@pytest.mark.parametrize("shared", [True, False], ids=["one client", "a client each"])
def test_threads_are_counted_exactly_and_have_their_parents(switch_on: SwitchOn, telemetry: Telemetry, shared: bool):
    claude = Steady()
    switch_on()
    tracer = telemetry.tracer_provider.get_tracer("app")
    one = claude.connect()

    def work(number: int) -> int:
        client = one if shared else claude.connect()
        with tracer.start_as_current_span(f"thread {number}") as span:
            for call in range(CALLS):
                if call % 2:
                    for _ in client.messages.create(**HELLO, stream=True):
                        pass
                else:
                    client.messages.create(**HELLO)
        return span.get_span_context().span_id

    with ThreadPoolExecutor(THREADS) as pool:
        parents = list(pool.map(work, range(THREADS)))

    calls = [span for span in telemetry.spans if span.name == SPAN]
    assert len(calls) == THREADS * CALLS
    assert {
        parent: sum(1 for span in calls if span.parent and span.parent.span_id == parent) for parent in parents
    } == (dict.fromkeys(parents, CALLS))
    assert telemetry.count("gen_ai.client.operation.duration") == THREADS * CALLS
    assert telemetry.total("claude.token.usage", {"claude.token.type": "input"}) == THREADS * CALLS * 1_000
    assert telemetry.total("claude.token.usage", {"claude.token.type": "output"}) == THREADS * CALLS * 500
    assert telemetry.total("claude.cost") == pytest.approx(THREADS * CALLS * COST)


def test_a_hundred_tasks_at_once_are_counted_exactly_and_have_their_parents(switch_on: SwitchOn, telemetry: Telemetry):
    claude = Steady()
    switch_on()
    tracer = telemetry.tracer_provider.get_tracer("app")

    async def work(client: Any, number: int) -> int:
        with tracer.start_as_current_span(f"task {number}") as span:
            if number % 2:
                async for _ in await client.messages.create(**HELLO, stream=True):
                    await asyncio.sleep(0)
            else:
                await client.messages.create(**HELLO)
            return span.get_span_context().span_id

    async def main() -> list[int]:
        async with claude.connect_async() as client:
            return await asyncio.gather(*(work(client, number) for number in range(100)))

    parents = asyncio.run(main())

    calls = [span for span in telemetry.spans if span.name == SPAN]
    assert sorted(span.parent.span_id for span in calls if span.parent) == sorted(parents)
    assert telemetry.count("gen_ai.client.operation.duration") == 100
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 100 * 500


def test_a_stream_that_is_read_in_another_thread_belongs_to_where_it_was_opened(
    switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    tracer = telemetry.tracer_provider.get_tracer("app")
    read: list[str] = []
    with tracer.start_as_current_span("opener") as opener:
        stream = Steady().connect().messages.create(**HELLO, stream=True)

    def read_all() -> None:
        with tracer.start_as_current_span("reader") as reader:
            for event in stream:
                assert trace.get_current_span() is reader
                read.append(event.type)

    thread = threading.Thread(target=read_all)
    thread.start()
    thread.join()

    assert read[-1] == "message_stop"
    span = telemetry.span(SPAN)
    assert span.parent is not None
    assert span.parent.span_id == opener.get_span_context().span_id


def attributes_of_the_only_call(telemetry: Telemetry) -> dict[str, Any]:
    span = telemetry.span(SPAN)
    return {**(span.attributes or {}), "status": span.status.status_code.name}


def test_a_call_that_is_cancelled_is_no_error(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
):
    claude.will(Hang(5))
    switch_on()

    async def main() -> None:
        async with connect_async(claude) as client:
            task = asyncio.create_task(client.messages.create(**HELLO))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not trace.get_current_span().get_span_context().is_valid

    asyncio.run(main())

    attributes = attributes_of_the_only_call(telemetry)
    assert attributes["status"] == "UNSET"
    assert "error.type" not in attributes
    assert telemetry.events == []
    assert caplog.records == []


def test_a_stream_that_is_cancelled_is_no_error(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
):
    claude.will(Hang(5, after_events=3))
    switch_on()

    async def main() -> None:
        async with connect_async(claude) as client:
            reading = asyncio.Event()

            async def read() -> None:
                async for _ in await client.messages.create(**HELLO, stream=True):
                    reading.set()

            task = asyncio.create_task(read())
            await reading.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    wait_until(lambda: len(telemetry.spans) == 1)

    attributes = attributes_of_the_only_call(telemetry)
    assert attributes["claude.stream.outcome"] == "cancelled"
    assert attributes["status"] == "UNSET"
    assert "error.type" not in attributes
    assert caplog.records == []


def test_a_call_that_is_cancelled_while_it_waits_for_a_retry_is_no_error(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    claude.will(RateLimited(retry_after=5))
    switch_on()

    async def main() -> None:
        async with connect_async(claude) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.messages.create(**HELLO), 0.3)

    asyncio.run(main())

    attributes = attributes_of_the_only_call(telemetry)
    assert attributes["status"] == "UNSET"
    assert "error.type" not in attributes


@pytest.mark.parametrize("mode", ["replace", "enrich", "keep"])
def test_a_coroutine_that_is_dropped_before_it_is_awaited_leaves_nothing(
    switch_on: SwitchOn, telemetry: Telemetry, mode: str
):
    switch_on(settings=Settings(native_spans=mode))

    async def main() -> None:
        client = Loopback().connect_async()
        call = client.messages.create(**HELLO)
        call.close()
        await client.messages.create(**HELLO)

    asyncio.run(main())

    assert telemetry.count("gen_ai.client.operation.duration") == 1


class Suspended:
    """What a coroutine waits for that is never going to come."""

    def __await__(self) -> Any:
        yield


class Waiting(Steady):
    async def handle_async_request(self, request: Any) -> Any:
        await Suspended()


async def suspended_call(**options: Any) -> Any:
    """A call in the middle of its request, in a context of its own."""
    call: Any = Waiting().connect_async(**options).messages.create(**HELLO)
    contextvars.copy_context().run(call.send, None)
    return call


@pytest.mark.parametrize("mode", ["replace", "enrich", "keep"])
def test_a_coroutine_that_is_closed_in_another_context_logs_no_failure(
    switch_on: SwitchOn, telemetry: Telemetry, caplog: pytest.LogCaptureFixture, mode: str
):
    """As an event loop that is torn down does. OpenTelemetry logs `Failed to detach context` where that is wrong."""
    switch_on(settings=Settings(native_spans=mode))

    async def main() -> None:
        call = await suspended_call()
        contextvars.Context().run(call.close)

    with caplog.at_level(logging.DEBUG, "otel_claude"):
        asyncio.run(main())
    wait_until(lambda: telemetry.count("gen_ai.client.operation.duration") == 1)

    assert [record.getMessage() for record in caplog.records if record.name.startswith("otel_claude")] == []
    if mode == "replace":
        assert attributes_of_the_only_call(telemetry)["status"] == "UNSET"


@pytest.mark.parametrize("mode", ["replace", "enrich", "keep"])
def test_a_coroutine_that_is_closed_in_another_context_logs_no_more_than_without_us(
    switch_on: SwitchOn, telemetry: Telemetry, caplog: pytest.LogCaptureFixture, mode: str
):
    own = {"open_telemetry": {"tracer_provider": telemetry.tracer_provider}} if SDK_MAKES_SPANS else {}

    async def main() -> None:
        call = await suspended_call(**own)
        contextvars.Context().run(call.close)

    asyncio.run(main())
    before = [record.getMessage() for record in caplog.records]
    caplog.clear()
    switch_on(settings=Settings(native_spans=mode))
    asyncio.run(main())

    assert [record.getMessage() for record in caplog.records] == before


def test_a_coroutine_that_is_dropped_in_the_middle_ends_its_call(switch_on: SwitchOn, telemetry: Telemetry):
    switch_on()

    async def main() -> None:
        call = await suspended_call()
        del call

    asyncio.run(main())
    gc.collect()
    wait_until(lambda: len(telemetry.spans) == 1)

    assert attributes_of_the_only_call(telemetry)["status"] == "UNSET"


def test_a_stream_that_is_dropped_is_abandoned(switch_on: SwitchOn, telemetry: Telemetry):
    switch_on()
    stream = Steady().connect().messages.create(**HELLO, stream=True)
    next(stream)
    del stream
    gc.collect()
    wait_until(lambda: len(telemetry.spans) == 1)

    attributes = attributes_of_the_only_call(telemetry)
    assert attributes["claude.stream.outcome"] == "abandoned"
    assert attributes["status"] == "UNSET"


def test_an_answer_that_is_dropped_unread_is_ended(switch_on: SwitchOn, telemetry: Telemetry):
    switch_on()
    stream = Steady().connect().messages.create(**HELLO, stream=True)
    del stream
    gc.collect()
    wait_until(lambda: len(telemetry.spans) == 1)

    assert attributes_of_the_only_call(telemetry)["claude.stream.outcome"] == "abandoned"


@pytest.fixture
def recorded_on(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads on which histograms were recorded.

    The garbage collector runs at any allocation, also in an exporter or an instrument that holds a lock which its own
    thread cannot take twice. So what it drops has to end on another thread.
    """
    from opentelemetry.sdk.metrics._internal.instrument import Histogram

    threads: list[int] = []
    record = Histogram.record

    def noted(self: Any, *args: Any, **kwargs: Any) -> None:
        threads.append(threading.get_ident())
        record(self, *args, **kwargs)

    monkeypatch.setattr(Histogram, "record", noted)
    return threads


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Only the test itself has garbage collected."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def slow_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """New threads begin late, as they do on a machine with much to do."""
    import _thread

    start = _thread.start_new_thread

    def late(function: Any, args: Any, kwargs: Any = None) -> int:
        def begin() -> None:
            time.sleep(0.05)
            function(*args, **(kwargs or {}))

        return start(begin, ())

    monkeypatch.setattr("otel_claude.anthropic.reading._thread.start_new_thread", late)


def collect(*kept: Any) -> None:
    """Drops things as the garbage collector does: in a circle, in which they are found to be of no use."""
    circle: list[Any] = [*kept]
    circle.append(circle)
    del circle


@pytest.mark.parametrize("events", [0, 1, 3], ids=["unread", "one event", "three events"])
def test_a_stream_that_the_garbage_collector_drops_ends_on_another_thread(
    switch_on: SwitchOn, telemetry: Telemetry, recorded_on: list[int], slow_threads: None, events: int
):
    switch_on()
    stream = Steady().connect().messages.create(**HELLO, stream=True)
    for _ in range(events):
        next(stream)
    collect(stream)
    del stream
    gc.collect()
    wait_until(lambda: bool(recorded_on))

    assert threading.get_ident() not in recorded_on
    assert attributes_of_the_only_call(telemetry)["claude.stream.outcome"] == "abandoned"


def test_a_helper_that_the_garbage_collector_drops_ends_on_another_thread(
    switch_on: SwitchOn, telemetry: Telemetry, recorded_on: list[int], slow_threads: None
):
    switch_on()
    manager = Steady().connect().messages.stream(**HELLO)
    stream = manager.__enter__()
    next(stream)
    collect(stream, manager)
    del stream, manager
    gc.collect()
    wait_until(lambda: bool(recorded_on))

    assert threading.get_ident() not in recorded_on


def test_a_response_that_the_garbage_collector_drops_ends_on_another_thread(
    switch_on: SwitchOn, telemetry: Telemetry, recorded_on: list[int], slow_threads: None
):
    switch_on()
    manager = Steady().connect().messages.with_streaming_response.create(**HELLO, stream=True)
    response = manager.__enter__()
    chunks = response.iter_bytes()
    next(chunks)
    collect(manager, response, chunks)
    del manager, response, chunks
    gc.collect()
    wait_until(lambda: bool(recorded_on))

    assert threading.get_ident() not in recorded_on


def test_a_coroutine_that_the_garbage_collector_drops_ends_on_another_thread(
    switch_on: SwitchOn, telemetry: Telemetry, recorded_on: list[int], slow_threads: None
):
    switch_on()

    async def main() -> None:
        call = await suspended_call()
        collect(call)
        del call
        gc.collect()

    asyncio.run(main())
    wait_until(lambda: bool(recorded_on))

    assert threading.get_ident() not in recorded_on


def drop_a_stream(switch_on: SwitchOn, mode: str) -> None:
    """Reads a stream in part, and forgets it."""
    switch_on(settings=Settings(native_spans=mode))
    next(Steady().connect().messages.create(**HELLO, stream=True))


@pytest.mark.skipif("_iterator" not in vars(anthropic.Stream), reason="a stream refers to itself, and waits for gc")
@pytest.mark.parametrize("mode", ["replace", "enrich", "keep"])
def test_a_stream_that_is_dropped_outside_of_a_collection_ends_at_once(
    switch_on: SwitchOn, telemetry: Telemetry, no_collection: None, mode: str
):
    """So that a program which ends a moment later has its span."""
    drop_a_stream(switch_on, mode)

    assert telemetry.count("gen_ai.client.operation.duration") == 1
    assert telemetry.total("claude.stream.interruptions", {"claude.stream.outcome": "abandoned"}) == 1


@pytest.mark.parametrize("mode", ["replace", "enrich", "keep"])
def test_a_dropped_stream_ends_with_the_next_collection(
    switch_on: SwitchOn, telemetry: Telemetry, no_collection: None, mode: str
):
    """Before 1.14, the SDK's stream and its generator refer to each other, so nobody else finds out."""
    drop_a_stream(switch_on, mode)
    gc.collect()
    wait_until(lambda: telemetry.count("gen_ai.client.operation.duration") == 1)

    assert telemetry.total("claude.stream.interruptions", {"claude.stream.outcome": "abandoned"}) == 1


def test_an_async_stream_that_is_left_in_the_middle_ends_with_its_loop(
    switch_on: SwitchOn, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
):
    switch_on()

    async def main() -> None:
        client = Steady().connect_async()
        async for _ in await client.messages.create(**HELLO, stream=True):
            break

    asyncio.run(main())
    gc.collect()
    wait_until(lambda: len(telemetry.spans) == 1)

    assert attributes_of_the_only_call(telemetry)["claude.stream.outcome"] == "abandoned"
    assert caplog.records == []


def test_dropped_streams_do_not_pile_up(switch_on: SwitchOn, telemetry: Telemetry):
    import weakref

    switch_on()
    client = Steady().connect()
    responses: list[Any] = []
    for _ in range(20):
        stream = client.messages.create(**HELLO, stream=True)
        responses.append(weakref.ref(stream.response))
        for _ in stream:
            pass
        del stream
    gc.collect()

    assert [response for response in responses if response() is not None] == []


@pytest.mark.parametrize("how", ["create", "stream", "error"])
def test_what_was_said_is_not_kept_until_metrics_are_collected(switch_on: SwitchOn, telemetry: Telemetry, how: str):
    """Prompts may be megabytes, and metrics may be collected once a minute, or never."""
    import weakref

    from anthropic import BadRequestError

    from otel_claude.testing import BadRequest

    class Said(dict[str, Any]):
        pass

    switch_on()
    claude = Steady()
    client = claude.connect()
    said = Said(HELLO["messages"][0])
    arguments: Any = {**HELLO, "messages": [said]}
    prompt = weakref.ref(said)
    if how == "error":
        claude.will(BadRequest("no"))
        with pytest.raises(BadRequestError):
            client.messages.create(**arguments)
    else:
        answer: Any = client.messages.create(**arguments, stream=how == "stream")
        _ = list(answer)
        del answer
    del said, arguments
    gc.collect()

    assert prompt() is None


def test_a_second_call_while_a_stream_is_open_is_its_sibling(
    claude: SimulatedClaude, switch_on: SwitchOn, telemetry: Telemetry
):
    switch_on()
    tracer = telemetry.tracer_provider.get_tracer("app")
    with tracer.start_as_current_span("app") as app, connect(claude) as client:
        for event in client.messages.create(**HELLO, stream=True):
            if event.type == "message_start":
                client.messages.create(**HELLO)

    calls = [span for span in telemetry.spans if span.name == SPAN]
    assert [span.parent and span.parent.span_id for span in calls] == [app.get_span_context().span_id] * 2
