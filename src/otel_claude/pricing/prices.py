"""The prices that a process works with: the user's own, then those of the `genai-prices` package.

In: a `Usage`, its model, and the platform that answered. Out: a `Cost`, or a context window. A model's prices
are compiled once a day into a `RateCard`, so that pricing a response is a lookup and a few multiplications.
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType

from otel_claude.pricing import rate_card
from otel_claude.pricing.catalog import Catalog, family, us_factor
from otel_claude.pricing.cost import Billed, Cost, by_step, cost_of
from otel_claude.pricing.overrides import Overrides, override_of
from otel_claude.pricing.rate_card import LONG_CONTEXT, RateCard, Terms
from otel_claude.usage import Usage

_log = logging.getLogger("otel_claude")

DAY = 86_400
NO_OVERRIDES: Overrides = MappingProxyType({})

MAX_CARDS = 1_000
"""Model names come from the application, so their number has no bound of its own."""

MOST_TRIES = 3
"""How often the price list is imported, if it cannot be."""

LONG_WINDOW = 1_000_000
"""Window of a model that prices long prompts apart, with the beta `context-1m-2025-08-07`. On Anthropic's own
platforms the beta ended on 2026-04-30. https://platform.claude.com/docs/en/release-notes/overview
"""


class Prices:
    """What models cost: `overrides`, as `read_overrides` gives them, before the listed prices.

    Any thread may use it at any time. Nothing here is locked, so that a fork cannot leave a lock held:
    threads that come first at the same time do the same work twice.
    """

    def __init__(self, overrides: Overrides = NO_OVERRIDES) -> None:
        self._overrides = overrides
        self._catalog: Catalog | None = None
        self._source = ""
        self._cards: dict[tuple[str, str, str | None, bool, int], RateCard | None] = {}
        self._loaded = False
        self._failed = 0
        self._warned = False

    def load(self) -> None:
        """Imports the price list now, which takes about half a second. Without it, the first `cost` does.

        It is tried again for the next calls, as gevent breaks imports that are under way while it patches the process.
        A price list that cannot be imported or read even then is logged once; then only overrides have prices.
        """
        if self._loaded:
            return
        try:
            import genai_prices
            from genai_prices.data_snapshot import get_snapshot

            self._source = f"genai-prices {genai_prices.__version__}"
            self._catalog = Catalog(get_snapshot())
            self._loaded = True
        except Exception as error:
            self._failed += 1
            if self._failed == MOST_TRIES:
                self._warn(error)
                self._loaded = True

    def cost(
        self,
        usage: Usage,
        *,
        model: str,
        platform: str,
        location: str | None = None,
        long_context: bool = False,
        now: datetime | None = None,
    ) -> Cost | None:
        """What a response costs, or `None` where a model or something it was billed for has no known price.

        `model` is the id that tells the endpoint: on Bedrock that of the request, elsewhere that of the
        response. `platform` is `anthropic`, `bedrock`, `vertex`, `foundry`, `aws` or `google_cloud`;
        `location` the region of Bedrock or Vertex AI, or `global`; `long_context` whether the request carried
        the beta `context-1m-2025-08-07`; `now` an aware time whose prices hold, instead of today's.
        """
        day = int((time.time() if now is None else now.timestamp()) // DAY)
        card = self._card(model, platform, location, long_context, day)
        if card is None or usage.input is None:
            return None
        if not usage.steps or not by_step(usage, card):
            return cost_of(usage, card, (Billed(usage, card),))
        parts: list[Billed] = []
        for step in usage.steps:
            of_step = self._card(step.model or model, platform, location, long_context, day)
            if of_step is None:
                return None
            parts.append(Billed(step.usage, of_step))
        return cost_of(usage, card, parts)

    def context_window(self, model: str, platform: str, *, long_context: bool = False) -> int | None:
        """How many tokens prompt and answer may have together, or `None` where that is not known."""
        card = self._card(model, platform, None, long_context, int(time.time() // DAY))
        if card is None:
            return None
        if card.tiers["standard"][-1].above == LONG_CONTEXT:
            return LONG_WINDOW
        return card.window

    def card(
        self, model: str, platform: str, location: str | None = None, *, now: datetime | None = None
    ) -> RateCard | None:
        """The prices of a model, or `None` where they are not known. The arguments are those of `cost`."""
        day = int((time.time() if now is None else now.timestamp()) // DAY)
        return self._card(model, platform, location, False, day)

    def models(self) -> Sequence[str]:
        """The names of the models that have a price, as the first party spells them without a date."""
        self.load()
        return () if self._catalog is None else self._catalog.models()

    def newest(self, day: date) -> date | None:
        """The last day, up to `day`, from which a price of the list holds, of whatever model. `None`: it tells none."""
        self.load()
        return None if self._catalog is None else self._catalog.newest(day)

    def _card(self, model: str, platform: str, location: str | None, long_context: bool, day: int) -> RateCard | None:
        key = (model, platform, location, long_context, day)
        try:
            return self._cards[key]
        except KeyError:
            card = self._compile(model, platform, location, long_context=long_context, day=day)
            if len(self._cards) >= MAX_CARDS:
                self._cards.clear()
            if self._loaded:
                self._cards[key] = card
            return card

    def _compile(
        self, model: str, platform: str, location: str | None, *, long_context: bool, day: int
    ) -> RateCard | None:
        listed = None
        try:
            listed = self._listed(model, platform, location, long_context=long_context, day=day)
        except Exception as error:
            self._warn(error)
        name = family(model)
        prices = override_of(self._overrides, model, name)
        if prices is None:
            return listed
        window = None if listed is None else listed.window
        return rate_card.of_override(prices, Terms(us=us_factor(name, platform)), window=window)

    def _listed(
        self, model: str, platform: str, location: str | None, *, long_context: bool, day: int
    ) -> RateCard | None:
        self.load()
        if self._catalog is None:
            return None
        from genai_prices.data_snapshot import get_snapshot

        snapshot = get_snapshot()
        if snapshot is not self._catalog.snapshot:  # the application keeps its price list up to date
            self._catalog = Catalog(snapshot)
        found = self._catalog.find(model, platform, location, long_context=long_context)
        if found is None:
            return None
        start = datetime.fromtimestamp(day * DAY, UTC)
        return rate_card.of_row(found.row, found.terms, day=start, source=self._source)

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(
                "otel_claude: the price list of genai-prices cannot be used; costs are missing", exc_info=error
            )
