"""The end of what may end at any time: Python drops streams, coroutines and generators also while it collects garbage.

In: a record that has ended, and what tells of it. Out: told of, on this thread or on another one.
"""

import _thread
import gc
import os
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from time import perf_counter_ns, sleep
from typing import Protocol, TypeVar

from otel_claude.at_exit import call_at_exit
from otel_claude.failsafe import guarded
from otel_claude.leftovers import leftovers


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

    def forget(self) -> None:
        """In a child, which has none of the parent's threads but the one that it goes on in."""
        if not self.here:
            self._thread = None

    @property
    def here(self) -> bool:
        """True in the middle of a collection, which may run while this thread holds any lock."""
        return self._thread == _thread.get_ident()


garbage_collection = GarbageCollection()
os.register_at_fork(after_in_child=garbage_collection.forget)


LONGEST_WAIT_NS = 5 * 10**9
"""How long the end of a program may be put off."""

LONGEST_CATCH_UP_S = 0.05
"""How long what is told now waits for what was dropped before."""


class Endings:
    """What is to be done on a thread of its own, one after the other: a run comes after the calls in it.

    There is one thread, for as long as something waits.
    """

    def __init__(self) -> None:
        self._at_work = _thread.allocate_lock()
        self._worker: int | None = None
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, tell: Callable[[], None]) -> None:
        """Has `tell` called, after those that were added before. Waits for no lock."""
        self._waiting.append(tell)
        if self._at_work.acquire(blocking=False):
            try:
                _thread.start_new_thread(self._work, ())
            except (RuntimeError, MemoryError):
                # There is no thread to be had. Whoever is added next tries again, or the end of the program does it.
                self._at_work.release()

    def _work(self) -> None:
        """Does all that waits. Who calls this has the lock."""
        is_mine = True
        while is_mine:
            self._worker = _thread.get_ident()
            try:
                while self._waiting:
                    _call(self._waiting.popleft())
            finally:
                self._worker = None
                self._at_work.release()
            # Something may have come since from one who found the lock taken.
            is_mine = bool(self._waiting) and self._at_work.acquire(blocking=False)

    def catch_up(self) -> None:
        """Does all that waits, before something else is told: a run is to know of the calls in it."""
        if not (self._waiting or self._at_work.locked()) or self._worker == _thread.get_ident():
            return
        if self._at_work.acquire(timeout=LONGEST_CATCH_UP_S):
            self._work()

    def forget(self) -> None:
        """In a child: its parent does it, and may have been at it."""
        self._at_work = _thread.allocate_lock()
        self._worker = None
        self._waiting.clear()

    def wait(self) -> None:
        """Waits until all of it is done, but not for ever. The first one may have to import the price list."""
        deadline = perf_counter_ns() + LONGEST_WAIT_NS
        while (self._waiting or self._at_work.locked()) and perf_counter_ns() < deadline:
            if self._at_work.acquire(blocking=False):
                self._work()
            else:
                sleep(0.001)


@guarded(None)
def _call(tell: Callable[[], None]) -> None:
    tell()


_endings = Endings()
os.register_at_fork(after_in_child=_endings.forget)


def watch_collections() -> None:
    """Notes from now on when Python collects garbage, until the process ends.

    What was begun while an SDK was instrumented may be dropped long after.
    """
    if garbage_collection not in gc.callbacks:
        gc.callbacks.append(garbage_collection)
    call_at_exit(_end_all)


def _end_all() -> None:
    """Has all told that has ended, and then what will not end any more. A collection may come in between."""
    _endings.wait()
    leftovers.abandon()
    _endings.wait()


def tell_safely(tell: Callable[[], None]) -> None:
    """Does what may take locks: on another thread, where this one is in the middle of a garbage collection.

    Python begins one at any time, also while this thread holds the lock of an exporter or an instrument, and those
    locks do not let their own thread in again. What is collected runs code of ours, such as the end of a `with`, and
    that may look as if it ended in good order.
    """
    if sys.is_finalizing():
        return
    if garbage_collection.here:
        _endings.add(tell)
    else:
        _endings.catch_up()
        tell()


def finish_record(record: _Record, tell: Callable[[_Record], None]) -> None:
    """Notes that a record has ended, if nobody has yet, and has `tell` tell of it."""
    record.ended_at = record.ended_at or perf_counter_ns()
    tell_safely(partial(tell, record))
