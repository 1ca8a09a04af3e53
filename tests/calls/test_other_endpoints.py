"""Calls that no method of the SDK makes, and calls within calls."""

from typing import Any

import pytest
from driver import ASK, attributes, settled
from inline_snapshot import snapshot

from otel_claude.testing import Raw, SimulatedClaude, Telemetry


async def test_a_call_that_the_sdk_has_no_method_for_is_a_span(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Raw(body={"ok": True}))
    assert await settled(client.post("/v1/unknown", cast_to=object, body={"a": 1})) == {"ok": True}
    assert telemetry.tree() == snapshot("""\
anthropic.unknown.create | client
    claude.platform = "anthropic"
    claude.request.size_bytes = …
    gen_ai.provider.name = "anthropic"
    http.request.method = "POST"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …\
""")


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("get", "/v1/things", "anthropic.things.list"),
        ("get", "/v1/things/thing_1", "anthropic.things.retrieve"),
        ("get", "/v1/things/thing_1?limit=3", "anthropic.things.retrieve"),
        ("post", "/v1/things/thing_1/archive", "anthropic.things.archive"),
        ("delete", "/v1/things/thing_1", "anthropic.things.delete"),
        ("get", "/health", "anthropic.get"),
    ],
)
async def test_it_is_named_after_its_path_without_ids(
    method: str, path: str, name: str, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Raw(body={}))
    await settled(getattr(client, method)(path, cast_to=object))
    assert [span.name for span in telemetry.spans] == [name]


async def test_messages_that_are_posted_by_hand_are_a_chat(client: Any, telemetry: Telemetry):
    await settled(client.post("/v1/messages", cast_to=object, body={**ASK}))
    assert [span.name for span in telemetry.spans] == ["chat claude-sonnet-5-5"]
    assert attributes(telemetry)["gen_ai.response.id"] == "msg_sim_0001"
