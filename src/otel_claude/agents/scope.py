"""A run or an execution while it lasts.

In: pieces of the application's code, or the SDK's, which `adapters` runs. Out: the context that they find, in which the
record and its span are current, and that of their caller as it was. A scope ends once.
"""

from collections.abc import Callable
from time import perf_counter_ns
from types import TracebackType
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context

from otel_claude.agents.current import is_current, with_record
from otel_claude.agents.execution import Execution
from otel_claude.agents.run import UNKNOWN, Run
from otel_claude.dropped import garbage_collection
from otel_claude.failsafe import guarded
from otel_claude.forks import forks
from otel_claude.leftovers import leftovers


class Step:
    """`with step:` stands around a piece of the code of a scope. Without one it does nothing."""

    __slots__ = ("_before", "_inside", "_scope", "_token")

    def __init__(self, scope: "Scope | None" = None) -> None:
        self._scope = scope
        self._before: Context | None = None
        self._inside: Context | None = None
        self._token: Any = None

    @guarded(None)
    def __enter__(self) -> None:
        scope = self._scope
        if scope is None or scope.record is None:
            return
        record, before, inside = scope.record, context.get_current(), scope.left
        if inside is None:
            inside = with_record(record, before)
            if record.owns_span:
                inside = trace.set_span_in_context(record.span, inside)
            scope.made = inside
        self._token = context.attach(inside)
        self._before, self._inside = before, inside
        if isinstance(record, Run):
            record.enter_step()

    @guarded(None)
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        # Who closes a generator may be anywhere, in the middle of something else.
        self.leave(in_order=not isinstance(error, GeneratorExit))

    @guarded(None)
    def leave(self, *, in_order: bool) -> None:
        """The code goes on elsewhere. `in_order`: all that was begun in it has ended, or goes on with it."""
        scope, before = self._scope, self._before
        if scope is None or scope.record is None or before is None:
            return
        self.forget()
        collecting = garbage_collection.here
        if not collecting:
            scope.record.active_at = perf_counter_ns()
        now = context.get_current()
        if not in_order or collecting:
            # What goes on here may be something else, such as a span, that was begun in the same run.
            if now is self._inside or now is scope.made:
                context.attach(before)
        elif is_current(scope.record):
            context.attach(before)
        else:
            # What the code has left open, such as a run, is current. It is not for whoever goes on from here.
            try:
                self._token.var.reset(self._token)
            except ValueError:
                return  # What ends in another context has nothing to take back there.
        scope.left = None if now is scope.made else now

    @guarded(None)
    def forget(self) -> None:
        """It goes on no more, whether it is left or not."""
        scope, self._scope = self._scope, None
        if scope is not None and isinstance(scope.record, Run) and self._before is not None:
            scope.record.leave_step()


NO_STEP = Step()


class Scope:
    """A run or an execution that is going on. `finish` is called when it has ended, once. No method raises.

    Without `finish` it stands around code of a run that somebody else ends. `made` is the context that its last step
    began with, where that was one of ours, and `left` the one that the code has made of it and goes on in.
    """

    __slots__ = ("__weakref__", "_finish", "_fork", "left", "made", "record")

    def __init__(
        self, record: Run | Execution | None = None, finish: Callable[[Any, BaseException | None], None] | None = None
    ) -> None:
        self.record = record
        self.made: Context | None = None
        self.left: Context | None = None
        self._finish = finish
        self._fork = forks.count
        if finish is not None:
            leftovers.add(self)

    @property
    def started_at(self) -> int:
        """When it began."""
        return 0 if self.record is None else self.record.started_at

    @guarded(NO_STEP)
    def step(self) -> Step:
        """What stands around a piece of its code."""
        return NO_STEP if self.record is None or self.record.finished else Step(self)

    @guarded(None)
    def end(self, error: BaseException | None = None, result: Any = None) -> None:
        """It has ended: with `error`, or with `result`."""
        record = self.record
        if record is None or record.finished or self._finish is None:
            return
        record.finished = True
        if self._fork != forks.count:
            return  # In a child it is only a copy of its parent's, who tells of it.
        if isinstance(record, Execution):
            record.result = result
        self._finish(record, error)

    def abandon(self) -> None:
        """It is left before its end."""
        self.end(GeneratorExit())

    @guarded(None)
    def end_unseen(self, result: Any) -> None:
        """It has ended with `result`, in which its work may go on where nobody sees it."""
        if isinstance(self.record, Run) and self._finish is not None:
            self.record.sums.add(UNKNOWN)
        self.end(result=result)


NO_SCOPE = Scope()
"""Where there is nothing to tell of."""

Opening = Callable[[], Scope]
"""Opens a scope, when what goes on in it begins."""
