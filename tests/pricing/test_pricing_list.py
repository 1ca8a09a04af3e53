"""Every listed model, in every kind of token and way of processing, costs what Anthropic lists."""

import pytest
from listed_prices import (
    BATCH,
    BEFORE_GEO,
    BEFORE_REGIONS,
    FAST,
    HAIKU_5_5_LONG,
    LISTED,
    NOW,
    RETIRED,
    WEB_SEARCH,
    WITHOUT_WEB_SEARCH,
)

from otel_claude.pricing import Cost, Prices
from otel_claude.pricing.catalog import family
from otel_claude.usage import Usage

PRICES = Prices()
MILLION = 1_000_000

ONE_OF_EACH = Usage(
    input=1_000, output=2_000, cache_read=3_000, cache_write=9_000, cache_write_1h=5_000, web_searches=7
)


def cost(usage: Usage, model: str, platform: str = "anthropic", location: str | None = None) -> Cost:
    found = PRICES.cost(usage, model=model, platform=platform, location=location, now=NOW)
    assert found is not None
    return found


@pytest.mark.parametrize("model", LISTED)
def test_each_kind_of_token_has_its_listed_price(model: str):
    prices = LISTED[model]
    priced = cost(ONE_OF_EACH._replace(web_searches=0), model)
    assert priced.input == pytest.approx(1_000 * prices.input / MILLION)
    assert priced.output == pytest.approx(2_000 * prices.output / MILLION)
    assert priced.cache_read == pytest.approx(3_000 * prices.read / MILLION)
    # 9,000 written, 5,000 of them for an hour
    assert priced.cache_write == pytest.approx((4_000 * prices.write_5m + 5_000 * prices.write_1h) / MILLION)
    assert priced.server_tools == 0
    assert (priced.processing, priced.estimated) == ("standard", ())


@pytest.mark.parametrize("model", LISTED)
def test_the_total_is_the_sum_of_the_parts(model: str):
    priced = cost(ONE_OF_EACH._replace(web_searches=0), model)
    parts = (priced.input, priced.output, priced.cache_read, priced.cache_write, priced.server_tools)
    assert priced.total == pytest.approx(sum(parts))


@pytest.mark.parametrize("model", LISTED)
def test_a_batch_costs_half_cached_tokens_included(model: str):
    standard = cost(ONE_OF_EACH._replace(web_searches=0), model)
    batch = cost(ONE_OF_EACH._replace(web_searches=0, service_tier="batch"), model)
    assert batch.processing == "batch"
    assert batch[:4] == pytest.approx([part / 2 for part in standard[:4]])
    assert batch.batch_savings == pytest.approx(standard.total / 2)
    assert standard.batch_savings == 0


@pytest.mark.parametrize("model", BATCH)
def test_batch_prices_are_those_of_the_batch_table(model: str):
    per_input, per_output = BATCH[model]
    priced = cost(Usage(input=1_000, output=2_000, service_tier="batch"), model)
    assert priced.input == pytest.approx(1_000 * per_input / MILLION)
    assert priced.output == pytest.approx(2_000 * per_output / MILLION)


@pytest.mark.parametrize("model", FAST)
def test_fast_mode_multiplies_cached_tokens_as_it_does_input(model: str):
    per_input, per_output = FAST[model]
    prices = LISTED[model]
    priced = cost(ONE_OF_EACH._replace(web_searches=0, speed="fast"), model)
    assert priced.processing == "fast"
    assert priced.input == pytest.approx(1_000 * per_input / MILLION)
    assert priced.output == pytest.approx(2_000 * per_output / MILLION)
    factor = per_input / prices.input
    assert priced.cache_read == pytest.approx(factor * 3_000 * prices.read / MILLION)
    written = 4_000 * prices.write_5m + 5_000 * prices.write_1h
    assert priced.cache_write == pytest.approx(factor * written / MILLION)


@pytest.mark.parametrize("model", sorted(LISTED.keys() - FAST.keys()))
def test_fast_mode_has_no_price_where_none_is_listed(model: str):
    assert PRICES.cost(Usage(1, 1, speed="fast"), model=model, platform="anthropic", now=NOW) is None


def test_fast_mode_does_not_combine_with_a_batch():
    both = Usage(input=1_000, output=0, service_tier="batch", speed="fast")
    priced = cost(both, "claude-opus-5")
    assert priced.processing == "batch"
    assert priced.total == pytest.approx(1_000 * 2.5 / MILLION)


def test_web_searches_cost_ten_dollars_a_thousand_and_have_no_batch_discount():
    for tier in ("standard", "batch"):
        priced = cost(Usage(input=1, output=0, web_searches=7, service_tier=tier), "claude-opus-5")
        assert priced.server_tools == pytest.approx(7 * WEB_SEARCH)


