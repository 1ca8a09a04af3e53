"""What is handed to the application's processors of a trace beyond its live share.

In: what was taken out of a reserve. Out: ended, sampled spans: copies of held spans, and summaries.
"""

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from otel_claude import names
from otel_claude.emitting.compatibility import compatibility_attributes
from otel_claude.span_cap.held import Kept
from otel_claude.span_cap.overflow import Overflow, sampled
from otel_claude.span_cap.reserve import Taken
from otel_claude.span_cap.summary import Summary
from otel_claude.span_cap.trace import Trace
from otel_claude.version import SCOPE, __version__

OURS = InstrumentationScope(SCOPE, __version__)


class Copy(ReadableSpan):
    """A span as it was, but sampled, and below the nearest of its ancestors that is exported."""

    def __init__(
        self, span: ReadableSpan, context: SpanContext, parent: SpanContext | None, extra: Mapping[str, Any]
    ) -> None:
        super().__init__(
            name=span.name,
            context=context,
            parent=parent,
            resource=span.resource,
            attributes={**(span.attributes or {}), **extra} if extra else span.attributes,
            events=span.events,
            links=span.links,
            kind=span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
        self._original = span

    @property
    def dropped_attributes(self) -> int:
        """As the original says."""
        return self._original.dropped_attributes

    @property
    def dropped_events(self) -> int:
        """As the original says."""
        return self._original.dropped_events

    @property
    def dropped_links(self) -> int:
        """As the original says."""
        return self._original.dropped_links


def records_of(
    trace: Trace, taken: Taken, resource: Resource, ids: IdGenerator, compatibility: str
) -> list[ReadableSpan]:
    """The spans to hand over. To be called with the trace locked, as it marks what is exported."""
    for kept in taken.kept:
        kept.mark.copy = _sampled(kept.span)
    return [
        *(_copy(trace, kept) for kept in taken.kept),
        *(_summary(trace, summary, resource, ids, compatibility) for summary in taken.summaries),
    ]


def root_attributes(trace: Trace) -> dict[str, int]:
    """What the local root of a capped trace says of it."""
    created = trace.created
    folded, late = (0, 0) if trace.excess is None else (trace.excess.folded, trace.excess.late)
    return {
        names.SPANS_CREATED: created,
        names.SPANS_EXPORTED: created - folded - late,
        names.SPANS_SUMMARIZED: folded,
        names.TRACE_CAP: trace.shares.max_spans,
    }


def _copy(trace: Trace, kept: Kept) -> ReadableSpan:
    span, mark = kept
    is_root = span.parent is None or span.parent.is_remote
    return Copy(
        span,
        mark.copy or _sampled(span),
        span.parent if is_root else mark.kept_ancestor(),
        root_attributes(trace) if is_root and trace.excess is not None and trace.excess.folded else {},
    )


def _sampled(span: ReadableSpan) -> SpanContext:
    context: Any = span.get_span_context()
    return sampled(context)


def _summary(trace: Trace, summary: Summary, resource: Resource, ids: IdGenerator, compatibility: str) -> ReadableSpan:
    anchor = trace.top or summary.anchor
    attributes = summary.attributes()
    return ReadableSpan(
        name=summary.title,
        context=SpanContext(
            trace.trace_id,
            ids.generate_span_id(),
            is_remote=False,
            trace_flags=TraceFlags(TraceFlags.SAMPLED | (0 if anchor is None else anchor.trace_flags)),
        ),
        parent=anchor if summary.mark is None else _parent(summary.mark.place),
        resource=resource,
        attributes={**attributes, **compatibility_attributes(compatibility, attributes)},
        kind=summary.kind,
        status=Status(StatusCode.ERROR) if summary.failed else Status(StatusCode.UNSET),
        start_time=summary.start,
        end_time=summary.end,
        instrumentation_scope=OURS,
    )


def _parent(place: Overflow | SpanContext | None) -> SpanContext | None:
    return (place.copy or place.kept_ancestor()) if isinstance(place, Overflow) else place
