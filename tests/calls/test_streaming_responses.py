"""`with_streaming_response`: the application reads the answer itself, in any way, and nothing does so before it."""

import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from driver import ASK, USAGE, attributes, entered, is_environmental, items, read, settled
from inline_snapshot import snapshot
from stepwise import stepwise, streamed

from fixture_types import Clock, Make
from otel_claude.testing import Answer, Raw, SimulatedClaude, Telemetry
from otel_claude.testing.messages import Ids

THREE_WORDS = Answer("One two three", usage=USAGE)


async def parse(response: Any) -> Any:
    return await settled(response.parse())


async def parsed_stream(response: Any) -> Any:
    return await read(await settled(response.parse()))


async def as_json(response: Any) -> Any:
    return await settled(response.json())


async def as_text(response: Any) -> Any:
    return await settled(response.text())


async def as_bytes(response: Any) -> Any:
    return await settled(response.read())


async def iter_lines(response: Any) -> Any:
    return await read(response.iter_lines())


async def iter_bytes(response: Any) -> Any:
    return await read(response.iter_bytes(7))


async def iter_text(response: Any) -> Any:
    return await read(response.iter_text())


async def iter_raw(response: Any) -> Any:
    return await read(response.http_response.iter_raw() if _is_sync(response) else response.http_response.aiter_raw())


def _is_sync(response: Any) -> bool:
    return not type(response).__name__.startswith("Async")


Read = Callable[[Any], Awaitable[Any]]
BYTES: tuple[Read, ...] = (as_text, as_bytes, iter_lines, iter_bytes, iter_text, iter_raw)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("read_all", [parse, as_json, *BYTES])
async def test_an_answer_that_is_read_in_any_way_is_one_whole_span(
    read_all: Read, zipped: bool, client: Any, claude: SimulatedClaude, telemetry: Telemetry, clock: Clock
):
    claude.will(Answer("One two three", usage=USAGE, gzip=zipped))
    async with entered(client.messages.with_streaming_response.create(**ASK)) as response:
        assert telemetry.spans == []
        assert await read_all(response)
    assert telemetry.tree(masked=is_environmental) == snapshot("""\
chat claude-sonnet-5-5 | client
    anthropic.message.stop_reason = "end_turn"
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
    claude.cost.input_usd = 2.4e-05
    claude.cost.output_usd = 0.0004
    claude.cost.source = "genai-prices 0.2.3"
    claude.cost.usd = 0.001824
    claude.platform = "anthropic"
    claude.request.messages = 1
    claude.request.size_bytes = …
    gen_ai.operation.name = "chat"
    gen_ai.provider.name = "anthropic"
    gen_ai.request.max_tokens = 64
    gen_ai.request.model = "claude-sonnet-5-5"
    gen_ai.response.finish_reasons = ["end_turn"]
    gen_ai.response.id = "msg_sim_0001"
    gen_ai.response.model = "claude-sonnet-5-5"
    gen_ai.usage.cache_creation.input_tokens = 400
    gen_ai.usage.cache_read.input_tokens = 1000
    gen_ai.usage.cache_write.input_tokens = 400
    gen_ai.usage.input_tokens = 1412
    gen_ai.usage.output_tokens = 40
    gen_ai.usage.reasoning.output_tokens = 17
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …\
""")


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("read_all", [parsed_stream, *BYTES])
async def test_a_stream_that_is_read_in_any_way_is_one_whole_span(
    read_all: Read, zipped: bool, client: Any, claude: SimulatedClaude, telemetry: Telemetry, clock: Clock
):
    claude.will(Answer("One two three", usage=USAGE, gzip=zipped))
    async with entered(client.messages.with_streaming_response.create(**ASK, stream=True)) as response:
        assert telemetry.spans == []
        assert await read_all(response)
    assert telemetry.tree(masked=is_environmental) == snapshot("""\
chat claude-sonnet-5-5 | client
    anthropic.message.stop_reason = "end_turn"
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
    claude.cost.input_usd = 2.4e-05
    claude.cost.output_usd = 0.0004
    claude.cost.source = "genai-prices 0.2.3"
    claude.cost.usd = 0.001824
    claude.platform = "anthropic"
    claude.request.messages = 1
    claude.request.size_bytes = …
    claude.stream.chunks = 8
    claude.stream.max_gap_s = 0.0
    claude.stream.outcome = "completed"
    gen_ai.operation.name = "chat"
    gen_ai.provider.name = "anthropic"
    gen_ai.request.max_tokens = 64
    gen_ai.request.model = "claude-sonnet-5-5"
    gen_ai.request.stream = true
    gen_ai.response.finish_reasons = ["end_turn"]
    gen_ai.response.id = "msg_sim_0001"
    gen_ai.response.model = "claude-sonnet-5-5"
    gen_ai.response.time_to_first_chunk = 0.0
    gen_ai.usage.cache_creation.input_tokens = 400
    gen_ai.usage.cache_read.input_tokens = 1000
    gen_ai.usage.cache_write.input_tokens = 400
    gen_ai.usage.input_tokens = 1412
    gen_ai.usage.output_tokens = 40
    gen_ai.usage.reasoning.output_tokens = 17
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …\
""")


