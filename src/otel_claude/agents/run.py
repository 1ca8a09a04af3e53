"""The record of one run of an agent: what it asked, what it executed, and what that cost. Pure.

In: calls of the API and executions of tools, as they end, on any thread. Out: sums, in which the runs inside it are
included, and what is needed to tell which request of the model an execution answers, and how often it was made before.
"""

import os
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from otel_claude.agents.arguments import digest

Outcome = Literal["completed", "failed", "cancelled", "abandoned"]
"""How a run ended: at its end, with an exception, cancelled, or left by the application before its end."""

MOST_REMEMBERED = 2_000
"""How many executions, and how many requests for one, are remembered of a run. The oldest are forgotten."""

# Held for some additions at a time. A finalizer that runs meanwhile may end a run on the same thread.
_counting = threading.RLock()
os.register_at_fork(before=_counting.acquire, after_in_parent=_counting.release, after_in_child=_counting.release)

Key = tuple[str, bytes | None]


@dataclass(slots=True)
class Sums:
    """Sums over calls, so far. `None`: not wholly known. Costs are picodollars: their order does not matter then."""

    iterations: int = 0
    tool_calls: int = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cost: int | None = 0


@dataclass(slots=True, eq=False)
class Run:
    """One run. Made when it starts, finished once.

    `started_at` and `ended_at` are nanoseconds of the monotonic clock, `start_time` nanoseconds since the epoch, and
    `active_at` is when it last did something. `owns_span` is false where the span is the SDK's own; `replaces` is true
    where the SDK's own spans of the run, if it makes any, give way. `native`: it is a run of the SDK's, which has asked
    for its own span once that is `native_claimed`. `silent`: the application wants no telemetry of it.

    `failure` is the class of the exception that ended it.
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
    _asked: dict[Key, tuple[object, deque[str]]] = field(default_factory=dict[Key, tuple[object, deque[str]]])
    _names: dict[str, str] = field(default_factory=dict[str, str])
    _repeats: dict[Key, int] = field(default_factory=dict[Key, int])

    @property
    def duration_s(self) -> float:
        """Seconds from the start to the end of the run."""
        return ((self.ended_at or self.started_at) - self.started_at) / 1e9

    def count_call(self, *, input_tokens: int | None, output_tokens: int | None, cost: int | None) -> None:
        """Adds a call of the API. What is not known of it makes the sum unknown. `cost` is in picodollars."""
        with _counting:
            run: Run | None = self
            while run is not None:
                sums = run.sums
                sums.iterations += 1
                sums.input_tokens = _added(sums.input_tokens, input_tokens)
                sums.output_tokens = _added(sums.output_tokens, output_tokens)
                sums.cost = _added(sums.cost, cost)
                run = run.parent

    def count_tool(self) -> None:
        """Adds the execution of a tool."""
        with _counting:
            run: Run | None = self
            while run is not None:
                run.sums.tool_calls += 1
                run = run.parent

    def ask(self, requests: list[tuple[str, str, Any]], answer: object) -> None:
        """Takes the ids, names and arguments of the tools that an answer of the model wants to be executed.

        `answer` is any object that stands for the answer, which may come bit by bit. The same request in an earlier
        answer is not waited for any more.
        """
        keys = [(name, digest(arguments)) for _, name, arguments in requests]
        with _counting:
            for key, (identity, name, _) in zip(keys, requests, strict=True):
                asking, waiting = self._asked.pop(key, (None, None))
                if waiting is None or asking is not answer:
                    waiting = deque[str]()
                waiting.append(identity)
                self._asked[key] = answer, waiting
                self._names[identity] = name
            _forget(self._asked)
            _forget(self._names)

    def take(self, key: Key, identity: str | None = None) -> str | None:
        """The id of the request that an execution answers: `identity` where it is known.

        Else the one for this tool with these arguments that has waited longest. `None`: nobody has asked for it.
        """
        with _counting:
            _, waiting = self._asked.get(key, (None, None))
            if waiting is not None and key[1] is not None:
                if identity is None:
                    identity = waiting.popleft()
                elif identity in waiting:
                    waiting.remove(identity)
                if not waiting:
                    del self._asked[key]
            if identity is not None:
                self._names.pop(identity, None)
        return identity

    def unanswered(self, identity: str) -> str | None:
        """The tool that a request is for, where it has not been executed. It is not waited for any more."""
        with _counting:
            return self._names.pop(identity, None)

    def repeats(self, key: Key) -> int:
        """How often a tool has been called with these arguments, this time included. 1 where nobody can tell."""
        if key[1] is None:
            return 1
        with _counting:
            # What is put last is forgotten last.
            self._repeats[key] = times = self._repeats.pop(key, 0) + 1
            _forget(self._repeats)
        return times


def _added(total: int | None, value: int | None) -> int | None:
    return None if total is None or value is None else total + value


def _forget(remembered: dict[Any, Any]) -> None:
    while len(remembered) > MOST_REMEMBERED:
        del remembered[next(iter(remembered))]


def is_told(times: int) -> bool:
    """Whether the repetition of an execution is worth an event: the third, and each doubling of that."""
    thirds, rest = divmod(times, 3)
    return rest == 0 and thirds > 0 and thirds & (thirds - 1) == 0
