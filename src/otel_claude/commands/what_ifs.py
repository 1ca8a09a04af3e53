"""What the same tokens would have cost otherwise.

In: the sums of a group, by model and day, and prices. Out: dollars, or `None` where they cannot be told. Pure but for
the price list, which is read once.

Each is what was spent, part by part, times the ratio of two prices of the same kind of token on the same day. So
discounts and the surcharges of places stay what they were. Prices are the first party's, or those that the user gave.
"""

import math
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from otel_claude.commands.decimals import exact, per_million
from otel_claude.commands.smaller_models import smaller
from otel_claude.commands.spend import UNSPLIT, Group, Quantity, Sums, noon
from otel_claude.pricing import Prices
from otel_claude.pricing.catalog import family
from otel_claude.pricing.rate_card import BATCH_SHARE, Processing, RateCard, Rates

TENTH = Decimal("0.1")
IN_TURN: frozenset[str] = frozenset({"standard", "priority"})
"""How calls are processed that could have been batches. Fast mode is for those who cannot wait."""

PROCESSING: frozenset[str] = frozenset({"standard", "batch", "fast", "priority"})

Dollars = Callable[[Quantity, Decimal], Decimal | None]
"""What dollars of a part would be instead; `None` where that cannot be told."""


class WhatIfs:
    """Answers for groups. `assumed` says what the answers so far take for granted."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self.smaller_models: dict[str, str] = {}
        self.assumed: dict[str, None] = {}

    def on_smaller_models(self, group: Group) -> Decimal | None:
        """Each model's tokens on the next smaller one. Those of a model that has none cost what they did.

        `None` where no model has one, or something has no price.
        """
        return _changed(group, self._on_smaller)

    def in_batches(self, group: Group) -> Decimal | None:
        """What was processed as standard or at priority, in batches. `None` where there was nothing like that."""
        return _changed(group, lambda model, day, sums: _in_batch)

    def tenth_cached(self, group: Group) -> Decimal | None:
        """With a tenth of the uncached input read from the cache instead; what it costs to write it is left out."""
        return _changed(group, lambda model, day, sums: self._tenth_cached(model, day))

    def _card(self, model: str, day: date) -> RateCard | None:
        for name in dict.fromkeys((model, family(model))):
            if (card := self._prices.card(name, "anthropic", now=noon(day))) is not None:
                return card
        return None

    def _on_smaller(self, model: str | None, day: date, sums: Sums) -> Dollars:
        own = None if model is None else self._card(model, day)
        if model is None or own is None:
            return _unknown
        name = smaller(model, self._prices.models())
        other = None if name is None else self._card(name, day)
        if name is None or other is None:
            return _same
        self.smaller_models[model] = name
        tiers = other.tiers["standard"]
        if len(tiers) > 1:
            self.assumed[
                f"{name} is counted at its price for prompts of up to {tiers[1].above:,} tokens: sums do not tell how "
                "long a prompt was."
            ] = None
        return _at_prices_of(own, other, _long_share(sums))

    def _tenth_cached(self, model: str | None, day: date) -> Dollars:
        card = None if model is None else self._card(model, day)

        def dollars(quantity: Quantity, usd: Decimal) -> Decimal | None:
            if quantity.part == UNSPLIT:
                return None
            if quantity.part != "input":
                return usd
            if card is None or quantity.processing not in PROCESSING:
                return None
            rates = _rates(card, quantity.processing)
            cached = _scaled(usd, rates.input, rates.cache_read)
            return None if cached is None else usd - TENTH * (usd - cached)

        return dollars


def _changed(group: Group, dollars_of: Callable[[str | None, date, Sums], Dollars]) -> Decimal | None:
    """What the group would have cost instead. `None` where a part of it cannot be told, or all stays as it was."""
    spent = total = Decimal(0)
    for (model, day), sums in group.parts.items():
        spending = {quantity: usd for quantity, usd in sums.items() if quantity.kind == "usd"}
        if not spending:
            continue
        dollars = dollars_of(model, day, sums)
        for quantity, usd in spending.items():
            instead = dollars(quantity, usd)
            if instead is None:
                return None
            spent += usd
            total += instead
    return None if total == spent else total


def _at_prices_of(own: RateCard, other: RateCard, long_share: float | None) -> Dollars:
    """What a part of a cost by one card would be by another one. Where that has no fast mode, its standard price."""

    def dollars(quantity: Quantity, usd: Decimal) -> Decimal | None:
        if quantity.part == "server_tools":
            return _scaled(usd, own.web_search, other.web_search)
        if quantity.processing not in PROCESSING:
            return None
        ours, theirs = _rates(own, quantity.processing), _rates(other, quantity.processing)
        if math.isnan(theirs.input):
            theirs = _rates(other, "standard")
        if quantity.part == "cache_write":
            return _scaled(usd, _written(ours, long_share), _written(theirs, long_share))
        if quantity.part not in Rates._fields:
            return None
        return _scaled(usd, getattr(ours, quantity.part), getattr(theirs, quantity.part))

    return dollars


def _same(quantity: Quantity, usd: Decimal) -> Decimal | None:
    return usd


def _unknown(quantity: Quantity, usd: Decimal) -> Decimal | None:
    return None


def _in_batch(quantity: Quantity, usd: Decimal) -> Decimal | None:
    """A batch has half of the price of all tokens, and none of web searches is less."""
    if quantity.part == UNSPLIT and quantity.processing != "batch":
        return None
    halved = quantity.part != "server_tools" and quantity.processing in IN_TURN
    return usd * exact(BATCH_SHARE) if halved else usd


def _rates(card: RateCard, processing: str) -> Rates:
    known: dict[str, Processing] = {name: name for name in card.tiers}
    return card.tiers[known[processing]][0].rates


def _long_share(sums: Sums) -> float | None:
    """How much of what was written to the cache was for one hour. `None` where nothing is known of that."""
    short, long = (float(sums.get(Quantity("tokens", f"cache_write_{each}"), 0)) for each in ("5m", "1h"))
    return long / (short + long) if short + long else None


def _written(rates: Rates, long_share: float | None) -> float:
    """The mean price of tokens written to the cache."""
    if long_share is None:
        return math.nan
    return rates.cache_write_5m * (1 - long_share) + rates.cache_write_1h * long_share


def _scaled(usd: Decimal, price: float, other: float) -> Decimal | None:
    """Dollars at another price. `None` where one of the two is not known."""
    ours, theirs = per_million(price), per_million(other)
    return None if not ours or theirs is None else usd * theirs / ours
