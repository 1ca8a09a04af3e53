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
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.util.types import Attributes

from otel_claude.failsafe import failures
from otel_claude.span_cap.overflow import AsSampled, Overflow
from otel_claude.span_cap.structure import STRUCTURAL, is_structural
from otel_claude.span_cap.trace import Trace
from otel_claude.span_cap.traces import Traces

_TELLING = frozenset(STRUCTURAL)

# Members of an enum take long to look up before Python 3.12.
_LIVE, _RECORDED_ONLY = Decision.RECORD_AND_SAMPLE, Decision.RECORD_ONLY
_SAMPLED = int(TraceFlags.SAMPLED)


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
            if trace is None or trace.is_over or trace.live >= trace.shares.live:
                parent = get_current_span(parent_context).get_span_context()
                # A context is a tuple. Its properties take much longer to read.
                _, span_id, _, flags, state, _ = parent
                if type(state) is Overflow and state.span_id == span_id:
                    mark = state
                elif trace is not None and trace.open.get(span_id, trace) is not None:
                    mark = trace.lost_mark(span_id)
                is_over = mark is not None or (flags & _SAMPLED and self.active)
                # Of a sampler that follows the parent it is known what it would say.
                if is_over and self._follows_parent and trace is not None:
                    return _recorded_only(trace, parent, mark, attributes, state)
                if mark is not None and not flags & _SAMPLED:
                    span = cast("Span", AsSampled(get_current_span(parent_context)))
                    asked = set_span_in_context(span, parent_context)
        except Exception:
            failures.report("CapSampler.should_sample")
        more = () if trace_state is None else (trace_state,)
        result = self._sampler.should_sample(asked, trace_id, name, kind, attributes, links, *more)
        if result.decision is not _LIVE or (mark is None and not self.active):
            return result
        try:
            trace = self._traces.of(trace_id)
            if mark is None and _is_live(trace):
                return result
            attributes = cast("Attributes", result.attributes)  # pyright: ignore[reportUnknownMemberType]
            parent = get_current_span(parent_context).get_span_context()
            return _recorded_only(trace, parent, mark, attributes, result.trace_state)
        except Exception:
            failures.report("CapSampler.should_sample")
            return result

    def get_description(self) -> str:
        """That of the application's sampler."""
        return self._sampler.get_description()


def _is_live(trace: Trace) -> bool:
    """Counts a span if it is in the live share."""
    with trace.lock:
        if trace.live < trace.shares.live and not trace.is_over:
            trace.live += 1
            return True
        return False


def _recorded_only(
    trace: Trace, parent: SpanContext, mark: Overflow | None, attributes: Attributes, state: TraceState | None
) -> SamplingResult:
    _, _, is_remote, flags, _, is_valid = parent
    if mark is not None:
        anchor = mark.anchor
    elif flags & _SAMPLED or is_remote:
        anchor = parent
    else:
        # One that is local and not sampled is not exported: the application left it out.
        anchor = trace.top if is_valid else None
    own = Overflow(state, mark, anchor)
    if is_remote or not is_valid or (attributes and not _TELLING.isdisjoint(attributes) and is_structural(attributes)):
        own.structural = True
    trace.is_over = True
    return SamplingResult(_RECORDED_ONLY, attributes, own)
