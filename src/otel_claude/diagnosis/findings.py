"""What there is to say of a call beyond its numbers, as findings, each of which becomes an event.

In: the record of a call, at the moments when there may be something to say: a retry, a response with limits, the end.
Out: findings. `ENDINGS` is the table of what is looked at when a call has ended. Pure.

What is rarely needed is imported when it is.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from otel_claude import names
from otel_claude.batches import BatchResults, Filled
from otel_claude.call import Call
from otel_claude.diagnosis.conversations import LONG, Conversations
from otel_claude.diagnosis.estimates import estimated_tokens
from otel_claude.diagnosis.finding import Finding, Value
from otel_claude.diagnosis.prefixes import LEAST_MINIMUM, Cache, Prefixes, Sighting
from otel_claude.diagnosis.recent import Recent
from otel_claude.outcome import Failure
from otel_claude.rate_limits import Low
from otel_claude.settings import Settings
from otel_claude.usage import Usage
from otel_claude.values import fields, is_array, is_object, known, length, whole

CUT = frozenset({"max_tokens", "model_context_window_exceeded"})
"""Reasons to stop that are none of the model's: https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons"""

_BATCHED = re.compile(r"requests\.([0-9]{1,6})\.params\.")
"""How the API names a request of a batch, before a place in it."""

MOST_CHECKED = 10_000
"""How many tools are remembered as checked."""

USUAL_WINDOW, SLOW_PROMPT = 200_000, 150_000
"""Tokens. With the window that most models had, answers become slow and requests fail soon beyond so large a prompt."""

LARGE_FILE = 100_000_000
"""Bytes of an upload that is worth a word."""

LONG_UPLOAD_S = 25.0
"""Seconds of an upload that is worth a word: some proxies give up after 30."""


class Ended(NamedTuple):
    """A call that has ended, and what is known of it. `filled` is what its prompt took of the context window."""

    call: Call
    failure: Failure | None
    usage: Usage | None
    filled: Filled | None


