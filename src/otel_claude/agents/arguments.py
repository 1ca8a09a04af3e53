"""The arguments of tools, as they are compared. Pure.

In: the arguments that a model gave, or that a function was called with. Out: a short hash of them, with a salt of this
process, so that it says nothing of them elsewhere.
"""

import hashlib
import inspect
import json
import os
from collections.abc import Callable
from typing import Any

from otel_claude.values import is_object

_NAMED = inspect.Parameter.VAR_KEYWORD
_SALT = os.urandom(16)


def digest(arguments: Any) -> bytes | None:
    """A hash that equal arguments have in common. `None`: they are no values of JSON."""
    try:
        text = json.dumps(arguments, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return None
    return hashlib.blake2b(text.encode(), digest_size=12, key=_SALT).digest()


def arguments_of(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function is called with, as a model would write it.

    One object in the place of all arguments is what the model gave, as it stands.
    """
    if len(args) == 1 and not kwargs and is_object(args[0]):
        return args[0]
    if not args:
        return kwargs
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):
        # A call that fails, or a function without a signature.
        return {"args": list(args), **kwargs}
    kinds = {name: parameter.kind for name, parameter in bound.signature.parameters.items()}
    return {**{name: value for name, value in bound.arguments.items() if kinds[name] is not _NAMED}, **kwargs}
