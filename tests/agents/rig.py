"""What the tests of agents share: tools for both clients, answers that want them, and words for what is seen.

`await settled(...)` is the result of either client; `each` goes through a runner or a stream of either.
"""

import asyncio
import gc
import inspect
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import anthropic
import pytest
from anthropic._base_client import BaseClient
from opentelemetry.sdk.trace import ReadableSpan

from otel_claude.testing import Answer, Telemetry, ToolUse, usage

MODEL = "claude-sonnet-5-5"
ASK: Mapping[str, Any] = {
    "model": MODEL,
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "How warm is it?"}],
}
SDK_VERSION = tuple(int(part) for part in anthropic.__version__.split(".")[:2])
SDK_MAKES_SPANS = hasattr(BaseClient, "open_telemetry")
needs_runner = pytest.mark.skipif(SDK_VERSION < (0, 68), reason="the SDK has no tool runner")

USAGE = usage(input_tokens=100, output_tokens=10)
PRICE = (100 * 2 + 10 * 10) / 1_000_000
"""USD for `USAGE`, at 2 USD in and 10 USD out per million tokens of Sonnet 5.5.

https://platform.claude.com/docs/en/about-claude/pricing
"""

_LONGEST_WAIT_S = 20


def wants(*tools: ToolUse, text: str | None = None) -> Answer:
    """An answer that wants these tools to be executed."""
    return Answer(text, tool_uses=tools, usage=USAGE)


def says(text: str = "It is warm.") -> Answer:
    """An answer that wants nothing."""
    return Answer(text, usage=USAGE)


def weather(city: str) -> ToolUse:
    return ToolUse("weather", {"city": city})


class ToolFailed(Exception):
    """What a tool raises."""


def done(coroutine: Any) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def is_async(client: Any) -> bool:
    return "Async" in type(client).__name__


def runnable(client: Any, function: Callable[..., Any], **options: Any) -> Any:
    """The SDK's tool, for a client, of a function that is a coroutine function for the async one."""
    return (anthropic.beta_async_tool if is_async(client) else anthropic.beta_tool)(function, **options)


def tool_of(client: Any, name: str, do: Callable[[str], Any]) -> Any:
    """A tool that takes a city, and does `do`, which may give something to be awaited."""

    def execute(city: str) -> str:
        return do(city)

    async def async_execute(city: str) -> str:
        return await settled(do(city))

    function = async_execute if is_async(client) else execute
    return runnable(client, function, name=name, description="About a city.", input_schema=CITY)


CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def warm(city: str) -> str:
    return f"{city} is warm."


def failing(city: str) -> str:
    raise ToolFailed(city)


async def settled(value: Any) -> Any:
    """What the SDK gives: at once, or when it has been awaited."""
    return await value if inspect.isawaitable(value) else value


async def each(source: Any) -> AsyncIterator[Any]:
    """What there is to iterate over, with the iterator that a loop of the application has."""
    if hasattr(source, "__aiter__"):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item


async def in_time(condition: Callable[[], Any]) -> None:
    """Waits for what another thread or task does with what nobody holds any more. Fails after some seconds."""
    end = time.monotonic() + _LONGEST_WAIT_S
    while not condition():
        gc.collect()
        assert time.monotonic() < end, "it has not come to pass"
        try:
            await asyncio.sleep(0.001)
        except RuntimeError:
            time.sleep(0.001)  # noqa: ASYNC251  # there is no event loop


def told(span: ReadableSpan) -> dict[str, Any]:
    """The attributes of a span."""
    return dict(span.attributes or {})


def parent_of(telemetry: Telemetry, span: ReadableSpan) -> str | None:
    """The name of a span's parent, where that is exported."""
    for other in telemetry.spans:
        if other.context and span.parent and other.context.span_id == span.parent.span_id:
            return other.name
    return None


def named(telemetry: Telemetry, name: str) -> list[ReadableSpan]:
    """The spans of a name, in the order of their start."""
    found = [span for span in telemetry.spans if span.name == name]
    return sorted(found, key=lambda span: span.context.span_id if span.context else 0)


def is_about_agents(name: str) -> bool:
    """For a snapshot: what spans say of agents and tools, and the tokens and the cost of their calls."""
    return name in {"error.type", "claude.cost.usd", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"} or (
        name.startswith(("claude.agent.", "claude.tool.", "gen_ai.agent.", "gen_ai.tool.", "gen_ai.operation."))
    )


def tree(telemetry: Telemetry) -> str:
    """The spans as text, with what they say of agents."""
    return telemetry.tree(shown=is_about_agents)
