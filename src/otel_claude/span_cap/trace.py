"""What the cap knows of one trace in this process.

In: its spans, as they start and end. Out: which of them are live, and how many of them have become what.
"""

import threading

from opentelemetry.trace import SpanContext

from otel_claude.span_cap.excess import Excess
from otel_claude.span_cap.overflow import Overflow
from otel_claude.span_cap.shares import Shares


class Trace:
    """One trace. `lock` is held by whoever changes it.

    Its thread can take the lock again: a span may end in the middle of anything, when garbage is collected.

    `live` spans were started as such. The trace `is_over` once one was not, and then no more are. `open` has the spans
    that have not ended, by their ids, with the marks of those that are not live. A trace without any is at rest. `top`
    is its first span, and the trace is `rooted` here if that has no parent: another process may go on with a trace that
    is not. `touched` is when it last came to rest, in seconds of the monotonic clock.
    """

    __slots__ = ("excess", "is_over", "live", "lock", "open", "rooted", "shares", "top", "touched", "trace_id")

    def __init__(self, trace_id: int, shares: Shares) -> None:
        self.trace_id = trace_id
        self.shares = shares
        self.lock = threading.RLock()
        self.live = 0
        self.is_over = False
        self.open: dict[int, Overflow | None] = {}
        self.top: SpanContext | None = None
        self.rooted = False
        self.touched = 0.0
        self.excess: Excess | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the root of the trace has ended, here."""
        return self.rooted and self.top is not None and self.top.span_id not in self.open

    @property
    def created(self) -> int:
        """How many spans have been started, as far as they were sampled."""
        ended = 0 if self.excess is None else self.excess.ended
        return self.live + ended + sum(mark is not None for mark in list(self.open.values()))

    def begin_excess(self) -> Excess:
        """The excess, from the first span of it that ends."""
        self.excess = Excess(self.shares)
        return self.excess

    def lost_mark(self, span_id: int) -> Overflow | None:
        """The mark of a span, of which only the id is left: its context was made anew, as from a header."""
        mark = self.open.get(span_id)
        if mark is None and self.excess is not None and span_id in self.excess.recent:
            return Overflow(None, None, self.top)
        return mark

    def counts(self) -> dict[str, int]:
        """How many spans are out of our hands, by what became of them."""
        excess = self.excess
        if excess is None:
            return {"exported": self.live}
        with self.lock:
            return self._counts(excess)

    def _counts(self, excess: Excess) -> dict[str, int]:
        return {"exported": self.live + excess.copies, "summarized": excess.folded, "late": excess.late}
