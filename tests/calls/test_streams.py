"""`messages.create(stream=True)`, read to its end in each way that there is, and its times."""

from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import pytest
from driver import ASK, USAGE, attributes, entered, is_environmental, items, only_span, read, settled
from inline_snapshot import snapshot
from stepwise import stepwise, streamed

from fixture_types import Clock, Instrument, Make
from otel_claude.testing import Answer, SimulatedClaude, Telemetry

THREE_WORDS = Answer("One two three", usage=USAGE)
"""Nine events: `message_start`, `content_block_start`, `ping`, three deltas, and what ends block and message.

The application sees eight of them: the SDK leaves out the `ping`.
"""
SEEN = 8


async def by_loop(stream: Any) -> None:
    async for _ in items(stream):
        pass


async def by_manager(stream: Any) -> None:
    async with entered(stream) as same:
        await by_loop(same)


async def by_next(stream: Any) -> None:
    step: Callable[[Any], Any] = anext if hasattr(stream, "__anext__") else next
    try:
        while True:
            await settled(step(stream))
    except (StopIteration, StopAsyncIteration):
        pass


async def by_loop_in_parts(stream: Any) -> None:
    async for event in items(stream):
        if event.type == "content_block_start":
            break
    await by_loop(stream)


Read = Callable[[Any], Awaitable[None]]


@pytest.mark.parametrize("read_all", [by_loop, by_manager, by_next, by_loop_in_parts])
async def test_a_stream_is_one_span_however_it_is_read(
    read_all: Read, client: Any, claude: SimulatedClaude, telemetry: Telemetry, clock: Clock
):
    claude.will(THREE_WORDS)
    await read_all(await settled(client.messages.create(**ASK, stream=True)))
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


