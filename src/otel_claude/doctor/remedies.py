"""What is to be installed and set for signals to be exported.

In: variables, and what is installed. Out: packages, and what is to be done: all that is needed, and nothing that has
been done already.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points

from otel_claude.doctor.exporters import COMPONENTS, GRPC, HTTP, PROTOCOLS, chosen
from otel_claude.doctor.signals import OTLP, SIGNALS, Signal, listed
from otel_claude.doctor.variables import DISTRO, DISTROS, Variables

CONFIGURATORS = "opentelemetry_configurator"
"""The group of entry points of what makes providers. Without one, no variable of exporters changes anything."""

DISTRO_PACKAGE, DISTRO_NAME = "opentelemetry-distro", "distro"
"""What brings a configurator and a distro, and the name of that distro."""

EXPORTERS = "opentelemetry-exporter-otlp"
"""The exporters of both protocols. Beside the one over HTTP alone, the distro's default finds none."""

DEFAULTS: Mapping[str, str] = {**{signal.exporter: "otlp" for signal in SIGNALS}, f"{OTLP}PROTOCOL": GRPC}
"""What that distro sets where nobody else does.

https://github.com/open-telemetry/opentelemetry-python-contrib/blob/main/opentelemetry-distro/src/opentelemetry/distro/__init__.py
"""


def lacking(variables: Variables) -> Sequence[str]:
    """The packages to install, so that `opentelemetry-instrument` exports what the variables say over OTLP."""
    packages = [] if entry_points(group=CONFIGURATORS) else [DISTRO_PACKAGE]
    if _is_open_to_defaults(variables) and (packages or entry_points(group=DISTROS, name=DISTRO_NAME)):
        variables = variables._replace(values={**DEFAULTS, **variables.values})
    exporters = [each for signal in SIGNALS for each in chosen(variables, signal)]
    needed = {(each.signal, each.component or COMPONENTS[HTTP]) for each in exporters}
    if any(name in PROTOCOLS and not entry_points(group=signal.group, name=name) for signal, name in needed):
        packages.append(EXPORTERS)
    return packages


def to_export(variables: Variables, signals: Sequence[Signal]) -> str:
    """What is to be done to have signals exported over OTLP that are not."""
    otlp = {signal.exporter: "otlp" for signal in signals}
    packages = lacking(variables._replace(values={**variables.values, **otlp}))
    protocols = [found for signal in signals if (found := variables.of_signal(signal, "PROTOCOL")) is not None]
    steps = [
        f"pip install {' '.join(packages)}" if packages else "",
        *dict.fromkeys(f"{name}={HTTP}" for name, value in protocols if value not in COMPONENTS),
        _choice(variables, otlp, is_to_come=DISTRO_PACKAGE in packages),
    ]
    return ", and ".join(step for step in steps if step)


def _choice(variables: Variables, otlp: Mapping[str, str], *, is_to_come: bool) -> str:
    """How the exporters are chosen: by the distro, which `is_to_come`, where it can do that."""
    if not any(name in variables.values for name in otlp):
        if is_to_come and _is_open_to_defaults(variables):
            return ""
        if not _is_open_to_defaults(variables) and (is_to_come or entry_points(group=DISTROS, name=DISTRO_NAME)):
            return f"unset {DISTRO}"
    return listed([f"{name}={value}" for name, value in otlp.items()])


def _is_open_to_defaults(variables: Variables) -> bool:
    """Whether opentelemetry-distro, where it is installed, sets its defaults: unless another one is named."""
    return variables.values.get(DISTRO) in (None, DISTRO_NAME)
