"""A simulated Claude API and in-memory telemetry, for tests that need neither network nor key.

    with SimulatedClaude() as claude:
        claude.will(RateLimited(retry_after=0.01), Answer("Hello"))
        client = Anthropic(base_url=claude.base_url, api_key="sk-ant-simulated")
        client.messages.create(...)

`SimulatedClaude` is a real HTTP server on the loopback interface. It takes what it answers from one queue:
answers, errors of the API, and faults of the connection. `python -m otel_claude.testing --port 8765` serves
by itself.

`Telemetry` keeps what instrumentation emits in memory, and writes it out as text for snapshots.
"""

from otel_claude.testing.batches import Batch
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
from otel_claude.testing.events import Event
from otel_claude.testing.exchange import Request
from otel_claude.testing.faults import Cut, EndsEarly, ErrorEvent, Hang, Outcome, Raw, Slow
from otel_claude.testing.messages import Answer, ServerToolUse, ToolUse
from otel_claude.testing.server import SimulatedClaude
from otel_claude.testing.telemetry import Telemetry
from otel_claude.testing.tokens import usage

__all__ = [
    "Answer",
    "BadRequest",
    "Batch",
    "BillingError",
    "Cut",
    "EndsEarly",
    "ErrorEvent",
    "ErrorResponse",
    "Event",
    "GatewayTimeout",
    "Hang",
    "NotFound",
    "Outcome",
    "Overloaded",
    "PermissionDenied",
    "RateLimited",
    "Raw",
    "Request",
    "RequestTooLarge",
    "ServerError",
    "ServerToolUse",
    "SimulatedClaude",
    "Slow",
    "Telemetry",
    "ToolUse",
    "Unauthorized",
    "usage",
]
