"""All traces that the cap knows of in this process.

In: ids of traces. Out: `Trace` objects. At most `MOST_TRACES` are remembered, and those at rest for `REMEMBERED_S` or
little longer. What came to rest first goes first, and traces with open spans go last.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable

from otel_claude.span_cap.shares import Shares
from otel_claude.span_cap.trace import Trace

MOST_TRACES = 10_000
"""How many traces are remembered, so that the cap holds for spans that come late."""

REMEMBERED_S = 3_600.0
"""How long a trace is remembered after its last span."""

LOOK_EVERY = 16
"""How many new traces there are between looks for those that are to be forgotten."""

LOOKS = 32
"""How many traces are looked at each time."""


class Traces:
    """The traces of one provider. `forgotten` is called with each that is no longer remembered."""

    def __init__(self, shares: Shares, forgotten: Callable[[Trace], None]) -> None:
        self.shares = shares
        self._forgotten = forgotten
        self._by_id: OrderedDict[int, Trace] = OrderedDict()
        self._leaving: list[Trace] = []
        self._before: Counter[str] = Counter()
        self._lock = threading.RLock()
        self.get = self._by_id.get

    def of(self, trace_id: int) -> Trace:
        """The trace of an id, remembered from now on."""
        trace = self._by_id.get(trace_id)
        if trace is not None:
            return trace
        with self._lock:
            trace = self._by_id.setdefault(trace_id, Trace(trace_id, self.shares))
            trace.touched = time.monotonic()
            known = len(self._by_id)
            gone = self._outlived(trace.touched) if known > MOST_TRACES or not known % LOOK_EVERY else []
        for other in gone:
            self._forgotten(other)
            with self._lock:
                self._leaving.remove(other)
                self._before.update(other.counts())
        return trace

    def touch(self, trace: Trace) -> None:
        """Notes that a trace has come to rest just now."""
        trace.touched = time.monotonic()
        with self._lock:
            if trace.trace_id in self._by_id:
                self._by_id.move_to_end(trace.trace_id)

    def all(self) -> list[Trace]:
        """Those that are remembered."""
        with self._lock:
            return list(self._by_id.values())

    def counts(self) -> Counter[str]:
        """How many spans were `exported`, `summarized` and `late`, of all traces that ever were."""
        with self._lock:
            counts = self._before.copy()
            traces = [*self._by_id.values(), *self._leaving]
        for trace in traces:
            counts.update(trace.counts())
        return counts

    def after_fork(self) -> None:
        """In a child: the traces are the parent's, and another thread may have held the lock."""
        self._lock = threading.RLock()
        self._by_id.clear()
        self._leaving.clear()
        self._before.clear()

    def _outlived(self, now: float) -> list[Trace]:
        """Forgets the first of the traces that nobody needs, or one that somebody does if there are too many."""
        gone: list[Trace] = []
        for look in range(LOOKS):
            trace_id, trace = next(iter(self._by_id.items()))
            too_many = len(self._by_id) > MOST_TRACES
            if not too_many and now - trace.touched < REMEMBERED_S:
                break
            if trace.open and not (too_many and look == LOOKS - 1):
                self._by_id.move_to_end(trace_id)
                continue
            del self._by_id[trace_id]
            self._leaving.append(trace)
            gone.append(trace)
        return gone
