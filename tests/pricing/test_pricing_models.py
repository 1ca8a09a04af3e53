"""Names of models: each spelling that a platform has finds its price, and no other name does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listed_prices import LISTED, NOW

from otel_claude.pricing import Cost, Prices
from otel_claude.usage import Usage

PRICES = Prices()
USAGE = Usage(input=1_000_000, output=0)
"""A prompt for which the cost in USD is the price per million tokens, except on Haiku 5.5."""

PLATFORMS = ("anthropic", "aws", "bedrock", "foundry", "google_cloud", "vertex")


def cost(model: str, platform: str = "anthropic", location: str | None = None) -> Cost | None:
    return PRICES.cost(USAGE, model=model, platform=platform, location=location, now=NOW)


def per_million(model: str, platform: str, location: str | None = None) -> float:
    found = cost(model, platform, location)
    assert found is not None
    assert found.estimated == ()
    return found.total


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("claude-2.1", 8),  # 0.008 per 1,000, https://aws.amazon.com/bedrock/pricing/
        ("claude-3-opus-latest", 15),
        ("claude-3-5-sonnet-latest", 3),
        ("claude-3-7-sonnet-20250219", 3),
        ("claude-3-5-haiku-20241022", 0.80),
        ("claude-4-opus-20250514", 15),
        ("claude-4-sonnet-20250514", 3),
        ("claude-opus-4", 15),
        ("claude-opus-4-20250514", 15),
        ("claude-opus-4-1-20250805", 15),
        ("claude-opus-4-5-20251101", 5),
        ("claude-sonnet-4-20250514", 3),
        ("claude-sonnet-4-5-20250929", 3),
        ("claude-haiku-4-5-20251001", 1),
        ("claude-opus-5-20260801", 5),
        ("claude-mythos-5-1-20260901", 10),
    ],
)
def test_dated_and_older_names_have_the_price_of_their_model(model: str, price: float):
    assert per_million(model, "anthropic") == pytest.approx(price)


UNKNOWN = [
    "",
    "claude",
    "claude-",
    "claude-1.3",
    "claude-instant-1.2",
    "claude-opus",
    "claude-opus-latest",
    "claude-4",
    "claude-haiku-5",
    "claude-haiku-4-51",
    "claude-opus-6",
    "claude-opus-5-7",
    "claude-opus-5-55",
    "claude-opus-5-5-5",
    "claude-opus-5-fast",
    "claude-opus-5-",
    "claude-opus-5 ",
    "claude-opus-5\n",
    "claude-opus-5[1m]",
    "claude-opus-5-2026",
    "claude-opus-5-99999999",
    "claude-opus-5-202608011",
    "claude-opus-4-9",
    "claude-opus-4-10",
    "claude-opus-45",
    "claude-sonnet-9",
    "claude-sonnet-4-5x",
    "claude-sonnet-4-7",
    "claude-fable-6",
    "claude-fable-5-3",
    "claude-mythos-6",
    "claude-mythos-preview",
    "claude-3-5-haiku-turbo",
    "claude-3-haiku-pro",
    "claude-3-opus-x",
    "CLAUDE-OPUS-5",
    "my-claude-opus-5",
    "anthropic/claude-opus-5",
    "gpt-5",
    "amazon.nova-pro-v1:0",
    "anthropic.claude-v2:1",
    "us.anthropic.claude-opus-9-v1:0",
    "us.anthropic.claude-opus-5-7",
    "xx.anthropic.claude-opus-5",
    "regional.anthropic.claude-opus-5",
    "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
    "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a1b2c3d4e5f6",
    "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0",
]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("model", UNKNOWN)
def test_an_unknown_name_has_no_price_on_any_platform(model: str, platform: str):
    assert cost(model, platform) is None


UNDATED = re.compile(r"[-@](20\d{6}|latest|default)$")


@given(st.sampled_from(sorted(LISTED)), st.from_regex(r"[-.@:a-z0-9]{1,12}", fullmatch=True))
def test_only_a_date_may_follow_a_known_name(model: str, more: str):
    listed = {UNDATED.sub("", name): prices for name, prices in LISTED.items()}
    name = UNDATED.sub("", model + more)
    found = PRICES.cost(Usage(input=1_000, output=0), model=model + more, platform="anthropic", now=NOW)
    if found is not None:
        assert found.total == pytest.approx(listed[name].input / 1_000)


def test_an_unknown_platform_has_no_prices():
    assert cost("claude-opus-5", "elsewhere") is None


@pytest.mark.parametrize(
    ("model", "price"),
    [
        # the global endpoint has the list price
        ("global.anthropic.claude-opus-4-5-20251101-v1:0", 5),
        ("global.anthropic.claude-sonnet-4-6", 3),
        ("global.anthropic.claude-opus-5", 5),
        # regional ones cost 10 % more
        ("anthropic.claude-opus-4-6-v1", 5.5),
        ("us.anthropic.claude-opus-5", 5.5),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3),
        ("jp.anthropic.claude-sonnet-4-6", 3.3),
        ("au.anthropic.claude-haiku-4-5-20251001-v1:0", 1.1),
        ("us.anthropic.claude-mythos-5", 11),
        # but not those of older models
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", 3),
        ("apac.anthropic.claude-sonnet-4-20250514-v1:0", 3),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", 15),
        # names of the account's resources
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-8", 5.5),
        ("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/global.anthropic.claude-opus-4-8", 5),
    ],
)
def test_the_bedrock_id_tells_the_model_and_the_endpoint(model: str, price: float):
    """https://platform.claude.com/docs/en/build-with-claude/claude-in-amazon-bedrock#regions."""
    assert per_million(model, "bedrock", "us-east-1") == pytest.approx(price)


