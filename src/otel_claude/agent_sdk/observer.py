"""One connection under observation: its clock, its record, and the contexts that handlers run in.

In: what the transport of a connection does, as it does it. Out: telemetry, through `Emission`. No method raises, and
none takes the current context of the application for longer than the call that it surrounds.
"""

import json
import re
import sys
from functools import partial
from time import perf_counter_ns, time_ns
from typing import Any

from opentelemetry import context
from opentelemetry.context import Context

from otel_claude.agent_sdk.conversation import Conversation, about
from otel_claude.agent_sdk.emission import Emission
from otel_claude.agent_sdk.providers import PROVIDER
from otel_claude.agent_sdk.runs import ToolUse
from otel_claude.agents.current import current_run
from otel_claude.agents.run import Outcome
from otel_claude.dropped import tell_safely
from otel_claude.failsafe import guarded
from otel_claude.values import NO_FIELDS, Fields, fields, is_object

TOOL_USE_ID = "claudecode/toolUseId"
"""Where a request to an MCP server of the application's names the use of the tool that it is for."""

_KIND = re.compile(r'\s*\{\s*"type"\s*:\s*"(\w+)"')
"""The type of a frame, which mostly stands first in it."""

_SAYING = ("user", "control_request")
"""The types of frames that the application sends and that say something of runs. Most are answers to the CLI."""

_CANCELLED = frozenset({"CancelledError", "Cancelled"})
"""How asyncio and trio call the exception of a task that is cancelled."""

_LEFT = _CANCELLED | {"GeneratorExit"}
"""And that of a reader that is thrown away while it waits."""


class Observer:
    """Observes one connection, from `connecting` to `closed`. After that it does nothing.

    `new`: it is known that no earlier conversation is resumed. `deferring`: the CLI makes spans of its own. `provider`:
    whom it asks.
    """

    def __init__(self, emission: Emission, *, new: bool, deferring: bool, provider: str = PROVIDER) -> None:
        self._emission: Emission | None = emission
        self._deferring = deferring
        self._conversation = Conversation(new=new, provider=provider)
        self._began = time_ns() - perf_counter_ns()
        self._base: Context | None = None
        self._hands_over = False

    def hand_over(self) -> None:
        """Frames are read by a task of the SDK's own, whose context may be changed: handlers inherit it."""
        self._hands_over = True

    @guarded(None)
    def connecting(self) -> Context | None:
        """The application asks for a turn and a process for it. The context for what starts the process."""
        if self._emission is None:
            return None
        self._emit(self._conversation.open(self._now(), context.get_current()))
        self._expect()
        turn = self._conversation.turn
        return None if turn is None else turn.context

    @guarded(None)
    def writing(self, data: str) -> None:
        """A frame is about to be sent."""
        if self._emission is None:
            return
        frame = _said_in(data, with_content=self._emission.tells_content)
        self._emit(self._conversation.sent(frame, self._now(), context.get_current()))
        if frame.get("type") == "user":
            self._expect()

    def _expect(self) -> None:
        """The run of the application's that has asked knows what that has come to when the result has told it."""
        run = current_run()
        if run is not None:
            run.expect(self._conversation.is_settled)

    @guarded(None)
    def waiting(self) -> None:
        """The reader of frames wants the next one. What it does until then is for no tool."""
        if not self._hands_over:
            return
        if self._base is None:
            self._base = context.get_current()
        elif context.get_current() is not self._base:
            context.attach(self._base)

    @guarded(None)
    def read(self, frame: Any) -> None:
        """A frame has come. If it asks for something, the SDK's reader gets the context of what it is for.

        The task that the SDK starts for it inherits the context. It is never detached: the reader takes its base
        context back with the next frame. Whoever else reads keeps the context that it has.
        """
        if self._emission is None or not is_object(frame):
            return
        self._emit(self._conversation.received(frame, self._now()))
        asks = self._hands_over and frame.get("type") == "control_request"
        if asks and (inner := self._context_for(frame)) is not None:
            context.attach(inner)

    @guarded(None)
    def failed(self, error: BaseException) -> None:
        """The connection broke, or could not be made, or its reader is cancelled, so that nobody will hear of more."""
        if type(error).__name__ in _LEFT:
            self._close("abandoned", None)
        else:
            self._close("failed", type(error).__qualname__)

    @guarded(None)
    def ended(self) -> None:
        """The CLI has said all."""
        self._close("failed", "stream_interrupted")

    @guarded(None)
    def closed(self) -> None:
        """The application closes the connection, perhaps because it is cancelled."""
        raised = sys.exc_info()[0]
        cancelled = raised is not None and raised.__name__ in _CANCELLED
        try:
            self._close("cancelled" if cancelled else "abandoned", None)
        finally:
            self._emission = None

    @guarded(None)
    def __del__(self) -> None:
        # A connection that the application has dropped, and never closed.
        self._close("abandoned", None)

    def forget(self) -> None:
        """In a child: the connection is its parent's."""
        self._emission = None

    def _close(self, outcome: Outcome, error_type: str | None) -> None:
        if self._emission is not None:
            self._emit(self._conversation.close(self._now(), outcome, error_type))

    def _emit(self, steps: list[Any]) -> None:
        if steps and self._emission is not None:
            tell_safely(partial(self._emission.emit, steps, deferring=self._deferring))

    def _context_for(self, frame: Fields) -> Context | None:
        asked = about(frame)
        params = fields(fields(asked.get("message")).get("params"))
        identity = asked.get("tool_use_id") or fields(params.get("_meta")).get(TOOL_USE_ID)
        tool: ToolUse | None = self._conversation.tool(identity)
        if tool is not None:
            return tool.context
        run = self._conversation.run_of(asked)
        return None if run is None else run.context

    def _now(self) -> int:
        return self._began + perf_counter_ns()


def _said_in(data: str, *, with_content: bool) -> Fields:
    """What a frame says of runs. A prompt may have megabytes: it is neither kept nor parsed for nobody."""
    head = _KIND.match(data)
    kind = None if head is None else head[1]
    if kind is not None and kind not in _SAYING:
        return NO_FIELDS
    if kind == "user" and not with_content:
        return {"type": kind}
    frame = fields(json.loads(data))
    return {"type": "user"} if frame.get("type") == "user" and not with_content else frame
