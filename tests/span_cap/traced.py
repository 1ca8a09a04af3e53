"""A provider under the cap, with counted ids, whose spans are read back; and what must hold of any trace of it."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from otel_claude import install_span_cap

COUNT = "claude.summary.count"
CREATED, EXPORTED, SUMMARIZED = (f"claude.trace.spans.{what}" for what in ("created", "exported", "summarized"))


class CountingIds(IdGenerator):
    """Ids from one: the order of ids is the order of starts."""

    def __init__(self) -> None:
        self._spans, self._traces = count(1), count(1)

    def generate_span_id(self) -> int:
        return next(self._spans)

    def generate_trace_id(self) -> int:
        return next(self._traces)


class Traced:
    """A provider with a cap, 0 for none, and what it has exported."""

    def __init__(self, max_spans: int = 1_000, sampler: Sampler | None = None) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler, id_generator=CountingIds(), shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        if max_spans:
            install_span_cap(self.provider, max_spans)
        self.tracer = self.provider.get_tracer("test")

    @property
    def spans(self) -> list[ReadableSpan]:
        """What was exported, in this order."""
        return list(self.exporter.get_finished_spans())

    @property
    def summaries(self) -> list[ReadableSpan]:
        """The summaries among them."""
        return [span for span in self.spans if is_summary(span)]

    @property
    def kept(self) -> list[ReadableSpan]:
        """The others."""
        return [span for span in self.spans if not is_summary(span)]

    def named(self, name: str) -> ReadableSpan:
        """The one span of this name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def grow(self, spans: int, name: str = "step", context: Context | None = None) -> None:
        """Makes spans that begin and end at once."""
        for _ in range(spans):
            self.tracer.start_span(name, context).end()

    def trace_of(self, spans: int) -> None:
        """Makes a trace of so many spans: a root and its children."""
        with self.tracer.start_as_current_span("root"):
            self.grow(spans - 1)


def is_summary(span: ReadableSpan) -> bool:
    return COUNT in told(span)


def told(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


def span_id(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def orphans(spans: Iterable[ReadableSpan]) -> list[str]:
    """The spans whose parents are neither exported nor remote."""
    known = {span_id(span) for span in spans}
    return [
        span.name
        for span in spans
        if span.parent is not None and not span.parent.is_remote and span.parent.span_id not in known
    ]


def total(spans: Iterable[ReadableSpan], *names: str) -> float:
    """The sum of attributes over spans."""
    return sum(told(span).get(name, 0) for span in spans for name in names)


def represented(spans: Iterable[ReadableSpan]) -> int:
    """How many spans the exported ones stand for."""
    return sum(told(span).get(COUNT, 1) for span in spans)


def from_elsewhere(trace_id: int = 0xABC, span: int = 0xDEF0_0000) -> Context:
    """The context of a request that another service has sampled and sent."""
    parent = SpanContext(trace_id, span, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(parent))
