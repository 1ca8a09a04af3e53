"""What an exception means, with the SDK's own exceptions around the API's own words."""

import asyncio

import anthropic
import httpx2
import pydantic
import pytest

from otel_claude.outcome import StreamInterrupted, describe, error_type, message_of, scrubbed, stack_of

KEY = "sk-ant-api03-abc_DEF-123"
REQUEST = httpx2.Request("POST", "https://api.anthropic.com/v1/messages")


def refused(status: int, body: object) -> anthropic.APIStatusError:
    return anthropic.APIStatusError("refused", response=httpx2.Response(status, request=REQUEST), body=body)


def the_failure(error: BaseException, *, in_stream: bool = False):
    failure = describe(error, in_stream=in_stream)
    assert failure is not None
    return failure


@pytest.mark.parametrize(
    ("status", "code", "category"),
    [
        (400, "invalid_request_error", "invalid_request"),
        (401, "authentication_error", "authentication"),
        (402, "billing_error", "billing"),
        (403, "permission_error", "permission"),
        (413, "request_too_large", "request_too_large"),
        (429, "rate_limit_error", "rate_limited"),
        (500, "api_error", "server"),
        (504, "timeout_error", "timeout"),
        (529, "overloaded_error", "overloaded"),
        (200, "overloaded_error", "overloaded"),
    ],
)
def test_the_apis_own_code_is_the_error_type(status: int, code: str, category: str):
    """The codes are those of https://platform.claude.com/docs/en/api/errors; 200 is an `error` event in a stream."""
    failure = the_failure(refused(status, {"type": "error", "error": {"type": code, "message": "no"}}))
    assert (failure.type, failure.category) == (code, category)


@pytest.mark.parametrize("body", [None, "<html>", {}, {"error": "no"}, {"error": {}}, {"error": {"type": ""}}])
@pytest.mark.parametrize(
    ("status", "category"), [(502, "server"), (418, "other"), (429, "rate_limited"), (529, "overloaded")]
)
def test_without_a_code_the_status_is_the_error_type(body: object, status: int, category: str):
    """A proxy in front of the API answers with pages of its own."""
    failure = the_failure(refused(status, body))
    assert (failure.type, failure.category) == (str(status), category)


@pytest.mark.parametrize(
    ("error", "in_stream", "kind"),
    [
        (anthropic.APITimeoutError(request=REQUEST), False, "timeout"),
        (httpx2.ReadTimeout("slow"), True, "timeout"),
        (anthropic.APIConnectionError(request=REQUEST), False, "connection_error"),
        (httpx2.RemoteProtocolError("cut"), False, "connection_error"),
        (httpx2.RemoteProtocolError("cut"), True, "stream_interrupted"),
        (StreamInterrupted("The stream ended before its end event."), True, "stream_interrupted"),
        (ZeroDivisionError("a / 0"), False, "ZeroDivisionError"),
        (refused(200, None), True, "APIStatusError"),
    ],
)
def test_where_the_api_said_nothing_the_kind_of_failure_is_the_error_type(
    error: BaseException, in_stream: bool, kind: str
):
    assert error_type(error, in_stream=in_stream) == kind


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit()])
def test_what_the_caller_stops_is_no_failure(error: BaseException):
    assert describe(error, in_stream=True) is None


def test_messages_that_may_quote_an_answer_are_left_out():
    """A validator over an answer says which value it refuses."""

    class Diagnosis(pydantic.BaseModel):
        code: int

    answer = {"code": "the patient's" + " secret"}
    with pytest.raises(pydantic.ValidationError) as caught:
        Diagnosis.model_validate(answer)
    failure = the_failure(caught.value)
    assert failure.message is None
    assert answer["code"] in str(caught.value)
    assert answer["code"] not in stack_of(caught.value)
    assert "ValidationError" in stack_of(caught.value)


def test_no_key_is_left_in_a_text():
    error = anthropic.APIError(f"Illegal header value b'{KEY}' (Bearer abc.def)", REQUEST, body=None)
    assert message_of(error) == "Illegal header value b'***' (Bearer ***)"
    assert scrubbed("token=hunter2", ("hunter2",)) == "token=***"


def test_the_stack_trace_tells_of_every_exception_that_led_there_once():
    cause = httpx2.ConnectError(f"no route, {KEY}")
    with pytest.raises(anthropic.APIConnectionError) as caught:
        raise anthropic.APIConnectionError(request=REQUEST) from cause
    cause.__context__ = caught.value  # a loop, as libraries make them
    stack = stack_of(caught.value)
    assert stack.count("httpx2.ConnectError: no route, ***") == 1
    assert stack.count("APIConnectionError: Connection error.") == 1
    assert "test_outcome.py" in stack
    assert KEY not in stack


def test_a_suppressed_context_is_not_told():
    error = KeyError("second")
    error.__context__ = ValueError("first")
    assert "ValueError" in stack_of(error)
    error.__suppress_context__ = True
    assert "ValueError" not in stack_of(error)
