"""What spans and metric points of a connection carry. Pure.

In: runs, answers and tools, from `runs`. Out: names, attributes and points. What an attribute means stands in
`names`.
"""

from collections.abc import Iterator

from otel_claude import names
from otel_claude.agent_sdk.records import execution_of, sums_of
from otel_claude.agent_sdk.runs import Answer, Limit, Run, Thing, ToolUse
from otel_claude.agent_sdk.spend import ModelSpend
from otel_claude.agent_sdk.tools import was_executed
from otel_claude.budgets.money import dollars
from otel_claude.emitting import instruments
from otel_claude.emitting.agents import tool_labels, tool_name, tool_start
from otel_claude.emitting.points import TOKEN_TYPES, Labels, Point
from otel_claude.emitting.spans import USAGE, Attributes
from otel_claude.values import known

AGENT, CHAT = "invoke_agent", "chat"

BY_CLI = ("cli",)
"""Why the cost is an estimate: the CLI computes it from a price list of its own.
https://code.claude.com/docs/en/agent-sdk/cost-tracking
"""


def name_of(thing: Thing) -> str:
    """`invoke_agent {name}`, `chat {model}`, `execute_tool {tool}`."""
    match thing:
        case Run():
            return f"{AGENT} {thing.name}" if thing.name else AGENT
        case Answer():
            return f"{CHAT} {thing.model}" if thing.model else CHAT
        case ToolUse():
            return tool_name(execution_of(thing))
        case Limit():
            return thing.name


def start_attributes(thing: Run | Answer | ToolUse) -> Attributes:
    """What is known when a span starts, so that a sampler can decide by it."""
    match thing:
        case Run():
            found: Attributes = {
                names.OPERATION: AGENT,
                names.PROVIDER: thing.provider,
                names.AGENT_NAME: thing.name,
                names.CONVERSATION: thing.turn.session,
            }
        case Answer():
            found = {
                names.OPERATION: CHAT,
                names.PROVIDER: thing.run.provider,
                names.RESPONSE_ID: thing.id,
                names.RESPONSE_MODEL: thing.model,
                names.CONVERSATION: thing.run.turn.session,
            }
        case ToolUse():
            found = tool_start(execution_of(thing))
    return known(found)


def end_attributes(thing: Run | Answer | ToolUse) -> Attributes:
    """What is known when it has ended. What is not known is left out."""
    match thing:
        case Run():
            return _of_run(thing)
        case Answer():
            return _of_answer(thing)
        case ToolUse():
            return known({names.ERROR_TYPE: thing.error_type, names.CONVERSATION: thing.run.turn.session})


def _of_run(run: Run) -> Attributes:
    sums = sums_of(run)
    found: Attributes = {
        names.AGENT_ITERATIONS: sums.iterations,
        names.AGENT_TOOL_CALLS: sums.tool_calls,
        names.AGENT_INPUT_TOKENS: sums.input_tokens,
        names.AGENT_OUTPUT_TOKENS: sums.output_tokens,
        names.AGENT_OUTCOME: run.outcome,
        names.ERROR_TYPE: run.error_type,
        names.REQUEST_MODEL: run.model,
        names.CONVERSATION: run.turn.session,
        names.AGENT_ORIGIN: run.origin,
    }
    if sums.cost is not None:
        found |= {names.AGENT_COST: dollars(sums.cost), names.COST_ESTIMATED: BY_CLI}
    return known(found)


def _of_answer(answer: Answer) -> Attributes:
    usage = answer.usage
    found: Attributes = {
        names.INPUT_TOKENS: usage.prompt,
        names.OUTPUT_TOKENS: usage.output,
        names.REQUEST_ID: answer.request_id,
        names.CONVERSATION: answer.run.turn.session,
        names.STOP_REASON: answer.stop_reason,
        names.FINISH_REASONS: None if answer.stop_reason is None else (answer.stop_reason,),
        **{attribute: getattr(usage, field) or None for attribute, field in USAGE.items()},
    }
    return known(found)


def limit_attributes(limit: Limit, now_s: float) -> Attributes:
    """What the event of a limit carries."""
    reset_s = None if limit.resets_at is None else max(0.0, limit.resets_at - now_s)
    return known(
        {
            names.LIMIT_TYPE: limit.name,
            names.LIMIT_RESET_S: reset_s,
            names.LIMIT_USED: limit.used,
            names.LIMIT_STATUS: limit.status,
        }
    )


def histogram_points(thing: Thing) -> Iterator[Point]:
    """The points of what has ended that count runs, tools and tokens."""
    match thing:
        case Run():
            yield from _run_points(thing)
        case ToolUse() if was_executed(thing) and thing.ended_at is not None:
            labels = tool_labels(execution_of(thing), thing.name, thing.run.name, thing.error_type)
            yield instruments.TOOL_DURATION, (thing.ended_at - thing.started_at) / 1e9, labels
        case _:
            pass


def _run_points(run: Run) -> Iterator[Point]:
    if run.ended_at is None:
        return
    labels = known({names.AGENT_NAME: run.name})
    failed = known({**labels, names.ERROR_TYPE: run.error_type})
    yield instruments.AGENT_DURATION, (run.ended_at - run.started_at) / 1e9, failed
    sums = sums_of(run)
    if sums.iterations is not None:
        yield instruments.AGENT_INFERENCES, sums.iterations, labels
    if sums.tool_calls is not None:
        yield instruments.AGENT_TOOL_CALLS, sums.tool_calls, labels
    for spent in () if run.spend is None else run.spend.models:
        for direction, count, latest in (
            ("input", spent.usage.prompt, instruments.OPERATION_INPUT),
            ("output", spent.usage.output, instruments.OPERATION_OUTPUT),
        ):
            if count is not None:
                yield instruments.TOKEN_USAGE, count, {**_labels(spent), names.TOKEN_TYPE: direction}
                yield latest, count, _labels(spent)


def counter_points(run: Run) -> Iterator[Point]:
    """The points of a turn that add up: tokens and cost, model by model."""
    for spent in () if run.spend is None else run.spend.models:
        labels = _labels(spent)
        for field, kind in TOKEN_TYPES:
            if count := getattr(spent.usage, field):
                yield instruments.CLAUDE_TOKENS, count, {**labels, names.CLAUDE_TOKEN_TYPE: kind}
        if spent.cost:
            estimated = {names.PROCESSING: "standard", names.COST_ESTIMATED: BY_CLI[0]}
            yield instruments.COST, spent.cost, {**labels, **estimated}


def _labels(spent: ModelSpend) -> Labels:
    return {names.OPERATION: AGENT, names.PROVIDER: spent.provider, names.RESPONSE_MODEL: spent.model}
