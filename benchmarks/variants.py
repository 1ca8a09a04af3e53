"""Who is measured: the bare SDK, the SDK's own tracing, ours, the published peers, and the floor.

The content of prompts and answers is off for all. Where that is not a library's default, its `environment`
switches it off.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Variant(NamedTuple):
    """One way to instrument the SDK.

    `module` is what a program imports for it. `instrumentor` is the class in it whose `instrument()` is
    called, or `None` where nothing has to be called. `environment` is set before anything is imported.
    """

    title: str
    module: str
    instrumentor: str | None
    environment: Mapping[str, str]


# Without this the SDK's own span would stand beside that of each peer, and its work be counted as theirs.
# https://github.com/anthropics/anthropic-sdk-python
UNTRACED: Mapping[str, str] = {"ANTHROPIC_OPEN_TELEMETRY": "false"}

VARIANTS: Mapping[str, Variant] = {
    "bare": Variant("bare SDK", "anthropic", None, UNTRACED),
    "native": Variant("SDK's own tracing", "anthropic", None, {}),
    # Sees to it by itself that the SDK's own span is not there twice.
    "ours": Variant("otel_claude", "otel_claude", "AnthropicInstrumentor", {}),
    "floor": Variant("floor: the same, by hand", "anthropic", None, UNTRACED),
    "otel-genai": Variant(
        "opentelemetry-instrumentation-genai-anthropic",
        "opentelemetry.instrumentation.genai.anthropic",
        "AnthropicInstrumentor",
        UNTRACED,
    ),
    "traceloop": Variant(
        "opentelemetry-instrumentation-anthropic",
        "opentelemetry.instrumentation.anthropic",
        "AnthropicInstrumentor",
        {**UNTRACED, "TRACELOOP_TRACE_CONTENT": "false"},
    ),
    "openinference": Variant(
        "openinference-instrumentation-anthropic",
        "openinference.instrumentation.anthropic",
        "AnthropicInstrumentor",
        {**UNTRACED, "OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_OUTPUTS": "true"},
    ),
}
