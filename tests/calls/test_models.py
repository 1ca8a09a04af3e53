"""`models`: each page of the list is a call."""

from typing import Any

from driver import entered, items, needs, settled
from inline_snapshot import snapshot

from otel_claude.testing import Telemetry
from otel_claude.testing.models import MODELS

pytestmark = needs("models")


async def test_each_page_is_a_span(client: Any, telemetry: Telemetry):
    """Seven models, three a page."""
    assert len([model async for model in items(client.models.list(limit=3))]) == len(MODELS) == 7
    await settled(client.models.retrieve("claude-opus-5-5"))
    assert telemetry.tree(shown=lambda name: name.startswith(("http.", "anthropic.request"))) == snapshot("""\
anthropic.models.list | client
    anthropic.request.id = "req_sim_0001"
    http.request.method = "GET"
    http.response.status_code = 200
anthropic.models.list | client
    anthropic.request.id = "req_sim_0002"
    http.request.method = "GET"
    http.response.status_code = 200
anthropic.models.list | client
    anthropic.request.id = "req_sim_0003"
    http.request.method = "GET"
    http.response.status_code = 200
anthropic.models.retrieve | client
    anthropic.request.id = "req_sim_0004"
    http.request.method = "GET"
    http.response.status_code = 200\
""")


async def test_a_call_without_a_model_is_one_whole_span(client: Any, telemetry: Telemetry):
    await settled(client.beta.models.retrieve("claude-opus-5-5"))
    assert telemetry.tree() == snapshot("""\
anthropic.models.retrieve | client
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0001"
    claude.platform = "anthropic"
    gen_ai.provider.name = "anthropic"
    http.request.method = "GET"
    http.response.status_code = 200
    server.address = "127.0.0.1"
    server.port = …\
""")


async def test_a_response_that_is_streamed_is_one_span(client: Any, telemetry: Telemetry):
    async with entered(client.models.with_streaming_response.retrieve("claude-opus-5-5")) as response:
        assert (await settled(response.parse())).id == "claude-opus-5-5"
    assert [span.name for span in telemetry.spans] == ["anthropic.models.retrieve"]
