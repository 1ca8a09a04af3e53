"""What breaks in production, or is about to: the events that tell of it."""

import asyncio
import contextlib
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import anthropic
import pytest
from driver import ASK, MODEL, attributes, entered, eventually, in_time, items, only_async, read, settled
from opentelemetry import baggage, context, metrics

from fixture_types import API_KEY, Clock, Instrument, Make, Runner, Steps
from otel_claude.testing import (
    Answer,
    BadRequest,
    Cut,
    EndsEarly,
    ErrorEvent,
    Event,
    Hang,
    NotFound,
    Overloaded,
    RateLimited,
    Raw,
    RequestTooLarge,
    SimulatedClaude,
    Telemetry,
    usage,
)
from otel_claude.testing.events import EventLog
from otel_claude.testing.exchange import CUT, Pause, Response, Step


@dataclass(frozen=True)
class Chunks:
    """A stream of these bytes, pauses and cuts."""

    steps: Sequence[Step]
    chunked: bool = True

    def respond(self, call: Any) -> Response:
        return Response(200, {"content-type": "text/event-stream"}, self.steps, chunked=self.chunked)


@pytest.fixture
def patient(make: Make, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client that tries again, without waiting long."""
    monkeypatch.setattr("anthropic._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("anthropic._base_client.MAX_RETRY_DELAY", 0.01)
    return make(api_key=API_KEY, max_retries=2)


def events(telemetry: Telemetry, name: str) -> list[dict[str, Any]]:
    return [dict(event.attributes) for event in telemetry.events if event.name == name]


def the_event(telemetry: Telemetry, name: str) -> Event:
    (event,) = [event for event in telemetry.events if event.name == name]
    return event


# Retries


@pytest.mark.parametrize("stream", [False, True])
async def test_each_retry_is_an_event_and_a_point(
    stream: bool, patient: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(RateLimited(retry_after=0.02), Cut(0), Answer("Hi"))
    answer = await settled(patient.messages.create(**ASK, stream=stream))
    if stream:
        async for _ in items(answer):
            pass

    first, second = events(telemetry, "claude.retry")
    told = {name: first.get(name) for name in ("error.type", "http.response.status_code", "anthropic.request.id")}
    assert told == {
        "error.type": "rate_limit_error",
        "http.response.status_code": 429,
        "anthropic.request.id": "req_sim_0001",
    }
    assert (first["claude.retry.attempt"], first["claude.retry.after_s"]) == (1, 0.02)
    assert first["claude.retry.delay_s"] == pytest.approx(0.02)
    assert (second["claude.retry.attempt"], second["error.type"]) == (2, "connection_error")
    assert not {"http.response.status_code", "anthropic.request.id", "claude.retry.after_s"} & second.keys()

    assert attributes(telemetry)["claude.retry.count"] == 2
    assert telemetry.total("claude.retries", {"error.type": "rate_limit_error", "http.response.status_code": 429}) == 1
    assert telemetry.total("claude.retries", {"error.type": "connection_error"}) == 1
    assert telemetry.count("claude.retry.wait") == 2
    waited = first["claude.retry.delay_s"] + second["claude.retry.delay_s"]
    assert telemetry.total("claude.retry.wait") == pytest.approx(waited)
    assert attributes(telemetry)["claude.retry.wait_s"] == pytest.approx(waited)


async def test_a_retry_event_belongs_to_the_span_of_its_call(
    patient: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Overloaded(retry_after=0.01), Answer("Hi"))
    await settled(patient.messages.create(**ASK))
    (span,) = telemetry.spans
    assert the_event(telemetry, "claude.retry").span_id == span.context.span_id  # pyright: ignore[reportOptionalMemberAccess]


async def test_a_call_that_is_not_repeated_tells_of_no_retry(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Overloaded())
    with pytest.raises(anthropic.APIStatusError):
        await settled(client.messages.create(**ASK))
    assert events(telemetry, "claude.retry") == []
    assert "claude.retries" not in telemetry.metrics


# Rate limits


def limits(**remaining: int) -> dict[str, str | None]:
    headers: dict[str, str | None] = {}
    for name, left in remaining.items():
        subject = name.replace("_", "-")
        headers |= {f"anthropic-{subject}-limit": "1000", f"anthropic-{subject}-remaining": str(left)}
    return headers


async def test_a_limit_with_little_left_is_told_once(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    for left in (500, 99, 50):
        claude.will(Answer("Hi", headers=limits(ratelimit_input_tokens=left)))
        await settled(client.messages.create(**ASK))
    told = events(telemetry, "claude.rate_limit.low")
    assert [each["claude.rate_limit.type"] for each in told] == ["input_tokens"]
    assert (told[0]["claude.rate_limit.left"], told[0]["claude.rate_limit.size"]) == (99, 1_000)
    assert the_event(telemetry, "claude.rate_limit.low").severity == "WARN"


async def test_a_failed_response_tells_of_limits_too(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Raw(429, limits(priority_output_tokens=0), {"type": "error", "error": {"type": "rate_limit_error"}}))
    with pytest.raises(anthropic.RateLimitError):
        await settled(client.messages.create(**ASK))
    assert [each["claude.rate_limit.type"] for each in events(telemetry, "claude.rate_limit.low")] == [
        "priority_output_tokens"
    ]
    assert telemetry.total("claude.rate_limit.remaining", {"claude.rate_limit.type": "priority_output_tokens"}) == 0


# Context and output


@pytest.mark.parametrize(("prompt", "told"), [(150_000, False), (150_001, True)])
async def test_more_than_150_thousand_tokens_of_200_thousand_are_told(
    prompt: int, told: bool, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """Haiku 4.5 has a window of 200,000 tokens: https://platform.claude.com/docs/en/about-claude/models/overview."""
    claude.will(Answer("Hi", usage=usage(input_tokens=prompt, output_tokens=1)))
    await settled(client.messages.create(**{**ASK, "model": "claude-haiku-4-5"}))
    found = events(telemetry, "claude.context.high")
    assert bool(found) == told
    if told:
        assert found[0]["claude.context.window"] == 200_000
        assert found[0]["claude.context.utilization"] == pytest.approx(150_001 / 200_000)
        assert found[0]["claude.context.tokens"] == 150_001


async def test_the_threshold_can_be_set(instrument: Instrument, client: Any, claude: SimulatedClaude):
    telemetry = instrument(context_threshold=0.5)
    claude.will(Answer("Hi", usage=usage(input_tokens=120_000, output_tokens=1)))
    await settled(client.messages.create(**{**ASK, "model": "claude-haiku-4-5"}))
    assert len(events(telemetry, "claude.context.high")) == 1


@pytest.mark.parametrize(
    ("stop_reason", "told"), [("max_tokens", True), ("model_context_window_exceeded", True), ("end_turn", False)]
)
async def test_an_answer_that_was_cut_is_told(
    stop_reason: Any, told: bool, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Answer("Hi", stop_reason=stop_reason, usage=usage(input_tokens=5, output_tokens=64)))
    await settled(client.messages.create(**ASK))
    found = events(telemetry, "claude.output.truncated")
    assert bool(found) == told
    if told:
        assert found[0]["anthropic.message.stop_reason"] == stop_reason
        assert (found[0]["gen_ai.request.max_tokens"], found[0]["gen_ai.usage.output_tokens"]) == (64, 64)


# Streams


@pytest.mark.parametrize(
    ("outcome", "error_type"),
    [
        (Cut(3), "stream_interrupted"),
        (EndsEarly(3), "stream_interrupted"),
        (ErrorEvent("overloaded_error", after_events=3), "overloaded_error"),
        (Hang(5, after_events=3), "timeout"),
    ],
)
async def test_a_stream_that_broke_tells_how_far_it_came(
    outcome: Any, error_type: str, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(outcome)
    hasty = client.with_options(timeout=0.5)
    with contextlib.suppress(Exception):  # what it is differs by version
        async for _ in items(await settled(hasty.messages.create(**ASK, stream=True))):
            pass
    told = the_event(telemetry, "claude.stream.interrupted").attributes
    assert told["error.type"] == error_type
    # `message_start` and `content_block_start`; the SDK hands no `ping` on.
    assert told["claude.stream.chunks"] == 2
    silence, duration = told["claude.stream.silence_s"], told["claude.stream.duration_s"]
    assert (silence > 0.4) == isinstance(outcome, Hang)
    assert 0 <= silence <= duration
    assert told["claude.stream.likely_cause"]


async def test_a_stream_that_was_left_is_no_interruption(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    stream = await settled(client.messages.create(**ASK, stream=True))
    async for _ in items(stream):
        break
    await settled(stream.close())
    assert events(telemetry, "claude.stream.interrupted") == []


# Files


async def test_a_long_upload_is_told(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    if not hasattr(client.beta, "files"):
        pytest.skip(f"anthropic {anthropic.__version__} has no files")
    monkeypatch.setattr("otel_claude.diagnosis.findings.LARGE_FILE", 1_000)
    for size in (100, 2_000):
        await settled(client.beta.files.upload(file=("notes.txt", b"x" * size, "text/plain")))
    (told,) = events(telemetry, "claude.file.large")
    # The form around the file is a few hundred bytes more.
    assert told["claude.file.size_bytes"] == 2_000
    assert 2_000 < told["claude.request.size_bytes"] < 3_000
    assert told["claude.call.duration_s"] > 0


async def test_an_upload_that_failed_has_a_size_too(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    if not hasattr(client.beta, "files"):
        pytest.skip(f"anthropic {anthropic.__version__} has no files")
    monkeypatch.setattr("otel_claude.diagnosis.findings.LARGE_FILE", 1_000)
    claude.will(RequestTooLarge())
    with pytest.raises(anthropic.APIStatusError):
        await settled(client.beta.files.upload(file=("notes.txt", io.BytesIO(b"x" * 2_000), "text/plain")))
    (told,) = events(telemetry, "claude.file.large")
    assert (told["claude.file.size_bytes"], attributes(telemetry)["claude.file.size_bytes"]) == (2_000, 2_000)
    assert attributes(telemetry)["error.type"] == "request_too_large"


# Who


async def test_baggage_that_is_asked_for_is_on_every_signal(
    instrument: Instrument, client: Any, claude: SimulatedClaude
):
    telemetry = instrument(baggage=("tenant",), audit=True)
    token = context.attach(baggage.set_baggage("tenant", "acme", baggage.set_baggage("session", "s-1")))
    claude.will(Answer("Hi", usage=usage(input_tokens=1_000, output_tokens=500)))
    await settled(client.messages.create(**ASK))
    context.detach(token)
    await settled(client.messages.create(**ASK))

    # 1,000 x 2 USD and 500 x 10 USD per million tokens: https://platform.claude.com/docs/en/about-claude/pricing
    assert telemetry.total("claude.cost", {"tenant": "acme"}) == pytest.approx((1_000 * 2 + 500 * 10) / 1e6)
    assert [dict(span.attributes or {}).get("tenant") for span in telemetry.spans] == ["acme", None]
    assert [event.get("tenant") for event in events(telemetry, "claude.audit")] == ["acme", None]
    assert not any("session" in name for span in telemetry.spans for name in span.attributes or {})


async def test_a_user_is_told_by_a_hash_and_only_when_asked_for(
    instrument: Instrument, client: Any, claude: SimulatedClaude
):
    asked = {**ASK, "metadata": {"user_id": "jane@example.com"}}
    telemetry = instrument()
    await settled(client.messages.create(**asked))
    assert "jane" not in str(telemetry.spans[0].attributes)
    assert "enduser.pseudo.id" not in (telemetry.spans[0].attributes or {})


async def test_the_hash_of_a_user(instrument: Instrument, client: Any, claude: SimulatedClaude):
    telemetry = instrument(user_id="hashed", audit=True)
    await settled(client.messages.create(**{**ASK, "metadata": {"user_id": "jane@example.com"}}))
    # printf jane@example.com | sha256sum | cut -c-32
    pseudonym = "8c87b489ce35cf2e2f39f80e282cb2e8"
    assert attributes(telemetry)["enduser.pseudo.id"] == pseudonym
    assert the_event(telemetry, "claude.audit").attributes["enduser.pseudo.id"] == pseudonym
    assert not any(
        "enduser" in name for points in telemetry.metrics.values() for p in points for name in p["attributes"]
    )


async def test_the_audit_of_a_call(instrument: Instrument, client: Any, claude: SimulatedClaude):
    telemetry = instrument(audit=True)
    claude.will(Answer("Hi"), BadRequest())
    await settled(client.messages.create(**ASK))
    with pytest.raises(anthropic.BadRequestError):
        await settled(client.messages.create(**ASK))
    await settled(client.models.list())

    told = events(telemetry, "claude.audit")
    assert [each["claude.call.name"] for each in told] == [
        "anthropic.messages.create",
        "anthropic.messages.create",
        "anthropic.models.list",
    ]
    assert [each.get("error.type") for each in told] == [None, "invalid_request_error", None]
    assert [each["anthropic.request.id"] for each in told] == ["req_sim_0001", "req_sim_0002", "req_sim_0003"]
    assert [each.get("gen_ai.request.model") for each in told] == [MODEL, MODEL, None]
    assert "Hello" not in str(told)


async def test_nobody_is_audited_unless_asked_for(client: Any, telemetry: Telemetry):
    await settled(client.messages.create(**ASK))
    assert telemetry.events == []


# Errors that explain themselves


async def test_the_hint_is_on_the_span_and_on_the_event(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(BadRequest("prompt is too long: 208310 tokens > 200000 maximum"))
    with pytest.raises(anthropic.BadRequestError):
        await settled(client.messages.create(**ASK))
    (event,) = events(telemetry, "gen_ai.client.operation.exception")
    for told in (attributes(telemetry), event):
        assert told["claude.error.category"] == "context_length"
        assert (told["claude.error.tokens"], told["claude.error.limit"]) == (208_310, 200_000)
        assert "208,310" in told["claude.error.hint"]


async def test_the_hint_of_a_model_that_is_not_there_has_names_that_are(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(NotFound("model: claude-sonet-5-5"))
    with pytest.raises(anthropic.NotFoundError):
        await settled(client.messages.create(**{**ASK, "model": "claude-sonet-5-5"}))
    assert attributes(telemetry)["claude.error.category"] == "model_not_found"
    assert "claude-sonnet-5-5" in attributes(telemetry)["claude.error.hint"]


async def test_the_hint_of_a_rate_limit_says_which_and_how_long(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(RateLimited(retry_after=60, headers=limits(ratelimit_output_tokens=0)))
    with pytest.raises(anthropic.RateLimitError):
        await settled(client.messages.create(**ASK))
    hint = attributes(telemetry)["claude.error.hint"]
    assert "output tokens" in hint
    assert "60 s" in hint


# Tools

BAD = {"name": "get_user", "input_schema": {"type": "object", "properties": {"user_id": {"type": "str"}}}}
GOOD = {"name": "look", "input_schema": {"type": "object", "properties": {"where": {"type": "string"}}}}
REFUSAL = BadRequest(
    "tools.1.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft 2020-12"
    " (https://json-schema.org/draft/2020-12)."
)


async def test_a_refused_schema_is_one_line(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(REFUSAL)
    with pytest.raises(anthropic.BadRequestError):
        await settled(client.messages.create(**{**ASK, "tools": [GOOD, BAD]}))
    (told,) = events(telemetry, "claude.tool_schema.invalid")
    assert told["gen_ai.tool.name"] == "get_user"
    assert (told["claude.tool_schema.index"], told["claude.tool_schema.path"]) == (
        1,
        "input_schema.properties.user_id.type",
    )
    assert "str" in told["claude.tool_schema.reason"]
    assert told["claude.tool_schema.refused"] is True
    assert attributes(telemetry)["claude.error.category"] == "tool_schema"


async def test_a_place_that_only_the_api_finds_fault_with_is_told_too(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(BadRequest("tools.0.custom.input_schema.properties.where: something new is not permitted"))
    with pytest.raises(anthropic.BadRequestError):
        await settled(client.messages.create(**{**ASK, "tools": [GOOD]}))
    (told,) = events(telemetry, "claude.tool_schema.invalid")
    assert told["claude.tool_schema.path"] == "input_schema.properties.where"
    assert "gen_ai.tool.name" not in told


@pytest.mark.parametrize(("number", "name"), [(1, "get_user"), (7, None)])
async def test_a_batch_that_is_refused_for_a_tool_names_it(
    number: int, name: str | None, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(BadRequest(f"requests.{number}.params.tools.0.custom.input_schema: JSON schema is invalid."))
    params = [{**ASK, "tools": [tool]} for tool in (GOOD, BAD)]
    with pytest.raises(anthropic.BadRequestError):
        await settled(
            client.messages.batches.create(
                requests=[{"custom_id": str(each), "params": asked} for each, asked in enumerate(params)]
            )
        )
    (told,) = events(telemetry, "claude.tool_schema.invalid")
    assert (told.get("gen_ai.tool.name"), told["claude.tool_schema.index"]) == (name, 0)


async def test_schemas_are_checked_when_first_sent_if_asked_for(
    instrument: Instrument, client: Any, claude: SimulatedClaude
):
    telemetry = instrument(check_tools=True)
    for _ in range(3):
        await settled(client.messages.create(**{**ASK, "tools": [GOOD, BAD]}))
    eventually(lambda: len(events(telemetry, "claude.tool_schema.invalid")))
    await settled(client.messages.create(**ASK))
    (told,) = events(telemetry, "claude.tool_schema.invalid")
    assert (told["gen_ai.tool.name"], told["claude.tool_schema.refused"]) == ("get_user", False)
    assert the_event(telemetry, "claude.tool_schema.invalid").span_id == telemetry.spans[0].context.span_id  # pyright: ignore[reportOptionalMemberAccess]


async def test_two_tools_of_one_name_are_told_when_first_sent(
    instrument: Instrument, client: Any, claude: SimulatedClaude
):
    telemetry = instrument(check_tools=True)
    await settled(client.messages.create(**{**ASK, "tools": [GOOD, GOOD]}))
    (told,) = events(telemetry, "claude.tool_schema.invalid")
    assert (told["claude.tool_schema.index"], told["claude.tool_schema.path"]) == (1, "name")


async def test_schemas_are_not_looked_at_unless_asked_for(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    await settled(client.messages.create(**{**ASK, "tools": [BAD]}))
    assert telemetry.events == []


# Conversations and caching


async def test_a_conversation_is_told_at_fifty_messages_and_at_each_doubling(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    for count in (49, 50, 51, 99, 100, 200):
        said = [{"role": ("user", "assistant")[number % 2], "content": "Hi"} for number in range(count)]
        await settled(client.messages.create(**{**ASK, "messages": said}))
    told = events(telemetry, "claude.conversation.long")
    assert [each["claude.request.messages"] for each in told] == [50, 100, 200]
    # The body of 50 messages is 50 times 32 characters and a little more; four characters are a token or so.
    assert 50 * 32 / 4 <= told[0]["claude.request.estimated_tokens"] <= 50 * 40 / 4


HANDBOOK = "Whoever asks is to be answered from the handbook. " * 500
ASK_THE_HANDBOOK: Mapping[str, Any] = {**ASK, "system": HANDBOOK}
UNCACHED = usage(input_tokens=5_000, output_tokens=5)


async def test_a_prefix_that_is_sent_again_without_the_cache_is_counted(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    cached = usage(input_tokens=9, output_tokens=5, cache_read=4_991)
    claude.will(*[Answer("Hi", usage=UNCACHED)] * 5, Answer("Hi", usage=cached))
    for number in range(6):
        question = [{"role": "user", "content": f"Question {number}"}]
        await settled(client.messages.create(**{**ASK_THE_HANDBOOK, "messages": question}))
    # Of six calls the first repeats nothing, and the last has used the cache.
    assert telemetry.total("claude.cache.unused") == 4
    told = events(telemetry, "claude.cache.unused")
    assert [each["claude.cache.repeats"] for each in told] == [2, 4]
    assert told[0]["claude.cache.prefix"] == "system"
    # 25,000 characters, four to a token, but no more than the API has counted.
    assert told[0]["claude.cache.prefix_tokens"] == 5_000
    assert "handbook" not in str(telemetry.events)


async def test_streams_that_run_at_the_same_time_could_not_have_used_the_cache(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(*[Answer("Hi", usage=UNCACHED)] * 4)
    streams = [await settled(client.messages.create(**ASK_THE_HANDBOOK, stream=True)) for _ in range(3)]
    for stream in streams:
        await read(stream)
    assert "claude.cache.unused" not in telemetry.metrics
    assert events(telemetry, "claude.cache.unused") == []

    await settled(client.messages.create(**ASK_THE_HANDBOOK))
    assert telemetry.total("claude.cache.unused") == 1


@only_async
async def test_a_call_that_was_sent_again_after_another_had_ended_could_have_used_the_cache(
    patient: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """It began before, but the request that was answered, and billed in full, was sent later."""
    claude.will(Overloaded(retry_after=1), *[Answer("Hi", usage=UNCACHED)] * 2)
    repeated = asyncio.create_task(patient.messages.create(**ASK_THE_HANDBOOK))
    await in_time(lambda: claude.requests)
    await patient.messages.create(**ASK_THE_HANDBOOK)
    await repeated
    assert telemetry.total("claude.cache.unused") == 1


@pytest.mark.parametrize("header", ["anthropic-organization-id", "anthropic-workspace-id"])
async def test_organizations_and_workspaces_do_not_share_a_cache(
    header: str, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    for owner in ("one", "other", "one"):
        claude.will(Answer("Hi", usage=UNCACHED, headers={header: owner}))
        await settled(client.messages.create(**ASK_THE_HANDBOOK))
    assert telemetry.total("claude.cache.unused") == 1


async def test_a_prefix_that_comes_again_after_five_minutes_would_not_have_been_in_the_cache(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry, clock: Clock
):
    claude.will(*[Answer("Hi", usage=UNCACHED)] * 3)
    for pause in (0, 301, 300):
        clock.advance(pause)
        await settled(client.messages.create(**ASK_THE_HANDBOOK))
    assert telemetry.total("claude.cache.unused") == 1


# At the edges


async def test_a_key_that_is_missing_is_told_before_anything_is_sent(
    make: Make, claude: SimulatedClaude, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/nonexistent")
    client = make()
    with pytest.raises((TypeError, anthropic.AnthropicError)):
        await settled(client.messages.create(**ASK))
    assert claude.requests == []
    told = attributes(telemetry)
    assert told["claude.error.category"] == "authentication"
    assert "ANTHROPIC_API_KEY" in told["claude.error.hint"]


async def test_a_key_with_a_line_break_is_no_matter_of_the_network(
    make: Make, claude: SimulatedClaude, telemetry: Telemetry
):
    with pytest.raises(anthropic.APIConnectionError):
        await settled(make(api_key=f"{API_KEY}\n").messages.create(**ASK))
    assert attributes(telemetry)["claude.error.category"] == "authentication"
    assert API_KEY not in str(telemetry.events)


@pytest.mark.parametrize(
    ("answer", "error_type", "category"),
    [
        (
            Raw(429, {"x-amzn-errortype": "ThrottlingException:http://x/"}, {"message": "Too many"}),
            "ThrottlingException",
            "rate_limited",
        ),
        (Raw(424, {"x-amzn-errortype": "ModelErrorException"}, {"message": "no"}), "ModelErrorException", "server"),
        (Raw(503, {}, {"error": {"code": 503, "status": "UNAVAILABLE", "message": "no"}}), "UNAVAILABLE", "overloaded"),
    ],
)
async def test_the_codes_of_the_clouds_are_read_on_retries_and_at_the_end(
    answer: Raw, error_type: str, category: str, patient: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(*[answer] * 3)
    with pytest.raises(anthropic.APIStatusError):
        await settled(patient.messages.create(**ASK))
    assert attributes(telemetry)["error.type"] == error_type
    assert attributes(telemetry)["claude.error.category"] == category
    # Of these only 424 is not tried again.
    assert {each["error.type"] for each in events(telemetry, "claude.retry")} == (
        {error_type} - {"ModelErrorException"}
    )


async def test_the_request_id_of_bedrock_is_on_its_retries(patient: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Raw(429, {"x-amzn-requestid": "amz-1", "request-id": None}, {"message": "Too many"}), Answer("Hi"))
    await settled(patient.messages.create(**ASK))
    (told,) = events(telemetry, "claude.retry")
    assert told["aws.request_id"] == "amz-1"


async def test_an_exception_with_a_response_of_another_kind_is_passed_on(
    client: Any, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
):
    class ClientError(Exception):
        """As botocore's."""

        response: ClassVar[dict[str, Any]] = {"Error": {"Code": "ExpiredToken"}}

    def fail(*_: Any) -> None:
        raise ClientError

    monkeypatch.setattr(client, "_prepare_options", fail)
    with pytest.raises(ClientError):
        await settled(client.messages.create(**ASK))
    assert attributes(telemetry)["error.type"].endswith("ClientError")


async def test_an_audited_call_that_was_cancelled_says_so(
    instrument: Instrument, make: Make, runner: Runner, claude: SimulatedClaude
):
    if isinstance(runner, Steps):
        pytest.skip("only a task can be cancelled")
    telemetry = instrument(audit=True)
    client = make(api_key=API_KEY)
    claude.will(Hang(5))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.messages.create(**ASK), 0.5)
    assert [each["claude.call.outcome"] for each in events(telemetry, "claude.audit")] == ["cancelled"]


async def test_pings_end_a_silence(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    """The SDK keeps pings to itself, but whoever sends them is alive."""
    start, ping = (
        b'event: message_start\ndata: {"type": "message_start", "message": {}}\n\n',
        b"event: ping\ndata: {}\n\n",
    )
    claude.will(Chunks([start, Pause(0.2), ping, Pause(0.2), ping, CUT]))
    with contextlib.suppress(Exception):
        async for _ in items(await settled(client.messages.create(**ASK, stream=True))):
            pass
    told = the_event(telemetry, "claude.stream.interrupted").attributes
    assert told["claude.stream.silence_s"] < 0.15
    # Longer than one of the pauses, also where the application is slow to begin its wait.
    assert told["claude.stream.max_gap_s"] > 0.2


async def test_the_silence_after_the_headers_counts(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Chunks([b"", Pause(0.3), CUT], chunked=False))
    with contextlib.suppress(Exception):
        async for _ in items(await settled(client.messages.create(**ASK, stream=True))):
            pass
    told = the_event(telemetry, "claude.stream.interrupted").attributes
    assert told["claude.stream.silence_s"] > 0.25
    assert told["claude.stream.max_gap_s"] > 0.25


@pytest.mark.parametrize("raw", [False, True])
async def test_the_time_in_which_nobody_reads_is_no_silence(
    raw: bool, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    """The connection is gone long before the application, which takes 1.2 s over an event, finds out."""
    start = b'event: message_start\ndata: {"type": "message_start", "message": {}}\n\n'
    claude.will(Chunks([start, CUT]))
    with contextlib.suppress(Exception):
        if raw:
            async with entered(client.messages.with_streaming_response.create(**ASK, stream=True)) as response:
                async for _ in items(response.iter_bytes()):
                    time.sleep(1.2)  # noqa: ASYNC251  # the application is busy, and nothing else runs
        else:
            async for _ in items(await settled(client.messages.create(**ASK, stream=True))):
                time.sleep(1.2)  # noqa: ASYNC251  # the application is busy, and nothing else runs
    told = the_event(telemetry, "claude.stream.interrupted").attributes
    assert told["claude.stream.silence_s"] < 0.5
    assert told["claude.stream.likely_cause"].startswith("The application did not read for 1 s")


async def test_the_hint_and_the_cause_say_the_same(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(ErrorEvent("api_error", after_events=3, message="Overloaded"))
    with contextlib.suppress(Exception):
        async for _ in items(await settled(client.messages.create(**ASK, stream=True))):
            pass
    assert attributes(telemetry)["claude.error.category"] == "overloaded"
    (told,) = events(telemetry, "claude.stream.interrupted")
    assert "overloaded" in told["claude.stream.likely_cause"]


async def test_each_event_has_its_time(instrument: Instrument, client: Any, claude: SimulatedClaude):
    """Some backends sort and drop by it, and take a record without it as one of 1970."""
    records: list[Any] = []
    telemetry = instrument(audit=True, daily_budget_usd="0.00000001")
    telemetry.logger_provider.add_log_record_processor(Records(records))
    before = time.time_ns()
    claude.will(Answer("Hi", stop_reason="max_tokens"), Overloaded())
    await settled(client.messages.create(**ASK))
    with contextlib.suppress(anthropic.APIStatusError):
        await settled(client.messages.create(**ASK))
    eventually(lambda: "claude.budget.threshold" in {record.event_name for record in records})
    assert {record.event_name for record in records} >= {
        "claude.audit",
        "claude.output.truncated",
        "gen_ai.client.operation.exception",
    }
    assert [record.event_name for record in records if not before <= record.timestamp <= time.time_ns()] == []


class Records(EventLog):
    """Keeps log records whole."""

    def __init__(self, records: list[Any]) -> None:
        super().__init__()
        self._records = records

    def on_emit(self, log_record: Any) -> None:
        self._records.append(log_record.log_record)


async def test_a_full_window_is_told_once_however_many_calls_fill_it(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(*[Answer("Hi", usage=usage(input_tokens=190_000, output_tokens=1))] * 10)
    for _ in range(10):
        await settled(client.messages.create(**{**ASK, "model": "claude-haiku-4-5"}))
    assert len(events(telemetry, "claude.context.high")) == 1
    assert [(span.attributes or {})["claude.context.utilization"] for span in telemetry.spans] == [0.95] * 10


async def test_without_a_meter_provider_no_metric_is_worked_for(
    instrument: Instrument, patient: Any, claude: SimulatedClaude, monkeypatch: pytest.MonkeyPatch
):
    made: list[str] = []

    def note(name: str, *_: Any) -> None:
        made.append(name)

    for name in ("retry_points", "counter_points", "histogram_points", "RateLimits.observe"):
        place = f"otel_claude.rate_limits.{name}" if "." in name else f"otel_claude.telemetry.{name}"
        monkeypatch.setattr(place, partial(note, name))
    telemetry = instrument({"meter_provider": metrics.NoOpMeterProvider()})
    claude.will(RateLimited(retry_after=0.01, headers=limits(ratelimit_input_tokens=5)), Answer("Hi"))
    await settled(patient.messages.create(**ASK))
    assert made == []
    assert len(events(telemetry, "claude.rate_limit.low")) == 1
    assert attributes(telemetry)["claude.retry.count"] == 1


async def test_tokens_are_not_estimated_from_the_size_of_images(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 10_000}}
    said = [{"role": ("user", "assistant")[number % 2], "content": "Hi"} for number in range(49)]
    await settled(client.messages.create(**{**ASK, "messages": [{"role": "user", "content": [image]}, *said]}))
    (told,) = events(telemetry, "claude.conversation.long")
    assert "claude.request.estimated_tokens" not in told
    assert attributes(telemetry)["claude.request.size_bytes"] > 10_000


async def test_a_short_user_id_is_left_in_numbers(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(BadRequest("prompt is too long: 208310 tokens > 200000 maximum"))
    with pytest.raises(anthropic.BadRequestError):
        await settled(client.messages.create(**{**ASK, "metadata": {"user_id": "0"}}))
    told = attributes(telemetry)
    assert (told["claude.error.tokens"], told["claude.error.limit"]) == (208_310, 200_000)


async def test_a_user_that_the_api_quotes_is_not_recorded(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(BadRequest("metadata.user_id: jane@example.com is not accepted"))
    with pytest.raises(anthropic.BadRequestError):
        await settled(client.messages.create(**{**ASK, "metadata": {"user_id": "jane@example.com"}}))
    assert "jane" not in telemetry.tree(masked=lambda _: False)
