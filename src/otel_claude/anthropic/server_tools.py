"""Which tools the API has executed itself for an answer: its own, such as web search, and those of MCP servers.

In: the content blocks of a Message, or the events of its stream. Out: records of executions in the call. An answer has
a block for what was asked, and one for the result. Only a stream tells when they came, so elsewhere an execution has no
times: it lasted within the call. Outside of a run nobody asks: there a call has one span, and no more.
"""

from collections.abc import Iterable, Mapping
from time import perf_counter_ns
from typing import Any

from otel_claude.agents.execution import TOOL_ERROR, Execution
from otel_claude.anthropic.facts import fields_of
from otel_claude.call import Call
from otel_claude.failsafe import guarded
from otel_claude.values import Fields, fields, is_array, text

KINDS: Mapping[str, str] = {"server_tool_use": "server", "mcp_tool_use": "mcp"}
"""The types of blocks that ask for an execution on the API's side, with the kinds of tools that it is of."""


def may_execute(body: Fields) -> bool:
    """Whether a request names MCP servers, or a tool of a type that Anthropic defines."""
    if body.get("mcp_servers"):
        return True
    tools = body.get("tools")
    return is_array(tools) and any(fields(tool).get("type") not in (None, "custom") for tool in tools)


class ServerTools:
    """The executions of one answer, as its blocks come. Those that have begun are in `call.executed`."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._open: dict[str, Execution] = {}
        self._asking: dict[Any, Execution] = {}

    @guarded(None)
    def blocks(self, blocks: Iterable[Fields]) -> None:
        """All content blocks of a Message have come."""
        for block in blocks:
            self._take(block)

    @guarded(None)
    def item(self, kind: str, item: Any) -> None:
        """An event has arrived."""
        if kind == "content_block_start":
            event = fields_of(item)
            execution = self._take(fields_of(event.get("content_block")), perf_counter_ns())
            if execution is not None:
                self._asking[event.get("index")] = execution
        elif kind == "content_block_stop" and self._asking:
            # Only now the API knows all arguments.
            execution = self._asking.pop(fields_of(item).get("index"), None)
            if execution is not None:
                execution.started_at = perf_counter_ns()

    def _take(self, block: Fields, at: int | None = None) -> Execution | None:
        kind = KINDS.get(block.get("type", ""))
        if kind is not None:
            return self._begin(block, kind, at)
        asked = block.get("tool_use_id")
        if asked is not None and (execution := self._open.pop(asked, None)) is not None:
            execution.ended_at = at
            execution.error_type = _error_of(block)
        return None

    def _begin(self, block: Fields, kind: str, at: int | None) -> Execution | None:
        name, identity = text(block.get("name")), text(block.get("id"))
        if name is None or identity is None:
            return None
        execution = self._open[identity] = Execution(
            name,
            self._call.run,
            started_at=at or 0,
            call=identity,
            kind=kind,
            is_remote=True,
            server=text(block.get("server_name")),
            who=self._call.who,
            counted_for=self._call.counted_for,
        )
        self._call.executed.append(execution)
        return execution


def _error_of(block: Fields) -> str | None:
    if block.get("is_error") is True:
        return TOOL_ERROR
    content = fields_of(block.get("content"))
    return text(content.get("error_code"))
