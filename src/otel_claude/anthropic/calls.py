"""The life of a call, from the moment that the SDK starts it to its end.

In: what the patches see: the arguments and the result of `request`, each attempt, each response, each wait before a
retry. Out: records of calls, started and finished with `Telemetry`. Synchronous throughout: what differs between the
sync and the async SDK stands in `patches`. No method raises, and none changes what it is given, but for the body of an
unread response, which is wrapped.
"""

import sys
from time import perf_counter_ns, time_ns
from typing import Any

from opentelemetry import context, propagate
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from otel_claude.anthropic.answers import take_answer
from otel_claude.anthropic.bodies import Bodies
from otel_claude.anthropic.facts import (
    headers_of,
    json_of,
    request_of,
    retry_of,
    secrets_of,
    server_of,
    take_headers,
    take_request,
    take_result,
)
from otel_claude.anthropic.listeners import listener_for
from otel_claude.anthropic.peers import warn_of_peers
from otel_claude.anthropic.reading import Reading
from otel_claude.anthropic.scope import Scope, current_call
from otel_claude.anthropic.uploads import size_of
from otel_claude.budgets.exceeded import BudgetExceeded
from otel_claude.call import Call, Response, Retry
from otel_claude.dropped import finish_record
from otel_claude.failsafe import failures, guarded
from otel_claude.forks import forks
from otel_claude.outcome import was_sent
from otel_claude.telemetry import Telemetry
from otel_claude.values import NO_FIELDS, OTHER, Fields, attribute

OUTER_INFERENCE = "opentelemetry.genai.client.inference.context"
"""The conventions' key in the context for an inference that another instrumentation already records."""


