"""The adapters that run the application's code inside a scope.

In: a function and what it is called with, a coroutine, or a generator of either kind; and what opens the scope. Out:
the same results, items and exceptions. The span is current while that code runs, and never while a generator waits for
whoever reads it. What opens the scope has the arguments of the application, so it is not kept while that code runs.
"""

import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Mapping
from functools import partial
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from otel_claude.agents.scope import NO_SCOPE, Opening, Scope
from otel_claude.failsafe import guarded
from otel_claude.values import class_of


def called(function: Callable[..., Any], args: Any, kwargs: Any, opening: Opening) -> Any:
    """What a function returns.

    A coroutine or a generator that it has made, as other decorators do, goes on in the scope. One that somebody else
    holds as well is not ours to end.
    """
    scope = opening()
    try:
        with scope.step():
            result = function(*args, **kwargs)
    except BaseException as error:
        scope.end(error)
        raise
    if class_of(result) not in _ADAPTERS:
        scope.end(result=result)
        return result
    if scope.record is None or _references(result) > _ALONE:
        scope.end_unseen(result)
        return result
    return adapted(result, Opened(scope))


def adapted(value: Any, opening: Opening) -> Any:
    """What stands for something that is awaited, or for a generator of either kind. It has that one's name."""
    adapt = _ADAPTERS.get(class_of(value), awaited)
    if adapt is stepped and inspect.isawaitable(value):
        # Under `types.coroutine`.
        adapt = awaited
    inside = adapt(value, opening)
    _name_as(inside, value)
    return inside


def _references(value: Any) -> int:
    return sys.getrefcount(value)


def _alone() -> int:
    """What `_references` says of something that nobody but its caller holds, which differs from Python to Python."""
    value = object()
    return _references(value)


_ALONE = _alone()


class Opened:
    """Gives the scope of a coroutine or a generator that has not begun. If it never does, the scope is abandoned."""

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope: Scope | None = scope

    def __call__(self) -> Scope:
        """It begins."""
        scope, self._scope = self._scope, None
        return scope or NO_SCOPE

    @guarded(None)
    def __del__(self) -> None:
        if self._scope is not None:
            self._scope.end(GeneratorExit())


class Unawaited:
    """A coroutine until it is awaited. If it never is, Python complains of the one around it, and only of that."""

    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()

    @guarded(None)
    def __del__(self) -> None:
        self._coroutine.close()


def pending(coroutine: Coroutine[Any, Any, Any], opening: Opening) -> Coroutine[Any, Any, Any]:
    """What a coroutine returns that nobody else awaits."""
    return awaited(Unawaited(coroutine), opening)


async def awaited(awaitable: Awaitable[Any], opening: Opening) -> Any:
    """What is awaited."""
    scope = opening()
    del opening
    try:
        with scope.step():
            result = await awaitable
    except BaseException as error:
        scope.end(error)
        raise
    scope.end(result=result)
    return result


class _Exchange:
    """What goes into a generator next: what its reader has sent, or thrown. While it waits, nothing of that is held."""

    __slots__ = ("_is_left", "_next", "_send", "_throw")

    def __init__(
        self, begin: Callable[[], Any], send: Callable[[Any], Any], throw: Callable[[BaseException], Any]
    ) -> None:
        self._next: Callable[[], Any] | None = begin
        self._send, self._throw = send, throw
        self._is_left = False

    def resume(self) -> Any:
        """What the generator answers."""
        resume, self._next = self._next, None
        return resume and resume()

    def sent(self, value: Any) -> None:
        self._is_left, self._next = False, partial(self._send, value)

    def thrown(self, error: BaseException) -> None:
        self._is_left, self._next = isinstance(error, GeneratorExit), partial(self._throw, error)

    @guarded(None)
    def ending(self, error: BaseException | None = None) -> BaseException | None:
        """What it has ended with. A loop that ends closes all generators, and Python complains of a second closing."""
        is_abandoned = self._is_left and (error is None or isinstance(error, RuntimeError))
        return GeneratorExit() if is_abandoned else error


def stepped(items: Generator[Any, Any, Any], opening: Opening) -> Generator[Any, Any, Any]:
    """What a generator gives. It begins, and the scope with it, when it is first asked for something."""
    scope, exchange, given = opening(), _Exchange(partial(next, items), items.send, items.throw), list[Any]()
    del opening
    try:
        while True:
            with scope.step():
                try:
                    given.append(exchange.resume())
                except StopIteration as stop:
                    result = stop.value
                    break
            try:
                exchange.sent((yield given.pop()))
            except BaseException as thrown:
                exchange.thrown(thrown)
    except BaseException as error:
        scope.end(exchange.ending(error))
        raise
    scope.end(exchange.ending(), result)
    return result


async def async_stepped(items: AsyncGenerator[Any, Any], opening: Opening) -> AsyncGenerator[Any, Any]:
    """What an async generator gives."""
    scope, exchange, given = opening(), _Exchange(partial(_begin, items), items.asend, items.athrow), list[Any]()
    del opening
    try:
        while True:
            with scope.step():
                try:
                    given.append(await exchange.resume())
                except StopAsyncIteration:
                    break
            try:
                exchange.sent((yield given.pop()))
            except BaseException as thrown:
                exchange.thrown(thrown)
    except BaseException as error:
        scope.end(exchange.ending(error))
        raise
    scope.end(exchange.ending())


def _begin(items: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """Begins an async generator without telling the event loop, which knows of the one around it.

    A loop that ends closes every generator that it knows, in any order, and complains of one that waits for another.
    """
    known_by = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=None, finalizer=None if known_by.finalizer is None else _left_to_the_outer)
    try:
        return items.__anext__()
    finally:
        sys.set_asyncgen_hooks(*known_by)


def _left_to_the_outer(items: AsyncGenerator[Any, Any]) -> None:
    """Ends nothing: the generator around it is ended, and ends it."""


def steps_of(items: Any, opening: Opening) -> Any:
    """What a generator of either kind gives."""
    return async_stepped(items, opening) if hasattr(items, "__anext__") else stepped(items, opening)


_ADAPTERS: Mapping[type, Callable[[Any, Opening], Any]] = {
    CoroutineType: pending,
    GeneratorType: stepped,
    AsyncGeneratorType: async_stepped,
}


@guarded(None)
def _name_as(now: Any, before: Any) -> None:
    """Gives a coroutine or a generator the name of the one that it stands for."""
    now.__name__, now.__qualname__ = before.__name__, before.__qualname__
