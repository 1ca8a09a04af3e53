"""`with_raw_response`: headers and body as they came, and parsed when the application wants it."""

from typing import Any

from driver import ASK, USAGE, attributes, is_environmental, items, read, settled
from inline_snapshot import snapshot

from fixture_types import Clock
from otel_claude.testing import Answer, SimulatedClaude, Telemetry

THREE_WORDS = Answer("One two three", usage=USAGE)


async def test_a_raw_response_is_one_whole_span_without_being_parsed(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, clock: Clock
):
    claude.will(THREE_WORDS)
    raw = await settled(client.messages.with_raw_response.create(**ASK))
    assert raw.headers["request-id"] == "req_sim_0001"
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


async def test_a_raw_response_may_be_parsed_later(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(THREE_WORDS)
    raw = await settled(client.messages.with_raw_response.create(**ASK))
    assert (await settled(raw.parse())).content[0].text == "One two three"
    assert attributes(telemetry)["gen_ai.usage.output_tokens"] == 40


async def test_a_zipped_raw_response_is_understood(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.reply(usage=USAGE, gzip=True)
    await settled(client.messages.with_raw_response.create(**ASK))
    assert attributes(telemetry)["gen_ai.usage.output_tokens"] == 40


async def test_a_raw_stream_that_is_parsed_is_one_whole_span(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, clock: Clock
):
    """Read without any manager."""
    claude.will(THREE_WORDS)
    raw = await settled(client.messages.with_raw_response.create(**ASK, stream=True))
    async for _ in items(await settled(raw.parse())):
        pass
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


async def test_a_raw_stream_may_be_read_as_lines(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(THREE_WORDS)
    response = (await settled(client.messages.with_raw_response.create(**ASK, stream=True))).http_response
    asynchronous = "Async" in type(client).__name__
    await read(response.aiter_lines() if asynchronous else response.iter_lines())
    assert attributes(telemetry)["gen_ai.usage.output_tokens"] == 40
    assert attributes(telemetry)["claude.stream.outcome"] == "completed"


async def test_accessors_that_exist_already_are_covered_and_restored(client: Any, instrument: Any):
    """The SDK keeps bound methods in them."""
    accessor = client.messages.with_raw_response
    telemetry = instrument()
    await settled(accessor.create(**ASK))
    assert len(telemetry.spans) == 1
