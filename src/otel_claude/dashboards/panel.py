"""A panel of a dashboard, and the words that panels are told in. Pure."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from otel_claude.dashboards.measures import Formula, Measure, Where, one, ratio
from otel_claude.emitting.instruments import Instrument

Unit = Literal["", "USD", "USD/h", "s", "share", "/min"]


RATES: Mapping[Unit, str] = {"USD/h": "an hour", "/min": "a minute"}
"""What a rate is of, in words: axes have signs for dollars and numbers, and none for these."""


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

    @property
    def heading(self) -> str:
        """The title, with the unit of a rate."""
        return f"{self.title} ({self.called(self.queries[0])})" if self.unit in RATES else self.title

    def called(self, query: Query) -> str:
        """What the numbers of one of its queries are, such as `calls a minute`."""
        return f"{query.name} {RATES[self.unit]}" if self.unit in RATES else query.name


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
