"""A connection under observation, without the SDK: a test sends frames and receives them."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from opentelemetry import context, trace

from otel_claude import Settings
from otel_claude.agent_sdk.emission import Emission
from otel_claude.agent_sdk.observer import Observer
from otel_claude.testing import Telemetry

MODEL = "claude-sonnet-4-5-20250929"


def answer(identity: str, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A frame of an answer that took in 7 tokens."""
    message = {"id": identity, "model": MODEL, "content": [*blocks], "usage": {"input_tokens": 7, "output_tokens": 1}}
    return {"type": "assistant", "message": message, "parent_tool_use_id": None, **more}


def use(identity: str, name: str = "Bash", **arguments: Any) -> dict[str, Any]:
    """A block that asks for a tool."""
    return {"type": "tool_use", "id": identity, "name": name, "input": arguments}


def gave(identity: str, **more: Any) -> dict[str, Any]:
    """A frame of what a tool gave."""
    block = {"type": "tool_result", "tool_use_id": identity, "content": "text", **more}
    return {"type": "user", "message": {"role": "user", "content": [block]}, "parent_tool_use_id": None}


def result(tokens_in: int, tokens_out: int, cost: float, **more: Any) -> dict[str, Any]:
    """A frame that ends a turn, with what has been spent since the one before."""
    spent = {MODEL: {"inputTokens": tokens_in, "outputTokens": tokens_out, "costUSD": cost}}
    return {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "modelUsage": spent,
        "model_usage_since_last_result": spent,
        **more,
    }


def task(subtype: str, **more: Any) -> dict[str, Any]:
    """A frame that tells of the subagent that the tool use `toolu_agent` has launched."""
    return {"type": "system", "subtype": subtype, "task_id": "task_1", "tool_use_id": "toolu_agent", **more}


def emission(telemetry: Telemetry, **settings: Any) -> Emission:
    """What emits to the providers of a test."""
    return Emission(
        Settings(**settings), telemetry.tracer_provider, telemetry.meter_provider, telemetry.logger_provider
    )


class ObservedConnection:
    """A connection whose frames a task of the SDK's own reads."""

    def __init__(self, emitting: Emission, *, deferring: bool = False) -> None:
        self.observer = Observer(emitting, new=True, deferring=deferring)
        self.observer.hand_over()
        self._reader = copy_context()

    def ask(self, content: Any = "Hello") -> None:
        """The application sends a prompt, in its current context."""
        self.observer.writing(json.dumps({"type": "user", "message": {"role": "user", "content": content}}))

    def receive(self, *frames: dict[str, Any]) -> None:
        """Frames come, to the reader."""
        for frame in frames:
            self._reader.run(self._read, frame)

    def _read(self, frame: dict[str, Any]) -> None:
        self.observer.waiting()
        self.observer.read(frame)

    @property
    def span_of_the_reader(self) -> trace.Span:
        """The span that is current where frames are read."""
        return self._reader.run(trace.get_current_span)

    @contextmanager
    def handling(self, identity: str, **asked: Any) -> Generator[None]:
        """What the SDK runs for the use of a tool, in a task that it starts when it is asked for it."""
        params = {"_meta": {"claudecode/toolUseId": identity}}
        request = {"subtype": "mcp_message", "message": {"method": "tools/call", "params": params}, **asked}
        self.receive({"type": "control_request", "request": request})
        token = context.attach(self._reader.run(context.get_current))
        try:
            yield
        finally:
            context.detach(token)
