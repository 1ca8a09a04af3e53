"""`messages.create`, answered at once."""

from dataclasses import dataclass
from typing import Any

import anthropic
import pytest
from driver import ASK, COST, USAGE, attributes, only_span, settled
from inline_snapshot import snapshot
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from fixture_types import API_KEY, Clock, Instrument, Make
from otel_claude.testing import Answer, Outcome, SimulatedClaude, Telemetry

TYPES = (
    "claude.cost.type",
    "claude.rate_limit.type",
    "claude.savings.type",
    "claude.stop_reason",
    "claude.token.type",
    "gen_ai.token.type",
)


@dataclass
class After:
    """An answer that takes `seconds` of a clock that stands still otherwise."""

    seconds: float
    clock: Clock
    then: Outcome = Answer()  # frozen

    def respond(self, call: Any) -> Any:
        self.clock.advance(self.seconds)
        return self.then.respond(call)


async def test_a_call_is_one_span_with_all_that_is_known(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Answer("Hello there", usage=USAGE, headers={"anthropic-workspace-id": "wrkspc_1"}))
    await settled(client.messages.create(**ASK))
    assert telemetry.tree() == snapshot("""\
chat claude-sonnet-5-5 | client
    anthropic.message.stop_reason = "end_turn"
    anthropic.organization.id = "org-simulated"
    anthropic.request.id = "req_sim_0001"
    anthropic.response.service_tier = "standard"
    anthropic.usage.cache_creation.ephemeral_1h_input_tokens = 200
    anthropic.usage.cache_creation.ephemeral_5m_input_tokens = 200
    anthropic.workspace.id = "wrkspc_1"
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


async def test_the_metrics_of_a_call_say_the_same(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.reply(usage=USAGE)
    await settled(client.messages.create(**ASK))
    assert telemetry.metrics_table(shown=TYPES.__contains__) == snapshot("""\
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
gen_ai.client.token.usage | histogram | {token}
    1 x, sum 1412: gen_ai.token.type="input"
    1 x, sum 40: gen_ai.token.type="output"\
""")
    common = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-sonnet-5-5",
        "gen_ai.response.model": "claude-sonnet-5-5",
        "server.address": "127.0.0.1",
        "server.port": claude.port,
    }
    for name, points in telemetry.metrics.items():
        for point in points:
            of_calls = not name.startswith(("claude.rate_limit.", "claude.trace."))
            assert not of_calls or common.items() <= point["attributes"].items()


async def test_cost_is_on_the_span_and_in_the_metric(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.reply(usage=USAGE)
    await settled(client.messages.create(**ASK))
    assert attributes(telemetry)["claude.cost.usd"] == pytest.approx(COST)
    assert telemetry.total("claude.cost") == pytest.approx(COST)


async def test_a_call_lasts_as_long_as_the_sdk_takes(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, clock: Clock
):
    claude.will(After(0.25, clock))
    await settled(client.messages.create(**ASK))
    span = only_span(telemetry)
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 250_000_000
    assert telemetry.total("gen_ai.client.operation.duration") == 0.25


async def test_what_was_asked_for_is_on_the_span(client: Any, telemetry: Telemetry):
    """Extra fields of the body are asked for as well: so the 2.x SDK passes on sampling parameters."""
    await settled(
        client.messages.create(
            **{**ASK, "messages": ASK["messages"] * 3},
            stop_sequences=["END", "STOP"],
            system="Be brief.",
            tools=[{"name": "clock", "input_schema": {"type": "object"}}],
            extra_headers={"anthropic-beta": "context-1m-2025-08-07, fast-mode-2026-02-01"},
            extra_body={
                "temperature": 0.5,
                "top_p": 0.9,
                "top_k": 40,
                "service_tier": "auto",
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {}}},
            },
        )
    )

    def is_request(name: str) -> bool:
        return "request" in name or name.startswith(("anthropic.thinking", "anthropic.beta", "gen_ai.output"))

    assert telemetry.tree(shown=is_request) == snapshot("""\
chat claude-sonnet-5-5 | client
    anthropic.beta = ["context-1m-2025-08-07", "fast-mode-2026-02-01"]
    anthropic.request.id = "req_sim_0001"
    anthropic.request.service_tier = "auto"
    anthropic.thinking.budget_tokens = 2048
    anthropic.thinking.type = "enabled"
    claude.request.messages = 3
    claude.request.size_bytes = …
    claude.request.tools = 1
    gen_ai.output.type = "json"
    gen_ai.request.max_tokens = 64
    gen_ai.request.model = "claude-sonnet-5-5"
    gen_ai.request.reasoning.level = "high"
    gen_ai.request.stop_sequences = ["END", "STOP"]
    gen_ai.request.temperature = 0.5
    gen_ai.request.top_k = 40
    gen_ai.request.top_p = 0.9\
""")


async def test_a_value_of_a_wrong_type_is_not_recorded(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    await settled(client.messages.create(**ASK, extra_body={"temperature": "hot", "top_k": True, "thinking": "much"}))
    recorded = attributes(telemetry)
    assert not {"gen_ai.request.temperature", "gen_ai.request.top_k", "anthropic.thinking.type"} & recorded.keys()


async def test_a_model_without_a_price_has_no_cost(client: Any, telemetry: Telemetry):
    await settled(client.messages.create(**{**ASK, "model": "claude-next"}))
    assert [name for name in attributes(telemetry) if name.startswith(("claude.cost", "claude.context"))] == []
    assert "claude.cost" not in telemetry.metrics
    assert telemetry.total("claude.cost.unpriced", {"gen_ai.request.model": "claude-next"}) == 1


async def test_messages_that_can_be_read_once_reach_the_api(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    await settled(client.messages.create(**{**ASK, "messages": iter(ASK["messages"])}))
    assert claude.requests[0].json["messages"] == ASK["messages"]


async def test_the_span_is_current_while_the_request_is_sent(make: Make, telemetry: Telemetry):
    """So spans of the HTTP library come under it."""
    seen: list[trace.Span] = []

    def hook(request: object) -> None:
        seen.append(trace.get_current_span())

    async def async_hook(request: object) -> None:
        hook(request)

    asynchronous = "Async" in type(make(api_key=API_KEY)).__name__
    http_client = (
        anthropic.DefaultAsyncHttpxClient(event_hooks={"request": [async_hook]})
        if asynchronous
        else anthropic.DefaultHttpxClient(event_hooks={"request": [hook]})
    )
    await settled(make(api_key=API_KEY, http_client=http_client).messages.create(**ASK))
    assert [span.get_span_context() for span in seen] == [only_span(telemetry).context]


async def test_traceparent_names_the_span(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    await settled(client.messages.create(**ASK))
    context = only_span(telemetry).context
    assert context is not None
    assert claude.requests[0].headers["traceparent"] == f"00-{context.trace_id:032x}-{context.span_id:016x}-01"


async def test_a_span_of_the_application_is_the_parent(client: Any, telemetry: Telemetry):
    with telemetry.tracer_provider.get_tracer("app").start_as_current_span("app"):
        await settled(client.messages.create(**ASK))
    assert telemetry.tree(shown=lambda _: False) == snapshot("""\
app | internal
    chat claude-sonnet-5-5 | client\
""")


@pytest.mark.parametrize("tracer_provider", [TracerProvider(sampler=ALWAYS_OFF), None])
async def test_metrics_need_no_spans(
    tracer_provider: TracerProvider | None, client: Any, claude: SimulatedClaude, instrument: Instrument
):
    """Neither sampling nor the want of a tracer provider changes a number."""
    telemetry = instrument({"tracer_provider": tracer_provider})
    claude.reply(usage=USAGE)
    await settled(client.messages.create(**ASK))
    assert telemetry.spans == []
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "input"}) == 1_412
    assert telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": "output"}) == 40
    assert telemetry.total("claude.token.usage", {"claude.token.type": "cache_read"}) == 1_000
    assert telemetry.total("claude.cost") == pytest.approx(COST)
    assert telemetry.count("gen_ai.client.operation.duration") == 1


async def test_the_application_gets_what_the_sdk_gives(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.reply("Hello there")
    message: Any = await settled(client.messages.create(**ASK))
    assert message.content[0].text == "Hello there"
    assert message._request_id == "req_sim_0001"
    assert type(message) is anthropic.types.Message


async def test_calls_one_after_the_other_are_traces_of_their_own(client: Any, telemetry: Telemetry):
    for _ in range(3):
        await settled(client.messages.create(**ASK))
    assert len({span.context.trace_id for span in telemetry.spans if span.context}) == 3
