"""What becomes of the spans that are not exported: sums.

In: spans that have ended. Out: one `Summary` of those that have the same place, name and status, with the numbers that
a reader of the trace would miss.
"""

from collections import Counter
from heapq import heappush, heappushpop

from opentelemetry.trace import format_span_id

from otel_claude import names
from otel_claude.span_cap.held import Held
from otel_claude.span_cap.overflow import Overflow
from otel_claude.values import OTHER

OTHERS = "other spans"
"""The name of a summary of spans with different names."""

SLOWEST = 5
"""How many of the slowest spans a summary names by their ids."""

ERROR_TYPES = 10
"""How many kinds of errors a summary names. All others are one kind."""


class Summary:
    """The sums of spans, of which `held` is the first. Times are nanoseconds.

    `mark` is that of one of them, if they are all in one place; `anchor` is what the first of them hangs on, whatever
    becomes of the others. `only` is the first, until there is another.
    """

    def __init__(self, held: Held, *, is_placed: bool) -> None:
        self.name = held.span.name
        self.kind = held.span.kind
        self.failed = held.error is not None
        self.mark: Overflow | None = held.mark if is_placed else None
        self.anchor = held.mark.anchor
        self.only: Held | None = None
        self.count = 0
        self.start, self.end = held.start, held.end
        self.total, self.shortest = 0, held.duration
        self.slowest: list[tuple[int, int]] = []
        self._not_slow = -1
        self.numbers: dict[str, float] = {}
        self.errors: Counter[str] = Counter()
        self.add(held)
        self.only = held

    def add(self, held: Held) -> None:
        """Adds a span that has ended. This is called for each span that is not exported."""
        duration = held.duration
        self.count += 1
        self.total += duration
        if held.start < self.start:
            self.start = held.start
        if held.end > self.end:
            self.end = held.end
        if duration < self.shortest:
            self.shortest = duration
        if duration > self._not_slow:
            self._note_slow((duration, held.mark.span_id))
        if held.numbers:
            for name, value in held.numbers.items():
                self.numbers[name] = self.numbers.get(name, 0) + value
        if held.error is not None:
            self._count_error(held.error, 1)

    def merge(self, other: "Summary") -> None:
        """Adds what another summary has."""
        self.only = None
        self.count += other.count
        self.total += other.total
        self.start, self.end = min(self.start, other.start), max(self.end, other.end)
        self.shortest = min(self.shortest, other.shortest)
        for slow in other.slowest:
            self._note_slow(slow)
        for name, value in other.numbers.items():
            self.numbers[name] = self.numbers.get(name, 0) + value
        for error, count in other.errors.items():
            self._count_error(error, count)

    def _count_error(self, error: str, count: int) -> None:
        known = error in self.errors or len(self.errors) < ERROR_TYPES
        self.errors[error if known else OTHER] += count

    def _note_slow(self, slow: tuple[int, int]) -> None:
        (heappush if len(self.slowest) < SLOWEST else heappushpop)(self.slowest, slow)
        if len(self.slowest) == SLOWEST:
            self._not_slow = self.slowest[0][0]

    @property
    def title(self) -> str:
        """The name of the summary as a span."""
        return f"{self.name} {times(self.count)} (summarized)"

    def attributes(self) -> dict[str, int | float | tuple[str, ...]]:
        """The sums as attributes of a span: durations in seconds, costs in USD."""
        slowest = sorted(self.slowest, reverse=True)
        attributes: dict[str, int | float | tuple[str, ...]] = {
            names.SUMMARY_COUNT: self.count,
            names.SUMMARY_DURATION: self.total / 1e9,
            names.SUMMARY_SHORTEST: self.shortest / 1e9,
            names.SUMMARY_LONGEST: slowest[0][0] / 1e9,
            names.SUMMARY_SLOWEST: tuple(format_span_id(span_id) for _, span_id in slowest),
            **self.numbers,
        }
        if self.errors:
            most = self.errors.most_common()
            attributes[names.SUMMARY_ERRORS] = tuple(f"{error} {times(count)}" for error, count in most)
        return attributes


def times(count: int) -> str:
    """A number of times, as a reader of a trace knows it."""
    return f"×{count}"  # noqa: RUF001  # a multiplication sign is what is meant
