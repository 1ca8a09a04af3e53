"""The spans that the `mcp` package makes from 2.0 on, of tools that it serves, and how ours live with them.

In: the module of `mcp` that holds its tracer. Out: the same module with a stand-in for it. For a tool that runs for a
use that has a span of ours, the stand-in makes no second span with `gen_ai.operation.name` = `execute_tool`: what mcp
knows of the call goes on ours. Every other span of mcp's stays as it is.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanKind

from otel_claude import names
from otel_claude.agents.current import current_execution
from otel_claude.failsafe import guarded
from otel_claude.values import fields

MODULE = "mcp.shared._otel"
TRACER = "_tracer"


class StandIn:
    """A tracer that gives way to ours, and is otherwise the one it stands for."""

    def __init__(self, tracer: Any) -> None:
        self.tracer = tracer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["tracer"], name)

    @contextmanager
    def start_as_current_span(self, name: str, *args: Any, **kwargs: Any) -> Generator[Span, None, None]:
        """The span of mcp's, or one that records nothing where there is one of ours."""
        ours = self._ours(kwargs)
        if ours is None:
            with self.tracer.start_as_current_span(name, *args, **kwargs) as span:
                yield span
        else:
            yield NonRecordingSpan(ours.get_span_context())

    @guarded(None)
    def _ours(self, kwargs: Mapping[str, Any]) -> Span | None:
        attributes = fields(kwargs.get("attributes"))
        if kwargs.get("kind") is not SpanKind.SERVER or attributes.get(names.OPERATION) != "execute_tool":
            return None
        outer = kwargs.get("context") or context.get_current()
        execution = current_execution(outer)
        if execution is None or trace.get_current_span(outer) is not execution.span:
            return None
        ours: Span = execution.span
        ours.set_attributes({key: value for key, value in attributes.items() if not key.startswith("gen_ai.")})
        return ours


def stand_in(module: ModuleType) -> None:
    """Puts a stand-in in the place of the module's tracer, if there is one and it is none yet."""
    tracer = getattr(module, TRACER, None)
    if tracer is not None and not isinstance(tracer, StandIn):
        setattr(module, TRACER, StandIn(tracer))


def restore(module: ModuleType) -> None:
    """Puts the tracer back."""
    tracer = getattr(module, TRACER, None)
    if isinstance(tracer, StandIn):
        setattr(module, TRACER, tracer.tracer)
