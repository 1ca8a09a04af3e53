"""What the tests of both clients share: words in which one coroutine uses the sync and the async SDK.

`await settled(client.messages.create(...))` is the result of either; `items` goes through a stream or the pages of a
list, `entered` enters a manager, of either kind.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import reduce
from inspect import isawaitable
from typing import Any

import anthropic
import pytest
from opentelemetry.sdk.trace import ReadableSpan

from otel_claude.testing import Telemetry, usage

MODEL = "claude-sonnet-5-5"
ASK: Mapping[str, Any] = {
    "model": MODEL,
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello"}],
}
USAGE = usage(
    input_tokens=12,
    output_tokens=40,
    cache_read=1_000,
    cache_write_5m=200,
    cache_write_1h=200,
    output_tokens_details={"thinking_tokens": 17},
)
"""12 + 1,000 + 400 = 1,412 input tokens and 40 output tokens."""
COST = (12 * 2 + 1_000 * 0.10 + 200 * 2.50 + 200 * 4 + 40 * 10) / 1_000_000
"""What they cost, in USD: https://platform.claude.com/docs/en/about-claude/pricing has the prices of Sonnet 5.5."""

only_sync = pytest.mark.parametrize("runner", ["sync"], indirect=True)
only_async = pytest.mark.parametrize("runner", ["async"], indirect=True)

_END = object()
_LONGEST_WAIT_S = 20


async def settled(value: Any) -> Any:
    """What the SDK gives: at once, or when it has been awaited."""
    return await value if isawaitable(value) else value


class items:  # noqa: N801  # reads as a function does, such as `zip`
    """Goes through what the SDK gives to iterate over, with the iterator that a loop of the application has."""

    def __init__(self, source: Any) -> None:
        self._items = aiter(source) if hasattr(source, "__aiter__") else iter(source)

    def __aiter__(self) -> "items":
        return self

    async def __anext__(self) -> Any:
        if hasattr(self._items, "__anext__"):
            return await anext(self._items)
        item = next(self._items, _END)
        if item is _END:
            raise StopAsyncIteration
        return item


@asynccontextmanager
async def entered(manager: Any) -> AsyncGenerator[Any]:
    """Enters a context manager of either kind."""
    if hasattr(manager, "__aenter__"):
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value


async def closed(stream: Any) -> None:
    """Closes a stream, or a generator, of either kind."""
    await settled(stream.aclose() if hasattr(stream, "aclose") else stream.close())


async def read(source: Any) -> list[Any]:
    """All that there is to iterate over."""
    return [item async for item in items(source)]


def eventually(condition: Callable[[], Any]) -> None:
    """Waits for what another thread does. Fails after some seconds."""
    end = time.monotonic() + _LONGEST_WAIT_S
    while not condition():
        assert time.monotonic() < end, "it has not come to pass"
        time.sleep(0.001)


async def in_time(condition: Callable[[], Any]) -> None:
    """Waits for what another task does, where there are tasks. What the async SDK drops is closed by one."""
    end = time.monotonic() + _LONGEST_WAIT_S
    while not condition():
        assert time.monotonic() < end, "it has not come to pass"
        try:
            await asyncio.sleep(0.001)
        except RuntimeError:
            time.sleep(0.001)  # noqa: ASYNC251  # there is no event loop


def only_span(telemetry: Telemetry) -> ReadableSpan:
    """The only span, when it has ended. What is dropped ends on a thread of its own."""
    eventually(lambda: telemetry.spans)
    (span,) = telemetry.spans
    return span


def attributes(telemetry: Telemetry) -> Mapping[str, Any]:
    """The attributes of the only span."""
    return only_span(telemetry).attributes or {}


def among(names: Iterable[str]) -> Callable[[str], bool]:
    """For a snapshot: the attributes with these names."""
    return frozenset(names).__contains__


def is_environmental(name: str) -> bool:
    """For a snapshot of a test whose clock stands still: the port, the stack, and the size of what the SDK sends."""
    return name in ("server.port", "exception.stacktrace", "claude.request.size_bytes")


def needs(path: str) -> pytest.MarkDecorator:
    """Skips where the SDK's client has no such attribute, such as `beta.messages.parse`."""
    try:
        reduce(getattr, path.split("."), anthropic.Anthropic(api_key="none"))
    except AttributeError:
        return pytest.mark.skip(reason=f"anthropic {anthropic.__version__} has no {path}")
    return pytest.mark.filterwarnings()
