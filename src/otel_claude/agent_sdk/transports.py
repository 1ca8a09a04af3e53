"""Transports, with a watch on them: what passes, and when they are connected and closed.

In: a transport of the Claude Agent SDK, its own or the application's, and the `Observer` of its connection. Out: the
same, to whoever uses it. Frames, arguments, results and exceptions pass as they are.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import wrapt
from opentelemetry import context

from otel_claude.agent_sdk.observer import Observer


class Transport(Protocol):
    """What is used of the SDK's abstract class `Transport`."""

    async def connect(self) -> None:
        """Opens the connection."""
        ...

    async def write(self, data: str) -> None:
        """Sends one frame, as JSON."""
        ...

    def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        """The frames that come."""
        ...

    async def close(self) -> None:
        """Closes the connection."""
        ...


async def connect(observer: Observer, connecting: Callable[[], Awaitable[None]], *, asks: bool) -> None:
    """Connects. `asks`: it is for one prompt, so that the turn begins here and the new process hears of it."""
    inner = observer.connecting() if asks else None
    token = None if inner is None else context.attach(inner)
    try:
        await connecting()
    except Exception as error:
        observer.failed(error)
        raise
    except BaseException:
        observer.closed()
        raise
    finally:
        if token is not None:
            context.detach(token)


async def write(observer: Observer, writing: Callable[[str], Awaitable[None]], data: str) -> None:
    """Sends one frame."""
    observer.writing(data)
    await writing(data)


async def close(observer: Observer, closing: Callable[[], Awaitable[None]]) -> None:
    """Closes."""
    observer.closed()
    await closing()


class Frames:
    """The frames of `items`, each of which `observer` hears of as it passes.

    It is no generator itself: an event loop that ends closes every generator that is open, in any order.
    """

    def __init__(self, items: AsyncIterator[dict[str, Any]], observer: Observer) -> None:
        self._items = items
        self._observer = observer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_items"], name)

    def __aiter__(self) -> "Frames":
        return self

    async def __anext__(self) -> dict[str, Any]:
        observer = self._observer
        observer.waiting()
        try:
            frame = await self._items.__anext__()
        except StopAsyncIteration:
            observer.ended()
            raise
        except BaseException as error:
            observer.failed(error)
            raise
        observer.read(frame)
        return frame


if TYPE_CHECKING:
    TransportProxy = wrapt.ObjectProxy[Transport]
else:
    TransportProxy = wrapt.ObjectProxy  # generic from wrapt 2 on


class ObservedTransport(TransportProxy):
    """A transport of the application's own, and what it does told to an observer. `isinstance` sees the transport."""

    def __init__(self, transport: Transport, observer: Observer, *, asks: bool) -> None:
        super().__init__(transport)
        self._self_observer = observer
        self._self_asks = asks

    @property
    def observer(self) -> Observer:
        """Who hears of what it does."""
        return self._self_observer

    async def connect(self) -> None:
        """Connects."""
        await connect(self._self_observer, self.__wrapped__.connect, asks=self._self_asks)

    async def write(self, data: str) -> None:
        """Sends one frame."""
        await write(self._self_observer, self.__wrapped__.write, data)

    def read_messages(self) -> Any:
        """The frames that come."""
        return Frames(aiter(self.__wrapped__.read_messages()), self._self_observer)

    async def close(self) -> None:
        """Closes."""
        await close(self._self_observer, self.__wrapped__.close)
