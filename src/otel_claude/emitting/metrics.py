"""The metrics of calls, on one meter.

In: points. Out: measurements: those of histograms at once, those of counters when metrics are collected.
"""

from collections.abc import Callable, Iterable

from opentelemetry.context import Context
from opentelemetry.metrics import Meter

from otel_claude.emitting.instruments import DURATION, FIRST_CHUNK, INSTRUMENTS
from otel_claude.emitting.observed import Counters
from otel_claude.emitting.points import Labels, Point
from otel_claude.failsafe import failures

EXEMPLARY = frozenset({DURATION.name, FIRST_CHUNK.name})
"""Histograms whose points are linked to their spans. A link costs as much as a point, so the others have none."""

_NO_SPAN = Context()


class Metrics:
    """Records points on the instruments that the setting `metric_names` asks for; others' points go nowhere."""

    def __init__(self, meter: Meter, metric_names: str, counters: Counters) -> None:
        self._counters = counters
        self._wanted = frozenset(
            instrument.name
            for instrument in INSTRUMENTS
            if instrument.names in ("", metric_names) or metric_names == "both"
        )
        self._histograms: dict[str, Callable[[float, Labels, Context | None], None]] = {
            instrument.name: meter.create_histogram(
                instrument.name,
                unit=instrument.unit,
                description=instrument.description,
                explicit_bucket_boundaries_advisory=instrument.buckets,
            ).record
            for instrument in INSTRUMENTS
            if instrument.kind == "histogram" and instrument.name in self._wanted
        }

    def record(self, points: Iterable[Point], context: Context | None) -> None:
        """Records points of histograms. `context` is that of the call, with its span."""
        for instrument, value, labels in points:
            record = self._histograms.get(instrument.name)
            if record is None:
                continue
            try:
                record(value, labels, context if instrument.name in EXEMPLARY else _NO_SPAN)
            except Exception:
                failures.report(instrument.name)

    def add(self, points: Iterable[Point]) -> None:
        """Adds points to counters, when their sums are asked for."""
        self._counters.add(points, self._wanted)
