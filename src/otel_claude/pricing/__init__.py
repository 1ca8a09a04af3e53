"""What a response costs, in US dollars.

In: the `Usage` of a response, its model, the platform that answered, and the prices that the user gave, if
any. Out: a `Cost`, or `None` where a price is not known. Prices come from the `genai-prices` package; the
rules that it does not have (data residency, regional endpoints, steps of several models) stand here with
their sources.

Importing this package imports no price data; `Prices.load` does.
"""

from otel_claude.pricing.cost import COST_PARTS, Cost, together
from otel_claude.pricing.overrides import read_overrides
from otel_claude.pricing.prices import Prices

__all__ = ["COST_PARTS", "Cost", "Prices", "read_overrides", "together"]