class Findings:
    """What there is to say of calls, where that depends on the settings and on the calls before."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._conversations = Conversations()
        self._prefixes = Prefixes()
        self._checked: Recent[int, bool] = Recent(MOST_CHECKED)

    def of_request(self, call: Call) -> Iterator[Finding]:
        """What there is to say of a request that is about to be sent for the first time."""
        if not call.endpoint.is_inference or call.sent_body is None:
            return
        messages = length(call.sent_body.get("messages")) or 0
        if messages >= LONG:
            tools = length(call.sent_body.get("tools")) or 0
            grown = self._conversations.grown(call.request.conversation, messages, tools, lambda: _estimate(call))
            if grown is not None:
                yield grown
        tools = call.sent_body.get("tools") if self._settings.check_tools else None
        if is_array(tools):
            for index in self._unchecked(tools):
                yield from of_tools(tools, only=index)

    def _unchecked(self, tools: Sequence[object]) -> list[int]:
        """Which tools have a name and a schema that have not come before. Descriptions may differ from call to call."""
        from otel_claude.diagnosis.tool_schemas import fingerprint

        told = [[fields(tool).get(key) for key in ("type", "name", "input_schema", "strict")] for tool in tools]
        known_as = [fingerprint(said) or hash(repr(said)) for said in told]
        unchecked = [index for index, key in enumerate(known_as) if not self._checked.get(key)]
        for key in known_as:
            self._checked.put(key, True)
        return unchecked

    def repeated(self, call: Call) -> Sighting | None:
        """Whether a call has repeated a prefix that it could have had from the cache."""
        usage = call.response.usage
        if usage is None or usage.prompt is None or call.sent_body is None or not call.endpoint.is_inference:
            return None
        if usage.prompt < LEAST_MINIMUM:
            return None
        cached = (usage.cache_read or 0) + (usage.cache_write or 0)
        response, sent_s = call.response, call.attempted_at / 1e9
        cache = Cache(
            response.model or call.request.model,
            call.server.address,
            response.header(b"anthropic-organization-id"),
            response.header(b"anthropic-workspace-id"),
        )
        return self._prefixes.seen(
            call.sent_body, usage.prompt, cached, cache, sent_s=sent_s, ended_s=sent_s + call.attempt_s
        )

    def is_high(self, filled: Filled) -> bool:
        """Whether a prompt fills so much of the context window that it is worth a word."""
        slow = filled.window == USUAL_WINDOW and filled.tokens > SLOW_PROMPT
        return slow or filled.share > self._settings.context_threshold

    def of_ending(self, ended: Ended, sighting: Sighting | None) -> Iterator[Finding]:
        """What the end of a call gives reason to say."""
        for look in ENDINGS:
            yield from look(ended)
        filled = ended.filled
        if filled is not None and self.is_high(filled) and self._conversations.fills(ended.call.request.conversation):
            yield _context(filled)
        if ended.call.batch is not None:
            yield from of_results(ended.call.batch)
        if sighting is not None and sighting.finding is not None:
            yield sighting.finding
        if self._settings.audit:
            yield of_audit(ended.call, ended.failure)


def of_retry(call: Call) -> Finding:
    """The last retry of a call, which is about to be sent."""
    retry = call.retries[-1]
    told: dict[str, Value | None] = {
        names.RETRY_ATTEMPT: len(call.retries),
        names.RETRY_DELAY: retry.wait_s,
        names.RETRY_AFTER: retry.after_s,
        names.ERROR_TYPE: retry.error_type,
        names.STATUS_CODE: retry.status_code,
        names.REQUEST_ID: retry.request_id,
        names.AWS_REQUEST_ID: retry.aws_request_id,
    }
    return Finding(names.RETRY_EVENT, "INFO", known(told))


def of_limit(low: Low) -> Finding:
    """A rate limit of which little is left."""
    told: dict[str, Value | None] = {
        names.LIMIT_TYPE: low.limit,
        names.ORGANIZATION: low.owner.organization,
        names.LIMIT_WORKSPACE: low.owner.workspace,
        names.LIMIT_MODEL: low.owner.model,
        names.CALL_NAME: low.owner.method,
        names.LIMIT_SIZE: low.size,
        names.LIMIT_LEFT: low.left,
        names.LIMIT_RESET_S: low.reset_s,
    }
    return Finding(names.LIMIT_EVENT, "WARN", known(told))


def of_results(results: BatchResults) -> Iterator[Finding]:
    """What there is to say of the results of a batch: of each kind one event, however many answers it is about."""
    for event, told in (
        (names.TRUNCATED_EVENT, results.cut_attributes),
        (names.CONTEXT_EVENT, results.crowded_attributes),
    ):
        if told:
            yield Finding(event, "WARN", {names.BATCH: results.batch, **told})


def _truncated(ended: Ended) -> Iterator[Finding]:
    stop_reason = ended.call.response.stop_reason
    if stop_reason in CUT:
        told: dict[str, Value | None] = {
            names.STOP_REASON: stop_reason,
            names.MAX_TOKENS: whole(ended.call.request.body.get("max_tokens")),
            names.OUTPUT_TOKENS: None if ended.usage is None else ended.usage.output,
        }
        yield Finding(names.TRUNCATED_EVENT, "WARN", known(told))


def _context(filled: Filled) -> Finding:
    told = {
        names.UTILIZATION: filled.share,
        names.CONTEXT_WINDOW: filled.window,
        names.CONTEXT_TOKENS: filled.tokens,
    }
    return Finding(names.CONTEXT_EVENT, "WARN", told)


def _interrupted(ended: Ended) -> Iterator[Finding]:
    call, stream, failure = ended.call, ended.call.stream, ended.failure
    if stream is None or stream.outcome != "interrupted" or failure is None:
        return
    from otel_claude.diagnosis.streams import likely_cause

    silence_s = stream.silence_ns / 1e9
    told: dict[str, Value | None] = {
        names.CHUNKS: stream.chunks,
        names.INPUT_TOKENS: None if ended.usage is None else ended.usage.prompt,
        names.OUTPUT_TOKENS: None if ended.usage is None else ended.usage.output,
        names.STREAM_SILENCE: silence_s,
        names.STREAM_DURATION: call.duration_s,
        names.MAX_GAP: stream.max_gap_ns / 1e9,
        names.ERROR_TYPE: failure.type,
        names.STREAM_CAUSE: likely_cause(
            failure.exception,
            failure.type,
            silence_s=silence_s,
            total_s=call.attempt_s,
            away_s=stream.away_ns / 1e9,
            timeout_s=call.timeout_s,
            category=failure.category,
        ),
    }
    yield Finding(names.INTERRUPTED_EVENT, "WARN", known(told))


def _large_file(ended: Ended) -> Iterator[Finding]:
    call = ended.call
    if call.endpoint.kind != "upload":
        return
    # An upload that has failed, as large ones do, has no answer that tells.
    said = whole(call.response.fields.get("size_bytes"))
    size = call.file_bytes if said is None else said
    if max(size or 0, call.sent_bytes or 0) > LARGE_FILE or call.duration_s > LONG_UPLOAD_S:
        told: dict[str, Value | None] = {
            names.FILE_SIZE: size,
            names.REQUEST_SIZE: call.sent_bytes,
            names.CALL_DURATION: call.duration_s,
        }
        yield Finding(names.FILE_EVENT, "INFO", known(told))


def _refused_tools(ended: Ended) -> Iterator[Finding]:
    failure = ended.failure
    if failure is None or failure.category != "tool_schema":
        return
    body, message = fields(ended.call.sent_body), failure.message or ""
    if (batched := _BATCHED.search(message)) is not None:
        requests, number = body.get("requests"), int(batched[1])
        request = requests[number] if is_array(requests) and number < len(requests) else None
        body, message = fields(fields(request).get("params")), message[batched.end() :]
    yield from of_tools(body.get("tools"), message)


def of_tools(tools: object, refusal: str | None = None, *, only: int | None = None) -> Iterator[Finding]:
    """The tools that the API refuses, or would. `refusal` is its message, where it has. `only` names one to look at."""
    from otel_claude.diagnosis.tool_schemas import Flaw, flaws, told_by

    told = told_by(refusal) if refusal else None
    found = flaws(tools, only=only if told is None else told[0])
    if told is not None and not found:
        found = [Flaw(None, *told, "The API refuses what is here. Its message says why.")]
    for flaw in found:
        said: dict[str, Value | None] = {
            names.TOOL_NAME: flaw.tool,
            names.TOOL_INDEX: flaw.index,
            names.TOOL_PATH: flaw.path,
            names.TOOL_REASON: flaw.reason,
            names.TOOL_REFUSED: refusal is not None,
        }
        yield Finding(names.TOOL_SCHEMA_EVENT, "WARN", known(said))


ENDINGS: tuple[Callable[[Ended], Iterator[Finding]], ...] = (
    _truncated,
    _interrupted,
    _refused_tools,
    _large_file,
)


def of_audit(call: Call, failure: Failure | None) -> Finding:
    """That a call was made, by whom and how it ended. No content."""
    told: dict[str, Value | None] = {
        names.CALL_NAME: call.endpoint.name,
        names.RESPONSE_MODEL: call.response.model,
        names.STATUS_CODE: call.response.status_code,
        names.ERROR_TYPE: None if failure is None else failure.type,
        names.CALL_OUTCOME: _outcome(call, failure),
        names.CALL_DURATION: call.duration_s,
        names.ORGANIZATION: call.response.header(b"anthropic-organization-id"),
        names.WORKSPACE: call.response.header(b"anthropic-workspace-id"),
    }
    return Finding(names.AUDIT_EVENT, "INFO", known(told))


def _outcome(call: Call, failure: Failure | None) -> str:
    if failure is not None:
        return "failed"
    if call.error is not None:
        return "cancelled"
    return "completed" if call.stream is None or call.stream.outcome is None else call.stream.outcome


def _estimate(call: Call) -> int | None:
    """About how many tokens a request has, where its size says so."""
    if call.sent_bytes is None or _has_base64(fields(call.sent_body).get("messages")):
        return None
    return estimated_tokens(call.sent_bytes)


def _has_base64(value: object) -> bool:
    """Whether there are images or PDFs in it, whose size says nothing of their tokens."""
    if is_array(value):
        return any(map(_has_base64, value))
    return is_object(value) and (
        value.get("type") == "base64" or _has_base64(value.get("content")) or _has_base64(value.get("source"))
    )
