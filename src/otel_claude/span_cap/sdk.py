"""The private names of OpenTelemetry's SDK that the cap needs, each in one function.

Where a name is not as expected, the cap works without it as far as it can.
"""

from collections.abc import Mapping
from typing import Any, cast

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, Tracer, TracerProvider
from opentelemetry.sdk.trace.sampling import Sampler


def set_sampler(provider: TracerProvider, sampler: Sampler) -> None:
    """Gives the provider a sampler, and the tracers that it has made: before 1.41 it has no list of them."""
    provider.sampler = sampler
    tracers: Any = getattr(provider, "_tracers", None)
    if isinstance(tracers, dict):
        for tracer in list(cast("dict[object, Any]", tracers).values()):
            tracer.sampler = sampler


def put_first(provider: TracerProvider, processor: SpanProcessor) -> bool:
    """Moves `processor`, which the provider has, before its others, so that they are open when it is shut down."""
    several: Any = getattr(provider, "_active_span_processor", None)
    processors = getattr(several, "_span_processors", None)
    lock = getattr(several, "_lock", None)
    if not isinstance(processors, tuple) or processor not in processors or lock is None:
        return False
    with lock:
        others = tuple(other for other in several._span_processors if other is not processor)
        several._span_processors = (processor, *others)
    return True


def processors_beside(processor: SpanProcessor, tracer: Tracer) -> tuple[SpanProcessor, ...]:
    """The other processors of a tracer.

    They are called one by one: several that run on threads would wait for the thread that we are called on.
    """
    several = tracer.span_processor
    processors: Any = getattr(several, "_span_processors", None)
    if not isinstance(processors, tuple):
        return (several,)
    return tuple(other for other in cast("tuple[SpanProcessor, ...]", processors) if other is not processor)


def add_to_ended(span: ReadableSpan, attributes: Mapping[str, Any]) -> bool:
    """Adds attributes to a span that has just ended, before the other processors are told of it.

    What would push out attributes of the application's is left out.
    """
    bounded: Any = getattr(span, "_attributes", None)
    immutable = getattr(bounded, "_immutable", None)
    if immutable is None:
        return False
    if bounded.maxlen is not None and len(bounded) + len(attributes) > bounded.maxlen:
        return False
    bounded._immutable = False
    try:
        for name, value in attributes.items():
            bounded[name] = value
    finally:
        bounded._immutable = True
    return True
