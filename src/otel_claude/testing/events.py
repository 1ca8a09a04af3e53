"""Log records as they came in."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from opentelemetry.sdk._logs import LogRecordProcessor


class Event(NamedTuple):
    """A log record. `severity` is the name of its number, such as `WARN`; ids are 0 outside of a span."""

    name: str
    severity: str | None
    attributes: Mapping[str, Any]
    body: Any
    trace_id: int
    span_id: int


class EventLog(LogRecordProcessor):
    """Keeps log records."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    # The type of what is passed changed its name within the supported versions of the SDK.
    def on_emit(self, log_record: Any) -> None:
        """Keep a record."""
        record = log_record.log_record
        number = record.severity_number
        self.events.append(
            Event(
                record.event_name or "",
                None if number is None else number.name,
                dict(record.attributes or {}),
                record.body,
                record.trace_id or 0,
                record.span_id or 0,
            )
        )

    def shutdown(self) -> None:
        """Nothing to do."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing to do."""
        return True
