"""The instruments that calls are recorded on.

`INSTRUMENTS` is the table from which the instruments of a meter are made, and their reference in `docs/`. Names, units,
buckets of `gen_ai.*` are the conventions'; which of its two families there are is for the setting `metric_names`.
"""

from typing import Literal, NamedTuple

# The bounds of SECONDS, TOKENS, RUN_SECONDS and COUNTS are the conventions':
# https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
CALL_SECONDS = tuple(sorted((*SECONDS, 1, 3, 12)))
"""With the bounds of what is expected of Claude's models, which lie far from all others.

The conventions say SHOULD of their boundaries, and a quantile is only as exact as the bucket that it falls into: from
2.56 to 5.12 s, nobody could tell an answer of Sonnet that takes its 3 s from one that takes half as long again.
"""
TOKENS = tuple(4**exponent for exponent in range(14))
RUN_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)
PERCENT = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
"""Of a context window: finer where it gets full, with the 0.75 from which an event tells of it."""


class Instrument(NamedTuple):
    """One instrument. `names` says for which of the settings' `metric_names` it exists; `""` is for all of them."""

    name: str
    kind: Literal["histogram", "counter", "up_down_counter", "gauge"]
    unit: str
    description: str
    buckets: tuple[float, ...] | None = None
    names: Literal["", "legacy", "latest"] = ""


DURATION = Instrument(
    "gen_ai.client.operation.duration", "histogram", "s", "Duration of API calls.", CALL_SECONDS, "legacy"
)
INFERENCE_DURATION = Instrument(
    "gen_ai.client.inference.duration", "histogram", "s", "Duration of inferences.", CALL_SECONDS, "latest"
)
TOKEN_USAGE = Instrument(
    "gen_ai.client.token.usage",
    "histogram",
    "{token}",
    "Input and output tokens of inferences.",
    TOKENS,
    "legacy",
)
OPERATION_INPUT = Instrument(
    "gen_ai.client.inference.operation.input_tokens",
    "histogram",
    "{token}",
    "Input tokens of inferences.",
    TOKENS,
    "latest",
)
OPERATION_OUTPUT = Instrument(
    "gen_ai.client.inference.operation.output_tokens",
    "histogram",
    "{token}",
    "Output tokens of inferences.",
    TOKENS,
    "latest",
)
USAGE_INPUT = Instrument(
    "gen_ai.client.inference.usage.input_tokens", "counter", "{token}", "Input tokens.", None, "latest"
)
USAGE_OUTPUT = Instrument(
    "gen_ai.client.inference.usage.output_tokens", "counter", "{token}", "Output tokens.", None, "latest"
)
USAGE_CACHE_READ = Instrument(
    "gen_ai.client.inference.usage.cache_read.input_tokens",
    "counter",
    "{token}",
    "Input tokens that were read from the cache.",
    None,
    "latest",
)
USAGE_CACHE_WRITE = Instrument(
    "gen_ai.client.inference.usage.cache_write.input_tokens",
    "counter",
    "{token}",
    "Input tokens that were written to the cache.",
    None,
    "latest",
)
USAGE_REASONING = Instrument(
    "gen_ai.client.inference.usage.reasoning.output_tokens",
    "counter",
    "{token}",
    "Output tokens that were spent on thinking.",
    None,
    "latest",
)
FIRST_CHUNK = Instrument(
    "gen_ai.client.operation.time_to_first_chunk",
    "histogram",
    "s",
    "Time to the first content of a stream.",
    SECONDS,
    "legacy",
)
INFERENCE_FIRST_CHUNK = Instrument(
    "gen_ai.client.inference.time_to_first_chunk",
    "histogram",
    "s",
    "Time to the first content of a stream.",
    SECONDS,
    "latest",
)
CHUNK = Instrument(
    "gen_ai.client.operation.time_per_output_chunk",
    "histogram",
    "s",
    "Time that the application waited for each further chunk of a stream.",
    SECONDS,
    "legacy",
)
INFERENCE_CHUNK = Instrument(
    "gen_ai.client.inference.time_per_output_chunk",
    "histogram",
    "s",
    "Time that the application waited for each further chunk of a stream.",
    SECONDS,
    "latest",
)
CLAUDE_TOKENS = Instrument("claude.token.usage", "counter", "{token}", "Tokens, by the type that they are billed as.")
COST = Instrument("claude.cost", "counter", "USD", "What calls cost.")
SAVINGS = Instrument("claude.cost.savings", "up_down_counter", "USD", "What the cache and batches saved.")
"""Goes down where writing to the cache cost more than reading from it saved, so that its sum is what was saved."""
UNPRICED = Instrument("claude.cost.unpriced", "counter", "{call}", "Calls whose model has no price.")
UTILIZATION = Instrument(
    "claude.context.utilization",
    "histogram",
    "1",
    "How much of the context window the prompt filled.",
    PERCENT,
)
RESPONSES = Instrument("claude.responses", "counter", "{response}", "Answers, by why they ended.")
INTERRUPTIONS = Instrument(
    "claude.stream.interruptions", "counter", "{stream}", "Streams that did not reach their end."
)
SERVER_TOOLS = Instrument(
    "claude.server_tool.requests", "counter", "{request}", "Uses of tools that run on the API's side."
)
RETRIES = Instrument("claude.retries", "counter", "{retry}", "Requests that the SDK has sent again.")
RETRY_WAIT = Instrument(
    "claude.retry.wait", "histogram", "s", "How long the SDK waited before it sent a request again.", SECONDS
)
CACHE_UNUSED = Instrument(
    "claude.cache.unused", "counter", "{call}", "Calls that repeated a long prefix without using the cache."
)
TOOL_DURATION = Instrument(
    "gen_ai.execute_tool.duration", "histogram", "s", "Duration of the execution of tools.", SECONDS
)
AGENT_DURATION = Instrument(
    "gen_ai.invoke_agent.duration", "histogram", "s", "Duration of runs of agents.", RUN_SECONDS
)
AGENT_INFERENCES = Instrument(
    "gen_ai.invoke_agent.inference_calls",
    "histogram",
    "{inference_call}",
    "How many times a run of an agent asked a model.",
    COUNTS,
)
AGENT_TOOL_CALLS = Instrument(
    "gen_ai.invoke_agent.tool_calls", "histogram", "{tool_call}", "How many tools a run of an agent executed.", COUNTS
)
LIMIT = Instrument("claude.rate_limit.limit", "gauge", "{unit}", "The rate limit, in requests or tokens.")
REMAINING = Instrument("claude.rate_limit.remaining", "gauge", "{unit}", "What is left of the rate limit.")
RESET = Instrument("claude.rate_limit.reset", "gauge", "s", "Time until the rate limit is full again.")
BUDGET_LIMIT = Instrument("claude.budget.limit", "gauge", "USD", "What a budget has for its period.")
BUDGET_SPENT = Instrument(
    "claude.budget.spent",
    "gauge",
    "USD",
    "What is spent of a budget in its period, as its ledger says, which is each process's own if none is named.",
)
SPANS = Instrument(
    "claude.trace.spans", "counter", "{span}", "Spans that the cap has seen, of any library, by what became of them."
)
CAPPED = Instrument("claude.trace.capped", "counter", "{trace}", "Traces with more spans than the cap.")

INSTRUMENTS = tuple(each for each in list(globals().values()) if isinstance(each, Instrument))
