"""What the application of a test does: clients of the installed SDK, and plain uses of them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
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
SRC = str(Path(__file__).parents[2] / "src")


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


def run_python(
    script: str, *arguments: str, env: dict[str, str] | None = None, launcher: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs a program in an interpreter of its own, in which only `env` speaks of OpenTelemetry."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "ANTHROPIC_", "PYTEST_", "COV_"))
    }
    return subprocess.run(
        [*launcher, sys.executable, "-c", script, *arguments],
        env={**inherited, "PYTHONPATH": SRC, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
