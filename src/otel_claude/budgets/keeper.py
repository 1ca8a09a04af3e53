"""Keeps the book and the ledger together, on a thread of its own.

In: a book. Out: the same book with what others have spent, every so many seconds, and findings: thresholds that were
passed, a ledger that does not answer. No call waits for it.
"""

import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

from otel_claude.budgets.book import Book
from otel_claude.budgets.findings import of_crossing, of_ledger
from otel_claude.budgets.ledgers import Ledger
from otel_claude.diagnosis.finding import Finding
from otel_claude.failsafe import guarded
from otel_claude.weak_sets import items_of

LEAST_PAUSE_S = 0.05
"""Between two looks, however often it is woken."""

SILENT = 5
"""After how many intervals without an answer, and no less than as many seconds, a ledger counts as gone."""

EXIT_S = 3.0
"""How long the end of a process, or a fork, waits for a write that is under way."""


Quietly = Callable[[], AbstractContextManager[object]]
"""Around what nobody wants to hear of: the ledger's own calls are no telemetry of the application."""


class Keeper:
    """Looks from the first call on, and calls `announce` with each finding.

    It looks twice in every `interval_s` seconds: what a process has spent, the others know within the interval. With
    `fails_closed`, the book is not open while the ledger is gone.
    """

    def __init__(
        self,
        book: Book,
        ledger: Ledger,
        announce: Callable[[Finding], None],
        *,
        interval_s: float,
        fails_closed: bool,
        quietly: Quietly = nullcontext,
    ) -> None:
        self.interval_s = interval_s
        self._quietly = quietly
        self._book = book
        self._ledger = ledger
        self._announce = announce
        self._fails_closed = fails_closed
        self._is_lost = False
        _alive.add(self)
        self._begin()

    def _begin(self) -> None:
        self._holds = False
        self._answered_at = time.monotonic()
        self._thread: threading.Thread | None = None
        self._starting = threading.RLock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()

    def start(self) -> None:
        """Starts the thread, if it is not there yet."""
        if self._thread is not None or self._stop.is_set():
            return
        with self._starting:
            if self._thread is not None:
                return
            self._answered_at = time.monotonic()
            thread = threading.Thread(target=self._keep, name="otel_claude budgets", daemon=True)
            thread.start()
            self._thread = thread
            # Not before: what is registered last is called first, and the providers are to be told of this.
            atexit.unregister(self.close)
            atexit.register(self.close)

    def wake(self) -> None:
        """Has it look at once."""
        self._wake.set()

    def look(self) -> None:
        """Writes what there is to write, reads what others have written, and tells what is new of it."""
        with self._writing, self._quietly():
            found = self._exchange()
        for finding in found:
            self._announce(finding)

    def _exchange(self) -> list[Finding]:
        found: list[Finding] = []
        try:
            was_timed = self._book.is_timed
            self._write()
            if not was_timed:
                self._write()
            found += self._answered()
            # One by one: what is claimed has to be told, though the ledger be gone when the next one is claimed.
            for finding in self._crossings(self._ledger.claim):
                found.append(finding)
        except Exception as error:
            found += self._failed(error)
        return found

    def _write(self) -> None:
        pending = self._book.pending()
        self._book.take(pending, self._ledger.write(pending.lines))

    @guarded(None)
    def close(self) -> None:
        """Writes for the last time, and stops. At the end of a process it waits a few seconds at most."""
        atexit.unregister(self.close)
        if self._stop.is_set():
            return
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(EXIT_S)
            self._last_look()

    @guarded(None)
    def _last_look(self) -> None:
        if self._writing.acquire(timeout=EXIT_S):
            self._writing.release()
            self.look()
            with self._quietly():
                self._ledger.close()

    def before_fork(self) -> None:
        """Closes what a child must not inherit open, and holds it closed."""
        if self._ledger.closes_at_fork and self._writing.acquire(timeout=EXIT_S):
            self._holds = True
            self._ledger.close()

    def after_fork_in_parent(self) -> None:
        """Goes on."""
        if self._holds:
            self._holds = False
            self._writing.release()

    def after_fork(self) -> None:
        """In a child, which has none of the parent's threads and connections."""
        self._book.after_fork()
        self._ledger.after_fork()
        self._begin()

    @guarded(None)
    def _keep(self) -> None:
        pause_s = min(LEAST_PAUSE_S, self.interval_s / 4)
        while not self._stop.is_set():
            self._wake.wait(self.interval_s / 2 - pause_s)
            self._wake.clear()
            if not self._stop.is_set():
                self._look_safely()
                self._stop.wait(pause_s)

    @guarded(None)
    def _look_safely(self) -> None:
        self.look()

    def _crossings(self, claim: Callable[[str, float], bool]) -> Iterator[Finding]:
        for crossing in self._book.crossings():
            is_ours = claim(crossing.name, crossing.until)
            crossing.account.mark_told(crossing)
            if is_ours:
                yield of_crossing(crossing)

    def _failed(self, error: Exception) -> list[Finding]:
        found: list[Finding] = []
        if time.monotonic() - self._answered_at >= SILENT * max(1.0, self.interval_s):
            self._book.is_open = not self._fails_closed
            # Better told by each process than by none.
            found += self._crossings(lambda _, __: True)
        if not self._is_lost:
            self._is_lost = True
            found.append(of_ledger(error))
        return found

    def _answered(self) -> list[Finding]:
        self._answered_at = time.monotonic()
        self._book.is_open = True
        was_lost, self._is_lost = self._is_lost, False
        return [of_ledger(None)] if was_lost else []


_alive: "weakref.WeakSet[Keeper]" = weakref.WeakSet()


@guarded(None)
def _before_fork() -> None:
    for keeper in items_of(_alive):
        keeper.before_fork()


@guarded(None)
def _after_fork_in_parent() -> None:
    for keeper in items_of(_alive):
        keeper.after_fork_in_parent()


@guarded(None)
def _after_fork() -> None:
    for keeper in items_of(_alive):
        keeper.after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork)
