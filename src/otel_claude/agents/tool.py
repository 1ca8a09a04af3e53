"""`otel_claude.tool` and `otel_claude.tool_call`: one line tells of a tool that an application executes by hand.

@otel_claude.tool
def search(query: str) -> str: ...

with otel_claude.tool_call(block):
    result = TOOLS[block.name](**block.input)
"""

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from otel_claude.agents.arguments import arguments_of, digest
from otel_claude.agents.current import current_execution
from otel_claude.agents.execution import Execution
from otel_claude.agents.functions import in_scope, name_of
from otel_claude.agents.live import live
from otel_claude.agents.scope import NO_SCOPE, NO_STEP, Scope
from otel_claude.failsafe import guarded
from otel_claude.values import is_object, text

_Function = TypeVar("_Function", bound=Callable[..., Any])


@overload
def tool(function: _Function, /) -> _Function: ...
@overload
def tool(*, name: str | None = None) -> Callable[[_Function], _Function]: ...
def tool(function: Any = None, /, *, name: str | None = None) -> Any:
    """A decorator for a function that is a tool: each call of it is an execution, with a span `execute_tool {name}`.

    For functions, coroutine functions and generators of both kinds. The execution has the id of the `tool_use` block
    that asked for it, where the last answers in the current run have one for this tool with these arguments. Under the
    SDK's `beta_tool`, and inside `tool_call`, it is the execution that there is already. What it raises is raised. Does
    nothing while the SDK is not instrumented.

    Args:
        function: The function, without parentheses after the decorator.
        name: The name by which the model knows the tool, where it is not the function's.
    """
    if function is None:
        return partial(_tool, name=name)
    return _tool(function, name)


def _tool(function: _Function, name: str | None) -> _Function:
    known_as = name or name_of(function)
    return in_scope(function, lambda wrapped, args, kwargs: _start_function(known_as, wrapped, args, kwargs))


@guarded(NO_SCOPE)
def _start_function(name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Scope:
    telemetry, outer = live(), current_execution()
    if telemetry is None or not telemetry.wanted:
        return NO_SCOPE
    arguments = arguments_of(function, args, kwargs)
    called = name, digest(arguments)
    if outer is not None and _is_about(outer, called, has_arguments=bool(arguments)):
        outer.claimed = called
        return NO_SCOPE
    return telemetry.execution(Execution(name, arguments=arguments, description=function.__doc__, claimed=called))


def _is_about(execution: Execution, called: tuple[str, bytes | None], *, has_arguments: bool) -> bool:
    """Whether a function is what an execution executes, perhaps under another name, or tries once more."""
    name, arguments = called
    own = execution.name, execution.served_as
    if execution.claimed is not None and (name not in own or execution.claimed[0] in own):
        return arguments is not None and execution.claimed == called
    if name in own:
        # Also where a function under another name has come first, such as one that looks at the arguments.
        return True
    return execution.any_name and has_arguments and arguments is not None and arguments == execution.digest


class ToolCall:
    """The execution that one `tool_use` block asks for, as a context manager of both kinds. For one `with`."""

    def __init__(self, block: Any) -> None:
        self._block = block
        self._scope, self._step = NO_SCOPE, NO_STEP
        self._failure: BaseException | None = None

    @guarded(None)
    def failed(self, error: BaseException) -> None:
        """Notes an exception that the application has caught, and makes a result of."""
        self._failure = error

    def __enter__(self) -> Self:
        self._begin()
        return self

    @guarded(None)
    def _begin(self) -> None:
        self._scope = self._start()
        self._step = self._scope.step()
        self._step.__enter__()

    @guarded(None)
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        self._step.__exit__(kind, error, trace_back)
        self._scope.end(self._failure if error is None else error)
        self._failure = None

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace_back)

    def _start(self) -> Scope:
        telemetry = live()
        name = text(_field(self._block, "name"))
        # What blocks of other types ask for the API has executed.
        is_asked = _field(self._block, "type") in (None, "tool_use")
        if telemetry is None or name is None or not is_asked or not telemetry.wanted:
            return NO_SCOPE
        arguments = _field(self._block, "input")
        return telemetry.execution(
            Execution(name, call=text(_field(self._block, "id")), arguments=arguments, any_name=True)
        )


def _field(block: Any, name: str) -> Any:
    return block.get(name) if is_object(block) else getattr(block, name, None)


def tool_call(block: Any) -> ToolCall:
    """The execution of what a `tool_use` block asks for: `with otel_claude.tool_call(block):` around it.

    Its span `execute_tool {name}` has the id of the block. What is raised inside is raised, and is the error of the
    execution; one that is caught inside is told by `failed`:

        with otel_claude.tool_call(block) as call:
            try:
                content = TOOLS[block.name](**block.input)
            except ValueError as error:
                call.failed(error)
                content = str(error)

    Args:
        block: The block, as the SDK gives it or as a dictionary. One of another type, such as that of a tool that the
            API executes itself, has no execution.
    """
    return ToolCall(block)
