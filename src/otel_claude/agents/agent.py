"""`otel_claude.agent`: one line that makes a run of what an application does by hand.

with otel_claude.agent("researcher"):
    ...

@otel_claude.agent("researcher")
async def research(question): ...
"""

from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar, overload

from otel_claude.agents.functions import in_scope
from otel_claude.agents.live import live
from otel_claude.agents.run import Run
from otel_claude.agents.scope import NO_SCOPE, Scope, Step
from otel_claude.failsafe import guarded

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Agent:
    """An agent of the application, by its name. Each `with` is a run, and so is each call of what it decorates."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[tuple[Scope, Step]] = []

    def __call__(self, function: _Function) -> _Function:
        """The function, coroutine function or generator function, each call of which is a run."""
        return in_scope(function, self._opening)

    @guarded(None)
    def __enter__(self) -> None:
        scope = self._start()
        step = scope.step()
        step.__enter__()
        self._open.append((scope, step))

    @guarded(None)
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        scope, step = self._open.pop(self._innermost())
        step.__exit__(kind, error, trace_back)
        scope.end(error)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace_back)

    def _innermost(self) -> int:
        """Which of the open runs is left: the one that is current here. Other threads and tasks may have theirs."""
        here = [at for at, (scope, _) in enumerate(self._open) if scope.is_current]
        return here[-1] if here else -1

    @guarded(NO_SCOPE)
    def _opening(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Scope:
        return self._start()

    def _start(self) -> Scope:
        telemetry = live()
        return NO_SCOPE if telemetry is None or not telemetry.wanted else telemetry.run(Run(self._name))


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
    return Agent(name.__name__)(name) if callable(name) else Agent(name)
