"""What an exception means, with the SDK's own exceptions around the API's own words."""

import asyncio
from collections.abc import Iterator, Mapping
from email.message import Message
from types import SimpleNamespace
from typing import Any

import anthropic
import httpx2
import pydantic
import pytest

from otel_claude.outcome import MOST_TEXT, StreamInterrupted, describe, error_type, message_of, stack_of

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


def test_an_error_in_a_stream_of_bedrock_is_told_by_its_type():
    """As `anthropic/lib/bedrock/_stream_decoder.py` of the SDK up to 1.0 raises it."""
    event = {
        "status_code": 400,
        "headers": {":exception-type": "throttlingException", ":message-type": "exception"},
        "body": b'{"message":"Too many requests"}',
    }
    failure = the_failure(ValueError(f"Bad response code, expected 200: {event}"), in_stream=True)
    assert (failure.type, failure.category, failure.message) == ("throttlingException", "rate_limited", None)
    assert error_type(ValueError(f"I read: Bad response code, expected 200: {event}"), in_stream=True) == "ValueError"


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit()])
def test_what_the_caller_stops_is_no_failure(error: BaseException):
    assert describe(error, in_stream=True) is None


class OddlyMade(Exception):
    """An exception of an application's, with what it is given under the names that the SDK's exceptions have."""

    def __init__(self, **given: Any) -> None:
        self.given = given

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__["given"].get(name)
        if isinstance(value, Exception):
            raise value
        return value


class Unreadable(Mapping[str, Any]):
    """Raises whatever is done with it."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError

    def __len__(self) -> int:
        raise RuntimeError


NOT_SET = RuntimeError("The property has not been set.")
ODD_PARTS: dict[str, dict[str, Any]] = {
    "headers in pairs": {"response": SimpleNamespace(headers=[("content-type", "text/html")])},
    "bytes": {"response": SimpleNamespace(headers={b"x-amzn-errortype": b"Throttling"})},
    "a header that is no text": {"response": SimpleNamespace(headers={"x-amzn-errortype": 5})},
    "headers that raise": {"response": SimpleNamespace(headers=Unreadable())},
    "no response": {"response": NOT_SET},
    "no body": {"body": NOT_SET},
    "a body that raises": {"body": Unreadable()},
    "no status": {"status_code": NOT_SET},
    "no request": {"request": NOT_SET},
    "a request without headers": {"request": "GET /"},
    "a request whose headers raise": {"request": SimpleNamespace(headers=Unreadable())},
    "a request with odd headers": {"request": SimpleNamespace(headers={"x-api-key": 5, "token": b"t"})},
}


@pytest.mark.parametrize("parts", ODD_PARTS.values(), ids=ODD_PARTS)
def test_an_exception_that_is_made_in_any_way_is_told_by_its_class(parts: dict[str, Any]):
    error = OddlyMade(**parts)
    assert error_type(error, in_stream=False) == "OddlyMade"
    failure = the_failure(error)
    assert (failure.type, failure.category, failure.message) == ("OddlyMade", "other", None)


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
    quoting = anthropic.APIError("token=hunter2, token=hunter2222", REQUEST, body=None)
    assert message_of(quoting, ("hunter2", "hunter2222")) == "token=***, token=***"


@pytest.mark.parametrize("secret", [KEY, "a-key-without-a-prefix"])
@pytest.mark.parametrize("length", range(1, 26))
def test_a_key_at_the_cut_of_a_long_message_leaves_nothing(secret: str, length: int):
    page = "." * (MOST_TEXT - length) + secret + "." * MOST_TEXT
    told = message_of(anthropic.APIError(page, REQUEST, body=None), (secret,)) or ""
    assert told.strip(".").startswith("*")
    assert told.endswith("characters left out]")
    assert secret[:4] not in told


SESSION = "IQoJb3JpZ2luX2VjEKz//token=="
SIGNED = {
    "x-amz-security-token": SESSION,
    "authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20251123/us-east-1/bedrock/aws4_request, "
    "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb",
}
CANONICAL = f"POST\\n/model/m/invoke\\n\\nhost:h\\nx-amz-security-token:{SESSION}\\n\\nhost;x-amz-security-token"
"""What AWS quotes of a request whose signature does not match.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
"""


@pytest.mark.parametrize("headers", [SIGNED, {}])
def test_what_aws_quotes_of_a_signed_request_has_no_token(headers: dict[str, str]):
    """The token may come from the environment, so that no client knows it."""
    request = httpx2.Request("POST", "https://bedrock-runtime.us-east-1.amazonaws.com/", headers=headers)
    said = f"The Canonical String should have been '{CANONICAL}', not {SIGNED['authorization']}"
    error = anthropic.PermissionDeniedError(said, response=httpx2.Response(403, request=request), body=None)
    for told in (the_failure(error).message or "", stack_of(error)):
        assert "The Canonical String should" in told
        assert SESSION not in told
        assert "AKIAIOSFODNN7EXAMPLE" not in told
        assert "5d672d79" not in told


@pytest.mark.parametrize(
    ("header", "value", "secret"),
    [
        ("cf-aig-authorization", "Bearer gateway-token-1", "gateway-token-1"),
        ("x-portkey-api-key", "portkey-key-1", "portkey-key-1"),
        ("cookie", "theme=dark; session=session-id-1", "session-id-1"),
        ("x-client-secret", "client-secret-1", "client-secret-1"),
    ],
)
def test_a_key_of_any_header_that_was_sent_is_nowhere(header: str, value: str, secret: str):
    """Gateways have keys of their own: https://developers.cloudflare.com/ai-gateway/configuration/authentication/."""
    request = httpx2.Request("POST", "https://gateway.example.com/", headers={header: value})
    cause = httpx2.ConnectError(f"{secret} is not known", request=request)
    error = anthropic.APIConnectionError(message=f"{secret} is not known", request=request)
    error.__cause__ = cause
    assert the_failure(error).message == "*** is not known"
    assert secret not in stack_of(error)
    assert stack_of(error).count("*** is not known") == 2


def test_a_key_in_headers_that_are_no_mapping_is_nowhere():
    """As botocore has them: https://docs.python.org/3/library/email.message.html."""
    headers = Message()
    headers["Authorization"] = "Token gw_5up3r-s3cret"
    error = anthropic.APIConnectionError(message="gw_5up3r-s3cret is refused", request=REQUEST)
    error.__cause__ = OddlyMade(request=SimpleNamespace(headers=headers))
    assert the_failure(error).message == "*** is refused"


def test_what_is_sent_in_other_headers_is_no_secret():
    request = httpx2.Request("POST", "https://h/", headers={"user-agent": "my-own-application"})
    error = anthropic.APIConnectionError(message="my-own-application was cut off", request=request)
    assert the_failure(error).message == "my-own-application was cut off"


def test_an_exception_without_a_request_is_told_as_well():
    assert the_failure(httpx2.ConnectError("no route")).message == "no route"


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
