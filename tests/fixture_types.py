"""The types of the fixtures in `conftest`, for the annotations of tests."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from otel_claude.testing import Telemetry

API_KEY = "sk-ant-simulated"

Make = Callable[..., Any]
"""Makes a client of a class, with these options."""

Instrument = Callable[..., Telemetry]
"""Instruments the SDK with these settings, and gives the telemetry of what follows."""


class Runner(Protocol):
    """Runs a test that is a coroutine."""

    def run(self, coro: Coroutine[Any, Any, Any], /) -> Any:
        """Runs it to its end."""
        ...


class Steps:
    """Runs a coroutine that uses the sync SDK: it never waits for anything, so one step takes it to its end."""

    def run(self, coro: Coroutine[Any, Any, Any], /) -> Any:
        try:
            coro.send(None)
        except StopIteration as end:
            return end.value
        raise RuntimeError("something was awaited that the sync SDK has not")


class Clock:
    """A clock that only goes on when it is told to."""

    def __init__(self) -> None:
        self._now_ns = 1_000_000_000

    def advance(self, seconds: float) -> None:
        """Lets so many seconds pass."""
        self._now_ns += round(seconds * 1e9)

    def read(self) -> int:
        """Nanoseconds."""
        return self._now_ns
