"""What is recorded of prompts and answers: its form, what never gets into it, and how it is kept small.

The blocks come from traffic with the API, shortened; the parts are those of the conventions' JSON schemas.
https://github.com/open-telemetry/semantic-conventions-genai/tree/main/model/gen-ai
"""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_claude.content import Content, as_attributes, as_structures, read_request, read_response
from otel_claude.content.limit import bound
from otel_claude.content.stream import StreamedBlocks

SECRET = base64.b64encode(b"the bytes of a secret image" * 9).decode()
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": SECRET}}
IMAGE_PART = {"type": "generic", "generic_type": "image", "mime_type": "image/png", "size_bytes": 27 * 9}


def part(block: Any) -> Any:
    return read_response([block], None)[0]["parts"][0]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"type": "text", "content": text}]}


def size(content: Content) -> int:
    return sum(len(value.encode()) for value in as_attributes(content).values())


def test_a_conversation_with_a_tool_has_the_form_of_the_conventions_example():
    body = {
        "system": "You are terse.",
        "messages": [
            {"role": "user", "content": "Weather in Paris?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "A tool.", "signature": "Eqk"},
                    {
                        "type": "tool_use",
                        "id": "toolu_1",
                        "name": "get_weather",
                        "input": {"location": "Paris"},
                    },
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "content": "rainy, 57F",
                        "is_error": False,
                    }
                ],
            },
        ],
        "tools": [
            {"name": "get_weather", "description": "Now.", "input_schema": {"type": "object"}},
            {"type": "custom", "name": "bare"},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
            {"type": "mcp_toolset", "mcp_server_name": "github"},
        ],
    }
    output = read_response([{"type": "text", "text": "Rainy, 57F."}], "end_turn")
    content = read_request(body)._replace(output_messages=output)
    assert as_structures(content) == {
        "gen_ai.system_instructions": [{"type": "text", "content": "You are terse."}],
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "A tool."},
                    {
                        "type": "tool_call",
                        "id": "toolu_1",
                        "name": "get_weather",
                        "arguments": {"location": "Paris"},
                    },
                ],
            },
            {
                "role": "user",
                "parts": [{"type": "tool_call_response", "id": "toolu_1", "response": "rainy, 57F"}],
            },
        ],
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "Rainy, 57F."}],
                "finish_reason": "end_turn",
            }
        ],
        "gen_ai.tool.definitions": [
            {
                "type": "function",
                "name": "get_weather",
                "description": "Now.",
                "parameters": {"type": "object"},
            },
            {"type": "function", "name": "bare"},
            {"type": "web_search_20250305", "name": "web_search"},
            {"type": "mcp_toolset", "name": "github"},
        ],
    }


def test_span_attributes_are_compact_json_in_plain_unicode():
    content = Content(output_messages=read_response([{"type": "text", "text": "Grüße"}], None))
    assert as_attributes(content) == {
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Grüße"}]}]'
    }


def test_the_prompt_of_the_older_api_is_one_message_of_the_user():
    content = read_request({"prompt": "\n\nHuman: Hi\n\nAssistant:"})
    assert content == Content(input_messages=[user("\n\nHuman: Hi\n\nAssistant:")])


