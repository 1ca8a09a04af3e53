"""A span that has ended, and waits: it may still be exported as it is, or go into a summary.

In: the span and its mark. Out: what the choice and the sums need of it, read once.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from otel_claude import names
from otel_claude.span_cap.overflow import Overflow
from otel_claude.span_cap.structure import STRUCTURAL, is_structural
from otel_claude.values import OTHER, number, whole

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

LONGEST_ERROR = 200
"""How many characters of an error's type are told apart. Types are codes, but not all libraries know that."""

_SUMMED = frozenset(SUMS)
_READ = _SUMMED | STRUCTURAL.keys()
_NOTHING: Mapping[str, float] = {}
_ERROR = StatusCode.ERROR  # Members of an enum take long to look up before Python 3.12.


class Kept(NamedTuple):
    """A span that is on its way to the exporters."""

    span: ReadableSpan
    mark: Overflow


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
        self.duration = self.end - self.start if self.end > self.start else 0
        attributes: Any = span.attributes
        self.numbers = _NOTHING
        if not _READ.isdisjoint(attributes):
            # Those of OpenTelemetry's SDK take much longer to read than to copy.
            attributes = attributes.copy()
            self.numbers = _numbers(attributes)
            # Some libraries say it only after the start: too late to be the place of a summary, but not to be kept.
            mark.structural = mark.structural or is_structural(attributes)
        self.error = _error(span, attributes) if span.status.status_code is _ERROR else None

    def take(self) -> Kept:
        """The span, which is not held any longer, though lists may still know of it."""
        kept = Kept(self.span, self.mark)
        self.taken = True
        del self.span, self.mark
        return kept

    @property
    def cost(self) -> float | None:
        """In USD, where it is known."""
        return self.numbers.get(names.SUMMARY_COST)


def _numbers(attributes: Mapping[str, object]) -> Mapping[str, float]:
    numbers: dict[str, float] = {}
    for attribute in _SUMMED & attributes.keys():
        told, read = SUMS[attribute]
        if (value := read(attributes[attribute])) is not None:
            numbers[told] = numbers.get(told, 0) + value
    return numbers


def _error(span: ReadableSpan, attributes: Mapping[str, object]) -> str:
    if (told := attributes.get(names.ERROR_TYPE)) is not None:
        return str(told)[:LONGEST_ERROR]
    for event in reversed(span.events):
        if event.attributes and (told := event.attributes.get(names.EXCEPTION_TYPE)) is not None:
            return str(told)[:LONGEST_ERROR]
    return OTHER
