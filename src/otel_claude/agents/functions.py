"""The application's functions under our decorators.

In: a function of any kind. Out: the same function to whoever looks at it, with a scope around what it does.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import wrapt

from otel_claude.agents.live import live
from otel_claude.agents.scope import Scope, awaited, called, steps_of

_Function = TypeVar("_Function", bound=Callable[..., Any])

Opening = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Scope]
"""Opens the scope of one call of a function."""

if TYPE_CHECKING:
    Wrapped = wrapt.FunctionWrapper[..., Any]
else:
    Wrapped = wrapt.FunctionWrapper


class Decorated(Wrapped):
    """A function with a decorator of ours. It keeps its signature and kind, and can be pickled and copied as before."""

    def __reduce_ex__(self, protocol: Any) -> str:
        return str(self.__wrapped__.__qualname__)

    def __copy__(self) -> "Decorated":
        return self

    def __deepcopy__(self, memo: Any) -> "Decorated":
        return self


def in_scope(function: _Function, opening: Opening) -> _Function:
    """The function, each call of which has a scope of its own while it lasts."""

    def execute(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if live() is None:
            return wrapped(*args, **kwargs)
        open_scope = partial(opening, wrapped, args, kwargs)
        if inspect.iscoroutinefunction(wrapped):
            return awaited(wrapped, args, kwargs, open_scope)
        if inspect.isgeneratorfunction(wrapped) or inspect.isasyncgenfunction(wrapped):
            return steps_of(wrapped(*args, **kwargs), open_scope)
        return called(wrapped, args, kwargs, open_scope)

    return cast("_Function", Decorated(function, execute))
