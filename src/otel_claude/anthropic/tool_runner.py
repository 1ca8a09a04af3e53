"""The SDK's tool runner: its runs, and the executions of its tools.

In: the classes of `anthropic.lib.tools._beta_runner`, where the SDK has them, which is from 0.68 on. Out: records of
runs and executions, started and finished with `AgentTelemetry`.

A runner works while the application asks it for its next item, in a generator. Each of these steps runs inside the run,
and so does a tool that is executed while the application reads an answer, or because it asks for the tools' results
itself. What tools raise the runner makes results of, so tools are watched where they are called.
"""

import inspect
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product
from types import ModuleType
from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry import trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from otel_claude.agents.adapters import awaited, called, steps_of
from otel_claude.agents.current import current_execution, current_run
from otel_claude.agents.execution import Execution
from otel_claude.agents.functions import Decorated
from otel_claude.agents.run import Run
from otel_claude.agents.scope import NO_SCOPE, Scope
from otel_claude.anthropic.calls import Calls
from otel_claude.anthropic.facts import server_of
from otel_claude.failsafe import guarded
from otel_claude.outcome import error_type
from otel_claude.telemetry import Telemetry
from otel_claude.values import fields, is_array, text

MODULE = "anthropic.lib.tools._beta_runner"
TOOLSETS = "anthropic.lib.tools._toolsets._runnable"
REFUSES = "member_error_result"
"""The function that makes a result of what a member of a toolset has raised, from 1.13 on."""
RUNS = "__run__"
"""The method of a runner that gives the generator in which it works."""

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]

if TYPE_CHECKING:
    Proxy = wrapt.ObjectProxy[Any]
else:
    Proxy = wrapt.ObjectProxy


