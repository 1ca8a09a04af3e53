"""The way of a record into signals: what starts and ends on a connection, as spans, metric points and events.

In: the `Step`s of a `Conversation`. Out: telemetry, on the providers that it was made with. No public method raises.
"""

from collections.abc import Iterable, Iterator
from time import time

from opentelemetry import _logs, baggage, metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

from otel_claude import names
from otel_claude.agent_sdk import contents
from otel_claude.agent_sdk.attributes import (
    counter_points,
    end_attributes,
    histogram_points,
    limit_attributes,
    name_of,
    start_attributes,
)
from otel_claude.agent_sdk.records import done_by_cli, execution_of
from otel_claude.agent_sdk.runs import Answer, Limit, Run, Step, Thing, ToolUse
from otel_claude.agents.arguments import digest
from otel_claude.agents.current import current_run, with_record
from otel_claude.agents.execution import CANCELLED, Execution
from otel_claude.agents.requests import is_told
from otel_claude.agents.run import Run as Record
from otel_claude.agents.telemetry import AgentTelemetry, Signals
from otel_claude.diagnosis.finding import Finding
from otel_claude.emitting.agents import of_loop
from otel_claude.emitting.bounded import BoundedNames
from otel_claude.emitting.compatibility import add_compatibility
from otel_claude.emitting.events import Events
from otel_claude.emitting.metrics import Metrics
from otel_claude.emitting.observed import observed_by
from otel_claude.emitting.points import Point
from otel_claude.emitting.providers import Providers
from otel_claude.failsafe import guarded
from otel_claude.settings import Settings
from otel_claude.who import Who


