"""Whose telemetry the decorators and context managers of an application go to, as long as instrumentation is on."""

from typing import TYPE_CHECKING

from otel_claude.failsafe import guarded

if TYPE_CHECKING:
    from otel_claude.agents.telemetry import AgentTelemetry

_on: "list[AgentTelemetry]" = []


def switch_on(telemetry: "AgentTelemetry", *, yields: bool = False) -> None:
    """From now on it goes there. Where it `yields`, only while nobody else is on."""
    _on.insert(0 if yields else len(_on), telemetry)


def switch_off(telemetry: "AgentTelemetry") -> None:
    """It goes there no more."""
    if telemetry in _on:
        _on.remove(telemetry)


@guarded(None)
def live() -> "AgentTelemetry | None":
    """Where it goes now, if anywhere."""
    return _on[-1] if _on else None
