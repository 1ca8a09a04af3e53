"""The spans that the SDK itself makes from 1.14 on, and how ours live with them.

In: the SDK's tracer, at the moment that it asks for the span of a call of ours. Out, by the setting `native_spans`:

- `replace`: none, so that the SDK goes the way of a client whose tracing is off, and we send `traceparent`. A platform
  that signs its headers has to get it after that, from the SDK: there it is a span that records nothing and has our
  span's context.
- `enrich`: the SDK's span, which gets our attributes when the SDK ends it.
- `keep`: nothing is patched.

The one private name here is `BaseClient._tracer`, the property where a client gets its tracer; `native_tracer` checks
that it is what we take it for. The spans of a tool runner, and of its tools, are answered in the same way. Others that
are not of an API call go their way.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import wrapt
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, Span, StatusCode

from otel_claude.agents.run import Run, outcome_of
from otel_claude.call import Call
from otel_claude.failsafe import guarded
from otel_claude.outcome import StreamInterrupted
from otel_claude.telemetry import Telemetry

SWITCH = "ANTHROPIC_OPEN_TELEMETRY"
"""The SDK's own environment variable: `false` switches its spans off in clients that are made later."""


class UnknownTracing(TypeError):
    """The SDK makes spans, but not in the place that we know."""


def native_tracer(base_client: type) -> property | None:
    """The property that gives a client its tracer, or `None` where the SDK makes no spans.

    Raises:
        UnknownTracing: the SDK makes spans, but the property is not there.
    """
    found = vars(base_client).get("_tracer")
    if isinstance(found, property) and found.fget is not None:
        return found
    if found is not None or hasattr(base_client, "open_telemetry"):
        raise UnknownTracing("BaseClient._tracer is not the property that gives a client its tracer")
    return None


class Silence:
    """Stands where the current call would, while the application wants no telemetry of its calls."""


def tracer_for(call: Call | Silence, tracer: trace.Tracer, telemetry: Telemetry) -> trace.Tracer | None:
    """What the SDK gets in the place of its own `tracer` while `call` is going on."""
    if isinstance(call, Call) and call.injects:
        return None
    return cast("trace.Tracer", StandIn(tracer, call, telemetry))


def tracer_in(run: Run, tracer: trace.Tracer, telemetry: Telemetry) -> trace.Tracer | None:
    """What the SDK gets in the place of its own `tracer` in a run, while no call is going on.

    Only the tool runner itself is answered otherwise, and not what the application does in one of its tools.
    """
    if not run.native or trace.get_current_span() is not run.span:
        return tracer
    return None if run.replaces else cast("trace.Tracer", RunStandIn(tracer, run, telemetry))


if TYPE_CHECKING:
    TracerProxy, SpanProxy = wrapt.ObjectProxy[trace.Tracer], wrapt.ObjectProxy[Span]
else:
    TracerProxy = SpanProxy = wrapt.ObjectProxy  # generic from wrapt 2 on


class StandIn(TracerProxy):
    """The SDK's tracer, but for the span of the call that is going on."""

    _self_call: Call | Silence
    _self_telemetry: Telemetry

    def __init__(self, tracer: trace.Tracer, call: Call | Silence, telemetry: Telemetry) -> None:
        super().__init__(tracer)
        self._self_call = call
        self._self_telemetry = telemetry

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        """The span that the SDK asks for."""
        call = self._self_call
        if isinstance(call, Silence):
            return NonRecordingSpan(trace.get_current_span().get_span_context())
        if call.progress.native_claimed:
            return self.__wrapped__.start_span(*args, **kwargs)
        call.progress.native_claimed = True
        if call.owns_span:
            return NonRecordingSpan(call.span.get_span_context())
        span = self.__wrapped__.start_span(*args, **kwargs)
        call.context = trace.set_span_in_context(span)
        return cast("Span", EndingSpan(span, partial(_enrich_call, call, self._self_telemetry)))


class RunStandIn(TracerProxy):
    """The SDK's tracer, but for the span of the run that is going on."""

    _self_run: Run
    _self_telemetry: Telemetry

    def __init__(self, tracer: trace.Tracer, run: Run, telemetry: Telemetry) -> None:
        super().__init__(tracer)
        self._self_run = run
        self._self_telemetry = telemetry

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        """The span that the SDK asks for. The first one is that of the run."""
        span = self.__wrapped__.start_span(*args, **kwargs)
        run = self._self_run
        if run.native_claimed:
            return span
        run.native_claimed = True
        run.span = EndingSpan(span, partial(_enrich_run, run, self._self_telemetry))
        return cast("Span", run.span)


class EndingSpan(SpanProxy):
    """A span of the SDK that gets our attributes when the SDK ends it: `enrich` adds them."""

    _self_enrich: Callable[[Span], None]

    def __init__(self, span: Span, enrich: Callable[[Span], None]) -> None:
        super().__init__(span)
        self._self_enrich = enrich

    def end(self, *args: Any, **kwargs: Any) -> None:
        """Ends the span."""
        self._self_enrich(self.__wrapped__)
        self.__wrapped__.end(*args, **kwargs)


@guarded(None)
def _enrich_run(run: Run, telemetry: Telemetry, span: Span) -> None:
    # The SDK ends the span of a run that is not done while it handles what has ended it.
    outcome = outcome_of(None if _status_of(span) is StatusCode.OK else sys.exc_info()[1])
    run.outcome = run.outcome or outcome
    telemetry.agents.enrich(run, span)


@guarded(None)
def _enrich_call(call: Call, telemetry: Telemetry, span: Span) -> None:
    # The SDK ends the span of a failed call while it handles the exception. Without a failure the exception that
    # is being handled is the application's.
    failed = _status_of(span) is StatusCode.ERROR
    error = sys.exc_info()[1] if failed else None
    stream = call.stream
    if stream is not None and stream.outcome is None:
        stream.outcome = "interrupted" if failed else "completed" if stream.ended else "abandoned"
        if failed and not isinstance(error, Exception):
            error = StreamInterrupted("The stream ended before its end event.")
    telemetry.enrich(call, span, error)


def _status_of(span: Span) -> StatusCode | None:
    return getattr(getattr(span, "status", None), "status_code", None)
