"""Errors and faults of the simulated API, met by the real SDK."""

import time
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, APIConnectionError, APIStatusError, APITimeoutError

from otel_claude.testing import (
    Answer,
    BadRequest,
    BillingError,
    Cut,
    EndsEarly,
    ErrorEvent,
    ErrorResponse,
    GatewayTimeout,
    Hang,
    NotFound,
    Outcome,
    Overloaded,
    PermissionDenied,
    RateLimited,
    Raw,
    RequestTooLarge,
    ServerError,
    SimulatedClaude,
    Slow,
    Unauthorized,
)

CALL: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello"}],
}
# Status and error code as in https://platform.claude.com/docs/en/api/errors
ERRORS = [
    (BadRequest("max_tokens: Field required"), 400, "invalid_request_error", "BadRequestError"),
    (Unauthorized(), 401, "authentication_error", "AuthenticationError"),
    (BillingError(), 402, "billing_error", "APIStatusError"),
    (PermissionDenied(), 403, "permission_error", "PermissionDeniedError"),
    (NotFound("model: claude-0"), 404, "not_found_error", "NotFoundError"),
    (RequestTooLarge(), 413, "request_too_large", "APIStatusError"),
    (RateLimited(), 429, "rate_limit_error", "RateLimitError"),
    (ServerError(), 500, "api_error", "InternalServerError"),
    (GatewayTimeout(), 504, "timeout_error", "APIStatusError"),
    (Overloaded(), 529, "overloaded_error", "APIStatusError"),
    (ErrorResponse("I am a teapot", status=418, type="teapot_error"), 418, "teapot_error", "APIStatusError"),
]


def types_of(stream: Any) -> list[str]:
    return [event.type for event in stream]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("expected", ERRORS)
def test_an_error_has_its_status_its_code_and_the_request_id(
    expected: tuple[ErrorResponse, int, str, str],
    stream: bool,
    claude: SimulatedClaude,
    client: Any,
):
    error, status, code, exception = expected
    claude.will(error)
    with pytest.raises(getattr(anthropic, exception)) as raised:
        client.messages.create(**CALL, stream=stream)
    caught: APIStatusError = raised.value
    assert caught.status_code == status
    assert caught.body == {
        "type": "error",
        "error": {"type": code, "message": error.message},
        "request_id": "req_sim_0001",
    }
    assert caught.response.headers["request-id"] == "req_sim_0001"


def test_an_error_can_have_details_and_headers(claude: SimulatedClaude, client: Any):
    claude.will(BadRequest("no", details={"error_code": "tool_name_conflict"}, headers={"x-proxy": "1"}))
    with pytest.raises(anthropic.BadRequestError) as raised:
        client.messages.create(**CALL)
    body: Any = raised.value.body
    assert body["error"]["details"] == {"error_code": "tool_name_conflict"}
    assert raised.value.response.headers["x-proxy"] == "1"


def test_the_sdk_retries_after_the_time_it_is_told(claude: SimulatedClaude, client: Any):
    claude.will(RateLimited(retry_after=0.01), Overloaded(retry_after=0.01), Answer("At last"))
    message = client.with_options(max_retries=2).messages.create(**CALL)
    assert message.content[0].to_dict()["text"] == "At last"
    assert len(claude.requests) == 3


def test_retry_after_is_a_header(claude: SimulatedClaude, client: Any):
    claude.will(RateLimited(retry_after=60))
    with pytest.raises(anthropic.RateLimitError) as raised:
        client.messages.create(**CALL)
    assert raised.value.response.headers["retry-after"] == "60"


@pytest.mark.parametrize("key", ["sk-ant-invalid", "sk-ant-invalid-too"])
def test_an_invalid_key_is_refused_and_the_queue_waits(key: str, claude: SimulatedClaude):
    """The body and headers are those of a recorded 401."""
    claude.will(Answer("Hello"))
    invalid: Any = Anthropic(base_url=claude.base_url, api_key=key)
    with invalid as client:
        with pytest.raises(anthropic.AuthenticationError) as raised:
            client.messages.create(**CALL)
        body: Any = raised.value.body
        assert body["error"] == {"type": "authentication_error", "message": "invalid x-api-key"}
        headers = raised.value.response.headers
        assert headers["x-should-retry"] == "false"
        assert "anthropic-organization-id" not in headers
        valid = client.with_options(api_key="sk-ant-simulated")
        message = valid.messages.create(**CALL)
        assert message.content[0].text == "Hello"


