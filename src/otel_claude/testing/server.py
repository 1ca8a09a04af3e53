"""`SimulatedClaude`: the simulated API as an HTTP server on the loopback interface.

One thread runs an event loop that serves all connections; it begins with `start` and is gone after `stop`.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Self

from otel_claude.testing.api import Api, Default
from otel_claude.testing.exchange import Pause, Request, Response
from otel_claude.testing.faults import Outcome
from otel_claude.testing.messages import Answer

Respond = Callable[[Request], Response]
_HOST = "127.0.0.1"
_MAX_HEAD = 1 << 20
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class SimulatedClaude:
    """A Claude API that answers what the test says.

    Use it as a context manager, or `start` and `stop` it; as a fixture of pytest:

        @pytest.fixture
        def claude():
            with SimulatedClaude() as claude:
                yield claude

        def test_a_retry(claude):
            claude.will(RateLimited(retry_after=0.01), Answer("Hello"))
            client = Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated")
            assert client.messages.create(...).content[0].text == "Hello"

    `default` is what comes of a model call for which nothing is queued, or a function of the request that
    says what; it runs in the server's thread. With `port=0` the system picks a free port.
    """

    def __init__(self, *, default: Default = Answer(), port: int = 0) -> None:  # noqa: B008 - frozen
        self._default = default
        self._api = Api(default)
        self._port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._conversations: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that the server listens to. Before `start`, the one asked for."""
        return self._port

    @property
    def base_url(self) -> str:
        """The `base_url` for a client."""
        return f"http://{_HOST}:{self._port}"

    @property
    def requests(self) -> list[Request]:
        """The requests received so far, in the order of their coming."""
        return self._api.requests

    def will(self, *outcomes: Outcome) -> None:
        """Queue what comes of the next requests: answers, errors, faults, a `Batch`."""
        self._api.queue.extend(outcomes)

    def reply(self, text: str | None = None, **fields: Any) -> None:
        """Queue an `Answer` with these fields."""
        self.will(Answer(text, **fields))

    def clear(self) -> None:
        """Forget the queue, the requests, batches, files and ids."""
        self._api = Api(self._default)

    def start(self) -> Self:
        """Listen. Raises `OSError` where the port is taken."""
        listening: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="simulated-claude", daemon=True)
        self._thread.start()
        try:
            self._port = listening.result()
        except OSError:
            self._thread.join()
            self._thread = None
            raise
        return self

    def stop(self) -> None:
        """Close all connections, hanging ones too, and end the server's thread."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _run(self, listening: "Future[int]") -> None:
        # Not every loop of every platform can wait for a listener to be readable.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._serve(listening))

    async def _serve(self, listening: "Future[int]") -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            listener = socket.create_server((_HOST, self._port))
        except OSError as error:
            listening.set_exception(error)
            return
        with listener:
            listener.setblocking(False)
            # `asyncio.start_server` leaks connections that come while it is being closed.
            self._loop.add_reader(listener, self._accept, listener)
            listening.set_result(listener.getsockname()[1])
            await self._stopping.wait()
            # The end of the loop cancels the conversations that still go on.
            self._loop.remove_reader(listener)

    def _accept(self, listener: socket.socket) -> None:
        """Begin a conversation with the client that waits at the listener."""
        with suppress(BlockingIOError):
            connection, _ = listener.accept()
            conversation = asyncio.create_task(self._converse(connection))
            self._conversations.add(conversation)
            conversation.add_done_callback(self._conversations.discard)
            conversation.add_done_callback(partial(_end, connection))

    def _respond(self, request: Request) -> Response:
        return self._api.respond(request)

    async def _converse(self, connection: socket.socket) -> None:
        """Answer the requests of one connection, until one side closes it."""
        reader, writer = await asyncio.open_connection(sock=connection, limit=_MAX_HEAD)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await _exchange(self._respond, reader, writer):
                    pass
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise


def _end(connection: socket.socket, conversation: "asyncio.Task[None]") -> None:
    """Close the connection of a conversation that was cancelled, perhaps before its beginning."""
    if conversation.cancelled():
        connection.close()


async def _exchange(respond: Respond, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request, and say whether the connection stays open."""
    request = Request.parse((await reader.readuntil(b"\r\n\r\n"))[:-4])
    request = replace(request, body=await _body(request, reader))
    complete = await _send(respond(request), writer)
    return complete and request.headers.get("connection", "").lower() != "close"


async def _body(request: Request, reader: asyncio.StreamReader) -> bytes:
    if request.headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(request.headers.get("content-length", 0)))
    body = bytearray()
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return bytes(body)


async def _send(response: Response, writer: asyncio.StreamWriter) -> bool:
    """Send `response`, and say whether it was sent whole."""
    unsent = _head(response)
    for step in response.body:
        match step:
            case bytes():
                writer.write(unsent + (b"%x\r\n%b\r\n" % (len(step), step) if response.chunked else step))
                unsent = b""
                await writer.drain()
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case _:
                return False
    writer.write(unsent + (b"0\r\n\r\n" if response.chunked else b""))
    await writer.drain()
    return True


def _head(response: Response) -> bytes:
    whole = all(isinstance(step, bytes | Pause) for step in response.body)
    # A response that is going to be cut promises a byte more than it has.
    length = sum(len(step) for step in response.body if isinstance(step, bytes)) + (not whole)
    framing = ("transfer-encoding", "chunked") if response.chunked else ("content-length", str(length))
    lines = [
        f"HTTP/1.1 {response.status} {_REASONS.get(response.status, '')}",
        *(f"{name}: {value}" for name, value in response.headers.items() if value is not None),
        f"{framing[0]}: {framing[1]}",
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")
