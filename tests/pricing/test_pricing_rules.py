"""What raises, lowers or blurs a price: place, steps, tiers, server tools, cuts; and recorded responses."""

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listed_prices import HAIKU_5_5_LONG, LISTED, NOW, WEB_SEARCH, by_hand

from otel_claude import usage
from otel_claude.pricing import Cost, Prices
from otel_claude.usage import Step, Usage

PRICES = Prices()
MILLION = 1_000_000


def cost(counted: Usage, model: str = "claude-opus-5", platform: str = "anthropic") -> Cost:
    found = PRICES.cost(counted, model=model, platform=platform, now=NOW)
    assert found is not None
    return found


# Usages as the API sent them, by the id of the recording: the model, the `usage` object, and what it costs.
RECORDED: Mapping[str, tuple[str, dict[str, Any], float]] = {
    # before the API split cache writes by lifetime, which were all of five minutes
    "30e449df108c": (
        "claude-3-5-sonnet-20240620",
        {
            "input_tokens": 4,
            "cache_creation_input_tokens": 1167,
            "cache_read_input_tokens": 0,
            "output_tokens": 289,
        },
        (4 * 3 + 1167 * 3.75 + 289 * 15) / MILLION,
    ),
    "15d995469850": (
        "claude-sonnet-4-20250514",
        {
            "input_tokens": 11,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 1031,
            "output_tokens": 100,
            "service_tier": "standard",
        },
        (11 * 3 + 1031 * 0.30 + 100 * 15) / MILLION,
    ),
    "9b5971c17470": (
        "claude-sonnet-4-6",
        {
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 4513},
            "cache_creation_input_tokens": 4513,
            "cache_read_input_tokens": 4332,
            "inference_geo": "global",
            "input_tokens": 10,
            "output_tokens": 211,
            "server_tool_use": {"web_fetch_requests": 0, "web_search_requests": 0},
            "service_tier": "standard",
        },
        (10 * 3 + 4513 * 3.75 + 4332 * 0.30 + 211 * 15) / MILLION,
    ),
    "534644366044": (
        "claude-sonnet-4-20250514",
        {
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "input_tokens": 8984,
            "output_tokens": 520,
            "server_tool_use": {"web_fetch_requests": 0, "web_search_requests": 1},
            "service_tier": "standard",
        },
        (8984 * 3 + 520 * 15) / MILLION + 10 / 1000,
    ),
    # Sonnet 5 asks Fable 5, whose tokens are not in the sums
    "781613aac720": (
        "claude-sonnet-5",
        {
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "inference_geo": "global",
            "input_tokens": 2482,
            "iterations": [
                {
                    "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                    "input_tokens": 1128,
                    "output_tokens": 155,
                    "type": "message",
                },
                {
                    "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                    "input_tokens": 2564,
                    "model": "claude-fable-5",
                    "output_tokens": 99,
                    "type": "advisor_message",
                },
                {
                    "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                    "input_tokens": 1354,
                    "output_tokens": 11,
                    "type": "message",
                },
            ],
            "output_tokens": 166,
            "output_tokens_details": {"thinking_tokens": 71},
            "server_tool_use": {"web_fetch_requests": 0, "web_search_requests": 0},
            "service_tier": "standard",
        },
        ((1128 + 1354) * 2 + (155 + 11) * 10 + 2564 * 10 + 99 * 50) / MILLION,
    ),
}


@pytest.mark.parametrize("recording", RECORDED)
def test_recorded_responses_cost_what_the_price_list_says(recording: str):
    model, fields, dollars = RECORDED[recording]
    priced = cost(usage.read(fields), model)
    assert priced.total == pytest.approx(dollars)
    assert priced.source.startswith("genai-prices ")
    assert priced.estimated == ()


@pytest.mark.parametrize(
    ("model", "platform", "factor"),
    [
        ("claude-opus-4-6", "anthropic", 1.1),
        ("claude-sonnet-4-6", "aws", 1.1),
        ("claude-fable-5-2", "anthropic", 1.1),
        ("claude-haiku-5-5", "anthropic", 1.1),
        ("claude-opus-4-5", "anthropic", 1),
        ("claude-sonnet-4-5", "anthropic", 1),
        ("claude-haiku-4-5", "aws", 1),
    ],
)
def test_us_only_inference_costs_ten_percent_more_on_all_tokens(model: str, platform: str, factor: float):
    """https://platform.claude.com/docs/en/manage-claude/data-residency."""
    counted = Usage(input=100, output=200, cache_read=300, cache_write=900, cache_write_1h=500, web_searches=1)
    for tier in ("standard", "batch"):
        anywhere = cost(counted._replace(service_tier=tier, inference_geo="global"), model, platform)
        in_us = cost(counted._replace(service_tier=tier, inference_geo="us"), model, platform)
        assert in_us[:4] == pytest.approx([factor * part for part in anywhere[:4]])
        assert in_us.server_tools == anywhere.server_tools
        assert in_us.cache_savings == pytest.approx(factor * anywhere.cache_savings)
        assert in_us.batch_savings == pytest.approx(factor * anywhere.batch_savings)
        assert in_us.estimated == ()


