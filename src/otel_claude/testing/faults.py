"""Responses that go wrong on their way, to be queued in place of an answer.

A fault spoils a response, by default that of a plain `Answer`: `Cut(after_events=3, then=Answer("Hello
there"))`. Events are counted as they are sent, `message_start` and pings included. A response that is not
streamed is one event.
"""

import json
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Protocol

from otel_claude.testing.errors import (
    BadRequest,
    BillingError,
    ErrorResponse,
    GatewayTimeout,
    NotFound,
    Overloaded,
    PermissionDenied,
    RateLimited,
    RequestTooLarge,
    ServerError,
    Unauthorized,
)
from otel_claude.testing.exchange import CUT, Headers, Pause, Response, Step
from otel_claude.testing.messages import Answer, Call

_ERRORS: Sequence[ErrorResponse] = (
    BadRequest(),
    Unauthorized(),
    BillingError(),
    PermissionDenied(),
    NotFound(),
    RequestTooLarge(),
    RateLimited(),
    ServerError(),
    GatewayTimeout(),
    Overloaded(),
)


class Outcome(Protocol):
    """What comes of one request: an answer, an error, a fault."""

    def respond(self, call: Call) -> Response:
        """The response to `call`."""
        ...


@dataclass(frozen=True)
class Hang:
    """Nothing is sent for `seconds`: before the response begins or, with `after_events`, in the middle of it.

    Then the response goes on, if the client is still there. Stopping the server ends the wait.
    """

    seconds: float
    _: KW_ONLY
    after_events: int = 0
    then: Outcome = field(default_factory=Answer)

    def respond(self, call: Call) -> Response:
        """The response with a long pause in it."""
        whole = self.then.respond(call)
        before, after = whole.body[: self.after_events], whole.body[self.after_events :]
        return whole.with_body([*before, Pause(self.seconds), *after])


@dataclass(frozen=True)
class Slow:
    """A pause of `gap_seconds` stands before each event."""

    gap_seconds: float
    _: KW_ONLY
    then: Outcome = field(default_factory=Answer)

    def respond(self, call: Call) -> Response:
        """The response with pauses in it."""
        whole = self.then.respond(call)
        return whole.with_body(part for step in whole.body for part in (Pause(self.gap_seconds), step))


@dataclass(frozen=True)
class Cut:
    """The connection is closed after so many events.

    Of a response that is not streamed, half is sent. With `after_events=0` nothing at all is sent.
    """

    after_events: int
    _: KW_ONLY
    then: Outcome = field(default_factory=Answer)

    def respond(self, call: Call) -> Response:
        """The response without its end."""
        whole = self.then.respond(call)
        sent = whole.body[: self.after_events] if whole.chunked else [_half(step) for step in whole.body]
        return whole.with_body([*(sent if self.after_events else ()), CUT])


@dataclass(frozen=True)
class EndsEarly:
    """A stream ends in good order after so many events, without the events that should have ended it."""

    after_events: int
    _: KW_ONLY
    then: Outcome = field(default_factory=Answer)

    def respond(self, call: Call) -> Response:
        """The response without its end."""
        whole = self.then.respond(call)
        return whole.with_body(whole.body[: self.after_events] if whole.chunked else whole.body)


@dataclass(frozen=True)
class ErrorEvent:
    """A stream of status 200 ends in an `error` event after so many events.

    A request that wants no stream gets the error as its response.
    """

    type: str
    _: KW_ONLY
    after_events: int
    message: str | None = None
    then: Outcome = field(default_factory=Answer)

    def respond(self, call: Call) -> Response:
        """The response that ends in an error."""
        known = next((error for error in _ERRORS if error.type == self.type), ServerError())
        error = ErrorResponse(self.message or known.message, status=known.status, type=self.type)
        whole = self.then.respond(call)
        if not whole.chunked:
            return error.respond(call)
        return whole.with_body([*whole.body[: self.after_events], call.error_event(error.error)])


@dataclass(frozen=True)
class Raw:
    """Any response, sent as it is: what proxies and gateways come up with. `body` may be a JSON document."""

    status: int = 200
    headers: Headers = field(default_factory=dict[str, str | None])
    body: object = b""

    def respond(self, call: Call) -> Response:
        """The response."""
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        media = "text/html" if isinstance(self.body, bytes) else "application/json"
        return Response(self.status, {"content-type": media, **self.headers}, [body])


def _half(step: Step) -> Step:
    return step[: len(step) // 2] if isinstance(step, bytes) else step
