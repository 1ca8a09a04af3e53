"""What the items of an answer say, as they arrive one by one.

In: items, each with its kind: events of a stream or results of a batch, as the SDK's models or as decoded JSON. Out:
facts in the record. One listener for each kind of endpoint; none of them keeps an item.
"""

from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Any, ClassVar

from otel_claude import usage
from otel_claude.anthropic.answers import take_answer
from otel_claude.anthropic.endpoints import batch_of
from otel_claude.anthropic.facts import fields_of, take_message, usage_fields
from otel_claude.anthropic.server_tools import ServerTools, may_execute
from otel_claude.anthropic.tool_uses import StreamedToolUses
from otel_claude.batches import BatchResults
from otel_claude.call import Call
from otel_claude.content.stream import StreamedBlocks
from otel_claude.outcome import StreamInterrupted
from otel_claude.telemetry import Telemetry
from otel_claude.values import text

PLACEHOLDERS = ("output_tokens", "output_tokens_details")
"""Counts that `message_start` has not got yet. Only `message_delta` says what they are.

https://platform.claude.com/docs/en/build-with-claude/streaming#event-types
"""


class Listener:
    """Listens to nothing: the endpoint gives something that we know nothing of.

    `whole` says whether all that counts has come, and `ended` whether the last item has, as far as the items tell.
    """

    whole = True
    ended = True

    def item(self, kind: str, item: Any) -> None:
        """An item has arrived. What an exception says is not known, so nothing is caught here."""


class MessageEvents(Listener):
    """The events of a streamed Message. Runs for every event, so what is not told of is left as soon as possible."""

    def __init__(self, call: Call) -> None:
        self.whole = self.ended = False
        self._call = call
        self._fields: dict[str, Any] = {}
        self._telling = self.FROM_THE_START
        self._tools: list[StreamedToolUses | ServerTools] = []
        if call.run is not None:
            self._tools.append(StreamedToolUses(call.run))
            if may_execute(call.request.body):
                self._tools.append(ServerTools(call))
        self._blocks = StreamedBlocks() if call.content_mode != "NO_CONTENT" else None
        if self._blocks is not None:
            call.output = self._blocks.blocks

    def item(self, kind: str, item: Any) -> None:  # noqa: D102  # as Listener says
        tell = self._telling.get(kind)
        if tell is not None:
            tell(self, item)
        if self._tools:
            for tools in self._tools:
                tools.item(kind, item)
        if self._blocks is not None:
            self._blocks.feed(item if isinstance(item, Mapping) else item.to_dict())  # pyright: ignore[reportUnknownArgumentType]  # a JSON object

    def _start(self, event: Any) -> None:
        message = dict(fields_of(fields_of(event).get("message")))
        said = usage_fields(message.get("usage"))
        self._fields = {name: value for name, value in said.items() if name not in PLACEHOLDERS}
        take_message(self._call.response, {**message, "usage": self._fields, "stop_reason": None})

    def _content(self, event: Any) -> None:
        self._telling = self.AFTER_CONTENT
        if self._call.stream is not None:
            self._call.stream.first_content_at = perf_counter_ns()

    def _delta(self, event: Any) -> None:
        fields = fields_of(event)
        response = self._call.response
        stop_reason = fields_of(fields.get("delta")).get("stop_reason")
        if isinstance(stop_reason, str):
            response.stop_reason = stop_reason
            # All that is billed has been said, and `message_stop` says nothing more.
            self.whole = True
        self._fields = dict(usage.merge(self._fields, usage_fields(fields.get("usage"))))
        response.usage = usage.read(self._fields)

    def _stop(self, event: Any) -> None:
        self.whole = self.ended = True
        if self._call.stream is not None:
            self._call.stream.ended = True

    def _error(self, event: Any) -> None:
        self._call.error = ErrorEvent(fields_of(event))

    AFTER_CONTENT: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        "message_start": _start,
        "message_delta": _delta,
        "message_stop": _stop,
        "error": _error,
    }
    FROM_THE_START: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = {
        **AFTER_CONTENT,
        "content_block_start": _content,
        "content_block_delta": _content,
    }


class CompletionEvents(Listener):
    """The events of a legacy completion. The last one has a stop reason."""

    def __init__(self, call: Call) -> None:
        self.whole = self.ended = False
        self._call = call

    def item(self, kind: str, item: Any) -> None:  # noqa: D102  # as Listener says
        stream = self._call.stream
        if stream is not None and stream.first_content_at is None:
            stream.first_content_at = perf_counter_ns()
        fields = fields_of(item)
        take_message(self._call.response, fields)
        self.whole = self.ended = self._call.response.stop_reason is not None


class BatchLines(Listener):
    """The results of a batch: https://platform.claude.com/docs/en/build-with-claude/batch-processing."""

    def __init__(self, call: Call, telemetry: Telemetry, batch: str) -> None:
        self._call = call
        self._telemetry = telemetry
        self._results = call.batch = BatchResults(batch)

    def item(self, kind: str, item: Any) -> None:  # noqa: D102  # as Listener says
        result = fields_of(fields_of(item).get("result"))
        self._results.types[str(result.get("type"))] += 1
        message = fields_of(result.get("message"))
        if message.get("usage") is not None:
            used = usage.read(usage_fields(message["usage"]))
            self._telemetry.answer(self._call, message.get("model"), used, text(message.get("stop_reason")))


class WholeResult(Listener):
    """A JSON body that arrives bit by bit: its one item is the result of the call."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def item(self, kind: str, item: Any) -> None:  # noqa: D102  # as Listener says
        take_answer(self._call, item)


class ErrorEvent(StreamInterrupted):
    """An `error` event in a stream that the application reads as bytes, so that the SDK raises nothing for it."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = dict(body)
        super().__init__(str(fields_of(body.get("error")).get("message")))


def listener_for(call: Call, telemetry: Telemetry) -> Listener:
    """The listener for the items of a call's answer."""
    kind = call.endpoint.kind
    if kind == "batch_results" and (batch := batch_of(call.url)) is not None:
        return BatchLines(call, telemetry, batch)
    if call.request.stream and kind == "chat":
        return MessageEvents(call)
    if call.request.stream and kind == "text_completion":
        return CompletionEvents(call)
    return Listener() if kind in ("other", "download") else WholeResult(call)
