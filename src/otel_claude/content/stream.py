"""The content blocks of a streamed message, as far as they have come.

In: the events of the stream, as dicts. Out: at any time, the blocks in the shape of an unstreamed response.
Signatures and citations are not kept, for no message part holds them.
https://platform.claude.com/docs/en/build-with-claude/streaming#event-types
"""

import json
from collections.abc import Mapping
from typing import Any

from otel_claude.values import is_object

# The field of each kind of delta whose texts, one after the other, make up a field of the block.
_FIELDS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "compaction_delta": "content",
}


class StreamedBlocks:
    """Collects the blocks of one stream: `feed` each event, ask for `blocks` when it has ended or broken."""

    __slots__ = ("_blocks",)

    def __init__(self) -> None:
        self._blocks: dict[int, tuple[Mapping[str, Any], dict[str, list[str]]]] = {}

    def feed(self, event: Mapping[str, Any]) -> None:
        """Take in one event. One of an unknown kind, or that says nothing about content, changes nothing."""
        kind = event.get("type")
        index = event.get("index")
        if not isinstance(index, int):
            return
        if kind == "content_block_delta":
            self._grow(index, event.get("delta"))
        elif kind == "content_block_start":
            block = event.get("content_block")
            if is_object(block):
                self._blocks[index] = (block, {})

    def blocks(self) -> list[dict[str, Any]]:
        """The blocks so far, in their order. Tool input that is not whole is the JSON text that has come."""
        return [_whole(*self._blocks[index]) for index in sorted(self._blocks)]

    def _grow(self, index: int, delta: Any) -> None:
        if index not in self._blocks or not is_object(delta):
            return
        field = _FIELDS.get(str(delta.get("type")))
        text = delta.get(field) if field else None
        if field and isinstance(text, str):
            self._blocks[index][1].setdefault(field, []).append(text)


def _whole(start: Mapping[str, Any], pieces: dict[str, list[str]]) -> dict[str, Any]:
    block = dict(start)
    for field, texts in pieces.items():
        text = "".join(texts)
        if field != "partial_json":
            block[field] = f"{block.get(field) or ''}{text}"
        elif text:
            block["input"] = _parsed(text)
    return block


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
