"""Which row of `genai-prices` prices a model, and on what terms.

In: a model as applications name it to a platform. Out: a `Found`: its row and the `Terms` of the endpoint. A
name is matched whole: a row prices its own id, that id with a date, and the platform's spellings of it, and
never a name that only begins like it, since the price of an unknown model is not that of its predecessor.
Pure.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from otel_claude.pricing.rate_card import Terms

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo

SPELLINGS: Mapping[str, str] = {
    "claude-2.0": "claude-2",
    "claude-2.1": "claude-2",
    "claude-3-5-sonnet-v2": "claude-3-5-sonnet",
    "claude-4-opus": "claude-opus-4",
    "claude-4-sonnet": "claude-sonnet-4",
    "claude-opus-4-0": "claude-opus-4",
    "claude-sonnet-4-0": "claude-sonnet-4",
}
"""Names of one model. https://platform.claude.com/docs/en/about-claude/model-deprecations"""

SAME_PRICE: Mapping[str, str] = {
    "claude-mythos-5": "claude-fable-5",
    "claude-mythos-5-1": "claude-fable-5-1",
}
"""Models that have no row and the same prices as one that has.
https://platform.claude.com/docs/en/about-claude/pricing#model-pricing
"""

BEFORE_PREMIUM = frozenset(
    {
        "claude-2",
        "claude-3-haiku",
        "claude-3-opus",
        "claude-3-sonnet",
        "claude-3-5-haiku",
        "claude-3-5-sonnet",
        "claude-3-7-sonnet",
        "claude-opus-4",
        "claude-opus-4-1",
        "claude-sonnet-4",
    }
)
"""Models that cost the same on every endpoint of a cloud. From Sonnet 4.5, Haiku 4.5 and Opus 4.5 on,
regional and multi-region endpoints cost 10 % more than the global one.
https://platform.claude.com/docs/en/about-claude/pricing
https://cloud.google.com/vertex-ai/generative-ai/pricing#claude-models
"""
PREMIUM = 1.1

BEFORE_GEO = BEFORE_PREMIUM | {"claude-haiku-4-5", "claude-opus-4-5", "claude-sonnet-4-5"}
"""Models without `inference_geo`. From Opus 4.6 and Sonnet 4.6 on, "us" multiplies all token prices by 1.1 on
the Claude API and on Claude Platform on AWS.
https://platform.claude.com/docs/en/manage-claude/data-residency#pricing
https://docs.aws.amazon.com/claude-platform/latest/userguide/data-residency.html
"""
US: Mapping[str, float | None] = {"anthropic": 1.1, "aws": 1.1, "foundry": None, "google_cloud": None}
"""What "us" multiplies prices by; `None` where nothing is published. Elsewhere the endpoint decides the
place.
"""

VERTEX_SEARCH = 10 / 1000
"""USD per web search on Vertex AI, where a row does not say.
https://cloud.google.com/model-garden/partner-models/pricing
"""

ENDPOINT_UNKNOWN = ("endpoint_unknown",)

_FIRST_PARTY = re.compile(r"(?P<name>claude-[a-z0-9.-]+?)(?:[-@](?:20\d{6}|latest|default))?")
_BEDROCK = re.compile(
    r"(?:arn:aws:bedrock:[a-z0-9-]*:\d*:(?:foundation-model|inference-profile)/)?"
    r"(?:(?P<scope>[a-z]+)\.)?anthropic\.(?P<name>claude-[a-z0-9-]+?)(?:-20\d{6})?(?:-v\d(?::\d)?)?"
)
_BEDROCK_SCOPES: Mapping[str | None, str] = {
    "global": "bedrock global",
    **dict.fromkeys((None, "apac", "au", "eu", "in", "jp", "us"), "bedrock regional"),
}
"""The price list of a model id, by what it begins with. AWS GovCloud has prices that no source here lists.
https://platform.claude.com/docs/en/build-with-claude/claude-in-amazon-bedrock#regions
"""
_SHELVES: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("anthropic",),
    "aws": ("anthropic",),
    "foundry": ("anthropic",),
    "google_cloud": ("anthropic",),
    # Google's own list lacks some models, which cost there what they cost on the Claude API.
    "vertex": ("google", "anthropic"),
}


