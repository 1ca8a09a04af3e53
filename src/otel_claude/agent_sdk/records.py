"""Runs and uses of tools as `otel_claude.agents` has them, which the application's own agents and tools know of. Pure.

In: runs and uses of tools, from `runs`. Out: their sums, and the record of an execution.
"""

from otel_claude.agent_sdk.runs import Run, ToolUse
from otel_claude.agents.execution import Execution
from otel_claude.agents.run import Sums
from otel_claude.budgets.money import picodollars
from otel_claude.values import fields


def done_by_cli(run: Run) -> Sums:
    """What the CLI has done in a run, as it says, and as its frames show."""
    spend = run.spend
    return Sums(
        iterations=run.iterations,
        tool_calls=run.tool_calls,
        input_tokens=run.input_tokens,
        output_tokens=None if spend is None else spend.output,
        cost=None if spend is None or spend.cost is None else picodollars(spend.cost),
    )


def sums_of(run: Run) -> Sums:
    """All that was done in a run, with what this process has done for its tools."""
    sums = done_by_cli(run)
    sums.add(run.record.known_sums)
    return sums


def execution_of(tool: ToolUse) -> Execution:
    """The execution of a tool. The function that executes it may have any name."""
    return Execution(
        tool.name,
        tool.run.record,
        call=tool.id,
        kind=tool.kind,
        is_remote=not tool.in_process,
        server=tool.server,
        arguments=tool.arguments,
        result=fields(tool.result).get("content"),
        repeats=tool.repeats,
        any_name=True,
        served_as=tool.name.removeprefix(f"mcp__{tool.server}__"),
    )
