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

from otel_claude.agents.adapters import adapted, called
from otel_claude.agents.live import live
from otel_claude.agents.scope import Scope
from otel_claude.values import class_of

_Function = TypeVar("_Function", bound=Callable[..., Any])

CallOpening = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Scope]
"""Opens the scope of one call of a function with these arguments."""

if TYPE_CHECKING:
    Wrapped = wrapt.FunctionWrapper[..., Any]
    BoundWrapped = wrapt.BoundFunctionWrapper[..., Any]
else:
    Wrapped = wrapt.FunctionWrapper
    BoundWrapped = wrapt.BoundFunctionWrapper


class BoundDecorated(BoundWrapped):
    """The same, as an attribute of an instance or a class, which is found by its name as other methods are.

    `weakref.WeakMethod` makes it anew of its `__func__`, which is the decorator's function, and its `__self__`.
    """

    def __init__(self, wrapped: Any, instance: Any, *rest: Any) -> None:
        if not rest:
            wrapped, rest = wrapped.parts_of_method(instance)
        super().__init__(wrapped, instance, *rest)  # pyright: ignore[reportCallIssue]  # as wrapt itself calls it

    @property
    def __func__(self) -> Any:
        wrapped: Any = self.__wrapped__
        return self._self_parent if inspect.ismethod(wrapped) else wrapped.__func__

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

    def parts_of_method(self, owner: Any) -> tuple[Any, tuple[Any, ...]]:
        """What wrapt makes a method of `owner` of, which is a class if this is a class method."""
        bind: Any = self.__wrapped__.__get__
        method = bind(None, owner) if self._self_binding == "classmethod" else bind(owner, class_of(owner))
        return method, (self._self_wrapper, None, self._self_binding, self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        wrapped = self.__wrapped__
        return wrapped.__qualname__ if inspect.isfunction(wrapped) else wrapped.__reduce_ex__(protocol)

    def __copy__(self) -> "Decorated":
        return self

    def __deepcopy__(self, memo: Any) -> "Decorated":
        wrapped = self.__wrapped__
        return self if inspect.isfunction(wrapped) else Decorated(deepcopy(wrapped, memo), self._self_wrapper)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


def in_scope(function: _Function, opening: CallOpening) -> _Function:
    """The function, each call of which has a scope of its own while it lasts."""

    def execute(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if live() is None:
            return wrapped(*args, **kwargs)
        open_scope = partial(opening, wrapped, args, kwargs)
        if any(is_of_kind(wrapped) for is_of_kind in LAZY):
            return adapted(wrapped(*args, **kwargs), open_scope)
        return called(wrapped, args, kwargs, open_scope)

    return cast("_Function", Decorated(function, execute))


LAZY = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
"""Kinds of functions whose call does not run their code."""


def name_of(function: Any) -> str:
    """What a function is called, or the class of what is callable."""
    while isinstance(function, partial):
        function = cast("Any", function.func)
    return getattr(function, "__name__", type(function).__name__)
