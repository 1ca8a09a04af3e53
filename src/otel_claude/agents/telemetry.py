"""The way of runs and executions into signals: the part of `otel_claude.telemetry` that is about agents.

In: records of runs and of executions, and calls that end. Out: spans, metric points and events. None of the public
methods raises.
"""

from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter_ns, time_ns
from typing import Any, NamedTuple, TypeVar

from opentelemetry import baggage, context, trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import SpanKind, Status, StatusCode

from otel_claude import names
from otel_claude.agents.amounts import amounts_of, is_paid
from otel_claude.agents.arguments import digest
from otel_claude.agents.current import current_run, with_record
from otel_claude.agents.execution import CANCELLED, NOT_EXECUTED, TOOL_ERROR, Execution
from otel_claude.agents.live import switch_off, switch_on
from otel_claude.agents.requests import is_told
from otel_claude.agents.run import Run, Sums, outcome_of
from otel_claude.agents.scope import NO_SCOPE, Scope
from otel_claude.call import Call
from otel_claude.content.parts import plain
from otel_claude.dropped import finish_record, garbage_collection
from otel_claude.emitting.agents import (
    of_loop,
    run_end,
    run_name,
    run_points,
    run_start,
    tool_content,
    tool_name,
    tool_points,
    tool_start,
)
from otel_claude.emitting.bounded import BoundedNames
from otel_claude.emitting.compatibility import add_compatibility
from otel_claude.emitting.events import Events
from otel_claude.emitting.metrics import Metrics
from otel_claude.emitting.providers import Providers
from otel_claude.failsafe import guarded
from otel_claude.outcome import error_type
from otel_claude.pricing import Cost
from otel_claude.settings import Settings
from otel_claude.who import Who

ON_SPANS = ("SPAN_ONLY", "SPAN_AND_EVENT")

Record = TypeVar("Record", Run, Execution)


class Signals(NamedTuple):
    """What everything that is told goes through."""

    settings: Settings
    who: Who
    providers: Providers
    metrics: Metrics
    events: Events


