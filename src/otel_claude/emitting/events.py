"""The events of a call: log records with an event name, correlated with its span.

In: the record of a call and how it failed. Out: log records on one logger.
"""

from collections.abc import Mapping, Sequence
from time import time_ns
from typing import Any

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.context import Context

from otel_claude import names
from otel_claude.call import Call
from otel_claude.diagnosis.finding import Finding
from otel_claude.emitting.points import labels_of
from otel_claude.emitting.spans import RESPONSE_HEADERS, Attributes, failure_attributes, start_attributes
from otel_claude.outcome import Failure, stack_of


class Events:
    """Emits the events of calls on one logger."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    @property
    def wanted(self) -> bool:
        """Whether events have somewhere to go, so that it is worth making them."""
        return self._logger.enabled()

    def emit_of_call(self, call: Call, finding: Finding) -> None:
        """What was found of a call, with what tells it from others."""
        attributes: Attributes = {**labels_of(call), **call.who}
        if call.request.model is not None:
            attributes[names.REQUEST_MODEL] = call.request.model
        if call.request.conversation is not None:
            attributes[names.CONVERSATION] = call.request.conversation
        if call.user is not None:
            attributes[names.USER] = call.user
        attributes |= _request_id(call) | dict(finding.attributes)
        self._log(finding.event, SeverityNumber[finding.severity], attributes, call.context)

    def emit(self, finding: Finding, context: Context | None = None) -> None:
        """What is found of no call in particular. `context` has the span that it is about, if there is one."""
        self._log(finding.event, SeverityNumber[finding.severity], dict(finding.attributes), context or Context())

    def exception(self, call: Call, failure: Failure, secrets: tuple[str, ...]) -> None:
        """The exception of a failed call, with what the span says of the call."""
        error = type(failure.exception)
        attributes: Attributes = {
            names.EXCEPTION_TYPE: f"{error.__module__}.{error.__qualname__}",
            names.EXCEPTION_STACKTRACE: stack_of(failure.exception, secrets),
            **start_attributes(call),
        }
        if failure.message is not None:
            attributes[names.EXCEPTION_MESSAGE] = failure.message
        attributes |= failure_attributes(failure) | _request_id(call)
        self._log(names.EXCEPTION_EVENT, SeverityNumber.WARN, attributes, call.context)

    def details(self, call: Call, attributes: Mapping[str, Any], content: Mapping[str, Sequence[Any]]) -> None:
        """The content of a call, structured, with the attributes of its span."""
        self._log(names.DETAILS_EVENT, SeverityNumber.DEBUG, {**attributes, **content}, call.context)

    def _log(self, name: str, severity: SeverityNumber, attributes: Attributes, context: Context | None) -> None:
        self._logger.emit(event_record(name, severity, attributes, context))


def event_record(name: str, severity: SeverityNumber, attributes: Attributes, context: Context | None) -> LogRecord:
    """A log record that is an event.

    Its body repeats the name: what is older than OTLP 1.5 does not know names of events, and would show an empty line.
    https://github.com/open-telemetry/opentelemetry-proto/releases/tag/v1.5.0
    """
    return LogRecord(
        timestamp=time_ns(),
        event_name=name,
        body=name,
        severity_number=severity,
        severity_text=severity.name,
        attributes=attributes,
        context=context,
    )


def _request_id(call: Call) -> Attributes:
    headers = {name: call.response.header(RESPONSE_HEADERS[name]) for name in (names.REQUEST_ID, names.AWS_REQUEST_ID)}
    return {name: value for name, value in headers.items() if value is not None}
