"""The record of one execution of a tool. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from otel_claude.agents.run import Run

TOOL_ERROR = "tool_error"
"""The `error.type` of a tool whose result says that it has failed, and not why."""

CANCELLED = "cancelled"
"""That of an execution that the application has cancelled or interrupted. It is no error of the span's status."""

NOT_EXECUTED = "not_executed"
"""That of a tool that was asked for and is not there, or was left out after another one had failed."""


@dataclass(slots=True, eq=False)
class Execution:
    """One execution of a tool. Made when it starts, finished once.

    `call` is the id of the `tool_use` block that asked for it, and `kind` one of `client`, `mcp` and `server`. One
    that `is_remote` was executed by the API, on the MCP `server` of that name if it is of one. `arguments`,
    `result` and `description` are content, which is recorded only where that is asked for. Elsewhere a `digest` of the
    arguments is all that is made of them.

    `failure` is the class of the exception that ended it. `claimed` has the name and the arguments of the function
    under `@tool` that has found that this is the execution that it is about. That may have `any_name`, where nobody
    knows which function executes the tool. `served_as` is what the tool's MCP server calls it, where the model knows it
    by another name.
    """

    name: str
    run: Run | None = None
    started_at: int = 0
    start_time: int = 0
    call: str | None = None
    kind: str = "client"
    is_remote: bool = False
    server: str | None = None
    description: str | None = None
    arguments: Any = None
    digest: bytes | None = None
    result: Any = None
    content_mode: str = "NO_CONTENT"
    owns_span: bool = True
    span: Any = None
    context: Any = None
    repeats: int = 1
    who: Mapping[str, str] = field(default_factory=dict[str, str])
    counted_for: Mapping[str, str] = field(default_factory=dict[str, str])
    active_at: int = 0
    ended_at: int | None = None
    error_type: str | None = None
    failure: str | None = None
    claimed: tuple[str, bytes | None] | None = None
    any_name: bool = False
    served_as: str | None = None
    finished: bool = False

    @property
    def duration_s(self) -> float:
        """Seconds from the start to the end of the execution."""
        return ((self.ended_at or self.started_at) - self.started_at) / 1e9
