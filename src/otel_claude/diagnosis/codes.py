"""What the API's codes mean, as tables: the category that an error's type or HTTP status stands for. Pure.

https://platform.claude.com/docs/en/api/errors
https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
https://google.aip.dev/193
"""

from collections.abc import Mapping
from typing import Literal

Category = Literal[
    "authentication",
    "permission",
    "billing",
    "budget",
    "rate_limited",
    "overloaded",
    "context_length",
    "request_too_large",
    "tool_schema",
    "invalid_request",
    "model_not_found",
    "timeout",
    "connection",
    "stream_interrupted",
    "server",
    "other",
]

TYPES: Mapping[str, Category] = {
    "authentication_error": "authentication",
    "billing_error": "billing",
    "conflict_error": "invalid_request",
    "permission_error": "permission",
    "not_found_error": "model_not_found",
    "request_too_large": "request_too_large",
    "rate_limit_error": "rate_limited",
    "overloaded_error": "overloaded",
    "timeout_error": "timeout",
    "api_error": "server",
    "invalid_request_error": "invalid_request",
    "timeout": "timeout",
    "connection_error": "connection",
    "stream_interrupted": "stream_interrupted",
    # Bedrock, and the library that signs for it
    "AccessDeniedException": "permission",
    "CredentialRetrievalError": "authentication",
    "ExpiredTokenException": "authentication",
    "IncompleteSignatureException": "authentication",
    "InternalServerException": "server",
    "InvalidSignatureException": "authentication",
    "MissingAuthenticationTokenException": "authentication",
    "ModelErrorException": "server",
    "ModelNotReadyException": "overloaded",
    "ModelStreamErrorException": "server",
    "ModelTimeoutException": "timeout",
    "NoCredentialsError": "authentication",
    "PartialCredentialsError": "authentication",
    "ProfileNotFound": "authentication",
    "ResourceNotFoundException": "model_not_found",
    "SSOTokenLoadError": "authentication",
    "ServiceQuotaExceededException": "rate_limited",
    "ServiceUnavailableException": "overloaded",
    "ThrottlingException": "rate_limited",
    "TokenRetrievalError": "authentication",
    "UnauthorizedSSOTokenError": "authentication",
    "UnauthorizedException": "authentication",
    "UnrecognizedClientException": "authentication",
    "ValidationException": "invalid_request",
    # Google Cloud, and the library that signs in to it
    "DEADLINE_EXCEEDED": "timeout",
    "DefaultCredentialsError": "authentication",
    "INVALID_ARGUMENT": "invalid_request",
    "NOT_FOUND": "model_not_found",
    "PERMISSION_DENIED": "permission",
    "RefreshError": "authentication",
    "RESOURCE_EXHAUSTED": "rate_limited",
    "UNAUTHENTICATED": "authentication",
    "UNAVAILABLE": "overloaded",
    # Our own
    "BudgetExceeded": "budget",
    # LiteLLM's proxy
    "auth_error": "authentication",
    "budget_exceeded": "billing",
    "token_not_found_in_db": "authentication",
}
"""What an `error.type` stands for, in whatever case: a stream of Bedrock begins the same codes with a small letter."""

STATUSES: Mapping[int, Category] = {
    400: "invalid_request",
    401: "authentication",
    402: "billing",
    403: "permission",
    404: "model_not_found",
    405: "invalid_request",
    407: "connection",
    408: "timeout",
    409: "invalid_request",
    410: "invalid_request",
    413: "request_too_large",
    414: "invalid_request",
    415: "invalid_request",
    421: "server",
    422: "invalid_request",
    426: "server",
    429: "rate_limited",
    431: "invalid_request",
    499: "timeout",
    504: "timeout",
    524: "timeout",
    529: "overloaded",
}
"""What a status stands for where there is no type.

421 and 426 are of proxies and servers that expect another host or version of HTTP. 499 is nginx's for a caller that
gave up, and 524 Cloudflare's for an answer that took too long.
"""

VAGUE: frozenset[Category] = frozenset({"invalid_request", "server"})
"""What types mean that are used with any status, so that a status which says more goes first."""

LIMITS: Mapping[str, str] = {
    r"per day|per_day|daily": "tokens per day",
    r"concurrent connections|too many connections": "concurrent connections",
    r"(?<!/ )max[ _]parallel[ _]request|concurrency limit": "concurrent requests",
    r"input[ _]tokens?[ _]per": "input tokens",
    r"output[ _]tokens?[ _]per": "output tokens",
    r"too many tokens|tokens?[ _]per|number of request tokens|limit type: ?tokens|token (?:rate )?limit": "tokens",
    r"too many requests|requests?[ _]per|number of requests|limit type: ?requests|call rate limit": "requests",
}
"""Which limit a message speaks of."""

_BY_TYPE: Mapping[str, Category] = {kind.lower(): category for kind, category in TYPES.items()}
_SERVER_ERROR = 500


def category_of(kind: str, status: int | None) -> Category:
    """The category that an `error.type` stands for, or that of the HTTP status where that says more."""
    by_type = _BY_TYPE.get(kind.lower())
    by_status: Category = "other"
    if status is not None:
        by_status = STATUSES.get(status) or ("server" if status >= _SERVER_ERROR else "other")
    if by_type is None or (by_type in VAGUE and by_status not in VAGUE and by_status != "other"):
        return by_status
    return by_type
