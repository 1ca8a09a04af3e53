"""US dollars as whole numbers, so that sums do not depend on the order in which they are made. Pure.

A *picodollar* is a millionth of a millionth of a dollar: the cheapest token costs thousands of them. A ledger's numbers
of 64 bits hold nine million dollars.
"""

from decimal import Decimal

PICODOLLARS = 10**12
"""In a dollar."""

MOST_USD = 9_000_000
"""What a budget may have. What is over 2**63 picodollars no ledger can count."""


def picodollars(usd: float | Decimal) -> int:
    """An amount in dollars as a whole number of picodollars."""
    return round(usd * PICODOLLARS)


def dollars(amount: int) -> float:
    """Picodollars in dollars."""
    return amount / PICODOLLARS
