"""The simulated API without a socket: a transport of the SDK's HTTP library that hands requests straight to it.

For tests that repeat the same calls hundreds of times. Pauses take no time.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from anthropic import Anthropic, AsyncAnthropic
from apps import KEY, SDK_VERSION

from otel_claude.testing import Answer, Outcome
from otel_claude.testing.api import Api
from otel_claude.testing.exchange import CUT, Request, Step

http: Any = __import__("httpx2" if SDK_VERSION >= (1, 0) else "httpx")


class Body(http.SyncByteStream, http.AsyncByteStream):
    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps:
            if step is CUT:
                raise http.RemoteProtocolError("peer closed connection without sending complete message body")
            if isinstance(step, bytes):
                yield step

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for data in self:
            yield data


class Loopback(http.BaseTransport, http.AsyncBaseTransport):
    """The transport, and a simulated API that has just been started."""

    def __init__(self) -> None:
        self._api = Api(Answer())

    @property
    def requests(self) -> list[Request]:
        return self._api.requests

    def will(self, *outcomes: Outcome) -> None:
        self._api.queue.extend(outcomes)

    def clear(self) -> None:
        self._api = Api(Answer())

    def connect(self, **options: Any) -> Any:
        return Anthropic(base_url="http://simulated", api_key=KEY, http_client=http.Client(transport=self), **options)

    def connect_async(self, **options: Any) -> Any:
        http_client = http.AsyncClient(transport=self)
        return AsyncAnthropic(base_url="http://simulated", api_key=KEY, http_client=http_client, **options)

    def handle_request(self, request: Any) -> Any:
        request.read()
        return self._respond(request)

    async def handle_async_request(self, request: Any) -> Any:
        await request.aread()
        return self._respond(request)

    def _respond(self, request: Any) -> Any:
        response = self._api.respond(
            Request(request.method, request.url.path, dict(request.url.params), dict(request.headers), request.content)
        )
        headers = {name: value for name, value in response.headers.items() if value is not None}
        return http.Response(response.status, headers=headers, stream=Body(response.body))
