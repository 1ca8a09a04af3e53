"""What the application of a test does: clients of the installed SDK, and plain uses of them."""

from collections.abc import Callable
from typing import Any

import anthropic
from anthropic import Anthropic, AsyncAnthropic
from anthropic._base_client import BaseClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from otel_claude import AnthropicInstrumentor
from otel_claude.testing import SimulatedClaude

SwitchOn = Callable[..., AnthropicInstrumentor]
"""`AnthropicInstrumentor().instrument`, which gives the instrumentor."""

MODEL = "claude-sonnet-5-5"
KEY = "sk-ant-simulated"
HELLO: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello, Claude"}],
}
SPAN = f"chat {MODEL}"
NATIVE_SPAN = "anthropic.messages.create"
SDK_VERSION = tuple(int(part) for part in anthropic.__version__.split(".")[:2])
SDK_MAKES_SPANS = hasattr(BaseClient, "open_telemetry")


def connect(claude: SimulatedClaude, **options: Any) -> Any:
    """An `Anthropic`, typed as `Any`: its methods have overloads, which take no dictionary of arguments."""
    given: dict[str, Any] = {"base_url": claude.base_url, "api_key": KEY, **options}
    return Anthropic(**given)


def connect_async(claude: SimulatedClaude, **options: Any) -> Any:
    """An `AsyncAnthropic`."""
    given: dict[str, Any] = {"base_url": claude.base_url, "api_key": KEY, **options}
    return AsyncAnthropic(**given)


def ids(span: ReadableSpan) -> SpanContext:
    """Trace and span id of a span that has ended."""
    assert span.context is not None
    return span.context
