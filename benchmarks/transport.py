"""The SDK over a transport that answers inside the process.

No socket is opened and no server works beside the client, so that all work counted is the client's. The
answers have the headers and the fields of the first-party API.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import anthropic
import httpx2

HEADERS: Mapping[str, str] = {
    "request-id": "req_011CQkYXWEaYLtjyRLVfhAKc",
    "anthropic-organization-id": "9f0c6b1e-3f0a-4b57-8a55-0a1f1f0c7d11",
    "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999",
    "anthropic-ratelimit-requests-reset": "2026-01-05T18:17:30Z",
    "anthropic-ratelimit-input-tokens-limit": "2000000",
    "anthropic-ratelimit-input-tokens-remaining": "1999000",
    "anthropic-ratelimit-input-tokens-reset": "2026-01-05T18:17:30Z",
    "anthropic-ratelimit-output-tokens-limit": "400000",
    "anthropic-ratelimit-output-tokens-remaining": "399000",
    "anthropic-ratelimit-output-tokens-reset": "2026-01-05T18:17:33Z",
    "anthropic-ratelimit-tokens-limit": "2400000",
    "anthropic-ratelimit-tokens-remaining": "2398000",
    "anthropic-ratelimit-tokens-reset": "2026-01-05T18:17:30Z",
}

MESSAGE: Mapping[str, Any] = {
    "id": "msg_01YUFu6WCB8ZHZBNCMemdJ2B",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5",
    "content": [{"type": "text", "text": "The capital of France is Paris."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 12,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 41,
        "service_tier": "standard",
    },
}


def _event(data: Mapping[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()


WHOLE = json.dumps(MESSAGE).encode()

# A stream up to its deltas, one delta, and what follows them.
HEAD = (
    _event(
        {
            "type": "message_start",
            "message": {
                **MESSAGE,
                "content": [],
                "stop_reason": None,
                "usage": {**MESSAGE["usage"], "output_tokens": 3},
            },
        }
    ),
    _event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    _event({"type": "ping"}),
)
DELTA = _event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " harbour"}})
TAIL = (
    _event({"type": "content_block_stop", "index": 0}),
    _event(
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 41},
        }
    ),
    _event({"type": "message_stop"}),
)


class Events(httpx2.SyncByteStream):
    """The body of a stream of `deltas` text deltas, one event in each chunk, as they come over a network."""

    def __init__(self, deltas: int) -> None:
        self._deltas = deltas

    def __iter__(self) -> Iterator[bytes]:
        return itertools.chain(HEAD, itertools.repeat(DELTA, self._deltas), TAIL)


class Transport(httpx2.BaseTransport):
    """Answers each request at once: with a stream of `deltas` deltas, or whole where that is 0."""

    deltas = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.deltas:
            headers = {**HEADERS, "content-type": "text/event-stream; charset=utf-8"}
            return httpx2.Response(200, headers=headers, stream=Events(self.deltas))
        return httpx2.Response(200, headers={**HEADERS, "content-type": "application/json"}, content=WHOLE)


def client(transport: Transport) -> anthropic.Anthropic:
    """A client whose requests all end in `transport`."""
    http_client = anthropic.DefaultHttpxClient(transport=transport)
    return anthropic.Anthropic(api_key="made-up", http_client=http_client)
