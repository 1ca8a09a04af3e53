"""The errors that the API reports, one class each, to be queued in place of an answer.

Messages are the API's own where its traffic shows them, else the default that its reference gives:
https://platform.claude.com/docs/en/api/errors and https://platform.claude.com/docs/en/api/python/$shared
"""

from dataclasses import KW_ONLY, dataclass, field, replace

from otel_claude.testing.exchange import Headers, Json, Response
from otel_claude.testing.messages import Call


@dataclass(frozen=True)
class ErrorResponse:
    """An error response. `type` is the API's error code.

    `retry_after` is in seconds. `details` is the error's `details` object, whose `error_code` newer SDKs
    read.
    """

    message: str
    _: KW_ONLY
    status: int
    type: str
    retry_after: float | None = None
    details: Json | None = None
    headers: Headers = field(default_factory=dict[str, str | None])

    def respond(self, call: Call) -> Response:
        """The error response."""
        waiting = {} if self.retry_after is None else {"retry-after": f"{self.retry_after:g}"}
        response = call.failed(self.error).with_headers({**waiting, **self.headers})
        return replace(response, status=self.status)

    @property
    def error(self) -> Json:
        """The `error` object."""
        details = {} if self.details is None else {"details": self.details}
        return {"type": self.type, "message": self.message, **details}


@dataclass(frozen=True)
class BadRequest(ErrorResponse):
    """400: the request is not valid."""

    message: str = "Invalid request"
    _: KW_ONLY
    status: int = 400
    type: str = "invalid_request_error"


@dataclass(frozen=True)
class Unauthorized(ErrorResponse):
    """401: the key is not valid."""

    message: str = "invalid x-api-key"
    _: KW_ONLY
    status: int = 401
    type: str = "authentication_error"
    headers: Headers = field(default_factory=lambda: {"x-should-retry": "false"})


@dataclass(frozen=True)
class BillingError(ErrorResponse):
    """402: the account cannot pay."""

    message: str = "Billing error"
    _: KW_ONLY
    status: int = 402
    type: str = "billing_error"


@dataclass(frozen=True)
class PermissionDenied(ErrorResponse):
    """403: the key may not use the resource."""

    message: str = "Permission denied"
    _: KW_ONLY
    status: int = 403
    type: str = "permission_error"


@dataclass(frozen=True)
class NotFound(ErrorResponse):
    """404: there is no such resource or model."""

    message: str = "Not found"
    _: KW_ONLY
    status: int = 404
    type: str = "not_found_error"


@dataclass(frozen=True)
class RequestTooLarge(ErrorResponse):
    """413: more bytes than the API takes."""

    message: str = "Request exceeds the maximum size"
    _: KW_ONLY
    status: int = 413
    type: str = "request_too_large"


@dataclass(frozen=True)
class RateLimited(ErrorResponse):
    """429: a rate limit was reached."""

    message: str = "This request would exceed your account's rate limit. Please try again later."
    _: KW_ONLY
    status: int = 429
    type: str = "rate_limit_error"


@dataclass(frozen=True)
class ServerError(ErrorResponse):
    """500: the API failed."""

    message: str = "Internal server error"
    _: KW_ONLY
    status: int = 500
    type: str = "api_error"


@dataclass(frozen=True)
class GatewayTimeout(ErrorResponse):
    """504: the API took too long."""

    message: str = "Request timeout"
    _: KW_ONLY
    status: int = 504
    type: str = "timeout_error"


@dataclass(frozen=True)
class Overloaded(ErrorResponse):
    """529: the API has too much to do."""

    message: str = "Overloaded"
    _: KW_ONLY
    status: int = 529
    type: str = "overloaded_error"
