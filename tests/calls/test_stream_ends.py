"""How streams end that are not read to their end, or break, in each form in which an application can read one."""

import asyncio
import gc
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Any, NamedTuple

import anthropic
import pytest
from driver import (
    ASK,
    USAGE,
    closed,
    entered,
    eventually,
    in_time,
    items,
    only_async,
    only_span,
    only_sync,
    read,
    settled,
)
from inline_snapshot import snapshot
from opentelemetry.trace import StatusCode
from stepwise import http, stepwise, streamed

from fixture_types import API_KEY, Instrument, Make
from otel_claude.testing import Answer, Cut, EndsEarly, ErrorEvent, Hang, Outcome, SimulatedClaude, Telemetry

THREE_WORDS = Answer("One two three", usage=USAGE)


@asynccontextmanager
async def raw_stream(client: Any) -> AsyncGenerator[Any]:
    async with entered(await settled(client.messages.create(**ASK, stream=True))) as stream:
        yield stream


@asynccontextmanager
async def helper_stream(client: Any) -> AsyncGenerator[Any]:
    async with entered(client.messages.stream(**ASK)) as stream:
        yield stream


@asynccontextmanager
async def text_stream(client: Any) -> AsyncGenerator[Any]:
    async with entered(client.messages.stream(**ASK)) as stream:
        yield stream.text_stream


@asynccontextmanager
async def raw_response(client: Any) -> AsyncGenerator[Any]:
    raw = await settled(client.messages.with_raw_response.create(**ASK, stream=True))
    async with entered(await settled(raw.parse())) as stream:
        yield stream


@asynccontextmanager
async def streaming_response(client: Any) -> AsyncGenerator[Any]:
    async with (
        entered(client.messages.with_streaming_response.create(**ASK, stream=True)) as response,
        entered(await settled(response.parse())) as stream,
    ):
        yield stream


@asynccontextmanager
async def lines(client: Any) -> AsyncGenerator[Any]:
    async with entered(client.messages.with_streaming_response.create(**ASK, stream=True)) as response:
        yield response.iter_lines()


Form = Callable[[Any], AbstractAsyncContextManager[Any]]
FORMS: tuple[Form, ...] = (raw_stream, helper_stream, text_stream, raw_response, streaming_response, lines)


class End(NamedTuple):
    """What becomes of a stream, and what its telemetry says of that."""

    outcome: Outcome
    error_type: str


BROKEN = {
    "cut": End(Cut(after_events=5, then=THREE_WORDS), "stream_interrupted"),
    "error event": End(ErrorEvent("overloaded_error", after_events=5, then=THREE_WORDS), "overloaded_error"),
    "read timeout": End(Hang(5, after_events=5, then=THREE_WORDS), "timeout"),
    "no end event": End(EndsEarly(after_events=5, then=THREE_WORDS), "stream_interrupted"),
}


def told_of(telemetry: Telemetry) -> dict[str, Any]:
    """What the span and the metrics say of the end of the only call."""
    span = only_span(telemetry)
    eventually(lambda: telemetry.count("gen_ai.client.operation.duration"))
    told = span.attributes or {}
    metrics = telemetry.metrics
    return {
        "status": span.status.status_code.name,
        "outcome": told.get("claude.stream.outcome"),
        "error": told.get("error.type"),
        "finish_reasons": told.get("gen_ai.response.finish_reasons"),
        "input": told.get("gen_ai.usage.input_tokens"),
        "output": told.get("gen_ai.usage.output_tokens"),
        "tokens in metrics": {
            point["attributes"]["gen_ai.token.type"]: point["sum"]
            for point in metrics.get("gen_ai.client.token.usage", ())
        },
        "interruptions": [
            (point["attributes"].get("claude.stream.outcome"), point["attributes"].get("error.type"))
            for point in metrics.get("claude.stream.interruptions", ())
        ],
        "exceptions": [event.attributes["error.type"] for event in telemetry.events if "exception" in event.name],
    }


