"""The events of a call: log records with an event name, correlated with its span.

In: the record of a call and how it failed. Out: log records on one logger.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry._logs import Logger, LogRecord, SeverityNumber

from otel_claude.call import Call
from otel_claude.emitting import names
from otel_claude.emitting.spans import RESPONSE_HEADERS, Attributes, start_attributes
from otel_claude.outcome import Failure, stack_of


class Events:
    """Emits the events of calls on one logger."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def exception(self, call: Call, failure: Failure, secrets: tuple[str, ...]) -> None:
        """The exception of a failed call, with what the span says of the call."""
        error = type(failure.exception)
        attributes: Attributes = {
            names.EXCEPTION_TYPE: f"{error.__module__}.{error.__qualname__}",
            names.EXCEPTION_STACKTRACE: stack_of(failure.exception, secrets),
            names.ERROR_TYPE: failure.type,
            names.ERROR_CATEGORY: failure.category,
            **start_attributes(call),
        }
        if failure.message is not None:
            attributes[names.EXCEPTION_MESSAGE] = failure.message
        for attribute in (names.REQUEST_ID, names.AWS_REQUEST_ID):
            if (request_id := call.response.header(RESPONSE_HEADERS[attribute])) is not None:
                attributes[attribute] = request_id
        self._emit(call, names.EXCEPTION_EVENT, SeverityNumber.WARN, attributes)

    def details(self, call: Call, attributes: Mapping[str, Any], content: Mapping[str, Sequence[Any]]) -> None:
        """The content of a call, structured, with the attributes of its span."""
        self._emit(call, names.DETAILS_EVENT, SeverityNumber.DEBUG, {**attributes, **content})

    def _emit(self, call: Call, name: str, severity: SeverityNumber, attributes: Attributes) -> None:
        self._logger.emit(
            LogRecord(
                event_name=name,
                severity_number=severity,
                severity_text=severity.name,
                attributes=attributes,
                context=call.context,
            )
        )
