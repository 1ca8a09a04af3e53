"""The legacy Text Completions: an answer's text as a Completion, and the events that stream it.

https://platform.claude.com/docs/en/api/completions/create
"""

from collections.abc import Iterator
from typing import Any

from otel_claude.testing.exchange import Json
from otel_claude.testing.messages import DEFAULT_TEXT, Answer, Ids, words

_STOP_SEQUENCE = "\n\nHuman:"


def completion(answer: Answer, ids: Ids, model: str) -> dict[str, Any]:
    """The Completion that says what `answer` says."""
    completion_id = ids.new("compl")
    stop_reason = answer.stop_reason or "stop_sequence"
    return {
        "type": "completion",
        "id": completion_id,
        "completion": f" {DEFAULT_TEXT if answer.text is None else answer.text}",
        "stop_reason": stop_reason,
        "model": answer.model or model,
        "stop": _STOP_SEQUENCE if stop_reason == "stop_sequence" else None,
        "log_id": completion_id,
    }


def events(whole: Json) -> Iterator[Json]:
    """The events that stream a Completion: its words, then what stopped it."""
    unfinished = {**whole, "stop_reason": None, "stop": None}
    for word in words(whole["completion"]):
        yield {**unfinished, "completion": word}
    yield {"type": "ping"}
    yield {**whole, "completion": ""}
