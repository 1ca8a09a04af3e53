"""What some backends read under names of their own, made from the attributes of a span.

In: a convention, as the setting `compatibility` calls it, and a span that is about to end, or its attributes. Out:
attributes to add, which say the same once more. What the backend reads under our own names is not repeated.

- `openinference`: Phoenix reads `gen_ai.*`, but prices the model that was asked and not the one that answered, takes a
  count of tokens for a call of a model, lists spans with what stands in `input.value` and `output.value`, and does not
  know the summaries of the span cap.
  https://arize-ai.github.io/openinference/spec/semantic_conventions.html
- `langfuse`: Langfuse does not read for how long the cache was written, and has prices of its own. Before its pull
  request 13110, of April 2026, it counts cached tokens twice, and before 17129, of September, those that were written.
  https://langfuse.com/integrations/native/opentelemetry#property-mapping
- `mlflow`: MLflow has prices of its own, and does not know the summaries.
  https://mlflow.org/docs/latest/genai/tracing/
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from otel_claude import names
from otel_claude.failsafe import guarded

Attributes = Mapping[str, Any]
Read = Callable[[Attributes], Any]

OFF = "off"
JSON_TYPE = "application/json"
SPAN_KINDS: Mapping[str, str] = {
    "chat": "LLM",
    "text_completion": "LLM",
    "invoke_agent": "AGENT",
    "execute_tool": "TOOL",
}
"""Operations, with the kinds of OpenInference. What is neither is `CHAIN`, a step between others."""


@guarded(None)
def add_compatibility(convention: str, span: Any) -> None:
    """Sets on a span of OpenTelemetry, to which nothing else is added any more, what a convention wants of it.

    A span that does not tell its attributes, such as one that is not recorded, stays as it is.
    """
    if convention != OFF:
        attributes = getattr(span, "attributes", None)
        if attributes:
            span.set_attributes(compatibility_attributes(convention, attributes))


def compatibility_attributes(convention: str, attributes: Attributes) -> dict[str, Any]:
    """The attributes that a span needs besides, for a convention. What is not known is left out."""
    read = ((name, value_of(attributes)) for name, value_of in CONVENTIONS[convention].items())
    return {name: value for name, value in read if value is not None}


def _first(*sources: str) -> Read:
    """The first of these attributes that there is."""
    return lambda attributes: next((attributes[name] for name in sources if name in attributes), None)


def _if_any(*sources: str, value: str) -> Read:
    """A value that says something of these attributes, where there is one of them."""
    return lambda attributes: value if any(name in attributes for name in sources) else None


def _span_kind(attributes: Attributes) -> str:
    # Phoenix reads tokens of the kind LLM only, so a summary of calls is one too.
    other = "CHAIN" if _summarized_tokens(attributes) is None else "LLM"
    return SPAN_KINDS.get(attributes.get(names.OPERATION, ""), other)


def _summarized_tokens(attributes: Attributes) -> int | None:
    """All tokens of the calls that a summary stands for. Those of a single call, backends add up themselves."""
    if names.SUMMARY_INPUT not in attributes and names.SUMMARY_OUTPUT not in attributes:
        return None
    return attributes.get(names.SUMMARY_INPUT, 0) + attributes.get(names.SUMMARY_OUTPUT, 0)


def _usage_details(attributes: Attributes) -> str | None:
    """The tokens of a call in kinds that do not overlap, called as Langfuse's own prices call them."""
    prompt, output = attributes.get(names.INPUT_TOKENS), attributes.get(names.OUTPUT_TOKENS)
    if prompt is None or output is None:
        return None
    read, written = attributes.get(names.CACHE_READ, 0), attributes.get(names.CACHE_WRITE, 0)
    for_5m, for_1h = attributes.get(names.CACHE_WRITE_5M, 0), attributes.get(names.CACHE_WRITE_1H, 0)
    kinds = {
        "input": prompt - read - written,
        "input_cached_tokens": read,
        "input_cache_creation": written - for_5m - for_1h,
        "input_cache_creation_5m": for_5m,
        "input_cache_creation_1h": for_1h,
        "output": output,
        "total": prompt + output,
    }
    return json.dumps({kind: count for kind, count in kinds.items() if count})


def _langfuse_cost(attributes: Attributes) -> str | None:
    # The other name that Langfuse reads, `gen_ai.usage.cost`, does not count there where it is 0.
    cost = attributes.get(names.COST)
    return None if cost is None else json.dumps({"total": cost})


def _mlflow_cost(attributes: Attributes) -> str | None:
    cost = attributes.get(names.COST, attributes.get(names.SUMMARY_COST))
    if cost is None:
        return None
    for_output = attributes.get(names.COST_OUTPUT)
    # A summary, or the results of a batch, tell only what all of it has cost.
    parts = {} if for_output is None else {"input_cost": cost - for_output, "output_cost": for_output}
    return json.dumps({**parts, "total_cost": cost})


def _mlflow_usage(attributes: Attributes) -> str | None:
    """Of a summary, as MLflow reads those of calls itself."""
    total = _summarized_tokens(attributes)
    if total is None:
        return None
    kinds = {
        "input_tokens": attributes.get(names.SUMMARY_INPUT, 0),
        "output_tokens": attributes.get(names.SUMMARY_OUTPUT, 0),
        "total_tokens": total,
        "cache_read_input_tokens": attributes.get(names.SUMMARY_CACHE_READ),
        "cache_creation_input_tokens": attributes.get(names.SUMMARY_CACHE_WRITE),
    }
    return json.dumps({kind: count for kind, count in kinds.items() if count is not None})


CONVENTIONS: Mapping[str, Mapping[str, Read]] = {
    OFF: {},
    "openinference": {
        "openinference.span.kind": _span_kind,
        "llm.model_name": _first(names.RESPONSE_MODEL),
        "llm.token_count.prompt": _first(names.SUMMARY_INPUT),
        "llm.token_count.completion": _first(names.SUMMARY_OUTPUT),
        "llm.token_count.total": _summarized_tokens,
        "llm.token_count.prompt_details.cache_read": _first(names.SUMMARY_CACHE_READ),
        "llm.token_count.prompt_details.cache_write": _first(names.SUMMARY_CACHE_WRITE),
        "input.value": _first(names.INPUT_MESSAGES, names.TOOL_ARGUMENTS),
        "input.mime_type": _if_any(names.INPUT_MESSAGES, names.TOOL_ARGUMENTS, value=JSON_TYPE),
        "output.value": _first(names.OUTPUT_MESSAGES, names.TOOL_RESULT),
        "output.mime_type": _if_any(names.OUTPUT_MESSAGES, names.TOOL_RESULT, value=JSON_TYPE),
        "user.id": _first(names.USER),
    },
    "langfuse": {
        "langfuse.observation.cost_details": _langfuse_cost,
        "langfuse.observation.usage_details": _usage_details,
        "langfuse.user.id": _first(names.USER),
    },
    "mlflow": {
        "mlflow.llm.cost": _mlflow_cost,
        "mlflow.chat.tokenUsage": _mlflow_usage,
    },
}
"""The names that each adds, with what stands there: the accepted values of the setting `compatibility`."""
