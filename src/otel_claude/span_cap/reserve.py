"""What waits for the end of a trace: the spans that its reader needs most, and the sums of the others.

In: ended spans with a mark, and how many records there is still room for. Out: the spans that are held and the
summaries, never more than there is room for. Each span costs the same, whatever the size of the trace.

Words: a span is *held* while it may still be exported as it is. It is *claimed* by each of the lists that want it: the
structure of the trace, the first and the last error of each type, the slowest, the dearest. What nobody claims is
*loose*: the oldest of the loose goes first. A span that has to go is *folded* into its summary.
"""

import math
from collections import deque
from heapq import heappop, heappush, heappushpop
from typing import NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from otel_claude.span_cap.held import Held, Kept
from otel_claude.span_cap.overflow import Overflow
from otel_claude.span_cap.shares import Shares
from otel_claude.span_cap.summaries import Summaries
from otel_claude.span_cap.summary import Summary


class Top:
    """The spans with the greatest measures, at most `size` of them. Of equal ones the first stay.

    A measure has to be over the `floor` to be among them.
    """

    def __init__(self, size: int) -> None:
        self.floor = -math.inf if size else math.inf
        self._size = size
        self._heap: list[tuple[float, int, Held]] = []
        self._offered = 0

    def offer(self, held: Held, measure: float) -> Held | None:
        """Takes the span if it is among the greatest. What is no longer among them comes back, maybe itself."""
        if measure <= self.floor:
            return held
        self._offered += 1
        entry = (measure, -self._offered, held)
        displaced = None
        if len(self._heap) < self._size:
            heappush(self._heap, entry)
        else:
            displaced = heappushpop(self._heap, entry)[2]
        if len(self._heap) == self._size:
            self.floor = self._heap[0][0]
        return displaced

    def pop(self) -> Held | None:
        """Gives up the least."""
        return heappop(self._heap)[2] if self._heap else None


class Errors:
    """The first and the last error of each type, at most `size` spans."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._first: dict[str, Held] = {}
        self._last: dict[str, Held] = {}

    def offer(self, held: Held, error: str) -> Held | None:
        """Takes the error if it has a place. What gives way to it comes back, maybe itself."""
        wanted = self._last if error in self._first else self._first
        if error not in wanted and len(self._first) + len(self._last) >= self._size:
            return held
        displaced = wanted.get(error)
        wanted[error] = held
        return displaced

    def pop(self) -> Held | None:
        """Gives up one: a last one, while there is any."""
        wanted = self._last or self._first
        return wanted.popitem()[1] if wanted else None


class Taken(NamedTuple):
    """What leaves the reserve to be exported."""

    kept: list[Kept]
    summaries: list[Summary]


class Reserve:
    """The held spans and the summaries of one trace. Not safe under threads: the trace locks.

    A claim outlives the span that has it: once one of the slowest spans was exported, a less slow one is still none of
    the slowest.
    """

    def __init__(self, shares: Shares) -> None:
        self._structure = Top(shares.structure)
        self._errors = Errors(shares.errors)
        self._dearest = Top(shares.dearest)
        self._slowest = Top(shares.slowest)
        self._claimed: dict[Held, None] = {}
        self._loose: deque[Held] = deque()
        self._summaries = Summaries(shares.summaries)

    def __len__(self) -> int:
        return len(self._claimed) + len(self._loose) + self.summaries

    @property
    def summaries(self) -> int:
        """How many summaries there are."""
        return len(self._summaries.by_key)

    @property
    def folded(self) -> int:
        """How many spans have gone into summaries so far."""
        return self._summaries.folded

    def add(self, span: ReadableSpan, mark: Overflow, room: int) -> None:
        """Holds a span that has ended, and folds what there is then no `room` for, which is one record or more."""
        held = Held(span, mark)
        if mark.structural or held.error is not None or held.numbers or held.duration > self._slowest.floor:
            self._claim(held)
        else:
            self._loose.append(held)
        self.fit(room)

    def fit(self, room: int) -> None:
        """Folds until all that waits has `room`, which is one record or more. Summaries leave half of it to spans."""
        over = len(self._claimed) + len(self._loose) + len(self._summaries.by_key) - room
        while over > 0:
            if self._summaries.moved and self._summaries.join_moved():
                over -= 1
            elif self._loose:
                over -= self._summaries.add(self._loose.popleft())
            elif self.summaries > max(1, room // 2):
                self._summaries.join()
                over -= 1
            elif (held := self._least_claimed()) is not None:
                over -= self._summaries.add(held)

    def take(self, most: int, *, summaries: bool) -> Taken:
        """Takes out up to `most` records: summaries if wanted, then claimed spans, then the oldest of the loose."""
        largest = self._summaries.take(most) if summaries else []
        taken = list(self._claimed)[: max(0, most - len(largest))]
        for held in taken:
            del self._claimed[held]
        while self._loose and len(taken) + len(largest) < most:
            taken.append(self._loose.popleft())
        taken += [summary.only for summary in largest if summary.only is not None]
        return Taken([held.take() for held in taken], [summary for summary in largest if summary.only is None])

    def _claim(self, held: Held) -> None:
        """Offers a span to the lists that could want it."""
        gone: list[Held | None] = [self._slowest.offer(held, held.duration)]
        if held.mark.structural:
            gone.append(self._structure.offer(held, held.duration))
        if held.error is not None:
            gone.append(self._errors.offer(held, held.error))
        if (cost := held.cost) is not None:
            gone.append(self._dearest.offer(held, cost))
        held.claims = len(gone) - gone.count(held)
        if held.claims:
            self._claimed[held] = None
        else:
            self._loose.append(held)
        for other in gone:
            if other is not None and other is not held:
                self._lose_claim(other)

    def _lose_claim(self, held: Held) -> None:
        """Takes back a claim. A span without any is the first to go once there is no room."""
        held.claims -= 1
        if not held.claims and not held.taken:
            del self._claimed[held]
            self._loose.appendleft(held)

    def _least_claimed(self) -> Held | None:
        """Takes out what is needed least of all that is claimed."""
        for claimants in (self._slowest, self._dearest, self._errors, self._structure):
            while (held := claimants.pop()) is not None:
                held.claims -= 1
                if not held.claims and not held.taken:
                    del self._claimed[held]
                    return held
        return None
