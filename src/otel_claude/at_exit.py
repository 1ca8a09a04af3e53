"""What is to be done as a program ends, while there are providers to tell it to.

In: functions. Out: their calls, after the last thread of the program has been joined and before any provider shuts
down, whenever that was set.
"""

import atexit
import threading
from collections.abc import Callable
from contextlib import suppress

_to_call: list[Callable[[], None]] = []


def call_at_exit(function: Callable[[], None]) -> None:
    """Has `function` called as the program ends.

    Never to be said in a garbage collection, which may have begun in `atexit` itself. That is not ready for it.
    """
    if not _to_call:
        _register_when_it_ends()
    if function not in _to_call:
        _to_call.append(function)
    _register(function)


def _register_when_it_ends() -> None:
    """A provider registers its shutdown when it is made, and `atexit` calls first what was registered last.

    `threading` calls functions of its own before `atexit` calls any. It has no public name for that;
    `concurrent.futures` does the same. Where there is nothing like it, providers that are set later shut down first.
    """
    at_first = getattr(threading, "_register_atexit", None)
    if at_first is not None:
        with suppress(RuntimeError):  # The program ends already.
            at_first(_register_anew)


def _register_anew() -> None:
    for function in _to_call:
        _register(function)


def _register(function: Callable[[], None]) -> None:
    atexit.unregister(function)
    atexit.register(function)
