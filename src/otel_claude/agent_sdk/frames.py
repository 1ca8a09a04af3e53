"""What single frames of the CLI say. Pure.

In: frames, as the JSON that they are. Out: the facts in them, in the words of `runs`.
"""

from otel_claude.agent_sdk.runs import Outcome, Run
from otel_claude.values import OTHER, Fields, fields, is_array, is_object, text

SYNTHETIC = "<synthetic>"
"""The model of an answer that the CLI has made up, to say that the API has failed."""

_ABORTED = "aborted"
"""How the CLI's words begin for turns that somebody has interrupted."""


def about(frame: Fields) -> Fields:
    """What a control request is about: the input of a hook, or the request itself."""
    request = fields(frame.get("request"))
    return fields(request.get("input")) if request.get("subtype") == "hook_callback" else request


def ending_of(turn: Run, result: Fields) -> tuple[Outcome, str | None]:
    """How a turn has ended. Where the API has failed, the CLI says `success` and `is_error` in one."""
    if str(result.get("terminal_reason")).startswith(_ABORTED):
        return "cancelled", None
    subtype = text(result.get("subtype"))
    if result.get("is_error") is not True and subtype in (None, "success"):
        return "completed", None
    status = result.get("api_error_status")
    reasons = (
        text(result.get("api_error_type")),
        subtype if subtype != "success" else None,
        None if status is None else str(status),
        turn.said_error,
        text(result.get("terminal_reason")),
    )
    return "failed", next((reason for reason in reasons if reason), OTHER)


def is_launched(frame: Fields) -> bool:
    """Whether the result of an `Agent` tool says that the subagent goes on in the background."""
    return fields(frame.get("tool_use_result")).get("isAsync") is True


def objects(value: object) -> list[Fields]:
    """The objects in an array, which whatever is none has none of."""
    return [item for item in value if is_object(item)] if is_array(value) else []
