"""What a span of a call carries: its name and its attributes, at the start and at the end.

In: the record of a call, and what it cost. Out: names and plain dictionaries of attributes. Pure: what an attribute
means stands in `names`, and `docs/telemetry.md` is made from there.
"""

from collections.abc import Callable, Mapping
from typing import Any

from otel_claude import names
from otel_claude.batches import BatchResults
from otel_claude.call import Call, Response, StreamFacts
from otel_claude.outcome import Failure
from otel_claude.pricing import Cost
from otel_claude.usage import Usage
from otel_claude.values import Fields, fields, is_object, length, number, text, texts, whole

Attributes = dict[str, Any]


def name_of(call: Call) -> str:
    """`chat {model}` for what a model answers, and the SDK's own name of the method for the rest."""
    if call.endpoint.is_inference:
        return f"{call.endpoint.kind} {call.request.model}" if call.request.model else call.endpoint.kind
    return call.endpoint.name


def start_attributes(call: Call) -> Attributes:
    """What is known before the request is sent, so that a sampler can decide by it."""
    server, request = call.server, call.request
    attributes: Attributes = {names.PROVIDER: server.provider, names.PLATFORM: server.platform}
    if server.address is not None:
        attributes[names.SERVER_ADDRESS] = server.address
        attributes[names.SERVER_PORT] = server.port
    if request.model is not None:
        attributes[names.REQUEST_MODEL] = request.model
    if request.conversation is not None:
        attributes[names.CONVERSATION] = request.conversation
    if call.who:
        attributes |= call.who
    if call.user is not None:
        attributes[names.USER] = call.user
    if not call.endpoint.is_inference:
        attributes[names.METHOD] = request.method
        return attributes | _batch_request(call)
    attributes[names.OPERATION] = call.endpoint.kind
    if request.stream:
        attributes[names.STREAM] = True
    if request.betas:
        attributes[names.BETA] = request.betas
    _read_parameters(request.body, attributes)
    return attributes


PARAMETERS: Mapping[str, tuple[tuple[str, Callable[[object], Any]], ...]] = {
    "max_tokens": ((names.MAX_TOKENS, whole),),
    "max_tokens_to_sample": ((names.MAX_TOKENS, whole),),
    "temperature": ((names.TEMPERATURE, number),),
    "top_p": ((names.TOP_P, number),),
    "top_k": ((names.TOP_K, whole),),
    "stop_sequences": ((names.STOP_SEQUENCES, texts),),
    "service_tier": ((names.REQUEST_TIER, text),),
    "messages": ((names.MESSAGES, length),),
    "tools": ((names.TOOLS, length),),
}
"""Fields of the request, with the attributes that they give. A value of another type gives none."""

NESTED_PARAMETERS: Mapping[str, tuple[tuple[str, str, Callable[[object], Any]], ...]] = {
    "thinking": (("type", names.THINKING, text), ("budget_tokens", names.THINKING_BUDGET, whole)),
    "output_config": (("effort", names.REASONING_LEVEL, text),),
}
"""Fields of objects in the request."""


def _read_parameters(body: Fields, attributes: Attributes) -> None:
    for field, value in body.items():
        for attribute, read in PARAMETERS.get(field, ()):
            if (said := read(value)) is not None:
                attributes[attribute] = said
        for inner, attribute, read in NESTED_PARAMETERS.get(field, ()):
            if (said := read(fields(value).get(inner))) is not None:
                attributes[attribute] = said
    # `output_format` is the earlier form of `output_config.format`.
    formats = (fields(body.get("output_config")).get("format"), body.get("output_format"))
    if any(is_object(form) and form.get("type") == "json_schema" for form in formats):
        attributes[names.OUTPUT_TYPE] = "json"


def _batch_request(call: Call) -> Attributes:
    requests = length(call.request.body.get("requests")) if call.endpoint.kind == "batch_create" else None
    return {} if requests is None else {names.BATCH_REQUESTS: requests}


def end_attributes(
    call: Call, failure: Failure | None, cost: Cost | None, window: int | None, hint: str | None = None
) -> Attributes:
    """What the answer tells, how it failed and what it cost. What is not known is left out.

    `hint` is what to do about an answer that is no failure.
    """
    attributes: Attributes = {} if hint is None else {names.ERROR_HINT: hint}
    if failure is not None:
        attributes |= failure_attributes(failure)
    if call.sent_bytes is not None:
        attributes[names.REQUEST_SIZE] = call.sent_bytes
    _add_response(call.response, attributes)
    usage = call.response.usage
    if usage is not None:
        _add_usage(call.whole_usage(usage), attributes)
        if (filled := usage.utilization(window)) is not None:
            attributes[names.CONTEXT_WINDOW] = window
            attributes[names.UTILIZATION] = filled
    if cost is not None:
        add_cost(cost, attributes, whole=usage is None or usage.output is not None)
    if call.retries:
        attributes[names.RETRIES] = len(call.retries)
        attributes[names.RETRY_WAIT] = sum(retry.wait_s for retry in call.retries)
    if call.stream is not None:
        _add_stream(call, call.stream, attributes)
    if call.batch is not None:
        _add_results(call.batch, attributes)
    _add_fields(call, attributes)
    return attributes


def failure_attributes(failure: Failure) -> Attributes:
    """How a call failed, and what to do."""
    attributes: Attributes = {names.ERROR_TYPE: failure.type, names.ERROR_CATEGORY: failure.category}
    if failure.hint is not None:
        attributes[names.ERROR_HINT] = failure.hint
    for said, attribute in ((failure.tokens, names.ERROR_TOKENS), (failure.limit, names.ERROR_LIMIT)):
        if said is not None:
            attributes[attribute] = said
    return attributes