class Found(NamedTuple):
    """The row of a model, and what the platform and the endpoint make of its prices."""

    row: "ModelInfo"
    terms: Terms


class _Place(NamedTuple):
    """Where to look: a model's family, the price lists to look in, and the terms of the endpoint."""

    name: str
    shelves: tuple[str, ...]
    terms: Terms


class Catalog:
    """The Claude rows of one snapshot of `genai-prices`, by price list and model family."""

    def __init__(self, snapshot: "DataSnapshot") -> None:
        self.snapshot = snapshot
        self._rows: dict[tuple[str, str], ModelInfo] = {}
        for provider in snapshot.providers:
            for row in provider.models:
                name = family(row.id)
                if provider.id == "aws":
                    shelf = "bedrock global" if row.id.startswith("global.") else "bedrock regional"
                else:
                    shelf = provider.id
                if name.startswith("claude-"):
                    self._rows.setdefault((shelf, name), row)

    def models(self) -> list[str]:
        """The names of all models of the first party."""
        return [name for shelf, name in self._rows if shelf == "anthropic"]

    def newest(self, day: date) -> date | None:
        """The last day, up to `day`, from which a price of the list holds. The list has no date of its own."""
        starts = (
            getattr(price.constraint, "start_date", None)
            for provider in self.snapshot.providers
            for row in provider.models
            for price in (*(row.prices if isinstance(row.prices, list) else ()), *(row.price_variants or ()))
        )
        return max((start for start in starts if start is not None and start <= day), default=None)

    def find(self, model: str, platform: str, location: str | None, *, long_context: bool) -> Found | None:
        """The row and terms of a model, or `None` where its price is not known."""
        place = _bedrock(model, location) if platform == "bedrock" else _elsewhere(model, platform, location)
        if place is None:
            return None
        terms = place.terms._replace(long_context=long_context)
        for name in (place.name, SAME_PRICE.get(place.name, place.name)):
            for shelf in place.shelves:
                row = self._rows.get((shelf, name))
                if row is not None:
                    return Found(row, terms)
        return None


@lru_cache(maxsize=512)
def family(model: str) -> str:
    """The name that all ids of a model share: without what a platform adds to it and without a date."""
    match = _BEDROCK.fullmatch(model) or _FIRST_PARTY.fullmatch(model)
    name = match["name"] if match else model
    return SPELLINGS.get(name, name)


def us_factor(name: str, platform: str) -> float | None:
    """What `inference_geo` "us" multiplies the token prices of a family by. `None`: nothing is published."""
    return 1.0 if name in BEFORE_GEO else US.get(platform, 1.0)


def _elsewhere(model: str, platform: str, location: str | None) -> _Place | None:
    if platform not in _SHELVES or not _FIRST_PARTY.fullmatch(model):
        return None
    name = family(model)
    terms = _vertex(name, location) if platform == "vertex" else Terms(us=us_factor(name, platform))
    return _Place(name, _SHELVES[platform], terms)


def _vertex(name: str, location: str | None) -> Terms:
    if location == "global" or name in BEFORE_PREMIUM:
        return Terms(web_search=VERTEX_SEARCH)
    if location is None:
        return Terms(web_search=VERTEX_SEARCH, estimated=ENDPOINT_UNKNOWN)
    return Terms(premium=PREMIUM, web_search=VERTEX_SEARCH)


def _bedrock(model: str, location: str | None) -> _Place | None:
    """An id without a scope is called on the endpoint of a region.

    Responses name the model without what tells its endpoint, so their name alone leaves the premium open.
    """
    if location is not None and location.startswith("us-gov-"):
        return None
    name = family(model)
    match = _BEDROCK.fullmatch(model)
    if match is None:
        terms = Terms() if name in BEFORE_PREMIUM else Terms(estimated=ENDPOINT_UNKNOWN)
        return _Place(name, ("bedrock regional",), terms)
    shelf = _BEDROCK_SCOPES.get(match["scope"])
    return None if shelf is None else _Place(name, (shelf,), Terms())
