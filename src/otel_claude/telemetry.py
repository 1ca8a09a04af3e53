"""The way of a record into signals: one object that starts and finishes the telemetry of calls.

In: `Call` records, from the patches. Out: spans, metric points and events, on the providers that it was made with.
None of the public methods raises: what fails is left out, and the rest is emitted all the same.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from opentelemetry import _logs, baggage, context, metrics, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import SpanKind, Status, StatusCode

from otel_claude import names
from otel_claude.agents.current import current_run
from otel_claude.agents.telemetry import AgentTelemetry, Signals
from otel_claude.batches import Filled
from otel_claude.budgets.plan import Plan
from otel_claude.call import Call
from otel_claude.content import Content, as_attributes, as_structures, read_request, read_response
from otel_claude.content.limit import bound
from otel_claude.diagnosis.findings import CUT, Ended, Findings, of_limit, of_retry
from otel_claude.emitting.compatibility import add_compatibility
from otel_claude.emitting.events import Events
from otel_claude.emitting.instruments import CACHE_UNUSED
from otel_claude.emitting.metrics import Metrics
from otel_claude.emitting.observed import Observed, observed_by
from otel_claude.emitting.points import (
    asked_model,
    chunk_points,
    counter_points,
    histogram_points,
    labels_of,
    retry_points,
    token_points,
)
from otel_claude.emitting.providers import Providers
from otel_claude.emitting.spans import Attributes, end_attributes, name_of, start_attributes
from otel_claude.failsafe import guarded
from otel_claude.knowledge import Knowledge, Known
from otel_claude.loading import Loading
from otel_claude.outcome import Failure
from otel_claude.pricing import Prices
from otel_claude.pricing.catalog import family
from otel_claude.settings import Settings
from otel_claude.usage import Usage
from otel_claude.who import Who, pseudonym

if TYPE_CHECKING:
    from otel_claude.budgets.control import BudgetControl


class Telemetry:
    """Everything that outlives a call: tracer, meter and logger, prices and rate limits.

    A provider that is not given is the global one, whether it has been set yet or not.
    """

    def __init__(
        self,
        settings: Settings,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        logger_provider: _logs.LoggerProvider | None = None,
    ) -> None:
        self.settings = settings
        self.prices = Prices(settings.prices or {})
        self._knowledge = Knowledge(self.prices)
        self._findings = Findings(settings)
        self._who = Who(settings.baggage)
        self.loading = Loading(self.prices.load)
        self.providers = providers = Providers(tracer_provider, meter_provider, logger_provider)
        observed = observed_by(meter_provider, providers.meter)
        self.limits, self.counted = observed.limits, observed.counted
        self._metrics = Metrics(providers.meter, settings.metric_names, observed.counters)
        self._events = Events(providers.logger)
        self.agents = AgentTelemetry(Signals(settings, self._who, providers, self._metrics, self._events))
        self.budgets: BudgetControl | None = None
        self._scopes: frozenset[str] = frozenset()
        if settings.plan.budgets:
            self._open_budgets(settings.plan, observed)

    @guarded(None)
    def _open_budgets(self, plan: Plan, observed: Observed) -> None:
        from otel_claude.budgets.control import BudgetControl
        from otel_claude.emitting.budgets import BudgetGauges

        emit = guarded(None)(self._events.emit)
        self.budgets = BudgetControl(plan, self._knowledge.price, emit, suppress_instrumentation)
        self._gauges = BudgetGauges(self.budgets, observed)
        self._scopes = plan.keys

    def flush_budgets(self) -> None:
        """Writes what budgets have booked, and waits for the ledger."""
        if self.budgets is not None:
            self.budgets.flush()

    @guarded(None)
    def close(self) -> None:
        """Shows nothing any more until something new comes: no client tells of its limits, and no budget is kept."""
        self.agents.close()
        self.limits.clear()
        if self.budgets is not None:
            self._gauges.stop()
            self.budgets.close()
            self.budgets = None

    @property
    def configured(self) -> bool:
        """Whether anybody listens. Until a provider is set, calls go by without any work for them, but for budgets."""
        return self.providers.configured or self.budgets is not None

    def start(self, call: Call, provider: trace.TracerProvider | None = None) -> None:
        """Starts the span of a call, on the tracer `provider` of its client where that has one of its own."""
        self.loading.ask()
        call.run = current_run()
        self._take_who(call)
        if call.owns_span:
            self._start_span(call, provider)
        else:
            call.span, call.context = trace.INVALID_SPAN, context.get_current()

    @guarded(None)
    def _take_who(self, call: Call) -> None:
        if self._who.keys or self._scopes:
            entries = baggage.get_all()
            call.who = self._who.of(entries)
            call.counted_for = self._who.counted(call.who)
            call.scopes = {key: str(entries[key]) for key in self._scopes if entries.get(key) is not None}
        if self.settings.user_id == "hashed":
            call.user = pseudonym(call.request.body)

    @guarded(None)
    def _start_span(self, call: Call, provider: trace.TracerProvider | None) -> None:
        call.span, call.context = trace.INVALID_SPAN, context.get_current()
        call.tracer = self.providers.tracer(provider)
        call.span = call.tracer.start_span(
            name_of(call),
            kind=SpanKind.CLIENT,
            attributes=start_attributes(call),
            start_time=call.start_time,
        )
        call.context = trace.set_span_in_context(call.span, call.context)

    def finish(self, call: Call) -> None:
        """Emits what is left to say of a call that has ended. `call.error` is what ended it, if anything did."""
        known = self._knowledge.of(call, call.error)
        budgets = self.budgets
        if budgets is not None:
            budgets.settle(call, known.cost)
        if call.run is not None:
            self.agents.end_call(call.run, call, known.cost)
        if call.executed:
            self.agents.executed(call)
        if call.owns_span:
            self._set_attributes(call, call.span, known)
        if call.content_mode != "NO_CONTENT":
            self._tell_content(call, known)
        if call.owns_span:
            add_compatibility(self.settings.compatibility, call.span)
            self._end_span(call, known.failure)
        self._record(call, known)
        if known.failure is not None and self._events.wanted:
            self._tell_exception(call, known.failure)
        self._tell_findings(call, known)

    @guarded(None)
    def release(self, call: Call) -> None:
        """Books a call of which no more is told, unless that is done."""
        if self.budgets is not None and call.admitted is not None:
            self.budgets.settle(call, self._knowledge.of(call, call.error).cost)

    def enrich(self, call: Call, span: trace.Span, error: BaseException | None) -> None:
        """Sets on `span`, which is the SDK's own and about to end, what is known of the call so far."""
        self._set_request(call, span)
        self._set_attributes(call, span, self._knowledge.of(call, error))
        add_compatibility(self.settings.compatibility, span)

    @guarded(None)
    def answer(self, call: Call, model: str | None, usage: Usage, stop_reason: str | None) -> None:
        """Counts one answer among the results of a batch that the application reads."""
        results = call.batch
        if results is None or model is None:
            return
        fresh = self.counted.first_time(results.batch, results.lines)
        batched = usage._replace(service_tier="batch")
        results.answer(model, usage, self._knowledge.price(call, model, batched), fresh=fresh)
        if fresh:
            self._metrics.record(token_points(usage, labels_of(call, "chat", model)), call.context)
            if stop_reason in CUT:
                results.cut[stop_reason] += 1
            filled = _filled(usage, self._knowledge.window(call, model))
            if filled is not None and self._findings.is_high(filled):
                results.crowd(filled)

    @guarded(None)
    def chunk(self, call: Call, waited_s: float) -> None:
        """Records the time that the application waited for a chunk, where that was asked for."""
        self._metrics.record(chunk_points(call, waited_s), call.context)

    @guarded(None)
    def _set_request(self, call: Call, span: trace.Span) -> None:
        if span.is_recording():
            span.set_attributes(start_attributes(call))

    @guarded(None)
    def _set_attributes(self, call: Call, span: trace.Span, known: Known) -> None:
        if not span.is_recording():
            return
        span.set_attributes(end_attributes(call, *known))
        if call.content_mode in ("SPAN_ONLY", "SPAN_AND_EVENT") and call.endpoint.is_inference:
            content = self._content(call)
            span.set_attributes({**as_attributes(content), **_mark(content)})

    @guarded(None)
    def _end_span(self, call: Call, failure: Failure | None) -> None:
        if failure is not None:
            call.span.set_status(Status(StatusCode.ERROR, failure.message))
        ended = call.ended_at or call.started_at
        call.span.end(call.start_time + (ended - call.started_at))

    @guarded(None)
    def _tell_content(self, call: Call, known: Known) -> None:
        if call.content_mode in ("EVENT_ONLY", "SPAN_AND_EVENT") and call.endpoint.is_inference:
            content = self._content(call)
            attributes = {**start_attributes(call), **end_attributes(call, *known), **_mark(content)}
            self._events.details(call, attributes, as_structures(content))

    def _content(self, call: Call) -> Content:
        """The content of a call, made once: it is walked, redacted and measured as a whole."""
        if call.content is None:
            content = read_request(call.sent_body) if call.sent_body is not None else Content()
            blocks = call.output() if call.output is not None else None
            if blocks is not None:
                content = content._replace(output_messages=read_response(blocks, call.response.stop_reason))
            call.content = bound(content, self.settings.content_max_bytes, self.settings.redact)
        return call.content

    @guarded(None)
    def _record(self, call: Call, known: Known) -> None:
        if not self.providers.metered:
            return
        for points in counter_points(call, known.cost, known.failure):
            self._metrics.add(points)
        self._metrics.record(histogram_points(call, known.failure, known.window), call.context)

    @guarded(None)
    def _tell_exception(self, call: Call, failure: Failure) -> None:
        self._events.exception(call, failure, call.secrets)

    @guarded(None)
    def retried(self, call: Call) -> None:
        """Tells of the last retry of a call, which is about to be sent."""
        if self.providers.metered:
            (counted, waited) = retry_points(call, call.retries[-1])
            self._metrics.add([counted])
            self._metrics.record([waited], call.context)
        if self._events.wanted:
            self._events.emit_of_call(call, of_retry(call))

    @guarded(None)
    def observe_limits(self, call: Call, headers: Mapping[bytes, bytes]) -> None:
        """Takes what the headers of a response say of rate limits, and tells of those that have become low."""
        asked = asked_model(call)
        model = None if asked is None else family(asked)
        method = None if call.endpoint.is_inference else call.endpoint.name
        if self.providers.metered:
            self.limits.observe(headers, model, method)
        if self._events.wanted:
            for low in self.limits.newly_low(headers, model, method):
                self._events.emit_of_call(call, of_limit(low))

    @guarded(None)
    def sending(self, call: Call) -> None:
        """Looks at a request that is about to be sent for the first time."""
        if self._events.wanted:
            for finding in self._findings.of_request(call):
                self._events.emit_of_call(call, finding)

    @guarded(None)
    def _tell_findings(self, call: Call, known: Known) -> None:
        wanted = self._events.wanted
        sighting = self._findings.repeated(call) if wanted or self.providers.metered else None
        if sighting is not None:
            self._metrics.add([(CACHE_UNUSED, 1, labels_of(call))])
        if wanted:
            usage = call.response.usage
            ended = Ended(call, known.failure, usage, None if usage is None else _filled(usage, known.window))
            for finding in self._findings.of_ending(ended, sighting):
                self._events.emit_of_call(call, finding)


def _filled(usage: Usage, window: int | None) -> Filled | None:
    share = usage.utilization(window)
    return None if share is None or window is None else Filled(share, window)


def _mark(content: Content) -> Attributes:
    return {names.CONTENT_TRUNCATED: True} if content.truncated else {}
