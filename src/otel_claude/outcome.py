"""How a call ended, in the words that spans, metrics and events share.

In: the exception of a call. Out: its `error.type`, the category of failure, and texts that are safe to record. Pure:
exceptions are looked at by what they carry, so that this works for every version of the SDK and its HTTP library.
"""

import re
import traceback
from http import HTTPStatus
from typing import Any, NamedTuple

from otel_claude.diagnosis.codes import Category, category_of
from otel_claude.values import fields, whole


class Failure(NamedTuple):
    """A call that failed. `type` is the `error.type`; `message` is `None` where it could hold content.

    `hint` says what to do. Of a request that went over a limit, `tokens` and `limit` are the numbers that the API said.
    """

    type: str
    category: Category
    message: str | None
    exception: BaseException
    hint: str | None = None
    tokens: int | None = None
    limit: int | None = None


STATUS_TYPES: dict[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""The type that belongs to a status code: https://platform.claude.com/docs/en/api/errors#http-errors"""

MOST_TEXT = 4_096
"""The most of a message that is recorded, in characters. A proxy may answer with pages of its own."""

_CODE = re.compile(r"[A-Za-z][A-Za-z_]{0,63}")
_SECRETS = re.compile(r"sk-ant-[\w-]+|(?<=Bearer )[\w.~+/=-]+|(?<=x-api-key: )[\w.~+/=-]+", re.IGNORECASE)
_KNOWN_PACKAGES = ("anthropic", "httpx", "httpx2", "httpcore", "httpcore2", "otel_claude")
_CONTENT_BEARING = ("APIResponseValidationError",)


class StreamInterrupted(Exception):
    """A stream that ended before its end event. Never raised: the SDK says nothing, so only the telemetry tells."""


def describe(error: BaseException, *, in_stream: bool, secrets: tuple[str, ...] = ()) -> Failure | None:
    """What an exception that ended a call means. `None` for one that is no failure: cancelled, closed, interrupted.

    `in_stream`: the answer had begun to arrive. `secrets` are kept out of the texts.
    """
    if not isinstance(error, Exception):
        return None
    kind = error_type(error, in_stream=in_stream)
    category = category_of(kind, whole(getattr(error, "status_code", None)))
    return Failure(kind, category, message_of(error, secrets), error)


def error_type(error: BaseException, *, in_stream: bool) -> str:
    """The `error.type` of an exception: the API's own code, else what kind of failure it is, else its class.

    An `error` event of a stream arrives under HTTP 200, so what the API says goes before the status code.
    """
    headers = getattr(getattr(error, "response", None), "headers", None)
    if (code := api_code(getattr(error, "body", None), headers)) is not None:
        return code
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & {"APITimeoutError", "TimeoutException"}:
        return "timeout"
    if names & {"APIConnectionError", "TransportError", "StreamInterrupted"}:
        return "stream_interrupted" if in_stream else "connection_error"
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status >= HTTPStatus.BAD_REQUEST:
        return str(status)
    return type(error).__qualname__


def api_code(body: Any, headers: Any = None) -> str | None:
    """The code of an error, as whoever answered says it.

    The API's envelope is `{"type": "error", "error": {"type": …, "message": …}}`. Google Cloud has `status` in place of
    `type`, and Bedrock a header: https://google.aip.dev/193 and
    https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
    """
    said = fields(fields(body).get("error"))
    header = None if headers is None else headers.get("x-amzn-errortype")
    for code in (said.get("type"), said.get("status"), header and header.partition(":")[0]):
        # A gateway may put anything here, and the value goes on metrics.
        if isinstance(code, str) and _CODE.fullmatch(code):
            return code
    return None


def message_of(error: BaseException, secrets: tuple[str, ...] = ()) -> str | None:
    """The exception's message without keys, or `None` for an exception that may quote what was said.

    Messages of the SDK and its HTTP library say what failed. Those of others, such as a validator that runs over an
    answer, quote the value that they refuse.
    """
    package = type(error).__module__.partition(".")[0]
    if package not in _KNOWN_PACKAGES or type(error).__name__ in _CONTENT_BEARING:
        return None
    text = str(error)
    if len(text) > MOST_TEXT:
        text = f"{text[:MOST_TEXT]} [{len(text) - MOST_TEXT} characters left out]"
    return scrubbed(text, secrets)


def scrubbed(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without the `secrets`, and without anything that looks like an API key or a bearer token."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return _SECRETS.sub("***", text)


def stack_of(error: BaseException, secrets: tuple[str, ...] = ()) -> str:
    """The stack trace of an exception and of those that led to it, with messages only where they are safe."""
    parts: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        message = message_of(link, secrets)
        name = f"{type(link).__module__}.{type(link).__qualname__}"
        parts.append(
            "Traceback (most recent call last):\n"
            + "".join(traceback.format_tb(link.__traceback__))
            + (f"{name}: {message}\n" if message else f"{name}\n")
        )
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\nwhich was raised from:\n\n".join(parts)