@pytest.mark.parametrize(("platform", "place"), [("foundry", "us"), ("google_cloud", "us"), ("anthropic", "eu")])
def test_a_place_without_a_published_price_is_priced_as_listed_and_marked(platform: str, place: str):
    priced = cost(Usage(input=1_000, output=0, inference_geo=place), platform=platform)
    assert priced.total == pytest.approx(1_000 * 5 / MILLION)
    assert priced.estimated == ("inference_geo",)


def test_a_priority_tier_is_priced_as_listed_and_marked():
    priced = cost(Usage(input=1_000, output=0, service_tier="priority"))
    assert priced.total == pytest.approx(1_000 * 5 / MILLION)
    assert (priced.processing, priced.estimated) == ("priority", ("priority_tier",))


def test_a_redeemed_fallback_credit_is_marked():
    redeemed = {
        "input_tokens": 1,
        "output_tokens": 1,
        "fallback_credit": {"status": {"type": "redeemed"}},
    }
    assert cost(usage.read(redeemed)).estimated == ("fallback_credit",)
    not_applied = redeemed | {"fallback_credit": {"status": {"type": "not_applied", "reason": "expired"}}}
    assert cost(usage.read(not_applied)).estimated == ()


@pytest.mark.parametrize(("searches", "fetches", "marked"), [(0, 0, True), (1, 0, False), (0, 1, False)])
def test_code_execution_is_marked_unless_web_tools_make_it_free(searches: int, fetches: int, marked: bool):
    """https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool#usage-and-pricing."""
    counted = Usage(input=1, output=1, web_searches=searches, web_fetches=fetches, code_executions=1)
    assert cost(counted).estimated == (("code_execution",) if marked else ())


def test_a_stream_that_was_cut_costs_its_input_and_is_marked():
    priced = cost(Usage(input=1_000, output=None))
    assert (priced.input, priced.output) == (pytest.approx(0.005), 0.0)
    assert priced.estimated == ("output_unknown",)


def test_a_usage_that_counts_nothing_has_no_cost():
    assert PRICES.cost(usage.NOTHING, model="claude-opus-5", platform="anthropic") is None


def test_a_compaction_is_paid_for_beside_the_sums():
    step = Usage(input=1_000, output=100, cache_read=5_000)
    compaction = Usage(input=180_000, output=3_500)
    counted = step._replace(steps=(Step("compaction", None, compaction), Step("message", None, step)))
    # 181,000 in at 5, 5,000 read at 0.50, 3,600 out at 25
    assert cost(counted).total == pytest.approx((181_000 * 5 + 5_000 * 0.50 + 3_600 * 25) / MILLION)


def test_a_fallback_is_paid_for_at_the_prices_of_both_models():
    counted = Usage(
        input=1_000,
        output=300,
        steps=(
            Step("message", "claude-fable-5", Usage(input=900, output=7)),
            Step("fallback_message", "claude-opus-4-8", Usage(input=1_000, output=300)),
        ),
    )
    dollars = (900 * 10 + 7 * 50 + 1_000 * 5 + 300 * 25) / MILLION
    assert cost(counted, "claude-opus-4-8").total == pytest.approx(dollars)


def test_the_tier_speed_and_place_of_a_response_are_those_of_its_steps():
    counted = Usage(
        input=10,
        output=1,
        service_tier="batch",
        inference_geo="us",
        steps=(Step("compaction", None, Usage(input=1_000, output=0)),),
    )
    priced = cost(counted)
    assert priced.total == pytest.approx(1_000 * 5 * 0.5 * 1.1 / MILLION)
    assert priced.batch_savings == pytest.approx(1_000 * 5 * 0.5 * 1.1 / MILLION)


def test_a_step_of_a_model_without_a_price_leaves_the_response_without_one():
    step = Step("advisor_message", "claude-oracle-1", Usage(input=1, output=1))
    counted = Usage(input=1, output=1, steps=(step,))
    assert PRICES.cost(counted, model="claude-opus-5", platform="anthropic") is None


def test_plain_steps_cost_what_their_sums_cost():
    steps = tuple(Step("message", None, Usage(input=n, output=n, cache_read=7 * n)) for n in (100, 200))
    counted = Usage(input=300, output=300, cache_read=2_100)
    assert cost(counted._replace(steps=steps)) == cost(counted)


