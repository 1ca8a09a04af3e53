"""How a call ended, in the words that spans, metrics and events share.

In: the exception of a call. Out: its `error.type`, the category of failure, and texts that are safe to record. Pure:
exceptions are looked at by what they carry, so that this works for every version of the SDK and its HTTP library.
"""

import re
import traceback
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

from otel_claude.diagnosis.codes import Category, category_of
from otel_claude.values import attribute, fields, text, whole


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
_SECRETS = re.compile(
    r"sk-ant-[\w-]+|(?<=Bearer )[\w.~+/=-]+|(?<=x-api-key: )[\w.~+/=-]+|(?<=x-amz-security-token:)\s*\S+"
    r"|(?<=Signature=)[0-9a-f]+|\b(?-i:AKIA|ASIA)[A-Z0-9]{4,}",
    re.IGNORECASE,
)
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)
_SHORTEST = 8
"""A word of a header that is shorter is found in words that have nothing to do with it."""
_EVENT_OF_BEDROCK = re.compile(
    r"Bad response code, expected 200: \{.{0,400}?':exception-type': '([A-Za-z]{1,64})'", re.DOTALL
)
_KNOWN_PACKAGES = ("anthropic", "httpx", "httpx2", "httpcore", "httpcore2", "otel_claude")
_NO_CONNECTION = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"})
"""What the HTTP library raises before it has a connection: https://www.python-httpx.org/exceptions/."""
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
    category = category_of(kind, whole(attribute(error, "status_code")))
    return Failure(kind, category, _message_of_any(error, secrets), error)


def _message_of_any(error: BaseException, secrets: tuple[str, ...]) -> str | None:
    """The same as `message_of`, of an exception that may be made in any way."""
    try:
        return message_of(error, (*secrets, *_sent_by(error)))
    except Exception:
        return None


def error_type(error: BaseException, *, in_stream: bool) -> str:
    """The `error.type` of an exception: the API's own code, else what kind of failure it is, else its class.

    An `error` event of a stream arrives under HTTP 200, so what the API says goes before the status code. Exceptions of
    the application's may have anything under the names that the SDK's have, and raise when it is looked at.
    """
    try:
        return _told_type(error, in_stream=in_stream)
    except Exception:
        return type(error).__qualname__


def _told_type(error: BaseException, *, in_stream: bool) -> str:
    headers = attribute(attribute(error, "response"), "headers")
    if (code := api_code(attribute(error, "body"), headers)) is not None:
        return code
    # So does the SDK up to 1.0 tell of an error in a stream of Bedrock.
    if type(error) is ValueError and (event := _EVENT_OF_BEDROCK.match(str(error))) is not None:
        return event[1]
    names = {cls.__name__ for cls in type(error).__mro__}
    if names & {"APITimeoutError", "TimeoutException"}:
        return "timeout"
    if names & {"APIConnectionError", "TransportError", "StreamInterrupted"}:
        return "stream_interrupted" if in_stream else "connection_error"
    status = attribute(error, "status_code")
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
    header = text(fields(headers).get("x-amzn-errortype"))
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
    # One may be the beginning of another.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    # What looks like a key is found in twice what is kept, so that none is cut before it is known as one.
    kept, length = _SECRETS.sub("***", text[: 2 * MOST_TEXT]), len(text)
    if length <= MOST_TEXT:
        return kept
    return f"{kept[:MOST_TEXT]} [{length - MOST_TEXT} characters left out]"


def forms_of(key: str) -> tuple[str, ...]:
    """How a text may quote a key.

    One that no header can hold, such as one with a line break, is quoted in part or escaped by those who refuse it.
    """
    pieces = key.split()
    return (key,) if pieces == [key] else (key, repr(key)[1:-1], *pieces)


def _sent_by(error: BaseException) -> set[str]:
    """What the headers of failed requests hold that is secret, such as keys for a gateway or of a cloud's own chain."""
    secrets: set[str] = set()
    for link in _chain(error):
        # Those of botocore are no mapping.
        headers = attribute(request_behind(link), "headers")
        for name, value in () if headers is None else headers.items():
            if isinstance(value, str) and _SECRET_HEADER.search(name):
                secrets.update(_words_of(value))
    return secrets


def was_sent(error: BaseException) -> bool:
    """Whether a request that ended with `error`, and with no response, may have been received by whoever is called."""
    return not any(type(link).__name__ in _NO_CONNECTION for link in (error, error.__cause__))


def request_behind(error: BaseException) -> Any:
    """The HTTP request that an exception of the SDK or of its HTTP library is about, if it knows of one."""
    return attribute(error, "request")


def _words_of(value: str) -> Iterator[str]:
    """The secrets in the value of a header: its words without the scheme, and what cookies are set to."""
    scheme, *words = re.split(r"[;\s]+", value)
    if scheme == "AWS4-HMAC-SHA256":
        # A signature with names of headers, which holds no key.
        return
    for word in words or (scheme,):
        yield from (part for part in (word, word.partition("=")[2]) if len(part) >= _SHORTEST)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that led to it, each once."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def stack_of(error: BaseException, secrets: tuple[str, ...] = ()) -> str:
    """The stack trace of an exception and of those that led to it, with messages only where they are safe."""
    parts: list[str] = []
    secrets = (*secrets, *_sent_by(error))
    for link in _chain(error):
        message = message_of(link, secrets)
        name = f"{type(link).__module__}.{type(link).__qualname__}"
        parts.append(
            "Traceback (most recent call last):\n"
            + "".join(traceback.format_tb(link.__traceback__))
            + (f"{name}: {message}\n" if message else f"{name}\n")
        )
    return "\nwhich was raised from:\n\n".join(parts)
