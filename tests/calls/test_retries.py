"""Requests that the SDK sends again: one call, one span, and the waits in between."""

from typing import Any

import anthropic
import pytest
from driver import ASK, USAGE, attributes, items, only_span, settled
from opentelemetry.trace import StatusCode

from fixture_types import API_KEY, Make
from otel_claude.testing import Answer, BadRequest, Cut, Hang, Overloaded, RateLimited, SimulatedClaude, Telemetry

ANSWER = Answer("Hello", usage=USAGE)


@pytest.fixture
def client(make: Make) -> Any:
    return make(api_key=API_KEY, max_retries=2)


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a `retry-after`, the SDK would wait for half a second and more."""
    monkeypatch.setattr("anthropic._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("anthropic._base_client.MAX_RETRY_DELAY", 0.01)


async def test_a_call_that_succeeds_at_last_is_a_success(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(RateLimited(retry_after=0.01), Overloaded(retry_after=0.02), ANSWER)
    await settled(client.messages.create(**ASK))
    told = attributes(telemetry)
    assert only_span(telemetry).status.status_code is StatusCode.UNSET
    assert told["claude.retry.count"] == 2
    assert told["claude.retry.wait_s"] == pytest.approx(0.01 + 0.02)
    assert not [name for name in told if "error" in name]
    assert told["http.response.status_code"] == 200
    assert told["anthropic.request.id"] == "req_sim_0003"
    assert [event for event in telemetry.events if "exception" in event.name] == []
    (point,) = telemetry.metrics["gen_ai.client.operation.duration"]
    assert "error.type" not in point["attributes"]
    assert telemetry.count("gen_ai.client.token.usage", {"gen_ai.token.type": "input"}) == 1


async def test_a_call_that_fails_at_last_is_told_by_its_last_error(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(RateLimited(retry_after=0.01), Cut(0), Overloaded())
    with pytest.raises(anthropic.APIStatusError):
        await settled(client.messages.create(**ASK))
    told = attributes(telemetry)
    assert told["error.type"] == "overloaded_error"
    assert told["claude.retry.count"] == 2
    assert told["anthropic.request.id"] == "req_sim_0003"
    assert [event.attributes["error.type"] for event in telemetry.events if "exception" in event.name] == [
        "overloaded_error"
    ]


async def test_what_a_failed_attempt_said_is_forgotten(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    """The last attempt had no answer, so neither has the call."""
    claude.will(RateLimited(retry_after=0.01), Overloaded(retry_after=0.01), Cut(0))
    with pytest.raises(anthropic.APIConnectionError):
        await settled(client.messages.create(**ASK))
    told = attributes(telemetry)
    assert told["error.type"] == "connection_error"
    assert not {"http.response.status_code", "anthropic.request.id"} & told.keys()


async def test_a_stream_that_begins_at_the_second_attempt_is_whole(
    client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(Overloaded(retry_after=0.01), ANSWER)
    async for _ in items(await settled(client.messages.create(**ASK, stream=True))):
        pass
    told = attributes(telemetry)
    assert (told["claude.retry.count"], told["gen_ai.usage.output_tokens"]) == (1, 40)
    assert told["gen_ai.response.time_to_first_chunk"] > 0.01


@pytest.mark.parametrize("outcome", [Cut(0), Hang(5)])
async def test_lost_connections_and_timeouts_are_retried(
    outcome: Any, client: Any, claude: SimulatedClaude, telemetry: Telemetry
):
    claude.will(outcome, ANSWER)
    await settled(client.messages.create(**ASK, timeout=0.5))
    assert attributes(telemetry)["claude.retry.count"] == 1


async def test_what_cannot_get_better_is_not_retried(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(BadRequest())
    with pytest.raises(anthropic.BadRequestError):
        await settled(client.messages.create(**ASK))
    assert "claude.retry.count" not in attributes(telemetry)
    assert len(claude.requests) == 1


async def test_each_attempt_carries_the_span(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Overloaded(retry_after=0.01), ANSWER)
    await settled(client.messages.create(**ASK))
    context = only_span(telemetry).context
    assert context is not None
    expected = f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
    assert [request.headers["traceparent"] for request in claude.requests] == [expected, expected]


async def test_a_stream_that_breaks_is_not_retried(client: Any, claude: SimulatedClaude, telemetry: Telemetry):
    claude.will(Cut(after_events=4))
    with pytest.raises(Exception):  # noqa: B017, PT011  # the HTTP library's own
        async for _ in items(await settled(client.messages.create(**ASK, stream=True))):
            pass
    assert len(claude.requests) == 1
    assert "claude.retry.count" not in attributes(telemetry)
