"""The framings in which the platforms send events, and the shapes in which they report errors.

Anthropic, Vertex and Foundry send server-sent events. Bedrock wraps each event, as base64 in JSON, into a
message of AWS's binary event stream: lengths and their checksum, headers, payload, checksum of it all.
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
"""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from otel_claude.testing.exchange import Json, Response, json_response

_AWS_EXCEPTIONS = {
    "invalid_request_error": "validationException",
    "rate_limit_error": "throttlingException",
    "timeout_error": "modelTimeoutException",
    "overloaded_error": "serviceUnavailableException",
    "api_error": "internalServerException",
}
_STRING = 7


class Platform(NamedTuple):
    """How a platform writes an event, the media type of a stream, and a response that reports an error."""

    event: Callable[[Json], bytes]
    media_type: str
    failed: Callable[[Json, str], Response]
    error_event: Callable[[Json], bytes]


def sse(event: Json) -> bytes:
    """`event` as a server-sent event that is named by its type."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def aws_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """A message of the AWS event stream, all of whose headers are strings."""
    head = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(value)) + value.encode()
        for name, value in headers.items()
    )
    # Around head and payload stand three lengths or checksums before and one after, of four bytes each.
    lengths = struct.pack("!II", len(head) + len(payload) + 16, len(head))
    message = lengths + struct.pack("!I", zlib.crc32(lengths)) + head + payload
    return message + struct.pack("!I", zlib.crc32(message))


def _envelope(error: Json, request_id: str) -> Response:
    return json_response({"type": "error", "error": error, "request_id": request_id})


def _error_event(error: Json) -> bytes:
    return sse({"type": "error", "error": error})


def _aws_chunk(event: Json) -> bytes:
    payload = {"bytes": base64.b64encode(json.dumps(event).encode()).decode()}
    kind = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return aws_message(kind, json.dumps(payload).encode())


def _aws_exception(error: Json) -> bytes:
    name = _AWS_EXCEPTIONS.get(error["type"], "modelStreamErrorException")
    kind = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return aws_message(kind, json.dumps({"message": error["message"]}).encode())


def _aws_failed(error: Json, request_id: str) -> Response:
    name = _AWS_EXCEPTIONS.get(error["type"], "modelErrorException")
    return json_response({"message": error["message"]}).with_headers({"x-amzn-errortype": name[0].upper() + name[1:]})


ANTHROPIC = Platform(sse, "text/event-stream; charset=utf-8", _envelope, _error_event)
BEDROCK = Platform(_aws_chunk, "application/vnd.amazon.eventstream", _aws_failed, _aws_exception)