def test_each_step_reaches_a_price_tier_by_its_own_prompt():
    """Three prompts of 60,000 tokens are 180,000 together, and none of them is above 100,000."""
    short, long = LISTED["claude-haiku-5-5"], HAIKU_5_5_LONG
    step = Usage(input=10_000, output=100, cache_read=50_000)
    counted = Usage(input=30_000, output=300, cache_read=150_000, web_searches=2)
    priced = cost(counted._replace(steps=(Step("message", None, step),) * 3), "claude-haiku-5-5")
    by_tokens = (30_000 * short.input + 300 * short.output + 150_000 * short.read) / MILLION
    assert priced.total == pytest.approx(by_tokens + 2 * WEB_SEARCH)
    assert priced.estimated == ()

    grown = step._replace(cache_read=90_001)
    steps = (Step("message", None, step), Step("message", None, grown))
    counted = Usage(input=20_000, output=200, cache_read=140_001, steps=steps)
    first = 10_000 * short.input + 100 * short.output + 50_000 * short.read
    second = 10_000 * long.input + 100 * long.output + 90_001 * long.read
    assert cost(counted, "claude-haiku-5-5").total == pytest.approx((first + second) / MILLION)


@pytest.mark.parametrize("tool", ["web_searches", "web_fetches", "code_executions"])
def test_the_tier_of_a_sum_over_unlisted_steps_is_not_known(tool: str):
    counted = Usage(input=180_000, output=300)._replace(**{tool: 1})
    priced = cost(counted, "claude-haiku-5-5")
    assert priced.input == pytest.approx(180_000 * 0.10 / MILLION)
    assert "prompt_tier" in priced.estimated
    assert "prompt_tier" not in cost(counted._replace(input=100_000), "claude-haiku-5-5").estimated
    assert "prompt_tier" not in cost(counted, "claude-opus-5").estimated


def test_cache_savings_are_what_reads_save_less_what_writes_add():
    read = cost(Usage(input=0, output=0, cache_read=10_000))
    assert read.cache_savings == pytest.approx(10_000 * (5 - 0.50) / MILLION)
    written = cost(Usage(input=0, output=0, cache_write=3_000, cache_write_1h=1_000))
    assert written.cache_savings == pytest.approx(-(2_000 * (6.25 - 5) + 1_000 * (10 - 5)) / MILLION)


def test_one_hour_tokens_beyond_the_written_ones_never_make_a_cost_negative():
    """A gateway may send a split that does not match the sum."""
    priced = cost(Usage(input=0, output=0, cache_write=100, cache_write_1h=300))
    assert priced.cache_write == pytest.approx(300 * 10 / MILLION)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    counts = st.integers(min_value=0, max_value=50_000)
    one_hour = draw(counts)
    return Usage(
        input=draw(counts),
        output=draw(counts),
        cache_read=draw(counts),
        cache_write=one_hour + draw(counts),
        cache_write_1h=one_hour,
    )


MODELS = st.sampled_from(sorted(LISTED.keys() - {"claude-haiku-5-5"}))
TIERS = st.sampled_from([None, "standard", "batch", "priority"])
PLACES = st.sampled_from([None, "global", "us", "not_available"])


def amounts(priced: Cost) -> tuple[float, ...]:
    return (*priced[:5], priced.cache_savings, priced.batch_savings)


def close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


@given(MODELS, usages())
def test_a_cost_is_always_what_the_price_list_says(model: str, counted: Usage):
    assert close(cost(counted, model).total, by_hand(LISTED[model], counted))


@given(MODELS, st.lists(usages(), min_size=1, max_size=4), TIERS, PLACES)
def test_the_cost_of_steps_is_always_the_sum_of_their_costs(
    model: str, steps: list[Usage], tier: str | None, place: str | None
):
    counted = Usage(
        input=0,
        output=0,
        service_tier=tier,
        inference_geo=place,
        steps=tuple(Step("compaction", None, step) for step in steps),
    )
    whole = cost(counted, model)
    parts = [cost(step._replace(service_tier=tier, inference_geo=place), model) for step in steps]
    for one, others in zip(amounts(whole), zip(*map(amounts, parts), strict=True), strict=True):
        assert close(one, sum(others))


@given(MODELS, usages(), usages(), TIERS, PLACES)
def test_more_tokens_never_cost_less_and_no_cost_is_negative(
    model: str, counted: Usage, more: Usage, tier: str | None, place: str | None
):
    less = counted._replace(service_tier=tier, inference_geo=place)
    grown = Usage(
        input=(counted.input or 0) + (more.input or 0),
        output=(counted.output or 0) + (more.output or 0),
        cache_read=(counted.cache_read or 0) + (more.cache_read or 0),
        cache_write=(counted.cache_write or 0) + (more.cache_write or 0),
        cache_write_1h=counted.cache_write_1h + more.cache_write_1h,
        service_tier=tier,
        inference_geo=place,
    )
    for before, after in zip(cost(less, model)[:5], cost(grown, model)[:5], strict=True):
        assert 0 <= before <= after
