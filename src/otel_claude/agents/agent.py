"""`otel_claude.agent`: one line that makes a run of what an application does by hand.

with otel_claude.agent("researcher"):
    ...

@otel_claude.agent("researcher")
async def research(question): ...
"""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from types import CodeType, FrameType, TracebackType
from typing import Any, TypeVar, overload

from otel_claude.agents.functions import in_scope, name_of
from otel_claude.agents.live import live
from otel_claude.agents.run import Run
from otel_claude.agents.scope import NO_SCOPE, Scope, Step
from otel_claude.failsafe import guarded

_Function = TypeVar("_Function", bound=Callable[..., Any])


MOST_OPEN = 10_000
"""How many runs of an agent may be open at a time. The oldest are forgotten, and have no end."""

Caller = tuple[int, CodeType | None]
"""Who enters, or leaves: a frame by its identity, and its code."""


class Entry:
    """One time that an agent was entered, whether that has made a run or not."""

    __slots__ = ("agent", "caller", "is_open", "scope", "step")

    def __init__(self, agent: "Agent", caller: Caller, scope: Scope) -> None:
        self.agent = agent
        self.caller = caller
        self.scope = scope
        self.step: Step = scope.step()
        self.is_open = True


_entered: ContextVar[tuple[Entry, ...]] = ContextVar("otel_claude-entered", default=())


class Agent:
    """An agent of the application, by its name. Each `with` is a run, and so is each call of what it decorates.

    One object may be entered many times at once, in each other and by several threads and tasks. A `with` is left by
    the frame that has entered it, on whatever thread and in whatever context, so that tells which run has ended. An
    `ExitStack` enters in one frame and leaves in another; then it is the innermost run of this context. In another
    context it is the only one that is open, and if there are several, none.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: dict[Entry, None] = {}
        self._by_caller: dict[Caller, list[Entry]] = {}

    def __call__(self, function: _Function) -> _Function:
        """The function, coroutine function or generator function, each call of which is a run."""
        return in_scope(function, self._opening)

    def __enter__(self) -> None:
        self._enter(inspect.currentframe())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        self._exit(inspect.currentframe(), error)

    async def __aenter__(self) -> None:
        self._enter(inspect.currentframe())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        self._exit(inspect.currentframe(), error)

    @guarded(None)
    def _enter(self, frame: FrameType | None) -> None:
        entry = Entry(self, _caller(frame), self._start())
        self._open[entry] = None
        self._by_caller.setdefault(entry.caller, []).append(entry)
        _entered.set((*_still_open(), entry))
        entry.step.__enter__()
        if len(self._open) > MOST_OPEN:
            oldest = next(iter(self._open))
            oldest.step.forget()
            self._forget(oldest)

    @guarded(None)
    def _exit(self, frame: FrameType | None, error: BaseException | None) -> None:
        entry = self._left_by(_caller(frame))
        if entry is None:
            return
        self._forget(entry)
        entered = _entered.get()
        later = entered[entered.index(entry) :] if entry in entered else ()
        _entered.set(_still_open())
        entry.step.leave(in_order=not isinstance(error, GeneratorExit) and not any(each.is_open for each in later))
        entry.scope.end(error)

    def _left_by(self, caller: Caller) -> Entry | None:
        """Which entry is left."""
        here, by_caller = _still_open(), self._by_caller.get(caller, ())
        # A frame that is no more may have had the identity of this one: what this context has entered goes first.
        for entries in ([entry for entry in here if entry in by_caller], by_caller, here):
            own = [entry for entry in entries if entry.agent is self]
            if own:
                return own[-1]
        return next(iter(self._open)) if len(self._open) == 1 else None

    def _forget(self, entry: Entry) -> None:
        entry.is_open = False
        self._open.pop(entry, None)
        entries = self._by_caller[entry.caller]
        entries.remove(entry)
        if not entries:
            del self._by_caller[entry.caller]

    @guarded(NO_SCOPE)
    def _opening(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Scope:
        return self._start()

    @guarded(NO_SCOPE)
    def _start(self) -> Scope:
        telemetry = live()
        return NO_SCOPE if telemetry is None or not telemetry.wanted else telemetry.run(Run(self._name))


def _caller(frame: FrameType | None) -> Caller:
    """The frame that has called `frame`: the one that a `with` stands in. It lives as long as that, and is not kept.

    Its code is compared as well, as another frame may have the identity of one that is no more.
    """
    caller = None if frame is None else frame.f_back
    return (0, None) if caller is None else (id(caller), caller.f_code)


def _still_open() -> tuple[Entry, ...]:
    """What was entered in this context, or where it comes from, and has not been left."""
    return tuple(entry for entry in _entered.get() if entry.is_open)


@overload
def agent(name: _Function) -> _Function: ...
@overload
def agent(name: str) -> Agent: ...
def agent(name: Any) -> Any:
    """A run of an agent, as a context manager, with `with` or `async with`, or as a decorator.

    Calls of the API and executions of tools inside it belong to it, in threads and tasks as well that have its context,
    and so do runs of other agents. Its span `invoke_agent {name}` has their sums. Without a name, right above a
    function, it has that function's. Does nothing while the SDK is not instrumented.

    Args:
        name: The agent, by a name that has few values: it is an attribute of metrics.
    """
    return Agent(name_of(name))(name) if callable(name) else Agent(name)