def abandoned() -> dict[str, Any]:
    return {
        "status": "UNSET",
        "outcome": "abandoned",
        "error": None,
        "finish_reasons": None,
        "input": 1_412,
        "output": None,
        "tokens in metrics": {"input": 1_412},
        "interruptions": [("abandoned", None)],
        "exceptions": [],
    }


def broken(error_type: str) -> dict[str, Any]:
    return {
        "status": "ERROR",
        "outcome": "interrupted",
        "error": error_type,
        "finish_reasons": ("error",),
        "input": 1_412,
        "output": None,
        "tokens in metrics": {"input": 1_412},
        "interruptions": [("interrupted", error_type)],
        "exceptions": [error_type],
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", BROKEN)
async def test_a_stream_that_breaks_is_an_error(
    name: str, form: Form, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    end = BROKEN[name]
    claude.will(end.outcome)
    impatient = client.with_options(timeout=0.5) if name == "read timeout" else client
    said_by_sdk: Exception | None = None
    try:
        async with form(impatient) as stream:
            await read(stream)
    except Exception as error:  # what it is differs by form and version
        said_by_sdk = error
    assert (said_by_sdk is None) == (name == "no end event" or (name == "error event" and form is lines))
    assert told_of(telemetry) == broken(end.error_type)


@pytest.mark.parametrize("form", FORMS)
async def test_a_stream_that_is_broken_off_was_abandoned(
    form: Form, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(THREE_WORDS)
    async with form(client) as stream:
        async for _ in items(stream):
            break
    assert told_of(telemetry) == abandoned()


@pytest.mark.parametrize("form", FORMS)
async def test_an_exception_of_the_application_is_none_of_the_stream(
    form: Form, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(THREE_WORDS)

    async def application() -> None:
        async with form(client) as stream:
            async for _ in items(stream):
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await application()
    assert told_of(telemetry) == abandoned()


@pytest.mark.parametrize("form", [raw_stream, helper_stream])
async def test_a_stream_that_is_closed_early_was_abandoned(
    form: Form, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(THREE_WORDS)
    async with form(client) as stream:
        await anext(items(stream))
        await closed(stream)
        assert told_of(telemetry) == abandoned()


async def test_a_stream_that_is_dropped_was_abandoned(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(THREE_WORDS)
    stream = await settled(client.messages.create(**ASK, stream=True))
    reading = items(stream)
    await anext(reading)
    del stream, reading
    await in_time(lambda: [gc.collect(), *telemetry.spans][1:])
    assert told_of(telemetry) == abandoned()


async def test_a_stream_that_is_never_read_was_abandoned(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    stream = await settled(client.messages.create(**ASK, stream=True))
    assert telemetry.spans == []
    del stream
    gc.collect()
    told = told_of(telemetry)
    assert (told["status"], told["outcome"], told["tokens in metrics"]) == ("UNSET", "abandoned", {})


@pytest.mark.parametrize("last", ["message_delta", "message_stop"])
async def test_a_stream_that_has_said_all_is_complete(
    last: str, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """The bill and the stop reason have come with `message_delta`."""
    claude.will(THREE_WORDS)
    async with raw_stream(client) as stream:
        async for event in items(stream):
            if event.type == last:
                break
    told = told_of(telemetry)
    assert (told["status"], told["outcome"], told["output"]) == ("UNSET", "completed", 40)
    assert told["interruptions"] == []


async def test_a_stream_that_is_cut_after_its_bill_has_one(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    """Of nine events, the eighth says how many tokens there are and why the model stopped."""
    claude.will(Cut(after_events=8, then=THREE_WORDS))
    with pytest.raises(Exception):  # noqa: B017, PT011  # what it is differs by version
        async with raw_stream(client) as stream:
            await read(stream)
    told = told_of(telemetry)
    assert (told["outcome"], told["output"], told["finish_reasons"]) == ("interrupted", 40, ("end_turn",))
    assert told["tokens in metrics"] == {"input": 1_412, "output": 40}


async def test_a_stream_that_breaks_after_it_was_read_in_part_is_a_whole_trace(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(ErrorEvent("overloaded_error", after_events=5, then=THREE_WORDS))
    with pytest.raises(anthropic.APIStatusError):
        async with raw_stream(client) as stream:
            await read(stream)
    assert telemetry.tree() == snapshot("""\
chat claude-sonnet-5-5 | client | error: {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}}
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0001"
    anthropic.response.service_tier = "standard"
    anthropic.usage.cache_creation.ephemeral_1h_input_tokens = 200
    anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 200
    claude.context.utilization = 0.001412
    claude.context.window = 1000000
    claude.cost.cache_read_usd = 0.0001
    claude.cost.cache_savings_usd = 0.0014
    claude.cost.cache_write_usd = 0.0013
    claude.cost.estimated = ["output_unknown"]
    claude.cost.input_usd = 2.4e-05
    claude.cost.source = "genai-prices 0.2.3"
    claude.error.category = "overloaded"
    claude.error.hint = "The API ran out of capacity in the middle of the answer: send it again, since the SDK does not retry then."
    claude.platform = "anthropic"
    claude.request.messages = 1
    claude.request.size_bytes = …
    claude.stream.chunks = 4
    claude.stream.max_gap_s = …
    claude.stream.outcome = "interrupted"
    error.type = "overloaded_error"
    gen_ai.operation.name = "chat"
    gen_ai.provider.name = "anthropic"
    gen_ai.request.max_tokens = 64
    gen_ai.request.model = "claude-sonnet-5-5"
    gen_ai.request.stream = true
    gen_ai.response.finish_reasons = ["error"]
    gen_ai.response.id = "msg_sim_0001"
    gen_ai.response.model = "claude-sonnet-5-5"
    gen_ai.response.time_to_first_chunk = …
    gen_ai.usage.cache_creation.input_tokens = 400
    gen_ai.usage.cache_read.input_tokens = 1000
    gen_ai.usage.cache_write.input_tokens = 400
    gen_ai.usage.input_tokens = 1412
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …
    * gen_ai.client.operation.exception | warn
        anthropic.request.id = "req_sim_0001"
        claude.error.category = "overloaded"
        claude.error.hint = "The API ran out of capacity in the middle of the answer: send it again, since the SDK does not retry then."
        claude.platform = "anthropic"
        claude.request.messages = 1
        error.type = "overloaded_error"
        exception.message = "{'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}}"
        exception.stacktrace = …
        exception.type = "anthropic.APIStatusError"
        gen_ai.operation.name = "chat"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.max_tokens = 64
        gen_ai.request.model = "claude-sonnet-5-5"
        gen_ai.request.stream = true
        server.address = "127.0.0.1"
        server.port = …
    * claude.stream.interrupted | warn
        anthropic.request.id = "req_sim_0001"
        claude.stream.chunks = 4
        claude.stream.duration_s = …
        claude.stream.likely_cause = "The API was overloaded and ended the stream: try again, after a pause that grows with each failure."
        claude.stream.max_gap_s = …
        claude.stream.silence_s = …
        error.type = "overloaded_error"
        gen_ai.operation.name = "chat"
        gen_ai.provider.name = "anthropic"
        gen_ai.request.model = "claude-sonnet-5-5"
        gen_ai.response.model = "claude-sonnet-5-5"
        gen_ai.usage.input_tokens = 1412
        server.address = "127.0.0.1"
        server.port = …\
""")  # noqa: E501  # as they are written


@pytest.mark.parametrize("form", FORMS)
@only_async
async def test_a_stream_whose_task_is_cancelled_is_no_error(
    form: Form, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Hang(5, after_events=5, then=THREE_WORDS))
    started = asyncio.Event()

    async def application() -> None:
        async with form(client) as stream:
            async for _ in items(stream):
                started.set()

    task = asyncio.create_task(application())
    await started.wait()
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    told = {"outcome": "cancelled", "interruptions": [("cancelled", None)]}
    assert told_of(telemetry) == abandoned() | told


@only_async
async def test_a_call_whose_task_is_cancelled_is_no_error(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Hang(5))
    task = asyncio.create_task(client.messages.create(**ASK))
    await in_time(lambda: claude.requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    span = only_span(telemetry)
    assert span.status.status_code is StatusCode.UNSET
    assert "error.type" not in (span.attributes or {})
    assert telemetry.events == []
    assert telemetry.count("gen_ai.client.operation.duration") == 1


@only_sync
def test_a_stream_may_be_read_on_another_thread(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(THREE_WORDS)
    stream = client.messages.create(**ASK, stream=True)
    thread = threading.Thread(target=lambda: list(stream))
    thread.start()
    thread.join()
    client.messages.create(**ASK)
    assert (telemetry.spans[0].attributes or {})["gen_ai.usage.output_tokens"] == 40
    assert [span.parent for span in telemetry.spans] == [None, None]


@only_async
async def test_a_stream_may_be_read_in_another_task(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(THREE_WORDS)
    stream = await client.messages.create(**ASK, stream=True)
    await asyncio.create_task(read(stream))
    await client.messages.create(**ASK)
    assert (telemetry.spans[0].attributes or {})["gen_ai.usage.output_tokens"] == 40
    assert [span.parent for span in telemetry.spans] == [None, None]


@only_sync
def test_a_stream_that_another_thread_closes_was_abandoned(make: Make, telemetry: Telemetry):
    """The reader gets an error of the HTTP library, at once, while `close` is still at work."""
    closing = threading.Event()
    chunk = count(1)

    def wait() -> None:
        if next(chunk) == 5:
            closing.wait()
            raise http.ReadError("closed")

    def close() -> None:
        closing.set()
        if threading.current_thread() is not reader:
            reader.join()

    client, body = stepwise(make, streamed(THREE_WORDS), before_each=wait)
    body.close = close
    stream = client.messages.create(**ASK, stream=True)
    errors: list[Exception] = []

    def read_all() -> None:
        try:
            list(stream)
        except http.ReadError as error:
            errors.append(error)

    reader = threading.Thread(target=read_all)
    reader.start()
    eventually(lambda: body.pulled == 5)
    stream.close()
    assert len(errors) == 1
    assert told_of(telemetry) == abandoned()


@pytest.mark.parametrize("instrumented", [False, True])
def test_a_stream_that_is_open_when_its_loop_ends_is_closed_in_silence(
    instrumented: bool, claude: SimulatedClaude, instrument: Instrument, caplog: pytest.LogCaptureFixture
):
    """Asyncio closes what is left of generators, in any order, and logs what stands in the way of that."""
    telemetry = instrument() if instrumented else None
    kept: list[object] = []

    async def application() -> None:
        client = anthropic.AsyncAnthropic(base_url=claude.base_url, api_key=API_KEY)
        kept.append(await client.messages.create(**ASK, stream=True))
        async for _ in items(kept[-1]):
            break

    for _ in range(5):
        asyncio.run(application())
    ours = ("AsyncStream.__stream__", "told")
    assert [record.message for record in caplog.records if any(name in record.message for name in ours)] == []
    kept.clear()
    gc.collect()
    if telemetry is not None:
        eventually(lambda: len(telemetry.spans) == 5)
        outcomes = [(span.attributes or {})["claude.stream.outcome"] for span in telemetry.spans]
        assert outcomes == ["abandoned"] * 5


async def test_an_end_right_before_the_end_event_is_an_end_without_it(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """All that is billed has been said by then; that the answer was cut has not."""
    events = 7  # message_start, content_block_start, ping, delta, content_block_stop, message_delta: all but the last
    claude.will(EndsEarly(events - 1, then=Answer("Hi", usage=USAGE)))
    kinds = [event.type for event in await read(await settled(client.messages.create(**ASK, stream=True)))]
    assert kinds[-1] == "message_delta"
    told = only_span(telemetry).attributes or {}
    assert (told["error.type"], told["claude.stream.outcome"]) == ("stream_interrupted", "interrupted")
    assert told["gen_ai.usage.output_tokens"] == 40
