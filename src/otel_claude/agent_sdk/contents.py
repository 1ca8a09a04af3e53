"""What prompts, answers and tools say, where it is asked for. Pure, but for the application's redaction hook.

In: runs, answers and tools. Out: attributes, redacted and bounded in size as those of API calls are.
"""

from typing import Any

from otel_claude.agent_sdk.runs import Answer, Run, ToolUse
from otel_claude.content import Content, as_attributes, as_structures, read_request, read_response, to_json
from otel_claude.content.limit import bound
from otel_claude.content.parts import Part, part_of
from otel_claude.emitting import names
from otel_claude.settings import Settings

NOTHING: Part = {"parts": []}


def attributes_of(thing: Run | Answer | ToolUse, settings: Settings) -> dict[str, Any]:
    """The attributes of a span that hold content."""
    if isinstance(thing, ToolUse):
        return _of_tool(thing, settings)
    content = _content(thing, settings)
    marked: dict[str, Any] = {names.CONTENT_TRUNCATED: True} if content.truncated else {}
    return {**as_attributes(content), **marked}


def structures_of(answer: Answer, settings: Settings) -> dict[str, Any]:
    """The attributes of an event that hold the content of an answer."""
    return dict(as_structures(_content(answer, settings)))


def _content(thing: Run | Answer, settings: Settings) -> Content:
    if isinstance(thing, Answer):
        content = Content(output_messages=read_response(thing.blocks, thing.stop_reason))
    elif thing.prompt is None:
        return Content()
    else:
        asked = [thing.prompt, *(prompt.content for prompt in thing.joined)]
        content = read_request({"messages": [{"role": "user", "content": each} for each in asked]})
    return bound(content, settings.content_max_bytes, settings.redact)


def _of_tool(tool: ToolUse, settings: Settings) -> dict[str, Any]:
    """Arguments and result, each as JSON. One that is too large for the limit is cut, or left out."""
    use = {"type": "tool_use", "id": tool.id, "name": tool.name, "input": tool.arguments} if tool.arguments else None
    found: dict[str, Any] = {}
    for attribute, block, key in (
        (names.TOOL_ARGUMENTS, use, "arguments"),
        (names.TOOL_RESULT, tool.result, "response"),
    ):
        if block is None:
            continue
        content = bound(
            Content(output_messages=[{"role": "assistant", "parts": [part_of(block)]}]),
            settings.content_max_bytes,
            settings.redact,
        )
        for part in (content.output_messages or [NOTHING])[0]["parts"]:
            if key in part:
                found[attribute] = to_json(part[key])
        if content.truncated:
            found[names.CONTENT_TRUNCATED] = True
    return found
