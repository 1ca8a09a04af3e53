"""Every function of the package, found in its modules, and what makes one of them fail.

A function is replaced in its code object, so the failure reaches it however it is held: through a name, a table, a
bound method, a decorator or a patch of the SDK.
"""

import inspect
import pkgutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any, cast

import otel_claude
from otel_claude.agents import live
from otel_claude.budgets import keeper


def package_modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(otel_claude.__path__, "otel_claude."):
        if "testing" not in found.name.split(".") and not found.name.endswith("__main__"):
            yield import_module(found.name)


def _unwrapped(value: object) -> Iterator[FunctionType]:
    """The functions that an attribute of a module or a class stands for."""
    if isinstance(value, property):
        for part in (value.fget, value.fset, value.fdel):
            yield from _unwrapped(part)
    elif (inner := getattr(value, "__func__", None)) is not None:
        yield from _unwrapped(inner)
    elif isinstance(value, cached_property):
        yield from _unwrapped(value.func)
    elif value is not None and callable(value) and not inspect.isclass(value):
        function = inspect.unwrap(value)
        if isinstance(function, FunctionType):
            yield function


def package_functions() -> dict[str, FunctionType]:
    """By `module:qualified name`, without the package's."""
    found: dict[str, FunctionType] = {}
    for module in package_modules():
        classes = (value for _, value in inspect.getmembers(module, inspect.isclass))
        for holder in (module, *classes):
            for value in cast("dict[str, object]", vars(holder)).values():
                for function in _unwrapped(value):
                    if function.__module__ == module.__name__ and function.__code__.co_filename == module.__file__:
                        name = f"{module.__name__.removeprefix('otel_claude.')}:{function.__qualname__}"
                        found[name] = function
    return dict(sorted(found.items()))


FUNCTIONS = package_functions()


class Fault(RuntimeError):
    """What a function of ours raises here."""


class UnprintableFault(Exception):
    """A worse one: also showing it fails."""

    def __str__(self) -> str:
        raise Fault("no text")

    __repr__ = __str__


def _raising(function: FunctionType, error: type[Exception]) -> CodeType:
    """Code that raises `error` as `function` would: at the call, or where a generator or a coroutine is begun."""
    free = function.__code__.co_freevars
    flags = function.__code__.co_flags
    generator = flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR)
    asynchronous = flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR)
    lines = [
        f"def make({', '.join((*free, 'error'))}):",
        f"    {'async ' if asynchronous else ''}def fail(*args, **kwargs):",
        f"        raise __import__('functions').{error.__name__}('a fault of ours')",
        *(["        yield"] if generator else []),
        *(f"        {name}" for name in free),
        "    return fail",
    ]
    scope: dict[str, Any] = {}
    exec("\n".join(lines), scope)  # noqa: S102 - the code of a function with the same closure
    code: CodeType = scope["make"](*(None for _ in free), error).__code__
    return code.replace(co_name=function.__name__)


@contextmanager
def failing(function: FunctionType, error: type[Exception] = Fault) -> Generator[None]:
    """`function` raises `error`, whoever calls it. What that has kept from being switched off is so at the end."""
    original = function.__code__
    function.__code__ = _raising(function, error)
    try:
        yield
    finally:
        function.__code__ = original
        live._on.clear()  # pyright: ignore[reportPrivateUsage]
        for each in list(keeper._alive):  # pyright: ignore[reportPrivateUsage]
            each.close()
