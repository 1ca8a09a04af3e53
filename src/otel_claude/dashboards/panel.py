"""A panel of a dashboard, and the words that panels are told in. Pure."""

from typing import Literal, NamedTuple

from otel_claude.dashboards.measures import Formula, Measure, Where, one, ratio
from otel_claude.emitting.instruments import Instrument

Unit = Literal["", "USD", "USD/h", "s", "share", "/min"]


class Query(NamedTuple):
    """What one or several lines of a panel show. `name` is what a line is called that is apart by nothing."""

    name: str
    formula: Formula


class Panel(NamedTuple):
    """A picture: `lines` over time, one `number`, or `bars`, one for each value of an attribute.

    A panel of `today` shows the time since midnight, whatever else is looked at. Above `limits`, or below them where
    `low` is bad, something is wrong.
    """

    title: str
    text: str
    kind: Literal["lines", "number", "bars"]
    unit: Unit
    queries: tuple[Query, ...]
    limits: tuple[float, ...] = ()
    low: bool = False
    today: bool = False


class Row(NamedTuple):
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


def share(part: Measure, whole: Measure) -> Formula:
    """A ratio whose first part may not have happened yet."""
    return ratio(part._replace(or_zero=True), whole)


def grown(instrument: Instrument, *by: str, where: tuple[Where, ...] = ()) -> Formula:
    """How often something was, in the time that is looked at."""
    return one(Measure(instrument, "grown", where, by))


def by_minute(instrument: Instrument, *by: str, where: tuple[Where, ...] = ()) -> Formula:
    """How often something is, each minute."""
    return one(Measure(instrument, "per_second", where, by), "{it} * 60")


def quantile(instrument: Instrument, part: float, *by: str) -> Formula:
    """The value that this part of all values are below."""
    return one(Measure(instrument, "quantile", by=by, quantile=part))