@pytest.mark.parametrize("read_all", [as_bytes, iter_lines])
async def test_the_application_gets_every_byte(
    read_all: Read, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    body: dict[str, Any] = {"type": "message", "id": "msg_1", "model": "m", "content": [], "usage": {"input_tokens": 1}}
    claude.will(Raw(body=body))
    async with entered(client.messages.with_streaming_response.create(**ASK)) as response:
        got = await read_all(response)
    assert json.loads(got if isinstance(got, bytes) else "".join(got)) == body
    assert attributes(telemetry)["gen_ai.response.id"] == "msg_1"


async def test_nothing_is_read_ahead_of_the_application(make: Make, telemetry: Telemetry):
    client, body = stepwise(make, streamed(THREE_WORDS))
    async with entered(client.messages.with_streaming_response.create(**ASK, stream=True)) as response:
        assert body.pulled == 0
        pulled = [body.pulled async for _ in items(response.iter_bytes())]
    assert pulled == list(range(1, 10))


async def test_an_answer_that_is_no_stream_is_not_read_ahead_either(make: Make, telemetry: Telemetry):
    whole = json.dumps(THREE_WORDS.message(Ids(), "claude-sonnet-5-5", {})).encode()
    chunks = [whole[:10], whole[10:200], whole[200:]]
    client, body = stepwise(make, chunks, media_type="application/json")
    async with entered(client.messages.with_streaming_response.create(**ASK)) as response:
        assert body.pulled == 0
        assert [body.pulled async for _ in items(response.iter_bytes())] == [1, 2, 3]
    assert attributes(telemetry)["gen_ai.usage.output_tokens"] == 40


@pytest.mark.parametrize("size", [1, 7, 1_000])
@pytest.mark.parametrize("zipped", [False, True])
async def test_events_are_understood_wherever_chunks_begin_and_end(
    zipped: bool, size: int, make: Make, telemetry: Telemetry
):
    whole = b"".join(streamed(THREE_WORDS))
    whole = gzip.compress(whole) if zipped else whole
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    client, _ = stepwise(make, chunks, encoding="gzip" if zipped else "identity")
    async with entered(client.messages.with_streaming_response.create(**ASK, stream=True)) as response:
        await iter_bytes(response)
    told = attributes(telemetry)
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (1_412, 40)
    assert told["claude.stream.chunks"] == 8


async def test_times_are_those_of_the_events(make: Make, telemetry: Telemetry, clock: Clock):
    """Each chunk is an event and takes 100 ms: the first content comes with the second."""
    client, _ = stepwise(make, streamed(THREE_WORDS), before_each=lambda: clock.advance(0.1))
    async with entered(client.messages.with_streaming_response.create(**ASK, stream=True)) as response:
        async for _ in items(response.iter_bytes()):
            clock.advance(1)
    told = attributes(telemetry)
    assert told["gen_ai.response.time_to_first_chunk"] == pytest.approx(0.1 + 1 + 0.1)
    assert told["claude.stream.max_gap_s"] == pytest.approx(0.1)


async def test_an_answer_that_is_not_read_ends_with_its_manager(client: Any, telemetry: Telemetry):
    async with entered(client.messages.with_streaming_response.create(**ASK)) as response:
        assert response.headers["request-id"] == "req_sim_0001"
    told = attributes(telemetry)
    assert told["anthropic.request.id"] == "req_sim_0001"
    assert "gen_ai.usage.input_tokens" not in told


async def test_a_manager_that_is_never_entered_is_no_call(client: Any, telemetry: Telemetry):
    manager = client.messages.with_streaming_response.create(**ASK)
    if hasattr(manager, "__aenter__"):
        # The async SDK has made a coroutine, which Python would warn of.
        manager._api_request.close()
    assert telemetry.spans == []
