"""Numbers as decimals: the ones that floats are written as, so that sums and what is printed are exact. Pure."""

import math
from decimal import Decimal

MILLION = 1_000_000
PLACES = 12


def exact(value: float) -> Decimal:
    """The decimal number that a value is written as."""
    return Decimal(repr(value))


def per_million(rate: float) -> Decimal | None:
    """A price as it is listed, in USD per million tokens; `None` where it is absent."""
    return None if math.isnan(rate) else exact(round(rate * MILLION, 9))


def plain(amount: Decimal) -> str:
    """A number with up to 12 places, without an exponent or zeros at its end."""
    return f"{round(amount, PLACES):f}".rstrip("0").rstrip(".") if amount % 1 else f"{amount:.0f}"
