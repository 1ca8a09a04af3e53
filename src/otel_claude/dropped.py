"""Records of what Python has found to be of no use any more: dropped streams, coroutines and generators.

In: a record, and what finishes it. Out: the record finished, on this thread or on another one.
"""

import _thread
import atexit
import os
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from time import perf_counter_ns, sleep
from typing import Protocol, TypeVar


class Ending(Protocol):
    """A record that notes when it has ended, in nanoseconds of the monotonic clock."""

    ended_at: int | None


_Record = TypeVar("_Record", bound=Ending)


class GarbageCollection:
    """Whether Python is collecting garbage on this thread just now."""

    def __init__(self) -> None:
        self._thread: int | None = None

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """What `gc` calls before and after each collection."""
        self._thread = _thread.get_ident() if phase == "start" else None

    @property
    def here(self) -> bool:
        """True in the middle of a collection, which may run while this thread holds any lock."""
        return self._thread == _thread.get_ident()


garbage_collection = GarbageCollection()


LONGEST_WAIT_NS = 5 * 10**9
"""How long the end of a program may be put off."""


class Endings:
    """What is to be finished on threads of its own, one after the other: a run comes after the calls in it."""

    def __init__(self) -> None:
        self._one_at_a_time = _thread.allocate_lock()
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, finish: Callable[[], None]) -> None:
        """Has `finish` called, after those that were added before."""
        self._waiting.append(finish)
        _thread.start_new_thread(self._finish_one, ())

    def _finish_one(self) -> None:
        with self._one_at_a_time:
            try:
                self._waiting[0]()
            finally:
                self._waiting.popleft()

    def forget(self) -> None:
        """In a child: its parent does it, and may have been at it."""
        self._one_at_a_time = _thread.allocate_lock()
        self._waiting.clear()

    def wait(self) -> None:
        """Waits until all of it is done, but not for ever. The first one may have to import the price list."""
        deadline = perf_counter_ns() + LONGEST_WAIT_NS
        while self._waiting and perf_counter_ns() < deadline:
            sleep(0.001)


_endings = Endings()
os.register_at_fork(after_in_child=_endings.forget)


def wait_at_exit() -> None:
    """Has the end of the program wait for what was dropped before it, so that all of it is recorded.

    To be said anew of each provider: what is registered last is called first, and a provider shuts itself down there.
    """
    atexit.unregister(_endings.wait)
    atexit.register(_endings.wait)


def finish_dropped(finish: Callable[[_Record], None], record: _Record) -> None:
    """Has `finish` finish a record that Python has found to be of no use any more.

    Python finds out at any time, also in the middle of a garbage collection while this thread holds the lock of an
    exporter or an instrument, and those locks do not let their own thread in again. Then another thread does it.
    """
    if sys.is_finalizing():
        return
    record.ended_at = record.ended_at or perf_counter_ns()
    if garbage_collection.here:
        _endings.add(partial(finish, record))
    else:
        finish(record)
