"""What Claude says: an `Answer`, as the JSON of a Message and as the events that stream it.

The shapes are those of the Messages API, https://platform.claude.com/docs/en/api/messages/create and
https://platform.claude.com/docs/en/build-with-claude/streaming. An answer is the same whether it is streamed
or not.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from otel_claude.testing import tokens
from otel_claude.testing.exchange import Headers, Json, Response

_NEW = re.compile(r"\s*\S+|\s+$")
_JSON_PIECE = 12
DEFAULT_TEXT = "Hello! How can I help you today?"
_FIRST_USAGE = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens",
    "service_tier",
    "inference_geo",
    "speed",
)
_ONLY_FIRST = {"cache_creation", "service_tier", "inference_geo", "speed"}
_WITH_THE_END = ("stop_reason", "stop_sequence", "stop_details", "container")


class Ids:
    """Ids that count, per prefix: `msg_sim_0001`, `msg_sim_0002`, `req_sim_0001`, ..."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def new(self, prefix: str) -> str:
        """The next id with this prefix."""
        self._last[prefix] = number = self._last.get(prefix, 0) + 1
        return f"{prefix}_sim_{number:04}"


class ToolUse(NamedTuple):
    """Claude wants a client-side tool to run."""

    name: str
    input: Json
    id: str | None = None


class ServerToolUse(NamedTuple):
    """A tool ran on the API's side: `web_search`, `web_fetch`, ... `result` is the content of its result."""

    name: str
    input: Json
    result: Any = ()
    id: str | None = None


@dataclass(frozen=True)
class Call:
    """One request, and the ways in which its route can respond to it.

    `answered` makes the response of a call that goes well out of what was queued for it. `failed` makes the
    response that reports an `error` object, `error_event` the event of a stream that does.
    """

    answered: Callable[[object], Response]
    failed: Callable[[Json], Response]
    error_event: Callable[[Json], bytes]


@dataclass(frozen=True)
class Answer:
    """A complete message of Claude: thinking, server tools, text and tool calls, in this order.

    `content`, the blocks as the API writes them, takes the place of all four. `model` is the requested one
    unless given; `stop_reason` is `tool_use` with client-side tools, else `end_turn`; `usage` is simulated
    (see `tokens`) unless given, and a given one is sent as it is. `first_usage` is that of a stream's
    `message_start` where it is not simply the same with an output of one token. `more` adds fields to the
    message, `headers` to the response; `gzip` compresses it.
    """

    text: str | None = None
    thinking: str | None = None
    tool_uses: Sequence[ToolUse] = ()
    server_tool_uses: Sequence[ServerToolUse] = ()
    content: Sequence[Json] | None = None
    usage: Json | None = None
    first_usage: Json | None = None
    model: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    more: Json = field(default_factory=dict[str, Any])
    headers: Headers = field(default_factory=dict[str, str | None])
    gzip: bool = False

    def respond(self, call: Call) -> Response:
        """The response that carries this answer."""
        response = call.answered(self).with_headers(self.headers)
        return response.zipped() if self.gzip else response

    def message(self, ids: Ids, model: str, request: Json) -> dict[str, Any]:
        """The Message that answers `request`."""
        content = list(self.blocks(ids)) if self.content is None else self.content
        return {
            "model": self.model or model,
            "id": ids.new("msg"),
            "type": "message",
            "role": "assistant",
            "content": content,
            "stop_reason": self.stop_reason or ("tool_use" if self.tool_uses else "end_turn"),
            "stop_sequence": self.stop_sequence,
            "stop_details": None,
            "usage": tokens.simulated(request, content) if self.usage is None else self.usage,
            **self.more,
        }

    def blocks(self, ids: Ids) -> Iterator[Json]:
        """The content blocks."""
        if self.thinking is not None:
            yield {"type": "thinking", "thinking": self.thinking, "signature": "c2ltdWxhdGVk"}
        for tool in self.server_tool_uses:
            used = tool.id or ids.new("srvtoolu")
            yield {"type": "server_tool_use", "id": used, "name": tool.name, "input": tool.input}
            yield {"type": f"{tool.name}_tool_result", "tool_use_id": used, "content": tool.result}
        if self.text is not None or not (self.tool_uses or self.server_tool_uses or self.thinking):
            yield {"type": "text", "text": DEFAULT_TEXT if self.text is None else self.text}
        for tool in self.tool_uses:
            yield {
                "type": "tool_use",
                "id": tool.id or ids.new("toolu"),
                "name": tool.name,
                "input": tool.input,
            }


def events(message: Json, first_usage: Json | None = None) -> Iterator[Json]:
    """The events that stream `message`, with a ping where the API sends the first one.

    Text and thinking come word by word, tool input in small pieces of its JSON. Usage in the last event is
    cumulative.
    """
    usage: Mapping[str, Any] = message["usage"]
    first = first_usage or {
        **{name: usage[name] for name in _FIRST_USAGE if name in usage},
        **({"output_tokens": 1} if usage.get("output_tokens") else {}),
    }
    nothing_yet: Json = {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": first,
    }
    yield {"type": "message_start", "message": {**message, **nothing_yet}}
    for index, block in enumerate(message["content"]):
        start, deltas = _streamed(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        if index == 0:
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {name: message[name] for name in _WITH_THE_END if name in message},
        "usage": {name: count for name, count in usage.items() if name not in _ONLY_FIRST},
    }
    yield {"type": "message_stop"}


def words(text: str) -> list[str]:
    """`text` in the pieces that a stream brings."""
    return _NEW.findall(text)


def _streamed(block: Json) -> tuple[Json, list[Json]]:
    """How `block` starts, and the deltas that complete it."""
    return _STREAMED.get(block["type"], lambda block: (block, []))(block)


def _streamed_text(block: Json) -> tuple[Json, list[Json]]:
    return {**block, "text": ""}, [{"type": "text_delta", "text": word} for word in words(block["text"])]


def _streamed_thinking(block: Json) -> tuple[Json, list[Json]]:
    thought = [{"type": "thinking_delta", "thinking": word} for word in words(block["thinking"])]
    signature = {"type": "signature_delta", "signature": block["signature"]}
    return {**block, "thinking": "", "signature": ""}, [*thought, signature]


def _streamed_tool_use(block: Json) -> tuple[Json, list[Json]]:
    text = json.dumps(block["input"])
    pieces = ["", *(text[at : at + _JSON_PIECE] for at in range(0, len(text), _JSON_PIECE))]
    return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


_STREAMED: Mapping[str, Callable[[Json], tuple[Json, list[Json]]]] = {
    "text": _streamed_text,
    "thinking": _streamed_thinking,
    "tool_use": _streamed_tool_use,
    "server_tool_use": _streamed_tool_use,
}