async def test_the_metrics_of_a_stream_say_the_same(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(THREE_WORDS)
    await by_loop(await settled(client.messages.create(**ASK, stream=True)))

    def is_type(name: str) -> bool:
        return name.endswith((".type", "stop_reason"))

    assert telemetry.metrics_table(shown=is_type) == snapshot("""\
claude.context.utilization | histogram | 1
    1 x, sum 0.001412:
claude.cost | counter | USD
    0.0001: claude.cost.type="cache_read"
    0.0013: claude.cost.type="cache_write"
    2.4e-05: claude.cost.type="input"
    0.0004: claude.cost.type="output"
claude.cost.savings | counter | USD
    0.0014: claude.savings.type="cache"
claude.rate_limit.limit | gauge | {unit}
    400000: claude.rate_limit.type="input_tokens"
    80000: claude.rate_limit.type="output_tokens"
    4000: claude.rate_limit.type="requests"
    480000: claude.rate_limit.type="tokens"
claude.rate_limit.remaining | gauge | {unit}
    400000: claude.rate_limit.type="input_tokens"
    80000: claude.rate_limit.type="output_tokens"
    3999: claude.rate_limit.type="requests"
    480000: claude.rate_limit.type="tokens"
claude.rate_limit.reset | gauge | s
    …: claude.rate_limit.type="input_tokens"
    …: claude.rate_limit.type="output_tokens"
    …: claude.rate_limit.type="requests"
    …: claude.rate_limit.type="tokens"
claude.responses | counter | {response}
    1: claude.stop_reason="end_turn"
claude.token.usage | counter | {token}
    1000: claude.token.type="cache_read"
    200: claude.token.type="cache_write_1h"
    200: claude.token.type="cache_write_5m"
    12: claude.token.type="input"
    40: claude.token.type="output"
    17: claude.token.type="reasoning"
claude.trace.spans | counter | {span}
    1:
gen_ai.client.operation.duration | histogram | s
    1 x, sum …:
gen_ai.client.operation.time_to_first_chunk | histogram | s
    1 x, sum …:
gen_ai.client.token.usage | histogram | {token}
    1 x, sum 1412: gen_ai.token.type="input"
    1 x, sum 40: gen_ai.token.type="output"\
""")


async def test_a_stream_is_the_sdks_own(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    stream = await settled(client.messages.create(**ASK, stream=True))
    assert type(stream) in (anthropic.Stream, anthropic.AsyncStream)
    assert stream.response.headers["request-id"] == "req_sim_0001"
    assert [event.type for event in await read(stream)][-1] == "message_stop"


async def test_the_span_lasts_until_the_stream_has_been_read(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(THREE_WORDS)
    async for event in items(await settled(client.messages.create(**ASK, stream=True))):
        assert event.type == "message_stop" or telemetry.spans == []
    assert len(telemetry.spans) == 1


async def test_times_are_those_that_the_application_waits(make: Make, telemetry: Telemetry, clock: Clock):
    """Each event takes 100 ms to come, and the application 1 s to use it, which is no wait for the API.

    The first content comes with the second event. The `ping` comes third, so the longest wait of the application is
    that for the fourth event: 200 ms.
    """
    client, _ = stepwise(make, streamed(THREE_WORDS), before_each=lambda: clock.advance(0.1))
    async for _ in items(await settled(client.messages.create(**ASK, stream=True))):
        clock.advance(1)
    told = attributes(telemetry)
    assert told["gen_ai.response.time_to_first_chunk"] == pytest.approx(0.1 + 1 + 0.1)
    assert told["claude.stream.max_gap_s"] == pytest.approx(0.2)
    assert told["claude.stream.chunks"] == SEEN
    span = only_span(telemetry)
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == pytest.approx((9 * 0.1 + SEEN * 1) * 1e9)
    assert telemetry.total("gen_ai.client.operation.time_to_first_chunk") == pytest.approx(1.2)
    assert telemetry.total("gen_ai.client.operation.duration") == pytest.approx(8.9)


async def test_times_are_real(client: Any, telemetry: Telemetry):
    await by_loop(await settled(client.messages.create(**ASK, stream=True)))
    told = attributes(telemetry)
    duration = telemetry.total("gen_ai.client.operation.duration")
    assert 0 < told["gen_ai.response.time_to_first_chunk"] < duration
    assert 0 < told["claude.stream.max_gap_s"] < duration


async def test_chunks_are_no_metric_by_default(client: Any, telemetry: Telemetry):
    await by_loop(await settled(client.messages.create(**ASK, stream=True)))
    assert "gen_ai.client.operation.time_per_output_chunk" not in telemetry.metrics


async def test_chunks_are_a_metric_where_that_was_asked_for(make: Make, instrument: Instrument, clock: Clock):
    """A point for each event but the first: seven, of 100 ms each, and of 200 ms where a `ping` came in between."""
    telemetry = instrument(chunk_metrics=True)
    client, _ = stepwise(make, streamed(THREE_WORDS), before_each=lambda: clock.advance(0.1))
    await by_loop(await settled(client.messages.create(**ASK, stream=True)))
    assert telemetry.count("gen_ai.client.operation.time_per_output_chunk") == SEEN - 1
    assert telemetry.total("gen_ai.client.operation.time_per_output_chunk") == pytest.approx(6 * 0.1 + 0.2)


async def test_nothing_is_read_ahead_of_the_application(make: Make, telemetry: Telemetry):
    client, body = stepwise(make, streamed(THREE_WORDS))
    stream = await settled(client.messages.create(**ASK, stream=True))
    assert body.pulled == 0
    pulled = [body.pulled async for _ in items(stream)]
    assert pulled == [1, 2, 4, 5, 6, 7, 8, 9]


async def test_two_streams_that_are_open_at_once_keep_their_own_numbers(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.reply("One two", usage={"input_tokens": 1, "output_tokens": 10})
    claude.reply("One two", usage={"input_tokens": 2, "output_tokens": 20})
    one, other = [items(await settled(client.messages.create(**ASK, stream=True))) for _ in range(2)]
    async for _ in one:
        await anext(other)
    await by_loop(other)
    tokens = [(span.attributes or {}).get("gen_ai.usage.output_tokens") for span in telemetry.spans]
    assert tokens == [10, 20]
    assert len({span.context.trace_id for span in telemetry.spans if span.context}) == 2


async def test_a_call_while_a_stream_is_open_is_a_span_of_its_own(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(THREE_WORDS)
    claude.reply(usage={"input_tokens": 2, "output_tokens": 20})
    stream = items(await settled(client.messages.create(**ASK, stream=True)))
    await anext(stream)
    await settled(client.messages.create(**ASK))
    await by_loop(stream)
    tokens = [(span.attributes or {}).get("gen_ai.usage.output_tokens") for span in telemetry.spans]
    assert tokens == [20, 40]
    assert [span.parent for span in telemetry.spans] == [None, None]


async def test_numbers_of_a_stream_are_cumulative(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    """`message_start` says 3 output tokens and `message_delta` 40: that is 40, not 43."""
    claude.will(Answer(usage=USAGE, first_usage={**USAGE, "output_tokens": 3}))
    await by_loop(await settled(client.messages.create(**ASK, stream=True)))
    assert attributes(telemetry)["gen_ai.usage.output_tokens"] == 40
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 40


async def test_a_delta_may_correct_the_input(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    """With server tools the prompt grows while the answer is made."""
    first = {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1}
    claude.will(
        Answer(usage={"input_tokens": 110, "cache_read_input_tokens": 5, "output_tokens": 9}, first_usage=first)
    )
    await by_loop(await settled(client.messages.create(**ASK, stream=True)))
    assert attributes(telemetry)["gen_ai.usage.input_tokens"] == 115