class AgentTelemetry:
    """Starts and finishes the telemetry of runs and executions."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._agents, self._tools = BoundedNames(), BoundedNames()

    @guarded(None)
    def open(self) -> None:
        """The decorators and context managers of the application are told of here from now on."""
        switch_on(self)

    @guarded(None)
    def close(self) -> None:
        """They are told of here no more."""
        switch_off(self)

    @property
    def wanted(self) -> bool:
        """Whether anybody listens, and the application has not asked for silence."""
        return self._signals.providers.configured and is_instrumentation_enabled()

    @guarded(NO_SCOPE)
    def run(self, run: Run, provider: trace.TracerProvider | None = None) -> Scope:
        """Starts a run inside the current one, on the tracer `provider` of its client where that has one of its own."""
        run.parent = current_run()
        run.started_at = run.active_at = perf_counter_ns()
        run.start_time = time_ns()
        run.who, run.counted_for = self._whom()
        here = context.get_current()
        run.tracer = self._signals.providers.tracer(provider)
        run.owns_span = run.owns_span and not run.silent
        if run.owns_span:
            run.span = run.tracer.start_span(
                run_name(run), kind=SpanKind.INTERNAL, attributes=run_start(run), start_time=run.start_time
            )
            here = trace.set_span_in_context(run.span, here)
        else:
            run.span = trace.get_current_span()
        # With the run itself in it, and not the one before it: runs that start each other would keep each other.
        run.context = with_record(run, here)
        return Scope(run, _silently if run.silent else partial(_ended, self._finish_run))

    @guarded(NO_SCOPE)
    def execution(self, execution: Execution) -> Scope:
        """Starts the execution of a tool in the current run, or in none."""
        execution.run = run = current_run()
        execution.started_at = execution.active_at = perf_counter_ns()
        execution.start_time = time_ns()
        execution.who, execution.counted_for = self._whom()
        execution.content_mode = self._signals.settings.content
        execution.digest = execution.claimed[1] if execution.claimed else digest(execution.arguments)
        again = False
        if run is not None:
            if run.native:
                execution.content_mode = run.content_mode
            key = execution.name, execution.digest
            execution.call, execution.repeats, again = run.execute(key, execution.call)
        # What nobody wants to know is not kept.
        is_content = execution.content_mode in ON_SPANS and execution.arguments is not None
        execution.arguments = _as_they_are(execution.arguments) if is_content else None
        here = context.get_current()
        if execution.owns_span:
            execution.span = self._tracer(run).start_span(
                tool_name(execution),
                kind=SpanKind.INTERNAL,
                attributes=tool_start(execution),
                start_time=execution.start_time,
            )
            here = trace.set_span_in_context(execution.span, here)
        execution.context = with_record(execution, here)
        if not again:
            self._tell_loop(execution)
        return Scope(execution, partial(_ended, self._finish_execution))

    @guarded(None)
    def _tell_loop(self, execution: Execution) -> None:
        if is_told(execution.repeats) and self._signals.events.wanted:
            self._signals.events.emit(of_loop(execution), execution.context)

    @guarded(None)
    def not_executed(self, name: str, call: str) -> None:
        """Tells of a tool that the model has asked for, and that is not there or was not executed."""
        execution = Execution(name, current_run(), call=call)
        span = self._tracer(execution.run).start_span(
            tool_name(execution),
            kind=SpanKind.INTERNAL,
            attributes={**tool_start(execution), names.ERROR_TYPE: NOT_EXECUTED},
        )
        span.set_status(Status(StatusCode.ERROR))
        add_compatibility(self._signals.settings.compatibility, span)
        span.end()

    @guarded(None)
    def executed(self, call: Call) -> None:
        """Tells of the tools that the API has executed for an answer. What has no times stands at its end."""
        if not call.owns_span and self._signals.settings.native_spans == "keep":
            return
        ended = call.ended_at or call.started_at
        for execution in call.executed:
            is_timed = execution.started_at and execution.ended_at
            began, over = execution.started_at or ended, execution.ended_at or ended
            span = (call.tracer or self._tracer(call.run)).start_span(
                tool_name(execution),
                context=call.context,
                kind=SpanKind.INTERNAL,
                attributes=tool_start(execution),
                start_time=call.start_time + began - call.started_at,
            )
            execution.span, execution.started_at, execution.ended_at = span, began, over
            execution.start_time = call.start_time + began - call.started_at
            self._end_span(execution)
            if is_timed and self._signals.providers.metered:
                self._record(execution)

    @guarded(None)
    def start_call(self, run: Run, call: Call) -> None:
        """Adds a call that is sent to the run that it is made in."""
        if is_paid(call):
            run.count(Sums(iterations=int(call.endpoint.is_inference), calls=1))

    @guarded(None)
    def end_call(self, run: Run, call: Call, cost: Cost | None) -> None:
        """Adds to the run what a call that has ended has used and cost."""
        if is_paid(call) and call.refusal is None and call.attempts:
            run.count(amounts_of(call, cost))
            run.active_at = perf_counter_ns()

    @guarded(None)
    def enrich(self, run: Run, span: trace.Span) -> None:
        """Sets on `span`, which is the SDK's own and about to end, what is known of the run."""
        span.set_attributes(run_end(run))
        add_compatibility(self._signals.settings.compatibility, span)

    @guarded(None)
    def enrich_tool(self, execution: Execution, span: trace.Span) -> None:
        """Sets on `span`, which is the SDK's own of an execution, what is known of it."""
        span.set_attributes(tool_start(execution))
        add_compatibility(self._signals.settings.compatibility, span)

    def _tracer(self, run: Run | None) -> trace.Tracer:
        """The tracer of what is executed in a run."""
        return self._signals.providers.tracer() if run is None else run.tracer

    def _whom(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        asked = self._signals.who
        who = asked.of(baggage.get_all()) if asked.keys else {}
        return who, asked.counted(who) if who else {}

    @guarded(None)
    def _finish_run(self, run: Run) -> None:
        self._end_run(run)
        if self._signals.providers.metered:
            self._signals.metrics.record(run_points(run, self._agent(run)), run.context)

    @guarded(None)
    def _end_run(self, run: Run) -> None:
        if run.owns_span:
            run.span.set_attributes(run_end(run))
            self._end_span(run)

    @guarded(None)
    def _finish_execution(self, execution: Execution) -> None:
        if execution.error_type is None and _is_error(execution.result):
            execution.error_type = TOOL_ERROR
        self._end_execution(execution)
        if self._signals.providers.metered:
            self._record(execution)
        # The application's own, which nobody needs any more.
        execution.arguments = execution.result = None

    def _record(self, execution: Execution) -> None:
        tool = self._tools.bounded(execution.name)
        agent = None if execution.run is None else self._agent(execution.run)
        self._signals.metrics.record(tool_points(execution, tool, agent), execution.context)

    @guarded(None)
    def _end_execution(self, execution: Execution) -> None:
        if not execution.owns_span:
            return
        if execution.span.is_recording() and execution.content_mode in ON_SPANS:
            self._tell_content(execution)
        self._end_span(execution)

    @guarded(None)
    def _tell_content(self, execution: Execution) -> None:
        settings = self._signals.settings
        execution.span.set_attributes(tool_content(execution, settings.content_max_bytes, settings.redact))

    def _end_span(self, record: Run | Execution) -> None:
        span: trace.Span = record.span
        if record.error_type is not None:
            span.set_attribute(names.ERROR_TYPE, record.error_type)
            if record.error_type != CANCELLED:
                span.set_status(Status(StatusCode.ERROR, record.failure))
        add_compatibility(self._signals.settings.compatibility, span)
        span.end(record.start_time + ((record.ended_at or record.started_at) - record.started_at))

    def _agent(self, run: Run) -> str | None:
        """The name of an agent, as metrics tell agents apart."""
        return None if run.name is None else self._agents.bounded(run.name)


def _silently(record: Run, error: BaseException | None) -> None:
    """The end of what the application wants no telemetry of."""


_as_they_are = guarded(None)(plain)
"""A copy of arguments as they are now: the tool may change them."""


@guarded(False)
def _is_error(result: Any) -> bool:
    """Whether a tool says by its result that it has failed. No code of the application's is asked."""
    return issubclass(type(result), dict) and dict[Any, Any].get(result, "is_error") is True


def _ended(tell: Callable[[Record], None], record: Record, error: BaseException | None) -> None:
    """Has `tell` tell of a record that has ended with `error`."""
    _take_error(record, error)
    finish_record(record, tell)


@guarded(None)
def _take_error(record: Run | Execution, error: BaseException | None) -> None:
    """Takes what `error` says. It is not kept itself: frames hang on it."""
    if isinstance(record, Run):
        record.outcome = record.outcome or outcome_of(error)
    if isinstance(error, GeneratorExit) and garbage_collection.here:
        # Nobody has held it for some time, in which it did nothing.
        record.ended_at = record.active_at
    if isinstance(error, Exception):
        record.error_type, record.failure = error_type(error, in_stream=False), type(error).__name__
    elif isinstance(record, Execution) and error is not None and not isinstance(error, GeneratorExit):
        record.error_type = CANCELLED
