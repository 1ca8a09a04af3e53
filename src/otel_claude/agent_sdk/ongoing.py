"""What is going on on a connection: runs, the answers in them, and the tools they use. Pure.

In: what starts and ends, as `conversation` reads it from frames. Out: `Step`s. Each thing starts once and ends once.

The sums of a turn are those of everything on the connection since the turn before it has ended. So they agree with what
the CLI counts, of subagents that go on from turn to turn as well.
"""

from collections import deque
from typing import Any

from otel_claude.agent_sdk.runs import Answer, Outcome, Run, Step, Thing, ToolUse
from otel_claude.agent_sdk.tools import described, was_executed
from otel_claude.agents.execution import CANCELLED
from otel_claude.values import Fields, fields, text

LAUNCHERS = frozenset({"Agent", "Task"})
"""The tools that start subagents."""

REMEMBERED = 256
"""How many of the last ids of answers and tools that have ended are known, for frames that come late or twice."""


class Ongoing:
    """All that has started and not ended. `forwards`: the CLI tells of all that subagents say.

    `finished` has a turn for each subagent that has finished in the background, in their order: the one that it began
    in. The CLI goes back to each of them, in a turn of its own.
    """

    def __init__(self) -> None:
        self.turn: Run | None = None
        self.tools: dict[str, ToolUse] = {}
        self.forwards = False
        self.finished: deque[Run] = deque()
        self._finished_before = 0
        self._worked: list[Run] = []
        self._subagents: dict[str, Run] = {}
        self._launchers: dict[str, ToolUse] = {}
        self._iterations: int | None = 0
        self._tool_calls = 0
        self._over: deque[str] = deque(maxlen=REMEMBERED)
        self._steps: list[Step] = []

    @property
    def is_settled(self) -> bool:
        """Whether nothing goes on, and a result has told of all that went on."""
        return self.turn is None and not self._subagents and not self.finished

    def take(self) -> list[Step]:
        """The steps since the last time."""
        steps, self._steps = self._steps, []
        return steps

    def step(self, what: Any, thing: Thing) -> None:
        """Adds a step."""
        self._steps.append(Step(what, thing))

    def start_turn(self, turn: Run) -> None:
        """A turn begins."""
        self.turn = turn
        self._finished_before = len(self.finished)
        self.step("start", turn)

    def go_back(self) -> Run | None:
        """The turn that the CLI goes back to next, if there is one."""
        if not self.finished:
            return None
        self._finished_before -= 1
        return self.finished.popleft()

    def rest(self) -> None:
        """The CLI has nothing to do, so it goes back to nothing."""
        self.finished.clear()
        self._finished_before = 0

    def _pass_over(self) -> None:
        """Goes back to none of those that had finished when a turn began or ended last."""
        for _ in range(self._finished_before):
            self.finished.popleft()
        self._finished_before = 0

    def end_turn(self, turn: Run, at: int, outcome: Outcome, error_type: str | None) -> None:
        """A turn ends, with all that it waits for. Subagents in the background go on."""
        for run in self._runs():
            if run.turn is turn and not run.backgrounded:
                self.end_subagent(run, at, "cancelled", None)
        self._end_inside(turn, at)
        turn.iterations, turn.tool_calls = self._iterations, self._tool_calls
        turn.input_tokens = None if turn.spend is None else turn.spend.input
        turn.outcome, turn.error_type, turn.ended_at = outcome, error_type, at
        turn.beside = [run.turn.caller for run in self._worked if run.turn is not turn]
        self._worked = self._runs()
        self.turn = None
        if turn.origin is None:
            # The model was told with the prompt of those that had finished by then.
            self._pass_over()
        self._finished_before = len(self.finished)
        self._launchers = {key: tool for key, tool in self._launchers.items() if key in self._subagents}
        self._tool_calls = 0
        self._iterations = 0 if all(run.visible for run in self._runs()) else None
        self.step("end", turn)

    def end_all(self, at: int, outcome: Outcome, error_type: str | None) -> None:
        """Everything ends: the connection is closed, or broken."""
        if self.turn is None:
            # The last result has told of what had finished by then, and nothing is gone back to any more.
            self._pass_over()
        for run in self._runs():
            self.end_subagent(run, at, "failed" if error_type else "cancelled", error_type)
        if self.turn is not None:
            self.end_turn(self.turn, at, outcome, error_type)

    def subagent(self, *keys: object) -> Run | None:
        """The subagent with one of these ids: that of its task, or of the tool use that has launched it."""
        return next((run for key in keys if (run := self._subagents.get(str(key))) is not None), None)

    def launcher(self, key: object) -> ToolUse | None:
        """The tool use that launches a subagent, or may yet."""
        return self._launchers.get(str(key)) or self.tools.get(str(key))

    def start_subagent(self, launcher: ToolUse, at: int, frame: Fields) -> Run:
        """A tool has launched a subagent, as the frame of a task, or the first one of the subagent's, says."""
        asked = fields(launcher.arguments)
        backgrounded = frame.get("is_backgrounded") is True
        run = Run(
            at,
            launcher,
            launcher.run.caller,
            name=text(frame.get("subagent_type")) or text(asked.get("subagent_type")),
            provider=launcher.run.provider,
            backgrounded=backgrounded,
            visible=backgrounded or self.forwards,
            asked_at=at,
            input_tokens=0,
        )
        for key in (launcher.id, frame.get("task_id"), frame.get("agent_id")):
            if isinstance(key, str):
                self._subagents[key] = run
        if not run.visible:
            self._iterations = None
            for outer in _subagents_around(run):
                outer.iterations = outer.input_tokens = None
        self._worked.append(run)
        self.step("start", run)
        return run

    def end_subagent(self, run: Run, at: int, outcome: Outcome, error_type: str | None) -> None:
        """A subagent ends, with those that it waits for."""
        if run not in self._runs():
            return
        self._subagents = {key: known for key, known in self._subagents.items() if known is not run}
        for inner in self._runs():
            if run in inner.lineage() and not inner.backgrounded:
                self.end_subagent(inner, at, "cancelled", None)
        self._end_inside(run, at)
        self._launchers = {key: tool for key, tool in self._launchers.items() if tool is not run.launcher}
        run.outcome, run.error_type, run.ended_at = outcome, error_type, at
        if run.backgrounded:
            self.finished.append(run.turn)
        self.step("end", run)

    def answer(self, run: Run, message: Fields, at: int) -> Answer | None:
        """The answer that a message is a part of. It is over when the next one of its run begins, or the run ends.

        `None`: it has no id, or is over.
        """
        identity = text(message.get("id"))
        if identity is None or identity in self._over:
            return None
        answer = run.answer
        if answer is None or answer.id != identity:
            self._end_answer(run)
            answer = run.answer = Answer(identity, run, run.asked_at, at, text(message.get("model")))
            self._iterations = None if self._iterations is None else self._iterations + 1
            for outer in _subagents_around(run):
                outer.iterations = None if outer.iterations is None else outer.iterations + 1
            self.step("start", answer)
        answer.ended_at = run.asked_at = at
        return answer

    def start_tool(self, block: Fields, run: Run, at: int, session: Fields) -> None:
        """A run uses a tool, as a block of an answer says. It may have started before its block came."""
        identity, name = text(block.get("id")), text(block.get("name"))
        if identity is None or name is None or identity in self._over:
            return
        tool = self.tools.get(identity)
        if tool is None:
            tool = self.tools[identity] = described(ToolUse(identity, name, run, at), block, session)
            if name in LAUNCHERS:
                self._launchers[identity] = tool
            self.step("start", tool)
        tool.arguments = block.get("input")

    def end_tool(self, tool: ToolUse, at: int, error_type: str | None) -> None:
        """A tool has been executed, or will not be."""
        del self.tools[tool.id]
        self._over.append(tool.id)
        tool.ended_at, tool.error_type = at, error_type
        if was_executed(tool):
            self._tool_calls += 1
            for run in _subagents_around(tool.run):
                run.tool_calls += 1
        self.step("end", tool)

    def _runs(self) -> list[Run]:
        return list(dict.fromkeys(self._subagents.values()))

    def _end_inside(self, run: Run, at: int) -> None:
        self._end_answer(run)
        for tool in [tool for tool in self.tools.values() if tool.run is run]:
            self.end_tool(tool, at, CANCELLED)

    def _end_answer(self, run: Run) -> None:
        answer, run.answer = run.answer, None
        if answer is None:
            return
        self._over.append(answer.id)
        prompt = answer.usage.prompt
        for outer in _subagents_around(run):
            known = outer.input_tokens
            outer.input_tokens = None if known is None or prompt is None else known + prompt
        self.step("end", answer)


def _subagents_around(run: Run) -> list[Run]:
    """The subagents that a run is, or is inside of, and that go on. Turns are counted by themselves."""
    return [outer for outer in run.lineage() if outer.launcher is not None and outer.ended_at is None]
