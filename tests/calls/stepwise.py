"""An answer that comes chunk by chunk, and only when it is asked for: an HTTP transport for clients of the SDK.

It shows when a chunk was read, to the step, and may let a clock go on before each. `http` is the library that the
installed SDK uses: `httpx` before 1.0, `httpx2` from then on.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from fixture_types import Make
from otel_claude.testing.messages import Answer, Ids, events
from otel_claude.testing.wire import sse

_base = import_module("anthropic._base_client")
http: Any = getattr(_base, "httpx2", None) or _base.httpx


class Body(http.SyncByteStream, http.AsyncByteStream):
    """A body, for both clients. `pulled` counts the chunks that were asked for."""

    def __init__(self, chunks: Sequence[bytes], before_each: Callable[[], None]) -> None:
        self._chunks = chunks
        self._before_each = before_each
        self.pulled = 0
        self.closings = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.pulled += 1
            self._before_each()
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closings += 1

    async def aclose(self) -> None:
        self.closings += 1


class Transport(http.BaseTransport, http.AsyncBaseTransport):
    """Answers every request with `body`."""

    def __init__(self, body: Body, headers: Mapping[str, str]) -> None:
        self._body = body
        self._headers = headers

    def handle_request(self, request: Any) -> Any:
        return http.Response(200, headers=self._headers, stream=self._body, request=request)

    async def handle_async_request(self, request: Any) -> Any:
        return self.handle_request(request)


def nothing() -> None:
    """Does nothing."""


def stepwise(
    make: Make,
    chunks: Sequence[bytes],
    *,
    media_type: str = "text/event-stream",
    encoding: str = "identity",
    before_each: Callable[[], None] = nothing,
) -> tuple[Any, Body]:
    """A client that gets this answer, and the body of it."""
    body = Body(chunks, before_each)
    transport = Transport(body, {"content-type": media_type, "content-encoding": encoding})
    asynchronous = "Async" in type(make(api_key="none")).__name__
    http_client = http.AsyncClient(transport=transport) if asynchronous else http.Client(transport=transport)
    return make(api_key="sk-ant-simulated", http_client=http_client), body


def streamed(answer: Answer) -> list[bytes]:
    """The events of an answer, each a chunk."""
    message = answer.message(Ids(), "claude-sonnet-5-5", {})
    return [sse(event) for event in events(message, answer.first_usage)]
