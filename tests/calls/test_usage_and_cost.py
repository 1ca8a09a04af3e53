"""Counts and prices of a call, by the usage that the API sends."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from driver import ASK, MODEL, attributes, items, settled

from fixture_types import API_KEY, Instrument, Make
from otel_claude.testing import Answer, SimulatedClaude, Telemetry, usage

PLAIN = 100 * 2 + 50 * 10
"""100 input and 50 output tokens of Sonnet 5.5, in millionths of a USD."""
TOKENS = {"input_tokens": 100, "output_tokens": 50}


class Case(NamedTuple):
    """A usage, what it costs in millionths of a USD, and some of what the span says."""

    usage: Mapping[str, Any]
    cost: float
    told: Mapping[str, Any]
    model: str = MODEL


CASES = {
    "plain": Case(usage(**TOKENS), PLAIN, {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}),
    "cache read": Case(
        usage(**TOKENS, cache_read=1_000),
        PLAIN + 1_000 * 0.10,
        {"gen_ai.usage.input_tokens": 1_100, "gen_ai.usage.cache_read.input_tokens": 1_000},
    ),
    "cache written for two lifetimes": Case(
        usage(**TOKENS, cache_write_5m=1_000, cache_write_1h=2_000),
        PLAIN + 1_000 * 2.50 + 2_000 * 4,
        {
            "gen_ai.usage.input_tokens": 3_100,
            "gen_ai.usage.cache_write.input_tokens": 3_000,
            "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 1_000,
            "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 2_000,
        },
    ),
    "cache written without a lifetime": Case(
        {**TOKENS, "cache_creation_input_tokens": 1_000},
        PLAIN + 1_000 * 2.50,
        {"anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 1_000},
    ),
    "web searches": Case(
        usage(**TOKENS, server_tool_use={"web_search_requests": 3, "web_fetch_requests": 2}),
        PLAIN + 3 * 10_000,
        {"claude.server_tool.web_search_requests": 3, "claude.server_tool.web_fetch_requests": 2},
    ),
    "in the US": Case(usage(**TOKENS, inference_geo="us"), PLAIN * 1.1, {}),
    "fast": Case(usage(**TOKENS, speed="fast"), 100 * 8 + 50 * 40, {}, "claude-opus-5-5"),
    "priority": Case(
        usage(**TOKENS, service_tier="priority"),
        PLAIN,
        {"claude.cost.estimated": ("priority_tier",), "anthropic.response.service_tier": "priority"},
    ),
    "thinking is a part of output": Case(
        usage(**TOKENS, output_tokens_details={"thinking_tokens": 30}),
        PLAIN,
        {"gen_ai.usage.reasoning.output_tokens": 30, "gen_ai.usage.output_tokens": 50},
    ),
    "nothing but input": Case(usage(input_tokens=100, output_tokens=0), 100 * 2, {"gen_ai.usage.output_tokens": 0}),
    "compaction is not in the sums": Case(
        usage(
            **TOKENS,
            iterations=[
                {"type": "compaction", "input_tokens": 1_000, "output_tokens": 200},
                {"type": "message", **TOKENS},
            ],
        ),
        PLAIN + 1_000 * 2 + 200 * 10,
        {"gen_ai.usage.input_tokens": 100},
    ),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", CASES)
async def test_a_usage_is_told_and_priced(
    name: str, stream: bool, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    case = CASES[name]
    claude.reply(usage=case.usage)
    answer = await settled(client.messages.create(**{**ASK, "model": case.model}, stream=stream))
    if stream:
        async for _ in items(answer):
            pass
    told = attributes(telemetry)
    assert {name: told.get(name) for name in case.told} == case.told
    assert told["claude.cost.usd"] == pytest.approx(case.cost / 1_000_000)
    assert telemetry.total("claude.cost") == pytest.approx(case.cost / 1_000_000)
    for kind in ("input", "output"):
        tokens = telemetry.total("gen_ai.client.token.usage", {"gen_ai.token.type": kind})
        assert tokens == told[f"gen_ai.usage.{kind}_tokens"]


async def test_a_usage_with_zeros_leaves_out_what_is_zero(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.reply(usage=usage(**TOKENS, server_tool_use={"web_search_requests": 0, "web_fetch_requests": 0}))
    await settled(client.messages.create(**ASK))
    assert [name for name, value in attributes(telemetry).items() if value == 0] == []


async def test_an_answer_without_usage_has_no_tokens_and_no_cost(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.reply(more={"usage": None})
    await settled(client.messages.create(**ASK))
    assert [name for name in attributes(telemetry) if "usage" in name or "cost" in name] == []
    assert not {"claude.token.usage", "claude.cost", "claude.cost.unpriced"} & telemetry.metrics.keys()


async def test_prices_of_the_application_go_before_the_list(
    client: Any, claude: SimulatedClaude, instrument: Instrument
):
    telemetry = instrument(prices={MODEL: {"input": 1, "output": 2}})
    claude.reply(usage=usage(**TOKENS))
    await settled(client.messages.create(**ASK))
    told = attributes(telemetry)
    assert told["claude.cost.usd"] == pytest.approx((100 * 1 + 50 * 2) / 1_000_000)
    assert told["claude.cost.source"] == "override"


async def test_the_model_that_answered_sets_the_price(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    """An alias was asked for, or a fallback answered. Opus 5.5 costs 4 and 20 USD per million tokens."""
    claude.will(Answer(usage=usage(**TOKENS), model="claude-opus-5-5"))
    await settled(client.messages.create(**ASK))
    assert attributes(telemetry)["claude.cost.usd"] == pytest.approx((100 * 4 + 50 * 20) / 1_000_000)


@pytest.mark.parametrize("stop_reason", ["max_tokens", "refusal", "pause_turn", "model_context_window_exceeded"])
async def test_why_an_answer_ended_is_told_as_the_api_spells_it(
    stop_reason: str, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.reply(stop_reason=stop_reason)
    await settled(client.messages.create(**ASK))
    told = attributes(telemetry)
    assert told["gen_ai.response.finish_reasons"] == (stop_reason,)
    assert told["anthropic.message.stop_reason"] == stop_reason
    assert telemetry.total("claude.responses", {"claude.stop_reason": stop_reason}) == 1


async def test_a_call_fills_a_part_of_the_context_window(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    """Sonnet 5.5 has a window of 1,000,000 tokens."""
    claude.reply(usage=usage(input_tokens=100_000, output_tokens=1, cache_read=150_000))
    await settled(client.messages.create(**ASK))
    assert attributes(telemetry)["claude.context.utilization"] == pytest.approx(0.25)


async def test_sums_of_a_server_tool_loop_say_nothing_of_the_window(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.reply(usage=usage(input_tokens=100_000, output_tokens=1, server_tool_use={"web_search_requests": 4}))
    await settled(client.messages.create(**ASK))
    assert "claude.context.utilization" not in attributes(telemetry)


@pytest.mark.parametrize("name", ["anthropic-beta", "Anthropic-Beta"])
async def test_headers_are_the_same_in_any_case(name: str, make: Make, claude: SimulatedClaude, telemetry: Telemetry):
    """With the beta a prompt over 200,000 tokens of Sonnet 4.5 is charged at 6 USD a million, not 3."""
    claude.will(Answer("Hello", model="claude-sonnet-4-5", usage=usage(input_tokens=300_000, output_tokens=0)))
    client = make(api_key=API_KEY, default_headers={name: "context-1m-2025-08-07"})
    await settled(client.messages.create(**ASK))
    told = attributes(telemetry)
    assert told["anthropic.beta"] == ("context-1m-2025-08-07",)
    assert told["claude.cost.usd"] == pytest.approx(300_000 * 6 / 1_000_000)
    assert told["claude.context.utilization"] == pytest.approx(0.3)


async def test_tokens_that_the_totals_leave_out_are_counted_as_billed(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """The shape is that of the recording 781613aac720, with an advisor of another model."""
    steps = [
        {"type": "message", "input_tokens": 10, "output_tokens": 3},
        {"type": "advisor_message", "model": "claude-fable-5", "input_tokens": 2_000, "output_tokens": 90},
    ]
    claude.will(Answer("Hello", usage=usage(input_tokens=10, output_tokens=3, iterations=steps)))
    await settled(client.messages.create(**ASK))
    assert attributes(telemetry)["gen_ai.usage.input_tokens"] == 10
    advised = {"gen_ai.response.model": "claude-fable-5"}
    assert telemetry.total("claude.token.usage", {**advised, "claude.token.type": "input"}) == 2_000
    assert telemetry.total("claude.token.usage", {"claude.token.type": "output"}) == 93
    assert telemetry.total("claude.cost") == pytest.approx((10 * 2 + 3 * 10 + 2_000 * 10 + 90 * 50) / 1_000_000)
