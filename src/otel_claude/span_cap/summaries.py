"""The summaries of one trace: one for each place, name and status, and never more than there may be.

In: spans that are not exported. Out: `Summary` objects. When there are too many, those that differ only in their places
are joined, and then the least into one for the others.
"""

from opentelemetry.trace import SpanKind

from otel_claude.span_cap.held import Held
from otel_claude.span_cap.summary import OTHERS, Summary

Key = tuple[int, str, bool]
"""The id of the span that a summary hangs on, 0 for none; the name of its spans; whether they failed."""

OTHERS_KEY: Key = (0, OTHERS, False)


class Summaries:
    """At most `most` summaries, which is one or more, `by_key`. Not safe under threads.

    `moved` has the keys of those whose place was folded since, so that they may be like others now.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.by_key: dict[Key, Summary] = {}
        self._by_place = True
        self._taken = 0
        self.moved: list[Key] = []

    @property
    def folded(self) -> int:
        """How many spans are in summaries. One that is alone in its own is not: it can still be exported itself."""
        # Of a list: a span may be added in between, by another thread or, in a garbage collection, by this one.
        return self._taken + sum(summary.count for summary in list(self.by_key.values()) if summary.only is None)

    def add(self, held: Held) -> int:
        """Adds a span to its summary, and says how many records there are fewer: one, or none if it needs a new one."""
        mark = held.mark
        if not self._by_place:
            place_id = 0
        elif mark.branch is None and mark.anchor is not None:
            # The case of nearly every span. A context is a tuple, and its properties take longer.
            _, place_id, _, _, _, _ = mark.anchor
        else:
            place_id = mark.place_id()
        key: Key = (place_id, held.span.name, held.error is not None)
        summary = self.by_key.get(key)
        fewer = 1
        if summary is None and len(self.by_key) < self._most:
            fewer = 0
        elif summary is None:
            summary = self.by_key.get((0, *key[1:]))
            if summary is None and not self._join_places():
                key = (0, *key[1:])
                summary = self.by_key.get(key) or self._others()
        if summary is None:
            self.by_key[key] = Summary(held, is_placed=bool(key[0]))
        else:
            if summary.only is not None:
                self._fold(summary.only)
                summary.only = None
            if mark.parent is None and not mark.structural:
                mark.folded = True  # All that `_fold` does then, for most spans without a call.
            else:
                self._fold(held)
            summary.add(held)
        return fewer

    def take(self, most: int) -> list[Summary]:
        """Takes out up to `most` summaries, those of the most spans first."""
        largest = sorted(self.by_key, key=lambda key: -self.by_key[key].count)[: max(0, most)]
        taken = [self.by_key.pop(key) for key in largest]
        self._taken += sum(summary.count for summary in taken if summary.only is None)
        return taken

    def join_moved(self) -> bool:
        """Joins two summaries that hang in one place since what one of them hung on was folded, if there are two."""
        while self.moved:
            summary = self.by_key.pop(self.moved.pop(), None)
            if summary is None or summary.mark is None:
                continue
            key = (summary.mark.place_id(), summary.name, summary.failed)
            if key in self.by_key:
                self._merge(self.by_key[key], summary)
                return True
            self.by_key[key] = summary
        return False

    def join(self) -> None:
        """Makes one out of two summaries."""
        if not self._join_places():
            self._merge(self._others(), self.by_key.pop(self._least()))

    def _merge(self, summary: Summary, other: Summary) -> None:
        for alone in (summary.only, other.only):
            if alone is not None:
                self._fold(alone)
        summary.merge(other)

    def _fold(self, held: Held) -> None:
        """Notes that a span will not be exported: what hangs on it hangs on what it hangs on itself."""
        mark = held.mark
        mark.folded = True
        if mark.parent is not None:
            mark.skip_folded()
        if mark.structural and self._by_place:
            self.moved += [key for key in self.by_key if key[0] == mark.span_id]

    def _join_places(self) -> bool:
        """Joins two summaries that differ only in their places, if there are two: those of the fewest spans.

        What has been joined is in no place any more, and is the first to be joined with others.
        """
        if not self._by_place:
            return False
        least: dict[Key, Key] = {}
        for key in sorted(self.by_key, key=lambda key: (key[0] != 0, self.by_key[key].count)):
            everywhere: Key = (0, *key[1:])
            other = least.setdefault(everywhere, key)
            if other != key:
                joined = self.by_key.pop(key)
                self._merge(joined, self.by_key.pop(other))
                joined.mark = None
                self.by_key[everywhere] = joined
                return True
        self._by_place = False
        self.by_key = {(0, *key[1:]): summary for key, summary in self.by_key.items()}
        for summary in self.by_key.values():
            summary.mark = None
        return False

    def _others(self) -> Summary:
        """The summary of all that has none of its own. It takes the place of the least that there is."""
        if OTHERS_KEY not in self.by_key:
            others = self.by_key[OTHERS_KEY] = self.by_key.pop(self._least())
            others.name, others.kind, others.failed, others.mark = OTHERS, SpanKind.INTERNAL, False, None
        return self.by_key[OTHERS_KEY]

    def _least(self) -> Key:
        """The named summary of the fewest spans. Those of errors are the last to lose their name."""
        named = [key for key in self.by_key if key != OTHERS_KEY]
        return min(named, key=lambda key: (key[2], self.by_key[key].count))
