"""Work that may take too long: name servers, sockets and exporters.

In: functions, and how many seconds they have. Out: what they give in that time. What is still at work afterwards is on
a thread that keeps no process alive.
"""

import contextvars
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Work(Generic[_T]):
    """A function that is at work, on a thread of its own, from now on and for `seconds`."""

    def __init__(self, function: Callable[[], _T], seconds: float) -> None:
        self._function = function
        self._until = time.monotonic() + seconds
        self._given: SimpleQueue[tuple[_T] | Exception] = SimpleQueue()
        context = contextvars.copy_context()
        Thread(target=lambda: context.run(self._run), name="otel-claude doctor", daemon=True).start()

    def result(self) -> _T:
        """What the function gives.

        Raises:
            TimeoutError: nothing, in the time that it has.
            Exception: what the function raises.
        """
        try:
            given = self._given.get(timeout=max(0.0, self._until - time.monotonic()))
        except Empty:
            raise TimeoutError from None
        if isinstance(given, Exception):
            raise given
        return given[0]

    def _run(self) -> None:
        try:
            self._given.put((self._function(),))
        except Exception as error:
            self._given.put(error)
