"""`messages.count_tokens`."""

from typing import Any

import pytest
from driver import ASK, settled
from inline_snapshot import snapshot

from otel_claude.testing import Telemetry

QUESTION = {name: ASK[name] for name in ("model", "messages")}


@pytest.mark.parametrize("beta", [False, True])
async def test_counting_tokens_is_a_span_without_usage(beta: bool, client: Any, telemetry: Telemetry):
    """Nobody is billed for counting. The JSON of the messages has 41 characters, and four make a token here."""
    messages = client.beta.messages if beta else client.messages
    counted = await settled(messages.count_tokens(**QUESTION))
    assert counted.input_tokens == 41 // 4
    assert telemetry.tree() == snapshot("""\
anthropic.messages.count_tokens | client
    anthropic.message.count_tokens.input_tokens = 10
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0001"
    claude.platform = "anthropic"
    claude.request.size_bytes = …
    gen_ai.provider.name = "anthropic"
    gen_ai.request.model = "claude-sonnet-5-5"
    http.request.method = "POST"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …\
""")
    assert list(telemetry.metrics) == ["gen_ai.client.operation.duration", "claude.trace.spans"]


async def test_a_raw_response_of_a_count_is_read_as_well(client: Any, telemetry: Telemetry):
    await settled(client.messages.with_raw_response.count_tokens(**QUESTION))
    (span,) = telemetry.spans
    assert (span.attributes or {})["anthropic.message.count_tokens.input_tokens"] == 10
