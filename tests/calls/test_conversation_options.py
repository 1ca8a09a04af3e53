"""The options of the SDK's own tracing, which mean the same for our spans."""

from typing import Any

import pytest
from driver import ASK, attributes, items, needs, settled

from fixture_types import API_KEY, Make
from otel_claude.testing import SimulatedClaude, Telemetry

pytestmark = needs("open_telemetry")


async def test_a_conversation_is_on_its_spans(make: Make, telemetry: Telemetry):
    client = make(api_key=API_KEY, open_telemetry={"conversation_id": "conv_1"})
    await settled(client.messages.create(**ASK))
    assert attributes(telemetry)["gen_ai.conversation.id"] == "conv_1"


async def test_a_copy_of_a_client_may_have_a_conversation_of_its_own(client: Any, telemetry: Telemetry):
    async for _ in items(
        await settled(
            client.with_options(open_telemetry={"conversation_id": "conv_2"}).messages.create(**ASK, stream=True)
        )
    ):
        pass
    await settled(client.messages.create(**ASK))
    assert [(span.attributes or {}).get("gen_ai.conversation.id") for span in telemetry.spans] == ["conv_2", None]


async def test_no_conversation_is_made_up(client: Any, telemetry: Telemetry):
    await settled(client.messages.create(**ASK))
    assert "gen_ai.conversation.id" not in attributes(telemetry)


@pytest.mark.parametrize("option", [{"propagation": False}, False])
async def test_a_client_may_keep_its_traces_to_itself(
    option: Any, make: Make, claude: SimulatedClaude, telemetry: Telemetry
):
    """Our span is there all the same: it is not the SDK's."""
    await settled(make(api_key=API_KEY, open_telemetry=option).messages.create(**ASK))
    assert "traceparent" not in claude.requests[0].headers
    assert len(telemetry.spans) == 1


async def test_there_is_one_span_with_usage_and_it_is_ours(client: Any, telemetry: Telemetry):
    await settled(client.messages.create(**ASK))
    (span,) = telemetry.spans
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "otel_claude"
