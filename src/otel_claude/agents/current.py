"""The run and the execution that are going on in a context of OpenTelemetry.

They stand in the context beside the current span, so they go wherever that goes: into tasks, into threads that are
given the context, into whatever a tool calls.
"""

from typing import cast

from opentelemetry.context import Context, create_key, get_value, set_value

from otel_claude.agents.execution import Execution
from otel_claude.agents.run import Run
from otel_claude.failsafe import guarded

_RUN = create_key("otel_claude-run")
_EXECUTION = create_key("otel_claude-execution")


@guarded(None)
def current_run(context: Context | None = None) -> Run | None:
    """The innermost run that has not ended."""
    run = _run_in(context)
    while run is not None and run.finished:
        run = run.parent
    return run


def _run_in(context: Context | None = None) -> Run | None:
    return cast("Run | None", get_value(_RUN, context))


@guarded(None)
def current_execution(context: Context | None = None) -> Execution | None:
    """The innermost execution, within the innermost run, if it has not ended: what a tool has started may go on."""
    execution = _execution_in(context)
    return None if execution is None or execution.finished else execution


def _execution_in(context: Context | None = None) -> Execution | None:
    return cast("Execution | None", get_value(_EXECUTION, context))


def with_record(record: Run | Execution, context: Context) -> Context:
    """The context with a run or an execution in it."""
    if isinstance(record, Run):
        return set_value(_RUN, record, set_value(_EXECUTION, None, context))
    return set_value(_EXECUTION, record, context)


@guarded(False)
def is_current(record: Run | Execution) -> bool:
    """Whether it is the innermost one in this context."""
    return (_run_in() if isinstance(record, Run) else _execution_in()) is record
