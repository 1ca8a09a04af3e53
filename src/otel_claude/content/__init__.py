"""The content of one call, in the conventions' JSON schemas: messages in and out, instructions, tools.

In: the JSON body of a request, and the content blocks of its response. Out: a `Content`, whose lists are the
structured attributes of an event and, as JSON strings, the attributes of a span. Pure. Nobody calls this
unless content was asked for; `content.limit` redacts and bounds the result before it is recorded.
https://github.com/open-telemetry/semantic-conventions-genai/tree/main/model/gen-ai
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from otel_claude import names
from otel_claude.content.parts import Part, clean, part_of, parts_of, plain
from otel_claude.values import is_array, is_object

to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class Content(NamedTuple):
    """What the four content attributes say. `None`: there was none.

    `truncated` is true where the limit has made something be left out.
    """

    system_instructions: list[Part] | None = None
    input_messages: list[Part] | None = None
    output_messages: list[Part] | None = None
    tool_definitions: list[Part] | None = None
    truncated: bool = False


def read_request(body: Mapping[str, Any]) -> Content:
    """The content of a request to `/v1/messages`, or to the older `/v1/complete`, which has a `prompt`."""
    system = body.get("system")
    messages = body.get("messages")
    prompt = body.get("prompt")
    tools = body.get("tools")
    if is_array(messages):
        inputs = [_message(message) for message in messages]
    else:
        inputs = [{"role": "user", "parts": parts_of(prompt)}] if isinstance(prompt, str) else None
    return Content(
        system_instructions=None if system is None else parts_of(system),
        input_messages=inputs,
        tool_definitions=_definitions(tools) if is_array(tools) else None,
    )


def read_response(blocks: Any, stop_reason: str | None, role: str = "assistant") -> list[Part]:
    """The output messages of a response: one, with the parts of its content `blocks`."""
    message: Part = {"role": role, "parts": parts_of(blocks)}
    if stop_reason is not None:
        message["finish_reason"] = stop_reason
    return [message]


def as_attributes(content: Content) -> dict[str, str]:
    """The span attributes: each list that there is, as JSON."""
    return {name: to_json(value) for name, value in as_structures(content).items()}


def as_structures(content: Content) -> dict[str, list[Part]]:
    """The event attributes: each list that there is, as it is."""
    lists = {
        names.SYSTEM_INSTRUCTIONS: content.system_instructions,
        names.INPUT_MESSAGES: content.input_messages,
        names.OUTPUT_MESSAGES: content.output_messages,
        names.TOOL_DEFINITIONS: content.tool_definitions,
    }
    return {name: value for name, value in lists.items() if value is not None}


def _message(message: Any) -> Part:
    if not is_object(message):
        return {"role": "unknown", "parts": [part_of(message)]}
    role = message.get("role")
    return {
        "role": clean(role) if isinstance(role, str) else "unknown",
        "parts": parts_of(message.get("content")),
    }


def _definitions(tools: Sequence[Any]) -> list[Part]:
    found = (_definition(tool) for tool in tools if is_object(tool))
    return [definition for definition in found if definition is not None]


def _definition(tool: Mapping[str, Any]) -> Part | None:
    """The definition of one tool; `None` without a name, which the schema requires.

    Of the tools that Anthropic defines, type and name say all. The name of an MCP toolset is its server's.
    """
    kind = tool.get("type")
    name = tool.get("name", tool.get("mcp_server_name"))
    if not isinstance(name, str):
        return None
    if isinstance(kind, str) and kind != "custom":
        return {"type": clean(kind), "name": clean(name)}
    definition: Part = {"type": "function", "name": clean(name)}
    description = tool.get("description")
    if isinstance(description, str):
        definition["description"] = clean(description)
    if "input_schema" in tool:
        definition["parameters"] = plain(tool["input_schema"])
    return definition
