"""The record of one connection to the Claude CLI: what its frames say of runs, answers and tools. Pure, and total.

In: the frames that pass, in both directions, as the JSON that they are, with the time of their passing. Out: for each
frame the `Step`s that it makes: what starts, what ends, what is to be told of. Whatever frames come, in whatever order,
each thing starts once and ends once; what is still open at the end, `close` ends.

A frame belongs to the run whose `Agent` tool its `parent_tool_use_id` names, or to the turn. A turn begins when the
application sends a prompt, or, where it has sent none, with the first frame of an answer: the CLI asks the model on its
own when a subagent has finished in the background.

The CLI takes all prompts that are there when it starts to run as one turn. Those that are sent later wait for turns of
their own, or the CLI answers them in the turn that is going on, which it does not say: a prompt that still waits when
the CLI has become idle twice was answered.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from otel_claude.agent_sdk.frames import SYNTHETIC, about, ending_of, is_launched, objects
from otel_claude.agent_sdk.limits import Limits
from otel_claude.agent_sdk.ongoing import Ongoing
from otel_claude.agent_sdk.providers import PROVIDER
from otel_claude.agent_sdk.runs import TERMINAL, Limit, Outcome, Prompt, Run, Step, ToolUse
from otel_claude.agent_sdk.spend import Totals
from otel_claude.agent_sdk.tools import PERMISSION_DENIED, error_of, is_result, is_use
from otel_claude.usage import merge
from otel_claude.values import NO_FIELDS, Fields, fields, is_object, number, text


class Conversation:
    """One connection. `new`: it is known that no earlier conversation is resumed in it. `provider`: who answers."""

    def __init__(self, *, new: bool, provider: str = PROVIDER) -> None:
        self._provider = provider
        self._ongoing = Ongoing()
        self._totals = Totals(new=new, provider=provider)
        self._limits = Limits()
        self._prompts: deque[Prompt] = deque()
        self._asked: Prompt | None = None
        self._taken = self._lost = False
        self._state: str | None = None
        self._last: Run | None = None
        self._last_asked: Run | None = None
        self._session: Fields = NO_FIELDS
        self._ready_at: int | None = None
        # Frames of other types say nothing of runs.
        self._readers: Mapping[str, Callable[[Fields, int], None]] = {
            "assistant": self._assistant,
            "user": self._user,
            "stream_event": self._stream_event,
            "control_request": self._control_request,
            "result": self._result,
            "system": self._system,
            "rate_limit_event": self._rate_limit,
            "conversation_reset": self._reset,
        }

    @property
    def turn(self) -> Run | None:
        """The turn that is going on."""
        return self._ongoing.turn

    def is_settled(self) -> bool:
        """Whether the results that have come tell of all that was asked for."""
        return self._ongoing.is_settled and not self._prompts and not self._lost

    def tool(self, identity: object) -> ToolUse | None:
        """The use of a tool that is going on, by its id."""
        return self._ongoing.tools.get(str(identity))

    def run_of(self, said: Fields) -> Run | None:
        """The run that a frame, or the input of a hook, is about."""
        return self._ongoing.subagent(said.get("agent_id"), said.get("parent_tool_use_id")) or self.turn

    def open(self, at: int, caller: Any) -> list[Step]:
        """The application has asked for a turn, whose prompt follows."""
        if self.turn is None:
            self._begin(at, caller)
        return self._ongoing.take()

    def sent(self, frame: Fields, at: int, caller: Any = None) -> list[Step]:
        """The application sends a frame, in the context `caller`."""
        kind = frame.get("type")
        if kind == "control_request":
            request = fields(frame.get("request"))
            if request.get("subtype") == "initialize":
                self._ongoing.forwards = request.get("forwardSubagentText") is True
        elif kind == "user":
            self._ask(Prompt(caller, fields(frame.get("message")).get("content"), at))
        return self._ongoing.take()

    def _ask(self, prompt: Prompt) -> None:
        turn = self.turn
        if turn is None:
            if self._prompts and self._state == "running":
                # The next turn is that of the prompt that waits, unless the CLI is about to say that it is idle.
                self._prompts.append(prompt)
                return
            if self._state == "idle":
                self._prompts.clear()
            turn = self._begin(prompt.at, prompt.caller)
        if turn.prompted or turn.follows is not None:
            self._prompts.append(prompt)
            if not self._taken and turn.follows is None:
                turn.joined.append(prompt)
        else:
            self._give(turn, prompt)
            turn.asked_at = prompt.at

    def _give(self, turn: Run, prompt: Prompt) -> None:
        self._asked = prompt
        turn.prompted, turn.prompt = True, prompt.content

    def received(self, frame: Fields, at: int) -> list[Step]:
        """A frame comes from the CLI."""
        read = self._readers.get(str(frame.get("type")))
        if read is not None:
            read(frame, at)
        return self._ongoing.take()

    def close(self, at: int, outcome: Outcome, error_type: str | None = None) -> list[Step]:
        """Nothing more will come."""
        self._ongoing.end_all(at, outcome, error_type)
        self._lost = self._lost or bool(self._prompts)
        self._prompts.clear()
        return self._ongoing.take()

    def _begin(self, at: int, caller: Any, follows: Run | None = None) -> Run:
        turn = Run(at, caller=caller, provider=self._provider, asked_at=at, follows=follows)
        self._introduce(turn)
        self._taken = False
        self._ongoing.start_turn(turn)
        return turn

    def _introduce(self, turn: Run) -> None:
        turn.model = text(self._session.get("model"))
        turn.session = text(self._session.get("session_id"))

    def _current(self, at: int) -> Run:
        """The turn that is going on, or else the next one: that of a prompt that waits, or one of the CLI's own."""
        if self.turn is not None:
            return self.turn
        began = at if self._ready_at is None else self._ready_at
        if self._prompts:
            return self._next(began)
        earlier = self._earlier()
        return self._begin(began, None if earlier is None else earlier.caller, earlier)

    def _next(self, began: int) -> Run:
        """The turn of the prompt that has waited longest."""
        prompt = self._prompts.popleft()
        turn = self._begin(began, prompt.caller)
        self._give(turn, prompt)
        return turn

    def _earlier(self) -> Run | None:
        """The turn that the CLI goes back to on its own: that of a subagent that has finished, or the last prompt's."""
        return self._ongoing.go_back() or self._last_asked

    def _result(self, frame: Fields, at: int) -> None:
        turn = self._current(at)
        turn.session = text(frame.get("session_id")) or turn.session
        turn.spend = self._totals.spent(frame)
        turn.origin = text(fields(frame.get("origin")).get("kind"))
        if turn.origin == "human":
            turn.origin = None
        if turn.origin is not None and turn.prompted and self._asked is not None:
            # The CLI had something to do first, so the prompt still waits for its turn.
            self._prompts.appendleft(self._asked)
            turn.prompt, turn.follows = None, self._earlier()
            turn.joined.clear()
        for denied in objects(frame.get("permission_denials")):
            if (tool := self.tool(denied.get("tool_use_id"))) is not None:
                self._ongoing.end_tool(tool, at, PERMISSION_DENIED)
        self._ongoing.end_turn(turn, at, *ending_of(turn, frame))
        self._last, self._asked, self._ready_at = turn, None, None
        if turn.origin is None:
            self._last_asked = turn

    def _system(self, frame: Fields, at: int) -> None:
        subtype = frame.get("subtype")
        if subtype == "init":
            self._session, self._ready_at, self._taken = frame, at, True
            if self.turn is not None:
                self._introduce(self.turn)
        elif subtype == "session_state_changed":
            self._state = text(frame.get("state"))
            self._taken = self._taken or self._state == "running"
            if self._state == "idle" and self.turn is None:
                self._ongoing.rest()
                self._idle()
        elif subtype == "task_started":
            self._task_started(frame, at)
        elif subtype in ("task_notification", "task_updated"):
            run = self._ongoing.subagent(frame.get("task_id"), frame.get("tool_use_id"))
            status = frame.get("status") or fields(frame.get("patch")).get("status")
            if run is not None and isinstance(status, str) and status in TERMINAL:
                self._ongoing.end_subagent(run, at, *TERMINAL[status])

    def _idle(self) -> None:
        """The CLI has nothing to do, as far as it knew when it said so: it may not yet have read the last prompts."""
        answered_at = 0 if self._last is None or self._last.ended_at is None else self._last.ended_at
        later = [prompt for prompt in self._prompts if prompt.at > answered_at]
        doubted = [prompt._replace(doubted=True) for prompt in self._prompts if not prompt.doubted]
        self._prompts = deque(later or doubted)
        if later:
            self._next(later[0].at)

    def _task_started(self, frame: Fields, at: int) -> None:
        """Tasks that are no subagents, such as shells in the background, are none of ours."""
        launcher = self._ongoing.launcher(frame.get("tool_use_id"))
        if launcher is None or frame.get("task_type", "local_agent") != "local_agent":
            return
        if self._ongoing.subagent(launcher.id) is None:
            self._ongoing.start_subagent(launcher, at, frame)

    def _thread(self, frame: Fields, at: int) -> Run | None:
        """The run that an answer belongs to. The first answer of a subagent begins it, if nothing has before.

        One of a subagent that is not known begins no turn: nobody has asked the main agent.
        """
        launched_by = frame.get("parent_tool_use_id")
        if launched_by is None:
            return self._current(at)
        run = self._ongoing.subagent(frame.get("agent_id"), launched_by)
        if run is not None:
            return run
        launcher = self._ongoing.launcher(launched_by)
        return self.turn if launcher is None else self._ongoing.start_subagent(launcher, at, frame)

    def _assistant(self, frame: Fields, at: int) -> None:
        message = fields(frame.get("message"))
        run = self._thread(frame, at)
        if run is None:
            return
        if message.get("model") == SYNTHETIC:
            run.said_error = text(frame.get("api_error_type")) or text(frame.get("error"))
            return
        blocks = objects(message.get("content"))
        answer = self._ongoing.answer(run, message, at)
        if answer is not None:
            answer.blocks += blocks
            answer.request_id = text(frame.get("request_id")) or answer.request_id
            answer.stop_reason = text(message.get("stop_reason")) or answer.stop_reason
            if not answer.streamed and is_object(usage := message.get("usage")):
                answer.said = usage
        for block in blocks:
            if is_use(block):
                self._ongoing.start_tool(block, run, at, self._session)
            else:
                self._used(block, NO_FIELDS, at)

    def _stream_event(self, frame: Fields, at: int) -> None:
        event = fields(frame.get("event"))
        kind = event.get("type")
        if kind == "message_start":
            message = fields(event.get("message"))
            run = self._thread(frame, at)
            answer = None if run is None else self._ongoing.answer(run, message, at)
            if answer is not None:
                answer.said = fields(message.get("usage"))
        elif kind == "message_delta":
            run = self.run_of(frame)
            if run is not None and (answer := run.answer) is not None:
                answer.said = merge(answer.said, fields(event.get("usage")))
                answer.streamed = True
                answer.stop_reason = text(fields(event.get("delta")).get("stop_reason"))
                answer.ended_at = run.asked_at = at

    def _user(self, frame: Fields, at: int) -> None:
        meta = {str(said.get("id")): said for said in objects(frame.get("tool_result_meta"))}
        for block in objects(fields(frame.get("message")).get("content")):
            identity = block.get("tool_use_id")
            run = self._ongoing.subagent(identity)
            if run is not None and not is_launched(frame):
                self._ongoing.end_subagent(run, at, "completed", None)
            self._used(block, meta.get(str(identity), NO_FIELDS), at)

    def _used(self, block: Fields, meta: Fields, at: int) -> None:
        tool = self.tool(block.get("tool_use_id")) if is_result(block) else None
        if tool is not None:
            tool.result, tool.run.asked_at = block, at
            self._ongoing.end_tool(tool, at, error_of(block, meta))

    def _control_request(self, frame: Fields, at: int) -> None:
        """The CLI asks for something on behalf of a tool, which may be before the block of its use comes."""
        asked = about(frame)
        identity, name = asked.get("tool_use_id"), asked.get("tool_name")
        if self.tool(identity) is None and asked.get("hook_event_name", "PreToolUse") == "PreToolUse":
            block = {"id": identity, "name": name, "input": asked.get("input", asked.get("tool_input"))}
            run = self.run_of(asked)
            if run is not None:
                self._ongoing.start_tool(block, run, at, self._session)

    def _rate_limit(self, frame: Fields, at: int) -> None:
        said = fields(frame.get("rate_limit_info"))
        name = text(said.get("rateLimitType"))
        if name is not None:
            used, resets_at = number(said.get("utilization")), number(said.get("resetsAt"))
            limit = Limit(name, text(said.get("status")), used, resets_at, self.turn)
            if self._limits.is_news(limit, at / 1e9):
                self._ongoing.step("tell", limit)

    def _reset(self, frame: Fields, at: int) -> None:
        self._totals.reset()