PARTS: dict[str, tuple[Any, Any]] = {
    "redacted thinking keeps no data": (
        {"type": "redacted_thinking", "data": "EvgFCkYIBxgCKkBm"},
        {"type": "generic", "generic_type": "redacted_thinking"},
    ),
    "an unknown block keeps no data": (
        {"type": "hologram", "beams": [1, 2]},
        {"type": "generic", "generic_type": "hologram"},
    ),
    "a compaction keeps its summary": (
        {"type": "compaction", "content": "So far.", "encrypted_content": "Eo8BC"},
        {"type": "compaction", "content": "So far."},
    ),
    "a failed compaction has no content": ({"type": "compaction", "content": None}, {"type": "compaction"}),
    "a server tool's call": (
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
        {
            "type": "server_tool_call",
            "id": "srvtoolu_1",
            "name": "web_search",
            "server_tool_call": {"type": "web_search", "input": {"query": "x"}},
        },
    ),
    "an MCP tool's call": (
        {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "echo", "server_name": "lab", "input": {}},
        {
            "type": "server_tool_call",
            "id": "mcptoolu_1",
            "name": "echo",
            "server_tool_call": {"type": "mcp", "server_name": "lab", "input": {}},
        },
    ),
    "an MCP tool's error": (
        {
            "type": "mcp_tool_result",
            "tool_use_id": "mcptoolu_1",
            "is_error": True,
            "content": [{"type": "text", "text": "no"}],
        },
        {
            "type": "server_tool_call_response",
            "id": "mcptoolu_1",
            "server_tool_call_response": {
                "type": "mcp",
                "content": [{"type": "text", "text": "no"}],
                "is_error": True,
            },
        },
    ),
    "web search results without their ciphertext": (
        {
            "type": "web_search_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": [
                {
                    "type": "web_search_result",
                    "title": "T",
                    "url": "https://a.example",
                    "encrypted_content": "EroTC",
                }
            ],
        },
        {
            "type": "server_tool_call_response",
            "id": "srvtoolu_1",
            "server_tool_call_response": {
                "type": "web_search",
                "content": [
                    {
                        "type": "web_search_result",
                        "title": "T",
                        "url": "https://a.example",
                        "encrypted_content": "[encrypted]",
                    }
                ],
            },
        },
    ),
    "a fetched page by its size": (
        {
            "type": "web_fetch_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": {
                "type": "web_fetch_result",
                "url": "https://ai.pydantic.dev",
                "content": {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "Pydantic AI"},
                    "title": "Pydantic AI",
                },
            },
        },
        {
            "type": "server_tool_call_response",
            "id": "srvtoolu_1",
            "server_tool_call_response": {
                "type": "web_fetch",
                "content": {
                    "type": "web_fetch_result",
                    "url": "https://ai.pydantic.dev",
                    "content": {
                        "type": "generic",
                        "generic_type": "document",
                        "title": "Pydantic AI",
                        "mime_type": "text/plain",
                        "size_bytes": 11,
                    },
                },
            },
        },
    ),
    "a failed tool with blocks as its result": (
        {
            "type": "tool_result",
            "tool_use_id": "toolu_1",
            "is_error": True,
            "content": [{"type": "text", "text": "no"}, {"type": "tool_reference", "tool_name": "get_rate"}],
        },
        {
            "type": "tool_call_response",
            "id": "toolu_1",
            "response": [
                {"type": "text", "content": "no"},
                {"type": "generic", "generic_type": "tool_reference", "tool_name": "get_rate"},
            ],
            "is_error": True,
        },
    ),
    "a tool result without content": (
        {"type": "tool_result", "tool_use_id": "toolu_1"},
        {"type": "tool_call_response", "id": "toolu_1", "response": None},
    ),
    "an upload to a container": (
        {"type": "container_upload", "file_id": "file_011C"},
        {"type": "file", "modality": "file", "file_id": "file_011C"},
    ),
    "a search result by title and cleaned address": (
        {
            "type": "search_result",
            "title": "T",
            "source": "https://u:p@a.example/b?sig=1",
            "content": [{"type": "text", "text": "x"}],
        },
        {"type": "generic", "generic_type": "search_result", "title": "T", "source": "https://a.example/b"},
    ),
    "a search result from elsewhere": (
        {"type": "search_result", "source": "the handbook"},
        {"type": "generic", "generic_type": "search_result", "source": "the handbook"},
    ),
    "a search result without source": (
        {"type": "search_result"},
        {"type": "generic", "generic_type": "search_result"},
    ),
    "an image": (IMAGE, IMAGE_PART),
    "an image in a tool's result": (
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": [IMAGE]},
        {"type": "tool_call_response", "id": "toolu_1", "response": [IMAGE_PART]},
    ),
    "an image in a tool's input": (
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": IMAGE, "raw": IMAGE["source"]}},
        {
            "type": "tool_call",
            "id": "toolu_1",
            "name": "look",
            "arguments": {
                "at": IMAGE_PART,
                "raw": {"type": "base64", "media_type": "image/png", "size_bytes": len(SECRET)},
            },
        },
    ),
    "the image of an MCP server": (
        {"type": "mcp_tool_result", "content": [{"type": "image", "mimeType": "image/png", "data": SECRET}]},
        {
            "type": "server_tool_call_response",
            "server_tool_call_response": {
                "type": "mcp",
                "content": [{"type": "image", "mimeType": "image/png", "size_bytes": len(SECRET)}],
            },
        },
    ),
    "a data URL in a text": (
        {"type": "text", "text": f"![](data:image/png;base64,{SECRET}) there"},
        {
            "type": "text",
            "content": f"![](data:image/png;base64,[{len(SECRET)} bytes left out]) there",
        },
    ),
    "an image by a signed address": (
        {"type": "image", "source": {"type": "url", "url": "https://u:p@a.example:8443/b.png?sig=s#f"}},
        {"type": "uri", "modality": "image", "uri": "https://a.example:8443/b.png"},
    ),
    "an image by a data URL": (
        {"type": "image", "source": {"type": "url", "url": f"data:image/png;base64,{SECRET}"}},
        {"type": "generic", "generic_type": "image"},
    ),
    "an image by no address": (
        {"type": "image", "source": {"type": "url", "url": "https://[oops"}},
        {"type": "generic", "generic_type": "image"},
    ),
    "a document by its file": (
        {"type": "document", "source": {"type": "file", "file_id": "file_011C"}, "title": "T"},
        {"type": "file", "modality": "document", "file_id": "file_011C", "title": "T"},
    ),
    "a document of blocks": (
        {"type": "document", "source": {"type": "content", "content": [IMAGE]}},
        {"type": "generic", "generic_type": "document"},
    ),
    "a document by its text in bytes of UTF-8": (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Größe"}},
        {"type": "generic", "generic_type": "document", "mime_type": "text/plain", "size_bytes": 7},
    ),
}


