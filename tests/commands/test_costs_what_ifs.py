"""What the same tokens would have cost otherwise, and where that cannot be told."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from otel_claude.commands.smaller_models import smaller
from otel_claude.commands.spend import Entry, Group, Groups, Quantity
from otel_claude.commands.what_ifs import WhatIfs
from otel_claude.pricing import Prices

DAY = date(2026, 11, 22)
PRICES = Prices()


def group(spent: Mapping[Quantity, str], model: str | None = "claude-opus-5-5") -> Group:
    groups = Groups(["model"])
    groups.add(Entry(DAY, {}, model, quantity, Decimal(amount)) for quantity, amount in spent.items())
    return groups.total


def usd(part: str, processing: str = "standard") -> Quantity:
    return Quantity("usd", part, processing)


# The models are those of https://platform.claude.com/docs/en/about-claude/models/overview and of the deprecations.
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-fable-5-2", "claude-opus-5"),
        ("claude-mythos-5-2", "claude-opus-5"),
        ("claude-opus-5-5", "claude-sonnet-5-5"),
        ("claude-opus-5", "claude-sonnet-5"),
        ("claude-opus-4-8", "claude-sonnet-4-6"),
        ("claude-opus-4-5-20251101", "claude-sonnet-4-5"),
        ("claude-opus-4-1", "claude-sonnet-4"),
        ("us.anthropic.claude-opus-5", "claude-sonnet-5"),
        ("claude-3-opus-20240229", "claude-3-sonnet"),
        ("claude-sonnet-5-5", "claude-haiku-5-5"),
        ("claude-sonnet-5", "claude-haiku-4-5"),
        ("claude-sonnet-4", "claude-3-5-haiku"),
        ("claude-haiku-5-5", None),
        ("claude-2.1", None),
        ("gpt-5", None),
    ],
)
def test_the_next_smaller_model_is_the_newest_that_is_not_newer(model: str, expected: str | None):
    assert smaller(model, PRICES.models()) == expected


def test_a_model_of_which_no_smaller_one_is_known_has_none():
    assert smaller("claude-opus-5", ["claude-opus-5", "claude-sonnet-6"]) is None


def test_each_part_changes_by_the_ratio_of_its_own_prices():
    """Opus 4.5 has 5, 25, 0.50, 6.25 and 10; Sonnet 4.5 has 3, 15, 0.30, 3.75 and 6: three fifths of it all."""
    spent = {usd(part): "10" for part in ("input", "output", "cache_read")}
    assert WhatIfs(PRICES).on_smaller_models(group(spent, "claude-opus-4-5")) == 18
    # Haiku 3 writes for 0.30 and 0.50, Sonnet 3 for 3.75 and 6, and three quarters of it for an hour.
    three_quarters_for_an_hour = {
        usd("cache_write"): "1",
        Quantity("tokens", "cache_write_5m"): "100",
        Quantity("tokens", "cache_write_1h"): "300",
    }
    found = WhatIfs(PRICES).on_smaller_models(group(three_quarters_for_an_hour, "claude-3-sonnet"))
    assert found is not None
    assert float(found) == pytest.approx((0.25 * 0.30 + 0.75 * 0.50) / (0.25 * 3.75 + 0.75 * 6))


def test_without_their_lifetimes_writes_to_the_cache_cannot_be_changed():
    assert WhatIfs(PRICES).on_smaller_models(group({usd("cache_write"): "1"})) is None


def test_fast_mode_becomes_the_standard_one_of_a_model_without_it():
    """Opus 5.5 costs 8 for input in fast mode, Sonnet 5.5 has none and costs 2."""
    assert WhatIfs(PRICES).on_smaller_models(group({usd("input", "fast"): "8"})) == 2


def test_a_model_without_a_smaller_one_stays():
    groups = Groups([])
    groups.add([Entry(DAY, {}, "claude-haiku-4-5", usd("input"), Decimal(1))])
    assert WhatIfs(PRICES).on_smaller_models(groups.total) is None
    groups.add([Entry(DAY, {}, "claude-sonnet-4-5", usd("input"), Decimal(3))])
    assert WhatIfs(PRICES).on_smaller_models(groups.total) == 1 + 1


@pytest.mark.parametrize(
    "spent",
    [
        {usd("unsplit", ""): "1"},
        {usd("input", ""): "1"},
        {usd("something"): "1"},
    ],
)
def test_what_is_not_told_apart_cannot_be_changed(spent: Mapping[Quantity, str]):
    assert WhatIfs(PRICES).on_smaller_models(group(spent)) is None


@pytest.mark.parametrize("model", [None, "claude-of-tomorrow"])
def test_what_has_no_price_cannot_be_changed(model: str | None):
    what_ifs = WhatIfs(PRICES)
    spent = group({usd("input"): "1"}, model)
    assert what_ifs.on_smaller_models(spent) is None
    assert what_ifs.tenth_cached(spent) is None
    assert what_ifs.smaller_models == {}


def test_only_what_could_have_waited_is_put_in_batches():
    what_ifs = WhatIfs(PRICES)
    assert (
        what_ifs.in_batches(group({usd("input"): "4", usd("output", "priority"): "6", usd("server_tools"): "1"})) == 6
    )
    assert what_ifs.in_batches(group({usd("input"): "4", usd("input", "batch"): "2", usd("input", "fast"): "8"})) == 12
    assert what_ifs.in_batches(group({usd("input", "batch"): "2"})) is None
    assert what_ifs.in_batches(group({usd("input"): "4", usd("unsplit", "batch"): "1"})) == 3
    assert what_ifs.in_batches(group({usd("input"): "4", usd("unsplit", ""): "1"})) is None


def test_a_tenth_of_the_input_costs_what_a_cached_token_costs():
    """Opus 5.5 costs 4 for input and 0.20 from the cache: of 100 USD, 10 become 0.50."""
    what_ifs = WhatIfs(PRICES)
    assert what_ifs.tenth_cached(group({usd("input"): "100", usd("output"): "7"})) == Decimal("97.5")
    assert what_ifs.tenth_cached(group({usd("output"): "7"})) is None
    assert what_ifs.tenth_cached(group({usd("input", ""): "7"})) is None
    assert what_ifs.tenth_cached(group({usd("unsplit", "batch"): "7"})) is None
    assert what_ifs.tenth_cached(group({usd("input"): "1"}, "claude-2.1")) is None


def test_prices_are_those_of_your_own_where_you_have_some():
    own = Prices({"my-*": {"input": 10, "output": 20, "cache_read": 1}})
    assert WhatIfs(own).tenth_cached(group({usd("input"): "10"}, "my-model")) == Decimal("9.1")


def test_a_group_in_which_nothing_was_spent_has_no_other_cost():
    what_ifs = WhatIfs(PRICES)
    calls = group({Quantity("calls"): "3"})
    assert [what_ifs.on_smaller_models(calls), what_ifs.in_batches(calls), what_ifs.tenth_cached(calls)] == [None] * 3
