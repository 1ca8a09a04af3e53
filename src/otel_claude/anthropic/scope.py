"""The call whose requests are being sent in this context, and the block around its sending.

In: a record, and whoever follows the call. Out: `current_call`, and a `Scope` in which the span of the call is current.
A call without a record has a `Silence` in its place, so that the SDK makes no span of its own either.
"""

from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Protocol

from opentelemetry import context

from otel_claude.anthropic.native_spans import Silence
from otel_claude.call import Call
from otel_claude.failsafe import guarded

_current: ContextVar[Call | Silence | None] = ContextVar("otel_claude_call", default=None)
_SILENCE = Silence()


def current_call() -> Call | Silence | None:
    """The call whose requests are being sent in this context."""
    return _current.get()


class Follower(Protocol):
    """Whoever is told how the sending of a call has ended."""

    def returned(self, call: Call, result: Any) -> None:
        """The call has come back with `result`."""
        ...

    def failed(self, call: Call, error: BaseException) -> None:
        """The call has raised `error`."""
        ...


class Scope:
    """`with scope:` stands around the sending of a call: its span is current, and what is raised ends it."""

    __slots__ = ("_attached", "_follower", "_marker", "_token", "call")

    def __init__(self, follower: Follower, call: Call | None) -> None:
        """Without a call it silences the SDK's own span."""
        self.call = call
        self._follower = follower
        self._token: Token[Call | Silence | None] | None = None
        self._attached: Any = None
        self._marker = call if call is not None else _SILENCE

    @guarded(None)
    def __enter__(self) -> None:
        self._token = _current.set(self._marker)
        if self.call is not None and self.call.owns_span and self.call.context is not None:
            self._attached = context.attach(self.call.context)

    @guarded(None)
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        self._leave()
        if error is not None and self.call is not None:
            self._follower.failed(self.call, error)

    @guarded(None)
    def _leave(self) -> None:
        # A coroutine that is dropped may be closed in another context, where there is nothing to take back.
        if _current.get() is not self._marker:
            return
        if self._token is not None:
            _current.reset(self._token)
        if self._attached is not None:
            context.detach(self._attached)

    @guarded(None)
    def returned(self, result: Any) -> None:
        """The call has returned `result`, which goes to the application as it is."""
        if self.call is not None:
            self._follower.returned(self.call, result)
