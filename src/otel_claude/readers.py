"""What each setting accepts: one reader for each kind of value.

In: a value as code gives it, or the text of an environment variable. Out: the value that `Settings` holds. A reader
raises `ValueError` with what is accepted, in words; `settings` puts the setting's name before it.
"""

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from otel_claude.budgets.ledgers.address import ACCEPTED, is_address
from otel_claude.budgets.money import MOST_USD
from otel_claude.budgets.plan import Plan, read_plan
from otel_claude.content.limit import Redact
from otel_claude.pricing import read_overrides
from otel_claude.span_cap.shares import FEWEST
from otel_claude.values import texts

MOST_KEYS = 5
"""How many entries of the baggage may become attributes: each multiplies the time series of all metrics."""

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_TAKEN = ("gen_ai", "claude", "anthropic", "error", "http", "server", "exception", "enduser", "aws", "otel")


def choice(*accepted: str) -> Callable[[object], str]:
    """A reader of one of the words `accepted`, in whatever case; it returns the word as it is spelled here."""
    folded = {value.lower(): value for value in accepted}

    def read(value: object) -> str:
        if isinstance(value, str) and value.strip().lower() in folded:
            return folded[value.strip().lower()]
        raise ValueError(f"one of {', '.join(accepted)}")

    return read


def switch(value: object) -> bool:
    """`true` or `false`, as a word, as 1 and 0, or as it is."""
    words = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError("true or false")


def byte_count(value: object) -> int:
    """A number of bytes, above 0."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ValueError("a whole number of bytes above 0")


def share(value: object) -> float:
    """A part of a whole, above 0, up to 1."""
    try:
        part = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else math.nan
    except ValueError:
        part = math.nan
    if 0 < part <= 1:
        return part
    raise ValueError("a number above 0, up to 1")


def _is_taken(key: str) -> bool:
    """Whether a name of ours begins like this one, also where dots are underscores, as in Prometheus."""
    return f"{key.replace('.', '_')}_".startswith(tuple(f"{name}_" for name in _TAKEN))


def baggage_keys(value: object) -> tuple[str, ...]:
    """Names of baggage entries, each once, that collide with no attribute of ours."""
    names = texts(value.split(",") if isinstance(value, str) else value)
    if names is not None:
        keys = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
        if len(keys) <= MOST_KEYS and all(_KEY.fullmatch(key) and not _is_taken(key) for key in keys):
            return keys
    raise ValueError(
        f"up to {MOST_KEYS} names of baggage entries, comma-separated, of letters, digits, `_`, `.`, `-`,"
        f" none of which begins with {', '.join(f'{name}.' for name in _TAKEN)}"
    )


def most_spans(value: object) -> int:
    """A number of spans, if the cap can keep traces under it. 0 stands for no cap.

    Raises:
        ValueError: it cannot; the message says what is accepted.
    """
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and (value == 0 or value >= FEWEST):
        return value
    raise ValueError(f"a whole number of spans from {FEWEST}, or 0 for no cap")


def redact(value: object) -> Redact | None:
    """A function, or none."""
    if value is None or callable(value):
        return value
    raise ValueError("a function of the kind and the part, or None")


def prices(value: object) -> Mapping[str, Mapping[str, float]] | None:
    """Prices by model, or where they are."""
    return read_overrides(value) if value else None  # pyright: ignore[reportArgumentType]  # it checks what it is given


def plan(value: object) -> Plan:
    """A plan of budgets, or where it is."""
    return value if isinstance(value, Plan) else read_plan(value)


def usd(value: object) -> Decimal:
    """US dollars, above 0."""
    try:
        amount = Decimal(str(value).strip()) if isinstance(value, (str, int, float, Decimal)) else Decimal("nan")
    except InvalidOperation:
        amount = Decimal("nan")
    if not isinstance(value, bool) and amount.is_finite() and 0 < amount <= MOST_USD:
        return amount
    raise ValueError(f"US dollars, a number above 0 and up to {MOST_USD:,}")


def ledger(value: object) -> str:
    """The address of a ledger."""
    if is_address(value):
        return value
    raise ValueError(ACCEPTED)
