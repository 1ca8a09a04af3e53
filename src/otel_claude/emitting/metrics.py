"""The instruments of one meter.

In: points, and what can be observed whenever metrics are collected. Out: measurements, in the metrics SDK.
"""

from collections.abc import Callable, Iterable

from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from otel_claude.emitting.instruments import INSTRUMENTS, Instrument
from otel_claude.emitting.points import Labels, Point
from otel_claude.failsafe import failures

Observed = Callable[[], Iterable[tuple[str, float, Labels]]]
"""Gives the name of a gauge, its value and its attributes, for each that has one now."""


class Metrics:
    """Records points on the instruments that the setting `metric_names` asks for; others' points go nowhere."""

    def __init__(self, meter: Meter, metric_names: str, observed: Observed) -> None:
        self._observed = observed
        self._record: dict[str, Callable[[float, Labels, Context | None], None]] = {}
        for instrument in INSTRUMENTS:
            if instrument.names in ("", metric_names) or metric_names == "both":
                self._make(meter, instrument)

    def _make(self, meter: Meter, instrument: Instrument) -> None:
        known = {"name": instrument.name, "unit": instrument.unit, "description": instrument.description}
        if instrument.kind == "histogram":
            boundaries = instrument.buckets
            self._record[instrument.name] = meter.create_histogram(
                **known, explicit_bucket_boundaries_advisory=boundaries
            ).record
        elif instrument.kind == "counter":
            self._record[instrument.name] = meter.create_counter(**known).add
        elif instrument.kind == "up_down_counter":
            self._record[instrument.name] = meter.create_up_down_counter(**known).add
        else:
            meter.create_observable_gauge(**known, callbacks=[self._observer(instrument.name)])

    def _observer(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            try:
                return [Observation(value, labels) for gauge, value, labels in self._observed() if gauge == name]
            except Exception:
                failures.report(name)
                return []

        return observe

    def record(self, points: Iterable[Point], context: Context | None) -> None:
        """Records `points`, with exemplars of the span in `context`."""
        for instrument, value, labels in points:
            record = self._record.get(instrument.name)
            if record is None:
                continue
            try:
                record(value, labels, context)
            except Exception:
                failures.report(instrument.name)
