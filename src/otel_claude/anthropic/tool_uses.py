"""Which tools an answer wants the application to execute.

In: the content blocks of an answer, or the events of its stream. Out: ids, names and arguments of its `tool_use`
blocks. The run that the call is made in takes them, so that the execution of a tool can be told from others; elsewhere
nobody asks.
"""

import json
from collections.abc import Iterable
from typing import Any

from otel_claude.agents.run import Run
from otel_claude.anthropic.facts import fields_of
from otel_claude.failsafe import guarded
from otel_claude.values import Fields, text

Asked = tuple[str, str, Any]


def tool_uses_of(blocks: Iterable[Fields]) -> list[Asked]:
    """Those of the content blocks of a Message."""
    return [asked for block in blocks if (asked := _asked(block)) is not None]


def _asked(block: Fields) -> Asked | None:
    identity, name = text(block.get("id")), text(block.get("name"))
    if block.get("type") != "tool_use" or identity is None or name is None:
        return None
    return identity, name, block.get("input")


class StreamedToolUses:
    """Listens to the events of a stream, and tells `run` of each block when it is whole."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._open: dict[int, tuple[Asked, list[str]]] = {}

    @guarded(None)
    def item(self, kind: str, item: Any) -> None:
        """An event has arrived."""
        if kind == "content_block_start":
            fields = fields_of(item)
            asked = _asked(fields_of(fields.get("content_block")))
            if asked is not None:
                self._open[fields["index"]] = asked, []
        elif self._open and kind == "content_block_delta":
            fields = fields_of(item)
            if fields["index"] in self._open:
                piece = fields_of(fields.get("delta")).get("partial_json")
                self._open[fields["index"]][1].append(text(piece) or "")
        elif self._open and kind == "content_block_stop":
            self._stop(fields_of(item).get("index"))

    def _stop(self, index: Any) -> None:
        if index in self._open:
            (identity, name, arguments), pieces = self._open.pop(index)
            said = "".join(pieces)
            self._run.ask([(identity, name, _read(said) if said else arguments)], self)


def _read(said: str) -> Any:
    """The arguments, or the text that there is of them where the answer was cut at `max_tokens`."""
    try:
        return json.loads(said)
    except ValueError:
        return said
