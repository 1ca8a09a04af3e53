"""Prices that the user gives, instead of those listed.

In: a mapping, JSON or TOML text, or the path of a file of either: for each model, by its name or a pattern,
what it costs. Out: the same as a mapping, every name and number checked.

    {"claude-opus-5": {"input": 4.5, "output": 22.5, "cache_read": 0.45}, "my-*": {"input": 6, "output": 30}}
"""

import json
import math
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

Overrides = Mapping[str, Mapping[str, float]]

REQUIRED = ("input", "output")
ACCEPTED = (*REQUIRED, "cache_read", "cache_write_5m", "cache_write_1h", "web_search", "context_window")


def read_overrides(source: str | Path | Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The prices that `source` gives, by model.

    A model is a name or a pattern with `*`, `?` and `[...]`. Its prices are `input`, `output`, `cache_read`,
    `cache_write_5m` and `cache_write_1h` in USD per million tokens and `web_search` in USD per 1,000
    searches; `context_window` is in tokens. `input` and `output` are required. A price that is left out is
    not known: a response that needs it has no cost.

    A string that begins with `{` is JSON text; any other, like a `Path`, names a file: TOML if it ends in
    `.toml`, else JSON.

    Raises:
        ValueError: The source cannot be read, or something in it is not as described here.
    """
    name, prices = _load(source)
    return {str(model): _prices(f"{name}: {model!r}", entry) for model, entry in _table(name, prices).items()}


def override_of(overrides: Overrides, *names: str) -> Mapping[str, float] | None:
    """The prices given for a model that goes by these names: under a name, else under the first pattern."""
    for name in names:
        if name in overrides:
            return overrides[name]
    for pattern, prices in overrides.items():
        if any(fnmatchcase(name, pattern) for name in names):
            return prices
    return None


def _load(source: object) -> tuple[str, Any]:
    """What the source holds, and its name in error messages."""
    if isinstance(source, Mapping):
        return "prices", cast("Mapping[str, Any]", source)
    if not isinstance(source, str | Path):
        raise ValueError(  # noqa: TRY004  # a value that is not accepted, as the others
            f"prices: expected a mapping, JSON text or the path of a JSON or TOML file, not {source!r}"
        )
    if isinstance(source, str) and source.lstrip().startswith("{"):
        name, text, parse = "prices (JSON)", source, json.loads
    else:
        name = f"prices file {str(source)!r}"
        parse = tomllib.loads if Path(source).suffix == ".toml" else json.loads
        try:
            text = Path(source).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ValueError(f"{name}: cannot be read: {error}") from error
    try:
        return name, parse(text)
    except ValueError as error:
        raise ValueError(f"{name}: expected JSON text, or the path of a JSON or TOML file: {error}") from error


def _prices(name: str, entry: object) -> dict[str, float]:
    prices = _table(name, entry)
    accepted = ", ".join(ACCEPTED)
    for key in prices:
        if key not in ACCEPTED:
            raise ValueError(f"{name}: unknown key {key!r}; accepted are {accepted}")
    for key in REQUIRED:
        if key not in prices:
            raise ValueError(f"{name}: {key!r} is missing; {' and '.join(REQUIRED)} are required of {accepted}")
    return {key: _number(f"{name}: {key!r}", key, value) for key, value in prices.items()}


def _table(name: str, value: object) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return cast("Mapping[str, object]", value)
    raise ValueError(f"{name}: expected a table, not {value!r}; a model has {', '.join(ACCEPTED)}")


def _number(name: str, key: str, value: object) -> float:
    if key == "context_window":
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise ValueError(f"{name}: expected a number of tokens, a whole number above 0, not {value!r}")
    elif not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        unit = "1,000 searches" if key == "web_search" else "million tokens"
        raise ValueError(f"{name}: expected USD per {unit}, a number of 0 or more, not {value!r}")
    return value
