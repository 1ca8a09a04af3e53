"""What a token of one model costs on one platform on one day.

In: a row of `genai-prices`, or what the user says that a model costs. Out: a `RateCard` of plain floats,
which pricing a response multiplies with its token counts. Pure.

A *rate* is US dollars per token, an *absent* price is NaN: whatever it would price has no price either. A
*tier* holds for prompts longer than so many tokens, and for all tokens of the step with that prompt.
"""

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

Processing = Literal["standard", "batch", "fast", "priority"]

ABSENT = math.nan

BATCH_SHARE = 0.5
"""All token prices of a batch are half of the standard ones, cached tokens included.
https://platform.claude.com/docs/en/build-with-claude/batch-processing#pricing
"""

LONG_CONTEXT = 200_000
"""Prompts above this need the beta `context-1m-2025-08-07` on models that price them apart.
https://platform.claude.com/docs/en/about-claude/pricing#long-context-pricing
"""


class Rates(NamedTuple):
    """USD per token."""

    input: float
    output: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float


class Tier(NamedTuple):
    """The rates of a step whose prompt has more than `above` tokens."""

    above: int
    rates: Rates


class Terms(NamedTuple):
    """What the model, the platform and the endpoint make of the listed prices.

    `premium` multiplies all token prices. `us` multiplies them once more for a response with `inference_geo`
    "us", or is `None` where no such price is published.
    """

    premium: float = 1.0
    us: float | None = 1.0
    long_context: bool = False
    web_search: float = ABSENT
    estimated: tuple[str, ...] = ()


class RateCard(NamedTuple):
    """The prices of one model. `tiers` ascend from the one above 0; `web_search` is USD per search.

    `since` is the day from which the standard prices hold, `None` where their source does not tell it.
    """

    tiers: Mapping[Processing, tuple[Tier, ...]]
    web_search: float
    us: float | None
    window: int | None
    source: str
    estimated: tuple[str, ...]
    since: date | None = None


def of_row(row: "ModelInfo", terms: Terms, *, day: datetime, source: str) -> RateCard:
    """The card of a `genai-prices` row at the prices of that day.

    Batch and fast prices are the row's variants. Without a batch variant in force the batch price is half of
    the standard one; without a fast variant there is no price for fast mode.
    https://platform.claude.com/docs/en/build-with-claude/fast-mode#pricing
    """
    listed = row.get_prices(day)
    batch = row.get_prices(day, {"processing": "batch"})
    fast = row.get_prices(day, {"speed": "fast"})
    standard = _tiers(listed, terms)
    searches = listed.web_searches_kcount
    return RateCard(
        tiers={
            "standard": standard,
            "batch": _scaled(standard, BATCH_SHARE) if batch == listed else _tiers(batch, terms),
            "fast": _scaled(standard, ABSENT) if fast == listed else _tiers(fast, terms),
            "priority": standard,
        },
        web_search=terms.web_search if searches is None else _at(searches, 0) / 1000,
        us=terms.us,
        window=row.context_window,
        source=source,
        estimated=terms.estimated,
        since=_since(row, day),
    )


def of_override(prices: Mapping[str, float], terms: Terms, *, window: int | None) -> RateCard:
    """The card of a model that the user priced: `prices` as `read_overrides` gives them.

    They are the prices of the endpoint that the user calls, so no premium comes on top of them.
    """

    def rate(name: str) -> float:
        return prices.get(name, ABSENT) / 1e6

    rates = Rates(*map(rate, ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")))
    standard = (Tier(0, rates),)
    return RateCard(
        tiers={
            "standard": standard,
            "batch": _scaled(standard, BATCH_SHARE),
            "fast": _scaled(standard, ABSENT),
            "priority": standard,
        },
        web_search=prices.get("web_search", ABSENT) / 1000,
        us=terms.us,
        window=int(prices["context_window"]) if "context_window" in prices else window,
        source="override",
        estimated=(),
    )


def _since(row: "ModelInfo", day: datetime) -> date | None:
    """The last one whose condition is met holds. Few conditions are a date."""
    conditions = [each.constraint for each in row.prices] if isinstance(row.prices, list) else []
    held = next((each for each in reversed(conditions) if each is None or each.active(day)), None)
    return getattr(held, "start_date", None)


def _tiers(prices: "ModelPrice", terms: Terms) -> tuple[Tier, ...]:
    per_million = (
        prices.input_mtok,
        prices.output_mtok,
        prices.cache_read_mtok,
        prices.cache_write_mtok,
        prices.cache_write_1h_mtok,
    )
    starts = {0}
    for price in per_million:
        if price is not None and not isinstance(price, Decimal):
            starts.update(tier.start for tier in price.tiers)
    if not terms.long_context:
        starts.discard(LONG_CONTEXT)
    return tuple(
        Tier(start, Rates(*(_at(price, start) / 1e6 * terms.premium for price in per_million)))
        for start in sorted(starts)
    )


def _at(price: "Decimal | TieredPrices | None", start: int) -> float:
    """The listed price of a prompt of more than `start` tokens."""
    if price is None:
        return ABSENT
    if isinstance(price, Decimal):
        return float(price)
    reached = [tier.price for tier in price.tiers if tier.start <= start]
    return float(reached[-1] if reached else price.base)


def _scaled(tiers: tuple[Tier, ...], factor: float) -> tuple[Tier, ...]:
    return tuple(Tier(above, Rates(*(rate * factor for rate in rates))) for above, rates in tiers)
