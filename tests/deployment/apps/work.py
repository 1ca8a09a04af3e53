"""A piece of work of an application: two calls of Claude, in a trace with more spans than the cap lets through.

It knows nothing of otel-claude, but for the mark that it leaves where that is switched on.
"""

import os
from typing import Any

import anthropic
from marking import mark
from opentelemetry import trace

MODEL = "claude-sonnet-5-5"
STEPS = 30
"""Spans of the application's own."""

ASK: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 256,
    "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
}

client = anthropic.Anthropic(max_retries=0)
tracer = trace.get_tracer("work")


def work() -> int:
    """Does it, and returns the id of the process."""
    with tracer.start_as_current_span("work", attributes={"work.pid": os.getpid()}):
        client.messages.create(**ASK)
        with client.messages.stream(**ASK) as stream:
            stream.until_done()
        steps()
        mark()
    return os.getpid()


async def work_async(client: anthropic.AsyncAnthropic) -> int:
    """The same, with the asynchronous client."""
    with tracer.start_as_current_span("work", attributes={"work.pid": os.getpid()}):
        await client.messages.create(**ASK)
        async with client.messages.stream(**ASK) as stream:
            await stream.until_done()
        steps()
        mark()
    return os.getpid()


def steps() -> None:
    for _ in range(STEPS):
        with tracer.start_as_current_span("step"):
            pass
