"""What the cap says of itself: the counters of spans and traces, and one event for each capped trace.

In: traces. Out: observations, when metrics are collected, and log records. Counting costs a span nothing.
"""

import threading
import weakref

from opentelemetry import _logs, metrics
from opentelemetry._logs import SeverityNumber
from opentelemetry.metrics import Observation
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from otel_claude import names
from otel_claude.emitting.events import event_record
from otel_claude.emitting.instruments import CAPPED, SPANS
from otel_claude.emitting.observed import observed_by
from otel_claude.failsafe import guarded
from otel_claude.span_cap.traces import Traces
from otel_claude.version import SCOPE, __version__


class Reports:
    """Reports on the providers that it is made with; `None` is the global one."""

    def __init__(
        self, meter_provider: metrics.MeterProvider | None = None, logger_provider: _logs.LoggerProvider | None = None
    ) -> None:
        self._counted = 0
        self._lock = threading.Lock()
        self._logger = _logs.get_logger(SCOPE, __version__, logger_provider)
        self._observed = observed_by(meter_provider, metrics.get_meter(SCOPE, __version__, meter_provider))

    @guarded(None)
    def follow(self, traces: Traces) -> None:
        """Shows, whenever metrics are collected, how many spans have become what, for as long as `traces` lives."""
        known = weakref.ref(traces)

        def spans() -> list[Observation]:
            traces = known()
            if traces is None:
                return []
            return [Observation(count, {names.DISPOSITION: kind}) for kind, count in traces.counts().items() if count]

        self._observed.sources[SPANS.name].append(spans)
        self._observed.sources[CAPPED.name].append(lambda: [Observation(self._counted)] if self._counted else [])

    def after_fork(self) -> None:
        """In a child, which counts its own."""
        self._counted = 0
        self._lock = threading.Lock()

    @guarded(None)
    def capped(self, top: SpanContext | None, said: dict[str, int]) -> None:
        """Says, once per trace, that it has more spans than the cap. `top` is its first span, and `said` its counts."""
        with self._lock:
            self._counted += 1
        context = None if top is None else set_span_in_context(NonRecordingSpan(top))
        self._logger.emit(event_record(names.CAPPED_EVENT, SeverityNumber.WARN, said, context))
