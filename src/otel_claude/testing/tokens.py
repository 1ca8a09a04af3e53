"""The `usage` of simulated messages.

`usage` writes out the object as the API sends it. Where a test names no usage, `simulated` counts four
characters as a token: numbers that depend on the request and the answer alone, and that are no estimate of
what Claude would count.
"""

import json
from collections.abc import Iterable
from typing import Any

from otel_claude.testing.exchange import Json

CHARACTERS_PER_TOKEN = 4
_PROMPT = ("system", "tools", "messages", "prompt")


def usage(
    *,
    input_tokens: int,
    output_tokens: int,
    cache_read: int = 0,
    cache_write_5m: int = 0,
    cache_write_1h: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """A usage with all the fields that the API sends.

    `more` adds to them, such as `server_tool_use` or `iterations`. `input_tokens` leaves out the tokens read
    from and written to the cache, as it does in the API.
    https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance
    """
    return {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": cache_write_5m + cache_write_1h,
        "cache_read_input_tokens": cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": cache_write_5m,
            "ephemeral_1h_input_tokens": cache_write_1h,
        },
        "output_tokens": output_tokens,
        "service_tier": "standard",
        "inference_geo": "global",
        **more,
    }


def simulated(request: Json, content: Iterable[Json]) -> dict[str, Any]:
    """The usage of the answer `content` to `request`, with its server tool requests where it made some."""
    blocks = list(content)
    searched, fetched = (
        sum(block["type"] == "server_tool_use" and block["name"] == tool for block in blocks)
        for tool in ("web_search", "web_fetch")
    )
    counted = usage(input_tokens=prompt_tokens(request), output_tokens=_tokens(blocks))
    if searched or fetched:
        counted["server_tool_use"] = {"web_search_requests": searched, "web_fetch_requests": fetched}
    return counted


def prompt_tokens(request: Json) -> int:
    """Simulated input tokens: those of the JSON of the request's system prompt, tools and messages."""
    return _tokens([request[name] for name in _PROMPT if name in request])


def _tokens(document: object) -> int:
    return max(1, len(json.dumps(document)) // CHARACTERS_PER_TOKEN)
