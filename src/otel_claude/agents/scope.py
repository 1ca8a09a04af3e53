"""A run or an execution while it lasts, and the adapters that run the application's code inside one.

In: the application's code, or the SDK's: a function, a coroutine function, a generator, an async generator. Out: the
same results and exceptions. The span is current while that code runs, and never while a generator waits for whoever
reads it.
"""

import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import partial
from time import perf_counter_ns
from types import TracebackType
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context

from otel_claude.agents.current import is_current, with_record
from otel_claude.agents.execution import Execution
from otel_claude.agents.run import Run
from otel_claude.failsafe import guarded


class Step:
    """`with step:` stands around code of a run or an execution. Without either it does nothing."""

    __slots__ = ("_before", "_record")

    def __init__(self, record: Run | Execution | None) -> None:
        self._record = record
        self._before: Context | None = None

    @guarded(None)
    def __enter__(self) -> None:
        record = self._record
        if record is None:
            return
        before = context.get_current()
        inside = with_record(record, before)
        if record.owns_span:
            inside = trace.set_span_in_context(record.span, inside)
        context.attach(inside)
        self._before = before

    @guarded(None)
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        record, before = self._record, self._before
        if record is None or before is None:
            return
        record.active_at = perf_counter_ns()
        # What ends in another context has nothing to take back there.
        if is_current(record):
            context.attach(before)


NO_STEP = Step(None)


class Scope:
    """A run or an execution that is going on. `finish` is called when it has ended, once. No method raises.

    Without `finish` it stands around code of a run that somebody else ends.
    """

    __slots__ = ("_finish", "record")

    def __init__(
        self, record: Run | Execution | None = None, finish: Callable[[Any, BaseException | None], None] | None = None
    ) -> None:
        self.record = record
        self._finish = finish

    @guarded(NO_STEP)
    def step(self) -> Step:
        """What stands around a piece of its code."""
        return NO_STEP if self.record is None or self.record.finished else Step(self.record)

    @guarded(None)
    def end(self, error: BaseException | None = None, result: Any = None) -> None:
        """It has ended: with `error`, or with `result`."""
        record = self.record
        if record is None or record.finished or self._finish is None:
            return
        record.finished = True
        if isinstance(record, Execution):
            record.result = result
        self._finish(record, error)


NO_SCOPE = Scope()
"""Where there is nothing to tell of."""

Opening = Callable[[], Scope]


def called(function: Callable[..., Any], args: Any, kwargs: Any, opening: Opening) -> Any:
    """What a function returns. A coroutine, which another decorator has let it return, goes on in the scope."""
    scope = opening()
    try:
        with scope.step():
            result = function(*args, **kwargs)
    except BaseException as error:
        scope.end(error)
        raise
    if inspect.iscoroutine(result):
        return awaited(result, lambda: scope)
    scope.end(result=result)
    return result


async def awaited(awaitable: Awaitable[Any], opening: Opening) -> Any:
    """What a coroutine returns."""
    scope = opening()
    try:
        with scope.step():
            result = await awaitable
    except BaseException as error:
        scope.end(error)
        raise
    scope.end(result=result)
    return result


def stepped(items: Generator[Any, Any, Any], opening: Opening) -> Generator[Any, Any, Any]:
    """What a generator gives. It begins, and the scope with it, when it is first asked for something."""
    scope = opening()
    resume: Callable[[], Any] = partial(next, items)
    try:
        while True:
            with scope.step():
                try:
                    item = resume()
                except StopIteration as stop:
                    result = stop.value
                    break
            try:
                sent = yield item
            except GeneratorExit:
                raise
            except BaseException as thrown:
                resume = partial(items.throw, thrown)
            else:
                resume = partial(items.send, sent)
    except BaseException as error:
        try:
            with scope.step():
                items.close()
        finally:
            scope.end(error)
        raise
    scope.end(result=result)
    return result


async def async_stepped(items: AsyncGenerator[Any, Any], opening: Opening) -> AsyncGenerator[Any, Any]:
    """What an async generator gives."""
    scope = opening()
    resume: Callable[[], Awaitable[Any]] = partial(_begin, items)
    try:
        while True:
            with scope.step():
                try:
                    item = await resume()
                except StopAsyncIteration:
                    break
            try:
                sent = yield item
            except GeneratorExit:
                raise
            except BaseException as thrown:
                resume = partial(items.athrow, thrown)
            else:
                resume = partial(items.asend, sent)
    except BaseException as error:
        try:
            with scope.step():
                await items.aclose()
        finally:
            scope.end(error)
        raise
    scope.end()


def _begin(items: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """Begins an async generator without telling the event loop, which knows of the one around it.

    A loop that ends closes every generator that it knows, in any order, and complains of one that waits for another.
    """
    known_by = sys.get_asyncgen_hooks().firstiter
    sys.set_asyncgen_hooks(firstiter=None)
    try:
        return items.__anext__()
    finally:
        sys.set_asyncgen_hooks(firstiter=known_by)


def steps_of(items: Any, opening: Opening) -> Any:
    """What a generator of either kind gives."""
    return async_stepped(items, opening) if hasattr(items, "__anext__") else stepped(items, opening)
