"""The exporters that the environment chooses for a signal.

In: variables. Out: the exporters by the names of their entry points, as OpenTelemetry's configurator finds them. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from otel_claude.doctor.signals import Signal
from otel_claude.doctor.variables import Variables

GRPC, HTTP = "grpc", "http/protobuf"
COMPONENTS: Mapping[str, str] = {GRPC: "otlp_proto_grpc", HTTP: "otlp_proto_http"}
"""The exporter of each protocol."""

PROTOCOLS: Mapping[str, str] = {component: protocol for protocol, component in COMPONENTS.items()}
PACKAGES: Mapping[str, str] = {
    "otlp_proto_grpc": "opentelemetry-exporter-otlp-proto-grpc",
    "otlp_proto_http": "opentelemetry-exporter-otlp-proto-http",
    "prometheus": "opentelemetry-exporter-prometheus",
}
"""What brings an exporter."""

CONSOLE, NONE, PROMETHEUS = "console", "none", "prometheus"


class Exporter(NamedTuple):
    """An exporter of a signal. `component` is its entry point, `None` where the protocol is one that there is not."""

    signal: Signal
    component: str | None

    @property
    def protocol(self) -> str | None:
        """What it speaks, where it is one of OTLP that is known here."""
        return PROTOCOLS.get(self.component or "")


def chosen(variables: Variables, signal: Signal) -> Sequence[Exporter]:
    """The exporters of a signal; none where it is not exported."""
    names = variables.read(signal.exporter)
    if names is None or names.lower() == NONE:
        return ()
    protocol = (variables.of_signal(signal, "PROTOCOL") or ("", GRPC))[1]
    return tuple(Exporter(signal, _component(name.strip(), protocol)) for name in names.split(","))


def _component(name: str, protocol: str) -> str | None:
    return COMPONENTS.get(protocol) if name == "otlp" else name
