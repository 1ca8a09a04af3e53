"""The price of a response, by what it is for.

In: a `Usage`, and the parts it is billed in, each with the `RateCard` of its model. Out: a `Cost`, or `None`
where tokens were counted that have no price. Pure.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from otel_claude.pricing.rate_card import Processing, RateCard, Rates, Tier
from otel_claude.usage import Usage

PRICED_PLACES = frozenset({None, "global", "not_available", "us"})
"""Values of `inference_geo` with published prices: standard ones, and those of "us".
https://platform.claude.com/docs/en/manage-claude/data-residency
"""


class Cost(NamedTuple):
    """US dollars, by what they are spent on.

    `cache_savings` is what cache reads saved against the price of uncached input, less what cache writes cost
    above it; negative where the writes cost more than the reads saved. `batch_savings` is what the batch
    discount saved. `source` names the price list: "override", or "genai-prices" and its version.

    `estimated` says why the bill may differ, and is empty where it should not:

    - `code_execution`: containers are billed by the hour, which the usage does not say.
    - `endpoint_unknown`: a cloud's regional endpoints cost 10 % more than its global one; which it was is not
      known.
    - `fallback_credit`: a fallback credit was redeemed, which bills tokens at other rates than they are
      counted.
    - `inference_geo`: no price is published for this place on this platform.
    - `output_unknown`: the API has not said how long the output is; none is included.
    - `priority_tier`: capacity commitments have prices of their own; these are the list prices.
    - `prompt_tier`: the usage adds up several prompts, any of which may have reached a higher price tier.
    """

    input: float
    output: float
    cache_read: float
    cache_write: float
    server_tools: float
    cache_savings: float
    batch_savings: float
    processing: Processing
    source: str
    estimated: tuple[str, ...]

    @property
    def total(self) -> float:
        """The sum of the five parts."""
        return self.input + self.output + self.cache_read + self.cache_write + self.server_tools


COST_PARTS = ("input", "output", "cache_read", "cache_write", "server_tools")
"""The fields of a `Cost` that add up to its total."""


def together(one: Cost, other: Cost) -> Cost:
    """What two responses cost together, as the first was processed."""
    return Cost(
        one.input + other.input,
        one.output + other.output,
        one.cache_read + other.cache_read,
        one.cache_write + other.cache_write,
        one.server_tools + other.server_tools,
        one.cache_savings + other.cache_savings,
        one.batch_savings + other.batch_savings,
        one.processing,
        one.source,
        tuple(dict.fromkeys(one.estimated + other.estimated)),
    )


class Billed(NamedTuple):
    """Tokens that are billed at the prices of one model: those of a response, or of one of its steps."""

    usage: Usage
    card: RateCard


def by_step(usage: Usage, card: RateCard) -> bool:
    """Whether the steps of a response have to be priced one by one.

    The sums in a usage leave out compaction and advisor steps and mix the models of a fallback, and it is the
    prompt of one step that reaches a price tier. Otherwise the steps cost what the sums cost.
    https://platform.claude.com/docs/en/build-with-claude/compaction
    https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool
    """
    return len(card.tiers["standard"]) > 1 or any(step.kind != "message" for step in usage.steps)


def cost_of(usage: Usage, card: RateCard, parts: Sequence[Billed]) -> Cost | None:
    """The cost of a response: its tokens as `parts` have them, its server tools as its `usage` counts them.

    `card` is that of the response's model. What the usage of a step leaves out (service tier, speed, place)
    is said by that of the response. Web searches have no batch discount and no price by place.
    https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool#usage-and-pricing
    """
    processing = _processing(usage)
    reasons = _reasons(usage)
    searches = usage.web_searches * card.web_search if usage.web_searches else 0.0
    input_ = output = cache_read = cache_write = cache_savings = undiscounted = 0.0
    for part, rated in parts:
        reasons += rated.estimated
        if part.output is None:
            reasons.append("output_unknown")
        factor = rated.us if usage.inference_geo == "us" else 1.0
        if factor is None:
            factor = 1.0
            reasons.append("inference_geo")
        prompt = part.prompt or 0
        tiers = rated.tiers[processing]
        if len(tiers) > 1 and prompt > tiers[1].above and _adds_up_prompts(usage):
            prompt = 0
            reasons.append("prompt_tier")
        spent = _spent(part, _reached(tiers, prompt), factor)
        input_ += spent.input
        output += spent.output
        cache_read += spent.cache_read
        cache_write += spent.cache_write
        cache_savings += spent.cache_savings
        if processing == "batch":
            undiscounted += _spent(part, _reached(rated.tiers["standard"], prompt), factor).total
    cost = Cost(
        input_,
        output,
        cache_read,
        cache_write,
        searches,
        cache_savings,
        undiscounted - (input_ + output + cache_read + cache_write) if processing == "batch" else 0.0,
        processing,
        "override" if any(rated.source == "override" for _, rated in parts) else card.source,
        tuple(dict.fromkeys(reasons)),
    )
    return None if math.isnan(cost.total) else cost


class _Spent(NamedTuple):
    input: float
    output: float
    cache_read: float
    cache_write: float
    cache_savings: float

    @property
    def total(self) -> float:
        return self.input + self.output + self.cache_read + self.cache_write


def _spent(usage: Usage, rates: Rates, factor: float) -> _Spent:
    """What tokens cost. Where none were read from or written to the cache, an absent price matters not."""
    uncached = rates.input * factor
    cache_read = cache_write = cache_savings = 0.0
    if usage.cache_read:
        cache_read = usage.cache_read * rates.cache_read * factor
        cache_savings = usage.cache_read * uncached - cache_read
    if usage.cache_write:
        for tokens, rate in (
            (usage.cache_write_5m, rates.cache_write_5m),
            (usage.cache_write_1h, rates.cache_write_1h),
        ):
            if tokens > 0:
                cache_write += tokens * rate * factor
                cache_savings -= tokens * (rate * factor - uncached)
    return _Spent(
        (usage.input or 0) * uncached,
        (usage.output or 0) * rates.output * factor,
        cache_read,
        cache_write,
        cache_savings,
    )


def _reached(tiers: tuple[Tier, ...], prompt: int) -> Rates:
    """The rates of a step with a prompt of so many tokens."""
    rates = tiers[0].rates
    for tier in tiers[1:]:
        if prompt > tier.above:
            rates = tier.rates
    return rates


def _processing(usage: Usage) -> Processing:
    """How the response was processed. Fast mode is not to be had in a batch.

    https://platform.claude.com/docs/en/build-with-claude/fast-mode
    """
    if usage.service_tier == "batch":
        return "batch"
    if usage.speed == "fast":
        return "fast"
    return "priority" if usage.service_tier == "priority" else "standard"


def _adds_up_prompts(usage: Usage) -> bool:
    """Whether the counts are sums over the steps of a server-tool loop that are not listed."""
    return not usage.steps and bool(usage.web_searches or usage.web_fetches or usage.code_executions)


def _reasons(usage: Usage) -> list[str]:
    """Why the bill may differ, as far as the usage says.

    Code execution is free together with web search or web fetch.
    https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool#usage-and-pricing
    https://platform.claude.com/docs/en/api/service-tiers
    """
    reasons: list[str] = []
    if usage.service_tier == "priority":
        reasons.append("priority_tier")
    if usage.inference_geo not in PRICED_PLACES:
        reasons.append("inference_geo")
    if usage.code_executions and not (usage.web_searches or usage.web_fetches):
        reasons.append("code_execution")
    if usage.fallback_credit:
        reasons.append("fallback_credit")
    return reasons
