"""What a trace has beyond its live share, and when it is handed over.

In: ended spans with a mark. Out: what is to be exported now. `room` is how many records may still be handed over: spans
and summaries, the reserve in all.
"""

import time
from collections import deque

from opentelemetry.sdk.trace import ReadableSpan

from otel_claude.span_cap.overflow import Overflow
from otel_claude.span_cap.reserve import Reserve, Taken
from otel_claude.span_cap.shares import Shares

FIRST_INTERVAL_S = 60.0
"""When what is beyond the live share of a trace that goes on is shown for the first time."""

GROWTH = 0.5
"""How much older, in parts of its age, it is each time it is shown again."""

MOST_RECENT = 1_000
"""How many ids of ended spans are remembered."""

NOTHING = Taken([], [])


class Excess:
    """The excess of one trace. Not safe under threads: the trace locks. Times are seconds of the monotonic clock.

    So many spans have `ended` so far, and `recent` has the ids of the last: somebody may know one, and nothing else,
    and make it a parent. `copies` of held spans have been handed over so far. `late` spans have ended when there was no
    room any more.
    """

    def __init__(self, shares: Shares) -> None:
        now = time.monotonic()
        self.room = shares.reserve
        self.ended = 0
        self.recent: deque[int] = deque(maxlen=MOST_RECENT)
        self.copies = 0
        self.late = 0
        self.is_reported = False
        self.is_watched = False
        self._reserve = Reserve(shares)
        self._kept_back = max(1, shares.reserve // 4)
        self._seen = (0, now)
        self._began = now
        self._due = now + FIRST_INTERVAL_S
        self._ended = False

    @property
    def waiting(self) -> int:
        """How many records have not been handed over."""
        return len(self._reserve)

    @property
    def folded(self) -> int:
        """How many spans are in summaries."""
        return self._reserve.folded

    def silent_since(self, now: float) -> float:
        """Since when no span has ended, as far as those know who ask every few seconds."""
        ended, since = self._seen
        if ended != self.ended:
            self._seen = (self.ended, now)
            return now
        return since

    def add(self, span: ReadableSpan, mark: Overflow) -> None:
        """A span with a mark has ended."""
        self.ended += 1
        self.recent.append(mark.span_id)
        if self.room:
            self._reserve.add(span, mark, self.room)
        else:
            self.late += 1

    def at_rest(self, *, rooted: bool) -> Taken:
        """What is to be handed over when no span of the trace is open.

        All of it, if the trace is `rooted` here, for then it has ended. If not, a quarter of the reserve stays, for
        what comes of the same trace later.
        """
        if rooted and not self._ended:
            self._ended = True
            return self.everything()
        return self._take(self.room - self._kept_back, summaries=False)

    def everything(self) -> Taken:
        """All that waits."""
        return self._take(self.room, summaries=True)

    def so_far(self, now: float) -> Taken:
        """What is to be shown, at intervals, of a trace that goes on: its summaries, and the spans needed most."""
        if now < self._due:
            return NOTHING
        self._due = now + max(FIRST_INTERVAL_S, GROWTH * (now - self._began))
        return self._take(min(self.room // 2, max(self.room // 8, self._reserve.summaries)), summaries=True)

    def flushed(self) -> Taken:
        """All that waits of a trace that may go on.

        If something was folded, more is folded first, so that most of the room is left for the rest of the trace. The
        last of the room always stays, for a summary.
        """
        if self.folded and self.room // 4:
            self._reserve.fit(self.room // 4)
        return self._take(self.room - 1, summaries=True)

    def dismissed(self) -> Taken:
        """Nothing: too many traces are watched to keep more of this one than what is needed most, folded in place.

        It will be watched again when it holds back another span.
        """
        self.is_watched = False
        if self.waiting:
            self._reserve.fit(max(1, self.room // 4))
        return NOTHING

    def _take(self, most: int, *, summaries: bool) -> Taken:
        if most <= 0 or not self.waiting:
            return NOTHING
        taken = self._reserve.take(most, summaries=summaries)
        self.room -= len(taken.kept) + len(taken.summaries)
        self.copies += len(taken.kept)
        return taken
