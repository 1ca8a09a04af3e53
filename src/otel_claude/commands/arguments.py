"""The values of arguments: what is accepted, and what they are read as."""

import argparse
import os
from datetime import date
from zoneinfo import ZoneInfo

from otel_claude.pricing import Prices, read_overrides

PRICES = "OTEL_CLAUDE_PRICES"


def day(text: str) -> date:
    """A day.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; expected YYYY-MM-DD, such as 2026-11-22") from None


def labels(text: str) -> list[str]:
    """Labels, comma-separated."""
    return [label.strip() for label in text.split(",") if label.strip()]


def time_zone(text: str) -> ZoneInfo:
    """A time zone.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        return ZoneInfo(text)
    except (OSError, ValueError, LookupError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time zone; expected a name of the IANA list, such as Europe/Berlin or UTC"
        ) from None


def prices() -> Prices:
    """The prices in force: those of `OTEL_CLAUDE_PRICES` before the listed ones.

    Raises:
        ValueError: what the variable gives is not accepted.
    """
    return Prices(overrides())


def overrides() -> dict[str, dict[str, float]]:
    """The prices that `OTEL_CLAUDE_PRICES` gives, by model.

    Raises:
        ValueError: what the variable gives is not accepted.
    """
    source = os.environ.get(PRICES, "").strip()
    return read_overrides(source) if source else {}
