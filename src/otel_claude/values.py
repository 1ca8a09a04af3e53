"""Values out of JSON documents and models that nobody has validated.

In: anything. Out: the value, typed, where it is of the kind that was asked for, and else `None`, or nothing. Pure.

Objects and arrays are told by their class and not by what they say of themselves: an object that is made when it is
first looked at stays as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

_Value = TypeVar("_Value")

Fields = Mapping[str, Any]
NO_FIELDS: Fields = {}

OTHER = "_OTHER"
"""OpenTelemetry's word for a value that is not known, or not told apart from others:
https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/#error-type.
"""


class_of: Callable[[Any], type[Any]] = type
"""The class of a value, whatever that says of itself."""


def is_object(value: Any) -> TypeGuard[Fields]:
    """Whether `value` is an object of JSON."""
    return type(value) is dict or issubclass(type(value), Mapping)


def is_array(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether `value` is an array of JSON. Other iterables are not: reading them could use them up."""
    return issubclass(type(value), (list, tuple))


def attribute(value: Any, name: str) -> Any:
    """What `value` has under a name. An object of the application's, or of a library's, may raise when it is asked."""
    try:
        return getattr(value, name, None)
    except Exception:
        return None


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
    """`value` where it is a number, and not one that is too large for a `float`."""
    try:
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    except OverflowError:
        return None


def known(values: Mapping[str, _Value | None]) -> dict[str, _Value]:
    """Those of `values` that are known."""
    return {name: value for name, value in values.items() if value is not None}


def texts(value: Any) -> tuple[str, ...] | None:
    """`value` where it is an array of strings."""
    return tuple(value) if is_array(value) and all(isinstance(item, str) for item in value) else None


def length(value: Any) -> int | None:
    """How many items `value` has, where it is an array with any."""
    return len(value) or None if is_array(value) else None
