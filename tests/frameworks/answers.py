"""What the simulated Claude says to a framework, and what it has counted.

It follows from the request alone, so every framework gets on with it: where there are tools and none has answered yet,
a call of one of them, else a sentence. No two answers have the same tokens, so none can stand in for another.
"""

from typing import Any, NamedTuple

from otel_claude.testing import Answer, Request, ToolUse, usage

ARGUMENTS = {"city": "Paris"}
SENTENCE = "It is sunny in Paris."


class Said(NamedTuple):
    """One answer: its id, and the tokens in its `usage`."""

    id: str
    input: int
    output: int
    cache_read: int
    cache_write: int

    @property
    def prompt(self) -> int:
        """All input tokens, as the conventions count them: those that were not cached, read and written."""
        return self.input + self.cache_read + self.cache_write


class Script:
    """Answers requests, and remembers what it has `said`."""

    def __init__(self) -> None:
        self.said: list[Said] = []

    def __call__(self, request: Request) -> Answer:
        """The next answer."""
        number = len(self.said) + 1
        said = Said(f"msg_{number:02}", 10 + number, 20 + number, 1_000 * number, 100 * number)
        self.said.append(said)
        tool = wanted_tool(request.json)
        return Answer(
            None if tool else SENTENCE,
            tool_uses=[ToolUse(tool, ARGUMENTS)] if tool else (),
            usage=usage(
                input_tokens=said.input,
                output_tokens=said.output,
                cache_read=said.cache_read,
                cache_write_5m=said.cache_write,
            ),
            more={"id": said.id},
        )


def wanted_tool(document: Any) -> str | None:
    """The tool that a request is answered with, if it is with one."""
    tools = [tool["name"] for tool in document.get("tools", ())]
    content = document["messages"][-1]["content"]
    answered = not isinstance(content, str) and "tool_result" in [block["type"] for block in content]
    return None if answered or not tools else tools[0]