@pytest.mark.parametrize("model", LISTED)
def test_a_model_that_has_no_web_search_has_no_price_for_it(model: str):
    priced = PRICES.cost(Usage(input=0, output=0, web_searches=1), model=model, platform="anthropic", now=NOW)
    assert (None if priced is None else priced.total) == (None if model in WITHOUT_WEB_SEARCH else WEB_SEARCH)


@pytest.mark.parametrize("model", LISTED)
def test_us_only_inference_of_each_model_costs_what_is_listed(model: str):
    anywhere = cost(ONE_OF_EACH._replace(web_searches=0), model)
    in_us = cost(ONE_OF_EACH._replace(web_searches=0, inference_geo="us"), model)
    assert in_us.total == pytest.approx(anywhere.total * (1 if model in BEFORE_GEO else 1.1))


@pytest.mark.parametrize("model", LISTED)
def test_a_region_of_each_model_costs_what_is_listed(model: str):
    usage = Usage(input=1_000, output=2_000)
    listed = (1_000 * LISTED[model].input + 2_000 * LISTED[model].output) / MILLION
    assert cost(usage, model, "vertex", "global").total == pytest.approx(listed)
    in_region = cost(usage, model, "vertex", "us-east5").total
    assert in_region == pytest.approx(listed * (1 if model in BEFORE_REGIONS else 1.1))
    assert cost(usage, f"anthropic.{family(model)}", "bedrock", "us-east-1").total == pytest.approx(in_region)


def test_every_model_that_has_a_price_is_listed():
    """A new row of the price list needs its numbers here, from the price pages."""
    assert set(PRICES.models()) - {family(model) for model in LISTED} == RETIRED.keys()
    assert {family(model) for model in BATCH} == {family(model) for model in LISTED}


@pytest.mark.parametrize("model", RETIRED)
def test_a_retired_model_has_its_last_price(model: str):
    by_input, by_output = RETIRED[model]
    assert cost(Usage(input=1_000, output=2_000), model).total == pytest.approx(
        (1_000 * by_input + 2_000 * by_output) / MILLION
    )


@pytest.mark.parametrize(("prompt", "prices"), [(100_000, LISTED["claude-haiku-5-5"]), (100_001, HAIKU_5_5_LONG)])
def test_a_long_prompt_raises_the_price_of_every_token_of_haiku_5_5(prompt: int, prices: tuple[float, ...]):
    usage = Usage(input=prompt - 9_000, output=500, cache_read=2_000, cache_write=7_000, cache_write_1h=3_000)
    by_input, by_output, by_write_5m, by_write_1h, by_read, _ = prices
    for tier, share in (("standard", 1), ("batch", 0.5)):
        priced = cost(usage._replace(service_tier=tier), "claude-haiku-5-5")
        assert priced.input == pytest.approx(share * (prompt - 9_000) * by_input / MILLION)
        assert priced.output == pytest.approx(share * 500 * by_output / MILLION)
        assert priced.cache_read == pytest.approx(share * 2_000 * by_read / MILLION)
        written = 4_000 * by_write_5m + 3_000 * by_write_1h
        assert priced.cache_write == pytest.approx(share * written / MILLION)


def test_prompts_above_200k_of_sonnet_4_5_cost_more_only_with_the_long_context_beta():
    """6 / 22.50 instead of 3 / 15, https://platform.claude.com/docs/en/about-claude/pricing#long-context-pricing."""
    usage = Usage(input=200_001, output=1_000)
    for long_context, per_input, per_output in ((False, 3, 15), (True, 6, 22.5)):
        priced = PRICES.cost(usage, model="claude-sonnet-4-5", platform="anthropic", long_context=long_context, now=NOW)
        assert priced is not None
        assert priced.total == pytest.approx((200_001 * per_input + 1_000 * per_output) / MILLION)


@pytest.mark.parametrize("model", LISTED)
@pytest.mark.parametrize("platform", ["anthropic", "aws", "foundry", "google_cloud"])
def test_the_context_window_is_the_documented_one(model: str, platform: str):
    assert PRICES.context_window(model, platform) == LISTED[model].window


def test_the_long_context_beta_widens_the_window():
    """Where the beta is priced, the window is that of the beta too, whether it is still to be had or not."""
    assert PRICES.context_window("claude-sonnet-4-5", "anthropic", long_context=True) == 1_000_000
    assert PRICES.context_window("claude-sonnet-4-5@20250929", "vertex", long_context=True) == 1_000_000
    assert PRICES.context_window("claude-sonnet-4-5@20250929", "vertex") == 200_000


def test_an_unknown_model_has_no_context_window():
    assert PRICES.context_window("claude-opus-9", "anthropic") is None


@pytest.mark.parametrize("platform", ["aws", "foundry", "google_cloud"])
def test_other_first_party_platforms_have_the_same_prices(platform: str):
    assert cost(ONE_OF_EACH, "claude-opus-5", platform) == cost(ONE_OF_EACH, "claude-opus-5")
