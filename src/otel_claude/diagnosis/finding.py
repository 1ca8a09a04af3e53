"""One thing that is worth saying of a call: an event in the making. Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Severity = Literal["DEBUG", "INFO", "WARN", "ERROR"]
Value = str | bool | int | float | Sequence[str]


class Finding(NamedTuple):
    """An event: its name, how bad it is, and what it says, as attributes."""

    event: str
    severity: Severity
    attributes: Mapping[str, Value]
