"""What the spans of runs and of tools carry, and their metric points.

In: the record of a run, or of the execution of a tool. Out: names, plain dictionaries of attributes, and points. Pure:
what an attribute means stands in `names`.
"""

from collections.abc import Iterator

from otel_claude import names
from otel_claude.agents.execution import Execution
from otel_claude.agents.run import Run
from otel_claude.budgets.money import dollars
from otel_claude.content import Content, read_response, to_json
from otel_claude.content.limit import Redact, bound
from otel_claude.content.parts import Part, parts_of
from otel_claude.diagnosis.finding import Finding
from otel_claude.emitting import instruments
from otel_claude.emitting.points import MODELS, Labels, Point
from otel_claude.emitting.spans import Attributes
from otel_claude.values import fields, known


def run_name(run: Run) -> str:
    """`invoke_agent`, with the name of the agent where it has one."""
    return "invoke_agent" if run.name is None else f"invoke_agent {run.name}"


def run_start(run: Run) -> Attributes:
    """What is known of a run before it does anything."""
    return known(
        {
            names.OPERATION: "invoke_agent",
            names.AGENT_NAME: run.name,
            names.PROVIDER: run.provider,
            names.REQUEST_MODEL: run.model,
            names.CONVERSATION: run.conversation,
            **run.who,
        }
    )


def run_end(run: Run) -> Attributes:
    """The sums of a run, and how it ended."""
    sums = run.known_sums
    return known(
        {
            names.AGENT_ITERATIONS: sums.iterations,
            names.AGENT_TOOL_CALLS: sums.tool_calls,
            names.AGENT_INPUT_TOKENS: sums.input_tokens,
            names.AGENT_OUTPUT_TOKENS: sums.output_tokens,
            names.AGENT_COST: None if sums.cost is None else dollars(sums.cost),
            names.AGENT_OUTCOME: run.outcome,
            names.ERROR_TYPE: run.error_type,
        }
    )


def run_points(run: Run, name: str | None) -> Iterator[Point]:
    """How long a run took, and how much it did. `name` is that of the agent, as metrics tell agents apart."""
    agent: Labels = known({names.AGENT_NAME: name, **run.counted_for})
    model = None if run.model is None else MODELS.asked(run.model)
    labels: Labels = known({**agent, names.REQUEST_MODEL: model, names.ERROR_TYPE: run.error_type})
    yield instruments.AGENT_DURATION, run.duration_s, labels
    sums = run.known_sums
    if sums.iterations is not None:
        yield instruments.AGENT_INFERENCES, sums.iterations, agent
    if sums.tool_calls is not None:
        yield instruments.AGENT_TOOL_CALLS, sums.tool_calls, agent


def tool_name(execution: Execution) -> str:
    """`execute_tool {tool}`."""
    return f"execute_tool {execution.name}"


def tool_start(execution: Execution) -> Attributes:
    """What is known of an execution before it begins."""
    run = execution.run
    return known(
        {
            names.OPERATION: "execute_tool",
            names.TOOL_NAME: execution.name,
            names.TOOL_TYPE: _type(execution),
            names.TOOL_KIND: execution.kind,
            names.MCP_SERVER: execution.server,
            names.TOOL_CALL: execution.call,
            names.TOOL_REPEATS: execution.repeats if execution.repeats > 1 else None,
            names.AGENT_NAME: None if run is None else run.name,
            names.CONVERSATION: None if run is None else run.conversation,
            **execution.who,
        }
    )


def _type(execution: Execution) -> str:
    """Who executes it, in the conventions' words: the application, or the agent's side."""
    return "extension" if execution.is_remote else "function"


def tool_labels(execution: Execution, tool: str, agent: str | None, error_type: str | None) -> Labels:
    """What the duration of an execution is told apart by. `tool` and `agent` are names as metrics have them."""
    return known(
        {
            names.TOOL_NAME: tool,
            names.TOOL_TYPE: _type(execution),
            names.AGENT_NAME: agent,
            names.ERROR_TYPE: error_type,
        }
    )


def tool_points(execution: Execution, tool: str, agent: str | None) -> Iterator[Point]:
    """How long an execution took. `tool` and `agent` are the names by which metrics tell them apart."""
    labels = {**tool_labels(execution, tool, agent, execution.error_type), **execution.counted_for}
    yield instruments.TOOL_DURATION, execution.duration_s, labels


def tool_content(execution: Execution, limit_bytes: int, redact: Redact | None) -> Attributes:
    """What an execution was given and what it gave, as `redact` wants it and within the limit.

    The hook sees them as the parts of messages that they are: a tool call among the model's output, and the response
    to it among the next input.
    """
    asked = {"type": "tool_use", "id": execution.call, "name": execution.name, "input": execution.arguments}
    result = execution.result
    if fields(result).get("type") == "tool_result":
        result = result.get("content")
    given = {"type": "tool_result", "tool_use_id": execution.call, "content": result}
    told: list[Part] = [{"type": "function", "name": execution.name, "description": execution.description}]
    content = bound(
        Content(
            input_messages=None if result is None else [{"role": "user", "parts": parts_of(given)}],
            output_messages=None if execution.arguments is None else read_response(asked, None),
            tool_definitions=None if execution.description is None else told,
        ),
        limit_bytes,
        redact,
    )
    return known(
        {
            names.TOOL_ARGUMENTS: _in(content.output_messages, "arguments"),
            names.TOOL_RESULT: _in(content.input_messages, "response"),
            names.TOOL_DESCRIPTION: content.tool_definitions[0].get("description")
            if content.tool_definitions
            else None,
            names.CONTENT_TRUNCATED: content.truncated or None,
        }
    )


def _in(messages: list[Part] | None, field: str) -> str | None:
    """A field of the one part of a message, or what has taken the place of that part, as JSON."""
    parts = messages[0].get("parts") if messages else None
    return to_json(parts[0].get(field, parts[0])) if parts else None


def of_loop(execution: Execution) -> Finding:
    """A run calls the same tool with the same arguments again and again."""
    agent = None if execution.run is None else execution.run.name
    said = known({names.TOOL_NAME: execution.name, names.AGENT_NAME: agent, names.TOOL_REPEATS: execution.repeats})
    return Finding(names.AGENT_LOOP_EVENT, "WARN", {**said, **execution.who})
