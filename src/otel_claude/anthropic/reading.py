"""The reading of an answer that the application reads itself, bit by bit.

In: what passes on its way to the application, and how the reading ends. Out: facts in the record, and the end of the
call. Nothing here reads anything itself, or keeps what has passed.

An answer is read in one of two ways. The SDK's `Stream` or `JSONLDecoder` parses it and hands it on item by item; or
the application takes the bytes of the response, and a tap decodes what passes. A `Reading` learns of both ends, that of
the parser and that of the body, in any order and on any thread, and ends the call once.
"""

import _thread
import sys
from collections.abc import Callable, Iterator
from time import perf_counter_ns
from types import TracebackType
from typing import Any

from otel_claude.anthropic.listeners import Listener
from otel_claude.anthropic.taps import Tap, tap_for
from otel_claude.call import Call, Outcome, StreamFacts
from otel_claude.failsafe import failures, guarded
from otel_claude.leftovers import leftovers
from otel_claude.outcome import StreamInterrupted

Chunk = Callable[[Call, float], None]
Ended = Callable[[Call, int], None]


class Reading:
    """Watches one answer being read. No method raises."""

    __slots__ = (
        "__weakref__",
        "_call",
        "_chunk",
        "_closed_by_application",
        "_ended",
        "_facts",
        "_listener",
        "_number",
        "_tap",
        "_tell_end",
        "asked_at",
        "last_byte_at",
        "parsed",
        "waiting_since",
    )

    def __init__(self, call: Call, listener: Listener, tell_end: Ended, chunk: Chunk | None) -> None:
        """Watches the reading of the answer to `call`; `chunk`, if any, is told of each wait between items."""
        self._call = call
        self._number = call.progress.readings
        self._listener = listener
        self._tell_end = tell_end
        self._chunk = chunk
        self._facts = StreamFacts()
        self._ended = _thread.allocate_lock()
        self._closed_by_application = False
        self.waiting_since = 0
        # The headers have come just now.
        self.last_byte_at = perf_counter_ns()
        self.asked_at = 0
        self._tap: Tap | None = None
        self.parsed = False
        if call.request.stream or call.endpoint.kind == "batch_results":
            call.stream = self._facts
        leftovers.add(self)

    @property
    def started_at(self) -> int:
        """When the call began."""
        return self._call.started_at

    @property
    def _counts(self) -> bool:
        """Whether this is the answer that the application reads, and not one that a middleware has made it from."""
        return self._number == self._call.progress.readings

    # The parser: `with reading:` around it, `item` for each item; `waiting_since` is set when the next one is wanted.

    @guarded(None)
    def __enter__(self) -> None:
        self.parsed = True
        self.waiting_since = perf_counter_ns()

    def item(self, item: Any) -> None:
        """An item is about to be handed to the application."""
        # With a guard of its own: `guarded` is one call more, and this runs for every event of a stream.
        try:
            facts = self._facts
            waited = perf_counter_ns() - self.waiting_since
            if waited > facts.max_gap_ns:
                facts.max_gap_ns = waited
            facts.chunks += 1
            self.waiting_since = 0
            self._listener.item(getattr(item, "type", ""), item)
            if self._chunk is not None and facts.chunks > 1:
                self._chunk(self._call, waited / 1e9)
        except Exception:
            failures.report("Reading.item")

    @guarded(None)
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._note_silence()
        self.waiting_since = 0
        if kind is GeneratorExit:
            self.dropped()
        elif error is not None and self._closed_by_application:
            self._end(None, read=False)
        else:
            self._end(error, read=True)

    # The body: `begin` before its first bytes, `data` for each chunk, `finished` and `closed` at its ends.

    @guarded(None)
    def begin(self, media_type: str, encoding: str) -> None:
        """The application takes the bytes themselves."""
        self.waiting_since = perf_counter_ns()
        self._tap = tap_for(media_type, encoding, self._decoded)

    def _decoded(self, kind: str, item: Any) -> None:
        if self._counts:
            # The SDK raises this one, and hands it on to nobody.
            self._facts.chunks += kind != "error"
            self._listener.item(kind, item)

    @guarded(None)
    def data(self, data: bytes) -> None:
        """A chunk of the body passes."""
        self.last_byte_at = perf_counter_ns()
        waited = self.last_byte_at - self.waiting_since
        if waited > self._facts.max_gap_ns:
            self._facts.max_gap_ns = waited
        self._call.bytes_received = (self._call.bytes_received or 0) + len(data)
        # A tap that has failed is not used again: it would be out of step with what passes.
        tap, self._tap = self._tap, None
        if tap is not None:
            tap.feed(data)
            self._tap = tap

    @guarded(None)
    def finished(self, error: BaseException | None) -> None:
        """The body has come to its end, or broken off with `error`."""
        if isinstance(error, GeneratorExit):
            self.dropped()
            return
        self._note_silence()
        if error is None:
            self._end_tap()
        self._end(error, read=True)

    def _note_silence(self) -> None:
        """Notes how long nothing has come, when reading ends: a wait that nothing ended is a gap too.

        While nobody reads, nobody knows what comes. So only the time in the last read counts, if it brought nothing.
        """
        now, facts = perf_counter_ns(), self._facts
        asked_at = self.asked_at or self.waiting_since
        if asked_at >= self.last_byte_at:
            facts.silence_ns = now - asked_at
            facts.away_ns = asked_at - self.last_byte_at
        if self.waiting_since and now - self.waiting_since > facts.max_gap_ns:
            facts.max_gap_ns = now - self.waiting_since

    @guarded(None)
    def _end_tap(self) -> None:
        if self._tap is not None:
            self._tap.end()

    @guarded(None)
    def closed(self) -> None:
        """The body is about to be closed: by the parser, in the middle of its work, or by the application."""
        in_flight = sys.exc_info()[1]
        if isinstance(in_flight, GeneratorExit):
            self.dropped()
        elif not self.waiting_since or not self.parsed:
            self._end(None, read=False)
        elif in_flight is None:
            # Another thread or task closes what is being read, or the parser is done. The parser's end tells which.
            self._closed_by_application = True

    @guarded(None)
    def dropped(self) -> None:
        """The answer is no longer read, or was never, as Python tells."""
        self._end(None, read=False)

    abandon = dropped

    @guarded(None)
    def _end(self, error: BaseException | None, *, read: bool) -> None:
        if not self._ended.acquire(blocking=False):
            return
        if not self._counts:
            return
        call, listener = self._call, self._listener
        if error is not None:
            call.error = error
        elif read and call.error is None and not listener.ended and (self.parsed or self._tap is not None):
            call.error = StreamInterrupted("The stream ended before its end event.")
        self._facts.outcome = self._outcome(read=read, whole=listener.whole)
        self._tell_end(call, self._number)

    def _outcome(self, *, read: bool, whole: bool) -> Outcome:
        error = self._call.error
        if error is not None:
            return "interrupted" if isinstance(error, Exception) else "cancelled"
        # An application may stop at the last event that matters. Of a list of results, each one matters.
        return "completed" if read or (whole and self._call.endpoint.is_inference) else "abandoned"


def observed(items: Iterator[Any], reading: Reading) -> Iterator[Any]:
    """`items`, each of which `reading` hears of as it passes."""
    with reading:
        for item in items:
            reading.item(item)
            yield item
            reading.waiting_since = perf_counter_ns()


class AsyncObserved:
    """`items`, an async generator, each of which `reading` hears of as it passes.

    It is no generator itself: an event loop that ends closes every generator that is open, in any order, and complains
    of one that waits for another.
    """

    def __init__(self, items: Any, reading: Reading) -> None:
        self._items = items
        self._reading = reading

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_items"], name)

    def __aiter__(self) -> "AsyncObserved":
        return self

    async def __anext__(self) -> Any:
        reading = self._reading
        reading.__enter__()
        try:
            item = await self._items.__anext__()
        except StopAsyncIteration:
            reading.__exit__(None, None, None)
            raise
        except BaseException as error:
            reading.__exit__(type(error), error, None)
            raise
        reading.item(item)
        return item
