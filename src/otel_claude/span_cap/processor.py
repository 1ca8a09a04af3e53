"""The part of the cap that sees spans start and end.

In: the spans of a provider, live or only recorded. Out, through the provider's other processors: what was held back of
a trace, as sampled copies and summaries, at its end or when it is asked for.

No method raises.
"""

import os
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, Tracer

from otel_claude.failsafe import failures, guarded
from otel_claude.span_cap.excess import Excess
from otel_claude.span_cap.overflow import Overflow
from otel_claude.span_cap.records import records_of, root_attributes
from otel_claude.span_cap.reports import Reports
from otel_claude.span_cap.reserve import Taken
from otel_claude.span_cap.sdk import add_to_ended, processors_beside
from otel_claude.span_cap.shares import Shares
from otel_claude.span_cap.trace import Trace
from otel_claude.span_cap.traces import Traces
from otel_claude.span_cap.watch import Watch
from otel_claude.weak_sets import items_of

SILENT_S = 60.0
"""After how long without a span a trace is taken to have ended, though a span of it was never ended, or another process
may go on with it."""

_NO_TRACES: Sequence[Trace] = ()
_NO_PROCESSORS: Sequence[SpanProcessor] = ()
_NO_SPANS: Sequence[ReadableSpan] = ()


class CapProcessor(SpanProcessor):
    """Counts the open spans of each trace, and holds back what is only recorded.

    `tracer` is one of the provider's: it knows the resource and the processors, of which this is the first.
    `compatibility` is the convention whose attributes the summaries have, too.
    """

    def __init__(self, shares: Shares, tracer: Tracer, reports: Reports, compatibility: str) -> None:
        self.traces = Traces(shares, self._forget)
        self.compatibility = compatibility
        self._tracer = tracer
        self._watch = Watch(self._look)
        self._reports = reports
        _alive.add(self)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Notes that a span of a known trace is open."""
        try:
            context: Any = span.context
            trace_id, span_id, _, flags, mark, _ = context
            trace = self.traces.get(trace_id)
            if trace is None:
                return
            if type(mark) is Overflow:
                if not mark.span_id:
                    mark.span_id = span_id
                    trace.open[span_id] = mark
            elif flags.sampled:
                trace.open[span_id] = None
                if trace.top is None:
                    trace.top, trace.rooted = context, span.parent is None
        except Exception:
            failures.report("CapProcessor.on_start")

    def on_end(self, span: ReadableSpan) -> None:
        """Holds back a span that is only recorded. Hands over what waits once no span of the trace is open."""
        try:
            context: Any = span.context
            trace_id, span_id, _, _, mark, _ = context
            trace = self.traces.get(trace_id)
            if type(mark) is Overflow and mark.span_id == span_id:
                if trace is None:
                    trace = self.traces.of(trace_id)
                with trace.lock:
                    trace.open.pop(span_id, None)
                    excess = trace.excess or trace.begin_excess()
                    excess.add(span, mark)
                if not excess.is_watched:
                    self._keep_watch(trace, excess)
            elif trace is None or trace.open.pop(span_id, self) is self:
                return
            elif trace.excess is not None and (span.parent is None or span.parent.is_remote):
                self._tell(span, trace)
            if trace.open:
                return
            out = self._at_rest(trace)
        except Exception:
            failures.report("CapProcessor.on_end")
            return
        self._hand_over(out)

    def shutdown(self) -> None:
        """Hands over all that waits."""
        for trace in self._waiting():
            self._hand_over(self._take(trace, Excess.everything))
        self._unwatch()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Hands over all that waits, folded so that most of the room is left for what may come of the same traces."""
        for trace in self._waiting():
            self._hand_over(self._take(trace, Excess.flushed))
        return True

    def after_fork(self) -> None:
        """In a child, whose spans are its own."""
        self.traces.after_fork()
        self._reports.after_fork()
        self._watch.after_fork()

    @guarded(None)
    def _tell(self, root: ReadableSpan, trace: Trace) -> None:
        """Lets a local root say that its trace was capped. It is live, so it leaves before what is held back."""
        with trace.lock:
            attributes = root_attributes(trace) if trace.excess is not None and trace.excess.folded else {}
        if attributes:
            add_to_ended(root, attributes)

    def _keep_watch(self, trace: Trace, excess: Excess) -> None:
        excess.is_watched = True
        if (crowded_out := self._watch.add(trace)) is not None:
            self._hand_over(self._take(crowded_out, Excess.dismissed if crowded_out.open else Excess.everything))
        if not self._watch.is_looking:
            excess.is_watched = False

    def _at_rest(self, trace: Trace) -> Sequence[ReadableSpan]:
        self.traces.touch(trace)
        if trace.excess is None:
            return _NO_SPANS
        return self._take(trace, lambda excess: excess.at_rest(rooted=trace.rooted))

    def _look(self, trace: Trace) -> None:
        """Hands over what it is time for."""
        excess = trace.excess
        if excess is None:
            return
        now = time.monotonic()
        silent_since = excess.silent_since(now) if trace.open else trace.touched
        is_silent = now - silent_since >= SILENT_S
        if trace.has_ended and is_silent:
            self._hand_over(self._take(trace, Excess.everything))
        elif trace.open or is_silent:
            self._hand_over(self._take(trace, lambda excess: excess.so_far(now)))
        with trace.lock:
            if not trace.open and not excess.waiting:
                excess.is_watched = False
                self._watch.drop(trace)

    def _forget(self, trace: Trace) -> None:
        self._hand_over(self._take(trace, Excess.everything))
        self._watch.drop(trace)

    @guarded(_NO_TRACES)
    def _waiting(self) -> Sequence[Trace]:
        return [trace for trace in self.traces.all() if trace.excess is not None and trace.excess.waiting]

    @guarded(None)
    def _unwatch(self) -> None:
        self._watch.stop()

    @guarded(_NO_SPANS)
    def _take(self, trace: Trace, choose: Callable[[Excess], Taken]) -> Sequence[ReadableSpan]:
        with trace.lock:
            excess = trace.excess
            if excess is None:
                return _NO_SPANS
            taken = choose(excess)
            out = records_of(trace, taken, self._tracer.resource, self._tracer.id_generator, self.compatibility)
            is_news = bool(taken.summaries) and not excess.is_reported
            excess.is_reported |= is_news
            said = root_attributes(trace) if is_news else {}
        if is_news:
            self._reports.capped(trace.top, said)
        return out

    @guarded(_NO_PROCESSORS)
    def _others(self) -> Sequence[SpanProcessor]:
        return processors_beside(self, self._tracer)

    def _hand_over(self, spans: Sequence[ReadableSpan]) -> None:
        """Gives ended spans to the other processors, whatever one of them makes of one of them."""
        for processor in self._others() if spans else ():
            for span in spans:
                try:
                    processor.on_end(span)
                except Exception:
                    failures.report("CapProcessor._hand_over")


_alive: "weakref.WeakSet[CapProcessor]" = weakref.WeakSet()


def _after_fork() -> None:
    for processor in items_of(_alive):
        processor.after_fork()


os.register_at_fork(after_in_child=_after_fork)
