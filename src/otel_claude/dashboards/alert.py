"""An alert: a condition that somebody should know of. Pure."""

import re
from typing import Literal, NamedTuple

from otel_claude.dashboards.measures import Formula


class Trend(NamedTuple):
    """A change by so many percent, upwards or both ways: backends compare with the past in ways of their own."""

    formula: Formula
    percent: int
    both: bool = False


class Few(NamedTuple):
    """Up to how many `calls` a mean says nothing: one long call among three moves it by more than any cause would.

    Where a backend cannot leave them out, that many of a `typical` value are added, so that a few move nothing.
    """

    calls: int
    typical: float


class Alert(NamedTuple):
    """A condition that somebody should know of.

    `formula` is compared with `bound`; with a `past`, such as `1d`, with so many times what it was then. With a
    `floor`, nothing recorded then is 0 for what was there in the week before, and whatever is no more than the floor is
    well. A mean of a `few` calls is compared with nothing. It has to hold `wait` long.
    `promql` stands where only Prometheus can tell: the other backends have no such alert.
    """

    name: str
    section: str
    hint: str
    severity: Literal["info", "warning", "critical"]
    formula: Formula | None
    test: Literal["<", ">"] = ">"
    bound: float = 0
    wait: str = "0m"
    past: str = ""
    floor: float | None = None
    few: Few | None = None
    trend: Trend | None = None
    promql: str = ""


def link(alert: Alert, guide: str) -> str:
    """Where the guide says more of an alert."""
    return f"{guide}#{re.sub(r'[^a-z0-9]+', '-', alert.section.lower())}"


def trend_of(alert: Alert) -> Trend | None:
    """The change that an alert is on, if it is on one."""
    if alert.past and alert.formula is not None:
        return Trend(alert.formula, round((alert.bound - 1) * 100))
    return alert.trend
