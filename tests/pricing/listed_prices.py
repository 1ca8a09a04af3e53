"""The prices that Anthropic lists, and what a usage costs at them: what the tests of pricing compare with.

Written from the price pages, not from the price data that the package uses.
https://platform.claude.com/docs/en/about-claude/pricing
https://platform.claude.com/docs/en/build-with-claude/fast-mode#pricing
https://platform.claude.com/docs/en/build-with-claude/batch-processing#pricing
https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
https://platform.claude.com/docs/en/manage-claude/data-residency#pricing
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from otel_claude.usage import Usage

NOW = datetime(2026, 11, 22, tzinfo=UTC)
"""The day that the prices here were listed."""


class Listed(NamedTuple):
    """USD per million tokens, and the context window in tokens."""

    input: float
    output: float
    write_5m: float
    write_1h: float
    read: float
    window: int


LISTED: Mapping[str, Listed] = {
    "claude-fable-5-2": Listed(8, 40, 10, 16, 0.20, 1_000_000),
    "claude-mythos-5-2": Listed(8, 40, 10, 16, 0.20, 1_000_000),
    "claude-fable-5-1": Listed(10, 50, 12.5, 20, 0.25, 1_000_000),
    "claude-mythos-5-1": Listed(10, 50, 12.5, 20, 0.25, 1_000_000),
    "claude-fable-5": Listed(10, 50, 12.5, 20, 1.00, 1_000_000),
    "claude-mythos-5": Listed(10, 50, 12.5, 20, 1.00, 1_000_000),
    "claude-opus-5-5": Listed(4, 20, 5, 8, 0.20, 1_000_000),
    "claude-opus-5": Listed(5, 25, 6.25, 10, 0.50, 1_000_000),
    "claude-opus-4-8": Listed(5, 25, 6.25, 10, 0.50, 1_000_000),
    "claude-opus-4-7": Listed(5, 25, 6.25, 10, 0.50, 1_000_000),
    "claude-opus-4-6": Listed(5, 25, 6.25, 10, 0.50, 1_000_000),
    "claude-opus-4-5": Listed(5, 25, 6.25, 10, 0.50, 200_000),
    "claude-opus-4-1": Listed(15, 75, 18.75, 30, 1.50, 200_000),
    "claude-opus-4-0": Listed(15, 75, 18.75, 30, 1.50, 200_000),
    "claude-sonnet-5-5": Listed(2, 10, 2.5, 4, 0.10, 1_000_000),
    "claude-sonnet-5": Listed(2, 10, 2.5, 4, 0.20, 1_000_000),
    "claude-sonnet-4-6": Listed(3, 15, 3.75, 6, 0.30, 1_000_000),
    "claude-sonnet-4-5": Listed(3, 15, 3.75, 6, 0.30, 200_000),
    "claude-sonnet-4-0": Listed(3, 15, 3.75, 6, 0.30, 200_000),
    "claude-3-7-sonnet-latest": Listed(3, 15, 3.75, 6, 0.30, 200_000),
    "claude-3-5-sonnet-20241022": Listed(3, 15, 3.75, 6, 0.30, 200_000),
    "claude-haiku-5-5": Listed(0.10, 0.50, 0.125, 0.20, 0.01, 1_000_000),
    "claude-haiku-4-5": Listed(1, 5, 1.25, 2, 0.10, 200_000),
    "claude-3-5-haiku-latest": Listed(0.80, 4, 1, 1.60, 0.08, 200_000),
    "claude-3-haiku-20240307": Listed(0.25, 1.25, 0.30, 0.50, 0.03, 200_000),
    "claude-3-opus-20240229": Listed(15, 75, 18.75, 30, 1.50, 200_000),
}

RETIRED: Mapping[str, tuple[float, float]] = {
    "claude-v1": (8, 24),
    "claude-2": (8, 24),
    "claude-3-sonnet": (3, 15),
}
"""Input and output of models that the price pages do not list any more. https://aws.amazon.com/bedrock/pricing/"""

HAIKU_5_5_LONG = Listed(0.50, 2.50, 0.625, 1.00, 0.05, 1_000_000)
"""Claude Haiku 5.5 for prompts of more than 100,000 tokens, on every token."""

BATCH: Mapping[str, tuple[float, float]] = {
    "claude-fable-5-2": (4, 20),
    "claude-mythos-5-2": (4, 20),
    "claude-fable-5-1": (5, 25),
    "claude-mythos-5-1": (5, 25),
    "claude-fable-5": (5, 25),
    "claude-mythos-5": (5, 25),
    "claude-opus-5-5": (2, 10),
    "claude-opus-5": (2.5, 12.5),
    "claude-opus-4-8": (2.5, 12.5),
    "claude-opus-4-7": (2.5, 12.5),
    "claude-opus-4-6": (2.5, 12.5),
    "claude-opus-4-5": (2.5, 12.5),
    "claude-opus-4-1": (7.5, 37.5),
    "claude-opus-4-0": (7.5, 37.5),
    "claude-sonnet-5-5": (1, 5),
    "claude-sonnet-5": (1, 5),
    "claude-sonnet-4-6": (1.5, 7.5),
    "claude-sonnet-4-5": (1.5, 7.5),
    "claude-sonnet-4-0": (1.5, 7.5),
    "claude-3-7-sonnet-latest": (1.5, 7.5),
    "claude-3-5-sonnet-20241022": (1.5, 7.5),
    "claude-haiku-5-5": (0.05, 0.25),
    "claude-haiku-4-5": (0.5, 2.5),
    "claude-3-5-haiku-latest": (0.4, 2),
    "claude-3-haiku-20240307": (0.125, 0.625),
    "claude-3-opus-20240229": (7.5, 37.5),
}
"""Input and output in a batch."""

FAST: Mapping[str, tuple[float, float]] = {
    "claude-fable-5-2": (16, 80),
    "claude-mythos-5-2": (16, 80),
    "claude-opus-5-5": (8, 40),
    "claude-opus-5": (10, 50),
    "claude-opus-4-8": (10, 50),
}
"""Input and output in fast mode."""

WEB_SEARCH = 10 / 1000
WITHOUT_WEB_SEARCH = frozenset({"claude-3-haiku-20240307", "claude-3-opus-20240229"})

BEFORE_REGIONS = frozenset(
    {
        "claude-opus-4-1",
        "claude-opus-4-0",
        "claude-sonnet-4-0",
        "claude-3-7-sonnet-latest",
        "claude-3-5-sonnet-20241022",
        "claude-3-5-haiku-latest",
        "claude-3-haiku-20240307",
        "claude-3-opus-20240229",
    }
)
"""Models before Opus, Sonnet and Haiku 4.5, from which on a region of a cloud costs 10 % more than all of it."""

BEFORE_GEO = BEFORE_REGIONS | {"claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"}
"""Models before Opus 4.6 and Sonnet 4.6, from which on `inference_geo` "us" costs 10 % more."""


def by_hand(prices: Listed, usage: Usage) -> float:
    """What the tokens of one step cost."""
    dollars = (
        (usage.input or 0) * prices.input
        + (usage.output or 0) * prices.output
        + ((usage.cache_write or 0) - usage.cache_write_1h) * prices.write_5m
        + usage.cache_write_1h * prices.write_1h
        + (usage.cache_read or 0) * prices.read
    )
    return dollars / 1_000_000
