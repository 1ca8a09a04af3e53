"""The bodies of responses, with a watch on them: a wrapper of the same kind around the HTTP library's own.

In: an unread response and the `Reading` that wants to know of its body. Out: the same response, its `stream` wrapped.
The SDK's HTTP library is `httpx` before 1.0 and `httpx2` from then on; the classes are made for the one that is there.
"""

from collections.abc import AsyncIterator, Iterator
from time import perf_counter_ns
from types import ModuleType
from typing import Any, Self

from otel_claude.anthropic.reading import Reading
from otel_claude.failsafe import guarded
from otel_claude.values import fields

EXTENSION = "otel_claude"
"""Where the reading is found again, among the extensions of the response."""


class _Watched:
    """What the wrappers share. The rest of the wrapped body is reached as if it were this one."""

    stream_observer = None
    """What the SDK's own tracing looks for here, once an event. Without it here, the search would be long."""

    def __init__(self, body: Any, reading: Reading, media_type: str, encoding: str) -> None:
        self._body = body
        self._reading = reading
        self._format = media_type, encoding

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_body"], name)

    def __del__(self) -> None:
        # One whose making has failed has no reading.
        if (reading := self.__dict__.get("_reading")) is not None:
            reading.dropped()


def _timed(chunks: Iterator[bytes], reading: Reading) -> Iterator[bytes]:
    """Chunks of a body that a parser reads: when they are asked for and when they come is noted.

    The items that the parser makes of them do not tell, for it keeps pings to itself.
    """
    reading.asked_at = perf_counter_ns()
    for data in chunks:
        reading.last_byte_at = perf_counter_ns()
        yield data
        reading.asked_at = perf_counter_ns()


class _AsyncTimed:
    """The same for asynchronous `chunks`. It is no generator, which the event loop would close: see `AsyncObserved`."""

    __slots__ = ("_chunks", "_reading")

    def __init__(self, chunks: Any, reading: Reading) -> None:
        self._chunks = chunks
        self._reading = reading

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._reading.asked_at = perf_counter_ns()
        data = await self._chunks.__anext__()
        self._reading.last_byte_at = perf_counter_ns()
        return data


class _SyncWatched(_Watched):
    def __iter__(self) -> Iterator[bytes]:
        return _timed(iter(self._body), self._reading) if self._reading.parsed else self._told()

    def _told(self) -> Iterator[bytes]:
        reading = self._reading
        reading.begin(*self._format)
        try:
            for data in self._body:
                reading.data(data)
                yield data
                reading.waiting_since = perf_counter_ns()
        except BaseException as error:
            reading.finished(error)
            raise
        reading.finished(None)

    def close(self) -> None:
        # First, as another thread that is reading learns of it by an error.
        self._reading.closed()
        self._body.close()


class _AsyncWatched(_Watched):
    def __aiter__(self) -> AsyncIterator[bytes]:
        return _AsyncTimed(self._body.__aiter__(), self._reading) if self._reading.parsed else self._atold()

    async def _atold(self) -> AsyncIterator[bytes]:
        reading = self._reading
        reading.begin(*self._format)
        chunks = self._body.__aiter__()
        try:
            async for data in chunks:
                reading.data(data)
                yield data
                reading.waiting_since = perf_counter_ns()
        except BaseException as error:
            reading.finished(error)
            raise
        finally:
            if hasattr(chunks, "aclose"):
                await chunks.aclose()
        reading.finished(None)

    async def aclose(self) -> None:
        self._reading.closed()
        await self._body.aclose()


class Bodies:
    """Wraps bodies of the HTTP library `http`."""

    def __init__(self, http: ModuleType) -> None:
        sync, asynchronous = http.SyncByteStream, http.AsyncByteStream
        self._kinds: dict[tuple[bool, bool], type[_Watched]] = {
            (True, False): type("WatchedByteStream", (_SyncWatched, sync), {}),
            (False, True): type("WatchedAsyncByteStream", (_AsyncWatched, asynchronous), {}),
            (True, True): type("WatchedBothByteStream", (_SyncWatched, _AsyncWatched, sync, asynchronous), {}),
        }
        self._sync, self._async = sync, asynchronous

    def watch(self, response: Any, reading: Reading) -> None:
        """Has `reading` learn how the body of `response` is read."""
        body, headers = response.stream, response.headers
        kind = isinstance(body, self._sync), isinstance(body, self._async)
        media_type, encoding = headers.get("content-type", ""), headers.get("content-encoding", "")
        response.stream = self._kinds[kind](body, reading, media_type, encoding.lower())
        response.extensions[EXTENSION] = reading


@guarded(None)
def reading_of(response: Any) -> Reading | None:
    """The reading of a response, where there is one."""
    found = fields(getattr(response, "extensions", None)).get(EXTENSION)
    return found if isinstance(found, Reading) else None
