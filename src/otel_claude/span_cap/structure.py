"""Which spans hold others together: agents, tool runners, workflows. Pure.

In: the attributes of a span. Out: whether they say so, in the words of the conventions
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-agent-spans/), of OpenInference or of OpenLLMetry.
"""

from collections.abc import Mapping

from otel_claude import names

STRUCTURAL: Mapping[str, tuple[str, ...]] = {
    names.OPERATION: ("invoke_agent", "invoke_workflow"),
    "openinference.span.kind": ("AGENT",),
    "traceloop.span.kind": ("agent", "workflow"),
}
"""Attributes, with the values of spans that hold others together."""


def is_structural(attributes: Mapping[str, object]) -> bool:
    """Whether the attributes are those of such a span."""
    return any(attributes.get(name) in kinds for name, kinds in STRUCTURAL.items())