@pytest.mark.parametrize(("block", "expected"), PARTS.values(), ids=PARTS)
def test_a_block_becomes_its_part(block: Any, expected: Any):
    assert part(block) == expected


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4])
def test_the_size_of_an_image_is_that_of_its_decoded_bytes(length: int):
    data = base64.b64encode(b"x" * length).decode()
    block = {"type": "image", "source": {"type": "base64", "data": data}}
    assert part(block) == {"type": "generic", "generic_type": "image", "size_bytes": length}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text"},
        {"type": "thinking", "thinking": 1},
        {"type": "tool_use", "input": {}},
        {"type": "server_tool_use", "name": None},
        {"type": "container_upload"},
        {"type": "image"},
        {"type": "image", "source": {"type": "telepathy"}},
        {"type": "document", "source": {"type": "file"}},
        {"type": "document", "source": {"type": "base64", "data": b"%PDF"}},
        {"type": "document", "source": {"type": "text"}},
    ],
)
def test_a_block_without_what_its_part_requires_says_only_what_it_was(block: Any):
    assert part(block) == {"type": "generic", "generic_type": block["type"]}


@pytest.mark.parametrize(
    ("block", "kind"),
    [({}, "unknown"), (7, "int"), (None, "NoneType"), ([IMAGE], "list"), (SECRET.encode(), "bytes")],
)
def test_what_is_no_block_is_named_and_not_looked_into(block: Any, kind: str):
    assert part(block) == {"type": "generic", "generic_type": kind}


