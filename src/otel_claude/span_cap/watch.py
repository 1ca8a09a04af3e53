"""Looks after traces that have something to hand over and may not come to an end soon.

In: traces. Out: a call for each, every few seconds, from a thread of its own, which there is only while it is needed.
"""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable

from otel_claude.failsafe import failures
from otel_claude.span_cap.trace import Trace

PERIOD_S = 5.0
"""How often each trace is looked at."""

MOST_WATCHED = 256
"""How many traces may hold spans back. With more, the one that was first folds most of what it has."""


class Watch:
    """Calls `look` with each trace, until that is dropped."""

    def __init__(self, look: Callable[[Trace], None]) -> None:
        self._look = look
        self._traces: OrderedDict[int, Trace] = OrderedDict()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def add(self, trace: Trace) -> Trace | None:
        """Watches a trace. If there are too many, the first of them is watched no longer, and comes back."""
        with self._lock:
            self._traces[trace.trace_id] = trace
            first = self._traces.popitem(last=False)[1] if len(self._traces) > MOST_WATCHED else None
            if self._thread is None and not self._stop.is_set():
                self._start()
            return first

    def _start(self) -> None:
        # Noted before it runs: a span may end here, in a garbage collection, and is to find it.
        self._thread = threading.Thread(
            target=_keep_looking, args=(weakref.ref(self), self._stop), name="otel_claude span cap", daemon=True
        )
        try:
            self._thread.start()
        except Exception:
            # There is none to be had. The next span tries again.
            self._thread = None
            failures.report("Watch.add")

    @property
    def is_looking(self) -> bool:
        """Whether there is a thread that looks."""
        return self._thread is not None

    def all(self) -> list[Trace]:
        """The traces that are watched."""
        with self._lock:
            return list(self._traces.values())

    def drop(self, trace: Trace) -> None:
        """Watches a trace no longer."""
        with self._lock:
            self._traces.pop(trace.trace_id, None)

    def stop(self) -> None:
        """Watches nothing any more, and ends the thread."""
        self._stop.set()
        with self._lock:
            self._traces.clear()

    def after_fork(self) -> None:
        """In a child, which has none of the parent's threads, and traces of its own."""
        self._lock = threading.RLock()
        self._traces.clear()
        self._thread = None
        self._stop = threading.Event()

    def look(self) -> bool:
        """Looks at each trace. Whether there are any left; if not, the thread ends."""
        for trace in self.all():
            try:
                self._look(trace)
            except Exception:
                failures.report("Watch")
        with self._lock:
            if not self._traces:
                self._thread = None
            return self._thread is not None


def _keep_looking(known: "weakref.ref[Watch]", stop: threading.Event) -> None:
    """What the thread does. It keeps nothing alive."""
    while not stop.wait(PERIOD_S):
        watch = known()
        if watch is None or not watch.look():
            return
        del watch
