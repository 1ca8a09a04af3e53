"""Who refused a call: the API, a cloud, or somebody in between.

In: the platform that the client is made for, and what the answer has of its sender. Out: one word. Pure.

A hint may only name what its reader has: a role and a project have no workspace, and a gateway has keys of its own.
"""

import re
from collections.abc import Mapping
from typing import Literal

Origin = Literal["api", "aws", "google", "azure", "other"]

PLATFORMS: Mapping[str, Origin] = {
    "aws": "aws",
    "bedrock": "aws",
    "foundry": "azure",
    "google_cloud": "google",
    "vertex": "google",
}
"""Whose accounts a platform's clients have."""

API_TYPES = frozenset(
    {
        "api_error",
        "authentication_error",
        "billing_error",
        "conflict_error",
        "forbidden",
        "invalid_request_error",
        "not_found_error",
        "overloaded_error",
        "permission_error",
        "rate_limit_error",
        "request_too_large",
        "timeout_error",
    }
)
"""The types of the API: https://platform.claude.com/docs/en/api/errors. Gateways use them as well."""

_AWS_TYPE = re.compile(r"[A-Za-z]{1,60}Exception")
_AWS_HEADERS = (b"x-amzn-errortype", b"x-amzn-requestid")
_GOOGLE_TYPE = re.compile(
    r"ABORTED|ALREADY_EXISTS|CANCELLED|DATA_LOSS|DEADLINE_EXCEEDED|FAILED_PRECONDITION|INTERNAL|INVALID_ARGUMENT"
    r"|NOT_FOUND|OUT_OF_RANGE|PERMISSION_DENIED|RESOURCE_EXHAUSTED|UNAUTHENTICATED|UNAVAILABLE|UNIMPLEMENTED|UNKNOWN"
)
"""https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto"""
_GOOGLE_STATUS = re.compile(rf"\bstatus: ?(?:{_GOOGLE_TYPE.pattern})\b", re.IGNORECASE)
_AZURE_WORDS = re.compile(r"microsoft\.cognitiveservices|aka\.ms/|\baiservices\b|\bazure\b", re.IGNORECASE)


def origin_of(kind: str, platform: str, headers: Mapping[bytes, bytes], words: str) -> Origin:
    """Who refused, by the `error.type`, the platform, the headers in lower case, and the words of the message."""
    if platform in PLATFORMS:
        return PLATFORMS[platform]
    if _AWS_TYPE.fullmatch(kind) or any(name in headers for name in _AWS_HEADERS):
        return "aws"
    if _GOOGLE_TYPE.fullmatch(kind) or _GOOGLE_STATUS.search(words):
        return "google"
    if kind in API_TYPES:
        return "api"
    return "azure" if _AZURE_WORDS.search(words) else "other"
