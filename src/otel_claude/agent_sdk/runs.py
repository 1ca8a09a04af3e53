"""What a connection to the Claude CLI is made of: runs of agents, the answers in them, and the tools they use. Pure.

In: facts, from `conversation`. Out: the same facts, for emitting. What holds spans and contexts is opaque here.

A *turn* is one run of the main agent, from a prompt to its result. A *subagent* is a run that a tool of another run has
started; it may go on when the turn that it began in has ended. An *answer* is one response of the API, whose blocks
come in several frames. Times are nanoseconds of one clock.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from otel_claude.agent_sdk.providers import PROVIDER
from otel_claude.agent_sdk.spend import Spend
from otel_claude.agents.run import Outcome
from otel_claude.agents.run import Run as Record
from otel_claude.usage import Usage, read
from otel_claude.values import Fields


class Prompt(NamedTuple):
    """What the application has asked, and when, in the context `caller`.

    `doubted`: the CLI was idle when it had been sent, so that it may have been answered with another one.
    """

    caller: Any
    content: Any
    at: int
    doubted: bool = False


@dataclass(slots=True, eq=False)
class Run:
    """A turn, or a subagent, which has a `launcher`: the use of a tool that has started it.

    `caller` is the context in which the application has asked for it, and `follows` the turn that a turn goes back to
    for which nobody has asked; `origin` is the CLI's word for such a one. `prompted`: its prompt has been sent, and
    `joined` are others that the CLI answers with it. `beside` are the callers of other turns, of which subagents have
    worked since the result before: the sums of this turn include those. `visible`: the CLI tells of all answers in it.
    `asked_at` is when the last thing happened that a model could answer. `record` is how the application's own agents
    and tools know the run, with what they have done in it.

    The sums are those of the whole run, runs inside it included. `None`: not known.
    """

    started_at: int
    launcher: "ToolUse | None" = None
    caller: Any = None
    follows: "Run | None" = None
    origin: str | None = None
    prompted: bool = False
    prompt: Any = None
    joined: list[Prompt] = field(default_factory=list[Prompt])
    beside: list[Any] = field(default_factory=list[Any])
    name: str | None = None
    provider: str = PROVIDER
    backgrounded: bool = False
    visible: bool = True
    model: str | None = None
    session: str | None = None
    asked_at: int = 0
    answer: "Answer | None" = None
    said_error: str | None = None
    iterations: int | None = 0
    tool_calls: int = 0
    input_tokens: int | None = None
    spend: Spend | None = None
    record: Record = field(default_factory=lambda: Record(None))
    outcome: Outcome = "completed"
    error_type: str | None = None
    ended_at: int | None = None
    span: Any = None
    context: Any = None

    def lineage(self) -> "Iterator[Run]":
        """The run and those that it is inside of, the innermost first."""
        run: Run | None = self
        while run is not None:
            yield run
            run = None if run.launcher is None else run.launcher.run

    @property
    def turn(self) -> "Run":
        """The turn in which it began."""
        *_, turn = self.lineage()
        return turn


@dataclass(slots=True, eq=False)
class Answer:
    """One response of the API. `streamed`: its usage is whole, as the last event of its stream says it."""

    id: str
    run: Run
    started_at: int
    ended_at: int
    model: str | None = None
    request_id: str | None = None
    said: Fields = field(default_factory=dict[str, Any])
    streamed: bool = False
    stop_reason: str | None = None
    blocks: list[Any] = field(default_factory=list[Any])
    span: Any = None
    context: Any = None

    @property
    def usage(self) -> Usage:
        """What is known of its tokens. How long the output is, only the end of a stream says."""
        usage = read(self.said)
        return usage if self.streamed else usage._replace(output=None, thinking=None)


@dataclass(slots=True, eq=False)
class ToolUse:
    """One use of a tool. `kind` is `client`, `server` (the API's own) or `mcp`, on `server`.

    `in_process`: the application executes it, and not the CLI. `repeats` is how often its run has used it with these
    arguments, this time included.
    """

    id: str
    name: str
    run: Run
    started_at: int
    kind: str = "client"
    server: str | None = None
    in_process: bool = False
    repeats: int = 1
    arguments: Any = None
    result: Any = None
    error_type: str | None = None
    ended_at: int | None = None
    span: Any = None
    context: Any = None
    record: Any = None


class Limit(NamedTuple):
    """What the CLI says of a rate limit. `resets_at` is seconds since the epoch, `used` a share from 0 to 1."""

    name: str
    status: str | None
    used: float | None
    resets_at: float | None
    run: Run | None


Thing = Run | Answer | ToolUse | Limit


class Step(NamedTuple):
    """Something starts, ends, or is told of."""

    what: Literal["start", "end", "tell"]
    thing: Thing


TERMINAL: Mapping[str, tuple[Outcome, str | None]] = {
    "completed": ("completed", None),
    "failed": ("failed", "subagent_failed"),
    "stopped": ("cancelled", None),
    "killed": ("cancelled", None),
}
"""The states of a task in which it has ended, with the outcome and the `error.type` of its run."""