class ToolRunners:
    """Makes the records of all tool runners of the process."""

    def __init__(self, calls: Calls, telemetry: Telemetry) -> None:
        self._calls = calls
        self._telemetry = telemetry
        self._on = True
        self._scopes: weakref.WeakKeyDictionary[Any, Scope] = weakref.WeakKeyDictionary()

    @guarded(None)
    def close(self) -> None:
        """From now on runners go by. Those that are at work end as they began."""
        self._on = False

    def places(self, module: ModuleType) -> Iterator[tuple[type | ModuleType, str, Wrapper]]:
        """The methods of the module's classes that are patched, and the function of toolsets, with their wrappers.

        Which class has a method differs from version to version. `_run_tool` is there from 1.12 on; before, tools are
        watched where the runner looks them up.
        """
        classes = [value for value in vars(module).values() if inspect.isclass(value)]
        own = [cls for cls in classes if cls.__module__ == module.__name__]
        self._looks_up = not any("_run_tool" in vars(cls) for cls in own)
        for cls, (name, wrappers) in product(own, self._wrappers().items()):
            method = vars(cls).get(name)
            if method is not None and not getattr(method, "__isabstractmethod__", False):
                yield cls, name, wrappers[inspect.iscoroutinefunction(method)]
        if (toolsets := sys.modules.get(TOOLSETS)) is not None and hasattr(toolsets, REFUSES):
            yield toolsets, REFUSES, self._refuse_member

    def _wrappers(self) -> Mapping[str, tuple[Wrapper, Wrapper]]:
        """By method: the wrapper of a function or a generator, and that of a coroutine function."""
        return {
            RUNS: (self._run, self._run),
            "close": (self._close, self._close),
            "_run_tools_while_streaming": (self._read, self._read),
            "_generate_tool_call_response": (self._respond, self._async_respond),
            "_run_tool": (self._run_tool, self._run_tool),
            "_run_toolset_member": (self._run_member, self._async_run_member),
        }

    def _run(self, wrapped: Callable[..., Any], runner: Any, args: Any, kwargs: Any) -> Any:
        return steps_of(wrapped(*args, **kwargs), partial(self._start, runner))

    def _read(self, wrapped: Callable[..., Any], runner: Any, args: Any, kwargs: Any) -> Any:
        return steps_of(wrapped(*args, **kwargs), partial(self._join, runner))

    def _close(self, wrapped: Callable[..., Any], runner: Any, args: Any, kwargs: Any) -> Any:
        self._leave(runner)
        return wrapped(*args, **kwargs)

    def _respond(self, wrapped: Callable[..., Any], runner: Any, args: Any, kwargs: Any) -> Any:
        scope = self._scope(runner)
        with scope.step():
            response = (self._watching(wrapped, runner) or wrapped)(*args, **kwargs)
            self._look_at(scope, response)
        return response

    async def _async_respond(self, wrapped: Callable[..., Any], runner: Any, args: Any, kwargs: Any) -> Any:
        scope = self._scope(runner)
        with scope.step():
            response = await (self._watching(wrapped, runner) or wrapped)(*args, **kwargs)
            self._look_at(scope, response)
        return response

    def _refuse_member(self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        """A toolset makes a result for the model of what one of its members has raised."""
        self._raised(*args)
        return wrapped(*args, **kwargs)

    def _run_tool(self, wrapped: Callable[..., Any], runner: Any, args: Any, kwargs: Any) -> Any:
        return wrapped(*(self._watched(runner, *args) or args), **kwargs)

    def _run_member(self, wrapped: Callable[..., Any], runner: Any, args: Any, kwargs: Any) -> Any:
        return called(wrapped, args, kwargs, partial(self._start_member, runner, *args))

    async def _async_run_member(self, wrapped: Callable[..., Any], runner: Any, args: Any, kwargs: Any) -> Any:
        return await awaited(wrapped(*args, **kwargs), partial(self._start_member, runner, *args))

    @guarded(NO_SCOPE)
    def _scope(self, runner: Any) -> Scope:
        return self._scopes.get(runner, NO_SCOPE)

    @guarded(NO_SCOPE)
    def _start(self, runner: Any) -> Scope:
        """The run of a runner that is asked for its first item."""
        if not self._on:
            return NO_SCOPE
        client = runner._client  # noqa: SLF001  # in all versions; it has no public name
        own_tracing = self._calls.own_tracing(client)
        provider = self._calls.provider(own_tracing)
        if provider is None and not self._telemetry.configured:
            return NO_SCOPE
        run = Run(
            None,
            provider=server_of(client).provider,
            model=_model_of(runner),
            conversation=own_tracing.get("conversation_id"),
            content_mode=self._calls.content_mode(own_tracing),
            owns_span=self._calls.owns_span(client),
            replaces=self._telemetry.settings.native_spans == "replace",
            native=True,
            silent=not is_instrumentation_enabled(),
        )
        scope = self._scopes[runner] = self._telemetry.agents.run(run, provider)
        return scope

    @guarded(NO_SCOPE)
    def _join(self, runner: Any) -> Scope:
        """The run of a runner, for the reading of an answer, with which it does not end."""
        return Scope(self._scope(runner).record)

    @guarded(None)
    def _leave(self, runner: Any) -> None:
        """The application closes a runner. One that is closed from inside ends as if it were done."""
        record = self._scope(runner).record
        if isinstance(record, Run) and not record.finished:
            record.outcome = "abandoned"

    @guarded(None)
    def _watching(self, wrapped: Any, runner: Any) -> Callable[..., Any] | None:
        """The method, of a runner whose tools are watched."""
        return partial(wrapped.__func__, RunnerView(runner, self._watched_as)) if self._looks_up else None

    @guarded(None)
    def _watched(self, runner: Any, tool: Any, tool_use: Any, *rest: Any) -> tuple[Any, ...]:
        """The arguments of `_run_tool`, with a tool that is watched."""
        return self._watched_as(runner, tool, tool_use.name, tool_use.id), tool_use, *rest

    def _watched_as(self, runner: Any, tool: Any, name: str, call: str | None = None) -> Any:
        watch = AsyncWatchedTool if inspect.iscoroutinefunction(tool.call) else WatchedTool
        return watch(tool, partial(self._start_tool, runner, tool, name, call))

    @guarded(NO_SCOPE)
    def _start_tool(self, runner: Any, tool: Any, name: str, call: str | None, arguments: Any) -> Scope:
        scope = self._start_execution(
            runner,
            Execution(
                name,
                call=call,
                kind="mcp" if getattr(tool, "_stainless_helper", None) == "mcp_tool" else "client",
                description=text(getattr(tool, "description", None)),
                arguments=arguments,
                any_name=isinstance(getattr(tool, "func", None), Decorated),
            ),
        )
        record = scope.record
        if isinstance(record, Execution) and not record.owns_span and self._telemetry.settings.native_spans == "enrich":
            self._telemetry.agents.enrich_tool(record, trace.get_current_span())
        return scope

    @guarded(NO_SCOPE)
    def _start_member(self, runner: Any, tool_use: Any, *rest: Any) -> Scope:
        if tool_use.toolset_name not in runner._toolsets_by_family:  # noqa: SLF001  # in all versions that have toolsets
            return NO_SCOPE  # Nothing is executed.
        return self._start_execution(runner, Execution(tool_use.name, call=tool_use.id, arguments=tool_use.input))

    @guarded(None)
    def _raised(self, tool_use: Any, error: Exception) -> None:
        execution = current_execution()
        if execution is not None and execution.call == tool_use.id:
            execution.error_type, execution.failure = error_type(error, in_stream=False), type(error).__name__

    def _start_execution(self, runner: Any, execution: Execution) -> Scope:
        run = current_run()
        if run is None or run.silent or run is not self._scope(runner).record:
            return NO_SCOPE
        execution.owns_span = run.owns_span
        return self._telemetry.agents.execution(execution)

    @guarded(None)
    def _look_at(self, scope: Scope, response: Any) -> None:
        """Finds among the results that the model is given those of tools that were not executed."""
        run, results = scope.record, fields(response).get("content")
        if not isinstance(run, Run) or not run.owns_span or not is_array(results):
            return
        for result in results:
            call = text(fields(result).get("tool_use_id"))
            if call is not None and result.get("is_error") and (name := run.unanswered(call)) is not None:
                self._telemetry.agents.not_executed(name, call)


@guarded(None)
def _model_of(runner: Any) -> str | None:
    return text(fields(runner._params).get("model"))  # noqa: SLF001  # the same


class RunnerView(Proxy):
    """A tool runner, as it is, but for the tools that it looks up."""

    def __init__(self, runner: Any, watched: Callable[[Any, Any, str], Any]) -> None:
        super().__init__(runner)
        self._self_tools = {name: watched(runner, tool, name) for name, tool in runner._tools_by_name.items()}  # noqa: SLF001  # before 1.12

    @property
    def _tools_by_name(self) -> Mapping[str, Any]:
        return self._self_tools


class WatchedTool(Proxy):
    """A tool, each call of which is an execution."""

    _self_opening: Callable[[Any], Scope]

    def __init__(self, tool: Any, opening: Callable[[Any], Scope]) -> None:
        super().__init__(tool)
        self._self_opening = opening

    def call(self, arguments: Any) -> Any:
        """What the tool returns."""
        return called(self.__wrapped__.call, (arguments,), {}, partial(self._self_opening, arguments))


class AsyncWatchedTool(WatchedTool):
    """The same for a tool of the async SDK."""

    async def call(self, arguments: Any) -> Any:
        """What the tool returns."""
        return await awaited(self.__wrapped__.call(arguments), partial(self._self_opening, arguments))


def loaded() -> ModuleType | None:
    """The module of the SDK's tool runner, which `import anthropic` has loaded where there is one."""
    return sys.modules.get(MODULE)