def test_a_mapping_with_the_type_of_an_image_but_no_source_stays_what_it_is():
    block = {"type": "tool_use", "name": "draw", "input": {"type": "image", "width": 3}}
    assert part(block)["arguments"] == {"type": "image", "width": 3}


def test_values_that_json_or_otlp_cannot_hold_become_texts():
    values = {
        "nan": float("nan"),
        "half": 0.5,
        "wide": 2**63,
        "most": 2**63 - 1,
        "yes": True,
        "object": object(),
        3: "\ud800",
        "none": None,
    }
    assert part({"type": "tool_use", "name": "f", "input": values})["arguments"] == {
        "nan": "nan",
        "half": 0.5,
        "wide": "[integer of more than 64 bits]",
        "most": 2**63 - 1,
        "yes": True,
        "object": "[object]",
        "3": "?",
        "none": None,
    }


def test_an_iterator_is_not_consumed():
    blocks = iter([{"type": "text", "text": "once"}])
    content = read_request({"messages": [{"role": "user", "content": blocks}], "tools": blocks})
    assert content.input_messages == [
        {"role": "user", "parts": [{"type": "generic", "generic_type": type(blocks).__name__}]}
    ]
    assert content.tool_definitions is None
    assert list(blocks) == [{"type": "text", "text": "once"}]


@pytest.mark.parametrize("odd", [None, 5, "messages", iter(())])
def test_messages_of_another_type_are_no_messages(odd: Any):
    assert read_request({"messages": odd}) == Content()


def test_odd_messages_and_tools_leave_the_others_in_place():
    body = {"messages": ["Hi", {"role": 1, "content": None}], "tools": [1, {"description": "nameless"}]}
    assert read_request(body) == Content(
        input_messages=[
            {"role": "unknown", "parts": [{"type": "text", "content": "Hi"}]},
            {"role": "unknown", "parts": []},
        ],
        tool_definitions=[],
    )


def test_deep_nesting_ends_before_readers_of_otlp_refuse_it():
    """100 nested messages are the limit of Protocol Buffers; 13 lead to a part and 3 to each dict in it."""
    inner: Any = {}
    for _ in range(1000):
        inner = {"in": [inner], "or": {"type": "tool_result", "content": [inner]}}
    text = json.dumps(part({"type": "tool_use", "name": "f", "input": {"a": inner["in"]}}))
    depths = [text[:end].count("{") - text[:end].count("}") for end in range(len(text))]
    assert "[nested too deep]" in text
    assert 13 + 3 * max(depths) < 100


def test_tool_results_in_tool_results_end_too():
    block: Any = {"type": "text", "text": "bottom"}
    for _ in range(1000):
        block = {"type": "tool_result", "content": [block]}
    assert '"generic_type": "tool_result"' in json.dumps(part(block))


STREAM: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "A "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "tool."}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "Eqk"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "So"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": ", yes."}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {}}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ""}},
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": '{"a"'},
    },
    {
        "type": "content_block_delta",
        "index": 2,
        "delta": {"type": "input_json_delta", "partial_json": ": 1}"},
    },
    {"type": "content_block_stop", "index": 2},
]


def streamed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks = StreamedBlocks()
    for event in events:
        blocks.feed(event)
    return blocks.blocks()


def test_a_stream_becomes_the_blocks_of_a_whole_response():
    assert streamed(STREAM) == [
        {"type": "thinking", "thinking": "A tool."},
        {"type": "text", "text": "So, yes."},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
    ]


def test_a_stream_that_breaks_in_a_tools_input_keeps_the_text_that_came():
    assert streamed(STREAM[:14])[2]["input"] == '{"a"'


def test_a_stream_that_breaks_before_a_tools_input_keeps_the_empty_one():
    assert streamed(STREAM[:13])[2]["input"] == {}


