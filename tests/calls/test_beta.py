"""`beta.messages`, in each form: the same spans as without `beta`."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from driver import ASK, USAGE, attributes, entered, is_environmental, items, needs, settled
from inline_snapshot import snapshot
from pydantic import BaseModel

from fixture_types import Clock
from otel_claude.testing import SimulatedClaude, Telemetry


class City(BaseModel):
    name: str


async def create(client: Any) -> None:
    await settled(client.beta.messages.create(**ASK))


async def create_stream(client: Any) -> None:
    async for _ in items(await settled(client.beta.messages.create(**ASK, stream=True))):
        pass


async def helper_stream(client: Any) -> None:
    async with entered(client.beta.messages.stream(**ASK)) as stream:
        await settled(stream.get_final_message())


async def raw_response(client: Any) -> None:
    raw = await settled(client.beta.messages.with_raw_response.create(**ASK))
    await settled(raw.parse())


async def streaming_response(client: Any) -> None:
    async with entered(client.beta.messages.with_streaming_response.create(**ASK)) as response:
        await settled(response.parse())


async def parse(client: Any) -> None:
    await settled(client.beta.messages.parse(**ASK, output_format=City))


FORMS = [create, create_stream, helper_stream, raw_response, streaming_response]


@pytest.mark.filterwarnings("ignore:The 'output_format' parameter is deprecated:DeprecationWarning")
@pytest.mark.parametrize("form", [*FORMS, pytest.param(parse, marks=needs("beta.messages.parse"))])
async def test_a_beta_call_in_any_form_is_one_whole_span(
    form: Callable[[Any], Awaitable[None]],
    client: Any,
    claude: SimulatedClaude,
    telemetry: Telemetry,
    clock: Clock,
):
    claude.reply('{"name": "Paris"}', usage=USAGE)
    await form(client)

    def is_common(name: str) -> bool:
        """Not what tells streams from other answers, nor what a form asks for."""
        return not name.startswith(("claude.stream", "gen_ai.request.stream", "gen_ai.output", "anthropic.beta")) and (
            name != "gen_ai.response.time_to_first_chunk"
        )

    assert telemetry.tree(shown=is_common, masked=is_environmental) == snapshot("""\
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


async def test_betas_are_on_the_span(client: Any, telemetry: Telemetry):
    await settled(client.beta.messages.create(**ASK, betas=["context-1m-2025-08-07", "fast-mode-2026-02-01"]))
    assert attributes(telemetry)["anthropic.beta"] == ("context-1m-2025-08-07", "fast-mode-2026-02-01")
