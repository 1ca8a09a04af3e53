"""`otel-claude prices`: what models cost, by the prices that are in force.

In: names of models, a platform, a place and a day. Out: their rate cards, as a table or JSON.
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, NamedTuple

from otel_claude.commands.arguments import day, overrides
from otel_claude.commands.decimals import exact, per_million, plain
from otel_claude.commands.spend import noon
from otel_claude.commands.tables import ABSENT, table
from otel_claude.pricing import Prices
from otel_claude.pricing.catalog import SAME_PRICE
from otel_claude.pricing.rate_card import Processing, RateCard, Rates

KNOWN, UNKNOWN_MODEL = 0, 1
PLATFORMS = ("anthropic", "bedrock", "vertex", "foundry", "aws", "google_cloud")
PROCESSING: tuple[Processing, ...] = ("standard", "batch", "fast")
"""Priority is left out: its commitments have prices of their own, which nobody lists."""

DESCRIPTION = """\
Show what models cost, in USD per million tokens, as calls are priced: by OTEL_CLAUDE_PRICES where that names a
model, else by the package genai-prices.
"""
EPILOG = "exit status: 0 all models have prices; 1 one has none; 2 a wrong argument."


class Shown(NamedTuple):
    """A model with its prices."""

    model: str
    card: RateCard


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("models", metavar="MODEL", nargs="*", help="the name of a model; by default all that have one")
    parser.add_argument("--platform", choices=PLATFORMS, default="anthropic", help="by default anthropic")
    parser.add_argument("--location", metavar="PLACE", help="a region of Bedrock or Vertex AI, or global")
    parser.add_argument(
        "--day", metavar="DAY", type=day, help="the day whose prices hold, as YYYY-MM-DD; by default today"
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="table", help="by default table")


def run(arguments: argparse.Namespace) -> int:
    """Prints the prices. The exit status."""
    own = overrides()
    prices = Prices(own)
    today = datetime.now(UTC).date()
    on: date = arguments.day or today
    named: list[str] = arguments.models
    known = sorted({*prices.models(), *SAME_PRICE, *(name for name in own if not set(name) & set("*?["))})
    cards = {
        model: prices.card(model, arguments.platform, arguments.location, now=noon(on)) for model in named or known
    }
    found = [Shown(model, card) for model, card in cards.items() if card is not None]
    listed = [each for each in found if each.card.source != "override"]
    if found:
        sys.stdout.write(FORMATS[arguments.format](found, on, prices.newest(today) if listed else None))
    undated = [model for model, card in listed if card.since is None]
    if undated and on < today:
        sys.stderr.write(
            f"otel-claude prices: since when these prices hold, the list does not tell, so on {on} they may have been "
            f"others: {', '.join(undated)}\n"
        )
    unknown = [model for model in named if cards[model] is None]
    for model in unknown:
        near = get_close_matches(model.lower(), known, n=3)
        hint = f"; names like it: {', '.join(near)}" if near else "; `otel-claude prices` lists all that have one"
        sys.stderr.write(f"otel-claude prices: {model!r} has no price on {arguments.platform}{hint}\n")
    return UNKNOWN_MODEL if unknown or not found else KNOWN


HEAD = ("model", "processing", "prompts above", *(name.replace("_", " ") for name in Rates._fields))


def as_table(found: Sequence[Shown], on: date, newest: date | None) -> str:
    """A line for each way of processing and each size of prompts that has prices of its own.

    `newest` is the day from which the newest price of the list holds.
    """
    lines = [
        [model, processing, f"{above:,}" if above else "", *(_money(per_million(rate)) for rate in rates)]
        for model, card in found
        for processing in PROCESSING
        for above, rates in card.tiers[processing]
        if not math.isnan(rates.input)
    ]
    more = [
        [
            model,
            card.source,
            ABSENT if card.since is None else card.since.isoformat(),
            _money(_per_thousand(card)),
            ABSENT if card.window is None else f"{card.window:,}",
            ABSENT if card.us is None else plain(exact(card.us)),
        ]
        for model, card in found
    ]
    estimates = [f"{model} is an estimate: {', '.join(card.estimated)}\n" for model, card in found if card.estimated]
    first = f"USD per million tokens on {on.isoformat()}\n{table(HEAD, lines, left=2)}"
    dated = [] if newest is None else [f"The newest price of the list, of whatever model, holds since {newest}.\n"]
    return "\n".join([first, table(MORE_HEAD, more, left=3), "".join([*estimates, *dated])])


MORE_HEAD = ("model", "source", "since", "1,000 web searches", "context window", "inference_geo us")


def as_json(found: Sequence[Shown], on: date, newest: date | None) -> str:
    """One object, with the models in it."""
    told = {
        "day": on.isoformat(),
        **({} if newest is None else {"newest_price_of_list_since": newest.isoformat()}),
        "models": [_object(*each) for each in found],
    }
    return f"{json.dumps(told, indent=2)}\n"


def _object(model: str, card: RateCard) -> dict[str, Any]:
    searches = _per_thousand(card)
    told = {
        "model": model,
        "usd_per_million_tokens": {
            processing: [
                {"prompts_above": above, **{name: float(rate) for name, rate in _listed(rates).items()}}
                for above, rates in card.tiers[processing]
            ]
            for processing in PROCESSING
            if not math.isnan(card.tiers[processing][0].rates.input)
        },
        "usd_per_thousand_web_searches": None if searches is None else float(searches),
        "context_window": card.window,
        "inference_geo_us_factor": card.us,
        "source": card.source,
        "since": None if card.since is None else card.since.isoformat(),
        "estimated": list(card.estimated) or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _listed(rates: Rates) -> Mapping[str, Decimal]:
    listed = {name: per_million(rate) for name, rate in rates._asdict().items()}
    return {name: price for name, price in listed.items() if price is not None}


def _per_thousand(card: RateCard) -> Decimal | None:
    return None if math.isnan(card.web_search) else exact(round(card.web_search * 1000, 9))


def _money(price: Decimal | None) -> str:
    if price is None:
        return ABSENT
    text = plain(price)
    _, _, places = text.partition(".")
    return text if len(places) > 1 else f"{price:.2f}"


FORMATS = {"table": as_table, "json": as_json}
"""What `--format` accepts."""
