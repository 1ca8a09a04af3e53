"""`messages.stream()`, the SDK's helper, with each of its ways to read."""

import gc
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from driver import ASK, USAGE, entered, is_environmental, items, only_span, read, settled
from inline_snapshot import snapshot

from fixture_types import API_KEY, Clock, Instrument, Make
from otel_claude.testing import Answer, SimulatedClaude, Telemetry

THREE_WORDS = Answer("One two three", usage=USAGE)


async def events(stream: Any) -> None:
    assert [event.type async for event in items(stream)][-1] == "message_stop"


async def text_stream(stream: Any) -> None:
    assert "".join(await read(stream.text_stream)) == "One two three"


async def final_message(stream: Any) -> None:
    assert (await settled(stream.get_final_message())).usage.output_tokens == 40


async def final_text(stream: Any) -> None:
    assert await settled(stream.get_final_text()) == "One two three"


async def until_done(stream: Any) -> None:
    await settled(stream.until_done())


async def text_and_final_message(stream: Any) -> None:
    await text_stream(stream)
    await final_message(stream)


@pytest.mark.parametrize(
    "read_all", [events, text_stream, final_message, final_text, until_done, text_and_final_message]
)
async def test_a_helper_stream_is_one_span_however_it_is_read(
    read_all: Callable[[Any], Awaitable[None]],
    client: Any,
    claude: SimulatedClaude,
    telemetry: Telemetry,
    clock: Clock,
):
    """The helper makes more events than the API sends. Those do not count."""
    claude.will(THREE_WORDS)
    async with entered(client.messages.stream(**ASK)) as stream:
        await read_all(stream)
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
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 40
    assert telemetry.count("gen_ai.client.operation.duration") == 1
    assert telemetry.count("gen_ai.client.operation.time_to_first_chunk") == 1


async def test_a_helper_stream_that_nobody_reads_was_abandoned(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(THREE_WORDS)
    async with entered(client.messages.stream(**ASK)):
        pass
    told = only_span(telemetry).attributes or {}
    assert told["claude.stream.outcome"] == "abandoned"
    assert "gen_ai.usage.input_tokens" not in told


def made_and_dropped(client: Any) -> list[str]:
    """The warnings about a helper stream that is made and never entered."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        client.messages.stream(**ASK)
        gc.collect()
    return [str(warning.message) for warning in seen]


async def test_a_helper_stream_that_is_never_entered_is_no_call(make: Make, instrument: Instrument):
    """The async SDK makes a coroutine that nobody awaits, and Python warns of it as it does without us."""
    client = make(api_key=API_KEY)
    without = made_and_dropped(client)
    telemetry = instrument()
    assert made_and_dropped(client) == without
    assert telemetry.spans == []
    assert telemetry.metrics == {}
