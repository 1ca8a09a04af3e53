"""What is still open when the program ends, and would be told of too late.

In: answers that are being read, runs and executions, when they begin. Out: their ends, before any provider shuts down.

Python keeps the frames that an exception went through which ends the program, and what modules hold, until nothing can
be told any more: a stream or a generator there is dropped too late.
"""

import os
import weakref
from typing import Protocol

from otel_claude.failsafe import guarded
from otel_claude.weak_sets import items_of


class Lasting(Protocol):
    """Something that has begun, in nanoseconds of the monotonic clock, and ends once."""

    @property
    def started_at(self) -> int:
        """When it began."""
        ...

    def abandon(self) -> None:
        """Ends it, unless it has ended. The application has not come to its end."""
        ...


class Leftovers:
    """All that has begun and that somebody holds."""

    def __init__(self) -> None:
        self._begun: weakref.WeakSet[Lasting] = weakref.WeakSet()

    def add(self, lasting: Lasting) -> None:
        """Notes that something has begun. It is let go when nobody else holds it."""
        self._begun.add(lasting)

    @guarded(None)
    def abandon(self) -> None:
        """Ends what has not ended, the last first: a run is to know of the calls in it."""
        for lasting in sorted(items_of(self._begun), key=lambda each: each.started_at, reverse=True):
            lasting.abandon()

    def forget(self) -> None:
        """In a child: it is its parent's."""
        self._begun = weakref.WeakSet()


leftovers = Leftovers()
os.register_at_fork(after_in_child=leftovers.forget)
