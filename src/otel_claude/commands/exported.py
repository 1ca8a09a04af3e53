"""What exported telemetry says was spent: its metrics, or where it has none of ours, its spans.

In: lines of OTLP/JSON. Out: entries. Metrics have all calls, whatever sampling and the span cap do, so they go first.
Both are never added up.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from otel_claude.commands import otlp
from otel_claude.commands.days import Days
from otel_claude.commands.metric_spend import METRICS, MetricSpend
from otel_claude.commands.span_spend import SpanSpend
from otel_claude.commands.spend import Entry

Signal = Literal["metrics", "spans"]


class Exported:
    """A source of spend. `signal` is what is read; `None` leaves it to what there is.

    `by_day`: the days of amounts matter to whoever asks.
    """

    adds_up = True

    def __init__(self, labels: Sequence[str], days: Days, signal: Signal | None = None, *, by_day: bool) -> None:
        self._metrics = MetricSpend(labels, days, by_day=by_day)
        self._spans = SpanSpend(labels, days)
        self._asked = signal
        self.signal = signal

    def add(self, line: bytes) -> None:
        """Adds a line.

        Raises:
            ValueError: it cannot be read, and nothing of it is added.
        """
        request = otlp.document(line)
        points = [] if self._asked == "spans" else otlp.points(request, METRICS)
        spans = [] if self.signal == "metrics" else otlp.spans(request)
        if points and self.signal != "metrics":
            self.signal = "metrics"
            self._spans.clear()
        for point in points:
            self._metrics.add(point)
        if self.signal == "metrics":
            return
        for span in spans:
            self.signal = "spans"
            self._spans.add(span)

    @property
    def notes(self) -> list[str]:
        """What a reader of the sums should know."""
        return [] if self.signal is None else self._chosen.notes

    def entries(self) -> Iterator[Entry]:
        """What was spent."""
        return self._chosen.entries()

    @property
    def _chosen(self) -> MetricSpend | SpanSpend:
        return self._spans if self.signal == "spans" else self._metrics
