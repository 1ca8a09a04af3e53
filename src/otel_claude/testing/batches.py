"""Message batches, and how those to come will end.

https://platform.claude.com/docs/en/api/messages/batches
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from otel_claude.testing.errors import ErrorResponse
from otel_claude.testing.exchange import Json, Response
from otel_claude.testing.messages import Answer, Call, Ids

Result = Answer | ErrorResponse | Literal["canceled", "expired"]
_KINDS = ("succeeded", "errored", "canceled", "expired")


@dataclass(frozen=True)
class Batch:
    """Queued: how the next batch ends, a result for each of its requests.

    Where `results` run out, plain answers follow. The batch is in progress until it has been retrieved
    `polls` times.
    """

    results: Sequence[Result] = ()
    polls: int = 0

    def respond(self, call: Call) -> Response:
        """The response to the batch's creation."""
        return call.answered(self)


@dataclass
class Running:
    """A batch that was created at `url`. Its results are settled at once, and told when it has ended."""

    id: str
    url: str
    results: Sequence[Json]
    polls: int
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    cancelled: datetime | None = None
    ended: datetime | None = None

    def polled(self) -> "Running":
        """This batch, one look later."""
        if self.polls > 0:
            self.polls -= 1
        else:
            self.ended = self.ended or datetime.now(UTC)
        return self

    def cancel(self) -> "Running":
        """This batch, whose requests will not be processed any more unless all of them have been."""
        if self.ended is None:
            self.cancelled = datetime.now(UTC)
            self.polls = 0
            self.results = [{**line, "result": {"type": "canceled"}} for line in self.results]
        return self

    def document(self) -> Json:
        """The MessageBatch."""
        kinds = [line["result"]["type"] for line in self.results] if self.ended else []
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": "ended" if self.ended else "canceling" if self.cancelled else "in_progress",
            "request_counts": {
                "processing": 0 if self.ended else len(self.results),
                **{kind: kinds.count(kind) for kind in _KINDS},
            },
            "created_at": self.created.isoformat(),
            "expires_at": (self.created + timedelta(hours=24)).isoformat(),
            "cancel_initiated_at": self.cancelled and self.cancelled.isoformat(),
            "ended_at": self.ended and self.ended.isoformat(),
            "archived_at": None,
            "results_url": f"{self.url}/{self.id}/results" if self.ended else None,
        }

    def lines(self) -> list[bytes]:
        """The results, each a line of JSON."""
        return [json.dumps(line).encode() + b"\n" for line in self.results]


def create(batch: Batch, requests: Sequence[Json], ids: Ids, url: str) -> Running:
    """A batch of `requests` that will end as `batch` says."""
    plain = [Answer()] * (len(requests) - len(batch.results))
    results: list[Result] = [*batch.results, *plain]
    lines = [
        {"custom_id": request["custom_id"], "result": _result(result, request["params"], ids)}
        for request, result in zip(requests, results, strict=True)
    ]
    return Running(ids.new("msgbatch"), url, lines, batch.polls)


def _result(result: Result, params: Json, ids: Ids) -> dict[str, Any]:
    match result:
        case Answer():
            message = result.message(ids, params["model"], params)
            message["usage"] = {**message["usage"], "service_tier": "batch"}
            return {"type": "succeeded", "message": message}
        case ErrorResponse():
            return {"type": "errored", "error": {"type": "error", "error": result.error, "request_id": None}}
        case _:
            return {"type": result}