class Calls:
    """Makes the records of the calls of every client in the process."""

    def __init__(self, telemetry: Telemetry, bodies: Bodies, native: property | None) -> None:
        """`native` is the property with the SDK's own tracer, where the SDK makes spans and we know the place."""
        self._telemetry = telemetry
        self._bodies = bodies
        self._native = native
        self._replaces = telemetry.settings.native_spans == "replace"
        self._peers_looked_for = False

    @guarded(None)
    def begin(self, client: Any, options: Any) -> Scope | None:
        """The SDK starts a call. `None`: there is nothing to do for it."""
        own_tracing = self.own_tracing(client)
        provider = self.provider(own_tracing)
        if provider is None and not self._telemetry.configured:
            return None
        if not self._peers_looked_for:
            self._peers_looked_for = True
            warn_of_peers()
        endpoint, request = request_of(client, options, own_tracing.get("conversation_id"))
        if not is_instrumentation_enabled() or (
            endpoint.is_inference and context.get_value(OUTER_INFERENCE) is not None
        ):
            return Scope(self, None) if self._replaces else None
        call = Call(
            endpoint,
            server_of(client),
            request,
            perf_counter_ns(),
            time_ns(),
            secrets=secrets_of(client, request),
            content_mode=self.content_mode(own_tracing),
            owns_span=self.owns_span(client),
            injects=self._injects(client, own_tracing),
            fork=forks.count,
            url=options.url,
        )
        self._telemetry.start(call, provider)
        return Scope(self, call)

    @guarded(None)
    def shut_down(self) -> None:
        """Forgets what is shown until something new comes: no client tells of its limits any more."""
        self._telemetry.close()

    def own_tracing(self, client: Any) -> Fields:
        """What a client was told of the SDK's own tracing."""
        return client.open_telemetry if self._native is not None else NO_FIELDS

    def provider(self, own_tracing: Fields) -> Any:
        """The tracer provider that a client was given, where it counts."""
        return own_tracing.get("tracer_provider") if self._telemetry.providers.follows_client else None

    def content_mode(self, own_tracing: Fields) -> str:
        """Where content goes. A client that was told to record content on the SDK's spans records it on ours."""
        mode = self._telemetry.settings.content
        asked = own_tracing.get("traces", {}).get("content_mode") == "content"
        return "SPAN_ONLY" if asked and self._replaces and mode == "NO_CONTENT" else mode

    def owns_span(self, client: Any) -> bool:
        """Whether the span of the call is ours, and not one that the SDK is going to make."""
        return self._replaces or self._native is None or self._native.__get__(client) is None

    @guarded(None)
    def attempt(self, client: Any, options: Any, http_request: Any) -> None:
        """The SDK is about to send an HTTP request of the call."""
        call = current_call()
        if not isinstance(call, Call):
            return
        call.attempts += 1
        call.progress.lost |= call.progress.unanswered
        call.progress.unanswered = True
        call.attempted_at = perf_counter_ns()
        if call.progress.coming_retry is not None:
            call.retries.append(call.progress.coming_retry)
            call.progress.coming_retry = None
            self._telemetry.retried(call)
        take_request(call, options, http_request)
        if options.files:
            call.file_bytes = size_of(options.files)
        if call.attempts == 1:
            self._telemetry.sending(call)
        if not call.owns_span:
            call.context = context.get_current()
        elif call.progress.native_claimed:
            # The SDK has made the stand-in current, which records nothing. It takes this back with its own.
            context.attach(call.context)
        elif call.injects:
            propagate.inject(http_request.headers, call.context)

    def admit(self) -> None:
        """Asks the budgets, before a call is sent.

        Raises:
            BudgetExceeded: a budget that blocks is spent. Nothing else.
        """
        try:
            call = current_call()
            if isinstance(call, Call) and self._telemetry.budgets is not None:
                self._telemetry.budgets.admit(call)
        except BudgetExceeded:
            raise
        except Exception:
            failures.report("Calls.admit")
        self._start_in_run()

    @guarded(None)
    def _start_in_run(self) -> None:
        """The call is going to be sent, and counts for the run of an agent that it is made in."""
        call = current_call()
        if isinstance(call, Call) and call.run is not None and call.attempts == 1:
            self._telemetry.agents.start_call(call.run, call)

    def _injects(self, client: Any, own_tracing: Fields) -> bool:
        """Whether we send `traceparent`: where the platform signs no headers, and nobody has switched it off."""
        if not self._replaces and self._native is not None:
            return False
        if own_tracing.get("propagation") is False or (self._native is not None and not self._native.__get__(client)):
            return False
        prepare: Any = client._prepare_request  # noqa: SLF001  # where platforms sign; it has no public name
        return prepare.__module__ == "anthropic._base_client"

    @guarded(None)
    def responded(self, http_response: Any) -> None:
        """An HTTP response has come, read or unread."""
        call = current_call()
        if not isinstance(call, Call):
            return
        call.progress.unanswered = False
        if call.response.content is not None:
            # A middleware asks again: what has come so far is an answer too, and billed.
            self._take_result(call, json_of(call.response.content))
            call.earlier.append(call.response)
            call.response = Response()
        take_headers(call.response, http_response)
        self._telemetry.observe_limits(call, call.response.headers)
        if not http_response.is_success:
            return
        if not http_response.is_closed:
            self._watch(call, http_response)
        elif call.endpoint.kind == "download":
            call.bytes_received = len(http_response.content)
        elif call.owns_span:
            call.response.content = http_response.content
        else:
            # The SDK ends its span before it returns the result, so what the span is to say is read from the body.
            take_result(call.response, call.endpoint, json_of(http_response.content))

    def _watch(self, call: Call, http_response: Any) -> None:
        """Watches the answer that the application, or a middleware, is going to read. Only the last one counts."""
        call.progress.readings += 1
        call.progress.watched = id(http_response)
        listener = listener_for(call, self._telemetry)
        chunk = self._telemetry.chunk if self._telemetry.settings.chunk_metrics else None
        self._bodies.watch(http_response, Reading(call, listener, self.ended, chunk))
        call.progress.handed_over = True

    @guarded(None)
    def sleeping(self, http_response: Any) -> None:
        """The SDK is about to wait before it sends the request again, because of a response or of an exception."""
        call = current_call()
        if not isinstance(call, Call):
            return
        error = sys.exc_info()[1]
        call.progress.coming_retry = retry_of(http_response, error)
        call.progress.unanswered = http_response is None and (error is None or was_sent(error))
        if http_response is not None:
            self._telemetry.observe_limits(call, headers_of(http_response))

    @guarded(None)
    def waits(self, wait_s: float) -> None:
        """How long the SDK is going to wait."""
        call = current_call()
        if isinstance(call, Call):
            coming = call.progress.coming_retry or Retry(OTHER)
            call.progress.coming_retry = coming._replace(wait_s=wait_s)

    def returned(self, call: Call, result: Any) -> None:
        """The call has come back. An answer that the application has yet to read goes on."""
        if not call.progress.handed_over:
            self._take_result(call, result)
        else:
            self._follow(call, result)
        if not call.progress.handed_over or call.progress.answer_ended:
            self.finish(call)

    @guarded(None)
    def _follow(self, call: Call, result: Any) -> None:
        """Watches the answer of a middleware that has put one together from those that it got, such as a fallback's."""
        http_response = getattr(result, "response", None) or getattr(result, "http_response", None)
        if http_response is not None and id(http_response) != call.progress.watched and not http_response.is_closed:
            call.progress.answer_ended = False
            self._watch(call, http_response)

    @guarded(None)
    def _take_result(self, call: Call, result: Any) -> None:
        # A result that no request of this call has brought, such as one from an application's cache, is not billed.
        if call.response.status_code is not None and call.endpoint.kind != "download":
            take_answer(call, result)

    def failed(self, call: Call, error: BaseException) -> None:
        """The call has raised `error`."""
        call.error = error
        self._take_unsent(call, error)
        self._take_refusal(call, attribute(error, "response"))
        if call.response.content is not None:
            # An answer has come and is billed, whatever was raised over it.
            self._take_result(call, json_of(call.response.content))
        self.finish(call)

    @guarded(None)
    def _take_refusal(self, call: Call, http_response: Any) -> None:
        # Exceptions of others, such as botocore's, have a response of another kind.
        if hasattr(http_response, "status_code") and hasattr(http_response, "headers"):
            call.progress.unanswered = False
            take_headers(call.response, http_response)
            self._telemetry.observe_limits(call, call.response.headers)

    @guarded(None)
    def _take_unsent(self, call: Call, error: BaseException) -> None:
        if not was_sent(error):
            call.progress.unanswered = False

    def ended(self, call: Call, reading: int) -> None:
        """An answer is no longer read. One that is a part of another by now, or was asked for again, does not count."""
        call.progress.answer_ended = reading == call.progress.readings
        if call.progress.answer_ended and current_call() is not call:
            self.finish(call)

    @guarded(None)
    def finish(self, call: Call) -> None:
        """The call has ended, whichever way."""
        if not call.progress.finished:
            call.progress.finished = True
            # In a child it is only a copy of its parent's, who tells of it.
            if call.fork == forks.count:
                self._finish(call)

    def _finish(self, call: Call) -> None:
        try:
            finish_record(call, self._tell)
        except BaseException:
            # Somebody presses Ctrl-C just now. The call is not ended again, and would hold its part of a budget.
            self._telemetry.release(call)
            raise

    @guarded(None)
    def _tell(self, call: Call) -> None:
        self._telemetry.finish(call)
        # Their tracebacks hold the frames that hold the call, and the application's own.
        call.error = call.refusal = None
