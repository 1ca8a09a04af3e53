"""A span that has ended, and waits: it may still be exported as it is, or go into a summary.

In: the span and its mark. Out: what the choice and the sums need of it, read once.
"""

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from otel_claude.emitting import names
from otel_claude.span_cap.overflow import Overflow
from otel_claude.values import number, whole

SUMS: Mapping[str, tuple[str, Callable[[object], float | None]]] = {
    names.INPUT_TOKENS: (names.SUMMARY_INPUT, whole),
    names.OUTPUT_TOKENS: (names.SUMMARY_OUTPUT, whole),
    names.CACHE_READ: (names.SUMMARY_CACHE_READ, whole),
    names.CACHE_WRITE: (names.SUMMARY_CACHE_WRITE, whole),
    names.CACHE_WRITE_5M: (names.SUMMARY_CACHE_WRITE_5M, whole),
    names.CACHE_WRITE_1H: (names.SUMMARY_CACHE_WRITE_1H, whole),
    names.REASONING: (names.SUMMARY_REASONING, whole),
    names.BATCH_INPUT_TOKENS: (names.SUMMARY_INPUT, whole),
    names.BATCH_OUTPUT_TOKENS: (names.SUMMARY_OUTPUT, whole),
    names.COST: (names.SUMMARY_COST, number),
    names.RETRIES: (names.SUMMARY_RETRIES, whole),
}
"""Attributes of spans, with those of a summary that have their sums."""

_SUMMED = frozenset(SUMS)
_NOTHING: Mapping[str, float] = {}


class Held:
    """`claims` is how many lists want the span. `taken` is set once it is on its way to the exporters.

    Times are nanoseconds. `numbers` are those that a summary adds up, under its names. `error` is `error.type`, or the
    class of the last exception, of a span that has ended in an error.
    """

    __slots__ = ("claims", "duration", "end", "error", "mark", "numbers", "span", "start", "taken")

    def __init__(self, span: ReadableSpan, mark: Overflow) -> None:
        self.span = span
        self.mark = mark
        self.claims = 0
        self.taken = False
        self.start = span.start_time or 0
        self.end = span.end_time or 0
        self.duration = self.end - self.start
        attributes = _copied(span.attributes)
        self.numbers = _NOTHING if _SUMMED.isdisjoint(attributes) else _numbers(attributes)
        self.error = _error(span, attributes) if span.status.status_code is StatusCode.ERROR else None

    @property
    def cost(self) -> float | None:
        """In USD, where it is known."""
        return self.numbers.get(names.SUMMARY_COST)


def _copied(attributes: Any) -> Mapping[str, object]:
    """Attributes of OpenTelemetry's SDK, which take much longer to read than to copy."""
    return attributes.copy()


def _numbers(attributes: Mapping[str, object]) -> Mapping[str, float]:
    numbers: dict[str, float] = {}
    for attribute in _SUMMED & attributes.keys():
        told, read = SUMS[attribute]
        if (value := read(attributes[attribute])) is not None:
            numbers[told] = numbers.get(told, 0) + value
    return numbers


def _error(span: ReadableSpan, attributes: Mapping[str, object]) -> str:
    if (told := attributes.get(names.ERROR_TYPE)) is not None:
        return str(told)
    for event in reversed(span.events):
        if event.attributes and (told := event.attributes.get(names.EXCEPTION_TYPE)) is not None:
            return str(told)
    return "_OTHER"