def test_a_compaction_comes_in_one_delta():
    start = {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "compaction", "content": None},
    }
    delta = {"type": "compaction_delta", "content": "So far.", "encrypted_content": None}
    assert streamed([start, {"type": "content_block_delta", "index": 0, "delta": delta}]) == [
        {"type": "compaction", "content": "So far."}
    ]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": "content_block_start", "index": [0], "content_block": {}},
        {"type": "content_block_start", "index": 0},
        {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "lost"}},
        {"type": "content_block_delta", "index": 1, "delta": None},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": 1}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "hologram_delta", "text": "lost"}},
    ],
)
def test_odd_events_change_nothing(event: dict[str, Any]):
    assert streamed([*STREAM, event]) == streamed(STREAM)


def test_content_within_the_limit_stays_as_it_is():
    content = Content(input_messages=[user("Hi")])
    assert len('[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]') == 58
    assert bound(content, 58) is content
    assert bound(content, 57).truncated


def test_the_oldest_parts_go_first_and_a_mark_says_how_much():
    messages: list[dict[str, Any]] = [
        user("a" * 100),
        user("b" * 100),
        {"role": "assistant", "parts": []},
        user("c" * 100),
    ]
    # A text of 100 letters is a part of 100 + 28 bytes.
    assert len('{"type":"text","content":""}') == 28
    assert bound(Content(input_messages=messages), 480) == Content(
        input_messages=[
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "[1 part, 128 bytes left out]"},
                    {"type": "text", "content": "b" * 100},
                ],
            },
            {"role": "assistant", "parts": []},
            messages[3],
        ],
        truncated=True,
    )


def test_a_message_can_lose_its_older_parts_alone():
    parts = [{"type": "text", "content": letter * 100} for letter in "abc"]
    content = Content(input_messages=[{"role": "user", "parts": parts}, user("d" * 100)])
    mark = {"type": "text", "content": "[2 parts, 256 bytes left out]"}
    assert bound(content, 480).input_messages == [
        {"role": "user", "parts": [mark, parts[2]]},
        user("d" * 100),
    ]


def test_the_newest_message_of_the_user_stays_before_a_prefilled_answer():
    prefill = {"role": "assistant", "parts": [{"type": "text", "content": "{"}]}
    content = Content(input_messages=[user("a" * 900), user("Why?"), prefill])
    newest = bound(content, 400).input_messages
    assert newest is not None
    assert newest[0]["parts"][1:] == [{"type": "text", "content": "Why?"}]
    assert newest[1] == prefill


def test_what_cannot_go_is_cut_to_equal_shares_of_the_room():
    output = read_response([{"type": "text", "text": "b" * 5000}], None)
    content = bound(Content(input_messages=[user("a" * 5000)], output_messages=output), 2000)
    kept = {name: json.loads(value)[0]["parts"][0]["content"] for name, value in as_attributes(content).items()}
    assert 1900 < size(content) <= 2000
    assert content.truncated
    for text in kept.values():
        letters = len(text.rstrip("]abcdefghijklmnopqrstuvwxyz0123456789 ").rstrip("["))
        assert letters > 800
        assert text[letters:] == f"[{5000 - letters} characters left out]"


def test_a_short_question_beside_a_huge_tool_result_stays_whole():
    parts = [
        {"type": "text", "content": "Why?"},
        {"type": "tool_call_response", "id": "t", "response": "a" * 9000},
    ]
    content = bound(Content(input_messages=[{"role": "user", "parts": parts}]), 1000)
    assert content.input_messages is not None
    question, result = content.input_messages[0]["parts"]
    assert question == parts[0]
    assert result["response"].startswith("a" * 800)


def test_parts_that_are_too_many_to_be_cut_go_oldest_first():
    parts = [{"type": "text", "content": f"{number:0072}"} for number in range(1000)]
    content = bound(Content(system_instructions=parts), 2000)
    assert content.system_instructions is not None
    mark, *kept = content.system_instructions
    assert kept == parts[-len(kept) :]
    # Each part has 72 + 28 bytes; commas, brackets and the mark take a little of the room for 20.
    assert len(kept) == 18
    assert mark == {"type": "text", "content": "[982 parts, 98200 bytes left out]"}