def test_a_stream_that_is_cut_breaks_after_its_events(claude: SimulatedClaude, client: Any):
    claude.will(Cut(after_events=4, then=Answer("one two three")))
    seen: list[str] = []
    with pytest.raises(Exception, match="peer closed connection") as raised:
        seen.extend(event.type for event in client.messages.create(**CALL, stream=True))
    assert type(raised.value).__name__ == "RemoteProtocolError"
    claude.will(Cut(after_events=4, then=Answer("one two three")))
    stream = iter(client.messages.create(**CALL, stream=True))
    # The fourth event is one that the SDK passes over: the ping is the third.
    assert [next(stream).type for _ in range(3)] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
    ]


@pytest.mark.parametrize(("fault", "stream"), [(Cut(1), False), (Cut(0), False), (Cut(0), True)])
def test_a_response_that_is_cut_before_it_can_be_read_is_a_connection_error(
    fault: Outcome, stream: bool, claude: SimulatedClaude, client: Any
):
    claude.will(fault)
    with pytest.raises(APIConnectionError):
        client.messages.create(**CALL, stream=stream)
    assert client.messages.create(**CALL).id.startswith("msg_sim_")


def test_a_stream_that_ends_early_ends_in_good_order(claude: SimulatedClaude, client: Any):
    claude.will(EndsEarly(after_events=4), EndsEarly(after_events=0))
    types = types_of(client.messages.create(**CALL, stream=True))
    assert types == ["message_start", "content_block_start", "content_block_delta"]
    assert types_of(client.messages.create(**CALL, stream=True)) == []


def test_an_error_can_come_in_the_middle_of_a_stream(claude: SimulatedClaude, client: Any):
    claude.will(ErrorEvent("overloaded_error", after_events=4))
    stream = iter(client.messages.create(**CALL, stream=True))
    assert [next(stream).type for _ in range(3)][-1] == "content_block_delta"
    with pytest.raises(APIStatusError) as raised:
        next(stream)
    assert raised.value.status_code == 200
    assert raised.value.body == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
    }


def test_without_a_stream_an_error_event_is_an_error_response(claude: SimulatedClaude, client: Any):
    claude.will(ErrorEvent("overloaded_error", after_events=4, message="Too busy"))
    with pytest.raises(APIStatusError, match="Too busy") as raised:
        client.messages.create(**CALL)
    assert raised.value.status_code == 529


def test_a_hanging_response_runs_into_the_timeout(claude: SimulatedClaude, client: Any):
    claude.will(Hang(60))
    with pytest.raises(APITimeoutError):
        client.with_options(timeout=0.3).messages.create(**CALL)


def test_a_stream_can_hang_in_the_middle(claude: SimulatedClaude, client: Any):
    claude.will(Hang(60, after_events=2))
    stream = iter(client.with_options(timeout=0.3).messages.create(**CALL, stream=True))
    assert [next(stream).type for _ in range(2)] == ["message_start", "content_block_start"]
    with pytest.raises(Exception, match="timed out") as raised:
        next(stream)
    assert type(raised.value).__name__ == "ReadTimeout"


@pytest.mark.parametrize("stream", [False, True])
def test_a_pause_that_ends_lets_the_response_go_on(stream: bool, claude: SimulatedClaude, client: Any):
    claude.will(Hang(0.02, after_events=1), Hang(0.02))
    for _ in range(2):
        answered: Any = client.messages.create(**CALL, stream=stream)
        assert not stream or types_of(answered)[-1] == "message_stop"


def test_a_slow_stream_takes_its_gaps_together(claude: SimulatedClaude, client: Any):
    """One word makes seven events: start, block start, ping, delta, block stop, delta, stop."""
    claude.will(Slow(0.01, then=Answer("word")))
    began = time.perf_counter()
    assert len(types_of(client.messages.create(**CALL, stream=True))) == 6
    assert time.perf_counter() - began >= 7 * 0.01


def test_a_fault_can_spoil_an_error(claude: SimulatedClaude, client: Any):
    claude.will(Slow(0.01, then=NotFound()))
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(**CALL)


def test_a_raw_response_is_sent_as_it_is(claude: SimulatedClaude, client: Any):
    claude.will(Raw(502, {"server": "proxy"}, b"<html>Bad Gateway</html>"), Raw(body={"any": "JSON"}))
    with pytest.raises(anthropic.InternalServerError) as raised:
        client.messages.create(**CALL)
    assert raised.value.status_code == 502
    assert raised.value.body == "<html>Bad Gateway</html>"
    assert raised.value.response.headers["server"] == "proxy"
    assert "request-id" not in raised.value.response.headers
    document: Any = client.get("/any/path", cast_to=object)
    assert document == {"any": "JSON"}
