"""What the user writes about budgets, checked.

In: a TOML or YAML file, or a mapping of the same form. Out: a `Plan`. Pure, but that it reads the file.

    ledger = "redis://localhost:6379/0"

    [budgets.daily]
    usd = 500
    period = "day"
    action = "block"
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeGuard
from zoneinfo import ZoneInfo

from otel_claude.budgets.budget import CONVERSATION, Budget
from otel_claude.budgets.documents import Way, read_document
from otel_claude.budgets.ledgers.address import ACCEPTED, is_address
from otel_claude.budgets.money import MOST_USD, picodollars
from otel_claude.budgets.periods import Period
from otel_claude.values import is_array, is_object

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
PLAIN = re.compile(r"[\w .-]{1,64}")
DAILY = "daily_budget_usd"
"""The name of the budget that the setting of this name makes. None in a file has it."""

ROLLING = re.compile(r"rolling (\d{1,4})([mhd])")
UNITS = {"m": 60.0, "h": 3_600.0, "d": 86_400.0}
MOST_THRESHOLDS = 10
MOST_PERCENT = 1_000
LEAST_INTERVAL_S, MOST_INTERVAL_S = 0.05, 60.0

LedgerFailure = Literal["open", "closed"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All budgets, and where they are kept.

    `ledger` is an address, as `ledgers.ledger_at` takes it. It is written to every `interval_s` seconds. When it does
    not answer, calls are made all the same (`open`), or budgets that block let none through (`closed`).
    """

    budgets: tuple[Budget, ...] = ()
    ledger: str = field(default="memory", repr=False)
    interval_s: float = 1.0
    ledger_failure: LedgerFailure = "open"

    @property
    def keys(self) -> frozenset[str]:
        """The entries of the baggage that budgets are per."""
        return frozenset(budget.per for budget in self.budgets if budget.per not in (None, CONVERSATION))


class _Wrong(Exception):
    """A value that is not accepted, at the way to it."""

    def __init__(self, way: Way, accepted: str) -> None:
        super().__init__(accepted)
        self.way = way
        self.accepted = accepted


def read_plan(source: object) -> Plan:
    """The plan in a file, whose name ends in `.toml`, `.yaml` or `.yml`, or in a mapping.

    Raises:
        ValueError: something in it is not accepted. The message names the place, with its line, and what is accepted.
    """
    if is_object(source):
        return _plan(source, _shown)
    if not isinstance(source, str | Path):
        raise ValueError("the path of a TOML or YAML file, or a mapping")  # noqa: TRY004  # as other settings
    document = read_document(Path(source))
    return _plan(document.value, lambda way: f"{source}, line {document.line(way)}: {_shown(way)}")


def _shown(way: Way) -> str:
    """Where something stands. What is no name may be an address that slipped, with a password in it."""
    return ".".join(part if PLAIN.fullmatch(part) else "…" for part in way)


def daily(usd: Decimal) -> Budget:
    """The budget of the setting of that name: for all calls, by the day in UTC."""
    return Budget(DAILY, picodollars(usd), Period("day", UTC))


def _plan(document: Mapping[str, Any], place: Callable[[Way], str]) -> Plan:
    try:
        _known(document, (), ("budgets", *OPTIONS))
        options = {key: read((key,), document[key]) for key, read in OPTIONS.items() if key in document}
        return Plan(budgets=_budgets(document["budgets"]) if "budgets" in document else (), **options)
    except _Wrong as wrong:
        raise ValueError(f"{place(wrong.way)}: {wrong.accepted}") from None


def _budgets(tables: object) -> tuple[Budget, ...]:
    if not is_object(tables) or not tables:
        raise _Wrong(("budgets",), "a table with one table for each budget, by its name")
    return tuple(_budget(name, facts) for name, facts in tables.items())


