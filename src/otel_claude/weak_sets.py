"""Sets of objects that live for as long as somebody else holds them.

In: a set to which other threads may add. Out: what is in it now.
"""

import weakref
from typing import TypeVar

_T = TypeVar("_T")

MOST_TRIES = 1_000


def items_of(weak_set: "weakref.WeakSet[_T]") -> list[_T]:
    """What is in a set. Going through one fails when another thread adds to it meanwhile, and so is done again."""
    for _ in range(MOST_TRIES):
        try:
            return list(weak_set)
        except RuntimeError:
            continue
    return list(weak_set)