class Emission:
    """Emits for all connections of an instrumentation. A provider that is not given is the global one.

    `agents` emits for the application's own agents and tools.
    """

    def __init__(
        self,
        settings: Settings,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        logger_provider: _logs.LoggerProvider | None = None,
    ) -> None:
        self._settings = settings
        providers = Providers(tracer_provider, meter_provider, logger_provider)
        self._tracer = providers.tracer()
        self._metrics = Metrics(
            providers.meter, settings.metric_names, observed_by(meter_provider, providers.meter).counters
        )
        self._events = Events(providers.logger)
        self._who = Who(settings.baggage)
        self._names = {name: BoundedNames() for name in (names.AGENT_NAME, names.TOOL_NAME)}
        self.agents = AgentTelemetry(Signals(settings, self._who, providers, self._metrics, self._events))

    @property
    def tells_content(self) -> bool:
        """Whether anybody wants to know what is said."""
        return self._settings.content != "NO_CONTENT"

    def emit(self, steps: Iterable[Step], *, deferring: bool) -> None:
        """Emits what has happened. `deferring`: the CLI makes spans of its own of all but the turns."""
        for what, thing in steps:
            if isinstance(thing, Limit):
                self._tell(thing)
            elif what == "start":
                self._start(thing, spans=not deferring or _is_turn(thing))
            else:
                self._end(thing)

    @guarded(None)
    def _start(self, thing: Run | Answer | ToolUse, *, spans: bool) -> None:
        outer = _context_around(thing)
        thing.span, thing.context = trace.INVALID_SPAN, outer
        record = self._record(thing, outer)
        if spans:
            thing.span = self._tracer.start_span(
                name_of(thing),
                outer,
                SpanKind.CLIENT if isinstance(thing, Answer) else SpanKind.INTERNAL,
                {**start_attributes(thing), **self._who_in(outer)},
                _links(thing),
                start_time=thing.started_at,
            )
            thing.context = trace.set_span_in_context(thing.span, outer)
        if record is not None:
            record.span, record.owns_span = thing.span, spans
            thing.context = record.context = with_record(record, thing.context)
        if isinstance(record, Execution) and is_told(record.repeats):
            self._events.emit(of_loop(record), thing.context)

    def _record(self, thing: Run | Answer | ToolUse, outer: Context) -> Record | Execution | None:
        """What agents and tools of the application find in their context: a run, or an execution."""
        who = self._who_in(outer)
        counted_for = self._who.counted(who)
        match thing:
            case Run():
                parent = current_run(outer) if thing.launcher is None else thing.launcher.run.record
                thing.record = Record(
                    thing.name, parent, provider=thing.provider, tracer=self._tracer, who=who, counted_for=counted_for
                )
                if parent is not None and thing.launcher is None:
                    parent.expect(lambda: thing.record.finished)
                return thing.record
            case ToolUse():
                run = thing.run.record
                run.conversation = thing.run.turn.session
                arguments = digest(thing.arguments)
                if thing.kind != "server":
                    thing.repeats = run.repeat((thing.name, arguments))
                execution = execution_of(thing)
                execution.digest, execution.who, execution.counted_for = arguments, who, counted_for
                thing.record = execution
                return execution
            case Answer():
                return None

    def _end(self, thing: Run | Answer | ToolUse) -> None:
        self._end_span(thing)
        self._measure(thing)
        if isinstance(thing, Run):
            self._close(thing)
        elif isinstance(thing, ToolUse) and thing.record is not None:
            # What the tool has started may go on, and is no part of it.
            thing.record.finished = True

    @guarded(None)
    def _close(self, run: Run) -> None:
        """Adds what the CLI has done in a turn to the run of the application's that has asked for it.

        What comes of prompts that it has answered with that one, others cannot know. What subagents of other turns have
        done meanwhile is a part of its sums, so neither run is known then.
        """
        joined = _runs_around(prompt.caller for prompt in run.joined)
        beside = _runs_around(run.beside)
        # Turns that follow each other would keep each other, and what they were asked.
        run.follows = run.prompt = None
        run.joined, run.beside = [], []
        asking = run.record.parent
        if run.launcher is None and asking is not None:
            asking.count(done_by_cli(run))
        for other in joined:
            if other is not None:
                other.lose(asking)
        for other in beside - {asking}:
            if other is not None:
                other.lose(asking)
            if asking is not None:
                asking.lose(other)
        run.record.finished = True

    @guarded(None)
    def _end_span(self, thing: Run | Answer | ToolUse) -> None:
        span = thing.span
        if span is None:
            return
        try:
            if span.is_recording():
                span.set_attributes(end_attributes(thing))
                if self._settings.content in ("SPAN_ONLY", "SPAN_AND_EVENT"):
                    span.set_attributes(contents.attributes_of(thing, self._settings))
                if isinstance(thing, Run):
                    self._link(thing)
                if not isinstance(thing, Answer) and thing.error_type not in (None, CANCELLED):
                    span.set_status(Status(StatusCode.ERROR))
                add_compatibility(self._settings.compatibility, span)
        finally:
            span.end(thing.ended_at)
        if isinstance(thing, Answer) and self._settings.content in ("EVENT_ONLY", "SPAN_AND_EVENT"):
            found = contents.structures_of(thing, self._settings)
            attributes = start_attributes(thing) | end_attributes(thing) | self._who_in(thing.context) | found
            self._events.emit(Finding(names.DETAILS_EVENT, "DEBUG", attributes), thing.context)

    def _link(self, run: Run) -> None:
        """A turn of the CLI's own is linked to the one that it goes back to, if it was not from its start on.

        One that answers several prompts is linked to where the others were sent.
        """
        if run.origin is not None and run.prompted and run.follows is not None and run.follows.span is not None:
            run.span.add_link(run.follows.span.get_span_context(), {names.AGENT_ORIGIN: run.origin})
        linked = {_span_context(run.caller).span_id}
        for asked in (_span_context(prompt.caller) for prompt in run.joined):
            if asked.is_valid and asked.span_id not in linked:
                linked.add(asked.span_id)
                run.span.add_link(asked)

    @guarded(None)
    def _measure(self, thing: Run | Answer | ToolUse) -> None:
        counted = self._who.counted(self._who_in(thing.context))
        self._metrics.record(_for(counted, self._bounded(histogram_points(thing))), thing.context)
        if isinstance(thing, Run) and thing.spend is not None:
            self._metrics.add(list(_for(counted, counter_points(thing))))

    def _bounded(self, points: Iterable[Point]) -> Iterator[Point]:
        for instrument, value, labels in points:
            bounded = {name: known.bounded(str(labels[name])) for name, known in self._names.items() if name in labels}
            yield instrument, value, {**labels, **bounded}

    def _who_in(self, outer: Context) -> dict[str, str]:
        """Who it is for, as the baggage of the context says in which the application has asked."""
        return self._who.of(baggage.get_all(outer)) if self._who.keys else {}

    @guarded(None)
    def _tell(self, limit: Limit) -> None:
        outer = Context() if limit.run is None else limit.run.context
        attributes = limit_attributes(limit, time()) | self._who_in(outer)
        self._events.emit(Finding(names.LIMIT_EVENT, "WARN", attributes), outer)


def _for(counted: dict[str, str], points: Iterable[Point]) -> Iterator[Point]:
    return ((instrument, value, {**labels, **counted}) for instrument, value, labels in points)


def _is_turn(thing: Thing) -> bool:
    return isinstance(thing, Run) and thing.launcher is None


def _context_around(thing: Run | Answer | ToolUse) -> Context:
    """The context of what it is a part of."""
    if isinstance(thing, Run):
        outer = thing.caller if thing.launcher is None else thing.launcher.context
    else:
        outer = thing.run.context
    return Context() if outer is None else outer


def _span_context(outer: Context | None) -> SpanContext:
    return trace.get_current_span(Context() if outer is None else outer).get_span_context()


def _links(thing: Run | Answer | ToolUse) -> list[Link]:
    if not isinstance(thing, Run) or thing.follows is None or thing.follows.span is None:
        return []
    return [Link(thing.follows.span.get_span_context())]


def _runs_around(callers: Iterable[Context | None]) -> set[Record | None]:
    """The runs of the application's in which `callers` are; `None` for one that is in no run."""
    return {None if caller is None else current_run(caller) for caller in callers}