def test_a_bedrock_name_without_its_endpoint_is_priced_as_regional_and_marked():
    found = cost("claude-opus-4-8", "bedrock", "us-east-1")
    assert found is not None
    assert found.total == pytest.approx(5.5)
    assert found.estimated == ("endpoint_unknown",)
    assert per_million("claude-3-5-haiku-20241022", "bedrock") == pytest.approx(0.80)


def test_govcloud_has_no_prices():
    assert cost("anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", "us-gov-west-1") is None


def test_a_kind_of_token_that_bedrock_lists_no_price_for_has_none():
    """Claude 3 Haiku has no prompt caching there."""
    usage = Usage(input=1, output=1, cache_read=1)
    model = "anthropic.claude-3-haiku-20240307-v1:0"
    assert PRICES.cost(usage, model=model, platform="bedrock", now=NOW) is None
    assert PRICES.cost(usage._replace(cache_read=0), model=model, platform="bedrock", now=NOW) is not None


@pytest.mark.parametrize(
    ("model", "location", "price"),
    [
        ("claude-opus-5", "global", 5),
        ("claude-opus-5", "us", 5.5),
        ("claude-sonnet-4-5@20250929", "global", 3),
        ("claude-sonnet-4-5@20250929", "us-east5", 3.3),
        ("claude-haiku-4-5@20251001", "europe-west1", 1.1),
        ("claude-sonnet-5@default", "eu", 2.2),
        ("claude-sonnet-4@20250514", "us-east5", 3),
        ("claude-opus-4-1@20250805", "us-east5", 15),
        ("claude-3-5-sonnet-v2@20241022", "us-east5", 3),
        ("claude-3-5-haiku@20241022", None, 0.80),
    ],
)
def test_vertex_regions_cost_ten_percent_more_from_sonnet_4_5_on(model: str, location: str | None, price: float):
    """https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai#global-vs-regional-endpoints."""
    assert per_million(model, "vertex", location) == pytest.approx(price)


def test_an_unknown_vertex_region_is_priced_as_global_and_marked():
    found = cost("claude-opus-5", "vertex")
    assert found is not None
    assert found.total == pytest.approx(5)
    assert found.estimated == ("endpoint_unknown",)


def test_a_web_search_on_vertex_costs_what_google_lists_and_no_premium():
    """https://cloud.google.com/model-garden/partner-models/pricing."""
    usage = Usage(input=0, output=0, web_searches=3)
    found = PRICES.cost(usage, model="claude-opus-5", platform="vertex", location="us-east5", now=NOW)
    assert found is not None
    assert found.total == pytest.approx(0.03)
