"""The arguments of tools, as they are compared. Pure.

In: the arguments that a model gave, or that a function was called with. Out: a short hash of them, with a salt of this
process, so that it says nothing of them elsewhere. No code of the application's runs for it, so of its own objects only
models of pydantic are compared, which hold their fields in a dictionary.
"""

import hashlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any

from otel_claude.values import is_object

_NAMED = inspect.Parameter.VAR_KEYWORD
_VARIABLE = (_NAMED, inspect.Parameter.VAR_POSITIONAL)
_SALT = os.urandom(16)

MOST_VALUES, MOST_TEXT = 5_000, 64_000
"""How many values, and how many characters of text, are compared. Larger arguments would take the caller's time."""


def digest(arguments: Any) -> bytes | None:
    """A hash that equal arguments have in common. `None`: they cannot be compared, or are too large.

    They are compared as values of JSON, which knows one kind of number. A path is its text there, and a model of
    pydantic the fields that it was given.
    """
    try:
        text = json.dumps(_Reader().read(arguments), sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, AttributeError, RecursionError):
        return None
    return hashlib.blake2b(text.encode(), digest_size=12, key=_SALT).digest()


class _Reader:
    """Reads values as JSON has them, up to so many, and so much text."""

    def __init__(self) -> None:
        self._values_left, self._text_left = MOST_VALUES, MOST_TEXT

    def read(self, value: Any) -> Any:
        """A value, by its class and not by what it says of itself: that would be the application's code."""
        classes = type(value).__mro__
        for each in classes:
            if (read := _READ_AS.get(each)) is not None:
                return read(self, value)
        if _is_model(value):
            return self.object(_fields_given(value))
        raise TypeError

    def constant(self, value: Any) -> Any:
        return value

    def number(self, value: float) -> float:
        return float.__int__(value) if float.is_integer(value) else value

    def text(self, value: str) -> str:
        self._text_left -= str.__len__(value)
        if self._text_left < 0:
            raise ValueError
        return value

    def path(self, value: PurePath) -> str:
        return self.text(PurePath.__str__(value))

    def array(self, value: Any, kind: type[Any]) -> list[Any]:
        self._count(kind.__len__(value))
        return [self.read(each) for each in kind.__iter__(value)]

    def object(self, value: dict[Any, Any]) -> dict[Any, Any]:
        self._count(dict[Any, Any].__len__(value))
        if not all(issubclass(type(key), str) for key in dict[Any, Any].keys(value)):
            # In JSON 1 and "1" would be the same.
            raise TypeError
        return {self.text(str.__str__(key)): self.read(each) for key, each in dict[Any, Any].items(value)}

    def _count(self, more: int) -> None:
        self._values_left -= more
        if self._values_left < 0:
            raise ValueError


def _is_model(value: Any) -> bool:
    return getattr(sys.modules.get("pydantic.main"), "BaseModel", None) in type(value).__mro__


def _fields_given(model: Any) -> dict[str, Any]:
    values, more, given = (
        object.__getattribute__(model, name) for name in ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__")
    )
    every: dict[str, Any] = {**values, **(more or {})}
    return {name: value for name, value in every.items() if name in given}


_READ_AS: Mapping[type, Callable[[_Reader, Any], Any]] = {
    type(None): _Reader.constant,
    str: _Reader.text,
    int: _Reader.constant,
    float: _Reader.number,
    dict: _Reader.object,
    list: partial(_Reader.array, kind=list),
    tuple: partial(_Reader.array, kind=tuple),
    PurePath: _Reader.path,
}


def arguments_of(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function is called with, as a model would write it.

    One object, or one model of pydantic, given to a function that needs nothing else, is what the model gave, as it
    stands.
    """
    if not args:
        return kwargs
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):
        # A call that fails, or a function without a signature.
        return {"args": list(args), **kwargs}
    parameters = bound.signature.parameters
    if len(args) == 1 and not kwargs and (len(parameters) == 1 or _needed(parameters) == 1):
        (given,) = args
        if is_object(given) or _is_model(given):
            return given
    named = {name: value for name, value in bound.arguments.items() if parameters[name].kind is not _NAMED}
    # Names that are given twice stand for two things: `f(1, a=2)` of `def f(a, /, **others)`.
    return bound.arguments if named.keys() & kwargs.keys() - _by_name(parameters) else {**named, **kwargs}


def _needed(parameters: Mapping[str, inspect.Parameter]) -> int:
    """How many of them a call has to give."""
    return sum(each.default is each.empty and each.kind not in _VARIABLE for each in parameters.values())


def _by_name(parameters: Mapping[str, inspect.Parameter]) -> set[str]:
    """Those that can be given by their names."""
    return {name for name, each in parameters.items() if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)}
