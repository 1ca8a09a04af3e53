"""Legacy Text Completions, which the SDK has before 1.0. Their answers have no usage."""

from typing import Any

from driver import is_environmental, items, needs, settled
from inline_snapshot import snapshot

from fixture_types import Clock
from otel_claude.testing import SimulatedClaude, Telemetry

pytestmark = needs("completions")
ASK = {"model": "claude-2.1", "max_tokens_to_sample": 64, "prompt": "\n\nHuman: Hello\n\nAssistant:"}


async def test_a_completion_is_one_span(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    await settled(client.completions.create(**ASK))
    assert telemetry.tree() == snapshot("""\
text_completion claude-2.1 | client
    anthropic.message.stop_reason = "stop_sequence"
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0001"
    claude.platform = "anthropic"
    claude.request.size_bytes = …
    gen_ai.operation.name = "text_completion"
    gen_ai.provider.name = "anthropic"
    gen_ai.request.max_tokens = 64
    gen_ai.request.model = "claude-2.1"
    gen_ai.response.finish_reasons = ["stop_sequence"]
    gen_ai.response.id = "compl_sim_0001"
    gen_ai.response.model = "claude-2.1"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …\
""")
    assert "claude.cost" not in telemetry.metrics


async def test_a_streamed_completion_is_one_span(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, clock: Clock
):
    claude.reply("One two")
    async for _ in items(await settled(client.completions.create(**ASK, stream=True))):
        pass
    assert telemetry.tree(masked=is_environmental) == snapshot("""\
text_completion claude-2.1 | client
    anthropic.message.stop_reason = "stop_sequence"
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0001"
    claude.platform = "anthropic"
    claude.request.size_bytes = …
    claude.stream.chunks = 3
    claude.stream.max_gap_s = 0.0
    claude.stream.outcome = "completed"
    gen_ai.operation.name = "text_completion"
    gen_ai.provider.name = "anthropic"
    gen_ai.request.max_tokens = 64
    gen_ai.request.model = "claude-2.1"
    gen_ai.request.stream = true
    gen_ai.response.finish_reasons = ["stop_sequence"]
    gen_ai.response.id = "compl_sim_0001"
    gen_ai.response.model = "claude-2.1"
    gen_ai.response.time_to_first_chunk = 0.0
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …\
""")