def _budget(name: str, facts: object) -> Budget:
    way = ("budgets", str(name))
    if not isinstance(name, str) or not NAME.fullmatch(name) or name == DAILY:  # pyright: ignore[reportUnnecessaryIsInstance]  # a mapping may have any keys
        raise _Wrong(way, f"a name of up to 64 letters, digits, `_`, `.` and `-`, other than {DAILY}")
    if not is_object(facts):
        raise _Wrong(way, f"a table with {', '.join(FACTS)}")
    _known(facts, way, tuple(FACTS))
    if "usd" not in facts or "period" not in facts:
        raise _Wrong(way, "a table with usd and period")
    read = {key: FACTS[key]((*way, key), value) for key, value in facts.items()}
    kind, length_s = read["period"]
    if length_s and "timezone" in read:
        raise _Wrong((*way, "timezone"), "only with hour, day or month; a rolling period has no calendar")
    budget = Budget(
        name,
        read["usd"],
        Period(kind, read.get("timezone", UTC), length_s, facts["period"]),
        **{key: value for key, value in read.items() if key not in ("usd", "period", "timezone")},
    )
    if budget.reserve and budget.action != "block":
        raise _Wrong((*way, "reserve"), 'true only with action = "block"')
    return budget


def _known(table: Mapping[str, Any], way: Way, accepted: Sequence[str]) -> None:
    for key in table:
        if key not in accepted:
            raise _Wrong((*way, str(key)), f"no known key; accepted: {', '.join(accepted)}")


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _usd(way: Way, value: object) -> int:
    if _is_number(value) and 0 < value <= MOST_USD:
        return max(1, picodollars(Decimal(str(value))))
    raise _Wrong(way, f"US dollars, a number above 0 and up to {MOST_USD:,}")


def _period(way: Way, value: object) -> tuple[str, float]:
    if value in ("hour", "day", "month"):
        return str(value), 0.0
    rolling = ROLLING.fullmatch(value) if isinstance(value, str) else None
    if rolling is not None and int(rolling[1]):
        return "rolling", int(rolling[1]) * UNITS[rolling[2]]
    raise _Wrong(way, "hour, day, month, or rolling and a length, such as rolling 24h, rolling 90m or rolling 7d")


def _timezone(way: Way, value: object) -> tzinfo:
    try:
        return ZoneInfo(str(value))
    except (LookupError, ValueError, OSError):
        raise _Wrong(way, "the name of a time zone, such as UTC or Europe/Berlin") from None


def _pattern(way: Way, value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise _Wrong(way, "a pattern for names of models, such as claude-opus-*")


def _per(way: Way, value: object) -> str:
    if isinstance(value, str) and NAME.fullmatch(value):
        return value
    raise _Wrong(way, f"{CONVERSATION}, or the name of an entry of the baggage, such as tenant")


def _thresholds(way: Way, value: object) -> tuple[float, ...]:
    percents: Sequence[object] = value if is_array(value) else ()
    read = [float(each) for each in percents if _is_number(each) and 0 < each <= MOST_PERCENT]
    if 0 < len(read) == len(percents) <= MOST_THRESHOLDS:
        return tuple(sorted(set(read)))
    raise _Wrong(way, f"up to {MOST_THRESHOLDS} percents above 0, such as [50, 80, 100]")


def _choice(*accepted: str) -> Callable[[Way, object], str]:
    def read(way: Way, value: object) -> str:
        if value in accepted:
            return str(value)
        raise _Wrong(way, f"one of {', '.join(accepted)}")

    return read


def _switch(way: Way, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _Wrong(way, "true or false")


def _interval(way: Way, value: object) -> float:
    if _is_number(value) and LEAST_INTERVAL_S <= value <= MOST_INTERVAL_S:
        return float(value)
    raise _Wrong(way, f"seconds from {LEAST_INTERVAL_S:g} to {MOST_INTERVAL_S:g}")


def _ledger(way: Way, value: object) -> str:
    if is_address(value):
        return value
    raise _Wrong(way, ACCEPTED)


FACTS: Mapping[str, Callable[[Way, object], Any]] = {
    "usd": _usd,
    "period": _period,
    "timezone": _timezone,
    "models": _pattern,
    "per": _per,
    "thresholds": _thresholds,
    "action": _choice("warn", "block"),
    "reserve": _switch,
}
"""What a budget has."""

OPTIONS: Mapping[str, Callable[[Way, object], Any]] = {
    "ledger": _ledger,
    "interval_s": _interval,
    "ledger_failure": _choice("open", "closed"),
}
"""What holds for all of them."""
