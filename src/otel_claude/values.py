"""Values out of JSON documents and models that nobody has validated.

In: anything. Out: the value, typed, where it is of the kind that was asked for, and else `None`, or nothing. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

Fields = Mapping[str, Any]
NO_FIELDS: Fields = {}


def is_object(value: Any) -> TypeGuard[Fields]:
    """Whether `value` is an object of JSON."""
    return type(value) is dict or isinstance(value, Mapping)


def is_array(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether `value` is an array of JSON. Other iterables are not: reading them could use them up."""
    return isinstance(value, (list, tuple))


def fields(value: Any) -> Fields:
    """`value` where it is an object, and else an object without fields."""
    return value if is_object(value) else NO_FIELDS


def text(value: Any) -> str | None:
    """`value` where it is a string."""
    return value if isinstance(value, str) else None


def whole(value: Any) -> int | None:
    """`value` where it is a whole number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: Any) -> float | None:
    """`value` where it is a number."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def texts(value: Any) -> tuple[str, ...] | None:
    """`value` where it is an array of strings."""
    return tuple(value) if is_array(value) and all(isinstance(item, str) for item in value) else None


def length(value: Any) -> int | None:
    """How many items `value` has, where it is an array with any."""
    return len(value) or None if is_array(value) else None
