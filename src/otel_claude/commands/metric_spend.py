"""What exported metrics say was spent.

In: points of our metrics, delta or cumulative, in any order, some of them more than once. Out: entries.

A *series* is one set of attributes of one metric of one writer. A delta point is an amount, and the same point twice is
one. A cumulative point is all since its start: of each start the last value of a day counts, less the last one of the
days before, so that points may come twice or out of order, and a restart begins anew by its start. What is less than
on a day before counts nothing, and a note tells of it. A cumulative sum whose writer tells no start begins anew where
it falls.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from otel_claude import names
from otel_claude.commands.cells import Cell, Cells, Key
from otel_claude.commands.days import Days
from otel_claude.commands.decimals import exact
from otel_claude.commands.otlp import Attributes, Point
from otel_claude.commands.spend import CALLS, UNPRICED, UNSPLIT, Entry, Quantity, attributes_of
from otel_claude.emitting import instruments

INFERENCES = ("chat", "text_completion")
"""The values of `gen_ai.operation.name` for what a model answers."""


def _call(attributes: Attributes) -> Quantity | None:
    return CALLS if attributes.get(names.OPERATION) in INFERENCES else None


def _cost(attributes: Attributes) -> Quantity:
    return Quantity("usd", str(attributes.get(names.COST_TYPE, UNSPLIT)), str(attributes.get(names.PROCESSING, "")))


def _tokens(attributes: Attributes) -> Quantity:
    return Quantity("tokens", str(attributes.get(names.CLAUDE_TOKEN_TYPE, UNSPLIT)))


def _savings(attributes: Attributes) -> Quantity:
    return Quantity("saved_usd", str(attributes.get(names.SAVINGS_TYPE, UNSPLIT)))


CALL_METRICS = (instruments.DURATION.name, instruments.INFERENCE_DURATION.name)
"""The histograms that have a value for each call, under the names of either setting of `metric_names`."""

METRICS: Mapping[str, Callable[[Attributes], Quantity | None]] = {
    instruments.COST.name: _cost,
    instruments.SAVINGS.name: _savings,
    instruments.UNPRICED.name: lambda _: UNPRICED,
    instruments.CLAUDE_TOKENS.name: _tokens,
    **dict.fromkeys(CALL_METRICS, _call),
}
"""The metrics that are read, with what each of their points counts."""


class Series(NamedTuple):
    """What is to be known of a series, whoever writes it. `point` are the attributes of its points."""

    metric: str
    quantity: Quantity
    delta: bool
    monotonic: bool
    labels: tuple[tuple[str, str], ...]
    model: str | None
    point: frozenset[tuple[str, str | int | float | bool]]


class MetricSpend:
    """Entries from points. `labels` are those that entries are to have; `by_day`: their days matter."""

    def __init__(self, labels: Sequence[str], days: Days, cells: Cells | None = None, *, by_day: bool) -> None:
        self._attributes = tuple(name for label in labels for name in attributes_of(label))
        self._days = days
        self._by_day = by_day
        self._cells = cells or Cells()
        self._numbers: dict[Series, int] = {}
        self._falls = 0
        self._before = Decimal(0)

    def add(self, point: Point) -> None:
        """Adds a point."""
        quantity = METRICS[point.metric](point.attributes)
        if quantity is None:
            return
        series = Series(
            point.metric,
            quantity,
            point.delta,
            point.monotonic,
            labels_of(self._attributes, point.attributes, point.resource),
            model_of(point.attributes),
            frozenset(point.attributes.items()),
        )
        number = self._numbers.setdefault(series, len(self._numbers))
        # Of a cumulative series with a start one value a day is enough.
        by_day = point.start and not point.delta
        slot = self._days.of(point.time) if by_day else point.time
        fits = self._cells.put(Key(point.writer, number, point.start, slot), point.time, point.value)
        if by_day and point.monotonic and not fits:
            self._falls += 1

    @property
    def notes(self) -> list[str]:
        """What a reader of the sums should know."""
        found: list[str] = []
        if self._falls:
            found.append(
                f"{self._falls:,} points of cumulative sums are less than earlier ones with the same start. Two "
                "processes may have the same resource, and the sums are too low then: the attribute "
                "service.instance.id tells processes apart."
            )
        if self._by_day and self._before:
            found.append(
                f"{self._before:.6f} USD had been counted by the first point that the input has of their series, on an "
                "earlier day or before it. They stand on the day of that point."
            )
        return found

    def entries(self) -> Iterator[Entry]:
        """What was spent."""
        known = list(self._numbers)
        for _, of_writer in groupby(self._cells.sorted(), lambda cell: cell.key.writer):
            calls: dict[str, list[Entry]] = {}
            for (number, start), cells in groupby(of_writer, lambda cell: (cell.key.series, cell.key.start)):
                series = known[number]
                for day, amount in self._amounts(series, start, cells):
                    entry = Entry(date.fromordinal(day), dict(series.labels), series.model, series.quantity, amount)
                    if series.metric in CALL_METRICS:
                        calls.setdefault(series.metric, []).append(entry)
                    else:
                        yield entry
            # A process that emits both names counts each call twice.
            yield from next((calls[name] for name in CALL_METRICS if name in calls), ())

    def _amounts(self, series: Series, start: int, cells: Iterator[Cell]) -> Iterator[tuple[int, Decimal]]:
        before = Decimal(0)
        for place, cell in enumerate(cells):
            value, day = exact(cell.value), self._days.of(cell.time)
            fell = series.monotonic and value < before
            if series.delta:
                amount = value
            elif fell and start:
                self._falls += 1
                continue
            else:
                amount = value if fell else value - before
                if place == 0 and series.quantity.kind == "usd" and start and self._days.of(start + 1) < day:
                    self._before += amount
            before = value
            if amount:
                yield day, amount


def labels_of(wanted: Sequence[str], own: Attributes, resource: Attributes) -> tuple[tuple[str, str], ...]:
    """The wanted attributes: of the point or the span itself, or else of its resource."""
    found = ((name, own.get(name, resource.get(name))) for name in wanted)
    return tuple((name, str(value)) for name, value in found if value is not None)


def model_of(attributes: Attributes) -> str | None:
    """The model that answered, or else the one that was asked for."""
    model = attributes.get(names.RESPONSE_MODEL, attributes.get(names.REQUEST_MODEL))
    return None if model is None else str(model)
