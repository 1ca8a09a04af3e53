"""`messages.create`, answered at once."""

from typing import Any

import anthropic
from driver import ASK, USAGE, attributes, is_port, only_span, settled
from inline_snapshot import snapshot
from opentelemetry import trace

from otel_claude.testing import Answer, SimulatedClaude, Telemetry


async def test_a_call_is_one_span_with_all_that_is_known(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, clock: Any
):
    claude.will(Answer("Hello there", usage=USAGE, headers={"anthropic-workspace-id": "wrkspc_1"}))
    await settled(client.messages.create(**ASK))
    assert telemetry.tree(masked=is_port) == snapshot("""\
chat claude-sonnet-5-5 | client
    anthropic.message.stop_reason = "end_turn"
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0001"
    anthropic.response.service_tier = "standard"
    anthropic.usage.cache_creation.ephemeral_1h_input_tokens = 100
    anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 200
    anthropic.workspace.id = "wrkspc_1"
    claude.context.utilization = 0.002312
    claude.context.window = 1000000
    claude.cost.cache_read_usd = 0.0002
    claude.cost.cache_savings_usd = 0.0034999999999999996
    claude.cost.cache_write_usd = 0.0009
    claude.cost.input_usd = 2.4e-05
    claude.cost.output_usd = 0.00041000000000000005
    claude.cost.source = "genai-prices 0.2.3"
    claude.cost.usd = 0.001534
    claude.platform = "anthropic"
    claude.request.messages = 1
    gen_ai.operation.name = "chat"
    gen_ai.provider.name = "anthropic"
    gen_ai.request.max_tokens = 64
    gen_ai.request.model = "claude-sonnet-5-5"
    gen_ai.response.finish_reasons = ["end_turn"]
    gen_ai.response.id = "msg_sim_0001"
    gen_ai.response.model = "claude-sonnet-5-5"
    gen_ai.usage.cache_creation.input_tokens = 300
    gen_ai.usage.cache_read.input_tokens = 2000
    gen_ai.usage.cache_write.input_tokens = 300
    gen_ai.usage.input_tokens = 2312
    gen_ai.usage.output_tokens = 41
    gen_ai.usage.reasoning.output_tokens = 17
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …\
""")
    assert telemetry.metrics_table() == snapshot("""\
claude.context.utilization | histogram | 1
    1 x, sum 0.002312: gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
claude.cost | counter | USD
    0.0002: claude.cost.type="cache_read" claude.processing="standard" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
    0.0009: claude.cost.type="cache_write" claude.processing="standard" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
    2.4e-05: claude.cost.type="input" claude.processing="standard" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
    0.00041000000000000005: claude.cost.type="output" claude.processing="standard" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
claude.cost.savings | counter | USD
    0.0034999999999999996: claude.savings.type="cache" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
claude.rate_limit.limit | gauge | {request}
    400000: claude.rate_limit.type="input_tokens" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
    80000: claude.rate_limit.type="output_tokens" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
    4000: claude.rate_limit.type="requests" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
    480000: claude.rate_limit.type="tokens" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
claude.rate_limit.remaining | gauge | {request}
    400000: claude.rate_limit.type="input_tokens" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
    80000: claude.rate_limit.type="output_tokens" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
    3999: claude.rate_limit.type="requests" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
    480000: claude.rate_limit.type="tokens" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
claude.rate_limit.reset | gauge | s
    …: claude.rate_limit.type="input_tokens" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
    …: claude.rate_limit.type="output_tokens" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
    …: claude.rate_limit.type="requests" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
    …: claude.rate_limit.type="tokens" claude.workspace="wrkspc_1" gen_ai.provider.name="anthropic"
claude.responses | counter | {response}
    1: claude.stop_reason="end_turn" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
claude.token.usage | counter | {token}
    2000: claude.token.type="cache_read" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
    100: claude.token.type="cache_write_1h" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
    200: claude.token.type="cache_write_5m" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
    12: claude.token.type="input" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
    41: claude.token.type="output" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
    17: claude.token.type="reasoning" gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
gen_ai.client.operation.duration | histogram | s
    1 x, sum …: gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" server.address="127.0.0.1" server.port=…
gen_ai.client.token.usage | histogram | {token}
    1 x, sum 2312: gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" gen_ai.token.type="input" server.address="127.0.0.1" server.port=…
    1 x, sum 41: gen_ai.operation.name="chat" gen_ai.provider.name="anthropic" gen_ai.request.model="claude-sonnet-5-5" gen_ai.response.model="claude-sonnet-5-5" gen_ai.token.type="output" server.address="127.0.0.1" server.port=…\
""")
