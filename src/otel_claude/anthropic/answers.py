"""What is taken of an answer that has come as a whole.

In: the result of a call: a model of the SDK, a decoded JSON object, or the raw response around one. Out: facts in the
record of the call.
"""

from typing import Any

from otel_claude.anthropic.facts import content_of, decoded, fields_of, take_result
from otel_claude.anthropic.server_tools import ServerTools, may_execute
from otel_claude.anthropic.tool_uses import tool_uses_of
from otel_claude.call import Call
from otel_claude.failsafe import guarded
from otel_claude.values import is_array


def take_answer(call: Call, result: Any) -> None:
    """Takes what the result says, which tools it wants to be executed, and which the API has executed."""
    result = decoded(result)
    take_result(call.response, call.endpoint, result)
    if call.run is not None and call.endpoint.is_inference:
        _take_tools(call, result)
    if call.content_mode != "NO_CONTENT":
        call.output = lambda: content_of(result)


@guarded(None)
def _take_tools(call: Call, result: Any) -> None:
    found = fields_of(result).get("content")
    blocks = [fields_of(block) for block in found] if is_array(found) else []
    call.run.ask(tool_uses_of(blocks), object())
    if may_execute(call.request.body):
        ServerTools(call).blocks(blocks)
