"""The record of one run of an agent: what it asked, what it executed, and what that cost. Pure.

In: calls of the API and executions of tools, as they begin and end, on any thread. Out: sums, in which the runs inside
it are included.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from otel_claude.agents.arguments import digest
from otel_claude.agents.requests import Key, Request, Requests

Outcome = Literal["completed", "failed", "cancelled", "abandoned"]
"""How a run ended: at its end, with an exception, cancelled, or left by the application before its end."""


def outcome_of(error: BaseException | None) -> Outcome:
    """How a run ends that ends with `error`."""
    if error is None:
        return "completed"
    if isinstance(error, GeneratorExit):
        return "abandoned"
    return "failed" if isinstance(error, Exception) else "cancelled"


# Held for some additions at a time. A finalizer that runs meanwhile may end a run on the same thread.
_counting = threading.RLock()
os.register_at_fork(before=_counting.acquire, after_in_parent=_counting.release, after_in_child=_counting.release)


@dataclass(slots=True)
class Sums:
    """Sums over calls, so far, or what is added to them. `None`: not wholly known.

    Of the `calls` that have been sent, so many have `ended`. Costs are picodollars: their order does not matter then.
    """

    iterations: int | None = 0
    tool_calls: int | None = 0
    calls: int = 0
    ended: int = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cost: int | None = 0

    def add(self, more: "Sums") -> None:
        """Adds others. What is not known of them is not known of the sums."""
        self.calls += more.calls
        self.ended += more.ended
        self.iterations = _added(self.iterations, more.iterations)
        self.tool_calls = _added(self.tool_calls, more.tool_calls)
        self.input_tokens = _added(self.input_tokens, more.input_tokens)
        self.output_tokens = _added(self.output_tokens, more.output_tokens)
        self.cost = _added(self.cost, more.cost)

    def known(self) -> "Sums":
        """The same as they are now: while a call goes on, nobody knows what it is going to add."""
        if self.calls == self.ended:
            return self
        return replace(self, input_tokens=None, output_tokens=None, cost=None)


UNKNOWN = Sums(iterations=None, tool_calls=None, input_tokens=None, output_tokens=None, cost=None)
"""Those of what nobody knows anything of."""


@dataclass(slots=True, eq=False)
class Run:
    """One run. Made when it starts, finished once.

    `started_at` and `ended_at` are nanoseconds of the monotonic clock, `start_time` nanoseconds since the epoch, and
    `active_at` is when it last did something. `owns_span` is false where the span is the SDK's own; `replaces` is true
    where the SDK's own spans of the run, if it makes any, give way. `native`: it is a run of the SDK's, which has asked
    for its own span once that is `native_claimed`. `silent`: the application wants no telemetry of it.

    `failure` is the class of the exception that ended it. `inside` are how many steps of runs go on inside of it.
    """

    name: str | None
    parent: "Run | None" = None
    started_at: int = 0
    start_time: int = 0
    provider: str | None = None
    model: str | None = None
    conversation: str | None = None
    content_mode: str = "NO_CONTENT"
    owns_span: bool = True
    replaces: bool = False
    native: bool = False
    native_claimed: bool = False
    silent: bool = False
    tracer: Any = None
    span: Any = None
    context: Any = None
    who: Mapping[str, str] = field(default_factory=dict[str, str])
    counted_for: Mapping[str, str] = field(default_factory=dict[str, str])
    sums: Sums = field(default_factory=Sums)
    active_at: int = 0
    ended_at: int | None = None
    error_type: str | None = None
    failure: str | None = None
    outcome: Outcome | None = None
    finished: bool = False
    unsettled: list[Callable[[], bool]] = field(default_factory=list[Callable[[], bool]])
    requests: Requests = field(default_factory=Requests)
    inside: int = 0

    @property
    def duration_s(self) -> float:
        """Seconds from the start to the end of the run."""
        return ((self.ended_at or self.started_at) - self.started_at) / 1e9

    def enter_step(self) -> None:
        """It goes on: meanwhile nobody knows the sums of those that it is inside of."""
        with _counting:
            for run in self._ancestors():
                run.inside += 1

    def leave_step(self) -> None:
        """It waits for others, or has ended."""
        with _counting:
            for run in self._ancestors():
                run.inside -= 1

    def count(self, more: Sums) -> None:
        """Adds what was done in it, such as a call of the API that is sent, or has ended."""
        with _counting:
            for run in self.lineage():
                run.sums.add(more)

    def expect(self, is_settled: Callable[[], bool]) -> None:
        """Something goes on in it that tells only later what it has done, and has told all once it `is_settled`."""
        with _counting:
            for run in self.lineage():
                waiting = [each for each in run.unsettled if each != is_settled and not each()]
                run.unsettled = [*waiting, is_settled]

    @property
    def known_sums(self) -> Sums:
        """The sums as far as they are known now. Of what goes on in it nobody knows what it is going to add."""
        with _counting:
            is_known = not self.inside and all(is_settled() for is_settled in self.unsettled)
            return self.sums.known() if is_known else UNKNOWN

    def lose(self, other: "Run | None") -> None:
        """Something that was asked for in it was done in `other`, and nobody can tell the two apart."""
        with _counting:
            elsewhere = [] if other is None else list(other.lineage())
            for run in self.lineage():
                if run not in elsewhere:
                    run.sums.add(UNKNOWN)

    def lineage(self) -> Iterator["Run"]:
        """The run and those that it is inside of, the innermost first."""
        yield self
        yield from self._ancestors()

    def _ancestors(self) -> Iterator["Run"]:
        """Those that have ended are let go: runs that start each other would keep each other."""
        run = self
        while run.parent is not None:
            if run.parent.finished:
                run.parent = run.parent.parent
            else:
                run = run.parent
                yield run

    def ask(self, requests: Iterable[tuple[str, str, Any]], answer: object) -> None:
        """Takes the ids, names and arguments of the tools that an `answer` of the model wants to be executed."""
        asked = [(identity, (name, digest(arguments))) for identity, name, arguments in requests]
        with _counting:
            self.requests.ask(asked, answer)

    def execute(self, key: Key, identity: str | None = None) -> Request:
        """Adds the execution of a tool, and tells which request it answers: `identity` where that is known.

        A request is one call of the tool, however often it is tried.
        """
        with _counting:
            request = self.requests.execute(key, identity)
            for run in self.lineage():
                if run.requests.is_first(request.call):
                    run.sums.tool_calls = _added(run.sums.tool_calls, 1)
        return request

    def repeat(self, key: Key) -> int:
        """How often a tool has been called with these arguments, by one whose calls are counted elsewhere."""
        with _counting:
            return self.requests.repeat(key)

    def unanswered(self, identity: str) -> str | None:
        """The tool that a request is for, where it has not been executed. It is not waited for any more."""
        with _counting:
            return self.requests.unanswered(identity)


def _added(total: int | None, value: int | None) -> int | None:
    return None if total is None or value is None else total + value
