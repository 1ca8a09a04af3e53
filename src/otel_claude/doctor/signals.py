"""The three signals, and what OpenTelemetry's variables and entry points call them.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from collections.abc import Sequence
from typing import NamedTuple

OTLP = "OTEL_EXPORTER_OTLP_"
"""What the variables of OTLP exporters begin with."""

NAME = "otel-claude doctor"
"""What the test span is called, and what the test event says."""

POINT = "claude.doctor"
"""What the test metric and the test event are called."""


class Signal(NamedTuple):
    """A signal: its name, what it carries, and one of these."""

    name: str
    carries: str
    one: str

    @property
    def exporter(self) -> str:
        """The variable that chooses its exporters."""
        return f"OTEL_{self.name.upper()}_EXPORTER"

    @property
    def group(self) -> str:
        """The group of entry points that its exporters are in."""
        return f"opentelemetry_{self.name}_exporter"

    @property
    def path(self) -> str:
        """Where it is posted to, under an endpoint. https://opentelemetry.io/docs/specs/otlp/#otlphttp-request."""
        return f"v1/{self.name}"

    def own(self, what: str) -> str:
        """The variable of `what` that is for this signal alone."""
        return f"{OTLP}{self.name.upper()}_{what}"


def listed(names: Sequence[str]) -> str:
    """Names as people list them."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


TRACES = Signal("traces", "spans", "span")
METRICS = Signal("metrics", "metrics", "metric")
LOGS = Signal("logs", "events", "event")
SIGNALS = (TRACES, METRICS, LOGS)