RESPONSE_HEADERS: Mapping[str, bytes] = {
    names.REQUEST_ID: b"request-id",
    names.AWS_REQUEST_ID: b"x-amzn-requestid",
    names.ORGANIZATION: b"anthropic-organization-id",
    names.WORKSPACE: b"anthropic-workspace-id",
}


def _add_response(response: Response, attributes: Attributes) -> None:
    if response.status_code is not None:
        attributes[names.STATUS_CODE] = response.status_code
    for attribute, header in RESPONSE_HEADERS.items():
        if (value := response.header(header)) is not None:
            attributes[attribute] = value
    if response.id is not None:
        attributes[names.RESPONSE_ID] = response.id
    if response.model is not None:
        attributes[names.RESPONSE_MODEL] = response.model
    if response.stop_reason is not None:
        attributes[names.FINISH_REASONS] = (response.stop_reason,)
        attributes[names.STOP_REASON] = response.stop_reason


def _add_usage(usage: Usage, attributes: Attributes) -> None:
    if usage.prompt is not None:
        attributes[names.INPUT_TOKENS] = usage.prompt
    if usage.output is not None:
        attributes[names.OUTPUT_TOKENS] = usage.output
    for attribute, field in USAGE.items():
        if value := getattr(usage, field):
            attributes[attribute] = value


USAGE: Mapping[str, str] = {
    names.CACHE_READ: "cache_read",
    names.CACHE_WRITE: "cache_write",
    names.CACHE_CREATION: "cache_write",
    names.CACHE_WRITE_5M: "cache_write_5m",
    names.CACHE_WRITE_1H: "cache_write_1h",
    names.REASONING: "thinking",
    names.RESPONSE_TIER: "service_tier",
    names.WEB_SEARCHES: "web_searches",
    names.WEB_FETCHES: "web_fetches",
    names.CODE_EXECUTIONS: "code_executions",
}
"""Attributes, with the fields of `Usage` that they show where these are neither zero nor unknown."""


def add_cost(cost: Cost, attributes: Attributes, *, whole: bool) -> None:
    """Adds the cost and its parts; the sum only where the `whole` usage is known. Parts of nothing are left out."""
    if whole:
        attributes[names.COST] = cost.total
    for attribute, field in COSTS.items():
        if value := getattr(cost, field):
            attributes[attribute] = value
    attributes[names.COST_SOURCE] = cost.source
    if cost.estimated:
        attributes[names.COST_ESTIMATED] = cost.estimated


COSTS: Mapping[str, str] = {
    names.COST_INPUT: "input",
    names.COST_OUTPUT: "output",
    names.COST_CACHE_READ: "cache_read",
    names.COST_CACHE_WRITE: "cache_write",
    names.COST_SERVER_TOOLS: "server_tools",
    names.CACHE_SAVINGS: "cache_savings",
    names.BATCH_SAVINGS: "batch_savings",
}
"""Attributes, with the fields of `Cost` that they show where these are not zero."""


def _add_stream(call: Call, stream: StreamFacts, attributes: Attributes) -> None:
    if stream.outcome is not None:
        attributes[names.STREAM_OUTCOME] = stream.outcome
    if stream.chunks:
        attributes[names.CHUNKS] = stream.chunks
        attributes[names.MAX_GAP] = stream.max_gap_ns / 1e9
    if stream.first_content_at is not None:
        attributes[names.FIRST_CHUNK] = (stream.first_content_at - call.started_at) / 1e9
    if stream.outcome == "interrupted" and call.endpoint.is_inference and call.response.stop_reason is None:
        attributes[names.FINISH_REASONS] = ("error",)


def _add_results(results: BatchResults, attributes: Attributes) -> None:
    attributes[names.BATCH] = results.batch
    for kind, attribute in RESULT_TYPES.items():
        if kind in results.types:
            attributes[attribute] = results.types[kind]
    sums = results.read.values()
    if sums:
        attributes[names.BATCH_INPUT_TOKENS] = sum(each.usage.prompt or 0 for each in sums)
        attributes[names.BATCH_OUTPUT_TOKENS] = sum(each.usage.output or 0 for each in sums)
    attributes |= results.cut_attributes | results.crowded_attributes
    # Results that were read before have been paid for before.
    fresh = results.fresh.values()
    costs = [each.cost for each in fresh if each.cost is not None]
    if costs and not any(each.unpriced for each in fresh):
        attributes[names.COST] = sum(cost.total for cost in costs)
        attributes[names.BATCH_SAVINGS] = sum(cost.batch_savings for cost in costs)
        attributes[names.COST_SOURCE] = costs[0].source


RESULT_TYPES: Mapping[str, str] = {
    "succeeded": names.BATCH_SUCCEEDED,
    "errored": names.BATCH_ERRORED,
    "canceled": names.BATCH_CANCELED,
    "expired": names.BATCH_EXPIRED,
}
"""The types that the result of a request in a batch can have."""


def _add_fields(call: Call, attributes: Attributes) -> None:
    if call.endpoint.kind == "download" and call.bytes_received is not None:
        attributes[names.FILE_SIZE] = call.bytes_received
    if call.file_bytes is not None:
        attributes[names.FILE_SIZE] = call.file_bytes
    for attribute, field, read in FIELDS.get(call.endpoint.kind, ()):
        if (said := read(call.response.fields.get(field))) is not None:
            attributes[attribute] = said


FIELDS: Mapping[str, tuple[tuple[str, str, Callable[[object], Any]], ...]] = {
    "count_tokens": ((names.COUNTED_TOKENS, "input_tokens", whole),),
    "batch_create": ((names.BATCH, "id", text),),
    "upload": ((names.FILE_SIZE, "size_bytes", whole), (names.FILE_TYPE, "mime_type", text)),
}
"""What the answers of some endpoints tell, field by field."""