def test_numbers_cannot_be_cut_and_their_place_is_marked():
    numbers = list(range(1000))
    parts: list[dict[str, Any]] = [
        {"type": "tool_call", "id": "t", "name": "f", "arguments": {"type": "sum", "of": numbers}},
        {"type": "tool_call", "id": "u", "name": "g", "arguments": {"of": numbers}},
        {"type": "tool_call_response", "id": "v", "response": numbers, "is_error": True},
        {"type": "tool_call", "id": "w" * 3000, "name": "h", "arguments": {}},
    ]
    content = bound(Content(input_messages=[{"role": "user", "parts": parts}]), 1000)
    # 10 numbers of one digit, 90 of two, 900 of three, 999 commas, two brackets.
    bytes_of_numbers = 10 + 90 * 2 + 900 * 3 + 999 + 2
    in_a_dict = bytes_of_numbers + len('{"of":}')
    in_a_typed_dict = bytes_of_numbers + len('{"type":"sum","of":}')
    assert content.input_messages == [
        {
            "role": "user",
            "parts": [
                {
                    "type": "tool_call",
                    "id": "t",
                    "name": "f",
                    "arguments": {
                        "type": "sum",
                        "left_out": f"[{in_a_typed_dict} bytes left out]",
                    },
                },
                {
                    "type": "tool_call",
                    "id": "u",
                    "name": "g",
                    "arguments": {"left_out": f"[{in_a_dict} bytes left out]"},
                },
                {
                    "type": "tool_call_response",
                    "id": "v",
                    "response": [{"type": "text", "content": f"[{bytes_of_numbers} bytes left out]"}],
                    "is_error": True,
                },
                {"type": "text", "content": "[1 part, 3054 bytes left out]"},
            ],
        }
    ]
    assert len('{"type":"tool_call","id":"","name":"h","arguments":{}}') + 3000 == 3054


def test_tools_claim_a_quarter_of_the_room_at_most():
    tools = [{"type": "function", "name": f"f{n}", "description": "d" * 1000} for n in range(4)]
    content = bound(Content(input_messages=[user("a" * 3000)], tool_definitions=tools), 4200)
    assert content.input_messages == [user("a" * 3000)]
    assert content.tool_definitions is not None
    assert [tool["name"] for tool in content.tool_definitions] == ["f0", "f1", "f2", "f3"]
    assert all(tool["description"].endswith(" characters left out]") for tool in content.tool_definitions)


def test_tools_take_the_room_that_nothing_else_needs():
    tools = [{"type": "function", "name": f"f{n}", "description": "d" * 1000} for n in range(4)]
    content = bound(Content(input_messages=[user("Hi")], tool_definitions=tools), 4000)
    assert size(content) > 3900


def test_tools_that_are_too_many_leave_a_mark_in_the_form_of_a_definition():
    tools = [{"type": "function", "name": f"tool_{n:0100}"} for n in range(100)]
    content = bound(Content(tool_definitions=tools), 1000)
    assert content.tool_definitions is not None
    left = 101 - len(content.tool_definitions)
    # `{"type":"function","name":"tool_"}` and 100 digits.
    mark = {"type": "left_out", "name": f"[{left} tools, {left * (34 + 100)} bytes left out]"}
    assert content.tool_definitions[0] == mark


def test_a_limit_too_small_for_marks_leaves_only_that_something_was_left_out():
    assert bound(Content(input_messages=[user("Hi")], output_messages=[]), 0) == Content(truncated=True)


CONTENT = Content(
    [{"type": "text", "content": "terse"}],
    [user("Hi")],
    read_response([{"type": "text", "text": "Ho"}], "end_turn"),
    [{"type": "function", "name": "f"}],
)


