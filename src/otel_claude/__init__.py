"""OpenTelemetry for Claude in Python.

    from otel_claude import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()

or, without a change in the program, `opentelemetry-instrument python app.py`.
"""

from otel_claude.agents.agent import agent
from otel_claude.agents.tool import tool, tool_call
from otel_claude.budgets.exceeded import BudgetExceeded
from otel_claude.instrumentor import AnthropicInstrumentor
from otel_claude.settings import SettingError, Settings
from otel_claude.span_cap.installation import install_span_cap
from otel_claude.version import __version__

__all__ = [
    "AnthropicInstrumentor",
    "BudgetExceeded",
    "SettingError",
    "Settings",
    "__version__",
    "agent",
    "install_span_cap",
    "tool",
    "tool_call",
]
