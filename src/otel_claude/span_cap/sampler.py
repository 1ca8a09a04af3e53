"""The decision at the start of a span: live, or only recorded.

In: the answer of the application's own sampler. Out: the same answer while the live share of the trace lasts, and after
that one by which the span records as before, no exporter takes it, and the wire says that it is not sampled.

What the application's sampler leaves out stays out, and does not count. A child of a span that is only recorded is
judged as if its parent had been sampled: a sampler that follows the parent would leave it out.
"""

from collections.abc import Sequence
from typing import cast

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, DEFAULT_ON, Decision, Sampler, SamplingResult
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.util.types import Attributes

from otel_claude.failsafe import failures
from otel_claude.span_cap.overflow import AsSampled, Overflow, overflow_of
from otel_claude.span_cap.structure import STRUCTURAL, is_structural
from otel_claude.span_cap.trace import Trace
from otel_claude.span_cap.traces import Traces

_TELLING = frozenset(STRUCTURAL)


class CapSampler(Sampler):
    """The application's `sampler`, up to the live share of each trace. Without `active`, just the application's."""

    def __init__(self, sampler: Sampler, traces: Traces) -> None:
        self.active = True
        self._sampler = sampler
        self._traces = traces
        self._follows_parent = sampler is DEFAULT_ON or sampler is ALWAYS_ON

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """What the application's sampler says, or that the span is only recorded."""
        mark, asked = None, parent_context
        try:
            trace = self._traces.get(trace_id)
            # Only a trace that has used up its live share has marks; one that is not known may have been forgotten.
            if trace is None or trace.live >= trace.shares.live or trace.overflow:
                parent = _parent(parent_context)
                is_sampled = parent.trace_flags.sampled
                mark = None if is_sampled else self._mark_of(parent)
                if trace is not None and self._follows_parent:
                    # Then it is known what the application's sampler would say.
                    is_over = is_sampled and self.active and trace.live >= trace.shares.live
                    if is_over or mark is not None:
                        return _recorded_only(trace, parent, mark, attributes, parent.trace_state)
                if mark is not None:
                    span = cast("Span", AsSampled(get_current_span(parent_context)))
                    asked = set_span_in_context(span, parent_context)
        except Exception:
            failures.report("CapSampler.should_sample")
        more = () if trace_state is None else (trace_state,)
        result = self._sampler.should_sample(asked, trace_id, name, kind, attributes, links, *more)
        if result.decision is not Decision.RECORD_AND_SAMPLE or (mark is None and not self.active):
            return result
        try:
            trace = self._traces.of(trace_id)
            if mark is None and _is_live(trace):
                return result
            attributes = cast("Attributes", result.attributes)  # pyright: ignore[reportUnknownMemberType]
            return _recorded_only(trace, _parent(parent_context), mark, attributes, result.trace_state)
        except Exception:
            failures.report("CapSampler.should_sample")
            return result

    def get_description(self) -> str:
        """That of the application's sampler."""
        return self._sampler.get_description()

    def _mark_of(self, parent: SpanContext) -> Overflow | None:
        mark = overflow_of(parent)
        if mark is None and parent.is_valid:
            # A context that was made anew, from ids, has lost its mark. While its span is open, that can be found.
            trace = self._traces.get(parent.trace_id)
            return None if trace is None else trace.open.get(parent.span_id)
        return mark


def _parent(context: Context | None) -> SpanContext:
    return get_current_span(context).get_span_context()


def _is_live(trace: Trace) -> bool:
    """Counts a span if it is in the live share."""
    with trace.lock:
        if trace.live < trace.shares.live:
            trace.live += 1
            return True
        return False


def _recorded_only(
    trace: Trace, parent: SpanContext, mark: Overflow | None, attributes: Attributes, state: TraceState | None
) -> SamplingResult:
    with trace.lock:
        trace.overflow += 1
    overflow = Overflow(
        state,
        mark,
        _anchor(parent, trace.top) if mark is None else mark.anchor,
        structural=parent.is_remote or not parent.is_valid or _is_structural(attributes),
    )
    return SamplingResult(Decision.RECORD_ONLY, attributes, overflow)


def _anchor(parent: SpanContext, top: SpanContext | None) -> SpanContext | None:
    """The parent. One that is local and not sampled is not exported, as the application left it out."""
    if parent.trace_flags.sampled or parent.is_remote:
        return parent
    return top if parent.is_valid else None


def _is_structural(attributes: Attributes) -> bool:
    return bool(attributes) and not _TELLING.isdisjoint(attributes) and is_structural(attributes)