def test_the_hook_sees_each_part_with_the_name_of_its_attribute():
    seen: list[tuple[str, Any]] = []

    def watch(kind: str, part: Any) -> Any:
        seen.append((kind, part))
        return part

    assert bound(CONTENT, 1000, watch) == CONTENT
    assert seen == [
        ("gen_ai.system_instructions", {"type": "text", "content": "terse"}),
        ("gen_ai.input.messages", {"type": "text", "content": "Hi"}),
        ("gen_ai.output.messages", {"type": "text", "content": "Ho"}),
        ("gen_ai.tool.definitions", {"type": "function", "name": "f"}),
    ]


def test_the_hook_may_change_a_part_also_in_place():
    def mask(kind: str, part: Any) -> Any:
        part["content"] = "***"
        return part

    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "my name"}]}]}
    assert bound(read_request(body), 1000, mask).input_messages == [user("***")]
    assert body == {"messages": [{"role": "user", "content": [{"type": "text", "text": "my name"}]}]}


def test_a_part_that_the_hook_leaves_out_leaves_no_trace():
    assert bound(CONTENT, 1000, lambda kind, part: None) == Content(
        [],
        [{"role": "user", "parts": []}],
        [{"role": "assistant", "parts": [], "finish_reason": "end_turn"}],
        [],
    )


def fail(kind: str, part: Any) -> Any:
    raise ValueError(part)


def answer_otherwise(kind: str, part: Any) -> Any:
    return "***"


@pytest.mark.parametrize(("hook", "reason"), [(fail, "raised ValueError"), (answer_otherwise, "returned str")])
def test_a_hook_that_fails_lets_nothing_through(hook: Callable[[str, Any], Any], reason: str):
    note = f"[left out: the redaction hook {reason}]"
    content = bound(CONTENT, 1000, hook)
    assert content.system_instructions == [{"type": "text", "content": note}]
    assert content.input_messages == [user(note)]
    assert content.tool_definitions == [{"type": "left_out", "name": note}]


def test_what_the_hook_returns_is_made_safe_to_record():
    content = bound(Content([{"type": "text", "content": "x"}]), 1000, lambda kind, part: {"type": "x", "y": {1}})
    assert content.system_instructions == [{"type": "x", "y": "[set]"}]


def test_the_hook_comes_before_the_limit():
    content = Content(input_messages=[user("a" * 9000)])
    short = bound(content, 1000, lambda kind, part: {**part, "content": "short"})
    assert short == Content(input_messages=[user("short")])


Anything = st.SearchStrategy[Any]

SCALARS: Anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
JSON: Anything = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
PLANTED: Anything = st.just(IMAGE) | st.just(IMAGE["source"])
VALUES: Anything = JSON | PLANTED | st.lists(JSON | PLANTED, max_size=3)
KINDS = [
    *(
        "text",
        "thinking",
        "redacted_thinking",
        "compaction",
        "image",
        "document",
        "search_result",
        "tool_use",
    ),
    *("tool_result", "server_tool_use", "web_search_tool_result", "mcp_tool_use", "mcp_tool_result"),
    *("container_upload", "tool_reference", "hologram"),
]


def nested(blocks: Anything) -> Anything:
    fields: dict[str, Anything] = {
        "type": st.sampled_from(["tool_result", "document"]),
        "content": st.lists(blocks, max_size=4),
    }
    source: dict[str, Anything] = {"type": st.just("content"), "content": st.lists(blocks)}
    return st.fixed_dictionaries(fields, optional={"source": st.fixed_dictionaries(source)})


