"""`messages.parse`: the answer as an object of a class of the application."""

from typing import Any

from driver import ASK, USAGE, needs, settled
from inline_snapshot import snapshot
from pydantic import BaseModel

from otel_claude.testing import SimulatedClaude, Telemetry

pytestmark = needs("messages.parse")


class City(BaseModel):
    name: str


async def test_a_parsed_answer_is_one_whole_span(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.reply('{"name": "Paris"}', usage=USAGE)
    message = await settled(client.messages.parse(**ASK, output_format=City))
    assert message.parsed_output == City(name="Paris")
    assert telemetry.tree() == snapshot("""\
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
    gen_ai.output.type = "json"
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
