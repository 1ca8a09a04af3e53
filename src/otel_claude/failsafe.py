"""The one guard around all telemetry code.

In: our own functions. Out: the same functions, from which no `Exception` ever comes. What went wrong is logged at debug
level with its traceback and counted, and the application goes on without that piece of telemetry. Exceptions of the
application never pass through here: a guarded function calls no code of the application's.
"""

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
_D = TypeVar("_D")

_log = logging.getLogger("otel_claude")


class Failures:
    """How many exceptions of our own were swallowed in this process, by the function that raised."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def report(self, where: str) -> None:
        """Logs and counts the exception that is being handled. To be called from an `except` block."""
        self.counts[where] = self.counts.get(where, 0) + 1
        _log.debug("otel_claude: %s failed; the call goes on without its telemetry", where, exc_info=True)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


failures = Failures()


def guarded(otherwise: _D) -> Callable[[Callable[_P, _T]], Callable[_P, _T | _D]]:
    """A decorator: the function as it is, but that gives `otherwise` where it would have raised an `Exception`."""

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T | _D]:
        @functools.wraps(function)
        def guard(*args: _P.args, **kwargs: _P.kwargs) -> _T | _D:
            try:
                return function(*args, **kwargs)
            except Exception:
                failures.report(function.__qualname__)
                return otherwise

        return guard

    return decorate