BLOCKS: Anything = st.recursive(
    st.just(IMAGE)
    | st.fixed_dictionaries(
        {"type": st.sampled_from(KINDS)},
        optional={
            "text": st.text(max_size=400) | JSON,
            "thinking": JSON,
            "content": VALUES,
            "source": VALUES,
            "input": VALUES,
            "name": JSON,
            "id": JSON,
            "tool_use_id": JSON,
            "title": JSON,
        },
    ),
    nested,
    max_leaves=6,
)
MESSAGES: Anything = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "system"]),
        "content": JSON | st.lists(BLOCKS | JSON, max_size=5),
    }
)
BODIES: Anything = st.fixed_dictionaries(
    {},
    optional={
        "system": JSON | st.lists(BLOCKS, max_size=3),
        "messages": JSON | st.lists(MESSAGES | JSON, max_size=6),
        "prompt": JSON,
        "tools": JSON
        | st.lists(
            st.fixed_dictionaries(
                {"name": st.text(max_size=9)},
                optional={"type": JSON, "description": JSON, "input_schema": VALUES},
            )
            | JSON,
            max_size=6,
        ),
    },
)

REQUIRED = {
    "text": {"content": str},
    "tool_call": {"name": str},
    "tool_call_response": {"response": object},
    "server_tool_call": {"name": str, "server_tool_call": dict},
    "server_tool_call_response": {"server_tool_call_response": dict},
    "reasoning": {"content": str},
    "compaction": {},
    "file": {"modality": str, "file_id": str},
    "uri": {"modality": str, "uri": str},
    "generic": {"generic_type": str},
}


def assert_is_valid(content: Content) -> None:
    messages = (content.input_messages or []) + (content.output_messages or [])
    assert all(isinstance(message["role"], str) for message in messages)
    for part in [
        *(content.system_instructions or []),
        *(p for message in messages for p in message["parts"]),
    ]:
        for name, kind in REQUIRED[part["type"]].items():
            assert isinstance(part[name], kind)
    for tool in content.tool_definitions or []:
        assert isinstance(tool["type"], str)
        assert isinstance(tool["name"], str)


@given(body=BODIES, blocks=st.lists(BLOCKS | JSON, max_size=5), limit=st.integers(0, 3000))
def test_whatever_is_sent_the_record_is_valid_small_and_without_images(body: Any, blocks: Any, limit: int):
    before = deepcopy((body, blocks))
    whole = read_request(body)._replace(output_messages=read_response(blocks, "end_turn"))
    content = bound(whole, limit)
    for record in (whole, content):
        assert_is_valid(record)
        assert SECRET not in "".join(as_attributes(record).values())
    assert size(content) <= limit or content is whole
    assert (content is whole) == (size(whole) <= limit)
    assert bound(whole, 10**9, lambda kind, part: part) == whole
    assert repr((body, blocks)) == repr(before)


@given(
    history=st.lists(st.text(max_size=3000), max_size=30),
    newest=st.text(max_size=50),
    answer=st.text(max_size=3000),
    system=st.text(max_size=3000),
)
def test_the_newest_message_of_the_user_survives(history: list[str], newest: str, answer: str, system: str):
    """50 characters take 300 bytes of JSON at most, less than a quarter of the room."""
    body = {"system": system, "messages": [{"role": "user", "content": text} for text in [*history, newest]]}
    whole = read_request(body)._replace(output_messages=read_response([answer], None))
    content = bound(whole, 2048)
    assert content.input_messages is not None
    assert content.input_messages[-1]["parts"][-1] == {"type": "text", "content": newest}


@given(
    texts=st.lists(st.text(alphabet="aé€😀\n", max_size=300), min_size=1, max_size=20),
    limit=st.integers(600, 3000),
)
def test_the_room_is_used_and_never_exceeded(texts: list[str], limit: int):
    whole = read_request({"messages": [{"role": "user", "content": text} for text in texts]})
    content = bound(whole, limit)
    assert size(content) <= limit
    # What goes whole is a message of up to 1200 bytes of text; a mark takes the rest.
    assert size(content) >= min(size(whole), limit - 1400)
