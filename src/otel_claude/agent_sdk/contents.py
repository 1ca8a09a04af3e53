"""What prompts, answers and tools say, where it is asked for. Pure, but for the application's redaction hook.

In: runs, answers and tools. Out: attributes, redacted and bounded in size as those of API calls are.
"""

from typing import Any

from otel_claude import names
from otel_claude.agent_sdk.records import execution_of
from otel_claude.agent_sdk.runs import Answer, Run, ToolUse
from otel_claude.content import Content, as_attributes, as_structures, read_request, read_response
from otel_claude.content.limit import bound
from otel_claude.emitting.agents import tool_content
from otel_claude.settings import Settings


def attributes_of(thing: Run | Answer | ToolUse, settings: Settings) -> dict[str, Any]:
    """The attributes of a span that hold content."""
    if isinstance(thing, ToolUse):
        return tool_content(execution_of(thing), settings.content_max_bytes, settings.redact)
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
