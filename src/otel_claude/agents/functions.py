"""The application's functions under our decorators.

In: a function of any kind. Out: the same function to whoever looks at it, with a scope around what it does.
"""

import inspect
import sys
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, cast

import wrapt

from otel_claude.agents.live import live
from otel_claude.agents.scope import Scope, awaited, called, steps_of
from otel_claude.failsafe import guarded

_Function = TypeVar("_Function", bound=Callable[..., Any])

Opening = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Scope]
"""Opens the scope of one call of a function."""

if TYPE_CHECKING:
    Wrapped = wrapt.FunctionWrapper[..., Any]
    BoundWrapped = wrapt.BoundFunctionWrapper[..., Any]
else:
    Wrapped = wrapt.FunctionWrapper
    BoundWrapped = wrapt.BoundFunctionWrapper


class BoundDecorated(BoundWrapped):
    """The same, as an attribute of an instance or a class, which is found by its name as other methods are."""

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        wrapped = self.__wrapped__
        if inspect.ismethod(wrapped):
            return getattr, (wrapped.__self__, wrapped.__name__)
        return _attribute, (wrapped.__module__, wrapped.__qualname__)

    def __copy__(self) -> "BoundDecorated":
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        owner = getattr(self.__wrapped__, "__self__", None)
        if owner is None or inspect.isclass(owner):
            return self
        again = deepcopy(owner, memo)
        return self._self_parent.__get__(again, type(again))


def _attribute(module: str, path: str) -> Any:
    return attrgetter(path)(sys.modules[module])


class Decorated(Wrapped):
    """A function with a decorator of ours. It keeps its signature and kind, and can be pickled and copied as before."""

    __bound_function_wrapper__ = BoundDecorated

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
            coroutine = wrapped(*args, **kwargs)
            inside = awaited(coroutine, open_scope)
            _name_as(inside, coroutine)
            return inside
        if inspect.isgeneratorfunction(wrapped) or inspect.isasyncgenfunction(wrapped):
            items = wrapped(*args, **kwargs)
            inside = steps_of(items, open_scope)
            _name_as(inside, items)
            return inside
        return called(wrapped, args, kwargs, open_scope)

    return cast("_Function", Decorated(function, execute))


@guarded(None)
def _name_as(now: Any, before: Any) -> None:
    """Gives a coroutine or a generator the name of the one that it stands for."""
    now.__name__, now.__qualname__ = before.__name__, before.__qualname__


def name_of(function: Any) -> str:
    """What a function is called, or the class of what is callable."""
    return getattr(function, "__name__", type(function).__name__)
